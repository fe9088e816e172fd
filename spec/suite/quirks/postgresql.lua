-- PostgreSQL by libpq.
return {
  name = "PostgreSQL (libpq)",
  server = "postgresql",
  url = function(folder) return "postgresql://spec@/spec?host=" .. folder end,
  refused = function(folder)
    return {
      { url = "postgresql://nobody@/spec?host=" .. folder, says = '"nobody"' },
      { url = "postgresql://spec@/nowhere?host=" .. folder, says = '"nowhere"' },
      { url = "postgresql://spec@/spec?host=/nonexistent", says = "/nonexistent" },
    }
  end,
  levels = { "READ COMMITTED", "REPEATABLE READ" },
  lacks = { last_row_id = "keys come by RETURNING" },
  sql = {
    echo = "SELECT ?", numbers = "SELECT n FROM generate_series(1, %d) n", sleep = "SELECT pg_sleep(%s)",
    late_error = "SELECT 1 / (3000 - n) FROM generate_series(1, 5000) n",
    level = "SHOW transaction_isolation",
    lock_timeout = "SET lock_timeout = 50",
    me = "SELECT pg_backend_pid()", kill = "SELECT pg_terminate_backend(%d)",
  },
}
