// Jobs from files, for programs that are not ours: include/tracegrad_solve.h.
#include "tracegrad_solve.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "api/error.h"
#include "base/blas_loaded.h"
#include "job/job_share.h"
#include "mpi/blas/self_test.h"
#include "mpi/matrix/grid.h"
#include "report/run.h"

enum { MESSAGE_BYTES = 4096 };

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

// ---- the BLAS of a program that is not ours ----

static void print_warning(void *self, const char *text)
{
  (void)self;
  fprintf(stderr, "tracegrad: warning: %s\n", text);
}

// Like stdio's streams: of the process.
static struct {
  void (*handler)(void *self, const char *text);
  void *self;
  bool is_given;
} warnings = {.handler = print_warning};

void tracegrad_on_warning(void (*handler)(void *self, const char *text), void *self)
{
  warnings.handler = handler;
  warnings.self = self;
  warnings.is_given = true;
}

static void warn(MPI_Comm comm, const char *text)
{
  int rank = 0;
  MPI_Comm_rank(comm, &rank);
  if (warnings.handler != NULL && (rank == 0 || warnings.is_given)) warnings.handler(warnings.self, text);
}

static void warn_lines(MPI_Comm comm, const tg_text *lines)
{
  for (const char *line = tg_text_string(lines); *line != '\0';) {
    char text[MESSAGE_BYTES];
    const size_t length = strcspn(line, "\n");
    snprintf(text, sizeof text, "%.*s", (int)length, line);
    warn(comm, text);
    line += length + (line[length] == '\n');
  }
}

// The caller's process cannot be started once more with other kernels: it is warned, once. Collective.
static tg_status examine_blas(MPI_Comm comm)
{
  static atomic_bool is_examined;
  const bool is_first = !atomic_load(&is_examined);
  TG_TRY(tg_agree(comm, is_first ? tg_blas_self_test() : TG_OK));
  if (!is_first || atomic_exchange(&is_examined, true)) return TG_OK;
  tg_blas_kernel kernel;
  tg_text text;
  tg_text_init(&text);
  tg_blas_kernel_get(NULL, &kernel);
  tg_blas_kernel_advise(&kernel, &text);
  tg_blas_advise_share(tg_blas_share_of_peak(), &text);
  warn_lines(comm, &text);
  tg_text_fini(&text);
  return TG_OK;
}

// Notes are no warnings: they are dropped.
static void say(void *self, tg_message_kind kind, tg_mark mark, const char *text)
{
  (void)mark;
  const MPI_Comm *comm = self;
  if (kind == TG_MESSAGE_WARNING) warn(*comm, text);
}

static tg_status run_job(MPI_Comm comm, tg_job *job, tracegrad_report *report)
{
  const tg_messages messages = {.say = say, .self = &comm};
  const tg_run_options options = {0};
  tg_run *run = NULL;
  job->spec.messages = &messages;
  const tg_status status = tg_run_execute(comm, job, &options, &run);
  if (status == TG_OK) fill_report(run, report);
  tg_run_destroy(&run);
  return status;
}

int tracegrad_run(MPI_Comm comm, const char *job_path, int n, const char *const *overrides, tracegrad_report *report)
{
  tg_job *job = NULL;
  tg_status status = examine_blas(comm);
  if (status == TG_OK) status = tg_job_load_shared(comm, job_path, n, overrides, &job);
  if (status == TG_OK) status = run_job(comm, job, report);
  int exit_class = 0;
  if (status != TG_OK) {
    tg_text text;
    tg_text_init(&text);
    tg_job_diagnose(job, status, &text);
    exit_class = tg_api_fail_as(status, NULL, &text);
    tg_text_fini(&text);
  }
  tg_job_destroy(&job);
  return exit_class;
}
