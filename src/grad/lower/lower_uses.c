// Uses of each node below a program's roots, and the number of chains that contain the same product.
#include "base/memory.h"
#include "grad/lower/lower_parts.h"

enum { RUNS_CHAIN_MAX = 16 }; // longer chains do not take part in sharing by the number of sharers

static int32_t count_of(const tg_low_list *list, tg_node node)
{
  return node < list->count ? ((const int32_t *)list->items)[node] : 0;
}

int32_t tg_low_uses(const tg_lowering *l, tg_node node)
{
  return count_of(&l->uses, node);
}

int32_t tg_low_sharers(const tg_lowering *l, tg_node node)
{
  return count_of(&l->wanted, node);
}

static void clear(tg_low_list *list)
{
  for (int64_t k = 0; k < list->capacity; k++) ((int32_t *)list->items)[k] = 0;
}

void tg_low_uses_forget(tg_lowering *l)
{
  clear(&l->uses);
  clear(&l->wanted);
}

// ---- runs of chains ----

static tg_status note_run(tg_lowering *l, tg_node node, tg_node *seen, int32_t *n_seen)
{
  tg_node transposed = TG_NONE;
  int32_t *count = NULL;
  TG_TRY(tg_make_trans(l->graph, node, &transposed));
  for (int32_t k = 0; k < *n_seen; k++)
    if (seen[k] == node || seen[k] == transposed) return TG_OK; // once per chain
  seen[(*n_seen)++] = node;
  TG_TRY(tg_low_at(&l->wanted, sizeof *count, node, (void **)&count));
  (*count)++;
  if (transposed == node) return TG_OK;
  TG_TRY(tg_low_at(&l->wanted, sizeof *count, transposed, (void **)&count));
  (*count)++;
  return TG_OK;
}

static tg_status count_runs(tg_lowering *l, tg_node node, bool cyclic)
{
  int32_t n = 0;
  int32_t n_seen = 0;
  tg_node *factors = NULL;
  tg_node *doubled = NULL;
  tg_node *seen = NULL;
  int32_t runs[RUNS_CHAIN_MAX]; // of the length at hand, by their first factor
  tg_node run = TG_NONE;
  TG_TRY(tg_low_factors(l, node, &n, &factors));
  if (n < 2 || n > RUNS_CHAIN_MAX) return TG_OK;
  TG_TRY(TG_ARENA_NEW(&l->arena, 2 * (size_t)n, &doubled));
  TG_TRY(TG_ARENA_NEW(&l->arena, 2 * (size_t)n * (size_t)n, &seen));
  for (int32_t i = 0; i < 2 * n; i++) doubled[i] = factors[i % n];
  for (int32_t i = 0; i < n; i++) TG_TRY(tg_low_run(l, 0, 1, &factors[i], &runs[i], &run));
  const int32_t longest = cyclic ? n - 1 : n;
  for (int32_t length = 2; length <= longest; length++)
    for (int32_t i = 0; i < n && (cyclic || i + length <= n); i++) {
      TG_TRY(tg_low_run(l, runs[i], length, &doubled[i], &runs[i], &run));
      TG_TRY(note_run(l, run, seen, &n_seen));
    }
  return TG_OK;
}

// ---- uses ----

// A trace or sum of a product does not need the product itself, only its factors.
static bool opens_argument(const tg_lowering *l, const tg_info *info)
{
  if (info->kind != TG_TR && info->kind != TG_SUM && info->kind != TG_DIAGVEC) return false;
  const tg_kind kind = tg_node_info(l->graph, info->args[0])->kind;
  return !l->options->without[TG_PASS_TRACES] && (kind == TG_PROD || kind == TG_MPOW);
}

static tg_status use(tg_lowering *l, tg_node node);

// The factors of a chain, powers written out as the chain will be.
static tg_status use_factors(tg_lowering *l, tg_node product)
{
  int32_t n = 0;
  tg_node *factors = NULL;
  const tg_info *info = tg_node_info(l->graph, product);
  for (int32_t i = 0; info->kind == TG_PROD && i < info->n_scalars; i++) TG_TRY(use(l, info->args[i]));
  TG_TRY(tg_low_factors(l, product, &n, &factors));
  for (int32_t i = 0; i < n; i++) TG_TRY(use(l, factors[i]));
  return TG_OK;
}

static tg_status use_arguments(tg_lowering *l, const tg_info *info)
{
  for (int32_t i = 0; i < info->n_args; i++) TG_TRY(use(l, info->args[i]));
  return TG_OK;
}

static tg_status use(tg_lowering *l, tg_node node)
{
  const tg_info *info = tg_node_info(l->graph, node);
  int32_t *uses = NULL;
  if (info->kind == TG_PROD && info->n_scalars > 0 && !tg_node_is_scalar(l->graph, node)) {
    // Scalars apart: the chain alone is the value that places share.
    for (int32_t i = 0; i < info->n_scalars; i++) TG_TRY(use(l, info->args[i]));
    TG_TRY(tg_make_prod(l->graph, info->n_args - info->n_scalars, info->args + info->n_scalars, &node));
    return use(l, node);
  }
  TG_TRY(tg_low_at(&l->uses, sizeof *uses, node, (void **)&uses));
  if ((*uses)++ > 0) return TG_OK;
  if (opens_argument(l, info)) {
    TG_TRY(count_runs(l, info->args[0], info->kind == TG_TR));
    return use_factors(l, info->args[0]);
  }
  if (info->kind != TG_PROD || info->n_scalars > 0) return use_arguments(l, info);
  TG_TRY(count_runs(l, node, false));
  return use_factors(l, node);
}

tg_status tg_low_uses_count(tg_lowering *l, int32_t n, const tg_node *nodes)
{
  for (int32_t k = 0; k < n; k++)
    if (nodes[k] != TG_NONE) TG_TRY(use(l, nodes[k]));
  return TG_OK;
}
