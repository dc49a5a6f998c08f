// Errors, warnings and results, once for all ranks.
#include "cli/console.h"

#include <errno.h>
#include <string.h>

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
  fputs(tg_text_string(&text), stderr);
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
  fputs(tg_text_string(&text), stderr);
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
  const bool failed = fputs(tg_text_string(text), stream) == EOF || fflush(stream) != 0;
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
