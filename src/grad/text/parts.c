// Named parts: the text is cut into pieces, each is parsed by itself, and names of parts become what they stand for.
//
//   program    = { name "=" expression ( ";" | line end ) } expression [ "where" definition { ( "," | ";" ) definition
//   } ] definition = name "=" expression
//
// A part is one tree, whatever the number of its uses; the passes over the tree meet it once, before its uses.
#include "grad/text/parts.h"

#include <string.h>

#include "base/memory.h"
#include "grad/text/dialect.h"
#include "grad/text/names.h"
#include "grad/text/parser.h"
#include "grad/text/places.h"

// Nesting of an expression with its parts put in.
enum { DEPTH_MAX = 1000 };

typedef struct part {
  const char *name;
  tg_span name_span; // empty of one that is given
  tg_span text;
  bool is_open; // its definition is being looked at
  bool is_used;
  int height;
  int32_t position; // among the arguments of WHERE
  tg_ast *ast;      // NULL: not parsed yet
} part;

typedef struct program {
  const tg_parse_request *request;
  part *parts;
  int32_t n;
  int32_t capacity;
  tg_name_index names;    // numbers the parts
  tg_name_index declared; // with their names
  tg_span value;
  tg_parse_style style; // of the expression and what it defines
  tg_operands order;    // definitions in use, each behind those that it uses
} program;

// ---- cutting ----

typedef struct cutter {
  const char *text;
  size_t length;
  size_t position;
  size_t end; // of the token before
  int depth;  // of brackets
  tg_token at;
  tg_token ahead;
} cutter;

// The token behind the one at hand. One that cannot be read ends the text here; the parser says why.
static void read_ahead(cutter *c)
{
  if (tg_lex(c->text, c->length, &c->position, &c->ahead) == TG_OK) return;
  tg_error_clear();
  c->ahead = (tg_token){.kind = TG_TOKEN_END, .span = {c->length, c->length}};
  c->position = c->length;
}

// The index behind bars is no token: it belongs to them.
static void take_index(cutter *c)
{
  tg_token index;
  const bool is_bar = c->at.kind == TG_TOKEN_SYMBOL && (c->at.symbol == TG_SYMBOL_NORM || c->at.symbol == '>');
  if (!is_bar) return;
  if (tg_lex_subscript(c->text, c->length, &c->position, &index) != TG_OK) tg_error_clear();
  c->at.span.end = c->position;
}

static void advance(cutter *c)
{
  c->end = c->at.span.end;
  if (c->at.kind == TG_TOKEN_SYMBOL) {
    const char symbol = c->at.symbol;
    c->depth += symbol == TG_SYMBOL_MATRIX || strchr("([{<", symbol) != NULL;
    c->depth -= strchr(")]}>", symbol) != NULL;
  }
  c->at = c->ahead;
  take_index(c);
  read_ahead(c);
}

static bool at_symbol(const cutter *c, char symbol)
{
  return c->depth <= 0 && c->at.kind == TG_TOKEN_SYMBOL && c->at.symbol == symbol;
}

static bool at_definition(const cutter *c)
{
  return c->depth <= 0 && c->at.kind == TG_TOKEN_NAME && !c->at.is_module && c->ahead.kind == TG_TOKEN_SYMBOL &&
         c->ahead.symbol == '=';
}

static bool at_line(const cutter *c)
{
  return c->depth <= 0 && c->at.span.begin > c->end &&
         memchr(c->text + c->end, '\n', c->at.span.begin - c->end) != NULL;
}

static bool at_where(const program *p, const cutter *c)
{
  const tg_name_index *declared = p->request->declared;
  return c->depth <= 0 && c->at.kind == TG_TOKEN_NAME && !c->at.is_module && strcmp(c->at.name, "where") == 0 &&
         (declared == NULL || tg_name_index_find(declared, "where") < 0);
}

static tg_status add_part(program *p, const char *name, tg_span name_span, tg_span text)
{
  const tg_name_index *declared = p->request->declared;
  const tg_span span = name_span.end > 0 ? name_span : text;
  int32_t index = 0;
  const char *kept = NULL;
  if (!tg_name_is_valid(name))
    TG_FAIL_AT(TG_NAME, span, "'%s' cannot name a part; a name is letters, digits and '_'", name);
  if (tg_name_is_reserved(name)) TG_FAIL_AT(TG_NAME, span, "'%s' is a function and cannot name a part", name);
  if (declared != NULL && tg_name_index_find(declared, name) >= 0)
    TG_FAIL_AT(TG_NAME, span, "'%s' is declared with a shape of its own; a part needs another name", name);
  if (tg_name_index_find(&p->names, name) >= 0) TG_FAIL_AT(TG_NAME, span, "the part '%s' is defined twice", name);
  TG_TRY(tg_arena_string(p->request->arena, name, strlen(name), &kept));
  if (p->n == p->capacity) {
    const int32_t capacity = p->capacity > 0 ? 2 * p->capacity : 16;
    TG_TRY(tg_grow(capacity, sizeof *p->parts, (void **)&p->parts));
    p->capacity = capacity;
  }
  p->parts[p->n++] = (part){.name = kept, .name_span = name_span, .text = text};
  TG_TRY(tg_name_index_add(&p->names, kept, &index));
  return tg_name_index_add(&p->declared, kept, &index);
}

typedef struct definition {
  char name[TG_NAME_BYTES_MAX + 1];
  tg_span name_span;
  tg_span text;
} definition;

// name "=" and what follows, up to a separator, which is passed; of definitions behind "where" a comma is one too.
static definition take_definition(cutter *c, bool behind_where)
{
  definition out = {.name_span = c->at.span};
  memcpy(out.name, c->at.name, sizeof out.name);
  advance(c);
  advance(c);
  out.text.begin = c->end;
  bool done = c->at.kind == TG_TOKEN_END;
  while (!done) {
    advance(c);
    done = c->at.kind == TG_TOKEN_END || at_symbol(c, ';') || (behind_where && at_symbol(c, ',')) ||
           (at_line(c) && (!behind_where || at_definition(c)));
  }
  out.text.end = c->at.kind == TG_TOKEN_END ? c->at.span.begin : c->end;
  if (at_symbol(c, ';') || at_symbol(c, ',')) advance(c);
  return out;
}

static tg_status add_definition(program *p, const definition *one)
{
  return add_part(p, one->name, one->name_span, one->text);
}

static tg_status cut_where(program *p, cutter *c)
{
  const tg_span where = c->at.span;
  advance(c);
  if (!at_definition(c))
    TG_FAIL_AT(TG_SYNTAX, where, "behind 'where' stand the parts of the expression: where R = Y - X*W, s = tr(R)");
  while (at_definition(c)) {
    const definition one = take_definition(c, true);
    TG_TRY(add_definition(p, &one));
  }
  if (c->at.kind == TG_TOKEN_END) return TG_OK;
  TG_FAIL_AT(TG_SYNTAX, c->at.span, "expected the definition of a part, as R = Y - X*W, found '%.*s'",
             (int)(c->at.span.end - c->at.span.begin), c->text + c->at.span.begin);
}

// The lines before the value, at which the cutter stands then.
static tg_status cut_lines(program *p, cutter *c)
{
  definition last = {.name_span = {0, 0}};
  while (at_definition(c)) {
    last = take_definition(c, false);
    TG_TRY(add_definition(p, &last));
  }
  if (c->at.kind != TG_TOKEN_END) return TG_OK;
  TG_FAIL_AT(TG_SYNTAX, last.name_span,
             "the value is missing: the last line is an expression without a name before it");
}

// The value, up to "where" or, behind lines, to the end of its own.
static tg_status cut_value(program *p, cutter *c, bool has_lines)
{
  p->value.begin = has_lines ? c->at.span.begin : p->request->expression.begin;
  while (c->at.kind != TG_TOKEN_END && !at_where(p, c)) {
    advance(c);
    p->value.end = c->end;
    const bool is_over = has_lines && (at_symbol(c, ';') || (at_line(c) && !at_where(p, c)));
    if (is_over && at_symbol(c, ';')) advance(c);
    if (is_over && c->at.kind != TG_TOKEN_END && !at_where(p, c))
      TG_FAIL_AT(TG_SYNTAX, p->value, "only the last line stands without a name before it");
  }
  if (c->at.kind == TG_TOKEN_END && !has_lines) p->value.end = p->request->expression.end;
  return at_where(p, c) ? cut_where(p, c) : TG_OK;
}

// The text into parts and the value. A text that defines nothing is its value.
static tg_status cut(program *p)
{
  const tg_span whole = p->request->expression;
  cutter c = {.text = p->request->text, .length = whole.end, .position = whole.begin, .end = whole.begin};
  p->value = whole;
  read_ahead(&c);
  advance(&c);
  if (!at_definition(&c)) return cut_value(p, &c, false);
  cutter ahead = c;
  take_definition(&ahead, false);
  if (ahead.at.kind == TG_TOKEN_END) return TG_OK; // f = sumsq(X): the parser says what '=' is
  TG_TRY(cut_lines(p, &c));
  return cut_value(p, &c, true);
}

// ---- joining ----

static tg_status parse_piece(const program *p, tg_span span, tg_parse_style style, tg_ast **out)
{
  const tg_parse_request *r = p->request;
  tg_parser parser = {.arena = r->arena, .text = r->text, .declared = &p->declared, .notices = r->notices};
  return tg_parse_range(&parser, span, style, out);
}

static tg_status join(program *p, tg_ast *ast, int depth, int *height);

// The definition, parsed and joined once.
static tg_status define(program *p, part *one, int depth)
{
  const bool is_given = one->name_span.end == 0;
  tg_parser owner = {.arena = p->request->arena};
  one->is_used = true;
  if (one->ast != NULL) return TG_OK;
  one->is_open = true;
  tg_ast *ast = NULL;
  TG_TRY(parse_piece(p, one->text, is_given ? tg_parse_style_of(p->request->text, one->text, &p->declared) : p->style,
                     &ast));
  TG_TRY(join(p, ast, depth, &one->height));
  one->ast = ast;
  one->is_open = false;
  one->position = p->order.count;
  return tg_parse_push(&owner, &p->order, ',', ast);
}

// The name of a part becomes the part.
static tg_status join_name(program *p, tg_ast *ast, int depth, int *height)
{
  const int32_t index = tg_name_index_find(&p->names, ast->name);
  if (index < 0) return TG_OK;
  if (p->parts[index].is_open) TG_FAIL_AT(TG_NAME, ast->span, "the part '%s' is defined in terms of itself", ast->name);
  TG_TRY(define(p, &p->parts[index], depth));
  const part *one = &p->parts[index];
  ast->kind = TG_AST_PART;
  ast->definition = one->ast;
  ast->part = one->position;
  ast->form = tg_ast_is_scalar_form(one->ast) ? 's' : tg_ast_is_matrix_form(one->ast) ? 'm' : 0;
  *height = one->height;
  return TG_OK;
}

static tg_status refuse_size(const program *p, const tg_ast *ast)
{
  for (int32_t i = 0; i < ast->n_args; i++) TG_TRY(refuse_size(p, ast->args[i]));
  if (ast->kind != TG_AST_NAME || tg_name_index_find(&p->names, ast->name) < 0) return TG_OK;
  TG_FAIL_AT(TG_NAME, ast->span, "the part '%s' cannot be a size; write a whole number, or the name of a size",
             ast->name);
}

// depth: of the place; *height: of what hangs from it, with the parts put in.
static tg_status join(program *p, tg_ast *ast, int depth, int *height)
{
  int highest = 0;
  if (depth > DEPTH_MAX)
    TG_FAIL_AT(TG_LIMIT, ast->span, "with its parts put in the expression is nested deeper than %d levels", DEPTH_MAX);
  if (ast->kind == TG_AST_NAME) TG_TRY(join_name(p, ast, depth + 1, &highest));
  for (int32_t i = 0; i < ast->n_args; i++) {
    int one = 0;
    if (i >= tg_ast_expressions(ast))
      TG_TRY(refuse_size(p, ast->args[i]));
    else
      TG_TRY(join(p, ast->args[i], depth + 1, &one));
    highest = one > highest ? one : highest;
  }
  *height = highest + 1;
  if (depth + *height > DEPTH_MAX)
    TG_FAIL_AT(TG_LIMIT, ast->span, "with its parts put in the expression is nested deeper than %d levels", DEPTH_MAX);
  return TG_OK;
}

static tg_status refuse_unused(const program *p)
{
  for (int32_t i = 0; i < p->n; i++) {
    if (i < p->request->n_given && p->request->is_used != NULL && p->parts[i].is_used) p->request->is_used[i] = true;
    if (i >= p->request->n_given && !p->parts[i].is_used)
      TG_FAIL_AT(TG_NAME, p->parts[i].name_span, "the part '%s' is not used", p->parts[i].name);
  }
  return TG_OK;
}

static tg_status join_all(program *p, tg_ast **out)
{
  int height = 0;
  tg_ast *value = NULL;
  p->style = tg_parse_style_of(p->request->text, p->request->expression, &p->declared);
  TG_TRY(parse_piece(p, p->value, p->style, &value));
  TG_TRY(join(p, value, 0, &height));
  TG_TRY(refuse_unused(p));
  *out = value;
  if (p->order.count == 0) return TG_OK;
  tg_parser owner = {.arena = p->request->arena};
  TG_TRY(tg_parse_push(&owner, &p->order, ',', value));
  TG_TRY(tg_parse_node(&owner, TG_AST_WHERE, value->span, p->order.count, out));
  memcpy((*out)->args, p->order.items, sizeof(tg_ast *) * (size_t)p->order.count);
  return TG_OK;
}

static tg_status collect_names(program *p)
{
  const tg_parse_request *r = p->request;
  int32_t index = 0;
  for (int32_t i = 0; r->declared != NULL && i < r->declared->n; i++)
    TG_TRY(tg_name_index_add(&p->declared, r->declared->names[i], &index));
  for (int32_t i = 0; i < r->n_given; i++) TG_TRY(add_part(p, r->given[i].name, (tg_span){0, 0}, r->given[i].text));
  return TG_OK;
}

tg_status tg_parse_with_parts(const tg_parse_request *request, tg_ast **out)
{
  program p = {.request = request};
  *out = NULL;
  tg_status status = collect_names(&p);
  if (status == TG_OK) status = cut(&p);
  if (status == TG_OK) status = join_all(&p, out);
  tg_free(p.parts);
  tg_name_index_fini(&p.names);
  tg_name_index_fini(&p.declared);
  tg_parse_free(&p.order);
  return status;
}

const tg_ast *tg_ast_value(const tg_ast *ast)
{
  return ast->kind == TG_AST_WHERE ? ast->args[ast->n_args - 1] : ast;
}
