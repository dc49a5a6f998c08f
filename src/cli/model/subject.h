// General constraints of a job by symbols: subject_to to the expression of an augmented Lagrangian.
//
//     L = f + sum_k <M_k, H_k> + r/2 |H_k|^2                              for H_k = 0
//           + sum_k r/2 |max(0, H_k + M_k / r)|^2 - |M_k|^2 / (2 r)       for H_k <= 0
//
// The multipliers M_k and the penalty r are data of the plan like any other: structure, closed forms, line polynomials
// and Hessian actions of L come from the same passes, and a quadratic under linear equalities stays a quadratic.
#ifndef TG_CLI_SUBJECT_H
#define TG_CLI_SUBJECT_H

#include "cli/job/job.h"
#include "grad/calculus.h"

typedef struct tg_subject_term {
  const tg_job_relation *relation; // not owned
  bool is_equality;
  tg_node node; // H: = 0, or <= 0
  int32_t multiplier;
} tg_subject_term;

typedef struct tg_subject {
  int n;
  tg_subject_term *terms;
  int32_t penalty;
  tg_node objective; // f, as it is minimised
} tg_subject;

// The relations of the job as nodes of the graph; names and sizes are those of the options, which are the objective's.
// Errors are located in the entry: sizes that do not agree, unknown names, sides that no variable occurs in. Local.
tg_status tg_subject_create(tg_job *job, tg_graph *graph, const tg_compile_options *options, tg_node f,
                            tg_subject **out);
// NULL is fine.
void tg_subject_destroy(tg_subject **subject);
// L as a node. Local.
tg_status tg_subject_lagrangian(const tg_subject *subject, tg_graph *graph, tg_node *out);
// Which of them the data of that name is: 0 .. n - 1 a multiplier, n the penalty, -1 none.
int tg_subject_find(const tg_subject *subject, const tg_graph *graph, const char *name);

#endif
