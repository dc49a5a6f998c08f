// The functions of the language: one row each with what it accepts, its shape and what it builds.
#include <string.h>

#include "grad/text/function_parts.h"

enum { BLOCKS_MAX = 1000 };

static const tg_function_info functions[] = {
    {"tr", 1, 1, "tr(X)", "sum of the diagonal of a square matrix", TG_TR, tg_function_shape_square_to_scalar,
     tg_function_build_unary},
    {"det", 1, 1, "det(X)", "determinant of a square matrix", TG_DET, tg_function_shape_square_to_scalar,
     tg_function_build_unary},
    {"logdet", 1, 1, "logdet(X)", "log of the determinant of a positive-definite matrix", TG_LOGDET,
     tg_function_shape_square_to_scalar, tg_function_build_unary},
    {"inv", 1, 1, "inv(X)", "inverse of a square matrix; compiled to solves", TG_INV, tg_function_shape_square,
     tg_function_build_unary},
    {"dot", 2, 2, "dot(X, Y)", "Frobenius inner product tr(X'*Y) of equal shapes", TG_TR, tg_function_shape_dot,
     tg_function_build_dot},
    {"sum", 1, 1, "sum(X)", "sum of the entries", TG_SUM, tg_function_shape_to_scalar, tg_function_build_unary},
    {"sumsq", 1, 1, "sumsq(X)", "sum of the squared entries", TG_TR, tg_function_shape_to_scalar,
     tg_function_build_sumsq},
    {"norm2", 1, 1, "norm2(X)", "Frobenius (Euclidean) norm", TG_POW, tg_function_shape_to_scalar,
     tg_function_build_norm2},
    {"norm1", 1, 1, "norm1(X)", "sum of the absolute values", TG_SUM, tg_function_shape_to_scalar,
     tg_function_build_norm1},
    {"diag", 1, 1, "diag(v)", "diagonal matrix of a vector; of a matrix its diagonal as a column", TG_DIAG,
     tg_function_shape_diag, tg_function_build_diag},
    {"diagvec", 1, 1, "diagvec(X)", "diagonal of a square matrix as a column", TG_DIAGVEC, tg_function_shape_diagvec,
     tg_function_build_unary},
    {"kron", 2, 2, "kron(A, B)", "Kronecker product", TG_KRON, tg_function_shape_kron, tg_function_build_kron},
    {"vec", 1, 1, "vec(X)", "the columns stacked into one", TG_VEC, tg_function_shape_vec, tg_function_build_unary},
    {"reshape", 3, 3, "reshape(X, m, n)", "the entries, column by column, as m x n", TG_UNVEC,
     tg_function_shape_reshape, tg_function_build_reshape},
    {"comm", 2, 2, "comm(m, n)", "commutation matrix K with K*vec(X) = vec(X') for X m x n", TG_COMM,
     tg_function_shape_comm, tg_function_build_comm},
    {"eye", 1, 1, "eye(n)", "identity; the size may be left out where it can be inferred", TG_EYE,
     tg_function_shape_eye, tg_function_build_constant},
    {"ones", 2, 2, "ones(m, n)", "all ones; sizes may be left out", TG_ONES, tg_function_shape_constant,
     tg_function_build_constant},
    {"zeros", 2, 2, "zeros(m, n)", "all zeros; sizes may be left out", TG_ZEROS, tg_function_shape_constant,
     tg_function_build_constant},
    {"nuclear_norm", 1, 1, "nuclear_norm(X)", "sum of the singular values", TG_NUCLEAR, tg_function_shape_to_scalar,
     tg_function_build_unary},
    {"spectral_norm", 1, 1, "spectral_norm(X)", "largest singular value", TG_SPECTRAL, tg_function_shape_to_scalar,
     tg_function_build_unary},
    {"polar_factor", 1, 1, "polar_factor(X)", "U*V' of X = U*diag(s)*V'", TG_POLAR, tg_function_shape_entrywise,
     tg_function_build_unary},
    {"leading_dyad", 1, 1, "leading_dyad(X)", "u*v' of the largest singular value", TG_DYAD,
     tg_function_shape_entrywise, tg_function_build_unary},
    {"dpolar_factor", 2, 2, "dpolar_factor(X, W)", "derivative of polar_factor at X along W", TG_DPOLAR,
     tg_function_shape_along, tg_function_build_singular_along},
    {"dleading_dyad", 2, 2, "dleading_dyad(X, W)", "derivative of leading_dyad at X along W", TG_DDYAD,
     tg_function_shape_along, tg_function_build_singular_along},
    {"sqrtm", 1, 1, "sqrtm(S)", "square root of a symmetric matrix", TG_SQRTM, tg_function_shape_matfun,
     tg_function_build_matfun},
    {"expm", 1, 1, "expm(S)", "exponential of a symmetric matrix", TG_EXPM, tg_function_shape_matfun,
     tg_function_build_matfun},
    {"logm", 1, 1, "logm(S)", "logarithm of a symmetric positive definite matrix", TG_LOGM, tg_function_shape_matfun,
     tg_function_build_matfun},
    {"dsqrtm", 2, 2, "dsqrtm(S, V)", "derivative of sqrtm at S along V", TG_DSQRTM, tg_function_shape_matfun,
     tg_function_build_matfun},
    {"dexpm", 2, 2, "dexpm(S, V)", "derivative of expm at S along V", TG_DEXPM, tg_function_shape_matfun,
     tg_function_build_matfun},
    {"dlogm", 2, 2, "dlogm(S, V)", "derivative of logm at S along V", TG_DLOGM, tg_function_shape_matfun,
     tg_function_build_matfun},
    {"d2sqrtm", 3, 3, "d2sqrtm(S, V, W)", "second derivative of sqrtm at S along V and W", TG_D2SQRTM,
     tg_function_shape_matfun, tg_function_build_matfun},
    {"d2expm", 3, 3, "d2expm(S, V, W)", "second derivative of expm at S along V and W", TG_D2EXPM,
     tg_function_shape_matfun, tg_function_build_matfun},
    {"d2logm", 3, 3, "d2logm(S, V, W)", "second derivative of logm at S along V and W", TG_D2LOGM,
     tg_function_shape_matfun, tg_function_build_matfun},
    {"eigvectors", 1, 1, "eigvectors(S)", "eigenvectors Q of a symmetric matrix, S = Q*diag(l)*Q'", TG_EIGVECTORS,
     tg_function_shape_matfun, tg_function_build_eigen},
    {"eigvalues", 1, 1, "eigvalues(S)", "eigenvalues of a symmetric matrix, a column, ascending", TG_EIGVALUES,
     tg_function_shape_eigvalues, tg_function_build_eigen},
    {"divided_exp", 2, 2, "divided_exp(A, B)", "(exp(a) - exp(b))/(a - b) of two entries, exp(a) where they are equal",
     TG_DIVIDED, tg_function_shape_along, tg_function_build_divided},
    {"divided_log", 2, 2, "divided_log(A, B)", "(log(a) - log(b))/(a - b) of two entries, 1/a where they are equal",
     TG_DIVIDED, tg_function_shape_along, tg_function_build_divided},
    {"dpower", 3, 3, "dpower(X, k, V)", "derivative of X^k at X along V, sum of X^i*V*X^(k-1-i)", TG_DMPOWER,
     tg_function_shape_power_along, tg_function_build_power_along},
    {"d2power", 4, 4, "d2power(X, k, V, W)", "second derivative of X^k at X along V and W", TG_D2MPOWER,
     tg_function_shape_power_along, tg_function_build_power_along},
    {"sum_rows", 1, 1, "sum_rows(X)", "sums of the rows, a column", TG_PROD, tg_function_shape_by_rows,
     tg_function_build_sum_rows},
    {"sum_columns", 1, 1, "sum_columns(X)", "sums of the columns, a row", TG_PROD, tg_function_shape_by_columns,
     tg_function_build_sum_columns},
    {"mean", 1, 1, "mean(X)", "mean of all entries", TG_SUM, tg_function_shape_to_scalar, tg_function_build_mean},
    {"var", 1, 1, "var(X)", "mean of the squared distances of all entries from their mean", TG_VAR,
     tg_function_shape_to_scalar, tg_function_build_var},
    {"logsumexp", 1, 1, "logsumexp(X)", "log(sum(exp(X))) without overflow", TG_LOGSUMEXP, tg_function_shape_to_scalar,
     tg_function_build_logsumexp},
    {"logsumexp_rows", 1, 1, "logsumexp_rows(X)", "the same of each row, a column", TG_LOGSUMEXP,
     tg_function_shape_by_rows, tg_function_build_logsumexp},
    {"logsumexp_columns", 1, 1, "logsumexp_columns(X)", "the same of each column, a row", TG_LOGSUMEXP,
     tg_function_shape_by_columns, tg_function_build_logsumexp},
    {"softmax_rows", 1, 1, "softmax_rows(X)", "exp(X), each row divided by its sum", TG_LOGSUMEXP,
     tg_function_shape_entrywise, tg_function_build_softmax},
    {"softmax_columns", 1, 1, "softmax_columns(X)", "exp(X), each column divided by its sum", TG_LOGSUMEXP,
     tg_function_shape_entrywise, tg_function_build_softmax},
    {"max", 2, 2, "max(X, Y)", "the larger of two entries; either may be a scalar", TG_MAX, tg_function_shape_larger,
     tg_function_build_larger},
    {"min", 2, 2, "min(X, Y)", "the smaller of two entries; either may be a scalar", TG_MIN, tg_function_shape_larger,
     tg_function_build_larger},
    {"triu", 1, 1, "triu(X)", "upper triangle with the diagonal, zeros below", TG_TRIU, tg_function_shape_entrywise,
     tg_function_build_triangle},
    {"tril", 1, 1, "tril(X)", "lower triangle with the diagonal, zeros above", TG_TRIL, tg_function_shape_entrywise,
     tg_function_build_triangle},
    {"submatrix", 5, 5, "submatrix(X, i, j, k, l)",
     "X(i:j,k:l): rows i to j, columns k to l, numbers or sizes; j or l 0: to the end", TG_PICK,
     tg_function_shape_submatrix, tg_function_build_submatrix},
    {"horzcat", 1, BLOCKS_MAX, "horzcat(A, B)", "[A, B]: blocks beside one another", TG_LIN, tg_function_shape_horzcat,
     tg_function_build_horzcat},
    {"vertcat", 1, BLOCKS_MAX, "vertcat(A, B)", "[A; B]: blocks above one another", TG_LIN, tg_function_shape_vertcat,
     tg_function_build_vertcat},
    {"sqrt", 1, 1, "sqrt(X)", "square root, entry by entry", TG_POW, tg_function_shape_entrywise,
     tg_function_build_sqrt},
#define TG_ENTRYWISE(KIND, name, value, rate, slope, help, ...) \
  {#name, 1, 1, #name "(X)", help ", entry by entry", TG_##KIND, tg_function_shape_entrywise, tg_function_build_unary},
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
