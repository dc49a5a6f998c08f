// Manifolds of matrices by their columns: orthonormal_columns (Stiefel) and unit_columns (products of spheres).
//
// Both carry the Frobenius inner product of the space. P.-A. Absil, R. Mahony, R. Sepulchre, Optimization Algorithms on
// Matrix Manifolds, 2008: tangent spaces in 3.5.7 and 3.6.1, retractions in 4.1.1; P.-A. Absil, R. Mahony, J. Trumpf,
// An extrinsic look at the Riemannian Hessian, 2013.
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/constraint/constraint_set.h"
#include "mpi/factor/eigen.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/product/product.h"

// ---- orthonormal_columns: X'X = I, X n x p, p <= n ----
//
//     tangent    v - x sym(x'v),  sym(a) = (a + a') / 2
//     retraction qr: the Q of y = Q R with a positive diagonal of R, by Householder reflections (pdgeqrf): orthonormal
//                to rounding however long the step, where a Cholesky factor of y'y would lose digits with the square of
//                it. polar: the polar factor, of second order (P.-A. Absil and J. Malick, SIAM J. Optim. 22 (2012))
//     projection the polar factor Q U V', y = Q R, R = U diag(s) V': the nearest one in the Frobenius norm (Fan and
//                Hoffman 1955)
//     Hessian    the tangent part of H[v] - v sym(x'g)

static tg_status create_orthonormal(tg_set *set)
{
  if (set->cols > set->rows)
    TG_FAIL(TG_SHAPE, "orthonormal columns need at least as many rows as columns, found %" PRId64 " x %" PRId64,
            set->rows, set->cols);
  TG_TRY(tg_dmat_create(set->grid, set->cols, set->cols, &set->scratch[0]));
  TG_TRY(tg_dmat_create(set->grid, set->cols, set->cols, &set->scratch[1]));
  TG_TRY(tg_dmat_create(set->grid, set->rows, set->cols, &set->scratch[2]));
  TG_TRY(tg_dmat_create(set->grid, set->cols, set->cols, &set->scratch[3]));
  return tg_alloc_numbers(set->cols, &set->numbers);
}

// A projection takes orthogonal factors, then the singular vectors of the triangle.
static tg_bytes bytes_orthonormal(const tg_cost_grid *grid, int64_t rows, int64_t cols)
{
  const double matrix = tg_cost_matrix_bytes(grid, rows, cols);
  const double gram = tg_cost_matrix_bytes(grid, cols, cols);
  const double passing = fmax(tg_eigen_qr_bytes(grid, rows, cols), tg_eigen_svd_bytes(grid, cols));
  const double products =
      fmax(tg_cost_product_bytes(grid, cols, cols, rows), tg_cost_product_bytes(grid, rows, cols, cols));
  return (tg_bytes){.kept = matrix + 3 * gram + products, .passing = passing};
}

static tg_status violation_orthonormal(tg_set *set, const tg_dmat *x, double *out)
{
  tg_dmat *gram = set->scratch[0];
  double square = 0;
  tg_dmat_eye(1, gram);
  TG_TRY(tg_product(TG_PRODUCT_AUTO, true, false, 1, x, x, -1, gram, set->workspace, NULL));
  TG_TRY(tg_dmat_dot(gram, gram, &square));
  *out = sqrt(square);
  return TG_OK;
}

static tg_status project_orthonormal(tg_set *set, tg_dmat *x)
{
  tg_dmat *q = set->scratch[2];
  tg_dmat *r = set->scratch[0];
  tg_dmat *u = set->scratch[1];
  tg_dmat *vt = set->scratch[3];
  const double *values = set->numbers;
  TG_TRY(tg_eigen_qr(x, q, r));
  TG_TRY(tg_eigen_svd(r, u, set->numbers, vt));
  const double least = values[set->cols - 1];
  if (!(least > (double)set->rows * DBL_EPSILON * values[0]))
    TG_FAIL(TG_NUMERIC,
            "the columns of a %" PRId64 " x %" PRId64
            " matrix are linearly dependent (singular values from %.3g down to %.3g), no orthonormal ones are nearest",
            set->rows, set->cols, values[0], least);
  TG_TRY(tg_product(TG_PRODUCT_AUTO, false, false, 1, u, vt, 0, r, set->workspace, NULL));
  return tg_product(TG_PRODUCT_AUTO, false, false, 1, q, r, 0, x, set->workspace, NULL);
}

// scratch[1] := sym(x'y)
static tg_status symmetrise_product(tg_set *set, const tg_dmat *x, const tg_dmat *y)
{
  tg_dmat *product = set->scratch[0];
  tg_dmat *sym = set->scratch[1];
  TG_TRY(tg_product(TG_PRODUCT_AUTO, true, false, 1, x, y, 0, product, set->workspace, NULL));
  TG_TRY(tg_dmat_copy(product, sym));
  return tg_dmat_transpose_add(set->workspace, 0.5, product, 0.5, sym);
}

static tg_status tangent_orthonormal(tg_set *set, const tg_dmat *x, tg_dmat *v)
{
  TG_TRY(symmetrise_product(set, x, v));
  return tg_product(TG_PRODUCT_AUTO, false, false, -1, x, set->scratch[1], 1, v, set->workspace, NULL);
}

static tg_status hessian_orthonormal(tg_set *set, const tg_dmat *x, const tg_dmat *g, const tg_dmat *v, tg_dmat *hv)
{
  TG_TRY(symmetrise_product(set, x, g));
  TG_TRY(tg_product(TG_PRODUCT_AUTO, false, false, -1, v, set->scratch[1], 1, hv, set->workspace, NULL));
  return tangent_orthonormal(set, x, hv);
}

static tg_status retract_orthonormal(tg_set *set, tg_dmat *y)
{
  if (set->block.retraction == OPT_RETRACTION_POLAR) return project_orthonormal(set, y);
  TG_TRY(tg_eigen_qr(y, set->scratch[2], NULL));
  return tg_dmat_copy(set->scratch[2], y);
}

const tg_set_ops tg_set_orthonormal = {.create = create_orthonormal,
                                       .bytes = bytes_orthonormal,
                                       .violation = violation_orthonormal,
                                       .project = project_orthonormal,
                                       .tangent = tangent_orthonormal,
                                       .retract = retract_orthonormal,
                                       .hessian = hessian_orthonormal};

// ---- unit_columns: every column on its sphere ----
//
//     tangent    v_j - x_j <x_j, v_j>;  retraction, of second order, and projection  y_j / |y_j|
//     Hessian    the tangent part of H[v]_j - v_j <x_j, g_j>

// numbers[j] := <a_j, b_j> for every local column. Sums run over the ranks of the grid column. Collective.
static tg_status column_dots(tg_set *set, const tg_dmat *a, const tg_dmat *b)
{
  double *sums = set->numbers;
  for (int64_t j = 0; j < a->local_cols; j++) {
    double sum = 0;
    for (int64_t i = 0; i < a->local_rows; i++) sum += a->data[i + j * a->ld] * b->data[i + j * b->ld];
    sums[j] = sum;
  }
  return tg_mpi_check(MPI_Allreduce(MPI_IN_PLACE, sums, (int)a->local_cols, MPI_DOUBLE, MPI_SUM, set->grid->col_comm),
                      TG_HERE);
}

static tg_status create_unit(tg_set *set)
{
  return tg_alloc_numbers(tg_layout_count(set->cols, set->grid->block, set->grid->col, set->grid->cols) + 1,
                          &set->numbers);
}

static tg_status violation_unit(tg_set *set, const tg_dmat *x, double *out)
{
  double worst = 0;
  TG_TRY(column_dots(set, x, x));
  for (int64_t j = 0; j < x->local_cols; j++) {
    worst = tg_set_worse(worst, fabs(sqrt(set->numbers[j]) - 1));
  }
  return tg_set_largest(set->grid, worst, out);
}

static tg_status project_unit(tg_set *set, tg_dmat *x)
{
  double has_none = 0;
  TG_TRY(column_dots(set, x, x));
  for (int64_t j = 0; j < x->local_cols; j++)
    if (!(set->numbers[j] > 0)) has_none = 1;
  TG_TRY(tg_set_largest(set->grid, has_none, &has_none));
  if (has_none > 0)
    TG_FAIL(TG_NUMERIC, "a column of a %" PRId64 " x %" PRId64 " matrix is zero, no column of norm 1 is nearest",
            set->rows, set->cols);
  for (int64_t j = 0; j < x->local_cols; j++) {
    const double norm = sqrt(set->numbers[j]);
    for (int64_t i = 0; i < x->local_rows; i++) x->data[i + j * x->ld] /= norm;
  }
  return TG_OK;
}

// y_j -= x_j numbers[j]
static void subtract_columns(const tg_set *set, const tg_dmat *x, tg_dmat *y)
{
  for (int64_t j = 0; j < x->local_cols; j++)
    for (int64_t i = 0; i < x->local_rows; i++) y->data[i + j * y->ld] -= x->data[i + j * x->ld] * set->numbers[j];
}

static tg_status tangent_unit(tg_set *set, const tg_dmat *x, tg_dmat *v)
{
  TG_TRY(column_dots(set, x, v));
  subtract_columns(set, x, v);
  return TG_OK;
}

static tg_status hessian_unit(tg_set *set, const tg_dmat *x, const tg_dmat *g, const tg_dmat *v, tg_dmat *hv)
{
  TG_TRY(column_dots(set, x, g));
  subtract_columns(set, v, hv);
  return tangent_unit(set, x, hv);
}

const tg_set_ops tg_set_unit = {.create = create_unit,
                                .violation = violation_unit,
                                .project = project_unit,
                                .tangent = tangent_unit,
                                .retract = project_unit,
                                .hessian = hessian_unit};
