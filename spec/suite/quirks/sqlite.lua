-- SQLite, in a file.
return {
  name = "SQLite",
  url = function(folder) return ("sqlite:///%s/suite.db"):format(folder) end,
  refused = function(folder) return { { url = ("sqlite:///%s/no/folder/suite.db"):format(folder), says = "unable to open" } } end,
  lacks = {
    descriptor = "it works within the process",
    sleep = "there is no function for it",
    kill = "there are no sessions",
    two_phase = "the library has none",
    recover = "there are no two phases",
    isolation = "writers wait for one another",
    level = "there is one",
    serialization = "writers wait for one another",
    row_locks = "a database is locked as a whole",
    many_atomic = "the sets of a call run one by one",
    exact_decimals = "a number is a double",
    exact_literals = "the library reads very small and very large numbers with an error in their last bit",
    text_lengths = "a column's length is a remark",
    integer_widths = "every integer has 64 bits",
    zero_division = "it is NULL",
    case_of_names = "names are the same whatever their case",
    foreign_key_names = "it does not say which foreign key it was",
    zones = "texts hold moments",
    negative_zero = "zeros are stored as integers",
    nan = "it would be stored as NULL",
  },
  errors = {
    ["SQL that is none"] = "OperationalError", ["a table that is not there"] = "OperationalError",
    ["a column that is not there"] = "OperationalError", ["a table that is there already"] = "OperationalError",
  },
  sql = {
    lock_timeout = "PRAGMA busy_timeout = 50",
    echo = "SELECT ?",
    numbers = "WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < %d) SELECT n FROM s",
    late_error = [[WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 5000)
      SELECT abs(-9223372036854775807 - (n - 2999)) FROM s]],
  },
}
