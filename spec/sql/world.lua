-- The tables that the cases of spec/sql use, and their rows for the run on real databases.
local la = require "lualchemy"

local world = {}

local Column, Integer, String, Numeric = la.Column, la.Integer, la.String, la.Numeric

-- A type that may not be there makes a table that is not there; the cases that need it say so.
local function optional(fn)
  local ok, made = pcall(fn)
  return ok and made or nil
end

local function people(t, m)
  t.users = la.Table { "users", m,
    Column { "id", Integer, primary_key = true },
    Column { "name", String(50), nullable = false },
    Column { "fullname", String(100) },
    Column { "age", Integer },
    Column { "active", la.Boolean },
    Column { "balance", Numeric(10, 2) },
  }
  t.addresses = la.Table { "addresses", m,
    Column { "id", Integer, primary_key = true },
    Column { "user_id", Integer, la.ForeignKey "users.id" },
    Column { "email", String(120), nullable = false, unique = true },
    Column { "kind", String(20) },
  }
  t.nodes = la.Table { "nodes", m,
    Column { "id", Integer, primary_key = true },
    Column { "parent_id", Integer, la.ForeignKey "nodes.id" },
    Column { "name", String(30), nullable = false },
  }
  t.links = la.Table { "links", m,
    Column { "left_id", Integer, la.ForeignKey "nodes.id", primary_key = true, autoincrement = false },
    Column { "right_id", Integer, la.ForeignKey "nodes.id", primary_key = true, autoincrement = false },
    Column { "note", String(40) },
  }
end

local function sales(t, m)
  t.orders = la.Table { "orders", m,
    Column { "id", Integer, primary_key = true },
    Column { "user_id", Integer, la.ForeignKey "users.id" },
    Column { "placed", la.DateTime },
    Column { "status", String(10) },
    Column { "total", Numeric(10, 2) },
  }
  t.items = la.Table { "items", m,
    Column { "id", Integer, primary_key = true },
    Column { "order_id", Integer, la.ForeignKey "orders.id" },
    Column { "name", String(40), nullable = false },
    Column { "quantity", Integer },
    Column { "price", Numeric(10, 2) },
  }
end

local function values(t, m)
  t.measurements = la.Table { "measurements", m,
    Column { "id", Integer, primary_key = true },
    Column { "taken", la.Date },
    Column { "at", la.DateTime },
    Column { "clock", la.Time },
    Column { "value", Numeric(12, 3) },
    Column { "ratio", la.Double },
    Column { "flags", Integer },
    Column { "big", la.BigInteger },
    Column { "raw", la.LargeBinary },
  }
  t.docs = optional(function()
    return la.Table { "docs", m,
      Column { "id", Integer, primary_key = true },
      Column { "title", String(40) },
      Column { "data", la.JSON },
    }
  end)
  -- client defaults, an onupdate and a server default, which INSERT and UPDATE add in silence
  t.audits = la.Table { "audits", m,
    Column { "id", Integer, primary_key = true },
    Column { "message", String(100) },
    Column { "level", Integer, default = 1 },
    Column { "changes", Integer, default = 0, onupdate = 7 },
    Column { "state", String(10), server_default = "new" },
  }
end

-- Names that have to be quoted: words of SQL, capitals, blanks.
local function names(t, m)
  t.reserved = la.Table { "order", m,
    Column { "id", Integer, primary_key = true },
    Column { "select", Integer },
    Column { "group", String(20) },
    Column { "user", String(20) },
  }
  t.mixed = la.Table { "MixedCase", m,
    Column { "Id", Integer, primary_key = true },
    Column { "someName", String(20) },
    Column { "with space", Integer },
  }
end

-- What not every database can create.
local function special(t)
  t.remote = la.Table { "things", la.MetaData(), schema = "remote",
    Column { "id", Integer, primary_key = true },
    Column { "name", String(20) },
  }
  t.lists = optional(function()
    return la.Table { "lists", la.MetaData(),
      Column { "id", Integer, primary_key = true },
      Column { "numbers", la.ARRAY(Integer) },
      Column { "words", la.ARRAY(String(20)) },
    }
  end)
end

-- The types that PostgreSQL alone has.
local function own(t)
  local pg = la.postgresql
  t.stuff = optional(function()
    return la.Table { "stuff", la.MetaData(),
      Column { "id", Integer, primary_key = true },
      Column { "data", pg.JSONB },
      Column { "doc", pg.JSON },
      Column { "tags", pg.HSTORE },
      Column { "span", pg.INT4RANGE },
      Column { "days", pg.DATERANGE },
      Column { "spans", pg.INT4MULTIRANGE },
      Column { "numbers", la.ARRAY(Integer) },
      Column { "grid", la.ARRAY { Integer, dimensions = 2 } },
      Column { "words", la.ARRAY(String(20)) },
      Column { "mood", la.Enum { "a", "bb", name = "mood" } },
      Column { "moods", la.ARRAY(la.Enum { "a", "bb", name = "mood" }) },
      Column { "key", la.Uuid },
      Column { "net", pg.INET },
      Column { "flags", pg.BIT(3) },
      Column { "vector", pg.TSVECTOR },
      Column { "wait", la.Interval },
      Column { "name", String(50) },
    }
  end)
end

-- Rows, in an order in which foreign keys hold. No row of one table ties with another by what a case orders by alone, and no
-- text differs from another by the case of letters alone, for databases differ there.
local rows = {
  { "users", "id", "name", "fullname", "age", "active", "balance",
    { 1, "ann", "ann arbor", 30, true, "10.50" },
    { 2, "bob", la.null, 45, false, "0.00" },
    { 3, "cyn", "cyn the 3rd", 28, true, "250.25" },
    { 4, "dan", "dan", la.null, la.null, la.null },
    { 5, "eve", "eve 50% off", 61, true, "-3.75" } },
  { "addresses", "id", "user_id", "email", "kind",
    { 1, 1, "ann@home.example", "home" },
    { 2, 1, "ann@work.example", "work" },
    { 3, 2, "bob@home.example", "home" },
    { 4, 4, "dan@else.example", la.null } },
  { "nodes", "id", "parent_id", "name",
    { 1, la.null, "root" }, { 2, 1, "left" }, { 3, 1, "right" }, { 4, 2, "leaf" }, { 5, 4, "tip" } },
  { "links", "left_id", "right_id", "note", { 1, 2, "up" }, { 2, 3, "over" }, { 2, 4, la.null } },
  { "orders", "id", "user_id", "placed", "status", "total",
    { 1, 1, "2024-01-02 03:04:05", "new", "30.00" },
    { 2, 1, "2024-02-29 13:00:00", "paid", "12.50" },
    { 3, 2, "2023-12-31 23:59:59", "new", "99.99" },
    { 4, la.null, la.null, "void", "5.00" } },
  { "items", "id", "order_id", "name", "quantity", "price",
    { 1, 1, "pen", 2, "1.50" }, { 2, 1, "ink", 1, "7.25" }, { 3, 2, "pen", 10, "1.40" },
    { 4, 3, "book", 3, "20.00" }, { 5, 3, "box", 1, "0.99" } },
  { "measurements", "id", "taken", "at", "clock", "value", "ratio", "flags", "big", "raw",
    { 1, "2024-01-02", "2024-01-02 03:04:05", "13:14:15", "12.500", 0.5, 5, 9007199254740993, "\0\1\254" },
    { 2, "2024-02-29", "2024-02-29 13:30:00", "00:00:00", "-0.125", 2.25, 3, -1, "abc" },
    { 3, "2023-12-31", "2023-12-31 23:59:59", "23:59:59", "1000.000", -1.5, 12, 0, "" },
    { 4, la.null, la.null, la.null, la.null, la.null, la.null, la.null, la.null } },
  { "docs", "id", "title", "data",
    { 1, "one", { name = "first", size = 3, ratio = 1.5, done = true, owner = { name = "ann" }, tags = { "a", "b" } } },
    { 2, "two", { name = "second", size = 30, ratio = 0.25, done = false, owner = { name = "bob" }, tags = { "c" } } },
    { 3, "three", la.null } },
  { "audits", "id", "message", "level", "changes", "state", { 1, "start", 1, 0, "new" }, { 2, "stop", 2, 3, "old" } },
  { "reserved", "id", "select", "group", "user", { 1, 10, "g", "x" }, { 2, 20, "h", "y" } },
  { "mixed", "Id", "someName", "with space", { 1, "upper", 7 }, { 2, "lower", la.null } },
  { "remote", "id", "name", { 1, "far" }, { 2, "away" } },
  { "lists", "id", "numbers", "words", { 1, { 1, 2, 3 }, { "a", "b" } }, { 2, { 5, 6 }, { "c" } } },
}

local temporal = { placed = la.datetime, at = la.datetime, taken = la.date, clock = la.time }
local decimals = { balance = true, total = true, price = true, value = true }

local function converted(name, value)
  if value == la.null then return value end
  if temporal[name] then return temporal[name](value) end
  return decimals[name] and la.decimal(value) or value
end

--- The inserts of all rows, one a row: { { table = its name here, insert }, … }; those of tables that are not there are left out.
function world.inserts(tables)
  local list = {}
  for _, block in ipairs(rows) do
    local columns = {}
    for index, entry in ipairs(block) do
      if type(entry) == "string" then
        if index > 1 then columns[#columns + 1] = entry end
      elseif tables[block[1]] then
        local row = {}
        for place, name in ipairs(columns) do row[name] = converted(name, entry[place]) end
        list[#list + 1] = { table = block[1], insert = tables[block[1]]:insert():values(row) }
      end
    end
  end
  return list
end

--- Fresh tables, by name, and the metadata of those that every database has.
function world.tables()
  local t, m = {}, la.MetaData()
  people(t, m)
  sales(t, m)
  values(t, m)
  names(t, m)
  special(t)
  own(t)
  return t, m
end

--- What the Lua of a case sees: Lua's own words, la, func, and the tables. A name that is not there is an error.
function world.environment()
  local tables, metadata = world.tables()
  local environment = {}
  for name, value in pairs(_G) do environment[name] = value end
  for name, value in pairs(tables) do environment[name] = value end
  environment.la, environment.func, environment.metadata, environment.tables = la, la.func, metadata, tables
  return setmetatable(environment, { __index = function(_, name) error("the world of the cases has no '" .. tostring(name) .. "'", 2) end })
end

return world
