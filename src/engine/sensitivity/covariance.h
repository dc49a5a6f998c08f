// The inverse of the Hessian at a minimum: its diagonal, whose square roots are standard errors, and its determinant.
//
// By the factors of a closed form, by the inverse of the whole Hessian where there are few unknowns, else by random
// signs z: E[z .* H^-1 z] = diag(H^-1) (C. Bekas, E. Kokiopoulou, Y. Saad, Appl. Numer. Math. 57, 2007) and
// E[z' log(H) z] = log det H (S. Ubaru, J. Chen, Y. Saad, SIAM J. Matrix Anal. Appl. 38, 2017), with standard errors of
// both from their spread. For maximize H is that of -f.
#ifndef TG_ENGINE_COVARIANCE_H
#define TG_ENGINE_COVARIANCE_H

#include "engine/sensitivity/minimum.h"

// Up to so many unknowns the whole Hessian is inverted.
enum { TG_COVARIANCE_WHOLE = 2000 };

typedef enum tg_covariance_way {
  TG_COVARIANCE_CLOSED_FORM,
  TG_COVARIANCE_INVERSE,
  TG_COVARIANCE_PROBES
} tg_covariance_way;

typedef struct tg_covariance {
  const opt_space *space;
  tg_covariance_way way;
  opt_point *errors;    // standard errors, sqrt(diag(H^-1)); NULL: refused
  opt_point *deviation; // what each of them may be off by, one standard error; NULL: they are exact
  double spread;        // root mean square of deviation over that of errors
  double undetermined;  // entries whose estimate is not positive: NAN in errors
  double logdet;        // of H
  double logdet_error;  // 0: exact
  int64_t probes;
  int64_t products;
  double seconds;
  char refusal[TG_REFUSAL_BYTES]; // "": none
} tg_covariance;

const char *tg_covariance_way_label(tg_covariance_way way);
// TG_UNSUPPORTED, located, where the symbols show that there is none. Local.
tg_status tg_covariance_check(const tg_task *task, const tg_model *model);
// As tg_sensitivity_create. Collective.
tg_status tg_covariance_create(tg_setup *setup, const opt_result *result, tg_covariance **out);
// NULL is fine. Before the setup. Local.
void tg_covariance_destroy(tg_covariance **covariance);
// Points, and beside them bytes, that it takes on a rank of the grid. Local.
double tg_covariance_points(const tg_task *task);
double tg_covariance_bytes(const tg_task *task, const tg_method *method, const tg_cost_grid *grid);

#endif
