// What is minimised with, for objectives of all kinds: the lines of tests/data/strategies.txt, without numbers.
//
//     objective | variables and their sets | options of the job | the ways, best first
//
// A way reads SOLVER, +METRIC and ?CONDITION,...; after direct stands :KIND. What follows "because" is the first way's
// reason. The matrices that an objective may use are those of `data` below.
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "engine/strategy/strategy_words.h"
#include "grad/calculus.h"
#include "grad/lower/lower.h"
#include "grad/structure/groups.h"
#include "opt/solver.h"

enum { VARIABLES = 4, LINE = 1024, LEAST_LINES = 120 };

static const tg_declaration data[] = {
    {.name = "A", .rows = 20, .cols = 20, .properties = TG_SPD},
    {.name = "D", .rows = 20, .cols = 20, .properties = TG_SPD},
    {.name = "S", .rows = 20, .cols = 20, .properties = TG_SYMMETRIC},
    {.name = "N", .rows = 20, .cols = 20},
    {.name = "L", .rows = 20, .cols = 20, .properties = TG_DIAGONAL},
    {.name = "B", .rows = 5, .cols = 5, .properties = TG_SPD},
    {.name = "E", .rows = 5, .cols = 5, .properties = TG_SPD},
    {.name = "R", .rows = 5, .cols = 5},
    {.name = "C", .rows = 20, .cols = 5},
    {.name = "Q", .rows = 20, .cols = 5},
    {.name = "K", .rows = 40, .cols = 20},
    {.name = "Y", .rows = 40, .cols = 5},
    {.name = "W", .rows = 40, .cols = 5},
    {.name = "H", .rows = 6, .cols = 20},
    {.name = "P", .rows = 6, .cols = 5},
    {.name = "M", .rows = 20, .cols = 15},
    {.name = "O", .rows = 20, .cols = 15},
    {.name = "y", .rows = 40, .cols = 1},
    {.name = "w", .rows = 40, .cols = 1},
    {.name = "b", .rows = 20, .cols = 1},
    {.name = "G", .rows = 400, .cols = 400, .properties = TG_SPD},
    {.name = "F", .rows = 400, .cols = 400, .properties = TG_SPD},
    {.name = "r", .rows = 1, .cols = 1}, // the penalty of rounds
    {.name = "mu", .rows = 1, .cols = 1},
    {.name = "lambda", .rows = 1, .cols = 1},
};
enum { N_DATA = sizeof data / sizeof data[0] };

// The numbers of the job.
static bool is_number(const char *name, double *out)
{
  *out = strcmp(name, "mu") == 0 ? 0.5 : 2;
  return strcmp(name, "mu") == 0 || strcmp(name, "lambda") == 0;
}

// Shapes of the variables, by name.
static const tg_declaration shapes[] = {
    {.name = "X", .rows = 20, .cols = 5},    {.name = "Z", .rows = 20, .cols = 20},
    {.name = "U", .rows = 20, .cols = 3},    {.name = "V", .rows = 3, .cols = 15},
    {.name = "T", .rows = 3, .cols = 3},     {.name = "x", .rows = 20, .cols = 1},
    {.name = "z", .rows = 400, .cols = 1},   {.name = "t", .rows = 1, .cols = 1},
    {.name = "J", .rows = 400, .cols = 300},
};

typedef struct world {
  char text[4][LINE]; // the columns of the line
  tg_graph *graph;
  tg_plan *plan;
  int n;
  tg_declaration declarations[N_DATA + VARIABLES];
  int32_t symbols[VARIABLES];
  tg_strategy_variable variables[VARIABLES];
  tg_strategy_datum numbers[N_DATA];
  bool group_rows[VARIABLES];
  tg_strategy_rounds rounds;
  opt_options options;
  tg_strategy_facts facts;
  tg_strategy_costs costs;
} world;

// ---- the line ----

static char *trim(char *text)
{
  while (isspace((unsigned char)*text)) text++;
  for (char *end = text + strlen(text); end > text && isspace((unsigned char)end[-1]); end--) end[-1] = '\0';
  return text;
}

static void split_line(const char *line, world *w)
{
  char copy[LINE];
  char *rest = NULL;
  snprintf(copy, sizeof copy, "%s", line);
  char *part = strtok_r(copy, "|", &rest);
  for (int k = 0; k < 4; k++) {
    if (part == NULL) fail_msg("four columns expected: %s", line);
    snprintf(w->text[k], LINE, "%s", trim(part));
    part = strtok_r(NULL, k < 2 ? "|" : "", &rest);
  }
}

static void set_word(const char *word, tg_declaration *declaration, tg_strategy_variable *x)
{
  double numbers[2] = {0, 0};
  if (strcmp(word, "spd") == 0) {
    declaration->properties = x->domain = TG_SPD | TG_SYMMETRIC;
    declaration->is_free = false;
  } else if (sscanf(word, "norm1=%lf", &numbers[0]) == 1) {
    x->set.norm1 = numbers[0];
  } else if (sscanf(word, "box=%lf,%lf", &numbers[0], &numbers[1]) == 2) {
    x->set.kind = OPT_CONSTRAINT_BOX;
    x->set.low = numbers[0];
    x->set.high = numbers[1];
  } else if (strcmp(word, "metric") == 0) {
    x->has_metric = true;
  } else if (strcmp(word, "box=data") == 0) {
    x->set.kind = OPT_CONSTRAINT_BOX;
    x->has_matrix_bounds = true;
  } else {
    const opt_constraint_row *row = opt_constraint_find(word);
    if (row == NULL) fail_msg("'%s' is no set", word);
    x->set.kind = row->kind;
    x->set.high = 1;
  }
}

// "X nonnegative, U"
static void read_variables(world *w)
{
  char copy[LINE];
  char *rest = NULL;
  snprintf(copy, sizeof copy, "%s", w->text[1]);
  for (char *part = strtok_r(copy, ";", &rest); part != NULL; part = strtok_r(NULL, ";", &rest)) {
    char *inner = NULL;
    const char *name = strtok_r(trim(part), " ", &inner);
    tg_declaration *out = &w->declarations[w->n];
    for (size_t k = 0; k < sizeof shapes / sizeof shapes[0]; k++)
      if (strcmp(shapes[k].name, name) == 0) *out = shapes[k];
    if (out->name == NULL) fail_msg("'%s' is no variable", name);
    out->is_free = true;
    for (const char *word = strtok_r(NULL, " ", &inner); word != NULL; word = strtok_r(NULL, " ", &inner))
      set_word(word, out, &w->variables[w->n]);
    w->n++;
  }
}

// "method=l-bfgs preconditioner=none rounds=relations most=1"
static void read_options(world *w)
{
  char *rest = NULL;
  char copy[LINE];
  opt_options_init(&w->options);
  w->costs = tg_strategy_costs_default();
  snprintf(copy, sizeof copy, "%s", w->text[2]);
  for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
    char *value = strchr(word, '=');
    if (strcmp(word, "-") == 0) continue;
    if (value == NULL) fail_msg("'%s' is no option", word);
    *value++ = '\0';
    if (strcmp(word, "rounds") == 0) {
      w->rounds.has_relations = strstr(value, "relations") != NULL;
      w->rounds.has_envelopes = strstr(value, "envelopes") != NULL;
      w->facts.rounds = &w->rounds;
    } else if (strcmp(word, "most") == 0) {
      w->costs.most_factorising = strtod(value, NULL);
    } else {
      assert_int_equal(opt_option_set(&w->options, word, value), TG_OK);
    }
  }
  w->facts.options = &w->options;
}

// ---- the facts ----

static bool has_kinks(const tg_graph *graph, tg_node f)
{
  uint8_t *below = NULL;
  bool has_any = false;
  assert_int_equal(tg_node_find_below(graph, f, &below), TG_OK);
  for (tg_node node = 1; node <= f; node++) {
    const tg_kind kind = tg_node_info(graph, node)->kind;
    has_any = has_any || (below[node] != 0 && (kind == TG_ABS || kind == TG_SIGN || kind == TG_RELU));
  }
  tg_free(below);
  return has_any;
}

static void compile(world *w)
{
  memcpy(&w->declarations[w->n], data, sizeof data);
  const tg_compile_options options = {
      .n_declarations = w->n + N_DATA, .declarations = w->declarations, .require_scalar = true};
  assert_int_equal(tg_graph_create(&w->graph), TG_OK);
  const tg_status status = tg_compile(w->graph, w->text[0], strlen(w->text[0]), &options, &w->facts.objective);
  if (status != TG_OK) fail_msg("%s: %s", w->text[0], tg_error_get()->message);
  for (int k = 0; k < w->n; k++) {
    w->symbols[k] = w->variables[k].symbol = tg_symbol_find(w->graph, w->declarations[k].name);
    assert_true(w->symbols[k] >= 0);
  }
  for (int k = 0; k < N_DATA; k++) {
    double number = 0;
    const int32_t symbol = tg_symbol_find(w->graph, data[k].name);
    const bool is_known = is_number(data[k].name, &number);
    if (symbol >= 0 && tg_node_depends_on(w->graph, w->facts.objective, symbol))
      w->numbers[w->facts.n_data++] = (tg_strategy_datum){symbol, is_known, number};
  }
}

static void lower(world *w)
{
  const int32_t n = tg_symbol_count(w->graph);
  double *values = NULL;
  bool *known = NULL;
  assert_int_equal(TG_NEW(n, &values), TG_OK);
  assert_int_equal(TG_NEW(n, &known), TG_OK);
  for (int k = 0; k < w->facts.n_data; k++) {
    values[w->numbers[k].symbol] = w->numbers[k].number;
    known[w->numbers[k].symbol] = w->numbers[k].is_number;
  }
  const tg_lower_options options = {.want_hessian = true, .scalar_values = values, .has_scalar_value = known};
  const tg_status status = tg_lower(w->graph, w->facts.objective, w->n, w->symbols, &options, &w->plan);
  if (status != TG_OK) fail_msg("%s: %s", w->text[0], tg_error_get()->message);
  tg_free(values);
  tg_free(known);
}

static void find_groups(world *w)
{
  w->facts.n_groups = 1;
  for (int k = 0; k < w->n; k++) {
    const opt_constraint_kind kind = w->variables[k].set.kind;
    if (w->variables[k].set.norm1 > 0 || (kind != OPT_CONSTRAINT_FREE && !opt_constraint_row_of(kind)->is_bounds))
      return;
  }
  assert_int_equal(tg_find_groups(w->graph, w->facts.objective, w->n, w->symbols, &w->facts.n_groups, w->group_rows),
                   TG_OK);
}

static void open_world(const char *line, world *w)
{
  memset(w, 0, sizeof *w);
  split_line(line, w);
  read_variables(w);
  read_options(w);
  compile(w);
  lower(w);
  find_groups(w);
  w->rounds.penalty = tg_symbol_find(w->graph, "r");
  w->facts.plan = w->plan;
  w->facts.n_variables = w->n;
  w->facts.symbols = w->symbols;
  w->facts.variables = w->variables;
  w->facts.data = w->numbers;
  w->facts.has_kinks = has_kinks(w->graph, w->facts.objective);
}

static void close_world(world *w)
{
  tg_plan_destroy(&w->plan);
  tg_graph_destroy(&w->graph);
}

// ---- the answer ----

static void add_way(const tg_strategy *s, const tg_way *way, tg_text *out)
{
  static const char *const kinds[TG_CLOSED_KINDS] = {"none",    "cholesky",     "spectral",
                                                     "inverse", "eigenvectors", "polar"};
  static const char *const preconditioners[] = {"", "+logdet", "+kronecker", "+diagonal"};
  static const char *const conditions[] = {"definite", "nonnegative", "light", "terms", "pays", "positive"};
  const char *between = "?";
  tg_text_add(out, way->solver->name);
  if (tg_way_is_direct(way)) tg_text_addf(out, ":%s", kinds[s->form.kind]);
  tg_text_add(out, preconditioners[way->preconditioner]);
  for (size_t k = 0; k < sizeof conditions / sizeof conditions[0]; k++) {
    if ((way->conditions >> k & 1U) == 0) continue;
    tg_text_addf(out, "%s%s", between, conditions[k]);
    between = ",";
  }
  if (way->n_groups > 1) tg_text_addf(out, " in %d groups", (int)way->n_groups);
  if (tg_way_second(way) != NULL) tg_text_addf(out, ", after %d %s", (int)way->after, tg_way_second(way));
}

static void add_signed(const tg_graph *graph, const tg_strategy *s, tg_text *out)
{
  for (int k = 0; k < s->n_signed; k++)
    tg_text_addf(out, "%s%s", k == 0 ? " of " : ",", tg_symbol_info(graph, s->signed_symbols[k])->name);
}

static void add_answer(const tg_graph *graph, const tg_strategy *s, tg_text *out)
{
  static const char *const reasons[] = {"asked", "asked",     "form",    "halves", "quadratic",
                                        "exact", "envelopes", "general", "set",    "proximal"};
  for (int k = 0; k < s->n_ways; k++) {
    if (k > 0) tg_text_add(out, " > ");
    add_way(s, &s->ways[k], out);
  }
  add_signed(graph, s, out);
  tg_text_addf(out, " because %s", reasons[s->ways[0].reason]);
}

// The answer as a text; a refusal as its message.
static void decide(world *w, tg_text *out)
{
  tg_strategy *s = NULL;
  tg_strategy_key key = TG_KEY_NONE;
  const tg_status status = tg_strategize(w->graph, &w->facts, &w->costs, &key, &s);
  if (status == TG_OK) {
    add_answer(w->graph, s, out);
  } else {
    assert_int_equal(status, TG_UNSUPPORTED);
    assert_null(s);
    tg_text_addf(out, "refused: %s", tg_error_get()->message);
    tg_error_clear();
  }
  tg_strategy_destroy(&s);
}

// What is not in figures must be said: every way has words, before the numbers and after.
static void check_words(world *w)
{
  tg_strategy *s = NULL;
  tg_strategy_key key = TG_KEY_NONE;
  tg_text text;
  if (tg_strategize(w->graph, &w->facts, &w->costs, &key, &s) != TG_OK) {
    tg_error_clear();
    return;
  }
  tg_text_init(&text);
  for (int k = 0; k < s->n_ways; k++) {
    const tg_verdict verdict = {.way = k, .refused = "S is singular"};
    tg_text_clear(&text);
    tg_strategy_explain(w->graph, s, &verdict, &text);
    const char *said = tg_text_string(&text);
    const char *name = strstr(said, s->ways[k].solver->name);
    if (name == NULL || strlen(name) < strlen(s->ways[k].solver->name) + 10) fail_msg("%s: %s", w->text[0], said);
    tg_text_clear(&text);
    tg_strategy_explain_preconditioner(s, &verdict, &text);
    assert_true(text.length >= 4);
    tg_text_clear(&text);
    tg_strategy_print(w->graph, s, &verdict, "", &text);
    assert_non_null(strstr(tg_text_string(&text), "  method    "));
    assert_int_equal(tg_text_status(&text), TG_OK);
  }
  tg_text_fini(&text);
  tg_strategy_destroy(&s);
}

static int check_line(const char *line)
{
  static world w;
  tg_text found;
  int failed = 0;
  open_world(line, &w);
  tg_text_init(&found);
  decide(&w, &found);
  const char *expected = w.text[3];
  const char *got = tg_text_string(&found);
  const bool is_start = expected[0] != '\0' && expected[strlen(expected) - 1] == '~'; // the beginning of a message
  const bool is_right = is_start ? strncmp(got, expected, strlen(expected) - 1) == 0 : strcmp(got, expected) == 0;
  if (!is_right) {
    print_error("%s | %s | %s | %s\n", w.text[0], w.text[1], w.text[2], got);
    failed = 1;
  }
  check_words(&w);
  tg_text_fini(&found);
  close_world(&w);
  return failed;
}

static void test_table(void **unused)
{
  (void)unused;
  char line[LINE];
  int lines = 0;
  int failed = 0;
  FILE *file = fopen("tests/data/strategies.txt", "r");
  assert_non_null(file);
  while (fgets(line, sizeof line, file) != NULL) {
    const char *text = trim(line);
    if (text[0] == '\0' || text[0] == '#') continue;
    failed += check_line(text);
    lines++;
  }
  fclose(file);
  if (failed > 0) fail_msg("%d of %d objectives get other ways than the table says", failed, lines);
  assert_true(lines >= LEAST_LINES);
}

// ---- options without use ----

static void assert_unused(const char *line, const char *expected)
{
  static world w;
  tg_unused unused[TG_UNUSED_MAX];
  tg_strategy *s = NULL;
  tg_strategy_key key = TG_KEY_NONE;
  tg_text text;
  open_world(line, &w);
  tg_text_init(&text);
  assert_int_equal(tg_strategize(w.graph, &w.facts, &w.costs, &key, &s), TG_OK);
  const int n = tg_strategy_find_unused(&w.facts, s, &s->ways[0], unused);
  for (int k = 0; k < n; k++) {
    tg_text_add(&text, k > 0 ? "; " : "");
    tg_unused_explain(&unused[k], s, &s->ways[0], &text);
  }
  assert_string_equal(tg_text_string(&text), expected);
  tg_text_fini(&text);
  tg_strategy_destroy(&s);
  close_world(&w);
}

static void test_unused(void **unused)
{
  (void)unused;
  assert_unused("sumsq(K*X - Y) | X | method=l-bfgs memory=5 | -", "");
  assert_unused("sumsq(K*X - Y) | X | method=l-bfgs beta=dai-yuan | -",
                "beta is an option of conjugate-gradient; this job is minimised by l-bfgs, which does not use it");
  assert_unused("sumsq(K*X - Y) | X | trust_radius=2 | -",
                "trust_radius is an option of newton-cg; this job is minimised by direct, which does not use it");
  assert_unused("sum(exp(K*x)) + sumsq(x) | x | step_length=2 | -",
                "step_length is the step of line_search: fixed; this job's is strong-wolfe");
  assert_unused("sum(exp(K*x)) + sumsq(x) | x | method=newton-cg line_search=armijo | -",
                "newton-cg has its own step rule and does not use line_search");
  assert_unused("sumsq(X - C) | X | penalty=10 retraction=polar | -",
                "retraction is for orthonormal_columns, which no variable has; "
                "penalty is for subject_to, which this job does not have");
  assert_unused("sumsq(M - U*V) | U; V | memory=7 trust_radius=3 | -", ""); // each half-step takes what it needs
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_table), cmocka_unit_test(test_unused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
