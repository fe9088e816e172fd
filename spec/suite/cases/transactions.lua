-- Transactions as a connection, an engine and savepoints make them; levels, two phases, and what is tried again.
local suite = ...
local la = require "lualchemy"
local core = require "lualchemy.core"

local function ids(things, connection)
  return connection:execute(la.select(things.c.id):order_by(things.c.id)):scalars():all()
end

local function add(connection, things, id)
  connection:execute(things:insert(), { id = id, name = "n" .. id })
end

suite.case("a rollback takes back what was done, a commit keeps it", function(world)
  local things = world:names()
  local connection = world:connect()
  add(connection, things, 1)
  connection:rollback()
  world.same(0, world:count(things))
  add(connection, things, 2)
  connection:commit()
  world.same(1, world:count(things))
end)

suite.case("a function's transaction is committed, or rolled back by the error that leaves it", function(world)
  local things, thrown = world:names(), { "mine" }
  world:engine():begin(function(connection) add(connection, things, 1) end)
  local ok, failure = pcall(function()
    world:engine():begin(function(connection)
      add(connection, things, 2)
      error(thrown)
    end)
  end)
  assert(not ok and failure == thrown, tostring(failure))
  world:engine():begin(function(connection) world.same({ 1 }, ids(things, connection)) end)
end)

suite.case("nobody sees what is not committed", { needs = { "shared" } }, function(world)
  local things = world:names()
  local writer, reader = world:connect(), world:connect()
  add(writer, things, 1)
  world.same(0, world:count(things, reader))
  reader:rollback()
  writer:commit()
  world.same(1, world:count(things, reader))
end)

suite.case("a transaction goes on after a failed statement, or asks for a rollback, and works after it", function(world)
  local things = world:names "a"
  local connection = world:connect()
  add(connection, things, 2)
  world.fails("IntegrityError", function() add(connection, things, 1) end)
  local ok, failure = pcall(add, connection, things, 3)
  if not ok then assert(la.is_error(failure, "DBAPIError"), tostring(failure)) end
  connection:rollback()
  world.same({ 1 }, ids(things, connection))
end)

suite.case("a commit after a failed statement keeps what was done, or is an error", function(world)
  local things = world:names "a"
  local connection = world:connect()
  for i, begin in ipairs(world:can "two_phase" and { "begin", "begin_twophase" } or { "begin" }) do
    local transaction, before = connection[begin](connection), world:count(things)
    add(connection, things, i + 1)
    world.fails("IntegrityError", function() add(connection, things, 1) end)
    local kept = pcall(transaction.commit, transaction)
    if not kept then transaction:rollback() end
    world.same(kept and before + 1 or before, world:count(things))
  end
end)

-- Savepoints -------------------------------------------------------------------------------------------

suite.case("a savepoint that is rolled back takes only its own with it", { needs = { "savepoints" } }, function(world)
  local things = world:names()
  world:engine():begin(function(connection)
    add(connection, things, 1)
    local savepoint = connection:begin_nested()
    add(connection, things, 2)
    savepoint:rollback()
    savepoint = connection:begin_nested()
    add(connection, things, 3)
    savepoint:commit()
  end)
  world:engine():begin(function(connection) world.same({ 1, 3 }, ids(things, connection)) end)
end)

suite.case("savepoints stand in one another", { needs = { "savepoints" } }, function(world)
  local things = world:names()
  local connection = world:connect()
  local outer = connection:begin_nested()
  add(connection, things, 1)
  local inner = connection:begin_nested()
  add(connection, things, 2)
  inner:commit()
  outer:rollback()
  outer = connection:begin_nested()
  add(connection, things, 3)
  inner = connection:begin_nested()
  add(connection, things, 4)
  inner:rollback()
  outer:commit()
  connection:commit()
  world.same({ 3 }, ids(things, connection))
end)

suite.case("behind a savepoint a failed statement costs nothing but itself", { needs = { "savepoints" } }, function(world)
  local things = world:names "a"
  local connection = world:connect()
  add(connection, things, 2)
  for _ = 1, 3 do
    local savepoint = connection:begin_nested()
    world.fails("IntegrityError", function() add(connection, things, 1) end)
    savepoint:rollback()
  end
  add(connection, things, 3)
  connection:commit()
  world.same({ 1, 2, 3 }, ids(things, connection))
end)

suite.case("tables that were created are gone with their transaction", { needs = { "transactional_ddl" } }, function(world)
  local connection = world:connect()
  local passing = la.Table { "suite_passing", la.MetaData(), la.Column { "id", la.Integer, primary_key = true } }
  passing:create(connection)
  world.same(0, world:count(passing, connection))
  connection:rollback()
  assert(not pcall(world.count, world, passing, connection), "the table is still there")
  connection:rollback()
end)

-- Levels -----------------------------------------------------------------------------------------------

suite.case("with autocommit each statement is done when it is done", function(world)
  local things = world:names()
  local connection = world:connect { isolation_level = "AUTOCOMMIT" }
  add(connection, things, 1)
  assert(not connection:in_transaction(), "a transaction was begun")
  connection:rollback()
  world.same(1, world:count(things))
  connection:close()
  local next_one = world:connect()
  add(next_one, things, 2)
  next_one:rollback()
  world.same(1, world:count(things), "the next use of the connection is in autocommit too")
end)

-- What the server says that the level of a transaction is which has read the things. wanted: asked until it is so, or time is out, since
-- a server may say what it saw the last time, unless nobody has asked for a tenth of a second.
local function level_at_server(world, connection, things, wanted)
  local deadline, level = core.clock() + 5e9, nil
  world:count(things, connection)
  repeat
    if level then core.sleep(0.15) end
    level = connection:exec_driver_sql(world:sql "level"):scalar() or "none"
  until level:upper() == (wanted or level:upper()) and level ~= "none" or core.clock() > deadline
  return level:upper()
end

-- record.levels: the levels of isolation that the database has, beside SERIALIZABLE.
suite.case("every level of isolation can be asked for, and ends with its transaction", function(world)
  local things, engine = world:names "a", world:engine { pool_size = 1 }
  local usual = engine:begin(function(connection) return connection.isolation_level end)
  local served = world:can "level" and engine:begin(function(connection) return level_at_server(world, connection, things) end)
  for _, level in ipairs { "SERIALIZABLE", table.unpack(world.record.levels or {}) } do
    engine:begin({ isolation_level = level }, function(connection)
      world.same(level, connection.isolation_level)
      world.same(1, world:count(things, connection))
      if served then world.same(level, level_at_server(world, connection, things, level), "the server's level") end
    end)
    engine:begin(function(connection)
      world.same(usual, connection.isolation_level, "the next transaction's level")
      if served then world.same(served, level_at_server(world, connection, things, served), "the next one's level at the server") end
    end)
  end
end)

suite.case("an unknown level is refused by name", function(world)
  world.fails("ArgumentError", function() world:engine():execution_options { isolation_level = "SERIALISABLE" } end, "'SERIALIZABLE'")
end)

suite.case("a repeated read is the same, whoever commits meanwhile", { needs = { "isolation" } }, function(world)
  local things = world:names "a"
  local reader = world:connect { isolation_level = "REPEATABLE READ" }
  world.same(1, world:count(things, reader))
  world:engine():begin(function(connection) add(connection, things, 2) end)
  world.same(1, world:count(things, reader))
  reader:rollback()
  world.same(2, world:count(things, reader))
end)

suite.case("READ COMMITTED sees what others have committed meanwhile", { needs = { "isolation" } }, function(world)
  local things = world:names "a"
  local reader = world:connect { isolation_level = "READ COMMITTED" }
  world.same(1, world:count(things, reader))
  world:engine():begin(function(connection) add(connection, things, 2) end)
  world.same(2, world:count(things, reader))
end)

suite.case("a transaction that is read only refuses to write, and the next one writes", { needs = { "read_only" } }, function(world)
  local things = world:names()
  local ok, failure = pcall(function()
    world:engine():begin({ read_only = true }, function(connection)
      world.same(0, world:count(things, connection))
      add(connection, things, 1)
    end)
  end)
  assert(not ok, "a transaction that is read only has written")
  assert(la.is_error(failure, "DBAPIError"), tostring(failure))
  world:engine():begin(function(connection) add(connection, things, 2) end)
  world.same(1, world:count(things))
end)

-- In each other's way ----------------------------------------------------------------------------------

suite.case("who waits too long for a lock gets an OperationalError that may be tried again", { needs = { "lock_timeout" } }, function(world)
  local things = world:names("a", "b")
  local holder, waiter = world:connect(), world:connect()
  local function rename(connection, name)
    connection:execute(things:update():where(things.c.id:eq(1)):values { name = name })
  end
  rename(holder, "held")
  waiter:exec_driver_sql(world:sql "lock_timeout"):close()
  local failure = world.fails("OperationalError", function() rename(waiter, "never") end)
  assert(failure.retryable, "it is not said that it may be tried again: " .. tostring(failure))
  waiter:rollback()
  holder:commit()
  rename(waiter, "after")
  waiter:commit()
  world.same("after", holder:scalar(la.select(things.c.name):where(things.c.id:eq(1))))
  waiter:invalidate() -- what was set stays with the session
end)

suite.case("FOR UPDATE … NOWAIT does not wait for a row that is locked", { needs = { "row_locks" } }, function(world)
  local things = world:names "a"
  local holder, other = world:connect(), world:connect()
  holder:execute(la.select(things):with_for_update()):all()
  world.fails("OperationalError", function() other:execute(la.select(things):with_for_update { nowait = true }):all() end)
  other:rollback()
  holder:rollback()
  world.same(1, #other:execute(la.select(things):with_for_update { nowait = true }):all())
end)

suite.case("of two in a deadlock one fails, and gets through the next time", { needs = { "descriptor", "row_locks" } }, function(world)
  local things = world:names("a", "b")
  local engine = world:engine(world.yielding { pool_size = 2 })
  local runs, met = 0, 0
  local function both(first, second)
    return function()
      engine:run_transaction(function(connection)
        runs = runs + 1
        local update = things:update():where(things.c.id:eq(la.bindparam "key")):values { name = things.c.name .. "x" }
        connection:execute(update, { key = first })
        met = met + 1
        while met < 2 do coroutine.yield() end
        connection:execute(update, { key = second })
      end, { backoff = 0.001 })
    end
  end
  world.together(both(1, 2), both(2, 1))
  assert(runs >= 3, "nobody was in anybody's way")
  world:engine():begin(function(connection)
    world.same({ "axx", "bxx" }, connection:execute(la.select(things.c.name):order_by(things.c.id)):scalars():all())
  end)
end)

suite.case("a serialization failure is run again", { needs = { "serialization" } }, function(world)
  local things = world:names "0"
  local runs = 0
  local other = world:connect { isolation_level = "SERIALIZABLE" }
  world:engine():run_transaction(function(connection)
    runs = runs + 1
    local name = connection:scalar(la.select(things.c.name))
    if runs == 1 then
      other:execute(things:update():values { name = name .. "o" })
      other:commit()
    end
    connection:execute(things:update():values { name = name .. "m" })
  end, { isolation_level = "SERIALIZABLE", backoff = 0.001 })
  world.same(2, runs)
  world.same("0om", other:scalar(la.select(things.c.name)))
end)

suite.case("what cannot pass is not run again", function(world)
  local things, runs = world:names "a", 0
  world.fails("IntegrityError", function()
    world:engine():run_transaction(function(connection)
      runs = runs + 1
      add(connection, things, 1)
    end, { backoff = 0.001 })
  end)
  world.same(1, runs)
end)

-- Two phases -------------------------------------------------------------------------------------------

suite.case("what is prepared can be committed, and rolled back", { needs = { "two_phase" } }, function(world)
  local things = world:names()
  local connection = world:connect()
  for id, ending in ipairs { "commit", "rollback", "commit" } do
    local transaction = connection:begin_twophase()
    add(connection, things, id)
    transaction:prepare()
    transaction[ending](transaction)
  end
  local transaction = connection:begin_twophase()
  add(connection, things, 4)
  transaction:rollback()
  world.same({ 1, 3 }, ids(things, connection))
end)

suite.case("two phases have the level that was asked for", { needs = { "two_phase", "isolation" } }, function(world)
  local things = world:names()
  for id, level in ipairs { "READ COMMITTED", "REPEATABLE READ" } do
    local reader = world:connect { isolation_level = level }
    local transaction = reader:begin_twophase()
    world.same(id - 1, world:count(things, reader))
    world:engine():begin(function(connection) add(connection, things, id) end)
    world.same(1, world:count(things, reader), level)
    transaction:rollback()
    reader:close()
  end
  local connection = world:connect { isolation_level = "AUTOCOMMIT" }
  world.fails("InvalidRequestError", function() connection:begin_twophase() end, "AUTOCOMMIT")
end)

suite.case("two phases that are read only refuse to write, the next ones write", { needs = { "two_phase", "read_only" } }, function(world)
  local things = world:names()
  local engine = world:engine { pool_size = 1, max_overflow = 0 }
  local reader = engine:connect { read_only = true }
  local transaction = reader:begin_twophase()
  world.same(0, world:count(things, reader))
  assert(not pcall(add, reader, things, 1), "a transaction that is read only has written")
  transaction:rollback()
  reader:close()
  local writer = engine:connect()
  transaction = writer:begin_twophase()
  add(writer, things, 1)
  transaction:prepare()
  transaction:commit()
  world.same(1, world:count(things, writer))
  writer:close()
end)

-- Nothing is prepared, and nobody has locked the row.
local function nothing_is_left(world, things, id)
  local other = world:connect()
  if world:can "recover" then world.same({}, other:recover_twophase()) end
  other:exec_driver_sql(world:sql "lock_timeout"):close()
  add(other, things, id)
  other:rollback()
  other:invalidate() -- what was set stays with the session
end

suite.case("two phases in which a statement has failed are rolled back", { needs = { "two_phase", "lock_timeout" } }, function(world)
  local things = world:names "a"
  local engine = world:engine { pool_size = 1, max_overflow = 0 }
  local endings = {
    function(_, transaction) transaction:rollback() end,
    function(connection) connection:rollback() end,
    function(connection) connection:close() end,
  }
  for _, ending in ipairs(endings) do
    local connection = engine:connect()
    local transaction = connection:begin_twophase()
    add(connection, things, 2)
    world.fails("IntegrityError", function() add(connection, things, 1) end)
    assert(connection:in_transaction(), "the transaction is forgotten")
    ending(connection, transaction)
    nothing_is_left(world, things, 2)
    connection:close()
    connection = engine:connect() -- in the same session
    transaction = connection:begin_twophase()
    add(connection, things, 2)
    transaction:prepare()
    transaction:rollback()
    connection:close()
  end
  world.same(1, world:count(things))
end)

local deadlock_needs = { "two_phase", "descriptor", "row_locks" }
suite.case("of two phases in a deadlock one is rolled back, and gets through the next time", { needs = deadlock_needs }, function(world)
  local things = world:names("a", "b")
  local engine = world:engine(world.yielding { pool_size = 2, max_overflow = 0 })
  local met, failures = 0, {}
  local function rename(connection, id)
    connection:execute(things:update():where(things.c.id:eq(id)):values { name = things.c.name .. "x" })
  end
  local function both(first, second)
    return function()
      local connection = engine:connect()
      for _ = 1, 2 do
        local transaction = connection:begin_twophase()
        local ok, failure = pcall(function()
          rename(connection, first)
          met = met + 1
          while met < 2 do coroutine.yield() end
          rename(connection, second)
          transaction:prepare()
          transaction:commit()
        end)
        if ok then break end
        failures[#failures + 1] = failure
        assert(not pcall(rename, connection, second), "half of the transaction goes on")
        transaction:rollback()
      end
      connection:close()
    end
  end
  world.together(both(1, 2), both(2, 1))
  world.same(1, #failures)
  assert(failures[1].retryable, tostring(failures[1]))
  world:engine():begin(function(connection)
    world.same({ "axx", "bxx" }, connection:execute(la.select(things.c.name):order_by(things.c.id)):scalars():all())
  end)
end)

suite.case("what a lost session has prepared is found and ended by another", { needs = { "two_phase", "recover" } }, function(world)
  local things = world:names()
  for id, ending in ipairs { "commit_prepared", "rollback_prepared" } do
    local xid = ("suite-%d-%d"):format(world.number, id)
    local lost, finder = world:connect(), world:connect()
    local transaction = lost:begin_twophase(xid)
    add(lost, things, id)
    transaction:prepare()
    lost:invalidate() -- no rollback: its session ends
    lost:close()
    local found = false
    for _ = 1, 200 do -- the server may take a moment to see that the session is gone
      for _, one in ipairs(finder:recover_twophase()) do found = found or one == xid end
      if found and pcall(finder[ending], finder, xid) then break end
      found = false
      core.sleep(0.02)
    end
    assert(found, xid .. " was not found or not ended")
    finder:close()
  end
  world:engine():begin(function(connection) world.same({ 1 }, ids(things, connection)) end)
end)
