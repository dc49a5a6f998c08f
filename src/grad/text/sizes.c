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
  return (tg_size){.coef = value};
}

static tg_status new_variable(tg_sizes *sizes, const char *name, bool rigid, tg_size *out)
{
  if (sizes->n_variables == sizes->capacity) {
    const int32_t capacity = sizes->capacity > 0 ? 2 * sizes->capacity : 32;
    TG_TRY(tg_grow(capacity, sizeof(tg_size_variable), (void **)&sizes->variables));
    sizes->capacity = capacity;
  }
  sizes->variables[sizes->n_variables] = (tg_size_variable){.name = name, .rigid = rigid};
  *out = (tg_size){.coef = 1, .n_vars = 1, .vars = {sizes->n_variables++}};
  return TG_OK;
}

tg_status tg_size_unknown(tg_sizes *sizes, tg_size *out)
{
  return new_variable(sizes, NULL, false, out);
}

tg_status tg_size_named(tg_sizes *sizes, const char *name, bool rigid, tg_size *out)
{
  for (int32_t i = 0; i < sizes->n_variables; i++) {
    if (sizes->variables[i].name == NULL || strcmp(sizes->variables[i].name, name) != 0) continue;
    *out = (tg_size){.coef = 1, .n_vars = 1, .vars = {i}};
    return TG_OK;
  }
  const char *copy = NULL;
  TG_TRY(tg_arena_string(sizes->arena, name, strlen(name), &copy));
  return new_variable(sizes, copy, rigid, out);
}

tg_status tg_size_times(tg_sizes *sizes, tg_size a, tg_size b, tg_size *out)
{
  tg_size product = {0};
  (void)sizes;
  TG_TRY(tg_size_mul(a.coef, b.coef, &product.coef));
  if (a.n_vars + b.n_vars > TG_SIZE_FACTORS_MAX)
    TG_FAIL(TG_LIMIT, "a size is the product of more than %d unknown sizes; give --dims", TG_SIZE_FACTORS_MAX);
  int32_t i = 0;
  int32_t j = 0;
  while (i < a.n_vars || j < b.n_vars) {
    const bool from_a = j == b.n_vars || (i < a.n_vars && a.vars[i] <= b.vars[j]);
    product.vars[product.n_vars++] = from_a ? a.vars[i++] : b.vars[j++];
  }
  *out = product;
  return TG_OK;
}

tg_status tg_size_resolve(const tg_sizes *sizes, tg_size a, tg_size *out)
{
  tg_size result = tg_size_number(a.coef);
  for (int32_t i = 0; i < a.n_vars; i++) {
    const tg_size_variable *variable = &sizes->variables[a.vars[i]];
    tg_size factor = {.coef = 1, .n_vars = 1, .vars = {a.vars[i]}};
    // Bindings point to older or resolved variables only, so this ends.
    if (variable->bound) TG_TRY(tg_size_resolve(sizes, variable->value, &factor));
    TG_TRY(tg_size_times(NULL, result, factor, &result));
  }
  *out = result;
  return TG_OK;
}

bool tg_size_is_one(const tg_sizes *sizes, tg_size a)
{
  tg_size resolved;
  return tg_size_resolve(sizes, a, &resolved) == TG_OK && resolved.coef == 1 && resolved.n_vars == 0;
}

// Divides both by what they share.
static void cancel(tg_size *a, tg_size *b)
{
  tg_size x = tg_size_number(a->coef);
  tg_size y = tg_size_number(b->coef);
  int32_t i = 0;
  int32_t j = 0;
  while (i < a->n_vars || j < b->n_vars) {
    if (i < a->n_vars && j < b->n_vars && a->vars[i] == b->vars[j]) {
      i++;
      j++;
    } else if (j == b->n_vars || (i < a->n_vars && a->vars[i] < b->vars[j])) {
      x.vars[x.n_vars++] = a->vars[i++];
    } else {
      y.vars[y.n_vars++] = b->vars[j++];
    }
  }
  int64_t divisor = x.coef;
  for (int64_t rest = y.coef; rest != 0;) {
    const int64_t next = divisor % rest;
    divisor = rest;
    rest = next;
  }
  if (divisor > 1) {
    x.coef /= divisor;
    y.coef /= divisor;
  }
  *a = x;
  *b = y;
}

static void bind(tg_sizes *sizes, int32_t variable, tg_size value)
{
  sizes->variables[variable].bound = true;
  sizes->variables[variable].value = value;
}

static bool contains(const tg_size *a, int32_t variable)
{
  for (int32_t i = 0; i < a->n_vars; i++)
    if (a->vars[i] == variable) return true;
  return false;
}

// Solves x = b for a single unknown x; between two unknowns the nameless, younger one is bound.
static bool bind_single(tg_sizes *sizes, const tg_size *a, const tg_size *b)
{
  if (a->n_vars != 1 || a->coef != 1 || sizes->variables[a->vars[0]].rigid || contains(b, a->vars[0])) return false;
  if (b->n_vars == 1 && b->coef == 1 && !sizes->variables[b->vars[0]].rigid) {
    const bool a_named = sizes->variables[a->vars[0]].name != NULL;
    const bool b_named = sizes->variables[b->vars[0]].name != NULL;
    if ((a_named && !b_named) || (a_named == b_named && a->vars[0] < b->vars[0])) return false;
  }
  bind(sizes, a->vars[0], *b);
  return true;
}

typedef enum outcome { EQUAL, DIFFERENT, UNDECIDED } outcome;

static tg_status try_unify(tg_sizes *sizes, tg_size a, tg_size b, outcome *out)
{
  *out = EQUAL;
  TG_TRY(tg_size_resolve(sizes, a, &a));
  TG_TRY(tg_size_resolve(sizes, b, &b));
  cancel(&a, &b);
  if (a.n_vars == 0 && b.n_vars == 0) {
    *out = a.coef == b.coef ? EQUAL : DIFFERENT;
    return TG_OK;
  }
  if (bind_single(sizes, &a, &b) || bind_single(sizes, &b, &a)) return TG_OK;
  bool flexible = false;
  for (int32_t i = 0; i < a.n_vars; i++) flexible = flexible || !sizes->variables[a.vars[i]].rigid;
  for (int32_t i = 0; i < b.n_vars; i++) flexible = flexible || !sizes->variables[b.vars[i]].rigid;
  *out = flexible ? UNDECIDED : DIFFERENT;
  // A product of whole sizes equal to 1 has only factors 1; one that does not divide has no solution.
  const tg_size *product = a.n_vars > 0 ? &a : &b;
  const tg_size *other = a.n_vars > 0 ? &b : &a;
  if (other->n_vars > 0) return TG_OK;
  if (product->coef > 1) *out = DIFFERENT;
  if (*out != UNDECIDED || other->coef != 1) return TG_OK;
  for (int32_t i = 0; i < product->n_vars; i++) {
    if (sizes->variables[product->vars[i]].rigid) *out = DIFFERENT;
    if (!sizes->variables[product->vars[i]].rigid) bind(sizes, product->vars[i], tg_size_number(1));
  }
  if (*out == UNDECIDED) *out = EQUAL;
  return TG_OK;
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

// m*p = n*q has many solutions; m = n, p = q is the one that is meant by kron(A, X) where a square matrix is needed.
static tg_status assume_factorwise(tg_sizes *sizes, const tg_size_pair *pair, bool *done)
{
  tg_size a;
  tg_size b;
  TG_TRY(tg_size_resolve(sizes, pair->a, &a));
  TG_TRY(tg_size_resolve(sizes, pair->b, &b));
  cancel(&a, &b);
  *done = a.coef == b.coef && a.n_vars == b.n_vars;
  for (int32_t i = 0; *done && i < a.n_vars; i++) {
    outcome result = EQUAL;
    const tg_size x = {.coef = 1, .n_vars = 1, .vars = {a.vars[i]}};
    const tg_size y = {.coef = 1, .n_vars = 1, .vars = {b.vars[i]}};
    TG_TRY(try_unify(sizes, x, y, &result));
    *done = result == EQUAL;
  }
  return TG_OK;
}

tg_status tg_sizes_settle(tg_sizes *sizes)
{
  bool progress = true;
  while (progress && sizes->n_deferred > 0) {
    TG_TRY(settle_round(sizes, &progress));
    if (!progress && sizes->n_deferred > 0) TG_TRY(grant_wishes(sizes, &progress));
    if (!progress && sizes->n_deferred > 0) TG_TRY(assume_factorwise(sizes, &sizes->deferred[0], &progress));
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

void tg_size_print(tg_sizes *sizes, tg_size a, tg_text *out)
{
  tg_size resolved;
  if (tg_size_resolve(sizes, a, &resolved) != TG_OK || tg_sizes_name_unknowns(sizes) != TG_OK) {
    tg_text_add(out, "?");
    return;
  }
  if (resolved.coef != 1 || resolved.n_vars == 0) tg_text_addf(out, "%" PRId64, resolved.coef);
  for (int32_t i = 0; i < resolved.n_vars; i++)
    tg_text_addf(out, "%s%s", i > 0 || resolved.coef != 1 ? "*" : "", sizes->variables[resolved.vars[i]].name);
}
