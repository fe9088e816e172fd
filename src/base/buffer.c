#include "base/buffer.h"
#include "base/real.h"
#include <stdio.h>
#include <string.h>

#define BUFFER_FIRST ((size_t)64)

void alch_buffer_init(alch_buffer *buffer, const alch_allocator *allocator) {
  *buffer = (alch_buffer){ .allocator = allocator };
}

void alch_buffer_close(alch_buffer *buffer) {
  alch_free(buffer->allocator, buffer->text, buffer->capacity);
  alch_buffer_init(buffer, buffer->allocator);
}

void alch_buffer_clear(alch_buffer *buffer) {
  buffer->length = 0;
  buffer->failed = false;
  if (buffer->text) buffer->text[0] = '\0';
}

bool alch_buffer_failed(const alch_buffer *buffer) {
  return buffer->failed;
}

static bool buffer_grow(alch_buffer *buffer, size_t wanted) {
  size_t capacity = buffer->capacity < BUFFER_FIRST ? BUFFER_FIRST : buffer->capacity;
  while (capacity < wanted) capacity = capacity > SIZE_MAX / 2 ? wanted : capacity * 2;
  char *text = alch_resize(buffer->allocator, buffer->text, buffer->capacity, capacity);
  if (!text) {
    buffer->failed = true;
    return false;
  }
  buffer->text = text;
  buffer->capacity = capacity;
  return true;
}

char *alch_buffer_reserve(alch_buffer *buffer, size_t length) {
  if (buffer->failed) return NULL;
  if (length >= SIZE_MAX - buffer->length) {
    buffer->failed = true;
    return NULL;
  }
  size_t wanted = buffer->length + length + 1;
  if (wanted > buffer->capacity && !buffer_grow(buffer, wanted)) return NULL;
  return buffer->text + buffer->length;
}

void alch_buffer_add_bytes(alch_buffer *buffer, const void *bytes, size_t length) {
  char *room = alch_buffer_reserve(buffer, length);
  if (!room) return;
  if (length > 0) memcpy(room, bytes, length);
  room[length] = '\0';
  buffer->length += length;
}

void alch_buffer_add(alch_buffer *buffer, const char *text) {
  alch_buffer_add_bytes(buffer, text, strlen(text));
}

void alch_buffer_add_char(alch_buffer *buffer, char c) {
  char *room = ALCH_LIKELY(!buffer->failed && buffer->length + 1 < buffer->capacity) ? buffer->text + buffer->length : alch_buffer_reserve(buffer, 1);
  if (!room) return;
  room[0] = c;
  room[1] = '\0';
  buffer->length++;
}

void alch_buffer_add_integer(alch_buffer *buffer, int64_t integer) {
  char digits[24];
  char *start = digits + sizeof digits;
  uint64_t magnitude = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
  do {
    *--start = (char)('0' + magnitude % 10);
    magnitude /= 10;
  } while (magnitude > 0);
  if (integer < 0) *--start = '-';
  alch_buffer_add_bytes(buffer, start, (size_t)(digits + sizeof digits - start));
}

void alch_buffer_add_real(alch_buffer *buffer, double real) {
  char text[ALCH_REAL_TEXT_SIZE];
  size_t length = alch_real_print(real, text);
  alch_buffer_add_bytes(buffer, text, length);
}

void alch_buffer_add_format(alch_buffer *buffer, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  alch_buffer_add_format_list(buffer, format, arguments);
  va_end(arguments);
}

void alch_buffer_add_format_list(alch_buffer *buffer, const char *format, va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  char *room = alch_buffer_reserve(buffer, BUFFER_FIRST / 2);
  if (room) {
    size_t space = buffer->capacity - buffer->length;
    int written = vsnprintf(room, space, format, arguments);
    if (written >= 0 && (size_t)written >= space) {
      room = alch_buffer_reserve(buffer, (size_t)written);
      if (room) vsnprintf(room, (size_t)written + 1, format, again);
    }
    if (written < 0) buffer->failed = true;
    if (room && written >= 0) buffer->length += (size_t)written;
  }
  va_end(again);
  /* A half-written text behind the length would outlive a failure. */
  if (buffer->text) buffer->text[buffer->length] = '\0';
}

void alch_buffer_insert(alch_buffer *buffer, size_t offset, const void *bytes, size_t length) {
  ALCH_CHECK(offset <= buffer->length);
  if (!alch_buffer_reserve(buffer, length)) return;
  char *place = buffer->text + offset;
  memmove(place + length, place, buffer->length - offset);
  if (length > 0) memcpy(place, bytes, length);
  buffer->length += length;
  buffer->text[buffer->length] = '\0';
}

/* Whoever filled a reserve did not write the zero. */
const char *alch_buffer_text(const alch_buffer *buffer) {
  if (!buffer->text) return "";
  buffer->text[buffer->length] = '\0';
  return buffer->text;
}

char *alch_buffer_detach(alch_buffer *buffer, size_t *length, size_t *capacity) {
  if (!alch_buffer_reserve(buffer, 0)) return NULL;
  char *text = buffer->text;
  text[buffer->length] = '\0';
  *length = buffer->length;
  *capacity = buffer->capacity;
  alch_buffer_init(buffer, buffer->allocator);
  return text;
}
