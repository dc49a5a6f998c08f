// The job file's reader: places of values whatever their quoting, --set, values, defaults.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "grad/graph/graph.h"
#include "job/job.h"
#include "job/job_echo.h"
#include "job/job_validate.h"
#include "job/job_values.h"

// A job whose objective is written as `objective` (raw YAML behind "minimize:").
static tg_job *read_job(const char *objective, const char *rest, int n_sets, const char *const *sets, tg_status *status)
{
  char text[4096];
  const int length =
      snprintf(text, sizeof text, "minimize: %s\nvariables:\n  X: {rows: 3, columns: 2}\n%s", objective, rest);
  assert_true(length > 0 && (size_t)length < sizeof text);
  tg_job *job = NULL;
  assert_int_equal(tg_job_create("dir/job.yaml", text, (size_t)length, n_sets, sets, &job), TG_OK);
  *status = tg_job_read(job);
  return job;
}

// ---- offsets ----

typedef struct quoting {
  const char *raw;     // as it stands behind "minimize: "
  const char *decoded; // what YAML makes of it
} quoting;

// Every visible character of an expression, however it is written, must be traced to itself in the file, or to the
// escape that stands for it.
static void test_offsets(void **state)
{
  (void)state;
  static const quoting cases[] = {
      {"tr(A*X) + b", "tr(A*X) + b"},
      {"tr(A*X') + 'b", "tr(A*X') + 'b"},
      {"'tr(A*X'')+b'", "tr(A*X')+b"},
      {"'''''x'''", "''x'"},
      {"\"tr(A*X)\\x2bb\"", "tr(A*X)+b"},
      {"\"a\\u002Bb\\U0000002bc\"", "a+b+c"},
      {"\"a \\\n   + b\"", "a + b"},
      {"tr(A*X)\n  + b\n  + c", "tr(A*X) + b + c"},
      {"'a''''b''c'", "a''b'c"},
      {"'tr(A*X)\n   + b'", "tr(A*X) + b"},
      {"'tr(A*X)  \n\n\n   + b'''", "tr(A*X)\n\n+ b'"},
      {"|\n  tr(A*X)\n    + b\n", "tr(A*X)\n  + b\n"},
      {"|-\n  tr(A*X)\n  + b", "tr(A*X)\n+ b"},
      {">\n  tr(A*X)\n  + b\n\n  + c\n", "tr(A*X) + b\n+ c\n"},
      {">-  # why\n  tr(A*X)\n  + b", "tr(A*X) + b"},
      {"&f tr(A*X)", "tr(A*X)"},
      {"!!str tr(A*X)", "tr(A*X)"},
  };
  for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
    tg_status status = TG_OK;
    tg_job *job = read_job(cases[k].raw, "", 0, NULL, &status);
    assert_int_equal(status, TG_OK);
    assert_string_equal(job->spec.objective.text, cases[k].decoded);
    const char *source = job->sources[0].text;
    size_t before = 0;
    for (size_t i = 0; i < job->spec.objective.length; i++) {
      const size_t at = job->spec.objective.offsets[i];
      const char byte = job->spec.objective.text[i];
      assert_true(at >= before && at < job->sources[0].length);
      before = at;
      if (strchr(" \n", byte) == NULL && source[at] != '\\') assert_int_equal(source[at], byte);
    }
    tg_job_destroy(&job);
  }
}

// The message of an error that was found in the expression must point at the same character in the file.
static void test_relocation(void **state)
{
  (void)state;
  tg_status status = TG_OK;
  tg_job *job = read_job(">-\n  tr(A*X)\n  + tr(B'*Y)", "", 0, NULL, &status);
  assert_int_equal(status, TG_OK);
  const size_t at = (size_t)(strchr(job->spec.objective.text, 'Y') - job->spec.objective.text);
  tg_error_set_at(TG_NAME, TG_HERE, (tg_span){at, at + 1}, "unknown name 'Y'");
  tg_error_in_excerpt(&job->spec.objective, TG_NAME);
  tg_text text;
  tg_text_init(&text);
  tg_job_diagnose(job, TG_NAME, &text);
  assert_string_equal(tg_text_string(&text), "dir/job.yaml:3:11: error: unknown name 'Y'\n"
                                             "      + tr(B'*Y)\n"
                                             "              ^\n");
  tg_text_fini(&text);
  tg_job_destroy(&job);
}

// ---- typed values ----

static void test_values(void **state)
{
  (void)state;
  tg_status status = TG_OK;
  static const char rest[] = "  Y: {rows: 4, cols: 5, start: normal, seed: 9, scale: -2.5e-1}\n"
                             "  Z: {rows: 2, columns: 2, start: {file: z.npy}, constraint: {box: [0, 1]}}\n"
                             "data:\n  a: -1.5\n  M: {file: m.h5, dataset: /m, spd: true, trust: true}\n"
                             "  N: {generate: uniform, rows: 7, symmetric: true, seed: 3}\n"
                             "solver: {max_iterations: 12, time_limit: 2h, gradient_tolerance: 1e-5}\n"
                             "process_grid: {rows: 2, columns: 3, block: 17}\n"
                             "output: {directory: out, variables: {Y: y.npy, Z: none}}\n";
  tg_job *job = read_job("tr(X)", rest, 0, NULL, &status);
  assert_int_equal(status, TG_OK);
  assert_false(job->spec.maximize);
  assert_int_equal(job->spec.n_variables, 3);
  assert_int_equal(job->spec.variables[1].cols, 5);
  assert_int_equal(job->spec.variables[1].start, TG_START_NORMAL);
  assert_int_equal(job->spec.variables[1].seed, 9);
  assert_true(job->spec.variables[1].scale == -0.25);
  assert_string_equal(job->spec.variables[1].output, "y.npy");
  assert_string_equal(job->spec.variables[0].output, "X.npy");
  assert_null(job->spec.variables[2].output);
  assert_int_equal(job->spec.variables[2].start, TG_START_FILE);
  assert_string_equal(job->spec.variables[2].start_file, "dir/z.npy");
  assert_string_equal(job->spec.variables[2].constraint, "box");
  assert_int_equal(job->spec.n_data, 3);
  assert_true(job->spec.data[0].source == TG_SOURCE_NUMBER && job->spec.data[0].number == -1.5);
  assert_string_equal(job->spec.data[1].file, "dir/m.h5");
  assert_string_equal(job->spec.data[1].dataset, "/m");
  assert_int_equal(job->spec.data[1].properties, TG_SPD | TG_SYMMETRIC);
  assert_true(job->spec.data[1].trust);
  assert_int_equal(job->spec.data[2].cols, 7);
  assert_true(job->spec.data[2].options.symmetric);
  assert_int_equal(job->spec.solver.max_iterations, 12);
  assert_true(job->spec.solver.time_limit == 7200 && job->spec.solver.gradient_tolerance == 1e-5);
  assert_int_equal(job->spec.grid_rows, 2);
  assert_int_equal(job->spec.grid_cols, 3);
  assert_int_equal(job->spec.grid_block, 17);
  assert_string_equal(job->spec.output_directory, "out");
  tg_job_destroy(&job);
}

static tg_yaml_node plain(const char *text)
{
  return (tg_yaml_node){.kind = TG_YAML_SCALAR, .text = text, .length = strlen(text)};
}

static void test_durations(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    double seconds;
  } good[] = {{"90", 90},     {"30s", 30},   {"10min", 600}, {"2h", 7200},
              {"1.5h", 5400}, {"1d", 86400}, {"2 h", 7200},  {"0", 0}};
  static const char *const bad[] = {"", "h", "-5", "2 weeks", "1e3", "1:30", "nan", "inf", "5 s s", "..", "1m"};
  double seconds = 0;
  for (size_t k = 0; k < sizeof good / sizeof good[0]; k++) {
    const tg_yaml_node node = plain(good[k].text);
    assert_true(tg_value_duration(&node, &seconds));
    assert_true(seconds == good[k].seconds);
  }
  for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
    const tg_yaml_node node = plain(bad[k]);
    assert_false(tg_value_duration(&node, &seconds));
  }
}

static void test_numbers(void **state)
{
  (void)state;
  static const char *const numbers[] = {"0", "-1", "+2", ".5", "5.", "1e-3", "1E+3", "007"};
  static const char *const others[] = {"",    "-",    ".",     "e5",  "1e",  "0x10", "inf",
                                       "nan", ".nan", "1e999", "1 2", "1,5", "1_0"};
  double value = 0;
  for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++) {
    const tg_yaml_node node = plain(numbers[k]);
    assert_true(tg_value_number(&node, &value));
  }
  for (size_t k = 0; k < sizeof others / sizeof others[0]; k++) {
    const tg_yaml_node node = plain(others[k]);
    assert_false(tg_value_number(&node, &value));
  }
}

// ---- anchors and --set ----

static void test_anchors(void **state)
{
  (void)state;
  tg_status status = TG_OK;
  tg_job *job = read_job("tr(X)", "  Y: &shape {rows: 4, columns: 5}\n  Z: *shape\n", 0, NULL, &status);
  assert_int_equal(status, TG_OK);
  assert_int_equal(job->spec.variables[2].rows, 4);
  tg_job_destroy(&job);
  // What --set changes of one must not change the other.
  static const char *const sets[] = {"variables.Z.rows=6"};
  job = read_job("tr(X)", "  Y: &shape {rows: 4, columns: 5}\n  Z: *shape\n", 1, sets, &status);
  assert_int_equal(status, TG_OK);
  assert_int_equal(job->spec.variables[1].rows, 4);
  assert_int_equal(job->spec.variables[2].rows, 6);
  tg_job_destroy(&job);
}

static void test_set(void **state)
{
  (void)state;
  static const char *const sets[] = {
      "solver.max_iterations=5",   "solver.max_iterations=7", "data.mu=0.25",
      "output={directory: there}", "minimize=tr(X)*mu",       "variables.X.start={file: s.npy}"};
  tg_status status = TG_OK;
  tg_job *job = read_job("sumsq(X)", "", 6, sets, &status);
  assert_int_equal(status, TG_OK);
  assert_int_equal(job->spec.solver.max_iterations, 7);
  assert_int_equal(job->spec.n_data, 1);
  assert_true(job->spec.data[0].number == 0.25);
  assert_string_equal(job->spec.output_directory, "there");
  assert_string_equal(job->spec.objective.text, "tr(X)*mu");
  assert_int_equal(job->spec.variables[0].start, TG_START_FILE);
  tg_job_destroy(&job);
}

// A scalar gives way to a mapping with the key that is set below it.
static void test_set_below_scalars(void **state)
{
  (void)state;
  static const char *const sets[] = {"process_grid.block=32",
                                     "variables.Y.start.file=N.npy",
                                     "variables.Y.constraint.box=[0, 1]",
                                     "data.mu.generate=ones",
                                     "data.mu.rows=3",
                                     "variables.Y.columns=4"};
  static const char rest[] = "  Y: {rows: 4, cols: 5, start: zeros, constraint: nonnegative}\n"
                             "data: {mu: 1}\nprocess_grid: auto\n";
  tg_status status = TG_OK;
  tg_job *job = read_job("sumsq(X)", rest, 6, sets, &status);
  assert_int_equal(status, TG_OK);
  assert_int_equal(job->spec.grid_block, 32);
  assert_int_equal(job->spec.variables[1].start, TG_START_FILE);
  assert_string_equal(job->spec.variables[1].start_file, "dir/N.npy");
  assert_string_equal(job->spec.variables[1].constraint, "box");
  assert_int_equal(job->spec.variables[1].cols, 4);
  assert_string_equal(job->spec.data[0].generate, "ones");
  tg_job_destroy(&job);
}

// The last of minimize and maximize counts, also against that of the job; below data they are names like any.
static void test_set_objective(void **state)
{
  (void)state;
  static const char *const upwards[] = {"maximize=tr(X)"};
  static const char *const back[] = {"maximize=tr(X)",  "minimize=sum(X)", "data.minimize=1",
                                     "data.maximize=2", "data.cols=3",     "data.columns=4"};
  tg_status status = TG_OK;
  tg_job *job = read_job("sumsq(X)", "", 1, upwards, &status);
  assert_int_equal(status, TG_OK);
  assert_true(job->spec.maximize);
  assert_string_equal(job->spec.objective.text, "tr(X)");
  tg_job_destroy(&job);
  job = read_job("sumsq(X)", "", 6, back, &status);
  assert_int_equal(status, TG_OK);
  assert_false(job->spec.maximize);
  assert_string_equal(job->spec.objective.text, "sum(X)");
  assert_int_equal(job->spec.n_data, 4);
  tg_job_destroy(&job);
}

// A list has no keys.
static void test_set_below_list(void **state)
{
  (void)state;
  static const char *const sets[] = {"subject_to.first=tr(X) = 1"};
  tg_status status = TG_OK;
  tg_job *job = read_job("sumsq(X)", "subject_to: [tr(X) = 2]\n", 1, sets, &status);
  assert_int_equal(status, TG_JOB);
  assert_non_null(strstr(tg_error_get()->message, "'first' cannot be set: what holds it is a list"));
  tg_job_destroy(&job);
  // Nor has a job that is a single word.
  static const char *const objective[] = {"minimize=tr(X)"};
  assert_int_equal(tg_job_create("job.yaml", "hello\n", 6, 1, objective, &job), TG_OK);
  assert_int_equal(tg_job_read(job), TG_JOB);
  assert_non_null(strstr(tg_error_get()->message, "what holds it is no mapping"));
  tg_job_destroy(&job);
}

// A fault in a --set value is located in that argument, not in the file.
static void test_set_place(void **state)
{
  (void)state;
  static const char *const sets[] = {"solver.memory=5", "solver.memory=many"};
  tg_status status = TG_OK;
  tg_job *job = read_job("sumsq(X)", "", 2, sets, &status);
  assert_int_equal(status, TG_VALUE);
  tg_text text;
  tg_text_init(&text);
  tg_job_diagnose(job, status, &text);
  assert_ptr_equal(strstr(tg_text_string(&text), "--set solver.memory=many:1:15: error: "), tg_text_string(&text));
  tg_text_fini(&text);
  tg_job_destroy(&job);
}

// ---- the echo ----

static tg_status echo_of(const tg_job *job, json_t **out)
{
  tg_task *task = NULL;
  tg_status status = tg_task_create(&job->spec, &task);
  if (status == TG_OK) status = tg_job_echo(job, task, out);
  tg_task_destroy(&task);
  return status;
}

static void test_echo(void **state)
{
  (void)state;
  static const char *const sets[] = {"solver.memory=5"};
  tg_status status = TG_OK;
  tg_job *job = read_job("sumsq(X)", "data: {mu: 1e-3, A: {generate: ones, rows: 2}}\n", 1, sets, &status);
  assert_int_equal(status, TG_OK);
  json_t *echo = NULL;
  assert_int_equal(echo_of(job, &echo), TG_OK);
  assert_string_equal(json_string_value(json_object_get(echo, "minimize")), "sumsq(X)");
  const json_t *solver = json_object_get(echo, "solver");
  assert_int_equal(json_integer_value(json_object_get(solver, "memory")), 5);
  assert_int_equal(json_object_size(solver), opt_option_count());
  assert_true(json_real_value(json_object_get(json_object_get(echo, "data"), "mu")) == 1e-3);
  const json_t *x = json_object_get(json_object_get(echo, "variables"), "X");
  assert_string_equal(json_string_value(json_object_get(x, "start")), "zeros");
  assert_string_equal(json_string_value(json_object_get(json_object_get(echo, "output"), "directory")), "results");
  json_decref(echo);
  tg_job_destroy(&job);
}

// The start that a variable has when none is given.
static void test_default_start(void **state)
{
  (void)state;
  static const struct {
    const char *set;
    tg_start start;
  } cases[] = {{"orthonormal_columns", TG_START_FEASIBLE},
               {"{orthonormal_columns: {metric: S}}", TG_START_FEASIBLE},
               {"unit_columns", TG_START_FEASIBLE},
               {"nonnegative", TG_START_ZEROS},
               {"simplex_rows", TG_START_ZEROS}};
  for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
    char rest[256];
    snprintf(rest, sizeof rest, "  V: {rows: 3, columns: 2, constraint: %s}\ndata: {S: {generate: minij, rows: 3}}\n",
             cases[k].set);
    tg_status status = TG_OK;
    tg_job *job = read_job("sumsq(X)", rest, 0, NULL, &status);
    assert_int_equal(status, TG_OK);
    assert_int_equal(job->spec.variables[1].start, cases[k].start);
    json_t *echo = NULL;
    assert_int_equal(echo_of(job, &echo), TG_OK);
    const json_t *v = json_object_get(json_object_get(echo, "variables"), "V");
    assert_string_equal(json_string_value(json_object_get(v, "start")), tg_start_label(cases[k].start));
    json_decref(echo);
    tg_job_destroy(&job);
  }
}

// ---- the table ----

// Every row can be reached and says something; sections stand before their keys.
static void test_table(void **state)
{
  (void)state;
  for (int k = 0; k < tg_job_key_count(); k++) {
    const tg_job_key *key = tg_job_key_at(k);
    assert_true(strlen(key->help) > 10);
    assert_true(key->smallest <= key->largest);
    const char *dot = strrchr(key->path, '.');
    bool found = dot == NULL;
    for (int before = 0; before < k && !found; before++) {
      const char *path = tg_job_key_at(before)->path;
      found = strlen(path) == (size_t)(dot - key->path) && strncmp(path, key->path, strlen(path)) == 0;
    }
    assert_true(found);
    for (int other = 0; other < k; other++) assert_string_not_equal(tg_job_key_at(other)->path, key->path);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_offsets),       cmocka_unit_test(test_relocation),
      cmocka_unit_test(test_values),        cmocka_unit_test(test_durations),
      cmocka_unit_test(test_numbers),       cmocka_unit_test(test_anchors),
      cmocka_unit_test(test_set),           cmocka_unit_test(test_set_below_scalars),
      cmocka_unit_test(test_set_objective), cmocka_unit_test(test_set_below_list),
      cmocka_unit_test(test_set_place),     cmocka_unit_test(test_echo),
      cmocka_unit_test(test_default_start), cmocka_unit_test(test_table),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
