// Closed forms as the symbols show them: kinds, factors, polynomials of the sides, reasons; diagonals without large
// products.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "grad/structure/precondition.h"

enum { M = 4, N = 3, T = 7 };

// X is M x N, and Z its square brother; what the expressions below may use.
static const tg_declaration declared[] = {
    {.name = "X", .rows = M, .cols = N, .is_free = true},
    {.name = "Z", .rows = M, .cols = M, .is_free = true},
    {.name = "A", .rows = M, .cols = M, .properties = TG_SPD},
    {.name = "D", .rows = M, .cols = M, .properties = TG_SPD},
    {.name = "F", .rows = M, .cols = M, .properties = TG_SPD},
    {.name = "S", .rows = M, .cols = M, .properties = TG_SYMMETRIC},
    {.name = "R", .rows = M, .cols = M},
    {.name = "B", .rows = N, .cols = N, .properties = TG_SPD},
    {.name = "E", .rows = N, .cols = N, .properties = TG_SPD},
    {.name = "G", .rows = N, .cols = N, .properties = TG_SPD},
    {.name = "Q", .rows = N, .cols = N},
    {.name = "C", .rows = M, .cols = N},
    {.name = "Y", .rows = T, .cols = N},
    {.name = "K", .rows = T, .cols = M},
    {.name = "H", .rows = 2, .cols = M},
    {.name = "J", .rows = N, .cols = 2},
    {.name = "P", .rows = 2, .cols = N},
    {.name = "W", .rows = M, .cols = N},
    {.name = "v", .rows = M, .cols = 1, .is_free = true},
    {.name = "w", .rows = T, .cols = 1},
    {.name = "mu", .rows = 1, .cols = 1},
};

static tg_node compile(tg_graph *graph, const char *text)
{
  const tg_compile_options options = {.n_declarations = sizeof declared / sizeof declared[0], .declarations = declared};
  tg_node out = TG_NONE;
  assert_int_equal(tg_compile(graph, text, strlen(text), &options, &out), TG_OK);
  return out;
}

static tg_graph *new_graph(void)
{
  tg_graph *graph = NULL;
  assert_int_equal(tg_graph_create(&graph), TG_OK);
  return graph;
}

static tg_closed_form find(tg_graph *graph, const char *objective, const char *by)
{
  const tg_node f = compile(graph, objective);
  const int32_t wrt = tg_symbol_find(graph, by);
  tg_closed_form form;
  assert_int_equal(tg_closed_form_find(graph, f, 1, &wrt, &form), TG_OK);
  return form;
}

static char said[1024];

// Why, in words.
static const char *words(tg_graph *graph, const tg_closed_form *form)
{
  tg_text text;
  tg_text_init(&text);
  tg_closed_form_explain(graph, form, &text);
  assert_int_equal(tg_text_status(&text), TG_OK);
  snprintf(said, sizeof said, "%s", tg_text_string(&text));
  tg_text_fini(&text);
  return said;
}

// TG_NONE for "".
static void assert_node(tg_graph *graph, tg_node found, const char *expected)
{
  assert_int_equal(found, expected[0] == '\0' ? (tg_node)TG_NONE : compile(graph, expected));
}

static void test_one_term(void **unused)
{
  (void)unused;
  static const struct {
    const char *objective, *by, *left, *right;
    double scale;
    bool proved;
  } rows[] = {
      {"tr(A*X*B*X') - 2*tr(C'*X)", "X", "A", "B", 2, true},
      {"0.5*tr(X'*S*X) - tr(C'*X)", "X", "S", "", 1, false},
      {"sumsq(Y - K*X)", "X", "K'*K", "", 2, false},
      {"sumsq(Y - K*X) + 3*sumsq(X)", "X", "2*K'*K + 6*eye(4)", "", 1, true},
      {"sumsq(X - C)", "X", "", "", 2, true},
  };
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    tg_graph *graph = new_graph();
    const tg_closed_form form = find(graph, rows[k].objective, rows[k].by);
    assert_int_equal(form.kind, TG_CLOSED_CHOLESKY);
    assert_node(graph, form.sides[0].base, rows[k].left);
    assert_node(graph, form.sides[1].base, rows[k].right);
    assert_true(form.scale == rows[k].scale);
    assert_int_equal(form.is_proved, rows[k].proved);
    assert_non_null(strstr(words(graph, &form), "because the Hessian action is "));
    tg_graph_destroy(&graph);
  }
}

// b I + a K'K with few rows in K: by the smaller Gram matrix, on either side.
static void test_wide(void **unused)
{
  (void)unused;
  static const struct {
    const char *objective, *base, *wide, *ridge, *gain;
    int side;
  } rows[] = {
      {"sumsq(P - H*X) + 3*sumsq(X)", "2*H*H' + 6*eye(2)", "H", "6", "2", 0},
      {"sumsq(P - H*X) + mu*sumsq(X)", "2*H*H' + 2*mu*eye(2)", "H", "2*mu", "2", 0},
      {"mu*sumsq(H*A*X) + 0.5*sumsq(X) - tr(C'*X)", "2*mu*H*A*A*H' + eye(2)", "H*A", "1", "2*mu", 0},
      {"sumsq(X*J) + 3*sumsq(X) - tr(C'*X)", "2*J'*J + 6*eye(2)", "J'", "6", "2", 1},
      {"sumsq(P - H*X)", "H*H'", "H", "", "1", 0},                         // of least norm
      {"sumsq(Y - K*X) + 3*sumsq(X)", "2*K'*K + 6*eye(4)", "", "", "", 0}, // K is tall
      {"sumsq(H*X) + sumsq(H*A*X) + sumsq(X) - tr(C'*X)", "2*H'*H + 2*A*H'*H*A + 2*eye(4)", "", "", "", 0}, // two
  };
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    tg_graph *graph = new_graph();
    const tg_closed_form form = find(graph, rows[k].objective, "X");
    const tg_closed_side *side = &form.sides[rows[k].side];
    assert_int_equal(form.kind, TG_CLOSED_CHOLESKY);
    assert_node(graph, side->base, rows[k].base);
    assert_node(graph, side->wide, rows[k].wide);
    assert_node(graph, side->ridge, rows[k].ridge);
    assert_node(graph, side->gain, rows[k].gain);
    assert_int_equal(strstr(words(graph, &form), ", by the smaller ") != NULL, rows[k].wide[0] != '\0');
    tg_graph_destroy(&graph);
  }
  // Without a ridge a linear term that K'K does not reach leaves f without a minimum.
  tg_graph *graph = new_graph();
  const tg_closed_form form = find(graph, "sumsq(H*X) - tr(C'*X)", "X");
  assert_int_equal(form.kind, TG_CLOSED_NONE);
  assert_non_null(strstr(words(graph, &form), "the factor H'*H (4 x 4) has a rank of at most 2"));
  tg_graph_destroy(&graph);
}

// 2 A^2 V + 4 A V B + 2 V B^2 and the like: polynomials in A and in B, A a symbol, a product, or below a sum.
static void test_polynomials(void **unused)
{
  (void)unused;
  static const struct {
    const char *objective, *left, *right;
    double table[TG_CLOSED_POWERS][3]; // of left^i V right^j
  } rows[] = {
      {"sumsq(A*X + X*B - C)", "A", "B", {{0, 0, 2}, {0, 4}, {2}}},
      {"sumsq(K'*K*X + X*B - C)", "K'*K", "B", {{0, 0, 2}, {0, 4}, {2}}},
      {"sumsq(K'*K*X + X*B - C) + 3*sumsq(K*X)", "K'*K", "B", {{0, 0, 2}, {6, 4}, {2}}},
      {"tr(X'*(K'*K)^3*X) + tr(X'*K'*K*K'*K*X*B)", "K'*K", "B", {{0}, {0}, {0, 2}, {2}}},
      {"sumsq((S + 2*eye(4))*X + X*B) + sumsq(S*X)", "S", "B", {{8, 8, 2}, {8, 4}, {4}}},
      {"sumsq((S + 2*eye(4))*X + X*B)", "S + 2*eye(4)", "B", {{0, 0, 2}, {0, 4}, {2}}},
  };
  for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
    tg_graph *graph = new_graph();
    const tg_closed_form form = find(graph, rows[r].objective, "X");
    if (form.kind != TG_CLOSED_SPECTRAL) fail_msg("%s: %s", rows[r].objective, words(graph, &form));
    assert_node(graph, form.sides[0].base, rows[r].left);
    assert_node(graph, form.sides[1].base, rows[r].right);
    assert_node(graph, form.sides[0].metric, "");
    for (int i = 0; i < TG_CLOSED_POWERS; i++)
      for (int j = 0; j < TG_CLOSED_POWERS; j++) {
        double found = 0;
        for (int32_t k = 0; k < form.n_terms; k++) found += form.terms[k].left[i] * form.terms[k].right[j];
        assert_true(found == (j < 3 ? rows[r].table[i][j] : 0));
      }
    tg_graph_destroy(&graph);
  }
}

static void test_pencils(void **unused)
{
  (void)unused;
  tg_graph *graph = new_graph();
  const tg_closed_form form = find(graph, "tr(X'*S*X*B) + tr(X'*A*X*E)", "X");
  assert_int_equal(form.kind, TG_CLOSED_SPECTRAL);
  assert_node(graph, form.sides[0].metric, "A"); // the one that is known to be definite
  assert_node(graph, form.sides[0].base, "S");
  assert_int_equal(form.n_terms, 2);
  tg_graph_destroy(&graph);
}

static void test_inverse(void **unused)
{
  (void)unused;
  tg_graph *graph = new_graph();
  const tg_closed_form form = find(graph, "tr(A*Z) + 2*tr(Z) - 3*logdet(Z) + 5", "Z");
  assert_int_equal(form.kind, TG_CLOSED_INVERSE);
  assert_true(form.scale == 3);
  assert_node(graph, form.sides[0].base, "A + 2*eye(4)");
  tg_graph_destroy(&graph);
}

static void test_refusals(void **unused)
{
  (void)unused;
  static const struct {
    const char *objective, *by, *reason;
  } rows[] = {
      {"tr(X'*A*X*B) + tr(X'*D*X*E) + tr(X'*F*X*G)", "X", "has 3 terms"},
      {"tr(X'*R*X*Q)", "X", "not known to be symmetric"},
      {"-sumsq(X)", "X", "negative coefficient -2"},
      {"sumsq(Z + Z')", "Z", "holds V'"},
      {"sumsq(X.*C)", "X", "not a sum of products"},
      {"sumsq(A^3*X + X*B)", "X", "3 terms"}, // of degree 6
      {"sumsq((S + eye(4))^3*X + X*B) + sumsq(S*X)", "X", "3 terms"},
      {"tr(C'*X)", "X", "linear"},
      {"sum(C)", "X", "constant"},
      {"sumsq(X'*X)", "X", "degree 4"},
      {"sum(exp(X))", "X", "not quadratic"},
      {"tr(A*Z) + logdet(Z)", "Z", "positive coefficient 1"},
      {"-logdet(Z)", "Z", "falls without end"},
      {"sum(A) - 2*logdet(Z)", "Z", "falls without end"},
      {"tr(R*Z) - logdet(Z)", "Z", "not known to be symmetric"},
      {"sumsq(Z) - logdet(Z)", "Z", "not quadratic"},
  };
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    tg_graph *graph = new_graph();
    const tg_closed_form form = find(graph, rows[k].objective, rows[k].by);
    if (form.kind != TG_CLOSED_NONE || strstr(words(graph, &form), rows[k].reason) == NULL)
      print_error("%s: kind %d, %s\n", rows[k].objective, (int)form.kind, words(graph, &form));
    assert_int_equal(form.kind, TG_CLOSED_NONE);
    assert_non_null(strstr(words(graph, &form), rows[k].reason));
    tg_graph_destroy(&graph);
  }
  tg_graph *graph = new_graph();
  const tg_node f = compile(graph, "sumsq(A*X) + sumsq(Z)");
  const int32_t both[2] = {tg_symbol_find(graph, "X"), tg_symbol_find(graph, "Z")};
  tg_closed_form form;
  assert_int_equal(tg_closed_form_find(graph, f, 2, both, &form), TG_OK);
  assert_non_null(strstr(words(graph, &form), "2 variables"));
  tg_graph_destroy(&graph);
}

// ---- on X'X = I ----

static tg_closed_form find_orthonormal(tg_graph *graph, const char *objective, const char *by)
{
  const tg_node f = compile(graph, objective);
  tg_closed_form form;
  assert_int_equal(tg_closed_form_find_orthonormal(graph, f, tg_symbol_find(graph, by), &form), TG_OK);
  return form;
}

// Terms that are constant on the set, X'X R and, for a square Z, L ZZ', do not count.
static void test_eigenvectors(void **unused)
{
  (void)unused;
  static const struct {
    const char *objective, *by, *left, *right;
    double scale;
  } rows[] = {
      {"tr(X'*A*X)", "X", "A", "", 1},
      {"-tr(X'*S*X*B)", "X", "S", "B", -1},
      {"tr(B*X'*S*X) + tr(X*E*X') + sumsq(X) + sum(C)", "X", "S", "B", 1},
      {"tr(X'*R*X)", "X", "R + R'", "", 0.5},
      {"tr(X'*R*X*B)", "X", "R + R'", "B", 0.5},
      {"sumsq(K*X)", "X", "K'*K", "", 1},
      {"mu*tr(X'*A*X)", "X", "mu*A", "", 1},
      {"tr(X'*A*X) - 3*tr(X'*D*X)", "X", "2*A - 6*D", "", 0.5},
      {"tr(Z'*A*Z*D) + tr(Z'*F*Z) + tr(Z*F*Z')", "Z", "A", "D", 1},
  };
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    tg_graph *graph = new_graph();
    const tg_closed_form form = find_orthonormal(graph, rows[k].objective, rows[k].by);
    if (form.kind != TG_CLOSED_EIGENVECTORS) print_error("%s: %s\n", rows[k].objective, words(graph, &form));
    assert_int_equal(form.kind, TG_CLOSED_EIGENVECTORS);
    assert_node(graph, form.sides[0].base, rows[k].left);
    assert_node(graph, form.sides[1].base, rows[k].right);
    assert_true(form.scale == rows[k].scale);
    assert_non_null(strstr(words(graph, &form), "eigenvectors"));
    tg_graph_destroy(&graph);
  }
}

static void test_polar(void **unused)
{
  (void)unused;
  static const struct {
    const char *objective, *by, *linear;
  } rows[] = {
      {"-2*tr(C'*X)", "X", "-2*C"},
      {"sumsq(X - C)", "X", "-2*C"},
      {"sumsq(X*Q - C)", "X", "-2*C*Q'"},
      {"sumsq(R*Z - S) + tr(Z'*A*Z)", "Z", "-2*R'*S"},
      {"tr(X'*A*X) - tr(X'*A*X) + mu*dot(C, X)", "X", "mu*C"},
  };
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    tg_graph *graph = new_graph();
    const tg_closed_form form = find_orthonormal(graph, rows[k].objective, rows[k].by);
    if (form.kind != TG_CLOSED_POLAR) print_error("%s: %s\n", rows[k].objective, words(graph, &form));
    assert_int_equal(form.kind, TG_CLOSED_POLAR);
    assert_node(graph, form.sides[0].base, rows[k].linear);
    assert_non_null(strstr(words(graph, &form), "polar"));
    tg_graph_destroy(&graph);
  }
}

static void test_orthonormal_refusals(void **unused)
{
  (void)unused;
  static const struct {
    const char *objective, *by, *reason;
  } rows[] = {
      {"sumsq(K*X - Y)", "X", "a quadratic and a linear part"}, // X is not square: tr(X'K'KX) moves
      {"tr(X'*A*X*B) + tr(X'*D*X*E)", "X", "2 terms"},
      {"tr(X'*R*X*Q)", "X", "R is not known to be symmetric"},
      {"tr(Z*Z)", "Z", "holds V'"},
      {"sumsq(X)", "X", "constant"},
      {"sum(exp(X))", "X", "no closed form"},
      {"sumsq(X.*C)", "X", "no closed form"},
      {"sumsq(A*X*X'*A)", "X", "no closed form"},
  };
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    tg_graph *graph = new_graph();
    const tg_closed_form form = find_orthonormal(graph, rows[k].objective, rows[k].by);
    if (form.kind != TG_CLOSED_NONE || strstr(words(graph, &form), rows[k].reason) == NULL)
      print_error("%s: kind %d, %s\n", rows[k].objective, (int)form.kind, words(graph, &form));
    assert_int_equal(form.kind, TG_CLOSED_NONE);
    assert_non_null(strstr(words(graph, &form), rows[k].reason));
    tg_graph_destroy(&graph);
  }
}

// The diagonal of K'K is a vector of column sums: K'K itself does not occur.
static void test_diagonals(void **unused)
{
  (void)unused;
  static const struct {
    const char *objective, *by, *expected;
  } rows[] = {
      {"sumsq(Y - K*X)", "X", "2*((K'.*K')*ones(7,1))*ones(1,3)"},
      {"tr(X'*A*X*B)", "X", "2*diagvec(A)*diagvec(B)'"},
      {"mu*tr(X'*A*X)", "X", "2*mu*diagvec(A)*ones(1,3)"},
      {"tr(Z*Z)", "Z", "2*eye(4)"}, // H[V] = 2 V': 2 I .* I
      {"sumsq(W.*(R*X*Q - C)) + mu*sumsq(X)", "X", "2*(R'.*R')*(W.^2)*(Q'.*Q') + 2*mu*ones(4,1)*ones(1,3)"},
      {"sumsq(Y.*(K*X))", "X", "2*(K'.*K')*(Y.^2)"},
      {"sumsq(W.*(X - C))", "X", "2*W.^2"},
  };
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    tg_graph *graph = new_graph();
    const tg_node f = compile(graph, rows[k].objective);
    tg_node diagonal = TG_NONE;
    assert_int_equal(tg_precondition_diagonal(graph, f, tg_symbol_find(graph, rows[k].by), &diagonal), TG_OK);
    tg_text text;
    tg_text_init(&text);
    assert_int_equal(tg_print(graph, diagonal, TG_FORMAT_EXPR, &text), TG_OK);
    if (diagonal != compile(graph, rows[k].expected))
      print_error("%s: %s, expected %s\n", rows[k].objective, tg_text_string(&text), rows[k].expected);
    assert_int_equal(diagonal, compile(graph, rows[k].expected));
    tg_text_fini(&text);
    tg_graph_destroy(&graph);
  }
  tg_graph *graph = new_graph();
  tg_node diagonal = TG_NONE;
  assert_int_equal(
      tg_precondition_diagonal(graph, compile(graph, "sum(exp(X))"), tg_symbol_find(graph, "X"), &diagonal), TG_OK);
  assert_int_equal(diagonal, TG_NONE);
  tg_graph_destroy(&graph);
}

static void test_terms(void **unused)
{
  (void)unused;
  tg_graph *graph = new_graph();
  const tg_node f = compile(graph, "tr(X'*A*X*B) + tr(X'*D*X*E) - tr(X'*F*X*G) + tr(X'*R*X*Q) + sumsq(X)");
  tg_closed_group terms[4];
  int32_t n = 0;
  assert_int_equal(tg_precondition_terms(graph, f, tg_symbol_find(graph, "X"), 4, &n, terms), TG_OK);
  assert_int_equal(n, 3); // A..B, D..E and the identity; neither the negative one nor the one without symmetry
  for (int32_t k = 0; k < n; k++) assert_true(terms[k].coef == 2);
  tg_graph_destroy(&graph);
}

// Which factors a Hadamard product weights, and the separable stand-ins for it.
static void test_weights(void **unused)
{
  (void)unused;
  static const struct {
    const char *objective, *by;
    tg_weights kind;
    const char *weight;
    int n_terms, n_fits;
  } rows[] = {
      {"sumsq(W.*(A*X*B - C))", "X", TG_WEIGHTS_INSIDE, "W.^2", 1, 1},
      {"sumsq(W.*(R*X*Q)) + tr(X'*A*X) + mu*sumsq(X)", "X", TG_WEIGHTS_INSIDE, "W.^2", 2, 1},
      {"sum(W.*(R*X*Q - C).^2)", "X", TG_WEIGHTS_INSIDE, "W", 1, 1},
      {"sumsq(W.*(X - C)) + tr(X'*A*X)", "X", TG_WEIGHTS_DIAGONAL, "W.^2", 2, 1},
      {"sumsq(W.*(A*X + X*B))", "X", TG_WEIGHTS_INSIDE, "W.^2", 2, 2}, // the crossed terms are not symmetric
      {"sumsq(W.*(A*X)) + sumsq(C.*(A*X))", "X", TG_WEIGHTS_INSIDE, "2*W.^2 + 2*C.^2", 1, 1}, // two weights, one term
      {"sumsq(A*X*B)", "X", TG_WEIGHTS_NONE, NULL, 1, 0},
      {"sumsq(W.*(A*(C.*X)*B))", "X", TG_WEIGHTS_NONE, NULL, 0, 0}, // a weight within a weight
      {"sumsq(X.*X)", "X", TG_WEIGHTS_NONE, NULL, 0, 0},
      {"sumsq(w.*(K*v))", "v", TG_WEIGHTS_NONE, NULL, 1, 0}, // of one column: diag(w.^2), a product like any other
  };
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    tg_graph *graph = new_graph();
    const tg_node f = compile(graph, rows[k].objective);
    const int32_t wrt = tg_symbol_find(graph, rows[k].by);
    tg_weights kind = TG_WEIGHTS_NONE;
    tg_node weight = TG_NONE;
    tg_closed_group terms[4];
    int32_t n = 0;
    int32_t n_fits = 0;
    assert_int_equal(tg_precondition_weights(graph, f, wrt, 1, &kind, &n, &weight), TG_OK);
    if (kind != rows[k].kind) print_error("%s: weights of kind %d\n", rows[k].objective, (int)kind);
    assert_int_equal(kind, rows[k].kind);
    assert_int_equal(n, rows[k].weight != NULL);
    if (rows[k].weight != NULL) assert_int_equal(weight, compile(graph, rows[k].weight));
    assert_int_equal(tg_precondition_terms(graph, f, wrt, 4, &n, terms), TG_OK);
    for (int32_t i = 0; i < n; i++) n_fits += terms[i].is_fit;
    if (n != rows[k].n_terms || n_fits != rows[k].n_fits)
      print_error("%s: %d terms, %d stand in\n", rows[k].objective, (int)n, (int)n_fits);
    assert_int_equal(n, rows[k].n_terms);
    assert_int_equal(n_fits, rows[k].n_fits);
    tg_graph_destroy(&graph);
  }
}

// Value of the node at column-major values by symbol.
static double *sample(tg_graph *graph, tg_node node, const double *const *values)
{
  double *out = NULL;
  assert_int_equal(tg_sample(graph, node, values, &out), TG_OK);
  return out;
}

// A separable weight u z' is fitted exactly but for the shift: the stand-in's L and R multiply to H, of either sign.
static void test_separable(void **unused)
{
  (void)unused;
  static const char *const objectives[] = {"sum(W.*(R*X*Q).^2)", "-sum(W.*(R*X*Q).^2)"};
  for (int negative = 0; negative < 2; negative++) {
    tg_graph *graph = new_graph();
    const tg_node f = compile(graph, objectives[negative]);
    double data[32][M * M];
    const double *values[32];
    for (int s = 0; s < 32; s++) {
      for (int i = 0; i < M * M; i++) data[s][i] = 0.3 + (double)((7 * i + 3 * s) % 11) / 11;
      values[s] = data[s];
    }
    const int32_t w = tg_symbol_find(graph, "W");
    for (int j = 0; j < N; j++)
      for (int i = 0; i < M; i++) data[w][i + j * M] = (negative ? -1 : 1) * (1.0 + i) * (2.0 + j);
    tg_closed_group term;
    int32_t n = 0;
    assert_true(tg_symbol_count(graph) < 32);
    assert_int_equal(tg_precondition_terms(graph, f, tg_symbol_find(graph, "X"), 1, &n, &term), TG_OK);
    assert_int_equal(n, 1);
    assert_true(tg_symbol_count(graph) < 32);
    double *left = sample(graph, term.left, values);
    double *right = sample(graph, term.right, values);
    double *expected_left = sample(graph, compile(graph, "R'*diag(W*ones(3,1))*R"), values);
    double *expected_right = sample(graph, compile(graph, "Q*diag(W'*ones(4,1))*Q'"), values);
    double *total = sample(graph, compile(graph, "sum(W)"), values);
    const double sign = negative ? -1 : 1;
    for (int i = 0; i < M * M; i++)
      for (int j = 0; j < N * N; j++) {
        const double exact = 2 * sign * expected_left[i] * expected_right[j] / *total;
        const double found = term.coef * left[i] * right[j];
        assert_true(exact > 0 && found > exact && found < exact * (1 + 4 * N * TG_WEIGHT_SHIFT + 1e-12));
      }
    double *const all[] = {left, right, expected_left, expected_right, total};
    for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) tg_free(all[k]);
    tg_graph_destroy(&graph);
  }
}

// The Hessian at zero of a loss with an offset: two weights of opposite signs, brought into one.
static void test_weights_at_zero(void **unused)
{
  (void)unused;
  tg_graph *graph = new_graph();
  const tg_node f = compile(graph, "sum(softplus(A*X*B + C))");
  const int32_t wrt = tg_symbol_find(graph, "X");
  tg_node model = TG_NONE;
  tg_closed_group term;
  int32_t n = 0;
  assert_int_equal(tg_precondition_model(graph, f, 1, &wrt, &model), TG_OK);
  assert_int_equal(tg_precondition_terms(graph, model, wrt, 1, &n, &term), TG_OK);
  assert_true(n == 1 && term.is_fit);
  tg_graph_destroy(&graph);
}

// f beyond degree 2 is represented by its Hessian at zero, where it has one.
static void test_models(void **unused)
{
  (void)unused;
  static const struct {
    const char *objective, *by, *expected; // NULL: none
  } rows[] = {
      {"sumsq(Y - K*X) + tr(X'*A*X)", "X", "sumsq(Y - K*X) + tr(X'*A*X)"},
      {"sum(softplus(K*X)) - dot(Y, K*X) + mu*sumsq(X)", "X", "0.5*tr(X'*(0.25*K'*K*X + 2*mu*X))"},
      {"sum(log(1*ones(7,3) + exp(K*X)))", "X", "0.5*tr(X'*(0.25*K'*K*X))"},
      {"sum(sqrt(4*ones(7,3) + (K*X).^2))", "X", "0.5*tr(X'*(0.5*K'*K*X))"},
      {"sum(log(K*X))", "X", NULL},
      {"sum(sqrt(K*X))", "X", NULL},
      {"sum(exp(A*X*B)) + sum(cos(X))", "X", "0.5*tr(X'*(A^2*X*B^2 - X))"},
      {"sumsq(K*X) + sumsq(X'*X)", "X", "sumsq(K*X)"},
      {"sumsq(X'*X - B)", "X", "-2*tr(B*X'*X)"},
      {"sumsq(X'*X)", "X", NULL},
      {"tr(A*Z) - logdet(Z)", "Z", NULL},
      {"sum(abs(X)) + sum(exp(X))", "X", NULL},
      {"sum(exp(X)) + norm2(X)", "X", NULL},
      {"sumsq(X) + sum(exp(X)) + sum(abs(C))", "X", "1.5*tr(X'*X)"},
  };
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    tg_graph *graph = new_graph();
    const int32_t wrt = (compile(graph, rows[k].objective), tg_symbol_find(graph, rows[k].by));
    tg_node model = TG_NONE;
    assert_int_equal(tg_precondition_model(graph, compile(graph, rows[k].objective), 1, &wrt, &model), TG_OK);
    const tg_node expected = rows[k].expected != NULL ? compile(graph, rows[k].expected) : (tg_node)TG_NONE;
    tg_text text;
    tg_text_init(&text);
    if (model != TG_NONE) assert_int_equal(tg_print(graph, model, TG_FORMAT_EXPR, &text), TG_OK);
    if (model != expected) print_error("%s: %s\n", rows[k].objective, tg_text_string(&text));
    assert_int_equal(model, expected);
    tg_text_fini(&text);
    tg_graph_destroy(&graph);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_one_term),
      cmocka_unit_test(test_wide),
      cmocka_unit_test(test_polynomials),
      cmocka_unit_test(test_pencils),
      cmocka_unit_test(test_inverse),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_diagonals),
      cmocka_unit_test(test_terms),
      cmocka_unit_test(test_eigenvectors),
      cmocka_unit_test(test_polar),
      cmocka_unit_test(test_orthonormal_refusals),
      cmocka_unit_test(test_models),
      cmocka_unit_test(test_weights),
      cmocka_unit_test(test_separable),
      cmocka_unit_test(test_weights_at_zero),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
