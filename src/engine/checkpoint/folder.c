// Folders that are whole or absent.
#include "engine/checkpoint/folder.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/memory.h"
#include "base/whole_file.h"
#include "mpi/file/io_posix.h"

static tg_status join(const char *folder, const char *name, tg_text *out)
{
  tg_text_clear(out);
  tg_text_addf(out, "%s/%s", folder, name);
  return tg_text_status(out);
}

// ---- names ----

void tg_generation_name(int64_t serial, int64_t iteration, tg_generation *out)
{
  *out = (tg_generation){.serial = serial, .iteration = iteration};
  snprintf(out->name, sizeof out->name, "%06" PRId64 "-iteration-%010" PRId64, serial, iteration);
}

// A number of up to 18 digits, which cannot overflow; the rest of the text follows.
static const char *read_digits(const char *text, int64_t *out)
{
  *out = 0;
  for (int k = 0; k < 18 && *text >= '0' && *text <= '9'; k++) *out = 10 * *out + (*text++ - '0');
  return text;
}

// Whether the name is what tg_generation_name makes of two numbers.
static bool read_name(const char *name, tg_generation *out)
{
  static const char middle[] = "-iteration-";
  int64_t serial = 0;
  int64_t iteration = 0;
  const char *at = read_digits(name, &serial);
  if (strncmp(at, middle, sizeof middle - 1) != 0) return false;
  read_digits(at + sizeof middle - 1, &iteration);
  tg_generation_name(serial, iteration, out);
  return serial > 0 && strcmp(out->name, name) == 0;
}

static int newest_first(const void *a, const void *b)
{
  const int64_t left = ((const tg_generation *)a)->serial;
  const int64_t right = ((const tg_generation *)b)->serial;
  return left < right ? 1 : left > right ? -1 : 0;
}

static tg_status add_generation(const tg_generation *found, int *count, tg_generation **list)
{
  // In powers of two.
  if ((*count & (*count - 1)) == 0) TG_TRY(tg_grow(*count > 0 ? 2 * *count : 1, sizeof **list, (void **)list));
  (*list)[(*count)++] = *found;
  return TG_OK;
}

tg_status tg_folder_list(const char *directory, int *count, tg_generation **out)
{
  *count = 0;
  *out = NULL;
  DIR *folder = opendir(directory);
  if (folder == NULL && errno == ENOENT) return TG_OK;
  if (folder == NULL) TG_FAIL(TG_IO, "cannot read the folder %s: %s", directory, strerror(errno));
  tg_status status = TG_OK;
  for (const struct dirent *entry = readdir(folder); entry != NULL && status == TG_OK; entry = readdir(folder)) {
    tg_generation found;
    if (read_name(entry->d_name, &found)) status = add_generation(&found, count, out);
  }
  closedir(folder);
  if (status != TG_OK) {
    tg_free(*out);
    *out = NULL;
    *count = 0;
    return tg_error_pass(status, TG_HERE);
  }
  if (*count > 1) qsort(*out, (size_t)*count, sizeof **out, newest_first);
  return TG_OK;
}

// ---- removing ----

static tg_status remove_entries(const char *path, tg_text *name)
{
  DIR *folder = opendir(path);
  if (folder == NULL) TG_FAIL(TG_IO, "cannot read the folder %s: %s", path, strerror(errno));
  tg_status status = TG_OK;
  for (const struct dirent *entry = readdir(folder); entry != NULL && status == TG_OK; entry = readdir(folder)) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    status = join(path, entry->d_name, name);
    if (status == TG_OK && unlink(tg_text_string(name)) != 0)
      status = tg_error_set(TG_IO, TG_HERE, "cannot remove %s: %s", tg_text_string(name), strerror(errno));
  }
  closedir(folder);
  return status;
}

// Removes a folder of plain files. TG_IO names what cannot be removed.
static tg_status remove_folder(const char *path)
{
  tg_text name;
  tg_text_init(&name);
  const tg_status status = remove_entries(path, &name);
  tg_text_fini(&name);
  TG_TRY(status);
  if (rmdir(path) != 0) TG_FAIL(TG_IO, "cannot remove the folder %s: %s", path, strerror(errno));
  return TG_OK;
}

// ---- temporary folders ----

// Two runs of one job at a time are a mistake, but must not write into one folder.
static tg_status temporary_path(const char *directory, uint64_t owner, tg_text *out)
{
  tg_text_clear(out);
  tg_text_addf(out, "%s/.partial-%016" PRIx64 "-%ld", directory, owner, (long)getpid());
  return tg_text_status(out);
}

// What a generation is called while it is removed.
static tg_status leaving_path(const char *directory, uint64_t owner, tg_text *out)
{
  tg_text_clear(out);
  tg_text_addf(out, "%s/.leaving-%016" PRIx64 "-%ld", directory, owner, (long)getpid());
  return tg_text_status(out);
}

// An error here is not the caller's: what cannot be removed is reported when its place is needed.
void tg_folder_discard(const char *path)
{
  if (access(path, F_OK) == 0 && remove_folder(path) != TG_OK) tg_error_clear();
}

static bool is_unfinished(const char *name, uint64_t owner)
{
  char begins[2][64];
  snprintf(begins[0], sizeof begins[0], ".partial-%016" PRIx64 "-", owner);
  snprintf(begins[1], sizeof begins[1], ".leaving-%016" PRIx64 "-", owner);
  return strncmp(name, begins[0], strlen(begins[0])) == 0 || strncmp(name, begins[1], strlen(begins[1])) == 0;
}

void tg_folder_clean(const char *directory, uint64_t owner)
{
  tg_text path;
  DIR *folder = opendir(directory);
  if (folder == NULL) return;
  tg_text_init(&path);
  for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
    if (is_unfinished(entry->d_name, owner) && join(directory, entry->d_name, &path) == TG_OK)
      tg_folder_discard(tg_text_string(&path));
  closedir(folder);
  tg_text_fini(&path);
}

tg_status tg_folder_begin(const char *directory, uint64_t owner, tg_text *path)
{
  TG_TRY(temporary_path(directory, owner, path));
  tg_folder_discard(tg_text_string(path));
  if (mkdir(tg_text_string(path), 0777) == 0) return TG_OK;
  TG_FAIL(TG_IO, "cannot make the folder %s: %s", tg_text_string(path), strerror(errno));
}

tg_status tg_folder_prepare(const char *directory, uint64_t owner)
{
  tg_text path;
  tg_text_init(&path);
  tg_status status = tg_make_folder(directory);
  if (status == TG_OK) {
    tg_folder_clean(directory, owner);
    status = tg_folder_begin(directory, owner, &path);
  }
  if (status == TG_OK && rmdir(tg_text_string(&path)) != 0)
    status = tg_error_set(TG_IO, TG_HERE, "cannot remove the folder %s: %s", tg_text_string(&path), strerror(errno));
  tg_text_fini(&path);
  return status;
}

static tg_status sync_folder(const char *path)
{
  const int reason = tg_io_sync_folder(path);
  if (reason != 0) TG_FAIL(TG_IO, "cannot write the folder %s: %s", path, strerror(reason));
  return TG_OK;
}

tg_status tg_folder_publish(const char *directory, const char *temporary, const char *name)
{
  tg_text path;
  tg_text_init(&path);
  tg_status status = sync_folder(temporary);
  if (status == TG_OK) status = join(directory, name, &path);
  if (status == TG_OK && rename(temporary, tg_text_string(&path)) != 0)
    status =
        tg_error_set(TG_IO, TG_HERE, "cannot rename %s to %s: %s", temporary, tg_text_string(&path), strerror(errno));
  tg_text_fini(&path);
  TG_TRY(status);
  return sync_folder(directory);
}

static tg_status rename_and_remove(const char *from, const char *to)
{
  tg_folder_discard(to);
  if (rename(from, to) != 0) TG_FAIL(TG_IO, "cannot rename %s to %s: %s", from, to, strerror(errno));
  return remove_folder(to);
}

tg_status tg_folder_retire(const char *directory, uint64_t owner, const char *name)
{
  tg_text from;
  tg_text to;
  tg_text_init(&from);
  tg_text_init(&to);
  tg_status status = join(directory, name, &from);
  if (status == TG_OK) status = leaving_path(directory, owner, &to);
  if (status == TG_OK) status = rename_and_remove(tg_text_string(&from), tg_text_string(&to));
  tg_text_fini(&to);
  tg_text_fini(&from);
  return status;
}

// ---- reading ----

enum { PIECE_BYTES = 1 << 20 };

static tg_status hash_pieces(const char *path, int fd, int64_t bytes, XXH64_state_t *state, unsigned char *piece)
{
  for (int64_t done = 0; done < bytes; done += PIECE_BYTES) {
    const int64_t count = bytes - done < PIECE_BYTES ? bytes - done : PIECE_BYTES;
    TG_TRY(tg_io_read_at(path, fd, piece, count, done));
    XXH64_update(state, piece, (size_t)count);
  }
  return TG_OK;
}

tg_status tg_folder_hash(const char *path, int64_t *bytes, uint64_t *hash)
{
  int fd = -1;
  void *piece = NULL;
  XXH64_state_t *state = NULL;
  tg_status status = TG_OK;
  TG_TRY_GOTO(tg_io_open_read(path, &fd, bytes));
  TG_TRY_GOTO(tg_alloc(PIECE_BYTES, 1, &piece));
  state = XXH64_createState();
  if (state == NULL) TG_FAIL_GOTO(TG_MEMORY, "not enough memory for a checksum");
  XXH64_reset(state, 0);
  TG_TRY_GOTO(hash_pieces(path, fd, *bytes, state, piece));
  *hash = XXH64_digest(state);
done:
  XXH64_freeState(state);
  tg_free(piece);
  tg_io_close(&fd);
  return status;
}

tg_status tg_folder_read(const char *path, int64_t most, char **out, size_t *length)
{
  int fd = -1;
  int64_t bytes = 0;
  tg_status status = TG_OK;
  *out = NULL;
  TG_TRY_GOTO(tg_io_open_read(path, &fd, &bytes));
  if (bytes > most) TG_FAIL_GOTO(TG_DATA, "%s: %" PRId64 " bytes, expected at most %" PRId64, path, bytes, most);
  TG_TRY_GOTO(tg_alloc(bytes + 1, 1, (void **)out));
  TG_TRY_GOTO(tg_io_read_at(path, fd, *out, bytes, 0));
  *length = (size_t)bytes;
done:
  tg_io_close(&fd);
  if (status != TG_OK) {
    tg_free(*out);
    *out = NULL;
  }
  return status;
}
