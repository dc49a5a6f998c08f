// The lowering's inside: what its passes share. For this room only.
//
// A matrix value is scale * op(buffer), op the identity or the transpose: neither scaling nor transposing costs
// anything until an operation insists on plain entries. A scalar value is a coefficient, number * register.
// Each program remembers what it has computed, by node; what setup has computed, every program may use.
#ifndef TG_GRAD_LOWER_PARTS_H
#define TG_GRAD_LOWER_PARTS_H

#include "grad/calculus.h"
#include "grad/lower/lower.h"
#include "grad/plan/plan_builder.h"

typedef struct tg_low_value {
  int32_t buffer;
  bool trans;
  tg_coef scale;
} tg_low_value;

// What a program knows of a node. Zero is "nothing".
typedef struct tg_low_memo {
  bool has_value;
  bool has_scalar;
  bool has_plain;
  bool has_factor;
  bool has_spectrum[2]; // eigenvalues, singular values
  tg_low_value value;
  tg_coef scalar;
  int32_t plain; // buffer that holds the node itself
  int32_t factor;
} tg_low_memo;

enum { TG_LOW_IMAGES_MAX = 16, TG_LOW_DROPPED_MAX = 32 };

// A list that grows by doubling.
typedef struct tg_low_list {
  void *items;
  int64_t count;
  int64_t capacity;
} tg_low_list;

typedef struct tg_low_buffer {
  tg_buffer_kind kind;
  int32_t index;
  int64_t rows;
  int64_t cols;
  const char *name;
  int32_t id; // in the plan builder, once replayed; -1 before
} tg_low_buffer;

// An image of the point: a subexpression Y(X), homogeneous of degree 1 or 2 in the variables, kept between programs.
// Y(X + tD) = Y(X) + sum_k t^k Y_k, k = 1..degree.
typedef struct tg_low_image {
  tg_node point;         // A*X; X'*A*X
  int32_t degree;        // 1; 2
  tg_node directions[2]; // Y_1, Y_2: A*D; X'*A*D + D'*A*X, D'*A*D
  int32_t state;         // the buffers of these
  int32_t images[2];
} tg_low_image;

// Ways to write the same objective; the cheapest is kept.
typedef struct tg_low_variant {
  bool expand;   // products of sums multiplied out
  bool factor;   // common factors taken out
  bool images;   // linear images kept as state
  bool squares;  // and products of two of them
  bool discount; // a product that several chains contain is charged to each in part
} tg_low_variant;

typedef struct tg_low_runs tg_low_runs;

typedef struct tg_lowering {
  tg_graph *graph;
  tg_low_runs *runs; // of all attempts
  const tg_lower_options *options;
  tg_low_variant variant;
  double iterations; // over which setup is spread
  tg_arena arena;
  int32_t n;
  const int32_t *wrt;
  int32_t *along; // direction symbols
  int32_t degree;

  tg_low_list buffers;                    // tg_low_buffer
  tg_low_list programs[TG_PROGRAM_COUNT]; // tg_instr
  tg_low_list factors;                    // tg_plan_factor
  tg_low_list inits;                      // tg_register_init
  int32_t n_registers;
  int32_t step_register;
  int32_t value_register;
  int32_t line_registers[TG_LINE_DEGREE_MAX + 1];

  tg_program_id program;              // that is being written
  tg_low_list memo[TG_PROGRAM_COUNT]; // tg_low_memo by node
  tg_low_list constant;               // by node: 0 unknown, 1 depends on point or direction, 2 constant
  tg_low_list uses;                   // int32_t by node: places below this program's roots where its value is needed
  tg_low_list wanted;     // int32_t by node: number of chains below this program's roots that contain the product
  tg_low_list symbols;    // by symbol: buffer + 1
  tg_low_list spectra[2]; // int32_t by node: factor + 1 of its eigenvalues, of its singular values, in all programs
  int32_t n_images;
  tg_low_image *images;
  int32_t n_dropped; // images that are not kept: they did not pay
  const tg_node *dropped;
} tg_lowering;

// ---- lower_ir.c: buffers, registers, instructions ----

tg_status tg_low_push(tg_low_list *list, size_t item_bytes, const void *item);
// Item `at` of a list indexed by node, grown with zeros as needed.
tg_status tg_low_at(tg_low_list *list, size_t item_bytes, int64_t at, void **out);
tg_status tg_low_buffer_add(tg_lowering *l, tg_buffer_kind kind, int32_t index, tg_node like, int32_t *out);
// The buffer of a kind that has an index, -1 where there is none yet.
int32_t tg_low_buffer_find(const tg_lowering *l, tg_buffer_kind kind, int32_t index);
// A buffer for a result of the program being written: CONSTANT in setup, else TEMP.
tg_status tg_low_buffer_new(tg_lowering *l, tg_node like, bool trans, int32_t *out);
const tg_low_buffer *tg_low_buffer_get(const tg_lowering *l, int32_t buffer);
int32_t tg_low_register_new(tg_lowering *l);
tg_status tg_low_register_constant(tg_lowering *l, double value, int32_t *out);
tg_status tg_low_factor_new(tg_lowering *l, tg_factor_use use, tg_node of, int32_t *out);
// Appends a copy to the program being written.
tg_status tg_low_append(tg_lowering *l, const tg_instr *instr);
tg_status tg_low_unary(tg_lowering *l, tg_opcode op, int32_t out, int32_t in);
tg_status tg_low_binary(tg_lowering *l, tg_opcode op, int32_t out, int32_t a, int32_t b);
// Shared storage, dead work removed, everything handed to a builder.
tg_status tg_low_finish(tg_lowering *l, tg_plan **out);
// Gives the program's result the wanted buffer instead of the temporary it was written to; false if it cannot.
bool tg_low_retarget(tg_lowering *l, int32_t from, int32_t to);
// The same for a register that this program writes.
bool tg_low_retarget_register(tg_lowering *l, int32_t from, int32_t to);
// Lets the product that makes a temporary, and that nothing has read yet, apply the value's scale and transpose.
void tg_low_absorb(tg_lowering *l, tg_low_value *value);

// ---- lower_node.c: matrices ----

int64_t tg_low_rows(const tg_lowering *l, tg_node node);
int64_t tg_low_cols(const tg_lowering *l, tg_node node);
bool tg_low_is_constant(tg_lowering *l, tg_node node);
// Setup, if the node belongs there, else the program being written; the caller restores l->program.
tg_program_id tg_low_enter(tg_lowering *l, tg_node node);
// Whether the node's value exists already where the program can read it.
bool tg_low_find(tg_lowering *l, tg_node node, tg_low_value *out);
tg_status tg_low_remember(tg_lowering *l, tg_node node, tg_low_value value);
tg_status tg_low_matrix(tg_lowering *l, tg_node node, tg_low_value *out);
// A buffer with the node's own entries: not scaled, not transposed.
tg_status tg_low_plain(tg_lowering *l, tg_node node, int32_t *out);
// The entries of a value in a buffer of its own or the value's; trans is left as it is, the scale is applied.
tg_status tg_low_unscaled(tg_lowering *l, tg_node node, tg_low_value value, tg_low_value *out);
tg_status tg_low_factor(tg_lowering *l, tg_node node, int32_t *factor, bool *trans);
// The node written to the given buffer.
tg_status tg_low_into(tg_lowering *l, tg_node node, int32_t buffer);

// ---- lower_spectrum.c: functions of matrices ----

// The node with functions of matrices written by eigenvectors: products, which chains and sharing then see.
tg_status tg_low_open_spectra(tg_lowering *l, tg_node node, tg_node *out);
tg_status tg_low_open_singular(tg_graph *g, tg_kind kind, const tg_node *args, tg_node *out);
// Vectors or values: one decomposition of an argument for all that a program asks of it.
tg_status tg_low_spectrum_part(tg_lowering *l, tg_node node, int32_t *buffer);

// ---- lower_lin.c: sums ----

tg_status tg_low_lin(tg_lowering *l, tg_node node, tg_low_value *out);

// ---- lower_runs.c: runs of chains ----

tg_status tg_low_runs_create(tg_low_runs **out);
void tg_low_runs_destroy(tg_low_runs **runs);
// How many products of more than one factor were asked for, and made.
void tg_low_runs_count(const tg_low_runs *runs, int64_t *asked, int64_t *made);
// *out: the product of the factors. `before` is the number of the run without the last one, 0 where n is 1; *number is
// this run's.
tg_status tg_low_run(tg_lowering *l, int32_t before, int32_t n, const tg_node *factors, int32_t *number, tg_node *out);

// ---- lower_chain.c: products of matrices ----

typedef struct tg_low_chain {
  int32_t n;
  tg_node *factors;
  tg_node *nodes; // [i * n + j]: product of factors i..j
  double *cost;   // flops still to be spent on it
  int32_t *split;
} tg_low_chain;

// The matrix factors of a node: a product's chain, powers written out; otherwise the node alone.
tg_status tg_low_factors(tg_lowering *l, tg_node node, int32_t *n, tg_node **out);
// Cheapest association of every run of at most `longest` of factors[0..n).
tg_status tg_low_chain_plan(tg_lowering *l, int32_t n, const tg_node *factors, int32_t longest, tg_low_chain *out);
// The value of factors i..j; a new product is computed transposed if asked to.
tg_status tg_low_chain_emit(tg_lowering *l, const tg_low_chain *chain, int32_t i, int32_t j, bool trans,
                            tg_low_value *out);
// out := alpha * (factors 0..n-1) + beta * out, out read transposed if `trans`; false in *done when the last
// step is no plain product and the caller must take the value instead.
tg_status tg_low_chain_accumulate(tg_lowering *l, const tg_low_chain *chain, tg_coef alpha, bool trans, double beta,
                                  int32_t out, bool *done);
// Whether the node, when it is computed, can as well be computed transposed.
bool tg_low_has_free_layout(const tg_lowering *l, tg_node node);
// Whether the node is the inverse of a matrix (or its transpose) that is used by solving.
bool tg_low_is_inverse(const tg_lowering *l, tg_node node, tg_node *of, bool *trans);

// ---- lower_scalar.c: 1 x 1 values ----

tg_status tg_low_scalar(tg_lowering *l, tg_node node, tg_coef *out);
tg_status tg_low_coef_mul(tg_lowering *l, tg_coef a, tg_coef b, tg_coef *out);
// A register with the coefficient's value.
tg_status tg_low_coef_register(tg_lowering *l, tg_coef coef, int32_t *out);
// Steps that multiply the top of the stack by the coefficient, at most 5; returns their number.
int32_t tg_low_code_scale(tg_code *code, tg_coef coef);
// The product of a node's scalar factors.
tg_status tg_low_scalars(tg_lowering *l, tg_node product, tg_coef *out);

// ---- lower_trace.c: sums over entries ----

// An inner product that a sum of scalars has not computed yet: coef * <buffers[0], buffers[1]>.
typedef struct tg_low_pair {
  int32_t buffers[2];
  tg_coef coef;
} tg_low_pair;

// With a list of pairs, a trace or product that ends in an inner product may leave it there; out is the rest.
tg_status tg_low_trace(tg_lowering *l, tg_node argument, tg_low_list *pairs, tg_coef *out);
tg_status tg_low_sum(tg_lowering *l, tg_node argument, tg_coef *out);
// A 1 x 1 product of matrices.
tg_status tg_low_inner(tg_lowering *l, tg_node product, tg_low_list *pairs, tg_coef *out);
// Computes the pairs, those around one buffer in one pass, and appends the values (tg_coef) to `terms`.
tg_status tg_low_sum_pairs(tg_lowering *l, tg_low_list *pairs, tg_low_list *terms);

// ---- lower_entry.c: entry by entry ----

bool tg_low_is_entrywise(const tg_lowering *l, tg_node node);
tg_status tg_low_entrywise(tg_lowering *l, tg_node node, tg_low_value *out);
// Sum over the entries of an entrywise node, without storing them.
tg_status tg_low_entry_sum(tg_lowering *l, tg_node node, tg_coef *out);
// <a, b> without storing what of a and b only this product needs; *done is false where that saves nothing.
tg_status tg_low_entry_inner(tg_lowering *l, tg_node a, tg_node b, bool *done, tg_coef *out);
tg_code_op tg_low_code_of(tg_kind kind);

// ---- lower_uses.c: uses of each node ----

// Counts the uses of all that is below the roots, on top of what is counted already; forget begins again.
void tg_low_uses_forget(tg_lowering *l);
tg_status tg_low_uses_count(tg_lowering *l, int32_t n, const tg_node *nodes);
// Places below the program's roots where the node's value is needed.
int32_t tg_low_uses(const tg_lowering *l, tg_node node);
// Chains below the program's roots that contain the product.
int32_t tg_low_sharers(const tg_lowering *l, tg_node node);

// ---- lower_rewrite.c: equal objectives ----

tg_status tg_low_symmetrise(tg_lowering *l, tg_node f, tg_node *out);
tg_status tg_low_unstack(tg_lowering *l, tg_node f, tg_node *out);
tg_status tg_low_expand(tg_lowering *l, tg_node f, tg_node *out);

// ---- lower_images.c: images of the point ----

tg_status tg_low_images_find(tg_lowering *l, tg_node f, const tg_node *gradient, const tg_node *directions);
// The states as values that the program being written may read.
tg_status tg_low_images_recall(tg_lowering *l);
tg_status tg_low_images_refresh(tg_lowering *l);
tg_status tg_low_images_direction(tg_lowering *l);
tg_status tg_low_images_advance(tg_lowering *l);
// An image that no program reads, -1 when all are read.
int32_t tg_low_images_idle(const tg_lowering *l);

// ---- lower_roots.c ----

// Whether the objective is a quadratic whose line and next gradient come from H[D] = G(X + D) - G(X): the products of
// one gradient, as with images, but nothing to carry beside the gradient, whose error then shrinks with it.
bool tg_low_line_by_hessian(const tg_lowering *l);
// Writes all programs of f; with tg_low_finish they become a plan.
tg_status tg_low_build(tg_lowering *l, tg_node f);

#endif
