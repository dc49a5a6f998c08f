// Checked POSIX reads and writes.
#include "mpi/file/io_posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/text.h"

enum { PATH_ROOM = 4096 };

// One call moves at most this much: Linux stops at 2 GiB - 4 KiB anyway.
static const int64_t largest_call = (int64_t)1 << 30;

// stat before open: opening a pipe would wait for its writer.
tg_status tg_io_open_read(const char *path, int *fd, int64_t *bytes)
{
  struct stat facts;
  *fd = -1;
  if (stat(path, &facts) != 0) TG_FAIL(TG_DATA, "%s: cannot be read: %s", path, strerror(errno));
  if (S_ISDIR(facts.st_mode)) TG_FAIL(TG_DATA, "%s: is a directory, expected a matrix file", path);
  if (!S_ISREG(facts.st_mode)) TG_FAIL(TG_DATA, "%s: is not a regular file, expected a matrix file", path);
  *fd = open(path, O_RDONLY | O_CLOEXEC);
  if (*fd < 0) TG_FAIL(TG_DATA, "%s: cannot be opened for reading: %s", path, strerror(errno));
  if (fstat(*fd, &facts) != 0) {
    const int reason = errno;
    tg_io_close(fd);
    TG_FAIL(TG_DATA, "%s: its size cannot be read: %s", path, strerror(reason));
  }
  *bytes = (int64_t)facts.st_size;
  return TG_OK;
}

void tg_io_close(int *fd)
{
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

tg_status tg_io_read_some(const char *path, int fd, void *buffer, int64_t bytes, int64_t offset, int64_t *got)
{
  unsigned char *to = buffer;
  *got = 0;
  while (*got < bytes) {
    const int64_t left = bytes - *got;
    const ssize_t n = pread(fd, to + *got, (size_t)(left < largest_call ? left : largest_call), offset + *got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      TG_FAIL(TG_IO, "%s: reading %" PRId64 " bytes at byte %" PRId64 " failed: %s", path, bytes, offset,
              strerror(errno));
    if (n == 0) break;
    *got += n;
  }
  return TG_OK;
}

tg_status tg_io_read_at(const char *path, int fd, void *buffer, int64_t bytes, int64_t offset)
{
  int64_t got = 0;
  TG_TRY(tg_io_read_some(path, fd, buffer, bytes, offset, &got));
  if (got < bytes)
    TG_FAIL(TG_DATA, "%s: the file ends at byte %" PRId64 ", expected data up to byte %" PRId64 ": was it cut?", path,
            offset + got, offset + bytes);
  return TG_OK;
}

tg_status tg_io_fingerprint(const char *path, int fd, int64_t file_bytes, uint64_t *out)
{
  enum { SAMPLE = 1 << 13, SAMPLES = 16, WHOLE = 1 << 20 };
  unsigned char bytes[SAMPLE];
  const int64_t pieces = file_bytes <= WHOLE ? (file_bytes + SAMPLE - 1) / SAMPLE : SAMPLES;
  const int64_t step = file_bytes <= WHOLE ? SAMPLE : (file_bytes - SAMPLE) / (SAMPLES - 1);
  uint64_t hash = (uint64_t)file_bytes;
  for (int64_t k = 0; k < pieces; k++) {
    int64_t got = 0;
    TG_TRY(tg_io_read_some(path, fd, bytes, SAMPLE, k * step, &got));
    hash = XXH64(bytes, (size_t)got, hash);
  }
  *out = hash;
  return TG_OK;
}

int64_t tg_io_changed_ns(int fd)
{
  struct stat facts;
  if (fstat(fd, &facts) != 0) return 0;
  return (int64_t)facts.st_mtim.tv_sec * 1000000000 + (int64_t)facts.st_mtim.tv_nsec;
}

int tg_io_write_at(int fd, const void *buffer, int64_t bytes, int64_t offset)
{
  const unsigned char *from = buffer;
  int64_t done = 0;
  while (done < bytes) {
    const int64_t left = bytes - done;
    const ssize_t n = pwrite(fd, from + done, (size_t)(left < largest_call ? left : largest_call), offset + done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) return EIO; // POSIX leaves this open; asking again could go on without end
    done += n;
  }
  return 0;
}

tg_status tg_io_directory(const char *path, size_t room, char *out)
{
  const char *slash = strrchr(path, '/');
  const size_t length = slash == NULL ? 1 : slash == path ? 1 : (size_t)(slash - path);
  if (length >= room) TG_FAIL(TG_IO, "%.80s...: the path is longer than %zu bytes", path, room);
  memcpy(out, slash == NULL ? "." : path, length);
  out[length] = '\0';
  return TG_OK;
}

int64_t tg_io_free_bytes(const char *path)
{
  char directory[PATH_ROOM];
  struct statvfs facts;
  if (tg_io_directory(path, sizeof directory, directory) != TG_OK) return -1;
  if (statvfs(directory, &facts) != 0 || facts.f_blocks == 0) return -1; // some network file systems say 0 of 0
  int64_t free_bytes = 0;
  if (__builtin_mul_overflow(facts.f_bavail, facts.f_frsize, &free_bytes)) return INT64_MAX;
  return free_bytes;
}

tg_status tg_io_write_failed(const char *path, const char *action, int reason, int64_t needed_bytes)
{
  const int64_t free_bytes = tg_io_free_bytes(path);
  tg_text facts;
  tg_text_init(&facts);
  tg_text_add_bytes_unit(&facts, (double)needed_bytes);
  if (free_bytes >= 0) {
    tg_text_add(&facts, ", the file system has ");
    tg_text_add_bytes_unit(&facts, (double)free_bytes);
    tg_text_add(&facts, " free");
  }
  tg_error_set(TG_IO, TG_HERE, "%s: cannot %s: %s; the file needs %s", path, action, strerror(reason),
               tg_text_string(&facts));
  tg_text_fini(&facts);
  return TG_IO;
}

int tg_io_sync_folder(const char *path)
{
  const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int synced = fd >= 0 ? fsync(fd) : -1;
  const int reason = errno;
  if (fd >= 0) close(fd);
  return synced == 0 || reason == EINVAL || reason == ENOTSUP || reason == EACCES ? 0 : reason;
}

tg_status tg_io_write_header(const char *path, const char *final_path, const void *header, int64_t header_bytes,
                             int64_t needed_bytes)
{
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return tg_io_write_failed(final_path, "open its temporary file", errno, needed_bytes);
  int reason = tg_io_write_at(fd, header, header_bytes, 0);
  if (close(fd) != 0 && reason == 0) reason = errno;
  return reason == 0 ? TG_OK : tg_io_write_failed(final_path, "write the header", reason, needed_bytes);
}

uint64_t tg_io_load_little(const unsigned char *bytes, int count)
{
  uint64_t value = 0;
  for (int i = count; i-- > 0;) value = value << 8 | bytes[i];
  return value;
}

void tg_io_store_little(uint64_t value, int count, unsigned char *bytes)
{
  for (int i = 0; i < count; i++) bytes[i] = (unsigned char)(value >> (8 * i) & 0xff);
}

void tg_io_encode_doubles(const double *numbers, int64_t count, unsigned char *records)
{
  for (int64_t i = 0; i < count; i++) {
    uint64_t bits = 0;
    memcpy(&bits, &numbers[i], sizeof bits);
    tg_io_store_little(bits, sizeof bits, records + 8 * i);
  }
}

void tg_io_remove_matching(const char *folder, const char *begins, const char *ends)
{
  DIR *open_folder = opendir(folder);
  if (open_folder == NULL) return;
  const size_t head = strlen(begins);
  const size_t tail = strlen(ends);
  for (const struct dirent *entry = readdir(open_folder); entry != NULL; entry = readdir(open_folder)) {
    const size_t length = strlen(entry->d_name);
    const bool matches = length >= head + tail && strncmp(entry->d_name, begins, head) == 0 &&
                         strcmp(entry->d_name + length - tail, ends) == 0;
    if (matches) unlinkat(dirfd(open_folder), entry->d_name, 0);
  }
  closedir(open_folder);
}
