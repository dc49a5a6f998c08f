// The program around its subcommands: dispatch and MPI's life time.
#ifndef TG_CLI_CLI_H
#define TG_CLI_CLI_H

#include "base/version.h"
#include "cli/console.h"

// The whole program; returns its exit status. The only caller is main.
int tg_cli_main(int argc, char **argv);

// Subcommands. argv[0] is the command's name. A status other than TG_OK is printed by the caller and decides the exit
// status; otherwise *exit_status does (0 on entry).
#define TG_COMMAND(name, function, who, help) tg_status function(int argc, char **argv, int *exit_status);
#include "cli/commands.def"
#undef TG_COMMAND

#endif
