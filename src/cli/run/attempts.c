// One minimisation, or the best of several.
#include "cli/run/attempts.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/json.h"
#include "cli/run/subject_report.h"
#include "engine/checkpoint/manifest.h"
#include "engine/method/method_parts.h"
#include "opt/outer_loop.h"
#include "opt/vector.h"

// ---- what goes together ----

tg_status tg_attempts_check(tg_job *job, const tg_method *method)
{
  const tg_yaml_node *node = tg_yaml_get(tg_yaml_get(job->root, "solver"), "restarts");
  bool any = false;
  if (job->solver.restarts == 1) return TG_OK;
  for (int k = 0; k < job->n_variables; k++) any = any || tg_job_starts_randomly(&job->variables[k]);
  if (!any)
    TG_FAIL_NODE(node, TG_UNSUPPORTED,
                 "restarts: %" PRId64
                 " attempts would all begin at the same point, for no variable has a random start; "
                 "give start: normal, uniform or feasible",
                 job->solver.restarts);
  if (tg_method_is_direct(&method->options))
    TG_FAIL_NODE(node, TG_UNSUPPORTED,
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
  run->subject_report = tg_subject_report(run->lagrangian, run->setup->model->subject->n, &report);
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

// ---- what a checkpoint keeps of the attempts done ----

static json_t *pack_record(const tg_attempt *a)
{
  return json_pack("{s:s, s:o, s:o, s:o, s:I}", "status", opt_outcome_label(a->outcome), "objective",
                   tg_exact_number(a->objective), "gradient_norm", tg_exact_number(a->gradient_norm), "violation",
                   tg_exact_number(a->violation), "iterations", (json_int_t)a->iterations);
}

// Numbers of the best result that the report shows.
typedef struct best_number {
  const char *key;
  double *number;
} best_number;

enum { BEST_NUMBERS = 10 };

static void list_best(opt_result *r, best_number out[BEST_NUMBERS])
{
  const best_number rows[BEST_NUMBERS] = {{"objective", &r->objective},
                                          {"gradient_norm", &r->gradient_norm},
                                          {"gradient_norm_start", &r->gradient_norm_start},
                                          {"gradient_target", &r->gradient_target},
                                          {"worst_norm", &r->worst_norm},
                                          {"worst_target", &r->worst_target},
                                          {"violation", &r->violation},
                                          {"drift", &r->drift},
                                          {"decrease_estimate", &r->decrease_estimate},
                                          {"condition_estimate", &r->condition_estimate}};
  memcpy(out, rows, sizeof rows);
}

static json_t *pack_best(best *b)
{
  best_number numbers[BEST_NUMBERS];
  opt_result *r = &b->result;
  list_best(r, numbers);
  json_t *out = json_pack("{s:i, s:s, s:s, s:I, s:I, s:i, s:i, s:I, s:O?}", "number", b->number, "status",
                          opt_outcome_label(r->outcome), "reason", r->reason, "iterations", (json_int_t)r->iterations,
                          "solver_restarts", (json_int_t)r->restarts, "measured", r->n_measured, "worst", r->worst,
                          "saddles", (json_int_t)r->saddles, "subject_to", b->subject_report);
  for (int k = 0; k < BEST_NUMBERS && out != NULL; k++)
    json_object_set_new(out, numbers[k].key, tg_exact_number(*numbers[k].number));
  return out;
}

// Tells the checkpoints to come of the attempts done.
static tg_status hand_over(const tg_run *run, best *b)
{
  if (run->checkpoint == NULL) return TG_OK;
  json_t *list = json_array();
  for (int k = 0; k < run->n_attempts && list != NULL; k++) json_array_append_new(list, pack_record(&run->attempts[k]));
  json_t *all = json_pack("{s:o, s:o}", "done", list, "best", pack_best(b));
  TG_TRY(tg_agree(run->comm, all != NULL ? TG_OK : tg_error_set(TG_MEMORY, TG_HERE, "cannot keep the attempts")));
  tg_checkpoint_set_attempts(run->checkpoint, all);
  return TG_OK;
}

static bool read_outcome(const json_t *object, opt_outcome *out)
{
  const char *label = json_string_value(json_object_get(object, "status"));
  for (int k = 0; k < OPT_OUTCOME_COUNT && label != NULL; k++) {
    if (strcmp(label, opt_outcome_label((opt_outcome)k)) != 0) continue;
    *out = (opt_outcome)k;
    return true;
  }
  return false;
}

static bool read_record(const json_t *entry, tg_attempt *out)
{
  out->iterations = json_integer_value(json_object_get(entry, "iterations"));
  return read_outcome(entry, &out->outcome) && tg_exact_read(json_object_get(entry, "objective"), &out->objective) &&
         tg_exact_read(json_object_get(entry, "gradient_norm"), &out->gradient_norm) &&
         tg_exact_read(json_object_get(entry, "violation"), &out->violation);
}

static bool read_best(const json_t *entry, best *b)
{
  best_number numbers[BEST_NUMBERS];
  opt_result *r = &b->result;
  const char *reason = json_string_value(json_object_get(entry, "reason"));
  json_t *subject = json_object_get(entry, "subject_to");
  if (reason == NULL || !read_outcome(entry, &r->outcome)) return false;
  snprintf(r->reason, sizeof r->reason, "%s", reason);
  r->iterations = json_integer_value(json_object_get(entry, "iterations"));
  r->restarts = json_integer_value(json_object_get(entry, "solver_restarts"));
  r->n_measured = (int)json_integer_value(json_object_get(entry, "measured"));
  r->worst = (int)json_integer_value(json_object_get(entry, "worst"));
  r->saddles = json_integer_value(json_object_get(entry, "saddles"));
  b->number = (int)json_integer_value(json_object_get(entry, "number"));
  if (json_is_object(subject)) b->subject_report = json_incref(subject);
  list_best(r, numbers);
  for (int k = 0; k < BEST_NUMBERS; k++)
    if (!tg_exact_read(json_object_get(entry, numbers[k].key), numbers[k].number)) return false;
  return true;
}

// The attempts done before the one that the checkpoint was written in.
static tg_status take_over(tg_run *run, best *b)
{
  const json_t *all = tg_checkpoint_attempts(run->checkpoint);
  const json_t *done = json_object_get(all, "done");
  bool is_whole = true;
  for (size_t k = 0; k < json_array_size(done) && is_whole && run->n_attempts < run->job->solver.restarts; k++)
    is_whole = read_record(json_array_get(done, k), &run->attempts[run->n_attempts++]);
  if (run->n_attempts > 0) is_whole = is_whole && read_best(json_object_get(all, "best"), b);
  if (!is_whole) TG_FAIL(TG_DATA, "%s: the attempts done do not read", tg_checkpoint_source(run->checkpoint));
  return hand_over(run, b);
}

// The outer loop's entry: where the best attempt ended.
static tg_status list(void *caller, opt_listing *listing)
{
  best *b = caller;
  TG_TRY(opt_listing_add_vector(listing, "best_attempt", -1, b->x));
  opt_listing_mark(listing, b->number < 0);
  return TG_OK;
}

// What ends the attempts before their number is reached.
static bool is_last(const opt_result *result)
{
  const opt_outcome outcome = result->outcome;
  return outcome == OPT_INTERRUPTED || outcome == OPT_TIME_LIMIT || outcome == OPT_UNBOUNDED;
}

static tg_status attempt(tg_run *run, opt_outer_loop *outer_loop, best *b)
{
  const double left = opt_outer_loop_time_left(outer_loop, run->job->solver.time_limit);
  if (run->n_attempts > 0 && !outer_loop->resumes) {
    TG_TRY(tg_setup_restart(run->setup, run->n_attempts));
    if (run->lagrangian != NULL) tg_lagrangian_reset(run->lagrangian);
  }
  const opt_observer observer = opt_outer_loop_observer(outer_loop);
  TG_TRY(minimise_once(run, left, &observer));
  // The start of the next attempt is a record of its own.
  opt_outer_loop_add(outer_loop, run->result.iterations + 1, &run->result);
  TG_TRY(record(run, b));
  return hand_over(run, b);
}

// The best attempt becomes the result, unless f has no best; a limit or a signal that cut the attempts short stays the
// outcome.
static tg_status choose_best(tg_run *run, const opt_outer_loop *outer_loop, const best *b)
{
  const opt_result last = run->result;
  run->result.seconds = outer_loop->seconds;
  if (last.outcome == OPT_UNBOUNDED) return TG_OK;
  run->result = b->result;
  run->result.method = last.method; // the same for all
  run->result.line_search = last.line_search;
  run->result.measure = last.measure;
  run->result.counts = last.counts;
  run->result.seconds = outer_loop->seconds;
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
  best b = {.number = -1};
  opt_outer_loop outer_loop = {.observer = observer, .name = "attempts", .list = list, .caller = &b};
  bool restored = false;
  tg_status status = tg_agree(run->comm, TG_NEW(run->job->solver.restarts, &run->attempts));
  if (status == TG_OK) status = space->ops->create(space, &b.x);
  if (status == TG_OK) status = opt_outer_loop_restore(&outer_loop, &restored);
  if (status == TG_OK && restored) status = take_over(run, &b);
  while (status == TG_OK && run->n_attempts < run->job->solver.restarts) {
    status = attempt(run, &outer_loop, &b);
    if (is_last(&run->result)) break;
  }
  if (status == TG_OK) status = choose_best(run, &outer_loop, &b);
  space->ops->destroy(space, &b.x);
  opt_outer_loop_fini(&outer_loop);
  json_decref(b.subject_report);
  return status;
}

tg_status tg_attempts_minimise(tg_run *run, const opt_observer *observer)
{
  if (run->job->solver.restarts > 1)
    TG_TRY(minimise_several(run, observer));
  else
    TG_TRY(minimise_once(run, run->job->solver.time_limit, observer));
  return TG_OK;
}

// ---- report ----

static json_t *seeds_of(const tg_job *job, int shift)
{
  json_t *out = json_object();
  for (int k = 0; k < job->n_variables && out != NULL; k++) {
    const tg_job_variable *variable = &job->variables[k];
    if (!tg_job_starts_randomly(variable)) continue;
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
