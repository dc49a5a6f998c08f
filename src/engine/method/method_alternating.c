// Whether auto takes alternating: what the objective is in each variable alone.
//
// On sumsq(A - U*V') and its kin the half-steps cost a few products and know the scales of the factors, which a joint
// step has to learn. Products to a relative gradient of 1e-7, A 80 to 1000 x 30 to 800, ranks 5 to 10; "-" is more than
// 20000:
//
//                                            alternating   conjugate-gradient   l-bfgs   newton-cg
//     sumsq(A - U*V'), a gap in A                     83                  236      266        1250
//     the same, tall A                               110                  666        -        1206
//     the same, V and U wider than A's rank          670                    -        -       25424
//     the same, A decays                             390                 2216     2906       13071
//     the same, A is noise                          2770                 2666     4466       28549
//     sumsq(K*U*V' - A)                              563                 2256     1264       23492
//     sumsq(A - U*V') + sumsq(B - U*W')              662                  658      658        7330
//     sumsq(A - U*S*V')                              173                    -        -       10639
//     sumsq(A - U*V') + mu*sumsq(U) + mu*sumsq(V)
//       the first A, mu = 1                          670                  356      386        1029
//       the first A, mu = 1e-3                         -                 1426      886       11197
//       noise, mu = 1                               2050                 1196     1136        3385
//       noise, mu = 1e-3                            9030                 4326     7206
//
// A term in one variable alone, such as mu*sumsq(U), settles how large U is beside V; passes over the variables move
// that slowly. So every term of each half-step's Hessian has to have another variable in it.
//
// With weights, sumsq(W .* (A - U*V)), the half-steps are iterations of their own. They are taken for their units:
// joint steps from a start whose units are not those of A end far from a solution, or not at all.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/method/method_parts.h"
#include "engine/model/penalty.h"
#include "engine/model/set_data.h"
#include "job/job_table.h"
#include "opt/constraint.h"

// The factorisations of a half-step, in Hessian actions, for they are made anew in each.
static const double most_factorising = 4;
// Entries of a line of a bounded variable: its small matrix is on every rank.
static const int64_t longest_line = 256;

// Of the job: nothing that alternating would not heed, or that would change the half-steps.
static bool is_free(const tg_job *job, const tg_model *model)
{
  const int wish = job->solver.preconditioner;
  return model->subject == NULL && !tg_penalty_any(job) && job->solver.line_search == 0 &&
         (wish == OPT_PRECONDITIONER_AUTO || wish == OPT_PRECONDITIONER_NONE);
}

static bool depends_on_others(const tg_model *model, int variable, tg_node node)
{
  for (int k = 0; k < model->n_variables && node != TG_NONE; k++)
    if (k != variable && tg_node_depends_on(model->graph, node, model->symbols[k])) return true;
  return false;
}

static bool is_coupled_term(const tg_model *model, int variable, const tg_operator_term *term)
{
  return depends_on_others(model, variable, term->left) || depends_on_others(model, variable, term->right) ||
         depends_on_others(model, variable, term->scalars);
}

// Whether another variable stands in each term of the Hessian in this one.
static bool is_coupled(const tg_model *model, int variable, const tg_structure *structure)
{
  bool is_so = structure->n_terms > 0 || structure->n_weighted > 0;
  for (int32_t k = 0; k < structure->n_terms && is_so; k++)
    is_so = is_coupled_term(model, variable, &structure->terms[k]);
  for (int32_t k = 0; k < structure->n_weighted && is_so; k++)
    is_so = is_coupled_term(model, variable, &structure->weighted[k].inner);
  return is_so && (structure->has_operator || structure->has_weights);
}

// Bounds that are numbers: nonnegative, or a box of them.
static bool has_plain_bounds(const tg_job_variable *x, tg_method_lines *out)
{
  const opt_constraint_row *row = x->constraint != NULL ? opt_constraint_find(x->constraint) : NULL;
  if (row == NULL || !row->is_bounds) return false;
  *out = (tg_method_lines){.low = 0, .high = (double)INFINITY};
  if (row->kind != OPT_CONSTRAINT_BOX) return true;
  const tg_yaml_node *low = tg_set_data_argument(x, 0);
  const tg_yaml_node *high = tg_set_data_argument(x, 1);
  return low != NULL && high != NULL && tg_value_bound(low, &out->low) && tg_value_bound(high, &out->high) &&
         out->low <= out->high;
}

tg_status tg_method_find_lines(const tg_job *job, const tg_model *model, int variable, tg_method_lines *out)
{
  const tg_job_variable *x = &job->variables[variable];
  tg_structure structure;
  *out = (tg_method_lines){.serves = false};
  if (x->norm1 > 0 || x->domain != 0 || !has_plain_bounds(x, out)) return TG_OK;
  TG_TRY(tg_structure_find(model->graph, model->objective, model->symbols[variable], &structure));
  bool has_left = false;
  bool has_right = false;
  bool serves = structure.has_operator && structure.n_terms > 0 && structure.curvature == TG_CURVATURE_CONVEX;
  for (int32_t k = 0; k < structure.n_terms && serves; k++) {
    serves = !structure.terms[k].transposed;
    has_left = has_left || structure.terms[k].left != TG_NONE;
    has_right = has_right || structure.terms[k].right != TG_NONE;
  }
  out->by_rows = !has_left;
  out->serves = serves && has_left != has_right && (has_left ? x->rows <= x->cols : x->cols <= x->rows) &&
                (has_left ? x->rows : x->cols) <= longest_line;
  return TG_OK;
}

static tg_status has_half_step(const tg_job *job, const tg_model *model, int variable, bool *is_weighted, bool *out)
{
  tg_closed_form form;
  tg_structure structure;
  TG_TRY(tg_structure_find(model->graph, model->objective, model->symbols[variable], &structure));
  *out = is_coupled(model, variable, &structure);
  if (!*out) return TG_OK;
  if (structure.has_weights) {
    *out = structure.curvature == TG_CURVATURE_CONVEX && job->variables[variable].constraint == NULL;
    *is_weighted = true;
    return TG_OK;
  }
  if (job->variables[variable].constraint != NULL) {
    tg_method_lines lines;
    TG_TRY(tg_method_find_lines(job, model, variable, &lines));
    *out = lines.serves;
    return TG_OK;
  }
  TG_TRY(tg_closed_form_find(model->graph, model->objective, 1, &model->symbols[variable], &form));
  *out = (form.kind == TG_CLOSED_CHOLESKY || form.kind == TG_CLOSED_SPECTRAL) &&
         tg_method_form_cost(model->graph, &model->plan->variables[variable], &form) <= most_factorising;
  return TG_OK;
}

static void explain(const tg_job *job, bool is_weighted, tg_method *m)
{
  bool is_bounded = false;
  for (int k = 0; k < job->n_variables; k++) is_bounded = is_bounded || job->variables[k].constraint != NULL;
  const char *what = is_bounded    ? "a closed form or, under bounds, one small matrix for all lines"
                     : is_weighted ? "a convex quadratic with weights"
                                   : "a closed form";
  size_t used = (size_t)snprintf(m->reason, sizeof m->reason, "alternating, because the objective has %s in", what);
  for (int k = 0; k < job->n_variables && used + 1 < sizeof m->reason; k++)
    used += (size_t)snprintf(m->reason + used, sizeof m->reason - used, "%s %.64s", k > 0 ? "," : "",
                             job->variables[k].name);
  if (used + 1 < sizeof m->reason)
    snprintf(m->reason + used, sizeof m->reason - used,
             " alone, each with the others held, and no regularising term in one of them");
}

tg_status tg_method_choose_alternating(const tg_job *job, const tg_model *model, tg_method *m, bool *out)
{
  *out = model->n_variables > 1 && model->plan->has_line && model->plan->degree > 2 && is_free(job, model);
  bool is_weighted = false;
  for (int k = 0; k < model->n_variables && *out; k++) TG_TRY(has_half_step(job, model, k, &is_weighted, out));
  if (!*out) return TG_OK;
  m->options.method = tg_method_index("alternating");
  explain(job, is_weighted, m);
  return TG_OK;
}
