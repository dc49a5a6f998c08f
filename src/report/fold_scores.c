// Scores of cross-validation.
#include "report/fold_scores.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/whole_file.h"
#include "engine/sweep/points.h"

// ---- combinations: the fold is the first axis, and the path goes forth and back through the others ----

int64_t tg_fold_scores_point(const tg_sweep *sweep, int64_t k, int fold)
{
  const int64_t n = sweep->n_points / sweep->axes[0].n;
  return (fold - 1) * n + (fold % 2 == 1 ? k : n - 1 - k);
}

void tg_fold_scores_describe(const tg_sweep *sweep, int64_t k, tg_text *out)
{
  tg_text all;
  tg_text_init(&all);
  tg_sweep_describe(sweep, tg_fold_scores_point(sweep, k, 1), &all);
  const char *comma = strchr(tg_text_string(&all), ',');
  if (comma != NULL) tg_text_add(out, comma + 2);
  tg_text_fini(&all);
}

// ---- statistics ----

static void average(int n, const double *scores, double *mean, double *error)
{
  double sum = 0;
  double squares = 0;
  for (int f = 0; f < n; f++) sum += scores[f];
  *mean = sum / n;
  for (int f = 0; f < n; f++) squares += (scores[f] - *mean) * (scores[f] - *mean);
  *error = sqrt(squares / (n - 1) / n);
}

static double value_of(const tg_sweep *sweep, int64_t k, int axis)
{
  int positions[TG_SWEEP_AXES_MAX];
  tg_sweep_positions(sweep, tg_fold_scores_point(sweep, k, 1), positions);
  return sweep->axes[axis].values[positions[axis]].number;
}

// Whether a has larger numbers than b, the first that differ.
static bool is_simpler(const tg_sweep *sweep, int64_t a, int64_t b)
{
  for (int axis = 1; axis < sweep->n_axes; axis++) {
    if (sweep->axes[axis].target != TG_SWEEP_NUMBER) continue;
    const double one = value_of(sweep, a, axis);
    const double other = value_of(sweep, b, axis);
    if (one != other) return one > other;
  }
  return false;
}

static bool has_numbers(const tg_sweep *sweep)
{
  for (int axis = 1; axis < sweep->n_axes; axis++)
    if (sweep->axes[axis].target == TG_SWEEP_NUMBER) return true;
  return false;
}

static void choose(const tg_sweep *sweep, tg_fold_scores *s)
{
  s->best = s->simplest = -1;
  for (int64_t k = 0; k < s->n; k++)
    if (isfinite(s->mean[k]) && (s->best < 0 || s->mean[k] < s->mean[s->best])) s->best = k;
  if (s->best < 0 || !has_numbers(sweep)) return;
  const double most = s->mean[s->best] + s->standard_error[s->best];
  s->simplest = s->best;
  for (int64_t k = 0; k < s->n; k++)
    if (s->mean[k] <= most && is_simpler(sweep, k, s->simplest)) s->simplest = k;
}

tg_status tg_fold_scores_init(const tg_sweep *sweep, const tg_sweep_row *rows, tg_fold_scores *out)
{
  *out = (tg_fold_scores){
      .n_folds = sweep->axes[0].n, .n = sweep->n_points / sweep->axes[0].n, .best = -1, .simplest = -1};
  TG_TRY(TG_NEW(sweep->n_points, &out->scores));
  TG_TRY(TG_NEW(out->n, &out->mean));
  TG_TRY(TG_NEW(out->n, &out->standard_error));
  for (int64_t k = 0; k < out->n; k++) {
    double *scores = out->scores + k * out->n_folds;
    for (int fold = 1; fold <= out->n_folds; fold++) {
      const tg_sweep_row *row = &rows[tg_fold_scores_point(sweep, k, fold)];
      scores[fold - 1] = row->is_known && row->exit_class == 0 ? row->score : (double)NAN;
    }
    average(out->n_folds, scores, &out->mean[k], &out->standard_error[k]);
  }
  choose(sweep, out);
  return TG_OK;
}

void tg_fold_scores_fini(tg_fold_scores *s)
{
  tg_free(s->scores);
  tg_free(s->mean);
  tg_free(s->standard_error);
  *s = (tg_fold_scores){.best = -1, .simplest = -1};
}

// ---- the file ----

static json_t *parameters(const tg_sweep *sweep, int64_t k)
{
  int positions[TG_SWEEP_AXES_MAX];
  json_t *out = json_object();
  tg_sweep_positions(sweep, tg_fold_scores_point(sweep, k, 1), positions);
  for (int axis = 1; axis < sweep->n_axes && out != NULL; axis++) {
    const tg_sweep_value *value = &sweep->axes[axis].values[positions[axis]];
    json_object_set_new(out, sweep->axes[axis].name,
                        isnan(value->number) ? json_string(value->text) : json_real(value->number));
  }
  return out;
}

static json_t *combination(const tg_fold_scores *s, const tg_sweep *sweep, int64_t k)
{
  json_t *scores = json_array();
  for (int f = 0; f < s->n_folds && scores != NULL; f++)
    json_array_append_new(scores, tg_json_number(s->scores[k * s->n_folds + f]));
  return json_pack("{s:o, s:o, s:o, s:o}", "parameters", parameters(sweep, k), "scores", scores, "mean",
                   tg_json_number(s->mean[k]), "standard_error", tg_json_number(s->standard_error[k]));
}

static json_t *position_or_null(int64_t k)
{
  return k >= 0 ? json_integer(k) : json_null();
}

tg_status tg_fold_scores_write(const tg_fold_scores *s, const tg_sweep *sweep, const char *folder)
{
  tg_text path;
  json_t *grid = json_array();
  for (int64_t k = 0; k < s->n && grid != NULL; k++) json_array_append_new(grid, combination(s, sweep, k));
  json_t *all = json_pack("{s:i, s:o, s:o, s:o}", "folds", s->n_folds, "points", grid, "best",
                          position_or_null(s->best), "one_standard_error", position_or_null(s->simplest));
  char *text = all != NULL ? json_dumps(all, JSON_INDENT(1) | JSON_REAL_PRECISION(17)) : NULL;
  json_decref(all);
  if (text == NULL) TG_FAIL(TG_MEMORY, "not enough memory for the scores");
  tg_text_init(&path);
  tg_text_addf(&path, "%s/scores.json", folder);
  tg_status status = tg_text_status(&path);
  if (status == TG_OK) status = tg_write_whole(tg_text_string(&path), text, strlen(text));
  tg_text_fini(&path);
  free(text);
  return status;
}
