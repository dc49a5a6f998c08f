// A derivation as text, in each format.
#ifndef TG_DERIVE_PRINT_H
#define TG_DERIVE_PRINT_H

#include "derive/derivation.h"

typedef enum tg_derive_format {
  TG_DERIVE_HUMAN,
  TG_DERIVE_EXPR,
  TG_DERIVE_LATEX,
  TG_DERIVE_NUMPY,
  TG_DERIVE_OCTAVE,
  TG_DERIVE_JSON,
  TG_DERIVE_FORMATS
} tg_derive_format;

typedef struct tg_derive_view {
  tg_derive_format format;
  bool steps; // the human format and LaTeX: with the derivation, line by line
  bool utf8;  // the human format: with signs beyond ASCII
} tg_derive_view;

// "human", "expr", ...
const char *tg_derive_format_name(tg_derive_format format);

// The whole result.
tg_status tg_derivation_print(tg_derivation *d, const tg_derive_view *view, tg_text *out);
// The steps that lead to the derivative by the target, a line each with its rule.
tg_status tg_derivation_print_steps(tg_derivation *d, const tg_target *target, tg_format format, tg_text *out);
// {"errors": [...]}: code, message and place of each.
tg_status tg_derivation_print_json_errors(const tg_derivation *d, tg_text *out);

// ---- parts of tg_derivation_print ----

// The steps by the target as an align* environment of LaTeX.
tg_status tg_derivation_print_latex_steps(tg_derivation *d, const tg_target *target, tg_text *out);
tg_status tg_derivation_print_json(tg_derivation *d, tg_text *out);

#endif
