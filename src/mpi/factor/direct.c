// Direct solution of the linear systems of structured quadratics.
#include "mpi/factor/direct_parts.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "grad/plan/cost.h"
#include "mpi/factor/eigen.h"
#include "mpi/factor/factor.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/generate.h"
#include "mpi/matrix/reduce.h"
#include "mpi/product/product.h"
#include "mpi/space/space.h"

static const char *const side_names[2] = {"left", "right"};

// ---- creation ----

void tg_direct_destroy(tg_direct **direct)
{
  tg_direct *d = *direct;
  if (d == NULL) return;
  for (int k = 0; k < 2; k++) {
    tg_factor_destroy(&d->sides[k].factor);
    tg_dmat_destroy(&d->sides[k].wide);
    tg_dmat_destroy(&d->sides[k].image);
    tg_dmat_destroy(&d->sides[k].basis);
    tg_free(d->sides[k].values);
    tg_free(d->sides[k].norms);
    tg_free(d->sides[k].factors);
    tg_dmat_destroy(&d->scratch[k]);
  }
  tg_dmat_destroy(&d->known);
  tg_workspace_destroy(&d->workspace);
  tg_free(d);
  *direct = NULL;
}

static tg_status create(const tg_grid *grid, direct_kind kind, int64_t rows, int64_t cols, tg_direct **out)
{
  *out = NULL;
  tg_status status = TG_NEW(1, out);
  if (status == TG_OK) {
    (*out)->grid = grid;
    (*out)->kind = kind;
    (*out)->scale = 1;
    (*out)->sides[0].n = rows;
    (*out)->sides[1].n = cols;
    status = tg_workspace_create(grid, &(*out)->workspace);
  }
  return tg_agree(grid->comm, status);
}

// On failure nothing is left behind.
static tg_status hand_over(tg_direct **out, tg_status status)
{
  if (status == TG_OK) return TG_OK;
  tg_direct_destroy(out);
  return tg_error_pass(status, TG_HERE);
}

static tg_status factorise(tg_direct *d, int which, const tg_dmat *matrix)
{
  side *s = &d->sides[which];
  if (matrix == NULL) return TG_OK;
  TG_TRY(tg_factor_create(d->grid, matrix->rows, &s->factor));
  const tg_status status = tg_factor_cholesky(s->factor, matrix);
  d->flops += pow((double)matrix->rows, 3) / 3;
  if (status == TG_NUMERIC)
    TG_FAIL(TG_NUMERIC,
            "the %s factor of the Hessian action (%lld x %lld) is not positive definite, so that there is no unique "
            "minimum to solve for: its Cholesky factorisation breaks down",
            side_names[which], (long long)s->n, (long long)s->n);
  return status;
}

// The 1 x 1 matrix as a number; left as it is where there is none.
static tg_status fetch(const tg_dmat *matrix, double *out)
{
  return matrix != NULL ? tg_dmat_fetch(matrix, out) : TG_OK;
}

static tg_status take_wide(tg_direct *d, int which, tg_dmat *const *matrices)
{
  side *s = &d->sides[which];
  const tg_dmat *wide = tg_direct_part(matrices, which, TG_CLOSED_WIDE);
  const tg_dmat *ridge = tg_direct_part(matrices, which, TG_CLOSED_RIDGE);
  const int64_t r = wide->rows;
  TG_TRY(fetch(ridge, &s->ridge));
  // 0 would ask for the pseudo-inverse, for which the symbols have not seen that it serves.
  if (ridge != NULL && !(s->ridge > 0))
    TG_FAIL(TG_NUMERIC, "the Hessian action has the ridge %g, expected a positive one: there is no unique minimum",
            s->ridge);
  TG_TRY(fetch(tg_direct_part(matrices, which, TG_CLOSED_GAIN), &s->gain));
  if (!(s->gain > 0))
    TG_FAIL(TG_NUMERIC,
            "the %s factor of the Hessian action is %g I + %g K'K with K %lld x %lld, expected positive numbers: there "
            "is no minimum",
            side_names[which], s->ridge, s->gain, (long long)r, (long long)s->n);
  tg_status status = tg_dmat_create(d->grid, r, s->n, &s->wide);
  if (status == TG_OK)
    status = which == 0 ? tg_dmat_create(d->grid, r, d->sides[1].n, &s->image)
                        : tg_dmat_create(d->grid, d->sides[0].n, r, &s->image);
  TG_TRY(tg_agree(d->grid->comm, status));
  return tg_dmat_copy(wide, s->wide);
}

static tg_status fill_cholesky(tg_direct *d, const tg_closed_plan *plan, tg_dmat *const *matrices)
{
  if (!(plan->scale > 0))
    TG_FAIL(TG_NUMERIC, "the Hessian action has the coefficient %g, expected a positive one", plan->scale);
  d->scale = plan->scale;
  for (int k = 0; k < 2; k++) {
    if (tg_direct_part(matrices, k, TG_CLOSED_WIDE) != NULL) TG_TRY(take_wide(d, k, matrices));
    TG_TRY(factorise(d, k, tg_direct_part(matrices, k, TG_CLOSED_BASE)));
  }
  return TG_OK;
}

static tg_status fill_inverse(tg_direct *d, const tg_closed_plan *plan, tg_dmat *const *matrices)
{
  const tg_status status = factorise(d, 0, tg_direct_part(matrices, 0, TG_CLOSED_BASE));
  d->scale = plan->scale;
  if (status != TG_NUMERIC) return status;
  return tg_error_set(TG_NUMERIC, TG_HERE,
                      "S of tr(S*X) - logdet(X) is not positive definite: there is no minimum among positive definite "
                      "matrices");
}

tg_status tg_direct_create_known(const tg_grid *grid, tg_dmat *x, double flops, tg_direct **out)
{
  const tg_status status = create(grid, DIRECT_KNOWN, x->rows, x->cols, out);
  if (status != TG_OK) tg_dmat_destroy(&x);
  if (status == TG_OK) {
    (*out)->known = x;
    (*out)->flops = flops;
  }
  return hand_over(out, status);
}

static tg_status solve_least_squares(tg_direct *d, bool on_right, int n_parts, const tg_least_squares_part *parts,
                                     tg_least_squares_facts *facts)
{
  side *s = &d->sides[on_right ? 1 : 0];
  tg_dmat *x = NULL;
  tg_dmat *lower = NULL;
  tg_status status = tg_dmat_create(d->grid, s->n, d->sides[on_right ? 0 : 1].n, &x);
  if (status == TG_OK) status = tg_dmat_create(d->grid, s->n, s->n, &lower);
  if (status == TG_OK) status = tg_dmat_create(d->grid, d->sides[0].n, d->sides[1].n, &d->known);
  TG_TRY_GOTO(tg_agree(d->grid->comm, status));
  TG_TRY_GOTO(tg_least_squares_solve(d->grid, n_parts, parts, x, lower, facts));
  d->flops += facts->flops;
  TG_TRY_GOTO(on_right ? tg_dmat_transpose(d->workspace, 1, x, d->known) : tg_dmat_copy(x, d->known));
  if (!facts->has_lower) goto done;
  d->kind = DIRECT_CHOLESKY;
  TG_TRY_GOTO(tg_factor_create(d->grid, s->n, &s->factor));
  status = tg_factor_adopt_cholesky(s->factor, lower);
done:
  tg_dmat_destroy(&lower);
  tg_dmat_destroy(&x);
  return status;
}

tg_status tg_direct_create_least_squares(const tg_grid *grid, int64_t rows, int64_t cols, bool on_right, int n_parts,
                                         const tg_least_squares_part *parts, tg_least_squares_facts *facts,
                                         tg_direct **out)
{
  tg_status status = create(grid, DIRECT_KNOWN, rows, cols, out);
  if (status == TG_OK) status = solve_least_squares(*out, on_right, n_parts, parts, facts);
  return hand_over(out, status);
}

// ---- bases ----

// Column j of the matrix times values[j]. Local.
static void scale_columns(const double *values, tg_dmat *matrix)
{
  const tg_grid *grid = matrix->grid;
  for (int64_t j = 0; j < matrix->local_cols; j++) {
    const double factor = values[tg_layout_global(j, matrix->block, grid->col, grid->cols)];
    for (int64_t i = 0; i < matrix->local_rows; i++) matrix->data[i + j * matrix->ld] *= factor;
  }
}

static tg_status multiply(tg_direct *d, bool transa, bool transb, const tg_dmat *a, const tg_dmat *b, tg_dmat *c)
{
  d->flops += 2.0 * (double)c->rows * (double)c->cols * (double)(transa ? a->rows : a->cols);
  return tg_product(TG_PRODUCT_AUTO, transa, transb, 1, a, b, 0, c, d->workspace, NULL);
}

static tg_status decompose(tg_direct *d, const tg_dmat *a, double *values, tg_dmat *basis)
{
  d->flops += 9 * pow((double)a->rows, 3);
  return tg_eigen_symmetric(a, values, basis);
}

// W = Q m^-1/2 from metric = Q diag(m) Q'; then W' base W = U diag(t) U' and T = W U.
static tg_status find_pencil_basis(tg_direct *d, side *s, const tg_dmat *metric, const tg_dmat *base)
{
  tg_dmat *w = NULL;
  tg_dmat *turned = NULL;
  tg_dmat *u = NULL;
  tg_status status = tg_dmat_create(d->grid, s->n, s->n, &w);
  if (status == TG_OK) status = tg_dmat_create(d->grid, s->n, s->n, &turned);
  if (status == TG_OK) status = tg_dmat_create(d->grid, s->n, s->n, &u);
  TG_TRY_GOTO(tg_agree(d->grid->comm, status));
  TG_TRY_GOTO(decompose(d, metric, s->values, w));
  if (!(s->values[0] > (double)s->n * DBL_EPSILON * s->values[s->n - 1])) {
    status =
        tg_error_set(TG_NUMERIC, TG_HERE,
                     "a factor of the Hessian action that should be positive definite has eigenvalues from %.3g to "
                     "%.3g",
                     s->values[0], s->values[s->n - 1]);
    goto done;
  }
  for (int64_t k = 0; k < s->n; k++) s->values[k] = 1 / sqrt(s->values[k]);
  scale_columns(s->values, w);
  TG_TRY_GOTO(multiply(d, false, false, base, w, u));
  TG_TRY_GOTO(multiply(d, true, false, w, u, turned));
  TG_TRY_GOTO(decompose(d, turned, s->values, u));
  TG_TRY_GOTO(multiply(d, false, false, w, u, s->basis));
done:
  tg_dmat_destroy(&u);
  tg_dmat_destroy(&turned);
  tg_dmat_destroy(&w);
  return status;
}

static tg_status find_basis(tg_direct *d, int which, tg_dmat *const *matrices)
{
  side *s = &d->sides[which];
  const tg_dmat *metric = tg_direct_part(matrices, which, TG_CLOSED_METRIC);
  const tg_dmat *base = tg_direct_part(matrices, which, TG_CLOSED_BASE);
  TG_TRY(tg_agree(d->grid->comm, TG_NEW(s->n, &s->values)));
  if (base == NULL) return TG_OK;
  TG_TRY(tg_agree(d->grid->comm, tg_dmat_create(d->grid, s->n, s->n, &s->basis)));
  if (metric != NULL) return find_pencil_basis(d, s, metric, base);
  return decompose(d, base, s->values, s->basis);
}

// ---- spectrum ----

static double power_sum(const double *coefs, double t)
{
  double sum = 0;
  for (int p = TG_CLOSED_POWERS - 1; p >= 0; p--) sum = sum * t + coefs[p];
  return sum;
}

double tg_direct_eigenvalue(const tg_direct *d, int64_t i, int64_t j)
{
  double sum = 0;
  for (int k = 0; k < d->n_terms; k++)
    sum += d->sides[0].factors[k * d->sides[0].n + i] * d->sides[1].factors[k * d->sides[1].n + j];
  return sum;
}

tg_status tg_direct_dot_columns(const tg_dmat *a, const tg_dmat *b, double *out)
{
  const tg_grid *grid = a->grid;
  for (int64_t j = 0; j < a->cols; j++) out[j] = 0;
  for (int64_t j = 0; j < a->local_cols; j++) {
    double sum = 0;
    for (int64_t i = 0; i < a->local_rows; i++) sum += a->data[i + j * a->ld] * b->data[i + j * b->ld];
    out[tg_layout_global(j, a->block, grid->col, grid->cols)] = sum;
  }
  return tg_mpi_check(MPI_Allreduce(MPI_IN_PLACE, out, (int)a->cols, MPI_DOUBLE, MPI_SUM, grid->comm), TG_HERE);
}

// out = the diagonal of T' factor T.
static tg_status find_diagonal(tg_direct *d, const side *s, const tg_dmat *factor, double *out)
{
  if (s->basis == NULL && factor == NULL) {
    for (int64_t i = 0; i < s->n; i++) out[i] = 1;
    return TG_OK;
  }
  if (factor == NULL) return tg_direct_dot_columns(s->basis, s->basis, out);
  if (s->basis == NULL) TG_FAIL(TG_INTERNAL, "an extra term has a factor on a side without a basis");
  tg_dmat *image = NULL;
  TG_TRY(tg_agree(d->grid->comm, tg_dmat_create(d->grid, s->n, s->n, &image)));
  tg_status status = multiply(d, false, false, factor, s->basis, image);
  if (status == TG_OK) status = tg_direct_dot_columns(s->basis, image, out);
  tg_dmat_destroy(&image);
  return status;
}

static tg_status fill_factors(tg_direct *d, const tg_closed_plan *plan, tg_dmat *const *matrices)
{
  const int n_terms = plan->n_terms;
  const int n_extras = plan->n_extras;
  for (int which = 0; which < 2; which++) {
    side *s = &d->sides[which];
    TG_TRY(tg_agree(d->grid->comm, TG_NEW((int64_t)(n_terms + n_extras) * s->n, &s->factors)));
    for (int k = 0; k < n_terms; k++)
      for (int64_t i = 0; i < s->n; i++)
        s->factors[k * s->n + i] = power_sum(which == 0 ? plan->terms[k].left : plan->terms[k].right, s->values[i]);
    for (int k = 0; k < n_extras; k++) {
      double *out = s->factors + (n_terms + k) * s->n;
      TG_TRY(find_diagonal(d, s, matrices[TG_CLOSED_MATRICES + 2 * k + which], out));
      for (int64_t i = 0; which == 0 && i < s->n; i++) out[i] *= plan->extras[k].coef;
    }
  }
  d->n_terms = n_terms + n_extras;
  return TG_OK;
}

// Every rank has all values of both sides, so each finds the extremes for itself, in its own rows of the grid of pairs.
// Between the vectors t_i and u_j of the bases H has the Rayleigh quotient w(i,j) / (|t_i|^2 |u_j|^2), its eigenvalue
// where the bases are orthogonal.
static tg_status check_spectrum(tg_direct *d)
{
  double extremes[4] = {-HUGE_VAL, -HUGE_VAL, -HUGE_VAL, -HUGE_VAL}; // -smallest, largest; the same of quotients
  const side *s = d->sides;
  const int64_t ranks = (int64_t)d->grid->rows * d->grid->cols;
  int rank = 0;
  MPI_Comm_rank(d->grid->comm, &rank);
  for (int64_t j = rank; j < s[1].n; j += ranks)
    for (int64_t i = 0; i < s[0].n; i++) {
      const double w = tg_direct_eigenvalue(d, i, j);
      const double quotient = w / (s[0].norms[i] * s[1].norms[j]);
      extremes[0] = fmax(extremes[0], -w);
      extremes[1] = fmax(extremes[1], w);
      extremes[2] = fmax(extremes[2], -quotient);
      extremes[3] = fmax(extremes[3], quotient);
    }
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, extremes, 4, MPI_DOUBLE, MPI_MAX, d->grid->comm));
  const double smallest = -extremes[0];
  const double largest = extremes[1];
  d->condition = -extremes[3] / extremes[2];
  const double noise = 8 * (double)(s[0].n + s[1].n) * DBL_EPSILON * fmax(fabs(smallest), largest);
  if (smallest > noise) return TG_OK;
  TG_FAIL(TG_NUMERIC, "the Hessian is %s: its eigenvalues reach from %.6g to %.6g; %s",
          smallest < -noise ? "indefinite" : "singular", smallest, largest,
          smallest < -noise ? "the objective is unbounded below"
                            : "there is no unique minimum, a small ridge such as 1e-8*sumsq(X) makes one");
}

static tg_status make_scratch(tg_direct *d)
{
  tg_status status = TG_OK;
  for (int k = 0; k < 2 && status == TG_OK; k++)
    status = tg_dmat_create(d->grid, d->sides[0].n, d->sides[1].n, &d->scratch[k]);
  return tg_agree(d->grid->comm, status);
}

// H in the bases that there are.
static tg_status fill_spectrum(tg_direct *d, const tg_closed_plan *plan, tg_dmat *const *matrices)
{
  for (int k = 0; k < 2; k++) {
    TG_TRY(tg_agree(d->grid->comm, TG_NEW(d->sides[k].n, &d->sides[k].norms)));
    TG_TRY(find_diagonal(d, &d->sides[k], NULL, d->sides[k].norms));
  }
  TG_TRY(fill_factors(d, plan, matrices));
  return check_spectrum(d);
}

static tg_status fill_spectral(tg_direct *d, const tg_closed_plan *plan, tg_dmat *const *matrices)
{
  TG_TRY(make_scratch(d));
  TG_TRY(find_basis(d, 0, matrices));
  TG_TRY(find_basis(d, 1, matrices));
  return fill_spectrum(d, plan, matrices);
}

static tg_status take_bases(tg_direct *d, tg_dmat *const bases[2], const double *const values[2])
{
  for (int k = 0; k < 2; k++) {
    TG_TRY(tg_agree(d->grid->comm, TG_NEW(d->sides[k].n, &d->sides[k].values)));
    if (bases[k] == NULL) continue;
    memcpy(d->sides[k].values, values[k], (size_t)d->sides[k].n * sizeof(double));
    d->sides[k].basis = tg_dmat_hold(bases[k]);
  }
  return TG_OK;
}

tg_status tg_direct_create_in_bases(const tg_grid *grid, const tg_closed_plan *plan, tg_dmat *const bases[2],
                                    const double *const values[2], tg_dmat *const *matrices, tg_direct **out)
{
  TG_ASSERT(plan->kind == TG_CLOSED_SPECTRAL && (plan->n_extras == 0 || matrices != NULL));
  tg_status status = create(grid, DIRECT_SPECTRAL, plan->rows, plan->cols, out);
  if (status == TG_OK) status = make_scratch(*out);
  if (status == TG_OK) status = take_bases(*out, bases, values);
  if (status == TG_OK) status = fill_spectrum(*out, plan, matrices);
  return hand_over(out, status);
}

tg_dmat *tg_direct_basis(const tg_direct *direct, int which, const double **values)
{
  *values = direct->sides[which].values;
  return direct->sides[which].basis;
}

// ---- by the plan ----

typedef tg_status filler(tg_direct *d, const tg_closed_plan *plan, tg_dmat *const *matrices);

static double side_bytes(const tg_cost_grid *grid, const tg_closed_plan *plan, int which)
{
  const int64_t n = which == 0 ? plan->rows : plan->cols;
  return tg_cost_matrix_bytes(grid, n, n);
}

// K, its image of a point, and the factors of the smaller matrix.
static double wide_bytes(const tg_cost_grid *grid, const tg_closed_plan *plan, int which)
{
  const int64_t r = plan->sides[which].wide_rows;
  const int64_t own = which == 0 ? plan->rows : plan->cols;
  const int64_t other = which == 0 ? plan->cols : plan->rows;
  return tg_cost_matrix_bytes(grid, r, own) + tg_cost_matrix_bytes(grid, r, other) + tg_cost_matrix_bytes(grid, r, r);
}

// The minimiser; eigenvectors of the left base, or the singular vectors of the linear term, and small matrices.
static tg_bytes orthonormal_bytes(const tg_cost_grid *grid, const tg_closed_plan *plan)
{
  const double x = tg_cost_matrix_bytes(grid, plan->rows, plan->cols);
  const double vectors = plan->kind == TG_CLOSED_POLAR ? 2 * x : side_bytes(grid, plan, 0);
  return (tg_bytes){.kept = x, .passing = x + 2 * side_bytes(grid, plan, 1) + vectors};
}

tg_bytes tg_direct_bytes(const tg_cost_grid *grid, const tg_closed_plan *plan)
{
  const bool is_spectral = plan->kind == TG_CLOSED_SPECTRAL;
  if (plan->kind == TG_CLOSED_EIGENVECTORS || plan->kind == TG_CLOSED_POLAR) return orthonormal_bytes(grid, plan);
  double kept = is_spectral ? 2 * tg_cost_matrix_bytes(grid, plan->rows, plan->cols) : 0;
  double most = kept;
  for (int which = 0; which < 2; which++) {
    const tg_closed_plan_side *s = &plan->sides[which];
    const int64_t n = which == 0 ? plan->rows : plan->cols;
    if (!s->has[TG_CLOSED_BASE]) continue;
    const double matrix = side_bytes(grid, plan, which);
    const double pencil = s->has[TG_CLOSED_METRIC] ? 3 * matrix : 0;
    kept += s->has[TG_CLOSED_WIDE] ? wide_bytes(grid, plan, which) : matrix;
    most = fmax(most, kept + (is_spectral ? pencil + tg_eigen_symmetric_bytes(grid, n) : 0));
  }
  // The workspace of products is there from the first use on, when what was taken for the making is gone.
  if (is_spectral)
    kept += fmax(tg_cost_product_bytes(grid, plan->rows, plan->cols, plan->rows),
                 tg_cost_product_bytes(grid, plan->rows, plan->cols, plan->cols));
  return (tg_bytes){.kept = kept, .passing = fmax(0, most - kept)};
}

static tg_status create_filled(const tg_grid *grid, direct_kind kind, filler *fill, const tg_closed_plan *plan,
                               tg_dmat *const *matrices, tg_direct **out)
{
  tg_status status = create(grid, kind, plan->rows, plan->cols, out);
  if (status == TG_OK) status = fill(*out, plan, matrices);
  return hand_over(out, status);
}

tg_status tg_direct_create(const tg_grid *grid, const tg_closed_plan *plan, tg_dmat *const *matrices, tg_direct **out)
{
  *out = NULL;
  switch (plan->kind) {
  case TG_CLOSED_CHOLESKY:
    return create_filled(grid, DIRECT_CHOLESKY, fill_cholesky, plan, matrices, out);
  case TG_CLOSED_SPECTRAL:
    return create_filled(grid, DIRECT_SPECTRAL, fill_spectral, plan, matrices, out);
  case TG_CLOSED_INVERSE:
    return create_filled(grid, DIRECT_INVERSE, fill_inverse, plan, matrices, out);
  case TG_CLOSED_EIGENVECTORS:
    return tg_direct_create_eigenvectors(grid, plan, matrices, out);
  case TG_CLOSED_POLAR:
    return tg_direct_create_polar(grid, matrices, out);
  case TG_CLOSED_NONE:
  case TG_CLOSED_KINDS:
    break;
  }
  TG_FAIL(TG_INTERNAL, "there is no closed form to make");
}

// ---- application ----

// a := op(F)^-1 a from the left (which = 0) or the right.
static tg_status solve_in_place(tg_direct *d, int which, tg_dmat *a)
{
  const tg_factor *factor = d->sides[which].factor;
  d->flops += 2.0 * (double)a->rows * (double)a->cols * (double)factor->n;
  return tg_factor_solve(factor, false, which == 1, a, a, d->workspace);
}

// z := (I - gain K' (ridge I + gain K K')^-1 K) z / ridge, without a ridge z := gain K' (gain K K')^-2 K z; or the same
// from the right.
static tg_status solve_wide(tg_direct *d, int which, tg_dmat *z)
{
  const side *s = &d->sides[which];
  const bool has_ridge = s->ridge > 0;
  const double gain = has_ridge ? -s->gain / s->ridge : s->gain;
  const double rest = has_ridge ? 1 / s->ridge : 0;
  tg_dmat *image = s->image;
  TG_TRY(which == 0 ? multiply(d, false, false, s->wide, z, image) : multiply(d, false, true, z, s->wide, image));
  TG_TRY(solve_in_place(d, which, image));
  if (!has_ridge) TG_TRY(solve_in_place(d, which, image));
  if (has_ridge) TG_TRY(tg_dmat_lincomb(1, &rest, (const tg_dmat *const[]){z}, z));
  d->flops += 2.0 * (double)image->rows * (double)image->cols * (double)s->n;
  const tg_dmat *const factors[2] = {which == 0 ? s->wide : image, which == 0 ? image : s->wide};
  return tg_product(TG_PRODUCT_AUTO, which == 0, false, gain, factors[0], factors[1], has_ridge ? 1 : 0, z,
                    d->workspace, NULL);
}

static tg_status apply_cholesky(tg_direct *d, const tg_dmat *r, tg_dmat *z)
{
  const double coef = 1 / d->scale;
  TG_TRY(tg_dmat_lincomb(1, &coef, &r, z));
  for (int k = 0; k < 2; k++) {
    if (d->sides[k].factor == NULL) continue;
    TG_TRY(d->sides[k].wide != NULL ? solve_wide(d, k, z) : solve_in_place(d, k, z));
  }
  return TG_OK;
}

static void divide_by_spectrum(const tg_direct *d, tg_dmat *matrix)
{
  const tg_grid *grid = matrix->grid;
  for (int64_t j = 0; j < matrix->local_cols; j++) {
    const int64_t column = tg_layout_global(j, matrix->block, grid->col, grid->cols);
    for (int64_t i = 0; i < matrix->local_rows; i++) {
      const int64_t row = tg_layout_global(i, matrix->block, grid->row, grid->rows);
      matrix->data[i + j * matrix->ld] /= tg_direct_eigenvalue(d, row, column);
    }
  }
}

// z = T ((T' r U) ./ w) U'
static tg_status apply_spectral(tg_direct *d, const tg_dmat *r, tg_dmat *z)
{
  const tg_dmat *t = d->sides[0].basis;
  const tg_dmat *u = d->sides[1].basis;
  tg_dmat *one = d->scratch[0];
  tg_dmat *two = d->scratch[1];
  TG_TRY(t != NULL ? multiply(d, true, false, t, r, one) : tg_dmat_copy(r, one));
  TG_TRY(u != NULL ? multiply(d, false, false, one, u, two) : tg_dmat_copy(one, two));
  divide_by_spectrum(d, two);
  TG_TRY(t != NULL ? multiply(d, false, false, t, two, one) : tg_dmat_copy(two, one));
  return u != NULL ? multiply(d, false, true, one, u, z) : tg_dmat_copy(one, z);
}

static tg_status apply_inverse(tg_direct *d, tg_dmat *z)
{
  TG_TRY(tg_factor_inverse(d->sides[0].factor, false, z, d->workspace));
  d->flops += 2.0 / 3 * pow((double)z->rows, 3);
  return tg_dmat_lincomb(1, &d->scale, (const tg_dmat *const[]){z}, z);
}

tg_status tg_direct_apply(void *self, const opt_point *r, opt_point *z)
{
  tg_direct *d = self;
  switch (d->kind) {
  case DIRECT_CHOLESKY:
    return apply_cholesky(d, tg_space_block(r, 0), tg_space_block(z, 0));
  case DIRECT_SPECTRAL:
    return apply_spectral(d, tg_space_block(r, 0), tg_space_block(z, 0));
  case DIRECT_KNOWN:
    return tg_dmat_copy(d->known, tg_space_block(z, 0));
  case DIRECT_INVERSE:
    break;
  }
  return apply_inverse(d, tg_space_block(z, 0));
}

// Whether x is the minimiser that was made by orthogonal factors up to what a refinement is for.
static tg_status is_near_known(const tg_direct *d, const tg_dmat *x, tg_dmat *scratch, bool *out)
{
  static const double near = 1e-3;
  const double coefs[2] = {1, -1};
  double squares[2] = {0, 0};
  TG_TRY(tg_dmat_lincomb(2, coefs, (const tg_dmat *const[]){x, d->known}, scratch));
  TG_TRY(tg_dmat_dot(scratch, scratch, &squares[0]));
  TG_TRY(tg_dmat_dot(d->known, d->known, &squares[1]));
  *out = squares[0] <= near * near * squares[1];
  return TG_OK;
}

// A minimiser made by orthogonal factors is exacter than a solve from afar; refinements go on from x by the
// semi-normal equations (A. Bjorck, Linear Algebra Appl. 88/89, 1987).
tg_status tg_direct_solve(void *self, const opt_point *x, const opt_point *g, opt_point *out)
{
  const tg_direct *d = self;
  if (d->kind == DIRECT_CHOLESKY && d->known != NULL) {
    bool is_near = false;
    TG_TRY(is_near_known(d, tg_space_block(x, 0), tg_space_block(out, 0), &is_near));
    if (!is_near) return tg_dmat_copy(d->known, tg_space_block(out, 0));
  }
  TG_TRY(tg_direct_apply(self, g, out));
  if (d->kind == DIRECT_INVERSE || d->kind == DIRECT_KNOWN) return TG_OK;
  const double coefs[2] = {1, -1};
  tg_dmat *z = tg_space_block(out, 0);
  return tg_dmat_lincomb(2, coefs, (const tg_dmat *const[]){tg_space_block(x, 0), z}, z);
}

// ---- reports ----

double tg_direct_condition(const tg_direct *direct)
{
  return direct->condition;
}

double tg_direct_pivot_ratio(const tg_direct *direct)
{
  TG_ASSERT(direct->kind == DIRECT_INVERSE);
  return tg_factor_pivot_ratio(direct->sides[0].factor);
}

double tg_direct_flops(const tg_direct *direct)
{
  return direct->flops;
}

int64_t tg_direct_products(const tg_direct *direct)
{
  const double n = fmax((double)direct->sides[0].n, (double)direct->sides[1].n);
  return (int64_t)ceil(direct->flops / (2 * n * n * n));
}
