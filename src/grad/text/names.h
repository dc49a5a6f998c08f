// Names of the expression language, for those who declare them.
#ifndef TG_GRAD_NAMES_H
#define TG_GRAD_NAMES_H

#include <stdbool.h>
#include <stddef.h>

// A stated limit (docs/language.md): of expressions, job files and derive's options alike.
enum { TG_NAME_BYTES_MAX = 63 };

// Letters, digits and '_', not beginning with a digit, at most TG_NAME_BYTES_MAX of them.
bool tg_name_is_valid(const char *name);
// The name of a function of the language: cannot be declared.
bool tg_name_is_reserved(const char *name);
// The name as it is declared, of TG_NAME_BYTES_MAX + 1 bytes: lambda of its letter or \\lambda. false: no single name.
bool tg_name_canonical(const char *text, char *out);
// lambda, Sigma: the name of a Greek letter that is one in LaTeX, among the first bytes.
bool tg_name_is_greek_letter(const char *name, size_t length);

#endif
