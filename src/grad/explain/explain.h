// The derivation written out: forward differentials brought to tr(G' dX) by named rules of the trace.
#ifndef TG_GRAD_EXPLAIN_H
#define TG_GRAD_EXPLAIN_H

#include "grad/calculus.h"

typedef struct tg_step {
  int term;         // 0: df; k: the k-th term that a rule split off; -1: the gradient
  const char *text; // the expression after the step
  const char *rule; // why it equals the line before; NULL for the heading of a term
} tg_step;

typedef struct tg_explanation {
  tg_arena arena; // owns the texts
  tg_step *steps;
  int32_t n_steps;
  int32_t capacity;
  bool shortened;   // more steps than TG_STEPS_MAX, or longer ones than TG_STEPS_BYTES_MAX: the rest is left out
  size_t bytes;     // of all texts
  tg_node gradient; // what the steps arrive at; must equal tg_gradient's, which it is where they are shortened
} tg_explanation;

// What shares much, as a part that occurs twice in the next, is written out at every step: at most so much of it.
enum { TG_STEPS_MAX = 400, TG_STEP_BYTES_MAX = 20000, TG_STEPS_BYTES_MAX = 400000 };

// Derives the gradient of the scalar f by the symbol wrt and writes down every step in the given format.
// Independent of tg_gradient but for vec, diag and kron, whose trace rule is their adjoint.
tg_status tg_explain(tg_graph *graph, tg_node f, int32_t wrt, tg_format format, tg_explanation *out);
void tg_explanation_fini(tg_explanation *explanation);

#endif
