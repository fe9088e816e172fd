#include "base/utf8.h"
#include <string.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)

size_t alch_utf8_read(const char *at, const char *end, uint32_t *code) {
  static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
  const unsigned char *byte = (const unsigned char *)at;
  size_t length = *byte < 0x80 ? 1 : *byte >= 0xf0 && *byte < 0xf5 ? 4 : *byte >= 0xe0 && *byte < 0xf0 ? 3 : *byte >= 0xc2 && *byte < 0xe0 ? 2 : 0;
  if (length == 0 || (size_t)(end - at) < length) return 0;
  uint32_t read = length == 1 ? *byte : *byte & (0x7fu >> length);
  for (size_t i = 1; i < length; i++) {
    if ((byte[i] & 0xc0) != 0x80) return 0;
    read = read << 6 | (byte[i] & 0x3f);
  }
  if (read < least[length] || read > 0x10ffff || (read >= 0xd800 && read < 0xe000)) return 0;
  *code = read;
  return length;
}

size_t alch_utf8_write(uint32_t code, char out[4]) {
  static const uint8_t heads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
  size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (size_t i = length - 1; i > 0; i--, code >>= 6) out[i] = (char)(0x80 | (code & 0x3f));
  out[0] = (char)(heads[length] | code);
  return length;
}

/* Most texts are ASCII, eight bytes of which are looked at together. */
size_t alch_utf8_check(const char *text, size_t length) {
  const char *at = text, *end = text + length;
  uint64_t eight;
  uint32_t code;
  while (at < end) {
    while (end - at >= (ptrdiff_t)sizeof eight) {
      memcpy(&eight, at, sizeof eight);
      if (eight & HIGH_BITS) break;
      at += sizeof eight;
    }
    size_t used = at < end ? alch_utf8_read(at, end, &code) : 0;
    if (used == 0) break;
    at += used;
  }
  return (size_t)(at - text);
}

#define ONES UINT64_C(0x0101010101010101)

/* A byte that is zero borrows from above itself, so that the difference has its high bit as well. */
bool alch_utf8_is_text(const char *text, size_t length) {
  const char *at = text, *end = text + length;
  uint64_t eight;
  uint32_t code;
  while (at < end) {
    while (end - at >= (ptrdiff_t)sizeof eight) {
      memcpy(&eight, at, sizeof eight);
      if (((eight - ONES) | eight) & HIGH_BITS) break;
      at += sizeof eight;
    }
    for (int i = 0; i < (int)sizeof eight && at < end; i++) {
      size_t used = *at ? alch_utf8_read(at, end, &code) : 0;
      if (used == 0) return false;
      at += used;
    }
  }
  return true;
}
