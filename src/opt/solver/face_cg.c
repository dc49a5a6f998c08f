// Conjugate gradients on a face.
#include "opt/solver/face_cg.h"
#include "opt/stationarity.h"

#include <float.h>
#include <math.h>

enum { INNER_MAX = 1000 };

static const double worth_going_on = 0.1;

int64_t opt_face_cg_points(const opt_options *options)
{
  return options->preconditioning != NULL ? 5 : 4;
}

tg_status opt_face_cg_create(const opt_run *run, opt_face_cg *cg)
{
  opt_point **const points[] = {&cg->p, &cg->d, &cg->hd, &cg->r, &cg->w};
  for (int64_t i = 0; i < opt_face_cg_points(run->options); i++) TG_TRY(run->space->ops->create(run->space, points[i]));
  return TG_OK;
}

void opt_face_cg_destroy(const opt_space *space, opt_face_cg *cg)
{
  opt_point **const points[] = {&cg->p, &cg->d, &cg->hd, &cg->r, &cg->w};
  for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) space->ops->destroy(space, points[i]);
}

static const opt_point *scaled(const opt_face_cg *cg)
{
  return cg->w != NULL ? cg->w : cg->r;
}

// w := M^-1 r on the face: the face's own block of M^-1, which is positive definite as M is.
static tg_status scale(const opt_run *run, opt_face_cg *cg)
{
  if (cg->w == NULL) return TG_OK;
  TG_TRY(opt_run_precondition(run, cg->r, cg->w));
  return run->constraint->ops->mask(run->constraint, run->x, run->g, false, cg->w);
}

// Where conjugate gradients stand.
typedef struct inner {
  double rw; // <r, w>
  double rr;
  double tolerance; // for |r|
} inner;

// p := 0, r := z, d := -w
static tg_status start(opt_run *run, opt_face_cg *cg, inner *in)
{
  const opt_space *space = run->space;
  double q[2];
  TG_TRY(scale(run, cg));
  TG_TRY(opt_axpby(space, 0, cg->r, 0, cg->p));
  TG_TRY(opt_axpby(space, -1, scaled(cg), 0, cg->d));
  TG_TRY(space->ops->dots(space, 2, (const opt_point *const[]){cg->r, cg->r},
                          (const opt_point *const[]){scaled(cg), cg->r}, q));
  *in = (inner){.rw = q[0], .rr = q[1]};
  in->tolerance = fmin(opt_run_target(run), sqrt(q[1])) / 4;
  return TG_OK;
}

// p += t d, r += t H d, d := -w + beta d, all on the face.
static tg_status extend(opt_run *run, opt_face_cg *cg, double t, inner *in)
{
  const opt_space *space = run->space;
  double q[2];
  TG_TRY(opt_axpby(space, t, cg->d, 1, cg->p));
  TG_TRY(opt_axpby(space, t, cg->hd, 1, cg->r));
  TG_TRY(scale(run, cg));
  TG_TRY(space->ops->dots(space, 2, (const opt_point *const[]){cg->r, cg->r},
                          (const opt_point *const[]){scaled(cg), cg->r}, q));
  TG_TRY(opt_axpby(space, -1, scaled(cg), q[0] / in->rw, cg->d));
  in->rw = q[0];
  in->rr = q[1];
  return TG_OK;
}

tg_status opt_face_cg_solve(opt_run *run, opt_face_cg *cg, bool *is_curved, bool *gives_up)
{
  const opt_space *space = run->space;
  double best = 0;
  inner in = {0};
  *is_curved = true;
  *gives_up = false;
  TG_TRY(start(run, cg, &in));
  for (int k = 0; k < INNER_MAX && in.rw > 0 && !(sqrt(in.rr) <= in.tolerance); k++) {
    double q[2];
    TG_TRY(opt_run_gives_up(run, gives_up));
    if (*gives_up) return TG_OK;
    TG_TRY(run->problem->ops->hessian(run->problem, run->x, cg->d, cg->hd));
    TG_TRY(run->constraint->ops->mask(run->constraint, run->x, run->g, false, cg->hd));
    TG_TRY(space->ops->dots(space, 2, (const opt_point *const[]){cg->d, cg->d},
                            (const opt_point *const[]){cg->hd, cg->d}, q));
    run->rayleigh_max = fmax(run->rayleigh_max, fabs(q[0]) / q[1]);
    *is_curved = q[0] > 16 * DBL_EPSILON * run->rayleigh_max * q[1];
    if (!*is_curved) return TG_OK;
    const double fall = in.rw * in.rw / q[0];
    TG_TRY(extend(run, cg, in.rw / q[0], &in));
    if (fall <= worth_going_on * best) return TG_OK;
    best = fmax(best, fall);
  }
  return TG_OK;
}
