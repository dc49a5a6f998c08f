// Leaves: numbers, symbols, identity, ones, zeros, the commutation matrix.
#include <math.h>
#include <string.h>

#include "grad/graph/op.h"

tg_status tg_make_num(tg_graph *g, double value, tg_node *out)
{
  tg_dim one = 0;
  TG_TRY(tg_dim_number(g, 1, &one));
  if (isnan(value)) TG_FAIL(TG_VALUE, "a number in the expression works out to NaN (0/0 or infinity minus infinity)");
  if (isinf(value))
    TG_FAIL(TG_VALUE, "a number in the expression works out to infinity (a division by zero or an overflow)");
  return tg_intern(g, &(tg_info){.kind = TG_NUM, .rows = one, .cols = one, .value = value + 0.0}, out);
}

tg_status tg_make_sym(tg_graph *g, int32_t symbol, tg_node *out)
{
  const tg_symbol *info = tg_symbol_info(g, symbol);
  return tg_intern(g, &(tg_info){.kind = TG_SYM, .rows = info->rows, .cols = info->cols, .symbol = symbol}, out);
}

tg_status tg_make_eye(tg_graph *g, tg_dim n, tg_node *out)
{
  return tg_intern(g, &(tg_info){.kind = TG_EYE, .rows = n, .cols = n}, out);
}

tg_status tg_make_identity(tg_graph *g, tg_dim n, tg_node *out)
{
  return tg_dim_is_one(g, n) ? tg_make_num(g, 1.0, out) : tg_make_eye(g, n, out);
}

tg_status tg_make_ones(tg_graph *g, tg_dim rows, tg_dim cols, tg_node *out)
{
  if (tg_dim_is_one(g, rows) && tg_dim_is_one(g, cols)) return tg_make_num(g, 1.0, out);
  return tg_intern(g, &(tg_info){.kind = TG_ONES, .rows = rows, .cols = cols}, out);
}

tg_status tg_make_zeros(tg_graph *g, tg_dim rows, tg_dim cols, tg_node *out)
{
  return tg_make_zero(g, rows, cols, out);
}

tg_status tg_make_zero(tg_graph *g, tg_dim rows, tg_dim cols, tg_node *out)
{
  if (tg_dim_is_one(g, rows) && tg_dim_is_one(g, cols)) return tg_make_num(g, 0.0, out);
  return tg_intern(g, &(tg_info){.kind = TG_ZEROS, .rows = rows, .cols = cols}, out);
}

tg_status tg_make_zero_like(tg_graph *g, tg_node like, tg_node *out)
{
  const tg_info *info = tg_node_info(g, like);
  return tg_make_zero(g, info->rows, info->cols, out);
}

tg_status tg_make_zero_symbols(tg_graph *g, int32_t n, const int32_t *symbols, tg_node *out)
{
  for (int32_t k = 0; k < n; k++) {
    const tg_symbol x = *tg_symbol_info(g, symbols[k]);
    TG_TRY(tg_make_zero(g, x.rows, x.cols, &out[k]));
  }
  return TG_OK;
}

tg_status tg_make_filled(tg_graph *g, tg_node scalar, tg_dim rows, tg_dim cols, tg_node *out)
{
  tg_node ones = TG_NONE;
  TG_TRY(tg_make_ones(g, rows, cols, &ones));
  return tg_make_mul(g, scalar, ones, out);
}

// A row has nothing below the diagonal, a column nothing above it; otherwise the first entry alone is left.
tg_status tg_make_triangle(tg_graph *g, tg_kind kind, tg_dim rows, tg_dim cols, tg_node *out)
{
  const bool is_row = tg_dim_is_one(g, rows);
  const bool is_column = tg_dim_is_one(g, cols);
  if ((kind == TG_TRIU && is_row) || (kind == TG_TRIL && is_column)) return tg_make_ones(g, rows, cols, out);
  return tg_intern(g, &(tg_info){.kind = kind, .rows = rows, .cols = cols}, out);
}

tg_status tg_make_pick(tg_graph *g, tg_dim rows, tg_dim n, tg_dim first, tg_node *out)
{
  if (rows == n) return tg_make_identity(g, n, out);
  return tg_intern(g, &(tg_info){.kind = TG_PICK, .rows = rows, .cols = n, .dims = {first, first}}, out);
}

bool tg_node_is_pick(const tg_graph *graph, tg_node node)
{
  const tg_info *info = tg_node_info(graph, node);
  if (info->kind == TG_TRANS) info = tg_node_info(graph, info->args[0]);
  return info->kind == TG_PICK;
}

bool tg_node_is_padding(const tg_graph *g, tg_node node, bool rows)
{
  return tg_node_is_pick(g, node) && (tg_node_info(g, node)->kind == TG_TRANS) == rows;
}

bool tg_kind_is_zero_or_one(tg_kind kind)
{
  return kind == TG_ZEROS || kind == TG_EYE || kind == TG_TRIU || kind == TG_TRIL || kind == TG_PICK;
}

// K(m,n) vec(X) = vec(X') for X m x n; K(1,n) = K(n,1) = I.
tg_status tg_make_comm(tg_graph *g, tg_dim m, tg_dim n, tg_node *out)
{
  tg_dim size = 0;
  TG_TRY(tg_dim_product(g, m, n, &size));
  if (tg_dim_is_one(g, m) || tg_dim_is_one(g, n)) return tg_make_identity(g, size, out);
  return tg_intern(g, &(tg_info){.kind = TG_COMM, .rows = size, .cols = size, .dims = {m, n}}, out);
}

static tg_status remake_leaf(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  (void)g;
  (void)args;
  *out = node;
  return TG_OK;
}

static tg_status sample_num(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  (void)args;
  out->data[0] = tg_node_info(g, node)->value;
  return TG_OK;
}

static tg_status sample_eye(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  (void)g;
  (void)node;
  (void)args;
  for (int64_t i = 0; i < out->rows; i++) out->data[i + i * out->rows] = 1.0;
  return TG_OK;
}

static tg_status sample_ones(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  (void)g;
  (void)node;
  (void)args;
  for (int64_t i = 0; i < out->rows * out->cols; i++) out->data[i] = 1.0;
  return TG_OK;
}

static tg_status sample_triangle(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  (void)args;
  const bool upper = tg_node_info(g, node)->kind == TG_TRIU;
  for (int64_t j = 0; j < out->cols; j++)
    for (int64_t i = 0; i < out->rows; i++) out->data[i + j * out->rows] = (upper ? i <= j : i >= j) ? 1.0 : 0.0;
  return TG_OK;
}

static tg_status sample_pick(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  (void)g;
  (void)node;
  const int64_t offset = args[0].rows - 1; // the sampler puts the first row there
  for (int64_t i = 0; i < out->rows && i + offset < out->cols; i++) out->data[i + (i + offset) * out->rows] = 1.0;
  return TG_OK;
}

static tg_status sample_zeros(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  (void)g;
  (void)node;
  (void)args;
  (void)out; // comes zeroed
  return TG_OK;
}

// Entry (i, j) of X moves from position i + j m of vec(X) to position j + i n of vec(X').
static tg_status sample_comm(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  (void)g;
  (void)node;
  const int64_t m = args[0].rows; // the sampler puts the two sizes there
  const int64_t n = args[0].cols;
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = 0; i < m; i++) out->data[(j + i * n) + (i + j * m) * out->rows] = 1.0;
  return TG_OK;
}

const tg_op tg_op_num = {.name = "number", .remake = remake_leaf, .sample = sample_num};
// The sampler copies a symbol's values itself.
const tg_op tg_op_sym = {.name = "symbol", .remake = remake_leaf};
const tg_op tg_op_eye = {.name = "eye", .remake = remake_leaf, .sample = sample_eye};
const tg_op tg_op_ones = {.name = "ones", .remake = remake_leaf, .sample = sample_ones};
const tg_op tg_op_zeros = {.name = "zeros", .remake = remake_leaf, .sample = sample_zeros};
const tg_op tg_op_comm = {.name = "comm", .remake = remake_leaf, .sample = sample_comm};
const tg_op tg_op_triu = {.name = "triu",
                          .remake = remake_leaf,
                          .sample = sample_triangle,
                          .templates = {"triu(@)", "triu(@)", TG_LATEX_FUNCTION("triu"), "np.triu(@)", "triu(@)"}};
const tg_op tg_op_tril = {.name = "tril",
                          .remake = remake_leaf,
                          .sample = sample_triangle,
                          .templates = {"tril(@)", "tril(@)", TG_LATEX_FUNCTION("tril"), "np.tril(@)", "tril(@)"}};
const tg_op tg_op_pick = {.name = "rows of eye", .remake = remake_leaf, .sample = sample_pick};
