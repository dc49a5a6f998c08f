// Checkpoints written and read in one process: numbers come back with all bits, what is damaged or another job's is not
// taken, and the newest that is intact is.
#include "check.h"

#include <sys/stat.h>
#include <unistd.h>

#include "engine/checkpoint/checkpoint.h"
#include "engine/checkpoint/folder.h"
#include "engine/problem/assemble.h"
#include "mpi/space/space.h"

enum { PATH = 600, HEARD = 4 };

// A job of two variables, with a state as a solver would list it.
typedef struct world {
  char directory[64];
  tg_spec spec;
  tg_spec_variable variables[2];
  int n_heard; // warnings
  char heard[HEARD][TG_ERROR_MESSAGE_BYTES];
  tg_messages messages;
  tg_setup *setup;
  opt_point *x;
  opt_point *s;
  double number;
  int64_t count;
  int64_t most; // that it may be
  bool is_idle; // s holds nothing
} world;

static void hear(void *self, tg_message_kind kind, tg_mark mark, const char *text)
{
  world *w = self;
  (void)kind;
  (void)mark;
  if (w->n_heard < HEARD) snprintf(w->heard[w->n_heard++], sizeof w->heard[0], "%s", text);
}

static void make_directory(world *w)
{
  snprintf(w->directory, sizeof w->directory, "/tmp/tracegrad-test-XXXXXX");
  if (check_rank() == 0) CHECK(mkdtemp(w->directory) != NULL, "no folder %s", w->directory);
  MPI_Bcast(w->directory, (int)sizeof w->directory, MPI_CHAR, 0, MPI_COMM_WORLD);
}

static void set_up(world *w)
{
  static const char objective[] = "sumsq(X) + sumsq(Y - 1)";
  const tg_lower_options options = {0};
  memset(w, 0, sizeof *w);
  make_directory(w);
  w->messages = (tg_messages){.say = hear, .self = w};
  w->spec = (tg_spec){.name = "made by hand",
                      .messages = &w->messages,
                      .objective = {.text = objective, .length = strlen(objective)},
                      .n_variables = 2,
                      .variables = w->variables,
                      .checkpoint_directory = w->directory,
                      .checkpoint_every = 1e9,
                      .checkpoint_keep = 2};
  opt_options_init(&w->spec.solver);
  w->variables[0] = (tg_spec_variable){.name = "X", .rows = 7, .cols = 5, .scale = 1};
  w->variables[1] = (tg_spec_variable){.name = "Y", .rows = 3, .cols = 1, .scale = 1};
  w->most = 1000;
  REQUIRE_OK(tg_setup_create(MPI_COMM_WORLD, &w->spec, &options, NULL, &w->setup));
  REQUIRE_OK(tg_setup_fill(w->setup));
  REQUIRE_OK(w->setup->space->ops->create(w->setup->space, &w->x));
  REQUIRE_OK(w->setup->space->ops->create(w->setup->space, &w->s));
}

// Rank 0. The folder holds checkpoints and nothing that was not finished.
static void remove_directory(const world *w)
{
  tg_generation *list = NULL;
  int count = 0;
  CHECK(tg_folder_list(w->directory, &count, &list) == TG_OK, "%s", tg_error_get()->message);
  for (int k = 0; k < count; k++) {
    char path[PATH];
    snprintf(path, sizeof path, "%s/%s", w->directory, list[k].name);
    tg_folder_discard(path);
  }
  tg_free(list);
  CHECK(rmdir(w->directory) == 0, "%s holds more than checkpoints", w->directory);
}

static void tear_down(world *w)
{
  w->setup->space->ops->destroy(w->setup->space, &w->x);
  w->setup->space->ops->destroy(w->setup->space, &w->s);
  tg_setup_destroy(&w->setup);
  MPI_Barrier(MPI_COMM_WORLD);
  if (check_rank() == 0) remove_directory(w);
}

// ---- the state ----

// Numbers that no short decimal text holds, a negative zero and a subnormal one.
static double entry(int64_t seed, int64_t i, int64_t j)
{
  if (i == 0 && j == 0) return -0.0;
  if (i == 1 && j == 0) return 5e-324;
  return check_entry((uint64_t)seed, i, j) / 3;
}

// Each call of `visit` gets an entry of both points, and what `seed` says that it is.
static int64_t visit_all(world *w, int64_t seed, int64_t (*visit)(double *found, double expected))
{
  int64_t sum = 0;
  for (int p = 0; p < 2; p++) {
    for (int k = 0; k < 2; k++) {
      const tg_dmat *m = tg_space_block(p == 0 ? w->x : w->s, k);
      for (int64_t j = 0; j < m->local_cols; j++)
        for (int64_t i = 0; i < m->local_rows; i++)
          sum += visit(&m->data[i + j * m->ld],
                       entry(seed + 100 * p + 1000 * k, tg_layout_global(i, m->block, m->grid->row, m->grid->rows),
                             tg_layout_global(j, m->block, m->grid->col, m->grid->cols)));
    }
  }
  return sum;
}

static int64_t put(double *found, double expected)
{
  *found = expected;
  return 0;
}

static int64_t differs(double *found, double expected)
{
  return memcmp(found, &expected, sizeof expected) != 0;
}

static void fill(world *w, int64_t seed)
{
  visit_all(w, seed, put);
  w->number = check_entry((uint64_t)seed, 9, 9) / 7;
  w->count = seed;
}

static void list_state(world *w, opt_listing *listing)
{
  *listing = (opt_listing){0};
  REQUIRE_OK(opt_listing_add_vector(listing, "x", -1, w->x));
  REQUIRE_OK(opt_listing_add_vector(listing, "s", 3, w->s));
  opt_listing_mark(listing, w->is_idle);
  REQUIRE_OK(opt_listing_add_number(listing, "gamma", -1, &w->number));
  REQUIRE_OK(opt_listing_add_count(listing, "next", &w->count));
  opt_listing_limit(listing, 0, w->most);
}

// ---- writing and reading ----

// The state of `iteration` as one more checkpoint.
static void save(world *w, tg_checkpoint *c, int64_t iteration)
{
  opt_listing listing;
  const tg_checkpoint_facts facts = {
      .iteration = iteration, .records = iteration + 1, .products_before = 4, .solve_seconds = 0.1};
  fill(w, iteration);
  list_state(w, &listing);
  REQUIRE_OK(tg_checkpoint_write(c, &listing, &facts));
  opt_listing_fini(&listing);
}

// Checkpoints of these iterations, by one run.
static void save_all(world *w, int n, const int64_t *iterations)
{
  tg_checkpoint *c = NULL;
  REQUIRE_OK(tg_checkpoint_open(MPI_COMM_WORLD, &w->spec, false, true, &c));
  REQUIRE_OK(tg_checkpoint_prepare(c));
  REQUIRE_OK(tg_checkpoint_bind(c, w->setup));
  for (int k = 0; k < n; k++) save(w, c, iterations[k]);
  const tg_checkpoint_log *log = tg_checkpoint_get_log(c);
  CHECK(log->written == n && log->failed == 0, "%d were written, %d failed: %s", (int)log->written, (int)log->failed,
        log->failure);
  CHECK(tg_checkpoint_source(c) == NULL && tg_checkpoint_runs(c) == 1, "the first run goes on from nothing");
  tg_checkpoint_close(&c);
}

static tg_status restore(world *w, tg_checkpoint *c)
{
  opt_listing listing;
  bool restored = false;
  list_state(w, &listing);
  const tg_status status = tg_checkpoint_restore(c, &listing, &restored);
  opt_listing_fini(&listing);
  CHECK(restored, "there was one to restore");
  return status;
}

// A resumed run stands where `iteration` was saved.
static void check_resumed(world *w, int64_t iteration)
{
  tg_checkpoint *c = NULL;
  tg_checkpoint_facts earlier;
  REQUIRE_OK(tg_checkpoint_open(MPI_COMM_WORLD, &w->spec, true, true, &c));
  REQUIRE_OK(tg_checkpoint_bind(c, w->setup));
  fill(w, 77777);
  REQUIRE_OK(restore(w, c));
  CHECK(visit_all(w, iteration, differs) == 0, "a number of iteration %d is another", (int)iteration);
  const double number = check_entry((uint64_t)iteration, 9, 9) / 7;
  CHECK(memcmp(&w->number, &number, sizeof number) == 0, "%a, expected %a", w->number, number);
  CHECK(w->count == iteration, "count %d, expected %d", (int)w->count, (int)iteration);
  CHECK(tg_checkpoint_earlier(c, &earlier), "the earlier run is known");
  CHECK(earlier.iteration == iteration && earlier.records == iteration + 1 && earlier.products_before == 4 &&
            earlier.solve_seconds == 0.1,
        "iteration %d, records %d, solve %g", (int)earlier.iteration, (int)earlier.records, earlier.solve_seconds);
  CHECK(tg_checkpoint_runs(c) == 2, "%d runs", (int)tg_checkpoint_runs(c));
  tg_checkpoint_close(&c);
}

static void test_round_trip(void)
{
  static const int64_t iterations[] = {3, 12, 40};
  world w;
  set_up(&w);
  save_all(&w, 3, iterations);
  check_resumed(&w, 40);
  CHECK(w.n_heard == 0, "%s", w.heard[0]);
  // Two are kept, the newest first.
  if (check_rank() == 0) {
    int count = 0;
    tg_generation *list = NULL;
    CHECK(tg_folder_list(w.directory, &count, &list) == TG_OK, "%s", tg_error_get()->message);
    CHECK(count == 2 && list[0].iteration == 40 && list[1].iteration == 12, "%d are kept", count);
    tg_free(list);
  }
  tear_down(&w);
}

// What holds nothing is not written, and stays as it is.
static void test_idle(void)
{
  static const int64_t iteration = 5;
  world w;
  tg_checkpoint *c = NULL;
  set_up(&w);
  w.is_idle = true;
  save_all(&w, 1, &iteration);
  REQUIRE_OK(tg_checkpoint_open(MPI_COMM_WORLD, &w.spec, true, true, &c));
  const tg_dmat *idle = tg_space_block(w.s, 0);
  if (idle->local_rows * idle->local_cols > 0) idle->data[0] = 123;
  REQUIRE_OK(restore(&w, c));
  CHECK(idle->local_rows * idle->local_cols == 0 || idle->data[0] == 123, "an idle vector was filled");
  tg_checkpoint_close(&c);
  tear_down(&w);
}

// ---- damage ----

typedef enum damage { DAMAGE_BIT, DAMAGE_CUT, DAMAGE_LONGER, DAMAGE_GONE, DAMAGES } damage;

// Rank 0: a file of the newest checkpoint but `skip` is no longer what was written.
static void spoil(const world *w, int skip, const char *name, damage kind)
{
  int count = 0;
  char path[PATH];
  tg_generation *list = NULL;
  if (check_rank() == 0) {
    CHECK(tg_folder_list(w->directory, &count, &list) == TG_OK && count > skip, "%d checkpoints", count);
    snprintf(path, sizeof path, "%s/%s/%s", w->directory, list[skip].name, name);
    tg_free(list);
    FILE *file = fopen(path, "r+b");
    CHECK(file != NULL, "no %s", path);
    if (file != NULL) {
      fseek(file, -2, SEEK_END);
      const long at = ftell(file);
      const int byte = fgetc(file);
      fseek(file, kind == DAMAGE_LONGER ? 0 : at, kind == DAMAGE_LONGER ? SEEK_END : SEEK_SET);
      if (kind == DAMAGE_BIT || kind == DAMAGE_LONGER) fputc(byte ^ 1, file);
      fclose(file);
      if (kind == DAMAGE_CUT) CHECK(truncate(path, at) == 0, "%s is not cut", path);
      if (kind == DAMAGE_GONE) CHECK(unlink(path) == 0, "%s stays", path);
    }
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

// The one before it is taken, with a warning of rank 0 that names the file.
static void test_damage(void)
{
  static const char *const names[] = {"x.X.npy", "s3.Y.npy", "manifest.json"};
  static const int64_t iterations[] = {12, 40};
  for (int name = 0; name < 3; name++) {
    for (int kind = 0; kind < DAMAGES; kind++) {
      world w;
      set_up(&w);
      save_all(&w, 2, iterations);
      spoil(&w, 0, names[name], (damage)kind);
      check_resumed(&w, 12);
      CHECK(w.n_heard == (check_rank() == 0), "%s, damage %d: %d warnings", names[name], kind, w.n_heard);
      CHECK(check_rank() != 0 ||
                (strstr(w.heard[0], "is damaged and not used") != NULL &&
                 strstr(w.heard[0], "iteration-0000000040") != NULL && strstr(w.heard[0], names[name])),
            "%s, damage %d: %s", names[name], kind, w.heard[0]);
      tear_down(&w);
    }
  }
}

static void test_nothing_to_resume_from(void)
{
  static const int64_t iterations[] = {12, 40};
  tg_checkpoint *c = NULL;
  world w;
  set_up(&w);
  CHECK_FAILS(tg_checkpoint_open(MPI_COMM_WORLD, &w.spec, true, true, &c), TG_DATA, "no checkpoint in");
  CHECK(c == NULL, "nothing is opened");
  save_all(&w, 2, iterations);
  spoil(&w, 0, "x.Y.npy", DAMAGE_BIT);
  spoil(&w, 1, "x.Y.npy", DAMAGE_CUT);
  CHECK_FAILS(tg_checkpoint_open(MPI_COMM_WORLD, &w.spec, true, true, &c), TG_DATA, "all 2 are damaged");
  // Of a job with another option or another start; limits may be others.
  tear_down(&w);
  set_up(&w);
  save_all(&w, 2, iterations);
  w.spec.solver.max_iterations = 7;
  check_resumed(&w, 40);
  w.spec.solver.memory++;
  CHECK_FAILS(tg_checkpoint_open(MPI_COMM_WORLD, &w.spec, true, true, &c), TG_DATA, "solver.memory");
  w.spec.solver.memory--;
  w.variables[1].start = TG_START_ONES;
  CHECK_FAILS(tg_checkpoint_open(MPI_COMM_WORLD, &w.spec, true, true, &c), TG_DATA, "is of another job");
  w.spec.checkpoint_directory = NULL;
  CHECK_FAILS(tg_checkpoint_open(MPI_COMM_WORLD, &w.spec, true, true, &c), TG_USAGE, "no checkpoint section");
  REQUIRE_OK(tg_checkpoint_open(MPI_COMM_WORLD, &w.spec, false, true, &c));
  CHECK(c == NULL, "a job without checkpoints has none");
  tear_down(&w);
}

// What the state of this run would not hold is refused, with what was found.
static void test_other_states(void)
{
  static const int64_t iteration = 40;
  tg_checkpoint *c = NULL;
  opt_listing listing;
  bool restored = false;
  int64_t other = 0;
  world w;
  set_up(&w);
  save_all(&w, 1, &iteration);
  REQUIRE_OK(tg_checkpoint_open(MPI_COMM_WORLD, &w.spec, true, true, &c));
  w.most = 39;
  CHECK_FAILS(restore(&w, c), TG_DATA, "'next' is 40, expected 0 to 39");
  w.most = 40;
  REQUIRE_OK(restore(&w, c));
  list_state(&w, &listing);
  REQUIRE_OK(opt_listing_add_count(&listing, "rounds", &other));
  CHECK_FAILS(tg_checkpoint_restore(c, &listing, &restored), TG_DATA, "no 'rounds'");
  REQUIRE_OK(opt_listing_add_vector(&listing, "direction", -1, w.s));
  CHECK_FAILS(tg_checkpoint_restore(c, &listing, &restored), TG_DATA, "0 files of 'direction', expected 2");
  opt_listing_fini(&listing);
  tg_checkpoint_close(&c);
  tear_down(&w);
}

static void run(void)
{
  test_round_trip();
  test_idle();
  test_damage();
  test_nothing_to_resume_from();
  test_other_states();
}

CHECK_PROGRAM(program_checkpoint, run)
