// YAML events of libfyaml to a tree of located nodes.
#include "job/yaml.h"

#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

// Far beyond any honest job file; they bound what a hostile one can cost.
enum { YAML_MAX_BYTES = 4 << 20, YAML_MAX_NODES = 200000, YAML_MAX_DEPTH = 32, YAML_MAX_ANCHORS = 256 };

typedef struct anchor {
  const char *name;
  tg_yaml_node *node;
} anchor;

// One open mapping or sequence.
typedef struct level {
  tg_yaml_node *node;
  tg_yaml_node *key; // of a mapping: read, its value still to come
} level;

typedef struct reader {
  tg_arena *arena;
  const tg_source *source;
  size_t begin;
  int32_t n_nodes;
  int32_t n_documents;
  int32_t depth;
  level levels[YAML_MAX_DEPTH];
  int32_t n_anchors;
  anchor anchors[YAML_MAX_ANCHORS];
  tg_yaml_node *root;
} reader;

tg_status tg_yaml_new(tg_arena *arena, tg_yaml_kind kind, tg_mark mark, tg_yaml_node **out)
{
  TG_TRY(TG_ARENA_NEW(arena, 1, out));
  **out = (tg_yaml_node){.kind = kind, .mark = mark, .text = ""};
  return TG_OK;
}

tg_status tg_yaml_append(tg_arena *arena, tg_yaml_node *node, const tg_yaml_node *key, tg_yaml_node *value)
{
  tg_yaml_item *item = NULL;
  TG_TRY(TG_ARENA_NEW(arena, 1, &item));
  *item = (tg_yaml_item){.key = key, .value = value};
  if (node->last != NULL)
    node->last->next = item;
  else
    node->first = item;
  node->last = item;
  node->n_items++;
  return TG_OK;
}

const tg_yaml_item *tg_yaml_find(const tg_yaml_node *node, const char *key)
{
  if (node == NULL || node->kind != TG_YAML_MAPPING) return NULL;
  for (const tg_yaml_item *item = node->first; item != NULL; item = item->next)
    if (strcmp(item->key->text, key) == 0) return item;
  return NULL;
}

tg_yaml_node *tg_yaml_get(const tg_yaml_node *node, const char *key)
{
  const tg_yaml_item *item = tg_yaml_find(node, key);
  return item != NULL ? item->value : NULL;
}

void tg_yaml_describe(const tg_yaml_node *node, tg_text *out)
{
  enum { SHOWN = 60 };
  if (node == NULL || node->kind == TG_YAML_NULL) {
    tg_text_add(out, "nothing");
  } else if (node->kind == TG_YAML_MAPPING) {
    tg_text_add(out, "a mapping");
  } else if (node->kind == TG_YAML_SEQUENCE) {
    tg_text_add(out, "a list");
  } else {
    tg_text_add(out, "'");
    tg_text_add_bytes(out, node->text, node->length < SHOWN ? node->length : SHOWN);
    tg_text_add(out, node->length < SHOWN ? "'" : "...'");
  }
}

// ---- characters ----

// Length of the UTF-8 character at text[0 .. left), 0 when it is not one (overlong and surrogates included).
static size_t utf8_length(const unsigned char *text, size_t left)
{
  static const unsigned long smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const unsigned char lead = text[0];
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xF0 && lead < 0xF8 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 0;
  if (length == 0 || length > left || lead >= 0xF8) return 0;
  unsigned long value = lead & (0x7Fu >> length);
  for (size_t k = 1; k < length; k++) {
    if (!tg_utf8_continues((char)text[k])) return 0;
    value = value << 6 | (text[k] & 0x3Fu);
  }
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  return value < smallest[length] || value > 0x10FFFF || surrogate ? 0 : length;
}

// By the byte-order mark that the other encodings of Unicode begin with, or by the zero beside the first letter.
static bool is_utf16(const unsigned char *text, size_t length)
{
  if (length < 2) return false;
  const bool has_mark = (text[0] == 0xFF && text[1] == 0xFE) || (text[0] == 0xFE && text[1] == 0xFF);
  return has_mark || (text[0] == 0 && text[1] >= 0x20) || (text[1] == 0 && text[0] >= 0x20);
}

// libfyaml takes a line that begins with '%' for a directive and drops some of them without a word.
static tg_status check_directive(const tg_source *source, size_t at)
{
  const char *line = source->text + at;
  const size_t left = source->length - at;
  const bool is_known = (left > 5 && memcmp(line, "%YAML", 5) == 0) || (left > 4 && memcmp(line, "%TAG", 4) == 0);
  if (is_known) return TG_OK;
  TG_FAIL_AT(TG_SYNTAX, ((tg_span){at, at + 1}),
             "'%%' at the beginning of a line stands for a directive of YAML; a comment begins with '#'");
}

// libfyaml ends its stream silently at such bytes, so they are refused before it sees them.
static tg_status check_characters(const tg_source *source, size_t begin)
{
  const unsigned char *text = (const unsigned char *)source->text;
  if (begin == 0 && is_utf16(text, source->length))
    TG_FAIL(TG_SYNTAX, "%s: is text in UTF-16 or UTF-32, expected UTF-8; convert it: iconv -f UTF-16 -t UTF-8",
            source->name);
  for (size_t i = begin; i < source->length;) {
    const tg_span here = {i, i + 1};
    const size_t length = utf8_length(text + i, source->length - i);
    if (text[i] == '%' && (i == 0 || text[i - 1] == '\n')) TG_TRY(check_directive(source, i));
    if (length == 0) TG_FAIL_AT(TG_SYNTAX, here, "byte 0x%02X is not UTF-8 text; is this a YAML file?", text[i]);
    if ((text[i] < 0x20 && text[i] != '\t' && text[i] != '\n' && text[i] != '\r') || text[i] == 0x7F)
      TG_FAIL_AT(TG_SYNTAX, here, "control character 0x%02X; is this a YAML file?", text[i]);
    i += length;
  }
  return TG_OK;
}

// ---- events to nodes ----

static tg_span event_span(const reader *r, struct fy_event *event)
{
  const struct fy_mark *start = fy_event_start_mark(event);
  const struct fy_mark *end = fy_event_end_mark(event);
  tg_span span = {r->begin, r->begin};
  if (start != NULL) span.begin = r->begin + start->input_pos;
  span.end = end != NULL ? r->begin + end->input_pos : span.begin;
  return span;
}

static tg_status copy_token(reader *r, struct fy_token *token, const char **out, size_t *length)
{
  *length = 0;
  const char *text = token != NULL ? fy_token_get_text(token, length) : NULL;
  return tg_arena_string(r->arena, text != NULL ? text : "", *length, out);
}

// By name, then by place.
static int compare_keys(const void *a, const void *b)
{
  const tg_yaml_node *left = *(const tg_yaml_node *const *)a;
  const tg_yaml_node *right = *(const tg_yaml_node *const *)b;
  const int order = strcmp(left->text, right->text);
  return order != 0                                       ? order
         : left->mark.span.begin < right->mark.span.begin ? -1
                                                          : left->mark.span.begin > right->mark.span.begin;
}

void tg_yaml_remove(tg_yaml_node *node, const tg_yaml_item *item)
{
  tg_yaml_item *before = NULL;
  tg_yaml_item *at = node->first;
  while (at != NULL && at != item) {
    before = at;
    at = at->next;
  }
  if (at == NULL) return;
  if (before != NULL)
    before->next = at->next;
  else
    node->first = at->next;
  if (node->last == at) node->last = before;
  node->n_items--;
}

// A key that stands twice in a mapping that is complete: the first such place in the file.
static tg_status refuse_twice(const tg_yaml_node *mapping, const tg_source *source)
{
  const tg_yaml_node **keys = NULL;
  const tg_yaml_node *twice = NULL;
  const tg_yaml_node *earlier = NULL;
  int32_t n = 0;
  if (mapping->n_items < 2) return TG_OK;
  TG_TRY(TG_NEW(mapping->n_items, &keys));
  for (const tg_yaml_item *item = mapping->first; item != NULL; item = item->next) keys[n++] = item->key;
  qsort((void *)keys, (size_t)n, sizeof *keys, compare_keys);
  for (int32_t k = 1; k < n; k++) {
    const bool is_same = strcmp(keys[k - 1]->text, keys[k]->text) == 0;
    if (!is_same || (twice != NULL && twice->mark.span.begin < keys[k]->mark.span.begin)) continue;
    twice = keys[k];
    earlier = keys[k - 1];
  }
  tg_free((void *)keys);
  if (twice == NULL) return TG_OK;
  int line = 0;
  int column = 0;
  tg_source_locate(source, earlier->mark.span.begin, &line, &column);
  TG_FAIL_AT(TG_JOB, twice->mark.span, "key '%s' stands twice in the same mapping; it was first given in line %d",
             twice->text, line);
}

// Puts a finished or just opened node where it belongs: the root, a key, a value, a list entry.
static tg_status place_node(reader *r, tg_yaml_node *node)
{
  if (r->depth == 0) {
    r->root = node;
    return TG_OK;
  }
  level *top = &r->levels[r->depth - 1];
  if (top->node->kind == TG_YAML_SEQUENCE) return tg_yaml_append(r->arena, top->node, NULL, node);
  if (top->key == NULL) {
    if (node->kind == TG_YAML_MAPPING || node->kind == TG_YAML_SEQUENCE)
      TG_FAIL_AT(TG_JOB, node->mark.span, "a key must be a name, found a %s",
                 node->kind == TG_YAML_MAPPING ? "mapping" : "list");
    top->key = node;
    return TG_OK;
  }
  TG_TRY(tg_yaml_append(r->arena, top->node, top->key, node));
  top->key = NULL;
  return TG_OK;
}

static tg_status new_node(reader *r, tg_yaml_kind kind, tg_span span, tg_yaml_node **out)
{
  if (++r->n_nodes > YAML_MAX_NODES) TG_FAIL_AT(TG_LIMIT, span, "more than %d values in one file", YAML_MAX_NODES);
  return tg_yaml_new(r->arena, kind, (tg_mark){r->source->id, span}, out);
}

static tg_status remember_anchor(reader *r, struct fy_token *token, tg_yaml_node *node)
{
  if (token == NULL) return TG_OK;
  if (r->n_anchors == YAML_MAX_ANCHORS) TG_FAIL_AT(TG_LIMIT, node->mark.span, "more than %d anchors", YAML_MAX_ANCHORS);
  anchor *entry = &r->anchors[r->n_anchors++];
  size_t length = 0;
  entry->node = node;
  return copy_token(r, token, &entry->name, &length);
}

// The last anchor of that name, as YAML says; one that is still open would contain itself.
static tg_status resolve_alias(reader *r, struct fy_event *event, tg_yaml_node **out)
{
  const tg_span span = event_span(r, event);
  const char *name = NULL;
  size_t length = 0;
  TG_TRY(copy_token(r, event->alias.anchor, &name, &length));
  for (int32_t k = r->n_anchors - 1; k >= 0; k--) {
    if (strcmp(r->anchors[k].name, name) != 0) continue;
    *out = r->anchors[k].node;
    for (int32_t d = 0; d < r->depth; d++)
      if (r->levels[d].node == *out) TG_FAIL_AT(TG_JOB, span, "alias '*%s' stands inside its own anchor", name);
    return TG_OK;
  }
  TG_FAIL_AT(TG_JOB, span, "alias '*%s' has no anchor '&%s' before it", name, name);
}

static bool is_null_text(const tg_yaml_node *node)
{
  return node->style == TG_YAML_PLAIN &&
         (node->length == 0 || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}

static tg_yaml_style style_of(struct fy_token *token)
{
  switch (token != NULL ? fy_token_scalar_style(token) : FYSS_PLAIN) {
  case FYSS_SINGLE_QUOTED:
    return TG_YAML_SINGLE_QUOTED;
  case FYSS_DOUBLE_QUOTED:
    return TG_YAML_DOUBLE_QUOTED;
  case FYSS_LITERAL:
    return TG_YAML_LITERAL;
  case FYSS_FOLDED:
    return TG_YAML_FOLDED;
  default:
    return TG_YAML_PLAIN;
  }
}

// libfyaml 0.7.12 reads two doubled quotes in a row as three quotes where a letter follows; so single-quoted text,
// in which transposes are written, is decoded here. A line break folds to a blank, n > 1 of them to n - 1.
static tg_status decode_single_quoted(reader *r, tg_span span, const char **out, size_t *length)
{
  const char *raw = r->source->text;
  char *text = NULL;
  size_t used = 0;
  TG_TRY(tg_arena_alloc(r->arena, span.end - span.begin + 1, 1, (void **)&text));
  for (size_t at = span.begin; at < span.end; at++) {
    if (raw[at] == '\n') {
      while (used > 0 && strchr(" \t\r", text[used - 1]) != NULL) used--;
      size_t breaks = 1;
      for (; at + 1 < span.end && strchr(" \t\r\n", raw[at + 1]) != NULL; at++) breaks += raw[at + 1] == '\n';
      if (breaks == 1) text[used++] = ' ';
      for (; breaks > 1; breaks--) text[used++] = '\n';
      continue;
    }
    text[used++] = raw[at];
    if (raw[at] == '\'') at++; // the second of two
  }
  *out = text;
  *length = used;
  return TG_OK;
}

static tg_status read_scalar(reader *r, struct fy_event *event)
{
  tg_span span = event_span(r, event);
  // An empty value has no token of its own: it stands behind its key.
  if (fy_event_start_mark(event) == NULL && r->depth > 0) {
    const level *top = &r->levels[r->depth - 1];
    span = top->key != NULL ? top->key->mark.span : top->node->mark.span;
  }
  tg_yaml_node *node = NULL;
  TG_TRY(new_node(r, TG_YAML_SCALAR, span, &node));
  node->style = style_of(event->scalar.value);
  if (node->style == TG_YAML_SINGLE_QUOTED)
    TG_TRY(decode_single_quoted(r, span, &node->text, &node->length));
  else
    TG_TRY(copy_token(r, event->scalar.value, &node->text, &node->length));
  if (is_null_text(node)) node->kind = TG_YAML_NULL;
  if (strlen(node->text) != node->length) TG_FAIL_AT(TG_SYNTAX, span, "this text contains a zero byte");
  TG_TRY(remember_anchor(r, event->scalar.anchor, node));
  return place_node(r, node);
}

static tg_status open_collection(reader *r, struct fy_event *event, tg_yaml_kind kind, struct fy_token *anchor_token)
{
  tg_yaml_node *node = NULL;
  TG_TRY(new_node(r, kind, event_span(r, event), &node));
  TG_TRY(remember_anchor(r, anchor_token, node));
  TG_TRY(place_node(r, node));
  if (r->depth == YAML_MAX_DEPTH) TG_FAIL_AT(TG_LIMIT, node->mark.span, "nested deeper than %d levels", YAML_MAX_DEPTH);
  r->levels[r->depth++] = (level){.node = node};
  return TG_OK;
}

static tg_status close_collection(reader *r, struct fy_event *event)
{
  TG_ASSERT(r->depth > 0);
  tg_yaml_node *node = r->levels[--r->depth].node;
  const tg_span end = event_span(r, event);
  if (end.end > node->mark.span.end) node->mark.span.end = end.end;
  return node->kind == TG_YAML_MAPPING ? refuse_twice(node, r->source) : TG_OK;
}

static tg_status read_event(reader *r, struct fy_event *event)
{
  tg_yaml_node *node = NULL;
  switch (event->type) {
  case FYET_DOCUMENT_START:
    if (++r->n_documents > 1)
      TG_FAIL_AT(TG_JOB, event_span(r, event), "a second YAML document begins here; one job per file");
    return TG_OK;
  case FYET_SCALAR:
    return read_scalar(r, event);
  case FYET_MAPPING_START:
    return open_collection(r, event, TG_YAML_MAPPING, event->mapping_start.anchor);
  case FYET_SEQUENCE_START:
    return open_collection(r, event, TG_YAML_SEQUENCE, event->sequence_start.anchor);
  case FYET_MAPPING_END:
  case FYET_SEQUENCE_END:
    return close_collection(r, event);
  case FYET_ALIAS:
    TG_TRY(resolve_alias(r, event, &node));
    return place_node(r, node);
  default:
    return TG_OK;
  }
}

// ---- the library's own errors ----

// Byte offset of a 1-based line and column as libfyaml counts them.
static size_t offset_of(const reader *r, int line, int column)
{
  size_t at = r->begin;
  for (int l = 1; l < line && at < r->source->length; at++)
    if (r->source->text[at] == '\n') l++;
  for (int c = 1; c < column && at < r->source->length && r->source->text[at] != '\n'; at++)
    if (((unsigned char)r->source->text[at] & 0xC0u) != 0x80u) c++;
  return at;
}

// What to do about it, where the library's words do not say.
static const char *remedy_for(const reader *r, const char *message, size_t at)
{
  const char byte = at < r->source->length ? r->source->text[at] : '\0';
  if (byte == '@' || byte == '`' || byte == '%') return " (put the text in quotes)";
  if (strstr(message, "quoted") != NULL) return " (is the closing quote missing?)";
  if (strstr(message, "nested block mapping") != NULL) return " (put a text that contains ': ' in quotes)";
  return "";
}

// A tab that indents the line of the error or one beside it: the usual cause, and the library blames other things.
static bool find_tab(const reader *r, int line, size_t *at)
{
  for (int l = line > 1 ? line - 1 : 1; l <= line + 1; l++) {
    size_t i = offset_of(r, l, 1);
    while (i < r->source->length && r->source->text[i] == ' ') i++;
    *at = i;
    if (i < r->source->length && r->source->text[i] == '\t') return true;
  }
  return false;
}

static tg_status library_error(reader *r, struct fy_diag *diag)
{
  void *previous = NULL;
  const struct fy_diag_error *error = fy_diag_errors_iterate(diag, &previous);
  if (error == NULL || error->msg == NULL) TG_FAIL_AT(TG_SYNTAX, ((tg_span){r->begin, r->begin}), "this is not YAML");
  size_t at = 0;
  if (find_tab(r, error->line, &at))
    TG_FAIL_AT(TG_SYNTAX, ((tg_span){at, at + 1}), "YAML: a tab indents this line; use spaces");
  at = offset_of(r, error->line, error->column);
  // An error at the very end is shown on the last line that has text.
  while (at > r->begin && at == r->source->length && r->source->text[at - 1] == '\n') at--;
  TG_FAIL_AT(TG_SYNTAX, ((tg_span){at, at + 1}), "YAML: %s%s", error->msg, remedy_for(r, error->msg, at));
}

static tg_status run_parser(reader *r, struct fy_parser *parser, struct fy_diag *diag)
{
  for (;;) {
    struct fy_event *event = fy_parser_parse(parser);
    if (event == NULL) break;
    const tg_status status = read_event(r, event);
    fy_parser_event_free(parser, event);
    TG_TRY(status);
  }
  if (fy_parser_get_stream_error(parser) || r->depth > 0) TG_TRY(library_error(r, diag));
  return TG_OK;
}

static tg_status parse_with(reader *r, struct fy_diag *diag)
{
  const struct fy_parse_cfg config = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG, .diag = diag};
  struct fy_parser *parser = fy_parser_create(&config);
  if (parser == NULL) TG_FAIL(TG_MEMORY, "cannot create the YAML parser");
  tg_status status = TG_OK;
  if (fy_parser_set_string(parser, r->source->text + r->begin, r->source->length - r->begin) != 0)
    status = tg_error_set(TG_MEMORY, TG_HERE, "cannot hand the text to the YAML parser");
  if (status == TG_OK) status = run_parser(r, parser, diag);
  fy_parser_destroy(parser);
  return status;
}

static tg_status parse(tg_arena *arena, const tg_source *source, size_t begin, tg_yaml_node **out)
{
  if (source->length > YAML_MAX_BYTES)
    TG_FAIL(TG_LIMIT, "%zu bytes are too many for a job file (at most %d)", source->length, YAML_MAX_BYTES);
  TG_TRY(check_characters(source, begin));
  reader *r = NULL;
  TG_TRY(TG_ARENA_NEW(arena, 1, &r));
  *r = (reader){.arena = arena, .source = source, .begin = begin};

  struct fy_diag_cfg config;
  fy_diag_cfg_default(&config);
  config.fp = NULL;
  struct fy_diag *diag = fy_diag_create(&config);
  if (diag == NULL) TG_FAIL(TG_MEMORY, "cannot create the YAML parser");
  fy_diag_set_collect_errors(diag, true);
  const tg_status status = parse_with(r, diag);
  fy_diag_destroy(diag);
  TG_TRY(status);
  if (r->root == NULL) TG_TRY(tg_yaml_new(arena, TG_YAML_NULL, (tg_mark){source->id, {begin, begin}}, &r->root));
  *out = r->root;
  return TG_OK;
}

tg_status tg_yaml_parse(tg_arena *arena, const tg_source *source, size_t begin, tg_yaml_node **out)
{
  *out = NULL;
  return tg_error_within(source->id, parse(arena, source, begin, out));
}

// ---- decoded byte to file byte ----

static bool is_blank(char byte)
{
  return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

// Bytes of the escape sequence at text[0 .. left) of a double-quoted scalar.
static size_t escape_length(const char *text, size_t left)
{
  size_t length = 2;
  if (left > 1 && text[1] == 'x') length = 4;
  if (left > 1 && text[1] == 'u') length = 6;
  if (left > 1 && text[1] == 'U') length = 10;
  return length < left ? length : left;
}

// Visible characters of the decoded text stand in the raw text in the same order; only blanks are folded,
// added or dropped, and only quotes and backslashes are written differently. So the two texts are walked together.
typedef struct walk {
  const tg_source *source;
  tg_yaml_style style;
  size_t at; // raw
  size_t end;
} walk;

static void skip_blanks(walk *w)
{
  for (;;) {
    while (w->at < w->end && is_blank(w->source->text[w->at])) w->at++;
    const bool folded_line = w->style == TG_YAML_DOUBLE_QUOTED && w->at + 1 < w->end &&
                             w->source->text[w->at] == '\\' && is_blank(w->source->text[w->at + 1]);
    if (!folded_line) return;
    w->at += 2;
  }
}

// Raw bytes that stand for the decoded character at w->at.
static size_t raw_length(const walk *w)
{
  const char *text = w->source->text + w->at;
  const size_t left = w->end - w->at;
  if (w->style == TG_YAML_DOUBLE_QUOTED && text[0] == '\\') return escape_length(text, left);
  if (w->style == TG_YAML_SINGLE_QUOTED && left > 1 && text[0] == '\'' && text[1] == '\'') return 2;
  const size_t length = utf8_length((const unsigned char *)text, left);
  return length > 0 ? length : 1;
}

tg_status tg_yaml_offsets(tg_arena *arena, const tg_source *source, const tg_yaml_node *scalar, size_t **out)
{
  TG_TRY(TG_ARENA_NEW(arena, scalar->length + 1, out));
  walk w = {.source = source, .style = scalar->style, .at = scalar->mark.span.begin, .end = scalar->mark.span.end};
  if (w.end > source->length) w.end = source->length;
  size_t last = w.at; // behind the last visible character: where a missing one is reported
  for (size_t i = 0; i < scalar->length;) {
    const char byte = scalar->text[i];
    const bool escaped = scalar->style == TG_YAML_DOUBLE_QUOTED && w.at < w.end && source->text[w.at] == '\\';
    if (is_blank(byte) && !escaped) {
      (*out)[i++] = w.at < w.end ? w.at : last;
      if (w.at < w.end && is_blank(source->text[w.at])) w.at++;
      continue;
    }
    if (!is_blank(byte)) skip_blanks(&w);
    size_t decoded = utf8_length((const unsigned char *)scalar->text + i, scalar->length - i);
    if (decoded == 0) decoded = 1;
    for (size_t k = 0; k < decoded; k++) (*out)[i++] = w.at < w.end ? w.at : last;
    if (w.at < w.end) w.at += raw_length(&w);
    last = w.at;
  }
  (*out)[scalar->length] = last;
  return TG_OK;
}

const char *tg_yaml_version(void)
{
  return fy_library_version();
}
