// Sizes of variables by inference.
#include "engine/model/infer_sizes.h"

#include <inttypes.h>
#include <limits.h>

#include "base/memory.h"
#include "engine/model/declare.h"
#include "engine/model/metric_change.h"
#include "engine/model/model.h"
#include "engine/model/set_data.h"
#include "opt/constraint.h"

static bool is_open(const tg_task_variable *x)
{
  return x->rows == 0 || x->cols == 0;
}

static bool has_open(const tg_task *task)
{
  for (int k = 0; k < task->spec->n_variables; k++)
    if (is_open(&task->variables[k])) return true;
  return false;
}

// *size := found, where it is open and that is a number; whether it was.
static bool learn(int64_t *size, int64_t found)
{
  if (*size != 0 || found <= 0) return false;
  *size = found;
  return true;
}

// ---- constraints ----

static const opt_constraint_row *constraint_of(const tg_task_variable *x)
{
  return opt_constraint_find(x->constraint);
}

static bool is_square(const tg_task_variable *x)
{
  const opt_constraint_row *row = constraint_of(x);
  return x->start == TG_START_IDENTITY || (row != NULL && row->is_square);
}

// Bounds have the shape of the variable, sums an entry for each of its lines.
static void learn_from_datum(tg_task_variable *x, int argument, const tg_task_data *d)
{
  const opt_constraint_row *row = constraint_of(x);
  if (d->rows * d->cols <= 1) return; // one number for all
  if (row->argument == OPT_ARGUMENT_INTERVAL) {
    learn(&x->rows, d->rows);
    learn(&x->cols, d->cols);
    return;
  }
  learn(tg_set_data_by_rows(row, argument) ? &x->rows : &x->cols, d->rows * d->cols);
}

static void learn_from_constraint(const tg_task *task, tg_task_variable *x)
{
  const int metric = tg_metric_change_datum(x);
  for (int a = 0; a < 2; a++) {
    const int datum = tg_set_data_find(x, a);
    if (datum >= 0) learn_from_datum(x, a, &task->data[datum]);
  }
  if (metric >= 0) learn(&x->rows, task->data[metric].rows);
  if (!is_square(x)) return;
  learn(&x->rows, x->cols);
  learn(&x->cols, x->rows);
}

// ---- expressions ----

static tg_status compile(const tg_task *task, const tg_excerpt *excerpt, bool is_objective, bool guesses,
                         tg_graph **graph)
{
  tg_declaration *declarations = NULL;
  tg_part *parts = NULL;
  int32_t count = 0;
  tg_node node = TG_NONE;
  tg_status status = TG_OK;
  TG_TRY_GOTO(tg_graph_create(graph));
  TG_TRY_GOTO(tg_model_declare(task, &declarations, &count));
  TG_TRY_GOTO(tg_model_parts(task, &parts));
  for (int k = 0; k < task->spec->n_variables; k++)
    if (is_open(&task->variables[k]) && is_square(&task->variables[k])) declarations[k].properties |= TG_SQUARE;
  const tg_compile_options options = {.n_declarations = count,
                                      .declarations = declarations,
                                      .infer_undeclared = guesses,
                                      .require_scalar = is_objective,
                                      .errors = guesses ? NULL : task->spec->errors,
                                      .n_parts = task->spec->n_parts,
                                      .parts = parts};
  TG_TRY_GOTO(tg_model_compile_excerpt(*graph, excerpt, &options, &node));
done:
  tg_free(declarations);
  tg_free(parts);
  return status;
}

static void learn_from_graph(tg_task *task, const tg_graph *graph, bool *has_grown)
{
  for (int k = 0; k < task->spec->n_variables; k++) {
    tg_task_variable *x = &task->variables[k];
    const int32_t index = tg_symbol_find(graph, x->spec->name);
    const tg_symbol *symbol = index >= 0 ? tg_symbol_info(graph, index) : NULL;
    if (symbol == NULL) continue;
    *has_grown = learn(&x->rows, tg_dim_value(graph, symbol->rows)) || *has_grown;
    *has_grown = learn(&x->cols, tg_dim_value(graph, symbol->cols)) || *has_grown;
  }
}

// An expression that cannot be read says nothing here: its fault is shown when nothing else helps.
static tg_status learn_from(tg_task *task, const tg_excerpt *excerpt, bool is_objective, bool *has_grown)
{
  tg_graph *graph = NULL;
  const tg_status status = compile(task, excerpt, is_objective, true, &graph);
  if (status == TG_OK) learn_from_graph(task, graph, has_grown);
  tg_graph_destroy(&graph);
  if (status == TG_MEMORY) return tg_error_pass(status, TG_HERE);
  if (status != TG_OK) tg_error_clear();
  return TG_OK;
}

// What one expression says may decide another: until nothing is learnt.
static tg_status learn_from_expressions(tg_task *task)
{
  for (bool has_grown = true; has_grown && has_open(task);) {
    has_grown = false;
    TG_TRY(learn_from(task, &task->spec->objective, true, &has_grown));
    for (int k = 0; k < task->spec->n_relations; k++)
      TG_TRY(learn_from(task, &task->spec->relations[k].difference, false, &has_grown));
    for (int k = 0; k < task->spec->n_variables; k++) learn_from_constraint(task, &task->variables[k]);
  }
  return TG_OK;
}

// ---- what stays open ----

// A fault of an expression: with open sizes as unknowns, then as they would be guessed.
static tg_status find_fault(const tg_task *task, const tg_excerpt *excerpt, bool is_objective)
{
  for (int guesses = 0; guesses <= 1; guesses++) {
    tg_graph *graph = NULL;
    // That an objective is no scalar may be because of the open sizes.
    const tg_status status = compile(task, excerpt, is_objective && guesses == 1, guesses == 1, &graph);
    tg_graph_destroy(&graph);
    TG_TRY(status);
  }
  return TG_OK;
}

static bool is_open_dim(const tg_graph *graph, tg_dim dim)
{
  return tg_dim_value(graph, dim) < 0;
}

static void add_shape(const tg_graph *graph, const tg_symbol *symbol, tg_text *out)
{
  tg_dim_print_shape(graph, symbol->rows, symbol->cols, out);
}

static bool shares(const tg_graph *graph, const tg_symbol *a, const tg_symbol *b)
{
  const tg_dim dims[2] = {b->rows, b->cols};
  for (int k = 0; k < 2; k++)
    if (is_open_dim(graph, dims[k]) && (dims[k] == a->rows || dims[k] == a->cols)) return true;
  return false;
}

// "the size of U stays open: it is 40 x n, V 30 x n, and nothing fixes n; write U: {columns: N}"
static tg_status fail_open(const tg_task *task, const tg_graph *graph, int k, const tg_symbol *const *symbols)
{
  const tg_task_variable *x = &task->variables[k];
  const tg_symbol *symbol = symbols[k];
  const bool rows = is_open_dim(graph, symbol->rows);
  const bool cols = is_open_dim(graph, symbol->cols);
  tg_text text;
  tg_text_init(&text);
  tg_text_addf(&text, "the size of %s stays open: it is ", x->spec->name);
  add_shape(graph, symbol, &text);
  for (int i = 0; i < task->spec->n_variables; i++) {
    if (i == k || symbols[i] == NULL || !shares(graph, symbol, symbols[i])) continue;
    tg_text_addf(&text, ", %s ", task->spec->variables[i].name);
    add_shape(graph, symbols[i], &text);
  }
  tg_text_add(&text, ", and nothing fixes ");
  if (rows) tg_dim_print(graph, symbol->rows, &text);
  if (rows && cols && symbol->rows != symbol->cols) tg_text_add(&text, " and ");
  if (cols && !(rows && symbol->rows == symbol->cols)) tg_dim_print(graph, symbol->cols, &text);
  tg_text_addf(&text, "; write %s: {%s%s%s}", x->spec->name, rows ? "rows: M" : "", rows && cols ? ", " : "",
               cols ? "columns: N" : "");
  const tg_status status = tg_error_set_mark(TG_SHAPE, TG_HERE, x->spec->mark, "%s", tg_text_string(&text));
  tg_text_fini(&text);
  return status;
}

// Whether a variable before k, which is reported, leaves the same sizes open.
static bool is_reported(const tg_graph *graph, int k, const tg_symbol *const *symbols)
{
  for (int i = 0; i < k; i++)
    if (symbols[i] != NULL && shares(graph, symbols[i], symbols[k])) return true;
  return false;
}

static tg_status fail_each(const tg_task *task, const tg_graph *graph, const tg_symbol **symbols)
{
  for (int k = 0; k < task->spec->n_variables; k++) {
    const int32_t index = tg_symbol_find(graph, task->spec->variables[k].name);
    if (is_open(&task->variables[k]) && index >= 0) symbols[k] = tg_symbol_info(graph, index);
  }
  for (int k = 0; k < task->spec->n_variables; k++) {
    const tg_task_variable *x = &task->variables[k];
    tg_status status = TG_OK;
    if (!is_open(x)) continue;
    if (symbols[k] == NULL)
      status = tg_error_set_mark(TG_NAME, TG_HERE, x->spec->mark, "the objective does not depend on the variable %s",
                                 x->spec->name);
    else if (!is_reported(graph, k, symbols))
      status = fail_open(task, graph, k, symbols);
    TG_TRY(tg_errors_take(task->spec->errors, status));
  }
  return tg_errors_raise(task->spec->errors);
}

static tg_status report_open(const tg_task *task)
{
  tg_graph *graph = NULL;
  const tg_symbol **symbols = NULL;
  TG_TRY(tg_errors_take(task->spec->errors, find_fault(task, &task->spec->objective, true)));
  for (int k = 0; k < task->spec->n_relations; k++)
    TG_TRY(tg_errors_take(task->spec->errors, find_fault(task, &task->spec->relations[k].difference, false)));
  TG_TRY(tg_errors_raise(task->spec->errors));
  TG_TRY(TG_NEW(task->spec->n_variables, &symbols));
  tg_status status = compile(task, &task->spec->objective, true, true, &graph);
  if (status == TG_OK) status = fail_each(task, graph, symbols);
  tg_graph_destroy(&graph);
  tg_free((void *)symbols);
  return status;
}

// As of sizes that are given (job_read.c).
static tg_status check_size(const tg_task_variable *x)
{
  const double bytes = (double)x->rows * (double)x->cols * 8.0;
  if (x->rows > INT_MAX || x->cols > INT_MAX || bytes > 0x1p53)
    TG_FAIL_MARK(TG_LIMIT, x->spec->mark,
                 "%s: the objective asks for %" PRId64 " x %" PRId64 " entries, expected at most %d rows and columns, "
                 "and 8 PiB",
                 x->spec->name, x->rows, x->cols, INT_MAX);
  return TG_OK;
}

tg_status tg_sizes_infer(tg_task *task)
{
  if (!has_open(task)) return TG_OK;
  for (int k = 0; k < task->spec->n_variables; k++) learn_from_constraint(task, &task->variables[k]);
  TG_TRY(learn_from_expressions(task));
  if (has_open(task)) return report_open(task);
  for (int k = 0; k < task->spec->n_variables; k++)
    TG_TRY(tg_errors_take(task->spec->errors, check_size(&task->variables[k])));
  return tg_errors_raise(task->spec->errors);
}

void tg_sizes_print(const tg_task *task, const char *label, tg_text *out)
{
  int n = 0;
  for (int k = 0; k < task->spec->n_variables; k++) {
    const tg_task_variable *x = &task->variables[k];
    if (x->spec->rows == 0 || x->spec->cols == 0)
      tg_text_addf(out, "%s%s %" PRId64 " x %" PRId64, n++ == 0 ? label : ", ", x->spec->name, x->rows, x->cols);
  }
  if (n > 0) tg_text_add(out, ": as objective and data ask for\n");
}
