// Objectives that fall apart into functions of columns or rows: which are seen to, and that they do.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "grad/structure/groups.h"
#include "support/calculus_check.h"
#include "support/random_expression.h"

// X, B 4 x 3; x a column, y a row; C 2 x 3; Q, S and K square, D and E diagonal.
static const char dims[] = "X=4x3,B=4x3,b=1x3,C=2x3,Z=3x2,x=4x1,A=5x4,Y=5x3,S=4x4,K=3x3,D=3x3,E=4x4,v=3x1,s=1x1,W=5x3";
static const char properties[] = "S:symmetric,D:diagonal,E:diagonal";

typedef struct expectation {
  const char *objective;
  const char *wrt;
  int64_t count;
  const char *sides; // of each variable: c or r
} expectation;

static const expectation expectations[] = {
    // losses and ridges, by columns
    {"sumsq(A*X - Y) + s*sumsq(X)", "X", 3, "c"},
    {"sum(softplus(A*X)) - dot(Y, A*X)", "X", 3, "c"},
    {"sumsq(W.*(A*X - Y)) + tr(X'*S*X)", "X", 3, "c"},
    {"sum(log(ones(1,5)*exp(A*X)))", "X", 3, "c"},
    {"sum(tanh(A*X*D).^3)", "X", 3, "c"},
    {"tr(S*X*D*X')", "X", 3, "c"},
    {"sum(sqrt(ones + (A*X - Y).^2))", "X", 3, "c"},
    {"tr(X'*S*X*D) + tr(X*B')", "X", 3, "c"},
    {"sum(diagvec(X'*S*X).^2)", "X", 3, "c"},
    // by rows
    {"sumsq(X*K - B)", "X", 4, "r"},
    {"sum(softplus(X*K)) + sumsq(E*X)", "X", 4, "r"},
    {"tr(X*K*X')", "X", 4, "r"},
    {"sum(log(exp(X)*ones(3,1)))", "X", 4, "r"},
    {"sum(exp(X')) + tr(K'*X'*E*X)", "X", 4, "r"},
    // both: columns come first
    {"sum(exp(X)) + sumsq(X)", "X", 3, "c"},
    {"sum(exp(x))", "x", 4, "r"},
    // several variables
    {"sum(softplus(A*X + ones(5,1)*b)) + sumsq(b)", "X,b", 3, "cc"},
    {"sumsq(A*X - Y) + sumsq(Z*C - K)", "X,Z", 3, "cr"},
    {"sumsq(A*X - W*Z*ones(2,3))", "X,Z", 1, ""},
    {"sumsq(A*X - Y) + sum(exp(Z'))", "X,Z", 3, "cr"},
    {"sumsq(X*v - x)", "X,x", 4, "rr"},
    // coupled
    {"sumsq(A*X*K - Y)", "X", 1, ""},
    {"tr(X'*S*X*K)", "X", 1, ""},
    {"sumsq(X'*X)", "X", 1, ""},
    {"sum(log(exp(A*X)*ones(3,1)))", "X", 1, ""},
    {"norm2(X)", "X", 1, ""},
    {"exp(sum(X))", "X", 1, ""},
    {"sumsq(X)*sum(X)", "X", 1, ""},
    {"sum((A*X*v).^2)", "X", 1, ""},
    {"logdet(X'*X)", "X", 1, ""},
    {"tr(X'*S*X)^2", "X", 1, ""},
    {"sumsq(A*X - s*Y)", "X,s", 1, ""},
    {"x'*S*x", "x", 1, ""},
    // linear: any sum of entries falls apart
    {"sum(A*X*K) + x'*E*x", "X", 3, "c"},
    {"sum(X*v)", "X", 3, "c"},
};

static void open_world(calculus_world *world, const char *wrt, uint64_t seed)
{
  assert_int_equal(calculus_open(world, dims, properties, wrt, seed), TG_OK);
}

static void test_known(void **unused)
{
  (void)unused;
  for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++) {
    const expectation *e = &expectations[i];
    calculus_world world;
    tg_node f = TG_NONE;
    int64_t count = 0;
    bool by_rows[CALCULUS_WRT_MAX] = {false};
    open_world(&world, e->wrt, 1);
    if (calculus_compile(&world, e->objective, true, &f) != TG_OK)
      fail_msg("%s: %s", e->objective, tg_error_get()->message);
    assert_int_equal(tg_find_groups(world.graph, f, world.n_wrt, world.symbols, &count, by_rows), TG_OK);
    if (count != e->count) fail_msg("%s: %d groups, expected %d", e->objective, (int)count, (int)e->count);
    for (int k = 0; k < (int)strlen(e->sides); k++)
      if (by_rows[k] != (e->sides[k] == 'r')) fail_msg("%s: variable %d is by the wrong side", e->objective, k);
    calculus_close(&world);
  }
}

static bool is_in_group(const text_value *x, bool by_rows, int64_t group, int64_t entry)
{
  return (by_rows ? entry % x->rows : entry / x->rows) == group;
}

// Moves the first group and compares the gradient in the others: f is a sum over groups only if it stays. Whether the
// numbers could tell.
static bool check_first_group(calculus_world *world, const char *text, tg_node gradient, bool by_rows)
{
  const text_value *x = &world->names[world->wrt[0]].value;
  const int64_t n = x->rows * x->cols;
  double *before = NULL;
  double *after = NULL;
  double largest = 0;
  assert_int_equal(calculus_sample(world, gradient, &before), TG_OK);
  for (int64_t i = 0; i < n; i++)
    if (is_in_group(x, by_rows, 0, i)) x->data[i] *= 1.25;
  assert_int_equal(calculus_sample(world, gradient, &after), TG_OK);
  for (int64_t i = 0; i < n; i++) largest = fmax(largest, fmax(fabs(before[i]), fabs(after[i])));
  for (int64_t i = 0; i < n && isfinite(largest); i++)
    if (!is_in_group(x, by_rows, 0, i) && fabs(after[i] - before[i]) > 1e-9 * largest)
      fail_msg("%s: entry %d of the gradient moves with another group, by %g of %g", text, (int)i, after[i] - before[i],
               largest);
  tg_free(before);
  tg_free(after);
  return isfinite(largest) && largest > 0;
}

static const char *const focuses[] = {"A23", "A33", "A31", "A13", "A22", "B32", "S33", "U21"};

static void test_random(void **unused)
{
  (void)unused;
  int found = 0;
  for (uint64_t seed = 1; seed <= 6000; seed++) {
    calculus_world world;
    uint64_t state = seed;
    tg_text text;
    tg_node f = TG_NONE;
    tg_node gradient = TG_NONE;
    int64_t count = 0;
    bool by_rows = false;
    const char *focus = focuses[seed % (sizeof focuses / sizeof focuses[0])];
    tg_text_init(&text);
    random_expression_about(&state, 1, 1, 2 + (int)(seed % 3), focus, &text);
    assert_int_equal(calculus_open(&world, random_expression_dims, random_expression_properties, focus, seed), TG_OK);
    if (calculus_compile(&world, tg_text_string(&text), true, &f) == TG_OK) {
      assert_int_equal(tg_find_groups(world.graph, f, 1, world.symbols, &count, &by_rows), TG_OK);
      if (count > 1 && tg_gradient(world.graph, f, 1, world.symbols, &gradient) == TG_OK)
        found += check_first_group(&world, tg_text_string(&text), gradient, by_rows);
    }
    tg_text_fini(&text);
    calculus_close(&world);
  }
  print_message("%d random objectives fall apart\n", found);
  assert_true(found > 300);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_known), cmocka_unit_test(test_random)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
