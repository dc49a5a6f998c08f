// General constraints of a job by symbols: subject_to to the expression of an augmented Lagrangian.
//
//     L = f + sum_k <M_k, H_k> + r/2 |H_k|^2                              for H_k = 0
//           + sum_k r/2 |max(0, H_k + M_k / r)|^2 - |M_k|^2 / (2 r)       for H_k <= 0
//           + sum_k r/2 (|T_k|^2 - |max(0, T_k - b_k / r)|^2 - |max(0, a_k / r - T_k)|^2) - |M_k|^2 / (2 r)
//                                                                         for a term sum max(a_k H_k, b_k H_k) of f
//
// with T_k = H_k + M_k / r. The last is what is left of the term where it becomes one of Z_k with Z_k = H_k and L is
// minimised over Z_k: its Moreau envelope at T_k, once differentiable (R. T. Rockafellar, Math. Oper. Res. 1, 1976).
// The multipliers M_k and the penalty r are data of the plan like any other: structure, closed forms, line polynomials
// and Hessian actions of L come from the same passes, and a quadratic under linear equalities stays a quadratic.
#ifndef TG_ENGINE_CONSTRAINTS_H
#define TG_ENGINE_CONSTRAINTS_H

#include "base/arena.h"
#include "engine/task.h"
#include "grad/calculus.h"
#include "grad/structure/kinks.h"

typedef struct tg_constraints_term {
  const char *text; // in the user's words; of the spec, or in the arena below
  bool is_kink;     // a term of the objective, else an entry of subject_to
  double low;       // its multipliers lie between these: for = any numbers, for <= not negative, of a kink its slopes
  double high;
  tg_node node;   // H
  tg_node weight; // of a kink, which must not be negative; TG_NONE: none
  int32_t multiplier;
} tg_constraints_term;

typedef struct tg_constraints {
  tg_arena arena;
  int n;
  tg_constraints_term *terms;
  int32_t penalty;
  tg_node objective; // f, as it is minimised
} tg_constraints;

// The relations of the job as nodes of the graph; names and sizes are those of the options, which are the objective's.
// Errors are located in the entry: sizes that do not agree, unknown names, sides that no variable occurs in. Local.
tg_status tg_constraints_create(const tg_task *task, tg_graph *graph, const tg_compile_options *options, tg_node f,
                                tg_constraints **out);
// Takes the kinks out of the model's objective, of which `rest` is what remains, and puts their envelopes in their
// place. Local.
tg_status tg_constraints_split(tg_graph *graph, int n_kinks, const tg_kink *kinks, tg_node rest,
                               tg_constraints **constraints, tg_node *objective);
// What is evaluated at a point: f, the values of all terms, the weights of kinks, TG_NONE where there is none. Their
// number; nodes may be NULL.
int tg_constraints_nodes(const tg_constraints *constraints, tg_node *nodes);
// Whether terms of the objective are split; NULL: no.
bool tg_constraints_has_kinks(const tg_constraints *constraints);
// NULL is fine.
void tg_constraints_destroy(tg_constraints **constraints);
// L as a node. Local.
tg_status tg_constraints_lagrangian(const tg_constraints *constraints, tg_graph *graph, tg_node *out);
// Which of them the data of that name is: 0 .. n - 1 a multiplier, n the penalty, -1 none.
int tg_constraints_find(const tg_constraints *constraints, const tg_graph *graph, const char *name);

#endif
