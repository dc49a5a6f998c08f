// Entrywise products of sign, abs and relu of one argument: sign(X).*abs(X) is X, (sign(X) + 1).*relu(X) is 2*relu(X);
// and exp(X)./(1 + exp(X)), which is sigmoid(X) and overflows as it stands.
//
// Every rule holds at all values, zero included. Powers come as base and exponent: sign has exponent 1 or 2 there.
#include <math.h>

#include "grad/graph/op.h"

// A factor as power of a function of an argument, or of the argument itself.
typedef struct power {
  tg_kind kind; // TG_SIGN, TG_ABS, TG_RELU; anything else: the base itself is the argument
  tg_node argument;
  double exponent;
} power;

static bool is_kinked(tg_kind kind)
{
  return kind == TG_SIGN || kind == TG_ABS || kind == TG_RELU;
}

// The function may stand below a transpose, its argument then counts transposed: sign(X)' = sign(X').
static tg_status read_power(tg_graph *g, tg_node factor, power *out)
{
  double exponent = 1.0;
  const tg_node base = tg_pow_base(g, factor, &exponent);
  const tg_info *info = tg_node_info(g, base);
  *out = (power){info->kind, base, exponent};
  const bool turned = info->kind == TG_TRANS && is_kinked(tg_node_info(g, info->args[0])->kind);
  if (turned) info = tg_node_info(g, info->args[0]);
  if (!is_kinked(info->kind)) return TG_OK;
  out->kind = info->kind;
  out->argument = info->args[0];
  return turned ? tg_make_trans(g, out->argument, &out->argument) : TG_OK;
}

// The sum a*ones + b*sign(argument).
static tg_status read_step(tg_graph *g, tg_node sum, tg_node argument, double *a, double *b, bool *is_step)
{
  const tg_info *info = tg_node_info(g, sum);
  *a = *b = 0.0;
  *is_step = false;
  if (info->kind != TG_LIN || info->n_args != 2) return TG_OK;
  for (int32_t i = 0; i < 2; i++) {
    power term = {.kind = TG_NUM};
    TG_TRY(read_power(g, info->args[i], &term));
    if (term.kind == TG_ONES || term.kind == TG_NUM)
      *a = info->coefs[i];
    else if (term.kind == TG_SIGN && term.exponent == 1.0 && term.argument == argument)
      *b = info->coefs[i];
  }
  *is_step = *a != 0.0 && *b != 0.0;
  return TG_OK;
}

// What two factors become: coef times the power `whole`, times the power `rest`; an exponent of 0 is no factor.
typedef struct merged {
  double coef;
  power whole;
  power rest;
} merged;

static bool is_count(double exponent)
{
  return exponent >= 1.0 && exponent == floor(exponent);
}

static bool merge_sign(const power *sign, const power *other, merged *out)
{
  const bool plain = !is_kinked(other->kind);
  if (plain ? !is_count(other->exponent) : other->exponent <= 0.0) return false;
  if (other->kind == TG_SIGN) return false; // powers of one base are merged elsewhere
  *out = (merged){.coef = 1.0, .whole = *other};
  if (other->kind == TG_RELU || sign->exponent == 2.0) return true;
  if (sign->exponent != 1.0 || other->exponent < 1.0) return false;
  // sign(x)*|x|^p = |x|^(p-1)*x, sign(x)*x^p = |x|*x^(p-1)
  out->whole.exponent -= 1.0;
  out->rest = (power){plain ? TG_ABS : TG_NUM, other->argument, 1.0};
  return true;
}

// relu(x)^p*|x|^q = relu(x)^(p+q), and so with x^q.
static bool merge_relu(const power *relu, const power *other, merged *out)
{
  const bool plain = !is_kinked(other->kind);
  if (relu->exponent <= 0.0 || other->kind == TG_RELU || other->kind == TG_SIGN) return false;
  if (plain ? !is_count(other->exponent) : other->exponent <= 0.0) return false;
  *out = (merged){.coef = 1.0, .whole = *relu};
  out->whole.exponent += other->exponent;
  return true;
}

// (a + b*sign(x))*relu(x)^p = (a + b)*relu(x)^p; (a + a*sign(x))*x^p = 2a*relu(x)*x^(p-1)
static tg_status merge_step(tg_graph *g, const power *sum, const power *other, bool *found, merged *out)
{
  double a = 0.0;
  double b = 0.0;
  bool is_step = false;
  *found = false;
  if (sum->exponent != 1.0 || other->exponent <= 0.0) return TG_OK;
  TG_TRY(read_step(g, sum->argument, other->argument, &a, &b, &is_step));
  if (!is_step) return TG_OK;
  *out = (merged){.coef = a + b, .whole = *other};
  if (other->kind == TG_RELU) {
    *found = true;
  } else if (!is_kinked(other->kind) && a == b && is_count(other->exponent)) {
    out->whole.exponent -= 1.0;
    out->rest = (power){TG_RELU, other->argument, 1.0};
    *found = true;
  }
  return TG_OK;
}

// exp(x)^p*(1 + exp(x))^-q = sigmoid(x)^p*(1 + exp(x))^(p-q) for whole p <= q.
static tg_status merge_logistic(tg_graph *g, const power *exponential, const power *divisor, bool *found, merged *out)
{
  const tg_info *sum = tg_node_info(g, divisor->argument);
  double value = 0.0;
  *found = false;
  if (exponential->kind != TG_EXP || sum->kind != TG_LIN || sum->n_args != 2) return TG_OK;
  if (sum->coefs[0] != 1.0 || sum->coefs[1] != 1.0 || !is_count(exponential->exponent)) return TG_OK;
  const int own = sum->args[0] == exponential->argument ? 0 : 1;
  const tg_node other = sum->args[1 - own];
  const bool is_one = tg_node_info(g, other)->kind == TG_ONES || (tg_node_is_number(g, other, &value) && value == 1.0);
  if (sum->args[own] != exponential->argument || !is_one || !is_count(-divisor->exponent)) return TG_OK;
  *found = exponential->exponent <= -divisor->exponent;
  *out = (merged){.coef = 1.0, .whole = {.kind = TG_NUM, .exponent = exponential->exponent}, .rest = *divisor};
  out->rest.exponent += exponential->exponent;
  return tg_make_function(g, TG_SIGMOID, tg_node_info(g, exponential->argument)->args[0], &out->whole.argument);
}

static tg_status merge_pair(tg_graph *g, const power *x, const power *y, bool *found, merged *out)
{
  *found = false;
  if (x->argument == y->argument) {
    *found = (x->kind == TG_SIGN && merge_sign(x, y, out)) || (x->kind == TG_RELU && merge_relu(x, y, out));
    return TG_OK;
  }
  TG_TRY(merge_logistic(g, x, y, found, out));
  return x->kind == TG_LIN && !*found ? merge_step(g, x, y, found, out) : TG_OK;
}

static tg_status make_power(tg_graph *g, const power *p, tg_node *out)
{
  *out = p->argument;
  if (is_kinked(p->kind)) TG_TRY(tg_make_function(g, p->kind, p->argument, out));
  return tg_make_pow_number(g, *out, p->exponent, out);
}

enum { FACTORS_MAX = 64 }; // every pair is looked at: longer products are left as they are

// Whether a rule could apply at all: something kinked, or a sum with a sign in it beside another factor.
static bool may_merge(const tg_graph *g, int32_t n, const tg_node *factors)
{
  for (int32_t i = 0; i < n && n > 1 && n <= FACTORS_MAX; i++) {
    double exponent = 1.0;
    const tg_info *info = tg_node_info(g, tg_pow_base(g, factors[i], &exponent));
    const bool pair = info->kind == TG_LIN && info->n_args == 2;
    for (int32_t k = 0; k < (pair ? 2 : 1); k++) {
      const tg_info *part = pair ? tg_node_info(g, info->args[k]) : info;
      if (part->kind == TG_TRANS) part = tg_node_info(g, part->args[0]);
      if (pair && part->kind == TG_EXP && exponent < 0.0) return true;
      if (part->kind == TG_SIGN || (!pair && part->kind == TG_RELU)) return true;
    }
  }
  return false;
}

tg_status tg_merge_kinks(tg_graph *g, int32_t *n, tg_node *factors, double *coef, bool *changed)
{
  power *powers = NULL;
  *coef = 1.0;
  *changed = false;
  if (!may_merge(g, *n, factors)) return TG_OK;
  TG_TRY(TG_SCRATCH(g, *n, &powers));
  for (int32_t i = 0; i < *n; i++) TG_TRY(read_power(g, factors[i], &powers[i]));
  for (int32_t i = 0; i < *n; i++) {
    for (int32_t j = 0; j < *n; j++) {
      merged m = {.coef = 1.0};
      if (i == j) continue;
      TG_TRY(merge_pair(g, &powers[i], &powers[j], changed, &m));
      if (!*changed) continue;
      // Each merge leaves fewer factors that are kinked, so the caller's next call ends.
      const power parts[2] = {m.whole, m.rest};
      int32_t kept = 0;
      for (int32_t k = 0; k < *n; k++)
        if (k != i && k != j) factors[kept++] = factors[k];
      for (int k = 0; k < 2; k++)
        if (parts[k].exponent != 0.0) TG_TRY(make_power(g, &parts[k], &factors[kept++]));
      *n = kept;
      *coef = m.coef;
      return TG_OK;
    }
  }
  return TG_OK;
}
