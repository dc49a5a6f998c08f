// An observer that keeps the last checkpoint in memory and restores from it: what the tests of restarts share.
#ifndef KEEPER_H
#define KEEPER_H

#include "opt/driver.h"

enum { KEEPER_ENTRIES_MAX = 400, KEEPER_NUMBERS_MAX = 512 };

typedef struct keeper_vector {
  char name[32];
  bool is_idle;
  double numbers[KEEPER_NUMBERS_MAX];
} keeper_vector;

typedef struct keeper_scalar {
  char name[32];
  bool is_count;
  double number;
  int64_t count;
} keeper_scalar;

typedef struct keeper {
  int64_t dimension;    // of all points, on a serial space
  int64_t interrupt_at; // poll at which to interrupt, 0: never
  int64_t every;        // polls between checkpoints, 0: none but at the end
  bool restores;        // from what was kept
  int64_t polls;
  int64_t checkpoints;
  int64_t restored;
  int64_t faults; // names given twice, entries that the checkpoint lacks
  int n_vectors;
  int n_scalars;
  keeper_vector vectors[KEEPER_ENTRIES_MAX];
  keeper_scalar scalars[KEEPER_ENTRIES_MAX];
} keeper;

// The observer; the keeper must stay where it is. Vectors that were idle are restored as NaN: nobody may read them.
opt_observer keeper_observer(keeper *k);

#endif
