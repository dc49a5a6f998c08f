// Export to NumPy, JAX and PyTorch.
#include <string.h>

#include "derive/export/export_parts.h"

// ---- frames ----

static void add_names(const tg_export *e, bool hessian, tg_text *out)
{
  for (int32_t k = 0; k < e->n_arguments; k++) tg_text_addf(out, "%s%s", k > 0 ? ", " : "", e->arguments[k].name);
  for (int32_t k = 0; hessian && k < e->d->n_targets; k++) tg_text_addf(out, ", %s", tg_export_direction(e, k));
}

static void begin(const tg_export *e, bool hessian, tg_text *out)
{
  tg_text_addf(out, "def %s(", hessian ? "hessian_product" : "value_and_gradient");
  add_names(e, hessian, out);
  tg_text_addf(out, "):\n    r\"\"\"%s.\n\n", hessian ? "The Hessian of f times a direction" : "f and its gradient");
  tg_export_describe(e, hessian, "    ", out);
  tg_text_add(out, "    \"\"\"\n");
  for (int32_t k = 0; k < e->d->n_targets; k++) {
    const char *name = tg_export_variable(e, k)->name;
    const bool is_tensor = e->target == TG_EXPORT_PYTORCH; // the others take lists and numbers too
    tg_text_addf(out, is_tensor ? "    shape_of_%s = %s.shape\n" : "    shape_of_%s = %s.shape(%s)\n", name,
                 is_tensor ? name : e->language->module, name);
  }
  for (int32_t k = 0; k < e->n_arguments; k++)
    tg_text_addf(out, "    %s = _matrix(%s)\n", e->arguments[k].name, e->arguments[k].name);
  for (int32_t k = 0; hessian && k < e->d->n_targets; k++)
    tg_text_addf(out, "    %s = _matrix(%s)\n", tg_export_direction(e, k), tg_export_direction(e, k));
  for (int32_t k = 0; k < e->n_sizes; k++) {
    tg_text_addf(out, "    %s = %s.shape[%d]", e->sizes[k].name, e->arguments[e->sizes[k].argument].name,
                 e->sizes[k].of_columns);
    if (tg_export_rest(e, &e->sizes[k], out) != TG_OK) out->status = TG_MEMORY;
    tg_text_add(out, "\n");
  }
  for (int32_t k = 0; k < e->n_arguments; k++)
    tg_text_addf(out, "    _check(\"%s\", %s, %s, %s)\n", e->arguments[k].name, e->arguments[k].name,
                 e->arguments[k].rows, e->arguments[k].cols);
  for (int32_t k = 0; hessian && k < e->d->n_targets; k++) {
    const tg_export_argument *x = tg_export_variable(e, k);
    const char *name = tg_export_direction(e, k);
    tg_text_addf(out, "    _check(\"%s\", %s, %s, %s)\n", name, name, x->rows, x->cols);
  }
}

static void end(const tg_export *e, bool hessian, tg_text *out)
{
  tg_text_add(out, "    return ");
  if (!hessian && tg_export_value(e, out) != TG_OK) out->status = TG_MEMORY;
  for (int32_t k = 0; k < e->d->n_targets; k++)
    tg_text_addf(out, "%s%s.reshape(shape_of_%s)", k > 0 || !hessian ? ", " : "", tg_export_output(e, hessian, k),
                 tg_export_variable(e, k)->name);
  tg_text_add(out, "\n");
  if (!hessian && e->d->wants_hessian) tg_text_add(out, "\n\n");
}

static void no_foot(const tg_export *e, tg_text *out)
{
  (void)e;
  (void)out;
}

// ---- entry functions ----

static const char *const numpy_entries[] = {
#define TG_ENTRYWISE(KIND, name, value, rate, slope, help, rule, aliases, latex, numpy, ...) numpy,
#include "grad/entrywise.def"
};

static void entry_in(const char *module, int row, tg_text *out)
{
  for (const char *c = numpy_entries[row]; *c != '\0'; c++) {
    if (strncmp(c, "np.", 3) == 0) {
      tg_text_addf(out, "%s.", module);
      c += 2;
    } else {
      tg_text_add_bytes(out, c, 1);
    }
  }
}

static void entry_numpy(int row, tg_text *out)
{
  entry_in("np", row, out);
}

static void entry_jax(int row, tg_text *out)
{
  entry_in("jnp", row, out);
}

static void entry_torch(int row, tg_text *out)
{
  entry_in("torch", row, out);
}

static const char *const python_words[] = {
    "False", "None",  "True",   "and",      "as",     "assert",  "async",  "await", "break",  "class", "continue",
    "def",   "del",   "elif",   "else",     "except", "finally", "for",    "from",  "global", "if",    "import",
    "in",    "is",    "lambda", "nonlocal", "not",    "or",      "pass",   "raise", "return", "try",   "while",
    "with",  "yield", "np",     "jnp",      "torch",  "jax",     "linalg", "tuple", "abs",    "range", "ValueError"};

// The three have the same functions, under np, jnp and torch; M is the module in the texts below.
#define ENTRIES                                                                           \
  {                                                                                       \
    {"sigmoid", "_sigmoid(@)"}, {"logcosh", "_logcosh(@)"}, {"relu", "_maximum(@, 0.0)"}, \
    {                                                                                     \
      "softplus", "_softplus(@)"                                                          \
    }                                                                                     \
  }

#define HELPERS_OF(M)                                                                                          \
  {"_check",                                                                                                   \
   "def _check(name, x, rows, columns):\n"                                                                     \
   "    if tuple(x.shape) != (rows, columns):\n"                                                               \
   "        raise ValueError(f\"{name} is {x.shape[0]} x {x.shape[1]}, expected {rows} x {columns}\")\n\n\n"}, \
      {"_softplus", "def _softplus(x):\n"                                                                      \
                    "    return " M ".log1p(" M ".exp(-abs(x))) + 0.5*(x + abs(x))\n\n\n"},                    \
      {"_sigmoid", "def _sigmoid(x):\n"                                                                        \
                   "    e = " M ".exp(-abs(x))\n"                                                              \
                   "    return " M ".where(x >= 0, 1.0 + 0*e, e) / (1.0 + e)\n\n\n"},                          \
      {"_logcosh", "def _logcosh(x):\n"                                                                        \
                   "    # near 0 by cosh(x) - 1 = 2 sinh(x/2)^2, which does not cancel\n"                      \
                   "    small = " M ".log1p(2*" M ".sinh(0.5*" M ".where(abs(x) < 1, x, 0*x))**2)\n"           \
                   "    return " M ".where(abs(x) < 1, small, abs(x) + " M ".log1p(" M ".exp(-2*abs(x)))"      \
                   " - 0.6931471805599453)\n\n\n"},                                                            \
  {                                                                                                            \
    "_window", "def _window(x, i, j, rows, columns):\n"                                                        \
               "    # entries from (i, j) on, zeros where x has none\n"                                        \
               "    top, left = max(0, -i), max(0, -j)\n"                                                      \
               "    part = x[max(i, 0):max(i + rows, 0), max(j, 0):max(j + columns, 0)]\n"                     \
               "    below, right = rows - top - part.shape[0], columns - left - part.shape[1]\n"               \
               "    return _pad(part, top, below, left, right)\n\n\n"                                          \
  }

#define KRON(M)                                                                                 \
  [TG_EXPORT_KRON] = "$o = _kron($0, $1)",                                                      \
  [TG_EXPORT_KRON_LEFT] = "$o = " M ".einsum(\"ipjq,pq->ij\", $0.reshape($r, $p, $c, $q), $1)", \
  [TG_EXPORT_KRON_RIGHT] = "$o = " M ".einsum(\"ipjq,ij->pq\", $0.reshape($p, $r, $q, $c), $1)"

#define DIVIDED(M)                                                                                      \
  {                                                                                                     \
    [TG_DIVIDED_SQRT] = "(1/(" M ".sqrt(@) + " M ".sqrt($)))", [TG_DIVIDED_EXP] = "_exp_divided(@, $)", \
    [TG_DIVIDED_EXP_TWICE] = "_exp_twice(@, $)", [TG_DIVIDED_EXP_FAR] = "_far(@ - $, 1.0)",             \
    [TG_DIVIDED_EXP_NEAR] = "_near(@ - $, 1.0)", [TG_DIVIDED_LOG] = "_log_divided(@, $)",               \
    [TG_DIVIDED_LOG_TWICE] = "_log_twice(@, $)", [TG_DIVIDED_LOG_FAR] = "_far(@ - $, _minimum(@, $))",  \
    [TG_DIVIDED_LOG_NEAR] = "_near(@ - $, _minimum(@, $))",                                             \
    [TG_DIVIDED_STEP] = "_quotient(1.0*((@ > 0) != ($ > 0)), @ + $)",                                   \
    [TG_DIVIDED_SIGNS] = "_quotient(1.0*(@ > 0) + 1.0*($ > 0), @ + $)",                                 \
    [TG_DIVIDED_TOP] = "_quotient(@ + 0*$, (@ - $)*(@ + $))",                                           \
    [TG_DIVIDED_BELOW_TOP] = "_quotient($ + 0*@, (@ - $)*(@ + $))"                                      \
  }

// Divided differences of exp and log without cancellation, as of functions of symmetric matrices.
#define DIVIDED_HELPERS(M)                                                                                     \
  {"_quotient", "def _quotient(a, b):\n"                                                                       \
                "    return " M ".where(b == 0, 0*b, a/" M ".where(b == 0, 1 + 0*b, b))\n\n\n"},               \
      {"_far", "def _far(d, scale):\n"                                                                         \
               "    return " M ".where(abs(d) > 1e-5*scale, _quotient(1.0 + 0*d, d), 0*d)\n\n\n"},             \
      {"_near", "def _near(d, scale):\n"                                                                       \
                "    return " M ".where(abs(d) > 1e-5*scale, 0*d, 0.5 + 0*d)\n\n\n"},                          \
      {"_exp_divided",                                                                                         \
       "def _exp_divided(a, b):\n"                                                                             \
       "    # (e^a - e^b)/(a - b)\n"                                                                           \
       "    d = abs(a - b)\n"                                                                                  \
       "    safe = " M ".where(d == 0, 1 + 0*d, d)\n"                                                          \
       "    return " M ".exp(0.5*(a + b + d))*" M ".where(d == 0, 1 + 0*d, -" M ".expm1(-safe)/safe)\n\n\n"},  \
      {"_exp_twice", "def _exp_twice(a, b):\n"                                                                 \
                     "    # (e^a - exp[a,b])/(a - b), by a series where a and b are close\n"                   \
                     "    d = b - a\n"                                                                         \
                     "    small = " M ".where(abs(d) < 0.5, d, 0*d)\n"                                         \
                     "    large = " M ".where(abs(d) < 0.5, 1 + 0*d, d)\n"                                     \
                     "    term, total = 0.5 + 0*d, 0.5 + 0*d\n"                                                \
                     "    for k in range(3, 20):\n"                                                            \
                     "        term = term*small/k\n"                                                           \
                     "        total = total + term\n"                                                          \
                     "    below = " M ".where(large < 0, large, 0*d)\n"                                        \
                     "    above = " M ".where(large > 0, large, 0*d)\n"                                        \
                     "    far = " M ".where(large < 0, " M ".exp(a)*(" M ".expm1(below) - below),\n"           \
                     "                      " M ".exp(b)*(1 - (1 + above)*" M ".exp(-above)))/(large*large)\n" \
                     "    return " M ".where(abs(d) < 0.5, " M ".exp(a)*total, far)\n\n\n"},                   \
      {"_log_divided", "def _log_divided(a, b):\n"                                                             \
                       "    # (log(a) - log(b))/(a - b)\n"                                                     \
                       "    low = _minimum(a, b)\n"                                                            \
                       "    t = abs(a - b)/low\n"                                                              \
                       "    safe = " M ".where(t == 0, 1 + 0*t, t)\n"                                          \
                       "    return " M ".where(t == 0, 1 + 0*t, " M ".log1p(safe)/safe)/low\n\n\n"},           \
  {                                                                                                            \
    "_log_twice", "def _log_twice(a, b):\n"                                                                    \
                  "    # (1/a - log[a,b])/(a - b), by a series where a and b are close\n"                      \
                  "    t = (b - a)/a\n"                                                                        \
                  "    small = " M ".where(abs(t) < 0.1, t, 0*t)\n"                                            \
                  "    large = " M ".where(abs(t) < 0.1, 1 + 0*t, t)\n"                                        \
                  "    power, total = 1 + 0*t, 0*t\n"                                                          \
                  "    for k in range(2, 24):\n"                                                               \
                  "        total = total + power/k\n"                                                          \
                  "        power = -power*small\n"                                                             \
                  "    far = (large - " M ".log1p(large))/(large*large)\n"                                     \
                  "    return -" M ".where(abs(t) < 0.1, total, far)/(a*a)\n\n\n"                              \
  }

// What is the same in all three: the statements by operators.
#define OPERATORS                                                                                              \
  .indent = "    ", .comment = "#", .turn = ".T", .real = "@", .power_of_ten = "e", .load = "$0", .row = "$0", \
  .row_turned = "$0.T", .col = "$0", .col_turned = "$0.T", .add = "(@ + $)", .sub = "(@ - $)", .mul = "(@*$)", \
  .div = "(@/$)", .pow = "(@**$)", .max = "_maximum(@, $)", .min = "_minimum(@, $)", .square = "(@)**2",       \
  .begin = begin, .end = end, .foot = no_foot, .words = python_words,                                          \
  .n_words = sizeof python_words / sizeof python_words[0]

#define STATEMENTS                                                                                               \
  [TG_EXPORT_GEMM] = "$o = $s$($A @ $B$)", [TG_EXPORT_GEMM_ADD] = "$o = $o + $s$($A @ $B$)",                     \
  [TG_EXPORT_LINCOMB] = "$o = $e", [TG_EXPORT_TRANSPOSE] = "$o = $s$0.T", [TG_EXPORT_ENTRYWISE] = "$o = $e",     \
  [TG_EXPORT_SCALAR] = "$o = $e", [TG_EXPORT_FETCH] = "$o = $0[0, 0]", [TG_EXPORT_EIGENVECTORS] = "$o = F$f[1]", \
  [TG_EXPORT_LEFT_VECTORS] = "$o = F$f[0]", [TG_EXPORT_RIGHT_VECTORS] = "$o = F$f[2]",                           \
  [TG_EXPORT_EIGENVALUES] = "$o = F$f[0][:, None]",                                                              \
  [TG_EXPORT_EIGENVALUES_PSD] = "$o = _nonnegative(F$f[0])[:, None]",                                            \
  [TG_EXPORT_EIGENVALUES_SPD] = "$o = _positive(F$f[0])[:, None]",                                               \
  [TG_EXPORT_SINGULAR_VALUES] = "$o = F$f[1][:, None]"

#define ARRAYS(M)                                                                                                   \
  [TG_EXPORT_EWSUM] = "$o = " M ".sum($e)", [TG_EXPORT_DOT] = "$o = " M ".vdot($0, $1)",                            \
  [TG_EXPORT_TRACE] = "$o = " M ".trace($0)", [TG_EXPORT_STORE] = "$o = " M ".reshape($a, (1, 1))",                 \
  [TG_EXPORT_FILL] = "$o = $s" M ".ones(($r, $c))", [TG_EXPORT_EYE] = "$o = $s" M ".eye($r)",                       \
  [TG_EXPORT_UPPER] = "$o = " M ".triu(" M ".ones(($r, $c)))",                                                      \
  [TG_EXPORT_LOWER] = "$o = " M ".tril(" M ".ones(($r, $c)))", [TG_EXPORT_LOGSUMEXP] = "$o = _logsumexp($0, None)", \
  [TG_EXPORT_LOGSUMEXP_ROWS] = "$o = _logsumexp($0, 1)", [TG_EXPORT_LOGSUMEXP_COLS] = "$o = _logsumexp($0, 0)",     \
  [TG_EXPORT_PICK] = "$o = " M ".eye($r, $c, $i)", [TG_EXPORT_SLICE] = "$o = _window($0, $i, $j, $r, $c)",          \
  [TG_EXPORT_COMM] = "$o = _commutation($i, $j)", [TG_EXPORT_LU] = "F$f = linalg.lu_factor($0)",                    \
  [TG_EXPORT_CHOLESKY] = "F$f = _cholesky($0)", [TG_EXPORT_EIGEN] = "F$f = " M ".linalg.eigh(0.5*($0 + $0.T))",     \
  [TG_EXPORT_SVD] = "F$f = " M ".linalg.svd($0, full_matrices=False)",                                              \
  [TG_EXPORT_CHOLESKY_SOLVE] = "$o = linalg.cho_solve(F$f, $0)",                                                    \
  [TG_EXPORT_CHOLESKY_RIGHT] = "$o = linalg.cho_solve(F$f, $0.T).T",                                                \
  [TG_EXPORT_CHOLESKY_INVERSE] = "$o = linalg.cho_solve(F$f, " M ".eye($h))",                                       \
  [TG_EXPORT_CHOLESKY_LOGDET] = "$o = 2*" M ".sum(" M ".log(" M ".diag(F$f[0])))",                                  \
  [TG_EXPORT_CHOLESKY_DET] = "$o = " M ".prod(" M ".diag(F$f[0]))**2",                                              \
  [TG_EXPORT_LU_SOLVE] = "$o = linalg.lu_solve(F$f, $0)",                                                           \
  [TG_EXPORT_LU_SOLVE_TRANS] = "$o = linalg.lu_solve(F$f, $0, trans=1)",                                            \
  [TG_EXPORT_LU_RIGHT] = "$o = linalg.lu_solve(F$f, $0.T, trans=1).T",                                              \
  [TG_EXPORT_LU_RIGHT_TRANS] = "$o = linalg.lu_solve(F$f, $0.T).T",                                                 \
  [TG_EXPORT_LU_INVERSE] = "$o = linalg.lu_solve(F$f, " M ".eye($h))",                                              \
  [TG_EXPORT_LU_INVERSE_TRANS] = "$o = linalg.lu_solve(F$f, " M ".eye($h), trans=1)",                               \
  [TG_EXPORT_LU_DET] = "$o = _determinant(F$f)", [TG_EXPORT_DIAG] = "$o = " M ".diag($0.ravel())",                  \
  [TG_EXPORT_DIAGVEC] = "$o = " M ".diag($0)[:, None]", [TG_EXPORT_RESHAPE] = "$o = $0.reshape(($r, $c), order=\"F\")"

// ---- NumPy and JAX ----

static void head_numpy(const tg_export *e, tg_text *out)
{
  (void)e;
  tg_text_add(out, "import numpy as np\nfrom scipy import linalg\n\n\n");
}

static void head_jax(const tg_export *e, tg_text *out)
{
  (void)e;
  tg_text_add(out, "import jax\nimport jax.numpy as jnp\nfrom jax.scipy import linalg\n\n"
                   "jax.config.update(\"jax_enable_x64\", True)\n\n\n");
}

#define ARRAY_HELPERS(M)                                                                                           \
  {"_matrix", "def _matrix(x):\n"                                                                                  \
              "    x = " M ".asarray(x, dtype=float)\n"                                                            \
              "    return x if x.ndim == 2 else x.reshape(-1, 1)\n\n\n"},                                          \
      {"_kron", "_kron = " M ".kron\n\n\n"},                                                                       \
      {"_pad", "def _pad(x, top, below, left, right):\n"                                                           \
               "    return " M ".pad(x, ((top, below), (left, right)))\n\n\n"},                                    \
      {"_maximum", "_maximum = " M ".maximum\n\n\n"}, {"_minimum", "_minimum = " M ".minimum\n\n\n"},              \
      {"_logsumexp", "def _logsumexp(x, axis):\n"                                                                  \
                     "    top = " M ".max(x, axis=axis, keepdims=True)\n"                                          \
                     "    return top + " M ".log(" M ".sum(" M ".exp(x - top), axis=axis, keepdims=True))\n\n\n"}, \
      {"_commutation", "def _commutation(m, n):\n"                                                                 \
                       "    # K vec(X) = vec(X') of X m x n\n"                                                     \
                       "    return " M ".eye(m*n)[" M ".arange(m*n).reshape(n, m).T.ravel()]\n\n\n"},              \
  {                                                                                                                \
    "_determinant", "def _determinant(factor):\n"                                                                  \
                    "    diagonal = " M ".diag(factor[0])\n"                                                       \
                    "    swaps = " M ".sum(factor[1] != " M ".arange(diagonal.size))\n"                            \
                    "    return (1 - 2*(swaps % 2))*" M ".prod(diagonal)\n\n\n"                                    \
  }

static const tg_export_entry entries[] = ENTRIES;

static const tg_export_helper numpy_helpers[] = {
    ARRAY_HELPERS("np"),
    HELPERS_OF("np"),
    DIVIDED_HELPERS("np"),
    {"_cholesky", "def _cholesky(s):\n"
                  "    if np.max(abs(s - s.T)) > 2e-9*np.max(abs(s)):\n"
                  "        raise ValueError(\"a matrix under logdet is not symmetric\")\n"
                  "    return linalg.cho_factor(0.5*(s + s.T), lower=True)\n\n\n"},
    {"_nonnegative", "def _nonnegative(values):\n"
                     "    if np.min(values) < -1e-13*np.max(abs(values)):\n"
                     "        raise ValueError(\"a matrix is not positive semidefinite\")\n"
                     "    return np.maximum(values, 0)\n\n\n"},
    {"_positive", "def _positive(values):\n"
                  "    if not np.min(values) > 0:\n"
                  "        raise ValueError(\"a matrix is not positive definite\")\n"
                  "    return values\n\n\n"}};

// Under jit nothing is raised: a factorisation that fails gives nan.
static const tg_export_helper jax_helpers[] = {
    ARRAY_HELPERS("jnp"),
    HELPERS_OF("jnp"),
    DIVIDED_HELPERS("jnp"),
    {"_cholesky", "def _cholesky(s):\n"
                  "    return linalg.cho_factor(0.5*(s + s.T), lower=True)\n\n\n"},
    {"_nonnegative", "def _nonnegative(values):\n"
                     "    return jnp.maximum(values, 0)\n\n\n"},
    {"_positive", "def _positive(values):\n"
                  "    return jnp.where(values > 0, values, jnp.nan)\n\n\n"}};

#define COUNT(array) (int)(sizeof(array) / sizeof(array)[0])

const tg_export_language tg_export_numpy = {.title = "NumPy",
                                            .module = "np",
                                            OPERATORS,
                                            .spread = "$e + np.zeros(($r, $c))",
                                            .sqrt = "np.sqrt(@)",
                                            .ops = {STATEMENTS, ARRAYS("np"), KRON("np")},
                                            .divided = DIVIDED("np"),
                                            .entries = entries,
                                            .n_entries = COUNT(entries),
                                            .entry = entry_numpy,
                                            .helpers = numpy_helpers,
                                            .n_helpers = COUNT(numpy_helpers),
                                            .head = head_numpy};

const tg_export_language tg_export_jax = {.title = "JAX",
                                          .module = "jnp",
                                          OPERATORS,
                                          .spread = "$e + jnp.zeros(($r, $c))",
                                          .sqrt = "jnp.sqrt(@)",
                                          .ops = {STATEMENTS, ARRAYS("jnp"), KRON("jnp")},
                                          .divided = DIVIDED("jnp"),
                                          .entries = entries,
                                          .n_entries = COUNT(entries),
                                          .entry = entry_jax,
                                          .helpers = jax_helpers,
                                          .n_helpers = COUNT(jax_helpers),
                                          .head = head_jax};

// ---- PyTorch ----

static void head_torch(const tg_export *e, tg_text *out)
{
  (void)e;
  tg_text_add(out, "import torch\n\n\n");
}

static const tg_export_helper torch_helpers[] = {
    {"_matrix", "def _matrix(x):\n"
                "    x = torch.as_tensor(x, dtype=None if torch.is_tensor(x) else torch.float64)\n"
                "    return x if x.ndim == 2 else x.reshape(-1, 1)\n\n\n"},
    {"_kron", "def _kron(a, b):\n"
              "    return torch.kron(a.contiguous(), b.contiguous())\n\n\n"},
    {"_pad", "def _pad(x, top, below, left, right):\n"
             "    return torch.nn.functional.pad(x, (left, right, top, below))\n\n\n"},
    {"_tensors", "def _tensors(a, b):\n"
                 "    like = a if torch.is_tensor(a) else b\n"
                 "    return [torch.as_tensor(t, dtype=like.dtype, device=like.device) for t in (a, b)]\n\n\n"},
    {"_maximum", "def _maximum(a, b):\n"
                 "    return torch.maximum(*_tensors(a, b))\n\n\n"},
    {"_minimum", "def _minimum(a, b):\n"
                 "    return torch.minimum(*_tensors(a, b))\n\n\n"},
    {"_logsumexp", "def _logsumexp(x, axis):\n"
                   "    axis = (0, 1) if axis is None else axis\n"
                   "    return torch.logsumexp(x, dim=axis, keepdim=True)\n\n\n"},
    {"_commutation", "def _commutation(m, n, like):\n"
                     "    # K vec(X) = vec(X') of X m x n\n"
                     "    order = torch.arange(m*n, device=like.device).reshape(n, m).T.ravel()\n"
                     "    return torch.eye(m*n, dtype=like.dtype, device=like.device)[order]\n\n\n"},
    {"_determinant", "def _determinant(factor):\n"
                     "    diagonal, pivots = torch.diag(factor[0]), factor[1]\n"
                     "    swaps = torch.sum(pivots != torch.arange(1, pivots.numel() + 1, device=pivots.device))\n"
                     "    return (1 - 2*(swaps % 2))*torch.prod(diagonal)\n\n\n"},
    {"_eye", "def _eye(like, rows, columns, k=0):\n"
             "    return torch.diag(like.new_ones(rows + columns), k)[:rows, :columns]\n\n\n"},
    HELPERS_OF("torch"),
    DIVIDED_HELPERS("torch"),
    {"_cholesky", "def _cholesky(s):\n"
                  "    if torch.max(abs(s - s.T)) > 2e-9*torch.max(abs(s)):\n"
                  "        raise ValueError(\"a matrix under logdet is not symmetric\")\n"
                  "    return torch.linalg.cholesky(0.5*(s + s.T))\n\n\n"},
    {"_nonnegative", "def _nonnegative(values):\n"
                     "    if torch.min(values) < -1e-13*torch.max(abs(values)):\n"
                     "        raise ValueError(\"a matrix is not positive semidefinite\")\n"
                     "    return torch.clamp(values, min=0)\n\n\n"},
    {"_positive", "def _positive(values):\n"
                  "    if not torch.min(values) > 0:\n"
                  "        raise ValueError(\"a matrix is not positive definite\")\n"
                  "    return values\n\n\n"}};

const tg_export_language tg_export_pytorch = {
    .title = "PyTorch",
    .module = "torch",
    OPERATORS,
    .spread = "$e + $x.new_zeros(($r, $c))",
    .sqrt = "((@)**0.5)",
    .ops = {STATEMENTS,
            KRON("torch"),
            [TG_EXPORT_EWSUM] = "$o = torch.sum($e)",
            [TG_EXPORT_DOT] = "$o = torch.sum($0*$1)",
            [TG_EXPORT_TRACE] = "$o = torch.trace($0)",
            [TG_EXPORT_STORE] = "$o = $a*$x.new_ones((1, 1))",
            [TG_EXPORT_FILL] = "$o = $s$x.new_ones(($r, $c))",
            [TG_EXPORT_EYE] = "$o = $s_eye($x, $r, $r)",
            [TG_EXPORT_UPPER] = "$o = torch.triu($x.new_ones(($r, $c)))",
            [TG_EXPORT_LOWER] = "$o = torch.tril($x.new_ones(($r, $c)))",
            [TG_EXPORT_LOGSUMEXP] = "$o = _logsumexp($0, None)",
            [TG_EXPORT_LOGSUMEXP_ROWS] = "$o = _logsumexp($0, 1)",
            [TG_EXPORT_LOGSUMEXP_COLS] = "$o = _logsumexp($0, 0)",
            [TG_EXPORT_PICK] = "$o = _eye($x, $r, $c, $i)",
            [TG_EXPORT_SLICE] = "$o = _window($0, $i, $j, $r, $c)",
            [TG_EXPORT_COMM] = "$o = _commutation($i, $j, $x)",
            [TG_EXPORT_CHOLESKY] = "F$f = _cholesky($0)",
            [TG_EXPORT_LU] = "F$f = torch.linalg.lu_factor($0)",
            [TG_EXPORT_EIGEN] = "F$f = torch.linalg.eigh(0.5*($0 + $0.T))",
            [TG_EXPORT_SVD] = "F$f = torch.linalg.svd($0, full_matrices=False)",
            [TG_EXPORT_CHOLESKY_SOLVE] = "$o = torch.cholesky_solve($0, F$f)",
            [TG_EXPORT_CHOLESKY_RIGHT] = "$o = torch.cholesky_solve($0.T, F$f).T",
            [TG_EXPORT_CHOLESKY_INVERSE] = "$o = torch.cholesky_inverse(F$f)",
            [TG_EXPORT_CHOLESKY_LOGDET] = "$o = 2*torch.sum(torch.log(torch.diag(F$f)))",
            [TG_EXPORT_CHOLESKY_DET] = "$o = torch.prod(torch.diag(F$f))**2",
            [TG_EXPORT_LU_SOLVE] = "$o = torch.linalg.lu_solve(*F$f, $0)",
            [TG_EXPORT_LU_SOLVE_TRANS] = "$o = torch.linalg.lu_solve(*F$f, $0, adjoint=True)",
            [TG_EXPORT_LU_RIGHT] = "$o = torch.linalg.lu_solve(*F$f, $0, left=False)",
            [TG_EXPORT_LU_RIGHT_TRANS] = "$o = torch.linalg.lu_solve(*F$f, $0, left=False, adjoint=True)",
            [TG_EXPORT_LU_INVERSE] = "$o = torch.linalg.lu_solve(*F$f, _eye($x, $h, $h))",
            [TG_EXPORT_LU_DET] = "$o = _determinant(F$f)",
            [TG_EXPORT_DIAG] = "$o = torch.diag($0.ravel())",
            [TG_EXPORT_DIAGVEC] = "$o = torch.diag($0)[:, None]",
            [TG_EXPORT_RESHAPE] = "$o = $0.T.reshape($c, $r).T",
            [TG_EXPORT_LU_INVERSE_TRANS] = "$o = torch.linalg.lu_solve(*F$f, _eye($x, $h, $h), adjoint=True)"},
    .divided = DIVIDED("torch"),
    .entries = entries,
    .n_entries = COUNT(entries),
    .entry = entry_torch,
    .helpers = torch_helpers,
    .n_helpers = COUNT(torch_helpers),
    .head = head_torch};
