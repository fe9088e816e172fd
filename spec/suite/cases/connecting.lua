-- Engines and connections: how they begin, what refuses them, and how they end.
local suite = ...
local la = require "lualchemy"

suite.case("an engine is made without connecting", function(world)
  local engine = world:engine { pool_size = 2 }
  world.same(0, engine:pool_status().idle + engine:pool_status().in_use)
  world:connect(nil, engine)
  world.same(1, engine:pool_status().in_use)
end)

suite.case("an unknown option of a URL is refused before anybody connects, and named", function(world)
  local url = world.url .. (world.url:find("?", 1, true) and "&" or "?") .. "no_such_option_of_mine=1"
  world.fails("ArgumentError", function() la.create_engine(url) end, "no_such_option_of_mine")
end)

-- record.refused(folder): { { url =, says = "part of the message" }, … }: URLs whose server, user or database refuses.
suite.case("who is refused gets an OperationalError that says why, and the pool is whole", function(world)
  local urls = world.record.refused(world.place.folder)
  assert(#urls > 0, "the record names nobody who is refused")
  for _, one in ipairs(urls) do
    local engine = world:engine({ pool_size = 1, max_overflow = 0 }, one.url)
    for _ = 1, 2 do
      world.fails("OperationalError", function() engine:connect() end, one.says)
      world.same(0, engine:pool_status().in_use)
    end
  end
end)

suite.case("a closed connection refuses to work, and may be closed again", function(world)
  local connection = world:connect()
  connection:scalar(la.select(la.literal(1)))
  connection:close()
  connection:close()
  assert(connection.closed)
  world.fails("ResourceClosedError", function() connection:scalar(la.select(la.literal(1))) end)
end)

suite.case("a connection is closed with everything that is open on it", function(world)
  local things = world:names("a", "b", "c")
  local connection = world:connect()
  connection:execute(things:insert(), { id = 9, name = "never" })
  local result = connection:execute(la.select(things))
  assert(result:fetchone())
  connection:close()
  world.fails("ResourceClosedError", function() result:fetchone() end)
  world.same(3, world:count(things))
end)

suite.case("an engine is disposed, and goes on with new connections", function(world)
  local engine = world:engine { pool_size = 2 }
  for _ = 1, 2 do
    engine:begin(function(connection) world.same(1, connection:scalar(la.select(la.literal(1)))) end)
    engine:dispose()
    world.same(0, engine:pool_status().idle)
  end
end)

suite.case("a pool pings before it lends", function(world)
  local engine = world:engine { pool_size = 1, pool_pre_ping = true, pool_recycle = 3600 }
  for _ = 1, 3 do
    engine:begin(function(connection) world.same(1, connection:scalar(la.select(la.literal(1)))) end)
  end
end)

suite.case("what a connection left open is rolled back before the next one has it", { needs = { "shared" } }, function(world)
  local things = world:names()
  local engine = world:engine { pool_size = 1, max_overflow = 0 }
  local connection = engine:connect()
  connection:execute(things:insert(), { id = 1, name = "left" })
  connection:close()
  engine:begin(function(next_one) world.same(0, world:count(things, next_one)) end)
  world.same(0, world:count(things))
end)

suite.case("whoever waits too long for a connection gets a TimeoutError", function(world)
  local engine = world:engine { pool_size = 1, max_overflow = 0, pool_timeout = 0.05 }
  local connection = world:connect(nil, engine)
  world.fails("TimeoutError", function() engine:connect() end)
  connection:close()
  engine:connect():close()
end)

suite.case("a session that another one ended is a lost connection, and the pool heals", { needs = { "kill" } }, function(world)
  local engine = world:engine { pool_size = 2, pool_pre_ping = false }
  local victim, idle, killer = world:connect(nil, engine), engine:connect(), world:connect()
  local numbers = {}
  for i, connection in ipairs { victim, idle } do numbers[i] = connection:exec_driver_sql(world:sql "me"):scalar() end
  victim:rollback()
  idle:close()
  for _, number in ipairs(numbers) do killer:exec_driver_sql(world:sql("kill", number)):close() end
  killer:rollback()
  local failure
  local deadline = os.time() + 20 -- the server may take a moment to end it
  repeat
    local ok, raised = pcall(function() victim:scalar(la.select(la.literal(1))) victim:rollback() end)
    failure = not ok and raised
  until failure or os.time() > deadline
  assert(failure, "the session was not ended")
  assert(la.is_error(failure, "OperationalError"), tostring(failure))
  assert(failure.connection_invalidated, "the failure does not say that the connection is lost: " .. tostring(failure))
  world.same(0, engine:pool_status().idle)
  victim:close()
  for _ = 1, 3 do
    engine:begin(function(connection) world.same(1, connection:scalar(la.select(la.literal(1)))) end)
  end
end)

suite.case("with pre-ping nobody sees that sessions were ended", { needs = { "kill" } }, function(world)
  local engine, killer = world:engine { pool_size = 1, pool_pre_ping = true }, world:connect()
  local number = engine:begin(function(connection) return connection:exec_driver_sql(world:sql "me"):scalar() end)
  killer:exec_driver_sql(world:sql("kill", number)):close()
  killer:rollback()
  require "lualchemy.core".sleep(1.1) -- a connection that was in use within the last second is not asked
  local other = engine:begin(function(connection) return connection:exec_driver_sql(world:sql "me"):scalar() end)
  assert(other ~= number, "the same session was lent again")
end)
