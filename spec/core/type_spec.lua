-- Types by their exact names, types of one database, variants.
-- luacheck: no max line length
local la = require "lualchemy"
local world = dofile "spec/core/world.lua"
local fails, folded = world.fails, world.folded

local function name_of(type_, dialect)
  local t = la.Table { "t", la.MetaData(), la.Column { "a", type_ } }
  return (folded(la.CreateTable(t):compile { dialect = dialect or "default" }.sql):match "CREATE TABLE t %( a (.*) %)$")
end

describe("an exact type", function()
  it("is called by its name, and written so", function()
    assert.equal("VARCHAR(30)", tostring(la.VARCHAR(30)))
    for text, type_ in pairs {
      ["VARCHAR(30)"] = la.VARCHAR(30), ["CHAR"] = la.CHAR, ["NVARCHAR(5)"] = la.NVARCHAR { length = 5 }, ["DECIMAL(10, 2)"] = la.DECIMAL(10, 2), ["DOUBLE PRECISION"] = la.DOUBLE_PRECISION,
      ["BLOB"] = la.BLOB, ["BINARY(16)"] = la.BINARY(16), ["TIMESTAMP"] = la.TIMESTAMP, ["TEXT(9)"] = la.TEXT(9), ['CHAR(3) COLLATE "C"'] = la.CHAR { 3, collation = "C" },
    } do
      assert.equal(text, name_of(type_))
    end
  end)

  it("is not the generic type of that name", function()
    assert.is_true(la.DATE ~= la.Date)
    assert.is_true(la.VARCHAR(30) == la.VARCHAR { length = 30 })
    assert.is_true(la.mysql.INTEGER ~= la.INTEGER)
  end)

  it("takes and gives the values of its family", function()
    local engine = la.create_engine "sqlite://"
    local metadata = la.MetaData()
    local t = la.Table { "t", metadata, la.Column { "id", la.INTEGER, primary_key = true }, la.Column { "d", la.DATE }, la.Column { "n", la.DECIMAL(10, 2) }, la.Column { "b", la.BOOLEAN } }
    metadata:create_all(engine)
    engine:begin(function(connection)
      connection:execute(t:insert(), { d = la.date(2024, 2, 29), n = "12.50", b = true })
      local row = connection:execute(la.select(t)):one()
      assert.equal(1, row.id)
      assert.equal("2024-02-29", tostring(row.d))
      assert.equal("12.50", tostring(row.n))
      assert.is_true(row.b)
    end)
  end)
end)

describe("a type of one database", function()
  it("prints with the database's name, and has its words", function()
    assert.equal("mysql.TINYINT{ unsigned = true }", tostring(la.mysql.TINYINT { unsigned = true }))
    assert.equal("INTEGER(11) UNSIGNED ZEROFILL", name_of(la.mysql.INTEGER { 11, unsigned = true, zerofill = true }))
    assert.equal("NATIONAL VARCHAR(20) CHARACTER SET utf8", name_of(la.mysql.VARCHAR { 20, national = true, charset = "utf8" }))
    assert.equal("ENUM('x''y','z')", name_of(la.mysql.ENUM("x'y", "z")))
    assert.equal("VARBINARY(max)", name_of(la.mssql.VARBINARY "max"))
    assert.equal("INTERVAL DAY TO SECOND(6)", name_of(la.postgresql.INTERVAL { fields = "DAY TO SECOND", precision = 6 }))
    assert.equal('s."Mood"', name_of(la.postgresql.ENUM { "ok", name = "Mood", schema = "s" }))
  end)

  it("is refused by another, unless that has the name too", function()
    fails("UnsupportedCompilationError", function() name_of(la.mysql.TINYINT, "sqlite") end, "mysql.TINYINT", "with_variant")
    assert.equal("INTEGER", name_of(la.mysql.INTEGER { 11, unsigned = true }, "sqlite"))
    assert.equal("VARCHAR", name_of(la.mssql.VARCHAR "max", "sqlite"))
  end)

  it("is named in full when it is misspelt", function()
    fails("ArgumentError", function() return la.postgresql.JSNB end, "la.postgresql has no 'JSNB'", "'JSONB'")
    fails("ArgumentError", function() return la.mysql.TINYINT { unsined = true } end, "'unsigned'")
    fails("ArgumentError", function() return la.mysql.VARCHAR { 3, charset = "x; DROP" } end, "must be a name")
    fails("ArgumentError", function() return la.VARCHAR "max" end, "whole number")
    assert.is_nil(la.nothing)
  end)

  it("has the standard's types beside its own", function()
    assert.is_true(la.postgresql.VARCHAR == la.VARCHAR)
    assert.is_true(la.mariadb.TINYINT == la.mysql.TINYINT)
    assert.equal("INET6", name_of(la.mariadb.INET6))
  end)
end)

describe("a variant", function()
  it("stands in for the type in its dialect alone", function()
    local type_ = la.String(80):with_variant(la.Text, "sqlite", "mysql")
    assert.equal("VARCHAR(80)", name_of(type_))
    assert.equal("TEXT", name_of(type_, "sqlite"))
    assert.equal('String(80):with_variant(Text, "sqlite"):with_variant(Text, "mysql")', tostring(type_))
    assert.is_true(type_ == la.String(80):with_variant(la.Text, "sqlite", "mysql"))
    fails("ArgumentError", function() la.ARRAY(la.Integer):with_variant(la.JSON, "sqlite") end, "JSON", "TypeDecorator")
    fails("ArgumentError", function() la.JSON:with_variant(la.ARRAY(la.Integer), "postgresql") end, "ARRAY", "TypeDecorator")
    assert.equal("SELECT CAST(t.a AS TEXT) AS a", folded(la.select(la.cast(la.literal_column "t.a", type_):label "a"):compile { dialect = "sqlite" }.sql))
  end)

  it("is given once a dialect, and has none itself", function()
    local type_ = la.String:with_variant(la.Text, "sqlite")
    fails("ArgumentError", function() type_:with_variant(la.Text, "sqlite") end, "already")
    fails("ArgumentError", function() la.Text:with_variant(type_, "sqlite") end, "variants of its own")
    fails("ArgumentError", function() la.Text:with_variant(la.String, "sqlit") end, "'sqlite'")
    fails("ArgumentError", function() la.Text:with_variant(la.String) end, "name of a dialect")
  end)
end)

describe("an ARRAY", function()
  it("has a type within, and no ARRAY there", function()
    assert.equal("ARRAY{ String(5), dimensions = 2 }", tostring(la.ARRAY { la.String(5), dimensions = 2 }))
    assert.equal("String(5)", tostring(la.ARRAY(la.String(5)).item_type))
    fails("ArgumentError", function() la.ARRAY(la.ARRAY(la.Integer)) end, "do not nest")
    fails("ArgumentError", function() la.ARRAY(5) end, "a type")
  end)
end)
