// The functions of the language: one row each with what it accepts, its shape and what it builds.
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "grad/text/shape.h"

tg_status tg_builder_dim(tg_builder *builder, tg_size size, tg_dim *out)
{
  TG_TRY(tg_size_resolve(builder->sizes, size, &size));
  TG_TRY(tg_dim_number(builder->graph, size.coef, out));
  for (int32_t i = 0; i < size.n_vars; i++) {
    tg_dim factor = 0;
    TG_TRY(tg_dim_named(builder->graph, builder->sizes->variables[size.vars[i]].name, &factor));
    TG_TRY(tg_dim_product(builder->graph, *out, factor, out));
  }
  return TG_OK;
}

// ---- shapes ----

static void set_shape(tg_ast *ast, tg_size rows, tg_size cols)
{
  ast->rows = rows;
  ast->cols = cols;
}

static tg_status shape_entrywise(tg_shaper *shaper, tg_ast *ast)
{
  (void)shaper;
  set_shape(ast, ast->args[0]->rows, ast->args[0]->cols);
  return TG_OK;
}

static tg_status shape_to_scalar(tg_shaper *shaper, tg_ast *ast)
{
  (void)shaper;
  set_shape(ast, tg_size_number(1), tg_size_number(1));
  return TG_OK;
}

static tg_status shape_square_to_scalar(tg_shaper *shaper, tg_ast *ast)
{
  TG_TRY(tg_shape_require_square(shaper, ast->name, ast->args[0]));
  return shape_to_scalar(shaper, ast);
}

static tg_status shape_square(tg_shaper *shaper, tg_ast *ast)
{
  TG_TRY(tg_shape_require_square(shaper, ast->name, ast->args[0]));
  return shape_entrywise(shaper, ast);
}

// All square and equal.
static tg_status shape_matfun(tg_shaper *shaper, tg_ast *ast)
{
  TG_TRY(shape_square(shaper, ast));
  for (int32_t i = 1; i < ast->n_args; i++)
    TG_TRY(tg_shape_require_equal(shaper, ast->name, ast->args[0], ast->args[i], ast->span));
  return TG_OK;
}

static tg_status shape_along(tg_shaper *shaper, tg_ast *ast)
{
  TG_TRY(tg_shape_require_equal(shaper, ast->name, ast->args[0], ast->args[1], ast->span));
  return shape_entrywise(shaper, ast);
}

static tg_status shape_dot(tg_shaper *shaper, tg_ast *ast)
{
  TG_TRY(tg_shape_require_equal(shaper, "dot", ast->args[0], ast->args[1], ast->span));
  return shape_to_scalar(shaper, ast);
}

static tg_status shape_diagvec(tg_shaper *shaper, tg_ast *ast)
{
  TG_TRY(tg_shape_require_square(shaper, "diagvec", ast->args[0]));
  set_shape(ast, ast->args[0]->rows, tg_size_number(1));
  return TG_OK;
}

// diag gives the diagonal matrix of a vector and the diagonal of a matrix as a column. What may be a matrix is one: a
// capital letter becomes a vector by declaration only.
static tg_status shape_diag(tg_shaper *shaper, tg_ast *ast)
{
  const tg_ast *v = ast->args[0];
  const bool row = tg_size_is_one(&shaper->sizes, v->rows);
  const tg_size size = row ? v->cols : v->rows;
  if (row || tg_size_is_one(&shaper->sizes, v->cols)) {
    set_shape(ast, size, size);
    return TG_OK;
  }
  TG_TRY(tg_shape_require_square(shaper, "the diagonal by diag", v));
  set_shape(ast, size, tg_size_number(1));
  return TG_OK;
}

// Two arguments have equal shapes, or one of them is a scalar.
static tg_status shape_larger(tg_shaper *shaper, tg_ast *ast)
{
  const tg_ast *a = ast->args[0];
  const tg_ast *b = ast->args[1];
  if (!tg_shape_is_scalar(shaper, a) && !tg_shape_is_scalar(shaper, b))
    TG_TRY(tg_shape_require_equal(shaper, ast->name, a, b, ast->span));
  const tg_ast *like = tg_shape_is_scalar(shaper, a) ? b : a;
  set_shape(ast, like->rows, like->cols);
  return TG_OK;
}

static tg_status shape_by_rows(tg_shaper *shaper, tg_ast *ast)
{
  (void)shaper;
  set_shape(ast, ast->args[0]->rows, tg_size_number(1));
  return TG_OK;
}

static tg_status shape_by_columns(tg_shaper *shaper, tg_ast *ast)
{
  (void)shaper;
  set_shape(ast, tg_size_number(1), ast->args[0]->cols);
  return TG_OK;
}

static tg_status shape_kron(tg_shaper *shaper, tg_ast *ast)
{
  TG_TRY(tg_size_times(&shaper->sizes, ast->args[0]->rows, ast->args[1]->rows, &ast->rows));
  return tg_size_times(&shaper->sizes, ast->args[0]->cols, ast->args[1]->cols, &ast->cols);
}

static tg_status shape_vec(tg_shaper *shaper, tg_ast *ast)
{
  ast->cols = tg_size_number(1);
  return tg_size_times(&shaper->sizes, ast->args[0]->rows, ast->args[0]->cols, &ast->rows);
}

enum { SIZE_MAX_VALUE = 2147483647 };

// A size argument: a whole number, the name of a size, or a product of such.
static tg_status read_size(tg_shaper *shaper, const tg_ast *ast, tg_size *out)
{
  if (ast->kind == TG_AST_NUMBER && ast->number >= 1.0 && ast->number == floor(ast->number)) {
    if (ast->number > SIZE_MAX_VALUE)
      TG_FAIL_AT(TG_LIMIT, ast->span, "a size is at most %d, found %.0f", SIZE_MAX_VALUE, ast->number);
    *out = tg_size_number((int64_t)ast->number);
    return TG_OK;
  }
  for (int32_t i = 0; ast->kind == TG_AST_NAME && i < shaper->options->n_declarations; i++) {
    const tg_declaration *d = &shaper->options->declarations[i];
    if (strcmp(d->name, ast->name) == 0 && (d->is_free || d->rows != 1 || d->cols != 1))
      TG_FAIL_AT(TG_SHAPE, ast->span,
                 "'%s' is a matrix, not a size; the size of eye, ones and zeros is inferred without parentheses",
                 ast->name);
  }
  if (ast->kind == TG_AST_NAME && tg_function_find(ast->name) == NULL)
    return tg_size_named(&shaper->sizes, ast->name, false, out);
  bool product = ast->kind == TG_AST_TERM;
  for (int32_t i = 0; product && i < ast->n_args; i++) product = ast->ops[i] == '*';
  if (!product)
    TG_FAIL_AT(TG_VALUE, ast->span, "a size is a whole number of at least 1, or the name of a size such as n");
  *out = tg_size_number(1);
  for (int32_t i = 0; i < ast->n_args; i++) {
    tg_size factor;
    TG_TRY(read_size(shaper, ast->args[i], &factor));
    TG_TRY(tg_size_times(&shaper->sizes, *out, factor, out));
  }
  return TG_OK;
}

static tg_status shape_eye(tg_shaper *shaper, tg_ast *ast)
{
  if (ast->n_args == 0)
    TG_TRY(tg_size_unknown(&shaper->sizes, &ast->rows));
  else
    TG_TRY(read_size(shaper, ast->args[0], &ast->rows));
  ast->cols = ast->rows;
  return TG_OK;
}

static tg_status shape_constant(tg_shaper *shaper, tg_ast *ast)
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

static tg_status shape_comm(tg_shaper *shaper, tg_ast *ast)
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
static tg_status shape_reshape(tg_shaper *shaper, tg_ast *ast)
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

// Bounds of an index: 1 and 0 are all. What is counted is a number unless it is all of a symbolic size.
static tg_status shape_range(tg_shaper *shaper, tg_ast *ast, int first, tg_size *size)
{
  const int64_t begin = (int64_t)ast->args[first]->number;
  const int64_t last = (int64_t)ast->args[first + 1]->number;
  tg_size resolved;
  TG_TRY(tg_size_resolve(&shaper->sizes, *size, &resolved));
  const int64_t known = resolved.n_vars == 0 ? resolved.coef : -1;
  if (begin == 1 && last == 0) return TG_OK;
  if (last == 0 && known < 0)
    TG_FAIL_AT(TG_SHAPE, ast->span, "where the indices end is not known: give the size by --dims, or a number");
  if (known >= 0 && (last > known || begin > known))
    TG_FAIL_AT(TG_SHAPE, ast->span, "index %" PRId64 " exceeds the size %" PRId64, last > known ? last : begin, known);
  *size = tg_size_number((last == 0 ? known : last) - begin + 1);
  return TG_OK;
}

static tg_status shape_submatrix(tg_shaper *shaper, tg_ast *ast)
{
  for (int i = 1; i < 5; i++)
    if (ast->args[i]->kind != TG_AST_NUMBER)
      TG_FAIL_AT(TG_VALUE, ast->args[i]->span, "the bounds of a submatrix are numbers; write X(i:j,k:l)");
  set_shape(ast, ast->args[0]->rows, ast->args[0]->cols);
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

static void quote_line(const tg_shaper *shaper, const tg_ast *line, tg_text *out)
{
  for (int32_t i = 0; i < line->n_args; i++) {
    tg_text_add(out, i > 0 ? ", " : "");
    tg_shape_quote(shaper, line->args[i], out);
  }
}

// Sizes are numbers, or products of names: m + p is none of them.
static tg_status fail_open_blocks(tg_shaper *shaper, const tg_ast *line, bool columns)
{
  tg_text message;
  tg_text_init(&message);
  tg_text_addf(&message, "blocks %s have ", columns ? "beside one another" : "above one another");
  for (int32_t i = 0; i < line->n_args; i++) {
    tg_text_add(&message, i > 0 ? " + " : "");
    tg_size_print(&shaper->sizes, columns ? line->args[i]->cols : line->args[i]->rows, &message);
  }
  tg_text_addf(&message, " %s, and a size is a number or a product of names; give the sizes of ",
               columns ? "columns" : "rows");
  quote_line(shaper, line, &message);
  tg_text_add(&message, " in numbers, by --dims NAME=3x4");
  const tg_status status = tg_error_set_at(TG_SHAPE, TG_HERE, line->span, "%s", tg_text_string(&message));
  tg_text_fini(&message);
  return status;
}

// A line of blocks whose own sizes are open, which was said there.
static bool is_reported(const tg_shaper *shaper, const tg_ast *block)
{
  return shaper->errors != NULL && block->kind == TG_AST_CALL && strcmp(block->name, "horzcat") == 0;
}

// The sum of numbers that the sizes along a line of blocks must be.
static tg_status shape_line(tg_shaper *shaper, tg_ast *ast, bool columns)
{
  int64_t total = 0;
  tg_size common = columns ? ast->args[0]->rows : ast->args[0]->cols;
  for (int32_t i = 0; i < ast->n_args; i++) {
    tg_ast *block = ast->args[i];
    bool equal = false;
    tg_size size;
    TG_TRY(tg_size_unify(&shaper->sizes, common, columns ? block->rows : block->cols, block->span, &equal));
    if (!equal)
      TG_FAIL_AT(TG_SHAPE, block->span, "blocks %s need equal numbers of %s",
                 columns ? "beside one another" : "above one another", columns ? "rows" : "columns");
    TG_TRY(tg_size_resolve(&shaper->sizes, columns ? block->cols : block->rows, &size));
    if (size.n_vars > 0 && is_reported(shaper, block)) return fail_open_blocks(shaper, block, true);
    if (size.n_vars > 0) return fail_open_blocks(shaper, ast, columns);
    total += size.coef;
  }
  set_shape(ast, columns ? common : tg_size_number(total), columns ? tg_size_number(total) : common);
  return TG_OK;
}

static tg_status shape_horzcat(tg_shaper *shaper, tg_ast *ast)
{
  return shape_line(shaper, ast, true);
}

static tg_status shape_vertcat(tg_shaper *shaper, tg_ast *ast)
{
  return shape_line(shaper, ast, false);
}

// A square matrix, a scalar exponent, and directions of the matrix's shape.
static tg_status shape_power_along(tg_shaper *shaper, tg_ast *ast)
{
  TG_TRY(shape_square(shaper, ast));
  if (!tg_shape_is_scalar(shaper, ast->args[1]))
    TG_FAIL_AT(TG_SHAPE, ast->args[1]->span, "the exponent of %s is a whole number, or a scalar that stands for one",
               ast->name);
  for (int32_t i = 2; i < ast->n_args; i++)
    TG_TRY(tg_shape_require_equal(shaper, ast->name, ast->args[0], ast->args[i], ast->span));
  return TG_OK;
}

// ---- nodes ----

static tg_status build_unary(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  return tg_make_unary(builder->graph, tg_function_find(ast->name)->kind, args[0], out);
}

// A 1 x 1 argument is both.
static tg_status build_diag(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  const tg_info *info = tg_node_info(builder->graph, args[0]);
  const bool is_vector = tg_dim_is_one(builder->graph, info->rows) || tg_dim_is_one(builder->graph, info->cols);
  (void)ast;
  return tg_make_unary(builder->graph, is_vector ? TG_DIAG : TG_DIAGVEC, args[0], out);
}

static tg_status build_dot(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  (void)ast;
  return tg_make_dot(builder->graph, args[0], args[1], out);
}

static tg_status build_sumsq(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  (void)ast;
  return tg_make_dot(builder->graph, args[0], args[0], out);
}

static tg_status build_norm2(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  TG_TRY(build_sumsq(builder, ast, args, out));
  return tg_make_pow_number(builder->graph, *out, 0.5, out);
}

static tg_status build_norm1(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  (void)ast;
  TG_TRY(tg_make_unary(builder->graph, TG_ABS, args[0], out));
  return tg_make_unary(builder->graph, TG_SUM, *out, out);
}

static tg_status build_sqrt(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  (void)ast;
  return tg_make_pow_number(builder->graph, args[0], 0.5, out);
}

static tg_status build_kron(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  (void)ast;
  return tg_make_kron(builder->graph, args[0], args[1], out);
}

static tg_status build_reshape(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  tg_dim rows = 0;
  tg_dim cols = 0;
  TG_TRY(tg_builder_dim(builder, ast->rows, &rows));
  TG_TRY(tg_builder_dim(builder, ast->cols, &cols));
  TG_TRY(tg_make_unary(builder->graph, TG_VEC, args[0], out));
  return tg_make_unvec(builder->graph, *out, rows, cols, out);
}

static tg_status build_matfun(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  const tg_kind kind = tg_function_find(ast->name)->kind;
  TG_TRY(tg_builder_require_symmetric(builder, ast, args[0]));
  if (ast->n_args == 1) return tg_make_matfun(builder->graph, kind, args[0], out);
  return tg_make_matfun_along(builder->graph, kind, args[0], args[1], ast->n_args == 3 ? args[2] : TG_NONE, out);
}

static tg_status build_power_along(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  tg_node exponent = args[1];
  TG_TRY(tg_builder_exponent(builder, ast->args[1], &exponent));
  return tg_make_mpower_along(builder->graph, args[0], exponent, args[2], ast->n_args == 4 ? args[3] : TG_NONE, out);
}

static tg_status build_singular_along(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  return tg_make_singular_along(builder->graph, tg_function_find(ast->name)->kind, args[0], args[1], out);
}

static tg_status build_larger(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  return tg_make_larger(builder->graph, tg_function_find(ast->name)->kind, args[0], args[1], out);
}

static tg_status build_sum_rows(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  (void)ast;
  return tg_make_row_sums(builder->graph, args[0], out);
}

static tg_status build_sum_columns(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  (void)ast;
  return tg_make_column_sums(builder->graph, args[0], out);
}

static tg_status build_mean(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  (void)ast;
  return tg_make_mean(builder->graph, args[0], out);
}

static tg_status build_var(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  (void)ast;
  return tg_make_var(builder->graph, args[0], out);
}

typedef struct axis {
  bool rows;
  bool columns;
} axis;

// By the end of the name: ..._rows, ..._columns, or all entries.
static axis axis_of(const char *name)
{
  const char *end = strrchr(name, '_');
  return (axis){end != NULL && strcmp(end, "_rows") == 0, end != NULL && strcmp(end, "_columns") == 0};
}

static tg_status build_logsumexp(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  const axis along = axis_of(ast->name);
  return tg_make_logsumexp(builder->graph, args[0], along.rows, along.columns, out);
}

static tg_status build_softmax(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  const axis along = axis_of(ast->name);
  return tg_make_softmax(builder->graph, args[0], along.rows, along.columns, out);
}

static tg_status build_triangle(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  const tg_info *info = tg_node_info(builder->graph, args[0]);
  TG_TRY(tg_make_triangle(builder->graph, tg_function_find(ast->name)->kind, info->rows, info->cols, out));
  return tg_make_had(builder->graph, 2, (const tg_node[]){args[0], *out}, out);
}

// P X Q' with rows P and Q of identities.
static tg_status build_submatrix(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  tg_graph *g = builder->graph;
  const tg_info *info = tg_node_info(g, args[0]);
  const tg_dim whole[2] = {info->rows, info->cols};
  const bool row = ast->wants == 'r';
  tg_dim sizes[2] = {0, 0};
  tg_node picks[2] = {TG_NONE, TG_NONE};
  TG_TRY(tg_builder_dim(builder, ast->rows, &sizes[0]));
  TG_TRY(tg_builder_dim(builder, ast->cols, &sizes[1]));
  for (int k = 0; k < 2; k++) {
    const double begin = row && k == 0 ? 1.0 : ast->args[row ? 1 : 1 + 2 * k]->number;
    TG_TRY(tg_make_pick(g, sizes[k], whole[k], (int64_t)begin - 1, &picks[k]));
  }
  TG_TRY(tg_make_trans(g, picks[1], &picks[1]));
  return tg_make_prod(g, 3, (const tg_node[]){picks[0], args[0], picks[1]}, out);
}

// sum_k A_k Q_k, Q_k the rows of the identity where block k lies; the transposes for blocks above one another.
static tg_status build_line(tg_builder *builder, const tg_ast *ast, const tg_node *args, bool columns, tg_node *out)
{
  tg_graph *g = builder->graph;
  tg_dim whole = 0;
  int64_t offset = 0;
  TG_TRY(tg_builder_dim(builder, columns ? ast->cols : ast->rows, &whole));
  for (int32_t i = 0; i < ast->n_args; i++) {
    const tg_info *info = tg_node_info(g, args[i]);
    const tg_dim own = columns ? info->cols : info->rows;
    tg_node pick = TG_NONE;
    tg_node block = TG_NONE;
    TG_TRY(tg_make_pick(g, own, whole, offset, &pick));
    if (!columns) TG_TRY(tg_make_trans(g, pick, &pick));
    TG_TRY(columns ? tg_make_mul(g, args[i], pick, &block) : tg_make_mul(g, pick, args[i], &block));
    offset += tg_dim_value(g, own);
    if (i == 0)
      *out = block;
    else
      TG_TRY(tg_make_add(g, *out, block, out));
  }
  return TG_OK;
}

static tg_status build_horzcat(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  return build_line(builder, ast, args, true, out);
}

static tg_status build_vertcat(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  return build_line(builder, ast, args, false, out);
}

static tg_status build_constant(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  (void)args;
  tg_dim rows = 0;
  tg_dim cols = 0;
  TG_TRY(tg_builder_dim(builder, ast->rows, &rows));
  TG_TRY(tg_builder_dim(builder, ast->cols, &cols));
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

static tg_status build_comm(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  (void)args;
  tg_dim m = 0;
  tg_dim n = 0;
  TG_TRY(tg_builder_dim(builder, ast->args[0]->rows, &m));
  TG_TRY(tg_builder_dim(builder, ast->args[1]->rows, &n));
  return tg_make_comm(builder->graph, m, n, out);
}

enum { BLOCKS_MAX = 1000 };

static const tg_function_info functions[] = {
    {"tr", 1, 1, "tr(X)", "sum of the diagonal of a square matrix", TG_TR, shape_square_to_scalar, build_unary},
    {"det", 1, 1, "det(X)", "determinant of a square matrix", TG_DET, shape_square_to_scalar, build_unary},
    {"logdet", 1, 1, "logdet(X)", "log of the determinant of a positive-definite matrix", TG_LOGDET,
     shape_square_to_scalar, build_unary},
    {"inv", 1, 1, "inv(X)", "inverse of a square matrix; compiled to solves", TG_INV, shape_square, build_unary},
    {"dot", 2, 2, "dot(X, Y)", "Frobenius inner product tr(X'*Y) of equal shapes", TG_TR, shape_dot, build_dot},
    {"sum", 1, 1, "sum(X)", "sum of the entries", TG_SUM, shape_to_scalar, build_unary},
    {"sumsq", 1, 1, "sumsq(X)", "sum of the squared entries", TG_TR, shape_to_scalar, build_sumsq},
    {"norm2", 1, 1, "norm2(X)", "Frobenius (Euclidean) norm", TG_POW, shape_to_scalar, build_norm2},
    {"norm1", 1, 1, "norm1(X)", "sum of the absolute values", TG_SUM, shape_to_scalar, build_norm1},
    {"diag", 1, 1, "diag(v)", "diagonal matrix of a vector; of a matrix its diagonal as a column", TG_DIAG, shape_diag,
     build_diag},
    {"diagvec", 1, 1, "diagvec(X)", "diagonal of a square matrix as a column", TG_DIAGVEC, shape_diagvec, build_unary},
    {"kron", 2, 2, "kron(A, B)", "Kronecker product", TG_KRON, shape_kron, build_kron},
    {"vec", 1, 1, "vec(X)", "the columns stacked into one", TG_VEC, shape_vec, build_unary},
    {"reshape", 3, 3, "reshape(X, m, n)", "the entries, column by column, as m x n", TG_UNVEC, shape_reshape,
     build_reshape},
    {"comm", 2, 2, "comm(m, n)", "commutation matrix K with K*vec(X) = vec(X') for X m x n", TG_COMM, shape_comm,
     build_comm},
    {"eye", 1, 1, "eye(n)", "identity; the size may be left out where it can be inferred", TG_EYE, shape_eye,
     build_constant},
    {"ones", 2, 2, "ones(m, n)", "all ones; sizes may be left out", TG_ONES, shape_constant, build_constant},
    {"zeros", 2, 2, "zeros(m, n)", "all zeros; sizes may be left out", TG_ZEROS, shape_constant, build_constant},
    {"nuclear_norm", 1, 1, "nuclear_norm(X)", "sum of the singular values", TG_NUCLEAR, shape_to_scalar, build_unary},
    {"spectral_norm", 1, 1, "spectral_norm(X)", "largest singular value", TG_SPECTRAL, shape_to_scalar, build_unary},
    {"polar_factor", 1, 1, "polar_factor(X)", "U*V' of X = U*diag(s)*V'", TG_POLAR, shape_entrywise, build_unary},
    {"leading_dyad", 1, 1, "leading_dyad(X)", "u*v' of the largest singular value", TG_DYAD, shape_entrywise,
     build_unary},
    {"dpolar_factor", 2, 2, "dpolar_factor(X, W)", "derivative of polar_factor at X along W", TG_DPOLAR, shape_along,
     build_singular_along},
    {"dleading_dyad", 2, 2, "dleading_dyad(X, W)", "derivative of leading_dyad at X along W", TG_DDYAD, shape_along,
     build_singular_along},
    {"sqrtm", 1, 1, "sqrtm(S)", "square root of a symmetric matrix", TG_SQRTM, shape_matfun, build_matfun},
    {"expm", 1, 1, "expm(S)", "exponential of a symmetric matrix", TG_EXPM, shape_matfun, build_matfun},
    {"logm", 1, 1, "logm(S)", "logarithm of a symmetric positive definite matrix", TG_LOGM, shape_matfun, build_matfun},
    {"dsqrtm", 2, 2, "dsqrtm(S, V)", "derivative of sqrtm at S along V", TG_DSQRTM, shape_matfun, build_matfun},
    {"dexpm", 2, 2, "dexpm(S, V)", "derivative of expm at S along V", TG_DEXPM, shape_matfun, build_matfun},
    {"dlogm", 2, 2, "dlogm(S, V)", "derivative of logm at S along V", TG_DLOGM, shape_matfun, build_matfun},
    {"d2sqrtm", 3, 3, "d2sqrtm(S, V, W)", "second derivative of sqrtm at S along V and W", TG_D2SQRTM, shape_matfun,
     build_matfun},
    {"d2expm", 3, 3, "d2expm(S, V, W)", "second derivative of expm at S along V and W", TG_D2EXPM, shape_matfun,
     build_matfun},
    {"d2logm", 3, 3, "d2logm(S, V, W)", "second derivative of logm at S along V and W", TG_D2LOGM, shape_matfun,
     build_matfun},
    {"dpower", 3, 3, "dpower(X, k, V)", "derivative of X^k at X along V, sum of X^i*V*X^(k-1-i)", TG_DMPOWER,
     shape_power_along, build_power_along},
    {"d2power", 4, 4, "d2power(X, k, V, W)", "second derivative of X^k at X along V and W", TG_D2MPOWER,
     shape_power_along, build_power_along},
    {"sum_rows", 1, 1, "sum_rows(X)", "sums of the rows, a column", TG_PROD, shape_by_rows, build_sum_rows},
    {"sum_columns", 1, 1, "sum_columns(X)", "sums of the columns, a row", TG_PROD, shape_by_columns, build_sum_columns},
    {"mean", 1, 1, "mean(X)", "mean of all entries", TG_SUM, shape_to_scalar, build_mean},
    {"var", 1, 1, "var(X)", "mean of the squared distances of all entries from their mean", TG_VAR, shape_to_scalar,
     build_var},
    {"logsumexp", 1, 1, "logsumexp(X)", "log(sum(exp(X))) without overflow", TG_LOGSUMEXP, shape_to_scalar,
     build_logsumexp},
    {"logsumexp_rows", 1, 1, "logsumexp_rows(X)", "the same of each row, a column", TG_LOGSUMEXP, shape_by_rows,
     build_logsumexp},
    {"logsumexp_columns", 1, 1, "logsumexp_columns(X)", "the same of each column, a row", TG_LOGSUMEXP,
     shape_by_columns, build_logsumexp},
    {"softmax_rows", 1, 1, "softmax_rows(X)", "exp(X), each row divided by its sum", TG_LOGSUMEXP, shape_entrywise,
     build_softmax},
    {"softmax_columns", 1, 1, "softmax_columns(X)", "exp(X), each column divided by its sum", TG_LOGSUMEXP,
     shape_entrywise, build_softmax},
    {"max", 2, 2, "max(X, Y)", "the larger of two entries; either may be a scalar", TG_MAX, shape_larger, build_larger},
    {"min", 2, 2, "min(X, Y)", "the smaller of two entries; either may be a scalar", TG_MIN, shape_larger,
     build_larger},
    {"triu", 1, 1, "triu(X)", "upper triangle with the diagonal, zeros below", TG_TRIU, shape_entrywise,
     build_triangle},
    {"tril", 1, 1, "tril(X)", "lower triangle with the diagonal, zeros above", TG_TRIL, shape_entrywise,
     build_triangle},
    {"submatrix", 5, 5, "submatrix(X, i, j, k, l)", "X(i:j,k:l): rows i to j, columns k to l; j or l 0: to the end",
     TG_PICK, shape_submatrix, build_submatrix},
    {"horzcat", 1, BLOCKS_MAX, "horzcat(A, B)", "[A, B]: blocks beside one another", TG_LIN, shape_horzcat,
     build_horzcat},
    {"vertcat", 1, BLOCKS_MAX, "vertcat(A, B)", "[A; B]: blocks above one another", TG_LIN, shape_vertcat,
     build_vertcat},
    {"sqrt", 1, 1, "sqrt(X)", "square root, entry by entry", TG_POW, shape_entrywise, build_sqrt},
#define TG_ENTRYWISE(KIND, name, value, rate, slope, help, ...) \
  {#name, 1, 1, #name "(X)", help ", entry by entry", TG_##KIND, shape_entrywise, build_unary},
#include "grad/entrywise.def"
};

int32_t tg_function_count(void)
{
  return (int32_t)(sizeof functions / sizeof functions[0]);
}

const tg_function_info *tg_function_at(int32_t index)
{
  return &functions[index];
}

const tg_function_info *tg_function_find(const char *name)
{
  for (int32_t i = 0; i < tg_function_count(); i++)
    if (strcmp(functions[i].name, name) == 0) return &functions[i];
  return NULL;
}

bool tg_function_is_constant(const tg_function_info *function)
{
  return function->kind == TG_EYE || function->kind == TG_ONES || function->kind == TG_ZEROS;
}

bool tg_function_takes_sizes(const tg_function_info *function)
{
  return tg_function_is_constant(function) || function->kind == TG_COMM;
}

int32_t tg_ast_expressions(const tg_ast *ast)
{
  const tg_function_info *function = ast->kind == TG_AST_CALL ? tg_function_find(ast->name) : NULL;
  if (function != NULL && (function->kind == TG_UNVEC || function->kind == TG_PICK))
    return ast->n_args < 1 ? ast->n_args : 1;
  return function != NULL && tg_function_takes_sizes(function) ? 0 : ast->n_args;
}
