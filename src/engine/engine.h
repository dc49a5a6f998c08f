// From a spec to its minimum, in steps: what a run, a check and a library have in common.
//
//     create   symbols, plan, method and grid; the forecast of memory. No data is read.
//     admit    what does not fit the machine is refused
//     fill     data, start point, problem
//     probe    the gradient is tested at the start
//     prepare  the numbers of the method
//     minimise, settle, count
//
// Between two steps a caller may show what was decided, ask for signals, write files. All calls are collective.
#ifndef TG_ENGINE_ENGINE_H
#define TG_ENGINE_ENGINE_H

#include "engine/state.h"

// *out is never NULL after TG_OK and may be set after a failure too: tg_engine_destroy in any case. The spec must
// outlive the engine. Errors about the spec carry its marks.
tg_status tg_engine_create(MPI_Comm comm, const tg_spec *spec, const tg_engine_options *options, tg_engine **out);
// NULL is fine.
void tg_engine_destroy(tg_engine **engine);
// Warns, through spec->messages, of data and options that nothing uses. Local.
void tg_engine_warn_unused(const tg_engine *engine);
// TG_MEMORY where a rank would need more than it has.
tg_status tg_engine_admit(tg_engine *engine, const tg_memory_room *room);
tg_status tg_engine_fill(tg_engine *engine);
// Whether where it ends may serve the next point of a sweep as a start, by options.begins_warm. Local.
bool tg_engine_serves_starts(const tg_engine *engine);
// TG_DATA where data or plan are not those of the checkpoint resumed from; TG_NUMERIC where the gradient is wrong.
tg_status tg_engine_probe(tg_engine *engine);
// *changed: the numbers have led to another method than the plan's, or the halves of `alternating` to theirs.
tg_status tg_engine_prepare(tg_engine *engine, bool *changed);
// The minimisation itself; the point returned is in setup->x.
tg_status tg_engine_minimise(tg_engine *engine, const opt_observer *observer);
// Completes the result: products, the objective as it is written, reasons that the driver does not know; then goes from
// the variables that were minimised over to those of the spec.
tg_status tg_engine_settle(tg_engine *engine);
// What was counted and predicted, of all ranks.
tg_status tg_engine_count(tg_engine *engine);

// For an observer. Local: what a checkpoint says of the run; and that the first iteration after it was resumed begins.
void tg_engine_describe(const tg_engine *engine, tg_checkpoint_facts *facts);
void tg_engine_note_resumed(tg_engine *engine);
// Appends "; text" to the reason of the result. Local.
void tg_engine_add_reason(tg_engine *engine, const char *text);

#endif
