// The steps of closed forms and preconditioners, and their cost.
#include "grad/plan/closed_cost.h"

#include <inttypes.h>
#include <math.h>

#include "grad/plan/cost_layout.h"
#include "grad/plan/cost_parts.h"
#include "grad/plan/cost_product.h"

// ---- steps ----

typedef struct listing {
  int n;
  tg_closed_step *steps;
} listing;

static void add(listing *list, tg_closed_op op, int64_t m, int64_t n, int64_t k)
{
  TG_ASSERT(list->n < TG_CLOSED_STEPS);
  list->steps[list->n++] = (tg_closed_step){.op = op, .m = m, .n = n, .k = k};
}

static void add_transposed(listing *list, int64_t m, int64_t n, int64_t k)
{
  add(list, TG_CLOSED_OP_PRODUCT, m, n, k);
  list->steps[list->n - 1].is_transposed = true;
}

static int64_t size_of(const tg_closed_plan *plan, int side)
{
  return side == 0 ? plan->rows : plan->cols;
}

static bool has(const tg_closed_plan *plan, int side, tg_closed_part part)
{
  return plan->sides[side].has[part];
}

// The matrix that is factorised: of a wide side the smaller one.
static int64_t factor_size(const tg_closed_plan *plan, int side)
{
  return has(plan, side, TG_CLOSED_WIDE) ? plan->sides[side].wide_rows : size_of(plan, side);
}

static void make_cholesky(const tg_closed_plan *plan, listing *list)
{
  for (int side = 0; side < 2; side++)
    if (has(plan, side, TG_CLOSED_BASE)) add(list, TG_CLOSED_OP_CHOLESKY, factor_size(plan, side), 0, 0);
}

// Eigenvectors of the base; of a pencil those of the metric first, the base in their basis, and back.
static void make_spectral(const tg_closed_plan *plan, listing *list)
{
  for (int side = 0; side < 2; side++) {
    const int64_t n = size_of(plan, side);
    if (!has(plan, side, TG_CLOSED_BASE)) continue;
    if (has(plan, side, TG_CLOSED_METRIC)) {
      add(list, TG_CLOSED_OP_EIGEN, n, 0, 0);
      add(list, TG_CLOSED_OP_PRODUCT, n, n, n);
      add_transposed(list, n, n, n);
    }
    add(list, TG_CLOSED_OP_EIGEN, n, 0, 0);
    if (has(plan, side, TG_CLOSED_METRIC)) add(list, TG_CLOSED_OP_PRODUCT, n, n, n);
  }
  for (int side = 0; side < 2; side++)
    for (int32_t k = 0; k < plan->n_extras; k++)
      if (plan->extras[k].has[side])
        add(list, TG_CLOSED_OP_PRODUCT, size_of(plan, side), size_of(plan, side), size_of(plan, side));
}

static void make_eigenvectors(const tg_closed_plan *plan, listing *list)
{
  const bool is_few = tg_closed_takes_few(plan->rows, plan->cols);
  if (has(plan, 1, TG_CLOSED_BASE)) add(list, TG_CLOSED_OP_EIGEN, plan->cols, 0, 0);
  add(list, is_few ? TG_CLOSED_OP_EXTREMES : TG_CLOSED_OP_EIGEN, plan->rows, plan->cols, 0);
  if (has(plan, 1, TG_CLOSED_BASE)) add(list, TG_CLOSED_OP_PRODUCT, plan->rows, plan->cols, plan->cols);
}

static void make(const tg_closed_plan *plan, listing *list)
{
  switch (plan->kind) {
  case TG_CLOSED_CHOLESKY:
  case TG_CLOSED_INVERSE:
    make_cholesky(plan, list);
    return;
  case TG_CLOSED_SPECTRAL:
    make_spectral(plan, list);
    return;
  case TG_CLOSED_EIGENVECTORS:
    make_eigenvectors(plan, list);
    return;
  case TG_CLOSED_POLAR:
    add(list, TG_CLOSED_OP_SINGULAR, plan->rows, plan->cols, 0);
    add(list, TG_CLOSED_OP_PRODUCT, plan->rows, plan->cols, plan->cols);
    return;
  case TG_CLOSED_NONE:
  case TG_CLOSED_KINDS:
    return;
  }
}

// By K and the factors of the smaller Gram matrix; without a ridge twice by these.
static void use_wide(const tg_closed_plan *plan, int side, listing *list)
{
  const int64_t r = plan->sides[side].wide_rows;
  const int64_t m = plan->rows;
  const int64_t n = plan->cols;
  const int64_t rows = side == 0 ? r : m; // of K z, or z K'
  const int64_t cols = side == 0 ? n : r;
  add(list, TG_CLOSED_OP_PRODUCT, rows, cols, size_of(plan, side));
  add(list, TG_CLOSED_OP_SOLVE, rows, cols, r);
  if (!has(plan, side, TG_CLOSED_RIDGE)) add(list, TG_CLOSED_OP_SOLVE, rows, cols, r);
  if (side == 0)
    add_transposed(list, m, n, r);
  else
    add(list, TG_CLOSED_OP_PRODUCT, m, n, r);
}

static void use_cholesky(const tg_closed_plan *plan, listing *list)
{
  for (int side = 0; side < 2; side++) {
    if (!has(plan, side, TG_CLOSED_BASE)) continue;
    if (has(plan, side, TG_CLOSED_WIDE))
      use_wide(plan, side, list);
    else
      add(list, TG_CLOSED_OP_SOLVE, plan->rows, plan->cols, size_of(plan, side));
  }
}

// Into the bases, through the spectrum, and back.
static void use_spectral(const tg_closed_plan *plan, listing *list)
{
  const bool has_left = has(plan, 0, TG_CLOSED_BASE);
  const bool has_right = has(plan, 1, TG_CLOSED_BASE);
  if (has_left) add_transposed(list, plan->rows, plan->cols, plan->rows);
  if (has_right) add(list, TG_CLOSED_OP_PRODUCT, plan->rows, plan->cols, plan->cols);
  add(list, TG_CLOSED_OP_SCALE, plan->rows, plan->cols, 0);
  if (has_left) add(list, TG_CLOSED_OP_PRODUCT, plan->rows, plan->cols, plan->rows);
  if (has_right) add(list, TG_CLOSED_OP_PRODUCT, plan->rows, plan->cols, plan->cols);
}

int tg_closed_steps(const tg_closed_plan *plan, tg_closed_phase phase, tg_closed_step steps[TG_CLOSED_STEPS])
{
  listing list = {.steps = steps};
  if (phase == TG_CLOSED_MAKE)
    make(plan, &list);
  else if (plan->kind == TG_CLOSED_CHOLESKY)
    use_cholesky(plan, &list);
  else if (plan->kind == TG_CLOSED_SPECTRAL)
    use_spectral(plan, &list);
  else if (plan->kind == TG_CLOSED_INVERSE)
    add(&list, TG_CLOSED_OP_INVERSE, plan->rows, plan->rows, plan->rows);
  return list.n; // the others are the minimiser when they are made
}

void tg_closed_step_print(const tg_closed_step *s, tg_text *out)
{
  switch (s->op) {
  case TG_CLOSED_OP_CHOLESKY:
    tg_text_addf(out, "Cholesky factors, %" PRId64 " x %" PRId64, s->m, s->m);
    return;
  case TG_CLOSED_OP_EIGEN:
    tg_text_addf(out, "eigenvectors, %" PRId64 " x %" PRId64, s->m, s->m);
    return;
  case TG_CLOSED_OP_EXTREMES:
    tg_text_addf(out, "%" PRId64 " extreme eigenvectors, %" PRId64 " x %" PRId64, s->n, s->m, s->m);
    return;
  case TG_CLOSED_OP_SINGULAR:
    tg_text_addf(out, "singular vectors, %" PRId64 " x %" PRId64, s->m, s->n);
    return;
  case TG_CLOSED_OP_PRODUCT:
    tg_text_addf(out, "product, %" PRId64 " x %" PRId64 " by %" PRId64 " x %" PRId64, s->m, s->k, s->k, s->n);
    return;
  case TG_CLOSED_OP_SOLVE:
    tg_text_addf(out, "solve with the factors, %" PRId64 " x %" PRId64, s->m, s->n);
    return;
  case TG_CLOSED_OP_INVERSE:
    tg_text_addf(out, "inverse by the factors, %" PRId64 " x %" PRId64, s->m, s->m);
    return;
  case TG_CLOSED_OP_SCALE:
    tg_text_addf(out, "division, entry by entry, %" PRId64 " x %" PRId64, s->m, s->n);
    return;
  case TG_CLOSED_OPS:
    return;
  }
}

// ---- cost ----

double tg_closed_step_flops(const tg_closed_step *s)
{
  const double m = (double)s->m;
  const double n = (double)s->n;
  const double k = (double)s->k;
  switch (s->op) {
  case TG_CLOSED_OP_CHOLESKY:
    return pow(m, 3) / 3;
  case TG_CLOSED_OP_EIGEN:
    return 9 * pow(m, 3);
  case TG_CLOSED_OP_EXTREMES:
    return 4 * m * m * m / 3 + 2 * m * m * n;
  case TG_CLOSED_OP_SINGULAR:
    return 14 * m * n * n + 8 * n * n * n;
  case TG_CLOSED_OP_PRODUCT:
  case TG_CLOSED_OP_SOLVE:
    return 2 * m * n * k;
  case TG_CLOSED_OP_INVERSE:
    return 2.0 / 3 * pow(m, 3);
  case TG_CLOSED_OP_SCALE:
  case TG_CLOSED_OPS:
    break;
  }
  return 0;
}

double tg_closed_flops(const tg_closed_plan *plan, tg_closed_phase phase)
{
  tg_closed_step steps[TG_CLOSED_STEPS];
  const int n = tg_closed_steps(plan, phase, steps);
  double flops = 0;
  for (int k = 0; k < n; k++) flops += tg_closed_step_flops(&steps[k]);
  return flops;
}

// A reduction to condensed form takes a product with a vector for each of `columns` columns, at the speed of memory,
// and sends that vector along both sides of the grid.
static void add_reduction(const tg_cost_grid *grid, int64_t rows, int64_t columns, tg_cost *out)
{
  const double along_row = (double)(grid->cols - 1);
  const double along_col = (double)(grid->rows - 1);
  out->rank_flops = out->flops / tg_cost_ranks(grid);
  out->memory_bytes += 8 * (double)columns / 3 * tg_cost_local_entries(grid, rows, columns);
  if (tg_cost_ranks(grid) == 1) return;
  out->latencies += 4 * (double)columns * (tg_cost_tree_depth(grid->rows) + tg_cost_tree_depth(grid->cols));
  out->bytes_sent += 8 * tg_cost_area(rows, columns) * (along_row + along_col);
}

static void add_terms(const tg_closed_step *s, const tg_cost_grid *grid, tg_cost *out)
{
  switch (s->op) {
  case TG_CLOSED_OP_CHOLESKY:
    tg_cost_add_factor(grid, s->m, false, out);
    return;
  case TG_CLOSED_OP_EIGEN:
  case TG_CLOSED_OP_EXTREMES:
    add_reduction(grid, s->m, s->m, out);
    return;
  case TG_CLOSED_OP_SINGULAR:
    add_reduction(grid, s->m, s->n, out);
    return;
  case TG_CLOSED_OP_PRODUCT:
    out->memory_bytes = 8 * (tg_cost_local_entries(grid, s->m, s->k) + tg_cost_local_entries(grid, s->k, s->n) +
                             tg_cost_local_entries(grid, s->m, s->n));
    tg_cost_add_product(grid, (tg_cost_gemm){.m = s->m, .n = s->n, .k = s->k, .trans_a = s->is_transposed}, out);
    return;
  case TG_CLOSED_OP_SOLVE:
  case TG_CLOSED_OP_INVERSE:
    out->memory_bytes = 8 * (tg_cost_local_entries(grid, s->k, s->k) + 2 * tg_cost_local_entries(grid, s->m, s->n));
    tg_cost_add_solve(grid, s->k, s->m, s->n, out);
    return;
  case TG_CLOSED_OP_SCALE:
    out->memory_bytes = 8 * 2 * tg_cost_local_entries(grid, s->m, s->n);
    return;
  case TG_CLOSED_OPS:
    return;
  }
}

tg_status tg_closed_step_cost(const tg_closed_step *step, const tg_cost_grid *grid, const tg_cost_machine *machine,
                              tg_cost *out)
{
  const bool is_product =
      step->op == TG_CLOSED_OP_PRODUCT || step->op == TG_CLOSED_OP_SOLVE || step->op == TG_CLOSED_OP_INVERSE;
  *out = (tg_cost){.products = is_product ? 1 : 0, .flops = tg_closed_step_flops(step)};
  TG_TRY(tg_cost_check_grid(grid));
  TG_TRY(tg_cost_check_machine(machine));
  add_terms(step, grid, out);
  tg_cost_add_seconds(grid, machine, step->op != TG_CLOSED_OP_SCALE, out);
  return TG_OK;
}

tg_status tg_closed_cost(const tg_closed_plan *plan, tg_closed_phase phase, const tg_cost_grid *grid,
                         const tg_cost_machine *machine, tg_cost *out)
{
  tg_closed_step steps[TG_CLOSED_STEPS];
  const int n = tg_closed_steps(plan, phase, steps);
  *out = (tg_cost){0};
  for (int k = 0; k < n; k++) {
    tg_cost part;
    TG_TRY(tg_closed_step_cost(&steps[k], grid, machine, &part));
    tg_cost_accumulate(&part, out);
  }
  return TG_OK;
}
