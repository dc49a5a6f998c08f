// Which system's meaning '*', '/' and '^' have between matrices.
#ifndef TG_GRAD_DIALECT_H
#define TG_GRAD_DIALECT_H

#include "grad/text/ast.h"

// By marks of the text: @ and np. are NumPy's; %*%, t(X) and crossprod are R's; ' .* ./ .^ are the language's own.
tg_dialect tg_dialect_of(const char *text, size_t length, const tg_name_index *declared);
// Gives the products that waited their meaning, and recognises what our formats spell out: sigmoid, softplus.
// x @ A @ y of NumPy between two columns is the inner product of arrays with one dimension: x stands as a row.
tg_status tg_dialect_settle(tg_arena *arena, tg_dialect dialect, const tg_name_index *declared, tg_ast *ast);

#endif
