// Undeclared constants, and notices of what was read otherwise than letters and custom suggest.
#include "grad/text/readings.h"

#include <stdlib.h>
#include <string.h>

#include "grad/text/names.h"

// ---- notices ----

// One line in the text of notices, once.
static void add_notice(const tg_shaper *shaper, const char *line)
{
  tg_text *notices = shaper->options->notices;
  if (notices == NULL || strstr(tg_text_string(notices), line) != NULL) return;
  tg_text_add(notices, line);
  tg_text_add(notices, "\n");
}

// ---- constants ----

static bool is_declared(const tg_shaper *shaper, const char *name)
{
  bool found = tg_symbol_find(shaper->graph, name) >= 0;
  for (int32_t i = 0; !found && i < shaper->options->n_declarations; i++)
    found = strcmp(shaper->options->declarations[i].name, name) == 0;
  return found;
}

// The name becomes eye, or eye(n) with the text of a size.
static tg_status make_identity(const tg_shaper *shaper, tg_ast *ast, const char *size)
{
  char *end = NULL;
  ast->name = "eye";
  if (size == NULL) return TG_OK;
  TG_TRY(TG_ARENA_NEW(shaper->arena, 1, &ast->args));
  TG_TRY(TG_ARENA_NEW(shaper->arena, 1, &ast->ops));
  TG_TRY(TG_ARENA_NEW(shaper->arena, 1, &ast->args[0]));
  const double number = strtod(size, &end);
  ast->kind = TG_AST_CALL;
  ast->n_args = 1;
  *ast->args[0] =
      (tg_ast){.kind = *end == '\0' ? TG_AST_NUMBER : TG_AST_NAME, .span = ast->span, .number = number, .name = size};
  return TG_OK;
}

// n or 3, and no name of a function.
static bool is_size(const char *text)
{
  if (text[strspn(text, "0123456789")] == '\0') return text[0] != '\0' && text[0] != '0' && strlen(text) < 10;
  return tg_name_is_valid(text) && !tg_name_is_reserved(text);
}

static tg_status resolve_name(const tg_shaper *shaper, tg_ast *ast)
{
  const char *name = ast->name;
  const bool is_identity = strcmp(name, "I") == 0 || (strncmp(name, "I_", 2) == 0 && is_size(name + 2));
  const bool is_pi = strcmp(name, "pi") == 0;
  if ((!is_identity && !is_pi) || is_declared(shaper, name)) return TG_OK;
  if (is_identity) {
    add_notice(shaper, "I is the identity here; --dims I=mxn makes it a name");
    return make_identity(shaper, ast, name[1] == '_' ? name + 2 : NULL);
  }
  add_notice(shaper, "pi is the number 3.14159... here; --dims pi=1 makes it a name");
  ast->kind = TG_AST_NUMBER;
  ast->number = 3.14159265358979323846;
  return TG_OK;
}

static bool is_literal(const tg_ast *ast)
{
  while (ast->kind == TG_AST_NEGATIVE) ast = ast->args[0];
  return ast->kind == TG_AST_NUMBER;
}

tg_status tg_resolve_constants(const tg_shaper *shaper, tg_ast *ast)
{
  for (int32_t i = 0; i < tg_ast_expressions(ast); i++) TG_TRY(tg_resolve_constants(shaper, ast->args[i]));
  // I(n) is what the human format prints.
  if (ast->kind == TG_AST_CALL && ast->n_args == 1 && strcmp(ast->name, "I") == 0) ast->name = "eye";
  const bool is_power = ast->kind == TG_AST_POWER && ast->args[0]->kind == TG_AST_NAME;
  if (is_power && strcmp(ast->args[0]->name, "e") == 0 && !is_declared(shaper, "e") && !is_literal(ast->args[1]))
    TG_FAIL_AT(TG_NAME, ast->span, "e^x is written exp(x); --dims e=1 makes e a name");
  return ast->kind == TG_AST_NAME ? resolve_name(shaper, ast) : TG_OK;
}

// ---- names read against their letters ----

typedef enum reading { READ_SCALAR, READ_VECTOR, READ_MATRIX } reading;

// Capital: matrix; Greek: scalar; other small letters: a column, or a scalar where the letter or the place says so.
static bool is_usual(const char *name, reading read, bool is_row, unsigned places)
{
  switch (tg_letter_of(name)) {
  case TG_LETTER_MATRIX:
    return read == READ_MATRIX;
  case TG_LETTER_GREEK:
    return read == READ_SCALAR;
  case TG_LETTER_SCALAR:
    return read == READ_SCALAR || (read == READ_VECTOR && !is_row);
  default:
    if (read == READ_VECTOR) return !is_row;
    return read == READ_SCALAR && (places & (TG_PLACE_AT_FRONT | TG_PLACE_BY_SCALAR)) != 0;
  }
}

static void add_reading(tg_shaper *shaper, const tg_scope_symbol *symbol, bool first, tg_text *out)
{
  const tg_ast shape = {.rows = symbol->rows, .cols = symbol->cols};
  tg_text_addf(out, first ? "%s is read as " : ", %s as ", symbol->name);
  tg_shape_describe(shaper, &shape, out);
}

// The remedy: the size that the letter of the first of them suggests.
static void add_remedy(const char *name, tg_text *out)
{
  const tg_letter letter = tg_letter_of(name);
  const char *size = letter == TG_LETTER_MATRIX ? "mxn" : letter == TG_LETTER_GREEK ? "1" : "n";
  tg_text_addf(out, "; sizes say otherwise: --dims %s=%s", name, size);
}

static bool is_read(const tg_shaper *shaper, const char *letters, size_t n)
{
  char name[8] = "";
  memcpy(name, letters, n);
  return tg_name_index_find(&shaper->index, name) >= 0 || is_declared(shaper, name);
}

// Xw, read as a vector beside w: most likely X*w, of which w would be lost without a word.
tg_status tg_refuse_products(const tg_shaper *shaper, const tg_ast *ast)
{
  for (int32_t i = 0; i < tg_ast_expressions(ast); i++) TG_TRY(tg_refuse_products(shaper, ast->args[i]));
  if (ast->kind != TG_AST_NAME || strlen(ast->name) != 2 || tg_function_find(ast->name) != NULL) return TG_OK;
  const bool is_product = ast->name[0] >= 'A' && ast->name[0] <= 'Z' && ast->name[1] >= 'a' && ast->name[1] <= 'z';
  const int32_t index = tg_name_index_find(&shaper->index, ast->name);
  if (!is_product || index < 0 || !shaper->symbols[index].guessed || is_declared(shaper, ast->name)) return TG_OK;
  if (!tg_size_is_one(&shaper->sizes, shaper->symbols[index].cols) || !is_read(shaper, ast->name + 1, 1)) return TG_OK;
  TG_FAIL_AT(TG_NAME, ast->span,
             "'%s' would be one name, a vector, beside '%c'; for the product write %c*%c, else give "
             "--dims %s=n",
             ast->name, ast->name[1], ast->name[0], ast->name[1], ast->name);
}

static int count_uses(const tg_ast *ast, const char *name)
{
  int count = ast->kind == TG_AST_NAME && strcmp(ast->name, name) == 0;
  for (int32_t i = 0; i < ast->n_args; i++) count += count_uses(ast->args[i], name);
  return count;
}

// K of K*tr(X), read as the matrix that its letter says: the value is a matrix then, where a scalar is likelier meant.
static void report_matrix_value(const tg_shaper *shaper, const tg_ast *ast, const tg_places *places)
{
  for (int32_t i = 0; i < shaper->n_symbols; i++) {
    const tg_scope_symbol *symbol = &shaper->symbols[i];
    const int32_t index = symbol->guessed ? tg_name_index_find(places->names, symbol->name) : -1;
    if (index < 0 || (places->marks[index] & TG_PLACE_BY_SCALAR) == 0) continue;
    if (tg_letter_of(symbol->name) != TG_LETTER_MATRIX || tg_shape_is_scalar(shaper, ast)) continue;
    if (count_uses(ast, symbol->name) > 1) continue; // X of sumsq(X)*X
    if (tg_size_is_one(&shaper->sizes, symbol->rows) && tg_size_is_one(&shaper->sizes, symbol->cols)) continue;
    tg_text line;
    tg_text_init(&line);
    tg_text_addf(&line, "%s is read as a matrix, and so is the value; for a scalar: --dims %s=1", symbol->name,
                 symbol->name);
    if (tg_text_status(&line) == TG_OK) add_notice(shaper, tg_text_string(&line));
    tg_text_fini(&line);
  }
}

// All in one line.
static tg_status report_names(tg_shaper *shaper, const tg_places *places)
{
  tg_text line;
  const char *first = NULL;
  tg_text_init(&line);
  for (int32_t i = 0; i < shaper->n_symbols; i++) {
    const tg_scope_symbol *symbol = &shaper->symbols[i];
    const int32_t index = symbol->guessed ? tg_name_index_find(places->names, symbol->name) : -1;
    if (index < 0) continue; // symmetric, definite, diagonal matrices are declared to be matrices
    const bool is_row = tg_size_is_one(&shaper->sizes, symbol->rows);
    const bool is_column = tg_size_is_one(&shaper->sizes, symbol->cols);
    const reading read = is_row && is_column ? READ_SCALAR : is_row || is_column ? READ_VECTOR : READ_MATRIX;
    if (is_usual(symbol->name, read, is_row, places->marks[index])) continue;
    add_reading(shaper, symbol, first == NULL, &line);
    if (first == NULL) first = symbol->name;
  }
  if (first != NULL) add_remedy(first, &line);
  const tg_status status = tg_text_status(&line);
  if (first != NULL && status == TG_OK) add_notice(shaper, tg_text_string(&line));
  tg_text_fini(&line);
  return status;
}

// ---- scalars added to every entry ----

// X + 2 under inv, det, logdet or tr: whoever writes it is likelier to mean 2*eye.
static tg_status report_added_scalar(tg_shaper *shaper, const tg_ast *scalar)
{
  tg_text text;
  tg_text line;
  tg_text_init(&text);
  tg_text_init(&line);
  tg_shape_quote(shaper, scalar, &text);
  const bool is_sum = scalar->kind == TG_AST_SUM;
  const char *open = is_sum ? "(" : "";
  const char *close = is_sum ? ")" : "";
  const char *c = tg_text_string(&text);
  if (scalar->kind == TG_AST_NUMBER && scalar->number == 1.0)
    tg_text_addf(&line, "%s is added to every entry, as ones, not as eye", c);
  else
    tg_text_addf(&line, "%s is added to every entry: %s%s%s*ones, not %s%s%s*eye", c, open, c, close, open, c, close);
  const tg_status status = tg_text_status(&line);
  if (status == TG_OK) add_notice(shaper, tg_text_string(&line));
  tg_text_fini(&text);
  tg_text_fini(&line);
  return status;
}

// inv, det, logdet, tr, and powers of a matrix.
static bool is_of_square(const tg_ast *ast)
{
  static const char *const names[] = {"inv", "det", "logdet", "tr"};
  bool found = ast->kind == TG_AST_POWER && ast->ops[0] == '^';
  for (size_t k = 0; !found && ast->kind == TG_AST_CALL && k < sizeof names / sizeof names[0]; k++)
    found = strcmp(ast->name, names[k]) == 0;
  return found;
}

static tg_status report_sum(tg_shaper *shaper, const tg_ast *ast)
{
  const bool told = ast->kind == TG_AST_SUM && !tg_shape_is_scalar(shaper, ast) &&
                    tg_size_is_equal(&shaper->sizes, ast->rows, ast->cols);
  for (int32_t i = 0; told && i < ast->n_args; i++)
    if (tg_shape_is_scalar(shaper, ast->args[i])) TG_TRY(report_added_scalar(shaper, ast->args[i]));
  return TG_OK;
}

// Of a part only its own sum: what it is made of is reported where it stands.
static tg_status report_sums(tg_shaper *shaper, const tg_ast *ast, bool inside)
{
  if (inside) TG_TRY(report_sum(shaper, ast));
  inside = inside || is_of_square(ast);
  for (int32_t i = 0; i < tg_ast_expressions(ast); i++) {
    const tg_ast *arg = ast->args[i];
    const bool is_part = arg->kind == TG_AST_PART;
    while (arg->kind == TG_AST_PART) arg = arg->definition;
    if (inside && is_part) TG_TRY(report_sum(shaper, arg));
    if (!is_part) TG_TRY(report_sums(shaper, arg, inside));
  }
  return TG_OK;
}

// x @ y as of arrays with one dimension, which the language does not have.
static void report_inner(const tg_shaper *shaper, const tg_ast *ast)
{
  if (ast->kind == TG_AST_TRANSPOSE && ast->wants == 'r' && ast->turned)
    add_notice(shaper, "x @ y of two columns is their inner product, as of arrays with one dimension");
  for (int32_t i = 0; i < tg_ast_expressions(ast); i++) report_inner(shaper, ast->args[i]);
}

tg_status tg_report_readings(tg_shaper *shaper, const tg_ast *ast, const tg_places *places)
{
  if (shaper->options->notices == NULL) return TG_OK;
  if (places != NULL) TG_TRY(report_names(shaper, places));
  if (places != NULL) report_matrix_value(shaper, ast, places);
  report_inner(shaper, ast);
  return report_sums(shaper, ast, false);
}
