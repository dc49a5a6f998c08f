// Diagnostics that point into a source text.
#include "base/source.h"

// A byte that begins a character: every byte that is not a UTF-8 continuation.
static bool starts_character(char byte)
{
  return ((unsigned char)byte & 0xC0u) != 0x80u;
}

static size_t line_begin(const tg_source *source, size_t offset)
{
  while (offset > 0 && source->text[offset - 1] != '\n') offset--;
  return offset;
}

static size_t line_end(const tg_source *source, size_t offset)
{
  while (offset < source->length && source->text[offset] != '\n' && source->text[offset] != '\0') offset++;
  return offset;
}

void tg_source_locate(const tg_source *source, size_t offset, int *line, int *column)
{
  if (offset > source->length) offset = source->length;
  *line = 1;
  *column = 1;
  for (size_t i = 0; i < offset; i++) {
    if (source->text[i] == '\n') {
      (*line)++;
      *column = 1;
    } else if (starts_character(source->text[i])) {
      (*column)++;
    }
  }
}

enum { SHOWN_BEFORE_BYTES = 60, SHOWN_LINE_BYTES = 160 };

void tg_source_diagnose(const tg_source *source, tg_span span, const char *severity, const char *message, tg_text *out)
{
  if (source == NULL) {
    tg_text_addf(out, "tracegrad: %s: %s\n", severity, message);
    return;
  }
  if (span.begin > source->length) span.begin = source->length;
  if (span.end < span.begin) span.end = span.begin;
  int line = 1;
  int column = 1;
  tg_source_locate(source, span.begin, &line, &column);
  tg_text_addf(out, "%s:%d:%d: %s: %s\n", source->name, line, column, severity, message);

  size_t begin = line_begin(source, span.begin);
  size_t end = line_end(source, span.begin);
  // A very long line is shown around the place only.
  if (end - begin > SHOWN_LINE_BYTES) {
    if (span.begin - begin > SHOWN_BEFORE_BYTES) begin = span.begin - SHOWN_BEFORE_BYTES;
    while (begin < span.begin && !starts_character(source->text[begin])) begin++;
    if (end - begin > SHOWN_LINE_BYTES) end = begin + SHOWN_LINE_BYTES;
    while (end > span.begin && end < source->length && !starts_character(source->text[end])) end--;
  }
  if (end > begin && source->text[end - 1] == '\r') end--;
  tg_text_add(out, "    ");
  for (size_t i = begin; i < end; i++) {
    // Control characters would move the caret or the terminal.
    const unsigned char byte = (unsigned char)source->text[i];
    tg_text_add_bytes(out, byte < 0x20 || byte == 0x7F ? " " : &source->text[i], 1);
  }
  tg_text_add(out, "\n    ");
  for (size_t i = begin; i < span.begin; i++)
    if (starts_character(source->text[i])) tg_text_add(out, " ");
  tg_text_add(out, "^");
  for (size_t i = span.begin + 1; i < span.end && i < end; i++)
    if (starts_character(source->text[i])) tg_text_add(out, "~");
  tg_text_add(out, "\n");
}

void tg_error_diagnose(tg_status status, const tg_source *source, tg_text *out)
{
  const tg_error *error = tg_error_get();
  const char *message = error->code == status ? error->message : tg_status_label(status);
  tg_source_diagnose(error->has_span ? source : NULL, error->span, "error", message, out);
  // Our own mistakes are reported with their origin.
  if (status == TG_INTERNAL)
    tg_text_addf(out, "    in %s (%s:%d); please report this\n", error->origin.function, error->origin.file,
                 error->origin.line);
}

tg_status tg_error_in_excerpt(const tg_excerpt *excerpt, tg_status status)
{
  tg_error *error = tg_error_get();
  if (status == TG_OK || excerpt->mark.source == 0 || error->source != 0) return status;
  if (!error->has_span) return tg_error_locate(excerpt->mark, status);
  const size_t length = excerpt->length;
  const size_t begin = error->span.begin < length ? error->span.begin : length;
  const size_t end = error->span.end < length ? error->span.end : length;
  error->source = excerpt->mark.source;
  if (excerpt->offsets == NULL) { // as it stands in the source
    error->span = (tg_span){excerpt->mark.span.begin + begin, excerpt->mark.span.begin + end};
    return status;
  }
  error->span.begin = excerpt->offsets[begin];
  // The end is that of the last byte, not the next one's place, which may be on another line.
  error->span.end = end > begin ? excerpt->offsets[end - 1] + 1 : error->span.begin + 1;
  return status;
}
