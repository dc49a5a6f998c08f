// The corpora of tests/data: textbook gradients and Jacobians, each checked against the derived one and the numbers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "support/calculus_check.h"

enum { COLUMNS = 5, LINE_BYTES_MAX = 2048 };

typedef struct row {
  char line[LINE_BYTES_MAX];
  const char *cells[COLUMNS]; // expression, by, sizes, properties, expected
} row;

// "a | b | c | d | e", blanks around the cells dropped; false for comments and empty lines.
static bool split_row(row *r)
{
  char *at = r->line;
  for (int k = 0; k < COLUMNS; k++) {
    char *end = strchr(at, k + 1 < COLUMNS ? '|' : '\n');
    if (at[0] == '#' || at[0] == '\n') return false;
    assert_non_null(end);
    *end = '\0';
    while (isspace((unsigned char)*at)) at++;
    r->cells[k] = at;
    for (char *last = end - 1; last >= at && isspace((unsigned char)*last); last--) *last = '\0';
    at = end + 1;
  }
  return true;
}

typedef tg_status check_row(calculus_world *world, const char *text, const char *expected, calculus_verdict *verdict,
                            tg_text *why);

static tg_status check_gradient(calculus_world *world, const char *text, const char *expected,
                                calculus_verdict *verdict, tg_text *why)
{
  return calculus_check_gradient(world, text, &expected, verdict, why);
}

static tg_status check_jacobian(calculus_world *world, const char *text, const char *expected,
                                calculus_verdict *verdict, tg_text *why)
{
  return calculus_check_jacobian(world, text, expected, verdict, why);
}

static bool run_row(const row *r, check_row *check, uint64_t seed)
{
  calculus_world world;
  calculus_verdict verdict = CALCULUS_RIGHT;
  tg_text why;
  tg_text_init(&why);
  tg_status status = calculus_open(&world, r->cells[2], r->cells[3], r->cells[1], seed);
  if (status == TG_OK) status = check(&world, r->cells[0], r->cells[4], &verdict, &why);
  const bool right = status == TG_OK && verdict == CALCULUS_RIGHT;
  if (!right) {
    fprintf(stderr, "%s by %s:\n", r->cells[0], r->cells[1]);
    if (status != TG_OK) fprintf(stderr, "  %s\n", tg_error_get()->message);
    fprintf(stderr, "%s%s", verdict == CALCULUS_NOT_FIT ? "  differences too coarse to judge\n" : "",
            tg_text_string(&why));
  }
  calculus_close(&world);
  tg_text_fini(&why);
  return right;
}

static int run_file(const char *path, check_row *check, int *rows)
{
  row r;
  int wrong = 0;
  FILE *file = fopen(path, "r");
  if (file == NULL) print_error("%s: not found; tests run from the root of the source tree\n", path);
  assert_non_null(file);
  *rows = 0;
  while (fgets(r.line, sizeof r.line, file) != NULL) {
    if (!split_row(&r)) continue;
    (*rows)++;
    // Two points: an error that vanishes at one by chance shows at the other.
    wrong += !run_row(&r, check, 17) || !run_row(&r, check, 18);
  }
  fclose(file);
  print_message("%s: %d rows, %d wrong\n", path, *rows, wrong);
  return wrong;
}

static void test_gradients(void **unused)
{
  int rows = 0;
  (void)unused;
  assert_int_equal(run_file("tests/data/derivatives.txt", check_gradient, &rows), 0);
  assert_true(rows >= 200);
}

static void test_jacobians(void **unused)
{
  int rows = 0;
  (void)unused;
  assert_int_equal(run_file("tests/data/jacobians.txt", check_jacobian, &rows), 0);
  assert_true(rows >= 40);
}

// ---- symbolic sizes: 3 becomes a size named d3, and back ----

// Appends text with every size of eye, ones, zeros, comm named (3 to d3) or, with `back`, every name d3 a number again.
static void rename_sizes(const char *text, bool back, tg_text *out)
{
  static const char *const functions[] = {"eye(", "ones(", "zeros(", "comm("};
  bool in_sizes = false;
  for (const char *c = text; *c != '\0'; c++) {
    for (size_t k = 0; k < 4 && !in_sizes; k++) {
      const size_t n = strlen(functions[k]);
      in_sizes = in_sizes || (c >= text + n && strncmp(c - n, functions[k], n) == 0);
    }
    if (*c == ')') in_sizes = false;
    const bool first = c == text || !isdigit((unsigned char)c[-1]);
    const bool alone = !(isdigit((unsigned char)c[0]) && c[0] == '1' && !isdigit((unsigned char)c[1]));
    if (in_sizes && !back && isdigit((unsigned char)*c) && first && alone) tg_text_add(out, "d");
    if (in_sizes && back && *c == 'd') continue;
    tg_text_add_bytes(out, c, 1);
  }
}

// The gradient with all sizes symbolic, printed, its sizes made numbers again: the numbers of the numeric gradient.
static tg_status check_symbolic(calculus_world *world, const char *text, const char *expected,
                                calculus_verdict *verdict, tg_text *why)
{
  static char names[64][8];
  calculus_world symbolic = *world;
  tg_text renamed;
  tg_text printed;
  tg_node node = TG_NONE;
  tg_node gradient = TG_NONE;
  tg_status status = TG_OK;
  tg_text_init(&renamed);
  tg_text_init(&printed);
  symbolic.graph = NULL;
  TG_TRY_GOTO(tg_graph_create(&symbolic.graph));
  for (int32_t i = 0; i < symbolic.n_names; i++) {
    tg_declaration *d = &symbolic.declarations[i];
    snprintf(names[d->rows], sizeof names[0], "d%d", (int)d->rows);
    snprintf(names[d->cols], sizeof names[0], "d%d", (int)d->cols);
    d->rows_name = d->rows > 1 ? names[d->rows] : NULL;
    d->cols_name = d->cols > 1 ? names[d->cols] : NULL;
    d->rows = d->rows > 1 ? 0 : 1;
    d->cols = d->cols > 1 ? 0 : 1;
  }
  rename_sizes(text, false, &renamed);
  const tg_compile_options options = {.n_declarations = symbolic.n_names,
                                      .declarations = symbolic.declarations,
                                      .infer_undeclared = true,
                                      .require_scalar = true};
  TG_TRY_GOTO(tg_compile(symbolic.graph, tg_text_string(&renamed), renamed.length, &options, &node));
  const int32_t symbol = tg_symbol_find(symbolic.graph, symbolic.names[symbolic.wrt[0]].name);
  TG_TRY_GOTO(tg_gradient(symbolic.graph, node, 1, &symbol, &gradient));
  tg_text_clear(&renamed);
  TG_TRY_GOTO(tg_print(symbolic.graph, gradient, TG_FORMAT_EXPR, &renamed));
  rename_sizes(tg_text_string(&renamed), true, &printed);
  status = calculus_check_same(world, tg_text_string(&printed), expected, verdict, why);
done:
  tg_graph_destroy(&symbolic.graph);
  tg_text_fini(&renamed);
  tg_text_fini(&printed);
  return status;
}

// Rows whose sizes are products (kron, vec) cannot be renamed one number at a time.
static void test_symbolic_sizes(void **unused)
{
  row r;
  int rows = 0;
  int wrong = 0;
  (void)unused;
  FILE *file = fopen("tests/data/derivatives.txt", "r");
  assert_non_null(file);
  while (fgets(r.line, sizeof r.line, file) != NULL) {
    if (!split_row(&r) || strstr(r.cells[0], "kron") != NULL || strstr(r.cells[0], "vec(X") != NULL) continue;
    if (strpbrk(r.cells[0], "[:") != NULL) continue; // of numbers by nature
    wrong += !run_row(&r, check_symbolic, 19);
    rows++;
  }
  fclose(file);
  print_message("%d rows with symbolic sizes, %d wrong\n", rows, wrong);
  assert_int_equal(wrong, 0);
  assert_true(rows >= 200);
}

// The checks themselves: a gradient wrong by a factor, by a missing transpose of equal shape, by a sign, is found.
static void test_wrong_textbooks_are_found(void **unused)
{
  static const char *const wrong[][COLUMNS] = {
      {"sumsq(A*X - B)", "X", "A=4x3,X=3x4,B=4x4", "", "A'*(A*X - B)"},
      {"tr(A*X*B)", "X", "A=3x3,X=3x3,B=3x3", "", "(B*A)"},
      {"u'*A*u", "u", "A=4x4,u=4", "", "2*A*u"},
      {"logdet(X)", "X", "X=3x3", "X:definite", "-inv(X)'"},
      {"det(X)", "X", "X=3x3", "", "det(X)*inv(X)"},
  };
  (void)unused;
  for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
    calculus_world world;
    calculus_verdict verdict = CALCULUS_RIGHT;
    tg_text why;
    tg_text_init(&why);
    assert_int_equal(calculus_open(&world, wrong[k][2], wrong[k][3], wrong[k][1], 5), TG_OK);
    assert_int_equal(calculus_check_gradient(&world, wrong[k][0], &wrong[k][4], &verdict, &why), TG_OK);
    // Symmetric numbers cannot tell inv(X) from its transpose; these are not symmetric except for logdet's.
    assert_int_equal(verdict, CALCULUS_WRONG);
    assert_non_null(strstr(tg_text_string(&why), "textbook gradient"));
    calculus_close(&world);
    tg_text_fini(&why);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_gradients),
      cmocka_unit_test(test_jacobians),
      cmocka_unit_test(test_symbolic_sizes),
      cmocka_unit_test(test_wrong_textbooks_are_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
