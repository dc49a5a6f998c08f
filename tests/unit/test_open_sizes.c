// Sums of sizes: arithmetic of the forms, what equations between them say, blocks and submatrices with open sizes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "grad/calculus.h"
#include "grad/text/sizes.h"

// ---- forms ----

static const char *letter(const void *context, int32_t variable)
{
  (void)context;
  static const char *const letters[] = {"m", "n", "p", "q"};
  return letters[variable];
}

static void assert_prints(const tg_size_form *form, const char *expected)
{
  tg_text text;
  tg_text_init(&text);
  tg_size_form_print(form, letter, NULL, &text);
  assert_string_equal(tg_text_string(&text), expected);
  tg_text_fini(&text);
}

static void forms_are_polynomials(void **state)
{
  (void)state;
  const tg_size_form m = tg_size_form_variable(0);
  const tg_size_form n = tg_size_form_variable(1);
  const tg_size_form one = tg_size_form_number(1);
  tg_size_form sum;
  tg_size_form square;
  tg_size_form quotient;
  bool exact = false;
  assert_int_equal(tg_size_form_add(&n, 1, &m, &sum), TG_OK);
  assert_prints(&sum, "m+n"); // in one order, whichever came first
  assert_int_equal(tg_size_form_times(&sum, &sum, &square), TG_OK);
  assert_prints(&square, "m*m+2*m*n+n*n");
  assert_int_equal(tg_size_form_divide(&square, &sum, &exact, &quotient), TG_OK);
  assert_true(exact && tg_size_form_is_equal(&quotient, &sum));
  assert_int_equal(tg_size_form_add(&square, 1, &one, &square), TG_OK);
  assert_int_equal(tg_size_form_divide(&square, &sum, &exact, &quotient), TG_OK);
  assert_false(exact);
  assert_int_equal(tg_size_form_add(&n, -1, &one, &sum), TG_OK);
  assert_prints(&sum, "n-1");
  assert_true(tg_size_form_is_at_least(&sum, 0));
  assert_false(tg_size_form_is_at_least(&sum, 1));
  assert_int_equal(tg_size_form_value(&sum, (const int64_t[]){0, 5}), 4);
  assert_int_equal(tg_size_form_value(&sum, (const int64_t[]){0, 1}), -1); // 0 is no size
  assert_int_equal(tg_size_form_add(&sum, -1, &sum, &sum), TG_OK);
  assert_prints(&sum, "0");
}

static void forms_have_limits(void **state)
{
  (void)state;
  tg_size_form sum = tg_size_form_number(0);
  tg_status status = TG_OK;
  for (int32_t k = 0; k <= TG_SIZE_TERMS_MAX && status == TG_OK; k++) {
    const tg_size_form variable = tg_size_form_variable(k);
    status = tg_size_form_add(&sum, 1, &variable, &sum);
  }
  assert_int_equal(status, TG_LIMIT);
  tg_error_clear();
  const tg_size_form large = tg_size_form_number(INT64_MAX);
  assert_int_equal(tg_size_form_times(&large, &large, &sum), TG_LIMIT);
  tg_error_clear();
}

// ---- shapes ----

static tg_status compile(tg_graph *graph, const char *text, tg_node *out)
{
  static const tg_declaration names[] = {{.name = "R", .rows_name = "u", .cols_name = "u"},
                                         {.name = "K", .rows_name = "v", .cols_name = "v"},
                                         {.name = "W", .rows_name = "v", .cols_name = "w"}};
  const tg_compile_options options = {.n_declarations = 3, .declarations = names, .infer_undeclared = true};
  return tg_compile(graph, text, strlen(text), &options, out);
}

// A text and the shapes that it gives to its value and to a name.
static const struct {
  const char *text;
  const char *shape;
  const char *name;
  const char *name_shape;
} shapes[] = {
    {"[A, B]", "m x (n+p)", "B", "m x p"},
    {"[A; B; C]", "(m+p+q) x n", "C", "q x n"},
    {"[A, B; C, D]", "(m+q) x (n+p)", "D", "q x p"},
    {"[A, B]*X", "m x q", "X", "(n+p) x q"},
    {"[A, B] + [C, D]", "m x (n+p)", "D", "m x p"},
    {"[A, B] + M", "m x (n+p)", "M", "m x (n+p)"},
    {"[A, B]*[C; D]", "m x q", "D", "p x q"},
    {"kron(A, [B, C])", "m*p x (n*q+n*r)", "C", "p x r"},
    {"[K, B]*[K; C]", "v x v", "C", "m x v"},
    {"R - [K, B; C, D]", "u x u", "D", "(u-v) x (u-v)"},
    {"X(1:n,:)", "n x p", "X", "m x p"},
    {"X(n+1:end,:)", "(m-n) x p", "X", "m x p"},
    {"X(:,j)", "m x 1", "X", "m x n"},
    {"X(2:end-1,1)", "(m-2) x 1", "X", "m x n"},
    {"X(1:n,:)*B + X(n+1:end,:)*C", "n x p", "X", "2*n x m"},
    {"X(2:end,1) + vec(Y)", "n*p x 1", "X", "(n*p+1) x m"},
    {"W(1:3,:)", "3 x w", "W", "v x w"},
    {"[ones, X]*b", "m x 1", "b", "(n+1) x 1"},
    {"cbind(1, X) %*% b", "m x 1", "b", "(n+1) x 1"},
    {"rbind(A, B)", "(m+p) x n", "B", "p x n"},
    {"x[1:] - x[:-1]", "(m-1) x 1", "x", "m x 1"},
    {"K(i,j)", "1 x 1", "K", "v x v"},
    {"\\begin{pmatrix} A & B \\\\ 0 & C \\end{pmatrix} x", "(m+q) x 1", "x", "(n+p) x 1"},
    {"eye(n+p)*X", "(n+p) x m", "X", "(n+p) x m"},
    {"ones(2*n-1,1)", "(2*n-1) x 1", NULL, NULL},
};

static void assert_shape(const tg_graph *graph, tg_dim rows, tg_dim cols, const char *of, const char *expected)
{
  tg_text shape;
  tg_text_init(&shape);
  tg_dim_print_shape(graph, rows, cols, &shape);
  if (strcmp(tg_text_string(&shape), expected) != 0) fail_msg("%s is %s", of, tg_text_string(&shape));
  tg_text_fini(&shape);
}

static void shapes_are_sums(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof shapes / sizeof shapes[0]; k++) {
    tg_graph *graph = NULL;
    tg_node node = TG_NONE;
    assert_int_equal(tg_graph_create(&graph), TG_OK);
    if (compile(graph, shapes[k].text, &node) != TG_OK) fail_msg("%s: %s", shapes[k].text, tg_error_get()->message);
    const tg_info *info = tg_node_info(graph, node);
    assert_shape(graph, info->rows, info->cols, shapes[k].text, shapes[k].shape);
    if (shapes[k].name != NULL) {
      const tg_symbol *symbol = tg_symbol_info(graph, tg_symbol_find(graph, shapes[k].name));
      assert_shape(graph, symbol->rows, symbol->cols, shapes[k].text, shapes[k].name_shape);
    }
    tg_graph_destroy(&graph);
  }
}

// Texts that are one node.
static const char *const equal[][2] = {
    {"[A, B]*[C; D]", "A*C + B*D"},
    {"sum([A, B; C, D])", "sum(A) + sum(B) + sum(C) + sum(D)"},
    {"[[A, B], C]", "[A, B, C]"},
    {"[A; [B; C]]", "[A; B; C]"},
    {"W(2:v,:)(1:v-2,:)", "W(2:v-1,:)"},
    {"K(1:v,:)", "K"},
    {"W(1:3,:)*ones(w,1)", "(W*ones(w,1))(1:3,1)"},
};

static void equal_texts_are_one_node(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof equal / sizeof equal[0]; k++) {
    tg_graph *graph = NULL;
    tg_node nodes[2] = {TG_NONE, TG_NONE};
    assert_int_equal(tg_graph_create(&graph), TG_OK);
    for (int i = 0; i < 2; i++)
      if (compile(graph, equal[k][i], &nodes[i]) != TG_OK) fail_msg("%s: %s", equal[k][i], tg_error_get()->message);
    if (nodes[0] != nodes[1]) fail_msg("%s is not %s", equal[k][0], equal[k][1]);
    tg_graph_destroy(&graph);
  }
}

static const char *const refused[][2] = {
    {"K(1:v+1,:)", "index v+1 exceeds the size v"},
    {"K(v+1:v,:)", "index v+1 exceeds the size v"},
    {"W(3:2,:)", "the range of indices is empty"},
    {"[A, B]*[A, B] + K*[K, K]", "the sizes v and 2*v differ"},
    {"[K, K] + K", "a sum needs equal shapes: [K, K] is v x 2*v, K is v x v"},
    {"K*[W, W]*R - K", "K*[W, W]*R needs columns("},
    {"X(A:3,:)*A", "'A' is a size here and no scalar elsewhere"},
    {"X(sin(n):3,:)", "expected"},
    {"rbind(1, W)", "a number that R repeats is written out"},
    {"diff(W)", "write x(2:end) - x(1:end-1)"},
    {"W[-1]", "brackets count from 0 in NumPy"},
    {"W(-1,:)", "an index is at least 1; from the end, write end-1"},
    {"t(W[-1,])", "a negative index leaves an entry out in R"},
    {"eye(n-n)", "a size is a whole number of at least 1"},
};

static void what_cannot_be_is_refused(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof refused / sizeof refused[0]; k++) {
    tg_graph *graph = NULL;
    tg_node node = TG_NONE;
    assert_int_equal(tg_graph_create(&graph), TG_OK);
    if (compile(graph, refused[k][0], &node) == TG_OK) fail_msg("%s is accepted", refused[k][0]);
    if (strstr(tg_error_get()->message, refused[k][1]) == NULL)
      fail_msg("%s: %s", refused[k][0], tg_error_get()->message);
    tg_error_clear();
    tg_graph_destroy(&graph);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(forms_are_polynomials), cmocka_unit_test(forms_have_limits),
                                     cmocka_unit_test(shapes_are_sums), cmocka_unit_test(equal_texts_are_one_node),
                                     cmocka_unit_test(what_cannot_be_is_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
