// What a job's symbols say, before any number is read: shapes, the graph of the objective, the compiled plan.
#ifndef TG_ENGINE_MODEL_H
#define TG_ENGINE_MODEL_H

#include "engine/model/constraints.h"
#include "engine/spec.h"
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
  bool is_convex;   // jointly in all variables, where it is defined, by the rules of grad/structure/curvature.h
} tg_model;

// Reads the headers of the data files the objective uses: rows and cols of job->data[k]. An unused one is skipped.
// Then the sizes of variables that are open (sizes.h). LOCAL: rank 0 does it. Errors are located at the file's name in
// the job.
tg_status tg_spec_probe(tg_spec *job);

// Marks the data that occur in the objective or in subject_to; called by the two below as well. Warns of data that do
// not.
void tg_spec_mark_used(tg_spec *job, bool warn);

// Objective to graph to plan. job->data must have their sizes. Errors are located in the job. Local, no data.
// The failures that the expressions and the headers of files have besides those that spec->errors has already, all kept
// there; returns the first. For a spec that could not be read as a whole; is_incomplete: variables or data are missing
// in it. Local.
tg_status tg_model_find_errors(const tg_spec *spec, bool is_incomplete);
// The variables and the used data as the calculus knows them; a size of 0 is open. To be freed. Local.
tg_status tg_model_declare(const tg_spec *job, tg_declaration **out, int32_t *count);
// The named parts as the calculus knows them. To be freed. Local.
tg_status tg_model_parts(const tg_spec *job, tg_part **out);
// Compiles an expression of the spec; what is kept in options->errors has its places in the user's text.
tg_status tg_model_compile_excerpt(tg_graph *graph, const tg_excerpt *excerpt, const tg_compile_options *options,
                                   tg_node *out);
tg_status tg_model_create(tg_spec *job, const tg_lower_options *options, tg_model **out);
// The same of a spec without constraints and relations, for an objective that is evaluated and not minimised: nothing
// is taken out of it.
tg_status tg_model_create_plain(tg_spec *job, const tg_lower_options *options, tg_model **out);
void tg_model_destroy(tg_model **model);
// The position in plan->data of the datum, numbered as in model->data; -1: the plan does not read it. Local.
int32_t tg_model_find_data(const tg_model *model, int datum);
// "the columns of X, the rows of Z": what a group of unknowns has one of each of.
void tg_model_describe_groups(const tg_model *model, tg_text *out);
// Sizes of the largest matrix among data and variables: what a grid is chosen for. Local.
void tg_model_largest(const tg_plan *plan, int64_t *rows, int64_t *cols);

// By symbol: the numbers that the job gives, and which have one. To be freed, on failure too. Local.
tg_status tg_model_numbers(const tg_spec *job, const tg_graph *graph, double **values, bool **is_known);

// The plan of another scalar f over the symbols[0..n) of the same graph, with the job's numbers for its scalars. Local.
tg_status tg_model_lower(tg_spec *job, tg_graph *graph, tg_node f, int n, const int32_t *symbols,
                         const tg_lower_options *given, tg_plan **out);

#endif
