// What the cost of instructions and of closed forms share; private to cost*.c and closed_cost.c.
#ifndef TG_GRAD_COST_PARTS_H
#define TG_GRAD_COST_PARTS_H

#include "grad/plan/cost.h"

tg_status tg_cost_check_machine(const tg_cost_machine *machine);
// Leading terms of a factorisation of an n x n matrix by Cholesky, or by LU with pivots.
void tg_cost_add_factor(const tg_cost_grid *grid, int64_t n, bool has_pivots, tg_cost *out);
// Leading terms of two triangular solves with n x n factors for rows x cols right-hand sides.
void tg_cost_add_solve(const tg_cost_grid *grid, int64_t n, int64_t rows, int64_t cols, tg_cost *out);
// Sets seconds by all the rest: arithmetic overlaps memory and messages where it rules.
void tg_cost_add_seconds(const tg_cost_grid *grid, const tg_cost_machine *machine, bool is_compute_bound, tg_cost *out);

#endif
