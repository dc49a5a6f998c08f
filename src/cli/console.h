// What the program says: errors, warnings and results, once, whatever the number of ranks.
#ifndef TG_CLI_CONSOLE_H
#define TG_CLI_CONSOLE_H

#include <stdio.h>

#include "base/errors.h"
#include "base/message.h"
#include "base/source.h"
#include "cli/args.h"

// Whether MPI is running, and my rank: 0 where it is not. Answered by the program: cli.c with MPI, front.c without.
bool tg_cli_has_mpi(void);
int tg_cli_rank(void);
// Prints the error record (tg_error_diagnose) on rank 0 to stderr.
void tg_cli_print_error(tg_status status, const tg_source *source);
// Each of them; sources[id - 1] is the text of an error with the source id.
void tg_cli_print_errors(const tg_errors *errors, const tg_source *sources);
// "tracegrad: warning: ..." on rank 0.
__attribute__((format(printf, 1, 2))) void tg_cli_warn(const char *format, ...);
// Shows a message on rank 0, in its place where source is not NULL.
void tg_cli_show(tg_message_kind kind, const tg_source *source, tg_span span, const char *message);
// The receiver of a library's warnings and notes about no text in particular: shows them on rank 0.
const tg_messages *tg_cli_messages(void);
// The text on rank 0; a full disk or a closed pipe is TG_IO.
tg_status tg_cli_print(FILE *stream, const tg_text *text);
// The help of a command when --help was given.
tg_status tg_cli_print_help(const tg_args_spec *spec);

#endif
