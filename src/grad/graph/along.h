// Functions of a matrix whose derivatives along one direction, L(S,V), and along two, L2(S,V,W), are operators as well:
// the differentials and adjoints that they share.
#ifndef TG_GRAD_ALONG_H
#define TG_GRAD_ALONG_H

#include "grad/graph/op.h"

typedef struct tg_along {
  int32_t first; // the directions are arguments first and first + 1, S is argument 0
  // L(s,v), or L2(s,v,w), of the function that `of` belongs to; w is TG_NONE for one direction.
  tg_status (*make)(tg_graph *g, const tg_info *of, tg_node s, tg_node v, tg_node w, tg_node *out);
  tg_status (*refuse_third)(const tg_graph *g, tg_node node); // derivative: the error
} tg_along;

// Arguments between S and the directions must be constant.
tg_status tg_along_forward(tg_graph *g, const tg_along *along, tg_node node, const tg_node *d, tg_node *out);
tg_status tg_along_reverse(tg_graph *g, const tg_along *along, tg_node node, tg_node adjoint, int32_t k, tg_node *out);

#endif
