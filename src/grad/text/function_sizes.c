// Functions that have sizes among their arguments: constants, reshape, submatrices; and blocks, whose sizes are sums.
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "grad/text/function_parts.h"

tg_status tg_builder_dim(tg_builder *builder, tg_size size, tg_span span, tg_dim *out)
{
  tg_graph *g = builder->graph;
  tg_size_form form;
  tg_dim sum = 0;
  int64_t number = 1;
  TG_TRY(tg_size_expand(builder->sizes, size, &form));
  if (tg_size_form_is_number(&form, &number) && number < 1)
    TG_FAIL_AT(TG_SHAPE, span, "a size comes to %" PRId64 " here, and is at least 1", number);
  TG_TRY(tg_dim_number(g, 1, &sum));
  for (int32_t t = 0; t < form.n_terms; t++) {
    tg_dim product = 0;
    TG_TRY(tg_dim_number(g, 1, &product));
    for (int32_t i = 0; i < form.terms[t].n; i++) {
      tg_dim factor = 0;
      TG_TRY(tg_dim_named(g, builder->sizes->variables[form.terms[t].vars[i]].name, &factor));
      TG_TRY(tg_dim_product(g, product, factor, &product));
    }
    TG_TRY(tg_dim_sum(g, sum, form.terms[t].coef, product, &sum));
  }
  return tg_dim_offset(g, sum, -1, out); // the 1 that the sum began with
}

// ---- sizes ----

enum { SIZE_MAX_VALUE = 2147483647 };

static tg_status read_position(tg_shaper *shaper, const tg_ast *ast, const tg_size *end, tg_size *out);

static tg_status read_name(tg_shaper *shaper, const tg_ast *ast, const tg_size *end, tg_size *out)
{
  if (end != NULL && strcmp(ast->name, "end") == 0) {
    *out = *end;
    return TG_OK;
  }
  for (int32_t i = 0; i < shaper->options->n_declarations; i++) {
    const tg_declaration *d = &shaper->options->declarations[i];
    if (strcmp(d->name, ast->name) != 0) continue;
    if (d->is_free || d->rows != 1 || d->cols != 1)
      TG_FAIL_AT(TG_SHAPE, ast->span,
                 "'%s' is a matrix, not a size; the size of eye, ones and zeros is inferred without parentheses",
                 ast->name);
    if (!d->has_number && !shaper->options->infer_undeclared)
      TG_FAIL_AT(TG_VALUE, ast->span, "the number that '%s' stands for is not known here; write the number", ast->name);
    if (!d->has_number) continue;
    if (d->number != floor(d->number) || fabs(d->number) > SIZE_MAX_VALUE)
      TG_FAIL_AT(TG_VALUE, ast->span, "'%s' is %g, and a size is a whole number", ast->name, d->number);
    *out = tg_size_number((int64_t)d->number);
    return TG_OK;
  }
  return tg_size_named(&shaper->sizes, ast->name, false, out);
}

static tg_status read_sum(tg_shaper *shaper, const tg_ast *ast, const tg_size *end, tg_size *out)
{
  tg_size sum = tg_size_number(0);
  for (int32_t i = 0; i < ast->n_args; i++) {
    tg_size term;
    const bool is_minus = ast->kind == TG_AST_NEGATIVE || ast->ops[i] == '-';
    TG_TRY(read_position(shaper, ast->args[i], end, &term));
    TG_TRY(tg_size_sum(&shaper->sizes, sum, is_minus ? -1 : 1, term, &sum));
  }
  *out = sum;
  return TG_OK;
}

// A whole number, the name of a size, or sums and products of such; between the indices of a submatrix also `end`, the
// size that they run through.
static tg_status read_position(tg_shaper *shaper, const tg_ast *ast, const tg_size *end, tg_size *out)
{
  if (ast->kind == TG_AST_NUMBER && ast->number >= 0.0 && ast->number == floor(ast->number)) {
    if (ast->number > SIZE_MAX_VALUE)
      TG_FAIL_AT(TG_LIMIT, ast->span, "a size is at most %d, found %.0f", SIZE_MAX_VALUE, ast->number);
    *out = tg_size_number((int64_t)ast->number);
    return TG_OK;
  }
  if (ast->kind == TG_AST_NAME && tg_function_find(ast->name) == NULL) return read_name(shaper, ast, end, out);
  if (ast->kind == TG_AST_SUM || ast->kind == TG_AST_NEGATIVE) return read_sum(shaper, ast, end, out);
  bool product = ast->kind == TG_AST_TERM;
  for (int32_t i = 0; product && i < ast->n_args; i++) product = ast->ops[i] == '*';
  if (!product)
    TG_FAIL_AT(TG_VALUE, ast->span,
               "a size is a whole number of at least 1, the name of a size such as n, or made of such by +, - and *");
  *out = tg_size_number(1);
  for (int32_t i = 0; i < ast->n_args; i++) {
    tg_size factor;
    TG_TRY(read_position(shaper, ast->args[i], end, &factor));
    TG_TRY(tg_size_times(&shaper->sizes, *out, factor, out));
  }
  return TG_OK;
}

static tg_status read_size(tg_shaper *shaper, const tg_ast *ast, tg_size *out)
{
  int64_t number = 1;
  TG_TRY(read_position(shaper, ast, NULL, out));
  if (!tg_size_is_number(&shaper->sizes, *out, &number) || number >= 1) return TG_OK;
  TG_FAIL_AT(TG_VALUE, ast->span, "a size is a whole number of at least 1, or the name of a size such as n");
}

tg_status tg_function_shape_eye(tg_shaper *shaper, tg_ast *ast)
{
  if (ast->n_args == 0)
    TG_TRY(tg_size_unknown(&shaper->sizes, &ast->rows));
  else
    TG_TRY(read_size(shaper, ast->args[0], &ast->rows));
  ast->cols = ast->rows;
  return TG_OK;
}

tg_status tg_function_shape_constant(tg_shaper *shaper, tg_ast *ast)
{
  if (ast->n_args == 0) {
    TG_TRY(tg_size_unknown(&shaper->sizes, &ast->rows));
    if (ast->wants != 'c') return tg_size_unknown(&shaper->sizes, &ast->cols);
    ast->cols = tg_size_number(1);
    return TG_OK;
  }
  TG_TRY(read_size(shaper, ast->args[0], &ast->rows));
  return read_size(shaper, ast->args[1], &ast->cols);
}

tg_status tg_function_shape_comm(tg_shaper *shaper, tg_ast *ast)
{
  tg_size m;
  tg_size n;
  TG_TRY(read_size(shaper, ast->args[0], &m));
  TG_TRY(read_size(shaper, ast->args[1], &n));
  TG_TRY(tg_size_times(&shaper->sizes, m, n, &ast->rows));
  ast->cols = ast->rows;
  // Kept for the builder where the argument nodes stand.
  ast->args[0]->rows = m;
  ast->args[1]->rows = n;
  return TG_OK;
}

// The columns stacked into one and cut into n columns of m.
tg_status tg_function_shape_reshape(tg_shaper *shaper, tg_ast *ast)
{
  tg_size before;
  tg_size after;
  bool equal = false;
  TG_TRY(read_size(shaper, ast->args[1], &ast->rows));
  TG_TRY(read_size(shaper, ast->args[2], &ast->cols));
  TG_TRY(tg_size_times(&shaper->sizes, ast->args[0]->rows, ast->args[0]->cols, &before));
  TG_TRY(tg_size_times(&shaper->sizes, ast->rows, ast->cols, &after));
  TG_TRY(tg_size_unify(&shaper->sizes, before, after, ast->span, &equal));
  if (equal) return TG_OK;
  tg_text shape;
  tg_text_init(&shape);
  tg_shape_describe(shaper, ast->args[0], &shape);
  tg_text_add(&shape, ", asked for ");
  tg_shape_describe(shaper, ast, &shape);
  const tg_status status = tg_error_set_at(TG_SHAPE, TG_HERE, ast->span,
                                           "reshape keeps the number of entries, found %s", tg_text_string(&shape));
  tg_text_fini(&shape);
  return status;
}

// ---- submatrices and blocks ----

static tg_status check_indices(tg_shaper *shaper, tg_span span, tg_size begin, tg_size last, tg_size whole)
{
  tg_sizes *sizes = &shaper->sizes;
  const bool is_last = !tg_size_is_equal(sizes, last, whole) && tg_size_is_at_least(sizes, last, whole);
  const bool is_first = !tg_size_is_equal(sizes, begin, whole) && tg_size_is_at_least(sizes, begin, whole);
  const bool is_empty = !tg_size_is_equal(sizes, begin, last) && tg_size_is_at_least(sizes, begin, last);
  if (!is_last && !is_first && is_empty) TG_FAIL_AT(TG_SHAPE, span, "the range of indices is empty");
  if (!is_last && !is_first) return TG_OK;
  tg_text message;
  tg_text_init(&message);
  tg_size_print(sizes, is_last ? last : begin, &message);
  tg_text_add(&message, " exceeds the size ");
  tg_size_print(sizes, whole, &message);
  const tg_status status = tg_error_set_at(TG_SHAPE, TG_HERE, span, "index %s", tg_text_string(&message));
  tg_text_fini(&message);
  return status;
}

// The indices of one side, args[first] to args[first + 1]; a last one of 0 stands for the end. *size becomes how many
// they are, and where they begin is kept for the builder in the first argument.
static tg_status shape_range(tg_shaper *shaper, tg_ast *ast, int first, tg_size *size)
{
  tg_sizes *sizes = &shaper->sizes;
  const tg_ast *end = ast->args[first + 1];
  const tg_size whole = *size;
  const tg_size one = tg_size_number(1);
  tg_size begin;
  tg_size last;
  tg_size count;
  int64_t number = 1;
  TG_TRY(read_position(shaper, ast->args[first], &whole, &begin));
  TG_TRY(read_position(shaper, end, &whole, &last));
  if (tg_size_is_number(sizes, last, &number) && number == 0) last = whole;
  if (tg_size_is_number(sizes, begin, &number) && number < 1)
    TG_FAIL_AT(TG_SHAPE, ast->span, "indices begin with 1, found %" PRId64, number);
  TG_TRY(tg_size_sum(sizes, last, -1, begin, &count));
  TG_TRY(tg_size_sum(sizes, count, 1, one, &count));
  TG_TRY(check_indices(shaper, ast->span, begin, last, whole));
  ast->args[first]->rows = begin;
  *size = count;
  return TG_OK;
}

tg_status tg_function_shape_submatrix(tg_shaper *shaper, tg_ast *ast)
{
  ast->rows = ast->args[0]->rows;
  ast->cols = ast->args[0]->cols;
  if (ast->wants == 'i') { // one index: of a vector
    const bool row = tg_size_is_one(&shaper->sizes, ast->rows);
    if (!row && !tg_size_is_one(&shaper->sizes, ast->cols))
      TG_FAIL_AT(TG_SHAPE, ast->span, "one index is for vectors; of a matrix write X(i:j,:)");
    ast->wants = row ? 'r' : 0;
  }
  if (ast->wants == 'r') return shape_range(shaper, ast, 1, &ast->cols);
  TG_TRY(shape_range(shaper, ast, 1, &ast->rows));
  return shape_range(shaper, ast, 3, &ast->cols);
}

// The sizes along a line of blocks are added, the others are equal.
static tg_status shape_line(tg_shaper *shaper, tg_ast *ast, bool columns)
{
  tg_size total = tg_size_number(0);
  const tg_size common = columns ? ast->args[0]->rows : ast->args[0]->cols;
  for (int32_t i = 0; i < ast->n_args; i++) {
    const tg_ast *block = ast->args[i];
    bool equal = false;
    TG_TRY(tg_size_unify(&shaper->sizes, common, columns ? block->rows : block->cols, block->span, &equal));
    if (!equal)
      TG_FAIL_AT(TG_SHAPE, block->span, "blocks %s need equal numbers of %s",
                 columns ? "beside one another" : "above one another", columns ? "rows" : "columns");
    TG_TRY(tg_size_sum(&shaper->sizes, total, 1, columns ? block->cols : block->rows, &total));
  }
  ast->rows = columns ? common : total;
  ast->cols = columns ? total : common;
  return TG_OK;
}

tg_status tg_function_shape_horzcat(tg_shaper *shaper, tg_ast *ast)
{
  return shape_line(shaper, ast, true);
}

tg_status tg_function_shape_vertcat(tg_shaper *shaper, tg_ast *ast)
{
  return shape_line(shaper, ast, false);
}

// ---- nodes ----

tg_status tg_function_build_reshape(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  tg_dim rows = 0;
  tg_dim cols = 0;
  TG_TRY(tg_builder_dim(builder, ast->rows, ast->span, &rows));
  TG_TRY(tg_builder_dim(builder, ast->cols, ast->span, &cols));
  TG_TRY(tg_make_unary(builder->graph, TG_VEC, args[0], out));
  return tg_make_unvec(builder->graph, *out, rows, cols, out);
}

// Whether the indices first .. first + count - 1 can be those of a size: what is certain is refused here, where all
// sizes are known that will be.
static tg_status check_range(tg_graph *g, const tg_ast *ast, tg_dim first, tg_dim count, tg_dim whole)
{
  tg_dim behind = 0;
  int64_t number = 1;
  TG_TRY(tg_dim_sum(g, first, 1, count, &behind));
  TG_TRY(tg_dim_offset(g, behind, -1, &behind));
  if (tg_dim_is_number(g, count, &number) && number < 1)
    TG_FAIL_AT(TG_SHAPE, ast->span, "the range of indices is empty");
  if (behind == whole || !tg_dim_is_at_least(g, behind, whole)) return TG_OK;
  tg_text message;
  tg_text_init(&message);
  tg_dim_print(g, behind, &message);
  tg_text_add(&message, " exceeds the size ");
  tg_dim_print(g, whole, &message);
  const tg_status status = tg_error_set_at(TG_SHAPE, TG_HERE, ast->span, "index %s", tg_text_string(&message));
  tg_text_fini(&message);
  return status;
}

// P X Q' with rows P and Q of identities.
tg_status tg_function_build_submatrix(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  tg_graph *g = builder->graph;
  const tg_info *info = tg_node_info(g, args[0]);
  const tg_dim whole[2] = {info->rows, info->cols};
  const bool row = ast->wants == 'r';
  const tg_size sizes[2] = {ast->rows, ast->cols};
  tg_node picks[2] = {TG_NONE, TG_NONE};
  for (int k = 0; k < 2; k++) {
    const tg_size begin = row && k == 0 ? tg_size_number(1) : ast->args[row ? 1 : 1 + 2 * k]->rows;
    tg_dim first = 0;
    tg_dim count = 0;
    TG_TRY(tg_builder_dim(builder, begin, ast->span, &first));
    TG_TRY(tg_builder_dim(builder, sizes[k], ast->span, &count));
    TG_TRY(check_range(g, ast, first, count, whole[k]));
    TG_TRY(tg_make_pick(g, count, whole[k], first, &picks[k]));
  }
  TG_TRY(tg_make_trans(g, picks[1], &picks[1]));
  return tg_make_prod(g, 3, (const tg_node[]){picks[0], args[0], picks[1]}, out);
}

// sum_k A_k Q_k, Q_k the rows of the identity where block k lies; the transposes for blocks above one another.
static tg_status build_line(tg_builder *builder, const tg_ast *ast, const tg_node *args, bool columns, tg_node *out)
{
  tg_graph *g = builder->graph;
  tg_dim whole = 0;
  tg_dim first = 0;
  TG_TRY(tg_dim_number(g, 1, &first));
  TG_TRY(tg_builder_dim(builder, columns ? ast->cols : ast->rows, ast->span, &whole));
  for (int32_t i = 0; i < ast->n_args; i++) {
    const tg_info *info = tg_node_info(g, args[i]);
    const tg_dim own = columns ? info->cols : info->rows;
    tg_node pick = TG_NONE;
    tg_node block = TG_NONE;
    TG_TRY(tg_make_pick(g, own, whole, first, &pick));
    if (!columns) TG_TRY(tg_make_trans(g, pick, &pick));
    TG_TRY(columns ? tg_make_mul(g, args[i], pick, &block) : tg_make_mul(g, pick, args[i], &block));
    TG_TRY(tg_dim_sum(g, first, 1, own, &first));
    if (i == 0)
      *out = block;
    else
      TG_TRY(tg_make_add(g, *out, block, out));
  }
  return TG_OK;
}

tg_status tg_function_build_horzcat(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  return build_line(builder, ast, args, true, out);
}

tg_status tg_function_build_vertcat(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  return build_line(builder, ast, args, false, out);
}

tg_status tg_function_build_constant(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  (void)args;
  tg_dim rows = 0;
  tg_dim cols = 0;
  TG_TRY(tg_builder_dim(builder, ast->rows, ast->span, &rows));
  TG_TRY(tg_builder_dim(builder, ast->cols, ast->span, &cols));
  switch (tg_function_find(ast->name)->kind) {
  case TG_EYE:
    if (tg_dim_is_one(builder->graph, rows)) return tg_make_num(builder->graph, 1.0, out);
    return tg_make_eye(builder->graph, rows, out);
  case TG_ONES:
    return tg_make_ones(builder->graph, rows, cols, out);
  default:
    return tg_make_zeros(builder->graph, rows, cols, out);
  }
}

tg_status tg_function_build_comm(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  (void)args;
  tg_dim m = 0;
  tg_dim n = 0;
  TG_TRY(tg_builder_dim(builder, ast->args[0]->rows, ast->span, &m));
  TG_TRY(tg_builder_dim(builder, ast->args[1]->rows, ast->span, &n));
  return tg_make_comm(builder->graph, m, n, out);
}
