-- PostgreSQL by libpq.
return {
  name = "PostgreSQL (libpq)",
  server = "postgresql",
  url = function(folder) return "postgresql://spec@/spec?host=" .. folder end,
  lacks = { last_row_id = "keys come by RETURNING" },
  sql = {
    numbers = "SELECT n FROM generate_series(1, %d) n", sleep = "SELECT pg_sleep(%s)",
    me = "SELECT pg_backend_pid()", kill = "SELECT pg_terminate_backend(%d)",
  },
}
