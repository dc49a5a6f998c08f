// What a strategy is decided by, read off a job and its model. Internal to this room.
#ifndef TG_ENGINE_METHOD_FACTS_H
#define TG_ENGINE_METHOD_FACTS_H

#include "engine/model/model.h"
#include "engine/strategy/strategy.h"

typedef struct tg_method_facts {
  tg_strategy_facts base;
  tg_strategy_variable *variables;
  tg_strategy_datum *data;
  tg_strategy_rounds rounds;
} tg_method_facts;

// To be freed, on failure too. Local.
tg_status tg_method_facts_read(const tg_task *task, const tg_model *model, tg_method_facts *out);
void tg_method_facts_fini(tg_method_facts *facts);

#endif
