-- Coroutines on a real server: a loop that ticks while statements sleep, and many coroutines that share few connections.
local la = require "lualchemy"
local servers = dofile "spec/servers.lua"
local found, uv = pcall(require, "luv")
local server, why
if found then server, why = servers.start "postgresql" else why = "needs lua-luv, which is not here" end

describe("coroutines on PostgreSQL", function()
  local engine
  setup(function()
    if not server then return end
    local wait = require "lualchemy.wait.luv"
    engine = la.create_engine("postgresql://spec@/spec?host=" .. server.folder, { wait = wait, pool_size = 10, max_overflow = 0 })
  end)
  teardown(function()
    if not server then return end
    engine:dispose()
    server:stop()
  end)

  local function case(name, run)
    it(name, function()
      if not server then return pending(why) end
      run()
    end)
  end

  -- Lets the loop run until so many coroutines are through.
  local function together(count, body)
    local done, ticks, ticker = 0, 0, uv.new_timer()
    ticker:start(10, 10, function() ticks = ticks + 1 end)
    for i = 1, count do coroutine.wrap(function() body(i) done = done + 1 end)() end
    local deadline = uv.now() + 60000
    while done < count and uv.now() < deadline do uv.run "once" end
    ticker:close()
    uv.run "nowait"
    assert.equal(count, done)
    return ticks
  end

  case("let the loop tick while a statement sleeps", function()
    local ticks = together(1, function()
      local c <close> = engine:connect()
      c:exec_driver_sql "SELECT pg_sleep(0.5)"
    end)
    assert.is_true(ticks >= 20, tostring(ticks))
  end)

  case("share ten connections, two hundred of them", function()
    local sums, started = 0, uv.hrtime()
    together(200, function(i)
      local c <close> = engine:connect()
      local n = c:exec_driver_sql("SELECT ?::integer AS n, pg_sleep(0.02)", { i }):scalar()
      sums = sums + n
    end)
    assert.equal(200 * 201 / 2, sums)
    assert.is_true((uv.hrtime() - started) / 1e9 < 200 * 0.02, "they wait for one another")
    assert.equal(10, engine:pool_status().idle)
  end)

  case("are given up in the middle of a statement, and the pool is whole", function()
    local thread = coroutine.create(function()
      local c <close> = engine:connect()
      c:exec_driver_sql "SELECT pg_sleep(30)"
    end)
    assert(coroutine.resume(thread))
    for _ = 1, 5 do uv.run "nowait" uv.sleep(5) end
    assert.equal("suspended", coroutine.status(thread))
    assert.is_true(coroutine.close(thread))
    assert.equal(0, engine:pool_status().in_use)
    together(10, function()
      local c <close> = engine:connect()
      assert(c:exec_driver_sql("SELECT 1"):scalar() == 1)
    end)
  end)
end)
