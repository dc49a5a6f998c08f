// The border to BLACS, PBLAS and ScaLAPACK: every foreign prototype, and the only place for 32-bit sizes.
//
// PBLAS and BLACS are C behind Fortran names: their strings carry no hidden length. The ScaLAPACK drivers are
// Fortran: each character argument adds a hidden length (size_t, by value) at the end of the list.
#ifndef TG_MPI_SCALAPACK_ABI_H
#define TG_MPI_SCALAPACK_ABI_H

#include <inttypes.h>
#include <limits.h>
#include <mpi.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { TG_DESCRIPTOR_LENGTH = 9 };

// A 64-bit size as a Fortran integer, or TG_LIMIT naming what was too large.
static inline tg_status tg_abi_int(int64_t value, const char *what, int *out)
{
  *out = 0;
  if (value < INT_MIN || value > INT_MAX)
    TG_FAIL(TG_LIMIT, "%s is %" PRId64 ", ScaLAPACK and MPI count to %d", what, value, INT_MAX);
  *out = (int)value;
  return TG_OK;
}

int Csys2blacs_handle(MPI_Comm comm);
void Cfree_blacs_system_handle(int handle);
void Cblacs_gridinit(int *context, const char *order, int rows, int cols);
void Cblacs_gridinfo(int context, int *rows, int *cols, int *row, int *col);
void Cblacs_gridexit(int context);
void Cblacs_set(int context, int what, const int *value);

// LAPACK's, local.
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info, size_t length);

void pdgemm_(const char *transa, const char *transb, const int *m, const int *n, const int *k, const double *alpha,
             const double *a, const int *ia, const int *ja, const int *desca, const double *b, const int *ib,
             const int *jb, const int *descb, const double *beta, double *c, const int *ic, const int *jc,
             const int *descc);
void pdtrsm_(const char *side, const char *uplo, const char *trans, const char *diag, const int *m, const int *n,
             const double *alpha, const double *a, const int *ia, const int *ja, const int *desca, double *b,
             const int *ib, const int *jb, const int *descb);

void pdpotrf_(const char *uplo, const int *n, double *a, const int *ia, const int *ja, const int *desca, int *info,
              size_t uplo_length);
void pdpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a, const int *ia, const int *ja,
              const int *desca, double *b, const int *ib, const int *jb, const int *descb, int *info,
              size_t uplo_length);
void pdpotri_(const char *uplo, const int *n, double *a, const int *ia, const int *ja, const int *desca, int *info,
              size_t uplo_length);
void pdgetri_(const int *n, double *a, const int *ia, const int *ja, const int *desca, const int *ipiv, double *work,
              const int *lwork, int *iwork, const int *liwork, int *info);
void pdgetrf_(const int *m, const int *n, double *a, const int *ia, const int *ja, const int *desca, int *ipiv,
              int *info);
void pdgetrs_(const char *trans, const int *n, const int *nrhs, const double *a, const int *ia, const int *ja,
              const int *desca, const int *ipiv, double *b, const int *ib, const int *jb, const int *descb, int *info,
              size_t trans_length);
void pdsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *ia, const int *ja,
              const int *desca, double *w, double *z, const int *iz, const int *jz, const int *descz, double *work,
              const int *lwork, int *iwork, const int *liwork, int *info, size_t jobz_length, size_t uplo_length);
void pdsytrd_(const char *uplo, const int *n, double *a, const int *ia, const int *ja, const int *desca, double *d,
              double *e, double *tau, double *work, const int *lwork, int *info, size_t uplo_length);
void pdormtr_(const char *side, const char *uplo, const char *trans, const int *m, const int *n, const double *a,
              const int *ia, const int *ja, const int *desca, const double *tau, double *c, const int *ic,
              const int *jc, const int *descc, double *work, const int *lwork, int *info, size_t side_length,
              size_t uplo_length, size_t trans_length);
void pdgeqrf_(const int *m, const int *n, double *a, const int *ia, const int *ja, const int *desca, double *tau,
              double *work, const int *lwork, int *info);
void pdorgqr_(const int *m, const int *n, const int *k, double *a, const int *ia, const int *ja, const int *desca,
              const double *tau, double *work, const int *lwork, int *info);
void pdgesvd_(const char *jobu, const char *jobvt, const int *m, const int *n, double *a, const int *ia, const int *ja,
              const int *desca, double *s, double *u, const int *iu, const int *ju, const int *descu, double *vt,
              const int *ivt, const int *jvt, const int *descvt, double *work, const int *lwork, int *info,
              size_t jobu_length, size_t jobvt_length);

// A routine of LAPACK itself.
void dstemr_(const char *jobz, const char *range, const int *n, double *d, double *e, const double *vl,
             const double *vu, const int *il, const int *iu, int *m, double *w, double *z, const int *ldz,
             const int *nzc, int *isuppz, int *tryrac, double *work, const int *lwork, int *iwork, const int *liwork,
             int *info, size_t jobz_length, size_t range_length);

#endif
