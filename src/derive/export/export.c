// Export: names, the description, and the functions put together.
#include "derive/export/export.h"

#include <ctype.h>
#include <string.h>

#include "base/memory.h"
#include "base/version.h"
#include "derive/export/export_parts.h"

static const tg_export_language *const languages[TG_EXPORT_TARGETS] = {[TG_EXPORT_NUMPY] = &tg_export_numpy,
                                                                       [TG_EXPORT_JAX] = &tg_export_jax,
                                                                       [TG_EXPORT_PYTORCH] = &tg_export_pytorch,
                                                                       [TG_EXPORT_OCTAVE] = &tg_export_octave,
                                                                       [TG_EXPORT_MATLAB] = &tg_export_matlab,
                                                                       [TG_EXPORT_JULIA] = &tg_export_julia,
                                                                       [TG_EXPORT_C] = &tg_export_c,
                                                                       [TG_EXPORT_FORTRAN] = &tg_export_fortran};

// ---- names ----

static bool is_same_name(const tg_export *e, const char *a, const char *b)
{
  if (!e->language->folds_case) return strcmp(a, b) == 0;
  for (; *a != '\0' && tolower((unsigned char)*a) == tolower((unsigned char)*b); a++, b++) continue;
  return tolower((unsigned char)*a) == tolower((unsigned char)*b);
}

// T1, s2, F3, G_X, ...: what the statements use themselves.
static bool is_ours(const tg_export *e, const char *name)
{
  const char first = e->language->folds_case ? (char)toupper((unsigned char)name[0]) : name[0];
  const bool is_numbered =
      strchr("TFSsLUPRV", first) != NULL && name[1] != '\0' && strspn(name + 1, "0123456789") == strlen(name + 1);
  const bool is_output = strchr("GHV", first) != NULL && name[1] == '_';
  for (int k = 0; k < e->language->n_helpers; k++)
    if (is_same_name(e, name, e->language->helpers[k].name)) return true;
  for (int k = 0; k < e->language->n_words; k++)
    if (is_same_name(e, name, e->language->words[k])) return true;
  return is_numbered || is_output || is_same_name(e, name, "f") || is_same_name(e, name, "value_and_gradient") ||
         is_same_name(e, name, "hessian_product");
}

static bool is_taken(const tg_export *e, const char *name)
{
  if (is_ours(e, name)) return true;
  for (int32_t k = 0; k < e->n_arguments; k++)
    if (e->arguments[k].name != NULL && is_same_name(e, name, e->arguments[k].name)) return true;
  for (int32_t k = 0; k < e->n_sizes; k++)
    if (e->sizes[k].name != NULL && is_same_name(e, name, e->sizes[k].name)) return true;
  return false;
}

// The name as it is; with `_` or a number behind it where the language or another name has it.
static tg_status choose_name(tg_export *e, const char *own, const char **out)
{
  tg_text name;
  tg_text_init(&name);
  for (int k = 0; k == 0 || is_taken(e, tg_text_string(&name)); k++) {
    tg_text_clear(&name);
    tg_text_addf(&name, "%s%s", own[0] == '_' ? "x" : "", own);
    if (k > 0) tg_text_addf(&name, "_%d", k);
    if (tg_text_status(&name) != TG_OK) break;
  }
  tg_status status = tg_text_status(&name);
  if (status == TG_OK) status = tg_arena_string(&e->arena, tg_text_string(&name), name.length, out);
  tg_text_fini(&name);
  return status;
}

static tg_status name_arguments(tg_export *e)
{
  const tg_derivation *d = e->d;
  TG_TRY(TG_ARENA_NEW(&e->arena, (size_t)d->n_symbols, &e->arguments));
  for (int32_t s = 0; s < d->n_symbols; s++) {
    const tg_symbol *symbol = tg_symbol_info(d->graph, s);
    bool is_direction = symbol->twin >= 0 && !symbol->free;
    int32_t variable = -1;
    for (int32_t k = 0; k < d->n_targets; k++) {
      if (d->targets[k].symbol == s) variable = k;
      if (d->targets[k].direction != NULL && strcmp(d->targets[k].direction, symbol->name) == 0) is_direction = true;
    }
    if (is_direction) continue;
    tg_export_argument *argument = &e->arguments[e->n_arguments++];
    *argument =
        (tg_export_argument){.own = symbol->name, .symbol = s, .variable = variable, .properties = symbol->properties};
  }
  for (int32_t k = 0; k < e->n_arguments; k++) TG_TRY(choose_name(e, e->arguments[k].own, &e->arguments[k].name));
  return TG_OK;
}

static tg_status name_sizes(tg_export *e)
{
  for (int32_t k = 0; k < e->n_sizes; k++) TG_TRY(choose_name(e, e->sizes[k].own, &e->sizes[k].name));
  for (int32_t k = 0; k < 2 * e->n_arguments; k++) {
    tg_export_argument *argument = &e->arguments[k / 2];
    const tg_symbol *symbol = tg_symbol_info(e->d->graph, argument->symbol);
    tg_text text;
    tg_text_init(&text);
    tg_status status = tg_export_dim(e, k % 2 == 0 ? symbol->rows : symbol->cols, &text);
    if (status == TG_OK)
      status = tg_arena_string(&e->arena, tg_text_string(&text), text.length,
                               k % 2 == 0 ? &argument->rows : &argument->cols);
    tg_text_fini(&text);
    TG_TRY(status);
  }
  return TG_OK;
}

// "G_X", "V_X": a prefix and the variable.
static tg_status join(tg_export *e, const char *prefix, const char *name, const char **out)
{
  tg_text text;
  tg_text_init(&text);
  tg_text_addf(&text, "%s%s", prefix, name);
  tg_status status = tg_text_status(&text);
  if (status == TG_OK) status = tg_arena_string(&e->arena, tg_text_string(&text), text.length, out);
  tg_text_fini(&text);
  return status;
}

static tg_status name_buffers(tg_export *e)
{
  static const char *const prefixes[] = {[TG_BUFFER_DATA] = "",
                                         [TG_BUFFER_VARIABLE] = "",
                                         [TG_BUFFER_DIRECTION] = "V_",
                                         [TG_BUFFER_GRADIENT] = "G_",
                                         [TG_BUFFER_HESSIAN] = "H_"};
  const tg_plan *plan = e->plans[0];
  TG_TRY(TG_ARENA_NEW(&e->arena, (size_t)plan->n_buffers, &e->buffers));
  TG_TRY(TG_ARENA_NEW(&e->arena, (size_t)plan->n_registers + 1, &e->registers));
  TG_TRY(TG_ARENA_NEW(&e->arena, (size_t)plan->n_factors + 1, &e->factors));
  TG_TRY(TG_ARENA_NEW(&e->arena, (size_t)plan->n_factors + 1, &e->kept_factor_ops));
  for (int32_t b = 0; b < plan->n_buffers; b++) {
    const tg_plan_buffer *buffer = &plan->buffers[b];
    if (buffer->kind > TG_BUFFER_HESSIAN) continue;
    const char *own =
        buffer->kind == TG_BUFFER_DATA ? plan->data[buffer->index].name : plan->variables[buffer->index].name;
    for (int32_t k = 0; k < e->n_arguments; k++)
      if (strcmp(e->arguments[k].own, own) == 0)
        TG_TRY(join(e, prefixes[buffer->kind], e->arguments[k].name, &e->buffers[b]));
  }
  return TG_OK;
}

// Also of a variable that the Hessian does not depend on along.
static tg_status name_directions(tg_export *e)
{
  for (int32_t k = 0; k < e->d->n_targets; k++)
    TG_TRY(join(e, "V_", tg_export_variable(e, k)->name, &e->directions[k]));
  return TG_OK;
}

const tg_export_argument *tg_export_variable(const tg_export *e, int32_t variable)
{
  for (int32_t k = 0; k < e->n_arguments; k++)
    if (e->arguments[k].variable == variable) return &e->arguments[k];
  return NULL;
}

const char *tg_export_output(const tg_export *e, bool hessian, int32_t variable)
{
  return e->buffers[tg_plan_find_buffer(e->plans[0], hessian ? TG_BUFFER_HESSIAN : TG_BUFFER_GRADIENT, variable)];
}

const char *tg_export_direction(const tg_export *e, int32_t variable)
{
  return e->directions[variable];
}

// ---- the description ----

// A formula of at most so many characters; "" where it is longer.
static void print_short(const tg_export *e, tg_node node, size_t bytes, tg_text *formula, tg_text *out)
{
  tg_status status = tg_print(e->d->graph, node, TG_FORMAT_EXPR, formula);
  if (tg_text_status(formula) != TG_OK) status = tg_text_status(formula);
  if (status == TG_MEMORY) out->status = status;
  if (status != TG_OK || formula->length > bytes) tg_text_clear(formula);
  if (status != TG_OK && status != TG_MEMORY) tg_error_clear();
}

static void describe_results(const tg_export *e, bool hessian, const char *margin, tg_text *out)
{
  const tg_derivation *d = e->d;
  for (int32_t k = 0; k < d->n_targets; k++) {
    const tg_export_argument *x = tg_export_variable(e, k);
    tg_text formula;
    tg_text_init(&formula);
    const tg_node node = hessian ? d->targets[k].hessian : d->targets[k].derivative;
    const bool is_known = !hessian || d->n_targets == 1;
    if (is_known) print_short(e, node, 90, &formula, out);
    tg_text_addf(out, "%s%s (%s x %s): ", margin, tg_export_output(e, hessian, k), x->rows, x->cols);
    if (hessian)
      tg_text_addf(out, "the derivative of the gradient along V");
    else
      tg_text_addf(out, "df/d%s", x->own);
    if (formula.length > 0) tg_text_addf(out, " = %s", tg_text_string(&formula));
    tg_text_add(out, "\n");
    tg_text_fini(&formula);
  }
}

static const char *property_words(unsigned properties)
{
  return (properties & TG_SPD) != 0          ? ", symmetric positive definite"
         : (properties & TG_PSD) != 0        ? ", symmetric positive semidefinite"
         : (properties & TG_DIAGONAL) != 0   ? ", diagonal"
         : (properties & TG_SYMMETRIC) != 0  ? ", symmetric"
         : (properties & TG_ORTHOGONAL) != 0 ? ", with orthonormal columns"
                                             : "";
}

// A line of the margin alone, without blanks at its end.
static void add_empty(const char *margin, tg_text *out)
{
  size_t length = strlen(margin);
  while (length > 0 && margin[length - 1] == ' ') length--;
  tg_text_add_bytes(out, margin, length);
  tg_text_add(out, "\n");
}

void tg_export_describe(const tg_export *e, bool hessian, const char *margin, tg_text *out)
{
  const int64_t products = hessian ? e->hessian_products : e->products;
  tg_text formula;
  tg_text_init(&formula);
  print_short(e, e->d->f, 400, &formula, out);
  if (formula.length > 0) {
    tg_text_addf(out, "%sf = %s\n", margin, tg_text_string(&formula));
    add_empty(margin, out);
  }
  tg_text_fini(&formula);
  for (int32_t k = 0; k < e->n_arguments; k++) {
    const tg_export_argument *x = &e->arguments[k];
    tg_text_addf(out, "%s%s (%s x %s)%s\n", margin, x->name, x->rows, x->cols, property_words(x->properties));
  }
  for (int32_t k = 0; hessian && k < e->d->n_targets; k++)
    tg_text_addf(out, "%s%s (like %s): the direction\n", margin, tg_export_direction(e, k),
                 tg_export_variable(e, k)->name);
  describe_results(e, hessian, margin, out);
  add_empty(margin, out);
  tg_text_addf(out, "%s%lld matrix product%s.", margin, (long long)products, products == 1 ? "" : "s");
  for (int32_t k = 0; k < e->n_sizes; k++)
    tg_text_addf(out, "%s%s = %lld", k == 0 ? " Their order was chosen for " : ", ", e->sizes[k].name,
                 (long long)e->sizes[k].nominal[0]);
  tg_text_addf(out, "%s\n%sDerived by tracegrad %s.\n", e->n_sizes > 0 ? "." : "", margin, TG_VERSION);
}

// ---- the text ----

bool tg_export_has_word(const char *text, const char *word)
{
  const size_t length = strlen(word);
  for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word)) {
    const unsigned char before = at == text ? ' ' : (unsigned char)at[-1];
    const unsigned char after = (unsigned char)at[length];
    if (!isalnum(before) && before != '_' && !isalnum(after) && after != '_') return true;
  }
  return false;
}

// The helpers that the functions call, or that those call: each stands behind what it uses in the table.
static tg_status add_helpers(const tg_export *e, const char *functions, tg_text *out)
{
  const tg_export_language *l = e->language;
  bool used[TG_EXPORT_HELPERS_MAX] = {false};
  for (int k = l->n_helpers - 1; k >= 0; k--) {
    used[k] = tg_export_has_word(functions, l->helpers[k].name);
    for (int i = k + 1; i < l->n_helpers && !used[k]; i++)
      used[k] = used[i] && tg_export_has_word(l->helpers[i].text, l->helpers[k].name);
  }
  for (int k = 0; k < l->n_helpers; k++)
    if (used[k]) tg_text_add(out, l->helpers[k].text);
  return tg_text_status(out);
}

static tg_status add_function(tg_export *e, bool hessian, tg_text *out)
{
  TG_TRY(tg_export_statements(e, hessian));
  e->language->begin(e, hessian, out);
  tg_text_add(out, tg_text_string(&e->body));
  e->language->end(e, hessian, out);
  return tg_text_status(out);
}

// Lines that are too long for the language go on in the next one; a remark behind such a line is left out.
static void add_wrapped(const char *text, size_t width, tg_text *out)
{
  while (*text != '\0') {
    size_t length = strcspn(text, "\n");
    const char *next = text + length + (text[length] == '\n');
    const char *remark = strstr(text, "  ! ");
    const bool is_remark = text[strspn(text, " ")] == '!';
    if (length > width && !is_remark && remark != NULL && remark < text + length) length = (size_t)(remark - text);
    for (size_t room = width; length > room && !is_remark; room = width - 8) { // the next lines are indented
      size_t cut = room;
      while (cut > 20 && text[cut] != ' ') cut--;
      if (cut == 20) cut = room;
      tg_text_add_bytes(out, text, cut);
      tg_text_add(out, text[cut] == ' ' ? " &\n        " : "&\n        &");
      text += cut;
      length -= cut;
    }
    tg_text_add_bytes(out, text, length);
    tg_text_add(out, "\n");
    text = next;
  }
}

static tg_status write(tg_export *e, tg_text *out)
{
  tg_text functions;
  tg_text_init(&functions);
  tg_status status = add_function(e, false, &functions);
  if (status == TG_OK && e->d->wants_hessian) status = add_function(e, true, &functions);
  if (status == TG_OK) {
    const bool helpers_last = e->language->helpers_last;
    e->language->head(e, out);
    if (helpers_last) tg_text_add(out, tg_text_string(&functions));
    status = add_helpers(e, tg_text_string(&functions), out);
    if (!helpers_last && e->language->width > 0)
      add_wrapped(tg_text_string(&functions), e->language->width, out);
    else if (!helpers_last)
      tg_text_add(out, tg_text_string(&functions));
    e->language->foot(e, out);
  }
  tg_text_fini(&functions);
  return status == TG_OK ? tg_text_status(out) : status;
}

static tg_status check(const tg_derivation *d)
{
  const tg_derive_words *words = &d->words;
  if (!d->scalar)
    TG_FAIL(TG_USAGE, "%sa function is exported of a scalar expression; this one is a matrix", words->command);
  if (d->within != NULL)
    TG_FAIL(TG_USAGE, "%sa function is exported for free entries; leave out %swithin and project its gradient",
            words->command, words->dash);
  for (int32_t k = 0; k < d->n_targets; k++)
    if (d->targets[k].transposed)
      TG_FAIL(TG_USAGE, "%sa function is exported by names, found the transpose %s' in %swrt", words->command,
              d->targets[k].name, words->dash);
  return TG_OK;
}

static tg_status export_all(tg_export *e, tg_text *out)
{
  TG_TRY(name_arguments(e));
  TG_TRY(tg_export_plan(e));
  TG_TRY(name_sizes(e));
  TG_TRY(tg_export_name_sums(e));
  TG_TRY(name_buffers(e));
  TG_TRY(name_directions(e));
  return write(e, out);
}

tg_status tg_export_function(const tg_derivation *d, tg_export_target target, tg_text *out)
{
  tg_export *e = NULL;
  TG_TRY(check(d));
  TG_TRY(TG_NEW(1, &e));
  *e = (tg_export){.d = d, .language = languages[target], .target = target};
  tg_arena_init(&e->arena);
  tg_text_init(&e->body);
  const tg_status status = export_all(e, out);
  tg_export_unplan(e);
  tg_text_fini(&e->body);
  tg_arena_fini(&e->arena);
  tg_free(e);
  return status;
}
