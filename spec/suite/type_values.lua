-- Values of every type, for the driver suite and whoever else wants some: the limits of each kind first, then random ones. `values.seed`
-- stands in every failure: SEED=… runs it again.
-- luacheck: no max line length
local la = require "lualchemy"

local values = { seed = tonumber(os.getenv "SEED") or os.time() }
math.randomseed(values.seed)

local random = math.random

-- Numbers -----------------------------------------------------------------------------------------------

local function random_integer(bits)
  local value = random(0) >> random(65 - bits, 63)
  return random(2) == 1 and value or ~value
end

local function integers(bits)
  local most = (1 << (bits - 1)) - 1
  local edges = { 0, 1, -1, most, -most, ~most, most - 1, ~most + 1, 10, -10, most // 2, most // 3 }
  return { edges = edges, random = function() return random_integer(bits) end }
end

local function bits_of(value) return string.pack("d", value) end

-- The same double, bit for bit.
local function same_double(written, read)
  return math.type(read) == "float" and bits_of(written) == bits_of(read)
end

local function random_double()
  while true do
    local value = string.unpack("d", string.pack("i8", random(0)))
    if value == value and value ~= math.huge and value ~= -math.huge then return value end
  end
end

local double_edges = {
  0.0, 1.0, -1.0, 0.1, 1 / 3, -2.5, 1e15, 1e16, 123456789012345678.0, 2 ^ 53, 2 ^ 53 - 1, 2 ^ 63, -2 ^ 63, 1e22, 1e23, 1e300, 1e-300, 1.7976931348623157e308, -1.7976931348623157e308,
  2.2250738585072014e-308, 2.225073858507201e-308, 5e-324, -5e-324, 4.35, 0.3, 0.1 + 0.2, math.pi,
}

-- A float of 24 bits comes back as the shortest decimal that it is, so that 0.1 is 0.1.
local function same_single(written, read)
  return math.type(read) == "float" and string.pack("f", written) == string.pack("f", read)
end

local function random_single()
  while true do
    local value = string.unpack("f", string.pack("I4", random(0) & 0xffffffff))
    if value == value and value ~= math.huge and value ~= -math.huge and math.abs(value) > 1.2e-38 then return value end
  end
end

local function decimal_text(digits, scale)
  local list = {}
  for i = 1, digits do list[i] = tostring(random(0, 9)) end
  local text = ("0"):rep(scale + 1) .. table.concat(list)
  text = text:sub(1, #text - scale) .. (scale > 0 and "." .. text:sub(-scale) or "")
  return (random(2) == 1 and "-" or "") .. text:gsub("^0+(%d)", "%1")
end

local function decimals(precision, scale)
  local whole = precision - scale
  local nines = ("9"):rep(whole) .. (scale > 0 and "." .. ("9"):rep(scale) or "")
  local edges = { "0", "1", "-1", nines, "-" .. nines, ("1" .. ("0"):rep(whole - 1)) }
  if scale > 0 then
    for _, text in ipairs { "0." .. ("0"):rep(scale - 1) .. "1", "-0." .. ("0"):rep(scale - 1) .. "1", "0.5", "-0.5", "1.10" } do edges[#edges + 1] = text end
  end
  for i, text in ipairs(edges) do edges[i] = la.decimal(text) end
  return { edges = edges, random = function() return la.decimal(decimal_text(random(1, precision), scale)) end }
end

-- Texts and bytes ---------------------------------------------------------------------------------------

local function random_text(most)
  return function()
    local points = {}
    for i = 1, random(0, most) do
      local point = random(4) == 1 and random(1, 0x10ffff) or random(32, 126)
      if point >= 0xd800 and point <= 0xdfff then point = 0xe9 end
      points[i] = utf8.char(point)
    end
    return table.concat(points)
  end
end

-- Every character that there is, in pieces.
local function all_of_unicode()
  local pieces = {}
  for first = 1, 0x10ffff, 0x4000 do
    local points = {}
    for point = first, math.min(first + 0x3fff, 0x10ffff) do
      if point < 0xd800 or point > 0xdfff then points[#points + 1] = utf8.char(point) end
    end
    pieces[#pieces + 1] = table.concat(points)
  end
  return pieces
end

local text_edges = {
  "", " ", "a ", " a", "NULL", "null", "'", "''", "\\", "\\'", "\"", "`", "%", "_", "?", ":x", "$1", "{}", "--", "/*", "\n", "\r\n", "\t", "\1\2\127", "\u{80}", "\u{7ff}", "\u{800}", "\u{ffff}", "\u{feff}x",
  "e\u{301}", "\u{e9}", "\u{1F600}", "\u{10000}", "\u{fffff}", "0", "007", "1e5", "2024-02-29", ("x"):rep(255), ("\u{1F600}"):rep(60),
}

local function random_bytes(most)
  return function()
    local bytes = {}
    for i = 1, random(0, most) do bytes[i] = string.char(random(0, 255)) end
    return table.concat(bytes)
  end
end

local function all_bytes()
  local bytes = {}
  for byte = 0, 255 do bytes[#bytes + 1] = string.char(byte) end
  return table.concat(bytes)
end

local byte_edges = { "", "\0", "a\0b", "\255", "\0\0\0", "'", "\\", "\\x00", "x'00'", "\xff\xfe", all_bytes(), ("\0\255"):rep(500) }

-- Dates and times ---------------------------------------------------------------------------------------

local function random_date() return la.date(random(1, 9999), random(1, 12), random(1, 28)) end
local function random_time() return la.time(random(0, 23), random(0, 59), random(0, 59), random(0, 999999)) end
local function random_datetime() return la.datetime(random(1, 9999), random(1, 12), random(1, 28), random(0, 23), random(0, 59), random(0, 59), random(0, 999999)) end

local function random_zoned()
  local offset = random(-15 * 60 + 1, 15 * 60 - 1)
  return la.datetime(("%04d-%02d-%02dT%02d:%02d:%02d.%06d%s%02d:%02d"):format(random(2, 9998), random(1, 12), random(1, 28), random(0, 23), random(0, 59), random(0, 59), random(0, 999999),
    offset < 0 and "-" or "+", math.abs(offset) // 60, math.abs(offset) % 60))
end

local function random_interval()
  return la.interval { days = random(-300000, 300000), seconds = random(0, 86399), microseconds = random(0, 999999) }
end

local date_edges = { la.date(1, 1, 1), la.date(9999, 12, 31), la.date(1970, 1, 1), la.date(1969, 12, 31), la.date(1900, 2, 28), la.date(2000, 2, 29), la.date(1582, 10, 4), la.date(1582, 10, 15) }
local time_edges = { la.time(0, 0, 0), la.time(23, 59, 59, 999999), la.time(0, 0, 0, 1), la.time(12, 0, 0), la.time(1, 2, 3, 100000) }
local datetime_edges = {
  la.datetime "0001-01-01 00:00:00", la.datetime "9999-12-31 23:59:59.999999", la.datetime "1970-01-01 00:00:00", la.datetime "1969-12-31 23:59:59.999999", la.datetime "1970-01-01 00:00:00.000001",
  la.datetime "2038-01-19 03:14:08", la.datetime "1901-12-13 20:45:51", la.datetime "2024-03-31 02:30:00", la.datetime "1883-11-18 12:03:57.5", la.datetime "2016-12-31 23:59:59.000001",
}
local zoned_edges = {
  la.datetime "0001-01-01T00:00:00+00:00", la.datetime "9999-12-31T23:59:59.999999+00:00", la.datetime "1969-12-31T23:59:59.999999-05:00", la.datetime "2024-02-29T13:14:15.5+05:45",
  la.datetime "2024-03-31T02:30:00+01:00", la.datetime "1883-11-18T12:03:57+00:00",
}
local interval_edges = {
  la.interval { seconds = 0 }, la.interval { microseconds = 1 }, la.interval { microseconds = -1 }, la.interval { days = 1 }, la.interval { days = -1 }, la.interval { days = 1, hours = -2 },
  la.interval { hours = 25 }, la.interval { days = -700000 }, la.interval { days = 2900000 }, la.interval { seconds = 59, microseconds = 999999 },
}

-- The rest ----------------------------------------------------------------------------------------------

local function random_uuid()
  return (("xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx"):gsub("x", function() return ("%x"):format(random(0, 15)) end))
end

local words = { "a", "b c", "it's", "\u{e9}\u{1F600}", "A long word, with a comma" }

local function is_empty_list(list) return next(list) == nil and require "lualchemy.core".json_encode(list) == "[]" end

local function same_scalar(left, right)
  if math.type(left) == "float" then return same_double(left, right) end
  return left == right and math.type(left) == math.type(right)
end

-- Equality of tables by what is in them; tells_empty: empty lists are told from empty objects.
local function same_tables(left, right, tells_empty)
  if type(left) ~= "table" or type(right) ~= "table" then return same_scalar(left, right) end
  if tells_empty and is_empty_list(left) ~= is_empty_list(right) then return false end
  for key, value in pairs(left) do
    if not same_tables(value, right[key], tells_empty) then return false end
  end
  for key in pairs(right) do
    if left[key] == nil then return false end
  end
  return true
end

local function same_items(left, right) return same_tables(left, right, false) end
local function same_document(left, right) return same_tables(left, right, true) end

local function random_json(depth)
  local kind = random(depth > 0 and 7 or 5)
  if kind == 1 then return random_integer(64) end
  if kind == 2 then return random_double() end
  if kind == 3 then return random_text(12)() end
  if kind == 4 then return random(2) == 1 end
  if kind == 5 then return la.null end
  local made = {}
  for i = 1, random(1, 4) do made[kind == 6 and i or "k" .. random_text(5)()] = random_json(depth - 1) end
  return made
end

-- Floats that somebody's digits could make an integer of, or another float: whole ones around 2^53, 2^63 and 1e19, the ends of what a double is.
local hard_floats = {
  0.0, -0.0, 1.0, -1.0, 1e15, 1e16, 1e17, -1.4442852028034835e17, 144428520280348352.0, 2.0 ^ 51, 2.0 ^ 53, 2.0 ^ 53 + 2, -2.0 ^ 53, 2.0 ^ 62, 9e18, 2.0 ^ 63 - 1024, -2.0 ^ 63 + 1024,
  2.0 ^ 63, -2.0 ^ 63, 2.0 ^ 63 + 2048, -2.0 ^ 63 - 2048, 9.999999999999998e18, 1e19, -1e19, 2.0 ^ 64, 1e20, 1e22, 1e23, 1e37, 1e38, 1e39, -1e100, 1e300, 1e308, 1.7976931348623157e308,
  -1.7976931348623157e308, 2.2250738585072014e-308, 2.225073858507201e-308, -2.225073858507201e-308, 5e-324, -5e-324, -1.8863689330435201e-300, 1e-5, 0.5, 0.1 + 0.2, 1 / 3, 4.35, 123456789.125, 4503599627370496.5, 1e-300,
}

local json_edges = {
  la.json_list {}, {}, true, false, 0, -1, math.maxinteger, math.mininteger, 2 ^ 53 | 0, (2 ^ 53 | 0) + 1, "", "x", "'\"\\/\b\f\n\r\t", "\u{1F600}\u{10FFFF}\u{2028}", { 1, 2, 3 },
  { a = 1, b = { c = { true, false, la.null } } }, { { {} , { 1 } } }, { ["a b"] = "x", [""] = 1, ["'"] = 2, ["\u{1F600}"] = 3 }, ("x"):rep(70000),
  hard_floats, { floats = hard_floats, large = { la.decimal "9223372036854775808", la.decimal "-9223372036854775809", la.decimal "18446744073709551615", la.decimal(("9"):rep(38)) } },
}
table.move(hard_floats, 1, #hard_floats, #json_edges + 1, json_edges)

local function random_list(item, nulls)
  return function()
    local list = {}
    for i = 1, random(0, 8) do list[i] = nulls and random(5) == 1 and la.null or item() end
    return list
  end
end

local function identity(written, read) return written == read and math.type(written) == math.type(read) end
local function same_moment(written, read) return written == read end

--- Kinds: name; type; edges; random; same(written, read), which is `==` and the same kind of number unless something is said; needs:
--- capabilities of the suite; only: the one dialect that has it; kept: by dialect, fn(value) is what such a database makes of it by its own rules; unequal: why it is not looked for by its value; not_literal: why it has no text
local kinds = {}

local function kind(name, type_, source, options)
  local made = { name = name, type = type_, edges = source.edges, random = source.random, same = identity }
  for key, value in pairs(options or {}) do made[key] = value end
  kinds[#kinds + 1] = made
end

kind("SmallInteger", la.SmallInteger, integers(16))
kind("Integer", la.Integer, integers(32))
kind("BigInteger", la.BigInteger, integers(64))
kind("Double", la.Double, { edges = double_edges, random = random_double }, { same = same_double, needs = { "exact_doubles" } })
kind("Double, the zero below zero", la.Double, { edges = { -0.0 }, random = function() return -0.0 end }, { same = same_double, needs = { "exact_doubles", "negative_zero" } })
kind("Double, what is no finite number", la.Double, { edges = { math.huge, -math.huge }, random = function() return random(2) == 1 and math.huge or -math.huge end },
  { same = same_double, needs = { "infinite_doubles" } })
kind("Float", la.Float, { edges = double_edges, random = random_double }, { same = same_double, needs = { "exact_doubles" } })
kind("Float(53)", la.Float(53), { edges = double_edges, random = random_double }, { same = same_double, needs = { "exact_doubles" } })
kind("Float(24)", la.Float(24), { edges = { 0.0, 1.0, -1.5, 0.1, 3.4e38, 1.2e-38, 16777216.0 }, random = random_single },
  { same = same_single, needs = { "exact_doubles" }, unequal = "a column of 24 bits holds a neighbour" })
kind("Numeric(15, 4)", la.Numeric(15, 4), decimals(15, 4), { needs = { "exact_decimals" } })
kind("Numeric(38, 10)", la.Numeric(38, 10), decimals(38, 10), { needs = { "exact_decimals" } })
kind("Numeric(38)", la.Numeric(38), decimals(38, 0), { needs = { "exact_decimals" } })
kind("Numeric", la.Numeric, decimals(35, 3), { needs = { "exact_decimals" } })
kind("Numeric, far behind the point", la.Numeric, decimals(30, 29), { needs = { "exact_decimals" } })
kind("Numeric of fifteen digits", la.Numeric(15, 5), decimals(15, 5))
kind("String", la.String(300), { edges = text_edges, random = random_text(60) }, { needs = { "empty_text" } })
kind("Text", la.Text, { edges = text_edges, random = random_text(200) }, { needs = { "empty_text" } })
kind("Unicode", la.Unicode(300), { edges = text_edges, random = random_text(60) }, { needs = { "empty_text" } })
kind("UnicodeText, all characters", la.UnicodeText, { edges = all_of_unicode(), random = random_text(3) }, { needs = { "full_unicode", "empty_text" } })
kind("LargeBinary", la.LargeBinary, { edges = byte_edges, random = random_bytes(300) })
kind("VARBINARY", la.VARBINARY(2000), { edges = byte_edges, random = random_bytes(300) })
kind("Boolean", la.Boolean, { edges = { true, false }, random = function() return random(2) == 1 end })
kind("Date", la.Date, { edges = date_edges, random = random_date })
kind("Time", la.Time, { edges = time_edges, random = random_time }, { needs = { "microseconds" } })
kind("DateTime", la.DateTime, { edges = datetime_edges, random = random_datetime }, { needs = { "microseconds" } })
kind("DateTime with a zone", la.DateTime { timezone = true }, { edges = zoned_edges, random = random_zoned }, { same = same_moment, needs = { "microseconds" } })
kind("Interval", la.Interval, { edges = interval_edges, random = random_interval }, { needs = { "microseconds" } })
kind("Interval, not native", la.Interval { native = false }, { edges = interval_edges, random = random_interval }, { needs = { "microseconds" } })
kind("Uuid", la.Uuid, { edges = { "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff" }, random = random_uuid })
kind("Uuid, not native", la.Uuid { native_uuid = false }, { edges = { "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff" }, random = random_uuid })
kind("Enum", la.Enum { "a", "b c", "it's", "\u{e9}\u{1F600}", "A long word, with a comma", name = "suite_words" }, { edges = words, random = function() return words[random(#words)] end })
kind("Enum, not native", la.Enum { "a", "b c", "it's", "\u{e9}\u{1F600}", "A long word, with a comma", name = "suite_words2", native_enum = false },
  { edges = words, random = function() return words[random(#words)] end })
-- null itself is NULL where nothing else is said
local function random_document()
  local document = random_json(3)
  if document == la.null then return false end
  return document
end

-- What SQLite keeps of a document that is a number alone: its column has numeric affinity, which makes an integer of a float that is one of less than 64 bits.
local function kept_alone(document)
  local whole = math.type(document) == "float" and document > -2.0 ^ 63 and document < 2.0 ^ 63 and math.tointeger(document)
  return whole or document
end

-- What a number of PostgreSQL keeps of a float, however deep it stands: no sign of a zero.
local function kept_by_jsonb(document)
  if document == 0 and math.type(document) == "float" then return 0.0 end
  if type(document) ~= "table" or is_empty_list(document) then return document end
  local kept = {}
  for key, value in pairs(document) do kept[key] = kept_by_jsonb(value) end
  return kept
end

kind("JSON", la.JSON, { edges = json_edges, random = random_document }, { same = same_document, unequal = "documents are not compared", needs = { "exact_doubles" }, kept = { sqlite = kept_alone } })

-- PostgreSQL's own.
local function own(dialect, name, type_, source, options)
  options = options or {}
  options.only = dialect
  kind(dialect .. "." .. name, type_, source, options)
end

local function pick(list) return { edges = list, random = function() return list[random(#list)] end } end
local p, m = la.postgresql, la.mysql

own("postgresql", "JSONB", p.JSONB, { edges = json_edges, random = random_document },
  { same = same_document, unequal = "documents are not compared", kept = { postgresql = kept_by_jsonb } })
own("postgresql", "INET", p.INET, pick { "127.0.0.1", "10.0.0.0/8", "::1", "2001:db8::/32" })
own("postgresql", "CIDR", p.CIDR, pick { "10.0.0.0/8", "2001:db8::/32" })
own("postgresql", "MACADDR", p.MACADDR, pick { "08:00:2b:01:02:03" })
own("postgresql", "MACADDR8", p.MACADDR8, pick { "08:00:2b:01:02:03:04:05" })
own("postgresql", "BIT", p.BIT(5), pick { "00000", "11111", "10101" })
own("postgresql", "BIT VARYING", p.BIT { 70, varying = true }, pick { "", "1", ("10"):rep(35) })
own("postgresql", "OID", p.OID, pick { 0, 1, 4294967295 })
own("postgresql", "UUID", p.UUID, { edges = { "00000000-0000-0000-0000-000000000000", "00000000-0000-f000-0000-000000000000" }, random = random_uuid })
own("postgresql", "INTERVAL", p.INTERVAL, { edges = interval_edges, random = random_interval })
own("postgresql", "TIMESTAMP(3)", p.TIMESTAMP { precision = 3 }, pick { la.datetime "2024-02-29 13:14:15.123", la.datetime "0001-01-01 00:00:00.001" })
own("postgresql", "TIME with a zone", p.TIME { timezone = true }, { edges = time_edges, random = random_time })
own("postgresql", "TSVECTOR", p.TSVECTOR, pick { "'a':1 'b':2" })
own("postgresql", "XML", p.XML, pick { "<a>x</a>" }, { unequal = "xml has no equality" })
own("postgresql", "INT4RANGE", p.INT4RANGE, pick { "[1,5)", "empty", "(,)", "[-2147483648,0)" })
own("postgresql", "NUMRANGE", p.NUMRANGE, pick { "[1.5,2.5]", "(0.1,)" })
own("postgresql", "DATERANGE", p.DATERANGE, pick { "[2024-01-01,2024-02-01)" })
own("postgresql", "INT4MULTIRANGE", p.INT4MULTIRANGE, pick { "{}", "{[1,3),[5,9)}" })

local array_options = { same = same_items }
own("postgresql", "ARRAY(Integer)", la.ARRAY(la.Integer), { edges = { {}, { 0 }, { 2147483647, -2147483648 }, { la.null, 1, la.null }, { la.null } }, random = random_list(function() return random_integer(32) end, true) }, array_options)
own("postgresql", "ARRAY(BigInteger)", la.ARRAY(la.BigInteger), { edges = { {}, { math.maxinteger, math.mininteger } }, random = random_list(function() return random_integer(64) end, true) }, array_options)
own("postgresql", "ARRAY(Double)", la.ARRAY(la.Double), { edges = { {}, { 0.1, 1 / 3, 5e-324, 1e300 }, { 0.0, -0.0, 5.0, -3.0, 928964412136801.0, 1e15, 2.0 ^ 53, 2.0 ^ 63 }, { math.huge, -math.huge } }, random = random_list(random_double, true) }, array_options)
own("postgresql", "ARRAY(Numeric)", la.ARRAY(la.Numeric(38, 10)), { edges = { {}, decimals(38, 10).edges }, random = random_list(decimals(38, 10).random, true) }, array_options)
own("postgresql", "ARRAY(Boolean)", la.ARRAY(la.Boolean), { edges = { {}, { true, false, la.null } }, random = random_list(function() return random(2) == 1 end, true) }, array_options)
own("postgresql", "ARRAY(Text)", la.ARRAY(la.Text), { edges = { {}, { "" }, { "NULL", "null", la.null }, { "a,b", "{}", "\"", "\\", " x " }, text_edges }, random = random_list(random_text(12), true) }, array_options)
own("postgresql", "ARRAY(String)", la.ARRAY(la.String(300)), { edges = { {}, text_edges }, random = random_list(random_text(12), true) }, array_options)
own("postgresql", "ARRAY of two dimensions", la.ARRAY { la.Integer, dimensions = 2 }, { edges = { {}, { { 1, 2 }, { 3, la.null } } }, random = function() return { { random_integer(32) }, { random_integer(32) } } end }, array_options)
own("postgresql", "ARRAY(Date)", la.ARRAY(la.Date), { edges = { {}, date_edges }, random = random_list(random_date, true) }, array_options)
own("postgresql", "ARRAY(DateTime)", la.ARRAY(la.DateTime), { edges = { {}, datetime_edges }, random = random_list(random_datetime, true) }, array_options)
own("postgresql", "ARRAY(Uuid)", la.ARRAY(la.Uuid), { edges = { {} }, random = random_list(random_uuid, true) }, array_options)
own("postgresql", "ARRAY(LargeBinary)", la.ARRAY(la.LargeBinary), { edges = { {}, byte_edges }, random = random_list(random_bytes(9), true) }, array_options)

-- MySQL's and MariaDB's own.
own("mariadb", "BIGINT UNSIGNED", m.BIGINT { unsigned = true }, pick { 0, 1, math.maxinteger, la.decimal "9223372036854775808", la.decimal "18446744073709551615" })
own("mariadb", "TINYINT", m.TINYINT, integers(8))
own("mariadb", "MEDIUMINT", m.MEDIUMINT, integers(24))
own("mariadb", "INTEGER UNSIGNED", m.INTEGER { unsigned = true }, pick { 0, 4294967295 })
own("mariadb", "BIT(64)", m.BIT(64), pick { 0, 1, math.maxinteger, la.decimal "18446744073709551615" })
own("mariadb", "BIT(1)", m.BIT(1), pick { 0, 1 })
own("mariadb", "YEAR", m.YEAR, pick { 0, 1901, 2024, 2155 })
own("mariadb", "DATETIME(6)", m.DATETIME { fsp = 6 }, { edges = datetime_edges, random = random_datetime })
own("mariadb", "DATETIME", m.DATETIME, pick { la.datetime "2024-02-29 13:14:15", la.datetime "0001-01-01 00:00:00" })
own("mariadb", "TIMESTAMP(6)", m.TIMESTAMP { fsp = 6 }, pick { la.datetime "1970-01-01 00:00:01", la.datetime "2038-01-19 03:14:07.999999", la.datetime "2024-03-31 02:30:00.000001" })
own("mariadb", "TIME(6)", m.TIME { fsp = 6 }, { edges = time_edges, random = random_time })
own("mariadb", "FLOAT", m.FLOAT, { edges = { 0.0, 0.1, 1.5, 3.4e38 }, random = random_single }, { same = same_single, unequal = "a column of 24 bits holds a neighbour" })
own("mariadb", "DOUBLE", m.DOUBLE, { edges = double_edges, random = random_double }, { same = same_double })
own("mariadb", "DECIMAL(38, 20)", m.DECIMAL(38, 20), decimals(38, 20))
own("mariadb", "SET", m.SET("a", "b", "c"), pick { "", "a", "a,c", "a,b,c" })
own("mariadb", "ENUM", m.ENUM("a", "it's"), pick { "a", "it's" })
own("mariadb", "TINYTEXT", m.TINYTEXT, pick { "", ("x"):rep(255) })
own("mariadb", "MEDIUMBLOB", m.MEDIUMBLOB, { edges = byte_edges, random = random_bytes(300) })
own("mariadb", "INET6", la.mariadb.INET6, pick { "::1", "2001:db8::1" })

-- What some database cannot keep: it is refused, or it comes back as it went -- never anything in between. word: what the error says, where
-- the library itself refuses it on every database; native: ODBC does not tell why it fails. A function makes the value, whose name is then given.
local questionable = {
  { la.SmallInteger, 32768 }, { la.SmallInteger, -32769 }, { la.Integer, 1 << 31 }, { la.Integer, -(1 << 31) - 1 }, { la.BigInteger, 0.5, word = "a Double" },
  { la.BigInteger, la.decimal "9223372036854775808", word = "64-bit" }, { la.BigInteger, "1", word = "tointeger" },
  { la.Numeric(5, 2), la.decimal "1000" }, { la.Numeric(5, 2), la.decimal "0.001", word = "2 digits behind the point" }, { la.Numeric(5), la.decimal "1.5", word = "a whole number" },
  { la.Numeric, la.decimal("0." .. ("0"):rep(36) .. "11") }, { la.Numeric, la.decimal(("9"):rep(38)) }, { la.Numeric, la.decimal "1234567890.1234567" }, { la.Numeric, 0 / 0, word = "finite" },
  { la.String(5), "abcdef" }, { la.String(5), "\u{1F600}\u{1F600}\u{1F600}\u{1F600}\u{1F600}" }, { la.Text, "a\0b", word = "zero bytes" }, { la.Text, "\xff", word = "UTF-8" }, { la.Text, "ok\xc0\x80", word = "byte 3" },
  { la.Text, "\xed\xa0\x80", word = "UTF-8" }, { la.Text, "\xf4\x90\x80\x80", word = "UTF-8" }, { la.Text, "\xe2\x82", word = "UTF-8" },
  { la.Double, math.huge }, { la.Double, -math.huge }, { la.Double, 0 / 0 }, { la.Double, (1 << 53) + 1, word = "BigInteger" }, { la.Boolean, 2, word = "true, false" },
  { la.Date, "10000-01-01", word = "a date" }, { la.Date, "0000-01-01", word = "a date" }, { la.Date, "2023-02-29", word = "a date" }, { la.Time, "24:00:00", word = "a time" }, { la.Time, "23:59:60", word = "a time" },
  { la.DateTime, "9999-12-31 23:59:59.9999999", word = "a date and time" }, { la.DateTime, "2024-02-29T10:00:00+01:00", word = "timezone = true" },
  { la.DateTime { timezone = true }, la.datetime "9999-12-31T23:59:59-01:00", word = "of UTC" }, { la.DateTime { timezone = true }, "0001-01-01T00:00:00+01:00", word = "of UTC" },
  { la.Interval, la.interval { days = 4000000 } }, { la.Interval, la.interval { days = -800000 } }, { la.Uuid, "x", word = "UUID" }, { la.Enum { "a", "b", name = "suite_refused" }, "c", word = "its own words" },
  { la.JSON, { x = 0 / 0 }, word = "NaN" }, { la.JSON, { "\xff" }, word = "UTF-8" }, { la.JSON, { a = 1, [2] = 3 }, word = "keys" },
  { la.JSON, la.decimal "18446744073709551615" }, { la.JSON, la.decimal("-" .. ("9"):rep(38)) }, { la.JSON, la.decimal "100000000000000000001" },
  { la.LargeBinary, function() return ("\0\255"):rep(8 << 20) end, name = "16 MiB" }, { la.Text, function() return ("x\u{1F600}yz"):rep(2 << 20) end, name = "14 MiB" },
  { la.LargeBinary, function() return ("\1"):rep(20 << 20) end, name = "20 MiB", native = true },
}

local function asked(dialect, type_, value, word) questionable[#questionable + 1] = { type_, value, only = dialect, word = word } end

asked("postgresql", p.TIMESTAMP { precision = 3 }, la.datetime "2024-02-29 13:14:15.1234", "3 digits behind the second")
asked("postgresql", p.TIME { precision = 2 }, la.time(1, 2, 3, 4), "2 digits behind the second")
asked("postgresql", p.INTERVAL { precision = 2 }, la.interval { microseconds = 5 }, "2 digits behind the second")
asked("postgresql", p.INET, "no address")
asked("postgresql", p.BIT(5), "1")
asked("postgresql", p.OID, -1)
asked("postgresql", la.ARRAY(la.SmallInteger), { 40000 })
asked("mariadb", m.DATETIME, la.datetime "2024-02-29 13:14:15.5", "0 digits behind the second")
asked("mariadb", m.DATETIME { fsp = 3 }, la.datetime "2024-02-29 13:14:15.1234", "3 digits behind the second")
asked("mariadb", la.DATETIME, la.datetime "2024-02-29 13:14:15.5", "0 digits behind the second")
asked("mariadb", m.TIME, la.time(1, 2, 3, 4), "0 digits behind the second")
asked("mariadb", m.DECIMAL, la.decimal "1.5", "0 digits behind the point")
asked("mariadb", la.NUMERIC, la.decimal "1.5", "0 digits behind the point")
asked("mariadb", m.DOUBLE(10, 3), 1.2345, "3 digits behind the point")
asked("mariadb", m.TIMESTAMP { fsp = 6 }, la.datetime "1969-12-31 23:59:59")
asked("mariadb", m.TIMESTAMP { fsp = 6 }, la.datetime "2038-01-19 03:14:08")
asked("mariadb", m.BIGINT { unsigned = true }, -1)
asked("mariadb", m.TINYINT, 200)
asked("mariadb", m.YEAR, 1900)
asked("mariadb", m.BIT(1), 2)
asked("mariadb", m.SET("a", "b"), "d")
asked("mariadb", m.TINYTEXT, ("x"):rep(256))
asked("mariadb", la.Text(10), ("x"):rep(70000))

values.questionable = questionable
values.same_document = same_document
values.kinds = kinds
values.random_text, values.random_bytes = random_text, random_bytes

--- What comes back of a value that was written to a database of this dialect: the value itself, but for kinds whose `kept` says otherwise.
function values.expected(one, value, dialect)
  local kept = one.kept and one.kept[dialect]
  if kept then return kept(value) end
  return value
end

--- A value as failures show it.
function values.shown(value)
  if type(value) == "string" then return #value > 120 and ("%q… of %d bytes"):format(value:sub(1, 100), #value) or ("%q"):format(value) end
  if math.type(value) == "float" then return ("%.17g (%a)"):format(value, value) end
  if type(value) ~= "table" then return tostring(value) end
  local parts = {}
  for key, item in pairs(value) do parts[#parts + 1] = tostring(key) .. "=" .. values.shown(item) end
  return "{" .. table.concat(parts, ", ") .. "}"
end

--- The edges and `count` random values of a kind.
function values.some(one, count)
  local list = {}
  for i, value in ipairs(one.edges) do list[i] = value end
  for _ = 1, count do list[#list + 1] = one.random() end
  return list
end

return values
