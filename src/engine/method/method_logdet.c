// The preconditioner of -c logdet(X): at X its Hessian is c inv(X) V inv(X), so that M^-1 G = X G X / c, two products
// and no factorisation at whatever point. It follows X.
//
// What else the objective has, a polynomial of degree 2, has the Hessian sum_k c_k L_k V R_k. Against M its largest
// eigenvalue is at most the sum of c_k/c times those of X L_k and X R_k. Up to a few units M alone is right: where the
// linear term is semidefinite, inv(X) outweighs the gradient of the rest at the minimum. Beyond, both are joined in one
// generalised eigenbasis, which is renewed like that of losses (method_numbers.c).
#include <math.h>

#include "base/memory.h"
#include "engine/method/method_parts.h"
#include "engine/model/constants.h"
#include "engine/model/norm1_split.h"
#include "mpi/factor/factor.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/matrix/generate.h"
#include "mpi/product/product.h"
#include "mpi/space/space.h"

// The weight of the rest against -logdet up to which the latter is a preconditioner by itself.
static const double dominated = 8;

// The largest eigenvalue of X A by a few power steps, A = NULL the identity.
static tg_status largest_eigenvalue(const tg_grid *grid, tg_workspace *workspace, const tg_dmat *x, const tg_dmat *a,
                                    double *out)
{
  enum { STEPS = 8 };
  tg_dmat *v = NULL;
  tg_dmat *image = NULL;
  *out = 0;
  tg_status status = tg_dmat_create(grid, x->rows, 1, &v);
  if (status == TG_OK) status = tg_dmat_create(grid, x->rows, 1, &image);
  TG_TRY_GOTO(tg_agree(grid->comm, status));
  tg_generate_normal(1, 0, v);
  for (int k = 0; k < STEPS; k++) {
    double squares[2] = {0, 0};
    TG_TRY_GOTO(tg_dmat_dot(v, v, &squares[0]));
    if (a != NULL) TG_TRY_GOTO(tg_product(TG_PRODUCT_AUTO, false, false, 1, a, v, 0, image, workspace, NULL));
    TG_TRY_GOTO(tg_product(TG_PRODUCT_AUTO, false, false, 1, x, a != NULL ? image : v, 0, a != NULL ? v : image,
                           workspace, NULL));
    if (a == NULL) TG_TRY_GOTO(tg_dmat_copy(image, v));
    TG_TRY_GOTO(tg_dmat_dot(v, v, &squares[1]));
    *out = squares[0] > 0 ? sqrt(squares[1] / squares[0]) : 0;
    const double coef = squares[1] > 0 ? 1 / sqrt(squares[1]) : 0;
    TG_TRY_GOTO(tg_dmat_lincomb(1, &coef, (const tg_dmat *const[]){v}, v));
  }
done:
  tg_dmat_destroy(&image);
  tg_dmat_destroy(&v);
  return status;
}

// Whether the linear part of the rest is semidefinite to rounding: then inv(X) outweighs the gradient of the rest at
// the minimum. An indefinite one drives X into regions where the rest rules.
static tg_status is_semidefinite(const tg_method_numbers *by, tg_method *m, bool *out)
{
  static const double rounding = 1e-10;
  tg_dmat *s = NULL;
  tg_dmat *eye = NULL;
  tg_factor *factor = NULL;
  double largest = 0;
  *out = true;
  if (m->strategy->offer.linear == TG_NONE) return TG_OK;
  TG_TRY(tg_constants_evaluate(by->task, by->model, by->grid, by->data, NULL, 1, &m->strategy->offer.linear, &s,
                               by->products));
  tg_status status = tg_agree(by->grid->comm, tg_dmat_create(by->grid, s->rows, s->cols, &eye));
  TG_TRY_GOTO(status);
  tg_dmat_eye(1, eye);
  TG_TRY_GOTO(largest_eigenvalue(by->grid, m->workspace, s, NULL, &largest));
  const double coefs[2] = {1, rounding * largest};
  TG_TRY_GOTO(tg_dmat_lincomb(2, coefs, (const tg_dmat *const[]){s, eye}, s));
  TG_TRY_GOTO(tg_factor_create(by->grid, s->rows, &factor));
  status = tg_factor_cholesky(factor, s);
  *out = status == TG_OK;
  if (status == TG_NUMERIC) {
    tg_error_clear();
    status = TG_OK;
  }
done:
  tg_factor_destroy(&factor);
  tg_dmat_destroy(&eye);
  tg_dmat_destroy(&s);
  return status;
}

// How much the rest may weigh against -c logdet at the point.
static tg_status weigh_rest(const tg_method_numbers *by, tg_method *m, double *out)
{
  tg_node nodes[2 * TG_STRATEGY_TERMS];
  tg_dmat *matrices[2 * TG_STRATEGY_TERMS];
  const tg_dmat *x = tg_space_block(m->point, 0);
  *out = 0;
  for (ptrdiff_t k = 0; k < m->strategy->offer.n_rest; k++) {
    nodes[2 * k] = m->strategy->offer.rest[k].left;
    nodes[2 * k + 1] = m->strategy->offer.rest[k].right;
  }
  tg_status status = tg_constants_evaluate(by->task, by->model, by->grid, by->data, NULL, 2 * m->strategy->offer.n_rest,
                                           nodes, matrices, by->products);
  for (ptrdiff_t k = 0; k < m->strategy->offer.n_rest && status == TG_OK; k++) {
    double sides[2] = {0, 0};
    for (int side = 0; side < 2 && status == TG_OK; side++)
      status = largest_eigenvalue(by->grid, m->workspace, x, matrices[2 * k + side], &sides[side]);
    *out += m->strategy->offer.rest[k].coef * sides[0] * sides[1] / m->strategy->offer.logdet;
  }
  for (int k = 0; k < 2 * m->strategy->offer.n_rest; k++) tg_dmat_destroy(&matrices[k]);
  return status;
}

// z = X r X / stiffness, symmetric as r is.
static tg_status apply_at(void *self, const opt_point *x, const opt_point *r, opt_point *z)
{
  tg_method *m = self;
  const tg_dmat *at = tg_space_block(x, 0);
  tg_dmat *out = tg_space_block(z, 0);
  m->products += 2;
  TG_TRY(tg_product(TG_PRODUCT_AUTO, false, false, 1, at, tg_space_block(r, 0), 0, m->half, m->workspace, NULL));
  TG_TRY(tg_product(TG_PRODUCT_AUTO, false, false, 1 / m->stiffness, m->half, at, 0, out, m->workspace, NULL));
  return tg_dmat_symmetrise(m->workspace, out);
}

tg_status tg_method_prepare_logdet(const tg_method_numbers *by, tg_method *m, bool *taken)
{
  const tg_plan_data *x = &by->model->plan->variables[0];
  double weight = 0;
  *taken = false;
  if (!(m->strategy->offer.logdet > 0) || m->point == NULL) return TG_OK;
  if (m->workspace == NULL) TG_TRY(tg_agree(by->grid->comm, tg_workspace_create(by->grid, &m->workspace)));
  bool is_tame = true;
  TG_TRY(weigh_rest(by, m, &weight));
  TG_TRY(is_semidefinite(by, m, &is_tame));
  const bool is_enough = weight <= dominated && (is_tame || m->strategy->offer.n_rest == 0);
  m->verdict.note = is_enough ? TG_PRECONDITIONER_NOTE_LIGHT
                    : is_tame ? TG_PRECONDITIONER_NOTE_HEAVY
                              : TG_PRECONDITIONER_NOTE_INDEFINITE;
  m->verdict.figures[0] = weight;
  if (!is_enough) return TG_OK;
  // H lies between M and (1 + weight) M: its middle.
  m->stiffness = m->strategy->offer.logdet * (1 + weight / 2);
  TG_TRY(tg_agree(by->grid->comm, tg_dmat_create(by->grid, x->rows, x->cols, &m->half)));
  m->preconditioning = (opt_preconditioner){.name = "kronecker",
                                            .apply_at = apply_at,
                                            .is_scaled = true,
                                            .floor = m->strategy->offer.logdet / m->stiffness,
                                            .self = m};
  m->options.preconditioning = &m->preconditioning;
  *taken = true;
  return TG_OK;
}
