// One minimisation, or the best of several.
#include "cli/run/attempts.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/json.h"
#include "cli/method/method_parts.h"
#include "opt/sequence.h"
#include "opt/vector.h"

// ---- what goes together ----

static bool is_random(const tg_job_variable *variable)
{
  return variable->start == TG_START_NORMAL || variable->start == TG_START_UNIFORM ||
         variable->start == TG_START_FEASIBLE;
}

tg_status tg_attempts_check(tg_job *job, const tg_method *method)
{
  const tg_yaml_node *node = tg_yaml_get(tg_yaml_get(job->root, "solver"), "restarts");
  bool any = false;
  if (job->solver.restarts == 1) return TG_OK;
  for (int k = 0; k < job->n_variables; k++) any = any || is_random(&job->variables[k]);
  if (!any)
    TG_FAIL_NODE(job, node, TG_UNSUPPORTED,
                 "restarts: %" PRId64
                 " attempts would all begin at the same point, for no variable has a random start; "
                 "give start: normal, uniform or feasible",
                 job->solver.restarts);
  if (tg_method_is_direct(&method->options))
    TG_FAIL_NODE(job, node, TG_UNSUPPORTED,
                 "restarts: the method is direct, whose result does not depend on the start; leave restarts out");
  return TG_OK;
}

// ---- one ----

static tg_status minimise_once(tg_run *run, double time_limit, const opt_observer *observer)
{
  tg_setup *setup = run->setup;
  if (run->lagrangian == NULL) {
    opt_options options = setup->method->options;
    options.time_limit = time_limit;
    return opt_minimise(setup->problem, &options, setup->x, observer, &run->result);
  }
  opt_options options = run->job->solver;
  opt_lagrangian_report report;
  options.time_limit = time_limit;
  TG_TRY(opt_minimise_lagrangian(setup->problem, tg_lagrangian_base(run->lagrangian), &options, setup->x, observer,
                                 &run->result, &report));
  json_decref(run->subject_report);
  run->subject_report = tg_lagrangian_report(run->lagrangian, &report);
  return tg_agree(run->comm, run->subject_report != NULL
                                 ? TG_OK
                                 : tg_error_set(TG_MEMORY, TG_HERE, "cannot build the report of subject_to"));
}

// ---- several ----

// The best attempt so far.
typedef struct best {
  int number; // -1: none
  opt_point *x;
  opt_result result;
  json_t *subject_report;
} best;

static bool is_feasible(const tg_run *run, const opt_result *result)
{
  return run->lagrangian == NULL || result->violation <= run->job->solver.constraint_tolerance;
}

static bool is_better(const tg_run *run, const best *b)
{
  const opt_result *result = &run->result;
  if (b->number < 0) return true;
  if (is_feasible(run, result) != is_feasible(run, &b->result)) return is_feasible(run, result);
  if (isnan(b->result.objective)) return !isnan(result->objective);
  return result->objective < b->result.objective;
}

static tg_status record(tg_run *run, best *b)
{
  const opt_result *result = &run->result;
  run->attempts[run->n_attempts++] = (tg_attempt){.outcome = result->outcome,
                                                  .objective = result->objective,
                                                  .gradient_norm = result->gradient_norm,
                                                  .violation = result->violation,
                                                  .iterations = result->iterations};
  if (!is_better(run, b)) return TG_OK;
  b->number = run->n_attempts - 1;
  b->result = *result;
  json_decref(b->subject_report);
  b->subject_report = json_incref(run->subject_report);
  return opt_copy(run->setup->space, run->setup->x, b->x);
}

// What ends the attempts before their number is reached.
static bool is_last(const opt_result *result)
{
  const opt_outcome outcome = result->outcome;
  return outcome == OPT_INTERRUPTED || outcome == OPT_TIME_LIMIT || outcome == OPT_UNBOUNDED;
}

static tg_status attempt(tg_run *run, opt_sequence *sequence, best *b)
{
  const double limit = run->job->solver.time_limit;
  const double left = limit > 0 ? fmax(1e-300, limit - sequence->seconds) : 0;
  if (run->n_attempts > 0) {
    TG_TRY(tg_setup_restart(run->setup, run->n_attempts));
    if (run->lagrangian != NULL) tg_lagrangian_reset(run->lagrangian);
  }
  const opt_observer observer = opt_sequence_observer(sequence);
  TG_TRY(minimise_once(run, left, &observer));
  // The start of the next attempt is a record of its own.
  sequence->iterations += run->result.iterations + 1;
  sequence->seconds += run->result.seconds;
  return record(run, b);
}

// The best attempt becomes the result, unless f has no best; a limit or a signal that cut the attempts short stays the
// outcome.
static tg_status choose_best(tg_run *run, const opt_sequence *sequence, const best *b)
{
  const opt_result last = run->result;
  run->result.seconds = sequence->seconds;
  if (last.outcome == OPT_UNBOUNDED) return TG_OK;
  run->result = b->result;
  run->result.counts = last.counts;
  run->result.seconds = sequence->seconds;
  run->result.outcome = is_last(&last) ? last.outcome : b->result.outcome;
  json_decref(run->subject_report);
  run->subject_report = json_incref(b->subject_report);
  snprintf(run->result.reason, sizeof run->result.reason, "the best of %d attempts is number %d: %.300s%s%.100s",
           run->n_attempts, b->number + 1, b->result.reason, is_last(&last) ? "; then " : "",
           is_last(&last) ? last.reason : "");
  return opt_copy(run->setup->space, b->x, run->setup->x);
}

static tg_status minimise_several(tg_run *run, const opt_observer *observer)
{
  const opt_space *space = run->setup->space;
  opt_sequence sequence = {.observer = observer};
  best b = {.number = -1};
  tg_status status = tg_agree(run->comm, TG_NEW(run->job->solver.restarts, &run->attempts));
  if (status == TG_OK) status = space->ops->create(space, &b.x);
  while (status == TG_OK && run->n_attempts < run->job->solver.restarts) {
    status = attempt(run, &sequence, &b);
    if (is_last(&run->result)) break;
  }
  if (status == TG_OK) status = choose_best(run, &sequence, &b);
  space->ops->destroy(space, &b.x);
  json_decref(b.subject_report);
  return status;
}

tg_status tg_attempts_minimise(tg_run *run, const opt_observer *observer)
{
  if (run->job->solver.restarts > 1)
    TG_TRY(minimise_several(run, observer));
  else
    TG_TRY(minimise_once(run, run->job->solver.time_limit, observer));
  if (run->lagrangian != NULL) run->result.counts.products += tg_lagrangian_products(run->lagrangian);
  return TG_OK;
}

// ---- report ----

static json_t *seeds_of(const tg_job *job, int shift)
{
  json_t *out = json_object();
  for (int k = 0; k < job->n_variables && out != NULL; k++) {
    const tg_job_variable *variable = &job->variables[k];
    if (!is_random(variable)) continue;
    json_object_set_new(out, variable->name, json_integer((json_int_t)variable->seed + shift));
  }
  return out;
}

json_t *tg_attempts_report(const tg_run *run)
{
  json_t *list = json_array();
  for (int k = 0; k < run->n_attempts && list != NULL; k++) {
    const tg_attempt *a = &run->attempts[k];
    const double sign = run->job->maximize ? -1.0 : 1.0;
    json_t *entry = json_pack("{s:o, s:s, s:o, s:o, s:o, s:I}", "seeds", seeds_of(run->job, k), "status",
                              opt_outcome_label(a->outcome), "objective", tg_json_number(sign * a->objective + 0.0),
                              "gradient_norm", tg_json_number(a->gradient_norm), "constraint_violation",
                              tg_json_number(a->violation), "iterations", (json_int_t)a->iterations);
    if (json_array_append_new(list, entry) == 0) continue;
    json_decref(list);
    list = NULL;
  }
  return list;
}
