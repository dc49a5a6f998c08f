// Line searches: step lengths t > 0 along a direction of descent, for a function of one variable.
//
// All work on the rise  phi(t) - phi(0),  phi(t) = f(x + t d): where it can be formed without subtracting two values of
// f (polynomials), the searches stay exact down to the last digit of the gradient.
#ifndef OPT_LINE_SEARCH_H
#define OPT_LINE_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef struct opt_phi {
  // *rise = phi(t) - phi(0), and *slope = phi'(t) unless slope is NULL. Non-finite values are results.
  tg_status (*eval)(void *self, double t, double *rise, double *slope);
  void *self;
  double slope;         // phi'(0) < 0
  double noise;         // rounding error of a rise; 0 for polynomials
  int degree;           // of phi where it is a known polynomial, else -1
  const double *coefs;  // c[0..degree], c[0] unused
  const double *errors; // of these from c[2] on; NULL: not known
} opt_phi;

typedef struct opt_line_options {
  double first;       // trial step
  double longest;     // no step beyond
  double decrease;    // rise <= decrease * t * phi'(0)
  double curvature;   // |phi'(t)| <= curvature * |phi'(0)|
  double step_length; // of `fixed`
  int max_evaluations;
} opt_line_options;

typedef enum opt_line_verdict {
  OPT_LINE_FOUND,
  OPT_LINE_STUCK,     // no acceptable step: the rounding of f hides the descent
  OPT_LINE_FALLING,   // phi falls up to `longest`, or without end
  OPT_LINE_NOT_FINITE // phi is not finite at any step tried
} opt_line_verdict;

typedef struct opt_line_found {
  opt_line_verdict verdict;
  double t; // FOUND: the step; FALLING: the longest step tried
  double rise;
  int evaluations;
} opt_line_found;

typedef struct opt_line_search {
  const char *name;
  bool needs_polynomial;
  tg_status (*search)(const opt_phi *phi, const opt_line_options *options, opt_line_found *found);
} opt_line_search;

#define OPT_LINE_SEARCH(name, table, help) extern const opt_line_search table;
#include "opt/line_searches.def"
#undef OPT_LINE_SEARCH

// The row of a name, NULL when there is none.
const opt_line_search *opt_line_search_find(const char *name);

// The approximate Wolfe conditions of Hager and Zhang (2005), section 4, for the one case in which they are needed, f
// at its rounding floor:  (2 decrease - 1) phi'(0) >= phi'(t) >= curvature phi'(0)  and  |rise| <= noise.
bool opt_line_is_approximate_wolfe(const opt_phi *phi, const opt_line_options *options, double rise, double slope);

#endif
