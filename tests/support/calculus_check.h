// Checks of one expression: gradient, Hessian action, line polynomial, Jacobian and printing against independent
// numbers.
#ifndef TESTS_SUPPORT_CALCULUS_CHECK_H
#define TESTS_SUPPORT_CALCULUS_CHECK_H

#include "grad/calculus.h"
#include "support/text_eval.h"

enum { CALCULUS_NAMES_MAX = 48, CALCULUS_WRT_MAX = 4 };

// Names with sizes, properties and random values; one graph over them.
typedef struct calculus_world {
  tg_graph *graph;
  tg_arena arena;
  uint64_t random;
  int32_t n_names;
  tg_declaration declarations[CALCULUS_NAMES_MAX];
  text_name names[CALCULUS_NAMES_MAX];
  int32_t n_wrt;
  int32_t wrt[CALCULUS_WRT_MAX];        // index into names
  int32_t symbols[CALCULUS_WRT_MAX];    // of the graph, once compiled
  tg_node directions[CALCULUS_WRT_MAX]; // a symbol of the same shape for each
  int32_t direction_names[CALCULUS_WRT_MAX];
} calculus_world;

// dims: "A=3x4,x=3,s=1x1". properties: "S:spd,A:symmetric,D:diagonal,Q:orthogonal" are declared and true of the values;
// "U:positive" (entries in (1/2, 3/2)) and "X:definite" (positive definite) are true of the values alone.
// wrt: "X" or "X,Y". The values are a function of seed.
tg_status calculus_open(calculus_world *world, const char *dims, const char *properties, const char *wrt,
                        uint64_t seed);
void calculus_close(calculus_world *world);

tg_status calculus_compile(calculus_world *world, const char *text, bool require_scalar, tg_node *out);
// The node's value with the world's present values; tg_free it.
tg_status calculus_sample(calculus_world *world, tg_node node, double **out);

typedef enum calculus_verdict {
  CALCULUS_RIGHT,
  CALCULUS_WRONG,  // `why` says what differs
  CALCULUS_NOT_FIT // not finite, or not smooth enough at this point to judge by differences
} calculus_verdict;

// Value of text by the graph against the oracle's; the printed form read back as the same node.
tg_status calculus_check_value(calculus_world *world, const char *text, calculus_verdict *verdict, tg_text *why);
// All of: gradient against finite differences and, unless NULL, against the expected texts (one per wrt); <G,D> against
// the forward derivative; H[D] against differences of G; the line polynomial; printed forms read back.
tg_status calculus_check_gradient(calculus_world *world, const char *text, const char *const *expected,
                                  calculus_verdict *verdict, tg_text *why);
// Jacobian of the first wrt against finite differences and, unless NULL, against the expected text.
tg_status calculus_check_jacobian(calculus_world *world, const char *text, const char *expected,
                                  calculus_verdict *verdict, tg_text *why);

// Whether two texts have the same value.
tg_status calculus_check_same(calculus_world *world, const char *text, const char *expected, calculus_verdict *verdict,
                              tg_text *why);

#endif
