// What a fit is judged by.
#include "engine/sweep/score.h"

#include <math.h>

#include "base/memory.h"
#include "engine/model/build.h"
#include "engine/model/probe_files.h"
#include "engine/model/values.h"
#include "engine/problem/assemble.h"
#include "engine/sweep/points.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/space/space.h"

// ---- the spec of the score ----

static bool is_in_a_part(const tg_spec *spec, int n, const tg_spec_part *parts, const char *name)
{
  for (int k = 0; k < n; k++)
    if (tg_spec_has_name(parts[k].value.text, name)) return true;
  return tg_spec_has_name(spec->objective.text, name);
}

// The parts that the score uses, and those that these use.
static tg_status keep_parts(tg_spec *spec, tg_spec_part **out)
{
  int n = 0;
  TG_TRY(TG_NEW(spec->n_parts + 1, out));
  for (int before = -1; before < n;) {
    before = n;
    for (int k = 0; k < spec->n_parts; k++) {
      bool is_there = false;
      for (int i = 0; i < n; i++) is_there = is_there || (*out)[i].name == spec->parts[k].name;
      if (!is_there && is_in_a_part(spec, n, *out, spec->parts[k].name)) (*out)[n++] = spec->parts[k];
    }
  }
  spec->parts = *out;
  spec->n_parts = n;
  return TG_OK;
}

// The point's spec with the score for its objective, over the variables that are in it.
static tg_status make_spec(const tg_task *point, tg_spec **out, tg_spec_part **parts)
{
  TG_TRY(tg_sweep_copy_spec(point->spec, out));
  tg_spec *spec = *out;
  spec->objective = spec->folds->score;
  spec->is_score = true;
  spec->maximize = false;
  spec->n_relations = 0;
  spec->errors = NULL;
  spec->messages = NULL;
  spec->checkpoint_directory = NULL;
  spec->solver.max_iterations = 1; // nothing is multiplied out
  TG_TRY(keep_parts(spec, parts));
  int n = 0;
  for (int k = 0; k < spec->n_variables; k++) {
    tg_spec_variable x = spec->variables[k];
    if (!is_in_a_part(spec, spec->n_parts, spec->parts, x.name)) continue;
    x.constraint = NULL;
    x.arguments[0] = x.arguments[1] = (tg_spec_argument){TG_ARGUMENT_ABSENT, 0, 0, x.mark};
    x.rows = point->variables[k].rows;
    x.cols = point->variables[k].cols;
    x.start = TG_START_ZEROS; // it is filled with what was found
    spec->variables[n++] = x;
  }
  spec->n_variables = n;
  if (n == 0)
    TG_FAIL_MARK(TG_NAME, spec->objective.mark,
                 "folds: the score depends on no variable: every point would have the same");
  return TG_OK;
}

static void destroy_spec(tg_spec **spec, tg_spec_part **parts)
{
  tg_sweep_destroy_spec(spec);
  tg_free(*parts);
}

// ---- before the first point ----

static tg_status compile(tg_task *score)
{
  const tg_lower_options lowering = {.expected_iterations = 1};
  tg_model *model = NULL;
  tg_task_drop_restrictions(score);
  const tg_status status = tg_model_create_plain(score, &lowering, &model);
  tg_model_destroy(&model);
  return status;
}

// The sizes of the variables are what the job's own expressions make of them.
static tg_status check(tg_task *point)
{
  tg_spec *spec = NULL;
  tg_spec_part *parts = NULL;
  tg_task *score = NULL;
  TG_TRY(tg_task_probe(point));
  tg_status status = make_spec(point, &spec, &parts);
  if (status == TG_OK) status = tg_task_create(spec, &score);
  if (status == TG_OK) status = tg_task_probe(score);
  if (status == TG_OK) status = compile(score);
  tg_task_destroy(&score);
  destroy_spec(&spec, &parts);
  return status;
}

tg_status tg_score_check(const tg_spec *base)
{
  tg_spec *point = NULL;
  tg_task *task = NULL;
  TG_TRY(tg_sweep_spec_at(base, 0, &point));
  point->errors = NULL;
  point->messages = NULL;
  tg_status status = tg_task_create(point, &task);
  if (status == TG_OK) status = check(task);
  tg_task_destroy(&task);
  tg_sweep_destroy_spec(&point);
  return status;
}

// ---- at a point ----

static tg_status fill(const tg_setup *setup, tg_setup *score)
{
  TG_TRY(tg_setup_fill_plain(score));
  const tg_spec *spec = score->task->spec;
  for (int k = 0; k < spec->n_variables; k++) {
    const int from = tg_spec_find_variable(setup->task->spec, spec->variables[k].name);
    TG_TRY(tg_dmat_copy(tg_space_block(setup->x, from), tg_space_block(score->x, k)));
  }
  return TG_OK;
}

tg_status tg_score_evaluate(const tg_setup *setup, double *out)
{
  tg_spec *spec = NULL;
  tg_spec_part *parts = NULL;
  tg_setup *score = NULL;
  *out = (double)NAN;
  tg_status status = tg_agree(setup->comm, make_spec(setup->task, &spec, &parts));
  if (status == TG_OK) status = tg_setup_create_plain(setup->comm, spec, setup->task->share, &score);
  if (status == TG_OK) status = fill(setup, score);
  if (status == TG_OK)
    status =
        tg_values_scalar(score->task, score->model, score->grid, score->data, score->x, score->model->objective, out);
  if (status == TG_OK && !isfinite(*out)) *out = (double)NAN;
  tg_setup_destroy(&score);
  destroy_spec(&spec, &parts);
  return status;
}
