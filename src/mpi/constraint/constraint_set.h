// One block's feasible set: what constraint.c asks of the files constraint_FAMILY.c. Internal to the mpi layer.
#ifndef TG_MPI_CONSTRAINT_SET_H
#define TG_MPI_CONSTRAINT_SET_H

#include "grad/plan/cost.h"
#include "mpi/matrix/dmat.h"
#include "mpi/matrix/workspace.h"
#include "opt/constraint.h"

typedef struct tg_set {
  const struct tg_set_ops *ops; // NULL: free
  opt_constraint_block block;
  const tg_grid *grid;
  int64_t rows;
  int64_t cols;
  tg_workspace *workspace; // shared, not owned
  tg_dmat *scratch[4];     // as the set needs
  double *numbers;         // likewise
  double unit;             // of the numbers, where the set has one
  double *gathered;        // of `extreme`, made at its first use; likewise
  int64_t *assigned;
} tg_set;

// All are collective; x and v are this block of the points.
typedef struct tg_set_ops {
  // Makes scratch; may be NULL. Local: the caller agrees.
  tg_status (*create)(tg_set *set);
  // See tg_constraint_bytes; NULL: scratch of no size that counts.
  tg_bytes (*bytes)(const tg_cost_grid *grid, int64_t rows, int64_t cols);
  // What `extreme` makes at its first use, on rank 0; NULL: nothing that counts.
  double (*extreme_bytes)(const opt_constraint_row *row, int64_t rows, int64_t cols);
  // Fills what was made from the matrices of the block; may be NULL.
  tg_status (*load)(tg_set *set);
  tg_status (*violation)(tg_set *set, const tg_dmat *x, double *out);
  tg_status (*project)(tg_set *set, tg_dmat *x);
  tg_status (*tangent)(tg_set *set, const tg_dmat *x, tg_dmat *v);
  // y holds x + t v and becomes the point on the manifold.
  tg_status (*retract)(tg_set *set, tg_dmat *y);
  // hv becomes the action of the Riemannian Hessian; g is the Euclidean gradient (opt_constraint_ops).
  tg_status (*hessian)(tg_set *set, const tg_dmat *x, const tg_dmat *g, const tg_dmat *v, tg_dmat *hv);
  // z := a point of the set with the least <g, z>; NULL for sets on which that has no least value.
  tg_status (*extreme)(tg_set *set, const tg_dmat *g, tg_dmat *z);
  // Sets of bounds only, see opt_constraint_ops. Local; *part and *t are this rank's, added to what they are.
  void (*norm1)(const tg_set *set, const tg_dmat *x, double *part);
  void (*proximal)(const tg_set *set, double a, tg_dmat *x);
  void (*steepest)(const tg_set *set, const tg_dmat *x, const tg_dmat *g, tg_dmat *v);
  void (*mask)(const tg_set *set, const tg_dmat *x, const tg_dmat *g, bool release, tg_dmat *v);
  void (*orthant)(const tg_set *set, const tg_dmat *x, tg_dmat *y);
  void (*critical)(const tg_set *set, const tg_dmat *x, const tg_dmat *g, double weak, bool inwards, tg_dmat *v);
  void (*room)(const tg_set *set, const tg_dmat *x, const tg_dmat *d, double *t);
  void (*settle)(const tg_set *set, double t, const tg_dmat *d, tg_dmat *x);
} tg_set_ops;

// One for each family, which several rows may name.
#define OPT_CONSTRAINT(id, name, geometry, is_square, is_bounds, is_nonnegative, keeps_symmetry, has_oracle, family, \
                       argument, help)                                                                               \
  extern const tg_set_ops tg_set_##family;
#include "opt/constraints.def"
#undef OPT_CONSTRAINT

// Rows, or columns, with entries on this rank. Local.
int64_t tg_set_lines(const tg_set *set, bool by_rows);
// out := the sums that the lines on this rank are to have, rows or columns. Collective.
tg_status tg_set_load_totals(const tg_set *set, bool by_rows, double *out);

// The larger of two; NaN, which fmax would drop, is larger than any number.
static inline double tg_set_worse(double a, double b)
{
  return a != a || a >= b ? a : b;
}

// part := x - x', out := |part|_F: how far x is from symmetric. Collective.
tg_status tg_set_skewness(const tg_set *set, const tg_dmat *x, tg_dmat *part, double *out);
// The largest number of all ranks, NaN where any rank has one. Collective.
tg_status tg_set_largest(const tg_grid *grid, double mine, double *out);

#endif
