-- SQLite by ODBC (SQLite ODBC).
local odbc = dofile "spec/suite/odbc.lua"
local native = dofile "spec/suite/quirks/sqlite.lua"

-- The driver waits 100 seconds for a lock by itself, whatever the pragma says.
local function url(path)
  return ("sqlite+odbc:///%s?driver=%s&Timeout=2000"):format(odbc.parts(path, "libsqlite3odbc.so"))
end

local lacks = {
  exact_doubles = "numbers go as texts of fifteen digits",
  fresh_columns = "the driver describes a statement once",
}
lacks.returning = "the driver shows no rows of a statement that writes"
lacks.update_returning = lacks.returning
lacks.constraint_names = "the driver tells no names"
for name, why in pairs(native.lacks) do lacks[name] = why end

return {
  name = "SQLite (ODBC)",
  missing = odbc.missing("libsqlite3odbc.so", "libsqliteodbc"),
  url = function(folder) return url(folder .. "/suite.db") end,
  refused = function(folder) return { { url = url(folder .. "/no/folder/suite.db"), says = "connect failed" } } end,
  lacks = odbc.lacks(lacks),
  errors = native.errors,
  sql = native.sql,
}
