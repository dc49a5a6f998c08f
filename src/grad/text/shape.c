// The shape pass: sizes of every subexpression by unification, conflicts told in the user's own terms.
#include "grad/text/shape.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "grad/text/foreign_names.h"

bool tg_shape_is_scalar(const tg_shaper *shaper, const tg_ast *ast)
{
  return tg_size_is_one(&shaper->sizes, ast->rows) && tg_size_is_one(&shaper->sizes, ast->cols);
}

// Sets a TG_SHAPE error from a text and frees it.
static tg_status fail_text(tg_text *message, tg_span span)
{
  const tg_status status = tg_error_set_at(TG_SHAPE, TG_HERE, span, "%s", tg_text_string(message));
  tg_text_fini(message);
  return status;
}

// "; that needs p = m" when neither side is a number.
static void add_needed(tg_shaper *shaper, tg_size a, tg_size b, tg_text *out)
{
  int64_t number = 0;
  if (tg_size_is_number(&shaper->sizes, a, &number) && tg_size_is_number(&shaper->sizes, b, &number)) return;
  tg_text_add(out, "; that needs ");
  tg_size_print(&shaper->sizes, b, out);
  tg_text_add(out, " = ");
  tg_size_print(&shaper->sizes, a, out);
}

// What a number of rows, or of columns, is made of: p of the outer index and q of the inner for the p*q of kron(A, B)
// with A p x ., B q x ., and for that of vec(X) with X q x p.
static bool size_factors(const tg_shaper *shaper, const tg_ast *ast, bool of_columns, tg_size *outer, tg_size *inner)
{
  const tg_function_info *function = ast->kind == TG_AST_CALL ? tg_function_find(ast->name) : NULL;
  if (function != NULL && function->kind == TG_KRON) {
    *outer = of_columns ? ast->args[0]->cols : ast->args[0]->rows;
    *inner = of_columns ? ast->args[1]->cols : ast->args[1]->rows;
    return true;
  }
  if (function != NULL && function->kind == TG_COMM) {
    *outer = ast->args[of_columns ? 1 : 0]->rows; // the sizes of comm(m, n) stand in its arguments
    *inner = ast->args[of_columns ? 0 : 1]->rows;
    return true;
  }
  if (function != NULL && function->kind == TG_VEC) {
    *outer = ast->args[0]->cols;
    *inner = ast->args[0]->rows;
    return !of_columns;
  }
  if (function != NULL) return false;
  // The first factor that is no scalar, among a few: sums of long products are compared with every term.
  for (int32_t k = 0; k < ast->n_args && k < 8; k++) {
    const tg_ast *arg = ast->args[of_columns && ast->kind == TG_AST_TERM ? ast->n_args - 1 - k : k];
    if (ast->kind == TG_AST_TERM && tg_shape_is_scalar(shaper, arg)) continue;
    return size_factors(shaper, arg, of_columns != (ast->kind == TG_AST_TRANSPOSE), outer, inner);
  }
  return false;
}

// Where two equal sizes are products, their factors are equal unless something else decides.
static tg_status wish_equal_factors(tg_shaper *shaper, const tg_ast *a, bool a_columns, const tg_ast *b, bool b_columns)
{
  tg_size outer[2];
  tg_size inner[2];
  if (!size_factors(shaper, a, a_columns, &outer[0], &inner[0])) return TG_OK;
  if (!size_factors(shaper, b, b_columns, &outer[1], &inner[1])) return TG_OK;
  TG_TRY(tg_size_wish(&shaper->sizes, outer[0], outer[1]));
  return tg_size_wish(&shaper->sizes, inner[0], inner[1]);
}

tg_status tg_shape_require_square(tg_shaper *shaper, const char *what, const tg_ast *ast)
{
  bool equal = false;
  TG_TRY(tg_size_unify(&shaper->sizes, ast->rows, ast->cols, ast->span, &equal));
  if (equal) return wish_equal_factors(shaper, ast, false, ast, true);
  tg_text message;
  tg_text_init(&message);
  tg_text_addf(&message, "%s needs a square matrix: ", what);
  tg_shape_quote(shaper, ast, &message);
  tg_text_add(&message, " is ");
  tg_shape_describe(shaper, ast, &message);
  add_needed(shaper, ast->rows, ast->cols, &message);
  return fail_text(&message, ast->span);
}

tg_status tg_shape_require_equal(tg_shaper *shaper, const char *what, const tg_ast *a, const tg_ast *b, tg_span span)
{
  bool rows = false;
  bool cols = false;
  TG_TRY(tg_size_unify(&shaper->sizes, a->rows, b->rows, span, &rows));
  if (rows) TG_TRY(tg_size_unify(&shaper->sizes, a->cols, b->cols, span, &cols));
  if (rows && cols) return TG_OK;
  tg_text message;
  tg_text_init(&message);
  tg_text_addf(&message, "%s needs equal shapes: ", what);
  tg_shape_quote(shaper, a, &message);
  tg_text_add(&message, " is ");
  tg_shape_describe(shaper, a, &message);
  tg_text_add(&message, ", ");
  tg_shape_quote(shaper, b, &message);
  tg_text_add(&message, " is ");
  tg_shape_describe(shaper, b, &message);
  return fail_text(&message, span);
}

// ---- names ----

void tg_shaper_fini(tg_shaper *shaper)
{
  tg_free(shaper->symbols);
  tg_name_index_fini(&shaper->index);
  tg_sizes_fini(&shaper->sizes);
}

static tg_status push_symbol(tg_shaper *shaper, const tg_scope_symbol *symbol)
{
  int32_t index = 0;
  TG_TRY(tg_name_index_add(&shaper->index, symbol->name, &index));
  if (shaper->n_symbols == shaper->capacity) {
    const int32_t capacity = shaper->capacity > 0 ? 2 * shaper->capacity : 16;
    TG_TRY(tg_grow(capacity, sizeof(tg_scope_symbol), (void **)&shaper->symbols));
    shaper->capacity = capacity;
  }
  shaper->symbols[shaper->n_symbols++] = *symbol;
  return TG_OK;
}

static tg_status declared_size(tg_shaper *shaper, int64_t value, const char *name, tg_size *out)
{
  if (value > 0) {
    *out = tg_size_number(value);
    return TG_OK;
  }
  if (name != NULL) return tg_size_named(&shaper->sizes, name, true, out);
  return tg_size_unknown(&shaper->sizes, out);
}

static tg_status size_of_dim(tg_shaper *shaper, tg_dim dim, tg_size *out)
{
  const tg_size_form *form = tg_dim_form(shaper->graph, dim);
  tg_size sum = tg_size_number(0);
  for (int32_t t = 0; t < form->n_terms; t++) {
    tg_size product = tg_size_number(form->terms[t].coef);
    for (int32_t i = 0; i < form->terms[t].n; i++) {
      tg_size factor;
      TG_TRY(tg_size_named(&shaper->sizes, tg_dim_name(shaper->graph, form->terms[t].vars[i]), true, &factor));
      TG_TRY(tg_size_times(&shaper->sizes, product, factor, &product));
    }
    TG_TRY(tg_size_sum(&shaper->sizes, sum, 1, product, &sum));
  }
  *out = sum;
  return TG_OK;
}

// A name without a declaration: what the current guess takes it for.
static tg_status guess_symbol(tg_shaper *shaper, tg_scope_symbol *symbol)
{
  const int32_t index = shaper->n_undeclared++;
  const tg_guess guess = index < shaper->n_guesses ? shaper->guesses[index] : TG_GUESS_MATRIX;
  symbol->guessed = true;
  symbol->rows = symbol->cols = tg_size_number(1);
  if (guess != TG_GUESS_SCALAR) TG_TRY(tg_size_unknown(&shaper->sizes, &symbol->rows));
  if (guess == TG_GUESS_MATRIX) TG_TRY(tg_size_unknown(&shaper->sizes, &symbol->cols));
  return TG_OK;
}

// A failure that is kept, so that the pass goes on.
static tg_status keep(const tg_shaper *shaper, tg_status status)
{
  return tg_errors_take(shaper->errors, status);
}

// A size that fits everywhere.
static tg_status open_size(tg_shaper *shaper, tg_ast *ast)
{
  TG_TRY(tg_size_unknown(&shaper->sizes, &ast->rows));
  return tg_size_unknown(&shaper->sizes, &ast->cols);
}

static tg_status fail_unknown_name(const tg_shaper *shaper, const tg_ast *ast)
{
  const tg_compile_options *options = shaper->options;
  const char *names[256];
  size_t count = 0;
  for (int32_t i = 0; i < options->n_declarations && count < 200; i++) names[count++] = options->declarations[i].name;
  const char *nearest = tg_nearest_word(ast->name, names, count);
  if (nearest != NULL) TG_FAIL_AT(TG_NAME, ast->span, "unknown name '%s'; did you mean '%s'?", ast->name, nearest);
  TG_FAIL_AT(TG_NAME, ast->span, "unknown name '%s'; declare it under variables or data", ast->name);
}

static bool is_unsized(const tg_declaration *declaration)
{
  return declaration->rows == 0 && declaration->cols == 0 && declaration->rows_name == NULL &&
         declaration->cols_name == NULL;
}

bool tg_shape_is_guessed(const tg_shaper *shaper, const tg_declaration *declaration)
{
  return shaper->options->infer_undeclared && is_unsized(declaration) &&
         (declaration->properties & ~(unsigned)(TG_ORTHOGONAL | TG_POSITIVE)) == 0;
}

static tg_status find_symbol(tg_shaper *shaper, const tg_ast *ast, tg_scope_symbol *out)
{
  const tg_compile_options *options = shaper->options;
  const int32_t found = tg_name_index_find(&shaper->index, ast->name);
  if (found >= 0) {
    *out = shaper->symbols[found];
    return TG_OK;
  }
  *out = (tg_scope_symbol){.name = ast->name};
  const int32_t known = tg_symbol_find(shaper->graph, ast->name);
  const tg_declaration *declaration = NULL;
  for (int32_t i = 0; i < options->n_declarations; i++)
    if (strcmp(options->declarations[i].name, ast->name) == 0) declaration = &options->declarations[i];
  if (known >= 0) {
    const tg_symbol *symbol = tg_symbol_info(shaper->graph, known);
    TG_TRY(size_of_dim(shaper, symbol->rows, &out->rows));
    TG_TRY(size_of_dim(shaper, symbol->cols, &out->cols));
  } else if (declaration != NULL && !tg_shape_is_guessed(shaper, declaration)) {
    TG_TRY(declared_size(shaper, declaration->rows, declaration->rows_name, &out->rows));
    TG_TRY(declared_size(shaper, declaration->cols, declaration->cols_name, &out->cols));
    out->properties = declaration->properties;
    out->is_free = declaration->is_free;
    out->guessed = options->infer_undeclared && is_unsized(declaration);
    // Symmetric, definite, diagonal: square by meaning.
    bool equal = true;
    if ((out->properties & (TG_SYMMETRIC | TG_SPD | TG_PSD | TG_DIAGONAL | TG_SQUARE)) != 0)
      TG_TRY(tg_size_unify(&shaper->sizes, out->rows, out->cols, ast->span, &equal));
    if (!equal && (out->properties & TG_SQUARE) != 0)
      TG_FAIL_AT(TG_SHAPE, ast->span, "'%s' must be square for --within", ast->name);
    if (!equal) TG_FAIL_AT(TG_SHAPE, ast->span, "'%s' is declared symmetric but is not square", ast->name);
  } else if (options->infer_undeclared) {
    if (declaration != NULL) out->is_free = declaration->is_free;
    if (declaration != NULL) out->properties = declaration->properties;
    TG_TRY(guess_symbol(shaper, out));
  } else {
    return fail_unknown_name(shaper, ast);
  }
  return push_symbol(shaper, out);
}

static tg_status shape_name(tg_shaper *shaper, tg_ast *ast)
{
  const tg_function_info *function = tg_function_find(ast->name);
  if (function != NULL && tg_function_is_constant(function)) return function->shape(shaper, ast);
  if (function != NULL) TG_FAIL_AT(TG_NAME, ast->span, "'%s' is a function: write %s", ast->name, function->signature);
  tg_scope_symbol symbol;
  TG_TRY(find_symbol(shaper, ast, &symbol));
  ast->rows = symbol.rows;
  ast->cols = symbol.cols;
  return TG_OK;
}

// A function of the language that the word misspells: its letters in another case, or one slip in a word long enough
// that it can be no other function.
static const char *misspelt_function(const char *word)
{
  enum { LONG = 5 };
  const char *names[64];
  size_t count = 0;
  for (int32_t i = 0; i < tg_function_count() && count < 64; i++) {
    const char *name = tg_function_at(i)->name;
    if (strcasecmp(word, name) == 0) return name;
    const size_t longer = strlen(name) > strlen(word) ? strlen(name) - strlen(word) : strlen(word) - strlen(name);
    if (strlen(word) >= LONG && strlen(name) >= LONG && longer <= 1 && name[0] == word[0]) names[count++] = name;
  }
  return count > 0 ? tg_nearest_word(word, names, count) : NULL;
}

static tg_status fail_unknown_function(const tg_shaper *shaper, const tg_ast *ast)
{
  char advice[200];
  const tg_span span = {ast->span.begin, ast->span.begin + strlen(ast->name)};
  bool declared = tg_symbol_find(shaper->graph, ast->name) >= 0;
  for (int32_t i = 0; i < shaper->options->n_declarations; i++)
    declared = declared || strcmp(shaper->options->declarations[i].name, ast->name) == 0;
  const char *nearest = misspelt_function(ast->name);
  // A function of another system is no misspelling, but for its letters' case.
  const bool is_foreign = tg_foreign_advice(ast->name, advice, sizeof advice) != NULL;
  if (!declared && is_foreign && (nearest == NULL || strcasecmp(nearest, ast->name) != 0))
    TG_FAIL_AT(TG_NAME, span, "unknown function '%s'; %s", ast->name, advice);
  if (declared || (nearest == NULL && ast->n_args == 1))
    TG_FAIL_AT(TG_NAME, span, "'%s' is not a function; for a product write %s*(...)", ast->name, ast->name);
  if (nearest == NULL) TG_FAIL_AT(TG_NAME, span, "unknown function '%s'", ast->name);
  TG_FAIL_AT(TG_NAME, span, "unknown function '%s'; did you mean '%s'?", ast->name, nearest);
}

static tg_status shape_call(tg_shaper *shaper, tg_ast *ast)
{
  const tg_function_info *function = tg_function_find(ast->name);
  if (function == NULL) {
    TG_TRY(keep(shaper, fail_unknown_function(shaper, ast)));
    for (int32_t i = 0; i < ast->n_args; i++) TG_TRY(tg_shape(shaper, ast->args[i]));
    return tg_errors_raise(shaper->errors);
  }
  const bool none_allowed = tg_function_is_constant(function) && ast->n_args == 0;
  if (!none_allowed && tg_function_is_constant(function) && ast->n_args < function->min_args)
    TG_FAIL_AT(TG_SYNTAX, ast->span, "%s takes %d sizes, found %d: %s, or %s alone, whose size is inferred",
               function->name, (int)function->max_args, (int)ast->n_args, function->signature, function->name);
  if (!none_allowed && (ast->n_args < function->min_args || ast->n_args > function->max_args))
    TG_FAIL_AT(TG_SYNTAX, ast->span, "%s takes %d argument%s, found %d: %s", function->name, (int)function->max_args,
               function->max_args == 1 ? "" : "s", (int)ast->n_args, function->signature);
  for (int32_t i = 0; i < tg_ast_expressions(ast); i++) TG_TRY(tg_shape(shaper, ast->args[i]));
  return function->shape(shaper, ast);
}

// ---- operators ----

// Whether a sum or product owes its open size to eye, ones or zeros: it may turn out to be 1 x 1, as s*eye beside x'*x.
static bool is_adaptable(const tg_shaper *shaper, const tg_ast *ast)
{
  const bool is_sum = ast->kind == TG_AST_SUM || ast->kind == TG_AST_NEGATIVE || ast->kind == TG_AST_TRANSPOSE;
  if (ast->kind == TG_AST_NAME || ast->kind == TG_AST_CALL) {
    const tg_function_info *function = tg_function_find(ast->name);
    return function != NULL && tg_function_is_constant(function);
  }
  if (!is_sum && ast->kind != TG_AST_TERM) return false;
  bool found = false;
  for (int32_t i = 0; i < ast->n_args; i++) {
    const bool adaptable = is_adaptable(shaper, ast->args[i]);
    if (!adaptable && (is_sum || !tg_shape_is_scalar(shaper, ast->args[i]))) return false;
    found = found || adaptable;
  }
  return found;
}

// The term whose shape a sum takes: the first that is no scalar and is so by itself; where there is none, of eye, ones
// and zeros beside a scalar the scalar, and else the first.
static const tg_ast *leading_term(const tg_shaper *shaper, const tg_ast *sum)
{
  const tg_ast *scalar = NULL;
  for (int32_t i = 0; i < sum->n_args; i++) {
    if (tg_shape_is_scalar(shaper, sum->args[i]))
      scalar = scalar != NULL ? scalar : sum->args[i];
    else if (!is_adaptable(shaper, sum->args[i]))
      return sum->args[i];
  }
  return scalar != NULL ? scalar : sum->args[0];
}

// A scalar beside a matrix is added to every entry: X + s is X + s*ones.
static tg_status shape_sum(tg_shaper *shaper, tg_ast *ast)
{
  tg_status failed = TG_OK;
  for (int32_t i = 0; i < ast->n_args; i++) TG_TRY(tg_shape(shaper, ast->args[i]));
  const tg_ast *first = leading_term(shaper, ast);
  const bool is_scalar = tg_shape_is_scalar(shaper, first);
  for (int32_t i = 0; i < ast->n_args; i++) {
    const tg_ast *other = ast->args[i];
    if (other == first || (!is_scalar && tg_shape_is_scalar(shaper, other))) continue;
    // The earlier of the two is named first.
    const bool before = other->span.begin < first->span.begin;
    const tg_ast *a = before ? other : first;
    const tg_ast *b = before ? first : other;
    const tg_status status = tg_shape_require_equal(shaper, "a sum", a, b, b->span);
    if (status != TG_OK) failed = status;
    TG_TRY(keep(shaper, status));
    TG_TRY(wish_equal_factors(shaper, a, false, b, false));
    TG_TRY(wish_equal_factors(shaper, a, true, b, true));
  }
  ast->rows = first->rows;
  ast->cols = first->cols;
  return failed != TG_OK ? open_size(shaper, ast) : TG_OK;
}

static tg_status fail_inner_sizes(tg_shaper *shaper, const tg_ast *left, const tg_ast *right, tg_span span)
{
  tg_text message;
  tg_text_init(&message);
  tg_shape_quote_factor(shaper, left, &message);
  tg_text_add(&message, "*");
  tg_shape_quote_factor(shaper, right, &message);
  tg_text_add(&message, " needs columns(");
  tg_shape_quote(shaper, left, &message);
  tg_text_add(&message, ") = rows(");
  tg_shape_quote(shaper, right, &message);
  tg_text_add(&message, "), found ");
  tg_size_print(&shaper->sizes, left->cols, &message);
  tg_text_add(&message, " and ");
  tg_size_print(&shaper->sizes, right->rows, &message);
  return fail_text(&message, span);
}

// The running product `left` (text and shape so far) times the next factor.
static tg_status shape_times(tg_shaper *shaper, tg_ast *left, const tg_ast *right)
{
  if (tg_shape_is_scalar(shaper, right)) return TG_OK;
  if (tg_shape_is_scalar(shaper, left)) {
    left->rows = right->rows;
    left->cols = right->cols;
    return TG_OK;
  }
  bool equal = false;
  TG_TRY(tg_size_unify(&shaper->sizes, left->cols, right->rows, right->span, &equal));
  if (!equal) return fail_inner_sizes(shaper, left, right, (tg_span){left->span.begin, right->span.end});
  left->cols = right->cols;
  return TG_OK;
}

static tg_status shape_divide(tg_shaper *shaper, const tg_ast *left, const tg_ast *right)
{
  if (tg_shape_is_scalar(shaper, right)) return TG_OK;
  tg_text message;
  tg_text_init(&message);
  tg_text_add(&message, "'/' divides by a scalar: ");
  tg_shape_quote(shaper, right, &message);
  tg_text_add(&message, " is ");
  tg_shape_describe(shaper, right, &message);
  tg_text_add(&message, "; write ");
  tg_shape_quote_factor(shaper, left, &message);
  tg_text_add(&message, "*inv(");
  tg_shape_quote(shaper, right, &message);
  tg_text_add(&message, "), or './' for entry by entry");
  return fail_text(&message, right->span);
}

static tg_status shape_entrywise(tg_shaper *shaper, tg_ast *left, const tg_ast *right, const char *what)
{
  if (tg_shape_is_scalar(shaper, right)) return TG_OK;
  if (tg_shape_is_scalar(shaper, left)) {
    left->rows = right->rows;
    left->cols = right->cols;
    return TG_OK;
  }
  return tg_shape_require_equal(shaper, what, left, right, (tg_span){left->span.begin, right->span.end});
}

// The running product and the next factor, by the operator between them.
static tg_status shape_factor(tg_shaper *shaper, char op, tg_ast *left, const tg_ast *right)
{
  switch (op) {
  case '*':
    return shape_times(shaper, left, right);
  case '/':
    return shape_divide(shaper, left, right);
  case 'q': // of NumPy
    return shape_entrywise(shaper, left, right, "'/'");
  case 'x':
    return shape_entrywise(shaper, left, right, "'.*'");
  default:
    return shape_entrywise(shaper, left, right, "'./'");
  }
}

static bool is_guessed_name(const tg_shaper *shaper, const tg_ast *ast)
{
  const int32_t found = ast->kind == TG_AST_NAME ? tg_name_index_find(&shaper->index, ast->name) : -1;
  return found >= 0 && shaper->symbols[found].guessed;
}

// w @ x, which NumPy refuses for numbers, and which of two arrays with one dimension is their inner product: no reading
// in which one side came out as a scalar, or the name behind a column as a row. Both have their sizes here.
static tg_status check_matmul(const tg_shaper *shaper, const tg_ast *left, const tg_ast *right)
{
  const tg_span span = {left->span.begin, right->span.end};
  const bool scalar = tg_shape_is_scalar(shaper, left) || tg_shape_is_scalar(shaper, right);
  const bool outer = is_guessed_name(shaper, right) && tg_size_is_one(&shaper->sizes, right->rows);
  if (shaper->n_guesses == 0 || (!scalar && !outer)) return TG_OK;
  for (size_t k = left->span.end; k < right->span.begin; k++)
    if (shaper->text[k] == '@')
      TG_FAIL_AT(TG_SHAPE, span,
                 "'@' does not multiply by a scalar, write '*'; a vector is a column here: the inner product of two is "
                 "x.T @ y");
  return TG_OK;
}

static tg_status shape_term(tg_shaper *shaper, tg_ast *ast)
{
  for (int32_t i = 0; i < ast->n_args; i++) TG_TRY(tg_shape(shaper, ast->args[i]));
  tg_ast left = *ast->args[0];
  const tg_ast *before = ast->args[0]; // the factor that the columns of the left come from
  tg_status failed = TG_OK;
  for (int32_t i = 1; i < ast->n_args; i++) {
    const tg_ast *right = ast->args[i];
    const bool joins = ast->ops[i] == '*' && !tg_shape_is_scalar(shaper, &left);
    if (joins) TG_TRY(wish_equal_factors(shaper, before, true, right, false));
    if (!tg_shape_is_scalar(shaper, right)) before = right;
    const tg_ast front = left;
    tg_status status = shape_factor(shaper, ast->ops[i], &left, right);
    if (status == TG_OK) status = check_matmul(shaper, &front, right);
    if (status != TG_OK) {
      TG_TRY(keep(shaper, status));
      failed = status;
      if (!tg_shape_is_scalar(shaper, right)) left.cols = right->cols; // the factors behind it are looked at
    }
    left.kind = TG_AST_TERM;
    left.span.end = right->span.end;
  }
  ast->rows = left.rows;
  ast->cols = left.cols;
  return failed != TG_OK ? open_size(shaper, ast) : TG_OK;
}

// A number, possibly signed, as an exponent.
static bool literal_number(const tg_ast *ast, double *value)
{
  while (ast->kind == TG_AST_PART) ast = ast->definition;
  if (ast->kind == TG_AST_NEGATIVE && literal_number(ast->args[0], value)) {
    *value = -*value;
    return true;
  }
  *value = ast->number;
  return ast->kind == TG_AST_NUMBER;
}

static tg_status shape_power(tg_shaper *shaper, tg_ast *ast)
{
  const tg_ast *base = ast->args[0];
  const tg_ast *exponent = ast->args[1];
  TG_TRY(tg_shape(shaper, ast->args[0]));
  TG_TRY(tg_shape(shaper, ast->args[1]));
  ast->rows = base->rows;
  ast->cols = base->cols;
  if (ast->ops[0] == 'e') {
    tg_ast left = *base;
    TG_TRY(shape_entrywise(shaper, &left, exponent, "'.^'"));
    ast->rows = left.rows;
    ast->cols = left.cols;
    return TG_OK;
  }
  double value = 0.0;
  if (!tg_shape_is_scalar(shaper, exponent))
    TG_FAIL_AT(
        TG_SHAPE, exponent->span,
        "an exponent of '^' is a scalar, of a matrix a whole number, as X^3, or a name for one, X^k; entry by entry, "
        "write '.^'");
  if (tg_shape_is_scalar(shaper, base)) return TG_OK;
  if (!literal_number(exponent, &value)) return tg_shape_require_square(shaper, "a power", base);
  if (value != floor(value))
    TG_FAIL_AT(TG_VALUE, exponent->span,
               "the exponent of a matrix is a whole number, found %g; entry by entry, write '.^'", value);
  if (fabs(value) > TG_EXPONENT_MAX)
    TG_FAIL_AT(TG_LIMIT, exponent->span, "the exponent of a matrix is at most %d, found %.0f", TG_EXPONENT_MAX, value);
  return tg_shape_require_square(shaper, "a power", base);
}

// The parts in their order, then the value, whose shape the whole has.
static tg_status shape_where(tg_shaper *shaper, tg_ast *ast)
{
  for (int32_t i = 0; i < ast->n_args; i++) TG_TRY(tg_shape(shaper, ast->args[i]));
  ast->rows = tg_ast_value(ast)->rows;
  ast->cols = tg_ast_value(ast)->cols;
  return TG_OK;
}

static tg_status shape_node(tg_shaper *shaper, tg_ast *ast)
{
  switch (ast->kind) {
  case TG_AST_PART:
    ast->rows = ast->definition->rows;
    ast->cols = ast->definition->cols;
    return TG_OK;
  case TG_AST_WHERE:
    return shape_where(shaper, ast);
  case TG_AST_NUMBER:
    ast->rows = ast->cols = tg_size_number(1);
    return TG_OK;
  case TG_AST_NAME:
    return shape_name(shaper, ast);
  case TG_AST_CALL:
    return shape_call(shaper, ast);
  case TG_AST_SUM:
    return shape_sum(shaper, ast);
  case TG_AST_TERM:
    return shape_term(shaper, ast);
  case TG_AST_POWER:
    return shape_power(shaper, ast);
  case TG_AST_NEGATIVE:
  case TG_AST_TRANSPOSE: {
    TG_TRY(tg_shape(shaper, ast->args[0]));
    const tg_ast *arg = ast->args[0];
    const bool keeps =
        ast->kind == TG_AST_NEGATIVE || (ast->wants == 'r' && !tg_size_is_one(&shaper->sizes, arg->cols));
    ast->turned = !keeps;
    ast->rows = keeps ? arg->rows : arg->cols;
    ast->cols = keeps ? arg->cols : arg->rows;
    return TG_OK;
  }
  }
  TG_FAIL(TG_INTERNAL, "a parse node of no known kind");
}

// What does not fit gets a size that fits everywhere, and so does an unknown name wherever it stands.
static tg_status recover(tg_shaper *shaper, tg_ast *ast, tg_status status)
{
  TG_TRY(keep(shaper, status));
  TG_TRY(open_size(shaper, ast));
  const bool is_new = ast->kind == TG_AST_NAME && tg_function_find(ast->name) == NULL &&
                      tg_name_index_find(&shaper->index, ast->name) < 0;
  if (!is_new) return TG_OK;
  return push_symbol(shaper, &(tg_scope_symbol){.name = ast->name, .rows = ast->rows, .cols = ast->cols});
}

tg_status tg_shape(tg_shaper *shaper, tg_ast *ast)
{
  const tg_status status = shape_node(shaper, ast);
  if (status != TG_OK && shaper->errors != NULL) return recover(shaper, ast, status);
  TG_TRY(status);
  shaper->n_shaped++;
  return TG_OK;
}

tg_status tg_shape_whole(tg_shaper *shaper, tg_ast *ast)
{
  const tg_node like = shaper->options->like;
  tg_size rows;
  tg_size cols;
  bool equal = false;
  if (like == TG_NONE) return tg_shape(shaper, ast);
  // The names of the graph's sizes first: they are sizes of their own, wherever the text writes them.
  for (int32_t s = 0; s < tg_symbol_count(shaper->graph); s++) {
    TG_TRY(size_of_dim(shaper, tg_symbol_info(shaper->graph, s)->rows, &rows));
    TG_TRY(size_of_dim(shaper, tg_symbol_info(shaper->graph, s)->cols, &cols));
  }
  TG_TRY(size_of_dim(shaper, tg_node_info(shaper->graph, like)->rows, &rows));
  TG_TRY(size_of_dim(shaper, tg_node_info(shaper->graph, like)->cols, &cols));
  TG_TRY(tg_shape(shaper, ast));
  TG_TRY(tg_size_unify(&shaper->sizes, ast->rows, rows, ast->span, &equal));
  return equal ? tg_size_unify(&shaper->sizes, ast->cols, cols, ast->span, &equal) : TG_OK;
}

static tg_status check_size(const tg_shaper *shaper, const tg_ast *ast)
{
  for (int32_t i = 0; i < ast->n_args; i++) TG_TRY(check_size(shaper, ast->args[i]));
  const int32_t found = ast->kind == TG_AST_NAME ? tg_name_index_find(&shaper->index, ast->name) : -1;
  if (found < 0) return TG_OK;
  const tg_scope_symbol *symbol = &shaper->symbols[found];
  if (tg_size_is_one(&shaper->sizes, symbol->rows) && tg_size_is_one(&shaper->sizes, symbol->cols)) return TG_OK;
  TG_FAIL_AT(TG_SHAPE, ast->span, "'%s' is a size here and no scalar elsewhere; write another name for the size",
             ast->name);
}

// norm(x) of a matrix, |X|: signs that mean something else for matrices than for what they are read of.
static tg_status check_wanted(const tg_shaper *shaper, const tg_ast *ast)
{
  const tg_ast *arg = ast->args[0];
  const bool row = tg_size_is_one(&shaper->sizes, arg->rows);
  const bool column = tg_size_is_one(&shaper->sizes, arg->cols);
  if (ast->wants == 'v' ? row || column : row && column) return TG_OK;
  tg_text quote;
  tg_text_init(&quote);
  tg_shape_quote(shaper, arg, &quote);
  const char *q = tg_text_string(&quote);
  tg_status status = TG_OK;
  if (ast->wants == 's')
    status = tg_error_set_at(
        TG_SHAPE, TG_HERE, ast->span,
        "bars are the absolute value of a scalar; write abs(%s) entry by entry, det(%s), or norm2(%s)", q, q, q);
  else if (strcmp(ast->name, "norm1") == 0)
    status = tg_error_set_at(
        TG_SHAPE, TG_HERE, ast->span,
        "the 1-norm of a matrix is not in the language; write norm1(%s) for the sum of absolute values", q);
  else
    status = tg_error_set_at(TG_SHAPE, TG_HERE, ast->span,
                             "norm of a matrix is the spectral norm in some systems, in others Frobenius'; write "
                             "spectral_norm(%s) or norm2(%s)",
                             q, q);
  tg_text_fini(&quote);
  return status;
}

tg_status tg_shape_check_sizes(const tg_shaper *shaper, const tg_ast *ast)
{
  const tg_function_info *function = ast->kind == TG_AST_CALL ? tg_function_find(ast->name) : NULL;
  const bool takes_sizes = function != NULL && tg_function_takes_sizes(function);
  if (ast->wants == 'v' || ast->wants == 's') TG_TRY(check_wanted(shaper, ast));
  for (int32_t i = 0; i < ast->n_args; i++)
    TG_TRY(takes_sizes || i >= tg_ast_expressions(ast) ? check_size(shaper, ast->args[i])
                                                       : tg_shape_check_sizes(shaper, ast->args[i]));
  return TG_OK;
}
