// The numbers of a method: the ways of its strategy tried in their order, what they need evaluated and factorised.
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "engine/method/method_parts.h"
#include "engine/model/constants.h"
#include "grad/plan/closed_cost.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/space/space.h"

typedef tg_method_numbers numbers;

static void destroy_all(int n, tg_dmat **matrices)
{
  for (int k = 0; k < n; k++) tg_dmat_destroy(&matrices[k]);
}

// The nodes as matrices. In a sweep they stay the values', by which points know what they share; else *values is NULL,
// and all that made them is free again. Given back by release.
static tg_status evaluate(const numbers *by, int n, const tg_node *nodes, tg_dmat **matrices, tg_values **values)
{
  const tg_plan_data *x = &by->model->plan->variables[0];
  *values = NULL;
  if (by->task->share == NULL)
    return tg_constants_evaluate(by->task, by->model, by->grid, by->data, by->x, n, nodes, matrices, by->products);
  TG_TRY(tg_values_create(by->task, by->model, by->grid, by->data, by->x, n, nodes, values));
  TG_TRY(tg_values_evaluate(*values));
  for (int k = 0; k < n; k++) matrices[k] = tg_values_matrix_of(*values, k);
  *by->products += tg_values_product_units(*values, 2 * pow(fmax((double)x->rows, (double)x->cols), 3));
  return TG_OK;
}

static void release(int n, tg_dmat **matrices, tg_values **values)
{
  if (*values == NULL) destroy_all(n, matrices);
  tg_values_destroy(values);
}

// m->kronecker of a closed form; extras are matrices already, two for each extra of the plan.
static tg_status evaluate_form(const numbers *by, const tg_closed_form *form, int n_extras,
                               const tg_closed_extra *extras, tg_dmat *const *extra_matrices, tg_method *m)
{
  tg_closed_plan plan;
  tg_node nodes[TG_CLOSED_MATRICES];
  tg_dmat *matrices[TG_CLOSED_MATRICES + 2 * TG_CLOSED_EXTRAS] = {NULL};
  tg_values *values = NULL;
  TG_TRY(tg_agree(by->grid->comm, tg_closed_form_plan(by->model->graph, form, &plan)));
  tg_closed_form_nodes(form, nodes);
  plan.n_extras = n_extras;
  for (int k = 0; k < n_extras; k++) plan.extras[k] = extras[k];
  for (ptrdiff_t k = 0; k < (ptrdiff_t)2 * n_extras; k++) matrices[TG_CLOSED_MATRICES + k] = extra_matrices[k];
  tg_status status = evaluate(by, TG_CLOSED_MATRICES, nodes, matrices, &values);
  if (status == TG_OK)
    status = by->task->share != NULL && plan.kind == TG_CLOSED_SPECTRAL
                 ? tg_method_make_spectral(by, &plan, values, matrices, &m->kronecker)
                 : tg_direct_create(by->grid, &plan, matrices, &m->kronecker);
  m->kronecker_plan = plan;
  release(TG_CLOSED_MATRICES, matrices, &values);
  return status;
}

// Of a singular matrix the last pivots are rounding, and half of those are positive: its factorisation may pass.
static tg_status refuse_singular(const tg_method *m, tg_dmat *const *matrices)
{
  static const char *const names[2] = {"left", "right"};
  for (int side = 0; side < 2; side++) {
    const tg_dmat *factor = matrices[side * TG_CLOSED_PARTS + TG_CLOSED_BASE];
    double condition = 1;
    if (factor == NULL) continue;
    TG_TRY(tg_direct_scaled_condition(m->direct, side, factor, &condition));
    if (8 * (double)factor->rows * DBL_EPSILON * condition < 1) continue;
    TG_FAIL(TG_NUMERIC,
            "the %s factor of the Hessian action (%lld x %lld) is singular up to rounding: with a diagonal of ones its "
            "condition is %.1e",
            names[side], (long long)factor->rows, (long long)factor->rows, condition);
  }
  return TG_OK;
}

// The closed form of a least-squares problem: by Cholesky factors, or by orthogonal ones where these would lose too
// much. Between the rounds of subject_to the linear term changes, and orthogonal factors hold it.
static tg_status make_closed(const numbers *by, tg_method *m)
{
  const tg_closed_form *form = &m->strategy->form;
  const int side = form->stack.side;
  const bool has_stack = tg_method_may_be_orthogonal(m) && by->model->constraints == NULL;
  tg_closed_plan plan;
  tg_node nodes[TG_CLOSED_MATRICES];
  tg_dmat *matrices[TG_CLOSED_MATRICES];
  double gram = HUGE_VAL;
  TG_TRY(tg_agree(by->grid->comm, tg_closed_form_plan(by->model->graph, form, &plan)));
  tg_closed_form_nodes(form, nodes);
  tg_status status = tg_constants_evaluate(by->task, by->model, by->grid, by->data, by->x, TG_CLOSED_MATRICES, nodes,
                                           matrices, by->products);
  if (status == TG_OK) status = tg_direct_create(by->grid, &plan, matrices, &m->direct);
  if (status == TG_OK && has_stack)
    status = tg_direct_scaled_condition(m->direct, side, matrices[side * TG_CLOSED_PARTS + TG_CLOSED_BASE], &gram);
  else if (status == TG_OK && form->kind == TG_CLOSED_CHOLESKY && by->model->constraints == NULL)
    status = refuse_singular(m, matrices);
  destroy_all(TG_CLOSED_MATRICES, matrices);
  if (!has_stack || (status != TG_OK && status != TG_NUMERIC)) return status;
  if (status == TG_OK && gram < TG_METHOD_WORST_GRAM) return TG_OK;
  tg_error_clear();
  return tg_method_make_orthogonal(by, gram, m);
}

static tg_status prepare_direct(const numbers *by, tg_method *m)
{
  TG_TRY(tg_method_make_shared(by, m, &m->is_shared));
  if (!m->is_shared) TG_TRY(make_closed(by, m));
  static const char *const names[] = {[TG_CLOSED_NONE] = "",
                                      [TG_CLOSED_CHOLESKY] = "Cholesky factorisations",
                                      [TG_CLOSED_SPECTRAL] = "symmetric eigenproblems",
                                      [TG_CLOSED_INVERSE] = "an inverse by Cholesky",
                                      [TG_CLOSED_EIGENVECTORS] = "eigenvectors",
                                      [TG_CLOSED_POLAR] = "a polar factor"};
  const tg_closed_kind kind = m->is_shared ? TG_CLOSED_SPECTRAL : m->strategy->form.kind;
  m->closed = (opt_closed_form){.name = names[kind], .solve = tg_direct_solve, .self = m->direct};
  m->options.closed_form = &m->closed;
  return TG_OK;
}

// The sum of the eigenvalues of V -> c L V R.
static tg_status weigh(const tg_model *model, const tg_closed_group *term, tg_dmat *const *matrices, double *out)
{
  const tg_plan_data *x = &model->plan->variables[0];
  double traces[2] = {(double)x->rows, (double)x->cols};
  for (int side = 0; side < 2; side++)
    if (matrices[side] != NULL) TG_TRY(tg_dmat_trace(matrices[side], &traces[side]));
  *out = term->coef * traces[0] * traces[1];
  return TG_OK;
}

// The heaviest terms first.
static tg_status sort_terms(const tg_model *model, tg_dmat **matrices, tg_offer *offer)
{
  double weights[TG_STRATEGY_TERMS];
  tg_closed_group *terms = offer->terms;
  for (ptrdiff_t k = 0; k < offer->n_terms; k++) TG_TRY(weigh(model, &terms[k], &matrices[2 * k], &weights[k]));
  for (ptrdiff_t k = 1; k < offer->n_terms; k++)
    for (ptrdiff_t i = k; i > 0 && weights[i] > weights[i - 1]; i--) {
      const double weight = weights[i];
      const tg_closed_group term = terms[i];
      tg_dmat *const pair[2] = {matrices[2 * i], matrices[2 * i + 1]};
      weights[i] = weights[i - 1];
      terms[i] = terms[i - 1];
      memcpy(&matrices[2 * i], &matrices[2 * i - 2], sizeof pair);
      weights[i - 1] = weight;
      terms[i - 1] = term;
      memcpy(&matrices[2 * i - 2], pair, sizeof pair);
    }
  return TG_OK;
}

// H in the bases that make the terms first and second diagonal, the others by their diagonals there. Numbers that
// refuse are no failure: kronecker stays NULL.
//
// Bit k of *fits: its term k, in its own order, stands in for weights.
static tg_status try_pair(const numbers *by, int first, int second, const tg_offer *offer, tg_dmat **matrices,
                          tg_method *m, unsigned *fits)
{
  const tg_closed_group *terms = offer->terms;
  const tg_closed_group pair[2] = {terms[first], terms[second]};
  tg_closed_extra extras[TG_STRATEGY_TERMS];
  tg_dmat *extra_matrices[2 * TG_STRATEGY_TERMS];
  int n_extras = 0;
  tg_closed_form form;
  TG_TRY(tg_agree(by->grid->comm, tg_closed_form_of_groups(by->model->graph, by->model->symbols[0], 2, pair, &form)));
  if (form.kind == TG_CLOSED_NONE) return TG_OK;
  *fits = (pair[0].is_fit ? 1U : 0) | (pair[1].is_fit ? 2U : 0);
  for (ptrdiff_t k = 0; k < offer->n_terms; k++) {
    const tg_closed_extra extra = {terms[k].coef, {matrices[2 * k] != NULL, matrices[2 * k + 1] != NULL}};
    const bool is_lost =
        (extra.has[0] && form.sides[0].base == TG_NONE) || (extra.has[1] && form.sides[1].base == TG_NONE);
    if (k == first || k == second || is_lost) continue;
    if (terms[k].is_fit) *fits |= 4U << n_extras;
    memcpy(&extra_matrices[2 * (ptrdiff_t)n_extras], &matrices[2 * k], 2 * sizeof *matrices);
    extras[n_extras++] = extra;
  }
  const tg_status status = evaluate_form(by, &form, n_extras, extras, extra_matrices, m);
  if (status != TG_NUMERIC) return status;
  tg_error_clear();
  return TG_OK;
}

// One term alone by its Cholesky factors.
static tg_status try_single(const numbers *by, ptrdiff_t k, const tg_offer *offer, tg_dmat **matrices, tg_method *m)
{
  const tg_plan_data *x = &by->model->plan->variables[0];
  if (matrices[2 * k] == NULL && matrices[2 * k + 1] == NULL) return TG_OK;
  const tg_closed_plan plan = {
      .kind = TG_CLOSED_CHOLESKY, .rows = x->rows, .cols = x->cols, .scale = offer->terms[k].coef};
  tg_dmat *const factors[TG_CLOSED_MATRICES] = {[TG_CLOSED_BASE] = matrices[2 * k],
                                                [TG_CLOSED_PARTS + TG_CLOSED_BASE] = matrices[2 * k + 1]};
  const tg_status status = tg_direct_create(by->grid, &plan, factors, &m->kronecker);
  m->kronecker_plan = plan;
  if (status != TG_NUMERIC) return status;
  tg_error_clear();
  return TG_OK;
}

static bool is_auto(const numbers *by)
{
  return by->task->spec->solver.preconditioner == OPT_PRECONDITIONER_AUTO;
}

// Under auto a stand-in for weights has to earn its products, and so has a Hessian at zero for l-bfgs; once it is taken
// it stays.
static tg_status keep_if_it_pays(const numbers *by, const tg_kronecker_judgement *judgement, const tg_offer *offer,
                                 tg_dmat **matrices, tg_method *m)
{
  bool pays = true;
  if (!is_auto(by) || by->x != NULL) return TG_OK;
  if (by->model->plan->degree != 2) pays = tg_method_loss_pays(by->model, m, judgement);
  if (pays && offer->n_weights > 0)
    TG_TRY(tg_method_weights_pay(by->model, m, judgement, offer->n_weights, matrices + 2 * (ptrdiff_t)offer->n_terms,
                                 &pays));
  if (pays || m->verdict.from > 0) return TG_OK;
  m->products += (double)tg_direct_products(m->kronecker);
  tg_direct_destroy(&m->kronecker);
  return TG_OK;
}

// Two terms where that serves, the heaviest ones that do; else one. Where the heaviest of them all is a weight in the
// diagonal of H, that diagonal is the better preconditioner: exact there, where separable weights are not.
static tg_status make_kronecker(const numbers *by, tg_offer *offer, tg_dmat **matrices, tg_method *m)
{
  unsigned fits = 0;
  tg_kronecker_judgement judgement = {.share = 1, .is_spectral = true};
  TG_TRY(sort_terms(by->model, matrices, offer));
  if (is_auto(by) && offer->n_diagonals > 0 && offer->terms[0].is_fit &&
      tg_precondition_is_diagonal(by->model->graph, &offer->terms[0]))
    return TG_OK;
  for (int first = 0; first < offer->n_terms && m->kronecker == NULL; first++)
    for (int second = first + 1; second < offer->n_terms && m->kronecker == NULL; second++)
      TG_TRY(try_pair(by, first, second, offer, matrices, m, &fits));
  if (m->kronecker != NULL) {
    judgement.condition = tg_direct_condition(m->kronecker);
    TG_TRY(tg_direct_share(m->kronecker, fits, &judgement.share));
    return keep_if_it_pays(by, &judgement, offer, matrices, m);
  }
  ptrdiff_t k = 0;
  while (k < offer->n_terms && m->kronecker == NULL) TG_TRY(try_single(by, k++, offer, matrices, m));
  if (m->kronecker == NULL || (offer->n_weights == 0 && by->model->plan->degree == 2)) return TG_OK;
  k--;
  judgement.is_spectral = false;
  TG_TRY(tg_direct_estimate_condition(m->kronecker, matrices[2 * k], matrices[2 * k + 1], &judgement.condition));
  return keep_if_it_pays(by, &judgement, offer, matrices, m);
}

// What it takes to make the preconditioner of a point, in iterations that apply it twice.
static void note_price(const tg_model *model, const tg_values *values, tg_method *m)
{
  tg_program_id programs[3];
  const int n = tg_plan_iteration_programs(model->plan, programs);
  double iteration = 2 * tg_closed_flops(&m->kronecker_plan, TG_CLOSED_USE);
  for (int k = 0; k < n; k++) iteration += tg_program_flops(model->plan, programs[k]);
  m->renewal_price = (tg_values_flops(values) + tg_closed_flops(&m->kronecker_plan, TG_CLOSED_MAKE)) / iteration;
}

// The offer is the caller's copy: its terms are sorted.
static tg_status evaluate_kronecker(const numbers *by, tg_offer *offer, tg_method *m)
{
  tg_node nodes[TG_STRATEGY_NODES];
  tg_dmat *matrices[TG_STRATEGY_NODES] = {NULL};
  tg_values *values = NULL;
  const int n = tg_offer_nodes(offer, nodes);
  tg_status status = evaluate(by, n, nodes, matrices, &values);
  if (status == TG_OK) status = make_kronecker(by, offer, matrices, m);
  if (status == TG_OK && m->kronecker != NULL && by->x != NULL && values != NULL) note_price(by->model, values, m);
  release(n, matrices, &values);
  return status;
}

static tg_status apply_kronecker(void *self, const opt_point *r, opt_point *z)
{
  const tg_method *m = self;
  TG_TRY(tg_direct_apply(m->kronecker, r, z));
  // Among symmetric matrices: M need not commute with transposition, and rounding does not either.
  return m->workspace != NULL ? tg_dmat_symmetrise(m->workspace, tg_space_block(z, 0)) : TG_OK;
}

// The Hessian at x in the place of the one before. Where that has no positive definite terms the old one stays.
static tg_status renew_kronecker(void *self, const opt_point *x, bool *is_new)
{
  tg_method *m = self;
  numbers by;
  tg_direct *before = m->kronecker;
  tg_offer offer = m->strategy->offer;
  TG_TRY(tg_method_metric_renew(m->by, m, x, &by));
  m->kronecker = NULL;
  offer.n_weights = 0; // judged when it was made
  offer.n_terms = offer.n_moving;
  memcpy(offer.terms, offer.moving, sizeof offer.moving);
  const tg_status status = evaluate_kronecker(&by, &offer, m);
  *is_new = status == TG_OK && m->kronecker != NULL;
  tg_method_metric_leave(m, &by, *is_new);
  if (!*is_new) {
    tg_direct_destroy(&m->kronecker);
    m->kronecker = before;
    return status;
  }
  m->products += (double)tg_direct_products(before);
  tg_direct_destroy(&before);
  return TG_OK;
}

// ---- revised ----

// How much a forecast may be exceeded before it counts as wrong.
static const double wrong = 3;

static int64_t whole_iterations(double iterations)
{
  return iterations < 1e9 ? (int64_t)ceil(iterations) : 0;
}

void tg_method_plan_revision(const tg_method_forecast *f, bool pays, tg_method *m)
{
  const double with = f->with * (f->action + f->apply) + f->made;
  m->verdict.from = pays ? 0 : whole_iterations(fmax(wrong * f->iterations, with / f->action));
  m->verdict.until =
      pays ? whole_iterations(fmax(wrong * f->with, f->iterations * f->action / (f->action + f->apply))) : 0;
}

// The one that would not pay, taken after all.
static tg_status take_late(void *self, const opt_point *x, bool *is_new)
{
  tg_method *m = self;
  const bool is_first = m->verdict.revisions == 0;
  *is_new = is_first;
  m->verdict.revisions = 1;
  if (m->strategy->offer.n_moving > 0) TG_TRY(renew_kronecker(self, x, is_new));
  *is_new = *is_new || is_first; // a resumed run has to know
  return TG_OK;
}

static void drop_kronecker(void *self)
{
  tg_method *m = self;
  m->verdict.revisions = 1;
}

// Near a minimum what was made there serves longer: at least as long as it takes to make another one.
static int64_t late_renewal(const tg_method *m)
{
  enum { LATE = 18 };
  return (int64_t)fmax(LATE, ceil(m->renewal_price));
}

// The preconditioner that was made; one whose terms depend on the point will be renewed.
static tg_status use_kronecker(const numbers *by, tg_method *m)
{
  m->preconditioning = (opt_preconditioner){.name = "kronecker",
                                            .apply = apply_kronecker,
                                            .from = m->verdict.from,
                                            .until = m->verdict.until,
                                            .renew = m->verdict.from > 0 ? take_late : NULL,
                                            .drop = drop_kronecker,
                                            .self = m};
  m->options.preconditioning = &m->preconditioning;
  if (m->strategy->offer.n_moving == 0) return TG_OK;
  TG_TRY(tg_agree(by->grid->comm, TG_NEW(1, &m->by)));
  *m->by = *by;
  if (m->verdict.from > 0) return TG_OK;
  m->preconditioning.renew = renew_kronecker;
  if (m->begins_near) m->preconditioning.first_renewal = late_renewal(m);
  return TG_OK;
}

// Near a minimum the Hessian there is the one that counts, not that at zero, where runs of their own begin.
static tg_status make_at_start(const numbers *without, tg_method *m)
{
  numbers by;
  tg_offer offer = m->strategy->offer;
  if (offer.n_moving == 0 || m->point == NULL) return TG_OK;
  TG_TRY(tg_method_metric_enter(without, m, &by));
  offer.n_weights = 0;
  offer.n_terms = offer.n_moving;
  memcpy(offer.terms, offer.moving, sizeof offer.moving);
  const tg_status status = evaluate_kronecker(&by, &offer, m);
  tg_method_metric_leave(m, &by, status == TG_OK && m->kronecker != NULL);
  return status;
}

static tg_status try_kronecker(const numbers *without, tg_method *m, bool *holds)
{
  tg_offer offer = m->strategy->offer;
  numbers by = *without;
  // Under a logdet the terms are those of a point.
  if (offer.logdet > 0 && m->point == NULL) return TG_OK;
  if (offer.logdet > 0) by.x = m->point;
  if (m->begins_near) TG_TRY(make_at_start(without, m));
  if (m->kronecker == NULL) TG_TRY(evaluate_kronecker(&by, &offer, m));
  *holds = m->kronecker != NULL;
  if (*holds) return use_kronecker(&by, m);
  if (offer.n_weights > 0 && m->verdict.note == TG_PRECONDITIONER_NOTE_NOTHING)
    m->verdict.note = TG_PRECONDITIONER_NOTE_NO_TERM;
  tg_error_set(TG_NUMERIC, TG_HERE,
               "preconditioner kronecker: no term of the Hessian action has positive definite factors; take diagonal "
               "or none");
  return TG_OK;
}

static tg_status try_diagonal(const numbers *by, tg_method *m, bool *holds)
{
  const tg_offer *offer = &m->strategy->offer;
  tg_dmat **matrices = NULL;
  *holds = offer->diagonals_follow;
  if (*holds) return tg_method_follow_diagonal(by, m);
  TG_TRY(tg_agree_memory(by->grid->comm, TG_NEW(offer->n_diagonals, &matrices), &matrices));
  tg_status status = tg_constants_evaluate(by->task, by->model, by->grid, by->data, by->x, offer->n_diagonals,
                                           offer->diagonals, matrices, by->products);
  if (status == TG_OK)
    status = tg_diagonal_create(by->grid, offer->n_diagonals, (const tg_dmat *const *)matrices, &m->diagonal);
  destroy_all(offer->n_diagonals, matrices);
  tg_free(matrices);
  if (status == TG_NUMERIC) return TG_OK;
  TG_TRY(status);
  m->preconditioning = (opt_preconditioner){.name = "diagonal", .apply = tg_diagonal_apply, .self = m->diagonal};
  m->options.preconditioning = &m->preconditioning;
  *holds = true;
  return TG_OK;
}

static void discard_direct(tg_method *m)
{
  if (m->direct == NULL) return;
  m->products += (double)tg_direct_products(m->direct);
  tg_direct_destroy(&m->direct);
  m->options.closed_form = NULL;
}

// If the closed form does not stand, the error record says why.
static tg_status try_direct(const numbers *by, tg_method *m, bool *holds)
{
  const tg_status status = prepare_direct(by, m);
  const bool is_inverse = m->strategy->form.kind == TG_CLOSED_INVERSE;
  if (status != TG_OK && status != TG_NUMERIC) return status;
  *holds = status == TG_OK;
  if (!*holds) discard_direct(m);
  if (!is_inverse || (*holds && tg_direct_pivot_ratio(m->direct) > TG_METHOD_SURE_PIVOTS)) return TG_OK;
  const tg_error kept = *tg_error_get();
  TG_TRY(tg_method_find_ray(by, m));
  if (*holds && m->options.ray == NULL) return TG_OK;
  if (*holds) {
    discard_direct(m);
    tg_error_set(TG_NUMERIC, TG_HERE, "S of tr(S*X) - logdet(X) is singular");
  } else {
    *tg_error_get() = kept;
  }
  *holds = false;
  return TG_OK;
}

// ---- the signs of data ----

static int find_matrix(const numbers *by, int32_t symbol)
{
  const tg_plan *plan = by->model->plan;
  const char *name = tg_symbol_info(by->model->graph, symbol)->name;
  for (int32_t k = 0; k < plan->n_data; k++)
    if (strcmp(plan->data[k].name, name) == 0) return k;
  return -1;
}

static tg_status is_nonnegative(const tg_grid *grid, const tg_dmat *matrix, bool *out)
{
  double lowest = 0;
  for (int64_t j = 0; j < matrix->local_cols; j++)
    for (int64_t i = 0; i < matrix->local_rows; i++) {
      const double entry = matrix->data[i + j * matrix->ld];
      lowest = entry >= lowest ? lowest : isnan(entry) ? -HUGE_VAL : entry;
    }
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, &lowest, 1, MPI_DOUBLE, MPI_MIN, grid->comm));
  *out = lowest == 0;
  return TG_OK;
}

// A loss may be convex by the signs of its data alone: of the weights of its samples, say.
static tg_status check_signs(const numbers *by, tg_method *m, bool *out)
{
  const tg_strategy *s = m->strategy;
  *out = true;
  for (int k = 0; k < s->n_signed && *out; k++) {
    const int datum = find_matrix(by, s->signed_symbols[k]);
    *out = datum >= 0;
    if (*out) TG_TRY(is_nonnegative(by->grid, by->data[datum], out));
  }
  m->verdict.has_signs = *out && s->n_signed > 0;
  return TG_OK;
}

// ---- the ways ----

// *holds: all that the way needs is made. If not, the error record may say why.
static tg_status try_way(const numbers *by, const tg_way *way, tg_method *m, bool *holds)
{
  *holds = false;
  if ((way->conditions & TG_IF_NONNEGATIVE) != 0) {
    bool has_signs = false;
    TG_TRY(check_signs(by, m, &has_signs));
    if (!has_signs) return TG_OK;
  }
  if (tg_way_is_direct(way)) return try_direct(by, m, holds);
  switch (way->preconditioner) {
  case TG_PRECONDITIONER_LOGDET:
    return tg_method_prepare_logdet(by, m, holds);
  case TG_PRECONDITIONER_KRONECKER:
    return try_kronecker(by, m, holds);
  case TG_PRECONDITIONER_DIAGONAL:
    return try_diagonal(by, m, holds);
  case TG_PRECONDITIONER_NONE:
    break;
  }
  *holds = true;
  return TG_OK;
}

tg_status tg_method_prepare(const tg_task *task, tg_model *model, const tg_grid *grid, tg_dmat *const *data,
                            tg_method *m)
{
  const numbers by = {.task = task, .model = model, .grid = grid, .data = data, .products = &m->products};
  const tg_strategy *s = m->strategy;
  tg_error refusal = {.code = TG_OK};
  bool holds = false;
  if (!tg_way_is_direct(&s->ways[0])) TG_TRY(tg_method_find_ray(&by, m));
  for (int k = 0; k < s->n_ways && !holds; k++) {
    TG_TRY(try_way(&by, &s->ways[k], m, &holds));
    if (holds) tg_method_take(m, k);
    if (tg_error_get()->code == TG_OK) continue;
    refusal = *tg_error_get();
    tg_error_clear();
    if (tg_way_is_direct(&s->ways[k]))
      snprintf(m->verdict.refused, sizeof m->verdict.refused, "%.400s", refusal.message);
  }
  if (holds) return TG_OK;
  *tg_error_get() = refusal;
  return tg_error_pass(TG_NUMERIC, TG_HERE);
}

int64_t tg_method_products(const tg_method *method)
{
  int64_t products = (int64_t)ceil(method->products);
  if (method->direct != NULL) products += tg_direct_products(method->direct);
  if (method->kronecker != NULL) products += tg_direct_products(method->kronecker);
  return products + tg_method_following_products(method->following);
}
