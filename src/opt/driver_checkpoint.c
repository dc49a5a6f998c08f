// The state of a minimisation as a listing: what is saved, and how a run is resumed from it.
#include "opt/driver_parts.h"
#include "opt/stationarity.h"
#include "opt/vector.h"

// Entries of the listing that are read or written as they stand.
typedef struct listed_number {
  const char *name;
  double *number;
} listed_number;

typedef struct listed_count {
  const char *name;
  int64_t *count;
} listed_count;

static tg_status list_vectors(opt_driver *self)
{
  opt_run *run = &self->run;
  opt_listing *listing = &self->listing;
  TG_TRY(opt_listing_add_vector(listing, "x", -1, run->x));
  TG_TRY(opt_listing_add_vector(listing, "gradient", -1, run->g));
  // The solver's own measure leaves the next direction there.
  if (run->solver->measure != NULL) TG_TRY(opt_listing_add_vector(listing, "measured", -1, run->feasible));
  if (self->best != NULL) TG_TRY(opt_listing_add_vector(listing, "best", -1, self->best));
  if (self->renewal_x == NULL) return TG_OK;
  TG_TRY(opt_listing_add_vector(listing, "metric_point", -1, self->renewal_x));
  opt_listing_mark(listing, !self->has_renewal_x);
  return TG_OK;
}

static tg_status list_numbers(opt_driver *self)
{
  opt_run *run = &self->run;
  const listed_number numbers[] = {{"objective", &run->f},
                                   {"gradient_norm", &run->g_norm},
                                   {"best_objective", &self->best_f},
                                   {"fall_objective", &self->fall_f},
                                   {"fall_before", &self->fall_before},
                                   {"gradient_norm_start", &run->g_norm_start},
                                   {"objective_start", &run->f_start},
                                   {"objective_scale", &run->f_scale},
                                   {"x_reach", &run->x_reach},
                                   {"rayleigh_max", &run->rayleigh_max},
                                   {"step", &run->step},
                                   {"step_norm", &run->step_norm},
                                   {"seconds", &self->listed_seconds},
                                   {"window_objective", &self->window_f},
                                   {"window_gradient", &self->window_g},
                                   {"window_share", &self->window_share},
                                   {"failed_share", &self->failed_share},
                                   {"drift", &self->result->drift},
                                   {"value_drift", &self->result->value_drift}};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
    TG_TRY(opt_listing_add_number(&self->listing, numbers[i].name, -1, numbers[i].number));
  return TG_OK;
}

static tg_status list_counts(opt_driver *self)
{
  opt_run *run = &self->run;
  opt_counts *counts = &run->problem->counts;
  const listed_count whole[] = {{"iteration", &run->iteration},
                                {"is_fresh", &self->listed_fresh},
                                {"solver_restarts", &run->restarts},
                                {"renewals", &run->renewals},
                                {"returns", &self->returns},
                                {"renewed_at", &self->renewed_at},
                                {"has_metric_point", &self->has_renewal_x},
                                {"window_iteration", &self->window_iteration},
                                {"small_changes", &self->small_changes},
                                {"small_steps", &self->small_steps},
                                {"failed_tests", &self->failed_tests},
                                {"values", &counts->values},
                                {"gradients", &counts->gradients},
                                {"lines", &counts->lines},
                                {"hessians", &counts->hessians},
                                {"products", &counts->products}};
  for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
    TG_TRY(opt_listing_add_count(&self->listing, whole[i].name, whole[i].count));
  TG_TRY(opt_listing_add_count(&self->listing, "last_failure", &self->last_failure));
  opt_listing_limit(&self->listing, -1, INT64_MAX);
  return TG_OK;
}

// What the solvers keep: under one name each whichever is at work. The other's points are idle.
static tg_status list_solvers(opt_driver *self)
{
  opt_listing *listing = &self->listing;
  const opt_solver *at_work = self->run.solver;
  if (self->second == NULL) return at_work->list(self->state, listing);
  const bool second_works = self->is_exchanged != 0;
  for (int k = 0; k < 2; k++) {
    const bool works = (k == 1) == second_works;
    const int first = listing->n_vectors;
    listing->prefix = k == 0 ? "" : "second_";
    const tg_status status =
        works ? at_work->list(self->state, listing) : self->second->list(self->second_state, listing);
    listing->prefix = "";
    TG_TRY(status);
    for (int v = first; v < listing->n_vectors && !works; v++) listing->vectors[v].is_idle = true;
  }
  return opt_listing_add_count(listing, "is_exchanged", &self->is_exchanged);
}

tg_status opt_driver_list(opt_driver *self)
{
  opt_run *run = &self->run;
  self->listed_seconds = opt_driver_elapsed(self);
  self->listed_fresh = run->is_fresh;
  opt_listing_clear(&self->listing);
  TG_TRY(list_vectors(self));
  TG_TRY(list_numbers(self));
  TG_TRY(list_counts(self));
  TG_TRY(opt_stationarity_list(run, &self->listing));
  TG_TRY(opt_examiner_list(&self->examiner, &self->listing));
  TG_TRY(list_solvers(self));
  if (run->problem->ops->list != NULL) TG_TRY(run->problem->ops->list(run->problem, &self->listing));
  return TG_OK;
}

tg_status opt_driver_save(opt_driver *self)
{
  if (self->observer->checkpoint == NULL) return TG_OK;
  TG_TRY(opt_driver_list(self));
  TG_TRY(self->observer->checkpoint(self->observer->self, &self->listing));
  return TG_OK;
}

tg_status opt_driver_restore(opt_driver *self, bool *restored)
{
  opt_run *run = &self->run;
  const opt_preconditioner *preconditioner = run->options->preconditioning;
  bool is_new = false;
  *restored = false;
  if (self->observer->restore == NULL) return TG_OK;
  TG_TRY(opt_driver_list(self));
  TG_TRY(self->observer->restore(self->observer->self, &self->listing, restored));
  if (!*restored) return TG_OK;
  self->earlier_seconds = self->listed_seconds;
  run->is_fresh = self->listed_fresh != 0;
  if (self->is_exchanged) opt_driver_exchange(self);
  if (run->problem->ops->restored != NULL) run->problem->ops->restored(run->problem, run->x);
  if (self->renewal_x != NULL && self->has_renewal_x)
    TG_TRY(preconditioner->renew(preconditioner->self, self->renewal_x, &is_new));
  if (preconditioner != NULL && preconditioner->until > 0 && self->renewed_at >= preconditioner->until)
    preconditioner->drop(preconditioner->self);
  return TG_OK;
}

bool opt_driver_can_go_on(const opt_driver *self)
{
  switch (self->result->outcome) {
  case OPT_ITERATION_LIMIT:
  case OPT_TIME_LIMIT:
  case OPT_INTERRUPTED:
    return true;
  case OPT_CONVERGED:
  case OPT_STALLED:
    return self->observer->saves_end;
  case OPT_UNBOUNDED:
  case OPT_NOT_FINITE:
  case OPT_OUTCOME_COUNT:
    break;
  }
  return false;
}
