-- Kinds of transactions as users ask for them; run_transaction; replicas.
local la = require "lualchemy"
local core = require "lualchemy.core"
local world = dofile "spec/core/world.lua"
local fails = world.fails

local function mocked(url, options)
  local mock = core.mock()
  options = options or {}
  options.mock = mock
  return la.create_engine(url or "mock+postgresql://", options), mock
end

local function sent(mock)
  local texts = {}
  for i, one in ipairs(mock:statements()) do texts[i] = one.sql end
  mock:forget()
  return table.concat(texts, "; ")
end

describe("isolation levels", function()
  it("are the engine's, a derived engine's, a connection's", function()
    local engine, mock = mocked(nil, { isolation_level = "REPEATABLE READ" })
    engine:begin(function(c) c:exec_driver_sql "SELECT 1" end)
    assert.equal("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1; COMMIT", sent(mock))
    local serializable = engine:execution_options { isolation_level = "SERIALIZABLE", read_only = true }
    serializable:begin(function(c)
      assert.equal("SERIALIZABLE", c.isolation_level)
      assert.is_true(c.read_only)
      c:exec_driver_sql "SELECT 1"
    end)
    assert.equal("BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY; SELECT 1; COMMIT", sent(mock))
    assert.equal(1, serializable:pool_status().idle)
    local c <close> = engine:connect():execution_options { isolation_level = "AUTOCOMMIT" }
    c:exec_driver_sql "INSERT INTO t"
    c:commit()
    assert.equal("INSERT INTO t", sent(mock))
    engine:begin({ isolation_level = "READ COMMITTED" }, function(other) other:exec_driver_sql "SELECT 1" end)
    assert.equal("BEGIN ISOLATION LEVEL READ COMMITTED; SELECT 1; COMMIT", sent(mock))
  end)

  it("are checked by name", function()
    fails("ArgumentError", function() mocked(nil, { isolation_level = "SERIALISABLE" }) end, "SERIALIZABLE")
    local engine = mocked()
    fails("ArgumentError", function() engine:execution_options { isolation_levl = "SERIALIZABLE" } end, "isolation_level")
    local c = engine:connect()
    c:exec_driver_sql "SELECT 1"
    fails("InvalidRequestError", function() c:execution_options { isolation_level = "SERIALIZABLE" } end, "commit or roll back first")
    c:close()
  end)

  it("are a session's", function()
    local w = world.tables()
    local engine, mock = mocked()
    local session = la.Session(engine, { isolation_level = "SERIALIZABLE", read_only = true })
    session:execute(w.teams:insert(), { name = "x" })
    session:close()
    assert.truthy(sent(mock):find("BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY", 1, true))
  end)

  it("hold in a real database", function()
    local w = world.new()
    w.connection:close()
    local failure = fails("OperationalError", function()
      w.engine:begin({ read_only = true }, function(c) c:execute(w.teams:insert(), { name = "x" }) end)
    end)
    assert.truthy(failure.message:find("readonly", 1, true))
    w.engine:begin(function(c) c:execute(w.teams:insert(), { name = "x" }) end)
    local c <close> = w.engine:connect { isolation_level = "AUTOCOMMIT" }
    c:execute(w.teams:insert(), { name = "y" })
    assert.is_false(c:in_transaction())
    c:rollback()
    assert.equal(4, c:scalar(la.select(la.func.count()):select_from(w.teams)))
  end)
end)

describe("two phases", function()
  it("prepare, commit, roll back, recover", function()
    local engine, mock = mocked()
    local c <close> = engine:connect()
    local transaction = c:begin_twophase "order-1"
    assert.equal("order-1", transaction.xid)
    c:exec_driver_sql "INSERT INTO t"
    transaction:prepare()
    fails("InvalidRequestError", function() c:exec_driver_sql "INSERT INTO t" end, "prepared")
    transaction:commit()
    assert.equal("BEGIN; INSERT INTO t; PREPARE TRANSACTION 'order-1'; COMMIT PREPARED 'order-1'", sent(mock))
    assert.truthy(c:begin_twophase().xid:match "^la_%w+")
    c:rollback()
    mock:forget()
    c:execution_options { isolation_level = "SERIALIZABLE", read_only = true, deferrable = true }
    c:begin_twophase "order-2"
    c:rollback()
    assert.equal("BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE; ROLLBACK", sent(mock))
    c:execution_options { isolation_level = "READ COMMITTED", read_only = false, deferrable = false }
    mock:forget()
    mock:answer { pattern = "pg_prepared_xacts", columns = { "gid" }, rows = { { "a" }, { "b" } } }
    assert.same({ "a", "b" }, c:recover_twophase())
    mock:forget()
    c:commit_prepared "a"
    c:rollback_prepared "b"
    assert.equal("COMMIT PREPARED 'a'; ROLLBACK PREPARED 'b'", sent(mock))
    fails("ArgumentError", function() c:begin_twophase "no'pe" end, "letters")
    fails("NotSupportedError", function() mocked("mock+sqlite://"):connect():begin_twophase() end, "sqlite")
  end)
end)

describe("run_transaction", function()
  local quick = { backoff = 0.0001 }

  it("runs again after a failure that passes", function()
    local engine, mock = mocked()
    local runs = 0
    local answer = engine:run_transaction(function(c)
      runs = runs + 1
      if runs < 3 then mock:fail(3, "OperationalError", { ends_transaction = true, sqlstate = "40001" }) end
      c:exec_driver_sql("INSERT INTO t" .. runs)
      return runs, "done"
    end, quick)
    assert.equal(3, answer)
    assert.equal(3, runs)
  end)

  it("runs again when the commit is refused", function()
    local engine, mock = mocked()
    local runs = 0
    engine:run_transaction(function(c)
      runs = runs + 1
      c:exec_driver_sql "INSERT INTO t"
      if runs == 1 then mock:fail(1, "OperationalError", { ends_transaction = true, sqlstate = "40P01" }) end
    end, quick)
    assert.equal(2, runs)
  end)

  it("gives up in the end, and says so", function()
    local engine, mock = mocked()
    local runs = 0
    local failure = fails("OperationalError", function()
      engine:run_transaction(function(c)
        runs = runs + 1
        mock:fail(3, "OperationalError", { ends_transaction = true, sqlstate = "40001" })
        c:exec_driver_sql("INSERT INTO t" .. runs)
      end, { retries = 2, backoff = 0.0001 })
    end, "gave up after 3 attempts", "retries")
    assert.equal(3, runs)
    assert.equal(3, failure.attempts)
    assert.equal(0, engine:pool_status().in_use)
  end)

  it("pauses before it runs again, about twice as long each time, up to max_backoff", function()
    local engine, mock = mocked()
    local sleep, pauses = core.sleep, {}
    core.sleep = function(seconds) pauses[#pauses + 1] = seconds end
    finally(function() core.sleep = sleep end)
    fails("OperationalError", function()
      engine:run_transaction(function(c)
        mock:fail(3, "OperationalError", { ends_transaction = true, sqlstate = "40001" })
        c:exec_driver_sql "INSERT INTO t"
      end, { retries = 6, backoff = 1, max_backoff = 6 })
    end, "7 attempts")
    assert.equal(6, #pauses)
    for i, most in ipairs { 1, 2, 4, 6, 6, 6 } do
      assert.is_true(pauses[i] >= most / 2 and pauses[i] <= most, ("pause %d: %g s"):format(i, pauses[i]))
    end
  end)

  it("never runs again after a commit whose answer was lost, nor after other errors", function()
    local engine, mock = mocked()
    local runs = 0
    local failure = fails("OperationalError", function()
      engine:run_transaction(function(c)
        runs = runs + 1
        c:exec_driver_sql "INSERT INTO t"
        mock:kill()
      end, quick)
    end)
    assert.is_true(failure.outcome_unknown)
    assert.equal(1, runs)
    local thrown = {}
    local ok, what = pcall(engine.run_transaction, engine, function() runs = runs + 1 error(thrown) end, quick)
    assert.is_false(ok)
    assert.equal(thrown, what)
    assert.equal(2, runs)
    fails("ArgumentError", function() engine:run_transaction(print, { retrys = 1 }) end, "retries")
  end)

  it("is a session's as well", function()
    local Base = la.declarative_base()
    local Team = Base:model "Team" {
      __tablename = "teams", id = la.Column { la.Integer, primary_key = true }, name = la.Column { la.String(80) } }
    local engine, mock = mocked "mock+sqlite://"
    local session = la.Session(engine)
    local runs = 0
    session:run_transaction(function(s)
      runs = runs + 1
      s:add(Team { name = "Red" })
      if runs == 1 then mock:fail(4, "OperationalError", { ends_transaction = true, sqlstate = "40001" }) end
    end, quick)
    assert.equal(2, runs)
    session:begin()
    fails("InvalidRequestError", function() session:run_transaction(print) end, "has one open")
    session:close()
  end)

  it("waits without blocking inside a coroutine", function()
    local engine, mock = mocked()
    local waits = 0
    la.set_wait(function(descriptor, _, seconds)
      if descriptor == -1 and seconds then waits = waits + 1 end
      coroutine.yield()
    end)
    local runs = 0
    local thread = coroutine.create(function()
      return engine:run_transaction(function(c)
        runs = runs + 1
        if runs == 1 then mock:fail(3, "OperationalError", { ends_transaction = true, sqlstate = "40001" }) end
        c:exec_driver_sql("INSERT INTO t" .. runs)
      end, { backoff = 0.002 })
    end)
    while coroutine.status(thread) ~= "dead" do assert(coroutine.resume(thread)) end
    la.set_wait(nil)
    assert.equal(2, runs)
    assert.is_true(waits > 0)
  end)

  it("runs again where a real database is busy", function()
    local path = os.tmpname()
    local engine = la.create_engine("sqlite:///" .. path .. "?timeout=0")
    engine:begin(function(c) c:exec_driver_sql "create table t (a)" end)
    local other = engine:connect()
    other:exec_driver_sql "insert into t values (1)"
    local runs = 0
    engine:run_transaction(function(c)
      runs = runs + 1
      if runs == 2 then other:commit() end
      c:exec_driver_sql "insert into t values (2)"
    end, quick)
    assert.equal(2, runs)
    other:close()
    engine:dispose()
    os.remove(path)
  end)
end)

describe("replicas", function()
  it("get what only reads, and a write is refused before it is sent", function()
    local w = world.tables()
    local mock = core.mock()
    local engine = la.create_engine {
      primary = "mock+postgresql://primary", replicas = { "mock+postgresql://one", "mock+postgresql://two" }, mock = mock,
    }
    engine:begin({ read_only = true }, function(c)
      c:exec_driver_sql "SELECT 1"
      fails("InvalidRequestError", function() c:execute(w.teams:insert(), { name = "x" }) end, "replica")
    end)
    assert.equal("BEGIN READ ONLY; SELECT 1; COMMIT", sent(mock))
    assert.equal(0, engine:pool_status().idle)
    engine:begin(function(c) c:execute(w.teams:insert(), { name = "x" }) end)
    assert.equal(1, engine:pool_status().idle)
    fails("ArgumentError", function() la.create_engine { primary = "sqlite://", replicas = { "mock+postgresql://" } } end, "same kind")
  end)
end)

describe("how a transaction begins", function()
  it("is said for one transaction, for an engine, for a session", function()
    local engine, mock = mocked "mock+sqlite://"
    engine:begin({ begin_mode = "immediate" }, function(c) c:exec_driver_sql "SELECT 1" end)
    assert.equal("BEGIN IMMEDIATE; SELECT 1; COMMIT", sent(mock))
    local c = engine:connect()
    c:begin { begin_mode = "EXCLUSIVE" }:commit()
    assert.equal("BEGIN EXCLUSIVE; COMMIT", sent(mock))
    c:begin():rollback()
    assert.equal("BEGIN; ROLLBACK", sent(mock))
    c:execution_options { begin_mode = "IMMEDIATE" }
    c:begin { read_only = true }:rollback()
    assert.equal("PRAGMA query_only = 1; BEGIN; ROLLBACK", sent(mock))
    c:begin():rollback()
    assert.equal("PRAGMA query_only = 0; BEGIN IMMEDIATE; ROLLBACK", sent(mock))
    c:close()
    local w = world.tables()
    local session = la.Session(engine, { begin_mode = "IMMEDIATE" })
    session:execute(w.teams:insert(), { name = "x" })
    session:close()
    assert.truthy(sent(mock):find("^BEGIN IMMEDIATE"))
    engine:run_transaction(function(one) one:exec_driver_sql "SELECT 1" end, { begin_mode = "IMMEDIATE" })
    assert.equal("BEGIN IMMEDIATE; SELECT 1; COMMIT", sent(mock))
  end)

  it("is checked by name, and an option that fails leaves nothing behind", function()
    local engine, mock = mocked "mock+sqlite://"
    fails("ArgumentError", function() engine:execution_options { begin_mode = "IMEDIATE" } end, "IMMEDIATE")
    fails("ArgumentError", function() mocked():execution_options { begin_mode = "IMMEDIATE" } end, "one way alone")
    local c <close> = engine:connect()
    fails("ArgumentError", function() c:begin { read_only = true, begin_mode = "x" } end)
    assert.is_false(c.read_only)
    assert.is_false(c:in_transaction())
    c:begin()
    fails("InvalidRequestError", function() c:begin { read_only = true } end, "open already")
    c:rollback()
    assert.equal("BEGIN; ROLLBACK", sent(mock))
  end)

  it("IMMEDIATE keeps other writers of a file out from its beginning on", function()
    local path = os.tmpname()
    local engine = la.create_engine("sqlite:///" .. path .. "?timeout=0")
    engine:begin(function(c) c:exec_driver_sql "create table t (a)" end)
    local one, two = engine:connect(), engine:connect()
    one:begin { begin_mode = "IMMEDIATE" }
    local failure = fails("OperationalError", function() two:begin { begin_mode = "IMMEDIATE" } end, "locked")
    assert.is_true(failure.retryable)
    two:begin()
    assert.same({}, two:exec_driver_sql("select * from t"):all())
    two:rollback()
    one:commit()
    two:begin { begin_mode = "IMMEDIATE" }:rollback()
    one:begin { read_only = true }
    fails("OperationalError", function() one:exec_driver_sql "insert into t values (1)" end)
    one:close()
    two:close()
    engine:dispose()
    os.remove(path)
  end)
end)

describe("logging_token", function()
  it("stands before the lines of echo, and in what listeners are told", function()
    local lines, tokens = {}, {}
    local engine = mocked("mock+sqlite://", { echo = function(text) lines[#lines + 1] = text end })
    la.event.listen(engine, "before_execute", function(_, what) tokens[#tokens + 1] = what.token or "none" end)
    engine:begin({ logging_token = "job 7" }, function(c) c:exec_driver_sql "SELECT 1" end)
    engine:begin(function(c) c:exec_driver_sql "SELECT 2" end)
    local c <close> = engine:connect():execution_options { logging_token = "mine" }
    c:exec_driver_sql "SELECT 3"
    c:rollback()
    c:execution_options { logging_token = "" }
    c:exec_driver_sql "SELECT 4"
    c:rollback()
    local session = la.Session(engine, { logging_token = "unit" })
    session:execute(la.text "SELECT 5")
    session:close()
    assert.same({ "job 7", "none", "mine", "none", "unit" }, tokens)
    assert.equal("[job 7] BEGIN", lines[1])
    assert.truthy(lines[2]:find("^%[job 7%] SELECT 1"))
    assert.equal("[job 7] COMMIT", lines[3])
    assert.equal("BEGIN", lines[4])
    fails("ArgumentError", function() engine:execution_options { logging_token = ("x"):rep(48) } end, "47 bytes")
  end)
end)
