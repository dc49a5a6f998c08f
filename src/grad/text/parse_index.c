// Submatrices, X(i:j,k:l), and matrices of blocks, [A, B; C, D].
#include <string.h>

#include "grad/text/foreign.h"
#include "grad/text/parser.h"

// ---- submatrices ----

// One index: i, i:j, i:end or ':', counted from 1; the last one is taken.
typedef struct range {
  tg_ast *begin;
  tg_ast *last;
} range;

static bool at_end_word(const tg_parser *p)
{
  return tg_parse_at_word(p, TG_TOKEN_NAME, "end") && !tg_parse_is_declared(p, "end");
}

// What bounds are made of besides names: numbers, `end` and signs between them.
static bool at_index_sign(const tg_parser *p)
{
  return tg_parse_at(p, '+') || tg_parse_at(p, '-') || tg_parse_at(p, '*');
}

bool tg_parse_looks_like_index(const tg_parser *p, bool is_name)
{
  tg_parser ahead = *p;
  const char close = tg_parse_at(p, '[') ? ']' : ')';
  bool has_colon = false;
  bool has_names = false;
  bool has_operands = false; // names that are no sizes
  int commas = 0;
  int numbers = 0;
  if (tg_parse_advance(&ahead) != TG_OK) {
    tg_error_clear();
    return false;
  }
  while (!tg_parse_at(&ahead, close)) {
    const bool is_number = ahead.token.kind == TG_TOKEN_NUMBER || at_end_word(&ahead);
    const bool is_size = !is_number && ahead.token.kind == TG_TOKEN_NAME;
    if (!is_number && !is_size && !tg_parse_at(&ahead, ':') && !tg_parse_at(&ahead, ',') && !at_index_sign(&ahead))
      return false;
    has_colon = has_colon || tg_parse_at(&ahead, ':');
    has_names = has_names || is_size;
    has_operands = has_operands || (is_size && tg_parse_is_declared(p, ahead.token.name));
    commas += tg_parse_at(&ahead, ',');
    numbers += is_number;
    if (tg_parse_advance(&ahead) != TG_OK) {
      tg_error_clear();
      return false;
    }
  }
  const bool is_row = commas == 1 && numbers == 0 && !has_names; // R's X[,]
  // X(i,j), of a name that is declared.
  const bool is_entry = is_name && has_names && !has_operands && commas == 1;
  return has_colon || is_entry || (!has_names && !is_row && numbers > 0 && (commas == 1 || (is_name && commas == 0)));
}

static tg_status parse_position(tg_parser *p, tg_ast **out);

// atom = number | name | "end" | "(" position ")"
static tg_status parse_atom(tg_parser *p, tg_ast **out)
{
  tg_token token = p->token;
  const bool is_whole =
      token.kind == TG_TOKEN_NUMBER && token.number <= TG_INDEX_MAX && token.number == (double)(int64_t)token.number;
  if (tg_parse_at(p, '(')) {
    TG_TRY(tg_parse_enter(p));
    TG_TRY(tg_parse_advance(p));
    TG_TRY(parse_position(p, out));
    p->nesting--;
    return tg_parse_expect(p, ')', "')'");
  }
  if (!is_whole && token.kind != TG_TOKEN_NAME)
    TG_FAIL_AT(TG_SYNTAX, token.span, "an index is a whole number, the name of a size, or 'end'");
  if (p->is_latex && !is_whole && !at_end_word(p) && tg_parse_split_letters(&token)) p->position = token.span.end;
  TG_TRY(is_whole ? tg_parse_number(p, token.number, token.span, out) : tg_parse_name(p, token.name, token.span, out));
  return tg_parse_advance(p);
}

// a op b; of numbers the number, if it is an index.
static tg_status join(tg_parser *p, char op, tg_ast *a, tg_ast *b, tg_ast **out)
{
  const tg_span span = {a->span.begin, b->span.end > a->span.begin ? b->span.end : a->span.end};
  const double value = op == '*' ? a->number * b->number : op == '+' ? a->number + b->number : a->number - b->number;
  if (a->kind == TG_AST_NUMBER && b->kind == TG_AST_NUMBER && value >= 0.0) return tg_parse_number(p, value, span, out);
  return tg_parse_binary(p, op, span, a, b, out);
}

// position = [ "-" ] product { ("+" | "-") product }, product = atom { ["*"] atom }, the sign left out in LaTeX
static tg_status parse_position(tg_parser *p, tg_ast **out)
{
  const bool is_negative = tg_parse_at(p, '-');
  const size_t begin = p->token.span.begin;
  char op = 0;
  if (is_negative) TG_TRY(tg_parse_advance(p));
  do {
    tg_ast *product = NULL;
    if (op != 0) TG_TRY(tg_parse_advance(p));
    TG_TRY(parse_atom(p, &product));
    while (tg_parse_at(p, '*') || (p->is_latex && p->token.kind == TG_TOKEN_NAME)) {
      tg_ast *factor = NULL;
      if (tg_parse_at(p, '*')) TG_TRY(tg_parse_advance(p));
      TG_TRY(parse_atom(p, &factor));
      TG_TRY(join(p, '*', product, factor, &product));
    }
    if (op == 0 && is_negative)
      TG_TRY(tg_parse_wrap(p, TG_AST_NEGATIVE, (tg_span){begin, product->span.end}, product, out));
    else if (op == 0)
      *out = product;
    else
      TG_TRY(join(p, op, *out, product, out));
    op = p->token.symbol;
  } while (tg_parse_at(p, '+') || tg_parse_at(p, '-'));
  return TG_OK;
}

// A bound by the language's count: in NumPy indices count from 0 and those below 0 from the end.
static tg_status parse_bound(tg_parser *p, bool brackets, int64_t shift, tg_ast **out)
{
  const bool is_negative = tg_parse_at(p, '-');
  const tg_span span = p->token.span;
  tg_ast *other = NULL;
  TG_TRY(parse_position(p, out));
  if (is_negative && brackets && p->dialect == TG_DIALECT_R)
    TG_FAIL_AT(TG_SYNTAX, span, "a negative index leaves an entry out in R; write the range that is left, as x[2:n]");
  if (is_negative && (!brackets || p->dialect != TG_DIALECT_NUMPY))
    TG_FAIL_AT(TG_SYNTAX, span, "an index is at least 1; from the end, write end-1");
  if (is_negative) {
    TG_TRY(tg_parse_name(p, "end", span, &other));
    TG_TRY(tg_parse_binary(p, '+', span, other, *out, out));
  }
  if (shift == 0) return TG_OK;
  TG_TRY(tg_parse_number(p, (double)shift, span, &other));
  return join(p, '+', *out, other, out);
}

static bool at_range_end(const tg_parser *p)
{
  return tg_parse_at(p, ',') || tg_parse_at(p, ')') || tg_parse_at(p, ']');
}

// In NumPy the last of the range is not taken; in R nothing at all stands for all.
static tg_status parse_range(tg_parser *p, bool brackets, range *out)
{
  const bool numpy = brackets && p->dialect == TG_DIALECT_NUMPY;
  const tg_span begin = p->token.span;
  TG_TRY(tg_parse_number(p, 1.0, begin, &out->begin));
  TG_TRY(tg_parse_number(p, 0.0, begin, &out->last));
  if (brackets && p->dialect == TG_DIALECT_R && at_range_end(p)) return TG_OK;
  if (!tg_parse_at(p, ':')) {
    TG_TRY(parse_bound(p, brackets, numpy ? 1 : 0, &out->begin));
    out->last = out->begin;
    if (!tg_parse_at(p, ':')) return TG_OK;
    TG_TRY(tg_parse_number(p, 0.0, begin, &out->last));
  }
  TG_TRY(tg_parse_advance(p));
  if (!at_range_end(p)) {
    TG_TRY(parse_bound(p, brackets, 0, &out->last));
    const bool is_number = out->begin->kind == TG_AST_NUMBER && out->last->kind == TG_AST_NUMBER;
    if (is_number && out->last->number < out->begin->number)
      TG_FAIL_AT(TG_SYNTAX, ((tg_span){begin.begin, p->token.span.begin}), "the range of indices is empty");
  }
  if (tg_parse_at(p, ':')) TG_FAIL_AT(TG_SYNTAX, p->token.span, "indices with a step are not in the language");
  return TG_OK;
}

// "(" range [ "," range ] ")", as in MATLAB; "[" ... "]" as in NumPy or R
tg_status tg_parse_submatrix(tg_parser *p, tg_ast **out)
{
  const bool brackets = tg_parse_at(p, '[');
  const tg_token open = p->token;
  tg_ast *args[5] = {*out, NULL, NULL, NULL, NULL};
  range ranges[2];
  int n = 0;
  if (brackets && p->dialect != TG_DIALECT_NUMPY && p->dialect != TG_DIALECT_R)
    TG_FAIL_AT(TG_SYNTAX, open.span,
               "brackets count from 0 in NumPy and from 1 in R; write X(i:j,k:l), which counts from 1");
  TG_TRY(tg_parse_advance(p));
  do {
    if (n == 2) TG_FAIL_AT(TG_SYNTAX, p->token.span, "a matrix has two indices");
    if (n == 1) TG_TRY(tg_parse_advance(p));
    TG_TRY(parse_range(p, brackets, &ranges[n++]));
  } while (tg_parse_at(p, ','));
  const tg_span span = {(*out)->span.begin, p->token.span.end};
  TG_TRY(tg_parse_expect(p, brackets ? ']' : ')', brackets ? "']'" : "')'"));
  for (int k = 0; k < 2; k++) {
    if (k >= n) TG_TRY(tg_parse_number(p, 1.0, span, &ranges[k].begin));
    if (k >= n) TG_TRY(tg_parse_number(p, 0.0, span, &ranges[k].last));
    args[1 + 2 * k] = ranges[k].begin;
    args[2 + 2 * k] = ranges[k].last;
  }
  TG_TRY(tg_parse_make_call(p, "submatrix", span, 5, args, out));
  if (n == 1) (*out)->wants = 'i'; // one index: of a vector
  return TG_OK;
}

// ---- blocks ----

// ones beside something else is a column, as the intercept in [ones, X].
static tg_status close_row(tg_parser *p, tg_operands *row, const char *name, size_t begin, tg_ast **out)
{
  for (int32_t i = 0; row->count > 1 && name[0] == 'h' && i < row->count; i++)
    if (row->items[i]->kind == TG_AST_NAME && strcmp(row->items[i]->name, "ones") == 0) row->items[i]->wants = 'c';
  return tg_parse_make_call(p, name, (tg_span){begin, p->token.span.begin}, row->count, row->items, out);
}

static tg_status parse_rows(tg_parser *p, size_t begin, tg_operands *rows, tg_operands *row, tg_ast **out)
{
  while (true) {
    tg_ast *block = NULL;
    TG_TRY(tg_parse_expression(p, &block));
    // On paper 0 is a block of zeros, as large as there is room; between brackets it is the number.
    if (!p->in_blocks && block->kind == TG_AST_NUMBER && block->number == 0.0)
      TG_TRY(tg_parse_name(p, "zeros", block->span, &block));
    TG_TRY(tg_parse_push(p, row, ',', block));
    if (tg_parse_at(p, ',')) {
      TG_TRY(tg_parse_advance(p));
      continue;
    }
    if (!tg_parse_at(p, ';') && !tg_parse_at(p, ']')) return tg_parse_fail_expected(p, "',', ';' or ']'");
    const bool is_last = tg_parse_at(p, ']');
    tg_ast *line = NULL;
    TG_TRY(close_row(p, row, "horzcat", row->items[0]->span.begin, &line));
    row->count = 0;
    TG_TRY(tg_parse_push(p, rows, ';', line));
    if (is_last) break;
    TG_TRY(tg_parse_advance(p));
  }
  *out = rows->items[0];
  if (rows->count > 1) TG_TRY(close_row(p, rows, "vertcat", begin, out));
  (*out)->span = (tg_span){begin, p->token.span.end};
  return tg_parse_advance(p);
}

// "[" expression { "," expression } { ";" expression { "," expression } } "]"
tg_status tg_parse_blocks(tg_parser *p, tg_ast **out)
{
  tg_operands rows = {0};
  tg_operands row = {0};
  const size_t begin = p->token.span.begin;
  const bool outer = p->in_blocks;
  const char bar = p->bar;
  tg_status status = tg_parse_enter(p);
  p->bar = 0;
  p->in_blocks = tg_parse_at(p, '[');
  if (status == TG_OK) status = tg_parse_advance(p);
  if (status == TG_OK && tg_parse_at(p, ']'))
    status = tg_error_set_at(TG_SYNTAX, TG_HERE, ((tg_span){begin, p->token.span.end}),
                             "empty brackets are in MATLAB for the largest entries of rows or columns, which are not "
                             "in the language");
  if (status == TG_OK) status = parse_rows(p, begin, &rows, &row, out);
  p->in_blocks = outer;
  p->bar = bar;
  p->nesting--;
  tg_parse_free(&rows);
  tg_parse_free(&row);
  return status;
}
