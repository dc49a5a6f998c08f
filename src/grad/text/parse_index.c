// Submatrices, X(i:j,k:l), and matrices of blocks, [A, B; C, D].
#include "grad/text/foreign.h"
#include "grad/text/parser.h"

// ---- submatrices ----

// One index: i, i:j, i:end or ':'. last: 0 to the end; begin counts from 1.
typedef struct range {
  double begin;
  double last;
} range;

static bool at_end_word(const tg_parser *p)
{
  return tg_parse_at_word(p, TG_TOKEN_NAME, "end") && !tg_parse_is_declared(p, "end");
}

bool tg_parse_looks_like_index(const tg_parser *p, bool is_name)
{
  tg_parser ahead = *p;
  const char close = tg_parse_at(p, '[') ? ']' : ')';
  bool has_colon = false;
  int commas = 0;
  int numbers = 0;
  if (tg_parse_advance(&ahead) != TG_OK) {
    tg_error_clear();
    return false;
  }
  while (!tg_parse_at(&ahead, close)) {
    const bool is_number = ahead.token.kind == TG_TOKEN_NUMBER || at_end_word(&ahead);
    if (!is_number && !tg_parse_at(&ahead, ':') && !tg_parse_at(&ahead, ',')) return false;
    has_colon = has_colon || tg_parse_at(&ahead, ':');
    commas += tg_parse_at(&ahead, ',');
    numbers += is_number;
    if (tg_parse_advance(&ahead) != TG_OK) {
      tg_error_clear();
      return false;
    }
  }
  return has_colon || (numbers > 0 && (commas == 1 || (is_name && commas == 0)));
}

static tg_status parse_bound(tg_parser *p, double least, double *out)
{
  if (p->token.kind != TG_TOKEN_NUMBER || p->token.number < least || p->token.number > TG_INDEX_MAX ||
      p->token.number != (double)(int64_t)p->token.number)
    TG_FAIL_AT(TG_SYNTAX, p->token.span, "an index is a whole number of at least %g, or 'end'", least);
  *out = p->token.number;
  return tg_parse_advance(p);
}

// In NumPy indices count from 0 and the last is not taken.
static tg_status parse_range(tg_parser *p, bool numpy, range *out)
{
  const tg_span begin = p->token.span;
  *out = (range){1.0, 0.0};
  if (!tg_parse_at(p, ':')) {
    if (at_end_word(p)) TG_FAIL_AT(TG_SYNTAX, p->token.span, "the last index alone is not read; write its number");
    TG_TRY(parse_bound(p, numpy ? 0.0 : 1.0, &out->begin));
    if (numpy) out->begin += 1.0;
    if (!tg_parse_at(p, ':')) {
      out->last = out->begin;
      return TG_OK;
    }
  }
  TG_TRY(tg_parse_advance(p));
  if (at_end_word(p)) return tg_parse_advance(p);
  if (p->token.kind == TG_TOKEN_NUMBER) TG_TRY(parse_bound(p, 1.0, &out->last));
  if (tg_parse_at(p, ':')) TG_FAIL_AT(TG_SYNTAX, p->token.span, "indices with a step are not in the language");
  if (out->last != 0.0 && out->last < out->begin)
    TG_FAIL_AT(TG_SYNTAX, ((tg_span){begin.begin, p->token.span.begin}), "the range of indices is empty");
  return TG_OK;
}

static tg_status make_submatrix(tg_parser *p, const range ranges[2], int n, tg_span span, tg_ast *x, tg_ast **out)
{
  tg_ast *args[5] = {x, NULL, NULL, NULL, NULL};
  for (int k = 0; k < 2; k++) {
    TG_TRY(tg_parse_number(p, ranges[k].begin, span, &args[1 + 2 * k]));
    TG_TRY(tg_parse_number(p, ranges[k].last, span, &args[2 + 2 * k]));
  }
  TG_TRY(tg_parse_make_call(p, "submatrix", span, 5, args, out));
  if (n == 1) (*out)->wants = 'i'; // one index: of a vector
  return TG_OK;
}

// "(" range [ "," range ] ")", as in MATLAB; "[" ... "]" as in NumPy or R
tg_status tg_parse_submatrix(tg_parser *p, tg_ast **out)
{
  const bool brackets = tg_parse_at(p, '[');
  const tg_token open = p->token;
  const bool numpy = brackets && p->dialect == TG_DIALECT_NUMPY;
  range ranges[2] = {{1.0, 0.0}, {1.0, 0.0}};
  int n = 0;
  if (brackets && p->dialect != TG_DIALECT_NUMPY && p->dialect != TG_DIALECT_R)
    TG_FAIL_AT(TG_SYNTAX, open.span,
               "brackets count from 0 in NumPy and from 1 in R; write X(i:j,k:l), which counts from 1");
  TG_TRY(tg_parse_advance(p));
  do {
    if (n == 2) TG_FAIL_AT(TG_SYNTAX, p->token.span, "a matrix has two indices");
    if (n == 1) TG_TRY(tg_parse_advance(p));
    TG_TRY(parse_range(p, numpy, &ranges[n++]));
  } while (tg_parse_at(p, ','));
  const tg_span span = {(*out)->span.begin, p->token.span.end};
  TG_TRY(tg_parse_expect(p, brackets ? ']' : ')', brackets ? "']'" : "')'"));
  return make_submatrix(p, ranges, n, span, *out, out);
}

// ---- blocks ----

static tg_status close_row(tg_parser *p, tg_operands *row, const char *name, size_t begin, tg_ast **out)
{
  return tg_parse_make_call(p, name, (tg_span){begin, p->token.span.begin}, row->count, row->items, out);
}

static tg_status parse_rows(tg_parser *p, size_t begin, tg_operands *rows, tg_operands *row, tg_ast **out)
{
  while (true) {
    tg_ast *block = NULL;
    TG_TRY(tg_parse_expression(p, &block));
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
    TG_TRY(tg_parse_advance(p));
    if (is_last) break;
  }
  if (rows->count == 1) {
    *out = rows->items[0];
    return TG_OK;
  }
  return close_row(p, rows, "vertcat", begin, out);
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
  p->in_blocks = true;
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
