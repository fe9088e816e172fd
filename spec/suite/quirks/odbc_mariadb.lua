-- MariaDB by ODBC (MariaDB Connector/ODBC).
local odbc = dofile "spec/suite/odbc.lua"
local native = dofile "spec/suite/quirks/mariadb.lua"

return odbc.of_server {
  name = "MariaDB (ODBC)", native = native, file = "libmaodbc.so", package = "odbc-mariadb",
  url = function(user, database, folder, driver)
    return ("mariadb+odbc://%s@/%s?driver=%s&Socket=%s%%2Fmariadb.sock"):format(user, database, driver, folder)
  end,
  strangers = {
    { user = "spec:wrong", says = "Access denied" }, { user = "nobody", says = "nobody" }, { database = "nowhere", says = "nowhere" },
  },
  lacks = {
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
}
