// The spec as plain data: lookups, the task that the engine makes of it, starts, and where an option is written.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#include "engine/task.h"

typedef struct world {
  tg_spec spec;
  tg_spec_variable variables[2];
  tg_spec_data data[3];
} world;

static void set_up(world *w)
{
  *w = (world){.spec = {.name = "made by hand", .n_variables = 2, .n_data = 3}};
  w->spec.variables = w->variables;
  w->spec.data = w->data;
  w->variables[0] = (tg_spec_variable){.name = "U", .rows = 4, .cols = 2, .seed = 7};
  w->variables[1] = (tg_spec_variable){.name = "V", .rows = 3, .cols = 2, .constraint = "nonnegative"};
  w->data[0] = (tg_spec_data){.name = "M", .rows = 4, .cols = 3};
  w->data[1] = (tg_spec_data){.name = "mu", .source = TG_SOURCE_NUMBER, .number = 0.5, .rows = 1, .cols = 1};
  w->data[2] = (tg_spec_data){.name = "m", .rows = 1, .cols = 3};
  opt_options_init(&w->spec.solver);
}

// Names are whole and of one kind: no prefix is found, capitals count, a datum is no variable.
static void test_find(void **state)
{
  (void)state;
  world w;
  set_up(&w);
  assert_int_equal(tg_spec_find_variable(&w.spec, "U"), 0);
  assert_int_equal(tg_spec_find_variable(&w.spec, "V"), 1);
  assert_int_equal(tg_spec_find_data(&w.spec, "M"), 0);
  assert_int_equal(tg_spec_find_data(&w.spec, "mu"), 1);
  assert_int_equal(tg_spec_find_data(&w.spec, "m"), 2);
  static const char *const unknown[] = {"", "u", "Um", "W"};
  for (size_t k = 0; k < sizeof unknown / sizeof unknown[0]; k++) {
    assert_int_equal(tg_spec_find_variable(&w.spec, unknown[k]), -1);
    assert_int_equal(tg_spec_find_data(&w.spec, unknown[k]), -1);
  }
  assert_int_equal(tg_spec_find_variable(&w.spec, "M"), -1);
  assert_int_equal(tg_spec_find_data(&w.spec, "U"), -1);
}

// ---- the task of a spec ----

// What is written into a task stays there, and is undone by making another one.
static void test_task_leaves_the_spec(void **state)
{
  (void)state;
  world w;
  world before;
  tg_task *task = NULL;
  set_up(&w);
  memcpy(&before, &w, sizeof w);
  for (int round = 0; round < 2; round++) {
    assert_int_equal(tg_task_create(&w.spec, &task), TG_OK);
    assert_ptr_equal(task->spec, &w.spec);
    for (int k = 0; k < 2; k++) {
      tg_task_variable *x = &task->variables[k];
      assert_ptr_equal(x->spec, &w.variables[k]);
      assert_true(x->rows == w.variables[k].rows && x->cols == w.variables[k].cols && x->seed == w.variables[k].seed);
      assert_true(!x->start_is_chosen && x->domain == 0 && x->open_set == NULL && x->norm1 == 0);
      x->rows = x->cols = 99;
      x->constraint = NULL;
      x->norm1 = 2;
    }
    for (int k = 0; k < 3; k++) {
      tg_task_data *d = &task->data[k];
      assert_ptr_equal(d->spec, &w.data[k]);
      assert_true(d->rows == w.data[k].rows && d->cols == w.data[k].cols && d->found == 0 && !d->used);
      d->rows = 99;
      d->found = 1;
      d->used = true;
    }
    tg_task_destroy(&task);
    assert_null(task);
    assert_memory_equal(&w, &before, sizeof w);
  }
  tg_task_destroy(&task);
}

static void test_task_of_empty_lists(void **state)
{
  (void)state;
  const tg_spec empty = {.name = "empty"};
  tg_task *task = NULL;
  assert_int_equal(tg_task_create(&empty, &task), TG_OK);
  tg_task_destroy(&task);
}

// Chosen starts are those of the spec again; sizes and constraints stay.
static void test_task_forgets_starts(void **state)
{
  (void)state;
  world w;
  tg_task *task = NULL;
  set_up(&w);
  assert_int_equal(tg_task_create(&w.spec, &task), TG_OK);
  task->variables[0].rows = 9;
  task->variables[0].start = TG_START_NORMAL;
  task->variables[0].start_is_chosen = true;
  task->variables[0].seed = 1007;
  task->variables[0].scale = 3;
  tg_task_forget_starts(task);
  assert_int_equal(task->variables[0].start, TG_START_ZEROS);
  assert_false(task->variables[0].start_is_chosen);
  assert_true(task->variables[0].seed == 7 && task->variables[0].scale == w.variables[0].scale);
  assert_int_equal(task->variables[0].rows, 9);
  assert_string_equal(task->variables[1].constraint, "nonnegative");
  tg_task_drop_restrictions(task);
  assert_true(task->only_evaluates);
  assert_null(task->variables[1].constraint);
  assert_string_equal(w.variables[1].constraint, "nonnegative");
  tg_task_destroy(&task);
}

// ---- starts ----

// Each name finds the start that is called so; there are no others, and files have none.
static void test_start_names(void **state)
{
  (void)state;
  int count = 0;
  for (; tg_start_at(count) != NULL; count++) {
    tg_start found = TG_START_FILE;
    assert_true(tg_start_find(tg_start_at(count), &found));
    assert_int_equal(found, count);
    assert_string_equal(tg_start_label(found), tg_start_at(count));
    assert_true(strlen(tg_start_help(count)) > 0);
  }
  assert_int_equal(count, TG_START_FILE);
  tg_start untouched = TG_START_ONES;
  assert_false(tg_start_find("file", &untouched));
  assert_false(tg_start_find("", &untouched));
  assert_false(tg_start_find("Zeros", &untouched));
  assert_int_equal(untouched, TG_START_ONES);
}

static void test_random_starts(void **state)
{
  (void)state;
  static const struct {
    tg_start start;
    bool is_random;
  } rows[] = {{TG_START_ZEROS, false},  {TG_START_ONES, false},    {TG_START_IDENTITY, false}, {TG_START_NORMAL, true},
              {TG_START_UNIFORM, true}, {TG_START_FEASIBLE, true}, {TG_START_MEMORY, false},   {TG_START_FILE, false}};
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    const tg_task_variable x = {.start = rows[k].start, .seed = 3};
    assert_int_equal(tg_start_is_random(rows[k].start), rows[k].is_random);
    assert_int_equal(tg_task_starts_randomly(&x), rows[k].is_random);
  }
}

static void test_manifolds(void **state)
{
  (void)state;
  static const struct {
    const char *constraint;
    bool is_manifold;
  } rows[] = {{NULL, false},
              {"nonnegative", false},
              {"positive_semidefinite", false},
              {"simplex_columns", false},
              {"orthonormal_columns", true},
              {"no such set", false}};
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    const tg_task_variable x = {.constraint = rows[k].constraint};
    assert_int_equal(tg_spec_on_manifold(rows[k].constraint), rows[k].is_manifold);
    assert_int_equal(tg_task_on_manifold(&x), rows[k].is_manifold);
  }
}

// ---- places and parts ----

static int option_row(const char *key)
{
  for (int k = 0; k < opt_option_count(); k++)
    if (strcmp(opt_option_at(k)->key, key) == 0) return k;
  fail_msg("no option '%s'", key);
  return -1;
}

// An option that is written has a place of its own; another one that of the section.
static void test_option_marks(void **state)
{
  (void)state;
  world w;
  tg_mark marks[128] = {{0}};
  set_up(&w);
  w.spec.solver_mark = (tg_mark){2, {10, 16}};
  assert_int_equal(tg_spec_solver_mark(&w.spec, "method").span.begin, 10);
  assert_true(opt_option_count() <= 128);
  marks[option_row("memory")] = (tg_mark){2, {40, 41}};
  w.spec.option_marks = marks;
  assert_int_equal(tg_spec_solver_mark(&w.spec, "memory").span.begin, 40);
  assert_int_equal(tg_spec_solver_mark(&w.spec, "method").span.begin, 10);
  assert_int_equal(tg_spec_solver_mark(&w.spec, "no such option").span.begin, 10);
}

static void test_parts_are_printed(void **state)
{
  (void)state;
  world w;
  tg_text text;
  const tg_spec_part parts[] = {{.name = "R", .value = {.text = "M - U*V'"}}, {.name = "n", .value = {.text = "mu*2"}}};
  set_up(&w);
  tg_text_init(&text);
  tg_spec_print_parts(&w.spec, "  ", &text);
  assert_string_equal(tg_text_string(&text), "");
  w.spec.parts = parts;
  w.spec.n_parts = 2;
  tg_spec_print_parts(&w.spec, "  ", &text);
  assert_string_equal(tg_text_string(&text), "  define R: M - U*V'\n  define n: mu*2\n");
  tg_text_fini(&text);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_find),
      cmocka_unit_test(test_task_leaves_the_spec),
      cmocka_unit_test(test_task_of_empty_lists),
      cmocka_unit_test(test_task_forgets_starts),
      cmocka_unit_test(test_start_names),
      cmocka_unit_test(test_random_starts),
      cmocka_unit_test(test_manifolds),
      cmocka_unit_test(test_option_marks),
      cmocka_unit_test(test_parts_are_printed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
