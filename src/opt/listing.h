// The named content of a minimisation: what a checkpoint holds.
#ifndef OPT_LISTING_H
#define OPT_LISTING_H

#include <stdbool.h>

#include "opt/space.h"

// Entries point into the live state: a writer reads through them, a restorer writes through them. Points may change
// places between iterations, so the pointers are valid inside the callback only. No two entries have one name.
typedef struct opt_listed_vector {
  char name[32];    // "x", "gradient", "direction", "s3"
  opt_point *point; // of the run's space, or of a space of its own: an image of the current point
  bool is_idle;     // holds nothing that will be read: needs no place in a checkpoint
} opt_listed_vector;

typedef struct opt_listed_scalar {
  char name[32];
  double *number; // exactly one of number and count is set
  int64_t *count;
  int64_t least; // of a count: what a resumed run may find
  int64_t most;
} opt_listed_scalar;

typedef struct opt_listing {
  int n_vectors;
  opt_listed_vector *vectors;
  int n_scalars;
  opt_listed_scalar *scalars;
  const char *prefix; // of the names to come; NULL: none
  int vector_capacity;
  int scalar_capacity;
} opt_listing;

// Adds an entry; the name is that of a family where index >= 0: "s" and 3 give "s3". Local.
tg_status opt_listing_add_vector(opt_listing *listing, const char *name, int64_t index, opt_point *point);
tg_status opt_listing_add_number(opt_listing *listing, const char *name, int64_t index, double *number);
tg_status opt_listing_add_count(opt_listing *listing, const char *name, int64_t *count);
// Says of the count added last what it may be, where that is not any whole number from 0 to 2^53: it is an index, say.
// A checkpoint with another value is refused.
void opt_listing_limit(opt_listing *listing, int64_t least, int64_t most);
// Says of the vector added last whether it is idle.
void opt_listing_mark(opt_listing *listing, bool is_idle);
// Forgets the entries and keeps the memory.
void opt_listing_clear(opt_listing *listing);
void opt_listing_fini(opt_listing *listing);

#endif
