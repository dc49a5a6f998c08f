// The program around the library: its warnings, and the BLAS it loaded.
#include "api/host.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "api/error.h"
#include "base/blas_loaded.h"
#include "mpi/blas/self_test.h"
#include "mpi/matrix/grid.h"
#include "tracegrad_solve.h"

enum { MESSAGE_BYTES = 4096 };

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

tg_status tg_api_check_host(MPI_Comm comm)
{
  int begun = 0;
  int over = 0;
  MPI_Initialized(&begun);
  MPI_Finalized(&over);
  if (!begun || over) TG_FAIL(TG_USAGE, "MPI is not running: MPI_Init_thread comes first");
  if (comm == MPI_COMM_NULL) TG_FAIL(TG_USAGE, "the communicator is MPI_COMM_NULL");
  return TG_OK;
}

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
  if (warnings.handler == NULL || (rank != 0 && !warnings.is_given)) return;
  const tg_api_visit visit = tg_api_visit_host();
  warnings.handler(warnings.self, text);
  tg_api_return(&visit);
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
tg_status tg_api_examine_blas(MPI_Comm comm)
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

tg_messages tg_api_warnings(MPI_Comm *comm)
{
  return (tg_messages){.say = say, .self = comm};
}

int tg_api_fail_job(const tg_job *job, tg_status status)
{
  if (job == NULL) return tg_api_fail(status, NULL);
  const tg_api_texts texts = {.n = job->n_sources, .sources = job->sources};
  return tg_api_fail_all(status, &job->errors, 0, &texts);
}
