-- luacheck: no max line length
-- Reflection on a real MariaDB.
local reflection = assert(loadfile("spec/core/reflection_world.lua", "t", _ENV))() -- sees describe and it

local schema = {
  "CREATE TABLE parent (id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY) COMMENT 'p'",
  [[CREATE TABLE a (id bigint AUTO_INCREMENT PRIMARY KEY, n varchar(20) NOT NULL DEFAULT 'x:y' COMMENT 'c', p int unsigned, e enum('a','it''s') DEFAULT 'a',
    ts timestamp(3) NOT NULL DEFAULT current_timestamp(3) ON UPDATE current_timestamp(3), d datetime, g int GENERATED ALWAYS AS (p + 1) VIRTUAL,
    t text, bl tinyint(1), j json, price decimal(10,2) DEFAULT 1.50, latin varchar(5) CHARACTER SET latin1 COLLATE latin1_bin,
    CONSTRAINT fk FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE, UNIQUE KEY uq (n, p), CONSTRAINT ck CHECK (p > 0), KEY ix (t(10), n DESC),
    FULLTEXT KEY ft (t))]],
  "CREATE DATABASE other", "CREATE TABLE other.far (id int PRIMARY KEY)",
  [[CREATE TABLE every (id int NOT NULL, z int(5) unsigned zerofill, p int, q int unsigned, twice int GENERATED ALWAYS AS (z * 2) STORED, at datetime(6),
    word varchar(10), CONSTRAINT every_far FOREIGN KEY (p) REFERENCES other.far (id) ON DELETE NO ACTION ON UPDATE CASCADE,
    CONSTRAINT every_parent FOREIGN KEY (q) REFERENCES parent (id) ON DELETE SET NULL ON UPDATE RESTRICT)
    ROW_FORMAT = COMPRESSED KEY_BLOCK_SIZE = 8 STATS_PERSISTENT = 1 COMMENT 'all of it''s']],
  "CREATE TABLE quick (a int, b int, UNIQUE KEY hashed (a) USING HASH, KEY falling (a DESC, b) USING BTREE) ENGINE = MEMORY",
  "CREATE SEQUENCE sq START WITH 5 INCREMENT BY 2", "CREATE VIEW v AS SELECT id FROM a",
}

local kind = {
  server = "mariadb", schema = schema, views = {}, queries = 5,
  url = function(folder) return ("mariadb://spec@/spec?unix_socket=%s/mariadb.sock"):format(folder) end,
  own = "CREATE DATABASE many",
  many = { "CREATE TABLE many.t%d (id int PRIMARY KEY, a varchar(20) UNIQUE, b int CHECK (b > 0), KEY (b)) ENGINE = Aria" },
}

reflection("MariaDB", kind, function(inspector)
  it("lists what there is", function()
    assert.same({ "a", "every", "parent", "quick" }, inspector:get_table_names())
    assert.same({ "far" }, inspector:get_table_names "other")
    assert.same({ text = "all of it's" }, inspector:get_table_comment "every")
    assert.same({ "v" }, inspector:get_view_names())
    assert.same({ "sq" }, inspector:get_sequence_names())
    assert.equal("spec", inspector.default_schema_name)
    assert.truthy(inspector:get_view_definition "v":find "select")
    assert.same({ text = "p" }, inspector:get_table_comment "parent")
  end)

  it("tells columns", function()
    local types, columns = {}, {}
    for i, column in ipairs(inspector:get_columns "a") do types[i], columns[column.name] = tostring(column.type), column end
    assert.same({
      "mysql.BIGINT{ display_width = 20 }", "mysql.VARCHAR(20)", "mysql.INTEGER{ display_width = 10, unsigned = true }", 'mysql.ENUM{ "a", "it\'s" }',
      "mysql.TIMESTAMP{ fsp = 3 }", "mysql.DATETIME", "mysql.INTEGER{ display_width = 11 }", "mysql.TEXT", "mysql.TINYINT{ display_width = 1 }", "JSON",
      "mysql.DECIMAL(10, 2)", 'mysql.VARCHAR{ 5, charset = "latin1", collation = "latin1_bin" }',
    }, types)
    assert.is_true(columns.id.autoincrement)
    assert.is_false(columns.p.autoincrement)
    assert.equal("'x:y'", columns.n.default)
    assert.is_nil(columns.p.default)
    assert.equal("c", columns.n.comment)
    assert.equal("current_timestamp(3) ON UPDATE current_timestamp(3)", columns.ts.default)
    assert.same({ sqltext = "`p` + 1", persisted = false }, columns.g.computed)
  end)

  it("tells keys, constraints and indexes", function()
    assert.same({ constrained_columns = { "id" } }, inspector:get_pk_constraint "a")
    assert.same({ {
      name = "fk", constrained_columns = { "p" }, referred_table = "parent", referred_columns = { "id" }, options = { ondelete = "CASCADE" },
    } }, inspector:get_foreign_keys "a")
    assert.same({ { name = "uq", column_names = { "n", "p" }, duplicates_index = "uq" } }, inspector:get_unique_constraints "a")
    assert.same({ { name = "ck", sqltext = "`p` > 0" } }, inspector:get_check_constraints "a")
    local indexes = {}
    for _, index in ipairs(inspector:get_indexes "a") do indexes[index.name] = index end
    assert.same({
      name = "ix", unique = false, column_names = { "t", "n" }, column_sorting = { n = { "desc" } }, dialect_options = { mariadb_length = { t = 10 } },
    }, indexes.ix)
    assert.same({ mariadb_prefix = "FULLTEXT" }, indexes.ft.dialect_options)
    assert.is_true(indexes.uq.unique)
    assert.equal("InnoDB", inspector:get_table_options "a".mariadb_engine)
  end)

  it("tells all that each of them can have", function()
    local columns = inspector:get_columns "every"
    assert.equal("mysql.INTEGER{ display_width = 5, unsigned = true, zerofill = true }", tostring(columns[2].type))
    assert.same({ sqltext = "`z` * 2", persisted = true }, columns[5].computed)
    assert.equal("mysql.DATETIME{ fsp = 6 }", tostring(columns[6].type))
    assert.same({ {
      name = "every_far", constrained_columns = { "p" }, referred_schema = "other", referred_table = "far", referred_columns = { "id" },
      options = { onupdate = "CASCADE" },
    }, {
      name = "every_parent", constrained_columns = { "q" }, referred_table = "parent", referred_columns = { "id" }, options = { ondelete = "SET NULL" },
    } }, inspector:get_foreign_keys "every")
    local options = inspector:get_table_options "every"
    assert.same({ "COMPRESSED", "8", "1" }, { options.mariadb_row_format, options.mariadb_key_block_size, options.mariadb_stats_persistent })
    assert.equal("MEMORY", inspector:get_table_options "quick".mariadb_engine)
    local indexes = {}
    for _, index in ipairs(inspector:get_indexes "quick") do indexes[index.name] = index end
    assert.same({ a = { "desc" } }, indexes.falling.column_sorting)
    assert.equal("hash", indexes.hashed.dialect_options.mariadb_using)
    assert.equal("btree", indexes.falling.dialect_options.mariadb_using)
  end)
end)
