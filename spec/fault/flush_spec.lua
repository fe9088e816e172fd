-- A flush whose batches are under way at once loses its connection: nothing of it stays, and the session goes on with another connection.
local la = require "lualchemy"
local world = dofile "spec/fault/world.lua"
local Column = la.Column

local Base = la.declarative_base()
local Thing = Base:model "Thing" {
  __tablename = "things", id = Column { la.Integer, primary_key = true }, name = Column { la.String(40) },
  score = Column { la.Integer, server_default = la.text "5" },
}

world.on_servers("a flush of many batches", function(_, case)
  local function fresh(here)
    local admin = here:open()
    Base.metadata:drop_all(admin)
    Base.metadata:create_all(admin)
    admin:dispose()
  end

  -- Every second object writes one column more: each is a batch of its own. Alike they are few batches, of as many as the server takes.
  local function things(count, alike)
    local list = {}
    for i = 1, count do list[i] = Thing { name = ("n"):rep(30), score = (alike or i % 2 == 0) and i or nil } end
    return list
  end

  local function works(session)
    session:add(Thing { name = "after" })
    session:commit()
  end

  local function cut_everywhere(here, where, step)
    local cuts, bytes, done, through = 0, step, here:ask "select count(*) from things", false
    while not through do
      local engine = here:open_far({ pool = "null" }, "connect_timeout=5")
      local session, list = la.Session(engine), things(60)
      here.network:tell("cut", where, bytes)
      session:add_all(list)
      local ok, failure = pcall(session.commit, session)
      here.network:tell "pass"
      if not ok then here:settle() end
      local count = here:ask "select count(*) from things"
      through = ok
      if not ok then
        cuts = cuts + 1
        assert.equal("OperationalError", failure.kind, tostring(failure))
        assert.is_true(failure.connection_invalidated, tostring(failure))
        if not failure.outcome_unknown then assert.equal(done, count) end
        session:rollback()
        for _, thing in ipairs(list) do assert.is_nil(thing.id) end
        works(session)
        count = count + 1
      else
        assert.equal(done + 60, count)
      end
      done = count
      session:close()
      engine:dispose()
      bytes = bytes + step
    end
    assert.is_true(cuts > 3, where .. ": " .. cuts)
  end

  case("that is cut after any number of bytes", function(here)
    fresh(here)
    cut_everywhere(here, "up", math.max(41, math.floor(307 / world.rounds(1))))
    cut_everywhere(here, "down", math.max(41, math.floor(101 / world.rounds(1))))
  end)

  local function kill_at_waits(here, count, alike)
    fresh(here)
    local kills, done = 0, 0
    for _, wait in ipairs { 1, 2, 3, 5, 8, 13, 21 } do
      local left, session = wait, nil
      local ok, failure, engine = here:amid({}, function(engine, arm)
        session = la.Session(engine)
        local id = here:session_of(session:connection())
        arm(function()
          left = left - 1
          if left > 0 then return true end
          here:kill_session(id)
          kills = kills + 1
        end)
        session:add_all(things(count, alike))
        session:flush()
        arm(nil)
        session:commit()
      end)
      if ok then
        done = done + count
      else
        assert.equal("OperationalError", failure.kind, tostring(failure))
        assert.is_true(failure.connection_invalidated, tostring(failure))
        session:rollback()
      end
      assert.equal(done, here:ask "select count(*) from things")
      works(session)
      done = done + 1
      session:close()
      engine:dispose()
    end
    assert.is_true(kills >= 1, tostring(kills))
  end

  case("whose session is killed at any wait", function(here) kill_at_waits(here, 60, false) end)

  case("whose session is killed at any wait, of many objects each", function(here) kill_at_waits(here, 9000, true) end)

  -- `row`: the one that it waits for when it is interrupted
  local function interrupt(here, count, row)
    fresh(here)
    local blocker <close> = here:open({ pool = "null" }):connect()
    blocker:execute(Thing.__table:insert(), { id = row, name = "in the way" })   -- until its transaction ends
    local ok, failure, engine = here:amid({}, function(engine, arm)
      local session, list = la.Session(engine), things(count, count > 60)
      for i, thing in ipairs(list) do thing.id = i end
      local c = session:connection()
      local id = here:session_of(c)
      local waits, deadline = 0, world.now() + 60
      arm(function()
        assert(world.now() < deadline, "nobody hears an interrupt")
        if waits % 100 == 0 then c:interrupt() end   -- and again, since a server may overhear it
        waits = waits + 1
        return true
      end)
      session:add_all(list)
      local flushed, why = pcall(session.flush, session)
      arm(nil)
      session:rollback()
      assert.equal(id, here:session_of(session:connection()))
      session:rollback()
      blocker:rollback()
      works(session)
      session:close()
      assert.is_false(flushed)
      error(why, 0)
    end)
    assert.is_false(ok)
    assert.equal(here.cancel_state, failure.sqlstate, tostring(failure))
    assert.equal(1, here:ask "select count(*) from things")
    engine:dispose()
  end

  case("that is interrupted: the transaction is lost, and the connection is not", function(here) interrupt(here, 60, 30) end)

  case("that is interrupted, of many objects each", function(here)
    for _, row in ipairs { 30, 8000 } do interrupt(here, 9000, row) end
  end)
end, true)
