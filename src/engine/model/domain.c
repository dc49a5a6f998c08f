// What logdet and inv ask of the variables, read off the graph.
#include "engine/model/domain.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "engine/model/set_data.h"
#include "grad/graph/op.h"
#include "opt/constraint.h"

static const char definite[] = "positive_definite";
static const char semidefinite[] = "positive_semidefinite";
static const char nonnegative[] = "nonnegative";

static bool is_set(const tg_task_variable *x, const char *name)
{
  return x->constraint != NULL && strcmp(x->constraint, name) == 0;
}

// Bounds that are matrices need not be symmetric ones.
static bool has_matrix(const tg_task *task, const tg_task_variable *x)
{
  for (int k = 0; k < 2; k++) {
    const int datum = tg_set_data_find(x, k);
    if (datum >= 0 && task->spec->data[datum].source != TG_SOURCE_NUMBER) return true;
  }
  return false;
}

static bool keeps_symmetry(const tg_task *task, const tg_task_variable *x)
{
  const opt_constraint_row *row = opt_constraint_find(x->constraint);
  return row == NULL || (row->keeps_symmetry && !has_matrix(task, x));
}

// ---- stand-ins ----

// The variables, and a symmetric positive definite constant in the place of each square one.
typedef struct stand_ins {
  tg_graph *graph;
  int n;
  int32_t *symbols; // of the variables
  tg_node *nodes;
} stand_ins;

static tg_status add_stand_in(tg_graph *graph, int32_t symbol, int k, tg_node *out)
{
  const tg_symbol x = *tg_symbol_info(graph, symbol);
  char name[24];
  int32_t made = -1;
  TG_TRY(tg_make_sym(graph, symbol, out));
  if (x.rows != x.cols) return TG_OK;
  snprintf(name, sizeof name, "D#%d", k); // a name that no user can write
  TG_TRY(tg_symbol_add(graph, name, x.rows, x.cols, TG_SPD, false, &made));
  return tg_make_sym(graph, made, out);
}

// Whether the node is its own transpose once the stand-ins are in it, all but that of variable `without` (-1: all).
static tg_status is_symmetric(const stand_ins *s, tg_node node, int without, bool *out)
{
  for (int k = 0; k < s->n; k++)
    if (k != without) TG_TRY(tg_substitute(s->graph, node, 1, &s->symbols[k], &s->nodes[k], &node));
  return tg_node_is_symmetric(s->graph, node, out);
}

// ---- what a function's argument asks ----

typedef struct wishes {
  bool needs_symmetry; // for the argument of some logdet, sqrtm, expm or logm to be symmetric
  bool is_definite;    // it is the argument of a logdet, sqrtm or logm
  bool is_inverted;    // it is the argument of an inv or of one of those
  bool is_below;       // an inv or one of those depends on it
  const char *asker;   // the function that needs it
  bool has_det;        // a det, which is defined for a singular matrix too, depends on it
  bool is_positive;    // all its entries are arguments of a log
} wishes;

// An exponential has every symmetric matrix for its argument; logarithms and roots are like logdet.
static bool is_exponential(tg_kind kind)
{
  return kind == TG_EXPM || kind == TG_DEXPM || kind == TG_D2EXPM;
}

// The variable itself, or its transpose.
static bool is_variable(const stand_ins *s, tg_node node, int k)
{
  const tg_info *info = tg_node_info(s->graph, node);
  if (info->kind == TG_TRANS) info = tg_node_info(s->graph, info->args[0]);
  return info->kind == TG_SYM && info->symbol == s->symbols[k];
}

static tg_status read_argument(const stand_ins *s, tg_kind kind, tg_node argument, int k, wishes *out)
{
  bool with = false;
  bool without = false;
  if (!tg_node_depends_on(s->graph, argument, s->symbols[k])) return TG_OK;
  const bool is_alone = is_variable(s, argument, k);
  out->is_positive = out->is_positive || (kind == TG_LOG && is_alone);
  if (kind == TG_LOG) return TG_OK;
  out->has_det = out->has_det || kind == TG_DET;
  if (kind == TG_DET) return TG_OK;
  if (!is_exponential(kind)) {
    out->is_below = true;
    out->is_inverted = out->is_inverted || is_alone;
    if (kind == TG_INV) return TG_OK;
    out->is_definite = out->is_definite || is_alone;
  }
  TG_TRY(is_symmetric(s, argument, -1, &with));
  TG_TRY(is_symmetric(s, argument, k, &without));
  out->needs_symmetry = out->needs_symmetry || (with && !without);
  if (with && !without) out->asker = tg_kind_name(kind);
  return TG_OK;
}

static bool is_matfun(tg_kind kind)
{
  return tg_kind_is_matfun(kind, 0) || tg_kind_is_matfun(kind, 1) || tg_kind_is_matfun(kind, 2);
}

// Whether the first argument of the kind must be symmetric, or regular, or positive.
static bool asks(tg_kind kind)
{
  return kind == TG_LOGDET || kind == TG_INV || kind == TG_DET || kind == TG_LOG || is_matfun(kind);
}

static tg_status read_graph(const stand_ins *s, tg_node f, wishes *out)
{
  uint8_t *below = NULL;
  TG_TRY(tg_node_find_below(s->graph, f, &below));
  tg_status status = TG_OK;
  for (tg_node node = 1; node <= f && status == TG_OK; node++) {
    const tg_info info = *tg_node_info(s->graph, node);
    if (below[node] == 0 || !asks(info.kind)) continue;
    for (int k = 0; k < s->n && status == TG_OK; k++) status = read_argument(s, info.kind, info.args[0], k, &out[k]);
  }
  tg_free(below);
  return status;
}

// ---- a variable ----

static void open_up(tg_task_variable *x)
{
  x->open_set = x->constraint;
  x->constraint = NULL;
}

static tg_status judge(tg_task *task, tg_task_variable *x, const wishes *w)
{
  const bool is_cone = is_set(x, definite) || is_set(x, semidefinite);
  if (is_set(x, definite) && x->rows != x->cols)
    TG_FAIL_MARK(TG_SHAPE, x->spec->constraint_mark, "constraint %s needs a square matrix, %s is %lld x %lld", definite,
                 x->spec->name, (long long)x->rows, (long long)x->cols);
  if (is_set(x, definite) && !w->is_inverted)
    TG_FAIL_MARK(TG_UNSUPPORTED, x->spec->constraint_mark,
                 "constraint %s of %s: the set is open, and no term of the objective such as -logdet(%s) or "
                 "tr(inv(%s)) keeps %s inside; take %s",
                 definite, x->spec->name, x->spec->name, x->spec->name, x->spec->name, semidefinite);
  x->domain = 0;
  if (w->needs_symmetry || (is_cone && w->is_below)) x->domain = TG_SYMMETRIC;
  if (w->is_definite || (is_cone && w->is_below && (w->is_inverted || !w->has_det))) x->domain = TG_SYMMETRIC | TG_SPD;
  // Zero, which a step along a bound would take, is outside.
  if (x->domain == 0 && is_set(x, nonnegative) && w->is_positive) open_up(x);
  if (x->domain == 0) return TG_OK;
  if (!keeps_symmetry(task, x))
    TG_FAIL_MARK(TG_UNSUPPORTED, x->spec->constraint_mark,
                 "constraint %s of %s: %s asks for a symmetric %s, which this set does not keep so; give the set in "
                 "subject_to",
                 x->constraint, x->spec->name, w->asker != NULL ? w->asker : "logdet", x->spec->name);
  if (!is_set(x, definite) && !(w->is_definite && (is_set(x, semidefinite) || is_set(x, "symmetric")))) return TG_OK;
  open_up(x);
  return TG_OK;
}

static tg_status find(tg_task *task, tg_model *model, stand_ins *s, wishes *w, bool *found)
{
  TG_TRY(TG_NEW(s->n, &s->nodes));
  for (int k = 0; k < s->n; k++) TG_TRY(add_stand_in(s->graph, s->symbols[k], k, &s->nodes[k]));
  TG_TRY(read_graph(s, model->objective, w));
  for (int k = 0; k < s->n; k++) {
    TG_TRY(judge(task, &task->variables[k], &w[k]));
    *found = *found || task->variables[k].domain != 0 || task->variables[k].open_set != NULL;
  }
  return TG_OK;
}

tg_status tg_domain_find(tg_task *task, tg_model *model, bool *found)
{
  stand_ins s = {.graph = model->graph, .n = model->n_variables, .symbols = model->symbols};
  wishes *w = NULL;
  *found = false;
  TG_TRY(TG_NEW(s.n, &w));
  const tg_status status = find(task, model, &s, w, found);
  tg_free(w);
  tg_free(s.nodes);
  return status;
}

void tg_domain_forget(tg_task *task)
{
  for (int k = 0; k < task->spec->n_variables; k++) {
    tg_task_variable *x = &task->variables[k];
    if (x->open_set != NULL) x->constraint = x->open_set;
    x->open_set = NULL;
    x->domain = 0;
  }
}

tg_status tg_domain_flags(const tg_task *task, bool **out)
{
  TG_TRY(TG_NEW(task->spec->n_variables, out));
  for (int k = 0; k < task->spec->n_variables; k++) (*out)[k] = task->variables[k].domain != 0;
  return TG_OK;
}

void tg_domain_print(const tg_task *task, const char *indent, tg_text *out)
{
  for (int k = 0; k < task->spec->n_variables; k++) {
    const tg_task_variable *x = &task->variables[k];
    if (x->domain == 0 && x->open_set == NULL) continue;
    tg_text_addf(out, "%sdomain    %s %s", indent, x->spec->name,
                 (x->domain & TG_SPD) != 0 ? "symmetric positive definite, by Cholesky factorisations"
                 : x->domain != 0          ? "symmetric, by its functions"
                                           : "positive, by log");
    if (x->open_set != NULL) tg_text_addf(out, ", which is all that constraint %s asks", x->open_set);
    tg_text_add(out, "\n");
  }
}
