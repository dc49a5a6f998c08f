// Objectives that are no polynomials. Each optimum comes from a closed form or a method unlike those under test.
#include "support/hand_tools.h"

#include <float.h>
#include <math.h>
#include <string.h>

// ---- Logistic regression sum_i log(1 + exp(<a_i, x>)) - y_i <a_i, x> + 0.05 |x|^2 ----

enum { LOGISTIC_ROWS = 30 };
static const double logistic_ridge = 0.05;

static double logistic_margin(const hand_problem *problem, int64_t row, const double *x)
{
  return hand_dot(hand_size(problem), problem->a + row * hand_size(problem), x);
}

static double sigmoid(double t)
{
  return 1 / (1 + exp(-t));
}

static double value_logistic(const hand_problem *problem, const double *x)
{
  double sum = logistic_ridge * hand_dot(hand_size(problem), x, x);
  for (int64_t i = 0; i < LOGISTIC_ROWS; i++) {
    const double t = logistic_margin(problem, i, x);
    sum += fmax(t, 0) + log1p(exp(-fabs(t))) - problem->b[i] * t;
  }
  return sum;
}

static void gradient_logistic(const hand_problem *problem, const double *x, double *g)
{
  const int64_t n = hand_size(problem);
  for (int64_t j = 0; j < n; j++) g[j] = 2 * logistic_ridge * x[j];
  for (int64_t i = 0; i < LOGISTIC_ROWS; i++) {
    const double weight = sigmoid(logistic_margin(problem, i, x)) - problem->b[i];
    for (int64_t j = 0; j < n; j++) g[j] += weight * problem->a[i * n + j];
  }
}

static void hessian_logistic(const hand_problem *problem, const double *x, const double *v, double *hv)
{
  const int64_t n = hand_size(problem);
  for (int64_t j = 0; j < n; j++) hv[j] = 2 * logistic_ridge * v[j];
  for (int64_t i = 0; i < LOGISTIC_ROWS; i++) {
    const double p = sigmoid(logistic_margin(problem, i, x));
    const double weight = p * (1 - p) * logistic_margin(problem, i, v);
    for (int64_t j = 0; j < n; j++) hv[j] += weight * problem->a[i * n + j];
  }
}

// One sweep of Newton's method coordinate by coordinate: unlike anything under test, and certain to converge here.
static void sweep_coordinates(const hand_problem *problem, double *x)
{
  const int64_t n = hand_size(problem);
  double g[HAND_DATA_MAX];
  double unit[HAND_DATA_MAX] = {0};
  double column[HAND_DATA_MAX];
  for (int64_t j = 0; j < n; j++) {
    unit[j] = 1;
    gradient_logistic(problem, x, g);
    hessian_logistic(problem, x, unit, column);
    x[j] -= g[j] / column[j];
    unit[j] = 0;
  }
}

static void set_up_logistic(hand_problem *problem)
{
  const int64_t n = hand_size(problem);
  for (int64_t i = 0; i < LOGISTIC_ROWS * n; i++) problem->a[i] = 2 * hand_wobble(3 * i);
  for (int64_t i = 0; i < LOGISTIC_ROWS; i++) problem->b[i] = hand_wobble(5 * i + 1) > 0 ? 1 : 0;
  double x[HAND_DATA_MAX] = {0};
  for (int sweep = 0; sweep < 500; sweep++) sweep_coordinates(problem, x);
  problem->optimum = value_logistic(problem, x);
}

// ---- Covariance tr(S X) - log det X: minimum n + log det S at X = S^-1; NaN where X is not positive definite ----

// Cholesky factor of (X + X') / 2 in `factor`; false where there is none. The function is that of the symmetric part,
// so that rounding cannot find descent in the antisymmetric one.
static bool factorise(int64_t n, const double *x, double *factor)
{
  for (int64_t j = 0; j < n; j++) {
    for (int64_t i = j; i < n; i++) {
      double sum = (x[i + n * j] + x[j + n * i]) / 2;
      for (int64_t k = 0; k < j; k++) sum -= factor[i + n * k] * factor[j + n * k];
      if (i == j && !(sum > 0)) return false;
      factor[i + n * j] = i == j ? sqrt(sum) : sum / factor[j + n * j];
    }
  }
  return true;
}

// b := X^-1 b for one column
static void solve_column(int64_t n, const double *factor, double *b)
{
  for (int64_t i = 0; i < n; i++) {
    for (int64_t k = 0; k < i; k++) b[i] -= factor[i + n * k] * b[k];
    b[i] /= factor[i + n * i];
  }
  for (int64_t i = n - 1; i >= 0; i--) {
    for (int64_t k = i + 1; k < n; k++) b[i] -= factor[k + n * i] * b[k];
    b[i] /= factor[i + n * i];
  }
}

static double value_logdet(const hand_problem *problem, const double *x)
{
  const int64_t n = problem->objective->rows[0];
  double factor[HAND_DATA_MAX];
  if (!factorise(n, x, factor)) return NAN;
  double value = hand_dot(n * n, problem->a, x);
  for (int64_t i = 0; i < n; i++) value -= 2 * log(factor[i + n * i]);
  return value;
}

// That of <S, X>: X may go far along the skew matrices, which f does not feel.
static double rounding_logdet(const hand_problem *problem, const double *x)
{
  double sum = 0;
  for (int64_t i = 0; i < hand_size(problem); i++) sum += fabs(problem->a[i] * x[i]);
  return 8 * DBL_EPSILON * sum;
}

static void gradient_logdet(const hand_problem *problem, const double *x, double *g)
{
  const int64_t n = problem->objective->rows[0];
  double factor[HAND_DATA_MAX];
  const bool is_inside = factorise(n, x, factor);
  for (int64_t j = 0; j < n; j++) {
    double column[32] = {0};
    column[j] = 1;
    if (is_inside) solve_column(n, factor, column);
    for (int64_t i = 0; i < n; i++) g[i + n * j] = is_inside ? problem->a[i + n * j] - column[i] : (double)NAN;
  }
}

// H V = X^-1 (V + V') / 2 X^-1
static void hessian_logdet(const hand_problem *problem, const double *x, const double *v, double *hv)
{
  const int64_t n = problem->objective->rows[0];
  double factor[HAND_DATA_MAX];
  double half[HAND_DATA_MAX];
  if (!factorise(n, x, factor)) return;
  for (int64_t j = 0; j < n; j++) {
    for (int64_t i = 0; i < n; i++) half[i + n * j] = (v[i + n * j] + v[j + n * i]) / 2;
    solve_column(n, factor, half + n * j);
  }
  for (int64_t j = 0; j < n; j++) {
    double row[32];
    for (int64_t i = 0; i < n; i++) row[i] = half[j + n * i];
    solve_column(n, factor, row);
    for (int64_t i = 0; i < n; i++) hv[j + n * i] = row[i];
  }
}

static void set_up_logdet(hand_problem *problem)
{
  const int64_t n = problem->objective->rows[0];
  double lambda[32];
  problem->optimum = (double)n;
  problem->rounding = rounding_logdet;
  for (int64_t i = 0; i < n; i++) {
    lambda[i] = pow(problem->objective->parameter, (double)i / (double)(n - 1)) / 2;
    problem->optimum += log(lambda[i]);
  }
  hand_reflect_diagonal(n, lambda, problem->a);
}

static void start_identity(const hand_problem *problem, double *x)
{
  const int64_t n = problem->objective->rows[0];
  for (int64_t i = 0; i < n * n; i++) x[i] = i % (n + 1) == 0 ? 1 : 0;
}

static void start_negative(const hand_problem *problem, double *x)
{
  const int64_t n = problem->objective->rows[0];
  for (int64_t i = 0; i < n * n; i++) x[i] = i % (n + 1) == 0 ? -1 : 0;
}

// ---- Barrier <C, X> - sum log(1 - x^2): each entry by itself has x = (1 - sqrt(1 + c^2)) / c; NaN for |x| >= 1 ----

static void set_up_barrier(hand_problem *problem)
{
  problem->optimum = 0;
  for (int64_t i = 0; i < hand_size(problem); i++) {
    const double c = 60 * hand_wobble(i);
    const double x = (1 - sqrt(1 + c * c)) / c;
    problem->c[i] = c;
    problem->optimum += c * x - log(1 - x * x);
  }
}

static double value_barrier(const hand_problem *problem, const double *x)
{
  double sum = 0;
  for (int64_t i = 0; i < hand_size(problem); i++) sum += problem->c[i] * x[i] - log(1 - x[i] * x[i]);
  return sum;
}

static void gradient_barrier(const hand_problem *problem, const double *x, double *g)
{
  for (int64_t i = 0; i < hand_size(problem); i++) {
    const double inside = 1 - x[i] * x[i];
    g[i] = inside > 0 ? problem->c[i] + 2 * x[i] / inside : (double)NAN;
  }
}

static void hessian_barrier(const hand_problem *problem, const double *x, const double *v, double *hv)
{
  for (int64_t i = 0; i < hand_size(problem); i++) {
    const double inside = 1 - x[i] * x[i];
    hv[i] = (2 / inside + 4 * x[i] * x[i] / (inside * inside)) * v[i];
  }
}

// clang-format off
const hand_objective hand_generals[] = {
    HAND_OBJECTIVE("logistic", logistic, 3, 2, -1, 0, hand_start_zeros, NULL, OPT_CONVERGED, false),
    HAND_OBJECTIVE("logdet", logdet, 5, 5, -1, 20, start_identity, NULL, OPT_CONVERGED, false),
    HAND_OBJECTIVE("logdet-outside", logdet, 5, 5, -1, 20, start_negative, NULL, OPT_NOT_FINITE, false),
    HAND_OBJECTIVE("barrier", barrier, 4, 2, -1, 0, hand_start_zeros, NULL, OPT_CONVERGED, true),
};
// clang-format on
const int hand_generals_count = sizeof hand_generals / sizeof hand_generals[0];
