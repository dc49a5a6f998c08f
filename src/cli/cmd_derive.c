// tracegrad derive: the gradient of an expression, from the command line.
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "cli/derive/derive.h"
#include "grad/text/names.h"

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
    {"--steps", NULL, false, "show the derivation, each line with the rule it uses"},
    {"--hessian", NULL, false, "also the Hessian action H[V] along V"},
    {"--claim", "EXPR", true, "compare a derivative of your own with the derived one; one for each name in --wrt"},
    {"--format", "FORMAT", false, "human (default), expr, latex, numpy, octave, json"},
};

static const tg_args_spec spec = {
    .command = "derive",
    .operands = "EXPR",
    .n_operands = 1,
    .summary = "Prints the gradient of a scalar expression, or the Jacobian of a matrix expression.",
    .details =
        "The gradient G of f has the shape of X, with f(X+H) = f(X) + <G,H> + o(|H|), entries independent, also\n"
        "where X is declared symmetric; of several names the others are held, as declared. With --within SET H stays "
        "in\n"
        "the set, and G is the one gradient that lies in it.\n"
        "The Jacobian is d vec(F) / d vec(X)', column-major.\n"
        "--format expr prints one line in the input language for each name.\n"
        "Exit status: 0; 1 for a claim that is wrong; 2 for invalid input; 3 for a claim that is undecided.",
    .n_options = sizeof options / sizeof options[0],
    .options = options,
};

// A text of the command line in which an error may lie: its id; 0, which has no place, where there are too many.
static int32_t add_source(derivation *d, const char *name, const char *text)
{
  if (d->n_sources == DERIVE_SOURCES_MAX) return 0;
  d->sources[d->n_sources] = (tg_source){.name = name, .text = text, .length = strlen(text), .id = d->n_sources + 1};
  return ++d->n_sources;
}

// A failure is kept, and the rest looked at.
static tg_status keep(derivation *d, int32_t source, tg_status status)
{
  return tg_errors_take(&d->errors, source > 0 ? tg_error_within(source, status) : status);
}

static tg_status read_format(const tg_args *args, derive_format *out)
{
  static const char *const names[] = {"human", "expr", "latex", "numpy", "octave", "json"};
  const char *name = tg_args_value(args, "--format", 0);
  *out = DERIVE_HUMAN;
  if (name == NULL) return TG_OK;
  for (int k = 0; k < 6; k++) {
    if (strcmp(name, names[k]) != 0) continue;
    *out = (derive_format)k;
    return TG_OK;
  }
  const char *nearest = tg_nearest_word(name, names, 6);
  if (nearest != NULL) TG_FAIL(TG_USAGE, "derive: unknown format '%s'; did you mean '%s'?", name, nearest);
  TG_FAIL(TG_USAGE, "derive: unknown format '%s'; one of human, expr, latex, numpy, octave, json", name);
}

// X, or X' for its transpose.
static tg_status read_target(const char *word, size_t length, derive_declarations *declarations, derivation *d)
{
  const char *name = NULL;
  while (length > 0 && *word == ' ') word++, length--;
  while (length > 0 && word[length - 1] == ' ') length--;
  const bool transposed = length > 1 && word[length - 1] == '\'';
  char canonical[TG_NAME_BYTES_MAX + 1];
  TG_TRY(tg_arena_string(&declarations->arena, word, transposed ? length - 1 : length, &name));
  if (tg_name_canonical(name, canonical))
    TG_TRY(tg_arena_string(&declarations->arena, canonical, strlen(canonical), &name));
  if (!tg_name_is_valid(name) || tg_name_is_reserved(name))
    TG_FAIL(TG_USAGE, "derive: --wrt expects a name, found '%.*s'", (int)length, word);
  if (d->n_targets == DERIVE_TARGETS_MAX) TG_FAIL(TG_LIMIT, "derive: --wrt takes at most %d names", DERIVE_TARGETS_MAX);
  for (int32_t k = 0; k < d->n_targets; k++)
    if (strcmp(d->targets[k].name, name) == 0) TG_FAIL(TG_USAGE, "derive: '%s' is given twice in --wrt", name);
  tg_declaration *declaration = derive_declare(declarations, name);
  if (declaration == NULL) TG_FAIL(TG_LIMIT, "derive: more than %d names are declared", DERIVE_NAMES_MAX);
  declaration->is_free = true;
  if (d->within != NULL) declaration->properties |= d->within->property;
  d->targets[d->n_targets++] = (derive_target){.name = name, .transposed = transposed};
  return TG_OK;
}

static tg_status read_within(const tg_args *args, derivation *d)
{
  const char *name = tg_args_value(args, "--within", 0);
  return name != NULL ? derive_within_find(name, &d->within) : TG_OK;
}

static tg_status read_targets(const tg_args *args, derive_declarations *declarations, derivation *d)
{
  const char *list = NULL;
  for (int k = 0; (list = tg_args_value(args, "--wrt", k)) != NULL; k++) {
    while (true) {
      const size_t length = strcspn(list, ",");
      TG_TRY(keep(d, 0, read_target(list, length, declarations, d)));
      if (list[length] == '\0') break;
      list += length + 1;
    }
  }
  if (tg_args_value(args, "--wrt", 0) != NULL) return TG_OK;
  TG_FAIL(TG_USAGE, "derive: --wrt NAME is missing: the name to differentiate by");
}

// Sizes and properties; an error is shown inside the option's own text.
static tg_status read_declarations(const tg_args *args, derive_declarations *out, derivation *d)
{
  static const struct {
    const char *option;
    unsigned property;
  } lists[] = {{"--symmetric", TG_SYMMETRIC}, {"--spd", TG_SPD},           {"--psd", TG_PSD},
               {"--positive", TG_POSITIVE},   {"--diagonal", TG_DIAGONAL}, {"--orthogonal", TG_ORTHOGONAL}};
  const char *text = NULL;
  for (int k = 0; (text = tg_args_value(args, "--dims", k)) != NULL; k++) {
    const int32_t source = add_source(d, "--dims", text);
    TG_TRY(keep(d, source, derive_read_dims(text, out)));
  }
  for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
    for (int k = 0; (text = tg_args_value(args, lists[i].option, k)) != NULL; k++) {
      const int32_t source = add_source(d, lists[i].option, text);
      TG_TRY(keep(d, source, derive_read_names(text, lists[i].option, lists[i].property, out)));
    }
  return TG_OK;
}

// The shape that a property needs, by its own name; sizes without numbers are left to the expression.
static tg_status check_square(const tg_declaration *declared)
{
  static const struct {
    unsigned property;
    const char *name;
  } rows[] = {{TG_SPD, "positive definite"},
              {TG_PSD, "positive semidefinite"},
              {TG_DIAGONAL, "diagonal"},
              {TG_SYMMETRIC, "symmetric"}};
  if (declared->rows == 0 || declared->cols == 0 || declared->rows == declared->cols) return TG_OK;
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
    if ((declared->properties & rows[k].property) != 0)
      TG_FAIL(TG_USAGE, "derive: '%s' is declared %s but is not square: %lld x %lld", declared->name, rows[k].name,
              (long long)declared->rows, (long long)declared->cols);
  return TG_OK;
}

// A property that is refused is dropped, so that the expression is not refused for it again.
static tg_status check_declarations(derive_declarations *declarations, derivation *d)
{
  for (int32_t i = 0; i < declarations->count; i++) {
    const tg_status status = check_square(&declarations->list[i]);
    if (status != TG_OK) declarations->list[i].properties = 0;
    TG_TRY(keep(d, 0, status));
  }
  return TG_OK;
}

// *good: the expression has a meaning; where it has none, why not is kept.
static tg_status compile(derivation *d, const derive_declarations *declarations, bool *good)
{
  tg_text notices;
  tg_text_init(&notices);
  const tg_compile_options compile_options = {.n_declarations = declarations->count,
                                              .declarations = declarations->list,
                                              .infer_undeclared = true,
                                              .errors = &d->errors,
                                              .notices = &notices};
  const int32_t source = add_source(d, "expression", d->expression);
  const int kept = d->errors.count;
  const tg_status status = tg_compile(d->graph, d->expression, strlen(d->expression), &compile_options, &d->f);
  for (int k = kept; k < d->errors.count; k++) d->errors.items[k].source = source;
  *good = status == TG_OK;
  if (status == TG_OK) tg_message_lines(tg_cli_messages(), TG_MESSAGE_NOTE, &notices);
  tg_text_fini(&notices);
  if (!*good) return keep(d, source, status);
  d->scalar = tg_node_is_scalar(d->graph, d->f);
  return TG_OK;
}

// Q'*Q = I: no more columns than rows.
static tg_status check_orthogonal(const derivation *d)
{
  for (int32_t s = 0; s < tg_symbol_count(d->graph); s++) {
    const tg_symbol *symbol = tg_symbol_info(d->graph, s);
    const int64_t rows = tg_dim_value(d->graph, symbol->rows);
    const int64_t cols = tg_dim_value(d->graph, symbol->cols);
    if ((symbol->properties & TG_ORTHOGONAL) != 0 && rows >= 0 && cols > rows)
      TG_FAIL(TG_USAGE,
              "derive: '%s' is declared orthogonal, %s'*%s = eye, which needs at least as many rows as columns; it is "
              "%lld x %lld",
              symbol->name, symbol->name, symbol->name, (long long)rows, (long long)cols);
  }
  return TG_OK;
}

// A name that does not occur is most often misspelt; one that was declared with a size is meant, and gives zero.
static tg_status find_target(derivation *d, const derive_declarations *declarations, derive_target *target)
{
  target->symbol = tg_symbol_find(d->graph, target->name);
  if (target->symbol >= 0) return TG_OK;
  for (int32_t i = 0; i < declarations->count; i++) {
    const tg_declaration *declared = &declarations->list[i];
    if (strcmp(declared->name, target->name) != 0 || declared->rows == 0 || declared->cols == 0) continue;
    tg_dim rows = 0;
    tg_dim cols = 0;
    TG_TRY(tg_dim_number(d->graph, declared->rows, &rows));
    TG_TRY(tg_dim_number(d->graph, declared->cols, &cols));
    return tg_symbol_add(d->graph, target->name, rows, cols, 0, true, &target->symbol);
  }
  const char *names[DERIVE_NAMES_MAX];
  size_t count = 0;
  for (int32_t s = 0; s < tg_symbol_count(d->graph) && s < DERIVE_NAMES_MAX; s++)
    names[count++] = tg_symbol_info(d->graph, s)->name;
  const char *nearest = tg_nearest_word(target->name, names, count);
  if (nearest != NULL)
    TG_FAIL(TG_NAME, "'%s' does not occur in the expression; did you mean '%s'?", target->name, nearest);
  TG_FAIL(TG_NAME, "'%s' does not occur in the expression; give its size with --dims if a zero gradient is meant",
          target->name);
}

// A size or property of a name that does not occur is most often a slip, but no reason to refuse: one list of sizes may
// serve several expressions, and a claim may bring the name.
static void warn_of_unused(const derivation *d, const derive_declarations *declarations)
{
  for (int32_t i = 0; i < declarations->count; i++)
    if (tg_symbol_find(d->graph, declarations->list[i].name) < 0)
      tg_cli_warn("'%s' is declared, but does not occur in the expression", declarations->list[i].name);
}

// Directions V of the Hessian action: V for one name, V_X for several; never a name in use.
static tg_status add_directions(derivation *d, derive_declarations *declarations, tg_node *directions)
{
  for (int32_t k = 0; k < d->n_targets; k++) {
    const tg_symbol symbol = *tg_symbol_info(d->graph, d->targets[k].symbol);
    tg_text name;
    int32_t direction = -1;
    tg_text_init(&name);
    tg_text_add(&name, "V");
    if (d->n_targets > 1) tg_text_addf(&name, "_%s", symbol.name);
    while (tg_symbol_find(d->graph, tg_text_string(&name)) >= 0) tg_text_add(&name, "_");
    tg_status status =
        tg_arena_string(&declarations->arena, tg_text_string(&name), name.length, &d->targets[k].direction);
    tg_text_fini(&name);
    TG_TRY(status);
    const unsigned properties = d->within != NULL ? d->within->property : 0;
    TG_TRY(tg_symbol_add(d->graph, d->targets[k].direction, symbol.rows, symbol.cols, properties, true, &direction));
    TG_TRY(tg_make_sym(d->graph, direction, &directions[k]));
  }
  return TG_OK;
}

// The presented form: common factors taken out where that makes it shorter to write.
static tg_status present(derivation *d, const derive_target *target, tg_node *node)
{
  if (d->within != NULL) TG_TRY(derive_within_project(d, target, node));
  TG_TRY(tg_factor_common(d->graph, *node, node));
  if (target->transposed && d->scalar) return tg_make_trans(d->graph, *node, node);
  return TG_OK;
}

// While one name varies the others are what they were declared: A' = A of a symmetric one.
static tg_status hold_others(derivation *d, int32_t k, tg_node *node)
{
  int32_t symbols[DERIVE_TARGETS_MAX];
  tg_node constants[DERIVE_TARGETS_MAX];
  int32_t n = 0;
  for (int32_t i = 0; i < d->n_targets; i++) {
    int32_t held = -1;
    if (i == k || tg_symbol_info(d->graph, d->targets[i].symbol)->properties == 0) continue;
    symbols[n] = d->targets[i].symbol;
    TG_TRY(tg_symbol_hold(d->graph, symbols[n], &held));
    TG_TRY(tg_make_sym(d->graph, held, &constants[n++]));
  }
  return n > 0 ? tg_substitute(d->graph, *node, n, symbols, constants, node) : TG_OK;
}

static tg_status differentiate(derivation *d)
{
  for (int32_t k = 0; k < d->n_targets; k++) {
    derive_target *target = &d->targets[k];
    target->f = d->f;
    TG_TRY(hold_others(d, k, &target->f));
    if (d->scalar) TG_TRY(tg_gradient(d->graph, target->f, 1, &target->symbol, &target->derivative));
    if (!d->scalar) TG_TRY(tg_jacobian(d->graph, target->f, target->symbol, &target->derivative));
    if (!d->scalar && target->transposed) {
      // vec(X) = K(n,m) vec(X') for X m x n, so d vec(F)/d vec(X')' = J K(n,m).
      const tg_symbol *symbol = tg_symbol_info(d->graph, target->symbol);
      tg_node commutation = TG_NONE;
      TG_TRY(tg_make_comm(d->graph, symbol->cols, symbol->rows, &commutation));
      TG_TRY(tg_make_mul(d->graph, target->derivative, commutation, &target->derivative));
    }
    TG_TRY(present(d, target, &target->derivative));
  }
  return TG_OK;
}

static tg_status second_order(derivation *d, derive_declarations *declarations)
{
  int32_t symbols[DERIVE_TARGETS_MAX];
  tg_node directions[DERIVE_TARGETS_MAX];
  for (int32_t k = 0; k < d->n_targets; k++) symbols[k] = d->targets[k].symbol;
  TG_TRY(add_directions(d, declarations, directions));
  for (int32_t k = 0; k < d->n_targets; k++) {
    tg_node *hessian = &d->targets[k].hessian;
    TG_TRY(tg_gradient(d->graph, d->f, 1, &symbols[k], hessian));
    TG_TRY(tg_forward(d->graph, *hessian, d->n_targets, symbols, directions, hessian));
    TG_TRY(hold_others(d, k, hessian));
    TG_TRY(present(d, &d->targets[k], hessian));
  }
  return TG_OK;
}

// One claim for each name, in their order. The exit status: a wrong one goes before one that is undecided.
static tg_status check_claims(const tg_args *args, const derive_declarations *declarations, derivation *d,
                              int *exit_status, tg_text *out)
{
  static const int exits[] = {[DERIVE_EQUAL] = 0, [DERIVE_DIFFERENT] = 1, [DERIVE_UNDECIDED] = 3};
  int32_t n = 0;
  while (tg_args_value(args, "--claim", n) != NULL) n++;
  if (n != d->n_targets)
    TG_FAIL(TG_USAGE, "derive: --claim is given %d times, --wrt names %d: one claim for each name, in their order", n,
            d->n_targets);
  for (int32_t k = 0; k < n; k++) {
    const char *claim = tg_args_value(args, "--claim", k);
    derive_verdict verdict = DERIVE_UNDECIDED;
    const int32_t source = add_source(d, "claim", claim);
    TG_TRY(keep(d, source, derive_check_claim(d, declarations, k, claim, &verdict, out)));
    if (*exit_status != 1 && exits[verdict] != 0) *exit_status = exits[verdict];
  }
  return tg_errors_raise(&d->errors);
}

// With --claim the comparison is the result; else the derivation.
static tg_status answer(const tg_args *args, const derive_declarations *declarations, derivation *d,
                        derive_format format, int *exit_status)
{
  tg_text text;
  tg_text_init(&text);
  tg_status status = tg_args_value(args, "--claim", 0) != NULL ? check_claims(args, declarations, d, exit_status, &text)
                                                               : derive_print(d, format, &text);
  if (status == TG_OK) status = tg_cli_print(stdout, &text);
  tg_text_fini(&text);
  return status;
}

// Options, sizes and the expression: what is wrong with each is kept, so that all of it can be said at once.
static tg_status read_all(const tg_args *args, derivation *d, derive_declarations *declarations, derive_format *format)
{
  bool good = false;
  TG_TRY(keep(d, 0, read_format(args, format)));
  TG_TRY(read_declarations(args, declarations, d));
  TG_TRY(check_declarations(declarations, d));
  TG_TRY(keep(d, 0, read_within(args, d)));
  TG_TRY(keep(d, 0, read_targets(args, declarations, d)));
  d->expression = args->operands[0];
  d->steps = tg_args_has(args, "--steps");
  TG_TRY(tg_graph_create(&d->graph));
  TG_TRY(compile(d, declarations, &good));
  if (!good) return TG_OK;
  TG_TRY(keep(d, 0, check_orthogonal(d)));
  for (int32_t k = 0; k < d->n_targets; k++) {
    derive_target *target = &d->targets[k];
    const tg_status status = find_target(d, declarations, target);
    TG_TRY(keep(d, 0, status == TG_OK && d->within != NULL ? derive_within_check(d, target) : status));
  }
  if (tg_args_has(args, "--hessian") && !d->scalar)
    return keep(d, 0, tg_error_set(TG_USAGE, TG_HERE, "derive: --hessian needs a scalar expression"));
  return TG_OK;
}

static tg_status derive(const tg_args *args, derivation *d, derive_declarations *declarations, derive_format *format,
                        int *exit_status)
{
  TG_TRY(read_all(args, d, declarations, format));
  TG_TRY(tg_errors_raise(&d->errors));
  if (!tg_args_has(args, "--claim")) warn_of_unused(d, declarations);
  TG_TRY(differentiate(d));
  if (tg_args_has(args, "--hessian")) TG_TRY(second_order(d, declarations));
  return answer(args, declarations, d, *format, exit_status);
}

// On standard error as text; a program that asked for JSON gets them there too.
static tg_status show_failure(derivation *d, derive_format format, tg_status status)
{
  if (d->errors.count == 0 && tg_errors_take(&d->errors, status) != TG_OK) {
    tg_cli_print_error(status, NULL);
    return TG_OK;
  }
  tg_cli_print_errors(&d->errors, d->sources);
  if (format != DERIVE_JSON) return TG_OK;
  tg_text text;
  tg_text_init(&text);
  tg_status shown = derive_print_json_errors(d, &text);
  if (shown == TG_OK) shown = tg_cli_print(stdout, &text);
  tg_text_fini(&text);
  return shown;
}

tg_status cmd_derive(int argc, char **argv, int *exit_status)
{
  tg_args args;
  TG_TRY(tg_args_parse(&spec, argc, argv, &args));
  tg_status status = TG_OK;
  if (args.help) {
    status = tg_cli_print_help(&spec);
    tg_args_fini(&args);
    return status;
  }
  derivation d = {0};
  derive_declarations declarations = {0};
  derive_format format = DERIVE_HUMAN;
  setlocale(LC_CTYPE, "");
  d.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
  tg_arena_init(&declarations.arena);
  status = derive(&args, &d, &declarations, &format, exit_status);
  if (status != TG_OK) {
    *exit_status = tg_status_exit(status);
    status = show_failure(&d, format, status);
    if (status != TG_OK) tg_cli_print_error(status, NULL);
  }
  tg_graph_destroy(&d.graph);
  tg_arena_fini(&declarations.arena);
  tg_args_fini(&args);
  return TG_OK;
}
