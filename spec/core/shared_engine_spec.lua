-- luacheck: no max line length
-- One pool for several Lua states, each in a thread of its own (luv's threads have one each).
local la = require "lualchemy"
local servers = dofile "spec/servers.lua"
local has_luv, luv = pcall(require, "luv")

-- A thread's whole program (luv of Debian 12 dumps functions into memory that it has given back, so it is given a dump): transfers between accounts, in transactions that are tried again. What came of it goes into a file.
local function work(path, cpath, url, seed, rounds, answer)
  package.path, package.cpath = path, cpath
  local done = 0
  local ok, problem = pcall(function()
    local la = require "lualchemy"   -- luacheck: ignore
    local engine = la.create_engine(url, { shared = true, pool_size = 3, max_overflow = 0, isolation_level = "SERIALIZABLE" })
    local Account = la.declarative_base():model "Account" { __tablename = "accounts", id = la.Column { la.Integer, primary_key = true }, money = la.Column { la.Integer } }
    local heard = 0
    la.event.listen(engine, "before_execute", function() heard = heard + 1 end)
    local session = la.Session { bind = engine }
    for _ = 1, rounds do
      seed = (seed * 1103515245 + 12345) % 2147483648
      local from, to, amount = seed // 65536 % 8 + 1, seed // 524288 % 8 + 1, seed // 4194304 % 10
      session:run_transaction(function()
        local giver, taker = session:get(Account, from), session:get(Account, to)
        giver.money = giver.money - amount
        taker.money = taker.money + amount
      end, { retries = 500, backoff = 0.001, max_backoff = 0.01 })
      done = done + 1
    end
    session:close()
    assert(heard >= rounds, "a member hears of its own statements")
  end)
  local file = assert(io.open(answer, "w"))
  file:write(ok and tostring(done) or tostring(problem))
  file:close()
end

-- A thread whose state ends with what it has: a transaction that has written, a result that is half read, and a coroutine that
-- waits for a connection that there is not.
local function leave(path, cpath, url, answer)
  package.path, package.cpath = path, cpath
  local ok, problem = pcall(function()
    local la = require "lualchemy"   -- luacheck: ignore
    local waits = 0
    local engine = la.create_engine(url, { shared = true, wait = function() waits = waits + 1; coroutine.yield() end })
    la.event.listen(engine, "rollback", function() error "nobody hears of it" end)
    local writer, reader = engine:connect(), engine:connect()
    local result = reader:execute(la.text "select 1 union all select 2 union all select 3")
    result:fetchone()
    writer:execute(la.text "insert into left_open values (1)")
    KEPT = { engine, writer, reader, result, coroutine.create(function() return engine:connect() end) }   -- luacheck: ignore
    assert(coroutine.resume(KEPT[5]))   -- luacheck: ignore
    assert(waits == 1 and engine:pool_status().in_use == 2)
  end)
  local file = assert(io.open(answer, "w"))
  file:write(ok and "left" or tostring(problem))
  file:close()
end

local databases = {
  { name = "SQLite", url = function() return "sqlite:///" .. os.tmpname() .. "?timeout=30" end },
  { name = "PostgreSQL", server = "postgresql", url = function(server) return "postgresql://spec@/spec?host=" .. server.folder end },
  { name = "MariaDB", server = "mariadb", url = function(server) return ("mariadb://spec@/spec?unix_socket=%s/mariadb.sock"):format(server.folder) end },
}

describe("an engine that several Lua states share", function()
  if not has_luv then return pending "lua-luv" end

  it("is found by its name", function()
    local path = os.tmpname()
    local url = "sqlite:///" .. path
    local one, two = la.create_engine(url, { shared = "named" }), la.create_engine(url, { shared = "named" })
    assert.are_not.equal(one, two)
    local connection <close> = one:connect()
    assert.equal(1, two:pool_status().in_use)
    local ok, problem = pcall(la.create_engine, "sqlite:///other", { shared = "named" })
    assert.is_false(ok)
    assert.equal("ArgumentError", problem.kind)
    assert.truthy(problem.message:find("'named' is one of sqlite:///", 1, true))
    ok, problem = pcall(connection.create_function, connection, "f", function() return 1 end)
    assert.is_false(ok)
    assert.equal("NotSupportedError", problem.kind)
    local heard_one, heard_two = 0, 0
    la.event.listen(one, "before_execute", function() heard_one = heard_one + 1 end)
    la.event.listen(two, "before_execute", function() heard_two = heard_two + 1 end)
    connection:execute(la.text "select 1")
    assert.same({ 1, 0 }, { heard_one, heard_two })
    two:begin(function(other) other:execute(la.text "select 2") end)
    two:execution_options { read_only = true }:begin(function(other) other:execute(la.text "select 2") end)
    assert.same({ 1, 2 }, { heard_one, heard_two })
    os.remove(path)
  end)

  it("gets back what a Lua state has when it ends", function()
    local file, answer = os.tmpname(), os.tmpname()
    local url = "sqlite:///" .. file .. "?timeout=30"
    local engine = la.create_engine(url, { shared = true, pool_size = 2, max_overflow = 0 })
    engine:begin(function(connection) connection:execute(la.text "create table left_open (a integer)") end)
    for _ = 1, 3 do
      luv.thread_join(luv.new_thread(string.dump(leave), package.path, package.cpath, tostring(engine.url), answer))
      local said = assert(io.open(answer))
      assert.equal("left", said:read "*a")
      said:close()
      assert.same({ size = 2, idle = 2, in_use = 0, overflow = 0 }, engine:pool_status())
    end
    local one <close> = engine:connect()
    local two <close> = engine:connect()
    assert.equal(0, one:execute(la.text "select count(*) from left_open"):scalar())
    one:commit()
    two:execute(la.text "insert into left_open values (2)")
    two:commit()
    os.remove(file)
    os.remove(answer)
  end)

  for _, database in ipairs(databases) do
    it("keeps the sum of all accounts on " .. database.name, function()
      local server, why
      if database.server then
        server, why = servers.start(database.server)
        if not server then return pending("a server: " .. tostring(why)) end
      end
      local url, threads, rounds = database.url(server), os.getenv "SPEC_ROUNDS" and 16 or 6, tonumber(os.getenv "SPEC_ROUNDS") or 40
      local engine = la.create_engine(url, { shared = true, pool_size = 3, max_overflow = 0 })
      local metadata = la.MetaData()
      local accounts = la.Table { "accounts", metadata, la.Column { "id", la.Integer, primary_key = true, autoincrement = false }, la.Column { "money", la.Integer } }
      metadata:create_all(engine)
      engine:begin(function(connection)
        local rows = {}
        for id = 1, 8 do rows[id] = { id = id, money = 1000 } end
        connection:execute(accounts:insert(), rows)
      end)
      local handles, answers = {}, {}
      for i = 1, threads do
        answers[i] = os.tmpname()
        handles[i] = luv.new_thread(string.dump(work), package.path, package.cpath, url, i * 7919, rounds, answers[i])
      end
      for i = 1, threads do
        luv.thread_join(handles[i])
        local file = assert(io.open(answers[i]))
        assert.equal(tostring(rounds), file:read "*a")
        file:close()
        os.remove(answers[i])
      end
      engine:begin(function(connection)
        assert.equal(8000, tonumber(tostring(connection:execute(la.select(la.func.sum(accounts.c.money))):scalar())))
      end)
      assert.equal(0, engine:pool_status().in_use)
      assert.is_true(engine:pool_status().idle <= 3)
      engine:dispose()
      if server then server:stop() end
      local file = url:match "^sqlite:///(.-)%?"
      if file then os.remove(file) end
    end)
  end
end)
