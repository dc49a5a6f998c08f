// The parser: recursive descent, the grammar above each function, stated limits, no recursion on long sums.
#include <string.h>

#include "base/memory.h"
#include "grad/text/ast.h"
#include "grad/text/lex.h"

typedef struct parser {
  tg_arena *arena;
  const char *text;
  size_t length;
  size_t position;
  tg_token token; // the one being looked at
  int nesting;
  int operands;
} parser;

// Operands of a sum or a term, growing in place.
typedef struct operands {
  tg_ast **items;
  char *ops;
  int32_t count;
  int32_t capacity;
} operands;

static tg_status parse_expression(parser *p, tg_ast **out);

static tg_status advance(parser *p)
{
  return tg_lex(p->text, p->length, &p->position, &p->token);
}

static bool looking_at(const parser *p, char symbol)
{
  return p->token.kind == TG_TOKEN_SYMBOL && p->token.symbol == symbol;
}

// "found ..." for messages: the token as the user wrote it.
static tg_status fail_expected(const parser *p, const char *expected)
{
  const tg_span span = p->token.span;
  if (p->token.kind == TG_TOKEN_END)
    TG_FAIL_AT(TG_SYNTAX, span, "expected %s, found the end of the expression", expected);
  TG_FAIL_AT(TG_SYNTAX, span, "expected %s, found '%.*s'", expected, (int)(span.end - span.begin),
             p->text + span.begin);
}

static tg_status new_node(parser *p, tg_ast_kind kind, tg_span span, int32_t n_args, tg_ast **out)
{
  TG_TRY(TG_ARENA_NEW(p->arena, 1, out));
  **out = (tg_ast){.kind = kind, .span = span, .n_args = n_args};
  if (n_args == 0) return TG_OK;
  TG_TRY(TG_ARENA_NEW(p->arena, (size_t)n_args, &(*out)->args));
  return TG_ARENA_NEW(p->arena, (size_t)n_args, &(*out)->ops);
}

static tg_status push_operand(parser *p, operands *list, char op, tg_ast *item)
{
  if (++p->operands > TG_OPERANDS_MAX)
    TG_FAIL_AT(TG_LIMIT, item->span, "the expression has more than %d operands", TG_OPERANDS_MAX);
  if (list->count == list->capacity) {
    const int32_t capacity = list->capacity > 0 ? 2 * list->capacity : 8;
    TG_TRY(tg_grow(capacity, sizeof(tg_ast *), (void **)&list->items));
    TG_TRY(tg_grow(capacity, 1, (void **)&list->ops));
    list->capacity = capacity;
  }
  list->items[list->count] = item;
  list->ops[list->count++] = op;
  return TG_OK;
}

// A node over the list's operands; a single one with no sign of its own is itself.
static tg_status close_operands(parser *p, const operands *list, tg_ast_kind kind, tg_ast **out)
{
  if (list->count == 1) {
    *out = list->items[0];
    return TG_OK;
  }
  const tg_span span = {list->items[0]->span.begin, list->items[list->count - 1]->span.end};
  TG_TRY(new_node(p, kind, span, list->count, out));
  memcpy((*out)->args, list->items, sizeof(tg_ast *) * (size_t)list->count);
  memcpy((*out)->ops, list->ops, (size_t)list->count);
  return TG_OK;
}

static void free_operands(operands *list)
{
  tg_free(list->items);
  tg_free(list->ops);
}

static tg_status enter(parser *p)
{
  if (++p->nesting > TG_NESTING_MAX)
    TG_FAIL_AT(TG_LIMIT, p->token.span, "the expression is nested deeper than %d levels", TG_NESTING_MAX);
  return TG_OK;
}

static tg_status parse_parentheses(parser *p, tg_ast **out)
{
  const size_t begin = p->token.span.begin;
  TG_TRY(enter(p));
  TG_TRY(advance(p));
  TG_TRY(parse_expression(p, out));
  if (!looking_at(p, ')')) return fail_expected(p, "')'");
  (*out)->span = (tg_span){begin, p->token.span.end};
  p->nesting--;
  return advance(p);
}

// "(" [ expression { "," expression } ] ")"
static tg_status parse_arguments(parser *p, const char *name, size_t begin, tg_ast **out)
{
  tg_status status = TG_OK;
  operands list = {0};
  TG_TRY_GOTO(enter(p));
  TG_TRY_GOTO(advance(p));
  while (!looking_at(p, ')')) {
    tg_ast *argument = NULL;
    TG_TRY_GOTO(parse_expression(p, &argument));
    TG_TRY_GOTO(push_operand(p, &list, ',', argument));
    if (looking_at(p, ',')) {
      TG_TRY_GOTO(advance(p));
      if (looking_at(p, ')')) TG_TRY_GOTO(fail_expected(p, "an argument after ','"));
    } else if (!looking_at(p, ')')) {
      TG_TRY_GOTO(fail_expected(p, "',' or ')'"));
    }
  }
  TG_TRY_GOTO(new_node(p, TG_AST_CALL, (tg_span){begin, p->token.span.end}, list.count, out));
  (*out)->name = name;
  if (list.count > 0) memcpy((*out)->args, list.items, sizeof(tg_ast *) * (size_t)list.count);
  p->nesting--;
  TG_TRY_GOTO(advance(p));
done:
  free_operands(&list);
  return status;
}

// primary = number | name | name "(" arguments ")" | "(" expression ")"
static tg_status parse_primary(parser *p, tg_ast **out)
{
  const tg_token token = p->token;
  if (looking_at(p, '(')) return parse_parentheses(p, out);
  if (token.kind == TG_TOKEN_NUMBER) {
    TG_TRY(new_node(p, TG_AST_NUMBER, token.span, 0, out));
    (*out)->number = token.number;
    return advance(p);
  }
  if (token.kind != TG_TOKEN_NAME) return fail_expected(p, "a number, a name or '('");
  const char *name = NULL;
  TG_TRY(tg_arena_string(p->arena, p->text + token.span.begin, token.span.end - token.span.begin, &name));
  TG_TRY(advance(p));
  if (looking_at(p, '(')) return parse_arguments(p, name, token.span.begin, out);
  TG_TRY(new_node(p, TG_AST_NAME, token.span, 0, out));
  (*out)->name = name;
  return TG_OK;
}

// { "-" | "+" }: any number of signs is one sign.
static tg_status parse_signs(parser *p, bool *negative)
{
  *negative = false;
  while (looking_at(p, '-') || looking_at(p, '+')) {
    *negative = *negative != looking_at(p, '-');
    TG_TRY(advance(p));
  }
  return TG_OK;
}

static tg_status negate(parser *p, size_t begin, tg_ast *inner, tg_ast **out)
{
  TG_TRY(new_node(p, TG_AST_NEGATIVE, (tg_span){begin, inner->span.end}, 1, out));
  (*out)->args[0] = inner;
  return TG_OK;
}

// power = primary { "'" | ("^" | ".^") { "-" | "+" } primary }, left to right
static tg_status parse_power(parser *p, tg_ast **out)
{
  TG_TRY(parse_primary(p, out));
  for (int depth = 0; looking_at(p, '\'') || looking_at(p, '^') || looking_at(p, 'e'); depth++) {
    tg_ast *node = NULL;
    const char op = p->token.symbol;
    const tg_span span = {(*out)->span.begin, p->token.span.end};
    if (depth >= TG_NESTING_MAX)
      TG_FAIL_AT(TG_LIMIT, p->token.span, "more than %d transposes and powers in a row", TG_NESTING_MAX);
    TG_TRY(advance(p));
    TG_TRY(new_node(p, op == '\'' ? TG_AST_TRANSPOSE : TG_AST_POWER, span, op == '\'' ? 1 : 2, &node));
    node->args[0] = *out;
    *out = node;
    if (op == '\'') continue;
    bool negative = false;
    const size_t begin = p->token.span.begin;
    TG_TRY(parse_signs(p, &negative));
    TG_TRY(parse_primary(p, &node->args[1]));
    if (negative) TG_TRY(negate(p, begin, node->args[1], &node->args[1]));
    node->ops[0] = op;
    node->span.end = node->args[1]->span.end;
  }
  return TG_OK;
}

// factor = { "-" | "+" } power
static tg_status parse_factor(parser *p, tg_ast **out)
{
  bool negative = false;
  const size_t begin = p->token.span.begin;
  TG_TRY(parse_signs(p, &negative));
  TG_TRY(parse_power(p, out));
  return negative ? negate(p, begin, *out, out) : TG_OK;
}

// term = factor { ("*" | "/" | ".*" | "./") factor }
static tg_status parse_term(parser *p, tg_ast **out)
{
  tg_status status = TG_OK;
  operands list = {0};
  tg_ast *factor = NULL;
  TG_TRY_GOTO(parse_factor(p, &factor));
  TG_TRY_GOTO(push_operand(p, &list, '*', factor));
  while (looking_at(p, '*') || looking_at(p, '/') || looking_at(p, 'x') || looking_at(p, 'd')) {
    const char op = p->token.symbol;
    TG_TRY_GOTO(advance(p));
    TG_TRY_GOTO(parse_factor(p, &factor));
    TG_TRY_GOTO(push_operand(p, &list, op, factor));
  }
  TG_TRY_GOTO(close_operands(p, &list, TG_AST_TERM, out));
done:
  free_operands(&list);
  return status;
}

// expression = term { ("+" | "-") term }
static tg_status parse_expression(parser *p, tg_ast **out)
{
  tg_status status = TG_OK;
  operands list = {0};
  tg_ast *term = NULL;
  TG_TRY_GOTO(parse_term(p, &term));
  TG_TRY_GOTO(push_operand(p, &list, '+', term));
  while (looking_at(p, '+') || looking_at(p, '-')) {
    const char op = p->token.symbol;
    TG_TRY_GOTO(advance(p));
    TG_TRY_GOTO(parse_term(p, &term));
    TG_TRY_GOTO(push_operand(p, &list, op, term));
  }
  TG_TRY_GOTO(close_operands(p, &list, TG_AST_SUM, out));
done:
  free_operands(&list);
  return status;
}

tg_status tg_parse(tg_arena *arena, const char *text, size_t length, tg_ast **out)
{
  parser p = {.arena = arena, .text = text, .length = length};
  *out = NULL;
  if (length > TG_TEXT_BYTES_MAX)
    TG_FAIL(TG_LIMIT, "the expression has %zu bytes; at most %d are read", length, TG_TEXT_BYTES_MAX);
  TG_TRY(advance(&p));
  if (p.token.kind == TG_TOKEN_END) TG_FAIL_AT(TG_SYNTAX, p.token.span, "the expression is empty");
  TG_TRY(parse_expression(&p, out));
  if (p.token.kind == TG_TOKEN_END) return TG_OK;
  if (looking_at(&p, ')')) TG_FAIL_AT(TG_SYNTAX, p.token.span, "')' without a '(' before it");
  return fail_expected(&p, "an operator or the end");
}
