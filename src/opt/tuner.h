// A quasi-Newton method for a function of a few variables in a box, each value of which is dear: it hands out a point
// and receives value and gradient there. Plain numbers: no space, no ranks.
#ifndef OPT_TUNER_H
#define OPT_TUNER_H

#include <stdbool.h>

enum { OPT_TUNER_MAX = 8 };

typedef struct opt_tuner {
  int n;
  double low[OPT_TUNER_MAX];
  double high[OPT_TUNER_MAX];
  double tolerance;            // on the decrease still to be had, of |f|
  double trial[OPT_TUNER_MAX]; // where the function is wanted next
  double x[OPT_TUNER_MAX];     // the best point so far
  double f;
  double g[OPT_TUNER_MAX];
  double b[OPT_TUNER_MAX][OPT_TUNER_MAX]; // the Hessian as the gradients show it
  double radius;                          // the largest step in any variable
  double stretch[OPT_TUNER_MAX];          // of the next quasi-Newton step in each variable
  bool has_point;
  bool has_curvature;
  int n_told;
  const char *reason; // why it has ended
} opt_tuner;

// From `start`, inside low <= x <= high; the first steps are `step` long.
void opt_tuner_init(opt_tuner *tuner, int n, const double *start, const double *low, const double *high, double step,
                    double tolerance);
// f (NAN: none) and its gradient at tuner->trial. False: it has ended, for tuner->reason; else tuner->trial is new.
bool opt_tuner_tell(opt_tuner *tuner, double f, const double *g);

#endif
