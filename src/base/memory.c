// Heap memory behind checked sizes and a fault injector.
#include "base/memory.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

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

// ---- freed blocks that are used again ----
//
// A large block comes from the system page by page, at the price of several passes over it; a run allocates matrices of
// the same few sizes one after another. Freed ones are kept as long as they and all blocks in use together stay within
// what was in use at most so far, so that the memory of the process is not larger for it. Address sanitizers see
// through no such cache: it is off under them.

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TG_KEEPS_BLOCKS 0
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || !defined(__GLIBC__)
#define TG_KEEPS_BLOCKS 0
#endif
#ifndef TG_KEEPS_BLOCKS
#define TG_KEEPS_BLOCKS 1
#endif

#if TG_KEEPS_BLOCKS

enum { KEPT_MAX = 16, ALIGNMENT = 64 };
static const size_t large = (size_t)1 << 20;

static struct {
  atomic_flag lock;
  int count; // the oldest first
  void *blocks[KEPT_MAX];
  size_t kept;
  size_t used;
  size_t used_at_most;
} store = {.lock = ATOMIC_FLAG_INIT};

static atomic_int_least64_t in_use;
static atomic_int_least64_t in_use_at_most;

static void count_in(int64_t bytes)
{
  const int64_t now = atomic_fetch_add(&in_use, bytes) + bytes;
  int_least64_t most = atomic_load(&in_use_at_most);
  while (now > most && !atomic_compare_exchange_weak(&in_use_at_most, &most, now)) continue;
}

void tg_memory_begin(void)
{
  atomic_store(&in_use_at_most, atomic_load(&in_use));
}

int64_t tg_memory_most(void)
{
  return atomic_load(&in_use_at_most);
}

static void lock_store(void)
{
  while (atomic_flag_test_and_set_explicit(&store.lock, memory_order_acquire)) continue;
}

static void unlock_store(void)
{
  atomic_flag_clear_explicit(&store.lock, memory_order_release);
}

static void *take_out(int k)
{
  void *block = store.blocks[k];
  store.kept -= malloc_usable_size(block);
  store.count--;
  memmove(store.blocks + k, store.blocks + k + 1, (size_t)(store.count - k) * sizeof *store.blocks);
  return block;
}

// A kept block of this size, little larger at most; NULL where there is none.
static void *reuse(size_t bytes)
{
  void *found = NULL;
  if (bytes < large) return NULL;
  lock_store();
  for (int k = store.count - 1; k >= 0 && found == NULL; k--) {
    const size_t size = malloc_usable_size(store.blocks[k]);
    if (size >= bytes && size - bytes <= bytes / 16) found = take_out(k);
  }
  unlock_store();
  return found;
}

// Gives back what would make the memory larger than it was, `coming` included.
static void make_room(size_t coming)
{
  if (coming < large) return;
  lock_store();
  while (store.count > 0 && store.used + store.kept + coming > store.used_at_most) free(take_out(0));
  unlock_store();
}

static void note_used(const void *block)
{
  const size_t size = block != NULL ? malloc_usable_size((void *)(uintptr_t)block) : 0;
  count_in((int64_t)size);
  if (size < large) return;
  lock_store();
  store.used += size;
  if (store.used > store.used_at_most) store.used_at_most = store.used;
  unlock_store();
}

// True where the block is kept, and not the caller's to free any more.
static bool note_unused(void *block, bool may_keep)
{
  const size_t size = block != NULL ? malloc_usable_size(block) : 0;
  atomic_fetch_sub(&in_use, (int64_t)size);
  if (size < large) return false;
  lock_store();
  store.used -= size < store.used ? size : store.used;
  const bool fits = may_keep && (uintptr_t)block % ALIGNMENT == 0 && store.count < KEPT_MAX &&
                    store.used + store.kept + size <= store.used_at_most;
  if (fits) {
    store.blocks[store.count++] = block;
    store.kept += size;
  }
  unlock_store();
  return fits;
}

#else

void tg_memory_begin(void)
{
}

int64_t tg_memory_most(void)
{
  return 0;
}

static void *reuse(size_t bytes)
{
  (void)bytes;
  return NULL;
}

static void make_room(size_t coming)
{
  (void)coming;
}

static void note_used(const void *block)
{
  (void)block;
}

static bool note_unused(void *block, bool may_keep)
{
  (void)block;
  (void)may_keep;
  return false;
}

#endif

// ---- allocation ----

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
  make_room((size_t)bytes);
  if (!fault_due()) *out = calloc((size_t)(count > 0 ? count : 1), item_bytes);
  if (*out == NULL) TG_FAIL(TG_MEMORY, "cannot allocate %" PRId64 " bytes", bytes);
  note_used(*out);
  return TG_OK;
}

tg_status tg_alloc_numbers(int64_t count, double **out)
{
  *out = NULL;
  int64_t bytes = 0;
  TG_TRY(tg_size_mul(count, (int64_t)sizeof(double), &bytes));
  const size_t rounded = ((size_t)bytes + 64) / 64 * 64;
  if (fault_due()) TG_FAIL(TG_MEMORY, "cannot allocate %" PRId64 " bytes", bytes);
  *out = reuse(rounded);
  if (*out == NULL) {
    make_room(rounded);
    *out = aligned_alloc(64, rounded);
  }
  if (*out == NULL) TG_FAIL(TG_MEMORY, "cannot allocate %" PRId64 " bytes", bytes);
  note_used(*out);
  return TG_OK;
}

tg_status tg_grow(int64_t count, size_t item_bytes, void **pointer)
{
  int64_t bytes = 0;
  TG_TRY(tg_size_mul(count, (int64_t)item_bytes, &bytes));
  make_room((size_t)bytes);
  note_unused(*pointer, false);
  void *grown = fault_due() ? NULL : realloc(*pointer, (size_t)(bytes > 0 ? bytes : 1));
  note_used(grown != NULL ? grown : *pointer);
  if (grown == NULL) TG_FAIL(TG_MEMORY, "cannot allocate %" PRId64 " bytes", bytes);
  *pointer = grown;
  return TG_OK;
}

void tg_free(void *pointer)
{
  if (!note_unused(pointer, true)) free(pointer);
}
