// Quadratic forms of functions of the Hessian by Lanczos' method.
//
// Nothing is orthogonalised again: copies of eigenvalues that have converged share their weight, and the quadrature
// keeps its value (A. Greenbaum, Linear Algebra Appl. 113, 1989).
#include "opt/lanczos.h"

#include <float.h>

#include "base/memory.h"
#include "opt/vector.h"

enum { SWEEPS_MAX = 60, FIRST_LOOK = 8 };

// A Ritz value below this share of the largest is zero.
static const double flat = 1e-14;

typedef struct work {
  const opt_newton_equation *by;
  const opt_space *space;
  opt_point *before;
  opt_point *v;
  opt_point *w;
  double *diagonal; // of the tridiagonal matrix
  double *beside;   // beside[k] couples k and k + 1
  double *scratch;  // 3 `steps` numbers
} work;

static void destroy(work *w)
{
  w->space->ops->destroy(w->space, &w->before);
  w->space->ops->destroy(w->space, &w->v);
  w->space->ops->destroy(w->space, &w->w);
  tg_free(w->diagonal);
  tg_free(w->beside);
  tg_free(w->scratch);
}

static tg_status create(const opt_newton_equation *by, int64_t steps, work *w)
{
  *w = (work){.by = by, .space = by->problem->space};
  TG_TRY(w->space->ops->create(w->space, &w->before));
  TG_TRY(w->space->ops->create(w->space, &w->v));
  TG_TRY(w->space->ops->create(w->space, &w->w));
  tg_status status = tg_alloc_numbers(steps + 1, &w->diagonal);
  if (status == TG_OK) status = tg_alloc_numbers(steps + 1, &w->beside);
  if (status == TG_OK) status = tg_alloc_numbers(3 * (steps + 1), &w->scratch);
  return opt_agree(w->space, status);
}

// ---- the tridiagonal matrix ----

// A step of the implicit QL method on rows l .. m; first[] are the first entries of the eigenvectors.
static void ql_step(double *d, double *e, double *first, int64_t l, int64_t m)
{
  double g = (d[l + 1] - d[l]) / (2 * e[l]);
  double r = hypot(g, 1);
  double s = 1;
  double c = 1;
  double p = 0;
  g = d[m] - d[l] + e[l] / (g + copysign(r, g));
  for (int64_t i = m - 1; i >= l; i--) {
    const double f = s * e[i];
    const double b = c * e[i];
    r = hypot(f, g);
    e[i + 1] = r;
    if (r == 0) { // the matrix falls into two
      d[i + 1] -= p;
      e[m] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = d[i + 1] - p;
    r = (d[i] - g) * s + 2 * c * b;
    p = s * r;
    d[i + 1] = g + p;
    g = c * r - b;
    const double kept = first[i + 1];
    first[i + 1] = s * first[i] + c * kept;
    first[i] = c * first[i] - s * kept;
  }
  d[l] -= p;
  e[l] = g;
  e[m] = 0;
}

// Eigenvalues into d, first entries of the eigenvectors into first; e is destroyed (H. Bowdler, R. Martin, C. Reinsch
// and J. Wilkinson, Numer. Math. 11, 1968). Local.
static tg_status decompose(int64_t n, double *d, double *e, double *first)
{
  for (int64_t k = 0; k < n; k++) first[k] = k == 0;
  e[n - 1] = 0;
  for (int64_t l = 0; l < n; l++)
    for (int sweep = 0;; sweep++) {
      int64_t m = l;
      while (m < n - 1 && fabs(e[m]) > DBL_EPSILON * (fabs(d[m]) + fabs(d[m + 1]))) m++;
      if (m == l) break;
      if (sweep == SWEEPS_MAX) TG_FAIL(TG_NUMERIC, "the eigenvalues of a tridiagonal matrix do not converge");
      ql_step(d, e, first, l, m);
    }
  return TG_OK;
}

// e1' log(T) e1 for the n x n matrix so far. Local, with the same result on all ranks.
static tg_status quadrature(work *w, int64_t n, double *out, opt_newton_verdict *verdict)
{
  double *d = w->scratch;
  double *e = d + n;
  double *first = e + n;
  double largest = 0;
  *out = 0;
  for (int64_t k = 0; k < n; k++) d[k] = w->diagonal[k];
  for (int64_t k = 0; k < n; k++) e[k] = w->beside[k];
  TG_TRY(decompose(n, d, e, first));
  for (int64_t k = 0; k < n; k++) largest = fmax(largest, fabs(d[k]));
  for (int64_t k = 0; k < n; k++) {
    if (d[k] <= flat * largest) {
      *verdict = d[k] < -flat * largest ? OPT_NEWTON_NEGATIVE : OPT_NEWTON_FLAT;
      return TG_OK;
    }
    *out += first[k] * first[k] * log(d[k]);
  }
  return TG_OK;
}

// ---- the iteration ----

// One more row of the tridiagonal matrix, k rows being there. *ends: the space is exhausted.
static tg_status extend(work *w, int64_t k, bool *ends)
{
  const opt_space *space = w->space;
  double norm = 0;
  TG_TRY(opt_newton_equation_apply(w->by, w->v, w->w));
  if (k > 0) TG_TRY(opt_axpby(space, -w->beside[k - 1], w->before, 1, w->w));
  TG_TRY(opt_dot(space, w->v, w->w, &w->diagonal[k]));
  TG_TRY(opt_axpby(space, -w->diagonal[k], w->v, 1, w->w));
  TG_TRY(opt_norm(space, w->w, &norm));
  w->beside[k] = norm;
  *ends = !(norm > DBL_EPSILON * (fabs(w->diagonal[k]) + (k > 0 ? w->beside[k - 1] : 0)));
  opt_swap(&w->before, &w->v);
  return *ends ? TG_OK : opt_axpby(space, 1 / norm, w->w, 0, w->v);
}

static tg_status iterate(work *w, double tolerance, int64_t steps, double *out, opt_newton_verdict *verdict)
{
  int64_t look = FIRST_LOOK;
  double before = 0;
  *verdict = OPT_NEWTON_UNFINISHED;
  for (int64_t k = 0; k < steps; k++) {
    bool ends = false;
    opt_newton_verdict seen = OPT_NEWTON_SOLVED;
    TG_TRY(extend(w, k, &ends));
    if (!ends && k + 1 < look && k + 1 < steps) continue;
    TG_TRY(quadrature(w, k + 1, out, &seen));
    const bool is_settled = ends || (look > FIRST_LOOK && fabs(*out - before) <= tolerance);
    if (seen != OPT_NEWTON_SOLVED || is_settled) {
      *verdict = seen;
      return TG_OK;
    }
    before = *out;
    look = k + 1 + (k + 1) / 4;
  }
  return TG_OK;
}

tg_status opt_lanczos_log(const opt_newton_equation *by, const opt_point *z, double tolerance, int64_t steps,
                          double *out, opt_newton_verdict *verdict)
{
  work w;
  double norm = 0;
  *out = 0;
  *verdict = OPT_NEWTON_SOLVED;
  tg_status status = create(by, steps, &w);
  if (status == TG_OK) status = opt_norm(w.space, z, &norm);
  if (status == TG_OK && norm > 0) {
    status = opt_axpby(w.space, 1 / norm, z, 0, w.v);
    if (status == TG_OK) status = iterate(&w, tolerance, steps, out, verdict);
    *out *= norm * norm;
  }
  destroy(&w);
  return status;
}
