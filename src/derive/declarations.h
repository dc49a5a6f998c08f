// The sizes and properties of names, as they are written for `derive`.
#ifndef TG_DERIVE_DECLARATIONS_H
#define TG_DERIVE_DECLARATIONS_H

#include "base/arena.h"
#include "grad/calculus.h"

enum { TG_DERIVE_NAMES_MAX = 128 };

// How messages name the command and its options: {"derive: ", "--"} on the command line, {"", ""} in a library.
typedef struct tg_derive_words {
  const char *command;
  const char *dash;
} tg_derive_words;

// Names with sizes and properties. The texts live in the arena.
typedef struct tg_declarations {
  tg_arena arena;
  int32_t count;
  tg_declaration list[TG_DERIVE_NAMES_MAX];
} tg_declarations;

// The declaration of a name, a new one where it has none; NULL where there are too many. The name is borrowed.
tg_declaration *tg_declarations_get(tg_declarations *declarations, const char *name);
// A=3x4,x=5,s=1x1,B=mxn: sizes of names, numbers or names themselves. `what` names the option in messages. Every fault
// of the text is kept in `errors`, TG_USAGE with a span into it; what is right is declared all the same.
tg_status tg_declarations_read_dims(const char *text, const char *what, tg_errors *errors, tg_declarations *out);
// A comma-separated list of names that get a property. Likewise.
tg_status tg_declarations_read_names(const char *text, const char *what, unsigned property, tg_errors *errors,
                                     tg_declarations *out);

#endif
