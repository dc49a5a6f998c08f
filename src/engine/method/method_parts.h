// What the choice of a method shares with its numbers. Internal to method*.c.
#ifndef TG_ENGINE_METHOD_PARTS_H
#define TG_ENGINE_METHOD_PARTS_H

#include "engine/method/method.h"

// The method's position among the choices of OPT_KIND_METHOD.
int tg_method_index(const char *name);
// What turns a method's symbols into numbers. Nothing is owned.
typedef struct tg_method_numbers {
  tg_job *job;
  tg_model *model;
  const tg_grid *grid;
  tg_dmat *const *data;
  const opt_point *x; // the point that the expressions may depend on, or NULL
  double *products;
} tg_method_numbers;

bool tg_method_is_direct(const opt_options *options);
// Hessian actions that the factorisations of a form for the variable x cost, by flops of dense operations.
double tg_method_form_cost(const tg_graph *graph, const tg_plan_data *x, const tg_closed_form *form);
// *out: auto takes alternating, and the reason says why. Local.
tg_status tg_method_choose_alternating(const tg_job *job, const tg_model *model, tg_method *method, bool *out);
// The method for an objective without a closed form; form.reason says why there is none. Local.
void tg_method_choose_iterative(const tg_model *model, tg_method *method);
// Sets n_groups by the method that was chosen. Local.
void tg_method_count_groups(const tg_job *job, const tg_model *model, tg_method *method);
// By symbols: candidates for each kind of preconditioner. TG_UNSUPPORTED, located, for a wish that cannot be served.
// Local.
tg_status tg_method_choose_preconditioner(tg_job *job, const tg_model *model, tg_method *method);

// The expressions that orthogonal factors are made of: weight, factor and linear part of each block of rows, at most
// 3 TG_CLOSED_STACK. Local.
int tg_method_stack_nodes(const tg_closed_stack *stack, tg_node *nodes);
// m->direct by the rows of the form's least-squares problem, in the place of one by their Gram matrix, which has the
// condition `gram` (infinite: no Cholesky factors); says so in the reason. Collective.
tg_status tg_method_make_orthogonal(const tg_method_numbers *by, double gram, tg_method *m);

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

// What is expected of a minimisation with a metric and without.
typedef struct tg_method_forecast {
  double action;     // products of an iteration without it
  double apply;      // and those that it adds
  double made;       // products of its making
  double iterations; // without it; HUGE_VAL: nothing bounds them
  double with;       // with it, likewise
} tg_method_forecast;

// By the forecast: when the metric that is taken is to be dropped again, or the one that is not taken (`pays`) is to be
// taken: where the iterations are three times what was expected, and the other way was forecast to be cheaper than
// what has been spent. Sets m->from or m->until. Local.
void tg_method_plan_revision(const tg_method_forecast *forecast, bool pays, tg_method *m);

// Whether a preconditioner in which terms stand in for weights is likely to save products (method_weights.c);
// m->preconditioner says why not. matrices: the weights, then the mismatch; NULL among them for none. Collective.
tg_status tg_method_weights_pay(const tg_model *model, tg_method *method, const tg_kronecker_judgement *by,
                                tg_dmat *const *matrices, bool *out);
// The same of the Hessian at zero for l-bfgs on a loss (method_loss.c). Local.
bool tg_method_loss_pays(const tg_model *model, tg_method *method, const tg_kronecker_judgement *by);

// Sets logdet and rest where f, the objective with its numbers, has the metric of -logdet (method_logdet.c). Local.
tg_status tg_method_find_logdet(const tg_job *job, const tg_model *model, tg_node f, tg_method *method);
// Takes that metric where it is enough by itself. Collective.
tg_status tg_method_prepare_logdet(const tg_method_numbers *by, tg_method *method, bool *taken);
// Pivots of a Cholesky factorisation that lie further apart need not be those of a definite matrix: the eigenvalues
// say.
#define TG_METHOD_SURE_PIVOTS 1e-8
// Sets options.ray where the objective is tr(S X) + c logdet(X) and has no minimum (method_domain.c). Collective.
tg_status tg_method_find_ray(const tg_method_numbers *by, tg_method *method);

#endif
