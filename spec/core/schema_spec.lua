-- luacheck: no max line length
local la = require "lualchemy"
local world = dofile "spec/core/world.lua"
local fails, folded = world.fails, world.folded
local Column, Integer, String = la.Column, la.Integer, la.String

describe("a table", function()
  local w = world.tables()

  it("has its columns by name and by place", function()
    assert.equal(rawget(w.teams.c, "name"), w.teams.c[2])
    assert.equal(2, #w.teams.c)
    assert.equal("name", w.teams.c.name.name)
    assert.equal("String(80)", tostring(w.teams.c.name.type))
    assert.is_true(w.teams.c.id.primary_key)
    assert.is_false(w.teams.c.name.nullable)
    assert.equal("teams", w.teams.c.name.table.name)
  end)

  it("names what is nearest to a column that it does not have", function()
    fails("NoSuchColumnError", function() return w.teams.c.nme end, "'nme'", "'name'")
  end)

  it("is found again by its name, and cannot be made twice", function()
    assert.equal("teams", la.Table { "teams", w.metadata }.name)
    fails("InvalidRequestError", function() la.Table { "teams", w.metadata, Column { "id", Integer } } end, "teams")
  end)

  it("is not left behind when one of its parts is wrong", function()
    local metadata = la.MetaData()
    fails("ArgumentError", function() la.Table { "t", metadata, Column { "a", Integer }, la.UniqueConstraint { "b" } } end, "b")
    la.Table { "t", metadata, Column { "a", Integer } }
  end)

  it("takes the type of a column from the foreign key's target", function()
    w.metadata:resolve()
    assert.equal("Integer", tostring(w.players.c.team_id.type))
  end)

  it("lists its constraints and indexes", function()
    local metadata = la.MetaData { naming_convention = { uq = "uq_%(table_name)s_%(column_0_name)s" } }
    local t = la.Table { "t", metadata,
      Column { "a", Integer, primary_key = true },
      Column { "b", Integer, index = true },
      Column { "c", String(10), la.CheckConstraint "c <> ''" },
      la.UniqueConstraint { "b", "c" },
      la.Index { "ix_c", "c", unique = true },
    }
    local kinds = {}
    for i, one in ipairs(t.constraints) do kinds[i] = one.kind end
    table.sort(kinds)
    assert.same({ "check", "primary_key", "unique" }, kinds)
    assert.equal("uq_t_b", t.constraints[#t.constraints].name)
    assert.equal("ix_t_b", t.indexes[1].name)
    assert.same({ "c" }, t.indexes[2].columns)
  end)

  it("can grow", function()
    local t = la.Table { "grows", la.MetaData(), Column { "id", Integer, primary_key = true } }
    local column = t:append_column(Column { "x", Integer })
    assert.equal(column, rawget(t.c, "x"))
    t:append_constraint(la.UniqueConstraint { "x" })
    assert.truthy(tostring(la.CreateTable(t)):find("UNIQUE (x)", 1, true))
  end)
end)

describe("wrong definitions", function()
  it("say what is wrong and what to write", function()
    fails("ArgumentError", function() Column { "a", Integer, nulable = false } end, "nulable", "nullable")
    fails("ArgumentError", function() Column { "a", Integer, nullable = 1 } end, "nullable", "boolean", "a number")
    fails("ArgumentError", function() Column { "a", Integer, String(3) } end, "two types")
    fails("ArgumentError", function() Column { "a", nil, Integer } end, "nil")
    fails("ArgumentError", function() Column { "a", {} } end, "a table")
    fails("ArgumentError", function() la.ForeignKey {} end, "one target")
    fails("ArgumentError", function() la.ForeignKey { "t.a", on_delete = "CASCADE" } end, "ondelete")
    fails("ArgumentError", function() la.Table { "t" } end, "MetaData")
    fails("ArgumentError", function() la.Table { "t", la.MetaData(), "a" } end, "a string")
    fails("ArgumentError", function() la.Table { "t", la.MetaData(), Column { Integer } } end, "no name")
    fails("ArgumentError", function() la.Table { "t", la.MetaData(), Column { "a", Integer }, sqlit_strict = true } end, "sqlit_strict")
    fails("ArgumentError", function() la.MetaData { shema = "x" } end, "schema")
    fails("ArgumentError", function() la.UniqueConstraint { 1 } end, "a number")
    fails("ArgumentError", function() la.String { lenght = 3 } end, "length")
    fails("ArgumentError", function() la.String(-1) end, "from 1 on")
    fails("ArgumentError", function() la.Integer(3) end, "no arguments")
    fails("ArgumentError", function() la.Enum() end, "at least one")
    fails("ArgumentError", function() la.TypeDecorator { impl = "x" } end, "impl")
  end)

  it("are found when the schema is used: no type, no target", function()
    local engine = la.create_engine "sqlite://"
    local metadata = la.MetaData()
    la.Table { "t", metadata, Column { "a" } }
    fails("CompileError", function() metadata:create_all(engine) end, "'t'", "'a'")
    metadata = la.MetaData()
    la.Table { "teams", metadata, Column { "id", Integer, primary_key = true } }
    la.Table { "p", metadata, Column { "a", la.ForeignKey "team.id" } }
    fails("NoReferencedTableError", function() metadata:create_all(engine) end, "team")
  end)
end)

describe("types", function()
  it("are values that compare and print as they are written", function()
    assert.equal("Numeric(10, 2)", tostring(la.Numeric(10, 2)))
    assert.is_true(la.Numeric(10, 2) == la.Numeric { precision = 10, scale = 2 })
    assert.is_true(la.Numeric { 10, 2 } == la.Numeric(10, 2))
    assert.is_false(la.String(3) == la.String(4))
    assert.is_true(la.Integer == la.Integer())
    assert.equal(80, la.String(80).length)
    assert.same({ "a", "b" }, la.Enum("a", "b").enums)
    assert.is_true(la.Enum { "a", "b" } == la.Enum("a", "b"))
    assert.is_true(la.DateTime { timezone = true }.timezone)
  end)
end)

describe("CREATE TABLE", function()
  local w = world.tables()

  it("is text, by dialect", function()
    w.metadata:resolve()
    assert.equal("CREATE TABLE players ( id INTEGER NOT NULL, name VARCHAR(80) NOT NULL, score DOUBLE, shirt INTEGER, active BOOLEAN, "
      .. "team_id INTEGER, PRIMARY KEY (id), FOREIGN KEY(team_id) REFERENCES teams (id) ON DELETE CASCADE )",
      folded(la.CreateTable(w.players):compile { dialect = "sqlite" }.sql))
    assert.equal("DROP TABLE players", folded(la.DropTable(w.players)))
  end)

  it("is run in the order of the foreign keys, once, and undone", function()
    local engine = la.create_engine "sqlite://"
    w.metadata:create_all(engine)
    w.metadata:create_all(engine)
    assert.is_true(la.inspect(engine):has_table "players")
    fails("OperationalError", function() w.metadata:create_all(engine, { checkfirst = false }) end, "already exists")
    w.metadata:drop_all(engine, { tables = { w.players } })
    assert.is_false(la.inspect(engine):has_table "players")
    assert.is_true(la.inspect(engine):has_table "teams")
    w.players:create(engine)
    assert.is_true(la.inspect(engine):has_table "players")
    local sorted = w.metadata.sorted_tables
    assert.same({ "teams", "players" }, { sorted[1].name, sorted[2].name })
    fails("ArgumentError", function() w.metadata:create_all {} end, "an engine or a connection", "a table")
  end)
end)

describe("defaults", function()
  local calls = 0
  local metadata = la.MetaData()
  local t = la.Table { "defaults", metadata,
    Column { "id", Integer, primary_key = true },
    Column { "constant", Integer, default = 5 },
    Column { "counted", Integer, default = function() calls = calls + 1 return calls end },
    Column { "computed", Integer, default = la.literal(1) + 2 },
    Column { "server", Integer, server_default = la.text "9" },
    Column { "text", String(10), server_default = "it's" },
    Column { "touched", Integer, onupdate = function() return 77 end },
  }
  local engine = la.create_engine "sqlite://"
  metadata:create_all(engine)

  it("are values, functions, expressions, and the database's", function()
    engine:begin(function(connection)
      connection:execute(t:insert(), { {}, {} })
      connection:execute(t:insert():values { constant = 6 })
      local rows = connection:execute(la.select(t):order_by(t.c.id)):all()
      assert.same({ 1, 5, 1, 3, 9, "it's" }, { rows[1]:unpack() })
      assert.equal(2, rows[2].counted)
      assert.same({ 6, 3 }, { rows[3].constant, rows[3].counted })
      connection:execute(t:update():where { id = 1 }:values { constant = 8 })
      assert.equal(77, connection:scalar(la.select(t.c.touched):where { id = 1 }))
    end)
  end)

  it("that fail raise their own error, and the connection goes on", function()
    local failing = la.Table { "failing", metadata, Column { "id", Integer, primary_key = true }, Column { "x", Integer, default = function() error { my = "own" } end } }
    failing:create(engine)
    local connection <close> = engine:connect()
    local ok, failure = pcall(connection.execute, connection, failing:insert())
    assert.is_false(ok)
    assert.same({ my = "own" }, failure)
    connection:rollback()
    assert.equal(3, connection:scalar(la.select(la.func.count()):select_from(t)))
  end)

  it("of the wrong type name the column", function()
    local wrong = la.Table { "wrong", metadata, Column { "id", Integer, primary_key = true }, Column { "x", Integer, default = function() return "x" end } }
    wrong:create(engine)
    local connection <close> = engine:connect()
    fails("DataError", function() connection:execute(wrong:insert()) end, "wrong.x", "Integer")
    fails("DataError", function() la.Table { "w2", metadata, Column { "x", Integer, default = 1.5 } } end, "Integer")
  end)

  it("puts tables behind those that they are said to depend on", function()
    local of = la.MetaData()
    local a, b = la.Table { "a", of, la.Column { "id", la.Integer } }, la.Table { "b", of, la.Column { "id", la.Integer } }
    a:add_is_dependent_on(b)
    assert.equal(b, of.sorted_tables[1])
    b:add_is_dependent_on(a)
    local ok, problem = pcall(function() return of.sorted_tables end)
    assert.is_false(ok)
    assert.equal("CircularDependencyError", problem.kind)
    assert.truthy(tostring(select(2, pcall(a.add_is_dependent_on, a, a))):find "cannot depend on itself")
  end)
end)
