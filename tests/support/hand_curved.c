// Objectives on manifolds.
#include "support/hand_curved.h"

#include <math.h>
#include <string.h>

#include "support/hand_tools.h"

enum { SIDE_MAX = 32 };

// ---- spectra: all matrices of a problem have the eigenvectors of one reflection ----

// Eigenvalues of A: from 1 on, apart, with a gap behind the p-th.
static double eigenvalue(int64_t i, int64_t p)
{
  return 1 + 0.7 * (double)i + (i >= p ? 0.5 : 0);
}

// Eigenvalues of B: in another order than A's.
static double companion(int64_t i)
{
  return 2 + hand_wobble(i);
}

// Singular values of M.
static double singular_value(int64_t i)
{
  return 3 - 0.4 * (double)i;
}

// The sum of the p least eigenvalues of A - r B.
static double least_sum(int64_t n, int64_t p, double r)
{
  double values[SIDE_MAX];
  for (int64_t i = 0; i < n; i++) {
    const double value = eigenvalue(i, p) - r * companion(i);
    int64_t place = i;
    for (; place > 0 && values[place - 1] > value; place--) values[place] = values[place - 1];
    values[place] = value;
  }
  double sum = 0;
  for (int64_t i = 0; i < p; i++) sum += values[i];
  return sum;
}

// The sum falls with r, for B is positive definite.
static double best_ratio(int64_t n, int64_t p)
{
  double low = -100;
  double high = 100;
  for (int k = 0; k < 200; k++) {
    const double middle = (low + high) / 2;
    if (least_sum(n, p, middle) > 0)
      low = middle;
    else
      high = middle;
  }
  return (low + high) / 2;
}

double hand_curved_optimum(const char *name, int64_t n, int64_t p)
{
  double sum = 0;
  if (strcmp(name, "trace-ratio") == 0) return best_ratio(n, p);
  if (strcmp(name, "rayleigh") == 0) return (double)p * eigenvalue(0, p);
  for (int64_t i = 0; i < p; i++) {
    if (strcmp(name, "brockett") == 0) sum += eigenvalue(i, p) * (double)(p - i);
    if (strcmp(name, "pca") == 0) sum += eigenvalue(i, p);
    if (strcmp(name, "procrustes") == 0) sum -= 2 * singular_value(i);
  }
  return sum;
}

// Entry (i, j) of the reflection of hand_reflect_diagonal.
static double reflection(int64_t n, int64_t i, int64_t j)
{
  double vv = 0;
  for (int64_t k = 1; k <= n; k++) vv += (double)(k * k);
  return (i == j ? 1 : 0) - 2 * (double)((i + 1) * (j + 1)) / vv;
}

void hand_curved_data(const char *name, int64_t n, int64_t p, double *a, double *b)
{
  double lambda[SIDE_MAX];
  double mu[SIDE_MAX];
  TG_ASSERT(n <= SIDE_MAX);
  for (int64_t i = 0; i < n; i++) {
    lambda[i] = eigenvalue(i, p);
    mu[i] = companion(i);
  }
  if (b != NULL) hand_reflect_diagonal(n, mu, b);
  if (strcmp(name, "procrustes") != 0) {
    hand_reflect_diagonal(n, lambda, a);
    return;
  }
  for (int64_t j = 0; j < p; j++)
    for (int64_t i = 0; i < n; i++) a[i + n * j] = reflection(n, i, j) * singular_value(j);
}

// ---- the objectives ----

static int64_t rows_of(const hand_problem *problem)
{
  return problem->objective->rows[0];
}

static int64_t cols_of(const hand_problem *problem)
{
  return problem->objective->cols[0];
}

static void set_up_curved(hand_problem *problem)
{
  const char *name = problem->objective->name;
  hand_curved_data(name, rows_of(problem), cols_of(problem), problem->a, problem->b);
  problem->optimum = hand_curved_optimum(name, rows_of(problem), cols_of(problem));
}

// out := matrix x, matrix n x n
static void multiply(const hand_problem *problem, const double *matrix, const double *x, double *out)
{
  const int64_t n = rows_of(problem);
  for (int64_t j = 0; j < cols_of(problem); j++) {
    for (int64_t i = 0; i < n; i++) {
      out[i + n * j] = 0;
      for (int64_t k = 0; k < n; k++) out[i + n * j] += matrix[i + n * k] * x[k + n * j];
    }
  }
}

// Column j of N = diag(p, ..., 1), or of the identity.
static double weight_of(const hand_problem *problem, int64_t j)
{
  return strcmp(problem->objective->name, "brockett") == 0 ? (double)(cols_of(problem) - j) : 1;
}

static void gradient_trace(const hand_problem *problem, const double *x, double *g)
{
  multiply(problem, problem->a, x, g);
  for (int64_t e = 0; e < hand_size(problem); e++) g[e] *= 2 * weight_of(problem, e / rows_of(problem));
}

static double value_trace(const hand_problem *problem, const double *x)
{
  double g[HAND_DATA_MAX];
  gradient_trace(problem, x, g);
  return hand_dot(hand_size(problem), x, g) / 2;
}

static void hessian_trace(const hand_problem *problem, const double *x, const double *v, double *hv)
{
  (void)x;
  gradient_trace(problem, v, hv);
}

static double value_procrustes(const hand_problem *problem, const double *x)
{
  return -2 * hand_dot(hand_size(problem), problem->a, x);
}

static void gradient_procrustes(const hand_problem *problem, const double *x, double *g)
{
  (void)x;
  for (int64_t e = 0; e < hand_size(problem); e++) g[e] = -2 * problem->a[e];
}

static void hessian_procrustes(const hand_problem *problem, const double *x, const double *v, double *hv)
{
  (void)x;
  (void)v;
  memset(hv, 0, (size_t)hand_size(problem) * sizeof *hv);
}

static double value_ratio(const hand_problem *problem, const double *x)
{
  double ax[HAND_DATA_MAX];
  double bx[HAND_DATA_MAX];
  multiply(problem, problem->a, x, ax);
  multiply(problem, problem->b, x, bx);
  return hand_dot(hand_size(problem), x, ax) / hand_dot(hand_size(problem), x, bx);
}

// 2 (A X - f B X) / tr(X'B X)
static void gradient_ratio(const hand_problem *problem, const double *x, double *g)
{
  double ax[HAND_DATA_MAX];
  double bx[HAND_DATA_MAX];
  multiply(problem, problem->a, x, ax);
  multiply(problem, problem->b, x, bx);
  const double below = hand_dot(hand_size(problem), x, bx);
  const double f = hand_dot(hand_size(problem), x, ax) / below;
  for (int64_t e = 0; e < hand_size(problem); e++) g[e] = 2 * (ax[e] - f * bx[e]) / below;
}

// 2 (A V - f B V - <g, V> B X) / below - 2 <B X, V> g / below
static void hessian_ratio(const hand_problem *problem, const double *x, const double *v, double *hv)
{
  const int64_t size = hand_size(problem);
  double g[HAND_DATA_MAX];
  double bx[HAND_DATA_MAX];
  double av[HAND_DATA_MAX];
  double bv[HAND_DATA_MAX];
  const double f = value_ratio(problem, x);
  gradient_ratio(problem, x, g);
  multiply(problem, problem->b, x, bx);
  multiply(problem, problem->a, v, av);
  multiply(problem, problem->b, v, bv);
  const double below = hand_dot(size, x, bx);
  const double gv = hand_dot(size, g, v);
  const double bxv = hand_dot(size, bx, v);
  for (int64_t e = 0; e < size; e++) hv[e] = 2 * (av[e] - f * bv[e] - gv * bx[e] - bxv * g[e]) / below;
}

// ---- the rows ----

// Polynomials show their degree and no line: along a curve nobody may ask for one.
#define CURVED(label, set, family, row_degree)   \
  {                                              \
    .kind = OPT_CONSTRAINT_##set, .objective = { \
      .name = label,                             \
      .n_blocks = 1,                             \
      .rows = {10},                              \
      .cols = {3},                               \
      .degree = row_degree,                      \
      .set_up = set_up_curved,                   \
      .start = hand_start_wobbly,                \
      .value = value_##family,                   \
      .gradient = gradient_##family,             \
      .hessian = hessian_##family,               \
      .expected = OPT_CONVERGED                  \
    }                                            \
  }

static const hand_curved rows[] = {
    CURVED("brockett", ORTHONORMAL_COLUMNS, trace, 2),
    CURVED("pca", ORTHONORMAL_COLUMNS, trace, 2),
    CURVED("procrustes", ORTHONORMAL_COLUMNS, procrustes, 1),
    CURVED("trace-ratio", ORTHONORMAL_COLUMNS, ratio, -1),
    CURVED("rayleigh", UNIT_COLUMNS, trace, 2),
};

int hand_curved_count(void)
{
  return sizeof rows / sizeof rows[0];
}

const hand_curved *hand_curved_at(int index)
{
  return &rows[index];
}

const hand_curved *hand_curved_find(const char *name)
{
  for (int i = 0; i < hand_curved_count(); i++)
    if (strcmp(rows[i].objective.name, name) == 0) return &rows[i];
  return NULL;
}
