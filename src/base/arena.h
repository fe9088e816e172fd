/* arena.h - memory owned by a lifetime.
   Everything allocated from an arena is freed with it, at once; nothing is freed singly. */
#ifndef ALCH_ARENA_H
#define ALCH_ARENA_H

#include "base/memory.h"

struct alch_arena_chunk;

typedef struct alch_arena {
  const alch_allocator *allocator;
  struct alch_arena_chunk *chunks;   /* newest first */
  char *next, *end;
} alch_arena;

void alch_arena_init(alch_arena *arena, const alch_allocator *allocator);
/* Zeroed memory, aligned to 16; NULL when there is none. In the debug build each allocation is a block of its own, so that the sanitizers see it. */
void *alch_arena_allocate(alch_arena *arena, size_t size);
/* A copy with a zero byte behind; text may be NULL when length is 0. NULL when there is no memory. */
char *alch_arena_text(alch_arena *arena, const char *text, size_t length);
void *alch_arena_copy(alch_arena *arena, const void *bytes, size_t size);
/* Frees everything; the arena can be used again. */
void alch_arena_clear(alch_arena *arena);

#endif
