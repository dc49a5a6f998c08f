// Saddles under constraints. Before the whole is called converged, the last L is looked at along negative curvature.
//
// Inequalities that do not bind, with multipliers of zero, have a kink in the curvature of L at x: half of r J'J there.
// Shifted outward by a little they leave the critical cone to the Lanczos steps, and rise outside of it where a trial
// point goes further. What is found is verified by what comes of it, for L may curve downwards at the very solution,
// where the penalty is small, or where f does not curve along the constraints but their multipliers do (rotations of X
// among X'X = I): x moves, the rounds go on from there, and a feasible point with a lower f is taken. Else the point
// before is returned.
#include <math.h>
#include <string.h>

#include "opt/augmented_lagrangian_parts.h"
#include "opt/vector.h"

enum { TRIES_MAX = 8 };
static const double true_fall = 1e-7; // of the size of f

static bool may_look(const opt_outer *o)
{
  const opt_options *current = o->current;
  const opt_constraint *set = o->problem->constraint;
  const bool is_flat = set == NULL || set->traits.geometry == OPT_GEOMETRY_CONVEX;
  return current->examines != OPT_EXAMINE_NEVER && o->problem->has_hessian && o->lagrangian->ops->relax != NULL &&
         current->closed_form == NULL && !(current->is_convex && is_flat) && o->tries < TRIES_MAX &&
         o->outer_loop.iterations < o->options->max_iterations;
}

tg_status opt_outer_relax(opt_outer *o)
{
  TG_TRY(o->lagrangian->ops->keep(o->lagrangian, true)); // a round before may have relaxed them
  TG_TRY(o->lagrangian->ops->relax(o->lagrangian, o->report->multiplier_norm));
  return opt_outer_commit(o, o->penalty);
}

// Back to the point before the trial.
static tg_status give_back(opt_outer *o)
{
  const opt_result looked = o->inner;
  const bool is_same = looked.saddles == 0 && looked.iterations == 0; // x itself was examined
  opt_options options;
  TG_TRY(opt_copy(o->problem->space, o->kept, o->x));
  TG_TRY(o->lagrangian->ops->keep(o->lagrangian, true));
  TG_TRY(opt_outer_commit(o, o->kept_penalty));
  TG_TRY(o->lagrangian->ops->measure(o->lagrangian, o->x, &o->measure));
  options = *o->current;
  options.gradient_tolerance = 0;
  options.absolute_gradient_tolerance = o->target;
  options.max_iterations = 0;
  options.examines = OPT_EXAMINE_NONE;
  TG_TRY(opt_minimise(o->problem, &options, o->x, NULL, &o->inner));
  o->inner.gradient_norm = o->kept_gradient; // that of the multipliers of the last update
  if (is_same) memcpy(o->inner.reason, looked.reason, sizeof looked.reason);
  if (is_same) o->inner.decrease_estimate = looked.decrease_estimate;
  if (is_same) o->inner.condition_estimate = looked.condition_estimate;
  o->report->multiplier_norm = o->kept_norm;
  o->is_trying = o->looks = 0;
  opt_outer_say_converged(o);
  return TG_OK;
}

static tg_status begin(opt_outer *o)
{
  o->tries++;
  o->is_trying = o->looks = 1;
  o->kept_f = o->measure.objective;
  o->kept_penalty = o->penalty;
  o->kept_norm = o->report->multiplier_norm;
  o->kept_gradient = o->inner.gradient_norm;
  o->futile = o->falling = 0;
  o->best_violation = (double)INFINITY;
  o->last_complementarity = (double)INFINITY;
  TG_TRY(opt_copy(o->problem->space, o->x, o->kept));
  return o->lagrangian->ops->keep(o->lagrangian, false);
}

// The direction of negative curvature leads out of the cone of the constraints: a random one, as long as makes the
// curvature lower f by a share of its size, has parts inside, to which the next round brings it.
static tg_status scatter(opt_outer *o)
{
  static const double share = 0.2;
  const opt_space *space = o->problem->space;
  const double by_value = sqrt(share * fabs(o->kept_f) / -o->inner.bend);
  const double length = by_value > 0 ? by_value : o->x_norm > 0 ? 0.1 * o->x_norm : 1;
  double norm = 0;
  TG_TRY(space->ops->random(space, (uint64_t)o->options->seed, o->aside));
  TG_TRY(opt_norm(space, o->aside, &norm));
  TG_TRY(opt_axpby(space, length / norm, o->aside, 1, o->x));
  TG_TRY(o->lagrangian->ops->keep(o->lagrangian, true));
  return opt_outer_commit(o, o->penalty);
}

tg_status opt_outer_test_departure(opt_outer *o, bool *scattered, bool *ended)
{
  *scattered = false;
  if (!o->looks) return TG_OK;
  o->looks = 0;
  if (o->inner.saddles > 0) return TG_OK;
  *scattered = o->inner.bend < 0;
  if (*scattered) return scatter(o);
  *ended = true;
  return give_back(o);
}

// A lower point was found, and the user wants to hear of it only.
static tg_status stop(opt_outer *o)
{
  const double lower = o->measure.objective;
  TG_TRY(give_back(o));
  o->stays = true;
  opt_outer_end(o, OPT_STALLED,
                "stationary, |gradient of the Lagrangian| = %.3g, but no %s: from this saddle the rounds lead on to a "
                "feasible point with an objective of %.9g; start elsewhere (start: normal), or ask for solver.saddles: "
                "leave",
                o->inner.gradient_norm, o->options->wording->minimum, o->options->wording->sign * lower);
  return TG_OK;
}

tg_status opt_outer_judge(opt_outer *o, bool *ended)
{
  const opt_outcome outcome = o->result->outcome;
  if (outcome == OPT_INTERRUPTED) return TG_OK;
  if (o->is_trying) {
    const double size = fmax(fabs(o->kept_f), 1e-6 * o->value_scale);
    const bool is_lower =
        o->measure.share <= o->options->constraint_tolerance && o->measure.objective < o->kept_f - true_fall * size;
    if (outcome == OPT_UNBOUNDED || !is_lower) return give_back(o);
    o->is_trying = 0;
    if (o->options->saddles == OPT_SADDLES_STOP) return stop(o);
    o->left++;
  }
  if (outcome != OPT_CONVERGED || !may_look(o)) return TG_OK;
  *ended = false;
  return begin(o);
}
