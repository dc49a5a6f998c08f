// The pictures of `plot` as a script for gnuplot.
#ifndef TG_CLI_PLOT_SCRIPT_H
#define TG_CLI_PLOT_SCRIPT_H

#include "cli/plot_history.h"

// Data and panels: gradient norm with its target, distance of the objective from the best one, violation where there is
// one; by iterations, products and seconds. Several runs are curves of the same panels. Terminal and output are the
// caller's. Local.
void tg_plot_script(int n, const tg_plot_history *histories, tg_text *out);

// text between single quotes, as gnuplot reads them.
void tg_plot_quoted(tg_text *out, const char *text);

#endif
