// The files that a run leaves: tested before anything is computed, written at the end.
#include "report/outputs.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/whole_file.h"
#include "mpi/file/files.h"
#include "mpi/file/io_posix.h"
#include "mpi/space/space.h"
#include "report/constraints_report.h"
#include "report/derivative_files.h"

// ---- folders ----

// Rank 0.
static tg_status make_folders(const tg_spec *spec, tg_text *path)
{
  TG_TRY(tg_make_folder(spec->output_directory));
  for (int k = 0; k < spec->n_variables; k++) {
    const char *name = spec->variables[k].output;
    const char *slash = name != NULL ? strrchr(name, '/') : NULL;
    if (slash == NULL || slash == name) continue;
    tg_text_clear(path);
    if (name[0] != '/') tg_text_addf(path, "%s/", spec->output_directory);
    tg_text_add_bytes(path, name, (size_t)(slash - name));
    TG_TRY(tg_text_status(path));
    TG_TRY(tg_make_folder(tg_text_string(path)));
  }
  return TG_OK;
}

// ---- one file, one purpose ----

static tg_status refuse_uses(const tg_spec *spec, int k, const char *path, tg_text *room)
{
  tg_file_use found;
  TG_TRY(tg_output_find_use(spec, k, k, path, room, &found));
  if (found.other == NULL) return TG_OK;
  TG_FAIL_MARK(TG_JOB, spec->variables[k].output_mark, "%s is already %s, %s; the variable needs its own", path,
               found.what, found.other);
}

// Rank 0. A variable may replace the file that it started from.
static tg_status refuse_clashes(const tg_spec *spec, tg_text *path)
{
  tg_text other;
  tg_status status = TG_OK;
  tg_text_init(&other);
  for (int k = 0; k < spec->n_variables && status == TG_OK; k++) {
    if (spec->variables[k].output == NULL) continue;
    status = tg_output_path(spec->output_directory, spec->variables[k].output, path);
    if (status == TG_OK) status = refuse_uses(spec, k, tg_text_string(path), &other);
  }
  tg_text_fini(&other);
  return status;
}

// ---- whose folder it is ----

void tg_outputs_job_file(const tg_spec *spec, size_t room, char *out)
{
  char real[PATH_MAX];
  snprintf(out, room, "%s", realpath(spec->name, real) != NULL ? real : spec->name);
}

// dir/ray.X.npy of dir/X.npy
static tg_status name_ray(const tg_spec *spec, int k, tg_text *out)
{
  const char *name = spec->variables[k].output;
  const char *slash = strrchr(name, '/');
  const size_t folder = slash != NULL ? (size_t)(slash - name) + 1 : 0;
  tg_text_clear(out);
  tg_text_add_bytes(out, name, folder);
  tg_text_addf(out, "ray.%s", name + folder);
  return tg_text_status(out);
}

static bool writes_ray(const tg_run *run, int k)
{
  return run->writes_ray != NULL && run->writes_ray[k];
}

json_t *tg_outputs_rays(const tg_run *run)
{
  const tg_spec *spec = run->engine->spec;
  tg_text name;
  tg_text_init(&name);
  json_t *out = json_object();
  for (int k = 0; k < spec->n_variables && out != NULL; k++)
    if (writes_ray(run, k) && name_ray(spec, k, &name) == TG_OK)
      json_object_set_new(out, spec->variables[k].name, json_string(tg_text_string(&name)));
  tg_text_fini(&name);
  return out;
}

// ---- multipliers ----

static int count_multipliers(const tg_run *run)
{
  const tg_spec *spec = run->engine->spec;
  return spec->writes_multipliers ? spec->n_relations : 0;
}

// Rank 0.
static tg_status refuse_multiplier_clashes(const tg_run *run, tg_text *path)
{
  const tg_spec *spec = run->engine->spec;
  char name[TG_MULTIPLIER_NAME_BYTES];
  tg_text room;
  tg_status status = TG_OK;
  tg_text_init(&room);
  for (int k = 1; k <= count_multipliers(run) && status == TG_OK; k++) {
    tg_file_use found = {NULL, NULL};
    tg_constraints_name_multiplier(k, sizeof name, name);
    status = tg_output_path(spec->output_directory, name, path);
    if (status == TG_OK) status = tg_output_find_use(spec, -1, spec->n_variables, tg_text_string(path), &room, &found);
    if (status == TG_OK && found.other != NULL)
      status = tg_error_set(TG_JOB, TG_HERE, "%s of output.multipliers is already %s, %s", tg_text_string(path),
                            found.what, found.other);
  }
  tg_text_fini(&room);
  return status;
}

// The entries of subject_to come before the kinks among the terms. Collective.
static tg_status write_multipliers(const tg_run *run)
{
  char name[TG_MULTIPLIER_NAME_BYTES];
  tg_text path;
  tg_status status = TG_OK;
  tg_text_init(&path);
  for (int k = 0; k < count_multipliers(run) && status == TG_OK; k++) {
    tg_constraints_name_multiplier(k + 1, sizeof name, name);
    status = tg_agree(run->comm, tg_output_path(run->engine->spec->output_directory, name, &path));
    if (status == TG_OK)
      status = tg_file_write(tg_lagrangian_multiplier(run->engine->lagrangian, k), tg_text_string(&path), NULL);
  }
  tg_text_fini(&path);
  return status;
}

// ---- all files ----

json_t *tg_outputs_list(const tg_run *run)
{
  const tg_spec *spec = run->engine->spec;
  json_t *out = json_array();
  json_t *rays = tg_outputs_rays(run);
  const char *name = NULL;
  json_t *ray = NULL;
  for (int k = 0; k < spec->n_variables && out != NULL; k++)
    if (spec->variables[k].output != NULL) json_array_append_new(out, json_string(spec->variables[k].output));
  json_object_foreach(rays, name, ray) json_array_append(out, ray);
  for (int k = 1; k <= count_multipliers(run) && out != NULL; k++) {
    char file[TG_MULTIPLIER_NAME_BYTES];
    tg_constraints_name_multiplier(k, sizeof file, file);
    json_array_append_new(out, json_string(file));
  }
  if (out != NULL) tg_derivative_files_list(run, out);
  if (out != NULL && run->options->tuned != NULL) json_array_append_new(out, json_string("tune.jsonl"));
  json_decref(rays);
  return out;
}

// Rank 0. What an earlier run has left. A report that cannot be read says nothing.
static tg_status look_at_report(tg_run *run, tg_text *path)
{
  char mine[PATH_MAX];
  TG_TRY(tg_output_path(run->engine->spec->output_directory, "report.json", path));
  struct stat facts;
  if (stat(tg_text_string(path), &facts) != 0 || !S_ISREG(facts.st_mode)) return TG_OK;
  json_t *report = json_load_file(tg_text_string(path), 0, NULL);
  const char *theirs = json_string_value(json_object_get(report, "job_file"));
  tg_status status = TG_OK;
  tg_outputs_job_file(run->engine->spec, sizeof mine, mine);
  if (theirs != NULL && strcmp(theirs, mine) != 0 && !run->options->force)
    status = tg_error_set(TG_USAGE, TG_HERE,
                          "the folder %s holds the results of another job, %s; choose another one with --output, or "
                          "overwrite it with --force",
                          run->engine->spec->output_directory, theirs);
  else if (theirs != NULL)
    run->earlier_files = json_incref(json_object_get(report, "files"));
  json_decref(report);
  return status;
}

static bool is_written(const json_t *written, const char *name)
{
  size_t k = 0;
  const json_t *entry = NULL;
  json_array_foreach(written, k, entry) if (strcmp(json_string_value(entry), name) == 0) return true;
  return false;
}

// A matrix file in the folder itself, or the rows of tune: a report may have been edited.
static bool may_remove(const char *name)
{
  const tg_file_format *format = NULL;
  if (name == NULL || name[0] == '.' || strchr(name, '/') != NULL) return false;
  if (strcmp(name, "tune.jsonl") == 0) return true;
  if (tg_file_find_target_format(name, &format) == TG_OK) return true;
  tg_error_clear();
  return false;
}

void tg_outputs_remove_stale(const tg_run *run)
{
  tg_text path;
  size_t k = 0;
  const json_t *entry = NULL;
  json_t *written = tg_outputs_list(run);
  tg_text room;
  tg_text_init(&path);
  tg_text_init(&room);
  json_array_foreach(written != NULL ? run->earlier_files : NULL, k, entry)
  {
    const char *name = json_string_value(entry);
    if (!may_remove(name) || is_written(written, name)) continue;
    if (tg_output_path(run->engine->spec->output_directory, name, &path) != TG_OK) continue;
    tg_file_use found = {NULL, NULL}; // what was a result may be data now
    if (tg_output_find_use(run->engine->spec, -1, 0, tg_text_string(&path), &room, &found) == TG_OK &&
        found.other == NULL)
      unlink(tg_text_string(&path));
  }
  json_decref(written);
  tg_text_fini(&room);
  tg_text_fini(&path);
}

// ---- whether they can be written ----

// Rank 0. The text files of a run; a pipe in the place of one would stop the run for good.
static tg_status test_text_files(const tg_spec *spec, tg_text *path, tg_text *prefix)
{
  static const char *const names[] = {"report.json", "history.jsonl"};
  struct stat facts;
  for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
    TG_TRY(tg_output_path(spec->output_directory, names[k], path));
    const char *name = tg_text_string(path);
    if (stat(name, &facts) == 0 && !S_ISREG(facts.st_mode))
      TG_FAIL(TG_IO, "%s: is not a regular file, cannot be replaced by one of this run", name);
    tg_text_clear(prefix);
    tg_text_addf(prefix, "%s.", names[k]);
    tg_io_remove_matching(spec->output_directory, tg_text_string(prefix), ".tmp");
  }
  if (access(spec->output_directory, W_OK | X_OK) != 0)
    TG_FAIL(TG_IO, "cannot write into the folder %s: permission denied", spec->output_directory);
  return TG_OK;
}

// What is done with the file of a variable.
typedef enum file_work { TEST, WRITE, WRITE_RAY } file_work;

// Collective.
static tg_status work_on(const tg_run *run, int k, file_work work, tg_text *path, tg_text *dataset)
{
  const tg_task_variable *x = &run->engine->setup->task->variables[k];
  const tg_file_format *format = NULL;
  TG_TRY(tg_file_find_target_format(x->spec->output, &format));
  tg_text_clear(dataset);
  if (work == WRITE_RAY) TG_TRY(tg_agree(run->comm, name_ray(run->engine->spec, k, dataset)));
  const char *file = work == WRITE_RAY ? tg_text_string(dataset) : x->spec->output;
  TG_TRY(tg_agree(run->comm, tg_output_path(run->engine->spec->output_directory, file, path)));
  tg_text_clear(dataset);
  tg_text_addf(dataset, "/%s", x->spec->name);
  const char *name = tg_text_string(path);
  const char *inside = format->holds_datasets ? tg_text_string(dataset) : NULL;
  if (work == TEST) return tg_file_write_test(run->engine->setup->grid, x->rows, x->cols, name, inside);
  return tg_file_write(tg_space_block(work == WRITE ? run->engine->setup->x : run->ray, k), name, inside);
}

// One that fails does not keep the others from being tested or written; the first failure is returned.
static tg_status for_each_variable(const tg_run *run, file_work work)
{
  tg_text path;
  tg_text dataset;
  tg_status first = TG_OK;
  tg_error record = {0};
  tg_text_init(&path);
  tg_text_init(&dataset);
  for (int k = 0; k < run->engine->spec->n_variables; k++) {
    if (run->engine->spec->variables[k].output == NULL || (work == WRITE_RAY && !writes_ray(run, k))) continue;
    const tg_status status = work_on(run, k, work, &path, &dataset);
    if (status == TG_OK || first != TG_OK) continue;
    first = status;
    record = *tg_error_get();
  }
  tg_text_fini(&dataset);
  tg_text_fini(&path);
  if (first != TG_OK) *tg_error_get() = record;
  return first;
}

// Rank 0.
static tg_status prepare_alone(tg_run *run)
{
  const tg_spec *spec = run->engine->spec;
  tg_text path;
  tg_text prefix;
  tg_text_init(&path);
  tg_text_init(&prefix);
  tg_status status = make_folders(spec, &path);
  if (status == TG_OK) status = look_at_report(run, &path);
  if (status == TG_OK) status = refuse_clashes(spec, &path);
  if (status == TG_OK) status = refuse_multiplier_clashes(run, &path);
  if (status == TG_OK) status = tg_derivative_files_check(spec, &path);
  if (status == TG_OK) status = test_text_files(spec, &path, &prefix);
  tg_text_fini(&prefix);
  tg_text_fini(&path);
  return status;
}

tg_status tg_outputs_prepare(tg_run *run)
{
  int rank = 0;
  TG_TRY_MPI(MPI_Comm_rank(run->comm, &rank));
  TG_TRY(tg_agree(run->comm, rank == 0 ? prepare_alone(run) : TG_OK));
  return for_each_variable(run, TEST);
}

// Rank 0. Folders that vanished while the run computed; one that cannot be made is named by the file that needs it.
static void make_folders_again(const tg_spec *spec)
{
  tg_text path;
  tg_text_init(&path);
  if (make_folders(spec, &path) != TG_OK) tg_error_clear();
  tg_text_fini(&path);
}

// Rank 0. Whether the file of this ray is none of the job's.
static bool is_free(const tg_spec *spec, int k)
{
  tg_file_use found = {NULL, NULL};
  tg_text path;
  tg_text other;
  tg_text_init(&path);
  tg_text_init(&other);
  tg_status status = name_ray(spec, k, &other);
  if (status == TG_OK) status = tg_output_path(spec->output_directory, tg_text_string(&other), &path);
  if (status == TG_OK) status = tg_output_find_use(spec, -1, spec->n_variables, tg_text_string(&path), &other, &found);
  if (status != TG_OK) tg_error_clear();
  tg_text_fini(&other);
  tg_text_fini(&path);
  return status == TG_OK && found.other == NULL;
}

// Which parts of the ray are written. Collective.
static tg_status choose_rays(tg_run *run, bool is_first)
{
  const int n = run->engine->spec->n_variables;
  if (run->ray == NULL || run->engine->result.outcome != OPT_UNBOUNDED) return TG_OK;
  TG_TRY(tg_agree(run->comm, TG_NEW(n, &run->writes_ray)));
  for (int k = 0; k < n && is_first; k++)
    run->writes_ray[k] = run->engine->spec->variables[k].output != NULL && is_free(run->engine->spec, k);
  TG_TRY_MPI(MPI_Bcast(run->writes_ray, n, MPI_C_BOOL, 0, run->comm));
  return for_each_variable(run, WRITE_RAY);
}

tg_status tg_outputs_write(tg_run *run)
{
  int rank = 0;
  TG_TRY_MPI(MPI_Comm_rank(run->comm, &rank));
  if (rank == 0) make_folders_again(run->engine->spec);
  TG_TRY(for_each_variable(run, WRITE));
  TG_TRY(write_multipliers(run));
  TG_TRY(tg_derivative_files_write(run));
  return choose_rays(run, rank == 0);
}
