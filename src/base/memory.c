#include "base/memory.h"
#include "base/fault.h"
#include <stdlib.h>
#include <string.h>

static void *standard_reallocate(void *context, void *block, size_t old_size, size_t new_size) {
  (void)context;
  (void)old_size;
  if (new_size == 0) {
    free(block);
    return NULL;
  }
  if ((!block || new_size > old_size) && alch_fault("memory")) return NULL;
  return realloc(block, new_size);
}

const alch_allocator alch_allocator_standard = { standard_reallocate, NULL };

void *alch_allocate(const alch_allocator *allocator, size_t size) {
  return size == 0 ? NULL : allocator->reallocate(allocator->context, NULL, 0, size);
}

void *alch_allocate_zeroed(const alch_allocator *allocator, size_t size) {
  void *block = alch_allocate(allocator, size);
  if (block) memset(block, 0, size);
  return block;
}

void *alch_resize(const alch_allocator *allocator, void *block, size_t old_size, size_t new_size) {
  if (!block) return alch_allocate(allocator, new_size);
  return allocator->reallocate(allocator->context, block, old_size, new_size);
}

void alch_free(const alch_allocator *allocator, void *block, size_t size) {
  if (block) allocator->reallocate(allocator->context, block, size, 0);
}

void *alch_grow(const alch_allocator *allocator, void *array, uint32_t *capacity, uint32_t wanted, size_t item_size) {
  if (array && wanted <= *capacity) return array;
  uint64_t grown = *capacity < 8 ? 8 : (uint64_t)*capacity * 2;
  if (grown < wanted) grown = wanted;
  if (grown > UINT32_MAX) grown = UINT32_MAX;
  if (grown > SIZE_MAX / item_size) return NULL;
  void *moved = alch_resize(allocator, array, *capacity * item_size, (size_t)grown * item_size);
  if (moved) *capacity = (uint32_t)grown;
  return moved;
}

/* Each block of the fault allocator knows its size, so that a caller's wrong old size shows. 16 bytes keep the alignment. */
typedef union fault_header {
  size_t size;
  char room[16];
} fault_header;

static bool fault_due(alch_fault_allocator *fault) {
  fault->calls++;
  bool due = fault->fail_at != 0 && (fault->persistent ? fault->calls >= fault->fail_at : fault->calls == fault->fail_at);
  if (due) fault->failures++;
  return due;
}

static void *fault_new(alch_fault_allocator *fault, size_t size) {
  if (size > SIZE_MAX - sizeof(fault_header)) return NULL;
  fault_header *header = malloc(sizeof *header + size);
  if (!header) return NULL;
  header->size = size;
  fault->live_blocks++;
  fault->live_bytes += size;
  if (fault->live_bytes > fault->peak_bytes) fault->peak_bytes = fault->live_bytes;
  return header + 1;
}

static void fault_release(alch_fault_allocator *fault, void *block) {
  fault_header *header = (fault_header *)block - 1;
  fault->live_blocks--;
  fault->live_bytes -= header->size;
  free(header);
}

/* Every resize moves the block: a pointer kept across one is then caught by the sanitizers. */
static void *fault_reallocate(void *context, void *block, size_t old_size, size_t new_size) {
  alch_fault_allocator *fault = context;
  size_t size = block ? ((fault_header *)block - 1)->size : 0;
  if (block && size != old_size) fault->wrong_sizes++;
  if (new_size > size && fault_due(fault)) return NULL;
  void *moved = NULL;
  if (new_size > 0) {
    moved = fault_new(fault, new_size);
    if (!moved) return NULL;
    if (block) memcpy(moved, block, size < new_size ? size : new_size);
  }
  if (block) fault_release(fault, block);
  return moved;
}

void alch_fault_allocator_init(alch_fault_allocator *fault) {
  *fault = (alch_fault_allocator){ .allocator = { fault_reallocate, fault } };
}
