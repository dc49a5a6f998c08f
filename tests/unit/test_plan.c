// Plans as data: the builder, every rule of the verifier broken once, the dump, the fingerprint, flops.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "grad/plan/cost.h"
#include "support/sample_plans.h"

// A builder with one operand A (4 x 3), a block X (3 x 2) and its other buffers; every breaker adds one mistake.
typedef struct parts {
  tg_plan_builder *b;
  int32_t a, x, dx, gx, hx;
  int32_t constant, state, image, temp; // 4 x 2
  int32_t square, single;               // TEMP 3 x 3, 1 x 1
  int32_t reg, fixed, step, factor;     // factor of size 3
} parts;

static void parts_init(parts *p)
{
  assert_int_equal(tg_plan_builder_create(&p->b), TG_OK);
  p->a = tg_plan_builder_data(p->b, "A", 4, 3);
  p->x = tg_plan_builder_variable(p->b, "X", 3, 2);
  p->dx = tg_plan_builder_block(p->b, TG_BUFFER_DIRECTION, 0);
  p->gx = tg_plan_builder_block(p->b, TG_BUFFER_GRADIENT, 0);
  p->hx = tg_plan_builder_block(p->b, TG_BUFFER_HESSIAN, 0);
  p->constant = tg_plan_builder_buffer(p->b, TG_BUFFER_CONSTANT, 4, 2, "constant");
  p->state = tg_plan_builder_buffer(p->b, TG_BUFFER_STATE, 4, 2, "A*X");
  p->image = tg_plan_builder_buffer(p->b, TG_BUFFER_STATE, 4, 2, "A*D");
  p->temp = tg_plan_builder_buffer(p->b, TG_BUFFER_TEMP, 4, 2, "temp");
  p->square = tg_plan_builder_buffer(p->b, TG_BUFFER_TEMP, 3, 3, "square");
  p->single = tg_plan_builder_buffer(p->b, TG_BUFFER_TEMP, 1, 1, "single");
  p->reg = tg_plan_builder_register(p->b);
  p->step = tg_plan_builder_register(p->b);
  p->fixed = tg_plan_builder_constant(p->b, 2);
  p->factor = tg_plan_builder_factor(p->b, 3);
  tg_plan_builder_set_value(p->b, p->fixed);
  tg_plan_builder_set_step(p->b, p->step);
}

static void fill(const parts *p, tg_program_id program, int32_t out)
{
  plan_emit_make(p->b, program, TG_OP_FILL, out, tg_coef_number(1));
}

static void product(const parts *p, tg_program_id program, int32_t out, int32_t in)
{
  plan_emit_gemm(p->b, program, out, tg_coef_number(1), p->a, false, in, false, 0);
}

static void copy(const parts *p, tg_program_id program, int32_t out, int32_t in)
{
  const tg_coef one = tg_coef_number(1);
  plan_emit_lincomb(p->b, program, out, 1, &one, &in);
}

static void code(const parts *p, tg_opcode op, int32_t out, int32_t in, int32_t n, const tg_code *steps)
{
  plan_emit_code(p->b, TG_PROGRAM_VALUE, op, out, in >= 0, &in, n, steps);
}

// ---- one breaker a rule ----

static void reads_unknown_buffer(const parts *p)
{
  copy(p, TG_PROGRAM_VALUE, p->temp, 99);
}

static void reads_temp_before_write(const parts *p)
{
  copy(p, TG_PROGRAM_VALUE, p->constant, p->temp);
}

static void reads_temp_of_another_program(const parts *p)
{
  product(p, TG_PROGRAM_VALUE, p->temp, p->x);
  const int32_t other = tg_plan_builder_buffer(p->b, TG_BUFFER_TEMP, 4, 2, "other");
  copy(p, TG_PROGRAM_GRADIENT, other, p->temp);
}

static void reads_overwritten_share(const parts *p)
{
  const int32_t other = tg_plan_builder_buffer(p->b, TG_BUFFER_TEMP, 4, 2, "other");
  tg_plan_builder_share(p->b, other, p->temp);
  product(p, TG_PROGRAM_VALUE, p->temp, p->x);
  fill(p, TG_PROGRAM_VALUE, other);
  plan_emit_binary(p->b, TG_PROGRAM_VALUE, TG_OP_DOT, p->reg, p->temp, other);
}

static void reads_constant_before_setup(const parts *p)
{
  copy(p, TG_PROGRAM_VALUE, p->temp, p->constant);
}

static void reads_variable_in_setup(const parts *p)
{
  product(p, TG_PROGRAM_SETUP, p->constant, p->x);
}

static void reads_direction_in_value(const parts *p)
{
  product(p, TG_PROGRAM_VALUE, p->temp, p->dx);
}

static void reads_direction_image_in_value(const parts *p)
{
  product(p, TG_PROGRAM_DIRECTION, p->image, p->dx);
  copy(p, TG_PROGRAM_VALUE, p->temp, p->image);
}

static void reads_gradient_before_write(const parts *p)
{
  copy(p, TG_PROGRAM_GRADIENT, p->gx, p->gx);
}

static void accumulates_on_nothing(const parts *p)
{
  plan_emit_gemm(p->b, TG_PROGRAM_VALUE, p->temp, tg_coef_number(1), p->a, false, p->x, false, 1);
}

static void writes_data(const parts *p)
{
  fill(p, TG_PROGRAM_VALUE, p->a);
}

static void writes_variable(const parts *p)
{
  fill(p, TG_PROGRAM_VALUE, p->x);
}

static void writes_constant_outside_setup(const parts *p)
{
  fill(p, TG_PROGRAM_VALUE, p->constant);
}

static void writes_state_in_value(const parts *p)
{
  fill(p, TG_PROGRAM_VALUE, p->state);
}

static void writes_point_state_in_direction(const parts *p)
{
  product(p, TG_PROGRAM_REFRESH, p->state, p->x);
  fill(p, TG_PROGRAM_DIRECTION, p->state);
}

static void writes_gradient_in_value(const parts *p)
{
  fill(p, TG_PROGRAM_VALUE, p->gx);
}

static void writes_hessian_in_gradient(const parts *p)
{
  fill(p, TG_PROGRAM_GRADIENT, p->hx);
}

static void writes_unknown_buffer(const parts *p)
{
  fill(p, TG_PROGRAM_VALUE, 77);
}

static void writes_unknown_register(const parts *p)
{
  plan_emit_binary(p->b, TG_PROGRAM_VALUE, TG_OP_DOT, 55, p->x, p->x);
}

static void writes_unknown_factor(const parts *p)
{
  fill(p, TG_PROGRAM_VALUE, p->square);
  plan_emit_unary(p->b, TG_PROGRAM_VALUE, TG_OP_LU, 5, p->square);
}

static void writes_fixed_register(const parts *p)
{
  plan_emit_binary(p->b, TG_PROGRAM_VALUE, TG_OP_DOT, p->fixed, p->x, p->x);
}

static void writes_setup_register(const parts *p)
{
  plan_emit_binary(p->b, TG_PROGRAM_SETUP, TG_OP_DOT, p->reg, p->a, p->a);
  plan_emit_binary(p->b, TG_PROGRAM_VALUE, TG_OP_DOT, p->reg, p->x, p->x);
}

static void writes_setup_factor(const parts *p)
{
  fill(p, TG_PROGRAM_SETUP, p->square);
  plan_emit_unary(p->b, TG_PROGRAM_SETUP, TG_OP_LU, p->factor, p->square);
  fill(p, TG_PROGRAM_VALUE, p->square);
  plan_emit_unary(p->b, TG_PROGRAM_VALUE, TG_OP_LU, p->factor, p->square);
}

static void reads_unwritten_register(const parts *p)
{
  plan_emit_make(p->b, TG_PROGRAM_VALUE, TG_OP_FILL, p->temp, tg_coef_register(1, p->reg));
}

static void reads_step_outside_advance(const parts *p)
{
  plan_emit_make(p->b, TG_PROGRAM_VALUE, TG_OP_FILL, p->temp, tg_coef_register(1, p->step));
}

static void reads_unmade_factor(const parts *p)
{
  plan_emit_factored(p->b, TG_PROGRAM_VALUE, TG_OP_LOGDET, p->reg, p->factor, false);
}

static void reads_unknown_factor(const parts *p)
{
  plan_emit_factored(p->b, TG_PROGRAM_VALUE, TG_OP_LOGDET, p->reg, -1, false);
}

static void gemm_inner_sizes(const parts *p)
{
  plan_emit_gemm(p->b, TG_PROGRAM_VALUE, p->temp, tg_coef_number(1), p->a, true, p->x, false, 0);
}

static void gemm_result_size(const parts *p)
{
  product(p, TG_PROGRAM_VALUE, p->square, p->x);
}

static void gemm_beta(const parts *p)
{
  fill(p, TG_PROGRAM_VALUE, p->temp);
  plan_emit_gemm(p->b, TG_PROGRAM_VALUE, p->temp, tg_coef_number(1), p->a, false, p->x, false, 0.5);
}

static void lincomb_shapes(const parts *p)
{
  copy(p, TG_PROGRAM_VALUE, p->temp, p->x);
}

static void lincomb_without_coefs(const parts *p)
{
  plan_emit_lincomb(p->b, TG_PROGRAM_VALUE, p->temp, 1, NULL, &p->a);
}

static void lincomb_of_nothing(const parts *p)
{
  plan_emit_lincomb(p->b, TG_PROGRAM_VALUE, p->temp, 0, NULL, NULL);
}

static void trace_of_rectangle(const parts *p)
{
  plan_emit_unary(p->b, TG_PROGRAM_VALUE, TG_OP_TRACE, p->reg, p->a);
}

static void fetch_of_matrix(const parts *p)
{
  plan_emit_unary(p->b, TG_PROGRAM_VALUE, TG_OP_FETCH, p->reg, p->a);
}

static void comm_size(const parts *p)
{
  plan_emit_comm(p->b, TG_PROGRAM_VALUE, p->square, 2, 2);
}

static void cholesky_size(const parts *p)
{
  plan_emit_unary(p->b, TG_PROGRAM_VALUE, TG_OP_CHOLESKY, p->factor, p->a);
}

static void reshape_count(const parts *p)
{
  plan_emit_unary(p->b, TG_PROGRAM_VALUE, TG_OP_RESHAPE, p->square, p->a);
}

static void kron_shape(const parts *p)
{
  plan_emit_binary(p->b, TG_PROGRAM_VALUE, TG_OP_KRON, p->square, p->a, p->x);
}

static void transpose_in_place(const parts *p)
{
  fill(p, TG_PROGRAM_VALUE, p->square);
  plan_emit_unary(p->b, TG_PROGRAM_VALUE, TG_OP_TRANSPOSE, p->square, p->square);
}

static void transpose_in_shared_storage(const parts *p)
{
  const int32_t other = tg_plan_builder_buffer(p->b, TG_BUFFER_TEMP, 3, 3, "other");
  tg_plan_builder_share(p->b, other, p->square);
  fill(p, TG_PROGRAM_VALUE, p->square);
  plan_emit_unary(p->b, TG_PROGRAM_VALUE, TG_OP_TRANSPOSE, other, p->square);
}

static void broadcast_in_place(const parts *p)
{
  fill(p, TG_PROGRAM_VALUE, p->single);
  code(p, TG_OP_ENTRYWISE, p->single, p->single, 1, (const tg_code[]){{TG_CODE_ROW, 0, 0}});
}

static void code_underflow(const parts *p)
{
  code(p, TG_OP_SCALAR, p->reg, -1, 2, (const tg_code[]){{TG_CODE_NUMBER, 0, 1}, {TG_CODE_ADD, 0, 0}});
}

static void code_leftover(const parts *p)
{
  code(p, TG_OP_SCALAR, p->reg, -1, 2, (const tg_code[]){{TG_CODE_NUMBER, 0, 1}, {TG_CODE_NUMBER, 0, 1}});
}

static void code_empty(const parts *p)
{
  code(p, TG_OP_SCALAR, p->reg, -1, 0, NULL);
}

static void code_too_deep(const parts *p)
{
  tg_code steps[TG_CODE_DEPTH + 1];
  for (int k = 0; k <= TG_CODE_DEPTH; k++) steps[k] = (tg_code){TG_CODE_NUMBER, 0, 1};
  code(p, TG_OP_SCALAR, p->reg, -1, TG_CODE_DEPTH + 1, steps);
}

static void code_load_in_scalar(const parts *p)
{
  code(p, TG_OP_SCALAR, p->reg, -1, 1, (const tg_code[]){{TG_CODE_LOAD, 0, 0}});
}

static void code_unknown_input(const parts *p)
{
  code(p, TG_OP_EWSUM, p->reg, p->x, 1, (const tg_code[]){{TG_CODE_LOAD, 3, 0}});
}

static void code_wrong_broadcast(const parts *p)
{
  code(p, TG_OP_EWSUM, p->reg, p->x, 1, (const tg_code[]){{TG_CODE_COL, 0, 0}});
}

static void code_unwritten_register(const parts *p)
{
  code(p, TG_OP_SCALAR, p->reg, -1, 1, (const tg_code[]){{TG_CODE_REG, p->reg, 0}});
}

static void unknown_value_register(const parts *p)
{
  tg_plan_builder_set_value(p->b, 44);
}

static void unwritten_value_register(const parts *p)
{
  tg_plan_builder_set_value(p->b, p->reg);
}

static void gradient_without_output(const parts *p)
{
  product(p, TG_PROGRAM_GRADIENT, p->temp, p->x);
}

static void hessian_without_output(const parts *p)
{
  product(p, TG_PROGRAM_HESSIAN, p->temp, p->dx);
}

static void line_without_coefficient(const parts *p)
{
  tg_plan_builder_set_degree(p->b, 1);
  tg_plan_builder_set_line(p->b, 1, p->reg);
}

static void advance_leaves_state(const parts *p)
{
  tg_plan_builder_set_degree(p->b, 1);
  tg_plan_builder_set_line(p->b, 1, p->fixed);
  product(p, TG_PROGRAM_REFRESH, p->state, p->x);
}

static void state_without_step(const parts *p)
{
  tg_plan_builder_set_degree(p->b, 1);
  tg_plan_builder_set_line(p->b, 1, p->fixed);
  tg_plan_builder_set_step(p->b, -1);
  product(p, TG_PROGRAM_REFRESH, p->state, p->x);
  copy(p, TG_PROGRAM_ADVANCE, p->state, p->state);
}

static void empty_buffer(const parts *p)
{
  tg_plan_builder_buffer(p->b, TG_BUFFER_TEMP, 0, 3, "empty");
}

static void shares_with_state(const parts *p)
{
  tg_plan_builder_share(p->b, p->temp, p->state);
}

static void shares_other_shape(const parts *p)
{
  tg_plan_builder_share(p->b, p->temp, p->square);
}

static void block_that_is_not_there(const parts *p)
{
  tg_plan_builder_block(p->b, TG_BUFFER_GRADIENT, 1);
}

static void storage_for_data(const parts *p)
{
  tg_plan_builder_buffer(p->b, TG_BUFFER_DATA, 2, 2, "data");
}

static void line_power_out_of_range(const parts *p)
{
  tg_plan_builder_set_line(p->b, TG_LINE_DEGREE_MAX + 1, p->reg);
}

static void factor_of_no_size(const parts *p)
{
  tg_plan_builder_factor(p->b, 0);
}

static void code_where_there_is_none(const parts *p)
{
  code(p, TG_OP_TRANSPOSE, p->square, p->a, 1, (const tg_code[]){{TG_CODE_NUMBER, 0, 1}});
}

typedef struct breaker {
  void (*apply)(const parts *p);
  const char *message;
} breaker;

static const breaker breakers[] = {
    {reads_unknown_buffer, "value[0] lincomb: there is no buffer 99"},
    {reads_temp_before_write, "'temp', which holds nothing here"},
    {reads_temp_of_another_program, "gradient[0] lincomb: reads buffer"},
    {reads_overwritten_share, "value[2] dot: reads buffer"},
    {reads_constant_before_setup, "'constant', which holds nothing"},
    {reads_variable_in_setup, "setup[0] gemm: reads buffer"},
    {reads_direction_in_value, "'X', which holds nothing"},
    {reads_direction_image_in_value, "'A*D', which holds nothing"},
    {reads_gradient_before_write, "gradient[0] lincomb: reads buffer"},
    {accumulates_on_nothing, "'temp', which holds nothing"},
    {writes_data, "writes buffer 0 'A', which this program must not"},
    {writes_variable, "'X', which this program must not"},
    {writes_constant_outside_setup, "'constant', which this program must not"},
    {writes_state_in_value, "'A*X', which this program must not"},
    {writes_point_state_in_direction, "direction[0] fill: writes buffer"},
    {writes_gradient_in_value, "value[0] fill: writes buffer"},
    {writes_hessian_in_gradient, "gradient[0] fill: writes buffer"},
    {writes_unknown_buffer, "there is no buffer 77 to write"},
    {writes_unknown_register, "there is no register 55 to write"},
    {writes_unknown_factor, "there is no factor 5 to write"},
    {writes_fixed_register, "whose content is fixed"},
    {writes_setup_register, "value[0] dot: writes register"},
    {writes_setup_factor, "which setup made"},
    {reads_unwritten_register, "which nothing has written"},
    {reads_step_outside_advance, "which nothing has written"},
    {reads_unmade_factor, "which nothing has made"},
    {reads_unknown_factor, "there is no factor -1"},
    {gemm_inner_sizes, "shapes do not agree: in 4x3 3x2, out 4x2"},
    {gemm_result_size, "out 3x3"},
    {gemm_beta, "shapes do not agree"},
    {lincomb_shapes, "shapes do not agree: in 3x2, out 4x2"},
    {lincomb_without_coefs, "no coefficients"},
    {lincomb_of_nothing, "0 inputs"},
    {trace_of_rectangle, "shapes do not agree: in 4x3"},
    {fetch_of_matrix, "fetch: shapes do not agree"},
    {comm_size, "comm: shapes do not agree"},
    {cholesky_size, "cholesky: shapes do not agree"},
    {reshape_count, "reshape: shapes do not agree"},
    {kron_shape, "kron: shapes do not agree"},
    {transpose_in_place, "storage of input 0"},
    {transpose_in_shared_storage, "storage of input 0"},
    {broadcast_in_place, "broadcast input 0"},
    {code_underflow, "code step 1 finds 1 of 2 operands"},
    {code_leftover, "leaves 2 values"},
    {code_empty, "leaves 0 values"},
    {code_too_deep, "deeper than 16"},
    {code_load_in_scalar, "scalar code loads"},
    {code_unknown_input, "loads input 3 of 1"},
    {code_wrong_broadcast, "code loads (col) 'X', which is 3 x 2, not 1 x 2"},
    {code_unwritten_register, "which nothing has written"},
    {unknown_value_register, "register 44"},
    {unwritten_value_register, "value does not write the value"},
    {gradient_without_output, "gradient does not write its output for 'X'"},
    {hessian_without_output, "hessian does not write its output for 'X'"},
    {line_without_coefficient, "direction does not write a coefficient of the line"},
    {advance_leaves_state, "advance leaves the image 'A*X'"},
    {state_without_step, "there is no step register -1"},
    {empty_buffer, "'empty' has size 0 x 3"},
    {shares_with_state, "both must be temporaries"},
    {shares_other_shape, "with different shapes"},
    {block_that_is_not_there, "there is no block 1 of the point, which has 1"},
    {storage_for_data, "have no storage in the plan"},
    {line_power_out_of_range, "no coefficient of t^9"},
    {factor_of_no_size, "factor 1 has size 0"},
    {code_where_there_is_none, "code where the operation has none"},
};

static void every_rule_is_checked(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof breakers / sizeof breakers[0]; k++) {
    parts p;
    parts_init(&p);
    breakers[k].apply(&p);
    tg_plan *plan = NULL;
    const tg_status status = tg_plan_builder_finish(p.b, &plan);
    if (status != TG_INTERNAL || strstr(tg_error_get()->message, breakers[k].message) == NULL)
      fail_msg("breaker %zu: expected '%s', found %s '%s'", k, breakers[k].message, tg_status_label(status),
               status == TG_OK ? "" : tg_error_get()->message);
    assert_null(plan);
    tg_plan_builder_destroy(&p.b);
  }
}

// Mistakes that the builder cannot make, put into a finished plan's tables.
static void tables_are_checked(void **state)
{
  (void)state;
  tg_plan *plan = NULL;
  assert_int_equal(sample_plan_ridge(4, 3, 2, 0.1, &plan), TG_OK);
  tg_plan broken = *plan;
  broken.has_state = false;
  assert_int_equal(tg_plan_verify(&broken), TG_INTERNAL);
  assert_non_null(strstr(tg_error_get()->message, "has_state is 0"));
  broken = *plan;
  broken.has_hessian = false;
  assert_int_equal(tg_plan_verify(&broken), TG_INTERNAL);
  assert_non_null(strstr(tg_error_get()->message, "has_hessian is 0"));
  broken = *plan;
  broken.degree = 9;
  assert_int_equal(tg_plan_verify(&broken), TG_INTERNAL);
  assert_non_null(strstr(tg_error_get()->message, "a line of degree 9"));
  broken = *plan;
  broken.n_data = 1;
  assert_int_equal(tg_plan_verify(&broken), TG_INTERNAL);
  assert_non_null(strstr(tg_error_get()->message, "belongs to operand 1 of 1"));
  broken = *plan;
  const tg_register_init init = {90, 1};
  broken.inits = &init;
  assert_int_equal(tg_plan_verify(&broken), TG_INTERNAL);
  assert_non_null(strstr(tg_error_get()->message, "no register 90 to initialise"));
  tg_plan_buffer buffers[16];
  assert_true(plan->n_buffers <= 16);
  memcpy(buffers, plan->buffers, (size_t)plan->n_buffers * sizeof *buffers);
  broken = *plan;
  broken.buffers = buffers;
  buffers[0].rows = 5;
  assert_int_equal(tg_plan_verify(&broken), TG_INTERNAL);
  assert_non_null(strstr(tg_error_get()->message, "buffer 0 is 5 x 3, its operand 'X' 4 x 3"));
  buffers[0].rows = 4;
  buffers[0].storage = 0;
  assert_int_equal(tg_plan_verify(&broken), TG_INTERNAL);
  assert_non_null(strstr(tg_error_get()->message, "has storage 0"));
  buffers[0].storage = -1;
  assert_int_equal(tg_plan_verify(&broken), TG_OK);
  tg_plan_destroy(&plan);
}

static void builder_stops_at_the_first_failure(void **state)
{
  (void)state;
  tg_plan_builder *b = NULL;
  assert_int_equal(tg_plan_builder_create(&b), TG_OK);
  assert_int_equal(tg_plan_builder_buffer(b, TG_BUFFER_TEMP, -1, 2, "first"), -1);
  assert_int_equal(tg_plan_builder_status(b), TG_INTERNAL);
  assert_int_equal(tg_plan_builder_data(b, "A", 2, 2), -1);
  assert_int_equal(tg_plan_builder_register(b), -1);
  tg_plan *plan = NULL;
  assert_int_equal(tg_plan_builder_finish(b, &plan), TG_INTERNAL);
  assert_null(plan);
  tg_plan_builder_destroy(&b);
  assert_null(b);
  tg_plan_builder_destroy(&b);
}

static void builder_empties_after_finish(void **state)
{
  (void)state;
  tg_plan_builder *b = NULL;
  assert_int_equal(tg_plan_builder_create(&b), TG_OK);
  tg_plan_builder_set_value(b, tg_plan_builder_constant(b, 1));
  tg_plan *plan = NULL;
  assert_int_equal(tg_plan_builder_finish(b, &plan), TG_OK);
  tg_plan *second = NULL;
  assert_int_equal(tg_plan_builder_finish(b, &second), TG_INTERNAL);
  tg_plan_builder_set_value(b, 3);
  tg_plan_builder_destroy(&b);
  assert_int_equal(plan->value_register, 0);
  tg_plan_destroy(&plan);
  assert_null(plan);
  tg_plan_destroy(&plan);
}

// Every allocation made to fail in turn: a clean TG_MEMORY each time, and success in the end.
static void builder_survives_lack_of_memory(void **state)
{
  (void)state;
  tg_status status = TG_MEMORY;
  int failures = 0;
  for (int64_t n = 1; status != TG_OK; n++) {
    tg_plan *plan = NULL;
    tg_alloc_fail_after(n);
    status = sample_plan_ridge(4, 3, 2, 0.1, &plan);
    tg_alloc_fail_after(0);
    if (status != TG_OK) assert_int_equal(status, TG_MEMORY);
    failures += status != TG_OK;
    tg_plan_destroy(&plan);
  }
  assert_true(failures > 5);
}

static void storage_is_compacted(void **state)
{
  (void)state;
  tg_plan *plan = NULL;
  assert_int_equal(sample_plan_ridge(4, 3, 2, 0.1, &plan), TG_OK);
  // X*W, X*D, and the residual with X*V in one.
  assert_int_equal(tg_plan_storage_count(plan), 3);
  assert_true(plan->has_line && plan->has_state && plan->has_hessian);
  tg_plan_destroy(&plan);
}

static void dump_is_readable(void **state)
{
  (void)state;
  tg_plan *plan = NULL;
  assert_int_equal(sample_plan_ridge(100, 64, 10, 0.1, &plan), TG_OK);
  tg_text text;
  tg_text_init(&text);
  tg_plan_dump(plan, &text);
  assert_int_equal(tg_text_status(&text), TG_OK);
  const char *dump = tg_text_string(&text);
  const char *const parts_expected[] = {
      "refresh: 1 operations, 1 products, 1.28e+05 flops\n",
      "  S4 (100x10) = X * W",
      "gemm         1.3e+05 flops  # X*W\n",
      "  r0 = (r1 + (r2 * r4))",
      "  grad(W) (64x10) = 2*X' * T6 + grad(W)",
      "  grad(W) (64x10) = 2*r4*W",
      "  T6 (100x10) = S4 - Y",
      "  r1 = <T6, T6>",
      "  S4 (100x10) = S4 + r3*S5",
      "X * dW",
  };
  for (size_t k = 0; k < sizeof parts_expected / sizeof parts_expected[0]; k++)
    if (strstr(dump, parts_expected[k]) == NULL) fail_msg("'%s' is not in\n%s", parts_expected[k], dump);
  tg_text_fini(&text);
  tg_plan_destroy(&plan);
}

// Every operation prints with its label and its result, each on one line.
static void every_operation_is_dumped(void **state)
{
  (void)state;
  for (int op = 0; op < TG_OPCODE_COUNT; op++) {
    tg_plan *plan = NULL;
    if (sample_plan_of_opcode((tg_opcode)op, 5, 3, 4, &plan) != TG_OK) fail_msg("%s", tg_error_get()->message);
    tg_text text;
    tg_text_init(&text);
    tg_plan_dump(plan, &text);
    if (strstr(tg_text_string(&text), tg_opcode_label((tg_opcode)op)) == NULL)
      fail_msg("no '%s' in\n%s", tg_opcode_label((tg_opcode)op), tg_text_string(&text));
    int32_t lines = 0;
    for (const char *c = tg_text_string(&text); *c != '\0'; c++) lines += *c == '\n';
    assert_int_equal(lines, plan->programs[TG_PROGRAM_SETUP].n_instrs + 1);
    tg_text_fini(&text);
    tg_plan_destroy(&plan);
  }
}

// Equal plans have equal fingerprints; every field of an instruction and of the tables changes it.
static void hash_sees_everything(void **state)
{
  (void)state;
  tg_plan *plan = NULL;
  tg_plan *again = NULL;
  tg_plan *other = NULL;
  assert_int_equal(sample_plan_ridge(4, 3, 2, 0.1, &plan), TG_OK);
  assert_int_equal(sample_plan_ridge(4, 3, 2, 0.1, &again), TG_OK);
  assert_true(tg_plan_hash(plan) == tg_plan_hash(again));
  assert_int_equal(sample_plan_ridge(4, 3, 2, 0.2, &other), TG_OK);
  assert_true(tg_plan_hash(plan) != tg_plan_hash(other));
  const uint64_t hash = tg_plan_hash(plan);
  tg_instr changed = plan->programs[TG_PROGRAM_REFRESH].instrs[0];
  const tg_instr original = changed;
  again->programs[TG_PROGRAM_REFRESH].instrs = &changed;
  assert_true(tg_plan_hash(again) == hash);
#define CHANGES(field, value) \
  changed = original;         \
  changed.field = (value);    \
  assert_true(tg_plan_hash(again) != hash)
  CHANGES(op, TG_OP_KRON);
  CHANGES(out, 1);
  CHANGES(factor, 3);
  CHANGES(n_in, 1);
  CHANGES(alpha.value, 2);
  CHANGES(alpha.reg, 1);
  CHANGES(beta, 1);
  CHANGES(trans[0], true);
  CHANGES(trans[1], true);
  CHANGES(symmetric[0], true);
  CHANGES(symmetric[1], true);
  CHANGES(right, true);
  CHANGES(dims[0], 1);
  CHANGES(dims[1], 1);
#undef CHANGES
  const int32_t in[2] = {original.in[0], 5};
  changed = original;
  changed.in = in;
  assert_true(tg_plan_hash(again) != hash);
  changed = original;
  again->value_register++;
  assert_true(tg_plan_hash(again) != hash);
  again->value_register--;
  again->line_registers[2]++;
  assert_true(tg_plan_hash(again) != hash);
  tg_plan_destroy(&plan);
  tg_plan_destroy(&again);
  tg_plan_destroy(&other);
}

static void flops_are_the_classical_counts(void **state)
{
  (void)state;
  tg_plan *plan = NULL;
  assert_int_equal(sample_plan_of_opcode(TG_OP_INVERSE, 30, 1, 1, &plan), TG_OK);
  const tg_program *setup = &plan->programs[TG_PROGRAM_SETUP];
  const double n3 = 27000;
  const double expected[] = {n3 / 3, 2 * n3 / 3, 2 * n3 / 3, 4 * n3 / 3};
  for (int k = 0; k < 4; k++)
    if (tg_instr_flops(plan, &setup->instrs[k]) != expected[k])
      fail_msg("%s: %g flops", tg_opcode_label(setup->instrs[k].op), tg_instr_flops(plan, &setup->instrs[k]));
  assert_false(tg_instr_is_product(&setup->instrs[0]));
  assert_true(tg_instr_is_product(&setup->instrs[2]));
  tg_plan_destroy(&plan);
  assert_int_equal(sample_plan_of_opcode(TG_OP_GEMM, 7, 5, 3, &plan), TG_OK);
  for (int k = 0; k < 8; k++)
    assert_true(tg_instr_flops(plan, &plan->programs[TG_PROGRAM_SETUP].instrs[k]) == 2.0 * 7 * 5 * 3);
  tg_plan_destroy(&plan);
}

static void labels_are_complete(void **state)
{
  (void)state;
  for (int op = 0; op < TG_OPCODE_COUNT; op++) assert_true(strlen(tg_opcode_label((tg_opcode)op)) > 1);
  for (int p = 0; p < TG_PROGRAM_COUNT; p++) assert_string_not_equal(tg_program_label((tg_program_id)p), "unknown");
  assert_string_equal(tg_opcode_label(TG_OPCODE_COUNT), "unknown");
  assert_string_equal(tg_program_label(TG_PROGRAM_COUNT), "unknown");
  assert_string_equal(tg_code_label(TG_CODE_SOFTPLUS), "softplus");
  assert_string_equal(tg_code_label(TG_CODE_SIGMOID), "sigmoid");
  assert_string_equal(tg_code_label(TG_CODE_POW), "^");
  assert_int_equal(tg_code_arity(TG_CODE_NUMBER), 0);
  assert_int_equal(tg_code_arity(TG_CODE_POW), 2);
  assert_int_equal(tg_code_arity(TG_CODE_SQUARE), 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_rule_is_checked),
      cmocka_unit_test(tables_are_checked),
      cmocka_unit_test(builder_stops_at_the_first_failure),
      cmocka_unit_test(builder_empties_after_finish),
      cmocka_unit_test(builder_survives_lack_of_memory),
      cmocka_unit_test(storage_is_compacted),
      cmocka_unit_test(dump_is_readable),
      cmocka_unit_test(every_operation_is_dumped),
      cmocka_unit_test(hash_sees_everything),
      cmocka_unit_test(flops_are_the_classical_counts),
      cmocka_unit_test(labels_are_complete),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
