// A plain interpreter of the parse tree, one function per construct.
#include "support/text_eval.h"

#include <math.h>
#include <string.h>

#include "grad/graph/entry.h"
#include "grad/text/ast.h"
#include "support/jacobi.h"

typedef struct context {
  tg_arena *arena;
  int32_t n_names;
  const text_name *names;
} context;

uint64_t text_random(uint64_t *state)
{
  // splitmix64 (Steele, Lea, Flood 2014)
  uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  return z ^ (z >> 31);
}

double text_uniform(uint64_t *state)
{
  return ((double)(text_random(state) >> 11) + 0.5) * 0x1p-52 - 1.0;
}

static tg_status eval(const context *c, const tg_ast *ast, text_value *out);

static tg_status fresh(const context *c, int64_t rows, int64_t cols, text_value *out)
{
  *out = (text_value){rows, cols, NULL};
  return TG_ARENA_NEW(c->arena, (size_t)(rows * cols), &out->data);
}

static bool is_scalar(const text_value *a)
{
  return a->rows == 1 && a->cols == 1;
}

static double at(const text_value *a, int64_t i, int64_t j)
{
  return a->data[i + j * a->rows];
}

static tg_status multiply(const context *c, text_value a, text_value b, text_value *out)
{
  if (a.cols != b.rows) TG_FAIL(TG_SHAPE, "oracle: product of %d columns and %d rows", (int)a.cols, (int)b.rows);
  TG_TRY(fresh(c, a.rows, b.cols, out));
  for (int64_t i = 0; i < a.rows; i++)
    for (int64_t j = 0; j < b.cols; j++)
      for (int64_t k = 0; k < a.cols; k++) out->data[i + j * a.rows] += at(&a, i, k) * at(&b, k, j);
  return TG_OK;
}

static double combine(char op, double x, double y)
{
  switch (op) {
  case '+':
    return x + y;
  case '-':
    return x - y;
  case '/':
  case 'd':
    return x / y;
  case 'e':
    return pow(x, y);
  default:
    return x * y;
  }
}

// Entry by entry; a scalar meets every entry.
static tg_status entrywise(const context *c, char op, text_value a, text_value b, text_value *out)
{
  const text_value *shape = is_scalar(&a) ? &b : &a;
  if (!is_scalar(&a) && !is_scalar(&b) && (a.rows != b.rows || a.cols != b.cols))
    TG_FAIL(TG_SHAPE, "oracle: '%c' of different shapes", op);
  TG_TRY(fresh(c, shape->rows, shape->cols, out));
  for (int64_t i = 0; i < shape->rows * shape->cols; i++)
    out->data[i] = combine(op, a.data[is_scalar(&a) ? 0 : i], b.data[is_scalar(&b) ? 0 : i]);
  return TG_OK;
}

static tg_status transposed(const context *c, text_value a, text_value *out)
{
  TG_TRY(fresh(c, a.cols, a.rows, out));
  for (int64_t i = 0; i < a.rows; i++)
    for (int64_t j = 0; j < a.cols; j++) out->data[j + i * a.cols] = at(&a, i, j);
  return TG_OK;
}

// Gauss-Jordan with the largest pivot of each column: the inverse, and the determinant.
static tg_status invert(const context *c, text_value a, text_value *out, double *det)
{
  const int64_t n = a.rows;
  text_value work;
  if (a.rows != a.cols) TG_FAIL(TG_SHAPE, "oracle: not square");
  TG_TRY(fresh(c, n, n, &work));
  TG_TRY(fresh(c, n, n, out));
  memcpy(work.data, a.data, sizeof(double) * (size_t)(n * n));
  for (int64_t i = 0; i < n; i++) out->data[i + i * n] = 1.0;
  double most = 0.0;
  *det = 1.0;
  for (int64_t k = 0; k < n; k++) {
    int64_t pivot = k;
    for (int64_t i = k + 1; i < n; i++)
      if (fabs(at(&work, i, k)) > fabs(at(&work, pivot, k))) pivot = i;
    for (int64_t j = 0; j < n && pivot != k; j++) {
      const double w = at(&work, k, j);
      const double x = at(out, k, j);
      work.data[k + j * n] = at(&work, pivot, j);
      work.data[pivot + j * n] = w;
      out->data[k + j * n] = at(out, pivot, j);
      out->data[pivot + j * n] = x;
    }
    const double head = at(&work, k, k);
    if (k == 0 || fabs(head) > most) most = fabs(head);
    if (fabs(head) <= 1e-8 * most) TG_FAIL(TG_NUMERIC, "oracle: a matrix is singular to rounding");
    *det *= pivot != k ? -head : head;
    for (int64_t j = 0; j < n; j++) {
      work.data[k + j * n] /= head;
      out->data[k + j * n] /= head;
    }
    for (int64_t i = 0; i < n; i++) {
      const double factor = at(&work, i, k);
      for (int64_t j = 0; j < n && i != k; j++) {
        work.data[i + j * n] -= factor * at(&work, k, j);
        out->data[i + j * n] -= factor * at(out, k, j);
      }
    }
  }
  return TG_OK;
}

static tg_status power(const context *c, char op, text_value a, text_value p, text_value *out)
{
  if (op == 'e' || is_scalar(&a)) return entrywise(c, 'e', a, p, out);
  double det = 0.0;
  text_value base = a;
  if (p.data[0] < 0.0) TG_TRY(invert(c, a, &base, &det));
  TG_TRY(fresh(c, a.rows, a.rows, out));
  for (int64_t i = 0; i < a.rows; i++) out->data[i + i * a.rows] = 1.0;
  for (double k = 0.0; k < fabs(p.data[0]); k++) TG_TRY(multiply(c, *out, base, out));
  return TG_OK;
}

// ---- functions ----

static double apply(const char *name, double x, bool *known)
{
  *known = true;
  if (strcmp(name, "exp") == 0) return exp(x);
  if (strcmp(name, "log") == 0) return log(x);
  if (strcmp(name, "sqrt") == 0) return sqrt(x);
  if (strcmp(name, "sin") == 0) return sin(x);
  if (strcmp(name, "cos") == 0) return cos(x);
  if (strcmp(name, "tan") == 0) return tan(x);
  if (strcmp(name, "tanh") == 0) return tanh(x);
  if (strcmp(name, "abs") == 0) return fabs(x);
  if (strcmp(name, "sign") == 0) return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : 0.0;
  if (strcmp(name, "sigmoid") == 0) return 1.0 / (1.0 + exp(-x));
  if (strcmp(name, "relu") == 0) return x > 0.0 ? x : 0.0;
  if (strcmp(name, "softplus") == 0) return x > 30.0 ? x : log1p(exp(x));
  // test_entrywise compares the values of later rows with figures from other sources.
  const tg_entry_facts *f = tg_entry(tg_entry_find(name, strlen(name)));
  *known = f != NULL;
  return f != NULL ? f->value(x) : 0.0;
}

static tg_status reduce(const context *c, const char *name, text_value a, text_value *out, bool *known)
{
  double sum = 0.0;
  double squares = 0.0;
  double sizes = 0.0;
  double trace = 0.0;
  *known = true;
  for (int64_t i = 0; i < a.rows * a.cols; i++) {
    sum += a.data[i];
    squares += a.data[i] * a.data[i];
    sizes += fabs(a.data[i]);
  }
  for (int64_t i = 0; i < a.rows && a.rows == a.cols; i++) trace += at(&a, i, i);
  TG_TRY(fresh(c, 1, 1, out));
  if (strcmp(name, "sum") == 0)
    out->data[0] = sum;
  else if (strcmp(name, "sumsq") == 0)
    out->data[0] = squares;
  else if (strcmp(name, "norm2") == 0)
    out->data[0] = sqrt(squares);
  else if (strcmp(name, "norm1") == 0)
    out->data[0] = sizes;
  else if (strcmp(name, "tr") == 0)
    out->data[0] = trace;
  else
    *known = false;
  return TG_OK;
}

static tg_status by_elimination(const context *c, const char *name, text_value a, text_value *out)
{
  text_value inverse;
  double det = 0.0;
  TG_TRY(invert(c, a, &inverse, &det));
  *out = inverse;
  if (strcmp(name, "inv") == 0) return TG_OK;
  TG_TRY(fresh(c, 1, 1, out));
  out->data[0] = strcmp(name, "det") == 0 ? det : log(det);
  return TG_OK;
}

// Sums along rows, columns or both of the entries, shifted and exponentiated: by the definitions.
static tg_status along(const context *c, const char *name, text_value a, text_value *out, bool *known)
{
  const char *end = strrchr(name, '_');
  const bool rows = end != NULL && strcmp(end, "_rows") == 0;
  const bool columns = end != NULL && strcmp(end, "_columns") == 0;
  const bool sums = strcmp(name, "sum_rows") == 0 || strcmp(name, "sum_columns") == 0;
  const bool softmax = strncmp(name, "softmax_", 8) == 0;
  *known = sums || softmax || strncmp(name, "logsumexp", 9) == 0;
  if (!*known) return TG_OK;
  text_value totals;
  TG_TRY(fresh(c, rows ? a.rows : 1, columns ? a.cols : 1, &totals));
  for (int64_t i = 0; i < a.rows; i++)
    for (int64_t j = 0; j < a.cols; j++)
      totals.data[rows ? i : columns ? j : 0] += sums ? at(&a, i, j) : exp(at(&a, i, j));
  *out = totals;
  for (int64_t t = 0; !sums && !softmax && t < totals.rows * totals.cols; t++) out->data[t] = log(totals.data[t]);
  if (!softmax) return TG_OK;
  TG_TRY(fresh(c, a.rows, a.cols, out));
  for (int64_t i = 0; i < a.rows; i++)
    for (int64_t j = 0; j < a.cols; j++) out->data[i + j * a.rows] = exp(at(&a, i, j)) / totals.data[rows ? i : j];
  return TG_OK;
}

static tg_status moment(const context *c, const char *name, text_value a, text_value *out, bool *known)
{
  const double count = (double)(a.rows * a.cols);
  double mean = 0.0;
  double spread = 0.0;
  *known = strcmp(name, "mean") == 0 || strcmp(name, "var") == 0;
  if (!*known) return TG_OK;
  for (int64_t i = 0; i < a.rows * a.cols; i++) mean += a.data[i] / count;
  for (int64_t i = 0; i < a.rows * a.cols; i++) spread += (a.data[i] - mean) * (a.data[i] - mean) / count;
  TG_TRY(fresh(c, 1, 1, out));
  out->data[0] = strcmp(name, "mean") == 0 ? mean : spread;
  return TG_OK;
}

static tg_status triangle(const context *c, bool upper, text_value a, text_value *out)
{
  TG_TRY(fresh(c, a.rows, a.cols, out));
  for (int64_t i = 0; i < a.rows; i++)
    for (int64_t j = 0; j < a.cols; j++)
      if (upper ? i <= j : i >= j) out->data[i + j * a.rows] = at(&a, i, j);
  return TG_OK;
}

static tg_status rearrange(const context *c, const char *name, text_value a, text_value *out)
{
  const int64_t n = a.rows * a.cols;
  if (strcmp(name, "vec") == 0) {
    *out = (text_value){n, 1, a.data};
  } else if (strcmp(name, "diag") == 0) {
    if (a.rows != 1 && a.cols != 1) TG_FAIL(TG_SHAPE, "oracle: diag of a matrix");
    TG_TRY(fresh(c, n, n, out));
    for (int64_t i = 0; i < n; i++) out->data[i + i * n] = a.data[i];
  } else if (strcmp(name, "diagvec") == 0) {
    TG_TRY(fresh(c, a.rows, 1, out));
    for (int64_t i = 0; i < a.rows; i++) out->data[i] = at(&a, i, i);
  } else {
    TG_FAIL(TG_UNSUPPORTED, "oracle: function %s", name);
  }
  return TG_OK;
}

// ---- functions of symmetric matrices, by eigenvectors ----

// 0: sqrt, 1: exp, 2: log; derivatives at x of the order.
static double derivative(int f, int order, double x)
{
  if (f == 1) return exp(x);
  if (f == 0) return order == 0 ? sqrt(x) : order == 1 ? 0.5 / sqrt(x) : -0.25 / (x * sqrt(x));
  return order == 0 ? log(x) : order == 1 ? 1 / x : -1 / (x * x);
}

// f[a,b], f[a,b,c] by their definitions, by derivatives in the middle where the points are close.
static double divided(int f, double a, double b)
{
  const bool close = fabs(a - b) <= 1e-5 * (fabs(a) + fabs(b));
  return close ? derivative(f, 1, 0.5 * (a + b)) : (derivative(f, 0, a) - derivative(f, 0, b)) / (a - b);
}

static double divided_twice(int f, double a, double b, double d)
{
  const double most = fmax(a, fmax(b, d));
  const double least = fmin(a, fmin(b, d));
  const double middle = a + b + d - most - least;
  if (most - least <= 1e-4 * (fabs(most) + fabs(least))) return 0.5 * derivative(f, 2, (a + b + d) / 3);
  return (divided(f, most, middle) - divided(f, middle, least)) / (most - least);
}

// Sum and largest of the singular values: [0, A; A', 0] has them, with both signs, for its eigenvalues.
static tg_status singular_norm(const context *c, bool nuclear, text_value a, text_value *out)
{
  const int64_t n = a.rows + a.cols;
  text_value both;
  text_value q;
  TG_TRY(fresh(c, n, n, &both));
  TG_TRY(fresh(c, n, n, &q));
  TG_TRY(fresh(c, 1, 1, out));
  for (int64_t i = 0; i < a.rows; i++)
    for (int64_t j = 0; j < a.cols; j++) {
      both.data[i + (a.rows + j) * n] = at(&a, i, j);
      both.data[a.rows + j + i * n] = at(&a, i, j);
    }
  jacobi_diagonalise(n, both.data, q.data);
  for (int64_t i = 0; i < n; i++)
    out->data[0] = nuclear ? out->data[0] + 0.5 * fabs(at(&both, i, i)) : fmax(out->data[0], at(&both, i, i));
  return TG_OK;
}

typedef struct eigen {
  int64_t n;
  text_value q;
  double *values;
} eigen;

static tg_status decompose(const context *c, text_value s, eigen *out)
{
  text_value a;
  const int64_t n = s.rows;
  if (s.rows != s.cols) TG_FAIL(TG_SHAPE, "oracle: not square");
  out->n = n;
  TG_TRY(fresh(c, n, n, &a));
  TG_TRY(fresh(c, n, n, &out->q));
  TG_TRY(TG_ARENA_NEW(c->arena, (size_t)n, &out->values));
  for (int64_t j = 0; j < n; j++) {
    out->q.data[j + j * n] = 1;
    for (int64_t i = 0; i < n; i++) a.data[i + j * n] = 0.5 * (at(&s, i, j) + at(&s, j, i));
  }
  jacobi_diagonalise(n, a.data, out->q.data);
  for (int64_t k = 0; k < n; k++) out->values[k] = a.data[k + k * n];
  return TG_OK;
}

// Q' V Q, or Q V Q'.
static tg_status turn(const context *c, const eigen *e, text_value v, bool back, text_value *out)
{
  text_value turned;
  TG_TRY(transposed(c, e->q, &turned));
  TG_TRY(multiply(c, back ? e->q : turned, v, out));
  return multiply(c, *out, back ? turned : e->q, out);
}

// "sqrtm", "dexpm", "d2logm": the function and the order, or -1.
static int read_matfun(const char *name, int *order)
{
  static const char *const functions[] = {"sqrtm", "expm", "logm"};
  *order = name[0] != 'd' ? 0 : name[1] == '2' ? 2 : 1;
  for (int f = 0; f < 3; f++)
    if (strcmp(name + *order, functions[f]) == 0) return f;
  return -1;
}

static tg_status matfun(const context *c, int f, int order, const text_value *args, text_value *out)
{
  eigen e;
  text_value v = {0};
  text_value w = {0};
  text_value inner;
  TG_TRY(decompose(c, args[0], &e));
  TG_TRY(fresh(c, e.n, e.n, &inner));
  if (order > 0) TG_TRY(turn(c, &e, args[1], false, &v));
  if (order > 1) TG_TRY(turn(c, &e, args[2], false, &w));
  for (int64_t i = 0; i < e.n; i++)
    for (int64_t j = 0; j < e.n; j++) {
      double *entry = &inner.data[i + j * e.n];
      if (order == 0) *entry = i == j ? derivative(f, 0, e.values[i]) : 0;
      if (order == 1) *entry = divided(f, e.values[i], e.values[j]) * at(&v, i, j);
      for (int64_t k = 0; order == 2 && k < e.n; k++)
        *entry += divided_twice(f, e.values[i], e.values[k], e.values[j]) *
                  (at(&v, i, k) * at(&w, k, j) + at(&w, i, k) * at(&v, k, j));
    }
  return turn(c, &e, inner, true, out);
}

static tg_status call_one(const context *c, const char *name, text_value a, text_value *out)
{
  bool known = false;
  apply(name, 0.0, &known);
  if (known) {
    TG_TRY(fresh(c, a.rows, a.cols, out));
    for (int64_t i = 0; i < a.rows * a.cols; i++) out->data[i] = apply(name, a.data[i], &known);
    return TG_OK;
  }
  TG_TRY(reduce(c, name, a, out, &known));
  if (!known) TG_TRY(along(c, name, a, out, &known));
  if (!known) TG_TRY(moment(c, name, a, out, &known));
  if (known) return TG_OK;
  if (strcmp(name, "nuclear_norm") == 0 || strcmp(name, "spectral_norm") == 0)
    return singular_norm(c, name[0] == 'n', a, out);
  if (strcmp(name, "triu") == 0 || strcmp(name, "tril") == 0) return triangle(c, name[3] == 'u', a, out);
  if (strcmp(name, "inv") == 0 || strcmp(name, "det") == 0 || strcmp(name, "logdet") == 0)
    return by_elimination(c, name, a, out);
  return rearrange(c, name, a, out);
}

static tg_status call_two(const context *c, const char *name, text_value a, text_value b, text_value *out)
{
  if (strcmp(name, "dot") == 0) {
    TG_TRY(fresh(c, 1, 1, out));
    for (int64_t i = 0; i < a.rows * a.cols; i++) out->data[0] += a.data[i] * b.data[i];
    return TG_OK;
  }
  if (strcmp(name, "max") == 0 || strcmp(name, "min") == 0) {
    const text_value like = is_scalar(&a) ? b : a;
    TG_TRY(fresh(c, like.rows, like.cols, out));
    for (int64_t i = 0; i < like.rows * like.cols; i++) {
      const double x = a.data[is_scalar(&a) ? 0 : i];
      const double y = b.data[is_scalar(&b) ? 0 : i];
      out->data[i] = name[1] == 'a' ? fmax(x, y) : fmin(x, y);
    }
    return TG_OK;
  }
  if (strcmp(name, "kron") != 0) TG_FAIL(TG_UNSUPPORTED, "oracle: function %s", name);
  TG_TRY(fresh(c, a.rows * b.rows, a.cols * b.cols, out));
  for (int64_t i = 0; i < out->rows; i++)
    for (int64_t j = 0; j < out->cols; j++)
      out->data[i + j * out->rows] = at(&a, i / b.rows, j / b.cols) * at(&b, i % b.rows, j % b.cols);
  return TG_OK;
}

static tg_status constant(const context *c, const tg_ast *ast, text_value *out)
{
  int64_t sizes[2] = {0, 0};
  for (int32_t i = 0; i < ast->n_args; i++) {
    text_value size;
    TG_TRY(eval(c, ast->args[i], &size));
    sizes[i] = (int64_t)size.data[0];
  }
  const int64_t m = sizes[0];
  const int64_t n = sizes[1];
  if (ast->n_args == 0) TG_FAIL(TG_UNSUPPORTED, "oracle: %s without sizes", ast->name);
  if (strcmp(ast->name, "comm") == 0) {
    TG_TRY(fresh(c, m * n, m * n, out));
    for (int64_t i = 0; i < m; i++)
      for (int64_t j = 0; j < n; j++) out->data[(i * n + j) + (j * m + i) * m * n] = 1.0;
    return TG_OK;
  }
  const bool eye = strcmp(ast->name, "eye") == 0;
  TG_TRY(fresh(c, m, eye ? m : n, out));
  for (int64_t i = 0; i < out->rows * out->cols; i++)
    out->data[i] = eye ? (double)(i % m == i / m) : (double)(strcmp(ast->name, "ones") == 0);
  return TG_OK;
}

static bool is_constant(const char *name)
{
  return strcmp(name, "eye") == 0 || strcmp(name, "ones") == 0 || strcmp(name, "zeros") == 0 ||
         strcmp(name, "comm") == 0;
}

// Rows i to j, columns k to l, as the parser hands them over: 0 is the end; one index is that of a row where there is
// one.
static tg_status submatrix(const context *c, const tg_ast *ast, text_value *out)
{
  text_value a;
  int64_t bounds[4];
  TG_TRY(eval(c, ast->args[0], &a));
  for (int k = 0; k < 4; k++) bounds[k] = (int64_t)ast->args[k + 1]->number;
  if (ast->wants == 'i' && a.rows == 1) {
    memcpy(&bounds[2], &bounds[0], 2 * sizeof bounds[0]);
    bounds[0] = 1;
    bounds[1] = 1;
  }
  if (bounds[1] == 0) bounds[1] = a.rows;
  if (bounds[3] == 0) bounds[3] = a.cols;
  TG_TRY(fresh(c, bounds[1] - bounds[0] + 1, bounds[3] - bounds[2] + 1, out));
  for (int64_t i = 0; i < out->rows; i++)
    for (int64_t j = 0; j < out->cols; j++) out->data[i + j * out->rows] = at(&a, i + bounds[0] - 1, j + bounds[2] - 1);
  return TG_OK;
}

static tg_status blocks(const context *c, const tg_ast *ast, bool beside, text_value *out)
{
  TG_TRY(eval(c, ast->args[0], out));
  for (int32_t n = 1; n < ast->n_args; n++) {
    const text_value before = *out;
    text_value next;
    TG_TRY(eval(c, ast->args[n], &next));
    TG_TRY(fresh(c, before.rows + (beside ? 0 : next.rows), before.cols + (beside ? next.cols : 0), out));
    for (int64_t i = 0; i < out->rows; i++)
      for (int64_t j = 0; j < out->cols; j++)
        out->data[i + j * out->rows] = i < before.rows && j < before.cols ? at(&before, i, j)
                                       : beside                           ? at(&next, i, j - before.cols)
                                                                          : at(&next, i - before.rows, j);
  }
  return TG_OK;
}

static tg_status call(const context *c, const tg_ast *ast, text_value *out)
{
  text_value args[3] = {{0}, {0}, {0}};
  int order = 0;
  const int f = read_matfun(ast->name, &order);
  if (strcmp(ast->name, "submatrix") == 0) return submatrix(c, ast, out);
  if (strcmp(ast->name, "horzcat") == 0 || strcmp(ast->name, "vertcat") == 0)
    return blocks(c, ast, ast->name[0] == 'h', out);
  if (is_constant(ast->name)) return constant(c, ast, out);
  for (int32_t i = 0; i < ast->n_args; i++) TG_TRY(eval(c, ast->args[i], &args[i]));
  if (f >= 0) return matfun(c, f, order, args, out);
  return ast->n_args == 1 ? call_one(c, ast->name, args[0], out) : call_two(c, ast->name, args[0], args[1], out);
}

// ---- operators ----

static tg_status name_value(const context *c, const tg_ast *ast, text_value *out)
{
  for (int32_t i = 0; i < c->n_names; i++) {
    if (strcmp(c->names[i].name, ast->name) != 0) continue;
    *out = c->names[i].value;
    return TG_OK;
  }
  if (is_constant(ast->name)) return constant(c, ast, out);
  TG_FAIL(TG_NAME, "oracle: no value for %s", ast->name);
}

static tg_status term(const context *c, const tg_ast *ast, text_value *out)
{
  TG_TRY(eval(c, ast->args[0], out));
  for (int32_t i = 1; i < ast->n_args; i++) {
    text_value right;
    const text_value left = *out;
    TG_TRY(eval(c, ast->args[i], &right));
    if (ast->ops[i] == '*' && !is_scalar(&left) && !is_scalar(&right))
      TG_TRY(multiply(c, left, right, out));
    else
      TG_TRY(entrywise(c, ast->ops[i], left, right, out));
  }
  return TG_OK;
}

static tg_status sum(const context *c, const tg_ast *ast, text_value *out)
{
  TG_TRY(eval(c, ast->args[0], out));
  for (int32_t i = 1; i < ast->n_args; i++) {
    text_value right;
    const text_value left = *out;
    TG_TRY(eval(c, ast->args[i], &right));
    if (left.rows != right.rows || left.cols != right.cols) TG_FAIL(TG_SHAPE, "oracle: sum of different shapes");
    TG_TRY(entrywise(c, ast->ops[i], left, right, out));
  }
  return TG_OK;
}

static tg_status eval(const context *c, const tg_ast *ast, text_value *out)
{
  text_value a = {0};
  text_value b = {0};
  switch (ast->kind) {
  case TG_AST_NUMBER:
    TG_TRY(fresh(c, 1, 1, out));
    out->data[0] = ast->number;
    return TG_OK;
  case TG_AST_NAME:
    return name_value(c, ast, out);
  case TG_AST_CALL:
    return call(c, ast, out);
  case TG_AST_SUM:
    return sum(c, ast, out);
  case TG_AST_TERM:
    return term(c, ast, out);
  case TG_AST_NEGATIVE:
    TG_TRY(fresh(c, 1, 1, &b));
    b.data[0] = -1.0;
    TG_TRY(eval(c, ast->args[0], &a));
    return entrywise(c, '*', a, b, out);
  case TG_AST_TRANSPOSE:
    TG_TRY(eval(c, ast->args[0], &a));
    return transposed(c, a, out);
  case TG_AST_POWER:
    TG_TRY(eval(c, ast->args[0], &a));
    TG_TRY(eval(c, ast->args[1], &b));
    return power(c, ast->ops[0], a, b, out);
  case TG_AST_PART:
    return eval(c, ast->definition, out);
  case TG_AST_WHERE:
    return eval(c, tg_ast_value(ast), out);
  }
  TG_FAIL(TG_INTERNAL, "oracle: a parse node of no known kind");
}

tg_status text_eval(tg_arena *arena, const char *text, int32_t n_names, const text_name *names, text_value *out)
{
  tg_ast *ast = NULL;
  const context c = {arena, n_names, names};
  TG_TRY(tg_parse(arena, text, strlen(text), NULL, NULL, &ast));
  return eval(&c, ast, out);
}
