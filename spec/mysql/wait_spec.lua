assert(loadfile("spec/server_waits.lua", "t", _ENV))() {
  server = "mariadb", title = "MariaDB",
  sleep = "SELECT sleep(?)", short = "SELECT ? + sleep(0.02) AS n", endless = "SELECT sleep(60)",
  lock = "LOCK TABLES %s WRITE", lock_limit = "SET lock_wait_timeout = 30",
}
