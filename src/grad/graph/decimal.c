// Arithmetic on the numbers of an expression: decimals stay decimals, 0.1*0.2 is 0.02 and 1 - 0.9 is 0.1.
//
// A double stands for the decimal of at most 15 digits that it is nearest to, where there is one. Sums and products of
// such are rounded once, from the exact result; all other numbers follow the arithmetic of doubles.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grad/graph/op.h"

enum { DIGITS_MAX = 15, TEXT_BYTES = 32 };

// Digits that the number is written with, and the power of ten of the last one; 0 digits: it is no such decimal.
static int count_digits(double value, int *last)
{
  char text[TEXT_BYTES];
  snprintf(text, sizeof text, "%.*e", DIGITS_MAX - 1, fabs(value));
  *last = 0;
  if (strtod(text, NULL) != fabs(value)) return 0;
  char *exponent = strchr(text, 'e');
  if (exponent == NULL) return 0;
  int digits = DIGITS_MAX;
  for (const char *c = exponent - 1; digits > 1 && *c == '0'; c--) digits--;
  *last = (int)strtol(exponent + 1, NULL, 10) - digits + 1;
  return digits;
}

// The decimal nearest to value whose last digit counts 10^last; value itself where that has too many digits.
static double round_at(double value, int last)
{
  char text[TEXT_BYTES];
  if (value == 0.0) return value;
  const int behind = (int)floor(log10(fabs(value))) - last;
  if (behind < 0 || behind >= DIGITS_MAX) return value;
  snprintf(text, sizeof text, "%.*e", behind, value);
  return strtod(text, NULL);
}

// A multiple of 1/1024 of few bits: its sums and products are exact.
static bool is_plain(double value)
{
  return fabs(value) < 1e6 && value * 1024.0 == floor(value * 1024.0);
}

double tg_coef_product(double a, double b)
{
  const double product = a * b;
  int last_a = 0;
  int last_b = 0;
  if ((is_plain(a) && is_plain(b)) || fabs(a) == 1.0 || fabs(b) == 1.0 || !isnormal(product)) return product;
  const int digits_a = count_digits(a, &last_a);
  const int digits_b = digits_a > 0 ? count_digits(b, &last_b) : 0;
  if (digits_b == 0 || digits_a + digits_b > DIGITS_MAX) return product;
  return round_at(product, last_a + last_b);
}

double tg_coef_sum(double a, double b)
{
  const double sum = a + b;
  int last_a = 0;
  int last_b = 0;
  if ((is_plain(a) && is_plain(b)) || a == 0.0 || b == 0.0 || !isfinite(sum)) return sum;
  if (count_digits(a, &last_a) == 0 || count_digits(b, &last_b) == 0) return sum;
  const int last = last_a < last_b ? last_a : last_b;
  // Beyond that the sum's own rounding could reach the last digit.
  const double largest = fmax(fabs(a), fabs(b));
  return log10(largest) - last < DIGITS_MAX ? round_at(sum, last) : sum;
}

double tg_coef_power(double base, double exponent)
{
  char text[TEXT_BYTES];
  double power = 1.0;
  if (exponent != floor(exponent) || fabs(exponent) > 400.0) return pow(base, exponent);
  if (base == 10.0) {
    snprintf(text, sizeof text, "1e%d", (int)exponent);
    return strtod(text, NULL);
  }
  if (exponent < 0.0 || exponent > DIGITS_MAX) return pow(base, exponent);
  for (int k = 0; k < (int)exponent; k++) power = tg_coef_product(power, base);
  // Where a product of the decimals is too long they are rounded at each step; pow is rounded once.
  int last = 0;
  return count_digits(power, &last) > 0 ? power : pow(base, exponent);
}
