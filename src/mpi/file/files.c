// Matrix files: collective reading, and writing that never damages what is there.
#include "mpi/file/files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/memory.h"
#include "base/text.h"
#include "mpi/file/io_posix.h"

static tg_status check_dataset(const tg_file_format *format, const char *path, const char *dataset)
{
  if (dataset != NULL && !format->holds_datasets)
    TG_FAIL(TG_DATA, "%s: a %s file holds one matrix; dataset '%s' applies to HDF5 files only", path, format->label,
            dataset);
  return TG_OK;
}

tg_status tg_file_probe(const char *path, const char *dataset, tg_file_shape *out)
{
  const tg_file_format *format = NULL;
  TG_TRY(tg_file_find_format(path, &format));
  TG_TRY(check_dataset(format, path, dataset));
  const tg_status status = format->probe(path, dataset, out);
  return status == TG_DATA ? tg_file_say_what_it_is(path, format) : status;
}

// --- reading -----------------------------------------------------------------------------------------

// What tells one state of a file from another one, into the shape. Local.
static tg_status identify(const char *path, tg_file_shape *out)
{
  int fd = -1;
  int64_t file_bytes = 0;
  TG_TRY(tg_io_open_read(path, &fd, &file_bytes));
  out->changed_ns = tg_io_changed_ns(fd);
  const tg_status status = tg_io_fingerprint(path, fd, file_bytes, &out->fingerprint);
  tg_io_close(&fd);
  return status;
}

static tg_status probe_and_identify(const tg_file_source *source, tg_file_shape *out)
{
  TG_TRY(tg_file_probe(source->path, source->dataset, out));
  return identify(source->path, out);
}

// After reading: rank 0 looks at the file once more. A network file system may tell each rank another time. Collective.
static tg_status refuse_changed(const tg_grid *grid, const tg_file_source *source)
{
  tg_status status = TG_OK;
  tg_file_shape now = {0};
  int fd = -1;
  int64_t file_bytes = 0;
  if (grid->rank == 0) {
    status = tg_io_open_read(source->path, &fd, &file_bytes);
    if (status == TG_OK) now.changed_ns = tg_io_changed_ns(fd);
    tg_io_close(&fd);
    if (status == TG_OK && (file_bytes != source->shape->file_bytes || now.changed_ns != source->shape->changed_ns))
      status = tg_error_set(TG_DATA, TG_HERE,
                            "%s: was written while it was read: %" PRId64 " bytes, %" PRId64
                            " before; let its writer end first",
                            source->path, file_bytes, source->shape->file_bytes);
  }
  return tg_agree(grid->comm, status);
}

// Rank 0 has probed the file; the others must see the same one. A node that lacks the shared directory, or has an
// older copy, is found here.
static tg_status probe_same(const tg_file_source *source, const tg_grid *grid)
{
  tg_file_shape mine = {0};
  const tg_file_shape *first = source->shape;
  if (grid->rank == 0) return TG_OK;
  const tg_status status = probe_and_identify(source, &mine);
  if (status != TG_OK) {
    tg_error_prefix("rank %d, unlike rank 0", grid->rank);
    return status;
  }
  if (mine.rows != first->rows || mine.cols != first->cols || mine.file_bytes != first->file_bytes)
    TG_FAIL(TG_DATA,
            "%s: rank %d sees %" PRId64 " x %" PRId64 " in %" PRId64 " bytes, rank 0 sees %" PRId64 " x %" PRId64
            " in %" PRId64 " bytes; is the directory shared by all nodes?",
            source->path, grid->rank, mine.rows, mine.cols, mine.file_bytes, first->rows, first->cols,
            first->file_bytes);
  if (mine.fingerprint != first->fingerprint)
    TG_FAIL(TG_DATA,
            "%s: rank %d sees another content than rank 0, of equal size; is the directory shared by all nodes?",
            source->path, grid->rank);
  return TG_OK;
}

static tg_status create_matrix(const tg_grid *grid, const tg_file_source *source, tg_dmat **out)
{
  const tg_status status = tg_dmat_create(grid, source->shape->rows, source->shape->cols, out);
  if (status != TG_OK)
    tg_error_prefix("%s: as a dense matrix of %" PRId64 " x %" PRId64, source->path, source->shape->rows,
                    source->shape->cols);
  return status;
}

typedef struct nonfinite {
  int64_t first; // row * cols + column of the first one here, INT64_MAX when there is none
  int64_t count;
  double value;
} nonfinite;

static void find_nonfinite(const tg_dmat *matrix, bool may_be_infinite, nonfinite *out)
{
  *out = (nonfinite){.first = INT64_MAX};
  const tg_grid *grid = matrix->grid;
  for (int64_t j = 0; j < matrix->local_cols; j++) {
    const double *column = matrix->data + j * matrix->ld;
    double poison = 0; // stays 0 while all are finite: a loop the compiler vectorises
    for (int64_t i = 0; i < matrix->local_rows; i++) poison += column[i] * 0.0;
    if (poison == 0) continue;
    const int64_t col = tg_layout_global(j, matrix->block, grid->col, grid->cols);
    for (int64_t i = 0; i < matrix->local_rows; i++) {
      if (isfinite(column[i]) || (may_be_infinite && !isnan(column[i]))) continue;
      const int64_t row = tg_layout_global(i, matrix->block, grid->row, grid->rows);
      out->count++;
      if (row * matrix->cols + col >= out->first) continue;
      out->first = row * matrix->cols + col;
      out->value = column[i];
    }
  }
}

// Every rank learns of the first one in row-major order, which does not depend on the grid.
static tg_status check_finite(const char *path, bool may_be_infinite, const tg_dmat *matrix)
{
  nonfinite mine;
  find_nonfinite(matrix, may_be_infinite, &mine);
  int64_t first = 0;
  int64_t count = 0;
  MPI_Comm comm = matrix->grid->comm;
  TG_TRY_MPI(MPI_Allreduce(&mine.first, &first, 1, MPI_INT64_T, MPI_MIN, comm));
  if (first == INT64_MAX) return TG_OK;
  TG_TRY_MPI(MPI_Allreduce(&mine.count, &count, 1, MPI_INT64_T, MPI_SUM, comm));
  tg_status status = TG_OK;
  if (mine.first == first)
    status =
        tg_error_set(TG_DATA, TG_HERE,
                     "%s: entry (row %" PRId64 ", column %" PRId64 "), counting from 1, is %s, expected %s; %" PRId64
                     " of %" PRId64 " x %" PRId64 " entries are not",
                     path, first / matrix->cols + 1, first % matrix->cols + 1,
                     isnan(mine.value) ? "NaN"
                     : mine.value > 0  ? "infinite"
                                       : "-infinite",
                     may_be_infinite ? "numbers" : "finite numbers", count, matrix->rows, matrix->cols);
  return tg_agree(comm, status);
}

// What every rank needs to know before it reads. Collective.
static tg_status probe_all(const tg_grid *grid, tg_file_source *source, tg_file_shape *shape,
                           const tg_file_format **format)
{
  memset(shape, 0, sizeof *shape); // padding travels too
  source->shape = shape;
  TG_TRY(tg_agree(grid->comm, grid->rank == 0 ? probe_and_identify(source, shape) : TG_OK));
  TG_TRY_MPI(MPI_Bcast(shape, (int)sizeof *shape, MPI_BYTE, 0, grid->comm));
  TG_TRY(tg_agree(grid->comm, probe_same(source, grid)));
  return tg_file_find_format(source->path, format); // it succeeded on rank 0, and depends on the name only
}

static tg_status read_file(const tg_grid *grid, const char *path, const char *dataset, int64_t panel_bytes,
                           bool may_be_infinite, tg_dmat **out)
{
  *out = NULL;
  tg_dmat *matrix = NULL;
  const tg_file_format *format = NULL;
  tg_file_shape shape;
  tg_file_source source = {.path = path, .dataset = dataset, .panel_bytes = panel_bytes};
  tg_status status = TG_OK;
  TG_TRY(probe_all(grid, &source, &shape, &format));
  TG_TRY_GOTO(tg_agree(grid->comm, create_matrix(grid, &source, &matrix)));
  TG_TRY_GOTO(format->read(&source, matrix));
  TG_TRY_GOTO(refuse_changed(grid, &source));
  TG_TRY_GOTO(check_finite(path, may_be_infinite, matrix));
  *out = matrix;
  return TG_OK;
done:
  tg_dmat_destroy(&matrix);
  return status;
}

tg_status tg_file_read_panels(const tg_grid *grid, const char *path, const char *dataset, int64_t panel_bytes,
                              tg_dmat **out)
{
  return read_file(grid, path, dataset, panel_bytes, false, out);
}

tg_status tg_file_read_bounds(const tg_grid *grid, const char *path, const char *dataset, tg_dmat **out)
{
  return read_file(grid, path, dataset, TG_SLAB_PANEL_BYTES, true, out);
}

tg_status tg_file_fill(tg_dmat *matrix, const char *path, const char *dataset)
{
  const tg_file_format *format = NULL;
  tg_file_shape shape;
  tg_file_source source = {.path = path, .dataset = dataset, .panel_bytes = TG_SLAB_PANEL_BYTES};
  TG_TRY(probe_all(matrix->grid, &source, &shape, &format));
  if (shape.rows != matrix->rows || shape.cols != matrix->cols)
    TG_FAIL(TG_DATA, "%s: %" PRId64 " x %" PRId64 ", expected %" PRId64 " x %" PRId64, path, shape.rows, shape.cols,
            matrix->rows, matrix->cols);
  TG_TRY(format->read(&source, matrix));
  return refuse_changed(matrix->grid, &source);
}

tg_status tg_file_read(const tg_grid *grid, const char *path, const char *dataset, tg_dmat **out)
{
  return tg_file_read_panels(grid, path, dataset, TG_SLAB_PANEL_BYTES, out);
}

// --- writing -----------------------------------------------------------------------------------------

enum { RECORDS_PER_WRITE = 1 << 17, PATH_ROOM = 4096 };

typedef struct writer {
  const tg_dmat *matrix;
  const tg_file_format *format;
  const char *path;          // as the caller named it, for messages
  const char *dataset;       // HDF5 only
  char target[PATH_ROOM];    // where it will be: links resolved. Rank 0 only
  char temporary[PATH_ROOM]; // "" until it exists
  tg_file_layout layout;
  tg_slab_plan plan;
  bool is_passing; // not synced
  int fd;
  unsigned char *records;
} writer;

// A link is followed, so that it keeps pointing to the file; what is no file is not replaced by one.
static tg_status resolve_target(writer *w)
{
  struct stat facts;
  if (strlen(w->path) >= PATH_ROOM) TG_FAIL(TG_IO, "%.80s...: the path is longer than %d bytes", w->path, PATH_ROOM);
  snprintf(w->target, sizeof w->target, "%s", w->path);
  if (stat(w->path, &facts) != 0) return TG_OK;
  if (S_ISDIR(facts.st_mode)) TG_FAIL(TG_IO, "%s: is a directory, cannot be replaced by a matrix file", w->path);
  if (!S_ISREG(facts.st_mode))
    TG_FAIL(TG_IO, "%s: is not a regular file, cannot be replaced by a matrix file", w->path);
  char *real = realpath(w->path, NULL);
  if (real != NULL && strlen(real) < PATH_ROOM) snprintf(w->target, sizeof w->target, "%s", real);
  free(real);
  return TG_OK;
}

// What the temporary names of a target begin with: its hash, for the final name may be as long as names can be.
static void temporary_prefix(const char *target, char out[64])
{
  const char *slash = strrchr(target, '/');
  const char *base = slash != NULL ? slash + 1 : target;
  snprintf(out, 64, ".tracegrad-%016" PRIx64 "-", (uint64_t)XXH64(base, strlen(base), 0));
}

static tg_status create_temporary(writer *w)
{
  enum { TRIES = 100 };
  char directory[PATH_ROOM - 128];
  char prefix[64];
  TG_TRY(tg_io_directory(w->target, sizeof directory, directory));
  temporary_prefix(w->target, prefix);
  const int64_t needed = 8 * w->matrix->rows * w->matrix->cols;
  for (int i = 0; i < TRIES; i++) {
    char name[PATH_ROOM];
    snprintf(name, sizeof name, "%s/%s%ld-%d.tmp", directory, prefix, (long)getpid(), i);
    const int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST) continue;
    if (fd < 0) return tg_io_write_failed(w->path, "create a temporary file beside it", errno, needed);
    memcpy(w->temporary, name, sizeof name);
    if (close(fd) != 0) return tg_io_write_failed(w->path, "create a temporary file beside it", errno, needed);
    return TG_OK;
  }
  return tg_io_write_failed(w->path, "create a temporary file beside it", EEXIST, needed);
}

// Rank 0's part before the numbers. Asking for the room first turns hours of writing into a second.
static tg_status begin_file(writer *w)
{
  TG_TRY(check_dataset(w->format, w->path, w->dataset));
  TG_TRY(resolve_target(w));
  TG_TRY(create_temporary(w));
  const tg_file_target target = {
      .final_path = w->path, .dataset = w->dataset, .rows = w->matrix->rows, .cols = w->matrix->cols};
  TG_TRY(w->format->begin_write(w->temporary, &target, &w->layout));
  const int64_t free_bytes = tg_io_free_bytes(w->target);
  if (free_bytes >= 0 && free_bytes < w->layout.file_bytes)
    return tg_io_write_failed(w->path, "write", ENOSPC, w->layout.file_bytes);
  return TG_OK;
}

static tg_status open_temporary(writer *w)
{
  TG_TRY(tg_alloc(RECORDS_PER_WRITE * w->layout.record_bytes, 1, (void **)&w->records));
  w->fd = open(w->temporary, O_WRONLY | O_CLOEXEC);
  if (w->fd >= 0) return TG_OK;
  const tg_status status = tg_io_write_failed(w->path, "open its temporary file", errno, w->layout.file_bytes);
  tg_error_prefix("rank %d", w->matrix->grid->rank);
  return status;
}

static tg_status store_records(void *context, const tg_slab *slab, const double *numbers)
{
  writer *w = context;
  const int64_t total = slab->rows * slab->cols;
  const int64_t first = tg_slab_position(&w->plan, slab);
  for (int64_t done = 0; done < total; done += RECORDS_PER_WRITE) {
    const int64_t count = total - done < RECORDS_PER_WRITE ? total - done : RECORDS_PER_WRITE;
    const int64_t at = w->layout.data_offset + (first + done) * w->layout.record_bytes;
    TG_TRY(w->format->encode(numbers + done, count, w->records));
    const int reason = tg_io_write_at(w->fd, w->records, count * w->layout.record_bytes, at);
    if (reason != 0) return tg_io_write_failed(w->path, "write", reason, w->layout.file_bytes);
  }
  return TG_OK;
}

// fsync is where a delayed allocation meets the full disk; close is where NFS does.
static tg_status sync_file(writer *w)
{
  if (!w->is_passing && fsync(w->fd) != 0) return tg_io_write_failed(w->path, "sync", errno, w->layout.file_bytes);
  const int closed = close(w->fd);
  w->fd = -1;
  if (closed != 0) return tg_io_write_failed(w->path, "close", errno, w->layout.file_bytes);
  return TG_OK;
}

// Rank 0, after every rank has synced: look at the size, rename, make the new name itself durable.
static tg_status publish_file(writer *w)
{
  struct stat facts;
  char directory[PATH_ROOM];
  const int64_t needed = w->layout.file_bytes;
  if (stat(w->temporary, &facts) != 0) return tg_io_write_failed(w->path, "check its temporary file", errno, needed);
  if ((int64_t)facts.st_size != needed)
    TG_FAIL(TG_IO, "%s: %" PRId64 " bytes were written, found %" PRId64 " on the disk; the old file is kept", w->path,
            needed, (int64_t)facts.st_size);
  TG_TRY(tg_io_directory(w->target, sizeof directory, directory));
  if (rename(w->temporary, w->target) != 0) return tg_io_write_failed(w->path, "be renamed into place", errno, needed);
  w->temporary[0] = '\0';
  const int reason = w->is_passing ? 0 : tg_io_sync_folder(directory);
  return reason == 0 ? TG_OK : tg_io_write_failed(w->path, "sync its directory", reason, needed);
}

// What a killed process has left beside the target. What cannot be removed harms nobody. Rank 0.
static void remove_unfinished(const char *target)
{
  char directory[PATH_ROOM];
  char prefix[64];
  if (tg_io_directory(target, sizeof directory, directory) != TG_OK) {
    tg_error_clear();
    return;
  }
  temporary_prefix(target, prefix);
  tg_io_remove_matching(directory, prefix, ".tmp");
}

static tg_status write_numbers(writer *w, int64_t panel_bytes)
{
  const tg_grid *grid = w->matrix->grid;
  TG_TRY_MPI(MPI_Bcast(w->temporary, PATH_ROOM, MPI_CHAR, 0, grid->comm));
  TG_TRY_MPI(MPI_Bcast(&w->layout, (int)sizeof w->layout, MPI_BYTE, 0, grid->comm));
  tg_slab_plan_init(w->matrix, w->layout.order, panel_bytes, &w->plan);
  TG_TRY(tg_agree(grid->comm, open_temporary(w)));
  TG_TRY(tg_slab_write(w->matrix, &w->plan, store_records, w));
  TG_TRY(tg_agree(grid->comm, sync_file(w)));
  return tg_agree(grid->comm, grid->rank == 0 ? publish_file(w) : TG_OK);
}

// All that can be known without the numbers: what begin_file finds, the length of the final name, and whether every
// rank sees the folder.
static tg_status test_target(writer *w)
{
  const tg_grid *grid = w->matrix->grid;
  tg_status status = TG_OK;
  if (grid->rank == 0) {
    const char *slash = strrchr(w->target, '/');
    const size_t length = strlen(slash != NULL ? slash + 1 : w->target);
    const long longest = pathconf(w->temporary, _PC_NAME_MAX);
    if (longest > 0 && length > (size_t)longest)
      status = tg_error_set(TG_IO, TG_HERE, "%s: the name has %zu bytes, the file system takes %ld", w->path, length,
                            longest);
  }
  TG_TRY(tg_agree(grid->comm, status));
  TG_TRY_MPI(MPI_Bcast(w->temporary, PATH_ROOM, MPI_CHAR, 0, grid->comm));
  TG_TRY_MPI(MPI_Bcast(&w->layout, (int)sizeof w->layout, MPI_BYTE, 0, grid->comm));
  return tg_agree(grid->comm, open_temporary(w));
}

typedef enum writing { WRITING, WRITING_PASSING, WRITING_TEST } writing;

// Writes, or only tests whether that could begin. What is left under the temporary name goes.
static tg_status with_writer(const tg_dmat *matrix, const char *path, const char *dataset, int64_t panel_bytes,
                             writing way)
{
  const bool is_test = way == WRITING_TEST;
  const tg_grid *grid = matrix->grid;
  writer *w = NULL;
  tg_status status = TG_NEW(1, &w);
  if (status == TG_OK) {
    *w = (writer){.matrix = matrix, .path = path, .dataset = dataset, .is_passing = way == WRITING_PASSING, .fd = -1};
    status = tg_file_find_target_format(path, &w->format);
  }
  if (status == TG_OK && grid->rank == 0) status = begin_file(w);
  status = tg_agree(grid->comm, status);
  if (status == TG_OK) status = is_test ? test_target(w) : write_numbers(w, panel_bytes);
  if (w != NULL) {
    tg_io_close(&w->fd);
    if (grid->rank == 0 && w->temporary[0] != '\0') unlink(w->temporary);
    if (is_test && grid->rank == 0 && status == TG_OK) remove_unfinished(w->target);
    tg_free(w->records);
  }
  tg_free(w);
  return status;
}

tg_status tg_file_write_panels(const tg_dmat *matrix, const char *path, const char *dataset, int64_t panel_bytes)
{
  return with_writer(matrix, path, dataset, panel_bytes, WRITING);
}

tg_status tg_file_write_test(const tg_grid *grid, int64_t rows, int64_t cols, const char *path, const char *dataset)
{
  const tg_dmat shape = {.grid = grid, .rows = rows, .cols = cols};
  return with_writer(&shape, path, dataset, TG_SLAB_PANEL_BYTES, WRITING_TEST);
}

tg_status tg_file_write_passing(const tg_dmat *matrix, const char *path)
{
  return with_writer(matrix, path, NULL, TG_SLAB_PANEL_BYTES, WRITING_PASSING);
}

tg_status tg_file_write(const tg_dmat *matrix, const char *path, const char *dataset)
{
  return tg_file_write_panels(matrix, path, dataset, TG_SLAB_PANEL_BYTES);
}
