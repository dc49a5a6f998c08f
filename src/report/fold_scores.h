// Scores of cross-validation: for each combination of the swept values their mean over the folds, and the best.
#ifndef TG_REPORT_FOLD_SCORES_H
#define TG_REPORT_FOLD_SCORES_H

#include "report/sweep_rows.h"

typedef struct tg_fold_scores {
  int n_folds;
  int64_t n;              // combinations of the values without the fold
  double *scores;         // of combination k and fold f at k * n_folds + f - 1; NAN: none
  double *mean;           // over all folds; NAN where one has no score
  double *standard_error; // of the mean, from the spread over the folds
  int64_t best;           // with the lowest mean; -1: none
  int64_t simplest; // whose mean is within a standard error of the best: that with the largest numbers, the first of
                    // them first; -1: no number is swept
} tg_fold_scores;

// TG_MEMORY. Local; to be given back by tg_fold_scores_fini in any case.
tg_status tg_fold_scores_init(const tg_sweep *sweep, const tg_sweep_row *rows, tg_fold_scores *out);
void tg_fold_scores_fini(tg_fold_scores *scores);
// A point of the sweep that belongs to combination k and the fold, from 1. Local.
int64_t tg_fold_scores_point(const tg_sweep *sweep, int64_t k, int fold);
// Appends "lambda = 0.1, mu = 2"; nothing where nothing but the fold is swept.
void tg_fold_scores_describe(const tg_sweep *sweep, int64_t k, tg_text *out);
// All of it as FOLDER/scores.json, which appears whole. TG_IO.
tg_status tg_fold_scores_write(const tg_fold_scores *scores, const tg_sweep *sweep, const char *folder);

#endif
