// Cross-validation: which rows, columns or entries of the data are in which fold.
//
// Folds are numbered from 1. Rows and columns are divided as evenly as can be, the first folds having one more; entries
// are drawn one by one. Which is where depends on the sizes and the seed alone, not on the ranks.
#ifndef TG_ENGINE_FOLDS_H
#define TG_ENGINE_FOLDS_H

#include "engine/task.h"

// Whether folds divide the datum, numbered as in the spec.
bool tg_folds_divide(const tg_folds *folds, int datum);
// fold_of[0..length): the fold of each row or column. TG_MEMORY. Local.
tg_status tg_folds_assign(const tg_folds *folds, int64_t length, int *fold_of);
// The fold of an entry of a matrix with so many rows. Local.
int tg_fold_of_entry(const tg_folds *folds, int64_t rows, int64_t i, int64_t j);
// The sizes of the data of the fold at hand, once those of the whole are known. TG_SHAPE, TG_VALUE, located: matrices
// that are divided alike and have other sizes, more folds than rows. Local.
tg_status tg_folds_reduce(tg_task *task);

#endif
