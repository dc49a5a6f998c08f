// Command line arguments from a table.
#include "cli/args.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { OPTIONS_MAX = 64 };

static const tg_option *find_option(const tg_args_spec *spec, const char *name, size_t length)
{
  for (int k = 0; k < spec->n_options; k++)
    if (strlen(spec->options[k].name) == length && memcmp(spec->options[k].name, name, length) == 0)
      return &spec->options[k];
  return NULL;
}

static tg_status unknown_option(const tg_args_spec *spec, const char *name, size_t length)
{
  const char *names[OPTIONS_MAX] = {"--help"};
  size_t count = 1;
  for (int k = 0; k < spec->n_options && count < OPTIONS_MAX; k++) names[count++] = spec->options[k].name;
  char word[64] = {0};
  memcpy(word, name, length < sizeof word ? length : sizeof word - 1);
  const char *nearest = tg_nearest_word(word, names, count);
  if (nearest != NULL) TG_FAIL(TG_USAGE, "%s: unknown option '%s'; did you mean '%s'?", spec->command, word, nearest);
  TG_FAIL(TG_USAGE, "%s: unknown option '%s'; see tracegrad %s --help", spec->command, word, spec->command);
}

// One option at argv[*at]; *at moves over its value.
static tg_status parse_option(tg_args *args, int argc, char **argv, int *at)
{
  const tg_args_spec *spec = args->spec;
  const char *word = argv[*at];
  const char *equals = strchr(word, '=');
  const size_t length = equals != NULL ? (size_t)(equals - word) : strlen(word);
  const tg_option *option = find_option(spec, word, length);
  if (option == NULL) return unknown_option(spec, word, length);
  if (!option->repeats && tg_args_has(args, option->name))
    TG_FAIL(TG_USAGE, "%s: %s is given twice", spec->command, option->name);
  const char *value = "";
  if (option->argument == NULL && equals != NULL)
    TG_FAIL(TG_USAGE, "%s: %s takes no value, found '%s'", spec->command, option->name, equals + 1);
  if (option->argument != NULL) {
    if (equals == NULL && *at + 1 >= argc)
      TG_FAIL(TG_USAGE, "%s: %s needs a value: %s %s", spec->command, option->name, option->name, option->argument);
    value = equals != NULL ? equals + 1 : argv[++*at];
  }
  args->given[args->n_given++] = (tg_args_given){.option = option, .value = value};
  return TG_OK;
}

static bool asks_help(int argc, char **argv)
{
  for (int k = 1; k < argc && strcmp(argv[k], "--") != 0; k++)
    if (strcmp(argv[k], "--help") == 0 || strcmp(argv[k], "-h") == 0) return true;
  return false;
}

static tg_status check_operands(const tg_args *args)
{
  const tg_args_spec *spec = args->spec;
  if (args->n_operands < spec->n_operands)
    TG_FAIL(TG_USAGE, "%s: %s is missing; usage: tracegrad %s %s", spec->command, spec->operands, spec->command,
            spec->operands);
  if (args->n_operands > spec->n_operands && !spec->repeats_operand)
    TG_FAIL(TG_USAGE, "%s: unexpected argument '%s'; usage: tracegrad %s %s", spec->command,
            args->operands[spec->n_operands], spec->command, spec->operands);
  return TG_OK;
}

// An operand may begin with '-' when it is an expression: "-tr(A)". Options begin with two dashes.
static bool is_option(const char *word)
{
  return word[0] == '-' && word[1] == '-' && word[2] != '\0' && strchr("-+(.0123456789 ", word[2]) == NULL;
}

tg_status tg_args_parse(const tg_args_spec *spec, int argc, char **argv, tg_args *out)
{
  *out = (tg_args){.spec = spec, .help = asks_help(argc, argv)};
  if (out->help) return TG_OK;
  tg_status status = TG_OK;
  TG_TRY_GOTO(TG_NEW(argc, &out->operands));
  TG_TRY_GOTO(TG_NEW(argc, &out->given));
  bool options_over = false;
  for (int k = 1; k < argc; k++) {
    if (!options_over && strcmp(argv[k], "--") == 0)
      options_over = true;
    else if (!options_over && is_option(argv[k]))
      TG_TRY_GOTO(parse_option(out, argc, argv, &k));
    else
      out->operands[out->n_operands++] = argv[k];
  }
  TG_TRY_GOTO(check_operands(out));
done:
  if (status != TG_OK) tg_args_fini(out);
  return status;
}

void tg_args_fini(tg_args *args)
{
  tg_free((void *)args->operands);
  tg_free(args->given);
  args->operands = NULL;
  args->given = NULL;
  args->n_given = args->n_operands = 0;
}

const char *tg_args_value(const tg_args *args, const char *name, int nth)
{
  for (int k = 0; k < args->n_given; k++)
    if (strcmp(args->given[k].option->name, name) == 0 && nth-- == 0) return args->given[k].value;
  return NULL;
}

bool tg_args_has(const tg_args *args, const char *name)
{
  return tg_args_value(args, name, 0) != NULL;
}

int tg_args_values(const tg_args *args, const char *name, const char **out)
{
  int n = 0;
  for (const char *value = NULL; (value = tg_args_value(args, name, n)) != NULL; n++) out[n] = value;
  return n;
}

tg_status tg_args_integer(const tg_args *args, const char *name, int64_t low, int64_t high, int64_t *out)
{
  const char *text = tg_args_value(args, name, 0);
  if (text == NULL) return TG_OK;
  char *end = NULL;
  errno = 0;
  const long long value = strtoll(text, &end, 10);
  if (end == text || *end != '\0' || errno != 0 || value < low || value > high)
    TG_FAIL(TG_USAGE, "%s: %s takes a whole number from %" PRId64 " to %" PRId64 ", found '%s'", args->spec->command,
            name, low, high, text);
  *out = value;
  return TG_OK;
}

static void add_option_line(tg_text *out, const char *name, const char *argument, const char *help)
{
  tg_text left;
  tg_text_init(&left);
  tg_text_addf(&left, "%s%s%s", name, argument != NULL ? " " : "", argument != NULL ? argument : "");
  tg_text_addf(out, "  %-26s  %s\n", tg_text_string(&left), help);
  tg_text_fini(&left);
}

void tg_args_help(const tg_args_spec *spec, tg_text *out)
{
  tg_text_addf(out, "usage: tracegrad %s%s%s%s%s\n\n%s\n", spec->command, spec->operands[0] != '\0' ? " " : "",
               spec->operands, spec->repeats_operand ? "..." : "", spec->n_options > 0 ? " [OPTION]..." : "",
               spec->summary);
  if (spec->details != NULL) tg_text_addf(out, "\n%s\n", spec->details);
  tg_text_add(out, "\noptions:\n");
  for (int k = 0; k < spec->n_options; k++)
    add_option_line(out, spec->options[k].name, spec->options[k].argument, spec->options[k].help);
  add_option_line(out, "--help", NULL, "this text");
}

tg_status tg_args_json(const tg_args *args, bool *out)
{
  const char *format = tg_args_value(args, "--format", 0);
  *out = format != NULL && strcmp(format, "json") == 0;
  if (format == NULL || *out || strcmp(format, "human") == 0) return TG_OK;
  TG_FAIL(TG_USAGE, "%s: --format is human or json, found '%s'", args->spec->command, format);
}
