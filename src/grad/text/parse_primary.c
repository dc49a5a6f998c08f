// Primaries: numbers, names, calls, parentheses, bars, roots, fractions, constants of LaTeX.
#include "base/memory.h"
#include "grad/text/foreign.h"
#include "grad/text/names.h"
#include "grad/text/parser.h"
#include "grad/text/places.h"
#include "grad/text/print_parts.h"

// ---- words ----

bool tg_parse_is_long_word(const tg_parser *p, const tg_token *token)
{
  const char *name = token->name;
  size_t letters = 0;
  if (token->kind != TG_TOKEN_NAME || token->is_upright || token->is_module) return false;
  while ((name[letters] >= 'a' && name[letters] <= 'z') || (name[letters] >= 'A' && name[letters] <= 'Z')) letters++;
  if (letters < 2 || name[letters] != '\0') return false;
  const bool is_differential = name[0] == 'd' && letters == 2 && name[1] >= 'A' && name[1] <= 'Z';
  return !is_differential && !tg_parse_is_declared(p, name) && tg_letter_of(name) != TG_LETTER_GREEK &&
         tg_name_is_greek_letter(name, letters) == false && tg_function_find(name) == NULL;
}

enum { SPELLED_LETTERS_MAX = 4 };

tg_status tg_parse_fail_long_word(const tg_parser *p, tg_span word)
{
  char product[2 * SPELLED_LETTERS_MAX + 1] = "";
  char name[TG_NAME_BYTES_MAX + 1] = "";
  const size_t n = word.end - word.begin;
  if (n <= TG_NAME_BYTES_MAX) memcpy(name, p->text + word.begin, n);
  if (tg_foreign_is_function(name)) TG_FAIL_AT(TG_SYNTAX, word, "'%s' is a function: write %s(X)", name, name);
  for (size_t i = 0; i < n && n <= SPELLED_LETTERS_MAX; i++) {
    if (i > 0) product[2 * i - 1] = '*';
    product[2 * i] = p->text[word.begin + i];
    product[2 * i + 1] = '\0';
  }
  if (p->is_latex)
    TG_FAIL_AT(TG_SYNTAX, word,
               "in LaTeX '%.*s' is a product of its letters; write %s with '*', or \\mathrm{%.*s} for one name", (int)n,
               p->text + word.begin, product[0] != '\0' ? product : "it", (int)n, p->text + word.begin);
  TG_FAIL_AT(TG_SYNTAX, word, "'%.*s' beside a factor without an operator may be one name or a product; write '*'%s%s",
             (int)n, p->text + word.begin, product[0] != '\0' ? ", as in " : "", product);
}

// ---- parentheses, bars, braces ----

// What stands inside, with no bar open; the token is the opening one. The whole has the span of its parentheses.
static tg_status parse_enclosed(tg_parser *p, char close, const char *what, tg_ast **out)
{
  const size_t begin = p->token.span.begin;
  const char bar = p->bar;
  TG_TRY(tg_parse_enter(p));
  TG_TRY(tg_parse_advance(p));
  p->bar = 0;
  TG_TRY(tg_parse_expression(p, out));
  if (!tg_parse_at(p, close)) return tg_parse_fail_expected(p, what);
  (*out)->span = (tg_span){begin, p->token.span.end};
  p->long_word = (tg_span){0, 0};
  p->bar = bar;
  p->nesting--;
  return tg_parse_advance(p);
}

static bool is_bar(const tg_parser *p)
{
  return tg_parse_at(p, '|') || tg_parse_at(p, TG_SYMBOL_NORM);
}

// Whether the bar at hand, where an operator might stand, opens.
static bool opens(const tg_parser *p)
{
  if (p->token.side != 0) return p->token.side == '(';
  return p->bar != p->token.symbol;
}

bool tg_parse_starts_factor(const tg_parser *p)
{
  const tg_token *token = &p->token;
  if (token->kind == TG_TOKEN_NAME || token->kind == TG_TOKEN_CONSTANT) return true;
  if (token->kind != TG_TOKEN_SYMBOL) return false;
  if (is_bar(p)) return opens(p);
  // f(x)(y) is no product; (a + b)(c + d) is read as one only where LaTeX marks its parentheses.
  if (tg_parse_at(p, '(') && token->side == 0 && !token->spaced && p->text[token->span.begin - 1] == ')') return false;
  return tg_parse_at(p, '(') || (p->is_latex && tg_parse_at(p, '{')) || tg_parse_at(p, '<') ||
         tg_parse_at(p, TG_SYMBOL_ROOT) || tg_parse_at(p, TG_SYMBOL_FRACTION) || tg_parse_at(p, TG_SYMBOL_MATRIX);
}

static tg_status fail_norm(tg_span span, const char *index)
{
  static const char *const rows[][2] = {{"inf", "the maximum norm"},
                                        {"infty", "the maximum norm"},
                                        {"0", "the number of entries other than 0"},
                                        {"2,1", "the norm of rows"},
                                        {"max", "the maximum norm"}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (strcmp(index, rows[i][0]) == 0) TG_FAIL_AT(TG_SYNTAX, span, "%s is not in the language", rows[i][1]);
  TG_FAIL_AT(TG_SYNTAX, span, "a norm with the index '%s' is not in the language; x'*%s*x is written out", index,
             index);
}

// ‖X‖, ‖X‖_F: Frobenius; ‖X‖_2, ‖X‖_op: spectral, of a vector the same as Frobenius; ‖X‖_*: nuclear; ‖X‖_1: the sum of
// absolute values
static tg_status make_norm(tg_parser *p, const char *index, tg_span span, tg_ast *inner, tg_ast **out)
{
  static const char *const norms[][2] = {{"", "norm2"},           {"F", "norm2"},        {"Fro", "norm2"},
                                         {"fro", "norm2"},        {"1", "norm1"},        {"2", "spectral_norm"},
                                         {"op", "spectral_norm"}, {"*", "nuclear_norm"}, {"nuc", "nuclear_norm"},
                                         {"tr", "nuclear_norm"}};
  for (size_t i = 0; i < sizeof norms / sizeof norms[0]; i++)
    if (strcmp(index, norms[i][0]) == 0) return tg_parse_make_call(p, norms[i][1], span, 1, (tg_ast *[]){inner}, out);
  return fail_norm(span, index);
}

// "|" expression "|", "||" expression "||" [ index ]
static tg_status parse_bars(tg_parser *p, tg_ast **out)
{
  const size_t begin = p->token.span.begin;
  const char symbol = p->token.symbol;
  const char bar = p->bar;
  tg_token index = {0};
  tg_ast *inner = NULL;
  TG_TRY(tg_parse_enter(p));
  TG_TRY(tg_parse_advance(p));
  p->bar = symbol;
  TG_TRY(tg_parse_expression(p, &inner));
  if (!tg_parse_at(p, symbol) || p->token.side == '(')
    return tg_parse_fail_expected(p, symbol == '|' ? "'|' or an operator" : "'||' or an operator");
  p->bar = bar;
  p->nesting--;
  if (symbol == TG_SYMBOL_NORM) TG_TRY(tg_lex_subscript(p->text, p->length, &p->position, &index));
  const tg_span span = {begin, symbol == TG_SYMBOL_NORM ? index.span.end : p->token.span.end};
  size_t behind = p->position;
  if (symbol == TG_SYMBOL_NORM && index.name[0] == '\0')
    behind = tg_lex_index_behind_power(p->text, p->length, p->position);
  if (behind > p->position) { // ‖X‖²_F
    p->passed = (tg_span){behind, behind};
    TG_TRY(tg_lex_subscript(p->text, p->length, &p->passed.end, &index));
  }
  TG_TRY(tg_parse_advance(p));
  p->long_word = (tg_span){0, 0};
  if (symbol == TG_SYMBOL_NORM) return make_norm(p, index.name, span, inner, out);
  TG_TRY(tg_parse_make_call(p, "abs", span, 1, (tg_ast *[]){inner}, out));
  (*out)->wants = 's';
  return TG_OK;
}

// The inner product: "<" expression "," expression ">" [ "_F" ]
static tg_status parse_inner(tg_parser *p, tg_ast **out)
{
  const size_t begin = p->token.span.begin;
  const char bar = p->bar;
  tg_token index = {0};
  tg_ast *args[2] = {NULL, NULL};
  TG_TRY(tg_parse_enter(p));
  TG_TRY(tg_parse_advance(p));
  p->bar = 0;
  TG_TRY(tg_parse_expression(p, &args[0]));
  TG_TRY(tg_parse_expect(p, ',', "','"));
  TG_TRY(tg_parse_expression(p, &args[1]));
  if (!tg_parse_at(p, '>')) return tg_parse_fail_expected(p, "the end of the inner product");
  TG_TRY(tg_lex_subscript(p->text, p->length, &p->position, &index));
  const tg_span span = {begin, index.span.end};
  if (index.name[0] != '\0' && strcmp(index.name, "F") != 0)
    TG_FAIL_AT(TG_SYNTAX, span, "an inner product with the index '%s' is not in the language", index.name);
  p->bar = bar;
  p->nesting--;
  TG_TRY(tg_parse_advance(p));
  return tg_parse_make_call(p, "dot", span, 2, args, out);
}

// ---- LaTeX ----

// One argument of a command: in braces, or a single digit or name.
static tg_status parse_command_argument(tg_parser *p, tg_ast **out)
{
  if (tg_parse_at(p, '{')) return parse_enclosed(p, '}', "'}'", out);
  if (p->token.kind == TG_TOKEN_NUMBER && p->token.span.end - p->token.span.begin > 1) { // \frac12
    const size_t begin = p->token.span.begin;
    TG_TRY(tg_parse_number(p, p->text[begin] - '0', (tg_span){begin, begin + 1}, out));
    p->position = begin + 1;
    return tg_parse_advance(p);
  }
  return tg_parse_primary(p, out);
}

static tg_status parse_fraction(tg_parser *p, tg_ast **out)
{
  const size_t begin = p->token.span.begin;
  tg_ast *above = NULL;
  tg_ast *below = NULL;
  TG_TRY(tg_parse_advance(p));
  TG_TRY(parse_command_argument(p, &above));
  TG_TRY(parse_command_argument(p, &below));
  p->long_word = (tg_span){0, 0};
  return tg_parse_binary(p, '/', (tg_span){begin, below->span.end}, above, below, out);
}

static tg_status parse_root(tg_parser *p, tg_ast **out)
{
  const size_t begin = p->token.span.begin;
  tg_ast *inner = NULL;
  TG_TRY(tg_parse_advance(p));
  if (tg_parse_at(p, '[')) TG_FAIL_AT(TG_SYNTAX, p->token.span, "a root of another degree is a power: write x^(1/3)");
  TG_TRY(parse_command_argument(p, &inner));
  p->long_word = (tg_span){0, 0};
  return tg_parse_make_call(p, "sqrt", (tg_span){begin, inner->span.end}, 1, (tg_ast *[]){inner}, out);
}

// Letters beside each other are a product of sizes: of a name that is one the first letter, behind which the text goes
// on.
bool tg_parse_split_letters(tg_token *token)
{
  const bool is_product = !token->is_upright && token->name[1] != '\0' && strspn(token->name, "0123456789") == 0 &&
                          token->span.end - token->span.begin == strlen(token->name);
  if (is_product) token->name[1] = '\0';
  if (is_product) token->span.end = token->span.begin + 1;
  return is_product;
}

// A size of LaTeX: digits, letters and names in \mathrm{}, multiplied without a sign; sums of them.
static tg_status parse_latex_size(tg_parser *p, tg_span span, tg_ast **out)
{
  size_t position = span.begin;
  tg_token token;
  tg_ast *product = NULL;
  tg_ast *sum = NULL;
  char op = '+';
  while (true) {
    tg_ast *factor = NULL;
    TG_TRY(tg_lex(p->text, span.end, &position, &token));
    const bool is_symbol = token.kind == TG_TOKEN_SYMBOL;
    if (is_symbol && token.symbol == '*') continue;
    const bool is_sign = is_symbol && (token.symbol == '+' || token.symbol == '-');
    if (token.kind == TG_TOKEN_END || is_sign) {
      if (product == NULL) TG_FAIL_AT(TG_SYNTAX, span, "a size is missing here");
      if (sum != NULL) TG_TRY(tg_parse_binary(p, op, span, sum, product, &product));
      sum = product;
      product = NULL;
      op = token.symbol;
      if (is_sign) continue;
      break;
    }
    if (token.kind == TG_TOKEN_NUMBER) {
      TG_TRY(tg_parse_number(p, token.number, token.span, &factor));
    } else if (token.kind == TG_TOKEN_NAME) {
      if (tg_parse_split_letters(&token)) position = token.span.end;
      TG_TRY(tg_parse_name(p, token.name, token.span, &factor));
    } else {
      TG_FAIL_AT(TG_SYNTAX, token.span, "a size is a whole number of at least 1, or the name of a size such as n");
    }
    if (product != NULL) TG_TRY(tg_parse_binary(p, '*', span, product, factor, &factor));
    product = factor;
  }
  *out = sum;
  return TG_OK;
}

// I_{n}, 1_{m \times n}, 0_{m \times n}, K_{m,n}, unvec_{m \times n}(v)
static tg_status parse_constant(tg_parser *p, tg_ast **out)
{
  const tg_token token = p->token;
  tg_ast *args[3] = {NULL, NULL, NULL};
  tg_ast **sizes = token.symbol == 'U' ? args + 1 : args;
  for (int i = 0; i < token.n_sizes; i++) TG_TRY(parse_latex_size(p, token.sizes[i], &sizes[i]));
  TG_TRY(tg_parse_advance(p));
  if (token.n_sizes == 1 && token.symbol != 'I') TG_TRY(tg_parse_number(p, 1.0, token.span, &sizes[1]));
  const char *name = token.symbol == 'I'   ? "eye"
                     : token.symbol == 'K' ? "comm"
                     : token.symbol == '1' ? "ones"
                                           : "zeros";
  if (token.symbol != 'U') return tg_parse_make_call(p, name, token.span, token.symbol == 'I' ? 1 : 2, args, out);
  if (!tg_parse_at(p, '(')) return tg_parse_fail_expected(p, "'('");
  TG_TRY(parse_enclosed(p, ')', "')'", &args[0]));
  return tg_parse_make_call(p, "reshape", (tg_span){token.span.begin, args[0]->span.end}, 3, args, out);
}

// \log x, \operatorname{tr} X: a function before one factor that ends the product.
static tg_status parse_application(tg_parser *p, const tg_token *token, tg_ast **out)
{
  tg_ast *argument = NULL;
  if (tg_parse_at(p, '^') || p->token.kind == TG_TOKEN_POWER)
    TG_FAIL_AT(TG_SYNTAX, p->token.span, "a power of a function is written behind its argument: %s(x)^2", token->name);
  if (tg_parse_at(p, '{')) {
    TG_TRY(parse_enclosed(p, '}', "'}'", &argument));
  } else {
    TG_TRY(tg_parse_enter(p));
    TG_TRY(tg_parse_power(p, &argument));
    p->nesting--;
    if (argument->kind == TG_AST_POWER && argument->args[0]->kind == TG_AST_CALL)
      TG_FAIL_AT(TG_SYNTAX, argument->span, "what this is a power of may be read two ways; write %s(...)", token->name);
    const bool is_closed = p->text[argument->span.end - 1] == ')'; // \log\det(X) ends by itself
    if (!is_closed && tg_parse_starts_factor(p))
      TG_FAIL_AT(TG_SYNTAX, p->token.span, "where the argument of %s ends may be read two ways; write %s(...)",
                 token->name, token->name);
  }
  return tg_foreign_call(p, token->name, (tg_span){token->span.begin, argument->span.end}, 1, (tg_ast *[]){argument},
                         out);
}

// ---- names ----

// lambda_ is what NumPy's format prints for lambda, a word of the language there.
static void unescape(const tg_parser *p, tg_token *token)
{
  const size_t length = strlen(token->name);
  if (length < 2 || token->name[length - 1] != '_' || tg_parse_is_declared(p, token->name)) return;
  size_t base = length;
  while (base > 0 && token->name[base - 1] == '_') base--;
  if (!tg_print_is_keyword(token->name, base)) return;
  token->name[length - 1] = '\0';
  if (!tg_parse_is_declared(p, token->name)) token->name[length - 1] = '_';
}

// \mathbf{1}, \mathbf{0}, with the number of rows below: \mathbf{1}_n
static tg_status parse_bold_digit(tg_parser *p, const tg_token *token, tg_ast **out)
{
  tg_ast *sizes[2] = {NULL, NULL};
  const char *name = token->name[0] == '1' ? "ones" : "zeros";
  const bool is_bare = token->name[1] == '\0';
  const bool is_sized =
      token->name[1] == '_' && tg_name_is_valid(token->name + 2) && !tg_name_is_reserved(token->name + 2);
  if (token->name[0] > '1' || (!is_bare && !is_sized))
    TG_FAIL_AT(TG_SYNTAX, token->span, "a name does not begin with a digit");
  if (is_bare) {
    TG_TRY(tg_parse_make_call(p, name, token->span, 0, NULL, out));
    (*out)->wants = 'c';
    return TG_OK;
  }
  TG_TRY(tg_parse_name(p, token->name + 2, token->span, &sizes[0]));
  TG_TRY(tg_parse_number(p, 1.0, token->span, &sizes[1]));
  return tg_parse_make_call(p, name, token->span, 2, sizes, out);
}

// A Greek letter before a parenthesis is a factor, but for those that are functions in papers.
static bool is_factor(const tg_token *token)
{
  static const char *const functions[] = {"sigma", "phi", "psi", "Gamma", "Phi", "Psi", "zeta"};
  for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
    if (strcmp(token->name, functions[i]) == 0) return false;
  return token->is_greek;
}

// name | name "(" arguments ")"
static tg_status parse_named(tg_parser *p, tg_ast **out)
{
  tg_token token = p->token;
  unescape(p, &token);
  const bool is_long = tg_parse_is_long_word(p, &token);
  const bool is_function =
      !is_factor(&token) && !tg_parse_is_declared(p, token.name) && tg_foreign_is_function(token.name);
  TG_TRY(tg_parse_advance(p));
  // \left( behind a name is a factor; a parenthesis of one's own makes a call of any name.
  const bool is_word = is_function && token.name[1] != '\0'; // t \left( is a product
  // A (B + C) with a space, of one letter that is no function, is a product as well.
  const bool is_letter = token.name[1] == '\0' && p->token.spaced && !is_function;
  const bool calls =
      tg_parse_at(p, '(') && !is_factor(&token) && !is_letter && (p->token.side == 0 || is_word || token.is_command);
  const bool opens_index = ((tg_parse_at(p, '(') && p->token.side == 0) || tg_parse_at(p, '[')) && !p->token.spaced;
  const bool is_indexed = opens_index && !is_function && !is_factor(&token) &&
                          tg_parse_looks_like_index(p, tg_parse_is_declared(p, token.name));
  if (is_indexed) return tg_parse_name(p, token.name, token.span, out);
  p->is_module = token.is_module;
  if (calls && token.is_module && strcmp(token.name, "dot") == 0)
    TG_FAIL_AT(TG_SYNTAX, token.span, "write A*B for the matrix product, dot(A, B) for the inner product");
  if (calls) return tg_parse_call(p, token.name, token.span.begin, NULL, out);
  if (tg_parse_at(p, '[') && !tg_parse_is_declared(p, token.name) && !p->token.spaced)
    return tg_foreign_fail_brackets(p, &token);
  if (token.is_command && !tg_parse_is_declared(p, token.name)) return parse_application(p, &token, out);
  const tg_function_info *next = p->token.kind == TG_TOKEN_NAME ? tg_function_find(p->token.name) : NULL;
  const bool is_composed = next != NULL && !tg_function_is_constant(next); // log det(X)
  if (is_function && (is_composed || (is_bar(p) && opens(p)))) return parse_application(p, &token, out);
  if (is_long && p->is_latex) return tg_parse_fail_long_word(p, token.span);
  if (token.name[0] >= '0' && token.name[0] <= '9') return parse_bold_digit(p, &token, out);
  if (is_long) p->long_word = token.span;
  return tg_parse_name(p, token.name, token.span, out);
}

// primary = number | named | "(" expression ")" | bars | root | fraction | constant
tg_status tg_parse_primary(tg_parser *p, tg_ast **out)
{
  const tg_token token = p->token;
  p->long_word = (tg_span){0, 0};
  if (tg_parse_at(p, '(')) return parse_enclosed(p, ')', "')'", out);
  if (p->is_latex && tg_parse_at(p, '{')) return parse_enclosed(p, '}', "'}'", out);
  if (tg_parse_at(p, '[') || tg_parse_at(p, TG_SYMBOL_MATRIX)) return tg_parse_blocks(p, out);
  if (tg_parse_at(p, '<')) return parse_inner(p, out);
  if (tg_parse_at(p, TG_SYMBOL_ROOT)) return parse_root(p, out);
  if (tg_parse_at(p, TG_SYMBOL_FRACTION)) return parse_fraction(p, out);
  if (is_bar(p) && token.side != ')') return parse_bars(p, out);
  if (token.kind == TG_TOKEN_CONSTANT) return parse_constant(p, out);
  if (token.kind == TG_TOKEN_NUMBER) {
    TG_TRY(tg_parse_number(p, token.number, token.span, out));
    return tg_parse_advance(p);
  }
  if (token.kind != TG_TOKEN_NAME) return tg_parse_fail_expected(p, "a number, a name or '('");
  return parse_named(p, out);
}
