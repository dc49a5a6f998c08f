// The price of a closed form or a preconditioner.
#include "engine/method/method_price.h"

#include "engine/model/values.h"

typedef struct pricing {
  const tg_task *task;
  tg_model *model;
  const tg_method *method;
  const tg_cost_grid *grid;
  const tg_cost_machine *machine;
  tg_method_price *out;
} pricing;

static void take_steps(const tg_closed_plan *plan, tg_method_price *out)
{
  out->n_make = tg_closed_steps(plan, TG_CLOSED_MAKE, out->make);
  out->n_use = tg_closed_steps(plan, TG_CLOSED_USE, out->use);
}

static tg_status price_nodes(const pricing *p, int n, const tg_node *nodes)
{
  return tg_values_cost(p->task, p->model, p->grid, p->machine, n, nodes, &p->out->constants);
}

static tg_status price_direct(const pricing *p)
{
  const tg_closed_form *form = &p->method->strategy->form;
  tg_closed_plan plan;
  tg_node nodes[TG_CLOSED_MATRICES];
  TG_TRY(tg_closed_form_plan(p->model->graph, form, &plan));
  tg_closed_form_nodes(form, nodes);
  take_steps(&plan, p->out);
  return price_nodes(p, TG_CLOSED_MATRICES, nodes);
}

// The terms beside the pair: only those with factors on sides that have a basis count.
static void add_extras(const tg_offer *offer, int first, int second, tg_closed_plan *plan)
{
  for (int k = 0; k < offer->n_terms; k++) {
    const tg_closed_extra extra = {offer->terms[k].coef,
                                   {offer->terms[k].left != TG_NONE, offer->terms[k].right != TG_NONE}};
    const bool is_lost =
        (extra.has[0] && !plan->sides[0].has[TG_CLOSED_BASE]) || (extra.has[1] && !plan->sides[1].has[TG_CLOSED_BASE]);
    if (k != first && k != second && !is_lost) plan->extras[plan->n_extras++] = extra;
  }
}

// By symbols: the first pair of terms that become diagonal together, else the first term alone.
static tg_status plan_kronecker(const pricing *p, tg_closed_plan *plan)
{
  const tg_offer *offer = &p->method->strategy->offer;
  tg_graph *graph = p->model->graph;
  const int32_t variable = p->model->symbols[0];
  tg_closed_form form;
  for (int first = 0; first < offer->n_terms; first++)
    for (int second = first + 1; second < offer->n_terms; second++) {
      const tg_closed_group pair[2] = {offer->terms[first], offer->terms[second]};
      TG_TRY(tg_closed_form_of_groups(graph, variable, 2, pair, &form));
      if (form.kind == TG_CLOSED_NONE) continue;
      TG_TRY(tg_closed_form_plan(graph, &form, plan));
      add_extras(offer, first, second, plan);
      return TG_OK;
    }
  TG_TRY(tg_closed_form_of_groups(graph, variable, 1, offer->terms, &form));
  if (form.kind == TG_CLOSED_NONE) return TG_OK;
  return tg_closed_form_plan(graph, &form, plan);
}

static tg_status price_kronecker(const pricing *p)
{
  tg_node nodes[TG_STRATEGY_NODES];
  tg_closed_plan plan = {.kind = TG_CLOSED_NONE};
  const int n = tg_offer_nodes(&p->method->strategy->offer, nodes);
  TG_TRY(plan_kronecker(p, &plan));
  take_steps(&plan, p->out);
  return price_nodes(p, n, nodes);
}

// Entry by entry.
static tg_status price_diagonal(const pricing *p)
{
  const tg_offer *offer = &p->method->strategy->offer;
  const tg_plan *plan = p->model->plan;
  for (int32_t k = 0; k < plan->n_variables && k < TG_CLOSED_STEPS; k++)
    p->out->use[p->out->n_use++] =
        (tg_closed_step){.op = TG_CLOSED_OP_SCALE, .m = plan->variables[k].rows, .n = plan->variables[k].cols};
  return price_nodes(p, offer->n_diagonals, offer->diagonals);
}

// X G X.
static tg_status price_logdet(const pricing *p)
{
  const int64_t n = p->model->plan->variables[0].rows;
  const tg_closed_step product = {.op = TG_CLOSED_OP_PRODUCT, .m = n, .n = n, .k = n};
  p->out->n_use = 2;
  p->out->use[0] = p->out->use[1] = product;
  return price_nodes(p, 1, &p->method->strategy->offer.linear);
}

static tg_status price_way(const pricing *p, tg_preconditioner_kind preconditioner)
{
  static const char *const names[] = {[TG_PRECONDITIONER_NONE] = NULL,
                                      [TG_PRECONDITIONER_LOGDET] = "X*G*X of -logdet",
                                      [TG_PRECONDITIONER_KRONECKER] = "kronecker",
                                      [TG_PRECONDITIONER_DIAGONAL] = "diagonal"};
  if (tg_way_is_direct(tg_method_way(p->method))) {
    p->out->name = "direct";
    p->out->is_direct = true;
    return price_direct(p);
  }
  p->out->name = names[preconditioner];
  switch (preconditioner) {
  case TG_PRECONDITIONER_NONE:
    return TG_OK;
  case TG_PRECONDITIONER_LOGDET:
    return price_logdet(p);
  case TG_PRECONDITIONER_KRONECKER:
    return price_kronecker(p);
  case TG_PRECONDITIONER_DIAGONAL:
    break;
  }
  return price_diagonal(p);
}

static tg_status sum_steps(const pricing *p, int n, const tg_closed_step *steps, tg_cost *out)
{
  for (int k = 0; k < n; k++) {
    tg_cost part;
    TG_TRY(tg_closed_step_cost(&steps[k], p->grid, p->machine, &part));
    tg_cost_accumulate(&part, out);
  }
  return TG_OK;
}

tg_status tg_method_price_find(const tg_task *task, tg_model *model, const tg_method *method,
                               tg_preconditioner_kind preconditioner, const tg_cost_grid *grid,
                               const tg_cost_machine *machine, tg_method_price *out)
{
  const pricing p = {task, model, method, grid, machine, out};
  *out = (tg_method_price){.name = NULL};
  TG_TRY(price_way(&p, preconditioner));
  TG_TRY(sum_steps(&p, out->n_make, out->make, &out->making));
  return sum_steps(&p, out->n_use, out->use, &out->using);
}
