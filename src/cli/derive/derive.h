// tracegrad derive: what is asked, what is found, and how it is shown.
#ifndef TG_CLI_DERIVE_H
#define TG_CLI_DERIVE_H

#include "cli/cli.h"
#include "grad/calculus.h"

enum { DERIVE_NAMES_MAX = 128 };

// Sizes and properties given on the command line, by name.
typedef struct derive_declarations {
  tg_arena arena;
  int32_t count;
  tg_declaration list[DERIVE_NAMES_MAX];
} derive_declarations;

// --dims A=3x4,x=5,s=1x1,B=mxn. TG_USAGE with a span into the text. Local.
tg_status derive_read_dims(const char *text, derive_declarations *out);
// A comma-separated list of names that get a property; what names the option in messages.
tg_status derive_read_names(const char *text, const char *what, unsigned property, derive_declarations *out);
tg_declaration *derive_declare(derive_declarations *declarations, const char *name);

typedef enum derive_format {
  DERIVE_HUMAN,
  DERIVE_EXPR,
  DERIVE_LATEX,
  DERIVE_NUMPY,
  DERIVE_OCTAVE,
  DERIVE_JSON
} derive_format;

// One name to differentiate by, or its transpose.
typedef struct derive_target {
  const char *name;
  bool transposed;
  int32_t symbol;
  tg_node f;             // the expression with the other names held: as declared
  tg_node derivative;    // gradient, or Jacobian of a matrix expression
  tg_node hessian;       // H[V], or TG_NONE
  const char *direction; // the name of V for this target
} derive_target;

enum { DERIVE_TARGETS_MAX = 16, DERIVE_SOURCES_MAX = 64 };

// A linear set of square matrices and the orthogonal projection onto it.
typedef struct derive_within {
  const char *name;
  unsigned property; // that the variable is declared with; 0: none says it
  tg_status (*project)(tg_graph *g, tg_node gradient, tg_node *out);
  double (*point)(const double *x, int64_t n, int64_t i, int64_t j); // entry (i, j) of a point made from any matrix
  const char *rule;
} derive_within;

typedef struct derivation {
  const char *expression;
  tg_graph *graph;
  tg_node f;
  bool scalar;
  bool steps;
  bool utf8;
  const derive_within *within; // or NULL: entries are free
  tg_errors errors;            // found so far; what does not depend on them is looked at all the same
  int32_t n_sources;           // texts of the command line that errors lie in
  tg_source sources[DERIVE_SOURCES_MAX];
  int32_t n_targets;
  derive_target targets[DERIVE_TARGETS_MAX];
} derivation;

// The set of a name in --within.
tg_status derive_within_find(const char *name, const derive_within **out);
// TG_USAGE unless the gradient by the target can be one inside the set.
tg_status derive_within_check(const derivation *d, const derive_target *target);
// The projection of a derivative by the target, at points and along directions of the set.
tg_status derive_within_project(derivation *d, const derive_target *target, tg_node *node);
// Moves the n x n matrix x into the set.
void derive_within_move(const derive_within *set, int64_t n, double *x);

// Prints the result in the format asked.
tg_status derive_print(derivation *d, derive_format format, tg_text *out);

// --steps of LaTeX: an align* environment for each name.
tg_status derive_print_latex_steps(derivation *d, tg_text *out);

tg_status derive_print_json(derivation *d, tg_text *out);
// {"errors": [...]}: code, message and place of each.
tg_status derive_print_json_errors(const derivation *d, tg_text *out);

typedef enum derive_verdict { DERIVE_EQUAL, DERIVE_DIFFERENT, DERIVE_UNDECIDED } derive_verdict;

// Compares a claimed derivative by the k-th name (in the input language) with the derived one: the verdict, and in
// `out` lines that say so or show the shapes or an entry where they differ. Names that the expression does not have may
// occur; sizes that are open take the shape of the derivative. Symbolic sizes get small distinct numbers.
tg_status derive_check_claim(derivation *d, const derive_declarations *declarations, int32_t k, const char *claim,
                             derive_verdict *verdict, tg_text *out);

#endif
