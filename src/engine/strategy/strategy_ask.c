// Questions to a decision: its way, its names, the options that it has no use for.
#include <string.h>

#include "engine/strategy/strategy_parts.h"
#include "opt/driver.h"
#include "opt/resolve.h"
#include "opt/solver.h"

const tg_way *tg_strategy_way(const tg_strategy *strategy, const tg_verdict *verdict)
{
  return &strategy->ways[verdict->way];
}

tg_preconditioner_kind tg_strategy_offered(const tg_strategy *strategy, const tg_verdict *verdict)
{
  const opt_solver *solver = tg_strategy_way(strategy, verdict)->solver;
  for (int k = 0; k < strategy->n_ways; k++) {
    const tg_way *way = &strategy->ways[k];
    const bool is_known = verdict->has_signs || (way->conditions & TG_IF_NONNEGATIVE) == 0;
    if (way->solver == solver && is_known) return way->preconditioner;
  }
  return TG_PRECONDITIONER_NONE;
}

const char *tg_way_method(const tg_way *way)
{
  return opt_option_choices(OPT_KIND_METHOD)[way->method];
}

const char *tg_way_second(const tg_way *way)
{
  return way->second > 0 ? opt_option_choices(OPT_KIND_METHOD)[way->second] : NULL;
}

bool tg_way_keeps_pairs(const tg_way *way)
{
  return way->solver == opt_solver_find("l-bfgs") || way->solver == &opt_solver_bounded_lbfgs;
}

const char *tg_way_search(const tg_strategy *strategy, const tg_way *way)
{
  opt_options options;
  opt_options_init(&options);
  options.method = way->method;
  options.line_search = way->line_search;
  return opt_resolved_line_search(&options, strategy->degree);
}

// ---- options without use ----

// Options of one method each.
static const struct {
  const char *key;
  const char *method;
} owners[] = {{"beta", "conjugate-gradient"},
              {"memory", "l-bfgs"},
              {"nonmonotone_memory", "barzilai-borwein"},
              {"trust_radius", "newton-cg"}};

typedef struct listing {
  const opt_options *options;
  int n;
  tg_unused *out;
} listing;

// Where the job sets it to anything but its default.
static void add(listing *list, const char *key, tg_unused_reason reason, const char *owner)
{
  if (opt_option_is_default(list->options, opt_option_find(key))) return;
  list->out[list->n++] = (tg_unused){.key = key, .reason = reason, .owner = owner};
}

static bool has_columns(const tg_strategy_facts *facts)
{
  for (int k = 0; k < facts->n_variables; k++)
    if (facts->variables[k].set.kind == OPT_CONSTRAINT_ORTHONORMAL_COLUMNS) return true;
  return false;
}

int tg_strategy_find_unused(const tg_strategy_facts *facts, const tg_strategy *strategy, const tg_way *way,
                            tg_unused out[TG_UNUSED_MAX])
{
  listing list = {.options = facts->options, .out = out};
  const char *method = tg_way_method(way);
  const char *search = tg_way_search(strategy, way);
  if (!has_columns(facts)) add(&list, "retraction", TG_UNUSED_NO_COLUMNS, NULL);
  if (facts->rounds == NULL) {
    add(&list, "constraint_tolerance", TG_UNUSED_NO_ROUNDS, NULL);
    add(&list, "penalty", TG_UNUSED_NO_ROUNDS, NULL);
  }
  // Each half-step of alternating takes what it needs.
  if (way->solver->needs_blocks) return list.n;
  for (size_t k = 0; k < sizeof owners / sizeof owners[0]; k++)
    if (strcmp(method, owners[k].method) != 0) add(&list, owners[k].key, TG_UNUSED_OTHER_METHOD, owners[k].method);
  if (strcmp(search, "none") == 0) add(&list, "line_search", TG_UNUSED_OWN_STEP, NULL);
  if (strcmp(search, "fixed") != 0) add(&list, "step_length", TG_UNUSED_NOT_FIXED, NULL);
  return list.n;
}
