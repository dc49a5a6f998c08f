// Expressions of a job as distributed matrices: of its data alone, or at a point of its variables.
#ifndef TG_ENGINE_VALUES_H
#define TG_ENGINE_VALUES_H

#include "engine/model/model.h"
#include "grad/plan/cost.h"
#include "mpi/exec/memo.h"
#include "mpi/matrix/dmat.h"
#include "opt/space.h"

typedef struct tg_values tg_values;

// Compiles nodes[0..n), TG_NONE among them for none. data by position in model->plan->data and x, whose blocks are the
// job's variables (NULL: no variable occurs), are read at each evaluation and must stay where they are. Collective.
//
// The expressions are the gradient of sum_k <Z_k, node_k>, so that the plan's whole optimiser serves them.
tg_status tg_values_create(const tg_task *task, tg_model *model, const tg_grid *grid, tg_dmat *const *data,
                           const opt_point *x, int n, const tg_node *nodes, tg_values **out);
// Matrices that expressions name beside the data and the variables; not owned, read at each evaluation.
typedef struct tg_values_beside {
  int n;
  const char *const *names;
  tg_dmat *const *matrices;
} tg_values_beside;

// The same with these.
tg_status tg_values_create_beside(const tg_task *task, tg_model *model, const tg_grid *grid, tg_dmat *const *data,
                                  const opt_point *x, const tg_values_beside *beside, int n, const tg_node *nodes,
                                  tg_values **out);
// NULL is fine. Local.
void tg_values_destroy(tg_values **values);

// Computes all of them from the numbers as they are. Collective.
tg_status tg_values_evaluate(tg_values *values);
// The scalar node at x as it is written, computed once: nothing is multiplied out, so that a sum of squares is one of
// squares. Not finite outside the node's domain. Collective.
tg_status tg_values_scalar(const tg_task *task, tg_model *model, const tg_grid *grid, tg_dmat *const *data,
                           const opt_point *x, tg_node node, double *out);
// The memory that takes, as below.
tg_status tg_values_scalar_memory(const tg_task *task, tg_model *model, const tg_cost_grid *grid, tg_node node,
                                  tg_memory_cost *out);
// The matrix of nodes[k]; NULL for TG_NONE. Zero before the first evaluation.
const tg_dmat *tg_values_matrix(const tg_values *values, int k);
// The same for those who take lists of matrices that they read only.
tg_dmat *tg_values_matrix_of(const tg_values *values, int k);
// The memory of the plan that evaluates such nodes; the values themselves are its points. Local, no data; adds symbols
// to the model's graph.
tg_status tg_values_memory(const tg_task *task, tg_model *model, const tg_cost_grid *grid, int n, const tg_node *nodes,
                           tg_memory_cost *out);
// What evaluating them once costs, likewise.
tg_status tg_values_cost(const tg_task *task, tg_model *model, const tg_cost_grid *grid, const tg_cost_machine *machine,
                         int n, const tg_node *nodes, tg_cost *out);
// How the matrix of nodes[k] is made (mpi/exec/memo.h): unknown where it is not of the data that points of a sweep
// share. Local.
tg_status tg_values_key(const tg_values *values, int k, tg_memo_key *out);
// What evaluating them takes where nothing is remembered.
double tg_values_flops(const tg_values *values);
// Large products done so far.
int64_t tg_values_products(const tg_values *values);
// The same with every product of fewer than unit_flops counted as its share of them: what is made of constants is full
// of products with vectors.
double tg_values_product_units(const tg_values *values, double unit_flops);

#endif
