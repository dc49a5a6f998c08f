// Long results with the parts that they share named: T1 = ..., each written once.
#include <stdlib.h>

#include "base/memory.h"
#include "grad/graph/op.h"
#include "grad/text/print_parts.h"

enum {
  NAMED_LENGTH = 16, // shorter parts are written out
  NAME_LENGTH = 3,
  OPERATOR_LENGTH = 3,
};

// About how many characters a node takes, named parts by their names.
static double length_of(const tg_graph *g, tg_node node, const double *lengths, const int32_t *parts)
{
  const tg_info *info = tg_node_info(g, node);
  double length = info->n_args == 0 ? 2.0 : 0.0;
  for (int32_t i = 0; i < info->n_args; i++)
    length += OPERATOR_LENGTH + (parts[info->args[i]] > 0 ? (double)NAME_LENGTH : lengths[info->args[i]]);
  return length;
}

// parts[k]: the number of a part below node that several others use, from 1 on; 0: it is none.
static tg_status number_parts(const tg_graph *g, tg_node node, int32_t *parts, int32_t *count)
{
  tg_status status = TG_OK;
  uint8_t *below = NULL;
  int32_t *uses = NULL;
  double *lengths = NULL;
  *count = 0;
  TG_TRY_GOTO(tg_node_find_below(g, node, &below));
  TG_TRY_GOTO(TG_NEW((int64_t)node + 1, &uses));
  TG_TRY_GOTO(TG_NEW((int64_t)node + 1, &lengths));
  for (tg_node at = 1; at <= node; at++) {
    const tg_info *info = tg_node_info(g, at);
    for (int32_t i = 0; below[at] != 0 && i < info->n_args; i++) uses[info->args[i]]++;
  }
  for (tg_node at = 1; at < node; at++) {
    if (below[at] == 0) continue;
    lengths[at] = length_of(g, at, lengths, parts);
    if (uses[at] > 1 && lengths[at] >= NAMED_LENGTH) parts[at] = ++*count;
  }
done:
  tg_free(below);
  tg_free(uses);
  tg_free(lengths);
  return status;
}

// T, or T_, T__, where a name of the graph looks like a part's.
static void choose_prefix(const tg_graph *g, int32_t count, tg_text *out)
{
  bool taken = true;
  tg_text_add(out, "T");
  while (taken) {
    taken = false;
    for (int32_t k = 1; k <= count && !taken; k++) {
      tg_text name;
      tg_text_init(&name);
      tg_text_addf(&name, "%s%d", tg_text_string(out), (int)k);
      taken = tg_symbol_find(g, tg_text_string(&name)) >= 0;
      tg_text_fini(&name);
    }
    if (taken) tg_text_add(out, "_");
  }
}

bool tg_print_is_part(const tg_printer *p, tg_node node)
{
  return p->parts != NULL && node < p->n_parts && p->parts[node] > 0 && node != p->defined;
}

void tg_print_part(tg_printer *p, tg_node node)
{
  tg_text_addf(p->out, "%s%d", p->prefix, (int)p->parts[node]);
}

static tg_status print_parts(tg_graph *g, tg_node node, tg_format format, const int32_t *parts, const char *prefix,
                             tg_text *out, tg_text *where)
{
  tg_status status = TG_OK;
  const tg_node end = node + 1;
  for (tg_node at = node; at > 0 && status == TG_OK; at--) {
    const bool whole = at == node;
    if (!whole && parts[at] == 0) continue;
    tg_text *to = whole ? out : where;
    if (!whole) tg_text_addf(to, "%s%d = ", prefix, (int)parts[at]);
    tg_printer p = {.g = g,
                    .format = format,
                    .out = to,
                    .longest = to->length + TG_PRINT_BYTES_MAX,
                    .turned = -1,
                    .parts = parts,
                    .n_parts = end,
                    .prefix = prefix,
                    .defined = at};
    tg_print_node(&p, at, PREC_SUM, &status);
    if (!whole) tg_text_add(to, "\n");
    if (status == TG_OK && p.is_cut) TG_FAIL(TG_LIMIT, "the result is longer than %d characters", TG_PRINT_BYTES_MAX);
  }
  TG_TRY(status);
  TG_TRY(tg_text_status(out));
  return tg_text_status(where);
}

tg_status tg_print_shared(tg_graph *graph, tg_node node, tg_format format, size_t bytes, tg_text *out, tg_text *where)
{
  tg_status status = TG_OK;
  int32_t *parts = NULL;
  int32_t count = 0;
  tg_text prefix;
  tg_text start;
  tg_text_init(&prefix);
  tg_text_init(&start);
  TG_TRY_GOTO(tg_print_start(graph, node, format, bytes, &start));
  if (start.length > bytes) {
    TG_TRY_GOTO(TG_NEW((int64_t)node + 1, &parts));
    TG_TRY_GOTO(number_parts(graph, node, parts, &count));
  }
  if (count == 0) {
    TG_TRY_GOTO(tg_print(graph, node, format, out));
    goto done;
  }
  choose_prefix(graph, count, &prefix);
  TG_TRY_GOTO(tg_text_status(&prefix));
  TG_TRY_GOTO(print_parts(graph, node, format, parts, tg_text_string(&prefix), out, where));
done:
  tg_text_fini(&prefix);
  tg_text_fini(&start);
  tg_free(parts);
  return status;
}
