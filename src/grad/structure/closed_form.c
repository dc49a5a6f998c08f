// Recognition of closed forms in the operator of a quadratic and in tr(S X) - logdet(X).
#include "grad/structure/closed_form.h"

#include <stddef.h>
#include <string.h>

#include "base/memory.h"
#include "grad/graph/op.h"
#include "grad/structure/closed_form_parts.h"

bool tg_closed_is_identity(const tg_graph *g, tg_node node)
{
  return node == TG_NONE || tg_node_info(g, node)->kind == TG_EYE;
}

tg_status tg_closed_refuse(tg_closed_form *form, tg_closed_why why)
{
  form->kind = TG_CLOSED_NONE;
  form->why = why;
  return TG_OK;
}

// ---- groups ----

static tg_status or_eye(tg_graph *g, tg_node node, tg_dim n, tg_node *out)
{
  *out = node;
  return node == TG_NONE ? tg_make_identity(g, n, out) : TG_OK;
}

// Sums the groups of equal left factors (by_left) or equal right ones; the sum stands on the other side.
static tg_status merge(tg_graph *g, const tg_symbol *x, bool by_left, int32_t *count, tg_closed_group *list)
{
  int32_t kept = 0;
  for (int32_t i = 0; i < *count; i++) {
    const tg_node key = by_left ? list[i].left : list[i].right;
    int32_t same = 0;
    while (same < kept && (by_left ? list[same].left : list[same].right) != key) same++;
    if (same == kept) {
      list[kept++] = list[i];
      continue;
    }
    const tg_dim n = by_left ? x->cols : x->rows;
    tg_node *sum = by_left ? &list[same].right : &list[same].left;
    tg_node parts[2];
    TG_TRY(or_eye(g, *sum, n, &parts[0]));
    TG_TRY(or_eye(g, by_left ? list[i].right : list[i].left, n, &parts[1]));
    TG_TRY(tg_make_lin(g, 2, (const double[]){list[same].coef, list[i].coef}, parts, sum));
    list[same].coef = 1.0;
  }
  *count = kept;
  return TG_OK;
}

// A scalar symbol goes into a factor that is there, else onto the left.
static tg_status make_group(tg_graph *g, const tg_symbol *x, const tg_operator_term *term, tg_closed_group *out)
{
  *out = (tg_closed_group){.coef = term->coef, .left = term->left, .right = term->right};
  if (tg_closed_is_identity(g, out->left)) out->left = TG_NONE;
  if (tg_closed_is_identity(g, out->right)) out->right = TG_NONE;
  if (term->scalars == TG_NONE) return TG_OK;
  const bool on_right = out->left == TG_NONE && out->right != TG_NONE;
  tg_node *factor = on_right ? &out->right : &out->left;
  tg_node plain = TG_NONE;
  TG_TRY(or_eye(g, *factor, on_right ? x->cols : x->rows, &plain));
  return tg_make_mul(g, term->scalars, plain, factor);
}

static tg_status make_groups(tg_graph *g, const tg_structure *s, const tg_symbol *x, bool left_first, int32_t *n_out,
                             tg_closed_group **out)
{
  TG_TRY(TG_SCRATCH(g, s->n_terms, out));
  *n_out = 0;
  for (int32_t k = 0; k < s->n_terms; k++)
    if (!s->terms[k].transposed) TG_TRY(make_group(g, x, &s->terms[k], &(*out)[(*n_out)++]));
  TG_TRY(merge(g, x, left_first, n_out, *out));
  return merge(g, x, !left_first, n_out, *out);
}

tg_status tg_closed_groups(tg_graph *graph, const tg_structure *structure, int32_t wrt, int32_t *n_out,
                           tg_closed_group **out)
{
  *n_out = 0;
  *out = NULL;
  if (!structure->has_operator) return TG_OK;
  const tg_symbol x = *tg_symbol_info(graph, wrt);
  tg_closed_group *other = NULL;
  int32_t n_other = 0;
  TG_TRY(make_groups(graph, structure, &x, false, n_out, out));
  TG_TRY(make_groups(graph, structure, &x, true, &n_other, &other));
  if (n_other >= *n_out) return TG_OK;
  *n_out = n_other;
  *out = other;
  return TG_OK;
}

// ---- one side as a symmetric matrix, or a pair ----

// The k with node = base^k, as the power node or a product written out; -1 when there is none.
static int64_t power_of(const tg_graph *g, tg_node node, tg_node base)
{
  if (tg_closed_is_identity(g, node)) return 0;
  if (node == base) return 1;
  const tg_info *info = tg_node_info(g, node);
  const tg_info *root = tg_node_info(g, base);
  if (info->kind == TG_MPOW && info->args[0] == base) return info->exponent;
  bool fits = info->kind == TG_PROD && root->kind == TG_PROD && info->n_scalars == 0 && root->n_scalars == 0 &&
              info->n_args % root->n_args == 0;
  for (int32_t i = 0; fits && i < info->n_args; i++) fits = info->args[i] == root->args[i % root->n_args];
  return fits ? info->n_args / root->n_args : -1;
}

static bool read_powers(const tg_graph *g, tg_node node, tg_node base, double factor, double *out);

// (2 A + 3 I)^2 = 4 A^2 + 12 A + 9 I
static bool read_raised(const tg_graph *g, const tg_info *power, tg_node base, double factor, double *out)
{
  double root[TG_CLOSED_POWERS] = {0};
  double done[TG_CLOSED_POWERS] = {factor};
  if (power->exponent >= TG_CLOSED_POWERS || !read_powers(g, power->args[0], base, 1.0, root)) return false;
  for (int64_t e = 0; e < power->exponent; e++) {
    double next[TG_CLOSED_POWERS] = {0};
    for (int i = 0; i < TG_CLOSED_POWERS; i++)
      for (int j = 0; j < TG_CLOSED_POWERS; j++) {
        const double product = done[i] * root[j];
        if (i + j < TG_CLOSED_POWERS)
          next[i + j] += product;
        else if (product != 0)
          return false;
      }
    memcpy(done, next, sizeof done);
  }
  for (int i = 0; i < TG_CLOSED_POWERS; i++) out[i] += done[i];
  return true;
}

// The node as a polynomial in `base`: out[k] is the coefficient of base^k. False when it is none.
static bool read_powers(const tg_graph *g, tg_node node, tg_node base, double factor, double *out)
{
  const int64_t power = power_of(g, node, base);
  if (power >= 0 && power < TG_CLOSED_POWERS) out[power] += factor;
  if (power >= 0) return power < TG_CLOSED_POWERS;
  const tg_info *info = tg_node_info(g, node);
  if (info->kind == TG_MPOW) return read_raised(g, info, base, factor, out);
  bool fits = info->kind == TG_LIN;
  for (int32_t i = 0; fits && i < info->n_args; i++)
    fits = read_powers(g, info->args[i], base, factor * info->coefs[i], out);
  return fits;
}

static tg_node factor_of(const tg_closed_group *group, int side)
{
  return side == 0 ? group->left : group->right;
}

static bool all_are_powers(const tg_graph *g, int32_t n, const tg_closed_group *groups, int side, tg_node base)
{
  bool fits = true;
  for (int32_t k = 0; fits && k < n; k++) {
    double unused[TG_CLOSED_POWERS] = {0};
    fits = read_powers(g, factor_of(&groups[k], side), base, 1.0, unused);
  }
  return fits;
}

// What stands one level below a factor and others may be polynomials in: A of A^2 and of 2 A + 3 I, A'A of A'A A'A.
// TG_NONE when nothing does.
static tg_status find_root(tg_graph *g, tg_node node, tg_node *out)
{
  const tg_info *info = tg_node_info(g, node);
  const int64_t power = tg_chain_power(info);
  *out = info->kind == TG_MPOW ? info->args[0] : TG_NONE;
  if (power > 1) return tg_make_prod(g, (int32_t)(info->n_args / power), info->args, out);
  for (int32_t i = 0; info->kind == TG_LIN && *out == TG_NONE && i < info->n_args; i++)
    if (!tg_closed_is_identity(g, info->args[i])) *out = info->args[i];
  return TG_OK;
}

// Two different factors and no identity: one of them, definite if that is known, is the metric of the other.
static bool find_pair(const tg_graph *g, int32_t n, const tg_closed_group *groups, int side, tg_closed_side *out)
{
  tg_node found[2] = {TG_NONE, TG_NONE};
  for (int32_t k = 0; k < n; k++) {
    const tg_node node = factor_of(&groups[k], side);
    if (tg_closed_is_identity(g, node)) return false;
    if (node == found[0] || node == found[1]) continue;
    if (found[1] != TG_NONE) return false;
    found[found[0] == TG_NONE ? 0 : 1] = node;
  }
  const bool swap = !tg_node_is_spd(g, found[0]) && tg_node_is_spd(g, found[1]);
  out->metric = found[swap ? 1 : 0];
  out->base = found[swap ? 0 : 1];
  return true;
}

static tg_status find_side(tg_graph *g, int32_t n, const tg_closed_group *groups, int side, tg_closed_side *out,
                           bool *fits)
{
  *out = (tg_closed_side){.base = TG_NONE};
  *fits = true;
  bool is_trivial = true;
  for (int32_t k = 0; k < n; k++) {
    tg_node candidate = factor_of(&groups[k], side);
    if (tg_closed_is_identity(g, candidate)) continue;
    is_trivial = false;
    while (candidate != TG_NONE && !all_are_powers(g, n, groups, side, candidate))
      TG_TRY(find_root(g, candidate, &candidate));
    out->base = candidate;
    if (candidate != TG_NONE) return TG_OK;
  }
  *fits = is_trivial || find_pair(g, n, groups, side, out);
  return TG_OK;
}

static void read_side(const tg_graph *g, const tg_closed_side *side, tg_node node, double *out)
{
  if (side->metric != TG_NONE)
    out[node == side->metric ? 0 : 1] = 1.0;
  else
    read_powers(g, node, side->base, 1.0, out);
}

// ---- quadratics ----

tg_status tg_closed_check_symmetric(tg_graph *g, tg_closed_form *form, bool *out)
{
  *out = true;
  form->is_proved = true;
  for (int side = 0; side < 2 && *out; side++) {
    const tg_node nodes[2] = {form->sides[side].metric, form->sides[side].base};
    for (int k = 0; k < 2 && *out; k++) {
      if (nodes[k] == TG_NONE) continue;
      TG_TRY(tg_node_is_symmetric(g, nodes[k], out));
      form->is_proved = form->is_proved && tg_node_is_spd(g, nodes[k]);
      if (!*out) return tg_closed_refuse(form, (tg_closed_why){.code = TG_CLOSED_WHY_ASYMMETRIC, .node = nodes[k]});
    }
  }
  return TG_OK;
}

static tg_status find_spectral(tg_graph *g, int32_t n, const tg_closed_group *groups, tg_closed_form *form)
{
  bool fits = n <= TG_CLOSED_TERMS;
  for (int side = 0; side < 2 && fits; side++) TG_TRY(find_side(g, n, groups, side, &form->sides[side], &fits));
  if (!fits) return tg_closed_refuse(form, (tg_closed_why){.code = TG_CLOSED_WHY_APART, .counts = {n}});
  bool symmetric = false;
  form->kind = TG_CLOSED_SPECTRAL;
  TG_TRY(tg_closed_check_symmetric(g, form, &symmetric));
  if (!symmetric) return TG_OK;
  form->n_terms = n;
  for (int32_t k = 0; k < n; k++) {
    read_side(g, &form->sides[0], groups[k].left, form->terms[k].left);
    read_side(g, &form->sides[1], groups[k].right, form->terms[k].right);
    for (int p = 0; p < TG_CLOSED_POWERS; p++) form->terms[k].left[p] *= groups[k].coef;
  }
  return TG_OK;
}

static tg_status find_cholesky(tg_graph *g, const tg_closed_group *group, tg_closed_form *form)
{
  bool symmetric = false;
  form->kind = TG_CLOSED_CHOLESKY;
  form->scale = group->coef;
  form->sides[0].base = group->left;
  form->sides[1].base = group->right;
  TG_TRY(tg_closed_check_symmetric(g, form, &symmetric));
  if (!symmetric) return TG_OK;
  if (group->coef < 0)
    return tg_closed_refuse(form, (tg_closed_why){.code = TG_CLOSED_WHY_NEGATIVE, .number = group->coef});
  return TG_OK;
}

void tg_closed_form_nodes(const tg_closed_form *form, tg_node *nodes)
{
  for (int side = 0; side < 2; side++) {
    const tg_closed_side *s = &form->sides[side];
    const tg_node own[] = {s->metric, s->base, s->wide, s->ridge, s->gain};
    memcpy(nodes + (ptrdiff_t)side * TG_CLOSED_PARTS, own, sizeof own);
  }
}

tg_status tg_closed_form_plan(const tg_graph *graph, const tg_closed_form *form, tg_closed_plan *out)
{
  const tg_symbol *x = tg_symbol_info(graph, form->symbol);
  tg_node nodes[TG_CLOSED_MATRICES];
  *out = (tg_closed_plan){.kind = form->kind,
                          .rows = tg_dim_value(graph, x->rows),
                          .cols = tg_dim_value(graph, x->cols),
                          .scale = form->scale,
                          .n_terms = form->n_terms};
  TG_ASSERT(form->kind != TG_CLOSED_NONE);
  tg_closed_form_nodes(form, nodes);
  for (int32_t k = 0; k < form->n_terms; k++) out->terms[k] = form->terms[k];
  for (ptrdiff_t side = 0; side < 2; side++) {
    const tg_node wide = form->sides[side].wide;
    for (int part = 0; part < TG_CLOSED_PARTS; part++)
      out->sides[side].has[part] = nodes[side * TG_CLOSED_PARTS + part] != TG_NONE;
    if (wide != TG_NONE) out->sides[side].wide_rows = tg_dim_value(graph, tg_node_info(graph, wide)->rows);
  }
  return TG_OK;
}

// The form that is to be found: of this variable.
static tg_closed_form begin(int32_t symbol)
{
  return (tg_closed_form){.scale = 1.0, .symbol = symbol, .why = {.code = TG_CLOSED_WHY_ACTION}};
}

tg_status tg_closed_form_of_groups(tg_graph *graph, int32_t symbol, int32_t n, const tg_closed_group *groups,
                                   tg_closed_form *out)
{
  *out = begin(symbol);
  out->n_groups = n;
  out->groups = groups;
  return n == 1 ? find_cholesky(graph, &groups[0], out) : find_spectral(graph, n, groups, out);
}

tg_status tg_closed_linear_term(tg_graph *g, tg_node f, int32_t wrt, tg_node *out)
{
  tg_node zero = TG_NONE;
  TG_TRY(tg_gradient(g, f, 1, &wrt, out));
  TG_TRY(tg_make_zero_symbols(g, 1, &wrt, &zero));
  return tg_substitute(g, *out, 1, &wrt, &zero, out);
}

// A singular side without a ridge, which has to have the linear term in its range.
static tg_status check_range(tg_graph *g, tg_node f, int32_t wrt, int side, tg_closed_form *form)
{
  const tg_closed_side *own = &form->sides[side];
  tg_node linear = TG_NONE;
  bool fits = false;
  if (own->ridge != TG_NONE) return TG_OK;
  TG_TRY(tg_closed_linear_term(g, f, wrt, &linear));
  TG_TRY(tg_closed_is_in_range(g, own, side == 1, linear, &fits));
  if (fits) return TG_OK;
  const tg_info *wide = tg_node_info(g, own->wide);
  return tg_closed_refuse(form, (tg_closed_why){.code = TG_CLOSED_WHY_RANK,
                                                .node = own->whole,
                                                .counts = {tg_dim_value(g, wide->cols), tg_dim_value(g, wide->rows)}});
}

// Sides written by the smaller Gram matrix.
static tg_status find_wide(tg_graph *g, tg_node f, int32_t wrt, tg_closed_form *form)
{
  for (int side = 0; side < 2 && form->kind == TG_CLOSED_CHOLESKY; side++) {
    bool found = false;
    TG_TRY(tg_closed_find_wide(g, &form->sides[side], &found));
    if (found) TG_TRY(check_range(g, f, wrt, side, form));
  }
  return TG_OK;
}

static tg_status find_quadratic(tg_graph *g, tg_node f, const tg_structure *s, int32_t wrt, tg_closed_form *form)
{
  for (int32_t k = 0; k < s->n_terms; k++)
    if (s->terms[k].transposed) return tg_closed_refuse(form, (tg_closed_why){.code = TG_CLOSED_WHY_TRANSPOSED});
  int32_t n = 0;
  tg_closed_group *groups = NULL;
  TG_TRY(tg_closed_groups(g, s, wrt, &n, &groups));
  TG_TRY(tg_closed_form_of_groups(g, wrt, n, groups, form));
  TG_TRY(tg_closed_find_stack(g, f, wrt, form));
  return find_wide(g, f, wrt, form);
}

// ---- tr(S X) - c logdet(X) ----

// The coefficient of logdet(X) in f, with all other terms of degree 1 at most. False when f is something else.
static bool read_logdet(const tg_graph *g, tg_node f, int32_t wrt, double *coef)
{
  const tg_info *info = tg_node_info(g, f);
  *coef = 0.0;
  bool fits = info->kind == TG_LIN;
  for (int32_t i = 0; fits && i < info->n_args; i++) {
    const tg_info *term = tg_node_info(g, info->args[i]);
    const bool is_logdet = term->kind == TG_LOGDET && tg_node_info(g, term->args[0])->kind == TG_SYM &&
                           tg_node_info(g, term->args[0])->symbol == wrt;
    if (is_logdet) *coef += info->coefs[i];
    const int degree = tg_degree(g, info->args[i], 1, &wrt);
    fits = is_logdet || degree == 0 || degree == 1;
  }
  return fits && *coef != 0.0;
}

// The gradient of all but the logdet: the constant S', with which the gradient S' + c X^-T vanishes at X = -c S^-1.
// Among symmetric X the symmetric part of S is what counts.
static tg_status linear_part(tg_graph *g, tg_node f, int32_t wrt, double coef, tg_node *out)
{
  tg_node x = TG_NONE;
  tg_node logdet = TG_NONE;
  tg_node rest = TG_NONE;
  tg_node turned = TG_NONE;
  const tg_symbol symbol = *tg_symbol_info(g, wrt);
  TG_TRY(tg_make_sym(g, wrt, &x));
  TG_TRY(tg_make_unary(g, TG_LOGDET, x, &logdet));
  TG_TRY(tg_make_lin(g, 2, (const double[]){1.0, -coef}, (const tg_node[]){f, logdet}, &rest));
  TG_TRY(tg_gradient(g, rest, 1, &wrt, out));
  if (symbol.free || (symbol.properties & TG_SYMMETRIC) == 0) return TG_OK;
  TG_TRY(tg_make_trans(g, *out, &turned));
  return turned == *out ? TG_OK : tg_make_lin(g, 2, (const double[]){0.5, 0.5}, (const tg_node[]){*out, turned}, out);
}

tg_status tg_closed_read_logdet(tg_graph *graph, tg_node f, int32_t wrt, double *coef, tg_node *linear)
{
  *linear = TG_NONE;
  if (!read_logdet(graph, f, wrt, coef)) *coef = 0;
  return *coef != 0 ? linear_part(graph, f, wrt, *coef, linear) : TG_OK;
}

static tg_status find_inverse(tg_graph *g, tg_node f, int32_t wrt, double coef, tg_closed_form *form)
{
  bool symmetric = false;
  TG_TRY(linear_part(g, f, wrt, coef, &form->sides[0].base));
  if (coef > 0) return tg_closed_refuse(form, (tg_closed_why){.code = TG_CLOSED_WHY_LOGDET_SIGN, .number = coef});
  if (tg_node_is_zero(g, form->sides[0].base))
    return tg_closed_refuse(form, (tg_closed_why){.code = TG_CLOSED_WHY_LOGDET_ALONE});
  form->kind = TG_CLOSED_INVERSE;
  form->scale = -coef;
  form->why.code = TG_CLOSED_WHY_INVERSE;
  return tg_closed_check_symmetric(g, form, &symmetric);
}

tg_status tg_closed_form_find(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, tg_closed_form *out)
{
  *out = begin(wrt[0]);
  if (n != 1) return tg_closed_refuse(out, (tg_closed_why){.code = TG_CLOSED_WHY_SEVERAL, .counts = {n}});
  tg_structure structure;
  double coef = 0.0;
  TG_TRY(tg_structure_find(graph, f, wrt[0], &structure));
  if (structure.degree == 0) return tg_closed_refuse(out, (tg_closed_why){.code = TG_CLOSED_WHY_CONSTANT});
  if (structure.degree == 1) return tg_closed_refuse(out, (tg_closed_why){.code = TG_CLOSED_WHY_LINEAR});
  if (structure.degree == 2 && structure.has_operator) return find_quadratic(graph, f, &structure, wrt[0], out);
  if (structure.degree == 2) return tg_closed_refuse(out, (tg_closed_why){.code = TG_CLOSED_WHY_WEIGHTS});
  if (read_logdet(graph, f, wrt[0], &coef)) return find_inverse(graph, f, wrt[0], coef, out);
  const tg_closed_why why = structure.degree > 2
                                ? (tg_closed_why){.code = TG_CLOSED_WHY_DEGREE, .counts = {structure.degree}}
                                : (tg_closed_why){.code = TG_CLOSED_WHY_NOT_QUADRATIC};
  return tg_closed_refuse(out, why);
}
