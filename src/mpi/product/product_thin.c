// Products of a large operand with a thin one: the large one stays where it is.
//
// Let L be the larger operand and S the thin one, T = op(L) S with L's local part at hand: a panel of S comes to
// every rank whole, each multiplies its part of L with the rows of S that belong to it, and the partial results
// are summed along the grid row (L as it is) or the grid column (L transposed). A product with the large operand on
// the right is the transpose of this: C' = op(B)' op(A)'.
#include <cblas.h>
#include <string.h>

#include "mpi/matrix/scalapack_abi.h"
#include "mpi/product/product_call.h"

enum { PANEL_ENTRIES = 1 << 21 };

typedef struct thin_form {
  const tg_product_call *call;
  const tg_dmat *large;
  const tg_dmat *thin;
  bool is_left;      // the large operand is A
  bool turned;       // T = L' S instead of L S
  bool thin_by_rows; // column t of S is row t of the stored thin matrix
  int64_t inner;     // rows of S
  int64_t outer;     // rows of T
  int64_t thin_size; // columns of S and T
  int64_t width;     // of a panel of them
  int64_t inner_local;
  int64_t outer_local;
  double *whole;   // S: inner x width
  double *mine;    // its rows that meet my part of L
  double *partial; // T: outer_local x width
  double *spread;  // outer x width, where C's layout is the other one
} thin_form;

static thin_form form_of(const tg_product_call *call)
{
  thin_form f = {.call = call};
  f.is_left = (double)call->m * (double)call->k >= (double)call->k * (double)call->n;
  f.large = f.is_left ? call->a : call->b;
  f.thin = f.is_left ? call->b : call->a;
  f.turned = f.is_left ? call->transa : !call->transb;
  f.thin_by_rows = f.is_left ? call->transb : !call->transa;
  f.inner = call->k;
  f.outer = f.is_left ? call->m : call->n;
  f.thin_size = f.is_left ? call->n : call->m;
  f.inner_local = f.turned ? f.large->local_rows : f.large->local_cols;
  f.outer_local = f.turned ? f.large->local_cols : f.large->local_rows;
  const int64_t longest = f.inner > f.outer ? f.inner : f.outer;
  f.width = PANEL_ENTRIES / longest > 1 ? PANEL_ENTRIES / longest : 1;
  if (f.width > f.thin_size) f.width = f.thin_size;
  return f;
}

// T's rows are dealt as L's rows (or columns, if turned) are, C's as its rows (or columns, if L is on the right).
static bool needs_spreading(const thin_form *f)
{
  return f->is_left == f->turned;
}

bool tg_product_thin_pays(const tg_product_call *call)
{
  const thin_form f = form_of(call);
  const tg_grid *grid = call->c->grid;
  const double p = grid->rows;
  const double q = grid->cols;
  const double m = (double)call->m;
  const double n = (double)call->n;
  const double k = (double)call->k;
  // Numbers a rank receives by panels. TT costs a transposition besides; NN stands for it.
  double panels = (q > 1 ? m / p * k : 0) + (p > 1 ? k * n / q : 0);
  if (call->transa && !call->transb) panels = (q > 1 ? k / p * m : 0) + (p > 1 ? m * n / q : 0);
  if (!call->transa && call->transb) panels = (p > 1 ? n * k / q : 0) + (q > 1 ? m / p * n : 0);
  const double dealt = f.turned ? q : p;
  const double w = (double)f.thin_size;
  const double thin =
      w * (2 * (double)f.inner + 2 * (double)f.outer / dealt + (needs_spreading(&f) ? 2 * (double)f.outer : 0));
  return 2 * thin < panels;
}

static tg_status reserve(thin_form *f)
{
  tg_workspace *workspace = f->call->workspace;
  // Bounds over ranks: the whole lengths.
  TG_TRY(tg_workspace_reserve(workspace, TG_SLOT_PANEL_A, f->inner * f->width, &f->whole));
  TG_TRY(tg_workspace_reserve(workspace, TG_SLOT_PANEL_B, f->inner * f->width, &f->mine));
  TG_TRY(tg_workspace_reserve(workspace, TG_SLOT_PANEL_C, f->outer * f->width, &f->partial));
  return tg_workspace_reserve(workspace, TG_SLOT_PACK, f->outer * f->width, &f->spread);
}

// Sends of an allreduce: each rank passes on about twice what it holds, whatever the algorithm.
static void count_allreduce(const thin_form *f, int64_t numbers, int ranks)
{
  if (ranks == 1) return;
  f->call->counters->bytes_sent += 2.0 * (double)numbers * (double)sizeof(double) * (ranks - 1) / ranks;
  f->call->counters->messages += 2 * (int64_t)(ranks - 1);
}

// --- the thin operand comes --------------------------------------------------------------------------

// whole(:, t - first) = S(:, t) for t in first .. first + count, on every rank: each entry has one owner, so an
// "or" of bits moves it.
static tg_status gather_thin(const thin_form *f, int64_t first, int64_t count)
{
  const tg_dmat *s = f->thin;
  const tg_grid *grid = s->grid;
  memset(f->whole, 0, (size_t)(f->inner * count) * sizeof(double));
  for (int64_t lj = 0; lj < s->local_cols; lj++) {
    const int64_t j = tg_layout_global(lj, s->block, grid->col, grid->cols);
    if (!f->thin_by_rows && (j < first || j >= first + count)) continue;
    for (int64_t li = 0; li < s->local_rows; li++) {
      const int64_t i = tg_layout_global(li, s->block, grid->row, grid->rows);
      const int64_t t = (f->thin_by_rows ? i : j) - first;
      if (t < 0 || t >= count) continue;
      f->whole[(f->thin_by_rows ? j : i) + t * f->inner] = s->data[li + lj * s->ld];
    }
  }
  int numbers = 0;
  TG_TRY(tg_abi_int(f->inner * count, "a panel of a thin matrix", &numbers));
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, f->whole, numbers, MPI_UINT64_T, MPI_BOR, grid->comm));
  count_allreduce(f, numbers, grid->size);
  return TG_OK;
}

// Global index of local index `local` in L's inner (or outer) dimension.
static int64_t global_of(const thin_form *f, int64_t local, bool is_inner)
{
  const tg_grid *grid = f->large->grid;
  if (is_inner == f->turned) return tg_layout_global(local, f->large->block, grid->row, grid->rows);
  return tg_layout_global(local, f->large->block, grid->col, grid->cols);
}

static void select_rows(const thin_form *f, int64_t count)
{
#pragma omp parallel for schedule(static)
  for (int64_t t = 0; t < count; t++)
    for (int64_t k = 0; k < f->inner_local; k++)
      f->mine[k + t * f->inner_local] = f->whole[global_of(f, k, true) + t * f->inner];
}

// --- the product and its sum -------------------------------------------------------------------------

static tg_status multiply(const thin_form *f, int64_t count)
{
  int sizes[4];
  const int64_t wide[4] = {f->outer_local, count, f->inner_local, f->large->ld};
  for (int s = 0; s < 4; s++) TG_TRY(tg_abi_int(wide[s], "a local size of a product", &sizes[s]));
  const int64_t numbers = f->outer_local * count;
  if (f->inner_local == 0)
    memset(f->partial, 0, (size_t)numbers * sizeof(double));
  else if (f->outer_local > 0)
    cblas_dgemm(CblasColMajor, f->turned ? CblasTrans : CblasNoTrans, CblasNoTrans, sizes[0], sizes[1], sizes[2],
                f->call->alpha, f->large->data, sizes[3], f->mine, sizes[2], 0, f->partial, sizes[0]);
  const tg_grid *grid = f->large->grid;
  int total = 0;
  TG_TRY(tg_abi_int(numbers, "a panel of a thin product", &total));
  TG_TRY_MPI(
      MPI_Allreduce(MPI_IN_PLACE, f->partial, total, MPI_DOUBLE, MPI_SUM, f->turned ? grid->col_comm : grid->row_comm));
  count_allreduce(f, numbers, f->turned ? grid->rows : grid->cols);
  return TG_OK;
}

// The other dealing of T's rows: everybody gets all of them.
static tg_status spread(const thin_form *f, int64_t count)
{
  const tg_grid *grid = f->large->grid;
  int numbers = 0;
  TG_TRY(tg_abi_int(f->outer * count, "a panel of a thin product", &numbers));
  memset(f->spread, 0, (size_t)numbers * sizeof(double));
  for (int64_t t = 0; t < count; t++)
    for (int64_t i = 0; i < f->outer_local; i++)
      f->spread[global_of(f, i, false) + t * f->outer] = f->partial[i + t * f->outer_local];
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, f->spread, numbers, MPI_UINT64_T, MPI_BOR,
                           f->turned ? grid->row_comm : grid->col_comm));
  count_allreduce(f, numbers, f->turned ? grid->cols : grid->rows);
  return TG_OK;
}

// C(i, t) = T(i, t) + beta C(i, t), or C(t, i) where L is on the right, for the entries that I own.
static void take_result(const thin_form *f, int64_t first, int64_t count)
{
  tg_dmat *c = f->call->c;
  const tg_grid *grid = c->grid;
  const bool is_spread = needs_spreading(f);
  for (int64_t lj = 0; lj < c->local_cols; lj++) {
    const int64_t j = tg_layout_global(lj, c->block, grid->col, grid->cols);
    for (int64_t li = 0; li < c->local_rows; li++) {
      const int64_t i = tg_layout_global(li, c->block, grid->row, grid->rows);
      const int64_t t = (f->is_left ? j : i) - first;
      if (t < 0 || t >= count) continue;
      const double sum = is_spread ? f->spread[(f->is_left ? i : j) + t * f->outer]
                                   : f->partial[(f->is_left ? li : lj) + t * f->outer_local];
      double *to = &c->data[li + lj * c->ld];
      *to = f->call->beta == 0 ? sum : sum + f->call->beta * *to;
    }
  }
}

tg_status tg_product_thin(const tg_product_call *call)
{
  thin_form f = form_of(call);
  TG_TRY(reserve(&f));
  for (int64_t first = 0; first < f.thin_size; first += f.width) {
    const int64_t count = f.thin_size - first < f.width ? f.thin_size - first : f.width;
    TG_TRY(gather_thin(&f, first, count));
    select_rows(&f, count);
    TG_TRY(multiply(&f, count));
    if (needs_spreading(&f)) TG_TRY(spread(&f, count));
    take_result(&f, first, count);
  }
  return TG_OK;
}
