// The failure of each thread, and what the library tells of itself.
#include "api/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "tracegrad.h"

enum { RENDERED_BYTES = 8192, PARTS_BYTES = 8192 };

// Like errno: each thread has its own. No heap: it works where memory is what ran out.
static _Thread_local struct {
  char rendered[RENDERED_BYTES];
  int count;
  tracegrad_failure items[TG_ERRORS_MAX];
  size_t used;
  char parts[PARTS_BYTES]; // the texts of the items
} last;

// ---- the call ----

// The program's locale on this thread, while a public function runs on it; one may call another.
static _Thread_local tg_api_host host;

tg_status tg_api_enter(tg_api_call *call)
{
  call->own = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  if (call->own == (locale_t)0) TG_FAIL(TG_MEMORY, "cannot make a locale for numbers with a point");
  call->caller = uselocale(call->own);
  if (host.depth++ == 0) host.locale = call->caller;
  return TG_OK;
}

void tg_api_leave(tg_api_call *call)
{
  host.depth--;
  uselocale(call->caller);
  freelocale(call->own);
}

tg_api_visit tg_api_visit_host(void)
{
  const tg_api_visit visit = {.ours = uselocale((locale_t)0), .host = host};
  if (host.depth > 0) uselocale(host.locale);
  // Calls that the program makes from here are calls from outside again.
  host.depth = 0;
  return visit;
}

void tg_api_return(const tg_api_visit *visit)
{
  uselocale(visit->ours);
  host = visit->host;
}

// ---- keeping ----

static int32_t public_code(tg_status status)
{
  static const int32_t codes[] = {[TG_OK] = TRACEGRAD_OK,
                                  [TG_USAGE] = TRACEGRAD_USAGE,
                                  [TG_SYNTAX] = TRACEGRAD_SYNTAX,
                                  [TG_NAME] = TRACEGRAD_NAME,
                                  [TG_SHAPE] = TRACEGRAD_SHAPE,
                                  [TG_VALUE] = TRACEGRAD_VALUE,
                                  [TG_LIMIT] = TRACEGRAD_LIMIT,
                                  [TG_UNSUPPORTED] = TRACEGRAD_UNSUPPORTED,
                                  [TG_JOB] = TRACEGRAD_JOB,
                                  [TG_DATA] = TRACEGRAD_DATA,
                                  [TG_IO] = TRACEGRAD_IO,
                                  [TG_MEMORY] = TRACEGRAD_MEMORY,
                                  [TG_MPI] = TRACEGRAD_MPI_FAILURE,
                                  [TG_NUMERIC] = TRACEGRAD_NUMERIC,
                                  [TG_INTERNAL] = TRACEGRAD_INTERNAL};
  _Static_assert(sizeof codes / sizeof codes[0] == TG_STATUS_COUNT, "every status has a public code");
  return codes[status];
}

static const tg_source *find_source(const tg_api_texts *texts, const tg_error *error)
{
  for (int32_t k = 0; texts != NULL && error->has_span && k < texts->n; k++)
    if (texts->sources[k].id == error->source) return &texts->sources[k];
  return NULL;
}

// A copy that lives until the next failure; shortened where many long ones come together.
static const char *keep_text(const char *text)
{
  const size_t room = sizeof last.parts - last.used;
  const size_t length = strlen(text);
  const size_t kept = length < room ? length : room - 1;
  char *copy = last.parts + last.used;
  if (room <= 1) return "";
  memcpy(copy, text, kept);
  copy[kept] = '\0';
  last.used += kept + 1;
  return copy;
}

static void keep_parts(const tg_error *error, const tg_source *source)
{
  if (last.count == TG_ERRORS_MAX) return;
  tracegrad_failure *item = &last.items[last.count++];
  *item = (tracegrad_failure){
      .code = public_code(error->code), .label = tg_status_label(error->code), .message = keep_text(error->message)};
  if (source == NULL) return;
  const size_t begin = error->span.begin < source->length ? error->span.begin : source->length;
  const size_t end = error->span.end < source->length ? error->span.end : source->length;
  int line = 1;
  int column = 1;
  tg_source_locate(source, begin, &line, &column);
  item->line = line;
  item->column = column;
  item->source = keep_text(source->name);
  item->begin = begin;
  item->length = end > begin ? end - begin : 0;
}

// Without the last end of line.
static void keep_rendered(const tg_text *text)
{
  size_t length = text->length;
  while (length > 0 && text->data[length - 1] == '\n') length--;
  snprintf(last.rendered, sizeof last.rendered, "%.*s", (int)length, tg_text_string(text));
}

static void forget(void)
{
  last.rendered[0] = '\0';
  last.count = 0;
  last.used = 0;
}

static void keep(const tg_error *error, const tg_api_texts *texts, tg_text *rendered)
{
  const tg_source *source = find_source(texts, error);
  keep_parts(error, source);
  tg_source_diagnose(source, error->span, "error", error->message, rendered);
}

int tg_api_fail_all(tg_status status, const tg_errors *errors, int first, const tg_api_texts *texts)
{
  if (status == TG_OK) return 0;
  tg_text rendered;
  tg_text_init(&rendered);
  tg_error recorded = *tg_error_get();
  if (recorded.code != status) {
    recorded = (tg_error){.code = status};
    snprintf(recorded.message, sizeof recorded.message, "%s", tg_status_label(status));
  }
  forget();
  const bool has_list = errors != NULL && first < errors->count && tg_status_exit(status) == 2;
  for (int k = first; has_list && k < errors->count; k++) keep(&errors->items[k], texts, &rendered);
  if (!has_list) keep(&recorded, texts, &rendered);
  if (has_list && errors->more > 0) tg_text_addf(&rendered, "tracegrad: %d more errors are not shown\n", errors->more);
  if (tg_text_status(&rendered) == TG_OK)
    keep_rendered(&rendered);
  else
    snprintf(last.rendered, sizeof last.rendered, "tracegrad: error: %s", last.items[0].message);
  tg_text_fini(&rendered);
  return tg_status_exit(status);
}

int tg_api_fail(tg_status status, const tg_api_texts *texts)
{
  return tg_api_fail_all(status, NULL, 0, texts);
}

// ---- the public functions ----

const char *tracegrad_version(void)
{
  return TG_VERSION;
}

void tracegrad_free(void *memory)
{
  free(memory);
}

const char *tracegrad_error(void)
{
  return last.rendered;
}

int tracegrad_error_count(void)
{
  return last.count;
}

int tracegrad_error_get(int k, size_t bytes, tracegrad_failure *out)
{
  // The failures that are asked for stay.
  if (k < 0 || k >= last.count || out == NULL || bytes < sizeof *out) return 2;
  memset(out, 0, bytes);
  memcpy(out, &last.items[k], sizeof *out);
  return 0;
}
