// Arrays of the caller.
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "api/problem.h"
#include "base/memory.h"
#include "mpi/matrix/array_descriptor.h"

tg_status tg_api_copy_array(const char *name, const tracegrad_array *given, tracegrad_array *out, int descriptor[9])
{
  *out = (tracegrad_array){0};
  if (given == NULL) TG_FAIL(TG_USAGE, "the array of %s is NULL", name);
  if (given->size < sizeof *out)
    TG_FAIL(TG_USAGE, "the array of %s has size %zu, expected sizeof(tracegrad_array), %zu", name, given->size,
            sizeof *out);
  memcpy(out, given, sizeof *out);
  out->size = sizeof *out;
  if (out->place != TRACEGRAD_ON_ALL && out->place != TRACEGRAD_ON_ROOT && out->place != TRACEGRAD_CYCLIC)
    TG_FAIL(TG_USAGE, "the array of %s has place %d, which is none", name, (int)out->place);
  if (out->place != TRACEGRAD_CYCLIC) return TG_OK;
  if (out->descriptor == NULL) TG_FAIL(TG_USAGE, "the array of %s is CYCLIC and has no descriptor", name);
  memcpy(descriptor, out->descriptor, 9 * sizeof(int));
  out->descriptor = NULL; // the caller's, for the call only
  out->rows = descriptor[2];
  out->columns = descriptor[3];
  return TG_OK;
}

static tg_status make_whole(const tracegrad_problem *p, const char *name, const tracegrad_array *given, tg_array *out)
{
  const bool by_rows = given->order == TRACEGRAD_ROW_MAJOR;
  const int64_t inner = by_rows ? given->columns : given->rows;
  const int64_t leading = given->leading_dimension != 0 ? given->leading_dimension : inner;
  if (given->rows < 1 || given->columns < 1 || given->rows > INT_MAX || given->columns > INT_MAX)
    TG_FAIL(TG_SHAPE, "the array of %s is %" PRId64 " x %" PRId64 ", expected 1 to %d rows and columns", name,
            given->rows, given->columns, INT_MAX);
  if (!by_rows && given->order != TRACEGRAD_COLUMN_MAJOR)
    TG_FAIL(TG_USAGE, "the array of %s has order %d, which is none", name, (int)given->order);
  if (leading < inner)
    TG_FAIL(TG_VALUE, "the leading dimension of %s is %" PRId64 ", expected at least its %" PRId64 " %s", name, leading,
            inner, by_rows ? "columns" : "rows");
  *out = (tg_array){.place = given->place == TRACEGRAD_ON_ALL ? TG_ARRAY_EVERYWHERE : TG_ARRAY_ON_ROOT,
                    .rows = given->rows,
                    .cols = given->columns,
                    .row_step = by_rows ? leading : 1,
                    .col_step = by_rows ? 1 : leading,
                    .root = p->root};
  return TG_OK;
}

tg_status tg_api_make_array(const tracegrad_problem *p, MPI_Comm comm, const char *name, const tracegrad_array *given,
                            const int *descriptor, int *places, tg_array *out)
{
  if (given->place == TRACEGRAD_CYCLIC)
    TG_TRY(tg_array_describe(comm, descriptor, name, places, out));
  else
    TG_TRY(tg_agree(comm, make_whole(p, name, given, out)));
  out->numbers = given->numbers;
  out->target = given->numbers;
  return TG_OK;
}

// ---- for one call ----

typedef struct passing {
  tracegrad_array given;
  int descriptor[9];
  int *places;
  tg_array array;
} passing;

static tg_status open_array(const tracegrad_problem *p, const char *name, const tracegrad_array *given,
                            const tg_dmat *matrix, passing *out)
{
  MPI_Comm comm = matrix->grid->comm;
  *out = (passing){0};
  tg_status status = tg_api_copy_array(name, given, &out->given, out->descriptor);
  if (status == TG_OK) status = TG_NEW(p->size, &out->places);
  // The places of a call's arrays must be the same before anything is communicated by them.
  int range[2] = {out->given.place, -out->given.place};
  TG_TRY(tg_agree(comm, status));
  TG_TRY_MPI(MPI_Allreduce(MPI_IN_PLACE, range, 2, MPI_INT, MPI_MAX, comm));
  if (range[0] != -range[1]) TG_FAIL(TG_USAGE, "the ranks give arrays of %s in different places", name);
  TG_TRY(tg_api_make_array(p, comm, name, &out->given, out->descriptor, out->places, &out->array));
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
  return status;
}

tg_status tg_api_write_array(const tracegrad_problem *p, const char *name, const tg_dmat *matrix,
                             const tracegrad_array *given)
{
  passing a;
  tg_status status = open_array(p, name, given, matrix, &a);
  if (status == TG_OK) status = tg_array_write(matrix, &a.array, name);
  tg_free(a.places);
  return status;
}
