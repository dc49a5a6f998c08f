// Texts in the words and styles of other systems that are refused: the message says what to write, and written so they
// are read, with the shapes that their letters were drawn for.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "grad/calculus.h"
#include "grad/text/shape.h"
#include "support/text_eval.h"

// NOTATION_COUNT=n makes so many.
static uint64_t count_of(uint64_t otherwise)
{
  const char *text = getenv("NOTATION_COUNT");
  return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

typedef struct foreign_call {
  const char *name;
  const char *remedy;
} foreign_call;

static const foreign_call calls[] = {
#define TG_SAME(name, here)
#define TG_WRITE(name, text) {name, text},
#define TG_NONE(name, what)
#include "grad/text/foreign.def"
#undef TG_SAME
#undef TG_WRITE
#undef TG_NONE
};
enum { CALLS = sizeof calls / sizeof calls[0] };

// A word of several letters that is no call.
static bool is_prose(const char *text)
{
  size_t n = 0;
  while (isalnum((unsigned char)text[n])) n++;
  return n > 1 && isalpha((unsigned char)text[0]) && text[n] != '(';
}

// The formula at the beginning of a remedy, "norm2(X)" of "norm2(X) for the Frobenius norm".
static size_t formula_length(const char *remedy)
{
  int depth = 0;
  size_t n = 0;
  for (; remedy[n] != '\0'; n++) {
    depth += (remedy[n] == '(') - (remedy[n] == ')');
    if (depth == 0 && remedy[n] == ',') break;
    if (depth == 0 && remedy[n] == ' ' && is_prose(remedy + n + 1)) break;
  }
  return n;
}

// Placeholders are single letters; any other word must be a function, else the remedy is prose, or has sizes.
static bool is_formula(const char *remedy, size_t length)
{
  bool has_argument = false;
  for (size_t i = 0; i < length;) {
    size_t end = i;
    char word[32] = "";
    while (end < length && isalpha((unsigned char)remedy[end])) end++;
    while (end > i && end < length && isdigit((unsigned char)remedy[end])) end++; // norm2
    if (end == i) {
      i++;
      continue;
    }
    if (end - i >= sizeof word) return false;
    memcpy(word, remedy + i, end - i);
    const bool is_argument = strlen(word) == 1 && strchr("XYABCxyv", word[0]) != NULL;
    if (!is_argument && (tg_function_find(word) == NULL || remedy[end] != '(')) return false;
    has_argument = has_argument || is_argument;
    i = end;
  }
  return has_argument;
}

static const char *pick(uint64_t *state, int n, const char *const *items)
{
  return items[text_random(state) % (uint64_t)n];
}

// What stands for a placeholder: capitals for matrices, w to z for columns.
static void make_argument(uint64_t *state, char placeholder, char *out)
{
  static const char *const matrices[] = {"X", "2*X", "X - Y", "W + lambda*X", "X.*Y", "-W", "exp(X)"};
  static const char *const columns[] = {"w", "x - w", "A*w", "2*x", "x.*w"};
  const bool column = strchr("xyv", placeholder) != NULL;
  snprintf(out, 64, "%s", column ? pick(state, 5, columns) : pick(state, 7, matrices));
}

// The formula with its placeholders replaced, each in parentheses.
static void apply_formula(const char *formula, size_t length, char arguments[128][64], tg_text *out)
{
  for (size_t i = 0; i < length; i++) {
    const bool alone = (i == 0 || !isalnum((unsigned char)formula[i - 1])) && !isalnum((unsigned char)formula[i + 1]);
    const char c = formula[i];
    if (alone && isalpha((unsigned char)c) && arguments[(int)c][0] != '\0')
      tg_text_addf(out, "(%s)", arguments[(int)c]);
    else
      tg_text_add_bytes(out, &c, 1);
  }
}

static bool has_meant_shape(const tg_graph *graph, const tg_symbol *symbol)
{
  const bool one_row = tg_dim_is_one(graph, symbol->rows);
  const bool one_column = tg_dim_is_one(graph, symbol->cols);
  if (strlen(symbol->name) > 1 || symbol->name[0] == 'N') return one_row && one_column;
  if (symbol->name[0] >= 'a') return !one_row && one_column;
  return !one_row && !one_column;
}

// Whether the text is read; then, whether its names have the shapes that were meant.
static bool is_read(const char *text, bool *meant)
{
  tg_graph *graph = NULL;
  tg_node f = TG_NONE;
  const tg_compile_options options = {.infer_undeclared = true};
  assert_int_equal(tg_graph_create(&graph), TG_OK);
  const bool good = tg_compile(graph, text, strlen(text), &options, &f) == TG_OK;
  *meant = good;
  for (int32_t s = 0; good && s < tg_symbol_count(graph); s++)
    *meant = *meant && has_meant_shape(graph, tg_symbol_info(graph, s));
  tg_graph_destroy(&graph);
  return good;
}

// The objective around the part: names that it shares keep their shapes.
static const char *const contexts[] = {"sumsq(%s)", "lambda*sumsq(%s) + sumsq(A*w)", "sum(%s)/N + tr(B*B')",
                                       "norm1(%s) - mu*w'*w", "sumsq(%s) + logdet(eye + A*A')"};

static bool check_one(const char *refused, const char *told, const char *repaired)
{
  bool meant = false;
  const bool is_refused = !is_read(refused, &meant);
  const bool is_told = is_refused && strstr(tg_error_get()->message, told) != NULL;
  const bool is_repaired = is_read(repaired, &meant);
  if (is_refused && is_told && is_repaired && meant) return true;
  fprintf(stderr, "%s\n  remedy %s\n  then   %s: %s\n", refused, told, repaired,
          !is_refused   ? "not refused"
          : !is_told    ? "the remedy is not in the message"
          : is_repaired ? "read with other shapes"
                        : tg_error_get()->message);
  return false;
}

// One call in the words of another system.
static bool check_call(uint64_t *state, const foreign_call *call, size_t length)
{
  char arguments[128][64];
  tg_text told;
  tg_text refused;
  tg_text repaired;
  const char *context = pick(state, 5, contexts);
  const char *hole = strstr(context, "%s");
  memset(arguments, 0, sizeof arguments);
  tg_text_init(&told);
  tg_text_init(&refused);
  tg_text_init(&repaired);
  tg_text_addf(&told, "write %.*s", (int)length, call->remedy);
  tg_text_addf(&refused, "%.*s%s(", (int)(hole - context), context, call->name);
  tg_text_addf(&repaired, "%.*s(", (int)(hole - context), context);
  bool first = true;
  for (const char *c = "ABCXYvxy"; *c != '\0'; c++) {
    bool used = false;
    for (size_t i = 0; i < length; i++)
      used = used || (call->remedy[i] == *c && (i == 0 || !isalnum((unsigned char)call->remedy[i - 1])) &&
                      !isalnum((unsigned char)call->remedy[i + 1]));
    if (!used) continue;
    make_argument(state, *c, arguments[(int)*c]);
    tg_text_addf(&refused, "%s%s", first ? "" : ", ", arguments[(int)*c]);
    first = false;
  }
  apply_formula(call->remedy, length, arguments, &repaired);
  tg_text_addf(&refused, ")%s", hole + 2);
  tg_text_addf(&repaired, ")%s", hole + 2);
  const bool good = check_one(tg_text_string(&refused), tg_text_string(&told), tg_text_string(&repaired));
  tg_text_fini(&told);
  tg_text_fini(&refused);
  tg_text_fini(&repaired);
  return good;
}

// Diag, Dot: the message proposes the function itself.
static bool is_case_of_function(const char *name)
{
  bool found = false;
  for (int32_t i = 0; i < tg_function_count(); i++) found = found || strcasecmp(name, tg_function_at(i)->name) == 0;
  return found;
}

static void test_calls(void **unused)
{
  int wrong = 0;
  int made = 0;
  (void)unused;
  for (uint64_t seed = 1; seed <= count_of(400); seed++) {
    uint64_t state = seed;
    const foreign_call *call = &calls[text_random(&state) % CALLS];
    const size_t length = formula_length(call->remedy);
    if (!is_formula(call->remedy, length) || is_case_of_function(call->name)) continue;
    made++;
    wrong += !check_call(&state, call, length);
  }
  print_message("%d calls of other systems refused and repaired\n", made - wrong);
  assert_true(made > (int)count_of(400) / 3);
  assert_int_equal(wrong, 0);
}

// Products without a sign, Ax and x'AXw: the letters become factors.
static void test_words(void **unused)
{
  static const char *const letters[] = {"A", "B", "X", "W"};
  int wrong = 0;
  (void)unused;
  for (uint64_t seed = 1; seed <= count_of(400) / 4; seed++) {
    uint64_t state = seed;
    tg_text word;
    tg_text told;
    tg_text refused;
    tg_text repaired;
    tg_text_init(&word);
    tg_text_init(&told);
    tg_text_init(&refused);
    tg_text_init(&repaired);
    const int n = 1 + (int)(text_random(&state) % 2);
    for (int k = 0; k < n; k++) {
      const char *letter = pick(&state, 4, letters);
      tg_text_add(&word, letter);
      tg_text_addf(&told, "%s*", letter);
    }
    tg_text_add(&told, "w");
    tg_text_addf(&refused, "lambda*x'%sw + w'*w", tg_text_string(&word));
    tg_text_addf(&repaired, "lambda*x'*%s + w'*w", tg_text_string(&told));
    wrong += !check_one(tg_text_string(&refused), tg_text_string(&told), tg_text_string(&repaired));
    tg_text_fini(&word);
    tg_text_fini(&told);
    tg_text_fini(&refused);
    tg_text_fini(&repaired);
  }
  assert_int_equal(wrong, 0);
}

// ---- slips of each style ----

typedef enum style { MATLAB, NUMPY, R, LATEX, PAPER, STYLES } style;

// What is written in a style and refused, a part of the message, and what the message says to write. {X}, {Y} are
// matrices, {x} is a column. kind: 's' the value is a scalar, 'm' a matrix.
typedef struct slip {
  style style;
  char kind;
  const char *refused;
  const char *told;
  const char *repaired;
} slip;

static const slip slips[] = {
    {MATLAB, 's', "norm({X})", "norm2(", "norm2({X})"},
    {MATLAB, 's', "norm({X}, 1)", "norm1(", "norm1({X})"},
    {MATLAB, 's', "norm({X}, inf)", "norm2(X) is the Frobenius norm", "norm2({X})"},
    {MATLAB, 'm', "sum({X}, 3)", "sum_rows(X)", "sum_rows({X})"},
    {MATLAB, 'm', "({X})^0.5", "write '.^'", "({X}).^0.5"},
    {MATLAB, 'm', "zeros(3).*{X}", "zeros alone", "zeros.*{X}"},
    {MATLAB, 'm', "ones({X}).*{X}", "ones alone", "ones.*{X}"},
    {MATLAB, 's', "|{X}|", "norm2(", "norm2({X})"},
    {MATLAB, 's', "trace W", "is a function: write trace(X)", "trace(W)"},
    {MATLAB, 'm', "mldivide({X}, {Y})", "inv(A)*B", "inv({X})*{Y}"},
    {NUMPY, 'm', "np.sum({X}, axis=1)", "sum_rows(X)", "sum_rows({X})"},
    {NUMPY, 'm', "np.sum({X}, axis=0)", "sum_columns(X)", "sum_columns({X})"},
    {NUMPY, 's', "np.linalg.norm({X}, 'max')", "norm2(", "np.linalg.norm({X})"},
    {NUMPY, 's', "np.linalg.slogdet({X})", "logdet(X)", "logdet({X})"},
    {NUMPY, 'm', "np.linalg.pinv({X})", "inv(A'*A)*A'", "np.linalg.inv({X}.T @ {X}) @ {X}.T"},
    {NUMPY, 'm', "2**{X}**2", "write parentheses", "(2**{X})**2"},
    {NUMPY, 'm', "np.outer({x}, {x})", "x*y'", "{x} @ {x}.T"},
    {NUMPY, 'm', "scipy.special.softmax({X})", "softmax_rows(X)", "softmax_rows({X})"},
    {R, 'm', "apply({X}, 1, sum)", "sum_rows(X)", "rowSums({X})"},
    {R, 'm', "outer({x}, {x})", "x*y'", "{x} %*% t({x})"},
    {R, 's', "norm({X}, \"M\")", "norm2(X)", "norm({X}, \"F\")"},
    {LATEX, 's', "\\operatorname{tr} X^\\top {Y}", "write tr(...)", "\\operatorname{tr}(X^\\top {Y})"},
    {LATEX, 's', "\\log\\det({X})^2", "log(...)", "\\log(\\det({X})^2)"},
    {LATEX, 'm', "{X}^+", "inv(A'*A)*A'", "({X}^\\top {X})^{-1} {X}^\\top"},
    {LATEX, 'm', "{X}^*", "for the transpose", "{X}^\\top"},
    {LATEX, 'm', "A B \\odot {X}", "parentheses", "(A B) \\odot {X}"},
    {LATEX, 's', "{x}^\\top Aw", "A*w", "{x}^\\top A w"},
    {LATEX, 'm', "\\sigma({X})", "sigmoid", "\\operatorname{sigmoid}({X})"},
    {PAPER, 's', "|{X}|", "norm2(", "‖{X}‖"},
    {PAPER, 'm', "A B ⊙ {X}", "parentheses", "(A B) ⊙ {X}"},
    {PAPER, 'm', "A ⊗ B·{X}", "kron(A, B)", "kron(A, B)·{X}"},
    {PAPER, 's', "{x}ᵀAw", "A*w", "{x}ᵀ A w"},
    {PAPER, 'm', "σ({X})", "sigmoid(X)", "sigmoid({X})"},
    {PAPER, 'm', "e^({X})", "exp(x)", "exp({X})"},
    {PAPER, 's', "tr W", "tr(X)", "tr(W)"},
    {PAPER, 'm', "max({X})", "max(X, Y)", "max({X}, {X})"},
};
enum { SLIPS = sizeof slips / sizeof slips[0], CHOICES = 4 };

static const char *const style_matrices[STYLES][CHOICES] = {{"X", "(X - Y)", "X'", "exp(X)"},
                                                            {"X", "(X - Y)", "X.T", "np.exp(X)"},
                                                            {"X", "(X - Y)", "t(X)", "exp(X)"},
                                                            {"X", "(X - Y)", "X^\\top", "\\exp(X)"},
                                                            {"X", "(X − Y)", "Xᵀ", "exp(X)"}};
static const char *const style_columns[STYLES][CHOICES] = {{"w", "(x - w)", "(2*x)", "exp(w)"},
                                                           {"w", "(x - w)", "(2 * x)", "np.exp(w)"},
                                                           {"w", "(x - w)", "(2*x)", "exp(w)"},
                                                           {"w", "(x - w)", "(2 x)", "\\exp(w)"},
                                                           {"w", "(x − w)", "(2x)", "exp(w)"}};
// Around a matrix, then around a scalar.
static const char *const style_contexts[STYLES][2][2] = {
    {{"sum(sum((%s).^2))", "0.5*norm(%s,'fro')^2 + lambda*(z'*z)"}, {"2*(%s)", "lambda*(%s) + z'*z"}},
    {{"np.sum((%s)**2)", "0.5 * np.linalg.norm(%s, 'fro')**2"}, {"2 * (%s)", "(%s) + np.sum(z * z)"}},
    {{"sum((%s)^2)", "0.5*norm(%s, \"F\")^2"}, {"2*(%s)", "(%s) + sum(z %*% t(z))"}},
    {{"\\|%s\\|_F^2", "\\frac{1}{2} \\|%s\\|_F^2 + \\lambda z^\\top z"}, {"2 (%s)", "\\lambda (%s) + z^\\top z"}},
    {{"‖%s‖²", "½ ‖%s‖² + λ zᵀz"}, {"2 (%s)", "λ (%s) + zᵀz"}}};

// The template with its places filled, in the context.
static void fill_slip(const char *context, const char *template, const char *x, const char *y, const char *column,
                      tg_text *out)
{
  const char *hole = strstr(context, "%s");
  tg_text_add_bytes(out, context, (size_t)(hole - context));
  for (const char *c = template; *c != '\0'; c++) {
    const bool is_place = c[0] == '{' && c[1] != '\0' && c[2] == '}' && strchr("XYx", c[1]) != NULL;
    if (!is_place)
      tg_text_add_bytes(out, c, 1);
    else
      tg_text_add(out, c[1] == 'X' ? x : c[1] == 'Y' ? y : column);
    if (is_place) c += 2;
  }
  tg_text_add(out, hole + 2);
}

static void test_slips(void **unused)
{
  int wrong = 0;
  (void)unused;
  for (uint64_t seed = 1; seed <= count_of(400); seed++) {
    uint64_t state = seed;
    const slip *one = &slips[text_random(&state) % SLIPS];
    const char *x = pick(&state, CHOICES, style_matrices[one->style]);
    const char *column = pick(&state, CHOICES, style_columns[one->style]);
    const char *context = pick(&state, 2, style_contexts[one->style][one->kind == 's']);
    tg_text refused;
    tg_text repaired;
    tg_text_init(&refused);
    tg_text_init(&repaired);
    fill_slip(context, one->refused, x, "Z", column, &refused);
    fill_slip(context, one->repaired, x, "Z", column, &repaired);
    wrong += !check_one(tg_text_string(&refused), one->told, tg_text_string(&repaired));
    tg_text_fini(&refused);
    tg_text_fini(&repaired);
  }
  assert_int_equal(wrong, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_calls),
      cmocka_unit_test(test_words),
      cmocka_unit_test(test_slips),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
