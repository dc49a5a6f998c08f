// The files that a run leaves: tested before anything is computed, written at the end.
#include "cli/run/outputs.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/whole_file.h"
#include "mpi/file/files.h"
#include "mpi/file/io_posix.h"
#include "mpi/space/space.h"

tg_status tg_output_path(const char *folder, const char *name, tg_text *out)
{
  tg_text_clear(out);
  if (name[0] != '/') tg_text_addf(out, "%s/", folder);
  tg_text_add(out, name);
  return tg_text_status(out);
}

// ---- folders ----

// Rank 0.
static tg_status make_folders(const tg_job *job, tg_text *path)
{
  TG_TRY(tg_make_folder(job->output_directory));
  for (int k = 0; k < job->n_variables; k++) {
    const char *name = job->variables[k].output;
    const char *slash = name != NULL ? strrchr(name, '/') : NULL;
    if (slash == NULL || slash == name) continue;
    tg_text_clear(path);
    if (name[0] != '/') tg_text_addf(path, "%s/", job->output_directory);
    tg_text_add_bytes(path, name, (size_t)(slash - name));
    TG_TRY(tg_text_status(path));
    TG_TRY(tg_make_folder(tg_text_string(path)));
  }
  return TG_OK;
}

// ---- one file, one purpose ----

// The name without links: of the file itself where it exists, else of its folder, which does.
static bool resolve(const char *path, char out[PATH_MAX])
{
  char folder[PATH_MAX];
  if (realpath(path, out) != NULL) return true;
  const char *slash = strrchr(path, '/');
  const size_t length = slash != NULL ? (size_t)(slash - path) : 1;
  if (length >= sizeof folder) return false;
  memcpy(folder, slash != NULL ? path : ".", length);
  folder[length] = '\0';
  char *real = realpath(length > 0 ? folder : "/", NULL);
  if (real == NULL) return false;
  const int used = snprintf(out, PATH_MAX, "%s/%s", real, slash != NULL ? slash + 1 : path);
  free(real);
  return used < PATH_MAX;
}

static bool is_same_file(const char *a, const char *b)
{
  struct stat facts_a;
  struct stat facts_b;
  char name_a[PATH_MAX];
  char name_b[PATH_MAX];
  if (stat(a, &facts_a) == 0 && stat(b, &facts_b) == 0)
    return facts_a.st_dev == facts_b.st_dev && facts_a.st_ino == facts_b.st_ino;
  return resolve(a, name_a) && resolve(b, name_b) && strcmp(name_a, name_b) == 0;
}

// A file that is read or written under another name already; what it is to the job.
static tg_status refuse_use(tg_job *job, int variable, const char *path, const char *other, const char *what)
{
  if (other == NULL || !is_same_file(path, other)) return TG_OK;
  TG_FAIL_NODE(job->variables[variable].output_node, TG_JOB, "%s is already %s, %s; the variable needs its own", path,
               what, other);
}

static tg_status refuse_uses(tg_job *job, int k, const char *path, tg_text *other)
{
  static const char *const own[] = {"report.json", "history.jsonl"};
  TG_TRY(refuse_use(job, k, path, job->path, "the job file"));
  for (int i = 0; i < job->n_data; i++) TG_TRY(refuse_use(job, k, path, job->data[i].file, "a data file of the job"));
  for (int i = 0; i < job->n_variables; i++)
    if (i != k) TG_TRY(refuse_use(job, k, path, job->variables[i].start_file, "a start of the job"));
  for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
    TG_TRY(tg_output_path(job->output_directory, own[i], other));
    TG_TRY(refuse_use(job, k, path, tg_text_string(other), "a file of every run"));
  }
  for (int i = 0; i < k; i++) {
    if (job->variables[i].output == NULL) continue;
    TG_TRY(tg_output_path(job->output_directory, job->variables[i].output, other));
    TG_TRY(refuse_use(job, k, path, tg_text_string(other), "the file of another variable"));
  }
  return TG_OK;
}

// Rank 0. A variable may replace the file that it started from.
static tg_status refuse_clashes(tg_job *job, tg_text *path)
{
  tg_text other;
  tg_status status = TG_OK;
  tg_text_init(&other);
  for (int k = 0; k < job->n_variables && status == TG_OK; k++) {
    if (job->variables[k].output == NULL) continue;
    status = tg_output_path(job->output_directory, job->variables[k].output, path);
    if (status == TG_OK) status = refuse_uses(job, k, tg_text_string(path), &other);
  }
  tg_text_fini(&other);
  return status;
}

// ---- whose folder it is ----

void tg_outputs_job_file(const tg_job *job, size_t room, char *out)
{
  char real[PATH_MAX];
  snprintf(out, room, "%s", realpath(job->path, real) != NULL ? real : job->path);
}

json_t *tg_outputs_list(const tg_job *job)
{
  json_t *out = json_array();
  for (int k = 0; k < job->n_variables && out != NULL; k++)
    if (job->variables[k].output != NULL) json_array_append_new(out, json_string(job->variables[k].output));
  return out;
}

// Rank 0. What an earlier run has left. A report that cannot be read says nothing.
static tg_status look_at_report(tg_run *run, tg_text *path)
{
  char mine[PATH_MAX];
  TG_TRY(tg_output_path(run->job->output_directory, "report.json", path));
  struct stat facts;
  if (stat(tg_text_string(path), &facts) != 0 || !S_ISREG(facts.st_mode)) return TG_OK;
  json_t *report = json_load_file(tg_text_string(path), 0, NULL);
  const char *theirs = json_string_value(json_object_get(report, "job_file"));
  tg_status status = TG_OK;
  tg_outputs_job_file(run->job, sizeof mine, mine);
  if (theirs != NULL && strcmp(theirs, mine) != 0 && !run->options->force)
    status = tg_error_set(TG_USAGE, TG_HERE,
                          "the folder %s holds the results of another job, %s; choose another one with --output, or "
                          "overwrite it with --force",
                          run->job->output_directory, theirs);
  else if (theirs != NULL)
    run->earlier_files = json_incref(json_object_get(report, "files"));
  json_decref(report);
  return status;
}

static bool is_written(const tg_job *job, const char *name)
{
  for (int k = 0; k < job->n_variables; k++)
    if (job->variables[k].output != NULL && strcmp(job->variables[k].output, name) == 0) return true;
  return false;
}

// A matrix file in the folder itself: a report may have been edited.
static bool may_remove(const char *name)
{
  const tg_file_format *format = NULL;
  if (name == NULL || name[0] == '.' || strchr(name, '/') != NULL) return false;
  if (tg_file_find_target_format(name, &format) == TG_OK) return true;
  tg_error_clear();
  return false;
}

void tg_outputs_remove_stale(const tg_run *run)
{
  tg_text path;
  size_t k = 0;
  const json_t *entry = NULL;
  tg_text_init(&path);
  json_array_foreach(run->earlier_files, k, entry)
  {
    const char *name = json_string_value(entry);
    if (!may_remove(name) || is_written(run->job, name)) continue;
    if (tg_output_path(run->job->output_directory, name, &path) == TG_OK) unlink(tg_text_string(&path));
  }
  tg_text_fini(&path);
}

// ---- whether they can be written ----

// Rank 0. The text files of a run; a pipe in the place of one would stop the run for good.
static tg_status test_text_files(const tg_job *job, tg_text *path, tg_text *prefix)
{
  static const char *const names[] = {"report.json", "history.jsonl"};
  struct stat facts;
  for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
    TG_TRY(tg_output_path(job->output_directory, names[k], path));
    const char *name = tg_text_string(path);
    if (stat(name, &facts) == 0 && !S_ISREG(facts.st_mode))
      TG_FAIL(TG_IO, "%s: is not a regular file, cannot be replaced by one of this run", name);
    tg_text_clear(prefix);
    tg_text_addf(prefix, "%s.", names[k]);
    tg_io_remove_matching(job->output_directory, tg_text_string(prefix), ".tmp");
  }
  if (access(job->output_directory, W_OK | X_OK) != 0)
    TG_FAIL(TG_IO, "cannot write into the folder %s: permission denied", job->output_directory);
  return TG_OK;
}

// Tests or writes the file of variable k. Collective.
static tg_status test_or_write(const tg_run *run, int k, bool writes, tg_text *path, tg_text *dataset)
{
  const tg_job_variable *variable = &run->job->variables[k];
  const tg_file_format *format = NULL;
  TG_TRY(tg_file_find_target_format(variable->output, &format));
  tg_text_clear(dataset);
  tg_text_addf(dataset, "/%s", variable->name);
  TG_TRY(tg_agree(run->comm, tg_output_path(run->job->output_directory, variable->output, path)));
  const char *name = tg_text_string(path);
  const char *inside = format->holds_datasets ? tg_text_string(dataset) : NULL;
  if (writes) return tg_file_write(tg_space_block(run->setup->x, k), name, inside);
  return tg_file_write_test(run->setup->grid, variable->rows, variable->cols, name, inside);
}

// One that fails does not keep the others from being tested or written; the first failure is returned.
static tg_status for_each_variable(const tg_run *run, bool writes)
{
  tg_text path;
  tg_text dataset;
  tg_status first = TG_OK;
  tg_error record = {0};
  tg_text_init(&path);
  tg_text_init(&dataset);
  for (int k = 0; k < run->job->n_variables; k++) {
    if (run->job->variables[k].output == NULL) continue;
    const tg_status status = test_or_write(run, k, writes, &path, &dataset);
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
  tg_job *job = run->job;
  tg_text path;
  tg_text prefix;
  tg_text_init(&path);
  tg_text_init(&prefix);
  tg_status status = make_folders(job, &path);
  if (status == TG_OK) status = look_at_report(run, &path);
  if (status == TG_OK) status = refuse_clashes(job, &path);
  if (status == TG_OK) status = test_text_files(job, &path, &prefix);
  tg_text_fini(&prefix);
  tg_text_fini(&path);
  return status;
}

tg_status tg_outputs_prepare(tg_run *run)
{
  int rank = 0;
  TG_TRY_MPI(MPI_Comm_rank(run->comm, &rank));
  TG_TRY(tg_agree(run->comm, rank == 0 ? prepare_alone(run) : TG_OK));
  return for_each_variable(run, false);
}

// Rank 0. Folders that vanished while the run computed; one that cannot be made is named by the file that needs it.
static void make_folders_again(const tg_job *job)
{
  tg_text path;
  tg_text_init(&path);
  if (make_folders(job, &path) != TG_OK) tg_error_clear();
  tg_text_fini(&path);
}

tg_status tg_outputs_write(const tg_run *run)
{
  int rank = 0;
  TG_TRY_MPI(MPI_Comm_rank(run->comm, &rank));
  if (rank == 0) make_folders_again(run->job);
  return for_each_variable(run, true);
}
