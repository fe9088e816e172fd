-- luacheck: no max line length
-- Schemas made at random on real servers: what is read of them is what was made, what SQLAlchemy reads of them, and what is read
-- of the schema that is made from it. SEED=number repeats a run.
local la = require "lualchemy"
local servers = dofile "spec/servers.lua"

local seed = tonumber(os.getenv "SEED") or os.time()
math.randomseed(seed)
local random = math.random
local function chance(in_) return random(in_) == 1 end
local function one_of(list) return list[random(#list)] end

local databases = {
  {
    kind = "postgresql", url = function(server) return "postgresql://spec@/spec?host=" .. server.folder end,
    python = function(server) return "postgresql+psycopg2://spec@/spec?host=" .. server.folder end,
    types = {
      la.postgresql.JSONB, la.postgresql.INET, la.postgresql.TIMESTAMP { timezone = true }, la.postgresql.INTERVAL, la.ARRAY(la.Integer),
      la.postgresql.INT4RANGE, la.postgresql.BIT { 5, varying = true }, la.Uuid(), la.postgresql.POINT,
    },
    options = { "postgresql_using", "hash" }, named_key = true, text_key = la.Text, initially = { "DEFERRED" }, partial = true,
    actions = { "CASCADE", "SET NULL", "RESTRICT", "SET DEFAULT" },
  },
  {
    kind = "mariadb", url = function(server) return ("mariadb://spec@/spec?unix_socket=%s/mariadb.sock"):format(server.folder) end,
    python = function(server) return ("mysql+pymysql://spec@localhost/spec?unix_socket=%s/mariadb.sock"):format(server.folder) end,
    types = { la.mysql.TINYINT { unsigned = true }, la.mysql.DATETIME { fsp = 6 }, la.mysql.YEAR, la.mysql.DOUBLE, la.mysql.ENUM { "a", "it's" }, la.mysql.LONGTEXT },
    options = { "mariadb_using", "hash" }, text_key = la.String(30), initially = {}, actions = { "CASCADE", "SET NULL", "RESTRICT" },
  },
}

local common = { la.Integer, la.BigInteger, la.SmallInteger, la.String(40), la.Text, la.Numeric { 12, 3 }, la.Boolean, la.Date, la.Float, la.LargeBinary, la.CHAR(3) }
local names = { "id", "name", "Mixed", "group", "two words", 'quo"te', "it's", "x$1", "1st", "é", "_under" }

-- Names without repeats, 1 to `most`.
local function some(list, most)
  local left, picked = { table.unpack(list) }, {}
  for i = 1, math.min(random(most), #list) do picked[i] = table.remove(left, random(#left)) end
  return picked
end

local function column(database, name)
  local definition = { name, nullable = not chance(3), comment = chance(5) and "about 'it'\n\\ " .. name or nil }
  local pick = random(4)
  if pick == 1 then
    definition[2], definition.server_default = la.Integer, one_of { "7", "0" }
  elseif pick == 2 then
    definition[2], definition.server_default = la.String(20), one_of { "", "it's", "a:b" }
  elseif pick == 3 then
    definition[2] = one_of(common)
  else
    definition[2] = one_of(database.types)
  end
  return definition
end

local serial = 0
local function fresh(prefix)
  serial = serial + 1
  return prefix .. "_" .. serial
end

-- A table with a key that is made by the database or given, and one column of a plain kind for everything that refers to columns.
local function random_table(database, metadata, name, others)
  local key_kind = random(3)
  local definition = { name, metadata, comment = chance(4) and "all of it's " .. name or nil }
  local function add(part) definition[#definition + 1] = part end
  if key_kind == 1 then
    add(la.Column { "key", la.BigInteger, primary_key = true })
  elseif key_kind == 2 then
    add(la.Column { "key", la.BigInteger, primary_key = true, autoincrement = false })
  else
    add(la.Column { "key", la.BigInteger, primary_key = true, autoincrement = false })
    add(la.Column { "more", la.String(10), primary_key = true })
  end
  add(la.Column { "plain", la.Integer })
  add(la.Column { "words", database.text_key })
  for _, one in ipairs(some(names, 6)) do add(la.Column(column(database, one))) end
  if chance(3) then add(la.Column { "made", la.Integer, la.Computed { "plain + 1", persisted = true } }) end
  local target = #others > 0 and chance(2) and one_of(others)
  if target and not target.two then
    add(la.Column { "other", la.BigInteger, la.ForeignKey {
      target.name .. ".key", name = fresh "fk", ondelete = chance(2) and one_of(database.actions) or nil, onupdate = chance(3) and "CASCADE" or nil,
      initially = #database.initially > 0 and chance(3) and one_of(database.initially) or nil,
    } })
  end
  if chance(2) then add(la.UniqueConstraint { "plain", "words", name = fresh "uq" }) end
  if chance(2) then add(la.CheckConstraint { one_of { "plain > 0", "plain BETWEEN 1 AND 5", "words <> ')'" }, name = fresh "ck" }) end
  if chance(2) then add(la.Index { fresh "ix", "words", "plain", unique = chance(3) }) end
  if chance(3) then add(la.Index { fresh "ix", "plain", [database.options[1]] = database.options[2] }) end
  local made = la.Table(definition)
  if database.partial and chance(2) then
    la.Index { fresh "ix", made.c.plain:desc():nulls_last(), la.func.lower(made.c.words), postgresql_where = made.c.plain:gt(3), postgresql_include = { "key" } }
  end
  return { name = name, two = key_kind == 3 }
end

local kinds = {
  "columns", "pk_constraint", "foreign_keys", "unique_constraints", "check_constraints", "exclude_constraints", "indexes", "table_comment", "table_options",
}

local function described(engine)
  local inspector, all = la.inspect(engine), {}
  for _, kind in ipairs(kinds) do all[kind] = inspector["get_multi_" .. kind](inspector) end
  for _, columns in pairs(all.columns) do
    for _, one in ipairs(columns) do one.type = tostring(one.type) end
  end
  return all
end

-- What was declared and what was read in the same words, one a line ------------------------------------

local function list(names_) return table.concat(names_, ",") end

-- The lines that one of two lists has alone.
local function difference(expected, found)
  local count, lines = {}, {}
  for _, text in ipairs(expected) do count[text] = (count[text] or 0) - 1 end
  for _, text in ipairs(found) do count[text] = (count[text] or 0) + 1 end
  for text, more in pairs(count) do
    if more ~= 0 then lines[#lines + 1] = text .. (more < 0 and " is missing" or " is too much") end
  end
  table.sort(lines)
  return table.concat(lines, "\n")
end

local function line(...)
  return (table.concat({ ... }, "|"):gsub("\n", "\\n"))
end
local function yes(value) return value and "yes" or "no" end

local function lines_read(inspector)
  local lines = {}
  for _, name in ipairs(inspector:get_table_names()) do
    for _, one in ipairs(inspector:get_columns(name)) do
      lines[#lines + 1] = line("column", name, one.name, yes(one.nullable), one.comment or "", yes(one.computed))
    end
    lines[#lines + 1] = line("key", name, list(inspector:get_pk_constraint(name).constrained_columns))
    for _, one in ipairs(inspector:get_foreign_keys(name)) do
      lines[#lines + 1] = line("foreign", name, one.name, list(one.constrained_columns), one.referred_table, list(one.referred_columns),
        (one.options or {}).ondelete or "", (one.options or {}).onupdate or "")
    end
    for _, one in ipairs(inspector:get_unique_constraints(name)) do lines[#lines + 1] = line("unique", name, one.name, list(one.column_names)) end
    for _, one in ipairs(inspector:get_check_constraints(name)) do lines[#lines + 1] = line("check", name, one.name) end
    for _, one in ipairs(inspector:get_indexes(name)) do
      -- SQLAlchemy leaves out the indexes with expressions before its version 2
      if not one.expressions then lines[#lines + 1] = line("index", name, one.name, yes(one.unique), list(one.column_names)) end
    end
    lines[#lines + 1] = line("comment", name, inspector:get_table_comment(name).text or "")
  end
  return lines
end

-- The same by SQLAlchemy's inspector.
local script = [[
import sys
from sqlalchemy import create_engine, inspect
def yes(v): return "yes" if v else "no"
def line(*parts): print("|".join(parts).replace("\n", "\\n"))
i = inspect(create_engine(sys.argv[1]))
for t in i.get_table_names():
    for c in i.get_columns(t):
        line("column", t, c["name"], yes(c["nullable"]), c.get("comment") or "", yes(c.get("computed")))
    line("key", t, ",".join(i.get_pk_constraint(t)["constrained_columns"]))
    for f in i.get_foreign_keys(t):
        o = f.get("options") or {}
        line("foreign", t, f["name"], ",".join(f["constrained_columns"]), f["referred_table"], ",".join(f["referred_columns"]), o.get("ondelete") or "", o.get("onupdate") or "")
    for u in i.get_unique_constraints(t): line("unique", t, u["name"], ",".join(u["column_names"]))
    for c in i.get_check_constraints(t): line("check", t, c["name"])
    for x in i.get_indexes(t):
        if None not in x["column_names"]: line("index", t, x["name"], yes(x["unique"]), ",".join(x["column_names"]))
    line("comment", t, i.get_table_comment(t)["text"] or "")
]]

local function lines_of_sqlalchemy(url)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(script)
  file:close()
  local pipe = assert(io.popen(("env -u LD_PRELOAD /usr/bin/python3 -W ignore %s '%s' 2>&1"):format(path, url)))
  local lines = {}
  for text in pipe:lines() do lines[#lines + 1] = text end
  pipe:close()
  os.remove(path)
  return lines
end

-- Its Debian package has no drivers in it.
local function has_sqlalchemy(module)
  return os.execute(("env -u LD_PRELOAD /usr/bin/python3 -c 'import sqlalchemy, %s' 2>/dev/null"):format(module))
end

for _, database in ipairs(databases) do
  describe("a random schema on " .. database.kind, function()
    local server, why = servers.start(database.kind)
    if not server then
      pending("a server: " .. tostring(why))
      return
    end
    teardown(function() server:stop() end)
    local engine = la.create_engine(database.url(server))
    local module = database.kind == "postgresql" and "psycopg2" or "pymysql"

    local function made_schema()
      local metadata, others = la.MetaData(), {}
      for i = 1, 8 do others[i] = random_table(database, metadata, one_of { "t", "Table ", "été_" } .. i, others) end
      metadata:create_all(engine)
    end

    local function drop_all()
      local metadata = la.MetaData()
      metadata:reflect { bind = engine }
      metadata:drop_all(engine)
      return metadata
    end

    it("is the same when made from what was read (SEED=" .. seed .. ")", function()
      for _ = 1, tonumber(os.getenv "SPEC_ROUNDS") or 6 do
        made_schema()
        local before = described(engine)
        local metadata = drop_all()
        assert.same({}, la.inspect(engine):get_table_names())
        metadata:create_all(engine)
        assert.same(before, described(engine))
        drop_all()
      end
    end)

    it("is read as SQLAlchemy reads it (SEED=" .. seed .. ")", function()
      if not has_sqlalchemy(module) then
        assert(not os.getenv "CI", "python3-sqlalchemy is not installed")
        return pending("Debian's python3-sqlalchemy and python3-" .. module)
      end
      for _ = 1, 3 do
        made_schema()
        assert.equal("", difference(lines_of_sqlalchemy(database.python(server)), lines_read(la.inspect(engine))))
        drop_all()
      end
    end)
  end)
end
