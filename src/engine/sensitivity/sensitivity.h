// How the minimum moves with a number of the job: dX/dtheta and d(objective)/dtheta.
//
// At a minimum grad f(X, theta) = 0, so that H dX = -d(grad f)/dtheta. The right side is the gradient of df/dtheta,
// made symbolically; the equation is solved by conjugate gradients with the run's preconditioner (opt/newton_equation).
// df/dtheta itself is the derivative of the minimal value, since X moves along directions in which f does not change.
// Entries that bounds hold stay there; on a manifold X moves in its tangent space.
#ifndef TG_ENGINE_SENSITIVITY_H
#define TG_ENGINE_SENSITIVITY_H

#include "engine/sensitivity/minimum.h"

// By one number.
typedef struct tg_sensitivity_row {
  const char *name;
  double objective; // d(objective)/dtheta in the user's terms; NAN: there is none
  opt_point *point; // dX/dtheta; NULL: refused
  double norm;      // of dX/dtheta, all variables
  double residual;  // of its equation, relative
  int64_t iterations;
} tg_sensitivity_row;

typedef struct tg_sensitivity {
  const opt_space *space;
  int n;
  tg_sensitivity_row *rows;
  int64_t products;
  double seconds;
  char refusal[TG_REFUSAL_BYTES]; // why there is no dX/dtheta: a sentence; "": there is
} tg_sensitivity;

// TG_UNSUPPORTED, located, where the symbols show that there is no such derivative; TG_NAME where a number does not
// occur in the objective. Those of tune as well. Local.
tg_status tg_sensitivity_check(const tg_task *task, const tg_model *model);
// At setup->x, where the minimisation of setup->problem ended with this result; counts of the problem are kept. What
// the numbers do not give is refused in `refusal`, not by the status. Collective.
tg_status tg_sensitivity_create(tg_setup *setup, const opt_result *result, tg_sensitivity **out);
// NULL is fine. Before the setup. Local.
void tg_sensitivity_destroy(tg_sensitivity **sensitivity);

#endif
