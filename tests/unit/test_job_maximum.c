// Reasons of a minimisation of -f, told of the maximum of f.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "cli/run/maximum.h"

static void expect(const char *down, const char *up)
{
  char reason[512];
  snprintf(reason, sizeof reason, "%s", down);
  assert_int_equal(tg_maximum_reason(reason, sizeof reason), TG_OK);
  assert_string_equal(reason, up);
}

static void test_signs(void **state)
{
  (void)state;
  expect("the objective is unbounded below: f(x + t d) - f(x) = -9 t along a direction d with |d| = 3",
         "the objective is unbounded above: f(x + t d) - f(x) = 9 t along a direction d with |d| = 3");
  expect("f(x + t d) - f(x) = 2 t + -3.5e-07 t^2 + -1 t^3 along",
         "f(x + t d) - f(x) = -2 t + 3.5e-07 t^2 + 1 t^3 along");
  expect("the objective is unbounded below: it fell to -1.5e+41 after 3 iterations",
         "the objective is unbounded above: it rose to 1.5e+41 after 3 iterations");
  expect("with |d| = 2 and slope -4 it still falls at distance 1e+12",
         "with |d| = 2 and slope 4 it still rises at distance 1e+12");
  expect("the objective cannot be resolved below 0: no", "the objective cannot be resolved above 0: no");
  expect("error, the objective is 12.5; ask", "error, the objective is -12.5; ask");
  expect("negative curvature, <d, H d> = -2 <d, d>", "positive curvature, <d, H d> = 2 <d, d>");
  expect("it fell to -inf", "it rose to inf");
}

// What is about gradients and steps has no sign to turn.
static void test_others(void **state)
{
  (void)state;
  static const char *const same[] = {"", "the gradient norm does not fall below 1e-05, the target is 1e-08",
                                     "|g| = 3.2e-09 is within the tolerance 1e-08",
                                     "the objective is not finite at the start"};
  for (size_t k = 0; k < sizeof same / sizeof same[0]; k++) expect(same[k], same[k]);
}

static void test_room(void **state)
{
  (void)state;
  char reason[] = "it fell to 7";
  assert_int_equal(tg_maximum_reason(reason, sizeof reason), TG_OK);
  assert_string_equal(reason, "it rose to -"); // cut, not written beyond
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_signs),
      cmocka_unit_test(test_others),
      cmocka_unit_test(test_room),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
