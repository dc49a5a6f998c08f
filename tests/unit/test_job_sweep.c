// Sweeps: values of an axis, the order of the points, the spec of each, and how the path is extrapolated.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/sweep/points.h"
#include "job/job.h"

static tg_job *read_job(const char *sweep, tg_status *status)
{
  char text[2048];
  snprintf(text, sizeof text,
           "minimize: sumsq(A*X) + a*sumsq(X) + b*sum(X)\n"
           "variables: {X: {rows: 3, columns: 2, start: normal}}\n"
           "data: {A: {generate: identity, rows: 3}, a: 1, b: 2, c: 3}\nsweep: %s\n",
           sweep);
  tg_job *job = NULL;
  assert_int_equal(tg_job_create("job.yaml", text, strlen(text), 0, NULL, &job), TG_OK);
  *status = tg_job_read(job);
  return job;
}

static tg_job *read_good(const char *sweep)
{
  tg_status status = TG_OK;
  tg_job *job = read_job(sweep, &status);
  assert_int_equal(status, TG_OK);
  return job;
}

// Every combination once, and neighbours differ by one step of one axis.
static void test_order(void **state)
{
  (void)state;
  static const char *const sweeps[] = {"{a: [1, 2, 3]}", "{a: [1], b: [4, 5]}",
                                       "{a: [1, 2, 3], b: [4, 5], c: [6, 7, 8, 9]}",
                                       "{c: [1, 2], b: [1, 2], a: [1, 2], solver.memory: [3, 4]}"};
  for (size_t k = 0; k < sizeof sweeps / sizeof sweeps[0]; k++) {
    tg_job *job = read_good(sweeps[k]);
    const tg_sweep *sweep = job->spec.sweep;
    int before[TG_SWEEP_AXES_MAX] = {0};
    bool seen[64] = {false};
    for (int64_t p = 0; p < sweep->n_points; p++) {
      int at[TG_SWEEP_AXES_MAX];
      int steps = 0;
      int index = 0;
      tg_sweep_positions(sweep, p, at);
      for (int i = 0; i < sweep->n_axes; i++) {
        assert_in_range(at[i], 0, sweep->axes[i].n - 1);
        index = index * sweep->axes[i].n + at[i];
        steps += p > 0 ? abs(at[i] - before[i]) : at[i];
        before[i] = at[i];
      }
      assert_int_equal(steps, p > 0 ? 1 : 0);
      assert_false(seen[index]);
      seen[index] = true;
    }
    tg_job_destroy(&job);
  }
}

static void test_ranges(void **state)
{
  (void)state;
  tg_job *job = read_good("{a: {logspace: [1e-4, 1e2, 7]}, b: {linspace: [3, -1, 5]}, c: [1/4, 2e3], variables.X.seed: "
                          "{linspace: [1, 3, 3]}}");
  const tg_sweep_axis *axes = job->spec.sweep->axes;
  assert_int_equal(job->spec.sweep->n_points, 7 * 5 * 2 * 3);
  assert_true(axes[0].values[0].number == 1e-4 && axes[0].values[6].number == 1e2);
  for (int k = 0; k < 7; k++) assert_true(fabs(log10(axes[0].values[k].number) - (k - 4)) < 1e-14);
  for (int k = 0; k < 5; k++) assert_true(axes[1].values[k].number == 3 - k);
  assert_true(axes[2].values[0].number == 0.25);
  assert_string_equal(axes[3].values[2].text, "3");
  tg_job_destroy(&job);
}

static void test_specs(void **state)
{
  (void)state;
  tg_job *job = read_good("{b: [7], solver.method: [l-bfgs, newton-cg], variables.X.seed: [5, 9]}");
  tg_spec *spec = NULL;
  assert_int_equal(tg_sweep_spec_at(&job->spec, 2, &spec), TG_OK);
  assert_true(spec->data[2].number == 7 && spec->variables[0].seed == 9 && spec->sweep == NULL);
  assert_int_equal(spec->solver.method, opt_option_choice(OPT_KIND_METHOD, "newton-cg"));
  assert_true(job->spec.data[2].number == 2 && job->spec.variables[0].seed == 1);
  tg_sweep_destroy_spec(&spec);
  assert_int_equal(tg_sweep_check(&job->spec), TG_OK);
  tg_job_destroy(&job);
  job = read_good("{c: [7]}");
  assert_int_equal(tg_sweep_check(&job->spec), TG_NAME);
  assert_non_null(strstr(tg_error_get()->message, "c does not occur"));
  tg_error_clear();
  tg_job_destroy(&job);
}

static void test_refusals(void **state)
{
  (void)state;
  static const char *const bad[] = {"{}",
                                    "{a: []}",
                                    "{a: {logspace: [1, 2, 0]}}",
                                    "{a: {logspace: [0, 2, 3]}}",
                                    "{a: {linspace: [1, 2, 1]}}",
                                    "{a: {linspace: [1, 2, 20000]}}",
                                    "{a: {linspace: [1, 2, 200]}, b: {linspace: [1, 2, 200]}}",
                                    "{a: x}",
                                    "{a: [[1]]}",
                                    "{A: [1]}",
                                    "{d: [1]}",
                                    "{a: [1], data.a: [2]}",
                                    "{solver.methd: [l-bfgs]}",
                                    "{solver.memory: [-1]}",
                                    "{variables.X.seed: [1.5]}",
                                    "{variables.X.rows: [3]}"};
  for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
    tg_status status = TG_OK;
    tg_job *job = read_job(bad[k], &status);
    assert_int_not_equal(status, TG_OK);
    assert_true(tg_status_exit(status) == 2 && tg_error_get()->has_span);
    tg_error_clear();
    tg_job_destroy(&job);
  }
}

// A cubic in the logarithm is continued exactly; around a corner the newest point alone counts.
static void test_weights(void **state)
{
  (void)state;
  tg_job *job = read_good("{a: [1, 2], b: {logspace: [1e-2, 1e2, 9]}}");
  const tg_sweep *sweep = job->spec.sweep;
  double weights[4];
  const int64_t before[] = {5, 4, 2, 1};
  assert_int_equal(tg_sweep_weights(sweep, 6, 4, before, weights), 4);
  double sum = 0;
  for (int k = 0; k < 4; k++) {
    const double u = (double)before[k];
    sum += weights[k] * (u * u * u - 3 * u + 1);
  }
  assert_true(fabs(sum - (6. * 6 * 6 - 18 + 1)) < 1e-9);
  const int64_t row[] = {8, 7, 6, 5};
  assert_int_equal(tg_sweep_weights(sweep, 9, 4, row, weights), 1);
  assert_true(weights[0] == 1);
  const int64_t turned[] = {9, 8, 7, 6};
  assert_int_equal(tg_sweep_weights(sweep, 10, 4, turned, weights), 1);
  assert_int_equal(tg_sweep_weights(sweep, 10, 0, NULL, weights), 0);
  tg_job_destroy(&job);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_order), cmocka_unit_test(test_ranges),
                                     cmocka_unit_test(test_specs), cmocka_unit_test(test_refusals),
                                     cmocka_unit_test(test_weights)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
