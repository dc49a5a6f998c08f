// What a run is made of: the method and line search that it takes, and all its memory.
#include "base/memory.h"
#include "opt/driver_parts.h"
#include "opt/resolve.h"
#include "opt/stationarity.h"

// Method and line search by the options, and by the geometry of the constraints.
static tg_status choose_solver(opt_driver *self)
{
  opt_run *run = &self->run;
  const int degree = run->problem->degree;
  const bool is_curved = run->constraint != NULL && run->constraint->traits.geometry != OPT_GEOMETRY_CONVEX;
  opt_result *result = self->result;
  run->manifold = is_curved ? run->constraint : NULL;
  run->degree = is_curved ? -1 : degree;
  run->n_groups = run->constraint == NULL || run->constraint->traits.is_bounds ? run->space->n_groups : 1;
  if (run->constraint != NULL) {
    TG_TRY(opt_constrained_solver(run->options, &run->constraint->traits, &run->solver));
    TG_TRY(opt_constrained_search(run->options, run->solver, &result->line_search));
    if (run->solver->needs_hessian && !run->problem->has_hessian)
      TG_FAIL(TG_UNSUPPORTED, "method: %s needs the Hessian action, which this objective does not offer; use l-bfgs",
              run->solver->name);
  } else {
    TG_TRY(opt_options_verify(run->options, degree, run->problem->has_hessian));
    run->solver = opt_solver_find(opt_resolved_method(run->options, degree));
    result->line_search = opt_resolved_line_search(run->options, degree);
  }
  result->method = run->solver->name;
  if (run->options->second != NULL && run->constraint == NULL) {
    self->second = opt_solver_find(opt_option_choices(OPT_KIND_METHOD)[run->options->second->method]);
    TG_ASSERT(!self->second->needs_hessian && !self->second->needs_closed_form && !self->second->needs_blocks);
  }
  run->search = opt_line_search_find(result->line_search);
  return TG_OK;
}

// Local.
static tg_status allocate(opt_run *run)
{
  if (run->n_groups > 1) TG_TRY(tg_alloc_numbers(4 * (int64_t)run->n_groups, &run->group_products));
  return opt_stationarity_init(run);
}

tg_status opt_driver_set_up(opt_driver *self)
{
  opt_run *run = &self->run;
  const opt_space *space = run->space;
  TG_TRY(choose_solver(self));
  const bool is_general = run->degree < 0;
  TG_TRY(opt_agree(space, allocate(run)));
  if (run->constraint != NULL && run->constraint->traits.geometry != OPT_GEOMETRY_MANIFOLD)
    TG_TRY(space->ops->create(space, &run->feasible));
  TG_TRY(space->ops->create(space, &run->g));
  if (opt_keeps_hd(run->solver, run->degree) && run->problem->has_hessian) {
    TG_TRY(space->ops->create(space, &run->hd));
    for (int k = 0; k < 2; k++) TG_TRY(space->ops->create(space, &run->rooms[k]));
  }
  if (is_general || run->solver->keeps_gradient) TG_TRY(space->ops->create(space, &run->g_old));
  if (opt_keeps_trial(run->degree)) TG_TRY(space->ops->create(space, &run->trial));
  if (opt_needs_spare(run->options, run->solver, run->degree)) TG_TRY(space->ops->create(space, &run->spare));
  if (opt_keeps_best(run->solver, run->degree)) TG_TRY(space->ops->create(space, &self->best));
  const opt_preconditioner *preconditioner = run->options->preconditioning;
  const bool saves = self->observer->checkpoint != NULL || self->observer->restore != NULL;
  if (saves && preconditioner != NULL && preconditioner->renew != NULL)
    TG_TRY(space->ops->create(space, &self->renewal_x));
  TG_TRY(run->solver->create(run, &self->state));
  if (self->second != NULL) TG_TRY(self->second->create(run, &self->second_state));
  TG_TRY(opt_examiner_create(&self->run, self->state, &self->examiner));
  return opt_agree(space, opt_driver_list(self)); // reserves the listing's memory
}

void opt_driver_exchange(opt_driver *self)
{
  opt_run *run = &self->run;
  const opt_second *second = run->options->second;
  const opt_solver *first = run->solver;
  void *state = self->state;
  run->solver = self->second;
  self->state = self->second_state;
  self->second = first;
  self->second_state = state;
  self->examiner.state = self->state;
  self->is_exchanged = 1;
  self->result->method = run->solver->name;
  if (second->taken != NULL) second->taken(second->self);
}

void opt_driver_tear_down(opt_driver *self)
{
  opt_run *run = &self->run;
  const opt_space *space = run->space;
  if (run->solver != NULL) run->solver->destroy(space, &self->state);
  if (self->second != NULL) self->second->destroy(space, &self->second_state);
  // x, trial and best may have changed places: the user keeps his.
  opt_point **const places[] = {&run->x, &run->trial, &self->best};
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
    if (*places[i] != self->user_x) space->ops->destroy(space, places[i]);
  space->ops->destroy(space, &run->g);
  space->ops->destroy(space, &run->hd);
  for (int k = 0; k < 2; k++) space->ops->destroy(space, &run->rooms[k]);
  space->ops->destroy(space, &run->g_old);
  space->ops->destroy(space, &run->spare);
  space->ops->destroy(space, &run->feasible);
  space->ops->destroy(space, &self->renewal_x);
  opt_examiner_destroy(&self->examiner);
  tg_free(run->group_products);
  opt_stationarity_fini(run);
  opt_listing_fini(&self->listing);
}
