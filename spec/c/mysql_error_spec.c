/* What the numbers of MySQL, MariaDB and TiDB become: the client library here is a fake that tells one of them. */
#include "check.h"
#include "engine/drivers/mysql_private.h"
#include <string.h>

static unsigned int number;
static unsigned int get_number(MYSQL *connection) { (void)connection; return number; }
static const char *get_message(MYSQL *connection) { (void)connection; return "what the server said"; }
static const char *get_state(MYSQL *connection) { (void)connection; return "HY000"; }

static const struct { unsigned int number; bool retryable, gone, rolled_back; } errors[] = {
  { 1213, true, false, true }, { 1205, true, false, false }, { 1020, true, false, false },
  { 8002, true, false, false }, { 8005, true, false, false }, { 8022, true, false, false }, { 8028, true, false, false }, { 9007, true, false, false },   /* TiDB's */
  { 8004, false, false, false },   /* TiDB: the transaction is too large */
  { 1062, false, false, false }, { 2006, false, true, false }, { 2013, false, true, false },
};

CASE("numbers say what may be tried again, and what is gone") {
  const alch_libmariadb library = { .mysql_errno = get_number, .mysql_error = get_message, .mysql_sqlstate = get_state };
  for (size_t i = 0; i < ALCH_COUNT(errors); i++) {
    alch_driver_connection connection = { .allocator = &alch_allocator_standard, .library = &library };
    alch_error error;
    alch_error_init(&error, &alch_allocator_standard);
    number = errors[i].number;
    CHECK_INT(alch_mysql_fail(&connection, NULL, &error), ALCH_ERROR);
    CHECK_INT(error.code, errors[i].number);
    CHECK_INT(error.retryable, errors[i].retryable);
    CHECK_INT(error.disconnected, errors[i].gone);
    CHECK_INT(connection.rolled_back, errors[i].rolled_back);
    alch_error_close(&error);
  }
}
