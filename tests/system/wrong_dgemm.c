// A BLAS with a fault, for LD_PRELOAD: the first entry of every product is off by a thousandth of itself and one.
#define _GNU_SOURCE // RTLD_NEXT
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

typedef void (*dgemm_call)(int order, int transa, int transb, int m, int n, int k, double alpha, const double *a,
                           int lda, const double *b, int ldb, double beta, double *c, int ldc);

void cblas_dgemm(int order, int transa, int transb, int m, int n, int k, double alpha, const double *a, int lda,
                 const double *b, int ldb, double beta, double *c, int ldc);

void cblas_dgemm(int order, int transa, int transb, int m, int n, int k, double alpha, const double *a, int lda,
                 const double *b, int ldb, double beta, double *c, int ldc)
{
  void *found = dlsym(RTLD_NEXT, "cblas_dgemm");
  dgemm_call right = NULL;
  memcpy(&right, &found, sizeof right);
  if (right == NULL) return;
  right(order, transa, transb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  if (m > 0 && n > 0) c[0] += 0.001 * c[0] + 0.001;
}
