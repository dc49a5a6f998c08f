// What the program says: errors, warnings and results, once, whatever the number of ranks.
#ifndef TG_CLI_CONSOLE_H
#define TG_CLI_CONSOLE_H

#include <stdarg.h>
#include <stdio.h>

#include "base/source.h"
#include "cli/args.h"

// Whether MPI is running, and my rank: 0 where it is not. Answered by the program: cli.c with MPI, front.c without.
bool tg_cli_has_mpi(void);
int tg_cli_rank(void);
// The error record as text: located in `source` when the error carries a span and a source is given, else
// "tracegrad: error: message".
void tg_cli_diagnose(tg_status status, const tg_source *source, tg_text *out);
// Prints it on rank 0 to stderr.
void tg_cli_print_error(tg_status status, const tg_source *source);
// "tracegrad: warning: ..." on rank 0.
__attribute__((format(printf, 1, 2))) void tg_cli_warn(const char *format, ...);
// The same in its place in `source`; NULL: as above.
__attribute__((format(printf, 3, 0))) void tg_cli_warn_at(const tg_source *source, tg_span span, const char *format,
                                                          va_list arguments);
// tg_cli_warn for each line of the text.
void tg_cli_print_warnings(const tg_text *lines);
// "tracegrad: note: ..." on rank 0 for each line of the text.
void tg_cli_print_notes(const tg_text *lines);
// The text on rank 0; a full disk or a closed pipe is TG_IO.
tg_status tg_cli_print(FILE *stream, const tg_text *text);
// The help of a command when --help was given.
tg_status tg_cli_print_help(const tg_args_spec *spec);

#endif
