// Irregular numbers, reflected diagonals, and the catalogue of all families.
#include "support/hand_tools.h"

#include <math.h>
#include <string.h>

int64_t hand_size(const hand_problem *problem)
{
  return problem->space.base.dimension;
}

double hand_wobble(int64_t i)
{
  return sin(12.9898 * (double)(i + 1)) * cos(4.1414 * (double)(i + 3));
}

void hand_start_zeros(const hand_problem *problem, double *x)
{
  memset(x, 0, (size_t)hand_size(problem) * sizeof *x);
}

void hand_start_wobbly(const hand_problem *problem, double *x)
{
  for (int64_t i = 0; i < hand_size(problem); i++) x[i] = hand_wobble(i);
}
void hand_reflect_diagonal(int64_t n, const double *lambda, double *out)
{
  double vv = 0;
  for (int64_t i = 0; i < n; i++) vv += (double)((i + 1) * (i + 1));
  for (int64_t i = 0; i < n; i++) {
    for (int64_t j = 0; j < n; j++) {
      double sum = 0;
      for (int64_t k = 0; k < n; k++) {
        const double qi = (i == k ? 1 : 0) - 2 * (double)((i + 1) * (k + 1)) / vv;
        const double qj = (j == k ? 1 : 0) - 2 * (double)((j + 1) * (k + 1)) / vv;
        sum += qi * lambda[k] * qj;
      }
      out[i + n * j] = sum;
    }
  }
}

double hand_dot(int64_t n, const double *x, const double *y)
{
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += x[i] * y[i];
  return sum;
}

int hand_objective_count(void)
{
  return hand_quadratics_count + hand_polynomials_count + hand_generals_count;
}

const hand_objective *hand_objective_at(int index)
{
  if (index < hand_quadratics_count) return &hand_quadratics[index];
  index -= hand_quadratics_count;
  if (index < hand_polynomials_count) return &hand_polynomials[index];
  return &hand_generals[index - hand_polynomials_count];
}

const hand_objective *hand_objective_find(const char *name)
{
  for (int i = 0; i < hand_objective_count(); i++) {
    if (strcmp(hand_objective_at(i)->name, name) == 0) return hand_objective_at(i);
  }
  return NULL;
}
