// The inverse of the Hessian at a minimum.
#include "engine/sensitivity/covariance.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "engine/sensitivity/covariance_whole.h"
#include "grad/plan/cost_terms.h"
#include "mpi/matrix/dmat_ops.h"
#include "mpi/space/space.h"
#include "opt/lanczos.h"
#include "opt/vector.h"

static const double residual_wanted = 1e-8;
// Of the mean logarithm of an eigenvalue.
static const double log_wanted = 1e-7;

const char *tg_covariance_way_label(tg_covariance_way way)
{
  static const char *const labels[] = {[TG_COVARIANCE_CLOSED_FORM] = "closed form",
                                       [TG_COVARIANCE_INVERSE] = "inverse",
                                       [TG_COVARIANCE_PROBES] = "probes"};
  return labels[way];
}

// ---- by the symbols ----

static int64_t unknowns(const tg_task *task)
{
  int64_t sum = 0;
  for (int k = 0; k < task->spec->n_variables; k++) sum += task->variables[k].rows * task->variables[k].cols;
  return sum;
}

tg_status tg_covariance_check(const tg_task *task, const tg_model *model)
{
  const tg_spec *job = task->spec;
  const tg_mark mark = job->covariance.mark;
  if (!job->covariance.is_asked) return TG_OK;
  if (job->n_relations > 0)
    TG_FAIL_MARK(TG_UNSUPPORTED, mark,
                 "covariance: the job has subject_to: X cannot move in all directions, and the inverse of the Hessian "
                 "says nothing of its errors");
  for (int k = 0; k < job->n_variables; k++)
    if (task->variables[k].constraint != NULL && strcmp(task->variables[k].constraint, "symmetric") != 0)
      TG_FAIL_MARK(TG_UNSUPPORTED, mark,
                   "covariance: %s has the constraint %s; free and symmetric variables are served, for on the border "
                   "of a set the inverse of the Hessian says nothing of errors",
                   job->variables[k].name, task->variables[k].constraint);
  return tg_minimum_check_smooth(task, model, "covariance", mark);
}

double tg_covariance_points(const tg_task *task)
{
  // Two that are handed out, the equation with its gradient, three of Lanczos' method, sums and squares.
  return task->spec->covariance.is_asked ? 2 + 7 + 3 + 4 : 0;
}

double tg_covariance_bytes(const tg_task *task, const tg_method *method, const tg_cost_grid *grid)
{
  const int64_t n = unknowns(task);
  double sides = 0;
  if (!task->spec->covariance.is_asked) return 0;
  for (int k = 0; k < task->spec->n_variables; k++) {
    const int64_t most =
        task->variables[k].rows > task->variables[k].cols ? task->variables[k].rows : task->variables[k].cols;
    sides = fmax(sides, tg_cost_matrix_bytes(grid, most, most));
  }
  if (tg_way_is_direct(tg_method_way(method))) return 3 * sides;
  return n <= TG_COVARIANCE_WHOLE ? 3 * tg_cost_matrix_bytes(grid, n, n) : 0;
}

// ---- by a closed form ----

// *is_done is false where the method has none, or one of a minimiser that is not the only one.
static tg_status by_closed_form(tg_minimum *at, tg_covariance *out, bool *is_done)
{
  const tg_setup *s = at->setup;
  tg_direct *direct = s->method->direct;
  *is_done = false;
  if (direct == NULL || s->constraint != NULL || s->space->n_blocks != 1) return TG_OK;
  const double before = (double)tg_direct_products(direct);
  TG_TRY(tg_direct_invert(direct, tg_space_block(s->x, 0), tg_space_block(out->errors, 0), &out->logdet, is_done));
  at->products += (int64_t)((double)tg_direct_products(direct) - before);
  out->way = TG_COVARIANCE_CLOSED_FORM;
  return TG_OK;
}

// ---- by probes ----

typedef struct probing {
  tg_minimum *at;
  tg_covariance *out;
  const bool *is_symmetric; // by variable
  opt_point *signs;
  opt_point *solution;
  opt_point *squares; // sums of the squares of signs .* solution; their sums are in out->errors
  double log_sum;
  double log_squares;
} probing;

// Random signs: of symmetric matrices those of the entries of an orthonormal basis.
static tg_status draw(probing *p, uint64_t seed)
{
  const tg_setup *s = p->at->setup;
  TG_TRY(s->space->ops->random(s->space, seed, p->signs));
  TG_TRY(opt_newton_equation_project(&p->at->equation, p->signs));
  for (int k = 0; k < s->space->n_blocks; k++) {
    tg_dmat *m = tg_space_block(p->signs, k);
    for (int64_t j = 0; j < m->local_cols; j++)
      for (int64_t i = 0; i < m->local_rows; i++) {
        const bool is_diagonal = tg_layout_global(i, m->block, m->grid->row, m->grid->rows) ==
                                 tg_layout_global(j, m->block, m->grid->col, m->grid->cols);
        const double size = p->is_symmetric[k] && !is_diagonal ? sqrt(0.5) : 1;
        m->data[i + j * m->ld] = copysign(size, m->data[i + j * m->ld]);
      }
  }
  return TG_OK;
}

static tg_status probe(probing *p, uint64_t seed)
{
  const opt_space *space = p->at->setup->space;
  opt_newton_result result;
  double log_form = 0;
  TG_TRY(draw(p, seed));
  TG_TRY(tg_minimum_solve(p->at, p->signs, residual_wanted, "random signs", p->solution, &result));
  if (tg_minimum_is_refused(p->at)) return TG_OK;
  TG_TRY(opt_lanczos_log(&p->at->equation, p->signs, log_wanted, tg_minimum_iterations(p->at), &log_form,
                         &result.verdict));
  tg_minimum_judge(p->at, &result, "the determinant");
  p->log_sum += log_form;
  p->log_squares += log_form * log_form;
  TG_TRY(space->ops->scale_entries(space, p->signs, p->solution));
  TG_TRY(opt_axpby(space, 1, p->solution, 1, p->out->errors));
  TG_TRY(opt_copy(space, p->solution, p->signs));
  TG_TRY(space->ops->scale_entries(space, p->solution, p->signs));
  return opt_axpby(space, 1, p->signs, 1, p->squares);
}

// Sums and sums of squares become the mean and the standard error of its square root.
static void average(double n, tg_dmat *sum, const tg_dmat *squares, tg_dmat *deviation, double totals[3])
{
  for (int64_t j = 0; j < sum->local_cols; j++)
    for (int64_t i = 0; i < sum->local_rows; i++) {
      double *value = &sum->data[i + j * sum->ld];
      const double mean = *value / n;
      const double variance = fmax(0, squares->data[i + j * squares->ld] / n - mean * mean) / (n - 1);
      const double root = mean > 0 ? sqrt(mean) : (double)NAN;
      const double off = sqrt(variance) / (2 * root);
      *value = root;
      deviation->data[i + j * deviation->ld] = off;
      if (!(mean > 0)) {
        totals[2] += 1;
        continue;
      }
      totals[0] += off * off;
      totals[1] += mean;
    }
}

static tg_status conclude(probing *p)
{
  const tg_setup *s = p->at->setup;
  tg_covariance *out = p->out;
  const double n = (double)out->probes;
  double totals[3] = {0, 0, 0};
  for (int k = 0; k < s->space->n_blocks; k++)
    average(n, tg_space_block(out->errors, k), tg_space_block(p->squares, k), tg_space_block(out->deviation, k),
            totals);
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, totals, 3, MPI_DOUBLE, MPI_SUM, s->comm));
  out->spread = totals[1] > 0 ? sqrt(totals[0] / totals[1]) : 0;
  out->undetermined = totals[2];
  out->logdet = p->log_sum / n;
  out->logdet_error = sqrt(fmax(0, p->log_squares / n - out->logdet * out->logdet) / (n - 1));
  return TG_OK;
}

static tg_status by_probes(tg_minimum *at, const bool *is_symmetric, tg_covariance *out)
{
  const opt_space *space = at->setup->space;
  const tg_spec_covariance *asked = &at->setup->task->spec->covariance;
  probing p = {.at = at, .out = out, .is_symmetric = is_symmetric};
  out->way = TG_COVARIANCE_PROBES;
  out->probes = asked->probes;
  tg_status status = space->ops->create(space, &p.signs);
  if (status == TG_OK) status = space->ops->create(space, &p.solution);
  if (status == TG_OK) status = space->ops->create(space, &p.squares);
  if (status == TG_OK) status = space->ops->create(space, &out->deviation);
  for (int64_t k = 0; k < out->probes && status == TG_OK && !tg_minimum_is_refused(at); k++)
    status = probe(&p, asked->seed * UINT64_C(1000003) + (uint64_t)k);
  if (status == TG_OK && !tg_minimum_is_refused(at)) status = conclude(&p);
  space->ops->destroy(space, &p.signs);
  space->ops->destroy(space, &p.solution);
  space->ops->destroy(space, &p.squares);
  return status;
}

// ---- all ----

static void take_roots(const opt_space *space, opt_point *point)
{
  for (int k = 0; k < space->n_blocks; k++) {
    tg_dmat *m = tg_space_block(point, k);
    for (int64_t j = 0; j < m->local_cols; j++)
      for (int64_t i = 0; i < m->local_rows; i++) m->data[i + j * m->ld] = sqrt(fmax(0, m->data[i + j * m->ld]));
  }
}

static tg_status find(tg_minimum *at, tg_covariance *out)
{
  const tg_setup *s = at->setup;
  bool is_done = false;
  bool *is_symmetric = NULL;
  TG_TRY(s->space->ops->create(s->space, &out->errors));
  TG_TRY(by_closed_form(at, out, &is_done));
  if (!is_done && s->space->dimension <= TG_COVARIANCE_WHOLE) {
    out->way = TG_COVARIANCE_INVERSE;
    TG_TRY(tg_covariance_invert_whole(at, out->errors, &out->logdet));
    is_done = true;
  }
  if (is_done) {
    take_roots(s->space, out->errors);
    return TG_OK;
  }
  TG_TRY(tg_agree(s->comm, tg_covariance_symmetric_flags(s->task, &is_symmetric)));
  const tg_status status = by_probes(at, is_symmetric, out);
  tg_free(is_symmetric);
  return status;
}

static void drop(tg_covariance *c)
{
  c->space->ops->destroy(c->space, &c->errors);
  c->space->ops->destroy(c->space, &c->deviation);
}

tg_status tg_covariance_create(tg_setup *setup, const opt_result *result, tg_covariance **out)
{
  tg_minimum at;
  TG_TRY(tg_agree_memory(setup->comm, TG_NEW(1, out), out));
  tg_covariance *c = *out;
  c->space = setup->space;
  tg_status status = tg_minimum_open(setup, result, &at);
  if (status == TG_OK && !tg_minimum_is_refused(&at)) status = find(&at, c);
  tg_minimum_close(&at, &c->products, &c->seconds);
  memcpy(c->refusal, at.refusal, sizeof c->refusal);
  if (tg_minimum_is_refused(&at)) drop(c);
  return status;
}

void tg_covariance_destroy(tg_covariance **covariance)
{
  if (*covariance == NULL) return;
  drop(*covariance);
  tg_free(*covariance);
  *covariance = NULL;
}
