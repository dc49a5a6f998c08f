// Conjugate gradients that measure rather than move.
#include "opt/examine/decrease.h"

#include <float.h>

#include "opt/examine/tridiagonal.h"

enum { STEPS_MAX = 12, STEPS_MIN = 3, STEPS_MAX_THOROUGH = OPT_TRIDIAGONAL_MAX, STEPS_MIN_THOROUGH = 12 };
static const double flat = 1e-15; // a curvature below this share of the largest is rounding
const double opt_decrease_hopeless = 1e12;

typedef struct measuring {
  const opt_subspace *space;
  opt_point *r;      // residual -g - H p
  opt_point *d;      // direction
  opt_point *hd;     // H d
  opt_point *z;      // M^-1 r; r itself without a preconditioner
  opt_tridiagonal t; // of Lanczos, which the coefficients of conjugate gradients make
  double rz;
  double peak; // the largest <r, z> so far: it grows while eigenvalues smaller than those met hold g
  double gain; // of the last step
  double last_step;
  double last_beta;
  double largest; // curvature met, <d, H d> / <d, d>
} measuring;

static tg_status scale(measuring *m, double *rz)
{
  opt_run *run = m->space->run;
  if (m->z != m->r) {
    TG_TRY(opt_run_precondition(run, m->r, m->z));
    TG_TRY(opt_subspace_release(m->space, m->z));
  }
  return opt_dot(run->space, m->r, m->z, rz);
}

static tg_status begin(measuring *m)
{
  opt_run *run = m->space->run;
  TG_TRY(opt_subspace_gradient(m->space, m->r));
  TG_TRY(opt_axpby(run->space, 0, m->r, -1, m->r));
  TG_TRY(scale(m, &m->rz));
  return opt_copy(run->space, m->z, m->d);
}

// <d, H d> and <d, d>.
static tg_status bend(measuring *m, double *curved, double *square)
{
  opt_run *run = m->space->run;
  double p[2];
  TG_TRY(opt_run_hessian(run, m->d, m->hd));
  TG_TRY(run->space->ops->dots(run->space, 2, (const opt_point *const[]){m->d, m->d},
                               (const opt_point *const[]){m->hd, m->d}, p));
  *curved = p[0];
  *square = p[1];
  m->largest = fmax(m->largest, fabs(p[0]) / p[1]);
  return TG_OK;
}

// One more row of the tridiagonal matrix (G. Golub, C. Van Loan, Matrix Computations, 2013, 11.3.5).
static void extend(measuring *m, double step)
{
  const int k = m->t.n;
  m->t.diagonal[k] = 1 / step + (k > 0 ? m->last_beta / m->last_step : 0);
  if (k > 0) m->t.off[k - 1] = sqrt(m->last_beta) / m->last_step;
  m->t.n = k + 1;
}

static tg_status advance(measuring *m, double step)
{
  const opt_space *space = m->space->run->space;
  double rz = 0;
  extend(m, step);
  TG_TRY(opt_axpby(space, -step, m->hd, 1, m->r));
  TG_TRY(opt_subspace_release(m->space, m->r));
  TG_TRY(scale(m, &rz));
  m->last_step = step;
  m->last_beta = rz / m->rz;
  m->rz = rz;
  m->peak = fmax(m->peak, rz);
  return opt_axpby(space, 1, m->z, m->last_beta, m->d);
}

// Whether more steps would change nothing: what g could hide along an eigenvalue that is smaller than the least one
// seen by as much again as the spread seen is allowed as well, or the equation is solved. While each step gains more
// than all before it together, smaller eigenvalues hold what g hides. A thorough look ends when enough was found, too.
static bool is_enough(const measuring *m, double rz_start, double allowed, bool is_thorough, opt_decrease *out)
{
  const bool is_solved = !(m->rz > 1e-8 * rz_start);
  double least = 0;
  double largest = 0;
  opt_tridiagonal_extremes(&m->t, &least, &largest);
  out->condition = least > 0 ? fmax(1, largest / least) : (double)INFINITY;
  out->reach = sqrt(2 * out->amount / fmax(least, 0));
  out->is_sure = is_solved || m->peak / (2 * least) * out->condition <= allowed ||
                 rz_start / (2 * DBL_EPSILON * largest) <= allowed;
  if (is_thorough && m->t.n < STEPS_MIN_THOROUGH) return is_solved;
  if (is_thorough && out->amount > allowed) return true;
  return is_solved || (m->t.n >= STEPS_MIN && m->gain <= out->amount / 2 && out->is_sure);
}

// Where the condition is hopeless the sum says little: eigenvalues down to the rounding of the largest may hold all of
// g, of which f falls by <g, M^-1 g> / (2 eps largest). So it is where a thorough look leaves open what eigenvalues
// hold that are smaller by the spread seen, and these are down to rounding.
static void bound_rest(const measuring *m, double rz_start, bool is_thorough, opt_decrease *out)
{
  double least = 0;
  double largest = 0;
  const bool reaches_rounding = is_thorough && !out->is_sure && out->condition * out->condition >= 1 / DBL_EPSILON;
  if (m->t.n == 0 || !(out->condition >= opt_decrease_hopeless || reaches_rounding)) return;
  opt_tridiagonal_extremes(&m->t, &least, &largest);
  out->rest = rz_start / (2 * DBL_EPSILON * largest);
  out->condition = fmin(out->condition, 1 / DBL_EPSILON);
}

tg_status opt_decrease_find(const opt_subspace *s, const opt_krylov *work, double allowed, bool is_thorough,
                            opt_decrease *out)
{
  measuring m = {.space = s,
                 .r = work->now,
                 .d = work->found,
                 .hd = work->image,
                 .z = work->scaled != NULL ? work->scaled : work->now};
  *out = (opt_decrease){.condition = 1};
  TG_TRY(begin(&m));
  const double rz_start = m.rz;
  const int steps = is_thorough ? STEPS_MAX_THOROUGH : STEPS_MAX;
  m.peak = m.rz;
  out->is_sure = !(m.rz > 0);
  for (int k = 0; k < steps && m.rz > 0 && isfinite(m.rz); k++) {
    double curved = 0;
    double square = 0;
    TG_TRY(bend(&m, &curved, &square));
    if (!isfinite(curved)) return TG_OK;
    // No curvature at all: f is linear, or g is the rounding of one that is zero.
    if (!(curved > flat * m.largest * square)) out->is_sure = out->is_sure || k == 0;
    if (curved < -opt_curvature_flat * m.largest * square) {
      out->is_negative = true;
      out->curvature = curved / square;
      return opt_axpby(s->run->space, 0, m.d, 1 / sqrt(square), m.d);
    }
    // Along a direction without curvature beyond rounding f is linear: what it falls by on a way as long as x.
    if (!(curved > flat * m.largest * square)) {
      out->is_flat = true;
      out->slope = -m.rz / sqrt(square);
      out->amount -= out->slope * s->size;
      out->reach = s->size;
      out->condition = fmax(out->condition, 1 / flat);
      bound_rest(&m, rz_start, is_thorough, out);
      return opt_axpby(s->run->space, 0, m.d, 1 / sqrt(square), m.d);
    }
    m.gain = m.rz * m.rz / curved / 2;
    out->amount += m.gain;
    TG_TRY(advance(&m, m.rz / curved));
    if (is_enough(&m, rz_start, allowed, is_thorough, out)) break;
  }
  bound_rest(&m, rz_start, is_thorough, out);
  return TG_OK;
}
