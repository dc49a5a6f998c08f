// tune.jsonl: written, and read again.
#include "report/tune_rows.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/whole_file.h"
#include "engine/checkpoint/identity.h"
#include "report/outputs.h"
#include "report/sweep_rows.h"

// ---- which search ----

static json_t *search_json(const tg_spec *base)
{
  const tg_tune *tune = base->tune;
  json_t *over = json_array();
  for (int k = 0; k < tune->n && over != NULL; k++)
    json_array_append_new(over, json_string(base->data[tune->data[k]].name));
  return json_pack("{s:o, s:s, s:f, s:f}", "over", over, "score", tune->score.text, "smallest", tune->smallest,
                   "largest", tune->largest);
}

tg_status tg_tune_fingerprint(const tg_spec *base, char out[17])
{
  json_t *identity = NULL;
  uint64_t hash = 0;
  tg_status status = tg_identity_of_job(base, &identity);
  if (status == TG_OK && json_object_set_new(identity, "tune", search_json(base)) != 0)
    status = tg_error_set(TG_MEMORY, TG_HERE, "not enough memory for the identity of the search");
  if (status == TG_OK && base->folds != NULL && json_object_set_new(identity, "folds", tg_sweep_folds_json(base)) != 0)
    status = tg_error_set(TG_MEMORY, TG_HERE, "not enough memory for the identity of the folds");
  if (status == TG_OK) status = tg_identity_hash(identity, &hash);
  json_decref(identity);
  snprintf(out, 17, "%016" PRIx64, hash);
  return status;
}

// ---- writing ----

json_t *tg_tune_numbers_json(const tg_spec *base, const double *numbers)
{
  json_t *out = json_object();
  for (int k = 0; k < base->tune->n && out != NULL; k++)
    json_object_set_new(out, base->data[base->tune->data[k]].name, tg_json_number(numbers[k]));
  return out;
}

static json_t *row_json(const tg_tune_log *t, const tg_tune_row *row)
{
  const tg_spec *base = t->base;
  json_t *scores = json_array();
  for (int f = 0; f < t->n_folds && scores != NULL; f++) json_array_append_new(scores, tg_json_number(row->scores[f]));
  json_t *out = json_pack("{s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:o, s:s}", "parameters",
                          tg_tune_numbers_json(base, row->numbers), "score", tg_json_number(row->score),
                          "standard_error", tg_json_number(row->standard_error), "scores", scores, "slopes",
                          tg_tune_numbers_json(base, row->slopes), "iterations", (json_int_t)row->iterations,
                          "products", (json_int_t)row->products, "seconds", tg_json_number(row->seconds), "flops",
                          tg_json_number(row->flops), "tune", t->fingerprint);
  if (out != NULL && row->reason[0] != '\0') json_object_set_new(out, "reason", json_string(row->reason));
  if (out != NULL && row == t->rows && t->data != NULL) json_object_set_new(out, "data", json_deep_copy(t->data));
  return out;
}

tg_status tg_tune_rows_write(const tg_tune_log *t)
{
  tg_text path;
  tg_text all;
  tg_status status = TG_OK;
  tg_text_init(&path);
  tg_text_init(&all);
  for (int k = 0; k < t->n && status == TG_OK; k++) {
    json_t *row = row_json(t, &t->rows[k]);
    char *line = row != NULL ? json_dumps(row, JSON_REAL_PRECISION(17)) : NULL;
    if (line == NULL) status = tg_error_set(TG_MEMORY, TG_HERE, "not enough memory for a row of tune.jsonl");
    if (line != NULL) tg_text_addf(&all, "%s\n", line);
    free(line);
    json_decref(row);
  }
  if (status == TG_OK) status = tg_text_status(&all);
  if (status == TG_OK) status = tg_output_path(t->base->output_directory, "tune.jsonl", &path);
  if (status == TG_OK) status = tg_write_whole(tg_text_string(&path), tg_text_string(&all), all.length);
  tg_text_fini(&all);
  tg_text_fini(&path);
  return status;
}

// ---- reading ----

static void read_numbers(const tg_spec *base, const json_t *json, double *out)
{
  for (int k = 0; k < base->tune->n; k++)
    out[k] = tg_json_value(json_object_get(json, base->data[base->tune->data[k]].name));
}

static tg_status read_row(const tg_tune_log *t, const json_t *json, tg_tune_row *out)
{
  const json_t *scores = json_object_get(json, "scores");
  const char *reason = json_string_value(json_object_get(json, "reason"));
  TG_TRY(TG_NEW(t->n_folds, &out->scores));
  read_numbers(t->base, json_object_get(json, "parameters"), out->numbers);
  read_numbers(t->base, json_object_get(json, "slopes"), out->slopes);
  for (int f = 0; f < t->n_folds; f++) out->scores[f] = tg_json_value(json_array_get(scores, (size_t)f));
  out->score = tg_json_value(json_object_get(json, "score"));
  out->standard_error = tg_json_value(json_object_get(json, "standard_error"));
  out->iterations = json_integer_value(json_object_get(json, "iterations"));
  out->products = json_integer_value(json_object_get(json, "products"));
  out->flops = tg_json_value(json_object_get(json, "flops"));
  out->seconds = tg_json_value(json_object_get(json, "seconds"));
  snprintf(out->reason, sizeof out->reason, "%.600s", reason != NULL ? reason : "");
  return TG_OK;
}

static tg_status take(tg_tune_log *t, const json_t *json, const char *path)
{
  const char *theirs = json_string_value(json_object_get(json, "tune"));
  if (theirs == NULL || strcmp(theirs, t->fingerprint) != 0)
    TG_FAIL(TG_USAGE, "%s holds the rows of another job; start the search again without --resume", path);
  const json_t *data = json_object_get(json, "data");
  if (data != NULL && t->data == NULL) t->data = json_deep_copy(data);
  return read_row(t, json, &t->rows[t->n_earlier++]);
}

static tg_status read_lines(tg_tune_log *t, const char *path)
{
  FILE *file = fopen(path, "r");
  char *line = NULL;
  size_t room = 0;
  tg_status status = TG_OK;
  if (file == NULL && errno == ENOENT) return TG_OK;
  if (file == NULL) TG_FAIL(TG_IO, "cannot read %s: %s", path, strerror(errno));
  while (status == TG_OK && t->n_earlier < t->base->tune->evaluations) {
    const ssize_t length = getline(&line, &room, file);
    json_t *json = length > 0 ? json_loadb(line, (size_t)length, 0, NULL) : NULL;
    if (json == NULL) break;
    status = take(t, json, path);
    json_decref(json);
  }
  free(line);
  fclose(file);
  return status;
}

tg_status tg_tune_rows_read(tg_tune_log *t)
{
  tg_text path;
  tg_text_init(&path);
  tg_status status = tg_output_path(t->base->output_directory, "tune.jsonl", &path);
  if (status == TG_OK) status = read_lines(t, tg_text_string(&path));
  tg_text_fini(&path);
  return status;
}
