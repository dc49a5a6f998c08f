// What a strategy becomes for a job: its facts in, the way that is taken out; why it was taken is worded in
// strategy_words.c.
#include "engine/method/method.h"

#include <inttypes.h>

#include "base/memory.h"
#include "engine/method/method_facts.h"
#include "engine/method/method_parts.h"
#include "engine/strategy/strategy_words.h"
#include "opt/driver.h"

bool tg_method_is_direct(const opt_options *options)
{
  return options->method == opt_option_choice(OPT_KIND_METHOD, "direct");
}

const tg_way *tg_method_way(const tg_method *method)
{
  return tg_strategy_way(method->strategy, &method->verdict);
}

static void take_second(void *self)
{
  tg_method *m = self;
  m->verdict.exchanges++;
}

void tg_method_take(tg_method *m, int way)
{
  const tg_way *taken = &m->strategy->ways[way];
  m->verdict.way = way;
  m->second = (opt_second){.method = taken->second, .after = taken->after, .taken = take_second, .self = m};
  m->options.second = taken->second > 0 ? &m->second : NULL;
  m->options.method = m->strategy->ways[way].method;
  m->options.line_search = m->strategy->ways[way].line_search;
}

static void fill_options(const tg_task *task, const tg_model *model, tg_method *m)
{
  m->options = task->spec->solver;
  m->options.memory = m->strategy->pairs;
  m->options.is_convex = model->is_convex;
  m->options.convexity = model->convexity;
  m->options.is_nonnegative = m->strategy->is_nonnegative;
  m->options.has_jumps = m->strategy->has_jumps;
  if (!model->plan->has_hessian) m->options.examines = OPT_EXAMINE_NEVER;
  for (int k = 0; k < task->spec->n_variables; k++)
    if ((task->variables[k].domain & TG_SPD) != 0 || m->strategy->offer.diagonals_follow) m->options.has_border = true;
  tg_method_take(m, 0);
}

// A refusal is shown at the key that asks for what there is not.
static tg_status locate(const tg_task *task, tg_strategy_key key, tg_status status)
{
  static const char *const names[] = {
      [TG_KEY_METHOD] = "method", [TG_KEY_LINE_SEARCH] = "line_search", [TG_KEY_PRECONDITIONER] = "preconditioner"};
  if (status == TG_OK || key == TG_KEY_NONE) return status;
  return tg_error_locate(tg_spec_solver_mark(task->spec, names[key]), status);
}

static tg_status choose(const tg_task *task, const tg_model *model, tg_method *m)
{
  const tg_strategy_costs costs = tg_strategy_costs_default();
  tg_strategy_key key = TG_KEY_NONE;
  tg_method_facts facts;
  tg_status status = tg_method_facts_read(task, model, &facts);
  if (status == TG_OK) status = tg_strategize(model->graph, &facts.base, &costs, &key, &m->strategy);
  status = locate(task, key, status);
  tg_method_facts_fini(&facts);
  if (status == TG_OK) fill_options(task, model, m);
  return status;
}

tg_status tg_method_choose(const tg_task *task, const tg_model *model, tg_method **out)
{
  *out = NULL;
  tg_method *m = NULL;
  TG_TRY(TG_NEW(1, &m));
  const tg_status status = choose(task, model, m);
  if (status != TG_OK) {
    tg_method_destroy(&m);
    return tg_error_pass(status, TG_HERE);
  }
  *out = m;
  return TG_OK;
}

tg_status tg_method_find_lines(const tg_task *task, const tg_model *model, int variable, tg_strategy_lines *out)
{
  const tg_strategy_costs costs = tg_strategy_costs_default();
  tg_method_facts facts;
  *out = (tg_strategy_lines){.serves = false};
  tg_status status = tg_method_facts_read(task, model, &facts);
  if (status == TG_OK) status = tg_strategy_find_lines(model->graph, &facts.base, &costs, variable, out);
  tg_method_facts_fini(&facts);
  return status;
}

// ---- words ----

void tg_method_explain(const tg_method *method, const tg_model *model, tg_text *out)
{
  tg_strategy_explain(model->graph, method->strategy, &method->verdict, out);
}

void tg_method_explain_preconditioner(const tg_method *method, tg_text *out)
{
  tg_strategy_explain_preconditioner(method->strategy, &method->verdict, out);
}

void tg_method_explain_exchange(const tg_method *method, tg_text *out)
{
  tg_strategy_explain_exchange(method->strategy, &method->verdict, out);
}

void tg_method_print_groups(const tg_method *method, const tg_model *model, const char *label, tg_text *out)
{
  const int64_t n = tg_method_way(method)->n_groups;
  if (n == 1) return;
  tg_text_addf(out, "%s%" PRId64 ", for the objective is a sum over ", label, n);
  tg_model_describe_groups(model, out);
  tg_text_addf(out, "\n");
}

void tg_method_print(const tg_method *method, const tg_model *model, tg_text *out)
{
  tg_text groups;
  tg_text_init(&groups);
  tg_method_print_groups(method, model, "  groups    ", &groups);
  tg_strategy_print(model->graph, method->strategy, &method->verdict, tg_text_string(&groups), out);
  tg_text_fini(&groups);
}

// ---- life ----

void tg_method_destroy(tg_method **method)
{
  tg_method *m = *method;
  if (m == NULL) return;
  tg_strategy_destroy(&m->strategy);
  tg_direct_destroy(&m->direct);
  tg_direct_destroy(&m->kronecker);
  tg_diagonal_destroy(&m->diagonal);
  tg_dmat_destroy(&m->half);
  tg_method_following_destroy(&m->following);
  tg_workspace_destroy(&m->workspace);
  tg_free(m->by);
  tg_free(m);
  *method = NULL;
}
