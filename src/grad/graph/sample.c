// The value of a node on small matrices, in plain loops: an oracle for claims and tests.
#include <string.h>

#include "base/memory.h"
#include "grad/calculus.h"
#include "grad/graph/op.h"

enum { SAMPLE_ENTRIES_MAX = 1000000 };

static tg_status sample_node(const tg_graph *g, tg_node node, const double *const *values, tg_value *all)
{
  const tg_info *info = tg_node_info(g, node);
  tg_value *value = &all[node];
  value->rows = tg_dim_value(g, info->rows);
  value->cols = tg_dim_value(g, info->cols);
  if (value->rows < 0 || value->cols < 0) TG_FAIL(TG_SHAPE, "a sample needs sizes that are numbers");
  if (value->rows > SAMPLE_ENTRIES_MAX / value->cols)
    TG_FAIL(TG_LIMIT, "a sample matrix would have more than %d entries", SAMPLE_ENTRIES_MAX);
  const int64_t count = value->rows * value->cols;
  TG_TRY(TG_NEW(count, &value->data));
  if (info->kind == TG_SYM) {
    memcpy(value->data, values[info->symbol], sizeof(double) * (size_t)count);
    return TG_OK;
  }
  tg_value *args = NULL;
  TG_TRY(TG_NEW(info->n_args, &args));
  for (int32_t i = 0; i < info->n_args; i++) args[i] = all[info->args[i]];
  const tg_status status = tg_op_get(info->kind)->sample(g, node, args, value);
  tg_free(args);
  return status;
}

tg_status tg_sample(tg_graph *graph, tg_node node, const double *const *values, double **out)
{
  tg_status status = TG_OK;
  uint8_t *below = NULL;
  tg_value *all = NULL;
  *out = NULL;
  TG_TRY_GOTO(tg_node_find_below(graph, node, &below));
  TG_TRY_GOTO(TG_NEW((int64_t)node + 1, &all));
  for (tg_node at = 1; at <= node; at++)
    if (below[at] != 0) TG_TRY_GOTO(sample_node(graph, at, values, all));
  *out = all[node].data;
  all[node].data = NULL;
done:
  for (tg_node at = 1; all != NULL && at <= node; at++) tg_free(all[at].data);
  tg_free(all);
  tg_free(below);
  return status;
}
