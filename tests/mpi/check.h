// A small multi-rank test harness: checks are recorded locally, and the ranks agree on the verdict at the end.
//
// cmocka leaves a failed test by longjmp; with the other ranks waiting in a collective call the test would hang.
// Here a failed CHECK goes on, a failed REQUIRE_OK ends the whole job.
#ifndef TESTS_MPI_CHECK_H
#define TESTS_MPI_CHECK_H

#include <inttypes.h>
#include <math.h>
#include <mpi.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/matrix/dmat.h"

enum { CHECK_LOG_LINES = 12, CHECK_LINE_BYTES = 400 };

typedef struct check_record {
  int64_t passed;
  int64_t failed;
  char lines[CHECK_LOG_LINES][CHECK_LINE_BYTES];
} check_record;

static check_record check_state;

__attribute__((format(printf, 4, 5))) static inline void check_note(bool holds, const char *file, int line,
                                                                    const char *format, ...)
{
  if (holds) {
    check_state.passed++;
    return;
  }
  if (check_state.failed < CHECK_LOG_LINES) {
    char *text = check_state.lines[check_state.failed];
    const char *base = strrchr(file, '/');
    const int used = snprintf(text, CHECK_LINE_BYTES, "%s:%d: ", base != NULL ? base + 1 : file, line);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, (size_t)(CHECK_LINE_BYTES - used), format, arguments);
    va_end(arguments);
  }
  check_state.failed++;
}

// CHECK(condition, format, ...): the text says what was found.
#define CHECK(condition, ...) check_note((condition), __FILE__, __LINE__, __VA_ARGS__)
// The call must succeed on every rank; the job ends where it does not.
#define REQUIRE_OK(call) check_require((call), __FILE__, __LINE__, #call)
// The call must fail with this code and a message that holds this text.
#define CHECK_FAILS(call, expected, text) check_fails((call), (expected), (text), __FILE__, __LINE__)

static inline void check_require(tg_status status, const char *file, int line, const char *call)
{
  check_note(status == TG_OK, file, line, "%s", call);
  if (status == TG_OK) return;
  fprintf(stderr, "%s:%d: %s: %s\n", file, line, call, tg_error_get()->message);
  MPI_Abort(MPI_COMM_WORLD, 1);
}

static inline void check_fails(tg_status status, tg_status expected, const char *text, const char *file, int line)
{
  const char *message = status == TG_OK ? "" : tg_error_get()->message;
  check_note(status == expected, file, line, "expected %s, got %s: %s", tg_status_label(expected),
             tg_status_label(status), message);
  check_note(strstr(message, text) != NULL, file, line, "\"%s\" is not in the message \"%s\"", text, message);
}

static inline double check_nan(void)
{
  return nan("");
}

static inline int check_rank(void)
{
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

static inline int check_size(void)
{
  int size = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  return size;
}

static inline void check_print(int rank, const check_record *record)
{
  for (int k = 0; k < CHECK_LOG_LINES && k < record->failed; k++) printf("FAIL rank %d: %s\n", rank, record->lines[k]);
  if (record->failed > CHECK_LOG_LINES)
    printf("FAIL rank %d: and %" PRId64 " more\n", rank, record->failed - CHECK_LOG_LINES);
}

// Agrees on the verdict, prints it on rank 0 and returns the exit status. Collective.
static inline int check_finish(void)
{
  int64_t mine[2] = {check_state.passed, check_state.failed};
  int64_t all[2] = {0, 0};
  MPI_Allreduce(mine, all, 2, MPI_INT64_T, MPI_SUM, MPI_COMM_WORLD);
  if (check_rank() != 0) {
    MPI_Send(&check_state, (int)sizeof check_state, MPI_BYTE, 0, 0, MPI_COMM_WORLD);
  } else {
    check_print(0, &check_state);
    for (int r = 1; r < check_size(); r++) {
      static check_record other;
      MPI_Recv(&other, (int)sizeof other, MPI_BYTE, r, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      check_print(r, &other);
    }
    printf("%" PRId64 " passed, %" PRId64 " failed\n", all[0], all[1]);
  }
  return all[1] == 0 && all[0] > 0 ? 0 : 1;
}

// Ends a file of tests: `name` runs its checks and returns the exit status. tests/mpi/main.c calls it.
#define CHECK_PROGRAM(name, run) \
  int name(void);                \
  int name(void)                 \
  {                              \
    (run)();                     \
    return check_finish();       \
  }

// Runs `test` on every P x Q grid of all ranks with each of these block sizes (the list ends with 0).
static inline void check_on_grids(const int64_t *blocks, void (*test)(const tg_grid *grid))
{
  const int size = check_size();
  for (int p = 1; p <= size; p++) {
    if (size % p != 0) continue;
    for (const int64_t *block = blocks; *block != 0; block++) {
      tg_grid *grid = NULL;
      REQUIRE_OK(tg_grid_create(MPI_COMM_WORLD, p, size / p, *block, &grid));
      test(grid);
      tg_grid_destroy(&grid);
    }
  }
}

// A reproducible entry in (-1, 1) from a seed and a position: the same on every rank, whatever the layout.
static inline double check_entry(uint64_t seed, int64_t i, int64_t j)
{
  uint64_t x = seed * 0x9e3779b97f4a7c15u + (uint64_t)i * 0xbf58476d1ce4e5b9u + (uint64_t)j * 0x94d049bb133111ebu;
  x ^= x >> 31;
  x *= 0xd6e8feb86659fd93u;
  x ^= x >> 29;
  x *= 0xd6e8feb86659fd93u;
  x ^= x >> 32;
  return (double)(x >> 11) * 0x1p-52 - 1;
}

// A new matrix with those entries.
static inline tg_dmat *check_matrix(const tg_grid *grid, int64_t rows, int64_t cols, uint64_t seed)
{
  tg_dmat *m = NULL;
  REQUIRE_OK(tg_agree(grid->comm, tg_dmat_create(grid, rows, cols, &m)));
  for (int64_t lj = 0; lj < m->local_cols; lj++)
    for (int64_t li = 0; li < m->local_rows; li++)
      m->data[li + lj * m->ld] = check_entry(seed, tg_layout_global(li, m->block, grid->row, grid->rows),
                                             tg_layout_global(lj, m->block, grid->col, grid->cols));
  return m;
}

// The same entries as a plain array; free with tg_free.
static inline double *check_array(int64_t rows, int64_t cols, uint64_t seed)
{
  double *a = NULL;
  REQUIRE_OK(tg_alloc_numbers(rows * cols, &a));
  for (int64_t j = 0; j < cols; j++)
    for (int64_t i = 0; i < rows; i++) a[i + j * rows] = check_entry(seed, i, j);
  return a;
}

// The whole matrix on this rank; free with tg_free. Collective.
static inline double *check_gather(const tg_dmat *m)
{
  double *a = NULL;
  REQUIRE_OK(tg_alloc_numbers(m->rows * m->cols, &a));
  REQUIRE_OK(tg_dmat_gather_small(m, a));
  return a;
}

// Largest |a - b| over max(1, |b|); NaN where the two disagree about being finite.
static inline double check_distance(const double *a, const double *b, int64_t count)
{
  double worst = 0;
  for (int64_t k = 0; k < count; k++) {
    const double distance = fabs(a[k] - b[k]) / fmax(1, fabs(b[k]));
    if (!(distance <= worst)) worst = distance;
  }
  return worst;
}

// The matrix must equal the plain array within tolerance * max(1, |entry|). Collective.
#define CHECK_MATRIX(m, expected, tolerance, what) \
  check_matrix_equals((m), (expected), (tolerance), (what), __FILE__, __LINE__)
static inline void check_matrix_equals(const tg_dmat *m, const double *expected, double tolerance, const char *what,
                                       const char *file, int line)
{
  double *found = check_gather(m);
  const double distance = check_distance(found, expected, m->rows * m->cols);
  check_note(distance <= tolerance, file, line,
             "%s, %" PRId64 " x %" PRId64 " on %d x %d, block %" PRId64 ": off by %.3g", what, m->rows, m->cols,
             m->grid->rows, m->grid->cols, m->block, distance);
  tg_free(found);
}

#endif
