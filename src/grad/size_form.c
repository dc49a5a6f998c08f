// Arithmetic of sizes.
#include "grad/size_form.h"

#include <inttypes.h>
#include <string.h>

tg_size_form tg_size_form_number(int64_t value)
{
  tg_size_form form = {0};
  if (value != 0) form.terms[form.n_terms++].coef = value;
  return form;
}

tg_size_form tg_size_form_variable(int32_t variable)
{
  return (tg_size_form){.n_terms = 1, .terms = {{.coef = 1, .n = 1, .vars = {variable}}}};
}

// The order of terms: it is kept where both are multiplied by the same, as division needs it.
static int compare_terms(const tg_size_term *a, const tg_size_term *b)
{
  if (a->n != b->n) return a->n > b->n ? -1 : 1;
  for (int32_t i = 0; i < a->n; i++)
    if (a->vars[i] != b->vars[i]) return a->vars[i] < b->vars[i] ? -1 : 1;
  return 0;
}

static tg_status fail_long(void)
{
  TG_FAIL(TG_LIMIT, "a size is a sum of more than %d products of unknown sizes; give sizes in numbers",
          TG_SIZE_TERMS_MAX);
}

static tg_status fail_large(void)
{
  TG_FAIL(TG_LIMIT, "a size is beyond what can be counted");
}

static tg_status add_term(tg_size_form *form, const tg_size_term *term)
{
  int32_t at = 0;
  while (at < form->n_terms && compare_terms(&form->terms[at], term) < 0) at++;
  if (at < form->n_terms && compare_terms(&form->terms[at], term) == 0) {
    if (__builtin_add_overflow(form->terms[at].coef, term->coef, &form->terms[at].coef)) return fail_large();
    if (form->terms[at].coef != 0) return TG_OK;
    form->n_terms--;
    memmove(&form->terms[at], &form->terms[at + 1], sizeof form->terms[0] * (size_t)(form->n_terms - at));
    return TG_OK;
  }
  if (form->n_terms == TG_SIZE_TERMS_MAX) return fail_long();
  memmove(&form->terms[at + 1], &form->terms[at], sizeof form->terms[0] * (size_t)(form->n_terms - at));
  form->terms[at] = *term;
  form->n_terms++;
  return TG_OK;
}

static tg_status multiply_terms(const tg_size_term *a, const tg_size_term *b, tg_size_term *out)
{
  tg_size_term product = {0};
  int32_t i = 0;
  int32_t j = 0;
  if (__builtin_mul_overflow(a->coef, b->coef, &product.coef)) return fail_large();
  if (a->n + b->n > TG_SIZE_FACTORS_MAX)
    TG_FAIL(TG_LIMIT, "a size is the product of more than %d unknown sizes; give sizes in numbers",
            TG_SIZE_FACTORS_MAX);
  while (i < a->n || j < b->n) {
    const bool from_a = j == b->n || (i < a->n && a->vars[i] <= b->vars[j]);
    product.vars[product.n++] = from_a ? a->vars[i++] : b->vars[j++];
  }
  *out = product;
  return TG_OK;
}

// *out += factor * a
static tg_status add_multiple(tg_size_form *out, const tg_size_term *factor, const tg_size_form *a)
{
  for (int32_t i = 0; i < a->n_terms; i++) {
    tg_size_term term;
    TG_TRY(multiply_terms(factor, &a->terms[i], &term));
    TG_TRY(add_term(out, &term));
  }
  return TG_OK;
}

tg_status tg_size_form_add(const tg_size_form *a, int64_t factor, const tg_size_form *b, tg_size_form *out)
{
  tg_size_form sum = *a;
  if (factor != 0) TG_TRY(add_multiple(&sum, &(tg_size_term){.coef = factor}, b));
  *out = sum;
  return TG_OK;
}

tg_status tg_size_form_times(const tg_size_form *a, const tg_size_form *b, tg_size_form *out)
{
  tg_size_form product = {0};
  for (int32_t i = 0; i < a->n_terms; i++) TG_TRY(add_multiple(&product, &a->terms[i], b));
  *out = product;
  return TG_OK;
}

// a / b of two terms.
static bool divide_terms(const tg_size_term *a, const tg_size_term *b, tg_size_term *out)
{
  tg_size_term quotient = {.coef = a->coef / b->coef};
  int32_t j = 0;
  for (int32_t i = 0; i < a->n; i++) {
    if (j < b->n && a->vars[i] == b->vars[j])
      j++;
    else
      quotient.vars[quotient.n++] = a->vars[i];
  }
  *out = quotient;
  return j == b->n && a->coef % b->coef == 0;
}

// Long division: the first term of what is left by the first of the divisor.
tg_status tg_size_form_divide(const tg_size_form *a, const tg_size_form *b, bool *exact, tg_size_form *out)
{
  tg_size_form rest = *a;
  tg_size_form quotient = {0};
  *exact = b->n_terms > 0;
  while (*exact && rest.n_terms > 0) {
    tg_size_term term;
    *exact = divide_terms(&rest.terms[0], &b->terms[0], &term);
    if (!*exact) break;
    TG_TRY(add_term(&quotient, &term));
    term.coef = -term.coef;
    TG_TRY(add_multiple(&rest, &term, b));
  }
  *out = quotient;
  return TG_OK;
}

bool tg_size_form_is_number(const tg_size_form *a, int64_t *value)
{
  *value = a->n_terms > 0 ? a->terms[0].coef : 0;
  return a->n_terms == 0 || (a->n_terms == 1 && a->terms[0].n == 0);
}

bool tg_size_form_is_equal(const tg_size_form *a, const tg_size_form *b)
{
  bool equal = a->n_terms == b->n_terms;
  for (int32_t i = 0; equal && i < a->n_terms; i++)
    equal = a->terms[i].coef == b->terms[i].coef && compare_terms(&a->terms[i], &b->terms[i]) == 0;
  return equal;
}

bool tg_size_form_contains(const tg_size_form *a, int32_t variable)
{
  for (int32_t i = 0; i < a->n_terms; i++)
    for (int32_t k = 0; k < a->terms[i].n; k++)
      if (a->terms[i].vars[k] == variable) return true;
  return false;
}

// A negative term is paid for by positive ones that have its factors among theirs: m*n >= m, m >= 1.
bool tg_size_form_is_at_least(const tg_size_form *a, int64_t least)
{
  tg_size_form left = *a;
  for (int32_t i = left.n_terms - 1; i >= 0; i--) {
    for (int32_t k = 0; k < left.n_terms && left.terms[i].coef < 0; k++) {
      tg_size_term unused;
      tg_size_term factors = left.terms[i];
      factors.coef = 1;
      if (left.terms[k].coef <= 0 || !divide_terms(&left.terms[k], &factors, &unused)) continue;
      const int64_t paid = left.terms[k].coef < -left.terms[i].coef ? left.terms[k].coef : -left.terms[i].coef;
      left.terms[k].coef -= paid;
      left.terms[i].coef += paid;
    }
    if (left.terms[i].coef < 0 && left.terms[i].n > 0) return false;
  }
  int64_t smallest = 0;
  for (int32_t i = 0; i < left.n_terms; i++)
    if (__builtin_add_overflow(smallest, left.terms[i].coef, &smallest)) return left.terms[i].coef > 0;
  return smallest >= least;
}

int64_t tg_size_form_value(const tg_size_form *a, const int64_t *numbers)
{
  int64_t sum = 0;
  for (int32_t i = 0; i < a->n_terms; i++) {
    int64_t product = a->terms[i].coef;
    for (int32_t k = 0; k < a->terms[i].n; k++) {
      const int64_t number = numbers[a->terms[i].vars[k]];
      if (number < 1 || __builtin_mul_overflow(product, number, &product)) return -1;
    }
    if (__builtin_add_overflow(sum, product, &sum)) return -1;
  }
  return sum >= 1 ? sum : -1;
}

static int64_t greatest_divisor(int64_t a, int64_t b)
{
  while (b != 0) {
    const int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a < 0 ? -a : a;
}

// Whether every term has the variable; one factor of it is taken out then.
static bool take_out(tg_size_form *a, int32_t variable)
{
  const tg_size_term factor = {.coef = 1, .n = 1, .vars = {variable}};
  tg_size_form rest = *a;
  for (int32_t i = 0; i < a->n_terms; i++)
    if (!divide_terms(&a->terms[i], &factor, &rest.terms[i])) return false;
  *a = rest;
  return true;
}

int64_t tg_size_form_divisor(const tg_size_form *a)
{
  int64_t divisor = 0;
  for (int32_t i = 0; i < a->n_terms; i++) divisor = greatest_divisor(divisor, a->terms[i].coef);
  return divisor;
}

void tg_size_form_reduce(tg_size_form *a)
{
  const int64_t divisor = tg_size_form_divisor(a);
  if (divisor == 0) return; // no terms
  for (int32_t i = 0; i < a->n_terms; i++) a->terms[i].coef /= divisor;
  const tg_size_term first = a->terms[0];
  for (int32_t k = 0; k < first.n; k++) (void)take_out(a, first.vars[k]);
}

static void print_term(const tg_size_term *term, tg_size_namer *name, const void *context, tg_text *out)
{
  const int64_t coef = term->coef < 0 ? -term->coef : term->coef;
  if (term->n == 0 || coef != 1) tg_text_addf(out, "%" PRId64, coef);
  for (int32_t i = 0; i < term->n; i++)
    tg_text_addf(out, "%s%s", i > 0 || coef != 1 ? "*" : "", name(context, term->vars[i]));
}

// What is added stands before what is taken off.
void tg_size_form_print(const tg_size_form *a, tg_size_namer *name, const void *context, tg_text *out)
{
  bool begun = false;
  for (int pass = 0; pass < 2; pass++)
    for (int32_t i = 0; i < a->n_terms; i++) {
      if ((a->terms[i].coef < 0) != (pass == 1)) continue;
      tg_text_add(out, pass == 1 ? "-" : begun ? "+" : "");
      print_term(&a->terms[i], name, context, out);
      begun = true;
    }
  if (a->n_terms == 0) tg_text_add(out, "0");
}
