// What a search for numbers of a job costs, as text.
#include "report/tune_report.h"

#include "base/json.h"
#include "report/sweep_report.h"

typedef struct price {
  int folds;
  int fits; // at most
  tg_sweep_price one;
  double flops; // of all of them, with one iteration each and one step of the equation for the derivatives
  double seconds;
} price;

static tg_status find_price(const tg_spec *base, tg_preview *fit, int threads, price *out)
{
  out->folds = base->folds != NULL ? base->folds->n : 1;
  out->fits = out->folds * base->tune->evaluations;
  TG_TRY(tg_sweep_price_point(fit, threads, &out->one));
  out->flops = out->fits * (out->one.once + 2 * out->one.each);
  out->seconds = out->fits * (out->one.once_seconds + 2 * out->one.each_seconds);
  return TG_OK;
}

static void add_names(const tg_spec *base, tg_text *out)
{
  for (int k = 0; k < base->tune->n; k++)
    tg_text_addf(out, "%s%s", k > 0 ? ", " : "", base->data[base->tune->data[k]].name);
}

tg_status tg_tune_plan_print(const tg_spec *base, tg_preview *fit, int threads, tg_text *out)
{
  price p;
  TG_TRY(find_price(base, fit, threads, &p));
  tg_text_add(out, "tune of ");
  add_names(base, out);
  tg_text_addf(out, "\n  at most %d evaluations of the score, %d %s each: %d fits, then one to all data\n",
               base->tune->evaluations, p.folds, p.folds > 1 ? "fits" : "fit", p.fits);
  tg_text_addf(out, "  a fit: %.4g flops before its first %s, %.4g for %s; an equation with the Hessian for its %s\n",
               p.one.once, p.one.is_direct ? "step" : "iteration", p.one.each,
               p.one.is_direct ? "each step" : "each iteration", base->tune->n > 1 ? "derivatives" : "derivative");
  tg_text_addf(out, "  all fits: %.4g flops, %.3g s, with one %s of each fit and of each equation\n", p.flops,
               p.seconds, p.one.is_direct ? "step" : "iteration");
  return tg_text_status(out);
}

tg_status tg_tune_plan_json(const tg_spec *base, tg_preview *fit, int threads, json_t **out)
{
  price p;
  tg_text names;
  *out = NULL;
  TG_TRY(find_price(base, fit, threads, &p));
  tg_text_init(&names);
  add_names(base, &names);
  *out = json_pack("{s:s, s:i, s:i, s:i, s:o, s:o, s:o, s:o}", "over", tg_text_string(&names), "evaluations",
                   base->tune->evaluations, "folds", p.folds, "fits", p.fits, "fit_flops", tg_json_number(p.one.once),
                   "iteration_flops", tg_json_number(p.one.each), "flops", tg_json_number(p.flops), "seconds",
                   tg_json_number(p.seconds));
  tg_text_fini(&names);
  if (*out == NULL) TG_FAIL(TG_MEMORY, "cannot build the plan as JSON");
  return TG_OK;
}
