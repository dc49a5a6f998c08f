// The validated tree to the typed job.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "grad/graph/graph.h"
#include "job/job_sensitivity.h"
#include "job/job_set.h"
#include "job/job_sweep.h"
#include "job/job_tune.h"
#include "job/job_validate.h"
#include "job/job_values.h"
#include "job/relation.h"
#include "mpi/file/files.h"
#include "mpi/product/product.h"

// ---- values that are known to be well formed ----

static int64_t whole(const tg_yaml_node *node, int64_t fallback)
{
  int64_t value = fallback;
  tg_value_whole(node, &value);
  return value;
}

static double number(const tg_yaml_node *node, double fallback)
{
  double value = fallback;
  tg_value_number(node, &value);
  return value;
}

static bool is_true(const tg_yaml_node *node)
{
  bool value = false;
  return tg_value_boolean(node, &value) && value;
}

static const char *text_of(const tg_yaml_node *node)
{
  return node != NULL && node->kind == TG_YAML_SCALAR ? node->text : NULL;
}

// `columns` or `cols`, not both.
static tg_status read_columns(const tg_yaml_node *node, int64_t *out)
{
  const tg_yaml_item *columns = tg_yaml_find(node, "columns");
  const tg_yaml_item *cols = tg_yaml_find(node, "cols");
  if (columns != NULL && cols != NULL)
    TG_FAIL_NODE(cols->key, TG_JOB, "columns and cols are the same key; give one of them");
  *out = whole(columns != NULL ? columns->value : cols != NULL ? cols->value : NULL, 0);
  return TG_OK;
}

// A matrix whose bytes no machine has is a misprint: it is refused here, before anything is computed with its size.
static tg_status check_size(const char *name, tg_mark mark, int64_t rows, int64_t cols)
{
  const double bytes = (double)rows * (double)cols * 8.0;
  if (bytes > 0x1p53)
    TG_FAIL_MARK(TG_LIMIT, mark, "%s: %lld x %lld entries need %.3g bytes, more than the 8 PiB that are allowed", name,
                 (long long)rows, (long long)cols, bytes);
  return TG_OK;
}

// ---- variables ----

static tg_status read_start(tg_job *job, const tg_yaml_node *node, tg_spec_variable *out)
{
  const tg_yaml_node *start = tg_yaml_get(node, "start");
  out->start_is_given = start != NULL;
  const char *file = text_of(tg_yaml_get(start, "file"));
  if (file != NULL) {
    out->start = TG_START_FILE;
    out->start_dataset = text_of(tg_yaml_get(start, "dataset"));
    out->start_mark = tg_yaml_get(start, "file")->mark;
    TG_TRY(tg_job_path(job, file, &out->start_file));
  } else if (start != NULL) {
    out->start_mark = start->mark;
    tg_start_find(start->text, &out->start);
  } else if (tg_spec_on_manifold(out->constraint)) {
    out->start = TG_START_FEASIBLE; // the default elsewhere, zeros, is far from every point of it
  }
  if (out->start == TG_START_IDENTITY && out->rows > 0 && out->cols > 0 && out->rows != out->cols)
    TG_FAIL_NODE(start, TG_SHAPE, "start: identity needs a square matrix, %s is %lld x %lld", out->name,
                 (long long)out->rows, (long long)out->cols);
  if (out->start == TG_START_FEASIBLE && out->constraint == NULL)
    TG_FAIL_NODE(start, TG_VALUE,
                 "start: feasible is a random point of the constraint set, and %s has no constraint; give it one, or "
                 "take start: normal",
                 out->name);
  return TG_OK;
}

static tg_status read_variable(tg_job *job, const tg_yaml_item *item, tg_spec_variable *out)
{
  const tg_yaml_node *node = item->value;
  *out = (tg_spec_variable){.name = item->key->text, .mark = item->key->mark};
  out->rows = whole(tg_yaml_get(node, "rows"), 0);
  TG_TRY(read_columns(node, &out->cols));
  TG_TRY(check_size(out->name, out->mark, out->rows, out->cols));
  const tg_yaml_node *seed = tg_yaml_get(node, "seed");
  const tg_yaml_node *scale = tg_yaml_get(node, "scale");
  out->seed = (uint64_t)whole(seed, 1);
  out->seed_is_given = seed != NULL;
  if (seed != NULL) out->seed_mark = seed->mark;
  out->scale = number(scale, 1.0);
  out->scale_is_given = scale != NULL;
  const tg_yaml_node *constraint = tg_yaml_get(node, "constraint");
  if (constraint != NULL) {
    const tg_yaml_node *name = constraint->kind == TG_YAML_MAPPING ? constraint->first->key : constraint;
    out->constraint = name->text;
    out->constraint_mark = name->mark;
  }
  return read_start(job, node, out);
}

// A failure in variables or data, which is kept: what depends on them is not looked at.
static tg_status keep_vital(tg_job *job, tg_status status)
{
  job->is_incomplete = job->is_incomplete || status != TG_OK;
  return tg_errors_take(&job->errors, status);
}

static tg_status read_variables(tg_job *job)
{
  const tg_yaml_node *names = tg_yaml_get(job->root, "variables");
  if (names == NULL || names->n_items == 0)
    TG_FAIL_NODE(names != NULL ? names : job->root, TG_JOB,
                 "variables: is %s; declare what is to be found, such as variables: {X: {}}",
                 names != NULL ? "empty" : "missing");
  TG_TRY(TG_ARENA_NEW(&job->arena, (size_t)names->n_items, &job->spec.variables));
  for (const tg_yaml_item *item = names->first; item != NULL; item = item->next)
    TG_TRY(keep_vital(job, read_variable(job, item, &job->spec.variables[job->spec.n_variables++])));
  return TG_OK;
}

// ---- data ----

static void read_properties(const tg_yaml_node *node, tg_spec_data *out)
{
  static const struct {
    const char *key;
    unsigned property;
    unsigned implied;
  } rows[] = {{"spd", TG_SPD, TG_SYMMETRIC},
              {"diagonal", TG_DIAGONAL, TG_SYMMETRIC},
              {"orthogonal", TG_ORTHOGONAL, 0},
              {"symmetric", TG_SYMMETRIC, 0}};
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    const tg_yaml_item *item = tg_yaml_find(node, rows[k].key);
    if (item != NULL) out->stated |= rows[k].property;
    if (item == NULL || !is_true(item->value)) continue;
    out->properties |= rows[k].property | rows[k].implied;
    if (out->property != NULL) continue;
    out->property = rows[k].key;
    out->property_mark = item->key->mark;
  }
}

// The first of the given keys that is present, or NULL.
static const tg_yaml_item *first_present(const tg_yaml_node *node, const char *const *keys, size_t count)
{
  for (size_t k = 0; k < count; k++) {
    const tg_yaml_item *item = tg_yaml_find(node, keys[k]);
    if (item != NULL) return item;
  }
  return NULL;
}

static tg_status read_file_data(tg_job *job, const tg_yaml_node *node, tg_spec_data *out)
{
  static const char *const foreign[] = {"rows", "columns", "cols", "seed", "scale", "condition", "ratio"};
  const tg_yaml_item *stray = first_present(node, foreign, sizeof foreign / sizeof foreign[0]);
  if (stray != NULL)
    TG_FAIL_NODE(stray->key, TG_JOB, "%s belongs to generated data; %s is read from a file", stray->key->text,
                 out->name);
  const tg_yaml_node *file = tg_yaml_get(node, "file");
  out->dataset = text_of(tg_yaml_get(node, "dataset"));
  out->file_mark = file->mark;
  TG_TRY(tg_job_path(job, file->text, &out->file));
  const tg_file_format *format = NULL;
  TG_TRY(tg_error_locate(file->mark, tg_file_find_format(out->file, &format)));
  if (out->dataset != NULL && !format->holds_datasets)
    TG_FAIL_NODE(tg_yaml_find(node, "dataset")->key, TG_JOB, "a %s file has no datasets", format->label);
  return TG_OK;
}

static tg_status check_generated(const tg_yaml_node *node, tg_spec_data *out)
{
  static const char *const names[] = {"seed", "scale", "condition", "ratio"};
  for (int kind = 0; kind < tg_generate_count(); kind++) {
    if (strcmp(tg_generate_label(kind), out->generate) != 0) continue;
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
      const tg_yaml_item *item = tg_yaml_find(node, names[k]);
      if (item != NULL && !tg_generate_takes(kind, names[k]))
        TG_FAIL_NODE(item->key, TG_JOB, "generate: %s takes no %s", out->generate, names[k]);
    }
    // The other kinds are symmetric or not by their nature: there the key is a claim, verified like any.
    if (!tg_generate_takes(kind, "symmetric")) out->options.symmetric = false;
  }
  return tg_error_locate(tg_yaml_get(node, "generate")->mark,
                         tg_generate_check(out->generate, out->rows, out->cols, &out->options));
}

static tg_status read_size(const tg_yaml_node *node, const char *what, tg_spec_data *out)
{
  out->rows = whole(tg_yaml_get(node, "rows"), 0);
  TG_TRY(read_columns(node, &out->cols));
  if (out->rows == 0) TG_FAIL_MARK(TG_JOB, out->mark, "%s %s needs rows", what, out->name);
  if (out->cols == 0) out->cols = out->rows;
  return check_size(out->name, out->mark, out->rows, out->cols);
}

// The numbers are the caller's, who gives them after the job is read.
static tg_status read_data_in_memory(const tg_yaml_node *node, tg_spec_data *out)
{
  static const char *const foreign[] = {"dataset", "seed", "scale", "condition", "ratio"};
  const tg_yaml_item *stray = first_present(node, foreign, sizeof foreign / sizeof foreign[0]);
  if (stray != NULL)
    TG_FAIL_NODE(stray->key, TG_JOB, "%s belongs to other data; %s is in memory", stray->key->text, out->name);
  return read_size(node, "the matrix in memory", out);
}

static tg_status read_generated_data(const tg_yaml_node *node, tg_spec_data *out)
{
  const tg_yaml_item *stray = tg_yaml_find(node, "dataset");
  if (stray != NULL) TG_FAIL_NODE(stray->key, TG_JOB, "dataset belongs to data read from a file");
  const tg_yaml_node *kind = tg_yaml_get(node, "generate");
  out->generate = kind->text;
  TG_TRY(read_size(node, "generated data", out));
  out->options = (tg_generate_options){
      .seed = (uint64_t)whole(tg_yaml_get(node, "seed"), 1),
      .scale = number(tg_yaml_get(node, "scale"), 1.0),
      .condition = number(tg_yaml_get(node, "condition"), 0.0),
      .ratio = number(tg_yaml_get(node, "ratio"), 0.0),
      .symmetric = is_true(tg_yaml_get(node, "symmetric")),
  };
  return check_generated(node, out);
}

static tg_status read_datum(tg_job *job, const tg_yaml_item *item, tg_spec_data *out)
{
  const tg_yaml_node *node = item->value;
  *out = (tg_spec_data){.name = item->key->text, .mark = item->key->mark};
  if (tg_spec_find_variable(&job->spec, out->name) >= 0)
    TG_FAIL_NODE(item->key, TG_NAME, "'%s' is declared under 'variables:' as well", out->name);
  if (tg_value_number(node, &out->number)) {
    out->source = TG_SOURCE_NUMBER;
    out->rows = out->cols = 1;
    return TG_OK;
  }
  const bool from_file = tg_yaml_get(node, "file") != NULL;
  const bool generated = tg_yaml_get(node, "generate") != NULL;
  const bool in_memory = is_true(tg_yaml_get(node, "memory"));
  if (from_file + generated + in_memory != 1)
    TG_FAIL_NODE(item->key, TG_JOB, "data %s needs %s: file or generate", out->name,
                 from_file || generated ? "one of the two, not both" : "its source");
  read_properties(node, out);
  out->trust = is_true(tg_yaml_get(node, "trust"));
  out->source = from_file ? TG_SOURCE_FILE : generated ? TG_SOURCE_GENERATOR : TG_SOURCE_MEMORY;
  if (in_memory) return read_data_in_memory(node, out);
  return from_file ? read_file_data(job, node, out) : read_generated_data(node, out);
}

static tg_status read_data(tg_job *job)
{
  const tg_yaml_node *names = tg_yaml_get(job->root, "data");
  if (names == NULL) return TG_OK;
  TG_TRY(TG_ARENA_NEW(&job->arena, (size_t)names->n_items + 1, &job->spec.data));
  for (const tg_yaml_item *item = names->first; item != NULL; item = item->next) {
    TG_TRY(keep_vital(job, read_datum(job, item, &job->spec.data[job->spec.n_data])));
    job->spec.n_data++;
  }
  return TG_OK;
}

// ---- parts ----

static tg_status read_part(tg_job *job, const tg_yaml_item *item, tg_spec_part *out)
{
  const char *name = item->key->text;
  const bool is_variable = tg_spec_find_variable(&job->spec, name) >= 0;
  if (is_variable || tg_spec_find_data(&job->spec, name) >= 0)
    TG_FAIL_NODE(item->key, TG_NAME, "'%s' is declared under '%s:' as well; a part needs a name of its own", name,
                 is_variable ? "variables" : "data");
  *out = (tg_spec_part){.name = name, .mark = item->key->mark};
  return tg_job_excerpt(job, item->value, &out->value);
}

static tg_status read_parts(tg_job *job)
{
  const tg_yaml_node *names = tg_yaml_get(job->root, "define");
  tg_spec_part *parts = NULL;
  if (names == NULL) return TG_OK;
  TG_TRY(TG_ARENA_NEW(&job->arena, (size_t)names->n_items + 1, &parts));
  job->spec.parts = parts;
  for (const tg_yaml_item *item = names->first; item != NULL; item = item->next)
    TG_TRY(keep_vital(job, read_part(job, item, &parts[job->spec.n_parts++])));
  return TG_OK;
}

// ---- arguments of constraints ----

static void read_argument(const tg_spec *spec, const tg_yaml_node *node, tg_spec_argument *out)
{
  *out = (tg_spec_argument){.mark = node->mark};
  if (tg_value_bound(node, &out->number)) {
    out->kind = TG_ARGUMENT_NUMBER;
  } else if (node->kind == TG_YAML_SCALAR) {
    out->datum = tg_spec_find_data(spec, node->text);
    if (out->datum >= 0) out->kind = TG_ARGUMENT_DATUM;
  }
}

// Data are named, so that they must have been read.
static void read_arguments(tg_job *job)
{
  for (int k = 0; k < job->spec.n_variables; k++) {
    tg_spec_variable *x = &job->spec.variables[k];
    const tg_yaml_node *constraint =
        tg_yaml_get(tg_yaml_get(tg_yaml_get(job->root, "variables"), x->name), "constraint");
    const tg_yaml_node *given =
        constraint != NULL && constraint->kind == TG_YAML_MAPPING ? constraint->first->value : NULL;
    const tg_yaml_node *metric = tg_yaml_get(given, "metric");
    if (given == NULL) continue;
    if (given->kind == TG_YAML_SEQUENCE) {
      if (given->n_items != 2) continue; // refused already
      read_argument(&job->spec, given->first->value, &x->arguments[0]);
      read_argument(&job->spec, given->last->value, &x->arguments[1]);
    } else {
      read_argument(&job->spec, metric != NULL ? metric : given, &x->arguments[0]);
    }
  }
}

// ---- the rest ----

// Where the options of the solver section are given.
static tg_status mark_options(tg_job *job)
{
  const tg_yaml_node *solver = tg_yaml_get(job->root, "solver");
  tg_mark *marks = NULL;
  TG_TRY(TG_ARENA_NEW(&job->arena, (size_t)opt_option_count(), &marks));
  for (int k = 0; k < opt_option_count(); k++) {
    const tg_yaml_node *node = tg_yaml_get(solver, opt_option_at(k)->key);
    if (node != NULL) marks[k] = node->mark;
  }
  job->spec.option_marks = marks;
  job->spec.solver_mark = solver != NULL ? solver->mark : job->root->mark;
  return TG_OK;
}

static tg_status read_objective(tg_job *job)
{
  const tg_yaml_item *minimize = tg_yaml_find(job->root, "minimize");
  const tg_yaml_item *maximize = tg_yaml_find(job->root, "maximize");
  if (minimize != NULL && maximize != NULL)
    TG_FAIL_NODE(maximize->key, TG_JOB, "both minimize and maximize are given; a job has one objective");
  if (minimize == NULL && maximize == NULL)
    TG_FAIL_NODE(job->root, TG_JOB, "the objective is missing: add a key such as minimize: sumsq(A*X - B)");
  job->spec.maximize = maximize != NULL;
  if (job->spec.maximize) job->spec.solver.wording = &opt_wording_maximum;
  return tg_job_excerpt(job, job->spec.maximize ? maximize->value : minimize->value, &job->spec.objective);
}

enum { RANKS_MAX = 1 << 20 };

static tg_status read_grid(tg_job *job)
{
  const tg_yaml_node *grid = tg_yaml_get(job->root, "process_grid");
  if (grid == NULL || grid->kind != TG_YAML_MAPPING) return TG_OK;
  job->spec.grid_mark = grid->mark;
  job->spec.grid_rows = (int)whole(tg_yaml_get(grid, "rows"), 0);
  job->spec.grid_cols = (int)whole(tg_yaml_get(grid, "columns"), 0);
  job->spec.grid_block = whole(tg_yaml_get(grid, "block"), 0);
  if ((job->spec.grid_rows == 0) != (job->spec.grid_cols == 0))
    TG_FAIL_NODE(grid, TG_JOB, "process_grid needs both rows and columns, or neither");
  const int64_t ranks = (int64_t)job->spec.grid_rows * job->spec.grid_cols;
  if (ranks > RANKS_MAX)
    TG_FAIL_NODE(grid, TG_VALUE, "process_grid has %" PRId64 " ranks, expected at most %d", ranks, RANKS_MAX);
  return TG_OK;
}

// How distributed products are made: the dispatcher's choice, or one algorithm for all.
static tg_status read_products(tg_job *job)
{
  static const char *const names[] = {"auto", "panels", "scalapack"};
  static const tg_product_kind kinds[] = {TG_PRODUCT_AUTO, TG_PRODUCT_PANELS, TG_PRODUCT_SCALAPACK};
  const tg_yaml_node *node = tg_yaml_get(job->root, "products");
  job->spec.products = TG_PRODUCT_AUTO;
  if (node == NULL) return TG_OK;
  for (int k = 0; k < 3; k++) {
    if (strcmp(node->text, names[k]) != 0) continue;
    job->spec.products = (int)kinds[k];
    return TG_OK;
  }
  const char *nearest = tg_nearest_word(node->text, names, 3);
  TG_FAIL_NODE(node, TG_JOB, "products is auto, panels or scalapack, found '%s'%s%s%s", node->text,
               nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
}

// A file holds one variable, also one with datasets: it is replaced as a whole.
static tg_status refuse_same_file(tg_job *job, const tg_yaml_node *file)
{
  for (int k = 0; k < job->spec.n_variables; k++) {
    const tg_spec_variable *variable = &job->spec.variables[k];
    // A name that was not asked for gives way where it is; outputs.c finds it where it does not.
    const bool is_asked = variable->output != NULL && variable->output_is_given;
    if (!is_asked || strcmp(variable->output, file->text) != 0) continue;
    TG_FAIL_NODE(file, TG_JOB, "'%s' is already the file of %s; each variable needs its own", file->text,
                 variable->name);
  }
  return TG_OK;
}

// NAME.npy for every variable, unless `files` is the word none. An error about such a file is shown at the variable.
static tg_status name_outputs(tg_job *job, const tg_yaml_node *files)
{
  if (files != NULL && files->kind == TG_YAML_SCALAR) return TG_OK;
  for (int k = 0; k < job->spec.n_variables; k++) {
    tg_spec_variable *variable = &job->spec.variables[k];
    const size_t length = strlen(variable->name) + sizeof ".npy";
    char *name = NULL;
    TG_TRY(tg_arena_alloc(&job->arena, length, 1, (void **)&name));
    snprintf(name, length, "%s.npy", variable->name);
    variable->output = name;
    variable->output_mark = variable->mark;
  }
  return TG_OK;
}

// Of the best of several attempts they are not kept.
static tg_status read_multipliers(tg_job *job, const tg_yaml_node *node)
{
  job->spec.writes_multipliers = is_true(node);
  if (!job->spec.writes_multipliers) return TG_OK;
  if (tg_yaml_get(job->root, "subject_to") == NULL)
    TG_FAIL_NODE(node, TG_JOB, "output.multipliers: the job has no subject_to, whose multipliers they are");
  if (job->spec.solver.restarts > 1)
    TG_FAIL_NODE(node, TG_UNSUPPORTED, "output.multipliers does not go with solver.restarts");
  return TG_OK;
}

static tg_status read_output(tg_job *job)
{
  const tg_yaml_node *output = tg_yaml_get(job->root, "output");
  job->spec.output_directory = text_of(tg_yaml_get(output, "directory"));
  if (job->spec.output_directory == NULL) job->spec.output_directory = "results";
  const tg_yaml_node *files = tg_yaml_get(output, "variables");
  TG_TRY(read_multipliers(job, tg_yaml_get(output, "multipliers")));
  TG_TRY(name_outputs(job, files));
  for (const tg_yaml_item *item = files != NULL ? files->first : NULL; item != NULL; item = item->next) {
    const int k = tg_spec_find_variable(&job->spec, item->key->text);
    if (k < 0) TG_FAIL_NODE(item->key, TG_NAME, "'%s' is no variable of this job", item->key->text);
    job->spec.variables[k].output = NULL;
    if (strcmp(item->value->text, "none") == 0) continue;
    TG_TRY(refuse_same_file(job, item->value));
    job->spec.variables[k].output = item->value->text;
    job->spec.variables[k].output_mark = item->value->mark;
    job->spec.variables[k].output_is_given = true;
    const tg_file_format *format = NULL;
    TG_TRY(tg_error_locate(item->value->mark, tg_file_find_target_format(item->value->text, &format)));
  }
  return TG_OK;
}

static tg_status read_checkpoint(tg_job *job)
{
  const tg_yaml_node *node = tg_yaml_get(job->root, "checkpoint");
  const tg_yaml_node *directory = tg_yaml_get(node, "directory");
  const tg_yaml_node *every = tg_yaml_get(node, "every");
  if (node == NULL) return TG_OK;
  if (directory == NULL) TG_FAIL_NODE(node, TG_JOB, "checkpoint needs a directory");
  job->spec.checkpoint_directory = directory->text;
  job->spec.checkpoint_every = 600;
  if (every != NULL) tg_value_duration(every, &job->spec.checkpoint_every);
  job->spec.checkpoint_keep = whole(tg_yaml_get(node, "keep"), 2);
  return TG_OK;
}

// The tree with the settings, checked against the table of keys.
static tg_status build_tree(tg_job *job)
{
  opt_options_init(&job->spec.solver);
  job->spec.name = job->path;
  job->spec.errors = &job->errors;
  TG_TRY(tg_yaml_parse(&job->arena, &job->sources[0], 0, &job->root));
  if (job->root->kind == TG_YAML_NULL && job->n_sources > 1)
    TG_TRY(tg_yaml_new(&job->arena, TG_YAML_MAPPING, job->root->mark, &job->root));
  for (int k = 1; k < job->n_sources; k++) TG_TRY(tg_errors_take(&job->errors, tg_job_set(job, k)));
  return tg_errors_take(&job->errors, tg_job_validate(job));
}

tg_status tg_job_validate_settings(tg_job *job)
{
  TG_TRY(build_tree(job));
  return tg_errors_raise(&job->errors);
}

tg_status tg_job_read(tg_job *job)
{
  TG_TRY(build_tree(job));
  if (job->is_incomplete || job->root->kind != TG_YAML_MAPPING) return tg_errors_raise(&job->errors);
  TG_TRY(tg_errors_take(&job->errors, read_objective(job)));
  TG_TRY(keep_vital(job, read_variables(job)));
  TG_TRY(keep_vital(job, read_data(job)));
  TG_TRY(keep_vital(job, read_parts(job)));
  if (job->is_incomplete || job->spec.objective.text == NULL) return tg_errors_raise(&job->errors);
  read_arguments(job);
  TG_TRY(mark_options(job));
  TG_TRY(tg_errors_take(&job->errors, read_grid(job)));
  TG_TRY(tg_errors_take(&job->errors, read_products(job)));
  TG_TRY(tg_errors_take(&job->errors, read_output(job)));
  TG_TRY(tg_errors_take(&job->errors, read_checkpoint(job)));
  TG_TRY(tg_errors_take(&job->errors, tg_job_read_relations(job)));
  TG_TRY(tg_errors_take(&job->errors, tg_job_read_sensitivity(job)));
  TG_TRY(tg_errors_take(&job->errors, tg_job_read_covariance(job)));
  TG_TRY(tg_errors_take(&job->errors, tg_job_read_sweep(job)));
  TG_TRY(tg_errors_take(&job->errors, tg_job_read_tune(job)));
  return tg_errors_raise(&job->errors);
}
