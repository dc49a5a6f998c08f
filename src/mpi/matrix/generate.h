// Generated matrices: entry (i, j) depends on the kind, its options and (i, j) only, never on the layout.
#ifndef TG_MPI_GENERATE_H
#define TG_MPI_GENERATE_H

#include "mpi/matrix/dmat.h"

typedef struct tg_generate_options {
  uint64_t seed;
  double scale;     // factor of every entry; 0 means 1
  double condition; // of spd and diagonal, >= 1; 0 means not given
  double ratio;     // of kac-murdock-szego, in (-1, 1); 0 means 1/2
  bool symmetric;   // normal and uniform: entry (min(i,j), max(i,j)) of the plain matrix
} tg_generate_options;

// Whether the kind exists (TG_NAME, with a suggestion) and the options and shape suit it (TG_VALUE, TG_SHAPE).
// Local, needs no matrix.
tg_status tg_generate_check(const char *kind, int64_t rows, int64_t cols, const tg_generate_options *options);
// Fills out. spd and orthogonal take four vectors of max(rows, cols) numbers of scratch on every rank.
// Collective: an allocation failure is agreed on.
tg_status tg_generate(const char *kind, const tg_generate_options *options, tg_dmat *out);

// Standard normal entries of one of many independent streams of a seed. Local.
void tg_generate_normal(uint64_t seed, uint32_t stream, tg_dmat *out);

// The table of kinds, for help and tests.
int tg_generate_count(void);
const char *tg_generate_label(int kind);
const char *tg_generate_help(int kind); // what its entries are
// Whether a kind takes the option of that name: "seed", "scale", "condition", "ratio", "symmetric".
bool tg_generate_takes(int kind, const char *option);

#endif
