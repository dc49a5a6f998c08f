// The stated limits of an expression: reached exactly they pass, exceeded by one they are named; long inputs stay fast.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "grad/calculus.h"
#include "grad/graph/op.h"
#include "grad/text/ast.h"

static const tg_declaration names[] = {
    {.name = "A", .rows = 3, .cols = 3},
    {.name = "B", .rows = 3, .cols = 3},
    {.name = "X", .rows = 3, .cols = 3, .is_free = true},
    {.name = "s", .rows = 1, .cols = 1, .is_free = true},
    {.name = "H", .rows = INT32_MAX, .cols = INT32_MAX},
};
static const tg_compile_options options = {.n_declarations = sizeof names / sizeof names[0], .declarations = names};

static void repeat(tg_text *text, const char *piece, int times)
{
  for (int k = 0; k < times; k++) tg_text_add(text, piece);
}

static tg_status compile(const tg_text *text, tg_graph **graph, tg_node *out)
{
  assert_int_equal(tg_graph_create(graph), TG_OK);
  return tg_compile(*graph, tg_text_string(text), text->length, &options, out);
}

// Compiles and frees; a failure must be TG_LIMIT, its message returned.
static const char *limit_message(tg_text *text)
{
  tg_graph *graph = NULL;
  tg_node node = TG_NONE;
  const tg_status status = compile(text, &graph, &node);
  tg_graph_destroy(&graph);
  tg_text_fini(text);
  if (status != TG_OK && status != TG_LIMIT) print_error("%s\n", tg_error_get()->message);
  assert_true(status == TG_OK || status == TG_LIMIT);
  return status == TG_OK ? "" : tg_error_get()->message;
}

// before x times, middle, after x times
static const char *nested(const char *before, const char *middle, const char *after, int times)
{
  tg_text text;
  tg_text_init(&text);
  repeat(&text, before, times);
  tg_text_add(&text, middle);
  repeat(&text, after, times);
  return limit_message(&text);
}

static void test_nesting(void **unused)
{
  (void)unused;
  assert_string_equal(nested("(", "X", ")", TG_NESTING_MAX), "");
  assert_non_null(strstr(nested("(", "X", ")", TG_NESTING_MAX + 1), "nested deeper than 200 levels"));
  assert_string_equal(nested("sin(", "X", ")", TG_NESTING_MAX), "");
  assert_non_null(strstr(nested("sin(", "X", ")", TG_NESTING_MAX + 1), "nested deeper than 200 levels"));
  assert_non_null(strstr(nested("(", "X", ")", 500000), "nested deeper than 200 levels"));
  assert_non_null(strstr(nested("(", "", "", 1000000), "nested deeper than 200 levels"));
}

static void test_postfix_runs(void **unused)
{
  (void)unused;
  assert_string_equal(nested("", "X", "'", TG_NESTING_MAX), "");
  assert_non_null(strstr(nested("", "X", "'", TG_NESTING_MAX + 1), "more than 200 transposes and powers in a row"));
  assert_string_equal(nested("", "s", "^1", TG_NESTING_MAX), "");
  assert_non_null(strstr(nested("", "s", "^1", 400000), "more than 200 transposes and powers in a row"));
}

// What a graph shares is written out at each use: y := sin(y).*cos(y), thirty times, has 2^30 leaves.
static void test_printed_length(void **unused)
{
  tg_graph *graph = NULL;
  tg_node y = TG_NONE;
  tg_text text;
  (void)unused;
  tg_text_init(&text);
  assert_int_equal(tg_graph_create(&graph), TG_OK);
  assert_int_equal(tg_compile(graph, "X", 1, &options, &y), TG_OK);
  for (int level = 0; level < 30; level++) {
    tg_node sine = TG_NONE;
    tg_node cosine = TG_NONE;
    assert_int_equal(tg_make_function(graph, TG_SIN, y, &sine), TG_OK);
    assert_int_equal(tg_make_function(graph, TG_COS, y, &cosine), TG_OK);
    assert_int_equal(tg_make_had(graph, 2, (const tg_node[]){sine, cosine}, &y), TG_OK);
  }
  assert_int_equal(tg_print(graph, y, TG_FORMAT_EXPR, &text), TG_LIMIT);
  assert_non_null(strstr(tg_error_get()->message, "longer than 4000000 characters"));
  tg_text_clear(&text);
  assert_int_equal(tg_print_start(graph, y, TG_FORMAT_EXPR, 40, &text), TG_OK);
  assert_true(text.length >= 40 && text.length < 4000);
  tg_text_fini(&text);
  tg_graph_destroy(&graph);
}

// Signs are read in a loop: any number of them.
static void test_signs(void **unused)
{
  (void)unused;
  assert_string_equal(nested("-", "X", "", 100001), "");
  assert_string_equal(nested("", "X^-+-+", "2", 1), "");
}

static void test_length(void **unused)
{
  tg_text text;
  (void)unused;
  for (int surplus = 0; surplus < 2; surplus++) {
    tg_text_init(&text);
    tg_text_add(&text, "X");
    repeat(&text, " ", TG_TEXT_BYTES_MAX - 1 + surplus);
    const char *message = limit_message(&text);
    if (surplus == 0)
      assert_string_equal(message, "");
    else
      assert_non_null(strstr(message, "the expression has 1048577 bytes; at most 1048576 are read"));
  }
}

static void test_operands(void **unused)
{
  (void)unused;
  assert_string_equal(nested("s+", "s", "", TG_OPERANDS_MAX / 2 - 1), "");
  assert_non_null(strstr(nested("s+", "s", "", TG_OPERANDS_MAX), "more than 100000 operands"));
  assert_non_null(strstr(nested("s*", "s", "", TG_OPERANDS_MAX), "more than 100000 operands"));
}

static void test_numbers_and_names(void **unused)
{
  (void)unused;
  assert_string_equal(nested("0", "", "", 100), "");
  assert_non_null(strstr(nested("0", "", "", 101), "a number of 101 characters; at most 100 are read"));
  tg_text text;
  tg_text_init(&text);
  repeat(&text, "n", TG_NAME_BYTES_MAX + 1);
  assert_non_null(strstr(limit_message(&text), "a name of 64 characters; at most 63 are allowed"));
}

static void test_exponents(void **unused)
{
  (void)unused;
  assert_string_equal(nested("", "X^100", "", 1), "");
  assert_string_equal(nested("", "X^-100", "", 1), "");
  assert_string_equal(nested("", "X^60*X^60*X^-100*X^-30", "", 1), "");
  assert_non_null(strstr(nested("", "X^101", "", 1), "the exponent of a matrix is at most 100"));
}

static void test_sizes(void **unused)
{
  (void)unused;
  assert_string_equal(nested("", "kron(H, X)*kron(H, X)", "", 1), "");
  assert_true(strlen(nested("", "kron(H, kron(H, H))", "", 1)) > 0);
  assert_string_equal(nested("", "eye(2147483647)", "", 1), "");
  assert_non_null(strstr(nested("", "eye(2147483648)", "", 1), "a size is at most 2147483647"));
}

// ---- time ----

static double seconds_now(void)
{
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now); // other work on the machine does not count
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

enum { SECONDS_MAX = 5 }; // under the sanitizers; below one in release

// Compiles, differentiates by X, prints; the text's length.
static size_t derive(const tg_text *text)
{
  tg_graph *graph = NULL;
  tg_node node = TG_NONE;
  tg_node gradient = TG_NONE;
  tg_text printed;
  const double begin = seconds_now();
  assert_int_equal(compile(text, &graph, &node), TG_OK);
  const int32_t symbol = tg_symbol_find(graph, "X");
  assert_int_equal(tg_gradient(graph, node, 1, &symbol, &gradient), TG_OK);
  assert_int_equal(tg_factor_common(graph, gradient, &gradient), TG_OK);
  tg_text_init(&printed);
  assert_int_equal(tg_print(graph, gradient, TG_FORMAT_EXPR, &printed), TG_OK);
  const size_t length = printed.length;
  tg_text_fini(&printed);
  tg_graph_destroy(&graph);
  const double seconds = seconds_now() - begin;
  print_message("%zu bytes in, %zu out, %.3f s\n", text->length, length, seconds);
  assert_true(seconds < SECONDS_MAX);
  return length;
}

static void test_a_sum_of_a_thousand_terms(void **unused)
{
  tg_text text;
  (void)unused;
  tg_text_init(&text);
  for (int k = 0; k < 1000; k++) tg_text_addf(&text, "%str(X*A^%d*B)*%d.5", k > 0 ? " + " : "", 1 + k % 100, k + 1);
  assert_true(derive(&text) > 1000);
  tg_text_clear(&text);
  for (int k = 0; k < 1000; k++) tg_text_addf(&text, "%ssumsq(X*%d - sin(%d*X))", k > 0 ? " + " : "", k + 1, k + 2);
  assert_true(derive(&text) > 10000);
  tg_text_fini(&text);
}

static void test_a_product_of_two_hundred_factors(void **unused)
{
  tg_text text;
  (void)unused;
  tg_text_init(&text);
  tg_text_add(&text, "tr(X*A");
  for (int k = 0; k < 99; k++) tg_text_add(&text, k % 3 == 0 ? "*B*A'" : k % 3 == 1 ? "*A*B'" : "*B'*B");
  tg_text_add(&text, ")");
  assert_true(derive(&text) > 50); // a part of six factors, 33 times
  tg_text_clear(&text);
  tg_text_add(&text, "tr(X");
  for (int k = 0; k < 199; k++) tg_text_add(&text, k % 3 == 0 ? "*A" : k % 3 == 1 ? "*X'" : "*B");
  tg_text_add(&text, ")");
  assert_true(derive(&text) > 200);
  tg_text_clear(&text);
  tg_text_add(&text, "sum(X");
  for (int k = 0; k < 199; k++) tg_text_add(&text, k % 3 == 0 ? ".*A" : k % 3 == 1 ? ".*sin(X)" : "./exp(B)");
  tg_text_add(&text, ")");
  assert_true(derive(&text) > 10);
  tg_text_fini(&text);
}

// The Hessian action of tr(X*A0*X*A1*...), whose terms are as many as the square of the factors.
static tg_status second_derivative(int factors, size_t *length)
{
  const tg_compile_options inferred = {.infer_undeclared = true};
  tg_graph *graph = NULL;
  tg_node f = TG_NONE;
  tg_node gradient = TG_NONE;
  tg_node along = TG_NONE;
  tg_text text;
  const double begin = seconds_now();
  tg_text_init(&text);
  for (int k = 0; k < factors / 2; k++) tg_text_addf(&text, "%sX*A%d", k > 0 ? "*" : "tr(", k);
  tg_text_add(&text, ")");
  assert_int_equal(tg_graph_create(&graph), TG_OK);
  assert_int_equal(tg_compile(graph, tg_text_string(&text), text.length, &inferred, &f), TG_OK);
  const int32_t symbol = tg_symbol_find(graph, "X");
  assert_int_equal(tg_make_sym(graph, tg_symbol_find(graph, "A0"), &along), TG_OK);
  assert_int_equal(tg_make_trans(graph, along, &along), TG_OK);
  assert_int_equal(tg_gradient(graph, f, 1, &symbol, &gradient), TG_OK);
  tg_text_clear(&text);
  tg_status status = tg_forward(graph, gradient, 1, &symbol, &along, &gradient);
  if (status == TG_OK) status = tg_factor_common(graph, gradient, &gradient);
  if (status == TG_OK) status = tg_print(graph, gradient, TG_FORMAT_EXPR, &text);
  *length = text.length;
  tg_text_fini(&text);
  tg_graph_destroy(&graph);
  print_message("%d factors, %zu out, %.3f s\n", factors, *length, seconds_now() - begin);
  assert_true(seconds_now() - begin < SECONDS_MAX);
  return status;
}

static void test_second_derivatives_of_long_products(void **unused)
{
  size_t length = 0;
  (void)unused;
  assert_int_equal(second_derivative(80, &length), TG_OK);
  assert_true(length < 400000); // with common factors taken out
  assert_int_equal(second_derivative(160, &length), TG_OK);
  assert_int_equal(second_derivative(220, &length), TG_LIMIT);
  assert_non_null(strstr(tg_error_get()->message, "longer than 4000000 characters"));
  assert_int_equal(second_derivative(1000, &length), TG_LIMIT);
  assert_non_null(strstr(tg_error_get()->message, "more than 4000000 operands"));
}

// A chain of functions as deep as may be: the gradient is a product of as many slopes.
static void test_the_deepest_nest(void **unused)
{
  tg_text text;
  (void)unused;
  tg_text_init(&text);
  tg_text_add(&text, "sum(");
  repeat(&text, "tanh(", TG_NESTING_MAX - 1);
  tg_text_add(&text, "X");
  repeat(&text, ")", TG_NESTING_MAX);
  tg_graph *graph = NULL;
  tg_node node = TG_NONE;
  tg_node gradient = TG_NONE;
  assert_int_equal(compile(&text, &graph, &node), TG_OK);
  const int32_t symbol = tg_symbol_find(graph, "X");
  assert_int_equal(tg_gradient(graph, node, 1, &symbol, &gradient), TG_OK);
  assert_false(tg_node_is_zero(graph, gradient));
  tg_graph_destroy(&graph);
  tg_text_fini(&text);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_nesting),
      cmocka_unit_test(test_postfix_runs),
      cmocka_unit_test(test_printed_length),
      cmocka_unit_test(test_signs),
      cmocka_unit_test(test_length),
      cmocka_unit_test(test_operands),
      cmocka_unit_test(test_numbers_and_names),
      cmocka_unit_test(test_exponents),
      cmocka_unit_test(test_sizes),
      cmocka_unit_test(test_a_sum_of_a_thousand_terms),
      cmocka_unit_test(test_a_product_of_two_hundred_factors),
      cmocka_unit_test(test_second_derivatives_of_long_products),
      cmocka_unit_test(test_the_deepest_nest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
