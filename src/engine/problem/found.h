// What the numbers show of data of which the job says nothing: symmetric, diagonal, positive definite.
#ifndef TG_ENGINE_FOUND_H
#define TG_ENGINE_FOUND_H

#include "engine/task.h"
#include "mpi/matrix/dmat.h"

// Looks at a square matrix; *properties: TG_SYMMETRIC, TG_DIAGONAL, or 0. A matrix that does not equal its transpose
// entry by entry counts as symmetric if no product can tell the two apart:
//
//     |(A - A') v|_i <= 8 eps s_i |S v|,  s_i^2 = |a_ii|,  S = diag(s),  for three random vectors v.
//
// That is what rounding leaves of B D B', computed as it is written, D of one sign; the units of rows and columns play
// no part in it. Takes a few vectors of memory and no copy of A. Collective.
tg_status tg_found_look(const tg_dmat *a, unsigned *properties);
// Whether the symmetric matrix is safely positive definite, by a Cholesky factorisation of a copy. Collective.
tg_status tg_found_is_definite(const tg_dmat *a, bool *out);

#endif
