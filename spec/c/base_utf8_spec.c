/* Every character, and everything that is none, against the ranges of bytes that the Unicode Standard lists (table 3-7). */
#include "base/utf8.h"
#include "check.h"
#include <string.h>

/* Well-formed sequences, by the bounds of their bytes. */
static const struct { unsigned char low[4], high[4]; size_t length; } forms[] = {
  { { 0x00 }, { 0x7f }, 1 },
  { { 0xc2, 0x80 }, { 0xdf, 0xbf }, 2 },
  { { 0xe0, 0xa0, 0x80 }, { 0xe0, 0xbf, 0xbf }, 3 },
  { { 0xe1, 0x80, 0x80 }, { 0xec, 0xbf, 0xbf }, 3 },
  { { 0xed, 0x80, 0x80 }, { 0xed, 0x9f, 0xbf }, 3 },
  { { 0xee, 0x80, 0x80 }, { 0xef, 0xbf, 0xbf }, 3 },
  { { 0xf0, 0x90, 0x80, 0x80 }, { 0xf0, 0xbf, 0xbf, 0xbf }, 4 },
  { { 0xf1, 0x80, 0x80, 0x80 }, { 0xf3, 0xbf, 0xbf, 0xbf }, 4 },
  { { 0xf4, 0x80, 0x80, 0x80 }, { 0xf4, 0x8f, 0xbf, 0xbf }, 4 },
};

static bool has_form(const unsigned char *bytes, size_t given, size_t form) {
  if (given < forms[form].length) return false;
  for (size_t i = 0; i < forms[form].length; i++)
    if (bytes[i] < forms[form].low[i] || bytes[i] > forms[form].high[i]) return false;
  return true;
}

static size_t expected_length(const unsigned char *bytes, size_t given) {
  for (size_t form = 0; form < ALCH_COUNT(forms); form++)
    if (has_form(bytes, given, form)) return forms[form].length;
  return 0;
}

CASE("every character is written and read as itself") {
  for (uint32_t code = 0; code <= 0x10ffff; code++) {
    char bytes[4];
    uint32_t read = UINT32_MAX;
    if (code >= 0xd800 && code < 0xe000) continue;
    size_t length = alch_utf8_write(code, bytes);
    bool same = alch_utf8_read(bytes, bytes + length, &read) == length && read == code && expected_length((unsigned char *)bytes, length) == length;
    if (!same && !CHECK_INT(read, code)) return;
  }
}

/* Of the third and fourth bytes those at the bounds are enough. */
CASE("whatever four bytes there are, what is no character is none") {
  static const unsigned char ends[] = { 0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff };
  unsigned char bytes[4];
  uint32_t code;
  for (unsigned first = 0; first < 256; first++)
    for (unsigned second = 0; second < 256; second++)
      for (size_t third = 0; third < ALCH_COUNT(ends); third++)
        for (size_t fourth = 0; fourth < ALCH_COUNT(ends); fourth++)
          for (size_t given = 1; given <= 4; given++) {
            bytes[0] = (unsigned char)first, bytes[1] = (unsigned char)second, bytes[2] = ends[third], bytes[3] = ends[fourth];
            size_t wanted = expected_length(bytes, given), came = alch_utf8_read((char *)bytes, (char *)bytes + given, &code);
            if (wanted != came && !CHECK_INT(came, wanted)) return;
          }
}

/* The check goes by eights, so each place of a broken byte is another case. */
CASE("the first broken byte is found wherever it stands") {
  static const char *const fillers[] = { "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80" };
  char text[64];
  for (size_t filler = 0; filler < ALCH_COUNT(fillers); filler++) {
    size_t size = strlen(fillers[filler]);
    for (size_t count = 0; count * size + 1 < sizeof text; count++) {
      for (size_t i = 0; i < count; i++) memcpy(text + i * size, fillers[filler], size);
      CHECK_INT(alch_utf8_check(text, count * size), count * size);
      CHECK(alch_utf8_is_text(text, count * size));
      text[count * size] = '\xff';
      CHECK_INT(alch_utf8_check(text, count * size + 1), count * size);
      CHECK(!alch_utf8_is_text(text, count * size + 1));
      text[count * size] = '\0';
      CHECK_INT(alch_utf8_check(text, count * size + 1), count * size + 1);
      CHECK(!alch_utf8_is_text(text, count * size + 1));
    }
  }
}

CASE("a zero byte is seen among any others") {
  char text[24];
  for (int high = 0; high < 2; high++)
    for (size_t place = 0; place < sizeof text; place++) {
      memset(text, high ? '\x7f' : '\x01', sizeof text);
      CHECK(alch_utf8_is_text(text, sizeof text));
      text[place] = '\0';
      CHECK(!alch_utf8_is_text(text, sizeof text));
    }
}
