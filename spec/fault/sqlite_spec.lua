-- What can befall a database in a file: no more room, no right to write, other processes that write, bytes that are others.
local la = require "lualchemy"
local world = dofile "spec/fault/world.lua"
local fails = world.fails

local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

describe("a database in a file", function()
  local path, engines
  before_each(function()
    path, engines = os.tmpname(), {}
  end)
  after_each(function()
    for _, engine in ipairs(engines) do engine:dispose() end
    for _, suffix in ipairs { "", "-wal", "-shm", "-journal" } do os.remove(path .. suffix) end
  end)

  local function open(parameters, options)
    local engine = la.create_engine("sqlite:///" .. path .. (parameters and "?" .. parameters or ""), options)
    engines[#engines + 1] = engine
    return engine
  end

  local metadata = la.MetaData()
  local things = la.Table { "things", metadata, la.Column { "id", la.Integer, primary_key = true }, la.Column { "name", la.Text } }

  local function count(engine)
    return engine:begin(function(c) return c:scalar(la.select(la.func.count()):select_from(things)) end)
  end

  local function intact(engine)
    local c <close> = engine:connect()
    return c:exec_driver_sql("pragma integrity_check"):scalar() == "ok"
  end

  it("that is full: what did not fit is undone, and there is room again afterwards", function()
    local engine = open()
    la.event.listen(engine, "connect", function(c)
      c:exec_driver_sql("pragma max_page_count = 50"):all()
      c:commit()
    end)
    metadata:create_all(engine)
    local sets, rows, failure = {}, 0, nil
    for i = 1, 10 do sets[i] = { name = ("x"):rep(1000) .. i } end
    while not failure and rows < 1000 do
      local ok, why = pcall(engine.begin, engine, function(c) c:execute(things:insert(), sets) end)
      if ok then rows = rows + 10 else failure = why end
    end
    assert.equal("OperationalError", failure.kind)
    assert.equal(13, failure.code)
    assert.is_nil(failure.retryable)
    assert.equal(rows, count(engine))
    local c = engine:connect()
    c:execute(things:insert(), { name = "y" })
    fails("OperationalError", function() c:execute(things:insert(), { name = ("x"):rep(300000) }) end)
    local ok = pcall(c.commit, c)
    c:rollback()
    assert.equal(rows + (ok and 1 or 0), count(engine))
    c:execute(things:delete())
    c:commit()
    c:close()
    engine:begin(function(connection) connection:execute(things:insert(), sets) end)
    assert.is_true(intact(engine))
  end)

  it("that no byte can be written to: the process's own limit", function()
    metadata:create_all(open())
    local script = ([[
      local la = require "lualchemy"
      local engine = la.create_engine "sqlite:///%s"
      local ok, failure = pcall(engine.begin, engine, function(c)
        for i = 1, 2000 do c:exec_driver_sql("insert into things (name) values (?)", { ("x"):rep(1000) }) end
      end)
      assert(not ok and failure.kind == "OperationalError", tostring(failure))
      engine:begin(function(c) c:exec_driver_sql("insert into things (name) values ('small')") end)
      engine:dispose() ]]):format(path)
    -- files of 64 blocks at most; the signal that tells of it is ignored, so that the write fails
    local command = ("trap '' XFSZ; ulimit -f 128; exec %s -e %s 2>&1"):format(arg and arg[-1] or "lua5.4", quoted(script))
    local pipe = assert(io.popen(command))
    local said = pipe:read "*a"
    assert(pipe:close(), said)
    assert.equal(1, count(open()))
    assert.is_true(intact(open()))
  end)

  it("that may only be read", function()
    metadata:create_all(open())
    local engine = open "mode=ro"
    local failure = fails("OperationalError", function() engine:begin(function(c) c:execute(things:insert(), { name = "a" }) end) end)
    assert.equal(8, failure.code & 0xff)
    assert.equal(0, count(engine))
  end)

  it("that another connection writes to: busy is told in time, and may be tried again", function()
    local engine = open "timeout=0.05"
    metadata:create_all(engine)
    local holder = engine:connect()
    holder:execute(things:insert(), { name = "holder" })
    local failure = fails("OperationalError", function() engine:begin(function(c) c:execute(things:insert(), { name = "b" }) end) end)
    assert.equal(5, failure.code & 0xff)
    assert.is_true(failure.retryable)
    local runs = 0
    engine:run_transaction(function(c)
      runs = runs + 1
      if runs == 2 then holder:commit() end
      c:execute(things:insert(), { name = "c" })
    end)
    holder:close()
    assert.equal(2, runs)
    assert.equal(2, count(engine))
  end)

  for _, mode in ipairs { "delete", "wal" } do
    it("that many processes write to, with its journal in mode " .. mode, function()
      local engine = open("journal_mode=" .. mode)
      metadata:create_all(engine)
      local writers, each = os.getenv "SPEC_ROUNDS" and 16 or 4, world.rounds(40)
      local script = ([[
        local la = require "lualchemy"
        local engine = la.create_engine "sqlite:///%s?journal_mode=%s"
        for i = 1, %d do
          engine:begin(function(c) c:exec_driver_sql("insert into things (name) values ('a')") end)
        end
        engine:dispose() ]]):format(path, mode, each)
      local pipes = {}
      for i = 1, writers do pipes[i] = assert(io.popen(("%s -e %s 2>&1"):format(arg and arg[-1] or "lua5.4", quoted(script)))) end
      for _, pipe in ipairs(pipes) do
        local said = pipe:read "*a"
        assert(pipe:close(), said)
      end
      assert.equal(writers * each, count(engine))
      assert.is_true(intact(engine))
    end)
  end

  it("whose bytes are others than they should be: an error, and nothing worse", function()
    local seed = tonumber(os.getenv "SEED") or os.time()
    math.randomseed(seed)
    local engine = open()
    metadata:create_all(engine)
    engine:begin(function(c)
      local sets = {}
      for i = 1, 200 do sets[i] = { name = ("name %d "):format(i):rep(10) } end
      c:execute(things:insert(), sets)
    end)
    engine:dispose()
    local file = assert(io.open(path, "rb"))
    local whole = file:read "*a"
    file:close()
    local errors, kinds = 0, { DatabaseError = true, OperationalError = true, DataError = true, ProgrammingError = true }
    for _ = 1, world.rounds(150) do
      local at, length = math.random(#whole), math.random(64)
      local bytes = {}
      for i = 1, length do bytes[i] = string.char(math.random(0, 255)) end
      local changed = (whole:sub(1, at - 1) .. table.concat(bytes) .. whole:sub(at + length))
      if math.random(5) == 1 then changed = changed:sub(1, math.random(#changed)) end
      file = assert(io.open(path, "wb"))
      file:write(changed)
      file:close()
      local broken = la.create_engine("sqlite:///" .. path)
      local ok, failure = pcall(function()
        broken:begin(function(c)
          c:execute(la.select(things)):all()
          c:execute(things:update():values { name = "new" })
          c:execute(things:delete():where(things.c.id:lt(50)))
        end)
      end)
      if not ok then
        errors = errors + 1
        local expected = la.is_error(failure) and kinds[failure.kind]
        assert(expected, ("%s: %s (SEED=%d)"):format(la.is_error(failure) and failure.kind or "no error of ours", tostring(failure), seed))
        assert.equal(0, broken:pool_status().in_use, "SEED=" .. seed)
      end
      broken:dispose()
    end
    assert.is_true(errors > 5, ("%d errors (SEED=%d)"):format(errors, seed))
  end)
end)
