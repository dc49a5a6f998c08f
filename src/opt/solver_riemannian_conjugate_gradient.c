// Riemannian conjugate gradients.
//
//     x := R_x(t d),   d := -g + beta T(d),   y = g - T(g_old)
//     polak-ribiere    beta = max(0, <g, y> / <g_old, g_old>)
//     hestenes-stiefel beta = max(0, <g, y> / (<g, T d> - <g_old, d>))
//     dai-yuan         beta = <g, g> / (<g, T d> - <g_old, d>)
//     hager-zhang      as in conjugate-gradient, with y and T(d)
//
// g is the Riemannian gradient, T the projection onto the new tangent space (P.-A. Absil, R. Mahony, R. Sepulchre,
// Optimization Algorithms on Matrix Manifolds, 2008, algorithm 13; H. Sakai and H. Iiduka, J. Optim. Theory Appl. 190
// (2021)). `auto` is polak-ribiere. d becomes -g where it does not descend.
#include "base/memory.h"
#include "opt/curve.h"

typedef struct conjugate {
  opt_point *d;
  double slope; // <g, d>
  double d_norm;
  double length; // of the last step, 0: none
  double length_slope;
  int64_t has_direction;
} conjugate;

// No trial goes further than this many times the size of x: most manifolds are compact.
static const double longest_step = 1e3;

static int64_t count_points_conjugate(const opt_options *options, int degree)
{
  (void)options;
  (void)degree;
  return 1;
}

static void destroy_conjugate(const opt_space *space, void **state)
{
  conjugate *self = *state;
  if (self == NULL) return;
  space->ops->destroy(space, &self->d);
  tg_free(self);
  *state = NULL;
}

static tg_status create_conjugate(opt_run *run, void **state)
{
  conjugate *self = NULL;
  TG_TRY(TG_NEW(1, &self));
  *state = self;
  TG_TRY(run->space->ops->create(run->space, &self->d));
  return TG_OK;
}

// d := -g
static tg_status restart(opt_run *run, conjugate *self)
{
  TG_TRY(opt_axpby(run->space, -1, run->g, 0, self->d));
  self->slope = -run->g_norm * run->g_norm;
  self->d_norm = run->g_norm;
  self->has_direction = 1;
  return TG_OK;
}

// The inner products at the new point; u = T(g_old), e = T(d).
typedef struct conjugate_products {
  double gg;
  double gu;
  double uu;
  double ge;
  double ue;
  double ee;
} conjugate_products;

static double beta_of(const opt_run *run, const conjugate *self, double gg_old, const conjugate_products *p)
{
  const double gy = p->gg - p->gu;
  const double dy = p->ge - self->slope;
  switch ((opt_beta)run->options->beta) {
  case OPT_BETA_HESTENES_STIEFEL:
    return fmax(0, gy / dy);
  case OPT_BETA_DAI_YUAN:
    return p->gg / dy;
  case OPT_BETA_HAGER_ZHANG: {
    const double yy = p->gg - 2 * p->gu + p->uu;
    const double eta = -1 / (self->d_norm * fmin(0.01, sqrt(p->gg)));
    return fmax(eta, (gy - 2 * yy * p->ge / dy) / dy);
  }
  case OPT_BETA_AUTO:
  case OPT_BETA_POLAK_RIBIERE:
    break;
  }
  return fmax(0, gy / gg_old);
}

// d := -g + beta T(d) at the new point. g_old is overwritten by T(g_old).
static tg_status turn(opt_run *run, conjugate *self, double gg_old)
{
  const opt_constraint *set = run->constraint;
  TG_TRY(set->ops->tangent(set, run->x, self->d));
  TG_TRY(set->ops->tangent(set, run->x, run->g_old));
  const opt_point *const left[] = {run->g, run->g, run->g_old, run->g, run->g_old, self->d};
  const opt_point *const right[] = {run->g, run->g_old, run->g_old, self->d, self->d, self->d};
  double out[6];
  TG_TRY(run->space->ops->dots(run->space, 6, left, right, out));
  const conjugate_products p = {.gg = out[0], .gu = out[1], .uu = out[2], .ge = out[3], .ue = out[4], .ee = out[5]};
  run->g_norm = sqrt(p.gg);
  double beta = beta_of(run, self, gg_old, &p);
  if (!isfinite(beta) || !(-p.gg + beta * p.ge < -1e-12 * p.gg)) beta = 0;
  if (beta == 0) run->restarts++;
  TG_TRY(opt_axpby(run->space, -1, run->g, beta, self->d));
  self->slope = -p.gg + beta * p.ge;
  self->d_norm = sqrt(fmax(0, p.gg - 2 * beta * p.ge + beta * beta * p.ee));
  return TG_OK;
}

// The line search's verdict in the driver's terms; the move itself when a step was found. A step still falling at the
// longest length is taken: on an unbounded manifold the next ones go on from there.
static tg_status conclude(opt_curve *curve, const opt_line_found *found, opt_verdict *verdict)
{
  opt_run *run = curve->run;
  switch (found->verdict) {
  case OPT_LINE_FOUND:
  case OPT_LINE_FALLING:
    TG_TRY(opt_curve_move(curve, found->t));
    *verdict = OPT_MOVED;
    break;
  case OPT_LINE_STUCK:
    *verdict = OPT_STUCK;
    opt_run_explain(run,
                    "the objective cannot be resolved below %.17g: no step on the manifold lowers it by more than its "
                    "rounding error, |g| = %.3e",
                    run->f, run->g_norm);
    break;
  case OPT_LINE_NOT_FINITE:
    *verdict = OPT_OUT_OF_RANGE;
    opt_run_explain(run, "the objective is not finite at any of %d steps tried, down to |step| = %.3e",
                    found->evaluations, found->t * curve->d_norm);
    break;
  }
  return TG_OK;
}

static tg_status step_conjugate(opt_run *run, void *state, opt_verdict *verdict)
{
  conjugate *self = state;
  if (!self->has_direction) TG_TRY(restart(run, self));
  double first = opt_first_trial(run, self->d_norm);
  if (self->length > 0) first = fmin(self->length * self->length_slope / self->slope, 10 * self->length);
  const double slope = self->slope;
  const double gg_old = run->g_norm * run->g_norm;
  opt_curve curve = opt_curve_start(run, self->d, slope, self->d_norm);
  const opt_phi phi = {
      .eval = opt_curve_eval, .self = &curve, .slope = slope, .noise = opt_run_noise(run), .degree = -1};
  const opt_line_options options = {.first = first,
                                    .longest = longest_step * fmax(1, run->x_reach) / self->d_norm,
                                    .decrease = 1e-4,
                                    .curvature = 0.1,
                                    .max_evaluations = 60};
  opt_line_found found;
  TG_TRY(run->search->search(&phi, &options, &found));
  TG_TRY(conclude(&curve, &found, verdict));
  if (*verdict != OPT_MOVED) return TG_OK;
  self->length = run->step;
  self->length_slope = slope;
  TG_TRY(turn(run, self, gg_old));
  return TG_OK;
}

static void reset_conjugate(void *state)
{
  conjugate *self = state;
  self->has_direction = 0;
  self->length = 0;
}

static tg_status list_conjugate(void *state, opt_listing *listing)
{
  conjugate *self = state;
  TG_TRY(opt_listing_add_vector(listing, "direction", -1, self->d));
  TG_TRY(opt_listing_add_number(listing, "slope", -1, &self->slope));
  TG_TRY(opt_listing_add_number(listing, "direction_norm", -1, &self->d_norm));
  TG_TRY(opt_listing_add_number(listing, "length", -1, &self->length));
  TG_TRY(opt_listing_add_number(listing, "length_slope", -1, &self->length_slope));
  TG_TRY(opt_listing_add_count(listing, "has_direction", &self->has_direction));
  return TG_OK;
}

const opt_solver opt_solver_riemannian_conjugate_gradient = {.name = "riemannian-conjugate-gradient",
                                                             .is_monotone = true,
                                                             .keeps_gradient = true,
                                                             .search_polynomial = "hager-zhang",
                                                             .search_general = "hager-zhang",
                                                             .count_points = count_points_conjugate,
                                                             .create = create_conjugate,
                                                             .destroy = destroy_conjugate,
                                                             .step = step_conjugate,
                                                             .reset = reset_conjugate,
                                                             .list = list_conjugate};
