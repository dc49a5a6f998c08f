// The gradient inside a linear set of matrices: the orthogonal projection of the gradient of free entries.
#ifndef TG_DERIVE_WITHIN_H
#define TG_DERIVE_WITHIN_H

#include "derive/declarations.h"

// A linear set of square matrices and the orthogonal projection onto it.
typedef struct tg_within {
  const char *name;
  unsigned property; // that the variable is declared with; 0: none says it
  tg_status (*project)(tg_graph *g, tg_node gradient, tg_node *out);
  double (*point)(const double *x, int64_t n, int64_t i, int64_t j); // entry (i, j) of a point made from any matrix
  const char *rule;
} tg_within;

// The set of a name. TG_USAGE names the option and the nearest set.
tg_status tg_within_find(const tg_derive_words *words, const char *name, const tg_within **out);
// TG_USAGE unless the symbol may lie in the set: unless it is square.
tg_status tg_within_check_shape(const tg_within *set, const tg_derive_words *words, const tg_graph *graph,
                                int32_t symbol);
// The projection of a derivative by the symbol, at points of the set and along directions in it. direction: the symbol
// of V, or -1.
tg_status tg_within_project(const tg_within *set, tg_graph *graph, int32_t symbol, int32_t direction, tg_node *node);
// Moves the n x n matrix x into the set.
void tg_within_move(const tg_within *set, int64_t n, double *x);

#endif
