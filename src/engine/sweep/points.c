// The points of a sweep.
#include "engine/sweep/points.h"

#include <math.h>

#include "base/memory.h"
#include "engine/model/probe_files.h"

// ---- the path ----

void tg_sweep_positions(const tg_sweep *sweep, int64_t point, int *positions)
{
  for (int k = sweep->n_axes - 1; k >= 0; k--) {
    const int64_t n = sweep->axes[k].n;
    const int64_t before = point / n; // how far the axes before it have come, step by step
    const int64_t at = point % n;
    positions[k] = (int)(before % 2 == 0 ? at : n - 1 - at);
    point = before;
  }
}

int tg_sweep_fold_axis(const tg_sweep *sweep)
{
  for (int k = 0; k < sweep->n_axes; k++)
    if (sweep->axes[k].target == TG_SWEEP_FOLD) return k;
  return -1;
}

// ---- specs ----

static tg_status apply(const tg_sweep_axis *axis, const tg_sweep_value *value, tg_spec *spec)
{
  switch (axis->target) {
  case TG_SWEEP_NUMBER:
    spec->data[axis->index].number = value->number;
    return TG_OK;
  case TG_SWEEP_OPTION:
    return tg_error_locate(axis->mark, opt_option_set(&spec->solver, opt_option_at(axis->index)->key, value->text));
  case TG_SWEEP_SEED:
    spec->variables[axis->index].seed = (uint64_t)value->number;
    spec->variables[axis->index].seed_is_given = true;
    return TG_OK;
  case TG_SWEEP_SCALE:
    spec->variables[axis->index].scale = value->number;
    spec->variables[axis->index].scale_is_given = true;
    return TG_OK;
  case TG_SWEEP_FOLD:
    spec->fold = (int)value->number;
    return TG_OK;
  }
  TG_FAIL(TG_INTERNAL, "an axis of the sweep moves nothing");
}

tg_status tg_sweep_copy_spec(const tg_spec *base, tg_spec **out)
{
  *out = NULL;
  TG_TRY(TG_NEW(1, out));
  **out = *base;
  (*out)->sweep = NULL;
  (*out)->variables = NULL;
  (*out)->data = NULL;
  TG_TRY(TG_NEW(base->n_variables, &(*out)->variables));
  TG_TRY(TG_NEW(base->n_data, &(*out)->data));
  for (int k = 0; k < base->n_variables; k++) (*out)->variables[k] = base->variables[k];
  for (int k = 0; k < base->n_data; k++) (*out)->data[k] = base->data[k];
  return TG_OK;
}

void tg_sweep_destroy_spec(tg_spec **spec)
{
  if (*spec == NULL) return;
  tg_free((*spec)->variables);
  tg_free((*spec)->data);
  tg_free(*spec);
  *spec = NULL;
}

static tg_status spec_of(const tg_spec *base, const int *positions, tg_spec **out)
{
  const tg_sweep *sweep = base->sweep;
  tg_status status = tg_sweep_copy_spec(base, out);
  for (int k = 0; k < sweep->n_axes && status == TG_OK; k++)
    status = apply(&sweep->axes[k], &sweep->axes[k].values[positions[k]], *out);
  if (status == TG_OK) return TG_OK;
  tg_sweep_destroy_spec(out);
  return tg_error_pass(status, TG_HERE);
}

tg_status tg_sweep_spec_at(const tg_spec *base, int64_t point, tg_spec **out)
{
  int positions[TG_SWEEP_AXES_MAX];
  tg_sweep_positions(base->sweep, point, positions);
  return spec_of(base, positions, out);
}

tg_status tg_sweep_spec_at_ends(const tg_spec *base, tg_spec **out)
{
  int positions[TG_SWEEP_AXES_MAX];
  for (int k = 0; k < base->sweep->n_axes; k++)
    positions[k] = base->sweep->axes[k].target == TG_SWEEP_FOLD ? 0 : base->sweep->axes[k].n - 1;
  return spec_of(base, positions, out);
}

// Every matrix that is divided has a part in what is fitted.
static tg_status check_divided(const tg_spec *base, const tg_task *marked)
{
  for (int k = 0; base->folds != NULL && k < base->folds->n_of; k++) {
    const tg_task_data *datum = &marked->data[base->folds->of[k]];
    if (!datum->used)
      return tg_error_set_mark(TG_NAME, TG_HERE, base->folds->of_marks[k],
                               "folds: %s does not occur in the objective%s: a fit without a part of it is the same",
                               datum->spec->name, base->n_relations > 0 ? " or in subject_to" : "");
  }
  return TG_OK;
}

tg_status tg_sweep_check(const tg_spec *base)
{
  const tg_sweep *sweep = base->sweep;
  tg_task *task = NULL;
  tg_status status = tg_task_create(base, &task);
  if (status == TG_OK) tg_task_mark_used(task, false);
  for (int k = 0; k < sweep->n_axes && status == TG_OK; k++) {
    const tg_sweep_axis *axis = &sweep->axes[k];
    if (axis->target == TG_SWEEP_NUMBER && !task->data[axis->index].used)
      status = tg_error_set_mark(TG_NAME, TG_HERE, axis->mark,
                                 "sweep: %s does not occur in the objective%s: every point would be the same",
                                 axis->name, base->n_relations > 0 ? " or in subject_to" : "");
  }
  if (status == TG_OK) status = check_divided(base, task);
  tg_task_destroy(&task);
  return status;
}

// The one axis on which two points differ; -1: none, or several.
static int line_between(const tg_sweep *sweep, int64_t one, int64_t other)
{
  int a[TG_SWEEP_AXES_MAX];
  int b[TG_SWEEP_AXES_MAX];
  int axis = -1;
  tg_sweep_positions(sweep, one, a);
  tg_sweep_positions(sweep, other, b);
  for (int k = 0; k < sweep->n_axes; k++) {
    if (a[k] == b[k]) continue;
    if (axis >= 0) return -1;
    axis = k;
  }
  return axis;
}

static double value_on(const tg_sweep *sweep, int axis, int64_t point)
{
  int positions[TG_SWEEP_AXES_MAX] = {0};
  tg_sweep_positions(sweep, point, positions);
  return sweep->axes[axis].values[positions[axis]].number;
}

static bool are_positive(int n, const double *values)
{
  for (int k = 0; k < n; k++)
    if (!(values[k] > 0)) return false;
  return true;
}

// Lagrange's weights at u[0] for the nodes u[1..n]. False: two of them are the same.
static bool find_weights(int n, const double *u, double *weights)
{
  for (int k = 1; k <= n; k++) {
    weights[k - 1] = 1;
    for (int i = 1; i <= n; i++) {
      if (i == k) continue;
      if (u[k] == u[i]) return false;
      weights[k - 1] *= (u[0] - u[i]) / (u[k] - u[i]);
    }
  }
  return true;
}

int tg_sweep_weights(const tg_sweep *sweep, int64_t point, int n, const int64_t *before, double *weights)
{
  enum { NODES_MAX = 4 };
  double u[NODES_MAX + 1];
  int used = 1;
  if (n == 0) return 0;
  weights[0] = 1;
  const int axis = line_between(sweep, point, before[0]);
  if (axis < 0 || sweep->axes[axis].target != TG_SWEEP_NUMBER) return 1;
  u[0] = value_on(sweep, axis, point);
  u[1] = value_on(sweep, axis, before[0]);
  while (used < n && used < NODES_MAX && line_between(sweep, point, before[used]) == axis) {
    u[used + 1] = value_on(sweep, axis, before[used]);
    used++;
  }
  if (are_positive(used + 1, u))
    for (int k = 0; k <= used; k++) u[k] = log(u[k]);
  while (used > 1 && !find_weights(used, u, weights)) used--;
  if (used == 1) weights[0] = 1;
  return used;
}

void tg_sweep_describe(const tg_sweep *sweep, int64_t point, tg_text *out)
{
  int positions[TG_SWEEP_AXES_MAX];
  tg_sweep_positions(sweep, point, positions);
  for (int k = 0; k < sweep->n_axes; k++) {
    const tg_sweep_axis *axis = &sweep->axes[k];
    const tg_sweep_value *value = &axis->values[positions[k]];
    tg_text_addf(out, "%s%s = ", k > 0 ? ", " : "", axis->name);
    if (value->number == value->number)
      tg_text_addf(out, "%.6g", value->number);
    else
      tg_text_add(out, value->text);
  }
}
