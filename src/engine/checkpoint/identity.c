// Identities as JSON, so that a difference has a name.
#include "engine/checkpoint/identity.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "engine/checkpoint/manifest.h"
#include "engine/model/folds.h"
#include "engine/share/share.h"

// ---- the job ----

// What may be another: when to stop.
static bool is_free(const char *key)
{
  static const char *const free_keys[] = {"gradient_tolerance",   "absolute_gradient_tolerance",
                                          "objective_tolerance",  "step_tolerance",
                                          "constraint_tolerance", "max_iterations",
                                          "max_evaluations",      "time_limit"};
  for (size_t k = 0; k < sizeof free_keys / sizeof free_keys[0]; k++)
    if (strcmp(key, free_keys[k]) == 0) return true;
  return false;
}

static json_t *solver(const tg_spec *spec)
{
  json_t *out = json_object();
  for (int k = 0; k < opt_option_count() && out != NULL; k++) {
    const opt_option_row *row = opt_option_at(k);
    tg_text value;
    if (is_free(row->key)) continue;
    tg_text_init(&value);
    opt_option_print(&spec->solver, row, &value);
    json_object_set_new(out, row->key, json_string(tg_text_string(&value)));
    tg_text_fini(&value);
  }
  return out;
}

static json_t *argument(const tg_spec *spec, const tg_spec_argument *a)
{
  if (a->kind == TG_ARGUMENT_DATUM) return json_string(spec->data[a->datum].name);
  if (a->kind == TG_ARGUMENT_NUMBER) return tg_exact_number(a->number);
  return json_null();
}

static json_t *constraint(const tg_spec *spec, const tg_spec_variable *v)
{
  return json_pack("{s:s, s:o, s:o}", "set", v->constraint, "first", argument(spec, &v->arguments[0]), "second",
                   argument(spec, &v->arguments[1]));
}

static json_t *variables(const tg_spec *spec)
{
  json_t *out = json_object();
  for (int k = 0; k < spec->n_variables && out != NULL; k++) {
    const tg_spec_variable *v = &spec->variables[k];
    const bool is_file = v->start == TG_START_FILE;
    json_t *entry =
        json_pack("{s:I, s:I, s:s, s:I, s:f}", "rows", (json_int_t)v->rows, "columns", (json_int_t)v->cols, "start",
                  is_file ? "file" : tg_start_label(v->start), "seed", (json_int_t)v->seed, "scale", v->scale);
    if (v->constraint != NULL) json_object_set_new(entry, "constraint", constraint(spec, v));
    json_object_set_new(out, v->name, entry);
  }
  return out;
}

static json_t *datum(const tg_spec_data *d)
{
  if (d->source == TG_SOURCE_NUMBER) return json_real(d->number);
  if (d->source != TG_SOURCE_GENERATOR)
    return json_pack("{s:s, s:i}", "source", d->source == TG_SOURCE_FILE ? "file" : "memory", "properties",
                     (int)d->properties);
  const tg_generate_options *o = &d->options;
  return json_pack("{s:s, s:I, s:I, s:I, s:f, s:f, s:f, s:b, s:i}", "generate", d->generate, "rows",
                   (json_int_t)d->rows, "columns", (json_int_t)d->cols, "seed", (json_int_t)o->seed, "scale", o->scale,
                   "condition", o->condition, "ratio", o->ratio, "symmetric", (int)o->symmetric, "properties",
                   (int)d->properties);
}

static json_t *data(const tg_spec *spec)
{
  json_t *out = json_object();
  for (int k = 0; k < spec->n_data && out != NULL; k++)
    json_object_set_new(out, spec->data[k].name, datum(&spec->data[k]));
  return out;
}

static json_t *relations(const tg_spec *spec)
{
  json_t *out = json_array();
  for (int k = 0; k < spec->n_relations && out != NULL; k++)
    json_array_append_new(out, json_string(spec->relations[k].whole.text));
  return out;
}

static json_t *parts(const tg_spec *spec)
{
  json_t *out = json_object();
  for (int k = 0; k < spec->n_parts && out != NULL; k++)
    json_object_set_new(out, spec->parts[k].name, json_string(spec->parts[k].value.text));
  return out;
}

tg_status tg_identity_of_job(const tg_spec *spec, json_t **out)
{
  *out = json_pack("{s:s, s:o, s:o, s:o, s:o}", spec->maximize ? "maximize" : "minimize", spec->objective.text,
                   "variables", variables(spec), "data", data(spec), "subject_to", relations(spec), "solver",
                   solver(spec));
  if (*out != NULL && spec->n_parts > 0) json_object_set_new(*out, "define", parts(spec));
  if (*out == NULL) TG_FAIL(TG_MEMORY, "not enough memory for the identity of the job");
  return TG_OK;
}

// ---- the data ----

// The finaliser of splitmix64: every bit of the input moves every bit of the output.
static uint64_t mix(uint64_t z)
{
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

// A sum over the entries, each hashed with its place: the same whatever rank holds it.
static tg_status hash_numbers(const tg_dmat *m, uint64_t *out)
{
  uint64_t sum = 0;
  for (int64_t j = 0; j < m->local_cols; j++) {
    const int64_t column = tg_layout_global(j, m->block, m->grid->col, m->grid->cols);
    for (int64_t i = 0; i < m->local_rows; i++) {
      const int64_t row = tg_layout_global(i, m->block, m->grid->row, m->grid->rows);
      uint64_t bits = 0;
      memcpy(&bits, &m->data[i + j * m->ld], sizeof bits);
      sum += mix(bits + mix((uint64_t)(row + column * m->rows) + 1));
    }
  }
  TG_TRY_MPI(MPI_Allreduce(&sum, out, 1, MPI_UINT64_T, MPI_SUM, m->grid->comm));
  return TG_OK;
}

static bool has_numbers(const tg_spec *spec, int index)
{
  if (index < 0 || index >= spec->n_data) return false;
  return spec->data[index].source == TG_SOURCE_FILE || spec->data[index].source == TG_SOURCE_MEMORY;
}

// Adds the numbers of a datum that comes from a file or from memory.
static tg_status add_numbers(const tg_setup *setup, int index, const tg_dmat *m, json_t *out, int *failed)
{
  uint64_t hash = 0;
  if (!has_numbers(setup->task->spec, index) || m == NULL) return TG_OK;
  TG_TRY(hash_numbers(m, &hash));
  json_t *entry = json_pack("{s:I, s:I, s:o}", "rows", (json_int_t)m->rows, "columns", (json_int_t)m->cols, "numbers",
                            tg_hash_text(hash));
  *failed = *failed || json_object_set_new(out, setup->task->spec->data[index].name, entry) != 0;
  return TG_OK;
}

// Of data that folds divide the whole is what they are known by: it is the same for all folds.
static tg_status add_operand(const tg_setup *setup, int32_t k, json_t *out, int *failed)
{
  const tg_spec *spec = setup->task->spec;
  tg_share *share = setup->task->share;
  const int datum = setup->model->data[k];
  if (spec->fold == 0 || share == NULL || !tg_folds_divide(spec->folds, datum))
    return add_numbers(setup, datum, setup->data[k], out, failed);
  tg_dmat *whole = tg_share_find(share, spec->data[datum].name, false);
  const tg_status status = add_numbers(setup, datum, whole, out, failed);
  tg_dmat_destroy(&whole);
  return status;
}

tg_status tg_identity_of_data(const tg_setup *setup, json_t **out)
{
  const tg_plan *plan = setup->model->plan;
  *out = json_object();
  int failed = *out == NULL;
  for (int32_t k = 0; k < plan->n_data; k++) TG_TRY(add_operand(setup, k, *out, &failed));
  for (int k = 0; k < setup->task->spec->n_data; k++) TG_TRY(add_numbers(setup, k, setup->set_data[k], *out, &failed));
  return tg_agree(setup->comm,
                  failed ? tg_error_set(TG_MEMORY, TG_HERE, "not enough memory for hashes of the data") : TG_OK);
}

// ---- comparison ----

tg_status tg_identity_hash(const json_t *identity, uint64_t *out)
{
  char *text = json_dumps(identity, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
  if (text == NULL) TG_FAIL(TG_MEMORY, "not enough memory for the hash of the job");
  *out = XXH64(text, strlen(text), 0);
  free(text);
  return TG_OK;
}

static void add_value(const json_t *value, tg_text *out)
{
  char *text = value != NULL ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
  if (text == NULL) {
    tg_text_add(out, "absent");
    return;
  }
  tg_text_addf(out, "%.120s%s", text, strlen(text) > 120 ? "..." : "");
  free(text);
}

// Appends where the two differ first below `path`; nothing where they are equal.
static bool find_difference(const char *path, const json_t *saved, const json_t *now, tg_text *out)
{
  const char *key = NULL;
  json_t *value = NULL;
  const json_t *const both[2] = {saved, now};
  if (json_equal(saved, now)) return false;
  if (!json_is_object(saved) || !json_is_object(now)) {
    tg_text_addf(out, "%s is ", path);
    add_value(saved, out);
    tg_text_add(out, " in the checkpoint, ");
    add_value(now, out);
    tg_text_add(out, " now");
    return true;
  }
  for (int side = 0; side < 2; side++) {
    json_object_foreach((json_t *)(uintptr_t)both[side], key, value)
    {
      char below[256];
      snprintf(below, sizeof below, "%s%s%s", path, path[0] != '\0' ? "." : "", key);
      if (find_difference(below, json_object_get(saved, key), json_object_get(now, key), out)) return true;
    }
  }
  return false;
}

bool tg_identity_equal(const json_t *saved, const json_t *now, tg_text *difference)
{
  return !find_difference("", saved, now, difference);
}
