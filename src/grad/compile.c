// Text to node: parse, infer shapes (guessing what undeclared names are), build the graph.
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "grad/calculus.h"
#include "grad/shape.h"

// ---- building ----

static tg_status build(tg_builder *b, const tg_ast *ast, tg_node *out);

// A failure of a constructor (a division by zero, an overflow) is placed at the subexpression that met it.
static tg_status place_failure(tg_status status, const tg_ast *ast)
{
  tg_error *error = tg_error_get();
  if (status == TG_OK || error->has_span) return status;
  error->has_span = true;
  error->span = ast->span;
  return status;
}

static tg_status build_reciprocal(tg_builder *b, const tg_ast *ast, tg_node *out)
{
  TG_TRY(build(b, ast, out));
  return place_failure(tg_make_pow_number(b->graph, *out, -1.0, out), ast);
}

static tg_status build_sum(tg_builder *b, const tg_ast *ast, tg_node *out)
{
  tg_status status = TG_OK;
  tg_node *terms = NULL;
  double *coefs = NULL;
  TG_TRY_GOTO(TG_NEW(ast->n_args, &terms));
  TG_TRY_GOTO(TG_NEW(ast->n_args, &coefs));
  for (int32_t i = 0; i < ast->n_args; i++) {
    coefs[i] = ast->ops[i] == '-' ? -1.0 : 1.0;
    TG_TRY_GOTO(build(b, ast->args[i], &terms[i]));
  }
  TG_TRY_GOTO(tg_make_lin(b->graph, ast->n_args, coefs, terms, out));
done:
  tg_free(terms);
  tg_free(coefs);
  return status;
}

// Factors waiting to become one product, and its shape so far; rows is -1 while all are scalars.
typedef struct factor_run {
  tg_node *items;
  int32_t n;
  tg_dim rows;
  tg_dim cols;
} factor_run;

// Read from left to right, x'*x*x is (x'*x)*x: a run that has become 1 x 1 is closed before the next matrix.
static tg_status push_factor(tg_graph *g, factor_run *run, tg_node factor)
{
  const tg_info *info = tg_node_info(g, factor);
  run->items[run->n++] = factor;
  if (tg_node_is_scalar(g, factor)) return TG_OK;
  if (run->rows < 0) run->rows = info->rows;
  run->cols = info->cols;
  if (!tg_dim_is_one(g, run->rows) || !tg_dim_is_one(g, run->cols)) return TG_OK;
  TG_TRY(tg_make_prod(g, run->n, run->items, &run->items[0]));
  run->n = 1;
  run->rows = -1;
  return TG_OK;
}

// Runs of '*' and '/' become one product, so that a chain of hundreds is normalised once.
static tg_status build_term(tg_builder *b, const tg_ast *ast, tg_node *out)
{
  tg_status status = TG_OK;
  factor_run run = {.rows = -1};
  TG_TRY_GOTO(TG_NEW(ast->n_args, &run.items));
  for (int32_t i = 0; i < ast->n_args; i++) {
    const char op = ast->ops[i];
    tg_node factor = TG_NONE;
    if (op == '/' || op == 'd')
      TG_TRY_GOTO(build_reciprocal(b, ast->args[i], &factor));
    else
      TG_TRY_GOTO(build(b, ast->args[i], &factor));
    if (op == 'x' || op == 'd') {
      tg_node left = TG_NONE;
      TG_TRY_GOTO(tg_make_prod(b->graph, run.n, run.items, &left));
      TG_TRY_GOTO(tg_make_had(b->graph, 2, (const tg_node[]){left, factor}, &factor));
      run.n = 0;
      run.rows = -1;
    }
    TG_TRY_GOTO(push_factor(b->graph, &run, factor));
  }
  TG_TRY_GOTO(tg_make_prod(b->graph, run.n, run.items, out));
done:
  tg_free(run.items);
  return status;
}

static tg_status build_power(tg_builder *b, const tg_ast *ast, tg_node *out)
{
  tg_node base = TG_NONE;
  tg_node exponent = TG_NONE;
  double value = 0.0;
  TG_TRY(build(b, ast->args[0], &base));
  TG_TRY(build(b, ast->args[1], &exponent));
  if (ast->ops[0] == '^' && tg_node_is_number(b->graph, exponent, &value) && !tg_node_is_scalar(b->graph, base))
    return tg_make_mpow(b->graph, base, (int64_t)value, out);
  return tg_make_pow(b->graph, base, exponent, out);
}

static tg_status build_call(tg_builder *b, const tg_ast *ast, tg_node *out)
{
  const tg_function_info *function = tg_function_find(ast->name);
  tg_node args[2] = {TG_NONE, TG_NONE};
  for (int32_t i = 0; i < ast->n_args && !tg_function_takes_sizes(function); i++)
    TG_TRY(build(b, ast->args[i], &args[i]));
  return function->build(b, ast, args, out);
}

static tg_status build_name(tg_builder *b, const tg_ast *ast, tg_node *out)
{
  const tg_function_info *constant = tg_function_find(ast->name);
  if (constant != NULL) return constant->build(b, ast, NULL, out);
  return tg_make_sym(b->graph, tg_symbol_find(b->graph, ast->name), out);
}

static tg_status build_node(tg_builder *b, const tg_ast *ast, tg_node *out)
{
  switch (ast->kind) {
  case TG_AST_NUMBER:
    return tg_make_num(b->graph, ast->number, out);
  case TG_AST_NAME:
    return build_name(b, ast, out);
  case TG_AST_CALL:
    return build_call(b, ast, out);
  case TG_AST_SUM:
    return build_sum(b, ast, out);
  case TG_AST_TERM:
    return build_term(b, ast, out);
  case TG_AST_NEGATIVE:
    TG_TRY(build(b, ast->args[0], out));
    return tg_make_scale(b->graph, -1.0, *out, out);
  case TG_AST_TRANSPOSE:
    TG_TRY(build(b, ast->args[0], out));
    return tg_make_trans(b->graph, *out, out);
  case TG_AST_POWER:
    return build_power(b, ast, out);
  }
  TG_FAIL(TG_INTERNAL, "a parse node of no known kind");
}

static tg_status build(tg_builder *b, const tg_ast *ast, tg_node *out)
{
  return place_failure(build_node(b, ast, out), ast);
}

// ---- names without a declaration ----

enum { GUESS_NAMES_MAX = 64, GUESS_SEARCH_MAX = 5 };

static bool is_greek(const char *name)
{
  static const char *const greek[] = {"alpha", "beta",  "gamma",   "delta", "epsilon", "eps", "zeta", "eta", "theta",
                                      "iota",  "kappa", "lambda",  "lam",   "mu",      "nu",  "xi",   "pi",  "rho",
                                      "sigma", "tau",   "upsilon", "phi",   "chi",     "psi", "omega"};
  for (size_t i = 0; i < sizeof greek / sizeof greek[0]; i++)
    if (strcmp(name, greek[i]) == 0) return true;
  return false;
}

// Undeclared names in order of appearance.
static tg_status collect_undeclared(const tg_shaper *shaper, const tg_ast *ast, const char **names, int32_t *count)
{
  for (int32_t i = 0; i < ast->n_args; i++)
    if (ast->kind != TG_AST_CALL || tg_function_find(ast->name) == NULL ||
        !tg_function_takes_sizes(tg_function_find(ast->name)))
      TG_TRY(collect_undeclared(shaper, ast->args[i], names, count));
  if (ast->kind != TG_AST_NAME || tg_function_find(ast->name) != NULL) return TG_OK;
  if (tg_symbol_find(shaper->graph, ast->name) >= 0 || *count == GUESS_NAMES_MAX) return TG_OK;
  for (int32_t i = 0; i < shaper->options->n_declarations; i++)
    if (strcmp(shaper->options->declarations[i].name, ast->name) == 0 &&
        !tg_shape_is_guessed(shaper, &shaper->options->declarations[i]))
      return TG_OK;
  for (int32_t i = 0; i < *count; i++)
    if (strcmp(names[i], ast->name) == 0) return TG_OK;
  names[(*count)++] = ast->name;
  return TG_OK;
}

// Preferences of a name, best first: A is a matrix; lambda a scalar; x a column; any may be another if it must.
static tg_guess preference(const char *name, int32_t rank)
{
  static const tg_guess upper[] = {TG_GUESS_MATRIX};
  static const tg_guess greek[] = {TG_GUESS_SCALAR, TG_GUESS_COLUMN, TG_GUESS_MATRIX};
  static const tg_guess lower[] = {TG_GUESS_COLUMN, TG_GUESS_SCALAR, TG_GUESS_MATRIX};
  if (isupper((unsigned char)name[0])) return upper[0];
  return is_greek(name) ? greek[rank] : lower[rank];
}

static void reset_shaper(tg_shaper *shaper)
{
  shaper->n_symbols = 0;
  shaper->n_undeclared = 0;
  shaper->sizes.n_variables = 0;
  shaper->sizes.n_deferred = 0;
}

// Names read as scalars where nobody would put one: diag(x), vec(x), tr(x), x'.
static int odd_scalars(const tg_shaper *shaper, const tg_ast *ast)
{
  const bool wants_more =
      ast->kind == TG_AST_TRANSPOSE || (ast->kind == TG_AST_CALL && tg_function_find(ast->name)->kind >= TG_INV &&
                                        tg_function_find(ast->name)->kind <= TG_UNVEC);
  int count = 0;
  for (int32_t i = 0; i < ast->n_args; i++) {
    const tg_ast *arg = ast->args[i];
    count += wants_more && arg->kind == TG_AST_NAME && tg_shape_is_scalar(shaper, arg);
    if (ast->kind != TG_AST_CALL || !tg_function_takes_sizes(tg_function_find(ast->name)))
      count += odd_scalars(shaper, arg);
  }
  return count;
}

// How far a reading is from what its names suggest: a matrix squeezed to a vector, a value that is no scalar.
static int reading_cost(const tg_shaper *shaper, const tg_ast *ast)
{
  int cost = (tg_shape_is_scalar(shaper, ast) ? 0 : 1) + 2 * odd_scalars(shaper, ast);
  for (int32_t i = 0; i < shaper->n_symbols; i++) {
    const tg_scope_symbol *symbol = &shaper->symbols[i];
    if (!symbol->guessed || !isupper((unsigned char)symbol->name[0])) continue;
    cost += 2 * tg_size_is_one(&shaper->sizes, symbol->rows) + 2 * tg_size_is_one(&shaper->sizes, symbol->cols);
  }
  return cost;
}

static tg_status shape_once(tg_shaper *shaper, tg_ast *ast)
{
  reset_shaper(shaper);
  TG_TRY(tg_shape(shaper, ast));
  return tg_sizes_settle(&shaper->sizes);
}

// Tries the readings of up to GUESS_SEARCH_MAX small-letter names in order of preference; the cheapest stays.
static tg_status shape_with_guesses(tg_shaper *shaper, tg_ast *ast, tg_guess *guesses)
{
  const char *names[GUESS_NAMES_MAX];
  int32_t searched[GUESS_SEARCH_MAX];
  int32_t n_searched = 0;
  TG_TRY(collect_undeclared(shaper, ast, names, &shaper->n_guesses));
  int32_t readings = 1;
  for (int32_t i = 0; i < shaper->n_guesses; i++) {
    guesses[i] = preference(names[i], 0);
    if (isupper((unsigned char)names[i][0]) || n_searched == GUESS_SEARCH_MAX) continue;
    searched[n_searched++] = i;
    readings *= 3;
  }
  int32_t best = 0;
  int best_cost = -1;
  for (int32_t reading = 0; reading < readings && best_cost != 0; reading++) {
    for (int32_t k = 0, rest = reading; k < n_searched; k++, rest /= 3)
      guesses[searched[k]] = preference(names[searched[k]], rest % 3);
    const tg_status status = shape_once(shaper, ast);
    if (status == TG_MEMORY) return tg_error_pass(status, TG_HERE); // says nothing about the reading
    if (status != TG_OK) continue;
    const int cost = reading_cost(shaper, ast);
    if (best_cost >= 0 && cost >= best_cost) continue;
    best = reading;
    best_cost = cost;
  }
  for (int32_t k = 0, rest = best; k < n_searched; k++, rest /= 3)
    guesses[searched[k]] = preference(names[searched[k]], rest % 3);
  tg_error_clear();
  return shape_once(shaper, ast); // the best reading again, or the first one's error
}

// ---- symbols ----

static tg_status add_symbols(tg_builder *builder, const tg_shaper *shaper)
{
  for (int32_t i = 0; i < shaper->n_symbols; i++) {
    const tg_scope_symbol *symbol = &shaper->symbols[i];
    tg_dim rows = 0;
    tg_dim cols = 0;
    int32_t index = 0;
    if (tg_symbol_find(builder->graph, symbol->name) >= 0) continue;
    TG_TRY(tg_builder_dim(builder, symbol->rows, &rows));
    TG_TRY(tg_builder_dim(builder, symbol->cols, &cols));
    TG_TRY(tg_symbol_add(builder->graph, symbol->name, rows, cols, symbol->properties, symbol->is_free, &index));
  }
  return TG_OK;
}

// Sizes of eye, ones, zeros and comm that nothing determines.
static tg_status require_known_sizes(const tg_shaper *shaper, const tg_ast *ast)
{
  for (int32_t i = 0; i < ast->n_args; i++) TG_TRY(require_known_sizes(shaper, ast->args[i]));
  if ((ast->kind != TG_AST_NAME && ast->kind != TG_AST_CALL) || tg_function_find(ast->name) == NULL) return TG_OK;
  if (!tg_function_takes_sizes(tg_function_find(ast->name))) return TG_OK;
  tg_size rows;
  tg_size cols;
  TG_TRY(tg_size_resolve(&shaper->sizes, ast->rows, &rows));
  TG_TRY(tg_size_resolve(&shaper->sizes, ast->cols, &cols));
  if (rows.n_vars == 0 && cols.n_vars == 0) return TG_OK;
  TG_FAIL_AT(TG_SHAPE, ast->span, "the size of %s cannot be inferred here; write %s", ast->name,
             tg_function_find(ast->name)->signature);
}

static tg_status fail_not_scalar(tg_shaper *shaper, const tg_ast *ast)
{
  tg_text shape;
  tg_text_init(&shape);
  tg_shape_describe(shaper, ast, &shape);
  const tg_status status =
      tg_error_set_at(TG_SHAPE, TG_HERE, ast->span,
                      "an objective is a scalar, found %s; take tr, sum, sumsq or norm2 of it", tg_text_string(&shape));
  tg_text_fini(&shape);
  return status;
}

tg_status tg_compile(tg_graph *graph, const char *text, size_t length, const tg_compile_options *options, tg_node *out)
{
  tg_status status = TG_OK;
  tg_arena arena;
  tg_ast *ast = NULL;
  tg_guess guesses[GUESS_NAMES_MAX] = {TG_GUESS_MATRIX};
  tg_arena_init(&arena);
  tg_shaper shaper = {.text = text, .arena = &arena, .graph = graph, .options = options, .guesses = guesses};
  tg_sizes_init(&shaper.sizes, &arena);
  tg_builder builder = {.graph = graph, .sizes = &shaper.sizes};
  TG_TRY_GOTO(tg_parse(&arena, text, length, &ast));
  if (options->infer_undeclared)
    TG_TRY_GOTO(shape_with_guesses(&shaper, ast, guesses));
  else
    TG_TRY_GOTO(shape_once(&shaper, ast));
  if (!options->infer_undeclared) TG_TRY_GOTO(require_known_sizes(&shaper, ast));
  if (options->require_scalar && !tg_shape_is_scalar(&shaper, ast)) TG_TRY_GOTO(fail_not_scalar(&shaper, ast));
  TG_TRY_GOTO(tg_sizes_name_unknowns(&shaper.sizes));
  TG_TRY_GOTO(add_symbols(&builder, &shaper));
  TG_TRY_GOTO(build(&builder, ast, out));
done:
  tg_free(shaper.symbols);
  tg_sizes_fini(&shaper.sizes);
  tg_arena_fini(&arena);
  return status;
}
