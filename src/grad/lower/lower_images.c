// Images of the point: found in the objective, kept as state, moved along the line instead of recomputed.
//
// Along X + tD a linear L(X) becomes L(X) + t L(D). DIRECTION computes L(D) anyway, for the line's coefficients, so
// ADVANCE has L at the new point for one pass over memory, and no program needs the products that make L(X). So does a
// product of two linear ones, X'*A*X + t (X'*A*D + D'*A*X) + t^2 D'*A*D, which is kept where it is smaller than they
// are: p x p numbers of tall X, on which the gradient and the line of a quartic are built.
#include "base/memory.h"
#include "grad/lower/lower_parts.h"

static bool is_moving(tg_lowering *l, tg_node node)
{
  return !tg_low_is_constant(l, node);
}

// Whether the node is linear and homogeneous in the variables.
// The operators listed are linear in each argument, so one moving argument that is linear itself is enough.
static bool is_linear(tg_lowering *l, tg_node node)
{
  const tg_info *info = tg_node_info(l->graph, node);
  int32_t moving = 0;
  for (int32_t i = 0; i < info->n_args; i++) {
    if (!is_moving(l, info->args[i])) continue;
    if (!is_linear(l, info->args[i])) return false;
    moving++;
  }
  switch (info->kind) {
  case TG_SYM:
    return is_moving(l, node);
  case TG_LIN:
    return moving == info->n_args;
  case TG_PROD:
  case TG_HAD:
  case TG_KRON:
  case TG_KRONL:
  case TG_KRONR:
    return moving == 1;
  case TG_TRANS:
  case TG_DIAG:
  case TG_DIAGVEC:
  case TG_VEC:
  case TG_UNVEC:
    return moving == 1;
  default:
    return false;
  }
}

// A matrix and its transpose are one image; a row of images is bounded by the memory they hold.
static tg_status add_image(tg_lowering *l, tg_node node, int32_t degree)
{
  tg_node transposed = TG_NONE;
  TG_TRY(tg_make_trans(l->graph, node, &transposed));
  for (int32_t k = 0; k < l->n_images; k++)
    if (l->images[k].point == node || l->images[k].point == transposed) return TG_OK;
  if (l->n_images == TG_LOW_IMAGES_MAX || tg_node_is_scalar(l->graph, node)) return TG_OK;
  for (int32_t k = 0; k < l->n_dropped; k++)
    if (l->dropped[k] == node || l->dropped[k] == transposed) return TG_OK;
  l->images[l->n_images++] = (tg_low_image){.point = node, .degree = degree, .state = -1, .images = {-1, -1}};
  return TG_OK;
}

// The longest run around the moving factor `at` whose other factors are constant; a cycle goes round its ends.
static tg_status add_run(tg_lowering *l, int32_t n, const tg_node *chain, int32_t at, bool cyclic)
{
  int32_t before = 0;
  int32_t after = 0;
  while (before + 1 < n && (cyclic || at > before) && !is_moving(l, chain[(at - before - 1 + n) % n])) before++;
  while (before + after + 1 < n && (cyclic || at + after + 1 < n) && !is_moving(l, chain[(at + after + 1) % n]))
    after++;
  // The variable alone is no image; a whole cycle is a scalar, whose constant part setup has already.
  if (before + after == 0 || before + after + 1 == n + (cyclic ? 0 : 1)) return TG_OK;
  tg_node *run = NULL;
  tg_node node = TG_NONE;
  TG_TRY(TG_ARENA_NEW(&l->arena, (size_t)n, &run));
  for (int32_t i = 0; i <= before + after; i++) run[i] = chain[(at - before + i + n) % n];
  TG_TRY(tg_make_prod(l->graph, before + after + 1, run, &node));
  return is_linear(l, node) ? add_image(l, node, 1) : TG_OK;
}

static int64_t entries(const tg_lowering *l, tg_node node)
{
  return tg_low_rows(l, node) * tg_low_cols(l, node);
}

// The moving factor `at`, the next one and what stands between them, where the product is smaller than either.
static tg_status add_square(tg_lowering *l, int32_t n, const tg_node *chain, int32_t at, bool cyclic)
{
  int32_t length = 1;
  while (length < n && (cyclic || at + length < n) && !is_moving(l, chain[(at + length) % n])) length++;
  if (length == n || (!cyclic && at + length == n)) return TG_OK;
  const tg_node next = chain[(at + length) % n];
  tg_node *run = NULL;
  tg_node node = TG_NONE;
  if (!is_linear(l, next)) return TG_OK;
  TG_TRY(TG_ARENA_NEW(&l->arena, (size_t)n, &run));
  for (int32_t i = 0; i <= length; i++) run[i] = chain[(at + i) % n];
  TG_TRY(tg_make_prod(l->graph, length + 1, run, &node));
  const bool is_small = entries(l, node) < entries(l, chain[at]) && entries(l, node) < entries(l, next);
  return is_small ? add_image(l, node, 2) : TG_OK;
}

static tg_status scan(tg_lowering *l, tg_node node, bool cyclic, int32_t degree)
{
  const tg_info *info = tg_node_info(l->graph, node);
  if (info->kind != TG_PROD) return TG_OK;
  const int32_t n = info->n_args - info->n_scalars;
  const tg_node *chain = info->args + info->n_scalars;
  for (int32_t i = 0; i < n; i++)
    if (is_moving(l, chain[i]) && is_linear(l, chain[i]))
      TG_TRY(degree == 1 ? add_run(l, n, chain, i, cyclic) : add_square(l, n, chain, i, cyclic));
  return TG_OK;
}

static tg_status scan_below(tg_lowering *l, tg_node root, int32_t degree)
{
  tg_status status = TG_OK;
  uint8_t *below = NULL;
  TG_TRY(TG_NEW((int64_t)root + 1, &below));
  below[root] = 1;
  for (tg_node node = root; node > TG_NONE; node--) {
    if (below[node] == 0) continue;
    const tg_info *info = tg_node_info(l->graph, node);
    const bool trace = info->kind == TG_TR;
    for (int32_t i = 0; i < info->n_args; i++)
      if (!trace) below[info->args[i]] |= 1;
    // A trace's product is a cycle, its factors are looked into all the same.
    if (trace) {
      const tg_info *argument = tg_node_info(l->graph, info->args[0]);
      TG_TRY_GOTO(scan(l, info->args[0], true, degree));
      if (argument->kind != TG_PROD) below[info->args[0]] = 1;
      for (int32_t i = 0; argument->kind == TG_PROD && i < argument->n_args; i++) below[argument->args[i]] = 1;
    } else {
      TG_TRY_GOTO(scan(l, node, tg_node_is_scalar(l->graph, node), degree));
    }
  }
done:
  tg_free(below);
  return status;
}

static tg_status find_directions(tg_lowering *l, const tg_node *directions, tg_low_image *image)
{
  tg_node line[3] = {TG_NONE};
  if (image->degree == 1) return tg_substitute(l->graph, image->point, l->n, l->wrt, directions, &image->directions[0]);
  TG_TRY(tg_line_polynomial(l->graph, image->point, l->n, l->wrt, directions, 2, line));
  for (int k = 0; k < 2; k++) image->directions[k] = line[k + 1];
  return TG_OK;
}

// The linear ones come first: the others are made of them.
tg_status tg_low_images_find(tg_lowering *l, tg_node f, const tg_node *gradient, const tg_node *directions)
{
  TG_TRY(TG_ARENA_NEW(&l->arena, (size_t)TG_LOW_IMAGES_MAX, &l->images));
  for (int32_t degree = 1; degree <= (l->variant.squares ? 2 : 1); degree++) {
    for (int32_t k = 0; k < l->n; k++) TG_TRY(scan_below(l, gradient[k], degree));
    TG_TRY(scan_below(l, f, degree));
  }
  for (int32_t k = 0; k < l->n_images; k++) TG_TRY(find_directions(l, directions, &l->images[k]));
  return TG_OK;
}

// ---- programs ----

tg_status tg_low_images_recall(tg_lowering *l)
{
  for (int32_t k = 0; k < l->n_images; k++) {
    const tg_low_value value = {l->images[k].state, false, tg_coef_number(1)};
    TG_TRY(tg_low_remember(l, l->images[k].point, value));
  }
  return TG_OK;
}

tg_status tg_low_images_refresh(tg_lowering *l)
{
  for (int32_t k = 0; k < l->n_images; k++) {
    tg_low_image *image = &l->images[k];
    TG_TRY(tg_low_buffer_add(l, TG_BUFFER_STATE, -1, image->point, &image->state));
    TG_TRY(tg_low_into(l, image->point, image->state));
    TG_TRY(tg_low_remember(l, image->point, (tg_low_value){image->state, false, tg_coef_number(1)}));
  }
  return TG_OK;
}

// The images of D come first in their program: the line's coefficients then find them as they find any product.
tg_status tg_low_images_direction(tg_lowering *l)
{
  for (int32_t k = 0; k < l->n_images; k++) {
    tg_low_image *image = &l->images[k];
    for (int32_t j = 0; j < image->degree; j++) {
      const tg_node direction = image->directions[j];
      TG_TRY(tg_low_buffer_add(l, TG_BUFFER_STATE, -1, direction, &image->images[j]));
      TG_TRY(tg_low_into(l, direction, image->images[j]));
      TG_TRY(tg_low_remember(l, direction, (tg_low_value){image->images[j], false, tg_coef_number(1)}));
    }
  }
  return TG_OK;
}

// r = t^2
static tg_status square_step(tg_lowering *l, int32_t *out)
{
  const tg_code code[2] = {{.op = TG_CODE_REG, .operand = l->step_register}, {.op = TG_CODE_SQUARE}};
  if (*out >= 0) return TG_OK;
  *out = tg_low_register_new(l);
  tg_instr instr = tg_instr_make(TG_OP_SCALAR, *out);
  instr.n_code = 2;
  instr.code = code;
  return tg_low_append(l, &instr);
}

tg_status tg_low_images_advance(tg_lowering *l)
{
  int32_t squared = -1;
  for (int32_t k = 0; k < l->n_images; k++) {
    const tg_low_image *image = &l->images[k];
    if (image->degree == 2) TG_TRY(square_step(l, &squared));
    const int32_t in[3] = {image->state, image->images[0], image->images[1]};
    const tg_coef coefs[3] = {tg_coef_number(1), tg_coef_register(1, l->step_register), tg_coef_register(1, squared)};
    tg_instr instr = tg_instr_make(TG_OP_LINCOMB, image->state);
    instr.n_in = 1 + image->degree;
    instr.in = in;
    instr.coefs = coefs;
    TG_TRY(tg_low_append(l, &instr));
  }
  return TG_OK;
}

// ---- which of them earn their keep ----

static bool reads(const tg_lowering *l, tg_program_id program, int32_t buffer)
{
  const tg_instr *instrs = l->programs[program].items;
  for (int64_t k = 0; k < l->programs[program].count; k++)
    for (int32_t i = 0; i < instrs[k].n_in; i++)
      if (instrs[k].in[i] == buffer) return true;
  return false;
}

int32_t tg_low_images_idle(const tg_lowering *l)
{
  for (int32_t k = 0; k < l->n_images; k++) {
    const int32_t state = l->images[k].state;
    if (!reads(l, TG_PROGRAM_VALUE, state) && !reads(l, TG_PROGRAM_GRADIENT, state) &&
        !reads(l, TG_PROGRAM_DIRECTION, state) && !reads(l, TG_PROGRAM_HESSIAN, state))
      return k;
  }
  return -1;
}
