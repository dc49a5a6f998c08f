// Least squares by orthogonal factors in the place of Cholesky's, where the Gram matrix is too ill-conditioned.
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "engine/method/method_parts.h"
#include "engine/model/constants.h"
#include "mpi/matrix/dmat_ops.h"

enum { PER_PART = 3, NODES = PER_PART * TG_CLOSED_STACK };

int tg_method_stack_nodes(const tg_closed_stack *stack, tg_node *nodes)
{
  for (ptrdiff_t k = 0; k < stack->n; k++) {
    nodes[PER_PART * k] = stack->weights[k];
    nodes[PER_PART * k + 1] = stack->factors[k];
    nodes[PER_PART * k + 2] = stack->linear[k];
  }
  return PER_PART * stack->n;
}

void tg_method_leave_orthogonal(tg_method *method)
{
  method->verdict.orthogonal = TG_ORTHOGONAL_NO_ROOM;
}

bool tg_method_may_be_orthogonal(const tg_method *method)
{
  return tg_way_is_direct(tg_method_way(method)) && method->strategy->form.stack.n > 0 &&
         method->verdict.orthogonal != TG_ORTHOGONAL_NO_ROOM;
}

// The matrix of a datum that stands for itself, NULL for any other expression: it need not be copied.
static const tg_dmat *find_datum(const tg_method_numbers *by, tg_node node)
{
  const tg_plan *plan = by->model->plan;
  if (node == TG_NONE || tg_node_info(by->model->graph, node)->kind != TG_SYM) return NULL;
  const char *name = tg_symbol_info(by->model->graph, tg_node_info(by->model->graph, node)->symbol)->name;
  for (int32_t k = 0; k < plan->n_data; k++)
    if (strcmp(plan->data[k].name, name) == 0) return by->data[k];
  return NULL;
}

static tg_status read_parts(int n, const tg_dmat *const *matrices, int *n_parts, tg_least_squares_part *parts)
{
  *n_parts = 0;
  for (ptrdiff_t k = 0; k < n; k += PER_PART) {
    tg_least_squares_part part = {.factor = matrices[k + 1], .linear = matrices[k + 2]};
    TG_TRY(tg_dmat_fetch(matrices[k], &part.weight));
    if (part.weight == 0 && part.linear == NULL) continue;
    if (!(part.weight > 0 && isfinite(part.weight)))
      TG_FAIL(TG_NUMERIC, "a term of the Hessian action has the coefficient %g, expected a positive one", part.weight);
    parts[(*n_parts)++] = part;
  }
  if (*n_parts == 0) TG_FAIL(TG_NUMERIC, "the Hessian is zero: there is no unique minimum to solve for");
  return TG_OK;
}

static void note(const tg_least_squares_facts *facts, int64_t unknowns, double gram, tg_verdict *out)
{
  out->orthogonal = facts->rank < unknowns ? TG_ORTHOGONAL_DEFICIENT : TG_ORTHOGONAL_FULL;
  out->rank = facts->rank;
  out->unknowns = unknowns;
  out->condition = facts->condition;
  out->gram = gram;
}

static tg_status make(const tg_method_numbers *by, const tg_dmat *const *matrices, double gram, tg_method *m)
{
  const tg_closed_stack *stack = &m->strategy->form.stack;
  const tg_plan_data *x = &by->model->plan->variables[0];
  tg_least_squares_part parts[TG_CLOSED_STACK];
  tg_least_squares_facts facts;
  int n_parts = 0;
  TG_TRY(read_parts(PER_PART * stack->n, matrices, &n_parts, parts));
  tg_direct *before = m->direct;
  m->direct = NULL;
  const tg_status status =
      tg_direct_create_least_squares(by->grid, x->rows, x->cols, stack->side == 1, n_parts, parts, &facts, &m->direct);
  if (before != NULL) m->products += (double)tg_direct_products(before);
  tg_direct_destroy(&before);
  TG_TRY(status);
  note(&facts, stack->side == 0 ? x->rows : x->cols, gram, &m->verdict);
  return TG_OK;
}

tg_status tg_method_make_orthogonal(const tg_method_numbers *by, double gram, tg_method *m)
{
  tg_node nodes[NODES] = {TG_NONE};
  tg_dmat *own[NODES] = {NULL};
  const tg_dmat *matrices[NODES] = {NULL};
  const int n = tg_method_stack_nodes(&m->strategy->form.stack, nodes);
  for (int k = 0; k < n; k++) {
    matrices[k] = find_datum(by, nodes[k]);
    if (matrices[k] != NULL) nodes[k] = TG_NONE;
  }
  tg_status status = tg_constants_evaluate(by->task, by->model, by->grid, by->data, by->x, n, nodes, own, by->products);
  for (int k = 0; k < n; k++)
    if (matrices[k] == NULL) matrices[k] = own[k];
  if (status == TG_OK) status = make(by, matrices, gram, m);
  for (int k = 0; k < n; k++) tg_dmat_destroy(&own[k]);
  return status;
}
