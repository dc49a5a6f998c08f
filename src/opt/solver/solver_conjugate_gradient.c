// Conjugate gradients, linear and nonlinear, preconditioned.
//
//     d := -z + beta d,  z = M^-1 g,  y = g - g_old
//     polak-ribiere      beta = max(0, <z, y> / <z_old, g_old>)      (Polak and Ribiere 1969; Powell 1984 for the max)
//     hestenes-stiefel   beta = max(0, <z, y> / <d, y>)              (Hestenes and Stiefel 1952)
//     dai-yuan           beta = <z, g> / <d, y>                      (Dai and Yuan 1999)
//     hager-zhang        beta = max(eta, (<z, y> - 2 <y, M^-1 y> <d, g> / <d, y>) / <d, y>),
//                        eta = 0.4 <d, g_old> / <d, M d>             (Hager and Zhang 2005; eta: 2013)
//
// `auto` is hager-zhang, on quadratics polak-ribiere, where all agree. On a quadratic with the exact step this is the
// linear method of Hestenes and Stiefel: one `line` an iteration brings H d, `advance` carries the residual, and
// nothing else is evaluated. The direction for the next step is made at the end of a step, where all inner products go
// through one reduction.
//
// Where a quadratic is a sum of functions of disjoint groups of unknowns each group has a beta and a step of its own:
// its gradients are those it would have alone, and all of them take the iterations of the slowest. One beta for all
// needs as many as there are different eigenvalues in all groups together. With a common step, as elsewhere, betas of
// their own do harm.
//
// On a manifold g is the Riemannian gradient, x moves along the retraction, and the last d and g_old stand for their
// projections T onto the new tangent space (P.-A. Absil, R. Mahony, R. Sepulchre, Optimization Algorithms on Matrix
// Manifolds, 2008, algorithm 13; H. Sakai and H. Iiduka, J. Optim. Theory Appl. 190 (2021)). g is tangent, so that
// <g, T g_old> = <g, g_old>: only d is transported.
#include "base/memory.h"
#include "opt/solver.h"

typedef struct conjugate {
  int n_groups;
  opt_point *d;
  opt_point *z; // NULL without a preconditioner: then z is g
  double slope; // <g, d>
  double d_norm;
  double dmd;     // <d, M d>
  double *gz;     // <g, z>, by groups
  double *slopes; // <g, d>, by groups
  double *products;
  double *betas;
  double *minus_ones;
  double length; // of the last step
  double length_slope;
  int64_t has_direction;
} conjugate;

// The inner products at a new point that all formulas are made of, y = g - g_old apart.
typedef enum conjugate_product {
  GZ,
  GOZ, // <g_old, z>
  GD,  // <g, d>, d the last direction
  DD,
  GG,
  ZZ,
  ZD,
  GOD, // <g_old, d>
  PRODUCTS
} conjugate_product;

static int64_t count_points_conjugate(const opt_options *options, int degree)
{
  (void)degree;
  return options->preconditioning != NULL ? 2 : 1;
}

static void destroy_conjugate(const opt_space *space, void **state)
{
  conjugate *self = *state;
  if (self == NULL) return;
  space->ops->destroy(space, &self->d);
  space->ops->destroy(space, &self->z);
  tg_free(self->gz);
  tg_free(self->slopes);
  tg_free(self->products);
  tg_free(self->betas);
  tg_free(self->minus_ones);
  tg_free(self);
  *state = NULL;
}

// Local.
static tg_status allocate(const opt_run *run, conjugate **out)
{
  conjugate *self = NULL;
  TG_TRY(TG_NEW(1, &self));
  *out = self;
  self->n_groups = opt_run_steps_apart(run) ? run->n_groups : 1;
  TG_TRY(tg_alloc_numbers(self->n_groups, &self->gz));
  TG_TRY(tg_alloc_numbers(self->n_groups, &self->slopes));
  TG_TRY(tg_alloc_numbers((int64_t)PRODUCTS * self->n_groups, &self->products));
  TG_TRY(tg_alloc_numbers(self->n_groups, &self->betas));
  TG_TRY(tg_alloc_numbers(self->n_groups, &self->minus_ones));
  for (int q = 0; q < self->n_groups; q++) self->minus_ones[q] = -1;
  return TG_OK;
}

static tg_status create_conjugate(opt_run *run, void **state)
{
  conjugate *self = NULL;
  const tg_status status = allocate(run, &self);
  *state = self;
  TG_TRY(opt_agree(run->space, status));
  TG_TRY(run->space->ops->create(run->space, &self->d));
  if (run->options->preconditioning != NULL) TG_TRY(run->space->ops->create(run->space, &self->z));
  return TG_OK;
}

// d := -z
static tg_status restart(opt_run *run, conjugate *self)
{
  const opt_point *z = self->z != NULL ? self->z : run->g;
  const int n = self->n_groups;
  if (self->z != NULL) TG_TRY(opt_run_precondition(run, run->g, self->z));
  double *p = self->products;
  TG_TRY(opt_group_dots(run->space, n, 2, (const opt_point *const[]){run->g, z}, (const opt_point *const[]){z, z}, p));
  TG_TRY(opt_axpby(run->space, -1, z, 0, self->d));
  self->slope = self->d_norm = 0;
  for (int q = 0; q < n; q++) {
    self->gz[q] = p[q];
    self->slopes[q] = -p[q];
    self->slope -= p[q];
    self->d_norm += p[n + q];
  }
  self->d_norm = sqrt(self->d_norm);
  self->dmd = -self->slope;
  self->has_direction = 1;
  return TG_OK;
}

static double product(const conjugate *self, conjugate_product which, int q)
{
  return self->products[(int)which * self->n_groups + q];
}

// Without a preconditioner z is g. |d| changes by transport, and where the step has scaled the groups of d.
static tg_status find_products(const opt_run *run, conjugate *self)
{
  const opt_point *z = self->z != NULL ? self->z : run->g;
  const opt_point *const left[PRODUCTS] = {run->g, run->g_old, run->g, self->d, run->g, z, z, run->g_old};
  const opt_point *const right[PRODUCTS] = {z, z, self->d, self->d, run->g, z, self->d, self->d};
  const int n = self->n_groups;
  const bool is_apart = n > 1;
  const bool keeps_d = run->manifold == NULL && !is_apart;
  const int count = is_apart ? PRODUCTS : self->z != NULL ? ZD + 1 : keeps_d ? GD + 1 : DD + 1;
  double *p = self->products;
  TG_TRY(opt_group_dots(run->space, n, count, left, right, p));
  if (is_apart) {
    for (int q = 0; q < n; q++) self->slopes[q] = p[GOD * n + q];
    return TG_OK;
  }
  if (keeps_d) p[DD] = self->d_norm * self->d_norm;
  if (self->z != NULL) return TG_OK;
  p[GG] = p[ZZ] = p[GZ];
  p[ZD] = p[GD];
  return TG_OK;
}

static opt_beta choose_formula(const opt_run *run, const conjugate *self)
{
  const bool is_quadratic = run->degree == 2;
  opt_beta formula = (opt_beta)run->options->beta;
  if (formula == OPT_BETA_AUTO) formula = is_quadratic ? OPT_BETA_POLAK_RIBIERE : OPT_BETA_HAGER_ZHANG;
  // The same number on a quadratic, and right for a d that was scaled.
  if (formula == OPT_BETA_POLAK_RIBIERE && self->n_groups > 1) formula = OPT_BETA_HESTENES_STIEFEL;
  return formula;
}

static double beta_of(const opt_run *run, const conjugate *self, int q)
{
  const double zy = product(self, GZ, q) - product(self, GOZ, q);
  const double dy = product(self, GD, q) - self->slopes[q];
  switch (choose_formula(run, self)) {
  case OPT_BETA_HESTENES_STIEFEL:
    return fmax(0, zy / dy);
  case OPT_BETA_DAI_YUAN:
    return product(self, GZ, q) / dy;
  case OPT_BETA_HAGER_ZHANG: {
    // <y, M^-1 y>; T taken for an isometry
    const double yy = product(self, GZ, q) - 2 * product(self, GOZ, q) + self->gz[q];
    const double eta = self->n_groups > 1 ? 0 : 0.4 * self->slope / self->dmd;
    return fmax(eta, (zy - 2 * yy * product(self, GD, q) / dy) / dy);
  }
  case OPT_BETA_AUTO:
  case OPT_BETA_POLAK_RIBIERE:
    break;
  }
  return fmax(0, zy / self->gz[q]);
}

// beta of a group, 0 where it would be no direction of descent, or (Powell 1977) where successive gradients are far
// from orthogonal though the objective is not a quadratic.
static double safe_beta(const opt_run *run, const conjugate *self, int q)
{
  const double gz = product(self, GZ, q);
  const double beta = beta_of(run, self, q);
  if (!isfinite(beta) || (run->degree != 2 && fabs(product(self, GOZ, q)) > 0.2 * gz)) return 0;
  return -gz + beta * product(self, GD, q) < -1e-12 * gz ? beta : 0;
}

// d := -z + beta T(d)
static tg_status turn(opt_run *run, conjugate *self)
{
  if (self->z != NULL) TG_TRY(opt_run_precondition(run, run->g, self->z));
  const opt_point *z = self->z != NULL ? self->z : run->g;
  const int n = self->n_groups;
  double g_squared = 0;
  double d_squared = 0;
  bool turns = false;
  TG_TRY(opt_run_transport(run, self->d));
  TG_TRY(find_products(run, self));
  for (int q = 0; q < n; q++) g_squared += product(self, GG, q);
  run->g_norm = sqrt(g_squared);
  double slope = 0;
  double dmd = 0;
  for (int q = 0; q < n; q++) {
    const double gz = product(self, GZ, q);
    const double beta = safe_beta(run, self, q);
    self->betas[q] = beta;
    self->gz[q] = gz;
    self->slopes[q] = -gz + beta * product(self, GD, q);
    slope += self->slopes[q];
    dmd += gz - 2 * beta * product(self, GD, q) + beta * beta * self->dmd; // <z, M d> = <g, d>
    d_squared += product(self, ZZ, q) - 2 * beta * product(self, ZD, q) + beta * beta * product(self, DD, q);
    turns = turns || beta != 0;
  }
  if (!turns) run->restarts++;
  TG_TRY(opt_group_axpby(run->space, n, self->minus_ones, z, self->betas, self->d));
  self->slope = slope;
  self->d_norm = sqrt(fmax(0, d_squared));
  self->dmd = self->z != NULL ? dmd : d_squared;
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
  TG_TRY(opt_listing_add_number(listing, "direction_metric", -1, &self->dmd));
  for (int q = 0; q < self->n_groups; q++) {
    TG_TRY(opt_listing_add_number(listing, "gz", q, &self->gz[q]));
    TG_TRY(opt_listing_add_number(listing, "slope", q, &self->slopes[q]));
  }
  TG_TRY(opt_listing_add_number(listing, "length", -1, &self->length));
  TG_TRY(opt_listing_add_number(listing, "length_slope", -1, &self->length_slope));
  TG_TRY(opt_listing_add_count(listing, "has_direction", &self->has_direction));
  return TG_OK;
}

const opt_solver opt_solver_conjugate_gradient = {.name = "conjugate-gradient",
                                                  .is_monotone = true,
                                                  .keeps_gradient = true,
                                                  .remembers_preconditioner = true,
                                                  .serves_manifolds = true,
                                                  .search_polynomial = "exact",
                                                  .search_general = "strong-wolfe",
                                                  .count_points = count_points_conjugate,
                                                  .create = create_conjugate,
                                                  .destroy = destroy_conjugate,
                                                  .step = step_conjugate,
                                                  .reset = reset_conjugate,
                                                  .list = list_conjugate};
