// A matrix file as a picture.
#ifndef TG_CLI_PLOT_MATRIX_H
#define TG_CLI_PLOT_MATRIX_H

#include "cli/plot/chart.h"

// Whether the name has the suffix of a matrix format.
bool tg_plot_is_matrix(const char *path);

// The matrix as a heat map, of large ones the means of blocks, and its singular values where its smaller side is at
// most 1500. This process holds the matrix. TG_DATA, TG_MEMORY. Needs MPI; local.
tg_status tg_plot_matrix(const char *path, const tg_plot_axes *axes, tg_text *out);

#endif
