-- INSERT, UPDATE and DELETE: what they tell, and many sets of values at once.
local suite = ...
local la = require "lualchemy"

local function counted(world)
  return world:table {
    la.Column { "id", la.Integer, primary_key = true }, la.Column { "name", la.String(60), nullable = false, unique = true },
  }
end

suite.case("the key that the database made is told", function(world)
  local things = counted(world)
  world:engine():begin(function(connection)
    for expected = 1, 3 do
      local result = connection:execute(things:insert(), { name = "n" .. expected })
      world.same({ expected, id = expected }, result.inserted_primary_key)
      world.same(1, result.rowcount)
      assert(not result.returns_rows)
    end
    world.same({ 50, id = 50 }, connection:execute(things:insert(), { id = 50, name = "given" }).inserted_primary_key)
  end)
end)

suite.case("lastrowid is the key that was made", { needs = { "last_row_id" } }, function(world)
  local things = counted(world)
  world:engine():begin(function(connection)
    for expected = 1, 2 do world.same(expected, connection:execute(things:insert(), { name = "n" .. expected }).lastrowid) end
  end)
end)

suite.case("rows that were changed are counted", function(world)
  local things = world:names("a", "b", "c", "d")
  world:engine():begin(function(connection)
    world.same(2, connection:execute(things:update():where(things.c.id:le(2)):values { name = "x" }).rowcount)
    world.same(0, connection:execute(things:update():where(things.c.id:gt(100)):values { name = "x" }).rowcount)
    world.same(2, connection:execute(things:update():where(things.c.id:le(2)):values { name = "x" }).rowcount, "rows that stay as they are")
    world.same(3, connection:execute(things:delete():where(things.c.id:ne(1))).rowcount)
    world.same(0, connection:execute(things:delete():where(things.c.id:eq(99))).rowcount)
  end)
end)

suite.case("INSERT, with what its rows have become", { needs = { "returning" } }, function(world)
  local things = counted(world)
  world:engine():begin(function(connection)
    local insert = things:insert():returning(things.c.id, things.c.name)
    local row = connection:execute(insert, { name = "a" }):one()
    world.same({ 1, "a" }, { row.id, row.name })
    local rows = connection:execute(insert, { { name = "b" }, { name = "c" }, { name = "d" } }):all()
    for i, name in ipairs { "b", "c", "d" } do world.same({ i + 1, name }, { rows[i].id, rows[i].name }) end
    world.same(3, #rows)
  end)
end)

suite.case("DELETE, with what its rows were", { needs = { "returning" } }, function(world)
  local things = world:names("a", "b")
  world:engine():begin(function(connection)
    world.same("b", connection:execute(things:delete():where(things.c.id:eq(2)):returning(things.c.name)):scalar())
    world.same(1, world:count(things, connection))
  end)
end)

suite.case("UPDATE, with what its rows have become", { needs = { "update_returning" } }, function(world)
  local things = world:names("a", "b")
  world:engine():begin(function(connection)
    local update = things:update():where(things.c.id:eq(2)):values { name = "x" }
    world.same("x", connection:execute(update:returning(things.c.name)):scalar())
  end)
end)

suite.case("a thousand sets of values at once", function(world)
  local things = world:names()
  local sets = {}
  for i = 1, 1000 do sets[i] = { id = i, name = "n" .. i } end
  world:engine():begin(function(connection)
    local result = connection:execute(things:insert(), sets)
    world.same(1000, result.rowcount)
    local sum = connection:scalar(la.select(la.func.sum(things.c.id)))
    world.same(500500, math.tointeger(tonumber(tostring(sum))))
    world.same("n77", connection:scalar(la.select(things.c.name):where(things.c.id:eq(77))))
  end)
end)

suite.case("sets of long and of missing values, and of one", function(world)
  local things = world:table {
    la.Column { "id", la.Integer, primary_key = true, autoincrement = false }, la.Column { "note", la.Text },
    la.Column { "size", la.Double },
  }
  world:engine():begin(function(connection)
    connection:execute(things:insert(), {
      { id = 1, note = ("é"):rep(3000), size = 1.5 }, { id = 2, note = la.null, size = la.null }, { id = 3, note = "short", size = -2.0 },
    })
    connection:execute(things:insert(), { { id = 4, note = "alone", size = 0.0 } })
    local rows = connection:execute(la.select(things):order_by(things.c.id)):all()
    world.same({ ("é"):rep(3000), 1.5 }, { rows[1].note, rows[1].size })
    assert(rows[2].note == nil and rows[2].size == nil)
    world.same({ "short", -2.0, "alone", 0.0 }, { rows[3].note, rows[3].size, rows[4].note, rows[4].size })
  end)
end)

suite.case("updates and deletes of many sets count all of them", function(world)
  local things = world:names("a", "b", "c")
  world:engine():begin(function(connection)
    local update = things:update():where(things.c.id:eq(la.bindparam "key")):values { name = la.bindparam "word" }
    world.same(2, connection:execute(update, { { key = 1, word = "x" }, { key = 3, word = "z" }, { key = 99, word = "?" } }).rowcount)
    world.same({ "x", "b", "z" }, connection:execute(la.select(things.c.name):order_by(things.c.id)):scalars():all())
    local delete = things:delete():where(things.c.id:eq(la.bindparam "key"))
    world.same(2, connection:execute(delete, { { key = 1 }, { key = 2 } }).rowcount)
    world.same(1, world:count(things, connection))
  end)
end)

-- 300 sets behind a row, of which the one in the middle has that row's name.
local function fail_in_the_middle(world)
  local things = counted(world)
  local connection = world:connect()
  connection:execute(things:insert(), { id = 1000, name = "before" })
  local sets = {}
  for i = 1, 300 do sets[i] = { id = i, name = i == 200 and "before" or "n" .. i } end
  world.fails("IntegrityError", function() connection:execute(things:insert(), sets) end)
  return things, connection
end

suite.case("when a set in the middle fails a rollback takes all of them back", function(world)
  local things, connection = fail_in_the_middle(world)
  connection:rollback()
  world.same(0, world:count(things))
end)

suite.case("when a set in the middle fails nothing of the call has happened, or the transaction is over", { needs = { "many_atomic" } },
  function(world)
    local things, connection = fail_in_the_middle(world)
    local ok, left = pcall(world.count, world, things, connection)
    if ok then assert(left <= 1, ("%d rows are there after the failure"):format(left)) end
  end)

suite.case("many sets in autocommit: all or nothing", { needs = { "many_atomic" } }, function(world)
  local things = world:names "taken"
  local connection = world:connect { isolation_level = "AUTOCOMMIT" }
  local sets = {}
  for i = 1, 50 do sets[i] = { id = i == 30 and 1 or i + 100, name = "n" } end
  world.fails("IntegrityError", function() connection:execute(things:insert(), sets) end)
  world.same(1, world:count(things))
end)

suite.case("a default of Lua's fills what is missing, in each set", function(world)
  local given = 0
  local things = world:table {
    la.Column { "id", la.Integer, primary_key = true, autoincrement = false },
    la.Column { "size", la.Integer, default = function() given = given + 1 return given * 10 end },
    la.Column { "kind", la.String(10), server_default = "plain" },
  }
  world:engine():begin(function(connection)
    connection:execute(things:insert(), { { id = 1 }, { id = 2 }, { id = 3 } })
    local rows = connection:execute(la.select(things):order_by(things.c.id)):all()
    for i = 1, 3 do world.same({ i * 10, "plain" }, { rows[i].size, rows[i].kind }) end
  end)
end)

suite.case("an INSERT from a query counts its rows", function(world)
  local things = world:names("a", "b", "c")
  world:engine():begin(function(connection)
    local query = la.select(things.c.id + 10, things.c.name):where(things.c.id:ge(2))
    world.same(2, connection:execute(things:insert():from_select({ "id", "name" }, query)).rowcount)
    world.same({ 1, 2, 3, 12, 13 }, connection:execute(la.select(things.c.id):order_by(things.c.id)):scalars():all())
  end)
end)
