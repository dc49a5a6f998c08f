// What the decision shares with its parts. Internal to this room.
#ifndef TG_ENGINE_STRATEGY_PARTS_H
#define TG_ENGINE_STRATEGY_PARTS_H

#include "engine/strategy/strategy.h"

// A decision in progress: what it reads, and what it writes.
typedef struct tg_deciding {
  tg_graph *graph;
  const tg_strategy_facts *facts;
  const tg_strategy_costs *costs;
  opt_traits traits; // of the variables' sets
  bool is_auto;      // the job leaves the method open
  bool has_border;   // the domain of the objective ends at entries of a variable
  tg_strategy *out;
  tg_strategy_key *key;
} tg_deciding;

bool tg_strategy_has_norm1(const tg_strategy_facts *facts);
bool tg_strategy_has_set(const tg_strategy_facts *facts);
// The objective with the job's numbers in it: the signs matter, and mu*eye is no matrix to factorise.
tg_status tg_strategy_with_numbers(tg_graph *graph, const tg_strategy_facts *facts, tg_node *f);

// Hessian actions that the factorisations of a form for the matrix x cost, by flops of dense operations.
double tg_strategy_form_cost(const tg_graph *graph, const tg_plan_data *x, const tg_closed_form *form);
// Whether each variable alone, the others held, is minimised at once or nearly so (strategize_halves.c).
tg_status tg_strategy_find_halves(const tg_deciding *d, bool *out);
// Whether the domain of the objective ends at entries of a variable, none of which lives among symmetric matrices, and
// has a Hessian inside (strategize_offer.c).
tg_status tg_strategy_find_border(tg_graph *graph, const tg_strategy_facts *facts, bool *out);
// Sets out->offer: the candidates for a preconditioner of `solver`, and out->signed_symbols (strategize_offer.c).
tg_status tg_strategy_find_offer(const tg_deciding *d, const struct opt_solver *solver);
// Sets logdet, linear and rest of the offer (strategize_logdet.c).
tg_status tg_strategy_find_logdet(const tg_deciding *d, tg_node f, tg_offer *offer);

#endif
