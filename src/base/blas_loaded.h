// The BLAS that this program has loaded, asked by symbols that may be missing: any BLAS can be linked.
#ifndef TG_BASE_BLAS_LOADED_H
#define TG_BASE_BLAS_LOADED_H

#include "base/blas_core.h"

typedef struct tg_blas_loaded {
  char core[TG_BLAS_NAME_BYTES]; // "" where the BLAS does not say
  char
      config[160]; // "OpenBLAS 0.3.21 ...", "BLIS 0.9.0"; of one that does not say its file, "" where that is not known
  int parallel;    // 0 sequential, 1 pthreads, 2 OpenMP, -1 unknown
  bool can_choose; // it has several cores
} tg_blas_loaded;

// library: of dlopen; NULL: what the caller is linked with.
void tg_blas_loaded_get(void *library, tg_blas_loaded *out);

typedef enum tg_blas_source {
  TG_BLAS_BY_LIBRARY, // OpenBLAS chose, and nobody knew better
  TG_BLAS_BY_USER,    // OPENBLAS_CORETYPE was set
  TG_BLAS_BY_US       // this program set it, and began again
} tg_blas_source;

// The core that runs, and how it came to run.
typedef struct tg_blas_kernel {
  tg_blas_loaded loaded;
  tg_cpu cpu;
  tg_blas_source source;
  char wanted[TG_BLAS_NAME_BYTES]; // of OPENBLAS_CORETYPE, "" where it is not set
  bool has_record;
  tg_blas_record record;
} tg_blas_kernel;

// Reads the loaded BLAS, the processor and the environment.
void tg_blas_kernel_get(void *library, tg_blas_kernel *out);
// The decision about it: tg_blas_core_decide.
tg_blas_step tg_blas_kernel_decide(const tg_blas_kernel *kernel, bool is_wrong, tg_blas_record *record,
                                   const char **core);
// Writes a decision into the environment of the next program of this process; core "": OpenBLAS chooses. False where
// that is not possible.
bool tg_blas_kernel_export(const tg_blas_record *record, const char *core);
const char *tg_blas_source_label(tg_blas_source source);
// Why this core runs and what it would have been, in one line: "set for AVX-512, OpenBLAS by itself takes Prescott".
void tg_blas_kernel_explain(const tg_blas_kernel *kernel, tg_text *out);
// What the user can do about it, a sentence for each; nothing where the core is the best one.
void tg_blas_kernel_advise(const tg_blas_kernel *kernel, tg_text *out);

#endif
