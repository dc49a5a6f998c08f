// Whether the BLAS and LAPACK at hand compute rightly: a test of milliseconds for the start of a program.
#ifndef TG_MPI_SELF_TEST_H
#define TG_MPI_SELF_TEST_H

#include "base/text.h"

// dgemm, dsyrk, dtrsm and a Cholesky factorisation against plain loops, at sizes that reach the edges of kernels with
// and without packing. One thread works. TG_NUMERIC names the call that is wrong. Local.
tg_status tg_blas_self_test(void);
// Speed of a 256 x 256 product on one core as a share of what its vector width allows at its clock, which is measured
// as well, both in processor time. 0 where the width is not known. Local, milliseconds.
double tg_blas_share_of_peak(void);
// A sentence where that share is so small that the kernels cannot be those of this CPU; else nothing.
void tg_blas_advise_share(double share, tg_text *out);

#endif
