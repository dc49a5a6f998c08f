// Named parts: what they mean, where their errors are shown, and that no chain of them exhausts anything.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "grad/calculus.h"

static tg_status compile(tg_graph *graph, const char *text, int32_t n, const tg_part *parts, bool *used, tg_node *out)
{
  const tg_compile_options options = {.infer_undeclared = true, .n_parts = n, .parts = parts, .parts_used = used};
  return tg_compile(graph, text, strlen(text), &options, out);
}

// A text with parts, and the same with the parts put in.
static const char *const same[][2] = {
    {"sumsq(R) where R = Y - X*W", "sumsq(Y - X*W)"},
    {"sumsq(R) where R = Y - P, P = X*W", "sumsq(Y - X*W)"},
    {"sumsq(R) where P = X*W; R = Y - P;", "sumsq(Y - X*W)"},
    {"sumsq(R) where\n  R = Y - P\n  P = X*W", "sumsq(Y - X*W)"},
    {"R = Y - X*W; sumsq(R) + s*sum(R)", "sumsq(Y - X*W) + s*sum(Y - X*W)"},
    {"R = Y - X*W\ns = sum(R)\n-s^2", "-sum(Y - X*W)^2"},
    {"R = (Y -\n X*W)\nsumsq(R)", "sumsq(Y - X*W)"},
    {"T1 = X @ W\nT2 = np.exp(T1)\nnp.sum(T1 * T2)", "sum((X*W).*exp(X*W))"},
    {"np.sum(R * R) where R = X @ W", "sumsq(X*W)"},
    {"‖R‖₁ + ‖Q‖² where R = Y − X·W, Q = ‖X‖₁·W", "norm1(Y - X*W) + sumsq(norm1(X)*W)"},
    {"⟨A, R⟩ where R = ⟨A, B⟩·A", "dot(A, dot(A, B)*A)"},
    {"\\begin{aligned}\n& \\|T_{1}\\|_F^2 \\\\\n& \\text{where } T_{1} = A X\n\\end{aligned}", "sumsq(A*X)"},
    {"R = Y - X*W\n\nsumsq(R);\n", "sumsq(Y - X*W)"},
    {"P = X*W;\n\n R = Y - P\n\n sumsq(R) - sum(Q)\n where Q = P'", "sumsq(Y - X*W) - sum(X*W)"},
    {"sum(X^k) where k = 3", "sum(X^3)"},
    {"λ_1*sumsq(X) where λ_1 = 2", "2*sumsq(X)"},
    {"tr(I)*sum(A^T) where I = A", "tr(A)*sum(A')"},
    {"c*R where R = sumsq(x)", "c*sumsq(x)"},
    {"sum([A, B](1:2,2:3)) where A = ones(2,2), B = ones(2,2)", "sum([ones(2,2), ones(2,2)](1:2,2:3))"},
};

static void test_same(void **unused)
{
  int wrong = 0;
  (void)unused;
  for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
    tg_graph *graph = NULL;
    tg_node a = TG_NONE;
    tg_node b = TG_NONE;
    assert_int_equal(tg_graph_create(&graph), TG_OK);
    tg_status status = compile(graph, same[i][1], 0, NULL, NULL, &b);
    if (status == TG_OK) status = compile(graph, same[i][0], 0, NULL, NULL, &a);
    if (status != TG_OK || a != b)
      fprintf(stderr, "%s: %s\n", same[i][0], status != TG_OK ? tg_error_get()->message : "another node");
    wrong += status != TG_OK || a != b;
    tg_graph_destroy(&graph);
  }
  assert_int_equal(wrong, 0);
}

typedef struct refusal {
  const char *text;
  const char *message;
  size_t begin;
} refusal;

static const refusal refusals[] = {
    {"sumsq(R) where R = Y - P, P = R*W", "the part 'R' is defined in terms of itself", 30},
    {"sumsq(R) where R = R", "the part 'R' is defined in terms of itself", 19},
    {"sumsq(R) where R = X, Q = X", "the part 'Q' is not used", 22},
    {"sumsq(R) where R = X, R = Y", "the part 'R' is defined twice", 22},
    {"sumsq(R) where R = X, tr = Y", "'tr' is a function and cannot name a part", 22},
    {"sumsq(R) where R = X*, Q = 2", "found the end of the expression", 21},
    {"sumsq(R) where R =", "the expression is empty", 18},
    {"sumsq(R) where", "behind 'where' stand the parts", 9},
    {"sumsq(R) where R: 3 x 4", "behind 'where' stand the parts", 9},
    {"sumsq(R) where R = X, Q", "expected the definition of a part, as R = Y - X*W, found 'Q'", 22},
    {"R = X; Q = R", "the value is missing", 7},
    {"R = X; R*R; R", "only the last line stands without a name", 7},
    {"R = X; R*R; Q = R", "only the last line stands without a name", 7},
    {"R = X\nR*R\n+ R", "only the last line stands without a name", 6},
    {"x = 3", "an expression has no equation", 2},
    {"f = sumsq(X)", "an expression has no equation", 2},
    {"sum(eye(k)*R) where k = 3, R = X", "the part 'k' cannot be a size", 8},
    {"sum(R*R) where R = x*y'", "R*R needs columns(R) = rows(R), found 4 and 3", 4},
    {"sum(R) where R = A*Q, Q = x*y", "needs columns(x) = rows(y)", 26},
};

static void test_refused(void **unused)
{
  int wrong = 0;
  const tg_declaration declared[] = {{.name = "x", .rows = 3, .cols = 1}, {.name = "y", .rows = 4, .cols = 1}};
  const tg_compile_options options = {.infer_undeclared = true, .n_declarations = 2, .declarations = declared};
  (void)unused;
  for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
    const refusal *r = &refusals[i];
    tg_graph *graph = NULL;
    tg_node f = TG_NONE;
    assert_int_equal(tg_graph_create(&graph), TG_OK);
    const tg_status status = tg_compile(graph, r->text, strlen(r->text), &options, &f);
    const tg_error *error = tg_error_get();
    const bool good = status != TG_OK && strstr(error->message, r->message) != NULL && error->span.begin == r->begin;
    if (!good)
      fprintf(stderr, "%s: %s at %zu\n", r->text, status == TG_OK ? "is read" : error->message, error->span.begin);
    wrong += !good;
    tg_graph_destroy(&graph);
  }
  assert_int_equal(wrong, 0);
}

// Parts given beside the expression: errors in their own texts, and which of them are used.
static void test_given(void **unused)
{
  const char *const text = "R: Y - X*W";
  tg_graph *graph = NULL;
  tg_node a = TG_NONE;
  tg_node b = TG_NONE;
  bool used[3] = {false};
  tg_part parts[3] = {{"R", {.text = text + 3, .length = 7, .mark = {7, {3, 10}}}},
                      {"Q", {.text = "R'*R", .length = 4}},
                      {"Z", {.text = "1 +", .length = 3}}};
  (void)unused;
  assert_int_equal(tg_graph_create(&graph), TG_OK);
  assert_int_equal(compile(graph, "tr(Q)", 3, parts, used, &a), TG_OK);
  assert_int_equal(compile(graph, "sumsq(Y - X*W)", 0, NULL, NULL, &b), TG_OK);
  assert_int_equal(a, b);
  assert_true(used[0] && used[1] && !used[2]);
  // A part without a source is named in the message; one that has a source is shown there.
  assert_int_equal(compile(graph, "tr(Q) + Z", 3, parts, used, &a), TG_SYNTAX);
  assert_false(tg_error_get()->has_span);
  assert_non_null(strstr(tg_error_get()->message, "in the part Z: "));
  parts[0].value.text = "Y - X**";
  assert_int_equal(compile(graph, "tr(Q)", 3, parts, used, &a), TG_SYNTAX);
  assert_int_equal(tg_error_get()->source, 7);
  assert_int_equal(tg_error_get()->span.begin, 10);
  tg_graph_destroy(&graph);
}

// T1 = X*X', T2 = T1*T1', ...: read in time and stack that grow with the text, or refused by a limit.
static void test_chain(void **unused)
{
  static const struct {
    const char *before; // the name of the part before
    const char *between;
    const char *after;
    int n;
    tg_status expected;
  } rows[] = {{"sin(", NULL, ")", 150, TG_OK},     {"", ".*sin(", ")", 150, TG_OK}, {"sin(", NULL, ")", 5000, TG_LIMIT},
              {"sin(", ".*", ")", 5000, TG_LIMIT}, {"", "*", "", 100, TG_LIMIT},    {"sin(", "*", ")", 200, TG_OK},
              {"", "+", "'", 200, TG_OK}};
  (void)unused;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    tg_graph *graph = NULL;
    tg_node f = TG_NONE;
    tg_text text;
    tg_text_init(&text);
    tg_text_add(&text, "T0 = X; ");
    for (int k = 1; k <= rows[i].n; k++) {
      tg_text_addf(&text, "T%d = %sT%d", k, rows[i].before, k - 1);
      if (rows[i].between != NULL) tg_text_addf(&text, "%sT%d", rows[i].between, k - 1);
      tg_text_addf(&text, "%s; ", rows[i].after);
    }
    tg_text_addf(&text, "sum(T%d)", rows[i].n);
    assert_int_equal(tg_graph_create(&graph), TG_OK);
    assert_int_equal(compile(graph, tg_text_string(&text), 0, NULL, NULL, &f), rows[i].expected);
    tg_graph_destroy(&graph);
    tg_text_fini(&text);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_same), cmocka_unit_test(test_refused),
                                     cmocka_unit_test(test_given), cmocka_unit_test(test_chain)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
