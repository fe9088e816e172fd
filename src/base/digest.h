/* digest.h - MD5, for names that must be short and yet differ. Not for secrets. */
#ifndef ALCH_DIGEST_H
#define ALCH_DIGEST_H

#include "base/base.h"

/* 32 hexadecimal digits in lower case and a zero byte. https://www.rfc-editor.org/rfc/rfc1321 */
void alch_md5_text(const void *bytes, size_t length, char out[33]);

#endif
