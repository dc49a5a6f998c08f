// Options of a minimisation: one table of rows, generic access by key for the command line and the job file.
#ifndef OPT_OPTIONS_H
#define OPT_OPTIONS_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "opt/space.h"
#include "opt/wording.h"

// An estimate M of the Hessian, symmetric positive definite, given by the action of its inverse.
typedef struct opt_preconditioner {
  const char *name;
  // z := M^-1 r. Collective; r and z are different points.
  tg_status (*apply)(void *self, const opt_point *r, opt_point *z);
  // The same of an M that is made of x alone and follows it; takes the place of `apply`. NULL: there is none.
  tg_status (*apply_at)(void *self, const opt_point *x, const opt_point *r, opt_point *z);
  // M is a part of the Hessian, so that no scale has to be found for it.
  bool is_scaled;
  // H >= floor M where f is convex; 0: not known.
  double floor;
  // M := the estimate at x, or left as it is (*is_new false) where there is none. NULL where it is the same everywhere.
  // What it becomes depends on x alone. Collective.
  tg_status (*renew)(void *self, const opt_point *x, bool *is_new);
  // What the forecast of the products rests on, with M or without, has proved wrong after so many iterations: from then
  // on M is used, which is made by the first `renew` there; or it is used no more, which `drop` tells. 0: never.
  int64_t from;
  int64_t until;
  void (*drop)(void *self);
  // M was made near the minimum, and is used from the start: the iteration of the first renewal. 0: an early one, for x
  // goes far.
  int64_t first_renewal;
  void *self;
} opt_preconditioner;

// A second method, which takes over where the first one is slower than was forecast: without constraints, both without
// a Hessian, a closed form or blocks.
typedef struct opt_second {
  int32_t method;            // its row of the options: never auto
  int64_t after;             // iterations of the first
  void (*taken)(void *self); // it took over, in this run or in one that is resumed. Local; NULL: nobody asks
  void *self;
} opt_second;

// Whether it is, in that iteration; NULL is not.
static inline bool opt_preconditioner_is_used(const opt_preconditioner *preconditioner, int64_t iteration)
{
  return preconditioner != NULL && iteration >= preconditioner->from &&
         (preconditioner->until == 0 || iteration < preconditioner->until);
}

// A minimiser known in closed form: what method: direct asks.
typedef struct opt_closed_form {
  const char *name; // a phrase: "two Cholesky factorisations"
  // out := the minimiser of f, as seen from x with gradient g: x - H^-1 g on a quadratic. Collective; three different
  // points.
  tg_status (*solve)(void *self, const opt_point *x, const opt_point *g, opt_point *out);
  void *self;
} opt_closed_form;

struct opt_result;

// Minimisation over one block of x, the others held: what method: alternating asks.
typedef struct opt_block_solver {
  int n; // blocks
  // x's block k := a minimiser of f over it, up to the gradient norm `tolerance` in this block, or a better point than
  // before; result tells how it ended. Collective.
  tg_status (*solve)(void *self, int k, double tolerance, opt_point *x, struct opt_result *result);
  void *self;
} opt_block_solver;

typedef enum opt_option_kind {
  OPT_KIND_NUMBER,  // double
  OPT_KIND_COUNT,   // int64_t, written as a whole number
  OPT_KIND_SECONDS, // double; text may carry s, min, h, d
  OPT_KIND_METHOD,  // int32_t, the position among the choices, 0 = auto; likewise below
  OPT_KIND_LINE_SEARCH,
  OPT_KIND_PRECONDITIONER,
  OPT_KIND_BETA,
  OPT_KIND_RETRACTION,
  OPT_KIND_SADDLES
} opt_option_kind;

#define OPT_FIELD_NUMBER         double
#define OPT_FIELD_COUNT          int64_t
#define OPT_FIELD_SECONDS        double
#define OPT_FIELD_METHOD         int32_t
#define OPT_FIELD_LINE_SEARCH    int32_t
#define OPT_FIELD_PRECONDITIONER int32_t
#define OPT_FIELD_BETA           int32_t
#define OPT_FIELD_RETRACTION     int32_t
#define OPT_FIELD_SADDLES        int32_t

// Positions of `preconditioner`: what the caller who builds it goes by; the solvers look at
// `preconditioning` only.
typedef enum opt_preconditioner_choice {
  OPT_PRECONDITIONER_AUTO,
  OPT_PRECONDITIONER_NONE,
  OPT_PRECONDITIONER_DIAGONAL,
  OPT_PRECONDITIONER_KRONECKER
} opt_preconditioner_choice;

typedef enum opt_beta {
  OPT_BETA_AUTO,
  OPT_BETA_POLAK_RIBIERE,
  OPT_BETA_HESTENES_STIEFEL,
  OPT_BETA_DAI_YUAN,
  OPT_BETA_HAGER_ZHANG
} opt_beta;

// Positions of `saddles`.
typedef enum opt_saddles { OPT_SADDLES_LEAVE, OPT_SADDLES_STOP } opt_saddles;

// Which points are examined before they are called converged (opt/examine): of a half-step or a round of penalties
// only what the whole needs. NONE looks at none, but has the points for it like the rounds before and after.
typedef enum opt_examines { OPT_EXAMINE_ALWAYS, OPT_EXAMINE_START, OPT_EXAMINE_NONE, OPT_EXAMINE_NEVER } opt_examines;

typedef struct opt_options {
#define OPT_OPTION(key, kind, initial, smallest, largest, help) OPT_FIELD_##kind key;
#include "opt/options.def"
#undef OPT_OPTION
  const opt_preconditioner *preconditioning; // NULL: the Frobenius inner product; not owned, not settable by text
  const opt_closed_form *closed_form;        // for direct; likewise
  const opt_second *second;                  // NULL: the method stays; likewise
  const opt_block_solver *blocks;            // for alternating; likewise
  const opt_wording *wording;                // what explanations speak of; opt_options_init: the minimum
  const char *ray;       // why f is known to be unbounded, by structure and numbers; NULL: it is not
  opt_examines examines; // not settable by text
  double value_scale;    // the size of f and its terms, where the caller knows it; 0: he does not
  bool is_convex;        // f is convex where it is defined, by its symbols; likewise
  double convexity;      // f - convexity/2 |x|^2 is as well; 0: not known, or f has constraints. Likewise
  bool is_nonnegative;   // f >= 0 by its symbols: it never falls without end, whatever rounding makes of its curvature
  bool has_border;       // f grows without bound towards the border of its domain
  bool has_jumps;        // its gradient does towards points where f jumps
  const double *start_norms; // by variable: |g| at a start that the tolerance refers to as well; NULL: none; not owned
  bool is_warm; // the start may be a solution, as one from a file: it does not tell what a large gradient is
} opt_options;

typedef struct opt_option_row {
  const char *key;
  opt_option_kind kind;
  const char *initial; // default, as text
  double smallest;
  double largest;
  const char *help;
  size_t offset; // of the field
} opt_option_row;

// The rows, in the order of options.def.
int opt_option_count(void);
const opt_option_row *opt_option_at(int index);
// NULL when there is no such key.
const opt_option_row *opt_option_find(const char *key);

// Choices of the kinds that have some: "auto", where there is one, and the names; NULL at the end. NULL for numbers.
const char *const *opt_option_choices(opt_option_kind kind);

// The position of a name among the choices of a kind; it must be one of them.
int32_t opt_option_choice(opt_option_kind kind, const char *name);

// Every option at its default, no preconditioner.
void opt_options_init(opt_options *options);
// Sets one option from text. TG_NAME: unknown key, with the nearest known one; TG_VALUE: not a value of the row's
// kind, or outside its range. The message names key, value and what was expected; options are unchanged on failure.
tg_status opt_option_set(opt_options *options, const char *key, const char *value);
// Appends the option's value as text that opt_option_set reads back.
void opt_option_print(const opt_options *options, const opt_option_row *row, tg_text *out);
// Whether the option has the value that it has where nobody sets it.
bool opt_option_is_default(const opt_options *options, const opt_option_row *row);
// Appends what values are allowed: "0 <= number <= 1", "auto | none | diagonal".
void opt_option_print_range(const opt_option_row *row, tg_text *out);

#endif
