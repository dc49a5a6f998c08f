// What a closed form or a preconditioner costs on P x Q ranks: to make it, and to use it once.
//
// The steps are those of mpi/factor/direct*.c, and their flops those that it counts (a test compares them). Bytes and
// messages of products are exact as in cost.h; of factorisations and decompositions they are the leading terms.
#ifndef TG_GRAD_CLOSED_COST_H
#define TG_GRAD_CLOSED_COST_H

#include "grad/plan/closed.h"
#include "grad/plan/cost.h"

typedef enum tg_closed_op {
  TG_CLOSED_OP_CHOLESKY, // of m x m
  TG_CLOSED_OP_EIGEN,    // all eigenvectors of a symmetric m x m matrix
  TG_CLOSED_OP_EXTREMES, // n of them
  TG_CLOSED_OP_SINGULAR, // all singular vectors of m x n, m >= n
  TG_CLOSED_OP_PRODUCT,  // m x n, inner size k
  TG_CLOSED_OP_SOLVE,    // m x n by the factors of a k x k matrix
  TG_CLOSED_OP_INVERSE,  // of m x m, by its factors
  TG_CLOSED_OP_SCALE,    // the entries of m x n, each by a number of its own
  TG_CLOSED_OPS
} tg_closed_op;

typedef struct tg_closed_step {
  tg_closed_op op;
  bool is_transposed; // PRODUCT: the left factor
  int64_t m;
  int64_t n;
  int64_t k;
} tg_closed_step;

// Making it: once. Using it: a step of direct, or an application of the preconditioner.
typedef enum tg_closed_phase { TG_CLOSED_MAKE, TG_CLOSED_USE } tg_closed_phase;

enum { TG_CLOSED_STEPS = 32 };

// steps[0..return). Local.
int tg_closed_steps(const tg_closed_plan *plan, tg_closed_phase phase, tg_closed_step steps[TG_CLOSED_STEPS]);
// "Cholesky factors of 20 x 20".
void tg_closed_step_print(const tg_closed_step *step, tg_text *out);
// Floating point operations of all ranks together. Local.
double tg_closed_step_flops(const tg_closed_step *step);
double tg_closed_flops(const tg_closed_plan *plan, tg_closed_phase phase);
// TG_VALUE when the grid or the machine is not positive. Local.
tg_status tg_closed_step_cost(const tg_closed_step *step, const tg_cost_grid *grid, const tg_cost_machine *machine,
                              tg_cost *out);
tg_status tg_closed_cost(const tg_closed_plan *plan, tg_closed_phase phase, const tg_cost_grid *grid,
                         const tg_cost_machine *machine, tg_cost *out);

#endif
