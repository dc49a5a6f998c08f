// What the points of a sweep have in common: the process grid, the data once they are read and verified, and where a
// point may begin.
//
// The task of each point names it (tg_task.share). Matrices are held, not copied: whoever has one destroys it as his
// own, and the last one frees it.
#ifndef TG_ENGINE_SHARE_H
#define TG_ENGINE_SHARE_H

#include "mpi/exec/memo.h"
#include "mpi/matrix/dmat.h"

typedef struct tg_share tg_share;

tg_status tg_share_create(MPI_Comm comm, tg_share **out);
// NULL is fine. The points must have gone. Collective: the grid is freed.
void tg_share_destroy(tg_share **share);

// The grid of the first point, NULL before; and handing it over. Local.
tg_grid *tg_share_grid(const tg_share *share, tg_grid_choice *choice);
void tg_share_take_grid(tg_share *share, tg_grid *grid, const tg_grid_choice *choice);

// A datum that was read for another point, to be destroyed as one's own; NULL: none. are_bounds: it was read as such,
// and may be infinite. Local.
tg_dmat *tg_share_find(tg_share *share, const char *name, bool are_bounds);
// The same of a part: what the fold leaves of it, or the fold's own (engine/model/folds.h).
tg_dmat *tg_share_find_part(tg_share *share, const char *name, int fold, bool is_score);
// Keeps both parts of a whole that is kept, which takes its own holds; along_rows: they are rows of it. Collective.
tg_status tg_share_keep_parts(tg_share *share, const char *name, int fold, tg_dmat *whole, tg_dmat *left, tg_dmat *own,
                              tg_memo_cut cut);
// Drops the parts of all other folds: no point looks at them again. Local.
void tg_share_drop_parts(tg_share *share, int but);
// Keeps one for the points to come; on failure the caller has it still. The name must outlive the share. Local.
tg_status tg_share_keep(tg_share *share, const char *name, bool are_bounds, tg_dmat *matrix);

// How many points there are, for what is made for all of them: 0 where nobody says.
void tg_share_set_points(tg_share *share, int64_t n);
int64_t tg_share_points(const tg_share *share);
// Constants made of these data alone. Local.
tg_memo *tg_share_memo(const tg_share *share);

// Where the last points ended, one matrix a variable: the newest is number 0. `start` is taken over; `point` is its
// number. Local.
enum { TG_SHARE_STARTS = 4 };
void tg_share_add_start(tg_share *share, int64_t point, int n, tg_dmat **start);
int tg_share_starts(const tg_share *share);
void tg_share_drop_starts(tg_share *share);
tg_dmat *const *tg_share_start(const tg_share *share, int k);
int64_t tg_share_start_point(const tg_share *share, int k);
// The point of the variables that the preconditioner at hand is made of, one matrix a variable, and the points of the
// sweep that began with it. The matrices are sources of the memo: what is made of them is made once.
typedef struct tg_share_metric {
  int64_t made_by;    // the point of the sweep
  int64_t points;     // that began with it, and have ended
  int64_t iterations; // of these
  bool was_renewed;   // made on the way to a minimum, not at the start of that point
} tg_share_metric;

// A new one, in the place of that before; `matrices` are taken over, also on failure. Local.
tg_status tg_share_set_metric(tg_share *share, int n, tg_dmat **matrices);
// NULL: there is none.
tg_dmat **tg_share_metric_matrices(const tg_share *share);
// What is known of it, to be changed by whoever knows more.
tg_share_metric *tg_share_metric_facts(tg_share *share);
void tg_share_drop_metric(tg_share *share);
// A point has ended after so many iterations. Drops what does not pay any more: where a point that begins with it takes
// more iterations than such points do on the average, what it took to make it, `price` iterations, included.
void tg_share_follow_metric(tg_share *share, int64_t point, int64_t iterations, double price);

// The next point may begin at the sum of weights[k] times start k, k < n, and at the like of fewer that were set
// before; n = 0: as a run of its own, and forgets the others. Local.
void tg_share_set_weights(tg_share *share, int n, const double *weights);
// The largest such n; those of n.
int tg_share_most_weights(const tg_share *share);
const double *tg_share_weights(const tg_share *share, int n);

#endif
