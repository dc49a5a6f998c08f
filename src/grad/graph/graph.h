// The expression graph: hash-consed nodes in normal form, built by the constructors below.
//
// Equal expressions are the same node: the constructors bring their result to a normal form (see
// docs/calculus.md), so that like terms meet, transposes stand at the leaves and `a == b` compares meaning
// as far as the rules go. Node ids are indices: a node's arguments have smaller ids than the node.
#ifndef TG_GRAD_GRAPH_H
#define TG_GRAD_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/text.h"
#include "grad/divided.h"
#include "grad/size_form.h"

typedef uint32_t tg_node; // index into the graph; TG_NONE is no node
enum { TG_NONE = 0 };

// A size: a number, or a sum of products of a number and named sizes (2*m*n, n+p, n-1). Interned: equal sizes, equal
// ids. A position, as the first of the rows that are picked, is one too.
typedef int32_t tg_dim;

// Largest exponent of a matrix power (docs/language.md).
enum { TG_EXPONENT_MAX = 100 };

// Declared or proved properties of a symbol.
typedef enum tg_property {
  TG_SYMMETRIC = 1u << 0,
  TG_SPD = 1u << 1, // symmetric positive definite
  TG_DIAGONAL = 1u << 2,
  TG_ORTHOGONAL = 1u << 3,
  TG_PSD = 1u << 4,      // symmetric positive semidefinite: told to the rules of curvature
  TG_POSITIVE = 1u << 5, // every entry is positive: likewise
  TG_SQUARE = 1u << 6,   // of the shape alone
} tg_property;

// Node kinds. Arguments in brackets.
typedef enum tg_kind {
  // leaves
  TG_NUM,   // scalar number `value`
  TG_SYM,   // symbol `symbol`: data, variable, direction; 1 x 1 symbols are scalars
  TG_EYE,   // n x n identity
  TG_ONES,  // m x n ones, not 1 x 1
  TG_ZEROS, // m x n zeros, not 1 x 1
  TG_COMM,  // commutation matrix K(m,n), (mn x mn): K vec(X) = vec(X') for X m x n; dims in `dims`
  // sums and products
  TG_LIN,   // sum_k coefs[k] * args[k], sorted, no repeated argument, no zero coefficient
  TG_PROD,  // scalar factors args[0 .. n_scalars-1], sorted, then the matrix chain args[n_scalars ..] in order
  TG_HAD,   // entrywise product of matrices of equal shape, sorted
  TG_POW,   // args[0] ^ args[1] entry by entry (either may be scalar, not both unless 1 x 1 result)
  TG_MPOW,  // matrix power args[0]^exponent, exponent >= 2, args[0] square, not 1 x 1
  TG_TRANS, // transpose of a leaf or of an atom that does not transpose further inside
  // nonlinear matrix operators
  TG_INV, // inverse of a square matrix, not 1 x 1
  TG_DET,
  TG_LOGDET,
  TG_TR,      // trace
  TG_SUM,     // sum of all entries
  TG_DIAG,    // column vector n x 1 -> diagonal matrix n x n
  TG_DIAGVEC, // square matrix -> column vector of its diagonal
  TG_KRON,
  TG_VEC,       // column-major stacking, mn x 1
  TG_UNVEC,     // its inverse: mn x 1 -> rows x cols of the node
  TG_KRONL,     // (G, B): (i,j) -> <block (i,j) of G, B>, the adjoint of A -> kron(A, B)
  TG_KRONR,     // (G, A): sum_ij A(i,j) block (i,j) of G, the adjoint of B -> kron(A, B)
  TG_MAX,       // the larger of two entries, of equal shapes, sorted
  TG_MIN,       // the smaller
  TG_LOGSUMEXP, // log sum exp of all entries (1 x 1), of the rows (m x 1) or of the columns (1 x n)
  TG_VAR,       // mean of the squared distances of all entries from their mean, 1 x 1
  TG_TRIU,      // m x n leaf: ones on and above the diagonal, zeros below; no row
  TG_TRIL,      // its transpose
  TG_PICK,      // p x n leaf: p rows of eye(n) from row dims[0] on, so that PICK*X are these rows of X
  // entrywise functions (of scalars too): the rows of entrywise.def
  TG_ENTRY_FIRST,
  TG_ENTRY_BEFORE = TG_ENTRY_FIRST - 1, // so that the first row is TG_ENTRY_FIRST
#define TG_ENTRYWISE(KIND, ...) TG_##KIND,
#include "grad/entrywise.def"
  TG_ENTRY_END,
  // functions of symmetric matrices by their eigenvectors, their derivatives along one direction and along two
  TG_SQRTM = TG_ENTRY_END,
  TG_EXPM,
  TG_LOGM,
  TG_DSQRTM,
  TG_DEXPM,
  TG_DLOGM,
  TG_D2SQRTM,
  TG_D2EXPM,
  TG_D2LOGM,
  // norms by singular values, their subgradients, the derivatives of these along a direction: in pairs
  TG_NUCLEAR,  // sum of the singular values
  TG_SPECTRAL, // the largest
  TG_POLAR,    // U V'
  TG_DYAD,     // u v' of the largest
  TG_DPOLAR,
  TG_DDYAD,
  // powers of a matrix whose exponent is not known yet: X^k, its derivatives along one direction and along two
  TG_MPOWER,   // (X, k)
  TG_DMPOWER,  // (X, k, V)
  TG_D2MPOWER, // (X, k, V, W)
  // what functions of matrices are made of, without derivatives
  TG_EIGVECTORS,     // n x n, orthogonal: of the symmetric argument
  TG_EIGVALUES,      // n x 1, ascending; `exponent` says where they may lie (tg_domain)
  TG_LEFTVECTORS,    // m x k, k = min(m, n): of the singular values; made by lowering only
  TG_RIGHTVECTORS,   // k x n, V'; made by lowering only
  TG_SINGULARVALUES, // k x 1, descending; made by lowering only
  TG_DIVIDED,        // (A, B): a divided difference of each pair of entries, `exponent` is the tg_divided
  TG_KIND_COUNT
} tg_kind; // sqrt(X) is POW(X, 1/2); X ./ Y is HAD(X, POW(Y, -1)); norm2(X) is POW(TR(PROD(X', X)), 1/2)

// What a node is printed in (calculus.h).
typedef enum tg_format {
  TG_FORMAT_EXPR,
  TG_FORMAT_UNICODE,
  TG_FORMAT_LATEX,
  TG_FORMAT_NUMPY,
  TG_FORMAT_OCTAVE,
  TG_FORMAT_COUNT
} tg_format;

typedef struct tg_symbol {
  const char *name;
  tg_dim rows;
  tg_dim cols;
  unsigned properties; // of tg_property; used by the constructors only while `free` is false
  bool free;           // differentiated by, or otherwise an argument: its properties are not used
  int32_t twin; // the constant that a free symbol is held as (tg_symbol_hold), and that one's free symbol; -1: none
} tg_symbol;

typedef struct tg_info {
  tg_kind kind;
  tg_dim rows;
  tg_dim cols;
  int32_t n_args;
  int32_t n_scalars; // PROD
  const tg_node *args;
  const double *coefs; // LIN
  double value;        // NUM
  int64_t exponent;    // MPOW
  int32_t symbol;      // SYM
  tg_dim dims[2];      // COMM, PICK
  uint64_t hash;       // structural, independent of creation order
  uint32_t n_trans;    // transposes written below the node, saturating
  uint64_t mirror;     // the same for a node and its transpose, and in every graph
  uint64_t symbols;    // bit (s mod 64) for every symbol below: a quick "does not depend on"
  tg_node transposed;  // once it was asked for; TG_NONE: not yet
} tg_info;

typedef struct tg_graph tg_graph;

tg_status tg_graph_create(tg_graph **out);
void tg_graph_destroy(tg_graph **graph);
// At most so many distinct nodes from now on: further ones are TG_LIMIT. There is a limit without this, too.
void tg_graph_limit(tg_graph *graph, uint32_t nodes);

// The node's record; valid until the graph is destroyed.
const tg_info *tg_node_info(const tg_graph *graph, tg_node node);
uint32_t tg_graph_node_count(const tg_graph *graph);
// Whether symbol occurs below node (exact).
bool tg_node_depends_on(const tg_graph *graph, tg_node node, int32_t symbol);
// Marks every node below a marked one; below has top + 1 entries, indexed by node.
void tg_node_mark_below(const tg_graph *graph, tg_node top, uint8_t *below);
// *out[0..node]: node itself and every node below it are marked. To be freed.
tg_status tg_node_find_below(const tg_graph *graph, tg_node node, uint8_t **out);
bool tg_node_is_scalar(const tg_graph *graph, tg_node node);                // 1 x 1
bool tg_node_is_number(const tg_graph *graph, tg_node node, double *value); // a NUM
bool tg_node_is_zero(const tg_graph *graph, tg_node node);                  // NUM 0 or ZEROS
// PICK or its transpose: takes lines out of what it meets, or puts them among zeros.
bool tg_node_is_pick(const tg_graph *graph, tg_node node);
// Proved by the normal form: transpose(node) == node; positive definite by declaration or construction.
tg_status tg_node_is_symmetric(tg_graph *graph, tg_node node, bool *out);
bool tg_node_is_spd(const tg_graph *graph, tg_node node);

// Sizes.
tg_status tg_dim_number(tg_graph *graph, int64_t value, tg_dim *out);
tg_status tg_dim_named(tg_graph *graph, const char *name, tg_dim *out);
tg_status tg_dim_product(tg_graph *graph, tg_dim a, tg_dim b, tg_dim *out);
tg_status tg_dim_quotient(tg_graph *graph, tg_dim whole, tg_dim part, tg_dim *out); // exact, else TG_INTERNAL
// a + factor*b, which need not be positive.
tg_status tg_dim_sum(tg_graph *graph, tg_dim a, int64_t factor, tg_dim b, tg_dim *out);
tg_status tg_dim_offset(tg_graph *graph, tg_dim a, int64_t number, tg_dim *out); // a + number
bool tg_dim_is_one(const tg_graph *graph, tg_dim dim);
// The number, or -1 where the size is symbolic, or no size.
int64_t tg_dim_value(const tg_graph *graph, tg_dim dim);
bool tg_dim_is_number(const tg_graph *graph, tg_dim dim, int64_t *value); // of any sign
// Whether a >= b whatever the named sizes are.
bool tg_dim_is_at_least(const tg_graph *graph, tg_dim a, tg_dim b);
// The size as a polynomial; its variables are numbers of names.
const tg_size_form *tg_dim_form(const tg_graph *graph, tg_dim dim);
const char *tg_dim_name(const tg_graph *graph, int32_t variable);
int32_t tg_dim_name_count(const tg_graph *graph);
void tg_dim_print(const tg_graph *graph, tg_dim dim, tg_text *out);                     // "3", "m", "2*m*n", "n+p"
void tg_dim_print_shape(const tg_graph *graph, tg_dim rows, tg_dim cols, tg_text *out); // "3 x m", "(n+p) x q"

// Symbols.
tg_status tg_symbol_add(tg_graph *graph, const char *name, tg_dim rows, tg_dim cols, unsigned properties, bool is_free,
                        int32_t *out);
// The constant of the same name, shape and properties as which a free symbol is held while another is the variable:
// there its properties are used. tg_symbol_find finds the free one.
tg_status tg_symbol_hold(tg_graph *graph, int32_t symbol, int32_t *out);
const tg_symbol *tg_symbol_info(const tg_graph *graph, int32_t symbol);
int32_t tg_symbol_find(const tg_graph *graph, const char *name); // -1 when unknown
int32_t tg_symbol_count(const tg_graph *graph);

// Constructors. Shapes must agree (the elaborator checked the user's): a mismatch is TG_INTERNAL.
tg_status tg_make_num(tg_graph *g, double value, tg_node *out);
tg_status tg_make_sym(tg_graph *g, int32_t symbol, tg_node *out);
tg_status tg_make_eye(tg_graph *g, tg_dim n, tg_node *out);
tg_status tg_make_ones(tg_graph *g, tg_dim rows, tg_dim cols, tg_node *out);
tg_status tg_make_zeros(tg_graph *g, tg_dim rows, tg_dim cols, tg_node *out);
// The scalar as a matrix, every entry of it.
tg_status tg_make_filled(tg_graph *g, tg_node scalar, tg_dim rows, tg_dim cols, tg_node *out);
tg_status tg_make_comm(tg_graph *g, tg_dim m, tg_dim n, tg_node *out);
tg_status tg_make_lin(tg_graph *g, int32_t n, const double *coefs, const tg_node *terms, tg_node *out);
tg_status tg_make_add(tg_graph *g, tg_node a, tg_node b, tg_node *out);
tg_status tg_make_sub(tg_graph *g, tg_node a, tg_node b, tg_node *out);
tg_status tg_make_scale(tg_graph *g, double factor, tg_node a, tg_node *out);
// Product of any factors in order: scalars anywhere scale, matrices multiply.
tg_status tg_make_prod(tg_graph *g, int32_t n, const tg_node *factors, tg_node *out);
tg_status tg_make_mul(tg_graph *g, tg_node a, tg_node b, tg_node *out);
tg_status tg_make_had(tg_graph *g, int32_t n, const tg_node *factors, tg_node *out); // scalars scale
tg_status tg_make_pow(tg_graph *g, tg_node base, tg_node exponent, tg_node *out);    // entrywise or scalar
tg_status tg_make_pow_number(tg_graph *g, tg_node base, double exponent, tg_node *out);
tg_status tg_make_mpow(tg_graph *g, tg_node base, int64_t exponent, tg_node *out); // any integer
// base^exponent for a scalar exponent that stands for a whole number; its derivative along v, along v and w (w is
// TG_NONE for one direction).
tg_status tg_make_mpower(tg_graph *g, tg_node base, tg_node exponent, tg_node *out);
tg_status tg_make_mpower_along(tg_graph *g, tg_node x, tg_node exponent, tg_node v, tg_node w, tg_node *out);
tg_status tg_make_trans(tg_graph *g, tg_node a, tg_node *out);
// The one-argument operators INV, DET, LOGDET, TR, SUM, DIAG, DIAGVEC, VEC and the entrywise functions.
tg_status tg_make_unary(tg_graph *g, tg_kind kind, tg_node a, tg_node *out);
tg_status tg_make_dot(tg_graph *g, tg_node a, tg_node b, tg_node *out); // tr(a' b)
tg_status tg_make_kron(tg_graph *g, tg_node a, tg_node b, tg_node *out);
tg_status tg_make_unvec(tg_graph *g, tg_node v, tg_dim rows, tg_dim cols, tg_node *out);
tg_status tg_make_mean(tg_graph *g, tg_node a, tg_node *out); // of all entries
tg_status tg_make_var(tg_graph *g, tg_node a, tg_node *out);
// sumsq(a - mean(a)*ones)/N, what var(a) is computed as.
tg_status tg_expand_var(tg_graph *g, tg_node a, tg_node *out);
// The larger (TG_MAX) or the smaller (TG_MIN) of two entries; a scalar stands for every entry.
tg_status tg_make_larger(tg_graph *g, tg_kind kind, tg_node a, tg_node b, tg_node *out);
// log sum exp over each row (rows), each column (columns), or all entries (neither); exp(a - that) of each entry.
tg_status tg_make_logsumexp(tg_graph *g, tg_node a, bool rows, bool columns, tg_node *out);
tg_status tg_make_softmax(tg_graph *g, tg_node a, bool rows, bool columns, tg_node *out);
tg_status tg_make_row_sums(tg_graph *g, tg_node a, tg_node *out);    // m x 1
tg_status tg_make_column_sums(tg_graph *g, tg_node a, tg_node *out); // 1 x n
// The constant that is 1 in one triangle and 0 in the other: TG_TRIU, TG_TRIL.
tg_status tg_make_triangle(tg_graph *g, tg_kind kind, tg_dim rows, tg_dim cols, tg_node *out);
// Rows first .. first + rows - 1 of eye(n).
tg_status tg_make_pick(tg_graph *g, tg_dim rows, tg_dim n, tg_dim first, tg_node *out);
// f(S) of a symmetric S: TG_SQRTM, TG_EXPM, TG_LOGM; the derivative along v (TG_DSQRTM, ...), along v and w
// (TG_D2SQRTM,
// ...; w is TG_NONE for one direction).
tg_status tg_make_matfun(tg_graph *g, tg_kind kind, tg_node s, tg_node *out);
tg_status tg_make_matfun_along(tg_graph *g, tg_kind kind, tg_node s, tg_node v, tg_node w, tg_node *out);
// Whether the kind is such a function (order 0), or a derivative of the order 1 or 2.
bool tg_kind_is_matfun(tg_kind kind, int order);
// nuclear_norm and spectral_norm (TG_NUCLEAR, TG_SPECTRAL) and their subgradients (TG_POLAR, TG_DYAD); the derivative
// of these (TG_DPOLAR, TG_DDYAD) at x along w.
tg_status tg_make_singular(tg_graph *g, tg_kind kind, tg_node a, tg_node *out);
tg_status tg_make_singular_along(tg_graph *g, tg_kind kind, tg_node x, tg_node w, tg_node *out);
// TG_LEFTVECTORS, TG_RIGHTVECTORS, TG_SINGULARVALUES.
tg_status tg_make_singular_part(tg_graph *g, tg_kind kind, tg_node a, tg_node *out);
// What these are computed from: eigenvectors, eigenvalues, divided differences of two matrices entry by entry.
tg_status tg_make_eigvectors(tg_graph *g, tg_node s, tg_node *out);
tg_status tg_make_eigvalues(tg_graph *g, tg_node s, int64_t domain, tg_node *out);
tg_status tg_make_divided_pairs(tg_graph *g, tg_divided which, tg_node v, tg_node *out);
tg_status tg_make_divided(tg_graph *g, tg_divided which, tg_node a, tg_node b, tg_node *out);
tg_status tg_make_kronl(tg_graph *g, tg_node big, tg_node b, tg_node *out);
tg_status tg_make_kronr(tg_graph *g, tg_node big, tg_node a, tg_node *out);
// The same node kind over new arguments (and the node's own number, coefficients, sizes): for rewriting.
tg_status tg_make_like(tg_graph *g, tg_node node, const tg_node *args, tg_node *out);

// Replaces symbols[k] by values[k] (same shapes) everywhere below node.
tg_status tg_substitute(tg_graph *g, tg_node node, int32_t n, const int32_t *symbols, const tg_node *values,
                        tg_node *out);

#endif
