// The optimiser: an objective's graph and its gradient to a plan of few large products.
#ifndef TG_GRAD_LOWER_H
#define TG_GRAD_LOWER_H

#include "grad/graph/graph.h"
#include "grad/plan/plan.h"

// Passes that can be switched off by name, to make their gain visible.
#define TG_PASS_LIST(X)                                                      \
  X(SHARING, "sharing", "equal subexpressions and transposes computed once") \
  X(ASSOCIATION, "association", "chains multiplied in the cheapest order")   \
  X(FACTORING, "factoring", "common factors taken out of sums")              \
  X(HOISTING, "hoisting", "constant subexpressions computed once, in setup") \
  X(TRACES, "traces", "traces of products as inner products of what exists") \
  X(SOLVES, "solves", "solves with a factorisation instead of inverses")     \
  X(FUSION, "fusion", "entrywise chains in one pass")                        \
  X(REUSE, "reuse", "buffers with disjoint lives share memory")              \
  X(IMAGES, "images", "images of the point updated along a line, not recomputed")

typedef enum tg_pass {
#define TG_PASS_ENUM(name, label, help) TG_PASS_##name,
  TG_PASS_LIST(TG_PASS_ENUM)
#undef TG_PASS_ENUM
      TG_PASS_COUNT
} tg_pass;

typedef struct tg_lower_options {
  bool without[TG_PASS_COUNT];  // passes switched off
  bool want_hessian;            // TG_PROGRAM_HESSIAN is built
  int64_t expected_iterations;  // over which a setup cost is spread; 0: 100
  const double *scalar_values;  // by symbol: value of each constant 1 x 1 symbol that the job gives as a number
  const bool *has_scalar_value; // by symbol; a 1 x 1 symbol without one is a 1 x 1 data matrix
} tg_lower_options;

// Compiles value, gradient, line polynomial and Hessian action of the scalar f over the variables wrt[0..n).
// All sizes must be numbers. TG_UNSUPPORTED names an operator that has no lowering yet.
tg_status tg_lower(tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, const tg_lower_options *options,
                   tg_plan **out);

// Value and gradient computed as on paper, to compare a plan with: every node once, chains from left to right, inverses
// formed, and reverse accumulation with one product for each operand of a product that depends on wrt. tr(A*B*A'*C)
// costs 7 products in this way. All sizes must be numbers.
typedef struct tg_written_cost {
  int64_t products; // of matrices, and inverses
  double flops;
} tg_written_cost;

tg_status tg_lower_written_cost(const tg_graph *graph, tg_node f, int32_t n, const int32_t *wrt, tg_written_cost *out);

// Index by name, or -1.
int tg_pass_find(const char *name);
const char *tg_pass_label(tg_pass pass);

#endif
