// One constant descriptor per node kind: how it is differentiated, rebuilt and evaluated on a sample.
//
// An operator lives in one file, op_NAME.c: its constructor with the rewrites that bring it to normal
// form, its differential, its adjoint, its Jacobian and its value. ops.def lists them all.
#ifndef TG_GRAD_OP_H
#define TG_GRAD_OP_H

#include "grad/graph/graph.h"

// A small dense matrix, column-major, for samples.
typedef struct tg_value {
  int64_t rows;
  int64_t cols;
  double *data;
} tg_value;

typedef struct tg_op {
  const char *name;
  // The node rebuilt over new arguments of the same shapes.
  tg_status (*remake)(tg_graph *g, tg_node node, const tg_node *args, tg_node *out);
  // Differential of the node, given the differential of each argument; TG_NONE where an argument is constant.
  tg_status (*forward)(tg_graph *g, tg_node node, const tg_node *dargs, tg_node *out);
  // Adjoint that argument k receives: <adjoint, d node> = <out, d arg_k> with the other arguments fixed.
  tg_status (*reverse)(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out);
  // d vec(node) / d vec(arg_k)', column-major.
  tg_status (*jacobian)(tg_graph *g, tg_node node, int32_t k, tg_node *out);
  // out->data, zeroed and of the node's shape, receives the value.
  tg_status (*sample)(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out);
  // Degree as a polynomial, given each argument's degree (-1: not a polynomial); all zero never asks.
  int (*degree)(const tg_graph *g, tg_node node, const int *args);
  // How the formats write it, by tg_format: '@' is the first argument, '$' the second, '#' the third, '%' the fourth.
  // NULL: the printer has a rule.
  const char *templates[TG_FORMAT_COUNT];
  bool has_kinks;   // somewhere in its domain it has no derivative
  const char *rule; // of --steps, for operators that are linear in their arguments or have a linear differential
} tg_op;

const tg_op *tg_op_get(tg_kind kind);
#define TG_LATEX_FUNCTION(name) "\\operatorname{" name "}\\left(@\\right)"
// "tr", "exp": for messages and reports. Whether the kind has points without a derivative.
const char *tg_kind_name(tg_kind kind);
bool tg_kind_has_kinks(tg_kind kind);

// ---- for the op files only ----

// Node under construction; tg_intern fills hash and symbols and returns the one node of this content.
tg_status tg_intern(tg_graph *g, const tg_info *draft, tg_node *out);
// Scratch that lives as long as the graph.
tg_status tg_scratch(tg_graph *g, int64_t count, size_t item_bytes, void **out);
#define TG_SCRATCH(g, count, pointer) tg_scratch((g), (count), sizeof **(pointer), (void **)(pointer))
// A total order of nodes by structure: names, transposes after what they transpose, shorter products first.
int tg_node_compare(const tg_graph *g, tg_node a, tg_node b);
// Whether a is a better way than b to write one value, such as X and X' under a trace: the one with fewer transposes,
// then the smaller.
bool tg_node_reads_better(const tg_graph *g, tg_node a, tg_node b);
// For operators that do not tell X from X': *out is the one that reads better, free of content, and a = *sign * *out or
// a' = *sign * *out with *sign = 1 or -1. *skew: a' = -a, where *out is a. a has no content itself.
tg_status tg_choose_transpose(tg_graph *g, tg_node a, double *sign, bool *skew, tg_node *out);
// Whether a sum is all that a product of two takes of its terms, and is zero: ones'*(x - mean(x)*ones).
tg_status tg_chain_sums_to_zero(tg_graph *g, int32_t n, const tg_node *chain, bool *zero);
// (A B C)' = sign * C' B' A' factor by factor, each free of content: *sign is 1 or -1.
tg_status tg_transpose_chain(tg_graph *g, int32_t n, const tg_node *chain, double *sign, tg_node *out);
// Interned one-argument node.
// What tg_make_trans found for a node, for the next time: graphs that share much are walked once, not once a path.
void tg_remember_trans(tg_graph *g, tg_node node, tg_node transposed);
tg_status tg_intern_unary(tg_graph *g, tg_kind kind, tg_dim rows, tg_dim cols, tg_node a, tg_node *out);
// Zero of a shape: NUM 0 or ZEROS.
tg_status tg_make_zero_like(tg_graph *g, tg_node like, tg_node *out);
tg_status tg_make_zero(tg_graph *g, tg_dim rows, tg_dim cols, tg_node *out);
// out[k]: zero in the shape of symbols[k].
tg_status tg_make_zero_symbols(tg_graph *g, int32_t n, const int32_t *symbols, tg_node *out);
// Identity matrix, or 1 for a size of 1.
tg_status tg_make_identity(tg_graph *g, tg_dim n, tg_node *out);

// a * b and a + b of numbers in an expression: of decimals the decimal, 0.1*0.2 is 0.02.
double tg_coef_product(double a, double b);
double tg_coef_sum(double a, double b);
double tg_coef_power(double base, double exponent); // base != 0 or exponent >= 0; NaN where it is no real number

// node = coef * scalars * rest: what a linear operator may take out of its argument. rest has the shape of node;
// scalars is TG_NONE when there are none. For a scalar node everything stays in rest but the coefficient.
typedef struct tg_split {
  double coef;
  tg_node scalars;
  tg_node rest;
} tg_split;
tg_status tg_split_scalars(tg_graph *g, tg_node node, tg_split *out);
// coef * scalars * node.
tg_status tg_join_scalars(tg_graph *g, const tg_split *split, tg_node node, tg_node *out);
// For an operator linear in its one argument: applies `make` to each term of a sum, scalars taken out.
typedef tg_status tg_make_one(tg_graph *g, tg_node a, tg_node *out);
tg_status tg_map_linear(tg_graph *g, tg_node a, tg_make_one *make, tg_node *out, bool *done);
// A sum divided by the number that leaves it with coprime whole or unit coefficients, most of them positive; the same
// number for a sum and its transpose.
tg_status tg_take_content(tg_graph *g, tg_node node, double *content, tg_node *out);
// base and number with node = base^exponent entry by entry; exponent 1 when it is no such power.
tg_node tg_pow_base(const tg_graph *g, tg_node node, double *exponent);
// sum over i + j = exponent - 1 of x^i middle x^j, exponent >= 1: the derivative of x^exponent along middle.
tg_status tg_power_sum_between(tg_graph *g, tg_node x, int64_t exponent, tg_node middle, tg_node *out);
// Whether the factor puts what it meets among zeros: P' before it (rows), P behind it, P rows of an identity.
bool tg_node_is_padding(const tg_graph *g, tg_node node, bool rows);
// node = base^exponent with a square base: of X, inv(X), X^3 and X^k; otherwise the exponent is 1.
tg_status tg_power_read(tg_graph *g, tg_node node, tg_node *base, tg_node *exponent);
// Longest product as which a power of a product is kept; as many factors as one plan associates.
enum { TG_WRITTEN_OUT_MAX = 64 };
// The largest k for which a square chain of two factors or more is the k-th power of one; 1 when it is none.
int64_t tg_chain_power(const tg_info *chain);
// inv(A*B) as inv(B)*inv(A) for the square parts of a chain: for a differential, where what is beside it may cancel.
tg_status tg_make_inv_by_parts(tg_graph *g, tg_node a, tg_node *out);
// The entrywise factors with two of them merged by a rule on sign, abs and relu of one argument, if one applies: the
// list is no longer in order then, and `coef` is to be multiplied.
tg_status tg_merge_kinks(tg_graph *g, int32_t *n, tg_node *factors, double *coef, bool *changed);
// The sum over one denominator, where that leaves fewer terms; else the node itself.
tg_status tg_join_denominators(tg_graph *g, tg_node node, tg_node *out);
// The sum with sigmoid(-z) written as 1 - sigmoid(z), where that makes it shorter; else the node itself.
tg_status tg_join_logistic(tg_graph *g, tg_node node, tg_node *out);
// Common degree rules.
int tg_degree_linear(const tg_graph *g, tg_node node, const int *args);  // the largest argument's
int tg_degree_product(const tg_graph *g, tg_node node, const int *args); // the sum of the arguments'
int tg_degree_none(const tg_graph *g, tg_node node, const int *args);    // never a polynomial

// Constructors of single kinds, behind tg_make_unary.
tg_make_one tg_make_inv, tg_make_det, tg_make_logdet, tg_make_tr, tg_make_sum, tg_make_diag, tg_make_diagvec,
    tg_make_vec;
tg_status tg_make_function(tg_graph *g, tg_kind kind, tg_node a, tg_node *out);
// Constants with entries 0 and 1, zeros among them: equal to their powers entry by entry.
bool tg_kind_is_zero_or_one(tg_kind kind);
// Whether all entries of the matrix are this number: zeros, ones, 2*ones.
bool tg_node_is_filled(const tg_graph *g, tg_node a, double *entry);
// log(a) where that has a name of its own, as log(sum(exp(X))), or is nothing to compute, as log(exp(X)); else TG_NONE.
tg_status tg_match_logarithm(tg_graph *g, tg_node a, tg_node *out);

// Solves or inverts a small sample matrix by Gaussian elimination with partial pivoting: x (n x cols) := a^-1 x;
// a is overwritten; *det receives the determinant. Local to samples.
void tg_sample_eliminate(int64_t n, double *a, int64_t cols, double *x, double *det);

#endif
