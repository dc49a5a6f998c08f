// Feasible sets on plain column-major arrays, by other algorithms than the distributed ones: sorting, Jacobi rotations,
// Gram-Schmidt, alternating projections, dynamic programming.
#ifndef SERIAL_SET_H
#define SERIAL_SET_H

#include "opt/constraint.h"

enum { SERIAL_SIDE_MAX = 32 }; // rows and columns at most

// Matrices and vectors of the block are arrays of double.
typedef struct serial_set {
  opt_constraint_block block;
  int64_t rows;
  int64_t cols;
} serial_set;

// Operations of a family, which several rows of the table may name: tg_set_ops of the mpi layer. `extreme` is there for
// sets with an oracle, `tangent` and what follows for manifolds.
typedef struct serial_set_ops {
  double (*violation)(const serial_set *set, const double *x);
  void (*project)(const serial_set *set, double *x);
  void (*extreme)(const serial_set *set, const double *g, double *z);
  void (*tangent)(const serial_set *set, const double *x, double *v);
  void (*hessian)(const serial_set *set, const double *x, const double *g, const double *v, double *hv);
  void (*retract)(const serial_set *set, double *y);
} serial_set_ops;

#define OPT_CONSTRAINT(id, name, geometry, is_square, is_bounds, is_nonnegative, keeps_symmetry, has_oracle, family, \
                       argument, help)                                                                               \
  extern const serial_set_ops serial_##family;
#include "opt/constraints.def"
#undef OPT_CONSTRAINT

double serial_set_norm(const serial_set *set, const double *x); // Frobenius
bool serial_set_is_manifold(const serial_set *set);
// Low and high of entry e, the free ones infinite.
void serial_set_bounds(const serial_set *set, int64_t e, double *low, double *high);
// Sums of rows and columns with equal totals, no two lines alike in general.
void serial_set_totals(int64_t rows, int64_t cols, double *row_totals, double *column_totals);
double serial_set_violation(const serial_set *set, const double *x);
void serial_set_project(const serial_set *set, double *x);
// z := a point of the set with the least <g, z>; for sets with an oracle. At most 10 rows of doubly stochastic ones.
void serial_set_extreme(const serial_set *set, const double *g, double *z);
// Operations on bounds and free blocks, see opt_constraint_ops.
double serial_set_norm1(const serial_set *set, const double *x);
void serial_set_proximal(const serial_set *set, double a, double *x);
void serial_set_steepest(const serial_set *set, const double *x, const double *g, double *v);
void serial_set_mask(const serial_set *set, const double *x, const double *g, bool release, double *v);
void serial_set_orthant(const serial_set *set, const double *x, double *y);
void serial_set_critical(const serial_set *set, const double *x, const double *g, double weak, bool inwards, double *v);
double serial_set_room(const serial_set *set, const double *x, const double *d);
void serial_set_settle(const serial_set *set, double t, const double *d, double *x);
void serial_set_tangent(const serial_set *set, const double *x, double *v);
// hv = H[v] becomes the Riemannian Hessian's action, g the Euclidean gradient.
void serial_set_hessian(const serial_set *set, const double *x, const double *g, const double *v, double *hv);
// y = x + t v becomes the point on the manifold.
void serial_set_retract(const serial_set *set, double *y);

#endif
