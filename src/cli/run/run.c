// A whole run: job to problem, minimisation, results.
#include "cli/run/run.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/run/attempts.h"
#include "cli/run/cost_report.h"
#include "cli/run/outputs.h"
#include "cli/run/signals.h"
#include "engine/method/method_parts.h"
#include "engine/model/congruence.h"
#include "engine/model/default_start.h"
#include "engine/model/domain.h"
#include "engine/model/values.h"
#include "engine/problem/congruence_numbers.h"
#include "engine/problem/domain_start.h"
#include "engine/problem/found_use.h"
#include "job/confine.h"
#include "mpi/file/files.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/problem/problem.h"
#include "mpi/space/space.h"
#include "opt/vector.h"

enum { PROBE_STEPS = 6, PROBE_SEED = 20260101 };

static int rank_of(const tg_run *run)
{
  int rank = 0;
  MPI_Comm_rank(run->comm, &rank);
  return rank;
}

// ---- the header: what was chosen, and why ----

static tg_status print_header(const tg_run *run)
{
  const tg_setup *setup = run->setup;
  const tg_plan *plan = setup->model->plan;
  const tg_environment *e = &run->environment;
  tg_text text;
  tg_text_init(&text);
  tg_text_addf(&text, "tracegrad %s, %s\n", TG_VERSION, run->job->path);
  tg_text_addf(&text, "  %s  %s\n", run->job->maximize ? "maximize" : "minimize", run->job->objective.text);
  tg_lagrangian_print(run->job, "  ", &text);
  if (plan->degree >= 0)
    tg_text_addf(&text, "  objective a polynomial of degree %d in the variables\n", (int)plan->degree);
  else
    tg_text_add(&text, "  objective not a polynomial in the variables\n");
  tg_text_addf(&text, "  grid      %s; block %lld\n", setup->choice.reason, (long long)setup->choice.block);
  tg_text_addf(&text, "  machine   %d rank%s x %d thread%s\n", e->ranks, e->ranks == 1 ? "" : "s", e->threads,
               e->threads == 1 ? "" : "s");
  tg_environment_print_kernel(e, "  kernel    ", &text);
  const tg_status status = tg_cost_print_header(plan, &setup->choice, e->threads, run->forecast.total, &text);
  tg_congruence_print(run->job, setup->model, "  metric    ", &text);
  tg_domain_print(run->job, "  ", &text);
  tg_method_print(setup->method, setup->model, &text);
  tg_default_start_print(run->job, "  start     ", &text);
  if (tg_checkpoint_source(run->checkpoint) != NULL)
    tg_text_addf(&text, "  resumed   from %s, after %lld iterations; run %lld of this minimisation\n",
                 tg_checkpoint_source(run->checkpoint), (long long)run->earlier.iteration,
                 (long long)tg_checkpoint_runs(run->checkpoint));
  fputs(tg_text_string(&text), stderr);
  tg_text_fini(&text);
  return status;
}

// What the numbers have shown, and what has become of the lines above.
static tg_status print_found(const tg_run *run)
{
  const tg_setup *setup = run->setup;
  tg_text found;
  tg_text text;
  tg_text_init(&found);
  tg_text_init(&text);
  tg_found_print(run->job, &found);
  tg_status status = tg_text_status(&found);
  if (status == TG_OK && tg_text_string(&found)[0] != '\0') {
    tg_text_addf(&text, "  data      %s: found in the numbers\n", tg_text_string(&found));
    status =
        tg_cost_print_header(setup->model->plan, &setup->choice, run->environment.threads, run->forecast.total, &text);
    tg_domain_print(run->job, "  ", &text);
    tg_method_print(setup->method, setup->model, &text);
    fputs(tg_text_string(&text), stderr);
  }
  tg_text_fini(&text);
  tg_text_fini(&found);
  return status;
}

// ---- the Taylor probe ----

static tg_status probe_gradient(tg_run *run, bool console)
{
  opt_problem *problem = run->setup->problem;
  const opt_counts before = problem->counts;
  TG_TRY(tg_taylor_probe(problem, run->setup->x, PROBE_SEED, PROBE_STEPS, &run->taylor));
  run->probe_products = problem->counts.products - before.products;
  // Of a resumed run the first one's probe stands in the counts.
  if (tg_checkpoint_source(run->checkpoint) != NULL) run->probe_products = run->earlier.products_before;
  problem->counts = before;
  const tg_taylor *t = &run->taylor;
  if (t->verdict == TG_TAYLOR_FAILED && run->setup->model->is_smooth)
    TG_FAIL(TG_NUMERIC,
            "the gradient does not belong to the objective: at the start the Taylor remainder falls with order %.2f, "
            "expected 2; tracegrad check shows the table; please report this",
            t->order);
  if (!console || rank_of(run) != 0) return TG_OK;
  if (t->verdict == TG_TAYLOR_PASSED)
    fprintf(stderr, "  gradient  Taylor probe at the start: order %.2f\n", t->order);
  else if (t->verdict == TG_TAYLOR_UNRESOLVED)
    fputs(
        "  gradient  cannot be tested at the start: no step of the Taylor probe lies between curvature and rounding\n",
        stderr);
  else if (t->verdict == TG_TAYLOR_FAILED)
    fprintf(stderr,
            "  gradient  Taylor probe at the start: order %.2f, which can be right at a kink (abs, sign, relu)\n",
            t->order);
  else
    fprintf(stderr, "  gradient  Taylor probe at the start: %s\n", tg_taylor_verdict_label(t->verdict));
  return TG_OK;
}

// ---- results ----

static tg_status collect_counts(tg_run *run)
{
  const tg_exec *exec = run->setup->exec;
  double sent = tg_exec_counters(exec)->bytes_sent;
  int64_t peak = tg_environment_peak_bytes();
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, &sent, 1, MPI_DOUBLE, MPI_SUM, run->comm));
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, &peak, 1, MPI_INT64_T, MPI_MAX, run->comm));
  run->counted_bytes = sent;
  run->peak_bytes = peak;
  for (int program = 0; program < TG_PROGRAM_COUNT; program++)
    run->counted_flops += tg_exec_program_usage(exec, (tg_program_id)program)->flops;
  TG_TRY(tg_cost_compare(run->setup->model, &run->compared));
  TG_TRY(tg_cost_price_method(run->job, run->setup->model, run->setup->method, &run->setup->choice,
                              run->environment.threads, &run->price));
  return tg_cost_predict_run(exec, &run->setup->choice, run->environment.threads, &run->predicted_flops,
                             &run->predicted_bytes);
}

static tg_status write_results(tg_run *run)
{
  const double write_begin = MPI_Wtime();
  const tg_status written = tg_outputs_write(run);
  const tg_error failure = *tg_error_get();
  TG_TRY(collect_counts(run));
  run->seconds.write = run->earlier.write_seconds + MPI_Wtime() - write_begin;
  run->seconds.total = run->earlier.total_seconds + MPI_Wtime() - run->begin;
  const bool mine = rank_of(run) == 0;
  TG_TRY(tg_agree(run->comm, mine ? tg_report_write(run, run->job->output_directory) : TG_OK));
  if (mine && written == TG_OK) tg_outputs_remove_stale(run);
  // The report is there: what could not be written beside it is told now.
  if (written != TG_OK) *tg_error_get() = failure;
  return written;
}

// ---- phases ----

static tg_status forecast_memory(tg_run *run, tg_model *model, const tg_method *method)
{
  const tg_cost_grid on = tg_cost_grid_of(&run->setup->choice, run->environment.threads);
  return tg_forecast_make(run->job, model, method, &on, &run->forecast);
}

// What does not fit is better known now than when the kernel ends a rank.
static tg_status refuse_memory(tg_run *run, tg_model *model, tg_method *method)
{
  const tg_cost_grid on = tg_cost_grid_of(&run->setup->choice, run->environment.threads);
  const tg_memory_room room = {run->environment.memory, run->environment.ranks};
  if (tg_method_may_be_orthogonal(method) && room.rank_bytes > 0 && run->forecast.total > room.rank_bytes) {
    tg_method_leave_orthogonal(method);
    TG_TRY(forecast_memory(run, model, method));
  }
  return tg_forecast_check(run->job, model, method, &on, &room, &run->forecast);
}

// Whether the model and the method that the numbers suggest can be run: their memory, and what goes together.
static tg_status admit(void *caller, tg_model *model, tg_method *method)
{
  tg_run *run = caller;
  const tg_forecast before = run->forecast;
  tg_status status = tg_attempts_check(run->job, method);
  if (status == TG_OK) status = forecast_memory(run, model, method);
  if (status == TG_OK) status = refuse_memory(run, model, method);
  if (status != TG_OK) run->forecast = before;
  return status;
}

static tg_status prepare(tg_run *run, const tg_run_options *options)
{
  const bool mine = rank_of(run) == 0;
  TG_TRY(tg_setup_load(run->comm, options->path, options->n_sets, options->sets, tg_cli_messages(), &run->job));
  if (options->output != NULL) run->job->output_directory = options->output;
  TG_TRY(tg_agree(run->comm, options->confined && mine ? tg_job_confine(run->job, options->output != NULL) : TG_OK));
  TG_TRY(tg_checkpoint_open(run->comm, run->job, options->resume, options->watch_signals, &run->checkpoint));
  if (run->checkpoint != NULL) tg_checkpoint_earlier(run->checkpoint, &run->earlier);
  const tg_lower_options lowering = {
      .want_hessian = true, .expected_iterations = tg_checkpoint_planned_iterations(run->checkpoint, run->job)};
  TG_TRY(tg_setup_create(run->comm, run->job, &lowering, &run->setup));
  TG_TRY(tg_attempts_check(run->job, run->setup->method));
  TG_TRY(tg_environment_get(run->comm, &run->environment));
  TG_TRY(tg_agree(run->comm, forecast_memory(run, run->setup->model, run->setup->method)));
  tg_status shown = TG_OK;
  if (options->console && mine) shown = print_header(run);
  if (options->warns && mine) {
    tg_job_mark_used(run->job, true);
    tg_method_warn_unused(run->job, run->setup->model, run->setup->method);
  }
  TG_TRY(tg_agree(run->comm, shown));
  TG_TRY(tg_agree(run->comm, refuse_memory(run, run->setup->model, run->setup->method)));
  run->setup->admit = admit;
  run->setup->caller = run;
  TG_TRY(tg_outputs_prepare(run));
  return run->checkpoint != NULL ? tg_checkpoint_prepare(run->checkpoint) : TG_OK;
}

static void add_reason(opt_result *result, const char *text)
{
  const size_t used = strlen(result->reason);
  if (text[0] != '\0') snprintf(result->reason + used, sizeof result->reason - used, "; %s", text);
}

// A closed form does not need the start: from zero its first gradient costs no product, and from the identity
// tr(S*X) - logdet(X) has one. On a constraint the start is kept, for neither of them is feasible.
static void move_start(const tg_closed_form *form, tg_dmat *x)
{
  if (form->kind == TG_CLOSED_INVERSE) tg_dmat_eye(1.0, x);
  if (form->kind == TG_CLOSED_CHOLESKY || form->kind == TG_CLOSED_SPECTRAL) tg_dmat_fill(0.0, x);
}

static void show_method(const tg_run *run)
{
  tg_text text;
  tg_text_init(&text);
  tg_method_explain(run->setup->method, run->setup->model, &text);
  fprintf(stderr, "  method    %s\n", tg_text_string(&text));
  tg_text_fini(&text);
}

// The factorisations of a closed form or of a preconditioner.
static tg_status prepare_method(tg_run *run, bool console)
{
  tg_setup *setup = run->setup;
  tg_method *method = setup->method;
  const bool planned_direct = tg_way_is_direct(tg_method_way(method));
  // Under subject_to the penalty comes first: the method is prepared with it.
  if (setup->model->subject != NULL) return tg_lagrangian_create(setup, &run->lagrangian);
  TG_TRY(tg_alternating_create(setup, &run->alternating));
  if (run->alternating != NULL) {
    if (tg_checkpoint_source(run->checkpoint) != NULL) tg_alternating_resume(run->alternating);
    if (console && rank_of(run) == 0 && run->job->solver.method != 0) show_method(run);
    return TG_OK;
  }
  method->point = setup->x;
  TG_TRY(tg_method_prepare(run->job, setup->model, setup->grid, setup->data, method));
  // With no iterations allowed, the value at the job's own start is what is asked for.
  if (method->direct != NULL && run->job->solver.max_iterations > 0)
    move_start(&method->strategy->form, tg_space_block(setup->x, 0));
  const bool is_other = planned_direct && method->direct == NULL;
  if (is_other) TG_TRY(tg_domain_start_inside(setup));
  if (console && rank_of(run) == 0 && is_other) show_method(run);
  return TG_OK;
}

// The report of an earlier run says nothing about this one, which may fail before it writes its own. Rank 0.
static tg_status remove_report(const char *folder, tg_text *path)
{
  TG_TRY(tg_output_path(folder, "report.json", path));
  if (unlink(tg_text_string(path)) == 0 || errno == ENOENT) return TG_OK;
  TG_FAIL(TG_IO, "cannot remove the report of an earlier run, %s: %s", tg_text_string(path), strerror(errno));
}

// Products that the problem does not count: of factorisations, preconditioners, constraints and multipliers. Those of
// small matrices are fractions of one.
static double outside_products(const tg_run *run)
{
  const tg_method *method = run->setup->method;
  double products = (double)tg_method_products(method) - ceil(method->products) + method->products;
  if (run->lagrangian != NULL) products += (double)tg_lagrangian_products(run->lagrangian);
  return products - run->made_again + run->earlier.outside_products;
}

// For a checkpoint.
static void describe(void *self, tg_checkpoint_facts *facts)
{
  const tg_run *run = self;
  facts->outside_products = outside_products(run);
  facts->setup_seconds = run->seconds.setup;
  facts->read_seconds = run->seconds.read;
  facts->write_seconds = run->earlier.write_seconds;
  facts->solve_seconds = run->earlier.solve_seconds + MPI_Wtime() - run->solve_begin;
  facts->total_seconds = run->earlier.total_seconds + MPI_Wtime() - run->begin;
}

// A resumed run stands where the checkpoint was written: what it took to get there was counted by the run before.
static void note_resumed(void *self)
{
  tg_run *run = self;
  run->made_again = 0;
  run->made_again = outside_products(run) - run->earlier.outside_products;
}

// For progress.
static const char *read_revision(void *self, int64_t *said)
{
  tg_run *run = self;
  const tg_method *method = run->setup->method;
  const bool is_new = method->verdict.revisions > *said;
  tg_text text;
  *said = method->verdict.revisions;
  if (!is_new) return NULL;
  tg_text_init(&text);
  tg_method_explain_metric(method, &text);
  snprintf(run->revised, sizeof run->revised, "%s", tg_text_string(&text));
  tg_text_fini(&text);
  return run->revised;
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
static tg_status add_operation(tg_run *run)
{
  const opt_problem *problem = run->setup->problem;
  if (tg_problem_reason(problem)[0] == '\0') TG_TRY(explain_gradient(run->setup));
  add_reason(&run->result, tg_problem_reason(problem));
  return TG_OK;
}

// Gradients jump across kinks and need not vanish at a minimum: then no tolerance helps.
static void add_kinks(tg_run *run)
{
  if (run->result.outcome != OPT_STALLED || !run->setup->model->has_kinks) return;
  add_reason(&run->result,
             "abs, norm1 or relu has kinks in this job, at which a gradient need not vanish: write a smooth "
             "form, such as sum((E.^2 + 1e-6*ones).^0.5)");
}

// The objective at the point returned, as it is written and not as the plan computes it: sumsq(A*x - b) multiplied out
// loses what is small beside |b|^2. The iteration's own value is kept where it is another one.
static tg_status settle_objective(tg_run *run)
{
  const tg_setup *setup = run->setup;
  const tg_model *model = setup->model;
  const opt_constraint *constraint = setup->constraint;
  const tg_node f = model->subject != NULL ? model->subject->objective : model->objective;
  const double iterated = run->result.objective;
  double written = 0;
  double penalty = 0;
  run->iterated_objective = (double)NAN;
  if (!isfinite(iterated)) return TG_OK;
  TG_TRY(tg_values_scalar(run->job, setup->model, setup->grid, setup->data, setup->x, f, &written));
  if (constraint != NULL && constraint->traits.has_penalty)
    TG_TRY(constraint->ops->penalty(constraint, setup->x, &penalty));
  written += penalty;
  if (!isfinite(written)) return TG_OK;
  run->result.objective = written;
  if (fabs(written - iterated) > 1e-8 * fmax(fabs(written), fabs(iterated))) run->iterated_objective = iterated;
  return TG_OK;
}

// A run seldom ends as unbounded: the point for the ray is made when there is one.
static tg_status keep_ray(void *self, const opt_point *d)
{
  tg_run *run = self;
  const opt_space *space = run->setup->space;
  if (run->setup->model->n_changes > 0) return TG_OK; // another variable's
  if (run->ray == NULL) TG_TRY(space->ops->create(space, &run->ray));
  return opt_copy(space, d, run->ray);
}

static tg_status minimise(tg_run *run, const tg_run_options *options)
{
  tg_text path;
  tg_text_init(&path);
  tg_progress progress = {.comm = run->comm,
                          .mode = options->progress,
                          .sign = run->job->maximize ? -1.0 : 1.0,
                          .watch_signals = options->watch_signals,
                          .checkpoint = run->checkpoint,
                          .describe = describe,
                          .resumed = note_resumed,
                          .ray = keep_ray,
                          .revised = read_revision,
                          .run = run};
  tg_status status = rank_of(run) == 0 ? remove_report(run->job->output_directory, &path) : TG_OK;
  if (status == TG_OK) status = tg_output_path(run->job->output_directory, "history.jsonl", &path);
  TG_TRY_GOTO(tg_agree(run->comm, status));
  TG_TRY_GOTO(tg_progress_open(&progress, tg_text_string(&path)));
  progress.products_before = run->probe_products;
  if (run->checkpoint != NULL) tg_checkpoint_start(run->checkpoint);
  const opt_observer observer = tg_progress_observer(&progress);
  status = tg_attempts_minimise(run, &observer);
  const tg_status closed = tg_progress_close(&progress);
  if (status == TG_OK) status = closed;
  if (progress.is_resumed) note_resumed(run); // it was at its end
  // A sum that is whole but for rounding is not rounded up.
  run->result.counts.products += (int64_t)ceil(outside_products(run) - 1e-6) - run->probe_products;
  if (status == TG_OK) status = settle_objective(run);
  // Neither -0 for the zero of a maximum nor a sign on what is not a number.
  run->objective = isnan(run->result.objective) ? fabs(run->result.objective)
                   : run->job->maximize         ? 0.0 - run->result.objective
                                                : run->result.objective;
  // Why a point had no value, and which signal came, the driver does not know.
  if (status == TG_OK && run->result.outcome == OPT_NOT_FINITE) status = add_operation(run);
  if (status == TG_OK) add_kinks(run);
  if (status == TG_OK && run->result.outcome == OPT_INTERRUPTED) add_reason(&run->result, tg_signals_name());
done:
  tg_text_fini(&path);
  return status;
}

// From the variables that were minimised over to those of the job: X'SX - I is measured on what is handed out.
static tg_status hand_out(tg_run *run)
{
  double violation = 0;
  if (run->setup->model->n_changes == 0) return TG_OK;
  TG_TRY(tg_congruence_leave(run->setup, &violation));
  if (!(violation <= run->result.violation)) run->result.violation = violation;
  return TG_OK;
}

static void print_warnings(const tg_run *run)
{
  tg_text text;
  tg_text_init(&text);
  tg_environment_print_warnings(&run->environment, &text);
  tg_message_lines(tg_cli_messages(), TG_MESSAGE_WARNING, &text);
  tg_text_fini(&text);
}

// Whether a signal has come to any rank, between phases before the first iteration. There is nothing to save then, and
// what earlier runs have left stays. Collective.
static tg_status ask_signals(tg_run *run, const tg_run_options *options, const char *phase)
{
  int seen = options->watch_signals && tg_signals_seen() ? 1 : 0;
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, &seen, 1, MPI_INT, MPI_MAX, run->comm));
  if (seen == 0) return TG_OK;
  run->is_early = true;
  run->result.outcome = OPT_INTERRUPTED;
  snprintf(run->result.reason, sizeof run->result.reason, "interrupted while %s, before the first iteration", phase);
  add_reason(&run->result, tg_signals_name());
  return TG_OK;
}

static tg_status execute(tg_run *run, const tg_run_options *options)
{
  run->begin = MPI_Wtime();
  TG_TRY(prepare(run, options));
  TG_TRY(ask_signals(run, options, "it prepared itself"));
  if (run->is_early) return TG_OK;
  if (options->warns) print_warnings(run);
  TG_TRY(tg_setup_fill(run->setup));
  TG_TRY(ask_signals(run, options, "it read its data"));
  if (run->is_early) return TG_OK;
  TG_TRY(tg_agree(run->comm, options->console && rank_of(run) == 0 ? print_found(run) : TG_OK));
  if (options->console && rank_of(run) == 0 && run->setup->start_note[0] != '\0')
    fprintf(stderr, "  start     %s\n", run->setup->start_note);
  if (run->checkpoint != NULL) TG_TRY(tg_checkpoint_bind(run->checkpoint, run->setup));
  TG_TRY(probe_gradient(run, options->console));
  run->seconds.read = run->earlier.read_seconds + run->setup->read_seconds;
  run->seconds.setup = run->earlier.setup_seconds + MPI_Wtime() - run->begin - run->setup->read_seconds;
  run->solve_begin = MPI_Wtime();
  TG_TRY(prepare_method(run, options->console));
  TG_TRY(minimise(run, options));
  TG_TRY(hand_out(run));
  run->seconds.solve = run->earlier.solve_seconds + MPI_Wtime() - run->solve_begin;
  run->is_solved = true;
  return write_results(run);
}

tg_status tg_run_execute(MPI_Comm comm, const tg_run_options *options, tg_run **out)
{
  *out = NULL;
  TG_TRY(tg_agree(comm, TG_NEW(1, out)));
  (*out)->comm = comm;
  (*out)->options = options;
  const time_t now = time(NULL);
  struct tm utc;
  if (gmtime_r(&now, &utc) != NULL) strftime((*out)->date, sizeof(*out)->date, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return execute(*out, options);
}

void tg_run_destroy(tg_run **run)
{
  if (*run == NULL) return;
  json_decref((*run)->subject_report);
  json_decref((*run)->earlier_files);
  tg_free((*run)->writes_ray);
  if ((*run)->ray != NULL) (*run)->setup->space->ops->destroy((*run)->setup->space, &(*run)->ray);
  tg_free((*run)->attempts);
  tg_lagrangian_destroy(&(*run)->lagrangian);
  tg_alternating_destroy(&(*run)->alternating);
  tg_checkpoint_close(&(*run)->checkpoint);
  tg_setup_destroy(&(*run)->setup);
  tg_job_destroy(&(*run)->job);
  tg_free(*run);
  *run = NULL;
}
