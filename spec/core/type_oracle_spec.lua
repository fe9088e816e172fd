-- What lualchemy writes, SQLAlchemy reads as the same value, and the other way round: Debian's SQLAlchemy with psycopg2, PyMySQL and
-- Python's SQLite, on tables that lualchemy has made. The seed stands in each failure: SEED=… runs it again.
-- luacheck: no max line length
local la = require "lualchemy"
local core = require "lualchemy.core"
local servers = dofile "spec/servers.lua"
local values = dofile "spec/suite/type_values.lua"

local ROUNDS, THEIRS = 25, 1000   -- random values of each kind; what is added to the keys of rows that SQLAlchemy writes
local python = "env -u LD_PRELOAD /usr/bin/python3 -W ignore"   -- not with our sanitizers

-- One line a value: number of the kind, key, the value as text of one form. Lines of the file are to be written; then all rows are printed.
local script = [[
import sys, json, struct, datetime, decimal
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
url, path = sys.argv[1], sys.argv[2]
engine = sa.create_engine(url)
decimal.getcontext().prec = 60
utc = datetime.timezone.utc
def moment(text): return datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f")
def aware(text): return moment(text).replace(tzinfo=utc) if engine.dialect.name == "postgresql" else moment(text)
def bare(value): return value.astimezone(utc).replace(tzinfo=None) if value.tzinfo else value
def date_text(value): return "%04d-%02d-%02d" % (value.year, value.month, value.day)
def time_text(value): return "%02d:%02d:%02d.%06d" % (value.hour, value.minute, value.second, value.microsecond)
def moment_text(value): return date_text(value) + " " + time_text(value)
def microseconds(value): return str((value.days * 86400 + value.seconds) * 1000000 + value.microseconds)
def text(value): return value.encode("utf8").hex()
def untext(value): return bytes.fromhex(value).decode("utf8")
words = ["a", "b c", "it's", "\u00e9\U0001F600", "A long word, with a comma"]
integer, real = (int, str), (lambda t: struct.unpack(">d", bytes.fromhex(t))[0], lambda v: struct.pack(">d", v).hex())
number = (decimal.Decimal, lambda v: format(v.normalize(), "f"))
kinds = {
  "SmallInteger": (sa.SmallInteger,) + integer, "Integer": (sa.Integer,) + integer, "BigInteger": (sa.BigInteger,) + integer,
  "Double": (sa.Float(53),) + real, "Float": (sa.Float,) + real,
  "Numeric(15, 4)": (sa.Numeric(15, 4),) + number, "Numeric(38, 10)": (sa.Numeric(38, 10),) + number, "Numeric of fifteen digits": (sa.Numeric(15, 5),) + number,
  "String": (sa.String(300), untext, text), "Text": (sa.Text, untext, text), "UnicodeText, all characters": (sa.UnicodeText, untext, text),
  "LargeBinary": (sa.LargeBinary, bytes.fromhex, bytes.hex),
  "Boolean": (sa.Boolean, lambda t: t == "true", lambda v: "true" if v is True else "false" if v is False else repr(v)),
  "Date": (sa.Date, datetime.date.fromisoformat, date_text), "Time": (sa.Time, datetime.time.fromisoformat, time_text),
  "DateTime": (sa.DateTime, moment, moment_text), "DateTime with a zone": (sa.DateTime(timezone=True), aware, lambda v: moment_text(bare(v))),
  "Interval": (sa.Interval, lambda t: datetime.timedelta(microseconds=int(t)), microseconds),
  "Uuid": (postgresql.UUID(as_uuid=False), str, str), "Enum": (sa.Enum(*words, name="suite_words"), untext, text),
  "JSON": (sa.JSON, lambda t: json.loads(untext(t)), lambda v: text(json.dumps(v))),
}
tables = {}
with open(path) as lines: given = [line.rstrip("\n").split("\t") for line in lines]
with engine.begin() as connection:
  for number_of, name, key, value in given:
    type_, parse, show = kinds[name]
    if number_of not in tables: tables[number_of] = (sa.Table("oracle_" + number_of, sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True, autoincrement=False), sa.Column("value", type_)), show)
    connection.execute(tables[number_of][0].insert(), {"id": int(key), "value": parse(value)})
  for number_of, (table, show) in tables.items():
    for row in connection.execute(sa.select(table).order_by(table.c.id)):
      print(number_of, row[0], show(row[1]), sep="\t")
]]

-- Values as text ----------------------------------------------------------------------------------------

local function hex(text) return (text:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) end
local function unhex(text) return (text:gsub("%x%x", function(digits) return string.char(tonumber(digits, 16)) end)) end
local function real_text(value) return hex(string.pack(">d", value)) end
local function clock(value) return ("%02d:%02d:%02d.%06d"):format(value.hour, value.minute, value.second, value.microsecond) end
local function moment_text(value)
  if value.offset then value = value:utc() end
  return ("%04d-%02d-%02d "):format(value.year, value.month, value.day) .. clock(value)
end
local function decimal_text(value)
  local text = tostring(value)
  return text:find(".", 1, true) and text:gsub("0+$", ""):gsub("%.$", "") or text
end
local function interval_text(value) return tostring(value.microseconds) end

local forms = {
  SmallInteger = tostring, Integer = tostring, BigInteger = tostring, Double = real_text, Float = real_text, ["Numeric(15, 4)"] = decimal_text, ["Numeric(38, 10)"] = decimal_text,
  ["Numeric of fifteen digits"] = decimal_text, String = hex, Text = hex, ["UnicodeText, all characters"] = hex, LargeBinary = hex, Boolean = tostring, Date = tostring, Time = clock, DateTime = moment_text,
  ["DateTime with a zone"] = moment_text, Interval = interval_text, Uuid = tostring, Enum = hex, JSON = function(value) return hex(core.json_encode(value)) end,
}

local function kinds_for(without)
  local list = {}
  for _, kind in ipairs(values.kinds) do
    if forms[kind.name] and not without[kind.name] then list[#list + 1] = kind end
  end
  return list
end

-- The databases -----------------------------------------------------------------------------------------

local databases = {
  { name = "SQLite", module = "sqlite3", url = function(folder) return "sqlite:///" .. folder .. "/oracle.db", "sqlite:///" .. folder .. "/oracle.db" end,
    without = { ["Numeric(38, 10)"] = "numbers are doubles", Uuid = "SQLAlchemy 1.4 has none" } },
  { name = "PostgreSQL", module = "psycopg2", server = "postgresql", without = {},
    url = function(folder) return "postgresql://spec@/spec?host=" .. folder, "postgresql+psycopg2://spec@/spec?host=" .. folder end },
  { name = "MariaDB", module = "pymysql", server = "mariadb", without = { Uuid = "SQLAlchemy 1.4 has none" },
    url = function(folder)
      return ("mariadb://spec@/spec?unix_socket=%s/mariadb.sock"):format(folder), ("mysql+pymysql://spec@/spec?unix_socket=%s/mariadb.sock&charset=utf8mb4"):format(folder)
    end },
}

local function has_module(module) return os.execute((python .. " -c 'import sqlalchemy, %s' 2>/dev/null"):format(module)) end

local function temporary_folder()
  local pipe = assert(io.popen "mktemp -d")
  local path = pipe:read "*l"
  pipe:close()
  return path
end

local function write_file(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

-- Our rows are written, theirs are asked for; answers every row as SQLAlchemy has read it: [kind's number][key] = text.
local function ask(engine, url, folder, kinds, lists, tables)
  local lines, read = {}, {}
  engine:begin(function(connection)
    for number, kind in ipairs(kinds) do
      tables[number]:create(connection)
      for key, value in ipairs(lists[number]) do
        connection:execute(tables[number]:insert(), { id = key, value = value })
        lines[#lines + 1] = table.concat({ number, kind.name, THEIRS + key, forms[kind.name](value) }, "\t")
      end
    end
  end)
  write_file(folder .. "/given", table.concat(lines, "\n"))
  write_file(folder .. "/script.py", script)
  local pipe = assert(io.popen(("%s %s/script.py '%s' %s/given 2>&1"):format(python, folder, url, folder)))
  local said = {}
  for line in pipe:lines() do
    local number, key, text = line:match "^(%d+)\t(%d+)\t(.*)$"
    if number then
      read[tonumber(number)] = read[tonumber(number)] or {}
      read[tonumber(number)][tonumber(key)] = text
    else
      said[#said + 1] = line
    end
  end
  assert(pipe:close(), table.concat(said, "\n"))
  return read
end

-- How the texts of a value may differ: documents by what is in them.
local function same_text(kind, mine, theirs)
  if kind.name ~= "JSON" then return mine == theirs end
  return values.same_document(core.json_decode(unhex(mine)), core.json_decode(unhex(theirs)))
end

-- A document that is a float alone goes from SQLAlchemy as digits, which SQLite reads with an error in the last bit at times: what both then read of it stands there.
local function is_read_by_sqlite(kind, kept, dialect) return kind.name == "JSON" and dialect == "sqlite" and math.type(kept) == "float" end

local function as_sqlite_reads(value, theirs)
  local read = theirs and core.json_decode(unhex(theirs))
  local near = math.type(read) == "float" and math.abs(read - value) <= math.abs(value) * 2.0 ^ -51 + 5e-324
  return near and read or value
end

local function compare_value(connection, kind, value, rows, things, key)
  local function check_theirs(expected, row)
    local theirs = rows[row]
    assert(theirs and same_text(kind, forms[kind.name](expected), theirs),
      ("%s: %s is %s to SQLAlchemy (row %d; SEED=%d)"):format(kind.name, values.shown(value), tostring(theirs):sub(1, 300), row, values.seed))
  end
  local kept = values.expected(kind, value, connection.engine.dialect.name)
  check_theirs(kept, key)
  if is_read_by_sqlite(kind, kept, connection.engine.dialect.name) then kept = as_sqlite_reads(kept, rows[THEIRS + key]) end
  check_theirs(kept, THEIRS + key)
  local mine = connection:scalar(la.select(things.c.value):where(things.c.id:eq(THEIRS + key)))
  assert(kind.same(kept, mine), ("%s: SQLAlchemy has written %s, and %s came back (SEED=%d)"):format(kind.name, values.shown(value), values.shown(mine), values.seed))
end

local function compare(engine, kinds, lists, tables, read)
  engine:begin(function(connection)
    for number, kind in ipairs(kinds) do
      for key, value in ipairs(lists[number]) do compare_value(connection, kind, value, read[number] or {}, tables[number], key) end
    end
  end)
end

local function run(database, folder, work)
  local url, theirs = database.url(folder)
  local engine = la.create_engine(url)
  local kinds, lists, tables, metadata = kinds_for(database.without), {}, {}, la.MetaData()
  for number, kind in ipairs(kinds) do
    lists[number] = values.some(kind, ROUNDS)
    tables[number] = la.Table { "oracle_" .. number, metadata, la.Column { "id", la.Integer, primary_key = true, autoincrement = false }, la.Column { "value", kind.type } }
  end
  metadata:create_all(engine, { tables = {} })
  local read = ask(engine, theirs, work, kinds, lists, tables)
  compare(engine, kinds, lists, tables, read)
  engine:dispose()
end

describe("SQLAlchemy and lualchemy have the same values", function()
  for _, database in ipairs(databases) do
    it("on " .. database.name, function()
      if not has_module(database.module) then
        assert(not os.getenv "CI", "python3-sqlalchemy is not installed")
        return pending("Debian's python3-sqlalchemy and python3-" .. database.module)
      end
      local server, why, folder
      local work = temporary_folder()
      if database.server then
        server, why = servers.start(database.server)
        if not server then return pending(why) end
        folder = server.folder
      end
      local ok, failure = pcall(run, database, folder or work, work)
      if server then server:stop() end
      os.execute("rm -rf " .. work)
      assert(ok, failure)
    end)
  end
end)
