-- MariaDB by ODBC (MariaDB Connector/ODBC).
local odbc = dofile "spec/suite/odbc.lua"
local native = dofile "spec/suite/quirks/mariadb.lua"

return {
  name = "MariaDB (ODBC)",
  server = "mariadb",
  missing = odbc.missing("libmaodbc.so", "odbc-mariadb"),
  url = function(folder)
    local place, driver = odbc.parts(folder, "libmaodbc.so")
    return ("mariadb+odbc://spec@/spec?driver=%s&Socket=%s%%2Fmariadb.sock"):format(driver, place)
  end,
  lacks = odbc.lacks {
    transactional_ddl = native.lacks.transactional_ddl,
    update_returning = native.lacks.update_returning,
    zones = native.lacks.zones,
  },
  sql = native.sql,
}
