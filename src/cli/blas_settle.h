// The program begins again where OpenBLAS runs other kernels than it should, or kernels that compute wrongly.
#ifndef TG_CLI_BLAS_SETTLE_H
#define TG_CLI_BLAS_SETTLE_H

#include "base/status.h"

// Before MPI is started, for MPI is started once in a process. Tests the kernels that are loaded; where others are
// better, or these wrong, sets OPENBLAS_CORETYPE and restarts the program with its arguments: then it does not return.
// TG_NUMERIC where no kernel computes rightly. Local.
tg_status tg_blas_settle(char **argv);

#endif
