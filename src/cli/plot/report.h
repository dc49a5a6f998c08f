// Pictures of what report.json and the JSON of `check` say.
#ifndef TG_CLI_PLOT_REPORT_H
#define TG_CLI_PLOT_REPORT_H

#include "cli/plot/chart.h"

// Where the time of the run in `folder` went: seconds by kind of work (products by form, factorisations, entrywise
// work, sums, the method, reading, setup, writing), bytes sent by the same kinds, and the forecast of memory by use. A
// product's messages count with it: they overlap. TG_DATA: no report.json, or one that lacks these. Local.
tg_status tg_plot_time(const char *folder, const tg_plot_axes *axes, tg_text *out);

// Seconds of the iterations of n runs over the cores (ranks times threads), both logarithmic, with the line of ideal
// scaling through the one with the fewest cores, and the parallel efficiency. TG_DATA: fewer than two numbers of cores,
// or runs of different objectives. Local.
tg_status tg_plot_scaling(int n, const char *const *folders, const tg_plot_axes *axes, tg_text *out);

// Whether the path names a file of JSON, such as `tracegrad check JOB --format json > FILE.json`.
bool tg_plot_is_json(const char *path);
// Taylor remainders of gradient and Hessian action over the step, both logarithmic, with lines of slope 2: a right
// derivative is parallel to them between curvature and rounding. TG_DATA. Local.
tg_status tg_plot_taylor(const char *path, const tg_plot_axes *axes, tg_text *out);

#endif
