// The programs of an objective: which roots each of them computes, and in which order.
#include "base/memory.h"
#include "grad/graph/op.h"
#include "grad/lower/lower_parts.h"

// The nodes that the programs compute.
typedef struct roots {
  tg_node value;
  tg_node *gradient;
  tg_node *hessian;
  tg_node line[TG_LINE_DEGREE_MAX + 1];
} roots;

// ---- programs ----

// Forgets what the program has computed, but not the images it may read: nothing is shared between roots.
static tg_status forget(tg_lowering *l)
{
  tg_low_memo *memo = l->memo[l->program].items;
  if (!l->options->without[TG_PASS_SHARING]) return TG_OK;
  for (int64_t k = 0; k < l->memo[l->program].count; k++) memo[k] = (tg_low_memo){.has_value = false};
  return l->program == TG_PROGRAM_REFRESH || l->program == TG_PROGRAM_SETUP ? TG_OK : tg_low_images_recall(l);
}

static tg_status begin(tg_lowering *l, tg_program_id program)
{
  l->program = program;
  tg_low_uses_forget(l);
  return program == TG_PROGRAM_REFRESH ? TG_OK : tg_low_images_recall(l);
}

// The root in register *known, which the first program to compute it chooses.
static tg_status emit_scalar(tg_lowering *l, tg_node node, int32_t *known)
{
  tg_coef coef;
  TG_TRY(tg_low_scalar(l, node, &coef));
  if (*known < 0 && coef.reg >= 0) return tg_low_coef_register(l, coef, known);
  // A number alone is written by every program: its literal's register belongs to no program.
  if (*known < 0) *known = tg_low_register_new(l);
  if (coef.reg == *known && coef.value == 1.0) return TG_OK;
  if (coef.value == 1.0 && coef.reg >= 0 && tg_low_retarget_register(l, coef.reg, *known)) return TG_OK;
  const tg_code code[3] = {
      {.op = TG_CODE_NUMBER, .value = coef.value}, {.op = TG_CODE_REG, .operand = coef.reg}, {.op = TG_CODE_MUL}};
  tg_instr instr = tg_instr_make(TG_OP_SCALAR, *known);
  instr.n_code = coef.reg < 0 ? 1 : 3;
  instr.code = code;
  return tg_low_append(l, &instr);
}

static tg_status emit_value(tg_lowering *l, tg_node value)
{
  TG_TRY(forget(l));
  return emit_scalar(l, value, &l->value_register);
}

static tg_status emit_blocks(tg_lowering *l, tg_buffer_kind kind, const tg_node *nodes)
{
  for (int32_t k = 0; k < l->n; k++) {
    tg_node symbol = TG_NONE;
    int32_t buffer = -1;
    TG_TRY(tg_make_sym(l->graph, l->wrt[k], &symbol));
    buffer = tg_low_buffer_find(l, kind, k);
    if (buffer < 0) TG_TRY(tg_low_buffer_add(l, kind, k, symbol, &buffer));
    TG_TRY(forget(l));
    TG_TRY(tg_low_into(l, nodes[k], buffer));
  }
  return TG_OK;
}

static tg_status emit_line(tg_lowering *l, const roots *r)
{
  for (int32_t k = 1; k <= l->degree; k++) {
    TG_TRY(forget(l));
    TG_TRY(emit_scalar(l, r->line[k], &l->line_registers[k]));
  }
  return TG_OK;
}

bool tg_low_line_by_hessian(const tg_lowering *l)
{
  return l->degree == 2 && l->options->want_hessian && !l->options->without[TG_PASS_IMAGES];
}

// Whether DIRECTION and ADVANCE are written: for a polynomial, unless it is a quadratic that H[D] moves.
static bool has_line(const tg_lowering *l)
{
  return l->degree >= 1 && l->degree <= TG_LINE_DEGREE_MAX && !tg_low_line_by_hessian(l);
}

static tg_status emit_direction(tg_lowering *l, const roots *r)
{
  TG_TRY(begin(l, TG_PROGRAM_DIRECTION));
  TG_TRY(tg_low_uses_count(l, l->degree, &r->line[1]));
  TG_TRY(tg_low_images_direction(l));
  TG_TRY(emit_line(l, r));
  l->program = TG_PROGRAM_ADVANCE;
  return tg_low_images_advance(l);
}

// f and the gradient of a quadratic at X = 0.
static tg_status emit_gradient_at_zero(tg_lowering *l, const roots *r)
{
  tg_node *zeros = NULL;
  tg_node *gradient = NULL;
  tg_node value = TG_NONE;
  TG_TRY(TG_ARENA_NEW(&l->arena, (size_t)l->n, &zeros));
  TG_TRY(TG_ARENA_NEW(&l->arena, (size_t)l->n, &gradient));
  TG_TRY(tg_make_zero_symbols(l->graph, l->n, l->wrt, zeros));
  TG_TRY(tg_substitute(l->graph, r->value, l->n, l->wrt, zeros, &value));
  for (int32_t k = 0; k < l->n; k++) TG_TRY(tg_substitute(l->graph, r->gradient[k], l->n, l->wrt, zeros, &gradient[k]));
  TG_TRY(begin(l, TG_PROGRAM_GRADIENT_AT_ZERO));
  TG_TRY(tg_low_uses_count(l, l->n, gradient));
  TG_TRY(tg_low_uses_count(l, 1, &value));
  TG_TRY(emit_value(l, value));
  return emit_blocks(l, TG_BUFFER_GRADIENT, gradient);
}

// In the gradient program the value comes first: its trace then picks the halves that the gradient will need, and
// leaves them behind.
static tg_status emit_programs(tg_lowering *l, const roots *r)
{
  TG_TRY(begin(l, TG_PROGRAM_REFRESH));
  TG_TRY(tg_low_images_refresh(l));
  TG_TRY(begin(l, TG_PROGRAM_VALUE));
  TG_TRY(tg_low_uses_count(l, 1, &r->value));
  TG_TRY(emit_value(l, r->value));
  TG_TRY(begin(l, TG_PROGRAM_GRADIENT));
  TG_TRY(tg_low_uses_count(l, l->n, r->gradient));
  TG_TRY(tg_low_uses_count(l, 1, &r->value));
  TG_TRY(emit_value(l, r->value));
  TG_TRY(emit_blocks(l, TG_BUFFER_GRADIENT, r->gradient));
  if (has_line(l)) TG_TRY(emit_direction(l, r));
  if (!l->options->want_hessian) return TG_OK;
  TG_TRY(begin(l, TG_PROGRAM_HESSIAN));
  TG_TRY(tg_low_uses_count(l, l->n, r->hessian));
  TG_TRY(emit_blocks(l, TG_BUFFER_HESSIAN, r->hessian));
  return tg_low_line_by_hessian(l) ? emit_gradient_at_zero(l, r) : TG_OK;
}

// ---- roots ----

static tg_status direction_nodes(tg_lowering *l, tg_node *out)
{
  for (int32_t k = 0; k < l->n; k++) TG_TRY(tg_make_sym(l->graph, l->along[k], &out[k]));
  return TG_OK;
}

// The objective as the variant wants it written.
static tg_status rewrite(tg_lowering *l, tg_node *f)
{
  const bool traces = !l->options->without[TG_PASS_TRACES];
  if (!l->options->without[TG_PASS_ASSOCIATION]) TG_TRY(tg_low_unstack(l, *f, f));
  if (traces) TG_TRY(tg_low_symmetrise(l, *f, f));
  if (!l->variant.expand) return TG_OK;
  TG_TRY(tg_low_expand(l, *f, f));
  return traces ? tg_low_symmetrise(l, *f, f) : TG_OK;
}

// Line coefficients are sums of traces, which have no common matrix factors to take out.
static tg_status factor_roots(tg_lowering *l, roots *r)
{
  for (int32_t k = 0; k < l->n; k++) {
    TG_TRY(tg_factor_common(l->graph, r->gradient[k], &r->gradient[k]));
    if (l->options->want_hessian) TG_TRY(tg_factor_common(l->graph, r->hessian[k], &r->hessian[k]));
  }
  return TG_OK;
}

// Last, for what they are written by has no derivatives.
static tg_status open_roots(tg_lowering *l, roots *r)
{
  TG_TRY(tg_low_open_spectra(l, r->value, &r->value));
  for (int32_t k = 0; k < l->n; k++) {
    TG_TRY(tg_low_open_spectra(l, r->gradient[k], &r->gradient[k]));
    if (l->options->want_hessian) TG_TRY(tg_low_open_spectra(l, r->hessian[k], &r->hessian[k]));
  }
  for (int32_t k = 1; has_line(l) && k <= l->degree; k++) TG_TRY(tg_low_open_spectra(l, r->line[k], &r->line[k]));
  return TG_OK;
}

// Everything is derived from the rewritten objective, so that value, gradient, line and Hessian action share.
static tg_status find_roots(tg_lowering *l, tg_node f, roots *r)
{
  tg_node *directions = NULL;
  TG_TRY(rewrite(l, &f));
  *r = (roots){.value = f};
  TG_TRY(TG_ARENA_NEW(&l->arena, (size_t)l->n, &directions));
  TG_TRY(TG_ARENA_NEW(&l->arena, (size_t)l->n, &r->gradient));
  TG_TRY(TG_ARENA_NEW(&l->arena, (size_t)l->n, &r->hessian));
  TG_TRY(direction_nodes(l, directions));
  TG_TRY(tg_gradient(l->graph, f, l->n, l->wrt, r->gradient));
  if (has_line(l)) TG_TRY(tg_line_polynomial(l->graph, f, l->n, l->wrt, directions, l->degree, r->line));
  for (int32_t k = 0; l->options->want_hessian && k < l->n; k++)
    TG_TRY(tg_forward(l->graph, r->gradient[k], l->n, l->wrt, directions, &r->hessian[k]));
  TG_TRY(open_roots(l, r));
  if (l->variant.factor) TG_TRY(factor_roots(l, r));
  return has_line(l) && l->variant.images ? tg_low_images_find(l, f, r->gradient, directions) : TG_OK;
}

static tg_status bind_symbol(tg_lowering *l, tg_buffer_kind kind, int32_t index, int32_t symbol)
{
  tg_node node = TG_NONE;
  int32_t *known = NULL;
  int32_t buffer = -1;
  TG_TRY(tg_make_sym(l->graph, symbol, &node));
  TG_TRY(tg_low_buffer_add(l, kind, index, node, &buffer));
  TG_TRY(tg_low_at(&l->symbols, sizeof *known, symbol, (void **)&known));
  *known = buffer + 1;
  return TG_OK;
}

tg_status tg_low_build(tg_lowering *l, tg_node f)
{
  roots r;
  l->value_register = -1;
  for (int k = 0; k <= TG_LINE_DEGREE_MAX; k++) l->line_registers[k] = -1;
  l->step_register = tg_low_register_new(l);
  for (int32_t k = 0; k < l->n; k++) TG_TRY(bind_symbol(l, TG_BUFFER_VARIABLE, k, l->wrt[k]));
  for (int32_t k = 0; k < l->n; k++) TG_TRY(bind_symbol(l, TG_BUFFER_DIRECTION, k, l->along[k]));
  TG_TRY(find_roots(l, f, &r));
  return emit_programs(l, &r);
}
