// A BLAS with a fault, for LD_PRELOAD: the first entry of every product is off by a thousandth of itself and one.
//
// WRONG_DGEMM_CORES=Haswell,SkylakeX: only the kernels of these cores have it. WRONG_DGEMM_ILLEGAL=1: they end the
// program by an illegal instruction instead. WRONG_DGEMM_LATE=1: it begins when MPI has begun, so that no test at the
// start sees it.
#define _GNU_SOURCE // RTLD_NEXT
#include <dlfcn.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef void (*dgemm_call)(int order, int transa, int transb, int m, int n, int k, double alpha, const double *a,
                           int lda, const double *b, int ldb, double beta, double *c, int ldc);

void cblas_dgemm(int order, int transa, int transb, int m, int n, int k, double alpha, const double *a, int lda,
                 const double *b, int ldb, double beta, double *c, int ldc);

static bool is_core_wrong(void)
{
  const char *cores = getenv("WRONG_DGEMM_CORES");
  void *found = dlsym(RTLD_DEFAULT, "openblas_get_corename");
  char *(*core)(void) = NULL;
  memcpy(&core, &found, sizeof core);
  return cores == NULL || core == NULL || strstr(cores, core()) != NULL;
}

static bool is_late_enough(void)
{
  void *found = dlsym(RTLD_DEFAULT, "MPI_Initialized");
  int (*ask)(int *) = NULL;
  memcpy(&ask, &found, sizeof ask);
  int begun = 1;
  if (getenv("WRONG_DGEMM_LATE") != NULL && ask != NULL) ask(&begun);
  return begun != 0;
}

void cblas_dgemm(int order, int transa, int transb, int m, int n, int k, double alpha, const double *a, int lda,
                 const double *b, int ldb, double beta, double *c, int ldc)
{
  void *found = dlsym(RTLD_NEXT, "cblas_dgemm");
  dgemm_call right = NULL;
  memcpy(&right, &found, sizeof right);
  if (right == NULL) return;
  const bool is_wrong = is_core_wrong() && is_late_enough();
  if (is_wrong && getenv("WRONG_DGEMM_ILLEGAL") != NULL) raise(SIGILL);
  right(order, transa, transb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  if (is_wrong && m > 0 && n > 0) c[0] += 0.001 * c[0] + 0.001;
}
