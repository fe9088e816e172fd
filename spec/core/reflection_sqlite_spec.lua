-- luacheck: no max line length
local la = require "lualchemy"
local world = dofile "spec/core/world.lua"
local fails = world.fails
local described = dofile "spec/suite/described.lua"
local Column = la.Column

local function memory(...)
  local engine = la.create_engine "sqlite://"
  local statements = { ... }
  engine:begin(function(connection)
    for _, statement in ipairs(statements) do connection:exec_driver_sql(statement) end
  end)
  return engine
end

local function created(engine)
  local texts = {}
  engine:begin(function(connection)
    for _, row in ipairs(connection:exec_driver_sql "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL":all()) do texts[row[1]] = row[2] end
  end)
  return texts
end

local function names_of(list)
  local names = {}
  for i, one in ipairs(list) do names[i] = one.name end
  return names
end

local league = {
  [[CREATE TABLE teams (id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(80) NOT NULL COLLATE NOCASE CONSTRAINT uq UNIQUE ON CONFLICT REPLACE)]],
  [[CREATE TABLE "odd one" (a INT DEFAULT (1+2), b TEXT DEFAULT 'x:y' COLLATE nocase, "c d" DECIMAL(10, 2) CHECK ("c d" > 0), -- ) , CHECK (1)
    team INTEGER CONSTRAINT fk REFERENCES Teams ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, g INT GENERATED ALWAYS AS (a + 1) STORED /* , x */,
    CONSTRAINT pk PRIMARY KEY (b, A), CONSTRAINT ck CHECK (a > ')') CONSTRAINT uq2 UNIQUE (A, "c d")) WITHOUT ROWID]],
  [[CREATE UNIQUE INDEX ix ON "odd one" (b DESC, lower(b || ',') DESC, a COLLATE nocase) WHERE a > 1]],
  [[CREATE VIEW everybody AS SELECT id, name FROM teams]],
  [[CREATE VIEW broken AS SELECT * FROM nothing_at_all]],
}

describe("an inspector of SQLite", function()
  local engine = memory(table.unpack(league))
  local inspector = la.inspect(engine)

  it("lists tables, views and schemas", function()
    assert.same({ "odd one", "teams" }, inspector:get_table_names())
    assert.same({ "broken", "everybody" }, inspector:get_view_names())
    assert.same({ "main" }, inspector:get_schema_names())
    assert.equal("main", inspector.default_schema_name)
    assert.truthy(inspector:get_view_definition "everybody":find "SELECT id, name")
    assert.same({}, inspector:get_sequence_names())
    assert.same({}, inspector:get_enums())
    assert.is_true(inspector:has_table "teams")
    assert.is_true(inspector:has_index("odd one", "ix"))
    assert.is_false(inspector:has_index("odd one", "xi"))
  end)

  it("tells columns", function()
    local columns = inspector:get_columns "odd one"
    assert.same({ "a", "b", "c d", "team", "g" }, names_of(columns))
    assert.equal("INT", tostring(columns[1].type))
    assert.equal("1+2", columns[1].default)
    assert.is_false(columns[1].nullable)
    assert.equal(2, columns[1].primary_key)
    assert.equal('TEXT{ collation = "nocase" }', tostring(columns[2].type))
    assert.equal("'x:y'", columns[2].default)
    assert.equal("DECIMAL(10, 2)", tostring(columns[3].type))
    assert.same({ sqltext = "a + 1", persisted = true }, columns[5].computed)
    assert.equal("id", inspector:get_columns "TEAMS"[1].name)
    assert.same({ "id", "name" }, names_of(inspector:get_columns "everybody"))
  end)

  it("tells keys and constraints with their names and options", function()
    assert.same({ constrained_columns = { "b", "a" }, name = "pk" }, inspector:get_pk_constraint "odd one")
    assert.same({ {
      name = "fk", constrained_columns = { "team" }, referred_table = "teams", referred_columns = { "id" },
      options = { ondelete = "CASCADE", deferrable = true, initially = "DEFERRED" },
    } }, inspector:get_foreign_keys "odd one")
    assert.same({ { sqltext = '"c d" > 0' }, { name = "ck", sqltext = "a > ')'" } }, inspector:get_check_constraints "odd one")
    assert.same({ { name = "uq2", column_names = { "a", "c d" } } }, inspector:get_unique_constraints "odd one")
    assert.same({ { name = "uq", column_names = { "name" }, dialect_options = { sqlite_on_conflict = "REPLACE" } } }, inspector:get_unique_constraints "teams")
    assert.same({ sqlite_with_rowid = false }, inspector:get_table_options "odd one")
    assert.same({ sqlite_autoincrement = true }, inspector:get_table_options "teams")
    assert.same({}, inspector:get_table_comment "teams")
  end)

  it("tells all that each of them can have, and it is made again", function()
    local first = memory([[CREATE TABLE p (a INTEGER PRIMARY KEY ON CONFLICT REPLACE)]],
      [[CREATE TABLE every (a INTEGER NOT NULL ON CONFLICT IGNORE, b INTEGER, CONSTRAINT f FOREIGN KEY (b) REFERENCES p (a) ON UPDATE SET NULL ON DELETE CASCADE
        MATCH FULL DEFERRABLE INITIALLY DEFERRED, CONSTRAINT c CHECK (b > 0) ON CONFLICT FAIL, CONSTRAINT u UNIQUE (a, b) ON CONFLICT ROLLBACK) STRICT]])
    local metadata, second = la.MetaData(), la.create_engine "sqlite://"
    metadata:reflect { bind = first }
    metadata:create_all(second)
    for _, one in ipairs { first, second } do
      local found = la.inspect(one)
      assert.same({ constrained_columns = { "a" }, dialect_options = { sqlite_on_conflict = "REPLACE" } }, found:get_pk_constraint "p")
      assert.same({ sqlite_on_conflict_not_null = "IGNORE" }, found:get_columns "every"[1].dialect_options)
      assert.same({ {
        name = "f", constrained_columns = { "b" }, referred_table = "p", referred_columns = { "a" },
        options = { onupdate = "SET NULL", ondelete = "CASCADE", match = "FULL", deferrable = true, initially = "DEFERRED" },
      } }, found:get_foreign_keys "every")
      assert.same({ { name = "c", sqltext = "b > 0", dialect_options = { sqlite_on_conflict = "FAIL" } } }, found:get_check_constraints "every")
      assert.same({ { name = "u", column_names = { "a", "b" }, dialect_options = { sqlite_on_conflict = "ROLLBACK" } } }, found:get_unique_constraints "every")
      assert.same({ sqlite_strict = true }, found:get_table_options "every")
    end
  end)

  it("tells indexes with expressions, order, collation and condition", function()
    assert.same({ {
      name = "ix", unique = true, column_names = { "b", false, "a" }, expressions = { "b", "lower(b || ',')", "a" },
      column_sorting = { b = { "desc" }, ["lower(b || ',')"] = { "desc" } }, column_collations = { [3] = "nocase" },
      dialect_options = { sqlite_where = "a > 1" },
    } }, inspector:get_indexes "odd one")
    assert.same({}, inspector:get_indexes "teams")
  end)

  it("answers for all tables at once, by kind and by name", function()
    local all = inspector:get_multi_columns { kind = "any" }
    assert.equal(5, #all["odd one"])
    assert.equal(2, #all.everybody)
    assert.same({}, all.broken)
    all = inspector:get_multi_pk_constraint { filter_names = { "teams" } }
    assert.same({ teams = { constrained_columns = { "id" } } }, all)
    fails("ArgumentError", function() inspector:get_multi_columns { kind = "tables" } end, "tables")
    fails("ArgumentError", function() inspector:get_columns(1) end, "a number")
  end)

  it("gives copies, and reads again when told to", function()
    inspector:get_columns "teams"[1].name = "changed"
    assert.equal("id", inspector:get_columns "teams"[1].name)
    engine:begin(function(connection) connection:exec_driver_sql "ALTER TABLE teams ADD COLUMN city TEXT" end)
    assert.equal(2, #inspector:get_columns "teams")
    inspector:clear_cache()
    assert.equal(3, #inspector:get_columns "teams")
  end)

  it("says that there is no such table", function()
    fails("NoSuchTableError", function() inspector:get_columns "team" end, "team")
    fails("NoSuchTableError", function() inspector:get_view_definition "v" end, "v")
  end)

  it("works on a connection, in attached schemas", function()
    local connection = engine:connect()
    connection:exec_driver_sql "ATTACH ':memory:' AS other"
    connection:exec_driver_sql "CREATE TABLE other.a (id INTEGER PRIMARY KEY, b INTEGER REFERENCES a (id))"
    local inside = la.inspect(connection)
    assert.same({ "main", "other" }, inside:get_schema_names())
    assert.same({ "a" }, inside:get_table_names "other")
    assert.equal("other", inside:get_foreign_keys("a", "other")[1].referred_schema)
    local metadata = la.MetaData()
    metadata:reflect { bind = connection, schema = "other" }
    assert.equal("other.a", metadata.tables["other.a"].fullname)
    metadata:resolve()
    connection:close()
  end)
end)

describe("types of SQLite", function()
  local type_of = require "lualchemy.dialects.sqlite_catalog".type
  for declared, expected in pairs {
    ["INTEGER"] = "INTEGER", ["int"] = "INT", ["TINYINT"] = "INTEGER", ["INT8"] = "INTEGER", ["BIGINT"] = "BIGINT", ["VARCHAR(30)"] = "VARCHAR(30)",
    ["NATIVE CHARACTER(70)"] = "TEXT(70)", ["CLOB"] = "CLOB", ["BLOB"] = "BLOB", [""] = "NullType", ["REAL"] = "REAL", ["DOUBLE PRECISION"] = "DOUBLE_PRECISION",
    ["FLOATING POINT"] = "INTEGER", ["STRING"] = "NUMERIC", ["DECIMAL(10,5)"] = "DECIMAL(10, 5)", ["NUMERIC"] = "NUMERIC", ["BOOL"] = "BOOLEAN", ["DATE"] = "DATE",
    ["DATETIME"] = "DATETIME", ["TIMESTAMP"] = "TIMESTAMP", ["JSON"] = "sqlite.JSON", ["VARCHAR(1, 2)"] = "VARCHAR", ["VARCHAR(0)"] = "VARCHAR", ["TEXTUAL"] = "TEXT",
  } do
    it(("'%s' is %s"):format(declared, expected), function() assert.equal(expected, tostring(type_of(declared))) end)
  end
end)

describe("reflected tables", function()
  local engine = memory(table.unpack(league))

  it("are all that there are, and their views if wanted", function()
    local metadata = la.MetaData()
    metadata:reflect { bind = engine }
    assert.is_nil(metadata.tables.everybody)
    assert.equal("odd one", metadata.tables["odd one"].name)
    metadata:reflect { bind = engine, views = true }
    assert.equal(2, #metadata.tables.everybody.c)
  end)

  it("are those that are asked for, and what they refer to", function()
    local metadata = la.MetaData()
    metadata:reflect { bind = engine, only = { "odd one" } }
    assert.equal("teams", metadata.tables.teams.name)
    metadata = la.MetaData()
    metadata:reflect { bind = engine, only = function(name) return name == "odd one" end, resolve_fks = false }
    assert.is_nil(metadata.tables.teams)
    fails("InvalidRequestError", function() metadata:reflect { bind = engine, only = { "team", "teams" } } end, "(team)")
    fails("ArgumentError", function() metadata:reflect { engine } end, "bind")
    fails("ArgumentError", function() metadata:reflect { bind = engine, onyl = {} } end, "only")
  end)

  it("can be queried", function()
    local teams = la.Table { "teams", la.MetaData(), autoload_with = engine }
    engine:begin(function(connection)
      connection:execute(teams:insert(), { { name = "Red" }, { name = "Blue" } })
      assert.equal(2, connection:scalar(la.select(teams.c.id):where(teams.c.name:eq "BLUE")))
    end)
  end)

  it("keep columns that are written by hand", function()
    local metadata = la.MetaData()
    local t = la.Table { "odd one", metadata, Column { "a", la.BigInteger, key = "first" }, Column { "team", la.Integer, la.ForeignKey "teams.id" },
      Column { "more", la.Text }, autoload_with = engine }
    assert.equal("a", t.c[1].name)
    assert.equal("BigInteger", tostring(t.c.first.type))
    assert.equal(6, #t.c)
    assert.equal(1, #t.foreign_keys)
    assert.is_nil(t.foreign_keys[1].name)
    assert.same({ "b", "first" }, { t.primary_key[1].key, t.primary_key[2].key })
    assert.equal("teams", metadata.tables.teams.name)
    t = la.Table { "odd one", la.MetaData(), autoload_with = engine, include_columns = { "a", "b" }, resolve_fks = false }
    assert.equal(2, #t.c)
    assert.equal(0, #t.foreign_keys)
    fails("NoSuchTableError", function() la.Table { "odd", la.MetaData(), autoload_with = engine } end, "odd")
    fails("ArgumentError", function() la.Table { "odd", la.MetaData(), autoload_with = "sqlite://" } end, "autoload_with")
  end)

  it("keep their names under a naming convention", function()
    local metadata = la.MetaData { naming_convention = { ck = "ck_%(table_name)s_%(constraint_name)s", uq = "uq_%(table_name)s" } }
    local t = la.Table { "t", metadata, autoload_with = memory [[CREATE TABLE t (a INTEGER CONSTRAINT ck CHECK (a > 0), CONSTRAINT u UNIQUE (a))]] }
    local text = tostring(la.CreateTable(t))
    assert.truthy(text:find("CONSTRAINT ck CHECK", 1, true))
    assert.truthy(text:find("CONSTRAINT u UNIQUE", 1, true))
  end)
end)

-- Round trips -------------------------------------------------------------------------------------

local function again(engine)
  local metadata, other = la.MetaData(), la.create_engine "sqlite://"
  metadata:reflect { bind = engine }
  metadata:create_all(other)
  return other
end

local seed = tonumber(os.getenv "SEED") or os.time()
math.randomseed(seed)
local random = math.random
local function chance(in_) return random(in_) == 1 end
local function one_of(list) return list[random(#list)] end

local column_names = { "id", "name", "Mixed", "group", "two words", 'quo"te', "x$1", "1st", "é", "_under" }

-- Columns without repeats, 1 to `most`.
local function some(names, most)
  local left, picked = { table.unpack(names) }, {}
  for i = 1, math.min(random(most), #names) do picked[i] = table.remove(left, random(#left)) end
  return picked
end

local function word(name) return '"' .. name:gsub('"', '""') .. '"' end
local function words(list)
  local made = {}
  for i, name in ipairs(list) do made[i] = word(name) end
  return table.concat(made, ", ")
end

local declared = { "INTEGER", "VARCHAR(40)", "TEXT", "NUMERIC(10, 2)", "REAL", "BOOLEAN", "DATE", "DATETIME", "BLOB", "BIGINT", "CHAR(3)", "JSON" }
local conflicts = { "", "", "", " ON CONFLICT IGNORE", " on conflict replace" }
local spaces = { " ", " ", "\n\t", " /* a ) comment, */ ", " -- another ' one\n" }
local actions = { "", " ON DELETE CASCADE", " ON UPDATE SET NULL", " ON DELETE SET DEFAULT ON UPDATE RESTRICT", " DEFERRABLE INITIALLY DEFERRED", " NOT DEFERRABLE" }
local defaults = { "1", "-1.5", "'it''s'", "(1 + (2))", "('a' || 'b')", "CURRENT_TIMESTAMP", "NULL", "x'00ff'", "(lower('),('))" }
local checks = { "%s <> ')'", "%s > (1 + 2)", "%s IN ('a', 'b,c')", "length(%s) < 10 -- ) \n OR 1" }

local serial = 0
local function named()
  serial = serial + 1
  return chance(2) and "" or "CONSTRAINT " .. word("c " .. serial) .. " "
end

-- A column as SQL, with constraints of its own in any order.
local function column_text(name, plain)
  local parts = { word(name), one_of(declared) }
  local function maybe(in_, text) if chance(in_) then parts[#parts + 1] = named() .. text end end
  maybe(4, "NOT NULL" .. one_of(conflicts))
  if not plain and chance(8) then
    parts[#parts + 1] = one_of { "GENERATED ALWAYS AS (1 + (2))", "AS (lower('),')) STORED" }
  else
    maybe(3, "DEFAULT " .. one_of(defaults))
  end
  maybe(6, "UNIQUE" .. one_of(conflicts))
  maybe(5, "CHECK (" .. one_of(checks):format(word(name)) .. ")")
  if chance(6) then parts[#parts + 1] = "COLLATE nocase" end
  maybe(8, "REFERENCES parent" .. one_of { "", ' ("key")' } .. one_of(actions))
  return table.concat(parts, one_of(spaces))
end

local function table_text(name)
  local columns, items = some(column_names, #column_names), {}
  for i, column in ipairs(columns) do items[i] = column_text(column, i <= 2) end
  local keyed = chance(2)
  local key = some(columns, 2)
  if keyed and (#key > 1 or key[1] == columns[1] or key[1] == columns[2]) then
    key = { columns[1], columns[2] }
    items[#items + 1] = named() .. "PRIMARY KEY (" .. words(key) .. ")" .. one_of(conflicts)
  end
  if chance(2) then items[#items + 1] = named() .. "UNIQUE (" .. words(some(columns, 3)) .. ")" .. one_of(conflicts) end
  if chance(2) then items[#items + 1] = named() .. "CHECK (" .. one_of(checks):format(word(columns[1])) .. ")" end
  if chance(2) then
    items[#items + 1] = named() .. "FOREIGN KEY (" .. words { columns[1] } .. ")" .. one_of(spaces) .. 'REFERENCES "parent" ("key")' .. one_of(actions)
  end
  local text = "CREATE TABLE " .. name .. " (" .. table.concat(items, "," .. one_of(spaces)) .. one_of { "", "\n" } .. ")"
  return text .. (keyed and chance(3) and text:find "PRIMARY KEY" and " WITHOUT ROWID" or ""), columns
end

local function index_text(name, t, columns)
  local terms = {}
  for i, column in ipairs(some(columns, 3)) do
    local term = chance(4) and "coalesce(" .. word(column) .. ", ',)')" or word(column) .. (chance(4) and " COLLATE rtrim" or "")
    terms[i] = term .. one_of { "", " ASC", " DESC" }
  end
  return ("CREATE %sINDEX %s ON %s (%s)%s"):format(chance(3) and "UNIQUE " or "", name, t, table.concat(terms, "," .. one_of(spaces)),
    chance(3) and " WHERE " .. word(columns[1]) .. " IS NOT NULL" or "")
end

-- What the pragmas say, by other queries than the reader's.
local function keys_by_pragma(engine, t)
  local keys = {}
  engine:begin(function(connection)
    for _, row in ipairs(connection:exec_driver_sql(("PRAGMA foreign_key_list(%s)"):format(t)):all()) do
      keys[#keys + 1] = row[3] .. "." .. row[4] .. (row[7] ~= "NO ACTION" and row[7] or "") .. (row[6] ~= "NO ACTION" and row[6] or "")
    end
  end)
  table.sort(keys)
  return keys
end

local function keys_by_us(engine, t)
  local keys = {}
  for i, key in ipairs(la.inspect(engine):get_foreign_keys(t)) do
    keys[i] = key.referred_table .. "." .. key.constrained_columns[1] .. (key.options.ondelete or "") .. (key.options.onupdate or "")
  end
  table.sort(keys)
  return keys
end

describe("a round trip", function()
  it("of random tables as lualchemy writes them gives the same texts (SEED=" .. seed .. ")", function()
    local types = { la.Integer, la.String(40), la.Text, la.Numeric(10, 2), la.Float, la.Boolean, la.Date, la.DateTime, la.LargeBinary, la.BigInteger, la.Double,
      la.JSON, la.String { 10, collation = "NOCASE" }, la.SmallInteger, la.Time }
    for _ = 1, 60 do
      local metadata, engine = la.MetaData(), la.create_engine "sqlite://"
      la.Table { "parent", metadata, Column { "key", la.Integer, primary_key = true }, sqlite_autoincrement = chance(2) or nil }
      for number = 1, 3 do
        local columns, keyed = some(column_names, 6), chance(2)
        local parts = { "t" .. number, metadata, sqlite_strict = chance(4) or nil, comment = nil }
        for place, name in ipairs(columns) do
          local default = chance(3) and one_of { "text", la.text "1", la.func.lower "x", la.literal(1) + 2 } or nil
          parts[#parts + 1] = Column { name, one_of(types), nullable = not (keyed and place == 1) and chance(2), unique = chance(5), index = chance(4), server_default = default,
            sqlite_on_conflict_not_null = chance(3) and "FAIL" or nil }
        end
        local function maybe(part) if chance(2) then parts[#parts + 1] = part end end
        -- a key of a STRICT table is not null, whether it says so or not
        if keyed then parts[#parts + 1] = la.PrimaryKeyConstraint { columns[1], name = chance(2) and "pk_" .. number or nil } end
        maybe(la.UniqueConstraint { columns[#columns], columns[1] ~= columns[#columns] and columns[1] or nil, name = chance(2) and "uq" or nil })
        maybe(la.CheckConstraint { "1 < 2 OR ')' <> ','", name = chance(2) and "ck " .. number or nil })
        maybe(la.ForeignKeyConstraint { { columns[1] }, { "parent.key" }, ondelete = chance(2) and "CASCADE" or nil, initially = chance(3) and "DEFERRED" or nil })
        local t = la.Table(parts)
        if chance(2) then
          t:append_constraint(la.Index { "i" .. number, chance(2) and t.c[1]:desc() or columns[1], la.func.coalesce(la.type_coerce(t.c[1], la.Text), "a,)"), unique = chance(2),
            where = chance(2) and t.c[1]:is_not(la.null) or nil })
        end
      end
      metadata:create_all(engine)
      local other = again(engine)
      assert.same(created(engine), created(other))
      assert.same(described(engine), described(other))
    end
  end)

  it("of random texts in all of SQLite's spellings gives the same schema (SEED=" .. seed .. ")", function()
    local refused = 0
    for _ = 1, 60 do
      local statements = { 'CREATE TABLE parent ("key" INTEGER PRIMARY KEY)' }
      for number = 1, 3 do
        local text, columns = table_text("t" .. number)
        statements[#statements + 1] = text
        if chance(2) then statements[#statements + 1] = index_text("i" .. number, "t" .. number, columns) end
      end
      local ok, engine = pcall(memory, table.unpack(statements))
      if ok then
        local other = again(engine)
        assert.same(described(engine), described(other))
        assert.same(created(other), created(again(other)))
        for number = 1, 3 do assert.same(keys_by_pragma(engine, "t" .. number), keys_by_us(engine, "t" .. number)) end
      else
        refused = refused + 1   -- two unique constraints on one column with conflicts that contradict each other, say
      end
    end
    assert.is_true(refused < 40, refused .. " of 60 were refused")
  end)
end)

describe("300 tables", function()
  it("are reflected in at most 8 queries", function()
    local statements = { "CREATE TABLE parent (id INTEGER PRIMARY KEY)" }
    for i = 1, 300 do
      statements[#statements + 1] = ("CREATE TABLE t%d (id INTEGER PRIMARY KEY, a TEXT, b TEXT NOT NULL, c INTEGER CHECK (c > 0), d INTEGER REFERENCES parent (id), e REAL, UNIQUE (a, b))"):format(i)
      statements[#statements + 1] = ("CREATE INDEX i%d ON t%d (c, d)"):format(i, i)
      statements[#statements + 1] = ("CREATE INDEX j%d ON t%d (e)"):format(i, i)
    end
    local engine, queries = memory(table.unpack(statements)), 0
    la.event.listen(engine, "before_execute", function() queries = queries + 1 end)
    local metadata = la.MetaData()
    metadata:reflect { bind = engine }
    local count = 0
    for _ in pairs(metadata.tables) do count = count + 1 end
    assert.equal(301, count)
    assert.is_true(queries <= 8 and queries > 0, queries .. " queries")
    assert.equal(2, #metadata.tables.t300.indexes)
  end)
end)
