// The option table and the conversion of its rows from and to text.
#include "opt/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const opt_option_row rows[] = {
#define OPT_OPTION(name, row_kind, row_initial, row_smallest, row_largest, row_help) \
  {.key = #name,                                                                     \
   .kind = OPT_KIND_##row_kind,                                                      \
   .initial = row_initial,                                                           \
   .smallest = row_smallest,                                                         \
   .largest = row_largest,                                                           \
   .help = row_help,                                                                 \
   .offset = offsetof(opt_options, name)},
#include "opt/options.def"
#undef OPT_OPTION
};

enum { N_ROWS = sizeof rows / sizeof rows[0] };

static const char *const method_names[] = {
    "auto",
#define OPT_SOLVER(name, table, help) name,
#include "opt/solvers.def"
#undef OPT_SOLVER
    NULL,
};

static const char *const line_search_names[] = {
    "auto",
#define OPT_LINE_SEARCH(name, table, help) name,
#include "opt/line_searches.def"
#undef OPT_LINE_SEARCH
    NULL,
};

// In the order of opt_preconditioner_choice, opt_beta, opt_saddles and opt_retraction.
static const char *const preconditioner_names[] = {"auto", "none", "diagonal", "kronecker", NULL};
static const char *const beta_names[] = {"auto", "polak-ribiere", "hestenes-stiefel", "dai-yuan", "hager-zhang", NULL};
static const char *const saddles_names[] = {"leave", "stop", NULL};
static const char *const retraction_names[] = {"auto", "qr", "polar", NULL};

int opt_option_count(void)
{
  return N_ROWS;
}

const opt_option_row *opt_option_at(int index)
{
  TG_ASSERT(index >= 0 && index < N_ROWS);
  return &rows[index];
}

const opt_option_row *opt_option_find(const char *key)
{
  for (int i = 0; i < N_ROWS; i++) {
    if (strcmp(rows[i].key, key) == 0) return &rows[i];
  }
  return NULL;
}

const char *const *opt_option_choices(opt_option_kind kind)
{
  switch (kind) {
  case OPT_KIND_METHOD:
    return method_names;
  case OPT_KIND_LINE_SEARCH:
    return line_search_names;
  case OPT_KIND_PRECONDITIONER:
    return preconditioner_names;
  case OPT_KIND_BETA:
    return beta_names;
  case OPT_KIND_RETRACTION:
    return retraction_names;
  case OPT_KIND_SADDLES:
    return saddles_names;
  case OPT_KIND_NUMBER:
  case OPT_KIND_COUNT:
  case OPT_KIND_SECONDS:
    break;
  }
  return NULL;
}

void opt_option_print_range(const opt_option_row *row, tg_text *out)
{
  const char *const *choices = opt_option_choices(row->kind);
  if (choices != NULL) {
    for (int i = 0; choices[i] != NULL; i++) tg_text_addf(out, "%s%s", i > 0 ? " | " : "", choices[i]);
    return;
  }
  const char *const nouns[] = {
      [OPT_KIND_NUMBER] = "number", [OPT_KIND_COUNT] = "whole number", [OPT_KIND_SECONDS] = "time"};
  tg_text_add_number(out, row->smallest);
  tg_text_addf(out, " <= %s", nouns[row->kind]);
  if (isinf(row->largest)) return;
  tg_text_add(out, " <= ");
  tg_text_add_number(out, row->largest);
}

// The row's rules and the value that breaks them, in one sentence.
static tg_status refuse(const opt_option_row *row, const char *value, const char *problem)
{
  tg_text range;
  tg_text_init(&range);
  opt_option_print_range(row, &range);
  const char *const *choices = opt_option_choices(row->kind);
  size_t n_choices = 0;
  while (choices != NULL && choices[n_choices] != NULL) n_choices++;
  const char *nearest = n_choices > 0 ? tg_nearest_word(value, choices, n_choices) : NULL;
  const tg_status status = tg_error_set(TG_VALUE, TG_HERE, "%s: '%s' %s, expected %s%s%s%s", row->key, value, problem,
                                        tg_text_string(&range), nearest != NULL ? "; did you mean '" : "",
                                        nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
  tg_text_fini(&range);
  return status;
}

static tg_status parse_choice(const opt_option_row *row, const char *value, int32_t *out)
{
  const char *const *choices = opt_option_choices(row->kind);
  for (int32_t i = 0; choices[i] != NULL; i++) {
    if (strcmp(choices[i], value) != 0) continue;
    *out = i;
    return TG_OK;
  }
  return tg_error_pass(refuse(row, value, "is not among the choices"), TG_HERE);
}

// Seconds in a unit that may follow a time, 0 for none of them.
static double unit_seconds(const char *unit)
{
  static const struct {
    const char *name;
    double seconds;
  } units[] = {{"", 1}, {"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}};
  for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
    if (strcmp(units[i].name, unit) == 0) return units[i].seconds;
  }
  return 0;
}

// A decimal number: strtod without its hexadecimal, "nan" and "infinity", and without leading space.
static tg_status parse_number(const opt_option_row *row, const char *value, double *out)
{
  // Letters that may stand in a number or its unit; the unit itself is checked below.
  const char *letters = row->kind == OPT_KIND_SECONDS ? "eEsminhd" : "eE";
  const size_t plain = strspn(value, "+-.0123456789");
  bool legal = plain > 0;
  for (const char *c = value; *c != '\0'; c++)
    legal = legal && (strchr("+-.0123456789", *c) != NULL || strchr(letters, *c) != NULL);
  if (!legal) return tg_error_pass(refuse(row, value, "is not a number"), TG_HERE);
  char *end = NULL;
  errno = 0;
  double number = strtod(value, &end);
  if (end == value) return tg_error_pass(refuse(row, value, "is not a number"), TG_HERE);
  if (row->kind == OPT_KIND_SECONDS) {
    const double factor = unit_seconds(end);
    if (factor == 0) return tg_error_pass(refuse(row, value, "is not a time like 90, 30s, 10min, 2h or 1d"), TG_HERE);
    number *= factor;
  } else if (*end != '\0') {
    return tg_error_pass(refuse(row, value, "is not a number"), TG_HERE);
  }
  if (!isfinite(number) || number < row->smallest || number > row->largest)
    return tg_error_pass(refuse(row, value, "is out of range"), TG_HERE);
  if (row->kind == OPT_KIND_COUNT && number != floor(number))
    return tg_error_pass(refuse(row, value, "is not a whole number"), TG_HERE);
  *out = number;
  return TG_OK;
}

// The field of a row; the kind decides its type.
static void *field_of(opt_options *options, const opt_option_row *row)
{
  return (char *)options + row->offset;
}

static const void *const_field_of(const opt_options *options, const opt_option_row *row)
{
  return (const char *)options + row->offset;
}

static tg_status set_row(opt_options *options, const opt_option_row *row, const char *value)
{
  if (opt_option_choices(row->kind) != NULL) {
    int32_t choice = 0;
    TG_TRY(parse_choice(row, value, &choice));
    *(int32_t *)field_of(options, row) = choice;
    return TG_OK;
  }
  double number = 0;
  TG_TRY(parse_number(row, value, &number));
  if (row->kind == OPT_KIND_COUNT) {
    *(int64_t *)field_of(options, row) = (int64_t)number;
  } else {
    *(double *)field_of(options, row) = number;
  }
  return TG_OK;
}

tg_status opt_option_set(opt_options *options, const char *key, const char *value)
{
  const opt_option_row *row = opt_option_find(key);
  if (row == NULL) {
    const char *keys[N_ROWS];
    for (int i = 0; i < N_ROWS; i++) keys[i] = rows[i].key;
    const char *nearest = tg_nearest_word(key, keys, N_ROWS);
    TG_FAIL(TG_NAME, "unknown solver option '%s'%s%s%s", key, nearest != NULL ? "; did you mean '" : "",
            nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
  }
  TG_TRY(set_row(options, row, value));
  return TG_OK;
}

void opt_options_init(opt_options *options)
{
  *options = (opt_options){.wording = &opt_wording_minimum};
  for (int i = 0; i < N_ROWS; i++) {
    // A default outside its own row's range is our mistake.
    TG_ASSERT(set_row(options, &rows[i], rows[i].initial) == TG_OK);
  }
}

int32_t opt_option_choice(opt_option_kind kind, const char *name)
{
  const char *const *names = opt_option_choices(kind);
  int32_t k = 0;
  while (names[k] != NULL && strcmp(names[k], name) != 0) k++;
  TG_ASSERT(names[k] != NULL);
  return k;
}

bool opt_option_is_default(const opt_options *options, const opt_option_row *row)
{
  opt_options defaults;
  opt_options_init(&defaults);
  const void *own = const_field_of(options, row);
  const void *initial = const_field_of(&defaults, row);
  if (opt_option_choices(row->kind) != NULL) return *(const int32_t *)own == *(const int32_t *)initial;
  if (row->kind == OPT_KIND_COUNT) return *(const int64_t *)own == *(const int64_t *)initial;
  return *(const double *)own == *(const double *)initial;
}

void opt_option_print(const opt_options *options, const opt_option_row *row, tg_text *out)
{
  const char *const *choices = opt_option_choices(row->kind);
  if (choices != NULL) {
    tg_text_add(out, choices[*(const int32_t *)const_field_of(options, row)]);
  } else if (row->kind == OPT_KIND_COUNT) {
    tg_text_addf(out, "%" PRId64, *(const int64_t *)const_field_of(options, row));
  } else {
    tg_text_add_number(out, *(const double *)const_field_of(options, row));
  }
}
