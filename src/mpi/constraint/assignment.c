// The linear assignment problem by shortest augmenting paths.
//
// R. Jonker and A. Volgenant, Computing 38 (1987): prices u (columns) and v (rows) keep cost(i, j) - u_j - v_i >= 0,
// with equality on the assignment. Column by column a shortest alternating path in these reduced costs leads to a free
// row (Dijkstra's method on a dense graph), and the prices of the rows it passed move by what was missing. A first pass
// gives every column its cheapest row where that is still free.
#include "mpi/constraint/assignment.h"

#include <inttypes.h>
#include <math.h>

tg_status tg_assignment_check(int64_t n)
{
  if (n > TG_ASSIGNMENT_SIDE_MAX)
    TG_FAIL(TG_LIMIT,
            "the linear assignment of a %" PRId64 " x %" PRId64 " matrix is solved on one rank, at most %d x %d; take "
            "method: barzilai-borwein, which needs none",
            n, n, TG_ASSIGNMENT_SIDE_MAX, TG_ASSIGNMENT_SIDE_MAX);
  return TG_OK;
}

// Five arrays over rows or columns. Indices are kept as numbers: all below 2^53.
typedef struct prices {
  double *row;        // v
  double *column_of;  // the column that has row i, -1: free
  double *distance;   // of row i from the column to be assigned
  double *previous;   // the row before it on the path, -1: none
  double *is_settled; // its distance is final
} prices;

int64_t tg_assignment_room(int64_t n)
{
  return 5 * n;
}

static prices divide_room(int64_t n, double *room)
{
  return (prices){room, room + n, room + 2 * n, room + 3 * n, room + 4 * n};
}

static bool is_finite(int64_t count, const double *cost)
{
  for (int64_t e = 0; e < count; e++)
    if (!isfinite(cost[e])) return false;
  return true;
}

void tg_costs_round(int64_t count, double *cost)
{
  double largest = 0;
  int exponent = 0;
  if (!is_finite(count, cost)) return;
  for (int64_t e = 0; e < count; e++) largest = fmax(largest, fabs(cost[e]));
  if (largest < 0x1p-900) return; // the unit would not be a normal number
  frexp(largest, &exponent);
  const double unit = ldexp(1, exponent - 40);
  for (int64_t e = 0; e < count; e++) cost[e] = unit * nearbyint(cost[e] / unit);
}

// Row prices 0, so that a column's price is its least cost; the cheapest rows that are free are taken. row_of[j] = -1:
// column j has none yet.
static void take_cheapest(int64_t n, const double *cost, prices *p, int64_t *row_of)
{
  for (int64_t i = 0; i < n; i++) {
    p->row[i] = 0;
    p->column_of[i] = -1;
  }
  for (int64_t j = 0; j < n; j++) {
    int64_t least = 0;
    for (int64_t i = 1; i < n; i++)
      if (cost[i + j * n] < cost[least + j * n]) least = i;
    row_of[j] = -1;
    if (p->column_of[least] >= 0) continue;
    p->column_of[least] = (double)j;
    row_of[j] = least;
  }
}

// Distances of all rows through the settled row `last` (-1: from the free column itself), and the nearest unsettled
// row. The path goes on from the column that has `last`, whose reduced cost there is zero.
static int64_t extend_paths(int64_t n, const double *cost, int64_t column, int64_t last, double reached, prices *p)
{
  int64_t nearest = -1;
  const double *costs = cost + column * n;
  // The column's price is what makes its own row's reduced cost zero; a free column starts at zero.
  const double price = last >= 0 ? costs[last] - p->row[last] : 0;
  for (int64_t i = 0; i < n; i++) {
    if (p->is_settled[i] > 0) continue;
    const double distance = reached + costs[i] - price - p->row[i];
    if (distance < p->distance[i]) {
      p->distance[i] = distance;
      p->previous[i] = (double)last;
    }
    if (nearest < 0 || p->distance[i] < p->distance[nearest]) nearest = i;
  }
  return nearest;
}

// The rows on the path change hands, from its free end backwards.
static void change_hands(int64_t end, int64_t column, prices *p, int64_t *row_of)
{
  int64_t row = end;
  while (row >= 0) {
    const int64_t before = (int64_t)p->previous[row];
    const int64_t taker = before >= 0 ? (int64_t)p->column_of[before] : column;
    p->column_of[row] = (double)taker;
    row_of[taker] = row;
    row = before;
  }
}

static void assign_column(int64_t n, const double *cost, int64_t column, prices *p, int64_t *row_of)
{
  int64_t current = column;
  int64_t last = -1;
  double reached = 0;
  for (int64_t i = 0; i < n; i++) {
    p->distance[i] = (double)INFINITY;
    p->is_settled[i] = 0;
  }
  for (;;) {
    const int64_t nearest = extend_paths(n, cost, current, last, reached, p);
    reached = p->distance[nearest];
    last = nearest;
    if (p->column_of[nearest] < 0) break;
    p->is_settled[nearest] = 1;
    current = (int64_t)p->column_of[nearest];
  }
  for (int64_t i = 0; i < n; i++)
    if (p->is_settled[i] > 0) p->row[i] += p->distance[i] - reached;
  change_hands(last, column, p, row_of);
}

void tg_assignment_solve(int64_t n, const double *cost, double *room, int64_t *row_of)
{
  prices p = divide_room(n, room);
  if (!is_finite(n * n, cost)) {
    for (int64_t j = 0; j < n; j++) row_of[j] = j;
    return;
  }
  take_cheapest(n, cost, &p, row_of);
  for (int64_t j = 0; j < n; j++)
    if (row_of[j] < 0) assign_column(n, cost, j, &p, row_of);
}
