// From what the numbers show of the data to another model and method in the place of those there are.
#include "engine/problem/found_use.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "engine/method/method.h"
#include "engine/problem/compile.h"
#include "engine/problem/found.h"
#include "engine/problem/read_data.h"
#include "grad/plan/cost.h"

typedef struct candidate {
  tg_model *model;
  tg_method *method;
} candidate;

static void destroy(candidate *c)
{
  tg_method_destroy(&c->method);
  tg_model_destroy(&c->model);
}

// ---- the data ----

// Whether it is a matrix that may have properties.
static bool is_square(const tg_task_data *datum)
{
  return datum->spec->source != TG_SOURCE_NUMBER && datum->rows == datum->cols && datum->rows > 1;
}

// The datum at that position of the plan, where it is such a matrix of the job; else NULL.
static tg_task_data *square_datum(const tg_task *task, const tg_model *model, int32_t position)
{
  const int index = model->data[position];
  if (index < 0 || index >= task->spec->n_data) return NULL;
  return is_square(&task->data[index]) ? &task->data[index] : NULL;
}

// `symmetric: false` forbids to look.
static bool is_open(const tg_task_data *datum, unsigned property)
{
  return ((datum->spec->properties | datum->spec->stated) & property) == 0;
}

static bool is_looked_at(const tg_task_data *datum)
{
  return datum != NULL && datum->spec->properties == 0 && is_open(datum, TG_SYMMETRIC);
}

static tg_status look(tg_setup *setup, bool *any)
{
  *any = false;
  for (int32_t k = 0; k < setup->model->plan->n_data; k++) {
    tg_task_data *datum = square_datum(setup->task, setup->model, k);
    if (!is_looked_at(datum)) continue;
    TG_TRY(tg_found_look(setup->data[k], &datum->found));
    *any = *any || datum->found != 0;
  }
  return TG_OK;
}

// ---- the model ----

// The job's variables as they are now, to be freed. Collective.
static tg_status keep_variables(const tg_setup *setup, tg_task_variable **out)
{
  const tg_task *task = setup->task;
  TG_TRY(tg_agree(setup->comm, TG_NEW(task->spec->n_variables, out)));
  memcpy(*out, task->variables, (size_t)task->spec->n_variables * sizeof **out);
  return TG_OK;
}

static void restore_variables(const tg_setup *setup, const tg_task_variable *kept)
{
  memcpy(setup->task->variables, kept, (size_t)setup->task->spec->n_variables * sizeof *kept);
}

// Model and method by what is known of the data now, where the caller admits them. *out is empty at first, and to be
// destroyed, on failure too. Collective.
static tg_status build(tg_setup *setup, candidate *out)
{
  tg_task *task = setup->task;
  tg_task_forget_starts(task);
  TG_TRY(tg_agree(setup->comm, tg_setup_compile(task, &setup->lowering, &out->model, &out->method)));
  if (setup->admit == NULL) return TG_OK;
  return tg_agree(setup->comm, setup->admit(setup->caller, out->model, out->method));
}

// *serves: the candidate can take the place of model and method; else the job's variables are as before. Collective.
static tg_status try_again(tg_setup *setup, candidate *out, bool *serves)
{
  tg_task_variable *before = NULL;
  *out = (candidate){NULL, NULL};
  TG_TRY(keep_variables(setup, &before));
  *serves = build(setup, out) == TG_OK;
  if (!*serves) {
    tg_error_clear();
    destroy(out);
    restore_variables(setup, before);
  }
  tg_free(before);
  return TG_OK;
}

// Takes the candidate over, with the data that are there.
static tg_status adopt(tg_setup *setup, candidate *c)
{
  const tg_plan *old = setup->model->plan;
  const tg_plan *plan = c->model->plan;
  tg_dmat **data = NULL;
  tg_status status = tg_agree(setup->comm, TG_NEW(plan->n_data, &data));
  for (int32_t k = 0; k < plan->n_data && status == TG_OK; k++) {
    for (int32_t p = 0; p < old->n_data && data[k] == NULL; p++) {
      if (strcmp(old->data[p].name, plan->data[k].name) != 0) continue;
      data[k] = setup->data[p];
      setup->data[p] = NULL;
    }
    if (data[k] == NULL) status = tg_setup_make_datum(setup, c->model, k, &data[k]);
  }
  for (int32_t p = 0; p < old->n_data; p++) tg_dmat_destroy(&setup->data[p]);
  tg_free(setup->data);
  setup->data = data;
  candidate before = {setup->model, setup->method};
  setup->model = c->model;
  setup->method = c->method;
  *c = (candidate){NULL, NULL};
  destroy(&before);
  return status;
}

// ---- definite or not ----

// A closed form by a pencil needs to know which of the two matrices is definite.
static bool has_pencil(const tg_method *m)
{
  const tg_closed_form *form = &m->strategy->form;
  return form->kind == TG_CLOSED_SPECTRAL && (form->sides[0].metric != TG_NONE || form->sides[1].metric != TG_NONE);
}

static bool is_same_choice(const tg_method *a, const tg_method *b)
{
  const tg_offer *one = &a->strategy->offer;
  const tg_offer *other = &b->strategy->offer;
  if (a->options.method != b->options.method || a->strategy->form.kind != b->strategy->form.kind) return false;
  return tg_way_is_direct(tg_method_way(a)) ||
         (one->n_terms == other->n_terms && one->n_moving == other->n_moving && one->n_diagonals == other->n_diagonals);
}

static bool may_be_definite(const tg_setup *setup, int32_t position)
{
  const tg_task_data *datum = square_datum(setup->task, setup->model, position);
  return datum != NULL && ((datum->spec->properties | datum->found) & TG_SYMMETRIC) != 0 && is_open(datum, TG_SPD);
}

// To know that f is convex spares the search for negative curvature, some Hessian actions: the factorisations must be
// cheaper. Flops on one rank: the answer must not depend on the ranks.
static tg_status is_cheap(const tg_setup *setup, bool *out)
{
  static const double spared = 4;
  const tg_cost_grid one_rank = {.rows = 1, .cols = 1, .block = 64, .threads = 1};
  const tg_cost_machine machine = tg_cost_machine_default();
  double flops = 0;
  tg_cost iteration;
  for (int32_t k = 0; k < setup->model->plan->n_data; k++)
    if (may_be_definite(setup, k)) flops += pow((double)setup->model->plan->data[k].rows, 3) / 3;
  TG_TRY(tg_plan_iteration_cost(setup->model->plan, &one_rank, &machine, &iteration));
  *out = flops <= spared * iteration.flops;
  return TG_OK;
}

// Supposes that all symmetric data are definite. *gains: the choice would be another one.
static tg_status suppose(tg_setup *setup, bool *gains)
{
  candidate supposed;
  tg_task_variable *before = NULL;
  bool serves = false;
  for (int32_t k = 0; k < setup->model->plan->n_data; k++)
    if (may_be_definite(setup, k)) square_datum(setup->task, setup->model, k)->found |= TG_SPD;
  TG_TRY(keep_variables(setup, &before));
  tg_status status = try_again(setup, &supposed, &serves);
  restore_variables(setup, before);
  tg_free(before);
  *gains = serves && !is_same_choice(setup->method, supposed.method);
  if (serves && !*gains && supposed.model->is_convex && !setup->model->is_convex &&
      !tg_method_is_direct(&supposed.method->options))
    status = tg_agree(setup->comm, is_cheap(setup, gains));
  destroy(&supposed);
  return status;
}

static void forget(tg_setup *setup, unsigned properties)
{
  for (int k = 0; k < setup->task->spec->n_data; k++) setup->task->data[k].found &= ~properties;
}

static tg_status look_for_definite(tg_setup *setup)
{
  bool gains = false;
  bool any = false;
  candidate c;
  for (int32_t k = 0; k < setup->model->plan->n_data; k++) any = any || may_be_definite(setup, k);
  if (!any) return TG_OK;
  TG_TRY(suppose(setup, &gains));
  forget(setup, TG_SPD);
  gains = gains || has_pencil(setup->method);
  if (!gains) return TG_OK;
  any = false;
  for (int32_t k = 0; k < setup->model->plan->n_data; k++) {
    bool is_definite = false;
    if (!may_be_definite(setup, k)) continue;
    TG_TRY(tg_found_is_definite(setup->data[k], &is_definite));
    if (is_definite) square_datum(setup->task, setup->model, k)->found |= TG_SPD;
    any = any || is_definite;
  }
  bool serves = any;
  if (any) TG_TRY(try_again(setup, &c, &serves));
  if (!serves) forget(setup, TG_SPD);
  return serves ? adopt(setup, &c) : TG_OK;
}

// The choice was made as if all were symmetric. There is none to fall back on.
static tg_status replace_supposed(tg_setup *setup)
{
  bool any = false;
  candidate c = {NULL, NULL};
  forget(setup, ~0U);
  TG_TRY(look(setup, &any));
  const tg_status status = build(setup, &c);
  if (status == TG_OK) return adopt(setup, &c);
  destroy(&c);
  return status;
}

tg_status tg_found_use(tg_setup *setup)
{
  bool any = false;
  bool serves = false;
  candidate c;
  if (setup->is_supposed) {
    TG_TRY(replace_supposed(setup));
    return look_for_definite(setup);
  }
  TG_TRY(look(setup, &any));
  if (any) TG_TRY(try_again(setup, &c, &serves));
  if (serves) TG_TRY(adopt(setup, &c));
  if (!serves) forget(setup, ~0U);
  return look_for_definite(setup);
}

bool tg_found_suppose(tg_task *task)
{
  bool any = false;
  for (int k = 0; k < task->spec->n_data; k++) {
    tg_task_data *datum = &task->data[k];
    if (!datum->used || !is_square(datum) || !is_looked_at(datum)) continue;
    datum->found = TG_SYMMETRIC;
    any = true;
  }
  return any;
}

// ---- words ----

void tg_found_print_open(const tg_task *task, const tg_model *model, tg_text *out)
{
  const char *between = "";
  for (int32_t k = 0; k < model->plan->n_data; k++) {
    const tg_task_data *datum = square_datum(task, model, k);
    if (!is_looked_at(datum)) continue;
    tg_text_addf(out, "%s%s", between, datum->spec->name);
    between = ", ";
  }
}

const char *tg_found_word(const tg_task_data *datum)
{
  if ((datum->found & TG_SPD) != 0) return "symmetric positive definite";
  if ((datum->found & TG_DIAGONAL) != 0) return "diagonal";
  return (datum->found & TG_SYMMETRIC) != 0 ? "symmetric" : NULL;
}

void tg_found_print(const tg_task *task, tg_text *out)
{
  const char *between = "";
  for (int k = 0; k < task->spec->n_data; k++) {
    const char *word = tg_found_word(&task->data[k]);
    if (word == NULL) continue;
    tg_text_addf(out, "%s%s is %s", between, task->spec->data[k].name, word);
    between = ", ";
  }
}
