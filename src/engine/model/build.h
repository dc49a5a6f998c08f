// Makes the model of a spec.
#ifndef TG_ENGINE_BUILD_H
#define TG_ENGINE_BUILD_H

#include "engine/model/model.h"

// Objective to graph to plan. task->data must have their sizes. Errors are located in the job. Local, no data.
tg_status tg_model_create(tg_task *task, const tg_lower_options *options, tg_model **out);
// The same of a spec without constraints and relations, for an objective that is evaluated and not minimised: nothing
// is taken out of it.
tg_status tg_model_create_plain(tg_task *task, const tg_lower_options *options, tg_model **out);
// The failures that the expressions and the headers of files have besides those that spec->errors has already, all kept
// there; returns the first. For a spec that could not be read as a whole; is_incomplete: variables or data are missing
// in it. Local.
tg_status tg_model_find_errors(const tg_spec *spec, bool is_incomplete);
// Whether abs, relu and the like stand in the expression. Local.
tg_status tg_model_find_kinks(const tg_graph *graph, tg_node f, bool *out);
// The plan of another scalar f over the symbols[0..n) of the same graph, with the job's numbers for its scalars. Local.
tg_status tg_model_lower(const tg_task *task, tg_graph *graph, tg_node f, int n, const int32_t *symbols,
                         const tg_lower_options *given, tg_plan **out);

#endif
