-- luacheck: no max line length
-- DDL as objects: what prints, what is refused, what runs, who is told.
local la = require "lualchemy"
local Table, Column, Integer, String = la.Table, la.Column, la.Integer, la.String

local function folded(value)
  return (tostring(value):gsub("%s+", " "))
end

local function sql(element, dialect)
  return folded(element:compile { dialect = dialect }.sql)
end

local function refused(kind, words, fn, ...)
  local ok, failure = pcall(fn, ...)
  assert.falsy(ok)
  assert.equal(kind, failure.kind)
  assert.truthy(failure.message:find(words, 1, true), failure.message)
end

local function world()
  local metadata = la.MetaData()
  local t = Table { "t", metadata, Column { "id", Integer, primary_key = true }, Column { "n", Integer }, Column { "name", String(10) } }
  return metadata, t
end

describe("DDL objects", function()
  it("print, and compile for a dialect", function()
    local _, t = world()
    local ix = la.Index { "ix_n", t.c.n, t.c.name:desc(), unique = true, sqlite_where = t.c.n:gt(1) }
    assert.equal("CREATE UNIQUE INDEX ix_n ON t (n, name DESC)", folded(la.CreateIndex(ix)))
    assert.equal("CREATE UNIQUE INDEX IF NOT EXISTS ix_n ON t (n, name DESC) WHERE n > 1",
      sql(la.CreateIndex(ix, { if_not_exists = true }), "sqlite"))
    assert.equal("DROP INDEX ix_n", folded(la.DropIndex(ix)))
    assert.equal("DROP INDEX ix_n", folded(la.DropIndex(t.indexes[1])))
    assert.equal("ALTER TABLE t ADD CONSTRAINT ck CHECK (n > 0)", folded(la.AddConstraint(la.CheckConstraint { t.c.n:gt(0), name = "ck" })))
    local uq = la.UniqueConstraint { t.c.n, t.c.name, name = "uq" }
    assert.equal("ALTER TABLE t DROP CONSTRAINT IF EXISTS uq CASCADE", folded(la.DropConstraint(uq, { if_exists = true, cascade = true })))
    assert.equal("CREATE SCHEMA IF NOT EXISTS \"a b\"", folded(la.CreateSchema { "a b", if_not_exists = true }))
    assert.equal("DROP SCHEMA a CASCADE", folded(la.DropSchema("a", { cascade = true })))
  end)

  it("constraints and indexes print", function()
    local _, t = world()
    assert.equal("CREATE INDEX ix ON t (n)", tostring(la.Index { "ix", t.c.n }))
    assert.equal("CONSTRAINT ck CHECK (n > 0)", tostring(la.CheckConstraint { t.c.n:gt(0), name = "ck" }))
    assert.equal("Index(ix)", tostring(la.Index { "ix", "n" }))
    assert.equal("unique(uq)", tostring(la.UniqueConstraint { "n", name = "uq" }))
    assert.equal("ForeignKey(a.b)", tostring(la.ForeignKey "a.b"))
  end)

  it("say what they take", function()
    local _, t = world()
    refused("ArgumentError", "CreateIndex takes a constraint or an Index, not", la.CreateIndex, 1)
    refused("ArgumentError", "does not yet", la.CreateIndex, la.Index { "ix", "n" })
    refused("ArgumentError", "has no option 'if_exists'", la.CreateTable, t, { if_exists = true })
    refused("ArgumentError", "CreateSequence takes a Sequence", la.CreateSequence, "ids")
    refused("ArgumentError", "DropSchema takes a schema's name", la.DropSchema, t)
    refused("UnsupportedCompilationError", "cannot add or drop constraints", sql, la.AddConstraint(la.UniqueConstraint { t.c.n }), "sqlite")
  end)

  it("comments", function()
    local t = Table { "t", la.MetaData(), Column { "a", Integer, comment = "it's a" }, comment = "the table" }
    assert.equal("COMMENT ON TABLE t IS 'the table'", folded(la.SetTableComment(t)))
    assert.equal("COMMENT ON COLUMN t.a IS 'it''s a'", folded(la.SetColumnComment(t.c.a)))
    assert.equal("COMMENT ON COLUMN t.a IS NULL", folded(la.DropColumnComment(t.c.a)))
    assert.equal("COMMENT ON TABLE t IS NULL", folded(la.DropTableComment(t)))
  end)
end)

describe("dialect options", function()
  it("go with every part of a schema, and are checked by name", function()
    refused("ArgumentError", "did you mean 'sqlite_strict'?", Table, { "t", la.MetaData(), Column { "a", Integer }, sqlite_strct = true })
    refused("ArgumentError", "did you mean 'sqlite_where'?", la.Index, { "ix", "a", sqlite_wher = true })
    refused("ArgumentError", "the nearest is 'unique'", la.Index, { "ix", "a", uniqe = true })
    refused("ArgumentError", "Column has no option 'sqlite_strict'", Column, { "a", Integer, sqlite_strict = true })
    refused("ArgumentError", "UniqueConstraint has no option", la.UniqueConstraint, { "a", sqlite_where = "x" })
    local t = Table { "t", la.MetaData(),
      Column { "a", Integer, nullable = false, sqlite_on_conflict_not_null = "FAIL" },
      la.UniqueConstraint { "a", sqlite_on_conflict = "IGNORE" }, sqlite_strict = true, prefixes = { "TEMPORARY" },
    }
    assert.equal("CREATE TEMPORARY TABLE t ( a INTEGER NOT NULL ON CONFLICT FAIL, UNIQUE (a) ON CONFLICT IGNORE ) STRICT", sql(la.CreateTable(t), "sqlite"))
  end)

  it("may be lists, maps and columns", function()
    local _, t = world()
    local ix = la.Index { "ix", t.c.n, postgresql_include = { "name", t.c.id }, postgresql_with = { fillfactor = 50 }, postgresql_ops = { n = "int4_ops" } }
    assert.equal("CREATE INDEX ix ON t (n int4_ops) INCLUDE (name, id) WITH (fillfactor = 50)", sql(la.CreateIndex(ix), "postgresql"))
    assert.equal("CREATE INDEX ix ON t (n)", sql(la.CreateIndex(ix), "sqlite"))
    refused("ArgumentError", "text, a number, a boolean or a column", la.Index, { "ix2", t.c.n, postgresql_include = { {} } })
  end)
end)

describe("conditional DDL", function()
  it("creates on some dialects, or when a function says so", function()
    local t = Table { "t", la.MetaData(), Column { "a", Integer }, la.CheckConstraint { "a > 0", name = "ck" }:ddl_if { dialect = "sqlite" } }
    assert.equal("CREATE TABLE t ( a INTEGER, CONSTRAINT ck CHECK (a > 0) )", sql(la.CreateTable(t), "sqlite"))
    assert.equal("CREATE TABLE t ( a INTEGER )", sql(la.CreateTable(t)))
    local asked = {}
    local ix = la.Index { "ix", t.c.a }:ddl_if { callable = function(index, dialect)
      asked[#asked + 1] = index.name .. " " .. dialect
      return false
    end }
    assert.equal("", (t.metadata:create_script { dialect = "sqlite" }:gsub("CREATE TABLE.*", "")))
    assert.equal("ix sqlite", asked[1])
    assert.truthy(ix)
    refused("ArgumentError", "there is no dialect", ix.ddl_if, ix, { dialect = "slqite" })
  end)

  it("hands on what the function raises", function()
    local metadata, t = world()
    la.Index { "ix", t.c.n }:ddl_if { callable = function() error("boom", 0) end }
    local ok, failure = pcall(metadata.create_script, metadata, {})
    assert.falsy(ok)
    assert.equal("boom", failure)
  end)
end)

describe("sequences", function()
  it("are made, and give values", function()
    local metadata = la.MetaData()
    local ids = la.Sequence { "ids", metadata, start = 5, increment = 2, nomaxvalue = true, cycle = false }
    assert.equal("CREATE SEQUENCE ids INCREMENT BY 2 START WITH 5 NO MAXVALUE NO CYCLE", folded(la.CreateSequence(ids)))
    assert.equal("DROP SEQUENCE ids", folded(la.DropSequence(ids)))
    assert.equal("ids 5 2", ("%s %d %d"):format(ids, ids.start, ids.increment))
    assert.equal("SELECT NEXT VALUE FOR ids AS next_value_1", folded(la.select(ids:next_value())))
    refused("ArgumentError", "the nearest is 'increment'", la.Sequence, { "s", incremnt = 1 })
    refused("ArgumentError", "has the increment 0", la.Sequence, { "s", increment = 0 })
    refused("ArgumentError", "Sequence takes a name", la.Sequence, {})
  end)

  it("are a column's default where the database has them", function()
    local metadata = la.MetaData()
    local t = Table { "t", metadata, Column { "id", Integer, la.Sequence "ids", primary_key = true }, Column { "a", Integer } }
    local insert = t:insert():values { a = 1 }
    assert.equal("INSERT INTO t (id, a) VALUES (NEXT VALUE FOR ids, :a)", folded(insert))
    assert.equal("INSERT INTO t (a) VALUES (?)", sql(insert, "sqlite"))
    assert.equal("ids", tostring(t.c.id.default))
    assert.equal("CREATE SEQUENCE ids; CREATE TABLE t ( id INTEGER NOT NULL, a INTEGER, PRIMARY KEY (id) ); ", folded(metadata:create_script()))
    local engine = la.create_engine "sqlite://"
    metadata:create_all(engine)
    engine:begin(function(conn)
      conn:execute(insert)
      assert.equal(1, conn:scalar(la.select(t.c.id)))
    end)
  end)
end)

describe("views and tables of a query", function()
  it("are tables to select from", function()
    local metadata, t = world()
    local view = la.CreateView { la.select(t.c.n, la.func.count(t.c.id)):where(t.c.n:gt(1)):group_by(t.c.n), "counts", metadata = metadata }
    assert.equal("CREATE VIEW counts AS SELECT t.n, count(t.id) AS count_1 FROM t WHERE t.n > 1 GROUP BY t.n", folded(view))
    assert.equal("SELECT counts.n, counts.count_1 FROM counts", folded(la.select(view.table)))
    assert.equal("DROP VIEW IF EXISTS counts", folded(la.DropView(view, { if_exists = true })))
    assert.equal("DROP MATERIALIZED VIEW x.y", folded(la.DropView { "y", schema = "x", materialized = true }))
    assert.equal("CREATE OR REPLACE TEMPORARY VIEW v AS SELECT t.id FROM t", folded(la.CreateView { la.select(t.c.id), "v", or_replace = true, temporary = true }))
    assert.equal("CREATE TEMPORARY TABLE IF NOT EXISTS c AS SELECT t.id FROM t",
      sql(la.CreateTableAs { la.select(t.c.id), "c", temporary = true, if_not_exists = true }, "sqlite"))
    refused("UnsupportedCompilationError", "has no CREATE OR REPLACE VIEW", sql, la.CreateView { la.select(t.c.id), "v", or_replace = true }, "sqlite")
    refused("ArgumentError", "CreateView takes a select and a name", la.CreateView, { "v" })
    refused("ArgumentError", "name them in the select", la.CreateView, { la.select(la.text "1"), "v" })
    assert.equal(nil, metadata.tables.v)
  end)

  it("come and go with their metadata", function()
    local metadata, t = world()
    la.CreateView { la.select(t.c.n, (t.c.n * 2):label "twice"), "v", metadata = metadata }
    local copy = la.CreateTableAs { la.select(t.c.n), "copy", metadata = metadata }
    local engine = la.create_engine "sqlite://"
    metadata:create_all(engine)
    engine:begin(function(conn)
      conn:execute(t:insert():values { n = 4 })
      assert.equal(8, conn:scalar(la.select(metadata.tables.v.c.twice)))
      assert.equal(0, #conn:execute(la.select(copy.table)):all())
    end)
    metadata:drop_all(engine)
    engine:begin(function(conn) assert.equal(0, conn:scalar(la.text "select count(*) from sqlite_master")) end)
  end)
end)

describe("DDL as text", function()
  it("knows the table's names; a percent sign is written twice", function()
    local metadata = la.MetaData()
    local t = Table { "Odd", metadata, Column { "a", Integer }, schema = "s" }
    local ddl = la.DDL { "ALTER TABLE %(fullname)s x %(table)s y %(schema)s z %(word)s 100%%", context = { word = "w" } }
    assert.equal([[ALTER TABLE s."Odd" x "Odd" y s z w 100%]], tostring(ddl:against(t)))
    assert.equal("plain", tostring(la.DDL "plain"))
    refused("ArgumentError", "the nearest is %(fullname)s", function() return la.DDL("%(fullnam)s"):against(t):compile() end)
    assert.truthy(tostring(la.DDL("%(fullnam)s"):against(t)):find("<DDL: DDL knows no", 1, true))
    refused("ArgumentError", "is written twice", function() return la.DDL("100% sure"):compile() end)
  end)
end)

describe("events of creating and dropping", function()
  it("are told of each table and of the metadata, and may add to a script", function()
    local metadata, t = world()
    local log = {}
    for _, name in ipairs { "before_create", "after_create", "before_drop", "after_drop" } do
      la.event.listen(t, name, function(target, conn) log[#log + 1] = ("%s %s %s"):format(name, target, conn.dialect) end)
      la.event.listen(metadata, name, function() log[#log + 1] = name end)
    end
    local trigger = la.DDL "CREATE TRIGGER tr AFTER INSERT ON %(fullname)s BEGIN UPDATE t SET n = 7; END":ddl_if { dialect = "sqlite" }
    la.event.listen(t, "after_create", trigger)
    local engine = la.create_engine "sqlite://"
    metadata:create_all(engine)
    engine:begin(function(conn)
      conn:execute(t:insert():values { n = 1 })
      assert.equal(7, conn:scalar(la.select(t.c.n)))
    end)
    metadata:drop_all(engine)
    assert.equal("before_create, before_create t sqlite, after_create t sqlite, after_create, before_drop, before_drop t sqlite, after_drop t sqlite, after_drop",
      table.concat(log, ", "))
    assert.truthy(metadata:create_script { dialect = "sqlite" }:find("CREATE TRIGGER tr AFTER INSERT ON t", 1, true))
    assert.falsy(metadata:create_script():find("TRIGGER", 1, true))
    la.event.remove(t, "after_create", trigger)
    assert.falsy(metadata:create_script { dialect = "sqlite" }:find("TRIGGER", 1, true))
  end)

  it("stop what was about to happen when they raise", function()
    local metadata, t = world()
    la.event.listen(t, "before_create", function() error("not now", 0) end)
    local engine = la.create_engine "sqlite://"
    local ok, failure = pcall(metadata.create_all, metadata, engine)
    assert.falsy(ok)
    assert.equal("not now", failure)
    engine:begin(function(conn) assert.falsy(conn:has_table "t") end)
  end)

  it("connections execute DDL elements, unless they are for another dialect", function()
    local _, t = world()
    local engine = la.create_engine "sqlite://"
    engine:begin(function(conn)
      conn:execute(la.CreateTable(t))
      conn:execute(la.CreateIndex(la.Index { "ix", t.c.n }))
      assert.equal(nil, conn:execute(la.DDL "not for you":ddl_if { dialect = "postgresql" }))
      assert.truthy(conn:has_table "t")
      conn:execute(la.DropTable(t))
      assert.falsy(conn:has_table "t")
    end)
  end)
end)
