// Terms w norm1(X) taken out of a sum: which are, with what weight, and what is left.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "grad/calculus.h"
#include "grad/structure/norm1.h"

static const tg_declaration declared[] = {
    {.name = "X", .rows = 4, .cols = 3, .is_free = true},
    {.name = "Z", .rows = 3, .cols = 2, .is_free = true},
    {.name = "x", .rows = 1, .cols = 1, .is_free = true},
    {.name = "A", .rows = 5, .cols = 4},
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

typedef struct expectation {
  const char *objective;
  double weights[VARIABLES]; // of X, Z, x; lambda = 0.5, mu is a matrix of one entry: not known
  const char *smooth;
} expectation;

static const expectation expectations[] = {
    {"sumsq(A*X) + lambda*norm1(X)", {0.5, 0, 0}, "sumsq(A*X)"},
    {"sumsq(A*X) + 3*norm1(X) + norm1(X')", {4, 0, 0}, "sumsq(A*X)"},
    {"2*(sumsq(A*X) + lambda*norm1(X)) + norm1(Z) + sumsq(X*Z)", {1, 1, 0}, "2*sumsq(A*X) + sumsq(X*Z)"},
    {"norm1(X)", {1, 0, 0}, "0"},
    {"abs(x)*lambda + x^2", {0, 0, 0.5}, "x^2"},
    {"sumsq(A*X) - lambda*norm1(X)", {0, 0, 0}, "sumsq(A*X) - lambda*norm1(X)"},
    {"sumsq(A*X) + mu*norm1(X)", {0, 0, 0}, "sumsq(A*X) + mu*norm1(X)"},
    {"sumsq(X) + norm1(A*X) + norm1(X)", {1, 0, 0}, "sumsq(X) + norm1(A*X)"},
    {"sumsq(X) + norm1(X)*norm1(Z)", {0, 0, 0}, "sumsq(X) + norm1(X)*norm1(Z)"},
    {"sumsq(X) + norm1(X)^2", {0, 0, 0}, "sumsq(X) + norm1(X)^2"},
};

static void test_split(void **unused)
{
  (void)unused;
  for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++) {
    const expectation *e = &expectations[i];
    tg_graph *graph = NULL;
    assert_int_equal(tg_graph_create(&graph), TG_OK);
    const tg_node f = compile(graph, e->objective);
    const tg_node expected = compile(graph, e->smooth);
    double values[16] = {0};
    bool is_known[16] = {false};
    const int32_t wrt[VARIABLES] = {tg_symbol_find(graph, "X"), tg_symbol_find(graph, "Z"), tg_symbol_find(graph, "x")};
    const int32_t lambda = tg_symbol_find(graph, "lambda");
    if (lambda >= 0) {
      values[lambda] = 0.5;
      is_known[lambda] = true;
    }
    double weights[VARIABLES] = {-1, -1, -1};
    tg_node smooth = TG_NONE;
    assert_int_equal(tg_norm1_split(graph, f, VARIABLES, wrt, values, is_known, weights, &smooth), TG_OK);
    for (int k = 0; k < VARIABLES; k++)
      if (fabs(weights[k] - e->weights[k]) > 1e-15)
        fail_msg("%s: weight %d is %g, expected %g", e->objective, k, weights[k], e->weights[k]);
    if (smooth != expected) fail_msg("%s: the rest is not %s", e->objective, e->smooth);
    tg_graph_destroy(&graph);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_split)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
