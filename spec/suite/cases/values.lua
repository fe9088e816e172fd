-- Values of each kind, there and back, beside NULL. What every type keeps exactly is tried by the files of types.
local suite = ...
local la = require "lualchemy"

local kinds = {
  { "integer", la.Integer, { 0, -1, 2147483647, -2147483648 } },
  { "small", la.SmallInteger, { 32767, -32768 } },
  { "big", la.BigInteger, { 9007199254740993, -9007199254740993 } },
  { "extreme", la.BigInteger, { math.maxinteger, math.mininteger }, "int64" },
  { "real", la.Double, { 0.0, 0.1, -2.5e10, 1e-5 } },
  { "exact_real", la.Double, { 1 / 3, 5e-324, 1.7976931348623157e308 }, "exact_doubles" },
  { "price", la.Numeric(20, 4), { la.decimal "12345678.2500", la.decimal "-0.0001" } },
  { "exact_price", la.Numeric(38, 10), { la.decimal "-1234567890123456789012345678.0123456789" }, "exact_decimals" },
  { "word", la.String(60), { "a", "it's \"so\" \\ % _ ? :x $1", "Zoë Ünï", "日本語", "\u{1F600}", " spaces around ", "line\nbreak\ttab" } },
  { "far_word", la.String(60), { "\u{10FFFF}\u{100000}" }, "full_unicode" },
  { "empty", la.String(60), { "" }, "empty_text" },
  { "story", la.Text, { ("añ"):rep(5000) } },
  { "long_story", la.Text, { ("x\u{1F600}é"):rep(30000) }, "long_text" },
  { "bytes", la.LargeBinary, { "a\0b\255\254", ("\0\1\2\255"):rep(5000) } },
  { "no_bytes", la.LargeBinary, { "" }, "empty_text" },
  { "long_bytes", la.LargeBinary, { ("\0\255ab"):rep(50000) }, "long_text" },
  { "yes", la.Boolean, { true, false } },
  { "day", la.Date, { la.date(1969, 2, 3), la.date(2024, 2, 29), la.date(9999, 12, 31) } },
  { "clock", la.Time, { la.time(0, 0, 0), la.time(23, 59, 59) } },
  { "moment", la.DateTime, { la.datetime(1961, 2, 3, 4, 5, 6), la.datetime(2024, 2, 29, 23, 59, 59) } },
  { "exact_moment", la.DateTime, { la.datetime(2024, 2, 29, 23, 59, 59, 1), la.datetime(1969, 12, 31, 0, 0, 0, 999999) }, "microseconds" },
  { "span", la.Interval, { la.interval { days = 1, hours = 2 }, la.interval { days = -3 } } },
  { "uuid", la.Uuid, { "123e4567-e89b-42d3-a456-426614174000" } },
}

-- Of the same type as well: a number is no text of it.
local function is_same(one, other)
  return type(one) == type(other) and math.type(one) == math.type(other) and (one == other or tostring(one) == tostring(other))
end

for _, kind in ipairs(kinds) do
  local name, type_of, values, needs = table.unpack(kind)
  suite.case(("%s comes back as it went, and NULL as NULL"):format(name:gsub("_", " ")), { needs = { needs } }, function(world)
    local things = world:table { la.Column { "id", la.Integer, primary_key = true, autoincrement = false }, la.Column { "value", type_of } }
    local connection = world:connect()
    local read = la.select(things.c.value):where(things.c.id:eq(la.bindparam "key"))
    for i, value in ipairs(values) do
      connection:execute(things:insert(), { id = i, value = value })
      for _ = 1, 2 do -- a driver may read a second execution by other means
        local came = connection:execute(read, { key = i }):scalar()
        if not is_same(value, came) then error(("%s (%s) is not %s"):format(tostring(came), type(came), tostring(value)):sub(1, 400), 0) end
      end
    end
    connection:execute(things:insert(), { id = 0, value = la.null })
    for _ = 1, 2 do world.same(nil, connection:execute(read, { key = 0 }):scalar()) end
    world.same(1, connection:scalar(la.select(la.func.count()):select_from(things):where(things.c.value:is_(nil))))
  end)
end

suite.case("a row holds every kind beside NULLs in turn", function(world)
  local columns = { la.Column { "id", la.Integer, primary_key = true, autoincrement = false } }
  local first = {}
  for _, kind in ipairs(kinds) do
    if not kind[4] then
      columns[#columns + 1] = la.Column { kind[1], kind[2] }
      first[kind[1]] = kind[3][1]
    end
  end
  local things = world:table(columns)
  local connection = world:connect()
  for parity = 0, 1 do
    local row = { id = parity }
    for i = 2, #columns do row[columns[i].name] = i % 2 == parity and first[columns[i].name] or la.null end
    connection:execute(things:insert(), row)
  end
  for parity = 0, 1 do
    local row = connection:execute(la.select(things):where(things.c.id:eq(parity))):one()
    for i = 2, #columns do
      local name = columns[i].name
      if i % 2 == parity then
        assert(is_same(first[name], row[name]), name .. " is " .. tostring(row[name]))
      else
        assert(row[name] == nil, name .. " is not NULL but " .. tostring(row[name]))
      end
    end
  end
end)

suite.case("a value is found by itself", function(world)
  for i, kind in ipairs(kinds) do
    if kind[1] == "integer" or kind[1] == "word" or kind[1] == "day" or kind[1] == "moment" or kind[1] == "yes" or kind[1] == "price" then
      local things = world:table({
        la.Column { "id", la.Integer, primary_key = true, autoincrement = false }, la.Column { "value", kind[2] },
      }, ("t%d_%d"):format(world.number, i))
      world:engine():begin(function(connection)
        for key, value in ipairs(kind[3]) do connection:execute(things:insert(), { id = key, value = value }) end
        for key, value in ipairs(kind[3]) do
          world.same({ key }, connection:execute(la.select(things.c.id):where(things.c.value:eq(value))):scalars():all(), kind[1])
        end
      end)
    end
  end
end)

suite.case("an empty text is not NULL", { needs = { "empty_text" } }, function(world)
  local things = world:names("", "a")
  local connection = world:connect()
  world.same("", connection:scalar(la.select(things.c.name):where(things.c.id:eq(1))))
  world.same(0, connection:scalar(la.select(la.func.count()):select_from(things):where(things.c.name:is_(nil))))
end)

suite.case("a moment with a zone is the same moment, whatever its zone", { needs = { "zones" } }, function(world)
  local things = world:table {
    la.Column { "id", la.Integer, primary_key = true, autoincrement = false }, la.Column { "seen", la.DateTime { timezone = true } },
  }
  world:engine():begin(function(connection)
    connection:execute(things:insert(), { id = 1, seen = la.datetime(2024, 2, 29, 12, 0, 0) })
    local came = connection:scalar(la.select(things.c.seen))
    assert(tostring(came):find("2024-02-29 12:00:00", 1, true) and tostring(came):find("+00", 1, true), tostring(came))
  end)
end)
