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
  environment.la, environment.func, environment.metadata = la, la.func, metadata
  return setmetatable(environment, { __index = function(_, name) error("the world of the cases has no '" .. tostring(name) .. "'", 2) end })
end

return world
