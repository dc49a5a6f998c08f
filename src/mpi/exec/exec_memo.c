// What SETUP need not make, because another plan has: keys of its results, and the instructions that are left.
#include "base/memory.h"
#include "mpi/exec/exec_parts.h"

// Keys of everything that stands at one place of a program.
typedef struct keys {
  tg_memo_key *buffers;
  tg_memo_key *registers;
  tg_memo_key *factors;
  bool *is_heavy; // by buffer: a product or a factorisation stands behind it
  bool *is_heavy_factor;
} keys;

static void fini(keys *k)
{
  tg_free(k->buffers);
  tg_free(k->registers);
  tg_free(k->factors);
  tg_free(k->is_heavy);
  tg_free(k->is_heavy_factor);
}

// sources: by position in plan->data.
static tg_status init(const tg_plan *plan, const tg_memo_key *sources, keys *out)
{
  *out = (keys){NULL, NULL, NULL, NULL, NULL};
  TG_TRY(TG_NEW(plan->n_buffers, &out->buffers));
  TG_TRY(TG_NEW(plan->n_registers, &out->registers));
  TG_TRY(TG_NEW(plan->n_factors, &out->factors));
  TG_TRY(TG_NEW(plan->n_buffers, &out->is_heavy));
  TG_TRY(TG_NEW(plan->n_factors, &out->is_heavy_factor));
  for (int32_t b = 0; b < plan->n_buffers; b++)
    if (plan->buffers[b].kind == TG_BUFFER_DATA) out->buffers[b] = sources[plan->buffers[b].index];
  for (int32_t r = 0; r < plan->n_registers; r++) out->registers[r] = (tg_memo_key){.is_known = true};
  for (int32_t k = 0; k < plan->n_inits; k++)
    out->registers[plan->inits[k].reg] = tg_memo_mix_double((tg_memo_key){.is_known = true}, plan->inits[k].value);
  return TG_OK;
}

static tg_status init_exec(const tg_exec *exec, keys *out)
{
  const tg_plan *plan = exec->plan;
  tg_memo_key *sources = NULL;
  *out = (keys){NULL, NULL, NULL, NULL, NULL};
  TG_TRY(TG_NEW(plan->n_data, &sources));
  for (int32_t b = 0; b < plan->n_buffers; b++)
    if (plan->buffers[b].kind == TG_BUFFER_DATA)
      sources[plan->buffers[b].index] = tg_memo_source(exec->settings.memo, exec->buffers[b]);
  const tg_status status = init(plan, sources, out);
  tg_free(sources);
  return status;
}

// ---- the key of a result ----

static tg_memo_key mix_coef(tg_memo_key key, const keys *k, tg_coef coef)
{
  key = tg_memo_mix_double(key, coef.value);
  return coef.reg >= 0 ? tg_memo_mix_key(key, k->registers[coef.reg]) : tg_memo_mix(key, 0);
}

static tg_memo_key mix_code(tg_memo_key key, const keys *k, const tg_instr *instr)
{
  for (int32_t i = 0; i < instr->n_code; i++) {
    const tg_code *code = &instr->code[i];
    key = tg_memo_mix(key, (uint64_t)code->op);
    if (code->op == TG_CODE_REG)
      key = tg_memo_mix_key(key, k->registers[code->operand]);
    else
      key = tg_memo_mix_double(tg_memo_mix(key, (uint64_t)(int64_t)code->operand), code->value);
  }
  return key;
}

static tg_memo_key key_of(const tg_plan *plan, const keys *k, const tg_instr *instr)
{
  const tg_opcode_info *traits = tg_opcode_traits(instr->op);
  tg_memo_key key = tg_memo_mix((tg_memo_key){.is_known = true}, (uint64_t)instr->op);
  for (int32_t i = 0; i < instr->n_in; i++) key = tg_memo_mix_key(key, k->buffers[instr->in[i]]);
  for (int32_t i = 0; instr->op == TG_OP_LINCOMB && i < instr->n_in; i++) key = mix_coef(key, k, instr->coefs[i]);
  if (traits->uses_alpha) key = mix_coef(key, k, instr->alpha);
  key = tg_memo_mix_double(key, instr->beta);
  if (instr->beta != 0) key = tg_memo_mix_key(key, k->buffers[instr->out]);
  if (traits->uses_factor) key = tg_memo_mix_key(key, k->factors[instr->factor]);
  for (int i = 0; i < 2; i++) {
    key = tg_memo_mix(key, (uint64_t)instr->trans[i] | (uint64_t)instr->symmetric[i] << 1);
    key = tg_memo_mix(key, (uint64_t)instr->dims[i]);
  }
  key = tg_memo_mix(key, instr->right ? 1 : 0);
  if (traits->result == TG_RESULT_BUFFER) {
    key = tg_memo_mix(key, (uint64_t)plan->buffers[instr->out].rows);
    key = tg_memo_mix(key, (uint64_t)plan->buffers[instr->out].cols);
  }
  return mix_code(key, k, instr);
}

static bool is_heavy(const keys *k, const tg_instr *instr)
{
  bool heavy = tg_instr_is_product(instr) || tg_opcode_traits(instr->op)->uses_factor || instr->op == TG_OP_CHOLESKY ||
               instr->op == TG_OP_LU;
  for (int32_t i = 0; i < instr->n_in; i++) heavy = heavy || k->is_heavy[instr->in[i]];
  return heavy;
}

static void walk(const tg_plan *plan, tg_program_id program, keys *k)
{
  const tg_program *steps = &plan->programs[program];
  for (int32_t i = 0; i < steps->n_instrs; i++) {
    const tg_instr *instr = &steps->instrs[i];
    const tg_memo_key key = key_of(plan, k, instr);
    switch (tg_opcode_traits(instr->op)->result) {
    case TG_RESULT_BUFFER:
      k->is_heavy[instr->out] = is_heavy(k, instr) || (instr->beta != 0 && k->is_heavy[instr->out]);
      k->buffers[instr->out] = key;
      break;
    case TG_RESULT_REGISTER:
      k->registers[instr->out] = key;
      break;
    case TG_RESULT_FACTOR:
      k->factors[instr->out] = key;
      break;
    }
  }
}

// ---- what is left to do ----

// Whether something in SETUP reads the buffer before it has its final content: then it is made as the plan says.
static bool is_read_early(const tg_program *setup, int32_t buffer)
{
  int32_t last = -1;
  for (int32_t i = 0; i < setup->n_instrs; i++)
    if (tg_opcode_traits(setup->instrs[i].op)->result == TG_RESULT_BUFFER && setup->instrs[i].out == buffer) last = i;
  for (int32_t i = 0; i < last; i++)
    for (int32_t j = 0; j < setup->instrs[i].n_in; j++)
      if (setup->instrs[i].in[j] == buffer && setup->instrs[i].out != buffer) return true;
  return false;
}

// Backwards from what other programs may read: constants that are not there, registers and factors.
static void mark_needed(tg_exec *exec, bool *is_live)
{
  const tg_program *setup = &exec->plan->programs[TG_PROGRAM_SETUP];
  for (int32_t b = 0; b < exec->plan->n_buffers; b++)
    is_live[b] = exec->plan->buffers[b].kind == TG_BUFFER_CONSTANT && !exec->is_found[b];
  for (int32_t i = setup->n_instrs - 1; i >= 0; i--) {
    const tg_instr *instr = &setup->instrs[i];
    const bool fills = tg_opcode_traits(instr->op)->result == TG_RESULT_BUFFER;
    exec->is_needed[i] = !fills || is_live[instr->out];
    if (!exec->is_needed[i]) continue;
    if (fills && instr->beta == 0) is_live[instr->out] = false;
    for (int32_t j = 0; j < instr->n_in; j++) is_live[instr->in[j]] = !exec->is_found[instr->in[j]];
  }
}

static tg_status find_all(tg_exec *exec, keys *k, bool *is_live)
{
  const tg_plan *plan = exec->plan;
  TG_TRY(TG_ARENA_NEW(&exec->arena, (size_t)plan->n_buffers + 1, &exec->keys));
  TG_TRY(TG_ARENA_NEW(&exec->arena, (size_t)plan->n_buffers + 1, &exec->is_found));
  TG_TRY(TG_ARENA_NEW(&exec->arena, (size_t)plan->programs[TG_PROGRAM_SETUP].n_instrs + 1, &exec->is_needed));
  walk(plan, TG_PROGRAM_SETUP, k);
  for (int32_t b = 0; b < plan->n_buffers; b++) {
    if (plan->buffers[b].kind != TG_BUFFER_CONSTANT || !k->is_heavy[b]) continue;
    if (is_read_early(&plan->programs[TG_PROGRAM_SETUP], b)) continue;
    exec->keys[b] = k->buffers[b];
    tg_dmat *made = tg_memo_find(exec->settings.memo, k->buffers[b]);
    if (made == NULL) continue;
    tg_dmat_destroy(&exec->storages[plan->buffers[b].storage]);
    exec->storages[plan->buffers[b].storage] = exec->buffers[b] = made;
    exec->is_found[b] = true;
  }
  mark_needed(exec, is_live);
  return TG_OK;
}

tg_status tg_exec_recall(tg_exec *exec)
{
  keys k;
  bool *is_live = NULL;
  if (exec->settings.memo == NULL) return TG_OK;
  tg_status status = init_exec(exec, &k);
  if (status == TG_OK) status = TG_NEW(exec->plan->n_buffers, &is_live);
  if (status == TG_OK) status = find_all(exec, &k, is_live);
  tg_free(is_live);
  fini(&k);
  return status;
}

tg_status tg_exec_remember(tg_exec *exec)
{
  for (int32_t b = 0; exec->settings.memo != NULL && b < exec->plan->n_buffers; b++)
    if (exec->keys[b].is_known && !exec->is_found[b])
      TG_TRY(tg_memo_keep(exec->settings.memo, exec->keys[b], exec->plan->buffers[b].name, exec->buffers[b], 0, NULL));
  return TG_OK;
}

tg_status tg_exec_gradient_key(const tg_exec *exec, int32_t block, tg_memo_key *out)
{
  keys k;
  const int32_t buffer = tg_plan_find_buffer(exec->plan, TG_BUFFER_GRADIENT, block);
  *out = (tg_memo_key){.is_known = false};
  if (exec->settings.memo == NULL || buffer < 0) return TG_OK;
  const tg_status status = init_exec(exec, &k);
  if (status == TG_OK) {
    walk(exec->plan, TG_PROGRAM_SETUP, &k);
    walk(exec->plan, TG_PROGRAM_GRADIENT, &k);
    *out = k.buffers[buffer];
  }
  fini(&k);
  return status;
}

tg_status tg_exec_plain_key(const tg_exec *exec, const tg_instr *instr, tg_memo_key *out)
{
  keys k;
  tg_instr plain = *instr;
  plain.alpha = (tg_coef){.value = 1, .reg = -1};
  plain.beta = 0;
  *out = (tg_memo_key){.is_known = false};
  const tg_status status = init_exec(exec, &k);
  if (status == TG_OK) *out = key_of(exec->plan, &k, &plain);
  fini(&k);
  return status;
}

tg_status tg_memo_plan_keys(const tg_plan *plan, tg_memo_key *out)
{
  keys k;
  tg_memo_key *sources = NULL;
  TG_TRY(TG_NEW(plan->n_data, &sources));
  for (int32_t d = 0; d < plan->n_data; d++) {
    sources[d].is_known = true;
    for (const char *c = plan->data[d].name; *c != '\0'; c++) sources[d] = tg_memo_mix(sources[d], (uint64_t)*c);
  }
  const tg_status status = init(plan, sources, &k);
  if (status == TG_OK) walk(plan, TG_PROGRAM_SETUP, &k);
  for (int32_t b = 0; b < plan->n_buffers && status == TG_OK; b++) {
    const bool counts = plan->buffers[b].kind == TG_BUFFER_CONSTANT && k.is_heavy[b];
    out[b] = counts ? k.buffers[b] : (tg_memo_key){.is_known = false};
  }
  fini(&k);
  tg_free(sources);
  return status;
}
