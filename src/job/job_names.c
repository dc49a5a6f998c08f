// Names of data that keys of a job refer to.
#include "job/job_names.h"

#include <string.h>

#include "grad/text/names.h"

enum { CANDIDATES_MAX = 64 };

static const char a_number[] = "the name of a number of data";

// The nearest name among numbers or among matrices; NULL: none is near.
static const char *nearest_datum(const tg_job *job, const char *name, bool is_number)
{
  const char *candidates[CANDIDATES_MAX];
  int n = 0;
  for (int k = 0; k < job->spec.n_data && n < CANDIDATES_MAX; k++)
    if ((job->spec.data[k].source == TG_SOURCE_NUMBER) == is_number) candidates[n++] = job->spec.data[k].name;
  return tg_nearest_word(name, candidates, (size_t)n);
}

static tg_status unknown_number(const tg_job *job, const tg_yaml_node *word, const char *key, const char *name,
                                const char *expected)
{
  const char *nearest = nearest_datum(job, name, true);
  if (nearest != NULL)
    TG_FAIL_NODE(word, TG_NAME, "%s: '%.60s' is no number of data; did you mean '%s'?", key, name, nearest);
  const char *what = "no number of data";
  if (tg_spec_find_variable(&job->spec, name) >= 0)
    what = "a variable";
  else if (strncmp(name, "solver.", 7) == 0)
    what = "an option of the solver";
  else if (strncmp(name, "variables.", 10) == 0)
    what = "a size or a start";
  TG_FAIL_NODE(word, TG_NAME, "%s: '%.60s' is %s, expected %s", key, name, what, expected);
}

tg_status tg_job_find_number(const tg_job *job, const tg_yaml_node *word, const char *key, const char *expected,
                             int *out)
{
  const char *name = strncmp(word->text, "data.", 5) == 0 ? word->text + 5 : word->text;
  *out = tg_spec_find_data(&job->spec, name);
  if (*out < 0) return unknown_number(job, word, key, name, expected);
  if (job->spec.data[*out].source != TG_SOURCE_NUMBER)
    TG_FAIL_NODE(word, TG_VALUE, "%s: %s is a matrix, expected %s", key, name, expected);
  return TG_OK;
}

tg_status tg_job_find_matrix(const tg_job *job, const tg_yaml_node *word, const char *key, int *out)
{
  *out = tg_spec_find_data(&job->spec, word->text);
  if (*out < 0) {
    const char *nearest = nearest_datum(job, word->text, false);
    TG_FAIL_NODE(word, TG_NAME, "%s: '%.60s' is no matrix of data%s%s%s", key, word->text,
                 nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
                 nearest != NULL ? "'?" : "");
  }
  if (job->spec.data[*out].source == TG_SOURCE_NUMBER)
    TG_FAIL_NODE(word, TG_VALUE, "%s: %s is a number, expected the name of a matrix", key, word->text);
  return TG_OK;
}

static tg_status find_next(const tg_job *job, const tg_yaml_node *word, const char *key, int *found, int n)
{
  TG_TRY(tg_job_find_number(job, word, key, a_number, &found[n]));
  for (int k = 0; k < n; k++)
    if (found[k] == found[n]) TG_FAIL_NODE(word, TG_JOB, "%s: %s is named twice", key, job->spec.data[found[n]].name);
  return TG_OK;
}

tg_status tg_job_find_numbers(tg_job *job, const tg_yaml_node *list, const char *key, int *out, tg_mark *marks, int *n)
{
  *n = 0;
  if (list->n_items == 0) TG_FAIL_NODE(list, TG_VALUE, "%s: is empty; write %s: [lambda]", key, key);
  for (const tg_yaml_item *item = list->first; item != NULL; item = item->next) {
    const tg_status status = find_next(job, item->value, key, out, *n);
    marks[*n] = item->value->mark;
    *n += status == TG_OK;
    TG_TRY(tg_errors_take(&job->errors, status));
  }
  return TG_OK;
}

tg_status tg_job_refuse_keys(const tg_job *job, const char *const *keys, size_t n, const char *why)
{
  for (size_t k = 0; k < n; k++) {
    const tg_yaml_item *item = tg_yaml_find(job->root, keys[k]);
    if (item != NULL) TG_FAIL_NODE(item->key, TG_JOB, "%s %s", keys[k], why);
  }
  return TG_OK;
}
