// The parser: recursive descent, the grammar above each function, stated limits, no recursion on long sums.
#include "base/memory.h"
#include "grad/text/dialect.h"
#include "grad/text/parser.h"
#include "grad/text/parts.h"
#include "grad/text/places.h"

tg_status tg_parse_advance(tg_parser *p)
{
  if (p->passed.end > p->passed.begin && p->position == p->passed.begin) p->position = p->passed.end;
  return tg_lex(p->text, p->length, &p->position, &p->token);
}

bool tg_parse_at(const tg_parser *p, char symbol)
{
  return p->token.kind == TG_TOKEN_SYMBOL && p->token.symbol == symbol;
}

bool tg_parse_at_word(const tg_parser *p, tg_token_kind kind, const char *word)
{
  return p->token.kind == kind && strcmp(p->token.name, word) == 0;
}

// "found ..." for messages: the token as the user wrote it.
tg_status tg_parse_fail_expected(const tg_parser *p, const char *expected)
{
  const tg_span span = p->token.span;
  if (p->token.kind == TG_TOKEN_END)
    TG_FAIL_AT(TG_SYNTAX, span, "expected %s, found the end of the expression", expected);
  if (tg_parse_at(p, '='))
    TG_FAIL_AT(TG_SYNTAX, span, "unexpected '='; an expression has no equation; write only its value");
  if (tg_parse_at(p, '"')) TG_FAIL_AT(TG_SYNTAX, span, "unexpected character '\"'; names are not quoted");
  if (tg_parse_at(p, ':'))
    TG_FAIL_AT(TG_SYNTAX, span, "unexpected ':'; the bounds of a submatrix are numbers, as in X(2:5,:)");
  if (tg_parse_at(p, '{') || tg_parse_at(p, '}'))
    TG_FAIL_AT(TG_SYNTAX, span, "unexpected character '%c'", p->token.symbol);
  if (tg_parse_at(p, '['))
    TG_FAIL_AT(TG_SYNTAX, span, "unexpected '['; matrices are declared as data, not written out");
  TG_FAIL_AT(TG_SYNTAX, span, "expected %s, found '%.*s'", expected, (int)(span.end - span.begin),
             p->text + span.begin);
}

tg_status tg_parse_expect(tg_parser *p, char symbol, const char *what)
{
  if (!tg_parse_at(p, symbol)) return tg_parse_fail_expected(p, what);
  return tg_parse_advance(p);
}

bool tg_parse_is_declared(const tg_parser *p, const char *name)
{
  return p->declared != NULL && tg_name_index_find(p->declared, name) >= 0;
}

tg_status tg_parse_enter(tg_parser *p)
{
  if (++p->nesting > TG_NESTING_MAX)
    TG_FAIL_AT(TG_LIMIT, p->token.span, "the expression is nested deeper than %d levels", TG_NESTING_MAX);
  return TG_OK;
}

// ---- nodes ----

tg_status tg_parse_node(tg_parser *p, tg_ast_kind kind, tg_span span, int32_t n_args, tg_ast **out)
{
  TG_TRY(TG_ARENA_NEW(p->arena, 1, out));
  **out = (tg_ast){.kind = kind, .span = span, .n_args = n_args};
  if (n_args == 0) return TG_OK;
  TG_TRY(TG_ARENA_NEW(p->arena, (size_t)n_args, &(*out)->args));
  return TG_ARENA_NEW(p->arena, (size_t)n_args, &(*out)->ops);
}

tg_status tg_parse_number(tg_parser *p, double value, tg_span span, tg_ast **out)
{
  TG_TRY(tg_parse_node(p, TG_AST_NUMBER, span, 0, out));
  (*out)->number = value;
  return TG_OK;
}

tg_status tg_parse_name(tg_parser *p, const char *name, tg_span span, tg_ast **out)
{
  TG_TRY(tg_parse_node(p, TG_AST_NAME, span, 0, out));
  return tg_arena_string(p->arena, name, strlen(name), &(*out)->name);
}

tg_status tg_parse_make_call(tg_parser *p, const char *name, tg_span span, int32_t n, tg_ast *const *args, tg_ast **out)
{
  tg_ast *call = NULL;
  TG_TRY(tg_parse_node(p, TG_AST_CALL, span, n, &call));
  for (int32_t i = 0; i < n; i++) call->args[i] = args[i];
  *out = call;
  return tg_arena_string(p->arena, name, strlen(name), &call->name);
}

tg_status tg_parse_binary(tg_parser *p, char op, tg_span span, tg_ast *a, tg_ast *b, tg_ast **out)
{
  tg_ast *node = NULL;
  const bool is_power = op == '^' || op == TG_SYMBOL_POWER;
  const bool is_sum = op == '+' || op == '-';
  TG_TRY(tg_parse_node(p, is_power ? TG_AST_POWER : is_sum ? TG_AST_SUM : TG_AST_TERM, span, 2, &node));
  node->args[0] = a;
  node->args[1] = b;
  node->ops[0] = is_power ? op : is_sum ? '+' : '*';
  node->ops[1] = op;
  *out = node;
  return TG_OK;
}

tg_status tg_parse_wrap(tg_parser *p, tg_ast_kind kind, tg_span span, tg_ast *inner, tg_ast **out)
{
  tg_ast *node = NULL;
  TG_TRY(tg_parse_node(p, kind, span, 1, &node));
  node->args[0] = inner;
  *out = node;
  return TG_OK;
}

tg_status tg_parse_push(tg_parser *p, tg_operands *list, char op, tg_ast *item)
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
static tg_status close_operands(tg_parser *p, const tg_operands *list, tg_ast_kind kind, tg_ast **out)
{
  if (list->count == 1) {
    *out = list->items[0];
    return TG_OK;
  }
  const tg_span span = {list->items[0]->span.begin, list->items[list->count - 1]->span.end};
  TG_TRY(tg_parse_node(p, kind, span, list->count, out));
  memcpy((*out)->args, list->items, sizeof(tg_ast *) * (size_t)list->count);
  memcpy((*out)->ops, list->ops, (size_t)list->count);
  return TG_OK;
}

void tg_parse_free(tg_operands *list)
{
  tg_free(list->items);
  tg_free(list->ops);
}

// ---- powers ----

// { "-" | "+" }: any number of signs is one sign.
static tg_status parse_signs(tg_parser *p, bool *negative)
{
  *negative = false;
  while (tg_parse_at(p, '-') || tg_parse_at(p, '+')) {
    *negative = *negative != tg_parse_at(p, '-');
    TG_TRY(tg_parse_advance(p));
  }
  return TG_OK;
}

// T or its sign, where nobody declared a T.
static bool at_transpose(const tg_parser *p)
{
  if (tg_parse_at(p, TG_SYMBOL_TOP) || tg_parse_at(p, '\'')) return true;
  return tg_parse_at_word(p, TG_TOKEN_NAME, "T") && !tg_parse_is_declared(p, "T");
}

static tg_status invert(tg_parser *p, tg_span span, tg_ast **out)
{
  return tg_parse_make_call(p, "inv", span, 1, (tg_ast *[]){*out}, out);
}

// The mark of a transpose in the place of an exponent.
static tg_status parse_transpose(tg_parser *p, bool inverse, tg_ast **out)
{
  const tg_span span = {(*out)->span.begin, p->token.span.end};
  if (inverse) TG_TRY(invert(p, span, out));
  TG_TRY(tg_parse_wrap(p, TG_AST_TRANSPOSE, span, *out, out));
  return tg_parse_advance(p);
}

static tg_status fail_conjugate(const tg_parser *p)
{
  if (tg_parse_at(p, '+'))
    TG_FAIL_AT(TG_SYNTAX, p->token.span,
               "pseudo-inverses are not in the language; with full column rank write inv(A'*A)*A'");
  TG_FAIL_AT(TG_SYNTAX, p->token.span, "matrices are real: write \"'\" for the transpose");
}

// "{" exponent "}" of LaTeX: T, -T, \circ exponent, exponent
static tg_status parse_braced_exponent(tg_parser *p, char *op, tg_ast **base, tg_ast **out)
{
  TG_TRY(tg_parse_enter(p));
  TG_TRY(tg_parse_advance(p));
  const char bar = p->bar;
  p->bar = 0;
  if (tg_parse_at(p, TG_SYMBOL_TIMES)) {
    *op = TG_SYMBOL_POWER;
    TG_TRY(tg_parse_advance(p));
  }
  const tg_parser here = *p;
  bool negative = false;
  TG_TRY(parse_signs(p, &negative));
  if (tg_parse_at(p, '*')) return fail_conjugate(p);
  if (at_transpose(p) && *op == '^') {
    tg_ast *transposed = *base;
    TG_TRY(parse_transpose(p, negative, &transposed));
    if (tg_parse_at(p, '}')) *base = transposed;
  }
  if (!tg_parse_at(p, '}')) { // T - 1: a name after all
    *p = here;
    TG_TRY(tg_parse_expression(p, out));
  }
  if (!tg_parse_at(p, '}')) return tg_parse_fail_expected(p, "'}'");
  p->bar = bar;
  p->nesting--;
  return tg_parse_advance(p);
}

// What follows '^': T, -T, { exponent }, or { "-" | "+" } primary. *out is NULL where it was a transpose.
static tg_status parse_exponent(tg_parser *p, char *op, tg_ast **base, tg_ast **out)
{
  *out = NULL;
  const bool is_matrix = *op == '^';
  if (tg_parse_at(p, '{')) return parse_braced_exponent(p, op, base, out);
  if (is_matrix && at_transpose(p) && !tg_parse_at(p, '\'')) return parse_transpose(p, false, base);
  if (is_matrix && tg_parse_at(p, '*')) {
    const tg_parser here = *p;
    TG_TRY(tg_parse_advance(p));
    const bool is_product = p->token.kind == TG_TOKEN_NUMBER;
    *p = here;
    return is_product ? tg_parse_fail_expected(p, "an exponent") : fail_conjugate(p);
  }
  if (is_matrix && tg_parse_at_word(p, TG_TOKEN_NAME, "H") && !tg_parse_is_declared(p, "H")) return fail_conjugate(p);
  bool negative = false;
  const tg_parser here = *p;
  TG_TRY(parse_signs(p, &negative));
  if (is_matrix && negative && at_transpose(p) && !tg_parse_at(p, '\'')) return parse_transpose(p, true, base);
  if (is_matrix && tg_parse_at(&here, '+') && !tg_parse_starts_factor(p)) return fail_conjugate(&here);
  TG_TRY(tg_parse_primary(p, out));
  if (negative)
    TG_TRY(tg_parse_wrap(p, TG_AST_NEGATIVE, (tg_span){here.token.span.begin, (*out)->span.end}, *out, out));
  return TG_OK;
}

static tg_status parse_caret(tg_parser *p, tg_ast **out)
{
  const bool is_stars = tg_parse_at(p, TG_SYMBOL_STARS);
  char op = is_stars || (p->dialect == TG_DIALECT_R && tg_parse_at(p, '^')) ? TG_SYMBOL_POWER : p->token.symbol;
  const char written = p->token.symbol;
  tg_ast *exponent = NULL;
  TG_TRY(tg_parse_advance(p));
  // In R '^' is entry by entry, but ^T is no power there either.
  char transposing = written == '^' ? '^' : op;
  TG_TRY(parse_exponent(p, &transposing, out, &exponent));
  if (exponent == NULL) return TG_OK;
  // In Python an attribute binds tighter than '**': 2**X.T
  while (is_stars && p->token.kind == TG_TOKEN_ATTRIBUTE) TG_TRY(tg_parse_attribute(p, &exponent));
  if (transposing == TG_SYMBOL_POWER) op = TG_SYMBOL_POWER;
  if (is_stars && tg_parse_at(p, TG_SYMBOL_STARS))
    TG_FAIL_AT(TG_SYNTAX, p->token.span, "powers by '**' in a row may be read two ways; write parentheses");
  return tg_parse_binary(p, op, (tg_span){(*out)->span.begin, exponent->span.end}, *out, exponent, out);
}

// A superscript: X², X⁻¹
static tg_status parse_superscript(tg_parser *p, tg_ast **out)
{
  tg_ast *exponent = NULL;
  const tg_span span = p->token.span;
  TG_TRY(tg_parse_number(p, p->token.number < 0 ? -p->token.number : p->token.number, span, &exponent));
  if (p->token.number < 0.0) TG_TRY(tg_parse_wrap(p, TG_AST_NEGATIVE, span, exponent, &exponent));
  TG_TRY(tg_parse_advance(p));
  return tg_parse_binary(p, '^', (tg_span){(*out)->span.begin, span.end}, *out, exponent, out);
}

static bool at_postfix(const tg_parser *p)
{
  static const char marks[] = {'\'', '^', TG_SYMBOL_POWER, TG_SYMBOL_STARS, TG_SYMBOL_TOP, TG_SYMBOL_INVERSE_TOP, '\0'};
  if (p->token.kind == TG_TOKEN_POWER || p->token.kind == TG_TOKEN_ATTRIBUTE) return true;
  return p->token.kind == TG_TOKEN_SYMBOL && strchr(marks, p->token.symbol) != NULL;
}

// power = primary { "'" | attribute | "(:)" | superscript | ("^" | ".^") exponent }, left to right
tg_status tg_parse_power(tg_parser *p, tg_ast **out)
{
  TG_TRY(tg_parse_primary(p, out));
  for (int depth = 0;; depth++) {
    bool found = false;
    TG_TRY(tg_parse_index(p, out, &found));
    if (!found && !at_postfix(p)) return TG_OK;
    p->long_word = (tg_span){0, 0};
    if (depth >= TG_NESTING_MAX)
      TG_FAIL_AT(TG_LIMIT, p->token.span, "more than %d transposes and powers in a row", TG_NESTING_MAX);
    if (found) continue;
    if (p->token.kind == TG_TOKEN_POWER)
      TG_TRY(parse_superscript(p, out));
    else if (p->token.kind == TG_TOKEN_ATTRIBUTE)
      TG_TRY(tg_parse_attribute(p, out));
    else if (tg_parse_at(p, '\'') || tg_parse_at(p, TG_SYMBOL_TOP) || tg_parse_at(p, TG_SYMBOL_INVERSE_TOP))
      TG_TRY(parse_transpose(p, tg_parse_at(p, TG_SYMBOL_INVERSE_TOP), out));
    else
      TG_TRY(parse_caret(p, out));
  }
}

// factor = { "-" | "+" } power
tg_status tg_parse_signed_power(tg_parser *p, tg_ast **out)
{
  bool negative = false;
  const size_t begin = p->token.span.begin;
  TG_TRY(parse_signs(p, &negative));
  TG_TRY(tg_parse_power(p, out));
  if (!negative) return TG_OK;
  return tg_parse_wrap(p, TG_AST_NEGATIVE, (tg_span){begin, (*out)->span.end}, *out, out);
}

// ---- products ----

static bool at_tight_product(const tg_parser *p)
{
  return tg_parse_at(p, TG_SYMBOL_KRON) || tg_parse_at(p, TG_SYMBOL_R_TIMES) || tg_parse_at(p, TG_SYMBOL_R_OUTER);
}

// What binds tighter than '*': the products of R and the circled times. factor { op factor }
static tg_status parse_tight(tg_parser *p, tg_ast **out, bool *is_kron)
{
  *is_kron = false;
  TG_TRY(tg_parse_signed_power(p, out));
  for (int depth = 0; at_tight_product(p); depth++) {
    const char op = p->token.symbol;
    tg_ast *right = NULL;
    if (depth >= TG_NESTING_MAX)
      TG_FAIL_AT(TG_LIMIT, p->token.span, "more than %d such products in a row", TG_NESTING_MAX);
    *is_kron = *is_kron || op == TG_SYMBOL_KRON;
    TG_TRY(tg_parse_advance(p));
    TG_TRY(tg_parse_signed_power(p, &right));
    const tg_span span = {(*out)->span.begin, right->span.end};
    if (op == TG_SYMBOL_KRON) {
      TG_TRY(tg_parse_make_call(p, "kron", span, 2, (tg_ast *[]){*out, right}, out));
      continue;
    }
    if (op == TG_SYMBOL_R_OUTER) TG_TRY(tg_parse_wrap(p, TG_AST_TRANSPOSE, right->span, right, &right));
    TG_TRY(tg_parse_binary(p, '*', span, *out, right, out));
  }
  return TG_OK;
}

// The operator of a product as the dialect has it; 'n' and 'q' wait for what their operands are. 0: none here.
static char product_operator(const tg_parser *p)
{
  const bool own = p->dialect == TG_DIALECT_OWN;
  if (tg_parse_at(p, '@')) return '*';
  if (tg_parse_at(p, '*')) return own ? '*' : 'n';
  if (tg_parse_at(p, '/')) return own ? '/' : 'q';
  if (tg_parse_at(p, TG_SYMBOL_TIMES) || tg_parse_at(p, TG_SYMBOL_OVER)) return p->token.symbol;
  return 0;
}

// A number, a Greek letter, a scalar function: what may stand before anything.
static bool is_plain_scalar(const tg_ast *ast)
{
  if (ast->kind == TG_AST_NAME) return tg_letter_of(ast->name) == TG_LETTER_GREEK;
  if (ast->kind == TG_AST_POWER || ast->kind == TG_AST_NEGATIVE) return is_plain_scalar(ast->args[0]);
  return tg_ast_is_scalar_form(ast);
}

// What factors without an operator between them may not do: a/b c and A B .* C may be read two ways.
static tg_status check_implied(const tg_operands *list, const tg_parser *p)
{
  bool is_number = true; // all so far
  bool divided = false;
  for (int32_t i = 0; i < list->count; i++) {
    is_number = is_number && list->items[i]->kind == TG_AST_NUMBER;
    divided = divided || list->ops[i] == '/' || list->ops[i] == 'q';
  }
  if (divided && !(is_number && p->token.spaced) && !(is_number && tg_parse_at(p, '(')))
    TG_FAIL_AT(TG_SYNTAX, p->token.span, "a factor behind a quotient may be read two ways; write (a/b)*c or a/(b*c)");
  return TG_OK;
}

static tg_status check_mixture(const tg_operands *list, tg_span implied, bool kron)
{
  bool entrywise = false;
  bool other = false;
  for (int32_t i = 1; i < list->count; i++)
    entrywise = entrywise || list->ops[i] == TG_SYMBOL_TIMES || list->ops[i] == TG_SYMBOL_OVER;
  for (int32_t i = 0; i < list->count; i++) other = other || list->items[i]->kind != TG_AST_NUMBER;
  const tg_span span = {list->items[0]->span.begin, list->items[list->count - 1]->span.end};
  if (implied.end > 0 && entrywise)
    TG_FAIL_AT(TG_SYNTAX, span,
               "a product without an operator beside one entry by entry may be read two ways; write "
               "parentheses, or '*'");
  if (kron && list->count > 1 && other)
    TG_FAIL_AT(TG_SYNTAX, span, "a Kronecker product beside other factors may be read two ways; write kron(A, B)");
  return TG_OK;
}

static tg_status parse_factors(tg_parser *p, tg_operands *list)
{
  bool kron = false;
  bool any_kron = false;
  tg_span implied = {0, 0}; // the first factor joined to a matrix without an operator
  tg_ast *factor = NULL;
  p->long_word = (tg_span){0, 0};
  TG_TRY(parse_tight(p, &factor, &any_kron));
  TG_TRY(tg_parse_push(p, list, '*', factor));
  while (true) {
    char op = product_operator(p);
    if (op == 0 && !tg_parse_starts_factor(p)) break;
    if (op == 0) {
      if (p->in_blocks)
        TG_FAIL_AT(TG_SYNTAX, p->token.span,
                   "between brackets a space may separate blocks or factors; write ',' or '*'");
      TG_TRY(check_implied(list, p));
      if (tg_parse_is_long_word(p, &p->token)) return tg_parse_fail_long_word(p, p->token.span);
      if (p->long_word.end > 0) return tg_parse_fail_long_word(p, p->long_word);
      if (!is_plain_scalar(list->items[list->count - 1])) implied = p->token.span;
      op = '*';
    } else {
      TG_TRY(tg_parse_advance(p));
    }
    p->long_word = (tg_span){0, 0};
    TG_TRY(parse_tight(p, &factor, &kron));
    any_kron = any_kron || kron;
    TG_TRY(tg_parse_push(p, list, op, factor));
  }
  return check_mixture(list, implied, any_kron);
}

// term = tight { ("*" | "/" | ".*" | "./" | "@" | nothing) tight }
static tg_status parse_term(tg_parser *p, tg_ast **out)
{
  tg_operands list = {0};
  tg_status status = parse_factors(p, &list);
  if (status == TG_OK) status = close_operands(p, &list, TG_AST_TERM, out);
  tg_parse_free(&list);
  return status;
}

// expression = term { ("+" | "-") term }
tg_status tg_parse_expression(tg_parser *p, tg_ast **out)
{
  tg_status status = TG_OK;
  tg_operands list = {0};
  tg_ast *term = NULL;
  TG_TRY_GOTO(parse_term(p, &term));
  TG_TRY_GOTO(tg_parse_push(p, &list, '+', term));
  while (tg_parse_at(p, '+') || tg_parse_at(p, '-')) {
    const char op = p->token.symbol;
    TG_TRY_GOTO(tg_parse_advance(p));
    TG_TRY_GOTO(parse_term(p, &term));
    TG_TRY_GOTO(tg_parse_push(p, &list, op, term));
  }
  TG_TRY_GOTO(close_operands(p, &list, TG_AST_SUM, out));
done:
  tg_parse_free(&list);
  return status;
}

tg_parse_style tg_parse_style_of(const char *text, tg_span span, const tg_name_index *declared)
{
  const size_t length = span.end - span.begin;
  return (tg_parse_style){.is_latex = length > 0 && memchr(text + span.begin, '\\', length) != NULL,
                          .dialect = tg_dialect_of(text + span.begin, length, declared)};
}

tg_status tg_parse_range(tg_parser *p, tg_span range, tg_parse_style style, tg_ast **out)
{
  *out = NULL;
  p->position = range.begin;
  p->length = range.end;
  p->is_latex = style.is_latex;
  p->dialect = style.dialect;
  TG_TRY(tg_parse_advance(p));
  if (p->token.kind == TG_TOKEN_END) TG_FAIL_AT(TG_SYNTAX, p->token.span, "the expression is empty");
  TG_TRY(tg_parse_expression(p, out));
  if (p->token.kind == TG_TOKEN_END) return tg_dialect_settle(p->arena, p->dialect, p->declared, *out);
  if (tg_parse_at(p, ';'))
    TG_FAIL_AT(TG_SYNTAX, p->token.span, "unexpected character ';'; blocks stand in brackets, [A; B]");
  if (tg_parse_at(p, ')')) TG_FAIL_AT(TG_SYNTAX, p->token.span, "')' without a '(' before it");
  return tg_parse_fail_expected(p, tg_parse_at(p, '(') ? "an operator, as '*', or the end" : "an operator or the end");
}

tg_status tg_parse(tg_arena *arena, const char *text, size_t length, const tg_name_index *declared, tg_text *notices,
                   tg_ast **out)
{
  const tg_parse_request request = {
      .arena = arena, .text = text, .expression = {0, length}, .declared = declared, .notices = notices};
  *out = NULL;
  if (length > TG_TEXT_BYTES_MAX)
    TG_FAIL(TG_LIMIT, "the expression has %zu bytes; at most %d are read", length, TG_TEXT_BYTES_MAX);
  return tg_parse_with_parts(&request, out);
}
