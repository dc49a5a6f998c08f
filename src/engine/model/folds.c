// Which rows, columns or entries of the data are in which fold.
#include "engine/model/folds.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"

bool tg_folds_divide(const tg_folds *folds, int datum)
{
  for (int k = 0; folds != NULL && k < folds->n_of; k++)
    if (folds->of[k] == datum) return true;
  return false;
}

// How many of `length` rows or columns are in the fold.
static int64_t count_of(const tg_folds *folds, int fold, int64_t length)
{
  return length / folds->n + (fold <= length % folds->n);
}

// ---- which is where ----

// The finaliser of splitmix64.
static uint64_t scramble(uint64_t z)
{
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

static uint64_t draw(uint64_t seed, uint64_t place)
{
  return scramble(scramble(seed + UINT64_C(0x9e3779b97f4a7c15)) + (place + 1) * UINT64_C(0x9e3779b97f4a7c15));
}

typedef struct ticket {
  uint64_t drawn;
  int64_t index;
} ticket;

static int compare(const void *a, const void *b)
{
  const ticket *one = a;
  const ticket *other = b;
  if (one->drawn != other->drawn) return one->drawn < other->drawn ? -1 : 1;
  return one->index < other->index ? -1 : one->index > other->index;
}

tg_status tg_folds_assign(const tg_folds *folds, int64_t length, int *fold_of)
{
  ticket *tickets = NULL;
  TG_TRY(TG_NEW(length, &tickets));
  for (int64_t k = 0; k < length; k++)
    tickets[k] = (ticket){.drawn = folds->is_shuffled ? draw(folds->seed, (uint64_t)k) : 0, .index = k};
  if (folds->is_shuffled) qsort(tickets, (size_t)length, sizeof *tickets, compare);
  int64_t begin = 0;
  for (int fold = 1; fold <= folds->n; fold++) {
    const int64_t end = begin + count_of(folds, fold, length);
    for (; begin < end; begin++) fold_of[tickets[begin].index] = fold;
  }
  tg_free(tickets);
  return TG_OK;
}

int tg_fold_of_entry(const tg_folds *folds, int64_t rows, int64_t i, int64_t j)
{
  return 1 + (int)(draw(folds->seed, (uint64_t)(i + j * rows)) % (uint64_t)folds->n);
}

// ---- sizes ----

static int64_t *side_of(const tg_folds *folds, tg_task_data *datum)
{
  return folds->kind == TG_FOLD_COLUMNS ? &datum->cols : &datum->rows;
}

static tg_status reduce(tg_task *task, int64_t length)
{
  const tg_folds *folds = task->spec->folds;
  const char *what = folds->kind == TG_FOLD_COLUMNS ? "columns" : "rows";
  if (folds->n > length)
    TG_FAIL_MARK(TG_VALUE, folds->n_mark, "folds: %d folds of %" PRId64 " %s of %s: some would be empty", folds->n,
                 length, what, task->spec->data[folds->of[0]].name);
  if (task->spec->fold == 0) return TG_OK;
  const int64_t left_out = count_of(folds, task->spec->fold, length);
  for (int k = 0; k < folds->n_of; k++)
    if (task->data[folds->of[k]].used)
      *side_of(folds, &task->data[folds->of[k]]) = task->spec->is_score ? left_out : length - left_out;
  return TG_OK;
}

tg_status tg_folds_reduce(tg_task *task)
{
  const tg_folds *folds = task->spec->folds;
  const tg_task_data *first = NULL;
  int64_t length = 0;
  if (folds == NULL || folds->kind == TG_FOLD_ENTRIES) return TG_OK;
  for (int k = 0; k < folds->n_of; k++) {
    tg_task_data *datum = &task->data[folds->of[k]];
    const int64_t n = *side_of(folds, datum);
    if (!datum->used || n == 0) continue;
    if (first != NULL && n != length)
      TG_FAIL_MARK(TG_SHAPE, folds->of_marks[k],
                   "folds: %s has %" PRId64 " %s, and %s has %" PRId64 ": they cannot be divided alike",
                   datum->spec->name, n, folds->kind == TG_FOLD_COLUMNS ? "columns" : "rows", first->spec->name,
                   length);
    if (first == NULL) first = datum;
    length = n;
  }
  return first != NULL ? reduce(task, length) : TG_OK;
}
