// Names numbered in the order of their first appearance.
#ifndef TG_GRAD_NAME_INDEX_H
#define TG_GRAD_NAME_INDEX_H

#include <stdint.h>

#include "base/status.h"

typedef struct tg_name_index {
  const char **names; // not copied
  int32_t n;
  int32_t capacity;
  int32_t *slots; // by hash, the number of a name plus 1; 0 is free
  int32_t n_slots;
} tg_name_index;

void tg_name_index_fini(tg_name_index *index);
void tg_name_index_clear(tg_name_index *index);
// The number of a name, -1 for one that is not there.
int32_t tg_name_index_find(const tg_name_index *index, const char *name);
tg_status tg_name_index_add(tg_name_index *index, const char *name, int32_t *out);

#endif
