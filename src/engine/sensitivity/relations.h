// How a minimum moves along the constraints of subject_to: the system of Karush, Kuhn and Tucker by the augmented
// Lagrangian.
//
// With the multipliers m of the minimum, its active constraints h_A = 0 and their derivative J,
//     K y + J' n = b,   J y = -dh_A/dtheta,
// where b = -d(grad L)/dtheta and K is the Hessian of the augmented Lagrangian, positive definite where the penalty is
// large: it adds penalty J'J, which changes nothing along J y = 0. y moves X, n the multipliers. The second equation
// becomes J K^-1 J' n = J K^-1 b + dh_A/dtheta, which is about n over the penalty: conjugate gradients solve it in a
// few steps, each with a system in K (J. Nocedal, S. Wright, Numerical Optimization, 2006, 16.2 and 17.3).
#ifndef TG_ENGINE_RELATIONS_H
#define TG_ENGINE_RELATIONS_H

#include "engine/sensitivity/minimum.h"

typedef struct tg_relations tg_relations;

// *out NULL where the job has none. At the minimum that is open; refuses there where a constraint is met by chance, its
// multiplier being zero. Collective.
tg_status tg_relations_create(tg_minimum *minimum, tg_relations **out);
// NULL is fine. Local.
void tg_relations_destroy(tg_relations **relations);
// y for the number, right being b. Refuses what the numbers do not give. Collective.
tg_status tg_relations_solve(tg_relations *relations, const char *number, const opt_point *right, double tolerance,
                             opt_point *y, opt_newton_result *result);

#endif
