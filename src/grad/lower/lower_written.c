// What value and gradient cost as they are written: the measure that a plan is compared with.
#include <math.h>

#include "base/memory.h"
#include "grad/graph/entry.h"
#include "grad/lower/lower.h"

// Nodes below the objective, and those of them that depend on the variables.
typedef struct written {
  const tg_graph *graph;
  uint8_t *below;       // by node
  const uint8_t *moves; // likewise
  tg_node *spelt;       // room for the factors of a trace
  tg_written_cost cost;
} written;

static double rows_of(const tg_graph *graph, tg_node node)
{
  return (double)tg_dim_value(graph, tg_node_info(graph, node)->rows);
}

static double cols_of(const tg_graph *graph, tg_node node)
{
  return (double)tg_dim_value(graph, tg_node_info(graph, node)->cols);
}

// Forward once, and backwards once for each operand that moves.
static void add_product(written *w, double rows, double inner, double cols, bool left_moves, bool right_moves)
{
  const int count = 1 + (left_moves ? 1 : 0) + (right_moves ? 1 : 0);
  w->cost.products += count;
  w->cost.flops += 2 * rows * inner * cols * count;
}

static void add_chain(written *w, int32_t n, const tg_node *chain)
{
  if (n == 0) return;
  bool moves = w->moves[chain[0]] != 0;
  for (int32_t i = 1; i < n; i++) {
    const bool next = w->moves[chain[i]] != 0;
    // Lines are copied: no product.
    if (tg_node_is_pick(w->graph, chain[i]) || (i == 1 && tg_node_is_pick(w->graph, chain[0]))) {
      moves = moves || next;
      continue;
    }
    add_product(w, rows_of(w->graph, chain[0]), rows_of(w->graph, chain[i]), cols_of(w->graph, chain[i]), moves, next);
    moves = moves || next;
  }
}

static void add_node(written *w, tg_node node)
{
  const tg_info *info = tg_node_info(w->graph, node);
  const bool moves = w->moves[node] != 0;
  const double size = rows_of(w->graph, node) * cols_of(w->graph, node);
  const double n = info->n_args > 0 ? rows_of(w->graph, info->args[0]) : 0;
  switch (info->kind) {
  case TG_PROD:
    add_chain(w, info->n_args - info->n_scalars, info->args + info->n_scalars);
    break;
  case TG_MPOW:
    for (int64_t k = 1; k < info->exponent; k++) add_product(w, n, n, n, moves, moves);
    break;
  case TG_INV: // factorised and inverted; backwards: two products with the inverse
    w->cost.products += moves ? 3 : 1;
    w->cost.flops += 2 * n * n * n * (moves ? 3 : 1);
    break;
  case TG_DET:
  case TG_LOGDET: // backwards: the inverse
    w->cost.products += moves ? 1 : 0;
    w->cost.flops += (moves ? 2 : 2.0 / 3) * n * n * n;
    break;
  case TG_SQRTM: // eigenvectors and a product; backwards four products
  case TG_EXPM:
  case TG_LOGM:
    w->cost.products += moves ? 5 : 1;
    w->cost.flops += (14.0 / 3 + 2 * (moves ? 5 : 1)) * n * n * n;
    break;
  case TG_NUCLEAR: // singular vectors; backwards a product
  case TG_SPECTRAL:
    w->cost.products += moves ? 1 : 0;
    w->cost.flops += 22 * n * cols_of(w->graph, info->args[0]) * fmin(n, cols_of(w->graph, info->args[0]));
    break;
  case TG_TR:
    w->cost.flops += n;
    break;
  case TG_SUM:
  case TG_LIN:
  case TG_HAD:
  case TG_MAX:
  case TG_MIN:
  case TG_LOGSUMEXP:
  case TG_VAR:
    for (int32_t i = 0; i < info->n_args; i++)
      w->cost.flops += rows_of(w->graph, info->args[i]) * cols_of(w->graph, info->args[i]) * (moves ? 2 : 1);
    break;
  case TG_KRON:
    w->cost.flops += size * (moves ? 3 : 1);
    break;
  default:
    if (info->kind == TG_POW || tg_entry(info->kind) != NULL) w->cost.flops += size * (moves ? 2 : 1);
    break;
  }
}

// ---- inner products ----

enum { SPELT_MAX = 256 };

// The factors of tr(...) twice in a row, so that every rotation of the cycle is a piece of the list; powers of matrices
// are spelt out, for sumsq(S*X) with a symmetric S has become tr(X'*S^2*X). Their number, 0: no chain, or a long one.
static int32_t spell(written *w, const tg_info *trace)
{
  const tg_info *chain = tg_node_info(w->graph, trace->args[0]);
  const bool is_product = chain->kind == TG_PROD && chain->n_scalars == 0;
  if (!is_product && chain->kind != TG_MPOW) return 0;
  int32_t n = 0;
  for (int32_t i = 0; i < (is_product ? chain->n_args : 1); i++) {
    const tg_node factor = is_product ? chain->args[i] : trace->args[0];
    const tg_info *info = tg_node_info(w->graph, factor);
    const int64_t times = info->kind == TG_MPOW ? info->exponent : 1;
    if (times < 1 || n + times > SPELT_MAX / 2) return 0;
    for (int64_t k = 0; k < times; k++) w->spelt[n++] = info->kind == TG_MPOW ? info->args[0] : factor;
  }
  for (int32_t i = 0; i < n; i++) w->spelt[n + i] = w->spelt[i];
  return n;
}

// The graph has asked for the transpose of every factor of a trace, of one of the two at least.
static bool are_transposes(const tg_graph *graph, tg_node a, tg_node b)
{
  return tg_node_info(graph, a)->transposed == b || tg_node_info(graph, b)->transposed == a;
}

static int64_t count_transposes(const tg_graph *graph, int32_t n, const tg_node *chain)
{
  int64_t count = 0;
  for (int32_t i = 0; i < n; i++) count += tg_node_info(graph, chain[i])->n_trans;
  return count;
}

// tr(F'*F), as sumsq(F), norm2(F)^2 and dot(F, F) are kept: the factors of F, half of the cycle. NULL: another trace.
// Written is F, the half with fewer transposes.
static const tg_node *find_square(written *w, const tg_info *trace, int32_t *n_half)
{
  const int32_t n = spell(w, trace);
  *n_half = n / 2;
  for (int32_t shift = 0; shift < n / 2 && n % 2 == 0; shift++) {
    const tg_node *cycle = w->spelt + shift;
    bool is_mirrored = true;
    for (int32_t i = 0; i < n / 2; i++)
      is_mirrored = is_mirrored && are_transposes(w->graph, cycle[i], cycle[n - 1 - i]);
    if (!is_mirrored) continue;
    const tg_node *other = cycle + n / 2;
    const bool swapped = count_transposes(w->graph, n / 2, other) < count_transposes(w->graph, n / 2, cycle);
    return swapped ? other : cycle;
  }
  return NULL;
}

// Each entry of F is squared and added, and scaled in the gradient; F' and F'*F are never made.
static bool add_square(written *w, tg_node node)
{
  const tg_info *info = tg_node_info(w->graph, node);
  int32_t n = 0;
  const tg_node *half = info->kind == TG_TR ? find_square(w, info, &n) : NULL;
  if (half == NULL) return false;
  const double size = rows_of(w->graph, half[0]) * cols_of(w->graph, half[n - 1]);
  w->cost.flops += size * (w->moves[node] != 0 ? 3 : 2);
  add_chain(w, n, half);
  for (int32_t i = 0; i < n; i++) w->below[half[i]] = 1;
  return true;
}

// tr(F*G), as dot(F', G) is kept: each entry of F meets one of G, and the gradients are the other factor, scaled. A
// trace written as such is counted no dearer: the product would be made for its diagonal alone.
static bool add_dot(written *w, tg_node node)
{
  const tg_info *info = tg_node_info(w->graph, node);
  if (info->kind != TG_TR || spell(w, info) != 2) return false;
  const int moving = (w->moves[w->spelt[0]] != 0 ? 1 : 0) + (w->moves[w->spelt[1]] != 0 ? 1 : 0);
  w->cost.flops += rows_of(w->graph, w->spelt[0]) * cols_of(w->graph, w->spelt[0]) * (2 + moving);
  for (int i = 0; i < 2; i++) w->below[w->spelt[i]] = 1;
  return true;
}

// ---- the whole ----

// Arguments have smaller ids: one pass upwards finds what moves, one downwards what is below f.
static void find_moving(const tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, uint8_t *moves)
{
  for (tg_node node = 1; node <= f; node++) {
    const tg_info *info = tg_node_info(graph, node);
    for (int32_t k = 0; info->kind == TG_SYM && k < n; k++) moves[node] |= info->symbol == wrt[k];
    for (int32_t i = 0; i < info->n_args; i++) moves[node] |= moves[info->args[i]];
  }
}

static void add_below(written *w, tg_node f)
{
  w->below[f] = 1;
  for (tg_node node = f; node > TG_NONE; node--) {
    if (w->below[node] == 0 || add_square(w, node) || add_dot(w, node)) continue;
    const tg_info *info = tg_node_info(w->graph, node);
    for (int32_t i = 0; i < info->n_args; i++) w->below[info->args[i]] = 1;
    add_node(w, node);
  }
}

tg_status tg_lower_written_cost(const tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, tg_written_cost *out)
{
  tg_status status = TG_OK;
  uint8_t *below = NULL;
  uint8_t *moves = NULL;
  tg_node spelt[SPELT_MAX];
  TG_TRY_GOTO(TG_NEW((int64_t)f + 1, &below));
  TG_TRY_GOTO(TG_NEW((int64_t)f + 1, &moves));
  find_moving(graph, f, n, wrt, moves);
  written w = {.graph = graph, .below = below, .moves = moves, .spelt = spelt};
  add_below(&w, f);
  *out = w.cost;
done:
  tg_free(below);
  tg_free(moves);
  return status;
}
