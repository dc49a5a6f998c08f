// Names of the expression language, for those who declare them.
#ifndef TG_GRAD_NAMES_H
#define TG_GRAD_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "grad/text/limits.h"

// Letters, digits and '_', not beginning with a digit, at most TG_NAME_BYTES_MAX of them.
bool tg_name_is_valid(const char *name);
// The name of a function of the language: cannot be declared.
bool tg_name_is_reserved(const char *name);
// The name as it is declared, of TG_NAME_BYTES_MAX + 1 bytes: lambda of its letter or \\lambda. false: no single name.
bool tg_name_canonical(const char *text, char *out);

#endif
