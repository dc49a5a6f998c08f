// A claimed gradient against the derived one: by normal form, by shape, by numbers.
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "cli/derive/derive.h"

// Both expressions once more, with a number for every size, and values for every symbol.
typedef struct trial {
  derive_declarations declarations;
  tg_graph *graph;
  tg_node derived;
  tg_node claimed;
  int32_t n_symbols;
  double **values;
} trial;

// Sizes that no other size equals, so that no wrong shape passes by chance.
enum { FIRST_SIZE = 3, TRIALS = 3 };

static void trial_fini(trial *t)
{
  for (int32_t s = 0; t->values != NULL && s < t->n_symbols; s++) tg_free(t->values[s]);
  tg_free(t->values);
  tg_graph_destroy(&t->graph);
  tg_arena_fini(&t->declarations.arena);
}

// A number for a size: its product, each name counted from FIRST_SIZE in order of appearance.
static int64_t number_for(const tg_graph *graph, tg_dim dim, const char **names, int32_t *n_names)
{
  int64_t product = 1;
  int32_t n = 0;
  const char *parts[8];
  tg_dim_parts(graph, dim, &product, &n, parts);
  for (int32_t i = 0; i < n; i++) {
    int32_t k = 0;
    while (k < *n_names && strcmp(names[k], parts[i]) != 0) k++;
    if (k == *n_names) names[(*n_names)++] = parts[i];
    product *= FIRST_SIZE + k;
  }
  return product;
}

static tg_status declare_all(const derivation *d, trial *t)
{
  const char *names[2 * DERIVE_NAMES_MAX];
  int32_t n_names = 0;
  for (int32_t s = 0; s < tg_symbol_count(d->graph); s++) {
    const tg_symbol *symbol = tg_symbol_info(d->graph, s);
    tg_declaration *declaration = derive_declare(&t->declarations, symbol->name);
    if (declaration == NULL) TG_FAIL(TG_LIMIT, "derive: more than %d names are declared", DERIVE_NAMES_MAX);
    declaration->rows = number_for(d->graph, symbol->rows, names, &n_names);
    declaration->cols = number_for(d->graph, symbol->cols, names, &n_names);
    declaration->properties = symbol->properties;
    declaration->is_free = symbol->free;
  }
  return TG_OK;
}

static tg_status compile_both(const derivation *d, const char *claim, trial *t)
{
  const tg_compile_options options = {
      .n_declarations = t->declarations.count, .declarations = t->declarations.list, .infer_undeclared = true};
  const derive_target *target = &d->targets[0];
  tg_node f = TG_NONE;
  TG_TRY(tg_compile(t->graph, d->expression, strlen(d->expression), &options, &f));
  TG_TRY(tg_compile(t->graph, claim, strlen(claim), &options, &t->claimed));
  const int32_t symbol = tg_symbol_find(t->graph, target->name);
  if (symbol < 0) TG_FAIL(TG_INTERNAL, "the name '%s' was lost", target->name);
  TG_TRY(tg_gradient(t->graph, f, 1, &symbol, &t->derived));
  return target->transposed ? tg_make_trans(t->graph, t->derived, &t->derived) : TG_OK;
}

// ---- values ----

// A small congruential generator: trials need to repeat, not to be random (Knuth's MMIX constants).
static double next_uniform(uint64_t *state)
{
  *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return 0.3 + 0.9 * (double)(*state >> 11) / 9007199254740992.0;
}

// Square matrices are made diagonally dominant, so that inverses, determinants and their logarithms exist.
static void fill_value(const tg_symbol *symbol, int64_t m, int64_t n, uint64_t *state, double *x)
{
  const bool square = m == n && m > 1;
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = 0; i < m; i++) {
      x[i + j * m] = next_uniform(state);
      if (square && i == j) x[i + j * m] += (double)n;
    }
  const bool symmetric = (symbol->properties & (TG_SYMMETRIC | TG_SPD)) != 0;
  const bool diagonal = (symbol->properties & TG_DIAGONAL) != 0;
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = 0; i < m; i++) {
      if (symmetric && i < j) x[i + j * m] = x[j + i * m];
      if (diagonal && i != j) x[i + j * m] = 0.0;
    }
  if ((symbol->properties & TG_ORTHOGONAL) == 0) return;
  // Gram-Schmidt, column by column.
  for (int64_t j = 0; j < n; j++) {
    for (int64_t k = 0; k < j; k++) {
      double dot = 0.0;
      for (int64_t i = 0; i < m; i++) dot += x[i + k * m] * x[i + j * m];
      for (int64_t i = 0; i < m; i++) x[i + j * m] -= dot * x[i + k * m];
    }
    double norm = 0.0;
    for (int64_t i = 0; i < m; i++) norm = hypot(norm, x[i + j * m]);
    for (int64_t i = 0; i < m; i++) x[i + j * m] /= norm;
  }
}

static tg_status fill_values(trial *t, uint64_t seed)
{
  uint64_t state = seed;
  t->n_symbols = tg_symbol_count(t->graph);
  if (t->values == NULL) TG_TRY(TG_NEW(t->n_symbols, &t->values));
  for (int32_t s = 0; s < t->n_symbols; s++) {
    const tg_symbol *symbol = tg_symbol_info(t->graph, s);
    const int64_t m = tg_dim_value(t->graph, symbol->rows);
    const int64_t n = tg_dim_value(t->graph, symbol->cols);
    if (t->values[s] == NULL) TG_TRY(TG_NEW(m * n, &t->values[s]));
    fill_value(symbol, m, n, &state, t->values[s]);
  }
  return TG_OK;
}

// ---- verdicts ----

typedef struct comparison {
  bool finite;
  bool equal;
  bool proportional; // claim = ratio * gradient
  double ratio;
  bool transposed; // claim = gradient', square ones
  int64_t row;     // of the largest difference
  int64_t col;
  double claimed;
  double derived;
} comparison;

static double norm_of(int64_t count, const double *x)
{
  double sum = 0.0;
  for (int64_t i = 0; i < count; i++) sum += x[i] * x[i];
  return sqrt(sum);
}

static comparison compare(int64_t m, int64_t n, const double *claimed, const double *derived)
{
  comparison c = {.finite = true};
  double worst = -1.0;
  double dot = 0.0;
  double residual = 0.0;
  double mirrored = 0.0;
  const double scale = norm_of(m * n, derived) + norm_of(m * n, claimed);
  for (int64_t k = 0; k < m * n; k++) {
    const double difference = fabs(claimed[k] - derived[k]);
    c.finite = c.finite && isfinite(claimed[k]) && isfinite(derived[k]);
    dot += claimed[k] * derived[k];
    if (difference <= worst) continue;
    worst = difference;
    c.row = k % m;
    c.col = k / m;
    c.claimed = claimed[k];
    c.derived = derived[k];
  }
  const double square = norm_of(m * n, derived) * norm_of(m * n, derived);
  c.ratio = square > 0.0 ? dot / square : 0.0;
  for (int64_t k = 0; k < m * n; k++) residual = fmax(residual, fabs(claimed[k] - c.ratio * derived[k]));
  for (int64_t k = 0; m == n && k < m * n; k++)
    mirrored = fmax(mirrored, fabs(claimed[k] - derived[k / m + k % m * m]));
  c.equal = worst <= 1e-9 * scale;
  c.proportional = residual <= 1e-9 * scale && fabs(c.ratio) > 1e-9;
  c.transposed = m == n && m > 1 && mirrored <= 1e-9 * scale;
  return c;
}

static tg_status write_verdict(const derivation *d, const comparison *c, tg_text *out)
{
  const tg_node derivative = d->targets[0].derivative;
  if (c->equal) {
    tg_text_add(out, "equal: the claim is the gradient (compared at random matrices)\n");
    return TG_OK;
  }
  tg_text_add(out, "different: ");
  if (c->proportional) {
    tg_text_add(out, "the claim is ");
    tg_text_add_number(out, round(c->ratio * 1e9) / 1e9);
    tg_text_add(out, " times the gradient\n");
  } else if (c->transposed) {
    tg_text_add(out, "the claim is the transpose of the gradient\n");
  } else {
    tg_text_add(out, "the claim is not the gradient\n");
  }
  tg_text_addf(out,
               "  counterexample: at random matrices, entry (%lld,%lld) of the claim is %.12g, of the gradient %.12g\n",
               (long long)c->row + 1, (long long)c->col + 1, c->claimed, c->derived);
  tg_text_add(out, "  the gradient is ");
  TG_TRY(tg_print(d->graph, derivative, TG_FORMAT_EXPR, out));
  tg_text_add(out, "\n");
  return TG_OK;
}

static tg_status write_shapes(const derivation *d, tg_node claimed, tg_text *out)
{
  const tg_info *mine = tg_node_info(d->graph, d->targets[0].derivative);
  const tg_info *theirs = tg_node_info(d->graph, claimed);
  tg_text_add(out, "different: the claim is ");
  tg_dim_print(d->graph, theirs->rows, out);
  tg_text_add(out, " x ");
  tg_dim_print(d->graph, theirs->cols, out);
  tg_text_addf(out, ", the gradient has the shape of %s: ", d->targets[0].name);
  tg_dim_print(d->graph, mine->rows, out);
  tg_text_add(out, " x ");
  tg_dim_print(d->graph, mine->cols, out);
  tg_text_add(out, "\n  the gradient is ");
  TG_TRY(tg_print(d->graph, d->targets[0].derivative, TG_FORMAT_EXPR, out));
  tg_text_add(out, "\n");
  return TG_OK;
}

static tg_status run_trials(trial *t, comparison *out)
{
  const tg_info *info = tg_node_info(t->graph, t->derived);
  const int64_t m = tg_dim_value(t->graph, info->rows);
  const int64_t n = tg_dim_value(t->graph, info->cols);
  *out = (comparison){0};
  for (int k = 0; k < TRIALS; k++) {
    double *claimed = NULL;
    double *derived = NULL;
    tg_status status = TG_OK;
    TG_TRY_GOTO(fill_values(t, UINT64_C(20240229) + (uint64_t)k));
    TG_TRY_GOTO(tg_sample(t->graph, t->claimed, (const double *const *)t->values, &claimed));
    TG_TRY_GOTO(tg_sample(t->graph, t->derived, (const double *const *)t->values, &derived));
    *out = compare(m, n, claimed, derived);
  done:
    tg_free(claimed);
    tg_free(derived);
    TG_TRY(status);
    if (out->finite && !out->equal) return TG_OK;
  }
  if (!out->finite) TG_FAIL(TG_NUMERIC, "the claim or the gradient is not finite at the matrices tried");
  return TG_OK;
}

tg_status derive_check_claim(derivation *d, const char *claim, bool *equal, tg_text *out)
{
  const tg_compile_options options = {.infer_undeclared = false};
  tg_node claimed = TG_NONE;
  tg_node derived = d->targets[0].derivative;
  *equal = false;
  if (!d->scalar || d->n_targets != 1)
    TG_FAIL(TG_USAGE, "derive: --claim compares one gradient of a scalar expression");
  TG_TRY(tg_compile(d->graph, claim, strlen(claim), &options, &claimed));
  const tg_info *mine = tg_node_info(d->graph, derived);
  const tg_info *theirs = tg_node_info(d->graph, claimed);
  if (mine->rows != theirs->rows || mine->cols != theirs->cols) return write_shapes(d, claimed, out);
  if (claimed == derived) {
    *equal = true;
    tg_text_add(out, "equal: the claim has the normal form of the gradient\n");
    return tg_text_status(out);
  }
  trial t = {0};
  comparison c;
  tg_status status = TG_OK;
  tg_arena_init(&t.declarations.arena);
  TG_TRY_GOTO(tg_graph_create(&t.graph));
  TG_TRY_GOTO(declare_all(d, &t));
  TG_TRY_GOTO(compile_both(d, claim, &t));
  TG_TRY_GOTO(run_trials(&t, &c));
  *equal = c.equal;
  TG_TRY_GOTO(write_verdict(d, &c, out));
  TG_TRY_GOTO(tg_text_status(out));
done:
  trial_fini(&t);
  return status;
}
