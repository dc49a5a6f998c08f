// Both executors over the same plan and operands, to be compared.
#ifndef TESTS_MPI_EXEC_PAIR_H
#define TESTS_MPI_EXEC_PAIR_H

#include "check.h"
#include "mpi/exec/exec.h"
#include "support/sample_plans.h"
#include "support/serial_exec.h"

enum { DATA_MAX = 32 };

static const double tolerance = 1e-11;

// A plan with both executors on the same operands.
typedef struct pair {
  tg_plan *plan;
  double *arrays[DATA_MAX];
  tg_dmat *data[DATA_MAX];
  serial_exec *serial;
  tg_exec *exec;
} pair;

static inline tg_dmat *scattered(const tg_grid *grid, int64_t rows, int64_t cols, const double *entries)
{
  tg_dmat *m = NULL;
  REQUIRE_OK(tg_dmat_create(grid, rows, cols, &m));
  tg_dmat_scatter_small(entries, m);
  return m;
}

static inline pair pair_create(const tg_grid *grid, tg_plan *plan)
{
  pair p = {.plan = plan};
  for (int32_t k = 0; k < plan->n_data; k++) {
    const tg_plan_data *entry = &plan->data[k];
    REQUIRE_OK(tg_alloc_numbers(entry->rows * entry->cols, &p.arrays[k]));
    sample_fill(entry->name, entry->rows, entry->cols, (uint64_t)k + 1, p.arrays[k]);
    p.data[k] = scattered(grid, entry->rows, entry->cols, p.arrays[k]);
  }
  REQUIRE_OK(serial_exec_create(plan, (const double *const *)p.arrays, &p.serial));
  REQUIRE_OK(tg_exec_create(grid, plan, p.data, NULL, &p.exec));
  return p;
}

static inline void pair_destroy(pair *p)
{
  tg_exec_destroy(&p->exec);
  serial_exec_destroy(&p->serial);
  for (int k = 0; k < DATA_MAX; k++) {
    tg_free(p->arrays[k]);
    tg_dmat_destroy(&p->data[k]);
  }
  tg_plan_destroy(&p->plan);
}

static inline void run_both(pair *p, tg_program_id program)
{
  REQUIRE_OK(serial_exec_run(p->serial, program));
  REQUIRE_OK(tg_exec_run(p->exec, program));
}

static inline void compare_registers(pair *p, const char *what)
{
  for (int32_t r = 0; r < p->plan->n_registers; r++) {
    const double expected = serial_exec_register(p->serial, r);
    const double found = tg_exec_register(p->exec, r);
    const double distance = check_distance(&found, &expected, 1);
    CHECK(distance <= tolerance, "%s: register %" PRId32 " is %.17g, expected %.17g", what, r, found, expected);
  }
}

static inline void compare_buffer(pair *p, int32_t id, const char *what)
{
  CHECK_MATRIX(tg_exec_buffer(p->exec, id), serial_exec_buffer(p->serial, id), tolerance, what);
}

static inline void compare_storage(pair *p, tg_buffer_kind kind, const char *what)
{
  for (int32_t b = 0; b < p->plan->n_buffers; b++)
    if (p->plan->buffers[b].kind == kind) compare_buffer(p, b, what);
}

#endif
