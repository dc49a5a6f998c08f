// Arrays of the caller.
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "api/problem.h"
#include "base/memory.h"
#include "mpi/matrix/array_descriptor.h"
#include "mpi/matrix/array_parts.h"

// Of the structure as version 0.1 began with it.
enum { FIRST_BYTES = offsetof(tracegrad_array, row_begin) };

tg_status tg_api_copy_array(const char *name, const tracegrad_array *given, tracegrad_array *out, int descriptor[9])
{
  *out = (tracegrad_array){0};
  if (given == NULL) TG_FAIL(TG_USAGE, "the array of %s is NULL", name);
  if (given->size < FIRST_BYTES)
    TG_FAIL(TG_USAGE, "the array of %s has size %zu, expected sizeof(tracegrad_array), %zu", name, given->size,
            sizeof *out);
  memcpy(out, given, given->size < sizeof *out ? given->size : sizeof *out);
  out->size = sizeof *out;
  if (out->place < TRACEGRAD_ON_ALL || out->place > TRACEGRAD_PARTS)
    TG_FAIL(TG_USAGE, "the array of %s has place %d, which is none", name, (int)out->place);
  if (out->place != TRACEGRAD_CYCLIC) return TG_OK;
  if (out->descriptor == NULL) TG_FAIL(TG_USAGE, "the array of %s is CYCLIC and has no descriptor", name);
  memcpy(descriptor, out->descriptor, 9 * sizeof(int));
  out->descriptor = NULL; // the caller's, for the call only
  out->rows = descriptor[2];
  out->columns = descriptor[3];
  return TG_OK;
}

// How what lies here, rows x columns, lies.
static tg_status find_steps(const char *name, const tracegrad_array *given, int64_t rows, int64_t columns,
                            tg_array *out)
{
  const bool by_rows = given->order == TRACEGRAD_ROW_MAJOR;
  const int64_t inner = by_rows ? columns : rows;
  const int64_t leading = given->leading_dimension != 0 ? given->leading_dimension : inner;
  if (!by_rows && given->order != TRACEGRAD_COLUMN_MAJOR)
    TG_FAIL(TG_USAGE, "the array of %s has order %d, which is none", name, (int)given->order);
  if (leading < inner)
    TG_FAIL(TG_VALUE, "the leading dimension of %s is %" PRId64 ", expected at least its %" PRId64 " %s", name, leading,
            inner, by_rows ? "columns" : "rows");
  out->row_step = by_rows ? leading : 1;
  out->col_step = by_rows ? 1 : leading;
  return TG_OK;
}

static tg_status check_sizes(const char *name, const tracegrad_array *given)
{
  if (given->rows >= 1 && given->columns >= 1 && given->rows <= INT_MAX && given->columns <= INT_MAX) return TG_OK;
  TG_FAIL(TG_SHAPE, "the array of %s is %" PRId64 " x %" PRId64 ", expected 1 to %d rows and columns", name,
          given->rows, given->columns, INT_MAX);
}

static tg_status make_whole(const tracegrad_problem *p, const char *name, const tracegrad_array *given, tg_array *out)
{
  TG_TRY(check_sizes(name, given));
  *out = (tg_array){.place = given->place == TRACEGRAD_ON_ALL ? TG_ARRAY_EVERYWHERE : TG_ARRAY_ON_ROOT,
                    .rows = given->rows,
                    .cols = given->columns,
                    .root = p->root};
  return find_steps(name, given, given->rows, given->columns, out);
}

static tg_status make_parts(MPI_Comm comm, const char *name, const tracegrad_array *given, int *places, int64_t *cuts,
                            tg_array *out)
{
  const tg_array_part mine = {given->row_begin, given->local_rows, given->column_begin, given->local_columns};
  TG_TRY(tg_agree(comm, check_sizes(name, given)));
  TG_TRY(tg_array_describe_parts(comm, given->rows, given->columns, &mine, name, places, cuts, out));
  return tg_agree(comm, find_steps(name, given, given->local_rows, given->local_columns, out));
}

tg_status tg_api_make_array(const tracegrad_problem *p, MPI_Comm comm, const char *name, const tracegrad_array *given,
                            const int *descriptor, int *places, int64_t *cuts, tg_array *out)
{
  if (given->place == TRACEGRAD_PARTS)
    TG_TRY(make_parts(comm, name, given, places, cuts, out));
  else if (given->place == TRACEGRAD_CYCLIC)
    TG_TRY(tg_array_describe(comm, descriptor, name, places, out));
  else
    TG_TRY(tg_agree(comm, make_whole(p, name, given, out)));
  out->numbers = given->numbers;
  out->target = given->numbers;
  return TG_OK;
}

tg_status tg_api_make_room(const tracegrad_problem *p, int **places, int64_t **cuts)
{
  TG_TRY(TG_NEW(p->size, places));
  return TG_NEW(2 * ((int64_t)p->size + 1), cuts);
}

// ---- for one call ----

typedef struct passing {
  tracegrad_array given;
  int descriptor[9];
  int *places;
  int64_t *cuts;
  tg_array array;
} passing;

static tg_status open_array(const tracegrad_problem *p, const char *name, const tracegrad_array *given,
                            const tg_dmat *matrix, passing *out)
{
  MPI_Comm comm = matrix->grid->comm;
  *out = (passing){0};
  tg_status status = tg_api_copy_array(name, given, &out->given, out->descriptor);
  if (status == TG_OK) status = tg_api_make_room(p, &out->places, &out->cuts);
  // The places of a call's arrays must be the same before anything is communicated by them.
  int range[2] = {out->given.place, -out->given.place};
  TG_TRY(tg_agree(comm, status));
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, range, 2, MPI_INT, MPI_MAX, comm));
  if (range[0] != -range[1]) TG_FAIL(TG_USAGE, "the ranks give arrays of %s in different places", name);
  TG_TRY(tg_api_make_array(p, comm, name, &out->given, out->descriptor, out->places, out->cuts, &out->array));
  const bool fits = out->array.rows == matrix->rows && out->array.cols == matrix->cols;
  const tg_status shaped =
      fits ? TG_OK
           : tg_error_set(TG_SHAPE, TG_HERE, "%s is %" PRId64 " x %" PRId64 ", the array for it %" PRId64 " x %" PRId64,
                          name, matrix->rows, matrix->cols, out->array.rows, out->array.cols);
  return tg_agree(comm, shaped);
}

tg_status tg_api_read_array(const tracegrad_problem *p, const char *name, const tracegrad_array *given, tg_dmat *out)
{
  passing a;
  tg_status status = open_array(p, name, given, out, &a);
  if (status == TG_OK) status = tg_array_fill(&a.array, name, out);
  tg_free(a.places);
  tg_free(a.cuts);
  return status;
}

tg_status tg_api_write_array(const tracegrad_problem *p, const char *name, const tg_dmat *matrix,
                             const tracegrad_array *given)
{
  passing a;
  tg_status status = open_array(p, name, given, matrix, &a);
  if (status == TG_OK) status = tg_array_write(matrix, &a.array, name);
  tg_free(a.places);
  tg_free(a.cuts);
  return status;
}
