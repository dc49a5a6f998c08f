// The plan's operations on block-cyclic matrices against plain loops over whole arrays.
#include "check.h"
#include "grad/graph/entry.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/reduce.h"

static const int64_t shapes[][2] = {{1, 1}, {7, 1}, {1, 9}, {6, 6}, {33, 20}, {300, 3}, {2, 310}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static tg_workspace *new_workspace(const tg_grid *grid)
{
  tg_workspace *workspace = NULL;
  REQUIRE_OK(tg_workspace_create(grid, &workspace));
  return workspace;
}

// --- linear combinations -----------------------------------------------------------------------------

static void test_lincomb_shape(const tg_grid *grid, int64_t rows, int64_t cols)
{
  enum { N = 5 };
  const double coefs[N] = {2, -1, 0.5, 3, -0.25};
  tg_dmat *in[N];
  for (int k = 0; k < N; k++) in[k] = check_matrix(grid, rows, cols, (uint64_t)k);
  double *expected = check_array(rows, cols, 0);
  for (int n = 0; n <= N; n++) {
    for (int64_t e = 0; e < rows * cols; e++) {
      expected[e] = 0;
      for (int k = 0; k < n; k++) expected[e] += coefs[k] * check_entry((uint64_t)k, e % rows, e / rows);
    }
    tg_dmat *out = check_matrix(grid, rows, cols, 77);
    REQUIRE_OK(tg_dmat_lincomb(n, coefs, (const tg_dmat *const *)in, out));
    CHECK_MATRIX(out, expected, 1e-15, "lincomb");
    tg_dmat_destroy(&out);
  }
  // in place, over the last and as an operand twice: x4 = sum_k c_k x_k
  REQUIRE_OK(tg_dmat_lincomb(N, coefs, (const tg_dmat *const *)in, in[N - 1]));
  CHECK_MATRIX(in[N - 1], expected, 1e-15, "lincomb in place");
  const tg_dmat *const twice[2] = {in[0], in[0]};
  REQUIRE_OK(tg_dmat_lincomb(2, coefs, twice, in[0]));
  for (int64_t e = 0; e < rows * cols; e++) expected[e] = check_entry(0, e % rows, e / rows);
  CHECK_MATRIX(in[0], expected, 1e-15, "2 x - x in place");
  for (int k = 0; k < N; k++) tg_dmat_destroy(&in[k]);
  tg_free(expected);
}

static void test_lincomb(const tg_grid *grid)
{
  for (int s = 0; s < SHAPES; s++) test_lincomb_shape(grid, shapes[s][0], shapes[s][1]);
}

// --- entrywise code ----------------------------------------------------------------------------------

typedef struct unary_case {
  tg_code_op op;
  double (*plain)(double);
} unary_case;

static double plain_square(double x)
{
  return x * x;
}

static double plain_neg(double x)
{
  return -x;
}

static double plain_sign(double x)
{
  return x > 0 ? 1 : x < 0 ? -1 : 0;
}

static double plain_sigmoid(double x)
{
  return 1 / (1 + exp(-x));
}

static double plain_relu(double x)
{
  return x > 0 ? x : 0;
}

static double plain_softplus(double x)
{
  return log(1 + exp(x));
}

static const unary_case unaries[] = {
    {TG_CODE_SQUARE, plain_square},
    {TG_CODE_NEG, plain_neg},
    {TG_CODE_EXP, exp},
    {TG_CODE_LOG, log},
    {TG_CODE_SQRT, sqrt},
    {TG_CODE_SIN, sin},
    {TG_CODE_COS, cos},
    {TG_CODE_TAN, tan},
    {TG_CODE_TANH, tanh},
    {TG_CODE_ABS, fabs},
    {TG_CODE_SIGN, plain_sign},
    {TG_CODE_SIGMOID, plain_sigmoid},
    {TG_CODE_RELU, plain_relu},
    {TG_CODE_SOFTPLUS, plain_softplus},
};

// log and sqrt see numbers above 0.5, the others also negative ones.
static void test_unary(const tg_grid *grid)
{
  enum { ROWS = 29, COLS = 4 };
  for (size_t u = 0; u < sizeof unaries / sizeof *unaries; u++) {
    const bool positive = unaries[u].op == TG_CODE_LOG || unaries[u].op == TG_CODE_SQRT;
    const tg_code code[4] = {
        {TG_CODE_LOAD, 0, 0}, {TG_CODE_NUMBER, 0, positive ? 1.5 : 0}, {TG_CODE_ADD, 0, 0}, {unaries[u].op, 0, 0}};
    tg_dmat *x = check_matrix(grid, ROWS, COLS, 4);
    double *expected = check_array(ROWS, COLS, 4);
    for (int e = 0; e < ROWS * COLS; e++) expected[e] = unaries[u].plain(expected[e] + (positive ? 1.5 : 0));
    const tg_dmat *const in[1] = {x};
    REQUIRE_OK(tg_dmat_entrywise(NULL, 1, in, 4, code, NULL, x));
    char name[40];
    snprintf(name, sizeof name, "operation %d", (int)unaries[u].op);
    CHECK_MATRIX(x, expected, 1e-15, name);
    tg_free(expected);
    tg_dmat_destroy(&x);
  }
}

static double scalar_of(tg_code_op op, double x)
{
  const tg_code code[2] = {{TG_CODE_NUMBER, 0, x}, {op, 0, 0}};
  double out = 0;
  double error = 0;
  REQUIRE_OK(tg_code_scalar(2, code, NULL, NULL, &out, &error));
  return out;
}

// Every row of the table at the arguments whose values are known.
static void test_rows(void)
{
  for (int kind = TG_ENTRY_FIRST; kind < TG_ENTRY_END; kind++) {
    const tg_entry_facts *f = tg_entry((tg_kind)kind);
    const tg_code_op op = (tg_code_op)(TG_CODE_ENTRY_FIRST + kind - TG_ENTRY_FIRST);
    for (int k = 0; k < 3; k++) {
      const double found = scalar_of(op, f->points[k][0]);
      CHECK(fabs(found - f->points[k][1]) <= 8 * 2.3e-16 * fabs(f->points[k][1]), "%s(%g) is %.17g, expected %.17g",
            f->name, f->points[k][0], found, f->points[k][1]);
    }
  }
}

static void test_extremes(void)
{
  CHECK(scalar_of(TG_CODE_SIGMOID, 1e4) == 1 && scalar_of(TG_CODE_SIGMOID, -1e4) == 0, "sigmoid at +-1e4");
  CHECK(scalar_of(TG_CODE_SOFTPLUS, 1e4) == 1e4 && scalar_of(TG_CODE_SOFTPLUS, -1e4) == 0, "softplus at +-1e4");
  CHECK(fabs(scalar_of(TG_CODE_SOFTPLUS, -40) / exp(-40) - 1) < 1e-15, "softplus keeps its small values");
  CHECK(isnan(scalar_of(TG_CODE_SIGMOID, check_nan())) && isnan(scalar_of(TG_CODE_SOFTPLUS, check_nan())), "NaN stays");
  CHECK(isnan(scalar_of(TG_CODE_SIGN, check_nan())) && isnan(scalar_of(TG_CODE_RELU, check_nan())), "NaN stays");
  const double registers[2] = {3, 4};
  const tg_code hypotenuse[] = {{TG_CODE_REG, 0, 0},    {TG_CODE_SQUARE, 0, 0}, {TG_CODE_REG, 1, 0},
                                {TG_CODE_SQUARE, 0, 0}, {TG_CODE_ADD, 0, 0},    {TG_CODE_NUMBER, 0, 0.5},
                                {TG_CODE_POW, 0, 0}};
  const double errors[2] = {1e-10, 0};
  double out = 0;
  double error = 0;
  REQUIRE_OK(tg_code_scalar(7, hypotenuse, registers, errors, &out, &error));
  CHECK(out == 5, "scalar code gives %g", out);
  CHECK(fabs(error / 6e-11 - 1) < 1e-3, "its error from that of an operand: %g", error);
}

// The bound of (a + b) - a holds what is lost, which the result does not show.
static void test_cancellation(void)
{
  const double registers[2] = {1e16, 1};
  const double errors[2] = {0, 0};
  const tg_code code[] = {
      {TG_CODE_REG, 0, 0}, {TG_CODE_REG, 1, 0}, {TG_CODE_ADD, 0, 0}, {TG_CODE_REG, 0, 0}, {TG_CODE_SUB, 0, 0}};
  double out = 0;
  double error = 0;
  REQUIRE_OK(tg_code_scalar(5, code, registers, errors, &out, &error));
  CHECK(fabs(out - 1) <= error && error < 10, "1e16 + 1 - 1e16 = %g, error bounded by %g", out, error);
}

// out = (r0 * x - v(i)) / (2 + w(j)^2), with a column v and a row w; and its sum.
static const tg_code broadcast_code[] = {
    {TG_CODE_REG, 0, 0},    {TG_CODE_LOAD, 0, 0}, {TG_CODE_MUL, 0, 0},    {TG_CODE_ROW, 1, 0}, {TG_CODE_SUB, 0, 0},
    {TG_CODE_NUMBER, 0, 2}, {TG_CODE_COL, 2, 0},  {TG_CODE_SQUARE, 0, 0}, {TG_CODE_ADD, 0, 0}, {TG_CODE_DIV, 0, 0}};
enum { BROADCAST_CODE = sizeof broadcast_code / sizeof *broadcast_code };

static void test_broadcast_shape(const tg_grid *grid, tg_workspace *workspace, int64_t rows, int64_t cols)
{
  const double registers[1] = {1.5};
  tg_dmat *x = check_matrix(grid, rows, cols, 1);
  tg_dmat *v = check_matrix(grid, rows, 1, 2);
  tg_dmat *w = check_matrix(grid, 1, cols, 3);
  double *expected = check_array(rows, cols, 1);
  double sum = 0;
  for (int64_t e = 0; e < rows * cols; e++) {
    const double wj = check_entry(3, 0, e / rows);
    expected[e] = (1.5 * expected[e] - check_entry(2, e % rows, 0)) / (2 + wj * wj);
    sum += expected[e];
  }
  const tg_dmat *const in[3] = {x, v, w};
  double part = 0;
  double total = 0;
  REQUIRE_OK(tg_dmat_entrywise_part(workspace, 3, in, BROADCAST_CODE, broadcast_code, registers, &part));
  REQUIRE_OK(tg_reduce_sum(grid, 1, &part, &total));
  CHECK(fabs(total - sum) < 1e-12, "the sum is %.17g, expected %.17g", total, sum);
  REQUIRE_OK(tg_dmat_entrywise(workspace, 3, in, BROADCAST_CODE, broadcast_code, registers, x));
  CHECK_MATRIX(x, expected, 1e-15, "row and column broadcast, in place");
  tg_free(expected);
  tg_dmat_destroy(&x);
  tg_dmat_destroy(&v);
  tg_dmat_destroy(&w);
}

static void test_broadcast(const tg_grid *grid)
{
  tg_workspace *workspace = new_workspace(grid);
  for (int s = 0; s < SHAPES; s++) test_broadcast_shape(grid, workspace, shapes[s][0], shapes[s][1]);
  tg_workspace_destroy(&workspace);
}

// Code longer than what fits the stack of the caller: x + 1 + 2 + ... + 40.
static void test_long_code(const tg_grid *grid)
{
  enum { TERMS = 40 };
  tg_code code[1 + 2 * TERMS] = {{TG_CODE_LOAD, 0, 0}};
  for (int k = 0; k < TERMS; k++) {
    code[1 + 2 * k] = (tg_code){TG_CODE_NUMBER, 0, k + 1};
    code[2 + 2 * k] = (tg_code){TG_CODE_ADD, 0, 0};
  }
  tg_workspace *workspace = new_workspace(grid);
  tg_dmat *x = check_matrix(grid, 11, 3, 1);
  double *expected = check_array(11, 3, 1);
  for (int e = 0; e < 33; e++) expected[e] += TERMS * (TERMS + 1) / 2;
  const tg_dmat *const in[1] = {x};
  CHECK_FAILS(tg_dmat_entrywise(NULL, 1, in, 1 + 2 * TERMS, code, NULL, x), TG_INTERNAL, "needs a workspace");
  REQUIRE_OK(tg_dmat_entrywise(workspace, 1, in, 1 + 2 * TERMS, code, NULL, x));
  CHECK_MATRIX(x, expected, 1e-14, "long code");
  tg_free(expected);
  tg_dmat_destroy(&x);
  tg_workspace_destroy(&workspace);
}

static void test_bad_code(const tg_grid *grid)
{
  tg_dmat *x = check_matrix(grid, 3, 3, 1);
  tg_dmat *y = check_matrix(grid, 3, 2, 1);
  const tg_dmat *const in[2] = {x, y};
  const tg_code input[1] = {{TG_CODE_LOAD, 2, 0}};
  const tg_code shape[1] = {{TG_CODE_LOAD, 1, 0}};
  const tg_code empty[1] = {{TG_CODE_ADD, 0, 0}};
  const tg_code many[2] = {{TG_CODE_LOAD, 0, 0}, {TG_CODE_LOAD, 0, 0}};
  tg_code deep[TG_CODE_DEPTH + 1];
  for (int k = 0; k <= TG_CODE_DEPTH; k++) deep[k] = (tg_code){TG_CODE_LOAD, 0, 0};
  CHECK_FAILS(tg_dmat_entrywise(NULL, 2, in, 1, input, NULL, x), TG_INTERNAL, "reads input 2 of 2");
  CHECK_FAILS(tg_dmat_entrywise(NULL, 2, in, 1, shape, NULL, x), TG_INTERNAL, "is 3 x 2");
  CHECK_FAILS(tg_dmat_entrywise(NULL, 2, in, 1, empty, NULL, x), TG_INTERNAL, "empty stack at position 0");
  CHECK_FAILS(tg_dmat_entrywise(NULL, 2, in, 2, many, NULL, x), TG_INTERNAL, "leaves 2 values");
  CHECK_FAILS(tg_dmat_entrywise(NULL, 2, in, TG_CODE_DEPTH + 1, deep, NULL, x), TG_INTERNAL, "deeper than 16");
  CHECK_FAILS(tg_dmat_lincomb(2, (const double[]){1, 1}, in, x), TG_INTERNAL, "operand 1 is 3 x 2");
  CHECK_FAILS(tg_dmat_trace(y, &(double){0}), TG_INTERNAL, "trace of a 3 x 2");
  CHECK_FAILS(tg_dmat_fetch(x, &(double){0}), TG_INTERNAL, "1 x 1 matrix is expected");
  tg_dmat_destroy(&x);
  tg_dmat_destroy(&y);
}

// --- scalars and constants ---------------------------------------------------------------------------

static void test_scalars(const tg_grid *grid)
{
  for (int s = 0; s < SHAPES; s++) {
    const int64_t rows = shapes[s][0];
    const int64_t cols = shapes[s][1];
    tg_dmat *a = check_matrix(grid, rows, cols, 1);
    tg_dmat *b = check_matrix(grid, rows, cols, 2);
    double expected[2] = {0};
    for (int64_t j = 0; j < cols; j++)
      for (int64_t i = 0; i < rows; i++) {
        expected[0] += check_entry(1, i, j) * check_entry(2, i, j);
        if (i == j) expected[1] += check_entry(1, i, j);
      }
    double found[2] = {0};
    REQUIRE_OK(tg_dmat_dot(a, b, &found[0]));
    CHECK(fabs(found[0] - expected[0]) < 1e-13, "dot %.17g, expected %.17g", found[0], expected[0]);
    if (rows == cols) {
      REQUIRE_OK(tg_dmat_trace(a, &found[1]));
      CHECK(fabs(found[1] - expected[1]) < 1e-14, "trace %.17g, expected %.17g", found[1], expected[1]);
    }
    tg_dmat_destroy(&a);
    tg_dmat_destroy(&b);
  }
}

// 1 + 2^-53 summed a hundred thousand times: plain summation in one accumulator would lose 1e-12 relative.
static void test_sum_accuracy(const tg_grid *grid)
{
  tg_dmat *a = NULL;
  tg_dmat *b = NULL;
  REQUIRE_OK(tg_dmat_create(grid, 100003, 1, &a));
  REQUIRE_OK(tg_dmat_create(grid, 100003, 1, &b));
  tg_dmat_fill(0.1, a);
  tg_dmat_fill(1, b);
  double sum = 0;
  REQUIRE_OK(tg_dmat_dot(a, b, &sum));
  const double exact = 100003 * 0.1;
  CHECK(fabs(sum - exact) <= 4e-15 * exact, "100003 * 0.1 = %.17g", sum);
  tg_dmat_destroy(&a);
  tg_dmat_destroy(&b);
}

static void test_constants(const tg_grid *grid)
{
  tg_dmat *m = check_matrix(grid, 12, 12, 1);
  double *expected = check_array(12, 12, 1);
  for (int e = 0; e < 144; e++) expected[e] = e % 12 == e / 12 ? 2.5 : 0;
  tg_dmat_eye(2.5, m);
  CHECK_MATRIX(m, expected, 0, "eye");
  // K(3,4) maps vec of a 3 x 4 matrix to vec of its transpose
  for (int e = 0; e < 144; e++) expected[e] = 0;
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 4; j++) expected[(j + i * 4) + (i + j * 3) * 12] = 1;
  REQUIRE_OK(tg_dmat_comm(3, 4, m));
  CHECK_MATRIX(m, expected, 0, "comm");
  CHECK_FAILS(tg_dmat_comm(3, 5, m), TG_INTERNAL, "comm(3,5) does not fit");
  for (int e = 0; e < 144; e++) expected[e] = -7;
  tg_dmat_fill(-7, m);
  CHECK_MATRIX(m, expected, 0, "fill");
  tg_dmat *one = check_matrix(grid, 1, 1, 1);
  double value = 0;
  REQUIRE_OK(tg_dmat_store(4.25, one));
  REQUIRE_OK(tg_dmat_fetch(one, &value));
  CHECK(value == 4.25, "fetched %g", value);
  tg_dmat_destroy(&one);
  tg_dmat_destroy(&m);
  tg_free(expected);
}

// --- moving entries ----------------------------------------------------------------------------------

static void test_transpose(const tg_grid *grid)
{
  tg_workspace *workspace = new_workspace(grid);
  for (int s = 0; s < SHAPES; s++) {
    const int64_t rows = shapes[s][0];
    const int64_t cols = shapes[s][1];
    tg_dmat *a = check_matrix(grid, rows, cols, 1);
    tg_dmat *t = check_matrix(grid, cols, rows, 2);
    double *expected = check_array(cols, rows, 1);
    for (int64_t i = 0; i < rows; i++)
      for (int64_t j = 0; j < cols; j++) expected[j + i * cols] = -2 * check_entry(1, i, j);
    REQUIRE_OK(tg_dmat_transpose(workspace, -2, a, t));
    CHECK_MATRIX(t, expected, 0, "transpose");
    for (int64_t e = 0; e < rows * cols; e++) expected[e] = 1.5 * expected[e];
    REQUIRE_OK(tg_dmat_transpose_add(workspace, -2, a, 0.5, t));
    CHECK_MATRIX(t, expected, 1e-15, "transpose, added");
    if (rows != cols) CHECK_FAILS(tg_dmat_transpose(workspace, 1, a, a), TG_INTERNAL, "the transpose of");
    tg_free(expected);
    tg_dmat_destroy(&a);
    tg_dmat_destroy(&t);
  }
  tg_workspace_destroy(&workspace);
}

// More than one piece travels between two ranks; each rank checks what it owns.
static void test_large_transpose(const tg_grid *grid)
{
  enum { ROWS = 3001, COLS = 2500 };
  tg_workspace *workspace = new_workspace(grid);
  tg_dmat *a = check_matrix(grid, ROWS, COLS, 1);
  tg_dmat *t = NULL;
  REQUIRE_OK(tg_dmat_create(grid, COLS, ROWS, &t));
  REQUIRE_OK(tg_dmat_transpose(workspace, 1, a, t));
  int64_t wrong = 0;
  for (int64_t lj = 0; lj < t->local_cols; lj++)
    for (int64_t li = 0; li < t->local_rows; li++)
      wrong += t->data[li + lj * t->ld] != check_entry(1, tg_layout_global(lj, t->block, grid->col, grid->cols),
                                                       tg_layout_global(li, t->block, grid->row, grid->rows));
  CHECK(wrong == 0, "%" PRId64 " entries of a large transpose are wrong on %d x %d", wrong, grid->rows, grid->cols);
  tg_dmat_destroy(&a);
  tg_dmat_destroy(&t);
  tg_workspace_destroy(&workspace);
}

static void test_reshape(const tg_grid *grid)
{
  static const int64_t cases[][4] = {{6, 8, 12, 4},  {6, 8, 48, 1}, {48, 1, 6, 8},
                                     {1, 48, 48, 1}, {5, 5, 5, 5},  {7, 13, 91, 1}};
  tg_workspace *workspace = new_workspace(grid);
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    tg_dmat *a = check_matrix(grid, cases[k][0], cases[k][1], 1);
    tg_dmat *r = check_matrix(grid, cases[k][2], cases[k][3], 2);
    double *expected = check_array(cases[k][0], cases[k][1], 1); // column-major: the same array
    REQUIRE_OK(tg_dmat_reshape(workspace, a, r));
    CHECK_MATRIX(r, expected, 0, "reshape");
    tg_free(expected);
    tg_dmat_destroy(&a);
    tg_dmat_destroy(&r);
  }
  tg_dmat *a = check_matrix(grid, 3, 4, 1);
  tg_dmat *r = check_matrix(grid, 3, 5, 1);
  CHECK_FAILS(tg_dmat_reshape(workspace, a, r), TG_INTERNAL, "3 x 4 entries are not reshaped to 3 x 5");
  CHECK_FAILS(tg_dmat_redistribute(workspace, a, r), TG_INTERNAL, "not redistributed");
  tg_dmat_destroy(&a);
  tg_dmat_destroy(&r);
  tg_workspace_destroy(&workspace);
}

// More entries than one round of the exchange carries, to another block size and to the transposed grid.
static void test_redistribute(const tg_grid *grid)
{
  enum { ROWS = 700, COLS = 701 };
  tg_workspace *workspace = new_workspace(grid);
  tg_grid *turned = NULL;
  REQUIRE_OK(tg_grid_create(MPI_COMM_WORLD, grid->cols, grid->rows, 5, &turned));
  tg_dmat *a = check_matrix(grid, ROWS, COLS, 1);
  tg_dmat *b = NULL;
  tg_dmat *c = NULL;
  REQUIRE_OK(tg_dmat_create_block(grid, ROWS, COLS, grid->block + 3, &b));
  REQUIRE_OK(tg_dmat_create(turned, ROWS, COLS, &c));
  REQUIRE_OK(tg_dmat_redistribute(workspace, a, b));
  REQUIRE_OK(tg_dmat_redistribute(workspace, b, c));
  double *expected = check_array(ROWS, COLS, 1);
  CHECK_MATRIX(b, expected, 0, "another block size");
  CHECK_MATRIX(c, expected, 0, "another grid");
  tg_free(expected);
  tg_dmat_destroy(&a);
  tg_dmat_destroy(&b);
  tg_dmat_destroy(&c);
  tg_grid_destroy(&turned);
  tg_workspace_destroy(&workspace);
}

static void test_diagonals(const tg_grid *grid)
{
  enum { N = 19 };
  tg_workspace *workspace = new_workspace(grid);
  tg_dmat *column = check_matrix(grid, N, 1, 1);
  tg_dmat *row = check_matrix(grid, 1, N, 1);
  tg_dmat *square = check_matrix(grid, N, N, 3);
  tg_dmat *back = check_matrix(grid, N, 1, 4);
  double *expected = check_array(N, N, 3);
  for (int k = 0; k < N; k++) expected[k] = check_entry(3, k, k);
  REQUIRE_OK(tg_dmat_diagvec(workspace, square, back));
  CHECK_MATRIX(back, expected, 0, "diagvec");
  for (int is_row = 0; is_row < 2; is_row++) {
    for (int e = 0; e < N * N; e++)
      expected[e] = e % N != e / N ? 0 : is_row ? check_entry(1, 0, e / N) : check_entry(1, e % N, 0);
    REQUIRE_OK(tg_dmat_diag(workspace, is_row ? row : column, square));
    CHECK_MATRIX(square, expected, 0, is_row ? "diag of a row" : "diag of a column");
  }
  CHECK_FAILS(tg_dmat_diag(workspace, column, back), TG_INTERNAL, "is not a vector of 19");
  tg_dmat_destroy(&column);
  tg_dmat_destroy(&row);
  tg_dmat_destroy(&square);
  tg_dmat_destroy(&back);
  tg_free(expected);
  tg_workspace_destroy(&workspace);
}

// --- Kronecker products ------------------------------------------------------------------------------

// G = kron(A, B), L(i,j) = <block (i,j) of G, B>, R = sum A(i,j) block (i,j) of G, on a G of its own for the adjoints.
static void plain_kron(const int64_t s[4], double *g, double *l, double *r)
{
  const int64_t m = s[0], n = s[1], p = s[2], q = s[3];
  for (int64_t e = 0; e < m * n; e++) l[e] = 0;
  for (int64_t e = 0; e < p * q; e++) r[e] = 0;
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++)
      for (int64_t k = 0; k < p; k++)
        for (int64_t h = 0; h < q; h++) {
          const int64_t row = i * p + k;
          const int64_t col = j * q + h;
          g[row + col * m * p] = check_entry(1, i, j) * check_entry(2, k, h);
          l[i + j * m] += check_entry(9, row, col) * check_entry(2, k, h);
          r[k + h * p] += check_entry(9, row, col) * check_entry(1, i, j);
        }
}

static void test_kron_sizes(const tg_grid *grid, tg_workspace *workspace, const int64_t s[4])
{
  tg_dmat *a = check_matrix(grid, s[0], s[1], 1);
  tg_dmat *b = check_matrix(grid, s[2], s[3], 2);
  tg_dmat *product = check_matrix(grid, s[0] * s[2], s[1] * s[3], 3);
  tg_dmat *g = check_matrix(grid, s[0] * s[2], s[1] * s[3], 9);
  tg_dmat *left = check_matrix(grid, s[0], s[1], 4);
  tg_dmat *right = check_matrix(grid, s[2], s[3], 5);
  double *plain_g = check_array(g->rows, g->cols, 0);
  double *plain_l = check_array(s[0], s[1], 0);
  double *plain_r = check_array(s[2], s[3], 0);
  plain_kron(s, plain_g, plain_l, plain_r);
  REQUIRE_OK(tg_dmat_kron(workspace, a, b, product));
  CHECK_MATRIX(product, plain_g, 0, "kron");
  REQUIRE_OK(tg_dmat_kron_left(workspace, g, b, left));
  CHECK_MATRIX(left, plain_l, 1e-13, "kron-left");
  REQUIRE_OK(tg_dmat_kron_right(workspace, g, a, right));
  CHECK_MATRIX(right, plain_r, 1e-13, "kron-right");
  if (s[0] * s[1] > 1) CHECK_FAILS(tg_dmat_kron(workspace, a, b, right), TG_INTERNAL, "a Kronecker product of");
  tg_dmat_destroy(&a);
  tg_dmat_destroy(&b);
  tg_dmat_destroy(&product);
  tg_dmat_destroy(&g);
  tg_dmat_destroy(&left);
  tg_dmat_destroy(&right);
  tg_free(plain_g);
  tg_free(plain_l);
  tg_free(plain_r);
}

static void test_kron(const tg_grid *grid)
{
  static const int64_t cases[][4] = {{1, 1, 1, 1}, {2, 3, 4, 5}, {5, 1, 1, 6}, {1, 4, 7, 2}, {6, 6, 3, 3}};
  tg_workspace *workspace = new_workspace(grid);
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) test_kron_sizes(grid, workspace, cases[k]);
  tg_workspace_destroy(&workspace);
}

// --- workspace ---------------------------------------------------------------------------------------

static void test_workspace(const tg_grid *grid)
{
  tg_workspace *workspace = new_workspace(grid);
  double *first = NULL;
  double *second = NULL;
  REQUIRE_OK(tg_workspace_reserve(workspace, TG_SLOT_PACK, 100, &first));
  const int64_t allocations = tg_alloc_count();
  REQUIRE_OK(tg_workspace_reserve(workspace, TG_SLOT_PACK, 80, &second));
  CHECK(first == second && tg_alloc_count() == allocations, "a smaller need allocates nothing");
  CHECK(tg_workspace_bytes(workspace) == 800, "%" PRId64 " bytes", tg_workspace_bytes(workspace));
  if (grid->rank == grid->size - 1) tg_alloc_fail_after(1);
  CHECK_FAILS(tg_workspace_reserve(workspace, TG_SLOT_PACK, 200, &first), TG_MEMORY, "cannot allocate");
  tg_alloc_fail_after(0);
  REQUIRE_OK(tg_workspace_reserve(workspace, TG_SLOT_PACK, 200, &first));
  tg_workspace_destroy(&workspace);
  CHECK(workspace == NULL, "destroy nulls");
}

static void run(void)
{
  const int64_t blocks[] = {1, 3, 8, 64, 0};
  const int64_t one_block[] = {3, 0};
  test_rows();
  test_extremes();
  test_cancellation();
  check_on_grids(blocks, test_lincomb);
  check_on_grids(blocks, test_unary);
  check_on_grids(blocks, test_broadcast);
  check_on_grids(one_block, test_long_code);
  check_on_grids(one_block, test_bad_code);
  check_on_grids(blocks, test_scalars);
  check_on_grids(one_block, test_sum_accuracy);
  check_on_grids(blocks, test_constants);
  check_on_grids(blocks, test_transpose);
  check_on_grids(&blocks[3], test_large_transpose);
  check_on_grids(blocks, test_reshape);
  check_on_grids(one_block, test_redistribute);
  check_on_grids(blocks, test_diagonals);
  check_on_grids(blocks, test_kron);
  check_on_grids(one_block, test_workspace);
}

CHECK_PROGRAM(program_kernels, run)
