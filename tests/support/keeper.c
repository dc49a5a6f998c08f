// Checkpoints in memory, by name.
#include "support/keeper.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/serial_space.h"

static keeper_vector *find_vector(keeper *k, const char *name)
{
  for (int i = 0; i < k->n_vectors; i++)
    if (strcmp(k->vectors[i].name, name) == 0) return &k->vectors[i];
  return NULL;
}

static keeper_scalar *find_scalar(keeper *k, const char *name)
{
  for (int i = 0; i < k->n_scalars; i++)
    if (strcmp(k->scalars[i].name, name) == 0) return &k->scalars[i];
  return NULL;
}

static void fault(keeper *k, const char *what, const char *name)
{
  fprintf(stderr, "checkpoint: %s '%s'\n", what, name);
  k->faults++;
}

static tg_status poll(void *self, opt_poll *poll)
{
  keeper *k = self;
  k->polls++;
  poll->interrupted = k->polls == k->interrupt_at;
  poll->checkpoint_due = k->every > 0 && k->polls % k->every == 0;
  return TG_OK;
}

static tg_status checkpoint(void *self, opt_listing *listing)
{
  keeper *k = self;
  k->checkpoints++;
  k->n_vectors = k->n_scalars = 0;
  TG_ASSERT(listing->n_vectors <= KEEPER_ENTRIES_MAX && listing->n_scalars <= KEEPER_ENTRIES_MAX);
  TG_ASSERT(k->dimension <= KEEPER_NUMBERS_MAX);
  for (int i = 0; i < listing->n_vectors; i++) {
    const opt_listed_vector *entry = &listing->vectors[i];
    if (find_vector(k, entry->name) != NULL) fault(k, "two vectors", entry->name);
    keeper_vector *kept = &k->vectors[k->n_vectors++];
    snprintf(kept->name, sizeof kept->name, "%s", entry->name);
    kept->is_idle = entry->is_idle;
    if (!kept->is_idle)
      memcpy(kept->numbers, serial_block_const(entry->point, 0), (size_t)k->dimension * sizeof(double));
  }
  for (int i = 0; i < listing->n_scalars; i++) {
    const opt_listed_scalar *entry = &listing->scalars[i];
    if (find_scalar(k, entry->name) != NULL) fault(k, "two scalars", entry->name);
    TG_ASSERT((entry->number != NULL) != (entry->count != NULL));
    keeper_scalar *kept = &k->scalars[k->n_scalars++];
    snprintf(kept->name, sizeof kept->name, "%s", entry->name);
    kept->is_count = entry->count != NULL;
    if (kept->is_count) kept->count = *entry->count;
    if (!kept->is_count) kept->number = *entry->number;
  }
  return TG_OK;
}

static void restore_vector(keeper *k, const opt_listed_vector *entry)
{
  const keeper_vector *kept = find_vector(k, entry->name);
  if (kept == NULL) {
    fault(k, "no vector", entry->name);
    return;
  }
  double *to = serial_block(entry->point, 0);
  for (int64_t i = 0; i < k->dimension; i++) to[i] = kept->is_idle ? (double)NAN : kept->numbers[i];
}

static tg_status restore(void *self, const opt_listing *listing, bool *restored)
{
  keeper *k = self;
  *restored = k->restores;
  if (!k->restores) return TG_OK;
  k->restored++;
  for (int i = 0; i < listing->n_vectors; i++) restore_vector(k, &listing->vectors[i]);
  for (int i = 0; i < listing->n_scalars; i++) {
    const opt_listed_scalar *entry = &listing->scalars[i];
    const keeper_scalar *kept = find_scalar(k, entry->name);
    if (kept == NULL || kept->is_count != (entry->count != NULL)) {
      fault(k, "no scalar", entry->name);
      continue;
    }
    if (entry->count != NULL) *entry->count = kept->count;
    if (entry->number != NULL) *entry->number = kept->number;
  }
  return TG_OK;
}

opt_observer keeper_observer(keeper *k)
{
  return (opt_observer){.self = k, .poll = poll, .checkpoint = checkpoint, .restore = restore};
}
