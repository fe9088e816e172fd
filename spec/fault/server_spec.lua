-- Servers that go away: stopped and started, with sessions killed, with no room for more of them.
local la = require "lualchemy"
local core = require "lualchemy.core"
local world = dofile "spec/fault/world.lua"
local fails, now = world.fails, world.now
local has_loop, uv = pcall(require, "luv")

local Base = la.declarative_base()
local Thing = Base:model "Thing" {
  __tablename = "things", id = la.Column { la.Integer, primary_key = true }, name = la.Column { la.String(100), nullable = false },
}

local function lost(ok, failure)
  assert(not ok, "no error was raised")
  assert(la.is_error(failure), tostring(failure))
  assert(failure.kind == "OperationalError", tostring(failure))
  assert.is_true(failure.connection_invalidated, tostring(failure))
  return failure
end

local function works(engine)
  local c <close> = engine:connect()
  assert.equal(1, math.tointeger(tonumber(tostring(c:exec_driver_sql("select 1"):scalar()))))
end

-- Transfers of eight workers, each with a line in the ledger; what became of each by its number: true, "unknown", or nil.
local function transfers(here, engine, accounts, ledger)
  local work = { outcome = {}, count = 0, errors = 0, running = 0, over = false }
  local function one(number)
    local from, to = math.random(accounts.size), math.random(accounts.size)
    local ok, failure = pcall(engine.run_transaction, engine, function(c)
      c:execute(accounts.table:update():where(accounts.table.c.id:eq(from)):values { balance = accounts.table.c.balance - 1 })
      c:execute(ledger:insert(), { id = number })
      c:execute(accounts.table:update():where(accounts.table.c.id:eq(to)):values { balance = accounts.table.c.balance + 1 })
    end)
    if ok then
      work.outcome[number], work.last = true, now()
      return
    end
    assert(la.is_error(failure), tostring(failure))
    assert(failure.connection_invalidated and failure.kind == "OperationalError", here.name .. ": " .. tostring(failure))
    work.outcome[number] = failure.outcome_unknown and "unknown" or nil
    work.errors = work.errors + 1
    core.sleep(0.01, engine)
  end
  local function run()
    while not work.over do
      work.count = work.count + 1
      one(work.count)
    end
  end
  for _ = 1, 8 do
    work.running = work.running + 1
    coroutine.wrap(function()
      local ok, failure = pcall(run)
      work.running, work.failure = work.running - 1, work.failure or (not ok and failure or nil)
    end)()
  end
  return work
end

local function loop_until(condition, what)
  local deadline = now() + 60
  local timer = uv.new_timer()
  timer:start(5, 5, function() end)
  while not condition() and now() < deadline do uv.run "once" end
  timer:close()
  uv.run "nowait"   -- so that nothing is left to be closed at the end
  assert(condition(), "still not so after 60 s: " .. what)
end

world.on_servers("a server", function(name, case)
  case("that is stopped and started under transfers: none is half done, and what is said of each is so", function(here)
    if not has_loop then return "needs lua-luv, which is not here" end
    here.server:tell("down", "fast")
    assert.equal("", (here.server:tell("up", here.durable)))
    local accounts = { table = here:accounts(20), size = 20 }
    here:order("drop table if exists ledger", "create table ledger (id integer primary key)")
    local ledger = la.Table { "ledger", la.MetaData(), la.Column { "id", la.Integer, primary_key = true, autoincrement = false } }
    local engine = here:open { wait = require "lualchemy.wait.luv", pool_size = 6, max_overflow = 0 }
    local work, slowest = transfers(here, engine, accounts, ledger), 0
    for round = 1, world.rounds(4) do
      local before = work.count
      loop_until(function() return work.count > before + 50 or work.failure end, "transfers go on")
      local down, up = here.server:command("down", round % 2 == 0 and "fast" or "immediate"), here.server:command("up", here.durable)
      local exit
      local process
      process = uv.spawn("sh", { args = { "-c", down .. " && " .. up } }, function(code)
        exit = code
        process:close()
      end)
      loop_until(function() return exit end, "the server is up again")
      assert.equal(0, exit)
      local back = now()
      loop_until(function() return work.failure or work.last > back end, "a transfer succeeds")
      slowest = math.max(slowest, work.last - back)
    end
    work.over = true
    loop_until(function() return work.running == 0 end, "all workers have come to their end")
    assert.is_nil(work.failure, tostring(work.failure))
    assert.is_true(work.errors > 0)
    assert.is_true(slowest < 10, tostring(slowest))
    assert.equal(2000, here:ask "select sum(balance) from accounts")
    local there = {}
    local c <close> = here.admin:connect()
    for _, id in ipairs(c:scalars(la.select(ledger)):all()) do there[id] = true end
    for number = 1, work.count do
      local outcome = work.outcome[number]
      if outcome ~= "unknown" then assert.equal(outcome, there[number], ("number %d"):format(number)) end
    end
    local status = engine:pool_status()
    assert.equal(0, status.in_use)
    engine:dispose()
    if os.getenv "SPEC_ROUNDS" then
      print(("# %s: %d transfers, %d errors, first good one at most %.3f s after the start"):format(name, work.count, work.errors, slowest))
    end
  end)

  case("that kills a session between two statements", function(here)
    local engine = here:open()
    local accounts = here:accounts(2)
    local c, idle = engine:connect(), engine:connect()
    works(engine)
    idle:exec_driver_sql("select 1"):close()
    idle:close()
    c:execute(accounts:update():values { balance = 0 })
    here:kill_session(here:session_of(c))
    assert.is_nil(lost(pcall(c.execute, c, la.select(accounts))).outcome_unknown)
    assert.equal(0, engine:pool_status().idle)
    fails("PendingRollbackError", function() c:execute(la.select(accounts)) end)
    fails("PendingRollbackError", function() c:commit() end)
    c:rollback()
    fails("ResourceClosedError", function() c:execute(la.select(accounts)) end, "connect again")
    c:close()
    works(engine)
    assert.equal(200, here:ask "select sum(balance) from accounts")
    engine:dispose()
  end)

  case("that kills a session within a savepoint", function(here)
    local engine = here:open()
    local accounts = here:accounts(2)
    local ok, failure = pcall(engine.begin, engine, function(c)
      c:execute(accounts:update():values { balance = 0 })
      local savepoint <close> = c:begin_nested()
      here:kill_session(here:session_of(c))
      c:execute(accounts:update():values { balance = 1 })
      savepoint:commit()
    end)
    lost(ok, failure)
    works(engine)
    assert.equal(200, here:ask "select sum(balance) from accounts")
    engine:dispose()
  end)

  -- What is under way when the session is killed (if it waits; it is killed afterwards when it did not have to); each gets a
  -- connection with a transaction open.
  local under_way = {
    ["a statement"] = function(c, here, arm, kill)
      arm(kill)
      c:exec_driver_sql(here.sleep:format(30)):all()
    end,
    ["a fetch"] = function(c, here, _, kill)
      local rows = c:execute(la.text(here.rows:format(200000)), nil, { yield_per = 100 })
      for _ = 1, 150 do assert(rows:fetchone()) end
      kill()
      rows:all()
    end,
    ["many sets of values"] = function(c, _, arm, kill, accounts)
      local sets = {}
      for i = 1, 20000 do sets[i] = { id = i + 10, balance = i } end
      arm(kill)
      c:execute(accounts:insert(), sets)
      kill()
      c:execute(la.select(accounts.c.id)):first()
    end,
    ["a ROLLBACK TO"] = function(c, _, arm, kill, accounts)
      local savepoint = c:begin_nested()
      c:execute(accounts:update():values { balance = 3 })
      arm(kill)
      savepoint:rollback()
      kill()
      c:execute(la.select(accounts.c.id)):first()
    end,
  }
  for what, body in pairs(under_way) do
    case("that kills a session in " .. what, function(here)
      local accounts = here:accounts(2)
      local ok, failure, engine = here:amid({}, function(engine, arm)
        engine:begin(function(c)
          c:execute(accounts:update():values { balance = 0 })
          local session = here:session_of(c)
          local function kill()
            if session then here:kill_session(session) end
            session = nil
          end
          body(c, here, arm, kill, accounts)
        end)
      end)
      assert.is_nil(lost(ok, failure).outcome_unknown)
      assert.equal(0, engine:pool_status().in_use)
      works(engine)
      assert.equal(2, here:ask "select count(*) from accounts")
      assert.equal(200, here:ask "select sum(balance) from accounts")
      engine:dispose()
    end)
  end

  case("that kills a session in a COMMIT: it has happened, or nobody knows", function(here)
    local accounts, killed = here:accounts(2), false
    local function commit(engine, arm)
      engine:begin(function(c)
        local session = here:session_of(c)
        c:execute(accounts:update():values { balance = 0 })
        la.event.listen(engine, "commit", function()
          arm(function()
            here:kill_session(session)
            killed = true
          end)
        end)
      end)
    end
    local ok, failure, engine
    for _ = 1, 100 do   -- a server that has answered before anybody waits is too quick
      if engine then engine:dispose() end
      here:order "update accounts set balance = 100"
      ok, failure, engine = here:amid({}, commit)
      if killed then break end
    end
    assert(killed, "no COMMIT had to wait")
    if ok then assert.equal(0, here:ask "select sum(balance) from accounts") else assert.is_true(lost(ok, failure).outcome_unknown) end
    works(engine)
    engine:dispose()
  end)

  case("that kills a session in a flush: the session goes on after a rollback", function(here)
    local admin = here:open()
    Base.metadata:drop_all(admin)
    Base.metadata:create_all(admin)
    admin:dispose()
    for _, statement in ipairs { 1, 2 } do
      local ok, failure, engine = here:amid({}, function(engine)
        local session = la.Session(engine)
        local first = Thing { name = "first" }
        session:add(first)
        session:commit()
        local id, count, things = here:session_of(session:connection()), 0, {}
        la.event.listen(engine, "before_execute", function()
          count = count + 1
          if count == statement then here:kill_session(id) end
        end)
        first.name = "changed"
        for i = 1, 120 do things[i] = Thing { name = "new " .. i } end
        session:add_all(things)
        lost(pcall(session.flush, session))
        session:rollback()
        count = 100
        assert.equal("first", first.name)
        assert.is_nil(things[1].id)
        session:add_all(things)
        session:delete(first)
        session:commit()
        assert(things[120].id)
        for _, thing in ipairs(things) do session:delete(thing) end
        session:commit()
        session:close()
      end)
      assert(ok, tostring(failure))
      assert.equal(0, here:ask "select count(*) from things")
      engine:dispose()
    end
  end)

  case("that kills a session whose transaction is prepared: another ends it", function(here)
    local accounts, engine = here:accounts(2), here:open()
    local c = engine:connect()
    local id = here:session_of(c)
    c:rollback()
    local transaction = c:begin_twophase("fault-" .. name)
    c:execute(accounts:update():values { balance = 50 })
    transaction:prepare()
    here:kill_session(id)
    assert.is_true(lost(pcall(transaction.commit, transaction)).outcome_unknown)
    c:close()
    local other <close> = engine:connect()
    assert.same({ "fault-" .. name }, other:recover_twophase())
    other:commit_prepared("fault-" .. name)
    assert.equal(100, here:ask "select sum(balance) from accounts")
    engine:dispose()
  end)

  case("that kills all sessions of a pool: one call fails at most, and the next is well", function(here)
    local engine, all, ids = here:open { pool_size = 10 }, {}, {}
    for i = 1, 10 do
      all[i] = engine:connect()
      ids[i] = here:session_of(all[i])
    end
    for i = 2, 10 do all[i]:close() end
    for i = 1, 10 do here:kill_session(ids[i]) end
    local heard = 0
    la.event.listen(engine, "invalidate", function() heard = heard + 1 end)
    lost(pcall(all[1].exec_driver_sql, all[1], "select 1"))
    assert.equal(1, heard)
    assert.equal(0, engine:pool_status().idle)
    all[1]:close()
    for _ = 1, 20 do works(engine) end
    assert.equal(1, heard)
    engine:dispose()
  end)
end)
