// Sets of bounds and free blocks on plain arrays, with a norm1 or without: opt_constraint_ops from `norm1` to `settle`.
#include "support/serial_set.h"

#include <math.h>

void serial_set_bounds(const serial_set *set, int64_t e, double *low, double *high)
{
  const double *lows = set->block.lows;
  const double *highs = set->block.highs;
  *low = set->block.kind == OPT_CONSTRAINT_FREE ? -(double)INFINITY : 0;
  *high = (double)INFINITY;
  if (set->block.kind != OPT_CONSTRAINT_BOX) return;
  *low = lows != NULL ? lows[e] : set->block.low;
  *high = highs != NULL ? highs[e] : set->block.high;
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
    serial_set_bounds(set, e, &low, &high);
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
    serial_set_bounds(set, e, &low, &high);
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
    serial_set_bounds(set, e, &low, &high);
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
    serial_set_bounds(set, e, &low, &high);
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
    serial_set_bounds(set, e, &low, &high);
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
    serial_set_bounds(set, e, &low, &high);
    if (d[e] != 0) room = fmin(room, ((d[e] < 0 ? low : high) - x[e]) / d[e]);
  }
  return room;
}

void serial_set_settle(const serial_set *set, double t, const double *d, double *x)
{
  double low = 0;
  double high = 0;
  for (int64_t e = 0; e < set->rows * set->cols; e++) {
    serial_set_bounds(set, e, &low, &high);
    const double rounding = 1e-15 * fabs(t * d[e]);
    if (x[e] - low <= rounding) x[e] = low;
    if (high - x[e] <= rounding) x[e] = high;
  }
}
