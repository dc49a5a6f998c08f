// A sweep whose ranks are split into groups that take points side by side.
#ifndef TG_REPORT_SWEEP_GROUPS_H
#define TG_REPORT_SWEEP_GROUPS_H

#include "report/sweep.h"

// How many groups the job asks for, on so many ranks and for so many points; under `auto` the number that the model
// prices lowest and whose ranks have the memory for: 1 is no group. TG_VALUE, located: more groups than ranks. Local.
tg_status tg_sweep_count_groups(const tg_spec *base, int ranks, int threads, double rank_bytes, int64_t n_points,
                                int *out);
// As tg_sweep_execute: each group runs neighbours on the path, as a part of its own. Collective.
tg_status tg_sweep_execute_groups(MPI_Comm comm, const tg_job *job, const tg_sweep_options *options, int n_groups,
                                  tg_sweep_run **out);

#endif
