// The rules of curvature. They judge matrices entry by entry: each entry of exp(A*X) is convex, and so is their sum.
#include "grad/structure/curvature.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "grad/calculus.h"
#include "grad/graph/entry.h"
#include "grad/graph/op.h"

typedef struct judgement {
  tg_curvature curvature;
  const char *reason;
  bool among_symmetric; // holds while the variables are symmetric
  bool is_square;       // a sum of squares of affine or of convex functions that are not negative: its root is a norm
  bool is_quadratic;    // of them the former alone
} judgement;

typedef struct judge {
  tg_graph *graph;
  int32_t n; // variables
  const int32_t *wrt;
  bool *known; // by node
  judgement *found;
  tg_status *failure; // of a question whose answer is yes or no
} judge;

static judgement unknown(void)
{
  return (judgement){.curvature = TG_CURVATURE_UNKNOWN, .reason = "no rule applies"};
}

static judgement convex(bool holds, const char *reason)
{
  return holds ? (judgement){.curvature = TG_CURVATURE_CONVEX, .reason = reason} : unknown();
}

static judgement negated(judgement j)
{
  if (j.curvature == TG_CURVATURE_CONVEX)
    j.curvature = TG_CURVATURE_CONCAVE;
  else if (j.curvature == TG_CURVATURE_CONCAVE)
    j.curvature = TG_CURVATURE_CONVEX;
  return j;
}

static bool is_affine(const judge *self, tg_node node)
{
  int degree = -1;
  const tg_status status = tg_degree_find(self->graph, node, self->n, self->wrt, &degree);
  if (status != TG_OK) *self->failure = status;
  return degree == 0 || degree == 1;
}

static bool is_moving(const judge *self, tg_node node)
{
  for (int32_t k = 0; k < self->n; k++)
    if (tg_node_depends_on(self->graph, node, self->wrt[k])) return true;
  return false;
}

static tg_status find(judge *self, tg_node node, judgement *out);

// ---- signs ----

enum { SIGN_DEPTH = 12 };

// Common sign of all entries of a node.
typedef enum sign { SIGN_UNKNOWN, SIGN_NONNEGATIVE, SIGN_POSITIVE } sign;

static sign sign_of(const tg_graph *g, tg_node node, int depth);

// Sign of a sum or a product, whose arguments must not be negative: a sum is positive where one argument is, a product
// where all are.
static sign sign_of_arguments(const tg_graph *g, const tg_info *info, int depth)
{
  const bool is_sum = info->kind == TG_LIN;
  sign least = SIGN_POSITIVE;
  sign most = SIGN_UNKNOWN;
  for (int32_t i = 0; least > SIGN_UNKNOWN && i < info->n_args; i++) {
    const sign one = is_sum && info->coefs[i] < 0 ? SIGN_UNKNOWN : sign_of(g, info->args[i], depth - 1);
    least = one < least ? one : least;
    most = one > most ? one : most;
  }
  return is_sum && least > SIGN_UNKNOWN ? most : least;
}

static sign sign_of_function(const tg_graph *g, const tg_info *info, int depth)
{
  const tg_entry_facts *f = tg_entry(info->kind);
  if (f == NULL || f->sign == TG_SIGN_ANY) return SIGN_UNKNOWN;
  if (f->sign == TG_SIGN_POSITIVE) return SIGN_POSITIVE;
  const sign inner = sign_of(g, info->args[0], depth - 1);
  if (f->sign == TG_SIGN_OF_ARGUMENT) return inner;
  return SIGN_NONNEGATIVE;
}

static sign sign_of_larger(const tg_graph *g, const tg_info *info, int depth)
{
  const sign a = sign_of(g, info->args[0], depth - 1);
  const sign b = sign_of(g, info->args[1], depth - 1);
  return (a > b) == (info->kind == TG_MAX) ? a : b;
}

static sign sign_of(const tg_graph *g, tg_node node, int depth)
{
  const tg_info *info = tg_node_info(g, node);
  double exponent = 0.0;
  if (depth == 0) return SIGN_UNKNOWN;
  switch (info->kind) {
  case TG_NUM:
    return info->value > 0 ? SIGN_POSITIVE : info->value == 0 ? SIGN_NONNEGATIVE : SIGN_UNKNOWN;
  case TG_SYM: {
    const tg_symbol *symbol = tg_symbol_info(g, info->symbol);
    return !symbol->free && (symbol->properties & TG_POSITIVE) != 0 ? SIGN_POSITIVE : SIGN_UNKNOWN;
  }
  case TG_ONES:
    return SIGN_POSITIVE;
  case TG_POW:
    if (sign_of(g, info->args[0], depth - 1) == SIGN_POSITIVE) return SIGN_POSITIVE;
    return tg_node_is_number(g, info->args[1], &exponent) && exponent > 0 && fmod(exponent, 2.0) == 0.0
               ? SIGN_NONNEGATIVE
               : SIGN_UNKNOWN;
  case TG_LIN:
  case TG_PROD:
  case TG_HAD:
  case TG_TRANS:
  case TG_SUM:
  case TG_TR:
  case TG_DIAGVEC:
    return sign_of_arguments(g, info, depth);
  case TG_TRIU:
  case TG_TRIL:
  case TG_PICK:
  case TG_VAR:
    return SIGN_NONNEGATIVE;
  case TG_MAX:
  case TG_MIN:
    return sign_of_larger(g, info, depth);
  default:
    return sign_of_function(g, info, depth);
  }
}

bool tg_node_is_positive(const tg_graph *graph, tg_node node)
{
  return sign_of(graph, node, SIGN_DEPTH) == SIGN_POSITIVE;
}

bool tg_node_is_nonnegative(const tg_graph *graph, tg_node node)
{
  return sign_of(graph, node, SIGN_DEPTH) != SIGN_UNKNOWN;
}

// Whether every entry of the node is affine and, by what is declared, positive: s + 2*t of positive variables.
static bool is_positive_affine(const judge *self, tg_node node)
{
  const tg_graph *g = self->graph;
  const tg_info *info = tg_node_info(g, node);
  if (!is_moving(self, node)) return sign_of(g, node, SIGN_DEPTH) == SIGN_POSITIVE;
  if (info->kind == TG_SYM) return (tg_symbol_info(g, info->symbol)->properties & TG_POSITIVE) != 0;
  if (info->kind == TG_TRANS || info->kind == TG_SUM) return is_positive_affine(self, info->args[0]);
  if (info->kind != TG_LIN && info->kind != TG_PROD && info->kind != TG_HAD) return false;
  int32_t moving = 0;
  bool all = true;
  for (int32_t i = 0; all && i < info->n_args; i++) {
    moving += is_moving(self, info->args[i]);
    all = (info->coefs == NULL || info->coefs[i] > 0.0) && is_positive_affine(self, info->args[i]);
  }
  return all && (info->kind == TG_LIN || moving == 1);
}

// 1/s with s as above.
static bool is_positive_divisor(const judge *self, tg_node node)
{
  const tg_info *info = tg_node_info(self->graph, node);
  double exponent = 0.0;
  return info->kind == TG_POW && tg_node_is_number(self->graph, info->args[1], &exponent) && exponent == -1.0 &&
         is_moving(self, info->args[0]) && is_positive_affine(self, info->args[0]);
}

// ---- definite matrices ----

// A A'
static bool is_gram(const tg_graph *g, const tg_info *info)
{
  if (info->kind != TG_PROD || info->n_scalars > 0 || info->n_args != 2) return false;
  const tg_info *first = tg_node_info(g, info->args[0]);
  const tg_info *second = tg_node_info(g, info->args[1]);
  return (first->kind == TG_TRANS && first->args[0] == info->args[1]) ||
         (second->kind == TG_TRANS && second->args[0] == info->args[0]);
}

// Whether the node is constant and symmetric positive semidefinite.
static bool is_semidefinite(const judge *self, tg_node node)
{
  const tg_graph *g = self->graph;
  const tg_info *info = tg_node_info(g, node);
  if (is_moving(self, node)) return false;
  if (tg_node_is_spd(g, node) || is_gram(g, info)) return true;
  if (info->kind == TG_SYM) {
    const tg_symbol *symbol = tg_symbol_info(g, info->symbol);
    return !symbol->free && (symbol->properties & TG_PSD) != 0;
  }
  bool all = info->kind == TG_LIN;
  for (int32_t i = 0; all && i < info->n_args; i++) all = info->coefs[i] > 0 && is_semidefinite(self, info->args[i]);
  return all;
}

// Positive multiples of variables that are declared positive definite and of semidefinite constants: where those are
// definite, so is this.
static bool is_definite_variable(const judge *self, tg_node node)
{
  const tg_info *info = tg_node_info(self->graph, node);
  if (info->kind == TG_SYM) return (tg_symbol_info(self->graph, info->symbol)->properties & TG_SPD) != 0;
  bool all = info->kind == TG_LIN;
  bool any = false;
  for (int32_t i = 0; all && i < info->n_args; i++) {
    const bool is_definite = is_definite_variable(self, info->args[i]);
    any = any || is_definite;
    all = info->coefs[i] > 0 &&
          (is_definite || (!is_moving(self, info->args[i]) && is_semidefinite(self, info->args[i])));
  }
  return all && any;
}

// Whether a' = a for every value of the variables; or for symmetric ones, of which no transpose stands in a: X - X' is
// nothing among these.
static tg_status find_symmetry(const judge *self, tg_node a, bool *always, bool *among_symmetric)
{
  tg_graph *g = self->graph;
  uint8_t *below = NULL;
  tg_node mirrored = TG_NONE;
  TG_TRY(tg_make_trans(g, a, &mirrored));
  *always = mirrored == a;
  *among_symmetric = !*always;
  if (*always) return TG_OK;
  TG_TRY(tg_node_find_below(g, a, &below));
  for (tg_node at = 1; at <= a; at++) {
    const tg_info *info = tg_node_info(g, at);
    if (below[at] != 0 && info->kind == TG_TRANS && is_moving(self, at)) *among_symmetric = false;
  }
  tg_free(below);
  for (int32_t k = 0; *among_symmetric && k < self->n; k++) {
    const tg_symbol *symbol = tg_symbol_info(g, self->wrt[k]);
    tg_node transposed = TG_NONE;
    if (!tg_node_depends_on(g, a, self->wrt[k])) continue;
    *among_symmetric = symbol->rows == symbol->cols;
    if (!*among_symmetric) continue;
    TG_TRY(tg_make_sym(g, self->wrt[k], &transposed));
    TG_TRY(tg_make_trans(g, transposed, &transposed));
    TG_TRY(tg_substitute(g, mirrored, 1, &self->wrt[k], &transposed, &mirrored));
  }
  *among_symmetric = *among_symmetric && mirrored == a;
  return TG_OK;
}

static tg_status judge_logdet(const judge *self, tg_node a, judgement *out)
{
  bool always = false;
  bool among = false;
  *out = unknown();
  if (!is_affine(self, a)) return TG_OK;
  TG_TRY(find_symmetry(self, a, &always, &among));
  if (!always && !among) return TG_OK;
  *out = (judgement){.curvature = TG_CURVATURE_CONCAVE, .among_symmetric = among};
  out->reason = always ? "logdet of an affine function, on positive definite matrices"
                       : "logdet of an affine function, among symmetric positive definite matrices";
  return TG_OK;
}

// tr(f(S)) = sum f(l_i) is convex in S where f is convex, concave where f is concave (C. Davis, 1957).
static tg_status judge_matfun_trace(const judge *self, tg_kind kind, tg_node s, judgement *out)
{
  const bool is_convex = kind == TG_EXPM;
  bool always = false;
  bool among = false;
  *out = unknown();
  if (!is_affine(self, s)) return TG_OK;
  TG_TRY(find_symmetry(self, s, &always, &among));
  if (!always && !among) return TG_OK;
  *out = (judgement){.curvature = is_convex ? TG_CURVATURE_CONVEX : TG_CURVATURE_CONCAVE, .among_symmetric = among};
  if (is_convex)
    out->reason = always ? "the trace of a convex function of a symmetric affine matrix"
                         : "the trace of a convex function of an affine matrix, among symmetric ones";
  else
    out->reason = always ? "the trace of a concave function of a symmetric affine matrix"
                         : "the trace of a concave function of an affine matrix, among symmetric ones";
  return TG_OK;
}

// tr(S log S), the negative von Neumann entropy: x log x of the eigenvalues.
static tg_status judge_matrix_entropy(const judge *self, const tg_node *chain, judgement *out)
{
  const tg_info *first = tg_node_info(self->graph, chain[0]);
  const tg_info *second = tg_node_info(self->graph, chain[1]);
  bool always = false;
  bool among = false;
  tg_node s = TG_NONE;
  *out = unknown();
  if (first->kind == TG_LOGM && first->args[0] == chain[1]) s = chain[1];
  if (second->kind == TG_LOGM && second->args[0] == chain[0]) s = chain[0];
  if (s == TG_NONE || !is_affine(self, s)) return TG_OK;
  TG_TRY(find_symmetry(self, s, &always, &among));
  *out =
      convex(always || among, always ? "the negative entropy of the eigenvalues of a symmetric affine matrix"
                                     : "the negative entropy of the eigenvalues of an affine matrix, among symmetric "
                                       "positive definite matrices");
  out->among_symmetric = among;
  return TG_OK;
}

// ---- quadratics ----

// The trace of a cycle Z' A Z B with affine Z and definite constants A, B (or none): a nonnegative quadratic.
static tg_status is_definite_quadratic(const judge *self, int32_t n, const tg_node *chain, bool *out)
{
  tg_graph *g = self->graph;
  *out = false;
  if (n < 2 || n > 32) return TG_OK;
  for (int32_t shift = 0; shift < n && !*out; shift++) {
    // Read the cycle from `shift` on: a run of factors, a definite one or none, the mirrored run, a definite one or
    // none.
    for (int32_t run = 1; 2 * run <= n && !*out; run++) {
      const int32_t spare = n - 2 * run;
      if (spare > 2) continue;
      for (int32_t inner = 0; inner <= spare && inner <= 1 && !*out; inner++) {
        if (spare - inner > 1) continue;
        bool fits = true;
        bool moves = false;
        for (int32_t i = 0; fits && i < run; i++) {
          const tg_node factor = chain[(shift + i) % n];
          tg_node mirrored = TG_NONE;
          TG_TRY(tg_make_trans(g, chain[(shift + 2 * run + inner - 1 - i) % n], &mirrored));
          moves = moves || is_moving(self, factor);
          fits = mirrored == factor;
        }
        if (inner == 1) fits = fits && is_semidefinite(self, chain[(shift + run) % n]);
        if (spare - inner == 1) fits = fits && is_semidefinite(self, chain[(shift + n - 1) % n]);
        int32_t moving = 0;
        for (int32_t i = 0; fits && i < run; i++) {
          const tg_node factor = chain[(shift + i) % n];
          if (!is_moving(self, factor)) continue;
          moving++;
          fits = is_affine(self, factor);
        }
        *out = fits && moves && moving == 1;
      }
    }
  }
  return TG_OK;
}

// The one factor of the cycle that is the inverse of a definite affine function, while all others are affine or
// constant; -1: there is none.
static int32_t find_inverse(const judge *self, int32_t n, const tg_node *chain)
{
  int32_t at = -1;
  for (int32_t i = 0; i < n; i++) {
    const tg_info *info = tg_node_info(self->graph, chain[i]);
    if (is_affine(self, chain[i])) continue;
    if (at >= 0 || info->kind != TG_INV) return -1;
    at = i;
  }
  if (at < 0) return -1;
  const tg_node inner = tg_node_info(self->graph, chain[at])->args[0];
  return is_affine(self, inner) && is_definite_variable(self, inner) ? at : -1;
}

// The trace of inv(Z) C with definite affine Z, or of inv(Z) between an affine chain and its mirror image, with a
// semidefinite constant at the other end or without one: Boyd and Vandenberghe, section 3.1.7, the matrix fractional
// function, convex in all of it together.
static tg_status is_fractional(const judge *self, int32_t n, const tg_node *chain, bool *out)
{
  const int32_t at = find_inverse(self, n, chain);
  *out = false;
  if (at < 0) return TG_OK;
  int32_t moving = 0;
  bool fits = true;
  for (int32_t k = 1; fits && 2 * k < n; k++) {
    tg_node mirrored = TG_NONE;
    TG_TRY(tg_make_trans(self->graph, chain[(at + n - k) % n], &mirrored));
    fits = mirrored == chain[(at + k) % n];
    moving += is_moving(self, mirrored);
  }
  *out = fits && moving <= 1 && (n % 2 == 1 || is_semidefinite(self, chain[(at + n / 2) % n]));
  return TG_OK;
}

// The trace of Z' Z where the entries of Z are convex and not negative: so are their squares.
static tg_status is_square_of_convex(judge *self, int32_t n, const tg_node *chain, bool *out)
{
  judgement inner = unknown();
  tg_node mirrored = TG_NONE;
  *out = false;
  if (n != 2) return TG_OK;
  TG_TRY(tg_make_trans(self->graph, chain[0], &mirrored));
  if (mirrored != chain[1] || sign_of(self->graph, chain[1], SIGN_DEPTH) == SIGN_UNKNOWN) return TG_OK;
  TG_TRY(find(self, chain[1], &inner));
  *out = inner.curvature == TG_CURVATURE_CONVEX;
  return TG_OK;
}

// ---- quadratics over affine functions ----

// A sum with positive coefficients of such quadratics, and of constants that are not negative.
static tg_status is_quadratic(judge *self, tg_node node, bool *out)
{
  const tg_info *info = tg_node_info(self->graph, node);
  judgement found = unknown();
  *out = true;
  if (!is_moving(self, node)) {
    *out = sign_of(self->graph, node, SIGN_DEPTH) != SIGN_UNKNOWN;
    return TG_OK;
  }
  if (info->kind == TG_LIN) {
    for (int32_t i = 0; *out && i < info->n_args; i++) {
      TG_TRY(is_quadratic(self, info->args[i], out));
      *out = *out && info->coefs[i] > 0.0;
    }
    return TG_OK;
  }
  TG_TRY(find(self, node, &found));
  *out = found.is_quadratic;
  return TG_OK;
}

// The perspective of a quadratic: q(x)/s with s > 0, in x and s together. Entry by entry as well.
static tg_status judge_perspective(judge *self, const tg_info *product, judgement *out)
{
  tg_node moving = TG_NONE;
  int32_t n_divisors = 0;
  bool holds = true;
  *out = unknown();
  for (int32_t i = 0; holds && i < product->n_args; i++) {
    const tg_node factor = product->args[i];
    const bool is_divisor = is_positive_divisor(self, factor);
    n_divisors += is_divisor;
    if (!is_moving(self, factor))
      holds = sign_of(self->graph, factor, SIGN_DEPTH) != SIGN_UNKNOWN;
    else if (!is_divisor) {
      holds = moving == TG_NONE;
      moving = factor;
    }
  }
  if (!holds || n_divisors != 1 || moving == TG_NONE) return TG_OK;
  TG_TRY(is_quadratic(self, moving, &holds));
  *out = convex(holds, "a quadratic over a positive affine function");
  return TG_OK;
}

// x.*log(x), whose domain is x > 0.
static tg_status judge_entropy(const judge *self, const tg_info *product, judgement *out)
{
  tg_node x = TG_NONE;
  tg_node logarithm = TG_NONE;
  bool holds = true;
  for (int32_t i = 0; holds && i < product->n_args; i++) {
    const tg_node factor = product->args[i];
    const tg_info *info = tg_node_info(self->graph, factor);
    tg_node *place = info->kind == TG_LOG ? &logarithm : &x;
    if (!is_moving(self, factor)) {
      holds = sign_of(self->graph, factor, SIGN_DEPTH) != SIGN_UNKNOWN;
      continue;
    }
    holds = *place == TG_NONE;
    *place = info->kind == TG_LOG ? info->args[0] : factor;
  }
  *out = convex(holds && x != TG_NONE && x == logarithm && is_affine(self, x),
                "the negative entropy of an affine function");
  return TG_OK;
}

// ---- cycles ----

// sum(A.*B) as the trace of A' B.
static tg_status judge_pair(judge *self, const tg_node *chain, judgement *out)
{
  tg_node pair[2] = {TG_NONE, chain[1]};
  TG_TRY(tg_make_trans(self->graph, chain[0], &pair[0]));
  const tg_info product = {.kind = TG_HAD, .n_args = 2, .args = pair};
  TG_TRY(judge_perspective(self, &product, out));
  return out->curvature == TG_CURVATURE_UNKNOWN ? judge_entropy(self, &product, out) : TG_OK;
}

static tg_status judge_cycle(judge *self, int32_t n, const tg_node *chain, judgement *out)
{
  bool holds = false;
  *out = unknown();
  TG_TRY(is_definite_quadratic(self, n, chain, &holds));
  *out = convex(holds, "a square or definite quadratic of an affine function");
  out->is_square = out->is_quadratic = holds;
  if (holds) return TG_OK;
  TG_TRY(is_square_of_convex(self, n, chain, &holds));
  *out = convex(holds, "squares of convex functions that are not negative");
  out->is_square = holds;
  if (holds) return TG_OK;
  TG_TRY(is_fractional(self, n, chain, &holds));
  *out = convex(holds, "a trace with the inverse of an affine function, among symmetric positive definite matrices");
  out->among_symmetric = holds;
  if (holds || n != 2) return TG_OK;
  TG_TRY(judge_matrix_entropy(self, chain, out));
  return out->curvature == TG_CURVATURE_UNKNOWN ? judge_pair(self, chain, out) : TG_OK;
}

// Scalar constants that are not negative before the chain.
static tg_status judge_product_cycle(judge *self, const tg_info *product, judgement *out)
{
  *out = unknown();
  if (product->kind != TG_PROD) return TG_OK;
  for (int32_t i = 0; i < product->n_scalars; i++)
    if (is_moving(self, product->args[i]) || sign_of(self->graph, product->args[i], SIGN_DEPTH) == SIGN_UNKNOWN)
      return TG_OK;
  return judge_cycle(self, product->n_args - product->n_scalars, product->args + product->n_scalars, out);
}

// ---- sums ----

static tg_status judge_sum(judge *self, const tg_info *info, judgement *out)
{
  judgement total = {.curvature = TG_CURVATURE_AFFINE, .reason = "affine"};
  for (int32_t i = 0; i < info->n_args; i++) {
    judgement part;
    TG_TRY(find(self, info->args[i], &part));
    if (info->coefs[i] < 0.0) part = negated(part);
    if (part.curvature == TG_CURVATURE_AFFINE) continue;
    if (total.curvature != TG_CURVATURE_AFFINE && part.curvature != total.curvature) part = unknown();
    total = part.curvature == TG_CURVATURE_UNKNOWN || total.curvature == TG_CURVATURE_AFFINE
                ? part
                : (judgement){.curvature = total.curvature,
                              .reason = total.curvature == TG_CURVATURE_CONVEX ? "a sum of convex terms"
                                                                               : "a sum of concave terms"};
    if (total.curvature == TG_CURVATURE_UNKNOWN) break;
  }
  total.is_square = total.is_quadratic = false; // of a term, and perhaps upside down
  *out = total;
  return TG_OK;
}

static tg_status judge_all_entries(judge *self, tg_node argument, judgement *out)
{
  TG_TRY(find(self, argument, out));
  if (out->curvature == TG_CURVATURE_CONVEX && tg_node_info(self->graph, argument)->kind != TG_LIN)
    out->reason = "a sum of convex functions of an affine one";
  if (out->curvature == TG_CURVATURE_CONCAVE && tg_node_info(self->graph, argument)->kind == TG_LOG)
    out->reason = "a sum of logarithms of an affine function";
  return TG_OK;
}

// The trace of Z Z: of a symmetric X, or of A*X.
static tg_status judge_square(judge *self, tg_node base, judgement *out)
{
  enum { LONGEST = 16 };
  const tg_info *once = tg_node_info(self->graph, base);
  const bool is_chain = once->kind == TG_PROD && once->n_scalars == 0;
  const int32_t n = is_chain ? once->n_args : 1;
  tg_node twice[2 * LONGEST];
  *out = unknown();
  if (n > LONGEST) return TG_OK;
  for (int32_t k = 0; k < 2 * n; k++) twice[k] = is_chain ? once->args[k % n] : base;
  return judge_cycle(self, 2 * n, twice, out);
}

static tg_status judge_trace(judge *self, const tg_info *info, judgement *out)
{
  const tg_info *inner = tg_node_info(self->graph, info->args[0]);
  *out = unknown();
  if (inner->kind == TG_PROD) TG_TRY(judge_product_cycle(self, inner, out));
  if (inner->kind == TG_MPOW && inner->exponent == 2) TG_TRY(judge_square(self, inner->args[0], out));
  if (inner->kind == TG_INV) TG_TRY(judge_cycle(self, 1, info->args, out));
  return out->curvature == TG_CURVATURE_UNKNOWN ? judge_all_entries(self, info->args[0], out) : TG_OK;
}

// Constants without negative entries around, or entry by entry beside, one factor that moves: sums of its entries with
// weights.
static tg_status judge_product(judge *self, const tg_info *info, judgement *out)
{
  tg_node moving = TG_NONE;
  *out = unknown();
  for (int32_t i = 0; i < info->n_args; i++) {
    const tg_node factor = info->args[i];
    if (!is_moving(self, factor)) {
      if (sign_of(self->graph, factor, SIGN_DEPTH) == SIGN_UNKNOWN) return TG_OK;
      continue;
    }
    if (moving != TG_NONE) return TG_OK;
    moving = factor;
  }
  return moving != TG_NONE ? find(self, moving, out) : TG_OK;
}

// ---- functions of entries ----

// Whether the node is a sum with positive coefficients of exp(affine) and positive constants.
static bool is_sum_of_exponentials(const judge *self, tg_node node, int depth)
{
  const tg_info *info = tg_node_info(self->graph, node);
  bool all = depth > 0;
  if (!is_moving(self, node)) return tg_node_is_positive(self->graph, node);
  switch (info->kind) {
  case TG_EXP:
    return is_affine(self, info->args[0]);
  case TG_LIN:
    for (int32_t i = 0; all && i < info->n_args; i++)
      all = info->coefs[i] > 0 && is_sum_of_exponentials(self, info->args[i], depth - 1);
    return all;
  case TG_PROD: {
    int32_t moving = 0;
    for (int32_t i = 0; all && i < info->n_args; i++) {
      moving += is_moving(self, info->args[i]);
      all = is_sum_of_exponentials(self, info->args[i], depth - 1);
    }
    return all && moving == 1;
  }
  case TG_SUM:
  case TG_TRANS:
    return all && is_sum_of_exponentials(self, info->args[0], depth - 1);
  default:
    return false;
  }
}

static tg_status judge_log(judge *self, const tg_info *info, judgement *out)
{
  judgement inner = unknown();
  if (is_sum_of_exponentials(self, info->args[0], SIGN_DEPTH)) {
    *out = convex(true, "log-sum-exp of an affine function");
    return TG_OK;
  }
  TG_TRY(find(self, info->args[0], &inner));
  const bool is_concave = inner.curvature == TG_CURVATURE_AFFINE || inner.curvature == TG_CURVATURE_CONCAVE;
  *out = is_concave ? (judgement){.curvature = TG_CURVATURE_CONCAVE, .reason = "a logarithm of an affine function"}
                    : unknown();
  return TG_OK;
}

// sqrt of positive constants and squares of affine functions: a norm in every entry.
static bool is_sum_of_squares(const judge *self, const tg_info *info)
{
  bool all = info->kind == TG_LIN;
  for (int32_t i = 0; all && i < info->n_args; i++) {
    const tg_info *term = tg_node_info(self->graph, info->args[i]);
    double exponent = 0.0;
    const bool is_square = term->kind == TG_POW && tg_node_is_number(self->graph, term->args[1], &exponent) &&
                           exponent == 2.0 && is_affine(self, term->args[0]);
    const bool is_constant = !is_moving(self, info->args[i]);
    all = info->coefs[i] > 0 && (is_square || (is_constant && tg_node_is_positive(self->graph, info->args[i])));
  }
  return all;
}

// A power of an affine function where that is positive.
static judgement judge_positive_power(double exponent)
{
  if (exponent > 0.0 && exponent < 1.0)
    return (judgement){.curvature = TG_CURVATURE_CONCAVE,
                       .reason = "a root of an affine function where that is positive"};
  return convex(true, "a power of an affine function where that is positive");
}

static tg_status judge_root(judge *self, tg_node base, judgement *out)
{
  judgement inner = unknown();
  TG_TRY(find(self, base, &inner));
  *out = convex(inner.is_square || is_sum_of_squares(self, tg_node_info(self->graph, base)),
                inner.is_square && !inner.is_quadratic ? "a norm of convex functions that are not negative"
                                                       : "a norm of an affine function");
  return TG_OK;
}

static tg_status judge_power(judge *self, const tg_info *info, judgement *out)
{
  double exponent = 0.0;
  judgement inner = unknown();
  const tg_node base = info->args[0];
  *out = unknown();
  if (!tg_node_is_number(self->graph, info->args[1], &exponent)) return TG_OK;
  if (exponent >= 2.0 && fmod(exponent, 2.0) == 0.0 && is_affine(self, base)) {
    *out = convex(true, exponent == 2.0 ? "the square of an affine function" : "an even power of an affine function");
    out->is_square = out->is_quadratic = exponent == 2.0;
    return TG_OK;
  }
  // A fractional power is defined for positive numbers alone, as a logarithm is.
  const bool is_fractional = fmod(exponent, 1.0) != 0.0;
  if (is_moving(self, base) && (is_positive_affine(self, base) || (is_fractional && is_affine(self, base)))) {
    *out = judge_positive_power(exponent);
    return TG_OK;
  }
  if (exponent == 0.5) return judge_root(self, base, out);
  if (exponent < 1.0) return TG_OK;
  TG_TRY(find(self, base, &inner));
  if (!inner.is_square && sign_of(self->graph, base, SIGN_DEPTH) == SIGN_UNKNOWN) return TG_OK;
  *out = convex(inner.curvature == TG_CURVATURE_CONVEX, "a power of a convex function that is not negative");
  out->is_square = out->curvature == TG_CURVATURE_CONVEX && exponent == 2.0;
  return TG_OK;
}

// Convex functions of affine entries; increasing ones of convex entries, decreasing ones of concave entries. Of concave
// functions likewise, upside down.
static tg_status judge_function(judge *self, const tg_info *info, judgement *out)
{
  const tg_entry_facts *f = tg_entry(info->kind);
  judgement inner = unknown();
  *out = unknown();
  if (f == NULL || f->curvature == TG_BENDS_BOTH) return TG_OK;
  TG_TRY(find(self, info->args[0], &inner));
  const bool is_convex = f->curvature == TG_BENDS_UP;
  const tg_curvature own = is_convex ? TG_CURVATURE_CONVEX : TG_CURVATURE_CONCAVE;
  const tg_curvature other = is_convex ? TG_CURVATURE_CONCAVE : TG_CURVATURE_CONVEX;
  if (inner.curvature == TG_CURVATURE_AFFINE)
    *out =
        (judgement){.curvature = own,
                    .reason = is_convex ? "a convex function of an affine one" : "a concave function of an affine one"};
  if (f->monotone == TG_INCREASING && inner.curvature == own)
    *out = (judgement){.curvature = own,
                       .reason = is_convex ? "an increasing convex function of a convex one"
                                           : "an increasing concave function of a concave one"};
  if (f->monotone == TG_DECREASING && inner.curvature == other)
    *out = (judgement){.curvature = own,
                       .reason = is_convex ? "a decreasing convex function of a concave one"
                                           : "a decreasing concave function of a convex one"};
  return TG_OK;
}

// The larger of convex entries, the smaller of concave ones.
static tg_status judge_larger(judge *self, const tg_info *info, judgement *out)
{
  const bool is_max = info->kind == TG_MAX;
  const tg_curvature own = is_max ? TG_CURVATURE_CONVEX : TG_CURVATURE_CONCAVE;
  bool all = true;
  for (int32_t k = 0; k < 2; k++) {
    judgement part = unknown();
    TG_TRY(find(self, info->args[k], &part));
    all = all && (part.curvature == TG_CURVATURE_AFFINE || part.curvature == own);
  }
  *out = unknown();
  if (all)
    *out =
        (judgement){.curvature = own,
                    .reason = is_max ? "the larger of two convex functions" : "the smaller of two concave functions"};
  return TG_OK;
}

static tg_status judge_logsumexp(judge *self, const tg_info *info, judgement *out)
{
  judgement inner = unknown();
  TG_TRY(find(self, info->args[0], &inner));
  *out = convex(inner.curvature == TG_CURVATURE_AFFINE || inner.curvature == TG_CURVATURE_CONVEX,
                inner.curvature == TG_CURVATURE_AFFINE ? "log-sum-exp of an affine function"
                                                       : "log-sum-exp of a convex function");
  return TG_OK;
}

// A constant sum of squares over s, s > 0 the only factor that moves.
static tg_status judge_constant_quotient(judge *self, const tg_info *info, judgement *out)
{
  tg_graph *g = self->graph;
  tg_node *rest = NULL;
  int32_t n = 0;
  int32_t n_divisors = 0;
  *out = unknown();
  TG_TRY(TG_SCRATCH(g, info->n_args, &rest));
  for (int32_t i = 0; i < info->n_args; i++) {
    const bool is_divisor = is_positive_divisor(self, info->args[i]);
    n_divisors += is_divisor;
    if (!is_divisor) rest[n++] = info->args[i];
    if (!is_divisor && is_moving(self, info->args[i])) return TG_OK;
  }
  if (n_divisors != 1 || n == 0) return TG_OK;
  TG_TRY(tg_make_prod(g, n, rest, &rest[0]));
  if (!tg_node_is_scalar(g, rest[0])) return TG_OK;
  const tg_info *constant = tg_node_info(g, rest[0]);
  if (constant->kind == TG_TR) constant = tg_node_info(g, constant->args[0]);
  bool is_square = constant->kind == TG_PROD && constant->n_scalars == 0 && constant->n_args % 2 == 0;
  const int32_t n_chain = constant->n_args;
  for (int32_t i = 0; is_square && i < n_chain / 2; i++) {
    tg_node turned = TG_NONE;
    TG_TRY(tg_make_trans(g, constant->args[n_chain - 1 - i], &turned));
    is_square = turned == constant->args[i];
  }
  *out = convex(is_square || sign_of(g, rest[0], SIGN_DEPTH) != SIGN_UNKNOWN,
                "a number that is not negative over a positive affine function");
  return TG_OK;
}

// Products of two factors that move: scalars, or entry by entry.
static tg_status judge_quotient(judge *self, tg_node node, judgement *out)
{
  const tg_info *info = tg_node_info(self->graph, node);
  *out = unknown();
  if (info->kind == TG_PROD && tg_node_is_scalar(self->graph, node)) {
    TG_TRY(judge_constant_quotient(self, info, out));
    if (out->curvature != TG_CURVATURE_UNKNOWN) return TG_OK;
  }
  if (info->kind == TG_PROD && info->n_scalars < info->n_args) return TG_OK;
  TG_TRY(judge_perspective(self, info, out));
  return out->curvature == TG_CURVATURE_UNKNOWN ? judge_entropy(self, info, out) : TG_OK;
}

// ---- perspectives ----

enum { PERSPECTIVE_SYMBOLS_MAX = 16 };

// Whether node = t h(x/t) for the x given, where h is the node with 1 for t; *out is h.
static tg_status is_perspective(tg_graph *g, tg_node node, int32_t t, int32_t n, const int32_t *x, tg_node *out,
                                bool *is)
{
  tg_node parts[3] = {TG_NONE, TG_NONE, TG_NONE}; // 1, t, 1/t
  tg_node scaled[PERSPECTIVE_SYMBOLS_MAX];
  tg_node again = TG_NONE;
  TG_TRY(tg_make_num(g, 1.0, &parts[0]));
  TG_TRY(tg_make_sym(g, t, &parts[1]));
  TG_TRY(tg_make_pow_number(g, parts[1], -1.0, &parts[2]));
  for (int32_t k = 0; k < n; k++) {
    TG_TRY(tg_make_sym(g, x[k], &scaled[k]));
    TG_TRY(tg_make_mul(g, parts[2], scaled[k], &scaled[k]));
  }
  TG_TRY(tg_substitute(g, node, 1, &t, &parts[0], out));
  TG_TRY(tg_substitute(g, *out, n, x, scaled, &again));
  TG_TRY(tg_make_mul(g, parts[1], again, &again));
  *is = again == node;
  return TG_OK;
}

// t h(x/t) is convex in x and t > 0 together where h is convex in x; x are the variables, or all names, for what is
// convex in all of them is so in some.
static tg_status judge_scaled(const judge *self, tg_node node, judgement *out)
{
  tg_graph *g = self->graph;
  const int32_t count = tg_symbol_count(g);
  for (int32_t t = 0; t < count; t++) {
    const tg_symbol symbol = *tg_symbol_info(g, t);
    if ((symbol.properties & TG_POSITIVE) == 0 || !tg_dim_is_one(g, symbol.rows) || !tg_dim_is_one(g, symbol.cols))
      continue;
    for (int all = 0; all < 2 && tg_node_depends_on(g, node, t); all++) {
      int32_t x[PERSPECTIVE_SYMBOLS_MAX];
      int32_t n = 0;
      tg_node h = TG_NONE;
      bool is = false;
      tg_curvature curvature = TG_CURVATURE_UNKNOWN;
      const char *reason = NULL;
      for (int32_t s = 0; s < count && n < PERSPECTIVE_SYMBOLS_MAX; s++) {
        bool taken = all == 1;
        for (int32_t k = 0; k < self->n; k++) taken = taken || self->wrt[k] == s;
        taken = taken && (tg_symbol_info(g, s)->properties & TG_ORTHOGONAL) == 0; // not so of Q/t
        if (taken && s != t && tg_node_depends_on(g, node, s)) x[n++] = s;
      }
      if (n == 0 || n == PERSPECTIVE_SYMBOLS_MAX) continue;
      TG_TRY(is_perspective(g, node, t, n, x, &h, &is));
      if (!is) continue;
      TG_TRY(tg_curvature_find(g, h, n, x, &curvature, &reason));
      if (curvature == TG_CURVATURE_UNKNOWN) continue;
      *out = (judgement){.curvature = curvature == TG_CURVATURE_AFFINE ? TG_CURVATURE_CONVEX : curvature,
                         .reason = curvature == TG_CURVATURE_CONCAVE ? "the perspective of a concave function"
                                                                     : "the perspective of a convex function",
                         .among_symmetric = strstr(reason, "among") != NULL};
      return TG_OK;
    }
  }
  return TG_OK;
}

// ---- the rules ----

static tg_status apply_rules(judge *self, tg_node node, judgement *out)
{
  const tg_info *info = tg_node_info(self->graph, node);
  *out = unknown();
  if (is_affine(self, node)) {
    *out = (judgement){.curvature = TG_CURVATURE_AFFINE, .reason = "affine"};
    return TG_OK;
  }
  switch (info->kind) {
  case TG_LIN:
    return judge_sum(self, info, out);
  case TG_TR: {
    const tg_info *inner = tg_node_info(self->graph, info->args[0]);
    if (tg_kind_is_matfun(inner->kind, 0)) return judge_matfun_trace(self, inner->kind, inner->args[0], out);
    return judge_trace(self, info, out);
  }
  case TG_PROD: // u'*A*u, a 1 x 1 chain, or ones'*E*ones
    if (tg_node_is_scalar(self->graph, node)) TG_TRY(judge_product_cycle(self, info, out));
    if (out->curvature == TG_CURVATURE_UNKNOWN) TG_TRY(judge_product(self, info, out));
    if (out->curvature == TG_CURVATURE_UNKNOWN) TG_TRY(judge_quotient(self, node, out));
    if (out->curvature == TG_CURVATURE_UNKNOWN && tg_node_is_scalar(self->graph, node))
      TG_TRY(judge_scaled(self, node, out));
    return TG_OK;
  case TG_HAD:
    TG_TRY(judge_product(self, info, out));
    if (out->curvature == TG_CURVATURE_UNKNOWN) TG_TRY(judge_quotient(self, node, out));
    return TG_OK;
  case TG_SUM:
    return judge_all_entries(self, info->args[0], out);
  case TG_TRANS:
  case TG_DIAGVEC:
    return find(self, info->args[0], out);
  case TG_NUCLEAR:
  case TG_SPECTRAL:
    *out = convex(is_affine(self, info->args[0]), "a norm of an affine function");
    return TG_OK;
  case TG_LOGDET:
    return judge_logdet(self, info->args[0], out);
  case TG_POW:
    return judge_power(self, info, out);
  case TG_LOG:
    return judge_log(self, info, out);
  case TG_LOGSUMEXP:
    return judge_logsumexp(self, info, out);
  case TG_VAR:
    *out = convex(is_affine(self, info->args[0]), "a variance of an affine function");
    return TG_OK;
  case TG_MAX:
  case TG_MIN:
    return judge_larger(self, info, out);
  default:
    return judge_function(self, info, out);
  }
}

static tg_status find(judge *self, tg_node node, judgement *out)
{
  if (!self->known[node]) {
    const tg_info *info = tg_node_info(self->graph, node);
    judgement found = unknown();
    TG_TRY(apply_rules(self, node, &found));
    for (int32_t i = 0; i < info->n_args; i++)
      found.among_symmetric = found.among_symmetric || self->found[info->args[i]].among_symmetric;
    self->found[node] = found;
  }
  self->known[node] = true;
  *out = self->found[node];
  return TG_OK;
}

tg_status tg_curvature_find(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, tg_curvature *out,
                            const char **reason)
{
  tg_status failure = TG_OK;
  judge self = {.graph = graph, .n = n, .wrt = wrt, .failure = &failure};
  judgement found = unknown();
  tg_status status = TG_NEW((int64_t)f + 1, &self.known);
  if (status == TG_OK) status = TG_NEW((int64_t)f + 1, &self.found);
  if (status == TG_OK) status = find(&self, f, &found);
  if (status == TG_OK) status = failure;
  *out = found.curvature;
  *reason = found.reason;
  if (found.among_symmetric && found.curvature != TG_CURVATURE_UNKNOWN && strstr(found.reason, "among") == NULL)
    *reason = "a sum or composition of such functions, among symmetric matrices where they are defined";
  tg_free(self.known);
  tg_free(self.found);
  return status;
}
