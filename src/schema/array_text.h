/* array_text.h - arrays and key-value sets as text, which is how their values stand in blocks: {1,2,{"a b",NULL}} and "key"=>"value", "other"=>NULL.
   It is the text that the databases which have such types take and give. */
#ifndef ALCH_ARRAY_TEXT_H
#define ALCH_ARRAY_TEXT_H

#include "base/value.h"

struct alch_buffer;

/* Writing: open and close nest; separators come by themselves. */
void alch_array_open(struct alch_buffer *out);
void alch_array_add(struct alch_buffer *out, const alch_value *item);
void alch_array_close(struct alch_buffer *out);

typedef struct alch_array_cursor { const char *next, *end; } alch_array_cursor;
typedef enum alch_array_token { ALCH_ARRAY_END, ALCH_ARRAY_OPEN, ALCH_ARRAY_CLOSE, ALCH_ARRAY_ITEM } alch_array_token;

/* Reading: an ITEM is a text, in `text` until the next call, or NULL. Bounds before the braces ([2:3]={…}) are passed over. */
alch_array_cursor alch_array_cursor_at(const char *text, size_t length);
alch_array_token alch_array_next(alch_array_cursor *cursor, struct alch_buffer *text, alch_value *item);

/* The bytes that a text in hexadecimal (\x00ff) stands for, as a BLOB in `out`, whose end they are added to; false when it is none. */
bool alch_array_bytes(alch_value *item, struct alch_buffer *out);

/* One pair; value NULL or TEXT. */
void alch_hstore_add(struct alch_buffer *out, const alch_value *key, const alch_value *value);
/* The next pair, in the two buffers; false at the end. */
bool alch_hstore_next(alch_array_cursor *cursor, struct alch_buffer *key, struct alch_buffer *text, alch_value *value);

#endif
