-- SQLite by ODBC (SQLite ODBC).
local odbc = dofile "spec/suite/odbc.lua"
local native = dofile "spec/suite/quirks/sqlite.lua"

local lacks = {
  exact_doubles = "numbers go as texts of fifteen digits",
  full_unicode = "characters from U+100000 on lose their highest bit",
}
for name, why in pairs(native.lacks) do lacks[name] = why end

return {
  name = "SQLite (ODBC)",
  missing = odbc.missing("libsqlite3odbc.so", "libsqliteodbc"),
  url = function(folder)
    local place, driver = odbc.parts(folder, "libsqlite3odbc.so")
    return ("sqlite+odbc:///%s%%2Fsuite.db?driver=%s"):format(place, driver)
  end,
  lacks = odbc.lacks(lacks),
  sql = native.sql,
}
