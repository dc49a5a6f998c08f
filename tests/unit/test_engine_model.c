// The model of a spec that is made by hand: symbols, the data that are read, what is taken out of the objective, its
// convexity, and where errors are placed. No number is read and no rank is started.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "engine/model/build.h"

enum { N_MAX = 6 };

typedef struct world {
  tg_spec spec;
  tg_task *task; // made by create
  tg_spec_variable variables[N_MAX];
  tg_spec_data data[N_MAX];
  tg_model *model;
} world;

static const tg_mark place_of_x = {3, {100, 101}};

static void add_data(world *w, const char *name, int64_t rows, int64_t cols, unsigned properties)
{
  w->data[w->spec.n_data++] = (tg_spec_data){.name = name,
                                             .source = TG_SOURCE_GENERATOR,
                                             .generate = "normal",
                                             .rows = rows,
                                             .cols = cols,
                                             .properties = properties};
}

// X is 6 x 4. A is 6 x 6, S likewise and positive definite, B 6 x 4, E 4 x 4, mu = 0.5.
static void set_up(world *w, const char *objective)
{
  *w = (world){.spec = {.name = "made by hand", .objective = {.text = objective, .length = strlen(objective)}}};
  w->spec.variables = w->variables;
  w->spec.data = w->data;
  w->spec.n_variables = 1;
  w->variables[0] = (tg_spec_variable){.name = "X", .mark = place_of_x, .rows = 6, .cols = 4, .scale = 1};
  add_data(w, "A", 6, 6, 0);
  add_data(w, "S", 6, 6, TG_SYMMETRIC | TG_SPD);
  add_data(w, "B", 6, 4, 0);
  add_data(w, "E", 4, 4, 0);
  w->data[w->spec.n_data++] =
      (tg_spec_data){.name = "mu", .source = TG_SOURCE_NUMBER, .number = 0.5, .rows = 1, .cols = 1};
  opt_options_init(&w->spec.solver);
}

enum { A, S, B, E, MU };

static tg_status create(world *w)
{
  const tg_lower_options options = {.want_hessian = true};
  assert_int_equal(tg_task_create(&w->spec, &w->task), TG_OK);
  return tg_model_create(w->task, &options, &w->model);
}

static void require(world *w)
{
  if (create(w) != TG_OK) fail_msg("%s: %s", w->spec.objective.text, tg_error_get()->message);
}

static void tear_down(world *w)
{
  tg_model_destroy(&w->model);
  tg_task_destroy(&w->task);
  assert_null(w->model);
}

static tg_excerpt excerpt(const char *text)
{
  return (tg_excerpt){.text = text, .length = strlen(text)};
}

static tg_spec_relation relation(const char *whole, const char *left, tg_relation_sign sign, const char *right,
                                 const char *difference)
{
  return (tg_spec_relation){.whole = excerpt(whole),
                            .sign = sign,
                            .left = excerpt(left),
                            .right = excerpt(right),
                            .difference = excerpt(difference)};
}

// Status, words and place of the recorded error.
static void check_error(tg_status status, tg_status expected, const char *part, int source, size_t begin)
{
  const tg_error *error = tg_error_get();
  if (status != expected || strstr(error->message, part) == NULL)
    fail_msg("expected %s with \"%s\", got %s: %s", tg_status_label(expected), part, tg_status_label(status),
             error->message);
  assert_true(error->has_span);
  assert_int_equal(error->source, source);
  assert_int_equal(error->span.begin, begin);
}

// ---- symbols and data ----

static void test_symbols_and_data(void **state)
{
  (void)state;
  world w;
  set_up(&w, "sumsq(A*X - B) + mu*sumsq(X)");
  require(&w);
  const tg_model *m = w.model;
  assert_int_equal(m->n_variables, 1);
  assert_string_equal(tg_symbol_info(m->graph, m->symbols[0])->name, "X");
  assert_int_equal(m->plan->n_variables, 1);
  assert_int_equal(m->plan->variables[0].rows, 6);
  assert_int_equal(m->plan->variables[0].cols, 4);
  // A number is no matrix of the plan.
  assert_int_equal(m->plan->n_data, 2);
  static const bool used[] = {true, false, true, false, true};
  for (int k = 0; k <= MU; k++) {
    const int32_t at = tg_model_find_data(m, k);
    assert_int_equal(w.task->data[k].used, used[k]);
    assert_int_equal(at >= 0, used[k] && k != MU);
    if (at >= 0) assert_string_equal(m->plan->data[at].name, w.data[k].name);
  }
  int64_t rows = 0;
  int64_t cols = 0;
  tg_model_largest(m->plan, &rows, &cols);
  assert_true(rows == 6 && cols == 6);
  assert_null(m->constraints);
  assert_int_equal(m->n_changes, 0);
  tear_down(&w);
}

// A maximum is the minimum of the negative, so that a concave objective becomes a convex one.
static void test_maximize(void **state)
{
  (void)state;
  for (int maximize = 0; maximize < 2; maximize++) {
    world w;
    set_up(&w, "-sumsq(X - B)");
    w.spec.maximize = maximize == 1;
    require(&w);
    assert_int_equal(w.model->is_convex, maximize);
    tear_down(&w);
  }
}

// ---- what is known of the objective ----

static void test_convexity_and_kinks(void **state)
{
  (void)state;
  static const struct {
    const char *objective;
    bool is_convex;
    bool is_smooth;
    bool has_kinks; // left in what is minimised
  } rows[] = {
      {"sumsq(A*X - B)", true, true, false},   {"sum(softplus(A*X)) + mu*sumsq(X)", true, true, false},
      {"dot(B, X)", true, true, false},        {"tr(X'*S*X)", true, true, false},
      {"tr(X'*A*X)", false, true, false}, // nothing is known of A
      {"-tr(X'*S*X)", false, true, false},     {"sumsq(X*X' - A)", false, true, false},
      {"sumsq(relu(A*X))", true, false, true}, {"-sum(abs(A*X)) + sumsq(X)", false, false, true},
  };
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    world w;
    set_up(&w, rows[k].objective);
    require(&w);
    if (w.model->is_convex != rows[k].is_convex || w.model->is_smooth != rows[k].is_smooth ||
        w.model->has_kinks != rows[k].has_kinks)
      fail_msg("%s: convex %d, smooth %d, kinks %d", rows[k].objective, w.model->is_convex, w.model->is_smooth,
               w.model->has_kinks);
    tear_down(&w);
  }
}

static void test_groups(void **state)
{
  (void)state;
  static const struct {
    const char *objective;
    const char *constraint;
    int64_t n_groups;
    const char *words;
  } rows[] = {
      {"sumsq(A*X - B)", NULL, 4, "the columns of X"},
      {"sumsq(A*X - B)", "nonnegative", 4, "the columns of X"},
      {"sumsq(A*X - B)", "orthonormal_columns", 1, NULL},
      {"sumsq(X*E - B)", NULL, 6, "the rows of X"},
      {"sumsq(A*X*E - B)", NULL, 1, NULL},
  };
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    world w;
    tg_text words;
    set_up(&w, rows[k].objective);
    w.variables[0].constraint = rows[k].constraint;
    require(&w);
    tg_text_init(&words);
    tg_model_describe_groups(w.model, &words);
    if (w.model->n_groups != rows[k].n_groups) fail_msg("row %zu: %d groups", k, (int)w.model->n_groups);
    if (rows[k].words != NULL) assert_string_equal(tg_text_string(&words), rows[k].words);
    tg_text_fini(&words);
    tear_down(&w);
  }
}

// ---- what is taken out ----

// X'SX = I becomes Y'Y = I, with a matrix Q in the plan that is no datum of the job.
static void test_change_of_the_metric(void **state)
{
  (void)state;
  world w;
  set_up(&w, "tr(X'*A*X)");
  w.variables[0].constraint = "orthonormal_columns";
  w.variables[0].arguments[0] = (tg_spec_argument){.kind = TG_ARGUMENT_DATUM, .datum = S};
  require(&w);
  assert_int_equal(w.model->n_changes, 1);
  assert_int_equal(w.model->change_of[0], 0);
  assert_int_equal(w.model->changes[0].datum, S);
  int own = 0;
  for (int32_t k = 0; k < w.model->plan->n_data; k++) {
    if (w.model->data[k] >= 0) continue;
    assert_string_equal(w.model->plan->data[k].name, w.model->changes[0].name);
    own++;
  }
  assert_int_equal(own, 1);
  tear_down(&w);
}

// Of other sizes than X'*S*X needs, or beside subject_to.
static void test_refused_metrics(void **state)
{
  (void)state;
  for (int k = 0; k < 2; k++) {
    world w;
    tg_spec_relation equal = relation("A*X = B", "A*X", TG_RELATION_EQUAL, "B", "A*X -(B)");
    set_up(&w, "tr(X'*A*X)");
    w.spec.relations = &equal;
    w.spec.n_relations = k;
    w.variables[0].constraint = "orthonormal_columns";
    w.variables[0].arguments[0] =
        (tg_spec_argument){.kind = TG_ARGUMENT_DATUM, .datum = k == 0 ? E : S, .mark = {5, {60, 61}}};
    check_error(create(&w), k == 0 ? TG_SHAPE : TG_UNSUPPORTED, k == 0 ? "4 x 4" : "subject_to", 5, 60);
    tear_down(&w);
  }
}

static void test_norm1_is_taken_out(void **state)
{
  (void)state;
  world w;
  set_up(&w, "sumsq(A*X - B) + mu*norm1(X)");
  require(&w);
  assert_true(w.task->variables[0].norm1 == 0.5);
  assert_true(w.model->is_smooth);
  assert_int_equal(w.model->n_groups, 1);
  tear_down(&w);
  // A plain model is only evaluated: all stays in it.
  const tg_lower_options options = {0};
  set_up(&w, "sumsq(A*X - B) + mu*norm1(X)");
  assert_int_equal(tg_task_create(&w.spec, &w.task), TG_OK);
  tg_task_drop_restrictions(w.task);
  assert_int_equal(tg_model_create_plain(w.task, &options, &w.model), TG_OK);
  assert_true(w.task->variables[0].norm1 == 0);
  assert_false(w.model->is_smooth);
  tear_down(&w);
}

static void test_domain(void **state)
{
  (void)state;
  world w;
  set_up(&w, "tr(S*X) - logdet(X)");
  w.variables[0].cols = 6;
  w.variables[0].constraint = "positive_definite";
  require(&w);
  assert_int_equal(w.task->variables[0].domain & (TG_SYMMETRIC | TG_SPD), TG_SYMMETRIC | TG_SPD);
  assert_null(w.task->variables[0].constraint);
  assert_string_equal(w.task->variables[0].open_set, "positive_definite");
  assert_true(w.model->is_convex);
  tear_down(&w);
}

// ---- subject_to ----

// An augmented Lagrangian: multipliers and penalty are data of the plan, f itself is kept beside it.
static void test_relations(void **state)
{
  (void)state;
  world w;
  tg_spec_relation relations[] = {relation("A*X = B", "A*X", TG_RELATION_EQUAL, "B", "A*X -(B)"),
                                  relation("X >= B", "X", TG_RELATION_AT_LEAST, "B", "X -(B)")};
  set_up(&w, "sumsq(X)");
  w.spec.relations = relations;
  w.spec.n_relations = 2;
  require(&w);
  const tg_constraints *c = w.model->constraints;
  assert_int_equal(c->n, 2);
  assert_true(isinf(c->terms[0].low) && isinf(c->terms[0].high));
  assert_true(c->terms[1].low == 0 && isinf(c->terms[1].high));
  assert_int_equal(w.model->bare, c->objective);
  assert_int_not_equal(w.model->objective, w.model->bare);
  assert_true(w.model->is_convex);
  for (int k = 0; k <= c->n; k++) assert_true(tg_model_find_data(w.model, w.spec.n_data + k) >= 0);
  tear_down(&w);
  // The same with a constraint that is not affine, whose multiplier may have any sign.
  relations[0] = relation("X'*X = E", "X'*X", TG_RELATION_EQUAL, "E", "X'*X -(E)");
  w.spec.relations = relations;
  require(&w);
  assert_false(w.model->is_convex);
  tear_down(&w);
}

// ---- errors ----

static void test_places_of_errors(void **state)
{
  (void)state;
  world w;
  size_t offsets[16];
  for (size_t k = 0; k < 16; k++) offsets[k] = 200 + 2 * k;
  set_up(&w, "sumsq(X - Zz)");
  w.spec.objective.offsets = offsets;
  w.spec.objective.mark = (tg_mark){4, {200, 226}};
  check_error(create(&w), TG_NAME, "Zz", 4, 220);
  tear_down(&w);
  set_up(&w, "sumsq(A)");
  check_error(create(&w), TG_NAME, "does not depend on the variable X", place_of_x.source, place_of_x.span.begin);
  tear_down(&w);
  const tg_spec_part part = {.name = "R", .mark = {6, {30, 31}}, .value = excerpt("A*X - B")};
  set_up(&w, "sumsq(X)");
  w.spec.parts = &part;
  w.spec.n_parts = 1;
  check_error(create(&w), TG_NAME, "the part 'R' is not used", 6, 30);
  tear_down(&w);
  tg_spec_relation side = relation("A = S", "A", TG_RELATION_EQUAL, "S", "A -(S)");
  side.whole.mark = (tg_mark){7, {80, 85}};
  set_up(&w, "sumsq(X)");
  w.spec.relations = &side;
  w.spec.n_relations = 1;
  check_error(create(&w), TG_VALUE, "does not depend on any variable", 7, 80);
  tear_down(&w);
}

// All errors of the expressions in one list, and the spec as it was.
static void test_all_errors(void **state)
{
  (void)state;
  world w;
  tg_errors errors = {0};
  const tg_spec_part part = {.name = "R", .value = excerpt("A*X")};
  set_up(&w, "sumsq(X - Zz) + sumsq(A*E)");
  w.spec.errors = &errors;
  w.spec.parts = &part;
  w.spec.n_parts = 1;
  world before;
  memcpy(&before, &w, sizeof w);
  assert_int_equal(tg_model_find_errors(&w.spec, false), TG_NAME);
  assert_memory_equal(&w, &before, sizeof w);
  assert_int_equal(errors.count, 3);
  assert_non_null(strstr(errors.items[0].message, "Zz"));
  assert_non_null(strstr(errors.items[1].message, "A*E needs columns(A) = rows(E)"));
  assert_non_null(strstr(errors.items[2].message, "'R' is not used"));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_symbols_and_data),
      cmocka_unit_test(test_maximize),
      cmocka_unit_test(test_convexity_and_kinks),
      cmocka_unit_test(test_groups),
      cmocka_unit_test(test_change_of_the_metric),
      cmocka_unit_test(test_refused_metrics),
      cmocka_unit_test(test_norm1_is_taken_out),
      cmocka_unit_test(test_domain),
      cmocka_unit_test(test_relations),
      cmocka_unit_test(test_places_of_errors),
      cmocka_unit_test(test_all_errors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
