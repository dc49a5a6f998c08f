// The numbers of a job by which its minimum is differentiated.
#include "job/job_sensitivity.h"

#include "job/job_names.h"

tg_status tg_job_read_sensitivity(tg_job *job)
{
  const tg_yaml_node *list = tg_yaml_get(job->root, "sensitivity");
  tg_spec_sensitivity *out = NULL;
  int *data = NULL;
  int n = 0;
  if (list == NULL) return TG_OK;
  TG_TRY(TG_ARENA_NEW(&job->arena, (size_t)list->n_items + 1, &data));
  TG_TRY(TG_ARENA_NEW(&job->arena, (size_t)list->n_items + 1, &out));
  TG_TRY(tg_job_find_numbers(job, list, "sensitivity", data, &n));
  const tg_yaml_item *item = list->first;
  for (int k = 0; k < n; k++, item = item->next)
    out[k] = (tg_spec_sensitivity){.name = job->spec.data[data[k]].name, .mark = item->value->mark, .datum = data[k]};
  job->spec.sensitivities = out;
  job->spec.n_sensitivities = n;
  return TG_OK;
}
