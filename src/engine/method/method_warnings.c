// Keys of a job that what was chosen does not use: a warning, for the job means something else than it does.
#include "engine/method/method.h"
#include "engine/method/method_facts.h"
#include "engine/strategy/strategy_words.h"

static void warn_of_options(const tg_task *task, const tg_strategy_facts *facts, const tg_strategy *strategy,
                            const tg_way *way)
{
  tg_unused unused[TG_UNUSED_MAX];
  const int n = tg_strategy_find_unused(facts, strategy, way, unused);
  tg_text text;
  tg_text_init(&text);
  for (int k = 0; k < n; k++) {
    tg_text_clear(&text);
    tg_unused_explain(&unused[k], strategy, way, &text);
    tg_message_warn_at(task->spec->messages, tg_spec_solver_mark(task->spec, unused[k].key), "%s",
                       tg_text_string(&text));
  }
  tg_text_fini(&text);
}

static void warn_of_starts(const tg_task *task)
{
  for (int k = 0; k < task->spec->n_variables; k++) {
    const tg_task_variable *x = &task->variables[k];
    if (x->spec->seed_is_given && !tg_task_starts_randomly(x) && !tg_task_on_manifold(x))
      tg_message_warn_at(task->spec->messages, x->spec->seed_mark,
                         "seed is for a random start, which that of %s is not; take start: normal", x->spec->name);
  }
}

void tg_method_warn_unused(const tg_task *task, const tg_model *model, const tg_method *method)
{
  tg_method_facts facts;
  if (tg_method_facts_read(task, model, &facts) == TG_OK)
    warn_of_options(task, &facts.base, method->strategy, tg_method_way(method));
  else
    tg_error_clear();
  tg_method_facts_fini(&facts);
  warn_of_starts(task);
}
