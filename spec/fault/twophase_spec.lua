-- A session whose transaction is prepared and committed on PostgreSQL and MariaDB together, and what befalls it between the two.
local la = require "lualchemy"
local world = dofile "spec/fault/world.lua"
local fails = world.fails

local Column = la.Column
local Base = la.declarative_base()
local Debit = Base:model "Debit" {
  __tablename = "debits", id = Column { la.Integer, primary_key = true }, amount = Column { la.Integer },
}
local Credit = Base:model "Credit" {
  __tablename = "credits", id = Column { la.Integer, primary_key = true }, amount = Column { la.Integer },
}

local names, others = { "postgresql", "mariadb" }, { postgresql = "mariadb", mariadb = "postgresql" }

-- Both servers, with empty tables and engines on them; nil and why.
local function both()
  local here = {}
  for _, name in ipairs(names) do
    local place, why = world.place(name)
    if not place then
      if here.postgresql then here.postgresql:close() end
      return nil, why
    end
    here[name] = place
  end
  Base.metadata:create_all(here.postgresql.admin, { tables = { Debit.__table } })
  Base.metadata:create_all(here.mariadb.admin, { tables = { Credit.__table } })
  return here
end

local function session_of(here, options)
  for _, name in ipairs(names) do
    local place = here[name]
    if place.engine then place.engine:dispose() end
    place.engine = place:open(options)
    place.model = name == "postgresql" and Debit or Credit
  end
  here.postgresql:order "delete from debits"
  here.mariadb:order "delete from credits"
  here.session = la.Session { binds = { [Debit] = here.postgresql.engine, [Credit] = here.mariadb.engine }, twophase = true }
  return here.session
end

-- Rows that are committed.
local function committed(here)
  return here.postgresql:ask "select count(*) from debits", here.mariadb:ask "select count(*) from credits"
end

local function prepared(place)
  local connection <close> = place.admin:connect()
  return connection:recover_twophase()
end

local function end_prepared(here)
  for _, name in ipairs(names) do
    local connection <close> = here[name].admin:connect()
    for _, xid in ipairs(connection:recover_twophase()) do pcall(connection.rollback_prepared, connection, xid) end
  end
end

local function nothing_is_prepared(here)
  assert.same({}, prepared(here.postgresql))
  assert.same({}, prepared(here.mariadb))
end

local function pay(session)
  local debit, credit = Debit { amount = 1 }, Credit { amount = 1 }
  session:add_all { debit, credit }
  session:flush()
  return debit, credit
end

local function session_id(session, place)
  return place:session_of(session:connection { mapper = place.model })
end

-- What is left prepared is found by its id and committed, when the server has let go of the session that prepared it.
local function finish(place, xid, how)
  assert.same({ xid }, prepared(place))
  world.eventually(function()
    local connection <close> = place.admin:connect()
    return pcall(connection[how], connection, xid)
  end, "the prepared transaction can be ended")
end

-- Nothing has come of the transaction, and the session's next one works.
local function came_to_nothing(here)
  assert.same({ 0, 0 }, { committed(here) })
  nothing_is_prepared(here)
  pay(here.session)
  here.session:commit()
  assert.same({ 1, 1 }, { committed(here) })
end

-- A session whose transaction is prepared, and killed on the server of that name. What it is, its place, the id and both objects.
local function killed_when_prepared(here, name)
  local session, place = session_of(here), here[name]
  local debit, credit = pay(session)
  local id = session_id(session, place)
  session:prepare()
  local xid = prepared(place)[1]
  place:kill_session(id)
  return session, place, xid, debit, credit
end

describe("a transaction in two phases over PostgreSQL and MariaDB", function()
  local here, why
  setup(function() here, why = both() end)
  teardown(function()
    for _, name in ipairs(names) do
      local place = here and here[name]
      if place and place.engine then place.engine:dispose() end
      if place then place:close() end
    end
  end)

  local function case(what, run)
    it(what, function()
      if not here then return pending(why) end
      local ok, failure = pcall(run)
      if here.session then here.session:close() end
      if not ok then
        end_prepared(here)   -- or the next case would wait for its locks
        error(failure, 0)
      end
    end)
  end

  case("is prepared on both, and then committed on both", function()
    local session, heard = session_of(here), {}
    for _, name in ipairs(names) do
      for _, event in ipairs { "prepare_twophase", "commit" } do
        la.event.listen(here[name].engine, event, function() heard[#heard + 1] = event end)
      end
    end
    local debit, credit = pay(session)
    session:commit()
    assert.same({ "prepare_twophase", "prepare_twophase", "commit", "commit" }, heard)
    assert.same({ 1, 1 }, { committed(here) })
    assert.equal(1, debit.amount)
    assert.equal(1, credit.amount)
    debit.amount = 2
    session:commit()
    assert.equal(2, here.postgresql:ask "select sum(amount) from debits")
    session:close()
    nothing_is_prepared(here)
    assert.equal(0, here.postgresql.engine:pool_status().in_use + here.mariadb.engine:pool_status().in_use)
  end)

  case("can be prepared by itself, and does nothing more from then on", function()
    local session = session_of(here)
    fails("InvalidRequestError", function() session:prepare() end, "no transaction in progress")
    pay(session)
    local nested = session:begin_nested()
    fails("InvalidRequestError", function() session:prepare() end, "a savepoint cannot be prepared")
    session:add(Debit { amount = 5 })
    nested:rollback()
    session:prepare()
    assert.equal(1, #prepared(here.postgresql))
    assert.equal(1, #prepared(here.mariadb))
    assert.same({ 0, 0 }, { committed(here) })
    fails("InvalidRequestError", function() session:execute(la.select(Debit)) end, "is prepared")
    fails("InvalidRequestError", function() session:begin_nested() end, "is prepared")
    fails("InvalidRequestError", function() session:prepare() end, "is prepared")
    session:add(Credit { amount = 7 })
    fails("InvalidRequestError", function() session:flush() end, "is prepared")
    session:expunge_all()
    session:commit()
    assert.same({ 1, 1 }, { committed(here) })
    pay(session)
    session:prepare()
    session:rollback()
    pay(session)
    session:prepare()
    session:close()
    assert.same({ 1, 1 }, { committed(here) })
    nothing_is_prepared(here)
  end)

  case("has savepoints on both", function()
    local session = session_of(here)
    pay(session)
    session:begin_nested(function() pay(session) end)
    local ok = pcall(session.begin_nested, session, function()
      pay(session)
      error "no"
    end)
    assert.is_false(ok)
    session:commit()
    assert.same({ 2, 2 }, { committed(here) })
  end)

  for _, first in ipairs(names) do
    case("is rolled back on both when one cannot be prepared; first comes " .. first, function()
      local session = session_of(here)
      session:connection { mapper = here[first].model }
      local debit, credit = pay(session)
      session:connection { mapper = Debit }:exec_driver_sql "create temporary table t (n integer)"
      local failure = fails("NotSupportedError", function() session:commit() end, "PREPARE")
      assert.is_nil(failure.message:find("Committed", 1, true))
      assert.equal("transient", la.inspect(debit).state)
      assert.equal("transient", la.inspect(credit).state)
      assert.is_false(session:in_transaction())
      came_to_nothing(here)
    end)
  end

  case("is not prepared where a statement had failed", function()
    local session = session_of(here)
    pay(session)
    local connection = session:connection { mapper = Debit }
    assert.is_false(pcall(connection.exec_driver_sql, connection, "select 1 / 0"))
    assert.is_false(pcall(session.commit, session))
    came_to_nothing(here)
  end)

  for name, other in pairs(others) do
    case("says what is left when the session is killed before its commit: " .. name, function()
      local session, place, xid, debit, credit = killed_when_prepared(here, name)
      local ok, failure = pcall(session.commit, session)
      assert.is_false(ok)
      assert.equal("OperationalError", failure.kind)
      assert.is_true(failure.connection_invalidated)
      assert(not failure.retryable)
      assert.matches(xid, failure.message, 1, true)
      assert.matches("connection:commit_prepared('" .. xid .. "')", failure.message, 1, true)
      assert.matches("Committed: " .. tostring(here[other].engine.url), failure.message, 1, true)
      assert.same({ { engine = place.engine, xid = xid } }, session:left_prepared())
      assert.is_false(session:in_transaction())
      assert.equal("persistent", la.inspect(debit).state)
      assert.equal("persistent", la.inspect(credit).state)
      finish(place, xid, "commit_prepared")
      assert.same({ 1, 1 }, { committed(here) })
      nothing_is_prepared(here)
      assert.equal(2, debit.amount + credit.amount)
      session:commit()
      assert.same({}, session:left_prepared())
    end)

    case("says what is left when the session is killed before its rollback: " .. name, function()
      local session, place, xid, debit = killed_when_prepared(here, name)
      local ok, failure = pcall(session.rollback, session)
      assert.is_false(ok)
      assert.matches("rollback_prepared('" .. xid .. "')", failure.message, 1, true)
      assert.equal("transient", la.inspect(debit).state)
      assert.same({}, prepared(here[other]))
      finish(place, xid, "rollback_prepared")
      assert.same({ 0, 0 }, { committed(here) })
      nothing_is_prepared(here)
    end)

    case("is rolled back when the session is killed before it is prepared: " .. name, function()
      local session, place = session_of(here), here[name]
      local debit = pay(session)
      place:kill_session(session_id(session, place))
      local ok, failure = pcall(session.commit, session)
      assert.is_false(ok)
      assert.is_true(failure.connection_invalidated)
      assert.same({}, session:left_prepared())
      assert.equal("transient", la.inspect(debit).state)
      came_to_nothing(here)
    end)

    case("is there when the server comes back: " .. name, function()
      local session, place = session_of(here), here[name]
      pay(session)
      session:prepare()
      local xid = prepared(place)[1]
      place.admin:dispose()
      assert.equal(0, select(2, place.server:tell "down"))
      local ok, failure = pcall(session.commit, session)
      assert.is_false(ok)
      assert.matches(xid, failure.message, 1, true)
      assert.equal(0, select(2, place.server:tell "up"))
      finish(place, session:left_prepared()[1].xid, "commit_prepared")
      assert.same({ 1, 1 }, { committed(here) })
      pay(session)
      session:commit()
      assert.same({ 2, 2 }, { committed(here) })
    end)
  end

  case("waits in coroutines, and others go on meanwhile", function()
    local function yielding() coroutine.yield() end
    local sessions, ended = {}, 0
    for i = 1, 3 do sessions[i] = coroutine.create(function()
      local session = la.Session {
        binds = { [Debit] = here.postgresql.engine, [Credit] = here.mariadb.engine }, twophase = true,
      }
      pay(session)
      if i < 3 then session:commit() else session:prepare() session:rollback() end
      session:close()
      ended = ended + 1
    end) end
    session_of(here, { wait = yielding }):close()
    world.eventually(function()
      for _, one in ipairs(sessions) do
        if coroutine.status(one) == "suspended" then assert(coroutine.resume(one)) end
      end
      return ended == 3
    end, "three sessions have come to their end")
    assert.same({ 2, 2 }, { committed(here) })
    nothing_is_prepared(here)
  end)
end)
