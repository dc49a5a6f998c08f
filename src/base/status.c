// Status codes and the error record.
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

static _Thread_local tg_error current_error;

const char *tg_status_label(tg_status code)
{
  static const char *const labels[] = {
#define TG_STATUS_LABEL(name, exit_status, label) label,
      TG_STATUS_LIST(TG_STATUS_LABEL)
#undef TG_STATUS_LABEL
  };
  return code < TG_STATUS_COUNT ? labels[code] : "unknown";
}

int tg_status_exit(tg_status code)
{
  static const int exits[] = {
#define TG_STATUS_EXIT(name, exit_status, label) exit_status,
      TG_STATUS_LIST(TG_STATUS_EXIT)
#undef TG_STATUS_EXIT
  };
  return code < TG_STATUS_COUNT ? exits[code] : 1;
}

tg_error *tg_error_get(void)
{
  return &current_error;
}

void tg_error_clear(void)
{
  current_error = (tg_error){.code = TG_OK};
}

// Keeps the beginning and the end of a text that is too long: a long name must not hide what is said of it.
static void shorten(const char *text, size_t length, char *out, size_t room)
{
  static const char gap[] = " ... ";
  size_t head = (room - sizeof gap) / 2;
  size_t tail = length - (room - sizeof gap - head);
  while (head > 0 && tg_utf8_continues(text[head])) head--;
  while (tail < length && tg_utf8_continues(text[tail])) tail++;
  snprintf(out, room, "%.*s%s%s", (int)head, text, gap, text + tail);
}

__attribute__((format(printf, 3, 0))) static void write_message(char *out, size_t room, const char *format,
                                                                va_list arguments)
{
  va_list again;
  va_copy(again, arguments);
  const int length = vsnprintf(out, room, format, arguments);
  char *text = length >= (int)room ? malloc((size_t)length + 1) : NULL;
  if (text != NULL) {
    vsnprintf(text, (size_t)length + 1, format, again);
    shorten(text, (size_t)length, out, room);
    free(text);
  }
  va_end(again);
}

__attribute__((format(printf, 5, 0))) static tg_status
record(tg_status code, tg_place place, int32_t source, const tg_span *span, const char *format, va_list arguments)
{
  tg_error *error = &current_error;
  error->code = code;
  error->has_span = span != NULL;
  error->source = source;
  error->span = span != NULL ? *span : (tg_span){0, 0};
  error->origin = place;
  error->trail_count = 0;
  write_message(error->message, sizeof error->message, format, arguments);
  return code;
}

tg_status tg_error_set(tg_status code, tg_place place, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  record(code, place, 0, NULL, format, arguments);
  va_end(arguments);
  return code;
}

tg_status tg_error_set_at(tg_status code, tg_place place, tg_span span, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  record(code, place, 0, &span, format, arguments);
  va_end(arguments);
  return code;
}

tg_status tg_error_set_mark(tg_status code, tg_place place, tg_mark mark, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  record(code, place, mark.source, mark.source > 0 ? &mark.span : NULL, format, arguments);
  va_end(arguments);
  return code;
}

tg_status tg_error_locate(tg_mark mark, tg_status status)
{
  if (status == TG_OK || mark.source == 0) return status;
  current_error.has_span = true;
  current_error.source = mark.source;
  current_error.span = mark.span;
  return status;
}

tg_status tg_error_within(int32_t source, tg_status status)
{
  if (status != TG_OK && current_error.has_span && current_error.source == 0) current_error.source = source;
  return status;
}

tg_status tg_error_pass(tg_status code, tg_place place)
{
  tg_error *error = &current_error;
  if (error->trail_count < TG_ERROR_TRAIL_DEPTH) error->trail[error->trail_count++] = place;
  return code;
}

void tg_error_prefix(const char *format, ...)
{
  char text[TG_ERROR_MESSAGE_BYTES];
  va_list arguments;
  va_start(arguments, format);
  const int used = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (used < 0 || (size_t)used >= sizeof text) return;
  // A message that no longer fits loses its end, not the context in front.
  if (snprintf(text + used, sizeof text - (size_t)used, ": %s", current_error.message) < 0) return;
  memcpy(current_error.message, text, sizeof text);
}

void tg_error_append(const char *format, ...)
{
  const size_t used = strlen(current_error.message);
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(current_error.message + used, sizeof current_error.message - used, format, arguments);
  va_end(arguments);
}

_Noreturn void tg_assert_fail(const char *condition, tg_place place)
{
  fprintf(stderr, "tracegrad: internal error: %s does not hold in %s (%s:%d); please report this\n", condition,
          place.function, place.file, place.line);
  abort();
}
