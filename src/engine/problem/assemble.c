// From a job to a problem on the grid.
#include "engine/problem/assemble.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "engine/method/feasible.h"
#include "engine/method/method_parts.h"
#include "engine/model/build.h"
#include "engine/model/default_start.h"
#include "engine/model/domain.h"
#include "engine/model/metric_change.h"
#include "engine/model/probe_files.h"
#include "engine/model/set_data.h"
#include "engine/problem/compile.h"
#include "engine/problem/domain_start.h"
#include "engine/problem/found_use.h"
#include "engine/problem/lagrangian.h"
#include "engine/problem/metric_change_numbers.h"
#include "engine/problem/read_data.h"
#include "engine/problem/start_scale.h"
#include "engine/share/share.h"
#include "mpi/constraint/constraint.h"
#include "mpi/file/files.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/problem/problem.h"
#include "mpi/space/space.h"

// ---- sizes, plan, grid ----

static tg_status share_shape(MPI_Comm comm, int64_t *rows, int64_t *cols)
{
  int64_t shape[2] = {*rows, *cols};
  TG_TRY_MPI(MPI_Bcast(shape, 2, MPI_INT64_T, 0, comm));
  *rows = shape[0];
  *cols = shape[1];
  return TG_OK;
}

static tg_status share_shapes(MPI_Comm comm, tg_task *task)
{
  for (int k = 0; k < task->spec->n_data; k++) TG_TRY(share_shape(comm, &task->data[k].rows, &task->data[k].cols));
  for (int k = 0; k < task->spec->n_variables; k++)
    TG_TRY(share_shape(comm, &task->variables[k].rows, &task->variables[k].cols));
  return TG_OK;
}

tg_status tg_setup_choose_grid(const tg_task *task, const tg_plan *plan, int ranks, tg_grid_choice *out)
{
  int64_t rows = 0;
  int64_t cols = 0;
  tg_model_largest(plan, &rows, &cols);
  TG_TRY(tg_grid_choose(ranks, rows, cols, out));
  if (task->spec->grid_block > 0) out->block = task->spec->grid_block;
  if (task->spec->grid_rows == 0) return TG_OK;
  if ((int64_t)task->spec->grid_rows * task->spec->grid_cols != ranks)
    TG_FAIL_MARK(TG_VALUE, task->spec->grid_mark, "process_grid %d x %d needs %lld ranks, there are %d",
                 task->spec->grid_rows, task->spec->grid_cols, (long long)task->spec->grid_rows * task->spec->grid_cols,
                 ranks);
  out->rows = task->spec->grid_rows;
  out->cols = task->spec->grid_cols;
  snprintf(out->reason, sizeof out->reason, "%d x %d: as the job says", out->rows, out->cols);
  return TG_OK;
}

tg_status tg_setup_compile_supposing(tg_task *task, const tg_lower_options *options, tg_model **model,
                                     tg_method **method, bool *is_supposed)
{
  *is_supposed = false;
  const tg_status status = tg_setup_compile(task, options, model, method);
  const tg_error refused = *tg_error_get();
  if (status != TG_UNSUPPORTED || !tg_found_suppose(task)) return status;
  tg_method_destroy(method);
  tg_model_destroy(model);
  tg_task_forget_starts(task);
  *is_supposed = tg_setup_compile(task, options, model, method) == TG_OK;
  if (*is_supposed) {
    tg_error_clear();
    return TG_OK;
  }
  *tg_error_get() = refused;
  return status;
}

// That of the points before, where there are some: a number that vanishes may take the largest matrix with it.
static tg_status open_grid(tg_setup *setup)
{
  tg_share *share = setup->task->share;
  if (share != NULL) setup->grid = tg_share_grid(share, &setup->choice);
  if (setup->grid != NULL) {
    setup->flops_before = *setup->grid->flops;
    return TG_OK;
  }
  TG_TRY(tg_grid_create(setup->comm, setup->choice.rows, setup->choice.cols, setup->choice.block, &setup->grid));
  if (share != NULL) tg_share_take_grid(share, setup->grid, &setup->choice);
  return TG_OK;
}

double tg_setup_flops(const tg_setup *setup)
{
  return setup->grid != NULL ? *setup->grid->flops - setup->flops_before : 0;
}

static tg_status find_shapes(tg_setup *setup)
{
  int rank = 0;
  MPI_Comm_rank(setup->comm, &rank);
  tg_task_mark_used(setup->task, false);
  TG_TRY(tg_agree(setup->comm, rank == 0 ? tg_task_probe(setup->task) : TG_OK));
  return share_shapes(setup->comm, setup->task);
}

static tg_status make_grid(tg_setup *setup)
{
  int ranks = 1;
  MPI_Comm_size(setup->comm, &ranks);
  TG_TRY(tg_agree(setup->comm, tg_setup_choose_grid(setup->task, setup->model->plan, ranks, &setup->choice)));
  return open_grid(setup);
}

static tg_status compile(tg_setup *setup)
{
  TG_TRY(find_shapes(setup));
  // The same work on every rank, but memory may end on one alone.
  TG_TRY(tg_agree(setup->comm, tg_setup_compile_supposing(setup->task, &setup->lowering, &setup->model, &setup->method,
                                                          &setup->is_supposed)));
  return make_grid(setup);
}

// What restricts the variables is no part of the objective's value, though it may tell their sizes.
static tg_status compile_plain(tg_setup *setup)
{
  tg_task *task = setup->task;
  TG_TRY(find_shapes(setup));
  tg_task_drop_restrictions(task);
  TG_TRY(tg_agree(setup->comm, tg_model_create_plain(task, &setup->lowering, &setup->model)));
  return make_grid(setup);
}

static tg_status create(MPI_Comm comm, const tg_spec *spec, const tg_lower_options *options, tg_share *share,
                        tg_status (*compile_job)(tg_setup *setup), tg_setup **out)
{
  *out = NULL;
  tg_setup *setup = NULL;
  TG_TRY(tg_agree_memory(comm, TG_NEW(1, &setup), &setup));
  setup->comm = comm;
  setup->lowering = *options;
  tg_status status = tg_task_create(spec, &setup->task);
  if (status == TG_OK) status = TG_NEW(spec->n_data + 1, &setup->ways);
  status = tg_agree(comm, status);
  if (status == TG_OK) setup->task->share = share;
  if (status == TG_OK) status = compile_job(setup);
  if (status != TG_OK) {
    tg_setup_destroy(&setup);
    return tg_error_pass(status, TG_HERE);
  }
  *out = setup;
  return TG_OK;
}

tg_status tg_setup_create(MPI_Comm comm, const tg_spec *spec, const tg_lower_options *options, tg_share *share,
                          tg_setup **out)
{
  return create(comm, spec, options, share, compile, out);
}

tg_status tg_setup_create_plain(MPI_Comm comm, const tg_spec *spec, tg_share *share, tg_setup **out)
{
  const tg_lower_options options = {.want_hessian = true, .expected_iterations = spec->solver.max_iterations};
  return create(comm, spec, &options, share, compile_plain, out);
}

// ---- data ----

// A claim may remove its own matrix from the plan: sumsq(Q*X) is sumsq(X) for an orthogonal Q. Right only if it holds.
static tg_status verify_vanished(tg_setup *setup)
{
  for (int k = 0; k < setup->task->spec->n_data; k++) {
    const tg_task_data *datum = &setup->task->data[k];
    if (!datum->used || datum->spec->trust || datum->spec->properties == 0 ||
        tg_model_find_data(setup->model, k) >= 0 || tg_metric_change_needs(setup->task, k) ||
        tg_set_data_needs(setup->task, k))
      continue;
    tg_dmat *matrix = NULL;
    const tg_status status = tg_setup_read_datum(setup, datum, &matrix);
    tg_dmat_destroy(&matrix);
    TG_TRY(status);
  }
  return TG_OK;
}

// What constraints name: as the plan holds it, or read for this alone.
static tg_status read_set_data(tg_setup *setup)
{
  const tg_task *task = setup->task;
  tg_status status = TG_NEW(task->spec->n_data + 1, &setup->set_data);
  if (status == TG_OK) status = TG_NEW(task->spec->n_data + 1, &setup->owns_set_data);
  TG_TRY(tg_agree(setup->comm, status));
  for (int k = 0; k < task->spec->n_data; k++) {
    if (task->spec->data[k].source == TG_SOURCE_NUMBER || !tg_set_data_needs(task, k)) continue;
    const int32_t position = tg_model_find_data(setup->model, k);
    if (position >= 0) setup->set_data[k] = setup->data[position];
    setup->owns_set_data[k] = position < 0;
    if (setup->owns_set_data[k]) TG_TRY(tg_setup_read_bounds(setup, &task->data[k], &setup->set_data[k]));
  }
  return TG_OK;
}

static tg_status read_operands(tg_setup *setup)
{
  const tg_plan *plan = setup->model->plan;
  TG_TRY(tg_agree(setup->comm, TG_NEW(plan->n_data, &setup->data)));
  for (int32_t k = 0; k < plan->n_data; k++) TG_TRY(tg_setup_make_datum(setup, setup->model, k, &setup->data[k]));
  return TG_OK;
}

static tg_status read_data(tg_setup *setup)
{
  const double begin = MPI_Wtime();
  TG_TRY(read_operands(setup));
  TG_TRY(tg_found_use(setup));
  TG_TRY(read_set_data(setup));
  TG_TRY(tg_metric_change_fill(setup));
  TG_TRY(verify_vanished(setup));
  setup->read_seconds += MPI_Wtime() - begin;
  return TG_OK;
}

// ---- start point ----

// method: direct takes nothing of the start, but what follows it begins at a feasible point.
static bool ignores_zeros(const tg_setup *setup, const tg_task_variable *variable)
{
  const opt_options *solver = &setup->task->spec->solver;
  return tg_method_is_direct(solver) && solver->max_iterations > 0 && tg_task_on_manifold(variable);
}

static tg_status fill_start(const tg_setup *setup, const tg_task_variable *variable, int64_t shift, tg_dmat *out)
{
  static const char *const kinds[] = {
      [TG_START_ZEROS] = "zeros",   [TG_START_ONES] = "ones",       [TG_START_IDENTITY] = "identity",
      [TG_START_NORMAL] = "normal", [TG_START_UNIFORM] = "uniform", [TG_START_FEASIBLE] = "normal"};
  if (variable->start == TG_START_FILE || variable->start == TG_START_MEMORY)
    return tg_setup_read_start(setup, variable, out);
  tg_generate_options options = {.seed = variable->seed + (uint64_t)shift, .scale = variable->scale};
  // The generators take a factor 0 as "not given".
  if (variable->start != TG_START_ZEROS && variable->scale != 0)
    return tg_generate(kinds[variable->start], &options, out);
  if (!ignores_zeros(setup, variable)) {
    tg_dmat_fill(0.0, out);
    return TG_OK;
  }
  options.scale = 1;
  return tg_generate(kinds[TG_START_FEASIBLE], &options, out);
}

static tg_status fill_all(const tg_setup *setup, int64_t shift)
{
  for (int k = 0; k < setup->task->spec->n_variables; k++)
    TG_TRY(fill_start(setup, &setup->task->variables[k], shift, tg_space_block(setup->x, k)));
  TG_TRY(tg_domain_start_symmetric(setup));
  return tg_metric_change_enter(setup);
}

static tg_status set_symmetric(tg_setup *setup)
{
  bool *flags = NULL;
  TG_TRY(tg_agree_memory(setup->comm, tg_domain_flags(setup->task, &flags), &flags));
  const tg_status status = tg_space_set_symmetric(setup->space, flags);
  tg_free(flags);
  return status;
}

static tg_status make_start(tg_setup *setup)
{
  const tg_plan *plan = setup->model->plan;
  int64_t *sizes = NULL;
  TG_TRY(tg_agree_memory(setup->comm, TG_NEW(2 * (int64_t)plan->n_variables, &sizes), &sizes));
  for (int32_t k = 0; k < plan->n_variables; k++) {
    sizes[k] = plan->variables[k].rows;
    sizes[plan->n_variables + k] = plan->variables[k].cols;
  }
  tg_status status = tg_space_create(setup->grid, plan->n_variables, sizes, sizes + plan->n_variables, &setup->space);
  tg_free(sizes);
  TG_TRY(status);
  TG_TRY(tg_space_set_groups(setup->space, setup->model->n_groups, setup->model->group_rows));
  TG_TRY(set_symmetric(setup));
  TG_TRY(setup->space->ops->create(setup->space, &setup->x));
  const double begin = MPI_Wtime();
  TG_TRY(fill_all(setup, 0));
  setup->read_seconds += MPI_Wtime() - begin;
  return TG_OK;
}

tg_status tg_setup_start_again(tg_setup *setup, int64_t shift)
{
  TG_TRY(fill_all(setup, shift));
  TG_TRY(tg_start_scale(setup));
  TG_TRY(tg_feasible_project(setup->task, setup->constraint, setup->x));
  return tg_domain_start_inside(setup);
}

// f at the start; infinite outside its domain.
static tg_status value_at_start(tg_setup *setup, double *out)
{
  opt_problem *problem = setup->problem;
  const opt_counts before = problem->counts;
  TG_TRY(problem->ops->value(problem, setup->x, out));
  problem->counts.values = before.values;
  return TG_OK;
}

// The start is the sum of the first n starts that the share has, moved into the feasible set.
static tg_status place(tg_setup *setup, int n, const double *weights)
{
  const tg_share *share = setup->task->share;
  for (int k = 0; k < setup->task->spec->n_variables; k++) {
    const tg_dmat *terms[TG_SHARE_STARTS];
    for (int i = 0; i < n; i++) terms[i] = tg_share_start(share, i)[k];
    TG_TRY(tg_dmat_lincomb(n, weights, terms, tg_space_block(setup->x, k)));
  }
  TG_TRY(tg_domain_start_symmetric(setup));
  TG_TRY(tg_metric_change_enter(setup));
  return tg_feasible_project(setup->task, setup->constraint, setup->x);
}

// Norms of the gradient at the job's own start: a run of its own would refer its tolerance to them.
static tg_status note_own_start(tg_setup *setup)
{
  const int n = setup->space->n_blocks;
  opt_point *gradient = NULL;
  double f = 0;
  TG_TRY(tg_agree(setup->comm, TG_NEW(n, &setup->own_norms)));
  TG_TRY(setup->space->ops->create(setup->space, &gradient));
  tg_status status = setup->problem->ops->gradient(setup->problem, setup->x, &f, gradient);
  if (status == TG_OK)
    status = setup->space->ops->block_dots(setup->space, 1, (const opt_point *const[]){gradient},
                                           (const opt_point *const[]){gradient}, setup->own_norms);
  for (int b = 0; b < n; b++) setup->own_norms[b] = sqrt(setup->own_norms[b]);
  setup->space->ops->destroy(setup->space, &gradient);
  return status;
}

// Many points follow the path further where they are exact; where they are not, their errors weigh more than the
// path's curvature. From the most on as long as fewer are better.
tg_status tg_setup_start_from(tg_setup *setup, bool *serves)
{
  const tg_share *share = setup->task->share;
  const int n = tg_share_most_weights(share);
  int best = n;
  int placed = n;
  double f = (double)INFINITY;
  TG_TRY(note_own_start(setup));
  for (int k = n; k >= 1; k--) {
    double f_here = 0;
    TG_TRY(place(setup, k, tg_share_weights(share, k)));
    TG_TRY(value_at_start(setup, &f_here));
    placed = k;
    if (isfinite(f) && !(f_here < f)) break;
    if (k < n && !isfinite(f_here)) continue;
    best = k;
    f = f_here;
  }
  if (best != placed) TG_TRY(place(setup, best, tg_share_weights(share, best)));
  *serves = isfinite(f);
  if (!*serves) return tg_setup_start_again(setup, 0);
  setup->start_note[0] = '\0';
  return TG_OK;
}

// ---- problem ----

static tg_status make_problem(tg_setup *setup)
{
  const tg_exec_settings settings = {.product = (tg_product_kind)setup->task->spec->products,
                                     .probe = setup->probe,
                                     .memo = setup->task->share != NULL ? tg_share_memo(setup->task->share) : NULL};
  TG_TRY(tg_exec_create(setup->grid, setup->model->plan, setup->data, &settings, &setup->exec));
  return tg_problem_create(setup->exec, setup->space, NULL, &setup->problem);
}

tg_status tg_setup_fill_plain(tg_setup *setup)
{
  TG_TRY(read_operands(setup));
  TG_TRY(verify_vanished(setup));
  TG_TRY(make_start(setup));
  return make_problem(setup);
}

tg_status tg_setup_fill(tg_setup *setup)
{
  TG_TRY(read_data(setup));
  TG_TRY(make_start(setup));
  TG_TRY(make_problem(setup));
  TG_TRY(tg_start_scale(setup));
  TG_TRY(tg_feasible_create(setup->task, setup->grid, setup->set_data, setup->problem, setup->x, &setup->constraint));
  return tg_domain_start_inside(setup);
}

void tg_setup_destroy(tg_setup **setup)
{
  if (*setup == NULL) return;
  tg_setup *s = *setup;
  tg_problem_destroy(&s->problem);
  tg_constraint_destroy(&s->constraint);
  tg_exec_destroy(&s->exec);
  if (s->space != NULL) s->space->ops->destroy(s->space, &s->x);
  tg_space_destroy(&s->space);
  tg_metric_change_destroy(s);
  for (int k = 0; s->owns_set_data != NULL && k < s->task->spec->n_data; k++)
    if (s->owns_set_data[k]) tg_dmat_destroy(&s->set_data[k]);
  tg_free(s->set_data);
  tg_free(s->owns_set_data);
  for (int32_t k = 0; s->data != NULL && k < s->model->plan->n_data; k++) tg_dmat_destroy(&s->data[k]);
  tg_free(s->data);
  tg_method_destroy(&s->method);
  tg_model_destroy(&s->model);
  if (s->task == NULL || s->task->share == NULL) tg_grid_destroy(&s->grid);
  tg_free(s->ways);
  tg_free(s->own_norms);
  tg_task_destroy(&s->task);
  tg_free(s);
  *setup = NULL;
}
