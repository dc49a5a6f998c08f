// Terms of a derivation: how they are written and put together.
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "grad/explain/explain_parts.h"
#include "grad/graph/op.h"

// ---- writing ----

tg_status tg_explain_step(tg_explainer *e, int number, const char *text, const char *rule)
{
  tg_explanation *out = e->out;
  const bool is_last = number == -1; // the gradient is always shown
  out->bytes += strlen(text);
  out->shortened = out->shortened || out->n_steps >= TG_STEPS_MAX || out->bytes > TG_STEPS_BYTES_MAX;
  if (out->shortened && !is_last) return TG_OK;
  if (out->n_steps == out->capacity) {
    const int32_t capacity = out->capacity > 0 ? 2 * out->capacity : 32;
    TG_TRY(tg_grow(capacity, sizeof(tg_step), (void **)&out->steps));
    out->capacity = capacity;
  }
  tg_step *step = &out->steps[out->n_steps];
  *step = (tg_step){.term = number, .rule = rule};
  TG_TRY(tg_arena_string(&out->arena, text, strlen(text), &step->text));
  out->n_steps++;
  return TG_OK;
}

const char *tg_explain_times(const tg_explainer *e)
{
  return e->format == TG_FORMAT_UNICODE ? "·" : e->format == TG_FORMAT_LATEX ? " " : "*";
}

const char *tg_explain_d(const tg_explainer *e)
{
  return e->format == TG_FORMAT_LATEX ? "\\mathrm{d}" : "d";
}

const char *tg_explain_trace(const tg_explainer *e)
{
  return e->format == TG_FORMAT_LATEX ? "\\operatorname{tr}\\left(" : "tr(";
}

static const char *left_parenthesis(const tg_explainer *e)
{
  return e->format == TG_FORMAT_LATEX ? "\\left(" : "(";
}

const char *tg_explain_right(const tg_explainer *e)
{
  return e->format == TG_FORMAT_LATEX ? "\\right)" : ")";
}

tg_status tg_explain_print(const tg_explainer *e, tg_node node, bool is_factor, tg_text *out)
{
  if (out->length > TG_STEP_BYTES_MAX) return TG_OK; // cut already
  TG_TRY(is_factor ? tg_print_factor(e->g, node, e->format, TG_STEP_BYTES_MAX, out)
                   : tg_print_start(e->g, node, e->format, TG_STEP_BYTES_MAX, out));
  if (out->length > TG_STEP_BYTES_MAX) tg_text_add(out, " ...");
  return TG_OK;
}

static tg_status write_differential(tg_explainer *e, const tg_explain_term *t, tg_text *out)
{
  const bool leaf = tg_node_info(e->g, t->z)->kind == TG_SYM;
  tg_text_add(out, tg_explain_d(e));
  if (!leaf) tg_text_add(out, left_parenthesis(e));
  TG_TRY(tg_explain_print(e, t->z, false, out));
  if (!leaf) tg_text_add(out, tg_explain_right(e));
  if (t->transposed)
    tg_text_add(out, e->format == TG_FORMAT_UNICODE ? "ᵀ" : e->format == TG_FORMAT_LATEX ? "^{\\top}" : "'");
  return TG_OK;
}

static tg_status write_term(tg_explainer *e, const tg_explain_term *t, tg_text *out)
{
  const bool scalar = tg_node_is_scalar(e->g, t->z);
  const bool trace = !scalar || t->n_left > 0 || t->n_right > 0;
  if (t->coef == -1.0) tg_text_add(out, "-");
  if (t->coef != 1.0 && t->coef != -1.0) {
    tg_node number = TG_NONE;
    TG_TRY(tg_make_num(e->g, t->coef, &number));
    TG_TRY(tg_explain_print(e, number, false, out)); // 3 \cdot 10^{-7} in LaTeX
    tg_text_add(out, tg_explain_times(e));
  }
  if (t->scalars != TG_NONE) {
    TG_TRY(tg_explain_print(e, t->scalars, true, out));
    tg_text_add(out, tg_explain_times(e));
  }
  if (trace) tg_text_add(out, tg_explain_trace(e));
  for (int32_t i = 0; i < t->n_left; i++) {
    TG_TRY(tg_explain_print(e, t->left[i], true, out));
    tg_text_add(out, tg_explain_times(e));
  }
  if (t->had != TG_NONE) {
    tg_text_add(out, left_parenthesis(e));
    TG_TRY(tg_explain_print(e, t->had, true, out));
    tg_text_add(out, e->format == TG_FORMAT_UNICODE ? " ⊙ " : e->format == TG_FORMAT_LATEX ? " \\odot " : ".*");
  }
  TG_TRY(write_differential(e, t, out));
  if (t->had != TG_NONE) tg_text_add(out, tg_explain_right(e));
  for (int32_t i = 0; i < t->n_right; i++) {
    tg_text_add(out, tg_explain_times(e));
    TG_TRY(tg_explain_print(e, t->right[i], true, out));
  }
  if (trace) tg_text_add(out, tg_explain_right(e));
  return TG_OK;
}

// Writes the sum of some terms as one step of the term being moved.
tg_status tg_explain_write_terms(tg_explainer *e, int32_t n, const tg_explain_term *terms, const char *rule)
{
  tg_status status = TG_OK;
  tg_text text;
  if (e->out->shortened) return TG_OK;
  tg_text_init(&text);
  for (int32_t i = 0; i < n && status == TG_OK; i++) {
    tg_explain_term shown = terms[i];
    if (i > 0) tg_text_add(&text, shown.coef < 0.0 ? " - " : " + ");
    if (i > 0) shown.coef = fabs(shown.coef);
    status = write_term(e, &shown, &text);
  }
  if (status == TG_OK) status = tg_text_status(&text);
  if (status == TG_OK) status = tg_explain_step(e, e->number, tg_text_string(&text), rule);
  tg_text_fini(&text);
  return status;
}

// ---- parts of terms ----

bool tg_explain_active(const tg_explainer *e, tg_node node)
{
  return tg_node_depends_on(e->g, node, e->wrt);
}

tg_status tg_explain_times_scalar(tg_explainer *e, tg_node factor, tg_explain_term *t)
{
  double number = 0.0;
  if (tg_node_is_number(e->g, factor, &number)) {
    t->coef = tg_coef_product(t->coef, number);
    return TG_OK;
  }
  if (t->scalars != TG_NONE) TG_TRY(tg_make_mul(e->g, t->scalars, factor, &factor));
  tg_split split = {.coef = 1.0};
  TG_TRY(tg_take_content(e->g, factor, &split.coef, &t->scalars));
  t->coef = tg_coef_product(t->coef, split.coef);
  return TG_OK;
}

// list followed by n more factors, or preceded by them.
tg_status tg_explain_join(tg_explainer *e, int32_t n, const tg_node *a, int32_t m, const tg_node *b,
                          const tg_node **out)
{
  tg_node *list = NULL;
  TG_TRY(TG_SCRATCH(e->g, n + m, &list));
  if (n > 0) memcpy(list, a, sizeof(tg_node) * (size_t)n);
  if (m > 0) memcpy(list + n, b, sizeof(tg_node) * (size_t)m);
  *out = list;
  return TG_OK;
}

tg_status tg_explain_push_left(tg_explainer *e, tg_explain_term *t, int32_t n, const tg_node *factors)
{
  TG_TRY(tg_explain_join(e, t->n_left, t->left, n, factors, &t->left));
  t->n_left += n;
  return TG_OK;
}

tg_status tg_explain_push_right(tg_explainer *e, tg_explain_term *t, int32_t n, const tg_node *factors)
{
  TG_TRY(tg_explain_join(e, n, factors, t->n_right, t->right, &t->right));
  t->n_right += n;
  return TG_OK;
}

// Q*P, what stands beside L(dZ) after a cyclic shift; the identity of the given size when nothing does.
tg_status tg_explain_beside(tg_explainer *e, const tg_explain_term *t, tg_dim size, tg_node *out)
{
  const tg_node *factors = NULL;
  if (t->n_left + t->n_right == 0) return tg_make_identity(e->g, size, out);
  TG_TRY(tg_explain_join(e, t->n_right, t->right, t->n_left, t->left, &factors));
  return tg_make_prod(e->g, t->n_left + t->n_right, factors, out);
}
