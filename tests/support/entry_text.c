// Objectives around entrywise functions.
#include "support/entry_text.h"

#include <ctype.h>
#include <stdio.h>

void entry_text(const tg_entry_facts *f, const char *name, char *out)
{
  const double middle = 0.5 * (f->samples.low + f->samples.high);
  const double half = 0.5 * (f->samples.high - f->samples.low);
  if (islower((unsigned char)name[0]))
    snprintf(out, ENTRY_TEXT_BYTES, "%s(%g + %g*sin(%s))", f->name, middle, half, name);
  else
    snprintf(out, ENTRY_TEXT_BYTES, "sum(C.*%s(%g*ones + %g*sin(%s)))", f->name, middle, half, name);
}
