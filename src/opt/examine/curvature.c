// Lanczos steps at a stationary point (C. Lanczos 1950; B. Parlett, The Symmetric Eigenvalue Problem, 1998, ch. 13).
#include "opt/examine/curvature.h"

#include "opt/examine/tridiagonal.h"

const double opt_curvature_flat = 1e-10;

// A least Ritz value of this share of the largest is negative enough to stop at.
static const double clear_share = 0.05;

typedef struct lanczos {
  const opt_subspace *space;
  opt_krylov work;
  opt_tridiagonal t;
  double next; // what follows t.off[n - 2]
} lanczos;

static const opt_point *direction(const lanczos *l)
{
  return l->work.scaled != NULL ? l->work.scaled : l->work.now;
}

// scaled := R M^-1 now, and *norm := the norm that goes with it; both are then divided by it.
static tg_status normalise(lanczos *l, double *norm)
{
  opt_run *run = l->space->run;
  double square = 0;
  if (l->work.scaled != NULL) {
    TG_TRY(opt_run_precondition(run, l->work.now, l->work.scaled));
    TG_TRY(opt_subspace_restrict(l->space, l->work.scaled));
  }
  TG_TRY(opt_dot(run->space, l->work.now, direction(l), &square));
  *norm = sqrt(fmax(square, 0));
  if (!(*norm > 0)) return TG_OK;
  TG_TRY(opt_axpby(run->space, 0, l->work.now, 1 / *norm, l->work.now));
  if (l->work.scaled != NULL) TG_TRY(opt_axpby(run->space, 0, l->work.now, 1 / *norm, l->work.scaled));
  return TG_OK;
}

static tg_status begin(lanczos *l, double *norm)
{
  opt_run *run = l->space->run;
  const opt_space *space = run->space;
  l->t.n = 0;
  l->next = 0;
  TG_TRY(space->ops->random(space, (uint64_t)run->options->seed, l->work.now));
  TG_TRY(opt_subspace_restrict(l->space, l->work.now));
  TG_TRY(opt_axpby(space, 0, l->work.now, 0, l->work.before));
  return normalise(l, norm);
}

// One more row of t; the vectors move on.
static tg_status advance(lanczos *l)
{
  opt_run *run = l->space->run;
  const opt_space *space = run->space;
  const int k = l->t.n;
  double alpha = 0;
  TG_TRY(opt_run_hessian(run, direction(l), l->work.image));
  TG_TRY(opt_dot(space, direction(l), l->work.image, &alpha));
  TG_TRY(opt_axpby(space, -l->next, l->work.before, 1, l->work.image));
  TG_TRY(opt_axpby(space, -alpha, l->work.now, 1, l->work.image));
  TG_TRY(opt_subspace_restrict(l->space, l->work.image)); // last: cancellation leaves the span
  if (k > 0) l->t.off[k - 1] = l->next;
  l->t.diagonal[k] = alpha;
  l->t.n = k + 1;
  opt_swap(&l->work.before, &l->work.now);
  opt_swap(&l->work.now, &l->work.image);
  return normalise(l, &l->next);
}

// Whether the steps done tell enough.
static bool is_settled(const lanczos *l, double least, double largest)
{
  double vector[OPT_TRIDIAGONAL_MAX];
  const double size = fmax(fabs(least), fabs(largest));
  if (!(l->next > 1e-12 * size)) return true; // the Krylov space is exhausted
  if (least < -clear_share * size) return l->t.n >= 3;
  if (!(least > 0) || l->t.n < 4) return false;
  opt_tridiagonal_vector(&l->t, least, vector);
  return l->next * fabs(vector[l->t.n - 1]) < 0.1 * least; // an eigenvalue is that near
}

static tg_status find_ritz(lanczos *l, int actions, double *least, double *size)
{
  double norm = 0;
  double largest = 0;
  TG_TRY(begin(l, &norm));
  *least = *size = 0;
  for (int k = 0; k < actions && norm > 0; k++) {
    TG_TRY(advance(l));
    if (!isfinite(l->next) || !isfinite(l->t.diagonal[k])) {
      *least = *size = 0;
      return TG_OK;
    }
    opt_tridiagonal_extremes(&l->t, least, &largest);
    *size = fmax(fabs(*least), fabs(largest));
    if (is_settled(l, *least, largest)) return TG_OK;
  }
  return TG_OK;
}

// found := the Ritz vector, by the same steps again.
static tg_status assemble(lanczos *l, double least)
{
  const opt_space *space = l->space->run->space;
  double weights[OPT_TRIDIAGONAL_MAX];
  double norm = 0;
  const int n = l->t.n;
  opt_tridiagonal_vector(&l->t, least, weights);
  TG_TRY(begin(l, &norm));
  TG_TRY(opt_axpby(space, weights[0], direction(l), 0, l->work.found));
  for (int k = 1; k < n; k++) {
    TG_TRY(advance(l));
    TG_TRY(opt_axpby(space, weights[k], direction(l), 1, l->work.found));
  }
  return TG_OK;
}

// found to norm 1, and its curvature.
static tg_status weigh(lanczos *l, double *curvature)
{
  opt_run *run = l->space->run;
  double norm = 0;
  *curvature = 0;
  TG_TRY(opt_norm(run->space, l->work.found, &norm));
  if (!(norm > 0)) return TG_OK;
  TG_TRY(opt_axpby(run->space, 0, l->work.found, 1 / norm, l->work.found));
  TG_TRY(opt_run_hessian(run, l->work.found, l->work.image));
  return opt_dot(run->space, l->work.found, l->work.image, curvature);
}

tg_status opt_curvature_find(const opt_subspace *s, const opt_krylov *work, int actions, opt_curvature *out)
{
  lanczos l = {.space = s, .work = *work};
  double least = 0;
  *out = (opt_curvature){0};
  TG_TRY(find_ritz(&l, actions < OPT_TRIDIAGONAL_MAX ? actions : OPT_TRIDIAGONAL_MAX, &least, &out->largest));
  if (!(least < -opt_curvature_flat * out->largest)) return TG_OK;
  TG_TRY(assemble(&l, least));
  TG_TRY(weigh(&l, &out->curvature));
  out->is_negative = out->curvature < 0;
  return TG_OK;
}
