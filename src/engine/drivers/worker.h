/* worker.h - a driver whose calls are answered on a thread: what would block (an embedded database, a client library that cannot do otherwise) becomes something that can be waited for.
   Each connection has a thread of its own, which alone touches the inner driver's connection. Calls are errands in a queue; what they come to is told by a descriptor that becomes readable. Rows come over
   in batches. Functions that the host has given to its database are called by the thread that uses the connection, while it polls: the worker waits meanwhile.
   The inner driver must block, never answer ALCH_WAIT. A driver makes use of this by a second table: its own name and texts, ALCH_WORKER_FUNCTIONS, and itself as `inner`; its `choose` answers that table. */
#ifndef ALCH_WORKER_H
#define ALCH_WORKER_H

#include "engine/embedded.h"

#define ALCH_WORKER_FUNCTIONS \
  .connect = alch_worker_connect, .connect_poll = alch_worker_connect_poll, .server = alch_worker_server, .waits_for = alch_worker_waits_for, .close = alch_worker_close, .abandon = alch_worker_abandon, \
  .prepare = alch_worker_prepare, .parameter_count = alch_worker_parameter_count, .read_only = alch_worker_read_only, .finalize = alch_worker_finalize, .stream = alch_worker_stream, \
  .start = alch_worker_start, .poll = alch_worker_poll, .row = alch_worker_row, .finish = alch_worker_finish, .column_count = alch_worker_column_count, \
  .column_name = alch_worker_column_name, .changes = alch_worker_changes, .last_insert_id = alch_worker_last_insert_id, .in_transaction = alch_worker_in_transaction, \
  .alive = alch_worker_alive, .interrupt = alch_worker_interrupt, .begin = alch_worker_begin

alch_status alch_worker_connect(const alch_driver *driver, const alch_url *url, const alch_allocator *allocator, alch_driver_connection **out, alch_error *error);
alch_status alch_worker_connect_poll(alch_driver_connection *connection, alch_error *error);
void alch_worker_waits_for(alch_driver_connection *connection, alch_wait *out);
/* What runs is interrupted, and the thread waited for, a tenth of a second at most: where it takes longer it ends by itself, unwatched. */
void alch_worker_close(alch_driver_connection *connection);
void alch_worker_server(alch_driver_connection *connection, alch_server *out);
void alch_worker_abandon(alch_driver_connection *connection);
alch_status alch_worker_prepare(alch_driver_connection *connection, const char *sql, size_t length, const alch_type *const *types, uint32_t count, alch_driver_statement **out, alch_error *error);
uint32_t alch_worker_parameter_count(alch_driver_statement *statement);
bool alch_worker_read_only(alch_driver_statement *statement);
void alch_worker_finalize(alch_driver_statement *statement);
void alch_worker_stream(alch_driver_statement *statement, uint32_t rows);
alch_status alch_worker_start(alch_driver_statement *statement, const alch_value *values, uint32_t count, alch_error *error);
alch_status alch_worker_start_many(alch_driver_statement *statement, const alch_value *values, uint32_t count, uint32_t sets, alch_error *error);
alch_status alch_worker_poll(alch_driver_statement *statement, alch_error *error);
alch_status alch_worker_row(alch_driver_statement *statement, alch_value *out, uint32_t count, alch_error *error);
/* Never waits: what still runs is interrupted, and whatever is started next comes after it. */
void alch_worker_finish(alch_driver_statement *statement);
uint32_t alch_worker_column_count(alch_driver_statement *statement);
const char *alch_worker_column_name(alch_driver_statement *statement, uint32_t column);
int64_t alch_worker_changes(alch_driver_statement *statement);
int64_t alch_worker_last_insert_id(alch_driver_connection *connection);
bool alch_worker_in_transaction(alch_driver_connection *connection);
bool alch_worker_alive(alch_driver_connection *connection);
void alch_worker_interrupt(alch_driver_connection *connection);
alch_status alch_worker_begin(alch_driver_connection *connection, const char **sql, alch_error *error);

/* For inner drivers that have such a record. */
extern const alch_embedded alch_worker_embedded;

#endif
