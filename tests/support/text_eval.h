// The value of an expression text on small matrices, straight from the parse tree: an oracle that shares nothing with
// the graph, its constructors or their rewrites.
#ifndef TESTS_SUPPORT_TEXT_EVAL_H
#define TESTS_SUPPORT_TEXT_EVAL_H

#include <stdint.h>

#include "base/arena.h"

typedef struct text_value {
  int64_t rows;
  int64_t cols;
  double *data; // column-major, owned by the arena
} text_value;

typedef struct text_name {
  const char *name;
  text_value value;
} text_name;

// eye, ones and zeros need their sizes written out. TG_UNSUPPORTED for what the oracle does not know, TG_SHAPE for
// shapes that do not fit, TG_NUMERIC for the determinant or inverse of a matrix that is singular to rounding.
tg_status text_eval(tg_arena *arena, const char *text, int32_t n_names, const text_name *names, text_value *out);

// The k-th of a stream of random words, and a number from the open interval (-1, 1).
uint64_t text_random(uint64_t *state);
double text_uniform(uint64_t *state);

#endif
