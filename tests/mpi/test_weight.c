// The spread of weights about their marginals, and the ratio of a matrix's entries: against plain loops.
#include "check.h"
#include "mpi/matrix/weight.h"

enum { M = 7, N = 5 };

static tg_dmat *new_weights(const tg_grid *grid, double (*entry)(int64_t i, int64_t j), double *entries)
{
  tg_dmat *out = check_matrix(grid, M, N, 1);
  for (int64_t j = 0; j < N; j++)
    for (int64_t i = 0; i < M; i++) entries[i + j * M] = entry(i, j);
  tg_dmat_scatter_small(entries, out);
  return out;
}

static double separable(int64_t i, int64_t j)
{
  return -(1.0 + (double)i) * (2.0 + (double)j); // the sign does not matter
}

// A row without weight, holes, and entries of all sizes.
static double holed(int64_t i, int64_t j)
{
  return i == 3 || (i + 2 * j) % 5 == 0 ? 0 : 1.0 + (double)((3 * i + 7 * j) % 4);
}

static void test_spread(const tg_grid *grid)
{
  double entries[M * N];
  tg_weight_spread found;
  tg_dmat *q = new_weights(grid, separable, entries);
  REQUIRE_OK(tg_weight_measure(q, &found));
  CHECK(found.count == M * N, "%g entries of a separable matrix are seen", found.count);
  CHECK(fabs(found.smallest - 1) < 1e-14 && fabs(found.largest - 1) < 1e-14, "separable: %.17g to %.17g",
        found.smallest, found.largest);
  tg_dmat_destroy(&q);
  q = new_weights(grid, holed, entries);
  double rows[M] = {0};
  double cols[N] = {0};
  double total = 0;
  tg_weight_spread expected = {0};
  for (int e = 0; e < M * N; e++) {
    rows[e % M] += entries[e];
    cols[e / M] += entries[e];
    total += entries[e];
  }
  for (int e = 0; e < M * N; e++) {
    const double ratio = rows[e % M] > 0 ? entries[e] * total / (rows[e % M] * cols[e / M]) : 0;
    expected.count += ratio >= TG_WEIGHT_SEEN;
    expected.largest = fmax(expected.largest, ratio);
  }
  REQUIRE_OK(tg_weight_measure(q, &found));
  CHECK(found.count == expected.count && found.count < M * N - N, "%g seen, expected %g", found.count, expected.count);
  CHECK(found.smallest == 0, "holes: the smallest is %g", found.smallest);
  CHECK(fabs(found.largest - expected.largest) < 1e-13, "the largest is %.17g, expected %.17g", found.largest,
        expected.largest);
  tg_dmat_destroy(&q);
}

static void test_ratio(const tg_grid *grid)
{
  double entries[M * N];
  double found = 0;
  tg_dmat *q = new_weights(grid, separable, entries);
  REQUIRE_OK(tg_weight_ratio(q, &found));
  CHECK(found == HUGE_VAL, "negative entries have the ratio %g", found);
  for (int e = 0; e < M * N; e++) entries[e] = -entries[e];
  tg_dmat_scatter_small(entries, q);
  REQUIRE_OK(tg_weight_ratio(q, &found));
  CHECK(found == 7.0 * 6 / 2, "ratio %g, expected 21", found);
  entries[17] = check_nan();
  tg_dmat_scatter_small(entries, q);
  REQUIRE_OK(tg_weight_ratio(q, &found));
  CHECK(found == HUGE_VAL, "a NaN among them: %g", found);
  tg_dmat_destroy(&q);
}

static void run(void)
{
  const int64_t blocks[] = {1, 2, 64, 0};
  check_on_grids(blocks, test_spread);
  check_on_grids(blocks, test_ratio);
}

CHECK_PROGRAM(program_weight, run)
