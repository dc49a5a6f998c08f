// Quadratic, linear and constant objectives.
#include "support/hand_tools.h"

#include <math.h>
#include <string.h>

// ---- Quadratics 1/2 <X, L X R> - <C, X>, L = Q diag Q' and R = Q diag Q' with a reflection Q. ----

// out := L X R
static void apply_quadratic(const hand_problem *problem, const double *x, double *out)
{
  const int64_t m = problem->objective->rows[0];
  const int64_t n = problem->objective->cols[0];
  double lx[HAND_DATA_MAX];
  for (int64_t i = 0; i < m; i++) {
    for (int64_t j = 0; j < n; j++) {
      lx[i + m * j] = 0;
      for (int64_t k = 0; k < m; k++) lx[i + m * j] += problem->a[i + m * k] * x[k + m * j];
    }
  }
  for (int64_t i = 0; i < m; i++) {
    for (int64_t j = 0; j < n; j++) {
      out[i + m * j] = 0;
      for (int64_t k = 0; k < n; k++) out[i + m * j] += lx[i + m * k] * problem->b[k + n * j];
    }
  }
}

static double value_quadratic(const hand_problem *problem, const double *x)
{
  double hx[HAND_DATA_MAX];
  apply_quadratic(problem, x, hx);
  return hand_dot(hand_size(problem), x, hx) / 2 - hand_dot(hand_size(problem), problem->c, x);
}

static void gradient_quadratic(const hand_problem *problem, const double *x, double *g)
{
  apply_quadratic(problem, x, g);
  for (int64_t i = 0; i < hand_size(problem); i++) g[i] -= problem->c[i];
}

static void line_quadratic(const hand_problem *problem, const double *x, const double *d, double *c)
{
  double g[HAND_DATA_MAX];
  double hd[HAND_DATA_MAX];
  gradient_quadratic(problem, x, g);
  apply_quadratic(problem, d, hd);
  c[0] = value_quadratic(problem, x);
  c[1] = hand_dot(hand_size(problem), g, d);
  c[2] = hand_dot(hand_size(problem), d, hd) / 2;
}

static void hessian_quadratic(const hand_problem *problem, const double *x, const double *v, double *hv)
{
  (void)x;
  apply_quadratic(problem, v, hv);
}

// Condition `parameter`, split evenly between L and R; eigenvalues in geometric progression down from 1.
static void set_up_spectrum(hand_problem *problem, double *lambda, double *mu)
{
  const int64_t m = problem->objective->rows[0];
  const int64_t n = problem->objective->cols[0];
  const double root = sqrt(problem->objective->parameter);
  for (int64_t i = 0; i < m; i++) lambda[i] = pow(root, -(double)i / (double)(m - 1));
  for (int64_t i = 0; i < n; i++) mu[i] = pow(root, -(double)i / (double)(n - 1));
}

// L and R from their eigenvalues, C = L X* R for X* irregular, so that the optimum is -1/2 <X*, C>.
static void set_up_from_spectrum(hand_problem *problem, const double *lambda, const double *mu)
{
  double x_star[HAND_DATA_MAX] = {0};
  hand_reflect_diagonal(problem->objective->rows[0], lambda, problem->a);
  hand_reflect_diagonal(problem->objective->cols[0], mu, problem->b);
  for (int64_t i = 0; i < hand_size(problem); i++) x_star[i] = hand_wobble(7 * i);
  apply_quadratic(problem, x_star, problem->c);
  problem->optimum = -hand_dot(hand_size(problem), x_star, problem->c) / 2;
}

static void set_up_quadratic(hand_problem *problem)
{
  double lambda[32];
  double mu[32];
  set_up_spectrum(problem, lambda, mu);
  set_up_from_spectrum(problem, lambda, mu);
}

// Two eigenvalues of L are zero; C stays in the range of the Hessian.
static void set_up_singular(hand_problem *problem)
{
  double lambda[32];
  double mu[32];
  set_up_spectrum(problem, lambda, mu);
  lambda[1] = 0;
  lambda[3] = 0;
  set_up_from_spectrum(problem, lambda, mu);
}

// As above with C outside the range: f falls linearly along the kernel.
static void set_up_inconsistent(hand_problem *problem)
{
  set_up_singular(problem);
  for (int64_t i = 0; i < hand_size(problem); i++) problem->c[i] += 0.1;
  problem->optimum = -INFINITY;
}

static void set_up_indefinite(hand_problem *problem)
{
  double lambda[32];
  double mu[32];
  set_up_spectrum(problem, lambda, mu);
  lambda[2] = -0.05;
  set_up_from_spectrum(problem, lambda, mu);
  problem->optimum = -INFINITY;
}

// ---- Linear <C, X> ----

static void set_up_linear(hand_problem *problem)
{
  for (int64_t i = 0; i < hand_size(problem); i++) problem->c[i] = hand_wobble(i);
  problem->optimum = -INFINITY;
}

static double value_linear(const hand_problem *problem, const double *x)
{
  return hand_dot(hand_size(problem), problem->c, x);
}

static void gradient_linear(const hand_problem *problem, const double *x, double *g)
{
  (void)x;
  memcpy(g, problem->c, (size_t)hand_size(problem) * sizeof *g);
}

static void line_linear(const hand_problem *problem, const double *x, const double *d, double *c)
{
  c[0] = value_linear(problem, x);
  c[1] = value_linear(problem, d);
}

static void hessian_linear(const hand_problem *problem, const double *x, const double *v, double *hv)
{
  (void)x;
  (void)v;
  memset(hv, 0, (size_t)hand_size(problem) * sizeof *hv);
}

// ---- Constant ----

static void set_up_constant(hand_problem *problem)
{
  problem->optimum = 3;
}

static double value_constant(const hand_problem *problem, const double *x)
{
  (void)problem;
  (void)x;
  return 3;
}

static void gradient_constant(const hand_problem *problem, const double *x, double *g)
{
  (void)x;
  memset(g, 0, (size_t)hand_size(problem) * sizeof *g);
}

static void line_constant(const hand_problem *problem, const double *x, const double *d, double *c)
{
  (void)d;
  c[0] = value_constant(problem, x);
}

#define QUADRATIC(label, set_up_function, row_degree, condition, outcome, hard)                                     \
  {                                                                                                                 \
    .name = label, .n_blocks = 1, .rows = {6}, .cols = {4}, .degree = row_degree, .parameter = condition,           \
    .set_up = set_up_function, .start = hand_start_zeros, .value = value_quadratic, .gradient = gradient_quadratic, \
    .line = line_quadratic, .hessian = hessian_quadratic, .expected = outcome, .is_hard = hard                      \
  }

// clang-format off
const hand_objective hand_quadratics[] = {
    QUADRATIC("quadratic-1e2", set_up_quadratic, 2, 1e2, OPT_CONVERGED, false),
    QUADRATIC("quadratic-1e4", set_up_quadratic, 2, 1e4, OPT_CONVERGED, true),
    QUADRATIC("quadratic-1e8", set_up_quadratic, 2, 1e8, OPT_CONVERGED, true),
    QUADRATIC("quadratic-1e2-general", set_up_quadratic, -1, 1e2, OPT_CONVERGED, false),
    QUADRATIC("quadratic-1e8-general", set_up_quadratic, -1, 1e8, OPT_CONVERGED, true),
    QUADRATIC("singular", set_up_singular, 2, 1e2, OPT_CONVERGED, false),
    QUADRATIC("singular-general", set_up_singular, -1, 1e2, OPT_CONVERGED, false),
    QUADRATIC("inconsistent", set_up_inconsistent, 2, 1e2, OPT_UNBOUNDED, true),
    QUADRATIC("indefinite", set_up_indefinite, 2, 1e2, OPT_UNBOUNDED, false),
    QUADRATIC("indefinite-general", set_up_indefinite, -1, 1e2, OPT_UNBOUNDED, false),
    HAND_OBJECTIVE("linear", linear, 3, 3, 1, 0, hand_start_zeros, line_linear, OPT_UNBOUNDED, false),
    HAND_OBJECTIVE("linear-general", linear, 3, 3, -1, 0, hand_start_zeros, line_linear, OPT_UNBOUNDED, false),
    {.name = "constant", .n_blocks = 1, .rows = {2}, .cols = {2}, .degree = 0, .set_up = set_up_constant,
     .start = hand_start_zeros, .value = value_constant, .gradient = gradient_constant, .line = line_constant,
     .hessian = hessian_linear, .expected = OPT_CONVERGED},
};
// clang-format on
const int hand_quadratics_count = sizeof hand_quadratics / sizeof hand_quadratics[0];
