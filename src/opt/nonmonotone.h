// The last values of f, which a method that is not monotone may rise to.
//
// L. Grippo, F. Lampariello and S. Lucidi, SIAM J. Numer. Anal. 23 (1986).
#ifndef OPT_NONMONOTONE_H
#define OPT_NONMONOTONE_H

#include <math.h>

#include "base/memory.h"
#include "opt/solver.h"

typedef struct opt_recent {
  double *values; // a ring
  int64_t memory;
  int64_t n_values; // ever put in
} opt_recent;

static inline tg_status opt_recent_create(int64_t memory, opt_recent *out)
{
  out->memory = memory;
  TG_TRY(tg_alloc(memory, sizeof *out->values, (void **)&out->values));
  return TG_OK;
}

static inline void opt_recent_destroy(opt_recent *recent)
{
  tg_free(recent->values);
}

// Remembers f; returns how far the largest remembered value stands above it.
static inline double opt_recent_allowance(opt_recent *recent, double f)
{
  recent->values[recent->n_values++ % recent->memory] = f;
  double largest = f;
  for (int64_t i = 0; i < recent->memory && i < recent->n_values; i++) largest = fmax(largest, recent->values[i]);
  return largest - f;
}

static inline tg_status opt_recent_list(opt_recent *recent, opt_listing *listing)
{
  TG_TRY(opt_listing_add_count(listing, "n_values", &recent->n_values));
  for (int64_t i = 0; i < recent->memory; i++) TG_TRY(opt_listing_add_number(listing, "value", i, &recent->values[i]));
  return TG_OK;
}

#endif
