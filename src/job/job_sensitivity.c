// The numbers of a job by which its minimum is differentiated.
#include "job/job_sensitivity.h"

#include <string.h>

#include "grad/text/names.h"
#include "job/job_values.h"

enum { CANDIDATES_MAX = 64 };

static tg_status unknown_name(const tg_job *job, const tg_yaml_node *word, const char *name)
{
  const char *candidates[CANDIDATES_MAX];
  int n = 0;
  for (int k = 0; k < job->spec.n_data && n < CANDIDATES_MAX; k++)
    if (job->spec.data[k].source == TG_SOURCE_NUMBER) candidates[n++] = job->spec.data[k].name;
  const char *nearest = tg_nearest_word(name, candidates, (size_t)n);
  if (nearest == NULL && tg_spec_find_variable(&job->spec, name) >= 0)
    TG_FAIL_NODE(word, TG_NAME, "sensitivity: %s is a variable, expected the name of a number of data:", name);
  if (nearest == NULL && strncmp(name, "solver.", 7) == 0)
    TG_FAIL_NODE(word, TG_NAME,
                 "sensitivity: %.60s is an option of the solver, which does not move the minimum; expected the name of "
                 "a number of data:",
                 name);
  if (nearest == NULL && strncmp(name, "variables.", 10) == 0)
    TG_FAIL_NODE(word, TG_NAME,
                 "sensitivity: %.60s is a size or a start, by which nothing is differentiated; expected the name of a "
                 "number of data:",
                 name);
  TG_FAIL_NODE(word, TG_NAME, "sensitivity: '%.60s' is no number of data:%s%s%s", name,
               nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
}

static tg_status read_number(const tg_job *job, const tg_yaml_node *word, const tg_spec_sensitivity *before, int n,
                             tg_spec_sensitivity *out)
{
  const char *name = strncmp(word->text, "data.", 5) == 0 ? word->text + 5 : word->text;
  const int datum = tg_spec_find_data(&job->spec, name);
  if (datum < 0) return unknown_name(job, word, name);
  if (job->spec.data[datum].source != TG_SOURCE_NUMBER)
    TG_FAIL_NODE(word, TG_VALUE, "sensitivity: %s is a matrix, expected the name of a number", name);
  for (int k = 0; k < n; k++)
    if (before[k].datum == datum) TG_FAIL_NODE(word, TG_JOB, "sensitivity: %s is named twice", name);
  *out = (tg_spec_sensitivity){.name = job->spec.data[datum].name, .mark = word->mark, .datum = datum};
  return TG_OK;
}

tg_status tg_job_read_sensitivity(tg_job *job)
{
  const tg_yaml_node *list = tg_yaml_get(job->root, "sensitivity");
  tg_spec_sensitivity *out = NULL;
  int n = 0;
  if (list == NULL) return TG_OK;
  if (list->n_items == 0) TG_FAIL_NODE(list, TG_VALUE, "sensitivity: is empty; write sensitivity: [lambda]");
  TG_TRY(TG_ARENA_NEW(&job->arena, (size_t)list->n_items, &out));
  for (const tg_yaml_item *item = list->first; item != NULL; item = item->next) {
    const tg_status status = read_number(job, item->value, out, n, &out[n]);
    n += status == TG_OK;
    TG_TRY(tg_errors_take(&job->errors, status));
  }
  job->spec.sensitivities = out;
  job->spec.n_sensitivities = n;
  return TG_OK;
}
