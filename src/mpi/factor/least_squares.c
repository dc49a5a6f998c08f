// Linear least squares by orthogonal factors.
#include "mpi/factor/least_squares.h"

#include <float.h>
#include <math.h>

#include "base/memory.h"
#include "grad/plan/cost.h"
#include "mpi/factor/eigen.h"
#include "mpi/factor/residual.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/generate.h"
#include "mpi/matrix/scalapack_abi.h"
#include "mpi/product/product.h"

// S is m x n; S = Q R, or S' where it has fewer rows than columns: long x small.
typedef struct problem {
  const tg_grid *grid;
  int64_t rows;  // m
  int64_t count; // n
  int64_t small;
  bool is_wide;
  tg_dmat *stack; // S
  tg_dmat *right; // T, the stacked right-hand sides, m x p
  tg_dmat *q;     // the matrix that is factorised, its columns scaled; then Q
  tg_dmat *r;
  tg_dmat *residual; // E: m x p
  tg_dmat *defect;   // m x p
  tg_dmat *part;     // small x p
  tg_dmat *dual;     // small x p
  tg_workspace *workspace;
  double *scales; // of the columns of q; and as many numbers of scratch
  tg_least_squares_facts *facts;
} problem;

static void destroy(problem *s)
{
  tg_dmat_destroy(&s->stack);
  tg_dmat_destroy(&s->right);
  tg_dmat_destroy(&s->q);
  tg_dmat_destroy(&s->r);
  tg_dmat_destroy(&s->residual);
  tg_dmat_destroy(&s->defect);
  tg_dmat_destroy(&s->part);
  tg_dmat_destroy(&s->dual);
  tg_free(s->scales);
  tg_workspace_destroy(&s->workspace);
}

static tg_status allocate(problem *s, int64_t p)
{
  const int64_t longer = s->is_wide ? s->count : s->rows;
  TG_TRY(tg_workspace_create(s->grid, &s->workspace));
  TG_TRY(tg_dmat_create(s->grid, s->rows, s->count, &s->stack));
  TG_TRY(tg_dmat_create(s->grid, s->rows, p, &s->right));
  TG_TRY(tg_dmat_create(s->grid, longer, s->small, &s->q));
  TG_TRY(tg_dmat_create(s->grid, s->small, s->small, &s->r));
  TG_TRY(tg_dmat_create(s->grid, s->rows, p, &s->residual));
  TG_TRY(tg_dmat_create(s->grid, s->rows, p, &s->defect));
  TG_TRY(tg_dmat_create(s->grid, s->small, p, &s->dual));
  TG_TRY(tg_alloc_numbers(2 * s->small, &s->scales));
  return tg_dmat_create(s->grid, s->small, p, &s->part);
}

static tg_status multiply(problem *s, bool transa, bool transb, double alpha, const tg_dmat *a, const tg_dmat *b,
                          double beta, tg_dmat *c)
{
  s->facts->flops += 2.0 * (double)c->rows * (double)c->cols * (double)(transa ? a->rows : a->cols);
  return tg_product(TG_PRODUCT_AUTO, transa, transb, alpha, a, b, beta, c, s->workspace, NULL);
}

// ---- stacking ----

static void place_below(const void *self, int64_t i, int64_t j, int64_t *to_i, int64_t *to_j)
{
  *to_i = i + *(const int64_t *)self;
  *to_j = j;
}

// factor * in, at the rows of out from `offset` on.
static tg_status stack_rows(problem *s, double factor, const tg_dmat *in, int64_t offset, tg_dmat *out)
{
  tg_dmat *scaled = NULL;
  tg_status status = tg_agree(s->grid->comm, tg_dmat_create(s->grid, in->rows, in->cols, &scaled));
  if (status == TG_OK) status = tg_dmat_lincomb(1, &factor, &in, scaled);
  if (status == TG_OK)
    status = tg_dmat_exchange(s->workspace, scaled, (tg_dmat_map){.place = place_below, .self = &offset}, out);
  tg_dmat_destroy(&scaled);
  return status;
}

// sqrt(w) K and sqrt(w) B = -L / sqrt(w), by the weight of the first part, whose K so keeps its bits.
static tg_status stack_parts(problem *s, int n_parts, const tg_least_squares_part *parts)
{
  int64_t offset = 0;
  for (int k = 0; k < n_parts; k++) {
    const double root = sqrt(parts[k].weight / parts[0].weight);
    TG_TRY(stack_rows(s, root, parts[k].factor, offset, s->stack));
    if (parts[k].linear != NULL) TG_TRY(stack_rows(s, -root / parts[k].weight, parts[k].linear, offset, s->right));
    offset += parts[k].factor->rows;
  }
  return TG_OK;
}

// ---- scaling ----

// out[j] = the norm of column j, on every rank; of columns of any size: they are divided by their largest entry first.
static tg_status column_norms(const tg_dmat *a, double *largest, double *out)
{
  const tg_grid *grid = a->grid;
  for (int64_t j = 0; j < a->cols; j++) largest[j] = out[j] = 0;
  for (int64_t j = 0; j < a->local_cols; j++) {
    double *most = &largest[tg_layout_global(j, a->block, grid->col, grid->cols)];
    for (int64_t i = 0; i < a->local_rows; i++) *most = fmax(*most, fabs(a->data[i + j * a->ld]));
  }
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, largest, (int)a->cols, MPI_DOUBLE, MPI_MAX, grid->comm));
  for (int64_t j = 0; j < a->local_cols; j++) {
    const int64_t column = tg_layout_global(j, a->block, grid->col, grid->cols);
    for (int64_t i = 0; i < a->local_rows && largest[column] > 0; i++) {
      const double entry = a->data[i + j * a->ld] / largest[column];
      out[column] += entry * entry;
    }
  }
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, out, (int)a->cols, MPI_DOUBLE, MPI_SUM, grid->comm));
  for (int64_t j = 0; j < a->cols; j++) out[j] = largest[j] * sqrt(out[j]);
  return TG_OK;
}

static int64_t global_row(const tg_dmat *a, int64_t i)
{
  return tg_layout_global(i, a->block, a->grid->row, a->grid->rows);
}

static int64_t global_col(const tg_dmat *a, int64_t j)
{
  return tg_layout_global(j, a->block, a->grid->col, a->grid->cols);
}

static void scale_columns(const double *factors, tg_dmat *a)
{
  for (int64_t j = 0; j < a->local_cols; j++)
    for (int64_t i = 0; i < a->local_rows; i++) a->data[i + j * a->ld] *= factors[global_col(a, j)];
}

// Row i times factors[i] to the given power of 1 or -1.
static void scale_rows(const double *factors, bool inverse, tg_dmat *a)
{
  for (int64_t j = 0; j < a->local_cols; j++)
    for (int64_t i = 0; i < a->local_rows; i++) {
      const double factor = factors[global_row(a, i)];
      a->data[i + j * a->ld] *= inverse ? 1 / factor : factor;
    }
}

// q := S, or S', with columns of norm 1, but for those that are zero. Powers of 2 keep the bits of the entries.
static tg_status scale_stack(problem *s, bool scales)
{
  if (s->is_wide)
    TG_TRY(tg_dmat_transpose(s->workspace, 1, s->stack, s->q));
  else
    TG_TRY(tg_dmat_copy(s->stack, s->q));
  for (int64_t j = 0; j < s->small; j++) s->scales[j] = 1;
  if (!scales) return TG_OK;
  TG_TRY(column_norms(s->q, s->scales + s->small, s->scales));
  for (int64_t j = 0; j < s->small; j++) s->scales[j] = s->scales[j] > 0 ? exp2(-rint(log2(s->scales[j]))) : 1;
  scale_columns(s->scales, s->q);
  return TG_OK;
}

// ---- triangles ----

static tg_status solve_triangle(problem *s, bool trans, tg_dmat *b)
{
  int descr[TG_DESCRIPTOR_LENGTH];
  int descb[TG_DESCRIPTOR_LENGTH];
  const int one = 1;
  const double unit = 1;
  TG_TRY(tg_dmat_descriptor(s->r, descr));
  TG_TRY(tg_dmat_descriptor(b, descb));
  s->facts->flops += (double)b->rows * (double)b->rows * (double)b->cols;
  pdtrsm_("L", "U", trans ? "T" : "N", "N", &descb[2], &descb[3], &unit, s->r->data, &one, &one, descr, b->data, &one,
          &one, descb);
  return TG_OK;
}

static tg_status smallest_pivot(const tg_dmat *r, double *out)
{
  double least = HUGE_VAL;
  for (int64_t j = 0; j < r->local_cols; j++)
    for (int64_t i = 0; i < r->local_rows; i++)
      if (global_row(r, i) == global_col(r, j)) least = fmin(least, fabs(r->data[i + j * r->ld]));
  *out = least;
  return tg_mpi_check(MPI_Allreduce(MPI_IN_PLACE, out, 1, MPI_DOUBLE, MPI_MIN, r->grid->comm), TG_HERE);
}

static tg_status norm_of(const tg_dmat *a, double *out)
{
  TG_TRY(tg_dmat_dot(a, a, out));
  *out = sqrt(*out);
  return TG_OK;
}

// |R| / its smallest singular value, by inverse iteration on R'R.
static tg_status estimate_condition(problem *s, double *out)
{
  enum { STEPS = 8 };
  tg_dmat *v = NULL;
  double size = 0;
  double norm = 0;
  double pivot = 0;
  *out = HUGE_VAL;
  TG_TRY(norm_of(s->r, &size));
  TG_TRY(smallest_pivot(s->r, &pivot));
  if (!(pivot > DBL_EPSILON * size)) return TG_OK;
  TG_TRY(tg_agree(s->grid->comm, tg_dmat_create(s->grid, s->small, 1, &v)));
  tg_generate_normal(1, 0, v);
  tg_status status = norm_of(v, &norm);
  for (int k = 0; k < STEPS && status == TG_OK; k++) {
    const double factor = 1 / norm;
    TG_TRY_GOTO(tg_dmat_lincomb(1, &factor, (const tg_dmat *const[]){v}, v));
    TG_TRY_GOTO(solve_triangle(s, true, v));
    TG_TRY_GOTO(solve_triangle(s, false, v));
    TG_TRY_GOTO(norm_of(v, &norm));
  }
  *out = fmin(size, sqrt((double)s->small)) * sqrt(norm);
done:
  tg_dmat_destroy(&v);
  return status;
}

// ---- full rank ----

// Sums of so many entries are made in extended precision; beyond, refinement stays with double.
static bool is_small(const problem *s)
{
  const int64_t longer = s->rows > s->count ? s->rows : s->count;
  return longer <= TG_DMAT_GATHER_LIMIT / s->right->cols;
}

// out := b - r - op(S) x; r may be NULL.
static tg_status find_residual(problem *s, bool trans, const tg_dmat *x, const tg_dmat *b, const tg_dmat *r,
                               tg_dmat *out)
{
  const double coefs[2] = {1, -1};
  if (is_small(s)) return tg_residual_extended(trans, s->stack, x, b, r, out);
  if (b == NULL)
    tg_dmat_fill(0, out);
  else if (r == NULL)
    TG_TRY(tg_dmat_copy(b, out));
  else
    TG_TRY(tg_dmat_lincomb(2, coefs, (const tg_dmat *const[]){b, r}, out));
  return multiply(s, trans, false, -1, s->stack, x, 1, out);
}

// S' = Q R: X += Q R'^-1 (scales .* (T - S X))
static tg_status refine_wide(problem *s, tg_dmat *x)
{
  TG_TRY(find_residual(s, false, x, s->right, NULL, s->residual));
  TG_TRY(tg_dmat_copy(s->residual, s->part));
  scale_rows(s->scales, false, s->part);
  TG_TRY(solve_triangle(s, true, s->part));
  return multiply(s, false, false, 1, s->q, s->part, 1, x);
}

// The augmented system E + S X = T, S'E = 0 for the residual E and X together: with f = T - E - S X and g = -S'E, the
// corrections are D R^-1 w of X and f - Q w of E, w = Q'f - R'^-1 D g, D = diag(scales).
static tg_status refine_tall(problem *s, tg_dmat *x)
{
  const double coefs[2] = {1, -1};
  tg_dmat *f = s->defect;
  tg_dmat *w = s->part;
  TG_TRY(find_residual(s, false, x, s->right, s->residual, f));
  TG_TRY(find_residual(s, true, s->residual, NULL, NULL, s->dual));
  scale_rows(s->scales, false, s->dual);
  TG_TRY(solve_triangle(s, true, s->dual));
  TG_TRY(multiply(s, true, false, 1, s->q, f, 0, w));
  TG_TRY(tg_dmat_lincomb(2, coefs, (const tg_dmat *const[]){w, s->dual}, w));
  TG_TRY(multiply(s, false, false, -1, s->q, w, 1, f));
  TG_TRY(tg_dmat_lincomb(2, (const double[]){1, 1}, (const tg_dmat *const[]){s->residual, f}, s->residual));
  TG_TRY(solve_triangle(s, false, w));
  scale_rows(s->scales, false, w);
  return tg_dmat_lincomb(2, (const double[]){1, 1}, (const tg_dmat *const[]){x, w}, x);
}

// From X = 0 and E = 0 the first pass is the solution by Q R.
static tg_status solve_full(problem *s, tg_dmat *x)
{
  static const double easy = 1e4; // a condition that loses few digits
  const int passes = s->facts->condition > easy ? 5 : 2;
  tg_dmat_fill(0, x);
  for (int k = 0; k < passes; k++) TG_TRY(s->is_wide ? refine_wide(s, x) : refine_tall(s, x));
  return TG_OK;
}

// ---- deficient rank: R = U diag(sigma) V' ----

typedef struct singular {
  tg_dmat *u;
  tg_dmat *vt;
  tg_dmat *v;
  tg_dmat *turned; // small x p
  tg_dmat *basis;  // the row space: small x rank, its Q and R
  tg_dmat *basis_q;
  tg_dmat *basis_r;
  tg_dmat *top; // rank x p
  double *values;
} singular;

static void destroy_singular(singular *d)
{
  tg_dmat_destroy(&d->u);
  tg_dmat_destroy(&d->vt);
  tg_dmat_destroy(&d->v);
  tg_dmat_destroy(&d->turned);
  tg_dmat_destroy(&d->basis);
  tg_dmat_destroy(&d->basis_q);
  tg_dmat_destroy(&d->basis_r);
  tg_dmat_destroy(&d->top);
  tg_free(d->values);
}

static tg_status create_singular(const problem *s, singular *d)
{
  TG_TRY(tg_dmat_create(s->grid, s->small, s->small, &d->u));
  TG_TRY(tg_dmat_create(s->grid, s->small, s->small, &d->vt));
  TG_TRY(tg_dmat_create(s->grid, s->small, s->small, &d->v));
  TG_TRY(tg_dmat_create(s->grid, s->small, s->part->cols, &d->turned));
  return tg_alloc_numbers(s->small, &d->values);
}

static tg_status create_basis(const problem *s, int64_t rank, singular *d)
{
  TG_TRY(tg_dmat_create(s->grid, s->small, rank, &d->basis));
  TG_TRY(tg_dmat_create(s->grid, s->small, rank, &d->basis_q));
  TG_TRY(tg_dmat_create(s->grid, rank, rank, &d->basis_r));
  return tg_dmat_create(s->grid, rank, s->part->cols, &d->top);
}

// The leading rows and columns of `in`: they are where they belong already. Local.
static void take_leading(const tg_dmat *in, tg_dmat *out)
{
  for (int64_t j = 0; j < out->local_cols; j++)
    for (int64_t i = 0; i < out->local_rows; i++) out->data[i + j * out->ld] = in->data[i + j * in->ld];
}

static void find_rank(problem *s, const singular *d)
{
  const double longer = (double)(s->rows > s->count ? s->rows : s->count);
  int64_t rank = 0;
  while (rank < s->small && d->values[rank] > longer * DBL_EPSILON * d->values[0]) rank++;
  s->facts->rank = rank;
  if (rank > 0) s->facts->condition = d->values[0] / d->values[rank - 1];
}

// part := the leading rows of diag(1/sigma) a, zeros below.
static void divide_by_values(const problem *s, const singular *d, tg_dmat *a)
{
  for (int64_t j = 0; j < a->local_cols; j++)
    for (int64_t i = 0; i < a->local_rows; i++) {
      const int64_t row = global_row(a, i);
      double *entry = &a->data[i + j * a->ld];
      *entry = row < s->facts->rank ? *entry / d->values[row] : 0;
    }
}

// S = Q U diag(sigma) V' D^-1 with D = diag(scales): V1' D^-1 X = sigma^-1 U1' Q' T =: c has the solution of least norm
// Q2 R2'^-1 c with D^-1 V1 = Q2 R2.
static tg_status solve_deficient_tall(problem *s, singular *d, tg_dmat *x)
{
  int descr[TG_DESCRIPTOR_LENGTH];
  int descb[TG_DESCRIPTOR_LENGTH];
  const int one = 1;
  const double unit = 1;
  TG_TRY(multiply(s, true, false, 1, s->q, s->right, 0, s->part));
  TG_TRY(multiply(s, true, false, 1, d->u, s->part, 0, d->turned));
  divide_by_values(s, d, d->turned);
  TG_TRY(tg_dmat_transpose(s->workspace, 1, d->vt, d->v));
  scale_rows(s->scales, true, d->v);
  TG_TRY(tg_agree(s->grid->comm, create_basis(s, s->facts->rank, d)));
  take_leading(d->v, d->basis);
  take_leading(d->turned, d->top);
  TG_TRY(tg_eigen_qr(d->basis, d->basis_q, d->basis_r));
  TG_TRY(tg_dmat_descriptor(d->basis_r, descr));
  TG_TRY(tg_dmat_descriptor(d->top, descb));
  pdtrsm_("L", "U", "T", "N", &descb[2], &descb[3], &unit, d->basis_r->data, &one, &one, descr, d->top->data, &one,
          &one, descb);
  return multiply(s, false, false, 1, d->basis_q, d->top, 0, x);
}

// S' = Q U diag(sigma) V' without scales: X = Q U sigma^-1 V' T.
static tg_status solve_deficient_wide(problem *s, singular *d, tg_dmat *x)
{
  TG_TRY(multiply(s, false, false, 1, d->vt, s->right, 0, d->turned));
  divide_by_values(s, d, d->turned);
  TG_TRY(multiply(s, false, false, 1, d->u, d->turned, 0, s->part));
  return multiply(s, false, false, 1, s->q, s->part, 0, x);
}

static tg_status solve_deficient(problem *s, tg_dmat *x)
{
  singular d = {0};
  tg_status status = tg_agree(s->grid->comm, create_singular(s, &d));
  if (status == TG_OK && s->is_wide) status = scale_stack(s, false); // equations in the units they are given in
  if (status == TG_OK && s->is_wide) status = tg_eigen_qr(s->q, s->q, s->r);
  if (status == TG_OK) status = tg_eigen_svd(s->r, d.u, d.values, d.vt);
  if (status == TG_OK) {
    s->facts->flops += 22 * pow((double)s->small, 3);
    find_rank(s, &d);
    tg_dmat_fill(0, x);
  }
  if (status == TG_OK && s->facts->rank > 0)
    status = s->is_wide ? solve_deficient_wide(s, &d, x) : solve_deficient_tall(s, &d, x);
  destroy_singular(&d);
  return status;
}

// ---- all ----

static tg_status solve(problem *s, int n_parts, const tg_least_squares_part *parts, tg_dmat *x, tg_dmat *lower)
{
  TG_TRY(stack_parts(s, n_parts, parts));
  TG_TRY(scale_stack(s, true));
  TG_TRY(tg_eigen_qr(s->q, s->q, s->r));
  s->facts->flops += 4.0 * (double)s->q->rows * (double)s->small * (double)s->small;
  TG_TRY(estimate_condition(s, &s->facts->condition));
  const double longer = (double)(s->rows > s->count ? s->rows : s->count);
  s->facts->rank = s->small;
  if (!(s->facts->condition * longer * DBL_EPSILON < 1)) return solve_deficient(s, x);
  TG_TRY(solve_full(s, x));
  s->facts->has_lower = !s->is_wide;
  if (s->is_wide) return TG_OK;
  TG_TRY(tg_dmat_transpose(s->workspace, sqrt(parts[0].weight), s->r, lower));
  scale_rows(s->scales, true, lower);
  return TG_OK;
}

tg_status tg_least_squares_solve(const tg_grid *grid, int n_parts, const tg_least_squares_part *parts, tg_dmat *x,
                                 tg_dmat *lower, tg_least_squares_facts *out)
{
  problem s = {.grid = grid, .count = x->rows, .facts = out};
  *out = (tg_least_squares_facts){0};
  for (int k = 0; k < n_parts; k++) {
    if (!(parts[k].weight > 0) || parts[k].factor->cols != x->rows)
      TG_FAIL(TG_INTERNAL, "a part of a least-squares problem has the weight %g and %lld columns, expected %lld",
              parts[k].weight, (long long)parts[k].factor->cols, (long long)x->rows);
    s.rows += parts[k].factor->rows;
  }
  s.is_wide = s.rows < s.count;
  s.small = s.is_wide ? s.rows : s.count;
  tg_status status = tg_agree(grid->comm, allocate(&s, x->cols));
  if (status == TG_OK) status = solve(&s, n_parts, parts, x, lower);
  destroy(&s);
  return status;
}

double tg_least_squares_bytes(const tg_cost_grid *grid, int64_t rows, int64_t unknowns, int64_t columns)
{
  const int64_t smaller = rows < unknowns ? rows : unknowns;
  return 2 * tg_cost_matrix_bytes(grid, rows, unknowns) + 8 * tg_cost_matrix_bytes(grid, smaller, smaller) +
         tg_cost_matrix_bytes(grid, unknowns, unknowns) + 3 * tg_cost_matrix_bytes(grid, rows, columns) +
         6 * tg_cost_matrix_bytes(grid, unknowns, columns);
}
