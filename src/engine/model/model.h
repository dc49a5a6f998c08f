// What a job's symbols say, before any number is read: shapes, the graph of the objective, the compiled plan.
#ifndef TG_ENGINE_MODEL_H
#define TG_ENGINE_MODEL_H

#include "engine/model/constraints.h"
#include "engine/task.h"
#include "grad/calculus.h"
#include "grad/lower/lower.h"

// A metric S taken out of the constraints: the symbol of Q, which makes X = Q Y of X'SX = I (metric_change.h).
typedef struct tg_change {
  int datum; // S, of the job
  int32_t symbol;
  char name[300];
} tg_change;

typedef struct tg_model {
  bool is_noted; // what the objective was taken to mean has been said
  tg_graph *graph;
  tg_node objective; // what is minimised: f, or -f for maximize; under subject_to its augmented Lagrangian; without
                     // the norm1 of variables that have proximal steps (norm1_split.h)
  tg_constraints *constraints; // NULL: no subject_to, and no kinks that are split
  tg_node bare;                // with subject_to: f without what stands in its envelopes; else TG_NONE
  int n_variables;
  int32_t *symbols; // of the variables
  tg_plan *plan;
  int *data; // by position in plan->data: of the job, n_data + what tg_constraints_find says, or -1: a change
  int n_changes;
  tg_change *changes;
  int *change_of;   // of each variable, -1: none
  int64_t n_groups; // of unknowns, of which the objective is a sum of functions (grad/structure/groups.h); 1: not seen
                    // to be, or a variable has norm1 or another constraint than bounds
  bool *group_rows; // of each variable: a group has its rows, else its columns
  bool is_smooth;   // no abs, sign or relu in what is minimised: Taylor's theorem holds everywhere
  bool has_kinks;   // of the job's own, and not split: an augmented Lagrangian's are once differentiable
  double convexity; // c of grad/structure/ridge.h; 0: not known, or there are constraints
  bool is_convex;   // jointly in all variables, where it is defined, by the rules of grad/structure/curvature.h
} tg_model;

// NULL is fine.
void tg_model_destroy(tg_model **model);
// The position in plan->data of the datum, numbered as in model->data; -1: the plan does not read it. Local.
int32_t tg_model_find_data(const tg_model *model, int datum);
// "the columns of X, the rows of Z": what a group of unknowns has one of each of.
void tg_model_describe_groups(const tg_model *model, tg_text *out);
// Sizes of the largest matrix among data and variables: what a grid is chosen for. Local.
void tg_model_largest(const tg_plan *plan, int64_t *rows, int64_t *cols);

#endif
