// The file of the cost model's constants: what a benchmark prints is read, everything else is refused with its reason.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/run/machine.h"

static const char measured[] = "# 2 ranks x 1 thread\n"
                               "{\"flops_per_thread\": 1, \"an older line\": true}\n"
                               "{\"benchmark\": \"machine\", \"flops_per_thread\": 5e10, \"link_bytes\": 7e9, "
                               "\"memory_bytes\": 9e9, \"latency_sec\": 0, \"measured_on\": {\"ranks\": 2}}\n"
                               "a launcher's last words\n";

// A file with this content; the name is overwritten by the next call.
static const char *file_of(const char *content, size_t length)
{
  static char path[] = "/tmp/test_engine_machine_XXXXXX";
  strcpy(path + sizeof path - 7, "XXXXXX");
  const int descriptor = mkstemp(path);
  assert_true(descriptor >= 0);
  assert_int_equal(write(descriptor, content, length), (ssize_t)length);
  close(descriptor);
  return path;
}

static tg_status read_content(const char *content, tg_cost_machine *out)
{
  const char *path = file_of(content, strlen(content));
  const tg_status status = tg_machine_read(path, out);
  unlink(path);
  return status;
}

static void the_last_object_is_read(void **state)
{
  (void)state;
  tg_cost_machine m;
  assert_int_equal(read_content(measured, &m), TG_OK);
  assert_true(m.flops_per_thread == 5e10 && m.link_bytes == 7e9 && m.memory_bytes == 9e9 && m.latency_sec == 0);
}

static void what_is_wrong_is_said(void **state)
{
  (void)state;
  static const char *const bad[][2] = {
      {"", "no line that begins with {"},
      {"flops_per_thread = 1\n", "no line that begins with {"},
      {"{\"flops_per_thread\": ", "machine"},
      {"{}", "has no \"flops_per_thread\""},
      {"{\"flops_per_thread\": 1, \"link_bytes\": 1, \"memory_bytes\": 1}", "has no \"latency_sec\""},
      {"{\"flops_per_thread\": 0}", "\"flops_per_thread\" is not a positive number"},
      {"{\"flops_per_thread\": 1, \"link_bytes\": \"fast\"}", "\"link_bytes\" is not a positive number"},
      {"{\"flops_per_thread\": 1, \"link_bytes\": 1, \"memory_bytes\": -1}", "\"memory_bytes\" is not a positive"},
      {"{\"flops_per_thread\": 1, \"link_bytes\": 1, \"memory_bytes\": 1, \"latency_sec\": -1}",
       "\"latency_sec\" is not a positive number or 0"},
  };
  for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
    tg_cost_machine m;
    assert_int_equal(read_content(bad[k][0], &m), TG_DATA);
    if (strstr(tg_error_get()->message, bad[k][1]) == NULL)
      fail_msg("\"%s\" is not in \"%s\"", bad[k][1], tg_error_get()->message);
  }
}

static void files_that_cannot_be_are_refused(void **state)
{
  (void)state;
  tg_cost_machine m;
  assert_int_equal(tg_machine_read("/nowhere/machine.json", &m), TG_DATA);
  assert_non_null(strstr(tg_error_get()->message, "No such file"));
  assert_int_equal(tg_machine_read("/tmp", &m), TG_DATA);
  static char long_text[TG_MACHINE_FILE_BYTES + 10];
  memset(long_text, ' ', sizeof long_text);
  const char *path = file_of(long_text, sizeof long_text);
  assert_int_equal(tg_machine_read(path, &m), TG_DATA);
  unlink(path);
  assert_non_null(strstr(tg_error_get()->message, "is longer than"));
}

static void the_environment_names_it(void **state)
{
  (void)state;
  tg_cost_machine m;
  const char *source = "something";
  unsetenv(TG_MACHINE_VARIABLE);
  assert_int_equal(tg_machine_get(&m, &source), TG_OK);
  assert_null(source);
  assert_true(m.flops_per_thread == tg_cost_machine_default().flops_per_thread);
  setenv(TG_MACHINE_VARIABLE, "", 1);
  assert_int_equal(tg_machine_get(&m, &source), TG_OK);
  assert_null(source);
  const char *path = file_of(measured, strlen(measured));
  setenv(TG_MACHINE_VARIABLE, path, 1);
  assert_int_equal(tg_machine_get(&m, &source), TG_OK);
  assert_string_equal(source, path);
  assert_true(m.link_bytes == 7e9);
  unlink(path);
  assert_int_equal(tg_machine_get(&m, &source), TG_DATA);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_last_object_is_read),
      cmocka_unit_test(what_is_wrong_is_said),
      cmocka_unit_test(files_that_cannot_be_are_refused),
      cmocka_unit_test(the_environment_names_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
