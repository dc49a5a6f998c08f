// The public C API: include/tracegrad.h.
#include "tracegrad.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/blas_loaded.h"
#include "base/version.h"
#include "grad/calculus.h"
#include "job/job_share.h"
#include "mpi/blas/self_test.h"
#include "mpi/matrix/grid.h"
#include "report/run.h"

enum { MESSAGE_BYTES = 4096, SYMMETRIC_MAX = 64 };

// Like errno: the caller's thread has its own.
static _Thread_local char message[MESSAGE_BYTES];

const char *tracegrad_version(void)
{
  return TG_VERSION;
}

const char *tracegrad_error(void)
{
  return message;
}

void tracegrad_free(void *memory)
{
  free(memory);
}

static int keep_message(tg_status status, const tg_text *text)
{
  const size_t length = text->length > 0 && text->data[text->length - 1] == '\n' ? text->length - 1 : text->length;
  snprintf(message, sizeof message, "%.*s", (int)length, tg_text_string(text));
  return tg_status_exit(status);
}

// ---- derive ----

// The declarations: what is differentiated by, and the names of a comma-separated list.
typedef struct names {
  char *copy;
  int32_t count;
  tg_declaration list[SYMMETRIC_MAX];
} names;

static tg_status read_names(const char *wrt, const char *symmetric, names *out)
{
  *out = (names){.count = 1};
  out->list[0] = (tg_declaration){.name = wrt, .is_free = true};
  if (symmetric == NULL || symmetric[0] == '\0') return TG_OK;
  out->copy = strdup(symmetric);
  if (out->copy == NULL) TG_FAIL(TG_MEMORY, "cannot copy the list of symmetric names");
  char *rest = NULL;
  for (char *name = strtok_r(out->copy, ", ", &rest); name != NULL; name = strtok_r(NULL, ", ", &rest)) {
    if (out->count == SYMMETRIC_MAX) TG_FAIL(TG_LIMIT, "more than %d symmetric names", SYMMETRIC_MAX - 1);
    if (strcmp(name, wrt) == 0)
      out->list[0].properties = TG_SYMMETRIC;
    else
      out->list[out->count++] = (tg_declaration){.name = name, .properties = TG_SYMMETRIC};
  }
  return TG_OK;
}

static tg_status derive_in(tg_graph *graph, const char *expression, const names *given, tg_text *out)
{
  const tg_compile_options options = {
      .n_declarations = given->count, .declarations = given->list, .infer_undeclared = true};
  tg_node f = TG_NONE;
  tg_node result = TG_NONE;
  TG_TRY(tg_compile(graph, expression, strlen(expression), &options, &f));
  const int32_t symbol = tg_symbol_find(graph, given->list[0].name);
  if (symbol < 0) TG_FAIL(TG_NAME, "the expression does not contain '%s'", given->list[0].name);
  if (tg_node_is_scalar(graph, f))
    TG_TRY(tg_gradient(graph, f, 1, &symbol, &result));
  else
    TG_TRY(tg_jacobian(graph, f, symbol, &result));
  TG_TRY(tg_print(graph, result, TG_FORMAT_EXPR, out));
  return tg_text_status(out);
}

static tg_status derive(const char *expression, const char *wrt, const char *symmetric, tg_text *out)
{
  names given;
  tg_graph *graph = NULL;
  tg_status status = read_names(wrt, symmetric, &given);
  if (status == TG_OK) status = tg_graph_create(&graph);
  if (status == TG_OK) status = derive_in(graph, expression, &given, out);
  tg_graph_destroy(&graph);
  free(given.copy);
  return status;
}

int tracegrad_derive(const char *expression, const char *wrt, const char *symmetric, char **text)
{
  *text = NULL;
  tg_text out;
  tg_text_init(&out);
  tg_status status = derive(expression, wrt, symmetric, &out);
  if (status == TG_OK) {
    *text = strdup(tg_text_string(&out));
    if (*text == NULL) status = tg_error_set(TG_MEMORY, TG_HERE, "cannot copy the gradient");
  }
  int exit_class = 0;
  if (status != TG_OK) {
    const tg_source source = {.name = "expression", .text = expression, .length = strlen(expression)};
    tg_text_clear(&out);
    tg_error_diagnose(status, &source, &out);
    exit_class = keep_message(status, &out);
  }
  tg_text_fini(&out);
  return exit_class;
}

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
    exit_class = keep_message(status, &text);
    tg_text_fini(&text);
  }
  tg_job_destroy(&job);
  return exit_class;
}
