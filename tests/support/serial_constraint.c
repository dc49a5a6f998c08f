// Feasible sets on plain arrays.
#include "support/serial_constraint.h"

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

// ---- sets of entries, balls, symmetry ----

// Low and high of entry e, the free ones infinite.
static void bounds_of(const serial_set *set, int64_t e, double *low, double *high)
{
  const double *lows = set->block.lows;
  const double *highs = set->block.highs;
  *low = set->block.kind == OPT_CONSTRAINT_FREE ? -(double)INFINITY : 0;
  *high = (double)INFINITY;
  if (set->block.kind != OPT_CONSTRAINT_BOX) return;
  *low = lows != NULL ? lows[e] : set->block.low;
  *high = highs != NULL ? highs[e] : set->block.high;
}

static double norm_of(const serial_set *set, const double *x)
{
  double square = 0;
  for (int64_t e = 0; e < set->rows * set->cols; e++) square += x[e] * x[e];
  return sqrt(square);
}

static double asymmetry(const serial_set *set, const double *x)
{
  double square = 0;
  for (int64_t j = 0; j < set->cols; j++)
    for (int64_t i = 0; i < set->rows; i++) square += pow(x[i + set->rows * j] - x[j + set->rows * i], 2);
  return sqrt(square);
}

static double itself(double value)
{
  return value;
}

static double positive_part(double value)
{
  return fmax(value, 0);
}

static double inverse_root(double value)
{
  return 1 / sqrt(value);
}

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

static double violation_of_lines(const serial_set *set, const double *x)
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

static double violation_of_transport(const serial_set *set, const double *x)
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

// ---- columns ----

static double violation_of_columns(const serial_set *set, const double *x)
{
  double g[SERIAL_SIDE_MAX * SERIAL_SIDE_MAX];
  const int64_t p = set->cols;
  double worst = 0;
  double square = 0;
  gram(set, x, x, g);
  for (int64_t e = 0; e < p * p; e++) square += pow(g[e] - (e % (p + 1) == 0), 2);
  for (int64_t j = 0; j < p; j++) worst = fmax(worst, fabs(sqrt(g[j + p * j]) - 1));
  return set->block.kind == OPT_CONSTRAINT_UNIT_COLUMNS ? worst : sqrt(square);
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

// ---- by kind ----

double serial_set_violation(const serial_set *set, const double *x)
{
  double worst = 0;
  double low = 0;
  double high = 0;
  double positive[SERIAL_SIDE_MAX * SERIAL_SIDE_MAX];
  switch (set->block.kind) {
  case OPT_CONSTRAINT_NONNEGATIVE:
  case OPT_CONSTRAINT_BOX:
    for (int64_t e = 0; e < set->rows * set->cols; e++) {
      bounds_of(set, e, &low, &high);
      worst = fmax(worst, fmax(low - x[e], x[e] - high));
    }
    return worst;
  case OPT_CONSTRAINT_FROBENIUS_BALL:
    return fmax(0, norm_of(set, x) - set->block.high);
  case OPT_CONSTRAINT_SYMMETRIC:
    return asymmetry(set, x);
  case OPT_CONSTRAINT_SIMPLEX_ROWS:
  case OPT_CONSTRAINT_SIMPLEX_COLUMNS:
    return violation_of_lines(set, x);
  case OPT_CONSTRAINT_DOUBLY_STOCHASTIC:
  case OPT_CONSTRAINT_TRANSPORT:
    return violation_of_transport(set, x);
  case OPT_CONSTRAINT_POSITIVE_SEMIDEFINITE:
  case OPT_CONSTRAINT_POSITIVE_DEFINITE:
    // Distance from the positive part: at most the norm of all negative eigenvalues.
    apply_function(set->rows, x, positive_part, positive);
    for (int64_t e = 0; e < set->rows * set->cols; e++) worst += pow(x[e] - positive[e], 2);
    return fmax(sqrt(worst), asymmetry(set, x));
  case OPT_CONSTRAINT_ORTHONORMAL_COLUMNS:
  case OPT_CONSTRAINT_UNIT_COLUMNS:
    return violation_of_columns(set, x);
  case OPT_CONSTRAINT_FREE:
  case OPT_CONSTRAINT_COUNT:
    break;
  }
  return 0;
}

void serial_set_project(const serial_set *set, double *x)
{
  const int64_t count = set->rows * set->cols;
  double kept[SERIAL_SIDE_MAX * SERIAL_SIDE_MAX];
  double low = 0;
  double high = 0;
  const line l = lines_of(set);
  memcpy(kept, x, (size_t)count * sizeof *x);
  switch (set->block.kind) {
  case OPT_CONSTRAINT_NONNEGATIVE:
  case OPT_CONSTRAINT_BOX:
    for (int64_t e = 0; e < count; e++) {
      bounds_of(set, e, &low, &high);
      x[e] = fmin(fmax(x[e], low), high);
    }
    break;
  case OPT_CONSTRAINT_FROBENIUS_BALL:
    for (int64_t e = 0; e < count; e++) x[e] /= fmax(1, norm_of(set, kept) / set->block.high);
    break;
  case OPT_CONSTRAINT_SYMMETRIC:
    apply_function(set->rows, kept, itself, x);
    break;
  case OPT_CONSTRAINT_SIMPLEX_ROWS:
  case OPT_CONSTRAINT_SIMPLEX_COLUMNS:
    for (int64_t j = 0; j < l.count; j++)
      project_line(&l, total_of(set, set->block.kind == OPT_CONSTRAINT_SIMPLEX_ROWS, j), x + j * l.step);
    break;
  case OPT_CONSTRAINT_DOUBLY_STOCHASTIC:
  case OPT_CONSTRAINT_TRANSPORT:
    project_transport(set, x);
    break;
  case OPT_CONSTRAINT_POSITIVE_SEMIDEFINITE:
  case OPT_CONSTRAINT_POSITIVE_DEFINITE:
    apply_function(set->rows, kept, positive_part, x);
    break;
  case OPT_CONSTRAINT_ORTHONORMAL_COLUMNS:
    make_polar(set, x);
    break;
  case OPT_CONSTRAINT_UNIT_COLUMNS:
    normalise_columns(set, x);
    break;
  case OPT_CONSTRAINT_FREE:
  case OPT_CONSTRAINT_COUNT:
    break;
  }
}

void serial_set_extreme(const serial_set *set, const double *g, double *z)
{
  const int64_t count = set->rows * set->cols;
  double low = 0;
  double high = 0;
  const line l = lines_of(set);
  switch (set->block.kind) {
  case OPT_CONSTRAINT_BOX:
    for (int64_t e = 0; e < count; e++) {
      bounds_of(set, e, &low, &high);
      z[e] = g[e] > 0 ? low : high;
    }
    break;
  case OPT_CONSTRAINT_FROBENIUS_BALL:
    for (int64_t e = 0; e < count; e++) z[e] = -set->block.high * g[e] / fmax(norm_of(set, g), 1e-300);
    break;
  case OPT_CONSTRAINT_DOUBLY_STOCHASTIC:
    find_assignment(set->rows, g, z);
    break;
  case OPT_CONSTRAINT_TRANSPORT:
    find_transport(set, g, z);
    break;
  case OPT_CONSTRAINT_SIMPLEX_ROWS:
  case OPT_CONSTRAINT_SIMPLEX_COLUMNS:
    for (int64_t j = 0; j < l.count; j++) {
      int64_t least = 0;
      for (int64_t k = 0; k < l.length; k++) {
        z[j * l.step + k * l.stride] = 0;
        if (g[j * l.step + k * l.stride] < g[j * l.step + least * l.stride]) least = k;
      }
      z[j * l.step + least * l.stride] = total_of(set, set->block.kind == OPT_CONSTRAINT_SIMPLEX_ROWS, j);
    }
    break;
  default: // no oracle
    assert(false);
  }
}

double serial_set_norm1(const serial_set *set, const double *x)
{
  double sum = 0;
  for (int64_t e = 0; e < set->rows * set->cols; e++) sum += set->block.norm1 * fabs(x[e]);
  return sum;
}

// Entry by entry the best of the candidates: the stationary points of either sign, zero, and the bounds.
void serial_set_proximal(const serial_set *set, double a, double *x)
{
  double low = 0;
  double high = 0;
  const double weight = a * set->block.norm1;
  for (int64_t e = 0; e < set->rows * set->cols; e++) {
    bounds_of(set, e, &low, &high);
    const double candidates[] = {x[e] - weight, x[e] + weight, 0, low, high};
    double best = NAN;
    double least = (double)INFINITY;
    for (int k = 0; k < 5; k++) {
      const double z = candidates[k];
      const double cost = (z - x[e]) * (z - x[e]) / 2 + weight * fabs(z);
      if (!(z >= low && z <= high && cost < least)) continue;
      best = z;
      least = cost;
    }
    x[e] = best;
  }
}

// By the one-sided derivatives, taken as limits of differences: of the two directions the one that falls, if any.
void serial_set_steepest(const serial_set *set, const double *x, const double *g, double *v)
{
  double low = 0;
  double high = 0;
  for (int64_t e = 0; e < set->rows * set->cols; e++) {
    bounds_of(set, e, &low, &high);
    const double step = fmax(fabs(x[e]), 1) * 1e-3;
    const double sign_up = x[e] + (x[e] < 0 ? fmin(step, -x[e] / 2) : step) > 0 ? 1 : -1;
    const double sign_down = x[e] - (x[e] > 0 ? fmin(step, x[e] / 2) : step) > 0 ? 1 : -1;
    const double up = g[e] + sign_up * set->block.norm1;
    const double down = g[e] + sign_down * set->block.norm1;
    v[e] = 0;
    if (up < 0 && (isinf(high) || high - x[e] > 1e-15 * fabs(high))) v[e] = -up;
    if (down > 0 && (isinf(low) || x[e] - low > 1e-15 * fabs(low))) v[e] = -down;
  }
}

void serial_set_critical(const serial_set *set, const double *x, const double *g, double weak, bool inwards, double *v)
{
  double low = 0;
  double high = 0;
  for (int64_t e = 0; e < set->rows * set->cols; e++) {
    bounds_of(set, e, &low, &high);
    const bool leaves = (x[e] <= low && v[e] < 0) || (x[e] >= high && v[e] > 0);
    const bool is_held = (x[e] <= low && g[e] > weak) || (x[e] >= high && g[e] < -weak);
    if (low == high || is_held || (inwards && leaves)) v[e] = 0;
  }
}

void serial_set_mask(const serial_set *set, const double *x, const double *g, bool release, double *v)
{
  double low = 0;
  double high = 0;
  for (int64_t e = 0; e < set->rows * set->cols; e++) {
    bounds_of(set, e, &low, &high);
    const bool leaves_low = release && g[e] < 0;
    const bool leaves_high = release && g[e] > 0;
    if (x[e] == low && !leaves_low) v[e] = 0;
    if (x[e] == high && !leaves_high) v[e] = 0;
    const bool leaves_zero = release && (g[e] > set->block.norm1 || g[e] < -set->block.norm1);
    if (set->block.norm1 > 0 && x[e] == 0 && !leaves_zero) v[e] = 0;
  }
}

void serial_set_orthant(const serial_set *set, const double *x, double *y)
{
  double low = 0;
  double high = 0;
  for (int64_t e = 0; e < set->rows * set->cols; e++) {
    bounds_of(set, e, &low, &high);
    if (set->block.norm1 > 0 && x[e] * y[e] <= 0) y[e] = 0;
    y[e] = y[e] < low ? low : y[e] > high ? high : y[e];
  }
}

double serial_set_room(const serial_set *set, const double *x, const double *d)
{
  double low = 0;
  double high = 0;
  double room = (double)INFINITY;
  for (int64_t e = 0; e < set->rows * set->cols; e++) {
    bounds_of(set, e, &low, &high);
    if (d[e] != 0) room = fmin(room, ((d[e] < 0 ? low : high) - x[e]) / d[e]);
  }
  return room;
}

void serial_set_settle(const serial_set *set, double t, const double *d, double *x)
{
  double low = 0;
  double high = 0;
  for (int64_t e = 0; e < set->rows * set->cols; e++) {
    bounds_of(set, e, &low, &high);
    const double rounding = 1e-15 * fabs(t * d[e]);
    if (x[e] - low <= rounding) x[e] = low;
    if (high - x[e] <= rounding) x[e] = high;
  }
}

// y -= z W, W the part of x'v that the set's normal space is made of: its diagonal, or its symmetric part.
static void subtract_normal(const serial_set *set, const double *x, const double *v, const double *z, double *y)
{
  const int64_t p = set->cols;
  double g[SERIAL_SIDE_MAX * SERIAL_SIDE_MAX];
  double weights[SERIAL_SIDE_MAX * SERIAL_SIDE_MAX];
  if (set->block.kind == OPT_CONSTRAINT_FREE) return;
  gram(set, x, v, g);
  for (int64_t j = 0; j < p; j++) {
    for (int64_t i = 0; i < p; i++) {
      const double alone = i == j ? g[i + p * j] : 0;
      const double sym = (g[i + p * j] + g[j + p * i]) / 2;
      weights[i + p * j] = set->block.kind == OPT_CONSTRAINT_UNIT_COLUMNS ? alone : sym;
    }
  }
  for (int64_t j = 0; j < p; j++)
    for (int64_t k = 0; k < p; k++)
      for (int64_t i = 0; i < set->rows; i++) y[i + set->rows * j] -= z[i + set->rows * k] * weights[k + p * j];
}

void serial_set_tangent(const serial_set *set, const double *x, double *v)
{
  double kept[SERIAL_SIDE_MAX * SERIAL_SIDE_MAX];
  if (set->block.kind == OPT_CONSTRAINT_FREE) return;
  memcpy(kept, v, (size_t)(set->rows * set->cols) * sizeof *v);
  subtract_normal(set, x, kept, x, v);
}

void serial_set_hessian(const serial_set *set, const double *x, const double *g, const double *v, double *hv)
{
  subtract_normal(set, x, g, v, hv);
  serial_set_tangent(set, x, hv);
}

void serial_set_retract(const serial_set *set, double *y)
{
  const bool is_polar = set->block.retraction == OPT_RETRACTION_POLAR;
  if (set->block.kind == OPT_CONSTRAINT_ORTHONORMAL_COLUMNS && is_polar) make_polar(set, y);
  if (set->block.kind == OPT_CONSTRAINT_ORTHONORMAL_COLUMNS && !is_polar) orthonormalise(set, y);
  if (set->block.kind == OPT_CONSTRAINT_UNIT_COLUMNS) normalise_columns(set, y);
}

// ---- as an opt_constraint ----

static tg_status violation(const opt_constraint *base, const opt_point *x, double *out)
{
  const serial_constraint *self = base->self;
  *out = 0;
  for (int k = 0; k < base->space->n_blocks; k++)
    *out = fmax(*out, serial_set_violation(&self->sets[k], serial_block_const(x, k)));
  return TG_OK;
}

static tg_status project(const opt_constraint *base, opt_point *x)
{
  const serial_constraint *self = base->self;
  for (int k = 0; k < base->space->n_blocks; k++) serial_set_project(&self->sets[k], serial_block(x, k));
  return TG_OK;
}

static bool is_manifold(const serial_set *set)
{
  return set->block.kind != OPT_CONSTRAINT_FREE &&
         opt_constraint_row_of(set->block.kind)->geometry == OPT_GEOMETRY_MANIFOLD;
}

static tg_status approach(const opt_constraint *base, opt_point *x)
{
  const serial_constraint *self = base->self;
  for (int k = 0; k < base->space->n_blocks; k++)
    if (!is_manifold(&self->sets[k])) serial_set_project(&self->sets[k], serial_block(x, k));
  return TG_OK;
}

static tg_status tangent(const opt_constraint *base, const opt_point *x, opt_point *v)
{
  const serial_constraint *self = base->self;
  for (int k = 0; k < base->space->n_blocks; k++)
    if (is_manifold(&self->sets[k])) serial_set_tangent(&self->sets[k], serial_block_const(x, k), serial_block(v, k));
  return TG_OK;
}

// Counts a v that is not tangent at x, beyond the rounding of a projection from numbers of about 1.
static void expect_tangent(serial_constraint *self, const opt_point *x, const opt_point *v)
{
  for (int k = 0; k < self->base.space->n_blocks; k++) {
    const serial_set *set = &self->sets[k];
    double part[SERIAL_SIDE_MAX * SERIAL_SIDE_MAX];
    if (!is_manifold(set)) continue;
    const int64_t count = set->rows * set->cols;
    memcpy(part, serial_block_const(v, k), (size_t)count * sizeof *part);
    serial_set_tangent(set, serial_block_const(x, k), part);
    for (int64_t e = 0; e < count; e++) part[e] -= serial_block_const(v, k)[e];
    if (norm_of(set, part) > 1e-12 + 1e-10 * norm_of(set, serial_block_const(v, k))) self->strays++;
  }
}

static tg_status retract(const opt_constraint *base, const opt_point *x, double t, const opt_point *v, opt_point *out)
{
  serial_constraint *self = base->self;
  expect_tangent(self, x, v);
  TG_TRY(base->space->ops->copy(base->space, x, out));
  TG_TRY(base->space->ops->axpby(base->space, t, v, 1, out));
  for (int k = 0; k < base->space->n_blocks; k++) serial_set_retract(&self->sets[k], serial_block(out, k));
  return TG_OK;
}

static tg_status hessian(const opt_constraint *base, const opt_point *x, const opt_point *g, const opt_point *v,
                         opt_point *hv)
{
  serial_constraint *self = base->self;
  expect_tangent(self, x, v);
  for (int k = 0; k < base->space->n_blocks; k++)
    if (is_manifold(&self->sets[k]))
      serial_set_hessian(&self->sets[k], serial_block_const(x, k), serial_block_const(g, k), serial_block_const(v, k),
                         serial_block(hv, k));
  return TG_OK;
}

static tg_status norm1_of_all(const opt_constraint *base, const opt_point *x, double *out)
{
  const serial_constraint *self = base->self;
  *out = 0;
  for (int k = 0; k < base->space->n_blocks; k++) *out += serial_set_norm1(&self->sets[k], serial_block_const(x, k));
  return TG_OK;
}

static tg_status proximal(const opt_constraint *base, double a, opt_point *x)
{
  const serial_constraint *self = base->self;
  for (int k = 0; k < base->space->n_blocks; k++) {
    if (self->sets[k].block.norm1 > 0)
      serial_set_proximal(&self->sets[k], a, serial_block(x, k));
    else if (!is_manifold(&self->sets[k]))
      serial_set_project(&self->sets[k], serial_block(x, k));
  }
  return TG_OK;
}

static tg_status extreme(const opt_constraint *base, const opt_point *g, opt_point *z)
{
  const serial_constraint *self = base->self;
  for (int k = 0; k < base->space->n_blocks; k++)
    serial_set_extreme(&self->sets[k], serial_block_const(g, k), serial_block(z, k));
  return TG_OK;
}

static tg_status steepest(const opt_constraint *base, const opt_point *x, const opt_point *g, opt_point *v)
{
  const serial_constraint *self = base->self;
  for (int k = 0; k < base->space->n_blocks; k++) {
    const opt_constraint_kind kind = self->sets[k].block.kind;
    const bool is_turned = is_manifold(&self->sets[k]);
    for (int64_t e = 0; e < self->sets[k].rows * self->sets[k].cols && is_turned; e++)
      serial_block(v, k)[e] = -serial_block_const(g, k)[e];
    const bool is_judged = kind == OPT_CONSTRAINT_FREE || opt_constraint_row_of(kind)->is_bounds;
    if (is_judged)
      serial_set_steepest(&self->sets[k], serial_block_const(x, k), serial_block_const(g, k), serial_block(v, k));
  }
  return TG_OK;
}

static tg_status critical(const opt_constraint *base, const opt_point *x, const opt_point *g, double weak, bool inwards,
                          opt_point *v)
{
  const serial_constraint *self = base->self;
  for (int k = 0; k < base->space->n_blocks; k++)
    serial_set_critical(&self->sets[k], serial_block_const(x, k), serial_block_const(g, k), weak, inwards,
                        serial_block(v, k));
  return TG_OK;
}

static tg_status mask(const opt_constraint *base, const opt_point *x, const opt_point *g, bool release, opt_point *v)
{
  const serial_constraint *self = base->self;
  for (int k = 0; k < base->space->n_blocks; k++)
    serial_set_mask(&self->sets[k], serial_block_const(x, k), serial_block_const(g, k), release, serial_block(v, k));
  return TG_OK;
}

static tg_status orthant(const opt_constraint *base, const opt_point *x, opt_point *y)
{
  const serial_constraint *self = base->self;
  for (int k = 0; k < base->space->n_blocks; k++)
    serial_set_orthant(&self->sets[k], serial_block_const(x, k), serial_block(y, k));
  return TG_OK;
}

static tg_status room(const opt_constraint *base, const opt_point *x, const opt_point *d, double *t)
{
  const serial_constraint *self = base->self;
  *t = (double)INFINITY;
  for (int k = 0; k < base->space->n_blocks; k++)
    *t = fmin(*t, serial_set_room(&self->sets[k], serial_block_const(x, k), serial_block_const(d, k)));
  return TG_OK;
}

static tg_status settle(const opt_constraint *base, double t, const opt_point *d, opt_point *x)
{
  const serial_constraint *self = base->self;
  for (int k = 0; k < base->space->n_blocks; k++)
    serial_set_settle(&self->sets[k], t, serial_block_const(d, k), serial_block(x, k));
  return TG_OK;
}

static const opt_constraint_ops operations = {.violation = violation,
                                              .project = project,
                                              .approach = approach,
                                              .tangent = tangent,
                                              .retract = retract,
                                              .hessian = hessian,
                                              .norm1 = norm1_of_all,
                                              .proximal = proximal,
                                              .extreme = extreme,
                                              .steepest = steepest,
                                              .mask = mask,
                                              .orthant = orthant,
                                              .critical = critical,
                                              .room = room,
                                              .settle = settle};

tg_status serial_constraint_init(serial_constraint *constraint, const serial_space *space,
                                 const opt_constraint_block *blocks)
{
  *constraint = (serial_constraint){.base = {.ops = &operations, .space = &space->base}};
  constraint->base.self = constraint;
  TG_TRY(opt_traits_find(space->base.n_blocks, blocks, &constraint->base.traits));
  for (int k = 0; k < space->base.n_blocks; k++)
    constraint->sets[k] = (serial_set){.block = blocks[k], .rows = space->rows[k], .cols = space->cols[k]};
  return TG_OK;
}
