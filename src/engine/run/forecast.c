// Memory of a run, phase by phase.
//
// A phase's bytes are what lives in it together: the order of allocations is that of engine.c and assemble.c. Sizes are
// those of rank 0, which holds most of a block-cyclic matrix. Each module says what its own objects take (its _bytes,
// beside what makes them). What is estimated, and not counted, is the libraries' own (measured with OpenBLAS 0.3.21 and
// Open MPI 4.1.4) and the work space of LAPACK's decompositions.
#include "engine/run/forecast.h"
#include "engine/sensitivity/covariance.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "engine/checkpoint/checkpoint.h"
#include "engine/method/feasible.h"
#include "engine/method/method.h"
#include "engine/model/folds.h"
#include "engine/model/set_data.h"
#include "engine/model/values.h"
#include "engine/problem/alternating.h"
#include "engine/problem/metric_change_numbers.h"
#include "engine/problem/properties.h"
#include "engine/problem/taylor.h"
#include "mpi/constraint/constraint.h"
#include "mpi/factor/direct.h"
#include "mpi/file/files.h"
#include "mpi/file/slab.h"
#include "opt/driver.h"
#include "opt/solver.h"

typedef struct forecasting {
  const tg_task *task;
  tg_model *model;
  const tg_method *method;
  const tg_cost_grid *grid;
  tg_forecast *out;
} forecasting;

static double bytes_of(const forecasting *f, int64_t rows, int64_t cols)
{
  return tg_cost_matrix_bytes(f->grid, rows, cols);
}

static double node_bytes(const forecasting *f, tg_node node)
{
  if (node == TG_NONE) return 0;
  const tg_info *info = tg_node_info(f->model->graph, node);
  return bytes_of(f, tg_dim_value(f->model->graph, info->rows), tg_dim_value(f->model->graph, info->cols));
}

static double point_bytes(const forecasting *f)
{
  const tg_plan *plan = f->model->plan;
  double sum = 0;
  for (int32_t k = 0; k < plan->n_variables; k++) sum += bytes_of(f, plan->variables[k].rows, plan->variables[k].cols);
  return sum;
}

// ---- files ----

// So many lines of a matrix that is divided by rows or columns.
static double lines_bytes(const forecasting *f, const tg_plan_data *d, int64_t lines)
{
  return f->task->spec->folds->kind == TG_FOLD_COLUMNS ? bytes_of(f, d->rows, lines) : bytes_of(f, lines, d->cols);
}

// What a sweep with folds holds beside the data of a fit: the whole, and the fold's own; tune the parts of all folds,
// also in the run on all data.
static double fold_bytes(const forecasting *f, int32_t k)
{
  const tg_spec *spec = f->task->spec;
  const tg_folds *folds = spec->folds;
  const tg_plan_data *d = &f->model->plan->data[k];
  const bool is_fit = spec->fold > 0;
  if (spec->is_score || !tg_folds_divide(folds, f->model->data[k]) || (!is_fit && spec->tune == NULL)) return 0;
  const int others = spec->tune != NULL ? folds->n - (is_fit ? 1 : 0) : 0;
  if (folds->kind == TG_FOLD_ENTRIES) return (2 * others + (is_fit ? 2 : 0)) * bytes_of(f, d->rows, d->cols);
  const int64_t lines = folds->kind == TG_FOLD_COLUMNS ? d->cols : d->rows; // of a fit: without the fold
  const int64_t own = is_fit ? (lines + folds->n - 2) / (folds->n - 1) : (lines + folds->n - 1) / folds->n;
  const int64_t left = is_fit ? lines : lines - own;
  const double here = is_fit ? lines_bytes(f, d, left + own) + lines_bytes(f, d, own) : 0;
  return here + others * (lines_bytes(f, d, left) + lines_bytes(f, d, own));
}

// Beside the matrix itself: what brings it in, or verifies what is claimed of it.
static double reading_bytes(const forecasting *f, const tg_task_data *datum)
{
  double slab = 0;
  if (datum->spec->source == TG_SOURCE_FILE) slab = tg_slab_bytes(f->grid, datum->rows, datum->cols);
  if (datum->spec->source == TG_SOURCE_MEMORY) slab = tg_array_panel_bytes(datum->rows, datum->cols);
  const double claim = datum->spec->trust ? 0 : tg_properties_bytes(f->grid, datum->rows, datum->spec->properties);
  return fmax(slab, claim);
}

static void forecast_reading(forecasting *f)
{
  const tg_plan *plan = f->model->plan;
  for (int32_t k = 0; k < plan->n_data; k++) {
    f->out->data += bytes_of(f, plan->data[k].rows, plan->data[k].cols);
    f->out->data += fold_bytes(f, k);
    if (f->model->data[k] < 0 || f->model->data[k] >= f->task->spec->n_data) continue; // of a metric, of subject_to
    const tg_task_data *datum = &f->task->data[f->model->data[k]];
    f->out->reading = fmax(f->out->reading, f->out->data + reading_bytes(f, datum));
  }
  for (int k = 0; k < f->task->spec->n_variables; k++) {
    const tg_task_variable *x = &f->task->variables[k];
    if (x->start != TG_START_FILE && x->start != TG_START_MEMORY) continue;
    const double beside = bytes_of(f, x->rows, x->cols) + tg_slab_bytes(f->grid, x->rows, x->cols);
    f->out->reading = fmax(f->out->reading, f->out->data + point_bytes(f) + beside);
  }
}

// Metrics; what passes is a factorisation, or what reading S takes.
static void forecast_metrics(const forecasting *f)
{
  for (int c = 0; c < f->model->n_changes; c++) {
    const int datum = f->model->changes[c].datum;
    const tg_task_data *s = &f->task->data[datum];
    const double matrix = bytes_of(f, s->rows, s->cols);
    const bool is_shared = tg_model_find_data(f->model, datum) >= 0;
    f->out->constraint += tg_metric_change_bytes(f->grid, s->rows, is_shared);
    const double passing = fmax(matrix, is_shared ? 0 : reading_bytes(f, s));
    f->out->reading = fmax(f->out->reading, f->out->data + f->out->constraint + passing);
  }
}

static double writing_bytes(const forecasting *f)
{
  double most = 0;
  for (int k = 0; k < f->task->spec->n_variables; k++) {
    const tg_task_variable *x = &f->task->variables[k];
    if (x->spec->output != NULL) most = fmax(most, tg_slab_bytes(f->grid, x->rows, x->cols));
  }
  return most;
}

// What constraints name and the plan does not hold.
static void forecast_set_data(const forecasting *f)
{
  for (int k = 0; k < f->task->spec->n_data; k++) {
    const tg_task_data *d = &f->task->data[k];
    if (d->spec->source == TG_SOURCE_NUMBER || tg_model_find_data(f->model, k) >= 0 || !tg_set_data_needs(f->task, k))
      continue;
    f->out->reading = fmax(f->out->reading, f->out->data + f->out->constraint + reading_bytes(f, d));
    f->out->constraint += bytes_of(f, d->rows, d->cols);
  }
}

static bool is_frank_wolfe(const forecasting *f)
{
  return tg_method_way(f->method)->solver == &opt_solver_frank_wolfe;
}

// *passing is what a projection takes for its time.
static void forecast_constraint(const forecasting *f, double *passing)
{
  *passing = 0;
  forecast_set_data(f);
  for (int k = 0; k < f->task->spec->n_variables; k++) {
    const tg_task_variable *x = &f->task->variables[k];
    const opt_constraint_row *row = opt_constraint_find(x->constraint);
    if (row == NULL) continue;
    const tg_bytes set = tg_constraint_bytes(f->grid, row->kind, x->rows, x->cols, is_frank_wolfe(f));
    f->out->constraint += set.kept;
    *passing = fmax(*passing, set.passing);
  }
}

// ---- method ----

// A closed form from its matrices, which live meanwhile: what it takes at most and what it keeps.
static void forecast_form(const forecasting *f, const tg_closed_plan *plan, double given, double *most, double *kept)
{
  const tg_bytes form = tg_direct_bytes(f->grid, plan);
  *kept = form.kept;
  *most = given + form.kept + form.passing;
}

static bool is_direct(const tg_method *method)
{
  return tg_way_is_direct(tg_method_way(method));
}

// Expressions evaluated to matrices: the functional's two points, its storage, and the copies that are handed out.
static tg_status forecast_nodes(const forecasting *f, int n, const tg_node *nodes, double *most, double *given)
{
  tg_memory_cost plan = {0};
  *given = 0;
  for (int k = 0; k < n; k++) *given += node_bytes(f, nodes[k]);
  TG_TRY(tg_values_memory(f->task, f->model, f->grid, n, nodes, &plan));
  *most = 3 * *given + plan.storage + plan.factors + plan.workspace;
  return TG_OK;
}

// Orthogonal factors of a least-squares problem, made where its Gram matrix turns out ill-conditioned: what making them
// takes at most beside the method; 0: they are not for this problem.
static tg_status forecast_stack(const forecasting *f, double *out)
{
  const tg_closed_stack *stack = &f->method->strategy->form.stack;
  const tg_plan_data *x = &f->model->plan->variables[0];
  const int64_t unknowns = stack->side == 0 ? x->rows : x->cols;
  const int64_t columns = stack->side == 0 ? x->cols : x->rows;
  tg_node nodes[3 * TG_CLOSED_STACK];
  double given = 0;
  double most = 0;
  double rows = 0;
  *out = 0;
  if (!tg_method_may_be_orthogonal(f->method) || f->model->constraints != NULL) return TG_OK;
  const int n = tg_method_stack_nodes(stack, nodes);
  for (int k = 0; k < stack->n; k++)
    rows += (double)tg_dim_value(f->model->graph, tg_node_info(f->model->graph, stack->factors[k])->rows);
  for (int k = 0; k < n; k++)
    if (nodes[k] != TG_NONE && tg_node_info(f->model->graph, nodes[k])->kind == TG_SYM) nodes[k] = TG_NONE;
  TG_TRY(forecast_nodes(f, n, nodes, &most, &given));
  *out = fmax(given + tg_least_squares_bytes(f->grid, (int64_t)rows, unknowns, columns), most);
  return TG_OK;
}

static tg_status forecast_direct(const forecasting *f, double *passing)
{
  tg_node nodes[TG_CLOSED_MATRICES];
  double given = 0;
  double building = 0;
  tg_closed_plan plan;
  tg_closed_form_nodes(&f->method->strategy->form, nodes);
  TG_TRY(forecast_nodes(f, TG_CLOSED_MATRICES, nodes, passing, &given));
  TG_TRY(tg_closed_form_plan(f->model->graph, &f->method->strategy->form, &plan));
  forecast_form(f, &plan, given, &building, &f->out->method);
  *passing = fmax(*passing, building);
  return TG_OK;
}

// The terms that are tried as a pair in a common basis, then one alone.
static tg_status forecast_terms(const forecasting *f, int n, const tg_closed_group *terms, int n_nodes,
                                const tg_node *nodes, double *passing, double *kept)
{
  double given = 0;
  double building = 0;
  TG_TRY(forecast_nodes(f, n_nodes, nodes, passing, &given));
  const tg_plan_data *x = &f->model->plan->variables[0];
  tg_closed_plan plan = {
      .kind = n > 1 ? TG_CLOSED_SPECTRAL : TG_CLOSED_CHOLESKY, .rows = x->rows, .cols = x->cols, .scale = 1};
  for (int side = 0; side < 2; side++)
    for (int k = 0; k < n; k++) {
      bool *has = plan.sides[side].has;
      if ((side == 0 ? terms[k].left : terms[k].right) == TG_NONE) continue;
      has[TG_CLOSED_METRIC] = has[TG_CLOSED_BASE];
      has[TG_CLOSED_BASE] = true;
    }
  // A pair is made of matrices of its own.
  forecast_form(f, &plan, n > 1 ? 2 * given : given, &building, kept);
  *passing = fmax(*passing, building);
  return TG_OK;
}

static tg_status forecast_kronecker(const forecasting *f, double *passing)
{
  const tg_offer *offer = &f->method->strategy->offer;
  tg_node nodes[TG_STRATEGY_NODES];
  const int n_nodes = tg_offer_nodes(offer, nodes);
  return forecast_terms(f, offer->n_terms, offer->terms, n_nodes, nodes, passing, &f->out->method);
}

static bool is_renewed(const tg_method *method)
{
  const tg_offer *offer = &method->strategy->offer;
  return !is_direct(method) && offer->n_terms > 0 && offer->n_moving > 0;
}

// A preconditioner that is renewed during the run: the new one is made while the old one stands.
static tg_status forecast_renewal(const forecasting *f, double *out)
{
  const tg_offer *offer = &f->method->strategy->offer;
  tg_node nodes[2 * TG_STRATEGY_TERMS];
  double kept = 0;
  *out = 0;
  if (!is_renewed(f->method)) return TG_OK;
  for (int k = 0; k < offer->n_moving; k++) {
    nodes[2 * (ptrdiff_t)k] = offer->moving[k].left;
    nodes[2 * (ptrdiff_t)k + 1] = offer->moving[k].right;
  }
  return forecast_terms(f, offer->n_moving, offer->moving, 2 * offer->n_moving, nodes, out, &kept);
}

// The values of f and of the constraints that the multipliers are updated by.
static tg_status forecast_constraints(const forecasting *f)
{
  const tg_constraints *constraints = f->model->constraints;
  tg_node *nodes = NULL;
  double given = 0;
  double most = 0;
  if (constraints == NULL) return TG_OK;
  TG_TRY(TG_NEW(tg_constraints_nodes(constraints, NULL), &nodes));
  const tg_status status = forecast_nodes(f, tg_constraints_nodes(constraints, nodes), nodes, &most, &given);
  tg_free(nodes);
  f->out->constraint += most - given; // nothing is handed out
  return status;
}

// Sets what the method keeps; *passing is what its preparation takes at most, that included.
static tg_status forecast_method(const forecasting *f, double *passing)
{
  *passing = 0;
  if (is_direct(f->method)) return forecast_direct(f, passing);
  // The preconditioner of -logdet, which keeps X r, takes less than the terms that the numbers may choose instead.
  const tg_offer *offer = &f->method->strategy->offer;
  if (offer->n_terms > 0) return forecast_kronecker(f, passing);
  if (offer->n_diagonals == 0) return TG_OK;
  double given = 0;
  TG_TRY(forecast_nodes(f, offer->n_diagonals, offer->diagonals, passing, &given));
  // One that follows the point keeps its plan and a point.
  f->out->method = offer->diagonals_follow ? *passing + point_bytes(f) : given;
  *passing = fmax(*passing, offer->diagonals_follow ? f->out->method : 2 * given);
  return TG_OK;
}

// ---- points ----

// The user's x, the problem's copy of a trial point where there are images; beside the solver's own, of subject_to the
// start, where a round began, its best feasible point and two for looking elsewhere, and the best of several attempts.
static double kept_points(const forecasting *f)
{
  const int rounds = f->model->constraints != NULL ? 5 : 0;
  const int attempts = f->task->spec->solver.restarts > 1 ? 1 : 0;
  return 1 + (f->model->plan->has_state ? 1 : 0) + rounds + attempts;
}

static double solver_points(const forecasting *f)
{
  const opt_preconditioner some = {0};
  const tg_plan *plan = f->model->plan;
  opt_options options = f->method->options;
  const tg_offer *offer = &f->method->strategy->offer;
  if (!is_direct(f->method) && (offer->n_terms > 0 || offer->n_diagonals > 0)) options.preconditioning = &some;
  return (double)tg_feasible_points(f->task, &options, plan->has_line ? plan->degree : -1);
}

// Of what is differentiated at the minimum. Sensitivity: nine of the equation, two of its right side, and what is
// handed out.
static double derivative_bytes(const forecasting *f)
{
  const int64_t n = f->task->spec->n_sensitivities;
  const double points = n > 0 ? 11 + (double)n : 0;
  return (points + tg_covariance_points(f->task)) * point_bytes(f) + tg_covariance_bytes(f->task, f->method, f->grid);
}

// Number of points kept for checkpoints: the point where a preconditioner was made last.
static double saved_points(const forecasting *f)
{
  return f->task->spec->checkpoint_directory != NULL && is_renewed(f->method) ? 1 : 0;
}

// ---- libraries ----

static bool is_hdf5(const char *path)
{
  const tg_file_format *format = NULL;
  if (path == NULL) return false;
  const bool is_known = tg_file_find_format(path, &format) == TG_OK;
  if (!is_known) tg_error_clear();
  return is_known && format->holds_datasets;
}

// Its library is loaded when a file needs it.
static bool uses_hdf5(const tg_task *task)
{
  bool uses = false;
  for (int k = 0; k < task->spec->n_data; k++) uses = uses || is_hdf5(task->spec->data[k].file);
  for (int k = 0; k < task->spec->n_variables; k++)
    uses = uses || is_hdf5(task->spec->variables[k].start_file) || is_hdf5(task->spec->variables[k].output);
  return uses;
}

// A process of the program with MPI started and nothing read, a product's packed operands, HDF5, and what each further
// thread of OpenBLAS and each neighbour under MPI add.
static double library_bytes(const tg_task *task, const tg_cost_grid *grid)
{
  const double mib = 1048576;
  const double neighbours = fmin((double)grid->rows * (double)grid->cols - 1, 64);
  const double hdf5 = uses_hdf5(task) ? 7 : 0;
  return (20 + 6 + hdf5 + (grid->threads - 1) + 0.1 * neighbours) * mib;
}

// The objective as it is written, at the point returned.
static tg_status forecast_value(const forecasting *f, double *out)
{
  const tg_model *model = f->model;
  const tg_node node = model->constraints != NULL ? model->constraints->objective : model->objective;
  tg_memory_cost plan = {0};
  TG_TRY(tg_values_scalar_memory(f->task, f->model, f->grid, node, &plan));
  *out = plan.storage + plan.factors + plan.workspace;
  return TG_OK;
}

// ---- all ----

// What lives through preparing, solving and writing.
static double lasting_bytes(const tg_forecast *out)
{
  return out->data + out->storage + out->factors + out->workspace + out->constraint;
}

// The peak with orthogonal factors, which keep the minimiser.
static tg_status forecast_orthogonal(const forecasting *f)
{
  tg_forecast *out = f->out;
  const double point = point_bytes(f);
  double making = 0;
  TG_TRY(forecast_stack(f, &making));
  if (making == 0) return TG_OK;
  const double lasting = lasting_bytes(out);
  const double preparing = lasting + (kept_points(f) + 1) * point + out->method + making;
  out->orthogonal = fmax(out->total, out->libraries + fmax(preparing, fmax(out->solving, out->writing) + point));
  return TG_OK;
}

double tg_forecast_peak(const tg_forecast *forecast, const tg_method *method)
{
  const tg_orthogonal made = method->verdict.orthogonal;
  return made == TG_ORTHOGONAL_FULL || made == TG_ORTHOGONAL_DEFICIENT ? forecast->orthogonal : forecast->total;
}

tg_status tg_forecast_make(const tg_task *task, tg_model *model, const tg_method *method, const tg_cost_grid *grid,
                           tg_forecast *out)
{
  forecasting f = {task, model, method, grid, out};
  tg_memory_cost plan = {0};
  double projecting = 0;
  double building = 0;
  double halves = 0;
  double renewing = 0;
  double valuing = 0;
  *out = (tg_forecast){.libraries = library_bytes(task, grid)};
  TG_TRY(tg_plan_memory(model->plan, grid, &plan));
  out->storage = plan.storage;
  out->factors = plan.factors;
  out->workspace = plan.workspace;
  forecast_reading(&f);
  forecast_metrics(&f);
  forecast_constraint(&f, &projecting);
  TG_TRY(forecast_constraints(&f));
  TG_TRY(forecast_method(&f, &building));
  TG_TRY(forecast_renewal(&f, &renewing));
  TG_TRY(tg_alternating_memory(task, &method->options, grid, &halves));
  out->method += halves;
  const double point = point_bytes(&f);
  const double lasting = lasting_bytes(out);
  out->points = (kept_points(&f) + solver_points(&f) + saved_points(&f)) * point;
  const double kept = lasting + kept_points(&f) * point;
  out->preparing = kept + fmax(building, fmax(TG_TAYLOR_POINTS * point, projecting));
  // A checkpoint is written while everything stands.
  const double saving = tg_checkpoint_writing_bytes(task, grid);
  out->solving = lasting + out->method + out->points + fmax(saving, fmax(projecting, renewing));
  TG_TRY(forecast_value(&f, &valuing));
  out->writing = kept + out->method + fmax(valuing, derivative_bytes(&f) + writing_bytes(&f));
  out->total = out->libraries + fmax(fmax(out->reading, out->preparing), fmax(out->solving, out->writing));
  return forecast_orthogonal(&f);
}

static void print_row(const char *name, double bytes, tg_text *out)
{
  tg_text_addf(out, "  %-34s ", name);
  tg_text_add_bytes_unit(out, bytes);
  tg_text_add(out, "\n");
}

void tg_forecast_print(const tg_forecast *f, tg_text *out)
{
  tg_text_add(out, "memory of the fullest rank\n");
  print_row("data", f->data, out);
  print_row("point, gradient, directions", f->points, out);
  print_row("constants, images and results", f->storage, out);
  print_row("factorisations", f->factors, out);
  print_row("workspace", f->workspace, out);
  if (f->constraint > 0) print_row("constraint", f->constraint, out);
  if (f->method > 0) print_row("closed form, metric or half-steps", f->method, out);
  print_row("program, MPI, BLAS", f->libraries, out);
  tg_text_add(out, "by phase, program and libraries included\n");
  print_row("reading and verifying the data", f->libraries + f->reading, out);
  print_row("preparing", f->libraries + f->preparing, out);
  print_row("minimising", f->libraries + f->solving, out);
  print_row("writing the variables", f->libraries + f->writing, out);
  print_row("peak", f->total, out);
  if (f->orthogonal > f->total) print_row("at most, X'X ill-conditioned", f->orthogonal, out);
}

// ---- refusal ----

// The least of ranks * 2, * 3, * 4, * 6, * 8, * 12, ... whose share fits; 0 when none does.
static tg_status find_ranks(const tg_task *task, tg_model *model, const tg_method *method, const tg_cost_grid *grid,
                            const tg_memory_room *room, int *out)
{
  enum { RANKS_MAX = 1 << 20 };
  int64_t rows = 0;
  int64_t cols = 0;
  tg_model_largest(model->plan, &rows, &cols);
  *out = 0;
  for (int64_t base = 2 * (int64_t)room->ranks; base <= RANKS_MAX; base *= 2)
    for (int half = 2; half <= 3; half++) {
      tg_grid_choice choice;
      tg_forecast forecast;
      TG_TRY(tg_grid_choose((int)(base * half / 2), rows, cols, &choice));
      const tg_cost_grid wider = {choice.rows, choice.cols, choice.block, grid->threads};
      TG_TRY(tg_forecast_make(task, model, method, &wider, &forecast));
      if (forecast.total > room->rank_bytes) continue;
      *out = (int)(base * half / 2);
      return TG_OK;
    }
  return TG_OK;
}

tg_status tg_forecast_check(const tg_task *task, tg_model *model, const tg_method *method, const tg_cost_grid *grid,
                            const tg_memory_room *room, const tg_forecast *forecast)
{
  if (!(room->rank_bytes > 0) || forecast->total <= room->rank_bytes) return TG_OK;
  int enough = 0;
  TG_TRY(find_ranks(task, model, method, grid, room, &enough));
  tg_text text;
  tg_text_init(&text);
  tg_text_add(&text, "the job needs ");
  tg_text_add_bytes_unit(&text, forecast->total);
  tg_text_add(&text, " of memory per rank, ");
  tg_text_add_bytes_unit(&text, room->rank_bytes);
  tg_text_addf(&text, " is available to each of %d rank%s; ", room->ranks, room->ranks == 1 ? "" : "s");
  if (enough > 0)
    tg_text_addf(&text, "%d ranks with as much each would do", enough);
  else
    tg_text_add(&text, "no number of ranks with as much each would do");
  tg_text_add(&text, " (tracegrad plan shows what takes it)");
  const tg_status status = tg_error_set(TG_MEMORY, TG_HERE, "%s", tg_text_string(&text));
  tg_text_fini(&text);
  return status;
}
