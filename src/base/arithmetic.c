// Arithmetic of whole numbers.
#include "base/arithmetic.h"

int64_t tg_common_multiple(int64_t a, int64_t b)
{
  int64_t x = a;
  int64_t y = b;
  while (y != 0) {
    const int64_t rest = x % y;
    x = y;
    y = rest;
  }
  return a / x * b;
}
