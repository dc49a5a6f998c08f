// The transportation problem by shortest augmenting paths.
//
// Prices u (columns) and v (rows) keep cost(i, j) - u_j - v_i >= 0, with equality where there is flow, so that the flow
// is the cheapest of its sums. Column by column a shortest path in these reduced costs leads from what the column still
// wants to a row that has something left: from a column to any row, and back along flow, which is taken away again. The
// path carries as much as its ends and its flows allow, and the prices of what it passed move by what was missing (R.
// Ahuja, T. Magnanti, J. Orlin, Network Flows, 1993, section 9.7, with Dijkstra's method on a dense graph).
#include "mpi/constraint/transportation.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

tg_status tg_transportation_check(int64_t m, int64_t n)
{
  if (m > TG_TRANSPORTATION_SIDE_MAX || n > TG_TRANSPORTATION_SIDE_MAX)
    TG_FAIL(TG_LIMIT,
            "the transportation problem of a %" PRId64 " x %" PRId64 " matrix is solved on one rank, at most %d x %d; "
            "take method: barzilai-borwein, which needs none",
            m, n, TG_TRANSPORTATION_SIDE_MAX, TG_TRANSPORTATION_SIDE_MAX);
  return TG_OK;
}

// Indices are kept as numbers: all below 2^53.
typedef struct network {
  int64_t m;
  int64_t n;
  const double *cost;
  double *flow;
  double *row_price; // v
  double *supply;    // what row i has left
  double *distance;  // of row i from the column that wants something
  double *through;   // the column before it on the path
  double *is_settled;
  double *column_price; // u
  double *reached;      // distance of column j, -1: not yet
  double *before;       // the row before it on the path, -1: the path begins here
} network;

int64_t tg_transportation_room(int64_t m, int64_t n)
{
  return 5 * m + 3 * n;
}

static network divide_room(int64_t m, int64_t n, const double *cost, double *room, double *flow)
{
  double *columns = room + 5 * m;
  return (network){.m = m,
                   .n = n,
                   .cost = cost,
                   .flow = flow,
                   .row_price = room,
                   .supply = room + m,
                   .distance = room + 2 * m,
                   .through = room + 3 * m,
                   .is_settled = room + 4 * m,
                   .column_price = columns,
                   .reached = columns + n,
                   .before = columns + 2 * n};
}

static bool is_finite(int64_t count, const double *cost)
{
  for (int64_t e = 0; e < count; e++)
    if (!isfinite(cost[e])) return false;
  return true;
}

// Column j is reached at this distance: the rows beyond it are no further than through it.
static void expand(network *w, int64_t j, int64_t from, double distance)
{
  const double *costs = w->cost + j * w->m;
  w->reached[j] = distance;
  w->before[j] = (double)from;
  for (int64_t i = 0; i < w->m; i++) {
    const double longer = distance + (costs[i] - w->column_price[j] - w->row_price[i]);
    if (w->is_settled[i] > 0 || !(longer < w->distance[i])) continue;
    w->distance[i] = longer;
    w->through[i] = (double)j;
  }
}

static int64_t nearest_row(const network *w)
{
  int64_t nearest = -1;
  for (int64_t i = 0; i < w->m; i++)
    if (!(w->is_settled[i] > 0) && (nearest < 0 || w->distance[i] < w->distance[nearest])) nearest = i;
  return nearest;
}

// The nearest row with something left, -1: none has.
static int64_t find_path(network *w, int64_t column)
{
  for (int64_t i = 0; i < w->m; i++) {
    w->distance[i] = (double)INFINITY;
    w->is_settled[i] = 0;
  }
  for (int64_t j = 0; j < w->n; j++) w->reached[j] = -1;
  expand(w, column, -1, 0);
  for (;;) {
    const int64_t row = nearest_row(w);
    if (row < 0 || w->supply[row] > 0) return row;
    w->is_settled[row] = 1;
    for (int64_t j = 0; j < w->n; j++)
      if (w->flow[row + j * w->m] > 0 && w->reached[j] < 0) expand(w, j, row, w->distance[row]);
  }
}

// Reduced costs stay nonnegative, and zero along the path.
static void move_prices(network *w, double length)
{
  for (int64_t i = 0; i < w->m; i++)
    if (w->is_settled[i] > 0) w->row_price[i] += w->distance[i] - length;
  for (int64_t j = 0; j < w->n; j++)
    if (w->reached[j] >= 0) w->column_price[j] += length - w->reached[j];
}

// What the path to this row can carry of `wanted`.
static double capacity(const network *w, int64_t end, double wanted)
{
  double most = fmin(wanted, w->supply[end]);
  for (int64_t row = end;;) {
    const int64_t column = (int64_t)w->through[row];
    row = (int64_t)w->before[column];
    if (row < 0) return most;
    most = fmin(most, w->flow[row + column * w->m]);
  }
}

static void carry(network *w, int64_t end, double amount)
{
  w->supply[end] -= amount;
  for (int64_t row = end; row >= 0;) {
    const int64_t column = (int64_t)w->through[row];
    w->flow[row + column * w->m] += amount;
    row = (int64_t)w->before[column];
    if (row >= 0) w->flow[row + column * w->m] -= amount;
  }
}

static void serve_column(network *w, int64_t column, double wanted)
{
  while (wanted > 0) {
    const int64_t end = find_path(w, column);
    if (end < 0) return; // nothing is left: totals differ by rounding
    move_prices(w, w->distance[end]);
    const double amount = capacity(w, end, wanted);
    carry(w, end, amount);
    wanted -= amount;
  }
}

void tg_transportation_solve(int64_t m, int64_t n, const double *cost, const double *supply, const double *demand,
                             double *room, double *flow)
{
  network w = divide_room(m, n, cost, room, flow);
  memset(flow, 0, (size_t)(m * n) * sizeof *flow);
  if (!is_finite(m * n, cost)) return;
  memcpy(w.supply, supply, (size_t)m * sizeof *supply);
  for (int64_t i = 0; i < m; i++) w.row_price[i] = 0;
  for (int64_t j = 0; j < n; j++) {
    w.column_price[j] = cost[j * m];
    for (int64_t i = 1; i < m; i++) w.column_price[j] = fmin(w.column_price[j], cost[i + j * m]);
  }
  for (int64_t j = 0; j < n; j++) serve_column(&w, j, demand[j]);
}
