/* Statements that are started while the answer to another is still to come. The library has one call under way at a time, so the second waits for its turn; it goes out as soon as the first is answered, before
   anybody looks at that answer, and the server works on it meanwhile. */
#include "engine/drivers/mysql_private.h"

/* Has the server all of it? Where it has answered already, its rows are being stored: the library would take them for those of whichever statement is asked for a row next. */
static bool is_sent(const alch_driver_statement *statement) {
  const alch_driver_connection *connection = statement->connection;
  bool asks = statement->phase == ALCH_MYSQL_EXECUTING || statement->phase == ALCH_MYSQL_ASKING || statement->phase == ALCH_MYSQL_STORING;
  if (asks) return connection->call != ALCH_MYSQL_NONE && connection->caller == statement && !(connection->events & MYSQL_WAIT_WRITE);
  return statement->phase > ALCH_MYSQL_EXECUTING;
}

/* What goes wrong is told when the statement itself is polled. */
static alch_status send_off(alch_driver_statement *statement) {
  alch_status status = ALCH_OK;
  while (status == ALCH_OK && !is_sent(statement)) status = alch_mysql_step(statement, &statement->failure);
  if (status < 0) statement->phase = ALCH_MYSQL_FAILED;
  return status == ALCH_WAIT && !is_sent(statement) ? ALCH_WAIT : ALCH_OK;
}

void alch_mysql_line_up(alch_driver_statement *statement) {
  alch_driver_connection *connection = statement->connection;
  statement->ahead = statement->ahead && statement->stream_rows == 0 && !statement->flows;
  if (!statement->ahead) return;
  if (connection->leader) {
    if (!connection->follower) connection->follower = statement;
    return;
  }
  connection->leader = statement;
  send_off(statement);
}

static void call_next(alch_driver_connection *connection) {
  connection->leader = connection->follower;
  connection->follower = NULL;
}

static void refuse(alch_driver_statement *statement) {
  alch_error_set(&statement->failure, ALCH_ERROR_OPERATIONAL, "the statement before this one has failed, so this one was not sent: roll back, and say both again");
  statement->phase = ALCH_MYSQL_FAILED;
}

alch_status alch_mysql_pass_on(alch_driver_statement *statement, bool failed) {
  alch_driver_connection *connection = statement->connection;
  if (connection->leader == statement) {
    call_next(connection);
    if (failed && connection->leader) refuse(connection->leader);
  }
  if (connection->leader && send_off(connection->leader) == ALCH_WAIT) return ALCH_WAIT;
  statement->ahead = false;
  return ALCH_OK;
}

void alch_mysql_leave_line(alch_driver_statement *statement) {
  alch_driver_connection *connection = statement->connection;
  if (connection->leader == statement) call_next(connection);
  else if (connection->follower == statement) connection->follower = NULL;
  statement->ahead = false;
}

alch_status alch_mysql_await_leader(alch_driver_connection *connection, const alch_driver_statement *statement) {
  alch_driver_statement *leader = connection->leader;
  if (!leader || leader == statement || (leader->phase >= ALCH_MYSQL_ROWS && leader->phase != ALCH_MYSQL_UNDOING)) return ALCH_OK;
  alch_status status = alch_mysql_drive(leader, &leader->failure);
  if (status < 0) leader->phase = ALCH_MYSQL_FAILED;
  return status == ALCH_WAIT ? ALCH_WAIT : ALCH_OK;
}
