// Symmetry, zeros outside the diagonal and definiteness, seen in the numbers of a matrix.
#include "engine/problem/found.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "engine/method/method_parts.h"
#include "grad/graph/graph.h"
#include "mpi/factor/factor.h"

enum { PROBES = 3 };

static int64_t row_of(const tg_dmat *a, int64_t i)
{
  return tg_layout_global(i, a->block, a->grid->row, a->grid->rows);
}

static int64_t col_of(const tg_dmat *a, int64_t j)
{
  return tg_layout_global(j, a->block, a->grid->col, a->grid->cols);
}

// The finaliser of splitmix64: every bit of the input moves every bit of the output.
static uint64_t mix(uint64_t z)
{
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

static uint64_t hash_at(uint64_t bits, int64_t i, int64_t j, int64_t rows)
{
  return mix(bits + mix((uint64_t)(i + j * rows) + 1));
}

// ---- exactly ----

// Sums of hashes of the entries with their places, and with those of the transpose: equal for a symmetric matrix, and
// for another one with a probability of 2^-64.
static tg_status look_exactly(const tg_dmat *a, bool *is_symmetric, bool *is_diagonal)
{
  uint64_t sums[3] = {0, 0, 0}; // as it stands, turned, entries outside the diagonal that are not zero
  for (int64_t j = 0; j < a->local_cols; j++) {
    const int64_t column = col_of(a, j);
    for (int64_t i = 0; i < a->local_rows; i++) {
      const int64_t row = row_of(a, i);
      const double entry = a->data[i + j * a->ld] + 0.0; // no -0
      uint64_t bits = 0;
      memcpy(&bits, &entry, sizeof bits);
      sums[0] += hash_at(bits, row, column, a->rows);
      sums[1] += hash_at(bits, column, row, a->rows);
      if (row != column && entry != 0) sums[2]++;
    }
  }
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, sums, 3, MPI_UINT64_T, MPI_SUM, a->grid->comm));
  *is_symmetric = sums[0] == sums[1];
  *is_diagonal = sums[2] == 0;
  return TG_OK;
}

// ---- to rounding ----

// An entry of the vector number `probe`, uniform on (-1, 1).
static double entry_of(int probe, int64_t i)
{
  const uint64_t bits = mix(mix((uint64_t)i + 1) + (uint64_t)probe * UINT64_C(0x9e3779b97f4a7c15));
  return (double)(bits >> 11) * 0x1p-52 - 1;
}

// difference[0..n) = (A - A') v, summed in extended precision: what is left is of the entries alone.
static tg_status turn_difference(const tg_dmat *a, int probe, long double *difference)
{
  for (int64_t i = 0; i < a->rows; i++) difference[i] = 0;
  for (int64_t j = 0; j < a->local_cols; j++) {
    const int64_t column = col_of(a, j);
    const long double v = (long double)entry_of(probe, column);
    long double sum = 0;
    for (int64_t i = 0; i < a->local_rows; i++) {
      const int64_t row = row_of(a, i);
      const long double entry = (long double)a->data[i + j * a->ld];
      difference[row] += entry * v;
      sum += entry * (long double)entry_of(probe, row);
    }
    difference[column] -= sum;
  }
  return tg_mpi_check(MPI_Allreduce(MPI_IN_PLACE, difference, (int)a->rows, MPI_LONG_DOUBLE, MPI_SUM, a->grid->comm),
                      TG_HERE);
}

static bool is_rounding(int64_t n, int probe, const double *diagonal, const long double *difference)
{
  double square = 0;
  bool holds = true;
  for (int64_t i = 0; i < n; i++) square += fabs(diagonal[i]) * entry_of(probe, i) * entry_of(probe, i);
  for (int64_t i = 0; i < n && holds; i++)
    holds = (double)fabsl(difference[i]) <= 8 * DBL_EPSILON * sqrt(fabs(diagonal[i])) * sqrt(square);
  return holds;
}

static tg_status look_to_rounding(const tg_dmat *a, bool *is_symmetric)
{
  double *diagonal = NULL;
  long double *difference = NULL;
  tg_status status = TG_NEW(a->rows, &diagonal);
  if (status == TG_OK) status = TG_NEW(a->rows, &difference);
  TG_TRY_GOTO(tg_agree(a->grid->comm, status));
  TG_TRY_GOTO(tg_factor_gather_diagonal(a, diagonal));
  *is_symmetric = true;
  for (int probe = 0; probe < PROBES && *is_symmetric; probe++) {
    TG_TRY_GOTO(turn_difference(a, probe, difference));
    *is_symmetric = is_rounding(a->rows, probe, diagonal, difference);
  }
done:
  tg_free(difference);
  tg_free(diagonal);
  return status;
}

tg_status tg_found_look(const tg_dmat *a, unsigned *properties)
{
  bool is_diagonal = false;
  bool is_symmetric = false;
  TG_TRY(look_exactly(a, &is_symmetric, &is_diagonal));
  if (!is_symmetric) TG_TRY(look_to_rounding(a, &is_symmetric));
  *properties = (is_symmetric ? TG_SYMMETRIC : 0U) | (is_diagonal ? TG_DIAGONAL : 0U);
  return TG_OK;
}

tg_status tg_found_is_definite(const tg_dmat *a, bool *out)
{
  tg_factor *factor = NULL;
  TG_TRY(tg_factor_create(a->grid, a->rows, &factor));
  const tg_status status = tg_factor_cholesky(factor, a);
  *out = status == TG_OK && tg_factor_pivot_ratio(factor) > TG_METHOD_SURE_PIVOTS;
  tg_factor_destroy(&factor);
  if (status == TG_NUMERIC) tg_error_clear();
  return status == TG_NUMERIC ? TG_OK : status;
}
