// Which kernels ("core") of OpenBLAS a processor should run: by its features, not by its name.
//
// OpenBLAS chooses its kernels when it is loaded, by family and model of the processor, and takes very old ones where
// it knows neither. The variable OPENBLAS_CORETYPE, read at that time, makes it take others. So a program that finds
// itself with the wrong ones sets the variable and restarts itself. What it learnt goes along in a variable of ours.
#ifndef TG_BASE_BLAS_CORE_H
#define TG_BASE_BLAS_CORE_H

#include <stdbool.h>

#include "base/cpu.h"
#include "base/text.h"

#define TG_BLAS_CORE_VARIABLE   "OPENBLAS_CORETYPE"    // OpenBLAS': the core to take
#define TG_BLAS_RECORD_VARIABLE "TRACEGRAD_BLAS_CORES" // ours: what was found before a restart

enum { TG_BLAS_NAME_BYTES = 24, TG_BLAS_TRIED_MAX = 12 };

typedef enum tg_blas_verdict {
  TG_BLAS_WRONG = '!',  // it computes wrongly here
  TG_BLAS_ABSENT = '?', // this library does not have it
  TG_BLAS_UNFIT = '-',  // it needs instructions that this processor does not have
} tg_blas_verdict;

typedef struct tg_blas_tried {
  char name[TG_BLAS_NAME_BYTES];
  tg_blas_verdict verdict;
} tg_blas_tried;

// The programs before this one, of the same process. As text: "Prescott,Cooperlake!,SkylakeX?".
typedef struct tg_blas_record {
  char natural[TG_BLAS_NAME_BYTES]; // what OpenBLAS takes by itself; "" unknown, the user having set another
  bool is_user;                     // the user set the first one
  int n_tried;
  tg_blas_tried tried[TG_BLAS_TRIED_MAX];
} tg_blas_record;

// False where the text is none of ours.
bool tg_blas_record_parse(const char *text, tg_blas_record *out);
void tg_blas_record_print(const tg_blas_record *record, tg_text *out);

// Whether the record excludes this core, and why.
bool tg_blas_record_find(const tg_blas_record *record, const char *name, tg_blas_verdict *verdict);

// How wide the arithmetic of a core is, which orders them; -1 for a name that is not known here.
int tg_blas_core_level(const char *name);
// Whether a processor has the instructions of a core; true where one of both is not known here.
bool tg_blas_core_fits(const char *name, tg_cpu cpu);
// The best core for these features; NULL where there is none to prefer.
const char *tg_blas_core_best(tg_cpu cpu);

// What is known when a program starts.
typedef struct tg_blas_state {
  tg_cpu cpu;
  const char *loaded;           // the core that runs; NULL: the BLAS does not say
  const char *wanted;           // of OPENBLAS_CORETYPE; NULL: not set
  const tg_blas_record *record; // NULL: the first program
  bool can_choose;              // the library has several cores and reads the variable
  bool is_wrong;                // the loaded core failed its test
} tg_blas_state;

typedef enum tg_blas_step {
  TG_BLAS_KEEP,          // run with what is loaded
  TG_BLAS_EXECUTE_AGAIN, // with *core, or the library's own choice where it is ""
  TG_BLAS_FAIL           // nothing computes rightly
} tg_blas_step;

// The next step, with the record to pass on and the core to ask for. Restarts end: each one excludes a core. Pure.
tg_blas_step tg_blas_core_decide(const tg_blas_state *state, tg_blas_record *record, const char **core);

#endif
