-- create_all and drop_all look first: tables, sequences and types that are there are left alone, whatever the way to the database.
local la = require "lualchemy"
local core = require "lualchemy.core"
local servers = dofile "spec/servers.lua"

-- The ways to databases are those of the suite, and one more.
local ways = {}
for _, name in ipairs { "postgresql", "odbc_postgresql", "mariadb", "odbc_mariadb", "sqlite" } do
  local record = dofile(("spec/suite/quirks/%s.lua"):format(name))
  ways[#ways + 1] = { name = record.name, server = record.server, missing = record.missing, url = record.url }
end
ways[#ways + 1] = { name = "a MariaDB as mysql://", server = "mariadb",
  url = function(folder) return ("mysql://spec@/spec?unix_socket=%s/mariadb.sock"):format(folder) end }

local function schema()
  local metadata = la.MetaData()
  local numbers = la.Sequence { "checkfirst_numbers", metadata, start = 5 }
  la.Table { "checkfirst_parents", metadata,
    la.Column { "id", la.Integer, primary_key = true },
    la.Column { "mood", la.Enum { "sad", "merry", name = "checkfirst_mood" } },
    la.Column { "number", la.Integer, numbers },
  }
  la.Table { "checkfirst_children", metadata,
    la.Column { "id", la.Integer, primary_key = true },
    la.Column { "mood", la.Enum { "sad", "merry", name = "checkfirst_mood" } },
    la.Column { "parent_id", la.ForeignKey "checkfirst_parents.id" },
  }
  return metadata
end

-- The texts of DDL that were run meanwhile.
local function ddl_of(engine, fn)
  local texts = {}
  local function hear(_, event) texts[#texts + 1] = event.statement:match "^%s*CREATE.*" or event.statement:match "^%s*DROP.*" end
  la.event.listen(engine, "before_execute", hear)
  fn()
  la.event.remove(engine, "before_execute", hear)
  return texts
end

local function describe_way(way)
  describe("on " .. way.name, function()
    local missing = way.missing and way.missing()
    if missing then return pending(missing) end
    local server, why
    if way.server then server, why = servers.start(way.server) end
    if way.server and not server then return pending("a server: " .. tostring(why)) end
    teardown(function() if server then server:stop() end end)

    it("what is there is left alone, and what is not there is not dropped", function()
      local url = server and way.url(server.folder) or "sqlite://"
      local engine, metadata = la.create_engine(url), schema()
      assert.same({}, ddl_of(engine, function() metadata:drop_all(engine) end))
      assert.truthy(#ddl_of(engine, function() metadata:create_all(engine) end) >= 2)
      assert.same({}, ddl_of(engine, function() metadata:create_all(engine) end))
      -- A part of it: the sequence and the type stay, with one table.
      engine:begin(function(c) c:exec_driver_sql "drop table checkfirst_children" end)
      local again = ddl_of(engine, function() metadata:create_all(engine) end)
      assert.equal(1, #again)
      assert.truthy(again[1]:find "checkfirst_children")
      engine:begin(function(c) assert.is_true(c:has_table "checkfirst_parents") end)
      assert.truthy(#ddl_of(engine, function() metadata:drop_all(engine) end) >= 2)
      assert.same({}, ddl_of(engine, function() metadata:drop_all(engine) end))
      engine:dispose()
    end)
  end)
end

for _, way in ipairs(ways) do describe_way(way) end

describe("on the mock", function()
  for dialect, words in pairs { mssql = { "sys.all_objects", "'SO'" }, oracle = { "all_objects", "'SEQUENCE'" } } do
    it(dialect .. " is asked for tables and sequences by queries of its own", function()
      local mock = core.mock()
      local engine, metadata = la.create_engine("mock+" .. dialect .. "://", { mock = mock }), schema()
      for _ = 1, 3 do mock:answer { pattern = words[1], columns = { "1" }, rows = { { 1 } } } end
      assert.same({}, ddl_of(engine, function() metadata:create_all(engine) end))
      local asked, sequences = 0, 0
      for _, one in ipairs(mock:statements()) do
        if one.sql:find(words[1], 1, true) then asked = asked + 1 end
        if one.sql:find(words[2], 1, true) then
          sequences = sequences + 1
          assert.equal("checkfirst_numbers", one[1])
        end
      end
      assert.same({ 3, 1 }, { asked, sequences })
    end)
  end
end)
