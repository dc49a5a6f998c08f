// From options and an expression to its derivatives.
#include "derive/derivation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "grad/text/names.h"

// ---- the object ----

tg_status tg_derivation_create(const tg_derive_words *words, const tg_messages *messages, tg_derivation **out)
{
  tg_derivation *d = NULL;
  *out = NULL;
  TG_TRY(TG_NEW(1, &d));
  d->words = words != NULL ? *words : (tg_derive_words){"", ""};
  d->messages = messages;
  d->max_bytes = TG_PRINT_BYTES_MAX;
  tg_arena_init(&d->declarations.arena);
  const tg_status status = tg_graph_create(&d->graph);
  if (status != TG_OK) {
    tg_derivation_destroy(&d);
    return tg_error_pass(status, TG_HERE);
  }
  *out = d;
  return TG_OK;
}

void tg_derivation_destroy(tg_derivation **d)
{
  if (*d == NULL) return;
  tg_graph_destroy(&(*d)->graph);
  tg_arena_fini(&(*d)->declarations.arena);
  tg_free(*d);
  *d = NULL;
}

int32_t tg_derivation_add_source(tg_derivation *d, const char *name, const char *text)
{
  if (d->n_sources == TG_DERIVE_SOURCES_MAX) return 0;
  d->sources[d->n_sources] = (tg_source){.name = name, .text = text, .length = strlen(text), .id = d->n_sources + 1};
  return ++d->n_sources;
}

tg_status tg_derivation_keep(tg_derivation *d, int32_t source, tg_status status)
{
  return tg_errors_take(&d->errors, source > 0 ? tg_error_within(source, status) : status);
}

static tg_status copy_text(tg_derivation *d, const char *text, const char **out)
{
  return tg_arena_string(&d->declarations.arena, text, strlen(text), out);
}

// ---- options ----

// X, or X' for its transpose.
static tg_status read_target(tg_derivation *d, const char *word, size_t length)
{
  const tg_derive_words *words = &d->words;
  const char *name = NULL;
  while (length > 0 && *word == ' ') word++, length--;
  while (length > 0 && word[length - 1] == ' ') length--;
  const bool transposed = length > 1 && word[length - 1] == '\'';
  char canonical[TG_NAME_BYTES_MAX + 1];
  TG_TRY(tg_arena_string(&d->declarations.arena, word, transposed ? length - 1 : length, &name));
  if (tg_name_canonical(name, canonical)) TG_TRY(copy_text(d, canonical, &name));
  if (!tg_name_is_valid(name) || tg_name_is_reserved(name))
    TG_FAIL(TG_USAGE, "%s%swrt expects a name, found '%.*s'", words->command, words->dash, (int)length, word);
  if (d->n_targets == TG_TARGETS_MAX)
    TG_FAIL(TG_LIMIT, "%s%swrt takes at most %d names", words->command, words->dash, TG_TARGETS_MAX);
  for (int32_t k = 0; k < d->n_targets; k++)
    if (strcmp(d->targets[k].name, name) == 0)
      TG_FAIL(TG_USAGE, "%s'%s' is given twice in %swrt", words->command, name, words->dash);
  tg_declaration *declaration = tg_declarations_get(&d->declarations, name);
  if (declaration == NULL) TG_FAIL(TG_LIMIT, "%smore than %d names are declared", words->command, TG_DERIVE_NAMES_MAX);
  declaration->is_free = true;
  d->targets[d->n_targets++] = (tg_target){.name = name, .transposed = transposed};
  return TG_OK;
}

static tg_status set_wrt(tg_derivation *d, const char *list)
{
  d->has_wrt = true;
  while (true) {
    const size_t length = strcspn(list, ",");
    TG_TRY(tg_derivation_keep(d, 0, read_target(d, list, length)));
    if (list[length] == '\0') return TG_OK;
    list += length + 1;
  }
}

static tg_status read_flag(const tg_derivation *d, const char *option, const char *text, bool *out)
{
  *out = strcmp(text, "false") != 0;
  if (!*out || text[0] == '\0' || strcmp(text, "true") == 0) return TG_OK;
  TG_FAIL(TG_USAGE, "%s%s%s expects true or false, found '%s'", d->words.command, d->words.dash, option, text);
}

static tg_status set_limit(tg_derivation *d, const char *option, const char *text)
{
  char *end = NULL;
  errno = 0;
  const long long number = strtoll(text, &end, 10);
  if (end == text || *end != '\0' || errno != 0 || number < 1 || number > TG_LIMITS_MAX)
    TG_FAIL(TG_USAGE, "%s%s%s expects a whole number from 1 to %d, found '%s'", d->words.command, d->words.dash, option,
            TG_LIMITS_MAX, text);
  if (strcmp(option, "max_bytes") == 0)
    d->max_bytes = number;
  else
    tg_graph_limit(d->graph, (uint32_t)number);
  return TG_OK;
}

typedef enum option_kind {
  OPTION_WRT,
  OPTION_DIMS,
  OPTION_PROPERTY,
  OPTION_WITHIN,
  OPTION_FLAG,
  OPTION_LIMIT,
  OPTION_DEFINE
} option_kind;

static const struct {
  const char *name;
  option_kind kind;
  unsigned property;
} options[] = {{"wrt", OPTION_WRT, 0},
               {"dims", OPTION_DIMS, 0},
               {"symmetric", OPTION_PROPERTY, TG_SYMMETRIC},
               {"spd", OPTION_PROPERTY, TG_SPD},
               {"psd", OPTION_PROPERTY, TG_PSD},
               {"positive", OPTION_PROPERTY, TG_POSITIVE},
               {"diagonal", OPTION_PROPERTY, TG_DIAGONAL},
               {"orthogonal", OPTION_PROPERTY, TG_ORTHOGONAL},
               {"within", OPTION_WITHIN, 0},
               {"hessian", OPTION_FLAG, 0},
               {"steps", OPTION_FLAG, 0},
               {"max_nodes", OPTION_LIMIT, 0},
               {"max_bytes", OPTION_LIMIT, 0},
               {"define", OPTION_DEFINE, 0}};
enum { OPTIONS = sizeof options / sizeof options[0] };

static tg_status find_option(const tg_derivation *d, const char *name, int *out)
{
  const char *names[OPTIONS];
  for (*out = 0; *out < OPTIONS; (*out)++) {
    names[*out] = options[*out].name;
    if (strcmp(name, options[*out].name) == 0) return TG_OK;
  }
  const char *nearest = tg_nearest_word(name, names, OPTIONS);
  if (nearest != NULL) TG_FAIL(TG_USAGE, "%sunknown option '%s'; did you mean '%s'?", d->words.command, name, nearest);
  TG_FAIL(TG_USAGE, "%sunknown option '%s'", d->words.command, name);
}

// The option as the user gives it, "--dims".
static tg_status spell_option(tg_derivation *d, int k, const char **out)
{
  tg_text name;
  tg_text_init(&name);
  tg_text_addf(&name, "%s%s", d->words.dash, options[k].name);
  tg_status status = tg_text_status(&name);
  if (status == TG_OK) status = copy_text(d, tg_text_string(&name), out);
  tg_text_fini(&name);
  return status;
}

// Errors kept from that count on, which know no text yet, lie in the one with the id.
static void place_errors(tg_derivation *d, int kept, int32_t source)
{
  for (int k = kept; k < d->errors.count; k++)
    if (d->errors.items[k].has_span && d->errors.items[k].source == 0) d->errors.items[k].source = source;
}

// Errors are shown inside the option's own text.
static tg_status set_declarations(tg_derivation *d, int k, const char *text)
{
  const char *what = NULL;
  TG_TRY(spell_option(d, k, &what));
  const int32_t source = tg_derivation_add_source(d, what, text);
  const int kept = d->errors.count;
  TG_TRY(options[k].kind == OPTION_DIMS
             ? tg_declarations_read_dims(text, what, &d->errors, &d->declarations)
             : tg_declarations_read_names(text, what, options[k].property, &d->errors, &d->declarations));
  place_errors(d, kept, source);
  return TG_OK;
}

// NAME=EXPRESSION
static tg_status read_definition(tg_derivation *d, const char *what, const char *text, int32_t source)
{
  const char *name = NULL;
  char canonical[TG_NAME_BYTES_MAX + 1];
  const size_t equals = strcspn(text, "=");
  size_t end = equals;
  size_t begin = 0;
  while (begin < end && text[begin] == ' ') begin++;
  while (end > begin && text[end - 1] == ' ') end--;
  if (text[equals] == '\0' || end == begin || text[equals + 1] == '=')
    TG_FAIL_AT(TG_USAGE, ((tg_span){0, strlen(text)}), "%s expects NAME=EXPRESSION, found '%.60s'", what, text);
  TG_TRY(tg_arena_string(&d->declarations.arena, text + begin, end - begin, &name));
  if (tg_name_canonical(name, canonical)) TG_TRY(copy_text(d, canonical, &name));
  const tg_span span = {begin, end};
  if (!tg_name_is_valid(name))
    TG_FAIL_AT(TG_USAGE, span, "%s expects a name made of letters, digits and '_', found '%s'", what, name);
  if (tg_name_is_reserved(name)) TG_FAIL_AT(TG_USAGE, span, "'%s' is a function and cannot name a part", name);
  for (int32_t k = 0; k < d->n_parts; k++)
    if (strcmp(d->parts[k].name, name) == 0) TG_FAIL_AT(TG_USAGE, span, "the part '%s' is defined twice", name);
  if (d->n_parts == TG_DERIVE_PARTS_MAX)
    TG_FAIL(TG_LIMIT, "%smore than %d parts are defined", d->words.command, TG_DERIVE_PARTS_MAX);
  const tg_span value = {equals + 1, strlen(text)};
  d->part_names[d->n_parts] = (tg_mark){source, span};
  d->parts[d->n_parts++] = (tg_part){
      .name = name, .value = {.text = text + value.begin, .length = value.end - value.begin, .mark = {source, value}}};
  return TG_OK;
}

static tg_status set_definition(tg_derivation *d, int k, const char *text)
{
  const char *what = NULL;
  TG_TRY(spell_option(d, k, &what));
  const int32_t source = tg_derivation_add_source(d, what, text);
  return tg_derivation_keep(d, source, read_definition(d, what, text, source));
}

tg_status tg_derivation_set(tg_derivation *d, const char *option, const char *text)
{
  int k = 0;
  const tg_status status = find_option(d, option, &k);
  if (status != TG_OK) return tg_derivation_keep(d, 0, status);
  TG_TRY(copy_text(d, text, &text));
  switch (options[k].kind) {
  case OPTION_WRT:
    return set_wrt(d, text);
  case OPTION_WITHIN:
    return tg_derivation_keep(d, 0, tg_within_find(&d->words, text, &d->within));
  case OPTION_FLAG:
    return tg_derivation_keep(
        d, 0, read_flag(d, option, text, strcmp(option, "hessian") == 0 ? &d->wants_hessian : &d->wants_steps));
  case OPTION_LIMIT:
    return tg_derivation_keep(d, 0, set_limit(d, option, text));
  case OPTION_DEFINE:
    return set_definition(d, k, text);
  default:
    return set_declarations(d, k, text);
  }
}

// ---- what was declared ----

// The shape that a property needs, by its own name; sizes without numbers are left to the expression.
static tg_status check_square(const tg_derivation *d, const tg_declaration *declared)
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
      TG_FAIL(TG_USAGE, "%s'%s' is declared %s but is not square: %lld x %lld", d->words.command, declared->name,
              rows[k].name, (long long)declared->rows, (long long)declared->cols);
  return TG_OK;
}

// A property that is refused is dropped, so that the expression is not refused for it again.
static tg_status check_declarations(tg_derivation *d)
{
  for (int32_t i = 0; i < d->declarations.count; i++) {
    const tg_status status = check_square(d, &d->declarations.list[i]);
    if (status != TG_OK) d->declarations.list[i].properties = 0;
    TG_TRY(tg_derivation_keep(d, 0, status));
  }
  return TG_OK;
}

// What a part is follows from its definition; *good: nothing says otherwise.
static tg_status check_parts(tg_derivation *d, bool *good)
{
  *good = true;
  for (int32_t i = 0; i < d->declarations.count; i++) {
    const tg_declaration *declared = &d->declarations.list[i];
    for (int32_t k = 0; k < d->n_parts; k++) {
      if (strcmp(d->parts[k].name, declared->name) != 0) continue;
      *good = false;
      const tg_status status = tg_error_set_mark(
          TG_USAGE, TG_HERE, d->part_names[k],
          declared->is_free ? "'%s' is a part, defined here; differentiate by the names that it is made of"
                            : "'%s' is a part, defined here; what is declared of it follows from its definition",
          declared->name);
      TG_TRY(tg_derivation_keep(d, 0, status));
    }
  }
  return TG_OK;
}

// A part that nothing uses is most often misspelt where it is used.
static tg_status check_parts_used(tg_derivation *d, const bool *used)
{
  for (int32_t k = 0; k < d->n_parts; k++)
    if (!used[k])
      TG_TRY(tg_derivation_keep(d, 0,
                                tg_error_set_mark(TG_NAME, TG_HERE, d->part_names[k],
                                                  "the part '%s' is not used in the expression", d->parts[k].name)));
  return TG_OK;
}

// The set that the variables are in is declared of them.
static tg_status declare_targets(tg_derivation *d)
{
  if (!d->has_wrt)
    return tg_derivation_keep(d, 0,
                              tg_error_set(TG_USAGE, TG_HERE, "%s%swrt NAME is missing: the name to differentiate by",
                                           d->words.command, d->words.dash));
  for (int32_t k = 0; d->within != NULL && k < d->n_targets; k++)
    tg_declarations_get(&d->declarations, d->targets[k].name)->properties |= d->within->property;
  return TG_OK;
}

// Q'*Q = I: no more columns than rows.
static tg_status check_orthogonal(const tg_derivation *d)
{
  for (int32_t s = 0; s < tg_symbol_count(d->graph); s++) {
    const tg_symbol *symbol = tg_symbol_info(d->graph, s);
    const int64_t rows = tg_dim_value(d->graph, symbol->rows);
    const int64_t cols = tg_dim_value(d->graph, symbol->cols);
    if ((symbol->properties & TG_ORTHOGONAL) != 0 && rows >= 0 && cols > rows)
      TG_FAIL(TG_USAGE,
              "%s'%s' is declared orthogonal, %s'*%s = eye, which needs at least as many rows as columns; it is "
              "%lld x %lld",
              d->words.command, symbol->name, symbol->name, symbol->name, (long long)rows, (long long)cols);
  }
  return TG_OK;
}

// ---- the expression ----

// *good: the expression has a meaning; where it has none, why not is kept.
static tg_status compile(tg_derivation *d, bool *good)
{
  tg_text notices;
  bool used[TG_DERIVE_PARTS_MAX] = {false};
  tg_text_init(&notices);
  const tg_compile_options compile_options = {.n_declarations = d->declarations.count,
                                              .declarations = d->declarations.list,
                                              .infer_undeclared = true,
                                              .errors = &d->errors,
                                              .notices = &notices,
                                              .n_parts = d->n_parts,
                                              .parts = d->parts,
                                              .parts_used = used};
  const int32_t source = tg_derivation_add_source(d, "expression", d->expression);
  const int kept = d->errors.count;
  tg_status status = tg_compile(d->graph, d->expression, strlen(d->expression), &compile_options, &d->f);
  if (status == TG_OK) status = tg_text_status(&notices);
  place_errors(d, kept, source);
  *good = status == TG_OK;
  if (status == TG_OK) tg_message_lines(d->messages, TG_MESSAGE_NOTE, &notices);
  tg_text_fini(&notices);
  if (!*good) return tg_derivation_keep(d, source, status);
  d->scalar = tg_node_is_scalar(d->graph, d->f);
  return check_parts_used(d, used);
}

// A name that does not occur is most often misspelt; one that was declared with a size is meant, and gives zero.
static tg_status find_target(tg_derivation *d, tg_target *target)
{
  target->symbol = tg_symbol_find(d->graph, target->name);
  if (target->symbol >= 0) return TG_OK;
  for (int32_t i = 0; i < d->declarations.count; i++) {
    const tg_declaration *declared = &d->declarations.list[i];
    if (strcmp(declared->name, target->name) != 0 || declared->rows == 0 || declared->cols == 0) continue;
    tg_dim rows = 0;
    tg_dim cols = 0;
    TG_TRY(tg_dim_number(d->graph, declared->rows, &rows));
    TG_TRY(tg_dim_number(d->graph, declared->cols, &cols));
    return tg_symbol_add(d->graph, target->name, rows, cols, 0, true, &target->symbol);
  }
  const char *names[TG_DERIVE_NAMES_MAX];
  size_t count = 0;
  for (int32_t s = 0; s < tg_symbol_count(d->graph) && s < TG_DERIVE_NAMES_MAX; s++)
    names[count++] = tg_symbol_info(d->graph, s)->name;
  const char *nearest = tg_nearest_word(target->name, names, count);
  if (nearest != NULL)
    TG_FAIL(TG_NAME, "'%s' does not occur in the expression; did you mean '%s'?", target->name, nearest);
  TG_FAIL(TG_NAME, "'%s' does not occur in the expression; give its size with %sdims if a zero gradient is meant",
          target->name, d->words.dash);
}

// The gradient inside a set is that of a scalar function by a square matrix.
static tg_status check_within(const tg_derivation *d, const tg_target *target)
{
  const tg_derive_words *words = &d->words;
  if (!d->scalar) TG_FAIL(TG_USAGE, "%s%swithin needs a scalar expression", words->command, words->dash);
  if (target->transposed)
    TG_FAIL(TG_USAGE, "%s%swithin takes names, found the transpose %s' in %swrt", words->command, words->dash,
            target->name, words->dash);
  return tg_within_check_shape(d->within, words, d->graph, target->symbol);
}

static tg_status find_targets(tg_derivation *d)
{
  for (int32_t k = 0; k < d->n_targets; k++) {
    tg_target *target = &d->targets[k];
    tg_status status = find_target(d, target);
    if (status == TG_OK && d->within != NULL) status = check_within(d, target);
    TG_TRY(tg_derivation_keep(d, 0, status));
  }
  return TG_OK;
}

tg_status tg_derivation_read(tg_derivation *d, const char *expression)
{
  bool good = false;
  TG_TRY(check_declarations(d));
  TG_TRY(declare_targets(d));
  if ((int64_t)strlen(expression) > d->max_bytes)
    return tg_derivation_keep(d, 0,
                              tg_error_set(TG_LIMIT, TG_HERE, "%sthe expression has %zu bytes, more than %smax_bytes",
                                           d->words.command, strlen(expression), d->words.dash));
  TG_TRY(copy_text(d, expression, &d->expression));
  TG_TRY(check_parts(d, &good));
  if (!good) return TG_OK;
  TG_TRY(compile(d, &good));
  if (!good) return TG_OK;
  TG_TRY(tg_derivation_keep(d, 0, check_orthogonal(d)));
  TG_TRY(find_targets(d));
  if (!d->wants_hessian || d->scalar) return TG_OK;
  return tg_derivation_keep(
      d, 0, tg_error_set(TG_USAGE, TG_HERE, "%s%shessian needs a scalar expression", d->words.command, d->words.dash));
}

// A size or property of a name that does not occur is most often a slip, but no reason to refuse: one list of sizes may
// serve several expressions, and a claim may bring the name.
void tg_derivation_warn_of_unused(const tg_derivation *d)
{
  for (int32_t i = 0; i < d->declarations.count; i++)
    if (tg_symbol_find(d->graph, d->declarations.list[i].name) < 0)
      tg_message_warn(d->messages, "'%s' is declared, but does not occur in the expression",
                      d->declarations.list[i].name);
}

// ---- derivatives ----

// Directions V of the Hessian action: V for one name, V_X for several; never a name in use.
static tg_status add_directions(tg_derivation *d, tg_node *directions)
{
  for (int32_t k = 0; k < d->n_targets; k++) {
    const tg_symbol symbol = *tg_symbol_info(d->graph, d->targets[k].symbol);
    tg_text name;
    int32_t direction = -1;
    tg_text_init(&name);
    tg_text_add(&name, "V");
    if (d->n_targets > 1) tg_text_addf(&name, "_%s", symbol.name);
    while (tg_text_status(&name) == TG_OK && tg_symbol_find(d->graph, tg_text_string(&name)) >= 0)
      tg_text_add(&name, "_");
    tg_status status = tg_text_status(&name);
    if (status == TG_OK) status = copy_text(d, tg_text_string(&name), &d->targets[k].direction);
    tg_text_fini(&name);
    TG_TRY(status);
    const unsigned properties = d->within != NULL ? d->within->property : 0;
    TG_TRY(tg_symbol_add(d->graph, d->targets[k].direction, symbol.rows, symbol.cols, properties, true, &direction));
    TG_TRY(tg_make_sym(d->graph, direction, &directions[k]));
  }
  return TG_OK;
}

// The presented form: common factors taken out where that makes it shorter to write.
static tg_status present(tg_derivation *d, const tg_target *target, tg_node *node)
{
  const int32_t direction = target->direction != NULL ? tg_symbol_find(d->graph, target->direction) : -1;
  if (d->within != NULL) TG_TRY(tg_within_project(d->within, d->graph, target->symbol, direction, node));
  TG_TRY(tg_factor_common(d->graph, *node, node));
  if (target->transposed && d->scalar) return tg_make_trans(d->graph, *node, node);
  return TG_OK;
}

// While one name varies the others are what they were declared: A' = A of a symmetric one.
static tg_status hold_others(tg_derivation *d, int32_t k, tg_node *node)
{
  int32_t symbols[TG_TARGETS_MAX];
  tg_node constants[TG_TARGETS_MAX];
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

static tg_status first_order(tg_derivation *d)
{
  for (int32_t k = 0; k < d->n_targets; k++) {
    tg_target *target = &d->targets[k];
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

static tg_status second_order(tg_derivation *d)
{
  int32_t symbols[TG_TARGETS_MAX];
  tg_node directions[TG_TARGETS_MAX];
  for (int32_t k = 0; k < d->n_targets; k++) symbols[k] = d->targets[k].symbol;
  TG_TRY(add_directions(d, directions));
  for (int32_t k = 0; k < d->n_targets; k++) {
    tg_node *hessian = &d->targets[k].hessian;
    TG_TRY(tg_gradient(d->graph, d->f, 1, &symbols[k], hessian));
    TG_TRY(tg_forward(d->graph, *hessian, d->n_targets, symbols, directions, hessian));
    TG_TRY(hold_others(d, k, hessian));
    TG_TRY(present(d, &d->targets[k], hessian));
  }
  return TG_OK;
}

tg_status tg_derivation_derive(tg_derivation *d)
{
  TG_TRY(tg_errors_raise(&d->errors));
  TG_TRY(first_order(d));
  if (d->wants_hessian) TG_TRY(second_order(d));
  d->n_symbols = tg_symbol_count(d->graph);
  return TG_OK;
}
