-- Whatever waits within a coroutine yields: for each call that talks to a database, as many waits are handed to the hook as the driver has
-- answered. A wait that blocks is one that the hook hears nothing of.
-- luacheck: no max line length
local la = require "lualchemy"
local core = require "lualchemy.core"
local world = dofile "spec/core/world.lua"

local w = world.tables()
local Base = la.declarative_base()
local Team = Base:model "Team" {
  __tablename = "teams", id = la.Column{ la.Integer, primary_key = true }, name = la.Column{ la.String(40) },
  players = la.relationship{ "Player" },
}
local Player = Base:model "Player" {
  __tablename = "players", id = la.Column{ la.Integer, primary_key = true }, name = la.Column{ la.String(40) },
  team_id = la.Column{ la.ForeignKey "teams.id" }, team = la.relationship{ "Team" },
}

local function teams(mock)
  mock:answer { pattern = "FROM teams", columns = { "id", "name" }, rows = { { 1, "Red" }, { 2, "Blue" } } }
end

-- Whatever is asked next has no rows.
local function nothing(mock, times)
  for _ = 1, times do mock:answer { columns = { "nothing" }, rows = {} } end
end

local function connected(fn)
  return function(engine, mock)
    local c = engine:connect()
    fn(c, mock, engine)
    c:close()
  end
end

local function in_session(fn)
  return function(engine, mock)
    local session = la.Session(engine)
    fn(session, mock, engine)
    session:close()
  end
end

local function one_of_schema()
  local metadata = la.MetaData()
  local one = la.Table{ "one", metadata, la.Column{ "id", la.Integer, primary_key = true }, la.Column{ "x", la.Integer, index = true } }
  la.Table{ "two", metadata, la.Column{ "id", la.Integer, la.ForeignKey "one.id", primary_key = true } }
  return metadata, one
end

-- name, dialect, what is called
local calls = {
  { "connecting and closing", "sqlite", connected(function() end) },
  { "closing in a transaction", "postgresql", connected(function(c) c:begin() end) },
  { "closing with a result open", "postgresql", connected(function(c, mock) teams(mock) c:execute(la.select(w.teams)) end) },
  { "a closing variable", "sqlite", function(engine)
    local c <close> = engine:connect()
    c:exec_driver_sql "SELECT 1"
  end },
  { "engine:begin", "sqlite", function(engine) engine:begin(function(c) c:exec_driver_sql "SELECT 1" end) end },
  { "engine:begin that fails", "sqlite", function(engine) pcall(engine.begin, engine, function(c) c:exec_driver_sql "SELECT 1" error "no" end) end },
  { "engine:begin whose commit fails", "sqlite", function(engine, mock)
    pcall(engine.begin, engine, function(c)
      c:exec_driver_sql "SELECT 1"
      mock:fail(1, "OperationalError")
    end)
  end },
  { "transactions and savepoints", "sqlite", connected(function(c)
    local outer = c:begin()
    c:begin_nested():rollback()
    c:begin_nested():commit()
    outer:commit()
    c:begin():rollback()
    c:transaction(function() c:transaction(function() end) end)
  end) },
  { "levels of isolation", "mysql", connected(function(c)
    c:execution_options { isolation_level = "SERIALIZABLE" }
    c:begin():commit()
  end) },
  { "a level that is set for longer, closing", "mssql", connected(function(c)
    c:execution_options { isolation_level = "SERIALIZABLE" }
    c:exec_driver_sql "SELECT 1"
  end) },
  { "read only transactions", "postgresql", function(engine)
    local c = engine:execution_options { read_only = true }:connect()
    c:exec_driver_sql "SELECT 1"
    c:close()
  end },
  { "results in all ways", "sqlite", connected(function(c, mock)
    local query = la.select(w.teams)
    for _, read in ipairs { "all", "first", "scalar", "mappings", "tuples", "scalars" } do
      teams(mock)
      local result = c:execute(query)
      local got = result[read](result)
      if read == "mappings" or read == "scalars" then got:all() end
    end
    teams(mock)
    for _ in c:execute(query) do end
    teams(mock)
    for _ in c:execute(query, nil, { yield_per = 1 }) do end
    teams(mock)
    for _ in c:execute(query):partitions(1) do end
    teams(mock)
    c:execute(query):fetchmany(1)
    teams(mock)
    c:scalars(query):all()
  end) },
  { "many sets of values", "sqlite", connected(function(c) c:execute(w.teams:insert(), { { name = "a" }, { name = "b" } }) end) },
  { "an insert that gives its key", "postgresql", connected(function(c) c:execute(w.teams:insert(), { name = "a" }) end) },
  { "has_table", "postgresql", connected(function(c) c:has_table "one" end) },
  { "create_all and drop_all on an engine", "postgresql", function(engine)
    local metadata = one_of_schema()
    metadata:create_all(engine)
    metadata:drop_all(engine)
  end },
  { "create_all and drop_all on a connection", "sqlite", connected(function(c)
    local metadata = one_of_schema()
    metadata:create_all(c)
    metadata:drop_all(c, { checkfirst = false })
  end) },
  { "create and drop of a table", "mysql", function(engine)
    local _, one = one_of_schema()
    one:create(engine, { checkfirst = true })
    one:drop(engine)
  end },
  { "a create_all that fails", "sqlite", function(engine, mock)
    local metadata = one_of_schema()
    mock:fail(9, "OperationalError")
    assert(not pcall(metadata.create_all, metadata, engine))
  end },
  { "two phases", "postgresql", connected(function(c, mock)
    local transaction = c:begin_twophase()
    c:exec_driver_sql "SELECT 1"
    transaction:prepare()
    transaction:commit()
    c:begin_twophase():rollback()
    mock:answer { pattern = "pg_prepared_xacts", columns = { "gid" }, rows = { { "x" } } }
    assert(c:recover_twophase()[1] == "x")
    c:rollback()
    c:commit_prepared "x"
    c:rollback_prepared "x"
  end) },
  { "two phases, closing when prepared", "mysql", connected(function(c) c:begin_twophase():prepare() end) },
  { "a sign of life, after a while without use", "postgresql", function(engine, mock)
    engine:connect():close()
    core.sleep_until(-1, "", 1.1)
    engine:connect():close()
    assert(select(1, mock:counts()) > 0)
  end, { pool_pre_ping = true } },
  { "a connection that is replaced", "postgresql", function(engine)
    engine:connect():close()
    core.sleep_until(-1, "", 0.03)
    engine:connect():close()
  end, { pool_recycle = 0.02 } },
  { "one that is found dead", "sqlite", function(engine, mock)
    engine:connect():close()
    mock:kill()
    pcall(engine.begin, engine, function(c) c:exec_driver_sql "SELECT 1" end)
    engine:begin(function(c) c:exec_driver_sql "SELECT 1" end)
  end },
  { "invalidating, detaching, disposing", "sqlite", function(engine)
    local c = engine:connect()
    c:exec_driver_sql "SELECT 1"
    c:invalidate()
    c:close()
    c = engine:connect()
    c:detach()
    c:exec_driver_sql "SELECT 1"
    c:close()
    engine:dispose()
  end },
  { "run_transaction", "postgresql", function(engine, mock)
    local times = 0
    engine:run_transaction(function(c)
      times = times + 1
      if times == 1 then mock:fail(1, "OperationalError", { sqlstate = "40001", ends_transaction = true }) end
      c:exec_driver_sql "SELECT 1"
    end)
    assert(times == 2)
  end },
  { "what a database says of itself", "postgresql", function(engine, mock)
    nothing(mock, 40)
    local inspector = la.inspect(engine)
    inspector:get_schema_names()
    inspector:get_table_names()
    inspector:get_view_names()
    la.MetaData():reflect { bind = engine, views = true }
    pcall(la.Table, { "absent", la.MetaData(), autoload_with = engine })
  end },
  { "the same of MariaDB", "mariadb", function(engine, mock)
    nothing(mock, 40)
    la.inspect(engine):get_table_names()
    la.MetaData():reflect { bind = engine }
  end },
  { "the same of SQLite", "sqlite", connected(function(c, mock)
    nothing(mock, 40)
    la.inspect(c):get_table_names()
    la.MetaData():reflect { bind = c }
  end) },
  { "a session that writes", "sqlite", in_session(function(session)
    session:add(Team{ id = 1, name = "a" })
    session:flush()
    session:begin_nested():rollback()
    session:add(Team{ name = "b" })
    session:commit()
    session:begin_nested():commit()
    session:rollback()
  end) },
  { "a flush of many", "sqlite", in_session(function(session, mock)
    mock:answer { pattern = "sqlite_master", columns = { "1" }, rows = { { 1 } } }
    for i = 1, 150 do session:add(Team{ name = "team " .. i }) end
    session:commit()
  end) },
  { "a session that reads", "sqlite", in_session(function(session, mock)
    teams(mock)
    local all = session:scalars(la.select(Team)):all()
    assert(#all[1].players == 0)
    mock:answer { pattern = "FROM teams", columns = { "id", "name" }, rows = { { 1, "Red" } } }
    session:refresh(all[1])
    session:get(Player, 5)
    teams(mock)
    for _ in session:execute(la.select(Team)) do end
    session:expire(all[2])
    mock:answer { pattern = "FROM teams", columns = { "id", "name" }, rows = { { 2, "Blue" } } }
    assert(all[2].name == "Blue")
  end) },
  { "a session that deletes", "sqlite", in_session(function(session, mock)
    teams(mock)
    session:delete(session:scalars(la.select(Team)):first())
    session:commit()
  end) },
  { "a session that is left in its transaction", "postgresql", in_session(function(session)
    session:connection()
    session:begin_nested()
  end) },
  { "a session's connection, statements and transactions", "sqlite", in_session(function(session)
    session:connection():exec_driver_sql "SELECT 1"
    session:execute(la.text "SELECT 1")
    session:commit()
    session:run_transaction(function(inner) inner:execute(la.text "SELECT 1") end)
  end) },
}

describe("in a coroutine nothing blocks:", function()
  local heard
  before_each(function()
    heard = 0
    la.set_wait(function(descriptor)
      if descriptor >= 0 then heard = heard + 1 end
      coroutine.yield()
    end)
  end)
  after_each(function() la.set_wait(nil) end)

  for _, call in ipairs(calls) do
    local name, dialect, body, options = call[1], call[2], call[3], call[4] or {}
    it(name, function()
      local mock = core.mock()
      options.mock = mock
      local engine = la.create_engine("mock+" .. dialect .. "://", options)
      mock:wait("connect", 2):wait("start", 1):wait("row", 1)
      local thread = coroutine.create(function() body(engine, mock) end)
      repeat
        local ok, failure = coroutine.resume(thread)
        if not ok then error(debug.traceback(thread, tostring(failure)), 0) end
      until coroutine.status(thread) == "dead"
      local _, _, _, answered = mock:counts()
      assert.is_true(heard > 0)
      assert.equal(answered, heard)
      assert.equal(0, engine:pool_status().in_use)
    end)
  end
end)
