/* record.h - what the files of this floor share. Not for other floors.
   Copies made here are owned by the catalog's arena. */
#ifndef ALCH_RECORD_H
#define ALCH_RECORD_H

#include "schema/metadata.h"

/* Puts a copy in the place of *text (NULL stays NULL). False when there is no memory. */
bool alch_record_text(alch_catalog *catalog, const char **text);
/* The same for a list of texts; one of none becomes NULL. */
bool alch_record_texts(alch_catalog *catalog, const char *const **texts, uint32_t count);
/* The same for the text of a value. */
bool alch_record_value(alch_catalog *catalog, alch_value *value);

/* Appends a finished constraint or index to its table. */
void alch_record_link_constraint(alch_constraint *constraint);
void alch_record_link_index(alch_index *index);
/* Makes `column` the last one of the primary key. False when there is no memory. */
bool alch_record_join_primary_key(alch_column *column);

/* As alch_table_require_column, with words for who is asking ("UniqueConstraint"; NULL: nobody) and the kind of the error. */
alch_status alch_record_find_column(const alch_table *table, const char *key, const char *asking, alch_error_kind kind, alch_column **out, alch_error *error);
/* Fills up to `limit` names for alch_nearest. */
size_t alch_record_column_names(const alch_table *table, const char **names, size_t limit);

/* The name that the naming convention of this kind ("ix", "uq" …) makes, into out; nothing when there is no such convention. given: the name that was written, or NULL.
   A constraint's targets may be NULL. */
typedef struct alch_naming {
  const alch_table *table;
  const char *kind, *given;
  alch_column *const *columns;          /* NULL at places that are expressions */
  uint32_t column_count;
  const alch_constraint *foreign_key;   /* or NULL */
} alch_naming;
alch_status alch_record_conventional_name(const alch_naming *naming, struct alch_buffer *out, alch_error *error);
/* Does a convention apply to an item of this kind with this name? Only to unnamed ones, unless it makes use of the name. */
bool alch_record_has_convention(const alch_table *table, const char *kind, const char *given);

/* The parts of a foreign key's target: the column's name (NULL: as the own column), and the table's, which ends at *table_length. */
typedef struct alch_target { const char *table, *column; size_t table_length; } alch_target;
alch_target alch_record_target(const char *text);

enum { ALCH_NAMES_LIMIT = 128 };

#endif
