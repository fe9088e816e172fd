/* Rows that are read as they come: while one is looked at the server sends the next, and nothing is stored. As long as there are more of them nothing else can be said to the server, and the library would
   throw them away, or read for them without end, in calls that concern other statements. So who wants to use the connection makes way for himself first: what is left of such rows is stored then. */
#include "engine/drivers/mysql_private.h"

void alch_mysql_flow_begin(alch_driver_statement *statement) {
  statement->connection->flowing = statement;
}

void alch_mysql_release(alch_driver_connection *connection) {
  if (ALCH_LIKELY(!connection->holding) || connection->flowing || connection->dropped || connection->call != ALCH_MYSQL_NONE) return;
  connection->holding = false;
  for (alch_driver_statement *statement = connection->statements; statement; statement = statement->older) {
    if (!statement->held) continue;
    alch_mysql_free_rows(statement);
    statement->held = ALCH_MYSQL_IDLE;
  }
}

void alch_mysql_flow_end(alch_driver_connection *connection) {
  connection->flowing = NULL;
  alch_mysql_release(connection);
}

bool alch_mysql_hold(alch_driver_statement *statement) {
  alch_driver_connection *connection = statement->connection;
  bool flows = connection->flowing && connection->flowing != statement, calls = connection->call != ALCH_MYSQL_NONE && connection->caller != statement;
  if ((!flows && !calls) || statement->column_count == 0) return false;
  statement->held = (uint8_t)statement->phase;
  connection->holding = true;
  return true;
}

/* The statement whose rows they are tells of an error itself, when it is asked for the next one; and who wanted the connection hears of it as well, since the transaction may be gone with it. */
static alch_status store_rest(alch_driver_connection *connection, alch_error *error) {
  alch_driver_statement *flowing = connection->flowing;
  flowing->phase = ALCH_MYSQL_STORING;
  alch_status status = alch_mysql_advance(connection, ALCH_MYSQL_STORE, flowing);
  if (status == ALCH_OK) status = alch_mysql_stored(flowing, error);
  if (status < 0) flowing->phase = ALCH_MYSQL_BROKEN;
  return status;
}

alch_status alch_mysql_make_way(alch_driver_connection *connection, const alch_driver_statement *statement, alch_error *error) {
  if (connection->flowing && connection->flowing != statement && connection->flowing != connection->dropped) {
    alch_status status = store_rest(connection, error);
    if (status != ALCH_OK) return status;
  }
  alch_status status = alch_mysql_await_leader(connection, statement);
  return status == ALCH_OK ? alch_mysql_settle(connection) : status;
}
