assert(loadfile("spec/server_waits.lua", "t", _ENV))() {
  server = "mariadb", title = "MariaDB",
  url = function(server) return ("mariadb://spec@/spec?unix_socket=%s/mariadb.sock"):format(server.folder) end,
  sleep = "SELECT sleep(0.5)", short = "SELECT ? + sleep(0.02) AS n", endless = "SELECT sleep(60)",
}
