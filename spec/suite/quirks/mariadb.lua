-- MariaDB by MariaDB Connector/C.
return {
  name = "MariaDB (Connector/C)",
  server = "mariadb",
  url = function(folder) return ("mariadb://spec@/spec?unix_socket=%s/mariadb.sock"):format(folder) end,
  refused = function(folder)
    return {
      { url = ("mariadb://spec:wrong@/spec?unix_socket=%s/mariadb.sock"):format(folder), says = "Access denied" },
      { url = ("mariadb://nobody@/spec?unix_socket=%s/mariadb.sock"):format(folder), says = "nobody" },
      { url = ("mariadb://spec@/nowhere?unix_socket=%s/mariadb.sock"):format(folder), says = "nowhere" },
      { url = "mariadb://spec@/spec?unix_socket=/nonexistent/socket", says = "/nonexistent" },
    }
  end,
  levels = { "READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ" },
  errors = { ["a column that is not there"] = "OperationalError" }, -- as Python's drivers have it
  lacks = {
    late_error = "a stream reads a cursor, and the server has made its rows before the first one goes",
    transactional_ddl = "DDL commits",
    update_returning = "the server has it for INSERT and DELETE alone",
    serialization = "who reads locks what he has read, and writers wait",
    zero_division = "it is NULL outside of INSERT and UPDATE",
    case_of_names = "names of columns are the same whatever their case",
    zones = "columns hold no zone",
    negative_zero = "the server stores zero",
    infinite_doubles = "the server has none",
    nan = "the server has none",
  },
  sql = {
    echo = "SELECT ?", numbers = "SELECT seq AS n FROM seq_1_to_%d", sleep = "SELECT sleep(%s)",
    late_error = "SELECT (SELECT x.seq FROM seq_1_to_2 x WHERE s.seq = 3000 OR x.seq = 1) FROM seq_1_to_5000 s",
    level = "SELECT trx_isolation_level FROM information_schema.innodb_trx WHERE trx_mysql_thread_id = connection_id()",
    lock_timeout = "SET innodb_lock_wait_timeout = 1",
    me = "SELECT connection_id()", kill = "KILL %d", backslash = "\\\\",
  },
}
