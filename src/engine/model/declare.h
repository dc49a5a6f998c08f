// What the calculus is given of a spec: declarations, named parts, excerpts, numbers.
#ifndef TG_ENGINE_DECLARE_H
#define TG_ENGINE_DECLARE_H

#include "engine/task.h"
#include "grad/calculus.h"

// The variables and the used data as the calculus knows them; a size of 0 is open. To be freed. Local.
tg_status tg_model_declare(const tg_task *task, tg_declaration **out, int32_t *count);
// The named parts as the calculus knows them. To be freed. Local.
tg_status tg_model_parts(const tg_task *task, tg_part **out);
// Compiles an expression of the spec; what is kept in options->errors has its places in the user's text.
tg_status tg_model_compile_excerpt(tg_graph *graph, const tg_excerpt *excerpt, const tg_compile_options *options,
                                   tg_node *out);
// By symbol: the numbers that the job gives, and which have one. To be freed, on failure too. Local.
tg_status tg_model_numbers(const tg_task *task, const tg_graph *graph, double **values, bool **is_known);

#endif
