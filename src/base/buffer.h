/* buffer.h - growing text that remembers its own failure.
   Appends are never checked one by one: after a failed allocation the buffer is dead, further appends do nothing, and
   alch_buffer_failed says so at the end. The text is owned by the buffer until alch_buffer_detach. */
#ifndef ALCH_BUFFER_H
#define ALCH_BUFFER_H

#include "base/memory.h"
#include <stdarg.h>

typedef struct alch_buffer {
  const alch_allocator *allocator;
  char *text;          /* zero-terminated once anything was appended; may be NULL while empty */
  size_t length, capacity;
  bool failed;
} alch_buffer;

void alch_buffer_init(alch_buffer *buffer, const alch_allocator *allocator);
void alch_buffer_close(alch_buffer *buffer);
void alch_buffer_clear(alch_buffer *buffer);      /* empty, failure forgotten, memory kept */
bool alch_buffer_failed(const alch_buffer *buffer);
void alch_buffer_add(alch_buffer *buffer, const char *text);
void alch_buffer_add_bytes(alch_buffer *buffer, const void *bytes, size_t length);
void alch_buffer_add_char(alch_buffer *buffer, char c);
void alch_buffer_add_integer(alch_buffer *buffer, int64_t integer);
/* As alch_real_print: the shortest text that reads back as the same double, whatever the locale. */
void alch_buffer_add_real(alch_buffer *buffer, double real);
void alch_buffer_add_format(alch_buffer *buffer, const char *format, ...) ALCH_PRINTF(2, 3);
void alch_buffer_add_format_list(alch_buffer *buffer, const char *format, va_list arguments);
/* Room for `length` more bytes at buffer->text + buffer->length (which the caller then fills, raising length); NULL when dead. */
char *alch_buffer_reserve(alch_buffer *buffer, size_t length);
/* Inserts bytes, which lie outside the buffer, at offset (<= length). */
void alch_buffer_insert(alch_buffer *buffer, size_t offset, const void *bytes, size_t length);
/* "" while empty; never NULL. */
const char *alch_buffer_text(const alch_buffer *buffer);
/* Hands the memory over: the caller frees it with the buffer's allocator and *capacity. NULL when dead. */
char *alch_buffer_detach(alch_buffer *buffer, size_t *length, size_t *capacity);

#endif
