// What report.json says of subject_to and of split kinks.
#include "report/constraints_report.h"

#include <stdio.h>

#include "base/json.h"

void tg_constraints_name_multiplier(int number, size_t room, char *out)
{
  snprintf(out, room, "multiplier.%d.npy", number);
}

// The file of its multipliers, where there is one.
static int add_file(json_t *entry, int number)
{
  char name[TG_MULTIPLIER_NAME_BYTES];
  tg_constraints_name_multiplier(number, sizeof name, name);
  return json_object_set_new(entry, "multiplier", json_string(name));
}

static json_t *list_terms(const tg_lagrangian_term *terms, int n, bool are_kinks, bool has_files)
{
  json_t *list = json_array();
  for (int k = 0; k < n && list != NULL; k++) {
    const tg_lagrangian_term *t = &terms[k];
    if (t->is_kink != are_kinks) continue;
    json_t *entry = json_pack("{s:s, s:o, s:o, s:o}", are_kinks ? "term" : "constraint", t->text,
                              are_kinks ? "residual" : "violation", tg_json_number(t->violation), "size",
                              tg_json_number(t->size), "multiplier_norm", tg_json_number(t->multiplier_norm));
    if (has_files && entry != NULL && add_file(entry, k + 1) != 0) {
      json_decref(entry);
      entry = NULL;
    }
    if (json_array_append_new(list, entry) == 0) continue;
    json_decref(list);
    list = NULL;
  }
  return list;
}

json_t *tg_constraints_report(const tg_constraints_result *result, bool has_multipliers)
{
  return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o}", "rounds", (json_int_t)result->rounds, "penalty",
                   tg_json_number(result->penalty), "multiplier_norm", tg_json_number(result->multiplier_norm),
                   "complementarity", tg_json_number(result->complementarity), "constraints",
                   list_terms(result->terms, result->n, false, has_multipliers), "split",
                   list_terms(result->terms, result->n, true, false));
}
