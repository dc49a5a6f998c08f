// include/tracegrad.h as a program has it: parts in every format, failures in parts, wrong calls, memory that runs out,
// threads.
#include "tracegrad.h"

#include <locale.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "support/comma_locale.h"

static tracegrad_derivation *derived(const char *expression, const char *const *options)
{
  tracegrad_derivation *d = NULL;
  if (tracegrad_derive(expression, options, &d) != 0) fail_msg("%s: %s", expression, tracegrad_error());
  assert_non_null(d);
  return d;
}

static const char *text_of(tracegrad_derivation *d, int part, int k, int format)
{
  const char *text = NULL;
  if (tracegrad_derivation_text(d, part, k, format, &text) != 0) fail_msg("part %d: %s", part, tracegrad_error());
  return text;
}

#define expect_part(d, part, k, format, expected) assert_string_equal(text_of((d), (part), (k), (format)), (expected))
#define expect_in(text, part)                                                   \
  do {                                                                          \
    const char *in_ = (text);                                                   \
    if (strstr(in_, (part)) == NULL) fail_msg("'%s' is not in: %s", part, in_); \
  } while (0)

static const char *const by_x[] = {"wrt=X", NULL};

// ---- parts ----

static void test_parts(void **state)
{
  (void)state;
  static const char *const options[] = {"wrt=X, A'", "symmetric=A", "dims=A=3x3,X=3xk", "hessian=true", NULL};
  tracegrad_derivation *d = derived("tr(A*X*X') + sumsq(X)", options);
  assert_int_equal(tracegrad_derivation_is_scalar(d), 1);
  assert_int_equal(tracegrad_derivation_count(d), 2);
  assert_string_equal(tracegrad_derivation_wrt(d, 0), "X");
  assert_string_equal(tracegrad_derivation_wrt(d, 1), "A'");
  assert_null(tracegrad_derivation_wrt(d, 2));
  assert_string_equal(tracegrad_derivation_direction(d, 0), "V_X");
  expect_part(d, TRACEGRAD_DERIVATIVE, 0, TRACEGRAD_EXPR, "2*A*X + 2*X");
  expect_part(d, TRACEGRAD_DERIVATIVE, 0, TRACEGRAD_LATEX, "2 A X + 2 X");
  expect_part(d, TRACEGRAD_DERIVATIVE, 0, TRACEGRAD_NUMPY, "2 * A @ X + 2 * X");
  expect_part(d, TRACEGRAD_DERIVATIVE, 1, TRACEGRAD_EXPR, "X*X'");
  expect_in(text_of(d, TRACEGRAD_HESSIAN, 0, TRACEGRAD_EXPR), "V_X");
  expect_in(text_of(d, TRACEGRAD_STEPS, 0, TRACEGRAD_HUMAN), "Derivation by X:");
  expect_in(text_of(d, TRACEGRAD_STEPS, 0, TRACEGRAD_LATEX), "\\begin{align*}");
  expect_in(text_of(d, TRACEGRAD_STEPS, 0, TRACEGRAD_JSON), "\"rule\"");
  expect_in(text_of(d, TRACEGRAD_STRUCTURE, 0, TRACEGRAD_ASCII), "degree in X: 2");
  expect_in(text_of(d, TRACEGRAD_STRUCTURE, 0, TRACEGRAD_JSON), "\"degree\": 2");
  expect_in(text_of(d, TRACEGRAD_EVERYTHING, 0, TRACEGRAD_JSON), "\"hessian_action\"");
  expect_in(text_of(d, TRACEGRAD_EXPRESSION, 7, TRACEGRAD_JSON), "\"expr\"");
  expect_part(d, TRACEGRAD_NOTES, 0, TRACEGRAD_ASCII, "");
  // Read again, it is the same text.
  assert_ptr_equal(text_of(d, TRACEGRAD_DERIVATIVE, 0, TRACEGRAD_EXPR),
                   text_of(d, TRACEGRAD_DERIVATIVE, 0, TRACEGRAD_EXPR));
  tracegrad_derivation_destroy(&d);
  assert_null(d);
}

static void test_symbols_and_shapes(void **state)
{
  (void)state;
  static const char *const options[] = {"wrt=X", "spd=A", "dims=A=3x3,X=3xk,c=1", "positive=c", NULL};
  tracegrad_derivation *d = derived("tr(A*X*X')*c", options);
  tracegrad_symbol symbol;
  int found = 0;
  for (int k = 0; k < tracegrad_derivation_symbol_count(d); k++) {
    assert_int_equal(tracegrad_derivation_symbol(d, k, sizeof symbol, &symbol), 0);
    if (strcmp(symbol.name, "A") == 0) {
      found++;
      assert_int_equal(symbol.rows.number, 3);
      assert_string_equal(symbol.columns.text, "3");
      assert_true((symbol.properties & TRACEGRAD_SPD) != 0);
      assert_int_equal(symbol.wrt, -1);
    } else if (strcmp(symbol.name, "X") == 0) {
      found++;
      assert_int_equal(symbol.columns.number, -1);
      assert_string_equal(symbol.columns.text, "k");
      assert_int_equal(symbol.wrt, 0);
    } else {
      found++;
      assert_string_equal(symbol.name, "c");
      assert_true((symbol.properties & TRACEGRAD_POSITIVE) != 0);
    }
  }
  assert_int_equal(found, 3);
  tracegrad_size rows;
  tracegrad_size columns;
  assert_int_equal(tracegrad_derivation_shape(d, TRACEGRAD_DERIVATIVE, 0, &rows, &columns), 0);
  assert_int_equal(rows.number, 3);
  assert_string_equal(columns.text, "k");
  assert_int_equal(tracegrad_derivation_shape(d, TRACEGRAD_EXPRESSION, 0, &rows, &columns), 0);
  assert_int_equal(columns.number, 1);
  assert_int_equal(tracegrad_derivation_shape(d, TRACEGRAD_HESSIAN, 0, &rows, &columns), 2);
  tracegrad_derivation_destroy(&d);
}

static void test_jacobian(void **state)
{
  (void)state;
  static const char *const options[] = {"wrt=A", "dims=A=3x4,B=4x5", "steps=true", NULL};
  tracegrad_derivation *d = derived("A*B", options);
  const char *text = NULL;
  assert_int_equal(tracegrad_derivation_is_scalar(d), 0);
  expect_part(d, TRACEGRAD_DERIVATIVE, 0, TRACEGRAD_EXPR, "kron(B', eye(3))");
  expect_in(text_of(d, TRACEGRAD_STEPS, 0, TRACEGRAD_ASCII), "vec(dF)");
  expect_in(text_of(d, TRACEGRAD_EVERYTHING, 0, TRACEGRAD_HUMAN), "Derivation by A");
  assert_int_equal(tracegrad_derivation_text(d, TRACEGRAD_STRUCTURE, 0, TRACEGRAD_HUMAN, &text), 2);
  assert_null(text);
  assert_int_equal(tracegrad_derivation_text(d, TRACEGRAD_STEPS, 0, TRACEGRAD_JSON, &text), 2);
  assert_int_equal(tracegrad_derivation_text(d, TRACEGRAD_HESSIAN, 0, TRACEGRAD_EXPR, &text), 2);
  expect_in(tracegrad_error(), "hessian");
  tracegrad_derivation_destroy(&d);
}

static void test_within_and_notes(void **state)
{
  (void)state;
  static const char *const options[] = {"wrt=X", "within=symmetric", "symmetric=Q", NULL};
  tracegrad_derivation *d = derived("tr(A*X)/N", options);
  expect_part(d, TRACEGRAD_DERIVATIVE, 0, TRACEGRAD_EXPR, "0.5*(A + A')/N");
  expect_in(text_of(d, TRACEGRAD_NOTES, 0, 0), "note: ");
  expect_in(text_of(d, TRACEGRAD_NOTES, 0, 0), "warning: 'Q' is declared, but does not occur");
  tracegrad_derivation_destroy(&d);
}

static void test_claims(void **state)
{
  (void)state;
  tracegrad_derivation *d = derived("sumsq(X)", by_x);
  int verdict = -1;
  const char *text = NULL;
  assert_int_equal(tracegrad_derivation_claim(d, 0, "X + X", &verdict, &text), 0);
  assert_int_equal(verdict, TRACEGRAD_EQUAL);
  expect_in(text, "equal");
  for (int k = 0; k < 100; k++) { // more than texts of errors are kept
    const char *again = NULL;
    assert_int_equal(tracegrad_derivation_claim(d, 0, "X +", &verdict, &again), 2);
    assert_int_equal(verdict, TRACEGRAD_UNDECIDED);
    assert_null(again);
    expect_in(tracegrad_error(), "claim:1:4: error");
  }
  assert_int_equal(tracegrad_derivation_claim(d, 0, "3*X", &verdict, NULL), 0);
  assert_int_equal(verdict, TRACEGRAD_DIFFERENT);
  expect_in(text, "equal"); // as long as the derivation lives
  tracegrad_derivation_destroy(&d);
}

// ---- failures ----

static void test_failures_in_parts(void **state)
{
  (void)state;
  static const char *const options[] = {"wrt=X", "dims=X=3x4,Y=0", "symetric=A", "no equals sign", NULL};
  tracegrad_derivation *d = (tracegrad_derivation *)&d;
  tracegrad_failure failure;
  assert_int_equal(tracegrad_derive("tr(X) + sin(, 2)", options, &d), 2);
  assert_null(d);
  assert_true(tracegrad_error_count() >= 4);
  assert_int_equal(tracegrad_error_get(0, sizeof failure, &failure), 0);
  assert_int_equal(failure.code, TRACEGRAD_USAGE);
  assert_string_equal(failure.label, "usage");
  assert_string_equal(failure.source, "dims");
  assert_int_equal(failure.begin, 8);
  assert_int_equal(failure.length, 1);
  assert_int_equal(failure.column, 9);
  assert_int_equal(tracegrad_error_get(1, sizeof failure, &failure), 0);
  assert_null(failure.source);
  expect_in(failure.message, "did you mean 'symmetric'");
  assert_int_equal(tracegrad_error_get(3, sizeof failure, &failure), 0);
  assert_int_equal(failure.code, TRACEGRAD_SYNTAX);
  assert_string_equal(failure.source, "expression");
  assert_int_equal(failure.begin, 12);
  expect_in(tracegrad_error(), "expression:1:13: error: ");
  expect_in(tracegrad_error(), "\n                ^");
  // Looking at failures does not change them.
  assert_int_equal(tracegrad_error_get(99, sizeof failure, &failure), 2);
  assert_int_equal(tracegrad_error_get(0, sizeof failure - 1, &failure), 2);
  assert_int_equal(tracegrad_error_get(0, sizeof failure, NULL), 2);
  assert_true(tracegrad_error_count() >= 4);
  // Nor do calls that succeed.
  d = derived("tr(X)", by_x);
  assert_true(tracegrad_error_count() >= 4);
  tracegrad_derivation_destroy(&d);
}

static void test_wrong_calls(void **state)
{
  (void)state;
  tracegrad_derivation *d = NULL;
  const char *text = NULL;
  int verdict = 0;
  tracegrad_symbol symbol;
  tracegrad_size size;
  assert_int_equal(tracegrad_derivation_create(NULL), 2);
  expect_in(tracegrad_error(), "tracegrad_derivation_create: the argument out is NULL");
  tracegrad_derivation_destroy(NULL);
  tracegrad_derivation_destroy(&d);
  assert_int_equal(tracegrad_derivation_create(&d), 0);
  assert_int_equal(tracegrad_derivation_set(NULL, "wrt", "X"), 2);
  assert_int_equal(tracegrad_derivation_set(d, NULL, "X"), 2);
  assert_int_equal(tracegrad_derivation_set(d, "wrt", NULL), 2);
  assert_int_equal(tracegrad_derivation_derive(d, NULL), 2);
  assert_int_equal(tracegrad_derivation_text(d, TRACEGRAD_NOTES, 0, 0, &text), 2);
  assert_int_equal(tracegrad_derivation_claim(d, 0, "X", &verdict, &text), 2);
  assert_int_equal(tracegrad_derivation_symbol(d, 0, sizeof symbol, &symbol), 2);
  assert_int_equal(tracegrad_derivation_shape(d, TRACEGRAD_DERIVATIVE, 0, &size, &size), 2);
  assert_int_equal(tracegrad_derivation_symbol_count(d), 0);
  assert_int_equal(tracegrad_derivation_symbol_count(NULL), 0);
  assert_int_equal(tracegrad_derivation_count(NULL), 0);
  assert_int_equal(tracegrad_derivation_is_scalar(NULL), 0);
  assert_null(tracegrad_derivation_wrt(NULL, 0));
  assert_null(tracegrad_derivation_direction(d, 0));
  assert_int_equal(tracegrad_derivation_set(d, "wrt", "X"), 0);
  assert_int_equal(tracegrad_derivation_derive(d, "sumsq(X)"), 0);
  assert_int_equal(tracegrad_derivation_derive(d, "sumsq(X)"), 2);
  assert_int_equal(tracegrad_derivation_set(d, "wrt", "X"), 2);
  assert_int_equal(tracegrad_derivation_text(d, TRACEGRAD_DERIVATIVE, 1, TRACEGRAD_EXPR, &text), 2);
  expect_in(tracegrad_error(), "there is no name 1");
  assert_int_equal(tracegrad_derivation_text(d, TRACEGRAD_DERIVATIVE, -1, TRACEGRAD_EXPR, &text), 2);
  assert_int_equal(tracegrad_derivation_text(d, 99, 0, TRACEGRAD_EXPR, &text), 2);
  assert_int_equal(tracegrad_derivation_text(d, TRACEGRAD_DERIVATIVE, 0, 99, &text), 2);
  assert_int_equal(tracegrad_derivation_text(d, TRACEGRAD_DERIVATIVE, 0, 0, NULL), 2);
  assert_int_equal(tracegrad_derivation_text(NULL, TRACEGRAD_DERIVATIVE, 0, 0, &text), 2);
  assert_null(text);
  assert_int_equal(tracegrad_derivation_claim(d, 5, "X", &verdict, &text), 2);
  assert_int_equal(tracegrad_derivation_claim(d, 0, NULL, &verdict, &text), 2);
  assert_int_equal(tracegrad_derivation_claim(d, 0, "X", NULL, &text), 2);
  assert_int_equal(tracegrad_derivation_symbol(d, 0, 3, &symbol), 2);
  assert_int_equal(tracegrad_derivation_symbol(d, 50, sizeof symbol, &symbol), 2);
  assert_int_equal(tracegrad_derivation_shape(d, TRACEGRAD_STEPS, 0, &size, &size), 2);
  assert_int_equal(tracegrad_derivation_shape(d, TRACEGRAD_DERIVATIVE, 0, NULL, &size), 2);
  tracegrad_derivation_destroy(&d);
}

static void test_limits(void **state)
{
  (void)state;
  static const char *const nodes[] = {"wrt=X", "max_nodes=3", NULL};
  static const char *const bytes[] = {"wrt=X", "max_bytes=10", NULL};
  static const char *const wrong[] = {"wrt=X", "max_bytes=ten", NULL};
  tracegrad_derivation *d = NULL;
  tracegrad_failure failure;
  const char *text = NULL;
  assert_int_equal(tracegrad_derive("tr(A*X*B*X')", nodes, &d), 2);
  assert_int_equal(tracegrad_error_get(0, sizeof failure, &failure), 0);
  assert_int_equal(failure.code, TRACEGRAD_LIMIT);
  assert_int_equal(tracegrad_derive("tr(A*X*B*X')", bytes, &d), 2);
  assert_int_equal(tracegrad_error_get(0, sizeof failure, &failure), 0);
  assert_int_equal(failure.code, TRACEGRAD_LIMIT);
  assert_int_equal(tracegrad_derive("tr(X)", wrong, &d), 2);
  expect_in(tracegrad_error(), "found 'ten'");
  d = derived("sumsq(X)", bytes);
  assert_int_equal(tracegrad_derivation_text(d, TRACEGRAD_EVERYTHING, 0, TRACEGRAD_HUMAN, &text), 2);
  expect_in(tracegrad_error(), "max_bytes");
  expect_part(d, TRACEGRAD_DERIVATIVE, 0, TRACEGRAD_EXPR, "2*X");
  tracegrad_derivation_destroy(&d);
}

// A decimal comma in the caller's locale changes nothing, and is left to the caller.
static void test_locale(void **state)
{
  (void)state;
  if (!comma_locale_set()) skip();
  char before[32];
  char after[32];
  snprintf(before, sizeof before, "%.1f", 0.5);
  tracegrad_derivation *d = derived("0.25*sumsq(X)", by_x);
  expect_part(d, TRACEGRAD_DERIVATIVE, 0, TRACEGRAD_EXPR, "0.5*X");
  snprintf(after, sizeof after, "%.1f", 0.5);
  assert_string_equal(before, "0,5");
  assert_string_equal(after, "0,5");
  tracegrad_derivation_destroy(&d);
  setlocale(LC_ALL, "C");
}

// ---- memory ----

static void add_to_sum(const char *text, uint64_t *sum)
{
  for (; *text != '\0'; text++) *sum = (*sum ^ (unsigned char)*text) * UINT64_C(1099511628211);
}

static void test_programs(void **state)
{
  (void)state;
  static const char *const options[] = {"wrt=X,A", "hessian=true", NULL};
  tracegrad_derivation *d = derived("tr(X'*A*X)", options);
  const char *text = NULL;
  expect_in(text_of(d, TRACEGRAD_FUNCTION, 0, TRACEGRAD_NUMPY), "def hessian_product(");
  expect_in(text_of(d, TRACEGRAD_FUNCTION, 7, TRACEGRAD_C), "cblas_dgemm(");
  expect_in(text_of(d, TRACEGRAD_FUNCTION, 0, TRACEGRAD_FORTRAN), "end module objective");
  assert_int_equal(tracegrad_derivation_text(d, TRACEGRAD_FUNCTION, 0, TRACEGRAD_LATEX, &text), 2);
  assert_int_equal(tracegrad_derivation_text(d, TRACEGRAD_DERIVATIVE, 0, TRACEGRAD_JULIA, &text), 2);
  expect_in(tracegrad_error(), "julia has functions alone");
  tracegrad_derivation_destroy(&d);
}

// A program, likewise.
static int use_function(uint64_t *sum)
{
  static const char *const options[] = {"wrt=X", "dims=A=3x3,X=3x2", NULL};
  tracegrad_derivation *d = NULL;
  const char *text = NULL;
  int exit_class = tracegrad_derive("tr(X'*A*X)", options, &d);
  if (exit_class == 0) exit_class = tracegrad_derivation_text(d, TRACEGRAD_FUNCTION, 0, TRACEGRAD_C, &text);
  if (exit_class == 0) add_to_sum(text, sum);
  tracegrad_derivation_destroy(&d);
  return exit_class;
}

// One use of everything; the exit class of the first call that fails, and a sum over the texts that came out.
static int use(uint64_t *sum)
{
  static const char *const options[] = {"wrt=X,A", "spd=S", "hessian=true", NULL};
  static const char *const unused[] = {"wrt=X", "spd=S", NULL};
  tracegrad_derivation *d = NULL;
  tracegrad_symbol symbol;
  tracegrad_size size[2];
  const char *text = NULL;
  int verdict = 0;
  int exit_class = tracegrad_derive("tr(X)/N", unused, &d);
  tracegrad_derivation_destroy(&d);
  if (exit_class == 0) exit_class = tracegrad_derive("tr(A*X*S*X') + sum(exp(X))", options, &d);
  for (int part = 0; exit_class == 0 && part <= TRACEGRAD_NOTES; part++)
    for (int format = 0; exit_class == 0 && format <= TRACEGRAD_JSON; format++)
      if ((exit_class = tracegrad_derivation_text(d, part, 0, format, &text)) == 0) add_to_sum(text, sum);
  if (exit_class == 0) exit_class = tracegrad_derivation_claim(d, 0, "A", &verdict, &text);
  if (exit_class == 0) add_to_sum(text, sum);
  if (exit_class == 0) exit_class = tracegrad_derivation_symbol(d, 0, sizeof symbol, &symbol);
  if (exit_class == 0) exit_class = tracegrad_derivation_shape(d, TRACEGRAD_HESSIAN, 0, &size[0], &size[1]);
  tracegrad_derivation_destroy(&d);
  return exit_class;
}

static void run_out_of_memory(int (*use_it)(uint64_t *sum))
{
  const int64_t before = tg_alloc_count();
  uint64_t expected = 0;
  assert_int_equal(use_it(&expected), 0);
  const int64_t count = tg_alloc_count() - before;
  assert_true(count > 100);
  for (int64_t k = 1; k <= count; k += k < 400 ? 1 : 7) {
    tracegrad_failure failure;
    tg_alloc_fail_after(k);
    uint64_t sum = 0;
    const int exit_class = use_it(&sum);
    tg_alloc_fail_after(0);
    // The text of a reading that is given up for another one may be lost, nothing else.
    if (exit_class == 0 && sum == expected) continue;
    if (exit_class != 1) fail_msg("allocation %d of %d fails: exit class %d", (int)k, (int)count, exit_class);
    assert_int_equal(tracegrad_error_get(0, sizeof failure, &failure), 0);
    assert_int_equal(failure.code, TRACEGRAD_MEMORY);
    expect_in(tracegrad_error(), "allocate");
  }
  uint64_t sum = 0;
  assert_int_equal(use_it(&sum), 0);
  assert_true(sum == expected);
}

static void test_memory_runs_out(void **state)
{
  (void)state;
  run_out_of_memory(use);
}

static void test_memory_runs_out_in_a_program(void **state)
{
  (void)state;
  run_out_of_memory(use_function);
}

// ---- threads ----

enum { THREADS = 6, ROUNDS = 20 };

typedef struct work {
  int seed;
  int failed;
} work;

static void *derive_much(void *argument)
{
  work *w = argument;
  static const char *const expressions[] = {"tr(A*X*B*X')", "logdet(X*X' + S)", "sum(log(1 + exp(X)))",
                                            "norm2(A*X - B)", "sumsq(X) + tr(inv(X'*X))"};
  for (int k = 0; k < ROUNDS; k++) {
    char wrong[64];
    tracegrad_derivation *d = NULL;
    const char *first = NULL;
    const char *again = NULL;
    const char *expression = expressions[(k + w->seed) % 5];
    int verdict = -1;
    snprintf(wrong, sizeof wrong, "tr(X + name%d_%d(", w->seed, k);
    if (tracegrad_derive(wrong, by_x, &d) != 2 || strstr(tracegrad_error(), wrong) == NULL) w->failed++;
    if (tracegrad_derive(expression, by_x, &d) != 0) {
      w->failed++;
      continue;
    }
    if (tracegrad_derivation_text(d, TRACEGRAD_DERIVATIVE, 0, TRACEGRAD_EXPR, &first) != 0) w->failed++;
    if (tracegrad_derivation_text(d, TRACEGRAD_EVERYTHING, 0, TRACEGRAD_JSON, &again) != 0) w->failed++;
    if (first != NULL && (tracegrad_derivation_claim(d, 0, first, &verdict, NULL) != 0 || verdict != TRACEGRAD_EQUAL))
      w->failed++;
    if (strstr(tracegrad_error(), wrong) == NULL) w->failed++; // still my own
    tracegrad_derivation_destroy(&d);
  }
  return NULL;
}

static void test_threads(void **state)
{
  (void)state;
  pthread_t threads[THREADS];
  work works[THREADS];
  for (int k = 0; k < THREADS; k++) {
    works[k] = (work){.seed = k};
    assert_int_equal(pthread_create(&threads[k], NULL, derive_much, &works[k]), 0);
  }
  for (int k = 0; k < THREADS; k++) {
    pthread_join(threads[k], NULL);
    assert_int_equal(works[k].failed, 0);
  }
}

// ---- random calls ----

static uint32_t next_random(uint32_t *state)
{
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

static const char *pick(uint32_t *state, const char *const *from, uint32_t n)
{
  return from[next_random(state) % n];
}

// Any order of calls, any argument: an exit class, a message for each failure, no crash.
static void test_random_calls(void **state)
{
  (void)state;
  static const char *const names[] = {"wrt",      "dims", "symmetric", "spd",       "within", "hessian", "steps",
                                      "positive", "wtr",  "max_bytes", "max_nodes", "",       "wrt",     NULL};
  static const char *const values[] = {"X",        "X,Y",  "X'", "A=3x4", "A=3x3,X=3xn", "",  "symmetric",
                                       "lower",    "true", "12", ",,,",   "X=,=3",       "A", "1000000000000000000000",
                                       "\xff\xfe", "sum",  "-1", NULL};
  static const char *const expressions[] = {
      "sumsq(A*X)", "tr(X)",          "A*X*Y",      "X'",    "sin(X",       "",  "X + Y + 1",
      "logdet(X)",  "\xce\xbb*tr(X)", "((((((((((", "X^999", "sum(abs(X))", NULL};
  const char *seed_text = getenv("TRACEGRAD_FIRST");
  const char *trials_text = getenv("TRACEGRAD_TRIALS");
  uint32_t seed = seed_text != NULL ? (uint32_t)strtoul(seed_text, NULL, 10) : 20261130u;
  const long trials = trials_text != NULL ? strtol(trials_text, NULL, 10) : 4000;
  tracegrad_derivation *d = NULL;
  printf("random calls from TRACEGRAD_FIRST=%u\n", seed);
  for (long k = 0; k < trials; k++) {
    const int j = (int)(next_random(&seed) % 6) - 1;
    const char *text = NULL;
    int verdict = 0;
    int exit_class = 0;
    tracegrad_symbol symbol;
    tracegrad_size sizes[2];
    switch (next_random(&seed) % 11) {
    case 0:
      tracegrad_derivation_destroy(&d);
      exit_class = tracegrad_derivation_create(&d);
      break;
    case 1:
    case 2:
    case 3:
      exit_class = tracegrad_derivation_set(d, pick(&seed, names, 14), pick(&seed, values, 18));
      break;
    case 4:
    case 5:
      exit_class = tracegrad_derivation_derive(d, pick(&seed, expressions, 13));
      break;
    case 6:
    case 7:
      exit_class =
          tracegrad_derivation_text(d, (int)(next_random(&seed) % 9) - 1, j, (int)(next_random(&seed) % 9) - 1, &text);
      assert_int_equal(text != NULL, exit_class == 0);
      break;
    case 8:
      exit_class = tracegrad_derivation_claim(d, j, pick(&seed, expressions, 13), &verdict, &text);
      break;
    case 9:
      exit_class = tracegrad_derivation_symbol(d, j, sizeof symbol, &symbol);
      if (exit_class == 0) assert_true(strlen(symbol.name) > 0 && strlen(symbol.rows.text) > 0);
      break;
    default:
      exit_class = tracegrad_derivation_shape(d, (int)(next_random(&seed) % 9) - 1, j, &sizes[0], &sizes[1]);
    }
    assert_true(exit_class == 0 || exit_class == 2);
    if (exit_class != 0) assert_true(strlen(tracegrad_error()) > 0 && tracegrad_error_count() > 0);
  }
  tracegrad_derivation_destroy(&d);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_parts),       cmocka_unit_test(test_symbols_and_shapes),
      cmocka_unit_test(test_jacobian),    cmocka_unit_test(test_within_and_notes),
      cmocka_unit_test(test_claims),      cmocka_unit_test(test_failures_in_parts),
      cmocka_unit_test(test_wrong_calls), cmocka_unit_test(test_limits),
      cmocka_unit_test(test_locale),      cmocka_unit_test(test_memory_runs_out),
      cmocka_unit_test(test_programs),    cmocka_unit_test(test_memory_runs_out_in_a_program),
      cmocka_unit_test(test_threads),     cmocka_unit_test(test_random_calls),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
