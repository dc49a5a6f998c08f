// What the decompositions share: shapes, copies, work space, ScaLAPACK's complaints. Internal to eigen*.c.
#ifndef TG_MPI_EIGEN_PARTS_H
#define TG_MPI_EIGEN_PARTS_H

#include "mpi/factor/eigen.h"

// Whether m is rows x cols and laid out like a; TG_INTERNAL calls it `name`. Shapes are global, so all ranks refuse
// alike. Local.
tg_status tg_eigen_check_shape(const tg_dmat *m, int64_t rows, int64_t cols, const tg_dmat *a, const char *name);
// The iterations of LAPACK need not end on NaN: it is refused beforehand. Collective.
tg_status tg_eigen_check_finite(const tg_dmat *a);
// A copy that the routines may destroy. Collective.
tg_status tg_eigen_copy_of(const tg_dmat *a, tg_dmat **out);
// The work array that a query asked for: its size came back as a double. Collective.
tg_status tg_eigen_create_work(const tg_grid *grid, double asked, double **work, int *length);
// One rank's complaint becomes everybody's. Collective.
tg_status tg_eigen_agree_on_info(const tg_grid *grid, int info, const char *routine);

// The scratch of pdsyevd, kept between calls of one shape.
typedef struct tg_syevd {
  double *work;
  int *iwork;
  int lwork;
  int liwork;
} tg_syevd;

// Collective; the second destroys a, whose lower triangle it reads.
tg_status tg_syevd_prepare(tg_syevd *s, tg_dmat *a, double *values, tg_dmat *v);
tg_status tg_syevd_run(const tg_syevd *s, tg_dmat *a, double *values, tg_dmat *v);
void tg_syevd_fini(tg_syevd *s);

// Likewise of pdgesvd.
typedef struct tg_gesvd {
  double *work;
  int lwork;
} tg_gesvd;

tg_status tg_gesvd_prepare(tg_gesvd *s, tg_dmat *a, tg_dmat *u, double *values, tg_dmat *vt);
tg_status tg_gesvd_run(const tg_gesvd *s, tg_dmat *a, tg_dmat *u, double *values, tg_dmat *vt);
void tg_gesvd_fini(tg_gesvd *s);

#endif
