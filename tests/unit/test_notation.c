// Notation: what is printed in any format reads back as the same node, and what people type in other systems' styles
// means the same as in the language's own.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/calculus_check.h"
#include "support/random_expression.h"
#include "support/typed_style.h"

static const char *const format_names[] = {"expr", "human", "latex", "numpy", "octave"};

// NOTATION_COUNT=n runs so many expressions of each kind.
static uint64_t count_of(uint64_t otherwise)
{
  const char *text = getenv("NOTATION_COUNT");
  return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

// Adjoints of kron are spelled by their definition and need not be the same node again.
static bool has_kron_adjoint(const tg_graph *graph, tg_node node, uint8_t *seen)
{
  const tg_info *info = tg_node_info(graph, node);
  if (info->kind == TG_KRONL || info->kind == TG_KRONR) return true;
  if (seen[node] != 0) return false;
  seen[node] = 1;
  for (int32_t i = 0; i < info->n_args; i++)
    if (has_kron_adjoint(graph, info->args[i], seen)) return true;
  return false;
}

// How many texts of the node were printed with named parts.
static int n_with_parts;

// Of how many formats the node does not come back from its text, shared parts named in texts longer than `bytes`; they
// are shown.
static int count_lost(calculus_world *world, tg_node node, size_t bytes)
{
  int lost = 0;
  uint8_t *seen = calloc((size_t)tg_graph_node_count(world->graph), 1);
  assert_non_null(seen);
  const bool spelled = has_kron_adjoint(world->graph, node, seen);
  free(seen);
  for (int format = 0; format < 5; format++) {
    tg_text text;
    tg_node again = TG_NONE;
    tg_text_init(&text);
    assert_int_equal(tg_print_with_parts(world->graph, node, (tg_format)format, bytes, &text), TG_OK);
    n_with_parts += strstr(tg_text_string(&text), " = ") != NULL;
    const tg_status status = calculus_compile(world, tg_text_string(&text), false, &again);
    const bool deep = status == TG_LIMIT; // what was printed may be nested deeper than a text may be
    if (!deep && (status != TG_OK || (again != node && !spelled))) {
      fprintf(stderr, "%s: %s\n  %s\n", format_names[format], tg_text_string(&text),
              status != TG_OK ? tg_error_get()->message : "another node");
      lost++;
    }
    tg_text_fini(&text);
  }
  return lost;
}

// A gradient and its derivative along B23, with named parts; without them the text must not be shorter.
static int count_lost_parts(calculus_world *world, tg_node gradient, int32_t symbol)
{
  enum { SHORT = 40 };
  tg_node direction = TG_NONE;
  tg_node action = TG_NONE;
  tg_text plain;
  tg_text with_parts;
  assert_int_equal(calculus_compile(world, "B23", false, &direction), TG_OK);
  const int lost = count_lost(world, gradient, SHORT);
  if (tg_forward(world->graph, gradient, 1, &symbol, &direction, &action) != TG_OK) return lost;
  tg_text_init(&plain);
  tg_text_init(&with_parts);
  assert_int_equal(tg_print(world->graph, action, TG_FORMAT_EXPR, &plain), TG_OK);
  assert_int_equal(tg_print_with_parts(world->graph, action, TG_FORMAT_EXPR, SHORT, &with_parts), TG_OK);
  assert_true(with_parts.length <= plain.length);
  tg_text_fini(&plain);
  tg_text_fini(&with_parts);
  return lost + count_lost(world, action, SHORT);
}

// Random expressions with their gradients, or Jacobians, and second derivatives.
static void test_printed_reads_back(void **unused)
{
  static const int shapes[][2] = {{1, 1}, {2, 3}, {3, 1}, {1, 1}, {3, 3}};
  int lost = 0;
  (void)unused;
  for (uint64_t seed = 1; seed <= count_of(300); seed++) {
    calculus_world world;
    uint64_t state = seed;
    tg_text text;
    tg_node f = TG_NONE;
    tg_node derivative = TG_NONE;
    const int *shape = shapes[seed % 5];
    tg_text_init(&text);
    random_expression_about(&state, shape[0], shape[1], 4, "A23", &text);
    assert_int_equal(calculus_open(&world, random_expression_dims, random_expression_properties, "A23", seed), TG_OK);
    const tg_status status = calculus_compile(&world, tg_text_string(&text), false, &f);
    if (status == TG_OK) {
      const int32_t symbol = tg_symbol_find(world.graph, "A23");
      lost += count_lost(&world, f, TG_PRINT_BYTES_MAX);
      const tg_status derived = tg_node_is_scalar(world.graph, f) ? tg_gradient(world.graph, f, 1, &symbol, &derivative)
                                                                  : tg_jacobian(world.graph, f, symbol, &derivative);
      if (derived == TG_OK) lost += count_lost(&world, derivative, TG_PRINT_BYTES_MAX);
      if (derived == TG_OK && tg_node_is_scalar(world.graph, f)) lost += count_lost_parts(&world, derivative, symbol);
    }
    calculus_close(&world);
    tg_text_fini(&text);
  }
  assert_int_equal(lost, 0);
  assert_true(n_with_parts > 100);
}

// ---- typed styles ----

static const char *const style_names[STYLES] = {"own", "MATLAB", "NumPy", "R", "LaTeX", "paper"};

// Capitals are matrices, N a number, u to z columns, Greek words scalars: what the letters were drawn for.
static bool has_meant_shape(const tg_graph *graph, const tg_symbol *symbol)
{
  const bool one_row = tg_dim_is_one(graph, symbol->rows);
  const bool one_column = tg_dim_is_one(graph, symbol->cols);
  const bool is_word = strlen(symbol->name) > 1;
  if (is_word || strcmp(symbol->name, "N") == 0) return one_row && one_column;
  if (symbol->name[0] >= 'a') return !one_row && one_column;
  return !one_row && !one_column;
}

// The objective without declarations; printed with its sizes left out of account, for each style names them in turn.
static bool read_style(uint64_t seed, typed_style style, tg_text *typed, tg_text *printed)
{
  tg_graph *graph = NULL;
  tg_node f = TG_NONE;
  const tg_compile_options options = {.infer_undeclared = true};
  typed_objective(seed, style, typed);
  assert_int_equal(tg_graph_create(&graph), TG_OK);
  bool good = tg_compile(graph, tg_text_string(typed), typed->length, &options, &f) == TG_OK;
  if (!good) tg_text_addf(printed, "refused: %s", tg_error_get()->message);
  if (good) assert_int_equal(tg_print(graph, f, TG_FORMAT_EXPR, printed), TG_OK);
  for (int32_t s = 0; good && s < tg_symbol_count(graph); s++) {
    good = has_meant_shape(graph, tg_symbol_info(graph, s));
    if (!good) tg_text_addf(printed, " with another shape of %s", tg_symbol_info(graph, s)->name);
  }
  tg_graph_destroy(&graph);
  return good;
}

// '*' is the language's own where nothing shows that the text is R.
static bool shows_r(const char *text)
{
  static const char *const marks[] = {"%*%", " t(", "(t(", "\"F\"", "pmax(", "solve("};
  bool found = strncmp(text, "t(", 2) == 0;
  for (size_t i = 0; !found && i < sizeof marks / sizeof marks[0]; i++) found = strstr(text, marks[i]) != NULL;
  return found;
}

static void test_typed_styles(void **unused)
{
  int wrong = 0;
  (void)unused;
  for (uint64_t seed = 1; seed <= count_of(300); seed++) {
    char *own = NULL;
    for (int style = 0; style < STYLES; style++) {
      tg_text typed;
      tg_text printed;
      tg_text_init(&typed);
      tg_text_init(&printed);
      bool good = read_style(seed, (typed_style)style, &typed, &printed);
      if (style == STYLE_OWN) own = strdup(tg_text_string(&printed));
      good = good && strcmp(own, tg_text_string(&printed)) == 0;
      good = good || (style == STYLE_R && !shows_r(tg_text_string(&typed)));
      if (!good)
        fprintf(stderr, "seed %" PRIu64 ", %s: %s\n  read as %s\n  meant   %s\n", seed, style_names[style],
                tg_text_string(&typed), tg_text_string(&printed), own);
      wrong += !good;
      tg_text_fini(&typed);
      tg_text_fini(&printed);
    }
    free(own);
  }
  assert_int_equal(wrong, 0);
}

// ---- remedies ----

// What is refused, what the message says to write, and the text after that.
static const char *const remedies[][3] = {
    {"x'Ax", "A*x", "x'A*x"},
    {"xᵀAx", "A*x", "xᵀA*x"},
    {"\\|Xw - y\\|_2^2", "X*w", "\\|X*w - y\\|_2^2"},
    {"log|Σ|", "det(Σ)", "log det(Σ)"},
    {"-\\frac{n}{2} \\log |\\Sigma|", "--dims Sigma=1", "-\\frac{n}{2} \\log(\\det(\\Sigma))"},
    {"2 @ X", "write '*'", "2 * X"},
    {"norm(X)", "norm2(X)", "norm2(X)"},
    {"norm(X)", "spectral_norm(X)", "spectral_norm(X)"},
    {"sum(svdvals(X, X))", "nuclear_norm(X)", "nuclear_norm(X)"},
    {"Tr[A*X]", "tr(X)", "tr(A*X)"},
    {"tr(A.X)", "the matrix product is '*'", "tr(A*X)"},
    {"tr(Transpose[A]*X)", "X'", "tr(A'*X)"},
    {"sech(x)", "1./cosh(X)", "1./cosh(x)"},
    {"atanh(x)", "log((1 + X)./(1 - X))/2", "log((1 + x)./(1 - x))/2"},
    {"sum(log(vector(1) + exp(x)))", "ones", "sum(log(ones + exp(x)))"},
    {"sum(softmax(x))", "softmax_columns(x)", "sum(softmax_columns(x))"},
    {"max(x)", "max(X, Y) takes two arguments", "max(x, 0)"},
    {"np.dot(A, x)", "A*B", "A*x"},
    {"A\\b", "inv(A)*B", "inv(A)*b"},
    {"1/2x'*x", "(a/b)*c", "(1/2)*x'*x"},
    {"e^{-x}", "exp(x)", "exp(-x)"},
    {"σ(x)", "sigmoid(X)", "sigmoid(x)"},
    {"np.sum(X, axis=0)", "sum_columns(X)", "sum_columns(X)"},
    {"A B ⊙ C", "parentheses", "(A B) ⊙ C"},
    {"\\log\\det(X)^2", "log(...)", "\\log(\\det(X)^2)"},
    {"pinv(A)*b", "inv(A'*A)*A'", "inv(A'*A)*A'*b"},
};

static bool compiles(const char *text)
{
  tg_graph *graph = NULL;
  tg_node f = TG_NONE;
  const tg_compile_options options = {.infer_undeclared = true};
  assert_int_equal(tg_graph_create(&graph), TG_OK);
  const bool good = tg_compile(graph, text, strlen(text), &options, &f) == TG_OK;
  tg_graph_destroy(&graph);
  return good;
}

static void test_remedies(void **unused)
{
  int wrong = 0;
  (void)unused;
  for (size_t i = 0; i < sizeof remedies / sizeof remedies[0]; i++) {
    const bool refused = !compiles(remedies[i][0]);
    const bool told = refused && strstr(tg_error_get()->message, remedies[i][1]) != NULL;
    const bool read = compiles(remedies[i][2]);
    if (!refused || !told || !read)
      fprintf(stderr, "%s, then %s: %s\n", remedies[i][0], remedies[i][2], !refused ? "read" : tg_error_get()->message);
    wrong += !refused || !told || !read;
  }
  assert_int_equal(wrong, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_printed_reads_back),
      cmocka_unit_test(test_typed_styles),
      cmocka_unit_test(test_remedies),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
