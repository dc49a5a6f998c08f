// Quartic objectives, and the same shown as general functions.
#include "support/hand_tools.h"

#include <math.h>
#include <string.h>

// ---- Polynomials in t as numbers: an objective written on them yields its own line coefficients. ----

enum { SERIES = OPT_DEGREE_MAX + 1 };

typedef struct series {
  double c[SERIES];
} series;

static series series_number(double value)
{
  return (series){{value}};
}

static series series_line(double x, double d)
{
  return (series){{x, d}};
}

// a + factor b
static series series_add(series a, double factor, series b)
{
  for (int k = 0; k < SERIES; k++) a.c[k] += factor * b.c[k];
  return a;
}

static series series_mul(series a, series b)
{
  series out = {{0}};
  for (int i = 0; i < SERIES; i++) {
    for (int j = 0; i + j < SERIES; j++) out.c[i + j] += a.c[i] * b.c[j];
  }
  return out;
}

static void series_store(series a, int degree, double *c)
{
  for (int k = 0; k <= degree; k++) c[k] = a.c[k];
}
// ---- The orbital functional tr((2 I - X'X) X'A X), A negative definite: its minimum is the sum of the lowest
//      eigenvalues (Mauri, Galli and Car, Phys. Rev. B 47 (1993)). ----

static void set_up_orbital(hand_problem *problem)
{
  const int64_t n = problem->objective->rows[0];
  const int64_t p = problem->objective->cols[0];
  double lambda[32];
  problem->optimum = 0;
  for (int64_t i = 0; i < n; i++) lambda[i] = -5 + 4 * (double)i / (double)n + (i >= p ? 0.6 : 0);
  for (int64_t i = 0; i < p; i++) problem->optimum += lambda[i];
  hand_reflect_diagonal(n, lambda, problem->a);
}

static series orbital_series(const hand_problem *problem, const double *x, const double *d)
{
  const int64_t n = problem->objective->rows[0];
  const int64_t p = problem->objective->cols[0];
  series sum = series_number(0);
  series s[16];
  series h[16];
  for (int64_t i = 0; i < p; i++) {
    for (int64_t j = 0; j < p; j++) {
      s[i + p * j] = series_number(0);
      h[i + p * j] = series_number(0);
      for (int64_t k = 0; k < n; k++) {
        const series xki = series_line(x[k + n * i], d[k + n * i]);
        s[i + p * j] = series_add(s[i + p * j], 1, series_mul(xki, series_line(x[k + n * j], d[k + n * j])));
        series ax = series_number(0);
        for (int64_t l = 0; l < n; l++)
          ax = series_add(ax, problem->a[k + n * l], series_line(x[l + n * j], d[l + n * j]));
        h[i + p * j] = series_add(h[i + p * j], 1, series_mul(xki, ax));
      }
    }
  }
  for (int64_t i = 0; i < p; i++) {
    sum = series_add(sum, 2, h[i + p * i]);
    for (int64_t j = 0; j < p; j++) sum = series_add(sum, -1, series_mul(s[i + p * j], h[j + p * i]));
  }
  return sum;
}

static double value_orbital(const hand_problem *problem, const double *x)
{
  double zeros[HAND_DATA_MAX] = {0};
  return orbital_series(problem, x, zeros).c[0];
}

static void line_orbital(const hand_problem *problem, const double *x, const double *d, double *c)
{
  series_store(orbital_series(problem, x, d), 4, c);
}

// Gradient entry by entry as the slope along the unit matrices: slow, and free of any derivation.
static void gradient_orbital(const hand_problem *problem, const double *x, double *g)
{
  double unit[HAND_DATA_MAX] = {0};
  for (int64_t i = 0; i < hand_size(problem); i++) {
    unit[i] = 1;
    g[i] = orbital_series(problem, x, unit).c[1];
    unit[i] = 0;
  }
}

// <e_i, H v> by polarisation of the second coefficients along e_i + v, e_i and v.
static void hessian_orbital(const hand_problem *problem, const double *x, const double *v, double *hv)
{
  double along[HAND_DATA_MAX];
  const double vv = orbital_series(problem, x, v).c[2];
  for (int64_t i = 0; i < hand_size(problem); i++) {
    memset(along, 0, sizeof along);
    along[i] = 1;
    const double ii = orbital_series(problem, x, along).c[2];
    for (int64_t j = 0; j < hand_size(problem); j++) along[j] = v[j] + (i == j ? 1 : 0);
    hv[i] = orbital_series(problem, x, along).c[2] - ii - vv;
  }
}

static void start_orbital(const hand_problem *problem, double *x)
{
  for (int64_t i = 0; i < hand_size(problem); i++) x[i] = 0.3 * hand_wobble(i);
}

// ---- Rosenbrock, one valley per column: sum_j 100 (x2 - x1^2)^2 + (1 - x1)^2 ----

static void set_up_rosenbrock(hand_problem *problem)
{
  problem->optimum = 0;
}

static series rosenbrock_column(const double *x, const double *d)
{
  const series x1 = series_line(x[0], d[0]);
  const series off = series_add(series_line(x[1], d[1]), -1, series_mul(x1, x1));
  const series rest = series_add(series_number(1), -1, x1);
  return series_add(series_mul(rest, rest), 100, series_mul(off, off));
}

static void line_rosenbrock(const hand_problem *problem, const double *x, const double *d, double *c)
{
  series sum = series_number(0);
  for (int64_t j = 0; j < problem->objective->cols[0]; j++)
    sum = series_add(sum, 1, rosenbrock_column(x + 2 * j, d + 2 * j));
  series_store(sum, 4, c);
}

static double value_rosenbrock(const hand_problem *problem, const double *x)
{
  double c[5];
  double zeros[HAND_DATA_MAX] = {0};
  line_rosenbrock(problem, x, zeros, c);
  return c[0];
}

static void gradient_rosenbrock(const hand_problem *problem, const double *x, double *g)
{
  for (int64_t j = 0; j < problem->objective->cols[0]; j++) {
    const double x1 = x[2 * j];
    const double off = x[2 * j + 1] - x1 * x1;
    g[2 * j] = -400 * x1 * off - 2 * (1 - x1);
    g[2 * j + 1] = 200 * off;
  }
}

static void hessian_rosenbrock(const hand_problem *problem, const double *x, const double *v, double *hv)
{
  for (int64_t j = 0; j < problem->objective->cols[0]; j++) {
    const double x1 = x[2 * j];
    const double h11 = 1200 * x1 * x1 - 400 * x[2 * j + 1] + 2;
    hv[2 * j] = h11 * v[2 * j] - 400 * x1 * v[2 * j + 1];
    hv[2 * j + 1] = -400 * x1 * v[2 * j] + 200 * v[2 * j + 1];
  }
}

static void start_rosenbrock(const hand_problem *problem, double *x)
{
  for (int64_t j = 0; j < problem->objective->cols[0]; j++) {
    x[2 * j] = -1.2 + 0.1 * (double)j;
    x[2 * j + 1] = 1;
  }
}

static void start_ones(const hand_problem *problem, double *x)
{
  for (int64_t i = 0; i < hand_size(problem); i++) x[i] = 1;
}

// ---- A saddle: sum over columns of x1^2 / 2 - x2^2 / 2 + x2^4 / 4, minima -1/4 at x2 = +-1, started beside 0 ----

static void set_up_saddle(hand_problem *problem)
{
  problem->optimum = -0.25 * (double)problem->objective->cols[0];
}

static void line_saddle(const hand_problem *problem, const double *x, const double *d, double *c)
{
  series sum = series_number(0);
  for (int64_t j = 0; j < problem->objective->cols[0]; j++) {
    const series x1 = series_line(x[2 * j], d[2 * j]);
    const series x2 = series_line(x[2 * j + 1], d[2 * j + 1]);
    const series square = series_mul(x2, x2);
    sum = series_add(sum, 0.5, series_mul(x1, x1));
    sum = series_add(sum, -0.5, square);
    sum = series_add(sum, 0.25, series_mul(square, square));
  }
  series_store(sum, 4, c);
}

static double value_saddle(const hand_problem *problem, const double *x)
{
  double c[5];
  double zeros[HAND_DATA_MAX] = {0};
  line_saddle(problem, x, zeros, c);
  return c[0];
}

static void gradient_saddle(const hand_problem *problem, const double *x, double *g)
{
  for (int64_t j = 0; j < problem->objective->cols[0]; j++) {
    const double x2 = x[2 * j + 1];
    g[2 * j] = x[2 * j];
    g[2 * j + 1] = x2 * x2 * x2 - x2;
  }
}

static void hessian_saddle(const hand_problem *problem, const double *x, const double *v, double *hv)
{
  for (int64_t j = 0; j < problem->objective->cols[0]; j++) {
    const double x2 = x[2 * j + 1];
    hv[2 * j] = v[2 * j];
    hv[2 * j + 1] = (3 * x2 * x2 - 1) * v[2 * j + 1];
  }
}

static void start_saddle(const hand_problem *problem, double *x)
{
  for (int64_t j = 0; j < problem->objective->cols[0]; j++) {
    x[2 * j] = 1;
    x[2 * j + 1] = 1e-3 * (double)(j + 1);
  }
}

// ---- Factorisation 1/2 |A - U V'|^2 of a matrix of rank 2, two blocks: minimum 0 ----

static void set_up_factorisation(hand_problem *problem)
{
  const int64_t m = problem->objective->rows[0];
  const int64_t n = problem->objective->rows[1];
  for (int64_t i = 0; i < m; i++) {
    for (int64_t j = 0; j < n; j++)
      problem->a[i + m * j] = 2 * hand_wobble(i) * hand_wobble(j + 20) + hand_wobble(i + 40) * hand_wobble(j + 60);
  }
  problem->optimum = 0;
}

static void line_factorisation(const hand_problem *problem, const double *x, const double *d, double *c)
{
  const int64_t m = problem->objective->rows[0];
  const int64_t n = problem->objective->rows[1];
  const int64_t p = problem->objective->cols[0];
  series sum = series_number(0);
  for (int64_t i = 0; i < m; i++) {
    for (int64_t j = 0; j < n; j++) {
      series rest = series_number(problem->a[i + m * j]);
      for (int64_t k = 0; k < p; k++) {
        const int64_t u = i + m * k;
        const int64_t v = m * p + j + n * k;
        rest = series_add(rest, -1, series_mul(series_line(x[u], d[u]), series_line(x[v], d[v])));
      }
      sum = series_add(sum, 0.5, series_mul(rest, rest));
    }
  }
  series_store(sum, 4, c);
}

static double value_factorisation(const hand_problem *problem, const double *x)
{
  double c[5];
  double zeros[HAND_DATA_MAX] = {0};
  line_factorisation(problem, x, zeros, c);
  return c[0];
}

static void gradient_factorisation(const hand_problem *problem, const double *x, double *g)
{
  double c[5];
  double unit[HAND_DATA_MAX] = {0};
  for (int64_t i = 0; i < hand_size(problem); i++) {
    unit[i] = 1;
    line_factorisation(problem, x, unit, c);
    g[i] = c[1];
    unit[i] = 0;
  }
}

static void hessian_factorisation(const hand_problem *problem, const double *x, const double *v, double *hv)
{
  double along[HAND_DATA_MAX];
  double vv[5];
  double ii[5];
  double both[5];
  line_factorisation(problem, x, v, vv);
  for (int64_t i = 0; i < hand_size(problem); i++) {
    memset(along, 0, sizeof along);
    along[i] = 1;
    line_factorisation(problem, x, along, ii);
    for (int64_t j = 0; j < hand_size(problem); j++) along[j] = v[j] + (i == j ? 1 : 0);
    line_factorisation(problem, x, along, both);
    hv[i] = both[2] - ii[2] - vv[2];
  }
}

// clang-format off
const hand_objective hand_polynomials[] = {
    HAND_OBJECTIVE("orbital", orbital, 6, 2, 4, 0, start_orbital, line_orbital, OPT_CONVERGED, false),
    HAND_OBJECTIVE("orbital-general", orbital, 6, 2, -1, 0, start_orbital, line_orbital, OPT_CONVERGED, false),
    HAND_OBJECTIVE("rosenbrock", rosenbrock, 2, 3, 4, 0, start_rosenbrock, line_rosenbrock, OPT_CONVERGED, true),
    HAND_OBJECTIVE("rosenbrock-general", rosenbrock, 2, 3, -1, 0, start_rosenbrock, line_rosenbrock, OPT_CONVERGED, true),
    HAND_OBJECTIVE("at-optimum", rosenbrock, 2, 3, 4, 0, start_ones, line_rosenbrock, OPT_CONVERGED, false),
    HAND_OBJECTIVE("saddle", saddle, 2, 2, 4, 0, start_saddle, line_saddle, OPT_CONVERGED, false),
    HAND_OBJECTIVE("saddle-general", saddle, 2, 2, -1, 0, start_saddle, line_saddle, OPT_CONVERGED, false),
    {.name = "factorisation", .n_blocks = 2, .rows = {5, 4}, .cols = {2, 2}, .degree = 4,
     .set_up = set_up_factorisation, .start = hand_start_wobbly, .value = value_factorisation,
     .gradient = gradient_factorisation, .line = line_factorisation, .hessian = hessian_factorisation,
     .expected = OPT_CONVERGED},
};
// clang-format on
const int hand_polynomials_count = sizeof hand_polynomials / sizeof hand_polynomials[0];
