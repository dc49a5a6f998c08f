// Heap memory behind checked sizes and a fault injector.
#include "base/memory.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

static atomic_int_least64_t allocations;
static atomic_int_least64_t fail_countdown;

int64_t tg_alloc_count(void)
{
  return atomic_load(&allocations);
}

void tg_alloc_fail_after(int64_t count)
{
  atomic_store(&fail_countdown, count);
}

// True when a test asked for this allocation to fail.
static bool fault_due(void)
{
  atomic_fetch_add(&allocations, 1);
  if (atomic_load(&fail_countdown) == 0) return false;
  return atomic_fetch_sub(&fail_countdown, 1) == 1;
}

tg_status tg_size_mul(int64_t a, int64_t b, int64_t *out)
{
  TG_ASSERT(a >= 0 && b >= 0);
  if (__builtin_mul_overflow(a, b, out))
    TG_FAIL(TG_LIMIT, "the size %" PRId64 " x %" PRId64 " does not fit in 63 bits", a, b);
  return TG_OK;
}

tg_status tg_alloc(int64_t count, size_t item_bytes, void **out)
{
  *out = NULL;
  int64_t bytes = 0;
  TG_TRY(tg_size_mul(count, (int64_t)item_bytes, &bytes));
  if (!fault_due()) *out = calloc((size_t)(count > 0 ? count : 1), item_bytes);
  if (*out == NULL) TG_FAIL(TG_MEMORY, "cannot allocate %" PRId64 " bytes", bytes);
  return TG_OK;
}

tg_status tg_alloc_numbers(int64_t count, double **out)
{
  *out = NULL;
  int64_t bytes = 0;
  TG_TRY(tg_size_mul(count, (int64_t)sizeof(double), &bytes));
  const size_t rounded = ((size_t)bytes + 64) / 64 * 64;
  if (!fault_due()) *out = aligned_alloc(64, rounded);
  if (*out == NULL) TG_FAIL(TG_MEMORY, "cannot allocate %" PRId64 " bytes", bytes);
  return TG_OK;
}

tg_status tg_grow(int64_t count, size_t item_bytes, void **pointer)
{
  int64_t bytes = 0;
  TG_TRY(tg_size_mul(count, (int64_t)item_bytes, &bytes));
  void *grown = fault_due() ? NULL : realloc(*pointer, (size_t)(bytes > 0 ? bytes : 1));
  if (grown == NULL) TG_FAIL(TG_MEMORY, "cannot allocate %" PRId64 " bytes", bytes);
  *pointer = grown;
  return TG_OK;
}

void tg_free(void *pointer)
{
  free(pointer);
}
