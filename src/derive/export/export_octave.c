// Export to Octave and MATLAB: one text for both.
#include "derive/export/export_parts.h"

// ---- frames ----

static void begin(const tg_export *e, bool hessian, tg_text *out)
{
  tg_text_add(out, "function [");
  tg_text_add(out, hessian ? "" : "f");
  for (int32_t k = 0; k < e->d->n_targets; k++)
    tg_text_addf(out, "%s%s", k > 0 || !hessian ? ", " : "", tg_export_output(e, hessian, k));
  tg_text_addf(out, "] = %s(", hessian ? "hessian_product" : "value_and_gradient");
  for (int32_t k = 0; k < e->n_arguments; k++) tg_text_addf(out, "%s%s", k > 0 ? ", " : "", e->arguments[k].name);
  for (int32_t k = 0; hessian && k < e->d->n_targets; k++) tg_text_addf(out, ", %s", tg_export_direction(e, k));
  tg_text_add(out, ")\n");
  tg_export_describe(e, hessian, "  % ", out);
  for (int32_t k = 0; k < e->n_sizes; k++) {
    tg_text_addf(out, "  %s = size(%s, %d)", e->sizes[k].name, e->arguments[e->sizes[k].argument].name,
                 e->sizes[k].of_columns + 1);
    if (tg_export_rest(e, &e->sizes[k], out) != TG_OK) out->status = TG_MEMORY;
    tg_text_add(out, ";\n");
  }
  for (int32_t k = 0; k < e->n_arguments; k++)
    tg_text_addf(out, "  check_size('%s', %s, %s, %s);\n", e->arguments[k].name, e->arguments[k].name,
                 e->arguments[k].rows, e->arguments[k].cols);
  for (int32_t k = 0; hessian && k < e->d->n_targets; k++) {
    const tg_export_argument *x = tg_export_variable(e, k);
    const char *name = tg_export_direction(e, k);
    tg_text_addf(out, "  check_size('%s', %s, %s, %s);\n", name, name, x->rows, x->cols);
  }
}

static void end(const tg_export *e, bool hessian, tg_text *out)
{
  if (!hessian) {
    tg_text_add(out, "  f = ");
    if (tg_export_value(e, out) != TG_OK) out->status = TG_MEMORY;
    tg_text_add(out, ";\n");
  }
  tg_text_add(out, "end\n\n");
}

static void head(const tg_export *e, tg_text *out)
{
  tg_text_addf(out, "%% value_and_gradient.m: f and its gradient.%s\n",
               e->d->wants_hessian ? " Keep hessian_product, with what it calls, in a file of its own to call it."
                                   : "");
  if (e->target == TG_EXPORT_OCTAVE) tg_text_add(out, "1; % a script that defines functions: source it\n");
  tg_text_add(out, "\n");
}

static void foot(const tg_export *e, tg_text *out)
{
  (void)e;
  (void)out;
}

// ---- tables ----

static const char *const octave_entries[] = {
#define TG_ENTRYWISE(KIND, name, value, rate, slope, help, rule, aliases, latex, numpy, octave, ...) octave,
#include "grad/entrywise.def"
};

static void entry(int row, tg_text *out)
{
  tg_text_add(out, octave_entries[row]);
}

static const tg_export_entry entries[] = {
    {"logcosh", "log_cosh(@)"}, {"softplus", "soft_plus(@)"}, {"sigmoid", "logistic(@)"}};

static const char *const words[] = {"break",  "case",       "catch",    "continue", "do",   "else",    "elseif",
                                    "end",    "for",        "function", "global",   "if",   "methods", "otherwise",
                                    "parfor", "persistent", "return",   "switch",   "try",  "until",   "unwind_protect",
                                    "while",  "trace",      "norm",     "reshape",  "max",  "min",     "log1p",
                                    "sum",    "ones",       "zeros",    "eye",      "diag", "kron",    "chol",
                                    "lu",     "eig",        "svd",      "size",     "exp",  "log",     "sqrt",
                                    "abs",    "error",      "any",      "prod",     "inv",  "triu",    "tril",
                                    "expm1",  "numel"};

static const tg_export_helper helpers[] = {
    {"check_size", "function check_size(name, x, rows, columns)\n"
                   "  if size(x, 1) ~= rows || size(x, 2) ~= columns\n"
                   "    error('%s is %d x %d, expected %d x %d', name, size(x, 1), size(x, 2), rows, columns);\n"
                   "  end\n"
                   "end\n\n"},
    {"soft_plus", "function y = soft_plus(x)\n"
                  "  y = max(x, 0) + log1p(exp(-abs(x)));\n"
                  "end\n\n"},
    {"logistic", "function y = logistic(x)\n"
                 "  e = exp(-abs(x));\n"
                 "  y = ((x >= 0) + (x < 0).*e)./(1 + e);\n"
                 "end\n\n"},
    {"log_cosh", "function y = log_cosh(x)\n"
                 "  % near 0 by cosh(x) - 1 = 2 sinh(x/2)^2, which does not cancel\n"
                 "  y = abs(x) + log1p(exp(-2*abs(x))) - log(2);\n"
                 "  near = abs(x) < 1;\n"
                 "  y(near) = log1p(2*sinh(0.5*x(near)).^2);\n"
                 "end\n\n"},
    {"log_sum_exp", "function y = log_sum_exp(x, along)\n"
                    "  % over columns (1), rows (2) or all entries (0)\n"
                    "  if along == 0\n"
                    "    x = x(:);\n"
                    "    along = 1;\n"
                    "  end\n"
                    "  top = max(x, [], along);\n"
                    "  y = top + log(sum(exp(x - top), along));\n"
                    "end\n\n"},
    {"window_of", "function y = window_of(x, i, j, rows, columns)\n"
                  "  % entries behind the first i rows and j columns, zeros where x has none\n"
                  "  y = zeros(rows, columns);\n"
                  "  r = max(1, 1 - i):min(rows, size(x, 1) - i);\n"
                  "  c = max(1, 1 - j):min(columns, size(x, 2) - j);\n"
                  "  y(r, c) = x(r + i, c + j);\n"
                  "end\n\n"},
    {"rows_of_eye", "function y = rows_of_eye(rows, columns, i)\n"
                    "  y = double((1:rows)' + i == 1:columns);\n"
                    "end\n\n"},
    {"commutation", "function K = commutation(m, n)\n"
                    "  % K vec(X) = vec(X') of X m x n\n"
                    "  K = eye(m*n);\n"
                    "  K = K(reshape(reshape(1:m*n, m, n)', [], 1), :);\n"
                    "end\n\n"},
    {"cholesky_of", "function R = cholesky_of(S)\n"
                    "  if max(max(abs(S - S'))) > 2e-9*max(max(abs(S)))\n"
                    "    error('a matrix under logdet is not symmetric');\n"
                    "  end\n"
                    "  R = chol(0.5*(S + S'));\n"
                    "end\n\n"},
    {"eigen_of", "function [V, w] = eigen_of(S)\n"
                 "  [V, D] = eig(0.5*(S + S'));\n"
                 "  w = diag(D);\n"
                 "end\n\n"},
    {"nonnegative", "function w = nonnegative(w)\n"
                    "  if min(w) < -1e-13*max(abs(w))\n"
                    "    error('a matrix is not positive semidefinite');\n"
                    "  end\n"
                    "  w = max(w, 0);\n"
                    "end\n\n"},
    {"positive", "function w = positive(w)\n"
                 "  if ~(min(w) > 0)\n"
                 "    error('a matrix is not positive definite');\n"
                 "  end\n"
                 "end\n\n"},
    {"kron_left", "function y = kron_left(big, b, rows, columns)\n"
                  "  [p, q] = size(b);\n"
                  "  y = zeros(rows, columns);\n"
                  "  for i = 1:rows\n"
                  "    for j = 1:columns\n"
                  "      y(i, j) = sum(sum(big((i-1)*p+1:i*p, (j-1)*q+1:j*q).*b));\n"
                  "    end\n"
                  "  end\n"
                  "end\n\n"},
    {"kron_right", "function y = kron_right(big, a, rows, columns)\n"
                   "  y = zeros(rows, columns);\n"
                   "  for i = 1:size(a, 1)\n"
                   "    for j = 1:size(a, 2)\n"
                   "      y = y + a(i, j)*big((i-1)*rows+1:i*rows, (j-1)*columns+1:j*columns);\n"
                   "    end\n"
                   "  end\n"
                   "end\n\n"},
    {"quotient", "function y = quotient(a, b)\n"
                 "  y = (a + 0*b)./b;\n"
                 "  y(b == 0) = 0;\n"
                 "end\n\n"},
    {"far_apart", "function y = far_apart(d, scale)\n"
                  "  y = 1./d;\n"
                  "  y(abs(d) <= 1e-5*scale) = 0;\n"
                  "end\n\n"},
    {"exp_divided", "function y = exp_divided(a, b)\n"
                    "  % (e^a - e^b)/(a - b)\n"
                    "  d = abs(a - b);\n"
                    "  y = -expm1(-d)./d;\n"
                    "  y(d == 0) = 1;\n"
                    "  y = exp(max(a, b)).*y;\n"
                    "end\n\n"},
    {"exp_twice", "function y = exp_twice(a, b)\n"
                  "  % (e^a - exp[a,b])/(a - b), by a series where a and b are close\n"
                  "  d = b - a;\n"
                  "  y = 0.5 + 0*d;\n"
                  "  term = y;\n"
                  "  for k = 3:20\n"
                  "    term = term.*d/k;\n"
                  "    y = y + term;\n"
                  "  end\n"
                  "  y = exp(a).*y;\n"
                  "  below = exp(a).*(expm1(d) - d)./d.^2;\n"
                  "  above = exp(b).*(1 - (1 + d).*exp(-d))./d.^2;\n"
                  "  y(d < -0.5) = below(d < -0.5);\n"
                  "  y(d > 0.5) = above(d > 0.5);\n"
                  "end\n\n"},
    {"log_divided", "function y = log_divided(a, b)\n"
                    "  % (log(a) - log(b))/(a - b)\n"
                    "  low = min(a, b);\n"
                    "  t = abs(a - b)./low;\n"
                    "  y = log1p(t)./t;\n"
                    "  y(t == 0) = 1;\n"
                    "  y = y./low;\n"
                    "end\n\n"},
    {"log_twice", "function y = log_twice(a, b)\n"
                  "  % (1/a - log[a,b])/(a - b), by a series where a and b are close\n"
                  "  t = (b - a)./a;\n"
                  "  y = 0*t;\n"
                  "  power = 1 + y;\n"
                  "  for k = 2:23\n"
                  "    y = y + power/k;\n"
                  "    power = -power.*t;\n"
                  "  end\n"
                  "  far = (t - log1p(t))./t.^2;\n"
                  "  y(abs(t) > 0.1) = far(abs(t) > 0.1);\n"
                  "  y = -y./a.^2;\n"
                  "end\n\n"}};

#define COUNT(array) (int)(sizeof(array) / sizeof(array)[0])

#define LANGUAGE                                                                                                     \
  .helpers_last = true, .indent = "  ", .comment = "%", .turn = "'", .real = "@", .power_of_ten = "e", .load = "$0", \
  .row = "$0", .row_turned = "$0'", .col = "$0", .col_turned = "$0'", .spread = "$e + zeros($r, $c)",                \
  .add = "(@ + $)", .sub = "(@ - $)", .mul = "(@.*$)", .div = "(@./$)", .pow = "((@).^($))", .max = "max(@, $)",     \
  .min = "min(@, $)", .square = "(@).^2", .sqrt = "sqrt(@)", .ops = OPS, .divided = DIVIDED, .entries = entries,     \
  .n_entries = COUNT(entries), .entry = entry, .helpers = helpers, .n_helpers = COUNT(helpers), .words = words,      \
  .n_words = COUNT(words), .head = head, .begin = begin, .end = end, .foot = foot

#define OPS                                                                                                            \
  {                                                                                                                    \
    [TG_EXPORT_GEMM] = "$o = $s$($A*$B$);", [TG_EXPORT_GEMM_ADD] = "$o = $o + $s$($A*$B$);",                           \
    [TG_EXPORT_LINCOMB] = "$o = $e;", [TG_EXPORT_TRANSPOSE] = "$o = $s$0';", [TG_EXPORT_ENTRYWISE] = "$o = $e;",       \
    [TG_EXPORT_EWSUM] = "$o = sum(sum($e));", [TG_EXPORT_DOT] = "$o = sum(sum($0.*$1));",                              \
    [TG_EXPORT_TRACE] = "$o = trace($0);", [TG_EXPORT_FETCH] = "$o = $0(1, 1);", [TG_EXPORT_STORE] = "$o = $a;",       \
    [TG_EXPORT_SCALAR] = "$o = $e;", [TG_EXPORT_FILL] = "$o = $sones($r, $c);", [TG_EXPORT_EYE] = "$o = $seye($r);",   \
    [TG_EXPORT_UPPER] = "$o = triu(ones($r, $c));", [TG_EXPORT_LOWER] = "$o = tril(ones($r, $c));",                    \
    [TG_EXPORT_LOGSUMEXP] = "$o = log_sum_exp($0, 0);", [TG_EXPORT_LOGSUMEXP_ROWS] = "$o = log_sum_exp($0, 2);",       \
    [TG_EXPORT_LOGSUMEXP_COLS] = "$o = log_sum_exp($0, 1);", [TG_EXPORT_PICK] = "$o = rows_of_eye($r, $c, $i);",       \
    [TG_EXPORT_SLICE] = "$o = window_of($0, $i, $j, $r, $c);", [TG_EXPORT_COMM] = "$o = commutation($i, $j);",         \
    [TG_EXPORT_CHOLESKY] = "R$f = cholesky_of($0);", [TG_EXPORT_LU] = "[L$f, U$f, P$f] = lu($0);",                     \
    [TG_EXPORT_EIGEN] = "[V$f, S$f] = eigen_of($0);", [TG_EXPORT_SVD] = "[U$f, S$f, V$f] = svd($0, 'econ');",          \
    [TG_EXPORT_EIGENVECTORS] = "$o = V$f;", [TG_EXPORT_LEFT_VECTORS] = "$o = U$f;",                                    \
    [TG_EXPORT_RIGHT_VECTORS] = "$o = V$f';", [TG_EXPORT_EIGENVALUES] = "$o = S$f;",                                   \
    [TG_EXPORT_EIGENVALUES_PSD] = "$o = nonnegative(S$f);", [TG_EXPORT_EIGENVALUES_SPD] = "$o = positive(S$f);",       \
    [TG_EXPORT_SINGULAR_VALUES] = "$o = diag(S$f);", [TG_EXPORT_CHOLESKY_SOLVE] = "$o = R$f\\(R$f'\\$0);",             \
    [TG_EXPORT_CHOLESKY_RIGHT] = "$o = ($0/R$f)/R$f';", [TG_EXPORT_CHOLESKY_INVERSE] = "$o = R$f\\(R$f'\\eye($h));",   \
    [TG_EXPORT_CHOLESKY_LOGDET] = "$o = 2*sum(log(diag(R$f)));", [TG_EXPORT_CHOLESKY_DET] = "$o = prod(diag(R$f))^2;", \
    [TG_EXPORT_LU_SOLVE] = "$o = U$f\\(L$f\\(P$f*$0));", [TG_EXPORT_LU_SOLVE_TRANS] = "$o = P$f'*(L$f'\\(U$f'\\$0));", \
    [TG_EXPORT_LU_RIGHT] = "$o = (($0/U$f)/L$f)*P$f;", [TG_EXPORT_LU_RIGHT_TRANS] = "$o = (($0*P$f')/L$f')/U$f';",     \
    [TG_EXPORT_LU_INVERSE] = "$o = U$f\\(L$f\\P$f);",                                                                  \
    [TG_EXPORT_LU_INVERSE_TRANS] = "$o = P$f'*(L$f'\\(U$f'\\eye($h)));",                                               \
    [TG_EXPORT_LU_DET] = "$o = prod(diag(U$f))*round(det(P$f));", [TG_EXPORT_DIAG] = "$o = diag($0);",                 \
    [TG_EXPORT_DIAGVEC] = "$o = diag($0);", [TG_EXPORT_RESHAPE] = "$o = reshape($0, $r, $c);",                         \
    [TG_EXPORT_KRON] = "$o = kron($0, $1);", [TG_EXPORT_KRON_LEFT] = "$o = kron_left($0, $1, $r, $c);",                \
    [TG_EXPORT_KRON_RIGHT] = "$o = kron_right($0, $1, $r, $c);"                                                        \
  }

#define DIVIDED                                                                                                    \
  {                                                                                                                \
    [TG_DIVIDED_SQRT] = "(1./(sqrt(@) + sqrt($)))", [TG_DIVIDED_EXP] = "exp_divided(@, $)",                        \
    [TG_DIVIDED_EXP_TWICE] = "exp_twice(@, $)", [TG_DIVIDED_EXP_FAR] = "far_apart(@ - $, 1)",                      \
    [TG_DIVIDED_EXP_NEAR] = "(0.5*(abs(@ - $) <= 1e-5))", [TG_DIVIDED_LOG] = "log_divided(@, $)",                  \
    [TG_DIVIDED_LOG_TWICE] = "log_twice(@, $)", [TG_DIVIDED_LOG_FAR] = "far_apart(@ - $, min(@, $))",              \
    [TG_DIVIDED_LOG_NEAR] = "(0.5*(abs(@ - $) <= 1e-5*min(@, $)))",                                                \
    [TG_DIVIDED_STEP] = "quotient(double((@ > 0) ~= ($ > 0)), @ + $)",                                             \
    [TG_DIVIDED_SIGNS] = "quotient((@ > 0) + ($ > 0), @ + $)", [TG_DIVIDED_TOP] = "quotient(@, (@ - $).*(@ + $))", \
    [TG_DIVIDED_BELOW_TOP] = "quotient($, (@ - $).*(@ + $))"                                                       \
  }

const tg_export_language tg_export_octave = {.title = "Octave", LANGUAGE};
const tg_export_language tg_export_matlab = {.title = "MATLAB", LANGUAGE};
