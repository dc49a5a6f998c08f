// Conjugate gradients on the face of x: the entries that no bound and no kink holds.
#ifndef OPT_FACE_CG_H
#define OPT_FACE_CG_H

#include "opt/solver.h"

typedef struct opt_face_cg {
  opt_point *p; // the step on the face
  opt_point *d; // direction of the inner iteration
  opt_point *hd;
  opt_point *r; // residual z + H p on the face
  opt_point *w; // M^-1 r; NULL without a preconditioner: then w is r
} opt_face_cg;

// Points that create makes: five with a preconditioner, else four.
int64_t opt_face_cg_points(const opt_options *options);
tg_status opt_face_cg_create(const opt_run *run, opt_face_cg *cg);
void opt_face_cg_destroy(const opt_space *space, opt_face_cg *cg);
// p := roughly the solution of H p = -z on the face, z given in r, by conjugate gradients from zero. They end at a
// share of |z|, where an iteration lowers the model by less than a tenth of what the best did, and at a direction d
// without curvature, which *is_curved = false tells of; p is that of the iterations before. A preconditioner must be
// diagonal, so that it acts on a face by itself. *gives_up: the run shall end (opt_run_gives_up), and p is of no use.
tg_status opt_face_cg_solve(opt_run *run, opt_face_cg *cg, bool *is_curved, bool *gives_up);

#endif
