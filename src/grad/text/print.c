// Printing a node: the input language, Unicode, LaTeX, NumPy and Octave, with the fewest parentheses.
//
// The language's form parses back to the same node, so the printer is free to choose the order of a sum's terms and
// the spelling (norm2(X), A ./ B, sqrt(s)) but not the value.
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "grad/graph/entry.h"
#include "grad/graph/op.h"
#include "grad/text/ast.h"
#include "grad/text/print_parts.h"

// How tightly a printed expression holds together.
typedef enum precedence { PREC_SUM, PREC_TERM, PREC_UNARY, PREC_POWER, PREC_ATOM } precedence;

// One-argument operators by format; '@' stands for the argument, printed as a whole expression.
typedef struct unary_row {
  tg_kind kind;
  const char *templates[FORMATS];
} unary_row;

#define LATEX_FN(name) "\\operatorname{" name "}\\left(@\\right)"
static const unary_row unary_rows[] = {
    {TG_DET, {"det(@)", "det(@)", "\\det\\left(@\\right)", "np.linalg.det(@)", "det(@)"}},
    {TG_LOGDET, {"logdet(@)", "logdet(@)", "\\log\\det\\left(@\\right)", "np.linalg.slogdet(@)[1]", "log(det(@))"}},
    {TG_TR, {"tr(@)", "tr(@)", LATEX_FN("tr"), "np.trace(@)", "trace(@)"}},
    {TG_SUM, {"sum(@)", "sum(@)", LATEX_FN("sum"), "np.sum(@)", "sum((@)(:))"}},
    {TG_DIAG, {"diag(@)", "diag(@)", LATEX_FN("diag"), "np.diagflat(@)", "diag(@)"}},
    {TG_DIAGVEC, {"diagvec(@)", "diagvec(@)", LATEX_FN("diagvec"), "np.diag(@).reshape(-1, 1)", "diag(@)"}},
    {TG_VAR, {"var(@)", "var(@)", LATEX_FN("var"), "np.var(@)", "var((@)(:), 1)"}},
    {TG_VEC, {"vec(@)", "vec(@)", LATEX_FN("vec"), "(@).reshape((-1, 1), order=\"F\")", "(@)(:)"}},
    {TG_INV, {"inv(@)", "inv(@)", "\\left(@\\right)^{-1}", "np.linalg.inv(@)", "inv(@)"}},
};

// Spellings of composed nodes: sqrt(X) = POW(X, 1/2), norm2(X) = POW(TR(X'X), 1/2), ...
static const char *const sqrt_templates[FORMATS] = {"sqrt(@)", "sqrt(@)", "\\sqrt{@}", "np.sqrt(@)", "sqrt(@)"};
static const char *const norm2_templates[FORMATS] = {"norm2(@)", "‖@‖", "\\left\\|@\\right\\|_F", "np.linalg.norm(@)",
                                                     "norm(@, 'fro')"};
static const char *const sumsq_templates[FORMATS] = {"sumsq(@)", "‖@‖²", "\\left\\|@\\right\\|_F^2", "np.sum((@)**2)",
                                                     "sum(((@).^2)(:))"};
// Of a scalar; bars around a matrix are often read as its determinant.
static const char *const scalar_abs_templates[FORMATS] = {"abs(@)", "|@|", "\\left|@\\right|", "np.abs(@)", "abs(@)"};
static const char *const norm1_templates[FORMATS] = {"norm1(@)", "‖@‖₁", "\\left\\|@\\right\\|_1", "np.sum(np.abs(@))",
                                                     "sum(abs(@)(:))"};

// Operators by format: matrix product, entrywise product, entrywise quotient, entrywise power.
static const char *const times_ops[FORMATS] = {"*", "·", " ", " @ ", "*"};
static const char *const scale_ops[FORMATS] = {"*", "·", " ", " * ", "*"};
static const char *const had_ops[FORMATS] = {".*", " ⊙ ", " \\odot ", " * ", ".*"};
static const char *const quotient_ops[FORMATS] = {"./", " ⊘ ", " \\oslash ", " / ", "./"};

static void print_node(tg_printer *p, tg_node node, precedence least, tg_status *status);

static void print_template(tg_printer *p, const char *template, tg_node arg, tg_status *status)
{
  for (const char *c = template; *c != '\0'; c++) {
    if (*c == '@')
      print_node(p, arg, PREC_SUM, status);
    else
      tg_text_add_bytes(p->out, c, 1);
  }
}

// ---- precedence ----

static bool is_reciprocal(const tg_graph *g, tg_node node, double *exponent)
{
  const tg_info *info = tg_node_info(g, node);
  return info->kind == TG_POW && tg_node_is_number(g, info->args[1], exponent) && *exponent < 0.0;
}

static bool is_sqrt(const tg_graph *g, const tg_info *info)
{
  double exponent = 0.0;
  return info->kind == TG_POW && tg_node_is_number(g, info->args[1], &exponent) && exponent == 0.5;
}

// A product that is written as one power.
static bool is_one_power(const tg_info *info)
{
  return info->n_args <= TG_WRITTEN_OUT_MAX && tg_chain_power(info) > 1;
}

static precedence precedence_of(const tg_printer *p, tg_node node)
{
  const tg_info *info = tg_node_info(p->g, node);
  double exponent = 0.0;
  switch (info->kind) {
  case TG_LIN:
    return info->n_args == 1 && info->coefs[0] > 0.0 ? PREC_TERM : PREC_SUM;
  case TG_NUM:
    return info->value < 0.0 ? PREC_UNARY : PREC_ATOM;
  case TG_PROD:
    if (!is_one_power(info)) return PREC_TERM;
    return p->format == TG_FORMAT_NUMPY ? PREC_ATOM : PREC_POWER;
  case TG_HAD:
    return PREC_TERM;
  case TG_TR: // may be printed as a squared norm
    return p->format == TG_FORMAT_UNICODE || p->format == TG_FORMAT_LATEX ? PREC_POWER : PREC_ATOM;
  case TG_KRON:
    return p->format == TG_FORMAT_UNICODE || p->format == TG_FORMAT_LATEX ? PREC_TERM : PREC_ATOM;
  case TG_UNVEC:
    return PREC_TERM;
  case TG_POW:
    if (is_sqrt(p->g, info)) return PREC_ATOM;
    return is_reciprocal(p->g, node, &exponent) && (exponent == -1.0 || exponent == -0.5) ? PREC_TERM : PREC_POWER;
  case TG_MPOW:
    if (p->format == TG_FORMAT_EXPR && info->exponent > TG_EXPONENT_MAX) return PREC_TERM;
    return p->format == TG_FORMAT_NUMPY ? PREC_ATOM : PREC_POWER;
  case TG_TRANS:
  case TG_INV:
    return PREC_POWER;
  case TG_LOGDET: // \log\det(X)^2 would be read two ways
    return p->format == TG_FORMAT_LATEX ? PREC_POWER : PREC_ATOM;
  default:
    return PREC_ATOM;
  }
}

// ---- sums and products ----

// A positive coefficient before a term: "2*"; nothing for 1.
static void print_coefficient(tg_printer *p, double coef)
{
  if (coef == 1.0) return;
  tg_print_number(p, coef);
  tg_print_add(p, scale_ops[p->format]);
}

static void print_term(tg_printer *p, double coef, tg_node node, tg_status *status);

// Positive terms first, so that a sum does not begin with a minus if it can help it.
static void print_lin(tg_printer *p, const tg_info *info, tg_status *status)
{
  bool first = true;
  for (int pass = 0; pass < 2; pass++) {
    for (int32_t i = 0; i < info->n_args; i++) {
      const double coef = info->coefs[i];
      if ((coef > 0.0) != (pass == 0)) continue;
      if (first)
        tg_print_add(p, coef < 0.0 ? "-" : "");
      else
        tg_print_add(p, coef < 0.0 ? " - " : " + ");
      first = false;
      print_term(p, fabs(coef), info->args[i], status);
    }
  }
}

// coef times one factor-like node in the denominator: s^-2 as /s^2.
static void print_divisor(tg_printer *p, tg_node node, const char *op, tg_status *status)
{
  const tg_info *info = tg_node_info(p->g, node);
  double exponent = 0.0;
  tg_node inverse = TG_NONE;
  is_reciprocal(p->g, node, &exponent);
  *status = tg_make_pow_number(p->g, info->args[0], -exponent, &inverse);
  if (*status != TG_OK) return;
  const bool entrywise = p->format == TG_FORMAT_NUMPY && !tg_node_is_scalar(p->g, node);
  p->has_entrywise = p->has_entrywise || entrywise;
  tg_print_add(p, op);
  if (entrywise && p->spell) { // np.asarray says whose quotient it is
    p->spell = false;
    tg_print_add(p, "np.asarray(");
    print_node(p, inverse, PREC_SUM, status);
    tg_print_add(p, ")");
    return;
  }
  print_node(p, inverse, PREC_POWER, status);
}

// Factors of a chain: a sum or an entrywise product among them stands in parentheses.
static void print_chain_factor(tg_printer *p, tg_node node, bool alone, tg_status *status)
{
  print_node(p, node, alone ? PREC_TERM : PREC_UNARY, status);
}

static void print_mpow(tg_printer *p, tg_node base, int64_t exponent, tg_status *status);

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
  if (is_one_power(info)) return (run){(int32_t)(info->n_args / tg_chain_power(info)), (int32_t)tg_chain_power(info)};
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
  if (*status == TG_OK) print_mpow(p, base, r.times, status);
}

// 2^x of LaTeX, which needs a sign behind another factor.
static bool begins_with_digit(const tg_printer *p, tg_node factor)
{
  const tg_info *info = tg_node_info(p->g, factor);
  return p->format == TG_FORMAT_LATEX && info->kind == TG_POW && tg_node_info(p->g, info->args[0])->kind == TG_NUM;
}

static void print_prod(tg_printer *p, double coef, const tg_info *info, tg_status *status)
{
  double exponent = 0.0;
  bool first = true;
  const int32_t n_chain = info->n_args - info->n_scalars;
  if (coef != 1.0) {
    tg_print_number(p, coef);
    first = false;
  }
  for (int32_t i = 0; i < info->n_scalars; i++) {
    if (is_reciprocal(p->g, info->args[i], &exponent)) continue;
    if (!first) tg_print_add(p, begins_with_digit(p, info->args[i]) ? " \\cdot " : scale_ops[p->format]);
    first = false;
    print_node(p, info->args[i], PREC_UNARY, status);
  }
  for (int32_t i = info->n_scalars; i < info->n_args && *status == TG_OK && !p->is_cut;) {
    const run r = find_run(info, i);
    const char *op = i == info->n_scalars ? scale_ops[p->format] : times_ops[p->format];
    if (!first) tg_print_add(p, begins_with_digit(p, info->args[i]) ? " \\cdot " : op);
    first = false;
    if (r.times > 1)
      print_run(p, info, i, r, status);
    else
      print_chain_factor(p, info->args[i], n_chain == 1 && coef == 1.0 && info->n_scalars == 0, status);
    i += r.length * r.times;
  }
  if (first) tg_print_add(p, "1");
  for (int32_t i = 0; i < info->n_scalars; i++)
    if (is_reciprocal(p->g, info->args[i], &exponent)) print_divisor(p, info->args[i], "/", status);
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

static const char *const triangle_templates[2][FORMATS] = {
    {"triu(@)", "triu(@)", LATEX_FN("triu"), "np.triu(@)", "triu(@)"},
    {"tril(@)", "tril(@)", LATEX_FN("tril"), "np.tril(@)", "tril(@)"}};

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

static void print_had(tg_printer *p, double coef, const tg_info *info, tg_status *status)
{
  double exponent = 0.0;
  bool first = true;
  tg_kind triangle = TG_TRIU;
  tg_node inside = TG_NONE;
  find_triangle(p, info, &triangle, &inside, status);
  if (inside != TG_NONE && *status == TG_OK) {
    print_coefficient(p, coef);
    print_template(p, triangle_templates[triangle == TG_TRIL][p->format], inside, status);
    return;
  }
  // 0.3*(X - 2*Y).*Z would be read as the sum scaled first, whose coefficients need not divide by 0.3 again.
  const bool scaled_sum = coef != 1.0 && tg_node_info(p->g, info->args[0])->kind == TG_LIN;
  if (coef != 1.0) {
    tg_print_number(p, coef);
    tg_print_add(p, scale_ops[p->format]);
  }
  if (scaled_sum) tg_print_add(p, p->format == TG_FORMAT_LATEX ? "\\left(" : "(");
  int32_t numerators = 0;
  for (int32_t i = 0; i < info->n_args; i++) numerators += !is_reciprocal(p->g, info->args[i], &exponent);
  const bool spelled = take_spelling(p, numerators > 1);
  if (spelled) tg_print_add(p, "np.multiply(");
  int32_t printed = 0;
  for (int32_t i = 0; i < info->n_args; i++) {
    if (is_reciprocal(p->g, info->args[i], &exponent)) continue;
    if (printed > 0) tg_print_add(p, spelled && printed == 1 ? ", " : had_ops[p->format]);
    print_node(p, info->args[i], spelled && printed < 2 ? PREC_SUM : PREC_UNARY, status);
    if (++printed == 2 && spelled) tg_print_add(p, ")");
  }
  first = printed == 0;
  for (int32_t i = 0; i < info->n_args; i++) {
    if (!is_reciprocal(p->g, info->args[i], &exponent)) continue;
    // All factors in the denominator: the first is printed as a reciprocal.
    if (first)
      print_node(p, info->args[i], PREC_UNARY, status);
    else
      print_divisor(p, info->args[i], quotient_ops[p->format], status);
    first = false;
  }
  if (scaled_sum) tg_print_add(p, p->format == TG_FORMAT_LATEX ? "\\right)" : ")");
}

static void print_pow(tg_printer *p, double coef, tg_node node, tg_status *status);

static void print_term(tg_printer *p, double coef, tg_node node, tg_status *status)
{
  const tg_info *info = tg_node_info(p->g, node);
  double exponent = 0.0;
  if (info->kind == TG_NUM) {
    tg_print_number(p, coef * info->value);
  } else if (info->kind == TG_PROD) {
    print_prod(p, coef, info, status);
  } else if (info->kind == TG_HAD) {
    print_had(p, coef, info, status);
  } else if (is_reciprocal(p->g, node, &exponent)) {
    print_pow(p, coef, node, status);
  } else {
    if (coef != 1.0 && begins_with_digit(p, node)) {
      tg_print_number(p, coef);
      tg_print_add(p, " \\cdot ");
    } else {
      print_coefficient(p, coef);
    }
    print_node(p, node, coef == 1.0 ? PREC_TERM : PREC_UNARY, status);
  }
}

// ---- powers, transposes, inverses ----

// T and H behind '^' are marks of transposes: as exponents they stand in parentheses.
static bool looks_like_mark(const tg_graph *g, tg_node exponent)
{
  const tg_info *info = tg_node_info(g, exponent);
  if (info->kind == TG_LIN && info->n_args == 1) info = tg_node_info(g, info->args[0]);
  if (info->kind != TG_SYM) return false;
  const char *name = tg_symbol_info(g, info->symbol)->name;
  return strcmp(name, "T") == 0 || strcmp(name, "H") == 0;
}

static void print_node_marked(tg_printer *p, tg_node exponent, tg_status *status)
{
  const bool latex = p->format == TG_FORMAT_LATEX;
  const bool bare = latex || tg_node_info(p->g, exponent)->kind == TG_SYM;
  const bool marked = bare && looks_like_mark(p->g, exponent);
  if (marked) tg_print_add(p, latex ? "\\left(" : "(");
  print_node(p, exponent, latex || marked ? PREC_SUM : PREC_ATOM, status);
  if (marked) tg_print_add(p, latex ? "\\right)" : ")");
}

static void print_exponent(tg_printer *p, tg_node exponent, bool scalar, tg_status *status)
{
  static const char *const matrix_ops[FORMATS] = {".^", ".^", "^{\\circ ", "**", ".^"};
  static const char *const scalar_ops[FORMATS] = {"^", "^", "^{", "**", "^"};
  double value = 0.0;
  const bool number = tg_node_is_number(p->g, exponent, &value);
  if (p->format == TG_FORMAT_UNICODE && scalar && number && value == floor(value) && fabs(value) < 1000.0) {
    tg_print_superscript(p, (int64_t)value);
    return;
  }
  tg_print_add(p, scalar ? scalar_ops[p->format] : matrix_ops[p->format]);
  if (number && (value >= 0.0 || p->format != TG_FORMAT_OCTAVE))
    tg_print_number(p, value);
  else
    print_node_marked(p, exponent, status);
  if (p->format == TG_FORMAT_LATEX) tg_print_add(p, "}");
}

// sumsq(Z) for tr(Z'Z) in any rotation: the half of the cycle whose mirror image is the other half.
static tg_status find_sumsq(tg_graph *g, tg_node trace, tg_node *out)
{
  const tg_info *info = tg_node_info(g, trace);
  *out = TG_NONE;
  if (info->kind != TG_TR) {
    // u'u as a 1 x 1 chain.
    if (info->kind != TG_PROD || info->n_scalars > 0 || !tg_node_is_scalar(g, trace)) return TG_OK;
  } else {
    info = tg_node_info(g, info->args[0]);
  }
  const int32_t n = info->n_args;
  if (info->kind != TG_PROD || info->n_scalars > 0 || n % 2 != 0 || n > 32) return TG_OK;
  const int32_t rotations = tg_node_is_scalar(g, trace) && tg_node_info(g, trace)->kind == TG_PROD ? 1 : n;
  for (int32_t shift = 0; shift < rotations; shift++) {
    bool mirrored = true;
    for (int32_t i = 0; mirrored && i < n / 2; i++) {
      tg_node transposed = TG_NONE;
      TG_TRY(tg_make_trans(g, info->args[(shift + n - 1 - i) % n], &transposed));
      mirrored = transposed == info->args[(shift + i) % n];
    }
    if (!mirrored) continue;
    tg_node half[16];
    tg_node other = TG_NONE;
    for (int32_t i = 0; i < n / 2; i++) half[i] = info->args[(shift + n / 2 + i) % n];
    TG_TRY(tg_make_prod(g, n / 2, half, out));
    TG_TRY(tg_make_trans(g, *out, &other));
    if (tg_node_reads_better(g, other, *out)) *out = other;
    return TG_OK;
  }
  return TG_OK;
}

static void print_pow(tg_printer *p, double coef, tg_node node, tg_status *status)
{
  const tg_info *info = tg_node_info(p->g, node);
  const bool scalar = tg_node_is_scalar(p->g, node);
  double exponent = 0.0;
  tg_node squared = TG_NONE;
  if (is_sqrt(p->g, info)) {
    *status = find_sumsq(p->g, info->args[0], &squared);
    print_template(p, squared != TG_NONE ? norm2_templates[p->format] : sqrt_templates[p->format],
                   squared != TG_NONE ? squared : info->args[0], status);
    return;
  }
  if (is_reciprocal(p->g, node, &exponent) && (exponent == -1.0 || exponent == -0.5 || coef != 1.0)) {
    tg_print_number(p, coef);
    print_divisor(p, node, scalar ? "/" : quotient_ops[p->format], status);
    return;
  }
  // A power under a power would read from left to right; parentheses say so.
  print_node(p, info->args[0], PREC_ATOM, status);
  print_exponent(p, info->args[1], scalar, status);
}

// What stands before '^': a transpose needs no parentheses where powers read from left to right, a call none there.
static void print_power_base(tg_printer *p, tg_node base, tg_status *status)
{
  const bool left_to_right = p->format == TG_FORMAT_EXPR || p->format == TG_FORMAT_OCTAVE;
  const tg_kind kind = tg_node_info(p->g, base)->kind;
  const bool bare = left_to_right && (kind == TG_TRANS || kind == TG_INV);
  print_node(p, base, bare ? PREC_POWER : PREC_ATOM, status);
}

static void print_mpow(tg_printer *p, tg_node base, int64_t exponent, tg_status *status)
{
  if (p->format == TG_FORMAT_NUMPY) {
    tg_print_add(p, "np.linalg.matrix_power(");
    print_node(p, base, PREC_SUM, status);
    tg_text_addf(p->out, ", %" PRId64 ")", exponent);
    return;
  }
  for (int64_t rest = exponent; rest > 0; rest -= TG_EXPONENT_MAX) {
    // The language takes exponents up to a limit; a longer run of factors has none.
    const bool whole = p->format != TG_FORMAT_EXPR || rest <= TG_EXPONENT_MAX;
    const int64_t power = whole ? rest : TG_EXPONENT_MAX;
    print_power_base(p, base, status);
    if (p->format == TG_FORMAT_UNICODE)
      tg_print_superscript(p, power);
    else if (power > 1)
      tg_text_addf(p->out, p->format == TG_FORMAT_LATEX ? "^{%" PRId64 "}" : "^%" PRId64, power);
    if (whole) return;
    tg_print_add(p, times_ops[p->format]);
  }
}

static void print_trans(tg_printer *p, const tg_info *info, tg_status *status)
{
  static const char *const marks[FORMATS] = {"'", "ᵀ", "^{\\top}", ".T", "'"};
  const tg_info *inner = tg_node_info(p->g, info->args[0]);
  if (inner->kind == TG_INV && (p->format == TG_FORMAT_UNICODE || p->format == TG_FORMAT_LATEX)) {
    print_node(p, inner->args[0], PREC_ATOM, status);
    tg_print_add(p, p->format == TG_FORMAT_LATEX ? "^{-\\top}" : "⁻ᵀ");
    return;
  }
  const bool call = inner->kind == TG_INV && p->format != TG_FORMAT_LATEX;
  print_node(p, info->args[0], call ? PREC_POWER : PREC_ATOM, status);
  tg_print_add(p, marks[p->format]);
}

static void print_inv(tg_printer *p, const tg_info *info, tg_status *status)
{
  if (p->format == TG_FORMAT_UNICODE || p->format == TG_FORMAT_LATEX) {
    print_node(p, info->args[0], PREC_ATOM, status);
    tg_print_add(p, p->format == TG_FORMAT_LATEX ? "^{-1}" : "⁻¹");
    return;
  }
  tg_print_add(p, p->format == TG_FORMAT_NUMPY ? "np.linalg.inv(" : "inv(");
  print_node(p, info->args[0], PREC_SUM, status);
  tg_print_add(p, ")");
}

// ---- Kronecker products and stacking ----

static void print_kron(tg_printer *p, const tg_info *info, tg_status *status)
{
  if (p->format == TG_FORMAT_UNICODE || p->format == TG_FORMAT_LATEX) {
    print_node(p, info->args[0], PREC_UNARY, status);
    tg_print_add(p, p->format == TG_FORMAT_LATEX ? " \\otimes " : " ⊗ ");
    print_node(p, info->args[1], PREC_UNARY, status);
    return;
  }
  tg_print_add(p, p->format == TG_FORMAT_NUMPY ? "np.kron(" : "kron(");
  print_node(p, info->args[0], PREC_SUM, status);
  tg_print_add(p, ", ");
  print_node(p, info->args[1], PREC_SUM, status);
  tg_print_add(p, ")");
}

// The language has no reshape: v as m x n is (vec(I_n)' kron I_m) (I_n kron v), and the parser knows it again.
static void print_unvec(tg_printer *p, const tg_info *info, tg_status *status)
{
  switch (p->format) {
  case TG_FORMAT_NUMPY:
    tg_print_add(p, "(");
    print_node(p, info->args[0], PREC_SUM, status);
    tg_print_two_sizes(p, ").reshape((", info->rows, ", ", info->cols, "), order=\"F\")");
    return;
  case TG_FORMAT_OCTAVE:
    tg_print_add(p, "reshape(");
    print_node(p, info->args[0], PREC_SUM, status);
    tg_print_two_sizes(p, ", ", info->rows, ", ", info->cols, ")");
    return;
  case TG_FORMAT_LATEX:
    tg_print_two_sizes(p, "\\operatorname{unvec}_{", info->rows, "\\times ", info->cols, "}\\left(");
    print_node(p, info->args[0], PREC_SUM, status);
    tg_print_add(p, "\\right)");
    return;
  default:
    tg_print_add(p, "kron(vec(eye(");
    tg_print_size(p, info->cols);
    tg_print_add(p, "))', eye(");
    tg_print_size(p, info->rows);
    tg_print_add(p, "))*kron(eye(");
    tg_print_size(p, info->cols);
    tg_print_add(p, "), ");
    print_node(p, info->args[0], PREC_SUM, status);
    tg_print_add(p, ")");
    return;
  }
}

// kronl(G, B) = unvec((I kron vec(B)') N' vec(G)), kronr(G, A) = unvec((vec(A)' kron I) N' vec(G)), with
// N = I_n kron K(q,m) kron I_p, for A m x n and B p x q.
static tg_status spell_kron_adjoint(tg_graph *g, const tg_info *info, tg_node *out)
{
  const bool left = info->kind == TG_KRONL;
  const tg_info *part = tg_node_info(g, info->args[1]);
  const tg_info *a = left ? info : part;
  const tg_info *b = left ? part : info;
  tg_dim size = 0;
  tg_node identity = TG_NONE;
  tg_node row = TG_NONE;
  tg_node order = TG_NONE;
  tg_node middle = TG_NONE;
  tg_node end = TG_NONE;
  TG_TRY(tg_dim_product(g, info->rows, info->cols, &size));
  TG_TRY(tg_make_identity(g, size, &identity));
  TG_TRY(tg_make_vec(g, info->args[1], &row));
  TG_TRY(tg_make_trans(g, row, &row));
  TG_TRY(tg_make_kron(g, left ? identity : row, left ? row : identity, &row));
  TG_TRY(tg_make_identity(g, a->cols, &order));
  TG_TRY(tg_make_comm(g, a->rows, b->cols, &middle));
  TG_TRY(tg_make_kron(g, order, middle, &order));
  TG_TRY(tg_make_identity(g, b->rows, &end));
  TG_TRY(tg_make_kron(g, order, end, &order));
  TG_TRY(tg_make_vec(g, info->args[0], &middle));
  TG_TRY(tg_make_prod(g, 3, (const tg_node[]){row, order, middle}, out));
  return tg_make_unvec(g, *out, info->rows, info->cols, out);
}

// Z of exp(Z - logsumexp_rows(Z)*ones), by rows or by columns: softmax_rows(Z). TG_NONE: it is none.
static tg_node find_softmax(tg_printer *p, tg_node exponent, bool *rows, tg_status *status)
{
  const tg_info *sum = tg_node_info(p->g, exponent);
  for (int32_t i = 0; sum->kind == TG_LIN && i < sum->n_args && *status == TG_OK; i++) {
    const tg_info *term = tg_node_info(p->g, sum->args[i]);
    if (sum->coefs[i] != -1.0 || term->kind != TG_PROD || term->n_scalars > 0 || term->n_args != 2) continue;
    for (int k = 0; k < 2; k++) {
      const tg_info *total = tg_node_info(p->g, term->args[k]);
      tg_node z = TG_NONE;
      if (total->kind != TG_LOGSUMEXP || tg_node_info(p->g, term->args[1 - k])->kind != TG_ONES) continue;
      *status = tg_make_add(p->g, exponent, sum->args[i], &z);
      *rows = k == 0;
      if (*status == TG_OK && z == total->args[0]) return z;
    }
  }
  return TG_NONE;
}

static const char *const softmax_templates[2][FORMATS] = {
    {"softmax_columns(@)", "softmax_columns(@)", LATEX_FN("softmax\\_columns"), NULL, NULL},
    {"softmax_rows(@)", "softmax_rows(@)", LATEX_FN("softmax\\_rows"), NULL, NULL}};

static void print_entry(tg_printer *p, const tg_entry_facts *f, tg_node arg, tg_status *status)
{
  const char *const templates[FORMATS] = {
      [TG_FORMAT_LATEX] = f->latex, [TG_FORMAT_NUMPY] = f->numpy, [TG_FORMAT_OCTAVE] = f->octave};
  if (templates[p->format] != NULL) {
    print_template(p, templates[p->format], arg, status);
    return;
  }
  tg_print_add(p, f->name);
  print_template(p, "(@)", arg, status);
}

static void print_unary(tg_printer *p, tg_node node, const tg_info *info, tg_status *status)
{
  tg_node squared = TG_NONE;
  if (info->kind == TG_TR) {
    *status = find_sumsq(p->g, node, &squared);
    if (squared != TG_NONE) {
      print_template(p, sumsq_templates[p->format], squared, status);
      return;
    }
  }
  if (info->kind == TG_SUM && tg_node_info(p->g, info->args[0])->kind == TG_ABS) {
    print_template(p, norm1_templates[p->format], tg_node_info(p->g, info->args[0])->args[0], status);
    return;
  }
  if (info->kind == TG_ABS && tg_node_is_scalar(p->g, node)) {
    print_template(p, scalar_abs_templates[p->format], info->args[0], status);
    return;
  }
  if (info->kind == TG_EXP && softmax_templates[0][p->format] != NULL) {
    bool rows = false;
    const tg_node z = find_softmax(p, info->args[0], &rows, status);
    if (z != TG_NONE) {
      print_template(p, softmax_templates[rows][p->format], z, status);
      return;
    }
  }
  if (tg_entry(info->kind) != NULL) print_entry(p, tg_entry(info->kind), info->args[0], status);
  for (size_t i = 0; i < sizeof unary_rows / sizeof unary_rows[0]; i++)
    if (unary_rows[i].kind == info->kind) print_template(p, unary_rows[i].templates[p->format], info->args[0], status);
}

// A constant: triu(ones(m,n))
static void print_triangle(tg_printer *p, const tg_info *info, tg_status *status)
{
  tg_node ones = TG_NONE;
  *status = tg_make_ones(p->g, info->rows, info->cols, &ones);
  if (*status == TG_OK) print_template(p, triangle_templates[info->kind == TG_TRIL][p->format], ones, status);
}

// max(A, B)
static void print_larger(tg_printer *p, const tg_info *info, tg_status *status)
{
  static const char *const names[2][FORMATS] = {{"max(", "max(", "\\max\\left(", "np.maximum(", "max("},
                                                {"min(", "min(", "\\min\\left(", "np.minimum(", "min("}};
  tg_print_add(p, names[info->kind == TG_MIN][p->format]);
  print_node(p, info->args[0], PREC_SUM, status);
  tg_print_add(p, ", ");
  print_node(p, info->args[1], PREC_SUM, status);
  tg_print_add(p, p->format == TG_FORMAT_LATEX ? "\\right)" : ")");
}

// Of all entries, of rows, of columns. NumPy and Octave have no such function: the plain formula.
static void print_logsumexp(tg_printer *p, tg_node node, const tg_info *info, tg_status *status)
{
  static const char *const templates[3][FORMATS] = {
      {"logsumexp(@)", "logsumexp(@)", LATEX_FN("logsumexp"), "np.log(np.sum(np.exp(@)))", "log(sum(exp(@)(:)))"},
      {"logsumexp_rows(@)", "logsumexp_rows(@)", LATEX_FN("logsumexp\\_rows"),
       "np.log(np.sum(np.exp(@), axis=1, keepdims=True))", "log(sum(exp(@), 2))"},
      {"logsumexp_columns(@)", "logsumexp_columns(@)", LATEX_FN("logsumexp\\_columns"),
       "np.log(np.sum(np.exp(@), axis=0, keepdims=True))", "log(sum(exp(@), 1))"}};
  const int which = tg_node_is_scalar(p->g, node) ? 0 : tg_dim_is_one(p->g, info->cols) ? 1 : 2;
  print_template(p, templates[which][p->format], info->args[0], status);
}

static void print_bare(tg_printer *p, tg_node node, tg_status *status)
{
  const tg_info *info = tg_node_info(p->g, node);
  switch (info->kind) {
  case TG_NUM:
    tg_print_number(p, info->value);
    break;
  case TG_SYM:
    tg_print_name(p, tg_symbol_info(p->g, info->symbol)->name);
    break;
  case TG_EYE:
  case TG_ONES:
  case TG_ZEROS:
    tg_print_constant(p, info);
    break;
  case TG_COMM:
    tg_print_comm(p, info);
    break;
  case TG_TRIU:
  case TG_TRIL:
    print_triangle(p, info, status);
    break;
  case TG_MAX:
  case TG_MIN:
    print_larger(p, info, status);
    break;
  case TG_LOGSUMEXP:
    print_logsumexp(p, node, info, status);
    break;
  case TG_LIN:
    print_lin(p, info, status);
    break;
  case TG_PROD:
    print_prod(p, 1.0, info, status);
    break;
  case TG_HAD:
    print_had(p, 1.0, info, status);
    break;
  case TG_POW:
    print_pow(p, 1.0, node, status);
    break;
  case TG_MPOW:
    print_mpow(p, info->args[0], info->exponent, status);
    break;
  case TG_TRANS:
    print_trans(p, info, status);
    break;
  case TG_INV:
    print_inv(p, info, status);
    break;
  case TG_KRON:
    print_kron(p, info, status);
    break;
  case TG_UNVEC:
    print_unvec(p, info, status);
    break;
  default:
    print_unary(p, node, info, status);
    break;
  }
}

static void print_node(tg_printer *p, tg_node node, precedence least, tg_status *status)
{
  const tg_info *info = tg_node_info(p->g, node);
  p->is_cut = p->is_cut || p->out->length > p->longest;
  if (p->is_cut || *status != TG_OK) return;
  if (info->kind == TG_KRONL || info->kind == TG_KRONR) *status = spell_kron_adjoint(p->g, info, &node);
  if (*status != TG_OK) return;
  const bool parentheses = precedence_of(p, node) < least;
  if (parentheses) tg_print_add(p, p->format == TG_FORMAT_LATEX ? "\\left(" : "(");
  print_bare(p, node, status);
  if (parentheses) tg_print_add(p, p->format == TG_FORMAT_LATEX ? "\\right)" : ")");
}

// A factor of a chain that the caller writes: what * would tear apart stands in parentheses, as 1./X in A*(1./X) and
// 2*X.*Y in A*(2*X.*Y).
tg_status tg_print_factor(tg_graph *graph, tg_node node, tg_format format, tg_text *out)
{
  const tg_printer p = {.g = graph, .format = format};
  const tg_info *info = tg_node_info(graph, node);
  const bool is_multiple = info->kind == TG_LIN && info->n_args == 1 && info->coefs[0] > 0.0;
  const tg_node bare = is_multiple ? info->args[0] : node;
  const tg_kind kind = tg_node_info(graph, bare)->kind;
  double exponent = 0.0;
  const bool is_torn = kind == TG_HAD || (kind == TG_KRON && precedence_of(&p, bare) == PREC_TERM) ||
                       (!tg_node_is_scalar(graph, bare) && is_reciprocal(graph, bare, &exponent));
  const bool parentheses = is_torn || precedence_of(&p, node) == PREC_SUM;
  if (parentheses) tg_text_add(out, format == TG_FORMAT_LATEX ? "\\left(" : "(");
  TG_TRY(tg_print(graph, node, format, out));
  if (parentheses) tg_text_add(out, format == TG_FORMAT_LATEX ? "\\right)" : ")");
  return TG_OK;
}

// "np." behind no letter of a name, or " @ ".
static bool shows_numpy(const char *text)
{
  bool found = strstr(text, " @ ") != NULL;
  for (const char *at = strstr(text, "np."); !found && at != NULL; at = strstr(at + 1, "np."))
    found = at == text || (!isalnum((unsigned char)at[-1]) && at[-1] != '_');
  return found;
}

static tg_status print_up_to(size_t bytes, tg_graph *graph, tg_node node, tg_format format, tg_text *out, bool *is_cut)
{
  tg_status status = TG_OK;
  const size_t begin = out->length;
  tg_printer p = {.g = graph, .format = format, .out = out, .longest = begin + bytes};
  print_node(&p, node, PREC_SUM, &status);
  const char *text = out->data != NULL ? out->data + begin : "";
  if (p.has_entrywise && !p.is_cut && status == TG_OK && !shows_numpy(text)) {
    out->length = begin;
    p.spell = true;
    print_node(&p, node, PREC_SUM, &status);
  }
  *is_cut = p.is_cut;
  if (status != TG_OK) return status;
  return tg_text_status(out);
}

tg_status tg_print(tg_graph *graph, tg_node node, tg_format format, tg_text *out)
{
  bool is_cut = false;
  TG_TRY(print_up_to(TG_PRINT_BYTES_MAX, graph, node, format, out, &is_cut));
  if (is_cut)
    TG_FAIL(TG_LIMIT, "written out, the result is longer than %d characters: what it shares is repeated at each use",
            TG_PRINT_BYTES_MAX);
  return TG_OK;
}

tg_status tg_print_start(tg_graph *graph, tg_node node, tg_format format, size_t bytes, tg_text *out)
{
  bool is_cut = false;
  return print_up_to(bytes, graph, node, format, out, &is_cut);
}
