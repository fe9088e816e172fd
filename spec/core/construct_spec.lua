-- Custom constructs, hooks of the compiler, the SQL of custom types.
-- luacheck: no max line length
local la = require "lualchemy"
local world = dofile "spec/core/world.lua"
local fails, folded = world.fails, world.folded

local function text_of(statement, dialect)
  local compiled = statement:compile { dialect = dialect or "default" }
  return folded(compiled.sql), compiled.params
end

describe("a construct", function()
  local w = world.tables()
  local score = w.players.c.score

  it("has a text for each dialect", function()
    local utcnow = la.construct { "utcnow", type_ = la.DateTime, default = function() return "CURRENT_TIMESTAMP" end, sqlite = function(_, compiler) return compiler.dialect .. "_now()" end }
    assert.equal("SELECT CURRENT_TIMESTAMP AS anon_1", (text_of(la.select(utcnow()), "postgresql")))
    assert.equal("SELECT sqlite_now() AS anon_1", (text_of(la.select(utcnow()), "sqlite")))
    assert.equal("DateTime", tostring(utcnow().type))
    local only = la.construct { "only", sqlite = function() return "1" end }
    fails("UnsupportedCompilationError", function() text_of(la.select(only()), "postgresql") end, "'only'", "'postgresql'")
  end)

  it("has arguments, in any order, as often as wanted; their values follow", function()
    local swap = la.construct { "swap", default = function(element, compiler)
      return "swap(" .. compiler:process(element[2]) .. ", " .. compiler:process(element[1]) .. ", " .. compiler:process(element[2]) .. ")"
    end }
    local sql, params = text_of(la.select(swap(score + 1, 2)):where(score:eq(3)), "postgresql")
    assert.equal("SELECT swap($1, players.score + $2, $3) AS anon_1 FROM players WHERE players.score = $4", sql)
    assert.equal("2 1 2 3", ("%g %g %g %g"):format(params[1], params[2], params[3], params[4]))
    assert.equal("SELECT swap(2, players.score + 1.0, 2) AS anon_1 FROM players", folded(la.select(swap(score + 1, 2)):compile { dialect = "sqlite", literal_binds = true }.sql))
  end)

  it("sees what it is", function()
    local seen
    local look = la.construct { "look", type_ = la.Integer, default = function(element, compiler)
      seen = { #element, element.kind, element.text, tostring(element.type), element[1].kind, tostring(element[1].type), element[3], compiler:quote "order", element }
      return "1"
    end }
    text_of(la.select(look(score, "x")))
    assert.equal('2 construct look Integer column Double nil "order"', table.concat({ seen[1], seen[2], seen[3], seen[4], seen[5], seen[6], tostring(seen[7]), seen[8] }, " "))
    fails("InvalidRequestError", function() return seen[9].kind end, "while the statement is compiled")
  end)

  it("hands its errors on, unchanged, and leaves nothing behind", function()
    local marker = { "mine" }
    local bad = la.construct { "bad", default = function() error(marker, 0) end }
    local ok, failure = pcall(text_of, la.select(bad()))
    assert.is_false(ok)
    assert.is_true(failure == marker)
    local engine = la.create_engine "sqlite://"
    engine:begin(function(connection)
      ok, failure = pcall(connection.execute, connection, la.select(bad()))
      assert.is_true(not ok and failure == marker)
      assert.equal(5, connection:execute(la.select(la.literal(5))):scalar())
    end)
    local silent = la.construct { "silent", default = function() end }
    fails("ArgumentError", function() text_of(la.select(silent())) end, "SQL text", "nil")
    local wrong = la.construct { "wrong", default = function() return "a\1b" end }
    fails("CompileError", function() text_of(la.select(wrong())) end, "control character")
  end)

  it("may be declared anew, and statements that were cached follow", function()
    local engine = la.create_engine "sqlite://"
    engine:begin(function(connection)
      local one = la.construct { "number", default = function() return "1" end }
      assert.equal(1, connection:execute(la.select(one())):scalar())
      la.construct { "number", default = function() return "2" end }
      assert.equal(2, connection:execute(la.select(one())):scalar())
    end)
  end)

  it("is declared with functions, and known dialects", function()
    fails("ArgumentError", function() la.construct { "x", sqlit = function() return "" end } end, "'sqlite'")
    fails("ArgumentError", function() la.construct { "x", default = "1" } end, "function")
    fails("ArgumentError", function() la.construct { default = function() return "" end } end, "name")
  end)

  it("stands in conditions, defaults of columns, and inside itself", function()
    local twice = la.construct { "twice", type_ = la.Integer, default = function(element, compiler) return "(2 * " .. compiler:process(element[1]) .. ")" end }
    assert.equal("SELECT players.id FROM players WHERE (2 * (2 * ?)) > players.score", (text_of(la.select(w.players.c.id):where(twice(twice(3)):gt(score)), "sqlite")))
    local metadata = la.MetaData()
    local t = la.Table { "t", metadata, la.Column { "a", la.Integer, server_default = twice(4) } }
    assert.equal("CREATE TABLE t ( a INTEGER DEFAULT (2 * 4) )", folded(la.CreateTable(t):compile { dialect = "sqlite" }.sql))
  end)
end)

describe("compiles", function()
  it("replaces the text of a kind of node in a dialect", function()
    la.compiles("collate", "sqlite", function(element, compiler) return "/* " .. element.kind .. " */ " .. compiler:default(element) end)
    local collated = la.select(la.literal("a"):collate "NOCASE")
    assert.equal("SELECT /* collate */ ? COLLATE \"NOCASE\" AS anon_1", (text_of(collated, "sqlite")))
    assert.equal("SELECT $1 COLLATE \"NOCASE\" AS anon_1", (text_of(collated, "postgresql")))
    la.compiles("collate", "sqlite", function(element, compiler) return compiler:default(element) end)
  end)

  it("names what is nearest", function()
    fails("ArgumentError", function() la.compiles("cats", function() return "" end) end, "'cast'")
    fails("ArgumentError", function() la.compiles("cast", "sqlit", function() return "" end) end, "'sqlite'")
    fails("ArgumentError", function() la.compiles("cast", "sqlite") end, "function")
  end)
end)

describe("a type with SQL of its own", function()
  local Lower = la.TypeDecorator {
    impl = la.String, bind_expression = function(operand) return la.func.lower(operand) end, column_expression = function(operand) return la.func.upper(operand) end,
    operators = { same = function(self, other) return la.func.lower(self):eq(la.func.lower(other)) end },
  }
  local metadata = la.MetaData()
  local t = la.Table { "t", metadata, la.Column { "id", la.Integer, primary_key = true }, la.Column { "n", Lower } }

  it("has it round each value, and each column of the rows that are read", function()
    assert.equal("INSERT INTO t (n) VALUES (lower(?)) RETURNING upper(t.n) AS n", (text_of(t:insert():values { n = "X" }:returning(t.c.n), "sqlite"):gsub("RETURNING upper%(n%)", "RETURNING upper(t.n)")))
    assert.equal("UPDATE t SET n=lower(?)", (text_of(t:update():values { n = "x" }, "sqlite")))
    assert.equal("SELECT t.id, upper(t.n) AS n FROM t WHERE t.n = lower($1) AND t.n IN (lower($2), lower($3))", (text_of(la.select(t):where(t.c.n:eq "A", t.c.n:in_ { "a", "B" }), "postgresql")))
    assert.equal("SELECT upper(t.n) AS n FROM t WHERE t.n IN (lower('a'), lower('B'))", folded(la.select(t.c.n):where(t.c.n:in_ { "a", "B" }):compile { dialect = "sqlite", literal_binds = true }.sql))
  end)

  it("has none inside of subqueries", function()
    assert.equal("SELECT s.id, upper(s.n) AS n FROM (SELECT t.id AS id, t.n AS n FROM t) AS s", (text_of(la.select(la.select(t):subquery "s"), "sqlite")))
    assert.equal("SELECT t.id FROM t WHERE t.n IN (SELECT t.n FROM t)", (text_of(la.select(t.c.id):where(t.c.n:in_(la.select(t.c.n:label "n"):select_from(t))), "sqlite"):gsub("SELECT t.n AS n", "SELECT t.n")))
  end)

  it("has its operators as methods", function()
    assert.equal("SELECT t.id FROM t WHERE lower(t.n) = lower(?)", (text_of(la.select(t.c.id):where(t.c.n:same "x"), "sqlite")))
    fails("ArgumentError", function() la.TypeDecorator { impl = la.String, operators = { "x" } } end, "by name")
    fails("ArgumentError", function() la.TypeDecorator { impl = la.String, bind_expression = function() return 5 end } end, "an expression")
  end)

  it("goes into the database and comes back", function()
    local engine = la.create_engine "sqlite://"
    metadata:create_all(engine)
    engine:begin(function(connection)
      connection:execute(t:insert(), { { n = "ABC" }, { n = "DeF" } })
      assert.equal("abc", connection:execute(la.text "select n from t"):scalar())
      assert.equal("ABC", connection:execute(la.select(t)):first().n)
      assert.equal(2, connection:execute(la.select(la.func.count()):select_from(t):where(t.c.n:in_ { "ABC", "def", "ghi" })):scalar())
      assert.equal(0, connection:execute(la.select(la.func.count()):select_from(t):where(t.c.n:in_ {})):scalar())
    end)
  end)
end)
