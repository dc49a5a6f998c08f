// The optimiser's entry: checks, directions, and the choice among the ways to write the objective.
#include "grad/lower.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "grad/lower_parts.h"

typedef struct pass_row {
  const char *label;
  const char *help;
} pass_row;

static const pass_row passes[TG_PASS_COUNT] = {
#define TG_PASS_ROW(name, label, help) {label, help},
    TG_PASS_LIST(TG_PASS_ROW)
#undef TG_PASS_ROW
};

int tg_pass_find(const char *name)
{
  for (int k = 0; k < TG_PASS_COUNT; k++)
    if (strcmp(passes[k].label, name) == 0) return k;
  return -1;
}

const char *tg_pass_label(tg_pass pass)
{
  return passes[pass].label;
}

const char *tg_pass_help(tg_pass pass)
{
  return passes[pass].help;
}

// ---- directions ----

static bool is_variable(int32_t n, const int32_t *wrt, int32_t symbol)
{
  for (int32_t k = 0; k < n; k++)
    if (wrt[k] == symbol) return true;
  return false;
}

// The symbol D_X for the direction of X. A name that means something else already gets underscores.
static tg_status direction_of(tg_graph *graph, int32_t n, const int32_t *wrt, int32_t symbol, int32_t *out)
{
  const tg_symbol variable = *tg_symbol_info(graph, symbol);
  tg_status status = TG_OK;
  tg_text name;
  tg_text_init(&name);
  tg_text_addf(&name, "D_%s", variable.name);
  TG_TRY_GOTO(tg_text_status(&name));
  *out = tg_symbol_find(graph, tg_text_string(&name));
  while (*out >= 0) {
    const tg_symbol *known = tg_symbol_info(graph, *out);
    if (known->free && known->rows == variable.rows && known->cols == variable.cols && !is_variable(n, wrt, *out))
      goto done; // made by an earlier call
    tg_text_add(&name, "_");
    TG_TRY_GOTO(tg_text_status(&name));
    *out = tg_symbol_find(graph, tg_text_string(&name));
  }
  TG_TRY_GOTO(tg_symbol_add(graph, tg_text_string(&name), variable.rows, variable.cols, 0, true, out));
done:
  tg_text_fini(&name);
  return status;
}

// ---- checks ----

static tg_status check_sizes(const tg_graph *graph, tg_node node, uint8_t *seen)
{
  const tg_info *info = tg_node_info(graph, node);
  if (seen[node] != 0) return TG_OK;
  seen[node] = 1;
  if (tg_dim_value(graph, info->rows) < 1 || tg_dim_value(graph, info->cols) < 1)
    TG_FAIL(TG_SHAPE, "a plan needs sizes that are numbers; part of the objective has a symbolic size");
  for (int32_t i = 0; i < info->n_args; i++) TG_TRY(check_sizes(graph, info->args[i], seen));
  return TG_OK;
}

static tg_status check(const tg_graph *graph, tg_node f, int32_t n)
{
  uint8_t *seen = NULL;
  if (n < 1) TG_FAIL(TG_VALUE, "a plan needs at least one variable");
  if (!tg_node_is_scalar(graph, f)) TG_FAIL(TG_SHAPE, "a plan needs a 1 x 1 objective");
  TG_TRY(TG_NEW((int64_t)f + 1, &seen));
  const tg_status status = check_sizes(graph, f, seen);
  tg_free(seen);
  return status;
}

// ---- one attempt ----

static void lowering_fini(tg_lowering *l)
{
  tg_free(l->buffers.items);
  tg_free(l->factors.items);
  tg_free(l->inits.items);
  tg_free(l->constant.items);
  tg_free(l->uses.items);
  tg_free(l->wanted.items);
  tg_free(l->symbols.items);
  for (int p = 0; p < TG_PROGRAM_COUNT; p++) {
    tg_free(l->programs[p].items);
    tg_free(l->memo[p].items);
  }
  tg_arena_fini(&l->arena);
}

static tg_status attempt(const tg_lowering *setting, tg_node f, tg_low_variant variant, tg_plan **out)
{
  tg_lowering l = *setting;
  l.variant = variant;
  tg_arena_init(&l.arena);
  const tg_status status = tg_low_build(&l, f, out);
  lowering_fini(&l);
  return status;
}

tg_status tg_lower(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, const tg_lower_options *options,
                   tg_plan **out)
{
  static const tg_lower_options plain = {.want_hessian = false};
  tg_status status = TG_OK;
  int32_t *along = NULL;
  *out = NULL;
  if (options == NULL) options = &plain;
  TG_TRY(check(graph, f, n));
  TG_TRY_GOTO(TG_NEW(n, &along));
  for (int32_t k = 0; k < n; k++) TG_TRY_GOTO(direction_of(graph, n, wrt, wrt[k], &along[k]));
  const tg_lowering setting = {
      .graph = graph,
      .options = options,
      .iterations = options->expected_iterations > 0 ? (double)options->expected_iterations : 100,
      .n = n,
      .wrt = wrt,
      .along = along,
      .degree = tg_degree(graph, f, n, wrt),
  };
  TG_TRY_GOTO(attempt(&setting, f, (tg_low_variant){0}, out));
done:
  tg_free(along);
  return status;
}
