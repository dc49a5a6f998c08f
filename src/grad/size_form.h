// Sizes as polynomials: sums of products of named sizes with whole coefficients, as 3, m, 2*m*n, n+p and n-1, in one
// order of their terms, so that equal sizes have equal forms.
#ifndef TG_GRAD_SIZE_FORM_H
#define TG_GRAD_SIZE_FORM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/errors.h"
#include "base/text.h"

enum {
  TG_SIZE_FACTORS_MAX = 8, // named sizes in one product
  TG_SIZE_TERMS_MAX = 16   // products in one sum
};

// coef * product of the variables with these numbers.
typedef struct tg_size_term {
  int64_t coef; // not 0
  int32_t n;
  int32_t vars[TG_SIZE_FACTORS_MAX]; // ascending
} tg_size_term;

// A sum of terms, those of more factors first, then by their variables; without terms it is 0.
typedef struct tg_size_form {
  int32_t n_terms;
  tg_size_term terms[TG_SIZE_TERMS_MAX];
} tg_size_form;

tg_size_form tg_size_form_number(int64_t value);
tg_size_form tg_size_form_variable(int32_t variable);
// *out = a + factor*b; may be a or b.
tg_status tg_size_form_add(const tg_size_form *a, int64_t factor, const tg_size_form *b, tg_size_form *out);
tg_status tg_size_form_times(const tg_size_form *a, const tg_size_form *b, tg_size_form *out);
// a / b where that is a polynomial: *exact tells.
tg_status tg_size_form_divide(const tg_size_form *a, const tg_size_form *b, bool *exact, tg_size_form *out);
bool tg_size_form_is_number(const tg_size_form *a, int64_t *value);
bool tg_size_form_is_equal(const tg_size_form *a, const tg_size_form *b);
bool tg_size_form_contains(const tg_size_form *a, int32_t variable);
// Sizes are at least 1: whether a >= least for all of them.
bool tg_size_form_is_at_least(const tg_size_form *a, int64_t least);
// The value for numbers of the variables; -1 where one of them has none (is below 1), or the value is not a size.
int64_t tg_size_form_value(const tg_size_form *a, const int64_t *numbers);

// The greatest number that divides all coefficients; of 0 it is 0.
int64_t tg_size_form_divisor(const tg_size_form *a);
// Divides a by every factor that all of its terms share, numbers among them.
void tg_size_form_reduce(tg_size_form *a);

typedef const char *tg_size_namer(const void *context, int32_t variable);
// "3", "m", "2*m*n", "n+p", "n-1".
void tg_size_form_print(const tg_size_form *a, tg_size_namer *name, const void *context, tg_text *out);

#endif
