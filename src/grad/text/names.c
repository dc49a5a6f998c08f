// Which names may be declared.
#include "grad/text/names.h"

#include <string.h>

#include "grad/text/lex.h"
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

bool tg_name_canonical(const char *text, char *out)
{
  tg_token token;
  size_t position = 0;
  const size_t length = strlen(text);
  const bool read = tg_lex(text, length, &position, &token) == TG_OK;
  if (!read) tg_error_clear();
  if (!read || token.kind != TG_TOKEN_NAME || token.is_module || position != length) return false;
  memcpy(out, token.name, sizeof token.name);
  return true;
}
