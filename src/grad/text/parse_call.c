// Calls: arguments, methods, and the indices by which other systems write vec and permutations.
#include "grad/text/foreign.h"
#include "grad/text/parser.h"
#include "grad/text/shape.h"

// ---- arguments ----

// A word in quotes, or what is behind the name of an option, as a name that begins with a quote.
static tg_status make_word(tg_parser *p, const char *option, const char *word, tg_span span, tg_ast **out)
{
  char name[2 * TG_NAME_BYTES_MAX + 4];
  snprintf(name, sizeof name, "'%s%s%s", option, option[0] != '\0' ? "=" : "", word);
  return tg_parse_name(p, name, span, out);
}

static bool at_quote(const tg_parser *p)
{
  return tg_parse_at(p, '"') || tg_parse_at(p, '\'');
}

static tg_status parse_word(tg_parser *p, const char *option, size_t begin, tg_ast **out)
{
  tg_token word;
  p->position = p->token.span.begin;
  TG_TRY(tg_lex_string(p->text, p->length, &p->position, &word));
  TG_TRY(make_word(p, option, word.name, (tg_span){begin, word.span.end}, out));
  return tg_parse_advance(p);
}

// name "=" value, as axis=0, order="F"
static tg_status parse_option(tg_parser *p, const tg_token *name, tg_ast **out)
{
  TG_TRY(tg_parse_advance(p));
  if (at_quote(p)) return parse_word(p, name->name, name->span.begin, out);
  const tg_span value = p->token.span;
  char word[TG_NAME_BYTES_MAX + 1];
  TG_TRY(tg_parse_expression(p, out));
  const size_t n = value.end - value.begin < TG_NAME_BYTES_MAX ? value.end - value.begin : TG_NAME_BYTES_MAX;
  memcpy(word, p->text + value.begin, n);
  word[n] = '\0';
  return make_word(p, name->name, word, (tg_span){name->span.begin, value.end}, out);
}

static tg_status parse_argument(tg_parser *p, tg_ast **out)
{
  if (at_quote(p)) return parse_word(p, "", p->token.span.begin, out);
  if (p->token.kind == TG_TOKEN_NAME) {
    const tg_parser here = *p;
    TG_TRY(tg_parse_advance(p));
    if (tg_parse_at(p, '=')) return parse_option(p, &here.token, out);
    *p = here;
  }
  return tg_parse_expression(p, out);
}

// "(" "(" m "," n ")" ")": the pair of sizes of NumPy
static tg_status parse_pair(tg_parser *p, tg_operands *list, bool *found)
{
  const tg_parser here = *p;
  tg_ast *sizes[2] = {NULL, NULL};
  *found = false;
  if (!tg_parse_at(p, '(')) return TG_OK;
  TG_TRY(tg_parse_advance(p));
  if (tg_parse_expression(p, &sizes[0]) == TG_OK && tg_parse_at(p, ',')) {
    TG_TRY(tg_parse_advance(p));
    TG_TRY(tg_parse_expression(p, &sizes[1]));
    TG_TRY(tg_parse_expect(p, ')', "')'"));
    TG_TRY(tg_parse_push(p, list, ',', sizes[0]));
    *found = true;
    return tg_parse_push(p, list, ',', sizes[1]);
  }
  tg_error_clear();
  *p = here;
  return TG_OK;
}

static tg_status parse_list(tg_parser *p, const char *name, tg_operands *list)
{
  bool pair = false;
  const bool takes_pair = strcmp(name, "ones") == 0 || strcmp(name, "zeros") == 0 || strcmp(name, "reshape") == 0;
  while (!tg_parse_at(p, ')')) {
    tg_ast *argument = NULL;
    if (takes_pair) TG_TRY(parse_pair(p, list, &pair));
    if (!takes_pair || !pair) {
      TG_TRY(parse_argument(p, &argument));
      TG_TRY(tg_parse_push(p, list, ',', argument));
    }
    if (tg_parse_at(p, ',')) {
      TG_TRY(tg_parse_advance(p));
      if (tg_parse_at(p, ')')) return tg_parse_fail_expected(p, "an argument after ','");
    } else if (!tg_parse_at(p, ')')) {
      return tg_parse_fail_expected(p, "',' or ')'");
    }
  }
  return TG_OK;
}

// reshape(v, m, n); in NumPy column by column only with order="F", and (-1, 1) is vec.
static tg_status finish_reshape(tg_parser *p, tg_span span, tg_operands *list, tg_ast **out)
{
  const tg_ast *last = list->count > 0 ? list->items[list->count - 1] : NULL;
  const bool is_option = last != NULL && last->kind == TG_AST_NAME && last->name[0] == '\'';
  const bool by_columns = is_option && strcmp(last->name, "'order=F") == 0;
  const bool is_stacked = list->count >= 3 && list->items[1]->kind == TG_AST_NEGATIVE;
  if (is_option && !by_columns) TG_FAIL_AT(TG_SYNTAX, last->span, "reshape goes column by column: order=\"F\"");
  if (p->dialect != TG_DIALECT_OWN && !by_columns && !(is_stacked && list->items[0]->kind == TG_AST_CALL))
    TG_FAIL_AT(TG_SYNTAX, span, "reshape goes column by column here, in NumPy only with order=\"F\"");
  if (is_stacked) return tg_parse_make_call(p, "vec", span, 1, list->items, out);
  return tg_parse_make_call(p, "reshape", span, list->count - is_option, list->items, out);
}

// slogdet(X)[1]
static tg_status finish_slogdet(tg_parser *p, tg_span span, const tg_operands *list, tg_ast **out)
{
  TG_TRY(tg_parse_advance(p));
  if (p->token.kind != TG_TOKEN_NUMBER || p->token.number != 1.0) return tg_parse_fail_expected(p, "1");
  TG_TRY(tg_parse_advance(p));
  TG_TRY(tg_parse_expect(p, ']', "']'"));
  return tg_parse_make_call(p, "logdet", span, 1, list->items, out);
}

// X(:)
static tg_status finish_colon(tg_parser *p, const char *name, size_t begin, tg_ast **out)
{
  const tg_span span = {begin, p->token.span.end};
  TG_TRY(tg_parse_advance(p));
  TG_TRY(tg_parse_expect(p, ')', "')'"));
  TG_TRY(tg_parse_name(p, name, (tg_span){begin, begin + strlen(name)}, out));
  return tg_parse_make_call(p, "vec", span, 1, (tg_ast *[]){*out}, out);
}

static tg_status parse_call(tg_parser *p, const char *name, size_t begin, tg_operands *list, tg_ast **out)
{
  const bool is_module = p->is_module;
  TG_TRY(tg_parse_enter(p));
  TG_TRY(tg_parse_advance(p));
  if (tg_parse_at(p, ':') && list->count == 0) {
    p->nesting--;
    return finish_colon(p, name, begin, out);
  }
  TG_TRY(parse_list(p, name, list));
  const tg_span span = {begin, p->token.span.end};
  p->nesting--;
  p->is_module = is_module;
  TG_TRY(tg_parse_advance(p));
  if (strcmp(name, "reshape") == 0 && list->count >= 3) return finish_reshape(p, span, list, out);
  if (strcmp(name, "slogdet") == 0 && list->count == 1 && tg_parse_at(p, '['))
    return finish_slogdet(p, span, list, out);
  return tg_foreign_call(p, name, span, list->count, list->items, out);
}

// "(" [ argument { "," argument } ] ")"
tg_status tg_parse_call(tg_parser *p, const char *name, size_t begin, tg_ast *receiver, tg_ast **out)
{
  tg_operands list = {0};
  char kept[TG_NAME_BYTES_MAX + 1];
  const char bar = p->bar;
  p->bar = 0;
  snprintf(kept, sizeof kept, "%s", name);
  tg_status status = receiver != NULL ? tg_parse_push(p, &list, ',', receiver) : TG_OK;
  if (status == TG_OK) status = parse_call(p, kept, begin, &list, out);
  tg_parse_free(&list);
  p->bar = bar;
  p->long_word = (tg_span){0, 0};
  return status;
}

// ---- methods ----

static bool is_transpose(const char *name)
{
  return strcmp(name, "T") == 0 || strcmp(name, "mT") == 0;
}

tg_status tg_parse_attribute(tg_parser *p, tg_ast **out)
{
  const tg_token token = p->token;
  tg_ast *receiver = *out;
  if (is_transpose(token.name)) {
    TG_TRY(tg_parse_wrap(p, TG_AST_TRANSPOSE, (tg_span){receiver->span.begin, token.span.end}, receiver, out));
    return tg_parse_advance(p);
  }
  TG_TRY(tg_parse_advance(p));
  if (!tg_parse_at(p, '(') || !tg_foreign_is_function(token.name))
    TG_FAIL_AT(TG_SYNTAX, token.span, "unexpected '.'; entrywise operators are .* ./ .^, the matrix product is '*'");
  if (strcmp(token.name, "dot") == 0)
    TG_FAIL_AT(TG_SYNTAX, token.span, "write A*B for the matrix product, dot(A, B) for the inner product");
  p->is_module = true;
  return tg_parse_call(p, token.name, receiver->span.begin, receiver, out);
}

// ---- indices ----

static tg_status expect_word(tg_parser *p, tg_token_kind kind, const char *word)
{
  if (!tg_parse_at_word(p, kind, word))
    TG_FAIL_AT(TG_SYNTAX, p->token.span, "expected the indices of a submatrix: X(i:j,k:l), its bounds numbers");
  return tg_parse_advance(p);
}

static tg_status expect_symbols(tg_parser *p, const char *symbols)
{
  for (const char *c = symbols; *c != '\0'; c++) {
    if (!tg_parse_at(p, *c))
      TG_FAIL_AT(TG_SYNTAX, p->token.span, "expected the indices of a submatrix: X(i:j,k:l), its bounds numbers");
    TG_TRY(tg_parse_advance(p));
  }
  return TG_OK;
}

// eye(mn)(reshape(1:mn,m,n)'(:), :), as the Octave format prints comm(m,n)
static tg_status parse_octave_permutation(tg_parser *p, tg_ast **sizes)
{
  tg_ast *unused = NULL;
  TG_TRY(expect_symbols(p, "("));
  TG_TRY(expect_word(p, TG_TOKEN_NAME, "reshape"));
  TG_TRY(expect_symbols(p, "("));
  TG_TRY(tg_parse_expression(p, &unused));
  TG_TRY(expect_symbols(p, ":"));
  TG_TRY(tg_parse_expression(p, &unused));
  TG_TRY(expect_symbols(p, ","));
  TG_TRY(tg_parse_expression(p, &sizes[0]));
  TG_TRY(expect_symbols(p, ","));
  TG_TRY(tg_parse_expression(p, &sizes[1]));
  return expect_symbols(p, ")'(:),:)");
}

// eye(mn)[arange(mn).reshape((m, n), order="F").ravel()], as the NumPy format prints it
static tg_status parse_numpy_permutation(tg_parser *p, tg_ast **sizes)
{
  tg_ast *unused = NULL;
  TG_TRY(expect_symbols(p, "["));
  TG_TRY(expect_word(p, TG_TOKEN_NAME, "arange"));
  TG_TRY(expect_symbols(p, "("));
  TG_TRY(tg_parse_expression(p, &unused));
  TG_TRY(expect_symbols(p, ")"));
  TG_TRY(expect_word(p, TG_TOKEN_ATTRIBUTE, "reshape"));
  TG_TRY(expect_symbols(p, "(("));
  TG_TRY(tg_parse_expression(p, &sizes[0]));
  TG_TRY(expect_symbols(p, ","));
  TG_TRY(tg_parse_expression(p, &sizes[1]));
  TG_TRY(expect_symbols(p, "),"));
  TG_TRY(expect_word(p, TG_TOKEN_NAME, "order"));
  TG_TRY(expect_symbols(p, "="));
  TG_TRY(parse_word(p, "", p->token.span.begin, &unused));
  TG_TRY(expect_symbols(p, ")"));
  TG_TRY(expect_word(p, TG_TOKEN_ATTRIBUTE, "ravel"));
  return expect_symbols(p, "()]");
}

// Whether "(:)" is next, as in X(:).
static tg_status looks_like_stack(tg_parser ahead, bool *out)
{
  TG_TRY(tg_parse_advance(&ahead));
  *out = tg_parse_at(&ahead, ':');
  if (!*out) return TG_OK;
  TG_TRY(tg_parse_advance(&ahead));
  *out = tg_parse_at(&ahead, ')');
  return TG_OK;
}

tg_status tg_parse_index(tg_parser *p, tg_ast **out, bool *found)
{
  const size_t begin = (*out)->span.begin;
  const bool is_eye = (*out)->kind == TG_AST_CALL && strcmp((*out)->name, "eye") == 0 && (*out)->n_args == 1;
  const bool opens = tg_parse_at(p, '(') && p->token.side == 0;
  *found = false;
  if (!opens && !tg_parse_at(p, '[')) return TG_OK;
  const tg_parser here = *p;
  const bool is_name = (*out)->kind == TG_AST_NAME && !tg_function_find((*out)->name);
  bool is_stack = false;
  if (opens) TG_TRY(looks_like_stack(here, &is_stack));
  *found = !is_stack && !p->token.spaced && tg_parse_looks_like_index(p, is_name);
  if (*found) return tg_parse_submatrix(p, out);
  if (opens) {
    TG_TRY(tg_parse_advance(p));
    *found = tg_parse_at(p, ':');
    if (*found) {
      TG_TRY(expect_symbols(p, ":"));
      const size_t end = p->token.span.end;
      TG_TRY(expect_symbols(p, ")"));
      return tg_parse_make_call(p, "vec", (tg_span){begin, end}, 1, (tg_ast *[]){*out}, out);
    }
    const bool is_reshape = tg_parse_at_word(p, TG_TOKEN_NAME, "reshape");
    *p = here;
    if (!is_eye || !is_reshape) return TG_OK;
  }
  *found = true;
  if (!is_eye) TG_FAIL_AT(TG_SYNTAX, p->token.span, "unexpected '['; a submatrix is X(i:j,k:l), its bounds numbers");
  tg_ast *sizes[2] = {NULL, NULL};
  TG_TRY(opens ? parse_octave_permutation(p, sizes) : parse_numpy_permutation(p, sizes));
  return tg_parse_make_call(p, "comm", (tg_span){begin, here.token.span.end}, 2, sizes, out);
}
