// Stated limits (docs/language.md).
#ifndef TG_GRAD_LIMITS_H
#define TG_GRAD_LIMITS_H

enum {
  TG_TEXT_BYTES_MAX = 1 << 20, // of an expression
  TG_NESTING_MAX = 200,
  TG_OPERANDS_MAX = 100000,
  TG_NAME_BYTES_MAX = 63 // of a name in expressions, job files and the options of derive
};

#endif
