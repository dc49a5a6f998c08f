// Sums of functions that share no unknown, recognised by what each entry of a subexpression depends on.
#include "grad/structure/groups.h"

#include "base/memory.h"
#include "grad/graph/entry.h"

// What entry (i,j) of a subexpression is made of. With one column, or one row, i or j is always the same.
typedef enum layout {
  CONSTANT,
  COLUMNS, // a function of group j
  ROWS,    // of group i
  PAIRS,   // of groups i and j
  SUMMED,  // a sum of functions of one group each
  MIXED    // anything
} layout;

typedef struct finder {
  const tg_graph *graph;
  int32_t n;
  const int32_t *wrt;
  bool *by_rows;
  layout *layouts; // by node
  bool *diagonal;  // by node: zero off the diagonal, whatever the data
} finder;

static layout turned(layout a)
{
  return a == COLUMNS ? ROWS : a == ROWS ? COLUMNS : a;
}

// Layout of a function applied entry by entry.
static layout mapped(layout a)
{
  return a == SUMMED ? MIXED : a;
}

// Layout of an operation that is linear in its one argument and adds entries up.
static layout summed(layout a)
{
  return a == COLUMNS || a == ROWS ? SUMMED : a == PAIRS ? MIXED : a;
}

static layout added(layout a, layout b)
{
  if (a == CONSTANT || a == b) return b;
  if (b == CONSTANT) return a;
  if (a == MIXED || b == MIXED) return MIXED;
  if (a != PAIRS && b != PAIRS) return SUMMED;
  return a == SUMMED || b == SUMMED ? MIXED : PAIRS;
}

// Entry by entry, of two factors or of a base and its exponent.
static layout multiplied(layout a, layout b)
{
  if (a == CONSTANT) return b;
  if (b == CONSTANT) return a;
  if (a == SUMMED || b == SUMMED || a == MIXED || b == MIXED) return MIXED;
  return a == b ? a : PAIRS;
}

// Layout of a matrix product; it depends on whether a constant factor is diagonal.
static layout chained(layout a, bool a_is_diagonal, layout b, bool b_is_diagonal)
{
  if (a == CONSTANT) return b == CONSTANT || b == COLUMNS || a_is_diagonal ? b : summed(b);
  if (b == CONSTANT) return a == ROWS || b_is_diagonal ? a : summed(a);
  if (a == COLUMNS && b == ROWS) return SUMMED; // sum over k of a column of group k times a row of group k
  return a == ROWS && b == COLUMNS ? PAIRS : MIXED;
}

// ---- one node ----

static bool is_diagonal(const finder *self, const tg_info *info)
{
  int32_t count = 0;
  for (int32_t i = info->n_scalars; i < info->n_args; i++) count += self->diagonal[info->args[i]];
  switch (info->kind) {
  case TG_EYE:
  case TG_DIAG:
    return true;
  case TG_SYM: {
    const tg_symbol *symbol = tg_symbol_info(self->graph, info->symbol);
    return !symbol->free && (symbol->properties & TG_DIAGONAL) != 0;
  }
  case TG_LIN:
  case TG_PROD:
  case TG_MPOW:
  case TG_INV:
  case TG_TRANS:
    return count == info->n_args - info->n_scalars;
  case TG_HAD:
    return count > 0;
  default:
    return false;
  }
}

static layout layout_of_symbol(const finder *self, int32_t symbol)
{
  for (int32_t k = 0; k < self->n; k++)
    if (self->wrt[k] == symbol) return self->by_rows[k] ? ROWS : COLUMNS;
  return CONSTANT;
}

static layout layout_of_product(const finder *self, const tg_info *info)
{
  layout scalars = CONSTANT;
  for (int32_t i = 0; i < info->n_scalars; i++) scalars = multiplied(scalars, self->layouts[info->args[i]]);
  if (info->n_scalars == info->n_args) return scalars;
  layout chain = self->layouts[info->args[info->n_scalars]];
  bool diagonal = self->diagonal[info->args[info->n_scalars]];
  for (int32_t i = info->n_scalars + 1; i < info->n_args; i++) {
    const bool next = self->diagonal[info->args[i]];
    chain = chained(chain, diagonal, self->layouts[info->args[i]], next);
    diagonal = diagonal && next;
  }
  // A scalar in front of a matrix belongs to no row or column of it.
  return scalars == CONSTANT ? chain : chain == CONSTANT ? summed(scalars) : MIXED;
}

// Layout of a power, whose base or exponent may be a scalar beside a matrix.
static layout layout_of_power(const finder *self, const tg_info *info)
{
  layout all = CONSTANT;
  for (int32_t i = 0; i < info->n_args; i++) {
    const layout one = mapped(self->layouts[info->args[i]]);
    const tg_info *argument = tg_node_info(self->graph, info->args[i]);
    const bool is_whole = argument->rows == info->rows && argument->cols == info->cols;
    all = multiplied(all, one == CONSTANT || is_whole ? one : MIXED);
  }
  return all;
}

static layout layout_of(const finder *self, const tg_info *info)
{
  layout all = CONSTANT;
  bool moves = false;
  for (int32_t i = 0; i < info->n_args; i++) moves = moves || self->layouts[info->args[i]] != CONSTANT;
  if (info->kind == TG_SYM) return layout_of_symbol(self, info->symbol);
  if (!moves) return CONSTANT;
  const layout first = self->layouts[info->args[0]];
  switch (info->kind) {
  case TG_LIN:
    for (int32_t i = 0; i < info->n_args; i++) all = added(all, self->layouts[info->args[i]]);
    return all;
  case TG_HAD:
    for (int32_t i = 0; i < info->n_args; i++) all = multiplied(all, self->layouts[info->args[i]]);
    return all;
  case TG_PROD:
    return layout_of_product(self, info);
  case TG_POW:
    return layout_of_power(self, info);
  case TG_TRANS:
    return turned(first);
  case TG_TR:
    return first == PAIRS ? SUMMED : summed(first); // entry (i,i) of PAIRS is of group i
  case TG_DIAGVEC:
    return first == COLUMNS || first == PAIRS ? ROWS : first;
  case TG_DIAG: // row i has entry i of the vector, which stands upright
    return first;
  case TG_SUM:
  case TG_VEC:
  case TG_UNVEC:
    return summed(first);
  case TG_MAX:
  case TG_MIN:
    for (int32_t i = 0; i < info->n_args; i++) all = added(all, self->layouts[info->args[i]]);
    return mapped(all);
  case TG_LOGSUMEXP: {
    const bool is_column = !tg_dim_is_one(self->graph, info->rows) && tg_dim_is_one(self->graph, info->cols);
    const bool is_row = tg_dim_is_one(self->graph, info->rows) && !tg_dim_is_one(self->graph, info->cols);
    return (is_column && first == ROWS) || (is_row && first == COLUMNS) ? first : MIXED;
  }
  default:
    return tg_entry(info->kind) != NULL ? mapped(first) : MIXED;
  }
}

// ---- the objective ----

static bool falls_apart(const finder *self, tg_node f, const uint8_t *below)
{
  for (tg_node node = TG_NONE + 1; node <= f; node++) {
    if (below[node] == 0) continue;
    const tg_info *info = tg_node_info(self->graph, node);
    self->layouts[node] = layout_of(self, info);
    self->diagonal[node] = is_diagonal(self, info);
  }
  return self->layouts[f] == SUMMED;
}

static int64_t side(const tg_graph *graph, int32_t symbol, bool rows)
{
  const tg_symbol *info = tg_symbol_info(graph, symbol);
  return tg_dim_value(graph, rows ? info->rows : info->cols);
}

// More variables than this are taken by columns, or by rows, all alike.
enum { SIDES_TRIED = 6 };

// Sides for all variables by the bits of a number, and the common count; 1 where they have none.
static int64_t take_sides(const finder *self, int64_t bits)
{
  int64_t count = 0;
  for (int32_t k = 0; k < self->n; k++) {
    self->by_rows[k] = (bits >> (self->n <= SIDES_TRIED ? k : 0) & 1) != 0;
    const int64_t own = side(self->graph, self->wrt[k], self->by_rows[k]);
    if (k > 0 && own != count) return 1;
    count = own;
  }
  return count;
}

tg_status tg_find_groups(const tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, int64_t *count, bool *by_rows)
{
  finder self = {.graph = graph, .n = n, .wrt = wrt, .by_rows = by_rows};
  const int64_t choices = INT64_C(1) << (n <= SIDES_TRIED ? n : 1);
  uint8_t *below = NULL;
  *count = 1;
  TG_TRY(tg_node_find_below(graph, f, &below));
  tg_status status = TG_NEW((int64_t)f + 1, &self.layouts);
  if (status == TG_OK) status = TG_NEW((int64_t)f + 1, &self.diagonal);
  for (int64_t bits = 0; status == TG_OK && bits < choices && *count == 1; bits++) {
    const int64_t found = take_sides(&self, bits);
    if (found > 1 && falls_apart(&self, f, below)) *count = found;
  }
  tg_free(self.layouts);
  tg_free(self.diagonal);
  tg_free(below);
  return status;
}
