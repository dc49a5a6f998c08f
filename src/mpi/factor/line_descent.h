// Coordinate descent on min <C, X> + <X, X G>/2 with low <= X <= high, or G X in the place of X G.
//
// The lines of X, its rows for X G and its columns for G X, are problems of their own with one small matrix G: no rank
// waits for another. Each takes the exact minimiser in one entry after the other,
//
//     x_k := min(high, max(low, x_k - g_k / G_kk)),   g := g + d_k G_k,
//
// in sweeps until one gains less than a hundredth of what the first did: A. Cichocki, R. Zdunek, S. Amari, ICA 2007
// (hierarchical alternating least squares); several sweeps for one gradient: N. Gillis, F. Glineur, Neural Comput. 24
// (2012).
#ifndef TG_MPI_LINE_DESCENT_H
#define TG_MPI_LINE_DESCENT_H

#include "mpi/matrix/dmat.h"

typedef struct tg_line_descent tg_line_descent;

// For X of this shape; by_rows: X G. Collective.
tg_status tg_line_descent_create(const tg_grid *grid, int64_t rows, int64_t cols, bool by_rows, tg_line_descent **out);
void tg_line_descent_destroy(tg_line_descent **descent);
// G from its action on the unit matrix of X's shape, whose first rows (columns) it is: X has at least as many lines as
// a line has entries. Collective.
tg_status tg_line_descent_bind(tg_line_descent *descent, const tg_dmat *action);
// x := a better point of the box, from the feasible x with the gradient g there. Collective.
tg_status tg_line_descent_solve(tg_line_descent *descent, double low, double high, const tg_dmat *g, tg_dmat *x);

#endif
