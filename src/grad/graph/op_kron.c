// Kronecker product and its two adjoints; column-major stacking and its inverse.
#include "grad/graph/op.h"

static tg_status both_are(tg_graph *g, tg_kind kind, tg_node a, tg_node b, bool *out)
{
  *out = tg_node_info(g, a)->kind == kind && tg_node_info(g, b)->kind == kind;
  return TG_OK;
}

// For a bilinear operator: scalars of both arguments are taken out, then `make` sees the rests.
typedef tg_status make_two(tg_graph *g, tg_node a, tg_node b, tg_node *out);

static tg_status split_bilinear(tg_graph *g, tg_node a, tg_node b, make_two *make, tg_node *out, bool *done)
{
  tg_split x;
  tg_split y;
  TG_TRY(tg_split_scalars(g, a, &x));
  TG_TRY(tg_split_scalars(g, b, &y));
  *done = x.coef != 1.0 || y.coef != 1.0 || x.scalars != TG_NONE || y.scalars != TG_NONE;
  if (!*done) return TG_OK;
  TG_TRY(make(g, x.rest, y.rest, out));
  TG_TRY(tg_join_scalars(g, &y, *out, out));
  return tg_join_scalars(g, &x, *out, out);
}

tg_status tg_make_kron(tg_graph *g, tg_node a, tg_node b, tg_node *out)
{
  if (tg_node_is_scalar(g, a) || tg_node_is_scalar(g, b)) return tg_make_mul(g, a, b, out);
  bool done = false;
  TG_TRY(split_bilinear(g, a, b, tg_make_kron, out, &done));
  if (done) return TG_OK;
  const tg_info *x = tg_node_info(g, a);
  const tg_info *y = tg_node_info(g, b);
  tg_dim rows = 0;
  tg_dim cols = 0;
  TG_TRY(tg_dim_product(g, x->rows, y->rows, &rows));
  TG_TRY(tg_dim_product(g, x->cols, y->cols, &cols));
  if (x->kind == TG_ZEROS || y->kind == TG_ZEROS) return tg_make_zeros(g, rows, cols, out);
  TG_TRY(both_are(g, TG_EYE, a, b, &done));
  if (done) return tg_make_eye(g, rows, out);
  TG_TRY(both_are(g, TG_ONES, a, b, &done));
  if (done) return tg_make_ones(g, rows, cols, out);
  const tg_node args[2] = {a, b};
  return tg_intern(g, &(tg_info){.kind = TG_KRON, .rows = rows, .cols = cols, .n_args = 2, .args = args}, out);
}

// The shape of the factor that was left out of `big` = kron.
static tg_status quotient_of_kron(tg_graph *g, tg_node big, tg_node part, tg_dim *rows, tg_dim *cols)
{
  TG_TRY(tg_dim_quotient(g, tg_node_info(g, big)->rows, tg_node_info(g, part)->rows, rows));
  return tg_dim_quotient(g, tg_node_info(g, big)->cols, tg_node_info(g, part)->cols, cols);
}

static tg_status intern_adjoint(tg_graph *g, tg_kind kind, tg_node big, tg_node part, tg_node *out)
{
  tg_dim rows = 0;
  tg_dim cols = 0;
  TG_TRY(quotient_of_kron(g, big, part, &rows, &cols));
  const tg_node args[2] = {big, part};
  if (tg_node_is_zero(g, big) || tg_node_is_zero(g, part)) return tg_make_zero(g, rows, cols, out);
  return tg_intern(g, &(tg_info){.kind = kind, .rows = rows, .cols = cols, .n_args = 2, .args = args}, out);
}

// kronl(kron(A, B), C) = tr(B'C) A, kronr(kron(A, B), C) = tr(A'C) B, where C has the shape of what it meets.
static tg_status contract_kron(tg_graph *g, tg_kind kind, tg_node big, tg_node part, tg_node *out, bool *done)
{
  const tg_info *info = tg_node_info(g, big);
  *done = false;
  if (info->kind != TG_KRON) return TG_OK;
  const tg_node kept = info->args[kind == TG_KRONL ? 0 : 1];
  const tg_node met = info->args[kind == TG_KRONL ? 1 : 0];
  const tg_info *x = tg_node_info(g, met);
  const tg_info *y = tg_node_info(g, part);
  if (x->rows != y->rows || x->cols != y->cols) return TG_OK;
  *done = true;
  TG_TRY(tg_make_dot(g, met, part, out));
  return tg_make_mul(g, *out, kept, out);
}

// Linear in `big`, term by term, so that like terms meet.
static tg_status make_adjoint(tg_graph *g, tg_kind kind, make_two *make, tg_node big, tg_node part, tg_node *out)
{
  bool done = false;
  TG_TRY(split_bilinear(g, big, part, make, out, &done));
  if (done) return TG_OK;
  TG_TRY(contract_kron(g, kind, big, part, out, &done));
  if (done) return TG_OK;
  const tg_info *info = tg_node_info(g, big);
  if (info->kind != TG_LIN) return intern_adjoint(g, kind, big, part, out);
  tg_node *terms = NULL;
  TG_TRY(TG_SCRATCH(g, info->n_args, &terms));
  for (int32_t i = 0; i < info->n_args; i++) TG_TRY(make(g, info->args[i], part, &terms[i]));
  return tg_make_lin(g, info->n_args, info->coefs, terms, out);
}

tg_status tg_make_kronl(tg_graph *g, tg_node big, tg_node b, tg_node *out)
{
  return make_adjoint(g, TG_KRONL, tg_make_kronl, big, b, out);
}

tg_status tg_make_kronr(tg_graph *g, tg_node big, tg_node a, tg_node *out)
{
  return make_adjoint(g, TG_KRONR, tg_make_kronr, big, a, out);
}

static tg_status make_bilinear(tg_graph *g, tg_kind kind, tg_node a, tg_node b, tg_node *out)
{
  if (kind == TG_KRON) return tg_make_kron(g, a, b, out);
  return kind == TG_KRONL ? tg_make_kronl(g, a, b, out) : tg_make_kronr(g, a, b, out);
}

static tg_status remake_bilinear(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  return make_bilinear(g, tg_node_info(g, node)->kind, args[0], args[1], out);
}

static tg_status forward_bilinear(tg_graph *g, tg_node node, const tg_node *dargs, tg_node *out)
{
  const tg_info *info = tg_node_info(g, node);
  tg_node parts[2] = {TG_NONE, TG_NONE};
  if (dargs[0] != TG_NONE) TG_TRY(make_bilinear(g, info->kind, dargs[0], info->args[1], &parts[0]));
  if (dargs[1] != TG_NONE) TG_TRY(make_bilinear(g, info->kind, info->args[0], dargs[1], &parts[1]));
  *out = parts[0] != TG_NONE ? parts[0] : parts[1];
  if (parts[0] != TG_NONE && parts[1] != TG_NONE) return tg_make_add(g, parts[0], parts[1], out);
  return TG_OK;
}

static tg_status reverse_kron(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  const tg_info *info = tg_node_info(g, node);
  if (k == 0) return tg_make_kronl(g, adjoint, info->args[1], out);
  return tg_make_kronr(g, adjoint, info->args[0], out);
}

// <W, kronl(G, B)> = <G, kron(W, B)>, so G receives kron(W, B) and B receives kronr(G, W).
static tg_status reverse_kronl(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  const tg_info *info = tg_node_info(g, node);
  if (k == 0) return tg_make_kron(g, adjoint, info->args[1], out);
  return tg_make_kronr(g, info->args[0], adjoint, out);
}

// <W, kronr(G, A)> = <G, kron(A, W)>, so G receives kron(A, W) and A receives kronl(G, W).
static tg_status reverse_kronr(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  const tg_info *info = tg_node_info(g, node);
  if (k == 0) return tg_make_kron(g, info->args[1], adjoint, out);
  return tg_make_kronl(g, info->args[0], adjoint, out);
}

// I_n kron K(q,m) kron I_p, with vec(A kron B) = this (vec A kron vec B), A m x n, B p x q (Magnus and Neudecker).
static tg_status interleave(tg_graph *g, tg_node a, tg_node b, tg_node *out)
{
  const tg_info *x = tg_node_info(g, a);
  const tg_info *y = tg_node_info(g, b);
  tg_node left = TG_NONE;
  tg_node middle = TG_NONE;
  tg_node right = TG_NONE;
  TG_TRY(tg_make_identity(g, x->cols, &left));
  TG_TRY(tg_make_comm(g, y->cols, x->rows, &middle));
  TG_TRY(tg_make_identity(g, y->rows, &right));
  TG_TRY(tg_make_kron(g, left, middle, out));
  return tg_make_kron(g, *out, right, out);
}

// d vec(A kron B) = interleave (I kron vec B) d vec A = interleave (vec A kron I) d vec B
static tg_status jacobian_kron(tg_graph *g, tg_node node, int32_t k, tg_node *out)
{
  const tg_info *info = tg_node_info(g, node);
  const tg_info *arg = tg_node_info(g, info->args[k]);
  tg_dim size = 0;
  tg_node identity = TG_NONE;
  tg_node other = TG_NONE;
  tg_node order = TG_NONE;
  TG_TRY(tg_dim_product(g, arg->rows, arg->cols, &size));
  TG_TRY(tg_make_identity(g, size, &identity));
  TG_TRY(tg_make_vec(g, info->args[1 - k], &other));
  TG_TRY(tg_make_kron(g, k == 0 ? identity : other, k == 0 ? other : identity, out));
  TG_TRY(interleave(g, info->args[0], info->args[1], &order));
  return tg_make_mul(g, order, *out, out);
}

// The adjoints arise in gradients only; no expression of the language is one.
static tg_status jacobian_adjoint(tg_graph *g, tg_node node, int32_t k, tg_node *out)
{
  const tg_info *info = tg_node_info(g, node);
  (void)k;
  (void)out;
  TG_FAIL(TG_UNSUPPORTED, "the Jacobian of a derivative of kron(%s) has no printed form",
          info->kind == TG_KRONL ? "A" : "B");
}

static tg_status sample_kron(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  (void)g;
  (void)node;
  const tg_value *a = &args[0];
  const tg_value *b = &args[1];
  for (int64_t j = 0; j < out->cols; j++)
    for (int64_t i = 0; i < out->rows; i++)
      out->data[i + j * out->rows] =
          a->data[i / b->rows + j / b->cols * a->rows] * b->data[i % b->rows + j % b->cols * b->rows];
  return TG_OK;
}

static tg_status sample_adjoint(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  const bool left = tg_node_info(g, node)->kind == TG_KRONL;
  const tg_value *big = &args[0];
  const tg_value *part = &args[1];
  // Sizes of the blocks of `big`: the other factor's for kronl, the result's for kronr.
  const int64_t rows = left ? part->rows : out->rows;
  const int64_t cols = left ? part->cols : out->cols;
  for (int64_t j = 0; j < big->cols; j++)
    for (int64_t i = 0; i < big->rows; i++) {
      const double entry = big->data[i + j * big->rows];
      const int64_t block_i = i / rows;
      const int64_t block_j = j / cols;
      const int64_t inner_i = i % rows;
      const int64_t inner_j = j % cols;
      if (left)
        out->data[block_i + block_j * out->rows] += entry * part->data[inner_i + inner_j * part->rows];
      else
        out->data[inner_i + inner_j * out->rows] += entry * part->data[block_i + block_j * part->rows];
    }
  return TG_OK;
}

const tg_op tg_op_kron = {.name = "kron",
                          .remake = remake_bilinear,
                          .forward = forward_bilinear,
                          .reverse = reverse_kron,
                          .jacobian = jacobian_kron,
                          .sample = sample_kron,
                          .degree = tg_degree_product,
                          .rule = "a Kronecker factor: tr(M*kron(X,B)) sums tr(M_ij*B)*X_ji over the blocks of M"};
const tg_op tg_op_kronl = {.name = "adjoint of kron, left",
                           .remake = remake_bilinear,
                           .forward = forward_bilinear,
                           .reverse = reverse_kronl,
                           .jacobian = jacobian_adjoint,
                           .sample = sample_adjoint,
                           .degree = tg_degree_product,
                           .rule = "blockwise inner products are linear in the blocks"};
const tg_op tg_op_kronr = {.name = "adjoint of kron, right",
                           .remake = remake_bilinear,
                           .forward = forward_bilinear,
                           .reverse = reverse_kronr,
                           .jacobian = jacobian_adjoint,
                           .sample = sample_adjoint,
                           .degree = tg_degree_product,
                           .rule = "weighted sums of blocks are linear in the blocks"};
