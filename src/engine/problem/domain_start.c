// Starts within the domain of the objective.
#include "engine/problem/domain_start.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "engine/method/feasible.h"
#include "engine/method/method_parts.h"
#include "engine/problem/diagonal_start.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/reduce.h"
#include "mpi/space/space.h"
#include "opt/vector.h"

// ---- symmetry ----

static const double skewness_allowed = 1e-9; // as that of the argument of a logdet

static tg_status check_symmetric(const tg_setup *setup, int k)
{
  const tg_task_variable *variable = &setup->task->variables[k];
  double skewness = 0;
  TG_TRY(tg_space_skewness(setup->space, setup->x, k, &skewness));
  if (skewness <= skewness_allowed) return TG_OK;
  TG_FAIL_MARK(TG_DATA, variable->spec->start_file != NULL ? variable->spec->start_mark : variable->spec->mark,
               "the start of %s is not symmetric: it differs from its symmetric part by %.3g of its largest entry; the "
               "objective is defined for symmetric positive definite matrices",
               variable->spec->name, skewness);
}

tg_status tg_domain_start_symmetric(const tg_setup *setup)
{
  for (int k = 0; k < setup->task->spec->n_variables; k++) {
    const tg_task_variable *variable = &setup->task->variables[k];
    if (variable->domain != 0 && !tg_task_starts_randomly(variable)) TG_TRY(check_symmetric(setup, k));
  }
  return tg_space_symmetrise(setup->space, setup->x);
}

// ---- a start inside ----

// Blocks of the start that are c times a pattern: the identity, or ones.
typedef struct ray {
  tg_setup *setup;
  opt_point *gradient;
  bool *moves;
  double best; // c of the lowest finite f
  double best_f;
} ray;

static bool is_default(const tg_task_variable *x)
{
  return !x->spec->start_is_given && !tg_task_on_manifold(x);
}

static bool is_definite(const tg_task_variable *x)
{
  return (x->domain & TG_SPD) != 0;
}

static void place(const ray *r, double c)
{
  for (int k = 0; k < r->setup->task->spec->n_variables; k++) {
    tg_dmat *block = tg_space_block(r->setup->x, k);
    if (!r->moves[k]) continue;
    if (is_definite(&r->setup->task->variables[k]))
      tg_dmat_eye(c, block);
    else
      tg_dmat_fill(c, block);
  }
}

// The sum over the pattern's entries of the gradient.
static tg_status add_slope(const ray *r, int k, double *sum)
{
  const tg_dmat *g = tg_space_block(r->gradient, k);
  double part = 0;
  if (!r->moves[k]) return TG_OK;
  if (is_definite(&r->setup->task->variables[k])) {
    TG_TRY(tg_dmat_trace(g, &part));
  } else {
    for (int64_t j = 0; j < g->local_cols; j++)
      for (int64_t i = 0; i < g->local_rows; i++) part += g->data[i + j * g->ld];
    TG_TRY(tg_reduce_sum(g->grid, 1, &part, &part));
  }
  *sum += part;
  return TG_OK;
}

// f at the multiple c, and h = c f'(c); *is_finite: both are.
static tg_status evaluate(ray *r, double c, double *h, bool *is_finite)
{
  opt_problem *problem = r->setup->problem;
  double f = 0;
  double slope = 0;
  place(r, c);
  TG_TRY(problem->ops->gradient(problem, r->setup->x, &f, r->gradient));
  for (int k = 0; k < r->setup->task->spec->n_variables; k++) TG_TRY(add_slope(r, k, &slope));
  *h = c * slope;
  *is_finite = isfinite(f) && isfinite(*h);
  if (*is_finite && (r->best == 0 || f < r->best_f)) {
    r->best = c;
    r->best_f = f;
  }
  return TG_OK;
}

// The secant of h, which is linear in c for tr(S X) - logdet(X): then its zero is n / tr(S). A few steps: the magnitude
// is all that matters. Each is at most a factor of 1000.
static tg_status follow(ray *r, double c, double h)
{
  enum { STEPS = 8 };
  double before = c;
  double h_before = h;
  c = h > 0 ? c / 2 : 2 * c;
  for (int step = 0; step < STEPS && h_before != 0; step++) {
    bool is_finite = false;
    TG_TRY(evaluate(r, c, &h, &is_finite));
    if (!is_finite) {
      c = sqrt(c * before);
      continue;
    }
    double next = c - h * (c - before) / (h - h_before);
    const double furthest = h > 0 ? c / 1000 : 1000 * c;
    if (!(next > 0) || !isfinite(next)) next = furthest;
    next = fmin(fmax(next, c / 1000), 1000 * c);
    if (h == 0 || fabs(next / c - 1) < 0.1) return TG_OK;
    before = c;
    h_before = h;
    c = next;
  }
  return TG_OK;
}

static tg_status find_multiple(ray *r)
{
  static const double trials[] = {1, 10, 0.1, 100, 0.01, 1e4, 1e-4, 1e8, 1e-8};
  double h = 0;
  bool is_finite = false;
  for (size_t k = 0; k < sizeof trials / sizeof trials[0] && !is_finite; k++)
    TG_TRY(evaluate(r, trials[k], &h, &is_finite));
  return is_finite ? follow(r, r->best, h) : TG_OK;
}

static void note(const ray *r)
{
  tg_setup *setup = r->setup;
  size_t used = 0;
  setup->start_note[0] = '\0';
  for (int k = 0; k < setup->task->spec->n_variables && used < sizeof setup->start_note; k++) {
    const tg_task_variable *x = &setup->task->variables[k];
    if (!r->moves[k]) continue;
    used += (size_t)snprintf(setup->start_note + used, sizeof setup->start_note - used, "%s%s = %.4g*%s",
                             used > 0 ? ", " : "", x->spec->name, r->best, is_definite(x) ? "eye" : "ones");
  }
  if (used < sizeof setup->start_note)
    snprintf(setup->start_note + used, sizeof setup->start_note - used,
             ", inside the domain and scaled to the data, for the job gives no start");
}

static tg_status move_inside(ray *r)
{
  tg_setup *setup = r->setup;
  opt_point *kept = NULL;
  TG_TRY(setup->space->ops->create(setup->space, &kept));
  tg_status status = setup->space->ops->copy(setup->space, setup->x, kept);
  if (status == TG_OK) status = find_multiple(r);
  if (status == TG_OK && r->best > 0) {
    place(r, r->best);
    note(r);
    status = tg_feasible_project(setup->task, setup->constraint, setup->x);
  } else if (status == TG_OK) {
    status = setup->space->ops->copy(setup->space, kept, setup->x);
  }
  setup->space->ops->destroy(setup->space, &kept);
  return status;
}

static tg_status move(ray *r)
{
  bool done = false;
  if (r->moves[0]) TG_TRY(tg_diagonal_start(r->setup, &done));
  return done ? TG_OK : move_inside(r);
}

// Which blocks move: those that have to be definite; where f or its gradient, as that of a root at zero, is not finite
// at the start all that the job leaves open.
static tg_status choose(ray *r, bool *any)
{
  tg_setup *setup = r->setup;
  opt_problem *problem = setup->problem;
  double f = 0;
  double size = 0;
  *any = false;
  for (int k = 0; k < setup->task->spec->n_variables; k++) {
    r->moves[k] = is_default(&setup->task->variables[k]) && is_definite(&setup->task->variables[k]);
    *any = *any || r->moves[k];
  }
  if (*any || setup->model->plan->degree >= 0) return TG_OK;
  TG_TRY(problem->ops->gradient(problem, setup->x, &f, r->gradient));
  TG_TRY(opt_norm(setup->space, r->gradient, &size));
  for (int k = 0; !(isfinite(f) && isfinite(size)) && k < setup->task->spec->n_variables; k++) {
    r->moves[k] = is_default(&setup->task->variables[k]);
    *any = *any || r->moves[k];
  }
  return TG_OK;
}

static bool may_move(const tg_setup *setup)
{
  bool any = false;
  for (int k = 0; k < setup->task->spec->n_variables; k++) any = any || is_default(&setup->task->variables[k]);
  return any && setup->model->plan->degree < 0;
}

tg_status tg_domain_start_inside(tg_setup *setup)
{
  ray r = {.setup = setup};
  bool any = false;
  if (!may_move(setup)) return TG_OK;
  tg_status status = tg_agree(setup->comm, TG_NEW(setup->task->spec->n_variables, &r.moves));
  if (status == TG_OK) status = setup->space->ops->create(setup->space, &r.gradient);
  if (status == TG_OK) status = choose(&r, &any);
  // A closed form takes nothing of the start: any will do for the probe.
  if (status == TG_OK && any && tg_method_is_direct(&setup->method->options))
    place(&r, 1);
  else if (status == TG_OK && any)
    status = move(&r);
  setup->space->ops->destroy(setup->space, &r.gradient);
  tg_free(r.moves);
  return status;
}
