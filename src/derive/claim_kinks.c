// Points on both sides of kinks: two functions that differ between their kinks alone differ there.
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "derive/claim_parts.h"
#include "grad/graph/entry.h"

// abs, sign, relu: at an argument of zero.
static bool is_kinked(tg_kind kind)
{
  return tg_entry(kind) != NULL && tg_entry(kind)->kink.kind != TG_KINK_NONE;
}

tg_status tg_claim_kinks_find(const tg_graph *graph, int32_t n, const tg_node *nodes, tg_node *out, int32_t *count)
{
  *count = 0;
  for (int32_t k = 0; k < n; k++) {
    uint8_t *below = NULL;
    TG_TRY(tg_node_find_below(graph, nodes[k], &below));
    for (tg_node at = 1; at <= nodes[k] && *count < TG_CLAIM_KINKS_MAX; at++) {
      const tg_info *info = tg_node_info(graph, at);
      if (below[at] == 0 || !is_kinked(info->kind)) continue;
      bool is_new = true;
      for (int32_t i = 0; i < *count; i++) is_new = is_new && out[i] != info->args[0];
      if (is_new) out[(*count)++] = info->args[0];
    }
    tg_free(below);
  }
  return TG_OK;
}

static int64_t entries_of(const tg_claim_points *points, int32_t s)
{
  const tg_symbol *symbol = tg_symbol_info(points->graph, s);
  return tg_sample_size(points->graph, &points->sampling, symbol->rows) *
         tg_sample_size(points->graph, &points->sampling, symbol->cols);
}

tg_status tg_claim_path_init(const tg_claim_points *points, tg_claim_path *out)
{
  *out = (tg_claim_path){.n_symbols = points->n_symbols};
  TG_TRY(TG_NEW(2 * (int64_t)points->n_symbols + 1, &out->ends));
  for (int32_t k = 0; k < 2 * points->n_symbols; k++) TG_TRY(TG_NEW(entries_of(points, k / 2), &out->ends[k]));
  return TG_OK;
}

void tg_claim_path_fini(tg_claim_path *path)
{
  for (int32_t k = 0; path->ends != NULL && k < 2 * path->n_symbols; k++) tg_free(path->ends[k]);
  tg_free(path->ends);
  path->ends = NULL;
}

static void keep_end(const tg_claim_points *points, tg_claim_path *path, int end)
{
  for (int32_t s = 0; s < points->n_symbols; s++)
    memcpy(path->ends[2 * s + end], points->values[s], sizeof(double) * (size_t)entries_of(points, s));
}

// What is declared holds between the ends too; orthogonal matrices stay where they are.
void tg_claim_path_go(const tg_claim_path *path, double t, tg_claim_points *points)
{
  for (int32_t s = 0; s < points->n_symbols; s++) {
    const bool fixed = (tg_symbol_info(points->graph, s)->properties & TG_ORTHOGONAL) != 0;
    const double *from = path->ends[(size_t)2 * (size_t)s];
    const double *to = path->ends[(size_t)2 * (size_t)s + 1];
    for (int64_t i = 0; i < entries_of(points, s); i++)
      points->values[s][i] = fixed ? from[i] : from[i] + t * (to[i] - from[i]);
  }
}

static tg_status entry_here(tg_graph *graph, const tg_claim_points *points, tg_node node, int64_t entry, double *out)
{
  double *values = NULL;
  TG_TRY(tg_sample_as(graph, node, (const double *const *)points->values, &points->sampling, &values));
  *out = values[entry];
  tg_free(values);
  return TG_OK;
}

enum { OTHER_ENDS = 12, HALVINGS = 45 };

tg_status tg_claim_path_across(tg_graph *graph, tg_claim_points *points, tg_node node, int64_t entry, int32_t trial,
                               tg_claim_move *move, tg_claim_path *path, double *t, bool *found)
{
  double from = 0.0;
  double to = 0.0;
  *found = false;
  tg_claim_points_fill(points, trial);
  if (move != NULL) move->move(move->self, points);
  keep_end(points, path, 0);
  TG_TRY(entry_here(graph, points, node, entry, &from));
  for (int32_t other = trial + 1; other <= trial + OTHER_ENDS && !*found; other++) {
    tg_claim_points_fill(points, other);
    if (move != NULL) move->move(move->self, points);
    keep_end(points, path, 1);
    tg_claim_path_go(path, 1.0, points); // with the orthogonal ones of the beginning
    TG_TRY(entry_here(graph, points, node, entry, &to));
    *found = from * to < 0.0 && isfinite(to);
  }
  double low = 0.0;
  double high = 1.0;
  for (int k = 0; *found && k < HALVINGS; k++) {
    double middle = 0.0;
    *t = 0.5 * (low + high);
    tg_claim_path_go(path, *t, points);
    TG_TRY(entry_here(graph, points, node, entry, &middle));
    if (middle * from > 0.0)
      low = *t;
    else
      high = *t;
  }
  return TG_OK;
}
