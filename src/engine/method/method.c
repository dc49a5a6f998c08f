// The choice of method and preconditioner by symbols.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "engine/method/method_parts.h"
#include "engine/model/penalty.h"
#include "grad/plan/cost.h"
#include "mpi/space/space.h"
#include "opt/driver.h"

// A factorisation that costs more than this many Hessian actions is left to conjugate gradients under auto.
enum { WORTH_ITERATIONS = 400 };

int tg_method_index(const char *name)
{
  const char *const *names = opt_option_choices(OPT_KIND_METHOD);
  for (int k = 0; names[k] != NULL; k++)
    if (strcmp(names[k], name) == 0) return k;
  return 0;
}

bool tg_method_is_direct(const opt_options *options)
{
  return options->method == tg_method_index("direct");
}

// ---- closed forms ----

// The set of the one variable that closed forms with constraints are for.
static const char *const orthonormal = "orthonormal_columns";

static bool is_constrained(const tg_job *job)
{
  for (int k = 0; k < job->n_variables; k++)
    if (job->variables[k].constraint != NULL) return true;
  return false;
}

// Why the form is there, or not; without room cut off.
static void print_form(const tg_model *model, const tg_closed_form *form, size_t room, char *out)
{
  tg_text text;
  tg_text_init(&text);
  tg_closed_form_explain(model->graph, form, &text);
  snprintf(out, room, "%s", tg_text_string(&text));
  tg_text_fini(&text);
}

static tg_status find_form(const tg_job *job, const tg_model *model, tg_method *m)
{
  tg_closed_form *out = &m->form;
  const char *set = job->variables[0].constraint;
  *out = (tg_closed_form){.kind = TG_CLOSED_NONE};
  if (tg_penalty_any(job)) {
    snprintf(m->no_form, sizeof m->no_form, "no closed form: norm1 is in the objective");
    return TG_OK;
  }
  if (is_constrained(job) && (job->n_variables != 1 || strcmp(set, orthonormal) != 0)) {
    snprintf(m->no_form, sizeof m->no_form,
             "no closed form: there are constraints, and closed forms are for one variable, without any or with %s",
             orthonormal);
    return TG_OK;
  }
  if (is_constrained(job))
    TG_TRY(tg_closed_form_find_orthonormal(model->graph, model->objective, model->symbols[0], out));
  else
    TG_TRY(tg_closed_form_find(model->graph, model->objective, model->n_variables, model->symbols, out));
  if (out->kind == TG_CLOSED_NONE) print_form(model, out, sizeof m->no_form, m->no_form);
  return TG_OK;
}

double tg_method_form_cost(const tg_graph *graph, const tg_plan_data *x, const tg_closed_form *form)
{
  const double sizes[2] = {(double)x->rows, (double)x->cols};
  if (form->kind == TG_CLOSED_EIGENVECTORS) return 4.0 / 3 * sizes[0] / (2 * sizes[1]); // for few columns
  if (form->kind == TG_CLOSED_POLAR) return 0;                                          // a retraction costs as much
  const double per_entry = form->kind == TG_CLOSED_SPECTRAL ? 9.0 : 1.0 / 3;
  double factor = 0;
  double action = 0;
  for (int side = 0; side < 2; side++) {
    if (form->sides[side].base == TG_NONE) continue;
    const double n = (double)tg_dim_value(graph, tg_node_info(graph, form->sides[side].base)->rows);
    factor += per_entry * pow(n, 3);
    action += 2 * sizes[0] * sizes[1] * n;
  }
  return action > 0 ? factor / action : 0;
}

// A polynomial in several variables has the scales of its blocks to balance, and there pairs of old gradients mislead:
// on the factorisation of the digits l-bfgs takes 3566 products, conjugate gradients 1116. In one variable l-bfgs is
// ahead.
void tg_method_choose_iterative(const tg_model *model, tg_method *m)
{
  const int degree = model->plan->degree;
  const bool couples = model->plan->has_line && degree > 2 && model->n_variables > 1;
  if (couples) m->options.method = tg_method_index("conjugate-gradient");
  if (tg_subject_has_kinks(model->subject) && model->plan->has_hessian) {
    m->options.method = tg_method_index("newton-cg");
    snprintf(m->reason, sizeof m->reason, "newton-cg, for the pieces of the envelopes are nearly quadratic");
    return;
  }
  const char *name = opt_resolved_method(&m->options, model->plan->has_line ? degree : -1);
  if (degree >= 0 && degree <= 2)
    snprintf(m->reason, sizeof m->reason, "%s, for a polynomial of degree %d; %s", name, degree, m->no_form);
  else if (model->plan->has_line)
    snprintf(m->reason, sizeof m->reason,
             "%s, with exact steps along the line polynomial of degree %d in %d variable%s", name, degree,
             model->n_variables, model->n_variables > 1 ? "s" : "");
  else
    snprintf(m->reason, sizeof m->reason, "%s, because the objective is not a polynomial of degree at most %d%s", name,
             TG_LINE_DEGREE_MAX,
             !model->has_kinks ? ""
                               : "; abs, norm1 or relu of an expression has kinks, where the descent may stall: only "
                                 "w*norm1(X) of a variable X has a proximal step; a smooth form is "
                                 "sum((E.^2 + 1e-6*ones).^0.5)");
}

// What a closed form refuses for want of a minimum is no fault of the job: a method that descends shows the ray.
static bool has_no_minimum(const tg_closed_form *form)
{
  return form->kind == TG_CLOSED_NONE &&
         (form->why.code == TG_CLOSED_WHY_NEGATIVE || form->why.code == TG_CLOSED_WHY_LOGDET_SIGN);
}

static tg_status choose_method(tg_job *job, const tg_model *model, tg_method *m)
{
  bool asked = tg_method_is_direct(&m->options);
  if (asked || m->options.method == 0) TG_TRY(find_form(job, model, m));
  if (asked && has_no_minimum(&m->form)) {
    m->options.method = 0;
    asked = false;
  }
  if (asked && m->form.kind == TG_CLOSED_NONE)
    TG_FAIL_NODE(tg_job_solver_node(job, "method"), TG_UNSUPPORTED, "method direct: %s; take method: auto", m->no_form);
  if (m->options.method > 0 && !asked) {
    snprintf(m->reason, sizeof m->reason, "%s, as the job says", opt_resolved_method(&m->options, model->plan->degree));
    return TG_OK;
  }
  const double cost =
      m->form.kind != TG_CLOSED_NONE ? tg_method_form_cost(model->graph, &model->plan->variables[0], &m->form) : 0;
  if (!asked && cost > WORTH_ITERATIONS) {
    snprintf(m->no_form, sizeof m->no_form,
             "method: direct is possible, at the cost of some %.0f iterations for its factorisations", cost);
    m->form.kind = TG_CLOSED_NONE;
  }
  if (m->form.kind == TG_CLOSED_NONE) {
    bool alternates = false;
    TG_TRY(tg_method_choose_alternating(job, model, m, &alternates));
    if (!alternates) tg_method_choose_iterative(model, m);
    return TG_OK;
  }
  m->options.method = tg_method_index("direct");
  snprintf(m->reason, sizeof m->reason, "direct, ");
  print_form(model, &m->form, sizeof m->reason - strlen(m->reason), m->reason + strlen(m->reason));
  return TG_OK;
}

// ---- preconditioners ----

// Whether the factors of a Kronecker term are no larger than the data: a wide K makes a K'K that is.
static bool has_room(const tg_plan *plan)
{
  const tg_plan_data *x = &plan->variables[0];
  double most = 0;
  for (int32_t k = 0; k < plan->n_data; k++) most = fmax(most, (double)plan->data[k].rows * (double)plan->data[k].cols);
  const double side = (double)(x->rows > x->cols ? x->rows : x->cols);
  return side * side <= most;
}

// The objective with the job's numbers in it: the signs matter, and mu*eye is no matrix to factorise.
static tg_status with_numbers(const tg_job *job, const tg_model *model, tg_node *f)
{
  *f = model->objective;
  for (int k = 0; k < job->n_data; k++) {
    const int32_t symbol = job->data[k].is_number ? tg_symbol_find(model->graph, job->data[k].name) : -1;
    tg_node number = TG_NONE;
    if (symbol < 0) continue;
    TG_TRY(tg_make_num(model->graph, job->data[k].number, &number));
    TG_TRY(tg_substitute(model->graph, *f, 1, &symbol, &number, f));
  }
  return TG_OK;
}

// |W| in the place of each W that the numbers have shown to be nonnegative: for what the signs decide.
static tg_status with_signs(const tg_job *job, const tg_model *model, tg_node *f)
{
  for (int k = 0; k < job->n_data; k++) {
    const int32_t symbol = job->data[k].is_nonnegative ? tg_symbol_find(model->graph, job->data[k].name) : -1;
    tg_node size = TG_NONE;
    if (symbol < 0) continue;
    TG_TRY(tg_make_sym(model->graph, symbol, &size));
    TG_TRY(tg_make_unary(model->graph, TG_ABS, size, &size));
    TG_TRY(tg_substitute(model->graph, *f, 1, &symbol, &size, f));
  }
  return TG_OK;
}

// Any positive number in the place of the penalty of subject_to, which changes from round to round: for its sign.
static tg_status with_positive_penalty(const tg_model *model, tg_node *f)
{
  tg_node number = TG_NONE;
  if (model->subject == NULL) return TG_OK;
  TG_TRY(tg_make_num(model->graph, 1.0, &number));
  return tg_substitute(model->graph, *f, 1, &model->subject->penalty, &number, f);
}

// Beyond degree 2 the Hessian at zero says something about the one elsewhere where f is convex; for losses it is a
// bound.
static tg_status is_loss(const tg_job *job, const tg_model *model, bool *out)
{
  tg_structure structure;
  tg_node f = TG_NONE;
  *out = false;
  if (job->solver.method != 0 || is_constrained(job) || model->n_variables != 1 || model->plan->degree == 2 ||
      !has_room(model->plan))
    return TG_OK;
  TG_TRY(with_numbers(job, model, &f));
  TG_TRY(with_signs(job, model, &f));
  TG_TRY(with_positive_penalty(model, &f));
  TG_TRY(tg_structure_find(model->graph, f, model->symbols[0], &structure));
  *out = structure.curvature == TG_CURVATURE_CONVEX;
  return TG_OK;
}

static tg_status find_quadratic(const tg_job *job, const tg_model *model, tg_method *m)
{
  bool takes_zero = job->solver.preconditioner != OPT_PRECONDITIONER_AUTO;
  m->quadratic = TG_NONE;
  if (!takes_zero) TG_TRY(is_loss(job, model, &takes_zero));
  if (model->plan->degree != 2 && !takes_zero) return TG_OK;
  tg_node f = model->objective;
  if (model->plan->degree != 2) TG_TRY(with_numbers(job, model, &f));
  return tg_precondition_model(model->graph, f, model->n_variables, model->symbols, &m->quadratic);
}

// One diagonal for each variable, or none at all.
static tg_status find_diagonals(const tg_model *model, tg_method *m)
{
  tg_free(m->diagonals);
  m->diagonals = NULL;
  m->n_diagonals = 0;
  TG_TRY(TG_NEW(model->n_variables, &m->diagonals));
  if (m->quadratic == TG_NONE) return TG_OK;
  for (int k = 0; k < model->n_variables; k++) {
    TG_TRY(tg_precondition_diagonal(model->graph, m->quadratic, model->symbols[k], &m->diagonals[k]));
    if (m->diagonals[k] == TG_NONE) return TG_OK;
  }
  m->n_diagonals = model->n_variables;
  return TG_OK;
}

// The terms of the Hessian at the point: found with a symbol for the point, beside the variable that stands for the
// direction, and then written with the variable.
static tg_status find_moving_terms(const tg_job *job, const tg_model *model, tg_method *m)
{
  tg_graph *graph = model->graph;
  const tg_symbol x = *tg_symbol_info(graph, model->symbols[0]);
  const char name[] = "P#"; // a name that no user can write
  const unsigned domain = job->variables[0].domain;
  int32_t symbol = tg_symbol_find(graph, name);
  tg_node points[2] = {TG_NONE, TG_NONE}; // as a symbol, as the variable
  tg_node quadratic = TG_NONE;
  tg_node f = TG_NONE;
  m->n_moving = 0;
  TG_TRY(with_numbers(job, model, &f));
  if (symbol < 0) TG_TRY(tg_symbol_add(graph, name, x.rows, x.cols, domain, domain == 0, &symbol));
  TG_TRY(tg_make_sym(graph, symbol, &points[0]));
  TG_TRY(tg_make_sym(graph, model->symbols[0], &points[1]));
  TG_TRY(tg_precondition_model_at(graph, f, 1, model->symbols, points, &quadratic));
  if (quadratic == TG_NONE || !tg_node_depends_on(graph, quadratic, symbol)) return TG_OK;
  TG_TRY(tg_precondition_terms(graph, quadratic, model->symbols[0], TG_METHOD_TERMS, &m->n_moving, m->moving));
  for (int k = 0; k < m->n_moving; k++) {
    tg_node *factors[2] = {&m->moving[k].left, &m->moving[k].right};
    for (int side = 0; side < 2; side++)
      if (*factors[side] != TG_NONE)
        TG_TRY(tg_substitute(graph, *factors[side], 1, &symbol, &points[1], factors[side]));
  }
  return TG_OK;
}

// Under a logdet there is no Hessian at zero: the terms are those of the point from the beginning.
static tg_status find_logdet_terms(const tg_job *job, const tg_model *model, tg_method *m)
{
  tg_node f = TG_NONE;
  TG_TRY(with_numbers(job, model, &f));
  TG_TRY(tg_method_find_logdet(job, model, f, m));
  if (!(m->logdet > 0)) return TG_OK;
  TG_TRY(find_moving_terms(job, model, m));
  m->n_terms = m->n_moving;
  memcpy(m->terms, m->moving, sizeof m->moving);
  return TG_OK;
}

static tg_status find_terms(const tg_job *job, const tg_model *model, tg_method *m)
{
  m->n_terms = 0;
  TG_TRY(find_logdet_terms(job, model, m));
  if (m->quadratic == TG_NONE || model->n_variables != 1) return TG_OK;
  TG_TRY(tg_precondition_terms(model->graph, m->quadratic, model->symbols[0], TG_METHOD_TERMS, &m->n_terms, m->terms));
  return m->n_terms > 0 ? find_moving_terms(job, model, m) : TG_OK;
}

// What auto leaves out where the Hessian has weights, by symbols. The diagonal has nothing to mend but weights that
// stand in it: on masked least squares it takes up to 1.5 times the iterations of none. Diagonal terms alone are served
// by it at once. And terms that stand in for weights have factors on both sides, which must be no larger than the data.
static tg_status drop_by_weights(const tg_model *model, tg_method *m)
{
  m->n_weights = 0;
  m->weighting = TG_WEIGHTS_NONE;
  for (int k = 0; m->quadratic != TG_NONE && k < model->n_variables; k++) {
    tg_weights weighting = TG_WEIGHTS_NONE;
    TG_TRY(tg_precondition_weights(model->graph, m->quadratic, model->symbols[k], TG_METHOD_TERMS, &weighting,
                                   &m->n_weights, m->weights));
    if (weighting > m->weighting) m->weighting = weighting;
  }
  if (m->weighting == TG_WEIGHTS_INSIDE) m->n_diagonals = 0;
  if (m->weighting == TG_WEIGHTS_NONE) return TG_OK;
  bool all_diagonal = true;
  for (int k = 0; k < m->n_terms; k++)
    all_diagonal = all_diagonal && tg_precondition_is_diagonal(model->graph, &m->terms[k]);
  const bool is_large = m->n_terms > 0 && !all_diagonal && !has_room(model->plan);
  if (is_large)
    snprintf(m->preconditioner, sizeof m->preconditioner,
             "none: the factors of kronecker with separable weights are larger than the data");
  if (is_large || all_diagonal) m->n_terms = 0;
  if (m->n_terms == 0) return TG_OK;
  return tg_precondition_mismatch(model->graph, m->quadratic, model->symbols[0], &m->mismatch);
}

int tg_method_kronecker_nodes(const tg_method *method, tg_node *nodes)
{
  int n = 0;
  for (int k = 0; k < method->n_terms; k++) {
    nodes[n++] = method->terms[k].left;
    nodes[n++] = method->terms[k].right;
  }
  for (int k = 0; k < method->n_weights; k++) nodes[n++] = method->weights[k];
  if (method->n_weights > 0) nodes[n++] = method->mismatch;
  return n;
}

// Whether it is taken, the numbers decide.
static void add_offer(const tg_model *model, tg_method *m)
{
  const size_t used = strlen(m->reason);
  snprintf(m->reason + used, sizeof m->reason - used, "; the Hessian%s offers a preconditioner",
           model->plan->degree == 2 ? "" : " at zero");
}

// The step that has no use for a preconditioner, NULL where there is one.
static const char *step_without_metric(const tg_job *job, const tg_method *m)
{
  static const char two_point[] = "barzilai-borwein";
  const bool is_newton = job->solver.method == 0 || job->solver.method == tg_method_index("newton-cg") ||
                         job->solver.method == tg_method_index("conjugate-gradient");
  if (tg_penalty_any(job) && !is_newton) return "the proximal step of norm1";
  return strcmp(opt_option_choices(OPT_KIND_METHOD)[m->options.method], two_point) == 0 ? two_point : NULL;
}

tg_status tg_method_choose_preconditioner(tg_job *job, const tg_model *model, tg_method *m)
{
  const int wish = m->options.preconditioner;
  if (tg_method_is_direct(&m->options) || wish == OPT_PRECONDITIONER_NONE) return TG_OK;
  const char *without = step_without_metric(job, m);
  if (without != NULL && wish != OPT_PRECONDITIONER_AUTO)
    TG_FAIL_NODE(tg_job_solver_node(job, "preconditioner"), TG_UNSUPPORTED,
                 "preconditioner %s: %s has no use for one; take auto or none",
                 opt_option_choices(OPT_KIND_PRECONDITIONER)[wish], without);
  if (without != NULL) return TG_OK;
  TG_TRY(find_quadratic(job, model, m));
  TG_TRY(find_diagonals(model, m));
  // Who names a method wants that method: auto adds what costs nothing, the diagonal of a quadratic.
  if (wish == OPT_PRECONDITIONER_KRONECKER || job->solver.method == 0) TG_TRY(find_terms(job, model, m));
  if (wish == OPT_PRECONDITIONER_AUTO && model->plan->degree != 2) m->n_diagonals = 0; // costs more than it gains
  if (wish == OPT_PRECONDITIONER_AUTO && model->plan->degree != 2 && m->n_moving == 0) m->n_terms = 0; // soon outdated
  if (wish == OPT_PRECONDITIONER_AUTO) TG_TRY(drop_by_weights(model, m));
  const char *why = m->quadratic == TG_NONE
                        ? "the objective is not quadratic and has no Hessian at zero to take it from"
                        : "the Hessian action is not a sum of products L*V*R";
  if (wish == OPT_PRECONDITIONER_DIAGONAL && m->n_diagonals == 0)
    TG_FAIL_NODE(tg_job_solver_node(job, "preconditioner"), TG_UNSUPPORTED,
                 "preconditioner diagonal: %s; take auto or none", why);
  if (wish == OPT_PRECONDITIONER_KRONECKER && m->n_terms == 0)
    TG_FAIL_NODE(tg_job_solver_node(job, "preconditioner"), TG_UNSUPPORTED,
                 "preconditioner kronecker: %s; take auto or none",
                 m->quadratic != TG_NONE ? "no term of the Hessian action of one variable has symmetric factors" : why);
  if (wish == OPT_PRECONDITIONER_DIAGONAL) m->n_terms = 0;
  if (wish == OPT_PRECONDITIONER_KRONECKER) m->n_diagonals = 0;
  if (job->solver.method == 0 && m->n_terms + m->n_diagonals > 0) add_offer(model, m);
  return TG_OK;
}

// ---- pairs of l-bfgs ----

// The flops of an iteration on one rank, as those on any number: the iterations must not depend on the ranks.
static tg_status choose_pairs(const tg_model *model, tg_method *m)
{
  const tg_cost_grid one_rank = {.rows = 1, .cols = 1, .block = 64, .threads = 1};
  const tg_cost_machine machine = tg_cost_machine_default();
  const tg_plan *plan = model->plan;
  double dimension = 0;
  tg_cost iteration;
  if (m->options.memory > 0) return TG_OK;
  for (int32_t k = 0; k < plan->n_variables; k++)
    dimension += (double)plan->variables[k].rows * (double)plan->variables[k].cols;
  TG_TRY(tg_plan_iteration_cost(plan, &one_rank, &machine, &iteration));
  m->options.memory = opt_automatic_pairs(iteration.flops, dimension);
  return TG_OK;
}

// ---- groups ----

// l-bfgs tells groups apart, also under bounds, and what steps by the line polynomial of a quadratic.
void tg_method_count_groups(const tg_job *job, const tg_model *model, tg_method *m)
{
  const int degree = model->plan->has_line ? model->plan->degree : -1;
  const char *name = opt_resolved_method(&m->options, degree);
  const bool is_exact = strcmp(opt_resolved_line_search(&m->options, degree), "exact") == 0;
  const bool steps_apart = degree == 2 && is_exact && model->plan->has_hessian && !is_constrained(job);
  const bool is_bounded = is_constrained(job) && m->options.method == 0;
  m->n_groups = 1;
  if (strcmp(name, "l-bfgs") != 0 && !steps_apart && !is_bounded) return;
  m->n_groups = model->n_groups < TG_GROUPS_MAX ? model->n_groups : TG_GROUPS_MAX;
}

tg_status tg_method_choose(tg_job *job, const tg_model *model, tg_method **out)
{
  *out = NULL;
  tg_method *m = NULL;
  TG_TRY(TG_NEW(1, &m));
  m->options = job->solver;
  if (!model->plan->has_hessian) m->options.examines = OPT_EXAMINE_NEVER;
  m->options.is_convex = model->is_convex;
  for (int k = 0; k < job->n_variables; k++)
    if ((job->variables[k].domain & TG_SPD) != 0) m->options.has_border = true;
  snprintf(m->preconditioner, sizeof m->preconditioner, "none");
  tg_status status = choose_method(job, model, m);
  if (status == TG_OK) status = tg_method_choose_preconditioner(job, model, m);
  if (status == TG_OK) status = choose_pairs(model, m);
  if (status == TG_OK) tg_method_count_groups(job, model, m);
  if (status != TG_OK) {
    tg_method_destroy(&m);
    return tg_error_pass(status, TG_HERE);
  }
  *out = m;
  return TG_OK;
}

void tg_method_print_groups(const tg_method *method, const tg_model *model, const char *label, tg_text *out)
{
  if (method->n_groups == 1) return;
  tg_text_addf(out, "%s%" PRId64 ", for the objective is a sum over ", label, method->n_groups);
  tg_model_describe_groups(model, out);
  tg_text_addf(out, "\n");
}

void tg_method_print(const tg_method *method, const tg_model *model, tg_text *out)
{
  const int degree = model->plan->has_line ? model->plan->degree : -1;
  tg_text_addf(out, "  method    %s\n", method->reason);
  if (tg_method_is_direct(&method->options)) return;
  tg_text_addf(out, "  search    %s\n", opt_resolved_line_search(&method->options, degree));
  if (strstr(opt_resolved_method(&method->options, degree), "l-bfgs") != NULL)
    tg_text_addf(out, "  memory    %" PRId64 " pairs\n", opt_pairs(&method->options));
  tg_method_print_groups(method, model, "  groups    ", out);
  const char *where = model->plan->degree == 2 ? "" : " at zero";
  if (method->n_terms > 0)
    tg_text_addf(out, "  precond.  kronecker: the Hessian%s in the bases of its dominant terms\n", where);
  else if (method->n_diagonals > 0)
    tg_text_addf(out, "  precond.  diagonal, of the Hessian%s\n", where);
}

void tg_method_destroy(tg_method **method)
{
  tg_method *m = *method;
  if (m == NULL) return;
  tg_direct_destroy(&m->direct);
  tg_direct_destroy(&m->kronecker);
  tg_metric_destroy(&m->metric);
  tg_dmat_destroy(&m->half);
  tg_workspace_destroy(&m->workspace);
  tg_free(m->diagonals);
  tg_free(m->by);
  tg_free(m);
  *method = NULL;
}
