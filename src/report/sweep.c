// A sweep: its points one after the other, with what they share.
#include "report/sweep.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/whole_file.h"
#include "engine/checkpoint/folder.h"
#include "engine/checkpoint/identity.h"
#include "engine/problem/assemble.h"
#include "engine/sweep/path.h"
#include "engine/sweep/points.h"
#include "engine/sweep/score.h"
#include "mpi/space/space.h"
#include "opt/vector.h"
#include "report/fold_scores.h"
#include "report/outputs.h"

// Names of one point; each "" or what the run is given.
typedef struct point_names {
  char folder[40];    // within the output's
  tg_text output;     // folder of its files
  tg_text checkpoint; // folder of its checkpoints
  tg_text starts;     // of the files that points begin with
  int n_starts;       // that are there, newest first
  int64_t before[TG_SHARE_STARTS];
  bool resumes; // there is a checkpoint
} point_names;

static const tg_sweep *sweep_of(const tg_sweep_run *s)
{
  return s->job->spec.sweep;
}

// ---- names ----

static bool leaves_files(const tg_sweep_run *s)
{
  const tg_sweep *sweep = sweep_of(s);
  bool any = sweep->keeps_report || sweep->keeps_history;
  for (int k = 0; k < s->job->spec.n_variables; k++) any = any || sweep->keeps_variable[k];
  return any;
}

// Starts that points hand to each other.
static tg_status name_starts(const tg_sweep_run *s, tg_text *out)
{
  return tg_output_path(s->job->spec.output_directory, ".starts", out);
}

static void fini_names(point_names *n)
{
  tg_text_fini(&n->output);
  tg_text_fini(&n->checkpoint);
  tg_text_fini(&n->starts);
}

static tg_status add_names(const tg_sweep_run *s, int64_t point, point_names *n)
{
  const tg_spec *base = &s->job->spec;
  snprintf(n->folder, sizeof n->folder, "point-%04" PRId64, point);
  TG_TRY(tg_output_path(base->output_directory, n->folder, &n->output));
  if (base->checkpoint_directory != NULL) TG_TRY(tg_output_path(base->checkpoint_directory, n->folder, &n->checkpoint));
  return name_starts(s, &n->starts);
}

// Whether a checkpoint is there. Rank 0.
static bool has_checkpoint(const char *folder)
{
  tg_generation *list = NULL;
  int count = 0;
  if (tg_folder_list(folder, &count, &list) != TG_OK) tg_error_clear();
  tg_free(list);
  return count > 0;
}

// The points that this one may begin with: those that are in memory, else what a run before has left. Rank 0.
static tg_status find_starts(const tg_sweep_run *s, int64_t point, point_names *n)
{
  const int known = tg_share_starts(s->share);
  int64_t before = point;
  for (int k = 0; k < known; k++) n->before[n->n_starts++] = tg_share_start_point(s->share, k);
  if (known > 0 || !s->options->run.resume) return TG_OK;
  while (n->n_starts < TG_SHARE_STARTS) {
    before = tg_sweep_path_find(tg_text_string(&n->starts), s->options->first, before);
    if (before < 0) break;
    n->before[n->n_starts++] = before;
  }
  return TG_OK;
}

// On all ranks; what the disk says is what rank 0 sees.
static tg_status find_names(const tg_sweep_run *s, int64_t point, point_names *n)
{
  int64_t found[2 + TG_SHARE_STARTS] = {0};
  *n = (point_names){.resumes = false};
  tg_text_init(&n->output);
  tg_text_init(&n->checkpoint);
  tg_text_init(&n->starts);
  TG_TRY(tg_agree(s->comm, add_names(s, point, n)));
  TG_TRY(tg_agree(s->comm, s->rank == 0 ? find_starts(s, point, n) : TG_OK));
  if (s->rank == 0 && s->options->run.resume && n->checkpoint.length > 0)
    found[0] = has_checkpoint(tg_text_string(&n->checkpoint));
  found[1] = n->n_starts;
  memcpy(found + 2, n->before, sizeof n->before);
  TG_TRY_MPI(MPI_Bcast(found, 2 + TG_SHARE_STARTS, MPI_INT64_T, 0, s->comm));
  n->n_starts = (int)found[1];
  memcpy(n->before, found + 2, sizeof n->before);
  n->resumes = found[0] != 0;
  return TG_OK;
}

static const char *text_or_null(const tg_text *text)
{
  return text->length > 0 ? tg_text_string(text) : NULL;
}

static void place_outputs(const tg_sweep_run *s, const point_names *n, tg_spec *spec)
{
  spec->output_directory = leaves_files(s) ? tg_text_string(&n->output) : NULL;
  spec->writes_multipliers = spec->writes_multipliers && spec->output_directory != NULL;
  spec->checkpoint_directory = text_or_null(&n->checkpoint);
  for (int k = 0; k < spec->n_variables; k++)
    if (!sweep_of(s)->keeps_variable[k]) spec->variables[k].output = NULL;
}

// ---- rows ----

static void fill_row(const tg_run *run, tg_sweep_row *row)
{
  const tg_engine *engine = run->engine;
  const opt_result *r = &engine->result;
  snprintf(row->status, sizeof row->status, "%s", opt_outcome_label(r->outcome));
  snprintf(row->reason, sizeof row->reason, "%s", r->reason);
  row->exit_class = opt_outcome_exit(r->outcome);
  row->objective = engine->objective;
  row->gradient_norm = r->gradient_norm;
  row->violation = r->violation;
  row->iterations = r->iterations;
  row->products = r->counts.products;
  row->seconds = run->seconds.total;
  row->is_warm = engine->is_warm;
  row->score = (double)NAN;
}

static void fill_failure(double begin, tg_status status, tg_sweep_row *row)
{
  snprintf(row->status, sizeof row->status, "failed");
  snprintf(row->reason, sizeof row->reason, "%.600s", tg_error_get()->message);
  row->exit_class = tg_status_exit(status);
  row->objective = row->gradient_norm = row->violation = row->score = row->flops = row->norm = (double)NAN;
  row->seconds = MPI_Wtime() - begin;
}

// The hashes of the data that were read, once: rows of other data would be of another sweep. Collective.
static tg_status note_data(tg_sweep_run *s, const tg_run *run)
{
  json_t *mine = NULL;
  if (s->has_data) return TG_OK;
  TG_TRY(tg_identity_of_data(run->engine->setup, &mine));
  s->has_data = true;
  tg_text difference;
  tg_text_init(&difference);
  const char *name = NULL;
  json_t *entry = NULL;
  tg_status status = TG_OK;
  json_object_foreach(s->rank == 0 ? mine : NULL, name, entry)
  {
    const json_t *theirs = json_object_get(s->data, name);
    if (theirs == NULL || tg_identity_equal(theirs, entry, &difference)) continue;
    status = tg_error_set(TG_DATA, TG_HERE,
                          "the data %s are not those of the rows in %s: start the sweep again without --resume, or "
                          "take another folder",
                          name, s->job->spec.output_directory);
    break;
  }
  tg_text_fini(&difference);
  if (status == TG_OK && s->rank == 0) json_object_update(s->data, mine);
  json_decref(mine);
  return tg_agree(s->comm, status);
}

static tg_status write_row(tg_sweep_run *s, const tg_sweep_row *row)
{
  tg_text path;
  tg_text_init(&path);
  tg_status status = tg_output_path(s->job->spec.output_directory, s->file, &path);
  if (status == TG_OK)
    status =
        tg_sweep_file_add(tg_text_string(&path), sweep_of(s), s->fingerprint, row, s->n_done == 0 ? s->data : NULL);
  tg_text_fini(&path);
  return status;
}

// ---- one point ----

// Whether where it ended may serve the next.
static bool serves(const tg_run *run)
{
  const opt_outcome outcome = run->engine->result.outcome;
  return run->is_solved && tg_engine_serves_starts(run->engine) &&
         (outcome == OPT_CONVERGED || outcome == OPT_STALLED || outcome == OPT_ITERATION_LIMIT ||
          outcome == OPT_TIME_LIMIT);
}

static bool is_warm_by_choice(const tg_sweep *sweep)
{
  if (sweep->start != TG_SWEEP_START_AUTO) return sweep->start == TG_SWEEP_START_WARM;
  for (int k = 0; k < sweep->n_axes; k++)
    if (sweep->axes[k].target != TG_SWEEP_NUMBER && sweep->axes[k].target != TG_SWEEP_FOLD)
      return false; // what is compared would be where it begins
  return true;
}

static tg_status run_spec(tg_sweep_run *s, tg_spec *spec, int64_t point, const point_names *names, const json_t *facts,
                          tg_run **out)
{
  const tg_sweep *sweep = sweep_of(s);
  const bool is_first = s->n_done == 0;
  double weights[TG_SHARE_STARTS];
  tg_engine_options engine = {.share = s->share,
                              .probed = s->has_taylor ? &s->taylor : NULL,
                              .probed_shape = s->probed,
                              .start_folder = tg_text_string(&names->starts),
                              .n_starts = names->n_starts,
                              .begins_warm = is_warm_by_choice(sweep),
                              .if_convex = sweep->start == TG_SWEEP_START_AUTO};
  memcpy(engine.starts, names->before, sizeof names->before);
  tg_share_set_weights(s->share, 0, weights);
  for (int n = 1; n <= names->n_starts; n++)
    if (tg_sweep_weights(sweep, point, n, names->before, weights) == n) tg_share_set_weights(s->share, n, weights);
  tg_run_options options = s->options->run;
  options.watch = is_first ? s->options->watch.first : s->options->watch.others;
  options.spec = spec;
  options.point = facts;
  options.engine = &engine;
  options.resume = names->resumes;
  options.leaves_no_report = !sweep->keeps_report;
  options.leaves_no_history = !sweep->keeps_history;
  options.warns = options.warns && is_first;
  options.begin = is_first ? options.begin : 0;
  return tg_run_execute(s->comm, s->job, &options, out);
}

// What is left behind on the disk for points to come; the row stands.
static void clean_up(const tg_sweep_run *s, const point_names *names, const tg_sweep_row *row, bool has_start)
{
  tg_text path;
  tg_generation *list = NULL;
  int count = 0;
  if (s->rank != 0) return;
  tg_text_init(&path);
  if (has_start && name_starts(s, &path) == TG_OK)
    tg_sweep_path_clean(tg_text_string(&path), s->options->first, s->options->last, s->share);
  if (tg_sweep_row_is_final(row) && names->checkpoint.length > 0 &&
      tg_folder_list(tg_text_string(&names->checkpoint), &count, &list) == TG_OK) {
    for (int k = 0; k < count; k++)
      if (tg_output_path(tg_text_string(&names->checkpoint), list[k].name, &path) == TG_OK)
        tg_folder_discard(tg_text_string(&path));
    rmdir(tg_text_string(&names->checkpoint)); // another job's may be there
  }
  tg_free(list);
  tg_text_fini(&path);
  tg_error_clear();
}

// The entries of a small solution. Collective.
static tg_status take_coefficients(const tg_setup *setup, tg_sweep_row *row)
{
  int64_t n = 0;
  for (int k = 0; k < tg_space_blocks(setup->x); k++)
    n += tg_space_block(setup->x, k)->rows * tg_space_block(setup->x, k)->cols;
  if (n > TG_SWEEP_COEFFICIENTS) return TG_OK;
  for (int k = 0; k < tg_space_blocks(setup->x); k++) {
    const tg_dmat *x = tg_space_block(setup->x, k);
    TG_TRY(tg_dmat_gather_small(x, row->coefficients + row->n_coefficients));
    row->n_coefficients += (int)(x->rows * x->cols);
  }
  return TG_OK;
}

// The run has come to an end of its own; *row tells of it.
static tg_status take_result(tg_sweep_run *s, const tg_run *run, const point_names *names, tg_sweep_row *row)
{
  if (run->is_early || run->engine->result.outcome == OPT_INTERRUPTED) {
    s->is_interrupted = true;
    return TG_OK;
  }
  fill_row(run, row);
  if (!s->has_taylor) {
    s->has_taylor = true;
    s->taylor = run->engine->taylor;
    s->probed = tg_plan_shape(run->engine->setup->model->plan);
  }
  TG_TRY(note_data(s, run));
  if (run->spec->fold > 0) {
    const double begin = MPI_Wtime();
    TG_TRY(tg_score_evaluate(run->engine->setup, &run->spec->folds->score, &row->score));
    row->seconds += MPI_Wtime() - begin;
  }
  row->flops = tg_setup_flops(run->engine->setup);
  TG_TRY(opt_norm(run->engine->setup->space, run->engine->setup->x, &row->norm));
  TG_TRY(take_coefficients(run->engine->setup, row));
  tg_share_follow_metric(s->share, row->point, row->iterations, run->engine->setup->method->renewal_price);
  if (!serves(run)) return TG_OK;
  return tg_sweep_path_keep(run->engine->setup, s->share, tg_text_string(&names->starts), row->point);
}

static json_t *facts_of(const tg_sweep_run *s, int64_t point)
{
  int positions[TG_SWEEP_AXES_MAX];
  const tg_sweep *sweep = sweep_of(s);
  json_t *parameters = json_object();
  tg_sweep_positions(sweep, point, positions);
  for (int k = 0; k < sweep->n_axes && parameters != NULL; k++) {
    const tg_sweep_value *value = &sweep->axes[k].values[positions[k]];
    json_object_set_new(parameters, sweep->axes[k].name,
                        isnan(value->number) ? json_string(value->text) : json_real(value->number));
  }
  return json_pack("{s:I, s:I, s:o, s:s}", "point", (json_int_t)point, "points", (json_int_t)sweep->n_points,
                   "parameters", parameters, "fingerprint", s->fingerprint);
}

// What no other point could do better.
static bool is_fatal(const tg_sweep_run *s, tg_status status)
{
  return s->n_done == 0 && s->options->group == 0 && (tg_status_exit(status) == 2 || status == TG_MEMORY);
}

// *failure: what ended the point, recorded, where that does not end the sweep.
static tg_status run_named(tg_sweep_run *s, int64_t point, const point_names *names, tg_spec *spec, tg_sweep_row *row,
                           tg_status *failure)
{
  const double begin = MPI_Wtime();
  json_t *facts = facts_of(s, point);
  place_outputs(s, names, spec);
  tg_run_destroy(&s->last);
  tg_status status = run_spec(s, spec, point, names, facts, &s->last);
  json_decref(facts);
  *row = (tg_sweep_row){.point = point, .is_known = true};
  if (leaves_files(s)) snprintf(row->folder, sizeof row->folder, "%s", names->folder);
  if (status == TG_OK) return take_result(s, s->last, names, row);
  if (is_fatal(s, status)) return status;
  *failure = status;
  fill_failure(begin, status, row);
  return TG_OK;
}

static void tell(const tg_sweep_run *s, const tg_sweep_row *row, tg_status failure)
{
  const tg_sweep_watch *watch = &s->options->watch;
  if (watch->done != NULL) watch->done(watch->self, s, row, failure);
  tg_error_clear();
}

// What the first point has had noted is true of the others as well.
static void say_warnings(void *self, tg_message_kind kind, tg_mark mark, const char *text)
{
  const tg_messages *to = ((const tg_sweep_run *)self)->job->spec.messages;
  if (kind == TG_MESSAGE_WARNING && to != NULL) to->say(to->self, kind, mark, text);
}

static tg_status run_point(tg_sweep_run *s, int64_t point)
{
  tg_spec *spec = NULL;
  point_names names;
  tg_sweep_row row;
  const tg_messages messages = {.say = say_warnings, .self = s};
  tg_status failure = TG_OK;
  tg_status status = find_names(s, point, &names);
  if (status == TG_OK) status = tg_agree(s->comm, tg_sweep_spec_at(&s->job->spec, point, &spec));
  if (status == TG_OK) {
    tg_share_drop_parts(s->share, spec->fold);
    spec->errors = NULL;
    if (s->n_done > 0) spec->messages = &messages;
    status = run_named(s, point, &names, spec, &row, &failure);
  }
  if (status == TG_OK && !s->is_interrupted) {
    const tg_error kept = *tg_error_get();
    status = tg_agree(s->comm, s->rank == 0 ? write_row(s, &row) : TG_OK);
    if (status == TG_OK) {
      s->rows[point] = row;
      s->n_done++;
      clean_up(s, &names, &row, tg_share_starts(s->share) > 0 && failure == TG_OK);
      *tg_error_get() = kept;
      tell(s, &row, failure);
    }
  }
  // The run looks at its spec until it has gone.
  const tg_error kept = *tg_error_get();
  tg_run_destroy(&s->last);
  tg_memo_end_point(tg_share_memo(s->share));
  *tg_error_get() = kept;
  tg_sweep_destroy_spec(&spec);
  fini_names(&names);
  return status;
}

// ---- the whole ----

// Rank 0: the folder, and what earlier runs have left there.
static tg_status look_back(tg_sweep_run *s)
{
  char others[64];
  const char *folder = s->job->spec.output_directory;
  const tg_run_options *options = &s->options->run;
  tg_text path;
  TG_TRY(tg_make_folder(folder));
  TG_TRY(tg_sweep_rows_read(folder, sweep_of(s), s->fingerprint, s->rows, others, &s->data));
  if (others[0] != '\0' && !options->force)
    TG_FAIL(
        TG_USAGE,
        "%s/%s holds the rows of another sweep; choose another folder with --output, or start it again with --force",
        folder, others);
  if (!options->resume) {
    for (int64_t k = 0; k < sweep_of(s)->n_points; k++) s->rows[k] = (tg_sweep_row){.point = k};
    json_object_clear(s->data);
  }
  tg_text_init(&path);
  tg_status status = tg_output_path(folder, s->file, &path);
  if (status == TG_OK) status = tg_sweep_file_begin(tg_text_string(&path), options->resume);
  if (status == TG_OK && !options->resume) {
    status = name_starts(s, &path);
    if (status == TG_OK) tg_sweep_path_clean(tg_text_string(&path), s->options->first, s->options->last, NULL);
  }
  tg_text_fini(&path);
  return status;
}

// Rank 0.
static tg_status check_score(const tg_spec *base)
{
  tg_spec *point = NULL;
  TG_TRY(tg_sweep_spec_at(base, 0, &point));
  point->errors = NULL;
  point->messages = NULL;
  const tg_status status = tg_score_check(point, &base->folds->score);
  tg_sweep_destroy_spec(&point);
  return status;
}

static tg_status open_sweep(tg_sweep_run *s)
{
  const tg_sweep *sweep = sweep_of(s);
  TG_TRY(tg_agree(s->comm, tg_sweep_check(&s->job->spec)));
  if (s->job->spec.folds != NULL) TG_TRY(tg_agree(s->comm, s->rank == 0 ? check_score(&s->job->spec) : TG_OK));
  TG_TRY(tg_agree(s->comm, tg_sweep_fingerprint(&s->job->spec, s->fingerprint)));
  tg_sweep_file_name(sweep, s->options->first, s->options->last, s->file);
  TG_TRY(tg_agree(s->comm, TG_NEW(sweep->n_points, &s->rows)));
  for (int64_t k = 0; k < sweep->n_points; k++) s->rows[k].point = k;
  TG_TRY(tg_agree(s->comm, s->rank == 0 ? look_back(s) : TG_OK));
  TG_TRY_MPI(MPI_Bcast(s->rows, (int)(sweep->n_points * (int64_t)sizeof *s->rows), MPI_BYTE, 0, s->comm));
  TG_TRY(tg_share_create(s->comm, &s->share));
  const int64_t n_points = s->options->last - s->options->first + 1;
  const tg_folds *folds = s->job->spec.folds;
  // Each fold has constants of its own.
  tg_share_set_points(s->share, folds != NULL ? (n_points + folds->n - 1) / folds->n : n_points);
  const tg_sweep_watch *watch = &s->options->watch;
  if (s->rank == 0 && watch->begun != NULL) watch->begun(watch->self, s);
  return TG_OK;
}

// The parts are complete together, those of others included. Rank 0.
static tg_status join(tg_sweep_run *s)
{
  char others[64];
  const tg_sweep *sweep = sweep_of(s);
  const char *folder = s->job->spec.output_directory;
  json_t *data = NULL;
  const bool is_in_groups = s->world != s->comm;
  if (strcmp(s->file, "sweep.jsonl") == 0 && !is_in_groups) return TG_OK;
  tg_status status = tg_sweep_rows_read(folder, sweep, s->fingerprint, s->rows, others, &data);
  json_decref(data);
  bool is_whole = true;
  for (int64_t k = 0; k < sweep->n_points; k++) is_whole = is_whole && s->rows[k].is_known;
  if (status == TG_OK && is_whole) status = tg_sweep_file_join(folder, sweep, s->fingerprint, s->rows, s->data);
  // What the groups have written stands in the whole now.
  if (status == TG_OK && is_whole && is_in_groups)
    status = tg_sweep_parts_remove(folder, s->options->first, s->options->last);
  return status;
}

// Rank 0.
static tg_status write_scores(const tg_sweep_run *s)
{
  tg_fold_scores scores;
  if (s->job->spec.folds == NULL) return TG_OK;
  tg_status status = tg_fold_scores_init(sweep_of(s), s->rows, &scores);
  if (status == TG_OK) status = tg_fold_scores_write(&scores, sweep_of(s), s->job->spec.output_directory);
  tg_fold_scores_fini(&scores);
  return status;
}

static void remove_starts(const tg_sweep_run *s)
{
  tg_text path;
  tg_text_init(&path);
  if (name_starts(s, &path) == TG_OK)
    tg_sweep_path_clean(tg_text_string(&path), s->options->first, s->options->last, NULL);
  tg_text_fini(&path);
}

tg_status tg_sweep_execute(MPI_Comm comm, const tg_job *job, const tg_sweep_options *options, tg_sweep_run **out)
{
  *out = NULL;
  TG_TRY(tg_agree_memory(comm, TG_NEW(1, out), out));
  tg_sweep_run *s = *out;
  s->comm = s->world = comm;
  s->owned = MPI_COMM_NULL;
  s->job = job;
  s->options = options;
  s->begin = options->run.begin > 0 ? options->run.begin : MPI_Wtime();
  MPI_Comm_rank(comm, &s->rank);
  TG_TRY(open_sweep(s));
  for (int64_t k = options->first; k <= options->last && !s->is_interrupted; k++)
    if (!options->run.resume || !tg_sweep_row_is_final(&s->rows[k])) TG_TRY(run_point(s, k));
  s->seconds = MPI_Wtime() - s->begin;
  if (s->is_interrupted) return TG_OK;
  if (s->rank == 0) remove_starts(s);
  return tg_agree(comm, s->rank == 0 && options->n_groups == 0 ? tg_sweep_finish(s) : TG_OK);
}

tg_status tg_sweep_finish(tg_sweep_run *s)
{
  TG_TRY(join(s));
  return write_scores(s);
}

void tg_sweep_run_destroy(tg_sweep_run **sweep)
{
  tg_sweep_run *s = *sweep;
  if (s == NULL) return;
  tg_run_destroy(&s->last);
  tg_share_destroy(&s->share);
  json_decref(s->data);
  tg_free(s->rows);
  if (s->owned != MPI_COMM_NULL) MPI_Comm_free(&s->owned);
  tg_free(s);
  *sweep = NULL;
}

// ---- what came of it ----

int tg_sweep_exit(const tg_sweep_run *s)
{
  static const int worst_first[] = {1, 2, 4, 3};
  if (s->is_interrupted) return 75;
  for (size_t i = 0; i < sizeof worst_first / sizeof worst_first[0]; i++)
    for (int64_t k = s->options->first; k <= s->options->last; k++)
      if (s->rows[k].exit_class == worst_first[i]) return worst_first[i];
  return 0;
}

int64_t tg_sweep_best(const tg_sweep_run *s)
{
  const double sign = s->job->spec.maximize ? -1 : 1;
  int64_t best = -1;
  for (int64_t k = 0; k < sweep_of(s)->n_points; k++) {
    const tg_sweep_row *row = &s->rows[k];
    if (!row->is_known || row->exit_class != 0 || !isfinite(row->objective)) continue;
    if (best < 0 || sign * row->objective < sign * s->rows[best].objective) best = k;
  }
  return best;
}
