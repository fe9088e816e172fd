-- What is inside of values: JSON, arrays, key-value sets.
-- luacheck: no max line length
local la = require "lualchemy"
local world = dofile "spec/core/world.lua"
local fails, folded = world.fails, world.folded

-- As much JSON as is needed here: lists, tables with string keys, strings, numbers, booleans.
local function encode(value)
  if value == la.null then return "null" end
  if type(value) == "string" then return '"' .. value:gsub('[\\"]', "\\%0") .. '"' end
  if type(value) ~= "table" then return tostring(value) end
  local parts = {}
  if #value > 0 then
    for i, item in ipairs(value) do parts[i] = encode(item) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for key, item in pairs(value) do parts[#parts + 1] = encode(key) .. ":" .. encode(item) end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

la.set_json { encode = encode, decode = function(text) return { json = text } end }

local metadata = la.MetaData()
local docs = la.Table { "docs", metadata,
  la.Column { "id", la.Integer, primary_key = true }, la.Column { "data", la.JSON },
}
local held = la.Table { "held", metadata,
  la.Column { "id", la.Integer, primary_key = true }, la.Column { "tags", la.ARRAY(la.String) }, la.Column { "numbers", la.ARRAY { la.Integer, dimensions = 2 } },
  la.Column { "doc", la.postgresql.JSONB }, la.Column { "pairs", la.postgresql.HSTORE }, la.Column { "during", la.postgresql.INT4RANGE },
}

local function text_of(statement, dialect)
  local compiled = statement:compile { dialect = dialect or "default" }
  return folded(compiled.sql), compiled.params
end

describe("get on JSON", function()
  it("takes a key, a place, a path", function()
    local sql, params = text_of(la.select(docs.c.data:get "a", docs.c.data:get(0), docs.c.data:get { "a", 'b "c"', 0 }), "sqlite")
    assert.equal("SELECT JSON_QUOTE(JSON_EXTRACT(docs.data, ?)) AS anon_1, JSON_QUOTE(JSON_EXTRACT(docs.data, ?)) AS anon_2, JSON_QUOTE(JSON_EXTRACT(docs.data, ?)) AS anon_3 FROM docs", sql)
    assert.equal('$."a"', params[1])
    assert.equal("$[0]", params[2])
    assert.equal([[$."a"."b \"c\""[0] ]], params[3] .. " ")
    assert.equal("SELECT docs.data[:data_1] AS anon_1 FROM docs", (text_of(la.select(docs.c.data:get "a"))))
    assert.equal([[SELECT JSON_QUOTE(JSON_EXTRACT(docs.data, '$."it''s"')) AS anon_1 FROM docs]], folded(la.select(docs.c.data:get "it's"):compile { dialect = "sqlite", literal_binds = true }.sql))
  end)

  it("gives JSON, or what is asked for", function()
    local name = docs.c.data:get "name"
    assert.equal("JSON", tostring(name.type))
    assert.equal("Integer", tostring(name:as_integer().type))
    assert.equal("Numeric(10, 2)", tostring(name:as_numeric(10, 2).type))
    assert.equal("JSON", tostring(name:as_integer():as_json().type))
    assert.equal("SELECT CAST(JSON_EXTRACT(docs.data, ?) AS VARCHAR) AS anon_1 FROM docs", (text_of(la.select(name:as_string()), "sqlite")))
    assert.equal("SELECT docs.id FROM docs WHERE CAST(JSON_EXTRACT(docs.data, ?) AS BOOLEAN) = 1", (text_of(la.select(docs.c.id):where(name:as_boolean():eq(true)), "sqlite")))
  end)

  it("says where it belongs", function()
    fails("ArgumentError", function() return docs.c.id:get(1) end, "Integer", "type_coerce")
    fails("ArgumentError", function() return docs.c.data:get(1.5) end, "a key")
    fails("ArgumentError", function() return docs.c.data:get { "a", {} } end, "keys and whole numbers")
    fails("InvalidRequestError", function() return docs.c.data:as_string() end, "behind get")
  end)

  it("finds what is there", function()
    local engine = la.create_engine "sqlite://"
    docs.metadata:create_all(engine, { tables = { docs } })
    engine:begin(function(connection)
      connection:execute(docs:insert(), { { data = { a = { b = { 1, 2.5, "x" } } } }, { data = la.JSON.NULL }, { data = la.null } })
      local path = docs.c.data:get { "a", "b" }
      local row = connection:execute(la.select(path, docs.c.data:get { "a", "b", 0 }:as_integer(), path:get(1):as_float(), path:get(2):as_string()):where(docs.c.id:eq(1))):one()
      assert.equal('[1,2.5,"x"]', row[1].json)
      assert.equal(1, row[2])
      assert.equal(2.5, row[3])
      assert.equal("x", row[4])
      assert.equal(2, connection:execute(la.select(docs.c.id):where(docs.c.data:eq(la.JSON.NULL))):scalar())
      assert.equal(3, connection:execute(la.select(docs.c.id):where(docs.c.data:is_(nil))):scalar())
      assert.equal(1, connection:execute(la.select(docs.c.id):where(path:get(2):eq "x")):scalar())
    end)
  end)
end)

describe("an array", function()
  it("is a Lua list", function()
    local sql, params = text_of(la.select(held.c.id):where(held.c.tags:eq { "a", 'b "c"', la.null }, held.c.numbers:contains { { 1, 2 }, { 3, 4 } }))
    assert.equal("SELECT held.id FROM held WHERE held.tags = :tags_1 AND held.numbers @> :numbers_1", sql)
    assert.equal('b "c"', params[1][2])
    assert.same({ 3, la.null }, { #params[1], params[1][3] })
    assert.equal(4, params[2][2][2])
  end)

  it("has places, slices, operators", function()
    assert.equal("SELECT held.tags[:tags_1] AS anon_1, held.tags[:tags_2::tags_3] AS anon_2 FROM held", (text_of(la.select(held.c.tags:get(1), held.c.tags:slice(2, 5)))))
    assert.equal("String", tostring(held.c.tags:get(1).type))
    assert.equal("ARRAY{ Integer, dimensions = 1 }", tostring(held.c.numbers:get(1).type))
    assert.equal("SELECT held.tags @> :tags_1 AS anon_1, held.tags && :tags_2 AS anon_2, held.tags <@ :tags_3 AS anon_3, held.tags || :tags_4 AS anon_4 FROM held",
      (text_of(la.select(held.c.tags:contains { "a" }, held.c.tags:overlap { "a" }, held.c.tags:contained_by { "a" }, held.c.tags + { "b" }))))
    assert.equal("SELECT :tags_1 = ANY (held.tags) AS anon_1, :tags_2 > ALL (held.tags) AS anon_2, held.id = ANY (held.numbers) AS anon_3 FROM held",
      (text_of(la.select(held.c.tags:any_ "x", held.c.tags:all_("x", { operator = "gt" }), held.c.id:eq(la.any_(held.c.numbers))))))
    assert.equal("SELECT ARRAY[held.id, :param_1] AS anon_1 FROM held", (text_of(la.select(la.array { held.c.id, 2 }))))
    assert.equal("ARRAY(Integer)", tostring(la.array({ 1, 2 }).type))
    assert.equal("ARRAY(BigInteger)", tostring(la.array({ type_ = la.BigInteger }).type))
  end)

  it("is refused where there are none", function()
    for _, made in ipairs { held.c.tags:get(1), held.c.tags:contains { "a" }, la.array { 1 } } do
      fails("UnsupportedCompilationError", function() text_of(la.select(made), "sqlite") end)
    end
    fails("ArgumentError", function() return held.c.tags:any_("x", { operator = "like" }) end, "eq, ne")
  end)
end)

describe("contains", function()
  it("is an operator where the type has one, and a pattern elsewhere", function()
    local sql, params = text_of(la.select(held.c.doc:contains { a = 1 }, held.c.pairs:contains { k = "v" }, held.c.during:contains(5), held.c.doc:has_all { "a", "b" }, held.c.doc:has_key "a"))
    assert.equal("SELECT held.doc @> :doc_1 AS anon_1, held.pairs @> :pairs_1 AS anon_2, held.during @> :during_1 AS anon_3, held.doc ?& :doc_2 AS anon_4, held.doc ? :doc_3 AS anon_5 FROM held", sql)
    assert.equal("v", params[2].k)
    assert.equal(5, params[3])
    assert.equal("b", params[4][2])
    assert.equal("SELECT held.during && held.during AS anon_1, held.during -|- :during_1 AS anon_2 FROM held", (text_of(la.select(held.c.during:overlap(held.c.during), held.c.during:adjacent_to "[1,5)"))))
    local teams = world.tables().teams
    assert.equal("SELECT teams.name LIKE '%' || :name_1 || '%' AS anon_1 FROM teams", (text_of(la.select(teams.c.name:contains "x"))))
  end)
end)
