// The metric of orthonormal columns, by symbols and by numbers.
#include "cli/model/congruence.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "mpi/dmat_ops.h"
#include "mpi/product.h"
#include "mpi/root.h"
#include "mpi/space.h"

// ---- the job ----

const tg_yaml_node *tg_congruence_node(const tg_job_variable *variable)
{
  const tg_yaml_node *node = tg_yaml_get(variable->node, "constraint");
  const bool has_argument = node != NULL && node->kind == TG_YAML_MAPPING;
  if (!has_argument || node->first->value->kind != TG_YAML_MAPPING) return NULL;
  return tg_yaml_get(node->first->value, "metric");
}

bool tg_congruence_needs(const tg_job *job, const char *datum)
{
  for (int k = 0; k < job->n_variables; k++) {
    const tg_yaml_node *node = tg_congruence_node(&job->variables[k]);
    if (node != NULL && strcmp(node->text, datum) == 0) return true;
  }
  return false;
}

static tg_status check_metric(tg_job *job, const tg_job_variable *variable, const tg_yaml_node *node, int datum)
{
  const tg_job_data *s = &job->data[datum];
  if (s->rows != variable->rows || s->cols != variable->rows)
    TG_FAIL_NODE(job, node, TG_SHAPE,
                 "the metric %s of %s is %" PRId64 " x %" PRId64 ", expected %" PRId64 " x %" PRId64
                 ", a row and a column for each row of %s",
                 s->name, variable->name, s->rows, s->cols, variable->rows, variable->rows, variable->name);
  if (s->is_number || (s->properties & (TG_SPD | TG_SYMMETRIC)) == 0)
    TG_FAIL_NODE(job, node, TG_VALUE, "the metric %s is not declared positive definite; give %s: {..., spd: true}",
                 s->name, s->name);
  if (job->n_relations > 0)
    TG_FAIL_NODE(job, node, TG_UNSUPPORTED, "a metric does not go with subject_to; write X'*S*X = eye there instead");
  return TG_OK;
}

// ---- symbols ----

// A name for Q that nothing has.
static tg_status name_root(const tg_job *job, const tg_graph *graph, const char *metric, char *out, size_t room)
{
  int length = snprintf(out, room, "Q_%s", metric);
  while (length > 0 && (size_t)length + 1 < room &&
         (tg_job_find_data(job, out) >= 0 || tg_job_find_variable(job, out) >= 0 || tg_symbol_find(graph, out) >= 0)) {
    out[length++] = '_';
    out[length] = '\0';
  }
  if (length < 0 || (size_t)length + 1 >= room) TG_FAIL(TG_LIMIT, "the name of the metric %s is too long", metric);
  return TG_OK;
}

// The change of the metric, one for all variables that have it.
static tg_status find_change(tg_job *job, tg_model *model, int datum, int32_t variable, int *out)
{
  for (*out = 0; *out < model->n_changes; (*out)++)
    if (model->changes[*out].datum == datum) return TG_OK;
  tg_change *change = &model->changes[model->n_changes++];
  const tg_dim n = tg_symbol_info(model->graph, variable)->rows;
  change->datum = datum;
  TG_TRY(name_root(job, model->graph, job->data[datum].name, change->name, sizeof change->name));
  return tg_symbol_add(model->graph, change->name, n, n, 0, false, &change->symbol);
}

static tg_status substitute(tg_graph *graph, int32_t variable, int32_t root, tg_node *f)
{
  tg_node factors[2] = {TG_NONE, TG_NONE};
  tg_node product = TG_NONE;
  TG_TRY(tg_make_sym(graph, root, &factors[0]));
  TG_TRY(tg_make_sym(graph, variable, &factors[1]));
  TG_TRY(tg_make_prod(graph, 2, factors, &product));
  return tg_substitute(graph, *f, 1, &variable, &product, f);
}

tg_status tg_congruence_substitute(tg_job *job, tg_model *model)
{
  TG_TRY(TG_NEW(job->n_variables, &model->changes));
  TG_TRY(TG_NEW(job->n_variables, &model->change_of));
  for (int k = 0; k < job->n_variables; k++) {
    model->change_of[k] = -1;
    const tg_yaml_node *node = tg_congruence_node(&job->variables[k]);
    if (node == NULL) continue;
    const int datum = tg_job_find_data(job, node->text);
    TG_TRY(check_metric(job, &job->variables[k], node, datum));
    TG_TRY(find_change(job, model, datum, model->symbols[k], &model->change_of[k]));
    TG_TRY(substitute(model->graph, model->symbols[k], model->changes[model->change_of[k]].symbol, &model->objective));
  }
  return TG_OK;
}

int tg_congruence_find(const tg_model *model, const char *name)
{
  for (int k = 0; k < model->n_changes; k++)
    if (strcmp(model->changes[k].name, name) == 0) return k;
  return -1;
}

void tg_congruence_print(const tg_job *job, const tg_model *model, const char *label, tg_text *out)
{
  for (int k = 0; k < model->n_variables; k++) {
    if (model->change_of[k] < 0) continue;
    const tg_change *change = &model->changes[model->change_of[k]];
    const char *x = job->variables[k].name;
    const char *s = job->data[change->datum].name;
    tg_text_addf(out, "%s%s'*%s*%s = eye by %s = %s*Y, %s = inv(L') with %s = L*L'; below, %s stands for Y\n", label, x,
                 s, x, x, change->name, change->name, s, x);
  }
}

// ---- numbers ----

// S as the plan holds it, or read for this alone: then *own.
static tg_status get_metric(tg_setup *setup, const tg_change *change, tg_dmat **own, const tg_dmat **out)
{
  const tg_model *model = setup->model;
  for (int32_t k = 0; k < model->plan->n_data; k++) {
    *out = setup->data[k];
    if (model->data[k] == change->datum) return TG_OK;
  }
  TG_TRY(tg_setup_read_datum(setup, &setup->job->data[change->datum], own));
  *out = *own;
  return TG_OK;
}

static tg_status at_metric(tg_setup *setup, int change, tg_status status)
{
  if (status != TG_NUMERIC) return status;
  int k = 0;
  while (setup->model->change_of[k] != change) k++;
  const tg_yaml_node *node = tg_congruence_node(&setup->job->variables[k]);
  tg_text message;
  tg_text_init(&message);
  tg_text_addf(&message, "the metric %s is not positive definite: %s", node->text, tg_error_get()->message);
  setup->job->failed_source = node->source;
  tg_error_set_at(TG_DATA, TG_HERE, node->span, "%s", tg_text_string(&message));
  tg_text_fini(&message);
  return TG_DATA;
}

tg_status tg_congruence_fill(tg_setup *setup)
{
  const tg_model *model = setup->model;
  if (model->n_changes == 0) return TG_OK;
  TG_TRY(tg_agree(setup->comm, TG_NEW(model->n_changes, &setup->metrics)));
  for (int c = 0; c < model->n_changes; c++) {
    tg_setup_metric *m = &setup->metrics[c];
    TG_TRY(get_metric(setup, &model->changes[c], &m->own, &m->s));
    TG_TRY(at_metric(setup, c, tg_root_create(m->s, &m->root, &m->inverse)));
    for (int32_t k = 0; k < model->plan->n_data; k++) {
      if (strcmp(model->plan->data[k].name, model->changes[c].name) != 0) continue;
      setup->data[k] = m->inverse;
    }
  }
  return TG_OK;
}

// x := a x.
static tg_status multiply(const tg_dmat *a, tg_dmat *x)
{
  tg_workspace *workspace = NULL;
  tg_dmat *image = NULL;
  tg_status status = tg_workspace_create(x->grid, &workspace);
  if (status == TG_OK) status = tg_dmat_create(x->grid, x->rows, x->cols, &image);
  TG_TRY_GOTO(tg_agree(x->grid->comm, status));
  TG_TRY_GOTO(tg_product(TG_PRODUCT_AUTO, false, false, 1, a, x, 0, image, workspace, NULL));
  status = tg_dmat_copy(image, x);
done:
  tg_dmat_destroy(&image);
  tg_workspace_destroy(&workspace);
  return status;
}

tg_status tg_congruence_enter(const tg_setup *setup)
{
  for (int k = 0; k < setup->model->n_variables; k++) {
    const int change = setup->model->change_of[k];
    if (change >= 0) TG_TRY(multiply(setup->metrics[change].root, tg_space_block(setup->x, k)));
  }
  return TG_OK;
}

// |X'SX - I|.
static tg_status measure(const tg_dmat *s, const tg_dmat *x, double *out)
{
  tg_workspace *workspace = NULL;
  tg_dmat *image = NULL;
  tg_dmat *gram = NULL;
  double square = 0;
  tg_status status = tg_workspace_create(x->grid, &workspace);
  if (status == TG_OK) status = tg_dmat_create(x->grid, x->rows, x->cols, &image);
  if (status == TG_OK) status = tg_dmat_create(x->grid, x->cols, x->cols, &gram);
  TG_TRY_GOTO(tg_agree(x->grid->comm, status));
  tg_dmat_eye(1, gram);
  TG_TRY_GOTO(tg_product(TG_PRODUCT_AUTO, false, false, 1, s, x, 0, image, workspace, NULL));
  TG_TRY_GOTO(tg_product(TG_PRODUCT_AUTO, true, false, 1, x, image, -1, gram, workspace, NULL));
  TG_TRY_GOTO(tg_dmat_dot(gram, gram, &square));
  *out = sqrt(square);
done:
  tg_dmat_destroy(&gram);
  tg_dmat_destroy(&image);
  tg_workspace_destroy(&workspace);
  return status;
}

tg_status tg_congruence_leave(tg_setup *setup, double *violation)
{
  *violation = 0;
  for (int k = 0; k < setup->model->n_variables; k++) {
    const int change = setup->model->change_of[k];
    double here = 0;
    if (change < 0) continue;
    tg_dmat *x = tg_space_block(setup->x, k);
    TG_TRY(multiply(setup->metrics[change].inverse, x));
    TG_TRY(measure(setup->metrics[change].s, x, &here));
    if (!(here <= *violation)) *violation = here; // NaN too
  }
  return TG_OK;
}

void tg_congruence_destroy(tg_setup *setup)
{
  for (int c = 0; setup->metrics != NULL && c < setup->model->n_changes; c++) {
    tg_setup_metric *m = &setup->metrics[c];
    for (int32_t k = 0; k < setup->model->plan->n_data; k++)
      if (setup->data[k] == m->inverse) setup->data[k] = NULL; // the plan borrowed it
    tg_dmat_destroy(&m->own);
    tg_dmat_destroy(&m->root);
    tg_dmat_destroy(&m->inverse);
  }
  tg_free(setup->metrics);
}
