// Closed forms on X'X = I: eigenvectors for tr(X'AXN), a polar factor for <C, X>.
//
// f = 1/2 <X, H[X]> + <C, X> + constant, H[V] = sum_k c_k L_k V R_k. On X'X = I, X n x p, a term V R is the constant
// 1/2 c tr(R), and so is L V where X is square (X X' = I as well). When what is left of H is
//     nothing           f = <C, X>: the least value is -(s_1 + ... + s_p), the singular values of C, at X = -U V'
//                       (P. Schonemann, Psychometrika 31, 1966; K. Fan, A. Hoffman, Proc. AMS 6, 1955)
//     c A V N, C = 0    f = c/2 tr(X'AXN), symmetric A and N: eigenvectors of the least eigenvalues of A, paired with
//                       those of the largest of c N in decreasing order, negative ones of c N with the largest of A
//                       (R. Brockett, Linear Algebra Appl. 146, 1991; the rearrangement of K. Fan, PNAS 35, 1949)
#include "grad/graph/op.h"
#include "grad/structure/closed_form_parts.h"

static bool is_constant(const tg_graph *g, const tg_symbol *x, tg_node left, tg_node right)
{
  return tg_closed_is_identity(g, left) || (x->rows == x->cols && tg_closed_is_identity(g, right));
}

// The terms that are not constant on the set, in groups. V' stands for what has no closed form here.
static tg_status find_groups(tg_graph *g, tg_structure *s, int32_t wrt, bool *has_transposed, int32_t *n_out,
                             tg_closed_group **out)
{
  const tg_symbol x = *tg_symbol_info(g, wrt);
  tg_operator_term *kept = NULL;
  int32_t n = 0;
  *has_transposed = false;
  *n_out = 0;
  if (!s->has_operator) return TG_OK;
  TG_TRY(TG_SCRATCH(g, s->n_terms, &kept));
  for (int32_t k = 0; k < s->n_terms; k++) {
    *has_transposed = *has_transposed || s->terms[k].transposed;
    if (!is_constant(g, &x, s->terms[k].left, s->terms[k].right)) kept[n++] = s->terms[k];
  }
  s->terms = kept;
  s->n_terms = n;
  if (n == 0) return TG_OK;
  TG_TRY(tg_closed_groups(g, s, wrt, &n, out));
  // Factors may have summed to the identity.
  for (int32_t k = 0; k < n; k++)
    if (!is_constant(g, &x, (*out)[k].left, (*out)[k].right)) (*out)[(*n_out)++] = (*out)[k];
  return TG_OK;
}

static tg_status find_polar(tg_graph *g, tg_node linear, tg_closed_form *form)
{
  if (tg_node_is_zero(g, linear)) return tg_closed_refuse(form, (tg_closed_why){.code = TG_CLOSED_WHY_SET_CONSTANT});
  form->kind = TG_CLOSED_POLAR;
  form->sides[0].base = linear;
  form->why.code = TG_CLOSED_WHY_POLAR;
  return TG_OK;
}

static tg_status find_eigenvectors(tg_graph *g, int32_t n, const tg_closed_group *groups, tg_closed_form *form)
{
  bool symmetric = false;
  form->kind = TG_CLOSED_EIGENVECTORS;
  form->scale = groups[0].coef / 2;
  form->sides[0].base = groups[0].left;
  form->sides[1].base = groups[0].right;
  // A V N + A' V N' would be one term, were A and N known to be symmetric: that comes before their number.
  TG_TRY(tg_closed_check_symmetric(g, form, &symmetric));
  if (!symmetric) return TG_OK;
  if (n > 1) return tg_closed_refuse(form, (tg_closed_why){.code = TG_CLOSED_WHY_SET_APART, .counts = {n}});
  form->why.code = TG_CLOSED_WHY_EIGENVECTORS;
  return TG_OK;
}

tg_status tg_closed_form_find_orthonormal(tg_graph *graph, tg_node f, int32_t wrt, tg_closed_form *out)
{
  *out = (tg_closed_form){.scale = 1.0, .symbol = wrt};
  tg_structure structure;
  TG_TRY(tg_structure_find(graph, f, wrt, &structure));
  if (structure.degree < 0 || structure.degree > 2 || (structure.degree == 2 && !structure.has_operator))
    return tg_closed_refuse(out, (tg_closed_why){.code = TG_CLOSED_WHY_SET_KIND});
  bool has_transposed = false;
  int32_t n = 0;
  tg_closed_group *groups = NULL;
  tg_node linear = TG_NONE;
  TG_TRY(find_groups(graph, &structure, wrt, &has_transposed, &n, &groups));
  if (has_transposed) return tg_closed_refuse(out, (tg_closed_why){.code = TG_CLOSED_WHY_TRANSPOSED});
  TG_TRY(tg_closed_linear_term(graph, f, wrt, &linear));
  if (n == 0) return find_polar(graph, linear, out);
  if (!tg_node_is_zero(graph, linear)) return tg_closed_refuse(out, (tg_closed_why){.code = TG_CLOSED_WHY_SET_BOTH});
  return find_eigenvectors(graph, n, groups, out);
}
