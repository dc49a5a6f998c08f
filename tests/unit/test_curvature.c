// Curvature by rules: what is proved, what is not, and that nothing proved is wrong.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "grad/structure/curvature.h"
#include "grad/structure/nonnegative.h"
#include "support/calculus_check.h"
#include "support/random_expression.h"

static const char dims[] = "X=4x3,A=5x4,Y=5x3,S=4x4,P=4x4,C=4x3,K=3x2,s=1x1";
static const char properties[] = "S:symmetric,P:spd";

typedef struct expectation {
  const char *objective;
  tg_curvature curvature;
} expectation;

static const expectation expectations[] = {
    {"tr(C'*X)", TG_CURVATURE_AFFINE},
    {"sumsq(A*X - Y)", TG_CURVATURE_CONVEX},
    {"sumsq(A*X - Y)^2", TG_CURVATURE_CONVEX},
    {"sumsq(X)*sumsq(X)", TG_CURVATURE_CONVEX},
    {"sumsq(X)*sumsq(A*X)", TG_CURVATURE_UNKNOWN},
    {"(sumsq(X) - sumsq(A*X))^2", TG_CURVATURE_UNKNOWN},
    {"tr(X'*P*X) - 2*tr(C'*X)", TG_CURVATURE_CONVEX},
    {"tr(X'*S*X)", TG_CURVATURE_UNKNOWN},
    {"-norm2(X)", TG_CURVATURE_CONCAVE},
    {"sum(softplus(A*X)) - dot(Y, A*X) + sumsq(X)", TG_CURVATURE_CONVEX},
    {"sum(abs(Y).*softplus(A*X))", TG_CURVATURE_CONVEX},
    {"-dot(Y.^2, exp(A*X))", TG_CURVATURE_CONCAVE},
    {"sum(Y.*softplus(A*X))", TG_CURVATURE_UNKNOWN},
    {"sum(exp(exp(A*X)))", TG_CURVATURE_CONVEX},
    {"sum(softplus(X.^2))", TG_CURVATURE_CONVEX},
    {"sum(exp(-X.^2))", TG_CURVATURE_UNKNOWN},
    {"sum(log(exp(A*X)*ones(3,1)))", TG_CURVATURE_CONVEX},
    {"sum(log(ones(1,5)*exp(A*X)))", TG_CURVATURE_CONVEX},
    {"sum(log(ones(5,3) + exp(A*X)))", TG_CURVATURE_CONVEX},
    {"log(sum(exp(X)))", TG_CURVATURE_CONVEX},
    {"sum(log(exp(A*X)*K))", TG_CURVATURE_UNKNOWN}, // the signs of K are not known
    {"sum(log(ones(5,3) - exp(A*X)))", TG_CURVATURE_CONCAVE},
    {"sum(log(exp(X).*exp(X.^2)))", TG_CURVATURE_UNKNOWN},
    {"sum(log(X))", TG_CURVATURE_CONCAVE},
    {"sum(sqrt(ones(5,3) + (A*X - Y).^2))", TG_CURVATURE_CONVEX},
    {"sum(sqrt(2*ones(5,3) + 3*(A*X - Y).^2 + (2*A*X).^2))", TG_CURVATURE_CONVEX},
    {"sum(sqrt(ones(4,3) + X))", TG_CURVATURE_CONCAVE},
    {"sum((A*X - Y).^1.5)", TG_CURVATURE_CONVEX},
    {"sum(X.^(-0.5))", TG_CURVATURE_CONVEX},
    {"sum(X.^(-1))", TG_CURVATURE_UNKNOWN},
    {"sum(sqrt(ones(4,3) - X.^2))", TG_CURVATURE_UNKNOWN},
    {"sum((A*X - Y).^4)", TG_CURVATURE_CONVEX},
    {"sum(X.^3)", TG_CURVATURE_UNKNOWN},
    {"sum(abs(X)) + sum(relu(A*X))", TG_CURVATURE_CONVEX},
    {"sum(abs(X.^2))", TG_CURVATURE_UNKNOWN},
    {"s*sumsq(X)", TG_CURVATURE_UNKNOWN},
    {"sum(exp(X)) - sumsq(X)", TG_CURVATURE_UNKNOWN},
    {"sumsq(X'*X)", TG_CURVATURE_UNKNOWN},
    {"logdet(P + A'*A*X*X'*A'*A)", TG_CURVATURE_UNKNOWN},
    {"logdet(P + X*C')", TG_CURVATURE_UNKNOWN}, // not symmetric
    {"logdet(P + X*C' + C*X')", TG_CURVATURE_CONCAVE},
};

static void test_known(void **unused)
{
  (void)unused;
  for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++) {
    const expectation *e = &expectations[i];
    calculus_world world;
    tg_node f = TG_NONE;
    tg_curvature found = TG_CURVATURE_UNKNOWN;
    const char *reason = NULL;
    assert_int_equal(calculus_open(&world, dims, properties, "X", 1), TG_OK);
    if (calculus_compile(&world, e->objective, true, &f) != TG_OK)
      fail_msg("%s: %s", e->objective, tg_error_get()->message);
    assert_int_equal(tg_curvature_find(world.graph, f, 1, world.symbols, &found, &reason), TG_OK);
    if (found != e->curvature)
      fail_msg("%s: curvature %d (%s), expected %d", e->objective, found, reason, e->curvature);
    assert_non_null(reason);
    calculus_close(&world);
  }
}

// A definite matrix in the middle of a quadratic is a constant: tr(S*P*C*C'*P*S*P) is cubic in P.
static void test_moving_middle(void **unused)
{
  (void)unused;
  calculus_world world;
  tg_node f = TG_NONE;
  tg_curvature found = TG_CURVATURE_CONVEX;
  const char *reason = NULL;
  assert_int_equal(calculus_open(&world, dims, properties, "X", 1), TG_OK);
  assert_int_equal(calculus_compile(&world, "tr(S*P*C*C'*P*S*P)", true, &f), TG_OK);
  const int32_t p = tg_symbol_find(world.graph, "P");
  assert_int_equal(tg_curvature_find(world.graph, f, 1, &p, &found, &reason), TG_OK);
  assert_int_equal(found, TG_CURVATURE_UNKNOWN);
  calculus_close(&world);
}

static double value_at(calculus_world *world, tg_node f, int64_t n, const double *x)
{
  double *out = NULL;
  double value = NAN;
  memcpy(world->names[world->wrt[0]].value.data, x, (size_t)n * sizeof *x);
  if (calculus_sample(world, f, &out) == TG_OK) value = out[0];
  tg_free(out);
  return value;
}

// f at the middle of two points against the mean of its values there. Whether the numbers could tell.
static bool check_middle(calculus_world *world, const char *text, tg_node f, tg_curvature curvature)
{
  enum { MOST = 64 };
  double x[3][MOST];
  const text_value *variable = &world->names[world->wrt[0]].value;
  const int64_t n = variable->rows * variable->cols;
  assert_true(n <= MOST);
  for (int64_t i = 0; i < n; i++) {
    x[0][i] = text_uniform(&world->random);
    x[2][i] = text_uniform(&world->random);
    x[1][i] = (x[0][i] + x[2][i]) / 2;
  }
  double v[3];
  for (int k = 0; k < 3; k++) v[k] = value_at(world, f, n, x[k]);
  const double scale = fmax(fabs(v[0]), fmax(fabs(v[1]), fabs(v[2])));
  if (!isfinite(v[0] + v[1] + v[2]) || scale > 1e12) return false;
  const double gap = (v[0] + v[2]) / 2 - v[1]; // >= 0 where f is convex
  const double room = 1e-9 * fmax(1, scale);
  if (curvature != TG_CURVATURE_CONCAVE && gap < -room) fail_msg("%s is not convex: %g", text, gap);
  if (curvature != TG_CURVATURE_CONVEX && gap > room) fail_msg("%s is not concave: %g", text, gap);
  return true;
}

typedef struct sign_expectation {
  const char *objective;
  bool is_nonnegative;
} sign_expectation;

static const sign_expectation signs[] = {
    {"sumsq(A*X - Y)", true},
    {"sumsq(A*X - Y) + 0.1*norm1(X) + 2", true},
    {"sumsq(A*X - Y) - 0.1*norm1(X)", false},
    {"sumsq(A*X - Y) - 2", false},
    {"sumsq(X'*X)*norm2(Y)", true},
    {"tr(X'*P*X)", true},
    {"tr(X'*S*X)", false},
    {"tr(X'*P*X) - 2*tr(C'*X)", false},
    {"tr((A*X - Y)'*(A*X))", false},
    {"s*sumsq(X)", false},
    {"s^2*sumsq(X) + sum(exp(X))", true},
    {"sum(softplus(A*X)) + sum((X - C).^4)", true},
    {"sum((X - C).^3)", false},
    {"logdet(P)", false},
};

static void test_signs(void **unused)
{
  (void)unused;
  for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
    calculus_world world;
    tg_node f = TG_NONE;
    bool found = false;
    assert_int_equal(calculus_open(&world, dims, properties, "X", 1), TG_OK);
    assert_int_equal(calculus_compile(&world, signs[i].objective, true, &f), TG_OK);
    assert_int_equal(tg_nonnegative_find(world.graph, f, &found), TG_OK);
    if (found != signs[i].is_nonnegative) fail_msg("%s: nonnegative %d", signs[i].objective, found);
    calculus_close(&world);
  }
}

// What is said to be nonnegative is, at the point that the world has drawn.
static bool check_sign(calculus_world *world, const char *text, tg_node f)
{
  double *out = NULL;
  double value = NAN;
  bool is_nonnegative = false;
  assert_int_equal(tg_nonnegative_find(world->graph, f, &is_nonnegative), TG_OK);
  if (!is_nonnegative) return false;
  if (calculus_sample(world, f, &out) == TG_OK) value = out[0];
  tg_free(out);
  if (value < 0) fail_msg("%s is negative: %g", text, value);
  return isfinite(value);
}

static const char *const focuses[] = {"A23", "A33", "A31", "A22", "B32", "S33"};

static void test_random(void **unused)
{
  (void)unused;
  int judged = 0;
  int signed_ones = 0;
  for (uint64_t seed = 1; seed <= 8000; seed++) {
    calculus_world world;
    uint64_t state = seed;
    tg_text text;
    tg_node f = TG_NONE;
    tg_curvature found = TG_CURVATURE_UNKNOWN;
    const char *reason = NULL;
    const char *focus = focuses[seed % (sizeof focuses / sizeof focuses[0])];
    tg_text_init(&text);
    random_expression_about(&state, 1, 1, 2 + (int)(seed % 3), focus, &text);
    assert_int_equal(calculus_open(&world, random_expression_dims, random_expression_properties, focus, seed), TG_OK);
    if (calculus_compile(&world, tg_text_string(&text), true, &f) == TG_OK) {
      assert_int_equal(tg_curvature_find(world.graph, f, 1, world.symbols, &found, &reason), TG_OK);
      signed_ones += check_sign(&world, tg_text_string(&text), f);
      if (found != TG_CURVATURE_UNKNOWN) judged += check_middle(&world, tg_text_string(&text), f, found);
    }
    tg_text_fini(&text);
    calculus_close(&world);
  }
  print_message("%d random objectives have a curvature, %d are nonnegative\n", judged, signed_ones);
  assert_true(judged > 300 && signed_ones > 100);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_known), cmocka_unit_test(test_signs),
                                     cmocka_unit_test(test_moving_middle), cmocka_unit_test(test_random)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
