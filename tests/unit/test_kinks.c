// norm1 and relu of affine expressions taken out of a sum: which are, with what slopes, and what is left.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>

#include "grad/calculus.h"
#include "grad/structure/kinks.h"

static const tg_declaration declared[] = {
    {.name = "X", .rows = 4, .cols = 3, .is_free = true},
    {.name = "Z", .rows = 3, .cols = 2, .is_free = true},
    {.name = "x", .rows = 1, .cols = 1, .is_free = true},
    {.name = "A", .rows = 5, .cols = 4},
    {.name = "B", .rows = 5, .cols = 3},
    {.name = "lambda", .rows = 1, .cols = 1},
    {.name = "mu", .rows = 1, .cols = 1},
};

enum { VARIABLES = 3 };

static tg_node compile(tg_graph *graph, const char *text)
{
  const tg_compile_options options = {.n_declarations = sizeof declared / sizeof declared[0], .declarations = declared};
  tg_node out = TG_NONE;
  assert_int_equal(tg_compile(graph, text, strlen(text), &options, &out), TG_OK);
  return out;
}

// One kink at most; lambda = 0.5, mu is a matrix of one entry: not known.
typedef struct expectation {
  const char *objective;
  const char *inside; // NULL: nothing is taken
  double low;
  double high;
  const char *rest;
} expectation;

static const expectation expectations[] = {
    {"norm1(A*X - B)", "A*X - B", -1, 1, "0"},
    {"sumsq(X) + 2*lambda*norm1(A*X - B)", "A*X - B", -1, 1, "sumsq(X)"},
    {"sum(0.3*relu(B - A*X) + 0.7*relu(A*X - B))", "A*X - B", -0.3, 0.7, "0"},
    {"sum(relu(A*X)) + norm1(A*X) + norm1(-A*X)", "A*X", -2, 3, "0"},
    {"abs(2*x - 1) + x^2", "2*x - 1", -1, 1, "x^2"},
    {"sum(A.*abs(A*x)) + sumsq(X)", "A.*(A*x)", -1, 1, "sumsq(X)"},
    {"2*tr(B'*relu(A*X))", "2*B.*(A*X)", 0, 1, "0"},
    {"norm1(X.*X)", NULL, 0, 0, "norm1(X.*X)"},
    {"norm1(X*Z)", NULL, 0, 0, "norm1(X*Z)"},
    {"norm1(relu(A*X))", NULL, 0, 0, "norm1(relu(A*X))"},
    {"norm1(A) + sumsq(X)", NULL, 0, 0, "norm1(A) + sumsq(X)"},
    {"sumsq(X) - norm1(A*X)", NULL, 0, 0, "sumsq(X) - norm1(A*X)"},
    {"sumsq(X) + mu*norm1(A*X)", NULL, 0, 0, "sumsq(X) + mu*norm1(A*X)"},
    {"norm1(A*X)*sum(relu(x*ones(2,2)))", NULL, 0, 0, "norm1(A*X)*sum(relu(x*ones(2,2)))"},
    {"sumsq(relu(A*X))", NULL, 0, 0, "sumsq(relu(A*X))"},
};

static void check(const expectation *e)
{
  tg_graph *graph = NULL;
  assert_int_equal(tg_graph_create(&graph), TG_OK);
  const tg_node f = compile(graph, e->objective);
  const tg_node expected = compile(graph, e->rest);
  const tg_node inside = e->inside != NULL ? compile(graph, e->inside) : TG_NONE;
  double values[16] = {0};
  bool is_known[16] = {false};
  const int32_t wrt[VARIABLES] = {tg_symbol_find(graph, "X"), tg_symbol_find(graph, "Z"), tg_symbol_find(graph, "x")};
  const int32_t lambda = tg_symbol_find(graph, "lambda");
  tg_kink kinks[TG_KINKS_MAX];
  int n = 0;
  tg_node rest = TG_NONE;
  tg_node opposite = TG_NONE;
  if (lambda >= 0) values[lambda] = 0.5;
  if (lambda >= 0) is_known[lambda] = true;
  assert_int_equal(tg_kinks_split(graph, f, VARIABLES, wrt, values, is_known, kinks, &n, &rest), TG_OK);
  if (rest != expected) fail_msg("%s: the rest is not %s", e->objective, e->rest);
  if (n != (e->inside != NULL)) fail_msg("%s: %d kinks", e->objective, n);
  if (n == 1) {
    assert_int_equal(tg_make_scale(graph, -1, inside, &opposite), TG_OK);
    const bool is_turned = kinks[0].inside == opposite;
    const double low = is_turned ? -kinks[0].high : kinks[0].low;
    const double high = is_turned ? -kinks[0].low : kinks[0].high;
    if (!is_turned && kinks[0].inside != inside) fail_msg("%s: the inside is not %s", e->objective, e->inside);
    if (fabs(low - e->low) + fabs(high - e->high) > 1e-15) fail_msg("%s: slopes %g, %g", e->objective, low, high);
  }
  tg_graph_destroy(&graph);
}

static void test_split(void **unused)
{
  (void)unused;
  for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++) check(&expectations[i]);
}

static void test_limit(void **unused)
{
  (void)unused;
  tg_graph *graph = NULL;
  tg_kink kinks[TG_KINKS_MAX];
  int n = 0;
  assert_int_equal(tg_graph_create(&graph), TG_OK);
  for (int k = 0; k <= TG_KINKS_MAX; k++) {
    char text[40];
    snprintf(text, sizeof text, "X + %d*ones", k + 1);
    const tg_kink kink = {.inside = compile(graph, text), .low = -1, .high = 1};
    assert_int_equal(tg_kinks_add(graph, kink, kinks, &n), k < TG_KINKS_MAX ? TG_OK : TG_LIMIT);
  }
  tg_error_clear();
  tg_graph_destroy(&graph);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_split), cmocka_unit_test(test_limit)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
