// Where the points of a sweep begin that go on from each other.
#include "engine/sweep/path.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/whole_file.h"
#include "engine/checkpoint/folder.h"
#include "engine/share/share.h"
#include "mpi/file/files.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/space/space.h"

static void destroy_all(int n, tg_dmat **matrices)
{
  for (int k = 0; matrices != NULL && k < n; k++) tg_dmat_destroy(&matrices[k]);
  tg_free(matrices);
}

static tg_status copy_all(const tg_setup *setup, tg_dmat **out)
{
  const tg_task *task = setup->task;
  for (int k = 0; k < task->spec->n_variables; k++) {
    const tg_dmat *x = tg_space_block(setup->x, k);
    TG_TRY(tg_agree(setup->comm, tg_dmat_create(setup->grid, x->rows, x->cols, &out[k])));
    TG_TRY(tg_dmat_copy(x, out[k]));
  }
  return TG_OK;
}

static tg_status name_file(const char *folder, int64_t point, const char *variable, tg_text *out)
{
  tg_text_clear(out);
  tg_text_addf(out, "%s/%lld", folder, (long long)point);
  if (variable != NULL) tg_text_addf(out, "/%s.npy", variable);
  return tg_text_status(out);
}

// What is done with the file of each variable.
typedef tg_status work(const tg_setup *setup, int k, const char *path, tg_dmat **matrices);

static tg_status write_one(const tg_setup *setup, int k, const char *path, tg_dmat **matrices)
{
  (void)setup;
  return tg_file_write_passing(matrices[k], path);
}

static tg_status read_one(const tg_setup *setup, int k, const char *path, tg_dmat **matrices)
{
  const tg_dmat *x = tg_space_block(setup->x, k);
  TG_TRY(tg_file_read(setup->grid, path, NULL, &matrices[k]));
  if (matrices[k]->rows != setup->task->variables[k].rows || matrices[k]->cols != setup->task->variables[k].cols)
    TG_FAIL(TG_DATA, "%s is not the start of a point: it is no %lld x %lld", path, (long long)x->rows,
            (long long)x->cols);
  return TG_OK;
}

static tg_status make_folder(const char *folder, int64_t point)
{
  tg_text path;
  tg_text_init(&path);
  tg_status status = name_file(folder, point, NULL, &path);
  if (status == TG_OK) status = tg_make_folder(tg_text_string(&path));
  tg_text_fini(&path);
  return status;
}

static tg_status for_each(const tg_setup *setup, const char *folder, int64_t point, work *task, tg_dmat **matrices)
{
  tg_text path;
  tg_status status = TG_OK;
  tg_text_init(&path);
  for (int k = 0; k < setup->task->spec->n_variables && status == TG_OK; k++) {
    status = tg_agree(setup->comm, name_file(folder, point, setup->task->spec->variables[k].name, &path));
    if (status == TG_OK) status = task(setup, k, tg_text_string(&path), matrices);
  }
  tg_text_fini(&path);
  return status;
}

tg_status tg_sweep_path_write(const tg_setup *setup, const char *folder, int64_t number, tg_dmat **matrices)
{
  int rank = 0;
  MPI_Comm_rank(setup->comm, &rank);
  TG_TRY(tg_agree(setup->comm, rank == 0 ? make_folder(folder, number) : TG_OK));
  return for_each(setup, folder, number, write_one, matrices);
}

// ---- the metric ----

static const char metric_name[] = "metric";

static tg_status name_metrics(const char *folder, tg_text *out)
{
  tg_text_clear(out);
  tg_text_addf(out, "%s/%s", folder, metric_name);
  return tg_text_status(out);
}

static tg_status name_facts(const char *folder, int64_t point, tg_text *out)
{
  tg_text_clear(out);
  tg_text_addf(out, "%s/%lld/%s", folder, (long long)point, metric_name);
  return tg_text_status(out);
}

// What a sweep that is resumed has to know: the point that made it, -1 for none, and what it has served for.
static tg_status write_facts(tg_share *share, const char *folder, int64_t point)
{
  const tg_share_metric *facts = tg_share_metric_facts(share);
  const bool is_there = tg_share_metric_matrices(share) != NULL;
  tg_text path;
  tg_text_init(&path);
  tg_status status = name_facts(folder, point, &path);
  FILE *file = status == TG_OK ? fopen(tg_text_string(&path), "w") : NULL;
  if (status == TG_OK && file == NULL)
    status = tg_error_set(TG_IO, TG_HERE, "cannot create %s: %s", tg_text_string(&path), strerror(errno));
  if (file != NULL) {
    const int written = fprintf(file, "%lld %lld %lld\n", is_there ? (long long)facts->made_by : -1LL,
                                (long long)facts->points, (long long)facts->iterations);
    if ((fclose(file) != 0 || written < 0) && status == TG_OK)
      status = tg_error_set(TG_IO, TG_HERE, "cannot write %s: %s", tg_text_string(&path), strerror(errno));
  }
  tg_text_fini(&path);
  return status;
}

// made_by = -1 where there is none, or nothing that can be read. Rank 0.
static void read_facts(const char *folder, int64_t point, tg_share_metric *out)
{
  long long numbers[3] = {-1, 0, 0};
  char line[80] = "";
  char *at = line;
  bool reads = true;
  tg_text path;
  tg_text_init(&path);
  FILE *file = name_facts(folder, point, &path) == TG_OK ? fopen(tg_text_string(&path), "r") : NULL;
  if (file == NULL || fgets(line, sizeof line, file) == NULL) line[0] = '\0';
  if (file != NULL) fclose(file);
  for (int k = 0; k < 3; k++) {
    char *begin = at;
    numbers[k] = strtoll(begin, &at, 10);
    reads = reads && at != begin;
  }
  if (!reads) numbers[0] = -1;
  tg_text_fini(&path);
  *out = (tg_share_metric){.made_by = numbers[0], .points = numbers[1], .iterations = numbers[2]};
}

static tg_status keep_metric(const tg_setup *setup, tg_share *share, const char *folder, int64_t point, int rank)
{
  tg_dmat **held = tg_share_metric_matrices(share);
  const int64_t made_by = tg_share_metric_facts(share)->made_by;
  tg_text path;
  tg_status status = TG_OK;
  tg_text_init(&path);
  if (held != NULL && made_by == point) {
    status = tg_agree(setup->comm, name_metrics(folder, &path));
    if (status == TG_OK) status = tg_sweep_path_write(setup, tg_text_string(&path), made_by, held);
  }
  tg_text_fini(&path);
  TG_TRY(status);
  return tg_agree(setup->comm, rank == 0 ? write_facts(share, folder, point) : TG_OK);
}

// What cannot be read is damaged: the sweep goes on without it.
static tg_status read_all(const tg_setup *setup, const char *folder, int64_t point, tg_dmat ***out)
{
  const int n = setup->task->spec->n_variables;
  TG_TRY(tg_agree_memory(setup->comm, TG_NEW(n, out), out));
  const tg_status status = for_each(setup, folder, point, read_one, *out);
  if (status == TG_OK) return TG_OK;
  destroy_all(n, *out);
  *out = NULL;
  if (status != TG_DATA && status != TG_IO) return tg_error_pass(status, TG_HERE);
  tg_error_clear();
  return TG_OK;
}

static tg_status read_metric(const tg_setup *setup, tg_share *share, const char *folder, int64_t point)
{
  tg_share_metric facts = {.made_by = -1};
  tg_dmat **read = NULL;
  tg_text path;
  int rank = 0;
  MPI_Comm_rank(setup->comm, &rank);
  if (rank == 0) read_facts(folder, point, &facts);
  TG_TRY_MPI(MPI_Bcast(&facts, (int)sizeof facts, MPI_BYTE, 0, setup->comm));
  tg_share_drop_metric(share);
  if (facts.made_by < 0) return TG_OK;
  tg_text_init(&path);
  tg_status status = tg_agree(setup->comm, name_metrics(folder, &path));
  if (status == TG_OK) status = read_all(setup, tg_text_string(&path), facts.made_by, &read);
  tg_text_fini(&path);
  if (status != TG_OK || read == NULL) return status;
  TG_TRY(tg_agree(setup->comm, tg_share_set_metric(share, setup->task->spec->n_variables, read)));
  *tg_share_metric_facts(share) = facts;
  return TG_OK;
}

// ---- starts ----

tg_status tg_sweep_path_keep(const tg_setup *setup, tg_share *share, const char *folder, int64_t point)
{
  const int n = setup->task->spec->n_variables;
  tg_dmat **copies = NULL;
  int rank = 0;
  MPI_Comm_rank(setup->comm, &rank);
  TG_TRY(tg_agree_memory(setup->comm, TG_NEW(n, &copies), &copies));
  tg_status status = copy_all(setup, copies);
  if (status == TG_OK) status = tg_sweep_path_write(setup, folder, point, copies);
  if (status == TG_OK) status = keep_metric(setup, share, folder, point, rank);
  if (status != TG_OK) {
    destroy_all(n, copies);
    return tg_error_pass(status, TG_HERE);
  }
  tg_share_add_start(share, point, n, copies);
  return TG_OK;
}

tg_status tg_sweep_path_read(const tg_setup *setup, tg_share *share, const char *folder, int64_t point, bool *found)
{
  tg_dmat **read = NULL;
  TG_TRY(read_all(setup, folder, point, &read));
  *found = read != NULL;
  if (read == NULL) return TG_OK;
  tg_share_add_start(share, point, setup->task->spec->n_variables, read);
  return read_metric(setup, share, folder, point);
}

// ---- folders ----

// The number that a name is; -1: none.
static int64_t number_of(const char *name)
{
  char *end = NULL;
  const long long number = strtoll(name, &end, 10);
  return end != name && *end == '\0' && number >= 0 ? number : -1;
}

int64_t tg_sweep_path_find(const char *folder, int64_t low, int64_t before)
{
  int64_t best = -1;
  DIR *list = opendir(folder);
  if (list == NULL) return -1;
  for (const struct dirent *entry = NULL; (entry = readdir(list)) != NULL;) {
    const int64_t number = number_of(entry->d_name);
    if (number >= low && number < before && number > best) best = number;
  }
  closedir(list);
  return best;
}

typedef bool keeping(tg_share *share, int64_t point);

static bool has_start(tg_share *share, int64_t point)
{
  for (int k = 0; share != NULL && k < tg_share_starts(share); k++)
    if (tg_share_start_point(share, k) == point) return true;
  return false;
}

static bool has_metric(tg_share *share, int64_t point)
{
  return share != NULL && tg_share_metric_matrices(share) != NULL && tg_share_metric_facts(share)->made_by == point;
}

static void clean(const char *folder, int64_t low, int64_t high, tg_share *share, keeping *keeps)
{
  for (int64_t number = high + 1; (number = tg_sweep_path_find(folder, low, number)) >= 0;) {
    tg_text path;
    if (keeps(share, number)) continue;
    tg_text_init(&path);
    tg_text_addf(&path, "%s/%lld", folder, (long long)number);
    if (tg_text_status(&path) == TG_OK) tg_folder_discard(tg_text_string(&path));
    tg_text_fini(&path);
  }
  if (rmdir(folder) != 0) errno = 0; // another part's are there
}

void tg_sweep_path_clean(const char *folder, int64_t low, int64_t high, tg_share *share)
{
  tg_text metrics;
  tg_text_init(&metrics);
  if (name_metrics(folder, &metrics) == TG_OK) clean(tg_text_string(&metrics), low, high, share, has_metric);
  tg_text_fini(&metrics);
  clean(folder, low, high, share, has_start);
}
