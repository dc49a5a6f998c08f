// Residuals of linear systems in extended precision.
#include "mpi/factor/residual.h"

#include "base/memory.h"

typedef struct gathered {
  double *x;
  double *terms; // b, then r
  double *out;
  long double *sums;
} gathered;

static tg_status create(int64_t inputs, int64_t outputs, gathered *g)
{
  *g = (gathered){0};
  TG_TRY(tg_alloc_numbers(inputs, &g->x));
  TG_TRY(tg_alloc_numbers(outputs, &g->terms));
  TG_TRY(tg_alloc_numbers(outputs, &g->out));
  return TG_NEW(outputs, &g->sums);
}

static void destroy(gathered *g)
{
  tg_free(g->x);
  tg_free(g->terms);
  tg_free(g->out);
  tg_free(g->sums);
}

// sums -= the product of this rank's part of op(A) with its rows of x.
static void subtract_product(bool trans, const tg_dmat *a, const tg_dmat *x, int64_t out_rows, gathered *g)
{
  const tg_grid *grid = a->grid;
  for (int64_t q = 0; q < x->cols; q++)
    for (int64_t lj = 0; lj < a->local_cols; lj++) {
      const int64_t j = tg_layout_global(lj, a->block, grid->col, grid->cols);
      for (int64_t li = 0; li < a->local_rows; li++) {
        const int64_t i = tg_layout_global(li, a->block, grid->row, grid->rows);
        const int64_t from = trans ? i : j;
        const int64_t to = trans ? j : i;
        g->sums[to + q * out_rows] -= (long double)a->data[li + lj * a->ld] * (long double)g->x[from + q * x->rows];
      }
    }
}

// sums += factor * term, the same on every rank.
static tg_status add_term(long double factor, const tg_dmat *term, gathered *g)
{
  if (term == NULL) return TG_OK;
  TG_TRY(tg_dmat_gather_small(term, g->terms));
  for (int64_t k = 0; k < term->rows * term->cols; k++) g->sums[k] += factor * (long double)g->terms[k];
  return TG_OK;
}

tg_status tg_residual_extended(bool trans, const tg_dmat *a, const tg_dmat *x, const tg_dmat *b, const tg_dmat *r,
                               tg_dmat *out)
{
  const int64_t n = out->rows * out->cols;
  if (n > TG_DMAT_GATHER_LIMIT || x->rows * x->cols > TG_DMAT_GATHER_LIMIT)
    TG_FAIL(TG_LIMIT, "a residual in extended precision of more than %d entries", TG_DMAT_GATHER_LIMIT);
  gathered g;
  tg_status status = tg_agree(a->grid->comm, create(x->rows * x->cols, n, &g));
  TG_TRY_GOTO(status);
  TG_TRY_GOTO(tg_dmat_gather_small(x, g.x));
  subtract_product(trans, a, x, out->rows, &g);
  TG_TRY_GOTO(
      tg_mpi_check(MPI_Allreduce(MPI_IN_PLACE, g.sums, (int)n, MPI_LONG_DOUBLE, MPI_SUM, a->grid->comm), TG_HERE));
  TG_TRY_GOTO(add_term(1, b, &g));
  TG_TRY_GOTO(add_term(-1, r, &g));
  for (int64_t k = 0; k < n; k++) g.out[k] = (double)g.sums[k];
  tg_dmat_scatter_small(g.out, out);
done:
  destroy(&g);
  return status;
}
