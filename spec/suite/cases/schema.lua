-- Tables that are created and dropped, and names that need care.
local suite = ...
local la = require "lualchemy"

suite.case("create_all and drop_all do what is left to do", { needs = { "has_table" } }, function(world)
  local metadata, connection = world:metadata(), world:connect()
  la.Table { "suite_one", metadata, la.Column { "id", la.Integer, primary_key = true } }
  metadata:create_all(world:engine())
  la.Table { "suite_two", metadata, la.Column { "id", la.Integer, primary_key = true },
    la.Column { "one", la.ForeignKey "suite_one.id" } }
  for _ = 1, 2 do
    metadata:create_all(world:engine())
    for _, name in ipairs { "suite_one", "suite_two" } do assert(connection:has_table(name), name .. " is not there") end
    connection:rollback()
  end
  for _ = 1, 2 do
    metadata:drop_all(world:engine())
    for _, name in ipairs { "suite_one", "suite_two" } do assert(not connection:has_table(name), name .. " is still there") end
    connection:rollback()
  end
end)

suite.case("tables that need one another are created and dropped in their order", function(world)
  local metadata = world:metadata()
  for _, name in ipairs { "a", "b", "c", "d" } do
    local parent = ({ a = "c", b = "a", c = "d" })[name]
    local column = parent and la.Column { "parent", la.ForeignKey("suite_" .. parent .. ".id") }
    la.Table { "suite_" .. name, metadata, la.Column { "id", la.Integer, primary_key = true }, column }
  end
  metadata:create_all(world:engine(), { checkfirst = false })
  metadata:drop_all(world:engine(), { checkfirst = false })
  metadata:create_all(world:engine(), { checkfirst = false })
end)

-- record.identifier_length: the characters that a name may have; 63 where nothing is said.
local names = {
  "select", "Order", "UPPER", "mixedCase", "with space", "with-dash", 'with"quote', "with`tick", "with'apostrophe", "with%percent",
  "with?mark", "with:colon", "with$1dollar", "with.dot", "Ünïcödé", "日本", "1digit", ("n"):rep(suite.record.identifier_length or 63),
}

suite.case("tables and columns may have any name", function(world)
  for i, name in ipairs(names) do
    local things = world:table({
      la.Column { "id", la.Integer, primary_key = true, autoincrement = false }, la.Column { name, la.String(20) },
    }, name)
    world:engine():begin(function(connection)
      connection:execute(things:insert(), { id = 1, [name] = "a" })
      connection:execute(things:insert(), { { id = 2, [name] = "b" }, { id = 3, [name] = "c" } })
      connection:execute(things:update():where(things.c[name]:eq "a"):values { [name] = "x" })
      connection:execute(things:delete():where(things.c[name]:eq "b"))
      local rows = connection:execute(la.select(things):where(things.c[name]:in_ { "x", "c" }):order_by(things.c[name])):all()
      world.same({ "c", "x" }, { rows[1][name], rows[2][name] }, i .. ". " .. name)
      world.same({ "id", name }, rows[1]:keys())
    end)
  end
end)

suite.case("two names that differ in case are two columns", { needs = { "case_of_names" } }, function(world)
  local things = world:table {
    la.Column { "id", la.Integer, primary_key = true }, la.Column { "word", la.Integer }, la.Column { "WORD", la.Integer },
  }
  world:engine():begin(function(connection)
    connection:execute(things:insert(), { id = 1, word = 5, WORD = 6 })
    local row = connection:execute(la.select(things)):one()
    world.same({ 5, 6 }, { row.word, row.WORD })
  end)
end)

suite.case("a label may be any text", function(world)
  local connection = world:connect()
  for _, name in ipairs(names) do
    world.same({ name }, connection:execute(la.select(la.literal(1):label(name))):keys())
  end
end)

suite.case("indexes, unique and not, hold what they say", function(world)
  local things = world:table {
    la.Column { "id", la.Integer, primary_key = true, autoincrement = false }, la.Column { "a", la.Integer, index = true },
    la.Column { "b", la.Integer }, la.Column { "c", la.String(20) }, la.Index { "ix_suite_bc", "b", "c", unique = true },
  }
  world:engine():begin(function(connection)
    connection:execute(things:insert(), { { id = 1, b = 1, c = "x" }, { id = 2, b = 1, c = "y" } })
  end)
  world.fails("IntegrityError", function()
    world:engine():begin(function(connection) connection:execute(things:insert(), { id = 3, b = 1, c = "x" }) end)
  end)
end)

suite.case("what a column says of itself is true: defaults, computed values, keys of two columns", function(world)
  local things = world:table {
    la.Column { "a", la.Integer, primary_key = true, autoincrement = false }, la.Column { "b", la.String(10), primary_key = true },
    la.Column { "kind", la.String(10), server_default = "it's" }, la.Column { "size", la.Integer, server_default = la.text "7" },
    la.Column { "twice", la.Integer, la.Computed "size * 2" },
  }
  world:engine():begin(function(connection)
    connection:execute(things:insert(), { { a = 1, b = "x" }, { a = 1, b = "y" } })
    local row = connection:execute(la.select(things):where(things.c.b:eq "y")):one()
    world.same({ 1, "y", "it's", 7, 14 }, { row:unpack() })
  end)
end)
