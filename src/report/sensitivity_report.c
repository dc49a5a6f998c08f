// What a run says of what was differentiated at its minimum.
#include "report/sensitivity_report.h"

#include "base/json.h"
#include "report/derivative_files.h"

static json_t *row_of(const tg_run *run, int which)
{
  const tg_sensitivity_row *row = &run->engine->sensitivity->rows[which];
  if (row->point == NULL)
    return json_pack("{s:s, s:o}", "number", row->name, "objective", tg_json_number(row->objective));
  return json_pack("{s:s, s:o, s:o, s:o, s:I, s:o}", "number", row->name, "objective", tg_json_number(row->objective),
                   "norm", tg_json_number(row->norm), "residual", tg_json_number(row->residual), "iterations",
                   (json_int_t)row->iterations, "files", tg_derivative_files_of(run, which));
}

json_t *tg_sensitivity_report(const tg_run *run)
{
  const tg_sensitivity *s = run->engine->sensitivity;
  json_t *rows = json_array();
  for (int k = 0; k < s->n && rows != NULL; k++) {
    if (json_array_append_new(rows, row_of(run, k)) == 0) continue;
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

// ---- the inverse of the Hessian ----

json_t *tg_covariance_report(const tg_run *run)
{
  const tg_covariance *c = run->engine->covariance;
  const int n = run->engine->spec->n_sensitivities;
  json_t *out =
      json_pack("{s:s, s:I, s:f}", "of", "diagonal", "products", (json_int_t)c->products, "seconds", c->seconds);
  if (out == NULL) return NULL;
  if (c->refusal[0] != '\0') {
    json_object_set_new(out, "refused", json_string(c->refusal));
    return out;
  }
  json_object_set_new(out, "by", json_string(tg_covariance_way_label(c->way)));
  json_object_set_new(out, "log_determinant", tg_json_number(c->logdet));
  json_object_set_new(out, "log_determinant_error", tg_json_number(c->logdet_error));
  json_object_set_new(out, "files", tg_derivative_files_of(run, n));
  if (c->way != TG_COVARIANCE_PROBES) return out;
  json_object_set_new(out, "probes", json_integer((json_int_t)c->probes));
  json_object_set_new(out, "relative_error", tg_json_number(c->spread));
  json_object_set_new(out, "undetermined", tg_json_number(c->undetermined));
  json_object_set_new(out, "error_files", tg_derivative_files_of(run, n + 1));
  return out;
}

void tg_covariance_print(const tg_covariance *c, tg_text *out)
{
  if (c->refusal[0] != '\0') {
    tg_text_addf(out, "covariance: refused: %s\n", c->refusal);
    return;
  }
  tg_text_addf(out, "covariance: by %s, log-determinant of the Hessian %.10g", tg_covariance_way_label(c->way),
               c->logdet);
  if (c->way == TG_COVARIANCE_PROBES)
    tg_text_addf(out, " +- %.3g, standard errors to %.2g of themselves", c->logdet_error, c->spread);
  tg_text_add(out, "\n");
}
