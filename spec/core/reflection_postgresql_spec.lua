-- luacheck: no max line length
-- Reflection on a real PostgreSQL.
local reflection = assert(loadfile("spec/core/reflection_world.lua", "t", _ENV))() -- sees describe and it

local schema = {
  "CREATE SCHEMA other", "CREATE TYPE mood AS ENUM ('sad', 'it''s ok')", "CREATE SEQUENCE ids INCREMENT 2 START 10",
  "CREATE TABLE other.parent (id bigint GENERATED ALWAYS AS IDENTITY (START 5 INCREMENT 3) PRIMARY KEY, name text)",
  [[CREATE TABLE a (id serial PRIMARY KEY, n varchar(20) COLLATE "C" NOT NULL DEFAULT 'x:y', m numeric(10,2), mood mood DEFAULT 'sad', tags text[],
    ts timestamp(3) with time zone DEFAULT now(), g int GENERATED ALWAYS AS (1 + 2) STORED,
    p bigint CONSTRAINT fk REFERENCES other.parent ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, j jsonb, u uuid, c char(3), dp double precision, r real,
    b bytea, bl boolean, iv interval day to second(2), bits varbit(5), CONSTRAINT uq UNIQUE (n, m), CONSTRAINT ck CHECK (m > 0))]],
  "CREATE INDEX ix ON a (n DESC NULLS LAST, lower(n), m) INCLUDE (p) WHERE m > 1",
  "CREATE INDEX gin ON a USING gin (j jsonb_path_ops) WITH (fastupdate = off)",
  "COMMENT ON TABLE a IS 'all'", "COMMENT ON COLUMN a.m IS 'money'",
  "CREATE VIEW v AS SELECT id, n FROM a", "CREATE MATERIALIZED VIEW mv AS SELECT id FROM a",
}

local kind = {
  server = "postgresql", schema = schema, views = { "DROP MATERIALIZED VIEW mv", "DROP VIEW v" }, queries = 4,
  url = function(folder) return "postgresql://spec@/spec?host=" .. folder end,
  own = "CREATE SCHEMA many",
  many = { "CREATE TABLE many.t%d (id serial PRIMARY KEY, a text UNIQUE, b integer CHECK (b > 0))", "CREATE INDEX i%d ON many.t%d (b)" },
}

reflection("PostgreSQL", kind, function(inspector)
  it("lists what there is", function()
    assert.same({ "a" }, inspector:get_table_names())
    assert.same({ "parent" }, inspector:get_table_names "other")
    assert.same({ "v" }, inspector:get_view_names())
    assert.same({ "mv" }, inspector:get_materialized_view_names())
    assert.same({ "information_schema", "other", "public" }, inspector:get_schema_names())
    assert.equal("public", inspector.default_schema_name)
    assert.same({ "a_id_seq", "ids" }, inspector:get_sequence_names())
    assert.equal(10, inspector:get_sequences()[2].start)
    assert.same({ { name = "mood", schema = "public", visible = true, labels = { "sad", "it's ok" } } }, inspector:get_enums())
    assert.truthy(inspector:get_view_definition "v":find "SELECT")
    assert.same({ text = "all" }, inspector:get_table_comment "a")
  end)

  it("tells columns", function()
    local types, columns = {}, {}
    for i, column in ipairs(inspector:get_columns "a") do types[i], columns[column.name] = tostring(column.type), column end
    assert.same({
      "INTEGER", 'VARCHAR{ 20, collation = "C" }', "NUMERIC(10, 2)", 'postgresql.ENUM{ "sad", "it\'s ok", name = "mood" }', "ARRAY(TEXT)",
      "postgresql.TIMESTAMP{ 3, timezone = true }", "INTEGER", "BIGINT", "postgresql.JSONB", "UUID", "CHAR(3)", "DOUBLE_PRECISION", "REAL",
      "postgresql.BYTEA", "BOOLEAN", 'postgresql.INTERVAL{ 2, fields = "DAY TO SECOND" }', "postgresql.BIT{ 5, varying = true }",
    }, types)
    assert.is_true(columns.id.autoincrement)
    assert.equal("'x:y'::character varying", columns.n.default)
    assert.is_false(columns.n.nullable)
    assert.equal("money", columns.m.comment)
    assert.same({ sqltext = "(1 + 2)", persisted = true }, columns.g.computed)
    assert.same({ always = true, start = 5, increment = 3, minvalue = 1, maxvalue = math.maxinteger, cycle = false, cache = 1 },
      inspector:get_columns("parent", "other")[1].identity)
  end)

  it("tells keys, constraints and indexes", function()
    assert.same({ name = "a_pkey", constrained_columns = { "id" } }, inspector:get_pk_constraint "a")
    assert.same({ {
      name = "fk", constrained_columns = { "p" }, referred_schema = "other", referred_table = "parent", referred_columns = { "id" },
      options = { ondelete = "CASCADE", deferrable = true, initially = "DEFERRED" },
    } }, inspector:get_foreign_keys "a")
    assert.same({ { name = "uq", column_names = { "n", "m" } } }, inspector:get_unique_constraints "a")
    assert.same({ { name = "ck", sqltext = "m > (0)::numeric" } }, inspector:get_check_constraints "a")
    local indexes = inspector:get_indexes "a"
    assert.same({
      name = "ix", unique = false, column_names = { "n", false, "m" }, expressions = { "n", "lower(n::text)", "m" }, include_columns = { "p" },
      column_sorting = { n = { "desc", "nulls_last" } }, dialect_options = { postgresql_where = "(m > (1)::numeric)", postgresql_include = { "p" } },
    }, indexes[2])
    assert.same({
      name = "gin", unique = false, column_names = { "j" }, include_columns = {},
      dialect_options = { postgresql_using = "gin", postgresql_with = { fastupdate = "off" }, postgresql_ops = { j = "jsonb_path_ops" } },
    }, indexes[1])
    assert.equal("uq", indexes[3].duplicates_constraint)
  end)
end)
