// What a job asks about its minimum.
#include "job/job_sensitivity.h"

#include <string.h>

#include "job/job_names.h"
#include "job/job_values.h"

tg_status tg_job_read_sensitivity(tg_job *job)
{
  const tg_yaml_node *list = tg_yaml_get(job->root, "sensitivity");
  tg_spec_sensitivity *out = NULL;
  int *data = NULL;
  tg_mark *marks = NULL;
  int n = 0;
  if (list == NULL) return TG_OK;
  TG_TRY(TG_ARENA_NEW(&job->arena, (size_t)list->n_items + 1, &data));
  TG_TRY(TG_ARENA_NEW(&job->arena, (size_t)list->n_items + 1, &marks));
  TG_TRY(TG_ARENA_NEW(&job->arena, (size_t)list->n_items + 1, &out));
  TG_TRY(tg_job_find_numbers(job, list, "sensitivity", data, marks, &n));
  for (int k = 0; k < n; k++)
    out[k] = (tg_spec_sensitivity){.name = job->spec.data[data[k]].name, .mark = marks[k], .datum = data[k]};
  job->spec.sensitivities = out;
  job->spec.n_sensitivities = n;
  return TG_OK;
}

tg_status tg_job_read_covariance(tg_job *job)
{
  static const char *const keys[] = {"covariance_probes", "covariance_seed"};
  int64_t numbers[] = {100, 1};
  const tg_yaml_node *node = tg_yaml_get(job->root, "covariance");
  tg_spec_covariance *out = &job->spec.covariance;
  for (int k = 0; k < 2; k++) {
    const tg_yaml_item *item = tg_yaml_find(job->root, keys[k]);
    if (item != NULL && node == NULL)
      TG_FAIL_NODE(item->key, TG_JOB, "%s belongs to covariance: diagonal, which this job does not have", keys[k]);
    if (item != NULL) tg_value_whole(item->value, &numbers[k]);
  }
  if (node == NULL) return TG_OK;
  if (strcmp(node->text, "diagonal") != 0)
    TG_FAIL_NODE(node, TG_VALUE, "covariance is diagonal, found '%.60s'", node->text);
  *out = (tg_spec_covariance){.is_asked = true, .mark = node->mark, .probes = numbers[0], .seed = (uint64_t)numbers[1]};
  return TG_OK;
}
