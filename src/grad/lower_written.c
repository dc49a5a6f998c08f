// What value and gradient cost as they are written: the measure that a plan is compared with.
#include "base/memory.h"
#include "grad/lower.h"

// Nodes below the objective, and those of them that depend on the variables.
typedef struct written {
  const tg_graph *graph;
  const uint8_t *moves; // by node
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

static void add_chain(written *w, const tg_info *info)
{
  if (info->n_args == info->n_scalars) return;
  const tg_node *chain = info->args + info->n_scalars;
  bool moves = w->moves[chain[0]] != 0;
  for (int32_t i = 1; i < info->n_args - info->n_scalars; i++) {
    const bool next = w->moves[chain[i]] != 0;
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
    add_chain(w, info);
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
  case TG_TR:
    w->cost.flops += n;
    break;
  case TG_SUM:
  case TG_LIN:
  case TG_HAD:
    for (int32_t i = 0; i < info->n_args; i++)
      w->cost.flops += rows_of(w->graph, info->args[i]) * cols_of(w->graph, info->args[i]) * (moves ? 2 : 1);
    break;
  case TG_KRON:
    w->cost.flops += size * (moves ? 3 : 1);
    break;
  default:
    if (info->kind == TG_POW || info->kind >= TG_EXP) w->cost.flops += size * (moves ? 2 : 1);
    break;
  }
}

// Arguments have smaller ids: one pass downwards finds what is below f, one upwards what moves.
static void mark(const tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, uint8_t *below, uint8_t *moves)
{
  below[f] = 1;
  for (tg_node node = f; node > TG_NONE; node--) {
    const tg_info *info = tg_node_info(graph, node);
    for (int32_t i = 0; below[node] != 0 && i < info->n_args; i++) below[info->args[i]] = 1;
  }
  for (tg_node node = 1; node <= f; node++) {
    const tg_info *info = tg_node_info(graph, node);
    for (int32_t k = 0; info->kind == TG_SYM && k < n; k++) moves[node] |= info->symbol == wrt[k];
    for (int32_t i = 0; i < info->n_args; i++) moves[node] |= moves[info->args[i]];
  }
}

tg_status tg_lower_written_cost(const tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, tg_written_cost *out)
{
  tg_status status = TG_OK;
  uint8_t *below = NULL;
  uint8_t *moves = NULL;
  TG_TRY_GOTO(TG_NEW((int64_t)f + 1, &below));
  TG_TRY_GOTO(TG_NEW((int64_t)f + 1, &moves));
  mark(graph, f, n, wrt, below, moves);
  written w = {.graph = graph, .moves = moves};
  for (tg_node node = 1; node <= f; node++)
    if (below[node] != 0) add_node(&w, node);
  *out = w.cost;
done:
  tg_free(below);
  tg_free(moves);
  return status;
}
