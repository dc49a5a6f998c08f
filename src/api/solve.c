// Jobs from files, for programs that are not ours: include/tracegrad_solve.h.
#include "tracegrad_solve.h"

#include <stdio.h>
#include <string.h>

#include "api/error.h"
#include "api/host.h"
#include "job/job_share.h"
#include "report/run.h"

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

static tg_status run_job(MPI_Comm comm, tg_job *job, tracegrad_report *report)
{
  const tg_messages messages = tg_api_warnings(&comm);
  const tg_run_options options = {0};
  tg_run *run = NULL;
  job->spec.messages = &messages;
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
