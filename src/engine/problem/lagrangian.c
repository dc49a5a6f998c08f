// opt_lagrangian on the plan's data.
#include "engine/problem/lagrangian.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "engine/method/feasible.h"
#include "engine/model/values.h"
#include "mpi/matrix/dmat_find.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/generate.h"
#include "mpi/problem/multipliers.h"
#include "mpi/problem/problem.h"
#include "mpi/space/space.h"
#include "opt/vector.h"

struct tg_lagrangian {
  opt_lagrangian base; // base.self points back here
  tg_setup *setup;
  tg_values *values; // f, then the constraints
  tg_multiplier *constraints;
  opt_point **views; // of the multipliers, for listings
  tg_dmat **kept;    // multipliers put aside
  opt_point **kept_views;
  double *violations; // at the last measure
  double *norms;      // of the multipliers
  double *sizes;      // what violations are measured against
  tg_dmat *penalty_data;
  double penalty; // NAN before the first commit
  int64_t products;
};

// ---- the operations ----

// saved := the multipliers, or the other way round.
static tg_status copy_multipliers(tg_lagrangian *self, bool back, tg_dmat **saved)
{
  for (int k = 0; k < self->setup->model->constraints->n; k++) {
    tg_dmat *m = self->constraints[k].multiplier;
    if (!back) TG_TRY(tg_agree(self->setup->comm, tg_dmat_create(self->setup->grid, m->rows, m->cols, &saved[k])));
    TG_TRY(back ? tg_dmat_copy(saved[k], m) : tg_dmat_copy(m, saved[k]));
  }
  return TG_OK;
}

static bool is_kink(const tg_lagrangian *self, int k)
{
  return self->setup->model->constraints->terms[k].is_kink;
}

// |gradient of f|: with multipliers 0 and next to no penalty L is f, and with slopes at x for the multipliers of kinks
// its gradient is a subgradient. Leaves g to be overwritten.
static tg_status gradient_norm(tg_lagrangian *self, const opt_point *x, opt_point *g, double *norm)
{
  static const double next_to_none = 1e-100; // its inverse stays finite when squared
  static const double drowned = 1e-60;       // a gradient of this size may be the penalty's
  opt_problem *problem = self->setup->problem;
  tg_dmat **saved = NULL;
  double f = 0;
  TG_TRY(tg_agree_memory(self->setup->comm, TG_NEW(self->setup->model->constraints->n, &saved), &saved));
  tg_status status = copy_multipliers(self, false, saved);
  if (status == TG_OK) status = tg_values_evaluate(self->values);
  for (int k = 0; k < self->setup->model->constraints->n; k++) {
    tg_dmat_fill(0.0, self->constraints[k].multiplier);
    if (is_kink(self, k)) tg_multiplier_set_slope(&self->constraints[k]);
  }
  tg_dmat_fill(next_to_none, self->penalty_data);
  if (status == TG_OK) status = tg_problem_renew(problem);
  if (status == TG_OK) status = problem->ops->gradient(problem, x, &f, g);
  if (status == TG_OK) status = opt_norm(problem->space, g, norm);
  if (status == TG_OK && *norm < drowned) *norm = 0;
  if (status == TG_OK) status = copy_multipliers(self, true, saved);
  for (int k = 0; k < self->setup->model->constraints->n; k++) tg_dmat_destroy(&saved[k]);
  tg_free(saved);
  return status;
}

// The terms of a constraint cancel at a feasible x. They do not where every entry of x is multiplied by another
// positive number, a half on average: then what is left has their size. Where it vanishes or does not exist, the value
// at x stands for it; an earlier size fades, for the start may be far away. aside and weights are overwritten.
static tg_status find_sizes(tg_lagrangian *self, opt_point *aside, opt_point *weights)
{
  enum { SEED = 20260301 };
  static const double fading = 0.01;
  const opt_space *space = self->setup->problem->space;
  const int n = self->setup->model->constraints->n;
  opt_point *x = self->setup->x;
  TG_TRY(opt_copy(space, x, aside));
  TG_TRY(space->ops->random(space, SEED, weights));
  TG_TRY(space->ops->scale_entries(space, weights, x));
  TG_TRY(space->ops->scale_entries(space, weights, x));
  TG_TRY(opt_axpby(space, 0, aside, 0.5, x));
  tg_status status = tg_values_evaluate(self->values);
  const bool is_outside = status == TG_NUMERIC; // of the domain of f
  if (is_outside) tg_error_clear();
  if (is_outside) status = TG_OK;
  for (int k = 0; k < n && status == TG_OK && !is_outside; k++) {
    double size = 0;
    status = tg_multiplier_size(&self->constraints[k], &size);
    self->sizes[k] = fmax(fading * self->sizes[k], size);
  }
  TG_TRY(opt_copy(space, aside, x));
  TG_TRY(status);
  TG_TRY(tg_values_evaluate(self->values));
  for (int k = 0; k < n; k++)
    if (self->sizes[k] == 0) TG_TRY(tg_multiplier_size(&self->constraints[k], &self->sizes[k]));
  return TG_OK;
}

static tg_status scale(opt_lagrangian *base, const opt_point *x, double *norm)
{
  tg_lagrangian *self = base->self;
  const opt_space *space = self->setup->problem->space;
  opt_point *one = NULL;
  opt_point *two = NULL;
  TG_ASSERT(x == self->setup->x);
  tg_status status = space->ops->create(space, &one);
  if (status == TG_OK) status = space->ops->create(space, &two);
  if (status == TG_OK) status = gradient_norm(self, x, one, norm);
  if (status == TG_OK) status = find_sizes(self, one, two);
  space->ops->destroy(space, &one);
  space->ops->destroy(space, &two);
  return status;
}

// Next to none beside multipliers of the size w.
static double slight_penalty(const tg_lagrangian *self, double w)
{
  static const double next_to_none = 1e-30;
  double size = 0;
  for (int k = 0; k < self->setup->model->constraints->n; k++) size = fmax(size, self->sizes[k]);
  return next_to_none * w / (size > 0 ? size : 1);
}

// L with multipliers as they are, some of the size w, and next to no penalty beside it, whose square terms so vanish
// from the gradient.
static tg_status gradient_without_penalty(tg_lagrangian *self, const opt_point *x, double w, opt_point *g)
{
  opt_problem *problem = self->setup->problem;
  double f = 0;
  tg_dmat_fill(slight_penalty(self, w), self->penalty_data);
  TG_TRY(tg_problem_renew(problem));
  return problem->ops->gradient(problem, x, &f, g);
}

// m += w, random of this size, and of the sign that inequalities allow, of which all then count.
static tg_status shift_multipliers(tg_lagrangian *self, double w_size, double *square)
{
  *square = 0;
  for (int k = 0; k < self->setup->model->constraints->n; k++) {
    const tg_multiplier *c = &self->constraints[k];
    const double coefs[2] = {1, w_size};
    tg_dmat *w = NULL;
    double own = 0;
    if (is_kink(self, k)) continue;
    TG_TRY(tg_agree(self->setup->comm, tg_dmat_create(self->setup->grid, c->value->rows, c->value->cols, &w)));
    tg_generate_normal(1 + (uint64_t)k, 0, w);
    for (int64_t j = 0; j < w->local_cols && isfinite(c->low); j++)
      for (int64_t i = 0; i < w->local_rows; i++) w->data[i + j * w->ld] = fabs(w->data[i + j * w->ld]);
    tg_status status = tg_dmat_dot(w, w, &own);
    if (status == TG_OK) status = tg_dmat_lincomb(2, coefs, (const tg_dmat *const[]){c->multiplier, w}, c->multiplier);
    tg_dmat_destroy(&w);
    TG_TRY(status);
    *square += w_size * w_size * own;
  }
  return TG_OK;
}

// d := J'w for multipliers w of this size, as a difference of gradients from g, that with the multipliers as they are.
static tg_status differ(tg_lagrangian *self, const opt_point *x, double w_size, const opt_point *g, opt_point *d,
                        double *w_square)
{
  TG_TRY(shift_multipliers(self, w_size, w_square));
  TG_TRY(gradient_without_penalty(self, x, w_size, d));
  return opt_axpby(self->setup->problem->space, -1, g, 1, d);
}

// The rows of J by the gradient of <w, (h, g)>, the curvature along it by the Hessian action. w is as large as makes
// its share of the gradient one that neither drowns in f nor drowns it.
static tg_status survey_along(tg_lagrangian *self, const opt_point *x, tg_dmat **saved, opt_point *g, opt_point *d,
                              opt_survey *out)
{
  static const double slight = 1e-3;
  static const double drowned = 1e-27; // where the gradient of f vanishes, the penalty's is left
  opt_problem *problem = self->setup->problem;
  const opt_space *space = problem->space;
  double w_size = 1;
  double w_square = 0;
  double products[2] = {0, 0};
  TG_TRY(copy_multipliers(self, false, saved));
  TG_TRY(gradient_without_penalty(self, x, w_size, g));
  TG_TRY(opt_norm(space, g, &out->gradient_norm));
  for (int k = 0; k < 3; k++) {
    TG_TRY(differ(self, x, w_size, g, d, &w_square));
    TG_TRY(copy_multipliers(self, true, saved));
    TG_TRY(opt_dot(space, d, d, &products[0]));
    if (k == 0 && out->gradient_norm <= drowned * sqrt(products[0])) out->gradient_norm = 0;
    const double share = sqrt(products[0]) / out->gradient_norm;
    if (!(share > 0 && isfinite(share)) || (share > slight && slight * share < 1)) break;
    w_size /= share;
  }
  out->gram = products[0] / w_square;
  TG_TRY(gradient_without_penalty(self, x, w_size, g));
  if (!problem->has_hessian || !(products[0] > 0)) return TG_OK;
  TG_TRY(problem->ops->hessian(problem, x, d, g));
  TG_TRY(opt_dot(space, g, g, &products[1]));
  out->curvature = sqrt(products[1] / products[0]);
  // That of the penalty alone is none of f.
  if (out->curvature <= 1e3 * slight_penalty(self, w_size) * out->gram) out->curvature = 0;
  return TG_OK;
}

static tg_status survey(opt_lagrangian *base, const opt_point *x, opt_survey *out)
{
  tg_lagrangian *self = base->self;
  const opt_space *space = self->setup->problem->space;
  opt_point *g = NULL;
  opt_point *d = NULL;
  tg_dmat **saved = NULL;
  double square = 0;
  double count = 0;
  *out = (opt_survey){.curvature = (double)NAN};
  for (int k = 0; k < self->setup->model->constraints->n; k++) {
    const tg_dmat *value = self->constraints[k].value;
    double own = 0;
    if (is_kink(self, k)) continue;
    TG_TRY(tg_dmat_dot(value, value, &own));
    square += own;
    count += (double)value->rows * (double)value->cols;
  }
  out->size = sqrt(square / count);
  TG_TRY(opt_norm(space, x, &out->x_norm));
  const int n = self->setup->model->constraints->n;
  tg_status status = tg_agree(self->setup->comm, TG_NEW(n, &saved));
  if (status == TG_OK) status = space->ops->create(space, &g);
  if (status == TG_OK) status = space->ops->create(space, &d);
  if (status == TG_OK) status = survey_along(self, x, saved, g, d, out);
  for (int k = 0; saved != NULL && k < n; k++) tg_dmat_destroy(&saved[k]);
  tg_free(saved);
  space->ops->destroy(space, &d);
  space->ops->destroy(space, &g);
  return status;
}

static double relative(double violation, double size)
{
  return violation > 0 ? violation / size : 0;
}

// The penalty w / e, of slopes about w, makes a typical value e of the kink the end of its envelope's parabola. Where e
// is unknown, all values being zero, the envelopes are to lie below the kinks by as much as f is worth.
static double fitting_penalty(const tg_multiplier *c, const tg_violation *found, double f)
{
  const double slope = (c->high - c->low) / 2;
  const double count = (double)c->value->rows * (double)c->value->cols;
  if (found->typical > 1e-9 * found->size) return slope / found->typical;
  return f != 0 && isfinite(f) ? slope * slope * count / (2 * fabs(f)) : 1;
}

static void add_kink(tg_lagrangian *self, int k, const tg_violation *found, opt_measure *out)
{
  const double size = self->sizes[k] > 0 ? self->sizes[k] : found->size;
  out->complementarity = fmax(out->complementarity, relative(found->complementarity, size));
  out->penalty = fmax(out->penalty, fitting_penalty(&self->constraints[k], found, out->objective));
  self->violations[k] = found->complementarity;
}

static tg_status measure(opt_lagrangian *base, const opt_point *x, opt_measure *out)
{
  tg_lagrangian *self = base->self;
  const int n = self->setup->model->constraints->n;
  TG_ASSERT(x == self->setup->x);
  *out = (opt_measure){0};
  TG_TRY(tg_values_evaluate(self->values));
  TG_TRY(tg_dmat_fetch(tg_values_matrix(self->values, 0), &out->objective));
  for (int k = 0; k < n; k++) {
    tg_violation found = {0};
    TG_TRY(tg_multiplier_measure(&self->constraints[k], isnan(self->penalty) ? 1 : self->penalty, &found));
    if (is_kink(self, k)) {
      add_kink(self, k, &found, out);
      continue;
    }
    out->has_constraints = true;
    const double share = relative(found.largest, self->sizes[k]);
    self->violations[k] = found.largest;
    if (share > out->share) out->worst = k;
    out->violation = fmax(out->violation, found.largest);
    out->share = fmax(out->share, share);
    out->complementarity = fmax(out->complementarity, relative(found.complementarity, self->sizes[k]));
    out->size = fmax(out->size, self->sizes[k]);
    out->square += found.square;
  }
  return TG_OK;
}

static tg_status probe(opt_lagrangian *base, const opt_point *x, opt_measure *out)
{
  tg_lagrangian *self = base->self;
  const opt_space *space = self->setup->problem->space;
  const int n = self->setup->model->constraints->n;
  double *sizes = self->sizes;
  opt_point *one = NULL;
  opt_point *two = NULL;
  self->sizes = NULL;
  tg_status status = tg_agree(self->setup->comm, TG_NEW(n, &self->sizes));
  if (status == TG_OK) status = space->ops->create(space, &one);
  if (status == TG_OK) status = space->ops->create(space, &two);
  if (status == TG_OK) status = find_sizes(self, one, two);
  if (status == TG_OK) status = measure(base, x, out);
  space->ops->destroy(space, &one);
  space->ops->destroy(space, &two);
  tg_free(self->sizes);
  self->sizes = sizes;
  return status;
}

static tg_status update(opt_lagrangian *base, double limit, double *norm)
{
  tg_lagrangian *self = base->self;
  double total = 0;
  for (int k = 0; k < self->setup->model->constraints->n; k++) {
    double square = 0;
    TG_TRY(tg_multiplier_update(&self->constraints[k], self->penalty, limit, &square));
    self->norms[k] = sqrt(square);
    total += square;
  }
  *norm = sqrt(total);
  return TG_OK;
}

// Multipliers that bind lose what the penalty's term gives them, so that the gradient of L is the one with the
// multipliers of the last update, and its Hessian that of the Lagrangian and of the penalty on the constraints that
// bind: on the null space of their derivative it is the Lagrangian's.
static tg_status relax(opt_lagrangian *base, double norm)
{
  static const double rounding = 1e-9;
  static const double little = 1e-7;      // of a constraint's size
  static const double vanishing = 1e-170; // its square is 0
  tg_lagrangian *self = base->self;
  for (int k = 0; k < self->setup->model->constraints->n; k++) {
    const tg_multiplier *c = &self->constraints[k];
    const double shift = self->penalty * (self->sizes[k] > 0 ? little * self->sizes[k] : vanishing);
    const bool is_inequality = !is_kink(self, k) && isfinite(c->low);
    const double least = is_inequality ? rounding * norm : c->low;
    for (int64_t j = 0; j < c->multiplier->local_cols; j++)
      for (int64_t i = 0; i < c->multiplier->local_rows; i++) {
        double *entry = &c->multiplier->data[i + j * c->multiplier->ld];
        if (*entry > least && *entry < c->high)
          *entry -= self->penalty * c->value->data[i + j * c->value->ld];
        else if (is_inequality)
          *entry = -shift;
      }
  }
  return TG_OK;
}

static tg_status keep(opt_lagrangian *base, bool back)
{
  tg_lagrangian *self = base->self;
  for (int k = 0; k < self->setup->model->constraints->n; k++) {
    tg_dmat *m = self->constraints[k].multiplier;
    double square = 0;
    TG_TRY(back ? tg_dmat_copy(self->kept[k], m) : tg_dmat_copy(m, self->kept[k]));
    TG_TRY(tg_dmat_dot(m, m, &square));
    self->norms[k] = sqrt(square);
  }
  return TG_OK;
}

// Factorisations and diagonals belong to one penalty.
static tg_status renew_method(tg_lagrangian *self)
{
  tg_setup *setup = self->setup;
  self->products += tg_method_products(setup->method);
  tg_method_destroy(&setup->method);
  TG_TRY(tg_agree(setup->comm, tg_method_choose(setup->task, setup->model, &setup->method)));
  return tg_method_prepare(setup->task, setup->model, setup->grid, setup->data, setup->method);
}

// A method that is prepared with the Hessian of L may depend on the multipliers, and on a point of the round before,
// unless that Hessian is constant: then the penalty alone makes it. A resumed run knows no more than penalty and
// multipliers.
static tg_status commit(opt_lagrangian *base, double penalty, const opt_options **options)
{
  tg_lagrangian *self = base->self;
  const bool is_constant = self->setup->model->plan->degree == 2;
  tg_dmat_fill(penalty, self->penalty_data);
  if (!(penalty == self->penalty) || !is_constant) TG_TRY(renew_method(self));
  self->penalty = penalty;
  *options = &self->setup->method->options;
  return tg_problem_renew(self->setup->problem);
}

static tg_status list(opt_lagrangian *base, opt_listing *listing)
{
  tg_lagrangian *self = base->self;
  for (int k = 0; k < self->setup->model->constraints->n; k++) {
    TG_TRY(opt_listing_add_vector(listing, "multiplier", k, self->views[k]));
    TG_TRY(opt_listing_add_vector(listing, "kept_multiplier", k, self->kept_views[k]));
    TG_TRY(opt_listing_add_number(listing, "multiplier_norm", k, &self->norms[k]));
    TG_TRY(opt_listing_add_number(listing, "constraint_size", k, &self->sizes[k]));
  }
  return TG_OK;
}

static const char *describe(const opt_lagrangian *base, int k)
{
  const tg_lagrangian *self = base->self;
  return self->setup->model->constraints->terms[k].text;
}

static const opt_lagrangian_ops ops = {.scale = scale,
                                       .survey = survey,
                                       .measure = measure,
                                       .probe = probe,
                                       .update = update,
                                       .relax = relax,
                                       .keep = keep,
                                       .commit = commit,
                                       .list = list,
                                       .describe = describe};

// ---- life ----

static tg_dmat *find_own(const tg_setup *setup, int index)
{
  const int32_t position = tg_model_find_data(setup->model, setup->task->spec->n_data + index);
  return position >= 0 ? setup->data[position] : NULL;
}

static tg_status allocate(tg_lagrangian *self)
{
  const int n = self->setup->model->constraints->n;
  TG_TRY(TG_NEW(n, &self->constraints));
  TG_TRY(TG_NEW(n, &self->violations));
  TG_TRY(TG_NEW(n, &self->sizes));
  TG_TRY(TG_NEW(n, &self->views));
  TG_TRY(TG_NEW(n, &self->kept));
  TG_TRY(TG_NEW(n, &self->kept_views));
  return TG_NEW(n, &self->norms);
}

// The data that the plan reads: multipliers and penalty. None of them can vanish from L, for each stands beside a
// constraint that depends on a variable.
static tg_status bind_data(tg_lagrangian *self)
{
  const tg_constraints *constraints = self->setup->model->constraints;
  self->penalty_data = find_own(self->setup, constraints->n);
  bool is_whole = self->penalty_data != NULL;
  for (int k = 0; k < constraints->n; k++) {
    self->constraints[k] = (tg_multiplier){.value = tg_values_matrix(self->values, k + 1),
                                           .multiplier = find_own(self->setup, k),
                                           .low = constraints->terms[k].low,
                                           .high = constraints->terms[k].high};
    is_whole = is_whole && self->constraints[k].multiplier != NULL;
  }
  if (!is_whole) TG_FAIL(TG_INTERNAL, "the plan does not read all multipliers and the penalty");
  return TG_OK;
}

// sum(W.*abs(E)) is norm1(W.*E) for weights that are not negative; else it is concave somewhere.
static tg_status verify_weights(tg_lagrangian *self)
{
  const tg_task *task = self->setup->task;
  const tg_constraints *constraints = self->setup->model->constraints;
  bool has_weights = false;
  for (int k = 0; k < constraints->n; k++) has_weights = has_weights || constraints->terms[k].weight != TG_NONE;
  if (has_weights) TG_TRY(tg_values_evaluate(self->values));
  for (int k = 0; k < constraints->n; k++) {
    const tg_dmat *w = tg_values_matrix(self->values, 1 + constraints->n + k);
    tg_found first;
    if (w == NULL) continue;
    TG_TRY(tg_dmat_find_negative(w, &first));
    if (first.place != INT64_MAX)
      TG_FAIL_MARK(TG_DATA, task->spec->objective.mark,
                   "entry (%" PRId64 ",%" PRId64 ") of the weights of abs or relu is %.6g: negative weights make the "
                   "objective concave, with minima that no gradient leads to",
                   first.place / w->cols + 1, first.place % w->cols + 1, first.values[0]);
  }
  return TG_OK;
}

static tg_status view_multipliers(tg_lagrangian *self)
{
  for (int k = 0; k < self->setup->model->constraints->n; k++) {
    const tg_dmat *m = self->constraints[k].multiplier;
    TG_TRY(tg_space_view(self->constraints[k].multiplier, &self->views[k]));
    TG_TRY(tg_dmat_create(self->setup->grid, m->rows, m->cols, &self->kept[k]));
    TG_TRY(tg_space_view(self->kept[k], &self->kept_views[k]));
  }
  return TG_OK;
}

static tg_status compile_values(tg_lagrangian *self)
{
  tg_setup *setup = self->setup;
  const tg_constraints *constraints = setup->model->constraints;
  tg_node *nodes = NULL;
  TG_TRY(tg_agree_memory(setup->comm, TG_NEW(tg_constraints_nodes(constraints, NULL), &nodes), &nodes));
  const int n = tg_constraints_nodes(constraints, nodes);
  const tg_status status =
      tg_values_create(setup->task, setup->model, setup->grid, setup->data, setup->x, n, nodes, &self->values);
  tg_free(nodes);
  return status;
}

tg_status tg_lagrangian_create(tg_setup *setup, tg_lagrangian **out)
{
  *out = NULL;
  tg_lagrangian *self = NULL;
  tg_status status = TG_NEW(1, &self);
  if (status == TG_OK) {
    *self = (tg_lagrangian){.base = {.ops = &ops, .self = self}, .setup = setup, .penalty = (double)NAN};
    status = allocate(self);
  }
  status = tg_agree(setup->comm, status);
  if (status == TG_OK) status = compile_values(self);
  if (status == TG_OK) status = verify_weights(self);
  if (status == TG_OK) status = bind_data(self);
  if (status == TG_OK) status = tg_agree(setup->comm, view_multipliers(self));
  if (status != TG_OK) {
    tg_lagrangian_destroy(&self);
    return tg_error_pass(status, TG_HERE);
  }
  *out = self;
  return TG_OK;
}

void tg_lagrangian_reset(tg_lagrangian *lagrangian)
{
  for (int k = 0; k < lagrangian->setup->model->constraints->n; k++) {
    tg_dmat_fill(0.0, lagrangian->constraints[k].multiplier);
    lagrangian->norms[k] = 0;
    lagrangian->sizes[k] = 0;
  }
  lagrangian->penalty = (double)NAN;
}

void tg_lagrangian_destroy(tg_lagrangian **lagrangian)
{
  tg_lagrangian *self = *lagrangian;
  if (self == NULL) return;
  tg_values_destroy(&self->values);
  for (int k = 0; self->views != NULL && k < self->setup->model->constraints->n; k++)
    tg_space_view_destroy(&self->views[k]);
  for (int k = 0; self->kept_views != NULL && k < self->setup->model->constraints->n; k++) {
    tg_space_view_destroy(&self->kept_views[k]);
    tg_dmat_destroy(&self->kept[k]);
  }
  tg_free(self->kept);
  tg_free(self->kept_views);
  tg_free(self->views);
  tg_free(self->constraints);
  tg_free(self->violations);
  tg_free(self->norms);
  tg_free(self->sizes);
  tg_free(self);
  *lagrangian = NULL;
}

opt_lagrangian *tg_lagrangian_base(tg_lagrangian *lagrangian)
{
  return &lagrangian->base;
}

int64_t tg_lagrangian_products(const tg_lagrangian *lagrangian)
{
  return lagrangian->products + tg_values_products(lagrangian->values);
}

// ---- words ----

const tg_dmat *tg_lagrangian_multiplier(const tg_lagrangian *self, int k)
{
  TG_ASSERT(k >= 0 && k < self->setup->model->constraints->n);
  return self->constraints[k].multiplier;
}

void tg_lagrangian_terms(const tg_lagrangian *self, tg_lagrangian_term *out)
{
  for (int k = 0; k < self->setup->model->constraints->n; k++)
    out[k] = (tg_lagrangian_term){.text = describe(&self->base, k),
                                  .is_kink = is_kink(self, k),
                                  .violation = self->violations[k],
                                  .size = self->sizes[k],
                                  .multiplier_norm = self->norms[k]};
}

void tg_lagrangian_print(const tg_task *task, const char *indent, tg_text *out)
{
  for (int k = 0; k < task->spec->n_relations; k++)
    tg_text_addf(out, "%ssubject to: %s\n", indent, task->spec->relations[k].whole.text);
}
