// Errors, warnings and results, once for all ranks.
#include "cli/console.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

// Names and file names come from job files: what a terminal would obey is shown as \xNN instead.
static void print(FILE *stream, const char *text)
{
  while (*text != '\0') {
    const unsigned char byte = (unsigned char)*text;
    const unsigned char next = (unsigned char)text[1];
    const bool is_c1 = byte == 0xC2 && next >= 0x80 && next < 0xA0; // U+0080 to U+009F
    const bool is_control = (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F || is_c1;
    if (is_control)
      fprintf(stream, "\\x%02X", is_c1 ? next : byte);
    else
      fputc(byte, stream);
    text += is_c1 ? 2 : 1;
  }
}

void tg_cli_print_error(tg_status status, const tg_source *source)
{
  if (tg_cli_rank() != 0) return;
  tg_text text;
  tg_text_init(&text);
  tg_error_diagnose(status, source, &text);
  fflush(stdout);
  print(stderr, tg_text_string(&text));
  tg_text_fini(&text);
}

void tg_cli_print_errors(const tg_errors *errors, const tg_source *sources)
{
  for (int k = 0; k < errors->count; k++) {
    const tg_status status = tg_errors_restore(errors, k);
    const int32_t id = errors->items[k].source;
    tg_cli_print_error(status, id > 0 ? &sources[id - 1] : NULL);
  }
  if (errors->more > 0 && tg_cli_rank() == 0)
    fprintf(stderr, "tracegrad: %d more errors are not shown\n", errors->more);
}

void tg_cli_show(tg_message_kind kind, const tg_source *source, tg_span span, const char *message)
{
  if (tg_cli_rank() != 0) return;
  tg_text text;
  tg_text_init(&text);
  tg_source_diagnose(source, span, kind == TG_MESSAGE_NOTE ? "note" : "warning", message, &text);
  print(stderr, tg_text_string(&text));
  tg_text_fini(&text);
}

static void say(void *self, tg_message_kind kind, tg_mark mark, const char *message)
{
  (void)self;
  (void)mark;
  tg_cli_show(kind, NULL, (tg_span){0, 0}, message);
}

const tg_messages *tg_cli_messages(void)
{
  static const tg_messages messages = {.say = say};
  return &messages;
}

void tg_cli_warn(const char *format, ...)
{
  char message[TG_ERROR_MESSAGE_BYTES];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  tg_cli_show(TG_MESSAGE_WARNING, NULL, (tg_span){0, 0}, message);
}

tg_status tg_cli_print(FILE *stream, const tg_text *text)
{
  TG_TRY(tg_text_status(text));
  if (tg_cli_rank() != 0) return TG_OK;
  print(stream, tg_text_string(text));
  const bool failed = ferror(stream) != 0 || fflush(stream) != 0;
  // A reader that has gone, as `| head` does, has what it wanted.
  if (failed && errno != EPIPE) TG_FAIL(TG_IO, "cannot write to standard output: %s", strerror(errno));
  return TG_OK;
}

tg_status tg_cli_print_help(const tg_args_spec *spec)
{
  tg_text text;
  tg_text_init(&text);
  tg_args_help(spec, &text);
  const tg_status status = tg_cli_print(stdout, &text);
  tg_text_fini(&text);
  return status;
}
