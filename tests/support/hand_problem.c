// The opt_problem around a hand-written objective, with a watch over the order of calls.
#include "support/hand_problem.h"

#include <math.h>
#include <string.h>

static int64_t dimension(const hand_problem *problem)
{
  return problem->space.base.dimension;
}

static bool is_same(const hand_problem *problem, const double *a, const double *b)
{
  return memcmp(a, b, (size_t)dimension(problem) * sizeof *a) == 0;
}

static void remember(const hand_problem *problem, const double *source, double *target)
{
  memcpy(target, source, (size_t)dimension(problem) * sizeof *source);
}

// Up to rounding: a solver may put entries on the bounds that a step has brought them to.
static bool is_near(const hand_problem *problem, const double *a, const double *b)
{
  for (int64_t i = 0; i < dimension(problem); i++)
    if (!(fabs(a[i] - b[i]) <= 1e-14 * fmax(1, fabs(b[i])))) return false;
  return true;
}

static void expect_current(hand_problem *problem, const double *x)
{
  if (!problem->has_current || !is_near(problem, x, problem->current)) problem->violations++;
}

// f, and how far rounding may have it wrong where the objective says so.
static double evaluate(hand_problem *problem, const double *x)
{
  if (problem->rounding != NULL) problem->base.value_error = problem->rounding(problem, x);
  return problem->objective->value(problem, x);
}

static tg_status value(opt_problem *base, const opt_point *x, double *f)
{
  hand_problem *problem = base->self;
  base->counts.values++;
  *f = evaluate(problem, serial_block_const(x, 0));
  return TG_OK;
}

static tg_status gradient(opt_problem *base, const opt_point *x, double *f, opt_point *g)
{
  hand_problem *problem = base->self;
  base->counts.gradients++;
  *f = evaluate(problem, serial_block_const(x, 0));
  problem->objective->gradient(problem, serial_block_const(x, 0), serial_block(g, 0));
  remember(problem, serial_block_const(x, 0), problem->current);
  problem->has_current = true;
  problem->has_line = false;
  return TG_OK;
}

static tg_status line(opt_problem *base, const opt_point *x, const opt_point *d, double *c)
{
  hand_problem *problem = base->self;
  base->counts.lines++;
  base->counts.products++;
  expect_current(problem, serial_block_const(x, 0));
  problem->objective->line(problem, serial_block_const(x, 0), serial_block_const(d, 0), c);
  if (base->degree >= 1) c[1] += problem->line_error;
  if (base->degree >= 3) c[3] -= problem->cubic_error;
  remember(problem, serial_block_const(d, 0), problem->direction);
  problem->has_line = true;
  return TG_OK;
}

static tg_status advance(opt_problem *base, double t, opt_point *x, const opt_point *d, double *f, opt_point *g)
{
  hand_problem *problem = base->self;
  expect_current(problem, serial_block_const(x, 0));
  if (!problem->has_line || !is_same(problem, serial_block_const(d, 0), problem->direction)) problem->violations++;
  TG_TRY(base->space->ops->axpby(base->space, t, d, 1, x));
  *f = evaluate(problem, serial_block_const(x, 0));
  problem->objective->gradient(problem, serial_block_const(x, 0), serial_block(g, 0));
  for (int64_t i = 0; i < dimension(problem); i++) serial_block(g, 0)[i] *= 1 + problem->carried_error;
  remember(problem, serial_block_const(x, 0), problem->current);
  problem->has_line = false;
  return TG_OK;
}

static tg_status hessian(opt_problem *base, const opt_point *x, const opt_point *v, opt_point *hv)
{
  hand_problem *problem = base->self;
  base->counts.hessians++;
  base->counts.products++;
  // The Hessian action of a quadratic is the same everywhere: x may have moved along it.
  if (base->degree != 2) expect_current(problem, serial_block_const(x, 0));
  problem->objective->hessian(problem, serial_block_const(x, 0), serial_block_const(v, 0), serial_block(hv, 0));
  // The gradient of a quadratic is carried along by this.
  for (int64_t i = 0; base->degree == 2 && i < dimension(problem); i++)
    serial_block(hv, 0)[i] *= 1 + problem->carried_error;
  problem->has_line = false;
  return TG_OK;
}

static tg_status list(opt_problem *base, opt_listing *listing)
{
  hand_problem *problem = base->self;
  return opt_listing_add_count(listing, "violations", &problem->violations);
}

static void restored(opt_problem *base, const opt_point *x)
{
  hand_problem *problem = base->self;
  remember(problem, serial_block_const(x, 0), problem->current);
  problem->has_current = true;
  problem->has_line = false;
}

static const opt_problem_ops operations = {.value = value,
                                           .gradient = gradient,
                                           .line = line,
                                           .advance = advance,
                                           .hessian = hessian,
                                           .list = list,
                                           .restored = restored};

void hand_problem_init(hand_problem *problem, const hand_objective *objective)
{
  *problem = (hand_problem){.objective = objective};
  serial_space_init(&problem->space, objective->n_blocks, objective->rows, objective->cols);
  TG_ASSERT(dimension(problem) <= HAND_DATA_MAX);
  problem->base = (opt_problem){.ops = &operations,
                                .space = &problem->space.base,
                                .degree = objective->degree,
                                .has_hessian = objective->hessian != NULL,
                                .self = problem};
  objective->set_up(problem);
}

tg_status hand_problem_start(hand_problem *problem, opt_point **out)
{
  const opt_space *space = &problem->space.base;
  TG_TRY(space->ops->create(space, out));
  problem->objective->start(problem, serial_block(*out, 0));
  return TG_OK;
}
