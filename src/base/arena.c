// Arena of geometrically growing blocks.
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"

struct tg_arena_block {
  tg_arena_block *next;
  size_t bytes;
  alignas(16) unsigned char data[];
};

enum { ARENA_FIRST_BLOCK_BYTES = 16384, ARENA_ALIGNMENT = 16 };

void tg_arena_init(tg_arena *arena)
{
  *arena = (tg_arena){0};
}

void tg_arena_fini(tg_arena *arena)
{
  while (arena->head != NULL) {
    tg_arena_block *block = arena->head;
    arena->head = block->next;
    tg_free(block);
  }
  arena->used = 0;
}

static tg_status push_block(tg_arena *arena, size_t at_least)
{
  size_t bytes = arena->head != NULL ? 2 * arena->head->bytes : ARENA_FIRST_BLOCK_BYTES;
  if (bytes < at_least) bytes = at_least;
  void *memory = NULL;
  TG_TRY(tg_alloc((int64_t)(sizeof(tg_arena_block) + bytes), 1, &memory));
  tg_arena_block *block = memory;
  block->next = arena->head;
  block->bytes = bytes;
  arena->head = block;
  arena->used = 0;
  return TG_OK;
}

tg_status tg_arena_alloc(tg_arena *arena, size_t count, size_t item_bytes, void **out)
{
  *out = NULL;
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, item_bytes, &bytes) || bytes > SIZE_MAX / 4)
    TG_FAIL(TG_LIMIT, "%zu items of %zu bytes are too many", count, item_bytes);
  bytes = (bytes + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
  if (arena->head == NULL || arena->head->bytes - arena->used < bytes) TG_TRY(push_block(arena, bytes));
  *out = arena->head->data + arena->used;
  arena->used += bytes;
  return TG_OK;
}

tg_status tg_arena_string(tg_arena *arena, const char *text, size_t length, const char **out)
{
  *out = NULL;
  void *memory = NULL;
  TG_TRY(tg_arena_alloc(arena, length + 1, 1, &memory));
  memcpy(memory, text, length);
  *out = memory;
  return TG_OK;
}
