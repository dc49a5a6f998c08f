// Whether a preconditioner with separable stand-ins for weights saves products.
//
// H weights what M, diagonal in two bases, takes as separable. Four things decide what M gains, and all are numbers:
//
// - the condition of M, near that of H: what conjugate gradients without it have to overcome, unless H is made of
//   blocks, one for a column or row, that they exhaust before: twice as many iterations as these have unknowns;
// - the spread of Q s / (r c'): M^-1 H has its eigenvalues within it where M holds the rest of H exactly;
// - the mismatch of the diagonals of H and M, which that of M^-1 H exceeds: where the matrices around the weights are
//   nearly diagonal, single weights do not average out;
// - theta, the unknowns that the weighted terms determine (the sum of their shares in M's eigenvalues) over the number
//   of weights that are no holes in the mask. Far below 1 the weights are a sample large enough to be replaced by their
//   mean, as in matrix completion. Above 1 entries without weight leave directions to the rest of H, which M ties to
//   its stand-ins: the one way in which M makes things worse.
//
// The counts of iterations are fits to masks of 30 to 90 % ones, of uniform weights on (0,1) and (0.5,1.5), with
// 0.01 to 1e-8 and no ridge, between matrices of condition 2 to 1000.
#include <math.h>

#include "engine/method/method_parts.h"
#include "mpi/matrix/weight.h"

static const double theta_max = 1.25;   // beyond it nothing is promised
static const double condition_min = 50; // without a rest the gain is sqrt(condition) / 3 whatever Q is

static int64_t action_products(const tg_plan *plan)
{
  return tg_program_products(&plan->programs[plan->has_hessian ? TG_PROGRAM_HESSIAN : TG_PROGRAM_DIRECTION]);
}

double tg_method_coupled_unknowns(const tg_model *model)
{
  const tg_plan_data *x = &model->plan->variables[0];
  return (double)x->rows * (double)x->cols / (double)model->n_groups;
}

double tg_method_apply_products(const tg_plan_data *x, bool is_spectral)
{
  const double sizes[2] = {(double)x->rows, (double)x->cols};
  const double largest = fmax(sizes[0], sizes[1]);
  return (is_spectral ? 2 : 1) * sizes[0] * sizes[1] * (sizes[0] + sizes[1]) / pow(largest, 3);
}

// What the numbers say of the weights.
typedef struct facts {
  double theta;
  double spread;   // of Q s / (r c')
  double mismatch; // of the diagonals
} facts;

static tg_status measure(const tg_model *model, double share, int n, tg_dmat *const *matrices, facts *out)
{
  const tg_plan_data *x = &model->plan->variables[0];
  *out = (facts){.spread = 1, .mismatch = 1};
  for (int k = 0; k < n; k++) {
    tg_weight_spread measured;
    if (matrices[k] == NULL) continue;
    TG_TRY(tg_weight_measure(matrices[k], &measured));
    out->theta = fmax(out->theta, share * (double)x->rows * (double)x->cols / fmax(measured.count, 1));
    out->spread = fmax(out->spread, measured.smallest > 0 ? measured.largest / measured.smallest : HUGE_VAL);
  }
  return matrices[n] != NULL ? tg_weight_ratio(matrices[n], &out->mismatch) : TG_OK;
}

// Iterations with M, HUGE_VAL where nothing bounds them.
static double iterations_with(const facts *f)
{
  const double sampled = f->theta <= theta_max ? 10 + 35 * f->theta * f->theta : HUGE_VAL;
  return fmax(fmin(sampled, 9.5 * sqrt(f->spread)), 9.5 * sqrt(f->mismatch));
}

tg_status tg_method_weights_pay(const tg_model *model, tg_method *method, const tg_kronecker_judgement *by, int n,
                                tg_dmat *const *matrices, bool *out)
{
  facts f;
  TG_TRY(measure(model, by->share, n, matrices, &f));
  const double action = (double)action_products(model->plan);
  const double apply = tg_method_apply_products(&model->plan->variables[0], by->is_spectral);
  const double without = fmin(7 * sqrt(by->condition), 2 * tg_method_coupled_unknowns(model));
  const double made = (double)tg_direct_products(method->kronecker);
  const double with = iterations_with(&f) * (action + apply) + made;
  const bool is_small = model->n_groups > 1 && without < 7 * sqrt(by->condition);
  *out = with < without * action || (by->share >= 1 && by->condition >= condition_min && !is_small);
  const tg_method_forecast forecast = {action, apply, made, without, iterations_with(&f)};
  tg_method_plan_revision(&forecast, *out, method);
  if (*out) return TG_OK;
  method->verdict.note = TG_PRECONDITIONER_NOTE_WEIGHTS;
  method->verdict.figures[0] = by->condition;
  method->verdict.figures[1] = f.theta;
  method->verdict.figures[2] = f.mismatch;
  return TG_OK;
}
