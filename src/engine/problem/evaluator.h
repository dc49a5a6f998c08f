// The objective of a spec at points that a caller chooses: value, gradient, Hessian action, values along a line.
//
// Constraints and subject_to are no part of the value. Numbers are in the user's terms, of maximize as well.
#ifndef TG_ENGINE_EVALUATOR_H
#define TG_ENGINE_EVALUATOR_H

#include "engine/problem/setup.h"

typedef struct tg_evaluator tg_evaluator;

// Reads the data. The spec must outlive it. Collective, like all that is not said to be local.
tg_status tg_evaluator_create(MPI_Comm comm, const tg_spec *spec, tg_evaluator **out);
// NULL is fine. Points of its space must be destroyed before.
void tg_evaluator_destroy(tg_evaluator **evaluator);
// Its setup: spec, grid, space, and the start in x. Local.
const tg_setup *tg_evaluator_setup(const tg_evaluator *evaluator);

// f at x; not finite outside its domain. TG_VALUE where a variable under logdet is not symmetric.
tg_status tg_evaluator_value(tg_evaluator *evaluator, const opt_point *x, double *f);
// f and its gradient, which is no point that is an argument. NaN where f is not finite.
tg_status tg_evaluator_gradient(tg_evaluator *evaluator, const opt_point *x, double *f, opt_point *gradient);
// hv := H(x)[v], v and hv two points. TG_UNSUPPORTED where there is none.
tg_status tg_evaluator_hessian(tg_evaluator *evaluator, const opt_point *x, const opt_point *v, opt_point *hv);
// f[k] = f(x + t[k] d), k < n; of a polynomial the products of one direction serve them all.
tg_status tg_evaluator_line(tg_evaluator *evaluator, const opt_point *x, const opt_point *d, int n, const double *t,
                            double *f);

#endif
