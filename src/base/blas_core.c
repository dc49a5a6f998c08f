// The table of OpenBLAS' cores, and the choice among them.
#include "base/blas_core.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

typedef struct core_row {
  const char *name;
  int level;    // of the arithmetic: 0 what OpenBLAS falls back to, 1 SSE, 2 AVX, 3 with FMA, 4 AVX-512
  tg_cpu needs; // what its compiler may have used; 0: never proposed by us
} core_row;

enum {
  NEEDS_NEHALEM = TG_CPU_SSE3 | TG_CPU_SSSE3 | TG_CPU_SSE42 | TG_CPU_POPCNT,
  NEEDS_SANDYBRIDGE = NEEDS_NEHALEM | TG_CPU_AVX,
  NEEDS_HASWELL = NEEDS_SANDYBRIDGE | TG_CPU_AVX2 | TG_CPU_FMA,
  NEEDS_SKYLAKEX = NEEDS_HASWELL | TG_CPU_F16C | TG_CPU_BMI1 | TG_CPU_BMI2 | TG_CPU_LZCNT | TG_CPU_MOVBE |
                   TG_CPU_AVX512F | TG_CPU_AVX512DQ | TG_CPU_AVX512CD | TG_CPU_AVX512BW | TG_CPU_AVX512VL,
  NEEDS_COOPERLAKE = NEEDS_SKYLAKEX | TG_CPU_AVX512VNNI | TG_CPU_AVX512BF16,
};

// The best first. Newer cores than these are left alone wherever OpenBLAS takes them.
static const core_row rows[] = {
    {"Cooperlake", 4, NEEDS_COOPERLAKE},
    {"SkylakeX", 4, NEEDS_SKYLAKEX},
    {"Haswell", 3, NEEDS_HASWELL},
    {"Sandybridge", 2, NEEDS_SANDYBRIDGE},
    {"Nehalem", 1, NEEDS_NEHALEM},
    {"Prescott", 0, TG_CPU_SSE3},
    {"SapphireRapids", 4, 0},
    {"Zen", 3, 0},
    {"Excavator", 3, 0},
    {"Steamroller", 3, 0},
    {"Piledriver", 3, 0},
    {"Bulldozer", 2, 0},
    {"Dunnington", 1, 0},
    {"Penryn", 1, 0},
    {"Core2", 1, 0},
    {"Atom", 1, 0},
    {"Barcelona", 1, 0},
    {"Bobcat", 1, 0},
    {"Nano", 1, 0},
    {"Opteron_SSE3", 0, 0},
    {"Opteron", 0, 0},
    {"Athlon", 0, 0},
    {"Banias", 0, 0},
    {"Northwood", 0, 0},
    {"Coppermine", 0, 0},
    {"Katmai", 0, 0},
    {"Generic", 0, 0},
};

enum { N_ROWS = sizeof rows / sizeof rows[0] };

static bool is_same(const char *a, const char *b)
{
  return strcasecmp(a, b) == 0;
}

int tg_blas_core_level(const char *name)
{
  for (int k = 0; k < N_ROWS; k++)
    if (is_same(rows[k].name, name)) return rows[k].level;
  return -1;
}

static bool fits(const core_row *row, tg_cpu cpu)
{
  return row->needs != 0 && (cpu & row->needs) == row->needs;
}

bool tg_blas_core_fits(const char *name, tg_cpu cpu)
{
  for (int k = 0; k < N_ROWS; k++)
    if (is_same(rows[k].name, name)) return cpu == 0 || (cpu & rows[k].needs) == rows[k].needs;
  return true;
}

const char *tg_blas_core_best(tg_cpu cpu)
{
  for (int k = 0; k < N_ROWS; k++)
    if (fits(&rows[k], cpu)) return rows[k].name;
  return NULL;
}

// ---- the record ----

static bool copy_name(const char *begin, size_t length, char out[TG_BLAS_NAME_BYTES])
{
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  if (length >= TG_BLAS_NAME_BYTES || strspn(begin, letters) < length) return false;
  memcpy(out, begin, length);
  out[length] = '\0';
  return true;
}

bool tg_blas_record_parse(const char *text, tg_blas_record *out)
{
  *out = (tg_blas_record){0};
  if (text == NULL) return false;
  out->is_user = text[0] == '*';
  text += out->is_user;
  size_t length = strcspn(text, ",");
  if (!copy_name(text, length, out->natural)) return false;
  for (text += length; *text == ','; text += length) {
    length = strcspn(++text, ",");
    if (length < 2 || out->n_tried == TG_BLAS_TRIED_MAX) return false;
    tg_blas_tried *tried = &out->tried[out->n_tried++];
    const char verdict = text[length - 1];
    if (verdict != TG_BLAS_WRONG && verdict != TG_BLAS_ABSENT && verdict != TG_BLAS_UNFIT) return false;
    tried->verdict = (tg_blas_verdict)verdict;
    if (!copy_name(text, length - 1, tried->name)) return false;
  }
  return true;
}

void tg_blas_record_print(const tg_blas_record *record, tg_text *out)
{
  tg_text_addf(out, "%s%s", record->is_user ? "*" : "", record->natural);
  for (int k = 0; k < record->n_tried; k++)
    tg_text_addf(out, ",%s%c", record->tried[k].name, (char)record->tried[k].verdict);
}

bool tg_blas_record_find(const tg_blas_record *record, const char *name, tg_blas_verdict *verdict)
{
  for (int k = 0; k < record->n_tried; k++) {
    if (!is_same(record->tried[k].name, name)) continue;
    *verdict = record->tried[k].verdict;
    return true;
  }
  return false;
}

static bool is_tried(const tg_blas_record *record, const char *name)
{
  tg_blas_verdict verdict = TG_BLAS_WRONG;
  return tg_blas_record_find(record, name, &verdict);
}

static bool is_wrong(const tg_blas_record *record, const char *name)
{
  tg_blas_verdict verdict = TG_BLAS_WRONG;
  return tg_blas_record_find(record, name, &verdict) && verdict == TG_BLAS_WRONG;
}

static void exclude(tg_blas_record *record, const char *name, tg_blas_verdict verdict)
{
  if (is_tried(record, name) || record->n_tried == TG_BLAS_TRIED_MAX) return;
  tg_blas_tried *tried = &record->tried[record->n_tried++];
  snprintf(tried->name, sizeof tried->name, "%s", name);
  tried->verdict = verdict;
}

// ---- the choice ----

// The best core not excluded that is better than the library's own choice, or than nothing where that one is wrong.
static const char *next_core(tg_cpu cpu, const tg_blas_record *record)
{
  const bool has_natural = record->natural[0] != '\0' && !is_wrong(record, record->natural);
  const int level = has_natural ? tg_blas_core_level(record->natural) : -1;
  // A name that is not known here is that of a library which knows more processors than we do.
  if (has_natural && level < 0) return NULL;
  for (int k = 0; k < N_ROWS; k++)
    if (fits(&rows[k], cpu) && rows[k].level > level && !is_tried(record, rows[k].name)) return rows[k].name;
  return NULL;
}

// Where nothing of the table is left, the library's own choice is, once.
static tg_blas_step move_on(const tg_blas_state *state, bool from_natural, tg_blas_record *record, const char **core)
{
  if (!state->can_choose) return TG_BLAS_FAIL;
  *core = next_core(state->cpu, record);
  if (*core != NULL) return TG_BLAS_EXECUTE_AGAIN;
  const bool is_excluded = record->natural[0] != '\0' && is_wrong(record, record->natural);
  if (from_natural || is_excluded || record->n_tried == TG_BLAS_TRIED_MAX) return TG_BLAS_FAIL;
  *core = "";
  return TG_BLAS_EXECUTE_AGAIN;
}

// Asked for a core that it does not have, OpenBLAS may take any other: what the variable leads to is looked at. Its
// own choice is made by features, and left to the test.
static void exclude_unfit(const tg_blas_state *state, tg_blas_record *record)
{
  if (state->wanted == NULL) return;
  if (!tg_blas_core_fits(state->wanted, state->cpu)) exclude(record, state->wanted, TG_BLAS_UNFIT);
  if (!tg_blas_core_fits(state->loaded, state->cpu)) exclude(record, state->loaded, TG_BLAS_UNFIT);
}

static tg_blas_step begin(const tg_blas_state *state, tg_blas_record *record, const char **core)
{
  *record = (tg_blas_record){.is_user = state->wanted != NULL};
  if (!record->is_user) snprintf(record->natural, sizeof record->natural, "%s", state->loaded);
  exclude_unfit(state, record);
  if (state->is_wrong) exclude(record, state->loaded, TG_BLAS_WRONG);
  if (record->n_tried > 0) return move_on(state, !record->is_user, record, core);
  if (record->is_user || !state->can_choose) return TG_BLAS_KEEP;
  *core = next_core(state->cpu, record);
  return *core != NULL ? TG_BLAS_EXECUTE_AGAIN : TG_BLAS_KEEP;
}

tg_blas_step tg_blas_core_decide(const tg_blas_state *state, tg_blas_record *record, const char **core)
{
  *core = "";
  *record = (tg_blas_record){0};
  if (state->loaded == NULL || state->loaded[0] == '\0') return state->is_wrong ? TG_BLAS_FAIL : TG_BLAS_KEEP;
  if (state->record == NULL) return begin(state, record, core);
  *record = *state->record;
  const int before = record->n_tried;
  const bool is_natural = state->wanted == NULL;
  if (is_natural && record->natural[0] == '\0') snprintf(record->natural, sizeof record->natural, "%s", state->loaded);
  if (!is_natural && !is_same(state->loaded, state->wanted)) exclude(record, state->wanted, TG_BLAS_ABSENT);
  exclude_unfit(state, record);
  if (state->is_wrong) exclude(record, state->loaded, TG_BLAS_WRONG);
  const bool is_settled = record->n_tried == before && !state->is_wrong;
  return is_settled ? TG_BLAS_KEEP : move_on(state, is_natural, record, core);
}
