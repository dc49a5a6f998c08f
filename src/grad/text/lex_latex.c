// LaTeX in an expression, as people copy it and as our own format prints it; and characters that are not read.
#include <string.h>

#include "base/utf8.h"
#include "grad/text/lex_parts.h"

// ---- white space ----

static size_t command_end(const tg_lexer *l, size_t backslash)
{
  size_t end = backslash + 1;
  while (tg_lex_is_letter(tg_lex_at(l, end))) end++;
  return end;
}

static bool is_one_of(const tg_lexer *l, size_t begin, size_t end, const char *const *words, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (strlen(words[i]) == end - begin && memcmp(l->text + begin, words[i], end - begin) == 0) return true;
  return false;
}

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

// \left( is a parenthesis; \big( as well, whose side \bigl and \bigr tell.
static size_t skip_size_of_bracket(const tg_lexer *l, size_t p, char *side)
{
  static const char *const left[] = {"left", "bigl", "Bigl", "biggl", "Biggl"};
  static const char *const right[] = {"right", "bigr", "Bigr", "biggr", "Biggr"};
  static const char *const other[] = {"big",  "Big",   "bigg",   "Bigg",    "displaystyle",
                                      "quad", "qquad", "limits", "nolimits"};
  const size_t end = command_end(l, p);
  if (is_one_of(l, p + 1, end, left, COUNT(left)))
    *side = '(';
  else if (is_one_of(l, p + 1, end, right, COUNT(right)))
    *side = ')';
  else if (!is_one_of(l, p + 1, end, other, COUNT(other)))
    return p;
  return end;
}

// \begin{aligned}, \end{align*}: the position behind it.
static size_t skip_environment(const tg_lexer *l, size_t p)
{
  static const char *const names[] = {"begin", "end"};
  static const char *const environments[] = {"aligned", "align", "align*", "split", "equation", "equation*"};
  const size_t open = command_end(l, p);
  if (!is_one_of(l, p + 1, open, names, COUNT(names)) || tg_lex_at(l, open) != '{') return p;
  size_t close = open + 1;
  while (tg_lex_is_letter(tg_lex_at(l, close)) || tg_lex_at(l, close) == '*') close++;
  if (tg_lex_at(l, close) != '}' || !is_one_of(l, open + 1, close, environments, COUNT(environments))) return p;
  return close + 1;
}

// Its marks of columns, in a text of LaTeX.
static bool is_column_mark(const tg_lexer *l, size_t p)
{
  return tg_lex_at(l, p) == '&' && memchr(l->text, '\\', p) != NULL;
}

// ---- matrices of blocks ----

static size_t environment_name(const tg_lexer *l, size_t p, const char *command)
{
  const size_t n = strlen(command);
  return tg_lex_starts(l, p, command) && tg_lex_at(l, p + n) == '{' ? p + n + 1 : 0;
}

// Behind the name of \begin{bmatrix} or \end{bmatrix} and its kin, `command` says which; 0: it is none.
static size_t matrix_end(const tg_lexer *l, size_t p, const char *command)
{
  static const char *const names[] = {"bmatrix", "pmatrix", "matrix", "smallmatrix", "array"};
  const size_t open = environment_name(l, p, command);
  size_t close = open;
  if (open == 0) return 0;
  while (tg_lex_is_letter(tg_lex_at(l, close))) close++;
  if (tg_lex_at(l, close) != '}' || !is_one_of(l, open, close, names, COUNT(names))) return 0;
  const bool is_array = is_one_of(l, open, close, &names[COUNT(names) - 1], 1);
  close++;
  if (is_array && command[1] == 'b' && tg_lex_at(l, close) == '{') // {cc}
    while (close < l->length && l->text[close++] != '}') continue;
  return close;
}

// Whether the innermost environment that is open at p is a matrix.
static bool is_in_matrix(const tg_lexer *l, size_t p)
{
  int closed = 0;
  for (size_t at = p; at-- > 0;) {
    if (l->text[at] != '\\') continue;
    if (environment_name(l, at, "\\end") > 0) closed++;
    if (environment_name(l, at, "\\begin") == 0 || closed-- > 0) continue;
    return matrix_end(l, at, "\\begin") > 0;
  }
  return false;
}

size_t tg_lex_matrix(const tg_lexer *l, size_t p, char *symbol)
{
  const size_t begin = matrix_end(l, p, "\\begin");
  const size_t end = matrix_end(l, p, "\\end");
  const bool is_mark = tg_lex_at(l, p) == '&' || tg_lex_starts(l, p, "\\\\");
  *symbol = begin > 0 ? TG_SYMBOL_MATRIX : end > 0 ? ']' : tg_lex_at(l, p) == '&' ? ',' : ';';
  if (begin > 0 || end > 0) return (begin > 0 ? begin : end) - p;
  if (!is_mark || !is_in_matrix(l, p)) return 0;
  return *symbol == ',' ? 1 : 2;
}

// \\ behind the last row of a matrix.
static bool is_last_break(const tg_lexer *l, size_t p)
{
  size_t at = p + 2;
  while (at < l->length && strchr(" \t\r\n", l->text[at]) != NULL) at++;
  return tg_lex_starts(l, p, "\\\\") && matrix_end(l, at, "\\end") > 0;
}

tg_status tg_lex_spaces(tg_lexer *l, tg_token *out)
{
  for (bool more = true; more && l->position < l->length;) {
    const size_t p = l->position;
    const char c = l->text[p];
    const char next = tg_lex_at(l, p + 1);
    char symbol = 0;
    if ((c == '&' || c == '\\') && !is_last_break(l, p) && tg_lex_matrix(l, p, &symbol) > 0) break;
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '~')
      l->position++;
    else if (c == '\\' && next != '\0' && strchr(",;:! \\", next) != NULL)
      l->position += 2;
    else if (tg_lex_starts(l, p, "\xC2\xA0")) // the space that does not break
      l->position += 2;
    else if (tg_lex_starts(l, p, "\xE2\x80\x89")) // the thin one
      l->position += 3;
    else if (is_column_mark(l, p))
      l->position++;
    else if (c == '\\' && skip_environment(l, p) > p)
      l->position = skip_environment(l, p);
    else if (c == '\\')
      l->position = skip_size_of_bracket(l, p, &out->side);
    more = l->position > p;
    out->spaced = out->spaced || more;
  }
  return TG_OK;
}

// ---- names in braces ----

static const char *const fonts[] = {"mathrm",     "text",   "textrm", "operatorname", "mathit",  "mathbf",
                                    "boldsymbol", "bm",     "mathsf", "mathtt",       "mathcal", "mathbb",
                                    "vec",        "textbf", "textit", "pmb"};

static bool is_font(const tg_lexer *l, size_t begin, size_t end)
{
  return is_one_of(l, begin, end, fonts, COUNT(fonts));
}

// One piece of what stands in braces; *depth counts them.
static tg_status add_piece(tg_lexer *l, int *depth, tg_token *out)
{
  const size_t p = l->position;
  const char c = tg_lex_at(l, p);
  size_t bytes = 1;
  if (c == '{') {
    ++*depth;
  } else if (c == '}') {
    --*depth;
  } else if (c == '\\' && tg_lex_is_letter(tg_lex_at(l, p + 1))) {
    const size_t end = command_end(l, p);
    if (!is_font(l, p + 1, end)) TG_TRY(tg_lex_add_name(out, l->text + p + 1, end - p - 1));
    bytes = end - p;
  } else if (c == '\\') { // \_ is '_', \, nothing
    if (tg_lex_at(l, p + 1) == '_') TG_TRY(tg_lex_add_name(out, "_", 1));
    bytes = 2;
  } else if (tg_lex_is_letter(c) || tg_lex_is_digit(c) || c == '_' || c == ',' || c == '*') {
    TG_TRY(tg_lex_add_name(out, &c, 1));
  } else if (tg_lex_greek_name(l, p, &bytes) != NULL) {
    const char *greek = tg_lex_greek_name(l, p, &bytes);
    TG_TRY(tg_lex_add_name(out, greek, strlen(greek)));
  } else if (c != ' ') {
    TG_FAIL_AT(TG_SYNTAX, ((tg_span){p, p + (p < l->length)}), "a name in braces is made of letters, digits and '_'");
  }
  l->position += bytes;
  return TG_OK;
}

tg_status tg_lex_braced(tg_lexer *l, tg_token *out)
{
  int depth = 0;
  const size_t begin = l->position;
  do {
    if (l->position >= l->length) TG_FAIL_AT(TG_SYNTAX, ((tg_span){begin, begin + 1}), "'{' without a '}' behind it");
    TG_TRY(add_piece(l, &depth, out));
  } while (depth > 0);
  out->span.end = l->position;
  return TG_OK;
}

// ---- constants with their sizes ----

// The name without the '_' that the sizes hang from; 0: no constant.
static char constant_of(const char *name)
{
  if (strcmp(name, "I_") == 0 || strcmp(name, "I") == 0) return 'I';
  if (strcmp(name, "K_") == 0 || strcmp(name, "K") == 0) return 'K';
  if (strcmp(name, "unvec") == 0 || strcmp(name, "unvec_") == 0) return 'U';
  return name[0] == '0' || name[0] == '1' ? name[0] : '\0';
}

bool tg_lex_constant(tg_lexer *l, tg_token *out)
{
  const char symbol = constant_of(out->name);
  const size_t begin = l->position + 1;
  size_t end = begin;
  size_t comma = 0;
  size_t next = 0;
  int depth = 1;
  for (; symbol != '\0' && end < l->length; end++) {
    if (l->text[end] == '{') depth++;
    if (l->text[end] == '}' && --depth == 0) break;
    const bool is_times = tg_lex_starts(l, end, "\\times");
    if (comma != 0 || !(is_times || (l->text[end] == ',' && l->text[end - 1] != '\\'))) continue;
    comma = end;
    next = end + (is_times ? strlen("\\times") : 1);
  }
  if (symbol == '\0' || end >= l->length || (symbol == 'K' && comma == 0)) return false;
  out->kind = TG_TOKEN_CONSTANT;
  out->symbol = symbol;
  out->n_sizes = comma != 0 ? 2 : 1;
  out->sizes[0] = (tg_span){begin, comma != 0 ? comma : end};
  out->sizes[1] = (tg_span){next, end};
  l->position = out->span.end = end + 1;
  return true;
}

// ---- commands ----

static const char *const functions[] = {"log",  "ln",   "exp",   "det",    "sin",    "cos",   "tan", "tanh",
                                        "tr",   "Tr",   "trace", "diag",   "sign",   "sgn",   "max", "min",
                                        "sinh", "cosh", "rank",  "arcsin", "arccos", "arctan"};

static tg_status lex_subscript_of(tg_lexer *l, bool may_be_constant, tg_token *out)
{
  if (tg_lex_at(l, l->position) != '_') return tg_lex_name_end(l, out);
  l->position++;
  if (may_be_constant && tg_lex_at(l, l->position) == '{' && tg_lex_constant(l, out)) return TG_OK;
  TG_TRY(tg_lex_add_name(out, "_", 1));
  if (tg_lex_at(l, l->position) == '{') TG_TRY(tg_lex_braced(l, out));
  while (tg_lex_is_letter(tg_lex_at(l, l->position)) || tg_lex_is_digit(tg_lex_at(l, l->position)))
    TG_TRY(tg_lex_add_name(out, &l->text[l->position++], 1));
  out->span.end = l->position;
  return TG_OK;
}

// \mathrm{opt}, \mathbf X, \operatorname{tr}: a name.
static tg_status lex_font(tg_lexer *l, size_t end, tg_token *out)
{
  const bool is_operator = tg_lex_starts(l, l->position, "\\operatorname");
  const bool is_italic = tg_lex_starts(l, l->position, "\\mathit"); // a name, whatever it looks like
  out->kind = TG_TOKEN_NAME;
  out->span.end = l->position = end;
  while (tg_lex_at(l, l->position) == ' ') l->position++;
  if (tg_lex_at(l, l->position) == '{') {
    TG_TRY(tg_lex_braced(l, out));
  } else if (tg_lex_is_letter(tg_lex_at(l, l->position)) || tg_lex_is_digit(tg_lex_at(l, l->position))) {
    TG_TRY(tg_lex_add_name(out, &l->text[l->position++], 1));
  } else {
    TG_FAIL_AT(TG_SYNTAX, out->span, "expected a name in braces behind '%.*s'", (int)(end - out->span.begin),
               l->text + out->span.begin);
  }
  out->span.end = l->position;
  if (out->name[0] == '\0') TG_FAIL_AT(TG_SYNTAX, out->span, "a name in braces is made of letters, digits and '_'");
  if (strcspn(out->name, ",*") != strlen(out->name))
    TG_FAIL_AT(TG_SYNTAX, out->span, "a name in braces is made of letters, digits and '_'");
  out->is_upright = true;
  out->is_command = is_operator;
  return lex_subscript_of(l, !is_italic, out);
}

static const char *variant_of(const char *word, size_t n)
{
  static const char *const rows[][2] = {{"varepsilon", "epsilon"}, {"varphi", "phi"},     {"vartheta", "theta"},
                                        {"varrho", "rho"},         {"varsigma", "sigma"}, {"ell", "ell"}};
  for (size_t i = 0; i < COUNT(rows); i++)
    if (strlen(rows[i][0]) == n && memcmp(rows[i][0], word, n) == 0) return rows[i][1];
  return NULL;
}

tg_status tg_lex_command(tg_lexer *l, tg_token *out)
{
  const size_t begin = l->position;
  const size_t end = command_end(l, begin);
  const char *word = l->text + begin + 1;
  const size_t n = end - begin - 1;
  const char *variant = variant_of(word, n);
  out->span.end = end;
  if (is_font(l, begin + 1, end)) return lex_font(l, end, out);
  const bool is_function = is_one_of(l, begin + 1, end, functions, COUNT(functions));
  if (!is_function && variant == NULL && !tg_name_is_greek_letter(word, n)) return tg_lex_unexpected(l);
  out->kind = TG_TOKEN_NAME;
  out->is_upright = true;
  out->is_command = is_function;
  out->is_greek = !is_function;
  l->position = end;
  if (is_function && n == 2 && memcmp(word, "Tr", 2) == 0) return tg_lex_add_name(out, "tr", 2);
  if (variant != NULL)
    TG_TRY(tg_lex_add_name(out, variant, strlen(variant)));
  else
    TG_TRY(tg_lex_add_name(out, word, n));
  return is_function ? TG_OK : lex_subscript_of(l, false, out);
}

// ---- what is not read ----

// Characters and commands that stand for something that is written otherwise here, or not at all.
static const char *const advice[][2] = {
    {"[", "matrices are declared as data, not written out"},
    {"\\sum", "a sum over entries is sum(...)"},
    {"∑", "a sum over entries is sum(...)"},
    {"\\prod", "a product over entries is exp(sum(log(...)))"},
    {"∏", "a product over entries is exp(sum(log(...)))"},
    {"\\nabla", "write the function alone: derive gives its gradient"},
    {"\\partial", "write the function alone: derive gives its gradient"},
    {"∂", "write the function alone: derive gives its gradient"},
    {"∇", "write the function alone: derive gives its gradient"},
    {"\\int", "integrals are not in the language"},
    {"∫", "integrals are not in the language"},
    {"\\hat", "write a name such as x_hat"},
    {"\\bar", "write a name such as x_bar"},
    {"\\tilde", "write a name such as x_tilde"},
    {"\\widehat", "write a name such as x_hat"},
    {"\\overline", "write a name such as x_bar"},
    {"\\dagger", "pseudo-inverses are not in the language; with full column rank write inv(A'*A)*A'"},
    {"†", "pseudo-inverses are not in the language; with full column rank write inv(A'*A)*A'"},
    {"\\infty", "the language has no infinity"},
    {"∞", "the language has no infinity"},
    {"\\begin", "matrices are declared as data, not written out"},
    {"\\\\", "write inv(A)*B, or one line"},
    {"\\", "write inv(A)*B"},
    {"&", "write one expression"},
    {"$", "write the formula without '$'"},
    {"%", "write '*' for the matrix product, or as in R %*%"},
    {"!", "factorials are not in the language"},
    {"<", "an inequality belongs to subject_to of a job"},
    {">", "an inequality belongs to subject_to of a job"},
    {"≤", "an inequality belongs to subject_to of a job"},
    {"≥", "an inequality belongs to subject_to of a job"},
    {"÷", "write '/'"},
    {"“", "names are not quoted"},
    {"”", "names are not quoted"},
};

tg_status tg_lex_unexpected(const tg_lexer *l)
{
  const size_t p = l->position;
  const unsigned char byte = (unsigned char)tg_lex_at(l, p);
  for (size_t i = 0; i < COUNT(advice); i++)
    if (tg_lex_starts(l, p, advice[i][0]) && (advice[i][0][0] != '\\' || command_end(l, p) == p + strlen(advice[i][0])))
      TG_FAIL_AT(TG_SYNTAX, ((tg_span){p, p + strlen(advice[i][0])}), "unexpected character '%s'; %s", advice[i][0],
                 advice[i][1]);
  size_t end = p + 1;
  if (byte == '\\') end = command_end(l, p);
  if (byte == '\\' && end > p + 1)
    TG_FAIL_AT(TG_SYNTAX, ((tg_span){p, end}), "unexpected '%.*s'; it is not in the language; for A\\B write inv(A)*B",
               (int)(end - p), l->text + p);
  if (end > l->length) end = l->length;
  while (byte >= 0x80 && end < l->length && tg_utf8_continues(l->text[end])) end++;
  if (byte < 0x20 || byte == 0x7F)
    TG_FAIL_AT(TG_SYNTAX, ((tg_span){p, end}), "unexpected control character (byte 0x%02X)", byte);
  if (byte == '.') TG_FAIL_AT(TG_SYNTAX, ((tg_span){p, end}), "unexpected '.'; entrywise operators are .* ./ .^");
  TG_FAIL_AT(TG_SYNTAX, ((tg_span){p, end}), "unexpected character '%.*s'", (int)(end - p), l->text + p);
}
