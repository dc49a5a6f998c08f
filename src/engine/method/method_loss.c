// Whether the Hessian at zero saves l-bfgs products on a loss.
//
// Without a preconditioner M the iterations grow with the root of the condition of the Hessian, unless it is made of so
// few unknowns that the pairs get to know it: of a sum over columns or rows, those of one of these. With M, made again
// where x has come, they depend on how much the weights differ, which nobody knows beforehand, and not on the
// condition. An iteration with M applies it twice, to the gradient and to its change.
//
// The counts are fits to logistic and Poisson losses of 60 to 600 samples, 15 to 100 unknowns a column, 5 to 20 columns
// and conditions of 7 to 20000, to a relative gradient of 1e-8. Those with M were 6 to 64; where they are few auto may
// leave M out that would have served.
#include <math.h>

#include "engine/method/method_parts.h"

static const double iterations_apart = 25; // with M; of a sum over columns or rows, and else
static const double iterations_coupled = 50;
static const double renewals = 3;

bool tg_method_loss_pays(const tg_model *model, tg_method *method, const tg_kronecker_judgement *by)
{
  const double action = (double)tg_program_products(&model->plan->programs[TG_PROGRAM_GRADIENT]);
  const double apply = 2 * tg_method_apply_products(&model->plan->variables[0], by->is_spectral);
  const double iterations = model->n_groups > 1 ? iterations_apart : iterations_coupled;
  const double made = renewals * (double)tg_direct_products(method->kronecker);
  const double without = fmin(7 * sqrt(by->condition), 2.5 * tg_method_coupled_unknowns(model));
  const bool pays = iterations * (action + apply) + made < without * action;
  const tg_method_forecast forecast = {action, apply, made, without, iterations};
  tg_method_plan_revision(&forecast, pays, method);
  if (pays) return true;
  method->verdict.note = TG_PRECONDITIONER_NOTE_LOSS;
  method->verdict.figures[0] = by->condition;
  method->verdict.figures[1] = without;
  return false;
}
