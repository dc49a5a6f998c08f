// Feasible sets on plain arrays, a family of them a section.
#include "support/serial_set.h"

#include <assert.h>
#include <math.h>
#include <string.h>

// ---- tools ----

// a (n x n, symmetric) becomes diagonal, v its eigenvectors: cyclic Jacobi rotations.
static void diagonalise(int64_t n, double *a, double *v)
{
  for (int64_t e = 0; e < n * n; e++) v[e] = e % (n + 1) == 0;
  for (int sweep = 0; sweep < 60; sweep++) {
    for (int64_t p = 0; p < n; p++) {
      for (int64_t q = p + 1; q < n; q++) {
        const double apq = a[p + n * q];
        if (fabs(apq) < 1e-300) continue;
        const double theta = (a[q + n * q] - a[p + n * p]) / (2 * apq);
        const double t = (theta >= 0 ? 1 : -1) / (fabs(theta) + sqrt(theta * theta + 1));
        const double c = 1 / sqrt(t * t + 1);
        const double s = t * c;
        for (int64_t k = 0; k < n; k++) { // columns p and q of a and v
          const double ap = a[k + n * p];
          const double vp = v[k + n * p];
          a[k + n * p] = c * ap - s * a[k + n * q];
          a[k + n * q] = s * ap + c * a[k + n * q];
          v[k + n * p] = c * vp - s * v[k + n * q];
          v[k + n * q] = s * vp + c * v[k + n * q];
        }
        for (int64_t k = 0; k < n; k++) { // rows p and q of a
          const double ap = a[p + n * k];
          a[p + n * k] = c * ap - s * a[q + n * k];
          a[q + n * k] = s * ap + c * a[q + n * k];
        }
      }
    }
  }
}

// out (n x n) := V diag(f(values)) V' for the symmetric part of a.
static void apply_function(int64_t n, const double *a, double (*f)(double), double *out)
{
  double diagonal[SERIAL_SIDE_MAX * SERIAL_SIDE_MAX];
  double v[SERIAL_SIDE_MAX * SERIAL_SIDE_MAX];
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = 0; i < n; i++) diagonal[i + n * j] = (a[i + n * j] + a[j + n * i]) / 2;
  diagonalise(n, diagonal, v);
  for (int64_t j = 0; j < n; j++) {
    for (int64_t i = 0; i < n; i++) {
      out[i + n * j] = 0;
      for (int64_t k = 0; k < n; k++) out[i + n * j] += v[i + n * k] * f(diagonal[k + n * k]) * v[j + n * k];
    }
  }
}

// ---- sets of entries, balls ----

double serial_set_norm(const serial_set *set, const double *x)
{
  double square = 0;
  for (int64_t e = 0; e < set->rows * set->cols; e++) square += x[e] * x[e];
  return sqrt(square);
}

static double violation_interval(const serial_set *set, const double *x)
{
  double worst = 0;
  double low = 0;
  double high = 0;
  for (int64_t e = 0; e < set->rows * set->cols; e++) {
    serial_set_bounds(set, e, &low, &high);
    worst = fmax(worst, fmax(low - x[e], x[e] - high));
  }
  return worst;
}

static void project_interval(const serial_set *set, double *x)
{
  double low = 0;
  double high = 0;
  for (int64_t e = 0; e < set->rows * set->cols; e++) {
    serial_set_bounds(set, e, &low, &high);
    x[e] = fmin(fmax(x[e], low), high);
  }
}

static void extreme_interval(const serial_set *set, const double *g, double *z)
{
  double low = 0;
  double high = 0;
  for (int64_t e = 0; e < set->rows * set->cols; e++) {
    serial_set_bounds(set, e, &low, &high);
    z[e] = g[e] > 0 ? low : high;
  }
}

const serial_set_ops serial_interval = {
    .violation = violation_interval, .project = project_interval, .extreme = extreme_interval};

static double violation_ball(const serial_set *set, const double *x)
{
  return fmax(0, serial_set_norm(set, x) - set->block.high);
}

static void project_ball(const serial_set *set, double *x)
{
  const double excess = fmax(1, serial_set_norm(set, x) / set->block.high);
  for (int64_t e = 0; e < set->rows * set->cols; e++) x[e] /= excess;
}

static void extreme_ball(const serial_set *set, const double *g, double *z)
{
  const double norm = fmax(serial_set_norm(set, g), 1e-300);
  for (int64_t e = 0; e < set->rows * set->cols; e++) z[e] = -set->block.high * g[e] / norm;
}

const serial_set_ops serial_ball = {.violation = violation_ball, .project = project_ball, .extreme = extreme_ball};

// ---- symmetric matrices, by their eigenvalues ----

static double asymmetry(const serial_set *set, const double *x)
{
  double square = 0;
  for (int64_t j = 0; j < set->cols; j++)
    for (int64_t i = 0; i < set->rows; i++) square += pow(x[i + set->rows * j] - x[j + set->rows * i], 2);
  return sqrt(square);
}

static void project_symmetric(const serial_set *set, double *x)
{
  for (int64_t j = 0; j < set->cols; j++)
    for (int64_t i = 0; i < j; i++)
      x[i + set->rows * j] = x[j + set->rows * i] = (x[i + set->rows * j] + x[j + set->rows * i]) / 2;
}

const serial_set_ops serial_symmetric = {.violation = asymmetry, .project = project_symmetric};

static double positive_part(double value)
{
  return fmax(value, 0);
}

// Distance from the positive part: at most the norm of all negative eigenvalues.
static double violation_semidefinite(const serial_set *set, const double *x)
{
  double rest[SERIAL_SIDE_MAX * SERIAL_SIDE_MAX];
  apply_function(set->rows, x, positive_part, rest);
  for (int64_t e = 0; e < set->rows * set->cols; e++) rest[e] -= x[e];
  return fmax(serial_set_norm(set, rest), asymmetry(set, x));
}

static void project_semidefinite(const serial_set *set, double *x)
{
  double kept[SERIAL_SIDE_MAX * SERIAL_SIDE_MAX];
  memcpy(kept, x, (size_t)(set->rows * set->cols) * sizeof *x);
  apply_function(set->rows, kept, positive_part, x);
}

const serial_set_ops serial_semidefinite = {.violation = violation_semidefinite, .project = project_semidefinite};

// ---- simplices: by sorting (Duchi, Shalev-Shwartz, Singer, Chandra 2008) ----

typedef struct line {
  int64_t count;
  int64_t length;
  int64_t step;   // from line to line
  int64_t stride; // from entry to entry
} line;

static line lines_of(const serial_set *set)
{
  const bool by_rows = set->block.kind == OPT_CONSTRAINT_SIMPLEX_ROWS;
  return by_rows ? (line){set->rows, set->cols, 1, set->rows} : (line){set->cols, set->rows, set->rows, 1};
}

static double total_of(const serial_set *set, bool by_rows, int64_t j)
{
  const double *totals = by_rows ? set->block.row_totals : set->block.column_totals;
  return totals != NULL ? totals[j] : opt_constraint_total(&set->block);
}

static void project_line(const line *l, double total, double *x)
{
  double sorted[SERIAL_SIDE_MAX];
  for (int64_t k = 0; k < l->length; k++) {
    int64_t place = k;
    for (; place > 0 && sorted[place - 1] < x[k * l->stride]; place--) sorted[place] = sorted[place - 1];
    sorted[place] = x[k * l->stride];
  }
  double sum = 0;
  double threshold = 0;
  for (int64_t k = 0; k < l->length; k++) {
    sum += sorted[k];
    if (k == 0 || sorted[k] - (sum - total) / (double)(k + 1) > 0) threshold = (sum - total) / (double)(k + 1);
  }
  for (int64_t k = 0; k < l->length; k++) x[k * l->stride] = fmax(x[k * l->stride] - threshold, 0);
}

static double violation_simplex(const serial_set *set, const double *x)
{
  const line l = lines_of(set);
  double worst = 0;
  for (int64_t j = 0; j < l.count; j++) {
    double sum = 0;
    for (int64_t k = 0; k < l.length; k++) {
      sum += x[j * l.step + k * l.stride];
      worst = fmax(worst, -x[j * l.step + k * l.stride]);
    }
    worst = fmax(worst, fabs(sum - total_of(set, set->block.kind == OPT_CONSTRAINT_SIMPLEX_ROWS, j)));
  }
  return worst;
}

static void project_simplex(const serial_set *set, double *x)
{
  const line l = lines_of(set);
  for (int64_t j = 0; j < l.count; j++)
    project_line(&l, total_of(set, set->block.kind == OPT_CONSTRAINT_SIMPLEX_ROWS, j), x + j * l.step);
}

static void extreme_simplex(const serial_set *set, const double *g, double *z)
{
  const line l = lines_of(set);
  for (int64_t j = 0; j < l.count; j++) {
    int64_t least = 0;
    for (int64_t k = 0; k < l.length; k++) {
      z[j * l.step + k * l.stride] = 0;
      if (g[j * l.step + k * l.stride] < g[j * l.step + least * l.stride]) least = k;
    }
    z[j * l.step + least * l.stride] = total_of(set, set->block.kind == OPT_CONSTRAINT_SIMPLEX_ROWS, j);
  }
}

const serial_set_ops serial_simplex = {
    .violation = violation_simplex, .project = project_simplex, .extreme = extreme_simplex};

// ---- given sums of rows and columns: Dykstra's alternating projections onto the row and the column simplices (J. P.
// Boyle, R. L. Dykstra 1986), the assignment by dynamic programming over sets of rows, the transportation problem by
// cancelling negative cycles ----

static void project_lines(const serial_set *set, bool by_rows, double *x)
{
  const int64_t m = set->rows;
  const line l = by_rows ? (line){m, set->cols, 1, m} : (line){set->cols, m, m, 1};
  for (int64_t j = 0; j < l.count; j++) project_line(&l, total_of(set, by_rows, j), x + j * l.step);
}

static void project_transport(const serial_set *set, double *x)
{
  const int64_t count = set->rows * set->cols;
  double correction[2][SERIAL_SIDE_MAX * SERIAL_SIDE_MAX] = {{0}};
  for (int round = 0; round < 100000; round++) {
    double change = 0;
    double size = 0;
    for (int side = 0; side < 2; side++) {
      double before[SERIAL_SIDE_MAX * SERIAL_SIDE_MAX];
      for (int64_t e = 0; e < count; e++) x[e] += correction[side][e];
      memcpy(before, x, (size_t)count * sizeof *x);
      project_lines(set, side == 0, x);
      for (int64_t e = 0; e < count; e++) {
        change = fmax(change, fabs(correction[side][e] - (before[e] - x[e])));
        correction[side][e] = before[e] - x[e];
        size = fmax(size, fabs(before[e]));
      }
    }
    if (change <= 2e-16 * size) return; // nothing but rounding moves
  }
}

static double violation_transport(const serial_set *set, const double *x)
{
  const int64_t m = set->rows;
  double worst = 0;
  for (int side = 0; side < 2; side++) {
    for (int64_t j = 0; j < (side == 0 ? m : set->cols); j++) {
      double sum = 0;
      for (int64_t k = 0; k < (side == 0 ? set->cols : m); k++) {
        const double entry = side == 0 ? x[j + m * k] : x[k + m * j];
        sum += entry;
        worst = fmax(worst, -entry);
      }
      worst = fmax(worst, fabs(sum - total_of(set, side == 0, j)));
    }
  }
  return worst;
}

void serial_set_totals(int64_t rows, int64_t cols, double *row_totals, double *column_totals)
{
  double sums[2] = {0, 0};
  for (int64_t i = 0; i < rows; i++) sums[0] += row_totals[i] = 0.5 + 0.25 * (double)(i % 4);
  for (int64_t j = 0; j < cols; j++) sums[1] += column_totals[j] = 1 + 0.3 * (double)(j * j % 5);
  for (int64_t j = 0; j < cols; j++) column_totals[j] *= sums[0] / sums[1];
}

// A negative cycle among rows 0 .. m - 1 and columns m .. of the residual graph (Bellman and Ford): its nodes backwards
// in before[], *node being one of them.
static bool find_cycle(int64_t m, int64_t n, const double *cost, const double *flow, int64_t *before, int64_t *node)
{
  double distance[2 * SERIAL_SIDE_MAX] = {0};
  for (int64_t v = 0; v < m + n; v++) before[v] = -1;
  *node = -1;
  for (int64_t round = 0; round <= m + n; round++) {
    *node = -1;
    for (int64_t e = 0; e < m * n; e++) {
      const int64_t i = e % m;
      const int64_t j = m + e / m;
      if (distance[i] + cost[e] < distance[j] - 1e-12) {
        distance[j] = distance[i] + cost[e];
        before[j] = i;
        *node = j;
      }
      if (flow[e] > 1e-14 && distance[j] - cost[e] < distance[i] - 1e-12) {
        distance[i] = distance[j] - cost[e];
        before[i] = j;
        *node = i;
      }
    }
    if (*node < 0) return false;
  }
  for (int64_t k = 0; k < m + n; k++) *node = before[*node];
  return true;
}

// From the north-west corner's flow on.
static void find_transport(const serial_set *set, const double *cost, double *z)
{
  const int64_t m = set->rows;
  const int64_t n = set->cols;
  int64_t before[2 * SERIAL_SIDE_MAX];
  int64_t node = 0;
  double rows[SERIAL_SIDE_MAX];
  for (int64_t i = 0; i < m; i++) rows[i] = total_of(set, true, i);
  for (int64_t j = 0; j < n; j++) {
    double wanted = total_of(set, false, j);
    for (int64_t i = 0; i < m; i++) {
      z[i + m * j] = fmin(wanted, rows[i]);
      wanted -= z[i + m * j];
      rows[i] -= z[i + m * j];
    }
  }
  while (find_cycle(m, n, cost, z, before, &node)) {
    double amount = (double)INFINITY;
    for (int pass = 0; pass < 2; pass++) {
      int64_t v = node;
      do {
        const int64_t u = before[v];
        const bool is_forward = u < m;
        double *entry = is_forward ? &z[u + m * (v - m)] : &z[v + m * (u - m)];
        if (pass == 0 && !is_forward) amount = fmin(amount, *entry);
        if (pass == 1) *entry += is_forward ? amount : -amount;
        v = u;
      } while (v != node);
    }
  }
}

// least[s]: the cheapest way to give the first columns, as many as s has members, the rows of s.
static void find_assignment(int64_t n, const double *cost, double *z)
{
  enum { SIDE = 10 };
  static double least[1 << SIDE];
  static int last[1 << SIDE];
  assert(n <= SIDE);
  least[0] = 0;
  for (int s = 1; s < 1 << n; s++) {
    const int column = __builtin_popcount((unsigned)s) - 1;
    least[s] = (double)INFINITY;
    for (int i = 0; i < n; i++) {
      if ((s >> i & 1) == 0) continue;
      const double total = least[s & ~(1 << i)] + cost[i + n * column];
      if (total >= least[s]) continue;
      least[s] = total;
      last[s] = i;
    }
  }
  memset(z, 0, (size_t)(n * n) * sizeof *z);
  for (int s = (1 << n) - 1; s != 0; s &= ~(1 << last[s])) z[last[s] + n * (__builtin_popcount((unsigned)s) - 1)] = 1;
}

static void extreme_transport(const serial_set *set, const double *g, double *z)
{
  if (set->block.kind == OPT_CONSTRAINT_DOUBLY_STOCHASTIC)
    find_assignment(set->rows, g, z);
  else
    find_transport(set, g, z);
}

const serial_set_ops serial_transport = {
    .violation = violation_transport, .project = project_transport, .extreme = extreme_transport};

// ---- columns ----

// out (p x p) := x'y
static void gram(const serial_set *set, const double *x, const double *y, double *out)
{
  const int64_t p = set->cols;
  for (int64_t j = 0; j < p; j++) {
    for (int64_t i = 0; i < p; i++) {
      out[i + p * j] = 0;
      for (int64_t k = 0; k < set->rows; k++) out[i + p * j] += x[k + set->rows * i] * y[k + set->rows * j];
    }
  }
}

static double inverse_root(double value)
{
  return 1 / sqrt(value);
}

// The polar factor x (x'x)^(-1/2), twice against its rounding.
static void make_polar(const serial_set *set, double *x)
{
  double g[SERIAL_SIDE_MAX * SERIAL_SIDE_MAX];
  double root[SERIAL_SIDE_MAX * SERIAL_SIDE_MAX];
  double row[SERIAL_SIDE_MAX];
  for (int round = 0; round < 2; round++) {
    gram(set, x, x, g);
    apply_function(set->cols, g, inverse_root, root);
    for (int64_t i = 0; i < set->rows; i++) {
      for (int64_t j = 0; j < set->cols; j++) {
        row[j] = 0;
        for (int64_t k = 0; k < set->cols; k++) row[j] += x[i + set->rows * k] * root[k + set->cols * j];
      }
      for (int64_t j = 0; j < set->cols; j++) x[i + set->rows * j] = row[j];
    }
  }
}

static void normalise_columns(const serial_set *set, double *x)
{
  for (int64_t j = 0; j < set->cols; j++) {
    double *column = x + set->rows * j;
    double square = 0;
    for (int64_t i = 0; i < set->rows; i++) square += column[i] * column[i];
    for (int64_t i = 0; i < set->rows; i++) column[i] /= sqrt(square);
  }
}

// Gram-Schmidt, each column twice: the Q of the decomposition whose R has a positive diagonal.
static void orthonormalise(const serial_set *set, double *x)
{
  for (int64_t j = 0; j < set->cols; j++) {
    double *column = x + set->rows * j;
    for (int64_t k = 0; k < 2 * j; k++) {
      const double *other = x + set->rows * (k % j);
      double product = 0;
      for (int64_t i = 0; i < set->rows; i++) product += column[i] * other[i];
      for (int64_t i = 0; i < set->rows; i++) column[i] -= product * other[i];
    }
    const serial_set one = {.rows = set->rows, .cols = 1};
    normalise_columns(&one, column);
  }
}

// y -= z W, W the part of x'v that the normal space is made of: its diagonal, or its symmetric part.
static void subtract_normal(const serial_set *set, bool is_diagonal, const double *x, const double *v, const double *z,
                            double *y)
{
  const int64_t p = set->cols;
  double g[SERIAL_SIDE_MAX * SERIAL_SIDE_MAX];
  double weights[SERIAL_SIDE_MAX * SERIAL_SIDE_MAX];
  gram(set, x, v, g);
  for (int64_t j = 0; j < p; j++) {
    for (int64_t i = 0; i < p; i++) {
      const double alone = i == j ? g[i + p * j] : 0;
      weights[i + p * j] = is_diagonal ? alone : (g[i + p * j] + g[j + p * i]) / 2;
    }
  }
  for (int64_t j = 0; j < p; j++)
    for (int64_t k = 0; k < p; k++)
      for (int64_t i = 0; i < set->rows; i++) y[i + set->rows * j] -= z[i + set->rows * k] * weights[k + p * j];
}

static void subtract_own_normal(const serial_set *set, bool is_diagonal, const double *x, double *v)
{
  double kept[SERIAL_SIDE_MAX * SERIAL_SIDE_MAX];
  memcpy(kept, v, (size_t)(set->rows * set->cols) * sizeof *v);
  subtract_normal(set, is_diagonal, x, kept, x, v);
}

static double violation_orthonormal(const serial_set *set, const double *x)
{
  double g[SERIAL_SIDE_MAX * SERIAL_SIDE_MAX];
  const int64_t p = set->cols;
  double square = 0;
  gram(set, x, x, g);
  for (int64_t e = 0; e < p * p; e++) square += pow(g[e] - (e % (p + 1) == 0), 2);
  return sqrt(square);
}

static void tangent_orthonormal(const serial_set *set, const double *x, double *v)
{
  subtract_own_normal(set, false, x, v);
}

static void hessian_orthonormal(const serial_set *set, const double *x, const double *g, const double *v, double *hv)
{
  subtract_normal(set, false, x, g, v, hv);
  tangent_orthonormal(set, x, hv);
}

static void retract_orthonormal(const serial_set *set, double *y)
{
  if (set->block.retraction == OPT_RETRACTION_POLAR)
    make_polar(set, y);
  else
    orthonormalise(set, y);
}

const serial_set_ops serial_orthonormal = {.violation = violation_orthonormal,
                                           .project = make_polar,
                                           .tangent = tangent_orthonormal,
                                           .hessian = hessian_orthonormal,
                                           .retract = retract_orthonormal};

static double violation_unit(const serial_set *set, const double *x)
{
  double worst = 0;
  for (int64_t j = 0; j < set->cols; j++) {
    const serial_set column = {.rows = set->rows, .cols = 1};
    worst = fmax(worst, fabs(serial_set_norm(&column, x + set->rows * j) - 1));
  }
  return worst;
}

static void tangent_unit(const serial_set *set, const double *x, double *v)
{
  subtract_own_normal(set, true, x, v);
}

static void hessian_unit(const serial_set *set, const double *x, const double *g, const double *v, double *hv)
{
  subtract_normal(set, true, x, g, v, hv);
  tangent_unit(set, x, hv);
}

const serial_set_ops serial_unit = {.violation = violation_unit,
                                    .project = normalise_columns,
                                    .tangent = tangent_unit,
                                    .hessian = hessian_unit,
                                    .retract = normalise_columns};

// ---- by kind ----

static const serial_set_ops *const operations[OPT_CONSTRAINT_COUNT] = {
#define OPT_CONSTRAINT(id, name, geometry, is_square, is_bounds, is_nonnegative, keeps_symmetry, has_oracle, family, \
                       argument, help)                                                                               \
  [OPT_CONSTRAINT_##id] = &serial_##family,
#include "opt/constraints.def"
#undef OPT_CONSTRAINT
};

double serial_set_violation(const serial_set *set, const double *x)
{
  return set->block.kind == OPT_CONSTRAINT_FREE ? 0 : operations[set->block.kind]->violation(set, x);
}

void serial_set_project(const serial_set *set, double *x)
{
  if (set->block.kind != OPT_CONSTRAINT_FREE) operations[set->block.kind]->project(set, x);
}

void serial_set_extreme(const serial_set *set, const double *g, double *z)
{
  operations[set->block.kind]->extreme(set, g, z);
}

bool serial_set_is_manifold(const serial_set *set)
{
  return set->block.kind != OPT_CONSTRAINT_FREE && operations[set->block.kind]->tangent != NULL;
}

void serial_set_tangent(const serial_set *set, const double *x, double *v)
{
  if (serial_set_is_manifold(set)) operations[set->block.kind]->tangent(set, x, v);
}

void serial_set_hessian(const serial_set *set, const double *x, const double *g, const double *v, double *hv)
{
  if (serial_set_is_manifold(set)) operations[set->block.kind]->hessian(set, x, g, v, hv);
}

void serial_set_retract(const serial_set *set, double *y)
{
  if (serial_set_is_manifold(set)) operations[set->block.kind]->retract(set, y);
}
