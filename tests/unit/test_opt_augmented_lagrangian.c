// The augmented Lagrangian's outer loop on quadratics with few linear constraints, optima and multipliers known.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "opt/augmented_lagrangian.h"
#include "support/keeper.h"
#include "support/serial_space.h"

enum { N = 4, ROWS = 3 };

// min x'Dx/2 - b'x  subject to  a_k'x = r_k, or <= r_k: values in plain loops.
typedef struct quadratic {
  opt_problem base;
  opt_lagrangian lagrangian;
  serial_space space;
  opt_options options;
  double d[N];
  double b[N];
  int n_rows;
  double a[ROWS][N];
  double r[ROWS];
  bool is_equality[ROWS];
  double values[ROWS]; // of the last measure
  double m[ROWS];
  double penalty;
  int commits;
  int raises;  // of the penalty, by the factor of the method
  int changes; // to anything else
} quadratic;

static double row_value(const quadratic *q, int k, const double *x)
{
  double sum = -q->r[k];
  for (int i = 0; i < N; i++) sum += q->a[k][i] * x[i];
  return sum;
}

// What its terms add up to.
static double row_size(const quadratic *q, int k, const double *x)
{
  double sum = fabs(q->r[k]);
  for (int i = 0; i < N; i++) sum += fabs(q->a[k][i] * x[i]);
  return sum;
}

static double objective(const quadratic *q, const double *x)
{
  double f = 0;
  for (int i = 0; i < N; i++) f += 0.5 * q->d[i] * x[i] * x[i] - q->b[i] * x[i];
  return f;
}

// h + m / penalty, cut off at 0 for inequalities.
static double shifted(const quadratic *q, int k, const double *x)
{
  const double s = row_value(q, k, x) + q->m[k] / q->penalty;
  return q->is_equality[k] ? s : fmax(0, s);
}

static tg_status value(opt_problem *base, const opt_point *point, double *f)
{
  const quadratic *q = base->self;
  const double *x = serial_block_const(point, 0);
  base->counts.values++;
  *f = objective(q, x);
  for (int k = 0; k < q->n_rows; k++)
    *f += 0.5 * q->penalty * pow(shifted(q, k, x), 2) - 0.5 * q->m[k] * q->m[k] / q->penalty;
  return TG_OK;
}

static tg_status gradient(opt_problem *base, const opt_point *point, double *f, opt_point *g)
{
  const quadratic *q = base->self;
  const double *x = serial_block_const(point, 0);
  double *out = serial_block(g, 0);
  TG_TRY(value(base, point, f));
  base->counts.gradients++;
  for (int i = 0; i < N; i++) {
    out[i] = q->d[i] * x[i] - q->b[i];
    for (int k = 0; k < q->n_rows; k++) out[i] += q->penalty * shifted(q, k, x) * q->a[k][i];
  }
  return TG_OK;
}

static const opt_problem_ops problem_ops = {.value = value, .gradient = gradient};

static tg_status scale(opt_lagrangian *base, const opt_point *point, double *norm)
{
  const quadratic *q = base->self;
  const double *x = serial_block_const(point, 0);
  double square = 0;
  for (int i = 0; i < N; i++) square += pow(q->d[i] * x[i] - q->b[i], 2);
  *norm = sqrt(square);
  return TG_OK;
}

// w = 1 for every row.
static tg_status survey(opt_lagrangian *base, const opt_point *point, opt_survey *out)
{
  const quadratic *q = base->self;
  double square = 0;
  double curved = 0;
  *out = (opt_survey){0};
  TG_TRY(scale(base, point, &out->gradient_norm));
  for (int i = 0; i < N; i++) {
    double d = 0;
    for (int k = 0; k < q->n_rows; k++) d += q->a[k][i];
    square += d * d;
    curved += pow(q->d[i] * d, 2);
    out->x_norm = hypot(out->x_norm, serial_block_const(point, 0)[i]);
  }
  for (int k = 0; k < q->n_rows; k++) out->size = hypot(out->size, q->values[k]) / sqrt(q->n_rows);
  out->gram = square / q->n_rows;
  out->curvature = sqrt(curved / square);
  return TG_OK;
}

static tg_status measure(opt_lagrangian *base, const opt_point *point, opt_measure *out)
{
  quadratic *q = base->self;
  const double *x = serial_block_const(point, 0);
  *out = (opt_measure){.objective = objective(q, x)};
  for (int k = 0; k < q->n_rows; k++) {
    const double h = q->values[k] = row_value(q, k, x);
    const double outside = q->is_equality[k] ? fabs(h) : fmax(0, h);
    const double slack = q->is_equality[k] ? fabs(h) : fabs(fmax(h, -q->m[k] / q->penalty));
    const double size = row_size(q, k, x);
    if (outside / size > out->share) out->worst = k;
    out->violation = fmax(out->violation, outside);
    out->share = fmax(out->share, outside / size);
    out->complementarity = fmax(out->complementarity, slack / size);
    out->size = fmax(out->size, size);
    out->square += outside * outside;
  }
  return TG_OK;
}

static tg_status update(opt_lagrangian *base, double limit, double *norm)
{
  quadratic *q = base->self;
  double square = 0;
  for (int k = 0; k < q->n_rows; k++) {
    q->m[k] = fmin(fmax(q->m[k] + q->penalty * q->values[k], q->is_equality[k] ? -limit : 0), limit);
    square += q->m[k] * q->m[k];
  }
  *norm = sqrt(square);
  return TG_OK;
}

static tg_status commit(opt_lagrangian *base, double penalty, const opt_options **options)
{
  quadratic *q = base->self;
  const bool is_raise = fabs(penalty / q->penalty - 10) <= 1e-12;
  if (q->commits > 0) q->raises += is_raise;
  if (q->commits > 0) q->changes += !is_raise && penalty != q->penalty;
  q->penalty = penalty;
  q->commits++;
  *options = &q->options;
  return TG_OK;
}

static const char *describe(const opt_lagrangian *base, int k)
{
  static const char *const names[ROWS] = {"first row", "second row", "third row"};
  (void)base;
  return names[k];
}

static tg_status list(opt_lagrangian *base, opt_listing *listing)
{
  quadratic *q = base->self;
  for (int k = 0; k < q->n_rows; k++) TG_TRY(opt_listing_add_number(listing, "multiplier", k, &q->m[k]));
  return TG_OK;
}

static const opt_lagrangian_ops lagrangian_ops = {.scale = scale,
                                                  .survey = survey,
                                                  .measure = measure,
                                                  .update = update,
                                                  .commit = commit,
                                                  .list = list,
                                                  .describe = describe};

static void set_up(quadratic *q, int n_rows)
{
  memset(q, 0, sizeof *q);
  const int64_t rows = N;
  const int64_t cols = 1;
  serial_space_init(&q->space, 1, &rows, &cols);
  opt_options_init(&q->options);
  q->base = (opt_problem){.ops = &problem_ops, .space = &q->space.base, .degree = -1, .self = q};
  q->lagrangian = (opt_lagrangian){.ops = &lagrangian_ops, .self = q};
  q->n_rows = n_rows;
  q->penalty = 1;
  for (int i = 0; i < N; i++) {
    q->d[i] = 1 + i;
    q->b[i] = 1;
    for (int k = 0; k < ROWS; k++) q->a[k][i] = k == 0 ? 1 : 0;
  }
  for (int k = 0; k < ROWS; k++) q->is_equality[k] = true;
}

typedef struct outcome {
  opt_result result;
  opt_lagrangian_report report;
  double x[N];
} outcome;

static void minimise(quadratic *q, const opt_observer *observer, outcome *out)
{
  opt_point *x = NULL;
  const opt_space *space = &q->space.base;
  assert_int_equal(space->ops->create(space, &x), TG_OK);
  assert_int_equal(
      opt_minimise_lagrangian(&q->base, &q->lagrangian, &q->options, x, observer, &out->result, &out->report), TG_OK);
  memcpy(out->x, serial_block_const(x, 0), sizeof out->x);
  space->ops->destroy(space, &x);
  assert_int_equal(q->space.live, 0);
}

static void assert_close(double found, double expected, double tolerance)
{
  if (!(fabs(found - expected) <= tolerance)) print_error("found %.17g, expected %.17g\n", found, expected);
  assert_true(fabs(found - expected) <= tolerance);
}

// x_i = (1 - l) / d_i with sum x = r: 25/12 (1 - l) = r.
static void test_equality(void **unused)
{
  (void)unused;
  quadratic q;
  outcome o;
  set_up(&q, 1);
  q.r[0] = 5;
  minimise(&q, NULL, &o);
  assert_int_equal(o.result.outcome, OPT_CONVERGED);
  const double multiplier = 1 - 5 * 12.0 / 25;
  for (int i = 0; i < N; i++) assert_close(o.x[i], (1 - multiplier) / (1 + i), 1e-7);
  assert_close(q.m[0], multiplier, 1e-6);
  assert_close(o.report.multiplier_norm, fabs(multiplier), 1e-6);
  assert_close(o.result.objective, objective(&q, o.x), 1e-14);
  assert_close(o.result.violation, fabs(row_value(&q, 0, o.x)), 0);
  assert_true(o.result.violation <= 2e-8);
  assert_close(o.result.gradient_norm_start, 2, 1e-15); // |b| at x = 0
  // The multiplier holds the gradient of f.
  assert_close(o.result.gradient_target, 1e-8 * fabs(multiplier) * sqrt(N), 5e-10);
  assert_true(o.result.gradient_norm <= o.result.gradient_target);
  assert_int_equal(q.commits, (int)o.report.rounds);
}

// The error of the multiplier falls by 1 + penalty a'D^-1 a a round, 1 + 25/12 penalty here. A penalty of 2, for which
// that is 5.2, stays. One of 0.01 is raised until it is more than 4: to 10 and no further.
static void test_penalty_is_raised_where_needed(void **unused)
{
  (void)unused;
  static const struct {
    double penalty;
    int raises;
  } rows[] = {{2, 0}, {1e3, 0}, {0.01, 3}, {0.2, 1}};
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    quadratic q;
    outcome o;
    set_up(&q, 1);
    q.r[0] = 5;
    q.options.penalty = rows[k].penalty;
    minimise(&q, NULL, &o);
    assert_int_equal(o.result.outcome, OPT_CONVERGED);
    assert_close(q.m[0], 1 - 5 * 12.0 / 25, 1e-6);
    if (q.raises != rows[k].raises || q.changes != 0)
      fail_msg("from %g: %d raises, %d other changes", rows[k].penalty, q.raises, q.changes);
    assert_close(o.report.penalty / rows[k].penalty, pow(10, rows[k].raises), 1e-9);
  }
}

// x_0 = 3/4, and x_0 + x_1 <= 1 holds x_1 to 1/4: the multipliers follow from the stationarity in both.
static void test_equality_and_inequality(void **unused)
{
  (void)unused;
  quadratic q;
  outcome o;
  set_up(&q, 2);
  memset(q.a, 0, sizeof q.a);
  q.a[0][0] = 1;
  q.r[0] = 0.75;
  q.a[1][0] = q.a[1][1] = 1;
  q.r[1] = 1;
  q.is_equality[1] = false;
  minimise(&q, NULL, &o);
  assert_int_equal(o.result.outcome, OPT_CONVERGED);
  assert_close(o.x[0], 0.75, 1e-7);
  assert_close(o.x[1], 0.25, 1e-7);
  assert_close(q.m[1], 1 - 2 * 0.25, 1e-6);              // 2 x_1 - 1 + m_1 = 0
  assert_close(q.m[0], 1 - 0.75 - (1 - 2 * 0.25), 1e-6); // x_0 - 1 + m_0 + m_1 = 0
}

// Without the bound x_0 = 1: it binds with multiplier 1 - c; x_1 <= 10 does not, and has none.
static void test_inequalities(void **unused)
{
  (void)unused;
  quadratic q;
  outcome o;
  set_up(&q, 2);
  memset(q.a, 0, sizeof q.a);
  q.a[0][0] = 1;
  q.r[0] = 0.25;
  q.a[1][1] = 1;
  q.r[1] = 10;
  q.is_equality[0] = q.is_equality[1] = false;
  minimise(&q, NULL, &o);
  assert_int_equal(o.result.outcome, OPT_CONVERGED);
  assert_close(o.x[0], 0.25, 1e-8);
  for (int i = 1; i < N; i++) assert_close(o.x[i], 1.0 / (1 + i), 1e-7);
  assert_close(q.m[0], 0.75, 1e-6);
  assert_close(q.m[1], 0, 0);
}

// f falls along x_0 without end; the constraint x_0 = 2 holds it once the penalty exceeds its curvature.
static void test_constraint_holds_a_falling_objective(void **unused)
{
  (void)unused;
  quadratic q;
  outcome o;
  set_up(&q, 1);
  q.d[0] = -50;
  for (int i = 1; i < N; i++) q.a[0][i] = 0;
  q.r[0] = 2;
  minimise(&q, NULL, &o);
  assert_int_equal(o.result.outcome, OPT_CONVERGED);
  assert_true(o.report.penalty > 50);
  assert_close(o.x[0], 2, 1e-7);
  assert_close(q.m[0], 1 + 50 * 2, 1e-4);
}

static void test_unbounded(void **unused)
{
  (void)unused;
  quadratic q;
  outcome o;
  set_up(&q, 1);
  q.d[1] = -1;
  for (int i = 1; i < N; i++) q.a[0][i] = 0;
  minimise(&q, NULL, &o);
  assert_int_equal(o.result.outcome, OPT_UNBOUNDED);
  assert_non_null(strstr(o.result.reason, "falls without end"));
}

static void test_contradiction(void **unused)
{
  (void)unused;
  quadratic q;
  outcome o;
  set_up(&q, 2);
  for (int i = 0; i < N; i++) q.a[1][i] = 1;
  q.r[0] = 1;
  q.r[1] = 2;
  minimise(&q, NULL, &o);
  assert_int_equal(o.result.outcome, OPT_STALLED);
  assert_non_null(strstr(o.result.reason, "the constraints cannot be met: '"));
  assert_close(o.result.violation, 0.5, 1e-3);
}

// ---- limits and records ----

typedef struct recorder {
  int64_t records;
  int64_t next; // the iteration that must come
  int64_t interrupt_at;
  int64_t polls;
  double seconds;
} recorder;

static tg_status on_iteration(void *self, const opt_record *record, const opt_point *x)
{
  recorder *r = self;
  assert_non_null(x);
  assert_int_equal(record->iteration, r->next);
  assert_true(record->seconds >= r->seconds);
  r->seconds = record->seconds;
  r->next = record->iteration + 1;
  r->records++;
  return TG_OK;
}

static tg_status on_poll(void *self, opt_poll *poll)
{
  recorder *r = self;
  poll->interrupted = ++r->polls == r->interrupt_at;
  return TG_OK;
}

static void test_rounds_are_one_sequence(void **unused)
{
  (void)unused;
  quadratic q;
  outcome o;
  recorder r = {0};
  const opt_observer observer = {.self = &r, .iteration = on_iteration, .poll = on_poll};
  set_up(&q, 1);
  q.r[0] = 5;
  minimise(&q, &observer, &o);
  assert_true(o.report.rounds > 1);
  assert_int_equal(r.records, o.result.iterations + 1);
}

static void test_limits_count_all_rounds(void **unused)
{
  (void)unused;
  quadratic q;
  outcome whole;
  outcome cut;
  set_up(&q, 1);
  q.r[0] = 5;
  minimise(&q, NULL, &whole);
  set_up(&q, 1);
  q.r[0] = 5;
  q.options.max_iterations = whole.result.iterations - 1;
  minimise(&q, NULL, &cut);
  assert_int_equal(cut.result.outcome, OPT_ITERATION_LIMIT);
  assert_int_equal(cut.result.iterations, whole.result.iterations - 1);
  assert_non_null(strstr(cut.result.reason, "the constraints are violated by"));
  assert_close(cut.result.violation, fabs(row_value(&q, 0, cut.x)), 0);
}

static void test_interrupted(void **unused)
{
  (void)unused;
  quadratic q;
  outcome o;
  recorder r = {.interrupt_at = 3};
  const opt_observer observer = {.self = &r, .poll = on_poll};
  set_up(&q, 1);
  q.r[0] = 5;
  minimise(&q, &observer, &o);
  assert_int_equal(o.result.outcome, OPT_INTERRUPTED);
  assert_int_equal(r.polls, 3);
}

// Interrupted in any iteration of any round and restarted: the same bits as the run that nobody looked at.
static void test_restarts_continue_bit_for_bit(void **unused)
{
  (void)unused;
  static keeper k;
  quadratic q;
  outcome straight;
  int64_t restarted = 0;
  set_up(&q, 3);
  q.is_equality[1] = false;
  q.r[0] = 5;
  q.a[1][0] = 1;
  q.r[1] = 0.5;
  q.a[2][1] = 1;
  q.r[2] = 0.25;
  const quadratic fresh = q;
  minimise(&q, NULL, &straight);
  assert_int_equal(straight.result.outcome, OPT_CONVERGED);
  assert_true(straight.report.rounds >= 3);
  for (int64_t stop = 1;; stop++) {
    outcome o;
    k = (keeper){.dimension = N, .interrupt_at = stop};
    opt_observer observer = keeper_observer(&k);
    quadratic broken = fresh;
    broken.base.self = broken.lagrangian.self = &broken;
    serial_space_init(&broken.space, 1, &(int64_t){N}, &(int64_t){1});
    broken.base.space = &broken.space.base;
    minimise(&broken, &observer, &o);
    assert_int_equal(k.faults, 0);
    if (o.result.outcome != OPT_INTERRUPTED) break;
    assert_int_equal(k.checkpoints, 1);
    k.restores = true;
    quadratic again = fresh;
    again.base.self = again.lagrangian.self = &again;
    serial_space_init(&again.space, 1, &(int64_t){N}, &(int64_t){1});
    again.base.space = &again.space.base;
    minimise(&again, &observer, &o);
    assert_int_equal(k.faults, 0);
    assert_int_equal(k.restored, 2); // rounds, then the driver
    assert_memory_equal(o.x, straight.x, sizeof o.x);
    assert_memory_equal(again.m, q.m, sizeof q.m);
    assert_int_equal(o.result.iterations, straight.result.iterations);
    assert_int_equal(o.report.rounds, straight.report.rounds);
    assert_int_equal(o.result.counts.gradients, straight.result.counts.gradients);
    assert_true(o.report.penalty == straight.report.penalty);
    assert_true(o.report.multiplier_norm == straight.report.multiplier_norm);
    assert_true(o.result.gradient_norm_start == straight.result.gradient_norm_start);
    assert_string_equal(o.result.reason, straight.result.reason);
    restarted++;
  }
  assert_true(restarted >= 5);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_equality),
      cmocka_unit_test(test_penalty_is_raised_where_needed),
      cmocka_unit_test(test_equality_and_inequality),
      cmocka_unit_test(test_inequalities),
      cmocka_unit_test(test_constraint_holds_a_falling_objective),
      cmocka_unit_test(test_unbounded),
      cmocka_unit_test(test_contradiction),
      cmocka_unit_test(test_rounds_are_one_sequence),
      cmocka_unit_test(test_limits_count_all_rounds),
      cmocka_unit_test(test_interrupted),
      cmocka_unit_test(test_restarts_continue_bit_for_bit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
