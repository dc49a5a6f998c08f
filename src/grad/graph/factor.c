// Common factors taken out of sums: A*B + A*B' becomes A*(B + B').
#include <string.h>

#include "base/memory.h"
#include "grad/calculus.h"
#include "grad/graph/op.h"

static tg_status factor_sum(tg_graph *g, tg_node node, tg_node *out);

// The chain of a term without its scalar factors.
static void chain_of(const tg_graph *g, const tg_node *term, int32_t *n, const tg_node **chain, int32_t *n_scalars)
{
  const tg_info *info = tg_node_info(g, *term);
  *n = 1;
  *chain = term;
  *n_scalars = 0;
  if (info->kind != TG_PROD || tg_node_is_scalar(g, *term)) return;
  *n = info->n_args - info->n_scalars;
  *chain = info->args + info->n_scalars;
  *n_scalars = info->n_scalars;
}

// The number of factors that chains a and b share at their beginning (or end), leaving at least `keep` in each.
static int32_t shared_factors(const tg_graph *g, const tg_node *a, const tg_node *b, bool from_end)
{
  int32_t n_a = 0;
  int32_t n_b = 0;
  int32_t scalars = 0;
  const tg_node *x = NULL;
  const tg_node *y = NULL;
  chain_of(g, a, &n_a, &x, &scalars);
  chain_of(g, b, &n_b, &y, &scalars);
  int32_t shared = 0;
  while (shared < n_a && shared < n_b &&
         (from_end ? x[n_a - 1 - shared] == y[n_b - 1 - shared] : x[shared] == y[shared]))
    shared++;
  return shared;
}

// term without its first (or last) `drop` chain factors.
static tg_status rest_of_term(tg_graph *g, tg_node term, int32_t drop, bool from_end, tg_node *out)
{
  int32_t n = 0;
  int32_t n_scalars = 0;
  const tg_node *chain = NULL;
  tg_node *factors = NULL;
  chain_of(g, &term, &n, &chain, &n_scalars);
  TG_TRY(TG_SCRATCH(g, n_scalars + n + 1, &factors));
  memcpy(factors, tg_node_info(g, term)->args, sizeof(tg_node) * (size_t)n_scalars);
  const tg_node *kept = from_end ? chain : chain + drop;
  memcpy(factors + n_scalars, kept, sizeof(tg_node) * (size_t)(n - drop));
  int32_t count = n_scalars + n - drop;
  if (n == drop) {
    const tg_info *edge = tg_node_info(g, chain[from_end ? 0 : n - 1]);
    TG_TRY(tg_make_identity(g, from_end ? edge->rows : edge->cols, &factors[count++]));
  }
  return tg_make_prod(g, count, factors, out);
}

static int32_t chain_length(const tg_graph *g, tg_node term)
{
  int32_t n = 0;
  int32_t n_scalars = 0;
  const tg_node *chain = NULL;
  chain_of(g, &term, &n, &chain, &n_scalars);
  return n;
}

// Finds terms that share factors with term `first` at one side; shared is what all of them have in common. None is
// shared as a whole: X + X*A as X*(I + A) reads worse than it saves.
static int32_t find_group(const tg_graph *g, const tg_info *lin, int32_t first, bool from_end, uint8_t *group,
                          int32_t *shared)
{
  int32_t members = 1;
  const int32_t own = chain_length(g, lin->args[first]);
  memset(group, 0, (size_t)lin->n_args);
  group[first] = 1;
  *shared = 0;
  for (int32_t i = first + 1; i < lin->n_args; i++) {
    const int32_t common = shared_factors(g, &lin->args[first], &lin->args[i], from_end);
    if (common == 0 || common == own || common == chain_length(g, lin->args[i])) continue;
    *shared = members == 1 || common < *shared ? common : *shared;
    group[i] = 1;
    members++;
  }
  return members > 1 ? members : 0;
}

// Replaces the group by shared * (sum of the rests), or the mirror image.
static tg_status take_out(tg_graph *g, const tg_info *lin, int32_t first, const uint8_t *group, int32_t shared,
                          bool from_end, tg_node *out)
{
  tg_node *rests = NULL;
  tg_node *others = NULL;
  double *rest_coefs = NULL;
  double *other_coefs = NULL;
  int32_t n_rests = 0;
  int32_t n_others = 0;
  TG_TRY(TG_SCRATCH(g, lin->n_args, &rests));
  TG_TRY(TG_SCRATCH(g, lin->n_args + 1, &others));
  TG_TRY(TG_SCRATCH(g, lin->n_args, &rest_coefs));
  TG_TRY(TG_SCRATCH(g, lin->n_args + 1, &other_coefs));
  for (int32_t i = 0; i < lin->n_args; i++) {
    if (group[i] == 0) {
      other_coefs[n_others] = lin->coefs[i];
      others[n_others++] = lin->args[i];
      continue;
    }
    rest_coefs[n_rests] = lin->coefs[i];
    TG_TRY(rest_of_term(g, lin->args[i], shared, from_end, &rests[n_rests++]));
  }
  tg_node sum = TG_NONE;
  TG_TRY(tg_make_lin(g, n_rests, rest_coefs, rests, &sum));
  TG_TRY(factor_sum(g, sum, &sum)); // what is below has its factors taken out already
  int32_t n = 0;
  int32_t n_scalars = 0;
  const tg_node *chain = NULL;
  tg_node *factors = NULL;
  chain_of(g, &lin->args[first], &n, &chain, &n_scalars);
  TG_TRY(TG_SCRATCH(g, shared + 1, &factors));
  memcpy(factors + (from_end ? 1 : 0), from_end ? chain + n - shared : chain, sizeof(tg_node) * (size_t)shared);
  factors[from_end ? 0 : shared] = sum;
  TG_TRY(tg_make_prod(g, shared + 1, factors, &others[n_others]));
  other_coefs[n_others++] = 1.0;
  return tg_make_lin(g, n_others, other_coefs, others, out);
}

static bool has_scalar_factor(const tg_graph *g, tg_node term, tg_node scalar)
{
  const tg_info *info = tg_node_info(g, term);
  for (int32_t i = 0; info->kind == TG_PROD && i < info->n_scalars; i++)
    if (info->args[i] == scalar) return true;
  return false;
}

// s*A + s*B to s*(A + B), for a scalar factor of all terms.
static tg_status take_out_scalar(tg_graph *g, const tg_info *lin, bool *changed, tg_node *out)
{
  const tg_info *first = tg_node_info(g, lin->args[0]);
  tg_node inverse = TG_NONE;
  tg_node *terms = NULL;
  *changed = false;
  if (first->kind != TG_PROD || first->rows != lin->rows) return TG_OK;
  for (int32_t k = 0; k < first->n_scalars && !*changed; k++) {
    *changed = true;
    for (int32_t i = 1; i < lin->n_args; i++) *changed = *changed && has_scalar_factor(g, lin->args[i], first->args[k]);
    if (!*changed) continue;
    TG_TRY(TG_SCRATCH(g, lin->n_args, &terms));
    TG_TRY(tg_make_pow_number(g, first->args[k], -1.0, &inverse));
    for (int32_t i = 0; i < lin->n_args; i++) TG_TRY(tg_make_mul(g, inverse, lin->args[i], &terms[i]));
    TG_TRY(tg_make_lin(g, lin->n_args, lin->coefs, terms, out));
    TG_TRY(factor_sum(g, *out, out));
    return tg_make_mul(g, first->args[k], *out, out);
  }
  return TG_OK;
}

static int32_t scalars_of(const tg_graph *g, tg_node term, const tg_node **scalars)
{
  const tg_info *info = tg_node_info(g, term);
  *scalars = info->args;
  return info->kind == TG_PROD && !tg_node_is_scalar(g, term) ? info->n_scalars : 0;
}

static bool has_same_scalars(const tg_graph *g, tg_node a, tg_node b)
{
  const tg_node *x = NULL;
  const tg_node *y = NULL;
  const int32_t n = scalars_of(g, a, &x);
  return n > 0 && n == scalars_of(g, b, &y) && memcmp(x, y, sizeof *x * (size_t)n) == 0;
}

// s*A + s*B + C to s*(A + B) + C, for the first terms that have all their scalar factors in common.
static tg_status group_scalars(tg_graph *g, const tg_info *lin, bool *changed, tg_node *out)
{
  tg_node *rests = NULL;
  tg_node *others = NULL;
  double *coefs = NULL; // of the rests, then of the others
  const tg_node *scalars = NULL;
  TG_TRY(TG_SCRATCH(g, lin->n_args, &rests));
  TG_TRY(TG_SCRATCH(g, lin->n_args, &others));
  TG_TRY(TG_SCRATCH(g, (int64_t)2 * lin->n_args, &coefs));
  double *other_coefs = coefs + lin->n_args;
  *changed = false;
  for (int32_t first = 0; first + 1 < lin->n_args && !*changed; first++) {
    int32_t n_rests = 0;
    int32_t n_others = 0;
    for (int32_t i = 0; i < lin->n_args; i++) {
      const tg_node term = lin->args[i];
      const bool joins = i == first || (i > first && has_same_scalars(g, lin->args[first], term));
      if (joins) coefs[n_rests] = lin->coefs[i];
      if (joins) rests[n_rests++] = term;
      if (!joins) other_coefs[n_others] = lin->coefs[i];
      if (!joins) others[n_others++] = term;
    }
    if (n_rests < 2) continue;
    *changed = true;
    const int32_t n = scalars_of(g, lin->args[first], &scalars);
    for (int32_t i = 0; i < n_rests; i++) {
      const tg_info *info = tg_node_info(g, rests[i]);
      TG_TRY(tg_make_prod(g, info->n_args - n, info->args + n, &rests[i]));
    }
    TG_TRY(tg_make_lin(g, n_rests, coefs, rests, out));
    TG_TRY(factor_sum(g, *out, out));
    TG_TRY(TG_SCRATCH(g, n + 1, &rests));
    memcpy(rests, scalars, sizeof *rests * (size_t)n);
    rests[n] = *out;
    TG_TRY(tg_make_prod(g, n + 1, rests, &others[n_others]));
    other_coefs[n_others++] = 1.0;
    TG_TRY(tg_make_lin(g, n_others, other_coefs, others, out));
  }
  return TG_OK;
}

// Each factor taken out makes all that is left again: the time and the memory of a sum this long would be noticed.
enum { FACTORS_MAX = 150000 };

static bool is_too_long(const tg_graph *g, const tg_info *lin)
{
  int64_t factors = 0;
  for (int32_t i = 0; i < lin->n_args; i++) factors += tg_node_info(g, lin->args[i])->n_args;
  return factors > FACTORS_MAX;
}

static tg_status factor_sum(tg_graph *g, tg_node node, tg_node *out)
{
  bool changed = false;
  uint8_t *group = NULL;
  TG_TRY(tg_join_logistic(g, node, &node));
  const tg_info *info = tg_node_info(g, node);
  *out = node;
  if (info->kind != TG_LIN || info->n_args < 2 || is_too_long(g, info)) return TG_OK;
  if (tg_node_is_scalar(g, node)) return TG_OK;
  TG_TRY(take_out_scalar(g, info, &changed, out));
  if (changed) return TG_OK;
  TG_TRY(TG_SCRATCH(g, info->n_args, &group));
  for (int side = 0; side < 2; side++) {
    for (int32_t first = 0; first + 1 < info->n_args; first++) {
      int32_t shared = 0;
      if (find_group(g, info, first, side == 1, group, &shared) == 0) continue;
      TG_TRY(take_out(g, info, first, group, shared, side == 1, out));
      // What is left may share factors with something else.
      return *out == node ? TG_OK : factor_sum(g, *out, out);
    }
  }
  TG_TRY(group_scalars(g, info, &changed, out));
  return changed && *out != node ? factor_sum(g, *out, out) : TG_OK;
}

tg_status tg_factor_common(tg_graph *graph, tg_node node, tg_node *out)
{
  tg_status status = TG_OK;
  tg_node *image = NULL;
  uint8_t *below = NULL;
  TG_TRY_GOTO(TG_NEW((int64_t)node + 1, &image));
  TG_TRY_GOTO(tg_node_find_below(graph, node, &below));
  for (tg_node at = 1; at <= node; at++) {
    const tg_info *info = tg_node_info(graph, at);
    if (below[at] == 0) continue;
    tg_node *args = NULL;
    bool same = true;
    TG_TRY_GOTO(TG_SCRATCH(graph, info->n_args, &args));
    for (int32_t i = 0; i < info->n_args; i++) {
      args[i] = image[info->args[i]];
      same = same && args[i] == info->args[i];
    }
    image[at] = at;
    if (!same) TG_TRY_GOTO(tg_make_like(graph, at, args, &image[at]));
    TG_TRY_GOTO(tg_join_denominators(graph, image[at], &image[at]));
    TG_TRY_GOTO(factor_sum(graph, image[at], &image[at]));
  }
  *out = image[node];
done:
  tg_free(image);
  tg_free(below);
  return status;
}
