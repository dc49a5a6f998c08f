// Whether a stationary point is a saddle: conjugate gradients on the Hessian from a random vector.
//
//     d := r := random;  t = <r, r> / <d, H d>,  r := r - t H d,  d := r + beta d
//
// <d, H d> < 0 is a direction along which f falls. The d span the Krylov space of H and r, whose extreme Ritz values
// come near the extreme eigenvalues within a few steps: H is negative along one of the first k directions just where
// the k-th Lanczos matrix has a negative eigenvalue (C. Lanczos 1950; A. Conn, N. Gould, Ph. Toint, Trust-Region
// Methods, 2000, 5.2 and 7.5.4). A semidefinite Hessian passes, singular or not.
#include <math.h>

#include "opt/solver.h"

enum { ACTIONS_MAX = 20 };

// A curvature below this share of the largest one met is rounding.
static const double flat = 1e-10;

typedef struct probe {
  opt_point *r;
  opt_point *d;
  opt_point *hd;
  opt_point *gradient; // the Euclidean one, where the solver does not keep it
} probe;

static tg_status start_probe(opt_run *run, probe *p)
{
  const opt_space *space = run->space;
  double f = 0;
  TG_TRY(space->ops->create(space, &p->r));
  TG_TRY(space->ops->create(space, &p->d));
  TG_TRY(space->ops->create(space, &p->hd));
  if (run->manifold != NULL && run->g_free == NULL) {
    TG_TRY(space->ops->create(space, &p->gradient));
    TG_TRY(run->problem->ops->gradient(run->problem, run->x, &f, p->gradient));
    run->g_free = p->gradient;
  }
  TG_TRY(space->ops->random(space, (uint64_t)run->options->seed, p->r));
  TG_TRY(opt_run_transport(run, p->r));
  return opt_copy(space, p->r, p->d);
}

// Whether f falls along d by more than its rounding error, at a step as long as x.
static bool is_falling(const opt_run *run, double curvature, double largest)
{
  const double length = fmax(1, run->x_reach);
  return curvature < -flat * largest && -curvature / 2 * length * length > opt_run_noise(run);
}

static tg_status iterate(opt_run *run, const probe *p, double *curvature, bool *is_saddle)
{
  const opt_space *space = run->space;
  double rr = 0;
  double largest = 0;
  TG_TRY(opt_dot(space, p->r, p->r, &rr));
  const double rr_start = rr;
  for (int k = 0; k < ACTIONS_MAX && rr > 1e-16 * rr_start; k++) {
    double q[2];
    TG_TRY(opt_run_hessian(run, p->d, p->hd));
    TG_TRY(
        space->ops->dots(space, 2, (const opt_point *const[]){p->d, p->d}, (const opt_point *const[]){p->hd, p->d}, q));
    *curvature = q[0] / q[1];
    largest = fmax(largest, fabs(*curvature));
    *is_saddle = is_falling(run, *curvature, largest);
    if (*is_saddle || !(*curvature > flat * largest)) return TG_OK;
    TG_TRY(opt_axpby(space, -rr / q[0], p->hd, 1, p->r));
    const double rr_old = rr;
    TG_TRY(opt_dot(space, p->r, p->r, &rr));
    TG_TRY(opt_axpby(space, 1, p->r, rr / rr_old, p->d));
  }
  return TG_OK;
}

tg_status opt_run_probe_saddle(opt_run *run, bool *is_saddle)
{
  const opt_sense *sense = run->options->sense;
  probe p = {0};
  double curvature = 0;
  tg_status status = TG_OK;
  *is_saddle = false;
  const bool is_convex = run->feasible != NULL;
  const bool is_linear = run->degree >= 0 && run->degree < 2;
  // A closed form has found the Hessian definite; those on manifolds have not looked at it.
  const bool is_known = run->options->closed_form != NULL && run->manifold == NULL;
  const bool may_ask = run->problem->has_hessian && !is_convex && !run->options->trusts_start;
  if (!may_ask || is_linear || is_known) return TG_OK;
  TG_TRY_GOTO(start_probe(run, &p));
  TG_TRY_GOTO(iterate(run, &p, &curvature, is_saddle));
  if (*is_saddle && run->degree == 2)
    opt_run_explain(run,
                    "the objective is unbounded %s: the start is stationary, |g| = %.3g, and the quadratic has a "
                    "direction d of %s curvature, <d, H d> = %.4g <d, d>; add a constraint or a regularising term",
                    sense->below, run->g_norm, sense->negative, opt_run_shown(run, curvature));
  else if (*is_saddle)
    opt_run_explain(run,
                    "stationary at the start, |g| = %.3g, but no %s: the Hessian has a direction d of %s "
                    "curvature, <d, H d> = %.4g <d, d>, a saddle; start elsewhere (start: normal)",
                    run->g_norm, sense->minimum, sense->negative, opt_run_shown(run, curvature));
done:
  if (p.gradient != NULL) run->g_free = NULL;
  run->space->ops->destroy(run->space, &p.r);
  run->space->ops->destroy(run->space, &p.d);
  run->space->ops->destroy(run->space, &p.hd);
  run->space->ops->destroy(run->space, &p.gradient);
  return status;
}
