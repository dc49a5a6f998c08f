// Conjugate gradients, linear and nonlinear, preconditioned.
//
//     d := -z + beta d,  z = M^-1 g,  y = g - g_old
//     polak-ribiere      beta = max(0, <z, y> / <z_old, g_old>)      (Polak and Ribiere 1969; Powell 1984 for the max)
//     hestenes-stiefel   beta = max(0, <z, y> / <d, y>)              (Hestenes and Stiefel 1952)
//     dai-yuan           beta = <z, g> / <d, y>                      (Dai and Yuan 1999)
//     hager-zhang        beta = max(eta, (<z, y> - 2 <y, M^-1 y> <d, g> / <d, y>) / <d, y>),
//                        eta = -1 / (|d| min(0.01, |g|))             (Hager and Zhang 2005)
//
// `auto` is hager-zhang, on quadratics polak-ribiere, where all agree. On a quadratic with the exact step this is the
// linear method of Hestenes and Stiefel: one `line` an iteration brings H d, `advance` carries the residual, and
// nothing else is evaluated. The direction for the next step is made at the end of a step, where all inner products go
// through one reduction.
//
// On a manifold g is the Riemannian gradient, x moves along the retraction, and the last d and g_old stand for their
// projections T onto the new tangent space (P.-A. Absil, R. Mahony, R. Sepulchre, Optimization Algorithms on Matrix
// Manifolds, 2008, algorithm 13; H. Sakai and H. Iiduka, J. Optim. Theory Appl. 190 (2021)). g is tangent, so that
// <g, T g_old> = <g, g_old>: only d is transported.
#include "base/memory.h"
#include "opt/solver.h"

typedef struct conjugate {
  opt_point *d;
  opt_point *z; // NULL without a metric: then z is g
  double slope; // <g, d>
  double d_norm;
  double gz;     // <g, z>
  double length; // of the last step
  double length_slope;
  int64_t has_direction;
} conjugate;

static int64_t count_points_conjugate(const opt_options *options, int degree)
{
  (void)degree;
  return options->metric != NULL ? 2 : 1;
}

static void destroy_conjugate(const opt_space *space, void **state)
{
  conjugate *self = *state;
  if (self == NULL) return;
  space->ops->destroy(space, &self->d);
  space->ops->destroy(space, &self->z);
  tg_free(self);
  *state = NULL;
}

static tg_status create_conjugate(opt_run *run, void **state)
{
  conjugate *self = NULL;
  TG_TRY(TG_NEW(1, &self));
  *state = self;
  TG_TRY(run->space->ops->create(run->space, &self->d));
  if (run->options->metric != NULL) TG_TRY(run->space->ops->create(run->space, &self->z));
  return TG_OK;
}

// d := -z
static tg_status restart(opt_run *run, conjugate *self)
{
  const opt_point *z = self->z != NULL ? self->z : run->g;
  if (self->z != NULL) TG_TRY(opt_run_precondition(run, run->g, self->z));
  double p[2];
  TG_TRY(
      run->space->ops->dots(run->space, 2, (const opt_point *const[]){run->g, z}, (const opt_point *const[]){z, z}, p));
  TG_TRY(opt_axpby(run->space, -1, z, 0, self->d));
  self->gz = p[0];
  self->slope = -p[0];
  self->d_norm = sqrt(p[1]);
  self->has_direction = 1;
  return TG_OK;
}

// The inner products at a new point that all formulas are made of.
typedef struct conjugate_products {
  double gg;  // <g, g>
  double gz;  // <g, z>
  double goz; // <g_old, z>
  double gd;  // <g, d>, d the last direction
  double zz;
  double zd;
  double dd;
} conjugate_products;

static tg_status products_at(const opt_run *run, const conjugate *self, conjugate_products *p)
{
  const bool has_metric = self->z != NULL;
  const opt_point *z = has_metric ? self->z : run->g;
  // Without a metric z is g, and |d| changes by transport only.
  const opt_point *const left[] = {run->g, run->g_old, run->g, self->d, run->g, z, z};
  const opt_point *const right[] = {z, z, self->d, self->d, run->g, z, self->d};
  double out[7];
  TG_TRY(run->space->ops->dots(run->space, has_metric ? 7 : run->manifold != NULL ? 4 : 3, left, right, out));
  *p = (conjugate_products){.gz = out[0], .goz = out[1], .gd = out[2]};
  p->dd = run->manifold != NULL ? out[3] : self->d_norm * self->d_norm;
  p->gg = has_metric ? out[4] : out[0];
  p->zz = has_metric ? out[5] : out[0];
  p->zd = has_metric ? out[6] : out[2];
  return TG_OK;
}

static double beta_of(const opt_run *run, const conjugate *self, const conjugate_products *p)
{
  const double zy = p->gz - p->goz;
  const double dy = p->gd - self->slope;
  const bool is_quadratic = run->degree == 2;
  opt_beta formula = (opt_beta)run->options->beta;
  if (formula == OPT_BETA_AUTO) formula = is_quadratic ? OPT_BETA_POLAK_RIBIERE : OPT_BETA_HAGER_ZHANG;
  switch (formula) {
  case OPT_BETA_HESTENES_STIEFEL:
    return fmax(0, zy / dy);
  case OPT_BETA_DAI_YUAN:
    return p->gz / dy;
  case OPT_BETA_HAGER_ZHANG: {
    const double yy = p->gz - 2 * p->goz + self->gz; // <y, M^-1 y>; T taken for an isometry
    const double eta = -1 / (self->d_norm * fmin(0.01, sqrt(p->gg)));
    return fmax(eta, (zy - 2 * yy * p->gd / dy) / dy);
  }
  case OPT_BETA_AUTO:
  case OPT_BETA_POLAK_RIBIERE:
    break;
  }
  return fmax(0, zy / self->gz);
}

// d := -z + beta T(d), or -z where that is no direction of descent, or (Powell 1977) where successive gradients are far
// from orthogonal though the objective is not a quadratic.
static tg_status turn(opt_run *run, conjugate *self)
{
  if (self->z != NULL) TG_TRY(opt_run_precondition(run, run->g, self->z));
  const opt_point *z = self->z != NULL ? self->z : run->g;
  conjugate_products p = {0};
  TG_TRY(opt_run_transport(run, self->d));
  TG_TRY(products_at(run, self, &p));
  run->g_norm = sqrt(p.gg);
  double beta = beta_of(run, self, &p);
  if (!isfinite(beta) || (run->degree != 2 && fabs(p.goz) > 0.2 * p.gz)) beta = 0;
  double slope = -p.gz + beta * p.gd;
  if (!(slope < -1e-12 * p.gz)) beta = 0;
  slope = -p.gz + beta * p.gd;
  if (beta == 0) run->restarts++;
  TG_TRY(opt_axpby(run->space, -1, z, beta, self->d));
  self->d_norm = sqrt(fmax(0, p.zz - 2 * beta * p.zd + beta * beta * p.dd));
  self->slope = slope;
  self->gz = p.gz;
  return TG_OK;
}

static tg_status step_conjugate(opt_run *run, void *state, opt_verdict *verdict)
{
  conjugate *self = state;
  if (!self->has_direction) TG_TRY(restart(run, self));
  double first = opt_first_trial(run, self->d_norm);
  if (self->length > 0) first = fmin(self->length * self->length_slope / self->slope, 10 * self->length);
  const double slope = self->slope;
  TG_TRY(opt_run_search(run, self->d, slope, self->d_norm, first, 0.1, verdict));
  if (*verdict != OPT_MOVED) return TG_OK;
  self->length = run->step;
  self->length_slope = slope;
  TG_TRY(turn(run, self));
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
  opt_listing_mark(listing, !self->has_direction);
  TG_TRY(opt_listing_add_number(listing, "slope", -1, &self->slope));
  TG_TRY(opt_listing_add_number(listing, "direction_norm", -1, &self->d_norm));
  TG_TRY(opt_listing_add_number(listing, "gz", -1, &self->gz));
  TG_TRY(opt_listing_add_number(listing, "length", -1, &self->length));
  TG_TRY(opt_listing_add_number(listing, "length_slope", -1, &self->length_slope));
  TG_TRY(opt_listing_add_count(listing, "has_direction", &self->has_direction));
  return TG_OK;
}

const opt_solver opt_solver_conjugate_gradient = {.name = "conjugate-gradient",
                                                  .is_monotone = true,
                                                  .keeps_gradient = true,
                                                  .remembers_metric = true,
                                                  .serves_manifolds = true,
                                                  .search_polynomial = "exact",
                                                  .search_general = "strong-wolfe",
                                                  .count_points = count_points_conjugate,
                                                  .create = create_conjugate,
                                                  .destroy = destroy_conjugate,
                                                  .step = step_conjugate,
                                                  .reset = reset_conjugate,
                                                  .list = list_conjugate};
