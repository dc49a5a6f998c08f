// tune.jsonl: a row for each evaluation of the score, and what a search that is resumed reads there.
#ifndef TG_REPORT_TUNE_ROWS_H
#define TG_REPORT_TUNE_ROWS_H

#include <jansson.h>

#include "engine/spec.h"

// The score at some numbers.
typedef struct tg_tune_row {
  double numbers[TG_TUNE_MAX];
  double score;               // its mean over the folds; NAN: none
  double standard_error;      // of the mean; NAN without folds
  double slopes[TG_TUNE_MAX]; // by the logarithms of the numbers
  double *scores;             // by fold
  int64_t iterations;         // of all fits
  int64_t products;           // of fits and derivatives
  double flops;               // of all products, factorisations and decompositions
  double seconds;
  char reason[640]; // why there is no score
} tg_tune_row;

// The evaluations of a search.
typedef struct tg_tune_log {
  const tg_spec *base; // of the job; not owned
  char fingerprint[17];
  int n_folds; // 1: there are none
  int n;
  int n_earlier;     // of them, of a run before this one
  tg_tune_row *rows; // room for tune.evaluations
  json_t *data;      // hashes of the numbers that were read; NULL: not known
} tg_tune_log;

// A hash of the job and of what tune is to do but for its limits. Local.
tg_status tg_tune_fingerprint(const tg_spec *base, char out[17]);
// {"lambda": 0.1, "mu": 2}
json_t *tg_tune_numbers_json(const tg_spec *base, const double *numbers);
// All rows so far, as a file that appears whole. Rank 0.
tg_status tg_tune_rows_write(const tg_tune_log *t);
// The rows of a run before, at most as many as there is room for, with n_earlier and data. None where there is no
// file; TG_USAGE where they are those of another job. The scores of a row are the caller's to free. Rank 0.
tg_status tg_tune_rows_read(tg_tune_log *t);

#endif
