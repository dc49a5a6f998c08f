// Decompositions of a plan's matrices: kept with the matrix that they are of.
#include "mpi/factor/spectrum.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/factor/eigen_parts.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/layout.h"

// |a_ij - a_ji| / 2 up to this multiple of the largest |a_ij| counts as rounding, as for logdet.
static const double symmetry_tolerance = 1e-9;

struct tg_spectrum {
  tg_factor_use use;
  tg_dmat *kept;  // A, of an eigenproblem its symmetric part
  tg_dmat *room;  // what the next one is compared with A in, and destroyed by ScaLAPACK
  tg_dmat *left;  // Q or U
  tg_dmat *right; // V'
  double *values;
  int64_t count; // of the values
  tg_syevd syevd;
  tg_gesvd gesvd;
  bool is_made;
  int64_t made;
};

// --- life --------------------------------------------------------------------------------------------

static tg_status create_parts(const tg_grid *grid, const tg_plan_factor *factor, tg_spectrum **out)
{
  TG_TRY(TG_NEW(1, out));
  tg_spectrum *s = *out;
  s->use = factor->use;
  s->count = factor->rows < factor->cols ? factor->rows : factor->cols;
  TG_TRY(tg_dmat_create(grid, factor->rows, factor->cols, &s->kept));
  TG_TRY(tg_dmat_create(grid, factor->rows, factor->cols, &s->room));
  TG_TRY(tg_dmat_create(grid, factor->rows, s->count, &s->left));
  if (s->use == TG_FACTOR_OF_SVD) TG_TRY(tg_dmat_create(grid, s->count, factor->cols, &s->right));
  return tg_alloc_numbers(s->count, &s->values);
}

tg_status tg_spectrum_create(const tg_grid *grid, const tg_plan_factor *factor, tg_spectrum **out)
{
  *out = NULL;
  tg_status status = tg_agree(grid->comm, create_parts(grid, factor, out));
  tg_spectrum *s = *out;
  if (status == TG_OK)
    status = s->use == TG_FACTOR_OF_SVD ? tg_gesvd_prepare(&s->gesvd, s->room, s->left, s->values, s->right)
                                        : tg_syevd_prepare(&s->syevd, s->room, s->values, s->left);
  if (status != TG_OK) tg_spectrum_destroy(out);
  return status;
}

void tg_spectrum_destroy(tg_spectrum **spectrum)
{
  tg_spectrum *s = *spectrum;
  if (s == NULL) return;
  tg_dmat_destroy(&s->kept);
  tg_dmat_destroy(&s->room);
  tg_dmat_destroy(&s->left);
  tg_dmat_destroy(&s->right);
  tg_free(s->values);
  tg_syevd_fini(&s->syevd);
  tg_gesvd_fini(&s->gesvd);
  tg_free(s);
  *spectrum = NULL;
}

static int64_t entries_of(const tg_dmat *m)
{
  return m == NULL ? 0 : m->ld * m->local_cols;
}

int64_t tg_spectrum_bytes(const tg_spectrum *s)
{
  const int64_t numbers = entries_of(s->kept) + entries_of(s->room) + entries_of(s->left) + entries_of(s->right) +
                          s->count + s->syevd.lwork + s->gesvd.lwork;
  return numbers * (int64_t)sizeof(double) + s->syevd.liwork * (int64_t)sizeof(int);
}

int64_t tg_spectrum_count(const tg_spectrum *s)
{
  return s->made;
}

// --- decomposition -----------------------------------------------------------------------------------

// What the ranks agree on about a matrix: the largest over all ranks of each.
typedef struct findings {
  double differs;   // 1: not the bits of the kept one
  double is_bad;    // 1: an entry that is not finite
  double asymmetry; // largest |a - symmetric part|
  double largest;   // |a|
} findings;

static tg_status examine(const tg_spectrum *s, const tg_dmat *a, findings *out)
{
  const tg_dmat *room = s->room;
  const tg_dmat *kept = s->kept;
  findings f = {.differs = s->is_made ? 0 : 1};
  for (int64_t j = 0; j < a->local_cols; j++)
    for (int64_t i = 0; i < a->local_rows; i++) {
      const double entry = a->data[i + j * a->ld];
      const double part = room->data[i + j * room->ld];
      if (part != kept->data[i + j * kept->ld]) f.differs = 1;
      if (!isfinite(entry)) f.is_bad = 1;
      f.asymmetry = fmax(f.asymmetry, fabs(entry - part));
      f.largest = fmax(f.largest, fabs(entry));
    }
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, &f, 4, MPI_DOUBLE, MPI_MAX, a->grid->comm));
  *out = f;
  return TG_OK;
}

static tg_status decompose(tg_spectrum *s)
{
  s->is_made = false;
  TG_TRY(tg_dmat_copy(s->room, s->kept));
  if (s->use == TG_FACTOR_OF_SVD)
    TG_TRY(tg_gesvd_run(&s->gesvd, s->room, s->left, s->values, s->right));
  else
    TG_TRY(tg_syevd_run(&s->syevd, s->room, s->values, s->left));
  s->is_made = true;
  s->made++;
  return TG_OK;
}

tg_status tg_spectrum_make(tg_spectrum *s, const tg_dmat *a, tg_workspace *workspace)
{
  findings f = {0};
  if (!tg_dmat_same_shape(a, s->room) || !tg_dmat_is_aligned(a, s->room))
    TG_FAIL(TG_INTERNAL, "a %" PRId64 " x %" PRId64 " matrix is decomposed in room for %" PRId64 " x %" PRId64, a->rows,
            a->cols, s->room->rows, s->room->cols);
  TG_TRY(tg_dmat_copy(a, s->room));
  if (s->use == TG_FACTOR_OF_EIGEN) TG_TRY(tg_dmat_transpose_add(workspace, 0.5, a, 0.5, s->room));
  TG_TRY(examine(s, a, &f));
  if (f.is_bad != 0)
    TG_FAIL(TG_NUMERIC, "the %" PRId64 " x %" PRId64 " matrix to decompose holds entries that are not finite", a->rows,
            a->cols);
  if (f.asymmetry > symmetry_tolerance * f.largest)
    TG_FAIL(TG_NUMERIC,
            "the %" PRId64 " x %" PRId64 " matrix is not symmetric, expected a symmetric one: entries differ from "
            "their mirror images by up to %.3g, the largest entry is %.3g",
            a->rows, a->cols, 2 * f.asymmetry, f.largest);
  return f.differs != 0 ? decompose(s) : TG_OK;
}

tg_status tg_spectrum_vectors(const tg_spectrum *s, bool right, tg_dmat *out)
{
  if (!s->is_made) TG_FAIL(TG_INTERNAL, "vectors before a decomposition");
  return tg_dmat_copy(right ? s->right : s->left, out);
}

// What is smaller is zero up to the rounding of a decomposition.
static double rounding_of(const tg_spectrum *s)
{
  const tg_dmat *a = s->kept;
  double largest = 0;
  for (int64_t k = 0; k < s->count; k++) largest = fmax(largest, fabs(s->values[k]));
  return largest * DBL_EPSILON * (double)(a->rows > a->cols ? a->rows : a->cols);
}

// Singular values and, in a nonnegative domain, eigenvalues within rounding of zero are zero.
static double settle(double value, double rounding, bool is_nonnegative)
{
  return is_nonnegative && fabs(value) <= rounding ? 0 : value;
}

tg_status tg_spectrum_values(const tg_spectrum *s, tg_domain domain, tg_dmat *out)
{
  if (!s->is_made) TG_FAIL(TG_INTERNAL, "values before a decomposition");
  const double rounding = rounding_of(s);
  const bool is_nonnegative = s->use == TG_FACTOR_OF_SVD || domain == TG_DOMAIN_NONNEGATIVE;
  const double least = s->use == TG_FACTOR_OF_EIGEN ? s->values[0] : 0;
  if ((domain == TG_DOMAIN_NONNEGATIVE && least < -rounding) || (domain == TG_DOMAIN_POSITIVE && !(least > 0)))
    TG_FAIL(TG_NUMERIC,
            "the %" PRId64 " x %" PRId64 " matrix is not positive %sdefinite: its smallest eigenvalue is %.6g",
            s->kept->rows, s->kept->cols, domain == TG_DOMAIN_NONNEGATIVE ? "semi" : "", least);
  const tg_grid *grid = out->grid;
  for (int64_t j = 0; j < out->local_cols; j++)
    for (int64_t i = 0; i < out->local_rows; i++)
      out->data[i + j * out->ld] =
          settle(s->values[tg_layout_global(i, out->block, grid->row, grid->rows)], rounding, is_nonnegative);
  return TG_OK;
}
