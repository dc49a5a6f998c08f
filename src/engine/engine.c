// From a spec to its minimum, in steps.
#include "engine/engine.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "engine/method/method_parts.h"
#include "engine/model/probe_files.h"
#include "engine/model/values.h"
#include "engine/problem/assemble.h"
#include "engine/problem/domain_start.h"
#include "engine/problem/metric_change_numbers.h"
#include "engine/run/attempts.h"
#include "engine/run/environment.h"
#include "engine/share/share.h"
#include "engine/sweep/path.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/problem/problem.h"
#include "mpi/space/space.h"

enum { PROBE_STEPS = 6, PROBE_SEED = 20260101 };

// ---- symbols ----

static tg_status forecast(tg_engine *e, tg_model *model, const tg_method *method)
{
  const tg_cost_grid on = tg_cost_grid_of(&e->setup->choice, e->options.threads);
  return tg_forecast_make(e->setup->task, model, method, &on, &e->forecast);
}

static tg_status plan(tg_engine *e)
{
  if (e->options.saves)
    TG_TRY(tg_checkpoint_open(e->comm, e->spec, e->options.resume, e->options.warns_of_saves, &e->checkpoint));
  if (e->checkpoint != NULL) tg_checkpoint_earlier(e->checkpoint, &e->earlier);
  const tg_lower_options lowering = {.want_hessian = true,
                                     .expected_iterations = tg_checkpoint_planned_iterations(e->checkpoint, e->spec)};
  TG_TRY(tg_setup_create(e->comm, e->spec, &lowering, e->options.share, &e->setup));
  e->setup->probe = e->options.probes_products;
  TG_TRY(tg_agree(e->comm, tg_sensitivity_check(e->setup->task, e->setup->model)));
  TG_TRY(tg_agree(e->comm, tg_covariance_check(e->setup->task, e->setup->model)));
  return tg_agree(e->comm, forecast(e, e->setup->model, e->setup->method));
}

tg_status tg_engine_create(MPI_Comm comm, const tg_spec *spec, const tg_engine_options *options, tg_engine **out)
{
  *out = NULL;
  TG_TRY(tg_agree_memory(comm, TG_NEW(1, out), out));
  **out = (tg_engine){
      .comm = comm, .options = *options, .spec = spec, .begin = options->begin > 0 ? options->begin : MPI_Wtime()};
  return plan(*out);
}

void tg_engine_destroy(tg_engine **engine)
{
  tg_engine *e = *engine;
  if (e == NULL) return;
  tg_constraints_result_destroy(&e->constraints);
  tg_sensitivity_destroy(&e->sensitivity);
  tg_covariance_destroy(&e->covariance);
  tg_free(e->attempts);
  tg_run_log_fini(&e->log);
  tg_lagrangian_destroy(&e->lagrangian);
  tg_alternating_destroy(&e->alternating);
  tg_checkpoint_close(&e->checkpoint);
  tg_setup_destroy(&e->setup);
  tg_free(e);
  *engine = NULL;
}

void tg_engine_warn_unused(const tg_engine *e)
{
  tg_task_mark_used(e->setup->task, true);
  tg_method_warn_unused(e->setup->task, e->setup->model, e->setup->method);
}

// What does not fit is better known now than when the kernel ends a rank.
static tg_status refuse(tg_engine *e, tg_model *model, tg_method *method)
{
  const tg_cost_grid on = tg_cost_grid_of(&e->setup->choice, e->options.threads);
  if (tg_method_may_be_orthogonal(method) && e->room.rank_bytes > 0 && e->forecast.orthogonal > e->room.rank_bytes)
    tg_method_leave_orthogonal(method);
  return tg_forecast_check(e->setup->task, model, method, &on, &e->room, &e->forecast);
}

// Whether there is room for the model and the method that the numbers suggest.
static tg_status admit_found(void *caller, tg_model *model, tg_method *method)
{
  tg_engine *e = caller;
  const tg_forecast before = e->forecast;
  tg_status status = forecast(e, model, method);
  if (status == TG_OK) status = refuse(e, model, method);
  if (status != TG_OK) e->forecast = before;
  return status;
}

tg_status tg_engine_admit(tg_engine *e, const tg_memory_room *room)
{
  e->room = *room;
  e->setup->admit = admit_found;
  e->setup->caller = e;
  return tg_agree(e->comm, refuse(e, e->setup->model, e->setup->method));
}

// ---- numbers ----

bool tg_engine_serves_starts(const tg_engine *e)
{
  const tg_setup *setup = e->setup;
  return e->options.begins_warm && (!e->options.if_convex || setup->model->is_convex) &&
         !tg_way_is_direct(tg_method_way(setup->method));
}

tg_status tg_engine_fill(tg_engine *e)
{
  tg_share *share = e->options.share;
  TG_TRY(tg_setup_fill(e->setup));
  if (share == NULL || !tg_engine_serves_starts(e)) return TG_OK;
  bool found = true;
  for (int k = e->options.n_starts - 1; k >= 0 && tg_share_starts(share) < e->options.n_starts && found; k--)
    TG_TRY(tg_sweep_path_read(e->setup, share, e->options.start_folder, e->options.starts[k], &found));
  if (!found) {
    tg_share_set_weights(share, 0, NULL);
    tg_share_drop_metric(share);
  }
  return tg_share_most_weights(share) > 0 ? tg_setup_start_from(e->setup, &e->is_warm) : TG_OK;
}

tg_status tg_engine_probe(tg_engine *e)
{
  opt_problem *problem = e->setup->problem;
  if (e->checkpoint != NULL) TG_TRY(tg_checkpoint_bind(e->checkpoint, e->setup));
  if (e->options.probed != NULL && tg_plan_shape(e->setup->model->plan) == e->options.probed_shape) {
    e->taylor = *e->options.probed;
    if (tg_checkpoint_source(e->checkpoint) != NULL) e->probe_products = e->earlier.products_before;
    return TG_OK;
  }
  const opt_counts before = problem->counts;
  TG_TRY(tg_taylor_probe(problem, e->setup->x, PROBE_SEED, PROBE_STEPS, &e->taylor));
  e->probe_products = problem->counts.products - before.products;
  // The counts of a resumed run contain the probe of the first run.
  if (tg_checkpoint_source(e->checkpoint) != NULL) e->probe_products = e->earlier.products_before;
  problem->counts = before;
  if (e->taylor.verdict == TG_TAYLOR_FAILED && e->setup->model->is_smooth)
    TG_FAIL(TG_NUMERIC,
            "the gradient does not belong to the objective: at the start the Taylor remainder falls with order %.2f, "
            "expected 2; tracegrad check shows the table; please report this",
            e->taylor.order);
  return TG_OK;
}

// A closed form does not need the start: from zero its first gradient costs no product, and from the identity
// tr(S*X) - logdet(X) has one. On a constraint the start is kept, for neither of them is feasible.
static void move_start(const tg_closed_form *form, tg_dmat *x)
{
  if (form->kind == TG_CLOSED_INVERSE) tg_dmat_eye(1.0, x);
  if (form->kind == TG_CLOSED_CHOLESKY || form->kind == TG_CLOSED_SPECTRAL) tg_dmat_fill(0.0, x);
}

// The factorisations of a closed form or of a preconditioner.
tg_status tg_engine_prepare(tg_engine *e, bool *changed)
{
  tg_setup *setup = e->setup;
  tg_method *method = setup->method;
  const bool planned_direct = tg_way_is_direct(tg_method_way(method));
  *changed = false;
  e->seconds.read = e->earlier.read_seconds + setup->read_seconds;
  e->seconds.setup = e->earlier.setup_seconds + MPI_Wtime() - e->begin - setup->read_seconds;
  e->solve_begin = MPI_Wtime();
  // Under subject_to the penalty comes first: the method is prepared with it.
  if (setup->model->constraints != NULL) return tg_lagrangian_create(setup, &e->lagrangian);
  TG_TRY(tg_alternating_create(setup, &e->alternating));
  if (e->alternating != NULL) {
    if (tg_checkpoint_source(e->checkpoint) != NULL) tg_alternating_resume(e->alternating);
    *changed = e->spec->solver.method != 0;
    return TG_OK;
  }
  method->point = setup->x;
  method->begins_near = e->is_warm;
  method->hands_on = e->options.share != NULL && tg_engine_serves_starts(e);
  TG_TRY(tg_method_prepare(setup->task, setup->model, setup->grid, setup->data, method));
  // With no iterations allowed, the value at the job's own start is what is asked for.
  if (method->direct != NULL && e->spec->solver.max_iterations > 0)
    move_start(&method->strategy->form, tg_space_block(setup->x, 0));
  *changed = planned_direct && method->direct == NULL;
  if (*changed) TG_TRY(tg_domain_start_inside(setup));
  return TG_OK;
}

// ---- the minimisation ----

// Products that the problem does not count: of factorisations, preconditioners, constraints and multipliers. Those of
// small matrices are fractions of one.
static double outside_products(const tg_engine *e)
{
  const tg_method *method = e->setup->method;
  double products = (double)tg_method_products(method) - ceil(method->products) + method->products;
  if (e->lagrangian != NULL) products += (double)tg_lagrangian_products(e->lagrangian);
  return products - e->made_again + e->earlier.outside_products;
}

void tg_engine_describe(const tg_engine *e, tg_checkpoint_facts *facts)
{
  facts->outside_products = outside_products(e);
  facts->setup_seconds = e->seconds.setup;
  facts->read_seconds = e->seconds.read;
  facts->write_seconds = e->earlier.write_seconds;
  facts->solve_seconds = e->earlier.solve_seconds + MPI_Wtime() - e->solve_begin;
  facts->total_seconds = e->earlier.total_seconds + MPI_Wtime() - e->begin;
}

// A resumed run stands where the checkpoint was written: what it took to get there was counted by the run before.
void tg_engine_note_resumed(tg_engine *e)
{
  e->made_again = 0;
  e->made_again = outside_products(e) - e->earlier.outside_products;
}

tg_status tg_engine_minimise(tg_engine *e, const opt_observer *observer)
{
  if (e->checkpoint != NULL) tg_checkpoint_start(e->checkpoint);
  return tg_attempts_minimise(e, observer);
}

// ---- the result ----

void tg_engine_add_reason(tg_engine *e, const char *text)
{
  opt_result *result = &e->result;
  const size_t used = strlen(result->reason);
  if (text[0] != '\0') snprintf(result->reason + used, sizeof result->reason - used, "; %s", text);
}

// Which operation made a gradient that is not finite where f is, asked at the point returned: nothing is found where
// the solver went back from it.
static tg_status explain_gradient(tg_setup *setup)
{
  opt_point *gradient = NULL;
  double f = 0;
  TG_TRY(setup->space->ops->create(setup->space, &gradient));
  tg_status status = setup->problem->ops->gradient(setup->problem, setup->x, &f, gradient);
  if (status == TG_OK && isfinite(f)) status = tg_exec_explain(setup->exec, TG_PROGRAM_GRADIENT);
  setup->space->ops->destroy(setup->space, &gradient);
  return status;
}

// Why a point had no value or no gradient, which the driver does not know.
static tg_status add_operation(tg_engine *e)
{
  const opt_problem *problem = e->setup->problem;
  if (e->result.outcome != OPT_NOT_FINITE) return TG_OK;
  if (tg_problem_reason(problem)[0] == '\0') TG_TRY(explain_gradient(e->setup));
  tg_engine_add_reason(e, tg_problem_reason(problem));
  return TG_OK;
}

// Gradients jump across kinks and need not vanish at a minimum: then no tolerance helps.
static void add_kinks(tg_engine *e)
{
  if (e->result.outcome != OPT_STALLED || !e->setup->model->has_kinks) return;
  tg_engine_add_reason(e, "abs, norm1, relu or a norm by singular values has kinks in this job, at which a gradient "
                          "need not vanish: write a smooth "
                          "form, such as sum((E.^2 + 1e-6*ones).^0.5)");
}

// The objective at the point returned, as it is written and not as the plan computes it: sumsq(A*x - b) multiplied out
// loses what is small beside |b|^2. The iteration's own value is kept where it is another one.
static tg_status settle_objective(tg_engine *e)
{
  const tg_setup *setup = e->setup;
  const tg_model *model = setup->model;
  const opt_constraint *constraint = setup->constraint;
  const tg_node f = model->constraints != NULL ? model->constraints->objective : model->objective;
  const double iterated = e->result.objective;
  double written = 0;
  double penalty = 0;
  e->iterated_objective = (double)NAN;
  if (!isfinite(iterated)) return TG_OK;
  TG_TRY(tg_values_scalar(setup->task, setup->model, setup->grid, setup->data, setup->x, f, &written));
  if (constraint != NULL && constraint->traits.has_norm1)
    TG_TRY(constraint->ops->norm1(constraint, setup->x, &penalty));
  written += penalty;
  if (!isfinite(written)) return TG_OK;
  e->result.objective = written;
  if (fabs(written - iterated) > 1e-8 * fmax(fabs(written), fabs(iterated))) e->iterated_objective = iterated;
  return TG_OK;
}

// From the variables that were minimised over to those of the spec: X'SX - I is measured on what is handed out.
static tg_status hand_out(tg_engine *e)
{
  double violation = 0;
  if (e->setup->model->n_changes == 0) return TG_OK;
  TG_TRY(tg_metric_change_leave(e->setup, &violation));
  if (!(violation <= e->result.violation)) e->result.violation = violation;
  return TG_OK;
}

tg_status tg_engine_settle(tg_engine *e)
{
  // A sum that is whole but for rounding is not rounded up.
  e->result.counts.products += (int64_t)ceil(outside_products(e) - 1e-6) - e->probe_products;
  TG_TRY(settle_objective(e));
  // Neither -0 for the zero of a maximum nor a sign on what is not a number.
  e->objective = isnan(e->result.objective) ? fabs(e->result.objective)
                 : e->spec->maximize        ? 0.0 - e->result.objective
                                            : e->result.objective;
  TG_TRY(add_operation(e));
  add_kinks(e);
  if (e->spec->n_sensitivities > 0) TG_TRY(tg_sensitivity_create(e->setup, &e->result, &e->sensitivity));
  if (e->spec->covariance.is_asked) TG_TRY(tg_covariance_create(e->setup, &e->result, &e->covariance));
  TG_TRY(hand_out(e));
  e->seconds.solve = e->earlier.solve_seconds + MPI_Wtime() - e->solve_begin;
  return TG_OK;
}

// By the cost model. Local: memory may end on one rank alone.
static tg_status predict(tg_engine *e)
{
  const tg_setup *setup = e->setup;
  TG_TRY(tg_cost_compare(setup->model, &e->compared));
  TG_TRY(tg_cost_price_method(setup->task, setup->model, setup->method, &setup->choice, e->options.threads, &e->price));
  return tg_cost_predict_run(setup->exec, &setup->choice, e->options.threads, &e->predicted_flops, &e->predicted_bytes);
}

static tg_status collect_log(tg_engine *e)
{
  TG_TRY(tg_run_log_add(e->comm, e->setup->exec, NULL, &e->log));
  for (int k = 0; e->alternating != NULL && k < tg_alternating_count(e->alternating); k++) {
    const char *variable = NULL;
    const tg_exec *exec = tg_alternating_exec(e->alternating, k, &variable);
    TG_TRY(tg_run_log_add(e->comm, exec, variable, &e->log));
  }
  return TG_OK;
}

tg_status tg_engine_count(tg_engine *e)
{
  const tg_exec *exec = e->setup->exec;
  double sent = tg_exec_counters(exec)->bytes_sent;
  int64_t peak = tg_environment_peak_bytes();
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, &sent, 1, MPI_DOUBLE, MPI_SUM, e->comm));
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, &peak, 1, MPI_INT64_T, MPI_MAX, e->comm));
  e->counted_bytes = sent;
  e->peak_bytes = peak;
  TG_TRY(collect_log(e));
  for (int program = 0; program < TG_PROGRAM_COUNT; program++)
    e->counted_flops += tg_exec_program_usage(exec, (tg_program_id)program)->flops;
  return tg_agree(e->comm, predict(e));
}
