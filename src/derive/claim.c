// A claimed derivative against the derived one: by shape, by normal form, by numbers.
#include "derive/claim.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "derive/claim_parts.h"
#include "derive/print.h"

enum { NOISY_SAMPLES = 4, POINTS = 42, POINTS_MAX = 210, ENOUGH_POINTS = 8 };
// Work of one comparison, in entries of sampled matrices: with large ones fewer points.
#define WORK_MAX 2e7

// The spread of samples with noise, times this, bounds what rounding does to the one without.
#define SPREAD_FACTOR 100.0

// Where no exponential overflows by the size of its argument alone.
#define MODERATE_SCALE 3.0

static const char *kind_of(const tg_derivation *d)
{
  return d->scalar ? "gradient" : "Jacobian";
}

// ---- values with bounds ----

static void value_fini(tg_claim_value *value)
{
  tg_free(value->entries);
  tg_free(value->bounds);
  *value = (tg_claim_value){0};
}

static tg_status sample(const tg_claim_points *points, tg_graph *graph, tg_node node, int64_t count,
                        tg_claim_value *out)
{
  const double *const *values = (const double *const *)points->values;
  uint64_t noise = 1;
  tg_sampling how = points->sampling;
  TG_TRY(tg_sample_as(graph, node, values, &how, &out->entries));
  TG_TRY(TG_NEW(count, &out->bounds));
  how.noise = &noise;
  for (int k = 0; k < NOISY_SAMPLES; k++) {
    double *other = NULL;
    TG_TRY(tg_sample_as(graph, node, values, &how, &other));
    for (int64_t i = 0; i < count; i++)
      out->bounds[i] = fmax(out->bounds[i], SPREAD_FACTOR * fabs(other[i] - out->entries[i])) +
                       0.0 * other[i]; // not a number where one of them is not finite
    tg_free(other);
  }
  return TG_OK;
}

static tg_status is_defined(const tg_claim_points *points, tg_graph *graph, tg_node f, bool *out)
{
  const tg_info *info = tg_node_info(graph, f);
  const int64_t count =
      tg_sample_size(graph, &points->sampling, info->rows) * tg_sample_size(graph, &points->sampling, info->cols);
  double *value = NULL;
  TG_TRY(tg_sample_as(graph, f, (const double *const *)points->values, &points->sampling, &value));
  *out = true;
  for (int64_t i = 0; *out && i < count; i++) *out = isfinite(value[i]);
  tg_free(value);
  return TG_OK;
}

// ---- trials ----

// Moves the target's values into the set of --within.
typedef struct within_move {
  const tg_derivation *d;
  const tg_target *target;
} within_move;

static void move_within(void *self, tg_claim_points *points)
{
  const within_move *m = self;
  const tg_symbol *symbol = tg_symbol_info(m->d->graph, m->target->symbol);
  if (m->d->within == NULL) return;
  const int64_t n = tg_sample_size(m->d->graph, &points->sampling, symbol->rows);
  tg_within_move(m->d->within, n, points->values[m->target->symbol]);
  if (symbol->twin >= 0) tg_within_move(m->d->within, n, points->values[symbol->twin]);
}

// At the point that is filled in. is_moderate: no exponential overflows there by the size of its argument alone.
static tg_status try_here(tg_derivation *d, const tg_target *target, tg_node claimed, const tg_claim_points *points,
                          bool is_moderate, tg_claim_tally *tally)
{
  tg_status status = TG_OK;
  tg_claim_value mine = {0};
  tg_claim_value theirs = {0};
  bool defined = false;
  TG_TRY(is_defined(points, d->graph, target->f, &defined));
  if (!defined) return TG_OK;
  TG_TRY_GOTO(sample(points, d->graph, target->derivative, tally->rows * tally->cols, &mine));
  TG_TRY_GOTO(sample(points, d->graph, claimed, tally->rows * tally->cols, &theirs));
  tg_claim_tally_add(tally, &theirs, &mine);
  if (is_moderate) tg_claim_tally_add_undefined(tally, &theirs, &mine);
done:
  value_fini(&mine);
  value_fini(&theirs);
  return status;
}

static tg_status try_point(tg_derivation *d, const tg_target *target, tg_node claimed, tg_claim_points *points,
                           int32_t trial, tg_claim_tally *tally)
{
  within_move move = {d, target};
  tg_claim_points_fill(points, trial);
  move_within(&move, points);
  return try_here(d, target, claimed, points, points->scales[trial % points->n_scales] <= MODERATE_SCALE, tally);
}

enum { KINK_ENTRIES = 3, KINK_STARTS = 3 };

// Points close to a kink, on both sides of it.
static tg_status try_kink(tg_derivation *d, const tg_target *target, tg_node claimed, tg_node kink,
                          tg_claim_points *points, tg_claim_path *path, tg_claim_tally *tally)
{
  static const double steps[] = {-1e-2, -1e-5, -1e-8, 1e-8, 1e-5, 1e-2};
  within_move within = {d, target};
  tg_claim_move move = {&within, move_within};
  const tg_info *info = tg_node_info(d->graph, kink);
  const int64_t entries =
      tg_sample_size(d->graph, &points->sampling, info->rows) * tg_sample_size(d->graph, &points->sampling, info->cols);
  for (int e = 0; e < KINK_ENTRIES && e < entries && !tally->has_counterexample; e++) {
    double t = 0.0;
    bool found = false;
    for (int32_t start = 0; start < KINK_STARTS && !found; start++)
      TG_TRY(tg_claim_path_across(d->graph, points, kink, e * (entries - 1) / KINK_ENTRIES, 5 * start, &move, path, &t,
                                  &found));
    for (size_t k = 0; found && k < sizeof steps / sizeof steps[0]; k++) {
      tg_claim_path_go(path, t + steps[k], points);
      TG_TRY(try_here(d, target, claimed, points, false, tally));
    }
  }
  return TG_OK;
}

static tg_status try_kinks(tg_derivation *d, const tg_target *target, tg_node claimed, tg_claim_points *points,
                           tg_claim_tally *tally)
{
  tg_status status = TG_OK;
  tg_claim_path path = {0};
  tg_node kinks[TG_CLAIM_KINKS_MAX];
  int32_t count = 0;
  TG_TRY(tg_claim_kinks_find(d->graph, 2, (const tg_node[]){target->derivative, claimed}, kinks, &count));
  if (count == 0) return TG_OK;
  TG_TRY_GOTO(tg_claim_path_init(points, &path));
  for (int32_t k = 0; k < count && !tally->has_counterexample; k++)
    TG_TRY_GOTO(try_kink(d, target, claimed, kinks[k], points, &path, tally));
done:
  tg_claim_path_fini(&path);
  return status;
}

static tg_status count_entries(const tg_derivation *d, const tg_claim_points *points, tg_node node, double *out)
{
  uint8_t *below = NULL;
  TG_TRY(tg_node_find_below(d->graph, node, &below));
  for (tg_node at = 1; at <= node; at++) {
    const tg_info *info = tg_node_info(d->graph, at);
    if (below[at] == 0) continue;
    const double rows = (double)tg_sample_size(d->graph, &points->sampling, info->rows);
    const double cols = (double)tg_sample_size(d->graph, &points->sampling, info->cols);
    *out += rows * cols * (info->kind == TG_PROD || info->kind == TG_INV || info->kind == TG_MPOW ? rows : 1.0);
  }
  tg_free(below);
  return TG_OK;
}

static tg_status run_trials(tg_derivation *d, const tg_target *target, tg_node claimed, tg_claim_points *points,
                            tg_claim_tally *tally)
{
  double work = 1.0;
  TG_TRY(count_entries(d, points, claimed, &work));
  TG_TRY(count_entries(d, points, target->derivative, &work));
  const double affordable = WORK_MAX / (work * (1 + NOISY_SAMPLES));
  const int32_t most = affordable > POINTS_MAX ? POINTS_MAX : affordable < 6.0 ? 6 : (int32_t)affordable;
  for (int32_t trial = 0; trial < most; trial++) {
    // A difference that is found gets a second point or two for what else the claim may be.
    if (trial >= POINTS && (tally->has_counterexample || tally->holds[TG_CLAIM_EQUAL] >= ENOUGH_POINTS)) break;
    TG_TRY(try_point(d, target, claimed, points, trial, tally));
  }
  return tally->has_counterexample || most < POINTS ? TG_OK : try_kinks(d, target, claimed, points, tally);
}

// ---- verdicts ----

static tg_status write_derivative(const tg_derivation *d, const tg_target *target, tg_text *out)
{
  tg_text_addf(out, "  the %s is ", kind_of(d));
  TG_TRY(tg_print_with_parts(d->graph, target->derivative, TG_FORMAT_EXPR, TG_LONG_DERIVATIVE, out));
  tg_text_add(out, "\n");
  return TG_OK;
}

// What else the claim may be: said where two points agree on it and none differs.
static void write_relation(const tg_derivation *d, const tg_claim_tally *tally, tg_text *out)
{
  static const char *const names[TG_CLAIM_RELATIONS] = {
      [TG_CLAIM_TRANSPOSE] = "the transpose of the gradient",
      [TG_CLAIM_CONVENTION] = "G + G' - diag(G) of the gradient G: the convention of symmetric entries counted once",
      [TG_CLAIM_SYMMETRIZED] = "(G + G')/2 of the gradient G: the gradient within symmetric matrices"};
  tg_text_add(out, "different: the claim is ");
  for (int k = TG_CLAIM_MULTIPLE; k < TG_CLAIM_RELATIONS; k++) {
    if (tally->differs[k] || tally->holds[k] < 2 || (k > TG_CLAIM_MULTIPLE && !d->scalar)) continue;
    if (k == TG_CLAIM_MULTIPLE) {
      tg_text_add_number(out, round(tally->ratio * 1e9) / 1e9);
      tg_text_addf(out, " times the %s\n", kind_of(d));
      return;
    }
    tg_text_addf(out, "%s\n", names[k]);
    return;
  }
  tg_text_addf(out, "not the %s\n", kind_of(d));
}

static tg_status write_verdict(const tg_derivation *d, const tg_target *target, const tg_claim_tally *tally,
                               tg_claim_verdict *verdict, tg_text *out)
{
  *verdict = TG_VERDICT_UNDECIDED;
  if (tg_claim_tally_is_equal(tally)) {
    *verdict = TG_VERDICT_EQUAL;
    tg_text_addf(out, "equal: the claim is the %s (compared at %d random points)\n", kind_of(d),
                 tally->holds[TG_CLAIM_EQUAL]);
    return TG_OK;
  }
  if (tally->has_counterexample) {
    *verdict = TG_VERDICT_DIFFERENT;
    write_relation(d, tally, out);
    tg_text_addf(out,
                 "  counterexample: at random matrices, entry (%lld,%lld) of the claim is %.12g, of the %s %.12g\n",
                 (long long)tally->row + 1, (long long)tally->col + 1, tally->claimed, kind_of(d), tally->derived);
    return write_derivative(d, target, out);
  }
  tg_text_addf(out,
               "undecided: the claim agrees with the %s at the points tried, as far as rounding lets it be seen; too "
               "few entries show it\n",
               kind_of(d));
  return write_derivative(d, target, out);
}

static tg_status write_shapes(const tg_derivation *d, const tg_target *target, tg_node claimed, tg_text *out)
{
  const tg_info *mine = tg_node_info(d->graph, target->derivative);
  const tg_info *theirs = tg_node_info(d->graph, claimed);
  tg_text_add(out, "different: the claim is ");
  tg_dim_print_shape(d->graph, theirs->rows, theirs->cols, out);
  if (d->scalar)
    tg_text_addf(out, ", the gradient has the shape of %s%s: ", target->name, target->transposed ? "'" : "");
  else
    tg_text_add(out, ", the Jacobian is ");
  tg_dim_print_shape(d->graph, mine->rows, mine->cols, out);
  tg_text_add(out, "\n");
  return write_derivative(d, target, out);
}

// The points of one order of the open sizes, and what they tell.
typedef struct comparison {
  tg_claim_points points;
  tg_claim_tally tally;
} comparison;

static tg_status compare_in_order(tg_derivation *d, const tg_target *target, tg_node claimed, bool is_reversed,
                                  comparison *out)
{
  const tg_node nodes[3] = {target->f, target->derivative, claimed};
  const tg_info *info = tg_node_info(d->graph, target->derivative);
  TG_TRY(tg_claim_points_init(d->graph, 3, nodes, is_reversed, &out->points));
  TG_TRY(tg_claim_tally_init(tg_sample_size(d->graph, &out->points.sampling, info->rows),
                             tg_sample_size(d->graph, &out->points.sampling, info->cols), &out->tally));
  return run_trials(d, target, claimed, &out->points, &out->tally);
}

// Whether points of other sizes may say something else: the claim is equal so far, or not a number where the derivative
// is one, as inv(X'*X) of a wide X.
static bool depends_on_sizes(const comparison *c)
{
  if (c->points.sampling.n_sizes < 2) return false;
  return tg_claim_tally_is_equal(&c->tally) || (c->tally.has_counterexample && isnan(c->tally.claimed));
}

static tg_status write_by_sizes(const tg_derivation *d, const comparison *equal, tg_text *out)
{
  tg_text_addf(out, "undecided: the claim is the %s where ", kind_of(d));
  for (int32_t k = 0; k < equal->points.sampling.n_sizes; k++)
    tg_text_addf(out, "%s%s = %lld", k > 0 ? ", " : "", equal->points.sizes[k].name,
                 (long long)equal->points.sizes[k].number);
  tg_text_add(out, ", and it is not where these are in the other order; give the sizes by --dims\n");
  return TG_OK;
}

static tg_status compare_at_points(tg_derivation *d, const tg_target *target, tg_node claimed,
                                   tg_claim_verdict *verdict, tg_text *out)
{
  tg_status status = TG_OK;
  comparison orders[2] = {{.tally = {0}}, {.tally = {0}}};
  TG_TRY_GOTO(compare_in_order(d, target, claimed, false, &orders[0]));
  const bool is_equal = tg_claim_tally_is_equal(&orders[0].tally);
  *verdict = TG_VERDICT_UNDECIDED;
  if (depends_on_sizes(&orders[0])) {
    TG_TRY_GOTO(compare_in_order(d, target, claimed, true, &orders[1]));
    const bool is_other_equal = tg_claim_tally_is_equal(&orders[1].tally);
    if (is_equal != is_other_equal && (is_other_equal || orders[1].tally.has_counterexample)) {
      TG_TRY_GOTO(write_by_sizes(d, &orders[is_equal ? 0 : 1], out));
      goto done;
    }
  }
  TG_TRY_GOTO(write_verdict(d, target, &orders[0].tally, verdict, out));
done:
  for (int k = 0; k < 2; k++) {
    tg_claim_points_fini(&orders[k].points);
    tg_claim_tally_fini(&orders[k].tally);
  }
  return status;
}

static bool is_name_of_size(const tg_derivation *d, tg_dim dim, const char *name)
{
  for (int32_t v = 0; v < tg_dim_name_count(d->graph); v++)
    if (strcmp(tg_dim_name(d->graph, v), name) == 0) return tg_size_form_contains(tg_dim_form(d->graph, dim), v);
  return false;
}

// m of 2*x/m, of which the claim would make a number of its own.
static tg_status refuse_sizes_as_numbers(const tg_derivation *d, int32_t first)
{
  for (int32_t s = first; s < tg_symbol_count(d->graph); s++) {
    const char *name = tg_symbol_info(d->graph, s)->name;
    bool found = false;
    for (int32_t t = 0; t < d->n_symbols && !found; t++) {
      const tg_symbol *symbol = tg_symbol_info(d->graph, t);
      found = is_name_of_size(d, symbol->rows, name) || is_name_of_size(d, symbol->cols, name);
    }
    if (found)
      TG_FAIL(TG_NAME, "'%s' of the claim is the name of a size, not a number; write sum(ones(%s,1)) for it", name,
              name);
  }
  return TG_OK;
}

static tg_status check(tg_derivation *d, int32_t k, const char *claim, tg_claim_verdict *verdict, tg_text *out)
{
  tg_target *target = &d->targets[k];
  const tg_compile_options options = {.n_declarations = d->declarations.count,
                                      .declarations = d->declarations.list,
                                      .infer_undeclared = true,
                                      .like = target->derivative,
                                      .n_parts = d->n_parts,
                                      .parts = d->parts};
  const int32_t n_symbols = tg_symbol_count(d->graph);
  tg_node claimed = TG_NONE;
  TG_TRY(tg_compile(d->graph, claim, strlen(claim), &options, &claimed));
  TG_TRY(refuse_sizes_as_numbers(d, n_symbols));
  *verdict = TG_VERDICT_DIFFERENT;
  const tg_info *mine = tg_node_info(d->graph, target->derivative);
  const tg_info *theirs = tg_node_info(d->graph, claimed);
  if (d->n_targets > 1) tg_text_addf(out, "%s%s: ", target->name, target->transposed ? "'" : "");
  if (mine->rows != theirs->rows || mine->cols != theirs->cols) return write_shapes(d, target, claimed, out);
  TG_TRY(tg_factor_common(d->graph, claimed, &claimed));
  if (claimed == target->derivative) {
    *verdict = TG_VERDICT_EQUAL;
    tg_text_addf(out, "equal: the claim has the normal form of the %s\n", kind_of(d));
    return tg_text_status(out);
  }
  TG_TRY(compare_at_points(d, target, claimed, verdict, out));
  return tg_text_status(out);
}

tg_status tg_claim_check(tg_derivation *d, int32_t k, const char *claim, tg_claim_verdict *verdict, tg_text *out)
{
  const char *text = NULL;
  *verdict = TG_VERDICT_UNDECIDED;
  TG_TRY(tg_arena_string(&d->declarations.arena, claim, strlen(claim), &text));
  const int32_t source = tg_derivation_add_source(d, "claim", text);
  return tg_derivation_keep(d, source, check(d, k, text, verdict, out));
}
