// What lowered plans cost: products and flops of known examples, and what each pass is for.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "grad/calculus.h"
#include "grad/lower/lower.h"
#include "grad/lower/lower_parts.h"
#include "grad/plan/cost.h"

enum { DECLARATIONS_MAX = 8 };

// An objective with its declarations; variables are those that are free.
typedef struct example {
  const char *text;
  tg_declaration declarations[DECLARATIONS_MAX];
} example;

typedef struct lowered {
  tg_graph *graph;
  tg_node f;
  int32_t n;
  int32_t wrt[DECLARATIONS_MAX];
  tg_plan *plan;
} lowered;

static const tg_lower_options every_pass = {.want_hessian = true};

static tg_status lower(const example *e, const tg_lower_options *options, lowered *out)
{
  tg_compile_options compile = {.declarations = e->declarations, .require_scalar = true};
  *out = (lowered){.n = 0};
  while (compile.n_declarations < DECLARATIONS_MAX && e->declarations[compile.n_declarations].name != NULL)
    compile.n_declarations++;
  assert_int_equal(tg_graph_create(&out->graph), TG_OK);
  if (tg_compile(out->graph, e->text, strlen(e->text), &compile, &out->f) != TG_OK)
    fail_msg("%s: %s", e->text, tg_error_get()->message);
  for (int32_t k = 0; k < compile.n_declarations; k++)
    if (e->declarations[k].is_free) out->wrt[out->n++] = tg_symbol_find(out->graph, e->declarations[k].name);
  return tg_lower(out->graph, out->f, out->n, out->wrt, options, &out->plan);
}

static void load(const example *e, const tg_lower_options *options, lowered *out)
{
  if (lower(e, options, out) != TG_OK) fail_msg("%s: %s", e->text, tg_error_get()->message);
}

static void unload(lowered *p)
{
  tg_plan_destroy(&p->plan);
  tg_graph_destroy(&p->graph);
}

static int count(const lowered *p, tg_program_id program, tg_opcode op)
{
  int sum = 0;
  for (int32_t k = 0; k < p->plan->programs[program].n_instrs; k++)
    sum += p->plan->programs[program].instrs[k].op == op;
  return sum;
}

static int products(const lowered *p, tg_program_id program)
{
  return count(p, program, TG_OP_GEMM) + count(p, program, TG_OP_SOLVE) + count(p, program, TG_OP_INVERSE);
}

static double product_flops(const lowered *p, tg_program_id program)
{
  double sum = 0;
  for (int32_t k = 0; k < p->plan->programs[program].n_instrs; k++) {
    const tg_instr *instr = &p->plan->programs[program].instrs[k];
    if (tg_instr_is_product(instr)) sum += tg_instr_flops(p->plan, instr);
  }
  return sum;
}

// Products of the program with the passes switched off, -1 ends the list.
static int products_without(const example *e, tg_program_id program, const int *passes)
{
  lowered p;
  tg_lower_options options = every_pass;
  for (; *passes >= 0; passes++) options.without[*passes] = true;
  load(e, &options, &p);
  const int sum = products(&p, program);
  unload(&p);
  return sum;
}

#define WITHOUT(...) ((const int[]){__VA_ARGS__, -1})

// ---- tr(A*B*A'*C) and its relatives ----

static const example trace_general = {"tr(A*B*A'*C)",
                                      {{.name = "A", .rows = 30, .cols = 30, .is_free = true},
                                       {.name = "B", .rows = 30, .cols = 30},
                                       {.name = "C", .rows = 30, .cols = 30}}};
static const example trace_symmetric = {"tr(A*B*A'*C)",
                                        {{.name = "A", .rows = 30, .cols = 30, .is_free = true},
                                         {.name = "B", .rows = 30, .cols = 30, .properties = TG_SYMMETRIC},
                                         {.name = "C", .rows = 30, .cols = 30, .properties = TG_SYMMETRIC}}};
static const example trace_quadratic = {
    "tr(A*B*A')", {{.name = "A", .rows = 40, .cols = 30, .is_free = true}, {.name = "B", .rows = 30, .cols = 30}}};

static void trace_costs_four_products(void **state)
{
  (void)state;
  assert_int_equal(products_without(&trace_general, TG_PROGRAM_GRADIENT, WITHOUT(TG_PASS_IMAGES)), 4);
  assert_int_equal(products_without(&trace_general, TG_PROGRAM_VALUE, WITHOUT(TG_PASS_IMAGES)), 2);
  // The value's halves from scratch, its last product and trace as written.
  assert_true(products_without(&trace_general, TG_PROGRAM_GRADIENT, WITHOUT(TG_PASS_IMAGES, TG_PASS_TRACES)) > 4);
  assert_true(products_without(&trace_general, TG_PROGRAM_GRADIENT, WITHOUT(TG_PASS_IMAGES, TG_PASS_SHARING)) > 4);
}

static void symmetry_halves_it(void **state)
{
  (void)state;
  assert_int_equal(products_without(&trace_symmetric, TG_PROGRAM_GRADIENT, WITHOUT(TG_PASS_IMAGES)), 2);
}

static void quadratic_trace_costs_one_product(void **state)
{
  (void)state;
  lowered p;
  tg_lower_options options = every_pass;
  options.without[TG_PASS_IMAGES] = true;
  load(&trace_quadratic, &options, &p);
  assert_int_equal(products(&p, TG_PROGRAM_GRADIENT), 1);
  assert_int_equal(products(&p, TG_PROGRAM_VALUE), 1);
  assert_int_equal(products(&p, TG_PROGRAM_HESSIAN), 1);
  assert_int_equal(count(&p, TG_PROGRAM_SETUP, TG_OP_LINCOMB), 1); // B + B'
  unload(&p);
}

// X^99 and the sum of its derivative's 99 terms, by halves: products in proportion to log2(99).
static void large_powers_take_few_products(void **state)
{
  (void)state;
  static const example e = {"sumsq(X^99)", {{.name = "X", .rows = 20, .cols = 20, .is_free = true}}};
  lowered p;
  load(&e, &every_pass, &p);
  assert_true(products(&p, TG_PROGRAM_VALUE) <= 10);
  assert_true(products(&p, TG_PROGRAM_GRADIENT) <= 32);
  assert_true(products(&p, TG_PROGRAM_HESSIAN) <= 120);
  unload(&p);
}

// Without the trace rules the gradient is A*B + A*B', and the common factor saves the second product.
static void common_factors_are_taken_out(void **state)
{
  (void)state;
  static const example e = {"tr(A*B*A'*E) + tr(A*C*A'*E')",
                            {{.name = "A", .rows = 40, .cols = 30, .is_free = true},
                             {.name = "B", .rows = 30, .cols = 30},
                             {.name = "C", .rows = 30, .cols = 30},
                             {.name = "E", .rows = 40, .cols = 40}}};
  const int with = products_without(&e, TG_PROGRAM_GRADIENT, WITHOUT(TG_PASS_IMAGES));
  const int without = products_without(&e, TG_PROGRAM_GRADIENT, WITHOUT(TG_PASS_IMAGES, TG_PASS_FACTORING));
  assert_true(with < without);
}

// ---- least squares ----

static const example least_squares_tall = {"sumsq(Y - X*W)",
                                           {{.name = "W", .rows = 200, .cols = 8, .is_free = true},
                                            {.name = "X", .rows = 4000, .cols = 200},
                                            {.name = "Y", .rows = 4000, .cols = 8}}};
static const example least_squares_wide = {"sumsq(Y - X*W)",
                                           {{.name = "W", .rows = 4000, .cols = 8, .is_free = true},
                                            {.name = "X", .rows = 20, .cols = 4000},
                                            {.name = "Y", .rows = 20, .cols = 8}}};

// X'X and X'Y once where X is tall, two passes over X where it is wide or the iterations are few.
static void least_squares_takes_the_cheaper_form(void **state)
{
  (void)state;
  lowered p;
  const double gram = 2.0 * 200 * 200 * 8;
  const double pass = 2.0 * 4000 * 20 * 8;
  load(&least_squares_tall, &every_pass, &p);
  assert_int_equal(products(&p, TG_PROGRAM_SETUP), 2);
  assert_true(product_flops(&p, TG_PROGRAM_DIRECTION) + product_flops(&p, TG_PROGRAM_GRADIENT) <= gram);
  unload(&p);
  load(&least_squares_wide, &every_pass, &p);
  assert_int_equal(products(&p, TG_PROGRAM_SETUP), 0);
  assert_true(product_flops(&p, TG_PROGRAM_DIRECTION) + product_flops(&p, TG_PROGRAM_GRADIENT) <= 2 * pass);
  unload(&p);
  tg_lower_options options = every_pass;
  options.expected_iterations = 1;
  load(&least_squares_tall, &options, &p);
  assert_int_equal(products(&p, TG_PROGRAM_SETUP), 0);
  unload(&p);
  options = every_pass;
  options.without[TG_PASS_HOISTING] = true;
  load(&least_squares_tall, &options, &p);
  assert_int_equal(p.plan->programs[TG_PROGRAM_SETUP].n_instrs, 0);
  unload(&p);
}

// ---- association ----

static void chain_is_multiplied_from_the_cheap_end(void **state)
{
  (void)state;
  static const example e = {"sumsq(A*B*C*X)",
                            {{.name = "X", .rows = 5000, .cols = 10, .is_free = true},
                             {.name = "A", .rows = 100, .cols = 1000},
                             {.name = "B", .rows = 1000, .cols = 2000},
                             {.name = "C", .rows = 2000, .cols = 5000}}};
  lowered p;
  tg_lower_options options = {.want_hessian = false};
  options.without[TG_PASS_HOISTING] = true;
  options.without[TG_PASS_IMAGES] = true;
  load(&e, &options, &p);
  // 1e8 + 2e7 + 1e6 multiplications, against 1.2e9 from left to right.
  assert_true(product_flops(&p, TG_PROGRAM_VALUE) <= 2 * 1.22e8);
  unload(&p);
  options.without[TG_PASS_ASSOCIATION] = true;
  load(&e, &options, &p);
  assert_true(product_flops(&p, TG_PROGRAM_VALUE) > 2 * 1.1e9);
  unload(&p);
}

// A (m x n) tall: A*((B*A)*B) with 2 m n^2 + ..., not (A*B)^2 with m^3.
static void repeated_segment_of_a_tall_matrix(void **state)
{
  (void)state;
  static const example e = {"tr(A*B*A*B*C)",
                            {{.name = "A", .rows = 400, .cols = 10, .is_free = true},
                             {.name = "B", .rows = 10, .cols = 400},
                             {.name = "C", .rows = 400, .cols = 400}}};
  static const example square = {
      "sumsq(A*B*A*B)",
      {{.name = "A", .rows = 30, .cols = 30, .is_free = true}, {.name = "B", .rows = 30, .cols = 30}}};
  lowered p;
  tg_lower_options options = {.want_hessian = false};
  options.without[TG_PASS_HOISTING] = true;
  options.without[TG_PASS_IMAGES] = true;
  load(&e, &options, &p);
  assert_true(product_flops(&p, TG_PROGRAM_VALUE) <= 2.0 * 400 * 400 * 10 + 4 * 2.0 * 400 * 10 * 10);
  unload(&p);
  // Square: A*B once, then its square.
  load(&square, &options, &p);
  assert_int_equal(products(&p, TG_PROGRAM_VALUE), 2);
  unload(&p);
}

static void gram_of_a_product_shares_it(void **state)
{
  (void)state;
  static const example e = {"sumsq((X*W)'*(X*W) - T)",
                            {{.name = "W", .rows = 30, .cols = 20, .is_free = true},
                             {.name = "X", .rows = 50, .cols = 30},
                             {.name = "T", .rows = 20, .cols = 20, .properties = TG_SYMMETRIC}}};
  lowered p;
  tg_lower_options options = {.want_hessian = false};
  options.without[TG_PASS_HOISTING] = true;
  options.without[TG_PASS_IMAGES] = true;
  load(&e, &options, &p);
  assert_int_equal(products(&p, TG_PROGRAM_VALUE), 2); // X*W, and its Gram matrix
  assert_int_equal(products(&p, TG_PROGRAM_GRADIENT), 4);
  unload(&p);
}

static void powers_by_squaring(void **state)
{
  (void)state;
  static const example e = {
      "sumsq(X^16 - A)",
      {{.name = "X", .rows = 20, .cols = 20, .is_free = true}, {.name = "A", .rows = 20, .cols = 20}}};
  assert_int_equal(products_without(&e, TG_PROGRAM_VALUE, WITHOUT(TG_PASS_IMAGES)), 4);
}

// ---- inverses ----

static const example gaussian = {"logdet(S) + tr(inv(S)*(C + X*X'))",
                                 {{.name = "S", .rows = 30, .cols = 30, .is_free = true},
                                  {.name = "X", .rows = 30, .cols = 5, .is_free = true},
                                  {.name = "C", .rows = 30, .cols = 30}}};

static void one_factorisation_serves_all(void **state)
{
  (void)state;
  lowered p;
  load(&gaussian, &every_pass, &p);
  assert_int_equal(count(&p, TG_PROGRAM_GRADIENT, TG_OP_LU), 1);
  assert_int_equal(count(&p, TG_PROGRAM_VALUE, TG_OP_LU), 1);
  assert_int_equal(count(&p, TG_PROGRAM_HESSIAN, TG_OP_LU), 1);
  unload(&p);
}

static void solves_instead_of_inverses(void **state)
{
  (void)state;
  static const example e = {"sumsq(inv(A)*X) + logdet(S + X*X')",
                            {{.name = "X", .rows = 30, .cols = 3, .is_free = true},
                             {.name = "A", .rows = 30, .cols = 30},
                             {.name = "S", .rows = 30, .cols = 30, .properties = TG_SYMMETRIC | TG_SPD}}};
  lowered p;
  load(&e, &every_pass, &p);
  assert_int_equal(count(&p, TG_PROGRAM_GRADIENT, TG_OP_INVERSE), 0);
  assert_true(count(&p, TG_PROGRAM_GRADIENT, TG_OP_SOLVE) >= 1);
  assert_int_equal(count(&p, TG_PROGRAM_GRADIENT, TG_OP_CHOLESKY), 1);
  assert_int_equal(count(&p, TG_PROGRAM_SETUP, TG_OP_LU), 1); // A is constant
  unload(&p);
  tg_lower_options options = every_pass;
  options.without[TG_PASS_SOLVES] = true;
  load(&e, &options, &p);
  assert_int_equal(count(&p, TG_PROGRAM_GRADIENT, TG_OP_SOLVE), 0);
  unload(&p);
}

// ---- fusion, reuse ----

static void entrywise_chain_is_one_pass(void **state)
{
  (void)state;
  static const example e = {
      "sum(exp(sin(X).*C + X.^2))",
      {{.name = "X", .rows = 30, .cols = 30, .is_free = true}, {.name = "C", .rows = 30, .cols = 30}}};
  lowered p;
  load(&e, &every_pass, &p);
  assert_int_equal(p.plan->programs[TG_PROGRAM_VALUE].n_instrs, 1);
  unload(&p);
  assert_true(products_without(&e, TG_PROGRAM_VALUE, WITHOUT(TG_PASS_FUSION)) == 0);
  tg_lower_options options = every_pass;
  options.without[TG_PASS_FUSION] = true;
  load(&e, &options, &p);
  assert_true(p.plan->programs[TG_PROGRAM_VALUE].n_instrs > 3);
  unload(&p);
}

// tr(A*X*B*X') - 2*tr(C'*X) beside its gradient, from Y = A*X*B: <X, Y - 2 C> in one pass; a residual's norm without
// the residual.
static void inner_products_are_summed_in_one_pass(void **state)
{
  (void)state;
  static const example quadratic = {"tr(A*X*B*X') - 2*tr(C'*X)",
                                    {{.name = "X", .rows = 30, .cols = 20, .is_free = true},
                                     {.name = "A", .rows = 30, .cols = 30, .properties = TG_SYMMETRIC},
                                     {.name = "B", .rows = 20, .cols = 20, .properties = TG_SYMMETRIC},
                                     {.name = "C", .rows = 30, .cols = 20}}};
  static const example residual = {"sumsq(W*H - D)",
                                   {{.name = "W", .rows = 30, .cols = 2, .is_free = true},
                                    {.name = "H", .rows = 2, .cols = 20, .is_free = true},
                                    {.name = "D", .rows = 30, .cols = 20}}};
  lowered p;
  load(&quadratic, &every_pass, &p);
  assert_int_equal(p.plan->programs[TG_PROGRAM_GRADIENT].n_instrs - products(&p, TG_PROGRAM_GRADIENT), 2);
  unload(&p);
  load(&residual, &every_pass, &p);
  assert_int_equal(p.plan->programs[TG_PROGRAM_VALUE].n_instrs, 2);
  assert_int_equal(count(&p, TG_PROGRAM_VALUE, TG_OP_EWSUM), 1);
  unload(&p);
}

static int storages_without(const example *e, tg_pass pass)
{
  lowered p;
  tg_lower_options options = every_pass;
  if (pass < TG_PASS_COUNT) options.without[pass] = true;
  load(e, &options, &p);
  const int sum = tg_plan_storage_count(p.plan);
  unload(&p);
  return sum;
}

static void dead_buffers_are_used_again(void **state)
{
  (void)state;
  const int with = storages_without(&trace_general, TG_PASS_COUNT);
  assert_true(with < storages_without(&trace_general, TG_PASS_REUSE));
}

// ---- images ----

static const example two_sided = {"tr(A*X*B*X') - 2*tr(C'*X)",
                                  {{.name = "X", .rows = 30, .cols = 30, .is_free = true},
                                   {.name = "A", .rows = 30, .cols = 30, .properties = TG_SYMMETRIC},
                                   {.name = "B", .rows = 30, .cols = 30, .properties = TG_SYMMETRIC},
                                   {.name = "C", .rows = 30, .cols = 30}}};

static int iteration_products(const lowered *p)
{
  tg_program_id programs[3];
  const int n = tg_plan_iteration_programs(p->plan, programs);
  int sum = 0;
  for (int k = 0; k < n; k++) sum += products(p, programs[k]);
  return sum;
}

// An exact line search with its step and the next gradient: two products, the cost of one Hessian action.
static void exact_line_search_costs_one_hessian_action(void **state)
{
  (void)state;
  lowered p;
  load(&two_sided, &every_pass, &p);
  assert_true(p.plan->line_by_hessian && p.plan->has_line);
  assert_false(p.plan->has_state);
  assert_int_equal(iteration_products(&p), 2);
  assert_int_equal(products(&p, TG_PROGRAM_HESSIAN), 2);
  assert_int_equal(products(&p, TG_PROGRAM_GRADIENT_AT_ZERO), 0);
  unload(&p);
  tg_lower_options options = every_pass;
  options.without[TG_PASS_IMAGES] = true;
  load(&two_sided, &options, &p);
  assert_false(p.plan->has_state || p.plan->line_by_hessian);
  assert_int_equal(iteration_products(&p), 4);
  unload(&p);
}

// A quadratic without a Hessian program, and polynomials of higher degrees: images of the point and the direction.
static void images_move_along_the_line(void **state)
{
  (void)state;
  static const example quartic = {"sumsq(X'*A*X)",
                                  {{.name = "X", .rows = 300, .cols = 30, .is_free = true},
                                   {.name = "A", .rows = 300, .cols = 300, .properties = TG_SYMMETRIC}}};
  lowered p;
  tg_lower_options options = every_pass;
  options.want_hessian = false;
  load(&two_sided, &options, &p);
  assert_true(p.plan->has_state && p.plan->has_line && !p.plan->line_by_hessian);
  assert_int_equal(iteration_products(&p), 2);
  assert_int_equal(products(&p, TG_PROGRAM_VALUE), 0);
  unload(&p);
  load(&quartic, &every_pass, &p);
  assert_true(p.plan->has_state && p.plan->has_line && !p.plan->line_by_hessian);
  // A*D is the one product with the large matrix; X'*A*D, D'*A*D and A*X*(X'*A*X) are thin, and X'*A*X is an image.
  const double large = 2.0 * 300 * 300 * 30;
  assert_int_equal(iteration_products(&p), 4);
  assert_int_equal(products(&p, TG_PROGRAM_VALUE), 0);
  assert_true(product_flops(&p, TG_PROGRAM_DIRECTION) + product_flops(&p, TG_PROGRAM_GRADIENT) <= 1.31 * large);
  unload(&p);
}

// No line, no state: the images could not be moved.
static void no_images_without_a_line(void **state)
{
  (void)state;
  static const example e = {
      "sum(exp(A*X))", {{.name = "X", .rows = 30, .cols = 3, .is_free = true}, {.name = "A", .rows = 30, .cols = 30}}};
  lowered p;
  load(&e, &every_pass, &p);
  assert_false(p.plan->has_state || p.plan->has_line);
  assert_int_equal(p.plan->degree, -1);
  unload(&p);
}

static void degree_bounds_the_line(void **state)
{
  (void)state;
  static const example eight = {"x^8", {{.name = "x", .rows = 1, .cols = 1, .is_free = true}}};
  static const example nine = {"x^9", {{.name = "x", .rows = 1, .cols = 1, .is_free = true}}};
  static const example zero = {
      "tr(A) + sum(x) - sum(x)",
      {{.name = "x", .rows = 2, .cols = 1, .is_free = true}, {.name = "A", .rows = 3, .cols = 3}}};
  lowered p;
  load(&eight, &every_pass, &p);
  assert_true(p.plan->has_line);
  unload(&p);
  load(&nine, &every_pass, &p);
  assert_false(p.plan->has_line);
  assert_int_equal(p.plan->degree, 9);
  unload(&p);
  load(&zero, &every_pass, &p);
  assert_false(p.plan->has_line);
  assert_int_equal(p.plan->degree, 0);
  unload(&p);
}

// ---- Kronecker products, transposed constants ----

// kron(A, B)*v as two products: the 900 x 900 matrix is never made.
static void kronecker_products_are_not_formed(void **state)
{
  (void)state;
  static const example e = {"vec(X)'*kron(B, A)*vec(X) + sumsq(kron(A, Z)*k)",
                            {{.name = "X", .rows = 30, .cols = 30, .is_free = true},
                             {.name = "Z", .rows = 30, .cols = 30, .is_free = true},
                             {.name = "A", .rows = 30, .cols = 30},
                             {.name = "B", .rows = 30, .cols = 30},
                             {.name = "k", .rows = 900, .cols = 1}}};
  lowered p;
  load(&e, &every_pass, &p);
  for (int32_t b = 0; b < p.plan->n_buffers; b++) assert_true(p.plan->buffers[b].cols <= 30);
  unload(&p);
}

static bool reads_constant_transposed(const tg_plan *plan, const tg_instr *instr)
{
  for (int s = 0; s < 2 && instr->op == TG_OP_GEMM; s++) {
    const tg_buffer_kind kind = plan->buffers[instr->in[s]].kind;
    if (instr->trans[s] && (kind == TG_BUFFER_DATA || kind == TG_BUFFER_CONSTANT)) return true;
  }
  return false;
}

static int transposed_reads(const example *e, tg_lower_options options, int *transposes)
{
  lowered p;
  int sum = 0;
  options.without[TG_PASS_IMAGES] = true;
  load(e, &options, &p);
  const tg_program *gradient = &p.plan->programs[TG_PROGRAM_GRADIENT];
  for (int32_t k = 0; k < gradient->n_instrs; k++) sum += reads_constant_transposed(p.plan, &gradient->instrs[k]);
  *transposes = count(&p, TG_PROGRAM_SETUP, TG_OP_TRANSPOSE);
  unload(&p);
  return sum;
}

// The kernels are fastest on plain operands: where products are large, setup turns the constants they read.
static void large_constants_are_transposed_once(void **state)
{
  (void)state;
  static const example large = {"tr(A*B*A'*C)",
                                {{.name = "A", .rows = 700, .cols = 600, .is_free = true},
                                 {.name = "B", .rows = 600, .cols = 600},
                                 {.name = "C", .rows = 700, .cols = 700}}};
  tg_lower_options options = every_pass;
  int transposes = 0;
  assert_int_equal(transposed_reads(&large, options, &transposes), 0);
  assert_int_equal(transposes, 2);
  assert_true(transposed_reads(&trace_general, options, &transposes) > 0); // small: not worth the memory
  assert_int_equal(transposes, 0);
  options.without[TG_PASS_HOISTING] = true;
  assert_true(transposed_reads(&large, options, &transposes) > 0);
}

// ---- names, options, refusals ----

static void passes_have_names(void **state)
{
  (void)state;
  for (int k = 0; k < TG_PASS_COUNT; k++) assert_int_equal(tg_pass_find(tg_pass_label((tg_pass)k)), k);
  assert_int_equal(tg_pass_find("nothing"), -1);
}

static void written_cost_of_the_trace(void **state)
{
  (void)state;
  lowered p;
  tg_written_cost written = {0};
  load(&trace_general, &every_pass, &p);
  assert_int_equal(tg_lower_written_cost(p.graph, p.f, p.n, p.wrt, &written), TG_OK);
  assert_int_equal(written.products, 7);
  assert_true(fabs(written.flops - 7 * 2.0 * 30 * 30 * 30) < 100); // seven products and a trace
  unload(&p);
}

// sumsq(F), however it is spelt, needs F, not F'*F; and dot(F, G) not F'*G.
static void written_cost_of_inner_products(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    int64_t products;
    double flops; // of the products
  } cases[] = {{"sumsq(X)", 0, 0},
               {"norm2(X)^2", 0, 0},
               {"dot(X, X)", 0, 0},
               {"tr(X*X')", 0, 0},
               {"sum(X.^2)", 0, 0},
               {"sumsq(A*X)", 2, 2.0 * 50 * 30 * 20},
               {"sumsq(A*X - B)", 2, 2.0 * 50 * 30 * 20},
               {"sumsq(X'*A')", 2, 2.0 * 50 * 30 * 20},
               {"sumsq(S*X)", 2, 2.0 * 30 * 30 * 20},
               {"sumsq(S)*sum(X)", 0, 0},
               {"tr(X'*S*X)", 5, 0},
               {"dot(X, Y)", 0, 0},
               {"dot(X, X.*Y) - tr(Y'*X)", 0, 0},
               {"dot(X, A'*B + Y)", 1, 2.0 * 50 * 30 * 20},
               {"dot(A*X - B, B)", 2, 2.0 * 50 * 30 * 20},
               {"sumsq(A*X) - 2*dot(X, Y)", 2, 2.0 * 50 * 30 * 20}};
  for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
    const example e = {cases[k].text,
                       {{.name = "X", .rows = 30, .cols = 20, .is_free = true},
                        {.name = "Y", .rows = 30, .cols = 20},
                        {.name = "A", .rows = 50, .cols = 30},
                        {.name = "B", .rows = 50, .cols = 20},
                        {.name = "S", .rows = 30, .cols = 30, .properties = TG_SYMMETRIC}}};
    lowered p;
    tg_written_cost written = {0};
    load(&e, &every_pass, &p);
    assert_int_equal(tg_lower_written_cost(p.graph, p.f, p.n, p.wrt, &written), TG_OK);
    if (written.products != cases[k].products) fail_msg("%s: %d products", e.text, (int)written.products);
    const double rest = written.flops - (double)written.products * cases[k].flops;
    if (cases[k].products <= 2 && !(rest >= 0 && rest < 8000)) fail_msg("%s: %g flops", e.text, written.flops);
    unload(&p);
  }
}

// A user's own D_X keeps its meaning; a second lowering of the same graph uses the same directions.
static void direction_names_do_not_clash(void **state)
{
  (void)state;
  static const example e = {
      "tr(D_X'*X)^2", {{.name = "X", .rows = 3, .cols = 2, .is_free = true}, {.name = "D_X", .rows = 3, .cols = 2}}};
  lowered p;
  load(&e, &every_pass, &p);
  assert_int_equal(p.plan->n_data, 1);
  assert_string_equal(p.plan->data[0].name, "D_X");
  assert_true(tg_symbol_find(p.graph, "D_X_") >= 0);
  const int32_t before = tg_symbol_count(p.graph);
  tg_plan *again = NULL;
  assert_int_equal(tg_lower(p.graph, p.f, p.n, p.wrt, &every_pass, &again), TG_OK);
  assert_int_equal(tg_symbol_count(p.graph), before);
  assert_true(tg_plan_hash(again) == tg_plan_hash(p.plan));
  tg_plan_destroy(&again);
  unload(&p);
}

static void refusals_say_why(void **state)
{
  (void)state;
  lowered p;
  static const example symbolic = {"sumsq(X)", {{.name = "X", .rows_name = "m", .cols = 3, .is_free = true}}};
  assert_int_equal(lower(&symbolic, &every_pass, &p), TG_SHAPE);
  assert_non_null(strstr(tg_error_get()->message, "sizes that are numbers"));
  assert_null(p.plan);
  unload(&p);
  static const example nothing_free = {"sumsq(X)", {{.name = "X", .rows = 3, .cols = 3}}};
  assert_int_equal(lower(&nothing_free, &every_pass, &p), TG_VALUE);
  assert_non_null(strstr(tg_error_get()->message, "at least one variable"));
  unload(&p);
}

static void not_a_scalar_is_refused(void **state)
{
  (void)state;
  lowered p;
  tg_node x = TG_NONE;
  load(&trace_quadratic, &every_pass, &p);
  tg_plan *plan = NULL;
  assert_int_equal(tg_make_sym(p.graph, p.wrt[0], &x), TG_OK);
  assert_int_equal(tg_lower(p.graph, x, p.n, p.wrt, &every_pass, &plan), TG_SHAPE);
  assert_non_null(strstr(tg_error_get()->message, "1 x 1"));
  unload(&p);
}

// Every allocation that fails is reported, and nothing leaks (under the sanitizers).
static void survives_failing_allocations(void **state)
{
  (void)state;
  int64_t failures = 0;
  for (int64_t after = 1; after < 100000; after += after < 200 ? 7 : 977) {
    lowered p;
    load(&two_sided, &every_pass, &p);
    tg_plan_destroy(&p.plan);
    tg_alloc_fail_after(after);
    const tg_status status = tg_lower(p.graph, p.f, p.n, p.wrt, &every_pass, &p.plan);
    tg_alloc_fail_after(0);
    failures += status == TG_MEMORY;
    assert_true(status == TG_OK || status == TG_MEMORY);
    unload(&p);
    if (status == TG_OK) break;
  }
  assert_true(failures > 10);
}

// The runs of a chain are made once, however often the chain and parts of it are planned, and are what tg_make_prod
// makes of their factors.
static void runs_are_made_once(void **state)
{
  (void)state;
  enum { LENGTH = 40, TIMES = 5 };
  static const example e = {"sumsq(A*X*B)",
                            {{.name = "A", .rows = 5, .cols = 5},
                             {.name = "X", .rows = 5, .cols = 5, .is_free = true},
                             {.name = "B", .rows = 5, .cols = 5}}};
  lowered p;
  tg_node chain[LENGTH];
  tg_low_chain planned;
  int64_t asked = 0;
  int64_t made = 0;
  load(&e, &every_pass, &p);
  tg_lowering l = {.graph = p.graph, .options = &every_pass, .iterations = 100, .n = 1, .wrt = p.wrt, .along = p.wrt};
  tg_arena_init(&l.arena);
  assert_int_equal(tg_low_runs_create(&l.runs), TG_OK);
  for (int k = 0; k < LENGTH; k++) // A X B A X B ...
    assert_int_equal(tg_make_sym(p.graph,
                                 tg_symbol_find(p.graph, k % 3 == 0   ? "A"
                                                         : k % 3 == 1 ? "X"
                                                                      : "B"),
                                 &chain[k]),
                     TG_OK);
  for (int k = 0; k < TIMES; k++) {
    const int32_t n = LENGTH - 3 * k;
    assert_int_equal(tg_low_chain_plan(&l, n, chain, n, &planned), TG_OK);
    for (int32_t i = 0; i < n; i++)
      for (int32_t j = i + 1; j < n; j++) {
        tg_node product = TG_NONE;
        assert_int_equal(tg_make_prod(p.graph, j - i + 1, &chain[i], &product), TG_OK);
        assert_int_equal(planned.nodes[i * n + j], product);
      }
  }
  tg_low_runs_count(l.runs, &asked, &made);
  assert_int_equal(made, 3 * (LENGTH - 3) + 2 + 1); // three beginnings of each length up to 38, two of 39, one of 40
  assert_true(asked > 20 * made);
  tg_low_runs_destroy(&l.runs);
  tg_free(l.constant.items);
  for (int k = 0; k < TG_PROGRAM_COUNT; k++) tg_free(l.memo[k].items);
  tg_free(l.wanted.items);
  tg_arena_fini(&l.arena);
  unload(&p);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(runs_are_made_once),
      cmocka_unit_test(trace_costs_four_products),
      cmocka_unit_test(symmetry_halves_it),
      cmocka_unit_test(quadratic_trace_costs_one_product),
      cmocka_unit_test(common_factors_are_taken_out),
      cmocka_unit_test(large_powers_take_few_products),
      cmocka_unit_test(least_squares_takes_the_cheaper_form),
      cmocka_unit_test(chain_is_multiplied_from_the_cheap_end),
      cmocka_unit_test(repeated_segment_of_a_tall_matrix),
      cmocka_unit_test(gram_of_a_product_shares_it),
      cmocka_unit_test(powers_by_squaring),
      cmocka_unit_test(one_factorisation_serves_all),
      cmocka_unit_test(solves_instead_of_inverses),
      cmocka_unit_test(entrywise_chain_is_one_pass),
      cmocka_unit_test(inner_products_are_summed_in_one_pass),
      cmocka_unit_test(dead_buffers_are_used_again),
      cmocka_unit_test(exact_line_search_costs_one_hessian_action),
      cmocka_unit_test(images_move_along_the_line),
      cmocka_unit_test(no_images_without_a_line),
      cmocka_unit_test(degree_bounds_the_line),
      cmocka_unit_test(kronecker_products_are_not_formed),
      cmocka_unit_test(large_constants_are_transposed_once),
      cmocka_unit_test(passes_have_names),
      cmocka_unit_test(written_cost_of_the_trace),
      cmocka_unit_test(written_cost_of_inner_products),
      cmocka_unit_test(direction_names_do_not_clash),
      cmocka_unit_test(refusals_say_why),
      cmocka_unit_test(not_a_scalar_is_refused),
      cmocka_unit_test(survives_failing_allocations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
