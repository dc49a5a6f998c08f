// Eigenvalues or singular values of one matrix of a plan, with their vectors, in room made once.
#ifndef TG_MPI_SPECTRUM_H
#define TG_MPI_SPECTRUM_H

#include "grad/plan/plan.h"
#include "mpi/matrix/dmat.h"
#include "mpi/matrix/workspace.h"

typedef struct tg_spectrum tg_spectrum;

// Room for a symmetric matrix (TG_FACTOR_OF_EIGEN) or any (TG_FACTOR_OF_SVD). Collective (agrees).
tg_status tg_spectrum_create(const tg_grid *grid, const tg_plan_factor *factor, tg_spectrum **out);
void tg_spectrum_destroy(tg_spectrum **spectrum);
// Memory of one on this rank.
int64_t tg_spectrum_bytes(const tg_spectrum *spectrum);

// A = Q diag(values) Q' of A = A', values ascending; A = U diag(values) V', values descending. A is kept. The same A as
// before, bit for bit, is not decomposed again: value, gradient and Hessian action at one point share one. Nothing is
// allocated after the first call. TG_NUMERIC where A is not finite, or not symmetric up to rounding. Collective;
// pdsyevd, pdgesvd.
tg_status tg_spectrum_make(tg_spectrum *spectrum, const tg_dmat *a, tg_workspace *workspace);
// Q or U; V' of the right singular vectors. Local.
tg_status tg_spectrum_vectors(const tg_spectrum *spectrum, bool right, tg_dmat *out);
// The values as a column. TG_NUMERIC where one lies outside the domain by more than rounding. Local; all ranks alike.
tg_status tg_spectrum_values(const tg_spectrum *spectrum, tg_domain domain, tg_dmat *out);
// How many decompositions were made.
int64_t tg_spectrum_count(const tg_spectrum *spectrum);

#endif
