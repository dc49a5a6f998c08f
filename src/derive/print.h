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
  TG_DERIVE_JULIA, // this and the following: functions only
  TG_DERIVE_MATLAB,
  TG_DERIVE_PYTORCH,
  TG_DERIVE_JAX,
  TG_DERIVE_C,
  TG_DERIVE_FORTRAN,
  TG_DERIVE_FORMATS
} tg_derive_format;

typedef struct tg_derive_view {
  tg_derive_format format;
  bool utf8;     // the human format: with signs beyond ASCII
  bool function; // a complete function of value and gradient: the languages of programs
} tg_derive_view;

// "human", "expr", ...
const char *tg_derive_format_name(tg_derive_format format);

// The whole result; in the human format and in LaTeX with the steps, where d->wants_steps.
tg_status tg_derivation_print(tg_derivation *d, const tg_derive_view *view, tg_text *out);

typedef enum tg_derive_part {
  TG_PART_EXPRESSION,
  TG_PART_DERIVATIVE,
  TG_PART_HESSIAN,
  TG_PART_STEPS,
  TG_PART_STRUCTURE,
  TG_PART_FUNCTION
} tg_derive_part;

// One part, of the k-th name where it belongs to one. TG_USAGE where the derivation has no such part.
tg_status tg_derivation_print_part(tg_derivation *d, tg_derive_part part, int32_t k, const tg_derive_view *view,
                                   tg_text *out);
// The node of an expression, derivative or Hessian action; TG_NONE where there is none.
tg_node tg_derivation_node(const tg_derivation *d, tg_derive_part part, int32_t k);
// {"errors": [...]}: code, message and place of each.
tg_status tg_derivation_print_json_errors(const tg_derivation *d, tg_text *out);

// ---- parts of tg_derivation_print ----

// Bytes from which on shared parts get names of their own; a shorter derivative can be copied as it stands.
enum { TG_LONG_DERIVATIVE = 2000, TG_LONG_HESSIAN = 240 };

// What the values of the names that are differentiated by must satisfy, in one line without its end; nothing where all
// do.
tg_status tg_derivation_print_domain(const tg_derivation *d, tg_format format, tg_text *out);
// The steps by the target as an align* environment of LaTeX.
tg_status tg_derivation_print_latex_steps(tg_derivation *d, const tg_target *target, tg_text *out);
tg_status tg_derivation_print_json(tg_derivation *d, tg_text *out);
tg_status tg_derivation_print_json_part(tg_derivation *d, tg_derive_part part, int32_t k, tg_text *out);

#endif
