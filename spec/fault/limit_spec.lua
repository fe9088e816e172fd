-- Where something has come to its end: connections of a pool and of a server, room on a disk; who may not come in at all.
local la = require "lualchemy"
local world = dofile "spec/fault/world.lua"
local fails, now = world.fails, world.now

local function works(engine)
  local c <close> = engine:connect()
  assert.equal(1, math.tointeger(tonumber(tostring(c:exec_driver_sql("select 1"):scalar()))))
end

world.on_servers("limits", function(name, case)
  case("of a pool: who comes too late is told what there is, and how much", function(here)
    local engine = here:open { pool_size = 2, max_overflow = 1, pool_timeout = 0.2 }
    local held = {}
    for i = 1, 3 do held[i] = engine:connect() end
    local started = now()
    local failure = fails("TimeoutError", function() engine:connect() end, "3 connections", "pool_size 2", "max_overflow 1", "0.20 s")
    assert.is_true(now() - started >= 0.19 and now() - started < 10)
    assert.is_nil(failure.retryable)
    for i = 1, 3 do held[i]:close() end
    works(engine)
    assert.same({ size = 2, idle = 2, in_use = 0, overflow = 0 }, engine:pool_status())
    engine:dispose()
  end)

  case("of the server: one connection too many is refused, the others go on", function(here)
    here:order(table.unpack(here.few_connections))
    local engine, held, failure = here:open { pool_size = 5, max_overflow = -1 }, {}, nil
    repeat
      local ok, c = pcall(engine.connect, engine)
      if ok then held[#held + 1] = c else failure = c end
    until failure or #held > 200
    assert.equal("OperationalError", failure.kind)
    assert(tostring(failure):lower():find("too many", 1, true), tostring(failure))
    assert(tostring(failure):find("max_overflow", 1, true), tostring(failure))
    for _, c in ipairs(held) do c:exec_driver_sql("select 1"):close() end
    for _, c in ipairs(held) do c:close() end
    works(engine)
    engine:dispose()
    world.eventually(function() return pcall(here.order, here, table.unpack(here.many_connections)) end, "there is room again")
  end)

  case("of who may come in, and to what", function(here)
    here:order(table.unpack(here.locked_user))
    if here.lock_door then here:lock_door() end
    local url = here.url:format(here.server.folder)
    local doors = {
      ["locked"] = url:gsub("spec@", "locked:wrong@"),
      ["nobody_knows"] = url:gsub("spec@", "nobody_knows@"),
      ["no_database"] = url:gsub("/spec%?", "/no_database?"),
    }
    for word, door in pairs(doors) do
      local engine = la.create_engine(door)
      local failure = fails("OperationalError", function() engine:connect() end, word)
      assert.is_nil(failure.retryable)
      assert.is_nil(failure.outcome_unknown)
      assert.equal(0, engine:pool_status().in_use)
      engine:dispose()
    end
    works(la.create_engine((url:gsub("spec@", "locked:secret@"))))
    collectgarbage()
    collectgarbage()
  end)

  case("of a disk: what does not fit is undone, and there is room again afterwards", function(here)
    local said, code = here.server:tell("small", "16m")
    if code == 69 then return said end
    assert.equal(0, code, said)
    local ballast = assert(io.open(here.server.folder .. "/small/ballast", "w"))
    ballast:write(("x"):rep(3000000))
    ballast:close()
    here:order(table.unpack(here:table_in(here.server.folder .. "/small")))
    local metadata = la.MetaData()
    local filled = la.Table { "filled", metadata, la.Column { "id", la.Integer, primary_key = true }, la.Column { "filler", la.Text } }
    local engine = here:open()
    local sets, rows = {}, 0
    for i = 1, 20 do sets[i] = { filler = (("%d"):format(i) .. ("abcdefghij"):rep(300)):sub(1, 3000) } end
    local failure
    while not failure and rows < 20000 do
      local ok, why = pcall(engine.begin, engine, function(c) c:execute(filled:insert(), sets) end)
      if ok then rows = rows + #sets else failure = why end
    end
    assert.equal("OperationalError", failure.kind)
    assert(here.full == failure.sqlstate or here.full == failure.code, tostring(failure))
    assert.is_nil(failure.connection_invalidated)
    assert.is_nil(failure.retryable)
    works(engine)
    assert.equal(rows, here:ask "select count(*) from filled")
    local session = la.Session(engine)
    local Base = la.declarative_base { metadata = metadata }
    local Filled = Base:model "Filled" { __table = filled }
    for i = 1, 2000 do session:add(Filled { filler = ("x"):rep(3000) .. i }) end
    fails("OperationalError", function() session:commit() end)
    session:rollback()
    assert.equal(rows, session:scalar(la.select(la.func.count()):select_from(filled)))
    session:close()
    assert(os.remove(here.server.folder .. "/small/ballast"))
    engine:begin(function(c) c:execute(filled:insert(), sets) end)
    engine:dispose()
    here:order "drop table filled"
    if here.leave then here:order(here.leave) end
  end)

  case("that are none: ten thousand connections asked for in turn", function(here)
    local count, marks = world.rounds(10000), {}
    local function memory()
      for _ = 1, 4 do collectgarbage() end
      return collectgarbage "count"
    end
    local engine, sum = here:open(), 0
    for i = 1, count do
      local c = engine:connect()
      if i % 10 == 0 then sum = sum + 1 c:exec_driver_sql("select 1"):close() end
      c:close()
      if i % (count // 4) == 0 then marks[#marks + 1] = memory() end
    end
    -- what leaks grows in each quarter, Lua's table of strings once in a while
    local least = math.huge
    for i = 2, #marks do least = math.min(least, marks[i] - marks[i - 1]) end
    assert(least < 50, ("KB after each quarter: %s"):format(table.concat(marks, ", ")))
    assert.same({ size = 5, idle = 1, in_use = 0, overflow = 0 }, engine:pool_status())
    engine:dispose()
    -- each of them a new one; in an hour that has time for it, ten thousand as well
    local single, before = here:open { pool = "null" }, world.descriptors()
    local started = now()
    for _ = 1, world.rounds(500) do single:connect():close() end
    if os.getenv "SPEC_ROUNDS" then print(("# %s: %d connections in %.1f s"):format(name, count, now() - started)) end
    assert.equal(before, world.descriptors())
    assert.same({ size = 0, idle = 0, in_use = 0, overflow = 0 }, single:pool_status())
    here:settle()
  end)
end)
