// Violations and multiplier updates of general constraints against plain loops, on every layout.
#include <math.h>

#include "check.h"
#include "mpi/problem/multipliers.h"

enum { ROWS = 7, COLS = 4, ENTRIES = ROWS * COLS };

static const double penalty = 2.5;

// Values and multipliers that irregular numbers make; multipliers of inequalities are not negative.
typedef struct sample {
  tg_dmat *value;
  tg_dmat *multiplier;
  double *h;
  double *m;
} sample;

static void set_up(const tg_grid *grid, bool is_equality, sample *s)
{
  s->value = check_matrix(grid, ROWS, COLS, 3);
  s->multiplier = check_matrix(grid, ROWS, COLS, 4);
  s->h = check_gather(s->value);
  s->m = check_gather(s->multiplier);
  for (int e = 0; e < ENTRIES && !is_equality; e++) s->m[e] = e % 3 == 0 ? 0 : fabs(s->m[e]);
  tg_dmat_scatter_small(s->m, s->multiplier);
}

static void tear_down(sample *s)
{
  tg_free(s->h);
  tg_free(s->m);
  tg_dmat_destroy(&s->value);
  tg_dmat_destroy(&s->multiplier);
}

static void check_measure(const tg_grid *grid, bool is_equality)
{
  sample s;
  tg_violation found;
  double largest = 0;
  double complementarity = 0;
  double square = 0;
  set_up(grid, is_equality, &s);
  for (int e = 0; e < ENTRIES; e++) {
    const double outside = is_equality ? s.h[e] : fmax(0, s.h[e]);
    const double slack = is_equality ? s.h[e] : fmax(s.h[e], -s.m[e] / penalty);
    largest = fmax(largest, fabs(outside));
    complementarity = fmax(complementarity, fabs(slack));
    square += outside * outside;
  }
  const tg_multiplier constraint = {s.value, s.multiplier, is_equality ? -(double)INFINITY : 0, (double)INFINITY};
  REQUIRE_OK(tg_multiplier_measure(&constraint, penalty, &found));
  CHECK(found.largest == largest, "largest %g, expected %g", found.largest, largest);
  CHECK(found.complementarity == complementarity, "complementarity %g, expected %g", found.complementarity,
        complementarity);
  CHECK(fabs(found.square - square) <= 1e-13 * square, "square %.17g, expected %.17g", found.square, square);
  tear_down(&s);
}

static void check_update(const tg_grid *grid, bool is_equality)
{
  const double limit = 1.5;
  sample s;
  double square = 0;
  double expected = 0;
  set_up(grid, is_equality, &s);
  for (int e = 0; e < ENTRIES; e++) {
    s.m[e] = fmin(fmax(s.m[e] + penalty * s.h[e], is_equality ? -limit : 0), limit);
    expected += s.m[e] * s.m[e];
  }
  const tg_multiplier constraint = {s.value, s.multiplier, is_equality ? -(double)INFINITY : 0, (double)INFINITY};
  REQUIRE_OK(tg_multiplier_update(&constraint, penalty, limit, &square));
  CHECK_MATRIX(s.multiplier, s.m, 1e-15, "multipliers");
  CHECK(fabs(square - expected) <= 1e-13 * expected, "square %.17g, expected %.17g", square, expected);
  tear_down(&s);
}

// What is not a number violates everything, on all ranks.
static void check_not_a_number(const tg_grid *grid)
{
  sample s;
  tg_violation found;
  set_up(grid, false, &s);
  s.h[ENTRIES - 1] = check_nan();
  tg_dmat_scatter_small(s.h, s.value);
  const tg_multiplier constraint = {s.value, s.multiplier, 0, (double)INFINITY};
  REQUIRE_OK(tg_multiplier_measure(&constraint, penalty, &found));
  CHECK(isinf(found.largest) && isinf(found.complementarity), "a NaN passes as %g", found.largest);
  tear_down(&s);
}

static void test_multipliers(const tg_grid *grid)
{
  for (int kind = 0; kind < 2; kind++) {
    check_measure(grid, kind == 0);
    check_update(grid, kind == 0);
  }
  check_not_a_number(grid);
}

static void run(void)
{
  const int64_t blocks[] = {1, 2, 64, 0};
  check_on_grids(blocks, test_multipliers);
}

CHECK_PROGRAM(program_multipliers, run)
