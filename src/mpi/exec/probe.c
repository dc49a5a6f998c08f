// Products against a random vector: nothing here is shared with the algorithms under test.
#include "mpi/exec/probe.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/matrix/scalapack_abi.h"

// Magnitudes between 1/2 and 1 with random signs, the same on all ranks: no row can hide behind a small entry.
// The mixing is splitmix64's (G. Steele, D. Lea, C. Flood, OOPSLA 2014).
static double entry_of_vector(uint64_t j)
{
  uint64_t z = (j + 1) * UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  z ^= z >> 31;
  const double magnitude = 0.5 + 0.5 * ((double)(z >> 12) + 0.5) * 0x1p-52;
  return (z & 1) != 0 ? -magnitude : magnitude;
}

static void multiply_local(const tg_dmat *a, bool trans, const double *x, int64_t size, double *y, int64_t rows)
{
  const tg_grid *grid = a->grid;
  for (int64_t lj = 0; lj < a->local_cols; lj++) {
    const int64_t j = tg_layout_global(lj, a->block, grid->col, grid->cols);
    for (int64_t li = 0; li < a->local_rows; li++) {
      const int64_t i = tg_layout_global(li, a->block, grid->row, grid->rows);
      const double entry = a->data[li + lj * a->ld];
      const int64_t from = trans ? i : j;
      const int64_t to = trans ? j : i;
      y[to] += entry * x[from];
      y[rows + to] += fabs(entry) * x[size + from];
    }
  }
}

// y[0..rows) = op(A) x[0..size), y[rows..2 rows) = |op(A)| x[size..2 size). Collective.
static tg_status multiply(const tg_dmat *a, bool trans, const double *x, int64_t size, double *y, int64_t rows)
{
  int count = 0;
  TG_TRY(tg_abi_int(2 * rows, "a vector", &count));
  memset(y, 0, (size_t)count * sizeof *y);
  multiply_local(a, trans, x, size, y, rows);
  return tg_mpi_check(MPI_Allreduce(MPI_IN_PLACE, y, count, MPI_DOUBLE, MPI_SUM, a->grid->comm), TG_HERE);
}

static tg_status make_vectors(tg_probe *p)
{
  TG_TRY(TG_NEW(2 * p->n, &p->v));
  TG_TRY(TG_NEW(2 * p->k, &p->image));
  TG_TRY(TG_NEW(2 * p->m, &p->expected));
  TG_TRY(TG_NEW(2 * p->m, &p->found));
  for (int64_t j = 0; j < p->n; j++) {
    p->v[j] = entry_of_vector((uint64_t)j);
    p->v[p->n + j] = fabs(p->v[j]);
  }
  return TG_OK;
}

tg_status tg_probe_start(bool transa, bool transb, double alpha, const tg_dmat *a, const tg_dmat *b, double beta,
                         const tg_dmat *c, tg_probe *out)
{
  *out = (tg_probe){.m = c->rows, .n = c->cols, .k = transa ? a->rows : a->cols};
  TG_TRY(tg_agree(c->grid->comm, make_vectors(out)));
  TG_TRY(multiply(b, transb, out->v, out->n, out->image, out->k));
  TG_TRY(multiply(a, transa, out->image, out->k, out->expected, out->m));
  if (beta != 0) TG_TRY(multiply(c, false, out->v, out->n, out->found, out->m));
  for (int64_t i = 0; i < out->m; i++) {
    out->expected[i] = alpha * out->expected[i] + beta * out->found[i];
    out->expected[out->m + i] = fabs(alpha) * out->expected[out->m + i] + fabs(beta) * out->found[out->m + i];
  }
  return TG_OK;
}

// All ranks hold the same sums, so each finds the same maximum.
tg_status tg_probe_finish(const tg_probe *probe, const tg_dmat *c, double *residual)
{
  const int64_t m = probe->m;
  const double unit = (double)(probe->k + probe->n) * DBL_EPSILON;
  *residual = 0;
  TG_TRY(multiply(c, false, probe->v, probe->n, probe->found, m));
  for (int64_t i = 0; i < m; i++) {
    const double limit = unit * probe->expected[m + i];
    const double error = fabs(probe->found[i] - probe->expected[i]);
    if (!isfinite(limit) || error == 0) continue;
    const double ratio = isfinite(error) && limit > 0 ? error / limit : HUGE_VAL;
    *residual = fmax(*residual, ratio);
  }
  return TG_OK;
}

void tg_probe_fini(tg_probe *probe)
{
  tg_free(probe->v);
  tg_free(probe->image);
  tg_free(probe->expected);
  tg_free(probe->found);
  *probe = (tg_probe){0};
}
