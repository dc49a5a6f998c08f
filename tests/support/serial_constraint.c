// A product of feasible sets on plain arrays as an opt_constraint.
#include "support/serial_constraint.h"

#include <math.h>
#include <string.h>

static tg_status violation(const opt_constraint *base, const opt_point *x, double *out)
{
  const serial_constraint *self = base->self;
  *out = 0;
  for (int k = 0; k < base->space->n_blocks; k++)
    *out = fmax(*out, serial_set_violation(&self->sets[k], serial_block_const(x, k)));
  return TG_OK;
}

static tg_status project(const opt_constraint *base, opt_point *x)
{
  const serial_constraint *self = base->self;
  for (int k = 0; k < base->space->n_blocks; k++) serial_set_project(&self->sets[k], serial_block(x, k));
  return TG_OK;
}

static tg_status approach(const opt_constraint *base, opt_point *x)
{
  const serial_constraint *self = base->self;
  for (int k = 0; k < base->space->n_blocks; k++)
    if (!serial_set_is_manifold(&self->sets[k])) serial_set_project(&self->sets[k], serial_block(x, k));
  return TG_OK;
}

static tg_status tangent(const opt_constraint *base, const opt_point *x, opt_point *v)
{
  const serial_constraint *self = base->self;
  for (int k = 0; k < base->space->n_blocks; k++)
    if (serial_set_is_manifold(&self->sets[k]))
      serial_set_tangent(&self->sets[k], serial_block_const(x, k), serial_block(v, k));
  return TG_OK;
}

// Counts a v that is not tangent at x, beyond the rounding of a projection from numbers of about 1.
static void expect_tangent(serial_constraint *self, const opt_point *x, const opt_point *v)
{
  for (int k = 0; k < self->base.space->n_blocks; k++) {
    const serial_set *set = &self->sets[k];
    double part[SERIAL_SIDE_MAX * SERIAL_SIDE_MAX];
    if (!serial_set_is_manifold(set)) continue;
    const int64_t count = set->rows * set->cols;
    memcpy(part, serial_block_const(v, k), (size_t)count * sizeof *part);
    serial_set_tangent(set, serial_block_const(x, k), part);
    for (int64_t e = 0; e < count; e++) part[e] -= serial_block_const(v, k)[e];
    if (serial_set_norm(set, part) > 1e-12 + 1e-10 * serial_set_norm(set, serial_block_const(v, k))) self->strays++;
  }
}

static tg_status retract(const opt_constraint *base, const opt_point *x, double t, const opt_point *v, opt_point *out)
{
  serial_constraint *self = base->self;
  expect_tangent(self, x, v);
  TG_TRY(base->space->ops->copy(base->space, x, out));
  TG_TRY(base->space->ops->axpby(base->space, t, v, 1, out));
  for (int k = 0; k < base->space->n_blocks; k++) serial_set_retract(&self->sets[k], serial_block(out, k));
  return TG_OK;
}

static tg_status hessian(const opt_constraint *base, const opt_point *x, const opt_point *g, const opt_point *v,
                         opt_point *hv)
{
  serial_constraint *self = base->self;
  expect_tangent(self, x, v);
  for (int k = 0; k < base->space->n_blocks; k++)
    if (serial_set_is_manifold(&self->sets[k]))
      serial_set_hessian(&self->sets[k], serial_block_const(x, k), serial_block_const(g, k), serial_block_const(v, k),
                         serial_block(hv, k));
  return TG_OK;
}

static tg_status norm1_of_all(const opt_constraint *base, const opt_point *x, double *out)
{
  const serial_constraint *self = base->self;
  *out = 0;
  for (int k = 0; k < base->space->n_blocks; k++) *out += serial_set_norm1(&self->sets[k], serial_block_const(x, k));
  return TG_OK;
}

static tg_status proximal(const opt_constraint *base, double a, opt_point *x)
{
  const serial_constraint *self = base->self;
  for (int k = 0; k < base->space->n_blocks; k++) {
    if (self->sets[k].block.norm1 > 0)
      serial_set_proximal(&self->sets[k], a, serial_block(x, k));
    else if (!serial_set_is_manifold(&self->sets[k]))
      serial_set_project(&self->sets[k], serial_block(x, k));
  }
  return TG_OK;
}

static tg_status extreme(const opt_constraint *base, const opt_point *g, opt_point *z)
{
  const serial_constraint *self = base->self;
  for (int k = 0; k < base->space->n_blocks; k++)
    serial_set_extreme(&self->sets[k], serial_block_const(g, k), serial_block(z, k));
  return TG_OK;
}

static tg_status steepest(const opt_constraint *base, const opt_point *x, const opt_point *g, opt_point *v)
{
  const serial_constraint *self = base->self;
  for (int k = 0; k < base->space->n_blocks; k++) {
    const opt_constraint_kind kind = self->sets[k].block.kind;
    const bool is_turned = serial_set_is_manifold(&self->sets[k]);
    for (int64_t e = 0; e < self->sets[k].rows * self->sets[k].cols && is_turned; e++)
      serial_block(v, k)[e] = -serial_block_const(g, k)[e];
    const bool is_judged = kind == OPT_CONSTRAINT_FREE || opt_constraint_row_of(kind)->is_bounds;
    if (is_judged)
      serial_set_steepest(&self->sets[k], serial_block_const(x, k), serial_block_const(g, k), serial_block(v, k));
  }
  return TG_OK;
}

static tg_status critical(const opt_constraint *base, const opt_point *x, const opt_point *g, double weak, bool inwards,
                          opt_point *v)
{
  const serial_constraint *self = base->self;
  for (int k = 0; k < base->space->n_blocks; k++)
    serial_set_critical(&self->sets[k], serial_block_const(x, k), serial_block_const(g, k), weak, inwards,
                        serial_block(v, k));
  return TG_OK;
}

static tg_status mask(const opt_constraint *base, const opt_point *x, const opt_point *g, bool release, opt_point *v)
{
  const serial_constraint *self = base->self;
  for (int k = 0; k < base->space->n_blocks; k++)
    serial_set_mask(&self->sets[k], serial_block_const(x, k), serial_block_const(g, k), release, serial_block(v, k));
  return TG_OK;
}

static tg_status orthant(const opt_constraint *base, const opt_point *x, opt_point *y)
{
  const serial_constraint *self = base->self;
  for (int k = 0; k < base->space->n_blocks; k++)
    serial_set_orthant(&self->sets[k], serial_block_const(x, k), serial_block(y, k));
  return TG_OK;
}

static tg_status room(const opt_constraint *base, const opt_point *x, const opt_point *d, double *t)
{
  const serial_constraint *self = base->self;
  *t = (double)INFINITY;
  for (int k = 0; k < base->space->n_blocks; k++)
    *t = fmin(*t, serial_set_room(&self->sets[k], serial_block_const(x, k), serial_block_const(d, k)));
  return TG_OK;
}

static tg_status settle(const opt_constraint *base, double t, const opt_point *d, opt_point *x)
{
  const serial_constraint *self = base->self;
  for (int k = 0; k < base->space->n_blocks; k++)
    serial_set_settle(&self->sets[k], t, serial_block_const(d, k), serial_block(x, k));
  return TG_OK;
}

static const opt_constraint_ops operations = {.violation = violation,
                                              .project = project,
                                              .approach = approach,
                                              .tangent = tangent,
                                              .retract = retract,
                                              .hessian = hessian,
                                              .norm1 = norm1_of_all,
                                              .proximal = proximal,
                                              .extreme = extreme,
                                              .steepest = steepest,
                                              .mask = mask,
                                              .orthant = orthant,
                                              .critical = critical,
                                              .room = room,
                                              .settle = settle};

tg_status serial_constraint_init(serial_constraint *constraint, const serial_space *space,
                                 const opt_constraint_block *blocks)
{
  *constraint = (serial_constraint){.base = {.ops = &operations, .space = &space->base}};
  constraint->base.self = constraint;
  TG_TRY(opt_traits_find(space->base.n_blocks, blocks, &constraint->base.traits));
  for (int k = 0; k < space->base.n_blocks; k++)
    constraint->sets[k] = (serial_set){.block = blocks[k], .rows = space->rows[k], .cols = space->cols[k]};
  return TG_OK;
}
