// The start of a graphical lasso.
#ifndef TG_ENGINE_DIAGONAL_START_H
#define TG_ENGINE_DIAGONAL_START_H

#include "engine/problem/setup.h"

// Where f = tr(S X) - c logdet(X) + w norm1(X), c > 0: x := its minimiser among diagonal matrices, x_ii = c / (s_ii +
// w), and *done, unless some s_ii + w is not positive. Proximal steps know nothing of the units of rows and columns;
// from there on they need not. Collective.
tg_status tg_diagonal_start(tg_setup *setup, bool *done);

#endif
