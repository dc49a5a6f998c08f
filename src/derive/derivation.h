// A derivation: an expression, what is declared of its names, and its derivatives by some of them. Nothing here prints,
// and nothing is kept outside the object: several of them may be used at once, each by one thread.
#ifndef TG_DERIVE_DERIVATION_H
#define TG_DERIVE_DERIVATION_H

#include "base/message.h"
#include "base/source.h"
#include "derive/declarations.h"
#include "derive/within.h"

// One name to differentiate by, or its transpose.
typedef struct tg_target {
  const char *name;
  bool transposed;
  int32_t symbol;
  tg_node f;             // the expression with the other names held: as declared
  tg_node derivative;    // gradient, or Jacobian of a matrix expression
  tg_node hessian;       // H[V], or TG_NONE
  const char *direction; // the name of V for this target
} tg_target;

enum { TG_TARGETS_MAX = 16, TG_DERIVE_SOURCES_MAX = 256, TG_DERIVE_PARTS_MAX = 100, TG_LIMITS_MAX = 1000000000 };

typedef struct tg_derivation {
  tg_derive_words words;
  const tg_messages *messages; // receives notes and warnings; or NULL
  tg_declarations declarations;
  int32_t n_parts; // that the expression may use by their names
  tg_part parts[TG_DERIVE_PARTS_MAX];
  tg_mark part_names[TG_DERIVE_PARTS_MAX];
  const char *expression;
  tg_graph *graph;
  tg_node f;
  bool scalar;
  bool wants_hessian;
  bool wants_steps;        // shown in the human format and in LaTeX
  int64_t max_bytes;       // of a text
  bool has_wrt;            // something was given to differentiate by, good or bad
  const tg_within *within; // or NULL: entries are free
  tg_errors errors;        // found so far; what does not depend on them is looked at all the same
  int32_t n_sources;       // texts that errors lie in
  tg_source sources[TG_DERIVE_SOURCES_MAX];
  int32_t n_symbols; // of the expression, its variables and directions: claims and steps add more to the graph
  int32_t n_targets;
  tg_target targets[TG_TARGETS_MAX];
} tg_derivation;

// The steps of a derivation: create, set what is declared and asked, derive, then print or check claims. What is wrong
// with the user's texts is kept in d->errors, and the functions return TG_OK, so that all of it can be said at once;
// another status is a failure of the machine. Texts are copied.

// Either may be NULL. `words` is copied; `messages` is borrowed.
tg_status tg_derivation_create(const tg_derive_words *words, const tg_messages *messages, tg_derivation **out);
void tg_derivation_destroy(tg_derivation **d);

// Reads one option: "wrt" and the names of properties take lists of names, "dims" takes sizes, "within" the name of a
// set, "define" a part as R=Y - X*W; "hessian" takes "true", or "" which is the same, or "false". An unknown option is
// an error that is kept.
tg_status tg_derivation_set(tg_derivation *d, const char *option, const char *text);
// Reads the expression and checks everything that was set.
tg_status tg_derivation_read(tg_derivation *d, const char *expression);
// Derives; does nothing where errors are kept. TG_OK, or the first of the errors.
tg_status tg_derivation_derive(tg_derivation *d);

// A warning for each declared name that the expression does not have.
void tg_derivation_warn_of_unused(const tg_derivation *d);

// A text in which an error may lie: its id; 0, which has no place, where there are too many. The name is borrowed.
int32_t tg_derivation_add_source(tg_derivation *d, const char *name, const char *text);
// Keeps a failure of the user's text with that id and returns TG_OK; another one is returned.
tg_status tg_derivation_keep(tg_derivation *d, int32_t source, tg_status status);

#endif
