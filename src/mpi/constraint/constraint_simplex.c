// Simplices: simplex_rows and simplex_columns, every line nonnegative with a given sum s, 1 by default.
//
// The projection of a line y is max(y - m, 0) with the m that makes the sum s (J. Duchi, S. Shalev-Shwartz, Y. Singer,
// T. Chandra, ICML 2008). A line is spread over ranks, so m is found without sorting, for all lines at once: from m =
// (sum y - s) / n on, m becomes (sum of the entries above m, less s) / their number until no entry falls out any more.
// m only rises and the set of entries above only shrinks, so it ends, mostly after a handful of rounds, one reduction
// each (C. Michelot, J. Optim. Theory Appl. 50 (1986)).
#include <float.h>
#include <limits.h>
#include <math.h>

#include "base/memory.h"
#include "mpi/constraint/constraint_set.h"
#include "mpi/matrix/dmat_ops.h"

typedef struct lines {
  bool by_rows;
  int64_t count;     // lines with entries on this rank
  int64_t length;    // my entries of each
  MPI_Comm comm;     // ranks that share these lines
  double *sums;      // room of the set's for two numbers a line: the sum of entries and their number
  double *threshold; // m
  double *total;     // s
} lines;

static lines lines_of(const tg_set *set, const tg_dmat *x)
{
  const bool by_rows = set->block.kind == OPT_CONSTRAINT_SIMPLEX_ROWS;
  const int64_t count = by_rows ? x->local_rows : x->local_cols;
  return (lines){.by_rows = by_rows,
                 .count = count,
                 .length = by_rows ? x->local_cols : x->local_rows,
                 .comm = by_rows ? x->grid->row_comm : x->grid->col_comm,
                 .sums = set->numbers,
                 .threshold = set->numbers + 2 * count,
                 .total = set->numbers + 3 * count};
}

static double *entry_of(const tg_dmat *x, const lines *l, int64_t line, int64_t k)
{
  return l->by_rows ? &x->data[line + k * x->ld] : &x->data[k + line * x->ld];
}

static tg_status create_simplex(tg_set *set)
{
  const bool by_rows = set->block.kind == OPT_CONSTRAINT_SIMPLEX_ROWS;
  return tg_alloc_numbers(4 * tg_set_lines(set, by_rows) + 1, &set->numbers);
}

static tg_status load_simplex(tg_set *set)
{
  const bool by_rows = set->block.kind == OPT_CONSTRAINT_SIMPLEX_ROWS;
  return tg_set_load_totals(set, by_rows, set->numbers + 3 * tg_set_lines(set, by_rows));
}

// sums[2 l] := the sum of entries of line l above threshold[l], sums[2 l + 1] := their number, over all ranks.
static tg_status sum_above(const tg_dmat *x, const lines *l)
{
  double *sums = l->sums;
  const double *threshold = l->threshold;
  for (int64_t line = 0; line < l->count; line++) {
    double sum = 0;
    double number = 0;
    for (int64_t k = 0; k < l->length; k++) {
      const double entry = *entry_of(x, l, line, k);
      if (!(entry <= threshold[line])) { // a NaN takes part: the line becomes NaN
        sum += entry;
        number++;
      }
    }
    sums[2 * line] = sum;
    sums[2 * line + 1] = number;
  }
  return tg_mpi_check(MPI_Allreduce(MPI_IN_PLACE, sums, (int)(2 * l->count), MPI_DOUBLE, MPI_SUM, l->comm), TG_HERE);
}

static tg_status violation_simplex(tg_set *set, const tg_dmat *x, double *out)
{
  const lines l = lines_of(set, x);
  double worst = 0;
  for (int64_t line = 0; line < l.count; line++) l.threshold[line] = -(double)INFINITY;
  TG_TRY(sum_above(x, &l));
  for (int64_t line = 0; line < l.count; line++) {
    worst = tg_set_worse(worst, fabs(l.sums[2 * line] - l.total[line]));
    for (int64_t k = 0; k < l.length; k++) worst = tg_set_worse(worst, -*entry_of(x, &l, line, k));
  }
  return tg_set_largest(set->grid, worst, out);
}

// One round for all lines: whether any line of any rank still changes. Collective over the whole grid, so that all
// ranks do the same number of rounds.
static tg_status raise_thresholds(tg_set *set, const tg_dmat *x, const lines *l, bool *changes)
{
  double any = 0;
  TG_TRY(sum_above(x, l));
  for (int64_t line = 0; line < l->count; line++) {
    const double m = (l->sums[2 * line] - l->total[line]) / l->sums[2 * line + 1];
    // Rounding may leave m a little lower, or no entry above it at all: then the line is done.
    if (m > l->threshold[line]) {
      l->threshold[line] = m;
      any = 1;
    }
  }
  TG_TRY(tg_set_largest(set->grid, any, &any));
  *changes = any > 0;
  return TG_OK;
}

// Whether the line is in the simplex up to the rounding of its sum, after many steps.
static bool is_met(const lines *l, int64_t line)
{
  return fabs(l->sums[2 * line] - l->total[line]) <= 4096 * DBL_EPSILON * l->total[line];
}

// A line that is in the simplex but for rounding is multiplied: entries far below that rounding keep their digits, and
// none of them becomes zero, where the objective may end.
static tg_status project_simplex(tg_set *set, tg_dmat *x)
{
  const lines l = lines_of(set, x);
  bool changes = true;
  for (int64_t line = 0; line < l.count; line++) l.threshold[line] = -(double)INFINITY;
  while (changes) TG_TRY(raise_thresholds(set, x, &l, &changes));
  for (int64_t line = 0; line < l.count; line++) {
    const bool scales = is_met(&l, line);
    for (int64_t k = 0; k < l.length; k++) {
      double *entry = entry_of(x, &l, line, k);
      const double rest =
          scales && *entry >= 0 ? *entry * (l.total[line] / l.sums[2 * line]) : *entry - l.threshold[line];
      // Comparisons let a NaN through: the objective shall see it.
      *entry = rest < 0 || (l.total[line] == 0 && rest >= 0) ? 0 : rest;
    }
  }
  return TG_OK;
}

// Where a line is least; of equals the first, whichever ranks they are on.
typedef struct place {
  double value;
  int index; // in the whole line
} place;

static place least_entry(const tg_dmat *g, const lines *l, int64_t line)
{
  const tg_grid *grid = g->grid;
  place least = {.value = (double)INFINITY, .index = INT_MAX};
  for (int64_t k = 0; k < l->length; k++) {
    const double value = *entry_of(g, l, line, k);
    if (!(value < least.value)) continue;
    const int64_t index = l->by_rows ? tg_layout_global(k, g->block, grid->col, grid->cols)
                                     : tg_layout_global(k, g->block, grid->row, grid->rows);
    least = (place){.value = value, .index = (int)index};
  }
  return least;
}

// z := the line's sum where a line of g is least, else 0. A line of NaNs gets none: <g, z> is NaN all the same.
static tg_status extreme_simplex(tg_set *set, const tg_dmat *g, tg_dmat *z)
{
  const lines l = lines_of(set, z);
  place *least = (place *)(void *)set->numbers; // two numbers a line are room for it
  _Static_assert(sizeof(place) <= 2 * sizeof(double), "a place fits the room of a line");
  for (int64_t line = 0; line < l.count; line++) least[line] = least_entry(g, &l, line);
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, least, (int)l.count, MPI_DOUBLE_INT, MPI_MINLOC, l.comm));
  tg_dmat_fill(0, z);
  for (int64_t line = 0; line < l.count; line++) {
    const tg_grid *grid = z->grid;
    const int64_t index = least[line].index;
    const bool is_mine = l.by_rows ? tg_layout_owner(index, z->block, grid->cols) == grid->col
                                   : tg_layout_owner(index, z->block, grid->rows) == grid->row;
    if (index == INT_MAX || !is_mine) continue;
    *entry_of(z, &l, line, tg_layout_local(index, z->block, l.by_rows ? grid->cols : grid->rows)) = l.total[line];
  }
  return TG_OK;
}

const tg_set_ops tg_set_simplex = {.create = create_simplex,
                                   .load = load_simplex,
                                   .violation = violation_simplex,
                                   .project = project_simplex,
                                   .extreme = extreme_simplex};
