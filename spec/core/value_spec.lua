-- Values go into the database and come back as they were. The seed is printed with a failure: SEED=… runs it again.
-- luacheck: no max line length
local la = require "lualchemy"
local world = dofile "spec/core/world.lua"
local fails = world.fails

local seed = tonumber(os.getenv "SEED") or os.time()
math.randomseed(seed)
local rounds = 300

local function random_integer()
  local bits = math.random(0, 63)
  local value = math.random(0) >> bits
  return math.random(2) == 1 and value or -value
end

local function random_double()
  while true do
    local value = string.unpack("d", string.pack("i8", math.random(0)))
    if value == value and value ~= math.huge and value ~= -math.huge then return value end
  end
end

local function random_bytes()
  local bytes = {}
  for i = 1, math.random(0, 60) do bytes[i] = string.char(math.random(0, 255)) end
  return table.concat(bytes)
end

local function random_text()
  local points = {}
  for i = 1, math.random(0, 30) do
    local point = math.random(1, 0x10ffff)
    if point >= 0xd800 and point <= 0xdfff then point = 0x41 end
    points[i] = utf8.char(point)
  end
  return table.concat(points)
end

-- SQLite keeps 15 digits of a number, and more are refused: see the spec of decimals.
local function random_decimal()
  local digits = {}
  for i = 1, math.random(1, 15) do digits[i] = tostring(math.random(0, 9)) end
  local text, scale = table.concat(digits), math.random(0, 10)
  text = ("0"):rep(scale) .. text
  return la.decimal((math.random(2) == 1 and "-" or "") .. text:sub(1, #text - scale) .. (scale > 0 and "." .. text:sub(-scale) or ""))
end

local function random_date()
  return la.date(math.random(1, 9999), math.random(1, 12), math.random(1, 28))
end

local function random_time()
  return la.time(math.random(0, 23), math.random(0, 59), math.random(0, 59), math.random(0, 999999))
end

local function random_datetime()
  return la.datetime(math.random(1, 9999), math.random(1, 12), math.random(1, 28), math.random(0, 23), math.random(0, 59), math.random(0, 59), math.random(0, 999999))
end

local function random_interval()
  return la.interval { days = math.random(-1000, 1000), seconds = math.random(0, 86399), microseconds = math.random(0, 999999) }
end

local function random_uuid()
  return (("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"):gsub("x", function() return ("%x"):format(math.random(0, 15)) end))
end

local kinds = {
  { "integer", la.BigInteger, random_integer },
  { "double", la.Double, random_double },
  { "blob", la.LargeBinary, random_bytes },
  { "text", la.Text, random_text },
  { "decimal", la.Numeric, random_decimal },
  { "date", la.Date, random_date },
  { "time", la.Time, random_time },
  { "datetime", la.DateTime, random_datetime },
  { "interval", la.Interval, random_interval },
  { "boolean", la.Boolean, function() return math.random(2) == 1 end },
  { "uuid", la.Uuid, random_uuid },
  { "enum", la.Enum { "a", "b", "c", name = "value_words" }, function() return ({ "a", "b", "c" })[math.random(3)] end },
}

local function shown(value) return type(value) == "string" and ("%q"):format(value) or tostring(value) end

describe("round trips", function()
  local definition = { "values", la.MetaData(), la.Column { "id", la.Integer, primary_key = true } }
  for _, kind in ipairs(kinds) do definition[#definition + 1] = la.Column { kind[1], kind[2] } end
  local t = la.Table(definition)
  local engine = la.create_engine "sqlite://"
  t.metadata:create_all(engine)
  local connection = engine:connect()

  local function round_trip(name, value)
    local id = connection:execute(t:insert(), { [name] = value }).inserted_primary_key.id
    local found = connection:scalar(la.select(t.c[name]):where(t.c.id:eq(id)))
    assert(found == value and math.type(found) == math.type(value), ("%s: %s became %s (SEED=%d)"):format(name, shown(value), shown(found), seed))
    -- The same as a literal value of the statement, and as what is looked for.
    local again = connection:execute(t:insert():values { [name] = value }).inserted_primary_key.id
    found = connection:scalar(la.select(t.c[name]):where(t.c.id:eq(again)))
    assert(found == value, ("%s: %s became %s as a literal (SEED=%d)"):format(name, shown(value), shown(found), seed))
    local count = connection:scalar(la.select(la.func.count()):where(t.c[name]:eq(value), t.c.id:in_ { id, again }))
    assert(count == 2, ("%s: %s was found %d times (SEED=%d)"):format(name, shown(value), count, seed))
  end

  for _, kind in ipairs(kinds) do
    it("of " .. kind[1], function()
      for _ = 1, rounds do round_trip(kind[1], kind[3]()) end
    end)
  end

  it("of the ends of each kind", function()
    for _, value in ipairs { math.maxinteger, math.mininteger, 0, -1 } do round_trip("integer", value) end
    for _, value in ipairs { 0.1, 1e308, 5e-324, -2.5, 2 ^ 53 + 1.0 } do round_trip("double", value) end
    for _, value in ipairs { "", "a\0b", "\0", ("x"):rep(100000) } do round_trip("blob", value) end
    local all = {}
    for byte = 0, 255 do all[#all + 1] = string.char(byte) end
    round_trip("blob", table.concat(all))
    round_trip("decimal", la.decimal "999999999999999")
    round_trip("decimal", la.decimal "-0.000000000000001")
    for _, value in ipairs { la.date(1, 1, 1), la.date(9999, 12, 31), la.date(2024, 2, 29) } do round_trip("date", value) end
    round_trip("datetime", la.datetime "9999-12-31 23:59:59.999999")
    round_trip("interval", la.interval(-0.000001))
  end)

  it("not of what has more digits than a double", function()
    fails("DataError", function() round_trip("decimal", la.decimal "1234567890.1234567") end, "15 significant digits")
  end)

  it("of NULL, by nil where it is left out and la.null where it is written", function()
    local row = connection:execute(la.select(t):where(t.c.id:eq(connection:execute(t:insert(), { text = la.null }).inserted_primary_key[1]))):one()
    for _, kind in ipairs(kinds) do assert.is_nil(row[kind[1]]) end
  end)
end)

describe("decimals", function()
  local d = la.decimal

  it("are exact", function()
    assert.equal("0.3", tostring(d "0.1" + d "0.2"))
    assert.equal("0.02", tostring(d "0.1" * d "0.2"))
    assert.equal("2.50", tostring(d "1.50" + 1))
    assert.equal("-1.5", tostring(-d "1.5"))
    assert.equal("0.3333333333333333", tostring(d(1) / 3))
    assert.equal("2.5", tostring(d(5) / 2))
    assert.equal("0.1", tostring(d(0.1)))
    assert.is_true(d "1.0" == d "1.00")
    assert.is_true(d "1.1" < d "1.2")
    assert.is_true(d "1.1" <= 2)
    assert.equal("2", tostring(d "2.5":round()))
    assert.equal("1.24", tostring(d "1.235":round(2)))
    assert.equal(1.5, d "1.5":tonumber())
    assert.equal(3, d "3.00":tointeger())
    assert.is_nil(d "3.5":tointeger())
  end)

  it("refuse what is not exact or no number", function()
    fails("ArgumentError", function() return d "1" + 0.5 end, "la.decimal")
    fails("DataError", function() d "x" end)
    fails("DataError", function() return d(1) / 0 end)
    fails("DataError", function() return d(("9"):rep(38)) * 10 end)
  end)

  it("have a scale in Numeric(p, s), and are numbers when asked", function()
    local t = la.Table { "prices", la.MetaData(), la.Column { "id", la.Integer, primary_key = true }, la.Column { "exact", la.Numeric(10, 2) },
      la.Column { "number", la.Numeric { 10, 2, asdecimal = false } } }
    local engine = la.create_engine "sqlite://"
    t.metadata:create_all(engine)
    local c <close> = engine:connect()
    c:execute(t:insert(), { exact = d "12.5", number = 2.25 })
    local row = c:execute(la.select(t)):one()
    assert.is_true(row.exact == d "12.50")
    assert.equal(2.25, row.number)
    fails("DataError", function() c:execute(t:insert(), { exact = d "1.234" }) end, "prices.exact", "2 digits")
  end)
end)

describe("dates", function()
  it("have fields, text and an epoch", function()
    local date = la.date "2024-02-29"
    assert.same({ 2024, 2, 29, 4, 60 }, { date.year, date.month, date.day, date.weekday, date.yearday })
    assert.equal("2024-02-29", tostring(date))
    assert.equal(1709164800, date.epoch)
    local at = la.datetime "2024-02-29T13:14:15.5+02:00"
    assert.same({ 13, 14, 15, 500000, 120 }, { at.hour, at.minute, at.second, at.microsecond, at.offset })
    assert.equal("2024-02-29 13:14:15.500000+02:00", tostring(at))
    assert.equal("2024-02-29 11:14:15.500000+00:00", at:utc():iso())
    assert.equal("2024-02-29 13:14:15.500000", tostring(at:naive()))
    assert.is_true(at == at:utc())
    assert.equal("13:14:15.500000", tostring(at:time()))
    assert.equal("2024-02-29", tostring(at:date()))
    assert.is_true(la.date { year = 2024, month = 2, day = 29 } == date)
    fails("ArgumentError", function() return date.yer end, "'yer'")
  end)

  it("compute", function()
    assert.equal("2024-03-01", tostring(la.date "2024-02-29" + la.interval { days = 1 }))
    assert.equal("2024-02-29 12:00:00", tostring(la.date "2024-02-29" + la.interval { hours = 12 }))
    assert.equal("366 days", (tostring(la.date "2025-01-01" - la.date "2024-01-01"):gsub(" 00:00:00", "")))
    assert.equal(3600, (la.datetime "2024-01-01 01:00:00" - la.datetime "2024-01-01").seconds)
    assert.is_true(la.interval { hours = 1 } * 24 == la.interval { days = 1 })
    assert.is_true(la.date "2024-01-01" < la.date "2024-01-02")
    fails("ArgumentError", function() return la.date "2024-01-01" < la.time "10:00" end, "compared")
    fails("ArgumentError", function() return la.date "2024-01-01" + 1 end, "added")
    fails("DataError", function() return la.date "9999-12-31" + la.interval { days = 1 } end, "9999")
    fails("DataError", function() la.date "2023-02-29" end, "2023-02-29")
    fails("DataError", function() la.date(2023, 2, 29) end)
    fails("ArgumentError", function() la.interval { dais = 1 } end, "days")
  end)

  it("are taken as text and as os.date's tables, and keep their offset where the type has one", function()
    local t = la.Table { "times", la.MetaData(), la.Column { "id", la.Integer, primary_key = true }, la.Column { "at", la.DateTime },
      la.Column { "zoned", la.DateTime { timezone = true } }, la.Column { "day", la.Date } }
    local engine = la.create_engine "sqlite://"
    t.metadata:create_all(engine)
    local c <close> = engine:connect()
    c:execute(t:insert(), { at = "2024-02-29 10:00:00", day = { year = 2024, month = 2, day = 29 }, zoned = la.datetime "2024-02-29T13:00:00+02:00" })
    local row = c:execute(la.select(t):where(t.c.day:eq "2024-02-29", t.c.at:lt { year = 2025, month = 1, day = 1 })):one()
    assert.equal("2024-02-29 10:00:00", tostring(row.at))
    assert.equal("2024-02-29 11:00:00+00:00", tostring(row.zoned))
    fails("ArgumentError", function() c:execute(t:insert(), { at = la.datetime "2024-02-29T13:00:00+02:00" }) end, "offset")
    fails("DataError", function() c:execute(t:insert(), { day = "yesterday" }) end, "times.day")
  end)
end)

describe("custom types", function()
  it("convert on the way in and out, with the dialect's name", function()
    local dialects = {}
    local Point = la.TypeDecorator {
      impl = la.String(40),
      bind = function(value, dialect) dialects[#dialects + 1] = dialect or "none" return value and value.x .. "," .. value.y end,
      result = function(text) if text then local x, y = text:match "(.*),(.*)" return { x = tonumber(x), y = tonumber(y) } end end,
    }
    local t = la.Table { "points", la.MetaData(), la.Column { "id", la.Integer, primary_key = true }, la.Column { "p", Point } }
    local engine = la.create_engine "sqlite://"
    t.metadata:create_all(engine)
    local c <close> = engine:connect()
    c:execute(t:insert(), { p = { x = 1, y = 2 } })
    assert.same({ x = 1, y = 2 }, c:scalar(la.select(t.c.p)))
    assert.equal(1, c:scalar(la.select(t.c.id):where(t.c.p:eq { x = 1, y = 2 })))
    assert.equal(1, c:scalar(la.select(t.c.id):where(t.c.p:in_ { { x = 1, y = 2 } })))
    assert.equal("sqlite", dialects[1])
    c:execute(t:insert(), { p = la.null })
    assert.is_nil(c:execute(la.select(t.c.p):where(t.c.id:eq(2))):one().p)
  end)
end)

describe("a custom type's function", function()
  it("may close the result that it is called for", function()
    local result
    local Closing = la.TypeDecorator { impl = la.Integer, result = function(value) result:close() return value end }
    local t = la.Table { "closing", la.MetaData(), la.Column { "a", Closing }, la.Column { "b", Closing } }
    local engine = la.create_engine "sqlite://"
    t.metadata:create_all(engine)
    local c <close> = engine:connect()
    c:execute(t:insert(), { a = 1, b = 2 })
    result = c:execute(la.select(t))
    fails("ResourceClosedError", function() result:all() end)
    assert.equal(1, c:scalar(la.text "select count(*) from closing"))
  end)

  it("may raise, and the connection goes on", function()
    local thrown = {}
    local Raising = la.TypeDecorator { impl = la.Integer, result = function() error(thrown) end }
    local t = la.Table { "raising", la.MetaData(), la.Column { "a", Raising } }
    local engine = la.create_engine "sqlite://"
    t.metadata:create_all(engine)
    local c <close> = engine:connect()
    c:execute(t:insert(), { a = 1 })
    local ok, failure = pcall(function() return c:execute(la.select(t)):all() end)
    assert.is_false(ok)
    assert.equal(thrown, failure)
    assert.equal(1, c:scalar(la.text "select count(*) from raising"))
  end)
end)

describe("JSON", function()
  local t = la.Table { "documents", la.MetaData(), la.Column { "id", la.Integer, primary_key = true }, la.Column { "doc", la.JSON } }
  local engine = la.create_engine "sqlite://"
  t.metadata:create_all(engine)
  after_each(function() la.set_json(nil) end)

  it("goes through the library that is there", function()
    local c <close> = engine:connect()
    c:execute(t:insert(), { { doc = { a = { 1, "x", la.null, true } } }, { doc = "text" }, { doc = la.null } })
    local found = c:scalars(la.select(t.c.doc):order_by(t.c.id)):all()
    assert.same({ 1, "x", la.null, true }, { table.unpack(found[1].a, 1, 4) })
    assert.equal("text", found[2])
    assert.equal(la.null, found[3])
  end)

  it("or through the host's own", function()
    la.set_json { encode = function(value) return "<" .. value .. ">" end, decode = function(text) return text:sub(2, -2) end }
    local c <close> = engine:connect()
    c:execute(t:insert(), { doc = "mine" })
    assert.equal("mine", c:scalar(la.select(t.c.doc)))
    assert.equal("<mine>", c:scalar(la.text "select doc from documents"))
    fails("ArgumentError", function() la.set_json { encode = print } end, "decode")
  end)
end)
