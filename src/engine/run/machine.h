// The constants of the cost model, as measured by bench/bench_machine.
#ifndef TG_ENGINE_MACHINE_H
#define TG_ENGINE_MACHINE_H

#include "grad/plan/cost.h"

#define TG_MACHINE_VARIABLE "TRACEGRAD_MACHINE"

enum { TG_MACHINE_FILE_BYTES = 1 << 16 };

// Reads the last line of the file that begins with '{': a JSON object with the numbers flops_per_thread, link_bytes,
// memory_bytes (each > 0) and latency_sec (>= 0); other keys are ignored. TG_DATA names the file and what is missing
// or wrong. Local.
tg_status tg_machine_read(const char *path, tg_cost_machine *out);

// The machine of the file that the environment variable TRACEGRAD_MACHINE names, with *source that name; the default
// and NULL when it is not set or empty. Local.
tg_status tg_machine_get(tg_cost_machine *out, const char **source);

#endif
