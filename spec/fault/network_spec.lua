-- What a network does to connections: a proxy on the loopback cuts, stalls, refuses.
local la = require "lualchemy"
local world = dofile "spec/fault/world.lua"
local fails, now = world.fails, world.now

local Base = la.declarative_base()
local Thing = Base:model "Thing" {
  __tablename = "things", id = la.Column { la.Integer, primary_key = true }, name = la.Column { la.String(100), nullable = false },
}

local function disconnected(failure)
  assert.equal("OperationalError", failure.kind)
  assert.is_true(failure.connection_invalidated, tostring(failure))
  return failure
end

-- The error of fn, which must be one of a lost connection.
local function loses(fn)
  local ok, failure = pcall(fn)
  assert(not ok, "no error was raised")
  assert(la.is_error(failure), tostring(failure))
  return disconnected(failure)
end

local function transfer(connection, accounts)
  connection:execute(accounts:update():where(accounts.c.id:eq(1)):values { balance = accounts.c.balance - 1 })
  connection:execute(accounts:update():where(accounts.c.id:eq(2)):values { balance = accounts.c.balance + 1 })
end

world.on_servers("a network", function(name, case)
  local function far(here, options, parameters)
    here.network:tell "pass"
    return here:open_far(options, parameters)
  end

  local function moved(here)
    return 100 - here:ask "select balance from accounts where id = 1", here:ask "select sum(balance) from accounts"
  end

  -- A transaction over connections that are cut after so many bytes: what has happened is what is said to have happened.
  local function cut_everywhere(here, where, step, most)
    local accounts = here:accounts(2)
    local engine = far(here, { pool = "null" }, "connect_timeout=5")
    local done, cuts, unknown, through = 0, 0, 0, 0
    local bytes = 0
    while through == 0 do
      here.network:tell("cut", where, bytes)
      local started = now()
      local ok, failure = pcall(engine.begin, engine, function(c)
        for row in c:execute(la.text(here.rows:format(50)), nil, { yield_per = 10 }) do assert(row.filler) end
        transfer(c, accounts)
      end)
      assert(now() - started < 10, "it hangs")
      here:settle()
      local after, sum = moved(here)
      assert.equal(200, sum)
      if ok then
        through = through + 1
        assert.equal(done + 1, after)
      else
        cuts = cuts + 1
        assert(la.is_error(failure), tostring(failure))
        disconnected(failure)
        assert.is_nil(failure.retryable)
        if failure.outcome_unknown then unknown = unknown + 1 else assert.equal(done, after) end
      end
      done = after
      bytes = bytes + step
      assert(bytes < most, "it never gets through")
    end
    here.network:tell "pass"
    assert.is_true(cuts > 10, tostring(cuts))
    if os.getenv "SPEC_ROUNDS" then print(("# %s: cut %s at %d points, %d unknown"):format(here.name, where, cuts, unknown)) end
    engine:dispose()
    return unknown
  end

  case("that is cut after any number of bytes: what was not committed is said not to be", function(here)
    local unknown = cut_everywhere(here, "down", math.max(1, math.floor(211 / world.rounds(1))), 40000)
    if world.rounds(1) > 10 then assert.is_true(unknown > 0) end
    cut_everywhere(here, "up", math.max(1, math.floor(31 / world.rounds(1))), 10000)
  end)

  case("that loses the answer to a COMMIT: nobody says that it has failed, and nobody does it again", function(here)
    local accounts = here:accounts(2)
    local engine, runs = far(here), 0
    la.event.listen(engine, "commit", function() here.network:tell("cut", "down", 0) end)
    local failure = loses(function()
      engine:run_transaction(function(c)
        runs = runs + 1
        transfer(c, accounts)
      end)
    end)
    assert.is_true(failure.outcome_unknown)
    assert.is_nil(failure.retryable)
    assert.equal(1, runs)
    assert.equal(1, (moved(here)))
    here.network:tell "pass"
    local quiet = far(here)
    quiet:begin(function(c) transfer(c, accounts) end)
    assert.equal(2, (moved(here)))
    engine:dispose()
    quiet:dispose()
  end)

  case("that loses the answer to a statement of its own transaction: it may have happened as well", function(here)
    local accounts = here:accounts(2)
    local engine = far(here, { isolation_level = "AUTOCOMMIT" })
    local c = engine:connect()
    c:exec_driver_sql("select 1"):close()
    here.network:tell("cut", "down", 0)
    local failure = loses(function() c:execute(accounts:update():values { balance = 0 }) end)
    assert.is_true(failure.outcome_unknown)
    c:close()
    here.network:tell "pass"
    c = engine:connect()
    here.network:tell("cut", "down", 0)
    failure = loses(function() c:execute(la.select(accounts)) end)
    assert.is_nil(failure.outcome_unknown)
    c:close()
    engine:dispose()
  end)

  -- The stream has been read from when it breaks: what a reset leaves of what has come and was not read is the system's matter.
  case("that breaks in mid-row: the stream ends with an error, the pool makes another connection", function(here)
    local engine = far(here)
    for _, streams in ipairs { true, false } do
      local c, rows = engine:connect(), 0
      c:exec_driver_sql("select 1"):close()
      here.network:tell(streams and "hold" or "cut", "down", 120000)
      loses(function()
        for _ in c:execute(la.text(here.rows:format(5000)), nil, streams and { yield_per = 100 } or nil) do
          rows = rows + 1
          if rows == 300 then here.network:tell "drop" end
        end
      end)
      assert.is_true(rows < 2000, tostring(rows))
      assert.is_true((rows >= 300) == streams, tostring(rows))
      local again = pcall(c.exec_driver_sql, c, "select 1")
      assert.is_false(again)
      assert.is_true(c.invalidated)
      c:close()
      assert.same({ size = 5, idle = 0, in_use = 0, overflow = 0 }, engine:pool_status())
      here.network:tell "pass"
    end
    engine:begin(function(connection) assert.equal(5000, #connection:execute(la.text(here.rows:format(5000))):all()) end)
    engine:dispose()
  end)

  case("that breaks under a session: it is usable after a rollback, and its objects are what they were", function(here)
    local engine = far(here)
    Base.metadata:drop_all(engine)
    Base.metadata:create_all(engine)
    local session = la.Session(engine)
    local first = Thing { id = 1, name = "first" }
    session:add(first)
    session:commit()
    for i = 2, 300 do session:add(Thing { id = i, name = ("x"):rep(90) }) end
    session:commit()
    local new = Thing { id = 1000, name = "new" }
    session:add(new)
    first.name = "changed"
    here.network:tell("cut", "down", 5)
    loses(function() session:flush() end)
    here.network:tell "pass"
    fails("PendingRollbackError", function() session:scalars(la.select(Thing)):all() end)
    session:rollback()
    assert.equal("first", first.name)
    assert.is_false(session:contains(new))
    session:add(new)
    session:commit()
    session:expire_all()
    here.network:tell("cut", "down", 10000)
    loses(function() session:scalars(la.select(Thing):order_by(Thing.id)):all() end)
    here.network:tell "pass"
    session:rollback()
    assert.equal(301, #session:scalars(la.select(Thing)):all())
    session:close()
    engine:dispose()
    assert.equal(301, here:ask "select count(*) from things")
  end)

  -- how: the network breaks, or the server ends the sessions in good order.
  for how, cut in pairs {
    ["was cut"] = function(here) here.network:tell "drop" end,
    ["the server has ended"] = function(here, sessions) for _, id in ipairs(sessions) do here:kill_session(id) end end,
  } do
    case("where what lay idle " .. how .. ": nobody hears of it", function(here)
      local engine = far(here)
      local both, sessions = { engine:connect(), engine:connect() }, {}
      for i, c in ipairs(both) do sessions[i] = here:session_of(c) end
      for _, c in ipairs(both) do c:close() end
      assert.equal(2, engine:pool_status().idle)
      cut(here, sessions)
      world.eventually(function() return here.network:count() == 0 end, "the proxy has closed them")
      for _ = 1, 3 do engine:begin(function(c) c:exec_driver_sql("select 1"):close() end) end
      engine:dispose()
    end)
  end

  case("that answers late is waited for", function(here)
    local engine = far(here)
    here.network:tell("delay", 100)
    local started = now()
    engine:begin(function(c) assert.equal(50, #c:execute(la.text(here.rows:format(50))):all()) end)
    assert.is_true(now() - started >= 0.1, "nothing was late")
    here.network:tell "pass"
    engine:dispose()
  end)

  case("that never answers: connect_timeout says so", function(here)
    local engine = far(here, { pool_size = 1, max_overflow = 0 }, "connect_timeout=0.3")
    here.network:tell "stall"
    local started = now()
    local failure = disconnected(fails("OperationalError", function() engine:connect() end, "connect_timeout"))
    assert.is_true(now() - started < 5, tostring(now() - started))
    assert.is_nil(failure.retryable)
    assert.same({ size = 1, idle = 0, in_use = 0, overflow = 0 }, engine:pool_status())
    here.network:tell "drop"
    here.network:tell "pass"
    engine:begin(function(c) c:exec_driver_sql("select 1"):close() end)
    engine:dispose()
  end)

  case("where nobody listens: the error names the address", function(here)
    local engine = far(here, { pool_size = 1, max_overflow = 0 })
    here.network:tell "refuse"
    disconnected(fails("OperationalError", function() engine:connect() end, "127.0.0.1"))
    here.network:tell "accept"
    engine:begin(function(c) c:exec_driver_sql("select 1"):close() end)
    engine:dispose()
    local nowhere = la.create_engine((here.away:format(5432):gsub("127%.0%.0%.1", "no-such-host.invalid")))
    disconnected(fails("OperationalError", function() nowhere:connect() end, "no-such-host.invalid"))
  end)

  -- Where the library has a time limit of its own.
  if not world.databases[name].patience then return end

  case("that swallows an answer: the library's own time limit says so", function(here)
    local engine = far(here, {}, here.patience)
    local c = engine:connect()
    c:exec_driver_sql("select 1"):close()
    here.network:tell "stall"
    local started = now()
    loses(function() c:exec_driver_sql("select 2"):all() end)
    assert.is_true(now() - started < 10, tostring(now() - started))
    c:close()
    here.network:tell "drop"
    here.network:tell "pass"
    engine:begin(function(connection) connection:exec_driver_sql("select 1"):close() end)
    engine:dispose()
  end)
end, true)
