// Sizes as unknowns: polynomials in size variables, made equal by unification.
#ifndef TG_GRAD_SIZES_H
#define TG_GRAD_SIZES_H

#include "base/text.h"
#include "grad/text/ast.h"
#include "grad/text/name_index.h"

typedef struct tg_size_variable {
  const char *name; // NULL until one is given
  bool rigid;       // named by the user: equal to itself alone
  bool bound;
  tg_size value;
} tg_size_variable;

typedef struct tg_size_pair {
  tg_size a;
  tg_size b;
  tg_span span;
} tg_size_pair;

typedef struct tg_sizes {
  tg_arena *arena;
  tg_size_variable *variables;
  int32_t n_variables;
  int32_t capacity;
  tg_size_pair *deferred; // equations in products of unknowns, tried again at the end
  int32_t n_deferred;
  int32_t deferred_capacity;
  tg_size_pair *wishes; // equations that hold where nothing else decides
  int32_t n_wishes;
  int32_t wishes_capacity;
  const tg_name_index *reserved; // names that no unknown gets; may be NULL
} tg_sizes;

void tg_sizes_init(tg_sizes *sizes, tg_arena *arena);
void tg_sizes_fini(tg_sizes *sizes);
// Forgets every size; the reserved names stay.
void tg_sizes_clear(tg_sizes *sizes);
tg_size tg_size_number(int64_t value);
// A new unknown; with a name, the variable of that name, made if there is none.
tg_status tg_size_unknown(tg_sizes *sizes, tg_size *out);
tg_status tg_size_named(tg_sizes *sizes, const char *name, bool rigid, tg_size *out);
tg_status tg_size_times(tg_sizes *sizes, tg_size a, tg_size b, tg_size *out);
// a + factor*b; may be no size, as the 0 before the first index.
tg_status tg_size_sum(tg_sizes *sizes, tg_size a, int64_t factor, tg_size b, tg_size *out);
// The size with every bound variable replaced, as a polynomial.
tg_status tg_size_expand(const tg_sizes *sizes, tg_size a, tg_size_form *out);
// The same questions of what the size is by now.
bool tg_size_is_one(const tg_sizes *sizes, tg_size a);
bool tg_size_is_number(const tg_sizes *sizes, tg_size a, int64_t *value); // of any sign
bool tg_size_is_equal(const tg_sizes *sizes, tg_size a, tg_size b);
bool tg_size_is_at_least(const tg_sizes *sizes, tg_size a, tg_size b); // whatever the open sizes are
int32_t tg_size_variable_of(const tg_sizes *sizes, tg_size a);         // the unknown that it is, or -1
// Makes a and b equal, if they can be: *equal tells. span is kept for an equation that must wait.
tg_status tg_size_unify(tg_sizes *sizes, tg_size a, tg_size b, tg_span span, bool *equal);
// Keeps a = b for when the waiting equations cannot be decided without.
tg_status tg_size_wish(tg_sizes *sizes, tg_size a, tg_size b);
// Tries the waiting equations until none yields, then with the wishes; where nothing else decides, m*p = n*q is taken
// for m = n, p = q, m + p = n + q likewise, and m + p = n, n named by the user, for p = n - m. TG_SHAPE at the span of
// the first that cannot be decided.
tg_status tg_sizes_settle(tg_sizes *sizes);
// Gives every unbound variable without a name one: m, n, p, q, ...
tg_status tg_sizes_name_unknowns(tg_sizes *sizes);
// "3", "m", "2*m*n", "n+p"; unknowns get their names first.
void tg_size_print(tg_sizes *sizes, tg_size a, tg_text *out);
void tg_size_print_shape(tg_sizes *sizes, tg_size rows, tg_size cols, tg_text *out); // "3 x m", "(n+p) x q"

#endif
