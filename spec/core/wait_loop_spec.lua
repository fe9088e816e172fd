-- The adapters to event loops, each with its real library: coroutines share few connections, a loop ticks on while a statement sleeps.
-- luacheck: no max line length
local la = require "lualchemy"
local core = require "lualchemy.core"
local world, loops = dofile "spec/core/world.lua", dofile "spec/loops.lua"
local mocked = world.mocked

-- The loop of that name: start a coroutine, have a function called every hundredth of a second in the next run, run until finished().
local function open(name, library)
  local _, start, run = loops.open[name](library)
  local on_tick
  return {
    start = start,
    tick = function(fn) on_tick = fn end,
    run = function(finished)
      run(function() if on_tick then on_tick() end end, finished)
      on_tick = nil
    end,
  }
end

-- What is open in luv's loop.
local function handles(uv)
  local n = 0
  uv.walk(function(handle) if not handle:is_closing() then n = n + 1 end end)
  return n
end

-- Coroutines that are done may still be giving their connections back.
local function all_back(engine, finished)
  return function() return finished() and engine:pool_status().in_use == 0 end
end

local function answers(mock, count)
  for _ = 1, count do mock:answer { pattern = "FROM teams", columns = { "id", "name" }, rows = { { 1, "Red" }, { 2, "Blue" } } } end
end

for _, name in ipairs { "luv", "cqueues", "copas" } do
  local library = loops.library(name)
  describe("waits in " .. name, function()
    if not library then
      pending("needs lua-" .. name .. ", which is not here")
      return
    end
    local w, loop = world.tables(), open(name, library)
    local wait = require("lualchemy.wait." .. name)
    before_each(function() la.set_wait(wait) end)
    after_each(function() la.set_wait(nil) end)

    it("let 200 coroutines share 10 connections, in order", function()
      local engine, mock = mocked { pool_size = 10, max_overflow = 0 }
      mock:wait("connect", 2):wait("start", 1):wait("row", 1)
      answers(mock, 200)
      local begun, most, done, order = 0, 0, 0, {}
      local arrived = 0
      for _ = 1, 200 do
        loop.start(function()
          arrived = arrived + 1
          local i = arrived
          local c <close> = engine:connect()
          order[#order + 1] = i
          begun = begun + 1
          most = math.max(most, begun)
          assert(#c:execute(la.select(w.teams)):all() == 2)
          begun, done = begun - 1, done + 1
        end)
      end
      loop.run(loops.in_time(all_back(engine, function() return done == 200 end)))
      assert.equal(10, most)
      assert.equal(10, mock:open_connections())
      assert.same({ size = 10, idle = 10, in_use = 0, overflow = 0 }, engine:pool_status())
      -- Those after the first ten were served in the order of their arrival, as near as the ten in front of them end.
      for place = 11, 200 do assert.is_true(math.abs(order[place] - place) < 10, ("%d came as number %d"):format(order[place], place)) end
    end)

    it("let the loop tick while a statement sleeps", function()
      loops.ticks(0.3, 10, function(seconds)
        local engine, mock = mocked()
        mock:sleep(seconds)
        answers(mock, 1)
        local ticks, rows = 0, nil
        loop.tick(function() ticks = ticks + 1 end)
        loop.start(function()
          local c <close> = engine:connect()
          rows = #c:execute(la.select(w.teams)):all()
        end)
        loop.run(loops.in_time(all_back(engine, function() return rows end)))
        assert.equal(2, rows)
        return ticks
      end)
    end)

    it("end with a TimeoutError where no connection comes free", function()
      local engine = mocked { pool_size = 1, max_overflow = 0, pool_timeout = 0.05 }
      local failure
      local holder <close> = engine:connect()
      loop.tick(function() end)
      loop.start(function()
        local _
        _, failure = pcall(engine.connect, engine)
      end)
      loop.run(loops.in_time(function() return failure end))
      assert.equal("TimeoutError", failure.kind)
      assert.equal(1, engine:pool_status().in_use)
      assert.is_false(holder.closed)
    end)

    it("of an engine of its own leave others alone", function()
      la.set_wait(nil)
      local other, other_mock = mocked()
      other_mock:wait("start", 2)
      answers(other_mock, 1)
      local calls = 0
      local engine, mock = mocked { wait = function(...) calls = calls + 1 return wait(...) end }
      mock:wait("start", 3)
      answers(mock, 1)
      local done = false
      loop.start(function()
        local own <close> = engine:connect()
        local c <close> = other:connect()
        assert(#c:execute(la.select(w.teams)):all() == 2)
        assert(calls == 0)
        assert(#own:execute(la.select(w.teams)):all() == 2)
        done = true
      end)
      loop.run(loops.in_time(all_back(other, all_back(engine, function() return done end))))
      assert.is_true(calls >= 3, tostring(calls))
    end)

    it("can be closed in their middle", function()
      local engine, mock = mocked()
      mock:sleep(0.05)
      local thread, after
      loop.start(function()
        thread = coroutine.running()
        local c <close> = engine:connect()
        c:execute(la.select(w.teams))
        after = true
      end)
      if name == "luv" then
        assert.equal("suspended", coroutine.status(thread))
        assert.is_true(coroutine.close(thread))
        assert.equal(0, handles(library))
        assert.equal(0, engine:pool_status().in_use)
        loop.run(loops.in_time(function() return true end))
        assert.is_nil(after)
      else
        loop.tick(function() end)
        loop.run(loops.in_time(all_back(engine, function() return after end)))
      end
      assert.equal(0, engine:pool_status().in_use)
    end)

    it("let lazy loads go on side by side", function()
      local Base = la.declarative_base()
      local Team = Base:model "Team" {
        __tablename = "teams", id = la.Column{ la.Integer, primary_key = true }, name = la.Column{ la.String(40) },
        players = la.relationship{ "Player", order_by = "Player.id" },
      }
      Base:model "Player" {
        __tablename = "players", id = la.Column{ la.Integer, primary_key = true }, name = la.Column{ la.String(40) },
        team_id = la.Column{ la.ForeignKey "teams.id" },
      }
      local ready, within, most, done = 0, 0, 0, 0
      for _ = 1, 2 do
        local engine, mock = mocked()
        mock:sleep(0.03)
        answers(mock, 1)
        mock:answer { pattern = "FROM players", columns = { "id", "name", "team_id", "team_id__1" }, rows = { { 1, "Ann", 1, 1 } } }
        loop.start(function()
          local session = la.Session(engine)
          local team = session:scalars(la.select(Team)):first()
          ready = ready + 1
          while ready < 2 do core.sleep(0.001, engine) end
          within = within + 1
          most = math.max(most, within)
          assert(team.players[1].name == "Ann")
          within = within - 1
          session:close()
          done = done + 1
        end)
      end
      loop.tick(function() end)
      loop.run(loops.in_time(function() return done == 2 end))
      assert.equal(2, most)
    end)
  end)
end

describe("a wait of one's own", function()
  local w = world.tables()

  it("belongs to its engine, and is a function", function()
    world.fails("ArgumentError", function() la.create_engine("mock+sqlite://", { wait = 5 }) end, "wait")
  end)

  it("may be cancelled within engine:begin, whatever it waits for: the connection is given up, and the pool is whole", function()
    for _, what in ipairs { "connect", "start", "commit" } do
      local engine, mock = mocked { pool_size = 1, max_overflow = 0, wait = coroutine.yield }
      local function body(c)
        c:execute(la.select(w.teams)):all()
        if what == "commit" then mock:wait("start", 1) end
      end
      answers(mock, 2)
      if what ~= "commit" then mock:wait(what, 1) end
      local thread = coroutine.create(function() engine:begin(body) end)
      collectgarbage "stop"
      assert(coroutine.resume(thread))
      assert.equal("suspended", coroutine.status(thread))
      assert(coroutine.close(thread))
      assert.equal(0, engine:pool_status().in_use)
      collectgarbage "restart"
      engine:connect():close()
    end
  end)

  it("may be cancelled: the connection is given up, and the pool is whole", function()
    local engine, mock = mocked { pool_size = 1, max_overflow = 0, wait = function() if coroutine.yield() == "cancel" then error("cancelled", 0) end end }
    mock:wait("start", 2)
    answers(mock, 2)
    local thread = coroutine.create(function()
      local c <close> = engine:connect()
      return c:execute(la.select(w.teams)):all()
    end)
    assert(coroutine.resume(thread))
    local ok, failure = coroutine.resume(thread, "cancel")
    assert.is_false(ok)
    assert.equal("cancelled", failure)
    coroutine.close(thread)   -- a coroutine that failed closes its variables then
    assert.equal(0, engine:pool_status().in_use)
    local c <close> = engine:connect()
    assert.equal(2, #c:execute(la.select(w.teams)):all())
  end)

  it("for a place in the pool leaves the queue when it is dropped", function()
    local engine = mocked { pool_size = 1, max_overflow = 0, wait = function() coroutine.yield() end }
    local held = engine:connect()
    local dropped, next_one = coroutine.create(function() return engine:connect() end), coroutine.create(function() return engine:connect() end)
    assert(coroutine.resume(dropped))
    assert(coroutine.resume(next_one))
    assert.is_true(coroutine.close(dropped))
    dropped = nil
    collectgarbage()
    collectgarbage()
    held:close()
    local ok, c = coroutine.resume(next_one)
    assert.is_true(ok)
    assert.equal("dead", coroutine.status(next_one))
    assert.is_false(c.closed)
    c:close()
    assert.is_nil(dropped)
  end)
end)
