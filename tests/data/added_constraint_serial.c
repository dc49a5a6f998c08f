// centred_columns on plain arrays: each entry less the others' share, (I - 11'/m) x.
#include <math.h>
#include <string.h>

#include "support/serial_set.h"

static double violation_centred(const serial_set *set, const double *x)
{
  double worst = 0;
  for (int64_t j = 0; j < set->cols; j++) {
    double sum = 0;
    for (int64_t i = set->rows - 1; i >= 0; i--) sum += x[i + set->rows * j];
    worst = fmax(worst, fabs(sum));
  }
  return worst;
}

static void project_centred(const serial_set *set, double *x)
{
  const int64_t m = set->rows;
  double kept[SERIAL_SIDE_MAX * SERIAL_SIDE_MAX];
  memcpy(kept, x, (size_t)(m * set->cols) * sizeof *x);
  for (int64_t e = 0; e < m * set->cols; e++) {
    x[e] = 0;
    for (int64_t k = 0; k < m; k++) x[e] += ((k == e % m ? 1 : 0) - 1 / (double)m) * kept[k + m * (e / m)];
  }
}

const serial_set_ops serial_centred = {.violation = violation_centred, .project = project_centred};
