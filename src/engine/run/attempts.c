// One minimisation, or the best of several.
#include "engine/run/attempts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "engine/checkpoint/manifest.h"
#include "engine/problem/assemble.h"
#include "opt/outer_loop.h"
#include "opt/vector.h"

// ---- one ----

static bool is_warm(const tg_spec *spec)
{
  for (int k = 0; k < spec->n_variables; k++)
    if (spec->variables[k].start == TG_START_FILE || spec->variables[k].start == TG_START_MEMORY) return true;
  return false;
}

static tg_status minimise_once(tg_engine *engine, double time_limit, const opt_observer *observer)
{
  tg_setup *setup = engine->setup;
  if (engine->lagrangian == NULL) {
    opt_options options = setup->method->options;
    options.time_limit = time_limit;
    options.start_norms = engine->is_warm ? setup->own_norms : NULL;
    options.is_warm = engine->is_warm || is_warm(engine->spec);
    return opt_minimise(setup->problem, &options, setup->x, observer, &engine->result);
  }
  opt_options options = engine->spec->solver;
  opt_lagrangian_report report;
  options.time_limit = time_limit;
  TG_TRY(opt_minimise_lagrangian(setup->problem, tg_lagrangian_base(engine->lagrangian), &options, setup->x, observer,
                                 &engine->result, &report));
  tg_constraints_result_destroy(&engine->constraints);
  return tg_agree(engine->comm, tg_constraints_result_create(engine->lagrangian, setup->model->constraints, &report,
                                                             &engine->constraints));
}

// ---- several ----

// The best attempt so far.
typedef struct best {
  int number; // -1: none
  opt_point *x;
  opt_result result;
  tg_constraints_result *constraints; // NULL: no subject_to
} best;

static bool is_feasible(const tg_engine *engine, const opt_result *result)
{
  return engine->lagrangian == NULL || result->violation <= engine->spec->solver.constraint_tolerance;
}

static bool is_better(const tg_engine *engine, const best *b)
{
  const opt_result *result = &engine->result;
  if (b->number < 0) return true;
  if (is_feasible(engine, result) != is_feasible(engine, &b->result)) return is_feasible(engine, result);
  if (isnan(b->result.objective)) return !isnan(result->objective);
  return result->objective < b->result.objective;
}

static tg_status record(tg_engine *engine, best *b)
{
  const opt_result *result = &engine->result;
  engine->attempts[engine->n_attempts++] = (tg_attempt){.outcome = result->outcome,
                                                        .objective = result->objective,
                                                        .gradient_norm = result->gradient_norm,
                                                        .violation = result->violation,
                                                        .iterations = result->iterations};
  if (!is_better(engine, b)) return TG_OK;
  b->number = engine->n_attempts - 1;
  b->result = *result;
  tg_constraints_result_destroy(&b->constraints);
  if (engine->constraints != NULL)
    TG_TRY(tg_agree(engine->comm, tg_constraints_result_copy(engine->constraints, &b->constraints)));
  return opt_copy(engine->setup->space, engine->setup->x, b->x);
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

enum { BEST_NUMBERS = 11 };

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
                                          {"value_drift", &r->value_drift},
                                          {"decrease_estimate", &r->decrease_estimate},
                                          {"condition_estimate", &r->condition_estimate}};
  memcpy(out, rows, sizeof rows);
}

static json_t *pack_best(best *b)
{
  best_number numbers[BEST_NUMBERS];
  opt_result *r = &b->result;
  list_best(r, numbers);
  json_t *out = json_pack("{s:i, s:s, s:s, s:I, s:I, s:i, s:i, s:I, s:o?}", "number", b->number, "status",
                          opt_outcome_label(r->outcome), "reason", r->reason, "iterations", (json_int_t)r->iterations,
                          "solver_restarts", (json_int_t)r->restarts, "measured", r->n_measured, "worst", r->worst,
                          "saddles", (json_int_t)r->saddles, "subject_to",
                          b->constraints != NULL ? tg_constraints_result_pack(b->constraints) : NULL);
  for (int k = 0; k < BEST_NUMBERS && out != NULL; k++)
    json_object_set_new(out, numbers[k].key, tg_exact_number(*numbers[k].number));
  return out;
}

// Tells the checkpoints to come of the attempts done.
static tg_status hand_over(const tg_engine *engine, best *b)
{
  if (engine->checkpoint == NULL) return TG_OK;
  json_t *list = json_array();
  for (int k = 0; k < engine->n_attempts && list != NULL; k++)
    json_array_append_new(list, pack_record(&engine->attempts[k]));
  json_t *all = json_pack("{s:o, s:o}", "done", list, "best", pack_best(b));
  TG_TRY(tg_agree(engine->comm, all != NULL ? TG_OK : tg_error_set(TG_MEMORY, TG_HERE, "cannot keep the attempts")));
  tg_checkpoint_set_attempts(engine->checkpoint, all);
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

static bool read_best(const json_t *entry, const tg_constraints *constraints, best *b)
{
  best_number numbers[BEST_NUMBERS];
  opt_result *r = &b->result;
  const char *reason = json_string_value(json_object_get(entry, "reason"));
  if (reason == NULL || !read_outcome(entry, &r->outcome)) return false;
  snprintf(r->reason, sizeof r->reason, "%s", reason);
  r->iterations = json_integer_value(json_object_get(entry, "iterations"));
  r->restarts = json_integer_value(json_object_get(entry, "solver_restarts"));
  r->n_measured = (int)json_integer_value(json_object_get(entry, "measured"));
  r->worst = (int)json_integer_value(json_object_get(entry, "worst"));
  r->saddles = json_integer_value(json_object_get(entry, "saddles"));
  b->number = (int)json_integer_value(json_object_get(entry, "number"));
  if (constraints != NULL &&
      tg_constraints_result_read(json_object_get(entry, "subject_to"), constraints, &b->constraints) != TG_OK)
    return false;
  list_best(r, numbers);
  for (int k = 0; k < BEST_NUMBERS; k++)
    if (!tg_exact_read(json_object_get(entry, numbers[k].key), numbers[k].number)) return false;
  return true;
}

// The attempts done before the one that the checkpoint was written in.
static tg_status take_over(tg_engine *engine, best *b)
{
  const json_t *all = tg_checkpoint_attempts(engine->checkpoint);
  const json_t *done = json_object_get(all, "done");
  bool is_whole = true;
  for (size_t k = 0; k < json_array_size(done) && is_whole && engine->n_attempts < engine->spec->solver.restarts; k++)
    is_whole = read_record(json_array_get(done, k), &engine->attempts[engine->n_attempts++]);
  if (engine->n_attempts > 0)
    is_whole = is_whole && read_best(json_object_get(all, "best"), engine->setup->model->constraints, b);
  if (!is_whole) TG_FAIL(TG_DATA, "%s: the attempts done do not read", tg_checkpoint_source(engine->checkpoint));
  return hand_over(engine, b);
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

static tg_status attempt(tg_engine *engine, opt_outer_loop *outer_loop, best *b)
{
  const double left = opt_outer_loop_time_left(outer_loop, engine->spec->solver.time_limit);
  if (engine->n_attempts > 0 && !outer_loop->resumes) {
    TG_TRY(tg_setup_start_again(engine->setup, engine->n_attempts));
    if (engine->lagrangian != NULL) tg_lagrangian_reset(engine->lagrangian);
  }
  const opt_observer observer = opt_outer_loop_observer(outer_loop);
  TG_TRY(minimise_once(engine, left, &observer));
  // The start of the next attempt is a record of its own.
  opt_outer_loop_add(outer_loop, engine->result.iterations + 1, &engine->result);
  TG_TRY(record(engine, b));
  return hand_over(engine, b);
}

// The best attempt becomes the result, unless f has no best; a limit or a signal that cut the attempts short stays the
// outcome.
static tg_status choose_best(tg_engine *engine, const opt_outer_loop *outer_loop, const best *b)
{
  const opt_result last = engine->result;
  engine->result.seconds = outer_loop->seconds;
  if (last.outcome == OPT_UNBOUNDED) return TG_OK;
  engine->result = b->result;
  engine->result.method = last.method; // the same for all
  engine->result.line_search = last.line_search;
  engine->result.measure = last.measure;
  engine->result.counts = last.counts;
  engine->result.seconds = outer_loop->seconds;
  engine->result.outcome = is_last(&last) ? last.outcome : b->result.outcome;
  tg_constraints_result_destroy(&engine->constraints);
  if (b->constraints != NULL)
    TG_TRY(tg_agree(engine->comm, tg_constraints_result_copy(b->constraints, &engine->constraints)));
  snprintf(engine->result.reason, sizeof engine->result.reason, "the best of %d attempts is number %d: %.300s%s%.100s",
           engine->n_attempts, b->number + 1, b->result.reason, is_last(&last) ? "; then " : "",
           is_last(&last) ? last.reason : "");
  return opt_copy(engine->setup->space, b->x, engine->setup->x);
}

static tg_status minimise_several(tg_engine *engine, const opt_observer *observer)
{
  const opt_space *space = engine->setup->space;
  best b = {.number = -1};
  opt_outer_loop outer_loop = {.observer = observer, .name = "attempts", .list = list, .caller = &b};
  bool restored = false;
  tg_status status = tg_agree(engine->comm, TG_NEW(engine->spec->solver.restarts, &engine->attempts));
  if (status == TG_OK) status = space->ops->create(space, &b.x);
  if (status == TG_OK) status = opt_outer_loop_restore(&outer_loop, &restored);
  if (status == TG_OK && restored) status = take_over(engine, &b);
  while (status == TG_OK && engine->n_attempts < engine->spec->solver.restarts) {
    status = attempt(engine, &outer_loop, &b);
    if (is_last(&engine->result)) break;
  }
  if (status == TG_OK) status = choose_best(engine, &outer_loop, &b);
  space->ops->destroy(space, &b.x);
  opt_outer_loop_fini(&outer_loop);
  tg_constraints_result_destroy(&b.constraints);
  return status;
}

tg_status tg_attempts_minimise(tg_engine *engine, const opt_observer *observer)
{
  if (engine->spec->solver.restarts > 1)
    TG_TRY(minimise_several(engine, observer));
  else
    TG_TRY(minimise_once(engine, engine->spec->solver.time_limit, observer));
  return TG_OK;
}
