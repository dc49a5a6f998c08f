// tracegrad info: what this program would run on.
#include "cli/cli.h"
#include "engine/run/environment.h"
#include "job/job_echo.h"
#include "job/yaml.h"
#include "mpi/blas/self_test.h"
#include "mpi/matrix/grid.h"
#include "report/environment_report.h"
#include "report/json.h"

static const tg_option options[] = {
    {"--format", "FORMAT", false, "human (default) or json"},
    {"--keys", NULL, false, "print the tables of job file keys as Markdown and nothing else"},
};

static const tg_args_spec spec = {
    .command = "info",
    .operands = "",
    .summary = "Shows versions, ranks, threads, BLAS core and the process grid for square matrices.",
    .details = "Under mpirun or srun it speaks about all ranks: start it like the job that is to come.",
    .n_options = sizeof options / sizeof options[0],
    .options = options,
};

static tg_status print_facts(const tg_environment *e, double share, tg_text *out)
{
  static const char *const kinds[] = {"sequential", "pthreads", "OpenMP"};
  tg_text_addf(out, "tracegrad   %s\n", TG_VERSION);
  tg_text_addf(out, "MPI         %s\n", e->mpi_library);
  const int parallel = e->blas.loaded.parallel;
  tg_text_addf(out, "BLAS        %s, %s\n", e->blas.loaded.config[0] != '\0' ? e->blas.loaded.config : "unknown",
               parallel >= 0 && parallel <= 2 ? kinds[parallel] : "unknown threading");
  tg_text_addf(out, "CPU         %s\n", e->cpu);
  tg_environment_print_kernel(e, "BLAS core   ", out);
  if (share > 0)
    tg_text_addf(out, "BLAS speed  %.2f of the least that %s does at this clock (256 x 256, one core)\n", share,
                 tg_cpu_label(e->blas.cpu));
  tg_text_addf(out, "HDF5        %s\nlibfyaml    %s\njansson     %s\n", e->hdf5, tg_yaml_version(),
               jansson_version_str());
  tg_text_addf(out, "ranks       %d (at most %d a node)\n", e->ranks, e->ranks_here);
  tg_text_addf(out, "threads     %d a rank, on %d of %d cores\n", e->threads, e->cores_bound, e->cores_here);
  tg_text_add(out, "memory      ");
  tg_text_add_bytes_unit(out, tg_environment_memory_bytes());
  tg_text_add(out, " a node\n");
  tg_grid_choice choice = {0};
  TG_TRY(tg_grid_choose(e->ranks, 4096, 4096, &choice));
  tg_text_addf(out, "grid        %s\n", choice.reason);
  return TG_OK;
}

// The same facts.
static tg_status print_json(const tg_environment *e, double share, tg_text *out)
{
  tg_grid_choice choice = {0};
  TG_TRY(tg_grid_choose(e->ranks, 4096, 4096, &choice));
  json_t *facts =
      json_pack("{s:o, s:s, s:o, s:o, s:i, s:i, s:i, s:i, s:i, s:o, s:{s:i, s:i, s:I, s:s}}", "versions",
                tg_environment_versions(e), "cpu", e->cpu, "blas_kernel", tg_environment_blas_kernel(e),
                "blas_share_of_peak", share > 0 ? tg_json_number(share) : json_null(), "ranks", e->ranks,
                "ranks_per_node", e->ranks_here, "threads", e->threads, "cores_bound", e->cores_bound, "cores",
                e->cores_here, "memory_bytes", tg_json_number(tg_environment_memory_bytes()), "grid", "rows",
                choice.rows, "columns", choice.cols, "block", (json_int_t)choice.block, "reason", choice.reason);
  const tg_status status =
      facts != NULL ? tg_json_print(facts, out) : tg_error_set(TG_MEMORY, TG_HERE, "cannot build the facts as JSON");
  json_decref(facts);
  return status;
}

static tg_status show_environment(bool is_json, tg_text *text)
{
  tg_environment environment;
  TG_TRY(tg_environment_get(tg_cli_has_mpi() ? MPI_COMM_WORLD : MPI_COMM_NULL, &environment));
  const double share = tg_blas_share_of_peak();
  TG_TRY(is_json ? print_json(&environment, share, text) : print_facts(&environment, share, text));
  TG_TRY(tg_cli_print(stdout, text));
  tg_text_clear(text);
  tg_environment_print_warnings(&environment, text);
  tg_blas_kernel_advise(&environment.blas, text);
  tg_blas_advise_share(share, text);
  tg_message_lines(tg_cli_messages(), TG_MESSAGE_WARNING, text);
  return TG_OK;
}

tg_status cmd_info(int argc, char **argv, int *exit_status)
{
  (void)exit_status;
  tg_args args;
  TG_TRY(tg_args_parse(&spec, argc, argv, &args));
  if (args.help) return tg_cli_print_help(&spec);
  tg_text text;
  tg_text_init(&text);
  bool is_json = false;
  tg_status status = tg_args_json(&args, &is_json);
  if (status == TG_OK && tg_args_has(&args, "--keys")) {
    tg_job_print_keys(&text);
    status = tg_cli_print(stdout, &text);
  } else if (status == TG_OK) {
    status = show_environment(is_json, &text);
  }
  tg_text_fini(&text);
  tg_args_fini(&args);
  return status;
}
