-- SQLite on threads of its own: loops that tick on while it works, functions of Lua, copies, and what is given up in the middle.
local la = require "lualchemy"
local core = require "lualchemy.core"
local house, loops = dofile "spec/house.lua", dofile "spec/loops.lua"

-- A statement that never ends by itself.
local endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
local numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) SELECT i FROM n"

local function temporary()
  local path = os.tmpname()
  return path, "sqlite:///" .. path .. "?worker=1"
end

local function remove(path)
  for _, ending in ipairs { "", "-wal", "-shm", "-journal" } do os.remove(path .. ending) end
end

for name, open in pairs(loops.open) do
  local library = loops.library(name)
  describe("a loop by " .. name .. " ticks on", function()
    if not library then
      pending("needs lua-" .. name .. ", which is not here")
      return
    end
    local wait, start, run = open(library)
    local path, url = temporary()
    local engine = la.create_engine(url, { wait = wait })
    teardown(function()
      engine:dispose()
      remove(path)
    end)

    it("while a statement runs, which it can interrupt", function()
      local ticks, longest, last, running, failure = 0, 0, nil, nil, nil
      start(function()
        local c <close> = engine:connect()
        running = c
        local _
        _, failure = pcall(function() return c:execute(la.text(endless)):scalar() end)
      end)
      run(function()
        local now = core.clock()
        longest, last, ticks = math.max(longest, last and now - last or 0), now, ticks + 1
        if ticks == 100 then running:interrupt() end
      end, loops.in_time(function() return failure and engine:pool_status().in_use == 0 end))
      assert.equal("OperationalError", failure.kind)
      assert.matches("interrupted", failure.message)
      assert.is_true(ticks >= 100, "the statement has stopped the loop")
      assert.is_true(longest < 2e9, ("%d ns without a tick"):format(longest))
    end)

    it("while schemas, copies, bytes, values in pieces and commits wait", function()
      local done, target = false, la.create_engine("sqlite://?worker=1", { wait = wait })
      local meta = la.MetaData()
      local files = la.Table{ "files", meta, la.Column{ "id", la.Integer, primary_key = true }, la.Column{ "data", la.LargeBinary } }
      start(function()
        meta:create_all(engine)
        local to <close> = target:connect()
        local c <close> = engine:connect()
        c:execute(files:insert(), { id = 1, data = ("x"):rep(1000000) })
        c:commit()
        assert(c:has_table "files")
        c:commit()
        local steps = 0
        c:backup_to(to, { pages = 50, progress = function() steps = steps + 1 end })
        assert(steps > 1)
        assert(to:execute(la.select(files.c.id)):scalar() == 1)
        to:commit()
        local bytes = c:serialize()
        assert(bytes:sub(1, 6) == "SQLite")
        local blob <close> = c:open_blob{ table = "files", column = "data", row = 1, writable = true }
        blob:write "hello"
        blob:seek "set"
        assert(blob:read(7) == "helloxx")
        blob:close()
        c:commit()
        to:deserialize(bytes)
        assert(to:execute(la.select(files.c.id)):scalar() == 1)
        done = true
      end)
      run(function() end, loops.in_time(function() return done and engine:pool_status().in_use == 0 end))
      assert.is_true(done)
    end)
  end)
end

describe("SQLite on a thread", function()
  local engine, c
  before_each(function()
    engine = la.create_engine "sqlite://?worker=1"
    c = engine:connect()
  end)
  after_each(function()
    c:close()
    engine:dispose()
  end)

  it("gives rows in batches, one by one to whoever reads them", function()
    local n = 0
    for row in c:execute(la.text(numbers:format(5000))) do
      n = n + 1
      assert(row[1] == n)
    end
    assert.equal(5000, n)
    local result = c:execute(la.text(numbers:format(5000)))
    assert.equal(1, result:first()[1])
    result = c:execute(la.text "SELECT 'é' AS a, x'00ff' AS b, NULL AS c, 1.5 AS d, '' AS e")
    assert.same({ "a", "b", "c", "d", "e" }, result:keys())
    local row = result:first()
    assert.same({ "é", "\0\255", nil, 1.5, "" }, { row[1], row[2], row[3], row[4], row[5] })
  end)

  it("calls functions of Lua where the program runs, and when their row is read", function()
    local called, thread = {}, coroutine.running()
    c:create_function("seen", function(x)
      assert(coroutine.running() == thread)
      called[#called + 1] = x
      return x * 2
    end)
    local read = 0
    for row in c:execute(la.text("SELECT seen(i) FROM (" .. numbers:format(50) .. ")")) do
      read = read + 1
      assert(row[1] == read * 2)
      if read > 1 then assert(#called == read, ("%d calls for %d rows"):format(#called, read)) end
    end
    assert.equal(50, #called)
  end)

  it("raises what such a function raises, after the rows before it", function()
    local marker = {}
    c:create_function("fails_late", function(x) if x == 30 then error(marker, 0) end return x end)
    local read = 0
    local query = la.text("SELECT CASE WHEN i < 20 THEN i ELSE fails_late(i) END FROM (" .. numbers:format(50) .. ")")
    local ok, failure = pcall(function()
      for _ in c:execute(query) do read = read + 1 end
    end)
    assert.is_false(ok)
    assert.equal(marker, failure)
    assert.equal(29, read)
    assert.equal(1, c:execute(la.text "SELECT 1"):scalar())
  end)

  it("sorts, adds up and moves windows by functions of Lua", function()
    c:create_collation("backwards", function(a, b) return a < b and 1 or a > b and -1 or 0 end)
    c:create_aggregate("product", { step = function(state, x) return (state or 1) * x end, finish = function(state) return state end })
    c:create_aggregate("moving", {
      step = function(state, x) return (state or 0) + x end,
      inverse = function(state, x) return state - x end,
      finish = function(state) return state end,
    })
    local all = c:execute(la.text "SELECT column1 FROM (VALUES ('b'), ('c'), ('a')) ORDER BY 1 COLLATE backwards"):all()
    assert.same({ "c", "b", "a" }, { all[1][1], all[2][1], all[3][1] })
    assert.equal(120, c:execute(la.text "SELECT product(column1) FROM (VALUES (2), (3), (4), (5))"):scalar())
    all = c:execute(la.text "SELECT moving(column1) OVER (ORDER BY column1 ROWS 1 PRECEDING) FROM (VALUES (1), (2), (3))"):all()
    assert.same({ 1, 3, 5 }, { all[1][1], all[2][1], all[3][1] })
  end)

  it("refuses the use of its connection by a function that it waits for", function()
    local failure
    c:create_function("nested", function()
      local _
      _, failure = pcall(function() return c:execute(la.text "SELECT 2"):scalar() end)
      return 1
    end)
    assert.equal(1, c:execute(la.text "SELECT nested()"):scalar())
    assert.equal("InvalidRequestError", failure.kind)
    assert.matches("another connection", failure.message)
  end)

  it("ends what is not read to its end", function()
    c:exec_driver_sql "CREATE TABLE t (i)"
    for _ = 1, 20 do
      assert(c:execute(la.text(numbers:format(100000))):fetchone()[1] == 1)
      c:execute(la.text "INSERT INTO t VALUES (1)")
    end
    c:commit()
    c:exec_driver_sql "DROP TABLE t"
    c:commit()
  end)

  it("can be left in the middle of a statement: nothing is lost, and the next one runs", function()
    local frame = require "lualchemy.wait.frame"
    local own <close> = la.create_engine("sqlite://?worker=1", { wait = frame.wait })
    local keeper <close> = own:connect()
    keeper:exec_driver_sql "CREATE TABLE kept (i)"
    keeper:exec_driver_sql "INSERT INTO kept VALUES (1)"
    keeper:commit()
    local thread = frame.start(function()
      local d <close> = own:connect()
      d:execute(la.text(endless))
    end)
    assert.equal(1, frame.count())
    for _ = 1, 20 do frame.update(0.005) end
    assert.is_true(coroutine.close(thread))
    assert.equal(0, frame.count())
    assert.equal(1, keeper:execute(la.text "SELECT count(*) FROM kept"):scalar())
    thread = frame.start(function()
      local d <close> = own:connect()
      d:begin()
      d:execute(la.text("INSERT INTO kept " .. endless))
    end)
    for _ = 1, 20 do frame.update(0.005) end
    coroutine.close(thread)
    assert.equal(1, keeper:execute(la.text "SELECT count(*) FROM kept"):scalar())
    keeper:execute(la.text "INSERT INTO kept VALUES (2)")
    keeper:commit()
    assert.equal(2, keeper:execute(la.text "SELECT count(*) FROM kept"):scalar())
  end)

  it("lets go of a database that works on, when its engine goes", function()
    local frame = require "lualchemy.wait.frame"
    for _ = 1, 10 do
      local own = la.create_engine("sqlite://?worker=1", { wait = frame.wait })
      local d
      local thread = frame.start(function()
        d = own:connect()
        d:execute(la.text(endless))
      end)
      while not d do frame.update(1) end
      coroutine.close(thread)
      d:close()
      own:dispose()
    end
  end)

  it("waits for another's lock on its thread, and gives up when it is told to", function()
    local frame = require "lualchemy.wait.frame"
    local path, url = temporary()
    local own = la.create_engine(url .. "&timeout=60", { wait = frame.wait })
    local holders = la.create_engine(url .. "&begin=exclusive")
    local holder = holders:connect()
    holder:exec_driver_sql "CREATE TABLE t (i)"
    local failure, waiter
    frame.start(function()
      local _
      waiter = own:connect()
      _, failure = pcall(function() return waiter:execute(la.text "SELECT * FROM t"):all() end)
    end)
    local frames = 0
    local finished = loops.in_time(function() return failure end)
    while not finished() do
      frame.update(0.01)
      frames = frames + 1
      if frames > 20 and waiter then waiter:interrupt() end
    end
    assert.matches("interrupted", failure.message)
    waiter:close()
    holder:close()
    holders:dispose()
    own:dispose()
    remove(path)
  end)

  it("is an option that says yes or no", function()
    assert.has_error(function() la.create_engine "sqlite://?worker=2" end)
    local plain = la.create_engine "sqlite://?worker=0"
    local d, other = plain:connect(), la.create_engine("sqlite://?worker=1"):connect()
    local ok, failure = pcall(d.backup_to, d, other)
    assert.is_false(ok)
    assert.matches("worker=1, or neither", failure.message)
    d:close()
    other:close()
  end)
end)

describe("frames", function()
  local frame = require "lualchemy.wait.frame"

  it("go on with those whose time has come, in their order, and raise what fails behind the others", function()
    local order = {}
    for i = 1, 3 do
      frame.start(function()
        frame.wait(-1, "", 0.001 * i)
        order[#order + 1] = i
        if i == 1 then error("first", 0) end
      end)
    end
    assert.equal(3, frame.count())
    core.sleep_until(-1, "", 0.02)
    local ok, failure = pcall(frame.update)
    assert.is_false(ok)
    assert.equal("first", failure)
    assert.same({ 1, 2, 3 }, order)
    assert.equal(0, frame.update())
  end)

  it("never sleep unless they are told to", function()
    local over, started = false, core.clock()
    local thread = frame.start(function() frame.wait(-1, "", 600) over = true end)
    for _ = 1, 3 do assert.equal(1, frame.update()) end
    assert.is_true(core.clock() - started < 60e9)
    assert.is_false(over)
    coroutine.close(thread)
    frame.start(function() frame.wait(-1, "", 0.05) over = true end)
    while not over do frame.update(10) end
    assert.is_true(core.clock() - started >= 50e6)
    assert.equal(0, frame.count())
  end)
end)

-- The specs of Core and of sessions with a thread for each connection.
describe("SQLite on threads keeps the house:", function()
  for _, folder in ipairs { "core", "orm" } do
    local pipe = assert(io.popen("ls spec/" .. folder .. "/*_spec.lua"))
    for file in pipe:lines() do
      local text = assert(io.open(file)):read "a"
      if text:find("sqlite://", 1, true) or text:find("world.", 1, true) then
        it(file, function() assert.equal("", house.failures(file, "sqlite://?worker=1", "spec/sqlite/worker.lua")) end)
      end
    end
    pipe:close()
  end
end)
