// What the symbols reveal about an objective, in words.
#include "derive/structure_report.h"

#include "grad/structure/structure.h"

enum { OPERATOR_BYTES_MAX = 20000 };

static tg_status print_operator(tg_graph *graph, const tg_structure *s, tg_format format, tg_text *out)
{
  const size_t begin = out->length;
  tg_text_addf(out, "  Hessian: H[%s] = ", s->direction);
  for (int32_t k = 0; k < s->n_terms && out->length - begin <= OPERATOR_BYTES_MAX; k++) {
    const tg_operator_term *term = &s->terms[k];
    const tg_node parts[3] = {term->scalars, term->left, term->right};
    double coef = term->coef;
    if (k > 0) tg_text_add(out, coef < 0.0 ? " - " : " + ");
    if (k == 0 && coef < 0.0) tg_text_add(out, "-");
    coef = coef < 0.0 ? -coef : coef;
    if (coef != 1.0) tg_text_add_number(out, coef);
    if (coef != 1.0) tg_text_add(out, " ");
    for (int i = 0; i < 3; i++) {
      if (i == 2) tg_text_addf(out, "%s%s", s->direction, term->transposed ? "'" : "");
      if (parts[i] == TG_NONE) continue;
      const bool sum = tg_node_info(graph, parts[i])->kind == TG_LIN;
      tg_text_add(out, i == 2 ? " " : "");
      tg_text_add(out, sum ? "(" : "");
      TG_TRY(tg_print_start(graph, parts[i], format, OPERATOR_BYTES_MAX, out));
      tg_text_add(out, sum ? ")" : "");
      tg_text_add(out, i == 2 ? "" : " ");
    }
  }
  if (out->length - begin > OPERATOR_BYTES_MAX) { // the option hessian shows it with its parts
    out->length = begin;
    tg_text_addf(out, "  Hessian: %d terms that are linear in the direction", (int)s->n_terms);
  }
  tg_text_addf(out, "; %s\n",
               s->self_adjoint ? "symmetric: the adjoint of each term is a term" : "symmetric as an operator");
  return TG_OK;
}

const char *tg_curvature_word(tg_curvature curvature)
{
  static const char *const words[] = {"not decided", "affine", "convex", "concave"};
  return words[curvature];
}

tg_status tg_structure_print(tg_graph *graph, tg_node f, int32_t wrt, tg_format format, tg_text *out)
{
  const char *name = tg_symbol_info(graph, wrt)->name;
  tg_structure structure;
  TG_TRY(tg_structure_find(graph, f, wrt, &structure));
  if (structure.degree >= 0)
    tg_text_addf(out, "  degree in %s: %d", name, structure.degree);
  else
    tg_text_addf(out, "  degree in %s: not a polynomial", name);
  if (structure.homogeneous) {
    tg_text_addf(out, "; homogeneous: f(t*%s) = ", name);
    if (structure.homogeneity != 0.0) {
      tg_text_add(out, "t^");
      tg_text_add_number(out, structure.homogeneity);
      tg_text_add(out, "*");
    }
    tg_text_addf(out, "f(%s) for t > 0", name);
  }
  tg_text_add(out, "\n");
  if (structure.has_operator) TG_TRY(print_operator(graph, &structure, format, out));
  tg_text_addf(out, "  convexity in %s: %s (%s)\n", name, tg_curvature_word(structure.curvature), structure.reason);
  return tg_text_status(out);
}
