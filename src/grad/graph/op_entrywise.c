// Entrywise functions, all of them: the rows of entrywise.def as one operator.
#include <math.h>
#include <string.h>

#include "grad/entrywise.h"
#include "grad/graph/entry.h"
#include "grad/graph/op.h"

// ---- slopes as nodes: what the column of the table is written in ----

typedef struct slope_builder {
  tg_graph *g;
  tg_node x;
  tg_node node; // s(x)
  tg_status status;
} slope_builder;

static tg_node slope_ones(slope_builder *b)
{
  const tg_info *info = tg_node_info(b->g, b->x);
  tg_node out = TG_NONE;
  if (b->status == TG_OK) b->status = tg_make_ones(b->g, info->rows, info->cols, &out);
  return out;
}

static tg_node slope_sum(slope_builder *b, double coef, tg_node p, tg_node q)
{
  tg_node out = TG_NONE;
  if (b->status == TG_OK) b->status = tg_make_lin(b->g, 2, (const double[]){1.0, coef}, (const tg_node[]){p, q}, &out);
  return out;
}

static tg_node slope_times(slope_builder *b, tg_node p, tg_node q)
{
  tg_node out = TG_NONE;
  if (b->status == TG_OK) b->status = tg_make_had(b->g, 2, (const tg_node[]){p, q}, &out);
  return out;
}

static tg_node slope_power(slope_builder *b, tg_node p, double exponent)
{
  tg_node out = TG_NONE;
  if (b->status == TG_OK) b->status = tg_make_pow_number(b->g, p, exponent, &out);
  return out;
}

static tg_node slope_scaled(slope_builder *b, double coef, tg_node p)
{
  tg_node out = TG_NONE;
  if (b->status == TG_OK) b->status = tg_make_scale(b->g, coef, p, &out);
  return out;
}

static tg_node slope_apply(slope_builder *b, tg_kind kind, tg_node p)
{
  tg_node out = TG_NONE;
  if (b->status == TG_OK) b->status = tg_make_function(b->g, kind, p, &out);
  return out;
}

#define X                     b.x
#define Y                     b.node
#define ONE                   slope_ones(&b)
#define plus(p, q)            slope_sum(&b, 1.0, (p), (q))
#define minus(p, q)           slope_sum(&b, -1.0, (p), (q))
#define times(p, q)           slope_times(&b, (p), (q))
#define power(p, exponent)    slope_power(&b, (p), (exponent))
#define scaled(coef, p)       slope_scaled(&b, (coef), (p))
#define apply(kind, argument) slope_apply(&b, (kind), (argument))
#define TG_ENTRYWISE(KIND, name, value, rate, slope, ...)                           \
  static tg_status slope_##name(tg_graph *g, tg_node node, tg_node x, tg_node *out) \
  {                                                                                 \
    slope_builder b = {.g = g, .x = x, .node = node, .status = TG_OK};              \
    *out = (slope);                                                                 \
    return b.status;                                                                \
  }
#include "grad/entrywise.def"
#undef X
#undef Y
#undef ONE
#undef plus
#undef minus
#undef times
#undef power
#undef scaled
#undef apply

// ---- the table ----

#define TG_ENTRYWISE(KIND, name, value, rate, ...) \
  static double value_##name(double x)             \
  {                                                \
    return (value);                                \
  }                                                \
  static double rate_##name(double x, double y)    \
  {                                                \
    (void)x;                                       \
    (void)y;                                       \
    return (rate);                                 \
  }
#include "grad/entrywise.def"

#define TG_REALS        \
  {                     \
    -HUGE_VAL, HUGE_VAL \
  }
#define TG_ABOVE(bound) \
  {                     \
    (bound), HUGE_VAL   \
  }
#define TG_BETWEEN(bound, high) \
  {                             \
    (bound), (high)             \
  }
#define TG_SMOOTH      \
  {                    \
    TG_KINK_NONE, 0, 0 \
  }
#define TG_KINK(below, above)         \
  {                                   \
    TG_KINK_AT_ZERO, (below), (above) \
  }
#define TG_STEP        \
  {                    \
    TG_KINK_STEP, 0, 0 \
  }
#define TG_NO_DEGREE ((double)NAN)

// By position: a row with a fact too few does not compile without a warning, which is an error where it matters.
static const tg_entry_facts facts[] = {
#define TG_ENTRYWISE(KIND, name, value, rate, slope, ...) \
  {slope_##name, value_##name, rate_##name, #name, #name "(X)", __VA_ARGS__},
#include "grad/entrywise.def"
};

enum { FACTS = (int)(sizeof facts / sizeof facts[0]) };
_Static_assert((int)TG_ENTRY_END - (int)TG_ENTRY_FIRST == (int)FACTS, "the kinds from TG_ENTRY_FIRST on are the rows");

const tg_entry_facts *tg_entry(tg_kind kind)
{
  return kind >= TG_ENTRY_FIRST && kind < TG_ENTRY_END ? &facts[kind - TG_ENTRY_FIRST] : NULL;
}

static bool is_alias(const char *aliases, const char *name, size_t length)
{
  for (const char *at = aliases; *at != '\0';) {
    const size_t n = strcspn(at, " ");
    if (n == length && strncmp(at, name, n) == 0) return true;
    at += n + strspn(at + n, " ");
  }
  return false;
}

tg_kind tg_entry_find(const char *name, size_t length)
{
  for (int k = 0; k < FACTS; k++)
    if ((strlen(facts[k].name) == length && strncmp(facts[k].name, name, length) == 0) ||
        is_alias(facts[k].aliases, name, length))
      return (tg_kind)(TG_ENTRY_FIRST + k);
  return TG_KIND_COUNT;
}

// ---- the operator ----

bool tg_node_is_filled(const tg_graph *g, tg_node a, double *entry)
{
  const tg_info *info = tg_node_info(g, a);
  *entry = info->kind == TG_ONES ? 1.0 : 0.0;
  if (info->kind == TG_ONES || info->kind == TG_ZEROS) return true;
  if (info->kind != TG_LIN || info->n_args != 1 || tg_node_info(g, info->args[0])->kind != TG_ONES) return false;
  *entry = info->coefs[0];
  return true;
}

tg_status tg_make_function(tg_graph *g, tg_kind kind, tg_node a, tg_node *out)
{
  const tg_entry_facts *f = tg_entry(kind);
  TG_ASSERT(f != NULL);
  const tg_info *info = tg_node_info(g, a);
  double x = 0.0;
  if (kind == TG_LOG) {
    TG_TRY(tg_match_logarithm(g, a, out));
    if (*out != TG_NONE) return TG_OK;
  }
  if (kind == TG_LOG1P && info->kind == TG_EXP) return tg_make_function(g, TG_SOFTPLUS, info->args[0], out);
  if (tg_node_is_number(g, a, &x)) {
    const double y = f->value(x);
    if (!isfinite(y) && !(x > f->domain.low && x < f->domain.high))
      TG_FAIL(TG_VALUE, "%s(%g) is not a real number", f->name, x);
    return tg_make_num(g, y, out);
  }
  double entry = 0.0;
  if (tg_node_is_filled(g, a, &entry) && isfinite(f->value(entry))) {
    tg_node ones = TG_NONE;
    TG_TRY(tg_make_ones(g, info->rows, info->cols, &ones));
    return tg_make_scale(g, f->value(entry), ones, out);
  }
  // f(X') = f(X)': the smaller of X and X' goes inside.
  tg_node other = TG_NONE;
  TG_TRY(tg_make_trans(g, a, &other));
  if (tg_node_reads_better(g, other, a)) {
    TG_TRY(tg_make_function(g, kind, other, out));
    return tg_make_trans(g, *out, out);
  }
  return tg_intern_unary(g, kind, info->rows, info->cols, a, out);
}

static tg_status slope_of(tg_graph *g, tg_node node, tg_node *out)
{
  const tg_info *info = tg_node_info(g, node);
  return tg_entry(info->kind)->slope(g, node, info->args[0], out);
}

static tg_status remake_function(tg_graph *g, tg_node node, const tg_node *args, tg_node *out)
{
  return tg_make_function(g, tg_node_info(g, node)->kind, args[0], out);
}

// d s(X) = s'(X) .* dX
static tg_status forward_function(tg_graph *g, tg_node node, const tg_node *dargs, tg_node *out)
{
  TG_TRY(slope_of(g, node, out));
  return tg_make_had(g, 2, (const tg_node[]){*out, dargs[0]}, out);
}

static tg_status reverse_function(tg_graph *g, tg_node node, tg_node adjoint, int32_t k, tg_node *out)
{
  (void)k;
  TG_TRY(slope_of(g, node, out));
  return tg_make_had(g, 2, (const tg_node[]){*out, adjoint}, out);
}

static tg_status jacobian_function(tg_graph *g, tg_node node, int32_t k, tg_node *out)
{
  (void)k;
  TG_TRY(slope_of(g, node, out));
  TG_TRY(tg_make_vec(g, *out, out));
  return tg_make_diag(g, *out, out);
}

static tg_status sample_function(const tg_graph *g, tg_node node, const tg_value *args, tg_value *out)
{
  const tg_entry_facts *f = tg_entry(tg_node_info(g, node)->kind);
  for (int64_t i = 0; i < out->rows * out->cols; i++) out->data[i] = f->value(args[0].data[i]);
  return TG_OK;
}

const tg_op tg_op_entrywise = {.name = "an entrywise function",
                               .remake = remake_function,
                               .forward = forward_function,
                               .reverse = reverse_function,
                               .jacobian = jacobian_function,
                               .sample = sample_function,
                               .degree = tg_degree_none};
