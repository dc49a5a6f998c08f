// The table of other systems' functions.
#include "grad/text/foreign_names.h"

#include <stdio.h>
#include <string.h>

#include "grad/graph/entry.h"

typedef enum treatment { SAME, WRITE, NONE } treatment;

typedef struct foreign_row {
  const char *name;
  treatment kind;
  const char *text;
} foreign_row;

static const foreign_row rows[] = {
#define TG_SAME(name, here)  {name, SAME, here},
#define TG_WRITE(name, text) {name, WRITE, text},
#define TG_NONE(name, what)  {name, NONE, what},
#include "grad/text/foreign.def"
#undef TG_SAME
#undef TG_WRITE
#undef TG_NONE
};

// Another name of an entrywise function; NULL: none.
static const char *find_alias(const char *name)
{
  const tg_entry_facts *f = tg_entry(tg_entry_find(name, strlen(name)));
  return f != NULL && strcmp(f->name, name) != 0 ? f->name : NULL;
}

static const foreign_row *find_row(const char *name)
{
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (strcmp(rows[i].name, name) == 0) return &rows[i];
  return NULL;
}

const char *tg_foreign_advice(const char *name, char *out, size_t bytes)
{
  const foreign_row *row = find_row(name);
  const char *alias = find_alias(name);
  if (row == NULL && alias == NULL) return NULL;
  if (row == NULL) {
    snprintf(out, bytes, "write %s", alias);
    return out;
  }
  if (row->kind == NONE)
    snprintf(out, bytes, "%s is not in the language", row->text);
  else
    snprintf(out, bytes, "write %s", row->text);
  // "a pseudo-inverse; with ... write ...": the remedy comes last.
  const char *remedy = row->kind == NONE ? strchr(row->text, ';') : NULL;
  if (remedy != NULL)
    snprintf(out, bytes, "%.*s is not in the language%s", (int)(remedy - row->text), row->text, remedy);
  return out;
}

bool tg_foreign_is_known(const char *name)
{
  return find_row(name) != NULL || find_alias(name) != NULL;
}

const char *tg_foreign_same(const char *name)
{
  const foreign_row *row = find_row(name);
  return row != NULL && row->kind == SAME ? row->text : find_alias(name);
}
