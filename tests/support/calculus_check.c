// Numbers against numbers: what a derivative must satisfy, whatever it looks like.
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "grad/explain/explain.h"
#include "support/calculus_check.h"

// ---- comparing ----

static int64_t entry_count(const calculus_world *world, tg_node node)
{
  const tg_info *info = tg_node_info(world->graph, node);
  return tg_dim_value(world->graph, info->rows) * tg_dim_value(world->graph, info->cols);
}

static double largest(int64_t n, const double *a)
{
  double most = 0.0;
  for (int64_t i = 0; i < n; i++)
    if (!(fabs(a[i]) <= most)) most = fabs(a[i]);
  return most;
}

static double distance(int64_t n, const double *a, const double *b)
{
  double most = 0.0;
  for (int64_t i = 0; i < n; i++)
    if (!(fabs(a[i] - b[i]) <= most)) most = fabs(a[i] - b[i]);
  return most;
}

static void add_matrix(tg_text *why, int64_t n, const double *a)
{
  for (int64_t i = 0; i < n && i < 12; i++) tg_text_addf(why, " %.10g", a[i]);
  tg_text_add(why, "\n");
}

// WRONG, with both sides shown, unless they agree to tolerance relative to the larger, or to `least`: what differences
// are taken of may be larger than they.
static void compare_above(const char *what, int64_t n, const double *found, const double *expected, double tolerance,
                          double least, calculus_verdict *verdict, tg_text *why)
{
  const double scale = fmax(least, fmax(largest(n, found), largest(n, expected)));
  if (*verdict != CALCULUS_RIGHT || distance(n, found, expected) <= tolerance * scale) return;
  *verdict = CALCULUS_WRONG;
  tg_text_addf(why, "%s:\n  found   ", what);
  add_matrix(why, n, found);
  tg_text_add(why, "  expected");
  add_matrix(why, n, expected);
}

static void compare(const char *what, int64_t n, const double *found, const double *expected, double tolerance,
                    calculus_verdict *verdict, tg_text *why)
{
  compare_above(what, n, found, expected, tolerance, 1e-3, verdict, why);
}

static void add_printed(calculus_world *world, const char *label, tg_node node, tg_text *why)
{
  tg_text_add(why, label);
  if (tg_print(world->graph, node, TG_FORMAT_EXPR, why) != TG_OK) tg_text_add(why, "(cannot be printed)");
  tg_text_add(why, "\n");
}

// ---- printing ----

static bool has_kind(const calculus_world *world, tg_node node, tg_kind kind)
{
  const tg_info *info = tg_node_info(world->graph, node);
  bool found = info->kind == kind;
  for (int32_t i = 0; i < info->n_args && !found; i++) found = has_kind(world, info->args[i], kind);
  return found;
}

static bool has_kron_adjoint(const calculus_world *world, tg_node node)
{
  return has_kind(world, node, TG_KRONL) || has_kind(world, node, TG_KRONR);
}

// The printed form read back: the same node, or (adjoints of kron have no spelling of their own) the same numbers.
static tg_status check_printed(calculus_world *world, const char *what, tg_node node, calculus_verdict *verdict,
                               tg_text *why)
{
  tg_text text;
  tg_node again = TG_NONE;
  double *found = NULL;
  double *expected = NULL;
  tg_status status = TG_OK;
  if (*verdict != CALCULUS_RIGHT) return TG_OK;
  tg_text_init(&text);
  TG_TRY_GOTO(tg_print(world->graph, node, TG_FORMAT_EXPR, &text));
  status = calculus_compile(world, tg_text_string(&text), false, &again);
  if (status != TG_OK) tg_text_addf(why, "%s: printed form not read back: %s\n", what, tg_text_string(&text));
  TG_TRY_GOTO(status);
  if (again == node) goto done;
  if (!has_kron_adjoint(world, node)) {
    *verdict = CALCULUS_WRONG;
    tg_text_addf(why, "%s: printed form read back as another node:\n  printed  %s\n", what, tg_text_string(&text));
    add_printed(world, "  again    ", again, why);
    goto done;
  }
  TG_TRY_GOTO(calculus_sample(world, node, &expected));
  TG_TRY_GOTO(calculus_sample(world, again, &found));
  compare("printed form read back", entry_count(world, node), found, expected, 1e-10, verdict, why);
done:
  tg_text_fini(&text);
  tg_free(found);
  tg_free(expected);
  return status;
}

tg_status calculus_check_value(calculus_world *world, const char *text, calculus_verdict *verdict, tg_text *why)
{
  tg_status status = TG_OK;
  tg_node node = TG_NONE;
  text_value expected = {0};
  double *found = NULL;
  *verdict = CALCULUS_RIGHT;
  TG_TRY_GOTO(calculus_compile(world, text, false, &node));
  TG_TRY_GOTO(calculus_sample(world, node, &found));
  TG_TRY_GOTO(check_printed(world, "value", node, verdict, why));
  status = text_eval(&world->arena, text, world->n_names, world->names, &expected);
  if (status == TG_UNSUPPORTED) { // eye without its size: only the printed form is checked
    status = TG_OK;
    goto done;
  }
  if (status == TG_NUMERIC) { // det X = 0 has a gradient, but not by det(X) inv(X)'
    *verdict = CALCULUS_NOT_FIT;
    status = TG_OK;
    goto done;
  }
  TG_TRY_GOTO(status);
  const int64_t n = expected.rows * expected.cols;
  if (entry_count(world, node) != n) TG_FAIL_GOTO(TG_SHAPE, "value of another shape than the oracle's");
  if (!isfinite(largest(n, expected.data)) || largest(n, expected.data) > 1e12)
    *verdict = CALCULUS_NOT_FIT;
  else
    compare("value", n, found, expected.data, 1e-9, verdict, why);
  if (*verdict == CALCULUS_WRONG) add_printed(world, "  normal form ", node, why);
done:
  tg_free(found);
  return status;
}

// ---- differences ----

// d/dt node(x_i + t) by five points; estimate[] holds n values, error the difference from a step half as long.
static tg_status differences(calculus_world *world, tg_node node, double *entry, double step, double *estimate)
{
  static const double weights[4] = {8.0, -8.0, -1.0, 1.0};
  static const double places[4] = {1.0, -1.0, 2.0, -2.0};
  const int64_t n = entry_count(world, node);
  const double x = *entry;
  tg_status status = TG_OK;
  for (int64_t i = 0; i < n; i++) estimate[i] = 0.0;
  for (int k = 0; k < 4 && status == TG_OK; k++) {
    double *values = NULL;
    *entry = x + places[k] * step;
    status = calculus_sample(world, node, &values);
    for (int64_t i = 0; status == TG_OK && i < n; i++) estimate[i] += weights[k] * values[i] / (12.0 * step);
    tg_free(values);
  }
  *entry = x;
  return status;
}

// The same along D for all variables at once.
static tg_status differences_along(calculus_world *world, tg_node node, double step, double *estimate)
{
  static const double weights[4] = {8.0, -8.0, -1.0, 1.0};
  static const double places[5] = {1.0, -1.0, 2.0, -2.0, 0.0};
  const int64_t n = entry_count(world, node);
  double now = 0.0;
  tg_status status = TG_OK;
  double *origin[CALCULUS_WRT_MAX];
  for (int32_t w = 0; w < world->n_wrt; w++) {
    const text_value *x = &world->names[world->wrt[w]].value;
    TG_TRY(TG_ARENA_NEW(&world->arena, (size_t)(x->rows * x->cols), &origin[w]));
    memcpy(origin[w], x->data, sizeof(double) * (size_t)(x->rows * x->cols));
  }
  for (int64_t i = 0; i < n; i++) estimate[i] = 0.0;
  for (int k = 0; k < 5; k++) {
    double *values = NULL;
    now = places[k] * step;
    for (int32_t w = 0; w < world->n_wrt; w++) {
      const text_value *x = &world->names[world->wrt[w]].value;
      const text_value *d = &world->names[world->direction_names[w]].value;
      for (int64_t i = 0; i < x->rows * x->cols; i++) x->data[i] = origin[w][i] + now * d->data[i];
    }
    if (k == 4 || status != TG_OK) continue; // the last round puts the point back
    status = calculus_sample(world, node, &values);
    for (int64_t i = 0; status == TG_OK && i < n; i++) estimate[i] += weights[k] * values[i] / (12.0 * step);
    tg_free(values);
  }
  return status;
}

// Whether differences with two steps agree well enough to judge by: NOT_FIT near a kink or a pole.
static void judge_fitness(int64_t n, const double *coarse, const double *fine, double magnitude,
                          calculus_verdict *verdict)
{
  const double scale = fmax(1e-3, fmax(largest(n, fine), magnitude));
  if (*verdict == CALCULUS_RIGHT && !(distance(n, coarse, fine) <= 1e-8 * scale)) *verdict = CALCULUS_NOT_FIT;
}

enum { STEP_SCALE = 1000 };

// Columns d node / d x_j for every entry of name, n by the entries of x.
static tg_status difference_columns(calculus_world *world, tg_node node, int32_t name, double *fine, double *magnitude,
                                    calculus_verdict *verdict)
{
  const text_value *x = &world->names[name].value;
  const int64_t n = entry_count(world, node);
  const int64_t total = n * x->rows * x->cols;
  double *coarse = NULL;
  double *values = NULL;
  TG_TRY(TG_ARENA_NEW(&world->arena, (size_t)total, &coarse));
  for (int64_t j = 0; j < x->rows * x->cols; j++) {
    TG_TRY(differences(world, node, &x->data[j], 1.0 / STEP_SCALE, coarse + j * n));
    TG_TRY(differences(world, node, &x->data[j], 0.5 / STEP_SCALE, fine + j * n));
  }
  TG_TRY(calculus_sample(world, node, &values));
  *magnitude = fmax(1e-3, 1e-3 * largest(n, values));
  judge_fitness(total, coarse, fine, *magnitude, verdict);
  tg_free(values);
  return TG_OK;
}

// ---- gradient ----

static tg_status check_one_gradient(calculus_world *world, tg_node f, tg_node gradient, int32_t k, const char *expected,
                                    calculus_verdict *verdict, tg_text *why)
{
  tg_status status = TG_OK;
  const text_value *x = &world->names[world->wrt[k]].value;
  const int64_t n = x->rows * x->cols;
  double *found = NULL;
  double *book = NULL;
  double *numeric = NULL;
  double magnitude = 0.0;
  tg_node textbook = TG_NONE;
  calculus_verdict fitness = *verdict;
  TG_TRY_GOTO(TG_ARENA_NEW(&world->arena, (size_t)n, &numeric));
  if (entry_count(world, gradient) != n) TG_FAIL_GOTO(TG_SHAPE, "gradient of another shape than its variable");
  TG_TRY_GOTO(calculus_sample(world, gradient, &found));
  if (!isfinite(largest(n, found)) || largest(n, found) > 1e9) {
    *verdict = CALCULUS_NOT_FIT;
    goto done;
  }
  if (expected != NULL) {
    TG_TRY_GOTO(calculus_compile(world, expected, false, &textbook));
    TG_TRY_GOTO(calculus_sample(world, textbook, &book));
    compare("textbook gradient", n, found, book, 1e-10, verdict, why);
  }
  TG_TRY_GOTO(difference_columns(world, f, world->wrt[k], numeric, &magnitude, &fitness));
  if (*verdict == CALCULUS_RIGHT && fitness == CALCULUS_NOT_FIT) *verdict = CALCULUS_NOT_FIT;
  compare_above("gradient against differences", n, found, numeric, 1e-7, magnitude, verdict, why);
done:
  if (*verdict == CALCULUS_WRONG) add_printed(world, "  gradient ", gradient, why);
  tg_free(found);
  tg_free(book);
  return status;
}

// <G, D> of one variable.
static tg_status inner_product(calculus_world *world, int32_t k, tg_node gradient, double *out)
{
  const text_value *d = &world->names[world->direction_names[k]].value;
  double *g = NULL;
  *out = 0.0;
  TG_TRY(calculus_sample(world, gradient, &g));
  for (int64_t i = 0; i < d->rows * d->cols; i++) *out += g[i] * d->data[i];
  tg_free(g);
  return TG_OK;
}

// <G, D> over all variables.
static tg_status inner_products(calculus_world *world, const tg_node *gradients, double *out)
{
  *out = 0.0;
  for (int32_t k = 0; k < world->n_wrt; k++) {
    double part = 0.0;
    TG_TRY(inner_product(world, k, gradients[k], &part));
    *out += part;
  }
  return TG_OK;
}

static tg_status check_forward(calculus_world *world, tg_node f, const tg_node *gradients, calculus_verdict *verdict,
                               tg_text *why)
{
  tg_node slope = TG_NONE;
  double *found = NULL;
  double expected = 0.0;
  if (*verdict != CALCULUS_RIGHT) return TG_OK;
  TG_TRY(tg_forward(world->graph, f, world->n_wrt, world->symbols, world->directions, &slope));
  TG_TRY(calculus_sample(world, slope, &found));
  tg_status status = inner_products(world, gradients, &expected);
  if (status == TG_OK) compare("forward derivative against <G,D>", 1, found, &expected, 1e-9, verdict, why);
  if (*verdict == CALCULUS_WRONG) add_printed(world, "  forward ", slope, why);
  tg_free(found);
  if (status == TG_OK) status = check_printed(world, "forward derivative", slope, verdict, why);
  return status;
}

static tg_status check_hessian(calculus_world *world, tg_node gradient, calculus_verdict *verdict, tg_text *why)
{
  tg_node action = TG_NONE;
  double *found = NULL;
  double *coarse = NULL;
  double *fine = NULL;
  const int64_t n = entry_count(world, gradient);
  calculus_verdict fitness = *verdict;
  tg_status status = TG_OK;
  if (*verdict != CALCULUS_RIGHT) return TG_OK;
  TG_TRY_GOTO(tg_forward(world->graph, gradient, world->n_wrt, world->symbols, world->directions, &action));
  TG_TRY_GOTO(TG_ARENA_NEW(&world->arena, (size_t)n, &coarse));
  TG_TRY_GOTO(TG_ARENA_NEW(&world->arena, (size_t)n, &fine));
  TG_TRY_GOTO(differences_along(world, gradient, 1.0 / STEP_SCALE, coarse));
  TG_TRY_GOTO(differences_along(world, gradient, 0.5 / STEP_SCALE, fine));
  TG_TRY_GOTO(calculus_sample(world, action, &found));
  judge_fitness(n, coarse, fine, 0.0, &fitness);
  if (fitness == CALCULUS_RIGHT) compare("Hessian action against differences", n, found, fine, 1e-7, verdict, why);
  if (*verdict == CALCULUS_WRONG) add_printed(world, "  Hessian action ", action, why);
  TG_TRY_GOTO(check_printed(world, "Hessian action", action, verdict, why));
done:
  tg_free(found);
  return status;
}

enum { DEGREE_CHECKED_MAX = 8 };

// f(X + tD) = sum c_k t^k: the value by the coefficients against the value at the moved point, at t = 1/2 and t = -1.
static tg_status check_line(calculus_world *world, tg_node f, calculus_verdict *verdict, tg_text *why)
{
  tg_node coefs[DEGREE_CHECKED_MAX + 1] = {TG_NONE};
  tg_node moved[CALCULUS_WRT_MAX] = {TG_NONE};
  const int degree = tg_degree(world->graph, f, world->n_wrt, world->symbols);
  // Higher derivatives of a determinant go through powers of the inverse and lose digits.
  const double tolerance = has_kind(world, f, TG_DET) ? 1e-2 : 1e-10;
  if (*verdict != CALCULUS_RIGHT || degree < 0 || degree > DEGREE_CHECKED_MAX) return TG_OK;
  TG_TRY(tg_line_polynomial(world->graph, f, world->n_wrt, world->symbols, world->directions, degree, coefs));
  for (int round = 0; round < 2; round++) {
    const double t = round == 0 ? 0.5 : -1.0;
    tg_node image = TG_NONE;
    double sum = 0.0;
    double size = 0.0;
    double *value = NULL;
    for (int32_t k = 0; k < world->n_wrt; k++) {
      tg_node x = TG_NONE;
      TG_TRY(tg_make_sym(world->graph, world->symbols[k], &x));
      TG_TRY(tg_make_lin(world->graph, 2, (const double[]){1.0, t}, (const tg_node[]){x, world->directions[k]},
                         &moved[k]));
    }
    TG_TRY(tg_substitute(world->graph, f, world->n_wrt, world->symbols, moved, &image));
    for (int k = 0; k <= degree; k++) {
      TG_TRY(calculus_sample(world, coefs[k], &value));
      sum += value[0] * pow(t, k);
      size += fabs(value[0] * pow(t, k));
      tg_free(value);
    }
    TG_TRY(calculus_sample(world, image, &value));
    const double error = fabs(sum - value[0]);
    if (!(error <= tolerance * fmax(1.0, size))) {
      *verdict = CALCULUS_WRONG;
      tg_text_addf(why, "line polynomial of degree %d at t = %g: %.15g, the moved point has %.15g\n", degree, t, sum,
                   value[0]);
    }
    tg_free(value);
  }
  return TG_OK;
}

// The form with common factors taken out: the same numbers, and read back as the same node.
static tg_status check_factored(calculus_world *world, tg_node gradient, calculus_verdict *verdict, tg_text *why)
{
  tg_node factored = TG_NONE;
  double *found = NULL;
  double *expected = NULL;
  tg_status status = TG_OK;
  if (*verdict != CALCULUS_RIGHT) return TG_OK;
  TG_TRY_GOTO(tg_factor_common(world->graph, gradient, &factored));
  TG_TRY_GOTO(calculus_sample(world, factored, &found));
  TG_TRY_GOTO(calculus_sample(world, gradient, &expected));
  compare("factored form", entry_count(world, gradient), found, expected, 1e-9, verdict, why);
  if (*verdict == CALCULUS_WRONG) add_printed(world, "  factored ", factored, why);
  TG_TRY_GOTO(check_printed(world, "factored gradient", factored, verdict, why));
done:
  tg_free(found);
  tg_free(expected);
  return status;
}

// The word at *at, which begins there; its length.
static size_t word_length(const char *at)
{
  size_t n = 0;
  while (isalnum((unsigned char)at[n]) || at[n] == '_') n++;
  return n;
}

// The text of d(...) from its opening parenthesis on: the differential of what stands inside, in parentheses.
static tg_status add_differential(calculus_world *world, const char *open, int32_t k, size_t *length, tg_text *out)
{
  tg_text inner;
  tg_node node = TG_NONE;
  tg_status status = TG_OK;
  int depth = 0;
  *length = 0;
  do {
    depth += open[*length] == '(' ? 1 : open[*length] == ')' ? -1 : 0;
    (*length)++;
  } while (depth > 0 && open[*length] != '\0');
  tg_text_init(&inner);
  tg_text_add_bytes(&inner, open, *length);
  TG_TRY_GOTO(calculus_compile(world, tg_text_string(&inner), false, &node));
  TG_TRY_GOTO(tg_forward(world->graph, node, 1, &world->symbols[k], &world->directions[k], &node));
  tg_text_add(out, "(");
  TG_TRY_GOTO(tg_print(world->graph, node, TG_FORMAT_EXPR, out));
  tg_text_add(out, ")");
done:
  tg_text_fini(&inner);
  return status;
}

// A line of a derivation as an expression of the language: dX the direction's name, d(...) worked out.
static tg_status spell_line(calculus_world *world, const char *line, int32_t k, tg_text *out)
{
  const char *name = world->names[world->wrt[k]].name;
  for (const char *at = line; *at != '\0';) {
    size_t n = word_length(at);
    const bool is_word = isalpha((unsigned char)*at) != 0;
    if (is_word && n == 1 && *at == 'd' && at[1] == '(') {
      at++;
      TG_TRY(add_differential(world, at, k, &n, out));
    } else if (is_word && *at == 'd' && n == strlen(name) + 1 && strncmp(at + 1, name, n - 1) == 0) {
      tg_text_add(out, world->names[world->direction_names[k]].name);
    } else {
      n = n > 0 ? n : 1;
      tg_text_add_bytes(out, at, n);
    }
    at += n;
  }
  return tg_text_status(out);
}

// The value of line i of a derivation; a value of another shape is an error.
static tg_status line_value(calculus_world *world, const tg_step *step, int32_t k, double *value)
{
  tg_text text;
  tg_node node = TG_NONE;
  double *sampled = NULL;
  tg_text_init(&text);
  tg_status status = spell_line(world, step->text, k, &text);
  if (status == TG_OK) status = calculus_compile(world, tg_text_string(&text), true, &node);
  if (status == TG_OK) status = calculus_sample(world, node, &sampled);
  if (status == TG_OK) *value = sampled[0];
  tg_text_fini(&text);
  tg_free(sampled);
  return status;
}

// Every line of df is <G,D>; every line of a term is what the term's heading says.
static tg_status check_lines(calculus_world *world, const tg_explanation *explanation, double slope, int32_t k,
                             calculus_verdict *verdict, tg_text *why)
{
  double heading[TG_STEPS_MAX] = {slope};
  for (int32_t i = 0; i < explanation->n_steps && *verdict == CALCULUS_RIGHT; i++) {
    const tg_step *step = &explanation->steps[i];
    double value = 0.0;
    if (step->term < 0) continue; // G itself
    const tg_status status = line_value(world, step, k, &value);
    if (status != TG_OK) tg_text_addf(why, "line of the derivation not read back: %s\n", step->text);
    TG_TRY(status);
    if (step->rule == NULL) heading[step->term] = value;
    // Terms that cancel leave a small sum of large numbers.
    compare_above("line of the derivation", 1, &value, &heading[step->term], 1e-7, 1.0, verdict, why);
    if (*verdict == CALCULUS_WRONG) tg_text_addf(why, "  line  %s\n", step->text);
  }
  return TG_OK;
}

// The derivation written out arrives at the same gradient, and each line has the value of the line before.
static tg_status check_explained(calculus_world *world, tg_node f, tg_node gradient, int32_t k,
                                 calculus_verdict *verdict, tg_text *why)
{
  tg_explanation explanation = {0};
  double *found = NULL;
  double *expected = NULL;
  double slope = 0.0;
  tg_status status = TG_OK;
  if (*verdict != CALCULUS_RIGHT) return TG_OK;
  TG_TRY_GOTO(tg_explain(world->graph, f, world->symbols[k], TG_FORMAT_EXPR, &explanation));
  TG_TRY_GOTO(inner_product(world, k, gradient, &slope));
  TG_TRY_GOTO(check_lines(world, &explanation, slope, k, verdict, why));
  if (explanation.gradient == gradient) goto done;
  TG_TRY_GOTO(calculus_sample(world, explanation.gradient, &found));
  TG_TRY_GOTO(calculus_sample(world, gradient, &expected));
  compare("gradient of the steps", entry_count(world, gradient), found, expected, 1e-9, verdict, why);
  if (*verdict == CALCULUS_WRONG) add_printed(world, "  by steps ", explanation.gradient, why);
done:
  tg_explanation_fini(&explanation);
  tg_free(found);
  tg_free(expected);
  return status;
}

tg_status calculus_check_gradient(calculus_world *world, const char *text, const char *const *expected,
                                  calculus_verdict *verdict, tg_text *why)
{
  tg_node f = TG_NONE;
  tg_node gradients[CALCULUS_WRT_MAX] = {TG_NONE};
  TG_TRY(calculus_check_value(world, text, verdict, why));
  if (*verdict != CALCULUS_RIGHT) return TG_OK;
  TG_TRY(calculus_compile(world, text, true, &f));
  TG_TRY(tg_gradient(world->graph, f, world->n_wrt, world->symbols, gradients));
  for (int32_t k = 0; k < world->n_wrt; k++) {
    TG_TRY(check_one_gradient(world, f, gradients[k], k, expected != NULL ? expected[k] : NULL, verdict, why));
    TG_TRY(check_printed(world, "gradient", gradients[k], verdict, why));
    TG_TRY(check_factored(world, gradients[k], verdict, why));
    TG_TRY(check_explained(world, f, gradients[k], k, verdict, why));
  }
  TG_TRY(check_forward(world, f, gradients, verdict, why));
  for (int32_t k = 0; k < world->n_wrt; k++) TG_TRY(check_hessian(world, gradients[k], verdict, why));
  return check_line(world, f, verdict, why);
}

tg_status calculus_check_same(calculus_world *world, const char *text, const char *expected, calculus_verdict *verdict,
                              tg_text *why)
{
  tg_status status = TG_OK;
  tg_node node = TG_NONE;
  tg_node other = TG_NONE;
  double *found = NULL;
  double *book = NULL;
  *verdict = CALCULUS_RIGHT;
  TG_TRY_GOTO(calculus_compile(world, text, false, &node));
  TG_TRY_GOTO(calculus_compile(world, expected, false, &other));
  if (entry_count(world, node) != entry_count(world, other)) TG_FAIL_GOTO(TG_SHAPE, "different shapes: %s", text);
  TG_TRY_GOTO(calculus_sample(world, node, &found));
  TG_TRY_GOTO(calculus_sample(world, other, &book));
  compare("values of two texts", entry_count(world, node), found, book, 1e-10, verdict, why);
  if (*verdict == CALCULUS_WRONG) add_printed(world, "  found ", node, why);
done:
  tg_free(found);
  tg_free(book);
  return status;
}

// ---- Jacobian ----

tg_status calculus_check_jacobian(calculus_world *world, const char *text, const char *expected,
                                  calculus_verdict *verdict, tg_text *why)
{
  tg_status status = TG_OK;
  tg_node f = TG_NONE;
  tg_node jacobian = TG_NONE;
  tg_node textbook = TG_NONE;
  double *found = NULL;
  double *book = NULL;
  double *numeric = NULL;
  double magnitude = 0.0;
  TG_TRY_GOTO(calculus_check_value(world, text, verdict, why));
  TG_TRY_GOTO(calculus_compile(world, text, false, &f));
  TG_TRY_GOTO(tg_jacobian(world->graph, f, world->symbols[0], &jacobian));
  const text_value *x = &world->names[world->wrt[0]].value;
  const int64_t n = entry_count(world, f) * x->rows * x->cols;
  if (entry_count(world, jacobian) != n) TG_FAIL_GOTO(TG_SHAPE, "Jacobian of a wrong shape");
  TG_TRY_GOTO(TG_ARENA_NEW(&world->arena, (size_t)n, &numeric));
  TG_TRY_GOTO(calculus_sample(world, jacobian, &found));
  TG_TRY_GOTO(difference_columns(world, f, world->wrt[0], numeric, &magnitude, verdict));
  compare_above("Jacobian against differences", n, found, numeric, 1e-7, magnitude, verdict, why);
  if (expected != NULL) {
    TG_TRY_GOTO(calculus_compile(world, expected, false, &textbook));
    TG_TRY_GOTO(calculus_sample(world, textbook, &book));
    compare("textbook Jacobian", n, found, book, 1e-10, verdict, why);
  }
  if (*verdict == CALCULUS_WRONG) add_printed(world, "  Jacobian ", jacobian, why);
  TG_TRY_GOTO(check_printed(world, "Jacobian", jacobian, verdict, why));
done:
  tg_free(found);
  tg_free(book);
  return status;
}
