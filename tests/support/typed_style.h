// Random scalar objectives as people type them: the same one in MATLAB, NumPy, R, LaTeX and paper notation, with
// letters by custom: capitals for matrices, u to z for columns, Greek for scalars, N for a count.
#ifndef TESTS_SUPPORT_TYPED_STYLE_H
#define TESTS_SUPPORT_TYPED_STYLE_H

#include <stdint.h>

#include "base/text.h"

typedef enum typed_style {
  STYLE_OWN,
  STYLE_MATLAB,
  STYLE_NUMPY,
  STYLE_R,
  STYLE_LATEX,
  STYLE_PAPER,
  STYLES
} typed_style;

// The objective of the seed, written in the style; the same for every style.
void typed_objective(uint64_t seed, typed_style style, tg_text *out);

#endif
