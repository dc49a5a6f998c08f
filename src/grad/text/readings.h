// What names mean without a declaration, and what was read otherwise than letters suggest: told in notices.
#ifndef TG_GRAD_READINGS_H
#define TG_GRAD_READINGS_H

#include "grad/text/places.h"

// I, I_n and pi where they are not declared: the identity and the number. Before shapes are inferred.
tg_status tg_resolve_constants(const tg_shaper *shaper, tg_ast *ast);
// After: TG_NAME at a name of a capital and a small letter that was read as a vector where the small letter is a name
// too.
tg_status tg_refuse_products(const tg_shaper *shaper, const tg_ast *ast);
// After: names read against their letters (places: of those that were guessed, or NULL), and scalars added to every
// entry where the identity is likelier meant.
tg_status tg_report_readings(tg_shaper *shaper, const tg_ast *ast, const tg_places *places);

#endif
