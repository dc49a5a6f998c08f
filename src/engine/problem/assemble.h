// Makes a setup, step by step, and frees it.
#ifndef TG_ENGINE_ASSEMBLE_H
#define TG_ENGINE_ASSEMBLE_H

#include "engine/problem/setup.h"
#include "engine/share/share.h"

// Like tg_setup_compile, but what is refused may be possible with symmetric data: those that the spec leaves open are
// supposed to be, until they are read. Local.
tg_status tg_setup_compile_supposing(tg_task *task, const tg_lower_options *options, tg_model **model,
                                     tg_method **method, bool *is_supposed);
// The spec must outlive the setup. share: of a point of a sweep, not owned; NULL: none. Sizes (headers of files, by
// rank 0), plan and grid: everything before the numbers. Collective.
tg_status tg_setup_create(MPI_Comm comm, const tg_spec *spec, const tg_lower_options *options, tg_share *share,
                          tg_setup **out);
// The same for an objective that is evaluated and not minimised, in the user's terms: a spec without constraints and
// relations, no method. Collective.
tg_status tg_setup_create_plain(MPI_Comm comm, const tg_spec *spec, tg_share *share, tg_setup **out);
// Flops of products, factorisations and decompositions since the setup was made: those of the method, of tests, of the
// objective as it is written and of scores included. Local, the same on all ranks.
double tg_setup_flops(const tg_setup *setup);
// Its data, space, executor and problem; x is the start as the spec gives it. Collective.
tg_status tg_setup_fill_plain(tg_setup *setup);
// Reads or generates the data, verifies declared properties, makes start point, executor and problem. Where the numbers
// show properties that the spec does not declare, model and method become those of the spec that does
// (found_use.h). Collective.
tg_status tg_setup_fill(tg_setup *setup);
// The start again: random entries with seeds seed + shift, moved into the feasible set. Collective.
tg_status tg_setup_start_again(tg_setup *setup, int64_t shift);
// The start is made of where the last points of a sweep ended: by those weights of the share with which f is lowest,
// moved into the feasible set. *serves false: f is not defined there, and the start is the job's own. Collective.
tg_status tg_setup_start_from(tg_setup *setup, bool *serves);
// NULL is fine. Collective: the grid's communicators are freed.
void tg_setup_destroy(tg_setup **setup);

// The grid for this job on that many ranks: as given in the job, or chosen for its largest matrix. TG_VALUE, located,
// when the job's own does not fit the number of ranks. Local.
tg_status tg_setup_choose_grid(const tg_task *task, const tg_plan *plan, int ranks, tg_grid_choice *out);

#endif
