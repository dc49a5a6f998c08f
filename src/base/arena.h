// Arena: symbols, trees and names that live and die together.
#ifndef TG_BASE_ARENA_H
#define TG_BASE_ARENA_H

#include <stddef.h>

#include "base/status.h"

typedef struct tg_arena_block tg_arena_block;

typedef struct tg_arena {
  tg_arena_block *head;
  size_t used; // of the head block
} tg_arena;

void tg_arena_init(tg_arena *arena);
void tg_arena_fini(tg_arena *arena);

// Zeroed, 16-byte aligned memory that lives until tg_arena_fini.
tg_status tg_arena_alloc(tg_arena *arena, size_t count, size_t item_bytes, void **out);
// A zero-terminated copy of length bytes.
tg_status tg_arena_string(tg_arena *arena, const char *text, size_t length, const char **out);

#define TG_ARENA_NEW(arena, count, pointer) tg_arena_alloc((arena), (count), sizeof **(pointer), (void **)(pointer))

#endif
