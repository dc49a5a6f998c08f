// The sizes that a graph has, each once.
#ifndef TG_GRAD_DIMS_H
#define TG_GRAD_DIMS_H

#include "grad/graph/graph.h"

typedef struct tg_dim_table {
  tg_size_form *forms; // by tg_dim
  int32_t n_forms;
  int32_t capacity;
  const char **names; // by variable
  int32_t n_names;
  int32_t names_capacity;
} tg_dim_table;

void tg_dim_table_fini(tg_dim_table *table);
tg_dim_table *tg_graph_dims(tg_graph *g);
const tg_dim_table *tg_graph_known_dims(const tg_graph *g);
// An order by names and numbers, the same in every graph.
uint64_t tg_dim_hash(const tg_graph *g, tg_dim dim); // likewise
int tg_dim_compare(const tg_graph *g, tg_dim a, tg_dim b);

#endif
