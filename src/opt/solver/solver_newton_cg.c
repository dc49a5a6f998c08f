// Truncated Newton: conjugate gradients on the Newton equation inside a trust region.
//
//     minimise  <g, p> + 1/2 <p, H p>  over  |p| <= radius,  roughly
//
// T. Steihaug, SIAM J. Numer. Anal. 20 (1983): CG from p = 0 stops at a small residual (forcing term
// min(0.1, sqrt(|g| / |g start|)), R. Dembo, S. Eisenstat and T. Steihaug 1982), where the path leaves the region, and
// where a direction of negative curvature turns up: then it goes on to the boundary. With a preconditioner the norm is
// that of M. The radius follows the ratio of true to predicted decrease (Nocedal and Wright 2006, algorithm 4.1). On a
// polynomial objective the true decrease is read off the line polynomial along p, free of cancellation, and the step is
// its minimiser along p.
//
// On a manifold p, g and H are those of the tangent space at x and the step is R_x(p) (P.-A. Absil, C. Baker and K.
// Gallivan, Found. Comput. Math. 7 (2007)); H needs the Euclidean gradient, which is kept.
#include <float.h>

#include "base/memory.h"
#include "opt/line/polynomial.h"
#include "opt/solver.h"
#include "opt/stationarity.h"

typedef struct newton {
  opt_point *p;  // the step
  opt_point *hp; // H p, kept along with p
  opt_point *d;  // direction of the inner iteration
  opt_point *hd;
  opt_point *r;        // residual g + H p
  opt_point *z;        // M^-1 r; NULL without a preconditioner
  opt_point *gradient; // the Euclidean one; NULL but on a manifold
  double radius;
  double p_size; // |p|, like the radius in the norm of M
} newton;

enum { INNER_MAX = 500 };

static const double first_steps = 10; // of steepest descent in the first region
static const double furthest = 100;   // times |x|: no first region is larger

static int64_t count_points_newton(const opt_options *options, int degree)
{
  (void)degree;
  return options->preconditioning != NULL ? 6 : 5;
}

static void destroy_newton(const opt_space *space, void **state)
{
  newton *self = *state;
  if (self == NULL) return;
  opt_point **const points[] = {&self->p, &self->hp, &self->d, &self->hd, &self->r, &self->z, &self->gradient};
  for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) space->ops->destroy(space, points[i]);
  tg_free(self);
  *state = NULL;
}

static tg_status create_newton(opt_run *run, void **state)
{
  const opt_space *space = run->space;
  newton *self = NULL;
  const tg_status status = TG_NEW(1, &self);
  *state = self;
  TG_TRY(opt_agree(space, status));
  opt_point **const points[] = {&self->p, &self->hp, &self->d, &self->hd, &self->r, &self->z};
  const size_t count = run->options->preconditioning != NULL ? 6 : 5;
  for (size_t i = 0; i < count; i++) TG_TRY(space->ops->create(space, points[i]));
  if (run->manifold != NULL) TG_TRY(space->ops->create(space, &self->gradient));
  run->g_free = self->gradient;
  self->radius = run->options->trust_radius;
  return TG_OK;
}

// Where the inner iteration stands; norms are those of M, kept by recurrences (Conn, Gould and Toint 2000, 7.5.4).
typedef struct inner {
  double rz;  // <r, z>
  double pmp; // <p, M p>
  double pmd; // <p, M d>
  double dmd; // <d, M d>
  double dhd; // <d, H d>
  double dd;  // <d, d>
} inner;

// p := 0, r := g, d := -z
static tg_status start_inner(opt_run *run, newton *self, inner *in)
{
  const opt_space *space = run->space;
  TG_TRY(opt_axpby(space, 0, run->g, 0, self->p));
  TG_TRY(opt_axpby(space, 0, run->g, 0, self->hp));
  TG_TRY(opt_copy(space, run->g, self->r));
  if (self->z != NULL) TG_TRY(opt_run_precondition(run, self->r, self->z));
  const opt_point *z = self->z != NULL ? self->z : self->r;
  TG_TRY(opt_axpby(space, -1, z, 0, self->d));
  double rz = 0;
  TG_TRY(opt_dot(space, self->r, z, &rz));
  *in = (inner){.rz = rz, .dmd = rz};
  return TG_OK;
}

// The positive root of |p + tau d| = radius.
static double distance_to_boundary(const inner *in, double radius)
{
  const double rest = radius * radius - in->pmp;
  const double root = sqrt(in->pmd * in->pmd + in->dmd * rest);
  // The root has two forms; this one has no cancellation.
  return in->pmd > 0 ? rest / (in->pmd + root) : (root - in->pmd) / in->dmd;
}

// p += t d, with H p along
static tg_status extend(const opt_run *run, newton *self, double t)
{
  TG_TRY(opt_axpby(run->space, t, self->d, 1, self->p));
  TG_TRY(opt_axpby(run->space, t, self->hd, 1, self->hp));
  return TG_OK;
}

// r += t H d, d := -z + beta d; *residual_norm = |r|
static tg_status turn(const opt_run *run, newton *self, inner *in, double t, double *residual_norm)
{
  const opt_space *space = run->space;
  TG_TRY(opt_axpby(space, t, self->hd, 1, self->r));
  if (self->z != NULL) TG_TRY(opt_run_precondition(run, self->r, self->z));
  const opt_point *z = self->z != NULL ? self->z : self->r;
  double p[2];
  TG_TRY(space->ops->dots(space, 2, (const opt_point *const[]){self->r, self->r},
                          (const opt_point *const[]){z, self->r}, p));
  const double beta = p[0] / in->rz;
  TG_TRY(opt_axpby(space, -1, z, beta, self->d));
  in->pmp += 2 * t * in->pmd + t * t * in->dmd;
  in->pmd = beta * (in->pmd + t * in->dmd);
  in->dmd = p[0] + beta * beta * in->dmd;
  in->rz = p[0];
  *residual_norm = sqrt(p[1]);
  return TG_OK;
}

// On a quadratic a direction without curvature settles the matter: f falls along it, or along its opposite.
static tg_status settle_quadratic(opt_run *run, newton *self, opt_verdict *verdict)
{
  const opt_space *space = run->space;
  double p[2];
  TG_TRY(space->ops->dots(space, 2, (const opt_point *const[]){run->g, self->d},
                          (const opt_point *const[]){self->d, self->d}, p));
  if (p[0] > 0) {
    TG_TRY(opt_axpby(space, -1, self->d, 0, self->hd));
    TG_TRY(opt_copy(space, self->hd, self->d));
  }
  opt_ray ray;
  TG_TRY(opt_ray_start(run, self->d, -fabs(p[0]), sqrt(p[1]), &ray));
  *verdict = opt_ray_falling(&ray);
  return TG_OK;
}

// H d and its curvature; whether that is positive beyond rounding.
static tg_status curvature(opt_run *run, newton *self, inner *in, bool *is_positive)
{
  const opt_space *space = run->space;
  TG_TRY(opt_run_hessian(run, self->d, self->hd));
  double p[2];
  TG_TRY(space->ops->dots(space, 2, (const opt_point *const[]){self->d, self->d},
                          (const opt_point *const[]){self->hd, self->d}, p));
  in->dhd = p[0];
  in->dd = p[1];
  run->rayleigh_max = fmax(run->rayleigh_max, fabs(p[0]) / p[1]);
  *is_positive = p[0] > 16 * DBL_EPSILON * run->rayleigh_max * p[1];
  return TG_OK;
}

// The forcing term; the last step need not go below what is asked for, and the residual is the next gradient but for
// the model's error.
static double residual_wanted(const opt_run *run)
{
  const double forcing = fmin(0.1, sqrt(run->g_norm / fmax(run->g_norm_start, run->g_norm)));
  return fmax(forcing * run->g_norm, 0.3 * opt_run_target(run));
}

// d less its part in the range of H: H e = H d solved by conjugate gradients, d := d - e. hd holds the residual H (d -
// e), r the direction; run->g_old is free here.
static tg_status clean_kernel(opt_run *run, newton *self)
{
  enum { CLEANINGS_MAX = 50 };
  const opt_space *space = run->space;
  opt_point *hc = run->g_old;
  double q[2];
  double rr = 0;
  TG_TRY(opt_copy(space, self->hd, self->r));
  TG_TRY(space->ops->dots(space, 2, (const opt_point *const[]){self->hd, self->d},
                          (const opt_point *const[]){self->hd, self->d}, q));
  rr = q[0];
  const double least = DBL_EPSILON * run->rayleigh_max;
  const double enough = least * least * q[1];
  for (int k = 0; k < CLEANINGS_MAX && rr > enough; k++) {
    double chc = 0;
    TG_TRY(opt_run_hessian(run, self->r, hc));
    TG_TRY(opt_dot(space, self->r, hc, &chc));
    if (!(chc > 0)) return TG_OK;
    const double before = rr;
    TG_TRY(opt_axpby(space, -rr / chc, self->r, 1, self->d));
    TG_TRY(opt_axpby(space, -rr / chc, hc, 1, self->hd));
    TG_TRY(opt_dot(space, self->hd, self->hd, &rr));
    TG_TRY(opt_axpby(space, 1, self->hd, rr / before, self->r));
  }
  return TG_OK;
}

// Whether a general objective falls without end along d, which has no curvature beyond rounding. The unfinished
// iteration left in d a share of directions that have: it is taken out, and f is asked far out. d, H d and r are
// overwritten.
static tg_status probe_kernel(opt_run *run, newton *self, opt_verdict *verdict)
{
  const opt_space *space = run->space;
  double q[3];
  TG_TRY(clean_kernel(run, self));
  TG_TRY(space->ops->dots(space, 3, (const opt_point *const[]){run->g, self->d, self->p},
                          (const opt_point *const[]){self->d, self->d, self->p}, q));
  const double d_norm = sqrt(q[1]);
  if (run->options->is_nonnegative || !(q[0] < -0.1 * run->g_norm * d_norm)) return TG_OK;
  opt_ray ray;
  bool falls = true;
  TG_TRY(opt_ray_start(run, self->d, q[0], d_norm, &ray));
  const double horizon = opt_ray_line_options(&ray, sqrt(q[2]) / d_norm, 0).longest;
  // At each of the distances: one alone may lie where f is all rounding.
  for (int k = 0; k < 4 && falls; k++) {
    const double t = horizon * pow(1e-3, 3 - k);
    double rise = 0;
    double slope = 0;
    TG_TRY(opt_ray_eval(&ray, t, &rise, &slope));
    falls = isfinite(rise) && rise < 0.5 * t * q[0] && slope < 0.5 * q[0];
  }
  if (!falls || !opt_ray_is_resolved(&ray)) return TG_OK;
  bool turns = false;
  TG_TRY(opt_ray_turns(&ray, horizon, &turns));
  if (!turns) *verdict = opt_ray_falling(&ray);
  return TG_OK;
}

// Long runs ask now and then whether f falls without end, with curvature or not: where variables that settle stand
// beside some that do not, the direction has a share of both.
static bool is_time_to_probe(const opt_run *run)
{
  enum { FIRST = 32 };
  return run->iteration >= FIRST && (run->iteration & (run->iteration - 1)) == 0; // powers of two
}

// Steihaug's iteration. *verdict stays MOVED unless f was found to fall without end, or the run shall end.
static tg_status solve_inner(opt_run *run, newton *self, bool *on_boundary, opt_verdict *verdict)
{
  inner in = {0};
  *on_boundary = false;
  TG_TRY(start_inner(run, self, &in));
  const double tolerance = residual_wanted(run);
  for (int k = 0; k < INNER_MAX && in.rz > 0; k++) {
    bool is_positive = false;
    bool gives_up = false;
    TG_TRY(opt_run_gives_up(run, &gives_up));
    if (gives_up) {
      *verdict = OPT_GIVEN_UP;
      return TG_OK;
    }
    TG_TRY(curvature(run, self, &in, &is_positive));
    if (!is_positive && run->degree == 2) {
      if (!run->options->is_nonnegative) return settle_quadratic(run, self, verdict);
      // By rounding: the steps done serve; a first one goes as far as curvature at the noise would let it.
      return k > 0 ? TG_OK : extend(run, self, in.rz / (16 * DBL_EPSILON * run->rayleigh_max * in.dd));
    }
    const double t = is_positive ? in.rz / in.dhd : (double)INFINITY;
    // A quadratic is its own model: no region is needed.
    const double room = run->degree == 2 ? (double)INFINITY : distance_to_boundary(&in, self->radius);
    *on_boundary = t >= room;
    TG_TRY(extend(run, self, fmin(t, room)));
    self->p_size = self->radius;
    if (*on_boundary) {
      const bool is_flat = !is_positive && fabs(in.dhd) <= 16 * DBL_EPSILON * run->rayleigh_max * in.dd;
      const bool may_probe = run->degree < 0 && run->manifold == NULL;
      return may_probe && (is_flat || is_time_to_probe(run)) ? probe_kernel(run, self, verdict) : TG_OK;
    }
    double residual_norm = 0;
    TG_TRY(turn(run, self, &in, t, &residual_norm));
    self->p_size = sqrt(in.pmp);
    if (residual_norm <= tolerance) return TG_OK;
  }
  return TG_OK;
}

// Shrinks or grows the region by the ratio of true to predicted decrease.
static void adapt_radius(newton *self, double ratio, bool on_boundary)
{
  if (!(ratio >= 0.25)) {
    self->radius = 0.25 * fmin(self->p_size, self->radius);
  } else if (ratio > 0.75 && on_boundary) {
    self->radius *= 2;
  }
}

// True over predicted decrease. Both are blurred by the rounding of f: where it hides them the model is believed
// (Conn, Gould and Toint 2000, 17.4.2).
static double decrease_ratio(const opt_run *run, double rise, double predicted, bool is_polynomial)
{
  const double noise = is_polynomial ? 0 : opt_run_noise(run);
  return (rise - noise) / (predicted - noise);
}

// On a polynomial: the minimiser along p, which always descends.
static tg_status move_polynomial(newton *self, opt_ray *ray, double predicted, bool on_boundary, opt_verdict *verdict)
{
  opt_run *run = ray->run;
  double t = 0;
  double rise = 0;
  if (opt_ray_falls(ray)) {
    *verdict = opt_ray_falling(ray);
    return TG_OK;
  }
  TG_TRY(opt_ray_eval(ray, 1, &rise, NULL));
  adapt_radius(self, decrease_ratio(run, rise, predicted, true), on_boundary);
  if (opt_polynomial_minimise(ray->degree, ray->coefs, ray->errors, &t, &rise) != OPT_POLYNOMIAL_MINIMUM) {
    opt_run_explain(run, "the objective %s along the Newton step, |g| = %.3e", run->options->wording->no_fall,
                    run->g_norm);
    *verdict = OPT_STUCK;
    return TG_OK;
  }
  return opt_ray_move(ray, t, verdict);
}

// Where the domain of f ends before x + p: as far along p as a line search goes inside. The region, which knows nothing
// of the border, stays as it is: a smaller one would hold back the entries that are far from it.
static tg_status move_inside(opt_ray *ray, opt_verdict *verdict)
{
  const opt_phi phi = opt_ray_phi(ray);
  opt_line_options options = opt_ray_line_options(ray, 0.5, 0.9);
  opt_line_found found;
  options.longest = 0.9;
  TG_TRY(opt_line_search_find("strong-wolfe")->search(&phi, &options, &found));
  if (found.verdict != OPT_LINE_FALLING) return opt_ray_conclude(ray, &found, verdict);
  return opt_ray_move(ray, found.t, verdict);
}

// The region to begin with: some times as far as steepest descent would go, in the norm of M; on a manifold, which
// curves away from its tangents, not further than half of x. Leaves d and hd to be overwritten.
static tg_status first_radius(opt_run *run, newton *self, double *out)
{
  const opt_space *space = run->space;
  double x_norm = 0;
  double p[2];
  inner in = {0};
  *out = (double)INFINITY;
  if (run->degree == 2) return TG_OK; // its own model: no region
  TG_TRY(start_inner(run, self, &in));
  TG_TRY(opt_norm(space, run->x, &x_norm));
  TG_TRY(opt_run_hessian(run, self->d, self->hd));
  TG_TRY(space->ops->dots(space, 2, (const opt_point *const[]){self->d, self->d},
                          (const opt_point *const[]){self->hd, self->d}, p));
  const double t = in.rz / fabs(p[0]);
  const double longest = run->manifold != NULL ? x_norm / 2 : x_norm > 0 ? furthest * x_norm : (double)INFINITY;
  const double shortest = x_norm > 0 ? x_norm / furthest : 0;
  // |d| in its own norm and in that of M are one length.
  const double unit = sqrt(in.rz / p[1]);
  *out = fmin(first_steps * t * sqrt(in.rz), longest * unit);
  if (!(*out > 0 && isfinite(*out))) *out = fmax(shortest * unit, run->g_norm);
  return TG_OK;
}

static tg_status step_newton(opt_run *run, void *state, opt_verdict *verdict)
{
  newton *self = state;
  const opt_space *space = run->space;
  const double radius_before = self->radius;
  if (self->radius == 0) TG_TRY(first_radius(run, self, &self->radius));
  bool was_finite = false;
  for (int trial = 0; trial < 60; trial++) {
    bool on_boundary = false;
    double q[3];
    *verdict = OPT_MOVED;
    TG_TRY(solve_inner(run, self, &on_boundary, verdict));
    if (*verdict == OPT_GIVEN_UP) self->radius = radius_before;
    if (*verdict != OPT_MOVED) return TG_OK;
    TG_TRY(space->ops->dots(space, 3, (const opt_point *const[]){run->g, self->p, self->p},
                            (const opt_point *const[]){self->p, self->hp, self->p}, q));
    const double predicted = q[0] + q[1] / 2;
    const double p_norm = sqrt(q[2]);
    opt_ray ray;
    TG_TRY(opt_ray_start(run, self->p, q[0], p_norm, &ray));
    if (ray.degree >= 0) return move_polynomial(self, &ray, predicted, on_boundary, verdict);
    double rise = 0;
    TG_TRY(opt_ray_eval(&ray, 1, &rise, NULL));
    was_finite = was_finite || isfinite(rise);
    if (!isfinite(rise) && run->options->has_border) {
      TG_TRY(move_inside(&ray, verdict));
      if (*verdict == OPT_MOVED) return TG_OK;
    }
    const double ratio = isfinite(rise) ? decrease_ratio(run, rise, predicted, false) : -1;
    adapt_radius(self, ratio, on_boundary);
    if (ratio > 1e-3) return opt_ray_move(&ray, 1, verdict);
  }
  *verdict = opt_run_no_step(run, was_finite, "within the trust region", self->radius);
  return TG_OK;
}

static void reset_newton(void *state)
{
  newton *self = state;
  self->radius = 0;
}

static tg_status list_newton(void *state, opt_listing *listing)
{
  newton *self = state;
  TG_TRY(opt_listing_add_number(listing, "radius", -1, &self->radius));
  if (self->gradient != NULL) TG_TRY(opt_listing_add_vector(listing, "free_gradient", -1, self->gradient));
  return TG_OK;
}

const opt_solver opt_solver_newton_cg = {.name = "newton-cg",
                                         .needs_hessian = true,
                                         .is_monotone = true,
                                         .serves_manifolds = true,
                                         .search_polynomial = "none",
                                         .search_general = "none",
                                         .count_points = count_points_newton,
                                         .create = create_newton,
                                         .destroy = destroy_newton,
                                         .step = step_newton,
                                         .reset = reset_newton,
                                         .list = list_newton};
