// opt_problem on distributed matrices: which point the state belongs to, and when it is recomputed.
#include "mpi/problem/problem.h"

#include <inttypes.h>
#include <math.h>

#include "base/memory.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/reduce.h"
#include "mpi/space/space.h"

// What the STATE buffers hold images of.
typedef enum state_owner {
  STATE_NONE,    // of no known point
  STATE_CURRENT, // of the current point
  STATE_TRIAL    // of `trial`, a copy of the point of the last `value`
} state_owner;

typedef struct state_pair {
  int32_t image; // STATE buffer that REFRESH writes
  int32_t spare; // STATE buffer of the same shape that only DIRECTION writes, or -1
} state_pair;

typedef struct tg_problem {
  opt_problem base; // base.self points back here
  tg_exec *exec;
  const tg_plan *plan;
  state_owner owner;
  opt_point *trial;       // with state only
  bool has_current_value; // current_value is f at the current point
  double current_value;
  int64_t refresh_interval;
  int64_t advances; // since the last refresh
  int32_t n_pairs;
  state_pair *pairs;
  bool *is_image; // by buffer: STATE that REFRESH writes
  tg_problem_drift drift;
  int64_t other_products; // done elsewhere
  opt_point **views;      // by buffer: an image as a listing shows it; NULL: none
  int64_t is_current;     // owner and has_current_value, as a listing sees them
  int64_t is_valued;
} tg_problem;

// ---- binding ----

static tg_status bind_point(tg_problem *p, tg_buffer_kind kind, const opt_point *point)
{
  for (int32_t k = 0; k < p->plan->n_variables; k++) TG_TRY(tg_exec_bind(p->exec, kind, k, tg_space_block(point, k)));
  return TG_OK;
}

static tg_status run(tg_problem *p, tg_program_id program)
{
  TG_TRY(tg_exec_run(p->exec, program));
  return TG_OK;
}

// ---- state ----

static bool same_bits(const tg_dmat *a, const tg_dmat *b)
{
  for (int64_t j = 0; j < a->local_cols; j++)
    for (int64_t i = 0; i < a->local_rows; i++)
      if (a->data[i + j * a->ld] != b->data[i + j * b->ld]) return false;
  return true;
}

// Whether x is the point of the last `value`: then its images need not be made again. Collective.
static tg_status is_trial(tg_problem *p, const opt_point *x, bool *out)
{
  int differs = 0;
  for (int32_t k = 0; k < p->plan->n_variables && differs == 0; k++)
    differs = !same_bits(tg_space_block(x, k), tg_space_block(p->trial, k));
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, &differs, 1, MPI_INT, MPI_MAX, tg_exec_grid(p->exec)->comm));
  *out = differs == 0;
  return TG_OK;
}

static bool has_nonzero(const tg_dmat *m)
{
  for (int64_t j = 0; j < m->local_cols; j++)
    for (int64_t i = 0; i < m->local_rows; i++)
      if (m->data[i + j * m->ld] != 0) return true;
  return false;
}

// Whether x = 0, where most minimisations start. Stops at the first entry that is not, so that it costs nothing
// elsewhere but the agreement. Collective.
static tg_status is_zero(tg_problem *p, const opt_point *x, bool *out)
{
  int found = 0;
  for (int32_t k = 0; k < p->plan->n_variables && found == 0; k++) found = has_nonzero(tg_space_block(x, k));
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, &found, 1, MPI_INT, MPI_MAX, tg_exec_grid(p->exec)->comm));
  *out = found == 0;
  return TG_OK;
}

// REFRESH of the images of x: linear and homogeneous, so that those of 0 are 0 without a product.
static tg_status refresh_images(tg_problem *p, const opt_point *x)
{
  bool zero = false;
  TG_TRY(is_zero(p, x, &zero));
  if (!zero) return run(p, TG_PROGRAM_REFRESH);
  for (int32_t b = 0; b < p->plan->n_buffers; b++)
    if (p->is_image[b]) tg_dmat_fill(0, tg_exec_buffer(p->exec, b));
  return TG_OK;
}

static tg_status refresh(tg_problem *p, const opt_point *x, state_owner owner)
{
  TG_TRY(bind_point(p, TG_BUFFER_VARIABLE, x));
  p->owner = STATE_NONE; // until it is done
  TG_TRY(refresh_images(p, x));
  p->owner = owner;
  p->advances = 0;
  return TG_OK;
}

// Binds x and makes the state its own, where it is not already: after a `value` elsewhere.
static tg_status make_current(tg_problem *p, const opt_point *x)
{
  TG_TRY(bind_point(p, TG_BUFFER_VARIABLE, x));
  if (!p->plan->has_state || p->owner == STATE_CURRENT) return TG_OK;
  return refresh(p, x, STATE_CURRENT);
}

static tg_status norm(const tg_dmat *m, double *out)
{
  TG_TRY(tg_dmat_dot(m, m, out));
  *out = sqrt(*out);
  return TG_OK;
}

// |moved - new| / |new|; spare holds the moved image and is overwritten.
static tg_status measure_pair(tg_problem *p, const state_pair *pair, double *out)
{
  const double coefs[2] = {1, -1};
  tg_dmat *spare = tg_exec_buffer(p->exec, pair->spare);
  const tg_dmat *image = tg_exec_buffer(p->exec, pair->image);
  const tg_dmat *const terms[2] = {spare, image};
  double size = 0;
  TG_TRY(tg_dmat_lincomb(2, coefs, terms, spare));
  TG_TRY(norm(spare, out));
  TG_TRY(norm(image, &size));
  if (*out > 0) *out /= fmax(size, 1e-300);
  return TG_OK;
}

// REFRESH of a state that advances have moved to x, with its drift. The images of the direction are dead after
// ADVANCE: they keep the moved state meanwhile, so that the measurement needs no memory.
static tg_status refresh_moved(tg_problem *p, const opt_point *x)
{
  for (int32_t k = 0; k < p->n_pairs; k++)
    TG_TRY(tg_dmat_copy(tg_exec_buffer(p->exec, p->pairs[k].image), tg_exec_buffer(p->exec, p->pairs[k].spare)));
  TG_TRY(refresh(p, x, STATE_CURRENT));
  if (p->n_pairs == 0) return TG_OK;
  p->drift.last = 0;
  for (int32_t k = 0; k < p->n_pairs; k++) {
    double drift = 0;
    TG_TRY(measure_pair(p, &p->pairs[k], &drift));
    p->drift.last = fmax(p->drift.last, drift);
  }
  p->drift.worst = fmax(p->drift.worst, p->drift.last);
  p->drift.refreshes++;
  return TG_OK;
}

// ---- the operations of opt_problem ----

static int64_t total_products(const tg_problem *p)
{
  int64_t total = p->other_products;
  for (int k = 0; k < TG_PROGRAM_COUNT; k++) total += tg_exec_program_usage(p->exec, (tg_program_id)k)->products;
  return total;
}

static tg_status problem_value(opt_problem *base, const opt_point *x, double *f)
{
  tg_problem *p = base->self;
  base->counts.values++;
  if (p->plan->has_state) {
    TG_TRY(refresh(p, x, STATE_TRIAL));
    TG_TRY(base->space->ops->copy(base->space, x, p->trial));
  } else {
    TG_TRY(bind_point(p, TG_BUFFER_VARIABLE, x));
  }
  TG_TRY(tg_exec_evaluate(p->exec, TG_PROGRAM_VALUE, f));
  base->counts.products = total_products(p);
  return TG_OK;
}

// f and gradient at x, whose state stands.
static tg_status evaluate_gradient(tg_problem *p, const opt_point *x, double *f, opt_point *gradient)
{
  p->base.counts.gradients++;
  TG_TRY(bind_point(p, TG_BUFFER_VARIABLE, x));
  TG_TRY(bind_point(p, TG_BUFFER_GRADIENT, gradient));
  bool zero = false;
  if (p->plan->line_by_hessian) TG_TRY(is_zero(p, x, &zero));
  TG_TRY(tg_exec_evaluate(p->exec, zero ? TG_PROGRAM_GRADIENT_AT_ZERO : TG_PROGRAM_GRADIENT, f));
  TG_TRY(tg_space_symmetrise(p->base.space, gradient));
  p->current_value = *f;
  p->has_current_value = true;
  p->base.value_error = tg_exec_register_error(p->exec, p->plan->value_register);
  p->base.counts.products = total_products(p);
  return TG_OK;
}

static tg_status problem_gradient(opt_problem *base, const opt_point *x, double *f, opt_point *gradient)
{
  tg_problem *p = base->self;
  bool stands = false;
  if (p->plan->has_state && p->owner == STATE_TRIAL) TG_TRY(is_trial(p, x, &stands));
  if (stands)
    p->owner = STATE_CURRENT;
  else if (p->plan->has_state)
    TG_TRY(refresh(p, x, STATE_CURRENT));
  return evaluate_gradient(p, x, f, gradient);
}

static tg_status problem_line(opt_problem *base, const opt_point *x, const opt_point *d, double *c)
{
  tg_problem *p = base->self;
  base->counts.lines++;
  if (p->plan->line_by_hessian) TG_FAIL(TG_INTERNAL, "a line of a quadratic comes from its Hessian action");
  TG_TRY(make_current(p, x));
  if (!p->has_current_value) {
    TG_TRY(tg_exec_evaluate(p->exec, TG_PROGRAM_VALUE, &p->current_value));
    p->has_current_value = true;
    base->value_error = tg_exec_register_error(p->exec, p->plan->value_register);
  }
  TG_TRY(bind_point(p, TG_BUFFER_DIRECTION, d));
  TG_TRY(run(p, TG_PROGRAM_DIRECTION));
  c[0] = p->current_value;
  for (int k = 1; k <= base->degree; k++) {
    c[k] = tg_exec_register(p->exec, p->plan->line_registers[k]);
    base->line_errors[k] = tg_exec_register_error(p->exec, p->plan->line_registers[k]);
  }
  base->counts.products = total_products(p);
  return TG_OK;
}

// The images move with the point unless it is time to make them again, or `value` has used their place.
static tg_status move_state(tg_problem *p, double t, const opt_point *x, const opt_point *d)
{
  if (p->owner != STATE_CURRENT) return refresh(p, x, STATE_CURRENT);
  TG_TRY(bind_point(p, TG_BUFFER_VARIABLE, x));
  TG_TRY(bind_point(p, TG_BUFFER_DIRECTION, d));
  tg_exec_set_register(p->exec, p->plan->step_register, t);
  TG_TRY(run(p, TG_PROGRAM_ADVANCE));
  if (++p->advances < p->refresh_interval) return TG_OK;
  return refresh_moved(p, x);
}

static tg_status problem_advance(opt_problem *base, double t, opt_point *x, const opt_point *d, double *f,
                                 opt_point *gradient)
{
  tg_problem *p = base->self;
  if (!p->plan->has_line || p->plan->line_by_hessian) TG_FAIL(TG_INTERNAL, "advance without a line before it");
  TG_TRY(base->space->ops->axpby(base->space, t, d, 1, x));
  if (p->plan->has_state) TG_TRY(move_state(p, t, x, d));
  return evaluate_gradient(p, x, f, gradient);
}

static tg_status problem_hessian(opt_problem *base, const opt_point *x, const opt_point *v, opt_point *hv)
{
  tg_problem *p = base->self;
  base->counts.hessians++;
  TG_TRY(make_current(p, x));
  TG_TRY(bind_point(p, TG_BUFFER_DIRECTION, v));
  TG_TRY(bind_point(p, TG_BUFFER_HESSIAN, hv));
  TG_TRY(run(p, TG_PROGRAM_HESSIAN));
  TG_TRY(tg_space_symmetrise(base->space, hv));
  base->counts.products = total_products(p);
  return TG_OK;
}

// ---- checkpoints ----

// The images moved along with the point are not those that REFRESH would make: they are saved. Images of a trial point
// are, and need not be.
static tg_status problem_list(opt_problem *base, opt_listing *listing)
{
  tg_problem *p = base->self;
  p->is_current = p->owner == STATE_CURRENT;
  p->is_valued = p->has_current_value;
  int64_t n = 0;
  for (int32_t b = 0; b < p->plan->n_buffers; b++) {
    if (p->views[b] == NULL) continue;
    TG_TRY(opt_listing_add_vector(listing, "image", n++, p->views[b]));
    opt_listing_mark(listing, !p->is_current);
  }
  TG_TRY(opt_listing_add_count(listing, "images_are_current", &p->is_current));
  TG_TRY(opt_listing_add_count(listing, "has_current_value", &p->is_valued));
  TG_TRY(opt_listing_add_number(listing, "current_value", -1, &p->current_value));
  TG_TRY(opt_listing_add_number(listing, "current_value_error", -1, &base->value_error));
  TG_TRY(opt_listing_add_count(listing, "advances", &p->advances));
  TG_TRY(opt_listing_add_count(listing, "refreshes", &p->drift.refreshes));
  TG_TRY(opt_listing_add_number(listing, "image_drift", -1, &p->drift.last));
  return opt_listing_add_number(listing, "image_drift_worst", -1, &p->drift.worst);
}

// The counts go on from those of the run that was saved, whose setup and probe they hold already.
static void problem_restored(opt_problem *base, const opt_point *x)
{
  (void)x; // bound when it is used
  tg_problem *p = base->self;
  p->owner = p->is_current ? STATE_CURRENT : STATE_NONE;
  p->has_current_value = p->is_valued != 0;
  p->other_products += base->counts.products - total_products(p);
}

static const opt_problem_ops problem_ops = {
    .value = problem_value,
    .gradient = problem_gradient,
    .line = problem_line,
    .advance = problem_advance,
    .hessian = problem_hessian,
    .list = problem_list,
    .restored = problem_restored,
};

// ---- creation ----

static bool is_written_by(const tg_plan *plan, tg_program_id program, int32_t buffer)
{
  for (int32_t k = 0; k < plan->programs[program].n_instrs; k++) {
    const tg_instr *instr = &plan->programs[program].instrs[k];
    if (tg_opcode_traits(instr->op)->result == TG_RESULT_BUFFER && instr->out == buffer) return true;
  }
  return false;
}

static bool is_taken(const tg_problem *p, int32_t spare)
{
  for (int32_t k = 0; k < p->n_pairs; k++)
    if (p->pairs[k].spare == spare) return true;
  return false;
}

// For every image of the point an image of the direction with its shape, where there is one left.
static tg_status find_pairs(tg_problem *p)
{
  const tg_plan *plan = p->plan;
  TG_TRY(TG_NEW(plan->n_buffers, &p->pairs));
  TG_TRY(TG_NEW(plan->n_buffers, &p->is_image));
  for (int32_t b = 0; b < plan->n_buffers; b++) {
    const tg_plan_buffer *image = &plan->buffers[b];
    if (image->kind != TG_BUFFER_STATE || !is_written_by(plan, TG_PROGRAM_REFRESH, b)) continue;
    p->is_image[b] = true;
    for (int32_t s = 0; s < plan->n_buffers; s++) {
      const tg_plan_buffer *spare = &plan->buffers[s];
      if (spare->kind != TG_BUFFER_STATE || is_written_by(plan, TG_PROGRAM_REFRESH, s) || is_taken(p, s)) continue;
      if (spare->rows != image->rows || spare->cols != image->cols) continue;
      p->pairs[p->n_pairs++] = (state_pair){b, s};
      break;
    }
  }
  return TG_OK;
}

static tg_status view_images(tg_problem *p)
{
  TG_TRY(TG_NEW(p->plan->n_buffers, &p->views));
  for (int32_t b = 0; b < p->plan->n_buffers; b++)
    if (p->is_image[b]) TG_TRY(tg_space_view(tg_exec_buffer(p->exec, b), &p->views[b]));
  return TG_OK;
}

static tg_status create_tables(tg_problem *p)
{
  TG_TRY(find_pairs(p));
  return view_images(p);
}

static tg_status check_space(const tg_problem *p)
{
  if (p->base.space->n_blocks != p->plan->n_variables)
    TG_FAIL(TG_INTERNAL, "the space has %d blocks, the plan %" PRId32 " variables", p->base.space->n_blocks,
            p->plan->n_variables);
  return TG_OK;
}

static tg_status create_parts(tg_problem *p)
{
  const opt_space *space = p->base.space;
  MPI_Comm comm = tg_exec_grid(p->exec)->comm;
  TG_TRY(check_space(p));
  TG_TRY(tg_agree(comm, create_tables(p)));
  if (p->plan->has_state) {
    TG_TRY(space->ops->create(space, &p->trial));
    // Shapes are compared here once, by the executor.
    TG_TRY(bind_point(p, TG_BUFFER_VARIABLE, p->trial));
  }
  return tg_exec_run(p->exec, TG_PROGRAM_SETUP);
}

tg_status tg_problem_create(tg_exec *exec, const opt_space *space, const tg_problem_settings *settings,
                            opt_problem **out)
{
  *out = NULL;
  tg_problem *p = NULL;
  tg_status status = tg_agree(tg_exec_grid(exec)->comm, TG_NEW(1, &p));
  if (status != TG_OK) {
    tg_free(p); // memory ran out on another rank
    return tg_error_pass(status, TG_HERE);
  }
  p->exec = exec;
  p->plan = tg_exec_plan(exec);
  p->base = (opt_problem){.ops = &problem_ops, .space = space, .self = p};
  p->base.degree = p->plan->has_line ? p->plan->degree : -1;
  p->base.has_hessian = p->plan->has_hessian;
  p->refresh_interval = settings != NULL ? settings->refresh_interval : 0;
  if (p->refresh_interval <= 0) p->refresh_interval = TG_REFRESH_INTERVAL;
  status = create_parts(p);
  opt_problem *problem = &p->base;
  if (status != TG_OK) {
    tg_problem_destroy(&problem);
    return tg_error_pass(status, TG_HERE);
  }
  *out = problem;
  return TG_OK;
}

tg_status tg_problem_renew(opt_problem *problem)
{
  tg_problem *p = problem->self;
  p->owner = STATE_NONE;
  p->has_current_value = false;
  TG_TRY(run(p, TG_PROGRAM_SETUP));
  problem->counts.products = total_products(p);
  return TG_OK;
}

void tg_problem_destroy(opt_problem **problem)
{
  if (*problem == NULL) return;
  tg_problem *p = (*problem)->self;
  if (p->trial != NULL) p->base.space->ops->destroy(p->base.space, &p->trial);
  for (int32_t b = 0; p->views != NULL && b < p->plan->n_buffers; b++) tg_space_view_destroy(&p->views[b]);
  tg_free(p->views);
  tg_free(p->pairs);
  tg_free(p->is_image);
  tg_free(p);
  *problem = NULL;
}

void tg_problem_add_products(opt_problem *problem, int64_t products)
{
  tg_problem *p = problem->self;
  p->other_products += products;
  problem->counts.products = total_products(p);
}

const tg_problem_drift *tg_problem_get_drift(const opt_problem *problem)
{
  return &((const tg_problem *)problem->self)->drift;
}

const char *tg_problem_reason(const opt_problem *problem)
{
  return tg_exec_reason(((const tg_problem *)problem->self)->exec);
}
