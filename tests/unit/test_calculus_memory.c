// Every allocation on the way from text to printed derivatives fails once: TG_MEMORY each time, nothing leaked.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "grad/calculus.h"

static const tg_declaration names[] = {
    {.name = "A", .rows = 4, .cols = 3},
    {.name = "S", .rows = 4, .cols = 4, .properties = TG_SPD},
    {.name = "X", .rows = 3, .cols = 3, .is_free = true},
    {.name = "x", .rows = 3, .cols = 1, .is_free = true},
};

// Gradient, its factored form, Hessian action and line polynomial, or the Jacobian; printed in each format.
static tg_status differentiate(tg_graph *graph, tg_node f, int32_t symbol, tg_text *out)
{
  tg_node result = TG_NONE;
  tg_node factored = TG_NONE;
  tg_node action = TG_NONE;
  tg_node along = TG_NONE;
  tg_node line[3] = {TG_NONE};
  if (tg_node_is_scalar(graph, f)) {
    TG_TRY(tg_gradient(graph, f, 1, &symbol, &result));
    TG_TRY(tg_factor_common(graph, result, &factored));
    TG_TRY(tg_make_sym(graph, symbol, &along));
    TG_TRY(tg_forward(graph, result, 1, &symbol, &along, &action));
    TG_TRY(tg_line_polynomial(graph, f, 1, &symbol, &along, 2, line));
    TG_TRY(tg_print(graph, factored, TG_FORMAT_EXPR, out));
    TG_TRY(tg_print(graph, action, TG_FORMAT_EXPR, out));
  } else {
    TG_TRY(tg_jacobian(graph, f, symbol, &result));
  }
  for (int format = TG_FORMAT_EXPR; format <= TG_FORMAT_OCTAVE; format++)
    TG_TRY(tg_print(graph, result, (tg_format)format, out));
  return TG_OK;
}

static tg_status derive(const char *text, bool infer, tg_graph **graph, tg_text *out)
{
  const tg_compile_options options = {
      .n_declarations = infer ? 0 : sizeof names / sizeof names[0], .declarations = names, .infer_undeclared = infer};
  tg_node f = TG_NONE;
  TG_TRY(tg_graph_create(graph));
  TG_TRY(tg_compile(*graph, text, strlen(text), &options, &f));
  return differentiate(*graph, f, tg_symbol_find(*graph, strchr(text, 'X') != NULL ? "X" : "x"), out);
}

// Fails allocation 1, 2, 3, ... until a run needs fewer; returns how many failed. The result of that run is checked
// against one without faults: a swallowed failure would show there.
static int64_t sweep(const char *text, bool infer)
{
  tg_text expected;
  tg_graph *graph = NULL;
  tg_text_init(&expected);
  assert_int_equal(derive(text, infer, &graph, &expected), TG_OK);
  tg_graph_destroy(&graph);
  for (int64_t k = 1;; k++) {
    tg_text out;
    tg_text_init(&out);
    tg_error_clear();
    tg_alloc_fail_after(k);
    const tg_status status = derive(text, infer, &graph, &out);
    tg_alloc_fail_after(0);
    tg_graph_destroy(&graph);
    if (status == TG_OK) assert_string_equal(tg_text_string(&out), tg_text_string(&expected));
    tg_text_fini(&out);
    if (status != TG_OK && status != TG_MEMORY) print_error("%s: %s\n", text, tg_error_get()->message);
    assert_true(status == TG_OK || status == TG_MEMORY);
    if (status == TG_MEMORY) assert_true(strlen(tg_error_get()->message) > 0);
    if (status == TG_OK) {
      tg_text_fini(&expected);
      print_message("%s: %lld allocations\n", text, (long long)(k - 1));
      return k - 1;
    }
  }
}

static void test_every_allocation_fails_once(void **unused)
{
  static const char *const texts[] = {
      "sumsq(A*X - A)*logdet(S) + tr(X^3*inv(X))",
      "sum(softplus(A*x).*exp(A*x)./(ones(4,1) + (A*x).^2)) + norm2(x) - norm1(x)/3",
      "tr(kron(X, S)) + vec(X)'*vec(X') + det(X)*x'*diag(x)*diagvec(X)",
      "kron(A, X).^2",
      "A*inv(X)*A' - (A*X*x)*(A*x)'",
  };
  (void)unused;
  // At least the graph, its tables and a block of the arena.
  for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) assert_true(sweep(texts[k], false) > 10);
}

static void test_with_sizes_to_infer(void **unused)
{
  (void)unused;
  assert_true(sweep("tr(A*X*B*X')/norm2(X) + u'*X*v*exp(lambda) + sumsq(X*eye - kron(u, w'))", true) > 10);
}

// The same for a text that is wrong: the allocation's failure or the text's own error, never anything else.
static void test_errors_under_faults(void **unused)
{
  static const char *const texts[] = {"A*X + S*A*A", "tr(A*frobnicate(X))", "(((X + 1", "A*eye(2) + 1/0"};
  (void)unused;
  for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++) {
    tg_text out;
    tg_graph *graph = NULL;
    tg_text_init(&out);
    const tg_status expected = derive(texts[t], false, &graph, &out);
    tg_graph_destroy(&graph);
    assert_int_not_equal(expected, TG_OK);
    for (int64_t k = 1; k < 200; k++) {
      tg_alloc_fail_after(k);
      const tg_status status = derive(texts[t], false, &graph, &out);
      tg_alloc_fail_after(0);
      tg_graph_destroy(&graph);
      assert_true(status == expected || status == TG_MEMORY);
    }
    tg_text_fini(&out);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_allocation_fails_once),
      cmocka_unit_test(test_with_sizes_to_infer),
      cmocka_unit_test(test_errors_under_faults),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
