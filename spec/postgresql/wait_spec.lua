assert(loadfile("spec/server_waits.lua", "t", _ENV))() {
  server = "postgresql", title = "PostgreSQL",
  url = function(server) return "postgresql://spec@/spec?host=" .. server.folder end,
  sleep = "SELECT pg_sleep(0.5)", short = "SELECT ?::integer AS n, pg_sleep(0.02)", endless = "SELECT pg_sleep(60)",
}
