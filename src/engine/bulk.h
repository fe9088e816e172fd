/* bulk.h - many rows in one stream: into a table, or out of a query, where the database has a way of its own for that.
   A driver that has one has the record (alch_driver.bulk). What is under way on a connection is all that goes on there: another statement is refused until it has ended.
   alch_bulk_load is the way into a table as the engine has it: it begins the transaction, keeps others off the connection, and tells listeners. */
#ifndef ALCH_BULK_H
#define ALCH_BULK_H

#include "base/buffer.h"
#include "engine/engine.h"

typedef struct alch_driver_load alch_driver_load;     /* each driver's own */

/* Where rows go. Borrowed during the call of open. */
typedef struct alch_bulk_target {
  const char *table;                  /* as it stands in SQL, with its schema */
  const char *const *names;           /* of the columns, plain, and as they stand in SQL */
  const char *const *quoted;
  uint32_t count;
  const char *format;                 /* the words of the database for rows that are text already ("FORMAT csv, HEADER"); NULL: rows of values */
} alch_bulk_target;

typedef struct alch_bulk {
  /* Starts a load. *out is made in any case but an error. ALCH_OK: rows may be added; ALCH_WAIT: poll. */
  alch_status (*open)(alch_driver_connection *connection, const alch_bulk_target *target, alch_driver_load **out, alch_error *error);
  /* Until the database takes (more) rows: ALCH_OK, ALCH_WAIT. */
  alch_status (*poll)(alch_driver_load *load, alch_error *error);
  /* One row, in database form, as many values as the target has columns; nothing is borrowed afterwards. ALCH_WAIT: it was taken, and poll is to be called after the wait. Errors: DATA, with `row` and the
     column's name, for a value that the column cannot have; nothing is added then. */
  alch_status (*add)(alch_driver_load *load, const alch_value *values, alch_error *error);
  /* A piece of text, where the target has a format; rows may begin and end anywhere in it. As add. */
  alch_status (*add_text)(alch_driver_load *load, const char *text, size_t length, alch_error *error);
  /* The end: everything is written, or, where `reason` is given, nothing. ALCH_WAIT: the same call again after the wait. Errors are the database's, with `row` where it tells. */
  alch_status (*finish)(alch_driver_load *load, const char *reason, alch_error *error);
  int64_t (*rows)(const alch_driver_load *load);              /* how many the database has written, once it is finished */
  const char *(*sql)(const alch_driver_load *load);           /* the text that says so to the database */
  /* Frees it, whatever its state. One that is not finished is given up: the connection goes on once the database has answered, and its transaction has failed. */
  void (*close)(alch_driver_load *load);

  /* Before start: the statement, a query without parameters, is to give its rows by the same way, out of the database. format as above: then each row is one column with a line of text. */
  alch_status (*copy_out)(alch_driver_statement *statement, const char *format, alch_error *error);
} alch_bulk;

/* ---- the engine's ---- */

typedef struct alch_bulk_load {
  alch_connection *connection;        /* NULL once closed */
  const alch_bulk *bulk;
  alch_driver_load *load;
  int64_t rows;                       /* written, once it is finished */
  int64_t started_at;
  uint8_t phase;
  bool waits;                         /* the last call had to */
} alch_bulk_load;

/* What the connection's driver has, or NULL. */
const alch_bulk *alch_connection_bulk(const alch_connection *connection);
/* Begins a load (and a transaction, where none is open). The record is the caller's, zeroed at first; it must stay where it is until alch_bulk_load_close. ALCH_WAIT: the same call again after the wait.
   Errors close it: NOT_SUPPORTED where the driver has none, INVALID_REQUEST where the connection may only read, and the database's. */
alch_status alch_bulk_load_open(alch_bulk_load *load, alch_connection *connection, const alch_bulk_target *target, alch_error *error);
/* After a wait that add asked for. */
alch_status alch_bulk_load_poll(alch_bulk_load *load, alch_error *error);
/* As those of alch_bulk. Errors leave it open: finish with a reason, or close. */
alch_status alch_bulk_load_add(alch_bulk_load *load, const alch_value *values, alch_error *error);
alch_status alch_bulk_load_add_text(alch_bulk_load *load, const char *text, size_t length, alch_error *error);
/* Ends it and closes it, but for ALCH_WAIT. With a reason it is ALCH_OK whatever the database says of that. */
alch_status alch_bulk_load_finish(alch_bulk_load *load, const char *reason, alch_error *error);
void alch_bulk_load_close(alch_bulk_load *load);

#endif
