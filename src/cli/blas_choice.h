// The kernels of OpenBLAS, chosen before it is loaded: variables for the next program of this process.
#ifndef TG_CLI_BLAS_CHOICE_H
#define TG_CLI_BLAS_CHOICE_H

#include <stdbool.h>

#include "base/blas_loaded.h"

// Whether this command computes: only then is the choice worth its time.
bool tg_blas_choice_matters(int argc, char **argv);
// Writes a decision into the environment; core "": OpenBLAS chooses. False where that is not possible.
bool tg_blas_choice_export(const tg_blas_record *record, const char *core);
// For a program without OpenBLAS that starts one with it: loads the library, asks what it chooses, and exports a better
// core where there is one. Where it cannot tell, the next program does it for itself.
void tg_blas_choice_foresee(void);

#endif
