// The decision in sentences.
#ifndef TG_ENGINE_STRATEGY_WORDS_H
#define TG_ENGINE_STRATEGY_WORDS_H

#include "engine/strategy/strategy.h"

// One line: which method, and why. "direct, because the Hessian action is ...".
void tg_strategy_explain(tg_graph *graph, const tg_strategy *strategy, const tg_verdict *verdict, tg_text *out);
// Which preconditioner, and why none: "kronecker, renewed after 6, 18, 54, ... iterations". Once the numbers are known.
void tg_strategy_explain_preconditioner(const tg_strategy *strategy, const tg_verdict *verdict, tg_text *out);
// Which method has taken over, and why.
void tg_strategy_explain_exchange(const tg_strategy *strategy, const tg_verdict *verdict, tg_text *out);
// Why there is no closed form.
void tg_strategy_explain_form(tg_graph *graph, const tg_strategy *strategy, tg_text *out);
// Lines of the header, before the numbers are known: method, search, memory, preconditioner; `groups` stands in its
// place, "": there is one group.
void tg_strategy_print(tg_graph *graph, const tg_strategy *strategy, const tg_verdict *verdict, const char *groups,
                       tg_text *out);
// Why this way does not use the option.
void tg_unused_explain(const tg_unused *unused, const tg_strategy *strategy, const tg_way *way, tg_text *out);

#endif
