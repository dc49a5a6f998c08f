// tracegrad run: minimise a job's objective.
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "cli/job_console.h"
#include "cli/run/run_console.h"
#include "cli/run/sweep_console.h"
#include "cli/run/tune_console.h"
#include "engine/run/environment.h"
#include "job/confine.h"
#include "job/job_share.h"
#include "mpi/matrix/grid.h"
#include "report/log_report.h"
#include "report/sensitivity_report.h"
#include "report/sweep_groups.h"

static const tg_option options[] = {
    {"--set", "KEY=VALUE", true, "override a key of the job, such as solver.method=l-bfgs; repeatable"},
    {"--output", "DIR", false, "folder of the results instead of output.directory"},
    {"--resume", NULL, false,
     "go on from the newest intact checkpoint; of a sweep from the points that are done, of tune from its evaluations"},
    {"--points", "A..B", false, "of a sweep these points alone; all: also in a task of a Slurm array"},
    {"--progress", "MODE", false, "rows (default), live (one line, redrawn) or none"},
    {"--progress-interval", "SECONDS", false, "between rows of progress, at least (default 1); 0: every iteration"},
    {"--log-view", NULL, false, "at the end, on stderr: calls, seconds, flops and bytes of each operation"},
    {"--force", NULL, false, "overwrite a folder that holds the results of another job"},
    {"--confined", NULL, false, "refuse a job that reads or writes outside its folders (docs/job-file.md)"},
    {"--quiet", NULL, false, "no header and no progress on stderr; warnings stay"},
};

static const tg_args_spec spec = {
    .command = "run",
    .operands = "JOB",
    .n_operands = 1,
    .summary = "Minimises the job's objective and writes report.json, history.jsonl and the variables asked for.",
    .details =
        "For more than one rank: mpirun -n 4 tracegrad run JOB. SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGHUP and SIGXCPU\n"
        "stop the run after the iteration at hand; what was reached is written, the exit status is 75. With "
        "`checkpoint:\n"
        "{directory: ckpt}` in the job the state is saved every 10 minutes and at the end, and --resume goes on from "
        "it,\n"
        "on any number of ranks.",
    .n_options = sizeof options / sizeof options[0],
    .options = options,
};

// The command line.
typedef struct request {
  const char *path; // of the job file
  int n_sets;
  const char *const *sets; // KEY=VALUE
  const char *output;      // folder; NULL: as the job says
  bool shows_log;          // where the time went
  bool quiet;
  bool confined;      // the job is somebody else's: it keeps to its folders
  const char *points; // of a sweep; NULL: all, or those of the task
} request;

static tg_status progress_mode(const tg_args *args, tg_progress_mode *out)
{
  static const char *const names[] = {"none", "rows", "live"};
  const char *name = tg_args_value(args, "--progress", 0);
  *out = tg_args_has(args, "--quiet") ? TG_PROGRESS_NONE : TG_PROGRESS_ROWS;
  if (name == NULL) return TG_OK;
  for (int k = 0; k < (int)(sizeof names / sizeof names[0]); k++) {
    if (strcmp(names[k], name) != 0) continue;
    *out = (tg_progress_mode)k;
    return TG_OK;
  }
  TG_FAIL(TG_USAGE, "run: --progress is rows, live or none, found '%s'", name);
}

// Rows of progress: how, how often, and what may end the run.
static tg_status read_progress(const tg_args *args, tg_progress *out)
{
  const char *interval = tg_args_value(args, "--progress-interval", 0);
  char *end = NULL;
  TG_TRY(progress_mode(args, &out->mode));
  out->interval = interval != NULL ? strtod(interval, &end) : 1.0;
  if (interval != NULL && (end == interval || *end != '\0' || !(out->interval >= 0) || isinf(out->interval)))
    TG_FAIL(TG_USAGE, "run: --progress-interval is a number of seconds, found '%s'", interval);
  return TG_OK;
}

static void add_figures(const tg_run *run, tg_text *out)
{
  tg_text_addf(out, "objective: %.17g\ngradient_norm: %.6e\niterations: %lld\n", run->engine->objective,
               fabs(run->engine->result.gradient_norm), (long long)run->engine->result.iterations);
  if (run->engine->result.saddles > 0)
    tg_text_addf(out, "saddles: %lld left along negative curvature\n", (long long)run->engine->result.saddles);
  if (run->engine->sensitivity != NULL) tg_sensitivity_print(run->engine->spec, run->engine->sensitivity, out);
  if (run->engine->covariance != NULL) tg_covariance_print(run->engine->covariance, out);
  tg_text_addf(out, "seconds: %.3f (read %.3f, setup %.3f, solve %.3f, write %.3f)\n", run->seconds.total,
               run->engine->seconds.read, run->engine->seconds.setup, run->engine->seconds.solve, run->seconds.write);
  tg_text_addf(out, "results: %s\n", run->engine->spec->output_directory);
  if (run->engine->checkpoint != NULL && tg_checkpoint_get_log(run->engine->checkpoint)->last[0] != '\0')
    tg_text_addf(out, "checkpoint: %s\n", tg_checkpoint_get_log(run->engine->checkpoint)->last);
}

static tg_status print_summary(const tg_run *run)
{
  const opt_result *r = &run->engine->result;
  tg_text text;
  tg_text_init(&text);
  tg_text_addf(&text, "status: %s\n", opt_outcome_label(r->outcome));
  if (r->reason[0] != '\0') tg_text_addf(&text, "reason: %s\n", r->reason);
  if (!run->is_early) add_figures(run, &text);
  const tg_status status = tg_cli_print(stdout, &text);
  tg_text_fini(&text);
  return status;
}

static const char *launcher(void)
{
  return getenv("SLURM_STEP_ID") != NULL && getenv("OMPI_COMM_WORLD_SIZE") == NULL ? "srun" : "mpirun";
}

// The limit that was reached, by its key.
static const char *limit_key(const tg_run *run)
{
  if (run->engine->result.outcome == OPT_TIME_LIMIT) return "time_limit";
  return run->engine->result.iterations >= run->engine->spec->solver.max_iterations ? "max_iterations"
                                                                                    : "max_evaluations";
}

static void add_launch(const request *given, int ranks, tg_text *out)
{
  if (ranks > 1) tg_text_addf(out, "%s -n %d ", launcher(), ranks);
  tg_text_addf(out, "tracegrad run %s", given->path);
}

static void add_rest(const request *given, tg_text *out)
{
  if (given->output != NULL) tg_text_addf(out, " --output %s", given->output);
  if (given->points != NULL) tg_text_addf(out, " --points %s", given->points);
  if (given->confined) tg_text_add(out, " --confined");
}

// The command line as it was given.
static void add_command(const request *given, int ranks, tg_text *out)
{
  add_launch(given, ranks, out);
  for (int k = 0; k < given->n_sets; k++) tg_text_addf(out, " --set '%s'", given->sets[k]);
  add_rest(given, out);
}

// Whether this --set is the limit that was reached, which a larger one replaces.
static bool is_raised(const tg_run *run, const char *set)
{
  static const char section[] = "solver.";
  const char *key = limit_key(run);
  const size_t length = strlen(key);
  if (strncmp(set, section, sizeof section - 1) != 0) return false;
  const char *name = set + sizeof section - 1;
  return strncmp(name, key, length) == 0 && name[length] == '=';
}

// Ten times what it was or, where a checkpoint lay beyond it, what was reached: a limit that is met once is seldom met
// closely.
static void add_larger_limit(const tg_run *run, tg_text *out)
{
  const opt_options *given = &run->engine->spec->solver;
  const opt_result *result = &run->engine->result;
  if (result->outcome == OPT_TIME_LIMIT) {
    tg_text_addf(out, " --set 'solver.time_limit=%g'", 10 * given->time_limit);
    return;
  }
  const bool is_iterations = strcmp(limit_key(run), "max_iterations") == 0;
  const int64_t limit = is_iterations ? given->max_iterations : given->max_evaluations;
  const int64_t done = is_iterations ? result->iterations : opt_evaluations(&result->counts);
  const int64_t reached = done > limit ? done : limit;
  const int64_t larger = reached > 0 && reached < INT64_C(100000000000000) ? 10 * reached : reached + 1000;
  tg_text_addf(out, " --set 'solver.%s=%lld'", limit_key(run), (long long)larger);
}

// "tracegrad: LEAD: the command line BEHIND", on stderr; raises: with a larger limit in the place of the one reached.
static void print_command(const tg_run *run, const request *given, const char *lead, bool raises, const char *behind)
{
  tg_text text;
  tg_text_init(&text);
  tg_text_addf(&text, "tracegrad: %s: ", lead);
  add_launch(given, run->environment.ranks, &text);
  for (int k = 0; k < given->n_sets; k++)
    if (!raises || !is_raised(run, given->sets[k])) tg_text_addf(&text, " --set '%s'", given->sets[k]);
  if (raises) add_larger_limit(run, &text);
  add_rest(given, &text);
  tg_text_addf(&text, "%s\n", behind);
  // What cannot be said is no failure of the run.
  if (tg_cli_print(stderr, &text) != TG_OK) tg_error_clear();
  tg_text_fini(&text);
}

// A limit of a run without checkpoints: the command with a larger one, which begins again. A limit of none is meant.
static void print_larger_limit(const tg_run *run, const request *given)
{
  const opt_options *limits = &run->engine->spec->solver;
  const bool is_meant = strcmp(limit_key(run), "max_iterations") == 0 && limits->max_iterations == 0;
  const opt_outcome outcome = run->engine->result.outcome;
  if ((outcome != OPT_ITERATION_LIMIT && outcome != OPT_TIME_LIMIT) || is_meant || run->is_early || given->quiet)
    return;
  if (tg_cli_rank() != 0) return;
  print_command(run, given, "once more with a larger limit", true,
                "; with `checkpoint` in the job --resume would go on");
}

// What a run that stopped before its end says about going on, on stderr; and whether it may claim that it can be.
static void print_resumption(const tg_run *run, const request *given, int *exit_status)
{
  const tg_checkpoint_log *log =
      run->engine->checkpoint != NULL ? tg_checkpoint_get_log(run->engine->checkpoint) : NULL;
  const int status = *exit_status;
  if (log == NULL && status == 3) print_larger_limit(run, given);
  if (log == NULL || (status != 3 && status != 75)) return;
  if (log->last_failed && status == 3) return; // a warning has said so
  if (log->last_failed) {
    // The status 75 promises a checkpoint.
    *exit_status = 1;
    tg_error_set(TG_IO, TG_HERE, "%s", log->failure);
    tg_cli_print_error(TG_IO, NULL);
    return;
  }
  if (tg_cli_rank() != 0 || log->last[0] == '\0') return;
  const bool is_limit = run->engine->result.outcome == OPT_ITERATION_LIMIT;
  tg_text lead;
  tg_text_init(&lead);
  tg_text_addf(&lead, "checkpoint %s at iteration %lld; to go on%s", log->last, (long long)log->iteration,
               is_limit ? ", with a larger limit" : "");
  print_command(run, given, tg_text_string(&lead), is_limit, " --resume");
  tg_text_fini(&lead);
}

// The job on all ranks, as the command line changes it; *job may be set on failure too. Collective.
static tg_status load(const request *given, tg_job **job)
{
  TG_TRY(tg_job_load_shared(MPI_COMM_WORLD, given->path, given->n_sets, given->sets, job));
  if (given->output != NULL) (*job)->spec.output_directory = given->output;
  const bool confines = given->confined && tg_cli_rank() == 0;
  return tg_agree(MPI_COMM_WORLD, confines ? tg_job_confine(*job, given->output != NULL) : TG_OK);
}

// What cannot be said is no failure of the run.
static void print_log(const tg_run *run)
{
  tg_text text;
  tg_text_init(&text);
  tg_log_print(run->engine, run->environment.ranks, &text);
  if (tg_cli_print(stderr, &text) != TG_OK) tg_error_clear();
  tg_text_fini(&text);
}

static void print_end(const tg_run *run, const request *given, int *exit_status)
{
  if (given->shows_log && !run->is_early) print_log(run);
  *exit_status = opt_outcome_exit(run->engine->result.outcome);
  if (run->engine->result.outcome == OPT_NOT_FINITE) {
    tg_error_set(TG_NUMERIC, TG_HERE, "%s", run->engine->result.reason);
    tg_cli_print_error(TG_NUMERIC, NULL);
  }
  print_resumption(run, given, exit_status);
}

static void print_sweep_resumption(const tg_sweep_run *sweep, const request *given)
{
  int ranks = 1;
  tg_text text;
  if (!sweep->is_interrupted || sweep->rank != 0) return;
  MPI_Comm_size(sweep->world, &ranks);
  tg_text_init(&text);
  tg_text_addf(&text, "tracegrad: %lld points of the sweep were done; to go on: ", (long long)sweep->n_done);
  add_command(given, ranks, &text);
  tg_text_add(&text, " --resume\n");
  if (tg_cli_print(stderr, &text) != TG_OK) tg_error_clear();
  tg_text_fini(&text);
}

// Rank 0 reads the headers of files for it.
static tg_status count_groups(const tg_job *job, int64_t n_points, int *out)
{
  int ranks = 1;
  tg_environment environment;
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  *out = 1;
  if (job->spec.sweep->n_groups == 1) return TG_OK;
  TG_TRY(tg_environment_get(MPI_COMM_WORLD, &environment));
  const tg_status status = tg_cli_rank() != 0 ? TG_OK
                                              : tg_sweep_count_groups(&job->spec, ranks, environment.threads,
                                                                      environment.memory, n_points, out);
  TG_TRY(tg_agree(MPI_COMM_WORLD, status));
  return tg_mpi_check(MPI_Bcast(out, 1, MPI_INT, 0, MPI_COMM_WORLD), TG_HERE);
}

// The errors of the job are said, and nothing else is to be.
static tg_status say_failure(const tg_job *job, tg_status status, int *exit_status)
{
  tg_cli_print_job_errors(job, status);
  *exit_status = tg_status_exit(status);
  return TG_OK;
}

static tg_status run_sweep(tg_job *job, const request *given, tg_run_console *console,
                           const tg_run_options *run_options, int *exit_status)
{
  tg_sweep_run *sweep = NULL;
  tg_sweep_console shown = {.first = console, .job = job};
  const tg_messages messages = tg_cli_job_messages(job);
  bool is_array = false;
  tg_sweep_options settings = {.run = *run_options, .watch = tg_sweep_console_watch(&shown)};
  job->spec.messages = &messages;
  TG_TRY(tg_sweep_part(job->spec.sweep, given->points, &settings.first, &settings.last, &is_array));
  if (is_array && console->has_header && tg_cli_rank() == 0)
    fprintf(stderr, "array       task %s takes points %lld..%lld\n", getenv("SLURM_ARRAY_TASK_ID"),
            (long long)settings.first, (long long)settings.last);
  int n_groups = 1;
  tg_status status = count_groups(job, settings.last - settings.first + 1, &n_groups);
  if (n_groups > 1 && console->has_header && tg_cli_rank() == 0)
    fprintf(stderr, "groups      %d groups of ranks take points side by side\n", n_groups);
  if (status == TG_OK) status = tg_sweep_execute_groups(MPI_COMM_WORLD, job, &settings, n_groups, &sweep);
  if (status == TG_OK) {
    status = tg_sweep_print_summary(sweep);
    *exit_status = tg_sweep_exit(sweep);
    print_sweep_resumption(sweep, given);
  } else {
    status = say_failure(job, status, exit_status);
  }
  tg_sweep_run_destroy(&sweep);
  return status;
}

static tg_status run_loaded(tg_job *job, const request *given, const tg_run_options *run_options, int *exit_status)
{
  tg_run *run = NULL;
  const tg_messages messages = tg_cli_job_messages(job);
  job->spec.messages = &messages;
  tg_status status = tg_run_execute(MPI_COMM_WORLD, job, run_options, &run);
  if (status == TG_OK) {
    status = print_summary(run);
    if (status == TG_OK) print_end(run, given, exit_status);
  } else {
    // Files that could not be written do not take the answer with them.
    const tg_error failure = *tg_error_get();
    if (run != NULL && run->is_solved && print_summary(run) != TG_OK) tg_error_clear();
    *tg_error_get() = failure;
    status = say_failure(job, status, exit_status);
  }
  tg_run_destroy(&run);
  return status;
}

// The numbers first, then the run with them.
static tg_status run_tune(tg_job *job, const request *given, tg_run_console *console, const tg_run_options *run_options,
                          int *exit_status)
{
  tg_tune_run *tune = NULL;
  tg_tune_console shown = {.first = console};
  const tg_messages messages = tg_cli_job_messages(job);
  const tg_tune_watch watch = tg_tune_console_watch(&shown);
  job->spec.messages = &messages;
  if (given->points != NULL) TG_FAIL(TG_USAGE, "run: --points is one of sweeps, and this job has tune");
  tg_status status = tg_tune_execute(MPI_COMM_WORLD, job, run_options, &watch, &tune);
  if (status == TG_OK) {
    *exit_status = tune->is_interrupted ? 75 : 0;
    status = tg_tune_print_summary(tune);
    if (status == TG_OK && tune->run != NULL) status = print_summary(tune->run);
    if (status == TG_OK && tune->run != NULL) print_end(tune->run, given, exit_status);
  } else {
    status = say_failure(job, status, exit_status);
  }
  tg_tune_run_destroy(&tune);
  return status;
}

static tg_status run_any(tg_job *job, const request *given, tg_run_console *console, const tg_run_options *run_options,
                         int *exit_status)
{
  if (job->spec.tune != NULL) return run_tune(job, given, console, run_options, exit_status);
  if (job->spec.sweep != NULL) return run_sweep(job, given, console, run_options, exit_status);
  return run_loaded(job, given, run_options, exit_status);
}

static tg_status run_request(const tg_args *args, const request *given, int argc, char **argv, int *exit_status)
{
  tg_run_console console = {.has_header = !tg_args_has(args, "--quiet")};
  tg_run_options run_options = {.n_arguments = argc,
                                .arguments = (const char *const *)argv,
                                .begin = MPI_Wtime(),
                                .watch = tg_run_console_watch(&console),
                                .warns = true,
                                .resume = tg_args_has(args, "--resume"),
                                .force = tg_args_has(args, "--force")};
  TG_TRY(read_progress(args, &console.progress));
  if (given->output != NULL && given->output[0] == '\0') TG_FAIL(TG_USAGE, "run: --output needs the name of a folder");
  tg_job *job = NULL;
  tg_status status = load(given, &job);
  if (status == TG_OK) {
    console.progress.time_limit = job->spec.solver.time_limit;
    console.progress.max_iterations = job->spec.solver.max_iterations;
    status = run_any(job, given, &console, &run_options, exit_status);
    if (tg_cli_rank() == 0) tg_progress_finish(&console.progress);
  } else {
    status = say_failure(job, status, exit_status);
  }
  tg_job_destroy(&job);
  return status;
}

static tg_status run_job(const tg_args *args, int argc, char **argv, const char **sets, int *exit_status)
{
  const request given = {.path = args->operands[0],
                         .sets = sets,
                         .n_sets = tg_args_values(args, "--set", sets),
                         .output = tg_args_value(args, "--output", 0),
                         .shows_log = tg_args_has(args, "--log-view"),
                         .quiet = tg_args_has(args, "--quiet"),
                         .confined = tg_args_has(args, "--confined"),
                         .points = tg_args_value(args, "--points", 0)};
  return run_request(args, &given, argc, argv, exit_status);
}

tg_status cmd_run(int argc, char **argv, int *exit_status)
{
  tg_args args;
  TG_TRY(tg_args_parse(&spec, argc, argv, &args));
  if (args.help) return tg_cli_print_help(&spec);
  const char **sets = NULL;
  tg_status status = TG_NEW(argc, &sets);
  if (status == TG_OK) status = run_job(&args, argc, argv, sets, exit_status);
  tg_free((void *)sets);
  tg_args_fini(&args);
  return status;
}
