// Typed values of YAML scalars: strict, the whole text, finite.
#include "job/job_values.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Digits, sign, point and exponent only: strtod alone would take hexadecimals, "inf" and "nan".
static bool looks_decimal(const char *text)
{
  return text[0] != '\0' && text[strspn(text, "0123456789+-.eE")] == '\0' && strpbrk(text, "0123456789") != NULL;
}

static bool is_plain_scalar(const tg_yaml_node *node)
{
  return node != NULL && node->kind == TG_YAML_SCALAR && node->style == TG_YAML_PLAIN;
}

bool tg_value_is_decimal(const tg_yaml_node *node)
{
  char *end = NULL;
  if (!is_plain_scalar(node) || !looks_decimal(node->text)) return false;
  (void)strtod(node->text, &end);
  return *end == '\0';
}

bool tg_value_number(const tg_yaml_node *node, double *out)
{
  if (!is_plain_scalar(node) || !looks_decimal(node->text)) return false;
  char *end = NULL;
  const double value = strtod(node->text, &end);
  if (*end != '\0' || !isfinite(value)) return false;
  *out = value;
  return true;
}

bool tg_value_bound(const tg_yaml_node *node, double *out)
{
  static const char *const infinite[] = {".inf", ".Inf", ".INF"};
  if (tg_value_number(node, out)) return true;
  if (!is_plain_scalar(node)) return false;
  const bool is_signed = node->text[0] == '-' || node->text[0] == '+';
  for (size_t k = 0; k < sizeof infinite / sizeof infinite[0]; k++) {
    if (strcmp(node->text + is_signed, infinite[k]) != 0) continue;
    *out = node->text[0] == '-' ? -(double)INFINITY : (double)INFINITY;
    return true;
  }
  return false;
}

bool tg_value_whole(const tg_yaml_node *node, int64_t *out)
{
  if (!is_plain_scalar(node)) return false;
  const char *digits = node->text + (node->text[0] == '-' || node->text[0] == '+');
  if (digits[0] == '\0' || digits[strspn(digits, "0123456789")] != '\0') return false;
  errno = 0;
  const long long value = strtoll(node->text, NULL, 10);
  // Beyond 64 bits it is still a whole number: saturated, and then out of every range.
  *out = value;
  return true;
}

bool tg_value_boolean(const tg_yaml_node *node, bool *out)
{
  if (!is_plain_scalar(node)) return false;
  *out = strcmp(node->text, "true") == 0;
  return *out || strcmp(node->text, "false") == 0;
}

bool tg_value_duration(const tg_yaml_node *node, double *seconds)
{
  static const struct {
    const char *label;
    double seconds;
  } units[] = {{"", 1}, {"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}};
  if (node == NULL || node->kind != TG_YAML_SCALAR) return false;
  const size_t digits = strspn(node->text, "0123456789.");
  char number[64] = {0};
  if (digits == 0 || digits >= sizeof number) return false;
  memcpy(number, node->text, digits);
  char *end = NULL;
  const double value = strtod(number, &end);
  const char *unit = node->text + digits;
  unit += strspn(unit, " ");
  for (size_t k = 0; k < sizeof units / sizeof units[0]; k++) {
    if (*end != '\0' || strcmp(unit, units[k].label) != 0) continue;
    *seconds = value * units[k].seconds;
    return isfinite(*seconds);
  }
  return false;
}
