-- PostgreSQL by ODBC (psqlODBC).
local odbc = dofile "spec/suite/odbc.lua"
local native = dofile "spec/suite/quirks/postgresql.lua"

return {
  name = "PostgreSQL (ODBC)",
  server = "postgresql",
  missing = odbc.missing("psqlodbcw.so", "odbc-postgresql"),
  url = function(folder) return ("postgresql+odbc://spec@%s:5432/spec?driver=%s"):format(odbc.parts(folder, "psqlodbcw.so")) end,
  lacks = odbc.lacks {},
  sql = native.sql,
}
