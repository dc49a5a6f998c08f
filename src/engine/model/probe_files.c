// Which data occur, and the sizes that headers of files say.
#include "engine/model/probe_files.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "engine/model/folds.h"
#include "engine/model/infer_sizes.h"
#include "engine/model/metric_change.h"
#include "engine/model/set_data.h"
#include "mpi/file/files.h"

// ---- names that occur ----

static bool is_letter(char byte)
{
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

static bool is_digit(char byte)
{
  return byte >= '0' && byte <= '9';
}

// Whether the name stands in the text as a whole word.
bool tg_spec_has_name(const char *text, const char *name)
{
  const size_t length = strlen(name);
  for (const char *at = strstr(text, name); at != NULL; at = strstr(at + 1, name)) {
    const bool begins = at == text || (!is_letter(at[-1]) && !is_digit(at[-1]));
    if (begins && !is_letter(at[length]) && !is_digit(at[length])) return true;
  }
  return false;
}

static bool is_used(const tg_task *task, const char *name)
{
  for (int k = 0; k < task->spec->n_relations && !task->only_evaluates; k++)
    if (tg_spec_has_name(task->spec->relations[k].whole.text, name)) return true;
  for (int k = 0; k < task->spec->n_parts; k++)
    if (tg_spec_has_name(task->spec->parts[k].value.text, name)) return true;
  return tg_spec_has_name(task->spec->objective.text, name);
}

enum { UNUSED_SHOWN = 8 };

// What only a score has is read when a fit is judged.
static bool is_scored(const tg_spec *spec, const char *name)
{
  const tg_excerpt *score = spec->tune != NULL ? &spec->tune->score : spec->folds != NULL ? &spec->folds->score : NULL;
  if (score == NULL) return false;
  for (int k = 0; k < spec->n_parts; k++)
    if (tg_spec_has_name(score->text, spec->parts[k].name) && tg_spec_has_name(spec->parts[k].value.text, name))
      return true;
  return tg_spec_has_name(score->text, name);
}

void tg_task_mark_used(tg_task *task, bool warn)
{
  int unused = 0;
  for (int k = 0; k < task->spec->n_data; k++) {
    tg_task_data *datum = &task->data[k];
    datum->used = is_used(task, datum->spec->name) || tg_metric_change_needs(task, k) || tg_set_data_needs(task, k);
    const bool is_known = datum->used || is_scored(task->spec, datum->spec->name);
    if (!is_known) unused++;
    if (warn && !is_known && unused <= UNUSED_SHOWN)
      tg_message_warn_at(task->spec->messages, datum->spec->mark, "%s does not occur in the objective%s%s",
                         datum->spec->name, task->spec->n_relations > 0 ? " or in subject_to" : "",
                         datum->spec->source == TG_SOURCE_NUMBER ? "" : "; it is not read");
  }
  if (warn && unused > UNUSED_SHOWN)
    tg_message_warn(task->spec->messages, "%d more data do not occur in the objective either", unused - UNUSED_SHOWN);
}

// ---- sizes ----

// How a file is read, where its user may not know: "A: /path/a.h5: dataset /A of MATLAB, stored by columns ..."
static void say_note(const tg_task *task, const char *name, const char *path, const tg_file_shape *shape)
{
  tg_text text;
  if (shape->note[0] == '\0') return;
  tg_text_init(&text);
  tg_text_addf(&text, "%s: %s: %s", name, path, shape->note);
  tg_message_lines(task->spec->messages, TG_MESSAGE_NOTE, &text);
  tg_text_fini(&text);
}

static tg_status probe(const tg_task *task, tg_task_data *datum)
{
  tg_file_shape shape = {0};
  TG_TRY(tg_error_locate(datum->spec->file_mark, tg_file_probe(datum->spec->file, datum->spec->dataset, &shape)));
  // As for sizes in the job file: ScaLAPACK counts to this.
  if (shape.rows > INT_MAX || shape.cols > INT_MAX)
    TG_FAIL_MARK(TG_LIMIT, datum->spec->file_mark,
                 "%s is %" PRId64 " x %" PRId64 ", expected at most %d rows and columns", datum->spec->file, shape.rows,
                 shape.cols, INT_MAX);
  say_note(task, datum->spec->name, datum->spec->file, &shape);
  datum->rows = shape.rows;
  datum->cols = shape.cols;
  return TG_OK;
}

static tg_status probe_start(const tg_task *task, tg_task_variable *variable)
{
  tg_file_shape shape = {0};
  TG_TRY(tg_error_locate(variable->spec->start_mark,
                         tg_file_probe(variable->spec->start_file, variable->spec->start_dataset, &shape)));
  if (variable->rows == 0) variable->rows = shape.rows;
  if (variable->cols == 0) variable->cols = shape.cols;
  if (shape.rows != variable->rows || shape.cols != variable->cols)
    TG_FAIL_MARK(TG_SHAPE, variable->spec->start_mark, "the start of %s is %lld x %lld in %s, expected %lld x %lld",
                 variable->spec->name, (long long)shape.rows, (long long)shape.cols, variable->spec->start_file,
                 (long long)variable->rows, (long long)variable->cols);
  say_note(task, variable->spec->name, variable->spec->start_file, &shape);
  return TG_OK;
}

// Declared properties that a shape contradicts are an error before any number is looked at.
static tg_status check_square(const tg_task_data *datum)
{
  if (datum->spec->property == NULL || datum->rows == datum->cols) return TG_OK;
  TG_FAIL_MARK(TG_SHAPE, datum->spec->property_mark, "%s is declared %s, but is %lld x %lld, not square",
               datum->spec->name, datum->spec->property, (long long)datum->rows, (long long)datum->cols);
}

// Numbers of a caller: a job file alone has none.
static tg_status probe_array(const tg_array *array, tg_mark mark, const char *name, int64_t rows, int64_t cols)
{
  if (array == NULL)
    TG_FAIL_MARK(TG_JOB, mark,
                 "%s is in the memory of a program that calls the library; a job file needs another source", name);
  if (array->rows != rows || array->cols != cols)
    TG_FAIL_MARK(TG_SHAPE, mark, "%s is %" PRId64 " x %" PRId64 " in memory, expected %" PRId64 " x %" PRId64, name,
                 array->rows, array->cols, rows, cols);
  return TG_OK;
}

static tg_status probe_datum(const tg_task *task, tg_task_data *datum)
{
  if (datum->spec->source == TG_SOURCE_FILE) TG_TRY(probe(task, datum));
  if (datum->spec->source == TG_SOURCE_MEMORY)
    TG_TRY(probe_array(datum->spec->array, datum->spec->mark, datum->spec->name, datum->rows, datum->cols));
  return check_square(datum);
}

static tg_status probe_variable(const tg_task *task, tg_task_variable *x)
{
  if (x->start == TG_START_FILE) return probe_start(task, x);
  if (x->start != TG_START_MEMORY) return TG_OK;
  if (x->rows == 0 && x->spec->start_array != NULL) x->rows = x->spec->start_array->rows;
  if (x->cols == 0 && x->spec->start_array != NULL) x->cols = x->spec->start_array->cols;
  return probe_array(x->spec->start_array, x->spec->start_mark, x->spec->name, x->rows, x->cols);
}

tg_status tg_task_probe(tg_task *task)
{
  tg_task_mark_used(task, false);
  for (int k = 0; k < task->spec->n_data; k++) {
    if (task->data[k].used) TG_TRY(tg_errors_take(task->spec->errors, probe_datum(task, &task->data[k])));
  }
  TG_TRY(tg_errors_take(task->spec->errors, tg_folds_reduce(task)));
  for (int k = 0; k < task->spec->n_variables; k++)
    TG_TRY(tg_errors_take(task->spec->errors, probe_variable(task, &task->variables[k])));
  TG_TRY(tg_errors_raise(task->spec->errors));
  return tg_sizes_infer(task);
}
