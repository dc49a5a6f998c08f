// What an augmented Lagrangian came to: its rounds, and each entry of subject_to and each split kink at the point.
#ifndef TG_ENGINE_CONSTRAINTS_RESULT_H
#define TG_ENGINE_CONSTRAINTS_RESULT_H

#include <jansson.h>

#include "engine/problem/lagrangian.h"

typedef struct tg_constraints_result {
  int64_t rounds;
  double penalty;
  double multiplier_norm;
  double complementarity;
  int n;
  tg_lagrangian_term *terms; // their texts are the model's
} tg_constraints_result;

// At the point last examined. Local.
tg_status tg_constraints_result_create(const tg_lagrangian *lagrangian, const tg_constraints *constraints,
                                       const opt_lagrangian_report *report, tg_constraints_result **out);
tg_status tg_constraints_result_copy(const tg_constraints_result *from, tg_constraints_result **out);
// NULL is fine.
void tg_constraints_result_destroy(tg_constraints_result **result);

// For a checkpoint, exact; NULL when memory is short.
json_t *tg_constraints_result_pack(const tg_constraints_result *result);
// TG_DATA where the object does not belong to these constraints. Local.
tg_status tg_constraints_result_read(const json_t *object, const tg_constraints *constraints,
                                     tg_constraints_result **out);

#endif
