// Text to node: parse, infer shapes (guessing what undeclared names are), build the graph.
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "grad/calculus.h"
#include "grad/text/guess.h"
#include "grad/text/parts.h"
#include "grad/text/readings.h"

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

// The scalar as a matrix of ast's shape, every entry of it.
static tg_status spread(tg_builder *b, const tg_ast *ast, tg_node *scalar)
{
  tg_dim rows = 0;
  tg_dim cols = 0;
  TG_TRY(tg_builder_dim(b, ast->rows, ast->span, &rows));
  TG_TRY(tg_builder_dim(b, ast->cols, ast->span, &cols));
  return tg_make_filled(b->graph, *scalar, rows, cols, scalar);
}

static tg_status build_sum(tg_builder *b, const tg_ast *ast, tg_node *out)
{
  tg_status status = TG_OK;
  tg_node *terms = NULL;
  double *coefs = NULL;
  const bool is_scalar = tg_size_is_one(b->sizes, ast->rows) && tg_size_is_one(b->sizes, ast->cols);
  TG_TRY_GOTO(TG_NEW(ast->n_args, &terms));
  TG_TRY_GOTO(TG_NEW(ast->n_args, &coefs));
  for (int32_t i = 0; i < ast->n_args; i++) {
    coefs[i] = ast->ops[i] == '-' ? -1.0 : 1.0;
    TG_TRY_GOTO(build(b, ast->args[i], &terms[i]));
    if (!is_scalar && tg_node_is_scalar(b->graph, terms[i])) TG_TRY_GOTO(spread(b, ast, &terms[i]));
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
    if (op == '/' || op == 'd' || op == 'q')
      TG_TRY_GOTO(build_reciprocal(b, ast->args[i], &factor));
    else
      TG_TRY_GOTO(build(b, ast->args[i], &factor));
    // With a scalar, entry by entry is the product itself.
    const bool is_scaling = run.n > 0 && (run.rows < 0 || tg_node_is_scalar(b->graph, factor));
    if ((op == 'x' || op == 'd' || op == 'q') && !is_scaling) {
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

// The numbers that the declarations give, in the place of their names.
static tg_status put_numbers(tg_builder *b, tg_node *node)
{
  const tg_compile_options *options = b->options;
  for (int32_t i = 0; i < options->n_declarations; i++) {
    const tg_declaration *declaration = &options->declarations[i];
    const int32_t symbol = declaration->has_number ? tg_symbol_find(b->graph, declaration->name) : -1;
    tg_node number = TG_NONE;
    if (symbol < 0) continue;
    TG_TRY(tg_make_num(b->graph, declaration->number, &number));
    TG_TRY(tg_substitute(b->graph, *node, 1, &symbol, &number, node));
  }
  return TG_OK;
}

tg_status tg_builder_exponent(tg_builder *b, const tg_ast *ast, tg_node *exponent)
{
  double value = 0.0;
  TG_TRY(put_numbers(b, exponent));
  if (!tg_node_is_number(b->graph, *exponent, &value)) {
    if (b->may_declare) return TG_OK;
    TG_FAIL_AT(TG_VALUE, ast->span,
               "the exponent of a matrix is a whole number, written out or a number of the job's data; entry by entry, "
               "write '.^'");
  }
  if (value != floor(value))
    TG_FAIL_AT(TG_VALUE, ast->span, "the exponent of a matrix is a whole number, found %g; entry by entry, write '.^'",
               value);
  if (fabs(value) > TG_EXPONENT_MAX)
    TG_FAIL_AT(TG_LIMIT, ast->span, "the exponent of a matrix is at most %d, found %.0f", TG_EXPONENT_MAX, value);
  return TG_OK;
}

static tg_status build_power(tg_builder *b, const tg_ast *ast, tg_node *out)
{
  tg_node base = TG_NONE;
  tg_node exponent = TG_NONE;
  TG_TRY(build(b, ast->args[0], &base));
  TG_TRY(build(b, ast->args[1], &exponent));
  if (ast->ops[0] != '^' || tg_node_is_scalar(b->graph, base)) return tg_make_pow(b->graph, base, exponent, out);
  TG_TRY(tg_builder_exponent(b, ast->args[1], &exponent));
  return tg_make_mpower(b->graph, base, exponent, out);
}

static tg_status build_call(tg_builder *b, const tg_ast *ast, tg_node *out)
{
  const tg_function_info *function = tg_function_find(ast->name);
  const int32_t n = tg_ast_expressions(ast);
  tg_node few[2] = {TG_NONE, TG_NONE};
  tg_node *args = few;
  tg_status status = TG_OK;
  if (n > 2) TG_TRY(TG_NEW(n, &args));
  for (int32_t i = 0; i < n && status == TG_OK; i++) status = build(b, ast->args[i], &args[i]);
  if (status == TG_OK) status = function->build(b, ast, args, out);
  if (n > 2) tg_free(args);
  return status;
}

static tg_status build_name(tg_builder *b, const tg_ast *ast, tg_node *out)
{
  const tg_function_info *constant = tg_function_find(ast->name);
  if (constant != NULL) return constant->build(b, ast, NULL, out);
  return tg_make_sym(b->graph, tg_symbol_find(b->graph, ast->name), out);
}

// Each part once, before what uses it.
static tg_status build_where(tg_builder *b, const tg_ast *ast, tg_node *out)
{
  tg_status status = TG_OK;
  TG_TRY_GOTO(TG_NEW(ast->n_args, &b->parts));
  for (int32_t i = 0; i < ast->n_args; i++) TG_TRY_GOTO(build(b, ast->args[i], &b->parts[i]));
  *out = b->parts[ast->n_args - 1];
done:
  tg_free(b->parts);
  b->parts = NULL;
  return status;
}

static tg_status build_node(tg_builder *b, const tg_ast *ast, tg_node *out)
{
  switch (ast->kind) {
  case TG_AST_PART:
    *out = b->parts[ast->part];
    return TG_OK;
  case TG_AST_WHERE:
    return build_where(b, ast, out);
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
    if (!ast->turned) return TG_OK;
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

// ---- symbols ----

static tg_status add_symbols(tg_builder *builder, const tg_shaper *shaper)
{
  for (int32_t i = 0; i < shaper->n_symbols; i++) {
    const tg_scope_symbol *symbol = &shaper->symbols[i];
    tg_dim rows = 0;
    tg_dim cols = 0;
    int32_t index = 0;
    if (tg_symbol_find(builder->graph, symbol->name) >= 0) continue;
    TG_TRY(tg_builder_dim(builder, symbol->rows, (tg_span){0, 0}, &rows));
    TG_TRY(tg_builder_dim(builder, symbol->cols, (tg_span){0, 0}, &cols));
    TG_TRY(tg_symbol_add(builder->graph, symbol->name, rows, cols, symbol->properties, symbol->is_free, &index));
  }
  return TG_OK;
}

// Sizes of eye, ones, zeros, comm and ranges of indices that nothing determines.
static tg_status require_known_sizes(const tg_shaper *shaper, const tg_ast *ast)
{
  for (int32_t i = 0; i < ast->n_args; i++) TG_TRY(require_known_sizes(shaper, ast->args[i]));
  if ((ast->kind != TG_AST_NAME && ast->kind != TG_AST_CALL) || tg_function_find(ast->name) == NULL) return TG_OK;
  const bool is_range = tg_function_find(ast->name)->kind == TG_PICK;
  if (!is_range && !tg_function_takes_sizes(tg_function_find(ast->name))) return TG_OK;
  int64_t number = 0;
  const bool is_placed =
      !is_range || (tg_size_is_number(&shaper->sizes, ast->args[1]->rows, &number) &&
                    (ast->wants == 'r' || tg_size_is_number(&shaper->sizes, ast->args[3]->rows, &number)));
  if (is_placed && tg_size_is_number(&shaper->sizes, ast->rows, &number) &&
      tg_size_is_number(&shaper->sizes, ast->cols, &number))
    return TG_OK;
  if (is_range) TG_FAIL_AT(TG_SHAPE, ast->span, "where these indices begin and end is not known here; write numbers");
  TG_FAIL_AT(TG_SHAPE, ast->span, "the size of %s cannot be inferred here; write %s", ast->name,
             tg_function_find(ast->name)->signature);
}

// The names of the text and of the declarations: no inferred size is called like one of them.
static tg_status reserve_text_names(const tg_ast *ast, tg_name_index *out)
{
  int32_t index = 0;
  for (int32_t i = 0; i < ast->n_args; i++) TG_TRY(reserve_text_names(ast->args[i], out));
  return ast->kind == TG_AST_NAME ? tg_name_index_add(out, ast->name, &index) : TG_OK;
}

static tg_status reserve_names(const tg_compile_options *options, const tg_ast *ast, tg_name_index *out)
{
  int32_t index = 0;
  TG_TRY(reserve_text_names(ast, out));
  for (int32_t i = 0; i < options->n_declarations; i++) {
    const tg_declaration *declaration = &options->declarations[i];
    TG_TRY(tg_name_index_add(out, declaration->name, &index));
    if (declaration->rows_name != NULL) TG_TRY(tg_name_index_add(out, declaration->rows_name, &index));
    if (declaration->cols_name != NULL) TG_TRY(tg_name_index_add(out, declaration->cols_name, &index));
  }
  return TG_OK;
}

// Declared names, and those that the graph has: what other systems mean by them does not count.
static tg_status collect_declared(const tg_graph *graph, const tg_compile_options *options, tg_name_index *out)
{
  int32_t index = 0;
  for (int32_t i = 0; i < options->n_declarations; i++)
    TG_TRY(tg_name_index_add(out, options->declarations[i].name, &index));
  for (int32_t s = 0; s < tg_symbol_count(graph); s++)
    TG_TRY(tg_name_index_add(out, tg_symbol_info(graph, s)->name, &index));
  return TG_OK;
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

static tg_status shape_declared(tg_shaper *shaper, tg_ast *ast)
{
  const tg_status status = tg_shape_once(shaper, ast);
  return status == TG_OK ? status : tg_shape_find_others(shaper, ast, status);
}

// What the shape pass kept is kept; any other failure is the only one.
static tg_status keep_failure(tg_errors *errors, int kept, tg_status status)
{
  if (errors->count > kept) return status;
  TG_TRY(tg_errors_take(errors, status));
  return errors->count > kept ? tg_errors_restore(errors, kept) : status;
}

// ---- parts from elsewhere ----

// The expression and behind it, each on a line, the texts of the parts: places in all of them are places in one buffer.
typedef struct buffer {
  const char *text;
  tg_span expression;
  tg_given_part *parts;
} buffer;

static tg_status fill_buffer(tg_arena *arena, const char *text, size_t length, const tg_compile_options *options,
                             buffer *out)
{
  size_t total = length;
  char *bytes = NULL;
  *out = (buffer){.text = text, .expression = {0, length}};
  for (int32_t k = 0; k < options->n_parts; k++) total += 1 + options->parts[k].value.length;
  if (total > TG_TEXT_BYTES_MAX)
    TG_FAIL(TG_LIMIT, "the expression has %zu bytes; at most %d are read", total, TG_TEXT_BYTES_MAX);
  if (options->n_parts == 0) return TG_OK;
  TG_TRY(TG_ARENA_NEW(arena, total + 1, &bytes));
  TG_TRY(TG_ARENA_NEW(arena, (size_t)options->n_parts, &out->parts));
  memcpy(bytes, text, length);
  for (int32_t k = 0; k < options->n_parts; k++) {
    const tg_excerpt *value = &options->parts[k].value;
    bytes[length++] = '\n';
    if (value->length > 0) memcpy(bytes + length, value->text, value->length);
    out->parts[k] = (tg_given_part){.name = options->parts[k].name, .text = {length, length + value->length}};
    length += value->length;
  }
  out->text = bytes;
  return TG_OK;
}

// The recorded error, whose place is in the buffer, gets its place in the text of the part where it lies.
static tg_status place_in_part(const buffer *b, const tg_compile_options *options, tg_status status)
{
  tg_error *error = tg_error_get();
  if (status == TG_OK || !error->has_span || error->source != 0 || error->span.begin <= b->expression.end)
    return status;
  int32_t k = options->n_parts - 1;
  while (k > 0 && b->parts[k].text.begin > error->span.begin) k--;
  const size_t begin = b->parts[k].text.begin;
  error->span.begin -= begin;
  error->span.end = error->span.end > begin ? error->span.end - begin : 0;
  error->has_span = options->parts[k].value.mark.source != 0;
  if (error->has_span) return tg_error_in_excerpt(&options->parts[k].value, status);
  tg_error_prefix("in the part %s", options->parts[k].name);
  return status;
}

static tg_status place_errors(const buffer *b, const tg_compile_options *options, int kept, tg_status status)
{
  if (options->n_parts == 0 || status == TG_OK) return status;
  tg_errors *errors = options->errors;
  if (errors == NULL || errors->count == kept) return place_in_part(b, options, status);
  for (int k = kept; k < errors->count; k++) {
    place_in_part(b, options, tg_errors_restore(errors, k));
    errors->items[k] = *tg_error_get();
  }
  const tg_status first = tg_errors_restore(errors, kept);
  tg_errors_drop_repeated(errors, kept);
  return first;
}

tg_status tg_compile(tg_graph *graph, const char *text, size_t length, const tg_compile_options *options, tg_node *out)
{
  tg_status status = TG_OK;
  const int kept = options->errors != NULL ? options->errors->count : 0;
  buffer source = {.text = text};
  tg_arena arena;
  tg_ast *ast = NULL;
  tg_name_index reserved = {0};
  tg_name_index declared = {0};
  tg_arena_init(&arena);
  tg_shaper shaper = {.text = text, .arena = &arena, .graph = graph, .options = options};
  tg_sizes_init(&shaper.sizes, &arena);
  tg_builder builder = {.graph = graph,
                        .sizes = &shaper.sizes,
                        .text = text,
                        .options = options,
                        .may_declare = options->infer_undeclared};
  TG_TRY_GOTO(collect_declared(graph, options, &declared));
  TG_TRY_GOTO(fill_buffer(&arena, text, length, options, &source));
  shaper.text = source.text;
  builder.text = source.text;
  const tg_parse_request request = {.arena = &arena,
                                    .text = source.text,
                                    .expression = source.expression,
                                    .n_given = options->n_parts,
                                    .given = source.parts,
                                    .is_used = options->parts_used,
                                    .declared = &declared,
                                    .notices = options->notices};
  TG_TRY_GOTO(tg_parse_with_parts(&request, &ast));
  TG_TRY_GOTO(tg_resolve_constants(&shaper, ast));
  TG_TRY_GOTO(reserve_names(options, ast, &reserved));
  shaper.sizes.reserved = &reserved;
  if (options->infer_undeclared)
    TG_TRY_GOTO(tg_shape_guessing(&shaper, ast));
  else
    TG_TRY_GOTO(shape_declared(&shaper, ast));
  if (!options->infer_undeclared) TG_TRY_GOTO(require_known_sizes(&shaper, ast));
  if (!options->infer_undeclared) TG_TRY_GOTO(tg_report_readings(&shaper, ast, NULL));
  if (options->require_scalar && !tg_shape_is_scalar(&shaper, ast))
    TG_TRY_GOTO(fail_not_scalar(&shaper, tg_ast_value(ast)));
  TG_TRY_GOTO(tg_sizes_name_unknowns(&shaper.sizes));
  TG_TRY_GOTO(add_symbols(&builder, &shaper));
  TG_TRY_GOTO(build(&builder, ast, out));
done:
  if (status != TG_OK && options->errors != NULL) status = keep_failure(options->errors, kept, status);
  status = place_errors(&source, options, kept, status);
  tg_shaper_fini(&shaper);
  tg_name_index_fini(&reserved);
  tg_name_index_fini(&declared);
  tg_arena_fini(&arena);
  return status;
}
