// Explanations under both senses: the same run, told of the minimum of f and of the maximum of -f.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "unit/opt_fixture.h"

// What stands in a reason of a minimum, in its place in that of a maximum, and whether a number of the user's objective
// follows, whose sign turns.
static const struct turn {
  const char *down;
  const char *up;
  bool has_number;
} turns[] = {
    {"unbounded below", "unbounded above", false},
    {"f(x + t d) - f(x) = ", "f(x + t d) - f(x) = ", true},
    {"and slope ", "and slope ", true},
    {"still falls", "still rises", false},
    {"it fell to ", "it rose to ", true},
    {"cannot be resolved below ", "cannot be resolved above ", true},
    {"a direction of descent lowers it", "a direction of ascent raises it", false},
    {"but no minimum", "but no maximum", false},
    {"negative curvature", "positive curvature", false},
    {"<d, H d> = ", "<d, H d> = ", true},
};
enum { N_TURNS = sizeof turns / sizeof turns[0] };

static double number_at(const char *reason, const char *phrase)
{
  return strtod(strstr(reason, phrase) + strlen(phrase), NULL);
}

// Every phrase of the table that one reason has, the other has turned; nothing else speaks of a minimum.
static void compare(const char *down, const char *up, int *seen)
{
  for (int k = 0; k < N_TURNS; k++) {
    const struct turn *t = &turns[k];
    const bool has = strstr(down, t->down) != NULL;
    if (has != (strstr(up, t->up) != NULL)) fail_msg("%s\nagainst\n%s", down, up);
    if (!has) continue;
    seen[k]++;
    if (t->has_number) assert_true(number_at(up, t->up) == -number_at(down, t->down));
  }
  const char *const others[] = {"fell", "falls", "does not fall along", "descent", "lowers", "minimum", "along -g"};
  for (size_t k = 0; k < sizeof others / sizeof others[0]; k++)
    if (strstr(up, others[k]) != NULL) fail_msg("%s", up);
}

typedef void (*disturb_fn)(fixture *f);

static void run(fixture *f, const char *objective, const char *method, disturb_fn disturb, const opt_wording *wording)
{
  set_up(f, objective, method);
  if (disturb != NULL) disturb(f);
  f->options.wording = wording;
  assert_int_equal(minimise(f, NULL), TG_OK);
}

static void run_both(const char *objective, const char *method, disturb_fn disturb, int *seen)
{
  fixture down = {0};
  fixture up = {0};
  run(&down, objective, method, disturb, &opt_wording_minimum);
  run(&up, objective, method, disturb, &opt_wording_maximum);
  assert_int_equal(down.result.outcome, up.result.outcome);
  assert_true(down.result.objective == up.result.objective || isnan(down.result.objective));
  compare(down.result.reason, up.result.reason, seen);
  tear_down(&down);
  tear_down(&up);
}

// No gradient is small enough: every run goes on until nothing can be resolved.
static void ask_too_much(fixture *f)
{
  f->options.gradient_tolerance = 0;
  f->options.absolute_gradient_tolerance = 0;
}

static void start_at_zero(fixture *f)
{
  f->options.saddles = OPT_SADDLES_STOP;
  memset(f->problem.c, 0, sizeof f->problem.c);
  memset(serial_block(f->x, 0), 0, (size_t)f->problem.space.base.dimension * sizeof(double));
}

// Steps so long that f falls below every bound.
static void stride(fixture *f)
{
  assert_int_equal(opt_option_set(&f->options, "line_search", "fixed"), TG_OK);
  f->options.step_length = 1e45;
}

static void test_catalogue(void **state)
{
  (void)state;
  static const disturb_fn disturbances[] = {NULL, ask_too_much, start_at_zero};
  int seen[N_TURNS] = {0};
  const char *const *methods = opt_option_choices(OPT_KIND_METHOD);
  for (int m = 0; methods[m] != NULL; m++)
    for (int k = 0; k < hand_objective_count() && stands_alone(methods[m]); k++)
      for (size_t d = 0; d < sizeof disturbances / sizeof disturbances[0]; d++)
        run_both(hand_objective_at(k)->name, methods[m], disturbances[d], seen);
  run_both("linear-general", "gradient-descent", stride, seen);
  for (int k = 0; k < N_TURNS; k++)
    if (seen[k] == 0) fail_msg("no run ended with '%s'", turns[k].down);
}

static void test_values(void **state)
{
  (void)state;
  assert_true(opt_wording_value(&opt_wording_minimum, 3) == 3);
  assert_true(opt_wording_value(&opt_wording_maximum, 3) == -3);
  assert_true(opt_wording_value(&opt_wording_maximum, -HUGE_VAL) == HUGE_VAL);
  assert_false(signbit(opt_wording_value(&opt_wording_maximum, 0.0)));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_catalogue),
      cmocka_unit_test(test_values),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
