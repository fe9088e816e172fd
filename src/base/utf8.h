/* utf8.h - what UTF-8 is (RFC 3629): no overlong forms, no surrogates, nothing beyond U+10FFFF. Nothing here owns anything. */
#ifndef ALCH_UTF8_H
#define ALCH_UTF8_H

#include "base/base.h"

/* Reads the character at `at`, which is before `end`; answers its bytes, 0 when it is broken (*code is unaltered then). */
size_t alch_utf8_read(const char *at, const char *end, uint32_t *code);
/* Writes the character, which is one; answers its bytes. */
size_t alch_utf8_write(uint32_t code, char out[4]);
/* The place of the first byte that is not UTF-8; length when there is none. */
size_t alch_utf8_check(const char *text, size_t length);

/* UTF-8 throughout, and without a zero byte: what a text column takes. */
bool alch_utf8_is_text(const char *text, size_t length);

#endif
