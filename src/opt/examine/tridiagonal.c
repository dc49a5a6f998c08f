// Bisection by Sturm counts, and inverse iteration (B. Parlett, The Symmetric Eigenvalue Problem, 1998, ch. 4 and 7).
#include "opt/examine/tridiagonal.h"

#include <float.h>
#include <math.h>

// Where all eigenvalues lie, by Gershgorin's circles.
static double bound_of(const opt_tridiagonal *t)
{
  double bound = 0;
  for (int k = 0; k < t->n; k++) {
    const double left = k > 0 ? fabs(t->off[k - 1]) : 0;
    const double right = k + 1 < t->n ? fabs(t->off[k]) : 0;
    bound = fmax(bound, fabs(t->diagonal[k]) + left + right);
  }
  return bound;
}

// A pivot of the factorisation T - shift I = L D L' that vanishes is taken for a small negative number.
static double pivot_of(const opt_tridiagonal *t, int k, double shift, double before)
{
  const double left = k > 0 ? t->off[k - 1] : 0;
  const double pivot = t->diagonal[k] - shift - (k > 0 ? left * left / before : 0);
  return pivot != 0 ? pivot : -DBL_MIN;
}

// Eigenvalues below the shift: negative pivots, by Sylvester's law.
static int count_below(const opt_tridiagonal *t, double shift)
{
  int count = 0;
  double pivot = 1;
  for (int k = 0; k < t->n; k++) {
    pivot = pivot_of(t, k, shift, pivot);
    count += pivot < 0;
  }
  return count;
}

// The eigenvalue number `index` from below.
static double bisect(const opt_tridiagonal *t, int index, double bound)
{
  double low = -bound * (1 + 4 * DBL_EPSILON);
  double high = bound * (1 + 4 * DBL_EPSILON);
  for (int k = 0; k < 80 && high - low > DBL_EPSILON * bound; k++) {
    const double middle = low + (high - low) / 2;
    if (count_below(t, middle) > index)
      high = middle;
    else
      low = middle;
  }
  return low + (high - low) / 2;
}

void opt_tridiagonal_extremes(const opt_tridiagonal *t, double *least, double *largest)
{
  const double bound = bound_of(t);
  *least = bisect(t, 0, bound);
  *largest = bisect(t, t->n - 1, bound);
}

static void normalise(int n, double *v)
{
  double square = 0;
  for (int k = 0; k < n; k++) square += v[k] * v[k];
  for (int k = 0; k < n; k++) v[k] /= sqrt(square);
}

// Solves with T - shift I, positive definite for a shift below all eigenvalues: no pivoting is needed.
static void solve(const opt_tridiagonal *t, double shift, double *v)
{
  double pivots[OPT_TRIDIAGONAL_MAX];
  double pivot = 1;
  for (int k = 0; k < t->n; k++) {
    pivot = pivots[k] = pivot_of(t, k, shift, pivot);
    if (k > 0) v[k] -= t->off[k - 1] / pivots[k - 1] * v[k - 1];
  }
  for (int k = t->n - 1; k >= 0; k--) {
    v[k] /= pivots[k];
    if (k + 1 < t->n) v[k] -= t->off[k] / pivots[k] * v[k + 1];
  }
}

void opt_tridiagonal_vector(const opt_tridiagonal *t, double least, double *vector)
{
  const double shift = least - 64 * DBL_EPSILON * fmax(bound_of(t), DBL_MIN / DBL_EPSILON);
  for (int k = 0; k < t->n; k++) vector[k] = 1 + 0.1 * k;
  for (int pass = 0; pass < 3; pass++) {
    solve(t, shift, vector);
    normalise(t->n, vector);
  }
}
