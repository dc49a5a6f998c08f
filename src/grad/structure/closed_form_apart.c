// The operator of a quadratic with its terms apart, the job's numbers in their coefficients: bases that make it
// diagonal for any values of these numbers.
#include "base/memory.h"
#include "grad/graph/op.h"
#include "grad/structure/closed_form_parts.h"

// f with the numbers in the place of their symbols: what is a multiple of a matrix is one of the same matrix then.
static tg_status put_numbers(tg_graph *g, tg_node f, const double *values, const bool *known, tg_node *out)
{
  const int32_t n_symbols = tg_symbol_count(g);
  int32_t *symbols = NULL;
  tg_node *numbers = NULL;
  int32_t n = 0;
  TG_TRY(TG_SCRATCH(g, n_symbols + 1, &symbols));
  TG_TRY(TG_SCRATCH(g, n_symbols + 1, &numbers));
  for (int32_t k = 0; k < n_symbols; k++) {
    if (!known[k]) continue;
    symbols[n] = k;
    TG_TRY(tg_make_num(g, values[k], &numbers[n++]));
  }
  return tg_substitute(g, f, n, symbols, numbers, out);
}

static tg_status read_groups(tg_graph *g, const tg_structure *s, int32_t *n_out, tg_closed_group **out)
{
  *n_out = 0;
  TG_TRY(TG_SCRATCH(g, s->n_terms, out));
  for (int32_t k = 0; k < s->n_terms; k++) {
    const tg_operator_term *term = &s->terms[k];
    if (term->transposed || term->scalars != TG_NONE) {
      *n_out = 0;
      return TG_OK;
    }
    (*out)[(*n_out)++] = (tg_closed_group){.coef = term->coef,
                                           .left = tg_closed_is_identity(g, term->left) ? TG_NONE : term->left,
                                           .right = tg_closed_is_identity(g, term->right) ? TG_NONE : term->right};
  }
  return TG_OK;
}

tg_status tg_closed_form_find_apart(tg_graph *graph, tg_node f, int32_t wrt, const double *values, const bool *known,
                                    tg_closed_form *out)
{
  tg_structure structure;
  tg_closed_group *groups = NULL;
  tg_node plain = TG_NONE;
  int32_t n = 0;
  *out = (tg_closed_form){.scale = 1.0, .symbol = wrt, .why = {.code = TG_CLOSED_WHY_WEIGHTS}};
  TG_TRY(put_numbers(graph, f, values, known, &plain));
  TG_TRY(tg_structure_find(graph, plain, wrt, &structure));
  if (structure.degree != 2 || !structure.has_operator) return TG_OK;
  TG_TRY(read_groups(graph, &structure, &n, &groups));
  if (n < 2) return TG_OK; // one term is no sum that a number could shift
  return tg_closed_form_of_groups(graph, wrt, n, groups, out);
}
