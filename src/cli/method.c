// The choice of method and preconditioner.
#include "cli/method.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/constants.h"
#include "grad/precondition.h"
#include "mpi/dmat_ops.h"
#include "opt/driver.h"

// A factorisation that costs more than this many Hessian actions is left to conjugate gradients under auto.
enum { WORTH_ITERATIONS = 400 };

static int method_index(const char *name)
{
  const char *const *names = opt_option_choices(OPT_KIND_METHOD);
  for (int k = 0; names[k] != NULL; k++)
    if (strcmp(names[k], name) == 0) return k;
  return 0;
}

static bool is_direct(const opt_options *options)
{
  return options->method == method_index("direct");
}

static const tg_yaml_node *solver_node(const tg_job *job, const char *key)
{
  const tg_yaml_node *solver = tg_yaml_get(job->root, "solver");
  const tg_yaml_node *node = solver != NULL ? tg_yaml_get(solver, key) : NULL;
  return node != NULL ? node : solver != NULL ? solver : job->root;
}

// ---- by symbols ----

static bool is_constrained(const tg_job *job)
{
  for (int k = 0; k < job->n_variables; k++)
    if (job->variables[k].constraint != NULL) return true;
  return job->subject_to != NULL;
}

// Hessian actions that one factorisation costs, by flops of dense operations.
static double cost_in_iterations(const tg_model *model, const tg_closed_form *form)
{
  const tg_plan_data *x = &model->plan->variables[0];
  const double sizes[2] = {(double)x->rows, (double)x->cols};
  const double per_entry = form->kind == TG_CLOSED_SPECTRAL ? 9.0 : 1.0 / 3;
  double factor = 0;
  double action = 0;
  for (int side = 0; side < 2; side++) {
    if (form->sides[side].base == TG_NONE) continue;
    factor += per_entry * pow(sizes[side], 3);
    action += 2 * sizes[0] * sizes[1] * sizes[side];
  }
  return action > 0 ? factor / action : 0;
}

// A polynomial in several variables has the scales of its blocks to balance, and there pairs of old gradients mislead:
// on the factorisation of the digits l-bfgs takes 2946 products, conjugate gradients 1116. In one variable l-bfgs is
// ahead.
static void choose_iterative(const tg_model *model, tg_method *m)
{
  const int degree = model->plan->degree;
  const bool couples = model->plan->has_line && degree > 2 && model->n_variables > 1;
  if (couples) m->options.method = method_index("conjugate-gradient");
  const char *name = opt_resolved_method(&m->options, model->plan->has_line ? degree : -1);
  if (degree >= 0 && degree <= 2)
    snprintf(m->reason, sizeof m->reason, "%s, for a polynomial of degree %d; %s", name, degree, m->form.reason);
  else if (model->plan->has_line)
    snprintf(m->reason, sizeof m->reason,
             "%s, with exact steps along the line polynomial of degree %d in %d variable%s", name, degree,
             model->n_variables, model->n_variables > 1 ? "s" : "");
  else
    snprintf(m->reason, sizeof m->reason, "%s, because the objective is not a polynomial of degree at most %d", name,
             TG_LINE_DEGREE_MAX);
}

static tg_status choose_method(tg_job *job, const tg_model *model, tg_method *m)
{
  const bool asked = is_direct(&m->options);
  if (is_constrained(job))
    snprintf(m->form.reason, sizeof m->form.reason, "no closed form: there are constraints");
  else if (asked || m->options.method == 0)
    TG_TRY(tg_closed_form_find(model->graph, model->objective, model->n_variables, model->symbols, &m->form));
  if (asked && m->form.kind == TG_CLOSED_NONE)
    TG_FAIL_NODE(job, solver_node(job, "method"), TG_UNSUPPORTED, "method direct: %s; take method: auto",
                 m->form.reason);
  if (m->options.method > 0 && !asked) {
    snprintf(m->reason, sizeof m->reason, "%s, as the job says", opt_resolved_method(&m->options, model->plan->degree));
    return TG_OK;
  }
  const double cost = m->form.kind != TG_CLOSED_NONE ? cost_in_iterations(model, &m->form) : 0;
  if (!asked && cost > WORTH_ITERATIONS) {
    snprintf(m->form.reason, sizeof m->form.reason,
             "method: direct is possible, at the cost of some %.0f iterations for its factorisations", cost);
    m->form.kind = TG_CLOSED_NONE;
  }
  if (m->form.kind == TG_CLOSED_NONE) {
    choose_iterative(model, m);
    return TG_OK;
  }
  m->options.method = method_index("direct");
  snprintf(m->reason, sizeof m->reason, "direct, %s", m->form.reason);
  return TG_OK;
}

// One diagonal for each variable, or none at all.
static tg_status find_diagonals(const tg_model *model, tg_method *m)
{
  TG_TRY(TG_NEW(model->n_variables, &m->diagonals));
  if (model->plan->degree != 2) return TG_OK;
  for (int k = 0; k < model->n_variables; k++) {
    TG_TRY(tg_precondition_diagonal(model->graph, model->objective, model->symbols[k], &m->diagonals[k]));
    if (m->diagonals[k] == TG_NONE) return TG_OK;
  }
  m->n_diagonals = model->n_variables;
  return TG_OK;
}

static tg_status find_terms(const tg_model *model, tg_method *m)
{
  if (model->plan->degree != 2 || model->n_variables != 1) return TG_OK;
  return tg_precondition_terms(model->graph, model->objective, model->symbols[0], TG_METHOD_TERMS, &m->n_terms,
                               m->terms);
}

static tg_status choose_preconditioner(tg_job *job, const tg_model *model, tg_method *m)
{
  const int wish = m->options.preconditioner;
  const char *why =
      model->plan->degree == 2 ? "the Hessian action is not a sum of products L*V*R" : "the objective is not quadratic";
  if (is_direct(&m->options) || wish == OPT_PRECONDITIONER_NONE) return TG_OK;
  TG_TRY(find_diagonals(model, m));
  // Who names a method wants that method: auto adds what costs nothing, the diagonal.
  if (wish == OPT_PRECONDITIONER_KRONECKER || job->solver.method == 0) TG_TRY(find_terms(model, m));
  if (wish == OPT_PRECONDITIONER_DIAGONAL && m->n_diagonals == 0)
    TG_FAIL_NODE(job, solver_node(job, "preconditioner"), TG_UNSUPPORTED,
                 "preconditioner diagonal: %s; take auto or none", why);
  if (wish == OPT_PRECONDITIONER_KRONECKER && m->n_terms == 0)
    TG_FAIL_NODE(
        job, solver_node(job, "preconditioner"), TG_UNSUPPORTED, "preconditioner kronecker: %s; take auto or none",
        model->plan->degree == 2 ? "no term of the Hessian action of one variable has symmetric factors" : why);
  if (wish == OPT_PRECONDITIONER_DIAGONAL) m->n_terms = 0;
  if (wish == OPT_PRECONDITIONER_KRONECKER) m->n_diagonals = 0;
  return TG_OK;
}

tg_status tg_method_choose(tg_job *job, const tg_model *model, tg_method **out)
{
  *out = NULL;
  tg_method *m = NULL;
  TG_TRY(TG_NEW(1, &m));
  m->options = job->solver;
  snprintf(m->preconditioner, sizeof m->preconditioner, "none");
  tg_status status = choose_method(job, model, m);
  if (status == TG_OK) status = choose_preconditioner(job, model, m);
  if (status != TG_OK) {
    tg_method_destroy(&m);
    return tg_error_pass(status, TG_HERE);
  }
  *out = m;
  return TG_OK;
}

void tg_method_print(const tg_method *method, const tg_model *model, tg_text *out)
{
  const int degree = model->plan->has_line ? model->plan->degree : -1;
  tg_text_addf(out, "  method    %s\n", method->reason);
  if (is_direct(&method->options)) return;
  tg_text_addf(out, "  search    %s\n", opt_resolved_line_search(&method->options, degree));
  if (method->n_terms > 0)
    tg_text_add(out, "  precond.  kronecker: the Hessian in the bases of its dominant terms\n");
  else if (method->n_diagonals > 0)
    tg_text_add(out, "  precond.  diagonal, of the Hessian\n");
}

// ---- by numbers ----

// What turns symbols into numbers.
typedef struct numbers {
  tg_job *job;
  tg_model *model;
  const tg_grid *grid;
  tg_dmat *const *data;
} numbers;

static void destroy_all(int n, tg_dmat **matrices)
{
  for (int k = 0; k < n; k++) tg_dmat_destroy(&matrices[k]);
}

static tg_status make_direct(const tg_model *model, const tg_grid *grid, const tg_closed_form *form,
                             tg_dmat *const *matrices, int n_extras, const tg_direct_extra *extras, tg_direct **out)
{
  const tg_plan_data *x = &model->plan->variables[0];
  const tg_direct_side sides[2] = {{matrices[0], matrices[1]}, {matrices[2], matrices[3]}};
  tg_direct_term terms[TG_CLOSED_TERMS];
  switch (form->kind) {
  case TG_CLOSED_CHOLESKY:
    return tg_direct_create_cholesky(grid, x->rows, x->cols, form->scale, sides[0].base, sides[1].base, out);
  case TG_CLOSED_INVERSE:
    return tg_direct_create_inverse(grid, x->rows, form->scale, sides[0].base, out);
  case TG_CLOSED_SPECTRAL:
    break;
  case TG_CLOSED_NONE:
    TG_FAIL(TG_INTERNAL, "there is no closed form to prepare");
  }
  _Static_assert(sizeof terms[0] == sizeof form->terms[0], "the two layers hold polynomials of one size");
  for (int32_t k = 0; k < form->n_terms; k++) {
    memcpy(terms[k].left, form->terms[k].left, sizeof terms[k].left);
    memcpy(terms[k].right, form->terms[k].right, sizeof terms[k].right);
  }
  return tg_direct_create_spectral(grid, x->rows, x->cols, sides, form->n_terms, terms, n_extras, extras, out);
}

// The numbers of a closed form; extras are matrices already.
static tg_status evaluate_form(const numbers *by, const tg_closed_form *form, int n_extras,
                               const tg_direct_extra *extras, tg_direct **out)
{
  const tg_closed_side *sides = form->sides;
  const tg_node nodes[4] = {sides[0].metric, sides[0].base, sides[1].metric, sides[1].base};
  tg_dmat *matrices[4];
  tg_status status = tg_constants_evaluate(by->job, by->model, by->grid, by->data, 4, nodes, matrices);
  if (status == TG_OK) status = make_direct(by->model, by->grid, form, matrices, n_extras, extras, out);
  destroy_all(4, matrices);
  return status;
}

static tg_status prepare_direct(const numbers *by, tg_method *m)
{
  TG_TRY(evaluate_form(by, &m->form, 0, NULL, &m->direct));
  static const char *const names[] = {[TG_CLOSED_NONE] = "",
                                      [TG_CLOSED_CHOLESKY] = "Cholesky factorisations",
                                      [TG_CLOSED_SPECTRAL] = "symmetric eigenproblems",
                                      [TG_CLOSED_INVERSE] = "an inverse by Cholesky"};
  m->closed = (opt_closed_form){.name = names[m->form.kind], .solve = tg_direct_solve, .self = m->direct};
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
static tg_status sort_terms(const tg_model *model, tg_dmat **matrices, tg_method *m)
{
  double weights[TG_METHOD_TERMS];
  for (ptrdiff_t k = 0; k < m->n_terms; k++) TG_TRY(weigh(model, &m->terms[k], &matrices[2 * k], &weights[k]));
  for (ptrdiff_t k = 1; k < m->n_terms; k++)
    for (ptrdiff_t i = k; i > 0 && weights[i] > weights[i - 1]; i--) {
      const double weight = weights[i];
      const tg_closed_group term = m->terms[i];
      tg_dmat *const pair[2] = {matrices[2 * i], matrices[2 * i + 1]};
      weights[i] = weights[i - 1];
      m->terms[i] = m->terms[i - 1];
      memcpy(&matrices[2 * i], &matrices[2 * i - 2], sizeof pair);
      weights[i - 1] = weight;
      m->terms[i - 1] = term;
      memcpy(&matrices[2 * i - 2], pair, sizeof pair);
    }
  return TG_OK;
}

// H in the bases that make the terms first and second diagonal, the others by their diagonals there. Numbers that
// refuse are no failure: kronecker stays NULL.
static tg_status try_pair(const numbers *by, int first, int second, tg_dmat **matrices, tg_method *m)
{
  const tg_closed_group pair[2] = {m->terms[first], m->terms[second]};
  tg_direct_extra extras[TG_METHOD_TERMS];
  int n_extras = 0;
  tg_closed_form form;
  TG_TRY(tg_closed_form_of_groups(by->model->graph, 2, pair, &form));
  if (form.kind == TG_CLOSED_NONE) return TG_OK;
  for (ptrdiff_t k = 0; k < m->n_terms; k++) {
    const tg_direct_extra extra = {m->terms[k].coef, matrices[2 * k], matrices[2 * k + 1]};
    const bool is_lost =
        (extra.left != NULL && form.sides[0].base == TG_NONE) || (extra.right != NULL && form.sides[1].base == TG_NONE);
    if (k != first && k != second && !is_lost) extras[n_extras++] = extra;
  }
  const tg_status status = evaluate_form(by, &form, n_extras, extras, &m->kronecker);
  if (status != TG_NUMERIC) return status;
  tg_error_clear();
  return TG_OK;
}

// Two terms where that serves, the heaviest ones that do; else one.
static tg_status make_kronecker(const numbers *by, tg_dmat **matrices, tg_method *m)
{
  const tg_plan_data *x = &by->model->plan->variables[0];
  TG_TRY(sort_terms(by->model, matrices, m));
  for (int first = 0; first < m->n_terms && m->kronecker == NULL; first++)
    for (int second = first + 1; second < m->n_terms && m->kronecker == NULL; second++)
      TG_TRY(try_pair(by, first, second, matrices, m));
  for (ptrdiff_t k = 0; k < m->n_terms && m->kronecker == NULL; k++) {
    if (matrices[2 * k] == NULL && matrices[2 * k + 1] == NULL) continue;
    const tg_status status = tg_direct_create_cholesky(by->grid, x->rows, x->cols, m->terms[k].coef, matrices[2 * k],
                                                       matrices[2 * k + 1], &m->kronecker);
    if (status != TG_OK && status != TG_NUMERIC) return status;
    tg_error_clear();
  }
  return TG_OK;
}

static tg_status prepare_kronecker(const numbers *by, tg_method *m)
{
  tg_node nodes[2 * TG_METHOD_TERMS];
  tg_dmat *matrices[2 * TG_METHOD_TERMS];
  for (ptrdiff_t k = 0; k < m->n_terms; k++) {
    nodes[2 * k] = m->terms[k].left;
    nodes[2 * k + 1] = m->terms[k].right;
  }
  tg_status status = tg_constants_evaluate(by->job, by->model, by->grid, by->data, 2 * m->n_terms, nodes, matrices);
  if (status == TG_OK) status = make_kronecker(by, matrices, m);
  destroy_all(2 * m->n_terms, matrices);
  TG_TRY(status);
  if (m->kronecker != NULL) {
    m->preconditioning = (opt_preconditioner){.name = "kronecker", .apply = tg_direct_apply, .self = m->kronecker};
    m->options.metric = &m->preconditioning;
    snprintf(m->preconditioner, sizeof m->preconditioner, "kronecker");
  } else if (by->job->solver.preconditioner == OPT_PRECONDITIONER_KRONECKER) {
    TG_FAIL(TG_NUMERIC, "preconditioner kronecker: no term of the Hessian action has positive definite factors; take "
                        "diagonal or none");
  }
  return TG_OK;
}

static tg_status prepare_diagonal(const numbers *by, tg_method *m)
{
  tg_dmat **matrices = NULL;
  TG_TRY(tg_agree(by->grid->comm, TG_NEW(m->n_diagonals, &matrices)));
  tg_status status =
      tg_constants_evaluate(by->job, by->model, by->grid, by->data, m->n_diagonals, m->diagonals, matrices);
  if (status == TG_OK)
    status = tg_metric_create(by->grid, m->n_diagonals, (const tg_dmat *const *)matrices, &m->metric);
  destroy_all(m->n_diagonals, matrices);
  tg_free(matrices);
  if (status == TG_NUMERIC && by->job->solver.preconditioner == OPT_PRECONDITIONER_AUTO) {
    tg_error_clear();
    return TG_OK;
  }
  TG_TRY(status);
  m->preconditioning = (opt_preconditioner){.name = "diagonal", .apply = tg_metric_apply, .self = m->metric};
  m->options.metric = &m->preconditioning;
  snprintf(m->preconditioner, sizeof m->preconditioner, "diagonal");
  return TG_OK;
}

// What the symbols allowed, the numbers refused: auto goes on with conjugate gradients and keeps the reason.
static tg_status fall_back(tg_job *job, const tg_model *model, tg_method *m)
{
  if (job->solver.method != 0) return TG_NUMERIC;
  snprintf(m->form.reason, sizeof m->form.reason, "method: direct does not serve: %.400s", tg_error_get()->message);
  tg_error_clear();
  m->form.kind = TG_CLOSED_NONE;
  m->options.method = 0;
  choose_iterative(model, m);
  return choose_preconditioner(job, model, m);
}

tg_status tg_method_prepare(tg_job *job, tg_model *model, const tg_grid *grid, tg_dmat *const *data, tg_method *m)
{
  const numbers by = {job, model, grid, data};
  if (is_direct(&m->options)) {
    tg_status status = prepare_direct(&by, m);
    if (status == TG_OK) return TG_OK;
    if (status == TG_NUMERIC) status = fall_back(job, model, m);
    TG_TRY(status);
  }
  if (m->n_terms > 0) TG_TRY(prepare_kronecker(&by, m));
  if (m->options.metric == NULL && m->n_diagonals > 0) TG_TRY(prepare_diagonal(&by, m));
  return TG_OK;
}

int64_t tg_method_products(const tg_method *method)
{
  int64_t products = 0;
  if (method->direct != NULL) products += tg_direct_products(method->direct);
  if (method->kronecker != NULL) products += tg_direct_products(method->kronecker);
  return products;
}

void tg_method_destroy(tg_method **method)
{
  tg_method *m = *method;
  if (m == NULL) return;
  tg_direct_destroy(&m->direct);
  tg_direct_destroy(&m->kronecker);
  tg_metric_destroy(&m->metric);
  tg_free(m->diagonals);
  tg_free(m);
  *method = NULL;
}
