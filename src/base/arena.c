#include "base/arena.h"
#include <string.h>

#define ARENA_ALIGNMENT 16
#define ARENA_CHUNK_MIN ((size_t)1 << 10)
#define ARENA_CHUNK_MAX ((size_t)1 << 16)

typedef struct alch_arena_chunk {
  struct alch_arena_chunk *older;
  size_t size;             /* of the whole block */
} alch_arena_chunk;

/* A host's allocator may promise less alignment than we do. */
#define ARENA_OVERHEAD (sizeof(alch_arena_chunk) + ARENA_ALIGNMENT - 1)

void alch_arena_init(alch_arena *arena, const alch_allocator *allocator) {
  *arena = (alch_arena){ .allocator = allocator };
}

static char *chunk_memory(alch_arena_chunk *chunk) {
  uintptr_t start = (uintptr_t)(chunk + 1);
  return (char *)(chunk + 1) + (-start & (ARENA_ALIGNMENT - 1));
}

static alch_arena_chunk *new_chunk(alch_arena *arena, size_t room) {
  alch_arena_chunk *chunk = alch_allocate(arena->allocator, room + ARENA_OVERHEAD);
  if (chunk) chunk->size = room + ARENA_OVERHEAD;
  return chunk;
}

#ifdef ALCH_DEBUG
static char *arena_take(alch_arena *arena, size_t size) {
  alch_arena_chunk *chunk = new_chunk(arena, size);
  if (!chunk) return NULL;
  chunk->older = arena->chunks;
  arena->chunks = chunk;
  return chunk_memory(chunk);
}
#else
/* What is large lives alone behind the newest chunk, whose rest stays in use. */
static char *take_large(alch_arena *arena, size_t size) {
  alch_arena_chunk *chunk = new_chunk(arena, size);
  if (!chunk) return NULL;
  if (arena->chunks) {
    chunk->older = arena->chunks->older;
    arena->chunks->older = chunk;
  } else {
    chunk->older = NULL;
    arena->chunks = chunk;
  }
  return chunk_memory(chunk);
}

static bool open_chunk(alch_arena *arena) {
  size_t room = ARENA_CHUNK_MIN;
  if (arena->next) room = arena->chunks->size * 2;
  if (room > ARENA_CHUNK_MAX) room = ARENA_CHUNK_MAX;
  alch_arena_chunk *chunk = new_chunk(arena, room - ARENA_OVERHEAD);
  if (!chunk) return false;
  chunk->older = arena->chunks;
  arena->chunks = chunk;
  arena->next = chunk_memory(chunk);
  arena->end = (char *)chunk + chunk->size;
  return true;
}

static char *arena_take(alch_arena *arena, size_t size) {
  size = (size + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
  if (size > (size_t)(arena->end - arena->next)) {
    if (size > ARENA_CHUNK_MIN / 4) return take_large(arena, size);
    if (!open_chunk(arena)) return NULL;
  }
  char *memory = arena->next;
  arena->next += size;
  return memory;
}
#endif

/* Nothing still answers a place, so that NULL always means that there is no memory. */
static char *arena_take_checked(alch_arena *arena, size_t size) {
  if (size > SIZE_MAX - 4 * ARENA_ALIGNMENT) return NULL;
  return arena_take(arena, size == 0 ? 1 : size);
}

void *alch_arena_allocate(alch_arena *arena, size_t size) {
  char *memory = arena_take_checked(arena, size);
  if (memory) memset(memory, 0, size);
  return memory;
}

char *alch_arena_text(alch_arena *arena, const char *text, size_t length) {
  if (length == SIZE_MAX) return NULL;
  char *copy = arena_take_checked(arena, length + 1);
  if (!copy) return NULL;
  if (length > 0) memcpy(copy, text, length);
  copy[length] = '\0';
  return copy;
}

void *alch_arena_copy(alch_arena *arena, const void *bytes, size_t size) {
  char *copy = arena_take_checked(arena, size);
  if (copy && size > 0) memcpy(copy, bytes, size);
  return copy;
}

void alch_arena_clear(alch_arena *arena) {
  alch_arena_chunk *chunk = arena->chunks;
  while (chunk) {
    alch_arena_chunk *older = chunk->older;
    alch_free(arena->allocator, chunk, chunk->size);
    chunk = older;
  }
  alch_arena_init(arena, arena->allocator);
}
