// Starts within the domain of the objective, where the job gives none.
#ifndef TG_ENGINE_DOMAIN_START_H
#define TG_ENGINE_DOMAIN_START_H

#include "engine/problem/setup.h"

// The starts of variables that live among symmetric matrices: random ones become their symmetric parts, any other must
// be symmetric but for rounding. TG_DATA, located, where it is not. Collective.
tg_status tg_domain_start_symmetric(const tg_setup *setup);
// Default starts at which f is not defined: a multiple c of the identity for variables that have to be positive
// definite, of ones for any other, c near the minimum of f along that ray. setup->start_note says so. Collective.
tg_status tg_domain_start_inside(tg_setup *setup);

#endif
