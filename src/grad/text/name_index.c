// A hash table of names, open addressing.
#include "grad/text/name_index.h"

#include <string.h>

#include "base/memory.h"

void tg_name_index_fini(tg_name_index *index)
{
  tg_free(index->names);
  tg_free(index->slots);
  *index = (tg_name_index){0};
}

void tg_name_index_clear(tg_name_index *index)
{
  index->n = 0;
  if (index->n_slots > 0) memset(index->slots, 0, (size_t)index->n_slots * sizeof index->slots[0]);
}

// The slot of a name, or the free one where it belongs.
static int32_t slot_of(const tg_name_index *index, const char *name)
{
  uint32_t hash = 2166136261u;
  for (const char *c = name; *c != '\0'; c++) hash = (hash ^ (unsigned char)*c) * 16777619u;
  int32_t slot = (int32_t)(hash & (uint32_t)(index->n_slots - 1));
  while (index->slots[slot] != 0 && strcmp(index->names[index->slots[slot] - 1], name) != 0)
    slot = (slot + 1) & (index->n_slots - 1);
  return slot;
}

int32_t tg_name_index_find(const tg_name_index *index, const char *name)
{
  return index->n_slots == 0 ? -1 : index->slots[slot_of(index, name)] - 1;
}

static tg_status grow(tg_name_index *index)
{
  const int32_t capacity = index->capacity > 0 ? 2 * index->capacity : 16;
  int32_t *slots = NULL;
  TG_TRY(tg_grow(capacity, sizeof index->names[0], (void **)&index->names));
  TG_TRY(TG_NEW(2 * (int64_t)capacity, &slots));
  tg_free(index->slots);
  index->slots = slots;
  index->n_slots = 2 * capacity;
  index->capacity = capacity;
  for (int32_t i = 0; i < index->n; i++) index->slots[slot_of(index, index->names[i])] = i + 1;
  return TG_OK;
}

tg_status tg_name_index_add(tg_name_index *index, const char *name, int32_t *out)
{
  *out = tg_name_index_find(index, name);
  if (*out >= 0) return TG_OK;
  if (index->n == index->capacity) TG_TRY(grow(index));
  index->names[index->n] = name;
  *out = index->n++;
  index->slots[slot_of(index, name)] = index->n;
  return TG_OK;
}
