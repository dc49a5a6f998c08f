// Names of functions in other systems, and what to write for them.
#ifndef TG_GRAD_FOREIGN_NAMES_H
#define TG_GRAD_FOREIGN_NAMES_H

#include <stdbool.h>
#include <stddef.h>

// A name of another system that the table has, read or not.
bool tg_foreign_is_known(const char *name);
// The function of the language that has another name there; NULL: none.
const char *tg_foreign_same(const char *name);
// The sentence about a function that is not read: what to write, or that it is not in the language. NULL: unknown.
// out has room for it.
const char *tg_foreign_advice(const char *name, char *out, size_t bytes);

#endif
