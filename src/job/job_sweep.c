// The keys of a sweep, read into the spec.
#include "job/job_sweep.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "grad/text/names.h"
#include "job/job_names.h"
#include "job/job_number.h"
#include "job/job_values.h"

enum { NUMBER_BYTES = 40, CANDIDATES_MAX = 64 };

static const double largest_seed = 1e15;

// ---- what an axis moves ----

// "X" and "seed" of "variables.X.seed"; false where the key is no such path.
static bool split_variable(const char *key, char *name, size_t room, const char **field)
{
  static const char section[] = "variables.";
  const char *dot = strrchr(key, '.');
  const char *begin = key + sizeof section - 1;
  if (strncmp(key, section, sizeof section - 1) != 0 || dot == NULL || dot <= begin) return false;
  if ((size_t)(dot - begin) >= room) return false;
  memcpy(name, begin, (size_t)(dot - begin));
  name[dot - begin] = '\0';
  *field = dot + 1;
  return true;
}

static tg_status find_in_variable(const tg_job *job, const tg_yaml_node *key, const char *name, const char *field,
                                  tg_sweep_axis *out)
{
  out->index = tg_spec_find_variable(&job->spec, name);
  if (out->index < 0) TG_FAIL_NODE(key, TG_NAME, "sweep: '%s' is no variable of this job", name);
  const tg_spec_variable *x = &job->spec.variables[out->index];
  out->target = strcmp(field, "seed") == 0 ? TG_SWEEP_SEED : TG_SWEEP_SCALE;
  if (out->target == TG_SWEEP_SCALE && strcmp(field, "scale") != 0)
    TG_FAIL_NODE(key, TG_NAME, "sweep: of a variable seed or scale may be swept, found '%s'", field);
  if (out->target == TG_SWEEP_SEED && !tg_start_is_random(x->start))
    TG_FAIL_NODE(key, TG_VALUE,
                 "sweep: the start of %s does not depend on a seed; give it start: normal, uniform or feasible", name);
  return TG_OK;
}

static tg_status find_option(const tg_yaml_node *key, tg_sweep_axis *out)
{
  const char *name = strchr(key->text, '.') + 1;
  const char *candidates[CANDIDATES_MAX];
  int n = 0;
  out->target = TG_SWEEP_OPTION;
  for (int k = 0; k < opt_option_count(); k++) {
    out->index = k;
    if (strcmp(opt_option_at(k)->key, name) == 0) return TG_OK;
    if (n < CANDIDATES_MAX) candidates[n++] = opt_option_at(k)->key;
  }
  const char *nearest = tg_nearest_word(name, candidates, (size_t)n);
  TG_FAIL_NODE(key, TG_NAME, "sweep: solver has no key '%.60s'%s%s%s", name, nearest != NULL ? "; did you mean '" : "",
               nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
}

static tg_status find_number(const tg_job *job, const tg_yaml_node *key, tg_sweep_axis *out)
{
  static const char expected[] = "a number of data, solver.KEY, variables.X.seed or variables.X.scale";
  out->target = TG_SWEEP_NUMBER;
  return tg_job_find_number(job, key, "sweep", expected, &out->index);
}

static tg_status find_target(const tg_job *job, const tg_yaml_node *key, tg_sweep_axis *out)
{
  char name[NUMBER_BYTES * 4];
  const char *field = NULL;
  out->name = key->text;
  out->mark = key->mark;
  if (strncmp(key->text, "solver.", 7) == 0) return find_option(key, out);
  if (split_variable(key->text, name, sizeof name, &field)) return find_in_variable(job, key, name, field, out);
  return find_number(job, key, out);
}

// ---- values ----

// Whether the axis takes it; the text is what the solver's options are set by.
static tg_status check_value(const tg_job *job, const tg_sweep_axis *axis, tg_mark mark, const tg_sweep_value *value)
{
  opt_options scratch = job->spec.solver;
  const bool is_whole = value->number >= 0 && value->number <= largest_seed && floor(value->number) == value->number;
  if (axis->target == TG_SWEEP_OPTION)
    return tg_error_locate(mark, opt_option_set(&scratch, opt_option_at(axis->index)->key, value->text));
  if (isnan(value->number))
    TG_FAIL_MARK(TG_VALUE, mark, "sweep: %s needs a finite number, found '%.40s'", axis->name, value->text);
  if (axis->target == TG_SWEEP_SEED && !is_whole)
    TG_FAIL_MARK(TG_VALUE, mark, "sweep: %s needs a whole number from 0 to 1e15, found %.40s", axis->name, value->text);
  return TG_OK;
}

// Words are no expressions: l-bfgs is no difference.
static bool takes_numbers(const tg_sweep_axis *axis)
{
  const opt_option_row *row = axis->target == TG_SWEEP_OPTION ? opt_option_at(axis->index) : NULL;
  return row == NULL || row->kind == OPT_KIND_NUMBER || row->kind == OPT_KIND_COUNT;
}

static tg_status read_list(tg_job *job, const tg_yaml_node *node, tg_sweep_axis *out)
{
  tg_sweep_value *values = NULL;
  if (node->n_items == 0) TG_FAIL_NODE(node, TG_VALUE, "sweep: the list of %s is empty", out->name);
  TG_TRY(TG_ARENA_NEW(&job->arena, (size_t)node->n_items, &values));
  for (const tg_yaml_item *item = node->first; item != NULL; item = item->next) {
    tg_sweep_value *value = &values[out->n++];
    if (item->value->kind != TG_YAML_SCALAR)
      TG_FAIL_NODE(item->value, TG_VALUE, "sweep: a value of %s is a single number or word", out->name);
    if (takes_numbers(out)) TG_TRY(tg_job_evaluate(job, item->value));
    value->text = item->value->text;
    if (!tg_value_number(item->value, &value->number)) value->number = (double)NAN;
    TG_TRY(check_value(job, out, item->value->mark, value));
  }
  out->values = values;
  return TG_OK;
}

// Both ends are hit exactly.
static double between(bool is_log, double first, double last, int64_t k, int64_t n)
{
  const double share = n > 1 ? (double)k / (double)(n - 1) : 0;
  if (k == 0) return first;
  if (k == n - 1) return last;
  return is_log ? first * pow(last / first, share) : first + (last - first) * share;
}

// How many points are taken for meant.
static int64_t limit_of(const tg_job *job)
{
  int64_t limit = TG_SWEEP_POINTS_MAX;
  const tg_yaml_node *given = tg_yaml_get(job->root, "sweep_limit");
  if (given != NULL) tg_value_whole(given, &limit);
  return limit;
}

// [first, last, how many]
static tg_status read_ends(tg_job *job, const tg_yaml_node *node, const char *kind, const char *axis, double ends[2],
                           int64_t *n)
{
  const tg_yaml_item *items[3] = {NULL, NULL, NULL};
  if (node->kind == TG_YAML_SEQUENCE && node->n_items == 3) {
    items[0] = node->first;
    items[1] = items[0]->next;
    items[2] = items[1]->next;
    for (int k = 0; k < 3; k++) TG_TRY(tg_job_evaluate(job, items[k]->value));
  }
  if (items[2] == NULL || !tg_value_number(items[0]->value, &ends[0]) || !tg_value_number(items[1]->value, &ends[1]) ||
      !tg_value_whole(items[2]->value, n))
    TG_FAIL_NODE(node, TG_VALUE, "sweep: %s of %s needs [FIRST, LAST, HOW MANY], such as [1e-4, 1e2, 100]", kind, axis);
  if (*n < 1) TG_FAIL_NODE(items[2]->value, TG_VALUE, "sweep: the range of %s is empty: %" PRId64 " values", axis, *n);
  if (*n > limit_of(job))
    TG_FAIL_NODE(items[2]->value, TG_LIMIT, "sweep: %" PRId64 " values of %s, expected at most %" PRId64, *n, axis,
                 limit_of(job));
  if (*n == 1 && ends[0] != ends[1])
    TG_FAIL_NODE(items[2]->value, TG_VALUE, "sweep: one value of %s cannot reach from %g to %g", axis, ends[0],
                 ends[1]);
  return TG_OK;
}

// In the job's arena. Whole numbers have digits only: a count takes nothing else.
static tg_status print_number(tg_job *job, double number, const char **out)
{
  const bool is_whole = fabs(number) < largest_seed && floor(number) == number;
  tg_text text;
  tg_text_init(&text);
  if (is_whole)
    tg_text_addf(&text, "%.0f", number);
  else
    tg_text_add_number(&text, number);
  tg_status status = tg_text_status(&text);
  if (status == TG_OK) status = tg_arena_string(&job->arena, tg_text_string(&text), text.length, out);
  tg_text_fini(&text);
  return status;
}

static tg_status read_range(tg_job *job, const tg_yaml_node *node, tg_sweep_axis *out)
{
  const tg_yaml_item *item = node->first;
  const bool is_log = node->n_items == 1 && strcmp(item->key->text, "logspace") == 0;
  double ends[2] = {0, 0};
  int64_t n = 0;
  tg_sweep_value *values = NULL;
  if (node->n_items != 1 || (!is_log && strcmp(item->key->text, "linspace") != 0))
    TG_FAIL_NODE(node, TG_VALUE, "sweep: %s is a list, {logspace: [a, b, n]} or {linspace: [a, b, n]}", out->name);
  TG_TRY(read_ends(job, item->value, item->key->text, out->name, ends, &n));
  if (is_log && !(ends[0] > 0 && ends[1] > 0))
    TG_FAIL_NODE(item->value, TG_VALUE, "sweep: logspace of %s goes between positive numbers, found %g and %g",
                 out->name, ends[0], ends[1]);
  TG_TRY(TG_ARENA_NEW(&job->arena, (size_t)n, &values));
  for (int64_t k = 0; k < n; k++) {
    values[k].number = between(is_log, ends[0], ends[1], k, n);
    TG_TRY(print_number(job, values[k].number, &values[k].text));
    TG_TRY(check_value(job, out, item->value->mark, &values[k]));
  }
  out->n = (int)n;
  out->values = values;
  return TG_OK;
}

static tg_status read_axis(tg_job *job, const tg_yaml_item *item, tg_sweep_axis *out)
{
  TG_TRY(find_target(job, item->key, out));
  if (item->value->kind == TG_YAML_SEQUENCE) return read_list(job, item->value, out);
  if (item->value->kind == TG_YAML_MAPPING) return read_range(job, item->value, out);
  TG_FAIL_NODE(item->value, TG_VALUE, "sweep: %s is a list, {logspace: [a, b, n]} or {linspace: [a, b, n]}", out->name);
}

// data.lambda and lambda are the same number.
static tg_status refuse_twice(const tg_yaml_item *item, const tg_sweep_axis *axes, int n)
{
  for (int k = 0; k < n - 1; k++)
    if (axes[k].target == axes[n - 1].target && axes[k].index == axes[n - 1].index)
      TG_FAIL_NODE(item->key, TG_JOB, "sweep: %s is swept twice", axes[n - 1].name);
  return TG_OK;
}

// ---- folds ----

static tg_status find_divided(const tg_job *job, const tg_yaml_node *word, tg_fold_kind kind, int *out)
{
  TG_TRY(tg_job_find_matrix(job, word, "folds", out));
  const tg_spec_data *datum = &job->spec.data[*out];
  if (datum->source == TG_SOURCE_GENERATOR)
    TG_FAIL_NODE(word, TG_VALUE, "folds: %s is generated, expected data of a file: a fold of it tells nothing",
                 word->text);
  if (datum->property != NULL)
    TG_FAIL_NODE(word, TG_VALUE, "folds: %s is declared %s, which it is no longer without a part of its %s", word->text,
                 datum->property, kind == TG_FOLD_ENTRIES ? "entries" : "rows or columns");
  return TG_OK;
}

static tg_status read_divided(tg_job *job, const tg_yaml_node *node, tg_folds *folds)
{
  const tg_yaml_item *of = tg_yaml_find(node, "of");
  int *data = NULL;
  tg_mark *marks = NULL;
  if (of == NULL || of->value->n_items == 0)
    TG_FAIL_NODE(node, TG_JOB, "folds: needs of:, the matrices that are divided, such as [X, Y]");
  if (folds->kind == TG_FOLD_ENTRIES && of->value->n_items > 1)
    TG_FAIL_NODE(of->value, TG_VALUE, "folds: entries are left out by one matrix of weights, found %d names",
                 of->value->n_items);
  TG_TRY(TG_ARENA_NEW(&job->arena, (size_t)of->value->n_items, &data));
  TG_TRY(TG_ARENA_NEW(&job->arena, (size_t)of->value->n_items, &marks));
  for (const tg_yaml_item *item = of->value->first; item != NULL; item = item->next) {
    TG_TRY(find_divided(job, item->value, folds->kind, &data[folds->n_of]));
    marks[folds->n_of] = item->value->mark;
    for (int k = 0; k < folds->n_of; k++)
      if (data[k] == data[folds->n_of])
        TG_FAIL_NODE(item->value, TG_VALUE, "folds: %s is named twice", item->value->text);
    folds->n_of++;
  }
  folds->of = data;
  folds->of_marks = marks;
  return TG_OK;
}

// How many, of what.
static tg_status read_kind(const tg_yaml_node *node, tg_folds *folds)
{
  static const char *const kinds[] = {
      [TG_FOLD_ROWS] = "rows", [TG_FOLD_COLUMNS] = "columns", [TG_FOLD_ENTRIES] = "entries"};
  int found = 0;
  for (int k = TG_FOLD_ROWS; k <= TG_FOLD_ENTRIES; k++) {
    const tg_yaml_node *count = tg_yaml_get(node, kinds[k]);
    int64_t n = 0;
    if (count == NULL || !tg_value_whole(count, &n)) continue;
    if (++found > 1) TG_FAIL_NODE(count, TG_JOB, "folds: either rows, columns or entries, found several");
    folds->kind = (tg_fold_kind)k;
    folds->n = (int)n;
    folds->n_mark = count->mark;
  }
  if (found == 0) TG_FAIL_NODE(node, TG_JOB, "folds: needs rows:, columns: or entries:, how many folds there are");
  return TG_OK;
}

static tg_status read_draw(const tg_yaml_node *node, tg_folds *folds)
{
  int64_t seed = 1;
  const tg_yaml_node *given = tg_yaml_get(node, "seed");
  const tg_yaml_node *shuffle = tg_yaml_get(node, "shuffle");
  folds->is_shuffled = true;
  if (shuffle != NULL) tg_value_boolean(shuffle, &folds->is_shuffled);
  if (given != NULL) tg_value_whole(given, &seed);
  folds->seed = (uint64_t)seed;
  if (!folds->is_shuffled && given != NULL)
    TG_FAIL_NODE(given, TG_JOB, "folds: a seed draws nothing with shuffle: false");
  if (!folds->is_shuffled && folds->kind == TG_FOLD_ENTRIES)
    TG_FAIL_NODE(shuffle, TG_VALUE, "folds: entries are always drawn by the seed, found shuffle: false");
  return TG_OK;
}

static tg_status read_folds(tg_job *job, const tg_yaml_item *item, tg_folds **out)
{
  const tg_yaml_node *node = item->value;
  const tg_yaml_node *score = tg_yaml_get(node, "score");
  TG_TRY(TG_ARENA_NEW(&job->arena, 1, out));
  (*out)->mark = item->key->mark;
  TG_TRY(read_kind(node, *out));
  TG_TRY(read_divided(job, node, *out));
  TG_TRY(read_draw(node, *out));
  if (score == NULL)
    TG_FAIL_NODE(node, TG_JOB,
                 "folds: needs score:, such as \"sumsq(Y - X*W)/sumsq(Y)\", which the data of a fold judge");
  return tg_job_excerpt(job, score, &(*out)->score);
}

// The folds are the first axis: those points are neighbours that share the data of one.
static tg_status add_fold_axis(tg_job *job, const tg_folds *folds, tg_sweep_axis *out)
{
  tg_sweep_value *values = NULL;
  TG_TRY(TG_ARENA_NEW(&job->arena, (size_t)folds->n, &values));
  for (int k = 0; k < folds->n; k++) {
    values[k].number = k + 1;
    TG_TRY(print_number(job, values[k].number, &values[k].text));
  }
  *out = (tg_sweep_axis){.name = "fold", .mark = folds->mark, .target = TG_SWEEP_FOLD, .n = folds->n, .values = values};
  return TG_OK;
}

// ---- all of them ----

static tg_status count_points(const tg_job *job, tg_sweep *sweep)
{
  double points = 1;
  for (int k = 0; k < sweep->n_axes; k++) points *= sweep->axes[k].n;
  if (points > (double)limit_of(job))
    TG_FAIL_MARK(TG_LIMIT, sweep->mark,
                 "sweep: %.0f points, expected at most %" PRId64
                 "; make the ranges coarser, or allow them with sweep_limit, "
                 "for which tracegrad plan says what they cost",
                 points, limit_of(job));
  sweep->n_points = (int64_t)points;
  return TG_OK;
}

static tg_status read_axes(tg_job *job, const tg_yaml_node *node, const tg_folds *folds, tg_sweep *sweep)
{
  tg_sweep_axis *axes = NULL;
  const int n_items = node != NULL ? node->n_items : 0;
  const int most = TG_SWEEP_AXES_MAX - (folds != NULL);
  if (node != NULL && n_items == 0)
    TG_FAIL_NODE(node, TG_VALUE, "sweep: is empty; write sweep: {lambda: {logspace: [1e-4, 1e2, 100]}}");
  if (n_items > most) TG_FAIL_NODE(node, TG_LIMIT, "sweep: %d keys, expected at most %d", n_items, most);
  TG_TRY(TG_ARENA_NEW(&job->arena, (size_t)n_items + 1, &axes));
  sweep->axes = axes;
  if (folds != NULL) TG_TRY(add_fold_axis(job, folds, &axes[sweep->n_axes++]));
  for (const tg_yaml_item *item = node != NULL ? node->first : NULL; item != NULL; item = item->next) {
    tg_status status = read_axis(job, item, &axes[sweep->n_axes]);
    sweep->n_axes++;
    if (status == TG_OK) status = refuse_twice(item, axes, sweep->n_axes);
    TG_TRY(tg_errors_take(&job->errors, status));
  }
  return count_points(job, sweep);
}

// ---- what a point leaves ----

static tg_status read_kept(tg_job *job, const tg_yaml_node *word, tg_sweep *sweep, bool *variables)
{
  if (strcmp(word->text, "report") == 0) {
    sweep->keeps_report = true;
    return TG_OK;
  }
  if (strcmp(word->text, "history") == 0) {
    sweep->keeps_history = true;
    return TG_OK;
  }
  const int k = tg_spec_find_variable(&job->spec, word->text);
  if (k < 0)
    TG_FAIL_NODE(word, TG_NAME, "keep: '%.60s' is neither report nor history nor a variable of this job", word->text);
  variables[k] = true;
  return TG_OK;
}

// Without the key a point leaves what a run does.
static tg_status read_keep(tg_job *job, tg_sweep *sweep)
{
  const tg_yaml_node *list = tg_yaml_get(job->root, "keep");
  bool *variables = NULL;
  TG_TRY(TG_ARENA_NEW(&job->arena, (size_t)job->spec.n_variables + 1, &variables));
  sweep->keeps_variable = variables;
  sweep->keeps_report = sweep->keeps_history = list == NULL;
  for (int k = 0; k < job->spec.n_variables && list == NULL; k++) variables[k] = true;
  for (const tg_yaml_item *item = list != NULL ? list->first : NULL; item != NULL; item = item->next)
    TG_TRY(tg_errors_take(&job->errors, read_kept(job, item->value, sweep, variables)));
  return TG_OK;
}

static tg_status read_start(const tg_job *job, tg_sweep *sweep)
{
  static const char *const names[] = {"auto", "warm", "cold"};
  const tg_yaml_node *node = tg_yaml_get(job->root, "sweep_start");
  if (node == NULL) return TG_OK;
  for (int k = 0; k < 3; k++) {
    if (strcmp(node->text, names[k]) != 0) continue;
    sweep->start = (tg_sweep_start)k;
    return TG_OK;
  }
  TG_FAIL_NODE(node, TG_VALUE, "sweep_start is auto, warm or cold, found '%.60s'", node->text);
}

static tg_status read_groups(const tg_job *job, tg_sweep *sweep)
{
  const tg_yaml_node *node = tg_yaml_get(job->root, "sweep_groups");
  int64_t n = 1;
  sweep->n_groups = 1;
  if (node == NULL) return TG_OK;
  sweep->groups_mark = node->mark;
  if (strcmp(node->text, "auto") == 0) {
    sweep->n_groups = TG_SWEEP_GROUPS_AUTO;
    return TG_OK;
  }
  if (!tg_value_whole(node, &n) || n < 1 || n > TG_SWEEP_GROUPS_MAX)
    TG_FAIL_NODE(node, TG_VALUE,
                 "sweep_groups is auto or how many groups of ranks there are, at least 1, found '%.60s'", node->text);
  sweep->n_groups = (int)n;
  return TG_OK;
}

// The keys that say something about a sweep, where there is none.
static tg_status refuse_without(const tg_job *job)
{
  static const char *const keys[] = {"sweep_start", "sweep_groups", "sweep_limit", "keep"};
  return tg_job_refuse_keys(job, keys, sizeof keys / sizeof keys[0],
                            "belongs to a sweep, and this job has no key sweep");
}

tg_status tg_job_read_sweep(tg_job *job)
{
  const tg_yaml_item *axes = tg_yaml_find(job->root, "sweep");
  const tg_yaml_item *folded = tg_yaml_find(job->root, "folds");
  const bool has_folds = folded != NULL && folded->value->kind == TG_YAML_MAPPING;
  tg_sweep *sweep = NULL;
  tg_folds *folds = NULL;
  if (tg_yaml_get(job->root, "sweep") == NULL) axes = NULL;
  if (axes == NULL && !has_folds) return refuse_without(job);
  TG_TRY(TG_ARENA_NEW(&job->arena, 1, &sweep));
  sweep->mark = (axes != NULL ? axes : folded)->key->mark;
  if (has_folds) TG_TRY(read_folds(job, folded, &folds));
  TG_TRY(read_axes(job, axes != NULL ? axes->value : NULL, folds, sweep));
  TG_TRY(read_keep(job, sweep));
  TG_TRY(read_start(job, sweep));
  TG_TRY(read_groups(job, sweep));
  job->spec.sweep = sweep;
  job->spec.folds = folds;
  return TG_OK;
}
