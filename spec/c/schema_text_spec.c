#include "schema_build.h"
#include "schema/array_text.h"
#include "schema/json_path.h"

/* Paths into JSON values, arrays and sets of pairs as text: what is written is read again. */

static const char *random_key(char *text, size_t limit) {
  static const char letters[] = "ab\"\\{}, =>'\n[]0";
  size_t length = check_random_below((uint32_t)limit);
  for (size_t i = 0; i < length; i++) text[i] = letters[check_random_below(sizeof letters - 1)];
  text[length] = '\0';
  return text;
}

static alch_value text_value(const char *text) { return alch_value_text(text, strlen(text)); }

CASE("a path has the steps that it was made of") {
  alch_buffer path, key;
  alch_buffer_init(&path, &alch_allocator_standard);
  alch_buffer_init(&key, &alch_allocator_standard);
  for (int round = 0; round < 500; round++) {
    char texts[4][16];
    int64_t places[4];
    bool is_key[4];
    uint32_t count = check_random_below(5), read = 0;
    alch_buffer_clear(&path);
    for (uint32_t i = 0; i < count; i++) {
      is_key[i] = check_random_below(2);
      places[i] = (int64_t)check_random_below(1000) - 500;
      random_key(texts[i], sizeof texts[i] - 1);
      const alch_value step = is_key[i] ? text_value(texts[i]) : alch_value_integer(places[i]);
      alch_path_add(&path, &step);
    }
    alch_path_finish(&path);
    const alch_value whole = alch_value_text(alch_buffer_text(&path), path.length);
    alch_path_cursor cursor = alch_path_cursor_at(&whole);
    alch_value step;
    for (; alch_path_next(&cursor, &key, &step) && read < count; read++) {
      if (is_key[read]) CHECK_TEXT(step.kind == ALCH_TEXT ? step.text : "", texts[read]);
      else CHECK_INT(step.kind == ALCH_INTEGER ? step.integer : -9999, places[read]);
    }
    CHECK_INT(read, count);
  }
  alch_buffer_close(&path);
  alch_buffer_close(&key);
}

CASE("a path in the databases' words") {
  static const struct { uint8_t family; alch_value value; const char *dollar, *braces; } rows[] = {
    { ALCH_TYPE_JSON_INDEX, { .kind = ALCH_TEXT, .length = 4, .text = "a\"\\b" }, "$.\"a\\\"\\\\b\"", "{\"a\\\"\\\\b\"}" },
    { ALCH_TYPE_JSON_INDEX, { .kind = ALCH_INTEGER, .integer = -1 }, "$[-1]", "{-1}" },
    { ALCH_TYPE_JSON_PATH, { .kind = ALCH_TEXT, .length = 13, .text = "[\"a\",0,\"b c\"]" }, "$.\"a\"[0].\"b c\"", "{a, 0, \"b c\"}" },
    { ALCH_TYPE_JSON_PATH, { .kind = ALCH_TEXT, .length = 8, .text = "[\"null\"]" }, "$.\"null\"", "{\"null\"}" },
    { ALCH_TYPE_JSON_PATH, { .kind = ALCH_TEXT, .length = 2, .text = "[]" }, "$", "{}" },
  };
  alch_error error;
  alch_buffer out;
  alch_error_init(&error, &alch_allocator_standard);
  alch_buffer_init(&out, &alch_allocator_standard);
  for (size_t i = 0; i < ALCH_COUNT(rows); i++) {
    alch_buffer_clear(&out);
    CHECK_INT(alch_path_write_dollar(rows[i].family, &rows[i].value, &out, &error), ALCH_OK);
    CHECK_TEXT(alch_buffer_text(&out), rows[i].dollar);
    alch_buffer_clear(&out);
    CHECK_INT(alch_path_write_braces(rows[i].family, &rows[i].value, &out, &error), ALCH_OK);
    CHECK_TEXT(alch_buffer_text(&out), rows[i].braces);
  }
  alch_value real = alch_value_real(1.5);
  CHECK_INT(alch_path_write_dollar(ALCH_TYPE_JSON_INDEX, &real, &out, &error), ALCH_ERROR);
  alch_buffer_close(&out);
  alch_error_close(&error);
}

CASE("an array has the items that it was made of, and its pairs a set") {
  alch_buffer array, set, text, key;
  alch_buffer *const buffers[] = { &array, &set, &text, &key };
  for (size_t i = 0; i < ALCH_COUNT(buffers); i++) alch_buffer_init(buffers[i], &alch_allocator_standard);
  for (int round = 0; round < 500; round++) {
    char texts[6][16];
    bool null[6];
    uint32_t count = check_random_below(7);
    alch_buffer_clear(&array);
    alch_buffer_clear(&set);
    alch_array_open(&array);
    alch_array_open(&array);
    for (uint32_t i = 0; i < count; i++) {
      const alch_value item = text_value(random_key(texts[i], sizeof texts[i] - 1));
      null[i] = check_random_below(4) == 0;
      alch_array_add(&array, null[i] ? &ALCH_VALUE_NULL : &item);
      alch_hstore_add(&set, &item, null[i] ? &ALCH_VALUE_NULL : &item);
    }
    alch_array_close(&array);
    alch_array_close(&array);
    alch_array_cursor items = alch_array_cursor_at(alch_buffer_text(&array), array.length), pairs = { alch_buffer_text(&set), alch_buffer_text(&set) + set.length };
    alch_value item;
    CHECK_INT(alch_array_next(&items, &text, &item), ALCH_ARRAY_OPEN);
    CHECK_INT(alch_array_next(&items, &text, &item), ALCH_ARRAY_OPEN);
    for (uint32_t i = 0; i < count; i++) {
      if (!CHECK_INT(alch_array_next(&items, &text, &item), ALCH_ARRAY_ITEM)) break;
      CHECK_TEXT(item.kind == ALCH_NULL ? "(null)" : item.text, null[i] ? "(null)" : texts[i]);
      if (!CHECK(alch_hstore_next(&pairs, &key, &text, &item))) break;
      CHECK_TEXT(alch_buffer_text(&key), texts[i]);
      CHECK_TEXT(item.kind == ALCH_NULL ? "(null)" : item.text, null[i] ? "(null)" : texts[i]);
    }
    CHECK(!alch_hstore_next(&pairs, &key, &text, &item));
    CHECK_INT(alch_array_next(&items, &text, &item), ALCH_ARRAY_CLOSE);
    CHECK_INT(alch_array_next(&items, &text, &item), ALCH_ARRAY_CLOSE);
    CHECK_INT(alch_array_next(&items, &text, &item), ALCH_ARRAY_END);
  }
  for (size_t i = 0; i < ALCH_COUNT(buffers); i++) alch_buffer_close(buffers[i]);
}
