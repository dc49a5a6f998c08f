// Small dense functions: scaling and squaring, Newton's iteration for the square root, Jacobi rotations.
#include "grad/graph/sample_dense.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "grad/graph/op.h"

enum { ITERATIONS_MAX = 100, TERMS = 24, ROOTS_MAX = 60 };

static void multiply(int64_t n, const double *a, const double *b, double *out)
{
  memset(out, 0, sizeof(double) * (size_t)(n * n));
  for (int64_t j = 0; j < n; j++)
    for (int64_t k = 0; k < n; k++)
      for (int64_t i = 0; i < n; i++) out[i + j * n] += a[i + k * n] * b[k + j * n];
}

static void set_identity(int64_t n, double *a)
{
  memset(a, 0, sizeof(double) * (size_t)(n * n));
  for (int64_t i = 0; i < n; i++) a[i + i * n] = 1;
}

// The largest column sum of |A - shift I|.
static double distance(int64_t n, const double *a, double shift)
{
  double most = 0;
  for (int64_t j = 0; j < n; j++) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += fabs(a[i + j * n] - (i == j ? shift : 0));
    if (!(sum <= most)) most = sum;
  }
  return most;
}

static void invert(int64_t n, const double *a, double *copy, double *out)
{
  double det = 0;
  memcpy(copy, a, sizeof(double) * (size_t)(n * n));
  set_identity(n, out);
  tg_sample_eliminate(n, copy, n, out, &det);
}

// exp(A) = exp(A/2^s)^(2^s), by the series where the norm is small.
static void apply_exp(int64_t n, double *a, double *work)
{
  double *term = work;
  double *next = work + n * n;
  double *sum = work + 2 * n * n;
  const double norm = distance(n, a, 0);
  int squarings = 0;
  while (ldexp(norm, -squarings) > 0.5 && squarings < 1100) squarings++;
  for (int64_t i = 0; i < n * n; i++) a[i] = ldexp(a[i], -squarings);
  set_identity(n, term);
  set_identity(n, sum);
  for (int k = 1; k < TERMS; k++) {
    multiply(n, term, a, next);
    for (int64_t i = 0; i < n * n; i++) term[i] = next[i] / k;
    for (int64_t i = 0; i < n * n; i++) sum[i] += term[i];
  }
  for (int s = 0; s < squarings; s++) {
    multiply(n, sum, sum, next);
    memcpy(sum, next, sizeof(double) * (size_t)(n * n));
  }
  memcpy(a, sum, sizeof(double) * (size_t)(n * n));
}

// Y := (Y + Z^-1)/2, Z := (Z + Y^-1)/2 from Y = A, Z = I tends to Y = sqrt(A) (Denman and Beavers, 1976).
static void apply_sqrt(int64_t n, double *a, double *work)
{
  double *z = work;
  double *y_inverse = work + n * n;
  double *z_inverse = work + 2 * n * n;
  double *copy = work + 3 * n * n;
  set_identity(n, z);
  double change = 1;
  double before = HUGE_VAL;
  // Quadratic at the end, so that one step after the change is small is enough; rounding then makes it grow.
  for (int k = 0; k < ITERATIONS_MAX && change > 0 && (change > 1e-12 || change < before); k++) {
    before = change;
    invert(n, a, copy, y_inverse);
    invert(n, z, copy, z_inverse);
    change = 0;
    double size = 0;
    for (int64_t i = 0; i < n * n; i++) {
      const double y = 0.5 * (a[i] + z_inverse[i]);
      change = fmax(change, fabs(y - a[i]));
      size = fmax(size, fabs(y));
      a[i] = y;
      z[i] = 0.5 * (z[i] + y_inverse[i]);
    }
    change /= size;
  }
  for (int64_t i = 0; i < n * n && !(change < 1e-6); i++) a[i] = NAN;
}

// log(A) = 2^s log(A^(1/2^s)), near the identity 2 atanh((A - I) inv(A + I)).
static void apply_log(int64_t n, double *a, double *work)
{
  double *q = work;
  double *power = work + n * n;
  double *next = work + 2 * n * n;
  double *copy = work + 3 * n * n;
  int roots = 0;
  for (; distance(n, a, 1) > 0.3 && roots < ROOTS_MAX; roots++) apply_sqrt(n, a, work);
  memcpy(next, a, sizeof(double) * (size_t)(n * n));
  for (int64_t i = 0; i < n; i++) next[i + i * n] += 1;
  invert(n, next, copy, power);
  for (int64_t i = 0; i < n; i++) a[i + i * n] -= 1;
  multiply(n, a, power, q);
  memcpy(power, q, sizeof(double) * (size_t)(n * n));
  memset(a, 0, sizeof(double) * (size_t)(n * n));
  for (int k = 1; k < 2 * TERMS; k += 2) {
    for (int64_t i = 0; i < n * n; i++) a[i] += 2 * power[i] / k;
    multiply(n, power, q, next);
    multiply(n, next, q, power);
  }
  for (int64_t i = 0; i < n * n; i++) a[i] = ldexp(a[i], roots);
}

tg_status tg_dense_apply(tg_dense_function f, int64_t n, double *a)
{
  double *work = NULL;
  TG_TRY(TG_NEW(4 * n * n, &work));
  if (f == TG_DENSE_SQRT) apply_sqrt(n, a, work);
  if (f == TG_DENSE_EXP) apply_exp(n, a, work);
  if (f == TG_DENSE_LOG) apply_log(n, a, work);
  tg_free(work);
  return TG_OK;
}

// ---- eigenvalues ----

static double outside_diagonal(int64_t n, const double *a)
{
  double sum = 0;
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = 0; i < j; i++) sum += a[i + j * n] * a[i + j * n];
  return sum;
}

// A := J' A J, Q := Q J with the rotation J of lines p and q that makes A(p,q) zero.
static void rotate_pair(int64_t n, int64_t p, int64_t q, double *a, double *vectors)
{
  const double off = a[p + q * n];
  if (off == 0) return;
  const double zeta = (a[q + q * n] - a[p + p * n]) / (2 * off);
  const double t = (zeta >= 0 ? 1 : -1) / (fabs(zeta) + hypot(1, zeta));
  const double c = 1 / sqrt(1 + t * t);
  const double s = c * t;
  for (int64_t i = 0; i < n; i++) {
    const double x = a[i + p * n];
    const double y = a[i + q * n];
    a[i + p * n] = c * x - s * y;
    a[i + q * n] = s * x + c * y;
    const double u = vectors[i + p * n];
    const double v = vectors[i + q * n];
    vectors[i + p * n] = c * u - s * v;
    vectors[i + q * n] = s * u + c * v;
  }
  for (int64_t i = 0; i < n; i++) {
    const double x = a[p + i * n];
    const double y = a[q + i * n];
    a[p + i * n] = c * x - s * y;
    a[q + i * n] = s * x + c * y;
  }
  a[p + q * n] = a[q + p * n] = 0;
}

void tg_dense_eigen(int64_t n, double *a, double *q, double *values)
{
  set_identity(n, q);
  double before = HUGE_VAL;
  double off = outside_diagonal(n, a);
  while (off > 0 && off < before) {
    before = off;
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = i + 1; j < n; j++) rotate_pair(n, i, j, a, q);
    off = outside_diagonal(n, a);
  }
  for (int64_t i = 0; i < n; i++) values[i] = a[i + i * n];
  for (int64_t i = 0; i < n; i++) {
    int64_t least = i;
    for (int64_t j = i + 1; j < n; j++)
      if (values[j] < values[least]) least = j;
    const double held = values[i];
    values[i] = values[least];
    values[least] = held;
    for (int64_t k = 0; k < n && least != i; k++) {
      const double x = q[k + i * n];
      q[k + i * n] = q[k + least * n];
      q[k + least * n] = x;
    }
  }
}

// ---- singular values ----

static double column_dot(int64_t m, const double *x, const double *y)
{
  double sum = 0;
  for (int64_t i = 0; i < m; i++) sum += x[i] * y[i];
  return sum;
}

static void rotate(int64_t m, double c, double s, double *x, double *y)
{
  for (int64_t i = 0; i < m; i++) {
    const double held = c * x[i] - s * y[i];
    y[i] = s * x[i] + c * y[i];
    x[i] = held;
  }
}

// Rotations of pairs of columns until all are orthogonal (Hestenes, 1958): w = A V.
static void orthogonalise(int64_t m, int64_t n, double *w, double *v)
{
  bool moved = true;
  for (int sweep = 0; sweep < ITERATIONS_MAX && moved; sweep++) {
    moved = false;
    for (int64_t p = 0; p < n; p++)
      for (int64_t q = p + 1; q < n; q++) {
        const double a = column_dot(m, w + p * m, w + p * m);
        const double b = column_dot(m, w + q * m, w + q * m);
        const double g = column_dot(m, w + p * m, w + q * m);
        if (!(fabs(g) > 1e-15 * sqrt(a * b)) || g == 0) continue;
        const double zeta = (b - a) / (2 * g);
        const double t = (zeta >= 0 ? 1 : -1) / (fabs(zeta) + sqrt(1 + zeta * zeta));
        const double c = 1 / sqrt(1 + t * t);
        moved = true;
        rotate(m, c, c * t, w + p * m, w + q * m);
        rotate(n, c, c * t, v + p * n, v + q * n);
      }
  }
}

static void swap_columns(int64_t m, double *x, double *y)
{
  for (int64_t i = 0; i < m; i++) {
    const double held = x[i];
    x[i] = y[i];
    y[i] = held;
  }
}

// m >= n: u m x n holds A and becomes U.
static void svd_of_tall(int64_t m, int64_t n, double *u, double *values, double *v)
{
  set_identity(n, v);
  orthogonalise(m, n, u, v);
  for (int64_t j = 0; j < n; j++) values[j] = sqrt(column_dot(m, u + j * m, u + j * m));
  for (int64_t j = 0; j < n; j++) {
    int64_t top = j;
    for (int64_t k = j + 1; k < n; k++)
      if (values[k] > values[top]) top = k;
    if (top != j) {
      const double held = values[j];
      values[j] = values[top];
      values[top] = held;
      swap_columns(m, u + j * m, u + top * m);
      swap_columns(n, v + j * n, v + top * n);
    }
    if (!(values[j] > 1e-15 * (double)m * values[0])) values[j] = 0;
    for (int64_t i = 0; i < m; i++) u[i + j * m] = values[j] > 0 ? u[i + j * m] / values[j] : 0;
  }
}

tg_status tg_dense_svd(int64_t m, int64_t n, const double *a, double *u, double *values, double *v)
{
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = 0; i < m; i++) {
      if (m >= n)
        u[i + j * m] = a[i + j * m];
      else
        v[j + i * n] = a[i + j * m];
    }
  if (m >= n)
    svd_of_tall(m, n, u, values, v);
  else
    svd_of_tall(n, m, v, values, u);
  return TG_OK;
}
