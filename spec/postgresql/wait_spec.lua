assert(loadfile("spec/server_waits.lua", "t", _ENV))() {
  server = "postgresql", title = "PostgreSQL",
  sleep = "SELECT pg_sleep(?::float8)", short = "SELECT ?::integer AS n, pg_sleep(0.02)", endless = "SELECT pg_sleep(60)",
}
