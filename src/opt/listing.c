// The named content of a minimisation, as a checkpoint sees it.
#include "opt/listing.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/memory.h"

// "s3" for index 3, the name alone for index -1.
static void write_name(const opt_listing *listing, char target[32], const char *name, int64_t index)
{
  const char *prefix = listing->prefix != NULL ? listing->prefix : "";
  if (index < 0) {
    snprintf(target, 32, "%s%s", prefix, name);
  } else {
    snprintf(target, 32, "%s%s%" PRId64, prefix, name, index);
  }
}

static tg_status reserve(int count, int *capacity, size_t item_bytes, void **items)
{
  if (count < *capacity) return TG_OK;
  const int larger = *capacity > 0 ? 2 * *capacity : 16;
  TG_TRY(tg_grow(larger, item_bytes, items));
  *capacity = larger;
  return TG_OK;
}

tg_status opt_listing_add_vector(opt_listing *listing, const char *name, int64_t index, opt_point *point)
{
  TG_TRY(reserve(listing->n_vectors, &listing->vector_capacity, sizeof *listing->vectors, (void **)&listing->vectors));
  opt_listed_vector *entry = &listing->vectors[listing->n_vectors++];
  write_name(listing, entry->name, name, index);
  entry->point = point;
  entry->is_idle = false;
  return TG_OK;
}

void opt_listing_mark(opt_listing *listing, bool is_idle)
{
  TG_ASSERT(listing->n_vectors > 0);
  listing->vectors[listing->n_vectors - 1].is_idle = is_idle;
}

static tg_status add_scalar(opt_listing *listing, const char *name, int64_t index, double *number, int64_t *count)
{
  TG_TRY(reserve(listing->n_scalars, &listing->scalar_capacity, sizeof *listing->scalars, (void **)&listing->scalars));
  opt_listed_scalar *entry = &listing->scalars[listing->n_scalars++];
  write_name(listing, entry->name, name, index);
  entry->number = number;
  entry->count = count;
  entry->least = 0;
  entry->most = INT64_C(1) << 53;
  return TG_OK;
}

tg_status opt_listing_add_number(opt_listing *listing, const char *name, int64_t index, double *number)
{
  TG_TRY(add_scalar(listing, name, index, number, NULL));
  return TG_OK;
}

tg_status opt_listing_add_count(opt_listing *listing, const char *name, int64_t *count)
{
  TG_TRY(add_scalar(listing, name, -1, NULL, count));
  return TG_OK;
}

void opt_listing_limit(opt_listing *listing, int64_t least, int64_t most)
{
  TG_ASSERT(listing->n_scalars > 0);
  opt_listed_scalar *entry = &listing->scalars[listing->n_scalars - 1];
  TG_ASSERT(entry->count != NULL);
  entry->least = least;
  entry->most = most;
}

void opt_listing_clear(opt_listing *listing)
{
  listing->n_vectors = 0;
  listing->n_scalars = 0;
}

void opt_listing_fini(opt_listing *listing)
{
  tg_free(listing->vectors);
  tg_free(listing->scalars);
  *listing = (opt_listing){0};
}
