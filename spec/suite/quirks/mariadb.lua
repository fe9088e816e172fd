-- MariaDB by MariaDB Connector/C.
return {
  name = "MariaDB (Connector/C)",
  server = "mariadb",
  url = function(folder) return ("mariadb://spec@/spec?unix_socket=%s/mariadb.sock"):format(folder) end,
  lacks = {
    transactional_ddl = "DDL commits",
    update_returning = "the server has it for INSERT and DELETE alone",
    zones = "columns hold no zone",
  },
  sql = {
    numbers = "SELECT seq AS n FROM seq_1_to_%d", sleep = "SELECT sleep(%s)",
    me = "SELECT connection_id()", kill = "KILL %d",
  },
}
