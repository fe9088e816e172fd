/* embedded.h - what a database that lives within the process can do beyond statements: functions and collations of the host, copies of itself, values in pieces.
   A driver that has such things has the record (alch_driver.embedded); each of its functions may be NULL. Nothing may be under way on the connection meanwhile, except for `interrupt` of the driver itself.
   What takes time (backup_step, serialize, deserialize, large_open, large_read, large_write) may answer ALCH_WAIT, as the driver's own calls do: the same call again, after the wait that waits_for of the
   connection names (of a backup: the one that is written). Names are UTF-8 with a zero byte behind them. */
#ifndef ALCH_EMBEDDED_H
#define ALCH_EMBEDDED_H

#include "engine/driver.h"

typedef enum alch_function_phase {
  ALCH_FUNCTION_CALL,      /* a plain function: arguments in, a value out */
  ALCH_FUNCTION_STEP,      /* an aggregate: arguments of one more row */
  ALCH_FUNCTION_INVERSE,   /* a window: arguments of a row that leaves it */
  ALCH_FUNCTION_VALUE,     /* a window: the value so far */
  ALCH_FUNCTION_FINISH     /* an aggregate: the value, and its state is not needed any more. Comes even when the statement fails */
} alch_function_phase;

typedef struct alch_function_call {
  alch_function_phase phase;
  bool discarded;                                     /* FINISH after a failure, or when the statement is given up: nobody wants a value, and the host may not be able to make one */
  const alch_value *arguments;                        /* borrowed during the call */
  uint32_t count;
  int64_t *state;                                     /* of an aggregate: 0 at first, the host's affair from then on; NULL for plain functions */
  void (*answer)(struct alch_function_call *call, const alch_value *value);   /* copies the value; not called: NULL is the answer */
  void *target;                                       /* the driver's */
} alch_function_call;

typedef struct alch_user_function {
  const char *name;
  int32_t arguments;                                  /* -1: any number */
  bool deterministic;                                 /* equal arguments, equal values: indexes may use it */
  bool aggregate, window;                             /* window: INVERSE and VALUE are called as well */
  void *context;
  /* ALCH_OK, or ALCH_HOST_ERROR, which the statement then ends with. It must not leave by a long jump, and must not use the connection. */
  alch_status (*call)(void *context, alch_function_call *call);
  void (*release)(void *context);                     /* when the function is replaced or the connection closes; also when it could not be made. May come in any thread's hands that closes */
} alch_user_function;

typedef struct alch_collation {
  const char *name;
  void *context;
  alch_status (*compare)(void *context, const char *first, size_t first_length, const char *second, size_t second_length, int *out);   /* as alch_user_function.call */
  void (*release)(void *context);
} alch_collation;

typedef struct alch_backup alch_backup;               /* the driver's own */
typedef struct alch_large alch_large;                 /* a value that is read and written in pieces */

typedef struct alch_embedded {
  alch_status (*create_function)(alch_driver_connection *connection, const alch_user_function *function, alch_error *error);
  alch_status (*create_collation)(alch_driver_connection *connection, const alch_collation *collation, alch_error *error);
  /* Copies all of `from` over `to`; both live until the end. ALCH_OK: there is more; ALCH_DONE: all is copied. pages: at most so many; -1: all. A busy source is an error that may be tried again. */
  alch_status (*backup_open)(alch_driver_connection *to, alch_driver_connection *from, alch_backup **out, alch_error *error);
  alch_status (*backup_step)(alch_backup *backup, int32_t pages, uint32_t *remaining, uint32_t *total, alch_error *error);
  void (*backup_close)(alch_backup *backup);
  /* The database as the bytes that its file would have. release() them. */
  alch_status (*serialize)(alch_driver_connection *connection, const char *schema, void **bytes, size_t *length, alch_error *error);
  void (*release)(alch_driver_connection *connection, void *bytes);
  alch_status (*deserialize)(alch_driver_connection *connection, const char *schema, const void *bytes, size_t length, alch_error *error);
  /* The value of one row, whose size stays what it is. *out is NULL at first. */
  alch_status (*large_open)(alch_driver_connection *connection, const char *schema, const char *table, const char *column, int64_t row, bool writable, alch_large **out, alch_error *error);
  uint64_t (*large_size)(alch_large *large);
  alch_status (*large_read)(alch_large *large, uint64_t offset, void *bytes, size_t length, alch_error *error);
  alch_status (*large_write)(alch_large *large, uint64_t offset, const void *bytes, size_t length, alch_error *error);
  void (*large_close)(alch_large *large);             /* also when its connection has been closed before */
} alch_embedded;

/* The record's fields, in a file that has a function for each under the field's name. */
#define ALCH_EMBEDDED_FUNCTIONS \
  .create_function = create_function, .create_collation = create_collation, .backup_open = backup_open, .backup_step = backup_step, .backup_close = backup_close, .serialize = serialize, \
  .release = release, .deserialize = deserialize, .large_open = large_open, .large_size = large_size, .large_read = large_read, .large_write = large_write, .large_close = large_close

#endif
