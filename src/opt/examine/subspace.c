// Directions at a stationary point: tangent spaces, faces, critical cones.
#include "opt/examine/subspace.h"

// |t v| relative to x: far above the rounding of a projection, far below the distance to other faces.
static const double near = 1e-5;
// A multiplier below this share of the gradient is taken for zero.
static const double weak_share = 1e-8;

// ---- scales ----

// How long a point of the set is: x itself; at the origin as far as it has come, or as the set lets a random one be.
static tg_status measure_size(const opt_run *run, opt_point *scratch, double *out)
{
  TG_TRY(opt_norm(run->space, run->x, out));
  if (*out == 0) *out = run->x_reach;
  if (*out > 0) return TG_OK;
  TG_TRY(run->space->ops->random(run->space, (uint64_t)run->options->seed, scratch));
  TG_TRY(run->constraint->ops->project(run->constraint, scratch));
  TG_TRY(opt_norm(run->space, scratch, out));
  if (!(*out > 0)) *out = 1;
  return TG_OK;
}

// The slope of norm1 counts as well: a zero gradient holds the zeros.
static tg_status measure_slope(const opt_run *run, opt_point *scratch, double *slope)
{
  double norm1 = 0;
  double norm = 0;
  if (!run->constraint->traits.has_norm1) return TG_OK;
  TG_TRY(run->space->ops->random(run->space, (uint64_t)run->options->seed, scratch));
  TG_TRY(run->constraint->ops->norm1(run->constraint, scratch, &norm1));
  TG_TRY(opt_norm(run->space, scratch, &norm));
  *slope = fmax(*slope, norm1 / norm);
  return TG_OK;
}

// a such that a g is as long as x, unless the part of g that does not vanish would then hide t v.
static tg_status choose_scales(opt_subspace *s)
{
  const opt_run *run = s->run;
  double slope = s->gradient_scale;
  double residual = 0;
  s->length = near * s->size;
  TG_TRY(measure_slope(run, s->scratch, &slope));
  if (!(slope > 0)) return TG_OK;
  s->a = s->size / slope;
  TG_TRY(opt_copy(run->space, run->x, s->scratch));
  TG_TRY(opt_axpby(run->space, -s->a, run->g, 1, s->scratch));
  TG_TRY(opt_run_proximal(run, s->a, s->scratch));
  TG_TRY(opt_axpby(run->space, -1, run->x, 1, s->scratch));
  TG_TRY(opt_norm(run->space, s->scratch, &residual));
  s->a *= fmin(1, 0.01 * s->length / fmax(residual, 1e-300));
  return TG_OK;
}

static opt_subspace_kind kind_of(const opt_run *run)
{
  if (run->constraint == NULL) return OPT_SUBSPACE_ALL;
  if (run->manifold != NULL) return OPT_SUBSPACE_TANGENT;
  return run->constraint->traits.is_bounds ? OPT_SUBSPACE_BOUNDS : OPT_SUBSPACE_CONVEX;
}

tg_status opt_subspace_find(opt_run *run, opt_point *scratch, opt_subspace *out)
{
  *out = (opt_subspace){.run = run, .kind = kind_of(run), .scratch = scratch};
  TG_TRY(opt_norm(run->space, run->g, &out->gradient_scale));
  if (out->kind == OPT_SUBSPACE_BOUNDS)
    out->weak = fmax(run->solver->measure == NULL ? 2 * run->g_norm : 0, weak_share * out->gradient_scale);
  if (out->kind == OPT_SUBSPACE_CONVEX) {
    TG_TRY(measure_size(run, scratch, &out->size));
    return choose_scales(out);
  }
  out->size = run->x_reach;
  return TG_OK;
}

bool opt_subspace_is_linear(const opt_subspace *s)
{
  return s->kind == OPT_SUBSPACE_ALL || s->kind == OPT_SUBSPACE_TANGENT;
}

// ---- projections ----

// z := P(x - a g + t v); z may be v.
static tg_status project_near(const opt_subspace *s, double t, const opt_point *v, opt_point *z)
{
  const opt_run *run = s->run;
  if (z != v) TG_TRY(opt_copy(run->space, v, z));
  TG_TRY(opt_axpby(run->space, 1, run->x, t, z));
  TG_TRY(opt_axpby(run->space, -s->a, run->g, 1, z));
  return opt_run_proximal(run, s->a, z);
}

// The odd part of the map, which is its linear part where the cone is a space.
static tg_status restrict_convex(const opt_subspace *s, opt_point *v)
{
  double norm = 0;
  TG_TRY(opt_norm(s->run->space, v, &norm));
  if (!(norm > 0)) return TG_OK;
  const double t = s->length / norm;
  TG_TRY(project_near(s, -t, v, s->scratch));
  TG_TRY(project_near(s, t, v, v));
  return opt_axpby(s->run->space, -1 / (2 * t), s->scratch, 1 / (2 * t), v);
}

static tg_status admit_convex(const opt_subspace *s, opt_point *v)
{
  double norm = 0;
  TG_TRY(opt_norm(s->run->space, v, &norm));
  if (!(norm > 0)) return TG_OK;
  const double t = s->length / norm;
  TG_TRY(project_near(s, 0, v, s->scratch));
  TG_TRY(project_near(s, t, v, v));
  return opt_axpby(s->run->space, -1 / t, s->scratch, 1 / t, v);
}

tg_status opt_subspace_restrict(const opt_subspace *s, opt_point *v)
{
  const opt_run *run = s->run;
  switch (s->kind) {
  case OPT_SUBSPACE_ALL:
    return TG_OK;
  case OPT_SUBSPACE_TANGENT:
    return opt_run_transport(run, v);
  case OPT_SUBSPACE_BOUNDS:
    return run->constraint->ops->critical(run->constraint, run->x, run->g, s->weak, false, v);
  case OPT_SUBSPACE_CONVEX:
    break;
  }
  return restrict_convex(s, v);
}

tg_status opt_subspace_admit(const opt_subspace *s, opt_point *v)
{
  const opt_run *run = s->run;
  if (s->kind == OPT_SUBSPACE_BOUNDS)
    return run->constraint->ops->critical(run->constraint, run->x, run->g, s->weak, true, v);
  return s->kind == OPT_SUBSPACE_CONVEX ? admit_convex(s, v) : opt_subspace_restrict(s, v);
}

tg_status opt_subspace_release(const opt_subspace *s, opt_point *v)
{
  const opt_run *run = s->run;
  if (s->kind == OPT_SUBSPACE_BOUNDS) return run->constraint->ops->mask(run->constraint, run->x, run->g, true, v);
  return opt_subspace_restrict(s, v);
}

tg_status opt_subspace_gradient(const opt_subspace *s, opt_point *v)
{
  const opt_run *run = s->run;
  TG_TRY(opt_copy(run->space, run->g, v));
  if (s->kind != OPT_SUBSPACE_CONVEX) return opt_subspace_release(s, v);
  if (!(s->a > 0)) return TG_OK;
  TG_TRY(opt_copy(run->space, run->x, v));
  TG_TRY(opt_axpby(run->space, -s->a, run->g, 1, v));
  TG_TRY(opt_run_proximal(run, s->a, v));
  TG_TRY(opt_axpby(run->space, 1 / s->a, run->x, -1 / s->a, v));
  return opt_subspace_restrict(s, v);
}
