// Where the points of a sweep begin that go on from each other.
#include "engine/sweep/path.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
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
  return tg_file_write(matrices[k], path, NULL);
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

tg_status tg_sweep_path_keep(const tg_setup *setup, tg_share *share, const char *folder, int64_t point)
{
  const int n = setup->task->spec->n_variables;
  tg_dmat **copies = NULL;
  int rank = 0;
  MPI_Comm_rank(setup->comm, &rank);
  TG_TRY(tg_agree_memory(setup->comm, TG_NEW(n, &copies), &copies));
  tg_status status = copy_all(setup, copies);
  if (status == TG_OK) status = tg_agree(setup->comm, rank == 0 ? make_folder(folder, point) : TG_OK);
  if (status == TG_OK) status = for_each(setup, folder, point, write_one, copies);
  if (status != TG_OK) {
    destroy_all(n, copies);
    return tg_error_pass(status, TG_HERE);
  }
  tg_share_add_start(share, point, n, copies);
  return TG_OK;
}

tg_status tg_sweep_path_read(const tg_setup *setup, tg_share *share, const char *folder, int64_t point)
{
  const int n = setup->task->spec->n_variables;
  tg_dmat **read = NULL;
  TG_TRY(tg_agree_memory(setup->comm, TG_NEW(n, &read), &read));
  const tg_status status = for_each(setup, folder, point, read_one, read);
  if (status != TG_OK) {
    destroy_all(n, read);
    return tg_error_pass(status, TG_HERE);
  }
  tg_share_add_start(share, point, n, read);
  return TG_OK;
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

static bool has_start(const tg_share *share, int64_t point)
{
  for (int k = 0; share != NULL && k < tg_share_starts(share); k++)
    if (tg_share_start_point(share, k) == point) return true;
  return false;
}

void tg_sweep_path_clean(const char *folder, int64_t low, int64_t high, const tg_share *share)
{
  for (int64_t number = high + 1; (number = tg_sweep_path_find(folder, low, number)) >= 0;) {
    tg_text path;
    if (has_start(share, number)) continue;
    tg_text_init(&path);
    tg_text_addf(&path, "%s/%lld", folder, (long long)number);
    if (tg_text_status(&path) == TG_OK) tg_folder_discard(tg_text_string(&path));
    tg_text_fini(&path);
  }
  if (rmdir(folder) != 0) errno = 0; // another part's are there
}
