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

// Templates for abs of a scalar; bars around a matrix are often read as its determinant.
static const char *const scalar_abs_templates[FORMATS] = {"abs(@)", "|@|", "\\left|@\\right|", "np.abs(@)", "abs(@)"};
static const char *const norm1_templates[FORMATS] = {"norm1(@)", "‖@‖₁", "\\left\\|@\\right\\|_1", "np.sum(np.abs(@))",
                                                     "sum(abs(@)(:))"};

// '@' stands for the first argument, '$' for the second, '#' for the third, '%' for the fourth.
static void print_arguments(tg_printer *p, const char *template, const tg_node *args, tg_status *status)
{
  static const char arguments[] = "@$#%";
  for (const char *c = template; *c != '\0'; c++) {
    const char *which = strchr(arguments, *c);
    if (which != NULL)
      tg_print_node(p, args[which - arguments], PREC_SUM, status);
    else
      tg_text_add_bytes(p->out, c, 1);
  }
}

void tg_print_template(tg_printer *p, const char *template, tg_node arg, tg_status *status)
{
  print_arguments(p, template, &arg, status);
}

// ---- precedence ----

static precedence precedence_of(const tg_printer *p, tg_node node)
{
  const tg_info *info = tg_node_info(p->g, node);
  double exponent = 0.0;
  switch (info->kind) {
  case TG_LIN:
    if (tg_print_is_blocks(p, node)) return PREC_ATOM;
    return info->n_args == 1 && info->coefs[0] > 0.0 ? PREC_TERM : PREC_SUM;
  case TG_NUM:
    if (tg_print_has_power_of_ten(p, info->value)) return info->value < 0.0 ? PREC_SUM : PREC_TERM;
    return info->value < 0.0 ? PREC_UNARY : PREC_ATOM;
  case TG_PROD:
    if (tg_print_is_squared_norm(p, node))
      return p->format == TG_FORMAT_UNICODE || p->format == TG_FORMAT_LATEX ? PREC_POWER : PREC_ATOM;
    if (!tg_print_is_one_power(info)) return PREC_TERM;
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
    if (tg_print_is_sqrt(p->g, info)) return PREC_ATOM;
    return tg_print_is_reciprocal(p->g, node, &exponent) && (exponent == -1.0 || exponent == -0.5) ? PREC_TERM
                                                                                                   : PREC_POWER;
  case TG_MPOW:
    if (p->format == TG_FORMAT_EXPR && info->exponent > TG_EXPONENT_MAX) return PREC_TERM;
    return p->format == TG_FORMAT_NUMPY ? PREC_ATOM : PREC_POWER;
  case TG_MPOWER:
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
    {"softmax_columns(@)", "softmax_columns(@)", TG_LATEX_FUNCTION("softmax\\_columns"), NULL, NULL},
    {"softmax_rows(@)", "softmax_rows(@)", TG_LATEX_FUNCTION("softmax\\_rows"), NULL, NULL}};

static void print_entry(tg_printer *p, const tg_entry_facts *f, tg_node arg, tg_status *status)
{
  const char *const templates[FORMATS] = {
      [TG_FORMAT_LATEX] = f->latex, [TG_FORMAT_NUMPY] = f->numpy, [TG_FORMAT_OCTAVE] = f->octave};
  if (templates[p->format] != NULL) {
    tg_print_template(p, templates[p->format], arg, status);
    return;
  }
  tg_print_add(p, f->name);
  tg_print_template(p, "(@)", arg, status);
}

static void print_unary(tg_printer *p, tg_node node, const tg_info *info, tg_status *status)
{
  if (info->kind == TG_TR && tg_print_squared_norm(p, node, status)) return;
  if (info->kind == TG_SUM && tg_node_info(p->g, info->args[0])->kind == TG_ABS) {
    tg_print_template(p, norm1_templates[p->format], tg_node_info(p->g, info->args[0])->args[0], status);
    return;
  }
  if (info->kind == TG_ABS && tg_node_is_scalar(p->g, node)) {
    tg_print_template(p, scalar_abs_templates[p->format], info->args[0], status);
    return;
  }
  if (info->kind == TG_EXP && softmax_templates[0][p->format] != NULL) {
    bool rows = false;
    const tg_node z = find_softmax(p, info->args[0], &rows, status);
    if (z != TG_NONE) {
      tg_print_template(p, softmax_templates[rows][p->format], z, status);
      return;
    }
  }
  if (tg_entry(info->kind) != NULL) print_entry(p, tg_entry(info->kind), info->args[0], status);
  if (info->kind == TG_DIVIDED) { // divided_exp
    char name[2 * 24];
    const char *function = tg_divided_function((tg_divided)info->exponent);
    const bool latex = p->format == TG_FORMAT_LATEX;
    snprintf(name, sizeof name, latex ? "\\operatorname{divided\\_%s}" : "divided_%s",
             function != NULL ? strchr(function, '_') + 1 : "difference");
    tg_print_add(p, name);
    print_arguments(p, latex ? "\\left(@, $\\right)" : "(@, $)", info->args, status);
    return;
  }
  const char *template = tg_op_get(info->kind)->templates[p->format];
  if (template != NULL) print_arguments(p, template, info->args, status);
}

void tg_print_triangle(tg_printer *p, tg_kind kind, tg_node inside, tg_status *status)
{
  tg_print_template(p, tg_op_get(kind)->templates[p->format], inside, status);
}

// A constant: triu(ones(m,n))
static void print_triangle(tg_printer *p, const tg_info *info, tg_status *status)
{
  tg_node ones = TG_NONE;
  *status = tg_make_ones(p->g, info->rows, info->cols, &ones);
  if (*status == TG_OK) tg_print_triangle(p, info->kind, ones, status);
}

// Prints logsumexp of all entries, of rows or of columns. In NumPy it is a reduction, Octave has none: the plain
// formula.
static void print_logsumexp(tg_printer *p, tg_node node, const tg_info *info, tg_status *status)
{
  static const char *const templates[3][FORMATS] = {
      {"logsumexp(@)", "logsumexp(@)", TG_LATEX_FUNCTION("logsumexp"), "np.logaddexp.reduce(@, axis=None)",
       "log(sum(exp(@)(:)))"},
      {"logsumexp_rows(@)", "logsumexp_rows(@)", TG_LATEX_FUNCTION("logsumexp\\_rows"),
       "np.logaddexp.reduce(@, axis=1, keepdims=True)", "log(sum(exp(@), 2))"},
      {"logsumexp_columns(@)", "logsumexp_columns(@)", TG_LATEX_FUNCTION("logsumexp\\_columns"),
       "np.logaddexp.reduce(@, axis=0, keepdims=True)", "log(sum(exp(@), 1))"}};
  const int which = tg_node_is_scalar(p->g, node) ? 0 : tg_dim_is_one(p->g, info->cols) ? 1 : 2;
  tg_print_template(p, templates[which][p->format], info->args[0], status);
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
  case TG_PICK:
    tg_print_pick(p, info, false, status);
    break;
  case TG_LOGSUMEXP:
    print_logsumexp(p, node, info, status);
    break;
  case TG_LIN:
    if (!tg_print_is_blocks(p, node) || !tg_print_blocks(p, node, status)) tg_print_lin(p, info, status);
    break;
  case TG_PROD:
    tg_print_prod(p, 1.0, node, status);
    break;
  case TG_HAD:
    tg_print_had(p, 1.0, info, status);
    break;
  case TG_POW:
    tg_print_pow(p, 1.0, node, status);
    break;
  case TG_MPOW:
    tg_print_mpow(p, info->args[0], info->exponent, status);
    break;
  case TG_MPOWER:
    tg_print_mpower(p, info, status);
    break;
  case TG_TRANS:
    tg_print_trans(p, info, status);
    break;
  case TG_INV:
    tg_print_inv(p, info, status);
    break;
  case TG_KRON:
    tg_print_kron(p, info, status);
    break;
  case TG_UNVEC:
    tg_print_unvec(p, info, status);
    break;
  default:
    print_unary(p, node, info, status);
    break;
  }
}

void tg_print_node(tg_printer *p, tg_node node, precedence least, tg_status *status)
{
  const tg_info *info = tg_node_info(p->g, node);
  p->is_cut = p->is_cut || p->out->length > p->longest;
  if (p->is_cut || *status != TG_OK) return;
  if (tg_print_is_part(p, node)) {
    tg_print_part(p, node);
    return;
  }
  if (info->kind == TG_KRONL || info->kind == TG_KRONR) *status = tg_print_spell_adjoint(p->g, info, &node);
  if (*status != TG_OK) return;
  const bool parentheses = precedence_of(p, node) < least;
  if (parentheses) tg_print_add(p, p->format == TG_FORMAT_LATEX ? "\\left(" : "(");
  print_bare(p, node, status);
  if (parentheses) tg_print_add(p, p->format == TG_FORMAT_LATEX ? "\\right)" : ")");
}

// A factor of a chain that the caller writes: what * would tear apart stands in parentheses, as 1./X in A*(1./X) and
// 2*X.*Y in A*(2*X.*Y).
tg_status tg_print_factor(tg_graph *graph, tg_node node, tg_format format, size_t bytes, tg_text *out)
{
  const tg_printer p = {.g = graph, .format = format};
  const tg_info *info = tg_node_info(graph, node);
  const bool is_multiple = info->kind == TG_LIN && info->n_args == 1 && info->coefs[0] > 0.0;
  const tg_node bare = is_multiple ? info->args[0] : node;
  const tg_kind kind = tg_node_info(graph, bare)->kind;
  double exponent = 0.0;
  const bool is_torn = kind == TG_HAD || (kind == TG_KRON && precedence_of(&p, bare) == PREC_TERM) ||
                       (!tg_node_is_scalar(graph, bare) && tg_print_is_reciprocal(graph, bare, &exponent));
  const bool parentheses = is_torn || precedence_of(&p, node) == PREC_SUM;
  if (parentheses) tg_text_add(out, format == TG_FORMAT_LATEX ? "\\left(" : "(");
  TG_TRY(tg_print_start(graph, node, format, bytes, out));
  if (parentheses) tg_text_add(out, format == TG_FORMAT_LATEX ? "\\right)" : ")");
  return TG_OK;
}

bool tg_print_shows_numpy(const char *text)
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
  tg_printer p = {.g = graph, .format = format, .out = out, .longest = begin + bytes, .turned = -1};
  tg_print_node(&p, node, PREC_SUM, &status);
  const char *text = out->data != NULL ? out->data + begin : "";
  if (p.has_entrywise && !p.is_cut && status == TG_OK && !tg_print_shows_numpy(text)) {
    out->length = begin;
    p.spell = true;
    tg_print_node(&p, node, PREC_SUM, &status);
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
