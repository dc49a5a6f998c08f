// What the symbols reveal about an objective, in words.
#ifndef TG_DERIVE_STRUCTURE_REPORT_H
#define TG_DERIVE_STRUCTURE_REPORT_H

#include "grad/calculus.h"
#include "grad/structure/curvature.h"

// "convex"
const char *tg_curvature_word(tg_curvature curvature);

// Degree, homogeneity, quadratic operator and curvature of the scalar f by wrt, in lines that begin with two blanks.
tg_status tg_structure_print(tg_graph *graph, tg_node f, int32_t wrt, tg_format format, tg_text *out);

#endif
