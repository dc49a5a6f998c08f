// Stationarity by variables: measure, references, test.
#include "opt/stationarity.h"

#include <float.h>
#include <math.h>

#include "base/memory.h"
#include "opt/solver.h"

// Errors of g, of its projection and of the step, in units of the last place of g.
static const double rounding_units = 16;
// The share of |g| that a step from x = 0 takes: nothing is rounded there, and it stays inside any set around zero.
static const double short_step = 1e-100;

// Convex sets, beside manifolds or not.
static bool is_convex(const opt_run *run)
{
  return run->constraint != NULL && run->constraint->traits.geometry != OPT_GEOMETRY_MANIFOLD;
}

tg_status opt_stationarity_init(opt_run *run)
{
  opt_stationarity *s = &run->stationarity;
  const int64_t n = run->space->n_blocks;
  s->cap = (double)INFINITY;
  s->n = run->solver->measure != NULL ? 1 : run->space->n_blocks;
  TG_TRY(TG_NEW(n, &s->norms));
  TG_TRY(TG_NEW(n, &s->rounding));
  TG_TRY(TG_NEW(n, &s->references));
  TG_TRY(TG_NEW(2 * n, &s->steps));
  return TG_NEW(2 * n, &s->squares);
}

void opt_stationarity_fini(opt_run *run)
{
  opt_stationarity *s = &run->stationarity;
  tg_free(s->norms);
  tg_free(s->rounding);
  tg_free(s->references);
  tg_free(s->steps);
  tg_free(s->squares);
}

// ---- the measure ----

// norms := |v| by variables.
static tg_status norms_of(const opt_run *run, const opt_point *v, double *norms)
{
  TG_TRY(run->space->ops->block_dots(run->space, 1, &v, &v, norms));
  for (int b = 0; b < run->space->n_blocks; b++) norms[b] = sqrt(norms[b]);
  return TG_OK;
}

// run->feasible := (P(x - a v) - x) / a, with the rounding of that in `rounding`.
static tg_status project_step(const opt_run *run, const opt_point *v, double *rounding)
{
  const opt_stationarity *s = &run->stationarity;
  const opt_space *space = run->space;
  opt_point *p = run->feasible;
  const int n = space->n_blocks;
  TG_TRY(space->ops->block_dots(space, 2, (const opt_point *const[]){run->x, v}, (const opt_point *const[]){run->x, v},
                                s->squares));
  for (int b = 0; b < n; b++) {
    const double x_norm = sqrt(s->squares[b]);
    const double v_norm = sqrt(s->squares[n + b]);
    const double a = (x_norm > 0 ? x_norm : short_step) / v_norm;
    // Beside manifolds that of the Euclidean gradient is noted already.
    rounding[b] = fmax(rounding[b], rounding_units * DBL_EPSILON * v_norm);
    s->steps[b] = isfinite(a) ? -a : 0;
  }
  TG_TRY(opt_copy(space, run->x, p));
  TG_TRY(space->ops->block_axpy(space, s->steps, v, p));
  TG_TRY(run->constraint->ops->approach(run->constraint, p));
  TG_TRY(opt_axpby(space, -1, run->x, 1, p));
  for (int b = 0; b < n; b++) s->steps[b] = s->steps[b] < 0 ? -1 / s->steps[b] : 0;
  return space->ops->block_scale(space, s->steps, p);
}

// Measures the vector v in the place of g.
static tg_status measure_convex(const opt_run *run, const opt_point *v, double *norms, double *rounding)
{
  for (int b = 0; b < run->space->n_blocks && run->manifold == NULL; b++) rounding[b] = 0;
  if (!run->constraint->traits.is_entrywise) TG_TRY(project_step(run, v, rounding));
  TG_TRY(run->constraint->ops->steepest(run->constraint, run->x, v, run->feasible));
  return norms_of(run, run->feasible, norms);
}

static double root_of_squares(int n, const double *numbers)
{
  double square = 0;
  if (n == 1) return numbers[0];
  for (int b = 0; b < n; b++) square += numbers[b] * numbers[b];
  return sqrt(square);
}

tg_status opt_run_measure(opt_run *run)
{
  opt_stationarity *s = &run->stationarity;
  if (run->solver->measure != NULL) {
    TG_TRY(run->solver->measure(run));
    s->norms[0] = run->g_norm;
    return TG_OK;
  }
  TG_TRY(is_convex(run) ? measure_convex(run, run->g, s->norms, s->rounding) : norms_of(run, run->g, s->norms));
  run->g_norm = root_of_squares(s->n, s->norms);
  return TG_OK;
}

tg_status opt_run_complete(opt_run *run)
{
  if (isnan(run->g_norm) || run->stationarity.n > 1) return opt_run_measure(run);
  run->stationarity.norms[0] = run->g_norm;
  return TG_OK;
}

tg_status opt_run_note_rounding(const opt_run *run, const opt_point *g)
{
  double *rounding = run->stationarity.rounding;
  TG_TRY(norms_of(run, g, rounding));
  for (int b = 0; b < run->space->n_blocks; b++) rounding[b] *= rounding_units * DBL_EPSILON;
  return TG_OK;
}

// ---- what the tolerance refers to ----

// Raises the references to the measure of v.
static tg_status refer_to(const opt_run *run, const opt_point *v, double *norms)
{
  const opt_stationarity *s = &run->stationarity;
  if (is_convex(run))
    TG_TRY(measure_convex(run, v, norms, s->steps + s->n));
  else
    TG_TRY(norms_of(run, v, norms));
  for (int b = 0; b < s->n; b++)
    if (isfinite(norms[b])) s->references[b] = fmax(s->references[b], norms[b]);
  return TG_OK;
}

// Raises the references to the measures of H x and -H x: either may point out of the set.
static tg_status refer_to_change(opt_run *run, opt_point *hx)
{
  double *norms = run->stationarity.squares;
  TG_TRY(run->problem->ops->hessian(run->problem, run->x, run->x, hx));
  TG_TRY(refer_to(run, hx, norms));
  if (!is_convex(run)) return TG_OK;
  TG_TRY(opt_axpby(run->space, 0, run->g, -1, hx));
  return refer_to(run, hx, norms);
}

// From zero g does not change on the way; a closed form makes nothing of the start; a tolerance of zero refers to
// nothing; on a manifold x itself is no tangent.
static bool has_change(const opt_run *run)
{
  return run->problem->has_hessian && run->manifold == NULL && run->solver->measure == NULL &&
         !opt_ignores_start(run->options, run->solver) && run->options->gradient_tolerance > 0;
}

// Where no change along x is to be had.
static bool needs_random(const opt_run *run)
{
  return run->options->is_warm && run->constraint != NULL && run->options->gradient_tolerance > 0 &&
         !opt_ignores_start(run->options, run->solver) && (run->manifold != NULL || run->solver->measure != NULL);
}

// room := a random feasible point. Beside manifolds each variable is as large as in x: a free one has no size of its
// own.
static tg_status find_random(const opt_run *run, opt_point *room)
{
  const opt_space *space = run->space;
  double *sizes = run->stationarity.squares;
  TG_TRY(opt_constraint_random(run->constraint, (uint64_t)run->options->seed, room));
  if (run->manifold == NULL) return TG_OK;
  TG_TRY(space->ops->block_dots(space, 2, (const opt_point *const[]){run->x, room},
                                (const opt_point *const[]){run->x, room}, sizes));
  for (int b = 0; b < space->n_blocks; b++) {
    const double random = sizes[space->n_blocks + b];
    sizes[b] = random > 0 ? sqrt(sizes[b] / random) : 0;
  }
  TG_TRY(space->ops->block_scale(space, sizes, room));
  return run->constraint->ops->project(run->constraint, room);
}

// Raises the references to the measure at a random feasible point, which is what a run without a start of its own
// begins with. x is the current point again.
static tg_status refer_to_random(opt_run *run, opt_point *room)
{
  opt_point *x = run->x;
  TG_TRY(find_random(run, room));
  run->x = room;
  const tg_status status = opt_run_refresh(run);
  for (int b = 0; b < run->stationarity.n && status == TG_OK; b++)
    opt_run_raise_reference(run, b, run->stationarity.norms[b]);
  run->x = x;
  TG_TRY(status);
  return opt_run_refresh(run);
}

// Where norms of gradients are what is measured. *knows: each variable has one, and no other is needed.
static void refer_to_start(opt_run *run, bool *knows)
{
  const double *norms = run->options->start_norms;
  *knows = norms != NULL && run->constraint == NULL && run->solver->measure == NULL;
  for (int b = 0; b < run->stationarity.n && norms != NULL; b++) {
    if (run->constraint == NULL && run->solver->measure == NULL) opt_run_raise_reference(run, b, norms[b]);
    *knows = *knows && isfinite(norms[b]) && norms[b] > 0;
  }
}

tg_status opt_run_start_references(opt_run *run)
{
  double x_norm = 0;
  bool knows = false;
  opt_run_update_references(run);
  refer_to_start(run, &knows);
  if (knows) return TG_OK;
  TG_TRY(opt_norm(run->space, run->x, &x_norm));
  if (!(x_norm > 0) || (!has_change(run) && !needs_random(run))) return TG_OK;
  // Any of these that there is: no step has been made yet.
  opt_point *const rooms[] = {run->hd, run->trial, run->g_old, run->spare};
  for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++)
    if (rooms[i] != NULL) return needs_random(run) ? refer_to_random(run, rooms[i]) : refer_to_change(run, rooms[i]);
  return TG_OK;
}

tg_status opt_run_refer_to_here(opt_run *run, opt_point *room)
{
  opt_stationarity *s = &run->stationarity;
  for (int b = 0; b < s->n; b++) {
    s->references[b] = s->norms[b];
    s->rounding[b] = 0;
  }
  run->f_start = run->f;
  TG_TRY(refer_to_change(run, room));
  return opt_run_measure(run); // its rounding is that of g again
}

void opt_run_update_references(opt_run *run)
{
  opt_stationarity *s = &run->stationarity;
  // Towards the border of the domain of f, or a jump of f, its gradient grows without bound, and says nothing of what
  // is small.
  const bool grows = run->options->has_border || run->options->has_jumps;
  if (!(run->f <= run->f_start) || (grows && run->iteration > 0)) return;
  for (int b = 0; b < s->n; b++) s->references[b] = fmax(s->references[b], s->norms[b]);
}

void opt_run_raise_reference(opt_run *run, int b, double norm)
{
  opt_stationarity *s = &run->stationarity;
  if (isfinite(norm)) s->references[b] = fmax(s->references[b], norm);
}

// ---- the test ----

tg_status opt_run_find_rounding(opt_run *run)
{
  const opt_stationarity *s = &run->stationarity;
  double *sizes = s->squares;
  double largest = 0;
  if (s->n == 1 || !(run->g_norm <= opt_run_target(run))) return TG_OK;
  TG_TRY(norms_of(run, run->x, sizes));
  for (int b = 0; b < s->n; b++) largest = fmax(largest, s->references[b] * sizes[b]);
  for (int b = 0; b < s->n; b++)
    if (sizes[b] > 0) s->rounding[b] = fmax(s->rounding[b], rounding_units * DBL_EPSILON * largest / sizes[b]);
  return TG_OK;
}

double opt_run_target_of(const opt_run *run, int b)
{
  const opt_stationarity *s = &run->stationarity;
  return fmax(fmin(run->options->gradient_tolerance, s->cap) * s->references[b], s->rounding[b]);
}

bool opt_run_is_stationary(const opt_run *run)
{
  const opt_stationarity *s = &run->stationarity;
  bool all = true;
  for (int b = 0; b < s->n; b++) all = all && s->norms[b] <= opt_run_target_of(run, b);
  return all || run->g_norm <= run->options->absolute_gradient_tolerance;
}

double opt_run_target(const opt_run *run)
{
  const opt_stationarity *s = &run->stationarity;
  double square = 0;
  for (int b = 0; b < s->n; b++) square += opt_run_target_of(run, b) * opt_run_target_of(run, b);
  const double together = s->n == 1 ? opt_run_target_of(run, 0) : sqrt(square);
  return fmax(together, run->options->absolute_gradient_tolerance);
}

double opt_run_share(const opt_run *run, int *where)
{
  const opt_stationarity *s = &run->stationarity;
  double worst = -1;
  *where = 0;
  for (int b = 0; b < s->n; b++) {
    const double share = s->norms[b] > 0 ? s->norms[b] / s->references[b] : 0;
    if (!(share > worst)) continue;
    worst = share;
    *where = b;
  }
  return worst;
}

tg_status opt_stationarity_list(opt_run *run, opt_listing *listing)
{
  opt_stationarity *s = &run->stationarity;
  TG_TRY(opt_listing_add_number(listing, "tolerance_cap", -1, &s->cap));
  for (int b = 0; b < s->n; b++) {
    TG_TRY(opt_listing_add_number(listing, "variable_norm", b, &s->norms[b]));
    TG_TRY(opt_listing_add_number(listing, "variable_rounding", b, &s->rounding[b]));
    TG_TRY(opt_listing_add_number(listing, "variable_reference", b, &s->references[b]));
  }
  return TG_OK;
}
