// What the functions build.
#include <string.h>

#include "grad/text/function_parts.h"

tg_status tg_function_build_unary(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  return tg_make_unary(builder->graph, tg_function_find(ast->name)->kind, args[0], out);
}

// A 1 x 1 argument is both.
tg_status tg_function_build_diag(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  const tg_info *info = tg_node_info(builder->graph, args[0]);
  const bool is_vector = tg_dim_is_one(builder->graph, info->rows) || tg_dim_is_one(builder->graph, info->cols);
  (void)ast;
  return tg_make_unary(builder->graph, is_vector ? TG_DIAG : TG_DIAGVEC, args[0], out);
}

tg_status tg_function_build_dot(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  (void)ast;
  return tg_make_dot(builder->graph, args[0], args[1], out);
}

tg_status tg_function_build_sumsq(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  (void)ast;
  return tg_make_dot(builder->graph, args[0], args[0], out);
}

tg_status tg_function_build_norm2(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  TG_TRY(tg_function_build_sumsq(builder, ast, args, out));
  return tg_make_pow_number(builder->graph, *out, 0.5, out);
}

tg_status tg_function_build_norm1(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  (void)ast;
  TG_TRY(tg_make_unary(builder->graph, TG_ABS, args[0], out));
  return tg_make_unary(builder->graph, TG_SUM, *out, out);
}

tg_status tg_function_build_sqrt(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  (void)ast;
  return tg_make_pow_number(builder->graph, args[0], 0.5, out);
}

tg_status tg_function_build_kron(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  (void)ast;
  return tg_make_kron(builder->graph, args[0], args[1], out);
}

tg_status tg_function_build_matfun(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  const tg_kind kind = tg_function_find(ast->name)->kind;
  TG_TRY(tg_builder_require_symmetric(builder, ast, args[0]));
  if (ast->n_args == 1) return tg_make_matfun(builder->graph, kind, args[0], out);
  return tg_make_matfun_along(builder->graph, kind, args[0], args[1], ast->n_args == 3 ? args[2] : TG_NONE, out);
}

// Of a scalar the basis is 1.
tg_status tg_function_build_eigen(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  const bool is_values = tg_function_find(ast->name)->kind == TG_EIGVALUES;
  TG_TRY(tg_builder_require_symmetric(builder, ast, args[0]));
  *out = args[0];
  if (tg_node_is_scalar(builder->graph, args[0])) return is_values ? TG_OK : tg_make_num(builder->graph, 1.0, out);
  return is_values ? tg_make_eigvalues(builder->graph, args[0], TG_DOMAIN_REAL, out)
                   : tg_make_eigvectors(builder->graph, args[0], out);
}

tg_status tg_function_build_divided(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  return tg_make_divided(builder->graph, tg_divided_find(ast->name), args[0], args[1], out);
}

tg_status tg_function_build_power_along(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  tg_node exponent = args[1];
  TG_TRY(tg_builder_exponent(builder, ast->args[1], &exponent));
  return tg_make_mpower_along(builder->graph, args[0], exponent, args[2], ast->n_args == 4 ? args[3] : TG_NONE, out);
}

tg_status tg_function_build_singular_along(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  return tg_make_singular_along(builder->graph, tg_function_find(ast->name)->kind, args[0], args[1], out);
}

tg_status tg_function_build_larger(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  return tg_make_larger(builder->graph, tg_function_find(ast->name)->kind, args[0], args[1], out);
}

tg_status tg_function_build_sum_rows(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  (void)ast;
  return tg_make_row_sums(builder->graph, args[0], out);
}

tg_status tg_function_build_sum_columns(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  (void)ast;
  return tg_make_column_sums(builder->graph, args[0], out);
}

tg_status tg_function_build_mean(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  (void)ast;
  return tg_make_mean(builder->graph, args[0], out);
}

tg_status tg_function_build_var(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
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

tg_status tg_function_build_logsumexp(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  const axis along = axis_of(ast->name);
  return tg_make_logsumexp(builder->graph, args[0], along.rows, along.columns, out);
}

tg_status tg_function_build_softmax(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  const axis along = axis_of(ast->name);
  return tg_make_softmax(builder->graph, args[0], along.rows, along.columns, out);
}

tg_status tg_function_build_triangle(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out)
{
  const tg_info *info = tg_node_info(builder->graph, args[0]);
  TG_TRY(tg_make_triangle(builder->graph, tg_function_find(ast->name)->kind, info->rows, info->cols, out));
  return tg_make_had(builder->graph, 2, (const tg_node[]){args[0], *out}, out);
}
