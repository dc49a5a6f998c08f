// Shape rules of the functions whose arguments are expressions alone.
#include "grad/text/function_parts.h"

static void set_shape(tg_ast *ast, tg_size rows, tg_size cols)
{
  ast->rows = rows;
  ast->cols = cols;
}

tg_status tg_function_shape_entrywise(tg_shaper *shaper, tg_ast *ast)
{
  (void)shaper;
  set_shape(ast, ast->args[0]->rows, ast->args[0]->cols);
  return TG_OK;
}

tg_status tg_function_shape_to_scalar(tg_shaper *shaper, tg_ast *ast)
{
  (void)shaper;
  set_shape(ast, tg_size_number(1), tg_size_number(1));
  return TG_OK;
}

tg_status tg_function_shape_square_to_scalar(tg_shaper *shaper, tg_ast *ast)
{
  TG_TRY(tg_shape_require_square(shaper, ast->name, ast->args[0]));
  return tg_function_shape_to_scalar(shaper, ast);
}

tg_status tg_function_shape_square(tg_shaper *shaper, tg_ast *ast)
{
  TG_TRY(tg_shape_require_square(shaper, ast->name, ast->args[0]));
  return tg_function_shape_entrywise(shaper, ast);
}

// All square and equal.
tg_status tg_function_shape_matfun(tg_shaper *shaper, tg_ast *ast)
{
  TG_TRY(tg_function_shape_square(shaper, ast));
  for (int32_t i = 1; i < ast->n_args; i++)
    TG_TRY(tg_shape_require_equal(shaper, ast->name, ast->args[0], ast->args[i], ast->span));
  return TG_OK;
}

tg_status tg_function_shape_eigvalues(tg_shaper *shaper, tg_ast *ast)
{
  TG_TRY(tg_function_shape_square(shaper, ast));
  ast->cols = tg_size_number(1);
  return TG_OK;
}

tg_status tg_function_shape_along(tg_shaper *shaper, tg_ast *ast)
{
  TG_TRY(tg_shape_require_equal(shaper, ast->name, ast->args[0], ast->args[1], ast->span));
  return tg_function_shape_entrywise(shaper, ast);
}

tg_status tg_function_shape_dot(tg_shaper *shaper, tg_ast *ast)
{
  TG_TRY(tg_shape_require_equal(shaper, "dot", ast->args[0], ast->args[1], ast->span));
  return tg_function_shape_to_scalar(shaper, ast);
}

tg_status tg_function_shape_diagvec(tg_shaper *shaper, tg_ast *ast)
{
  TG_TRY(tg_shape_require_square(shaper, "diagvec", ast->args[0]));
  set_shape(ast, ast->args[0]->rows, tg_size_number(1));
  return TG_OK;
}

// diag gives the diagonal matrix of a vector and the diagonal of a matrix as a column. What may be a matrix is one: a
// capital letter becomes a vector by declaration only.
tg_status tg_function_shape_diag(tg_shaper *shaper, tg_ast *ast)
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
tg_status tg_function_shape_larger(tg_shaper *shaper, tg_ast *ast)
{
  const tg_ast *a = ast->args[0];
  const tg_ast *b = ast->args[1];
  if (!tg_shape_is_scalar(shaper, a) && !tg_shape_is_scalar(shaper, b))
    TG_TRY(tg_shape_require_equal(shaper, ast->name, a, b, ast->span));
  const tg_ast *like = tg_shape_is_scalar(shaper, a) ? b : a;
  set_shape(ast, like->rows, like->cols);
  return TG_OK;
}

tg_status tg_function_shape_by_rows(tg_shaper *shaper, tg_ast *ast)
{
  (void)shaper;
  set_shape(ast, ast->args[0]->rows, tg_size_number(1));
  return TG_OK;
}

tg_status tg_function_shape_by_columns(tg_shaper *shaper, tg_ast *ast)
{
  (void)shaper;
  set_shape(ast, tg_size_number(1), ast->args[0]->cols);
  return TG_OK;
}

tg_status tg_function_shape_kron(tg_shaper *shaper, tg_ast *ast)
{
  TG_TRY(tg_size_times(&shaper->sizes, ast->args[0]->rows, ast->args[1]->rows, &ast->rows));
  return tg_size_times(&shaper->sizes, ast->args[0]->cols, ast->args[1]->cols, &ast->cols);
}

tg_status tg_function_shape_vec(tg_shaper *shaper, tg_ast *ast)
{
  ast->cols = tg_size_number(1);
  return tg_size_times(&shaper->sizes, ast->args[0]->rows, ast->args[0]->cols, &ast->rows);
}

// A square matrix, a scalar exponent, and directions of the matrix's shape.
tg_status tg_function_shape_power_along(tg_shaper *shaper, tg_ast *ast)
{
  TG_TRY(tg_function_shape_square(shaper, ast));
  if (!tg_shape_is_scalar(shaper, ast->args[1]))
    TG_FAIL_AT(TG_SHAPE, ast->args[1]->span, "the exponent of %s is a whole number, or a scalar that stands for one",
               ast->name);
  for (int32_t i = 2; i < ast->n_args; i++)
    TG_TRY(tg_shape_require_equal(shaper, ast->name, ast->args[0], ast->args[i], ast->span));
  return TG_OK;
}
