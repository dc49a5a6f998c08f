// The calculus for the web page: one call derives, one reads a text, one checks a claim. All answers are JSON or plain
// text that lives until the next call; there is one derivation at a time.
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tracegrad.h"

#define WEB_API __attribute__((used, visibility("default")))

static tracegrad_derivation *derivation;
static tg_text answer;

// ---- JSON ----

static void add_string(const char *text)
{
  tg_text_add(&answer, "\"");
  for (const char *c = text != NULL ? text : ""; *c != '\0'; c++) {
    if (*c == '"' || *c == '\\')
      tg_text_addf(&answer, "\\%c", *c);
    else if ((unsigned char)*c < 0x20)
      tg_text_addf(&answer, "\\u%04x", (unsigned)*c);
    else
      tg_text_add_bytes(&answer, c, 1);
  }
  tg_text_add(&answer, "\"");
}

static void add_field(const char *name, const char *text)
{
  tg_text_addf(&answer, "\"%s\":", name);
  add_string(text);
}

// ---- failures ----

static const char *errors(void)
{
  tg_text_clear(&answer);
  tg_text_add(&answer, "{");
  add_field("message", tracegrad_error());
  tg_text_add(&answer, ",\"errors\":[");
  for (int k = 0; k < tracegrad_error_count(); k++) {
    tracegrad_failure failure;
    if (tracegrad_error_get(k, sizeof failure, &failure) != 0) break;
    tg_text_add(&answer, k > 0 ? ",{" : "{");
    add_field("message", failure.message);
    tg_text_add(&answer, ",");
    add_field("source", failure.source);
    tg_text_addf(&answer, ",\"begin\":%zu,\"length\":%zu}", failure.begin, failure.length);
  }
  tg_text_add(&answer, "]}");
  return tg_text_string(&answer);
}

// ---- a derivation ----

// "NAME=VALUE" lines, cut in place.
static int set_options(char *lines)
{
  for (char *line = strtok(lines, "\n"); line != NULL; line = strtok(NULL, "\n")) {
    char *value = strchr(line, '=');
    if (value == NULL) continue;
    *value = '\0';
    if (tracegrad_derivation_set(derivation, line, value + 1) == 1) return 1;
  }
  return 0;
}

static int derive(const char *expression, const char *options)
{
  tracegrad_derivation_destroy(&derivation);
  char *lines = malloc(strlen(options) + 1);
  if (lines == NULL) return 1;
  strcpy(lines, options);
  int status = tracegrad_derivation_create(&derivation);
  if (status == 0) status = set_options(lines);
  if (status == 0) status = tracegrad_derivation_derive(derivation, expression);
  free(lines);
  return status;
}

static const char *part(int which, int k, int format)
{
  const char *text = NULL;
  return tracegrad_derivation_text(derivation, which, k, format, &text) == 0 ? text : NULL;
}

static void add_size(const char *name, const tracegrad_size *size)
{
  tg_text_add(&answer, ",");
  add_field(name, size->text);
}

static void add_symbols(void)
{
  tg_text_add(&answer, ",\"symbols\":[");
  for (int k = 0; k < tracegrad_derivation_symbol_count(derivation); k++) {
    tracegrad_symbol symbol;
    if (tracegrad_derivation_symbol(derivation, k, sizeof symbol, &symbol) != 0) break;
    tg_text_add(&answer, k > 0 ? ",{" : "{");
    add_field("name", symbol.name);
    add_size("rows", &symbol.rows);
    add_size("columns", &symbol.columns);
    tg_text_addf(&answer, ",\"properties\":%u,\"wrt\":%d}", (unsigned)symbol.properties, (int)symbol.wrt);
  }
  tg_text_add(&answer, "]");
}

static void add_shape(int which, int k)
{
  tracegrad_size rows;
  tracegrad_size columns;
  if (tracegrad_derivation_shape(derivation, which, k, &rows, &columns) != 0) return;
  add_size("rows", &rows);
  add_size("columns", &columns);
}

static void add_part(const char *name, int which, int k, int format)
{
  const char *text = part(which, k, format);
  if (text == NULL) return;
  tg_text_add(&answer, ",");
  add_field(name, text);
}

static void add_derivatives(void)
{
  tg_text_add(&answer, ",\"derivatives\":[");
  for (int k = 0; k < tracegrad_derivation_count(derivation); k++) {
    tg_text_add(&answer, k > 0 ? ",{" : "{");
    add_field("wrt", tracegrad_derivation_wrt(derivation, k));
    add_shape(TRACEGRAD_DERIVATIVE, k);
    add_part("latex", TRACEGRAD_DERIVATIVE, k, TRACEGRAD_LATEX);
    add_part("text", TRACEGRAD_DERIVATIVE, k, TRACEGRAD_HUMAN);
    add_part("steps", TRACEGRAD_STEPS, k, TRACEGRAD_HUMAN);
    add_part("steps_latex", TRACEGRAD_STEPS, k, TRACEGRAD_LATEX);
    add_part("structure", TRACEGRAD_STRUCTURE, k, TRACEGRAD_HUMAN);
    add_part("hessian", TRACEGRAD_HESSIAN, k, TRACEGRAD_LATEX);
    if (tracegrad_derivation_direction(derivation, k) != NULL) {
      tg_text_add(&answer, ",");
      add_field("direction", tracegrad_derivation_direction(derivation, k));
    }
    tg_text_add(&answer, "}");
  }
  tg_text_add(&answer, "]");
}

// Derives and describes all parts: {"scalar": ..., "latex": ..., "symbols": [...], "derivatives": [...]}, or the
// errors.
WEB_API const char *web_derive(const char *expression, const char *options)
{
  if (derive(expression, options) != 0) return errors();
  tg_text_clear(&answer);
  tg_text_addf(&answer, "{\"scalar\":%s", tracegrad_derivation_is_scalar(derivation) ? "true" : "false");
  add_part("latex", TRACEGRAD_EXPRESSION, 0, TRACEGRAD_LATEX);
  add_shape(TRACEGRAD_EXPRESSION, 0);
  add_part("notes", TRACEGRAD_NOTES, 0, TRACEGRAD_HUMAN);
  add_symbols();
  add_derivatives();
  tg_text_add(&answer, "}");
  return tg_text_string(&answer);
}

// One text of the last derivation, {"text": ...} or the errors: the numbers are those of tracegrad.h.
WEB_API const char *web_text(int which, int k, int format)
{
  const char *text = NULL;
  if (tracegrad_derivation_text(derivation, which, k, format, &text) != 0) return errors();
  tg_text_clear(&answer);
  tg_text_add(&answer, "{");
  add_field("text", text);
  tg_text_add(&answer, "}");
  return tg_text_string(&answer);
}

// {"verdict": ..., "text": ...} of a claimed derivative by the k-th name, or the errors.
WEB_API const char *web_claim(int k, const char *claim)
{
  int verdict = 0;
  const char *text = NULL;
  if (tracegrad_derivation_claim(derivation, k, claim, &verdict, &text) != 0) return errors();
  tg_text_clear(&answer);
  tg_text_addf(&answer, "{\"verdict\":%d,", verdict);
  add_field("text", text);
  tg_text_add(&answer, "}");
  return tg_text_string(&answer);
}

WEB_API const char *web_version(void)
{
  return tracegrad_version();
}
