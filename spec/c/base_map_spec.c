#include "base_faults.h"
#include "base/map.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The same thing as a plain list, written as plainly as can be. */
typedef struct naive {
  struct { char key[24]; size_t length; void *value; } items[2000];
  size_t count;
} naive;

static size_t naive_find(const naive *list, const char *key, size_t length) {
  size_t i = 0;
  while (i < list->count && (list->items[i].length != length || memcmp(list->items[i].key, key, length) != 0)) i++;
  return i;
}

static void naive_put(naive *list, const char *key, size_t length, void *value) {
  size_t i = naive_find(list, key, length);
  if (i == list->count) {
    list->count++;
    memcpy(list->items[i].key, key, length);
    list->items[i].length = length;
  }
  list->items[i].value = value;
}

static void *naive_get(const naive *list, const char *key, size_t length) {
  size_t i = naive_find(list, key, length);
  return i == list->count ? NULL : list->items[i].value;
}

static void *naive_remove(naive *list, const char *key, size_t length) {
  size_t i = naive_find(list, key, length);
  if (i == list->count) return NULL;
  void *value = list->items[i].value;
  list->count--;
  memmove(&list->items[i], &list->items[i + 1], (list->count - i) * sizeof list->items[0]);
  return value;
}

static bool same(const alch_map *map, const naive *list) {
  uint32_t position = 0;
  const char *key;
  size_t length;
  void *value;
  if (alch_map_count(map) != list->count) return false;
  for (size_t i = 0; i < list->count; i++) {
    if (!alch_map_next(map, &position, &key, &length, &value)) return false;
    if (length != list->items[i].length || memcmp(key, list->items[i].key, length) != 0 || key[length] != '\0') return false;
    if (value != list->items[i].value || alch_map_get(map, key, length) != value) return false;
  }
  return !alch_map_next(map, &position, NULL, NULL, NULL);
}

/* Keys with zero bytes and of no length among them. */
static size_t random_key(char *key, uint64_t kinds) {
  uint64_t which = check_random_below(kinds);
  if (which == 0) return 0;
  if (which % 5 == 0) key[0] = '\0';
  else key[0] = 'k';
  return 1 + (size_t)snprintf(key + 1, 20, "%u", (unsigned)which);
}

static char marks[1000];

static bool random_step(alch_map *map, naive *list, uint64_t kinds, uint64_t puts) {
  char key[24];
  size_t length = random_key(key, kinds);
  void *value = &marks[check_random_below(sizeof marks)];
  uint64_t choice = check_random_below(100);
  if (choice < puts) {
    naive_put(list, key, length, value);
    return alch_map_put(map, key, length, value);
  }
  if (choice < 80) return alch_map_remove(map, key, length) == naive_remove(list, key, length);
  return alch_map_get(map, key, length) == naive_get(list, key, length);
}

CASE("100000 random operations agree with a plain list") {
  naive *list = calloc(1, sizeof *list);
  alch_map map;
  alch_map_init(&map, &alch_allocator_standard);
  for (int i = 0; i < 100000; i++) {
    bool growing = i / 5000 % 2 == 0;
    if (!CHECK(random_step(&map, list, 600, growing ? 50 : 20))) break;
    if (i % 500 == 0 && !CHECK(same(&map, list))) break;
    if (i % 33333 == 33332) {
      alch_map_clear(&map);
      list->count = 0;
    }
  }
  CHECK(same(&map, list));
  alch_map_close(&map);
  free(list);
}

CASE("removing during a walk meets every key once") {
  alch_map map;
  alch_map_init(&map, &alch_allocator_standard);
  char key[24];
  for (int i = 0; i < 1000; i++) {
    snprintf(key, sizeof key, "%d", i);
    CHECK(alch_map_put_text(&map, key, &marks[i]));
  }
  uint32_t position = 0;
  const char *met;
  size_t length;
  void *value;
  int count = 0;
  while (alch_map_next(&map, &position, &met, &length, &value)) {
    CHECK(value == &marks[count++]);
    CHECK(alch_map_remove(&map, met, length) == value);
  }
  CHECK_INT(count, 1000);
  CHECK_INT(alch_map_count(&map), 0);
  CHECK(alch_map_get_text(&map, "5") == NULL);
  alch_map_close(&map);
}

CASE("a map that is used as a queue does not grow") {
  alch_fault_allocator fault;
  alch_fault_allocator_init(&fault);
  alch_map map;
  alch_map_init(&map, &fault.allocator);
  char key[24];
  for (int i = 0; i < 20000; i++) {
    snprintf(key, sizeof key, "%d", i);
    alch_map_put_text(&map, key, marks);
    snprintf(key, sizeof key, "%d", i - 50);
    CHECK(alch_map_remove(&map, key, strlen(key)) == (i < 50 ? NULL : marks));
  }
  CHECK(fault.peak_bytes < 10000);
  alch_map_close(&map);
  CHECK_INT(fault.live_blocks, 0);
}

CASE("an empty map answers NULL and can be closed twice") {
  alch_map map;
  alch_map_init(&map, &alch_allocator_standard);
  CHECK(alch_map_get_text(&map, "a") == NULL);
  CHECK(alch_map_remove(&map, "a", 1) == NULL);
  alch_map_close(&map);
  alch_map_close(&map);
  CHECK(alch_map_put(&map, NULL, 0, marks));
  CHECK(alch_map_get(&map, "", 0) == marks);
  alch_map_close(&map);
}

/* A put that fails leaves what was there, and all else goes on. */
static bool fill_map(const alch_allocator *allocator) {
  alch_map map;
  alch_map_init(&map, allocator);
  map.seed = 17;
  bool passed = true, missing[100] = { false };
  char key[24];
  for (int i = 0; i < 100; i++) {
    snprintf(key, sizeof key, "key %d", i);
    missing[i] = !alch_map_put_text(&map, key, &marks[i]);
    passed = passed && !missing[i];
    if (i % 3 != 0) continue;
    alch_map_remove(&map, key, strlen(key));
    missing[i] = true;
  }
  uint32_t live = 0;
  for (int i = 0; i < 100; i++) {
    snprintf(key, sizeof key, "key %d", i);
    CHECK(alch_map_get_text(&map, key) == (missing[i] ? NULL : &marks[i]));
    live += !missing[i];
  }
  CHECK_INT(alch_map_count(&map), live);
  alch_map_close(&map);
  return passed;
}

CASE("a map survives every failed allocation") {
  survive_faults(fill_map);
}

CASE("the hash sees every bit of every length, and no address") {
  unsigned char bytes[601], moved[608];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)check_random();
  for (size_t length = 0; length <= 600; length++) {
    uint64_t hash = alch_hash(bytes, length, 1);
    memcpy(moved + length % 8, bytes, length);
    CHECK(alch_hash(moved + length % 8, length, 1) == hash);
    CHECK(alch_hash(bytes, length, 2) != hash);
    CHECK(alch_hash(bytes, length + 1 > 600 ? 0 : length + 1, 1) != hash);
    for (size_t bit = 0; bit < length * 8; bit += 1 + length / 64) {
      bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
      if (!CHECK(alch_hash(bytes, length, 1) != hash)) return;
      bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
  }
}

static int compare_words(const void *left, const void *right) {
  uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
  return a < b ? -1 : a > b;
}

CASE("zeros of different lengths differ") {
  static const char zeros[2000];
  static uint64_t hashes[2000];
  for (size_t i = 0; i < 2000; i++) hashes[i] = alch_hash(zeros, i, 0);
  qsort(hashes, 2000, sizeof hashes[0], compare_words);
  for (size_t i = 1; i < 2000; i++) CHECK(hashes[i] != hashes[i - 1]);
}

/* Half the bits flip on the average, and like keys spread evenly over few slots. */
CASE("the hash stirs well") {
  enum { SLOTS = 1024, KEYS = 102400 };
  static unsigned counts[SLOTS];
  uint64_t flips = 0;
  memset(counts, 0, sizeof counts);
  for (unsigned i = 0; i < KEYS; i++) {
    char key[40];
    size_t length = (size_t)snprintf(key, sizeof key, i % 2 ? "%u" : "column_number_%u_of_table", i);
    uint64_t hash = alch_hash(key, length, 0);
    counts[hash % SLOTS]++;
    key[length / 2] ^= 1;
    for (uint64_t changed = hash ^ alch_hash(key, length, 0); changed; changed &= changed - 1) flips++;
  }
  double square = 0;
  for (unsigned i = 0; i < SLOTS; i++) square += ((double)counts[i] - 100) * ((double)counts[i] - 100) / 100;
  CHECK(square > 800 && square < 1250);
  CHECK(flips > (uint64_t)KEYS * 318 / 10 && flips < (uint64_t)KEYS * 322 / 10);
}

CASE("the nearest word is a typing error away") {
  static const char *const names[] = { "name", "email", "age", "created_at", "id" };
  size_t count = ALCH_COUNT(names);
  CHECK_TEXT(alch_nearest("naem", names, count), "name");
  CHECK_TEXT(alch_nearest("NAME", names, count), "name");
  CHECK_TEXT(alch_nearest("e_mail", names, count), "email");
  CHECK_TEXT(alch_nearest("createdat", names, count), "created_at");
  CHECK_TEXT(alch_nearest("di", names, count), "id");
  CHECK_TEXT(alch_nearest("address", names, count), NULL);
  CHECK_TEXT(alch_nearest("x", names, count), NULL);
  CHECK_TEXT(alch_nearest("", names, count), NULL);
  CHECK_TEXT(alch_nearest("name", names, 0), NULL);
  char longest[100];
  memset(longest, 'a', 99);
  longest[99] = '\0';
  CHECK_TEXT(alch_nearest(longest, names, count), NULL);
  const char *const long_names[] = { longest, "name" };
  CHECK_TEXT(alch_nearest("nam", long_names, 2), "name");
}
