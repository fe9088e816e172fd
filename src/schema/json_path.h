/* json_path.h - the index of a JSON value and the path into one, between the user and the dialects.
   An index is a value of the type JSON_INDEX: text is a key, an integer a place, counted from 0. A path is a value of the type JSON_PATH: text such as ["a","b",0], where only " and \ are
   escaped, with a backslash. A dialect's to_database turns both into what its database takes. */
#ifndef ALCH_JSON_PATH_H
#define ALCH_JSON_PATH_H

#include "base/error.h"
#include "base/value.h"

struct alch_buffer;

/* One step of a path: a key (text) or a place (integer). */
typedef struct alch_path_cursor { const char *next, *end; } alch_path_cursor;

/* Writing a path: start with an empty buffer, one call a step, and finish. */
void alch_path_add(struct alch_buffer *path, const alch_value *step);
void alch_path_finish(struct alch_buffer *path);

/* Reading one. The steps of a JSON_INDEX are one; key's content is overwritten by a step that is text, which *step then points to. False at the end. */
alch_path_cursor alch_path_cursor_at(const alch_value *path);
bool alch_path_next(alch_path_cursor *cursor, struct alch_buffer *key, alch_value *step);

/* $."a"[0] : the path that SQL's JSON functions take, of an index or a path. */
alch_status alch_path_write_dollar(uint8_t family, const alch_value *path, struct alch_buffer *out, alch_error *error);
/* {a, 0} : the same as a text array. */
alch_status alch_path_write_braces(uint8_t family, const alch_value *path, struct alch_buffer *out, alch_error *error);

#endif
