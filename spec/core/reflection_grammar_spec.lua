-- The catalog queries of databases that nobody can run here: read by their grammars, and their readers fed with rows as those
-- databases' manuals describe them.
require "lualchemy"
local judge = dofile "spec/sql/grammar/judge.lua"

local function readers()
  return { mssql = require "lualchemy.dialects.mssql_catalog", oracle = require "lualchemy.dialects.oracle_catalog" }
end

-- An ask that answers these rows, by a word that the query has.
local function scripted(answers)
  return function(sql)
    for _, one in ipairs(answers) do
      if sql:find(one[1], 1, true) then return one[2] end
    end
    return {}
  end
end

describe("catalog queries", function()
  it("are read by the grammars", function()
    if not judge.installed() then return pending "the grammars: tools/install.sh test" end
    local texts = {}
    for name, reader in pairs(readers()) do
      texts[#texts + 1] = { name = name, sql = "SELECT FROM WHERE" }   -- which must not pass
      for _, query in pairs(reader.queries) do texts[#texts + 1] = { name = name, sql = query } end
    end
    local refused = judge.read(texts, "catalogs")
    for i, text in ipairs(texts) do
      if text.sql == "SELECT FROM WHERE" then
        assert.truthy(refused[i], text.name)
      else
        assert.is_nil(refused[i], text.sql)
      end
    end
  end)

  it("of SQL Server become records", function()
    local made = readers().mssql.read(scripted {
      { "sys.extended_properties AS p ON p.class = 1 AND p.major_id = o.object_id", { { "t", "U ", "all" } } },
      { "sys.columns AS c ON c.object_id = o.object_id", {
        { "t", "id", "int", 4, 10, 0, false, nil, nil, nil, nil, 1, 2, nil, "C" },
        { "t", "name", "nvarchar", 40, 0, 0, true, "C", "('x')", nil, nil, nil, nil, "who", "C" },
      } },
      { "sys.indexes", { { "t", "pk", true, false, true, 1, nil, "id", false, false } } },
      { "sys.foreign_keys", { { "t", "fk", "id", "dbo", "p", "id", "NO_ACTION", "SET_NULL", 1 } } },
      { "sys.check_constraints", { { "t", "ck", "([id]>(0))", false } } },
    }, {}).tables.t
    assert.same({ name = "pk", constrained_columns = { "id" } }, made.pk_constraint)
    assert.same({ start = 1, increment = 2 }, made.column.id.identity)
    assert.equal("NVARCHAR", tostring(made.column.name.type):match "NVARCHAR")
    assert.equal(20, made.column.name.type.length)
    assert.equal("'x'", made.column.name.default)
    assert.same({ ondelete = "SET NULL" }, made.foreign_keys[1].options)
    assert.same({ { name = "ck", sqltext = "[id]>(0)" } }, made.check_constraints)
  end)

  it("of Oracle become records, in small letters", function()
    local made = readers().oracle.read(scripted {
      { "all_tab_comments", { { "T", "TABLE", nil } } },
      { "all_tab_cols", {
        { "T", "ID", "NUMBER", 0, 10, 0, 22, "N", nil, "NO", nil, "ALWAYS",
          "START WITH: 5, INCREMENT BY: 1, MAX_VALUE: 9999999999999999999999999999" },
        { "T", "Name", "VARCHAR2", 20, nil, nil, 20, "Y", "'x' ", "NO", nil, nil, nil },
      } },
      { "k.search_condition", {
        { "T", "SYS_C1", "C", "ID", '"ID" IS NOT NULL', nil, "NOT DEFERRABLE", "IMMEDIATE", nil, nil, nil, "GENERATED NAME" },
        { "T", "PK", "P", "ID", nil, nil, "NOT DEFERRABLE", "IMMEDIATE", nil, nil, nil, "USER NAME" },
      } },
      { "all_ind_expressions", { { "T", "IX", "NONUNIQUE", "FUNCTION-BASED NORMAL", "DISABLED", nil, "SYS_NC1$", "DESC", '"ID"', nil } } },
    }, {}).tables.t
    assert.same({ name = "pk", constrained_columns = { "id" } }, made.pk_constraint)
    assert.same({ always = true, start = 5, increment = 1 }, made.column.id.identity)
    assert.equal("oracle.NUMBER(10, 0)", tostring(made.column.id.type))
    assert.equal("'x'", made.column.Name.default)
    assert.same({}, made.check_constraints)
    assert.same({ id = { "desc" } }, made.indexes[1].column_sorting)
  end)
end)
