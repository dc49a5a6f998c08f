// Products of matrices: association by dynamic programming over real sizes, what exists already for nothing.
//
// The classic recurrence cost(i,j) = min over k of cost(i,k) + cost(k+1,j) + 2 rows(i) cols(k) cols(j) (Cormen et al.,
// matrix chains), with three changes: a product known to the program costs nothing; two halves that are the same
// matrix, or each other's transpose, are paid once; a product free of variables is spread over the iterations.
#include "base/memory.h"
#include "grad/lower/lower_parts.h"

enum { POWER_MAX = 8, CHAIN_MAX = 64, TURN_MIN = 512 };

bool tg_low_is_inverse(const tg_lowering *l, tg_node node, tg_node *of, bool *trans)
{
  const tg_info *info = tg_node_info(l->graph, node);
  *trans = info->kind == TG_TRANS;
  if (*trans) info = tg_node_info(l->graph, info->args[0]);
  if (info->kind != TG_INV || l->options->without[TG_PASS_SOLVES]) return false;
  *of = info->args[0];
  return true;
}

static int32_t repeats(const tg_info *info)
{
  return info->kind == TG_MPOW && info->exponent <= POWER_MAX ? (int32_t)info->exponent : 1;
}

// A power inside a chain is written out: A^2*v is A*(A*v), and A*A is found again if it pays to square.
tg_status tg_low_factors(tg_lowering *l, tg_node node, int32_t *n, tg_node **out)
{
  const tg_info *info = tg_node_info(l->graph, node);
  const bool product = info->kind == TG_PROD;
  const int32_t count = product ? info->n_args - info->n_scalars : 1;
  const tg_node *chain = product ? info->args + info->n_scalars : &node;
  int32_t total = 0;
  for (int32_t i = 0; i < count; i++) total += repeats(tg_node_info(l->graph, chain[i]));
  const bool expand = total <= CHAIN_MAX;
  TG_TRY(TG_ARENA_NEW(&l->arena, (size_t)(expand ? total : count), out));
  *n = 0;
  for (int32_t i = 0; i < count; i++) {
    const tg_info *factor = tg_node_info(l->graph, chain[i]);
    const int32_t times = expand ? repeats(factor) : 1;
    for (int32_t k = 0; k < times; k++) (*out)[(*n)++] = times > 1 ? factor->args[0] : chain[i];
  }
  return TG_OK;
}

// ---- costs ----

static bool is_diagonal(const tg_lowering *l, tg_node node)
{
  return tg_node_info(l->graph, node)->kind == TG_DIAG;
}

static double at(const tg_low_chain *c, int32_t i, int32_t j)
{
  return c->cost[i * c->n + j];
}

static tg_node node_at(const tg_low_chain *c, int32_t i, int32_t j)
{
  return c->nodes[i * c->n + j];
}

static bool is_known(tg_lowering *l, tg_node node)
{
  tg_low_value value;
  return !l->options->without[TG_PASS_SHARING] && tg_low_find(l, node, &value);
}

// Whether the program computes the product anyway, as a node of its own.
static bool is_needed(tg_lowering *l, tg_node node)
{
  tg_node transposed = TG_NONE;
  if (l->options->without[TG_PASS_SHARING] || tg_make_trans(l->graph, node, &transposed) != TG_OK) return false;
  return tg_low_uses(l, node) > 0 || tg_low_uses(l, transposed) > 0;
}

static bool solves_with(tg_lowering *l, tg_node node)
{
  tg_node of = TG_NONE;
  bool trans = false;
  tg_low_value value;
  return tg_low_is_inverse(l, node, &of, &trans) && !tg_low_find(l, node, &value);
}

// Both halves are one matrix, up to transposition: paid once.
static bool same_halves(tg_lowering *l, tg_node a, tg_node b)
{
  tg_node transposed = TG_NONE;
  if (l->options->without[TG_PASS_SHARING]) return false;
  if (tg_node_info(l->graph, a)->mirror != tg_node_info(l->graph, b)->mirror) return false;
  return a == b || (tg_make_trans(l->graph, b, &transposed) == TG_OK && a == transposed);
}

// Flops of joining i..k with k+1..j, the halves' own cost included.
static double join_cost(tg_lowering *l, const tg_low_chain *c, int32_t i, int32_t k, int32_t j)
{
  const double rows = (double)tg_low_rows(l, c->factors[i]);
  const double inner = (double)tg_low_cols(l, c->factors[k]);
  const double cols = (double)tg_low_cols(l, c->factors[j]);
  const tg_node left = node_at(c, i, k);
  const tg_node right = node_at(c, k + 1, j);
  if (i == k && solves_with(l, left)) return at(c, k + 1, j) + 2 * inner * inner * cols;
  if (k + 1 == j && solves_with(l, right)) return at(c, i, k) + 2 * rows * inner * inner;
  if (i == k && tg_node_is_pick(l->graph, left)) return at(c, k + 1, j) + rows * cols;
  if (k + 1 == j && tg_node_is_pick(l->graph, right)) return at(c, i, k) + rows * cols;
  if (i == k && is_diagonal(l, left)) return at(c, k + 1, j) + rows * cols;
  if (k + 1 == j && is_diagonal(l, right)) return at(c, i, k) + rows * cols;
  const double halves = same_halves(l, left, right) ? at(c, i, k) : at(c, i, k) + at(c, k + 1, j);
  return halves + 2 * rows * inner * cols;
}

// What a factor costs where it is not used by solving or scaling: only inverses are expensive in themselves, all
// else is needed whatever the association.
static double leaf_cost(tg_lowering *l, tg_node node)
{
  const double n = (double)tg_low_rows(l, node);
  return solves_with(l, node) ? 4 * n * n * n / 3 : 0;
}

// Costs compare candidates within one plan; the plan as a whole is priced afterwards by what it really does. A product
// that the program needs as a node of its own is paid there, whoever computes it first.
static void plan_segment(tg_lowering *l, tg_low_chain *c, int32_t i, int32_t j)
{
  const tg_node node = node_at(c, i, j);
  const bool fixed = l->options->without[TG_PASS_ASSOCIATION]; // from left to right
  double best = 0;
  int32_t split = j - 1;
  for (int32_t k = i; k < j; k++) {
    if (fixed && k != j - 1) continue;
    const double cost = join_cost(l, c, i, k, j);
    if (k == i || fixed || cost < best) {
      best = cost;
      split = k;
    }
  }
  if (is_known(l, node) || is_needed(l, node)) best = 0;
  if (l->variant.discount && tg_low_sharers(l, node) > 1) best /= tg_low_sharers(l, node);
  if (!l->options->without[TG_PASS_HOISTING] && tg_low_is_constant(l, node)) best /= l->iterations;
  c->cost[i * c->n + j] = best;
  c->split[i * c->n + j] = split;
}

tg_status tg_low_chain_plan(tg_lowering *l, int32_t n, const tg_node *factors, int32_t longest, tg_low_chain *out)
{
  const size_t cells = (size_t)n * (size_t)n;
  int32_t *runs = NULL; // of the length at hand, by their first factor
  out->n = n;
  TG_TRY(TG_ARENA_NEW(&l->arena, (size_t)n, &out->factors));
  TG_TRY(TG_ARENA_NEW(&l->arena, cells, &out->nodes));
  TG_TRY(TG_ARENA_NEW(&l->arena, cells, &out->cost));
  TG_TRY(TG_ARENA_NEW(&l->arena, cells, &out->split));
  TG_TRY(TG_ARENA_NEW(&l->arena, (size_t)n, &runs));
  for (int32_t i = 0; i < n; i++) {
    TG_TRY(tg_low_run(l, 0, 1, &factors[i], &runs[i], &out->nodes[i * n + i]));
    out->factors[i] = factors[i];
    out->cost[i * n + i] = leaf_cost(l, factors[i]);
  }
  for (int32_t length = 2; length <= longest; length++)
    for (int32_t i = 0; i + length <= n; i++) {
      const int32_t j = i + length - 1;
      TG_TRY(tg_low_run(l, runs[i], length, &factors[i], &runs[i], &out->nodes[i * n + j]));
      plan_segment(l, out, i, j);
    }
  return TG_OK;
}

// ---- instructions ----

// Scales and transposes of the operands fold into the one call: alpha, and the flags of the two operands.
static tg_status gemm(tg_lowering *l, tg_low_value a, tg_low_value b, const bool symmetric[2], tg_coef alpha,
                      bool trans, double beta, int32_t out)
{
  tg_instr instr = tg_instr_make(TG_OP_GEMM, out);
  TG_TRY(tg_low_coef_mul(l, a.scale, b.scale, &instr.alpha));
  TG_TRY(tg_low_coef_mul(l, instr.alpha, alpha, &instr.alpha));
  // (A B)' = B' A'
  const int32_t in[2] = {trans ? b.buffer : a.buffer, trans ? a.buffer : b.buffer};
  instr.n_in = 2;
  instr.in = in;
  instr.beta = beta;
  instr.trans[0] = trans ? !b.trans : a.trans;
  instr.trans[1] = trans ? !a.trans : b.trans;
  for (int s = 0; s < 2; s++) {
    instr.symmetric[s] = symmetric[trans ? 1 - s : s];
    if (instr.symmetric[s]) instr.trans[s] = false;
  }
  return tg_low_append(l, &instr);
}

// out = op(F)^-1 B or B op(F)^-1; where only B' exists, the transposed system.
static tg_status solve(tg_lowering *l, tg_node inverse, tg_node known, bool right, tg_node node, tg_low_value *out)
{
  tg_node of = TG_NONE;
  bool inverse_trans = false;
  bool factor_trans = false;
  tg_low_value b;
  TG_TRY(tg_low_matrix(l, known, &b));
  tg_low_is_inverse(l, inverse, &of, &inverse_trans);
  tg_instr instr = tg_instr_make(TG_OP_SOLVE, -1);
  TG_TRY(tg_low_factor(l, of, &instr.factor, &factor_trans));
  instr.trans[0] = (inverse_trans != factor_trans) != b.trans;
  instr.right = right != b.trans;
  instr.n_in = 1;
  instr.in = &b.buffer;
  TG_TRY(tg_low_buffer_new(l, node, b.trans, &instr.out));
  *out = (tg_low_value){instr.out, b.trans, b.scale};
  return tg_low_append(l, &instr);
}

// diag(v)*B scales the rows of B, B*diag(v) its columns.
static tg_status scale_lines(tg_lowering *l, tg_node diagonal, tg_node known, bool right, tg_node node,
                             tg_low_value *out)
{
  tg_low_value b;
  tg_low_value v;
  const tg_node vector = tg_node_info(l->graph, diagonal)->args[0];
  TG_TRY(tg_low_matrix(l, known, &b));
  const bool columns = right != b.trans;
  tg_node line = vector;
  int32_t in[2] = {b.buffer, -1};
  if (columns) TG_TRY(tg_make_trans(l->graph, vector, &line));
  TG_TRY(tg_low_plain(l, line, &in[1]));
  TG_TRY(tg_low_matrix(l, vector, &v));
  const tg_code code[3] = {{.op = TG_CODE_LOAD, .operand = 0},
                           {.op = columns ? TG_CODE_COL : TG_CODE_ROW, .operand = 1},
                           {.op = TG_CODE_MUL}};
  tg_instr instr = tg_instr_make(TG_OP_ENTRYWISE, -1);
  TG_TRY(tg_low_buffer_new(l, node, b.trans, &instr.out));
  instr.n_in = 2;
  instr.in = in;
  instr.n_code = 3;
  instr.code = code;
  *out = (tg_low_value){instr.out, b.trans, b.scale};
  return tg_low_append(l, &instr);
}

// P*B are rows of B, P'*B is B among zeros; B*P' and B*P likewise for columns.
static tg_status slice(tg_lowering *l, tg_node pick, tg_node known, bool right, tg_node node, tg_low_value *out)
{
  tg_low_value b;
  const bool turned = tg_node_info(l->graph, pick)->kind == TG_TRANS;
  if (turned) pick = tg_node_info(l->graph, pick)->args[0];
  TG_TRY(tg_low_matrix(l, known, &b));
  tg_instr instr = tg_instr_make(TG_OP_SLICE, -1);
  TG_TRY(tg_low_buffer_new(l, node, b.trans, &instr.out));
  const int64_t offset = tg_dim_value(l->graph, tg_node_info(l->graph, pick)->dims[0]) - 1;
  instr.dims[right != b.trans ? 1 : 0] = turned == right ? offset : -offset;
  instr.n_in = 1;
  instr.in = &b.buffer;
  *out = (tg_low_value){instr.out, b.trans, b.scale};
  return tg_low_append(l, &instr);
}

static tg_status is_symmetric(tg_lowering *l, tg_node node, bool *out)
{
  return tg_node_is_symmetric(l->graph, node, out);
}

// A constant that a large product reads transposed in every iteration is transposed once, in setup: n^2 numbers
// against a kernel that is a tenth slower or worse. Products with one small size live on reading, not on kernels.
static tg_status turn_constant(tg_lowering *l, tg_node node, double smallest, bool trans, tg_low_value *value)
{
  if (value->trans == trans || smallest < TURN_MIN || l->program == TG_PROGRAM_SETUP) return TG_OK;
  if (l->options->without[TG_PASS_HOISTING] || !tg_low_is_constant(l, node)) return TG_OK;
  if (trans) TG_TRY(tg_make_trans(l->graph, node, &node));
  value->trans = trans;
  value->scale = tg_coef_number(1);
  return tg_low_plain(l, node, &value->buffer);
}

static double smallest_size(const tg_lowering *l, tg_node a, tg_node b)
{
  const int64_t m = tg_low_rows(l, a);
  const int64_t k = tg_low_cols(l, a);
  const int64_t n = tg_low_cols(l, b);
  return (double)(m < k ? (m < n ? m : n) : (k < n ? k : n));
}

static tg_status multiply(tg_lowering *l, const tg_low_chain *c, int32_t i, int32_t k, int32_t j, tg_coef alpha,
                          bool trans, double beta, int32_t buffer)
{
  tg_low_value a;
  tg_low_value b;
  bool symmetric[2] = {false, false};
  // New halves in the layout of the result: the kernels are fastest on plain operands.
  TG_TRY(tg_low_chain_emit(l, c, i, k, trans, &a));
  TG_TRY(tg_low_chain_emit(l, c, k + 1, j, trans, &b));
  const tg_node left = node_at(c, i, k);
  const tg_node right = node_at(c, k + 1, j);
  const double smallest = smallest_size(l, left, right);
  TG_TRY(is_symmetric(l, left, &symmetric[0]));
  TG_TRY(is_symmetric(l, right, &symmetric[1]));
  if (!symmetric[0]) TG_TRY(turn_constant(l, left, smallest, trans, &a));
  if (!symmetric[1]) TG_TRY(turn_constant(l, right, smallest, trans, &b));
  return gemm(l, a, b, symmetric, alpha, trans, beta, buffer);
}

// Which way factors i..j are joined at k.
typedef enum join_kind {
  JOIN_PRODUCT,
  JOIN_SOLVE_LEFT,
  JOIN_SOLVE_RIGHT,
  JOIN_SCALE_LEFT,
  JOIN_SCALE_RIGHT,
  JOIN_PICK_LEFT,
  JOIN_PICK_RIGHT
} join_kind;

static join_kind join_of(tg_lowering *l, const tg_low_chain *c, int32_t i, int32_t k, int32_t j)
{
  if (i == k && solves_with(l, c->factors[i])) return JOIN_SOLVE_LEFT;
  if (k + 1 == j && solves_with(l, c->factors[j])) return JOIN_SOLVE_RIGHT;
  if (i == k && tg_node_is_pick(l->graph, c->factors[i])) return JOIN_PICK_LEFT;
  if (k + 1 == j && tg_node_is_pick(l->graph, c->factors[j])) return JOIN_PICK_RIGHT;
  if (i == k && is_diagonal(l, c->factors[i])) return JOIN_SCALE_LEFT;
  if (k + 1 == j && is_diagonal(l, c->factors[j])) return JOIN_SCALE_RIGHT;
  return JOIN_PRODUCT;
}

static tg_status join(tg_lowering *l, const tg_low_chain *c, int32_t i, int32_t j, bool trans, tg_low_value *out)
{
  const int32_t k = c->split[i * c->n + j];
  const tg_node node = node_at(c, i, j);
  switch (join_of(l, c, i, k, j)) {
  case JOIN_SOLVE_LEFT:
    if (k + 1 < j) TG_TRY(tg_low_chain_emit(l, c, k + 1, j, false, out));
    return solve(l, c->factors[i], node_at(c, k + 1, j), false, node, out);
  case JOIN_SOLVE_RIGHT:
    if (i < k) TG_TRY(tg_low_chain_emit(l, c, i, k, false, out));
    return solve(l, c->factors[j], node_at(c, i, k), true, node, out);
  case JOIN_SCALE_LEFT:
    if (k + 1 < j) TG_TRY(tg_low_chain_emit(l, c, k + 1, j, false, out));
    return scale_lines(l, c->factors[i], node_at(c, k + 1, j), false, node, out);
  case JOIN_SCALE_RIGHT:
    if (i < k) TG_TRY(tg_low_chain_emit(l, c, i, k, false, out));
    return scale_lines(l, c->factors[j], node_at(c, i, k), true, node, out);
  case JOIN_PICK_LEFT:
    if (k + 1 < j) TG_TRY(tg_low_chain_emit(l, c, k + 1, j, false, out));
    return slice(l, c->factors[i], node_at(c, k + 1, j), false, node, out);
  case JOIN_PICK_RIGHT:
    if (i < k) TG_TRY(tg_low_chain_emit(l, c, i, k, false, out));
    return slice(l, c->factors[j], node_at(c, i, k), true, node, out);
  default:
    *out = (tg_low_value){-1, trans, tg_coef_number(1)};
    TG_TRY(tg_low_buffer_new(l, node, trans, &out->buffer));
    return multiply(l, c, i, k, j, tg_coef_number(1), trans, 0, out->buffer);
  }
}

bool tg_low_has_free_layout(const tg_lowering *l, tg_node node)
{
  return tg_node_info(l->graph, node)->kind == TG_LIN || tg_low_is_entrywise(l, node);
}

// A factor; a sum that is yet to be computed takes the layout that is asked for.
static tg_status emit_factor(tg_lowering *l, tg_node node, bool trans, tg_low_value *out)
{
  if (!trans || tg_low_find(l, node, out) || !tg_low_has_free_layout(l, node)) return tg_low_matrix(l, node, out);
  TG_TRY(tg_make_trans(l->graph, node, &node));
  TG_TRY(tg_low_matrix(l, node, out));
  out->trans = !out->trans;
  return TG_OK;
}

tg_status tg_low_chain_emit(tg_lowering *l, const tg_low_chain *c, int32_t i, int32_t j, bool trans, tg_low_value *out)
{
  const tg_node node = node_at(c, i, j);
  if (i == j) return emit_factor(l, node, trans, out);
  if (!l->options->without[TG_PASS_SHARING] && tg_low_find(l, node, out)) return TG_OK;
  const tg_program_id before = tg_low_enter(l, node);
  tg_status status = join(l, c, i, j, trans, out);
  if (status == TG_OK) status = tg_low_remember(l, node, *out);
  l->program = before;
  return status;
}

tg_status tg_low_chain_accumulate(tg_lowering *l, const tg_low_chain *c, tg_coef alpha, bool trans, double beta,
                                  int32_t out, bool *done)
{
  const int32_t j = c->n - 1;
  const int32_t k = c->n > 1 ? c->split[j] : 0;
  *done = c->n > 1 && join_of(l, c, 0, k, j) == JOIN_PRODUCT;
  return *done ? multiply(l, c, 0, k, j, alpha, trans, beta, out) : TG_OK;
}
