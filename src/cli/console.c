// Errors, warnings and results, once for all ranks.
#include "cli/console.h"

#include <errno.h>
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

static void place(const tg_source *source, tg_span span, const char *label, const char *message, tg_text *out)
{
  if (source != NULL)
    tg_source_diagnose(source, span, label, message, out);
  else
    tg_text_addf(out, "tracegrad: %s: %s\n", label, message);
}

void tg_cli_diagnose(tg_status status, const tg_source *source, tg_text *out)
{
  const tg_error *error = tg_error_get();
  const char *message = error->code == status ? error->message : tg_status_label(status);
  place(error->has_span ? source : NULL, error->span, "error", message, out);
  // Our own mistakes are reported with their origin.
  if (status == TG_INTERNAL)
    tg_text_addf(out, "    in %s (%s:%d); please report this\n", error->origin.function, error->origin.file,
                 error->origin.line);
}

void tg_cli_print_error(tg_status status, const tg_source *source)
{
  if (tg_cli_rank() != 0) return;
  tg_text text;
  tg_text_init(&text);
  tg_cli_diagnose(status, source, &text);
  fflush(stdout);
  print(stderr, tg_text_string(&text));
  tg_text_fini(&text);
}

void tg_cli_warn_at(const tg_source *source, tg_span span, const char *format, va_list arguments)
{
  if (tg_cli_rank() != 0) return;
  char message[TG_ERROR_MESSAGE_BYTES];
  vsnprintf(message, sizeof message, format, arguments);
  tg_text text;
  tg_text_init(&text);
  place(source, span, "warning", message, &text);
  print(stderr, tg_text_string(&text));
  tg_text_fini(&text);
}

void tg_cli_warn(const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  tg_cli_warn_at(NULL, (tg_span){0, 0}, format, arguments);
  va_end(arguments);
}

void tg_cli_print_warnings(const tg_text *lines)
{
  const char *line = tg_text_string(lines);
  while (*line != '\0') {
    const size_t length = strcspn(line, "\n");
    tg_cli_warn("%.*s", (int)length, line);
    line += length + (line[length] == '\n');
  }
}

void tg_cli_print_notes(const tg_text *lines)
{
  const char *line = tg_text_string(lines);
  while (tg_cli_rank() == 0 && *line != '\0') {
    const size_t length = strcspn(line, "\n");
    fprintf(stderr, "tracegrad: note: %.*s\n", (int)length, line);
    line += length + (line[length] == '\n');
  }
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
