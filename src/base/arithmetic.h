// Arithmetic of whole numbers.
#ifndef TG_BASE_ARITHMETIC_H
#define TG_BASE_ARITHMETIC_H

#include <stdint.h>

// The least common multiple of two positive numbers (Euclid's algorithm).
int64_t tg_common_multiple(int64_t a, int64_t b);

#endif
