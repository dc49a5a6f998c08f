// Problems minimised, and what came out; plans before that.
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "api/error.h"
#include "api/host.h"
#include "api/problem.h"
#include "base/memory.h"
#include "engine/preview.h"
#include "mpi/matrix/grid.h"
#include "mpi/space/space.h"
#include "report/plan_report.h"
#include "report/report.h"

// ---- minimisation ----

static tg_status on_iteration(void *self, const tg_run *run, const opt_record *record, const opt_point *x)
{
  tracegrad_problem *p = self;
  if (p->callback == NULL) return TG_OK;
  const tracegrad_figures figures = {.iteration = record->iteration,
                                     .objective = record->objective,
                                     .gradient_norm = record->gradient_norm,
                                     .step = record->step,
                                     .seconds = record->seconds,
                                     .products = record->products};
  const tg_setup *setup = run->engine->setup;
  // The point is read only; a tracegrad_point has one pointer for both.
  const tracegrad_point point = {
      .problem = p, .setup = setup, .space = setup->space, .point = (opt_point *)(uintptr_t)x};
  p->is_running = true;
  const tg_api_visit visit = tg_api_visit_host();
  if (p->callback(p->callback_self, &figures, &point) != 0) p->stops = true;
  tg_api_return(&visit);
  p->is_running = false;
  return TG_OK;
}

static bool stops(void *self)
{
  const tracegrad_problem *p = self;
  return p->stops;
}

// Nothing else stops it: asked on all ranks, though one alone may have said so.
static const char *stop_name(void *self)
{
  (void)self;
  return "by the callback";
}

static void forget_texts(tracegrad_problem *p)
{
  tg_text_clear(&p->report);
  tg_text_clear(&p->method_reason);
  tg_text_clear(&p->preconditioner);
}

static tg_status explain(tracegrad_problem *p)
{
  const tg_setup *setup = p->run->engine->setup;
  tg_method_explain(setup->method, setup->model, &p->method_reason);
  tg_method_explain_preconditioner(setup->method, &p->preconditioner);
  TG_TRY(tg_text_status(&p->method_reason));
  return tg_text_status(&p->preconditioner);
}

static tg_status minimise(tracegrad_problem *p)
{
  TG_TRY(tg_api_meet(p, TG_CALL_MINIMISE, tg_api_check_problem(p)));
  TG_TRY(tg_api_read(p));
  tg_run_destroy(&p->run);
  forget_texts(p);
  p->stops = false;
  p->options = (tg_run_options){.watch = {.self = p, .iteration = on_iteration, .stops = stops, .stop_name = stop_name},
                                .warns = !p->has_warned,
                                .kernel_is_known = true,
                                .resume = p->resumes};
  p->has_warned = true;
  const tg_status status = tg_run_execute(p->comm, p->job, &p->options, &p->run);
  // Files that could not be written do not take the answer with them.
  if (p->run != NULL && !p->run->is_solved) tg_run_destroy(&p->run);
  if (p->run != NULL) {
    const tg_error failure = *tg_error_get();
    const tg_status explained = tg_agree(p->comm, explain(p));
    if (status == TG_OK) return explained;
    *tg_error_get() = failure;
  }
  return status;
}

int tracegrad_problem_minimise(tracegrad_problem *p)
{
  tg_api_call call;
  if (p == NULL) return tg_api_end(NULL, tg_api_check_problem(p));
  tg_status status = tg_api_enter(&call);
  if (status != TG_OK) return tg_api_end(NULL, status);
  status = minimise(p);
  tg_api_leave(&call);
  return tg_api_end(p, status);
}

// ---- the result ----

static tg_status check_solved(const tracegrad_problem *p)
{
  TG_TRY(tg_api_check_problem(p));
  if (p->run == NULL || !p->is_read)
    TG_FAIL(TG_USAGE, "there is no result: the problem was not minimised since it was described");
  return TG_OK;
}

static void fill_constraints(const tg_engine *e, tracegrad_result *out)
{
  const tg_constraints_result *c = e->constraints;
  out->penalty = out->multiplier_norm = out->complementarity = (double)NAN;
  if (c == NULL) return;
  out->constraints = c->n;
  out->rounds = c->rounds;
  out->penalty = c->penalty;
  out->multiplier_norm = c->multiplier_norm;
  out->complementarity = c->complementarity;
}

static void fill_result(const tracegrad_problem *p, tracegrad_result *out)
{
  const tg_run *run = p->run;
  const tg_engine *e = run->engine;
  const opt_result *r = &e->result;
  *out = (tracegrad_result){.status = opt_outcome_label(r->outcome),
                            .reason = r->reason,
                            .method = r->method,
                            .method_reason = tg_text_string(&p->method_reason),
                            .line_search = r->line_search,
                            .preconditioner = tg_text_string(&p->preconditioner),
                            .stopping_measure = r->measure,
                            .exit_status = opt_outcome_exit(r->outcome),
                            .ranks = run->environment.ranks,
                            .threads = run->environment.threads,
                            .grid_rows = e->setup->choice.rows,
                            .grid_columns = e->setup->choice.cols,
                            .block = e->setup->choice.block,
                            .objective = e->objective,
                            .gradient_norm = r->gradient_norm,
                            .gradient_norm_start = r->gradient_norm_start,
                            .gradient_target = r->gradient_target,
                            .constraint_violation = r->violation,
                            .iterations = r->iterations,
                            .values = r->counts.values,
                            .gradients = r->counts.gradients,
                            .lines = r->counts.lines,
                            .hessians = r->counts.hessians,
                            .products = r->counts.products,
                            .saddles = r->saddles,
                            .attempts = e->n_attempts,
                            .decrease_estimate = r->decrease_estimate,
                            .condition_estimate = r->condition_estimate,
                            .drift = r->drift,
                            .taylor_order = e->taylor.order,
                            .setup_seconds = e->seconds.setup,
                            .read_seconds = e->seconds.read,
                            .solve_seconds = e->seconds.solve,
                            .write_seconds = run->seconds.write,
                            .total_seconds = run->seconds.total,
                            .predicted_flops = e->predicted_flops,
                            .predicted_bytes = e->predicted_bytes,
                            .predicted_memory = tg_forecast_peak(&e->forecast, e->setup->method),
                            .counted_flops = e->counted_flops,
                            .counted_bytes = e->counted_bytes,
                            .peak_memory = e->peak_bytes};
  fill_constraints(e, out);
}

enum { LARGEST_RESULT = 1 << 14 }; // of any later version: what is larger is no sizeof

// As much of a structure as its caller knows, and zeros beyond what this library does.
static tg_status hand_out(const void *from, size_t bytes, void *to, size_t size)
{
  if (to == NULL) TG_FAIL(TG_USAGE, "the place for the result is NULL");
  if (size < bytes || size > LARGEST_RESULT)
    TG_FAIL(TG_USAGE, "the place for the result has %zu bytes, expected %zu", size, bytes);
  memset(to, 0, size);
  memcpy(to, from, bytes);
  return TG_OK;
}

int tracegrad_problem_result(tracegrad_problem *p, size_t size, tracegrad_result *out)
{
  tracegrad_result result;
  tg_status status = check_solved(p);
  if (status != TG_OK) return tg_api_end(NULL, status);
  fill_result(p, &result);
  return tg_api_end(NULL, hand_out(&result, sizeof result, out, size));
}

int tracegrad_problem_ending(tracegrad_problem *p, double *objective, int *exit_status)
{
  const tg_status status = check_solved(p);
  if (status != TG_OK) return tg_api_end(NULL, status);
  if (objective != NULL) *objective = p->run->engine->objective;
  if (exit_status != NULL) *exit_status = opt_outcome_exit(p->run->engine->result.outcome);
  return 0;
}

// ---- constraints ----

static tg_status find_constraint(const tracegrad_problem *p, int k, const tg_lagrangian_term **out)
{
  TG_TRY(check_solved(p));
  const tg_constraints_result *c = p->run->engine->constraints;
  if (c == NULL || k < 0 || k >= c->n)
    TG_FAIL(TG_USAGE, "there is no constraint %d, there are %d", k, c != NULL ? c->n : 0);
  *out = &c->terms[k];
  return TG_OK;
}

int tracegrad_problem_constraint(tracegrad_problem *p, int k, size_t size, tracegrad_constraint *out)
{
  const tg_lagrangian_term *term = NULL;
  const tg_status status = find_constraint(p, k, &term);
  if (status != TG_OK) return tg_api_end(NULL, status);
  const tg_dmat *m = tg_lagrangian_multiplier(p->run->engine->lagrangian, k);
  const tracegrad_constraint found = {.text = term->text,
                                      .is_kink = term->is_kink,
                                      .violation = term->violation,
                                      .size = term->size,
                                      .multiplier_norm = term->multiplier_norm,
                                      .rows = m->rows,
                                      .columns = m->cols};
  return tg_api_end(NULL, hand_out(&found, sizeof found, out, size));
}

static tg_status write_multipliers(tracegrad_problem *p, int k, const tracegrad_array *array)
{
  const tg_lagrangian_term *term = NULL;
  TG_TRY(tg_api_meet(p, TG_CALL_MULTIPLIERS, find_constraint(p, k, &term)));
  return tg_api_write_array(p, term->text, tg_lagrangian_multiplier(p->run->engine->lagrangian, k), array);
}

int tracegrad_problem_multipliers(tracegrad_problem *p, int k, const tracegrad_array *array)
{
  if (p == NULL) return tg_api_end(NULL, tg_api_check_problem(p));
  return tg_api_end(p, write_multipliers(p, k, array));
}

// ---- variables and the report ----

static tg_status find_variable(const tracegrad_problem *p, const char *name, int *out)
{
  TG_TRY(check_solved(p));
  *out = name != NULL ? tg_spec_find_variable(p->run->engine->spec, name) : -1;
  if (*out < 0) TG_FAIL(TG_NAME, "'%.64s' is no variable of the problem", name != NULL ? name : "NULL");
  return TG_OK;
}

static tg_status get(tracegrad_problem *p, const char *name, const tracegrad_array *array)
{
  int k = -1;
  TG_TRY(tg_api_meet(p, TG_CALL_RESULT, find_variable(p, name, &k)));
  return tg_api_write_array(p, name, tg_space_block(p->run->engine->setup->x, k), array);
}

int tracegrad_problem_get(tracegrad_problem *p, const char *name, const tracegrad_array *array)
{
  if (p == NULL) return tg_api_end(NULL, tg_api_check_problem(p));
  return tg_api_end(p, get(p, name, array));
}

// Rank 0's text on all ranks.
static tg_status share_text(const tracegrad_problem *p, tg_text *text)
{
  int64_t length = (int64_t)text->length;
  char *bytes = NULL;
  TG_TRY_MPI(MPI_Bcast(&length, 1, MPI_INT64_T, 0, p->host));
  TG_TRY(tg_agree_memory(p->host, tg_alloc(length + 1, 1, (void **)&bytes), &bytes));
  if (p->rank == 0) memcpy(bytes, tg_text_string(text), (size_t)length);
  const tg_status sent = tg_mpi_check(MPI_Bcast(bytes, (int)length, MPI_CHAR, 0, p->host), TG_HERE);
  if (p->rank != 0) tg_text_clear(text);
  if (p->rank != 0) tg_text_add_bytes(text, bytes, (size_t)length);
  tg_free(bytes);
  TG_TRY(sent);
  return tg_agree(p->host, tg_text_status(text));
}

static tg_status print_report(tracegrad_problem *p)
{
  tg_api_call call;
  TG_TRY(tg_api_enter(&call));
  const tg_status status = tg_report_print(p->run, &p->report);
  tg_api_leave(&call);
  return status;
}

static tg_status report(tracegrad_problem *p, const char *const *place)
{
  tg_status status = check_solved(p);
  if (status == TG_OK) status = tg_api_check_place(p, place);
  TG_TRY(tg_api_meet(p, TG_CALL_REPORT, status));
  if (p->report.length > 0) return TG_OK;
  TG_TRY(tg_agree(p->host, p->rank == 0 ? print_report(p) : TG_OK));
  return share_text(p, &p->report);
}

int tracegrad_problem_report(tracegrad_problem *p, const char **json)
{
  if (p == NULL) return tg_api_end(NULL, tg_api_check_problem(p));
  if (json != NULL) *json = NULL;
  const tg_status status = report(p, json);
  if (status == TG_OK) *json = tg_text_string(&p->report);
  return tg_api_end(p, status);
}

static const tg_setup *current_setup(const tracegrad_problem *p)
{
  if (!p->is_read) return NULL;
  if (p->run != NULL) return p->run->engine->setup;
  return p->evaluator != NULL ? tg_evaluator_setup(p->evaluator) : NULL;
}

static tg_status find_way(const tracegrad_problem *p, const char *name, const char **out)
{
  TG_TRY(tg_api_check_problem(p));
  if (name == NULL || out == NULL) TG_FAIL(TG_USAGE, "an argument is NULL");
  const tg_setup *setup = current_setup(p);
  if (setup == NULL) TG_FAIL(TG_USAGE, "the problem has read no data yet");
  const int k = tg_spec_find_data(setup->task->spec, name);
  if (k < 0) TG_FAIL(TG_NAME, "'%.64s' is no datum of the problem", name);
  *out = tg_array_way_label(setup->ways[k]);
  return TG_OK;
}

int tracegrad_problem_data_way(tracegrad_problem *p, const char *name, const char **way)
{
  return tg_api_end(NULL, find_way(p, name, way));
}

// ---- plans ----

static tg_status check_machine(int ranks, int threads)
{
  if (ranks < 0 || threads < 0 || ranks > 1 << 20 || threads > 4096)
    TG_FAIL(TG_VALUE, "a plan for %d ranks of %d threads: expected at most %d and 4096", ranks, threads, 1 << 20);
  return TG_OK;
}

// *spec is made here; it must outlive the preview.
static tg_status preview(const tracegrad_problem *p, int ranks, int threads, tg_spec *spec, tg_preview **out)
{
  const tg_lower_options lowering = {.want_hessian = true, .expected_iterations = p->job->spec.solver.max_iterations};
  *spec = p->job->spec;
  if (ranks == 0) ranks = p->size;
  // A process grid of arrays in memory is that of the ranks there are.
  if (ranks != p->size) spec->grid_rows = spec->grid_cols = 0;
  return tg_preview_create(spec, &lowering, ranks, threads, out);
}

// Reads the headers of files, if there are any.
static tg_status plan_alone(tracegrad_problem *p, int ranks, int threads, double *bytes)
{
  tg_api_call call;
  tg_preview *made = NULL;
  tg_spec spec;
  TG_TRY(tg_api_enter(&call));
  tg_status status = preview(p, ranks, threads, &spec, &made);
  if (status == TG_OK) status = tg_plan_print(made, threads, &p->plan);
  if (status == TG_OK) *bytes = made->forecast.total;
  tg_preview_destroy(&made);
  tg_api_leave(&call);
  return status;
}

static tg_status plan(tracegrad_problem *p, int ranks, int threads, double *bytes)
{
  if (threads == 0) threads = omp_get_max_threads();
  tg_text_clear(&p->plan);
  TG_TRY(tg_agree(p->host, p->rank == 0 ? plan_alone(p, ranks, threads, bytes) : TG_OK));
  TG_TRY_MPI(MPI_Bcast(bytes, 1, MPI_DOUBLE, 0, p->host));
  return share_text(p, &p->plan);
}

static tg_status make_plan(tracegrad_problem *p, tg_api_call_id call, const void *place, int ranks, int threads,
                           double *bytes)
{
  tg_status status = tg_api_check_place(p, place);
  if (status == TG_OK) status = check_machine(ranks, threads);
  TG_TRY(tg_api_meet(p, call, status));
  TG_TRY(tg_api_read(p));
  return plan(p, ranks, threads, bytes);
}

int tracegrad_problem_plan(tracegrad_problem *p, int ranks, int threads, const char **text)
{
  double bytes = 0;
  if (p == NULL) return tg_api_end(NULL, tg_api_check_problem(p));
  if (text != NULL) *text = NULL;
  const tg_status status = make_plan(p, TG_CALL_PLAN, text, ranks, threads, &bytes);
  if (status == TG_OK) *text = tg_text_string(&p->plan);
  return tg_api_end(p, status);
}

int tracegrad_problem_memory(tracegrad_problem *p, int ranks, int threads, double *bytes)
{
  double found = 0;
  if (p == NULL) return tg_api_end(NULL, tg_api_check_problem(p));
  const tg_status status = make_plan(p, TG_CALL_MEMORY, bytes, ranks, threads, &found);
  if (status == TG_OK) *bytes = found;
  return tg_api_end(p, status);
}

// ---- variables ----

static tg_status check_variable(const tracegrad_problem *p, int k)
{
  if (k < 0 || k >= p->job->spec.n_variables)
    TG_FAIL(TG_USAGE, "there is no variable %d, there are %d", k, p->job->spec.n_variables);
  return TG_OK;
}

// Sizes that follow from the expressions are known where the problem was compiled; else rank 0 does it.
static tg_status size_alone(const tracegrad_problem *p, int k, int64_t size[2])
{
  tg_api_call call;
  tg_preview *made = NULL;
  tg_spec spec;
  TG_TRY(tg_api_enter(&call));
  const tg_status status = preview(p, 0, 1, &spec, &made);
  if (status == TG_OK) size[0] = made->task->variables[k].rows;
  if (status == TG_OK) size[1] = made->task->variables[k].cols;
  tg_preview_destroy(&made);
  tg_api_leave(&call);
  return status;
}

static tg_status find_size(const tracegrad_problem *p, int k, int64_t size[2])
{
  const tg_setup *setup = current_setup(p);
  const tg_spec_variable *given = &p->job->spec.variables[k];
  size[0] = setup != NULL ? setup->task->variables[k].rows : given->rows;
  size[1] = setup != NULL ? setup->task->variables[k].cols : given->cols;
  if (size[0] > 0 && size[1] > 0) return TG_OK;
  TG_TRY(tg_agree(p->host, p->rank == 0 ? size_alone(p, k, size) : TG_OK));
  return tg_mpi_check(MPI_Bcast(size, 2, MPI_INT64_T, 0, p->host), TG_HERE);
}

static tg_status read_variables(tracegrad_problem *p, const void *place)
{
  TG_TRY(tg_api_meet(p, TG_CALL_VARIABLES, tg_api_check_place(p, place)));
  return tg_api_read(p);
}

int tracegrad_problem_variable_count(tracegrad_problem *p, int *count)
{
  if (p == NULL) return tg_api_end(NULL, tg_api_check_problem(p));
  const tg_status status = read_variables(p, count);
  if (status == TG_OK) *count = p->job->spec.n_variables;
  return tg_api_end(p, status);
}

int tracegrad_problem_variable_get(tracegrad_problem *p, int k, const char **name, int64_t *rows, int64_t *columns)
{
  int64_t size[2] = {0, 0};
  if (p == NULL) return tg_api_end(NULL, tg_api_check_problem(p));
  tg_status status = read_variables(p, p);
  if (status == TG_OK) status = tg_agree(p->host, check_variable(p, k));
  if (status == TG_OK) status = find_size(p, k, size);
  if (status != TG_OK) return tg_api_end(p, status);
  if (name != NULL) *name = p->job->spec.variables[k].name;
  if (rows != NULL) *rows = size[0];
  if (columns != NULL) *columns = size[1];
  return 0;
}
