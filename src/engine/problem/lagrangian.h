// The augmented Lagrangian of a job in numbers: multipliers, penalty, constraints at a point; what became of each.
#ifndef TG_ENGINE_LAGRANGIAN_H
#define TG_ENGINE_LAGRANGIAN_H

#include "engine/problem/setup.h"
#include "opt/augmented_lagrangian.h"

typedef struct tg_lagrangian tg_lagrangian;

// Creates the augmented Lagrangian of a job with subject_to, whose setup is filled and not owned. Its commits put the
// multipliers and the penalty into the plan's data and make setup->method again where the penalty is another.
// Collective.
tg_status tg_lagrangian_create(tg_setup *setup, tg_lagrangian **out);
// NULL is fine. Local.
void tg_lagrangian_destroy(tg_lagrangian **lagrangian);
// As after its creation: multipliers 0, no penalty yet. Local.
void tg_lagrangian_reset(tg_lagrangian *lagrangian);
// What opt_minimise_lagrangian takes.
opt_lagrangian *tg_lagrangian_base(tg_lagrangian *lagrangian);
// Products spent on the constraints' values and on the factorisations of earlier penalties.
int64_t tg_lagrangian_products(const tg_lagrangian *lagrangian);

// An entry of subject_to or a kink of the objective, at the point last examined.
typedef struct tg_lagrangian_term {
  const char *text; // as written; not owned
  bool is_kink;
  double violation;
  double size;
  double multiplier_norm;
} tg_lagrangian_term;

// The multipliers of entry k, in the terms of what is minimised. Local.
const tg_dmat *tg_lagrangian_multiplier(const tg_lagrangian *self, int k);
// Fills model->constraints->n terms. Local.
void tg_lagrangian_terms(const tg_lagrangian *self, tg_lagrangian_term *out);
// "subject to: ...\n", a line for each entry. Local.
void tg_lagrangian_print(const tg_task *task, const char *indent, tg_text *out);

#endif
