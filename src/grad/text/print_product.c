// Printed sums and products: coefficients, chains with repeated parts as powers, entrywise products, quotients.
#include <math.h>

#include "grad/graph/op.h"
#include "grad/text/print_parts.h"

// Operators by format: matrix product, entrywise product, entrywise quotient, entrywise power.
const char *const tg_times_ops[FORMATS] = {"*", "·", " ", " @ ", "*"};
static const char *const scale_ops[FORMATS] = {"*", "·", " ", " * ", "*"};
static const char *const had_ops[FORMATS] = {".*", " ⊙ ", " \\odot ", " * ", ".*"};
const char *const tg_quotient_ops[FORMATS] = {"./", " ⊘ ", " \\oslash ", " / ", "./"};

// A positive coefficient before a term: "2*"; nothing for 1.
static void print_coefficient(tg_printer *p, double coef)
{
  if (coef == 1.0) return;
  tg_print_number(p, coef);
  tg_print_add(p, scale_ops[p->format]);
}

static void print_term(tg_printer *p, double coef, tg_node node, tg_status *status);

// The factor that may take the sign of a negative product: (1 - s)*s, not -(s - 1)*s; -1: none.
static int32_t find_turned(const tg_graph *g, tg_node product)
{
  const tg_info *info = tg_node_info(g, product);
  const int32_t n = info->kind == TG_HAD ? info->n_args : info->kind == TG_PROD ? info->n_scalars : 0;
  for (int32_t i = 0; i < n; i++) {
    const tg_info *sum = tg_node_info(g, info->args[i]);
    for (int32_t k = 0; sum->kind == TG_LIN && k < sum->n_args; k++) {
      const tg_kind kind = tg_node_info(g, sum->args[k])->kind;
      if (sum->coefs[k] < 0.0 && (kind == TG_NUM || kind == TG_ONES)) return i;
    }
  }
  return -1;
}

// The i-th factor of a product, its sign changed where it is the one that takes the product's.
static tg_node factor_at(tg_printer *p, const tg_info *info, int32_t i, int32_t turned, tg_status *status)
{
  tg_node factor = info->args[i];
  if (i == turned && *status == TG_OK) *status = tg_make_scale(p->g, -1.0, factor, &factor);
  return factor;
}

// Commuting factors are printed in two passes: sums behind what is none.
static bool is_in_pass(const tg_graph *g, tg_node factor, int pass)
{
  return (tg_node_info(g, factor)->kind == TG_LIN) == (pass == 1);
}

// Positive terms first, so that a sum does not begin with a minus if it can help it.
void tg_print_lin(tg_printer *p, const tg_info *info, tg_status *status)
{
  bool first = true;
  for (int pass = 0; pass < 2; pass++) {
    for (int32_t i = 0; i < info->n_args; i++) {
      const double coef = info->coefs[i];
      if ((coef > 0.0) != (pass == 0)) continue;
      p->turned = coef < 0.0 && !tg_print_is_part(p, info->args[i]) ? find_turned(p->g, info->args[i]) : -1;
      const bool minus = coef < 0.0 && p->turned < 0;
      if (first)
        tg_print_add(p, minus ? "-" : "");
      else
        tg_print_add(p, minus ? " - " : " + ");
      first = false;
      print_term(p, fabs(coef), info->args[i], status);
    }
  }
}

// coef times one factor-like node in the denominator: s^-2 as /s^2.
void tg_print_divisor(tg_printer *p, tg_node node, const char *op, tg_status *status)
{
  const tg_info *info = tg_node_info(p->g, node);
  double exponent = 0.0;
  tg_node inverse = TG_NONE;
  tg_print_is_reciprocal(p->g, node, &exponent);
  *status = tg_make_pow_number(p->g, info->args[0], -exponent, &inverse);
  if (*status != TG_OK) return;
  const bool entrywise = p->format == TG_FORMAT_NUMPY && !tg_node_is_scalar(p->g, node);
  p->has_entrywise = p->has_entrywise || entrywise;
  tg_print_add(p, op);
  if (entrywise && p->spell) { // np.asarray says whose quotient it is
    p->spell = false;
    tg_print_add(p, "np.asarray(");
    tg_print_node(p, inverse, PREC_SUM, status);
    tg_print_add(p, ")");
    return;
  }
  tg_print_node(p, inverse, PREC_POWER, status);
}

// Factors of a chain: a sum or an entrywise product among them stands in parentheses.
static void print_chain_factor(tg_printer *p, tg_node node, bool alone, tg_status *status)
{
  tg_print_node(p, node, alone ? PREC_TERM : PREC_UNARY, status);
}

// A repeated part of a chain, written as a power: the first `length` factors from `begin` on, `times` times.
typedef struct run {
  int32_t length;
  int32_t times;
} run;

enum { RUN_LENGTH_MAX = TG_WRITTEN_OUT_MAX / 2 };

// The shortest part that is repeated at once; read back, its power must be one that is written out again.
static run find_run(const tg_info *info, int32_t begin)
{
  const tg_node *at = info->args + begin;
  const int32_t rest = info->n_args - begin;
  if (tg_print_is_one_power(info))
    return (run){(int32_t)(info->n_args / tg_chain_power(info)), (int32_t)tg_chain_power(info)};
  for (int32_t length = 2; length <= RUN_LENGTH_MAX && 2 * length <= rest; length++) {
    int32_t same = length;
    while (same < rest && same < TG_WRITTEN_OUT_MAX && at[same] == at[same - length]) same++;
    if (same >= 2 * length) return (run){length, same / length};
  }
  return (run){1, 1};
}

static void print_run(tg_printer *p, const tg_info *info, int32_t begin, run r, tg_status *status)
{
  tg_node base = TG_NONE;
  *status = tg_make_prod(p->g, r.length, info->args + begin, &base);
  if (*status == TG_OK) tg_print_mpow(p, base, r.times, status);
}

// 2^x of LaTeX, which needs a sign behind another factor.
static bool begins_with_digit(const tg_printer *p, tg_node factor)
{
  const tg_info *info = tg_node_info(p->g, factor);
  return p->format == TG_FORMAT_LATEX && info->kind == TG_POW && tg_node_info(p->g, info->args[0])->kind == TG_NUM;
}

static void print_scalar_factors(tg_printer *p, const tg_info *info, int32_t turned, bool *first, tg_status *status)
{
  double exponent = 0.0;
  for (int pass = 0; pass < 2; pass++) {
    for (int32_t i = 0; i < info->n_scalars; i++) {
      if (tg_print_is_reciprocal(p->g, info->args[i], &exponent) || !is_in_pass(p->g, info->args[i], pass)) continue;
      if (!*first) tg_print_add(p, begins_with_digit(p, info->args[i]) ? " \\cdot " : scale_ops[p->format]);
      *first = false;
      tg_print_node(p, factor_at(p, info, i, turned, status), PREC_UNARY, status);
    }
  }
}

// The factors that are no scalars, where they are rows or columns of something, or something among zeros.
static bool print_whole(tg_printer *p, const tg_info *info, tg_status *status)
{
  const int32_t n_chain = info->n_args - info->n_scalars;
  tg_node chain = TG_NONE;
  if (n_chain < 2) return false;
  *status = tg_make_prod(p->g, n_chain, info->args + info->n_scalars, &chain);
  if (*status != TG_OK) return true;
  return tg_print_blocks(p, chain, status) || tg_print_rest(p, tg_node_info(p->g, chain), status);
}

void tg_print_prod(tg_printer *p, double coef, tg_node node, tg_status *status)
{
  const tg_info *info = tg_node_info(p->g, node);
  const int32_t turned = p->turned;
  p->turned = -1;
  if (tg_print_is_squared_norm(p, node)) {
    print_coefficient(p, coef);
    tg_print_squared_norm(p, node, status);
    return;
  }
  double exponent = 0.0;
  bool first = true;
  const int32_t n_chain = info->n_args - info->n_scalars;
  if (coef != 1.0) {
    tg_print_number(p, coef);
    first = false;
  }
  print_scalar_factors(p, info, turned, &first, status);
  for (int32_t i = info->n_scalars; i < info->n_args && *status == TG_OK && !p->is_cut;) {
    const run r = find_run(info, i);
    const char *op = i == info->n_scalars ? scale_ops[p->format] : tg_times_ops[p->format];
    if (!first) tg_print_add(p, begins_with_digit(p, info->args[i]) ? " \\cdot " : op);
    first = false;
    const int32_t taken = r.times > 1 ? 0
                          : i == info->n_scalars && print_whole(p, info, status)
                              ? n_chain
                              : tg_print_submatrix(p, info, i, status);
    i += taken;
    if (taken > 0) continue;
    if (r.times > 1)
      print_run(p, info, i, r, status);
    else
      print_chain_factor(p, info->args[i], n_chain == 1 && coef == 1.0 && info->n_scalars == 0, status);
    i += r.length * r.times;
  }
  if (first) tg_print_add(p, "1");
  for (int32_t i = 0; i < info->n_scalars; i++)
    if (tg_print_is_reciprocal(p->g, info->args[i], &exponent)) tg_print_divisor(p, info->args[i], "/", status);
}

// NumPy's '*' between matrices is entry by entry, and so is '/'; where nothing else in the text shows that it is NumPy,
// the first of them is spelled out. True once, for the first product where that is wanted.
static bool take_spelling(tg_printer *p, bool is_product)
{
  if (p->format != TG_FORMAT_NUMPY) return false;
  p->has_entrywise = true;
  if (!p->spell || !is_product) return false;
  p->spell = false;
  return true;
}

static void print_numerators(tg_printer *p, const tg_info *info, int32_t turned, int32_t count, tg_status *status)
{
  double exponent = 0.0;
  int32_t printed = 0;
  const bool spelled = take_spelling(p, count > 1);
  if (spelled) tg_print_add(p, "np.multiply(");
  for (int pass = 0; pass < 2; pass++) {
    for (int32_t i = 0; i < info->n_args; i++) {
      if (tg_print_is_reciprocal(p->g, info->args[i], &exponent) || !is_in_pass(p->g, info->args[i], pass)) continue;
      if (printed > 0) tg_print_add(p, spelled && printed == 1 ? ", " : had_ops[p->format]);
      tg_print_node(p, factor_at(p, info, i, turned, status), spelled && printed < 2 ? PREC_SUM : PREC_UNARY, status);
      if (++printed == 2 && spelled) tg_print_add(p, ")");
    }
  }
}

// X.*triu(ones(m,n)) is triu(X). TG_NONE: there is no triangle among the factors, or nothing beside it.
static void find_triangle(tg_printer *p, const tg_info *had, tg_kind *kind, tg_node *rest, tg_status *status)
{
  enum { MOST = 32 };
  tg_node others[MOST];
  int32_t n = 0;
  *rest = TG_NONE;
  for (int32_t i = 0; i < had->n_args && had->n_args <= MOST; i++) {
    const tg_kind own = tg_node_info(p->g, had->args[i])->kind;
    const bool found = (own == TG_TRIU || own == TG_TRIL) && n == i;
    if (found)
      *kind = own;
    else
      others[n++] = had->args[i];
  }
  if (n > 0 && n + 1 == had->n_args) *status = tg_make_had(p->g, n, others, rest);
}

void tg_print_had(tg_printer *p, double coef, const tg_info *info, tg_status *status)
{
  double exponent = 0.0;
  int32_t numerators = 0;
  int32_t sums = 0;
  const int32_t turned = p->turned;
  tg_kind triangle = TG_TRIU;
  tg_node inside = TG_NONE;
  p->turned = -1;
  if (turned < 0) find_triangle(p, info, &triangle, &inside, status);
  if (inside != TG_NONE && *status == TG_OK) {
    print_coefficient(p, coef);
    tg_print_triangle(p, triangle, inside, status);
    return;
  }
  for (int32_t i = 0; i < info->n_args; i++) {
    if (tg_print_is_reciprocal(p->g, info->args[i], &exponent)) continue;
    numerators++;
    sums += is_in_pass(p->g, info->args[i], 1);
  }
  // 0.3*(X - 2*Y).*Z would be read as the sum scaled first, whose coefficients need not divide by 0.3 again.
  const bool scaled_sum = coef != 1.0 && sums > 0 && sums == numerators;
  if (coef != 1.0) {
    tg_print_number(p, coef);
    tg_print_add(p, scale_ops[p->format]);
  }
  if (scaled_sum) tg_print_add(p, p->format == TG_FORMAT_LATEX ? "\\left(" : "(");
  print_numerators(p, info, turned, numerators, status);
  bool first = numerators == 0;
  for (int32_t i = 0; i < info->n_args; i++) {
    if (!tg_print_is_reciprocal(p->g, info->args[i], &exponent)) continue;
    // All factors in the denominator: the first is printed as a reciprocal.
    if (first)
      tg_print_node(p, info->args[i], PREC_UNARY, status);
    else
      tg_print_divisor(p, info->args[i], tg_quotient_ops[p->format], status);
    first = false;
  }
  if (scaled_sum) tg_print_add(p, p->format == TG_FORMAT_LATEX ? "\\right)" : ")");
}

static void print_term(tg_printer *p, double coef, tg_node node, tg_status *status)
{
  const tg_info *info = tg_node_info(p->g, node);
  double exponent = 0.0;
  if (tg_print_is_part(p, node)) {
    print_coefficient(p, coef);
    tg_print_part(p, node);
  } else if (info->kind == TG_NUM) {
    tg_print_number(p, coef * info->value);
  } else if (info->kind == TG_PROD) {
    tg_print_prod(p, coef, node, status);
  } else if (info->kind == TG_HAD) {
    tg_print_had(p, coef, info, status);
  } else if (tg_print_is_reciprocal(p->g, node, &exponent)) {
    tg_print_pow(p, coef, node, status);
  } else {
    if (coef != 1.0 && begins_with_digit(p, node)) {
      tg_print_number(p, coef);
      tg_print_add(p, " \\cdot ");
    } else {
      print_coefficient(p, coef);
    }
    tg_print_node(p, node, coef == 1.0 ? PREC_TERM : PREC_UNARY, status);
  }
}
