// The line searches on the test functions of More and Thuente (1994), on walls, on noise, on endless descent.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>

#include "opt/line/line_search.h"

// A function of one variable, phi(t) = function(t, parameters), with derivative.
typedef double scalar_function(double t, double *slope);

typedef struct probe {
  scalar_function *function;
  double at_zero;
  double furthest; // argument asked for
  int calls;
  int slopes;
} probe;

static tg_status eval(void *self, double t, double *rise, double *slope)
{
  probe *p = self;
  double derivative = 0;
  *rise = p->function(t, &derivative) - p->at_zero;
  if (slope != NULL) *slope = derivative;
  p->calls++;
  p->slopes += slope != NULL;
  p->furthest = fmax(p->furthest, t);
  return TG_OK;
}

static opt_phi make_phi(probe *p, scalar_function *function)
{
  *p = (probe){.function = function};
  opt_phi phi = {.eval = eval, .self = p, .degree = -1};
  p->at_zero = function(0, &phi.slope);
  return phi;
}

static opt_line_options make_options(double first, double decrease, double curvature)
{
  return (opt_line_options){.first = first,
                            .longest = 1e6,
                            .decrease = decrease,
                            .curvature = curvature,
                            .step_length = 0.25,
                            .max_evaluations = 60};
}

// Functions 5.1 - 5.3 of the paper.
static double rational(double t, double *slope)
{
  const double q = t * t + 2;
  *slope = (t * t - 2) / (q * q);
  return -t / q;
}

static double power(double t, double *slope)
{
  const double u = t + 0.004;
  *slope = 5 * pow(u, 4) - 8 * pow(u, 3);
  return pow(u, 5) - 2 * pow(u, 4);
}

static double rippled(double t, double *slope)
{
  const double pi = 3.14159265358979323846;
  const double beta = 0.01;
  const double l = 39;
  double base = 0;
  double base_slope = 0;
  if (t <= 1 - beta) {
    base = 1 - t;
    base_slope = -1;
  } else if (t >= 1 + beta) {
    base = t - 1;
    base_slope = 1;
  } else {
    base = (t - 1) * (t - 1) / (2 * beta) + beta / 2;
    base_slope = (t - 1) / beta;
  }
  *slope = base_slope + (1 - beta) * cos(l * pi / 2 * t);
  return base + 2 * (1 - beta) / (l * pi) * sin(l * pi / 2 * t);
}

// Functions 5.4 - 5.6: Yanai, Ozawa and Kaneko's, for three pairs of parameters.
static double yanai(double t, double *slope, double b1, double b2)
{
  const double g1 = sqrt(1 + b1 * b1) - b1;
  const double g2 = sqrt(1 + b2 * b2) - b2;
  const double left = sqrt((1 - t) * (1 - t) + b2 * b2);
  const double right = sqrt(t * t + b1 * b1);
  *slope = -g1 * (1 - t) / left + g2 * t / right;
  return g1 * left + g2 * right;
}

static double yanai_even(double t, double *slope)
{
  return yanai(t, slope, 1e-3, 1e-3);
}

static double yanai_left(double t, double *slope)
{
  return yanai(t, slope, 1e-2, 1e-3);
}

static double yanai_right(double t, double *slope)
{
  return yanai(t, slope, 1e-3, 1e-2);
}

// The paper's tables: function, decrease, curvature.
static const struct {
  const char *name;
  scalar_function *function;
  double decrease;
  double curvature;
} more_thuente[] = {{"5.1", rational, 1e-3, 1e-1},   {"5.2", power, 1e-1, 1e-1},      {"5.3", rippled, 1e-1, 1e-1},
                    {"5.4", yanai_even, 1e-3, 1e-3}, {"5.5", yanai_left, 1e-3, 1e-3}, {"5.6", yanai_right, 1e-3, 1e-3}};

static void check_strong(const opt_line_search *search, size_t row, double first)
{
  probe p;
  opt_phi phi = make_phi(&p, more_thuente[row].function);
  const opt_line_options options = make_options(first, more_thuente[row].decrease, more_thuente[row].curvature);
  opt_line_found found;
  assert_int_equal(search->search(&phi, &options, &found), TG_OK);
  double slope = 0;
  const double rise = more_thuente[row].function(found.t, &slope) - p.at_zero;
  const bool is_strong = fabs(slope) <= -options.curvature * phi.slope;
  const bool is_good = found.verdict == OPT_LINE_FOUND && rise <= options.decrease * found.t * phi.slope && is_strong &&
                       found.evaluations <= 20 && found.evaluations == p.calls && rise == found.rise;
  if (!is_good)
    print_error("%s on %s from %g: verdict %d, t = %g, slope %g, %d evaluations\n", search->name,
                more_thuente[row].name, first, (int)found.verdict, found.t, slope, found.evaluations);
  assert_true(is_good);
}

static void test_strong_wolfe_on_the_papers_functions(void **unused)
{
  (void)unused;
  const double firsts[] = {1e-3, 1e-1, 1e1, 1e3};
  for (size_t row = 0; row < sizeof more_thuente / sizeof more_thuente[0]; row++) {
    for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++)
      check_strong(&opt_line_search_strong_wolfe, row, firsts[i]);
  }
}

// Wolfe's conditions with the slope from below only, which is what Hager and Zhang ask.
static void test_hager_zhang_on_the_papers_functions(void **unused)
{
  (void)unused;
  const double firsts[] = {1e-3, 1e-1, 1e1, 1e3};
  for (size_t row = 0; row < sizeof more_thuente / sizeof more_thuente[0]; row++) {
    for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
      probe p;
      opt_phi phi = make_phi(&p, more_thuente[row].function);
      const opt_line_options options = make_options(firsts[i], more_thuente[row].decrease, more_thuente[row].curvature);
      opt_line_found found;
      double slope = 0;
      assert_int_equal(opt_line_search_hager_zhang.search(&phi, &options, &found), TG_OK);
      assert_int_equal(found.verdict, OPT_LINE_FOUND);
      const double rise = more_thuente[row].function(found.t, &slope) - p.at_zero;
      assert_true(slope >= options.curvature * phi.slope);
      assert_true(rise <= options.decrease * found.t * phi.slope || rise <= 0);
      assert_true(found.evaluations <= 30);
    }
  }
}

static void test_armijo_on_the_papers_functions(void **unused)
{
  (void)unused;
  const double firsts[] = {1e-3, 1e-1, 1e1, 1e3};
  for (size_t row = 0; row < sizeof more_thuente / sizeof more_thuente[0]; row++) {
    for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
      probe p;
      opt_phi phi = make_phi(&p, more_thuente[row].function);
      const opt_line_options options = make_options(firsts[i], 1e-4, 0.9);
      opt_line_found found;
      assert_int_equal(opt_line_search_armijo.search(&phi, &options, &found), TG_OK);
      assert_int_equal(found.verdict, OPT_LINE_FOUND);
      assert_true(found.rise <= 1e-4 * found.t * phi.slope);
      assert_int_equal(p.slopes, 1); // gradients are for the first trial only
    }
  }
}

// Finite up to t = 0.3 only, falling all the way.
static double walled(double t, double *slope)
{
  *slope = t < 0.3 ? -1 : (double)NAN;
  return t < 0.3 ? -t : (double)NAN;
}

static double nowhere(double t, double *slope)
{
  *slope = t == 0 ? -1 : (double)NAN;
  return t == 0 ? 0 : (double)INFINITY;
}

static const opt_line_search *const by_evaluation[] = {&opt_line_search_armijo, &opt_line_search_strong_wolfe,
                                                       &opt_line_search_hager_zhang};

static void test_non_finite_trials_are_backed_off(void **unused)
{
  (void)unused;
  for (size_t i = 0; i < 3; i++) {
    probe p;
    opt_phi phi = make_phi(&p, walled);
    const opt_line_options options = make_options(100, 1e-4, 0.9);
    opt_line_found found;
    assert_int_equal(by_evaluation[i]->search(&phi, &options, &found), TG_OK);
    if (found.verdict == OPT_LINE_FOUND) {
      assert_true(found.t > 0 && found.t < 0.3);
      // Not right up to the wall, from where the next step would lead nowhere; nor far from it.
      if (by_evaluation[i] == &opt_line_search_strong_wolfe) assert_true(found.t > 0.15 && found.t < 0.29);
    } else {
      // No point before the wall has a flatter slope: a search that insists on one may say so.
      assert_ptr_equal(by_evaluation[i], &opt_line_search_hager_zhang);
      assert_int_equal(found.verdict, OPT_LINE_STUCK);
    }
  }
}

static void test_nowhere_finite(void **unused)
{
  (void)unused;
  for (size_t i = 0; i < 3; i++) {
    probe p;
    opt_phi phi = make_phi(&p, nowhere);
    const opt_line_options options = make_options(1, 1e-4, 0.9);
    opt_line_found found;
    assert_int_equal(by_evaluation[i]->search(&phi, &options, &found), TG_OK);
    assert_int_equal(found.verdict, OPT_LINE_NOT_FINITE);
    assert_true(p.calls <= 60);
  }
  probe p;
  opt_phi phi = make_phi(&p, nowhere);
  const opt_line_options options = make_options(1, 1e-4, 0.9);
  opt_line_found found;
  assert_int_equal(opt_line_search_fixed.search(&phi, &options, &found), TG_OK);
  assert_int_equal(found.verdict, OPT_LINE_NOT_FINITE);
}

static double straight(double t, double *slope)
{
  *slope = -1;
  return -t;
}

static void test_endless_descent_is_seen(void **unused)
{
  (void)unused;
  for (size_t i = 0; i < 3; i++) {
    probe p;
    opt_phi phi = make_phi(&p, straight);
    const opt_line_options options = make_options(1, 1e-4, 0.9);
    opt_line_found found;
    assert_int_equal(by_evaluation[i]->search(&phi, &options, &found), TG_OK);
    assert_int_equal(found.verdict, OPT_LINE_FALLING);
    assert_true(found.t == options.longest);
    assert_true(p.furthest <= options.longest);
  }
}

// (t - 1)^2 scaled so that all differences of values drown in the rounding of 1.
static double drowned(double t, double *slope)
{
  *slope = 2e-17 * (t - 1);
  return 1 + 1e-17 * (t - 1) * (t - 1);
}

static void test_slopes_decide_below_the_noise(void **unused)
{
  (void)unused;
  for (size_t i = 0; i < 3; i++) {
    probe p;
    opt_phi phi = make_phi(&p, drowned);
    phi.noise = 16 * DBL_EPSILON;
    const opt_line_options options = make_options(0.01, 1e-4, 0.1);
    opt_line_found found;
    assert_int_equal(by_evaluation[i]->search(&phi, &options, &found), TG_OK);
    assert_int_equal(found.verdict, OPT_LINE_FOUND);
    double slope = 0;
    drowned(found.t, &slope);
    assert_true(fabs(slope) < fabs(phi.slope));
  }
}

// An ascent that pretends to be a descent: nothing is acceptable.
static double liar(double t, double *slope)
{
  *slope = t == 0 ? -1 : 1;
  return t;
}

static void test_false_slopes_end_stuck(void **unused)
{
  (void)unused;
  for (size_t i = 0; i < 3; i++) {
    probe p;
    opt_phi phi = make_phi(&p, liar);
    const opt_line_options options = make_options(1, 1e-4, 0.9);
    opt_line_found found;
    assert_int_equal(by_evaluation[i]->search(&phi, &options, &found), TG_OK);
    assert_int_equal(found.verdict, OPT_LINE_STUCK);
    assert_true(p.calls <= 130);
  }
}

// On a manifold slopes are right to first order only: here they never turn, though phi has its minimum at 1.
static double unturned(double t, double *slope)
{
  *slope = -2;
  return (t - 1) * (t - 1);
}

static void test_slopes_that_never_turn(void **state)
{
  (void)state;
  const char *const names[] = {"strong-wolfe", "hager-zhang"};
  const double firsts[] = {1e-3, 0.3, 1.9, 50};
  for (size_t k = 0; k < 2; k++)
    for (size_t i = 0; i < 4; i++) {
      probe p;
      opt_phi phi = make_phi(&p, unturned);
      phi.noise = 1e-12;
      const opt_line_options options = make_options(firsts[i], 1e-4, 0.1);
      opt_line_found found;
      assert_int_equal(opt_line_search_find(names[k])->search(&phi, &options, &found), TG_OK);
      assert_int_equal(found.verdict, OPT_LINE_FOUND);
      assert_true(found.rise <= -1e-4 && found.rise == unturned(found.t, &phi.slope) - 1);
      assert_true(found.evaluations == p.calls && (k == 0 || p.calls <= 20));
    }
}

static void test_armijo_expands_a_timid_first_step(void **unused)
{
  (void)unused;
  probe p;
  opt_phi phi = make_phi(&p, rational);
  const opt_line_options options = make_options(1e-4, 1e-4, 0.9);
  opt_line_found found;
  assert_int_equal(opt_line_search_armijo.search(&phi, &options, &found), TG_OK);
  assert_int_equal(found.verdict, OPT_LINE_FOUND);
  assert_true(found.t > 0.3);
}

static void test_exact_uses_coefficients_only(void **unused)
{
  (void)unused;
  probe p;
  const double c[] = {1e20, -4, 2};
  opt_phi phi = make_phi(&p, straight);
  phi.degree = 2;
  phi.coefs = c;
  phi.slope = c[1];
  opt_line_options options = make_options(1, 1e-4, 0.9);
  opt_line_found found;
  assert_int_equal(opt_line_search_exact.search(&phi, &options, &found), TG_OK);
  assert_int_equal(found.verdict, OPT_LINE_FOUND);
  assert_true(found.t == 1 && found.rise == -2 && p.calls == 0);
  phi.coefs = (const double[]){0, -4, -2};
  assert_int_equal(opt_line_search_exact.search(&phi, &options, &found), TG_OK);
  assert_int_equal(found.verdict, OPT_LINE_FALLING);
  phi.coefs = (const double[]){0, 4, 2};
  assert_int_equal(opt_line_search_exact.search(&phi, &options, &found), TG_OK);
  assert_int_equal(found.verdict, OPT_LINE_STUCK);
  // A minimiser beyond the longest step: as far as that goes.
  options.longest = 0.5;
  phi.coefs = c;
  assert_int_equal(opt_line_search_exact.search(&phi, &options, &found), TG_OK);
  assert_int_equal(found.verdict, OPT_LINE_FOUND);
  assert_true(found.t == 0.5 && found.rise == -1.5);
}

static void test_fixed_takes_its_length(void **unused)
{
  (void)unused;
  probe p;
  opt_phi phi = make_phi(&p, liar);
  const opt_line_options options = make_options(1, 1e-4, 0.9);
  opt_line_found found;
  assert_int_equal(opt_line_search_fixed.search(&phi, &options, &found), TG_OK);
  assert_int_equal(found.verdict, OPT_LINE_FOUND);
  assert_true(found.t == 0.25 && found.rise == 0.25);
}

static void test_table(void **unused)
{
  (void)unused;
  assert_ptr_equal(opt_line_search_find("exact"), &opt_line_search_exact);
  assert_true(opt_line_search_find("exact")->needs_polynomial);
  assert_null(opt_line_search_find("golden-section"));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_strong_wolfe_on_the_papers_functions),
      cmocka_unit_test(test_hager_zhang_on_the_papers_functions),
      cmocka_unit_test(test_armijo_on_the_papers_functions),
      cmocka_unit_test(test_non_finite_trials_are_backed_off),
      cmocka_unit_test(test_nowhere_finite),
      cmocka_unit_test(test_endless_descent_is_seen),
      cmocka_unit_test(test_slopes_decide_below_the_noise),
      cmocka_unit_test(test_false_slopes_end_stuck),
      cmocka_unit_test(test_slopes_that_never_turn),
      cmocka_unit_test(test_armijo_expands_a_timid_first_step),
      cmocka_unit_test(test_exact_uses_coefficients_only),
      cmocka_unit_test(test_fixed_takes_its_length),
      cmocka_unit_test(test_table),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
