// Cholesky and LU factorisations and what follows from them.
#include "mpi/factor/factor.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/reduce.h"
#include "mpi/matrix/scalapack_abi.h"

// --- life --------------------------------------------------------------------------------------------

static tg_status create_parts(const tg_grid *grid, int64_t n, tg_factor **out)
{
  TG_TRY(TG_NEW(1, out));
  (*out)->n = n;
  TG_TRY(tg_dmat_create(grid, n, n, &(*out)->matrix));
  TG_TRY(TG_NEW((*out)->matrix->local_rows + grid->block, &(*out)->pivots));
  TG_TRY(tg_alloc_numbers(n, &(*out)->diagonal));
  return TG_OK;
}

tg_status tg_factor_create(const tg_grid *grid, int64_t n, tg_factor **out)
{
  *out = NULL;
  const tg_status status = tg_agree(grid->comm, create_parts(grid, n, out));
  if (status != TG_OK) tg_factor_destroy(out);
  return status;
}

void tg_factor_destroy(tg_factor **factor)
{
  if (*factor == NULL) return;
  tg_dmat_destroy(&(*factor)->matrix);
  tg_free((*factor)->pivots);
  tg_free((*factor)->diagonal);
  tg_free(*factor);
  *factor = NULL;
}

int64_t tg_factor_bytes(const tg_factor *factor)
{
  const tg_dmat *m = factor->matrix;
  return (m->ld * m->local_cols + factor->n) * (int64_t)sizeof(double) +
         (m->local_rows + m->block) * (int64_t)sizeof(int);
}

// --- factorisations ----------------------------------------------------------------------------------

// ScaLAPACK tells a zero pivot to the processes of its row or column only: all take the first one there is.
static tg_status agree_on_info(const tg_grid *grid, int info, const char *routine, int64_t *column)
{
  int64_t mine[2] = {info > 0 ? info : INT64_MAX, info < 0 ? info : 0};
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, mine, 2, MPI_INT64_T, MPI_MIN, grid->comm));
  if (mine[1] < 0) TG_FAIL(TG_INTERNAL, "%s refuses its argument %" PRId64, routine, -mine[1]);
  *column = mine[0] == INT64_MAX ? 0 : mine[0];
  return TG_OK;
}

static tg_status start(tg_factor *factor, const tg_dmat *a, int descriptor[TG_DESCRIPTOR_LENGTH])
{
  factor->kind = TG_FACTOR_NONE;
  factor->zero_column = 0;
  if (a->rows != factor->n || a->cols != factor->n)
    TG_FAIL(TG_INTERNAL, "a %" PRId64 " x %" PRId64 " matrix is factored in room for %" PRId64, a->rows, a->cols,
            factor->n);
  TG_TRY(tg_dmat_copy(a, factor->matrix));
  return tg_dmat_descriptor(factor->matrix, descriptor);
}

// Bits are joined, not added.
tg_status tg_factor_gather_diagonal(const tg_dmat *m, double *out)
{
  const tg_grid *grid = m->grid;
  int n = 0;
  TG_TRY(tg_abi_int(m->rows, "the order of a matrix", &n));
  memset(out, 0, (size_t)n * sizeof(double));
  for (int64_t lj = 0; lj < m->local_cols; lj++) {
    const int64_t j = tg_layout_global(lj, m->block, grid->col, grid->cols);
    if (tg_layout_owner(j, m->block, grid->rows) != grid->row) continue;
    out[j] = m->data[tg_layout_local(j, m->block, grid->rows) + lj * m->ld];
  }
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, out, n, MPI_UINT64_T, MPI_BOR, grid->comm));
  return TG_OK;
}

// On every rank: determinants are then made alike everywhere, whatever the layout.
static tg_status gather_diagonal(tg_factor *factor)
{
  return tg_factor_gather_diagonal(factor->matrix, factor->diagonal);
}

// Cholesky of what stands in the room of the factors.
static tg_status cholesky_in_place(tg_factor *factor)
{
  int descriptor[TG_DESCRIPTOR_LENGTH];
  TG_TRY(tg_dmat_descriptor(factor->matrix, descriptor));
  const int one = 1;
  int info = 0;
  pdpotrf_("L", &descriptor[2], factor->matrix->data, &one, &one, descriptor, &info, 1);
  int64_t column = 0;
  TG_TRY(agree_on_info(factor->matrix->grid, info, "pdpotrf", &column));
  if (column > 0)
    TG_FAIL(TG_NUMERIC,
            "the %" PRId64 " x %" PRId64 " matrix is not positive definite: its leading minor of order %" PRId64
            " is not positive (column %" PRId64 ")",
            factor->n, factor->n, column, column);
  TG_TRY(gather_diagonal(factor));
  factor->kind = TG_FACTOR_CHOLESKY;
  return TG_OK;
}

static double cube(int64_t n)
{
  return (double)n * (double)n * (double)n;
}

tg_status tg_factor_cholesky(tg_factor *factor, const tg_dmat *a)
{
  int descriptor[TG_DESCRIPTOR_LENGTH];
  TG_TRY(start(factor, a, descriptor));
  *a->grid->flops += cube(factor->n) / 3;
  return cholesky_in_place(factor);
}

tg_status tg_factor_adopt_cholesky(tg_factor *factor, const tg_dmat *lower)
{
  int descriptor[TG_DESCRIPTOR_LENGTH];
  TG_TRY(start(factor, lower, descriptor));
  TG_TRY(gather_diagonal(factor));
  factor->kind = TG_FACTOR_CHOLESKY;
  return TG_OK;
}

// Row interchanges are counted where the pivots of grid column 0 are; each one turns the sign of the determinant,
// which is kept as the sign of the first diagonal entry.
static tg_status apply_parity(tg_factor *factor)
{
  const tg_dmat *m = factor->matrix;
  const tg_grid *grid = m->grid;
  double swaps = 0;
  for (int64_t li = 0; grid->col == 0 && li < m->local_rows; li++)
    if (factor->pivots[li] != tg_layout_global(li, m->block, grid->row, grid->rows) + 1) swaps++;
  TG_TRY(tg_reduce_sum(grid, 1, &swaps, &swaps));
  if (fmod(swaps, 2) != 0) factor->diagonal[0] = -factor->diagonal[0];
  return TG_OK;
}

tg_status tg_factor_lu(tg_factor *factor, const tg_dmat *a)
{
  int descriptor[TG_DESCRIPTOR_LENGTH];
  TG_TRY(start(factor, a, descriptor));
  *a->grid->flops += 2 * cube(factor->n) / 3;
  const int one = 1;
  int info = 0;
  pdgetrf_(&descriptor[2], &descriptor[2], factor->matrix->data, &one, &one, descriptor, factor->pivots, &info);
  TG_TRY(agree_on_info(a->grid, info, "pdgetrf", &factor->zero_column));
  TG_TRY(gather_diagonal(factor));
  TG_TRY(apply_parity(factor));
  factor->kind = TG_FACTOR_LU;
  return TG_OK;
}

// |a_ij - a_ji| / 2 up to this multiple of the largest |a_ij| counts as rounding. The skew part K of A = S + K changes
// log det in second order only, since tr(inv(S) K) = 0.
static const double symmetry_tolerance = 1e-9;

// Puts (A + A')/2 in the room of the factors and compares it with A.
static tg_status symmetric_part(tg_factor *factor, const tg_dmat *a, tg_workspace *workspace, bool *is_symmetric)
{
  TG_TRY(tg_dmat_transpose_add(workspace, 0.5, a, 0.5, factor->matrix));
  const tg_dmat *s = factor->matrix;
  double largest[2] = {0, 0};
  for (int64_t j = 0; j < a->local_cols; j++)
    for (int64_t i = 0; i < a->local_rows; i++) {
      const double entry = a->data[i + j * a->ld];
      largest[0] = fmax(largest[0], fabs(entry - s->data[i + j * s->ld]));
      largest[1] = fmax(largest[1], fabs(entry));
    }
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, largest, 2, MPI_DOUBLE, MPI_MAX, a->grid->comm));
  *is_symmetric = largest[0] <= symmetry_tolerance * largest[1];
  return TG_OK;
}

tg_status tg_factor_for_logdet(tg_factor *factor, const tg_dmat *a, tg_workspace *workspace)
{
  int descriptor[TG_DESCRIPTOR_LENGTH];
  bool is_symmetric = false;
  TG_TRY(start(factor, a, descriptor));
  TG_TRY(symmetric_part(factor, a, workspace, &is_symmetric));
  if (!is_symmetric)
    TG_FAIL(TG_NUMERIC,
            "the %" PRId64 " x %" PRId64 " matrix is not symmetric, expected a symmetric positive definite one: logdet "
            "is defined for no other",
            factor->n, factor->n);
  return cholesky_in_place(factor);
}

double tg_factor_pivot_ratio(const tg_factor *factor)
{
  TG_ASSERT(factor->kind == TG_FACTOR_CHOLESKY);
  double smallest = HUGE_VAL;
  double largest = 0;
  for (int64_t k = 0; k < factor->n; k++) {
    smallest = fmin(smallest, factor->diagonal[k] * factor->diagonal[k]);
    largest = fmax(largest, factor->diagonal[k] * factor->diagonal[k]);
  }
  return smallest / largest;
}

// --- solves ------------------------------------------------------------------------------------------

static tg_status check_solvable(const tg_factor *factor)
{
  if (factor->kind == TG_FACTOR_NONE) TG_FAIL(TG_INTERNAL, "a solve before a factorisation");
  if (factor->zero_column > 0)
    TG_FAIL(TG_NUMERIC, "the %" PRId64 " x %" PRId64 " matrix is singular: its pivot in column %" PRId64 " is zero",
            factor->n, factor->n, factor->zero_column);
  return TG_OK;
}

// X := op(A)^-1 X in place.
static tg_status solve_left(const tg_factor *factor, bool trans, tg_dmat *x)
{
  int descf[TG_DESCRIPTOR_LENGTH];
  int descx[TG_DESCRIPTOR_LENGTH];
  TG_TRY(tg_dmat_descriptor(factor->matrix, descf));
  TG_TRY(tg_dmat_descriptor(x, descx));
  const int one = 1;
  int info = 0;
  if (factor->kind == TG_FACTOR_CHOLESKY)
    pdpotrs_("L", &descf[2], &descx[3], factor->matrix->data, &one, &one, descf, x->data, &one, &one, descx, &info, 1);
  else
    pdgetrs_(trans ? "T" : "N", &descf[2], &descx[3], factor->matrix->data, &one, &one, descf, factor->pivots, x->data,
             &one, &one, descx, &info, 1);
  int64_t column = 0;
  return agree_on_info(x->grid, info, "the solver", &column);
}

// X := X A^-1 in place, A = L L': X L^-T, then X L^-1.
static tg_status solve_right_cholesky(const tg_factor *factor, tg_dmat *x)
{
  int descf[TG_DESCRIPTOR_LENGTH];
  int descx[TG_DESCRIPTOR_LENGTH];
  TG_TRY(tg_dmat_descriptor(factor->matrix, descf));
  TG_TRY(tg_dmat_descriptor(x, descx));
  const int one = 1;
  const double unit = 1;
  pdtrsm_("R", "L", "T", "N", &descx[2], &descx[3], &unit, factor->matrix->data, &one, &one, descf, x->data, &one, &one,
          descx);
  pdtrsm_("R", "L", "N", "N", &descx[2], &descx[3], &unit, factor->matrix->data, &one, &one, descf, x->data, &one, &one,
          descx);
  return TG_OK;
}

// X = B op(A)^-1 is X' = op(A)^-T B': the row interchanges of LU work from the left only.
static tg_status solve_right_lu(const tg_factor *factor, bool trans, const tg_dmat *b, tg_dmat *x,
                                tg_workspace *workspace)
{
  const tg_grid *grid = x->grid;
  tg_dmat turned;
  double *room = NULL;
  const int64_t most = tg_dmat_most_entries(grid, x->cols, x->rows, x->block);
  TG_TRY(tg_workspace_reserve(workspace, TG_SLOT_TURNED, most, &room));
  tg_dmat_view(grid, x->cols, x->rows, x->block, room, &turned);
  TG_TRY(tg_dmat_transpose(workspace, 1, b, &turned));
  TG_TRY(solve_left(factor, !trans, &turned));
  return tg_dmat_transpose(workspace, 1, &turned, x);
}

tg_status tg_factor_solve(const tg_factor *factor, bool trans, bool right, const tg_dmat *b, tg_dmat *x,
                          tg_workspace *workspace)
{
  TG_TRY(check_solvable(factor));
  const int64_t inner = right ? b->cols : b->rows;
  if (inner != factor->n || !tg_dmat_same_shape(b, x) || !tg_dmat_is_aligned(b, x) ||
      !tg_dmat_is_aligned(b, factor->matrix))
    TG_FAIL(TG_INTERNAL, "a %" PRId64 " x %" PRId64 " right-hand side does not fit a factor of order %" PRId64, b->rows,
            b->cols, factor->n);
  *b->grid->flops += 2 * (double)b->rows * (double)b->cols * (double)factor->n;
  if (right && factor->kind == TG_FACTOR_LU) return solve_right_lu(factor, trans, b, x, workspace);
  TG_TRY(tg_dmat_copy(b, x));
  return right ? solve_right_cholesky(factor, x) : solve_left(factor, trans, x);
}

// --- inverses ----------------------------------------------------------------------------------------

static int64_t global_row(const tg_dmat *m, int64_t i)
{
  return tg_layout_global(i, m->block, m->grid->row, m->grid->rows);
}

static int64_t global_col(const tg_dmat *m, int64_t j)
{
  return tg_layout_global(j, m->block, m->grid->col, m->grid->cols);
}

// Keeps the lower triangle of a symmetric matrix, with half the diagonal; the entries above become 0. Local.
static void halve_triangle(tg_dmat *x)
{
#pragma omp parallel for schedule(static) if (x->local_rows * x->local_cols >= TG_PARALLEL_ENTRIES)
  for (int64_t j = 0; j < x->local_cols; j++) {
    const int64_t column = global_col(x, j);
    for (int64_t i = 0; i < x->local_rows; i++) {
      const int64_t row = global_row(x, i);
      if (row <= column) x->data[i + j * x->ld] = row == column ? 0.5 * x->data[i + j * x->ld] : 0;
    }
  }
}

// Room of x's shape in the workspace. Collective.
static tg_status turned_view(const tg_dmat *x, tg_workspace *workspace, tg_dmat *out)
{
  double *room = NULL;
  const int64_t most = tg_dmat_most_entries(x->grid, x->rows, x->cols, x->block);
  TG_TRY(tg_workspace_reserve(workspace, TG_SLOT_TURNED, most, &room));
  tg_dmat_view(x->grid, x->rows, x->cols, x->block, room, out);
  return TG_OK;
}

// The lower triangle of A^-1 from A = L L', for 2/3 n^3 flops where a solve with the identity takes 2 n^3.
static tg_status invert_triangle(const tg_factor *factor, tg_dmat *x)
{
  int descriptor[TG_DESCRIPTOR_LENGTH];
  const int one = 1;
  int info = 0;
  int64_t column = 0;
  TG_TRY(tg_dmat_copy(factor->matrix, x));
  TG_TRY(tg_dmat_descriptor(x, descriptor));
  pdpotri_("L", &descriptor[2], x->data, &one, &one, descriptor, &info, 1);
  TG_TRY(agree_on_info(x->grid, info, "pdpotri", &column));
  if (column > 0) TG_FAIL(TG_INTERNAL, "pdpotri finds a zero in column %" PRId64 " of a Cholesky factor", column);
  return TG_OK;
}

// The whole: on one rank mirrored in place, else half of the triangle plus its transpose.
static tg_status inverse_cholesky(const tg_factor *factor, tg_dmat *x, tg_workspace *workspace)
{
  tg_dmat half;
  if (x->grid->size == 1) {
    TG_TRY(invert_triangle(factor, x));
    tg_dmat_mirror_lower(x);
    return TG_OK;
  }
  TG_TRY(turned_view(x, workspace, &half));
  TG_TRY(invert_triangle(factor, &half));
  halve_triangle(&half);
  TG_TRY(tg_dmat_copy(&half, x));
  return tg_dmat_transpose_add(workspace, 1, &half, 1, x);
}

// Room that pdgetri asks for, on the rank that needs most, by the formulas of its documentation: block rows of numbers
// and, for the interchanges of columns, of integers.
typedef struct getri_room {
  int64_t numbers;
  int64_t integers;
} getri_room;

static getri_room room_of_getri(const tg_dmat *x)
{
  const int p = x->grid->rows;
  const int q = x->grid->cols;
  const int64_t block = x->block;
  const int64_t rows = tg_layout_count(x->rows, block, 0, p);
  const int64_t longest = x->rows + block * p;
  const int64_t blocks = (tg_layout_count(longest, block, 0, p) + block - 1) / block;
  return (getri_room){(rows + block) * block, tg_layout_count(longest, block, 0, q) + block * (blocks + 1)};
}

// X = A^-1 from A = P L U: 4/3 n^3 flops.
static tg_status inverse_lu(const tg_factor *factor, tg_dmat *x, tg_workspace *workspace)
{
  int descriptor[TG_DESCRIPTOR_LENGTH];
  const int one = 1;
  const getri_room room = room_of_getri(x);
  int lwork = 0;
  int liwork = 0;
  int info = 0;
  int64_t column = 0;
  double *work = NULL;
  double *integers = NULL;
  TG_TRY(tg_abi_int(room.numbers, "the work space of an inverse", &lwork));
  TG_TRY(tg_abi_int(room.integers, "the work space of an inverse", &liwork));
  TG_TRY(tg_workspace_reserve(workspace, TG_SLOT_PACK, room.numbers, &work));
  TG_TRY(tg_workspace_reserve(workspace, TG_SLOT_INDEX, (room.integers + 1) / 2, &integers));
  TG_TRY(tg_dmat_copy(factor->matrix, x));
  TG_TRY(tg_dmat_descriptor(x, descriptor));
  pdgetri_(&descriptor[2], x->data, &one, &one, descriptor, factor->pivots, work, &lwork, (int *)(void *)integers,
           &liwork, &info);
  return agree_on_info(x->grid, info, "pdgetri", &column);
}

tg_status tg_factor_inverse(const tg_factor *factor, bool trans, tg_dmat *x, tg_workspace *workspace)
{
  TG_TRY(check_solvable(factor));
  if (x->rows != factor->n || x->cols != factor->n || !tg_dmat_is_aligned(x, factor->matrix))
    TG_FAIL(TG_INTERNAL, "the inverse of a matrix of order %" PRId64 " does not fit %" PRId64 " x %" PRId64, factor->n,
            x->rows, x->cols);
  *x->grid->flops += (factor->kind == TG_FACTOR_CHOLESKY ? 2 : 4) * cube(factor->n) / 3;
  if (factor->kind == TG_FACTOR_CHOLESKY) return inverse_cholesky(factor, x, workspace);
  if (!trans) return inverse_lu(factor, x, workspace);
  tg_dmat turned;
  TG_TRY(turned_view(x, workspace, &turned));
  TG_TRY(inverse_lu(factor, &turned, workspace));
  return tg_dmat_transpose(workspace, 1, &turned, x);
}

// --- determinants ------------------------------------------------------------------------------------

// det = mantissa * 2^exponent with 1/2 <= |mantissa| < 1: no intermediate overflow.
static void scaled_determinant(const tg_factor *factor, double *mantissa, int64_t *exponent)
{
  *mantissa = 1;
  *exponent = 0;
  const int times = factor->kind == TG_FACTOR_CHOLESKY ? 2 : 1;
  for (int64_t k = 0; k < times * factor->n; k++) {
    int shift = 0;
    *mantissa = frexp(*mantissa * factor->diagonal[k % factor->n], &shift);
    *exponent += shift;
  }
}

tg_status tg_factor_logdet(const tg_factor *factor, double *out)
{
  *out = 0;
  TG_TRY(check_solvable(factor));
  double mantissa = 1;
  int64_t exponent = 0;
  scaled_determinant(factor, &mantissa, &exponent);
  if (mantissa <= 0)
    TG_FAIL(TG_NUMERIC, "the determinant of the %" PRId64 " x %" PRId64 " matrix is negative, it has no logarithm",
            factor->n, factor->n);
  // Near det = 1 the two terms would cancel: bring the mantissa near 1 first.
  if (mantissa < 0.70710678118654752) {
    mantissa *= 2;
    exponent--;
  }
  *out = log(mantissa) + (double)exponent * 0.693147180559945309417232121458;
  return TG_OK;
}

tg_status tg_factor_det(const tg_factor *factor, double *out)
{
  *out = 0;
  if (factor->kind == TG_FACTOR_NONE) TG_FAIL(TG_INTERNAL, "a determinant before a factorisation");
  if (factor->zero_column > 0) return TG_OK;
  double mantissa = 1;
  int64_t exponent = 0;
  scaled_determinant(factor, &mantissa, &exponent);
  if (exponent > 1024 || exponent < -1021)
    TG_FAIL(TG_NUMERIC, "the determinant of the %" PRId64 " x %" PRId64 " matrix is about %s1e%+.0f, %s; use logdet",
            factor->n, factor->n, mantissa < 0 ? "-" : "", floor((double)exponent * 0.30102999566398120),
            exponent > 0 ? "too large for a double" : "too small for a double");
  *out = ldexp(mantissa, (int)exponent);
  return TG_OK;
}
