// The programs of an objective: which roots each of them computes, and in which order.
#include "base/memory.h"
#include "grad/lower_parts.h"

// The nodes that the programs compute.
typedef struct roots {
  tg_node value;
  tg_node *gradient;
  tg_node *hessian;
  tg_node line[TG_LINE_DEGREE_MAX + 1];
} roots;

int32_t tg_low_uses(const tg_lowering *l, tg_node node)
{
  return node < l->uses.count ? ((const int32_t *)l->uses.items)[node] : 0;
}

// ---- counting uses ----

// A trace or sum of a product does not need the product itself, only its factors.
static bool opens_argument(const tg_lowering *l, const tg_info *info)
{
  if (info->kind != TG_TR && info->kind != TG_SUM && info->kind != TG_DIAGVEC) return false;
  const tg_kind kind = tg_node_info(l->graph, info->args[0])->kind;
  return !l->options->without[TG_PASS_TRACES] && (kind == TG_PROD || kind == TG_MPOW);
}

static tg_status count_uses(tg_lowering *l, tg_node node)
{
  const tg_info *info = tg_node_info(l->graph, node);
  for (int32_t i = 0; i < info->n_args; i++) {
    const tg_info *argument = tg_node_info(l->graph, info->args[i]);
    int32_t *uses = NULL;
    if (opens_argument(l, info)) {
      TG_TRY(count_uses(l, info->args[i]));
      continue;
    }
    TG_TRY(tg_low_at(&l->uses, sizeof *uses, info->args[i], (void **)&uses));
    if ((*uses)++ == 0 && argument->n_args > 0) TG_TRY(count_uses(l, info->args[i]));
  }
  return TG_OK;
}

static tg_status count_roots(tg_lowering *l, int32_t n, const tg_node *nodes)
{
  for (int32_t k = 0; k < n; k++) {
    int32_t *uses = NULL;
    if (nodes[k] == TG_NONE) continue;
    TG_TRY(tg_low_at(&l->uses, sizeof *uses, nodes[k], (void **)&uses));
    if ((*uses)++ == 0) TG_TRY(count_uses(l, nodes[k]));
  }
  return TG_OK;
}

// ---- programs ----

static tg_status begin(tg_lowering *l, tg_program_id program, int32_t n, const tg_node *nodes)
{
  l->program = program;
  l->uses.count = 0;
  for (int64_t k = 0; k < l->uses.capacity; k++) ((int32_t *)l->uses.items)[k] = 0;
  return count_roots(l, n, nodes);
}

static tg_status emit_scalar_root(tg_lowering *l, tg_node node, int32_t *known, int32_t *out)
{
  tg_coef coef;
  TG_TRY(tg_low_scalar(l, node, &coef));
  // Every program leaves its root in the same register.
  if (*known < 0 || l->program == TG_PROGRAM_SETUP) {
    TG_TRY(tg_low_coef_register(l, coef, known));
    *out = *known;
    return TG_OK;
  }
  *out = *known;
  if (coef.reg == *known && coef.value == 1.0) return TG_OK;
  const tg_code code[3] = {coef.reg < 0 ? (tg_code){.op = TG_CODE_NUMBER, .value = 1}
                                        : (tg_code){.op = TG_CODE_REG, .operand = coef.reg},
                           {.op = TG_CODE_NUMBER, .value = coef.value},
                           {.op = TG_CODE_MUL}};
  tg_instr instr = tg_instr_make(TG_OP_SCALAR, *known);
  instr.n_code = 3;
  instr.code = code;
  return tg_low_append(l, &instr);
}

static tg_status emit_value(tg_lowering *l, tg_node value)
{
  if (l->value_register < 0 && !tg_low_is_constant(l, value)) l->value_register = tg_low_register_new(l);
  return emit_scalar_root(l, value, &l->value_register, &l->value_register);
}

static tg_status emit_blocks(tg_lowering *l, tg_buffer_kind kind, const tg_node *nodes)
{
  for (int32_t k = 0; k < l->n; k++) {
    tg_node symbol = TG_NONE;
    int32_t buffer = -1;
    TG_TRY(tg_make_sym(l->graph, l->wrt[k], &symbol));
    TG_TRY(tg_low_buffer_add(l, kind, k, symbol, &buffer));
    TG_TRY(tg_low_into(l, nodes[k], buffer));
  }
  return TG_OK;
}

static tg_status emit_line(tg_lowering *l, const roots *r)
{
  for (int32_t k = 1; k <= l->degree; k++) {
    l->line_registers[k] = -1;
    TG_TRY(emit_scalar_root(l, r->line[k], &l->line_registers[k], &l->line_registers[k]));
  }
  return TG_OK;
}

static bool has_line(const tg_lowering *l)
{
  return l->degree >= 1 && l->degree <= TG_LINE_DEGREE_MAX;
}

static tg_status emit_programs(tg_lowering *l, const roots *r)
{
  TG_TRY(begin(l, TG_PROGRAM_VALUE, 1, &r->value));
  TG_TRY(emit_value(l, r->value));
  TG_TRY(begin(l, TG_PROGRAM_GRADIENT, l->n, r->gradient));
  TG_TRY(count_roots(l, 1, &r->value));
  TG_TRY(emit_value(l, r->value));
  TG_TRY(emit_blocks(l, TG_BUFFER_GRADIENT, r->gradient));
  if (has_line(l)) {
    TG_TRY(begin(l, TG_PROGRAM_DIRECTION, l->degree, &r->line[1]));
    TG_TRY(emit_line(l, r));
  }
  if (l->options->want_hessian) {
    TG_TRY(begin(l, TG_PROGRAM_HESSIAN, l->n, r->hessian));
    TG_TRY(emit_blocks(l, TG_BUFFER_HESSIAN, r->hessian));
  }
  return TG_OK;
}

// ---- roots ----

static tg_status direction_nodes(tg_lowering *l, tg_node *out)
{
  for (int32_t k = 0; k < l->n; k++) TG_TRY(tg_make_sym(l->graph, l->along[k], &out[k]));
  return TG_OK;
}

static tg_status find_roots(tg_lowering *l, tg_node f, roots *r)
{
  tg_node *directions = NULL;
  *r = (roots){.value = f};
  TG_TRY(TG_ARENA_NEW(&l->arena, (size_t)l->n, &directions));
  TG_TRY(TG_ARENA_NEW(&l->arena, (size_t)l->n, &r->gradient));
  TG_TRY(TG_ARENA_NEW(&l->arena, (size_t)l->n, &r->hessian));
  TG_TRY(direction_nodes(l, directions));
  TG_TRY(tg_gradient(l->graph, f, l->n, l->wrt, r->gradient));
  if (has_line(l)) TG_TRY(tg_line_polynomial(l->graph, f, l->n, l->wrt, directions, l->degree, r->line));
  for (int32_t k = 0; l->options->want_hessian && k < l->n; k++)
    TG_TRY(tg_forward(l->graph, r->gradient[k], l->n, l->wrt, directions, &r->hessian[k]));
  return TG_OK;
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

tg_status tg_low_build(tg_lowering *l, tg_node f, tg_plan **out)
{
  roots r;
  l->value_register = -1;
  l->step_register = -1;
  for (int k = 0; k <= TG_LINE_DEGREE_MAX; k++) l->line_registers[k] = -1;
  for (int32_t k = 0; k < l->n; k++) TG_TRY(bind_symbol(l, TG_BUFFER_VARIABLE, k, l->wrt[k]));
  for (int32_t k = 0; k < l->n; k++) TG_TRY(bind_symbol(l, TG_BUFFER_DIRECTION, k, l->along[k]));
  TG_TRY(find_roots(l, f, &r));
  TG_TRY(emit_programs(l, &r));
  l->step_register = tg_low_register_new(l);
  return tg_low_finish(l, out);
}
