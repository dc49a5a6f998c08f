// Faces of a set of bounds and steps that stay inside.
#include "opt/solver/bounds.h"

#include "opt/line/polynomial.h"
#include "opt/solver/segment.h"

tg_status opt_bounds_face(const opt_run *run, bool release, opt_point *z)
{
  TG_TRY(opt_copy(run->space, run->g, z));
  TG_TRY(run->constraint->ops->mask(run->constraint, run->x, run->g, release, z));
  return TG_OK;
}

tg_status opt_bounds_weigh(const opt_run *run, opt_point *z, bool *released)
{
  opt_point *all = run->feasible;
  double p[2];
  TG_TRY(opt_bounds_face(run, false, z));
  TG_TRY(opt_bounds_face(run, true, all));
  TG_TRY(
      run->space->ops->dots(run->space, 2, (const opt_point *const[]){z, all}, (const opt_point *const[]){z, all}, p));
  *released = p[1] > 2 * p[0];
  if (*released) TG_TRY(opt_copy(run->space, all, z));
  return TG_OK;
}

// After a move: what is at a bound up to rounding is put there, so that the next face is found by comparison.
static tg_status settle(opt_run *run, const opt_point *along, opt_bounds_step *out)
{
  out->along = along;
  if (out->verdict != OPT_MOVED) return TG_OK;
  run->is_fresh = false;
  TG_TRY(run->constraint->ops->settle(run->constraint, run->step, along, run->x));
  return TG_OK;
}

// Along the ray, no further than the room; a room that is finite makes no objective unbounded.
static tg_status search_inside(opt_ray *ray, double first, double room, opt_verdict *verdict)
{
  if (ray->degree >= 0 && isfinite(room)) return opt_segment_minimise(ray, first, room, "inside the bounds", verdict);
  if (opt_ray_falls(ray)) {
    *verdict = opt_ray_falling(ray);
    return TG_OK;
  }
  const char *const name = ray->degree >= 0 ? "exact" : "strong-wolfe";
  opt_line_options options = opt_ray_line_options(ray, first, 0.9);
  const bool has_end = room < options.longest;
  if (has_end) options.longest = room;
  const opt_phi phi = opt_ray_phi(ray);
  opt_line_found found;
  TG_TRY(opt_line_search_find(name)->search(&phi, &options, &found));
  if (found.verdict == OPT_LINE_FALLING && has_end) {
    found.verdict = OPT_LINE_FOUND;
    found.t = room;
  }
  return opt_ray_conclude(ray, &found, verdict);
}

// run->feasible := P(x + t d) - x, its slope and norm.
static tg_status clip(opt_run *run, double t, const opt_point *d, double *slope, double *d_norm)
{
  opt_point *c = run->feasible;
  TG_TRY(opt_copy(run->space, run->x, c));
  TG_TRY(opt_axpby(run->space, t, d, 1, c));
  TG_TRY(run->constraint->ops->project(run->constraint, c));
  TG_TRY(opt_axpby(run->space, -1, run->x, 1, c));
  return opt_run_slope(run, c, slope, d_norm);
}

// Whether the end of the segment, where entries have come to their bounds, lowers f by a fair share of what its
// minimiser does.
static bool keeps_end(const opt_ray *ray)
{
  static const double fair = 0.25;
  double t = 0;
  double best = 0;
  if (ray->degree < 1) return true; // the search begins there and shortens
  opt_polynomial_minimise_within(ray->degree, ray->coefs, ray->errors, 1, &t, &best);
  return opt_polynomial_rise(ray->degree, ray->coefs, 1) <= fair * best;
}

// The ray to P(x + t d), from t on shortened until it descends as it should; finds_face: and until its end is fair by
// itself. A point within the segment has no entry at a bound, and the face would not be found (J. More, G. Toraldo,
// SIAM J. Optim. 1, 1991, section 4).
static tg_status search_path(opt_run *run, const opt_point *d, double slope, double t, double room, bool finds_face,
                             opt_ray *ray)
{
  enum { TRIALS_MAX = 8 };
  for (int trial = 0;; trial++) {
    double c_slope = 0;
    double c_norm = 0;
    for (;;) {
      TG_TRY(clip(run, t, d, &c_slope, &c_norm));
      if (c_slope <= 0.1 * t * slope || t <= room) break;
      t = fmax(t / 2, room);
    }
    TG_TRY(opt_ray_start(run, run->feasible, c_slope, c_norm, ray));
    if (!finds_face || t <= room || trial == TRIALS_MAX || keeps_end(ray)) return TG_OK;
    t = fmax(t / 2, room);
  }
}

tg_status opt_bounds_move(opt_run *run, const opt_point *d, double slope, double d_norm, double first, bool finds_face,
                          opt_bounds_step *out)
{
  opt_ray ray;
  double room = 0;
  *out = (opt_bounds_step){.along = d};
  if (!(first > 0)) {
    TG_TRY(opt_ray_start(run, d, slope, d_norm, &ray));
    TG_TRY(opt_ray_natural(&ray, &first));
  }
  TG_TRY(run->constraint->ops->room(run->constraint, run->x, d, &room));
  if (first <= room) {
    TG_TRY(opt_ray_start(run, d, slope, d_norm, &ray));
    TG_TRY(search_inside(&ray, first, room, &out->verdict));
    out->met_bound = run->step >= room;
    return settle(run, d, out);
  }
  TG_TRY(search_path(run, d, slope, first, room, finds_face, &ray));
  if (finds_face && ray.degree >= 1 && keeps_end(&ray))
    TG_TRY(opt_ray_move(&ray, 1, &out->verdict));
  else
    TG_TRY(opt_segment_minimise(&ray, 1, 1, "towards the projected step", &out->verdict));
  out->met_bound = true;
  return settle(run, run->feasible, out);
}
