// The convergence of runs as a picture.
#ifndef TG_CLI_PLOT_CONVERGENCE_H
#define TG_CLI_PLOT_CONVERGENCE_H

#include "cli/plot/chart.h"
#include "cli/plot/history.h"

// Data and panels: gradient norm with its target, distance of the objective from the best one, violation where there is
// one; a column each by iterations, products and seconds, of those that axes->by asks for. Several runs are curves of
// the same panels. Of a single run attempts are curves of their own, and dotted lines show where attempts, or rounds of
// the augmented Lagrangian, begin. Terminal and output are the caller's. Local.
void tg_plot_convergence(int n, const tg_plot_history *histories, const tg_plot_axes *axes, tg_text *out);

#endif
