// A source text and the diagnostics that point into it: name:line:column, the line, a caret.
#ifndef TG_BASE_SOURCE_H
#define TG_BASE_SOURCE_H

#include "base/text.h"

typedef struct tg_source {
  const char *name; // of the file, or "expression"
  const char *text;
  size_t length;
  int32_t id; // what an error's source says, where a caller has several texts; 0: it has one
} tg_source;

// A text cut out of a source: offsets[i] is the byte of the source that byte i of it came from, offsets[length] the
// end, NULL for a stretch of it; mark its whole place. A text that comes from no source has neither.
typedef struct tg_excerpt {
  const char *text;
  size_t length;
  const size_t *offsets;
  tg_mark mark;
} tg_excerpt;

// The same status: the span of the error, which is in the excerpt's text, moves to the source. An error without a span
// gets the place of the whole; one that has a source keeps it.
tg_status tg_error_in_excerpt(const tg_excerpt *excerpt, tg_status status);

// Line and column (both from 1, columns in characters of UTF-8) of a byte offset.
void tg_source_locate(const tg_source *source, size_t offset, int *line, int *column);

// Appends "name:line:column: severity: message", the line and a caret under [span.begin, span.end); where source is
// NULL "tracegrad: severity: message".
void tg_source_diagnose(const tg_source *source, tg_span span, const char *severity, const char *message, tg_text *out);

// The error record as text: located in `source` when the error carries a span and a source is given, else
// "tracegrad: error: message".
void tg_error_diagnose(tg_status status, const tg_source *source, tg_text *out);

#endif
