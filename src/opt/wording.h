// What explanations speak of: f as it is, or what the user maximises where f is its negative.
//
// The solvers know minimisation only; that f is -F is the caller's business, and his user knows F alone. A sentence
// about the objective's direction, its values, slopes or curvatures is put together from these words.
#ifndef OPT_WORDING_H
#define OPT_WORDING_H

typedef struct opt_wording {
  const char *minimum;
  const char *descent;
  const char *below;
  const char *no_fall;
  const char *falls;
  const char *fell;
  const char *lowers;
  const char *negative;
  const char *along_gradient; // the direction -g of f
  double sign;                // of f in the user's objective
} opt_wording;

extern const opt_wording opt_wording_minimum;
extern const opt_wording opt_wording_maximum;

// A value of f, a slope or a curvature, in the user's terms: never -0.
double opt_wording_value(const opt_wording *wording, double value);

#endif
