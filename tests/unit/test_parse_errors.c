// Invalid expressions: each ends in its code, at its column, with a message that says what was found and expected.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/source.h"
#include "grad/calculus.h"

// Sizes that the rows' names have; SYMBOLIC rows know them by name only, FREE rows not at all.
typedef enum names { NUMBERS, SYMBOLIC, FREE, OBJECTIVE } names;

typedef struct row {
  const char *text;
  names names;
  tg_status code;
  int column;
  const char *message; // a part of it
} row;

static const tg_declaration numbers[] = {
    {.name = "A", .rows = 3, .cols = 4},      {.name = "B", .rows = 4, .cols = 3}, {.name = "S", .rows = 3, .cols = 3},
    {.name = "v", .rows = 3, .cols = 1},      {.name = "w", .rows = 1, .cols = 4}, {.name = "s", .rows = 1, .cols = 1},
    {.name = "lambda", .rows = 1, .cols = 1}, {.name = "T", .rows = 5, .cols = 5},
};
static const tg_declaration symbolic[] = {
    {.name = "A", .rows_name = "m", .cols_name = "n"},
    {.name = "B", .rows_name = "n", .cols_name = "p"},
    {.name = "S", .rows_name = "n", .cols_name = "n"},
    {.name = "v", .rows_name = "n", .cols = 1},
    {.name = "s", .rows = 1, .cols = 1},
};

static const row rows[] = {
    // ---- syntax ----
    {"", NUMBERS, TG_SYNTAX, 1, "the expression is empty"},
    {"  \t ", NUMBERS, TG_SYNTAX, 5, "the expression is empty"},
    {"A+", NUMBERS, TG_SYNTAX, 3, "expected a number, a name or '(', found the end of the expression"},
    {"A*", NUMBERS, TG_SYNTAX, 3, "found the end of the expression"},
    {"*A", NUMBERS, TG_SYNTAX, 1, "expected a number, a name or '(', found '*'"},
    {"A 2", NUMBERS, TG_SYNTAX, 3, "expected an operator or the end, found '2'"},
    {"2 3", NUMBERS, TG_SYNTAX, 3, "found '3'"},
    {"(A", NUMBERS, TG_SYNTAX, 3, "expected ')', found the end"},
    {"((A)", NUMBERS, TG_SYNTAX, 5, "expected ')'"},
    {"A)", NUMBERS, TG_SYNTAX, 2, "')' without a '('"},
    {"()", NUMBERS, TG_SYNTAX, 2, "found ')'"},
    {"(A,B)", NUMBERS, TG_SYNTAX, 3, "expected ')', found ','"},
    {"A,B", NUMBERS, TG_SYNTAX, 2, "found ','"},
    {"tr()", NUMBERS, TG_SYNTAX, 1, "tr takes 1 argument, found 0: tr(X)"},
    {"tr(S,S)", NUMBERS, TG_SYNTAX, 1, "tr takes 1 argument, found 2"},
    {"s*tr(S,S)", NUMBERS, TG_SYNTAX, 3, "tr takes 1 argument, found 2"},
    {"tr(S,)", NUMBERS, TG_SYNTAX, 6, "expected an argument after ','"},
    {"tr(,S)", NUMBERS, TG_SYNTAX, 4, "found ','"},
    {"tr(S", NUMBERS, TG_SYNTAX, 5, "expected ',' or ')', found the end"},
    {"tr(S 2)", NUMBERS, TG_SYNTAX, 6, "expected ',' or ')', found '2'"},
    {"dot(S)", NUMBERS, TG_SYNTAX, 1, "dot takes 2 arguments, found 1: dot(X, Y)"},
    {"kron(S)", NUMBERS, TG_SYNTAX, 1, "kron takes 2 arguments, found 1"},
    {"kron(S,S,S)", NUMBERS, TG_SYNTAX, 1, "kron takes 2 arguments, found 3"},
    {"comm(3)", NUMBERS, TG_SYNTAX, 1, "comm takes 2 arguments, found 1"},
    {"ones(3)", NUMBERS, TG_SYNTAX, 1, "ones takes 2 sizes, found 1: ones(m, n), or ones alone"},
    {"eye(3,4)", NUMBERS, TG_SYNTAX, 1, "eye takes 1 argument, found 2"},
    {"A^", NUMBERS, TG_SYNTAX, 3, "found the end"},
    {"A^*2", NUMBERS, TG_SYNTAX, 3, "found '*'"},
    {"A.^", NUMBERS, TG_SYNTAX, 4, "found the end"},
    {"A^'", NUMBERS, TG_SYNTAX, 3, "found '''"},
    {"'A", NUMBERS, TG_SYNTAX, 1, "found '''"},
    {"A'B", NUMBERS, TG_SHAPE, 1, "A'*B needs columns(A') = rows(B), found 3 and 4"},
    {"tr(S)(S)", NUMBERS, TG_SYNTAX, 6, "expected an operator, as '*', or the end, found '('"},
    {"tr S", NUMBERS, TG_NAME, 1, "'tr' is a function: write tr(X)"},
    {"--", NUMBERS, TG_SYNTAX, 3, "found the end"},
    {"A/-", NUMBERS, TG_SYNTAX, 4, "found the end"},
    {"A.B", NUMBERS, TG_SYNTAX, 2, "unexpected '.'; entrywise operators are .* ./ .^"},
    {"A. *B", NUMBERS, TG_SYNTAX, 2, "unexpected '.'"},
    {".", NUMBERS, TG_SYNTAX, 1, "unexpected '.'"},
    {"A**B", NUMBERS, TG_SHAPE, 1, "'.^' needs equal shapes: A is 3 x 4, B is 4 x 3"},
    {"A=B", NUMBERS, TG_SYNTAX, 2, "an expression has no equation"},
    {"S**s**s", NUMBERS, TG_SYNTAX, 5, "powers by '**' in a row may be read two ways; write parentheses"},
    {"A @ B .* S * S", NUMBERS, TG_SYNTAX, 10, "'*' is entry by entry in NumPy and R"},
    {"[A, B]", NUMBERS, TG_SHAPE, 5, "blocks beside one another need equal numbers of rows"},
    {"[1 2; 3 4]", NUMBERS, TG_SYNTAX, 4, "expected ',', ';' or ']', found '2'"},
    {"A\\B", NUMBERS, TG_SYNTAX, 2, "write inv(A)*B"},
    {"|A|", NUMBERS, TG_SHAPE, 1, "write abs(A) entry by entry, det(A), or norm2(A)"},
    {"\"A\"", NUMBERS, TG_SYNTAX, 1, "names are not quoted"},
    {"A\xC2\xB2", NUMBERS, TG_SHAPE, 1, "a power needs a square matrix"},
    // ---- other notations: right where they are read, with the place in characters where not ----
    {"A⊙B", NUMBERS, TG_SHAPE, 1, "'.*' needs equal shapes: A is 3 x 4, B is 4 x 3"},
    {"A−B", NUMBERS, TG_SHAPE, 3, "A is 3 x 4, B is 4 x 3"},
    {"S·λ·(A·A)", NUMBERS, TG_SHAPE, 6, "A*A needs columns(A) = rows(A)"},
    {"‖S‖² + √(A)·S", NUMBERS, TG_SHAPE, 8, "found 4 and 3"},
    {"Σ + S", NUMBERS, TG_NAME, 1, "unknown name 'Sigma'"},
    {"∑S", NUMBERS, TG_SYNTAX, 1, "a sum over entries is sum(...)"},
    {"‖S‖_max", NUMBERS, TG_SYNTAX, 1, "the maximum norm is not in the language"},
    {"svdvals(S)", NUMBERS, TG_NAME, 1, "sum(svdvals(X)) is nuclear_norm(X)"},
    {"norm(S, 'inf')", NUMBERS, TG_NAME, 9, "nuclear_norm(X) the sum of them"},
    {"dpolar_factor(A, A')", NUMBERS, TG_SHAPE, 1, "dpolar_factor"},
    {"‖v‖_S^2", NUMBERS, TG_SYNTAX, 1, "x'*S*x is written out"},
    {"‖v", NUMBERS, TG_SYNTAX, 3, "expected '||' or an operator, found the end"},
    {"|v|", NUMBERS, TG_SHAPE, 1, "bars are the absolute value of a scalar; write abs(v)"},
    {"S⁻¹²³", NUMBERS, TG_LIMIT, 2, "the exponent of a matrix is at most 100, found -123"},
    {"v'Sv", NUMBERS, TG_SYNTAX, 3,
     "'Sv' beside a factor without an operator may be one name or a product; write '*', as in S*v"},
    {"\\lambda Sv", NUMBERS, TG_SYNTAX, 9,
     "in LaTeX 'Sv' is a product of its letters; write S*v with '*', or \\mathrm{Sv}"},
    {"\\frac{1}{2", NUMBERS, TG_SYNTAX, 11, "expected '}', found the end"},
    {"\\hat{x}", NUMBERS, TG_SYNTAX, 1, "write a name such as x_hat"},
    {"\\foo S", NUMBERS, TG_SYNTAX, 1, "unexpected '\\foo'; it is not in the language"},
    {"\\log\\det(S)^2", NUMBERS, TG_SYNTAX, 5, "may be read two ways; write log(...)"},
    {"\\operatorname{tr} S S", NUMBERS, TG_SYNTAX, 21,
     "where the argument of tr ends may be read two ways; write tr(...)"},
    {"A^{T", NUMBERS, TG_SYNTAX, 5, "expected '}', found the end"},
    {"A^*", NUMBERS, TG_SYNTAX, 3, "matrices are real: write \"'\" for the transpose"},
    {"A^+", NUMBERS, TG_SYNTAX, 3, "pseudo-inverses are not in the language"},
    {"S ⊗ S*A", NUMBERS, TG_SYNTAX, 1, "write kron(A, B)"},
    {"1/s S", NUMBERS, TG_SYNTAX, 5, "may be read two ways; write (a/b)*c or a/(b*c)"},
    {"S S .* S", NUMBERS, TG_SYNTAX, 1, "may be read two ways; write parentheses, or '*'"},
    {"e^s", NUMBERS, TG_NAME, 1, "e^x is written exp(x)"},
    {"S(:,9)", NUMBERS, TG_SHAPE, 1, "index 9 exceeds the size 3"},
    {"reshape(A, 2, 5)", NUMBERS, TG_SHAPE, 1, "reshape keeps the number of entries, found 3 x 4, asked for 2 x 5"},
    {"np.reshape(A, (2, 6))", NUMBERS, TG_SYNTAX, 1, "column by column here, in NumPy only with order=\"F\""},
    {"A.frobnicate()", NUMBERS, TG_SYNTAX, 2, "unexpected '.'"},
    {"np.dot(A, B)", NUMBERS, TG_SYNTAX, 1, "write A*B for the matrix product, dot(A, B) for the inner product"},
    {"sum(A, axis=0)", NUMBERS, TG_SYNTAX, 8, "neither lies nor stands; write sum_columns(X), a row"},
    {"sum(A, 3)", NUMBERS, TG_SYNTAX, 8,
     "sum takes no such option here; sum(X), sum_rows(X) and sum_columns(X) are known"},
    {"tr[S]", NUMBERS, TG_SYNTAX, 1, "a function has round parentheses; write tr(X)"},
    {"Tr[S]", NUMBERS, TG_SYNTAX, 1, "a function has round parentheses; write tr(X)"},
    {"Transpose[S]", NUMBERS, TG_SYNTAX, 1, "write X'"},
    {"expm(S)", NUMBERS, TG_VALUE, 6, "expm needs a symmetric matrix, found S, 3 x 3, which is not known to be one"},
    {"chol(S)", NUMBERS, TG_NAME, 1, "a Cholesky factor is not in the language"},
    {"sech(S)", NUMBERS, TG_NAME, 1, "write 1./cosh(X)"},
    {"asin(2)", NUMBERS, TG_VALUE, 1, "asin(2) is not a real number"},
    {"vector(1)", NUMBERS, TG_NAME, 1, "write ones, or zeros"},
    {"max(A, B)", NUMBERS, TG_SHAPE, 1, "needs equal shapes: A is 3 x 4, B is 4 x 3"},
    {"max(A)", NUMBERS, TG_NAME, 1, "the largest entry of a matrix is not in the language"},
    {"softmax(v)", NUMBERS, TG_NAME, 1, "write softmax_rows(X) or softmax_columns(X)"},
    {"pinv(A)", NUMBERS, TG_NAME, 1,
     "a pseudo-inverse is not in the language; with full column rank write inv(A'*A)*A'"},
    {"A\xC3\xA9", NUMBERS, TG_SYNTAX, 2, "unexpected character '\xC3\xA9'"},
    {"\xC3\xA9*A + #", NUMBERS, TG_SYNTAX, 1, "unexpected character"},
    {"A*B + #", NUMBERS, TG_SYNTAX, 7, "unexpected character '#'"},
    {"A;B", NUMBERS, TG_SYNTAX, 2, "unexpected character ';'"},
    {"A:B", NUMBERS, TG_SYNTAX, 2, "unexpected ':'; the bounds of a submatrix are numbers"},
    {"A{1}", NUMBERS, TG_SYNTAX, 2, "unexpected character '{'"},
    {"A & B", NUMBERS, TG_SYNTAX, 3, "unexpected character '&'"},
    {"A<B", NUMBERS, TG_SYNTAX, 2, "unexpected character '<'"},
    {"A\x01", NUMBERS, TG_SYNTAX, 2, "unexpected control character (byte 0x01)"},
    {"A + \xFF", NUMBERS, TG_SYNTAX, 5, "unexpected"},
    {"1.2.3", NUMBERS, TG_SYNTAX, 4, "found '.3'"},
    {"2..3", NUMBERS, TG_SYNTAX, 3, "found '.3'"},
    {"1e", NUMBERS, TG_SYNTAX, 2, "found 'e'"},
    {"1e999", NUMBERS, TG_VALUE, 1, "the number 1e999 is too large for a double"},
    // ---- names ----
    {"C*A", NUMBERS, TG_NAME, 1, "unknown name 'C'; declare it under variables or data"},
    {"a*B", NUMBERS, TG_NAME, 1, "unknown name 'a'; did you mean 'A'?"},
    {"s*lamda", NUMBERS, TG_NAME, 3, "unknown name 'lamda'; did you mean 'lambda'?"},
    {"tr(S*X)", NUMBERS, TG_NAME, 6, "unknown name 'X'"},
    {"TR(S)", NUMBERS, TG_NAME, 1, "unknown function 'TR'; did you mean 'tr'?"},
    {"LOGDET(S)", NUMBERS, TG_NAME, 1, "unknown function 'LOGDET'; did you mean 'logdet'?"},
    {"2*trace(A)", NUMBERS, TG_SHAPE, 9, "tr needs a square matrix: A is 3 x 4"},
    {"s*softpuls(S)", NUMBERS, TG_NAME, 3, "did you mean 'softplus'?"},
    {"norm(A)", NUMBERS, TG_SHAPE, 1, "write spectral_norm(A) or norm2(A)"},
    {"S(3)", NUMBERS, TG_SHAPE, 1, "one index is for vectors; of a matrix write X(i:j,:)"},
    {"S(s)", NUMBERS, TG_NAME, 1, "'S' is not a function; for a product write S*(...)"},
    {"A(1,s)", NUMBERS, TG_NAME, 1, "'A' is not a function"},
    {"frobnicate(S,S)", NUMBERS, TG_NAME, 1, "unknown function 'frobnicate'"},
    {"tr*S", NUMBERS, TG_NAME, 1, "'tr' is a function: write tr(X)"},
    {"s + exp", NUMBERS, TG_NAME, 5, "'exp' is a function: write exp(X)"},
    {"comm*A", NUMBERS, TG_NAME, 1, "'comm' is a function: write comm(m, n)"},
    // ---- shapes with numbers ----
    {"A + B", NUMBERS, TG_SHAPE, 5, "a sum needs equal shapes: A is 3 x 4, B is 4 x 3"},
    {"S - S + (A)", NUMBERS, TG_SHAPE, 9, "S is 3 x 3, A is 3 x 4"},
    {"A*A", NUMBERS, TG_SHAPE, 1, "A*A needs columns(A) = rows(A), found 4 and 3"},
    {"S + A*A", NUMBERS, TG_SHAPE, 5, "found 4 and 3"},
    {"A*B*B", NUMBERS, TG_SHAPE, 1, "A*B*B needs columns(A*B) = rows(B), found 3 and 4"},
    {"v'*S*A'", NUMBERS, TG_SHAPE, 1, "found 3 and 4"},
    {"s*(A)*(A)", NUMBERS, TG_SHAPE, 1, "found 4 and 3"},
    {"v*v", NUMBERS, TG_SHAPE, 1, "v*v needs columns(v) = rows(v), found 1 and 3"},
    {"exp(A)*A", NUMBERS, TG_SHAPE, 1, "exp(A)*A needs columns(exp(A)) = rows(A), found 4 and 3"},
    {"tr(A)", NUMBERS, TG_SHAPE, 4, "tr needs a square matrix: A is 3 x 4"},
    {"tr(A*S')", NUMBERS, TG_SHAPE, 4, "A*S' needs columns(A) = rows(S'), found 4 and 3"},
    {"det(A)", NUMBERS, TG_SHAPE, 5, "det needs a square matrix: A is 3 x 4"},
    {"logdet(B*S)", NUMBERS, TG_SHAPE, 8, "logdet needs a square matrix: B*S is 4 x 3"},
    {"inv(v)", NUMBERS, TG_SHAPE, 5, "inv needs a square matrix: v is 3 x 1"},
    {"diagvec(A)", NUMBERS, TG_SHAPE, 9, "diagvec needs a square matrix"},
    {"diag(A)", NUMBERS, TG_SHAPE, 6, "the diagonal by diag needs a square matrix: A is 3 x 4"},
    {"dot(A, B)", NUMBERS, TG_SHAPE, 1, "dot needs equal shapes: A is 3 x 4, B is 4 x 3"},
    {"A.*B", NUMBERS, TG_SHAPE, 1, "'.*' needs equal shapes: A is 3 x 4, B is 4 x 3"},
    {"A./B", NUMBERS, TG_SHAPE, 1, "'./' needs equal shapes"},
    {"A.^B", NUMBERS, TG_SHAPE, 1, "'.^' needs equal shapes"},
    {"A/B", NUMBERS, TG_SHAPE, 3, "'/' divides by a scalar: B is 4 x 3; write A*inv(B), or './'"},
    {"s/(v)", NUMBERS, TG_SHAPE, 3, "v is 3 x 1"},
    {"A^2", NUMBERS, TG_SHAPE, 1, "a power needs a square matrix: A is 3 x 4"},
    {"S^0.5", NUMBERS, TG_VALUE, 3, "the exponent of a matrix is a whole number, found 0.5"},
    {"S^s", NUMBERS, TG_VALUE, 3,
     "the exponent of a matrix is a whole number, written out or a number of the job's data"},
    {"S^(1/2)", NUMBERS, TG_VALUE, 3, "the exponent of a matrix is a whole number, found 0.5"},
    {"dpower(S, s, S)", NUMBERS, TG_VALUE, 11, "the exponent of a matrix is a whole number"},
    {"dpower(S, v, S)", NUMBERS, TG_SHAPE, 11, "the exponent of dpower is a whole number, or a scalar"},
    {"S^A", NUMBERS, TG_SHAPE, 3, "an exponent of '^' is a scalar"},
    {"s^S", NUMBERS, TG_SHAPE, 3, "entry by entry, write '.^'"},
    {"S^101", NUMBERS, TG_LIMIT, 3, "the exponent of a matrix is at most 100, found 101"},
    {"S^-101", NUMBERS, TG_LIMIT, 3, "at most 100, found -101"},
    {"s*(S^50)^3", NUMBERS, TG_LIMIT, 3, "the exponent of a matrix is at most 100, found 150"},
    {"sumsq(A - B)", NUMBERS, TG_SHAPE, 11, "A is 3 x 4, B is 4 x 3"},
    {"kron(A,B)*A", NUMBERS, TG_SHAPE, 1, "found 12 and 3"},
    {"kron(A,B) + S", NUMBERS, TG_SHAPE, 13, "kron(A,B) is 12 x 12, S is 3 x 3"},
    {"vec(A)'*vec(S)", NUMBERS, TG_SHAPE, 1, "found 12 and 9"},
    {"comm(3,4)*vec(S)", NUMBERS, TG_SHAPE, 1, "found 12 and 9"},
    {"comm(0,4)", NUMBERS, TG_VALUE, 6, "a size is a whole number of at least 1"},
    {"eye(0)", NUMBERS, TG_VALUE, 5, "a size is a whole number of at least 1"},
    {"eye(-1)", NUMBERS, TG_VALUE, 5, "a size is a whole number"},
    {"eye(2.5)", NUMBERS, TG_VALUE, 5, "a size is a whole number"},
    {"ones(3,1e10)", NUMBERS, TG_LIMIT, 8, "a size is at most 2147483647"},
    {"eye(tr(S))", NUMBERS, TG_VALUE, 5, "a size is a whole number"},
    {"S + eye(4)", NUMBERS, TG_SHAPE, 5, "S is 3 x 3, eye(4) is 4 x 4"},
    {"A + eye", NUMBERS, TG_SHAPE, 5, "A is 3 x 4"},
    {"tr(eye)", NUMBERS, TG_SHAPE, 4, "the size of eye cannot be inferred here; write eye(n)"},
    {"tr(comm(2,p))", NUMBERS, TG_SHAPE, 4, "the size of comm cannot be inferred here; write comm(m, n)"},
    {"sum(ones)", NUMBERS, TG_SHAPE, 5, "the size of ones cannot be inferred here; write ones(m, n)"},
    {"sum(ones*ones')", NUMBERS, TG_SHAPE, 5, "the size of ones cannot be inferred"},
    {"norm2(zeros)", NUMBERS, TG_SHAPE, 7, "the size of zeros cannot be inferred"},
    {"S*A*w'*w*T", NUMBERS, TG_SHAPE, 1, "found 4 and 5"},
    {"A", OBJECTIVE, TG_SHAPE, 1, "an objective is a scalar, found 3 x 4; take tr, sum, sumsq or norm2 of it"},
    {"S*v", OBJECTIVE, TG_SHAPE, 1, "an objective is a scalar, found 3 x 1"},
    // ---- values ----
    {"log(-1)", NUMBERS, TG_VALUE, 1, "log(-1) is not a real number"},
    {"s + 1/0", NUMBERS, TG_VALUE, 7, "division by zero"},
    {"0^-1", NUMBERS, TG_VALUE, 1, "division by zero"},
    {"sqrt(-2)", NUMBERS, TG_VALUE, 1, "-2 ^ 0.5 is not a real number"},
    {"inv(zeros(3,3))", NUMBERS, TG_VALUE, 1, "the zero matrix has no inverse"},
    {"logdet(0*S)", NUMBERS, TG_VALUE, 1, "logdet of the zero matrix"},
    {"1e200*1e200", NUMBERS, TG_VALUE, 1, "infinity"},
    {"s*exp(1000)", NUMBERS, TG_VALUE, 3, "infinity"},
    {"S./zeros(3,3)", NUMBERS, TG_VALUE, 4, "division by zero"},
    {"1e300*S*1e300", NUMBERS, TG_VALUE, 1, "overflow"},
    // ---- symbolic sizes ----
    {"tr(A*B)", SYMBOLIC, TG_SHAPE, 4, "tr needs a square matrix: A*B is m x p; that needs p = m"},
    {"A*A", SYMBOLIC, TG_SHAPE, 1, "A*A needs columns(A) = rows(A), found n and m"},
    {"A + A'", SYMBOLIC, TG_SHAPE, 5, "A is m x n, A' is n x m"},
    {"det(A)", SYMBOLIC, TG_SHAPE, 5, "A is m x n; that needs n = m"},
    {"A.*B", SYMBOLIC, TG_SHAPE, 1, "A is m x n, B is n x p"},
    {"S/v", SYMBOLIC, TG_SHAPE, 3, "v is n x 1"},
    {"diag(A)", SYMBOLIC, TG_SHAPE, 6, "A is m x n; that needs n = m"},
    {"kron(A,B)*A", SYMBOLIC, TG_SHAPE, 1, "found n*p and m"},
    {"vec(A)'*v", SYMBOLIC, TG_SHAPE, 1, "found m*n and n"},
    {"S + eye(4)", SYMBOLIC, TG_SHAPE, 5, "S is n x n, eye(4) is 4 x 4"},
    {"A*B + ones(n,p)", SYMBOLIC, TG_SHAPE, 7, "A*B is m x p, ones(n,p) is n x p"},
    {"v'*A*B", SYMBOLIC, TG_SHAPE, 1, "v'*A needs columns(v') = rows(A), found n and m"},
    // ---- nothing declared ----
    {"A + B + 1 - ones(2,3) + ones(3,2)", FREE, TG_SHAPE, 25, "3 x 2"},
    {"A*ones(3,4) + ones(3,4)*A", FREE, TG_SHAPE, 15, "is 3 x 3; if A is a scalar, give --dims A=1"},
    {"sum(eye(n)*X) + sum(ones(tr(X), 2))", FREE, TG_VALUE, 26, "a size is a whole number"},
    {"A(3)", FREE, TG_NAME, 1, "'A' is not a function"},
    {"tr(A*eye(3)) + tr(A*eye(4))", FREE, TG_SHAPE, 19, "found 3 and 4"},
    {"A*ones(3,4) + ones(3,4)*A", FREE, TG_SHAPE, 15, "3 x"},
    {"sum(eye(3) + ones(3,4))", FREE, TG_SHAPE, 14, "eye(3) is 3 x 3, ones(3,4) is 3 x 4"},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static tg_status compile(const char *text, names known, tg_graph *graph, tg_node *out)
{
  const tg_compile_options options[] = {
      [NUMBERS] = {.n_declarations = sizeof numbers / sizeof numbers[0], .declarations = numbers},
      [SYMBOLIC] = {.n_declarations = sizeof symbolic / sizeof symbolic[0],
                    .declarations = symbolic,
                    .infer_undeclared = true},
      [FREE] = {.infer_undeclared = true},
      [OBJECTIVE] = {.n_declarations = sizeof numbers / sizeof numbers[0],
                     .declarations = numbers,
                     .require_scalar = true},
  };
  return tg_compile(graph, text, strlen(text), &options[known], out);
}

static bool check_row(const row *r)
{
  tg_graph *graph = NULL;
  tg_node node = TG_NONE;
  int line = 0;
  int column = 0;
  tg_error_clear();
  assert_int_equal(tg_graph_create(&graph), TG_OK);
  const tg_status status = compile(r->text, r->names, graph, &node);
  tg_graph_destroy(&graph);
  const tg_error *error = tg_error_get();
  const tg_source source = {.name = "expression", .text = r->text, .length = strlen(r->text)};
  if (status != TG_OK && error->has_span) tg_source_locate(&source, error->span.begin, &line, &column);
  const bool good = status == r->code && column == r->column && strstr(error->message, r->message) != NULL;
  if (!good)
    fprintf(stderr, "'%s':\n  found    %s at %d: %s\n  expected %s at %d: ...%s...\n", r->text, tg_status_label(status),
            column, status != TG_OK ? error->message : "", tg_status_label(r->code), r->column, r->message);
  return good;
}

static void test_invalid_expressions(void **unused)
{
  int wrong = 0;
  (void)unused;
  for (size_t k = 0; k < ROWS; k++) wrong += !check_row(&rows[k]);
  print_message("%d invalid expressions, %d not answered as expected\n", (int)ROWS, wrong);
  assert_int_equal(wrong, 0);
}

// The span ends inside the text, and the caret line is drawn for every row.
static void test_diagnostics_point_into_the_text(void **unused)
{
  (void)unused;
  for (size_t k = 0; k < ROWS; k++) {
    tg_graph *graph = NULL;
    tg_node node = TG_NONE;
    tg_text text;
    tg_text_init(&text);
    assert_int_equal(tg_graph_create(&graph), TG_OK);
    const tg_status status = compile(rows[k].text, rows[k].names, graph, &node);
    const tg_error *error = tg_error_get();
    assert_int_not_equal(status, TG_OK);
    assert_true(error->span.begin <= error->span.end && error->span.end <= strlen(rows[k].text));
    tg_source_diagnose(&(tg_source){.name = "expression", .text = rows[k].text, .length = strlen(rows[k].text)},
                       error->span, "error", error->message, &text);
    assert_non_null(strchr(tg_text_string(&text), '^'));
    assert_ptr_equal(strstr(tg_text_string(&text), "expression:1:"), tg_text_string(&text));
    tg_text_fini(&text);
    tg_graph_destroy(&graph);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_invalid_expressions),
      cmocka_unit_test(test_diagnostics_point_into_the_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
