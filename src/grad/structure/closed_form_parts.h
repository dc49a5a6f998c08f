// What the recognisers of closed forms share. Internal to closed_*.c.
#ifndef TG_GRAD_CLOSED_FORM_PARTS_H
#define TG_GRAD_CLOSED_FORM_PARTS_H

#include "grad/structure/closed_form.h"

// The identity, as TG_NONE or as a node.
bool tg_closed_is_identity(const tg_graph *g, tg_node node);

// kind NONE for this reason; TG_OK, for "there is none" is an answer.
tg_status tg_closed_refuse(tg_closed_form *form, tg_closed_why why);

// Whether all factors of the form's sides are known to be symmetric; refuses, naming the first that is not, and sets
// is_proved where all are known to be definite.
tg_status tg_closed_check_symmetric(tg_graph *g, tg_closed_form *form, bool *out);

// Sets form->stack where the form is a least-squares problem (closed_form_stack.c).
tg_status tg_closed_find_stack(tg_graph *g, tg_node f, int32_t wrt, tg_closed_form *form);

// Where the side's base is b I + a K'K, K of fewer rows than columns, the side is written by K K' instead
// (closed_form_wide.c).
tg_status tg_closed_find_wide(tg_graph *g, tg_closed_side *side, bool *found);
// Whether the linear term of the gradient reads K' * ..., or ... * K for the right side: in the range of a K'K.
tg_status tg_closed_is_in_range(tg_graph *g, const tg_closed_side *side, bool on_right, tg_node linear, bool *out);

#endif
