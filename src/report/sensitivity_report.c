// What a run leaves of the derivatives of its minimum.
#include "report/sensitivity_report.h"

#include <string.h>

#include "base/json.h"

tg_status tg_sensitivity_name_file(const tg_spec_variable *variable, const char *number, tg_text *out)
{
  const char *name = variable->output;
  const char *slash = strrchr(name, '/');
  const size_t folder = slash != NULL ? (size_t)(slash - name) + 1 : 0;
  const char *dot = strrchr(name + folder, '.');
  const size_t stem = dot != NULL ? (size_t)(dot - name) : strlen(name);
  tg_text_clear(out);
  tg_text_add_bytes(out, name, folder);
  tg_text_add(out, "d");
  tg_text_add_bytes(out, name + folder, stem - folder);
  tg_text_addf(out, "_d%s%s", number, dot != NULL ? dot : "");
  return tg_text_status(out);
}

static json_t *files_of(const tg_spec *job, const tg_sensitivity_row *row)
{
  tg_text name;
  tg_text_init(&name);
  json_t *out = json_object();
  for (int k = 0; k < job->n_variables && out != NULL; k++)
    if (row->point != NULL && job->variables[k].output != NULL && job->output_directory != NULL &&
        tg_sensitivity_name_file(&job->variables[k], row->name, &name) == TG_OK)
      json_object_set_new(out, job->variables[k].name, json_string(tg_text_string(&name)));
  tg_text_fini(&name);
  return out;
}

static json_t *row_of(const tg_spec *job, const tg_sensitivity_row *row)
{
  if (row->point == NULL)
    return json_pack("{s:s, s:o}", "number", row->name, "objective", tg_json_number(row->objective));
  return json_pack("{s:s, s:o, s:o, s:o, s:I, s:o}", "number", row->name, "objective", tg_json_number(row->objective),
                   "norm", tg_json_number(row->norm), "residual", tg_json_number(row->residual), "iterations",
                   (json_int_t)row->iterations, "files", files_of(job, row));
}

json_t *tg_sensitivity_report(const tg_spec *job, const tg_sensitivity *s)
{
  json_t *rows = json_array();
  for (int k = 0; k < s->n && rows != NULL; k++) {
    if (json_array_append_new(rows, row_of(job, &s->rows[k])) == 0) continue;
    json_decref(rows);
    rows = NULL;
  }
  json_t *out =
      json_pack("{s:I, s:f, s:o}", "products", (json_int_t)s->products, "seconds", s->seconds, "numbers", rows);
  if (out != NULL && s->refusal[0] != '\0') json_object_set_new(out, "refused", json_string(s->refusal));
  return out;
}

static void print_row(const tg_spec *job, const tg_sensitivity_row *row, tg_text *out)
{
  tg_text_addf(out, "d/d%s: objective %.9g", row->name, row->objective);
  if (row->point != NULL) {
    tg_text_add(out, ", |d");
    for (int k = 0; k < job->n_variables; k++) tg_text_addf(out, "%s%s", k > 0 ? ", d" : "", job->variables[k].name);
    tg_text_addf(out, "| %.6g", row->norm);
  }
  tg_text_add(out, "\n");
}

void tg_sensitivity_print(const tg_spec *job, const tg_sensitivity *s, tg_text *out)
{
  for (int k = 0; k < s->n; k++)
    if (s->rows[k].objective == s->rows[k].objective) print_row(job, &s->rows[k], out);
  if (s->refusal[0] != '\0') tg_text_addf(out, "sensitivity: refused: %s\n", s->refusal);
}
