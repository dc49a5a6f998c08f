// Export to C: CBLAS for products, LAPACK by its own interface for factorisations.
#include <string.h>

#include "derive/export/export_parts.h"

// ---- frames ----

// The arguments: sizes, then matrices, then results.
static void add_parameters(const tg_export *e, bool hessian, tg_text *out)
{
  for (int32_t k = 0; k < e->n_sizes; k++) tg_text_addf(out, "int %s, ", e->sizes[k].name);
  for (int32_t k = 0; k < e->n_arguments; k++)
    tg_text_addf(out, "%sconst double *%s", k > 0 ? ", " : "", e->arguments[k].name);
  for (int32_t k = 0; hessian && k < e->d->n_targets; k++)
    tg_text_addf(out, ", const double *%s", tg_export_direction(e, k));
  tg_text_add(out, hessian ? "" : ", double *f");
  for (int32_t k = 0; k < e->d->n_targets; k++) tg_text_addf(out, ", double *%s", tg_export_output(e, hessian, k));
}

static tg_status add_array(const tg_export *e, int32_t buffer, tg_text *out)
{
  tg_text_addf(out, "  double *%s = take(&space, (size_t)", e->buffers[buffer]);
  TG_TRY(tg_export_buffer_size(e, buffer, false, out));
  tg_text_add(out, "*(size_t)");
  TG_TRY(tg_export_buffer_size(e, buffer, true, out));
  tg_text_add(out, ");\n");
  return TG_OK;
}

// The arrays of temporaries and factors, each once.
static tg_status add_arrays(const tg_export *e, tg_text *out)
{
  const tg_plan *plan = e->plans[0];
  for (int32_t b = 0; b < plan->n_buffers; b++)
    if (plan->buffers[b].kind > TG_BUFFER_HESSIAN && e->buffers[b] != NULL) TG_TRY(add_array(e, b, out));
  for (int32_t k = 0; k < plan->n_factors; k++) {
    if (e->factors[k] == 0) continue;
    tg_text_addf(out, "  factor *F%d = take_factor(&space, ", (int)e->factors[k]);
    TG_TRY(tg_export_number(e, (double)plan->factors[k].rows, (double)e->plans[1]->factors[k].rows, true, out));
    tg_text_add(out, ", ");
    TG_TRY(tg_export_number(e, (double)plan->factors[k].cols, (double)e->plans[1]->factors[k].cols, true, out));
    tg_text_add(out, ");\n");
  }
  for (int32_t r = 0; r < plan->n_registers; r++)
    if (e->registers[r] != NULL) tg_text_addf(out, "  double %s = 0;\n", e->registers[r]);
  return tg_text_status(out);
}

// An argument that the statements do not use is no mistake.
static void add_unused(const tg_export *e, bool hessian, size_t from, tg_text *out)
{
  const char *names[2 * TG_TARGETS_MAX + TG_EXPORT_SIZES_MAX + TG_DERIVE_NAMES_MAX];
  int n = 0;
  for (int32_t k = 0; k < e->n_sizes; k++) names[n++] = e->sizes[k].name;
  for (int32_t k = 0; k < e->n_arguments && k < TG_DERIVE_NAMES_MAX; k++) names[n++] = e->arguments[k].name;
  for (int32_t k = 0; hessian && k < e->d->n_targets; k++) names[n++] = tg_export_direction(e, k);
  for (int k = 0; k < n; k++)
    if (!tg_export_has_word(tg_text_string(&e->body), names[k]) && !tg_export_has_word(out->data + from, names[k]))
      tg_text_addf(out, "  (void)%s;\n", names[k]);
}

static void begin(const tg_export *e, bool hessian, tg_text *out)
{
  tg_text_addf(out, "/* %s. Returns 0; 1 without memory; 2 where a factorisation fails.\n *\n",
               hessian ? "The Hessian of f times a direction" : "f and its gradient");
  tg_export_describe(e, hessian, " * ", out);
  tg_text_addf(out, " * Matrices are stored column by column, a number as a matrix of one entry. */\nint %s(",
               hessian ? "hessian_product" : "value_and_gradient");
  add_parameters(e, hessian, out);
  tg_text_add(out, ")\n{\n  int status = 0;\n  workspace *space = NULL;\n");
  const size_t from = out->length;
  if (add_arrays(e, out) != TG_OK || tg_text_status(out) != TG_OK) {
    out->status = TG_MEMORY;
    return;
  }
  add_unused(e, hessian, from, out);
  tg_text_add(out, "  if (has_failed(space)) {\n    status = 1;\n    goto done;\n  }\n");
}

static void end(const tg_export *e, bool hessian, tg_text *out)
{
  if (!hessian) {
    tg_text_add(out, "  *f = ");
    if (tg_export_value(e, out) != TG_OK) out->status = TG_MEMORY;
    tg_text_add(out, ";\n");
  }
  tg_text_add(out, "done:\n  release(space);\n  return status;\n}\n");
  if (!hessian && e->d->wants_hessian) tg_text_add(out, "\n");
}

static void head(const tg_export *e, tg_text *out)
{
  (void)e;
  tg_text_add(out,
              "/* Build: cc -O2 -c value_and_gradient.c; link with a BLAS that has CBLAS, LAPACK and the mathematical\n"
              " * library, as -lopenblas -lm. */\n#include <math.h>\n#include <stdlib.h>\n#include <string.h>\n\n"
              "#include <cblas.h>\n\n");
}

static void foot(const tg_export *e, tg_text *out)
{
  (void)e;
  (void)out;
}

// ---- entry functions ----

typedef struct c_entry {
  const char *name;
  const char *value; // as an expression of x
} c_entry;

static const c_entry c_entries[] = {
#define TG_ENTRYWISE(KIND, name, value, ...) {#name, #value},
#include "grad/entrywise.def"
};

// What the row of the function says is C already, but for the names of its helpers; x is a name of the loop's body.
static void entry(int row, tg_text *out)
{
  for (const char *c = c_entries[row].value; *c != '\0'; c++) {
    const bool is_name = c > c_entries[row].value && (strchr("(!-+*/ ", c[-1]) == NULL);
    if (*c == 'x' && !is_name && strchr(")+-*/, <>", c[1]) != NULL)
      tg_text_add(out, "(@)");
    else
      tg_text_add_bytes(out, c, 1);
  }
}

static const tg_export_entry entries[] = {{"relu", "fmax(@, 0.0)"}};

static const char *const words[] = {
    "auto",      "break",    "case",   "char",     "const",  "continue", "default", "do",      "double", "else",
    "enum",      "extern",   "float",  "for",      "goto",   "if",       "inline",  "int",     "long",   "register",
    "return",    "short",    "signed", "sizeof",   "static", "struct",   "switch",  "typedef", "union",  "unsigned",
    "void",      "volatile", "while",  "restrict", "i",      "j",        "k",       "status",  "space",  "done",
    "exp",       "log",      "sin",    "cos",      "tan",    "y0",       "y1",      "j0",      "j1",     "gamma",
    "workspace", "factor",   "abs",    "div",      "main",   "free",     "malloc",  "tanh",    "sqrt",   "pow"};

// ---- helpers ----

// Memory in one list, so that one call gives all of it back, also where some of it was refused.
#define MEMORY                                                                            \
  {"workspace", "/* Memory of a call, in a list; data is NULL where it was refused. */\n" \
                "typedef struct workspace {\n"                                            \
                "  struct workspace *next;\n"                                             \
                "  void *data;\n"                                                         \
                "} workspace;\n\n"},                                                      \
      {"take_bytes", "static void *take_bytes(workspace **space, size_t bytes)\n"         \
                     "{\n"                                                                \
                     "  workspace *item = calloc(1, sizeof *item);\n"                     \
                     "  if (item == NULL) return NULL;\n"                                 \
                     "  item->data = calloc(bytes > 0 ? bytes : 1, 1);\n"                 \
                     "  item->next = *space;\n"                                           \
                     "  *space = item;\n"                                                 \
                     "  return item->data;\n"                                             \
                     "}\n\n"},                                                            \
      {"take", "static double *take(workspace **space, size_t count)\n"                   \
               "{\n"                                                                      \
               "  return take_bytes(space, count*sizeof(double));\n"                      \
               "}\n\n"},                                                                  \
      {"has_failed", "static int has_failed(const workspace *space)\n"                    \
                     "{\n"                                                                \
                     "  for (; space != NULL; space = space->next)\n"                     \
                     "    if (space->data == NULL) return 1;\n"                           \
                     "  return 0;\n"                                                      \
                     "}\n\n"},                                                            \
  {                                                                                       \
    "release", "static void release(workspace *space)\n"                                  \
               "{\n"                                                                      \
               "  while (space != NULL) {\n"                                              \
               "    workspace *next = space->next;\n"                                     \
               "    free(space->data);\n"                                                 \
               "    free(space);\n"                                                       \
               "    space = next;\n"                                                      \
               "  }\n"                                                                    \
               "}\n\n"                                                                    \
  }

static const tg_export_helper helpers[] = {
    MEMORY,
    {"dgetrf_", "void dgetrf_(const int *m, const int *n, double *a, const int *lda, int *pivots, int *info);\n\n"},
    {"dpotrf_", "void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);\n\n"},
    {"dsyev_", "void dsyev_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w, "
               "double *work,\n            const int *lwork, int *info);\n\n"},
    {"dgesvd_",
     "void dgesvd_(const char *jobu, const char *jobvt, const int *m, const int *n, double *a, const int *lda, "
     "double *s,\n             double *u, const int *ldu, double *vt, const int *ldvt, double *work, const int "
     "*lwork, int *info);\n\n"},
    {"factor", "/* A factorisation: a has the triangles, the eigenvectors or U; vt has V', values its values. */\n"
               "typedef struct factor {\n"
               "  int n;\n"
               "  int *pivots;\n"
               "  double *a, *vt, *values, *work;\n"
               "} factor;\n\n"},
    {"take_factor", "static factor *take_factor(workspace **space, int m, int n)\n"
                    "{\n"
                    "  const size_t rows = (size_t)m, columns = (size_t)n, larger = rows > columns ? rows : columns;\n"
                    "  factor *f = take_bytes(space, sizeof *f);\n"
                    "  if (f == NULL) return NULL;\n"
                    "  f->n = m;\n"
                    "  f->pivots = take_bytes(space, larger*sizeof(int));\n"
                    "  f->a = take(space, rows*columns);\n"
                    "  f->vt = take(space, rows*columns);\n"
                    "  f->values = take(space, larger);\n"
                    "  f->work = take(space, 8*larger + rows*columns);\n"
                    "  return f;\n"
                    "}\n\n"},
    {"lu_factor", "static int lu_factor(const double *x, factor *f)\n"
                  "{\n"
                  "  int info = 0;\n"
                  "  memcpy(f->a, x, (size_t)f->n*(size_t)f->n*sizeof(double));\n"
                  "  dgetrf_(&f->n, &f->n, f->a, &f->n, f->pivots, &info);\n"
                  "  return info < 0; /* a singular matrix has a determinant; to solve with it gives infinities */\n"
                  "}\n\n"},
    {"cholesky", "/* The symmetric part is factored; 1 where the rest is not rounding. */\n"
                 "static int cholesky(const double *x, factor *f)\n"
                 "{\n"
                 "  const size_t n = (size_t)f->n;\n"
                 "  double largest = 0, skew = 0;\n"
                 "  int info = 0;\n"
                 "  for (size_t j = 0; j < n; j++)\n"
                 "    for (size_t i = 0; i < n; i++) {\n"
                 "      largest = fmax(largest, fabs(x[i + j*n]));\n"
                 "      skew = fmax(skew, fabs(x[i + j*n] - x[j + i*n]));\n"
                 "      f->a[i + j*n] = 0.5*(x[i + j*n] + x[j + i*n]);\n"
                 "    }\n"
                 "  if (skew > 2e-9*largest) return 1;\n"
                 "  dpotrf_(\"L\", &f->n, f->a, &f->n, &info);\n"
                 "  return info != 0;\n"
                 "}\n\n"},
    {"swap_lines", "/* Swaps rows, or columns, of y as the pivots say, forwards or backwards. */\n"
                   "static void swap_lines(const factor *f, int columns, int backwards, int m, int n, double *y)\n"
                   "{\n"
                   "  for (int s = 0; s < f->n; s++) {\n"
                   "    const int k = backwards ? f->n - 1 - s : s, p = f->pivots[k] - 1;\n"
                   "    if (p == k) continue;\n"
                   "    if (columns) cblas_dswap(m, y + (size_t)k*(size_t)m, 1, y + (size_t)p*(size_t)m, 1);\n"
                   "    if (!columns) cblas_dswap(n, y + k, m, y + p, m);\n"
                   "  }\n"
                   "}\n\n"},
    {"triangle_solve", "static void triangle_solve(const factor *f, CBLAS_SIDE side, CBLAS_UPLO uplo, CBLAS_TRANSPOSE "
                       "trans, CBLAS_DIAG diag,\n"
                       "                           int m, int n, double *y)\n"
                       "{\n"
                       "  cblas_dtrsm(CblasColMajor, side, uplo, trans, diag, m, n, 1.0, f->a, f->n, y, m);\n"
                       "}\n\n"},
    {"lu_solve", "/* y = op(F)^-1 y of an m x n matrix, F = P' L U; or from the right. */\n"
                 "static void lu_solve(const factor *f, int right, int trans, int m, int n, double *y)\n"
                 "{\n"
                 "  const CBLAS_SIDE side = right ? CblasRight : CblasLeft;\n"
                 "  const CBLAS_TRANSPOSE op = trans ? CblasTrans : CblasNoTrans;\n"
                 "  const int upper_first = right ? !trans : trans;\n"
                 "  if (right == trans) swap_lines(f, right, 0, m, n, y);\n"
                 "  if (upper_first) triangle_solve(f, side, CblasUpper, op, CblasNonUnit, m, n, y);\n"
                 "  triangle_solve(f, side, CblasLower, op, CblasUnit, m, n, y);\n"
                 "  if (!upper_first) triangle_solve(f, side, CblasUpper, op, CblasNonUnit, m, n, y);\n"
                 "  if (right != trans) swap_lines(f, right, 1, m, n, y);\n"
                 "}\n\n"},
    {"cholesky_solve",
     "/* y = F^-1 y of an m x n matrix, F = L L'; or from the right. */\n"
     "static void cholesky_solve(const factor *f, int right, int m, int n, double *y)\n"
     "{\n"
     "  const CBLAS_SIDE side = right ? CblasRight : CblasLeft;\n"
     "  triangle_solve(f, side, CblasLower, right ? CblasTrans : CblasNoTrans, CblasNonUnit, m, n, y);\n"
     "  triangle_solve(f, side, CblasLower, right ? CblasNoTrans : CblasTrans, CblasNonUnit, m, n, y);\n"
     "}\n\n"},
    {"log_diagonal", "static double log_diagonal(const factor *f)\n"
                     "{\n"
                     "  double sum = 0;\n"
                     "  for (int k = 0; k < f->n; k++) sum += log(fabs(f->a[k + (size_t)k*(size_t)f->n]));\n"
                     "  return sum;\n"
                     "}\n\n"},
    {"lu_determinant", "static double lu_determinant(const factor *f)\n"
                       "{\n"
                       "  double product = 1;\n"
                       "  for (int k = 0; k < f->n; k++)\n"
                       "    product *= (f->pivots[k] == k + 1 ? 1 : -1)*f->a[k + (size_t)k*(size_t)f->n];\n"
                       "  return product;\n"
                       "}\n\n"},
    {"set_eye",
     "static void set_eye(int rows, int columns, int shift, double value, double *y)\n"
     "{\n"
     "  memset(y, 0, (size_t)rows*(size_t)columns*sizeof(double));\n"
     "  for (int i = 0; i < rows && i + shift < columns; i++) y[i + (size_t)(i + shift)*(size_t)rows] = value;\n"
     "}\n\n"},
    {"eigen", "static int eigen(const double *x, factor *f)\n"
              "{\n"
              "  const size_t n = (size_t)f->n;\n"
              "  const int length = (int)(8*n);\n"
              "  int info = 0;\n"
              "  for (size_t j = 0; j < n; j++)\n"
              "    for (size_t i = 0; i < n; i++) f->a[i + j*n] = 0.5*(x[i + j*n] + x[j + i*n]);\n"
              "  dsyev_(\"V\", \"L\", &f->n, f->a, &f->n, f->values, f->work, &length, &info);\n"
              "  return info != 0;\n"
              "}\n\n"},
    {"svd", "static int svd(const double *x, int m, int n, factor *f)\n"
            "{\n"
            "  const int k = m < n ? m : n, length = 8*(m > n ? m : n);\n"
            "  double *copy = f->work + length; /* m x n */\n"
            "  int info = 0;\n"
            "  memcpy(copy, x, (size_t)m*(size_t)n*sizeof(double));\n"
            "  dgesvd_(\"S\", \"S\", &m, &n, copy, &m, f->values, f->a, &m, f->vt, &k, f->work, &length, &info);\n"
            "  return info != 0;\n"
            "}\n\n"},
    {"put_values", "/* Eigenvalues; 1 where one lies outside of the domain: 0 all numbers, 1 from 0 on, 2 above 0. */\n"
                   "static int put_values(const factor *f, int n, int domain, double *y)\n"
                   "{\n"
                   "  double largest = 0;\n"
                   "  for (int k = 0; k < n; k++) largest = fmax(largest, fabs(f->values[k]));\n"
                   "  for (int k = 0; k < n; k++) {\n"
                   "    if (domain == 1 && f->values[k] < -1e-13*largest) return 1;\n"
                   "    if (domain == 2 && !(f->values[k] > 0)) return 1;\n"
                   "    y[k] = domain == 1 ? fmax(f->values[k], 0) : f->values[k];\n"
                   "  }\n"
                   "  return 0;\n"
                   "}\n\n"},
    {"log_sum_exp", "static double log_sum_exp(const double *x, size_t count, size_t step)\n"
                    "{\n"
                    "  double top = -HUGE_VAL, sum = 0;\n"
                    "  for (size_t k = 0; k < count; k++) top = fmax(top, x[k*step]);\n"
                    "  for (size_t k = 0; k < count; k++) sum += exp(x[k*step] - top);\n"
                    "  return top + log(sum);\n"
                    "}\n\n"},
    {"window_of",
     "static void window_of(const double *x, int m, int n, int top, int left, int rows, int columns, double *y)\n"
     "{\n"
     "  for (int j = 0; j < columns; j++)\n"
     "    for (int i = 0; i < rows; i++) {\n"
     "      const int r = i + top, c = j + left;\n"
     "      const int inside = r >= 0 && r < m && c >= 0 && c < n;\n"
     "      y[i + (size_t)j*(size_t)rows] = inside ? x[r + (size_t)c*(size_t)m] : 0;\n"
     "    }\n"
     "}\n\n"},
    {"commutation", "/* K vec(X) = vec(X') of X m x n */\n"
                    "static void commutation(int m, int n, double *y)\n"
                    "{\n"
                    "  const size_t size = (size_t)m*(size_t)n;\n"
                    "  memset(y, 0, size*size*sizeof(double));\n"
                    "  for (size_t i = 0; i < (size_t)m; i++)\n"
                    "    for (size_t j = 0; j < (size_t)n; j++) y[j + i*(size_t)n + (i + j*(size_t)m)*size] = 1;\n"
                    "}\n\n"},
    {"kronecker",
     "/* Over big(i p + k, j q + l), left(i, j) and right(k, l), p x q: 0 sets big, 1 adds to left, 2 to right. */\n"
     "static void kronecker(int which, int m, int n, int p, int q, double *left, double *right, double *big)\n"
     "{\n"
     "  if (which == 1) memset(left, 0, (size_t)m*(size_t)n*sizeof(double));\n"
     "  if (which == 2) memset(right, 0, (size_t)p*(size_t)q*sizeof(double));\n"
     "  for (int j = 0; j < n*q; j++)\n"
     "    for (int i = 0; i < m*p; i++) {\n"
     "      double *b = &big[i + (size_t)j*(size_t)(m*p)];\n"
     "      double *l = &left[i/p + (size_t)(j/q)*(size_t)m], *r = &right[i%p + (size_t)(j%q)*(size_t)p];\n"
     "      if (which == 0) *b = *l**r;\n"
     "      if (which == 1) *l += *b**r;\n"
     "      if (which == 2) *r += *b**l;\n"
     "    }\n"
     "}\n\n"},
    {"quotient", "static double quotient(double a, double b)\n"
                 "{\n"
                 "  return b == 0 ? 0 : a/b;\n"
                 "}\n\n"},
    {"far_apart", "static double far_apart(double d, double scale)\n"
                  "{\n"
                  "  return fabs(d) <= 1e-5*scale ? 0 : 1/d;\n"
                  "}\n\n"},
    {"exp_divided", "/* (e^a - e^b)/(a - b) */\n"
                    "static double exp_divided(double a, double b)\n"
                    "{\n"
                    "  const double d = fabs(a - b);\n"
                    "  return exp(fmax(a, b))*(d == 0 ? 1 : -expm1(-d)/d);\n"
                    "}\n\n"},
    {"exp_twice", "/* (e^a - exp[a,b])/(a - b), by a series where a and b are close */\n"
                  "static double exp_twice(double a, double b)\n"
                  "{\n"
                  "  const double d = b - a;\n"
                  "  double term = 0.5, sum = 0.5;\n"
                  "  if (d > 0.5) return exp(b)*(1 - (1 + d)*exp(-d))/(d*d);\n"
                  "  if (d < -0.5) return exp(a)*(expm1(d) - d)/(d*d);\n"
                  "  for (int k = 3; k < 20; k++) {\n"
                  "    term *= d/k;\n"
                  "    sum += term;\n"
                  "  }\n"
                  "  return exp(a)*sum;\n"
                  "}\n\n"},
    {"log_divided", "/* (log(a) - log(b))/(a - b) */\n"
                    "static double log_divided(double a, double b)\n"
                    "{\n"
                    "  const double low = fmin(a, b), t = fabs(a - b)/low;\n"
                    "  return (t == 0 ? 1 : log1p(t)/t)/low;\n"
                    "}\n\n"},
    {"log_twice", "/* (1/a - log[a,b])/(a - b), by a series where a and b are close */\n"
                  "static double log_twice(double a, double b)\n"
                  "{\n"
                  "  const double t = (b - a)/a;\n"
                  "  double power = 1, sum = 0;\n"
                  "  if (fabs(t) > 0.1) return -(t - log1p(t))/(t*t)/(a*a);\n"
                  "  for (int k = 2; k < 24; k++) {\n"
                  "    sum += power/k;\n"
                  "    power *= -t;\n"
                  "  }\n"
                  "  return -sum/(a*a);\n"
                  "}\n\n"},
    {"tg_entry_sign", "static double tg_entry_sign(double x)\n"
                      "{\n"
                      "  return x > 0 ? 1 : x < 0 ? -1 : x;\n"
                      "}\n\n"},
    {"tg_entry_sigmoid", "static double tg_entry_sigmoid(double x)\n"
                         "{\n"
                         "  const double e = exp(-fabs(x));\n"
                         "  return (x >= 0 ? 1 : e)/(1 + e);\n"
                         "}\n\n"},
    {"tg_entry_softplus", "static double tg_entry_softplus(double x)\n"
                          "{\n"
                          "  return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));\n"
                          "}\n\n"},
    {"tg_entry_logcosh", "/* near 0 by cosh(x) - 1 = 2 sinh(x/2)^2, which does not cancel */\n"
                         "static double tg_entry_logcosh(double x)\n"
                         "{\n"
                         "  const double half = sinh(0.5*x);\n"
                         "  if (fabs(x) < 1) return log1p(2*half*half);\n"
                         "  return fabs(x) + log1p(exp(-2*fabs(x))) - 0.6931471805599453;\n"
                         "}\n\n"},
    {"square", "static double square(double x)\n"
               "{\n"
               "  return x*x;\n"
               "}\n\n"}};

#define COUNT(array) (int)(sizeof(array) / sizeof(array)[0])

// Loops over the entries of the result, or of operand 0.
#define EACH(statement)            \
  "for (int j = 0; j < $c; j++)\n" \
  "  for (int i = 0; i < $r; i++) " statement
#define EACH_IN(statement)         \
  "for (int j = 0; j < $n; j++)\n" \
  "  for (int i = 0; i < $m; i++) " statement
#define AT    "$o[i + (size_t)j*$r]"
#define AT_IN "$0[i + (size_t)j*$m]"
#define FAILS(call)   \
  "if (" call ") {\n" \
  "  status = 2;\n"   \
  "  goto done;\n"    \
  "}"
#define COPY "memcpy($o, $0, (size_t)$r*(size_t)$c*sizeof(double));\n"

const tg_export_language tg_export_c = {
    .title = "C",
    .has_entries = true,
    .indent = "  ",
    .comment = "//",
    .plain = "CblasNoTrans",
    .transposed = "CblasTrans",
    .turn = "",
    .real = "(double)@",
    .power_of_ten = "e",
    .wants_point = true,
    .load = "$0[i + (size_t)j*$r]",
    .row = "$0[i]",
    .row_turned = "$0[i]",
    .col = "$0[j]",
    .col_turned = "$0[j]",
    .add = "(@ + $)",
    .sub = "(@ - $)",
    .mul = "(@*$)",
    .div = "(@/$)",
    .pow = "pow(@, $)",
    .max = "fmax(@, $)",
    .min = "fmin(@, $)",
    .square = "square(@)",
    .sqrt = "sqrt(@)",
    .ops = {[TG_EXPORT_GEMM] = "cblas_dgemm(CblasColMajor, $T, $U, $r, $c, $k, $a, $0, $m, $1, $p, 0.0, $o, $r);",
            [TG_EXPORT_GEMM_ADD] = "cblas_dgemm(CblasColMajor, $T, $U, $r, $c, $k, $a, $0, $m, $1, $p, 1.0, $o, $r);",
            [TG_EXPORT_LINCOMB] = EACH(AT " = $e;"),
            [TG_EXPORT_TRANSPOSE] = EACH(AT " = $s$0[j + (size_t)i*$m];"),
            [TG_EXPORT_ENTRYWISE] = EACH(AT " = $e;"),
            [TG_EXPORT_EWSUM] = "$o = 0;\n" EACH_IN("$o += $e;"),
            [TG_EXPORT_DOT] = "$o = 0;\n" EACH_IN("$o += " AT_IN "*$1[i + (size_t)j*$m];"),
            [TG_EXPORT_TRACE] = "$o = 0;\nfor (int i = 0; i < $m; i++) $o += $0[i + (size_t)i*$m];",
            [TG_EXPORT_FETCH] = "$o = $0[0];",
            [TG_EXPORT_STORE] = "$o[0] = $a;",
            [TG_EXPORT_SCALAR] = "$o = $e;",
            [TG_EXPORT_FILL] = EACH(AT " = $a;"),
            [TG_EXPORT_EYE] = "set_eye($r, $c, 0, $a, $o);",
            [TG_EXPORT_UPPER] = EACH(AT " = i <= j;"),
            [TG_EXPORT_LOWER] = EACH(AT " = i >= j;"),
            [TG_EXPORT_LOGSUMEXP] = "$o[0] = log_sum_exp($0, (size_t)$m*(size_t)$n, 1);",
            [TG_EXPORT_LOGSUMEXP_ROWS] =
                "for (int i = 0; i < $r; i++) $o[i] = log_sum_exp($0 + i, (size_t)$n, (size_t)$m);",
            [TG_EXPORT_LOGSUMEXP_COLS] =
                "for (int j = 0; j < $c; j++) $o[j] = log_sum_exp($0 + (size_t)j*$m, (size_t)$m, 1);",
            [TG_EXPORT_PICK] = "set_eye($r, $c, $i, 1.0, $o);",
            [TG_EXPORT_SLICE] = "window_of($0, $m, $n, $i, $j, $r, $c, $o);",
            [TG_EXPORT_COMM] = "commutation($i, $j, $o);",
            [TG_EXPORT_CHOLESKY] = FAILS("cholesky($0, F$f)"),
            [TG_EXPORT_LU] = FAILS("lu_factor($0, F$f)"),
            [TG_EXPORT_EIGEN] = FAILS("eigen($0, F$f)"),
            [TG_EXPORT_SVD] = FAILS("svd($0, $h, $w, F$f)"),
            [TG_EXPORT_EIGENVECTORS] = "memcpy($o, F$f->a, (size_t)$r*(size_t)$c*sizeof(double));",
            [TG_EXPORT_LEFT_VECTORS] = "memcpy($o, F$f->a, (size_t)$r*(size_t)$c*sizeof(double));",
            [TG_EXPORT_RIGHT_VECTORS] = "memcpy($o, F$f->vt, (size_t)$r*(size_t)$c*sizeof(double));",
            [TG_EXPORT_EIGENVALUES] = FAILS("put_values(F$f, $r, 0, $o)"),
            [TG_EXPORT_EIGENVALUES_PSD] = FAILS("put_values(F$f, $r, 1, $o)"),
            [TG_EXPORT_EIGENVALUES_SPD] = FAILS("put_values(F$f, $r, 2, $o)"),
            [TG_EXPORT_SINGULAR_VALUES] = FAILS("put_values(F$f, $r, 0, $o)"),
            [TG_EXPORT_CHOLESKY_SOLVE] = COPY "cholesky_solve(F$f, 0, $r, $c, $o);",
            [TG_EXPORT_CHOLESKY_RIGHT] = COPY "cholesky_solve(F$f, 1, $r, $c, $o);",
            [TG_EXPORT_CHOLESKY_INVERSE] = "set_eye($h, $h, 0, 1.0, $o);\ncholesky_solve(F$f, 0, $h, $h, $o);",
            [TG_EXPORT_CHOLESKY_LOGDET] = "$o = 2*log_diagonal(F$f);",
            [TG_EXPORT_CHOLESKY_DET] = "$o = exp(2*log_diagonal(F$f));",
            [TG_EXPORT_LU_SOLVE] = COPY "lu_solve(F$f, 0, 0, $r, $c, $o);",
            [TG_EXPORT_LU_SOLVE_TRANS] = COPY "lu_solve(F$f, 0, 1, $r, $c, $o);",
            [TG_EXPORT_LU_RIGHT] = COPY "lu_solve(F$f, 1, 0, $r, $c, $o);",
            [TG_EXPORT_LU_RIGHT_TRANS] = COPY "lu_solve(F$f, 1, 1, $r, $c, $o);",
            [TG_EXPORT_LU_INVERSE] = "set_eye($h, $h, 0, 1.0, $o);\nlu_solve(F$f, 0, 0, $h, $h, $o);",
            [TG_EXPORT_LU_INVERSE_TRANS] = "set_eye($h, $h, 0, 1.0, $o);\nlu_solve(F$f, 0, 1, $h, $h, $o);",
            [TG_EXPORT_LU_DET] = "$o = lu_determinant(F$f);",
            [TG_EXPORT_DIAG] = EACH(AT " = i == j ? $0[i] : 0;"),
            [TG_EXPORT_DIAGVEC] = "for (int i = 0; i < $r; i++) $o[i] = $0[i + (size_t)i*$m];",
            [TG_EXPORT_RESHAPE] = "memcpy($o, $0, (size_t)$r*(size_t)$c*sizeof(double));",
            [TG_EXPORT_KRON] = "kronecker(0, $m, $n, $p, $q, (double *)$0, (double *)$1, $o);",
            [TG_EXPORT_KRON_LEFT] = "kronecker(1, $r, $c, $p, $q, $o, (double *)$1, (double *)$0);",
            [TG_EXPORT_KRON_RIGHT] = "kronecker(2, $p, $q, $r, $c, (double *)$1, $o, (double *)$0);"},
    .divided = {[TG_DIVIDED_SQRT] = "(1/(sqrt(@) + sqrt($)))",
                [TG_DIVIDED_EXP] = "exp_divided(@, $)",
                [TG_DIVIDED_EXP_TWICE] = "exp_twice(@, $)",
                [TG_DIVIDED_EXP_FAR] = "far_apart(@ - $, 1)",
                [TG_DIVIDED_EXP_NEAR] = "(fabs(@ - $) <= 1e-5 ? 0.5 : 0)",
                [TG_DIVIDED_LOG] = "log_divided(@, $)",
                [TG_DIVIDED_LOG_TWICE] = "log_twice(@, $)",
                [TG_DIVIDED_LOG_FAR] = "far_apart(@ - $, fmin(@, $))",
                [TG_DIVIDED_LOG_NEAR] = "(fabs(@ - $) <= 1e-5*fmin(@, $) ? 0.5 : 0)",
                [TG_DIVIDED_STEP] = "quotient((@ > 0) != ($ > 0), @ + $)",
                [TG_DIVIDED_SIGNS] = "quotient((@ > 0) + ($ > 0), @ + $)",
                [TG_DIVIDED_TOP] = "quotient(@, (@ - $)*(@ + $))",
                [TG_DIVIDED_BELOW_TOP] = "quotient($, (@ - $)*(@ + $))"},
    .entries = entries,
    .n_entries = COUNT(entries),
    .entry = entry,
    .helpers = helpers,
    .n_helpers = COUNT(helpers),
    .words = words,
    .n_words = COUNT(words),
    .head = head,
    .begin = begin,
    .end = end,
    .foot = foot};
