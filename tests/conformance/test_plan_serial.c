// The serial executor against algebra: laws that a wrong loop would break, for every operation.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "support/sample_plans.h"
#include "support/serial_exec.h"

enum { DATA_MAX = 8 };

typedef struct fixture {
  tg_plan *plan;
  serial_exec *exec;
  double *data[DATA_MAX];
} fixture;

static void load(fixture *f, tg_plan *plan)
{
  *f = (fixture){.plan = plan};
  assert_true(plan->n_data <= DATA_MAX);
  for (int32_t k = 0; k < plan->n_data; k++) {
    const tg_plan_data *entry = &plan->data[k];
    assert_int_equal(tg_alloc_numbers(entry->rows * entry->cols, &f->data[k]), TG_OK);
    sample_fill(entry->name, entry->rows, entry->cols, (uint64_t)k + 1, f->data[k]);
  }
  assert_int_equal(serial_exec_create(plan, (const double *const *)f->data, &f->exec), TG_OK);
}

static void unload(fixture *f)
{
  serial_exec_destroy(&f->exec);
  for (int k = 0; k < DATA_MAX; k++) tg_free(f->data[k]);
  tg_plan_destroy(&f->plan);
}

static void run(fixture *f, tg_program_id program)
{
  const tg_status status = serial_exec_run(f->exec, program);
  if (status != TG_OK) fail_msg("%s", tg_error_get()->message);
}

static void load_opcode(fixture *f, tg_opcode op, int64_t m, int64_t n, int64_t k)
{
  tg_plan *plan = NULL;
  if (sample_plan_of_opcode(op, m, n, k, &plan) != TG_OK)
    fail_msg("%s: %s", tg_opcode_label(op), tg_error_get()->message);
  load(f, plan);
  run(f, TG_PROGRAM_SETUP);
}

static double norm(const double *a, int64_t count)
{
  double sum = 0;
  for (int64_t k = 0; k < count; k++) sum += a[k] * a[k];
  return sqrt(sum);
}

static double dot(const double *a, const double *b, int64_t count)
{
  double sum = 0;
  for (int64_t k = 0; k < count; k++) sum += a[k] * b[k];
  return sum;
}

static void assert_close(double found, double expected, double tolerance)
{
  if (!(fabs(found - expected) <= tolerance * fmax(1, fabs(expected))))
    fail_msg("found %.17g, expected %.17g", found, expected);
}

// Every operation has a sample that builds, verifies, runs and leaves only finite numbers.
static void every_operation_runs(void **state)
{
  (void)state;
  for (int op = 0; op < TG_OPCODE_COUNT; op++) {
    fixture f;
    load_opcode(&f, (tg_opcode)op, 5, 3, 4);
    bool used = false;
    for (int32_t k = 0; k < f.plan->programs[TG_PROGRAM_SETUP].n_instrs; k++)
      used = used || f.plan->programs[TG_PROGRAM_SETUP].instrs[k].op == (tg_opcode)op;
    if (!used) fail_msg("the sample of '%s' does not use it", tg_opcode_label((tg_opcode)op));
    for (int32_t b = 0; b < f.plan->n_buffers; b++)
      if (!isfinite(norm(serial_exec_buffer(f.exec, b), f.plan->buffers[b].rows * f.plan->buffers[b].cols)))
        fail_msg("'%s' leaves a non-finite buffer %d", tg_opcode_label((tg_opcode)op), (int)b);
    unload(&f);
  }
}

// op(F) Z = B and Z op(F) = C, checked by multiplying back.
static void check_solve(fixture *f, const tg_instr *instr, const double *matrix)
{
  const tg_plan_buffer *shape = &f->plan->buffers[instr->out];
  const int64_t n = f->plan->factors[instr->factor].rows;
  const double *z = serial_exec_buffer(f->exec, instr->out);
  const double *in = serial_exec_buffer(f->exec, instr->in[0]);
  for (int64_t j = 0; j < shape->cols; j++)
    for (int64_t i = 0; i < shape->rows; i++) {
      double sum = 0;
      for (int64_t k = 0; k < n; k++) {
        const int64_t row = instr->right ? k : i;
        const int64_t col = instr->right ? j : k;
        const double a = instr->trans[0] ? matrix[col + row * n] : matrix[row + col * n];
        sum += instr->right ? z[i + k * shape->rows] * a : a * z[k + j * shape->rows];
      }
      assert_close(sum, in[i + j * shape->rows], 1e-12);
    }
}

static void solves_multiply_back(void **state)
{
  (void)state;
  fixture f;
  load_opcode(&f, TG_OP_SOLVE, 6, 3, 1);
  const tg_program *setup = &f.plan->programs[TG_PROGRAM_SETUP];
  const double *factored[2] = {0};
  int solves = 0;
  for (int32_t k = 0; k < setup->n_instrs; k++) {
    const tg_instr *instr = &setup->instrs[k];
    if (instr->op == TG_OP_CHOLESKY || instr->op == TG_OP_LU)
      factored[instr->out] = serial_exec_buffer(f.exec, instr->in[0]);
    if (instr->op != TG_OP_SOLVE) continue;
    check_solve(&f, instr, factored[instr->factor]);
    solves++;
  }
  assert_int_equal(solves, 8);
  unload(&f);
}

// log det F = log(det F), and the permutation matrix K(2,2) has determinant -1.
static void determinants_agree(void **state)
{
  (void)state;
  fixture dets;
  fixture logs;
  load_opcode(&dets, TG_OP_DET, 5, 1, 1);
  load_opcode(&logs, TG_OP_LOGDET, 5, 1, 1);
  assert_close(serial_exec_register(logs.exec, 1), log(serial_exec_register(dets.exec, 1)), 1e-13);
  assert_close(serial_exec_register(logs.exec, 2), serial_exec_register(logs.exec, 1), 1e-13);
  assert_close(serial_exec_register(dets.exec, 3), -1, 1e-15);
  unload(&dets);
  unload(&logs);
}

// <kron(A, B), G> = <A, kron-left(G, B)> = <B, kron-right(G, A)>.
static void kronecker_adjoints(void **state)
{
  (void)state;
  tg_plan_builder *b = NULL;
  assert_int_equal(tg_plan_builder_create(&b), TG_OK);
  const int32_t left = tg_plan_builder_data(b, "A", 3, 2);
  const int32_t right = tg_plan_builder_data(b, "B", 4, 5);
  const int32_t big = tg_plan_builder_data(b, "G", 12, 10);
  const int32_t kron = tg_plan_builder_buffer(b, TG_BUFFER_CONSTANT, 12, 10, "kron");
  const int32_t kronl = tg_plan_builder_buffer(b, TG_BUFFER_CONSTANT, 3, 2, "left");
  const int32_t kronr = tg_plan_builder_buffer(b, TG_BUFFER_CONSTANT, 4, 5, "right");
  plan_emit_binary(b, TG_PROGRAM_SETUP, TG_OP_KRON, kron, left, right);
  plan_emit_binary(b, TG_PROGRAM_SETUP, TG_OP_KRON_LEFT, kronl, big, right);
  plan_emit_binary(b, TG_PROGRAM_SETUP, TG_OP_KRON_RIGHT, kronr, big, left);
  tg_plan_builder_set_value(b, tg_plan_builder_constant(b, 0));
  tg_plan *plan = NULL;
  assert_int_equal(tg_plan_builder_finish(b, &plan), TG_OK);
  tg_plan_builder_destroy(&b);
  fixture f;
  load(&f, plan);
  run(&f, TG_PROGRAM_SETUP);
  const double whole = dot(serial_exec_buffer(f.exec, kron), f.data[2], 120);
  assert_close(dot(f.data[0], serial_exec_buffer(f.exec, kronl), 6), whole, 1e-13);
  assert_close(dot(f.data[1], serial_exec_buffer(f.exec, kronr), 20), whole, 1e-13);
  unload(&f);
}

// K(m,n) vec(X) = vec(X').
static void commutation_transposes(void **state)
{
  (void)state;
  fixture f;
  load_opcode(&f, TG_OP_COMM, 4, 3, 1);
  const double *k = serial_exec_buffer(f.exec, f.plan->programs[TG_PROGRAM_SETUP].instrs[0].out);
  for (int row = 0; row < 12; row++)
    for (int col = 0; col < 12; col++) {
      const int i = col % 4; // entry (i, j) of X, 4 x 3
      const int j = col / 4;
      assert_true(k[row + 12 * col] == (row == j + 3 * i ? 1.0 : 0.0));
    }
  unload(&f);
}

static double ridge_value(fixture *f, double *w)
{
  serial_exec_bind(f->exec, TG_BUFFER_VARIABLE, 0, w);
  run(f, TG_PROGRAM_REFRESH);
  run(f, TG_PROGRAM_VALUE);
  return serial_exec_register(f->exec, f->plan->value_register);
}

// Value, gradient, line polynomial, advance and Hessian action of the ridge plan agree with one another.
static void ridge_is_consistent(void **state)
{
  (void)state;
  enum { M = 7, N = 4, P = 3, SIZE = N * P };
  tg_plan *plan = NULL;
  if (sample_plan_ridge(M, N, P, 0.3, &plan) != TG_OK) fail_msg("%s", tg_error_get()->message);
  fixture f;
  load(&f, plan);
  double w[SIZE];
  double d[SIZE];
  double moved[SIZE];
  double gradient[SIZE];
  double hessian[SIZE];
  sample_fill("W", N, P, 11, w);
  sample_fill("D", N, P, 12, d);
  serial_exec_bind(f.exec, TG_BUFFER_DIRECTION, 0, d);
  serial_exec_bind(f.exec, TG_BUFFER_GRADIENT, 0, gradient);
  serial_exec_bind(f.exec, TG_BUFFER_HESSIAN, 0, hessian);
  const double value = ridge_value(&f, w);
  run(&f, TG_PROGRAM_GRADIENT);
  run(&f, TG_PROGRAM_DIRECTION);
  run(&f, TG_PROGRAM_HESSIAN);
  const double slope = serial_exec_register(f.exec, plan->line_registers[1]);
  const double curvature = serial_exec_register(f.exec, plan->line_registers[2]);
  assert_close(slope, dot(gradient, d, SIZE), 1e-13);
  assert_close(2 * curvature, dot(hessian, d, SIZE), 1e-13);
  // Advance by t, then compare with a value made again.
  const double t = -0.7;
  for (int k = 0; k < SIZE; k++) moved[k] = w[k] + t * d[k];
  serial_exec_bind(f.exec, TG_BUFFER_VARIABLE, 0, moved);
  serial_exec_set_register(f.exec, plan->step_register, t);
  run(&f, TG_PROGRAM_DIRECTION);
  run(&f, TG_PROGRAM_ADVANCE);
  run(&f, TG_PROGRAM_VALUE);
  const double advanced = serial_exec_register(f.exec, plan->value_register);
  assert_close(advanced, value + t * slope + t * t * curvature, 1e-13);
  assert_close(advanced, ridge_value(&f, moved), 1e-13);
  unload(&f);
}

// The directional derivative by central differences, for the other two objectives.
static void check_gradient(tg_plan *plan, const char *name, double step, double tolerance)
{
  fixture f;
  load(&f, plan);
  const int64_t size = plan->variables[0].rows * plan->variables[0].cols;
  double *x = NULL;
  double *d = NULL;
  double *moved = NULL;
  double *gradient = NULL;
  assert_int_equal(tg_alloc_numbers(size, &x), TG_OK);
  assert_int_equal(tg_alloc_numbers(size, &d), TG_OK);
  assert_int_equal(tg_alloc_numbers(size, &moved), TG_OK);
  assert_int_equal(tg_alloc_numbers(size, &gradient), TG_OK);
  sample_fill(name, plan->variables[0].rows, plan->variables[0].cols, 21, x);
  // Symmetric with a symmetric x: Cholesky reads one triangle.
  sample_fill(name[0] == 'S' ? "S" : "D", plan->variables[0].rows, plan->variables[0].cols, 22, d);
  serial_exec_bind(f.exec, TG_BUFFER_GRADIENT, 0, gradient);
  serial_exec_bind(f.exec, TG_BUFFER_VARIABLE, 0, x);
  run(&f, TG_PROGRAM_GRADIENT);
  double sides[2];
  for (int side = 0; side < 2; side++) {
    for (int64_t k = 0; k < size; k++) moved[k] = x[k] + (side == 0 ? step : -step) * d[k];
    sides[side] = ridge_value(&f, moved);
  }
  assert_close((sides[0] - sides[1]) / (2 * step), dot(gradient, d, size), tolerance);
  tg_free(x);
  tg_free(d);
  tg_free(moved);
  tg_free(gradient);
  unload(&f);
}

static void gradients_match_differences(void **state)
{
  (void)state;
  tg_plan *plan = NULL;
  if (sample_plan_trace(5, 4, &plan) != TG_OK) fail_msg("%s", tg_error_get()->message);
  check_gradient(plan, "A", 1e-3, 1e-9);
  if (sample_plan_logdet(5, &plan) != TG_OK) fail_msg("%s", tg_error_get()->message);
  check_gradient(plan, "S", 1e-4, 1e-7);
}

static void infeasible_points_are_numeric_errors(void **state)
{
  (void)state;
  tg_plan *plan = NULL;
  assert_int_equal(sample_plan_logdet(3, &plan), TG_OK);
  fixture f;
  load(&f, plan);
  double x[9] = {1, 0, 0, 0, -1, 0, 0, 0, 1};
  serial_exec_bind(f.exec, TG_BUFFER_VARIABLE, 0, x);
  assert_int_equal(serial_exec_run(f.exec, TG_PROGRAM_VALUE), TG_NUMERIC);
  assert_non_null(strstr(tg_error_get()->message, "column 2"));
  unload(&f);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_operation_runs),        cmocka_unit_test(solves_multiply_back),
      cmocka_unit_test(determinants_agree),          cmocka_unit_test(kronecker_adjoints),
      cmocka_unit_test(commutation_transposes),      cmocka_unit_test(ridge_is_consistent),
      cmocka_unit_test(gradients_match_differences), cmocka_unit_test(infeasible_points_are_numeric_errors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
