// derive --steps --format latex: the derivation as an align* environment of amsmath.
#include "derive/print.h"

#include <string.h>

#include "grad/explain/explain.h"

// A rule as text of LaTeX: its own signs are spelled, formulas stay as they are typed.
static void add_rule(const char *rule, tg_text *out)
{
  static const struct {
    char sign;
    const char *spelled;
  } signs[] = {{'\\', "\\textbackslash{}"},
               {'{', "\\{"},
               {'}', "\\}"},
               {'_', "\\_"},
               {'^', "\\^{}"},
               {'&', "\\&"},
               {'%', "\\%"},
               {'$', "\\$"},
               {'#', "\\#"},
               {'~', "\\~{}"},
               {'<', "$<$"},
               {'>', "$>$"},
               {'|', "$|$"}};
  tg_text_add(out, "\\text{");
  for (; *rule != '\0'; rule++) {
    const char *spelled = NULL;
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
      if (signs[i].sign == *rule) spelled = signs[i].spelled;
    if (spelled != NULL)
      tg_text_add(out, spelled);
    else
      tg_text_add_bytes(out, rule, 1);
  }
  tg_text_add(out, "}");
}

enum { WIDE = 100 }; // bytes of LaTeX that fill a line

static void begin_row(bool *first, tg_text *out)
{
  tg_text_add(out, *first ? "  " : " \\\\\n  ");
  *first = false;
}

static void add_steps(const tg_explanation *explanation, bool *first, tg_text *out)
{
  int previous = -2;
  for (int32_t k = 0; k < explanation->n_steps; k++) {
    const tg_step *step = &explanation->steps[k];
    begin_row(first, out);
    if (step->rule == NULL)
      tg_text_addf(out, "(%d)\\quad & %s", step->term, step->text);
    else if (step->term == -1)
      tg_text_addf(out, "G &= %s", step->text);
    else
      tg_text_addf(out, "%s &= %s", step->term == 0 && previous != 0 ? "\\mathrm{d}f" : "", step->text);
    if (step->rule != NULL) {
      const bool is_wide = strlen(step->text) > WIDE; // the rule goes below it
      if (is_wide) begin_row(first, out);
      tg_text_add(out, is_wide ? "&\\qquad " : " && ");
      add_rule(step->rule, out);
    }
    previous = step->term;
  }
  if (!explanation->shortened) return;
  begin_row(first, out);
  tg_text_addf(out, "& \\dots && \\text{shown up to %d steps}", TG_STEPS_MAX);
}

static tg_status add_gradient_rows(const tg_derivation *d, const tg_target *target, bool *first, tg_text *out)
{
  tg_explanation explanation;
  TG_TRY(tg_explain(d->graph, target->f, target->symbol, TG_FORMAT_LATEX, &explanation));
  add_steps(&explanation, first, out);
  tg_explanation_fini(&explanation);
  return TG_OK;
}

// The differential of a matrix function, and its stacked form.
static tg_status add_jacobian_rows(const tg_derivation *d, const tg_target *target, bool *first, tg_text *out)
{
  tg_node symbol = TG_NONE;
  begin_row(first, out);
  tg_text_add(out, "\\operatorname{vec}\\left(\\mathrm{d}F\\right) &= \\left(");
  TG_TRY(tg_print(d->graph, target->derivative, TG_FORMAT_LATEX, out));
  tg_text_add(out, "\\right) \\operatorname{vec}\\left(\\mathrm{d}");
  TG_TRY(tg_make_sym(d->graph, target->symbol, &symbol));
  TG_TRY(tg_print(d->graph, symbol, TG_FORMAT_LATEX, out));
  tg_text_addf(out, "%s\\right) && ", target->transposed ? "^{\\top}" : "");
  add_rule("vec(A*X*B) = kron(B',A)*vec(X); vec(X') = comm(m,n)*vec(X)", out);
  return TG_OK;
}

// The Hessian action, and its parts where it is long.
static tg_status add_hessian_rows(const tg_derivation *d, const tg_target *target, bool *first, tg_text *out)
{
  tg_printed printed;
  TG_TRY(tg_print_shared(d->graph, target->hessian, TG_FORMAT_LATEX, TG_LONG_HESSIAN, &printed));
  begin_row(first, out);
  tg_text_addf(out, "H[%s] &= %s", target->direction, printed.text);
  for (int32_t k = 0; k < printed.n_parts; k++) {
    begin_row(first, out);
    tg_text_addf(out, "%s%s &= %s", k == 0 ? "\\text{where } " : "", printed.parts[k].name, printed.parts[k].text);
  }
  tg_printed_fini(&printed);
  return TG_OK;
}

tg_status tg_derivation_print_latex_steps(tg_derivation *d, const tg_target *target, tg_text *out)
{
  bool first = true;
  tg_text_add(out, "\\begin{align*}\n");
  TG_TRY(d->scalar ? add_gradient_rows(d, target, &first, out) : add_jacobian_rows(d, target, &first, out));
  if (d->within != NULL) {
    begin_row(&first, out);
    tg_text_add(out, "P &= ");
    TG_TRY(tg_print(d->graph, target->derivative, TG_FORMAT_LATEX, out));
    tg_text_add(out, " && ");
    add_rule(d->within->rule, out);
  }
  if (target->hessian != TG_NONE) {
    TG_TRY(add_hessian_rows(d, target, &first, out));
  }
  tg_text_add(out, "\n\\end{align*}\n");
  return TG_OK;
}
