// Sizes of a graph: interned polynomials in named sizes.
#include "grad/graph/dims.h"

#include <string.h>

#include "base/memory.h"
#include "grad/graph/op.h"

void tg_dim_table_fini(tg_dim_table *table)
{
  tg_free(table->forms);
  tg_free(table->names);
  *table = (tg_dim_table){0};
}

static tg_status intern(tg_graph *g, const tg_size_form *form, tg_dim *out)
{
  tg_dim_table *table = tg_graph_dims(g);
  for (int32_t i = 0; i < table->n_forms; i++) {
    if (!tg_size_form_is_equal(&table->forms[i], form)) continue;
    *out = i;
    return TG_OK;
  }
  const tg_size_form copy = *form; // of the table itself, perhaps
  if (table->n_forms == table->capacity) {
    const int32_t capacity = table->capacity > 0 ? 2 * table->capacity : 32;
    TG_TRY(tg_grow(capacity, sizeof(tg_size_form), (void **)&table->forms));
    table->capacity = capacity;
  }
  table->forms[table->n_forms] = copy;
  *out = table->n_forms++;
  return TG_OK;
}

tg_status tg_dim_number(tg_graph *graph, int64_t value, tg_dim *out)
{
  TG_ASSERT(value >= 1);
  const tg_size_form form = tg_size_form_number(value);
  return intern(graph, &form, out);
}

tg_status tg_dim_named(tg_graph *graph, const char *name, tg_dim *out)
{
  tg_dim_table *table = tg_graph_dims(graph);
  int32_t index = 0;
  while (index < table->n_names && strcmp(table->names[index], name) != 0) index++;
  if (index == table->n_names) {
    if (table->n_names == table->names_capacity) {
      const int32_t capacity = table->names_capacity > 0 ? 2 * table->names_capacity : 32;
      TG_TRY(tg_grow(capacity, sizeof(char *), (void **)&table->names));
      table->names_capacity = capacity;
    }
    char *copy = NULL;
    TG_TRY(TG_SCRATCH(graph, (int64_t)strlen(name) + 1, &copy));
    memcpy(copy, name, strlen(name) + 1);
    table->names[table->n_names++] = copy;
  }
  const tg_size_form form = tg_size_form_variable(index);
  return intern(graph, &form, out);
}

tg_status tg_dim_product(tg_graph *graph, tg_dim a, tg_dim b, tg_dim *out)
{
  tg_size_form product;
  TG_TRY(tg_size_form_times(tg_dim_form(graph, a), tg_dim_form(graph, b), &product));
  return intern(graph, &product, out);
}

tg_status tg_dim_quotient(tg_graph *graph, tg_dim whole, tg_dim part, tg_dim *out)
{
  tg_size_form quotient;
  bool exact = false;
  TG_TRY(tg_size_form_divide(tg_dim_form(graph, whole), tg_dim_form(graph, part), &exact, &quotient));
  if (!exact) TG_FAIL(TG_INTERNAL, "a size is not a multiple of its factor");
  return intern(graph, &quotient, out);
}

tg_status tg_dim_sum(tg_graph *graph, tg_dim a, int64_t factor, tg_dim b, tg_dim *out)
{
  tg_size_form sum;
  TG_TRY(tg_size_form_add(tg_dim_form(graph, a), factor, tg_dim_form(graph, b), &sum));
  return intern(graph, &sum, out);
}

tg_status tg_dim_offset(tg_graph *graph, tg_dim a, int64_t number, tg_dim *out)
{
  const tg_size_form one = tg_size_form_number(1);
  tg_size_form sum;
  TG_TRY(tg_size_form_add(tg_dim_form(graph, a), number, &one, &sum));
  return intern(graph, &sum, out);
}

bool tg_dim_is_one(const tg_graph *graph, tg_dim dim)
{
  return tg_dim_value(graph, dim) == 1;
}

int64_t tg_dim_value(const tg_graph *graph, tg_dim dim)
{
  int64_t value = 0;
  return tg_dim_is_number(graph, dim, &value) && value >= 1 ? value : -1;
}

bool tg_dim_is_number(const tg_graph *graph, tg_dim dim, int64_t *value)
{
  return tg_size_form_is_number(tg_dim_form(graph, dim), value);
}

bool tg_dim_is_at_least(const tg_graph *graph, tg_dim a, tg_dim b)
{
  tg_size_form difference;
  if (tg_size_form_add(tg_dim_form(graph, a), -1, tg_dim_form(graph, b), &difference) != TG_OK) {
    tg_error_clear();
    return false;
  }
  return tg_size_form_is_at_least(&difference, 0);
}

const tg_size_form *tg_dim_form(const tg_graph *graph, tg_dim dim)
{
  return &tg_graph_known_dims(graph)->forms[dim];
}

const char *tg_dim_name(const tg_graph *graph, int32_t variable)
{
  return tg_graph_known_dims(graph)->names[variable];
}

int32_t tg_dim_name_count(const tg_graph *graph)
{
  return tg_graph_known_dims(graph)->n_names;
}

static const char *name_of(const void *context, int32_t variable)
{
  return tg_dim_name(context, variable);
}

void tg_dim_print(const tg_graph *graph, tg_dim dim, tg_text *out)
{
  tg_size_form_print(tg_dim_form(graph, dim), name_of, graph, out);
}

static void print_side(const tg_graph *graph, tg_dim dim, tg_text *out)
{
  const bool is_sum = tg_dim_form(graph, dim)->n_terms > 1;
  tg_text_add(out, is_sum ? "(" : "");
  tg_dim_print(graph, dim, out);
  tg_text_add(out, is_sum ? ")" : "");
}

void tg_dim_print_shape(const tg_graph *graph, tg_dim rows, tg_dim cols, tg_text *out)
{
  print_side(graph, rows, out);
  tg_text_add(out, " x ");
  print_side(graph, cols, out);
}

static int compare_ints(int64_t a, int64_t b)
{
  return (a > b) - (a < b);
}

int tg_dim_compare(const tg_graph *g, tg_dim a, tg_dim b)
{
  const tg_size_form *x = tg_dim_form(g, a);
  const tg_size_form *y = tg_dim_form(g, b);
  int order = a == b ? 0 : compare_ints(x->n_terms, y->n_terms);
  for (int32_t t = 0; order == 0 && t < x->n_terms; t++) {
    order = compare_ints(x->terms[t].n, y->terms[t].n);
    if (order == 0) order = compare_ints(x->terms[t].coef, y->terms[t].coef);
    for (int32_t i = 0; order == 0 && i < x->terms[t].n; i++)
      order = strcmp(tg_dim_name(g, x->terms[t].vars[i]), tg_dim_name(g, y->terms[t].vars[i]));
  }
  return order;
}

uint64_t tg_dim_hash(const tg_graph *g, tg_dim dim)
{
  const tg_size_form *form = tg_dim_form(g, dim);
  uint64_t sum = 0;
  for (int32_t t = 0; t < form->n_terms; t++) {
    uint64_t product = (uint64_t)form->terms[t].coef;
    for (int32_t i = 0; i < form->terms[t].n; i++)
      for (const char *c = tg_dim_name(g, form->terms[t].vars[i]); *c != '\0'; c++)
        product = product * UINT64_C(1099511628211) + (uint64_t)(unsigned char)*c;
    sum += product;
  }
  return sum;
}
