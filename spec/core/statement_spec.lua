-- luacheck: no max line length
local la = require "lualchemy"
local core = require "lualchemy.core"
local world = dofile "spec/core/world.lua"
local fails, folded = world.fails, world.folded

local function gives(expected, statement)
  assert.equal(expected, folded(statement))
end

describe("select", function()
  local w = world.tables()
  local teams, players = w.teams, w.players
  local t, p = teams.c, players.c

  it("is the same as a chain and as one table", function()
    local n = function() return la.func.count(p.id):label "n" end
    local chained = la.select(t.name, n()):join(players):where(p.score:ge(10), p.name:like "A%"):group_by(t.id):having(la.func.count(p.id):gt(2))
      :order_by(t.name:desc()):limit(10):offset(5):distinct()
    local written = la.select { t.name, n(), join = players, where = { p.score:ge(10), p.name:like "A%" }, group_by = t.id,
      having = la.func.count(p.id):gt(2), order_by = t.name:desc(), limit = 10, offset = 5, distinct = true }
    assert.equal(tostring(chained), tostring(written))
    assert.is_true(core.same_structure(chained, written))
    assert.equal(core.print_block(chained), core.print_block(written))
    assert.is_false(core.same_structure(chained, chained:where(p.id:eq(1))))
  end)

  it("differs from its neighbour in values alone when it only differs in values", function()
    assert.is_true(core.same_structure(la.select(t.id):where(t.id:eq(1)), la.select(t.id):where(t.id:eq(2))))
  end)

  it("is a value: methods leave it as it was", function()
    local base = la.select(t.id)
    base:where(t.id:eq(1))
    gives("SELECT teams.id FROM teams", base)
  end)

  it("takes criteria by name, in the order of the columns", function()
    local one = la.select(players):where { shirt = la.in_ { 1, 7 }, name = "Ann", score = la.ge(10) }
    local other = la.select(players):where { score = la.ge(10), name = "Ann", shirt = la.in_ { 1, 7 } }
    assert.is_true(core.same_structure(one, other))
    gives("SELECT players.id FROM players WHERE players.name = :name_1 AND players.score >= :score_1 AND players.shirt IN (:shirt_1_1, :shirt_1_2)",
      la.select(p.id):where { shirt = la.in_ { 1, 7 }, name = "Ann", score = la.ge(10) })
    gives("SELECT players.id FROM players WHERE players.active AND players.name IS NULL", la.select(p.id):where { p.active, name = la.null })
    gives("SELECT teams.id FROM teams JOIN players ON teams.id = players.team_id WHERE players.name = :name_1", la.select(t.id):join(players):where { name = "x" })
  end)

  it("joins along foreign keys, on conditions, outer and with itself", function()
    gives("SELECT teams.name FROM teams LEFT OUTER JOIN players ON teams.id = players.team_id", la.select(t.name):outerjoin(players))
    gives("SELECT teams.name FROM teams JOIN players ON players.name = teams.name", la.select(t.name):join(players, p.name:eq(t.name)))
    local other = players:alias "other"
    gives("SELECT players.name, other.name AS name_1 FROM players JOIN players AS other ON players.shirt < other.shirt",
      la.select(p.name, other.c.name):join(other, p.shirt:lt(other.c.shirt)))
    gives("SELECT count(players.id) AS count_1 FROM teams LEFT OUTER JOIN players ON teams.id = players.team_id",
      la.select(la.func.count(p.id)):select_from(teams:outerjoin(players)))
    gives("SELECT teams.id FROM teams JOIN players ON teams.id = players.team_id LEFT OUTER JOIN players AS o ON o.team_id = teams.id",
      (function()
        local o = players:alias "o"
        return la.select { t.id, join = { players }, outerjoin = { { o, o.c.team_id:eq(t.id) } } }
      end)())
  end)

  it("nests: subqueries, CTEs, scalars, exists, unions", function()
    local s = la.select(p.team_id, la.func.count():label "n"):group_by(p.team_id):subquery "s"
    gives("SELECT teams.name, s.n FROM teams JOIN (SELECT players.team_id AS team_id, count(*) AS n FROM players GROUP BY players.team_id) AS s ON teams.id = s.team_id",
      la.select(t.name, s.c.n):join(s, t.id:eq(s.c.team_id)))
    gives("SELECT teams.name, (SELECT count(*) AS count_1 FROM players WHERE players.team_id = teams.id) AS n FROM teams",
      la.select(t.name, la.select(la.func.count()):select_from(players):where(p.team_id:eq(t.id)):label "n"))
    gives("SELECT teams.name FROM teams WHERE NOT (EXISTS (SELECT players.id FROM players WHERE players.team_id = teams.id))",
      la.select(t.name):where(la.not_(la.exists(la.select(p.id):where(p.team_id:eq(t.id))))))
    gives("SELECT teams.name FROM teams WHERE teams.id IN (SELECT players.team_id FROM players)", la.select(t.name):where(t.id:in_(la.select(p.team_id))))
    gives("SELECT teams.id FROM teams UNION ALL SELECT players.id FROM players ORDER BY id LIMIT :param_1", la.select(t.id):union_all(la.select(p.id)):order_by "id":limit(1))
    local c = la.select(t.id):cte "c"
    gives("WITH c AS (SELECT teams.id AS id FROM teams) SELECT c.id FROM c", la.select(c))
  end)

  it("recurses through a CTE", function()
    local numbers = la.select(la.literal(1):label "n"):cte { name = "numbers", recursive = true }
    numbers = numbers:union_all(function(c) return la.select(c.c.n + 1):where(c.c.n:lt(5)) end)
    local connection <close> = la.create_engine "sqlite://":connect()
    assert.same({ 1, 2, 3, 4, 5 }, connection:scalars(la.select(numbers.c.n)):all())
    fails("ArgumentError", function() w.teams:alias "x":union_all(la.select(t.id)) end, "CTE")
  end)

  it("refuses what it does not know", function()
    fails("ArgumentError", function() la.select "id" end, "la.text")
    fails("ArgumentError", function() la.select(1) end, "la.literal")
    fails("ArgumentError", function() la.select { t.id, wher = 1 } end, "wher", "where")
    fails("ArgumentError", function() la.select(t.id):where(t.id == 1) end, "column:eq(value)")
    fails("ArgumentError", function() la.select(t.id):having(true) end, "column:eq(value)")
    fails("ArgumentError", function() la.select(t.id):where "id = 1" end, "condition")
    fails("NoSuchColumnError", function() la.select(t.id):where { nam = "x" } end, "'nam'", "'name'")
    fails("ArgumentError", function() la.select(t.id):wher(1) end, "'wher'", "'where'")
    fails("ArgumentError", function() la.select(t.id):limit(-1) end, "from 0 on")
    fails("ArgumentError", function() la.select(t.id):limit "3" end, "a string")
    fails("ArgumentError", function() la.select(t.id):join(5) end, "a number")
    fails("ArgumentError", function() la.select(t.id):select_from(la.select(p.id)) end, "subquery")
    fails("InvalidRequestError", function() la.select(la.func.count()):join(players) end, "select_from")
    fails("ArgumentError", function() la.select(t.id):values { id = 1 } end, "values")
    fails("ArgumentError", function() la.union(la.select(t.id)) end, "two selects")
    fails("ArgumentError", function() la.select(t.id):compile { dialect = "sqlit" } end, "sqlite")
    fails("NoForeignKeysError", function() la.select(t.id):join(la.Table { "alone", w.metadata, la.Column { "id", la.Integer } }):compile() end, "alone")
    assert.truthy(tostring(la.select(t.id):join(w.metadata.tables.alone)):find("<select: .*alone"))
  end)
end)

describe("insert, update, delete", function()
  local w = world.tables()
  local teams, players = w.teams, w.players
  local t, p = teams.c, players.c

  it("show all columns when they have no values yet", function()
    gives("INSERT INTO teams (id, name) VALUES (:id, :name)", teams:insert())
    gives("UPDATE teams SET id=:id, name=:name WHERE teams.id = :id_1", teams:update():where(t.id:eq(1)))
  end)

  it("take values by name, by column, in rows, and merge them", function()
    gives("INSERT INTO teams (id, name) VALUES (:id, :name)", teams:insert():values { name = "x", id = 1 })
    gives("INSERT INTO teams (id, name) VALUES (:id, :name)", teams:insert():values { [t.name] = "x" }:values { id = 2 })
    gives("INSERT INTO teams (id, name) VALUES (:id_m0, :name_m0), (:id_m1, :name_m1)", teams:insert():values { { id = 1, name = "a" }, { id = 2, name = "b" } })
    gives("UPDATE players SET score=(players.score + :score_1), shirt=NULL WHERE players.id = :id_1",
      players:update():where(p.id:eq(1)):values { score = p.score + 1 }:values { shirt = la.literal_column "NULL" })
    gives("INSERT INTO teams (name) SELECT players.name FROM players", teams:insert():from_select({ "name" }, la.select(p.name)))
  end)

  it("resolve conflicts and return rows", function()
    local stmt = teams:insert():values { id = 1, name = "x" }
    gives("INSERT INTO teams (id, name) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE teams.name != excluded.name",
      stmt:on_conflict_do_update { index_elements = { "id" }, set = { name = stmt.excluded.name }, where = t.name:ne(stmt.excluded.name) }
        :compile { dialect = "sqlite" })
    gives("INSERT INTO teams (id, name) VALUES (?, ?) ON CONFLICT DO NOTHING", stmt:on_conflict_do_nothing():compile { dialect = "sqlite" })
  end)

  it("render their values when asked", function()
    gives("DELETE FROM teams WHERE teams.id = 4 AND teams.name LIKE 'it''s%'", teams:delete():where { id = 4, name = la.like "it's%" }:compile { literal_binds = true })
    local compiled = la.select(t.id):where(t.id:in_ { 1, 2 }, t.name:eq "x"):compile { dialect = "sqlite" }
    assert.equal("SELECT teams.id FROM teams WHERE teams.id IN (?, ?) AND teams.name = ?", folded(compiled.sql))
    assert.same({ 1, 2, "x" }, { table.unpack(compiled.params) })
    assert.equal("x", la.select(t.id):where(t.name:eq "x"):compile().params.name_1)
  end)

  it("refuse what they do not know", function()
    fails("NoSuchColumnError", function() teams:insert():values { nam = "x" } end, "nam", "name")
    fails("ArgumentError", function() teams:insert():values(1) end, "a number")
    fails("ArgumentError", function() teams:insert():values { { name = "a" }, { id = 1 } } end, "row 2", "name")
    fails("ArgumentError", function() teams:insert():values { { name = "a" }, { name = "b", id = 1 } } end, "row 2")
    fails("DataError", function() teams:insert():values { id = "x" } end, "teams.id", "Integer")
    fails("ArgumentError", function() teams:insert():on_conflict_do_update { index_elements = { "id" } } end, "set")
    fails("ArgumentError", function() teams:insert():on_conflict_do_update { index_element = { "id" } } end, "index_elements")
    fails("NoSuchColumnError", function() teams:insert():from_select({ "nme" }, la.select(p.name)) end, "name")
    fails("ArgumentError", function() la.insert "teams" end, "a Table or a model")
  end)
end)

describe("text", function()
  it("has parameters by name, and colons that are none", function()
    gives("SELECT :a, 'x:y', z::int", la.text "SELECT :a, 'x:y', z::int")
    local connection <close> = la.create_engine "sqlite://":connect()
    assert.equal("12:30", connection:scalar(la.text "select '12:30'"))
    assert.equal(7, connection:scalar(la.text "select :a + :b":bindparams { a = 3, b = 4 }))
    assert.equal(9, connection:scalar(la.text "select :a + :b":bindparams { a = 3, b = 4 }, { a = 5 }))
    assert.equal(5, connection:scalar(la.select(la.bindparam("x", 5))))
    fails("ArgumentError", function() la.text(5) end, "SQL as a string")
  end)
end)

describe("values that the text carries", function()
  local engine = la.create_engine "sqlite://"
  local connection = engine:connect()

  it("are written when the statement runs, and the statement is compiled once", function()
    local before = engine:cache_info().misses
    for value = 1, 3 do
      local bound = la.bindparam("n", value, { literal_execute = true })
      assert.equal(value + 1, connection:execute(la.select(bound + 1)):scalar())
    end
    assert.equal("SELECT 7 + ? AS anon_1", la.select(la.bindparam("n", 7, { literal_execute = true }) + 1):compile { dialect = "sqlite" }.sql)
    local by_name = la.select(la.bindparam("n", { type_ = la.String, literal_execute = true }):label "it")
    assert.equal("it's", connection:execute(by_name, { n = "it's" }):scalar())
    assert.equal("b", connection:execute(by_name, { n = "b" }):scalar())
    assert.equal(before + 2, engine:cache_info().misses)
  end)

  it("can be lists", function()
    local word = la.literal_column "3"
    local list = la.bindparam("l", { 1, 2, 3 }, { expanding = true, literal_execute = true })
    assert.equal("SELECT 3 IN (1, 2, 3) AS anon_1", la.select(word:in_(list)):compile { dialect = "sqlite" }.sql)
    assert.equal(1, connection:execute(la.select(la.type_coerce(word:in_(list), la.Integer))):scalar())
    assert.equal(0, connection:execute(la.select(la.type_coerce(word:in_(list), la.Integer)), { l = {} }):scalar())
  end)
end)

describe("upsert", function()
  local w = world.tables()
  local p = w.players.c

  it("writes what is there when the row is", function()
    local stmt = la.upsert(w.players)
    gives("INSERT INTO players (id, name, score) VALUES (:id, :name, :score) ON CONFLICT (id) DO UPDATE SET name = excluded.name", stmt:values { id = 1, name = "a" })
    gives("INSERT INTO players (id, score) VALUES (:id, :score) ON CONFLICT (id) DO NOTHING", stmt:values { id = 1 })
    gives("INSERT INTO players (id, name, score) VALUES (:id, :name, :score) ON CONFLICT (name) DO UPDATE SET shirt = (excluded.shirt + :param_1) WHERE players.shirt < :shirt_1",
      la.upsert(w.players, { index_elements = { p.name }, set = { shirt = stmt.excluded.shirt + 1 }, where = p.shirt:lt(9) }):values { id = 1, name = "a" })
    gives("INSERT INTO players (id, name, score) VALUES (:id, :name, :score) ON CONFLICT (id) DO NOTHING", la.upsert(w.players, { do_nothing = true }):values { id = 1, name = "a" })
    gives("INSERT INTO players (id, name, score) VALUES (:id, :name, :score) ON CONFLICT (name) DO UPDATE SET shirt = excluded.shirt", w.players:upsert { index_elements = { "name" }, set = { "shirt" } }:values { id = 1, name = "a" })
    fails("ArgumentError", function() la.upsert(w.players, { do_nothing = true, set = { "name" } }) end, "set or do_nothing")
    fails("UnsupportedCompilationError", function() return la.insert(w.players):values { id = 1 }:on_duplicate_key_update({ name = "b" }):compile() end, "on duplicate key")
  end)
end)

describe("what is printed", function()
  local w = world.tables()
  local p = w.players.c

  it("is a compiled statement with its slots and columns", function()
    local text = core.print_compiled(la.select(p.id, p.name):where(p.shirt:in_ { 1, 2 }, p.name:eq "x"), "sqlite")
    assert.equal([[
sqlite: SELECT players.id, players.name FROM players WHERE players.shirt IN (?) AND players.name = ?
  slot 1: list of value 0, Integer at 69
  slot 2: value of value 1, String at 91
  column 1: id, Integer
  column 2: name, String
]], text)
  end)

  it("is every node", function()
    local f = la.func.json_each("[]"):table_valued("value", { name = "j" })
    local tree = core.print_block(la.select(f.c.value, la.func.sum(p.id):over { order_by = p.id, rows = { -1, 0 } }):where(p.name:regexp_match "x"):fetch(3):with_statement_hint "h")
    for _, word in ipairs { "define", "frame", "regexp REGEXP", "fetch", "hints", "words \"h\"", "name \"value\"" } do
      assert.truthy(tree:find(word, 1, true), word .. "\n" .. tree)
    end
  end)
end)
