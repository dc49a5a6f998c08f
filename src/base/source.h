// A source text and the diagnostics that point into it: name:line:column, the line, a caret.
#ifndef TG_BASE_SOURCE_H
#define TG_BASE_SOURCE_H

#include "base/text.h"

typedef struct tg_source {
  const char *name; // of the file, or "expression"
  const char *text;
  size_t length;
} tg_source;

// Line and column (both from 1, columns in characters of UTF-8) of a byte offset.
void tg_source_locate(const tg_source *source, size_t offset, int *line, int *column);

// Appends "name:line:column: severity: message", the line and a caret under [span.begin, span.end); where source is
// NULL "tracegrad: severity: message".
void tg_source_diagnose(const tg_source *source, tg_span span, const char *severity, const char *message, tg_text *out);

// The error record as text: located in `source` when the error carries a span and a source is given, else
// "tracegrad: error: message".
void tg_error_diagnose(tg_status status, const tg_source *source, tg_text *out);

#endif
