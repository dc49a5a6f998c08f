// Gradients to the letter: what reverse sweep and derivation print once like terms and factors are put together.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "grad/explain/explain.h"
#include "support/calculus_check.h"

typedef struct row {
  const char *expression;
  const char *wrt;
  const char *dims;
  const char *properties;
  const char *printed; // of the gradients by each, one after the other
} row;

static void print_factored(calculus_world *world, tg_node node, tg_text *out)
{
  assert_int_equal(tg_factor_common(world->graph, node, &node), TG_OK);
  assert_int_equal(tg_print(world->graph, node, TG_FORMAT_EXPR, out), TG_OK);
}

static bool is_printed(const row *r)
{
  calculus_world world;
  tg_node f = TG_NONE;
  tg_node gradients[CALCULUS_WRT_MAX] = {TG_NONE};
  tg_text swept;
  tg_text derived;
  tg_text_init(&swept);
  tg_text_init(&derived);
  assert_int_equal(calculus_open(&world, r->dims, r->properties, r->wrt, 3), TG_OK);
  assert_int_equal(calculus_compile(&world, r->expression, true, &f), TG_OK);
  assert_int_equal(tg_gradient(world.graph, f, world.n_wrt, world.symbols, gradients), TG_OK);
  for (int32_t k = 0; k < world.n_wrt; k++) {
    tg_explanation explanation;
    assert_int_equal(tg_explain(world.graph, f, world.symbols[k], TG_FORMAT_EXPR, &explanation), TG_OK);
    print_factored(&world, gradients[k], &swept);
    print_factored(&world, explanation.gradient, &derived);
    tg_explanation_fini(&explanation);
  }
  const bool right =
      strcmp(tg_text_string(&swept), r->printed) == 0 && strcmp(tg_text_string(&derived), r->printed) == 0;
  if (!right)
    fprintf(stderr, "%s by %s: %s\n  swept   %s\n  derived %s\n", r->expression, r->wrt, r->printed,
            tg_text_string(&swept), tg_text_string(&derived));
  calculus_close(&world);
  tg_text_fini(&swept);
  tg_text_fini(&derived);
  return right;
}

static void assert_printed(size_t n, const row *rows)
{
  int wrong = 0;
  for (size_t k = 0; k < n; k++) wrong += !is_printed(&rows[k]);
  assert_int_equal(wrong, 0);
}

static void test_powers_of_products(void **unused)
{
  static const row rows[] = {
      {"tr((X*X')^3)", "X", "X=3x4", "", "6*(X*X')^2*X"},
      {"tr(X*X'*X*X'*X*X')", "X", "X=3x4", "", "6*(X*X')^2*X"},
      {"tr((X'*X)^3)", "X", "X=3x4", "", "6*(X*X')^2*X"},
      {"tr((X'*X)^4)", "X", "X=3x4", "", "8*(X*X')^3*X"},
      {"tr((A*X)^3)", "X", "A=3x4,X=4x3", "", "3*(A'*X')^2*A'"},
      {"tr((A*X)^4)", "X", "A=3x4,X=4x3", "", "4*(A'*X')^3*A'"},
      {"tr((X'*A*X)^3)", "X", "A=4x4,X=4x3", "A:symmetric", "6*(A*X*X')^2*A*X"},
      {"tr((A*X)^32)", "X", "A=3x4,X=4x3", "", "32*(A'*X')^31*A'"},
      {"tr((A*B*A*B*C)^2*X)", "X", "A=3x3,B=3x3,C=3x3,X=3x3", "", "(C'*(B'*A')^2)^2"},
      {"det((X'*X)^2)", "X", "X=4x3", "", "4*det(X'*X)^2*X*inv(X'*X)"},
      {"logdet((X'*X)^2)", "X", "X=4x3", "", "4*X*inv(X'*X)"},
      {"tr((A*X)^2*inv(A*X)*B)", "X", "A=3x4,X=4x3,B=3x3", "", "A'*B'"},
  };
  (void)unused;
  assert_printed(sizeof rows / sizeof rows[0], rows);
}

static void test_functions_that_cancel(void **unused)
{
  static const row rows[] = {
      {"sumsq(x - mean(x))", "x", "x=4x1", "", "2*x - 0.5*sum(x)*ones(4,1)"},
      {"sum(log(sigmoid(X)))", "X", "X=4x3", "", "sigmoid(-X)"},
      {"sum(log(1 - sigmoid(A*X)))", "X", "A=2x4,X=4x3", "", "-A'*sigmoid(A*X)"},
      {"sum(logsumexp_rows(X))", "X", "X=4x3", "", "softmax_rows(X)"},
      {"logdet(A*X*B)", "X", "A=3x3,X=3x3,B=3x3", "", "inv(X)'"},
      {"logdet(A*X'*Y*X)", "Y", "A=3x3,X=4x3,Y=4x4", "", "X*inv(X'*Y*X)'*X'"},
      {"det(X)^s", "X", "X=3x3,s=1x1", "", "s*det(X)^s*inv(X)'"},
      {"t^s*t^r*t", "t", "t=1x1,s=1x1,r=1x1", "", "t^(r + s)*(r + s + 1)"},
      {"tr(comm(3,4)*comm(4,3)*X)", "X", "X=12x12", "", "eye(12)"},
      {"tr(kron(A,B)*kron(X,D))", "X", "A=2x3,B=3x2,X=3x2,D=2x3", "", "tr(B*D)*A'"},
  };
  (void)unused;
  assert_printed(sizeof rows / sizeof rows[0], rows);
}

// Rules that hold at every value, kinks and zero included, and the spelling that is shortest.
static void test_short_forms(void **unused)
{
  static const row rows[] = {
      {"sum(relu(X).^2)", "X", "X=3x4", "", "2*relu(X)"},
      {"sum(X.*relu(X))", "X", "X=3x4", "", "2*relu(X)"},
      {"sum(relu(X').^3)", "X", "X=3x4", "", "3*relu(X).^2"},
      {"sum(X.*abs(X))", "X", "X=3x4", "", "2*abs(X)"},
      {"sum(abs(X).^3)", "X", "X=3x4", "", "3*X.*abs(X)"},
      {"sumsq(abs(X))", "X", "X=3x4", "", "2*X"},
      {"sum(abs(X).^1.5)", "X", "X=3x4", "", "1.5*sqrt(abs(X)).*sign(X)"},
      {"relu(s)^2 + abs(s)^3", "s", "s=1x1", "", "3*s*abs(s) + 2*relu(s)"},
      {"sum(sign(X).*X)", "X", "X=3x4", "", "sign(X)"},
      {"vec(X)'*kron(A,B)*vec(X)", "X", "A=3x3,B=4x4,X=4x3", "", "B*X*A' + B'*X*A"},
      {"sumsq(kron(A,B)*vec(X) - vec(C))", "X", "A=3x3,B=4x4,X=4x3,C=4x3", "", "2*B'*(B*X*A' - C)*A"},
      {"vec(X)'*comm(4,3)*vec(C)", "X", "X=3x4,C=4x3", "", "C'"},
      {"0.1*0.2*sum(X)", "X", "X=3x4", "", "0.02*ones(3,4)"},
      {"(1 - 0.9)*tr(A*X)", "X", "A=4x3,X=3x4", "", "0.1*A'"},
      {"0.1^2*tr(A*X)", "X", "A=4x3,X=3x4", "", "0.01*A'"},
      {"0.1*tr(A*X) + 0.2*tr(A*X)", "X", "A=4x3,X=3x4", "", "0.3*A'"},
      {"0.30000000000000004*tr(A*X)", "X", "A=4x3,X=3x4", "", "0.30000000000000004*A'"},
      {"sigmoid(s)", "s", "s=1x1", "", "sigmoid(s)*(1 - sigmoid(s))"},
      {"sum(sigmoid(X))", "X", "X=3x4", "", "sigmoid(X).*(ones(3,4) - sigmoid(X))"},
      {"x'*x/(x'*x + 1)", "x", "x=3x1", "", "2*x/(x'*x + 1)^2"},
      {"1/(x'*x + 1)", "x", "x=3x1", "", "-2*x/(x'*x + 1)^2"},
      {"s/sqrt(s^2 + 1)", "s", "s=1x1", "", "(s^2 + 1)^-1.5"},
      {"sum(exp(X)./(1 + exp(X)))", "X", "X=3x4", "", "sigmoid(X).*(ones(3,4) - sigmoid(X))"},
      {"sum(log(exp(X) + exp(-X)))", "X", "X=3x4", "", "tanh(X)"},
      {"sum(log(2*exp(X) + 2*exp(Y)))", "Y", "X=3x4,Y=3x4", "", "sigmoid(Y - X)"},
      {"-sum(y.*log(sigmoid(A*x)) + (1 - y).*log(1 - sigmoid(A*x)))", "x", "y=3,A=3x2,x=2", "",
       "A'*(sigmoid(A*x) - y)"},
      {"-sum(y.*log(sigmoid(A*x + b)) + (1 - y).*log(1 - sigmoid(A*x + b)))/s", "x", "y=3,A=3x2,x=2,b=3,s=1", "",
       "A'*(sigmoid(A*x + b) - y)/s"},
      {"sum(sigmoid(X)) + sum(sigmoid(-X))", "X", "X=3x4", "", "zeros(3,4)"},
      {"s*(s + t)^-1", "s", "s=1x1,t=1x1", "", "t/(s + t)^2"},
  };
  (void)unused;
  assert_printed(sizeof rows / sizeof rows[0], rows);
}

// More than a hundred factors are one power, written as two where the language has no such exponent.
static void test_a_power_of_many_factors(void **unused)
{
  tg_text text;
  (void)unused;
  tg_text_init(&text);
  tg_text_add(&text, "tr(X");
  for (int k = 1; k < 130; k++) tg_text_add(&text, "*X");
  tg_text_add(&text, ")");
  const row r = {tg_text_string(&text), "X", "X=3x3", "", "130*(X'^100*X'^29)"};
  assert_printed(1, &r);
  tg_text_fini(&text);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_powers_of_products),
      cmocka_unit_test(test_functions_that_cancel),
      cmocka_unit_test(test_short_forms),
      cmocka_unit_test(test_a_power_of_many_factors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
