// What an augmented Lagrangian came to.
#include "engine/run/constraints_result.h"

#include <string.h>

#include "base/memory.h"
#include "engine/checkpoint/manifest.h"

static tg_status create(int n, tg_constraints_result **out)
{
  *out = NULL;
  tg_constraints_result *result = NULL;
  TG_TRY(TG_NEW(1, &result));
  result->n = n;
  const tg_status status = TG_NEW(n, &result->terms);
  if (status != TG_OK) {
    tg_constraints_result_destroy(&result);
    return tg_error_pass(status, TG_HERE);
  }
  *out = result;
  return TG_OK;
}

tg_status tg_constraints_result_create(const tg_lagrangian *lagrangian, const tg_constraints *constraints,
                                       const opt_lagrangian_report *report, tg_constraints_result **out)
{
  TG_TRY(create(constraints->n, out));
  (*out)->rounds = report->rounds;
  (*out)->penalty = report->penalty;
  (*out)->multiplier_norm = report->multiplier_norm;
  (*out)->complementarity = report->complementarity;
  tg_lagrangian_terms(lagrangian, (*out)->terms);
  return TG_OK;
}

tg_status tg_constraints_result_copy(const tg_constraints_result *from, tg_constraints_result **out)
{
  TG_TRY(create(from->n, out));
  tg_lagrangian_term *terms = (*out)->terms;
  **out = *from;
  (*out)->terms = terms;
  if (from->n > 0) memcpy(terms, from->terms, (size_t)from->n * sizeof *terms);
  return TG_OK;
}

void tg_constraints_result_destroy(tg_constraints_result **result)
{
  if (*result == NULL) return;
  tg_free((*result)->terms);
  tg_free(*result);
  *result = NULL;
}

// ---- checkpoints ----

json_t *tg_constraints_result_pack(const tg_constraints_result *r)
{
  json_t *terms = json_array();
  for (int k = 0; k < r->n && terms != NULL; k++) {
    const tg_lagrangian_term *t = &r->terms[k];
    json_array_append_new(terms, json_pack("[o, o, o]", tg_exact_number(t->violation), tg_exact_number(t->size),
                                           tg_exact_number(t->multiplier_norm)));
  }
  return json_pack("{s:I, s:o, s:o, s:o, s:o}", "rounds", (json_int_t)r->rounds, "penalty", tg_exact_number(r->penalty),
                   "multiplier_norm", tg_exact_number(r->multiplier_norm), "complementarity",
                   tg_exact_number(r->complementarity), "terms", terms);
}

static bool read_term(const json_t *entry, tg_lagrangian_term *out)
{
  return tg_exact_read(json_array_get(entry, 0), &out->violation) &&
         tg_exact_read(json_array_get(entry, 1), &out->size) &&
         tg_exact_read(json_array_get(entry, 2), &out->multiplier_norm);
}

static bool read_all(const json_t *object, const tg_constraints *constraints, tg_constraints_result *out)
{
  const json_t *terms = json_object_get(object, "terms");
  out->rounds = json_integer_value(json_object_get(object, "rounds"));
  bool reads = json_array_size(terms) == (size_t)constraints->n &&
               tg_exact_read(json_object_get(object, "penalty"), &out->penalty) &&
               tg_exact_read(json_object_get(object, "multiplier_norm"), &out->multiplier_norm) &&
               tg_exact_read(json_object_get(object, "complementarity"), &out->complementarity);
  for (int k = 0; k < constraints->n && reads; k++) {
    out->terms[k] = (tg_lagrangian_term){.text = constraints->terms[k].text, .is_kink = constraints->terms[k].is_kink};
    reads = read_term(json_array_get(terms, (size_t)k), &out->terms[k]);
  }
  return reads;
}

tg_status tg_constraints_result_read(const json_t *object, const tg_constraints *constraints,
                                     tg_constraints_result **out)
{
  TG_TRY(create(constraints->n, out));
  if (read_all(object, constraints, *out)) return TG_OK;
  tg_constraints_result_destroy(out);
  TG_FAIL(TG_DATA, "the constraints of the best attempt do not read");
}
