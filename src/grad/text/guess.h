// What names without a size are taken for: the reading of an expression that people most likely mean.
#ifndef TG_GRAD_GUESS_H
#define TG_GRAD_GUESS_H

#include "grad/text/shape.h"

// Shapes the expression from the start with the guesses that the shaper holds.
tg_status tg_shape_once(tg_shaper *shaper, tg_ast *ast);
// Chooses the guesses and shapes the expression with them; the error is that of the preferred reading.
tg_status tg_shape_guessing(tg_shaper *shaper, tg_ast *ast);

// Where a pass failed, with that failure recorded: the other failures are kept in options->errors too; returns the
// first.
tg_status tg_shape_find_others(tg_shaper *shaper, tg_ast *ast, tg_status status);

#endif
