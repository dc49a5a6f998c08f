// Dispatch of subcommands and MPI's life time.
#include "cli/cli.h"

#include "cli/blas_choice.h"
#include "cli/blas_settle.h"
#include "cli/launch.h"
#include "cli/plot/matrix.h"
#include "cli/run/signals.h"

#include <malloc.h>
#include <mpi.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "mpi/matrix/grid.h"

typedef enum workers { WORKERS_ONE, WORKERS_RANKS, WORKERS_MPI, WORKERS_FILES } workers;

typedef struct command {
  const char *name;
  tg_status (*run)(int argc, char **argv, int *exit_status);
  workers who;
  const char *help;
} command;

static const command commands[] = {
#define TG_COMMAND(name, function, who, help) {name, function, WORKERS_##who, help},
#include "cli/commands.def"
#undef TG_COMMAND
};

enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

bool tg_cli_has_mpi(void)
{
  int begun = 0;
  int over = 0;
  MPI_Initialized(&begun);
  MPI_Finalized(&over);
  return begun && !over;
}

int tg_cli_rank(void)
{
  int rank = 0;
  if (tg_cli_has_mpi()) MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

static tg_status print_usage(FILE *stream)
{
  tg_text text;
  tg_text_init(&text);
  tg_text_add(&text,
              "usage: tracegrad COMMAND [ARGUMENT]...\n\n"
              "Write the objective as on paper; get its verified gradient; descend on a cluster.\n\ncommands:\n");
  for (int k = 0; k < N_COMMANDS; k++) tg_text_addf(&text, "  %-8s  %s\n", commands[k].name, commands[k].help);
  tg_text_add(&text, "\n  tracegrad COMMAND --help shows the options of a command; tracegrad --version the version.\n"
                     "  run and check are started under mpirun or srun for more than one rank.\n\n"
                     "exit status: 0 done; 1 failure while running; 2 invalid input; 3 stopped before convergence;\n"
                     "  4 objective unbounded below; 75 interrupted by a signal\n");
  const tg_status status = tg_cli_print(stream, &text);
  tg_text_fini(&text);
  return status;
}

static tg_status unknown_command(const char *name)
{
  const char *names[N_COMMANDS];
  for (int k = 0; k < N_COMMANDS; k++) names[k] = commands[k].name;
  const char *nearest = tg_nearest_word(name, names, N_COMMANDS);
  if (nearest != NULL) TG_FAIL(TG_USAGE, "unknown command '%s'; did you mean '%s'?", name, nearest);
  if (name[0] == '-') TG_FAIL(TG_USAGE, "unknown option '%s'; see tracegrad --help", name);
  TG_FAIL(TG_USAGE, "unknown command '%s'; see tracegrad --help", name);
}

// What the first argument names; *found is NULL for --help and --version, which are done here.
static tg_status choose(int argc, char **argv, const command **found)
{
  *found = NULL;
  if (argc < 2) TG_FAIL(TG_USAGE, "a command is missing; see tracegrad --help");
  const char *word = argv[1];
  if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) return print_usage(stdout);
  if (strcmp(word, "--version") == 0) {
    if (tg_cli_rank() == 0) printf("tracegrad %s\n", TG_VERSION);
    return TG_OK;
  }
  for (int k = 0; k < N_COMMANDS; k++)
    if (strcmp(word, commands[k].name) == 0) *found = &commands[k];
  return *found != NULL ? TG_OK : unknown_command(word);
}

// ---- ranks that agree on what they do ----

// Hash of a whole file; 0 where it cannot be read.
static uint64_t hash_file(const char *path)
{
  enum { PIECE = 1 << 16 };
  static unsigned char piece[PIECE];
  uint64_t hash = 0;
  FILE *file = fopen(path, "rb");
  if (file == NULL) return 0;
  for (size_t n = fread(piece, 1, PIECE, file); n > 0; n = fread(piece, 1, PIECE, file)) hash = XXH64(piece, n, hash);
  fclose(file);
  return hash;
}

// Ranks that do different things would wait for one another without end. Collective.
static tg_status agree_on_command(int argc, char **argv)
{
  static const char *const what[] = {"programs", "command lines"};
  uint64_t mine[2] = {hash_file("/proc/self/exe"), 0};
  for (int k = 1; k < argc; k++) mine[1] = XXH64(argv[k], strlen(argv[k]) + 1, mine[1]);
  uint64_t least[2];
  uint64_t most[2];
  MPI_Allreduce(mine, least, 2, MPI_UINT64_T, MPI_MIN, MPI_COMM_WORLD);
  MPI_Allreduce(mine, most, 2, MPI_UINT64_T, MPI_MAX, MPI_COMM_WORLD);
  for (int k = 0; k < 2; k++)
    if (least[k] != most[k])
      TG_FAIL(TG_USAGE, "the ranks were started with different %s: all of them need the same", what[k]);
  return TG_OK;
}

// begun: what this rank has come to before MPI was there.
static int run_command(int argc, char **argv, tg_status begun)
{
  const command *chosen = NULL;
  int exit_status = 0;
  tg_status status = tg_cli_has_mpi() ? tg_agree(MPI_COMM_WORLD, begun) : begun;
  if (status == TG_OK && tg_cli_has_mpi()) status = agree_on_command(argc, argv);
  if (status == TG_OK) status = choose(argc, argv, &chosen);
  // A command for one process, under a launcher: rank 0 does it, the others wait for its outcome.
  const bool mine =
      chosen == NULL || (chosen->who != WORKERS_ONE && chosen->who != WORKERS_FILES) || tg_cli_rank() == 0;
  if (status == TG_OK && chosen != NULL && mine) status = chosen->run(argc - 1, argv + 1, &exit_status);
  if (status != TG_OK) {
    tg_cli_print_error(status, NULL);
    exit_status = tg_status_exit(status);
  }
  return exit_status;
}

// Whether an argument that is no option names a matrix file: those are read by the engine.
static bool names_matrix(int argc, char **argv)
{
  for (int k = 2; k < argc; k++)
    if (argv[k][0] != '-' && tg_plot_is_matrix(argv[k])) return true;
  return false;
}

static bool wants_mpi(int argc, char **argv)
{
  if (tg_cli_is_launched()) return true;
  for (int k = 2; k < argc; k++)
    if (strcmp(argv[k], "--help") == 0) return false;
  for (int k = 0; k < N_COMMANDS; k++)
    if (argc > 2 && strcmp(argv[1], commands[k].name) == 0)
      return commands[k].who == WORKERS_MPI || (commands[k].who == WORKERS_FILES && names_matrix(argc, argv));
  return false;
}

// A failing MPI call names itself once and ends every rank: nothing after it can be trusted.
static void mpi_failed(MPI_Comm *comm, int *code, ...)
{
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(*code, text, &length);
  fprintf(stderr, "tracegrad: error: MPI failed on rank %d: %s\n", tg_cli_rank(), text);
  MPI_Abort(comm != NULL ? *comm : MPI_COMM_WORLD, 1);
}

static int start_mpi(int *argc, char ***argv)
{
  int provided = 0;
  tg_cli_prepare_mpi();
  if (MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS) {
    fprintf(stderr, "tracegrad: error: MPI does not start\n");
    return 1;
  }
  MPI_Errhandler handler = MPI_ERRHANDLER_NULL;
  MPI_Comm_create_errhandler(mpi_failed, &handler);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, handler);
  MPI_Errhandler_free(&handler);
  return 0;
}

// Matrices go back to the system when they are freed: the C library else raises this bound to the largest block freed,
// keeps what lies below it, and the memory of a run is no longer the sum of what lives.
static void return_freed_memory(void)
{
#ifdef M_MMAP_THRESHOLD
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
#endif
}

int tg_cli_main(int argc, char **argv)
{
  // A file beyond `ulimit -f` is a failing write like any other: with a message, and without a file left half done.
  signal(SIGXFSZ, SIG_IGN);
  return_freed_memory();
  // A signal that comes while the program begins again is kept for the run.
  const bool is_run = argc > 1 && strcmp(argv[1], "run") == 0;
  if (is_run) tg_signals_block();
  const tg_status begun = tg_blas_choice_matters(argc, argv) ? tg_blas_settle(argv) : TG_OK;
  // A run defers signals from its very start: MPI takes a while to begin, and so do data.
  if (is_run) tg_signals_watch();
  const bool with_mpi = wants_mpi(argc, argv);
  if (with_mpi && start_mpi(&argc, &argv) != 0) return 1;
  int exit_status = run_command(argc, argv, begun);
  fflush(stdout);
  fflush(stderr);
  if (with_mpi) {
    // Nobody leaves with an error before rank 0 has said which: the launcher kills the rest at once.
    MPI_Allreduce(MPI_IN_PLACE, &exit_status, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    MPI_Finalize();
  }
  return exit_status;
}
