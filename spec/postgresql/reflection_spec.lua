-- luacheck: no max line length
-- What PostgreSQL's catalog has beyond the common: read, made anew, and read again.
local la = require "lualchemy"
local servers = dofile "spec/servers.lua"
local server, why = servers.start "postgresql"

local schema = {
  "CREATE EXTENSION btree_gist", "CREATE SCHEMA other",
  "CREATE DOMAIN positive AS integer DEFAULT 1 CONSTRAINT above CHECK (VALUE > 0) CHECK (VALUE < 10000)",
  [[CREATE DOMAIN other.word AS varchar(5) COLLATE "C" NOT NULL]],
  "CREATE TABLE parent (a integer, b text)", "CREATE TABLE child (c integer) INHERITS (parent)",
  "CREATE TABLE parted (id integer, d date NOT NULL) PARTITION BY RANGE (d, (id % 5))",
  "CREATE UNLOGGED TABLE fast (id integer, v positive, w other.word, x positive[], PRIMARY KEY (id) INCLUDE (v)) WITH (fillfactor = 70)",
  "CREATE TABLE booking (room integer, during tsrange, CONSTRAINT no_overlap EXCLUDE USING gist (room WITH =, during WITH &&) WHERE (room > 1) DEFERRABLE INITIALLY DEFERRED)",
  "CREATE TABLE area (c circle, n text, m integer, EXCLUDE USING gist (c WITH &&), EXCLUDE USING btree (lower(n) text_pattern_ops WITH =, (m + 1) WITH =))",
  [[CREATE INDEX by_pattern ON area (lower(n) text_pattern_ops DESC, n COLLATE "C" text_pattern_ops)]],
  "CREATE TABLE ref (a integer, b integer, PRIMARY KEY (a, b))",
  "CREATE TABLE shapes (a point, b line, c lseg, d box, e path, f polygon, g circle, h pg_lsn)",
}

-- As of PostgreSQL 15.
local newer = {
  "ALTER TABLE fast ADD CONSTRAINT few UNIQUE NULLS NOT DISTINCT (v, w) INCLUDE (id)", "CREATE UNIQUE INDEX fewer ON fast (w) NULLS NOT DISTINCT",
  "CREATE TABLE referring (a integer, b integer DEFAULT 1, FOREIGN KEY (a, b) REFERENCES ref ON DELETE SET NULL (a) ON UPDATE CASCADE)",
}

local kinds = {
  "columns", "pk_constraint", "foreign_keys", "unique_constraints", "check_constraints", "exclude_constraints", "indexes", "table_comment", "table_options",
}

local function described(engine)
  local inspector, all = la.inspect(engine), {}
  for _, kind in ipairs(kinds) do all[kind] = inspector["get_multi_" .. kind](inspector) end
  all.domains = inspector:get_domains "*"
  for _, columns in pairs(all.columns) do
    for _, column in ipairs(columns) do column.type = tostring(column.type) end
  end
  for _, domain in ipairs(all.domains) do domain.type = tostring(domain.type) end
  return all
end

describe("PostgreSQL's own", function()
  if not server then
    pending("a server: " .. tostring(why))
    return
  end
  teardown(function() server:stop() end)
  local engine = la.create_engine("postgresql://spec@/spec?host=" .. server.folder)
  local version = tonumber(engine:begin(function(connection) return connection:exec_driver_sql("SHOW server_version_num"):scalar() end))
  engine:begin(function(connection)
    for _, statement in ipairs(schema) do connection:exec_driver_sql(statement) end
    for _, statement in ipairs(version >= 150000 and newer or {}) do connection:exec_driver_sql(statement) end
  end)
  local found = described(engine)

  it("domains", function()
    assert.same({
      { name = "word", schema = "other", visible = false, type = "VARCHAR(5)", nullable = false, collation = "C", constraints = {} },
      {
        name = "positive", schema = "public", visible = true, type = "INTEGER", nullable = true, default = "1",
        constraints = { { name = "above", check = "VALUE > 0" }, { name = "positive_check", check = "VALUE < 10000" } },
      },
    }, found.domains)
    assert.truthy(found.columns.fast[2].type:find('DOMAIN{ INTEGER', 1, true))
    assert.truthy(found.columns.fast[4].type:find('ARRAY(postgresql.DOMAIN{ INTEGER', 1, true))
  end)

  it("exclusion constraints", function()
    assert.same({ {
      name = "no_overlap", using = "gist", operators = { "=", "&&" }, where = "(room > 1)", deferrable = true, initially = "DEFERRED",
      expressions = { { "room", text = "room" }, { "during", text = "during" } },
    } }, found.exclude_constraints.booking)
    local of_expressions = found.exclude_constraints.area[2]
    assert.same({ { text = "lower(n)" }, { text = "(m + 1)" } }, of_expressions.expressions)
    assert.same({ ["lower(n)"] = "text_pattern_ops" }, of_expressions.ops)
  end)

  it("tables that inherit, are parted, are not logged", function()
    assert.same({ postgresql_inherits = { "parent" } }, found.table_options.child)
    assert.same({ postgresql_partition_by = "RANGE (d, ((id % 5)))" }, found.table_options.parted)
    assert.same({ postgresql_with = { fillfactor = "70" }, prefixes = { "UNLOGGED" } }, found.table_options.fast)
    assert.same({ postgresql_include = { "v" } }, found.pk_constraint.fast.dialect_options)
  end)

  it("NULLs that are not distinct, and keys that are cleared in part", function()
    if version < 150000 then return pending "PostgreSQL 15" end
    assert.same({ postgresql_include = { "id" }, postgresql_nulls_not_distinct = true }, found.unique_constraints.fast[1].dialect_options)
    assert.is_true(found.indexes.fast[2].dialect_options.postgresql_nulls_not_distinct)
    assert.equal("SET NULL (a)", found.foreign_keys.referring[1].options.ondelete)
  end)

  it("all the same when made from what was read", function()
    local metadata = la.MetaData()
    metadata:reflect { bind = engine }
    metadata:drop_all(engine)
    assert.same({}, la.inspect(engine):get_table_names())
    metadata:create_all(engine)
    assert.same(found, described(engine))
    engine:dispose()
  end)
end)
