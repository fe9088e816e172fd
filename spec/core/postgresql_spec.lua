local la = require "lualchemy"

local pg = la.postgresql

local function folded(text) return (tostring(text):gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")) end

describe("PostgreSQL's named types", function()
  local mood = la.Enum { "a", "it's", name = "mood", schema = "s" }
  local positive = pg.DOMAIN { "positive", la.Integer, check = "VALUE > 0", default = 1, not_null = true, constraint_name = "Ck" }

  it("are created once, before the tables, and dropped after them", function()
    local metadata = la.MetaData()
    la.Table { "x", metadata, la.Column { "m", mood }, la.Column { "n", la.ARRAY(mood) }, la.Column { "p", positive } }
    la.Table { "y", metadata, la.Column { "m", mood } }
    local created, dropped = metadata:create_script { dialect = "postgresql" }, metadata:drop_script { dialect = "postgresql" }
    assert.equal("CREATE TYPE s.mood AS ENUM ('a', 'it''s'); "
      .. [[CREATE DOMAIN positive AS INTEGER DEFAULT 1 CONSTRAINT "Ck" NOT NULL CHECK (VALUE > 0); ]]
      .. "CREATE TABLE x ( m s.mood, n s.mood[], p positive ); CREATE TABLE y ( m s.mood );", folded(created))
    assert.truthy(folded(dropped):find "DROP TABLE x; DROP TYPE s.mood; DROP DOMAIN positive;$")
  end)

  it("stand in CAST by their names, and nowhere else", function()
    local cast = la.select(la.cast(la.null, positive):label "x")
    assert.equal("SELECT CAST(NULL AS positive) AS x", cast:compile { dialect = "postgresql" }.sql)
    assert.error_matches(function() cast:compile { dialect = "sqlite" } end,
      "DOMAIN.* is not supported by the dialect 'sqlite'")
  end)

  it("take options that are known, and no name of the server's", function()
    assert.error_matches(function() pg.DOMAIN { "x", la.Integer, chek = "VALUE > 0" } end,
      "DOMAIN has no option 'chek'; the nearest is 'check'")
    local clash = la.Table { "t", la.MetaData(), la.Column { "a", la.Enum { "a", name = "text" } } }
    assert.error_matches(function() la.CreateTable(clash):compile { dialect = "postgresql" } end,
      "has the name 'text' of one that the server has")
    local nameless = la.Table { "t", la.MetaData(), la.Column { "a", la.Enum { "a" } } }
    assert.error_matches(function() la.CreateTable(nameless):compile { dialect = "postgresql" } end, "ENUM type requires a name")
  end)

  it("of a domain with a text as its default, a collation and a schema", function()
    local metadata = la.MetaData()
    la.Table { "x", metadata, la.Column { "a", pg.DOMAIN { "word", la.String(5), default = "it's", collation = "C", schema = "s" } } }
    assert.equal([[CREATE DOMAIN s.word AS VARCHAR(5) COLLATE "C" DEFAULT 'it''s'; CREATE TABLE x ( a s.word );]],
      folded(metadata:create_script { dialect = "postgresql" }))
  end)
end)

describe("PostgreSQL's lists of values", function()
  it("are renumbered with their casts", function()
    local t = la.Table { "t", la.MetaData(), la.Column { "id", la.Integer }, la.Column { "key", la.Uuid } }
    local one, two = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"
    local compiled = la.select(t.c.id):where(t.c.id:gt(1), t.c.key:in_ { one, two }, t.c.id:lt(9)):compile { dialect = "postgresql" }
    assert.equal("SELECT t.id FROM t WHERE t.id > $1 AND t.key IN ($2::UUID, $3::UUID) AND t.id < $4", compiled.sql)
    assert.same({ 1, one, two, 9 }, compiled.params)
  end)
end)
