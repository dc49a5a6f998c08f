// For the file tests: a scratch directory, files written byte by byte without the code under test, comparisons.
#ifndef TESTS_MPI_IO_SUPPORT_H
#define TESTS_MPI_IO_SUPPORT_H

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "mpi/file/files.h"

enum { IO_PATH_ROOM = 512, IO_BYTES_ROOM = 1 << 16 };

typedef struct io_scratch {
  char directory[128];
} io_scratch;

static io_scratch io_state;

// A new directory that all ranks know.
static inline void io_begin(void)
{
  if (check_rank() == 0) {
    snprintf(io_state.directory, sizeof io_state.directory, "/tmp/tracegrad-io-XXXXXX");
    if (mkdtemp(io_state.directory) == NULL) MPI_Abort(MPI_COMM_WORLD, 1);
  }
  MPI_Bcast(io_state.directory, sizeof io_state.directory, MPI_CHAR, 0, MPI_COMM_WORLD);
}

// A path in it; the text lives until the eighth next call.
static inline const char *io_path(const char *name)
{
  static char paths[8][IO_PATH_ROOM];
  static int next;
  next = (next + 1) % 8;
  snprintf(paths[next], IO_PATH_ROOM, "%s/%s", io_state.directory, name);
  return paths[next];
}

// Number of entries of the directory: a failed write must not leave its temporary file. Rank 0's view on all ranks.
static inline int io_count_files(void)
{
  int count = 0;
  if (check_rank() == 0) {
    DIR *directory = opendir(io_state.directory);
    for (const struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory))
      count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(directory);
  }
  MPI_Bcast(&count, 1, MPI_INT, 0, MPI_COMM_WORLD);
  return count;
}

static inline void io_end(void)
{
  MPI_Barrier(MPI_COMM_WORLD);
  if (check_rank() != 0) return;
  DIR *directory = opendir(io_state.directory);
  for (const struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory))
    if (entry->d_name[0] != '.' || strlen(entry->d_name) > 2) remove(io_path(entry->d_name));
  closedir(directory);
  rmdir(io_state.directory);
}

// Rank 0 writes the bytes; all ranks may read them afterwards.
static inline const char *io_put(const char *name, const void *bytes, size_t count)
{
  const char *path = io_path(name);
  if (check_rank() == 0) {
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, count, file) != count || fclose(file) != 0) MPI_Abort(MPI_COMM_WORLD, 1);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  return path;
}

static inline const char *io_put_text(const char *name, const char *text)
{
  return io_put(name, text, strlen(text));
}

// The bytes of a file, up to IO_BYTES_ROOM; returns their number.
static inline size_t io_get(const char *path, unsigned char *bytes)
{
  FILE *file = fopen(path, "rb");
  if (file == NULL) return 0;
  const size_t count = fread(bytes, 1, IO_BYTES_ROOM, file);
  fclose(file);
  return count;
}

// Copies a matrix from one file to another; the suffixes say the formats.
static inline tg_status io_copy_file(const tg_grid *grid, const char *from, const char *from_set, const char *to,
                                     const char *to_set)
{
  tg_dmat *m = NULL;
  TG_TRY(tg_file_read(grid, from, from_set, &m));
  const tg_status status = tg_file_write(m, to, to_set);
  tg_dmat_destroy(&m);
  return status;
}

// Reading must fail on every rank with this code and text.
#define IO_CHECK_READ_FAILS(grid, path, dataset, code, text)                                                  \
  do {                                                                                                        \
    tg_dmat *io_unread_ = NULL;                                                                               \
    CHECK_FAILS(tg_file_read((grid), (path), (dataset), &io_unread_), (code), (text));                        \
    CHECK(io_unread_ == NULL, "a failed read leaves NULL");                                                   \
    CHECK(strstr(tg_error_get()->message, (path)) != NULL, "the path is in \"%s\"", tg_error_get()->message); \
  } while (0)

#endif
