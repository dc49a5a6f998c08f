// Eigenvalues of small symmetric matrices by plane rotations.
#include "support/jacobi.h"

#include <math.h>

void jacobi_rotate(int64_t n, double c, double s, double *x, double *y, int64_t step)
{
  for (int64_t k = 0; k < n; k++) {
    const double held = c * x[k * step] - s * y[k * step];
    y[k * step] = s * x[k * step] + c * y[k * step];
    x[k * step] = held;
  }
}

// Jacobi's rotations, cyclic: a becomes diagonal, q collects them.
void jacobi_diagonalise(int64_t n, double *a, double *q)
{
  double off = 1;
  for (int sweep = 0; sweep < 60 && off > 0; sweep++) {
    off = 0;
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = i + 1; j < n; j++) {
        const double g = a[i + j * n];
        if (fabs(g) <= 1e-17 * sqrt(fabs(a[i + i * n] * a[j + j * n])) || g == 0) continue;
        const double zeta = (a[j + j * n] - a[i + i * n]) / (2 * g);
        const double t = (zeta >= 0 ? 1 : -1) / (fabs(zeta) + sqrt(1 + zeta * zeta));
        const double c = 1 / sqrt(1 + t * t);
        off = fmax(off, fabs(g));
        jacobi_rotate(n, c, c * t, a + i * n, a + j * n, 1);
        jacobi_rotate(n, c, c * t, a + i, a + j, n);
        jacobi_rotate(n, c, c * t, q + i * n, q + j * n, 1);
      }
  }
}
