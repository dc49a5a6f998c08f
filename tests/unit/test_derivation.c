// A derivation as an object: every error of the input in one list, several objects side by side, claims after a result.
#include "derive/derivation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "derive/claim.h"
#include "derive/print.h"

static tg_derivation *made(const tg_messages *messages)
{
  tg_derivation *d = NULL;
  assert_int_equal(tg_derivation_create(NULL, messages, &d), TG_OK);
  return d;
}

// Texts live no longer than the call.
static void set(tg_derivation *d, const char *option, const char *text)
{
  char copy[128];
  strcpy(copy, text);
  assert_int_equal(tg_derivation_set(d, option, copy), TG_OK);
  memset(copy, '#', sizeof copy - 1);
}

static void read_it(tg_derivation *d, const char *text)
{
  char copy[128];
  strcpy(copy, text);
  assert_int_equal(tg_derivation_read(d, copy), TG_OK);
  memset(copy, '#', sizeof copy - 1);
}

static void expect_text(tg_derivation *d, const char *expected)
{
  const tg_derive_view view = {.format = TG_DERIVE_EXPR};
  tg_text text;
  tg_text_init(&text);
  assert_int_equal(tg_derivation_print(d, &view, &text), TG_OK);
  assert_string_equal(tg_text_string(&text), expected);
  tg_text_fini(&text);
}

static void expect_error(const tg_derivation *d, int k, tg_status code, const char *source, size_t begin,
                         const char *part)
{
  const tg_error *error = &d->errors.items[k];
  assert_true(k < d->errors.count);
  assert_int_equal(error->code, code);
  assert_non_null(strstr(error->message, part));
  assert_int_equal(error->has_span && error->source > 0, source != NULL);
  if (source == NULL) return;
  assert_string_equal(d->sources[error->source - 1].name, source);
  assert_int_equal(error->span.begin, begin);
}

static void test_errors_in_a_list(void **state)
{
  (void)state;
  tg_derivation *d = made(NULL);
  set(d, "dims", "A=3x4,B=0x2");
  set(d, "spd", "A");
  set(d, "symetric", "A");
  set(d, "within", "simmetric");
  set(d, "hessian", "perhaps");
  set(d, "wrt", "A,sum");
  read_it(d, "tr(A) + Q(3)");
  expect_error(d, 0, TG_USAGE, "dims", 8, "found '0'");
  expect_error(d, 1, TG_USAGE, NULL, 0, "did you mean 'symmetric'?");
  expect_error(d, 2, TG_USAGE, NULL, 0, "unknown set 'simmetric' in within");
  expect_error(d, 3, TG_USAGE, NULL, 0, "hessian expects true or false");
  expect_error(d, 4, TG_USAGE, NULL, 0, "wrt expects a name, found 'sum'");
  expect_error(d, 5, TG_USAGE, NULL, 0, "'A' is declared positive definite but is not square: 3 x 4");
  assert_true(d->errors.count >= 7);
  assert_string_equal(d->sources[d->errors.items[6].source - 1].name, "expression");
  assert_int_equal(tg_derivation_derive(d), TG_USAGE);
  tg_derivation_destroy(&d);
  assert_null(d);
  tg_derivation_destroy(&d);
}

static void test_nothing_to_differentiate_by(void **state)
{
  (void)state;
  tg_derivation *d = made(NULL);
  read_it(d, "sumsq(X)");
  expect_error(d, 0, TG_USAGE, NULL, 0, "wrt NAME is missing");
  tg_derivation_destroy(&d);
}

static void test_side_by_side(void **state)
{
  (void)state;
  tg_derivation *first = made(NULL);
  tg_derivation *second = made(NULL);
  set(first, "wrt", "X");
  set(second, "wrt", "X,A'");
  set(second, "symmetric", "A");
  set(second, "hessian", "false");
  read_it(first, "tr(A*X*X')");
  read_it(second, "tr(A*X*X')");
  assert_int_equal(tg_derivation_derive(second), TG_OK);
  assert_int_equal(tg_derivation_derive(first), TG_OK);
  expect_text(second, "2*A*X\nX*X'\n");
  expect_text(first, "(A + A')*X\n");
  tg_derivation_destroy(&first);
  expect_text(second, "2*A*X\nX*X'\n");
  tg_derivation_destroy(&second);
}

// Neither claims nor printed steps change what is printed afterwards.
static void test_claims_leave_the_result(void **state)
{
  (void)state;
  tg_derivation *d = made(NULL);
  const tg_derive_view view = {.format = TG_DERIVE_JSON};
  tg_claim_verdict verdict = TG_VERDICT_UNDECIDED;
  tg_text before;
  tg_text text;
  tg_text_init(&before);
  tg_text_init(&text);
  set(d, "wrt", "X");
  read_it(d, "A*X");
  assert_int_equal(tg_derivation_derive(d), TG_OK);
  assert_int_equal(tg_derivation_print(d, &view, &before), TG_OK);
  assert_int_equal(tg_claim_check(d, 0, "kron((1 + c - c)*eye, A)", &verdict, &text), TG_OK);
  assert_int_equal(d->errors.count, 0);
  assert_int_equal(verdict, TG_VERDICT_EQUAL);
  assert_int_equal(tg_claim_check(d, 0, "kron(A, eye(", &verdict, &text), TG_OK);
  assert_int_equal(verdict, TG_VERDICT_UNDECIDED);
  expect_error(d, 0, TG_SYNTAX, "claim", 12, "");
  tg_text_clear(&text);
  assert_int_equal(tg_derivation_print_part(d, TG_PART_STEPS, 0, &(tg_derive_view){.format = TG_DERIVE_EXPR}, &text),
                   TG_OK);
  tg_text_clear(&text);
  assert_int_equal(tg_derivation_print(d, &view, &text), TG_OK);
  assert_string_equal(tg_text_string(&text), tg_text_string(&before));
  tg_text_fini(&text);
  tg_text_fini(&before);
  tg_derivation_destroy(&d);
}

static void count_messages(void *self, tg_message_kind kind, tg_mark mark, const char *text)
{
  int *counts = self;
  (void)mark;
  counts[kind]++;
  assert_non_null(strstr(text, kind == TG_MESSAGE_NOTE ? "N" : "'Q' is declared"));
}

static void test_notes_and_warnings(void **state)
{
  (void)state;
  int counts[2] = {0, 0};
  const tg_messages messages = {.say = count_messages, .self = counts};
  tg_derivation *d = made(&messages);
  set(d, "symmetric", "Q");
  set(d, "wrt", "X");
  read_it(d, "tr(X)/N");
  tg_derivation_warn_of_unused(d);
  assert_int_equal(counts[TG_MESSAGE_NOTE], 1);
  assert_int_equal(counts[TG_MESSAGE_WARNING], 1);
  tg_derivation_destroy(&d);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_errors_in_a_list),   cmocka_unit_test(test_nothing_to_differentiate_by),
      cmocka_unit_test(test_side_by_side),       cmocka_unit_test(test_claims_leave_the_result),
      cmocka_unit_test(test_notes_and_warnings),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
