// A closed form in bases that serve all points of a sweep: those of X'X for every lambda of X'X + lambda I.
#include <math.h>

#include "base/memory.h"
#include "engine/method/method_parts.h"
#include "engine/model/declare.h"
#include "engine/model/values.h"
#include "engine/share/share.h"
#include "grad/plan/closed_cost.h"

// What the memo has, or is to have, of a side.
typedef struct shared_side {
  bool has_base;
  tg_memo_key key;
  tg_dmat *basis; // held
  const double *values;
} shared_side;

static void release(shared_side *sides)
{
  for (int k = 0; k < 2; k++) tg_dmat_destroy(&sides[k].basis);
}

// Bases once and a use of them a point, against factors and their use at each point. In flops: the same on all ranks.
static bool pays(const tg_share *share, const tg_closed_plan *own, const tg_closed_plan *apart)
{
  const double n = (double)tg_share_points(share);
  const double shared = tg_closed_flops(apart, TG_CLOSED_MAKE) + n * tg_closed_flops(apart, TG_CLOSED_USE);
  return shared < n * (tg_closed_flops(own, TG_CLOSED_MAKE) + tg_closed_flops(own, TG_CLOSED_USE));
}

// ---- bases ----

static tg_memo_key basis_key(tg_memo_key metric, tg_memo_key base, bool has_metric)
{
  enum { EIGENBASIS = 0xe16e };
  tg_memo_key key = tg_memo_mix_key(tg_memo_mix((tg_memo_key){.is_known = true}, EIGENBASIS), base);
  return has_metric ? tg_memo_mix_key(key, metric) : key;
}

static tg_status find_sides(const tg_method_numbers *by, const tg_closed_plan *plan, const tg_values *values,
                            shared_side *out)
{
  tg_memo *memo = tg_share_memo(by->task->share);
  for (int k = 0; k < 2; k++) {
    tg_memo_key keys[TG_CLOSED_PARTS];
    out[k] = (shared_side){.has_base = plan->sides[k].has[TG_CLOSED_BASE]};
    if (!out[k].has_base) continue;
    for (int part = TG_CLOSED_METRIC; part <= TG_CLOSED_BASE; part++)
      TG_TRY(tg_values_key(values, k * TG_CLOSED_PARTS + part, &keys[part]));
    out[k].key = basis_key(keys[TG_CLOSED_METRIC], keys[TG_CLOSED_BASE], plan->sides[k].has[TG_CLOSED_METRIC]);
    out[k].basis = tg_memo_find(memo, out[k].key);
    out[k].values = tg_memo_numbers(memo, out[k].key);
  }
  return TG_OK;
}

static bool are_there(const shared_side *sides)
{
  for (int k = 0; k < 2; k++)
    if (sides[k].has_base && sides[k].basis == NULL) return false;
  return true;
}

static bool are_known(const shared_side *sides)
{
  for (int k = 0; k < 2; k++)
    if (sides[k].has_base && !sides[k].key.is_known) return false;
  return true;
}

static tg_status keep(const tg_method_numbers *by, const tg_direct *direct, const shared_side *sides)
{
  for (int k = 0; k < 2; k++) {
    const double *values = NULL;
    tg_dmat *basis = tg_direct_basis(direct, k, &values);
    if (basis == NULL) continue;
    const int64_t n = k == 0 ? basis->rows : basis->cols;
    TG_TRY(tg_memo_keep(tg_share_memo(by->task->share), sides[k].key,
                        k == 0 ? "the eigenbasis on the left" : "the eigenbasis on the right", basis, n, values));
  }
  return TG_OK;
}

static tg_status make_bases(const tg_method_numbers *by, const tg_closed_plan *plan, tg_values *values, tg_method *m,
                            const shared_side *sides)
{
  tg_dmat *matrices[TG_CLOSED_MATRICES];
  TG_TRY(tg_values_evaluate(values));
  // The direct solver reads them only.
  for (int k = 0; k < TG_CLOSED_MATRICES; k++) matrices[k] = tg_values_matrix_of(values, k);
  const double side = fmax((double)plan->rows, (double)plan->cols);
  *by->products += tg_values_product_units(values, 2 * pow(side, 3));
  TG_TRY(tg_direct_create(by->grid, plan, matrices, &m->direct));
  return tg_agree(by->grid->comm, keep(by, m->direct, sides));
}

tg_status tg_method_make_spectral(const tg_method_numbers *by, const tg_closed_plan *plan, const tg_values *values,
                                  tg_dmat *const *matrices, tg_direct **out)
{
  shared_side sides[2];
  tg_status status = tg_agree(by->grid->comm, find_sides(by, plan, values, sides));
  if (status == TG_OK && are_there(sides)) {
    tg_dmat *const bases[2] = {sides[0].basis, sides[1].basis};
    const double *const numbers[2] = {sides[0].values, sides[1].values};
    status = tg_direct_create_in_bases(by->grid, plan, bases, numbers, matrices, out);
  } else if (status == TG_OK) {
    status = tg_direct_create(by->grid, plan, matrices, out);
    if (status == TG_OK) status = tg_agree(by->grid->comm, keep(by, *out, sides));
  }
  release(sides);
  return status;
}

static tg_status make(const tg_method_numbers *by, const tg_closed_plan *own, const tg_closed_plan *plan,
                      tg_values *values, tg_method *m)
{
  shared_side sides[2];
  tg_status status = tg_agree(by->grid->comm, find_sides(by, plan, values, sides));
  if (status == TG_OK && are_there(sides)) {
    tg_dmat *const bases[2] = {sides[0].basis, sides[1].basis};
    const double *const numbers[2] = {sides[0].values, sides[1].values};
    status = tg_direct_create_in_bases(by->grid, plan, bases, numbers, NULL, &m->direct);
  } else if (status == TG_OK && are_known(sides) && pays(by->task->share, own, plan)) {
    status = make_bases(by, plan, values, m, sides);
  }
  release(sides);
  return status;
}

static tg_status find_form(const tg_method_numbers *by, tg_closed_form *out)
{
  double *values = NULL;
  bool *known = NULL;
  tg_status status = tg_model_numbers(by->task, by->model->graph, &values, &known);
  if (status == TG_OK)
    status =
        tg_closed_form_find_apart(by->model->graph, by->model->objective, by->model->symbols[0], values, known, out);
  tg_free(values);
  tg_free(known);
  return status;
}

static bool may_share(const tg_method_numbers *by, const tg_method *m)
{
  const tg_closed_kind kind = m->strategy->form.kind;
  return by->task->share != NULL && by->model->constraints == NULL && by->model->n_variables == 1 &&
         (kind == TG_CLOSED_CHOLESKY || kind == TG_CLOSED_SPECTRAL);
}

tg_status tg_method_make_shared(const tg_method_numbers *by, tg_method *m, bool *made)
{
  tg_closed_form form;
  tg_closed_plan own;
  tg_closed_plan plan;
  tg_node nodes[TG_CLOSED_MATRICES];
  tg_values *values = NULL;
  *made = false;
  if (!may_share(by, m)) return TG_OK;
  TG_TRY(tg_agree(by->grid->comm, find_form(by, &form)));
  if (form.kind != TG_CLOSED_SPECTRAL) return TG_OK;
  TG_TRY(tg_closed_form_plan(by->model->graph, &m->strategy->form, &own));
  TG_TRY(tg_closed_form_plan(by->model->graph, &form, &plan));
  tg_closed_form_nodes(&form, nodes);
  tg_status status =
      tg_values_create(by->task, by->model, by->grid, by->data, by->x, TG_CLOSED_MATRICES, nodes, &values);
  if (status == TG_OK) status = make(by, &own, &plan, values, m);
  tg_values_destroy(&values);
  // The point's own form says what its numbers refuse, and loses less where the condition is bad.
  if (status == TG_NUMERIC) tg_error_clear();
  if (status != TG_OK && status != TG_NUMERIC) return status;
  *made = m->direct != NULL;
  if (!*made || tg_direct_condition(m->direct) <= TG_METHOD_WORST_GRAM) return TG_OK;
  m->products += (double)tg_direct_products(m->direct);
  tg_direct_destroy(&m->direct);
  *made = false;
  return TG_OK;
}
