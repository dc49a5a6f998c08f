// Submatrices and blocks: what is read, what it is worth, what is refused.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "grad/calculus.h"

// X(i,j) = 10 i + j, Y = -X of 2 x 4, v(i) = i.
static const tg_declaration names[] = {{.name = "X", .rows = 3, .cols = 4},
                                       {.name = "Y", .rows = 2, .cols = 4},
                                       {.name = "v", .rows = 5, .cols = 1},
                                       {.name = "r", .rows = 1, .cols = 5},
                                       {.name = "s", .rows = 1, .cols = 1}};
enum { NAMES = (int)(sizeof names / sizeof names[0]) };

static double entry_of(const char *name, int64_t i, int64_t j)
{
  if (name[0] == 'v') return (double)i;
  if (name[0] == 'r') return (double)j;
  if (name[0] == 's') return 7;
  return (name[0] == 'X' ? 1 : -1) * (10.0 * (double)i + (double)j);
}

static tg_status compile(tg_graph *graph, const char *text, tg_node *out)
{
  const tg_compile_options options = {.n_declarations = NAMES, .declarations = names};
  return tg_compile(graph, text, strlen(text), &options, out);
}

static void sample(tg_graph *graph, tg_node node, double **out)
{
  double storage[NAMES][20];
  const double *values[NAMES + 4] = {NULL};
  for (int32_t s = 0; s < tg_symbol_count(graph); s++)
    for (int k = 0; k < NAMES; k++) {
      if (strcmp(tg_symbol_info(graph, s)->name, names[k].name) != 0) continue;
      for (int64_t j = 0; j < names[k].cols; j++)
        for (int64_t i = 0; i < names[k].rows; i++)
          storage[k][i + j * names[k].rows] = entry_of(names[k].name, i + 1, j + 1);
      values[s] = storage[k];
    }
  assert_int_equal(tg_sample(graph, node, values, out), TG_OK);
}

// A text, its shape, its entries column by column.
static const struct {
  const char *text;
  int rows;
  int cols;
  double entries[12];
} values[] = {
    {"X(2,3)", 1, 1, {23}},
    {"X(2:3,4)", 2, 1, {24, 34}},
    {"X(3,2:4)", 1, 3, {32, 33, 34}},
    {"X(2:3,1:2)", 2, 2, {21, 31, 22, 32}},
    {"X(:,1)", 3, 1, {11, 21, 31}},
    {"X(2:end,4:end)", 2, 1, {24, 34}},
    {"X(1,:)'", 4, 1, {11, 12, 13, 14}},
    {"v(4)", 1, 1, {4}},
    {"v(2:3)", 2, 1, {2, 3}},
    {"r(2:3)", 1, 2, {2, 3}},
    {"(X + X)(1:2,2)", 2, 1, {24, 44}},
    {"X'(2:3,1)", 2, 1, {12, 13}},
    {"np.asarray(X)[1:3, 0:2]", 2, 2, {21, 31, 22, 32}},
    {"np.asarray(X)[1, 2]", 1, 1, {23}},
    {"submatrix(X, 2, 3, 1, 2)", 2, 2, {21, 31, 22, 32}},
    {"[v(1:2), v(3:4)]", 2, 2, {1, 2, 3, 4}},
    {"[v(1:2); v(5)]", 3, 1, {1, 2, 5}},
    {"[s, r(1:2); v(1:2), Y(:,1:2)]", 3, 3, {7, 1, 2, 1, -11, -21, 2, -12, -22}},
    {"[1, 2; 3, 4]", 2, 2, {1, 3, 2, 4}},
    {"[X(1:2,1); zeros(1,1)]", 3, 1, {11, 21, 0}},
    {"np.block([[s, 2], [3, 4]])", 2, 2, {7, 3, 2, 4}},
    {"np.vstack([s, 2])", 2, 1, {7, 2}},
    {"np.hstack([s, 2])", 1, 2, {7, 2}},
    {"np.concatenate([s, 2], axis=1)", 1, 2, {7, 2}},
    {"horzcat(s, 2, 3)", 1, 3, {7, 2, 3}},
    {"[s]", 1, 1, {7}},
};

static void texts_have_their_values(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof values / sizeof values[0]; k++) {
    tg_graph *graph = NULL;
    tg_node node = TG_NONE;
    double *found = NULL;
    assert_int_equal(tg_graph_create(&graph), TG_OK);
    if (compile(graph, values[k].text, &node) != TG_OK) fail_msg("%s: %s", values[k].text, tg_error_get()->message);
    const tg_info *info = tg_node_info(graph, node);
    if (tg_dim_value(graph, info->rows) != values[k].rows || tg_dim_value(graph, info->cols) != values[k].cols)
      fail_msg("%s is not %d x %d", values[k].text, values[k].rows, values[k].cols);
    sample(graph, node, &found);
    for (int e = 0; e < values[k].rows * values[k].cols; e++)
      if (found[e] != values[k].entries[e])
        fail_msg("%s: entry %d is %g, expected %g", values[k].text, e, found[e], values[k].entries[e]);
    tg_free(found);
    // What each format prints is the same node.
    for (int format = TG_FORMAT_EXPR; format <= TG_FORMAT_OCTAVE; format++) {
      tg_text text;
      tg_node again = TG_NONE;
      tg_text_init(&text);
      assert_int_equal(tg_print(graph, node, (tg_format)format, &text), TG_OK);
      if (compile(graph, tg_text_string(&text), &again) != TG_OK || again != node)
        fail_msg("%s is printed as %s, which reads otherwise: %s", values[k].text, tg_text_string(&text),
                 again == TG_NONE ? tg_error_get()->message : "another node");
      tg_text_fini(&text);
    }
    tg_graph_destroy(&graph);
  }
}

static const struct {
  const char *text;
  const char *other;
} equal[] = {
    {"[X; Y](1:3,:)", "X"},
    {"[X; Y](4:5,:)", "Y"},
    {"[X, X(:,1:2)](:,1:4)", "X"},
    {"X(2:3,:)(2,:)", "X(3,:)"},
    {"X(:,2:4)(:,2)", "X(:,3)"},
    {"X(1:3,1:4)", "X"},
    {"[X]", "X"},
};

static void equal_texts_are_one_node(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof equal / sizeof equal[0]; k++) {
    tg_graph *graph = NULL;
    tg_node a = TG_NONE;
    tg_node b = TG_NONE;
    double *x = NULL;
    double *y = NULL;
    assert_int_equal(tg_graph_create(&graph), TG_OK);
    if (compile(graph, equal[k].text, &a) != TG_OK) fail_msg("%s: %s", equal[k].text, tg_error_get()->message);
    assert_int_equal(compile(graph, equal[k].other, &b), TG_OK);
    sample(graph, a, &x);
    sample(graph, b, &y);
    const tg_info *info = tg_node_info(graph, b);
    for (int64_t e = 0; e < tg_dim_value(graph, info->rows) * tg_dim_value(graph, info->cols); e++)
      if (x[e] != y[e]) fail_msg("%s is not %s", equal[k].text, equal[k].other);
    tg_free(x);
    tg_free(y);
    tg_graph_destroy(&graph);
  }
}

static const struct {
  const char *text;
  const char *message;
} refused[] = {
    {"X(4,1)", "index 4 exceeds the size 3"},
    {"X(2:5,1)", "index 5 exceeds the size 3"},
    {"X(3:2,1)", "the range of indices is empty"},
    {"X(0,1)", "indices begin with 1, found 0"},
    {"X(1:2:3,1)", "indices with a step are not in the language"},
    {"X(2)", "one index is for vectors"},
    {"X[1:2, 0]", "brackets count from 0 in NumPy and from 1 in R; write X(i:j,k:l)"},
    {"X(s:2,1)", "the number that 's' stands for is not known here"},
    {"X(1:n,1)", "where these indices begin and end is not known here; write numbers"},
    {"[X, Y]", "blocks beside one another need equal numbers of rows"},
    {"[X; v]", "blocks above one another need equal numbers of columns"},
    {"[X X]", "write ',' or '*'"},
    {"[X; Y", "expected ',', ';' or ']'"},
    {"[X; Y]; X", "unexpected character ';'"},
    {"submatrix(X, r, 2, 1, 2)", "'r' is a matrix, not a size"},
};

static void what_is_no_submatrix_is_refused(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof refused / sizeof refused[0]; k++) {
    tg_graph *graph = NULL;
    tg_node node = TG_NONE;
    assert_int_equal(tg_graph_create(&graph), TG_OK);
    if (compile(graph, refused[k].text, &node) == TG_OK) fail_msg("%s is accepted", refused[k].text);
    if (strstr(tg_error_get()->message, refused[k].message) == NULL)
      fail_msg("%s: %s", refused[k].text, tg_error_get()->message);
    tg_error_clear();
    tg_graph_destroy(&graph);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(texts_have_their_values),
      cmocka_unit_test(equal_texts_are_one_node),
      cmocka_unit_test(what_is_no_submatrix_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
