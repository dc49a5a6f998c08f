// The validated tree to the typed job.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "grad/graph/graph.h"
#include "job/job_set.h"
#include "job/job_table.h"
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
static tg_status check_size(const tg_yaml_node *key, int64_t rows, int64_t cols)
{
  const double bytes = (double)rows * (double)cols * 8.0;
  if (bytes > 0x1p53)
    TG_FAIL_NODE(key, TG_LIMIT, "%s: %lld x %lld entries need %.3g bytes, more than the 8 PiB that are allowed",
                 key->text, (long long)rows, (long long)cols, bytes);
  return TG_OK;
}

// ---- variables ----

static tg_status read_start(tg_job *job, const tg_yaml_node *node, tg_job_variable *out)
{
  const tg_yaml_node *start = tg_yaml_get(node, "start");
  const char *file = text_of(tg_yaml_get(start, "file"));
  if (file != NULL) {
    out->start = TG_START_FILE;
    out->start_dataset = text_of(tg_yaml_get(start, "dataset"));
    TG_TRY(tg_job_path(job, file, &out->start_file));
  } else if (start != NULL) {
    tg_start_find(start->text, &out->start);
  } else if (tg_job_on_manifold(out)) {
    out->start = TG_START_FEASIBLE; // the default elsewhere, zeros, is far from every point of it
  }
  if (out->start == TG_START_IDENTITY && out->rows != out->cols)
    TG_FAIL_NODE(start, TG_SHAPE, "start: identity needs a square matrix, %s is %lld x %lld", out->name,
                 (long long)out->rows, (long long)out->cols);
  if (out->start == TG_START_FEASIBLE && out->constraint == NULL)
    TG_FAIL_NODE(start, TG_VALUE,
                 "start: feasible is a random point of the constraint set, and %s has no constraint; give it one, or "
                 "take start: normal",
                 out->name);
  return TG_OK;
}

static tg_status read_variable(tg_job *job, const tg_yaml_item *item, tg_job_variable *out)
{
  const tg_yaml_node *node = item->value;
  *out = (tg_job_variable){.name = item->key->text, .key = item->key, .node = node};
  out->rows = whole(tg_yaml_get(node, "rows"), 0);
  TG_TRY(read_columns(node, &out->cols));
  if (out->rows == 0 || out->cols == 0)
    TG_FAIL_NODE(item->key, TG_JOB, "variable %s needs %s: write %s: {rows: M, columns: N}", out->name,
                 out->rows != 0   ? "columns"
                 : out->cols != 0 ? "rows"
                                  : "rows and columns",
                 out->name);
  TG_TRY(check_size(item->key, out->rows, out->cols));
  out->seed = (uint64_t)whole(tg_yaml_get(node, "seed"), 1);
  out->scale = number(tg_yaml_get(node, "scale"), 1.0);
  const tg_yaml_node *constraint = tg_yaml_get(node, "constraint");
  if (constraint != NULL) {
    out->constraint_node = constraint->kind == TG_YAML_MAPPING ? constraint->first->key : constraint;
    out->constraint = out->constraint_node->text;
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
                 "variables: is %s; declare what is to be found, such as variables: {X: {rows: 10, columns: 10}}",
                 names != NULL ? "empty" : "missing");
  TG_TRY(TG_ARENA_NEW(&job->arena, (size_t)names->n_items, &job->variables));
  for (const tg_yaml_item *item = names->first; item != NULL; item = item->next)
    TG_TRY(keep_vital(job, read_variable(job, item, &job->variables[job->n_variables++])));
  return TG_OK;
}

// ---- data ----

static unsigned read_properties(const tg_yaml_node *node)
{
  unsigned properties = 0;
  if (is_true(tg_yaml_get(node, "symmetric"))) properties |= TG_SYMMETRIC;
  if (is_true(tg_yaml_get(node, "spd"))) properties |= TG_SPD | TG_SYMMETRIC;
  if (is_true(tg_yaml_get(node, "diagonal"))) properties |= TG_DIAGONAL | TG_SYMMETRIC;
  if (is_true(tg_yaml_get(node, "orthogonal"))) properties |= TG_ORTHOGONAL;
  return properties;
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

static tg_status read_file_data(tg_job *job, tg_job_data *out)
{
  static const char *const foreign[] = {"rows", "columns", "cols", "seed", "scale", "condition", "ratio"};
  const tg_yaml_item *stray = first_present(out->node, foreign, sizeof foreign / sizeof foreign[0]);
  if (stray != NULL)
    TG_FAIL_NODE(stray->key, TG_JOB, "%s belongs to generated data; %s is read from a file", stray->key->text,
                 out->name);
  const tg_yaml_node *file = tg_yaml_get(out->node, "file");
  out->dataset = text_of(tg_yaml_get(out->node, "dataset"));
  TG_TRY(tg_job_path(job, file->text, &out->file));
  const tg_file_format *format = NULL;
  TG_TRY(tg_error_locate(file->mark, tg_file_find_format(out->file, &format)));
  if (out->dataset != NULL && !format->holds_datasets)
    TG_FAIL_NODE(tg_yaml_find(out->node, "dataset")->key, TG_JOB, "a %s file has no datasets", format->label);
  return TG_OK;
}

static tg_status check_generated(tg_job_data *out)
{
  static const char *const names[] = {"seed", "scale", "condition", "ratio"};
  const tg_yaml_node *node = tg_yaml_get(out->node, "generate");
  for (int kind = 0; kind < tg_generate_count(); kind++) {
    if (strcmp(tg_generate_label(kind), out->generate) != 0) continue;
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
      const tg_yaml_item *item = tg_yaml_find(out->node, names[k]);
      if (item != NULL && !tg_generate_takes(kind, names[k]))
        TG_FAIL_NODE(item->key, TG_JOB, "generate: %s takes no %s", out->generate, names[k]);
    }
    // The other kinds are symmetric or not by their nature: there the key is a claim, verified like any.
    if (!tg_generate_takes(kind, "symmetric")) out->options.symmetric = false;
  }
  return tg_error_locate(node->mark, tg_generate_check(out->generate, out->rows, out->cols, &out->options));
}

static tg_status read_generated_data(tg_job_data *out)
{
  const tg_yaml_item *stray = tg_yaml_find(out->node, "dataset");
  if (stray != NULL) TG_FAIL_NODE(stray->key, TG_JOB, "dataset belongs to data read from a file");
  const tg_yaml_node *kind = tg_yaml_get(out->node, "generate");
  out->generate = kind->text;
  out->rows = whole(tg_yaml_get(out->node, "rows"), 0);
  TG_TRY(read_columns(out->node, &out->cols));
  if (out->rows == 0) TG_FAIL_NODE(out->key, TG_JOB, "generated data %s needs rows", out->name);
  if (out->cols == 0) out->cols = out->rows;
  TG_TRY(check_size(out->key, out->rows, out->cols));
  out->options = (tg_generate_options){
      .seed = (uint64_t)whole(tg_yaml_get(out->node, "seed"), 1),
      .scale = number(tg_yaml_get(out->node, "scale"), 1.0),
      .condition = number(tg_yaml_get(out->node, "condition"), 0.0),
      .ratio = number(tg_yaml_get(out->node, "ratio"), 0.0),
      .symmetric = is_true(tg_yaml_get(out->node, "symmetric")),
  };
  return check_generated(out);
}

static tg_status read_datum(tg_job *job, const tg_yaml_item *item, tg_job_data *out)
{
  const tg_yaml_node *node = item->value;
  *out = (tg_job_data){.name = item->key->text, .key = item->key, .node = node};
  if (tg_job_find_variable(job, out->name) >= 0)
    TG_FAIL_NODE(item->key, TG_NAME, "'%s' is declared under 'variables:' as well", out->name);
  if (tg_value_number(node, &out->number)) {
    out->is_number = true;
    out->rows = out->cols = 1;
    return TG_OK;
  }
  const bool from_file = tg_yaml_get(node, "file") != NULL;
  const bool generated = tg_yaml_get(node, "generate") != NULL;
  if (from_file == generated)
    TG_FAIL_NODE(item->key, TG_JOB, "data %s needs %s: file or generate", out->name,
                 from_file ? "one of the two, not both" : "its source");
  out->properties = read_properties(node);
  out->trust = is_true(tg_yaml_get(node, "trust"));
  return from_file ? read_file_data(job, out) : read_generated_data(out);
}

static tg_status read_data(tg_job *job)
{
  const tg_yaml_node *names = tg_yaml_get(job->root, "data");
  if (names == NULL) return TG_OK;
  TG_TRY(TG_ARENA_NEW(&job->arena, (size_t)names->n_items + 1, &job->data));
  for (const tg_yaml_item *item = names->first; item != NULL; item = item->next) {
    TG_TRY(keep_vital(job, read_datum(job, item, &job->data[job->n_data])));
    job->n_data++;
  }
  return TG_OK;
}

// ---- the rest ----

static tg_status read_objective(tg_job *job)
{
  const tg_yaml_item *minimize = tg_yaml_find(job->root, "minimize");
  const tg_yaml_item *maximize = tg_yaml_find(job->root, "maximize");
  if (minimize != NULL && maximize != NULL)
    TG_FAIL_NODE(maximize->key, TG_JOB, "both minimize and maximize are given; a job has one objective");
  if (minimize == NULL && maximize == NULL)
    TG_FAIL_NODE(job->root, TG_JOB, "the objective is missing: add a key such as minimize: sumsq(A*X - B)");
  job->maximize = maximize != NULL;
  if (job->maximize) job->solver.wording = &opt_wording_maximum;
  return tg_job_excerpt(job, job->maximize ? maximize->value : minimize->value, &job->objective);
}

enum { RANKS_MAX = 1 << 20 };

static tg_status read_grid(tg_job *job)
{
  const tg_yaml_node *grid = tg_yaml_get(job->root, "process_grid");
  if (grid == NULL || grid->kind != TG_YAML_MAPPING) return TG_OK;
  job->grid_node = grid;
  job->grid_rows = (int)whole(tg_yaml_get(grid, "rows"), 0);
  job->grid_cols = (int)whole(tg_yaml_get(grid, "columns"), 0);
  job->grid_block = whole(tg_yaml_get(grid, "block"), 0);
  if ((job->grid_rows == 0) != (job->grid_cols == 0))
    TG_FAIL_NODE(grid, TG_JOB, "process_grid needs both rows and columns, or neither");
  const int64_t ranks = (int64_t)job->grid_rows * job->grid_cols;
  if (ranks > RANKS_MAX)
    TG_FAIL_NODE(grid, TG_VALUE, "process_grid has %" PRId64 " ranks, expected at most %d", ranks, RANKS_MAX);
  return TG_OK;
}

// How distributed products are made: the dispatcher's choice, or one algorithm for all.
static tg_status read_products(tg_job *job)
{
  static const char *const names[] = {"auto", "panels", "scalapack"};
  static const tg_product_kind kinds[] = {TG_PRODUCT_AUTO, TG_PRODUCT_PANELS, TG_PRODUCT_PBLAS};
  const tg_yaml_node *node = tg_yaml_get(job->root, "products");
  job->products = TG_PRODUCT_AUTO;
  if (node == NULL) return TG_OK;
  for (int k = 0; k < 3; k++) {
    if (strcmp(node->text, names[k]) != 0) continue;
    job->products = (int)kinds[k];
    return TG_OK;
  }
  const char *nearest = tg_nearest_word(node->text, names, 3);
  TG_FAIL_NODE(node, TG_JOB, "products is auto, panels or scalapack, found '%s'%s%s%s", node->text,
               nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
}

// A file holds one variable, also one with datasets: it is replaced as a whole.
static tg_status refuse_same_file(tg_job *job, const tg_yaml_node *file)
{
  for (int k = 0; k < job->n_variables; k++) {
    const tg_job_variable *variable = &job->variables[k];
    // A name that was not asked for gives way where it is; outputs.c finds it where it does not.
    const bool is_asked = variable->output != NULL && variable->output_node != variable->key;
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
  for (int k = 0; k < job->n_variables; k++) {
    tg_job_variable *variable = &job->variables[k];
    const size_t length = strlen(variable->name) + sizeof ".npy";
    char *name = NULL;
    TG_TRY(tg_arena_alloc(&job->arena, length, 1, (void **)&name));
    snprintf(name, length, "%s.npy", variable->name);
    variable->output = name;
    variable->output_node = variable->key;
  }
  return TG_OK;
}

static tg_status read_output(tg_job *job)
{
  const tg_yaml_node *output = tg_yaml_get(job->root, "output");
  job->output_directory = text_of(tg_yaml_get(output, "directory"));
  if (job->output_directory == NULL) job->output_directory = "results";
  const tg_yaml_node *files = tg_yaml_get(output, "variables");
  TG_TRY(name_outputs(job, files));
  for (const tg_yaml_item *item = files != NULL ? files->first : NULL; item != NULL; item = item->next) {
    const int k = tg_job_find_variable(job, item->key->text);
    if (k < 0) TG_FAIL_NODE(item->key, TG_NAME, "'%s' is no variable of this job", item->key->text);
    job->variables[k].output = NULL;
    if (strcmp(item->value->text, "none") == 0) continue;
    TG_TRY(refuse_same_file(job, item->value));
    job->variables[k].output = item->value->text;
    job->variables[k].output_node = item->value;
    const tg_file_format *format = NULL;
    TG_TRY(tg_error_locate(item->value->mark, tg_file_find_target_format(item->value->text, &format)));
  }
  return TG_OK;
}

static tg_status read_checkpoint(tg_job *job)
{
  const tg_yaml_node *node = job->checkpoint = tg_yaml_get(job->root, "checkpoint");
  const tg_yaml_node *directory = tg_yaml_get(node, "directory");
  const tg_yaml_node *every = tg_yaml_get(node, "every");
  if (node == NULL) return TG_OK;
  if (directory == NULL) TG_FAIL_NODE(node, TG_JOB, "checkpoint needs a directory");
  job->checkpoint_directory = directory->text;
  job->checkpoint_every = 600;
  if (every != NULL) tg_value_duration(every, &job->checkpoint_every);
  job->checkpoint_keep = whole(tg_yaml_get(node, "keep"), 2);
  return TG_OK;
}

tg_status tg_job_read(tg_job *job)
{
  opt_options_init(&job->solver);
  TG_TRY(tg_yaml_parse(&job->arena, &job->sources[0], 0, &job->root));
  if (job->root->kind == TG_YAML_NULL && job->n_sources > 1)
    TG_TRY(tg_yaml_new(&job->arena, TG_YAML_MAPPING, job->root->mark, &job->root));
  for (int k = 1; k < job->n_sources; k++) TG_TRY(tg_errors_take(&job->errors, tg_job_set(job, k)));
  TG_TRY(tg_errors_take(&job->errors, tg_job_validate(job)));
  if (job->is_incomplete || job->root->kind != TG_YAML_MAPPING) return tg_errors_raise(&job->errors);
  TG_TRY(tg_errors_take(&job->errors, read_objective(job)));
  TG_TRY(keep_vital(job, read_variables(job)));
  TG_TRY(keep_vital(job, read_data(job)));
  if (job->is_incomplete || job->objective.text == NULL) return tg_errors_raise(&job->errors);
  TG_TRY(tg_errors_take(&job->errors, read_grid(job)));
  TG_TRY(tg_errors_take(&job->errors, read_products(job)));
  TG_TRY(tg_errors_take(&job->errors, read_output(job)));
  TG_TRY(tg_errors_take(&job->errors, read_checkpoint(job)));
  TG_TRY(tg_errors_take(&job->errors, tg_job_read_relations(job)));
  return tg_errors_raise(&job->errors);
}
