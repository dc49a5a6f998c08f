// The forecast of memory against what the allocator hands out, phase by phase, in runs of several kinds.
#include "check.h"

#include "base/memory.h"
#include "engine/engine.h"

enum { SIZE = 400, DATA_MAX = 3 };

// Beside the matrices: symbols, plans, lists, messages. They do not grow with the matrices; third derivatives are long.
#define SMALL      1e6
#define LONG_PLANS 4e6
static const double tolerance = 0.02;

typedef struct kind {
  const char *what;
  const char *objective;
  int64_t rows; // of X
  int64_t cols;
  const char *constraint;
  const char *method;
  const char *preconditioner;
  double beside;
  const char *data[DATA_MAX]; // generated, SIZE x SIZE; NULL: fewer
} kind;

// A, B, C in this order.
static const kind kinds[] = {
    {"conjugate gradients",
     "sumsq(A*X - C)",
     SIZE,
     SIZE,
     NULL,
     "conjugate-gradient",
     "none",
     SMALL,
     {"normal", NULL, "normal"}},
    {"l-bfgs",
     "sum(softplus(A*X)) + sumsq(X - C)",
     SIZE,
     SIZE,
     NULL,
     "l-bfgs",
     "none",
     SMALL,
     {"normal", NULL, "normal"}},
    {"newton",
     "sum(softplus(A*X)) + sumsq(X - C)",
     SIZE,
     SIZE,
     NULL,
     "newton-cg",
     "none",
     SMALL,
     {"normal", NULL, "normal"}},
    {"cholesky", "tr(A*X*B*X') - 2*tr(C'*X)", SIZE, SIZE, NULL, "direct", "auto", SMALL, {"spd", "spd", "normal"}},
    {"spectral", "sumsq(A*X + X*B - C)", SIZE, SIZE, NULL, "direct", "auto", SMALL, {"spd", "spd", "normal"}},
    {"kronecker",
     "tr(X'*A*X*B) + sumsq(X - C)",
     SIZE,
     SIZE,
     NULL,
     "conjugate-gradient",
     "kronecker",
     SMALL,
     {"spd", "spd", "normal"}},
    {"semidefinite",
     "sumsq(X - C)",
     SIZE,
     SIZE,
     "positive_semidefinite",
     "barzilai-borwein",
     "none",
     SMALL,
     {NULL, NULL, "normal"}},
    {"orthonormal",
     "tr(X'*A*X*X'*A*X) - tr(C'*A*X*ones(60, 400))",
     SIZE,
     60,
     "orthonormal_columns",
     "l-bfgs",
     "none",
     LONG_PLANS,
     {"spd", NULL, "normal"}},
    {"bounds", "sumsq(A*X - C)", SIZE, SIZE, "nonnegative", "l-bfgs", "none", SMALL, {"normal", NULL, "normal"}},
};

static void fill(const kind *k, tg_spec *spec, tg_spec_variable *variable, tg_spec_data *data)
{
  static const char *const names[] = {"A", "B", "C"};
  *spec = (tg_spec){.name = k->what, .objective = {.text = k->objective, .length = strlen(k->objective)}};
  spec->variables = variable;
  spec->n_variables = 1;
  spec->data = data;
  *variable = (tg_spec_variable){
      .name = "X", .rows = k->rows, .cols = k->cols, .seed = 1, .scale = 1, .constraint = k->constraint};
  variable->start = k->constraint != NULL ? TG_START_FEASIBLE : TG_START_ZEROS;
  for (int d = 0; d < DATA_MAX; d++) {
    if (k->data[d] == NULL) continue;
    const bool is_definite = strcmp(k->data[d], "spd") == 0;
    data[spec->n_data++] =
        (tg_spec_data){.name = names[d],
                       .generate = k->data[d],
                       .rows = SIZE,
                       .cols = SIZE,
                       .options = {.seed = (uint64_t)d + 1, .scale = 1, .condition = is_definite ? 10 : 0},
                       .properties = is_definite ? TG_SYMMETRIC | TG_SPD : 0,
                       .trust = is_definite};
  }
  opt_options_init(&spec->solver);
  spec->solver.max_iterations = 3;
}

// Never more than the forecast; and on rank 0, which holds most, not much less in the largest phase: the workspace of
// products is forecast for all forms.
static void check_phase(const kind *k, const char *phase, double expected, double before, bool is_peak)
{
  const double found = (double)tg_memory_most() - before;
  CHECK(found <= (1 + tolerance) * expected + k->beside, "%s, %s: %.1f MB are in use, the forecast is %.1f", k->what,
        phase, found / 1e6, expected / 1e6);
  CHECK(!is_peak || check_rank() != 0 || found >= 0.85 * expected - k->beside,
        "%s, %s: %.1f MB are in use, the forecast is %.1f", k->what, phase, found / 1e6, expected / 1e6);
}

static tg_status minimise(const kind *k, const tg_spec *spec, tg_engine **out)
{
  const tg_engine_options options = {.threads = 1};
  const tg_memory_room room = {0};
  bool changed = false;
  tg_memory_begin();
  const double before = (double)tg_memory_most();
  TG_TRY(tg_engine_create(MPI_COMM_WORLD, spec, &options, out));
  TG_TRY(tg_engine_admit(*out, &room));
  const tg_forecast *f = &(*out)->forecast;
  TG_TRY(tg_engine_fill(*out));
  TG_TRY(tg_engine_probe(*out));
  TG_TRY(tg_engine_prepare(*out, &changed));
  const double preparing = fmax(f->preparing, f->reading);
  check_phase(k, "preparing", preparing, before, preparing > f->solving);
  tg_memory_begin();
  TG_TRY(tg_engine_minimise(*out, NULL));
  check_phase(k, "minimising", f->solving, before, f->solving >= preparing);
  tg_memory_begin();
  TG_TRY(tg_engine_settle(*out));
  check_phase(k, "settling", f->writing, before, false);
  return TG_OK;
}

static void run(void)
{
  double *some = NULL;
  REQUIRE_OK(tg_alloc_numbers(1000, &some));
  const bool is_counted = tg_memory_most() > 0;
  tg_free(some);
  CHECK(true, "a build that does not count has nothing to compare");
  if (!is_counted) return;
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    const kind *k = &kinds[i];
    tg_spec spec;
    tg_spec_variable variable;
    tg_spec_data data[DATA_MAX];
    tg_engine *engine = NULL;
    fill(k, &spec, &variable, data);
    REQUIRE_OK(opt_option_set(&spec.solver, "method", k->method));
    REQUIRE_OK(opt_option_set(&spec.solver, "preconditioner", k->preconditioner));
    REQUIRE_OK(minimise(k, &spec, &engine));
    tg_engine_destroy(&engine);
  }
}

CHECK_PROGRAM(program_forecast, run)
