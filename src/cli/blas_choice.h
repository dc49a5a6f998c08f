// The kernels of OpenBLAS, chosen before it is loaded: variables for the next program of this process.
#ifndef TG_CLI_BLAS_CHOICE_H
#define TG_CLI_BLAS_CHOICE_H

#include <stdbool.h>

// Whether this command computes: only then is the choice worth its time.
bool tg_blas_choice_matters(int argc, char **argv);
// For a program without OpenBLAS that starts one with it: loads the library, asks what it chooses, and exports a better
// core where there is one. Where it cannot tell, the next program does it for itself.
void tg_blas_choice_foresee(void);

#endif
