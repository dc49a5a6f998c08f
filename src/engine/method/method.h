// The method of a minimisation: a strategy (engine/strategy), and what the numbers make of it.
#ifndef TG_ENGINE_METHOD_H
#define TG_ENGINE_METHOD_H

#include "engine/model/model.h"
#include "engine/strategy/strategy.h"
#include "mpi/factor/direct.h"
#include "mpi/matrix/dmat.h"
#include "mpi/matrix/workspace.h"
#include "mpi/space/preconditioner.h"
#include "opt/options.h"
#include "opt/problem.h"

typedef struct tg_method_following tg_method_following;

typedef struct tg_method {
  tg_strategy *strategy;
  tg_verdict verdict;             // of the numbers; before they are known of the first way
  opt_options options;            // what to minimise with: those of the verdict's way
  const opt_point *point;         // the start, for preconditioners that are made of a point; NULL: none are. Not owned
  double stiffness;               // of the preconditioner of -logdet: c and half the weight of the rest
  tg_method_following *following; // the diagonal of the Hessian at each point; NULL: none
  tg_dmat *half;                  // of that preconditioner: X r
  tg_workspace *workspace;        // of products and symmetric parts
  char ray[640];                  // why the objective is unbounded, where that is known beforehand
  tg_direct *direct;              // the closed form in numbers
  bool begins_near;               // the start is near a minimum: another point of a sweep ended there
  bool hands_on;                  // other points of a sweep go on from here, with its preconditioner
  bool is_shared;                 // in bases that serve all points of a sweep
  tg_direct *kronecker;           // the preconditioners in numbers
  tg_diagonal *diagonal;
  tg_closed_plan kronecker_plan;
  double renewal_price;         // what making the newest one takes, in iterations; 0: it is of no point
  double products;              // of the expressions that these are made of, and of preconditioners renewed since
  struct tg_method_numbers *by; // what a renewal needs
  opt_closed_form closed;
  opt_preconditioner preconditioning;
  opt_second second;
} tg_method;

// Decides by symbols alone; `job` may say auto, or what it wants. TG_UNSUPPORTED, located at the job's key, when it
// wants what the structure does not give. Local, no data.
tg_status tg_method_choose(const tg_task *task, const tg_model *model, tg_method **out);
// The way that is taken, as far as it is known.
const tg_way *tg_method_way(const tg_method *method);
// One line: which method, and why; which preconditioner.
void tg_method_explain(const tg_method *method, const tg_model *model, tg_text *out);
void tg_method_explain_preconditioner(const tg_method *method, tg_text *out);
// Which method has taken over, and why.
void tg_method_explain_exchange(const tg_method *method, tg_text *out);
// "  method    direct, because ...\n" and the lines on its search, memory, groups and preconditioner.
void tg_method_print(const tg_method *method, const tg_model *model, tg_text *out);
// A line on the groups after the label; nothing where there is one group.
void tg_method_print_groups(const tg_method *method, const tg_model *model, const char *label, tg_text *out);

// Warns of keys of the job that neither the method nor the constraints use (method_warnings.c). LOCAL: on one rank.
void tg_method_warn_unused(const tg_task *task, const tg_model *model, const tg_method *method);

// Finds the lines of one variable, for a half-step of alternating. Local.
tg_status tg_method_find_lines(const tg_task *task, const tg_model *model, int variable, tg_strategy_lines *out);

// Evaluates and factorises what the method needs: takes the first way whose conditions hold; data by position in
// model->plan->data. Where none does, TG_NUMERIC says what the numbers refused. Collective.
tg_status tg_method_prepare(const tg_task *task, tg_model *model, const tg_grid *grid, tg_dmat *const *data,
                            tg_method *method);
// Keeps a least-squares problem to its Gram matrix, where there is no room for more, and says so. Local.
void tg_method_leave_orthogonal(tg_method *method);
// Whether orthogonal factors may be made of the closed form's rows.
bool tg_method_may_be_orthogonal(const tg_method *method);
// The expressions that orthogonal factors are made of: weight, factor and linear part of each block of rows, at most
// 3 TG_CLOSED_STACK. Their number. Local.
int tg_method_stack_nodes(const tg_closed_stack *stack, tg_node *nodes);
bool tg_method_is_direct(const opt_options *options);
// Products spent by it so far, in units of one product of the larger side.
int64_t tg_method_products(const tg_method *method);
void tg_method_destroy(tg_method **method);

#endif
