// What the choice of a method shares with its numbers. Internal to method*.c.
#ifndef TG_ENGINE_METHOD_PARTS_H
#define TG_ENGINE_METHOD_PARTS_H

#include "engine/method/method.h"
#include "engine/model/values.h"

// What turns a method's symbols into numbers. Nothing is owned.
typedef struct tg_method_numbers {
  const tg_task *task;
  tg_model *model;
  const tg_grid *grid;
  tg_dmat *const *data;
  const opt_point *x; // the point that the expressions may depend on, or NULL
  double *products;
  opt_point *view; // x, where it is that of the share (method_metric.c)
} tg_method_numbers;

// From this condition of a Gram matrix on, its diagonal scaled to ones, the rows themselves are factorised: what its
// Cholesky factors lose is the condition times the rounding error.
#define TG_METHOD_WORST_GRAM 1e6

// The way of that position is the one: the verdict and the options say so.
void tg_method_take(tg_method *method, int way);

// m->direct by the rows of the form's least-squares problem, in the place of one by their Gram matrix, which has the
// condition `gram` (infinite: no Cholesky factors); the verdict says so. Collective.
tg_status tg_method_make_orthogonal(const tg_method_numbers *by, double gram, tg_method *m);

// m->direct in bases that serve all points of a sweep (method_shared.c), where they are there or pay; *made false: the
// form of the point alone is to be taken. Collective.
tg_status tg_method_make_shared(const tg_method_numbers *by, tg_method *m, bool *made);

// SPECTRAL of the plan, in bases that the points of a sweep share where these are there; else they are made, and kept
// for other points as far as the memo knows how they are made (method_shared.c). matrices as for tg_direct_create, of
// which the first TG_CLOSED_MATRICES are those of `values`. Collective.
tg_status tg_method_make_spectral(const tg_method_numbers *by, const tg_closed_plan *plan, const tg_values *values,
                                  tg_dmat *const *matrices, tg_direct **out);

// ---- the point that the preconditioner of a sweep is made of (method_metric.c) ----

// *view: what the points before have left, or m->point as a new one, for which the share keeps a copy; m->point itself
// where nothing is shared. To be destroyed by tg_method_metric_leave. Collective.
tg_status tg_method_metric_enter(const tg_method_numbers *by, tg_method *m, tg_method_numbers *at);
// The same of x, always a new one.
tg_status tg_method_metric_renew(const tg_method_numbers *by, tg_method *m, const opt_point *x, tg_method_numbers *at);
// holds: a preconditioner was made of it; else nothing is left to other points. Local.
void tg_method_metric_leave(const tg_method *m, tg_method_numbers *at, bool holds);

// What the numbers say of a kronecker preconditioner.
typedef struct tg_kronecker_judgement {
  double condition; // of the preconditioner
  double share;     // in its eigenvalues, of the terms that stand in for weights; 1: nothing else is in it
  bool is_spectral;
} tg_kronecker_judgement;

// Unknowns that share second derivatives: all, or of a sum over columns or rows those of one of them. Local.
double tg_method_coupled_unknowns(const tg_model *model);
// One application of the preconditioner to X, in products of the larger side. Local.
double tg_method_apply_products(const tg_plan_data *x, bool is_spectral);

// What is expected of a minimisation with a preconditioner and without.
typedef struct tg_method_forecast {
  double action;     // products of an iteration without it
  double apply;      // and those that it adds
  double made;       // products of its making
  double iterations; // without it; HUGE_VAL: nothing bounds them
  double with;       // with it, likewise
} tg_method_forecast;

// By the forecast: when the preconditioner that is taken is to be dropped again, or the one that is not taken (`pays`)
// is to be taken: where the iterations are three times what was expected, and the other way was forecast to be cheaper
// than what has been spent. Sets from or until of the verdict. Local.
void tg_method_plan_revision(const tg_method_forecast *forecast, bool pays, tg_method *m);

// Whether a preconditioner in which terms stand in for weights is likely to save products (method_weights.c);
// the verdict says why not. n weights, then the mismatch; NULL among them for none. Collective.
tg_status tg_method_weights_pay(const tg_model *model, tg_method *method, const tg_kronecker_judgement *by, int n,
                                tg_dmat *const *matrices, bool *out);
// The same of the Hessian at zero for l-bfgs on a loss (method_loss.c). Local.
bool tg_method_loss_pays(const tg_model *model, tg_method *method, const tg_kronecker_judgement *by);

// Makes the diagonal of the Hessian at each point (method_diagonal.c). Collective.
tg_status tg_method_follow_diagonal(const tg_method_numbers *by, tg_method *m);
// NULL is fine. Local.
void tg_method_following_destroy(tg_method_following **following);
int64_t tg_method_following_products(const tg_method_following *following);

// Makes the preconditioner of -logdet where that is enough by itself (method_logdet.c). Collective.
tg_status tg_method_prepare_logdet(const tg_method_numbers *by, tg_method *method, bool *taken);
// Pivots of a Cholesky factorisation that lie further apart need not be those of a definite matrix: the eigenvalues
// say.
#define TG_METHOD_SURE_PIVOTS 1e-8
// Sets options.ray where the objective is tr(S X) + c logdet(X) and has no minimum (method_domain.c). Collective.
tg_status tg_method_find_ray(const tg_method_numbers *by, tg_method *method);

#endif
