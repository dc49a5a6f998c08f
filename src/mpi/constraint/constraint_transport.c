// transport: nonnegative with the row sums r and the column sums c (the transportation polytope); doubly_stochastic,
// all sums 1 (Birkhoff's polytope), is one of them.
//
// The projection of y is x = max(y + u 1' + 1 v', 0), one shift for each row and one for each column, where (u, v)
// minimises the convex function
//     phi(u, v) = |max(y + u 1' + 1 v', 0)|^2 / 2 - <r, u> - <c, v>,
// whose gradient is what row and column sums of x exceed r and c by. phi is once differentiable, with the generalised
// Hessian
//     [ diag(p 1)      p      ]
//     [    p'      diag(p' 1) ],   p = 1 where x > 0, else 0,
// so Newton's method applies, each equation solved by conjugate gradients on passes over the local entries (X. Li, D.
// Sun, K.-C. Toh, Math. Programming 179 (2020): quadratic convergence; mostly around ten steps). No entry leaves its
// rank: sums of rows and columns are all that travels.
//
// Everything is in units of the largest sum, a power of two near it: P(y) = s P_(r/s, c/s)(y / s).
//
// A linear function is least at a vertex, for sums of 1 a permutation matrix (Birkhoff 1946): the assignment problem
// finds it on one rank, the transportation problem for other sums.
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/constraint/assignment.h"
#include "mpi/constraint/constraint_set.h"
#include "mpi/constraint/transportation.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/reduce.h"

// Arrays of one number for each of my rows, then one for each of my columns; ranks of a grid row hold equal row parts.
typedef enum dual_vector {
  DUAL_SHIFT,    // u, v
  DUAL_EXCESS,   // the gradient of phi
  DUAL_STEP,     // Newton's
  DUAL_RESIDUAL, // of its equation
  DUAL_SEARCH,   // direction of conjugate gradients
  DUAL_IMAGE,    // the Hessian times that
  DUAL_DIAGONAL, // of the Hessian
  DUAL_SCALED,   // residual divided by the diagonal
  DUAL_TOTAL,    // r, c
  DUAL_COUNT
} dual_vector;

enum { NEWTON_MAX = 200, INNER_MAX = 500, HALVINGS_MAX = 20, PANEL = 64, MODERATE = 8 };

static int64_t local_rows(const tg_set *set)
{
  return tg_layout_count(set->rows, set->grid->block, set->grid->row, set->grid->rows);
}

static int64_t dual_length(const tg_set *set)
{
  return local_rows(set) + tg_layout_count(set->cols, set->grid->block, set->grid->col, set->grid->cols);
}

static double *dual(const tg_set *set, dual_vector which)
{
  return set->numbers + which * dual_length(set);
}

static tg_status create_transport(tg_set *set)
{
  TG_TRY(tg_dmat_create(set->grid, set->rows, set->cols, &set->scratch[0]));
  return tg_alloc_numbers(DUAL_COUNT * dual_length(set) + 1, &set->numbers);
}

static tg_bytes bytes_transport(const tg_cost_grid *grid, int64_t rows, int64_t cols)
{
  return (tg_bytes){.kept = tg_cost_matrix_bytes(grid, rows, cols)};
}

// On rank 0: the costs, and the flows where they are no permutation.
static double extreme_bytes_transport(const opt_constraint_row *row, int64_t rows, int64_t cols)
{
  return (row->kind == OPT_CONSTRAINT_TRANSPORT ? 2 : 1) * 8 * (double)rows * (double)cols;
}

// The sums agree but for rounding (tg_constraint_verify): what that leaves is taken out of those of the columns, so
// that there are matrices with these sums to the last digit.
static tg_status balance_totals(const tg_set *set, double *totals)
{
  const int64_t rows = local_rows(set);
  double sums[2] = {0, 0};
  for (int64_t k = 0; k < rows && set->grid->col == 0; k++) sums[0] += totals[k];
  for (int64_t k = rows; k < dual_length(set) && set->grid->row == 0; k++) sums[1] += totals[k];
  TG_TRY(tg_reduce_sum(set->grid, 2, sums, sums));
  for (int64_t k = rows; k < dual_length(set) && sums[1] > 0; k++) totals[k] *= sums[0] / sums[1];
  return TG_OK;
}

static tg_status load_transport(tg_set *set)
{
  double *totals = dual(set, DUAL_TOTAL);
  double largest = 0;
  int exponent = 0;
  TG_TRY(tg_set_load_totals(set, true, totals));
  TG_TRY(tg_set_load_totals(set, false, totals + local_rows(set)));
  for (int64_t k = 0; k < dual_length(set); k++) largest = fmax(largest, totals[k]);
  TG_TRY(tg_set_largest(set->grid, largest, &largest));
  frexp(largest, &exponent);
  set->unit = largest > 0 ? ldexp(1, exponent - 1) : 1; // 1 for sums of 1
  for (int64_t k = 0; k < dual_length(set); k++) totals[k] /= set->unit;
  return balance_totals(set, totals);
}

// This rank's part of <a, b>: each number counted on one rank of those that hold it.
static double dual_dot_part(const tg_set *set, const double *a, const double *b)
{
  const int64_t rows = local_rows(set);
  const int64_t begin = set->grid->col == 0 ? 0 : rows;
  const int64_t end = set->grid->row == 0 ? dual_length(set) : rows;
  double sum = 0;
  for (int64_t k = begin; k < end; k++) sum += a[k] * b[k];
  return sum;
}

// Sums over my rows and columns become those over whole ones.
static tg_status complete_sums(const tg_set *set, double *sums)
{
  const int64_t rows = local_rows(set);
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, sums, (int)rows, MPI_DOUBLE, MPI_SUM, set->grid->row_comm));
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, sums + rows, (int)(dual_length(set) - rows), MPI_DOUBLE, MPI_SUM,
                           set->grid->col_comm));
  return TG_OK;
}

static tg_status sum_lines(const tg_set *set, const tg_dmat *x, double *sums)
{
  double *const columns = sums + x->local_rows;
  memset(sums, 0, (size_t)dual_length(set) * sizeof *sums);
  for (int64_t j = 0; j < x->local_cols; j++) {
    for (int64_t i = 0; i < x->local_rows; i++) {
      const double entry = x->data[i + j * x->ld];
      sums[i] += entry;
      columns[j] += entry;
    }
  }
  return complete_sums(set, sums);
}

static tg_status violation_transport(tg_set *set, const tg_dmat *x, double *out)
{
  double *sums = dual(set, DUAL_EXCESS);
  const double *totals = dual(set, DUAL_TOTAL);
  double worst = 0;
  TG_TRY(sum_lines(set, x, sums));
  for (int64_t k = 0; k < dual_length(set); k++) worst = tg_set_worse(worst, fabs(sums[k] - set->unit * totals[k]));
  for (int64_t j = 0; j < x->local_cols; j++)
    for (int64_t i = 0; i < x->local_rows; i++) worst = tg_set_worse(worst, -x->data[i + j * x->ld]);
  return tg_set_largest(set->grid, worst, out);
}

// ---- the dual function ----

typedef struct dual_value {
  double phi;
  double excess_norm;
} dual_value;

// x := max(scale y + u 1' + 1 v', 0), its excess, and phi.
static tg_status evaluate_dual(tg_set *set, double scale, const tg_dmat *y, tg_dmat *x, dual_value *out)
{
  const double *u = dual(set, DUAL_SHIFT);
  const double *v = u + x->local_rows;
  const double *totals = dual(set, DUAL_TOTAL);
  double *excess = dual(set, DUAL_EXCESS);
  double parts[3];
  for (int64_t j = 0; j < x->local_cols; j++) {
    for (int64_t i = 0; i < x->local_rows; i++) {
      const double entry = scale * y->data[i + j * y->ld] + u[i] + v[j];
      x->data[i + j * x->ld] = entry < 0 ? 0 : entry; // lets a NaN through: the objective shall see it
    }
  }
  TG_TRY(sum_lines(set, x, excess));
  for (int64_t k = 0; k < dual_length(set); k++) excess[k] -= totals[k];
  parts[0] = tg_reduce_local_dot(x, x);
  parts[1] = dual_dot_part(set, totals, u);
  parts[2] = dual_dot_part(set, excess, excess);
  TG_TRY(tg_reduce_sum(set->grid, 3, parts, parts));
  *out = (dual_value){.phi = parts[0] / 2 - parts[1], .excess_norm = sqrt(parts[2])};
  return TG_OK;
}

// The shifts that give every row and column of scale y + u 1' + 1 v' its sum, signs apart: Newton's start.
static tg_status start_shifts(tg_set *set, double scale, const tg_dmat *y)
{
  const double m = (double)set->rows;
  const double n = (double)set->cols;
  const int64_t rows = local_rows(set);
  const double *totals = dual(set, DUAL_TOTAL);
  double *shift = dual(set, DUAL_SHIFT);
  double missing = 0;
  TG_TRY(sum_lines(set, y, shift));
  for (int64_t k = 0; k < dual_length(set); k++) shift[k] = totals[k] - scale * shift[k];
  for (int64_t k = 0; k < rows && set->grid->col == 0; k++) missing += shift[k];
  TG_TRY(tg_reduce_sum(set->grid, 1, &missing, &missing));
  for (int64_t k = 0; k < dual_length(set); k++) shift[k] /= k < rows ? n : m;
  for (int64_t k = 0; k < rows; k++) shift[k] -= missing / m / n;
  return TG_OK;
}

// ---- Newton's equation ----

// image := (H + damping) p, H by the pattern of positive entries of x.
static tg_status apply_hessian(const tg_set *set, const tg_dmat *x, double damping, const double *p, double *image)
{
  const double *const p_cols = p + x->local_rows;
  double *const columns = image + x->local_rows;
  memset(image, 0, (size_t)dual_length(set) * sizeof *image);
  for (int64_t j = 0; j < x->local_cols; j++) {
    for (int64_t i = 0; i < x->local_rows; i++) {
      if (!(x->data[i + j * x->ld] > 0)) continue;
      const double sum = p[i] + p_cols[j];
      image[i] += sum;
      columns[j] += sum;
    }
  }
  TG_TRY(complete_sums(set, image));
  for (int64_t k = 0; k < dual_length(set); k++) image[k] += damping * p[k];
  return TG_OK;
}

static tg_status count_positive(const tg_set *set, const tg_dmat *x, double damping, double *diagonal)
{
  double *const columns = diagonal + x->local_rows;
  memset(diagonal, 0, (size_t)dual_length(set) * sizeof *diagonal);
  for (int64_t j = 0; j < x->local_cols; j++) {
    for (int64_t i = 0; i < x->local_rows; i++) {
      const double one = x->data[i + j * x->ld] > 0 ? 1 : 0;
      diagonal[i] += one;
      columns[j] += one;
    }
  }
  TG_TRY(complete_sums(set, diagonal));
  for (int64_t k = 0; k < dual_length(set); k++) diagonal[k] += damping;
  return TG_OK;
}

// DUAL_SCALED := residual ./ diagonal; products[0] = <residual, scaled>, products[1] = <residual, residual>.
static tg_status scale_residual(const tg_set *set, double *products)
{
  const double *residual = dual(set, DUAL_RESIDUAL);
  const double *diagonal = dual(set, DUAL_DIAGONAL);
  double *scaled = dual(set, DUAL_SCALED);
  for (int64_t k = 0; k < dual_length(set); k++) scaled[k] = residual[k] / diagonal[k];
  products[0] = dual_dot_part(set, residual, scaled);
  products[1] = dual_dot_part(set, residual, residual);
  return tg_reduce_sum(set->grid, 2, products, products);
}

// DUAL_STEP := -(H + damping)^-1 excess by conjugate gradients, to a residual of `tolerance`.
static tg_status solve_newton(const tg_set *set, const tg_dmat *x, double damping, double tolerance)
{
  const int64_t length = dual_length(set);
  double *step = dual(set, DUAL_STEP);
  double *residual = dual(set, DUAL_RESIDUAL);
  double *search = dual(set, DUAL_SEARCH);
  double *image = dual(set, DUAL_IMAGE);
  const double *scaled = dual(set, DUAL_SCALED);
  double products[2];
  TG_TRY(count_positive(set, x, damping, dual(set, DUAL_DIAGONAL)));
  for (int64_t k = 0; k < length; k++) {
    step[k] = 0;
    residual[k] = -dual(set, DUAL_EXCESS)[k];
  }
  TG_TRY(scale_residual(set, products));
  memcpy(search, scaled, (size_t)length * sizeof *search);
  for (int inner = 0; inner < INNER_MAX && products[1] > tolerance * tolerance; inner++) {
    TG_TRY(apply_hessian(set, x, damping, search, image));
    double curvature = dual_dot_part(set, search, image);
    TG_TRY(tg_reduce_sum(set->grid, 1, &curvature, &curvature));
    if (!(curvature > 0)) break;
    const double t = products[0] / curvature;
    const double before = products[0];
    for (int64_t k = 0; k < length; k++) {
      step[k] += t * search[k];
      residual[k] -= t * image[k];
    }
    TG_TRY(scale_residual(set, products));
    for (int64_t k = 0; k < length; k++) search[k] = scaled[k] + products[0] / before * search[k];
  }
  return TG_OK;
}

// ---- the projection ----

static void move_shifts(const tg_set *set, double t)
{
  double *shift = dual(set, DUAL_SHIFT);
  const double *step = dual(set, DUAL_STEP);
  for (int64_t k = 0; k < dual_length(set); k++) shift[k] += t * step[k];
}

// Along the step: the first of t = 1, 1/2, 1/4, ... that lowers phi enough, or that brings the excess down where the
// rounding of phi hides its descent. Without one the shifts are left where they were.
static tg_status search_step(tg_set *set, double scale, const tg_dmat *y, tg_dmat *x, dual_value *at, bool *moved)
{
  const dual_value start = *at;
  double slope = dual_dot_part(set, dual(set, DUAL_EXCESS), dual(set, DUAL_STEP));
  TG_TRY(tg_reduce_sum(set->grid, 1, &slope, &slope));
  const bool is_hidden = -slope <= 1e-14 * (1 + fabs(start.phi));
  double t = 1;
  move_shifts(set, t);
  for (int halving = 0; halving < HALVINGS_MAX; halving++) {
    TG_TRY(evaluate_dual(set, scale, y, x, at));
    *moved = is_hidden ? at->excess_norm < (1 - 0.1 * t) * start.excess_norm : at->phi < start.phi + 1e-4 * t * slope;
    if (*moved) return TG_OK;
    move_shifts(set, -t / 2);
    t /= 2;
  }
  move_shifts(set, -t);
  return evaluate_dual(set, scale, y, x, at);
}

// Newton's iteration from the shifts that stand, until the excess is below `wanted` or cannot be resolved.
static tg_status find_shifts(tg_set *set, double scale, const tg_dmat *y, double wanted, tg_dmat *x,
                             double *excess_norm)
{
  dual_value at;
  bool moved = true;
  TG_TRY(evaluate_dual(set, scale, y, x, &at));
  for (int k = 0; k < NEWTON_MAX && moved && at.excess_norm > wanted; k++) {
    // Damping that fades with the excess keeps the order of convergence and the equation solvable: the Hessian has a
    // kernel, the shift from rows to columns at least.
    const double damping = fmin(1e-3, 0.1 * at.excess_norm);
    const double tolerance = fmax(fmin(0.1, at.excess_norm) * at.excess_norm, 0.1 * wanted);
    TG_TRY(solve_newton(set, x, damping, tolerance));
    TG_TRY(search_step(set, scale, y, x, &at, &moved));
  }
  *excess_norm = at.excess_norm;
  return TG_OK;
}

// Rows, then columns with too large a sum are scaled down to it, and what is missing then, p in the rows and q in the
// columns, is added as p q' / sum p: nonnegative with the sums wanted, and no further away than twice the excess (J.
// Altschuler, J. Weed, P. Rigollet, NIPS 2017, algorithm 2).
static tg_status mend_sums(tg_set *set, tg_dmat *x)
{
  const int64_t length = dual_length(set);
  const double *totals = dual(set, DUAL_TOTAL);
  double *sums = dual(set, DUAL_EXCESS);
  double *const columns = sums + x->local_rows;
  for (int by_rows = 1; by_rows >= 0; by_rows--) {
    TG_TRY(sum_lines(set, x, sums));
    for (int64_t k = 0; k < length; k++) sums[k] = sums[k] > totals[k] ? totals[k] / sums[k] : 1;
    for (int64_t j = 0; j < x->local_cols; j++)
      for (int64_t i = 0; i < x->local_rows; i++) x->data[i + j * x->ld] *= by_rows > 0 ? sums[i] : columns[j];
  }
  TG_TRY(sum_lines(set, x, sums));
  double total = 0;
  for (int64_t k = 0; k < length; k++) sums[k] = fmax(0, totals[k] - sums[k]);
  for (int64_t i = 0; i < x->local_rows && set->grid->col == 0; i++) total += sums[i];
  TG_TRY(tg_reduce_sum(set->grid, 1, &total, &total));
  if (!(total > 0)) return TG_OK;
  for (int64_t j = 0; j < x->local_cols; j++)
    for (int64_t i = 0; i < x->local_rows; i++) x->data[i + j * x->ld] += sums[i] * columns[j] / total;
  return TG_OK;
}

static tg_status largest_entry(const tg_set *set, const tg_dmat *y, double *out)
{
  double largest = 0;
  for (int64_t j = 0; j < y->local_cols; j++)
    for (int64_t i = 0; i < y->local_rows; i++) largest = tg_set_worse(largest, fabs(y->data[i + j * y->ld]));
  return tg_set_largest(set->grid, largest, out);
}

static void multiply(double factor, tg_dmat *x)
{
  for (int64_t j = 0; j < x->local_cols && factor != 1; j++)
    for (int64_t i = 0; i < x->local_rows; i++) x->data[i + j * x->ld] *= factor;
}

// In units of the set. A large y, whose projection is near a vertex and whose phi is all kinks, grows from a moderate
// size, and the shifts grow with it. What the rounding of y leaves in the sums is mended.
static tg_status project_scaled(tg_set *set, tg_dmat *x)
{
  tg_dmat *y = set->scratch[0];
  const double wanted = 1e-14 * sqrt((double)(set->rows > set->cols ? set->rows : set->cols));
  double largest = 0;
  double excess_norm = 0;
  TG_TRY(tg_dmat_copy(x, y));
  TG_TRY(largest_entry(set, y, &largest));
  double scale = largest > MODERATE ? MODERATE / largest : 1;
  TG_TRY(start_shifts(set, scale, y));
  while (scale < 1) {
    TG_TRY(find_shifts(set, scale, y, 1e-2, x, &excess_norm));
    const double growth = fmin(MODERATE, 1 / scale);
    scale = growth < MODERATE ? 1 : scale * growth;
    for (int64_t k = 0; k < dual_length(set); k++) dual(set, DUAL_SHIFT)[k] *= growth;
  }
  TG_TRY(find_shifts(set, 1, y, wanted, x, &excess_norm));
  if (!(excess_norm > wanted)) return TG_OK;
  if (excess_norm > 1e3 * wanted * (1 + largest))
    TG_FAIL(TG_NUMERIC,
            "the projection onto the matrices with given row and column sums was not found: the sums are off by %.3g",
            set->unit * excess_norm);
  return mend_sums(set, x);
}

static tg_status project_transport(tg_set *set, tg_dmat *x)
{
  multiply(1 / set->unit, x);
  TG_TRY(project_scaled(set, x));
  multiply(set->unit, x);
  return TG_OK;
}

// ---- the vertices ----

// So many columns, or the sums of all.
static int64_t panel_room(const tg_set *set)
{
  return set->rows * PANEL + set->cols;
}

// At the first use: rank 0 takes whole matrices of costs and of flows, the others a panel.
static tg_status make_room(tg_set *set)
{
  const bool is_assignment = set->block.kind == OPT_CONSTRAINT_DOUBLY_STOCHASTIC;
  const int64_t m = set->rows;
  const int64_t n = set->cols;
  const int64_t whole = set->grid->rank == 0 ? (is_assignment ? m * n : 2 * m * n + m + n) : 0;
  TG_TRY(is_assignment ? tg_assignment_check(n) : tg_transportation_check(m, n));
  if (set->gathered != NULL) return TG_OK;
  const int64_t own = is_assignment ? tg_assignment_room(n) : tg_transportation_room(m, n);
  const tg_status status = tg_alloc_numbers(panel_room(set) + own + whole, &set->gathered);
  return tg_agree(set->grid->comm, status == TG_OK ? TG_NEW(n, &set->assigned) : status);
}

static tg_status gather_on_root(const tg_dmat *g, double *panel, double *whole)
{
  const int64_t m = g->rows;
  for (int64_t begin = 0; begin < g->cols; begin += PANEL) {
    const int64_t end = begin + PANEL < g->cols ? begin + PANEL : g->cols;
    TG_TRY(tg_dmat_gather_columns(g, begin, end, panel));
    if (g->grid->rank == 0) memcpy(whole + begin * m, panel, (size_t)(m * (end - begin)) * sizeof *panel);
  }
  return TG_OK;
}

static tg_status extreme_assignment(tg_set *set, const tg_dmat *g, tg_dmat *z)
{
  const int64_t n = set->rows;
  double *panel = set->gathered;
  double *room = panel + panel_room(set);
  double *whole = room + tg_assignment_room(n);
  TG_TRY(gather_on_root(g, panel, whole));
  if (set->grid->rank == 0) {
    tg_costs_round(n * n, whole);
    tg_assignment_solve(n, whole, room, set->assigned);
  }
  TG_TRY_MPI(MPI_Bcast(set->assigned, (int)n, MPI_INT64_T, 0, set->grid->comm));
  for (int64_t lj = 0; lj < z->local_cols; lj++) {
    const int64_t j = tg_layout_global(lj, z->block, set->grid->col, set->grid->cols);
    for (int64_t li = 0; li < z->local_rows; li++) {
      const int64_t i = tg_layout_global(li, z->block, set->grid->row, set->grid->rows);
      z->data[li + lj * z->ld] = set->assigned[j] == i ? 1 : 0;
    }
  }
  return TG_OK;
}

// Rank 0 has the flow; panel by panel every rank takes its entries.
static tg_status spread_from_root(double *panel, const double *flow, tg_dmat *z)
{
  const tg_grid *grid = z->grid;
  const int64_t m = z->rows;
  for (int64_t begin = 0; begin < z->cols; begin += PANEL) {
    const int64_t end = begin + PANEL < z->cols ? begin + PANEL : z->cols;
    if (grid->rank == 0) memcpy(panel, flow + begin * m, (size_t)(m * (end - begin)) * sizeof *panel);
    TG_TRY_MPI(MPI_Bcast(panel, (int)(m * (end - begin)), MPI_DOUBLE, 0, grid->comm));
    for (int64_t lj = 0; lj < z->local_cols; lj++) {
      const int64_t j = tg_layout_global(lj, z->block, grid->col, grid->cols);
      for (int64_t li = 0; li < z->local_rows && j >= begin && j < end; li++)
        z->data[li + lj * z->ld] = panel[tg_layout_global(li, z->block, grid->row, grid->rows) + (j - begin) * m];
    }
  }
  return TG_OK;
}

// The sums as they were given, on rank 0.
static tg_status gather_totals(const tg_set *set, double *panel, double *supply)
{
  const tg_dmat *const vectors[2] = {set->block.row_totals, set->block.column_totals};
  for (int side = 0; side < 2; side++) {
    const int64_t count = side == 0 ? set->rows : set->cols;
    TG_TRY(tg_dmat_gather_columns(vectors[side], 0, vectors[side]->cols, panel));
    for (int64_t k = 0; k < count && set->grid->rank == 0; k++) supply[(side == 0 ? 0 : set->rows) + k] = panel[k];
  }
  return TG_OK;
}

static tg_status extreme_transport(tg_set *set, const tg_dmat *g, tg_dmat *z)
{
  const int64_t m = set->rows;
  const int64_t n = set->cols;
  TG_TRY(make_room(set));
  if (set->block.kind == OPT_CONSTRAINT_DOUBLY_STOCHASTIC) return extreme_assignment(set, g, z);
  double *panel = set->gathered;
  double *room = panel + panel_room(set);
  double *cost = room + tg_transportation_room(m, n);
  double *flow = cost + m * n;
  double *supply = flow + m * n;
  TG_TRY(gather_totals(set, panel, supply));
  TG_TRY(gather_on_root(g, panel, cost));
  if (set->grid->rank == 0) {
    tg_costs_round(m * n, cost);
    tg_transportation_solve(m, n, cost, supply, supply + m, room, flow);
  }
  return spread_from_root(panel, flow, z);
}

const tg_set_ops tg_set_transport = {.create = create_transport,
                                     .bytes = bytes_transport,
                                     .extreme_bytes = extreme_bytes_transport,
                                     .load = load_transport,
                                     .violation = violation_transport,
                                     .project = project_transport,
                                     .extreme = extreme_transport};
