-- What a database or a driver may lack, by name: what it means (`what`), and where it is cheap a function that tries it (`works`): it
-- gives a true value when the thing is there. A case that needs what a record lacks is skipped, and `works` is run in its place: if it
-- succeeds, the record is wrong. `sql`: the texts that a record must have when it does not lack the capability.
-- luacheck: no max line length
local la = require "lualchemy"

local capabilities = {}

local function capability(name, what, works, sql)
  capabilities[name] = { what = what, works = works, sql = sql or {} }
end

local function one_column(world, type)
  return world:table { la.Column { "id", la.Integer, primary_key = true, autoincrement = false }, la.Column { "value", type } }
end

-- Does the value come back as it went?
local function keeps(type, value)
  return function(world)
    local things = one_column(world, type)
    return world:engine():begin(function(connection)
      connection:execute(things:insert(), { id = 1, value = value })
      return connection:scalar(la.select(things.c.value)) == value
    end)
  end
end

-- Connections ------------------------------------------------------------------------------------------

capability("shared", "several connections see the same database", function(world)
  local things = world:names "a"
  local one, two = world:connect(), world:connect()
  return world:count(things, one) == 1 and world:count(things, two) == 1
end)
capability("descriptor", "a wait has a descriptor, so that other coroutines run meanwhile", function(world)
  local waits = 0
  local engine = world:engine { wait = function() waits = waits + 1 coroutine.yield() end }
  local thread = coroutine.wrap(function() engine:begin(function(connection) connection:scalar(la.select(la.literal(1))) end) end)
  repeat thread() until waits > 0
  return true
end)
capability("sleep", "a statement can sleep (sql.sleep, with seconds)", nil, { "sleep" })
capability("kill", "one session can end another (sql.me tells its number, sql.kill with a number ends it)", nil, { "me", "kill" })
capability("interrupt", "a statement that runs can be interrupted from outside", function(world)
  world:connect():interrupt()
  return true
end)

-- Transactions -----------------------------------------------------------------------------------------

capability("savepoints", "SAVEPOINT", function(world)
  world:connect():begin_nested():rollback()
  return true
end)
capability("two_phase", "a transaction can be prepared, and ended by another session", function(world)
  local transaction = world:connect():begin_twophase()
  transaction:rollback()
  return true
end)
capability("recover", "transactions that are prepared can be listed", nil)
capability("read_only", "the database refuses to write in a transaction that is read only", nil)
capability("isolation", "there is more than one isolation level between transactions, and a writer may fail by another's", nil)
capability("level", "a transaction can be asked for its level (sql.level)", nil, { "level" })
capability("transactional_ddl", "what creates and drops tables is rolled back with its transaction", function(world)
  local connection = world:connect()
  connection:exec_driver_sql "CREATE TABLE suite_passing (id INTEGER)"
  connection:rollback()
  local gone = not pcall(connection.exec_driver_sql, connection, "SELECT * FROM suite_passing")
  connection:rollback()
  if not gone then world:engine():begin(function(own) own:exec_driver_sql "DROP TABLE suite_passing" end) end
  return gone
end)
capability("lock_timeout", "a session can be told to wait for a lock but a moment (sql.lock_timeout)", nil, { "lock_timeout" })
capability("serialization", "of two SERIALIZABLE writers that have read the same, the second fails", nil)
capability("row_locks", "SELECT … FOR UPDATE locks rows", nil)

-- Statements -------------------------------------------------------------------------------------------

capability("streaming", "rows come in pieces, so that a large result needs little memory", nil)
capability("late_error", "a query can fail behind its first rows (sql.late_error: at the row 3000 or so)", nil, { "late_error" })
capability("fresh_columns", "SELECT * shows a column that has come since it was prepared", nil)
capability("typed_values", "the database knows of what type a value is that stands beside values alone", function(world)
  return world:connect():scalar(la.select((la.literal(2) + 3):label "b")) == 5
end)
capability("returning", "INSERT, UPDATE and DELETE … RETURNING", function(world)
  local things = world:names()
  return world:engine():begin(function(connection)
    return connection:execute(things:insert():returning(things.c.id), { id = 1, name = "a" }):scalar() == 1
  end)
end)
capability("update_returning", "UPDATE … RETURNING", nil)
capability("many_atomic", "many sets of values are written all or not at all", nil)
capability("last_row_id", "result.lastrowid tells the key of the row that was inserted", nil)

-- Values -----------------------------------------------------------------------------------------------

capability("int64", "integers have 64 bits", keeps(la.BigInteger, math.maxinteger))
capability("exact_decimals", "a NUMERIC keeps all of its digits", keeps(la.Numeric(38, 10), la.decimal "1234567890123456789012345678.0123456789"))
capability("exact_doubles", "a double keeps each of its bits", keeps(la.Double, 1 / 3))
capability("exact_literals", "a double that is written into the text of a statement keeps each of its bits", nil)
capability("negative_zero", "a double tells -0.0 from 0.0", function(world)
  local things = one_column(world, la.Double)
  return world:engine():begin(function(connection)
    connection:execute(things:insert(), { id = 1, value = -0.0 })
    return 1 / connection:scalar(la.select(things.c.value)) < 0
  end)
end)
capability("infinite_doubles", "a double may be infinite", keeps(la.Double, math.huge))
capability("nan", "a double may be a NaN", function(world)
  local things = one_column(world, la.Double)
  return world:engine():begin(function(connection)
    connection:execute(things:insert(), { id = 1, value = 0 / 0 })
    local read = connection:scalar(la.select(things.c.value))
    return read ~= read
  end)
end)
capability("full_unicode", "texts hold every character up to U+10FFFF", keeps(la.String(20), "\u{10FFFF}"))
capability("empty_text", "an empty text is not NULL", keeps(la.String(20), ""))
capability("long_text", "a Text holds more than 65,535 bytes", keeps(la.Text, ("x"):rep(200000)))
capability("microseconds", "moments have microseconds", keeps(la.DateTime, la.datetime(2024, 2, 29, 23, 59, 59, 1)))
capability("zones", "a moment with a zone is a moment, whatever its zone", nil)

-- Schemas ----------------------------------------------------------------------------------------------

capability("has_table", "create_all can ask which tables there are", function(world)
  return world:connect():has_table "no_such_table" == false
end)
capability("reflection", "la.inspect tells what there is", function(world)
  return type(la.inspect(world:engine()):get_table_names()) == "table"
end)
capability("case_of_names", "names of columns that differ in case alone are two names", nil)
capability("text_lengths", "a text that is longer than its column is refused", nil)
capability("integer_widths", "a number that its column has no room for is refused", nil)
capability("zero_division", "a division by zero is an error", nil)
capability("constraint_names", "an error names the constraint that was broken, or its table and column", nil)
capability("foreign_key_names", "an error names the foreign key that was broken", nil)

return capabilities
