// tune: numbers of a job that are found by minimising a score of its fits.
#include "report/tune.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/whole_file.h"
#include "engine/checkpoint/folder.h"
#include "engine/checkpoint/identity.h"
#include "engine/problem/assemble.h"
#include "engine/sweep/path.h"
#include "engine/sweep/points.h"
#include "engine/sweep/score.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/space/space.h"
#include "report/outputs.h"
#include "report/tune_rows.h"

// The first steps: a decade.
static const double first_step = 2.302585092994046;
static const double range = 1e6;

static const tg_tune *tune_of(const tg_tune_run *t)
{
  return t->job->spec.tune;
}

void tg_tune_describe(const tg_spec *base, const double *numbers, tg_text *out)
{
  for (int k = 0; k < base->tune->n; k++)
    tg_text_addf(out, "%s%s = %.6g", k > 0 ? ", " : "", base->data[base->tune->data[k]].name, numbers[k]);
}

// ---- specs ----

// What a fit is made of: nothing is written, nothing beside the minimum is found.
static tg_status make_spec(const tg_tune_run *t, int fold, const double *numbers, tg_spec **out)
{
  const tg_spec *base = &t->job->spec;
  tg_status status = base->folds != NULL ? tg_sweep_spec_at(base, fold, out) : tg_sweep_copy_spec(base, out);
  TG_TRY(tg_agree(t->comm, status));
  tg_spec *spec = *out;
  for (int k = 0; k < base->tune->n; k++) spec->data[base->tune->data[k]].number = numbers[k];
  for (int k = 0; k < spec->n_variables; k++) spec->variables[k].output = NULL;
  spec->output_directory = NULL;
  spec->writes_multipliers = false;
  spec->n_sensitivities = 0;
  spec->covariance.is_asked = false;
  spec->errors = NULL;
  return TG_OK;
}

// ---- starts ----

static void drop_start(const tg_tune_run *t, int fold)
{
  tg_dmat **start = t->starts[fold];
  for (int k = 0; start != NULL && k < t->job->spec.n_variables; k++) tg_dmat_destroy(&start[k]);
  tg_free(start);
  t->starts[fold] = NULL;
}

static tg_status copy_start(const tg_setup *setup, tg_dmat **out)
{
  for (int k = 0; k < setup->task->spec->n_variables; k++) {
    const tg_dmat *x = tg_space_block(setup->x, k);
    TG_TRY(tg_agree(setup->comm, tg_dmat_create(setup->grid, x->rows, x->cols, &out[k])));
    TG_TRY(tg_dmat_copy(x, out[k]));
  }
  return TG_OK;
}

static tg_status name_starts(const tg_tune_run *t, tg_text *out)
{
  return tg_output_path(t->job->spec.output_directory, ".starts", out);
}

// In memory, and on the disk for a run that goes on: the files of the evaluation before stay until its row stands.
static tg_status keep_start(tg_tune_run *t, const tg_setup *setup, int fold)
{
  tg_text folder;
  drop_start(t, fold);
  TG_TRY(tg_agree(t->comm, TG_NEW(t->job->spec.n_variables, &t->starts[fold])));
  TG_TRY(copy_start(setup, t->starts[fold]));
  tg_text_init(&folder);
  tg_status status = tg_agree(t->comm, name_starts(t, &folder));
  t->places[fold] = (int64_t)t->log.n * t->log.n_folds + fold;
  if (status == TG_OK) status = tg_sweep_path_write(setup, tg_text_string(&folder), t->places[fold], t->starts[fold]);
  tg_text_fini(&folder);
  return status;
}

static bool is_place(const tg_tune_run *t, int64_t number)
{
  for (int fold = 0; fold < t->log.n_folds; fold++)
    if (t->places[fold] == number) return true;
  return false;
}

// Files that no fit will begin with; all: nor any of those in use. Rank 0.
static void clean_starts(const tg_tune_run *t, bool all)
{
  tg_text folder;
  tg_text path;
  tg_text_init(&folder);
  tg_text_init(&path);
  const bool is_named = name_starts(t, &folder) == TG_OK;
  if (is_named && all) tg_sweep_path_clean(tg_text_string(&folder), 0, INT64_MAX - 1, NULL);
  for (int64_t number = INT64_MAX;
       is_named && !all && (number = tg_sweep_path_find(tg_text_string(&folder), 0, number)) >= 0;) {
    tg_text_clear(&path);
    tg_text_addf(&path, "%s/%lld", tg_text_string(&folder), (long long)number);
    if (!is_place(t, number) && tg_text_status(&path) == TG_OK) tg_folder_discard(tg_text_string(&path));
  }
  tg_text_fini(&path);
  tg_text_fini(&folder);
}

// The newest files of each fold, of evaluations that have a row.
static tg_status find_places(tg_tune_run *t)
{
  tg_text folder;
  tg_text_init(&folder);
  tg_status status = tg_agree(t->comm, name_starts(t, &folder));
  for (int64_t number = (int64_t)t->log.n_earlier * t->log.n_folds;
       status == TG_OK && t->rank == 0 && (number = tg_sweep_path_find(tg_text_string(&folder), 0, number)) >= 0;) {
    const int64_t fold = number % t->log.n_folds;
    if (t->places[fold] < 0) t->places[fold] = number;
  }
  tg_text_fini(&folder);
  TG_TRY(status);
  TG_TRY_MPI(MPI_Bcast(t->places, t->log.n_folds, MPI_INT64_T, 0, t->comm));
  return TG_OK;
}

// Where the last fit of the fold ended becomes the only start of the share, or is to be read from its files.
static tg_status offer_start(tg_tune_run *t, int fold, bool *has_start)
{
  static const double whole = 1;
  tg_dmat **held = NULL;
  tg_share_set_weights(t->share, 0, &whole);
  tg_share_drop_starts(t->share);
  tg_share_drop_metric(t->share); // of other numbers, or another fold
  *has_start = t->places[fold] >= 0;
  if (*has_start) tg_share_set_weights(t->share, 1, &whole);
  if (t->starts[fold] == NULL) return TG_OK;
  TG_TRY(tg_agree_memory(t->comm, TG_NEW(t->job->spec.n_variables, &held), &held));
  for (int k = 0; k < t->job->spec.n_variables; k++) held[k] = tg_dmat_hold(t->starts[fold][k]);
  tg_share_add_start(t->share, fold, t->job->spec.n_variables, held);
  return TG_OK;
}

// ---- one fit ----

// The hashes of the data that were read, once: those of the rows before must be the same. Collective.
static tg_status note_data(tg_tune_run *t, const tg_run *run)
{
  json_t *mine = NULL;
  tg_text difference;
  if (t->has_data) return TG_OK;
  TG_TRY(tg_identity_of_data(run->engine->setup, &mine));
  t->has_data = true;
  tg_text_init(&difference);
  tg_status status = TG_OK;
  if (t->rank == 0 && t->log.data != NULL && !tg_identity_equal(t->log.data, mine, &difference))
    status = tg_error_set(TG_DATA, TG_HERE,
                          "the data are not those of the rows in %s/tune.jsonl (%s): start the search again without "
                          "--resume",
                          t->job->spec.output_directory, tg_text_string(&difference));
  tg_text_fini(&difference);
  json_decref(t->log.data);
  t->log.data = mine;
  return tg_agree(t->comm, status);
}

// The score of a fit that has ended, and its slopes by the logarithms.
static tg_status take_score(tg_tune_run *t, tg_run *run, int fold, tg_tune_row *row)
{
  const tg_tune *tune = tune_of(t);
  tg_setup *setup = run->engine->setup;
  double slopes[TG_TUNE_MAX] = {0};
  int64_t products = 0;
  tg_minimum at;
  row->scores[fold] = (double)NAN;
  tg_status status = tg_minimum_open(setup, &run->engine->result, &at);
  if (status == TG_OK && !tg_minimum_is_refused(&at))
    status = tg_score_differentiate(&at, &tune->score, tune->n, tune->data, &row->scores[fold], slopes);
  tg_minimum_close(&at, &products, NULL);
  if (tg_minimum_is_refused(&at)) {
    row->scores[fold] = (double)NAN;
    snprintf(row->reason, sizeof row->reason, "%s", at.refusal);
  }
  for (int k = 0; k < tune->n; k++) row->slopes[k] += slopes[k] * row->numbers[k] / t->log.n_folds;
  row->products += products + run->engine->result.counts.products;
  row->flops += tg_setup_flops(setup);
  row->iterations += run->engine->result.iterations;
  if (status == TG_OK && !tg_minimum_is_refused(&at) && tg_engine_serves_starts(run->engine))
    status = keep_start(t, setup, fold);
  if (!t->has_taylor) {
    t->has_taylor = true;
    t->taylor = run->engine->taylor;
    t->probed = tg_plan_shape(setup->model->plan);
  }
  return status;
}

static tg_status fit_from(tg_tune_run *t, int fold, tg_spec *spec, const char *folder, tg_tune_row *row)
{
  bool has_start = false;
  const bool is_first = !t->has_taylor;
  TG_TRY(offer_start(t, fold, &has_start));
  const tg_engine_options engine = {.share = t->share,
                                    .probed = t->has_taylor ? &t->taylor : NULL,
                                    .probed_shape = t->probed,
                                    .n_starts = has_start ? 1 : 0,
                                    .starts = {t->places[fold]},
                                    .start_folder = folder,
                                    .begins_warm = true,
                                    .if_convex = true};
  tg_run_options options = *t->options;
  options.watch = is_first ? t->watch->first : t->watch->fits;
  options.spec = spec;
  options.engine = &engine;
  options.warns = options.warns && is_first;
  options.begin = 0;
  options.resume = false;
  tg_run *run = NULL;
  tg_status status = tg_run_execute(t->comm, t->job, &options, &run);
  if (status == TG_OK && (run->is_early || run->engine->result.outcome == OPT_INTERRUPTED))
    t->is_interrupted = true;
  else if (status == TG_OK)
    status = note_data(t, run);
  if (status == TG_OK && !t->is_interrupted) status = take_score(t, run, fold, row);
  const tg_error kept = *tg_error_get();
  tg_run_destroy(&run);
  *tg_error_get() = kept;
  return status;
}

static tg_status fit(tg_tune_run *t, int fold, tg_spec *spec, tg_tune_row *row)
{
  tg_text folder;
  tg_text_init(&folder);
  tg_status status = tg_agree(t->comm, name_starts(t, &folder));
  if (status == TG_OK) status = fit_from(t, fold, spec, tg_text_string(&folder), row);
  tg_text_fini(&folder);
  return status;
}

// ---- the score at some numbers ----

static void average(tg_tune_row *row, int n)
{
  double squares = 0;
  row->score = 0;
  for (int f = 0; f < n; f++) row->score += row->scores[f] / n;
  for (int f = 0; f < n; f++) squares += (row->scores[f] - row->score) * (row->scores[f] - row->score);
  row->standard_error = n > 1 ? sqrt(squares / (n - 1) / n) : (double)NAN;
}

// A fit that fails after the first evaluation gives no score there: the next numbers are nearer.
static tg_status evaluate(tg_tune_run *t, tg_tune_row *row)
{
  const double begin = MPI_Wtime();
  tg_spec *spec = NULL;
  TG_TRY(tg_agree(t->comm, TG_NEW(t->log.n_folds, &row->scores)));
  for (int k = 0; k < t->tuner.n; k++) row->numbers[k] = exp(t->tuner.trial[k]);
  // What is begun with is met exactly.
  for (int k = 0; k < t->tuner.n && t->log.n == 0; k++) row->numbers[k] = t->job->spec.data[tune_of(t)->data[k]].number;
  for (int fold = 0; fold < t->log.n_folds && !t->is_interrupted; fold++) {
    tg_status status = make_spec(t, fold, row->numbers, &spec);
    if (status == TG_OK) status = fit(t, fold, spec, row);
    tg_sweep_destroy_spec(&spec);
    if (status == TG_OK) continue;
    if (t->log.n == 0 || tg_status_exit(status) != 1) return status;
    row->scores[fold] = (double)NAN;
    snprintf(row->reason, sizeof row->reason, "%.600s", tg_error_get()->message);
    tg_error_clear();
  }
  tg_memo_end_point(tg_share_memo(t->share));
  average(row, t->log.n_folds);
  row->seconds = MPI_Wtime() - begin;
  return TG_OK;
}

// ---- the search ----

static void begin_search(tg_tune_run *t)
{
  const tg_tune *tune = tune_of(t);
  double start[TG_TUNE_MAX];
  double low[TG_TUNE_MAX];
  double high[TG_TUNE_MAX];
  for (int k = 0; k < tune->n; k++) {
    const double number = t->job->spec.data[tune->data[k]].number;
    start[k] = log(number);
    low[k] = log(tune->smallest > 0 ? tune->smallest : number / range);
    high[k] = log(tune->largest > 0 ? tune->largest : number * range);
  }
  opt_tuner_init(&t->tuner, tune->n, start, low, high, first_step, tune->tolerance);
}

static void count(tg_tune_run *t)
{
  const tg_tune_row *row = &t->log.rows[t->log.n];
  if (isfinite(row->score) && (t->best < 0 || row->score < t->log.rows[t->best].score)) t->best = t->log.n;
  t->log.n++;
}

static tg_status share_row(const tg_tune_run *t, tg_tune_row *row)
{
  double *scores = row->scores;
  TG_TRY(tg_agree(t->comm, t->rank != 0 ? TG_NEW(t->log.n_folds, &scores) : TG_OK));
  TG_TRY_MPI(MPI_Bcast(row, (int)sizeof *row, MPI_BYTE, 0, t->comm));
  row->scores = scores;
  TG_TRY_MPI(MPI_Bcast(scores, t->log.n_folds, MPI_DOUBLE, 0, t->comm));
  return TG_OK;
}

static bool is_trial(const tg_tune_run *t, const tg_tune_row *row)
{
  for (int k = 0; k < t->tuner.n; k++)
    if (t->log.n > 0 && row->numbers[k] != exp(t->tuner.trial[k])) return false;
  return true;
}

// What a run before has evaluated is told to the tuner again, which asks for the same numbers.
static tg_status replay(tg_tune_run *t, bool *goes_on)
{
  if (!t->options->resume) return TG_OK;
  TG_TRY(tg_agree(t->comm, t->rank == 0 ? tg_tune_rows_read(&t->log) : TG_OK));
  TG_TRY_MPI(MPI_Bcast(&t->log.n_earlier, 1, MPI_INT, 0, t->comm));
  for (int k = 0; k < t->log.n_earlier; k++) TG_TRY(share_row(t, &t->log.rows[k]));
  int known = 0;
  while (*goes_on && known < t->log.n_earlier && is_trial(t, &t->log.rows[known])) {
    count(t);
    *goes_on = opt_tuner_tell(&t->tuner, t->log.rows[known].score, t->log.rows[known].slopes);
    known++;
  }
  for (int k = known; k < t->log.n_earlier; k++) {
    tg_free(t->log.rows[k].scores);
    t->log.rows[k] = (tg_tune_row){.scores = NULL};
  }
  t->log.n_earlier = known;
  return find_places(t);
}

static tg_status search(tg_tune_run *t)
{
  bool goes_on = true;
  begin_search(t);
  TG_TRY(replay(t, &goes_on));
  if (t->rank == 0 && t->log.n_earlier == 0) clean_starts(t, true);
  while (goes_on && t->log.n < tune_of(t)->evaluations) {
    tg_tune_row *row = &t->log.rows[t->log.n];
    TG_TRY(evaluate(t, row));
    if (t->is_interrupted) return TG_OK;
    count(t);
    TG_TRY(tg_agree(t->comm, t->rank == 0 ? tg_tune_rows_write(&t->log) : TG_OK));
    if (t->rank == 0) clean_starts(t, false);
    if (t->watch->evaluated != NULL) t->watch->evaluated(t->watch->self, t, row);
    goes_on = opt_tuner_tell(&t->tuner, row->score, row->slopes);
  }
  t->reason = goes_on ? "tune.evaluations is reached" : t->tuner.reason;
  if (t->best >= 0) return TG_OK;
  TG_FAIL_MARK(TG_NUMERIC, tune_of(t)->mark, "tune: there is no score with the numbers of data: %s",
               t->log.rows[0].reason[0] != '\0' ? t->log.rows[0].reason : "it is not finite");
}

// ---- the run with the numbers found ----

static json_t *facts_of(const tg_tune_run *t)
{
  const tg_tune_row *best = &t->log.rows[t->best];
  int64_t products = 0;
  for (int k = 0; k < t->log.n; k++) products += t->log.rows[k].products;
  return json_pack("{s:o, s:o, s:o, s:i, s:i, s:s, s:I, s:f}", "parameters",
                   tg_tune_numbers_json(&t->job->spec, best->numbers), "score", tg_json_number(best->score),
                   "standard_error", tg_json_number(best->standard_error), "evaluations", t->log.n, "fits",
                   t->log.n * t->log.n_folds, "reason", t->reason, "products", (json_int_t)products, "seconds",
                   MPI_Wtime() - t->begin);
}

static tg_status run_best(tg_tune_run *t)
{
  const tg_engine_options engine = {.share = t->share};
  tg_run_options options = *t->options;
  TG_TRY(tg_agree(t->comm, tg_sweep_copy_spec(&t->job->spec, &t->spec)));
  for (int k = 0; k < t->tuner.n; k++) t->spec->data[tune_of(t)->data[k]].number = t->log.rows[t->best].numbers[k];
  t->facts = facts_of(t);
  options.watch = t->watch->last;
  options.spec = t->spec;
  options.engine = &engine;
  options.tuned = t->facts;
  options.warns = false;
  options.begin = 0;
  options.resume = false;
  TG_TRY(tg_run_execute(t->comm, t->job, &options, &t->run));
  if (t->rank == 0) clean_starts(t, true);
  return t->run->engine->setup != NULL && !t->run->is_early ? note_data(t, t->run) : TG_OK;
}

// ---- the whole ----

static tg_status check(const tg_tune_run *t)
{
  const tg_spec *base = &t->job->spec;
  tg_spec *spec = NULL;
  TG_TRY(base->folds != NULL ? tg_sweep_spec_at(base, 0, &spec) : tg_sweep_copy_spec(base, &spec));
  spec->errors = NULL;
  spec->messages = NULL;
  const tg_status status = tg_score_check(spec, &base->tune->score);
  tg_sweep_destroy_spec(&spec);
  return status;
}

static tg_status execute(tg_tune_run *t)
{
  const tg_spec *base = &t->job->spec;
  TG_TRY(tg_agree(t->comm, t->rank == 0 ? check(t) : TG_OK));
  tg_status status = TG_NEW(base->tune->evaluations, &t->log.rows);
  if (status == TG_OK) status = TG_NEW(t->log.n_folds, &t->starts);
  if (status == TG_OK) status = TG_NEW(t->log.n_folds, &t->places);
  if (status == TG_OK) status = tg_tune_fingerprint(base, t->log.fingerprint);
  if (status == TG_OK && t->rank == 0) status = tg_make_folder(base->output_directory);
  TG_TRY(tg_agree(t->comm, status));
  for (int fold = 0; fold < t->log.n_folds; fold++) t->places[fold] = -1;
  TG_TRY(tg_share_create(t->comm, &t->share));
  tg_share_set_points(t->share, base->tune->evaluations);
  status = search(t);
  t->seconds = MPI_Wtime() - t->begin;
  if (status != TG_OK || t->is_interrupted) return status;
  return run_best(t);
}

tg_status tg_tune_execute(MPI_Comm comm, const tg_job *job, const tg_run_options *options, const tg_tune_watch *watch,
                          tg_tune_run **out)
{
  *out = NULL;
  TG_TRY(tg_agree_memory(comm, TG_NEW(1, out), out));
  tg_tune_run *t = *out;
  t->comm = comm;
  t->job = job;
  t->options = options;
  t->watch = watch;
  t->best = -1;
  t->log.base = &job->spec;
  t->log.n_folds = job->spec.folds != NULL ? job->spec.folds->n : 1;
  t->begin = MPI_Wtime();
  MPI_Comm_rank(comm, &t->rank);
  return execute(t);
}

void tg_tune_run_destroy(tg_tune_run **tune)
{
  tg_tune_run *t = *tune;
  if (t == NULL) return;
  tg_run_destroy(&t->run);
  tg_sweep_destroy_spec(&t->spec);
  json_decref(t->facts);
  json_decref(t->log.data);
  for (int f = 0; t->starts != NULL && f < t->log.n_folds; f++) drop_start(t, f);
  for (int k = 0; t->log.rows != NULL && k < tune_of(t)->evaluations; k++) tg_free(t->log.rows[k].scores);
  tg_free(t->starts);
  tg_free(t->places);
  tg_free(t->log.rows);
  tg_share_destroy(&t->share);
  tg_free(t);
  *tune = NULL;
}
