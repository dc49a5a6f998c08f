// Which format a file has: by the suffix of its name; what it is instead, by its first bytes.
#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "mpi/file/files.h"
#include "mpi/file/io_posix.h"

const tg_file_format *tg_file_formats(int *count)
{
  static const tg_file_format formats[] = {
#define TG_FORMAT(label, suffixes, read_suffixes, holds_datasets, probe, read, begin_write, encode) \
  {label, suffixes, read_suffixes, holds_datasets, probe, read, begin_write, encode},
#include "mpi/file/formats.def"
#undef TG_FORMAT
  };
  *count = (int)(sizeof formats / sizeof formats[0]);
  return formats;
}

typedef struct foreign {
  const char *suffixes;
  const char *begins;
  const char *name;
  const char *remedy;
} foreign;

static const foreign *foreign_formats(size_t *count)
{
  static const foreign formats[] = {
#define TG_FOREIGN(suffixes, begins, name, remedy) {suffixes, begins, name, remedy},
#include "mpi/file/foreign.def"
#undef TG_FOREIGN
  };
  *count = sizeof formats / sizeof formats[0];
  return formats;
}

// Does the name end in one of the blank-separated suffixes, in any case?
static bool has_suffix(const char *path, const char *suffixes)
{
  const size_t path_length = strlen(path);
  while (*suffixes != '\0') {
    const size_t length = strcspn(suffixes, " ");
    size_t same = 0;
    while (same < length && length <= path_length &&
           tolower((unsigned char)path[path_length - length + same]) == suffixes[same])
      same++;
    if (same == length) return true;
    suffixes += length;
    suffixes += strspn(suffixes, " ");
  }
  return false;
}

static const foreign *foreign_by_suffix(const char *path)
{
  size_t count = 0;
  const foreign *formats = foreign_formats(&count);
  for (size_t k = 0; k < count; k++)
    if (has_suffix(path, formats[k].suffixes)) return &formats[k];
  return NULL;
}

// Names no format of a file: "A.npz: is an archive of NumPy arrays, expected one of: .npy ...; save ...".
static tg_status refuse_suffix(const char *path, bool to_write)
{
  int count = 0;
  const tg_file_format *formats = tg_file_formats(&count);
  const foreign *other = to_write ? NULL : foreign_by_suffix(path);
  tg_text known;
  tg_text_init(&known);
  for (int i = 0; i < count; i++) {
    tg_text_addf(&known, "%s%s", i > 0 ? " " : "", formats[i].suffixes);
    if (!to_write && formats[i].read_suffixes[0] != '\0') tg_text_addf(&known, " %s", formats[i].read_suffixes);
  }
  if (other != NULL)
    tg_error_set(TG_DATA, TG_HERE, "%s: is %s by its suffix, expected one of: %s; %s", path, other->name,
                 tg_text_string(&known), other->remedy);
  else
    tg_error_set(TG_DATA, TG_HERE, "%s: the format follows from the suffix of the name, expected one of: %s", path,
                 tg_text_string(&known));
  tg_text_fini(&known);
  return TG_DATA;
}

static tg_status find_format(const char *path, bool to_write, const tg_file_format **out)
{
  int count = 0;
  const tg_file_format *formats = tg_file_formats(&count);
  for (int i = 0; i < count; i++)
    if (has_suffix(path, formats[i].suffixes) || (!to_write && has_suffix(path, formats[i].read_suffixes))) {
      *out = &formats[i];
      return TG_OK;
    }
  return refuse_suffix(path, to_write);
}

tg_status tg_file_find_format(const char *path, const tg_file_format **out)
{
  return find_format(path, false, out);
}

tg_status tg_file_find_target_format(const char *path, const tg_file_format **out)
{
  return find_format(path, true, out);
}

static const foreign *foreign_by_bytes(const char *bytes, size_t count)
{
  size_t n = 0;
  const foreign *formats = foreign_formats(&n);
  for (size_t k = 0; k < n; k++) {
    const size_t length = strlen(formats[k].begins);
    if (length > 0 && length <= count && memcmp(bytes, formats[k].begins, length) == 0) return &formats[k];
  }
  return NULL;
}

tg_status tg_file_say_what_it_is(const char *path, const tg_file_format *format)
{
  const tg_error before = *tg_error_get();
  char bytes[64];
  int fd = -1;
  int64_t file_bytes = 0;
  int64_t got = 0;
  const foreign *other = NULL;
  if (tg_io_open_read(path, &fd, &file_bytes) == TG_OK &&
      tg_io_read_some(path, fd, bytes, sizeof bytes, 0, &got) == TG_OK)
    other = foreign_by_bytes(bytes, (size_t)got);
  tg_io_close(&fd);
  *tg_error_get() = before;
  if (other == NULL || has_suffix(other->suffixes, format->suffixes)) return TG_DATA;
  return tg_error_set(TG_DATA, TG_HERE, "%s: is %s, expected %s; %s", path, other->name, format->label, other->remedy);
}
