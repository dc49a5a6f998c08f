// The feasible set of a minimisation: what a solver may ask about it.
//
// A set is a product of sets, one for each block of a point (NAME of constraints.def, or free). Its geometry:
//     CONVEX    closed and convex: the metric projection P(x) = argmin |z - x|, z in the set
//     MANIFOLD  a submanifold of the space with the Frobenius inner product: tangent projection, retraction, and the
//               metric projection to start from; vectors are transported by projection onto the new tangent space
//               (P.-A. Absil, R. Mahony, R. Sepulchre, Optimization Algorithms on Matrix Manifolds, 2008, ch. 3, 4, 8)
//     MIXED     blocks of both: the tangents and retractions of the manifolds, the projections of the convex sets
// A free block is both; one with a norm1 counts as convex. All calls are collective; scalars are the same on all ranks.
#ifndef OPT_CONSTRAINT_H
#define OPT_CONSTRAINT_H

#include <stdbool.h>

#include "opt/space.h"

typedef enum opt_geometry { OPT_GEOMETRY_CONVEX, OPT_GEOMETRY_MANIFOLD, OPT_GEOMETRY_MIXED } opt_geometry;

typedef enum opt_constraint_kind {
  OPT_CONSTRAINT_FREE,
#define OPT_CONSTRAINT(id, name, geometry, is_square, is_bounds, is_nonnegative, keeps_symmetry, has_oracle, family, \
                       argument, help)                                                                               \
  OPT_CONSTRAINT_##id,
#include "opt/constraints.def"
#undef OPT_CONSTRAINT
  OPT_CONSTRAINT_COUNT
} opt_constraint_kind;

// How a step becomes a point of the manifold again, where there is a choice: orthonormal_columns.
typedef enum opt_retraction {
  OPT_RETRACTION_AUTO,
  OPT_RETRACTION_QR,
  OPT_RETRACTION_POLAR // of second order
} opt_retraction;

// What a job gives with the name of a set.
typedef enum opt_constraint_argument {
  OPT_ARGUMENT_NONE,
  OPT_ARGUMENT_RADIUS,   // a positive number
  OPT_ARGUMENT_INTERVAL, // [low, high]: numbers or names of data
  OPT_ARGUMENT_TOTAL,    // optional: a positive number or the name of data
  OPT_ARGUMENT_TOTALS,   // [r, c]: names of data
  OPT_ARGUMENT_METRIC    // optional: {metric: S}, S of the data
} opt_constraint_argument;

// The feasible set of one block, with its numbers: box [low, high]; frobenius_ball: |X| <= high; simplices: lines with
// the sum `total`, 0 standing for 1. Where a bound or a sum is not the same for all entries or lines it comes as a
// matrix of the implementation, of the block's shape, or a vector with a number for each line: not owned.
typedef struct opt_constraint_block {
  opt_constraint_kind kind;
  double low; // of box with `lows` the least of them, with `highs` the largest
  double high;
  double total;
  const void *lows;          // box; NULL: low
  const void *highs;         // box; NULL: high
  const void *row_totals;    // simplex_rows, transport; NULL: total
  const void *column_totals; // simplex_columns, transport; NULL: total
  opt_retraction retraction;
  double norm1; // a term norm1 * sum |x| of the objective that the set carries with it; 0: none
} opt_constraint_block;

static inline double opt_constraint_total(const opt_constraint_block *block)
{
  return block->total > 0 ? block->total : 1;
}

typedef struct opt_constraint_row {
  opt_constraint_kind kind;
  opt_constraint_argument argument;
  const char *name;
  const char *help;
  opt_geometry geometry;
  bool is_square;
  bool is_bounds;      // low <= every entry <= high
  bool is_nonnegative; // every entry >= 0
  bool keeps_symmetry; // the nearest point of a symmetric matrix is symmetric, unless it is given by matrices
  bool has_oracle;     // linear functions have a least value on it, which `extreme` finds
} opt_constraint_row;

// What all blocks have in common: which solvers may serve them.
typedef struct opt_traits {
  bool has_any; // not all blocks are free
  opt_geometry geometry;
  bool is_bounds;    // every block is free or has bounds
  bool is_entrywise; // every block is free, or has bounds or a norm1
  bool has_oracle;   // every block has an oracle
  bool has_norm1;    // a block carries a term of the objective; then the two above are false
} opt_traits;

// The rows, in the order of constraints.def; that of a kind other than FREE, and of a name (NULL: not among them, as
// that of no constraint, NULL).
int opt_constraint_count(void);
const opt_constraint_row *opt_constraint_at(int index);
const opt_constraint_row *opt_constraint_row_of(opt_constraint_kind kind);
const opt_constraint_row *opt_constraint_find(const char *name);

typedef struct opt_constraint opt_constraint;

typedef struct opt_constraint_ops {
  // How far x is outside, largest over the blocks: the worst entry for sets of entries and lines, |X'X - I|, |X - X'|
  // and the like (Frobenius) for others. Says nothing about optimality. x is kept.
  tg_status (*violation)(const opt_constraint *constraint, const opt_point *x, double *out);
  // x := the nearest feasible point. TG_NUMERIC where there is no nearest one, or none to be computed: a matrix of
  // dependent columns has no nearest orthonormal one.
  tg_status (*project)(const opt_constraint *constraint, opt_point *x);
  // CONVEX, MIXED: the same in the blocks of convex sets; those of manifolds are left as they are.
  tg_status (*approach)(const opt_constraint *constraint, opt_point *x);
  // MANIFOLD, MIXED: v := its orthogonal projection onto the tangent space at the feasible x, in blocks of manifolds.
  tg_status (*tangent)(const opt_constraint *constraint, const opt_point *x, opt_point *v);
  // MANIFOLD, MIXED: out := R_x(t v), feasible to rounding, x + t v in blocks of convex sets, with R_x(t v) = x + t v +
  // O(t^2) for v tangent at x. out is another point than x and v.
  tg_status (*retract)(const opt_constraint *constraint, const opt_point *x, double t, const opt_point *v,
                       opt_point *out);
  // MANIFOLD, MIXED: hv, the Euclidean Hessian's action on the tangent v, becomes the Riemannian one's, given the
  // Euclidean gradient g at x: the tangent part of hv less what the curvature of the set takes, v sym(x'g) where x'x =
  // I (Absil, Mahony and Trumpf, An extrinsic look at the Riemannian Hessian, 2013).
  tg_status (*hessian)(const opt_constraint *constraint, const opt_point *x, const opt_point *g, const opt_point *v,
                       opt_point *hv);
  // has_norm1: the terms norm1 * sum |x| at a feasible x, together.
  tg_status (*norm1)(const opt_constraint *constraint, const opt_point *x, double *out);
  // has_norm1: x := argmin |z - x|^2 / 2 + a norm1(z), z in the set; blocks of manifolds are left as they are.
  tg_status (*proximal)(const opt_constraint *constraint, double a, opt_point *x);
  // has_oracle: z := a feasible point with the least <g, z>, an extreme one. z is another point than g.
  tg_status (*extreme)(const opt_constraint *constraint, const opt_point *g, opt_point *z);
  // CONVEX, MIXED: v := the steepest descent of <g, .> and the norm1 term from the feasible x into the set, in the
  // blocks that are free, of manifolds (g tangent) or judged entry by entry (bounds, a norm1): less the subgradient of
  // least norm, 0 exactly where that entry is stationary. An entry within rounding of a bound is at it. Other blocks
  // are left as they are.
  tg_status (*steepest)(const opt_constraint *constraint, const opt_point *x, const opt_point *g, opt_point *v);
  // is_entrywise. v := 0 in the entries of the feasible x that a bound holds, or the kink of a norm1: those at a bound
  // or at zero; with release without those that may leave it and descend. v may be g.
  tg_status (*mask)(const opt_constraint *constraint, const opt_point *x, const opt_point *g, bool release,
                    opt_point *v);
  // is_entrywise, has_norm1: y := its projection onto the entries on the side of zero where those of the feasible x
  // are and inside the bounds; what is zero in x under a norm1 stays zero.
  tg_status (*orthant)(const opt_constraint *constraint, const opt_point *x, opt_point *y);
  // is_bounds. v := 0 in the entries of the feasible x that a bound holds by a multiplier above `weak`, -g pulling
  // outwards; with inwards also in those that a smaller one leaves free but v pulls outwards.
  tg_status (*critical)(const opt_constraint *constraint, const opt_point *x, const opt_point *g, double weak,
                        bool inwards, opt_point *v);
  // is_bounds: the largest t with x + t d feasible, INFINITY where there is none.
  tg_status (*room)(const opt_constraint *constraint, const opt_point *x, const opt_point *d, double *t);
  // is_bounds: x, which a step t d has brought to a bound up to rounding or beyond it, is put on it.
  tg_status (*settle)(const opt_constraint *constraint, double t, const opt_point *d, opt_point *x);
} opt_constraint_ops;

struct opt_constraint {
  const opt_constraint_ops *ops;
  const opt_space *space;
  opt_traits traits;
  void *self; // of the implementation
};

// What these blocks have in common; TG_UNSUPPORTED names two that do not go together. Local.
tg_status opt_traits_find(int n_blocks, const opt_constraint_block *blocks, opt_traits *out);

// x := a random feasible point: the projection of a standard normal one.
tg_status opt_constraint_random(const opt_constraint *constraint, uint64_t seed, opt_point *x);

#endif
