-- Values written into the text come back as they were. The seed is printed with a failure: SEED=… runs it again.
-- luacheck: no max line length
local la = require "lualchemy"
local world = dofile "spec/core/world.lua"
local fails = world.fails

local seed = tonumber(os.getenv "SEED") or os.time()
math.randomseed(seed)

local function text_of(value, type_, dialect)
  return la.select(la.literal(value, type_)):compile { dialect = dialect or "default", literal_binds = true }.sql:match "^SELECT%s(.*) AS anon_1"
end

local function random_bytes()
  local bytes = {}
  for i = 1, math.random(0, 20) do bytes[i] = string.char(math.random(0, 255)) end
  return table.concat(bytes)
end

local function random_text()
  local characters = {}
  for i = 1, math.random(0, 20) do characters[i] = utf8.char(math.random(3) > 1 and math.random(1, 127) or math.random(0xe000, 0x10ffff)) end
  return table.concat(characters)
end

local function random_number()
  local value = string.unpack("d", string.pack("i8", math.random(0)))
  return value == value and math.abs(value) > 1e-300 and value or 1.5
end

local makers = {
  { la.Integer, function() return math.random(0) >> math.random(0, 63) end }, { la.BigInteger, function() return math.random(3) == 1 and math.mininteger or -math.random(0, 1000) end },
  { la.Double, function() return math.random(9) == 1 and (math.random(2) == 1 and math.huge or -math.huge) or random_number() end },
  { la.Numeric(15, 4), function() return la.decimal(("%d.%04d"):format(math.random(-999999, 999999), math.random(0, 9999))) end },
  { la.String, random_text }, { la.LargeBinary, random_bytes }, { la.Boolean, function() return math.random(2) == 1 end },
  { la.Date, function() return la.date(math.random(1, 9999), math.random(1, 12), math.random(1, 28)) end },
  { la.Time, function() return la.time(math.random(0, 23), math.random(0, 59), math.random(0, 59), math.random(0, 999999)) end },
  { la.DateTime, function() return la.datetime(math.random(1, 9999), math.random(1, 12), math.random(1, 28), math.random(0, 23), math.random(0, 59), math.random(0, 59), math.random(0, 999999)) end },
  { la.DateTime { timezone = true }, function() return la.datetime(math.random(1, 9998), math.random(1, 12), math.random(1, 28), 1, 2, 3) end },
  { la.Interval, function() return la.interval { days = math.random(-9999, 9999), seconds = math.random(0, 86399) } end },
  { la.Uuid, function() return ("%08x-%04x-%04x-%04x-%06x%06x"):format(math.random(0, 0xffffffff), math.random(0, 0xffff), math.random(0, 0xffff), math.random(0, 0xffff), math.random(0, 0xffffff), math.random(0, 0xffffff)) end },
  { la.Enum("it's", "x"), function() return math.random(2) == 1 and "it's" or "x" end }, { la.VARCHAR(9), random_text },
}

describe("a literal", function()
  it("is read by SQLite as the value that it is", function()
    local engine = la.create_engine "sqlite://"
    engine:begin(function(connection)
      for _, maker in ipairs(makers) do
        for _ = 1, 100 do
          local value = maker[2]()
          local bound = connection:execute(la.select(la.literal(value, maker[1]))):scalar()
          local text = text_of(value, maker[1], "sqlite")
          local written = connection:execute(la.select(la.literal_column(text, maker[1]))):scalar()
          local where = ("seed %d: %s as %s"):format(seed, text, tostring(maker[1]))
          assert.equal(math.type(bound) or type(bound), math.type(written) or type(written), where)
          -- SQLite 3.40 reads some doubles as their neighbour.
          if type(bound) == "number" then assert.is_true(bound == written or math.abs(bound - written) <= math.abs(bound) * 1e-15, where) else assert.equal(tostring(bound), tostring(written), where) end
        end
      end
    end)
  end)

  it("is NULL for nil, and no text with a zero byte", function()
    assert.equal("NULL", text_of(la.null, la.String))
    fails("DataError", function() text_of("a\0b", la.String) end, "zero byte")
    fails("DataError", function() text_of(0 / 0, la.Double, "sqlite") end, "nan")
    fails("DataError", function() text_of(math.huge, la.Double) end, "infinity")
    assert.equal("-9e999", text_of(-math.huge, la.Double, "sqlite"))
  end)

  it("has the zone of what has one", function()
    assert.equal("'2024-02-29 13:14:15+00:00'", text_of(la.datetime(2024, 2, 29, 13, 14, 15), la.DateTime { timezone = true }))
    assert.equal("'2024-02-29 13:14:15'", text_of(la.datetime(2024, 2, 29, 13, 14, 15), la.DateTime))
  end)

  it("is written for arrays item by item, where there are arrays", function()
    for _, dialect in ipairs { "default", "postgresql" } do
      assert.equal("ARRAY[1, NULL, -3]", text_of({ 1, la.null, -3 }, la.ARRAY(la.Integer), dialect))
      assert.equal("ARRAY[ARRAY['it''s'], ARRAY['b\"c']]", text_of({ { "it's" }, { 'b"c' } }, la.ARRAY(la.Text), dialect))
      assert.equal("ARRAY[true, false]", text_of({ true, false }, la.ARRAY(la.Boolean), dialect))
    end
    assert.equal("ARRAY['2024-02-29']", text_of({ la.date(2024, 2, 29) }, la.ARRAY(la.Date), "default"))
    assert.equal("'{}'", text_of({}, la.ARRAY(la.Integer), "default"))
    -- what the server would take for another kind of array
    assert.equal([['{"2024-02-29"}'::DATE]].."[]", text_of({ la.date(2024, 2, 29) }, la.ARRAY(la.Date), "postgresql"))
    assert.equal("'{}'::INTEGER[]", text_of({}, la.ARRAY(la.Integer), "postgresql"))
  end)
end)
