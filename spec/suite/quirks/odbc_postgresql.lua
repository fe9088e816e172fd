-- PostgreSQL by ODBC (psqlODBC).
local odbc = dofile "spec/suite/odbc.lua"
local native = dofile "spec/suite/quirks/postgresql.lua"

local function url(user, folder, database)
  local place, driver = odbc.parts(folder, "psqlodbcw.so")
  return ("postgresql+odbc://%s@%s:5432/%s?driver=%s"):format(user, place, database, driver)
end

return {
  name = "PostgreSQL (ODBC)",
  server = "postgresql",
  missing = odbc.missing("psqlodbcw.so", "odbc-postgresql"),
  url = function(folder) return url("spec", folder, "spec") end,
  refused = function(folder)
    return {
      { url = url("nobody", folder, "spec"), says = '"nobody"' }, { url = url("spec", folder, "nowhere"), says = '"nowhere"' },
      { url = url("spec", "/nonexistent", "spec"), says = "/nonexistent" },
    }
  end,
  levels = native.levels,
  lacks = odbc.lacks {
    foreign_key_names = "the driver tells no names",
    constraint_names = "the driver tells no names",
    last_row_id = native.lacks.last_row_id,
    typed_values = "psqlODBC sends numbers as texts, whose type the server guesses",
  },
  sql = native.sql,
}
