// Forward differentials and trace rules, one named step at a time.
//
// Every term of df is coef * scalars * tr(P * L(dZ) * Q): a differential dZ not yet worked out, between factors that do
// not contain it. A step either opens dZ by the differential rule of Z's outermost operator, or moves factors about the
// trace, until the term reads coef * scalars * tr(M * dX). The terms are gathered, and G = M' is the gradient.
#include "grad/explain.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "grad/op.h"

// L of a term: dZ itself, its transpose, or Y .* dZ.
typedef struct term {
  double coef;
  tg_node scalars; // TG_NONE: none
  int32_t n_left;
  const tg_node *left;
  int32_t n_right;
  const tg_node *right;
  tg_node had; // Y of Y .* dZ, or TG_NONE
  bool transposed;
  tg_node z;
} term;

typedef struct explainer {
  tg_graph *g;
  tg_format format;
  int32_t wrt;
  tg_explanation *out;
  int number; // of the term being moved
  int next_number;
  tg_node sum; // of the finished terms' G
  int depth;
} explainer;

// ---- writing ----

static tg_status add_step(explainer *e, int number, const char *text, const char *rule)
{
  tg_explanation *out = e->out;
  if (out->n_steps >= TG_STEPS_MAX) {
    out->shortened = true;
    return TG_OK;
  }
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

static const char *times(const explainer *e)
{
  return e->format == TG_FORMAT_UNICODE ? "·" : e->format == TG_FORMAT_LATEX ? " " : "*";
}

// A node as a factor: sums and entrywise products in parentheses.
static tg_status write_factor(explainer *e, tg_node node, tg_text *out)
{
  const tg_info *info = tg_node_info(e->g, node);
  const bool plain_multiple = info->n_args == 1 && info->coefs != NULL && info->coefs[0] > 0.0;
  const bool parentheses = (info->kind == TG_LIN && !plain_multiple) || info->kind == TG_HAD;
  if (parentheses) tg_text_add(out, "(");
  TG_TRY(tg_print(e->g, node, e->format, out));
  if (parentheses) tg_text_add(out, ")");
  return TG_OK;
}

static tg_status write_differential(explainer *e, const term *t, tg_text *out)
{
  const bool leaf = tg_node_info(e->g, t->z)->kind == TG_SYM;
  tg_text_add(out, leaf ? "d" : "d(");
  TG_TRY(tg_print(e->g, t->z, e->format, out));
  if (!leaf) tg_text_add(out, ")");
  if (t->transposed)
    tg_text_add(out, e->format == TG_FORMAT_UNICODE ? "ᵀ" : e->format == TG_FORMAT_LATEX ? "^{\\top}" : "'");
  return TG_OK;
}

static tg_status write_term(explainer *e, const term *t, tg_text *out)
{
  const bool scalar = tg_node_is_scalar(e->g, t->z);
  const bool trace = !scalar || t->n_left > 0 || t->n_right > 0;
  if (t->coef == -1.0) tg_text_add(out, "-");
  if (t->coef != 1.0 && t->coef != -1.0) {
    tg_text_add_number(out, t->coef);
    tg_text_add(out, times(e));
  }
  if (t->scalars != TG_NONE) {
    TG_TRY(write_factor(e, t->scalars, out));
    tg_text_add(out, times(e));
  }
  if (trace) tg_text_add(out, "tr(");
  for (int32_t i = 0; i < t->n_left; i++) {
    TG_TRY(write_factor(e, t->left[i], out));
    tg_text_add(out, times(e));
  }
  if (t->had != TG_NONE) {
    tg_text_add(out, "(");
    TG_TRY(write_factor(e, t->had, out));
    tg_text_add(out, e->format == TG_FORMAT_UNICODE ? " ⊙ " : e->format == TG_FORMAT_LATEX ? " \\odot " : ".*");
  }
  TG_TRY(write_differential(e, t, out));
  if (t->had != TG_NONE) tg_text_add(out, ")");
  for (int32_t i = 0; i < t->n_right; i++) {
    tg_text_add(out, times(e));
    TG_TRY(write_factor(e, t->right[i], out));
  }
  if (trace) tg_text_add(out, ")");
  return TG_OK;
}

// Writes the sum of some terms as one step of the term being moved.
static tg_status write_terms(explainer *e, int32_t n, const term *terms, const char *rule)
{
  tg_status status = TG_OK;
  tg_text text;
  tg_text_init(&text);
  for (int32_t i = 0; i < n && status == TG_OK; i++) {
    term shown = terms[i];
    if (i > 0) tg_text_add(&text, shown.coef < 0.0 ? " - " : " + ");
    if (i > 0) shown.coef = fabs(shown.coef);
    status = write_term(e, &shown, &text);
  }
  if (status == TG_OK) status = tg_text_status(&text);
  if (status == TG_OK) status = add_step(e, e->number, tg_text_string(&text), rule);
  tg_text_fini(&text);
  return status;
}

// ---- parts of terms ----

static bool active(const explainer *e, tg_node node)
{
  return tg_node_depends_on(e->g, node, e->wrt);
}

static tg_status times_scalar(explainer *e, tg_node factor, term *t)
{
  double number = 0.0;
  if (tg_node_is_number(e->g, factor, &number)) {
    t->coef *= number;
    return TG_OK;
  }
  if (t->scalars != TG_NONE) TG_TRY(tg_make_mul(e->g, t->scalars, factor, &factor));
  tg_split split = {.coef = 1.0};
  TG_TRY(tg_take_content(e->g, factor, &split.coef, &t->scalars));
  t->coef *= split.coef;
  return TG_OK;
}

// list followed by n more factors, or preceded by them.
static tg_status join(explainer *e, int32_t n, const tg_node *a, int32_t m, const tg_node *b, const tg_node **out)
{
  tg_node *list = NULL;
  TG_TRY(TG_SCRATCH(e->g, n + m, &list));
  if (n > 0) memcpy(list, a, sizeof(tg_node) * (size_t)n);
  if (m > 0) memcpy(list + n, b, sizeof(tg_node) * (size_t)m);
  *out = list;
  return TG_OK;
}

static tg_status push_left(explainer *e, term *t, int32_t n, const tg_node *factors)
{
  TG_TRY(join(e, t->n_left, t->left, n, factors, &t->left));
  t->n_left += n;
  return TG_OK;
}

static tg_status push_right(explainer *e, term *t, int32_t n, const tg_node *factors)
{
  TG_TRY(join(e, n, factors, t->n_right, t->right, &t->right));
  t->n_right += n;
  return TG_OK;
}

// Q*P, what stands beside L(dZ) after a cyclic shift; the identity of the given size when nothing does.
static tg_status beside(explainer *e, const term *t, tg_dim size, tg_node *out)
{
  const tg_node *factors = NULL;
  if (t->n_left + t->n_right == 0) return tg_make_identity(e->g, size, out);
  TG_TRY(join(e, t->n_right, t->right, t->n_left, t->left, &factors));
  return tg_make_prod(e->g, t->n_left + t->n_right, factors, out);
}

static tg_status reduce(explainer *e, const term *t);

// Writes the terms that a rule made of one, then brings each to its end. Several terms get numbers of their own.
static tg_status branch(explainer *e, int32_t n, const term *terms, const char *rule)
{
  const int number = e->number;
  TG_TRY(write_terms(e, n, terms, rule));
  if (n == 1) return reduce(e, &terms[0]);
  for (int32_t i = 0; i < n; i++) {
    e->number = e->next_number++;
    TG_TRY(write_terms(e, 1, &terms[i], NULL)); // its heading
    TG_TRY(reduce(e, &terms[i]));
  }
  e->number = number;
  return TG_OK;
}

// ---- moving about the trace ----

// tr(P (dZ)' Q) = tr(Q' dZ P')
static tg_status transpose_trace(explainer *e, const term *t)
{
  term moved = *t;
  tg_node *left = NULL;
  tg_node *right = NULL;
  TG_TRY(TG_SCRATCH(e->g, t->n_right + 1, &left));
  TG_TRY(TG_SCRATCH(e->g, t->n_left + 1, &right));
  for (int32_t i = 0; i < t->n_right; i++) TG_TRY(tg_make_trans(e->g, t->right[t->n_right - 1 - i], &left[i]));
  for (int32_t i = 0; i < t->n_left; i++) TG_TRY(tg_make_trans(e->g, t->left[t->n_left - 1 - i], &right[i]));
  moved.n_left = t->n_right;
  moved.left = left;
  moved.n_right = t->n_left;
  moved.right = right;
  moved.transposed = false;
  return branch(e, 1, &moved, "a trace equals that of the transpose: tr(X) = tr(X')");
}

static tg_status shift(explainer *e, const term *t)
{
  term moved = *t;
  TG_TRY(join(e, t->n_right, t->right, t->n_left, t->left, &moved.left));
  moved.n_left = t->n_left + t->n_right;
  moved.n_right = 0;
  return branch(e, 1, &moved, "cyclic shift: tr(X*Y) = tr(Y*X)");
}

// tr(M (Y .* dZ)) = tr((M .* Y') dZ)
static tg_status move_had(explainer *e, const term *t)
{
  if (t->n_right > 0) return shift(e, t);
  term moved = *t;
  tg_node beside_it = TG_NONE;
  tg_node factors[2] = {TG_NONE, TG_NONE};
  TG_TRY(beside(e, t, tg_node_info(e->g, t->z)->rows, &beside_it));
  factors[0] = beside_it;
  TG_TRY(tg_make_trans(e->g, t->had, &factors[1]));
  tg_node *left = NULL;
  TG_TRY(TG_SCRATCH(e->g, 1, &left));
  TG_TRY(tg_make_had(e->g, 2, factors, &left[0]));
  tg_split split;
  TG_TRY(tg_split_scalars(e->g, left[0], &split));
  moved.coef *= split.coef;
  if (split.scalars != TG_NONE) TG_TRY(times_scalar(e, split.scalars, &moved));
  left[0] = split.rest;
  moved.left = left;
  moved.n_left = 1;
  moved.had = TG_NONE;
  return branch(e, 1, &moved, "an entrywise factor moves across: tr(M*(Y.*Z)) = tr((M.*Y')*Z)");
}

// A scalar differential does not stay inside a trace: tr(P ds Q) = tr(P Q) ds.
static tg_status scalar_leaves(explainer *e, const term *t)
{
  term moved = *t;
  tg_node rest = TG_NONE;
  tg_dim one = 0;
  TG_TRY(tg_dim_number(e->g, 1, &one));
  const tg_node *factors = NULL;
  TG_TRY(join(e, t->n_left, t->left, t->n_right, t->right, &factors));
  TG_TRY(tg_make_prod(e->g, t->n_left + t->n_right, factors, &rest));
  TG_TRY(tg_make_tr(e->g, rest, &rest));
  TG_TRY(times_scalar(e, rest, &moved));
  moved.n_left = moved.n_right = 0;
  return branch(e, 1, &moved, "a scalar leaves the trace: tr(s*X) = s*tr(X)");
}

// coef * scalars * tr(M dX): the term's part of G is coef * scalars * M'.
static tg_status finish(explainer *e, const term *t)
{
  tg_node part = TG_NONE;
  if (t->n_right > 0) return shift(e, t);
  TG_TRY(beside(e, t, tg_node_info(e->g, t->z)->rows, &part));
  TG_TRY(tg_make_trans(e->g, part, &part));
  if (t->scalars != TG_NONE) TG_TRY(tg_make_mul(e->g, t->scalars, part, &part));
  TG_TRY(tg_make_scale(e->g, t->coef, part, &part));
  if (e->sum == TG_NONE)
    e->sum = part;
  else
    TG_TRY(tg_make_add(e->g, e->sum, part, &e->sum));
  return TG_OK;
}

// ---- differential rules ----

// d(sum c_k T_k) = sum c_k dT_k
static tg_status open_lin(explainer *e, const term *t, const tg_info *info)
{
  term *terms = NULL;
  int32_t n = 0;
  TG_TRY(TG_SCRATCH(e->g, info->n_args, &terms));
  for (int32_t i = 0; i < info->n_args; i++) {
    if (!active(e, info->args[i])) continue;
    terms[n] = *t;
    terms[n].coef *= info->coefs[i];
    terms[n++].z = info->args[i];
  }
  return branch(e, n, terms,
                n < info->n_args ? "d(X + Y) = dX + dY; constants have differential zero" : "d(X + Y) = dX + dY");
}

// One term of the product rule: the differential of factor k, the others beside it.
static tg_status product_term(explainer *e, const tg_info *info, int32_t k, term *t)
{
  t->z = info->args[k];
  for (int32_t i = 0; i < info->n_scalars; i++)
    if (i != k) TG_TRY(times_scalar(e, info->args[i], t));
  const tg_node *chain = info->args + info->n_scalars;
  const int32_t n_chain = info->n_args - info->n_scalars;
  if (k < info->n_scalars) return n_chain > 0 ? push_left(e, t, n_chain, chain) : TG_OK;
  TG_TRY(push_left(e, t, k - info->n_scalars, chain));
  return push_right(e, t, info->n_args - 1 - k, info->args + k + 1);
}

static tg_status open_prod(explainer *e, const term *t, const tg_info *info)
{
  term *terms = NULL;
  int32_t n = 0;
  int32_t n_active = 0;
  TG_TRY(TG_SCRATCH(e->g, info->n_args, &terms));
  for (int32_t k = 0; k < info->n_args; k++) {
    if (!active(e, info->args[k])) continue;
    n_active++;
    terms[n] = *t;
    TG_TRY(product_term(e, info, k, &terms[n++]));
  }
  return branch(e, n, terms,
                n_active > 1 ? "product rule: d(X*Y) = dX*Y + X*dY" : "constant factors stay: d(A*X*B) = A*dX*B");
}

static tg_status open_had(explainer *e, const term *t, const tg_info *info)
{
  term *terms = NULL;
  tg_node *others = NULL;
  int32_t n = 0;
  TG_TRY(TG_SCRATCH(e->g, info->n_args, &terms));
  TG_TRY(TG_SCRATCH(e->g, info->n_args, &others));
  for (int32_t k = 0; k < info->n_args; k++) {
    if (!active(e, info->args[k])) continue;
    int32_t m = 0;
    for (int32_t i = 0; i < info->n_args; i++)
      if (i != k) others[m++] = info->args[i];
    terms[n] = *t;
    terms[n].z = info->args[k];
    TG_TRY(tg_make_had(e->g, m, others, &terms[n++].had));
  }
  return branch(e, n, terms, n > 1 ? "product rule: d(X.*Y) = dX.*Y + X.*dY" : "a constant entrywise factor stays");
}

// ds(Z) = s'(Z) .* dZ, and for scalars s'(z) dz.
static tg_status open_entrywise(explainer *e, const term *t, int32_t k, const char *rule)
{
  term opened = *t;
  const tg_info *info = tg_node_info(e->g, t->z);
  tg_node ones = TG_NONE;
  tg_node dargs[2] = {TG_NONE, TG_NONE};
  tg_node slope = TG_NONE;
  const tg_info *arg = tg_node_info(e->g, info->args[k]);
  // The slope is the differential along ones.
  TG_TRY(tg_make_ones(e->g, arg->rows, arg->cols, &ones));
  dargs[k] = ones;
  TG_TRY(tg_op_get(info->kind)->forward(e->g, t->z, dargs, &slope));
  opened.z = info->args[k];
  if (tg_node_is_scalar(e->g, t->z)) {
    TG_TRY(times_scalar(e, slope, &opened));
    return branch(e, 1, &opened, rule);
  }
  if (tg_node_is_scalar(e->g, info->args[k])) {
    TG_TRY(push_left(e, &opened, 1, &slope));
    return branch(e, 1, &opened, rule);
  }
  tg_split split;
  TG_TRY(tg_split_scalars(e->g, slope, &split));
  opened.coef *= split.coef;
  if (split.scalars != TG_NONE) TG_TRY(times_scalar(e, split.scalars, &opened));
  opened.had = tg_node_info(e->g, split.rest)->kind == TG_ONES ? TG_NONE : split.rest;
  return branch(e, 1, &opened, rule);
}

static tg_status open_pow(explainer *e, const term *t, const tg_info *info)
{
  if (active(e, info->args[0]) && active(e, info->args[1])) {
    // x^p = exp(p log x) where both move: the two parts one after the other.
    TG_TRY(open_entrywise(e, t, 0, "d(x^p) by the base: p*x^(p-1) dx"));
    return open_entrywise(e, t, 1, "d(x^p) by the exponent: x^p*log(x) dp");
  }
  if (active(e, info->args[1])) return open_entrywise(e, t, 1, "d(a^x) = a^x*log(a) dx");
  double exponent = 0.0;
  if (tg_node_is_number(e->g, info->args[1], &exponent) && exponent == 0.5)
    return open_entrywise(e, t, 0, "d sqrt(x) = dx / (2*sqrt(x))");
  return open_entrywise(e, t, 0, "d(x^p) = p*x^(p-1) dx");
}

// d inv(Z) = -inv(Z) dZ inv(Z)
static tg_status open_inv(explainer *e, const term *t, const tg_info *info)
{
  term opened = *t;
  opened.coef = -t->coef;
  opened.z = info->args[0];
  TG_TRY(push_left(e, &opened, 1, &t->z));
  TG_TRY(push_right(e, &opened, 1, &t->z));
  return branch(e, 1, &opened, "d inv(X) = -inv(X)*dX*inv(X)");
}

static tg_status open_mpow(explainer *e, const term *t, const tg_info *info)
{
  term *terms = NULL;
  TG_TRY(TG_SCRATCH(e->g, info->exponent, &terms));
  for (int64_t i = 0; i < info->exponent; i++) {
    tg_node left = TG_NONE;
    tg_node right = TG_NONE;
    TG_TRY(tg_make_mpow(e->g, info->args[0], i, &left));
    TG_TRY(tg_make_mpow(e->g, info->args[0], info->exponent - 1 - i, &right));
    terms[i] = *t;
    terms[i].z = info->args[0];
    if (i > 0) TG_TRY(push_left(e, &terms[i], 1, &left));
    if (i + 1 < info->exponent) TG_TRY(push_right(e, &terms[i], 1, &right));
  }
  return branch(e, (int32_t)info->exponent, terms, "power rule: d(X^k) = dX*X^(k-1) + X*dX*X^(k-2) + ... + X^(k-1)*dX");
}

// d det Z = det(Z) tr(inv(Z) dZ); d logdet Z = tr(inv(Z) dZ)
static tg_status open_determinant(explainer *e, const term *t, const tg_info *info)
{
  term opened = *t;
  tg_node inverse = TG_NONE;
  if (info->kind == TG_DET) TG_TRY(times_scalar(e, t->z, &opened));
  TG_TRY(tg_make_inv(e->g, info->args[0], &inverse));
  opened.z = info->args[0];
  TG_TRY(push_left(e, &opened, 1, &inverse));
  return branch(e, 1, &opened,
                info->kind == TG_DET ? "Jacobi's formula: d det(X) = det(X)*tr(inv(X)*dX)"
                                     : "d logdet(X) = tr(inv(X)*dX)");
}

// d sum(Z) = tr(ones' dZ)
static tg_status open_sum(explainer *e, const term *t, const tg_info *info)
{
  term opened = *t;
  tg_node ones = TG_NONE;
  const tg_info *arg = tg_node_info(e->g, info->args[0]);
  TG_TRY(tg_make_ones(e->g, arg->cols, arg->rows, &ones));
  opened.z = info->args[0];
  TG_TRY(push_left(e, &opened, 1, &ones));
  return branch(e, 1, &opened, "a sum of entries is a trace: sum(X) = tr(ones'*X)");
}

static tg_status open_tr(explainer *e, const term *t, const tg_info *info)
{
  term opened = *t;
  opened.z = info->args[0];
  return branch(e, 1, &opened, "the trace is linear: d tr(X) = tr(dX)");
}

// For the linear rearrangements (diag, diagvec, vec, its inverse, kron): tr(M T(dZ)) = tr(N dZ), by T's adjoint.
static tg_status open_rearrangement(explainer *e, const term *t, const tg_info *info)
{
  static const struct {
    tg_kind kind;
    const char *rule;
  } rules[] = {{TG_DIAG, "tr(M*diag(x)) = diagvec(M)'*x"},
               {TG_DIAGVEC, "u'*diagvec(X) = tr(diag(u)*X)"},
               {TG_VEC, "vec(M)'*vec(X) = tr(M'*X)"},
               {TG_UNVEC, "tr(M'*X) = vec(M)'*vec(X)"},
               {TG_KRON, "a Kronecker factor: tr(M*kron(X,B)) sums tr(M_ij*B)*X_ji over the blocks of M"},
               {TG_KRONL, "blockwise inner products are linear in the blocks"},
               {TG_KRONR, "weighted sums of blocks are linear in the blocks"}};
  if (t->n_right > 0) return shift(e, t);
  const char *rule = "";
  for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
    if (rules[i].kind == info->kind) rule = rules[i].rule;
  term *terms = NULL;
  int32_t n = 0;
  tg_node weight = TG_NONE;
  TG_TRY(TG_SCRATCH(e->g, info->n_args, &terms));
  TG_TRY(beside(e, t, info->rows, &weight));
  TG_TRY(tg_make_trans(e->g, weight, &weight));
  for (int32_t k = 0; k < info->n_args; k++) {
    if (!active(e, info->args[k])) continue;
    tg_node *left = NULL;
    TG_TRY(TG_SCRATCH(e->g, 1, &left));
    TG_TRY(tg_op_get(info->kind)->reverse(e->g, t->z, weight, k, &left[0]));
    TG_TRY(tg_make_trans(e->g, left[0], &left[0]));
    terms[n] = *t;
    terms[n].z = info->args[k];
    terms[n].n_left = 1;
    terms[n++].left = left;
  }
  return branch(e, n, terms, rule);
}

static tg_status open_function(explainer *e, const term *t, const tg_info *info)
{
  static const struct {
    tg_kind kind;
    const char *rule;
  } rules[] = {{TG_EXP, "d exp(X) = exp(X).*dX"},
               {TG_LOG, "d log(X) = dX./X"},
               {TG_SIN, "d sin(X) = cos(X).*dX"},
               {TG_COS, "d cos(X) = -sin(X).*dX"},
               {TG_TAN, "d tan(X) = (1 + tan(X).^2).*dX"},
               {TG_TANH, "d tanh(X) = (1 - tanh(X).^2).*dX"},
               {TG_ABS, "d abs(X) = sign(X).*dX, away from 0"},
               {TG_SIGMOID, "d sigmoid(X) = sigmoid(X).*(1 - sigmoid(X)).*dX"},
               {TG_RELU, "d relu(X) = step(X).*dX, step = (1 + sign)/2"},
               {TG_SOFTPLUS, "d softplus(X) = sigmoid(X).*dX"}};
  const char *rule = "d s(X) = s'(X).*dX";
  for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
    if (rules[i].kind == info->kind) rule = rules[i].rule;
  if (info->kind == TG_SIGN) return TG_OK; // constant wherever it has a differential
  return open_entrywise(e, t, 0, rule);
}

static tg_status open_differential(explainer *e, const term *t)
{
  const tg_info *info = tg_node_info(e->g, t->z);
  switch (info->kind) {
  case TG_LIN:
    return open_lin(e, t, info);
  case TG_PROD:
    return open_prod(e, t, info);
  case TG_HAD:
    return open_had(e, t, info);
  case TG_POW:
    return open_pow(e, t, info);
  case TG_MPOW:
    return open_mpow(e, t, info);
  case TG_INV:
    return open_inv(e, t, info);
  case TG_DET:
  case TG_LOGDET:
    return open_determinant(e, t, info);
  case TG_TR:
    return open_tr(e, t, info);
  case TG_SUM:
    return open_sum(e, t, info);
  case TG_DIAG:
  case TG_DIAGVEC:
  case TG_VEC:
  case TG_UNVEC:
  case TG_KRON:
  case TG_KRONL:
  case TG_KRONR:
    return open_rearrangement(e, t, info);
  default:
    return open_function(e, t, info);
  }
}

// A product with a scalar value is its own trace: u'*A*v = tr(u'*A*v).
static bool is_scalar_chain(const explainer *e, tg_node z)
{
  const tg_info *info = tg_node_info(e->g, z);
  return tg_node_is_scalar(e->g, z) && info->kind == TG_PROD && info->n_scalars == 0;
}

enum { EXPLAIN_DEPTH_MAX = 2000 };

static tg_status reduce_once(explainer *e, const term *t)
{
  const tg_info *info = tg_node_info(e->g, t->z);
  if (t->had != TG_NONE) return move_had(e, t);
  if (t->transposed) return transpose_trace(e, t);
  if (tg_node_is_scalar(e->g, t->z) && t->n_left + t->n_right > 0) return scalar_leaves(e, t);
  if (info->kind == TG_SYM) return finish(e, t);
  if (info->kind == TG_TRANS) {
    term opened = *t;
    opened.z = info->args[0];
    opened.transposed = true;
    return branch(e, 1, &opened, "d(X') = (dX)'");
  }
  if (is_scalar_chain(e, t->z)) return open_prod(e, t, info);
  return open_differential(e, t);
}

static tg_status reduce(explainer *e, const term *t)
{
  if (e->depth >= EXPLAIN_DEPTH_MAX) TG_FAIL(TG_LIMIT, "a derivation of more than %d nested steps", EXPLAIN_DEPTH_MAX);
  e->depth++;
  const tg_status status = reduce_once(e, t);
  e->depth--;
  return status;
}

// ---- the whole ----

static tg_status write_gathered(explainer *e, tg_node gradient)
{
  tg_status status = TG_OK;
  tg_text text;
  tg_node inner = TG_NONE;
  tg_text_init(&text);
  const bool scalar = tg_node_is_scalar(e->g, gradient);
  const tg_symbol *symbol = tg_symbol_info(e->g, e->wrt);
  TG_TRY_GOTO(tg_make_trans(e->g, gradient, &inner));
  if (!scalar) tg_text_add(&text, "tr(");
  TG_TRY_GOTO(write_factor(e, inner, &text));
  tg_text_addf(&text, "%sd%s%s", times(e), symbol->name, scalar ? "" : ")");
  TG_TRY_GOTO(tg_text_status(&text));
  // A single term is gathered already.
  const tg_explanation *out = e->out;
  if (out->n_steps == 0 || strcmp(out->steps[out->n_steps - 1].text, tg_text_string(&text)) != 0)
    TG_TRY_GOTO(add_step(e, 0, tg_text_string(&text), "the terms gathered, common factors taken out"));
  tg_text_clear(&text);
  TG_TRY_GOTO(tg_print(e->g, gradient, e->format, &text));
  TG_TRY_GOTO(add_step(e, -1, tg_text_string(&text),
                       scalar ? "read off df = G*dx" : "read off df = tr(G'*dX); transposes moved to the leaves"));
done:
  tg_text_fini(&text);
  return status;
}

tg_status tg_explain(tg_graph *graph, tg_node f, int32_t wrt, tg_format format, tg_explanation *out)
{
  *out = (tg_explanation){0};
  tg_arena_init(&out->arena);
  explainer e = {.g = graph, .format = format, .wrt = wrt, .out = out, .next_number = 1};
  const term start = {.coef = 1.0, .z = f};
  tg_status status = TG_OK;
  if (active(&e, f)) TG_TRY_GOTO(reduce(&e, &start));
  if (e.sum == TG_NONE) {
    const tg_symbol *symbol = tg_symbol_info(graph, wrt);
    TG_TRY_GOTO(tg_make_zeros(graph, symbol->rows, symbol->cols, &e.sum));
  }
  out->gradient = e.sum;
  tg_node shown = TG_NONE;
  TG_TRY_GOTO(tg_factor_common(graph, e.sum, &shown));
  TG_TRY_GOTO(write_gathered(&e, shown));
done:
  if (status != TG_OK) tg_explanation_fini(out);
  return status;
}

void tg_explanation_fini(tg_explanation *explanation)
{
  tg_free(explanation->steps);
  tg_arena_fini(&explanation->arena);
  explanation->steps = NULL;
  explanation->n_steps = explanation->capacity = 0;
}
