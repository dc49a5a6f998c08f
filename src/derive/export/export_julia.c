// Export to Julia.
#include "derive/export/export_parts.h"

// ---- frames ----

static void begin(const tg_export *e, bool hessian, tg_text *out)
{
  tg_text_add(out, "\"\"\"\n");
  tg_text_addf(out, "    %s(", hessian ? "hessian_product" : "value_and_gradient");
  for (int32_t k = 0; k < e->n_arguments; k++) tg_text_addf(out, "%s%s", k > 0 ? ", " : "", e->arguments[k].name);
  for (int32_t k = 0; hessian && k < e->d->n_targets; k++) tg_text_addf(out, ", %s", tg_export_direction(e, k));
  tg_text_add(out, ")\n\n");
  tg_export_describe(e, hessian, "", out);
  tg_text_addf(out, "\"\"\"\nfunction %s(", hessian ? "hessian_product" : "value_and_gradient");
  for (int32_t k = 0; k < e->n_arguments; k++) tg_text_addf(out, "%s%s", k > 0 ? ", " : "", e->arguments[k].name);
  for (int32_t k = 0; hessian && k < e->d->n_targets; k++) tg_text_addf(out, ", %s", tg_export_direction(e, k));
  tg_text_add(out, ")\n");
  for (int32_t k = 0; k < e->d->n_targets; k++)
    tg_text_addf(out, "    shape_of_%s = size(%s)\n", tg_export_variable(e, k)->name, tg_export_variable(e, k)->name);
  for (int32_t k = 0; k < e->n_arguments; k++)
    tg_text_addf(out, "    %s = as_matrix(%s)\n", e->arguments[k].name, e->arguments[k].name);
  for (int32_t k = 0; k < e->n_sizes; k++) {
    tg_text_addf(out, "    %s = size(%s, %d)", e->sizes[k].name, e->arguments[e->sizes[k].argument].name,
                 e->sizes[k].of_columns + 1);
    if (tg_export_rest(e, &e->sizes[k], out) != TG_OK) out->status = TG_MEMORY;
    tg_text_add(out, "\n");
  }
  for (int32_t k = 0; k < e->n_arguments; k++)
    tg_text_addf(out, "    check_size(\"%s\", %s, %s, %s)\n", e->arguments[k].name, e->arguments[k].name,
                 e->arguments[k].rows, e->arguments[k].cols);
  for (int32_t k = 0; hessian && k < e->d->n_targets; k++) {
    const tg_export_argument *x = tg_export_variable(e, k);
    const char *name = tg_export_direction(e, k);
    tg_text_addf(out, "    %s = as_matrix(%s)\n    check_size(\"%s\", %s, %s, %s)\n", name, name, name, name, x->rows,
                 x->cols);
  }
}

static void add_result(const tg_export *e, bool hessian, int32_t k, tg_text *out)
{
  tg_text_addf(out, "like(%s, shape_of_%s)", tg_export_output(e, hessian, k), tg_export_variable(e, k)->name);
}

static void end(const tg_export *e, bool hessian, tg_text *out)
{
  tg_text_add(out, "    return ");
  if (!hessian && tg_export_value(e, out) != TG_OK) out->status = TG_MEMORY;
  for (int32_t k = 0; k < e->d->n_targets; k++) {
    tg_text_add(out, k > 0 || !hessian ? ", " : "");
    add_result(e, hessian, k, out);
  }
  tg_text_add(out, "\nend\n");
  if (!hessian && e->d->wants_hessian) tg_text_add(out, "\n");
}

static void head(const tg_export *e, tg_text *out)
{
  (void)e;
  tg_text_add(out, "using LinearAlgebra\n\n");
}

static void foot(const tg_export *e, tg_text *out)
{
  (void)e;
  (void)out;
}

// ---- tables ----

static const char *const names[] = {
#define TG_ENTRYWISE(KIND, name, ...) #name,
#include "grad/entrywise.def"
};

// Base has them under these names.
static void entry(int row, tg_text *out)
{
  tg_text_addf(out, "%s(@)", names[row]);
}

static const tg_export_entry entries[] = {{"sigmoid", "logistic(@)"},
                                          {"relu", "max(@, 0.0)"},
                                          {"softplus", "(max(@, 0.0) + log1p(exp(-abs(@))))"},
                                          {"logcosh", "log_cosh(@)"}};

static const char *const words[] = {
    "baremodule", "begin",  "break",   "catch",  "const",    "continue", "do",  "else",   "elseif", "end",
    "export",     "false",  "finally", "for",    "function", "global",   "if",  "import", "let",    "local",
    "macro",      "module", "quote",   "return", "struct",   "true",     "try", "using",  "while",  "I",
    "pi",         "exp",    "log",     "size",   "sum",      "max",      "min", "kron",   "ones",   "zeros",
    "reshape",    "dot",    "tr",      "diagm",  "diag",     "inv",      "det", "lu",     "svd",    "eigen",
    "cholesky",   "sqrt",   "abs",     "in",     "isa"};

static const tg_export_helper helpers[] = {
    {"as_matrix", "as_matrix(x) = x isa Number ? fill(float(x), 1, 1) : reshape(x, size(x, 1), size(x, 2))\n\n"},
    {"like", "like(x, shape) = isempty(shape) ? x[1, 1] : reshape(x, shape)\n\n"},
    {"check_size", "check_size(name, x, rows, columns) = size(x) == (rows, columns) ||\n"
                   "    throw(DimensionMismatch(\"$name is $(size(x, 1)) x $(size(x, 2)), "
                   "expected $rows x $columns\"))\n\n"},
    {"logistic", "logistic(x) = (e = exp(-abs(x)); (x >= 0 ? 1.0 : e)/(1 + e))\n\n"},
    {"log_cosh", "# near 0 by cosh(x) - 1 = 2 sinh(x/2)^2, which does not cancel\n"
                 "log_cosh(x) = abs(x) < 1 ? log1p(2*sinh(x/2)^2) : abs(x) + log1p(exp(-2*abs(x))) - log(2)\n\n"},
    {"log_sum_exp", "function log_sum_exp(x, dims)\n"
                    "    top = maximum(x; dims)\n"
                    "    return top .+ log.(sum(exp.(x .- top); dims))\n"
                    "end\n\n"},
    {"window_of", "function window_of(x, i, j, rows, columns)\n"
                  "    # entries behind the first i rows and j columns, zeros where x has none\n"
                  "    y = zeros(rows, columns)\n"
                  "    r = max(1, 1 - i):min(rows, size(x, 1) - i)\n"
                  "    c = max(1, 1 - j):min(columns, size(x, 2) - j)\n"
                  "    y[r, c] = x[r .+ i, c .+ j]\n"
                  "    return y\n"
                  "end\n\n"},
    {"commutation", "function commutation(m, n)\n"
                    "    # K vec(X) = vec(X') of X m x n\n"
                    "    return Matrix(1.0I, m*n, m*n)[vec(permutedims(reshape(1:m*n, m, n))), :]\n"
                    "end\n\n"},
    {"cholesky_of", "function cholesky_of(s)\n"
                    "    maximum(abs, s - s') <= 2e-9*maximum(abs, s) || error(\"a matrix under logdet is not "
                    "symmetric\")\n"
                    "    return cholesky(Symmetric((s + s')/2))\n"
                    "end\n\n"},
    {"nonnegative", "function nonnegative(w)\n"
                    "    minimum(w) >= -1e-13*maximum(abs, w) || error(\"a matrix is not positive semidefinite\")\n"
                    "    return max.(w, 0.0)\n"
                    "end\n\n"},
    {"positive", "function positive(w)\n"
                 "    minimum(w) > 0 || error(\"a matrix is not positive definite\")\n"
                 "    return w\n"
                 "end\n\n"},
    {"kron_left", "function kron_left(big, b, rows, columns)\n"
                  "    p, q = size(b)\n"
                  "    return [dot(big[(i-1)*p+1:i*p, (j-1)*q+1:j*q], b) for i in 1:rows, j in 1:columns]\n"
                  "end\n\n"},
    {"kron_right", "function kron_right(big, a, rows, columns)\n"
                   "    y = zeros(rows, columns)\n"
                   "    for j in 1:size(a, 2), i in 1:size(a, 1)\n"
                   "        y += a[i, j]*big[(i-1)*rows+1:i*rows, (j-1)*columns+1:j*columns]\n"
                   "    end\n"
                   "    return y\n"
                   "end\n\n"},
    {"quotient", "quotient(a, b) = b == 0 ? 0.0 : a/b\n\n"},
    {"far_apart", "far_apart(d, scale) = abs(d) <= 1e-5*scale ? 0.0 : 1/d\n\n"},
    {"exp_divided", "exp_divided(a, b) = (d = abs(a - b); exp(max(a, b))*(d == 0 ? 1.0 : -expm1(-d)/d))\n\n"},
    {"log_divided", "log_divided(a, b) = (low = min(a, b); t = abs(a - b)/low; (t == 0 ? 1.0 : log1p(t)/t)/low)\n\n"},
    {"exp_twice", "function exp_twice(a, b)\n"
                  "    # (e^a - exp[a,b])/(a - b), by a series where a and b are close\n"
                  "    d = b - a\n"
                  "    d > 0.5 && return exp(b)*(1 - (1 + d)*exp(-d))/d^2\n"
                  "    d < -0.5 && return exp(a)*(expm1(d) - d)/d^2\n"
                  "    return exp(a)*sum(d^k/prod(3.0:k+2; init=2.0) for k in 0:18)\n"
                  "end\n\n"},
    {"log_twice", "function log_twice(a, b)\n"
                  "    # (1/a - log[a,b])/(a - b), by a series where a and b are close\n"
                  "    t = (b - a)/a\n"
                  "    y = abs(t) > 0.1 ? (t - log1p(t))/t^2 : sum((-t)^k/(k + 2) for k in 0:21)\n"
                  "    return -y/a^2\n"
                  "end\n\n"}};

#define COUNT(array) (int)(sizeof(array) / sizeof(array)[0])

const tg_export_language tg_export_julia = {
    .title = "Julia",
    .indent = "    ",
    .comment = "#",
    .turn = "'",
    .real = "@",
    .power_of_ten = "e",
    .load = "$0",
    .row = "$0",
    .row_turned = "$0'",
    .col = "$0",
    .col_turned = "$0'",
    .spread = "$e + $$zeros($r, $c)",
    .add = "(@ + $)",
    .sub = "(@ - $)",
    .mul = "(@*$)",
    .div = "(@/$)",
    .pow = "((@)^($))",
    .max = "max(@, $)",
    .min = "min(@, $)",
    .square = "(@)^2",
    .sqrt = "sqrt(@)",
    .ops = {[TG_EXPORT_GEMM] = "$o = $s$($A*$B$)",
            [TG_EXPORT_GEMM_ADD] = "$o = $o + $s$($A*$B$)",
            [TG_EXPORT_LINCOMB] = "$o = @. $e",
            [TG_EXPORT_TRANSPOSE] = "$o = $sMatrix($0')",
            [TG_EXPORT_ENTRYWISE] = "$o = @. $e",
            [TG_EXPORT_EWSUM] = "$o = sum(@. $e)",
            [TG_EXPORT_DOT] = "$o = dot($0, $1)",
            [TG_EXPORT_TRACE] = "$o = tr($0)",
            [TG_EXPORT_FETCH] = "$o = $0[1, 1]",
            [TG_EXPORT_STORE] = "$o = fill(float($a), 1, 1)",
            [TG_EXPORT_SCALAR] = "$o = $e",
            [TG_EXPORT_FILL] = "$o = $sones($r, $c)",
            [TG_EXPORT_EYE] = "$o = $sMatrix(1.0I, $r, $r)",
            [TG_EXPORT_UPPER] = "$o = triu(ones($r, $c))",
            [TG_EXPORT_LOWER] = "$o = tril(ones($r, $c))",
            [TG_EXPORT_LOGSUMEXP] = "$o = log_sum_exp($0, (1, 2))",
            [TG_EXPORT_LOGSUMEXP_ROWS] = "$o = log_sum_exp($0, 2)",
            [TG_EXPORT_LOGSUMEXP_COLS] = "$o = log_sum_exp($0, 1)",
            [TG_EXPORT_PICK] = "$o = [j == i + $i ? 1.0 : 0.0 for i in 1:$r, j in 1:$c]",
            [TG_EXPORT_SLICE] = "$o = window_of($0, $i, $j, $r, $c)",
            [TG_EXPORT_COMM] = "$o = commutation($i, $j)",
            [TG_EXPORT_CHOLESKY] = "F$f = cholesky_of($0)",
            [TG_EXPORT_LU] = "F$f = lu($0)",
            [TG_EXPORT_EIGEN] = "F$f = eigen(Symmetric(($0 + $0')/2))",
            [TG_EXPORT_SVD] = "F$f = svd($0)",
            [TG_EXPORT_EIGENVECTORS] = "$o = F$f.vectors",
            [TG_EXPORT_LEFT_VECTORS] = "$o = F$f.U",
            [TG_EXPORT_RIGHT_VECTORS] = "$o = F$f.Vt",
            [TG_EXPORT_EIGENVALUES] = "$o = reshape(F$f.values, :, 1)",
            [TG_EXPORT_EIGENVALUES_PSD] = "$o = reshape(nonnegative(F$f.values), :, 1)",
            [TG_EXPORT_EIGENVALUES_SPD] = "$o = reshape(positive(F$f.values), :, 1)",
            [TG_EXPORT_SINGULAR_VALUES] = "$o = reshape(F$f.S, :, 1)",
            [TG_EXPORT_CHOLESKY_SOLVE] = "$o = F$f\\$0",
            [TG_EXPORT_CHOLESKY_RIGHT] = "$o = $0/F$f",
            [TG_EXPORT_CHOLESKY_INVERSE] = "$o = inv(F$f)",
            [TG_EXPORT_CHOLESKY_LOGDET] = "$o = logdet(F$f)",
            [TG_EXPORT_CHOLESKY_DET] = "$o = det(F$f)",
            [TG_EXPORT_LU_SOLVE] = "$o = F$f\\$0",
            [TG_EXPORT_LU_SOLVE_TRANS] = "$o = F$f'\\$0",
            [TG_EXPORT_LU_RIGHT] = "$o = $0/F$f",
            [TG_EXPORT_LU_RIGHT_TRANS] = "$o = $0/F$f'",
            [TG_EXPORT_LU_INVERSE] = "$o = inv(F$f)",
            [TG_EXPORT_LU_INVERSE_TRANS] = "$o = Matrix(inv(F$f)')",
            [TG_EXPORT_LU_DET] = "$o = det(F$f)",
            [TG_EXPORT_DIAG] = "$o = diagm(vec($0))",
            [TG_EXPORT_DIAGVEC] = "$o = reshape(diag($0), :, 1)",
            [TG_EXPORT_RESHAPE] = "$o = reshape($0, $r, $c)",
            [TG_EXPORT_KRON] = "$o = kron($0, $1)",
            [TG_EXPORT_KRON_LEFT] = "$o = kron_left($0, $1, $r, $c)",
            [TG_EXPORT_KRON_RIGHT] = "$o = kron_right($0, $1, $r, $c)"},
    .divided = {[TG_DIVIDED_SQRT] = "(1/(sqrt(@) + sqrt($)))",
                [TG_DIVIDED_EXP] = "exp_divided(@, $)",
                [TG_DIVIDED_EXP_TWICE] = "exp_twice(@, $)",
                [TG_DIVIDED_EXP_FAR] = "far_apart(@ - $, 1.0)",
                [TG_DIVIDED_EXP_NEAR] = "(0.5*(abs(@ - $) <= 1e-5))",
                [TG_DIVIDED_LOG] = "log_divided(@, $)",
                [TG_DIVIDED_LOG_TWICE] = "log_twice(@, $)",
                [TG_DIVIDED_LOG_FAR] = "far_apart(@ - $, min(@, $))",
                [TG_DIVIDED_LOG_NEAR] = "(0.5*(abs(@ - $) <= 1e-5*min(@, $)))",
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
