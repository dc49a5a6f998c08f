// Command line arguments of a subcommand, from one table of options that parses, checks and prints its help.
#ifndef TG_CLI_ARGS_H
#define TG_CLI_ARGS_H

#include <stdbool.h>

#include "base/text.h"

typedef struct tg_option {
  const char *name;     // "--ranks"
  const char *argument; // "N", or NULL for a flag
  bool repeats;         // may be given more than once
  const char *help;
} tg_option;

typedef struct tg_args_spec {
  const char *command;  // "plan"
  const char *operands; // "JOB", "EXPR"; "" when there is none
  int n_operands;       // all are required
  bool repeats_operand; // there may be more of the last one
  const char *summary;  // one line
  const char *details;  // further paragraphs of the help, or NULL
  int n_options;
  const tg_option *options;
} tg_args_spec;

typedef struct tg_args_given {
  const tg_option *option;
  const char *value; // "" for a flag
} tg_args_given;

typedef struct tg_args {
  const tg_args_spec *spec;
  bool help; // --help was given: nothing else was checked
  int n_operands;
  const char **operands; // into argv
  int n_given;
  tg_args_given *given;
} tg_args;

// Reads argv[1 .. argc). TG_USAGE names the argument and, for a misspelt option, the nearest known one.
// Options are `--name value` or `--name=value`; `--` ends them; `-h` is `--help`. Local.
tg_status tg_args_parse(const tg_args_spec *spec, int argc, char **argv, tg_args *out);
void tg_args_fini(tg_args *args);

bool tg_args_has(const tg_args *args, const char *name);
// Value of the nth occurrence, NULL when there are fewer.
const char *tg_args_value(const tg_args *args, const char *name, int nth);
// All of them, in their order; their number. out has room for as many as there are arguments.
int tg_args_values(const tg_args *args, const char *name, const char **out);
// A whole number in [low, high]; *out is untouched when the option is absent.
tg_status tg_args_integer(const tg_args *args, const char *name, int64_t low, int64_t high, int64_t *out);

// Usage line, summary, options.
void tg_args_help(const tg_args_spec *spec, tg_text *out);

// Whether --format asks for JSON: human or json. TG_USAGE.
tg_status tg_args_json(const tg_args *args, bool *out);

#endif
