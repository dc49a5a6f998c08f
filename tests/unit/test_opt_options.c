// Every row of the option table: default, round trip, bad texts, values out of range; the messages.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "opt/driver.h"
#include "opt/resolve.h"

static bool message_has(const char *part)
{
  return strstr(tg_error_get()->message, part) != NULL;
}

static void expect_refusal(const char *key, const char *value, const char *part)
{
  opt_options options;
  opt_options before;
  opt_options_init(&options);
  before = options;
  assert_int_equal(opt_option_set(&options, key, value), TG_VALUE);
  if (!message_has(key) || !message_has(part)) print_error("%s = '%s': %s\n", key, value, tg_error_get()->message);
  assert_true(message_has(key));
  assert_true(message_has(part));
  assert_memory_equal(&options, &before, sizeof options);
}

static void test_defaults_print_and_read_back(void **unused)
{
  (void)unused;
  for (int i = 0; i < opt_option_count(); i++) {
    const opt_option_row *row = opt_option_at(i);
    opt_options options;
    opt_options again;
    tg_text text;
    tg_text_init(&text);
    opt_options_init(&options);
    again = options;
    opt_option_print(&options, row, &text);
    if (opt_option_choices(row->kind) != NULL) assert_string_equal(tg_text_string(&text), row->initial);
    assert_int_equal(opt_option_set(&again, row->key, tg_text_string(&text)), TG_OK);
    assert_memory_equal(&options, &again, sizeof options);
    assert_ptr_equal(opt_option_find(row->key), row);
    assert_true(strlen(row->help) > 10);
    tg_text_fini(&text);
  }
}

static void test_every_choice_is_accepted(void **unused)
{
  (void)unused;
  for (int i = 0; i < opt_option_count(); i++) {
    const opt_option_row *row = opt_option_at(i);
    const char *const *choices = opt_option_choices(row->kind);
    for (int k = 0; choices != NULL && choices[k] != NULL; k++) {
      opt_options options;
      tg_text text;
      tg_text_init(&text);
      opt_options_init(&options);
      assert_int_equal(opt_option_set(&options, row->key, choices[k]), TG_OK);
      opt_option_print(&options, row, &text);
      assert_string_equal(tg_text_string(&text), choices[k]);
      tg_text_fini(&text);
    }
  }
}

static void test_every_row_refuses_nonsense(void **unused)
{
  (void)unused;
  static const char *const nonsense[] = {"",     " ",   "zzz", "1x",    "1 2", "--1",
                                         "0x10", "nan", "inf", "1e999", "1,5", "1e"};
  for (int i = 0; i < opt_option_count(); i++) {
    for (size_t k = 0; k < sizeof nonsense / sizeof nonsense[0]; k++)
      expect_refusal(opt_option_at(i)->key, nonsense[k], "expected");
  }
}

static void test_every_number_keeps_its_range(void **unused)
{
  (void)unused;
  for (int i = 0; i < opt_option_count(); i++) {
    const opt_option_row *row = opt_option_at(i);
    if (opt_option_choices(row->kind) != NULL) continue;
    char below[64];
    char above[64];
    snprintf(below, sizeof below, "%.17g", row->smallest > 0 ? row->smallest / 2 : row->smallest - 1);
    snprintf(above, sizeof above, "%.17g", 2 * row->largest);
    expect_refusal(row->key, below, row->kind == OPT_KIND_COUNT && row->smallest > 0 ? "expected" : "out of range");
    if (isfinite(row->largest)) expect_refusal(row->key, above, "out of range");
  }
}

static void test_whole_numbers(void **unused)
{
  (void)unused;
  expect_refusal("max_iterations", "1.5", "not a whole number");
  opt_options options;
  opt_options_init(&options);
  assert_int_equal(opt_option_set(&options, "max_iterations", "1e6"), TG_OK);
  assert_int_equal(options.max_iterations, 1000000);
}

static void test_times_have_units(void **unused)
{
  (void)unused;
  const struct {
    const char *text;
    double seconds;
  } rows[] = {{"90", 90}, {"30s", 30}, {"10min", 600}, {"2h", 7200}, {"1.5h", 5400}, {"1d", 86400}, {"0", 0}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    opt_options options;
    opt_options_init(&options);
    assert_int_equal(opt_option_set(&options, "time_limit", rows[i].text), TG_OK);
    assert_true(options.time_limit == rows[i].seconds);
  }
  expect_refusal("time_limit", "2hours", "not a number");
  expect_refusal("time_limit", "2hs", "not a time like 90, 30s, 10min, 2h or 1d");
  expect_refusal("gradient_tolerance", "0.1s", "not a number");
}

static void test_messages_help(void **unused)
{
  (void)unused;
  opt_options options;
  opt_options_init(&options);
  expect_refusal("method", "lbfgs", "did you mean 'l-bfgs'?");
  expect_refusal("gradient_tolerance", "2", "0 <= number <= 1");
  expect_refusal("method", "simplex", "barzilai-borwein");
  assert_int_equal(opt_option_set(&options, "max_iteration", "1"), TG_NAME);
  assert_true(message_has("did you mean 'max_iterations'?"));
  assert_int_equal(opt_option_set(&options, "colour", "1"), TG_NAME);
  assert_true(message_has("unknown solver option 'colour'"));
  assert_false(message_has("did you mean"));
  assert_null(opt_option_find("colour"));
}

static void test_verification_names_what_is_missing(void **unused)
{
  (void)unused;
  opt_options options;
  opt_options_init(&options);
  assert_int_equal(opt_options_verify(&options, -1, false), TG_OK);
  assert_string_equal(opt_resolved_method(&options, 2), "conjugate-gradient");
  assert_string_equal(opt_resolved_line_search(&options, 2), "exact");
  assert_string_equal(opt_resolved_method(&options, -1), "l-bfgs");
  assert_string_equal(opt_resolved_line_search(&options, -1), "strong-wolfe");
  assert_int_equal(opt_option_set(&options, "line_search", "exact"), TG_OK);
  assert_int_equal(opt_options_verify(&options, 8, false), TG_OK);
  assert_int_equal(opt_options_verify(&options, -1, false), TG_UNSUPPORTED);
  assert_true(message_has("polynomial of degree at most 8"));
  assert_int_equal(opt_option_set(&options, "line_search", "auto"), TG_OK);
  assert_int_equal(opt_option_set(&options, "method", "newton-cg"), TG_OK);
  assert_int_equal(opt_options_verify(&options, 4, true), TG_OK);
  assert_int_equal(opt_options_verify(&options, 4, false), TG_UNSUPPORTED);
  assert_true(message_has("newton-cg needs the Hessian action"));
  assert_string_equal(opt_resolved_line_search(&options, 4), "none");
}

static void expect_pairs(double flops, double dimension, int64_t expected)
{
  assert_int_equal(opt_automatic_pairs(flops, dimension), expected);
}

// A quarter of the flops for 8 an entry and a pair, which count tenfold: 320 flops * dimension for each pair.
static void test_automatic_pairs(void **unused)
{
  (void)unused;
  opt_options options;
  opt_options_init(&options);
  assert_int_equal(options.memory, 0);
  assert_int_equal(opt_pairs(&options), 10);
  options.memory = 7;
  assert_int_equal(opt_pairs(&options), 7);
  expect_pairs(0, 1e4, 10);
  expect_pairs(30 * 320e4, 1e4, 30); // by work
  expect_pairs(1e12, 1e4, 100);
  expect_pairs(0, 1310, 50); // 16 * 50 * 1310 bytes are less than 1 MiB
  expect_pairs(0, 1311, 10);
  expect_pairs(70 * 320e3, 1e3, 70);
  expect_pairs(1e12, 1 << 16, 64); // 16 * 64 * 65536 bytes are 64 MiB
  expect_pairs(1e15, 1e6, 10);
  expect_pairs(1e15, 1e12, 10);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_defaults_print_and_read_back),
      cmocka_unit_test(test_automatic_pairs),
      cmocka_unit_test(test_every_choice_is_accepted),
      cmocka_unit_test(test_every_row_refuses_nonsense),
      cmocka_unit_test(test_every_number_keeps_its_range),
      cmocka_unit_test(test_whole_numbers),
      cmocka_unit_test(test_times_have_units),
      cmocka_unit_test(test_messages_help),
      cmocka_unit_test(test_verification_names_what_is_missing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
