// The result of derive in each format.
#include "derive/print.h"

#include <string.h>

#include "derive/export/export.h"
#include "derive/structure_report.h"
#include "grad/explain/explain.h"
#include "grad/structure/curvature.h"
#include "grad/structure/real_domain.h"

static void add_shape(const tg_derivation *d, tg_dim rows, tg_dim cols, tg_text *out)
{
  if (tg_dim_is_one(d->graph, rows) && tg_dim_is_one(d->graph, cols)) {
    tg_text_add(out, "scalar");
    return;
  }
  tg_dim_print_shape(d->graph, rows, cols, out);
}

static void add_node_shape(const tg_derivation *d, tg_node node, tg_text *out)
{
  const tg_info *info = tg_node_info(d->graph, node);
  add_shape(d, info->rows, info->cols, out);
}

// ---- formats without words ----

static tg_status print_bare(const tg_derivation *d, tg_format format, tg_text *out)
{
  for (int32_t k = 0; k < d->n_targets; k++) {
    const tg_target *target = &d->targets[k];
    const bool is_hessian = target->hessian != TG_NONE;
    TG_TRY(tg_print_with_parts(d->graph, is_hessian ? target->hessian : target->derivative, format,
                               is_hessian ? TG_LONG_HESSIAN : TG_LONG_DERIVATIVE, out));
    tg_text_add(out, "\n");
  }
  return TG_OK;
}

// ---- human ----

static void add_label(const tg_derivation *d, const tg_target *target, tg_text *out)
{
  const char *mark = target->transposed ? "'" : "";
  if (d->scalar)
    tg_text_addf(out, "df/d%s%s", target->name, mark);
  else
    tg_text_addf(out, "d vec(F)/d vec(%s%s)'", target->name, mark);
}

static tg_status print_names(const tg_derivation *d, tg_text *out)
{
  tg_text_add(out, "where ");
  bool first = true;
  for (int32_t s = 0; s < d->n_symbols; s++) {
    const tg_symbol *symbol = tg_symbol_info(d->graph, s);
    if (!symbol->free && symbol->twin >= 0) continue;
    tg_text_addf(out, "%s%s: ", first ? "" : ", ", symbol->name);
    add_shape(d, symbol->rows, symbol->cols, out);
    if ((symbol->properties & TG_SPD) != 0)
      tg_text_add(out, " positive definite");
    else if ((symbol->properties & TG_PSD) != 0)
      tg_text_add(out, " positive semidefinite");
    else if ((symbol->properties & TG_DIAGONAL) != 0)
      tg_text_add(out, " diagonal");
    else if ((symbol->properties & TG_SYMMETRIC) != 0)
      tg_text_add(out, " symmetric");
    if ((symbol->properties & TG_ORTHOGONAL) != 0) tg_text_add(out, " orthogonal");
    if ((symbol->properties & TG_POSITIVE) != 0) tg_text_add(out, " with positive entries");
    first = false;
  }
  tg_text_add(out, "\n\n");
  return TG_OK;
}

// The result and its shape; below, where it is long, the parts that it shares.
static tg_status print_node(const tg_derivation *d, tg_node node, size_t bytes, tg_format format, tg_text *out)
{
  tg_printed printed;
  TG_TRY(tg_print_shared(d->graph, node, format, bytes, &printed));
  tg_text_add(out, printed.text);
  tg_text_add(out, "    (");
  add_node_shape(d, node, out);
  tg_text_add(out, ")\n");
  for (int32_t k = 0; k < printed.n_parts; k++)
    tg_text_addf(out, "    %s%s = %s%s\n", k == 0 ? "where " : "      ", printed.parts[k].name, printed.parts[k].text,
                 k + 1 < printed.n_parts ? "," : "");
  tg_printed_fini(&printed);
  return TG_OK;
}

static tg_status print_result(const tg_derivation *d, const tg_target *target, tg_format format, tg_text *out)
{
  tg_text_add(out, "  ");
  add_label(d, target, out);
  tg_text_add(out, " = ");
  TG_TRY(print_node(d, target->derivative, TG_LONG_DERIVATIVE, format, out));
  if (target->hessian == TG_NONE) return TG_OK;
  tg_text_addf(out, "  H[%s] = ", target->direction);
  return print_node(d, target->hessian, TG_LONG_HESSIAN, format, out);
}

// ---- steps ----

enum { RULE_COLUMN = 60 };

// Characters, not bytes: continuation bytes of UTF-8 take no column.
static size_t columns_of(const char *text)
{
  size_t columns = 0;
  for (; *text != '\0'; text++) columns += ((unsigned char)*text & 0xC0u) != 0x80u;
  return columns;
}

static void add_step(const tg_step *step, bool first, tg_text *out)
{
  if (step->rule == NULL) {
    tg_text_addf(out, "  (%d) %s\n", step->term, step->text);
    return;
  }
  const char *label = step->term == -1   ? "  G  = "
                      : step->term == -2 ? "  P  = "
                      : step->term > 0   ? "       = "
                      : first            ? "  df = "
                                         : "     = ";
  const size_t width = columns_of(label) + columns_of(step->text);
  tg_text_add(out, label);
  tg_text_add(out, step->text);
  // A long line puts its rule below itself.
  if (width + 2 > RULE_COLUMN) tg_text_add(out, "\n");
  for (size_t k = width + 2 > RULE_COLUMN ? 0 : width; k < RULE_COLUMN; k++) tg_text_add(out, " ");
  tg_text_addf(out, "| %s\n", step->rule);
}

// The last step: from the gradient of free entries to the one inside the set.
static tg_status print_projection(const tg_derivation *d, const tg_target *target, tg_format format, tg_text *out)
{
  tg_text text;
  tg_text_init(&text);
  tg_status status = tg_print(d->graph, target->derivative, format, &text);
  const tg_step step = {.term = -2, .text = tg_text_string(&text), .rule = d->within->rule};
  if (status == TG_OK) add_step(&step, false, out);
  tg_text_fini(&text);
  return status;
}

static tg_status print_steps(const tg_derivation *d, const tg_target *target, tg_format format, tg_text *out)
{
  tg_explanation explanation;
  TG_TRY(tg_explain(d->graph, target->f, target->symbol, format, &explanation));
  tg_text_addf(out, "Derivation by %s:\n", target->name);
  int previous = -2;
  for (int32_t k = 0; k < explanation.n_steps; k++) {
    const tg_step *step = &explanation.steps[k];
    add_step(step, step->term == 0 && previous != 0, out);
    previous = step->term;
  }
  if (explanation.shortened)
    tg_text_addf(out, "  ... (shown up to %d steps or %d characters)\n", TG_STEPS_MAX, TG_STEPS_BYTES_MAX);
  tg_status status = TG_OK;
  if (d->within != NULL) status = print_projection(d, target, format, out);
  tg_explanation_fini(&explanation);
  return status;
}

// A matrix function: its differential, then the stacked form.
static tg_status print_matrix_steps(const tg_derivation *d, const tg_target *target, tg_format format, tg_text *out)
{
  const tg_symbol symbol = *tg_symbol_info(d->graph, target->symbol);
  tg_text name;
  tg_node direction = TG_NONE;
  tg_node differential = TG_NONE;
  int32_t index = -1;
  tg_text_init(&name);
  tg_text_addf(&name, "d%s", target->name);
  while (tg_text_status(&name) == TG_OK && tg_symbol_find(d->graph, tg_text_string(&name)) >= 0)
    tg_text_add(&name, "_");
  const tg_status added = tg_symbol_add(d->graph, tg_text_string(&name), symbol.rows, symbol.cols, 0, true, &index);
  tg_text_fini(&name);
  TG_TRY(added);
  TG_TRY(tg_make_sym(d->graph, index, &direction));
  TG_TRY(tg_forward(d->graph, target->f, 1, &target->symbol, &direction, &differential));
  tg_text_addf(out, "Derivation by %s:\n  dF = ", target->name);
  TG_TRY(tg_print(d->graph, differential, format, out));
  tg_text_add(out, "    | differential rules\n  vec(dF) = (");
  TG_TRY(tg_print(d->graph, target->derivative, format, out));
  tg_text_addf(out, ")*vec(d%s)    | vec(A*X*B) = kron(B',A)*vec(X); vec(X') = comm(m,n)*vec(X)\n", target->name);
  return TG_OK;
}

static tg_status print_derivation_by(tg_derivation *d, const tg_target *target, tg_format format, tg_text *out)
{
  return d->scalar ? print_steps(d, target, format, out) : print_matrix_steps(d, target, format, out);
}

// What the symbol G, or the Jacobian, stands for.
static void add_convention(const tg_derivation *d, tg_text *out)
{
  if (d->within != NULL)
    tg_text_addf(out, "\nThe gradient G is %s%s, with f(X+H) = f(X) + <G,H> + o(|H|) for X and H that are.\n",
                 d->within->name, strcmp(d->within->name, "lower") == 0 ? " triangular" : "");
  else
    tg_text_add(out, d->scalar
                         ? "\nThe gradient G satisfies f(X+H) = f(X) + <G,H> + o(|H|), entries of X independent.\n"
                         : "\nThe Jacobian is d vec(F)/d vec(X)', vec column by column.\n");
}

// What the rules say of all names of several together.
static tg_status print_joint_convexity(const tg_derivation *d, tg_text *out)
{
  int32_t symbols[TG_TARGETS_MAX];
  tg_curvature curvature = TG_CURVATURE_UNKNOWN;
  const char *reason = NULL;
  if (!d->scalar || d->n_targets < 2) return TG_OK;
  for (int32_t k = 0; k < d->n_targets; k++) symbols[k] = d->targets[k].symbol;
  TG_TRY(tg_curvature_find(d->graph, d->f, d->n_targets, symbols, &curvature, &reason));
  tg_text_add(out, "  convexity in ");
  for (int32_t k = 0; k < d->n_targets; k++) tg_text_addf(out, "%s%s", k > 0 ? ", " : "", d->targets[k].name);
  tg_text_addf(out, " together: %s (%s)\n", tg_curvature_word(curvature), reason);
  return TG_OK;
}

// "  defined where X > 0 entry by entry"
static tg_status print_domain(const tg_derivation *d, tg_format format, tg_text *out)
{
  tg_text domain;
  tg_text_init(&domain);
  tg_status status = tg_derivation_print_domain(d, format, &domain);
  if (status == TG_OK && domain.length > 0)
    tg_text_addf(out, "%s  defined where %s\n", d->scalar ? "" : "\n", tg_text_string(&domain));
  tg_text_fini(&domain);
  return status;
}

static tg_status print_human(tg_derivation *d, const tg_derive_view *view, tg_text *out)
{
  const tg_format format = view->utf8 ? TG_FORMAT_UNICODE : TG_FORMAT_EXPR;
  tg_text_add(out, d->scalar ? "f = " : "F = ");
  TG_TRY(print_node(d, d->f, TG_LONG_DERIVATIVE, format, out));
  TG_TRY(print_names(d, out));
  for (int32_t k = 0; d->wants_steps && k < d->n_targets; k++) {
    TG_TRY(print_derivation_by(d, &d->targets[k], format, out));
    tg_text_add(out, "\n");
  }
  for (int32_t k = 0; k < d->n_targets; k++) TG_TRY(print_result(d, &d->targets[k], format, out));
  if (d->scalar) tg_text_add(out, "\n");
  for (int32_t k = 0; d->scalar && k < d->n_targets; k++)
    TG_TRY(tg_structure_print(d->graph, d->targets[k].f, d->targets[k].symbol, format, out));
  TG_TRY(print_joint_convexity(d, out));
  TG_TRY(print_domain(d, format, out));
  add_convention(d, out);
  return TG_OK;
}

const char *tg_derive_format_name(tg_derive_format format)
{
  static const char *const names[TG_DERIVE_FORMATS] = {"human", "expr",   "latex",   "numpy", "octave", "json",
                                                       "julia", "matlab", "pytorch", "jax",   "c",      "fortran"};
  return names[format];
}

// A result, or with steps an environment, for each name.
static tg_status print_latex(tg_derivation *d, tg_text *out)
{
  if (!d->wants_steps) return print_bare(d, TG_FORMAT_LATEX, out);
  for (int32_t k = 0; k < d->n_targets; k++) TG_TRY(tg_derivation_print_latex_steps(d, &d->targets[k], out));
  return TG_OK;
}

static tg_status print_function(const tg_derivation *d, tg_derive_format format, tg_text *out)
{
  static const tg_export_target targets[TG_DERIVE_FORMATS] = {[TG_DERIVE_NUMPY] = TG_EXPORT_NUMPY,
                                                              [TG_DERIVE_OCTAVE] = TG_EXPORT_OCTAVE,
                                                              [TG_DERIVE_JULIA] = TG_EXPORT_JULIA,
                                                              [TG_DERIVE_MATLAB] = TG_EXPORT_MATLAB,
                                                              [TG_DERIVE_PYTORCH] = TG_EXPORT_PYTORCH,
                                                              [TG_DERIVE_JAX] = TG_EXPORT_JAX,
                                                              [TG_DERIVE_C] = TG_EXPORT_C,
                                                              [TG_DERIVE_FORTRAN] = TG_EXPORT_FORTRAN};
  if (format < TG_DERIVE_JULIA && format != TG_DERIVE_NUMPY && format != TG_DERIVE_OCTAVE)
    TG_FAIL(TG_USAGE,
            "%sa function cannot be had in the format %s; in numpy, jax, pytorch, octave, matlab, julia, c, fortran",
            d->words.command, tg_derive_format_name(format));
  return tg_export_function(d, targets[format], out);
}

static tg_status print_view(tg_derivation *d, const tg_derive_view *view, tg_text *out)
{
  if (view->function || view->format >= TG_DERIVE_JULIA) return print_function(d, view->format, out);
  switch (view->format) {
  case TG_DERIVE_EXPR:
    return print_bare(d, TG_FORMAT_EXPR, out);
  case TG_DERIVE_LATEX:
    return print_latex(d, out);
  case TG_DERIVE_NUMPY:
    return print_bare(d, TG_FORMAT_NUMPY, out);
  case TG_DERIVE_OCTAVE:
    return print_bare(d, TG_FORMAT_OCTAVE, out);
  case TG_DERIVE_JSON:
    return tg_derivation_print_json(d, out);
  default:
    return print_human(d, view, out);
  }
}

tg_status tg_derivation_print_domain(const tg_derivation *d, tg_format format, tg_text *out)
{
  int32_t symbols[TG_TARGETS_MAX];
  for (int32_t k = 0; k < d->n_targets; k++) symbols[k] = d->targets[k].symbol;
  return tg_real_domain_print(d->graph, d->f, d->n_targets, symbols, format, out);
}

tg_status tg_derivation_print(tg_derivation *d, const tg_derive_view *view, tg_text *out)
{
  TG_TRY(print_view(d, view, out));
  return tg_text_status(out);
}

// ---- parts ----

tg_node tg_derivation_node(const tg_derivation *d, tg_derive_part part, int32_t k)
{
  switch (part) {
  case TG_PART_EXPRESSION:
    return d->f;
  case TG_PART_DERIVATIVE:
    return d->targets[k].derivative;
  case TG_PART_HESSIAN:
    return d->targets[k].hessian;
  default:
    return TG_NONE;
  }
}

static tg_status check_part(const tg_derivation *d, tg_derive_part part, int32_t k, tg_derive_format format)
{
  if (part != TG_PART_FUNCTION && format >= TG_DERIVE_JULIA)
    TG_FAIL(TG_USAGE, "the format %s has functions alone", tg_derive_format_name(format));
  if (part == TG_PART_HESSIAN && d->targets[k].hessian == TG_NONE)
    TG_FAIL(TG_USAGE, "there is no Hessian action: set the option hessian of a scalar expression");
  if (part == TG_PART_STRUCTURE && !d->scalar) TG_FAIL(TG_USAGE, "a matrix expression has no report of its structure");
  if (part == TG_PART_STEPS && !d->scalar && format == TG_DERIVE_JSON)
    TG_FAIL(TG_UNSUPPORTED, "the steps to a Jacobian cannot be had in JSON");
  return TG_OK;
}

static tg_format format_of(const tg_derive_view *view)
{
  static const tg_format formats[TG_DERIVE_FORMATS] = {[TG_DERIVE_EXPR] = TG_FORMAT_EXPR,
                                                       [TG_DERIVE_LATEX] = TG_FORMAT_LATEX,
                                                       [TG_DERIVE_NUMPY] = TG_FORMAT_NUMPY,
                                                       [TG_DERIVE_OCTAVE] = TG_FORMAT_OCTAVE};
  if (view->format == TG_DERIVE_HUMAN) return view->utf8 ? TG_FORMAT_UNICODE : TG_FORMAT_EXPR;
  return formats[view->format];
}

tg_status tg_derivation_print_part(tg_derivation *d, tg_derive_part part, int32_t k, const tg_derive_view *view,
                                   tg_text *out)
{
  const tg_target *target = &d->targets[k];
  const tg_format format = format_of(view);
  TG_TRY(check_part(d, part, k, view->format));
  if (part == TG_PART_FUNCTION) return print_function(d, view->format, out);
  if (view->format == TG_DERIVE_JSON)
    TG_TRY(tg_derivation_print_json_part(d, part, k, out));
  else if (part == TG_PART_STRUCTURE)
    TG_TRY(tg_structure_print(d->graph, target->f, target->symbol, format, out));
  else if (part == TG_PART_STEPS && view->format == TG_DERIVE_LATEX)
    TG_TRY(tg_derivation_print_latex_steps(d, target, out));
  else if (part == TG_PART_STEPS)
    TG_TRY(print_derivation_by(d, target, format, out));
  else
    TG_TRY(tg_print_with_parts(d->graph, tg_derivation_node(d, part, k), format,
                               part == TG_PART_HESSIAN ? TG_LONG_HESSIAN : TG_LONG_DERIVATIVE, out));
  return tg_text_status(out);
}
