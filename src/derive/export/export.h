// A derivation as a complete function of another language: value, gradient and Hessian product by the plan's products.
#ifndef TG_DERIVE_EXPORT_H
#define TG_DERIVE_EXPORT_H

#include "derive/derivation.h"

typedef enum tg_export_target {
  TG_EXPORT_NUMPY,
  TG_EXPORT_JAX,
  TG_EXPORT_PYTORCH,
  TG_EXPORT_OCTAVE,
  TG_EXPORT_MATLAB,
  TG_EXPORT_JULIA,
  TG_EXPORT_C,
  TG_EXPORT_FORTRAN,
  TG_EXPORT_TARGETS
} tg_export_target;

// Appends the text of the functions. The objective is that of the derivation by all of its names together, with the
// Hessian product where it was asked for. Sizes that are open are those of the arguments. TG_USAGE for what is no
// scalar function of free entries, TG_UNSUPPORTED for an operation that the language lacks. Local.
tg_status tg_export_function(const tg_derivation *d, tg_export_target target, tg_text *out);

#endif
