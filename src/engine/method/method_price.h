// What a method costs beside the programs of the plan: the expressions that it is made of, its factorisations, each
// use.
#ifndef TG_ENGINE_METHOD_PRICE_H
#define TG_ENGINE_METHOD_PRICE_H

#include "engine/method/method.h"
#include "grad/plan/closed_cost.h"

typedef struct tg_method_price {
  const char *name; // "direct", or of the preconditioner that there may be; NULL: nothing
  bool is_direct;
  int n_make;
  tg_closed_step make[TG_CLOSED_STEPS];
  int n_use; // a step of direct, an application of the preconditioner
  tg_closed_step use[TG_CLOSED_STEPS];
  tg_cost constants; // the expressions, evaluated once
  tg_cost making;
  tg_cost using;
} tg_method_price;

// Price of direct where that is the method, else of its solver's preconditioner `preconditioner`: that of the way
// taken, or the one that there may be (tg_strategy_offered). The numbers decide which terms of KRONECKER serve; the
// price covers those that the symbols suggest. Adds symbols to the graph. Local, no data.
tg_status tg_method_price_find(const tg_task *task, tg_model *model, const tg_method *method,
                               tg_preconditioner_kind preconditioner, const tg_cost_grid *grid,
                               const tg_cost_machine *machine, tg_method_price *out);

#endif
