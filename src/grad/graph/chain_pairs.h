// Rules for neighbours in a chain of matrices. Internal to op_prod.c.
#ifndef TG_GRAD_CHAIN_PAIRS_H
#define TG_GRAD_CHAIN_PAIRS_H

#include "grad/graph/graph.h"

// One pair of neighbours: replaced by nothing, by one node, or left alone. *out is TG_NONE for nothing.
tg_status tg_chain_join_pair(tg_graph *g, tg_node a, tg_node b, bool *joined, tg_node *out);
// inv(P)^k as base P and exponent -k, P a product of matrices alone; the exponent is 0 for anything else.
tg_status tg_chain_read_inverse(tg_graph *g, tg_node node, tg_node *base, int64_t *exponent);

#endif
