-- MariaDB by ODBC (MariaDB Connector/ODBC).
local odbc = dofile "spec/suite/odbc.lua"
local native = dofile "spec/suite/quirks/mariadb.lua"

local function url(user, folder, database)
  local place, driver = odbc.parts(folder, "libmaodbc.so")
  return ("mariadb+odbc://%s@/%s?driver=%s&Socket=%s%%2Fmariadb.sock"):format(user, database, driver, place)
end

return {
  name = "MariaDB (ODBC)",
  server = "mariadb",
  missing = odbc.missing("libmaodbc.so", "odbc-mariadb"),
  url = function(folder) return url("spec", folder, "spec") end,
  refused = function(folder)
    return {
      { url = url("spec:wrong", folder, "spec"), says = "Access denied" }, { url = url("nobody", folder, "spec"), says = "nobody" },
      { url = url("spec", folder, "nowhere"), says = "nowhere" }, { url = url("spec", "/nonexistent", "spec"), says = "/nonexistent" },
    }
  end,
  levels = native.levels,
  lacks = odbc.lacks {
    transactional_ddl = native.lacks.transactional_ddl,
    update_returning = native.lacks.update_returning,
    serialization = native.lacks.serialization,
    recover = "the driver shows no rows of XA RECOVER",
    zero_division = native.lacks.zero_division,
    case_of_names = native.lacks.case_of_names,
    foreign_key_names = "the driver tells no names",
    constraint_names = "the driver tells no names",
    zones = native.lacks.zones,
    negative_zero = native.lacks.negative_zero,
    infinite_doubles = native.lacks.infinite_doubles,
    nan = native.lacks.nan,
  },
  sql = native.sql,
}
