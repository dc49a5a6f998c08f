// Short names for the operations of a space.
#ifndef OPT_VECTOR_H
#define OPT_VECTOR_H

#include <math.h>

#include "opt/space.h"

// What may fail on one rank alone, memory above all, ends in this before the next operation of the space.
static inline tg_status opt_agree(const opt_space *space, tg_status local)
{
  return space->ops->agree(space, local);
}

static inline tg_status opt_copy(const opt_space *space, const opt_point *source, opt_point *target)
{
  return space->ops->copy(space, source, target);
}

// y := a x + b y
static inline tg_status opt_axpby(const opt_space *space, double a, const opt_point *x, double b, opt_point *y)
{
  return space->ops->axpby(space, a, x, b, y);
}

static inline tg_status opt_dot(const opt_space *space, const opt_point *x, const opt_point *y, double *out)
{
  return space->ops->dots(space, 1, &x, &y, out);
}

// Over the groups of the space where n_groups is their number, over all entries at once where it is 1.
static inline tg_status opt_group_dots(const opt_space *space, int n_groups, int count, const opt_point *const *x,
                                       const opt_point *const *y, double *out)
{
  return (n_groups > 1 ? space->ops->group_dots : space->ops->dots)(space, count, x, y, out);
}

static inline tg_status opt_group_axpby(const opt_space *space, int n_groups, const double *a, const opt_point *x,
                                        const double *b, opt_point *y)
{
  return n_groups > 1 ? space->ops->group_axpby(space, a, x, b, y) : space->ops->axpby(space, *a, x, *b, y);
}

static inline void opt_swap(opt_point **a, opt_point **b)
{
  opt_point *kept = *a;
  *a = *b;
  *b = kept;
}

static inline tg_status opt_norm(const opt_space *space, const opt_point *x, double *out)
{
  TG_TRY(opt_dot(space, x, x, out));
  *out = sqrt(*out);
  return TG_OK;
}

#endif
