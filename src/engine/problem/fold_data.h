// The numbers of a fold, and of what is left without it.
#ifndef TG_ENGINE_FOLD_DATA_H
#define TG_ENGINE_FOLD_DATA_H

#include "engine/spec.h"
#include "mpi/matrix/dmat.h"

// Part of the whole matrix: the fold's, or what is left without it, in the order of the data. Entries outside become
// zero instead. Every rank keeps its own of the result, and a fold number for each row or column. TG_DATA where the
// fold has no entry that is not zero. Collective.
tg_status tg_fold_take(const tg_folds *folds, int fold, bool is_score, const tg_dmat *whole, tg_dmat **out);

#endif
