// The block-cyclic layout as arithmetic; private to cost*.c.
#ifndef TG_GRAD_COST_LAYOUT_H
#define TG_GRAD_COST_LAYOUT_H

#include "base/status.h"
#include "grad/plan/cost_terms.h"

tg_status tg_cost_check_grid(const tg_cost_grid *grid);
// Indices of 0 .. n-1 in blocks, dealt to np processes: those of process p.
int64_t tg_cost_share(int64_t n, int64_t block, int64_t p, int64_t np);
// Entries of a rows x cols matrix on rank (0, 0).
double tg_cost_local_entries(const tg_cost_grid *grid, int64_t rows, int64_t cols);
// Numbers that a rows x cols matrix takes on rank (0, 0), which holds most: columns are padded.
double tg_cost_most_entries(const tg_cost_grid *grid, int64_t rows, int64_t cols);
// P Q; rows times columns.
double tg_cost_ranks(const tg_cost_grid *grid);
double tg_cost_area(int64_t rows, int64_t cols);
// Depth of a broadcast tree over n processes.
double tg_cost_tree_depth(int64_t n);

#endif
