// Derivations for programs that are not ours: include/tracegrad.h.
#include "tracegrad.h"

#include <string.h>

#include "api/error.h"
#include "base/memory.h"
#include "derive/claim.h"
#include "derive/print.h"

// A text that was handed out.
typedef struct kept_text {
  struct kept_text *next;
  int part;
  int k;
  int format;
  const char *text;
} kept_text;

typedef struct kept_size {
  struct kept_size *next;
  tg_dim dim;
  tracegrad_size size;
} kept_size;

struct tracegrad_derivation {
  tg_derivation *d;
  tg_messages messages;
  tg_text notes;
  bool is_used;    // derived, or tried to
  bool is_derived; // with success
  tg_arena arena;  // of the texts that are handed out
  kept_text *texts;
  kept_size *sizes;
  int32_t n_sources; // without those of claims
  const char *names[TG_TARGETS_MAX];
};

// ---- failures ----

static int fail(tg_status status)
{
  return tg_api_fail(status, NULL);
}

// What is wrong with the texts of a derivation, from the first-th error on.
static int fail_in(const tracegrad_derivation *h, tg_status status, int first)
{
  const tg_api_texts texts = {h->d->n_sources, h->d->sources};
  return tg_api_fail_all(status, &h->d->errors, first, &texts);
}

#define REFUSE(...) return fail(tg_error_set(TG_USAGE, TG_HERE, __VA_ARGS__))
#define NEED(pointer)                                                                 \
  do {                                                                                \
    if ((pointer) == NULL) REFUSE("%s: the argument " #pointer " is NULL", __func__); \
  } while (0)
#define NEED_DERIVED(h)                                                                  \
  do {                                                                                   \
    NEED(h);                                                                             \
    if (!(h)->is_derived) REFUSE("%s: nothing was derived yet, or it failed", __func__); \
  } while (0)

// ---- the object ----

static void take_message(void *self, tg_message_kind kind, tg_mark mark, const char *text)
{
  tracegrad_derivation *h = self;
  (void)mark;
  tg_text_addf(&h->notes, "%s%s: %s", h->notes.length > 0 ? "\n" : "", kind == TG_MESSAGE_NOTE ? "note" : "warning",
               text);
}

static tg_status create(tracegrad_derivation **out)
{
  tracegrad_derivation *h = NULL;
  TG_TRY(TG_NEW(1, &h));
  h->messages = (tg_messages){.say = take_message, .self = h};
  tg_text_init(&h->notes);
  tg_arena_init(&h->arena);
  const tg_status status = tg_derivation_create(NULL, &h->messages, &h->d);
  if (status != TG_OK) tg_free(h);
  if (status == TG_OK) *out = h;
  return status;
}

int tracegrad_derivation_create(tracegrad_derivation **out)
{
  NEED(out);
  *out = NULL;
  return fail(create(out));
}

void tracegrad_derivation_destroy(tracegrad_derivation **d)
{
  if (d == NULL || *d == NULL) return;
  tg_derivation_destroy(&(*d)->d);
  tg_text_fini(&(*d)->notes);
  tg_arena_fini(&(*d)->arena);
  tg_free(*d);
  *d = NULL;
}

// ---- options ----

// An error of the text is kept by the derivation, which goes on; here it is reported at once.
static int set(tracegrad_derivation *h, const char *option, const char *value)
{
  tg_errors *errors = &h->d->errors;
  const int before = errors->count;
  tg_error_clear();
  tg_status status = tg_derivation_set(h->d, option, value);
  if (status == TG_OK && errors->count > before) status = tg_errors_restore(errors, before);
  if (status == TG_OK) status = tg_error_get()->code; // one that was kept before
  return fail_in(h, status, before);
}

int tracegrad_derivation_set(tracegrad_derivation *d, const char *option, const char *value)
{
  NEED(d);
  NEED(option);
  NEED(value);
  if (d->is_used) REFUSE("%s: options are set before anything is derived", __func__);
  tg_api_call call;
  const tg_status status = tg_api_enter(&call);
  if (status != TG_OK) return fail(status);
  const int exit_class = set(d, option, value);
  tg_api_leave(&call);
  return exit_class;
}

// ---- deriving ----

static tg_status keep_string(tracegrad_derivation *h, const char *text, const char **out)
{
  return tg_arena_string(&h->arena, text, strlen(text), out);
}

static tg_status keep_names(tracegrad_derivation *h)
{
  for (int32_t k = 0; k < h->d->n_targets; k++) {
    const tg_target *target = &h->d->targets[k];
    tg_text name;
    tg_text_init(&name);
    tg_text_addf(&name, "%s%s", target->name, target->transposed ? "'" : "");
    tg_status status = tg_text_status(&name);
    if (status == TG_OK) status = keep_string(h, tg_text_string(&name), &h->names[k]);
    tg_text_fini(&name);
    TG_TRY(status);
  }
  return TG_OK;
}

static tg_status derive(tracegrad_derivation *h, const char *expression)
{
  TG_TRY(tg_derivation_read(h->d, expression));
  TG_TRY(tg_errors_raise(&h->d->errors));
  tg_derivation_warn_of_unused(h->d);
  TG_TRY(tg_text_status(&h->notes));
  TG_TRY(tg_derivation_derive(h->d));
  TG_TRY(keep_names(h));
  h->n_sources = h->d->n_sources;
  h->is_derived = true;
  return TG_OK;
}

int tracegrad_derivation_derive(tracegrad_derivation *d, const char *expression)
{
  NEED(d);
  NEED(expression);
  if (d->is_used) REFUSE("%s: a derivation derives once; make another one", __func__);
  tg_api_call call;
  const tg_status entered = tg_api_enter(&call);
  if (entered != TG_OK) return fail(entered);
  d->is_used = true;
  const tg_status status = derive(d, expression);
  tg_api_leave(&call);
  return fail_in(d, status, 0);
}

// NAME=VALUE
static tg_status split(const char *text, tg_text *name, const char **value)
{
  const size_t length = strcspn(text, "=");
  if (text[length] != '=') TG_FAIL(TG_USAGE, "options are texts NAME=VALUE, found '%s'", text);
  tg_text_clear(name);
  tg_text_add_bytes(name, text, length);
  *value = text + length + 1;
  return tg_text_status(name);
}

// A wrong option does not end it: everything that is wrong is found when the expression is read.
static int set_all(tracegrad_derivation *h, const char *const *options)
{
  tg_text name;
  int exit_class = 0;
  tg_text_init(&name);
  for (; options != NULL && *options != NULL && exit_class != 1; options++) {
    const char *value = NULL;
    tg_status status = split(*options, &name, &value);
    if (status == TG_OK) exit_class = tracegrad_derivation_set(h, tg_text_string(&name), value);
    if (status != TG_OK) status = tg_derivation_keep(h->d, 0, status);
    if (status != TG_OK) exit_class = fail(status);
  }
  tg_text_fini(&name);
  return exit_class == 1 ? 1 : 0;
}

int tracegrad_derive(const char *expression, const char *const *options, tracegrad_derivation **out)
{
  NEED(out);
  *out = NULL;
  NEED(expression);
  tracegrad_derivation *d = NULL;
  int exit_class = tracegrad_derivation_create(&d);
  if (exit_class == 0) exit_class = set_all(d, options);
  if (exit_class == 0) exit_class = tracegrad_derivation_derive(d, expression);
  if (exit_class != 0) tracegrad_derivation_destroy(&d);
  *out = d;
  return exit_class;
}

// ---- texts ----

static tg_status print(tracegrad_derivation *h, int part, int k, int format, tg_text *out)
{
  static const tg_derive_format formats[] = {
      [TRACEGRAD_HUMAN] = TG_DERIVE_HUMAN,    [TRACEGRAD_ASCII] = TG_DERIVE_HUMAN,
      [TRACEGRAD_EXPR] = TG_DERIVE_EXPR,      [TRACEGRAD_LATEX] = TG_DERIVE_LATEX,
      [TRACEGRAD_NUMPY] = TG_DERIVE_NUMPY,    [TRACEGRAD_OCTAVE] = TG_DERIVE_OCTAVE,
      [TRACEGRAD_JSON] = TG_DERIVE_JSON,      [TRACEGRAD_JULIA] = TG_DERIVE_JULIA,
      [TRACEGRAD_MATLAB] = TG_DERIVE_MATLAB,  [TRACEGRAD_PYTORCH] = TG_DERIVE_PYTORCH,
      [TRACEGRAD_JAX] = TG_DERIVE_JAX,        [TRACEGRAD_C] = TG_DERIVE_C,
      [TRACEGRAD_FORTRAN] = TG_DERIVE_FORTRAN};
  static const tg_derive_part parts[] = {
      [TRACEGRAD_EXPRESSION] = TG_PART_EXPRESSION, [TRACEGRAD_DERIVATIVE] = TG_PART_DERIVATIVE,
      [TRACEGRAD_HESSIAN] = TG_PART_HESSIAN,       [TRACEGRAD_STEPS] = TG_PART_STEPS,
      [TRACEGRAD_STRUCTURE] = TG_PART_STRUCTURE,   [TRACEGRAD_FUNCTION] = TG_PART_FUNCTION};
  const tg_derive_view view = {.format = formats[format], .utf8 = format == TRACEGRAD_HUMAN};
  if (part == TRACEGRAD_EVERYTHING) return tg_derivation_print(h->d, &view, out);
  return tg_derivation_print_part(h->d, parts[part], k, &view, out);
}

// One line loses its end.
static tg_status keep_text(tracegrad_derivation *h, int part, int k, int format, tg_text *text, const char **out)
{
  kept_text *kept = NULL;
  const char *string = tg_text_string(text);
  const char *line = strchr(string, '\n');
  const bool is_one_line = line != NULL && line[1] == '\0';
  if ((int64_t)text->length > h->d->max_bytes)
    TG_FAIL(TG_LIMIT, "the text has %zu bytes, more than max_bytes", text->length);
  TG_TRY(TG_ARENA_NEW(&h->arena, 1, &kept));
  TG_TRY(tg_arena_string(&h->arena, string, text->length - (is_one_line ? 1 : 0), &kept->text));
  kept->part = part;
  kept->k = k;
  kept->format = format;
  kept->next = h->texts;
  h->texts = kept;
  *out = kept->text;
  return TG_OK;
}

static tg_status make_text(tracegrad_derivation *h, int part, int k, int format, const char **out)
{
  tg_text text;
  tg_text_init(&text);
  tg_status status = print(h, part, k, format, &text);
  if (status == TG_OK) status = keep_text(h, part, k, format, &text, out);
  tg_text_fini(&text);
  return status;
}

static bool belongs_to_name(int part)
{
  return part == TRACEGRAD_DERIVATIVE || part == TRACEGRAD_HESSIAN || part == TRACEGRAD_STEPS ||
         part == TRACEGRAD_STRUCTURE;
}

static tg_status check_part(const tracegrad_derivation *h, int part, int k)
{
  if (part < TRACEGRAD_EVERYTHING || part > TRACEGRAD_FUNCTION) TG_FAIL(TG_USAGE, "there is no part %d", part);
  if (belongs_to_name(part) && (k < 0 || k >= h->d->n_targets))
    TG_FAIL(TG_USAGE, "there is no name %d: wrt has %d, counted from 0", k, h->d->n_targets);
  return TG_OK;
}

static tg_status find_text(tracegrad_derivation *h, int part, int k, int format, const char **out)
{
  TG_TRY(check_part(h, part, k));
  if (format < TRACEGRAD_HUMAN || format > TRACEGRAD_FORTRAN) TG_FAIL(TG_USAGE, "there is no format %d", format);
  if (!belongs_to_name(part)) k = 0;
  if (part == TRACEGRAD_NOTES) {
    *out = tg_text_string(&h->notes);
    return TG_OK;
  }
  for (const kept_text *kept = h->texts; kept != NULL; kept = kept->next) {
    if (kept->part != part || kept->k != k || kept->format != format) continue;
    *out = kept->text;
    return TG_OK;
  }
  return make_text(h, part, k, format, out);
}

int tracegrad_derivation_text(tracegrad_derivation *d, int part, int k, int format, const char **out)
{
  NEED(out);
  *out = NULL;
  NEED_DERIVED(d);
  tg_api_call call;
  tg_status status = tg_api_enter(&call);
  if (status != TG_OK) return fail(status);
  status = find_text(d, part, k, format, out);
  tg_api_leave(&call);
  return fail(status);
}

// ---- names and sizes ----

int tracegrad_derivation_is_scalar(const tracegrad_derivation *d)
{
  return d != NULL && d->is_derived && d->d->scalar;
}

int tracegrad_derivation_count(const tracegrad_derivation *d)
{
  return d != NULL && d->is_derived ? d->d->n_targets : 0;
}

const char *tracegrad_derivation_wrt(const tracegrad_derivation *d, int k)
{
  return k >= 0 && k < tracegrad_derivation_count(d) ? d->names[k] : NULL;
}

const char *tracegrad_derivation_direction(const tracegrad_derivation *d, int k)
{
  return k >= 0 && k < tracegrad_derivation_count(d) ? d->d->targets[k].direction : NULL;
}

static tg_status keep_size(tracegrad_derivation *h, tg_dim dim, tracegrad_size *out)
{
  tg_text text;
  kept_size *kept = h->sizes;
  while (kept != NULL && kept->dim != dim) kept = kept->next;
  if (kept == NULL) {
    tg_text_init(&text);
    tg_dim_print(h->d->graph, dim, &text);
    tg_status status = tg_text_status(&text);
    if (status == TG_OK) status = TG_ARENA_NEW(&h->arena, 1, &kept);
    if (status == TG_OK) status = keep_string(h, tg_text_string(&text), &kept->size.text);
    tg_text_fini(&text);
    TG_TRY(status);
    kept->dim = dim;
    kept->size.number = tg_dim_value(h->d->graph, dim);
    kept->next = h->sizes;
    h->sizes = kept;
  }
  *out = kept->size;
  return TG_OK;
}

static bool is_shown(const tg_symbol *symbol)
{
  return symbol->free || symbol->twin < 0;
}

int tracegrad_derivation_symbol_count(const tracegrad_derivation *d)
{
  int count = 0;
  if (d == NULL || !d->is_derived) return 0;
  for (int32_t s = 0; s < d->d->n_symbols; s++) count += is_shown(tg_symbol_info(d->d->graph, s));
  return count;
}

static uint32_t public_properties(unsigned properties)
{
  static const struct {
    unsigned ours;
    uint32_t theirs;
  } rows[] = {{TG_SYMMETRIC, TRACEGRAD_SYMMETRIC},
              {TG_SPD, TRACEGRAD_SPD},
              {TG_PSD, TRACEGRAD_PSD},
              {TG_DIAGONAL, TRACEGRAD_DIAGONAL},
              {TG_ORTHOGONAL, TRACEGRAD_ORTHOGONAL},
              {TG_POSITIVE, TRACEGRAD_POSITIVE}};
  uint32_t found = 0;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if ((properties & rows[i].ours) != 0) found |= rows[i].theirs;
  return found;
}

static int32_t place_in_wrt(const tg_derivation *d, int32_t symbol)
{
  for (int32_t k = 0; k < d->n_targets; k++)
    if (d->targets[k].symbol == symbol) return k;
  return -1;
}

static tg_status describe(tracegrad_derivation *h, int k, tracegrad_symbol *out)
{
  for (int32_t s = 0; s < h->d->n_symbols; s++) {
    const tg_symbol *symbol = tg_symbol_info(h->d->graph, s);
    if (!is_shown(symbol) || k-- > 0) continue;
    out->name = symbol->name;
    out->properties = public_properties(symbol->properties);
    out->wrt = place_in_wrt(h->d, s);
    TG_TRY(keep_size(h, symbol->rows, &out->rows));
    return keep_size(h, symbol->cols, &out->columns);
  }
  TG_FAIL(TG_INTERNAL, "a symbol is missing");
}

int tracegrad_derivation_symbol(tracegrad_derivation *d, int k, size_t bytes, tracegrad_symbol *out)
{
  NEED(out);
  NEED_DERIVED(d);
  if (bytes < sizeof *out) REFUSE("%s: a symbol has %zu bytes, %zu are given", __func__, sizeof *out, bytes);
  memset(out, 0, bytes);
  if (k < 0 || k >= tracegrad_derivation_symbol_count(d))
    REFUSE("%s: there is no symbol %d: there are %d, counted from 0", __func__, k,
           tracegrad_derivation_symbol_count(d));
  return fail(describe(d, k, out));
}

static tg_status find_shape(tracegrad_derivation *h, int part, int k, tracegrad_size *rows, tracegrad_size *columns)
{
  TG_TRY(check_part(h, part, k));
  if (part != TRACEGRAD_EXPRESSION && part != TRACEGRAD_DERIVATIVE && part != TRACEGRAD_HESSIAN)
    TG_FAIL(TG_USAGE, "the part %d has no shape", part);
  const tg_derive_part of = part == TRACEGRAD_EXPRESSION   ? TG_PART_EXPRESSION
                            : part == TRACEGRAD_DERIVATIVE ? TG_PART_DERIVATIVE
                                                           : TG_PART_HESSIAN;
  const tg_node node = tg_derivation_node(h->d, of, of == TG_PART_EXPRESSION ? 0 : k);
  if (node == TG_NONE) TG_FAIL(TG_USAGE, "there is no Hessian action: set the option hessian");
  TG_TRY(keep_size(h, tg_node_info(h->d->graph, node)->rows, rows));
  return keep_size(h, tg_node_info(h->d->graph, node)->cols, columns);
}

int tracegrad_derivation_shape(tracegrad_derivation *d, int part, int k, tracegrad_size *rows, tracegrad_size *columns)
{
  NEED(rows);
  NEED(columns);
  *rows = *columns = (tracegrad_size){0};
  NEED_DERIVED(d);
  return fail(find_shape(d, part, k, rows, columns));
}

// ---- claims ----

static tg_status claim_in(tracegrad_derivation *h, int k, const char *claim, int *verdict, const char **out)
{
  static const int verdicts[] = {[TG_VERDICT_EQUAL] = TRACEGRAD_EQUAL,
                                 [TG_VERDICT_DIFFERENT] = TRACEGRAD_DIFFERENT,
                                 [TG_VERDICT_UNDECIDED] = TRACEGRAD_UNDECIDED};
  tg_claim_verdict found = TG_VERDICT_UNDECIDED;
  tg_text text;
  tg_text_init(&text);
  tg_status status = tg_claim_check(h->d, k, claim, &found, &text);
  if (status == TG_OK) status = tg_errors_raise(&h->d->errors);
  if (status == TG_OK && out != NULL) status = keep_string(h, tg_text_string(&text), out);
  if (status == TG_OK) *verdict = verdicts[found];
  tg_text_fini(&text);
  return status;
}

int tracegrad_derivation_claim(tracegrad_derivation *d, int k, const char *claim, int *verdict, const char **text)
{
  NEED(verdict);
  *verdict = TRACEGRAD_UNDECIDED;
  if (text != NULL) *text = NULL;
  NEED_DERIVED(d);
  NEED(claim);
  if (k < 0 || k >= d->d->n_targets)
    REFUSE("%s: there is no name %d: wrt has %d, counted from 0", __func__, k, d->d->n_targets);
  tg_api_call call;
  const tg_status entered = tg_api_enter(&call);
  if (entered != TG_OK) return fail(entered);
  const tg_status status = claim_in(d, k, claim, verdict, text);
  tg_api_leave(&call);
  const int exit_class = fail_in(d, status, 0);
  // The next claim begins without the errors of this one.
  d->d->errors = (tg_errors){0};
  d->d->n_sources = d->n_sources;
  return exit_class;
}
