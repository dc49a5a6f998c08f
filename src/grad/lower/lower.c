// The optimiser's entry: checks, directions, and the choice among the ways to write the objective.
#include "grad/lower/lower.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "grad/lower/lower_parts.h"
#include "grad/plan/cost.h"

static const char *const passes[TG_PASS_COUNT] = {
#define TG_PASS_ROW(name, label, help) label,
    TG_PASS_LIST(TG_PASS_ROW)
#undef TG_PASS_ROW
};

int tg_pass_find(const char *name)
{
  for (int k = 0; k < TG_PASS_COUNT; k++)
    if (strcmp(passes[k], name) == 0) return k;
  return -1;
}

const char *tg_pass_label(tg_pass pass)
{
  return passes[pass];
}

// ---- directions ----

static bool is_variable(int32_t n, const int32_t *wrt, int32_t symbol)
{
  for (int32_t k = 0; k < n; k++)
    if (wrt[k] == symbol) return true;
  return false;
}

// The symbol D_X for the direction of X. A name that means something else already gets underscores.
static tg_status direction_of(tg_graph *graph, int32_t n, const int32_t *wrt, int32_t symbol, int32_t *out)
{
  const tg_symbol variable = *tg_symbol_info(graph, symbol);
  tg_status status = TG_OK;
  tg_text name;
  tg_text_init(&name);
  tg_text_addf(&name, "D_%s", variable.name);
  TG_TRY_GOTO(tg_text_status(&name));
  *out = tg_symbol_find(graph, tg_text_string(&name));
  while (*out >= 0) {
    const tg_symbol *known = tg_symbol_info(graph, *out);
    if (known->free && known->rows == variable.rows && known->cols == variable.cols && !is_variable(n, wrt, *out))
      goto done; // made by an earlier call
    tg_text_add(&name, "_");
    TG_TRY_GOTO(tg_text_status(&name));
    *out = tg_symbol_find(graph, tg_text_string(&name));
  }
  TG_TRY_GOTO(tg_symbol_add(graph, tg_text_string(&name), variable.rows, variable.cols, 0, true, out));
done:
  tg_text_fini(&name);
  return status;
}

// ---- checks ----

static tg_status check_sizes(const tg_graph *graph, tg_node node, uint8_t *seen)
{
  const tg_info *info = tg_node_info(graph, node);
  if (seen[node] != 0) return TG_OK;
  seen[node] = 1;
  if (tg_dim_value(graph, info->rows) < 1 || tg_dim_value(graph, info->cols) < 1)
    TG_FAIL(TG_SHAPE, "a plan needs sizes that are numbers; part of the objective has a symbolic size");
  for (int32_t i = 0; i < info->n_args; i++) TG_TRY(check_sizes(graph, info->args[i], seen));
  return TG_OK;
}

static tg_status check(const tg_graph *graph, tg_node f, int32_t n)
{
  uint8_t *seen = NULL;
  if (n < 1) TG_FAIL(TG_VALUE, "a plan needs at least one variable");
  if (!tg_node_is_scalar(graph, f)) TG_FAIL(TG_SHAPE, "a plan needs a 1 x 1 objective");
  TG_TRY(TG_NEW((int64_t)f + 1, &seen));
  const tg_status status = check_sizes(graph, f, seen);
  tg_free(seen);
  return status;
}

// ---- one attempt ----

static void lowering_fini(tg_lowering *l)
{
  tg_free(l->buffers.items);
  tg_free(l->factors.items);
  tg_free(l->inits.items);
  tg_free(l->constant.items);
  tg_free(l->uses.items);
  tg_free(l->wanted.items);
  tg_free(l->symbols.items);
  for (int k = 0; k < 2; k++) tg_free(l->spectra[k].items);
  for (int p = 0; p < TG_PROGRAM_COUNT; p++) {
    tg_free(l->programs[p].items);
    tg_free(l->memo[p].items);
  }
  tg_arena_fini(&l->arena);
}

// A plan with what it is expected to cost an iteration, and what it does without.
typedef struct candidate {
  tg_low_variant variant;
  tg_plan *plan;
  double cost;
  int32_t n_images;
  tg_node images[TG_LOW_IMAGES_MAX];
  int32_t n_dropped;
  tg_node dropped[TG_LOW_DROPPED_MAX];
} candidate;

// Flops of a program; all that is not a product runs at the speed of memory, some ten times slower.
static double program_cost(const tg_plan *plan, tg_program_id id)
{
  double sum = 0;
  for (int32_t k = 0; k < plan->programs[id].n_instrs; k++) {
    const tg_instr *instr = &plan->programs[id].instrs[k];
    const bool fast = tg_instr_is_product(instr) || instr->op == TG_OP_LU || instr->op == TG_OP_CHOLESKY ||
                      instr->op == TG_OP_EIGEN || instr->op == TG_OP_SVD;
    sum += (fast ? 1 : 10) * tg_instr_flops(plan, instr);
  }
  return sum;
}

// One iteration: a gradient, and along a line its polynomial and the step; values and Hessian actions now and then. Of
// a quadratic that is moved by its Hessian action: that, and the others now and then.
static double plan_cost(const tg_lowering *setting, const tg_plan *plan)
{
  if (plan->line_by_hessian)
    return program_cost(plan, TG_PROGRAM_HESSIAN) + 0.25 * program_cost(plan, TG_PROGRAM_GRADIENT) +
           0.25 * program_cost(plan, TG_PROGRAM_VALUE) + program_cost(plan, TG_PROGRAM_SETUP) / setting->iterations;
  return program_cost(plan, TG_PROGRAM_GRADIENT) + program_cost(plan, TG_PROGRAM_DIRECTION) +
         program_cost(plan, TG_PROGRAM_ADVANCE) + 0.25 * program_cost(plan, TG_PROGRAM_VALUE) +
         0.5 * program_cost(plan, TG_PROGRAM_HESSIAN) + program_cost(plan, TG_PROGRAM_REFRESH) / 32 +
         program_cost(plan, TG_PROGRAM_SETUP) / setting->iterations;
}

// Builds once, in a state of its own: nothing of an attempt survives it but the plan and nodes of the graph. An image
// that no program reads goes to the dropped ones, and *again is set.
static tg_status build(const tg_lowering *setting, tg_node f, candidate *c, bool *again)
{
  tg_lowering l = *setting;
  tg_status status = TG_OK;
  l.variant = c->variant;
  l.dropped = c->dropped;
  l.n_dropped = c->n_dropped;
  tg_arena_init(&l.arena);
  TG_TRY_GOTO(tg_low_build(&l, f));
  const int32_t idle = tg_low_images_idle(&l);
  *again = idle >= 0 && c->n_dropped < TG_LOW_DROPPED_MAX;
  if (*again) {
    c->dropped[c->n_dropped++] = l.images[idle].point;
    goto done;
  }
  c->n_images = l.n_images;
  for (int32_t k = 0; k < l.n_images; k++) c->images[k] = l.images[k].point;
  TG_TRY_GOTO(tg_low_finish(&l, &c->plan));
  c->cost = plan_cost(setting, c->plan);
done:
  lowering_fini(&l);
  return status;
}

// Builds the candidate and keeps it as the best if it is cheaper.
static tg_status attempt(const tg_lowering *setting, tg_node f, candidate c, candidate *best)
{
  bool again = true;
  c.plan = NULL;
  while (again) TG_TRY(build(setting, f, &c, &again));
  if (best->plan != NULL && c.cost >= best->cost) {
    tg_plan_destroy(&c.plan);
    return TG_OK;
  }
  tg_plan_destroy(&best->plan);
  *best = c;
  return TG_OK;
}

// Each image in turn is tried without: an image costs a buffer for the point and one for the direction, and a pass
// over both in every step, so it must save more than that.
static tg_status drop_images(const tg_lowering *setting, tg_node f, candidate *best)
{
  for (int32_t k = best->n_images - 1; k >= 0 && best->n_images > 1; k--) {
    candidate c = *best;
    if (k >= best->n_images || c.n_dropped == TG_LOW_DROPPED_MAX) continue;
    c.dropped[c.n_dropped++] = c.images[k];
    TG_TRY(attempt(setting, f, c, best));
  }
  return TG_OK;
}

// Moves from one variant to the next. Images come first, because what they save decides whether multiplying out pays;
// they are tried again once the objective is written otherwise; the last move takes back one of the two.
typedef enum variant_move {
  MOVE_IMAGES,
  MOVE_EXPAND,
  MOVE_FACTOR,
  MOVE_IMAGES_AGAIN,
  MOVE_SQUARES,
  MOVE_DISCOUNT,
  MOVE_EXCHANGE,
  MOVE_COUNT
} variant_move;

// Applies the move; false where it changes nothing or its pass is switched off.
static bool apply_move(variant_move move, const bool *without, bool may_have_images, tg_low_variant *variant)
{
  const tg_low_variant before = *variant;
  switch (move) {
  case MOVE_IMAGES:
  case MOVE_IMAGES_AGAIN:
    variant->images = variant->images || (may_have_images && !without[TG_PASS_IMAGES]);
    return variant->images != before.images;
  case MOVE_SQUARES:
    variant->squares = variant->images;
    return variant->squares;
  case MOVE_EXPAND:
    variant->expand = !without[TG_PASS_HOISTING]; // without setup there is nothing to win
    return variant->expand;
  case MOVE_FACTOR:
    variant->factor = !without[TG_PASS_FACTORING];
    return variant->factor;
  case MOVE_DISCOUNT:
    variant->discount = !without[TG_PASS_SHARING];
    return variant->discount;
  default:
    if (without[TG_PASS_HOISTING] || before.images == before.expand) return false;
    variant->images = variant->squares = false;
    variant->expand = !before.expand;
    return true;
  }
}

// A walk, not a search of all variants: each move is kept if the plan gets cheaper. The cost is that of finished
// plans, so a move that sharing or setup makes worthless is seen for what it is.
static tg_status choose(const tg_lowering *setting, tg_node f, candidate *best)
{
  TG_TRY(attempt(setting, f, (candidate){.cost = 0}, best));
  for (int k = 0; k < MOVE_COUNT; k++) {
    candidate c = {.variant = best->variant};
    const bool may_have_images = best->plan->has_line && !best->plan->line_by_hessian;
    if (!apply_move((variant_move)k, setting->options->without, may_have_images, &c.variant)) continue;
    TG_TRY(attempt(setting, f, c, best));
  }
  return drop_images(setting, f, best);
}

tg_status tg_lower(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, const tg_lower_options *options,
                   tg_plan **out)
{
  static const tg_lower_options plain = {.want_hessian = false};
  tg_status status = TG_OK;
  int32_t *along = NULL;
  tg_low_runs *runs = NULL;
  int degree = -1;
  candidate best = {.plan = NULL};
  *out = NULL;
  if (options == NULL) options = &plain;
  TG_TRY(check(graph, f, n));
  TG_TRY_GOTO(TG_NEW(n, &along));
  for (int32_t k = 0; k < n; k++) TG_TRY_GOTO(direction_of(graph, n, wrt, wrt[k], &along[k]));
  TG_TRY_GOTO(tg_degree_find(graph, f, n, wrt, &degree));
  TG_TRY_GOTO(tg_low_runs_create(&runs));
  const tg_lowering setting = {
      .graph = graph,
      .runs = runs,
      .options = options,
      .iterations = options->expected_iterations > 0 ? (double)options->expected_iterations : 100,
      .n = n,
      .wrt = wrt,
      .along = along,
      .degree = degree,
  };
  TG_TRY_GOTO(choose(&setting, f, &best));
  *out = best.plan;
  best.plan = NULL;
done:
  tg_plan_destroy(&best.plan);
  tg_low_runs_destroy(&runs);
  tg_free(along);
  return status;
}
