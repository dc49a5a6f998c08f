// Errors, warnings and results, once for all ranks.
#include "cli/console.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

void tg_cli_diagnose(tg_status status, const tg_source *source, tg_text *out)
{
  const tg_error *error = tg_error_get();
  const char *message = error->code == status ? error->message : tg_status_label(status);
  if (error->has_span && source != NULL)
    tg_source_diagnose(source, error->span, "error", message, out);
  else
    tg_text_addf(out, "tracegrad: error: %s\n", message);
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

void tg_cli_warn(const char *format, ...)
{
  if (tg_cli_rank() != 0) return;
  char message[TG_ERROR_MESSAGE_BYTES];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  fprintf(stderr, "tracegrad: warning: %s\n", message);
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

tg_status tg_cli_print(FILE *stream, const tg_text *text)
{
  TG_TRY(tg_text_status(text));
  if (tg_cli_rank() != 0) return TG_OK;
  if (fputs(tg_text_string(text), stream) == EOF || fflush(stream) != 0)
    TG_FAIL(TG_IO, "cannot write to standard output: %s", strerror(errno));
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
