// The engine from specs that are made by hand: no job file, no place in a text unless a test gives one.
#include "check.h"

#include "engine/engine.h"
#include "mpi/space/space.h"

enum { N_MAX = 3 };

typedef struct problem {
  tg_spec spec;
  tg_spec_variable variables[N_MAX];
  tg_spec_data data[N_MAX];
} problem;

static void init(problem *p, const char *objective)
{
  *p = (problem){.spec = {.name = "made by hand", .objective = {.text = objective, .length = strlen(objective)}}};
  p->spec.variables = p->variables;
  p->spec.data = p->data;
  opt_options_init(&p->spec.solver);
}

static void add_variable(problem *p, const char *name, int64_t rows, int64_t cols)
{
  p->variables[p->spec.n_variables++] =
      (tg_spec_variable){.name = name, .rows = rows, .cols = cols, .seed = 1, .scale = 1};
}

static void add_data(problem *p, const char *name, const char *kind, int64_t rows, int64_t cols, double scale)
{
  p->data[p->spec.n_data++] = (tg_spec_data){
      .name = name, .generate = kind, .rows = rows, .cols = cols, .options = {.seed = 1, .scale = scale}};
}

// All steps; the engine is the caller's.
static tg_status minimise(const tg_spec *spec, tg_engine **out)
{
  const tg_engine_options options = {.threads = 1};
  const tg_memory_room room = {0};
  bool changed = false;
  TG_TRY(tg_engine_create(MPI_COMM_WORLD, spec, &options, out));
  TG_TRY(tg_engine_admit(*out, &room));
  TG_TRY(tg_engine_fill(*out));
  TG_TRY(tg_engine_probe(*out));
  TG_TRY(tg_engine_prepare(*out, &changed));
  TG_TRY(tg_engine_minimise(*out, NULL));
  TG_TRY(tg_engine_settle(*out));
  return tg_engine_count(*out);
}

static void check_entries(const tg_dmat *m, double expected)
{
  double worst = 0;
  for (int64_t j = 0; j < m->local_cols; j++)
    for (int64_t i = 0; i < m->local_rows; i++) worst = fmax(worst, fabs(m->data[i + j * m->ld] - expected));
  CHECK(worst < 1e-7, "an entry is %g away from %g", worst, expected);
}

// |3 X - 6|^2, by a closed form and by steps; its negative as a maximum.
static void test_minimum(void)
{
  static const char *const methods[] = {"auto", "l-bfgs"};
  for (int k = 0; k < 4; k++) {
    problem p;
    tg_engine *engine = NULL;
    init(&p, k < 2 ? "sumsq(A*X - B)" : "-sumsq(A*X - B)");
    add_variable(&p, "X", 7, 5);
    add_data(&p, "A", "identity", 7, 7, 3);
    add_data(&p, "B", "ones", 7, 5, 6);
    p.spec.maximize = k >= 2;
    if (p.spec.maximize) p.spec.solver.wording = &opt_wording_maximum;
    REQUIRE_OK(opt_option_set(&p.spec.solver, "method", methods[k % 2]));
    REQUIRE_OK(minimise(&p.spec, &engine));
    CHECK(engine->result.outcome == OPT_CONVERGED, "%s: %s", methods[k % 2], engine->result.reason);
    CHECK(fabs(engine->objective) < 1e-10, "the objective is %g", engine->objective);
    CHECK(engine->counted_flops > 0 && engine->forecast.total > 0, "flops and memory are known");
    check_entries(tg_space_block(engine->setup->x, 0), 2);
    tg_engine_destroy(&engine);
  }
}

// What the engine decides stands in its task: the spec is the same afterwards, and gives the same bits once more.
static void test_spec_stays(void)
{
  double objectives[2] = {0, 1};
  problem p;
  problem before;
  init(&p, "sumsq(M - U*V)");
  add_variable(&p, "U", 6, 2);
  add_variable(&p, "V", 2, 5);
  add_data(&p, "M", "ones", 6, 5, 2);
  memcpy(&before, &p, sizeof p);
  for (int k = 0; k < 2; k++) {
    tg_engine *engine = NULL;
    REQUIRE_OK(minimise(&p.spec, &engine));
    CHECK(engine->setup->task->variables[0].start_is_chosen, "zeros are no start for factors");
    CHECK(engine->setup->task->data[0].used, "the task says what is used");
    CHECK(memcmp(&p, &before, sizeof p) == 0, "the spec stays as it is");
    objectives[k] = engine->objective;
    tg_engine_destroy(&engine);
  }
  CHECK(objectives[0] == objectives[1], "%.17g and %.17g", objectives[0], objectives[1]);
  CHECK(objectives[0] < 1e-10, "a matrix of rank 1 is a product: %g is left", objectives[0]);
}

// ---- messages and places ----

typedef struct heard {
  int n;
  tg_mark mark; // of the last one
  char text[200];
} heard;

static void hear(void *self, tg_message_kind kind, tg_mark mark, const char *text)
{
  heard *h = self;
  h->n += kind == TG_MESSAGE_WARNING;
  h->mark = mark;
  snprintf(h->text, sizeof h->text, "%s", text);
}

static void test_messages(void)
{
  heard h = {0};
  const tg_messages messages = {.say = hear, .self = &h};
  const tg_engine_options options = {.threads = 1};
  tg_engine *engine = NULL;
  problem p;
  init(&p, "sumsq(X)");
  add_variable(&p, "X", 3, 2);
  add_data(&p, "A", "ones", 3, 3, 1);
  p.data[0].mark = (tg_mark){7, {10, 11}};
  p.spec.messages = &messages;
  REQUIRE_OK(tg_engine_create(MPI_COMM_WORLD, &p.spec, &options, &engine));
  tg_engine_warn_unused(engine);
  CHECK(h.n == 1 && strstr(h.text, "A does not occur in the objective") != NULL, "%d warnings, '%s'", h.n, h.text);
  CHECK(h.mark.source == 7 && h.mark.span.begin == 10, "the warning is about %d:%zu", h.mark.source, h.mark.span.begin);
  tg_engine_destroy(&engine);
}

// An error points into the text that the excerpt comes from, and nowhere where there is none.
static void test_places(void)
{
  static const size_t offsets[] = {20, 21, 22, 23, 24, 25, 26, 27, 28};
  for (int with = 0; with < 2; with++) {
    const tg_engine_options options = {.threads = 1};
    tg_engine *engine = NULL;
    problem p;
    init(&p, "tr(X*Z)");
    add_variable(&p, "X", 3, 3);
    if (with == 1) {
      p.spec.objective.offsets = offsets;
      p.spec.objective.mark = (tg_mark){4, {20, 27}};
    }
    CHECK_FAILS(tg_engine_create(MPI_COMM_WORLD, &p.spec, &options, &engine), TG_NAME, "Z");
    const tg_error *error = tg_error_get();
    CHECK(error->source == (with == 1 ? 4 : 0), "the source is %d", error->source);
    CHECK(error->span.begin == (with == 1 ? 25 : 5), "the place is %zu", error->span.begin);
    tg_engine_destroy(&engine);
    init(&p, "sumsq(X)");
    add_variable(&p, "X", 3, 3);
    p.spec.solver_mark = (tg_mark){with, {8, 9}};
    REQUIRE_OK(opt_option_set(&p.spec.solver, "method", "alternating"));
    CHECK_FAILS(tg_engine_create(MPI_COMM_WORLD, &p.spec, &options, &engine), TG_UNSUPPORTED, "alternating");
    CHECK(tg_error_get()->has_span == (with == 1), "an option that stands nowhere has no place");
    tg_engine_destroy(&engine);
  }
}

static void run(void)
{
  test_minimum();
  test_spec_stays();
  test_messages();
  test_places();
}

CHECK_PROGRAM(program_engine, run)
