// tracegrad plan: what a job compiles to and costs; no data is read, only the headers of files.
#include <inttypes.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "cli/job_console.h"
#include "engine/model/probe_files.h"
#include "engine/preview.h"
#include "engine/sweep/points.h"
#include "job/confine.h"
#include "report/plan_json.h"
#include "report/plan_report.h"
#include "report/sweep_report.h"
#include "report/tune_report.h"

static const tg_option options[] = {
    {"--format", "FORMAT", false, "human (default) or json"},
    {"--ranks", "N", false, "number of MPI ranks to plan for (default: what --grid or the job says, or 1)"},
    {"--threads", "T", false, "threads of each rank (default: OMP_NUM_THREADS, or the cores)"},
    {"--grid", "PxQ", false, "process grid of P rows and Q columns"},
    {"--plan-without", "PASS", true, "switch one optimisation off to see its gain; repeatable"},
    {"--set", "KEY=VALUE", true, "override a key of the job; repeatable"},
    {"--confined", NULL, false, "refuse a job that reads or writes outside its folders (docs/job-file.md)"},
};

static const tg_args_spec spec = {
    .command = "plan",
    .operands = "JOB",
    .n_operands = 1,
    .summary = "Shows the compiled plan: operations, flops, memory and messages per rank. No data is read.",
    .details = "Optimisations for --plan-without: sharing, association, factoring, hoisting, traces, solves, fusion,\n"
               "reuse, images.\n"
               "The environment variable TRACEGRAD_MACHINE names a file with this machine's rates, as bench_machine\n"
               "prints them: see docs/performance.md.",
    .n_options = sizeof options / sizeof options[0],
    .options = options,
};

typedef struct machine {
  bool is_json;     // --format json
  bool is_confined; // --confined
  int64_t ranks;    // 0: as the job's grid says, else 1
  int64_t threads;
  int64_t rows; // of the grid, 0: chosen
  int64_t cols;
} machine;

enum { RANKS_MAX = 1 << 20, THREADS_MAX = 4096 };

// "2x4"
static tg_status read_grid(const char *text, machine *out)
{
  char *end = NULL;
  char *rest = NULL;
  const long rows = strtol(text, &end, 10);
  const long cols = *end == 'x' ? strtol(end + 1, &rest, 10) : 0;
  if (rows < 1 || cols < 1 || rows > RANKS_MAX || cols > RANKS_MAX || *rest != '\0')
    TG_FAIL(TG_USAGE, "plan: --grid takes ROWSxCOLUMNS such as 2x4, found '%s'", text);
  if ((int64_t)rows * cols > RANKS_MAX)
    TG_FAIL(TG_USAGE, "plan: --grid %s has %" PRId64 " ranks, expected at most %d", text, (int64_t)rows * cols,
            RANKS_MAX);
  out->rows = rows;
  out->cols = cols;
  return TG_OK;
}

static tg_status read_machine(const tg_args *args, machine *out)
{
  *out = (machine){.threads = omp_get_max_threads()};
  const char *grid = tg_args_value(args, "--grid", 0);
  TG_TRY(tg_args_json(args, &out->is_json));
  TG_TRY(tg_args_integer(args, "--threads", 1, THREADS_MAX, &out->threads));
  if (grid != NULL) {
    TG_TRY(read_grid(grid, out));
    out->ranks = out->rows * out->cols;
  }
  TG_TRY(tg_args_integer(args, "--ranks", 1, RANKS_MAX, &out->ranks));
  if (grid != NULL && out->ranks != out->rows * out->cols)
    TG_FAIL(TG_USAGE, "plan: --grid %s has %lld ranks, --ranks says %lld", grid, (long long)(out->rows * out->cols),
            (long long)out->ranks);
  return TG_OK;
}

static tg_status read_passes(const tg_args *args, tg_lower_options *out)
{
  const char *name = NULL;
  for (int k = 0; (name = tg_args_value(args, "--plan-without", k)) != NULL; k++) {
    const int pass = tg_pass_find(name);
    if (pass >= 0) {
      out->without[pass] = true;
      continue;
    }
    const char *names[TG_PASS_COUNT];
    for (int p = 0; p < TG_PASS_COUNT; p++) names[p] = tg_pass_label((tg_pass)p);
    const char *nearest = tg_nearest_word(name, names, TG_PASS_COUNT);
    TG_FAIL(TG_USAGE, "plan: there is no optimisation '%s'%s%s%s", name, nearest != NULL ? "; did you mean '" : "",
            nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "; see tracegrad plan --help");
  }
  return TG_OK;
}

static tg_status plan_spec(tg_spec *given, const tg_lower_options *lowering, const machine *m, tg_text *text)
{
  tg_lower_options lower_options = *lowering;
  lower_options.expected_iterations = given->solver.max_iterations;
  // What the command line says goes before the job.
  if (m->rows > 0) {
    given->grid_rows = (int)m->rows;
    given->grid_cols = (int)m->cols;
  }
  tg_preview *preview = NULL;
  tg_spec *point = NULL;
  // Of a sweep the plan is that of its first point.
  tg_status status = given->sweep != NULL ? tg_sweep_check(given) : TG_OK;
  if (status == TG_OK && given->sweep != NULL) status = tg_sweep_spec_at(given, 0, &point);
  if (status == TG_OK)
    status = tg_preview_create(point != NULL ? point : given, &lower_options, (int)m->ranks, (int)m->threads, &preview);
  if (status == TG_OK) {
    tg_grid_choice *grid = &preview->grid;
    if (m->rows > 0) snprintf(grid->reason, sizeof grid->reason, "%d x %d: as --grid says", grid->rows, grid->cols);
    tg_task_mark_used(preview->task, true);
    tg_method_warn_unused(preview->task, preview->model, preview->method);
    const tg_spec *base = given->sweep != NULL || given->tune != NULL ? given : NULL;
    status = m->is_json ? tg_plan_print_json(preview, base, (int)m->threads, text)
                        : tg_plan_print(preview, (int)m->threads, text);
    if (status == TG_OK && base != NULL && !m->is_json)
      status = given->tune != NULL ? tg_tune_plan_print(given, preview, (int)m->threads, text)
                                   : tg_sweep_plan_print(given, preview, (int)m->threads, text);
    if (status == TG_OK) status = tg_cli_print(stdout, text);
  }
  tg_preview_destroy(&preview);
  tg_sweep_destroy_spec(&point);
  return status;
}

static tg_status plan_file(const tg_args *args, const char **sets)
{
  machine m;
  tg_lower_options lowering = {.want_hessian = true};
  TG_TRY(read_machine(args, &m));
  m.is_confined = tg_args_has(args, "--confined");
  TG_TRY(read_passes(args, &lowering));
  const int n_sets = tg_args_values(args, "--set", sets);
  char *bytes = NULL;
  size_t length = 0;
  TG_TRY(tg_job_load(args->operands[0], &bytes, &length));
  tg_job *job = NULL;
  const tg_status created = tg_job_create(args->operands[0], bytes, length, n_sets, sets, &job);
  tg_free(bytes);
  TG_TRY(created);
  tg_text text;
  tg_text_init(&text);
  const tg_messages messages = tg_cli_job_messages(job);
  tg_status status = tg_job_read(job);
  job->spec.messages = &messages;
  if (status == TG_OK && m.is_confined) status = tg_job_confine(job, false);
  if (status == TG_OK) status = plan_spec(&job->spec, &lowering, &m, &text);
  tg_text_fini(&text);
  // Located while the job's text still exists.
  if (status != TG_OK) {
    tg_cli_print_job_errors(job, status);
    tg_error_clear();
  }
  tg_job_destroy(&job);
  return status;
}

tg_status cmd_plan(int argc, char **argv, int *exit_status)
{
  tg_args args;
  TG_TRY(tg_args_parse(&spec, argc, argv, &args));
  if (args.help) return tg_cli_print_help(&spec);
  const char **sets = NULL;
  tg_status status = TG_NEW(argc, &sets);
  if (status == TG_OK) status = plan_file(&args, sets);
  // An error that is cleared has been shown.
  if (status != TG_OK && tg_error_get()->code == TG_OK) {
    *exit_status = tg_status_exit(status);
    status = TG_OK;
  }
  tg_free((void *)sets);
  tg_args_fini(&args);
  return status;
}
