// The comparison of two values entry by entry, within what rounding explains, over several points.
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "derive/claim_parts.h"

// Agreement tells something where rounding leaves so many digits; a difference counts when it is so far outside.
#define TELLING_BOUND    1e-5
#define ZERO_BOUND       1e-9
#define CLEAR_DIFFERENCE 100.0
enum { TELLING_POINTS = 4 };

tg_status tg_claim_tally_init(int64_t rows, int64_t cols, tg_claim_tally *out)
{
  *out = (tg_claim_tally){.rows = rows, .cols = cols};
  TG_TRY(TG_NEW(rows * cols, &out->telling));
  return TG_NEW(rows * cols, &out->is_nonzero);
}

void tg_claim_tally_fini(tg_claim_tally *tally)
{
  tg_free(tally->telling);
  tg_free(tally->is_nonzero);
}

static double largest(int64_t count, const double *x)
{
  double most = 0.0;
  for (int64_t i = 0; i < count; i++) most = fmax(most, fabs(x[i]));
  return most;
}

static bool is_finite(int64_t count, const tg_claim_value *value)
{
  bool all = true;
  for (int64_t i = 0; all && i < count; i++) all = isfinite(value->entries[i]) && isfinite(value->bounds[i]);
  return all;
}

// The entry that the relation expects of the claim, and its bound.
static double expected_entry(const tg_claim_tally *tally, tg_claim_relation relation, const tg_claim_value *derived,
                             int64_t k, double *bound)
{
  const int64_t m = tally->rows;
  const int64_t mirror = relation == TG_CLAIM_EQUAL || relation == TG_CLAIM_MULTIPLE ? k : k / m + k % m * m;
  const double g = derived->entries[k];
  const double h = derived->entries[mirror];
  *bound = derived->bounds[k] + derived->bounds[mirror];
  switch (relation) {
  case TG_CLAIM_MULTIPLE:
    *bound = fabs(tally->ratio) * (derived->bounds[k] + 1e-10 * fabs(g));
    return tally->ratio * g;
  case TG_CLAIM_TRANSPOSE:
    return h;
  case TG_CLAIM_CONVENTION:
    return k == mirror ? g : g + h;
  case TG_CLAIM_SYMMETRIZED:
    return (g + h) / 2.0;
  default:
    *bound = derived->bounds[k];
    return g;
  }
}

typedef enum match { MATCH_NOTHING, MATCH_TELLS, MATCH_ZERO, MATCH_UNCLEAR, MATCH_DIFFERENT } match;

static match compare_entry(double claimed, double expected, double bound, double scale)
{
  const double size = fmax(fabs(claimed), fabs(expected));
  const double room = bound + 64.0 * DBL_EPSILON * size + 16.0 * DBL_EPSILON * scale;
  const double difference = fabs(claimed - expected);
  if (difference > CLEAR_DIFFERENCE * room) return MATCH_DIFFERENT;
  if (difference > room) return MATCH_UNCLEAR;
  if (room <= TELLING_BOUND * size) return MATCH_TELLS;
  return size <= room && room <= ZERO_BOUND * scale ? MATCH_ZERO
         : size == 0.0 && room == 0.0               ? MATCH_ZERO
                                                    : MATCH_NOTHING;
}

static void keep_counterexample(tg_claim_tally *tally, int64_t k, double claimed, double derived)
{
  const double shown = fabs(tally->claimed - tally->derived) / fmax(fabs(tally->claimed), fabs(tally->derived));
  const double here = fabs(claimed - derived) / fmax(fabs(claimed), fabs(derived));
  if (tally->has_counterexample && here <= 2.0 * shown) return;
  tally->has_counterexample = true;
  tally->row = k % tally->rows;
  tally->col = k / tally->rows;
  tally->claimed = claimed;
  tally->derived = derived;
}

// c of claim = c * derivative, at the entry where the derivative is largest against its rounding.
static void find_ratio(tg_claim_tally *tally, const tg_claim_value *claimed, const tg_claim_value *derived)
{
  const int64_t count = tally->rows * tally->cols;
  int64_t best = 0;
  for (int64_t k = 1; k < count; k++)
    if (fabs(derived->entries[k]) > fabs(derived->entries[best])) best = k;
  const double g = derived->entries[best];
  if (!(derived->bounds[best] <= 1e-11 * fabs(g)) || !(claimed->bounds[best] <= 1e-11 * fabs(claimed->entries[best])))
    return;
  tally->ratio = claimed->entries[best] / g;
}

static void add_relation(tg_claim_tally *tally, tg_claim_relation relation, const tg_claim_value *claimed,
                         const tg_claim_value *derived, double scale)
{
  const int64_t count = tally->rows * tally->cols;
  bool all = true;
  bool tells = false;
  if (relation > TG_CLAIM_MULTIPLE && (tally->rows != tally->cols || tally->rows == 1)) return;
  if (relation == TG_CLAIM_MULTIPLE && tally->ratio == 0.0) find_ratio(tally, claimed, derived);
  if (relation == TG_CLAIM_MULTIPLE && tally->ratio == 0.0) return;
  for (int64_t k = 0; k < count; k++) {
    double bound = 0.0;
    const double expected = expected_entry(tally, relation, derived, k, &bound);
    const match found = compare_entry(claimed->entries[k], expected, bound + claimed->bounds[k], scale);
    if (found == MATCH_DIFFERENT) tally->differs[relation] = true;
    if (found == MATCH_DIFFERENT && relation == TG_CLAIM_EQUAL)
      keep_counterexample(tally, k, claimed->entries[k], expected);
    tally->is_unclear = tally->is_unclear || (relation == TG_CLAIM_EQUAL && found == MATCH_UNCLEAR);
    all = all && (found == MATCH_TELLS || found == MATCH_ZERO || found == MATCH_NOTHING);
    tells = tells || found == MATCH_TELLS;
    if (relation != TG_CLAIM_EQUAL || (found != MATCH_TELLS && found != MATCH_ZERO)) continue;
    tally->telling[k]++;
    tally->is_nonzero[k] = tally->is_nonzero[k] || found == MATCH_TELLS;
  }
  tally->holds[relation] += all && tells;
}

void tg_claim_tally_add(tg_claim_tally *tally, const tg_claim_value *claimed, const tg_claim_value *derived)
{
  const int64_t count = tally->rows * tally->cols;
  if (!is_finite(count, derived) || !is_finite(count, claimed)) return;
  const double scale = fmax(largest(count, claimed->entries), largest(count, derived->entries));
  for (int relation = 0; relation < TG_CLAIM_RELATIONS; relation++)
    add_relation(tally, (tg_claim_relation)relation, claimed, derived, scale);
}

void tg_claim_tally_add_undefined(tg_claim_tally *tally, const tg_claim_value *claimed, const tg_claim_value *derived)
{
  const int64_t count = tally->rows * tally->cols;
  if (tally->has_counterexample || !is_finite(count, derived)) return;
  for (int64_t k = 0; k < count && !tally->has_counterexample; k++) {
    if (!isnan(claimed->entries[k])) continue;
    tally->has_counterexample = true;
    tally->row = k % tally->rows;
    tally->col = k / tally->rows;
    tally->claimed = claimed->entries[k];
    tally->derived = derived->entries[k];
  }
}

bool tg_claim_tally_is_equal(const tg_claim_tally *tally)
{
  bool all = true;
  bool any = false;
  for (int64_t k = 0; all && k < tally->rows * tally->cols; k++) {
    all = tally->telling[k] >= TELLING_POINTS;
    any = any || tally->is_nonzero[k];
  }
  return all && any && !tally->is_unclear && !tally->has_counterexample;
}
