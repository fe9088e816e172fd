/* Warnings of statements. The server tells how many there are with its answer; what they say would be a round trip of its own (SHOW WARNINGS), which is left to whoever wants to know. */
#include "engine/drivers/mysql_private.h"
#include "engine/message.h"
#include <stdio.h>

void alch_mysql_note_warnings(const alch_driver_statement *statement) {
  const alch_libmariadb *library = statement->connection->library;
  statement->connection->warnings += statement->handle && !statement->plain ? library->mysql_stmt_warning_count(statement->handle) : library->mysql_warning_count(statement->connection->handle);
}

/* The message that ends rows (https://mariadb.com/kb/en/eof_packet/): 254, the number of warnings in two bytes, the server's state. */
void alch_mysql_note_flow_warnings(const alch_driver_statement *statement) {
  enum { END_OF_ROWS = 254 };
  const alch_mysql_head *head = (const void *)statement->connection->handle;
  const unsigned char *end = head->net.read_pos;
  if (end && end[0] == END_OF_ROWS) statement->connection->warnings += end[1] | (unsigned)end[2] << 8;
}

static bool next_notice(alch_driver_connection *connection, alch_notice *out) {
  if (connection->warnings == 0) return false;
  snprintf(connection->warning_text, sizeof connection->warning_text, "%u warning%s of the statement, which SHOW WARNINGS lists", connection->warnings, connection->warnings == 1 ? "" : "s");
  *out = (alch_notice){ .severity = "WARNING", .sqlstate = "01000", .message = connection->warning_text };
  connection->warnings = 0;
  return true;
}

const alch_messages alch_mysql_messages = { .notice = next_notice };
