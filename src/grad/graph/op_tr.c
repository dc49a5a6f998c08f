// Trace, sum of entries, Frobenius inner product: linear maps of a matrix to a scalar.
#include "grad/graph/op.h"

static tg_status intern_scalar(tg_graph *g, tg_kind kind, tg_node a, tg_node *out)
{
  tg_dim one = 0;
  TG_TRY(tg_dim_number(g, 1, &one));
  return tg_intern_unary(g, kind, one, one, a, out);
}

// Trace and sum of X are those of X'; of a skew X they vanish.
static tg_status intern_either(tg_graph *g, tg_kind kind, tg_node a, tg_node *out)
{
  double sign = 1.0;
  bool skew = false;
  TG_TRY(tg_choose_transpose(g, a, &sign, &skew, &a));
  if (skew) return tg_make_num(g, 0.0, out);
  TG_TRY(intern_scalar(g, kind, a, out));
  return tg_make_scale(g, sign, *out, out);
}

static tg_status number_or_trace(tg_graph *g, tg_kind kind, tg_dim a, tg_dim b, tg_node node, tg_node *out)
{
  const int64_t rows = tg_dim_value(g, a);
  const int64_t cols = tg_dim_value(g, b);
  if (rows < 0 || cols < 0) return intern_scalar(g, kind, node, out);
  return tg_make_num(g, (double)rows * (double)cols, out);
}

// ---- trace of a chain: one representative of all cyclic shifts and transpositions ----

// A window of n factors on a cyclic chain.
static int compare_rotations(const tg_graph *g, int32_t n, const tg_node *a, int32_t shift_a, const tg_node *b,
                             int32_t shift_b)
{
  for (int32_t i = 0; i < n; i++) {
    const int order = tg_node_compare(g, a[(shift_a + i) % n], b[(shift_b + i) % n]);
    if (order != 0) return order;
  }
  return 0;
}

static int32_t least_rotation(const tg_graph *g, int32_t n, const tg_node *chain)
{
  int32_t best = 0;
  for (int32_t shift = 1; shift < n; shift++)
    if (compare_rotations(g, n, chain, shift, chain, best) < 0) best = shift;
  return best;
}

static tg_status rotated_product(tg_graph *g, int32_t n, const tg_node *chain, int32_t shift, tg_node *out)
{
  tg_node *factors = NULL;
  TG_TRY(TG_SCRATCH(g, n, &factors));
  for (int32_t i = 0; i < n; i++) factors[i] = chain[(shift + i) % n];
  return tg_make_prod(g, n, factors, out);
}

// tr(X A X): the ends may join across the seam; tr(u v'): cut where a size is 1, the rest is a scalar.
static tg_status close_seam(tg_graph *g, const tg_info *info, bool *changed, tg_node *out)
{
  *changed = true;
  for (int32_t i = 0; i < info->n_args; i++) {
    if (!tg_dim_is_one(g, tg_node_info(g, info->args[i])->rows)) continue;
    return rotated_product(g, info->n_args, info->args, i, out);
  }
  tg_node seam = TG_NONE;
  const tg_node ends[2] = {info->args[info->n_args - 1], info->args[0]};
  TG_TRY(tg_make_prod(g, 2, ends, &seam));
  const tg_info *joined = tg_node_info(g, seam);
  if (joined->kind != TG_PROD) return rotated_product(g, info->n_args, info->args, info->n_args - 1, out);
  *changed = false;
  return TG_OK;
}

static int64_t count_transposes(const tg_graph *g, int32_t n, const tg_node *chain)
{
  int64_t count = 0;
  for (int32_t i = 0; i < n; i++) count += tg_node_info(g, chain[i])->n_trans;
  return count;
}

static tg_status trace_of_chain(tg_graph *g, tg_node a, tg_node *out)
{
  const tg_info *info = tg_node_info(g, a);
  const int32_t n = info->n_args;
  bool changed = false;
  TG_TRY(close_seam(g, info, &changed, out));
  if (changed) return tg_make_tr(g, *out, out);
  bool zero = false;
  TG_TRY(tg_chain_sums_to_zero(g, n, info->args, &zero));
  if (zero) return tg_make_num(g, 0.0, out);
  tg_node *reversed = NULL;
  TG_TRY(TG_SCRATCH(g, n, &reversed));
  double sign = 1.0;
  TG_TRY(tg_transpose_chain(g, n, info->args, &sign, reversed));
  const int32_t shift = least_rotation(g, n, info->args);
  const int32_t other = least_rotation(g, n, reversed);
  const int64_t surplus = count_transposes(g, n, info->args) - count_transposes(g, n, reversed);
  const int order = compare_rotations(g, n, reversed, other, info->args, shift);
  const bool reverse = surplus != 0 ? surplus > 0 : order < 0;
  if (order == 0 && sign < 0.0) return tg_make_num(g, 0.0, out); // tr(S K) with K' = -K
  if (reverse)
    TG_TRY(rotated_product(g, n, reversed, other, &a));
  else
    TG_TRY(rotated_product(g, n, info->args, shift, &a));
  TG_TRY(intern_scalar(g, TG_TR, a, out));
  return tg_make_scale(g, reverse ? sign : 1.0, *out, out);
}

tg_status tg_make_tr(tg_graph *g, tg_node a, tg_node *out)
{
  bool done = false;
  *out = a;
  if (tg_node_is_scalar(g, a)) return TG_OK;
  TG_TRY(tg_map_linear(g, a, tg_make_tr, out, &done));
  if (done) return TG_OK;
  const tg_info *info = tg_node_info(g, a);
  tg_node other = TG_NONE;
  switch (info->kind) {
  case TG_ZEROS:
    return tg_make_num(g, 0.0, out);
  case TG_ONES:
  case TG_TRIU:
  case TG_TRIL:
  case TG_EYE: {
    tg_dim one = 0;
    TG_TRY(tg_dim_number(g, 1, &one));
    return number_or_trace(g, TG_TR, info->rows, one, a, out);
  }
  case TG_PROD:
    return trace_of_chain(g, a, out);
  case TG_TRANS:
    return tg_make_tr(g, info->args[0], out);
  case TG_DIAG:
    return tg_make_sum(g, info->args[0], out);
  case TG_LOGM:
    return tg_make_logdet(g, info->args[0], out);
  case TG_KRON: {
    const tg_info *left = tg_node_info(g, info->args[0]);
    if (left->rows != left->cols) return intern_scalar(g, TG_TR, a, out);
    TG_TRY(tg_make_tr(g, info->args[0], &other));
    TG_TRY(tg_make_tr(g, info->args[1], out));
    return tg_make_mul(g, other, *out, out);
  }
  default:
    return intern_either(g, TG_TR, a, out);
  }
}

tg_status tg_make_dot(tg_graph *g, tg_node a, tg_node b, tg_node *out)
{
  tg_node transposed = TG_NONE;
  TG_TRY(tg_make_trans(g, a, &transposed));
  TG_TRY(tg_make_mul(g, transposed, b, out));
  return tg_make_tr(g, *out, out);
}

// sum(X .* Y) = tr(X' Y); sum(X .^ 2) = tr(X' X).
// Of sum(ones(m,n)) and sum(ones(n,m)) one stands for both: columns before rows, then the older size first.
static bool is_turned(const tg_graph *g, const tg_info *info)
{
  if (tg_dim_is_one(g, info->rows) || tg_dim_is_one(g, info->cols)) return tg_dim_is_one(g, info->rows);
  return info->rows > info->cols;
}

static tg_status sum_of_transpose(tg_graph *g, tg_node a, tg_node *out)
{
  TG_TRY(tg_make_trans(g, a, out));
  return tg_make_sum(g, *out, out);
}

tg_status tg_make_sum(tg_graph *g, tg_node a, tg_node *out)
{
  bool done = false;
  *out = a;
  if (tg_node_is_scalar(g, a)) return TG_OK;
  TG_TRY(tg_map_linear(g, a, tg_make_sum, out, &done));
  if (done) return TG_OK;
  const tg_info *info = tg_node_info(g, a);
  double exponent = 1.0;
  const tg_node base = tg_pow_base(g, a, &exponent);
  if (exponent == 2.0) return tg_make_dot(g, base, base, out);
  tg_node other = TG_NONE;
  switch (info->kind) {
  case TG_ZEROS:
    return tg_make_num(g, 0.0, out);
  case TG_ONES:
    if (is_turned(g, info)) return sum_of_transpose(g, a, out);
    return number_or_trace(g, TG_SUM, info->rows, info->cols, a, out);
  case TG_EYE:
  case TG_DIAGVEC:
    if (info->kind == TG_DIAGVEC) a = info->args[0];
    return tg_make_tr(g, a, out);
  case TG_HAD:
    if (info->n_args == 2) return tg_make_dot(g, info->args[0], info->args[1], out);
    break;
  case TG_DIAG:
  case TG_VEC:
  case TG_UNVEC:
  case TG_TRANS:
    return tg_make_sum(g, info->args[0], out);
  case TG_PICK:
    TG_TRY(tg_make_identity(g, info->rows, &other));
    return tg_make_tr(g, other, out);
  case TG_PROD: { // rows and columns of zeros around what is summed
    const int32_t first = tg_node_is_padding(g, info->args[0], true) ? 1 : 0;
    const int32_t last = info->n_args - (tg_node_is_padding(g, info->args[info->n_args - 1], false) ? 1 : 0);
    if (last - first == info->n_args || last == first) break;
    TG_TRY(tg_make_prod(g, last - first, info->args + first, &other));
    return tg_make_sum(g, other, out);
  }
  case TG_KRON:
    TG_TRY(tg_make_sum(g, info->args[0], &other));
    TG_TRY(tg_make_sum(g, info->args[1], out));
    return tg_make_mul(g, other, *out, out);
  default:
    break;
  }
  return intern_either(g, TG_SUM, a, out);
}

static tg_status remake_tr(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  (void)node;
  return tg_make_tr(g, args[0], out);
}

static tg_status remake_sum(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  (void)node;
  return tg_make_sum(g, args[0], out);
}

// d tr X = tr dX; d sum X = sum dX
static tg_status forward_tr(tg_graph *g, tg_node node, const tg_node *dargs, tg_node *out)
{
  (void)node;
  return tg_make_tr(g, dargs[0], out);
}

static tg_status forward_sum(tg_graph *g, tg_node node, const tg_node *dargs, tg_node *out)
{
  (void)node;
  return tg_make_sum(g, dargs[0], out);
}

static tg_status reverse_tr(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  (void)k;
  TG_TRY(tg_make_eye(g, tg_node_info(g, tg_node_info(g, node)->args[0])->rows, out));
  return tg_make_mul(g, adjoint, *out, out);
}

static tg_status reverse_sum(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  (void)k;
  const tg_info *arg = tg_node_info(g, tg_node_info(g, node)->args[0]);
  return tg_make_filled(g, adjoint, arg->rows, arg->cols, out);
}

static tg_status row_of_gradient(tg_graph *g, tg_node gradient, tg_node *out)
{
  TG_TRY(tg_make_vec(g, gradient, out));
  return tg_make_trans(g, *out, out);
}

static tg_status jacobian_tr(tg_graph *g, tg_node node, int32_t k, tg_node *out)
{
  tg_node one = TG_NONE;
  TG_TRY(tg_make_num(g, 1.0, &one));
  TG_TRY(reverse_tr(g, node, one, k, out));
  return row_of_gradient(g, *out, out);
}

static tg_status jacobian_sum(tg_graph *g, tg_node node, int32_t k, tg_node *out)
{
  tg_node one = TG_NONE;
  TG_TRY(tg_make_num(g, 1.0, &one));
  TG_TRY(reverse_sum(g, node, one, k, out));
  return row_of_gradient(g, *out, out);
}

static tg_status sample_tr(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  (void)g;
  (void)node;
  for (int64_t i = 0; i < args[0].rows; i++) out->data[0] += args[0].data[i + i * args[0].rows];
  return TG_OK;
}

static tg_status sample_sum(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  (void)g;
  (void)node;
  for (int64_t i = 0; i < args[0].rows * args[0].cols; i++) out->data[0] += args[0].data[i];
  return TG_OK;
}

const tg_op tg_op_tr = {.name = "tr",
                        .remake = remake_tr,
                        .forward = forward_tr,
                        .reverse = reverse_tr,
                        .jacobian = jacobian_tr,
                        .sample = sample_tr,
                        .degree = tg_degree_linear,
                        .templates = {"tr(@)", "tr(@)", TG_LATEX_FUNCTION("tr"), "np.trace(@)", "trace(@)"}};
const tg_op tg_op_sum = {.name = "sum",
                         .remake = remake_sum,
                         .forward = forward_sum,
                         .reverse = reverse_sum,
                         .jacobian = jacobian_sum,
                         .sample = sample_sum,
                         .degree = tg_degree_linear,
                         .templates = {"sum(@)", "sum(@)", TG_LATEX_FUNCTION("sum"), "np.sum(@)", "sum((@)(:))"}};
