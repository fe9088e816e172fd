-- Transactions in each other's way, statements that are stopped, errors in the middle of rows.
local la = require "lualchemy"
local core = require "lualchemy.core"
local world = dofile "spec/fault/world.lua"
local fails, now = world.fails, world.now
local has_loop, uv = pcall(require, "luv")

-- Runs the bodies in coroutines until all have come to their end; what failed in them is raised.
local function together(bodies)
  local done, failure = 0, nil
  for i, body in ipairs(bodies) do
    coroutine.wrap(function()
      local ok, what = pcall(body, i)
      done, failure = done + 1, failure or (not ok and what or nil)
    end)()
  end
  local deadline, timer = now() + 300, uv.new_timer()
  timer:start(5, 5, function() end)
  while done < #bodies and now() < deadline do uv.run "once" end
  timer:close()
  uv.run "nowait"
  assert(done == #bodies, "they hang")
  if failure then error(failure, 0) end
end

local function times(count, body)
  local bodies = {}
  for i = 1, count do bodies[i] = body end
  return bodies
end

world.on_servers("transactions", function(name, case)
  local wait = has_loop and require "lualchemy.wait.luv"

  local function works(c)
    assert.equal(1, math.tointeger(tonumber(tostring(c:exec_driver_sql("select 1"):scalar()))))
  end

  for level, options in pairs { ["READ COMMITTED"] = { retries = 10 }, ["SERIALIZABLE"] = { retries = 30, backoff = 0.002 } } do
    case("in crossing order at level " .. level .. " all get through, by run_transaction", function(here)
      if not has_loop then return "needs lua-luv, which is not here" end
      local accounts = here:accounts(4)
      local engine = here:open_with(here.quick_deadlocks, { wait = wait, pool_size = 8, max_overflow = 0, isolation_level = level })
      local left, runs, done = world.rounds(25) * 8, 0, 0
      together(times(8, function()
        while left > 0 do
          left = left - 1
          local from = math.random(4)
          local to = (from + math.random(3) - 1) % 4 + 1
          engine:run_transaction(function(c)
            runs = runs + 1
            for _, one in ipairs { { from, -1 }, { to, 1 } } do
              c:execute(accounts:update():where(accounts.c.id:eq(one[1])):values { balance = accounts.c.balance + one[2] })
            end
          end, options)
          done = done + 1
        end
      end))
      assert.equal(world.rounds(25) * 8, done)
      assert(runs > done, "nobody was in anybody's way")
      assert.equal(400, here:ask "select sum(balance) from accounts")
      assert.same({ size = 8, idle = 8, in_use = 0, overflow = 0 }, engine:pool_status())
      engine:dispose()
      if os.getenv "SPEC_ROUNDS" then print(("# %s, %s: %d transactions, %d attempts"):format(name, level, done, runs)) end
    end)
  end

  case("that wait for one another: one of them is told, and may try again", function(here)
    if not has_loop then return "needs lua-luv, which is not here" end
    local accounts = here:accounts(2)
    local engine = here:open_with(here.quick_deadlocks, { wait = wait })
    local failures, at_first = {}, 0
    together(times(2, function(i)
      local c <close> = engine:connect()
      local function add(id) c:execute(accounts:update():where(accounts.c.id:eq(id)):values { balance = accounts.c.balance + 1 }) end
      add(i)
      at_first = at_first + 1
      while at_first < 2 do core.sleep(0.002, engine) end
      local ok, failure = pcall(add, 3 - i)
      if ok then return c:commit() end
      failures[#failures + 1] = failure
      assert(not pcall(c.execute, c, la.select(accounts)), "a transaction that is over is refused")
      c:rollback()
      works(c)
    end))
    assert.equal(1, #failures)
    assert.equal("OperationalError", failures[1].kind)
    assert.is_true(failures[1].retryable)
    assert.is_nil(failures[1].connection_invalidated)
    assert.equal(202, here:ask "select sum(balance) from accounts")
    engine:dispose()
  end)

  -- What a statement is told that takes too long, that waits for a lock for too long, or that somebody interrupts.
  local function stopped(here, c, sqlstate, body)
    local started = now()
    local failure = fails("OperationalError", body)
    assert.is_true(now() - started < 15, "it hangs")
    assert.equal(sqlstate, failure.sqlstate)
    assert.is_nil(failure.connection_invalidated)
    c:rollback()
    works(c)
    c:rollback()
    assert.equal(200, here:ask "select sum(balance) from accounts")
    return failure
  end

  case("with a statement that takes too long", function(here)
    local accounts, engine = here:accounts(2), here:open()
    local c = engine:connect()
    c:exec_driver_sql(here.time_limit):close()
    c:commit()
    c:execute(accounts:update():values { balance = 0 })
    stopped(here, c, here.time_state, function() c:exec_driver_sql(here.long):all() end)
    c:close()
    engine:dispose()
  end)

  case("that wait for a lock for too long", function(here)
    local accounts, engine = here:accounts(2), here:open()
    local holder, c = engine:connect(), engine:connect()
    c:exec_driver_sql(here.lock_limit):close()
    c:commit()
    holder:execute(accounts:update():where(accounts.c.id:eq(1)):values { balance = 0 })
    c:execute(accounts:update():where(accounts.c.id:eq(2)):values { balance = 0 })
    stopped(here, c, here.lock_state, function() c:execute(accounts:update():where(accounts.c.id:eq(1)):values { balance = 1 }) end)
    holder:close()
    c:close()
    engine:dispose()
  end)

  case("with a statement that is interrupted; an interrupt that comes too late stops nothing", function(here)
    local accounts = here:accounts(2)
    local ok, failure, engine = here:amid({}, function(engine, arm)
      local c = engine:connect()
      c:execute(accounts:update():values { balance = 0 })
      -- once more as long as it goes on: some servers do not listen while they read what they are to do
      stopped(here, c, here.cancel_state, function()
        arm(function()
          if here:ask(here.busy) == 1 then c:interrupt() end
          return true
        end)
        local _, failure = pcall(c.exec_driver_sql, c, here.long)
        arm(nil)
        error(failure, 0)
      end)
      for _ = 1, 30 do
        c:interrupt()
        works(c)
      end
      c:close()
    end)
    assert(ok, tostring(failure))
    assert.equal(0, engine:pool_status().in_use)
    engine:dispose()
  end)

  case("whose rows end in an error", function(here)
    local engine = here:open()
    for _, options in ipairs { { yield_per = 100 }, {} } do
      local c, rows = engine:connect(), 0
      local failure = fails(here.failing_kind, function()
        for _ in c:execute(la.text(here.failing_rows:format(5000)), nil, options) do rows = rows + 1 end
      end)
      assert.equal(here.failing_state, failure.sqlstate)
      assert.is_true(rows < 5000, tostring(rows))
      c:rollback()
      assert.equal(5000, #c:execute(la.text(here.rows:format(5000)), nil, options):all())
      -- left in its middle, and the next one
      local result = c:execute(la.text(here.rows:format(5000)), nil, options)
      result:fetchone()
      result:close()
      works(c)
      c:close()
      assert.equal(1, engine:pool_status().idle)
    end
    engine:dispose()
  end)

  case("of sessions whose rows end in an error", function(here)
    here:order("drop view if exists broken", "create view broken as " .. here.failing_rows:format(5000))
    local Base = la.declarative_base()
    local Row = Base:model "Row" {
      __tablename = "broken", n = la.Column { la.Integer, primary_key = true }, inverse = la.Column { la.Double },
    }
    local engine = here:open()
    for _, options in ipairs { { yield_per = 100 }, {} } do
      local seen, session = 0, la.Session(engine:execution_options(options))
      local failure = fails(here.failing_kind, function()
        for row in session:scalars(la.select(Row)) do seen = row.n end
      end)
      assert.equal(here.failing_state, failure.sqlstate)
      assert.is_true(seen < 5000)
      session:rollback()
      assert.equal(10, #session:scalars(la.select(Row):where(Row.n:le(10))):all())
      session:close()
    end
    assert.equal(0, engine:pool_status().in_use)
    engine:dispose()
    here:order "drop view broken"
  end)

  case("with text that is no UTF-8", function(here)
    local metadata, engine = la.MetaData(), here:open()
    local words = la.Table { "words", metadata, la.Column { "id", la.Integer, primary_key = true }, la.Column { "word", la.String(40) } }
    metadata:drop_all(engine)
    metadata:create_all(engine)
    local c = engine:connect()
    -- columns with a type refuse it here, the server refuses what has none
    local ways = {
      function(word) c:execute(words:insert(), { word = word }) end,
      function(word) c:execute(words:insert(), { { word = "good" }, { word = word } }) end,
      function(word) c:exec_driver_sql("insert into words (id, word) values (1, ?)", { word }) end,
      function(word) c:exec_driver_sql("insert into words (id, word) values (1, '" .. word .. "')") end,
    }
    for _, broken in ipairs { "\xff", "a\xc3", "\xf8\x88\x80\x80\x80", "x\xc0\x80y" } do
      for i, way in ipairs(ways) do
        local ok, failure = pcall(way, broken)
        assert(not ok and failure.kind == "DataError", ("%q, way %d: %s"):format(broken, i, tostring(failure)))
        assert.is_nil(failure.connection_invalidated)
        c:rollback()
      end
    end
    works(c)
    assert.equal("\xff\xfe", tostring(c:exec_driver_sql(here.broken_bytes):scalar()))
    c:close()
    engine:dispose()
    assert.equal(0, here:ask "select count(*) from words")
  end)
end)
