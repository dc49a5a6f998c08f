// The rows of the table of functions, by file: a shape rule fills rows and cols of the node, a builder makes the node
// of the graph from its arguments'.
#ifndef TG_GRAD_FUNCTION_PARTS_H
#define TG_GRAD_FUNCTION_PARTS_H

#include "grad/text/shape.h"

typedef tg_status tg_shape_rule(tg_shaper *shaper, tg_ast *ast);
typedef tg_status tg_build_rule(tg_builder *builder, const tg_ast *ast, const tg_node *args, tg_node *out);

// function_shapes.c
tg_shape_rule tg_function_shape_square_to_scalar, tg_function_shape_square, tg_function_shape_dot,
    tg_function_shape_to_scalar, tg_function_shape_diag, tg_function_shape_diagvec, tg_function_shape_kron,
    tg_function_shape_vec, tg_function_shape_entrywise, tg_function_shape_along, tg_function_shape_matfun,
    tg_function_shape_power_along, tg_function_shape_eigvalues, tg_function_shape_by_rows, tg_function_shape_by_columns,
    tg_function_shape_larger;

// function_nodes.c
tg_build_rule tg_function_build_unary, tg_function_build_dot, tg_function_build_sumsq, tg_function_build_norm2,
    tg_function_build_norm1, tg_function_build_diag, tg_function_build_kron, tg_function_build_singular_along,
    tg_function_build_matfun, tg_function_build_eigen, tg_function_build_divided, tg_function_build_power_along,
    tg_function_build_sum_rows, tg_function_build_sum_columns, tg_function_build_mean, tg_function_build_var,
    tg_function_build_logsumexp, tg_function_build_softmax, tg_function_build_larger, tg_function_build_triangle,
    tg_function_build_sqrt;

// function_sizes.c: what has sizes among its arguments, and blocks
tg_shape_rule tg_function_shape_eye, tg_function_shape_constant, tg_function_shape_comm, tg_function_shape_reshape,
    tg_function_shape_submatrix, tg_function_shape_horzcat, tg_function_shape_vertcat;
tg_build_rule tg_function_build_reshape, tg_function_build_submatrix, tg_function_build_horzcat,
    tg_function_build_vertcat, tg_function_build_constant, tg_function_build_comm;

#endif
