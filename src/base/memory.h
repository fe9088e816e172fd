/* memory.h - the allocator record.
   Whoever allocates with a record frees with the same record and the true old size: hosts with a memory budget
   (Lua's allocators) rely on it. The record is borrowed and outlives everything made with it. */
#ifndef ALCH_MEMORY_H
#define ALCH_MEMORY_H

#include "base/base.h"

/* Lua's own signature (lua_Alloc): new_size 0 frees and answers NULL; block NULL allocates; NULL on failure leaves the block as it was. */
typedef void *(*alch_reallocate)(void *context, void *block, size_t old_size, size_t new_size);

typedef struct alch_allocator {
  alch_reallocate reallocate;
  void *context;
} alch_allocator;

/* The C library's allocator. */
extern const alch_allocator alch_allocator_standard;

/* NULL when there is no memory (or size is 0). */
void *alch_allocate(const alch_allocator *allocator, size_t size);
void *alch_allocate_zeroed(const alch_allocator *allocator, size_t size);
/* new_size 0 frees and answers NULL. */
void *alch_resize(const alch_allocator *allocator, void *block, size_t old_size, size_t new_size);
/* block may be NULL. */
void alch_free(const alch_allocator *allocator, void *block, size_t size);

/* Grows an array to hold at least `wanted` items (doubling, 8 at first). Answers the array, perhaps moved, and sets
   *capacity; NULL when there is no memory, the old array being untouched. */
void *alch_grow(const alch_allocator *allocator, void *array, uint32_t *capacity, uint32_t wanted, size_t item_size);

/* An allocator for specs: counts bytes and live blocks, moves a block at every resize, and fails the n-th allocation (once, or from then on). */
typedef struct alch_fault_allocator {
  alch_allocator allocator;      /* hand &fault.allocator to the code under test */
  size_t live_blocks, live_bytes, peak_bytes;
  uint64_t calls;                /* allocations and growths so far */
  uint64_t fail_at;              /* 0: never; n: the n-th call from the start fails */
  bool persistent;               /* all calls from fail_at on fail, not only that one */
  uint64_t failures;
  uint64_t wrong_sizes;          /* how often a block came back with an old size that is not its own */
} alch_fault_allocator;

void alch_fault_allocator_init(alch_fault_allocator *fault);

#endif
