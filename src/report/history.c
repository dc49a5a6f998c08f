// history.jsonl: a record per iteration, whole lines only, on rank 0.
#include "report/history.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mpi/file/io_posix.h"

enum { WAITING_MAX = 1 << 26 }; // bytes

// ---- going on ----

// The offset behind the first `count` lines of the file; *found says how many there were, and *last begins the last of
// them.
static tg_status find_records(FILE *file, const char *path, int64_t count, int64_t *found, long *last, long *end)
{
  *found = 0;
  *last = *end = 0;
  for (int byte = 0; *found < count && (byte = getc(file)) != EOF;) {
    if (byte != '\n') continue;
    *last = *end;
    *end = ftell(file);
    ++*found;
  }
  if (ferror(file) != 0 || *end < 0) TG_FAIL(TG_IO, "cannot read %s: %s", path, strerror(errno));
  return TG_OK;
}

// Whether the record is that of the iteration.
static bool is_record_of(FILE *file, long offset, int64_t iteration)
{
  if (fseek(file, offset, SEEK_SET) != 0) return false;
  json_t *record = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL);
  const json_t *number = json_object_get(record, "iteration");
  const bool fits = json_is_integer(number) && json_integer_value(number) == iteration;
  json_decref(record);
  return fits;
}

// How much of the file stays.
static tg_status find_end(tg_history *h, int64_t keeps, int64_t iteration)
{
  FILE *file = fopen(h->path, "r");
  int64_t found = 0;
  long last = 0;
  long end = 0;
  if (file == NULL && errno != ENOENT) TG_FAIL(TG_IO, "cannot read %s: %s", h->path, strerror(errno));
  const tg_status status = file != NULL ? find_records(file, h->path, keeps, &found, &last, &end) : TG_OK;
  const bool is_ours = file != NULL && found == keeps && is_record_of(file, last, iteration);
  if (file != NULL) fclose(file);
  TG_TRY(status);
  h->records = is_ours ? found : 0;
  h->bytes = is_ours ? end : 0;
  if (!is_ours)
    tg_message_warn(h->messages,
                    "%s is not the history of the run that is resumed, whose %" PRId64
                    " records end with iteration %" PRId64 ": a new one begins here",
                    h->path, keeps, iteration);
  return TG_OK;
}

tg_status tg_history_open(const char *path, int64_t keeps, int64_t iteration, const tg_messages *messages,
                          tg_history *out)
{
  *out = (tg_history){.path = path, .fd = -1, .messages = messages};
  tg_text_init(&out->waiting);
  if (keeps > 0) TG_TRY(find_end(out, keeps, iteration));
  out->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (out->fd < 0) TG_FAIL(TG_IO, "cannot create %s: %s", path, strerror(errno));
  if (ftruncate(out->fd, out->bytes) != 0) TG_FAIL(TG_IO, "cannot shorten %s: %s", path, strerror(errno));
  return TG_OK;
}

// ---- records ----

static void warn_once(tg_history *h, const char *action, int reason)
{
  if (!h->has_warned)
    tg_message_warn(h->messages, "cannot %s %s: %s; the run goes on and tries again with each record", action, h->path,
                    strerror(reason));
  h->has_warned = true;
}

// All waiting lines, or none of them.
static void flush(tg_history *h)
{
  if (h->n_waiting == 0) return;
  const int reason = tg_io_write_at(h->fd, tg_text_string(&h->waiting), (int64_t)h->waiting.length, h->bytes);
  if (reason == 0) {
    h->bytes += (int64_t)h->waiting.length;
    h->records += h->n_waiting;
    h->n_waiting = 0;
    tg_text_clear(&h->waiting);
    return;
  }
  warn_once(h, "write", reason);
  // Half a line is no record.
  if (ftruncate(h->fd, h->bytes) != 0) warn_once(h, "shorten", errno);
}

tg_status tg_history_add(tg_history *h, const char *line)
{
  if (h->waiting.length + strlen(line) > WAITING_MAX) {
    h->n_lost++;
    return TG_OK;
  }
  tg_text_addf(&h->waiting, "%s\n", line);
  TG_TRY(tg_text_status(&h->waiting));
  h->n_waiting++;
  flush(h);
  return TG_OK;
}

void tg_history_sync(tg_history *h)
{
  flush(h);
  if (fsync(h->fd) != 0 && errno != EINVAL) warn_once(h, "sync", errno);
}

void tg_history_close(tg_history *h)
{
  if (h->fd < 0) return;
  flush(h);
  if (close(h->fd) != 0) warn_once(h, "close", errno);
  h->fd = -1;
  const int64_t missing = h->n_waiting + h->n_lost;
  if (missing > 0)
    tg_message_warn(h->messages, "%s lacks %" PRId64 " records: the disk did not take them", h->path, missing);
  tg_text_fini(&h->waiting);
}
