// What explanations speak of: f as it is, or what the user maximises where f is its negative.
//
// The solvers know minimisation only; that f is -F is the caller's business, and his user knows F alone. A sentence
// about the objective's direction, its values, slopes or curvatures is put together from these words.
#ifndef OPT_SENSE_H
#define OPT_SENSE_H

typedef struct opt_sense {
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
} opt_sense;

extern const opt_sense opt_sense_minimum;
extern const opt_sense opt_sense_maximum;

// A value of f, a slope or a curvature, in the user's terms: never -0.
double opt_sense_value(const opt_sense *sense, double value);

#endif
