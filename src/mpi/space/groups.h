// Groups of columns or of rows of a matrix, and what is done to each group by itself.
#ifndef TG_MPI_GROUPS_H
#define TG_MPI_GROUPS_H

#include "mpi/matrix/dmat.h"

// Line l of n, a column or a row, is in group l * count / n: one line a group where there are as many, else runs of
// neighbours.
typedef struct tg_lines {
  bool by_rows;
  int count; // of groups
} tg_lines;

// sums[d * stride + q] += my part of <a[d], b[d]> over group q, d < n <= TG_REDUCE_FUSED: all in one pass over memory.
// Shapes and blocks must be equal; scratch has room for n numbers to each of my lines. The values do not depend on the
// number of threads. Local.
void tg_lines_add_dots(const tg_lines *lines, int n, const tg_dmat *const *a, const tg_dmat *const *b, double *scratch,
                       int stride, double *sums);
// y := a[q] x + b[q] y in group q, b[q] = 0 does not read y; scratch has room for my lines twice. Local.
void tg_lines_axpby(const tg_lines *lines, const double *a, const tg_dmat *x, const double *b, tg_dmat *y,
                    double *scratch);

#endif
