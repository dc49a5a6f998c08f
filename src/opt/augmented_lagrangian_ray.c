// Unbounded under constraints: a ray is followed, and the constraints are asked how large their violation is beside
// their terms far out. Those that are linear so prove it up to rounding.
#include <math.h>

#include "opt/augmented_lagrangian_parts.h"
#include "opt/vector.h"

static const double far_out = 1e8;          // times what was gone
static const double feasible_share = 1e-10; // of the terms of a constraint far out
static const double ran_away = 1e6;         // times what the first round went
static const double linear = 0.5;           // f falls there by at least this share of the rate met so far

// x := start + t (x - start), moved into the feasible set, f and the constraints there.
static tg_status measure_at(opt_outer *o, double t, opt_measure *out)
{
  const opt_constraint *set = o->problem->constraint;
  TG_TRY(opt_axpby(o->problem->space, 1 - t, o->first_start, t, o->x));
  if (set != NULL) TG_TRY(set->ops->project(set, o->x));
  return o->lagrangian->ops->probe(o->lagrangian, o->x, out);
}

static tg_status explore(opt_outer *o, double gone, bool *ended)
{
  opt_measure start;
  opt_measure far;
  TG_TRY(measure_at(o, 0, &start));
  TG_TRY(opt_copy(o->problem->space, o->aside, o->x));
  TG_TRY(measure_at(o, far_out, &far));
  const double fall = start.objective - o->measure.objective;
  const bool falls = fall > 1e-6 * fmax(fabs(start.objective), o->value_scale) && isfinite(far.objective) &&
                     start.objective - far.objective >= linear * far_out * fall;
  if (!falls || !(far.share <= feasible_share)) return TG_OK;
  const double sign = o->options->wording->sign;
  *ended =
      opt_outer_end(o, OPT_UNBOUNDED,
                    "the objective is unbounded %s: along a direction d with |d| = 1 from the start the constraints "
                    "hold, and it %s to %.4g at distance %.4g and to %.4g at distance %.4g; add a constraint or a "
                    "regularising term",
                    o->options->wording->below, o->options->wording->fell, sign * o->measure.objective, gone,
                    sign * far.objective, far_out * gone);
  return TG_OK;
}

static bool has_manifold(const opt_outer *o)
{
  const opt_constraint *set = o->problem->constraint;
  return set != NULL && set->traits.geometry != OPT_GEOMETRY_CONVEX;
}

tg_status opt_outer_test_ray(opt_outer *o, bool *ended)
{
  const opt_space *space = o->problem->space;
  double gone = 0;
  *ended = false;
  if (o->lagrangian->ops->probe == NULL || has_manifold(o) || !isfinite(o->measure.objective)) return TG_OK;
  TG_TRY(opt_copy(space, o->first_start, o->aside));
  TG_TRY(opt_axpby(space, 1, o->x, -1, o->aside));
  TG_TRY(opt_norm(space, o->aside, &gone));
  if (!(gone > 0) || !isfinite(gone)) return TG_OK;
  if (!(o->first_gone > 0)) o->first_gone = gone;
  if (o->inner.outcome != OPT_UNBOUNDED && gone < ran_away * o->first_gone) return TG_OK;
  TG_TRY(opt_copy(space, o->x, o->aside));
  TG_TRY(explore(o, gone, ended));
  TG_TRY(opt_copy(space, o->aside, o->x));
  if (*ended) {
    TG_TRY(opt_axpby(space, -1, o->first_start, 1, o->aside));
    TG_TRY(opt_outer_loop_show_ray(&o->outer_loop, o->aside));
  }
  opt_measure again; // what the update of the multipliers reads
  return o->lagrangian->ops->measure(o->lagrangian, o->x, &again);
}
