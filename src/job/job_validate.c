// Validation of a job tree against the table of keys.
#include "job/job_validate.h"
#include "job/job_values.h"

#include <math.h>
#include <string.h>

#include "grad/text/names.h"
#include "job/job_number.h"
#include "mpi/file/files.h"

static const tg_job_key keys[] = {
#define TG_JOB_KEY(path, type, smallest, largest, initial, help) \
  {path, TG_JOB_##type, smallest, largest, initial, help},
#include "job/job_keys.def"
#undef TG_JOB_KEY
};

enum { N_KEYS = sizeof keys / sizeof keys[0], PATH_BYTES = 160, CANDIDATES_MAX = 64 };

int tg_job_key_count(void)
{
  return N_KEYS;
}

const tg_job_key *tg_job_key_at(int index)
{
  TG_ASSERT(index >= 0 && index < N_KEYS);
  return &keys[index];
}

const char *tg_constraint_argument_label(opt_constraint_argument argument)
{
  static const char *const labels[] = {
      [OPT_ARGUMENT_NONE] = "",   [OPT_ARGUMENT_RADIUS] = "r",      [OPT_ARGUMENT_INTERVAL] = "[low, high]",
      [OPT_ARGUMENT_TOTAL] = "s", [OPT_ARGUMENT_TOTALS] = "[r, c]", [OPT_ARGUMENT_METRIC] = "{metric: S}"};
  return labels[argument];
}

const char *tg_job_type_label(tg_job_type type)
{
  static const char *const labels[] = {
      [TG_JOB_EXPRESSION] = "an expression",
      [TG_JOB_EXPRESSIONS] = "a list of expressions",
      [TG_JOB_NAMES] = "a mapping from names",
      [TG_JOB_MAPPING] = "a mapping",
      [TG_JOB_SIZE] = "a whole number",
      [TG_JOB_WHOLE] = "a whole number",
      [TG_JOB_NUMBER] = "a finite number",
      [TG_JOB_BOOLEAN] = "true or false",
      [TG_JOB_TEXT] = "a text",
      [TG_JOB_DURATION] = "a time such as 90, 30s, 10min, 2h or 1d",
      [TG_JOB_START] = "zeros, ones, identity, normal, uniform, feasible, memory or {file: PATH}",
      [TG_JOB_CONSTRAINT] = "a constraint's name or one {name: argument}",
      [TG_JOB_DATA] = "a finite number or a mapping",
      [TG_JOB_SOLVER] = "a mapping",
      [TG_JOB_GRID] = "auto or a mapping",
      [TG_JOB_FILES] = "none or a mapping from names",
      [TG_JOB_SWEEP] = "a mapping from numbers to their values",
      [TG_JOB_WORDS] = "a list of names",
  };
  return labels[type];
}

// ---- where we are ----

// The place in the tree: the table's pattern ("data.*.rows") and the user's own path ("data.A.rows").
typedef struct location {
  char pattern[PATH_BYTES];
  char shown[PATH_BYTES];
} location;

// Appends as much as fits; a path cut short is in no table, and long enough for a message.
static void append(char *path, const char *text)
{
  size_t used = strlen(path);
  while (*text != '\0' && used + 1 < PATH_BYTES) path[used++] = *text++;
  path[used] = '\0';
}

static location below(const location *parent, const char *pattern, const char *shown)
{
  location result = *parent;
  if (parent->pattern[0] != '\0') {
    append(result.pattern, ".");
    append(result.shown, ".");
  }
  append(result.pattern, pattern);
  append(result.shown, shown);
  return result;
}

static const tg_job_key *find_key(const char *pattern)
{
  for (int k = 0; k < N_KEYS; k++)
    if (strcmp(keys[k].path, pattern) == 0) return &keys[k];
  return NULL;
}

// The last component of a path when the path is directly below `parent`, else NULL.
static const char *child_name(const char *path, const char *parent)
{
  const size_t length = strlen(parent);
  const char *rest = path;
  if (length > 0) {
    if (strncmp(path, parent, length) != 0 || path[length] != '.') return NULL;
    rest = path + length + 1;
  }
  return strchr(rest, '.') == NULL ? rest : NULL;
}

static int collect_children(const char *parent, const char **out)
{
  int count = 0;
  for (int k = 0; k < N_KEYS; k++) {
    const char *name = child_name(keys[k].path, parent);
    if (name != NULL && strcmp(name, "*") != 0 && count < CANDIDATES_MAX) out[count++] = name;
  }
  return count;
}

// The section where a key of that name is at home: "solver" for "max_iterations". NULL when nowhere.
static const char *home_of(const char *name)
{
  if (opt_option_find(name) != NULL) return "solver";
  for (int k = 0; k < N_KEYS; k++) {
    const char *dot = strrchr(keys[k].path, '.');
    if (dot != NULL && strcmp(dot + 1, name) == 0 && strchr(keys[k].path, '*') == NULL) {
      static const char *const sections[] = {"process_grid", "checkpoint", "output"};
      for (size_t s = 0; s < sizeof sections / sizeof sections[0]; s++)
        if (strncmp(keys[k].path, sections[s], strlen(sections[s])) == 0) return sections[s];
    }
  }
  return NULL;
}

// A word that is cut short or ends otherwise ("max_iters", "dir") is far from the key it means by single slips.
static const char *nearest_beginning(const char *word, const char *const *candidates, int count)
{
  const char *best = NULL;
  size_t longest = 2;
  for (int k = 0; k < count; k++) {
    size_t same = 0;
    while (word[same] != '\0' && word[same] == candidates[k][same]) same++;
    if (same <= longest || 2 * same < strlen(word)) continue;
    longest = same;
    best = candidates[k];
  }
  return best;
}

static tg_status unknown_key(const location *at, const tg_yaml_node *key, const char *const *candidates, int count)
{
  tg_text text;
  tg_text_init(&text);
  tg_text_addf(&text, "unknown key '%.80s'", key->text);
  if (at->shown[0] != '\0') tg_text_addf(&text, " in %s", at->shown);
  const char *nearest = tg_nearest_word(key->text, candidates, (size_t)count);
  if (nearest == NULL) nearest = nearest_beginning(key->text, candidates, count);
  const char *home = home_of(key->text);
  if (home != NULL && strcmp(home, at->shown) != 0) {
    tg_text_addf(&text, "; it belongs under '%s:'", home);
  } else if (nearest != NULL) {
    tg_text_addf(&text, "; did you mean '%s'?", nearest);
  } else {
    tg_text_add(&text, "; known keys:");
    for (int k = 0; k < count; k++) tg_text_addf(&text, "%s %s", k > 0 ? "," : "", candidates[k]);
  }
  const tg_status status = tg_error_set_mark(TG_JOB, TG_HERE, key->mark, "%s", tg_text_string(&text));
  tg_text_fini(&text);
  return status;
}

// "solver.max_iterations needs a whole number, found 'many'"
static tg_status wrong_type(const location *at, const tg_yaml_node *node, const char *expected, const char *remedy)
{
  tg_text found;
  tg_text_init(&found);
  tg_yaml_describe(node, &found);
  const tg_status status = tg_error_set_mark(TG_VALUE, TG_HERE, node->mark, "%s needs %s, found %s%s", at->shown,
                                             expected, tg_text_string(&found), remedy);
  tg_text_fini(&found);
  return status;
}

// ---- values ----

static tg_status out_of_range(const location *at, const tg_yaml_node *node, const tg_job_key *key)
{
  tg_text range;
  tg_text_init(&range);
  tg_text_add_number(&range, key->smallest);
  if (isfinite(key->largest)) {
    tg_text_add(&range, " to ");
    tg_text_add_number(&range, key->largest);
  } else {
    tg_text_add(&range, " or more");
  }
  const tg_status status = tg_error_set_mark(TG_VALUE, TG_HERE, node->mark, "%s = %.40s is out of range: %s", at->shown,
                                             node->text, tg_text_string(&range));
  tg_text_fini(&range);
  return status;
}

static tg_status check_whole(tg_job *job, const location *at, tg_yaml_node *node, const tg_job_key *key)
{
  int64_t value = 0;
  TG_TRY(tg_job_evaluate(job, node));
  if (!tg_value_whole(node, &value)) {
    double number = 0;
    const bool fraction = tg_value_number(node, &number);
    return wrong_type(at, node, tg_job_type_label(key->type), fraction ? "; write it with digits only" : "");
  }
  if ((double)value < key->smallest || (double)value > key->largest) return out_of_range(at, node, key);
  return TG_OK;
}

static tg_status check_number(tg_job *job, const location *at, tg_yaml_node *node, const tg_job_key *key)
{
  double value = 0;
  if (key->type == TG_JOB_NUMBER) TG_TRY(tg_job_evaluate(job, node));
  const bool is_one = key->type == TG_JOB_DURATION ? tg_value_duration(node, &value) : tg_value_number(node, &value);
  if (!is_one) return wrong_type(at, node, tg_job_type_label(key->type), "");
  if (value < key->smallest || value > key->largest) return out_of_range(at, node, key);
  return TG_OK;
}

static tg_status check_boolean(const location *at, const tg_yaml_node *node)
{
  bool value = false;
  if (!tg_value_boolean(node, &value)) return wrong_type(at, node, "true or false", "");
  return TG_OK;
}

static tg_status check_text(const location *at, const tg_yaml_node *node, const char *expected)
{
  if (node->kind != TG_YAML_SCALAR) return wrong_type(at, node, expected, "");
  if (node->text[strspn(node->text, " \t\r\n")] == '\0') return wrong_type(at, node, expected, ", which is blank");
  return TG_OK;
}

static tg_status check_node(tg_job *job, const location *at, tg_yaml_node *node);

static bool is_listed(const char *word, const char *const *list, int count)
{
  for (int k = 0; k < count; k++)
    if (strcmp(word, list[k]) == 0) return true;
  return false;
}

// A failure is kept; its key is left out of what is read later.
static tg_status keep(tg_job *job, tg_yaml_node *node, const tg_yaml_item *item, tg_status status)
{
  if (status == TG_OK) return TG_OK;
  TG_TRY(tg_errors_take(&job->errors, status));
  tg_yaml_remove(node, item);
  return TG_OK;
}

// Sections without which nothing can be said of the others.
static bool is_vital(const char *pattern)
{
  static const char *const sections[] = {"minimize", "maximize", "define", "variables", "data"};
  return is_listed(pattern, sections, sizeof sections / sizeof sections[0]);
}

static tg_status check_mapping(tg_job *job, const location *at, tg_yaml_node *node)
{
  for (const tg_yaml_item *item = node->first; item != NULL; item = item->next) {
    const location inside = below(at, item->key->text, item->key->text);
    if (strchr(item->key->text, '.') != NULL || find_key(inside.pattern) == NULL) {
      const char *candidates[CANDIDATES_MAX];
      const int count = collect_children(at->pattern, candidates);
      TG_TRY(keep(job, node, item, unknown_key(at, item->key, candidates, count)));
      job->is_incomplete = job->is_incomplete || at->pattern[0] == '\0'; // it may have been a section that is needed
      continue;
    }
    const int kept = job->errors.count;
    TG_TRY(keep(job, node, item, check_node(job, &inside, item->value)));
    if (job->errors.count == kept) continue;
    if (is_vital(inside.pattern)) job->is_incomplete = true;
    // What is left of the section would be found lacking.
    if (at->pattern[0] == '\0') tg_yaml_remove(node, item);
  }
  return TG_OK;
}

static const char *nearest_start(const char *word)
{
  const char *names[CANDIDATES_MAX];
  size_t n = 0;
  while (tg_start_at((int)n) != NULL && n < CANDIDATES_MAX) {
    names[n] = tg_start_at((int)n);
    n++;
  }
  return tg_nearest_word(word, names, n);
}

static tg_status check_start(tg_job *job, const location *at, tg_yaml_node *node)
{
  tg_start start = TG_START_ZEROS;
  if (node->kind == TG_YAML_MAPPING) {
    TG_TRY(check_mapping(job, at, node));
    if (tg_yaml_get(node, "file") == NULL) TG_FAIL_NODE(node, TG_JOB, "%s needs a key 'file'", at->shown);
    return TG_OK;
  }
  if (node->kind == TG_YAML_SCALAR && tg_start_find(node->text, &start)) return TG_OK;
  const char *nearest = node->kind == TG_YAML_SCALAR ? nearest_start(node->text) : NULL;
  if (nearest != NULL) TG_FAIL_NODE(node, TG_VALUE, "unknown start '%.60s'; did you mean '%s'?", node->text, nearest);
  return wrong_type(at, node, tg_job_type_label(TG_JOB_START), "");
}

// A name of the user's: of a variable or of data. It must be one in an expression, too, where a function's name would
// mean the function, whatever is declared.
tg_status tg_job_check_name(const char *name)
{
  if (!tg_name_is_valid(name))
    TG_FAIL(TG_NAME, "'%.64s' is not a name: at most %d letters, digits and '_', beginning with a letter or '_'", name,
            TG_NAME_BYTES_MAX);
  if (tg_name_is_reserved(name)) TG_FAIL(TG_NAME, "'%s' is a function and cannot be declared", name);
  return TG_OK;
}

static tg_status check_names(tg_job *job, const location *at, tg_yaml_node *node)
{
  for (const tg_yaml_item *item = node->first; item != NULL; item = item->next) {
    const tg_status named = tg_error_locate(item->key->mark, tg_job_check_name(item->key->text));
    const location inside = below(at, "*", item->key->text);
    TG_TRY(keep(job, node, item, named == TG_OK ? check_node(job, &inside, item->value) : named));
  }
  return TG_OK;
}

// A word that is none of the option's choices: known but not there, misspelt, or strange.
static tg_status wrong_choice(const opt_option_row *row, const tg_yaml_node *node)
{
  const char *candidates[CANDIDATES_MAX];
  const char *const *choices = opt_option_choices(row->kind);
  int count = 0;
  while (choices[count] != NULL && count < CANDIDATES_MAX) {
    candidates[count] = choices[count];
    count++;
  }
  tg_text list;
  tg_text_init(&list);
  opt_option_print_range(row, &list);
  const char *nearest = tg_nearest_word(node->text, candidates, (size_t)count);
  tg_status status = TG_VALUE;
  if (nearest != NULL)
    status = tg_error_set_mark(TG_VALUE, TG_HERE, node->mark, "unknown %s '%.60s'; did you mean '%s'?", row->key,
                               node->text, nearest);
  else
    status = tg_error_set_mark(TG_VALUE, TG_HERE, node->mark, "unknown %s '%.60s'; there are %s", row->key, node->text,
                               tg_text_string(&list));
  tg_text_fini(&list);
  return status;
}

static tg_status set_option(tg_job *job, const opt_option_row *row, tg_yaml_node *node)
{
  const char *const *choices = opt_option_choices(row->kind);
  int count = 0;
  while (choices != NULL && choices[count] != NULL) count++;
  if (choices != NULL && !is_listed(node->text, choices, count)) return wrong_choice(row, node);
  if (row->kind == OPT_KIND_NUMBER || row->kind == OPT_KIND_COUNT) TG_TRY(tg_job_evaluate(job, node));
  return tg_error_locate(node->mark, opt_option_set(&job->spec.solver, row->key, node->text));
}

static tg_status check_solver(tg_job *job, const location *at, tg_yaml_node *node)
{
  for (const tg_yaml_item *item = node->first; item != NULL; item = item->next) {
    const opt_option_row *row = opt_option_find(item->key->text);
    if (row == NULL) {
      const char *candidates[CANDIDATES_MAX];
      int count = 0;
      for (; count < opt_option_count() && count < CANDIDATES_MAX; count++)
        candidates[count] = opt_option_at(count)->key;
      TG_TRY(keep(job, node, item, unknown_key(at, item->key, candidates, count)));
      continue;
    }
    const location inside = below(at, item->key->text, item->key->text);
    const tg_status text = check_text(&inside, item->value, "a value");
    TG_TRY(keep(job, node, item, text == TG_OK ? set_option(job, row, item->value) : text));
  }
  return TG_OK;
}

// ---- constraints ----

// A number, or the name of a datum; *is_number says that it is a number of the job. *is_one false: it is neither.
static tg_status read_bound(tg_job *job, tg_yaml_node *node, bool *is_one, bool *is_number, double *number)
{
  tg_yaml_node *datum = node->kind == TG_YAML_SCALAR ? tg_yaml_get(tg_yaml_get(job->root, "data"), node->text) : NULL;
  TG_TRY(tg_job_evaluate(job, datum != NULL ? datum : node));
  *is_number = tg_value_bound(node, number) || (datum != NULL && tg_value_number(datum, number));
  *is_one = *is_number || datum != NULL;
  return TG_OK;
}

static tg_status unknown_datum(const location *at, const tg_yaml_node *node)
{
  TG_FAIL_NODE(node, TG_NAME, "%s: '%.60s' is neither a number nor declared under 'data:'", at->shown, node->text);
}

static tg_status check_interval(tg_job *job, const location *at, tg_yaml_node *node)
{
  double bounds[2] = {0, 0};
  bool is_number[2];
  bool is_one = false;
  if (node->kind != TG_YAML_SEQUENCE || node->n_items != 2)
    return wrong_type(at, node, "two numbers [low, high], one of which may be -.inf or .inf, or names of data", "");
  tg_yaml_node *const ends[2] = {node->first->value, node->last->value};
  for (int k = 0; k < 2; k++) {
    TG_TRY(read_bound(job, ends[k], &is_one, &is_number[k], &bounds[k]));
    if (is_one) continue;
    if (ends[k]->kind == TG_YAML_SCALAR && tg_name_is_valid(ends[k]->text)) return unknown_datum(at, ends[k]);
    return wrong_type(at, node, "two numbers [low, high], one of which may be -.inf or .inf, or names of data", "");
  }
  const bool is_reversed = is_number[0] && is_number[1] && bounds[0] > bounds[1];
  if (is_reversed || (is_number[0] && bounds[0] == (double)INFINITY) ||
      (is_number[1] && bounds[1] == -(double)INFINITY))
    TG_FAIL_NODE(node, TG_VALUE, "%s needs low <= high, found [%.40s, %.40s]", at->shown, ends[0]->text, ends[1]->text);
  if (is_number[0] && is_number[1] && isinf(bounds[0]) && isinf(bounds[1]))
    TG_FAIL_NODE(node, TG_VALUE, "%s bounds nothing; leave the constraint out", at->shown);
  return TG_OK;
}

// A positive number, or the name of data with the sums.
static tg_status check_total(tg_job *job, const location *at, tg_yaml_node *node)
{
  double total = 0;
  bool is_number = false;
  bool is_known = false;
  if (node->kind == TG_YAML_NULL) return TG_OK;
  if (node->kind == TG_YAML_SCALAR) TG_TRY(read_bound(job, node, &is_known, &is_number, &total));
  if (!is_known && node->kind == TG_YAML_SCALAR && tg_name_is_valid(node->text)) return unknown_datum(at, node);
  if (!is_known || (is_number && !(total > 0 && isfinite(total))))
    return wrong_type(at, node, "a positive number or the name of data", "");
  return TG_OK;
}

static tg_status check_totals(tg_job *job, const location *at, const tg_yaml_node *node)
{
  const char *expected = "two names of data [r, c], the sums of the rows and of the columns";
  if (node->kind != TG_YAML_SEQUENCE || node->n_items != 2) return wrong_type(at, node, expected, "");
  for (const tg_yaml_item *item = node->first; item != NULL; item = item->next) {
    if (item->value->kind != TG_YAML_SCALAR || !tg_name_is_valid(item->value->text))
      return wrong_type(at, node, expected, "");
    if (tg_yaml_get(tg_yaml_get(job->root, "data"), item->value->text) == NULL) return unknown_datum(at, item->value);
  }
  return TG_OK;
}

static tg_status check_metric(tg_job *job, const location *at, const tg_yaml_node *node)
{
  if (node->kind == TG_YAML_NULL) return TG_OK;
  const tg_yaml_node *metric = tg_yaml_get(node, "metric");
  if (node->kind != TG_YAML_MAPPING || node->n_items != 1 || metric == NULL || metric->kind != TG_YAML_SCALAR)
    return wrong_type(at, node, "{metric: S}", "");
  if (tg_yaml_get(tg_yaml_get(job->root, "data"), metric->text) == NULL)
    TG_FAIL_NODE(metric, TG_NAME, "the metric '%.60s' is not declared under 'data:'", metric->text);
  return TG_OK;
}

static tg_status check_constraint_argument(tg_job *job, const location *at, const opt_constraint_row *row,
                                           tg_yaml_node *node)
{
  double value = 0;
  bool given = false;
  switch (row->argument) {
  case OPT_ARGUMENT_NONE:
    if (node->kind == TG_YAML_NULL || (tg_value_boolean(node, &given) && given)) return TG_OK;
    return wrong_type(at, node, "no argument", "");
  case OPT_ARGUMENT_RADIUS:
    TG_TRY(tg_job_evaluate(job, node));
    if (tg_value_number(node, &value) && value > 0) return TG_OK;
    return wrong_type(at, node, "a positive number", "");
  case OPT_ARGUMENT_INTERVAL:
    return check_interval(job, at, node);
  case OPT_ARGUMENT_TOTAL:
    return check_total(job, at, node);
  case OPT_ARGUMENT_TOTALS:
    return check_totals(job, at, node);
  case OPT_ARGUMENT_METRIC:
    return check_metric(job, at, node);
  }
  return TG_OK;
}

// The nearest one where there is one, and all of them: which there are is what somebody who misspells one looks for.
static tg_status unknown_constraint(const tg_yaml_node *name)
{
  const char *names[OPT_CONSTRAINT_COUNT];
  tg_text text;
  tg_text_init(&text);
  for (int k = 0; k < opt_constraint_count(); k++) names[k] = opt_constraint_at(k)->name;
  const char *nearest = tg_nearest_word(name->text, names, (size_t)opt_constraint_count());
  tg_text_addf(&text, "unknown constraint '%.60s'; ", name->text);
  if (nearest != NULL) tg_text_addf(&text, "did you mean '%s'? ", nearest);
  tg_text_add(&text, "there are ");
  for (int k = 0; k < opt_constraint_count(); k++) tg_text_addf(&text, "%s%s", k > 0 ? ", " : "", names[k]);
  const tg_status status = tg_error_set_mark(TG_NAME, TG_HERE, name->mark, "%s", tg_text_string(&text));
  tg_text_fini(&text);
  return status;
}

static tg_status check_constraint(tg_job *job, const location *at, const tg_yaml_node *node)
{
  const bool mapping = node->kind == TG_YAML_MAPPING;
  if ((mapping && node->n_items != 1) || (!mapping && node->kind != TG_YAML_SCALAR))
    return wrong_type(at, node, tg_job_type_label(TG_JOB_CONSTRAINT), "");
  const tg_yaml_node *name = mapping ? node->first->key : node;
  const opt_constraint_row *row = opt_constraint_find(name->text);
  if (row == NULL) return unknown_constraint(name);
  const location inside = below(at, "*", row->name);
  if (mapping) return check_constraint_argument(job, &inside, row, node->first->value);
  const bool is_optional =
      row->argument == OPT_ARGUMENT_NONE || row->argument == OPT_ARGUMENT_TOTAL || row->argument == OPT_ARGUMENT_METRIC;
  if (!is_optional)
    TG_FAIL_NODE(node, TG_VALUE, "the constraint %s needs an argument: {%s: %s}", row->name, row->name,
                 tg_constraint_argument_label(row->argument));
  return TG_OK;
}

// ---- dispatch by type ----

static tg_status check_list(const location *at, const tg_yaml_node *node, const tg_job_key *key)
{
  const char *entry = key->type == TG_JOB_WORDS ? "a name in each entry" : "an expression in each entry";
  if (node->kind != TG_YAML_SEQUENCE) return wrong_type(at, node, tg_job_type_label(key->type), "");
  for (const tg_yaml_item *item = node->first; item != NULL; item = item->next)
    TG_TRY(check_text(at, item->value, entry));
  return TG_OK;
}

// A datum that is no mapping: a number, or what looks like one meant otherwise.
static tg_status check_datum(tg_job *job, const location *at, tg_yaml_node *node, const tg_job_key *key)
{
  double number = 0;
  const tg_file_format *format = NULL;
  const bool is_file = node->kind == TG_YAML_SCALAR && strchr(node->text, '.') != NULL && !tg_value_is_decimal(node) &&
                       tg_file_find_format(node->text, &format) == TG_OK;
  tg_error_clear();
  if (is_file) TG_FAIL_NODE(node, TG_VALUE, "%s is the name of a file: write {file: %.200s}", at->shown, node->text);
  TG_TRY(tg_job_evaluate(job, node));
  return tg_value_number(node, &number) ? TG_OK : wrong_type(at, node, tg_job_type_label(key->type), "");
}

// A mapping, or the one other form that the type allows.
static tg_status check_section(tg_job *job, const location *at, tg_yaml_node *node, const tg_job_key *key)
{
  if (node->kind == TG_YAML_MAPPING) {
    if (key->type == TG_JOB_NAMES || key->type == TG_JOB_FILES) return check_names(job, at, node);
    return key->type == TG_JOB_SOLVER ? check_solver(job, at, node) : check_mapping(job, at, node);
  }
  // A variable of which nothing is said: all has a default.
  if (node->kind == TG_YAML_NULL && strcmp(at->pattern, "variables.*") == 0) {
    node->kind = TG_YAML_MAPPING;
    return TG_OK;
  }
  if (key->type == TG_JOB_DATA) return check_datum(job, at, node, key);
  const char *word = node->kind == TG_YAML_SCALAR ? node->text : "";
  if (key->type == TG_JOB_GRID && strcmp(word, "auto") == 0) return TG_OK;
  if (key->type == TG_JOB_FILES && strcmp(word, "none") == 0) return TG_OK;
  return wrong_type(at, node, tg_job_type_label(key->type), "");
}

static tg_status check_node(tg_job *job, const location *at, tg_yaml_node *node)
{
  const tg_job_key *key = find_key(at->pattern);
  TG_ASSERT(key != NULL);
  switch (key->type) {
  case TG_JOB_SIZE:
  case TG_JOB_WHOLE:
    return check_whole(job, at, node, key);
  case TG_JOB_NUMBER:
  case TG_JOB_DURATION:
    return check_number(job, at, node, key);
  case TG_JOB_BOOLEAN:
    return check_boolean(at, node);
  case TG_JOB_TEXT:
  case TG_JOB_EXPRESSION:
    return check_text(at, node, tg_job_type_label(key->type));
  case TG_JOB_EXPRESSIONS:
  case TG_JOB_WORDS:
    return check_list(at, node, key);
  case TG_JOB_SWEEP:
    return node->kind == TG_YAML_MAPPING ? TG_OK : wrong_type(at, node, tg_job_type_label(key->type), "");
  case TG_JOB_START:
    return check_start(job, at, node);
  case TG_JOB_CONSTRAINT:
    return check_constraint(job, at, node);
  default:
    return check_section(job, at, node, key);
  }
}

tg_status tg_job_validate(tg_job *job)
{
  if (job->root->kind == TG_YAML_NULL)
    TG_FAIL_NODE(job->root, TG_JOB, "the job file is empty; it needs at least minimize: and variables:");
  if (job->root->kind != TG_YAML_MAPPING)
    TG_FAIL_NODE(job->root, TG_JOB, "a job file is a mapping of keys such as 'minimize: tr(A*X)', found %s",
                 job->root->kind == TG_YAML_SEQUENCE ? "a list" : "a single value");
  const location top = {{0}, {0}};
  return check_mapping(job, &top, job->root);
}
