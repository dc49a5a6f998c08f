// Why there is a closed form, or none, in words.
#include <inttypes.h>
#include <math.h>

#include "grad/structure/closed_form_parts.h"

// The node as text, at most `room` bytes of it; "?" where it cannot be printed.
static void add_node(tg_graph *g, tg_node node, int room, tg_text *out)
{
  tg_text one;
  tg_text_init(&one);
  const bool is_printed = tg_print(g, node, TG_FORMAT_EXPR, &one) == TG_OK;
  if (!is_printed) tg_error_clear();
  tg_text_addf(out, "%.*s", room, is_printed ? tg_text_string(&one) : "?");
  tg_text_fini(&one);
}

enum { WHOLE = 4096, LONG = 300, SHORT = 200, BRIEF = 120 };

static void add_in_parentheses(tg_graph *g, tg_node node, tg_text *out)
{
  const bool is_sum = tg_node_info(g, node)->kind == TG_LIN;
  if (is_sum) tg_text_add(out, "(");
  add_node(g, node, WHOLE, out);
  if (is_sum) tg_text_add(out, ")");
}

// "2*A*V*B + V"
static void add_action(tg_graph *g, int32_t n, const tg_closed_group *groups, tg_text *out)
{
  for (int32_t k = 0; k < n; k++) {
    const double coef = groups[k].coef;
    if (k > 0) tg_text_add(out, coef < 0 ? " - " : " + ");
    if (k == 0 && coef < 0) tg_text_add(out, "-");
    if (fabs(coef) != 1.0) {
      tg_text_add_number(out, fabs(coef));
      tg_text_add(out, "*");
    }
    if (groups[k].left != TG_NONE) {
      add_in_parentheses(g, groups[k].left, out);
      tg_text_add(out, "*");
    }
    tg_text_add(out, "V");
    if (groups[k].right != TG_NONE) {
      tg_text_add(out, "*");
      add_in_parentheses(g, groups[k].right, out);
    }
  }
}

static tg_node factor_of(const tg_closed_side *side)
{
  return side->wide != TG_NONE ? side->whole : side->base;
}

// " with A, B positive definite"; what is not proved is said to be symmetric.
static void add_factors(tg_graph *g, const tg_closed_form *form, tg_text *out)
{
  const char *between = " with ";
  for (int side = 0; side < 2; side++) {
    const tg_node nodes[2] = {form->sides[side].metric, factor_of(&form->sides[side])};
    for (int k = 0; k < 2; k++) {
      if (nodes[k] == TG_NONE || (side == 1 && nodes[k] == factor_of(&form->sides[0]))) continue;
      tg_text_add(out, between);
      add_node(g, nodes[k], WHOLE, out);
      between = ", ";
    }
  }
  if (between[0] == ',') tg_text_add(out, form->is_proved ? " positive definite" : " symmetric");
}

static void add_quadratic(tg_graph *g, const tg_closed_form *form, tg_text *out)
{
  tg_text_add(out, "because the Hessian action is ");
  add_action(g, form->n_groups, form->groups, out);
  add_factors(g, form, out);
  for (int side = 0; side < 2; side++) {
    const tg_closed_side *own = &form->sides[side];
    if (own->wide == TG_NONE) continue;
    tg_text_add(out, ", by the smaller ");
    add_node(g, own->base, SHORT, out);
    if (own->ridge == TG_NONE) tg_text_add(out, ": the minimiser of least norm");
  }
}

static void add_inverse(tg_graph *g, const tg_closed_form *form, tg_text *out)
{
  tg_text scale;
  tg_text_init(&scale);
  if (form->scale != 1.0) tg_text_addf(&scale, "%.6g*", form->scale);
  tg_text_add(out, "because the gradient ");
  add_node(g, form->sides[0].base, BRIEF, out);
  tg_text_addf(out, " - %sinv(X) vanishes at X = %sinv(", tg_text_string(&scale), tg_text_string(&scale));
  add_node(g, form->sides[0].base, BRIEF, out);
  tg_text_add(out, "), the minimum among positive definite matrices");
  tg_text_fini(&scale);
}

// "2*tr(X'*A*X*N) and constants: the minimiser consists of eigenvectors"
static void add_eigenvectors(tg_graph *g, const char *x, const tg_closed_form *form, tg_text *out)
{
  tg_text_addf(out, "because on %s'*%s = eye the objective is %s", x, x, form->scale < 0 ? "-" : "");
  if (fabs(form->scale) != 1) {
    tg_text_add_number(out, fabs(form->scale));
    tg_text_add(out, "*");
  }
  tg_text_addf(out, "tr(%s'", x);
  for (int side = 0; side < 2; side++) {
    const tg_node factor = form->sides[side].base;
    if (!tg_closed_is_identity(g, factor)) {
      tg_text_add(out, "*");
      add_in_parentheses(g, factor, out);
    }
    if (side == 0) tg_text_addf(out, "*%s", x);
  }
  tg_text_add(out, ") and constants: the minimiser consists of eigenvectors");
}

static void add_polar(tg_graph *g, const char *x, const tg_closed_form *form, tg_text *out)
{
  tg_text_addf(out, "because on %s'*%s = eye the objective is dot(", x, x);
  add_node(g, form->sides[0].base, LONG, out);
  tg_text_addf(out, ", %s) and constants: the minimiser is a polar factor", x);
}

// Adds the reason for a closed form that exists.
static void add_found(tg_graph *g, const char *x, const tg_closed_form *form, tg_text *out)
{
  switch (form->why.code) {
  case TG_CLOSED_WHY_INVERSE:
    add_inverse(g, form, out);
    return;
  case TG_CLOSED_WHY_EIGENVECTORS:
    add_eigenvectors(g, x, form, out);
    return;
  case TG_CLOSED_WHY_POLAR:
    add_polar(g, x, form, out);
    return;
  default:
    add_quadratic(g, form, out);
  }
}

// What is about the objective alone, and has no figures.
static const char *const sentences[TG_CLOSED_WHY_COUNT] = {
    [TG_CLOSED_WHY_CONSTANT] = "the objective is constant in the variable: every point is a minimiser",
    [TG_CLOSED_WHY_LINEAR] =
        "no minimum: the objective is linear in the variable, unbounded below where its gradient is not zero",
    [TG_CLOSED_WHY_WEIGHTS] = "no closed form: the Hessian action is not a sum of products L*V*R with constant L and R",
    [TG_CLOSED_WHY_NOT_QUADRATIC] = "no closed form: the objective is not quadratic",
    [TG_CLOSED_WHY_TRANSPOSED] = "no closed form: the Hessian action holds V'",
    [TG_CLOSED_WHY_LOGDET_ALONE] = "no minimum: nothing but -logdet depends on the variable, which falls without end",
};

static void add_asymmetric(tg_graph *g, const tg_closed_why *why, tg_text *out)
{
  tg_text_add(out, "no closed form: in the Hessian action the factor ");
  add_node(g, why->node, WHOLE, out);
  tg_text_add(out, " is not known to be symmetric; declare its matrices symmetric or spd where they are");
}

static void add_rank(tg_graph *g, const tg_closed_why *why, tg_text *out)
{
  tg_text_add(out, "no closed form: in the Hessian action the factor ");
  add_node(g, why->node, SHORT, out);
  tg_text_addf(out,
               " (%" PRId64 " x %" PRId64 ") has a rank of at most %" PRId64
               ", so that there is no unique minimum, or none; a ridge such as 1e-8*sumsq(X) makes one",
               why->counts[0], why->counts[0], why->counts[1]);
}

// What is about orthonormal columns.
static void add_refused_on_set(const char *x, const tg_closed_why *why, tg_text *out)
{
  switch (why->code) {
  case TG_CLOSED_WHY_SET_KIND:
    tg_text_addf(out,
                 "no closed form: on orthonormal columns there are some for tr(%s'*A*%s*N) and for linear objectives, "
                 "with constants added",
                 x, x);
    return;
  case TG_CLOSED_WHY_SET_CONSTANT:
    tg_text_addf(out, "no closed form: on %s'*%s = eye the objective is constant", x, x);
    return;
  case TG_CLOSED_WHY_SET_BOTH:
    tg_text_addf(out, "no closed form: on %s'*%s = eye the objective has a quadratic and a linear part", x, x);
    return;
  default:
    tg_text_addf(out, "no closed form: on %s'*%s = eye the Hessian action has %" PRId64 " terms that do not join", x, x,
                 why->counts[0]);
  }
}

static void add_refused(tg_graph *g, const char *x, const tg_closed_why *why, tg_text *out)
{
  switch (why->code) {
  case TG_CLOSED_WHY_SEVERAL:
    tg_text_addf(out, "no closed form: there are %" PRId64 " variables, closed forms are for one", why->counts[0]);
    return;
  case TG_CLOSED_WHY_DEGREE:
    tg_text_addf(out, "no closed form: the objective is a polynomial of degree %" PRId64 ", not quadratic",
                 why->counts[0]);
    return;
  case TG_CLOSED_WHY_ASYMMETRIC:
    add_asymmetric(g, why, out);
    return;
  case TG_CLOSED_WHY_APART:
    tg_text_addf(
        out, "no closed form: the Hessian action has %" PRId64 " terms whose factors do not become diagonal together",
        why->counts[0]);
    return;
  case TG_CLOSED_WHY_NEGATIVE:
    tg_text_addf(out, "no minimum: the Hessian action has the negative coefficient %g", why->number);
    return;
  case TG_CLOSED_WHY_RANK:
    add_rank(g, why, out);
    return;
  case TG_CLOSED_WHY_LOGDET_SIGN:
    tg_text_addf(out, "no minimum: logdet stands with the positive coefficient %g", why->number);
    return;
  default:
    add_refused_on_set(x, why, out);
  }
}

void tg_closed_form_explain(tg_graph *graph, const tg_closed_form *form, tg_text *out)
{
  // An objective that does not depend on the variable need not know its symbol.
  const char *x = form->symbol >= 0 ? tg_symbol_info(graph, form->symbol)->name : "X";
  if (form->kind != TG_CLOSED_NONE)
    add_found(graph, x, form, out);
  else if (sentences[form->why.code] != NULL)
    tg_text_add(out, sentences[form->why.code]);
  else
    add_refused(graph, x, &form->why, out);
}
