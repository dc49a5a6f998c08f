// The table of `tracegrad check` on products.
#include "report/product_report.h"

#include <inttypes.h>

typedef struct product {
  tg_program_id program;
  int32_t k;
  double residual;
} product;

static const tg_instr *instr_of(const tg_plan *plan, const product *p)
{
  return &plan->programs[p->program].instrs[p->k];
}

// The probed product after *p in the order of the plan; false at the end. Begins with k = -1 in the first program.
static bool next_product(const tg_exec *exec, product *p)
{
  const tg_plan *plan = tg_exec_plan(exec);
  for (p->k++; p->program < TG_PROGRAM_COUNT; p->program++, p->k = 0)
    for (; p->k < plan->programs[p->program].n_instrs; p->k++) {
      p->residual = tg_exec_residual(exec, p->program, p->k);
      if (p->residual >= 0) return true;
    }
  return false;
}

// "2000 x 64 x 1797": rows, columns, inner size.
static void add_size(const tg_plan *plan, const tg_instr *instr, tg_text *out)
{
  const tg_plan_buffer *a = &plan->buffers[instr->in[0]];
  const tg_plan_buffer *c = &plan->buffers[instr->out];
  tg_text_addf(out, "%" PRId64 " x %" PRId64 " x %" PRId64, c->rows, c->cols, instr->trans[0] ? a->rows : a->cols);
}

static void add_formula(const tg_plan *plan, const tg_instr *instr, tg_text *out)
{
  const tg_plan_buffer *result = &plan->buffers[instr->out];
  const bool is_output = result->kind == TG_BUFFER_GRADIENT || result->kind == TG_BUFFER_HESSIAN;
  if (is_output)
    tg_text_addf(out, "%s(%s) = ", result->kind == TG_BUFFER_GRADIENT ? "grad" : "hess", result->name);
  else
    tg_text_addf(out, "%s = ", result->name);
  tg_plan_dump_formula(plan, instr, out);
}

void tg_product_report(const tg_exec *exec, tg_text *out)
{
  const tg_plan *plan = tg_exec_plan(exec);
  product p = {.k = -1};
  bool has_any = false;
  while (next_product(exec, &p)) {
    if (!has_any)
      tg_text_add(out, "\nproducts: |C*v - A*(B*v)| / (n eps |A| |B| |v|)\n  residual  program    size, product\n");
    has_any = true;
    tg_text_addf(out, "  %8.1e  %-9s  ", p.residual, tg_program_label(p.program));
    add_size(plan, instr_of(plan, &p), out);
    tg_text_add(out, "  ");
    add_formula(plan, instr_of(plan, &p), out);
    tg_text_add(out, "\n");
  }
}

tg_status tg_product_judge(const tg_exec *exec)
{
  const tg_plan *plan = tg_exec_plan(exec);
  product worst = {.residual = -1};
  product p = {.k = -1};
  while (next_product(exec, &p))
    if (p.residual > worst.residual) worst = p;
  if (worst.residual <= TG_PRODUCT_RESIDUAL) return TG_OK;
  tg_text name;
  tg_text_init(&name);
  add_formula(plan, instr_of(plan, &worst), &name);
  tg_text_add(&name, ", ");
  add_size(plan, instr_of(plan, &worst), &name);
  const tg_status status = tg_error_set(
      TG_NUMERIC, TG_HERE,
      "the product %s, of %s is wrong: a random vector finds the residual %.3g, expected below %d; BLAS or "
      "MPI is at fault, or please report this (--set products=scalapack takes other algorithms)",
      tg_text_string(&name), tg_program_label(worst.program), worst.residual, TG_PRODUCT_RESIDUAL);
  tg_text_fini(&name);
  return status;
}
