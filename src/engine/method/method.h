// The choice of method: what the structure of the objective allows, what `auto` makes of it, and the numbers it needs.
#ifndef TG_ENGINE_METHOD_H
#define TG_ENGINE_METHOD_H

#include "engine/model/model.h"
#include "grad/structure/closed_form.h"
#include "grad/structure/precondition.h"
#include "mpi/factor/direct.h"
#include "mpi/matrix/dmat.h"
#include "mpi/matrix/workspace.h"
#include "mpi/space/metric.h"
#include "opt/options.h"
#include "opt/problem.h"

enum { TG_METHOD_TERMS = 4, TG_METHOD_NODES = 3 * TG_METHOD_TERMS + 1 };

typedef struct tg_method {
  opt_options options; // what to minimise with: the job's, resolved
  tg_closed_form form; // as recognised
  char no_form[640];   // why there is none
  tg_node quadratic;   // what preconditioners are made of: the objective, or its Hessian at zero; TG_NONE: nothing
  int n_terms;         // candidates of preconditioner: kronecker
  tg_closed_group terms[TG_METHOD_TERMS];
  int n_moving; // the same of the Hessian at the point, where it depends on it: by what the preconditioner is renewed
  tg_closed_group moving[TG_METHOD_TERMS];
  tg_weights weighting; // of that quadratic's Hessian
  int n_weights;        // to judge by whether the terms that stand in for them serve
  tg_node weights[TG_METHOD_TERMS];
  tg_node mismatch; // of the diagonals of the Hessian and of these terms
  int n_diagonals;  // of preconditioner: diagonal, the Hessian's diagonals as expressions: 0 or all variables
  tg_node *diagonals;
  int64_t n_groups; // of unknowns that the method tells apart, 1: none
  double logdet;    // c of a term -c logdet(X), X the one variable and all else of degree 2 at most; 0: there is none
  double stiffness; // of the metric made of it: c and half the weight of the rest
  tg_node linear;   // the linear part of all else; TG_NONE: it vanishes
  int n_rest;       // the terms of the Hessian of all else
  tg_closed_group rest[TG_METHOD_TERMS];
  const opt_point *point;   // the start, for metrics that are made of a point; NULL: none are. Not owned
  tg_dmat *half;            // of the metric of -logdet: X r
  tg_workspace *workspace;  // of products and symmetric parts
  char weighed[160];        // why that metric is not enough
  char ray[640];            // why the objective is unbounded, where that is known beforehand
  char reason[1024];        // one line: why this method
  char preconditioner[512]; // one line: which, and why
  tg_direct *direct;        // the closed form in numbers
  tg_direct *kronecker;     // the preconditioners in numbers
  tg_metric *metric;
  double products;              // of the expressions that these are made of, and of preconditioners renewed since
  struct tg_method_numbers *by; // what a renewal needs
  opt_closed_form closed;
  opt_preconditioner preconditioning;
  int64_t from;      // iterations after which the forecast without a metric has proved wrong: it is taken after all
  int64_t until;     // or the forecast with it: it is dropped; 0: never
  int64_t revisions; // how often that was done
} tg_method;

// Decides by symbols alone; `job` may say auto, or what it wants. TG_UNSUPPORTED, located at the job's key, when it
// wants what the structure does not give. Local, no data.
tg_status tg_method_choose(tg_job *job, const tg_model *model, tg_method **out);
// "  method    direct, because ...\n" and the line on the preconditioner.
void tg_method_print(const tg_method *method, const tg_model *model, tg_text *out);

// Warns of keys of the job that neither the method nor the constraints use (method_unused.c). LOCAL: on one rank.
void tg_method_warn_unused(const tg_job *job, const tg_model *model, const tg_method *method);
// A line on the groups after the label; nothing where none are told apart.
void tg_method_print_groups(const tg_method *method, const tg_model *model, const char *label, tg_text *out);

// Whether f in the variable is convex with H[V] = V G or G V, under bounds that are numbers: coordinate descent on its
// lines makes a half-step of alternating (mpi/factor/line_descent.h).
typedef struct tg_method_lines {
  bool serves;
  bool by_rows; // V G
  double low;
  double high;
} tg_method_lines;

// Local.
tg_status tg_method_find_lines(const tg_job *job, const tg_model *model, int variable, tg_method_lines *out);

// Evaluates and factorises what the method needs; data by position in model->plan->data. Where the numbers refuse (a
// factor that is not positive definite), auto falls back and says so in the reason; a wish is TG_NUMERIC. Collective.
tg_status tg_method_prepare(tg_job *job, tg_model *model, const tg_grid *grid, tg_dmat *const *data, tg_method *method);
// Keeps a least-squares problem to its Gram matrix, where there is no room for more, and says so. Local.
void tg_method_leave_orthogonal(tg_method *method);
// nodes[0..return): what preconditioner: kronecker evaluates, at most TG_METHOD_NODES: the left and right factor of
// each term, the weights, the mismatch. Local.
int tg_method_kronecker_nodes(const tg_method *method, tg_node *nodes);
// Products spent by it so far, in units of one product of the larger side.
int64_t tg_method_products(const tg_method *method);
void tg_method_destroy(tg_method **method);

#endif
