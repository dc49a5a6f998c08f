// Printed powers, roots, transposes and inverses, and the norms that are powers of traces.
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "grad/graph/op.h"
#include "grad/text/print_parts.h"

bool tg_print_is_reciprocal(const tg_graph *g, tg_node node, double *exponent)
{
  const tg_info *info = tg_node_info(g, node);
  return info->kind == TG_POW && tg_node_is_number(g, info->args[1], exponent) && *exponent < 0.0;
}

bool tg_print_is_sqrt(const tg_graph *g, const tg_info *info)
{
  double exponent = 0.0;
  return info->kind == TG_POW && tg_node_is_number(g, info->args[1], &exponent) && exponent == 0.5;
}

// A product that is written as one power.
bool tg_print_is_one_power(const tg_info *info)
{
  return info->n_args <= TG_WRITTEN_OUT_MAX && tg_chain_power(info) > 1;
}

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
  tg_print_node(p, exponent, latex || marked ? PREC_SUM : PREC_ATOM, status);
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

// Spellings of composed nodes: sqrt(X) = POW(X, 1/2), norm2(X) = POW(TR(X'X), 1/2), ...
static const char *const sqrt_templates[FORMATS] = {"sqrt(@)", "sqrt(@)", "\\sqrt{@}", "np.sqrt(@)", "sqrt(@)"};
static const char *const norm2_templates[FORMATS] = {"norm2(@)", "‖@‖", "\\left\\|@\\right\\|_F", "np.linalg.norm(@)",
                                                     "norm(@, 'fro')"};
static const char *const sumsq_templates[FORMATS] = {"sumsq(@)", "‖@‖²", "\\left\\|@\\right\\|_F^2", "np.sum((@)**2)",
                                                     "sum(((@).^2)(:))"};

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

// x'*x of a name stays what it is where the norm is no shorter.
static bool is_shown_squared(const tg_printer *p, tg_node squared)
{
  const bool has_bars = p->format == TG_FORMAT_UNICODE || p->format == TG_FORMAT_LATEX;
  return squared != TG_NONE && (has_bars || tg_node_info(p->g, squared)->kind != TG_SYM);
}

bool tg_print_is_squared_norm(const tg_printer *p, tg_node chain)
{
  tg_node squared = TG_NONE;
  return tg_node_is_scalar(p->g, chain) && find_sumsq(p->g, chain, &squared) == TG_OK && is_shown_squared(p, squared);
}

bool tg_print_squared_norm(tg_printer *p, tg_node node, tg_status *status)
{
  tg_node squared = TG_NONE;
  *status = find_sumsq(p->g, node, &squared);
  const bool is_trace = tg_node_info(p->g, node)->kind == TG_TR;
  if (*status != TG_OK || squared == TG_NONE || (!is_trace && !is_shown_squared(p, squared))) return false;
  tg_print_template(p, sumsq_templates[p->format], squared, status);
  return true;
}

void tg_print_pow(tg_printer *p, double coef, tg_node node, tg_status *status)
{
  const tg_info *info = tg_node_info(p->g, node);
  const bool scalar = tg_node_is_scalar(p->g, node);
  double exponent = 0.0;
  tg_node squared = TG_NONE;
  if (tg_print_is_sqrt(p->g, info)) {
    *status = find_sumsq(p->g, info->args[0], &squared);
    tg_print_template(p, squared != TG_NONE ? norm2_templates[p->format] : sqrt_templates[p->format],
                      squared != TG_NONE ? squared : info->args[0], status);
    return;
  }
  if (tg_print_is_reciprocal(p->g, node, &exponent) && (exponent == -1.0 || exponent == -0.5 || coef != 1.0)) {
    tg_print_number(p, coef);
    tg_print_divisor(p, node, scalar ? "/" : tg_quotient_ops[p->format], status);
    return;
  }
  // A power under a power would read from left to right; parentheses say so.
  tg_print_node(p, info->args[0], PREC_ATOM, status);
  print_exponent(p, info->args[1], scalar, status);
}

// What stands before '^': a transpose needs no parentheses where powers read from left to right, a call none there.
static void print_power_base(tg_printer *p, tg_node base, tg_status *status)
{
  const bool left_to_right = p->format == TG_FORMAT_EXPR || p->format == TG_FORMAT_OCTAVE;
  const tg_kind kind = tg_node_info(p->g, base)->kind;
  const bool bare = left_to_right && (kind == TG_TRANS || kind == TG_INV);
  tg_print_node(p, base, bare ? PREC_POWER : PREC_ATOM, status);
}

void tg_print_mpow(tg_printer *p, tg_node base, int64_t exponent, tg_status *status)
{
  if (p->format == TG_FORMAT_NUMPY) {
    tg_print_add(p, "np.linalg.matrix_power(");
    tg_print_node(p, base, PREC_SUM, status);
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
    tg_print_add(p, tg_times_ops[p->format]);
  }
}

// X^k with an exponent that is no number
void tg_print_mpower(tg_printer *p, const tg_info *info, tg_status *status)
{
  if (p->format == TG_FORMAT_NUMPY) {
    tg_print_add(p, "np.linalg.matrix_power(");
    tg_print_node(p, info->args[0], PREC_SUM, status);
    tg_print_add(p, ", ");
    tg_print_node(p, info->args[1], PREC_SUM, status);
    tg_print_add(p, ")");
    return;
  }
  print_power_base(p, info->args[0], status);
  print_exponent(p, info->args[1], true, status);
}

void tg_print_trans(tg_printer *p, const tg_info *info, tg_status *status)
{
  static const char *const marks[FORMATS] = {"'", "ᵀ", "^{\\top}", ".T", "'"};
  const tg_info *inner = tg_node_info(p->g, info->args[0]);
  if (inner->kind == TG_PICK) {
    tg_print_pick(p, inner, true, status);
    return;
  }
  if (inner->kind == TG_INV && (p->format == TG_FORMAT_UNICODE || p->format == TG_FORMAT_LATEX)) {
    tg_print_node(p, inner->args[0], PREC_ATOM, status);
    tg_print_add(p, p->format == TG_FORMAT_LATEX ? "^{-\\top}" : "⁻ᵀ");
    return;
  }
  const bool call = inner->kind == TG_INV && p->format != TG_FORMAT_LATEX;
  tg_print_node(p, info->args[0], call ? PREC_POWER : PREC_ATOM, status);
  tg_print_add(p, marks[p->format]);
}

void tg_print_inv(tg_printer *p, const tg_info *info, tg_status *status)
{
  if (p->format == TG_FORMAT_UNICODE || p->format == TG_FORMAT_LATEX) {
    tg_print_node(p, info->args[0], PREC_ATOM, status);
    tg_print_add(p, p->format == TG_FORMAT_LATEX ? "^{-1}" : "⁻¹");
    return;
  }
  tg_print_add(p, p->format == TG_FORMAT_NUMPY ? "np.linalg.inv(" : "inv(");
  tg_print_node(p, info->args[0], PREC_SUM, status);
  tg_print_add(p, ")");
}
