// Thousands of random expressions: normal form, printing, gradient, Hessian action and Jacobian against numbers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/calculus_check.h"
#include "support/random_expression.h"

static const char *const focuses[] = {"A23", "A33", "A31", "A13", "A22", "A11", "B32", "S33", "P22", "U21"};
enum { FOCUS_COUNT = sizeof focuses / sizeof focuses[0] };

// CALCULUS_SEED=n runs the one expression of that seed and prints it; CALCULUS_COUNT=n runs so many.
static uint64_t from_environment(const char *name, uint64_t otherwise)
{
  const char *text = getenv(name);
  return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

typedef struct tally {
  int right;
  int not_fit;
  int wrong;
} tally;

typedef tg_status check_one(calculus_world *world, const char *text, calculus_verdict *verdict, tg_text *why);

static tg_status check_gradient(calculus_world *world, const char *text, calculus_verdict *verdict, tg_text *why)
{
  return calculus_check_gradient(world, text, NULL, verdict, why);
}

static tg_status check_jacobian(calculus_world *world, const char *text, calculus_verdict *verdict, tg_text *why)
{
  return calculus_check_jacobian(world, text, NULL, verdict, why);
}

// One seed: an expression, a variable, values; the verdict.
static tg_status run_seed(uint64_t seed, int rows, int cols, int depth, check_one *check, calculus_verdict *verdict,
                          tg_text *text, tg_text *why)
{
  calculus_world world;
  uint64_t state = seed;
  char wrt[16];
  const char *focus = focuses[text_random(&state) % FOCUS_COUNT];
  snprintf(wrt, sizeof wrt, "%s%s", focus,
           check == check_gradient && seed % 4 == 0 && strcmp(focus, "A22") != 0 ? ",A22" : "");
  random_expression_about(&state, rows, cols, depth, focus, text);
  tg_status status = calculus_open(&world, random_expression_dims, random_expression_properties, wrt, seed);
  *verdict = CALCULUS_RIGHT;
  if (status == TG_OK) status = check(&world, tg_text_string(text), verdict, why);
  calculus_close(&world);
  return status;
}

static void report(uint64_t seed, tg_status status, const tg_text *text, const tg_text *why)
{
  // Not print_error: it cuts long lines.
  fprintf(stderr, "seed %" PRIu64 ": %s\n%s", seed, tg_text_string(text), tg_text_string(why));
  if (status == TG_OK) return;
  const tg_error *error = tg_error_get();
  print_error("  %s: %s (%s:%d)\n", tg_status_label(status), error->message, error->origin.file, error->origin.line);
}

// A number that overflows or a division by zero inside constants is the expression's fault, and is said; so is that a
// function of a matrix has no Jacobian that can be written down.
static bool is_honest_refusal(tg_status status)
{
  return status == TG_VALUE || (status == TG_UNSUPPORTED && strstr(tg_error_get()->message, "the Jacobian of") != NULL);
}

// Under the sanitizers an allocation costs many times more, and an expression makes thousands.
#if defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif
#else
enum { SANITIZED = 0 };
#endif

static tally run_seeds(uint64_t first, uint64_t count, int rows, int cols, check_one *check)
{
  tally t = {0};
  const uint64_t only = from_environment("CALCULUS_SEED", 0);
  first += from_environment("CALCULUS_SHIFT", 0);
  count = from_environment("CALCULUS_COUNT", SANITIZED ? count / 6 : count);
  for (uint64_t seed = first; seed < first + count; seed++) {
    tg_text text;
    tg_text why;
    calculus_verdict verdict = CALCULUS_RIGHT;
    if (only != 0 && seed != only) continue;
    tg_text_init(&text);
    tg_text_init(&why);
    const tg_status status = run_seed(seed, rows, cols, 2 + (int)(seed % 4), check, &verdict, &text, &why);
    const bool refused = is_honest_refusal(status);
    const bool wrong = verdict == CALCULUS_WRONG || (status != TG_OK && !refused);
    t.right += verdict == CALCULUS_RIGHT && status == TG_OK;
    t.not_fit += refused || verdict == CALCULUS_NOT_FIT;
    t.wrong += wrong;
    if (wrong || only != 0) report(seed, status, &text, &why);
    tg_text_fini(&text);
    tg_text_fini(&why);
  }
  print_message("%d right, %d not judged (kinks, poles, overflow), %d wrong\n", t.right, t.not_fit, t.wrong);
  return t;
}

// Most must be judged: a test that skips what it cannot judge must not skip everything.
static void assert_tally(tally t)
{
  assert_int_equal(t.wrong, 0);
  assert_true(getenv("CALCULUS_SEED") != NULL || 5 * t.right >= 4 * (t.right + t.not_fit));
}

static void test_scalar_expressions(void **unused)
{
  (void)unused;
  assert_tally(run_seeds(1000000, 2400, 1, 1, check_gradient));
}

static void test_values_of_matrices(void **unused)
{
  (void)unused;
  assert_tally(run_seeds(2000000, 400, 2, 3, calculus_check_value));
  assert_tally(run_seeds(2100000, 400, 3, 3, calculus_check_value));
  assert_tally(run_seeds(2200000, 300, 1, 3, calculus_check_value));
  assert_tally(run_seeds(2300000, 300, 6, 1, calculus_check_value));
  assert_tally(run_seeds(2400000, 300, 4, 4, calculus_check_value));
}

static void test_jacobians(void **unused)
{
  (void)unused;
  assert_tally(run_seeds(3000000, 300, 2, 3, check_jacobian));
  assert_tally(run_seeds(3100000, 300, 3, 3, check_jacobian));
  assert_tally(run_seeds(3200000, 200, 3, 1, check_jacobian));
  assert_tally(run_seeds(3300000, 200, 1, 2, check_jacobian));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_scalar_expressions),
      cmocka_unit_test(test_values_of_matrices),
      cmocka_unit_test(test_jacobians),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
