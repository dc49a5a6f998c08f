// The program around its subcommands: dispatch, MPI's life time, and how errors are shown.
#ifndef TG_CLI_CLI_H
#define TG_CLI_CLI_H

#include <stdio.h>

#include "base/source.h"
#include "cli/args.h"

#define TG_VERSION "0.1.0"

// The whole program; returns its exit status. The only caller is main.
int tg_cli_main(int argc, char **argv);

// Whether MPI is running, and my rank: 0 where it is not.
bool tg_cli_has_mpi(void);
int tg_cli_rank(void);
// Whether this process was started by an MPI launcher (mpirun, srun): then MPI is started for every subcommand,
// rank 0 alone works where one process is enough, and all ranks leave together with one exit status.
bool tg_cli_is_launched(void);

// The error record as text: located in `source` when the error carries a span and a source is given, else
// "tracegrad: error: message".
void tg_cli_diagnose(tg_status status, const tg_source *source, tg_text *out);
// Prints it on rank 0 to stderr.
void tg_cli_print_error(tg_status status, const tg_source *source);
// "tracegrad: warning: ..." on rank 0.
__attribute__((format(printf, 1, 2))) void tg_cli_warn(const char *format, ...);
// The same for each line of the text.
void tg_cli_print_warnings(const tg_text *lines);
// The text on rank 0; a full disk or a closed pipe is TG_IO.
tg_status tg_cli_print(FILE *stream, const tg_text *text);
// The help of a command when --help was given.
tg_status tg_cli_print_help(const tg_args_spec *spec);

// Subcommands. argv[0] is the command's name. A status other than TG_OK is printed by the caller and decides the exit
// status; otherwise *exit_status does (0 on entry).
#define TG_COMMAND(name, function, who, help) tg_status function(int argc, char **argv, int *exit_status);
#include "cli/commands.def"
#undef TG_COMMAND

#endif
