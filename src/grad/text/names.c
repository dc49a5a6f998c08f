// Which names may be declared.
#include "grad/text/names.h"

#include <string.h>

#include "grad/text/shape.h"

bool tg_name_is_valid(const char *name)
{
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  static const char others[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
  const size_t length = strlen(name);
  return length > 0 && length <= TG_NAME_BYTES_MAX && strspn(name, letters) > 0 && strspn(name, others) == length;
}

bool tg_name_is_reserved(const char *name)
{
  return tg_function_find(name) != NULL;
}
