// Functions of other systems: those that are read, by their own rules, and what to write for the others.
#ifndef TG_GRAD_FOREIGN_H
#define TG_GRAD_FOREIGN_H

#include "grad/text/parser.h"

// A function of the language, or one of another system that is read.
bool tg_foreign_is_function(const char *name);
// The call in the language's terms; one that has no meaning stays, for the shape pass to refuse.
tg_status tg_foreign_call(tg_parser *p, const char *name, tg_span span, int32_t n, tg_ast *const *args, tg_ast **out);
// Tr[X]
tg_status tg_foreign_fail_brackets(const tg_parser *p, const tg_token *token);

#endif
