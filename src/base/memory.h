// Heap memory: checked sizes, one place where allocation can fail, and be made to fail by a test.
#ifndef TG_BASE_MEMORY_H
#define TG_BASE_MEMORY_H

#include <stdint.h>

#include "base/status.h"

// a * b, or TG_LIMIT when the product of two non-negative sizes does not fit.
tg_status tg_size_mul(int64_t a, int64_t b, int64_t *out);

// Zeroed memory for count items of item_bytes; *out is NULL on failure. count = 0 gives a valid pointer.
tg_status tg_alloc(int64_t count, size_t item_bytes, void **out);
// The same without zeroing and aligned to 64 bytes, for arrays of numbers. Free with tg_free.
tg_status tg_alloc_numbers(int64_t count, double **out);
// Grows *pointer to count items, keeping the contents; *pointer is unchanged on failure.
tg_status tg_grow(int64_t count, size_t item_bytes, void **pointer);
void tg_free(void *pointer);

#define TG_NEW(count, pointer) tg_alloc((count), sizeof **(pointer), (void **)(pointer))

// For tests: the most bytes in use at a time since the last call of tg_memory_begin, on this process; 0 in builds that
// do not count them (address sanitizers).
void tg_memory_begin(void);
int64_t tg_memory_most(void);

// For tests: number of allocations so far on this process, and a fault at the count-th from now (0 = never).
int64_t tg_alloc_count(void);
void tg_alloc_fail_after(int64_t count);

#endif
