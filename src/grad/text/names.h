// Names of the expression language, for those who declare them.
#ifndef TG_GRAD_NAMES_H
#define TG_GRAD_NAMES_H

#include <stdbool.h>

// A stated limit (docs/language.md): of expressions, job files and derive's options alike.
enum { TG_NAME_BYTES_MAX = 63 };

// Letters, digits and '_', not beginning with a digit, at most TG_NAME_BYTES_MAX of them.
bool tg_name_is_valid(const char *name);
// The name of a function of the language: cannot be declared.
bool tg_name_is_reserved(const char *name);

#endif
