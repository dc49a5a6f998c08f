// A spec on its way to a plan: what the engine has found out about it so far.
//
// The spec is the caller's and stays as it is. What stands in both, such as sizes and starts, is copied when the task
// is made; the engine changes it here alone.
#ifndef TG_ENGINE_TASK_H
#define TG_ENGINE_TASK_H

#include "engine/spec.h"

typedef struct tg_task_variable {
  const tg_spec_variable *spec;
  int64_t rows;           // 0: open, until it is inferred (model/infer_sizes.h)
  int64_t cols;           // likewise
  tg_start start;         // as given, or as chosen (model/default_start.h)
  bool start_is_chosen;   // the spec leaves it open, and zeros would stay where they are
  uint64_t seed;          // as given, or as chosen
  double scale;           // likewise
  const char *constraint; // the set that is left to the solver; NULL: free
  unsigned domain;        // of tg_property: what logdet and inv in the objective ask of it (model/domain.h)
  const char *open_set;   // a constraint that this domain meets by itself, so that none is left; NULL: there is none
  double norm1;           // weight of norm1(X), taken out of the objective for proximal steps (model/norm1_split.h)
} tg_task_variable;

typedef struct tg_task_data {
  const tg_spec_data *spec;
  int64_t rows; // of a file 0 until it is probed (model/probe_files.h)
  int64_t cols;
  unsigned found; // of tg_property, seen in the numbers where the spec says nothing (problem/found.h)
  bool used;      // occurs in the objective, in a relation or in a constraint
} tg_task_data;

typedef struct tg_task {
  const tg_spec *spec;         // not owned
  tg_task_variable *variables; // by position in spec->variables
  tg_task_data *data;          // by position in spec->data
  struct tg_share *share;      // of a point of a sweep: what it has in common with the others (share/share.h); NULL:
                               // nothing; not owned
  bool only_evaluates;         // f itself at given points: constraints, subject_to and maximize play no part
} tg_task;

// Nothing is found out yet. The spec must outlive the task. Local.
tg_status tg_task_create(const tg_spec *spec, tg_task **out);
// NULL is fine.
void tg_task_destroy(tg_task **task);
// From here on f itself is evaluated, as only_evaluates says. Local.
void tg_task_drop_restrictions(tg_task *task);
// Starts as the spec gives them: none is chosen. Local.
void tg_task_forget_starts(tg_task *task);

bool tg_task_on_manifold(const tg_task_variable *variable); // its constraint is one: zeros have no nearest point there
bool tg_task_starts_randomly(const tg_task_variable *variable); // its start depends on a seed

#endif
