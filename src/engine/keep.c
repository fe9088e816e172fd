#include "engine/private.h"
#include <string.h>

/* The old memory is gone, so its address is only a number. */
static void move_texts(alch_value *values, uint32_t count, uintptr_t old, size_t length, const char *now) {
  for (uint32_t i = 0; i < count; i++) {
    if (!alch_value_has_text(values[i].kind)) continue;
    uintptr_t offset = (uintptr_t)values[i].text - old;
    if (offset < length) values[i].text = now + offset;
  }
}

bool alch_keep_text(alch_buffer *buffer, alch_value *values, uint32_t count, alch_value *value) {
  uintptr_t old = (uintptr_t)buffer->text;
  size_t length = buffer->length;
  char *room = alch_buffer_reserve(buffer, (size_t)value->length + 1);
  if (!room) return false;
  if ((uintptr_t)buffer->text != old && length > 0) move_texts(values, count, old, length, buffer->text);
  if (value->length > 0) memcpy(room, value->text, value->length);
  room[value->length] = '\0';
  buffer->length += (size_t)value->length + 1;
  value->text = room;
  return true;
}
