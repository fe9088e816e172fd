assert(loadfile("spec/server_waits.lua", "t", _ENV))() {
  server = "postgresql", title = "PostgreSQL",
  sleep = "SELECT pg_sleep(?::float8)", short = "SELECT ?::integer AS n, pg_sleep(0.02)", endless = "SELECT pg_sleep(60)",
  lock = "LOCK TABLE %s", lock_limit = "SET LOCAL lock_timeout = '30s'",
}
