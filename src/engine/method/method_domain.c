// Whether tr(S X) + c logdet(X) falls without end among the positive definite matrices, by whatever method.
//
// With c < 0 it has a minimum just where S is positive definite. An eigenvector v of an eigenvalue e <= 0 gives the ray
//
//     f(X + t v v') = f(X) + t e + c log(1 + t v' inv(X) v)  ->  -infinity,
//
// slowly where e = 0, so that no line search would call it proved. With c > 0 f falls towards the zero matrix.
#include <float.h>
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "engine/method/method_parts.h"
#include "engine/model/constants.h"
#include "engine/model/norm1_split.h"
#include "mpi/factor/eigen.h"
#include "mpi/factor/factor.h"
#include "mpi/matrix/dmat_ops.h"

// Whether a factorisation settles it: one that a singular matrix passes by the luck of rounding does not.
static tg_status is_definite(const tg_dmat *s, bool *out)
{
  tg_factor *factor = NULL;
  TG_TRY(tg_factor_create(s->grid, s->rows, &factor));
  const tg_status status = tg_factor_cholesky(factor, s);
  *out = status == TG_OK && tg_factor_pivot_ratio(factor) > TG_METHOD_SURE_PIVOTS;
  tg_factor_destroy(&factor);
  if (status == TG_NUMERIC) tg_error_clear();
  return status == TG_NUMERIC ? TG_OK : status;
}

// The eigenvalues of S, which are NaN where S is not finite.
static tg_status find_eigenvalues(const tg_dmat *s, double *smallest, double *largest)
{
  double *values = NULL;
  tg_dmat *vectors = NULL;
  tg_status status = tg_alloc_numbers(s->rows, &values);
  if (status == TG_OK) status = tg_dmat_create(s->grid, s->rows, s->cols, &vectors);
  status = tg_agree(s->grid->comm, status);
  if (status == TG_OK) status = tg_eigen_symmetric(s, values, vectors);
  if (status == TG_OK) {
    *smallest = values[0];
    *largest = fmax(fabs(values[0]), fabs(values[s->rows - 1]));
  }
  tg_dmat_destroy(&vectors);
  tg_free(values);
  return status;
}

static void announce(tg_method *m, const char *what)
{
  const opt_wording *wording = m->options.wording;
  snprintf(m->ray, sizeof m->ray, "the objective is unbounded %s: %s", wording->below, what);
  m->options.ray = m->ray;
}

static tg_status judge(const char *variable, double coef, const tg_dmat *s, tg_method *m)
{
  double smallest = 0;
  double largest = 0;
  char what[400];
  bool has_minimum = false;
  TG_TRY(is_definite(s, &has_minimum));
  if (has_minimum) return TG_OK;
  TG_TRY(find_eigenvalues(s, &smallest, &largest));
  m->products += 4.5 + 1.0 / 6; // by flops, 9 n^3 and n^3 / 3
  const double noise = (double)s->rows * DBL_EPSILON * largest;
  if (!(smallest <= noise)) return TG_OK;
  const double shown = fabs(smallest) <= noise ? 0 : smallest;
  snprintf(what, sizeof what,
           "the matrix S of its linear part tr(S*%s) is %s, and along %s + t*v*v', v the eigenvector of the eigenvalue "
           "%.4g of S, it changes by %.4g*t - %.4g*log(1 + t*v'*inv(%s)*v)",
           variable, shown < 0 ? "indefinite" : "singular", variable, shown, shown, -coef, variable);
  announce(m, what);
  return TG_OK;
}

tg_status tg_method_find_ray(const tg_method_numbers *by, tg_method *m)
{
  tg_graph *graph = by->model->graph;
  double coef = 0;
  tg_node s = TG_NONE;
  tg_dmat *matrix = NULL;
  char what[200];
  if (by->task->spec->n_variables != 1 || by->task->variables[0].constraint != NULL || tg_model_has_norm1(by->task))
    return TG_OK;
  TG_TRY(tg_closed_read_logdet(graph, by->model->objective, by->model->symbols[0], &coef, &s));
  if (coef == 0) return TG_OK;
  const char *name = by->task->spec->variables[0].name;
  if (coef > 0 || tg_node_is_zero(graph, s)) {
    snprintf(what, sizeof what, "%.4g*logdet(%s) falls without end along t*eye as t %s", coef, name,
             coef > 0 ? "goes to 0" : "grows, and nothing else depends on it");
    announce(m, what);
    return TG_OK;
  }
  TG_TRY(tg_constants_evaluate(by->task, by->model, by->grid, by->data, by->x, 1, &s, &matrix, by->products));
  const tg_status status = judge(name, coef, matrix, m);
  tg_dmat_destroy(&matrix);
  return status;
}
