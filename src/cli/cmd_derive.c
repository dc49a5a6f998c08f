// tracegrad derive: the gradient of an expression, from the command line.
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "derive/claim.h"
#include "derive/print.h"

static const tg_option options[] = {
    {"--wrt", "X", true, "differentiate by X; several by commas or repetition; X' for its transpose"},
    {"--dims", "A=3x4,...", true, "sizes; without them they are inferred and named m, n, p, ..."},
    {"--symmetric", "A,B", true, "names of symmetric matrices"},
    {"--spd", "S", true, "names of symmetric positive definite matrices"},
    {"--psd", "L", true, "names of symmetric positive semidefinite matrices"},
    {"--positive", "c,w", true, "names whose entries are positive, for convexity"},
    {"--diagonal", "D", true, "names of diagonal matrices"},
    {"--orthogonal", "Q", true, "names of matrices with Q'*Q = eye"},
    {"--within", "SET", false, "the gradient inside symmetric, diagonal, skew or lower (triangular) matrices"},
    {"--define", "R=EXPR", true, "a part that EXPR and the claims use by its name"},
    {"--steps", NULL, false, "show the derivation, each line with the rule it uses"},
    {"--hessian", NULL, false, "also the Hessian action H[V] along V"},
    {"--claim", "EXPR", true, "compare a derivative of your own with the derived one; one for each name in --wrt"},
    {"--format", "FORMAT", false, "human (default), expr, latex, numpy, octave, json"},
    {"--function", NULL, false, "a program instead: numpy, jax, pytorch, octave, matlab, julia, c or fortran"},
};

static const tg_args_spec spec = {
    .command = "derive",
    .operands = "EXPR",
    .n_operands = 1,
    .summary = "Prints the gradient of a scalar expression, or the Jacobian of a matrix expression.",
    .details =
        "The gradient G of f has the shape of X, with f(X+H) = f(X) + <G,H> + o(|H|). The entries of X are\n"
        "independent, also where X is declared symmetric. Of several names the others are held, as declared.\n"
        "With --within SET H stays in the set, and G is the one gradient that lies in it.\n"
        "The Jacobian is d vec(F) / d vec(X)', column-major.\n"
        "--format expr prints one line in the input language for each name.\n"
        "--function prints a complete function of value and gradient, and with --hessian one of H[V], with the fewest\n"
        "products; sizes that are open are those of its arguments.\n"
        "Exit status: 0; 1 for a claim that is wrong; 2 for invalid input; 3 for a claim that is undecided.",
    .n_options = sizeof options / sizeof options[0],
    .options = options,
};

static const tg_derive_words words = {.command = "derive: ", .dash = "--"};

static tg_status read_format(const tg_args *args, tg_derive_format *out)
{
  const char *names[TG_DERIVE_FORMATS];
  const char *name = tg_args_value(args, "--format", 0);
  *out = TG_DERIVE_HUMAN;
  if (name == NULL) return TG_OK;
  for (int k = 0; k < TG_DERIVE_FORMATS; k++) {
    names[k] = tg_derive_format_name((tg_derive_format)k);
    if (strcmp(name, names[k]) != 0) continue;
    *out = (tg_derive_format)k;
    return TG_OK;
  }
  const char *nearest = tg_nearest_word(name, names, TG_DERIVE_FORMATS);
  if (nearest != NULL) TG_FAIL(TG_USAGE, "derive: unknown format '%s'; did you mean '%s'?", name, nearest);
  TG_FAIL(
      TG_USAGE,
      "derive: unknown format '%s'; one of human, expr, latex, numpy, octave, json, or with --function julia, matlab, "
      "pytorch, jax, c, fortran",
      name);
}

static tg_status set_option(const tg_args *args, const char *option, tg_derivation *d)
{
  const char *text = NULL;
  for (int k = 0; (text = tg_args_value(args, option, k)) != NULL; k++)
    TG_TRY(tg_derivation_set(d, option + strlen(words.dash), text));
  return TG_OK;
}

// What is declared comes before what is differentiated by: symbols are shown in the order of their declarations.
static tg_status set_options(const tg_args *args, tg_derivation *d)
{
  static const char *const names[] = {"--dims",       "--symmetric", "--spd",    "--psd", "--positive", "--diagonal",
                                      "--orthogonal", "--define",    "--within", "--wrt", "--hessian",  "--steps"};
  for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) TG_TRY(set_option(args, names[k], d));
  return TG_OK;
}

// One claim for each name, in their order. The exit status: a wrong one goes before one that is undecided.
static tg_status check_claims(const tg_args *args, tg_derivation *d, int *exit_status, tg_text *out)
{
  static const int exits[] = {[TG_VERDICT_EQUAL] = 0, [TG_VERDICT_DIFFERENT] = 1, [TG_VERDICT_UNDECIDED] = 3};
  int32_t n = 0;
  while (tg_args_value(args, "--claim", n) != NULL) n++;
  if (n != d->n_targets)
    TG_FAIL(TG_USAGE, "derive: --claim is given %d times, --wrt names %d: one claim for each name, in their order", n,
            d->n_targets);
  for (int32_t k = 0; k < n; k++) {
    tg_claim_verdict verdict = TG_VERDICT_UNDECIDED;
    TG_TRY(tg_claim_check(d, k, tg_args_value(args, "--claim", k), &verdict, out));
    if (*exit_status != 1 && exits[verdict] != 0) *exit_status = exits[verdict];
  }
  return tg_errors_raise(&d->errors);
}

// With --claim the comparison is the result; else the derivation.
static tg_status answer(const tg_args *args, tg_derivation *d, const tg_derive_view *view, int *exit_status)
{
  tg_text text;
  tg_text_init(&text);
  tg_status status =
      tg_args_has(args, "--claim") ? check_claims(args, d, exit_status, &text) : tg_derivation_print(d, view, &text);
  if (status == TG_OK) status = tg_cli_print(stdout, &text);
  tg_text_fini(&text);
  return status;
}

static tg_status derive(const tg_args *args, tg_derivation *d, tg_derive_view *view, int *exit_status)
{
  TG_TRY(tg_derivation_keep(d, 0, read_format(args, &view->format)));
  view->function = tg_args_has(args, "--function");
  TG_TRY(set_options(args, d));
  TG_TRY(tg_derivation_read(d, args->operands[0]));
  TG_TRY(tg_errors_raise(&d->errors));
  if (!tg_args_has(args, "--claim")) tg_derivation_warn_of_unused(d);
  TG_TRY(tg_derivation_derive(d));
  return answer(args, d, view, exit_status);
}

// On standard error as text; a program that asked for JSON gets them there too.
static tg_status show_failure(tg_derivation *d, tg_derive_format format, tg_status status)
{
  if (d->errors.count == 0 && tg_errors_take(&d->errors, status) != TG_OK) {
    tg_cli_print_error(status, NULL);
    return TG_OK;
  }
  tg_cli_print_errors(&d->errors, d->sources);
  if (format != TG_DERIVE_JSON) return TG_OK;
  tg_text text;
  tg_text_init(&text);
  tg_status shown = tg_derivation_print_json_errors(d, &text);
  if (shown == TG_OK) shown = tg_cli_print(stdout, &text);
  tg_text_fini(&text);
  return shown;
}

static bool terminal_takes_utf8(void)
{
  setlocale(LC_CTYPE, "");
  return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static tg_status derive_from(const tg_args *args, int *exit_status)
{
  tg_derivation *d = NULL;
  tg_derive_view view = {.utf8 = terminal_takes_utf8()};
  TG_TRY(tg_derivation_create(&words, tg_cli_messages(), &d));
  tg_status status = derive(args, d, &view, exit_status);
  if (status != TG_OK) {
    *exit_status = tg_status_exit(status);
    status = show_failure(d, view.format, status);
    if (status != TG_OK) tg_cli_print_error(status, NULL);
  }
  tg_derivation_destroy(&d);
  return TG_OK;
}

tg_status cmd_derive(int argc, char **argv, int *exit_status)
{
  tg_args args;
  TG_TRY(tg_args_parse(&spec, argc, argv, &args));
  const tg_status status = args.help ? tg_cli_print_help(&spec) : derive_from(&args, exit_status);
  tg_args_fini(&args);
  return status;
}
