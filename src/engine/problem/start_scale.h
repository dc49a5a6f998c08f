// The length of a random start: that of the data.
#ifndef TG_ENGINE_START_SCALE_H
#define TG_ENGINE_START_SCALE_H

#include "engine/problem/setup.h"

// setup->x holds random entries of size 1 in the variables whose start was chosen (default_start.h): they are scaled so
// that the terms of f in them are as large as the rest of it, |U*V| as |M| in sumsq(M - U*V). Data c times as large
// then give the point that they must. Not where the job gives `scale`, nor on bounded sets, which have a size of their
// own. Of a polynomial it takes one line, else values along it. Makes two points for its time. Collective.
tg_status tg_start_scale(tg_setup *setup);

#endif
