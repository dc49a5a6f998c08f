// Every row of entrywise.def: its facts are there, agree with one another and with figures of other people.
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "grad/calculus.h"
#include "grad/graph/entry.h"
#include "grad/graph/op.h"
#include "support/calculus_check.h"
#include "support/entry_text.h"

enum { GRID = 201 };

// The k-th of GRID arguments among the samples.
static double argument(const tg_entry_facts *f, int k)
{
  return f->samples.low + (f->samples.high - f->samples.low) * k / (GRID - 1);
}

static void nothing_is_missing(void **state)
{
  (void)state;
  for (int kind = TG_ENTRY_FIRST; kind < TG_ENTRY_END; kind++) {
    const tg_entry_facts *f = tg_entry((tg_kind)kind);
    const char *const templates[] = {f->latex, f->numpy, f->octave};
    const char *const texts[] = {f->name, f->help};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) assert_true(strlen(texts[i]) > 0);
    for (size_t i = 0; i < sizeof templates / sizeof templates[0]; i++) assert_non_null(strchr(templates[i], '@'));
    assert_true(f->sign != 0 && f->monotone != 0 && f->curvature != 0 && f->kink.kind != 0);
    assert_true(f->domain.low < f->domain.high && f->samples.low < f->samples.high);
    assert_true(f->samples.low >= f->domain.low && f->samples.high <= f->domain.high);
    assert_true(f->rule[0] != '\0' || f->kink.kind == TG_KINK_STEP);
    assert_int_equal(tg_entry_find(f->name, strlen(f->name)), kind);
  }
  assert_null(tg_entry(TG_POW));
  assert_int_equal(tg_entry_find("nothing", 7), TG_KIND_COUNT);
}

// Operators that are written as functions have a template for every format.
static void operators_have_every_format(void **state)
{
  (void)state;
  for (int kind = 0; kind < TG_KIND_COUNT; kind++) {
    const tg_op *op = tg_op_get((tg_kind)kind);
    if (tg_entry((tg_kind)kind) != NULL) continue;
    assert_non_null(op);
    for (int format = 0; format < TG_FORMAT_COUNT; format++)
      if ((op->templates[format] != NULL) != (op->templates[0] != NULL))
        fail_msg("format %d of '%s' is missing", format, op->name);
  }
}

static void values_are_known_figures(void **state)
{
  (void)state;
  for (int kind = TG_ENTRY_FIRST; kind < TG_ENTRY_END; kind++) {
    const tg_entry_facts *f = tg_entry((tg_kind)kind);
    for (int k = 0; k < 3; k++) {
      const double found = f->value(f->points[k][0]);
      if (!(fabs(found - f->points[k][1]) <= 8 * DBL_EPSILON * fabs(f->points[k][1])))
        fail_msg("%s(%.17g) is %.17g, expected %.17g", f->name, f->points[k][0], found, f->points[k][1]);
    }
    if (!isnan(f->value((double)NAN))) fail_msg("%s loses NaN", f->name);
  }
}

static void check_sign(const tg_entry_facts *f, double x, double y)
{
  const bool holds = f->sign == TG_SIGN_ANY || (f->sign == TG_SIGN_POSITIVE && y > 0) ||
                     (f->sign == TG_SIGN_NONNEGATIVE && y >= 0) ||
                     (f->sign == TG_SIGN_OF_ARGUMENT && (x > 0) == (y > 0) && (x < 0) == (y < 0));
  if (!holds) fail_msg("the sign of %s(%g) = %g is not as its row says", f->name, x, y);
}

static void traits_hold(void **state)
{
  (void)state;
  for (int kind = TG_ENTRY_FIRST; kind < TG_ENTRY_END; kind++) {
    const tg_entry_facts *f = tg_entry((tg_kind)kind);
    const double step = argument(f, 1) - argument(f, 0);
    for (int k = 1; k + 1 < GRID; k++) {
      const double x = argument(f, k);
      const double left = f->value(argument(f, k - 1));
      const double y = f->value(x);
      const double right = f->value(argument(f, k + 1));
      const double bend = left - 2 * y + right;
      const double noise = 16 * DBL_EPSILON * (fabs(left) + fabs(y) + fabs(right));
      check_sign(f, x, y);
      if (f->monotone == TG_INCREASING && right < y) fail_msg("%s falls at %g", f->name, x);
      if (f->monotone == TG_DECREASING && right > y) fail_msg("%s rises at %g", f->name, x);
      if (f->curvature == TG_BENDS_UP && bend < -noise) fail_msg("%s is not convex at %g", f->name, x);
      if (f->curvature == TG_BENDS_DOWN && bend > noise) fail_msg("%s is not concave at %g", f->name, x);
      if (!isnan(f->homogeneity) && fabs(f->value(2 * x) - pow(2, f->homogeneity) * y) > noise)
        fail_msg("%s(2*%g) is not 2^%g*%s(%g)", f->name, x, f->homogeneity, f->name, x);
      const double slope = (right - left) / (2 * step);
      const double most =
          fmax(fmax(f->rate(argument(f, k - 1), left), f->rate(argument(f, k + 1), right)), f->rate(x, y));
      if (f->kink.kind != TG_KINK_STEP && fabs(slope) > most * 1.001 + noise / step)
        fail_msg("the slope %g of %s at %g is above its rate %g", slope, f->name, x, most);
      if (f->kink.kind == TG_KINK_AT_ZERO && fabs(x) > 1.5 * step &&
          fabs(slope - (x < 0 ? f->kink.low : f->kink.high)) > noise / step)
        fail_msg("the slope of %s at %g is %g, not that of its kink", f->name, x, slope);
    }
  }
}

// Gradients against differences, two modes against each other, second derivatives, the printed form read back.
static void derivatives_are_right(void **state)
{
  (void)state;
  for (int kind = TG_ENTRY_FIRST; kind < TG_ENTRY_END; kind++) {
    char text[ENTRY_TEXT_BYTES];
    int right = 0;
    entry_text(tg_entry((tg_kind)kind), "X", text);
    for (uint64_t seed = 1; seed <= 4; seed++) {
      calculus_world world;
      calculus_verdict verdict = CALCULUS_NOT_FIT;
      tg_text why;
      tg_text_init(&why);
      assert_int_equal(calculus_open(&world, "X=3x2,C=3x2", "", "X", seed), TG_OK);
      if (calculus_check_gradient(&world, text, NULL, &verdict, &why) != TG_OK)
        fail_msg("%s: %s", text, tg_error_get()->message);
      if (verdict == CALCULUS_WRONG) fail_msg("%s: %s", text, tg_text_string(&why));
      right += verdict == CALCULUS_RIGHT;
      calculus_close(&world);
      tg_text_fini(&why);
    }
    if (right == 0) fail_msg("%s was never judged", text);
  }
}

// f(X) printed in each format is read as the same node.
static void formats_read_back(void **state)
{
  (void)state;
  for (int kind = TG_ENTRY_FIRST; kind < TG_ENTRY_END; kind++) {
    calculus_world world;
    tg_node x = TG_NONE;
    tg_node node = TG_NONE;
    assert_int_equal(calculus_open(&world, "X=3x2", "", "X", 1), TG_OK);
    assert_int_equal(calculus_compile(&world, "X", false, &x), TG_OK);
    assert_int_equal(tg_make_unary(world.graph, (tg_kind)kind, x, &node), TG_OK);
    for (int format = TG_FORMAT_EXPR; format < TG_FORMAT_COUNT; format++) {
      tg_node again = TG_NONE;
      tg_text text;
      tg_text_init(&text);
      assert_int_equal(tg_print(world.graph, node, (tg_format)format, &text), TG_OK);
      if (calculus_compile(&world, tg_text_string(&text), false, &again) != TG_OK || again != node)
        fail_msg("%s is not read back as %s(X)", tg_text_string(&text), tg_entry((tg_kind)kind)->name);
      tg_text_fini(&text);
    }
    calculus_close(&world);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_is_missing),       cmocka_unit_test(operators_have_every_format),
      cmocka_unit_test(values_are_known_figures), cmocka_unit_test(traits_hold),
      cmocka_unit_test(derivatives_are_right),    cmocka_unit_test(formats_read_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
