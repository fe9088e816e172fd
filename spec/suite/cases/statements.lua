-- Statements and their parameters, and what comes of a query.
local suite = ...
local la = require "lualchemy"

suite.case("a statement is run again and again, with other values", function(world)
  local things = world:names "a"
  local connection = world:connect()
  local query = la.select((things.c.id + la.bindparam("a", { type_ = la.Integer })):label "b")
  for i = 1, 20 do world.same(i + 1, connection:execute(query, { a = i }):scalar()) end
end)

suite.case("an expression of values alone has their type", { needs = { "typed_values" } }, function(world)
  local connection = world:connect()
  world.same(5, connection:scalar(la.select((la.literal(2) + 3):label "b")))
  world.same(2.5, connection:scalar(la.select((la.literal(2.0) + 0.5):label "b")))
end)

suite.case("parameters that are missing or nobody's are errors, and the connection goes on", function(world)
  local things = world:names "a"
  local connection = world:connect()
  local query = la.select(things.c.name):where(things.c.id:eq(la.bindparam "key"))
  local failure = select(2, pcall(connection.execute, connection, query, {}))
  assert(la.is_error(failure, "Error") and tostring(failure):find("key", 1, true), tostring(failure))
  world.same("a", connection:execute(query, { key = 1 }):scalar())
  failure = select(2, pcall(connection.execute, connection, things:insert(), { id = 2, nam = "b" }))
  assert(la.is_error(failure, "Error") and tostring(failure):find("nam", 1, true), tostring(failure))
  world.same(1, world:count(things, connection))
end)

suite.case("too few and too many values for SQL of one's own are errors", function(world)
  local connection = world:connect()
  local sql = world:sql "echo"
  for _, values in ipairs { {}, { 1, 2 } } do
    local ok, failure = pcall(connection.exec_driver_sql, connection, sql, values)
    assert(not ok, "a statement ran with " .. #values .. " values for one placeholder")
    assert(la.is_error(failure, "Error"), tostring(failure))
    connection:rollback()
  end
  world.same(7, tonumber((connection:exec_driver_sql(sql, { 7 }):scalar())))
end)

suite.case("a second statement behind the first is refused", function(world)
  local things = world:names "a"
  local connection = world:connect()
  world.fails("ProgrammingError", function()
    connection:exec_driver_sql(("DELETE FROM %s; DELETE FROM %s"):format(things.name, things.name)):close()
  end)
  connection:rollback()
  world.same(1, world:count(things))
end)

suite.case("text behind a question mark, a colon or a quote is text", function(world)
  local connection = world:connect()
  for _, text in ipairs { "?", ":a", "$1", "%s", "it's", 'say "so"', "a\\b", "-- no", "/* no */", "`x`" } do
    world.same(text, connection:scalar(la.select(la.literal(text, la.String(20)))), "as a value")
    local quoted = "'" .. text:gsub("'", "''"):gsub("\\", world.record.sql.backslash or "\\") .. "'"
    world.same(text, connection:execute(la.text("SELECT " .. quoted .. " AS a")):scalar(), "in a text")
  end
end)

suite.case("a query of no rows tells its columns all the same", function(world)
  local things = world:names()
  local connection = world:connect()
  local result = connection:execute(la.select(things.c.id, things.c.name:label "word"))
  world.same({ "id", "word" }, result:keys())
  world.same(0, #result:all())
  assert(result.returns_rows)
end)

suite.case("results are read row by row, a few, or all, and told when they are over", function(world)
  local things = world:names("a", "b", "c", "d", "e")
  local connection = world:connect()
  local query = la.select(things.c.name):order_by(things.c.id)
  local result = connection:execute(query)
  world.same("a", result:fetchone().name)
  world.same(2, #result:fetchmany(2))
  world.same(2, #result:all())
  world.same({ "a", "b", "c", "d", "e" }, connection:execute(query):scalars():all())
  world.same("a", connection:execute(query):first()[1])
  world.fails("MultipleResultsFound", function() connection:execute(query):one() end)
end)

suite.case("two results are read in turns on one connection", function(world)
  local things = world:names("a", "b", "c")
  local connection = world:connect()
  local query = la.select(things.c.name):order_by(things.c.id)
  local one, other = connection:execute(query), connection:execute(query:where(things.c.id:gt(1)))
  world.same({ "a", "b", "b", "c" }, { one:fetchone()[1], other:fetchone()[1], one:fetchone()[1], other:fetchone()[1] })
  world.same("c", one:fetchone()[1])
  assert(not other:fetchone())
end)

suite.case("two hundred columns come in their order", function(world)
  local connection = world:connect()
  local columns, expected = {}, {}
  for i = 1, 200 do columns[i], expected[i] = la.literal(i * 3, la.Integer):label("c" .. i), i * 3 end
  local row = connection:execute(la.select(table.unpack(columns))):one()
  world.same(expected, { row:unpack() })
  world.same(600, row.c200)
end)

suite.case("many rows come in their order", function(world)
  local connection = world:connect()
  local expected = 0
  for row in connection:exec_driver_sql(world:sql("numbers", 5000)) do
    expected = expected + 1
    assert(row[1] == expected, ("%s stands in place of %d"):format(tostring(row[1]), expected))
  end
  world.same(5000, expected)
end)

suite.case("a list behind IN may be empty, and long", function(world)
  local things = world:names("a", "b", "c")
  local connection = world:connect()
  local query = la.select(la.func.count()):select_from(things):where(things.c.id:in_(la.bindparam("ids", { expanding = true })))
  local long = {}
  for i = 1, 500 do long[i] = i + 1 end
  for _, one in ipairs { { {}, 0 }, { { 2 }, 1 }, { long, 2 }, { { 3, 1 }, 2 } } do
    world.same(one[2], connection:execute(query, { ids = one[1] }):scalar())
  end
end)

-- A table with a column more, under a connection that has prepared these statements before.
local function grown(world, ...)
  local things = world:names("a", "b")
  local connection = world:connect()
  for _, make in ipairs { ... } do
    for _ = 1, 3 do connection:execute(make(things)):all() end
  end
  connection:commit()
  world:engine():begin(function(other) other:exec_driver_sql(("ALTER TABLE %s ADD COLUMN size INTEGER"):format(things.name)) end)
  return connection, things
end

local function named(things) return la.select(things.c.name):order_by(things.c.id) end
local function starred(things) return la.text(("SELECT * FROM %s ORDER BY id"):format(things.name)) end

suite.case("a prepared statement goes on when its table has another column", function(world)
  local connection, things = grown(world, named)
  for _ = 1, 2 do world.same({ "a", "b" }, connection:execute(named(things)):scalars():all()) end
end)

suite.case("a prepared star shows the columns of now, at the second try at the latest", { needs = { "fresh_columns" } }, function(world)
  local connection, things = grown(world, starred)
  local ok, row = pcall(function() return connection:execute(starred(things)):first() end)
  if not ok then
    connection:rollback()
    row = connection:execute(starred(things)):first()
  end
  world.same({ "id", "name", "size" }, row:keys())
end)

suite.case("more statements than the connection keeps prepared", function(world)
  local engine = world:engine { pool_size = 1, prepared_cache_size = 5 }
  local connection = world:connect(nil, engine)
  for _ = 1, 2 do
    for i = 1, 12 do world.same(i, connection:scalar(la.select(la.literal(i, la.Integer):label("c" .. i)))) end
  end
end)

suite.case("rows come in pieces, and a loop may be left", { needs = { "streaming" } }, function(world)
  local connection = world:connect()
  local numbers = la.text(world:sql("numbers", 5000))
  for _, options in ipairs { { yield_per = 7 }, { yield_per = 1 }, { stream_results = true } } do
    local sum = 0
    for row in connection:execute(numbers, nil, options) do sum = sum + row[1] end
    world.same(12502500, sum)
    local result = connection:execute(numbers, nil, options)
    world.same(1, result:fetchone()[1])
    result:close()
    world.same(1, connection:execute(numbers, nil, options):first()[1])
    world.same(5, connection:scalar(la.select(la.literal(5))))
  end
end)

suite.case("an error behind the first rows of a stream comes out", { needs = { "streaming", "late_error" } }, function(world)
  local connection = world:connect()
  local rows = 0
  local ok, failure = pcall(function()
    for _ in connection:execute(la.text(world:sql "late_error"), nil, { yield_per = 50 }) do rows = rows + 1 end
  end)
  assert(not ok and la.is_error(failure, "DBAPIError"), tostring(failure))
  assert(rows > 0, "no row came before the error")
  connection:rollback()
  world.same(1, connection:scalar(la.select(la.literal(1))))
end)

suite.case("statements that are forgotten do not stand in the way of a transaction with a level", function(world)
  local things = world:names "a"
  local engine = world:engine { pool_size = 1, prepared_cache_size = 3 }
  for i = 1, 12 do
    engine:begin({ isolation_level = "SERIALIZABLE" }, function(connection)
      for j = 1, 5 do connection:scalar(la.select(la.literal(1, la.Integer):label(("c%d_%d"):format(i, j)))) end
      world.same("a", connection:scalar(la.select(things.c.name)))
    end)
  end
end)
