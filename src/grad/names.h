// Names of the expression language, for those who declare them.
#ifndef TG_GRAD_NAMES_H
#define TG_GRAD_NAMES_H

#include <stdbool.h>

// Letters, digits and '_', not beginning with a digit, at most 63 of them.
bool tg_name_is_valid(const char *name);
// The name of a function of the language: cannot be declared.
bool tg_name_is_reserved(const char *name);

#endif
