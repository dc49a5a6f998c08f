// Notation: what is printed in any format reads back as the same node, and what people type in other systems' styles
// means the same as in the language's own.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/calculus_check.h"
#include "support/random_expression.h"

static const char *const format_names[] = {"expr", "human", "latex", "numpy", "octave"};

// NOTATION_COUNT=n runs so many expressions of each kind.
static uint64_t count_of(uint64_t otherwise)
{
  const char *text = getenv("NOTATION_COUNT");
  return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

// Adjoints of kron are spelled by their definition and need not be the same node again.
static bool has_kron_adjoint(const tg_graph *graph, tg_node node, uint8_t *seen)
{
  const tg_info *info = tg_node_info(graph, node);
  if (info->kind == TG_KRONL || info->kind == TG_KRONR) return true;
  if (seen[node] != 0) return false;
  seen[node] = 1;
  for (int32_t i = 0; i < info->n_args; i++)
    if (has_kron_adjoint(graph, info->args[i], seen)) return true;
  return false;
}

// Whether the node comes back from its text in every format; what does not is shown.
static int count_lost(calculus_world *world, tg_node node)
{
  int lost = 0;
  uint8_t *seen = calloc((size_t)tg_graph_node_count(world->graph), 1);
  assert_non_null(seen);
  const bool spelled = has_kron_adjoint(world->graph, node, seen);
  free(seen);
  for (int format = 0; format < 5; format++) {
    tg_text text;
    tg_node again = TG_NONE;
    tg_text_init(&text);
    assert_int_equal(tg_print(world->graph, node, (tg_format)format, &text), TG_OK);
    const tg_status status = calculus_compile(world, tg_text_string(&text), false, &again);
    const bool deep = status == TG_LIMIT; // what was printed may be nested deeper than a text may be
    if (!deep && (status != TG_OK || (again != node && !spelled))) {
      fprintf(stderr, "%s: %s\n  %s\n", format_names[format], tg_text_string(&text),
              status != TG_OK ? tg_error_get()->message : "another node");
      lost++;
    }
    tg_text_fini(&text);
  }
  return lost;
}

// Random expressions with their gradients, or Jacobians.
static void test_printed_reads_back(void **unused)
{
  static const int shapes[][2] = {{1, 1}, {2, 3}, {3, 1}, {1, 1}, {3, 3}};
  int lost = 0;
  (void)unused;
  for (uint64_t seed = 1; seed <= count_of(300); seed++) {
    calculus_world world;
    uint64_t state = seed;
    tg_text text;
    tg_node f = TG_NONE;
    tg_node derivative = TG_NONE;
    const int *shape = shapes[seed % 5];
    tg_text_init(&text);
    random_expression_about(&state, shape[0], shape[1], 4, "A23", &text);
    assert_int_equal(calculus_open(&world, random_expression_dims, random_expression_properties, "A23", seed), TG_OK);
    const tg_status status = calculus_compile(&world, tg_text_string(&text), false, &f);
    if (status == TG_OK) {
      const int32_t symbol = tg_symbol_find(world.graph, "A23");
      lost += count_lost(&world, f);
      const tg_status derived = tg_node_is_scalar(world.graph, f) ? tg_gradient(world.graph, f, 1, &symbol, &derivative)
                                                                  : tg_jacobian(world.graph, f, symbol, &derivative);
      if (derived == TG_OK) lost += count_lost(&world, derivative);
    }
    calculus_close(&world);
    tg_text_fini(&text);
  }
  assert_int_equal(lost, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_printed_reads_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
