// The job written out again: JSON for the report, tables of keys for the documentation.
#include "job/job_echo.h"

#include <string.h>

#include "job/job_validate.h"
#include "job/job_values.h"

static json_t *scalar_to_json(const tg_yaml_node *node)
{
  int64_t whole = 0;
  double number = 0;
  bool flag = false;
  if (tg_value_whole(node, &whole)) return json_integer(whole);
  if (tg_value_number(node, &number)) return json_real(number);
  if (tg_value_boolean(node, &flag)) return json_boolean(flag);
  return json_stringn(node->text, node->length);
}

static json_t *node_to_json(const tg_yaml_node *node)
{
  if (node->kind == TG_YAML_NULL) return json_null();
  if (node->kind == TG_YAML_SCALAR) return scalar_to_json(node);
  json_t *out = node->kind == TG_YAML_MAPPING ? json_object() : json_array();
  for (const tg_yaml_item *item = node->first; item != NULL && out != NULL; item = item->next) {
    json_t *value = node_to_json(item->value);
    const int failed = node->kind == TG_YAML_MAPPING ? json_object_set_new(out, item->key->text, value)
                                                     : json_array_append_new(out, value);
    if (failed == 0) continue;
    json_decref(out);
    return NULL;
  }
  return out;
}

// The object under a key, made when it is not there.
static json_t *section(json_t *parent, const char *key)
{
  if (!json_is_object(json_object_get(parent, key))) json_object_set_new(parent, key, json_object());
  return json_object_get(parent, key);
}

static tg_status fill_solver(const tg_spec *spec, json_t *root)
{
  json_t *solver = section(root, "solver");
  for (int k = 0; k < opt_option_count(); k++) {
    const opt_option_row *row = opt_option_at(k);
    tg_text value;
    tg_text_init(&value);
    opt_option_print(&spec->solver, row, &value);
    const tg_yaml_node node = {.kind = TG_YAML_SCALAR, .text = tg_text_string(&value), .length = value.length};
    const int failed = json_object_set_new(solver, row->key, scalar_to_json(&node));
    tg_text_fini(&value);
    if (failed != 0) TG_FAIL(TG_MEMORY, "cannot build the report");
  }
  return TG_OK;
}

static json_t *initial_value(const tg_job_key *key)
{
  const tg_yaml_node node = {.kind = TG_YAML_SCALAR, .text = key->initial, .length = strlen(key->initial)};
  return scalar_to_json(&node);
}

// Defaults of `section.key` rows go into the section, those of `section.*.key` into each of its entries.
static void fill_defaults(json_t *entry, const char *prefix)
{
  const size_t length = strlen(prefix);
  for (int k = 0; k < tg_job_key_count(); k++) {
    const tg_job_key *key = tg_job_key_at(k);
    if (key->initial[0] == '\0' || strncmp(key->path, prefix, length) != 0) continue;
    const char *name = key->path + length;
    if (strchr(name, '.') == NULL && json_object_get(entry, name) == NULL)
      json_object_set_new(entry, name, initial_value(key));
  }
}

static void fill_sizes(json_t *entry, const tg_task_variable *x)
{
  const bool has_columns = json_object_get(entry, "columns") != NULL || json_object_get(entry, "cols") != NULL;
  if (json_object_get(entry, "rows") == NULL) json_object_set_new(entry, "rows", json_integer((json_int_t)x->rows));
  if (!has_columns) json_object_set_new(entry, "columns", json_integer((json_int_t)x->cols));
}

// Those of a point of a sweep are not the job's.
static void fill_numbers(const tg_spec *spec, json_t *data)
{
  for (int k = 0; k < spec->n_data; k++) {
    const json_t *written = json_object_get(data, spec->data[k].name);
    if (spec->data[k].source == TG_SOURCE_NUMBER && json_is_number(written) &&
        json_number_value(written) != spec->data[k].number)
      json_object_set_new(data, spec->data[k].name, json_real(spec->data[k].number));
  }
}

static void fill_seed(const tg_spec_variable *x, json_t *entry)
{
  if (x->seed_is_given) json_object_set_new(entry, "seed", json_integer((json_int_t)x->seed));
  if (x->scale_is_given) json_object_set_new(entry, "scale", json_real(x->scale));
}

tg_status tg_job_echo(const tg_job *job, const tg_task *task, json_t **out)
{
  const tg_spec *spec = task->spec;
  *out = NULL;
  json_t *root = node_to_json(job->root);
  if (root == NULL) TG_FAIL(TG_MEMORY, "cannot build the report");
  const tg_status status = fill_solver(spec, root);
  if (status != TG_OK) {
    json_decref(root);
    return tg_error_pass(status, TG_HERE);
  }
  fill_numbers(spec, json_object_get(root, "data"));
  const char *name = NULL;
  json_t *entry = NULL;
  json_object_foreach(json_object_get(root, "variables"), name, entry)
  {
    const int k = tg_spec_find_variable(spec, name);
    if (k >= 0) fill_sizes(entry, &task->variables[k]);
    if (k >= 0 && json_object_get(entry, "start") == NULL)
      json_object_set_new(entry, "start", json_string(tg_start_label(task->variables[k].start)));
    if (k >= 0 && json_is_object(entry)) fill_seed(&spec->variables[k], entry);
    fill_defaults(entry, "variables.*.");
  }
  fill_defaults(json_object_get(root, "checkpoint"), "checkpoint.");
  json_object_set_new(section(root, "output"), "directory", json_string(spec->output_directory));
  if (json_object_get(root, "process_grid") == NULL) json_object_set_new(root, "process_grid", json_string("auto"));
  *out = root;
  return TG_OK;
}

// ---- documentation ----

static void add_range(const tg_job_key *key, tg_text *out)
{
  const bool bounded = key->type == TG_JOB_SIZE || key->type == TG_JOB_WHOLE || key->type == TG_JOB_NUMBER;
  if (!bounded || key->largest >= 1e300) return;
  tg_text_add(out, ", ");
  tg_text_add_number(out, key->smallest);
  tg_text_add(out, " to ");
  tg_text_add_number(out, key->largest);
}

static void add_row(tg_text *out, const char *key, const char *type, const char *initial, const char *help)
{
  tg_text_addf(out, "| `%s` | %s | %s%s%s | %s |\n", key, type, initial[0] != '\0' ? "`" : "", initial,
               initial[0] != '\0' ? "`" : "", help);
}

// A bar inside a cell would end it.
static void add_escaped(tg_text *out, const char *text)
{
  for (; *text != '\0'; text++) {
    if (*text == '|') tg_text_add(out, "\\");
    tg_text_add_bytes(out, text, 1);
  }
}

static void print_job_keys(tg_text *out)
{
  tg_text_add(out, "| key | value | default | meaning |\n|---|---|---|---|\n");
  for (int k = 0; k < tg_job_key_count(); k++) {
    const tg_job_key *key = tg_job_key_at(k);
    tg_text type;
    tg_text_init(&type);
    tg_text_add(&type, tg_job_type_label(key->type));
    add_range(key, &type);
    add_row(out, key->path, tg_text_string(&type), key->initial, key->help);
    tg_text_fini(&type);
  }
}

static void print_solver_keys(tg_text *out)
{
  tg_text_add(out, "| key | value | default | meaning |\n|---|---|---|---|\n");
  for (int k = 0; k < opt_option_count(); k++) {
    const opt_option_row *row = opt_option_at(k);
    tg_text range;
    tg_text escaped;
    tg_text help;
    tg_text_init(&range);
    tg_text_init(&escaped);
    tg_text_init(&help);
    opt_option_print_range(row, &range);
    add_escaped(&escaped, tg_text_string(&range));
    add_escaped(&help, row->help);
    tg_text key;
    tg_text_init(&key);
    tg_text_addf(&key, "solver.%s", row->key);
    add_row(out, tg_text_string(&key), tg_text_string(&escaped), row->initial, tg_text_string(&help));
    tg_text_fini(&key);
    tg_text_fini(&help);
    tg_text_fini(&escaped);
    tg_text_fini(&range);
  }
}

static void print_constraints(tg_text *out)
{
  tg_text_add(out, "| constraint | meaning |\n|---|---|\n");
  for (int k = 0; k < opt_constraint_count(); k++) {
    const opt_constraint_row *row = opt_constraint_at(k);
    const bool is_optional = row->argument == OPT_ARGUMENT_TOTAL || row->argument == OPT_ARGUMENT_METRIC;
    tg_text_addf(out, "| `%s%s%s%s` | %s |\n", row->name, is_optional ? "` or `" : "",
                 row->argument != OPT_ARGUMENT_NONE ? ": " : "", tg_constraint_argument_label(row->argument),
                 row->help);
  }
}

static void print_starts(tg_text *out)
{
  tg_text_add(out, "| start | entries, before the factor `scale` |\n|---|---|\n");
  for (int k = 0; tg_start_at(k) != NULL; k++) tg_text_addf(out, "| `%s` | %s |\n", tg_start_at(k), tg_start_help(k));
}

static void print_kinds(tg_text *out)
{
  static const char *const options[] = {"seed", "scale", "condition", "ratio"};
  tg_text_add(out, "| kind | entries, before the factor `scale` | takes |\n|---|---|---|\n");
  for (int kind = 0; kind < tg_generate_count(); kind++) {
    const char *comma = "";
    tg_text_addf(out, "| `%s` | ", tg_generate_label(kind));
    add_escaped(out, tg_generate_help(kind));
    tg_text_add(out, " | ");
    for (size_t k = 0; k < sizeof options / sizeof options[0]; k++) {
      if (!tg_generate_takes(kind, options[k])) continue;
      tg_text_addf(out, "%s`%s`", comma, options[k]);
      comma = ", ";
    }
    tg_text_add(out, comma[0] == '\0' ? "nothing |\n" : " |\n");
  }
}

void tg_job_print_keys(tg_text *out)
{
  print_job_keys(out);
  tg_text_add(out, "\n");
  print_solver_keys(out);
  tg_text_add(out, "\n");
  print_constraints(out);
  tg_text_add(out, "\n");
  print_starts(out);
  tg_text_add(out, "\n");
  print_kinds(out);
}
