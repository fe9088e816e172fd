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

static void mysql_flow(alch_driver_statement *statement) {
  statement->flows = true;
}

static void mysql_ahead(alch_driver_statement *statement) {
  statement->ahead = true;
}

static const char *const python_drivers[] = { "pymysql", "mysqldb", "mysqlconnector", "mariadbconnector", "aiomysql", "asyncmy", "cymysql", NULL };

extern const alch_driver alch_driver_mysql, alch_driver_mariadb;

/* The server reserves the numbers for all rows of a multi-row INSERT at once, since it knows how many there are, whatever innodb_autoinc_lock_mode is (MySQL's manual, "AUTO_INCREMENT Handling in InnoDB":
   simple inserts; of MariaDB that is taken for the modes 0 and 1), and last_insert_id is the first of them. Not where numbers go up by more than one, in other engines, or where triggers may give rows other
   keys; triggers are not seen by a user without the right to make them. */
#define SCHEMA "COALESCE(:schema, DATABASE())"
#define MAY_SEE_TRIGGERS(view, more) \
  "SELECT 1 FROM information_schema." view " WHERE privilege_type = 'TRIGGER' AND grantee = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')" more
#define SCATTERS \
  "SELECT 1 FROM DUAL WHERE @@auto_increment_increment <> 1 OR VERSION() LIKE '%TiDB%' OR (@@innodb_autoinc_lock_mode > 1 AND VERSION() LIKE '%MariaDB%') " \
  "OR NOT EXISTS (SELECT 1 FROM information_schema.tables t JOIN information_schema.columns c ON c.table_schema = t.table_schema AND c.table_name = t.table_name " \
  "WHERE t.table_name = :table AND t.table_schema = " SCHEMA " AND t.table_type = 'BASE TABLE' AND t.engine = 'InnoDB' AND c.column_name = :column AND c.extra LIKE '%auto_increment%') " \
  "OR EXISTS (SELECT 1 FROM information_schema.triggers WHERE event_object_table = :table AND event_object_schema = " SCHEMA " AND event_manipulation = 'INSERT') " \
  "OR NOT EXISTS (" MAY_SEE_TRIGGERS("user_privileges", "") " UNION ALL " MAY_SEE_TRIGGERS("schema_privileges", " AND table_schema = " SCHEMA) " UNION ALL " \
  MAY_SEE_TRIGGERS("table_privileges", " AND table_schema = " SCHEMA " AND table_name = :table") ")"

#define FUNCTIONS                                                                                                                                                                             \
  .scatters_keys = SCATTERS, .first_key = true, .returning_sets = 4095, .check = alch_mysql_check, .connect = alch_mysql_connect, .connect_poll = alch_mysql_connect_poll, .server = alch_mysql_server, .waits_for = alch_mysql_waits_for,    \
  .close = alch_mysql_close, .prepare = alch_mysql_prepare, .finalize = alch_mysql_finalize, .stream = mysql_stream, .flow = mysql_flow, .ahead = mysql_ahead, .start = alch_mysql_start, .start_many = alch_mysql_start_many, .poll = alch_mysql_poll, .row = alch_mysql_row, .cells = alch_mysql_cells, \
  .finish = alch_mysql_finish, .column_count = mysql_column_count, .column_name = mysql_column_name, .changes = mysql_changes, .last_insert_id = mysql_last_insert_id,                        \
  .in_transaction = mysql_in_transaction, .alive = alch_mysql_alive, .ping = alch_mysql_ping, .abandon = alch_mysql_abandon, .interrupt = alch_mysql_interrupt, .interruption = alch_mysql_interruption, .messages = &alch_mysql_messages

const alch_driver alch_driver_mysql = { .name = "mysql", .dialect = "mysql", .python = python_drivers, FUNCTIONS };

const alch_driver alch_driver_mariadb = { .name = "mariadb", .dialect = "mariadb", FUNCTIONS };
