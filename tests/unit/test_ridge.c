// How strongly convex the squares beside a convex sum make it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "grad/calculus.h"
#include "grad/structure/ridge.h"

static const tg_declaration declared[] = {
    {.name = "X", .rows = 4, .cols = 3, .is_free = true},
    {.name = "Z", .rows = 3, .cols = 2, .is_free = true},
    {.name = "A", .rows = 5, .cols = 4},
    {.name = "lambda", .rows = 1, .cols = 1},
    {.name = "mu", .rows = 1, .cols = 1},
};

typedef struct expectation {
  const char *objective; // lambda = 0.5; mu is not known
  int32_t n;             // variables: X, or X and Z
  double convexity;
} expectation;

static const expectation expectations[] = {
    {"sumsq(A*X) + lambda*sumsq(X)", 1, 1},
    {"sum(softplus(A*X)) + 3*sumsq(X) + sumsq(X')", 1, 8},
    {"2*(sumsq(A*X) + lambda*sumsq(X)) + sumsq(Z)", 2, 2},
    {"sumsq(X)", 1, 2},
    {"sumsq(A*X) + sum(X) + lambda*2*tr(X'*X)", 1, 2},
    {"sumsq(A*X)", 1, 0},
    {"sumsq(A*X) + mu*sumsq(X)", 1, 0},
    {"sumsq(A*X) - lambda*sumsq(X)", 1, 0},
    {"sumsq(A*X) + sumsq(X)", 2, 0},
    {"sumsq(A*X) + sumsq(X)*sumsq(X)", 1, 0},
    // Convex as a whole, and not without the squares: nothing is claimed.
    {"3*sumsq(X) - 2*sumsq(X')", 1, 2},
    {"sumsq(X) + sum(sigmoid(A*X))", 1, 0},
    {"sumsq(X) + sumsq(Z) + sumsq(X*Z)", 2, 0},
};

static void test_find(void **unused)
{
  (void)unused;
  for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++) {
    const expectation *e = &expectations[i];
    const tg_compile_options options = {.n_declarations = sizeof declared / sizeof declared[0],
                                        .declarations = declared};
    tg_graph *graph = NULL;
    tg_node f = TG_NONE;
    double values[16] = {0};
    bool is_known[16] = {false};
    double found = -1;
    assert_int_equal(tg_graph_create(&graph), TG_OK);
    assert_int_equal(tg_compile(graph, e->objective, strlen(e->objective), &options, &f), TG_OK);
    const int32_t lambda = tg_symbol_find(graph, "lambda");
    if (lambda >= 0) {
      values[lambda] = 0.5;
      is_known[lambda] = true;
    }
    int32_t wrt[2] = {tg_symbol_find(graph, "X"), tg_symbol_find(graph, "Z")};
    if (wrt[1] < 0) assert_int_equal(tg_symbol_add(graph, "Z", 3, 2, 0, true, &wrt[1]), TG_OK);
    assert_int_equal(tg_ridge_find(graph, f, e->n, wrt, values, is_known, &found), TG_OK);
    if (fabs(found - e->convexity) > 1e-15)
      fail_msg("%s: convexity %g, expected %g", e->objective, found, e->convexity);
    tg_graph_destroy(&graph);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_find)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
