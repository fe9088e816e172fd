-- What SQLite can do because it lives in the process: functions, aggregates and collations in Lua, copies of databases, settings by URL.
-- luacheck: no max line length
local la, core = require "lualchemy", require "lualchemy.core"
local world = dofile "spec/core/world.lua"
local fails = world.fails

local function opened(url)
  local engine = la.create_engine(url or "sqlite://")
  return engine:connect(), engine
end

local function one(c, sql) return c:exec_driver_sql(sql):scalar() end

local function filled(c, count)
  c:exec_driver_sql "CREATE TABLE t (id INTEGER PRIMARY KEY, x)"
  for i = 1, count do c:exec_driver_sql("INSERT INTO t VALUES (?, ?)", { i, i * 10 }) end
  c:commit()
end

describe("functions in Lua", function()
  local c
  before_each(function() c = opened() end)
  after_each(function() c:close() end)

  it("take and give values of every kind", function()
    c:create_function("same", function(...) return ... end)
    for sql, expected in pairs { ["1"] = 1, ["2.5"] = 2.5, ["'text'"] = "text", ["''"] = "", ["x'0001ff'"] = "\0\1\255", ["9223372036854775807"] = math.maxinteger } do
      assert.equal(expected, one(c, ("SELECT same(%s)"):format(sql)), sql)
    end
    assert.is_nil(one(c, "SELECT same(NULL)"))
    assert.equal(1, one(c, "SELECT same(1 = 1)"))
  end)

  it("take so many arguments as they say, and may be overloaded by it", function()
    c:create_function("f", function() return "one" end, { arguments = 1 })
    c:create_function("f", function() return "two" end, { arguments = 2, deterministic = true })
    assert.equal("one", one(c, "SELECT f(1)"))
    assert.equal("two", one(c, "SELECT f(1, 2)"))
    fails("OperationalError", function() one(c, "SELECT f(1, 2, 3)") end, "arguments")
  end)

  it("raise what they raise, whatever it is, and the connection goes on", function()
    local thrown = { "a value" }
    c:create_function("f", function(x) if x == 3 then error(thrown, 0) end return x end)
    filled(c, 5)
    local ok, failure = pcall(function() return c:exec_driver_sql("SELECT f(id) FROM t"):all() end)
    assert.is_false(ok)
    assert.equal(thrown, failure)
    ok, failure = pcall(function() return c:exec_driver_sql("UPDATE t SET x = f(id)") end)
    assert.is_false(ok)
    assert.equal(thrown, failure)
    c:rollback()
    assert.equal(1, one(c, "SELECT f(1)"))
    assert.equal(50, one(c, "SELECT max(x) FROM t"))
  end)

  it("say what cannot be a value", function()
    c:create_function("f", function() return {} end)
    fails("ArgumentError", function() one(c, "SELECT f()") end, "table")
    fails("ArgumentError", function() c:create_function("f", 5) end, "function")
    fails("ArgumentError", function() c:create_function("f", print, { argument = 1 }) end, "arguments")
    fails("ArgumentError", function() c:create_function("f", print, { arguments = 200 }) end, "127")
  end)

  it("go on when they are replaced, and collected", function()
    for i = 1, 20 do
      c:create_function("f", function() return i end)
      collectgarbage()
      assert.equal(i, one(c, "SELECT f()"))
    end
  end)

  it("aggregate", function()
    filled(c, 4)
    c:create_aggregate("product", { step = function(state, x) return (state or 1) * x end, finish = function(state) return state end })
    c:create_aggregate("joined", { step = function(state, x) state = state or {} state[#state + 1] = math.tointeger(x) return state end, finish = function(state) return table.concat(state or {}, "-") end })
    assert.equal(24, one(c, "SELECT product(id) FROM t"))
    assert.is_nil(one(c, "SELECT product(id) FROM t WHERE id > 9"))
    assert.equal("1-2-3-4", one(c, "SELECT joined(id) FROM t"))
    assert.equal("", one(c, "SELECT joined(id) FROM t WHERE 0"))
    local parts = c:exec_driver_sql("SELECT joined(id) FROM t GROUP BY id % 2 ORDER BY 1"):scalars():all()
    assert.same({ "1-3", "2-4" }, parts)
  end)

  it("are window functions with an inverse", function()
    filled(c, 5)
    c:create_aggregate("total2", {
      step = function(state, x) return (state or 0) + x end, inverse = function(state, x) return state - x end,
      value = function(state) return state end, finish = function(state) return state end,
    })
    local sums = c:exec_driver_sql("SELECT total2(id) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t ORDER BY id"):scalars():all()
    assert.same({ 1, 3, 5, 7, 9 }, sums)
  end)

  it("that aggregate may fail in any of their parts, or be given up", function()
    filled(c, 3)
    c:create_aggregate("a", { step = function() error("in step", 0) end, finish = function() return 1 end })
    c:create_aggregate("b", { step = function() return {} end, finish = function() error("in finish", 0) end })
    for name, text in pairs { a = "in step", b = "in finish" } do
      local ok, failure = pcall(one, c, ("SELECT %s(id) FROM t"):format(name))
      assert.is_false(ok)
      assert.equal(text, failure)
    end
    c:create_aggregate("kept", { step = function(state, x) state = state or {} state[#state + 1] = x return state end, finish = function(state) return #state end })
    local result = c:exec_driver_sql "SELECT kept(id) FROM t GROUP BY id"
    assert.equal(1, result:fetchone()[1])
    result:close()
    assert.equal(3, one(c, "SELECT kept(id) FROM t"))
    fails("ArgumentError", function() c:create_aggregate("x", { step = print }) end, "finish")
  end)

  it("collate", function()
    c:exec_driver_sql "CREATE TABLE n (x TEXT)"
    for _, x in ipairs { "b10", "b9", "a100", "a20" } do c:exec_driver_sql("INSERT INTO n VALUES (?)", { x }) end
    c:create_collation("natural_order", function(first, second)
      local function key(text) return ("%s%08d"):format(text:match "^%a*", tonumber(text:match "%d+")) end
      local a, b = key(first), key(second)
      return a < b and -1 or a > b and 1 or 0
    end)
    assert.same({ "a20", "a100", "b9", "b10" }, c:exec_driver_sql("SELECT x FROM n ORDER BY x COLLATE natural_order"):scalars():all())
    local thrown = {}
    c:create_collation("broken", function() error(thrown, 0) end)
    local ok, failure = pcall(function() return c:exec_driver_sql("SELECT x FROM n ORDER BY x COLLATE broken"):all() end)
    assert.is_false(ok)
    assert.equal(thrown, failure)
    c:rollback()
    assert.equal(1, one(c, "SELECT 1"))
  end)

  it("can interrupt the statement that calls them", function()
    filled(c, 3)
    c:create_function("stop", function() c:interrupt() return 1 end)
    local failure = fails("OperationalError", function() c:exec_driver_sql("SELECT stop(a.id) FROM t a, t b, t c"):all() end, "interrupted")
    assert.is_false(failure.retryable and true or false)
    assert.equal(1, one(c, "SELECT 1"))
  end)

  it("are what other databases have not", function()
    local other <close> = la.create_engine("mock+postgresql://"):connect()
    fails("NotSupportedError", function() other:create_function("f", print) end, "postgresql")
    fails("NotSupportedError", function() other:interrupt() end, "interrupt")
  end)
end)

describe("a database", function()
  it("is copied into another, with progress", function()
    local from, to = opened(), opened()
    from:exec_driver_sql "CREATE TABLE big (x BLOB)"
    for _ = 1, 50 do from:exec_driver_sql "INSERT INTO big VALUES (randomblob(5000))" end
    from:commit()
    local seen = {}
    from:backup_to(to, { pages = 10, progress = function(remaining, total) seen[#seen + 1] = remaining assert(remaining <= total) end })
    assert.is_true(#seen > 3)
    assert.equal(0, seen[#seen])
    for i = 2, #seen do assert.is_true(seen[i] < seen[i - 1]) end
    assert.equal(50, one(to, "SELECT count(*) FROM big"))
    assert.equal(50, one(from, "SELECT count(*) FROM big"))
    from:close() to:close()
  end)

  it("is not copied when progress fails, and not onto itself", function()
    local from, to = opened(), opened()
    filled(from, 300)
    local ok, failure = pcall(from.backup_to, from, to, { pages = 1, progress = function() error("enough", 0) end })
    assert.is_false(ok)
    assert.equal("enough", failure)
    fails("ArgumentError", function() from:backup_to(from) end, "another")
    from:backup_to(to)
    assert.equal(300, one(to, "SELECT count(*) FROM t"))
    from:close() to:close()
  end)

  it("goes through a string", function()
    local from, to = opened(), opened()
    filled(from, 20)
    local bytes = from:serialize()
    assert.equal("SQLite format 3\0", bytes:sub(1, 16))
    to:deserialize(bytes)
    assert.equal(20, one(to, "SELECT count(*) FROM t"))
    to:exec_driver_sql "INSERT INTO t SELECT id + 100, x FROM t"
    to:commit()
    assert.equal(40, one(to, "SELECT count(*) FROM t"))
    assert.equal(20, one(from, "SELECT count(*) FROM t"))
    fails("ArgumentError", function() from:serialize "nowhere" end, "nowhere")
    from:close() to:close()
  end)

  it("of a file with a log beside it goes through a string as well, with what only the log has", function()
    local path = os.tmpname()
    local engine = la.create_engine("sqlite:///" .. path .. "?journal_mode=wal&pragma_wal_autocheckpoint=0")
    local from, to = engine:connect(), opened()
    filled(from, 20)
    to:deserialize(from:serialize())
    assert.equal(20, one(to, "SELECT count(*) FROM t"))
    to:exec_driver_sql "DELETE FROM t"
    to:commit()
    assert.equal(0, one(to, "SELECT count(*) FROM t"))
    from:close() to:close()
    engine:dispose()
    for _, ending in ipairs { "", "-wal", "-shm" } do os.remove(path .. ending) end
  end)

  it("does not take other bytes for a database", function()
    local c <close> = opened()
    for _, bytes in ipairs { "junk", "SQLite format 3\0", ("x"):rep(4096) } do
      fails("DataError", function() c:deserialize(bytes) end, "as serialize gives them, and these " .. #bytes .. " are none")
    end
    assert.equal(1, one(c, "SELECT 1"))
  end)

  it("takes settings by URL", function()
    local c <close> = opened "sqlite://?pragma_cache_size=-1234&pragma_temp_store=memory&pragma_page_size=8192"
    assert.equal(-1234, one(c, "PRAGMA cache_size"))
    assert.equal(2, one(c, "PRAGMA temp_store"))
    assert.equal(8192, one(c, "PRAGMA page_size"))
    fails("ArgumentError", function() la.create_engine "sqlite://?pragma_cache_siz=1" end, "pragma_cache_size")
    fails("ArgumentError", function() la.create_engine "sqlite://?pragma_cache_size=1;DROP" end, "neither a number nor a word")
    fails("ArgumentError", function() la.create_engine "sqlite://?pragma_zzzzzzzzzzzzzz=1" end, "no setting")
  end)

  it("is locked at the beginning of a transaction that says so", function()
    local path = os.tmpname()
    local one_engine, other_engine = la.create_engine("sqlite:///" .. path .. "?begin=immediate"), la.create_engine("sqlite:///" .. path .. "?begin=immediate&timeout=0.2")
    local first, second = one_engine:connect(), other_engine:connect()
    first:begin()
    local started, worked = core.clock(), os.clock()
    local failure = fails("OperationalError", function() second:begin() end, "locked")
    assert.is_true(failure.retryable)
    local took = (core.clock() - started) / 1e9
    assert.is_true(took >= 0.19 and took < 5, ("the time limit is 0.2 s, and it took %.2f s"):format(took))
    assert.is_true(os.clock() - worked < 0.15, "it sleeps while it waits")
    first:rollback()
    second:begin():rollback()
    first:close() second:close()
    one_engine:dispose() other_engine:dispose()
    os.remove(path)
    fails("ArgumentError", function() la.create_engine "sqlite://?begin=now" end, "immediate")
  end)
end)

describe("a value in pieces", function()
  local c
  before_each(function()
    c = opened()
    c:exec_driver_sql "CREATE TABLE files (id INTEGER PRIMARY KEY, body BLOB)"
    c:exec_driver_sql "INSERT INTO files VALUES (7, zeroblob(1000))"
    c:commit()
  end)
  after_each(function() c:close() end)

  it("is written and read as a file is", function()
    local blob = c:open_blob { table = "files", column = "body", row = 7, writable = true }
    assert.equal(1000, blob:size())
    assert.equal(1000, #blob)
    blob:write("abc"):write("def")
    assert.equal(6, blob:seek())
    assert.equal(998, blob:seek("end", -2))
    blob:write "yz"
    assert.equal(0, blob:seek "set")
    assert.equal("abcdef", blob:read(6))
    assert.equal(("\0"):rep(992) .. "yz", blob:read())
    assert.is_nil(blob:read(1))
    assert.equal("", blob:read(0))
    fails("DataError", function() blob:write "x" end, "zeroblob")
    fails("ArgumentError", function() blob:seek("set", 1001) end, "1000")
    blob:close()
    blob:close()
    fails("ResourceClosedError", function() blob:read() end, "closed")
    c:commit()
    assert.equal("abcdef", one(c, "SELECT substr(body, 1, 6) FROM files"))
  end)

  it("can only be read where it is not writable, and ends when its row changes", function()
    local blob <close> = c:open_blob { table = "files", column = "body", row = 7 }
    fails("OperationalError", function() blob:write "x" end)
    c:exec_driver_sql "UPDATE files SET body = x'01'"
    fails("OperationalError", function() blob:read(1) end, "again")
  end)

  it("says what is missing", function()
    fails("ArgumentError", function() c:open_blob { table = "files", column = "body" } end, "row")
    fails("ArgumentError", function() c:open_blob { column = "body", row = 7 } end, "table")
    fails("OperationalError", function() c:open_blob { table = "files", column = "body", row = 8 } end, "8")
    fails("ArgumentError", function() c:open_blob { table = "files", columns = "body", row = 7 } end, "column")
  end)

  it("may outlive its connection and its engine", function()
    local other, engine = opened()
    other:exec_driver_sql "CREATE TABLE files (body BLOB)"
    other:exec_driver_sql "INSERT INTO files VALUES (x'0102')"
    other:create_function("f", print)
    other:create_collation("g", rawequal)
    other:commit()
    local blob = other:open_blob { table = "files", column = "body", row = 1 }
    assert.equal("\1", blob:read(1))
    other:close()
    engine:dispose()
    fails("ResourceClosedError", function() blob:read(1) end, "connection")
    other, engine = nil, nil
    collectgarbage()
    collectgarbage()
    blob:close()
    assert.is_nil(other or engine)
  end)
end)
