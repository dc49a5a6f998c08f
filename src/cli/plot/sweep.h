// The pictures of `plot` of a sweep or of tune: scores and norms over the numbers.
#ifndef TG_CLI_PLOT_SWEEP_H
#define TG_CLI_PLOT_SWEEP_H

#include "cli/plot/chart.h"

// Whether the folder holds the rows of a sweep or of tune, and no history of its own beside them.
bool tg_plot_is_sweep(const char *folder);
// The script for gnuplot. Of a sweep over the number with the most values, a curve for each combination of the others:
// the mean score with its standard error, or without folds the objective; and the norm of the solution. Of tune the
// score of each evaluation over each number. TG_DATA. Local.
tg_status tg_plot_sweep_script(const char *folder, const tg_plot_axes *axes, tg_text *out);

#endif
