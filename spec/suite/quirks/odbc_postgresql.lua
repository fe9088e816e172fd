-- PostgreSQL by ODBC (psqlODBC).
local odbc = dofile "spec/suite/odbc.lua"
local native = dofile "spec/suite/quirks/postgresql.lua"

return odbc.of_server {
  name = "PostgreSQL (ODBC)", native = native, file = "psqlodbcw.so", package = "odbc-postgresql",
  url = function(user, database, folder, driver)
    return ("postgresql+odbc://%s@%s:5432/%s?driver=%s"):format(user, folder, database, driver)
  end,
  strangers = { { user = "nobody", says = '"nobody"' }, { database = "nowhere", says = '"nowhere"' } },
  lacks = {
    foreign_key_names = "the driver tells no names",
    constraint_names = "the driver tells no names",
    last_row_id = native.lacks.last_row_id,
    typed_values = "psqlODBC sends numbers as texts, whose type the server guesses",
  },
}
