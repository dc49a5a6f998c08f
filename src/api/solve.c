// Jobs from files, for programs that are not ours: include/tracegrad_solve.h.
#include "tracegrad_solve.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/error.h"
#include "api/host.h"
#include "job/job_share.h"
#include "report/run.h"
#include "report/sweep.h"
#include "report/tune.h"

// ---- run ----

static void fill_report(const tg_run *run, tracegrad_report *out)
{
  const opt_result *r = &run->engine->result;
  *out = (tracegrad_report){.exit_status = opt_outcome_exit(r->outcome),
                            .objective = run->engine->objective,
                            .gradient_norm = r->gradient_norm,
                            .iterations = r->iterations,
                            .products = r->counts.products,
                            .seconds = run->seconds.total};
  snprintf(out->status, sizeof out->status, "%s", opt_outcome_label(r->outcome));
  snprintf(out->reason, sizeof out->reason, "%s", r->reason);
}

// Of a sweep: its worst status, its best objective, sums of the rest. Rank 0 knows all points, of earlier runs as well.
static tg_status report_sweep(const tg_sweep_run *sweep, tracegrad_report *out)
{
  const tg_sweep *of = sweep->job->spec.sweep;
  const int exit_status = tg_sweep_exit(sweep);
  const int64_t best = sweep->rank == 0 ? tg_sweep_best(sweep) : -1;
  *out = (tracegrad_report){
      .exit_status = exit_status, .objective = (double)NAN, .gradient_norm = (double)NAN, .seconds = sweep->seconds};
  if (best >= 0) out->objective = sweep->rows[best].objective;
  snprintf(out->status, sizeof out->status, "%s", sweep->is_interrupted ? "interrupted" : "converged");
  for (int64_t k = 0; k < of->n_points; k++) {
    const tg_sweep_row *row = &sweep->rows[k];
    if (!row->is_known) continue;
    out->iterations += row->iterations;
    out->products += row->products;
    if (row->exit_class != exit_status || exit_status == 0) continue;
    snprintf(out->status, sizeof out->status, "%s", row->status);
    snprintf(out->reason, sizeof out->reason, "point %lld: %.480s", (long long)k, row->reason);
  }
  return tg_mpi_check(MPI_Bcast(out, (int)sizeof *out, MPI_BYTE, 0, sweep->comm), TG_HERE);
}

static tg_status run_sweep(MPI_Comm comm, const tg_job *job, tracegrad_report *report)
{
  const tg_sweep_options options = {.last = job->spec.sweep->n_points - 1};
  tg_sweep_run *sweep = NULL;
  tg_status status = tg_sweep_execute(comm, job, &options, &sweep);
  if (status == TG_OK) status = report_sweep(sweep, report);
  tg_sweep_run_destroy(&sweep);
  return status;
}

// Of tune the report is that of the run with the numbers found.
static tg_status run_tune(MPI_Comm comm, const tg_job *job, tracegrad_report *report)
{
  const tg_run_options options = {0};
  const tg_tune_watch watch = {0};
  tg_tune_run *tune = NULL;
  const tg_status status = tg_tune_execute(comm, job, &options, &watch, &tune);
  if (status == TG_OK && tune->run != NULL) fill_report(tune->run, report);
  tg_tune_run_destroy(&tune);
  return status;
}

static tg_status run_job(MPI_Comm comm, tg_job *job, tracegrad_report *report)
{
  const tg_messages messages = tg_api_warnings(&comm);
  const tg_run_options options = {0};
  tg_run *run = NULL;
  job->spec.messages = &messages;
  if (job->spec.tune != NULL) return run_tune(comm, job, report);
  if (job->spec.sweep != NULL) return run_sweep(comm, job, report);
  const tg_status status = tg_run_execute(comm, job, &options, &run);
  if (status == TG_OK) fill_report(run, report);
  tg_run_destroy(&run);
  return status;
}

static tg_status check_arguments(const char *job_path, int n, const char *const *overrides,
                                 const tracegrad_report *report)
{
  if (job_path == NULL) TG_FAIL(TG_USAGE, "the path of the job is NULL");
  if (report == NULL) TG_FAIL(TG_USAGE, "the place for the report is NULL");
  if (n < 0 || (n > 0 && overrides == NULL)) TG_FAIL(TG_USAGE, "%d overrides%s", n, n < 0 ? "" : " at NULL");
  for (int k = 0; k < n; k++)
    if (overrides[k] == NULL) TG_FAIL(TG_USAGE, "override %d of %d is NULL", k + 1, n);
  return TG_OK;
}

int tracegrad_run(MPI_Comm comm, const char *job_path, int n, const char *const *overrides, tracegrad_report *report)
{
  tg_job *job = NULL;
  tg_api_call call;
  tg_status status = tg_api_enter(&call);
  if (status != TG_OK) return tg_api_fail(status, NULL);
  status = tg_api_check_host(comm);
  if (status == TG_OK) status = tg_agree(comm, check_arguments(job_path, n, overrides, report));
  if (status == TG_OK) status = tg_api_examine_blas(comm);
  if (status == TG_OK) status = tg_job_load_shared(comm, job_path, n, overrides, &job);
  if (status == TG_OK) status = run_job(comm, job, report);
  const int exit_class = tg_api_fail_job(job, status);
  tg_job_destroy(&job);
  tg_api_leave(&call);
  return exit_class;
}
