-- Coroutines that end in the middle of a statement, closed from outside or by an error of their wait: nobody waits for the statement, the
-- server does no more of it, the connection goes back at once.
local la = require "lualchemy"
local world = dofile "spec/fault/world.lua"

local Base = la.declarative_base()
local Thing = Base:model "Thing" {
  __tablename = "things", id = la.Column { la.Integer, primary_key = true }, name = la.Column { la.String(40) },
}
local things = Base.metadata.tables.things

local lock = { postgresql = "LOCK TABLE things", mariadb = "LOCK TABLES things WRITE" }

local function pairs_of(count)
  local rows = {}
  for i = 1, count do rows[i] = { i, "name" } end
  return rows
end

--- [what] = function(engine, here) that the server keeps waiting: by sleeping, or by the lock on things.
local works = {
  ["a text"] = function(engine, here)
    local c <close> = engine:connect()
    c:exec_driver_sql(here.sleep:format(60))
  end,
  ["a statement"] = function(engine, here)
    local c <close> = engine:connect()
    c:execute(la.text(here.sleep:format(60)))
  end,
  ["a statement that is its own transaction"] = function(engine, here)
    local c <close> = engine:connect():execution_options { isolation_level = "AUTOCOMMIT" }
    c:exec_driver_sql(here.sleep:format(60))
  end,
  ["rows that come by pieces"] = function(engine, here)
    local c <close> = engine:connect()
    for row in c:execute(la.text(here.sleep:format(60)), nil, { yield_per = 10 }) do assert(row) end
  end,
  ["engine:begin"] = function(engine, here)
    engine:begin(function(c) c:execute(la.text(here.sleep:format(60))) end)
  end,
  ["run_transaction"] = function(engine, here)
    engine:run_transaction(function(c) c:exec_driver_sql(here.sleep:format(60)) end, { retries = 3 })
  end,
  ["a savepoint"] = function(engine, here)
    engine:begin(function(c)
      c:begin_nested()
      c:exec_driver_sql(here.sleep:format(60))
    end)
  end,
  ["many rows at once"] = function(engine)
    local c <close> = engine:connect()
    c:execute(things:insert(), { { id = 1, name = "one" }, { id = 2, name = "two" } })
  end,
  ["rows in one stream"] = function(engine)
    local c <close> = engine:connect()
    c:copy_from(things, pairs_of(20000))
  end,
  ["a session's statement"] = function(engine, here)
    local session <close> = la.Session(engine)
    session:execute(la.text(here.sleep:format(60)))
  end,
  ["session:get"] = function(engine)
    local session <close> = la.Session(engine)
    session:get(Thing, 3)
  end,
  ["a flush"] = function(engine)
    local session <close> = la.Session(engine)
    for _, row in ipairs(pairs_of(10)) do session:add(Thing { id = row[1], name = row[2] }) end
    session:commit()
  end,
  ["a flush within a savepoint"] = function(engine)
    local session <close> = la.Session(engine)
    session:begin_nested()
    for _, row in ipairs(pairs_of(10)) do session:add(Thing { id = row[1], name = row[2] }) end
    session:flush()
  end,
  ["drop_all"] = function(engine) Base.metadata:drop_all(engine) end,
  ["two phases"] = function(engine, here)
    local c <close> = engine:connect()
    c:begin_twophase()
    c:exec_driver_sql(here.sleep:format(60))
  end,
}

--- Begins fn(engine, here) in a coroutine, which then waits for the server: others is how many sessions there are without its own.
local function begin(fn, engine, here, others)
  world.eventually(function() return here:ask(here.sessions) == others end, "those before are gone")
  local thread = coroutine.create(fn)
  local until_then = world.now() + 0.1
  world.eventually(function()
    assert(coroutine.resume(thread, engine, here))
    assert.equal("suspended", coroutine.status(thread))
    return world.now() > until_then and here:ask(here.sessions) == others + 1
  end, "the statement is under way")
  return thread
end

local endings = {
  ["closed"] = function(thread) assert(coroutine.close(thread)) end,
  ["ended by an error of its wait"] = function(thread)
    local ok, failure = coroutine.resume(thread, "cancel")
    while ok and coroutine.status(thread) == "suspended" do ok, failure = coroutine.resume(thread) end
    assert.is_false(ok)
    assert.equal("cancelled", failure)
    coroutine.close(thread)
  end,
}

local function wait()
  if coroutine.yield() == "cancel" then error("cancelled", 0) end
end

--- A wait of one's own for each: { what = of works, how = of endings }, in one order.
local function all_ways()
  local all = {}
  for what in pairs(works) do
    for how in pairs(endings) do all[#all + 1] = { what = what, how = how } end
  end
  table.sort(all, function(a, b) return a.what .. a.how < b.what .. b.how end)
  return all
end

world.on_servers("a coroutine that is given up", function(name, case)
  for _, way in ipairs(all_ways()) do
    case(("in %s, %s: nobody waits"):format(way.what, way.how), function(here)
      here:order "drop table if exists things"
      Base.metadata:create_all(here.admin)
      local holder <close> = here.admin:connect()
      holder:execution_options { isolation_level = "READ COMMITTED" }
      holder:exec_driver_sql(lock[name])
      local engine = here:open { wait = wait, pool_size = 2, max_overflow = 0 }
      local thread = begin(works[way.what], engine, here, 1)
      local started = world.now()
      endings[way.how](thread)
      assert(world.now() - started < 5, ("it took %.1f s"):format(world.now() - started))
      assert.same({ size = 2, idle = 0, in_use = 0, overflow = 0 }, engine:pool_status())
      world.eventually(function() return here:ask(here.sessions) == 1 end, "the server has ended it")
      holder:close()
      engine:begin(function(c)
        assert.equal(0, c:execute(la.select(la.func.count()):select_from(things)):scalar())
      end)
      engine:dispose()
      here:settle()
    end)
  end

  case("is so at any moment", function(here)
    for waits = 1, 30 do
      local engine = here:open { wait = coroutine.yield }
      local thread = coroutine.create(works["a savepoint"])
      for _ = 1, waits do assert(coroutine.resume(thread, engine, here)) end
      local started = world.now()
      assert(coroutine.close(thread))
      assert(world.now() - started < 5, ("after %d waits it took %.1f s"):format(waits, world.now() - started))
      here:settle()
      engine:dispose()
    end
  end)

  case("leaves its connection closed to all, and what it had begun undone", function(here)
    local accounts = here:accounts(2)
    local engine = here:open { wait = wait }
    local c
    local thread = begin(function()
      c = engine:connect()
      c:execute(accounts:update():values { balance = 0 })
      local rows <close> = c:execute(la.text(here.sleep:format(60)))
      return rows
    end, engine, here, 0)
    assert(coroutine.close(thread))
    assert.equal(1, engine:pool_status().in_use)
    c:close()
    world.fails("ResourceClosedError", function() c:exec_driver_sql "select 1" end)
    here:settle()
    assert.equal(200, here:ask "select sum(balance) from accounts")
    engine:dispose()
  end)

  case("is none that has read enough: its connection goes back to the pool", function(here)
    local all = here.rows:format(20000)
    local function read_on(rows)
      local count = 0
      for _ in rows do
        count = count + 1
        if count == 150 then return end
      end
    end
    local readers = {
      function(c) read_on(c:execute(la.text(all))) end,
      function(c) read_on(c:execute(la.text(all), nil, { yield_per = 100 })) end,
      function(c) read_on(c:copy_to(la.text(all))) end,
    }
    for _, level in ipairs { "AUTOCOMMIT", "READ COMMITTED" } do
      for place, read in ipairs(readers) do
        local engine = here:open { wait = coroutine.yield, isolation_level = level }
        local thread = coroutine.create(function()
          local c <close> = engine:connect()
          read(c)
        end)
        while coroutine.status(thread) ~= "dead" do assert(coroutine.resume(thread)) end
        assert(engine:pool_status().idle == 1, ("reader %d in %s"):format(place, level))
        engine:dispose()
      end
    end
  end)

  case("does not wait for a network that answers nothing", function(here)
    local engine = here:open_far({ wait = wait, pool_size = 1, max_overflow = 0 })
    local thread = begin(works["a text"], engine, here, 0)
    here.network:tell "stall"
    local started = world.now()
    assert(coroutine.close(thread))
    assert(world.now() - started < 5, ("it took %.1f s"):format(world.now() - started))
    assert.equal(0, engine:pool_status().in_use)
    here.network:tell "drop"
    here.network:tell "pass"
    engine:begin(function(c) c:exec_driver_sql("select 1"):close() end)
    engine:dispose()
  end)
end, true)
