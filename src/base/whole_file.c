// Files that are whole or absent, and the folders for them.
#include "base/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

static tg_status write_all(int file, const char *path, const char *bytes, size_t length)
{
  for (size_t done = 0; done < length;) {
    const ssize_t put = write(file, bytes + done, length - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) TG_FAIL(TG_IO, "cannot write %s: %s (%zu bytes are needed)", path, strerror(errno), length);
    done += (size_t)put;
  }
  if (fsync(file) != 0) TG_FAIL(TG_IO, "cannot write %s: %s", path, strerror(errno));
  return TG_OK;
}

static tg_status write_and_rename(const char *path, const char *temporary, const char *bytes, size_t length)
{
  // What stands under this name was left by a killed process, or is a link that somebody planted: it is not written to.
  unlink(temporary);
  const int file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0) TG_FAIL(TG_IO, "cannot create %s: %s", temporary, strerror(errno));
  tg_status status = write_all(file, temporary, bytes, length);
  // close reports what a network file system could not store earlier.
  if (close(file) != 0 && status == TG_OK)
    status = tg_error_set(TG_IO, TG_HERE, "cannot close %s: %s", temporary, strerror(errno));
  if (status == TG_OK && rename(temporary, path) != 0)
    status = tg_error_set(TG_IO, TG_HERE, "cannot rename %s to %s: %s", temporary, path, strerror(errno));
  if (status != TG_OK) unlink(temporary);
  return status;
}

tg_status tg_write_whole(const char *path, const char *bytes, size_t length)
{
  tg_text temporary;
  tg_text_init(&temporary);
  tg_text_addf(&temporary, "%s.%ld.tmp", path, (long)getpid());
  tg_status status = tg_text_status(&temporary);
  if (status == TG_OK) status = write_and_rename(path, tg_text_string(&temporary), bytes, length);
  tg_text_fini(&temporary);
  return status;
}

static tg_status make_one(const char *path)
{
  struct stat info;
  if (mkdir(path, 0777) == 0) return TG_OK;
  const int reason = errno;
  if (reason == EEXIST && stat(path, &info) == 0 && S_ISDIR(info.st_mode)) return TG_OK;
  TG_FAIL(TG_IO, "cannot make the folder %s: %s", path,
          reason == EEXIST ? "a file of that name exists" : strerror(reason));
}

tg_status tg_make_folder(const char *path)
{
  tg_text prefix;
  tg_text_init(&prefix);
  tg_status status = TG_OK;
  for (const char *at = path; *at != '\0' && status == TG_OK; at++) {
    tg_text_add_bytes(&prefix, at, 1);
    const bool ends = at[1] == '/' || at[1] == '\0';
    if (ends && *at != '/' && strcmp(tg_text_string(&prefix), ".") != 0) status = tg_text_status(&prefix);
    if (ends && *at != '/' && status == TG_OK) status = make_one(tg_text_string(&prefix));
  }
  tg_text_fini(&prefix);
  return status;
}
