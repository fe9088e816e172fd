-- A client that is killed in the middle of what it writes leaves all of it or nothing, and no lock.
local la = require "lualchemy"
local world = dofile "spec/fault/world.lua"

local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

-- True: it came to its end; false: it was killed.
local function write(url, group, point)
  local command = "%s spec/fault/writer.lua %s %d %d 2>/dev/null"
  local ok, how, code = os.execute(command:format(arg and arg[-1] or "lua5.4", quoted(url), group, point))
  assert(ok or (how == "signal" and code == 9) or code == 137, ("the writer ended with %s %s"):format(how, tostring(code)))
  return ok == true
end

-- Kills it at one point after the other; what is there afterwards is whole. settle(): waits until the server has seen it.
local function crash(url, settle)
  write(url, 0, 0)
  local engine = la.create_engine(url, { pool = "null" })
  local function number(sql)
    local c <close> = engine:connect()
    return math.tointeger(tonumber(tostring(c:exec_driver_sql(sql):scalar())))
  end
  local whole, killed, ended, step = 0, 0, 0, os.getenv "SPEC_ROUNDS" and 1 or 4
  local rounds = world.rounds(1)
  for round = 1, rounds do
    local point, over = 1 + round % step, false
    while not over do
      over = write(url, killed + ended + 1, point)
      if over then ended = ended + 1 else killed = killed + 1 end
      settle()
      local parents = number "select count(*) from parents"
      assert.equal(parents, number "select n from counters")
      assert.equal(60 * parents, number "select count(*) from children")
      assert.equal(0, number "select count(*) from children where parent_id not in (select id from parents)")
      assert(parents == whole + 1 or (parents == whole and not over), ("%d of %d"):format(parents, whole))
      whole = parents
      point = point + step
    end
  end
  engine:dispose()
  assert.is_true(killed >= 2, tostring(killed))
  if os.getenv "SPEC_ROUNDS" then print(("# %s: killed at %d points, %d were whole"):format(url:match "^%a+", killed, whole)) end
end

world.on_servers("a client that is killed", function(_, case)
  case("leaves all or nothing", function(here)
    crash(here.url:format(here.server.folder), function()
      here:settle()
    end)
  end)
end)

describe("a client that is killed on SQLite", function()
  for _, mode in ipairs { "delete", "wal" } do
    it("leaves all or nothing, with its journal in mode " .. mode, function()
      local path = os.tmpname()
      local url = ("sqlite:///%s?journal_mode=%s"):format(path, mode)
      crash(url, function() end)
      local c <close> = la.create_engine(url):connect()
      assert.equal("ok", c:exec_driver_sql("pragma integrity_check"):scalar())
      c:close()
      for _, suffix in ipairs { "", "-wal", "-shm", "-journal" } do os.remove(path .. suffix) end
    end)
  end
end)
