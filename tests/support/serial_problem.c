// opt_problem on the serial executor: refresh, run, read.
#include "support/serial_problem.h"

#include <math.h>

#include "base/memory.h"

typedef struct serial_problem {
  opt_problem base;
  const tg_plan *plan;
  serial_exec *exec;
} serial_problem;

static void bind_point(serial_problem *p, tg_buffer_kind kind, const opt_point *point)
{
  // Programs read VARIABLE and DIRECTION only; the executor's table has one type for all.
  for (int32_t k = 0; k < p->plan->n_variables; k++) {
    union {
      const double *in;
      double *out;
    } block = {.in = serial_block_const(point, k)};
    serial_exec_bind(p->exec, kind, k, block.out);
  }
}

static int64_t count_products(const tg_plan *plan, tg_program_id program)
{
  int64_t count = 0;
  for (int32_t k = 0; k < plan->programs[program].n_instrs; k++)
    count += tg_instr_is_product(&plan->programs[program].instrs[k]);
  return count;
}

static tg_status run(serial_problem *p, tg_program_id program)
{
  p->base.counts.products += count_products(p->plan, program);
  return serial_exec_run(p->exec, program);
}

// A numeric failure is a point outside the domain.
static tg_status evaluate(serial_problem *p, tg_program_id program, const opt_point *x, double *f)
{
  bind_point(p, TG_BUFFER_VARIABLE, x);
  tg_status status = run(p, TG_PROGRAM_REFRESH);
  if (status == TG_OK) status = run(p, program);
  *f = status == TG_OK ? serial_exec_register(p->exec, p->plan->value_register) : (double)INFINITY;
  return status == TG_NUMERIC ? TG_OK : status;
}

static tg_status problem_value(opt_problem *base, const opt_point *x, double *f)
{
  base->counts.values++;
  return evaluate(base->self, TG_PROGRAM_VALUE, x, f);
}

static tg_status problem_gradient(opt_problem *base, const opt_point *x, double *f, opt_point *gradient)
{
  base->counts.gradients++;
  bind_point(base->self, TG_BUFFER_GRADIENT, gradient);
  return evaluate(base->self, TG_PROGRAM_GRADIENT, x, f);
}

static tg_status problem_line(opt_problem *base, const opt_point *x, const opt_point *d, double *c)
{
  serial_problem *p = base->self;
  base->counts.lines++;
  TG_TRY(evaluate(p, TG_PROGRAM_VALUE, x, &c[0]));
  bind_point(p, TG_BUFFER_DIRECTION, d);
  TG_TRY(run(p, TG_PROGRAM_DIRECTION));
  for (int k = 1; k <= base->degree; k++) c[k] = serial_exec_register(p->exec, p->plan->line_registers[k]);
  return TG_OK;
}

static tg_status problem_advance(opt_problem *base, double t, opt_point *x, const opt_point *d, double *f,
                                 opt_point *gradient)
{
  TG_TRY(base->space->ops->axpby(base->space, t, d, 1, x));
  return problem_gradient(base, x, f, gradient);
}

static tg_status problem_hessian(opt_problem *base, const opt_point *x, const opt_point *v, opt_point *hv)
{
  serial_problem *p = base->self;
  base->counts.hessians++;
  bind_point(p, TG_BUFFER_VARIABLE, x);
  TG_TRY(run(p, TG_PROGRAM_REFRESH));
  bind_point(p, TG_BUFFER_DIRECTION, v);
  bind_point(p, TG_BUFFER_HESSIAN, hv);
  return run(p, TG_PROGRAM_HESSIAN);
}

static const opt_problem_ops problem_ops = {
    .value = problem_value,
    .gradient = problem_gradient,
    .line = problem_line,
    .advance = problem_advance,
    .hessian = problem_hessian,
};

tg_status serial_problem_create(const tg_plan *plan, const double *const *data, const serial_space *space,
                                opt_problem **out)
{
  *out = NULL;
  serial_problem *p = NULL;
  TG_TRY(TG_NEW(1, &p));
  p->plan = plan;
  p->base = (opt_problem){.ops = &problem_ops, .space = &space->base, .self = p};
  p->base.degree = plan->has_line ? plan->degree : -1;
  p->base.has_hessian = plan->has_hessian;
  tg_status status = serial_exec_create(plan, data, &p->exec);
  if (status == TG_OK) status = run(p, TG_PROGRAM_SETUP);
  opt_problem *problem = &p->base;
  if (status != TG_OK)
    serial_problem_destroy(&problem);
  else
    *out = problem;
  return status;
}

void serial_problem_destroy(opt_problem **problem)
{
  if (*problem == NULL) return;
  serial_problem *p = (*problem)->self;
  serial_exec_destroy(&p->exec);
  tg_free(p);
  *problem = NULL;
}
