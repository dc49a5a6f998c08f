// Truncated Newton steps on the faces of a set of bounds, between projected gradient steps that choose the face.
//
//     gradient step   d = P(x - a g) - x,  a = <s, s> / <s, y>
//     face step       H p = -z on the face, z = g there, by conjugate gradients; then to P(x + t p)
//
// J. More and G. Toraldo, SIAM J. Optim. 1 (1991), for quadratics, where both steps are exact minimisers along their
// segments; C.-J. Lin and J. More, SIAM J. Optim. 9 (1999), for others, with a line search. The conjugate gradients
// know nothing of the bounds, so that they are not cut short by each one they would cross: one Hessian action an inner
// iteration. They end where an iteration lowers the model by less than a tenth of what the best did. A face is left, by
// one gradient step, when entries at a bound weigh more than the free ones (opt_bounds_weigh). A preconditioner must be
// diagonal, so that it acts on a face by itself. Every step lowers f.
#include <float.h>

#include "base/memory.h"
#include "opt/solver/bounds.h"
#include "opt/solver/face_cg.h"
#include "opt/solver/segment.h"

typedef struct faces {
  opt_face_cg cg;
  double a;        // length of the next gradient step; 0: none known
  int64_t on_face; // the next step is a face step, if that still pays
} faces;

static int64_t count_points_faces(const opt_options *options, int degree)
{
  (void)degree;
  return opt_face_cg_points(options);
}

static void destroy_faces(const opt_space *space, void **state)
{
  faces *self = *state;
  if (self == NULL) return;
  opt_face_cg_destroy(space, &self->cg);
  tg_free(self);
  *state = NULL;
}

static void reset_faces(void *state)
{
  faces *self = state;
  self->a = 0;
  self->on_face = 0;
}

static tg_status create_faces(opt_run *run, void **state)
{
  faces *self = NULL;
  const tg_status status = TG_NEW(1, &self);
  *state = self;
  TG_TRY(opt_agree(run->space, status));
  TG_TRY(opt_face_cg_create(run, &self->cg));
  reset_faces(self);
  return TG_OK;
}

// ---- gradient steps ----

// The next a from the step just taken along d: s = t d, y = g - g_old, which is overwritten.
static tg_status choose_length(opt_run *run, const opt_point *d, faces *self)
{
  double p[2];
  TG_TRY(opt_axpby(run->space, 1, run->g, -1, run->g_old));
  TG_TRY(run->space->ops->dots(run->space, 2, (const opt_point *const[]){d, d},
                               (const opt_point *const[]){d, run->g_old}, p));
  self->a = p[1] > 0 ? run->step * p[0] / p[1] : 0;
  return TG_OK;
}

static tg_status gradient_step(opt_run *run, faces *self, opt_bounds_step *step)
{
  double square = 0;
  TG_TRY(opt_axpby(run->space, -1, run->g, 0, self->cg.d));
  TG_TRY(run->constraint->ops->mask(run->constraint, run->x, run->g, true, self->cg.d));
  TG_TRY(opt_dot(run->space, self->cg.d, self->cg.d, &square));
  TG_TRY(opt_bounds_move(run, self->cg.d, -square, sqrt(square), self->a, true, step));
  if (step->verdict != OPT_MOVED) return TG_OK;
  self->on_face = 1;
  return choose_length(run, step->along, self);
}

// ---- face steps ----

// Along v, the solution or a direction without curvature; both descend.
static tg_status move_along(opt_run *run, const opt_point *v, double first, opt_bounds_step *step)
{
  double slope = 0;
  double v_norm = 0;
  TG_TRY(opt_run_slope(run, v, &slope, &v_norm));
  if (!(slope < 0)) {
    step->verdict = OPT_STUCK;
    opt_run_explain(run, "no direction of %s on the face can be resolved: slope %.3e, |P(x - g) - x| = %.3e",
                    run->options->wording->descent, opt_run_shown(run, slope), run->g_norm);
    return TG_OK;
  }
  return opt_bounds_move(run, v, slope, v_norm, first, true, step);
}

static tg_status face_step(opt_run *run, faces *self, opt_bounds_step *step)
{
  bool is_curved = false;
  double room = 0;
  bool gives_up = false;
  TG_TRY(opt_face_cg_solve(run, &self->cg, &is_curved, &gives_up));
  if (gives_up) {
    step->verdict = OPT_GIVEN_UP;
    return TG_OK;
  }
  if (is_curved) {
    TG_TRY(move_along(run, self->cg.p, 1, step));
  } else {
    TG_TRY(run->constraint->ops->room(run->constraint, run->x, self->cg.d, &room));
    TG_TRY(move_along(run, self->cg.d, isfinite(room) ? room : 1, step));
  }
  if (step->verdict != OPT_MOVED) return TG_OK;
  return choose_length(run, step->along, self);
}

static tg_status step_faces(opt_run *run, void *state, opt_verdict *verdict)
{
  faces *self = state;
  bool released = false;
  const int64_t on_face_before = self->on_face;
  opt_bounds_step step = {.verdict = OPT_STUCK};
  if (self->on_face) {
    TG_TRY(opt_bounds_weigh(run, self->cg.r, &released));
    self->on_face = !released;
  }
  TG_TRY(self->on_face ? face_step(run, self, &step) : gradient_step(run, self, &step));
  if (step.verdict == OPT_GIVEN_UP) self->on_face = on_face_before;
  *verdict = step.verdict;
  return TG_OK;
}

static tg_status list_faces(void *state, opt_listing *listing)
{
  faces *self = state;
  TG_TRY(opt_listing_add_number(listing, "next_length", -1, &self->a));
  TG_TRY(opt_listing_add_count(listing, "on_face", &self->on_face));
  return TG_OK;
}

const opt_solver opt_solver_bounded_newton = {.name = "bounded-newton-cg",
                                              .needs_hessian = true,
                                              .needs_constraint = true,
                                              .is_monotone = true,
                                              .keeps_faces = true,
                                              .keeps_gradient = true,
                                              .search_polynomial = "none",
                                              .search_general = "none",
                                              .count_points = count_points_faces,
                                              .create = create_faces,
                                              .destroy = destroy_faces,
                                              .step = step_faces,
                                              .reset = reset_faces,
                                              .list = list_faces};
