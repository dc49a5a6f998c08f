// The keys of tune.
#include "job/job_tune.h"

#include "job/job_names.h"
#include "job/job_values.h"

static tg_status read_range(const tg_yaml_node *node, tg_tune *tune)
{
  const tg_yaml_node *smallest = tg_yaml_get(node, "smallest");
  const tg_yaml_node *largest = tg_yaml_get(node, "largest");
  if (smallest != NULL) tg_value_number(smallest, &tune->smallest);
  if (largest != NULL) tg_value_number(largest, &tune->largest);
  if (smallest != NULL && largest != NULL && !(tune->smallest < tune->largest))
    TG_FAIL_NODE(largest, TG_VALUE, "tune: largest is %g, expected more than smallest, %g", tune->largest,
                 tune->smallest);
  return TG_OK;
}

static tg_status read_numbers(tg_job *job, const tg_yaml_node *node, tg_tune *tune)
{
  const tg_yaml_node *over = tg_yaml_get(node, "over");
  int *data = NULL;
  tg_mark *marks = NULL;
  if (over == NULL) TG_FAIL_NODE(node, TG_JOB, "tune: needs over:, the numbers that are found, such as [lambda]");
  if (over->n_items > TG_TUNE_MAX)
    TG_FAIL_NODE(over, TG_LIMIT, "tune: %d numbers, expected at most %d", over->n_items, TG_TUNE_MAX);
  TG_TRY(TG_ARENA_NEW(&job->arena, (size_t)over->n_items + 1, &data));
  TG_TRY(TG_ARENA_NEW(&job->arena, (size_t)over->n_items + 1, &marks));
  TG_TRY(tg_job_find_numbers(job, over, "tune", data, marks, &tune->n));
  for (int k = 0; k < tune->n; k++) {
    const tg_spec_data *datum = &job->spec.data[data[k]];
    if (!(datum->number > 0))
      TG_FAIL_MARK(TG_VALUE, marks[k],
                   "tune: %s is %g, expected a positive number to begin with: it is found on a logarithmic scale",
                   datum->name, datum->number);
    if ((tune->smallest > 0 && datum->number < tune->smallest) || (tune->largest > 0 && datum->number > tune->largest))
      TG_FAIL_MARK(TG_VALUE, marks[k], "tune: %s begins with %g, outside of smallest and largest", datum->name,
                   datum->number);
  }
  tune->data = data;
  tune->marks = marks;
  return TG_OK;
}

static tg_status read_score(tg_job *job, const tg_yaml_node *node, tg_tune *tune)
{
  const tg_yaml_node *score = tg_yaml_get(node, "score");
  if (job->spec.folds != NULL) {
    if (score != NULL) TG_FAIL_NODE(score, TG_JOB, "tune: with folds the score is that of folds:, found another one");
    tune->score = job->spec.folds->score;
    return TG_OK;
  }
  if (score == NULL)
    TG_FAIL_NODE(node, TG_JOB,
                 "tune: needs score:, such as \"sumsq(V - U*W)/sumsq(V)\" on data that are not fitted to, or folds:");
  return tg_job_excerpt(job, score, &tune->score);
}

// A fit leaves nothing but its score, and is made again rather than gone on with.
static tg_status refuse_others(const tg_job *job)
{
  static const char *const keys[] = {"sweep", "keep", "sweep_start", "sweep_groups", "sweep_limit", "checkpoint"};
  return tg_job_refuse_keys(job, keys, sizeof keys / sizeof keys[0], "does not go with tune");
}

tg_status tg_job_read_tune(tg_job *job)
{
  const tg_yaml_item *item = tg_yaml_find(job->root, "tune");
  const tg_yaml_node *node = tg_yaml_get(job->root, "tune");
  const tg_yaml_node *most = tg_yaml_get(node, "evaluations");
  const tg_yaml_node *tolerance = tg_yaml_get(node, "tolerance");
  tg_tune *tune = NULL;
  int64_t evaluations = TG_TUNE_EVALUATIONS;
  if (node == NULL || node->kind != TG_YAML_MAPPING) return TG_OK;
  TG_TRY(refuse_others(job));
  TG_TRY(TG_ARENA_NEW(&job->arena, 1, &tune));
  *tune = (tg_tune){.mark = item->key->mark, .tolerance = 1e-6};
  if (most != NULL) tg_value_whole(most, &evaluations);
  if (tolerance != NULL) tg_value_number(tolerance, &tune->tolerance);
  tune->evaluations = (int)evaluations;
  TG_TRY(read_range(node, tune));
  TG_TRY(read_numbers(job, node, tune));
  TG_TRY(read_score(job, node, tune));
  job->spec.tune = tune;
  return TG_OK;
}
