// An objective around one entrywise function, whose arguments stay among the row's samples.
#ifndef TESTS_SUPPORT_ENTRY_TEXT_H
#define TESTS_SUPPORT_ENTRY_TEXT_H

#include "grad/graph/entry.h"

enum { ENTRY_TEXT_BYTES = 200 };

// sum(C.*f(middle + half*sin(X))) of a matrix X, or f(middle + half*sin(s)) of a name in small letters.
void entry_text(const tg_entry_facts *f, const char *name, char *out);

#endif
