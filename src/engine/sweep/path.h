// Where the points of a sweep begin that go on from each other: kept on the disk as well, so that a sweep that was
// killed goes on with the bits of one that was not.
#ifndef TG_ENGINE_SWEEP_PATH_H
#define TG_ENGINE_SWEEP_PATH_H

#include "engine/problem/setup.h"
#include "engine/share/share.h"

// Where a point has ended becomes the newest start of the share, in memory and as FOLDER/POINT/NAME.npy of each
// variable; FOLDER/POINT/metric says what is known of the share's metric, whose matrices stand in FOLDER/metric/N, N
// the point that made it. Nothing is synced: where the machine fails, points that are done stay so by their rows, and
// the next one begins as a run of its own. Collective.
tg_status tg_sweep_path_keep(const tg_setup *setup, tg_share *share, const char *folder, int64_t point);
// FOLDER/NUMBER/NAME.npy of each variable, and nothing else. Collective.
tg_status tg_sweep_path_write(const tg_setup *setup, const char *folder, int64_t number, tg_dmat **matrices);
// Files as the newest start of the share, and its metric as it was then. *found: false where they are damaged.
// Collective.
tg_status tg_sweep_path_read(const tg_setup *setup, tg_share *share, const char *folder, int64_t point, bool *found);
// The largest number n with FOLDER/n, low <= n < before; -1: none. Rank 0.
int64_t tg_sweep_path_find(const char *folder, int64_t low, int64_t before);
// Removes FOLDER/n for low <= n <= high but those that the share has (NULL: none), metrics likewise, and FOLDER where
// nothing is left.
// Rank 0.
void tg_sweep_path_clean(const char *folder, int64_t low, int64_t high, tg_share *share);

#endif
