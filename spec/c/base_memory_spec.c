#include "base_faults.h"
#include "base/arena.h"
#include "base/fault.h"
#include <string.h>

static bool all_bytes(const void *block, char byte, size_t size) {
  const char *bytes = block;
  for (size_t i = 0; i < size; i++)
    if (bytes[i] != byte) return false;
  return true;
}

CASE("the standard allocator allocates, resizes and frees") {
  const alch_allocator *standard = &alch_allocator_standard;
  char *block = alch_allocate_zeroed(standard, 100);
  if (!CHECK(block)) return;
  CHECK(all_bytes(block, 0, 100));
  memset(block, 7, 100);
  char *moved = alch_resize(standard, block, 100, 5000);
  if (!CHECK(moved)) return;
  CHECK(all_bytes(moved, 7, 100));
  CHECK(alch_resize(standard, moved, 5000, 0) == NULL);
  CHECK(alch_allocate(standard, 0) == NULL);
  alch_free(standard, NULL, 10);
}

CASE("the fault allocator counts blocks and bytes") {
  alch_fault_allocator fault;
  alch_fault_allocator_init(&fault);
  void *a = alch_allocate(&fault.allocator, 10), *b = alch_allocate(&fault.allocator, 20);
  CHECK_INT(fault.live_blocks, 2);
  CHECK_INT(fault.live_bytes, 30);
  b = alch_resize(&fault.allocator, b, 20, 5);
  CHECK_INT(fault.live_bytes, 15);
  CHECK_INT(fault.peak_bytes, 35);
  CHECK_INT(fault.calls, 2);
  alch_free(&fault.allocator, a, 11);
  CHECK_INT(fault.wrong_sizes, 1);
  alch_free(&fault.allocator, b, 5);
  CHECK_INT(fault.live_blocks, 0);
}

CASE("the fault allocator fails once, or from then on") {
  for (int persistent = 0; persistent < 2; persistent++) {
    alch_fault_allocator fault;
    alch_fault_allocator_init(&fault);
    fault.fail_at = 2;
    fault.persistent = persistent != 0;
    void *first = alch_allocate(&fault.allocator, 8);
    CHECK(first && !alch_resize(&fault.allocator, first, 8, 16));
    CHECK_INT(fault.live_bytes, 8);
    void *third = alch_allocate(&fault.allocator, 8);
    CHECK((third != NULL) == !persistent);
    CHECK_INT(fault.failures, 1 + persistent);
    alch_free(&fault.allocator, third, 8);
    alch_free(&fault.allocator, first, 8);
  }
}

static bool grow_an_array(const alch_allocator *allocator) {
  uint32_t *array = NULL, capacity = 0, count = 0;
  bool passed = true;
  for (; count < 1000; count++) {
    uint32_t *grown = alch_grow(allocator, array, &capacity, count + 1, sizeof *array);
    if (!grown) {
      passed = false;
      break;
    }
    array = grown;
    array[count] = count;
  }
  for (uint32_t i = 0; i < count; i++)
    if (!CHECK_INT(array[i], i)) break;
  alch_free(allocator, array, capacity * sizeof *array);
  return passed;
}

CASE("an array grows by doubling, and stays when it cannot") {
  uint32_t capacity = 0;
  void *array = alch_grow(&alch_allocator_standard, NULL, &capacity, 1, 4);
  CHECK_INT(capacity, 8);
  array = alch_grow(&alch_allocator_standard, array, &capacity, 9, 4);
  CHECK_INT(capacity, 16);
  array = alch_grow(&alch_allocator_standard, array, &capacity, 100, 4);
  CHECK_INT(capacity, 100);
  CHECK(alch_grow(&alch_allocator_standard, array, &capacity, 101, SIZE_MAX / 64) == NULL);
  CHECK_INT(capacity, 100);
  alch_free(&alch_allocator_standard, array, 400);
  survive_faults(grow_an_array);
}

#define PIECES 150

/* Of every size about the borders of a chunk; what each holds must not touch another. */
static bool fill_arena(const alch_allocator *allocator) {
  static const size_t sizes[] = { 0, 1, 15, 16, 17, 100, 255, 256, 257, 1000, 5000, 70000 };
  alch_arena arena;
  alch_arena_init(&arena, allocator);
  char *pieces[PIECES];
  size_t count = 0, lengths[PIECES];
  for (; count < PIECES; count++) {
    lengths[count] = sizes[count * 7 % ALCH_COUNT(sizes)];
    pieces[count] = alch_arena_allocate(&arena, lengths[count]);
    if (!pieces[count]) break;
    CHECK_INT((uintptr_t)pieces[count] % 16, 0);
    CHECK(all_bytes(pieces[count], 0, lengths[count]));
    memset(pieces[count], (int)count % 100 + 1, lengths[count]);
  }
  for (size_t i = 0; i < count; i++) CHECK(all_bytes(pieces[i], (char)(i % 100 + 1), lengths[i]));
  alch_arena_clear(&arena);
  return count == PIECES;
}

CASE("an arena hands out zeroed, aligned, separate pieces") {
  survive_faults(fill_arena);
}

CASE("an arena copies bytes and texts, and can be used again") {
  alch_fault_allocator fault;
  alch_fault_allocator_init(&fault);
  alch_arena arena;
  alch_arena_init(&arena, &fault.allocator);
  for (int round = 0; round < 3; round++) {
    CHECK_TEXT(alch_arena_text(&arena, "hello world", 5), "hello");
    CHECK_TEXT(alch_arena_text(&arena, NULL, 0), "");
    char *copy = alch_arena_copy(&arena, "a\0b", 3);
    CHECK_BYTES(copy, "a\0b", 3);
    CHECK(alch_arena_copy(&arena, NULL, 0) != NULL);
    CHECK(alch_arena_allocate(&arena, SIZE_MAX) == NULL);
    CHECK(alch_arena_text(&arena, "", SIZE_MAX) == NULL);
    alch_arena_clear(&arena);
    CHECK_INT(fault.live_blocks, 0);
  }
}

CASE("an arena may begin with something large") {
  alch_arena arena;
  alch_arena_init(&arena, &alch_allocator_standard);
  char *large = alch_arena_allocate(&arena, 100000), *small = alch_arena_allocate(&arena, 10);
  CHECK(large && all_bytes(large, 0, 100000));
  CHECK(small && all_bytes(small, 0, 10));
  alch_arena_clear(&arena);
}

/* Eight bytes off, as a host's allocator may be. */
static void *shifted(void *context, void *block, size_t old_size, size_t new_size) {
  const alch_allocator *standard = context;
  char *start = block ? (char *)block - 8 : NULL;
  char *moved = alch_resize(standard, start, old_size + 8, new_size ? new_size + 8 : 0);
  return moved ? moved + 8 : NULL;
}

CASE("an arena aligns what its allocator does not") {
  alch_allocator standard = alch_allocator_standard;
  alch_allocator odd = { shifted, &standard };
  fill_arena(&odd);
}

CASE("a fault point fails at its pass and at no other") {
#ifdef ALCH_DEBUG
  CHECK(!alch_fault("here"));
  alch_fault_arm("here", 2);
  CHECK(!alch_fault("there"));
  CHECK(!alch_fault("here"));
  CHECK(alch_fault("here"));
  CHECK(!alch_fault("here"));
  CHECK_INT(alch_fault_passes(), 3);
  alch_fault_arm(NULL, 0);
  CHECK(!alch_fault("here"));
#else
  check_skip("fault points exist in debug builds");
#endif
}
