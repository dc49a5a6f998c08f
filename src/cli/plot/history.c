// The history of a run as numbers, for `plot`.
#include "cli/plot/history.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/json.h"

static int64_t number(const json_t *record, const char *name)
{
  return json_integer_value(json_object_get(record, name));
}

static tg_status add_row(tg_plot_history *h, const json_t *record)
{
  if (h->n == h->capacity) {
    h->capacity = h->capacity > 0 ? 2 * h->capacity : 256;
    TG_TRY(tg_grow(h->capacity, sizeof *h->rows, (void **)&h->rows));
  }
  h->rows[h->n++] = (tg_plot_row){.iteration = tg_json_member(record, "iteration"),
                                  .seconds = tg_json_member(record, "seconds"),
                                  .products = tg_json_member(record, "products"),
                                  .objective = tg_json_member(record, "objective"),
                                  .gradient_norm = tg_json_member(record, "gradient_norm"),
                                  .gradient_target = tg_json_member(record, "gradient_target"),
                                  .violation = tg_json_member(record, "constraint_violation"),
                                  .attempt = number(record, "attempt"),
                                  .round = number(record, "round")};
  return TG_OK;
}

static tg_status read_line(tg_plot_history *h, const char *path, const char *line, size_t length, int64_t number)
{
  json_error_t error;
  // A record that is being written at this moment has no end of line yet.
  if (length == 0 || line[length - 1] != '\n') return TG_OK;
  json_t *record = json_loadb(line, length, 0, &error);
  if (!json_is_object(record)) {
    json_decref(record);
    TG_FAIL(TG_DATA, "%s:%lld: this line is no record of a history: %s", path, (long long)number, error.text);
  }
  const tg_status status = add_row(h, record);
  json_decref(record);
  return status;
}

static tg_status read_rows(const char *path, tg_plot_history *h)
{
  FILE *file = fopen(path, "r");
  if (file == NULL) TG_FAIL(TG_DATA, "cannot open %s: %s; give the output folder of a run", path, strerror(errno));
  char *line = NULL;
  size_t capacity = 0;
  tg_status status = TG_OK;
  for (int64_t number = 1; status == TG_OK; number++) {
    const ssize_t length = getline(&line, &capacity, file);
    if (length <= 0) break;
    status = read_line(h, path, line, (size_t)length, number);
  }
  if (status == TG_OK && ferror(file))
    status = tg_error_set(TG_DATA, TG_HERE, "cannot read %s: %s", path, strerror(errno));
  free(line);
  fclose(file);
  if (status == TG_OK && h->n == 0) TG_FAIL(TG_DATA, "%s holds no iteration yet", path);
  return status;
}

static void add_word(tg_text *title, const json_t *object, const char *before, const char *name)
{
  const char *word = json_string_value(json_object_get(object, name));
  if (word != NULL) tg_text_addf(title, "%s%s", before, word);
}

// A run that goes on has no report yet: then the title is the folder's name.
static void read_title(const char *path, tg_plot_history *h)
{
  json_t *report = json_load_file(path, 0, NULL);
  const json_t *job = json_object_get(report, "job");
  add_word(&h->title, job, "minimize ", "minimize");
  add_word(&h->title, job, "maximize ", "maximize");
  add_word(&h->ending, report, "   ", "method");
  add_word(&h->ending, report, ", ", "status");
  json_decref(report);
  if (*tg_text_string(&h->title) == '\0') tg_text_add(&h->title, h->folder);
}

static void look_at_rows(tg_plot_history *h)
{
  h->maximises = h->rows[h->n - 1].objective > h->rows[0].objective;
  for (int64_t k = 0; k < h->n; k++)
    if (h->rows[k].violation > 0) h->is_constrained = true;
}

tg_status tg_plot_history_read(const char *folder, tg_plot_history *out)
{
  *out = (tg_plot_history){.folder = folder};
  tg_text_init(&out->title);
  tg_text_init(&out->ending);
  tg_text path;
  tg_text_init(&path);
  tg_text_addf(&path, "%s/history.jsonl", folder);
  tg_status status = tg_text_status(&path);
  if (status == TG_OK) status = read_rows(tg_text_string(&path), out);
  if (status == TG_OK) look_at_rows(out);
  if (status == TG_OK) {
    tg_text_clear(&path);
    tg_text_addf(&path, "%s/report.json", folder);
    read_title(tg_text_string(&path), out);
  }
  tg_text_fini(&path);
  return status;
}

void tg_plot_history_fini(tg_plot_history *history)
{
  tg_free(history->rows);
  tg_text_fini(&history->title);
  tg_text_fini(&history->ending);
}

double tg_plot_history_best(int n, const tg_plot_history *histories)
{
  double smallest = INFINITY;
  double largest = -INFINITY;
  for (int i = 0; i < n; i++)
    for (int64_t k = histories[i].is_constrained ? histories[i].n - 1 : 0; k < histories[i].n; k++) {
      smallest = fmin(smallest, histories[i].rows[k].objective);
      largest = fmax(largest, histories[i].rows[k].objective);
    }
  return histories[0].maximises ? largest : smallest;
}
