// How far a matrix of weights is from the separable one of its marginals.
#ifndef TG_MPI_WEIGHT_H
#define TG_MPI_WEIGHT_H

#include "mpi/matrix/dmat.h"

#define TG_WEIGHT_SEEN 0.1

// r, c: sums of the rows and columns of Q, of one sign; s their total.
typedef struct tg_weight_spread {
  double count;    // of the entries with Q(i,j) s / (r_i c_j) >= TG_WEIGHT_SEEN: what is no hole in the mask
  double smallest; // of Q(i,j) s / (r_i c_j), where r_i c_j is positive; 1 for a separable Q
  double largest;
} tg_weight_spread;

// Every rank holds r and c meanwhile: 8 (rows + cols) bytes. Collective (agrees).
tg_status tg_weight_measure(const tg_dmat *weight, tg_weight_spread *out);
// Largest over smallest entry, HUGE_VAL unless all are positive. Collective.
tg_status tg_weight_ratio(const tg_dmat *matrix, double *out);

#endif
