-- What goes wrong in the database: of which kind it is, what it names, and that the connection goes on.
local suite = ...
local la = require "lualchemy"
local record = suite.record

-- Two tables with every constraint, in the database until the case is over.
local function constrained(world)
  local parents = world:table({ la.Column { "id", la.Integer, primary_key = true, autoincrement = false } }, "suite_parents")
  local things = world:table({
    la.Column { "id", la.Integer, primary_key = true, autoincrement = false },
    la.Column { "name", la.String(10), nullable = false },
    la.Column { "size", la.Integer },
    la.Column { "parent_id", la.Integer, la.ForeignKey { "suite_parents.id", name = "fk_suite_parent" } },
    la.UniqueConstraint { "name", name = "uq_suite_name" },
    la.CheckConstraint { "size > 0", name = "ck_suite_size" },
  }, "suite_things")
  world:engine():begin(function(connection)
    connection:execute(parents:insert(), { id = 1 })
    connection:execute(things:insert(), { id = 1, name = "a", size = 1, parent_id = 1 })
  end)
  return things, parents
end

local function text(sql)
  return function(connection) connection:execute(la.text(sql)):close() end
end

local function insert(values)
  return function(connection, things) connection:execute(things:insert(), values) end
end

-- { what happens, the kind of the error, fn(connection, things, parents), constraint =, column =, needs = }. A record's `errors` may say
-- another kind: { ["a table that is not there"] = "OperationalError" }.
local failures = {
  { "SQL that is none", "ProgrammingError", text "SELEC 1" },
  { "a table that is not there", "ProgrammingError", text "SELECT * FROM suite_nowhere" },
  { "a column that is not there", "ProgrammingError", text "SELECT suite_nothing FROM suite_things" },
  { "a table that is there already", "ProgrammingError", text "CREATE TABLE suite_things (id INTEGER)" },
  { "a unique name given twice", "IntegrityError", insert { id = 2, name = "a" }, constraint = "uq_suite_name", column = "name" },
  { "a key given twice", "IntegrityError", insert { id = 1, name = "b" } },
  { "NULL where there must be a value", "IntegrityError", insert { id = 2, name = la.null }, column = "name" },
  { "a parent that is not there", "IntegrityError", insert { id = 2, name = "b", parent_id = 9 }, constraint = "fk_suite_parent" },
  { "a child that is left alone", "IntegrityError", function(connection, _, parents) connection:execute(parents:delete()) end,
    constraint = "fk_suite_parent" },
  { "a check that says no", "IntegrityError", insert { id = 2, name = "b", size = -1 }, constraint = "ck_suite_size" },
  { "a text longer than its column", "DataError", insert { id = 2, name = ("x"):rep(11) }, needs = "text_lengths" },
  { "a number beyond its column", "DataError", insert { id = 2, name = "b", size = 3000000000 }, needs = "integer_widths" },
  { "a division by zero", "DataError", function(connection, things)
    connection:execute(la.select(things.c.size / (things.c.size - things.c.size))):all()
  end, needs = "zero_division" },
}

-- A database may name table and column in place of a constraint.
local function check_names(world, failure, expected)
  if not world:can "constraint_names" or not (expected.constraint or expected.column) then return end
  if expected.constraint and expected.constraint:find "^fk" and not world:can "foreign_key_names" then return end
  if expected.constraint and failure.constraint == expected.constraint then return end
  if expected.column and failure.column == expected.column then return end
  error(("named are constraint %s, table %s, column %s: %s"):format(tostring(failure.constraint), tostring(failure.table),
    tostring(failure.column), tostring(failure)), 0)
end

for _, one in ipairs(failures) do
  local what, kind, run = one[1], record.errors and record.errors[one[1]] or one[2], one[3]
  suite.case(("%s: %s"):format(what, kind), { needs = { one.needs } }, function(world)
    local things, parents = constrained(world)
    local connection = world:connect()
    local failure = world.fails(kind, function() run(connection, things, parents) end)
    assert(failure.statement, "the error has no statement")
    assert(failure.sqlstate or failure.code, "the error has neither a state nor a number")
    assert(not failure.retryable and not failure.connection_invalidated, "it is taken for what passes")
    check_names(world, failure, one)
    connection:rollback()
    world.same(1, world:count(things, connection))
  end)
end

suite.case("an error tells statement and values, and is printed with them", function(world)
  local things = constrained(world)
  local connection = world:connect()
  local failure = world.fails("IntegrityError", function() insert { id = 7654, name = "a" }(connection, things) end, "7654", "suite_things")
  assert(failure.statement:find("INSERT INTO suite_things", 1, true), failure.statement)
  assert(la.is_error(failure, "DatabaseError") and la.is_error(failure, "DBAPIError") and la.is_error(failure, "Error"))
  assert(not la.is_error(failure, "OperationalError"))
end)

suite.case("a hundred failures leave nothing behind", function(world)
  local things = constrained(world)
  local connection = world:connect()
  for i = 1, 100 do
    local ok = pcall(insert { id = 1, name = "n" .. i }, connection, things)
    assert(not ok)
    connection:rollback()
  end
  insert { id = 2, name = "b" }(connection, things)
  connection:commit()
  world.same(2, world:count(things))
end)
