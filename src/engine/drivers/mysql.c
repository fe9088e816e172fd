/* MySQL and MariaDB through MariaDB Connector/C. One driver under two names: the dialect is what differs. */
#include "engine/drivers/mysql_private.h"
#include "engine/message.h"

static uint32_t mysql_column_count(alch_driver_statement *statement) {
  return statement->column_count;
}

static const char *mysql_column_name(alch_driver_statement *statement, uint32_t column) {
  const alch_mysql_field *fields = statement->handle ? statement->connection->library->mariadb_stmt_fetch_fields(statement->handle) : NULL;
  return fields && column < statement->column_count ? fields[column].name : "";
}

static int64_t mysql_changes(alch_driver_statement *statement) {
  return statement->changes;
}

static int64_t mysql_last_insert_id(alch_driver_connection *connection) {
  return connection->last_insert_id;
}

/* As the server said with its last answer. */
static bool mysql_in_transaction(alch_driver_connection *connection) {
  return !connection->rolled_back && (alch_mysql_server_status(connection) & (SERVER_STATUS_IN_TRANS | SERVER_STATUS_IN_TRANS_READONLY)) != 0;
}

static void mysql_stream(alch_driver_statement *statement, uint32_t rows) {
  statement->stream_rows = rows;
}

static const char *const python_drivers[] = { "pymysql", "mysqldb", "mysqlconnector", "mariadbconnector", "aiomysql", "asyncmy", "cymysql", NULL };

extern const alch_driver alch_driver_mysql, alch_driver_mariadb;

/* A row wherever there is a table: other sessions take keys from the same counter between two statements, so that those of several statements do not follow one another. */
#define SCATTERS "SELECT 1 FROM DUAL WHERE ? IS NOT NULL OR ? IS NULL"

#define FUNCTIONS                                                                                                                                                                             \
  .scatters_keys = SCATTERS, .check = alch_mysql_check, .connect = alch_mysql_connect, .connect_poll = alch_mysql_connect_poll, .server = alch_mysql_server, .waits_for = alch_mysql_waits_for,    \
  .close = alch_mysql_close, .prepare = alch_mysql_prepare, .finalize = alch_mysql_finalize, .stream = mysql_stream, .start = alch_mysql_start, .start_many = alch_mysql_start_many, .poll = alch_mysql_poll, .row = alch_mysql_row, \
  .finish = alch_mysql_finish, .column_count = mysql_column_count, .column_name = mysql_column_name, .changes = mysql_changes, .last_insert_id = mysql_last_insert_id,                        \
  .in_transaction = mysql_in_transaction, .alive = alch_mysql_alive, .ping = alch_mysql_ping, .abandon = alch_mysql_abandon, .interrupt = alch_mysql_interrupt, .messages = &alch_mysql_messages

const alch_driver alch_driver_mysql = { .name = "mysql", .dialect = "mysql", .python = python_drivers, FUNCTIONS };

const alch_driver alch_driver_mariadb = { .name = "mariadb", .dialect = "mariadb", FUNCTIONS };
