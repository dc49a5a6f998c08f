// Characters of UTF-8: where one ends, so that a text is not cut within it.
#ifndef TG_BASE_UTF8_H
#define TG_BASE_UTF8_H

#include <stdbool.h>

// Whether the byte is the second or a later one of a character.
static inline bool tg_utf8_continues(char byte)
{
  return ((unsigned char)byte & 0xC0u) == 0x80u;
}

#endif
