// Reading, generating, taking over, verifying.
#include "engine/problem/read_data.h"

#include "engine/model/folds.h"
#include "engine/problem/fold_data.h"
#include "engine/problem/properties.h"
#include "engine/share/share.h"
#include "mpi/file/files.h"
#include "mpi/matrix/dmat_ops.h"

// An error about the numbers of a file or of its claims is shown at the declaration. Local.
static tg_status at_declaration(tg_mark mark, tg_status status)
{
  return status == TG_DATA ? tg_error_locate(mark, status) : status;
}

// Notes how it came onto the grid.
static tg_status read_array(const tg_setup *setup, const tg_task_data *datum, bool are_bounds, tg_dmat **out)
{
  tg_array_way way = TG_ARRAY_UNREAD;
  TG_TRY(tg_array_read(setup->grid, datum->spec->array, datum->spec->name, true, are_bounds, out, &way));
  const int k = tg_spec_find_data(setup->task->spec, datum->spec->name);
  if (k >= 0) setup->ways[k] = way;
  return TG_OK;
}

static tg_status make_matrix(const tg_setup *setup, const tg_task_data *datum, bool are_bounds, tg_dmat **out)
{
  const bool is_file = datum->spec->source == TG_SOURCE_FILE;
  if (is_file && are_bounds) return tg_file_read_bounds(setup->grid, datum->spec->file, datum->spec->dataset, out);
  if (is_file) return tg_file_read(setup->grid, datum->spec->file, datum->spec->dataset, out);
  if (datum->spec->source == TG_SOURCE_MEMORY) return read_array(setup, datum, are_bounds, out);
  TG_TRY(tg_agree(setup->comm, tg_dmat_create(setup->grid, datum->rows, datum->cols, out)));
  return tg_generate(datum->spec->generate, &datum->spec->options, *out);
}

static tg_status read_and_verify(tg_setup *setup, const tg_task_data *datum, bool are_bounds, tg_dmat **out)
{
  TG_TRY(at_declaration(datum->spec->mark, make_matrix(setup, datum, are_bounds, out)));
  setup->read_bytes += datum->rows * datum->cols * (int64_t)sizeof(double);
  if (datum->spec->trust) return TG_OK;
  return at_declaration(datum->spec->mark, tg_properties_verify(*out, datum->spec->name, datum->spec->properties));
}

static tg_status read_whole(tg_setup *setup, const tg_task_data *datum, bool are_bounds, tg_dmat **out)
{
  tg_share *share = setup->task->share;
  if (share != NULL) *out = tg_share_find(share, datum->spec->name, are_bounds);
  if (share != NULL && *out != NULL) return TG_OK;
  TG_TRY(read_and_verify(setup, datum, are_bounds, out));
  return share != NULL ? tg_agree(setup->comm, tg_share_keep(share, datum->spec->name, are_bounds, *out)) : TG_OK;
}

// ---- folds ----

static tg_memo_cut cut_of(tg_fold_kind kind)
{
  static const tg_memo_cut cuts[] = {
      [TG_FOLD_ROWS] = TG_CUT_ROWS, [TG_FOLD_COLUMNS] = TG_CUT_COLUMNS, [TG_FOLD_ENTRIES] = TG_CUT_NONE};
  return cuts[kind];
}

// Both parts of the fold at hand, of which *out is the one that is asked for.
static tg_status cut_parts(const tg_setup *setup, const tg_task_data *datum, tg_dmat *whole, tg_dmat **out)
{
  const tg_task *task = setup->task;
  const tg_spec *spec = task->spec;
  tg_dmat *parts[2] = {NULL, NULL};
  tg_status status = tg_fold_take(spec->folds, spec->fold, false, whole, &parts[0]);
  if (status == TG_OK) status = tg_fold_take(spec->folds, spec->fold, true, whole, &parts[1]);
  if (status == TG_OK)
    status = tg_share_keep_parts(task->share, datum->spec->name, spec->fold, whole, parts[0], parts[1],
                                 cut_of(spec->folds->kind));
  if (status == TG_OK) *out = tg_dmat_hold(parts[spec->is_score]);
  for (int k = 0; k < 2; k++) tg_dmat_destroy(&parts[k]);
  return status;
}

static tg_status read_part(tg_setup *setup, const tg_task_data *datum, tg_dmat **out)
{
  tg_dmat *whole = NULL;
  *out =
      tg_share_find_part(setup->task->share, datum->spec->name, setup->task->spec->fold, setup->task->spec->is_score);
  if (*out != NULL) return TG_OK;
  tg_status status = read_whole(setup, datum, false, &whole);
  if (status == TG_OK) status = cut_parts(setup, datum, whole, out);
  tg_dmat_destroy(&whole);
  return status;
}

static tg_status read_datum(tg_setup *setup, const tg_task_data *datum, bool are_bounds, tg_dmat **out)
{
  const tg_task *task = setup->task;
  const tg_spec *spec = task->spec;
  const bool is_cut = spec->fold > 0 && task->share != NULL && !are_bounds &&
                      tg_folds_divide(spec->folds, tg_spec_find_data(spec, datum->spec->name));
  return is_cut ? read_part(setup, datum, out) : read_whole(setup, datum, are_bounds, out);
}

tg_status tg_setup_read_datum(tg_setup *setup, const tg_task_data *datum, tg_dmat **out)
{
  return read_datum(setup, datum, false, out);
}

tg_status tg_setup_read_bounds(tg_setup *setup, const tg_task_data *datum, tg_dmat **out)
{
  return read_datum(setup, datum, true, out);
}

// Data of subject_to: multipliers 0, penalty 1 at first.
static tg_status make_own(const tg_setup *setup, bool is_penalty, const tg_plan_data *shape, tg_dmat **out)
{
  TG_TRY(tg_agree(setup->comm, tg_dmat_create(setup->grid, shape->rows, shape->cols, out)));
  if (is_penalty) tg_dmat_fill(1.0, *out);
  return TG_OK;
}

tg_status tg_setup_make_datum(tg_setup *setup, const tg_model *model, int32_t position, tg_dmat **out)
{
  const int datum = model->data[position];
  const int own = datum - setup->task->spec->n_data;
  *out = NULL;
  if (datum < 0) return TG_OK;
  if (own < 0) return tg_setup_read_datum(setup, &setup->task->data[datum], out);
  return make_own(setup, own == model->constraints->n, &model->plan->data[position], out);
}

tg_status tg_setup_read_start(const tg_setup *setup, const tg_task_variable *variable, tg_dmat *out)
{
  tg_dmat *read = NULL;
  tg_array_way way = TG_ARRAY_UNREAD;
  const bool is_file = variable->start == TG_START_FILE;
  TG_TRY(at_declaration(
      variable->spec->start_mark,
      is_file
          ? tg_file_read(setup->grid, variable->spec->start_file, variable->spec->start_dataset, &read)
          : tg_array_read(setup->grid, variable->spec->start_array, variable->spec->name, true, false, &read, &way)));
  const tg_dmat *const inputs[] = {read};
  const tg_status status = tg_dmat_lincomb(1, &variable->scale, inputs, out);
  tg_dmat_destroy(&read);
  return status;
}
