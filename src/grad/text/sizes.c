// Unification of sizes.
#include "grad/text/sizes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

void tg_sizes_init(tg_sizes *sizes, tg_arena *arena)
{
  *sizes = (tg_sizes){.arena = arena};
}

void tg_sizes_fini(tg_sizes *sizes)
{
  tg_free(sizes->variables);
  tg_free(sizes->deferred);
  tg_free(sizes->wishes);
  *sizes = (tg_sizes){0};
}

void tg_sizes_clear(tg_sizes *sizes)
{
  sizes->n_variables = 0;
  sizes->n_deferred = 0;
  sizes->n_wishes = 0;
}

tg_size tg_size_number(int64_t value)
{
  return (tg_size){.number = value};
}

static tg_status store(const tg_sizes *sizes, const tg_size_form *form, tg_size *out)
{
  *out = (tg_size){0};
  if (tg_size_form_is_number(form, &out->number)) return TG_OK;
  tg_size_term *terms = NULL;
  TG_TRY(TG_ARENA_NEW(sizes->arena, (size_t)form->n_terms, &terms));
  memcpy(terms, form->terms, sizeof *terms * (size_t)form->n_terms);
  out->n_terms = form->n_terms;
  out->terms = terms;
  return TG_OK;
}

static void load(tg_size a, tg_size_form *out)
{
  *out = tg_size_form_number(a.number);
  if (a.n_terms == 0) return;
  out->n_terms = a.n_terms;
  memcpy(out->terms, a.terms, sizeof out->terms[0] * (size_t)a.n_terms);
}

static tg_status store_variable(const tg_sizes *sizes, int32_t variable, tg_size *out)
{
  const tg_size_form form = tg_size_form_variable(variable);
  return store(sizes, &form, out);
}

static tg_status new_variable(tg_sizes *sizes, const char *name, bool rigid, tg_size *out)
{
  if (sizes->n_variables == sizes->capacity) {
    const int32_t capacity = sizes->capacity > 0 ? 2 * sizes->capacity : 32;
    TG_TRY(tg_grow(capacity, sizeof(tg_size_variable), (void **)&sizes->variables));
    sizes->capacity = capacity;
  }
  sizes->variables[sizes->n_variables] = (tg_size_variable){.name = name, .rigid = rigid};
  return store_variable(sizes, sizes->n_variables++, out);
}

tg_status tg_size_unknown(tg_sizes *sizes, tg_size *out)
{
  return new_variable(sizes, NULL, false, out);
}

tg_status tg_size_named(tg_sizes *sizes, const char *name, bool rigid, tg_size *out)
{
  for (int32_t i = 0; i < sizes->n_variables; i++) {
    if (sizes->variables[i].name == NULL || strcmp(sizes->variables[i].name, name) != 0) continue;
    return store_variable(sizes, i, out);
  }
  const char *copy = NULL;
  TG_TRY(tg_arena_string(sizes->arena, name, strlen(name), &copy));
  return new_variable(sizes, copy, rigid, out);
}

tg_status tg_size_times(tg_sizes *sizes, tg_size a, tg_size b, tg_size *out)
{
  tg_size_form x;
  tg_size_form y;
  load(a, &x);
  load(b, &y);
  TG_TRY(tg_size_form_times(&x, &y, &x));
  return store(sizes, &x, out);
}

tg_status tg_size_sum(tg_sizes *sizes, tg_size a, int64_t factor, tg_size b, tg_size *out)
{
  tg_size_form x;
  tg_size_form y;
  load(a, &x);
  load(b, &y);
  TG_TRY(tg_size_form_add(&x, factor, &y, &x));
  return store(sizes, &x, out);
}

tg_status tg_size_expand(const tg_sizes *sizes, tg_size a, tg_size_form *out)
{
  tg_size_form sum = tg_size_form_number(a.n_terms > 0 ? 0 : a.number);
  for (int32_t t = 0; t < a.n_terms; t++) {
    tg_size_form product = tg_size_form_number(a.terms[t].coef);
    for (int32_t i = 0; i < a.terms[t].n; i++) {
      const tg_size_variable *variable = &sizes->variables[a.terms[t].vars[i]];
      tg_size_form factor = tg_size_form_variable(a.terms[t].vars[i]);
      // Bindings point to older or resolved variables only, so this ends.
      if (variable->bound) TG_TRY(tg_size_expand(sizes, variable->value, &factor));
      TG_TRY(tg_size_form_times(&product, &factor, &product));
    }
    TG_TRY(tg_size_form_add(&sum, 1, &product, &sum));
  }
  *out = sum;
  return TG_OK;
}

// A size that is too long to expand is none that is asked for.
static bool expands(const tg_sizes *sizes, tg_size a, tg_size_form *out)
{
  if (tg_size_expand(sizes, a, out) == TG_OK) return true;
  tg_error_clear();
  return false;
}

bool tg_size_is_one(const tg_sizes *sizes, tg_size a)
{
  int64_t value = 0;
  return tg_size_is_number(sizes, a, &value) && value == 1;
}

bool tg_size_is_number(const tg_sizes *sizes, tg_size a, int64_t *value)
{
  tg_size_form form;
  // An unknown that stands for another, or for none.
  while (a.n_terms == 1 && a.terms[0].n == 1 && a.terms[0].coef == 1) {
    const tg_size_variable *variable = &sizes->variables[a.terms[0].vars[0]];
    if (!variable->bound) return false;
    a = variable->value;
  }
  *value = a.number;
  return a.n_terms == 0 || (expands(sizes, a, &form) && tg_size_form_is_number(&form, value));
}

bool tg_size_is_equal(const tg_sizes *sizes, tg_size a, tg_size b)
{
  tg_size_form x;
  tg_size_form y;
  return expands(sizes, a, &x) && expands(sizes, b, &y) && tg_size_form_is_equal(&x, &y);
}

bool tg_size_is_at_least(const tg_sizes *sizes, tg_size a, tg_size b)
{
  tg_size_form x;
  tg_size_form y;
  if (!expands(sizes, a, &x) || !expands(sizes, b, &y)) return false;
  return tg_size_form_add(&x, -1, &y, &x) == TG_OK && tg_size_form_is_at_least(&x, 0);
}

int32_t tg_size_variable_of(const tg_sizes *sizes, tg_size a)
{
  tg_size_form form;
  if (!expands(sizes, a, &form) || form.n_terms != 1) return -1;
  return form.terms[0].n == 1 && form.terms[0].coef == 1 ? form.terms[0].vars[0] : -1;
}

// ---- equations ----

static tg_status bind(tg_sizes *sizes, int32_t variable, const tg_size_form *value)
{
  TG_TRY(store(sizes, value, &sizes->variables[variable].value));
  sizes->variables[variable].bound = true;
  return TG_OK;
}

// Solves difference = 0 for the variable of term t, if it stands there alone and nowhere else: *value is what it must
// be then.
static tg_status solve_term(const tg_sizes *sizes, const tg_size_form *difference, int32_t t, bool *solved,
                            tg_size_form *value)
{
  const tg_size_term *term = &difference->terms[t];
  *solved = term->n == 1 && (term->coef == 1 || term->coef == -1) && !sizes->variables[term->vars[0]].rigid;
  if (!*solved) return TG_OK;
  const tg_size_form alone = tg_size_form_variable(term->vars[0]);
  TG_TRY(tg_size_form_add(difference, -term->coef, &alone, value));
  *solved = !tg_size_form_contains(value, term->vars[0]);
  const tg_size_form zero = {0};
  return tg_size_form_add(&zero, -term->coef, value, value);
}

// Binds the unknown that the equation determines, where that is at least 1 for certain, or where it `may` be; between
// several the nameless, youngest one is bound.
static tg_status bind_one(tg_sizes *sizes, const tg_size_form *difference, bool may, bool *done)
{
  int32_t best = -1;
  tg_size_form best_value = {0};
  for (int32_t t = 0; t < difference->n_terms; t++) {
    tg_size_form value;
    bool solved = false;
    TG_TRY(solve_term(sizes, difference, t, &solved, &value));
    if (!solved || !(may || tg_size_form_is_at_least(&value, 1))) continue;
    const int32_t variable = difference->terms[t].vars[0];
    const bool is_named = sizes->variables[variable].name != NULL;
    const bool best_named = best >= 0 && sizes->variables[best].name != NULL;
    if (best >= 0 && (is_named == best_named ? variable < best : is_named)) continue;
    best = variable;
    best_value = value;
  }
  *done = best >= 0;
  return *done ? bind(sizes, best, &best_value) : TG_OK;
}

typedef enum outcome { EQUAL, DIFFERENT, UNDECIDED } outcome;

// A sum of products that are whole must be a given number: it is at least the sum of their coefficients, and if it is
// no more, all sizes are 1.
static tg_status unify_number(tg_sizes *sizes, const tg_size_form *products, int64_t number, outcome *out)
{
  int64_t least = 0;
  for (int32_t t = 0; t < products->n_terms; t++) least += products->terms[t].coef;
  if (least < 0) least = -least;
  if (number < least) *out = DIFFERENT;
  if (number != least) return TG_OK;
  *out = EQUAL;
  for (int32_t t = 0; t < products->n_terms; t++)
    for (int32_t i = 0; i < products->terms[t].n; i++) {
      const tg_size_form one = tg_size_form_number(1);
      const int32_t variable = products->terms[t].vars[i];
      if (sizes->variables[variable].rigid)
        *out = DIFFERENT;
      else
        TG_TRY(bind(sizes, variable, &one));
    }
  return TG_OK;
}

// What an equation of several terms, none of which it determines, says all the same.
static tg_status unify_open(tg_sizes *sizes, const tg_size_form *difference, outcome *out)
{
  tg_size_form products = *difference;
  const tg_size_term *last = &products.terms[products.n_terms - 1];
  const int64_t number = last->n == 0 ? last->coef : 0;
  bool is_flexible = false;
  int n_positive = 0;
  if (last->n == 0) products.n_terms--;
  for (int32_t t = 0; t < products.n_terms; t++) {
    n_positive += products.terms[t].coef > 0;
    for (int32_t i = 0; i < products.terms[t].n; i++)
      is_flexible = is_flexible || !sizes->variables[products.terms[t].vars[i]].rigid;
  }
  *out = is_flexible ? UNDECIDED : DIFFERENT;
  const bool one_sign = n_positive == 0 || n_positive == products.n_terms;
  if (!is_flexible || (number == 0 && !one_sign)) return TG_OK;
  // Sizes are positive.
  if (one_sign && (number == 0 || (number > 0) == (n_positive > 0))) {
    *out = DIFFERENT;
    return TG_OK;
  }
  if (number % tg_size_form_divisor(&products) != 0) *out = DIFFERENT;
  if (*out == DIFFERENT || !one_sign) return TG_OK;
  return unify_number(sizes, &products, number < 0 ? -number : number, out);
}

static tg_status find_difference(const tg_sizes *sizes, tg_size a, tg_size b, tg_size_form *out)
{
  tg_size_form y;
  TG_TRY(tg_size_expand(sizes, a, out));
  TG_TRY(tg_size_expand(sizes, b, &y));
  TG_TRY(tg_size_form_add(out, -1, &y, out));
  tg_size_form_reduce(out);
  return TG_OK;
}

static tg_status try_unify(tg_sizes *sizes, tg_size a, tg_size b, outcome *out)
{
  tg_size_form difference;
  int64_t number = 0;
  bool done = false;
  TG_TRY(find_difference(sizes, a, b, &difference));
  *out = EQUAL;
  if (tg_size_form_is_number(&difference, &number)) {
    *out = number == 0 ? EQUAL : DIFFERENT;
    return TG_OK;
  }
  TG_TRY(bind_one(sizes, &difference, false, &done));
  return done ? TG_OK : unify_open(sizes, &difference, out);
}

tg_status tg_size_unify(tg_sizes *sizes, tg_size a, tg_size b, tg_span span, bool *equal)
{
  outcome result = EQUAL;
  TG_TRY(try_unify(sizes, a, b, &result));
  *equal = result != DIFFERENT;
  if (result != UNDECIDED) return TG_OK;
  if (sizes->n_deferred == sizes->deferred_capacity) {
    const int32_t capacity = sizes->deferred_capacity > 0 ? 2 * sizes->deferred_capacity : 8;
    TG_TRY(tg_grow(capacity, sizeof(tg_size_pair), (void **)&sizes->deferred));
    sizes->deferred_capacity = capacity;
  }
  sizes->deferred[sizes->n_deferred++] = (tg_size_pair){a, b, span};
  return TG_OK;
}

tg_status tg_size_wish(tg_sizes *sizes, tg_size a, tg_size b)
{
  if (sizes->n_wishes == sizes->wishes_capacity) {
    const int32_t capacity = sizes->wishes_capacity > 0 ? 2 * sizes->wishes_capacity : 8;
    TG_TRY(tg_grow(capacity, sizeof(tg_size_pair), (void **)&sizes->wishes));
    sizes->wishes_capacity = capacity;
  }
  sizes->wishes[sizes->n_wishes++] = (tg_size_pair){.a = a, .b = b};
  return TG_OK;
}

// Makes the wishes true that can be.
static tg_status grant_wishes(tg_sizes *sizes, bool *progress)
{
  *progress = sizes->n_wishes > 0;
  for (int32_t i = 0; i < sizes->n_wishes; i++) {
    outcome unused = EQUAL;
    TG_TRY(try_unify(sizes, sizes->wishes[i].a, sizes->wishes[i].b, &unused));
  }
  sizes->n_wishes = 0;
  return TG_OK;
}

static tg_status fail_undecided(tg_sizes *sizes, const tg_size_pair *pair, bool different)
{
  tg_text a;
  tg_text b;
  tg_text_init(&a);
  tg_text_init(&b);
  tg_size_print(sizes, pair->a, &a);
  tg_size_print(sizes, pair->b, &b);
  const tg_status status = tg_error_set_at(TG_SHAPE, TG_HERE, pair->span,
                                           different ? "the sizes %s and %s differ"
                                                     : "cannot tell whether %s = %s; give the sizes with --dims",
                                           tg_text_string(&a), tg_text_string(&b));
  tg_text_fini(&a);
  tg_text_fini(&b);
  return status;
}

// One round over the waiting equations: those that can be decided now are.
static tg_status settle_round(tg_sizes *sizes, bool *progress)
{
  int32_t kept = 0;
  *progress = false;
  for (int32_t i = 0; i < sizes->n_deferred; i++) {
    outcome result = EQUAL;
    TG_TRY(try_unify(sizes, sizes->deferred[i].a, sizes->deferred[i].b, &result));
    if (result == DIFFERENT) return fail_undecided(sizes, &sizes->deferred[i], true);
    if (result == UNDECIDED)
      sizes->deferred[kept++] = sizes->deferred[i];
    else
      *progress = true;
  }
  sizes->n_deferred = kept;
  return TG_OK;
}

// m*p = n*q and m + p = n + q have many solutions; m = n, p = q is the one that is meant by kron(A, X) where a square
// matrix is needed, and by [A, B] + [C, D].
static tg_status assume_in_order(tg_sizes *sizes, const tg_size_form *difference, bool *done)
{
  const tg_size_term *sides[2][TG_SIZE_TERMS_MAX];
  int32_t n[2] = {0, 0};
  for (int32_t t = 0; t < difference->n_terms; t++) {
    const int side = difference->terms[t].coef < 0;
    sides[side][n[side]++] = &difference->terms[t];
  }
  *done = n[0] == n[1];
  for (int32_t t = 0; *done && t < n[0]; t++)
    *done = sides[0][t]->n == sides[1][t]->n && sides[0][t]->coef == -sides[1][t]->coef;
  for (int32_t t = 0; *done && t < n[0]; t++)
    for (int32_t i = 0; *done && i < sides[0][t]->n; i++) {
      outcome result = EQUAL;
      tg_size x;
      tg_size y;
      TG_TRY(store_variable(sizes, sides[0][t]->vars[i], &x));
      TG_TRY(store_variable(sizes, sides[1][t]->vars[i], &y));
      TG_TRY(try_unify(sizes, x, y, &result));
      *done = result == EQUAL;
    }
  return TG_OK;
}

// The first equation that nothing decides.
static tg_status assume_first(tg_sizes *sizes, bool *done)
{
  tg_size_form difference;
  TG_TRY(find_difference(sizes, sizes->deferred[0].a, sizes->deferred[0].b, &difference));
  TG_TRY(assume_in_order(sizes, &difference, done));
  return *done ? TG_OK : bind_one(sizes, &difference, true, done);
}

tg_status tg_sizes_settle(tg_sizes *sizes)
{
  bool progress = true;
  while (progress && sizes->n_deferred > 0) {
    TG_TRY(settle_round(sizes, &progress));
    if (!progress && sizes->n_deferred > 0) TG_TRY(grant_wishes(sizes, &progress));
    if (!progress && sizes->n_deferred > 0) TG_TRY(assume_first(sizes, &progress));
  }
  return sizes->n_deferred > 0 ? fail_undecided(sizes, &sizes->deferred[0], false) : TG_OK;
}

static bool name_taken(const tg_sizes *sizes, const char *name)
{
  if (sizes->reserved != NULL && tg_name_index_find(sizes->reserved, name) >= 0) return true;
  for (int32_t i = 0; i < sizes->n_variables; i++)
    if (sizes->variables[i].name != NULL && strcmp(sizes->variables[i].name, name) == 0) return true;
  return false;
}

tg_status tg_sizes_name_unknowns(tg_sizes *sizes)
{
  static const char *const letters[] = {"m", "n", "p", "q", "r", "s", "k", "l"};
  const int32_t n_letters = (int32_t)(sizeof letters / sizeof letters[0]);
  int32_t next = 0;
  for (int32_t i = 0; i < sizes->n_variables; i++) {
    tg_size_variable *variable = &sizes->variables[i];
    if (variable->bound || variable->name != NULL) continue;
    char name[24];
    do {
      if (next < n_letters)
        snprintf(name, sizeof name, "%s", letters[next]);
      else
        snprintf(name, sizeof name, "n%" PRId32, next - n_letters + 1);
      next++;
    } while (name_taken(sizes, name));
    TG_TRY(tg_arena_string(sizes->arena, name, strlen(name), &variable->name));
  }
  return TG_OK;
}

static const char *name_of(const void *context, int32_t variable)
{
  return ((const tg_sizes *)context)->variables[variable].name;
}

static void print_side(tg_sizes *sizes, tg_size a, bool is_side, tg_text *out)
{
  tg_size_form form;
  if (!expands(sizes, a, &form) || tg_sizes_name_unknowns(sizes) != TG_OK) {
    tg_text_add(out, "?");
    return;
  }
  const bool is_sum = is_side && form.n_terms > 1;
  tg_text_add(out, is_sum ? "(" : "");
  tg_size_form_print(&form, name_of, sizes, out);
  tg_text_add(out, is_sum ? ")" : "");
}

void tg_size_print(tg_sizes *sizes, tg_size a, tg_text *out)
{
  print_side(sizes, a, false, out);
}

void tg_size_print_shape(tg_sizes *sizes, tg_size rows, tg_size cols, tg_text *out)
{
  print_side(sizes, rows, true, out);
  tg_text_add(out, " x ");
  print_side(sizes, cols, true, out);
}
