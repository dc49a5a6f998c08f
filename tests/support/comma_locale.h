// A locale with a decimal comma, for tests that nothing depends on it.
#ifndef COMMA_LOCALE_H
#define COMMA_LOCALE_H

#include <stdbool.h>

// Sets one of the system, else one that is compiled for this test; false where neither can be had.
bool comma_locale_set(void);

#endif
