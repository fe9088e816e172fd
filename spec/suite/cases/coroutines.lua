-- Waits in coroutines: others run while a statement is under way.
local suite = ...
local la, core = require "lualchemy", require "lualchemy.core"

suite.case("others run while a statement sleeps", { needs = { "descriptor", "sleep" } }, function(world)
  local engine = world:engine(world.yielding { pool_size = 2 })
  local asleep, turns = true, 0
  world.together(function()
    engine:begin(function(connection) connection:exec_driver_sql(world:sql("sleep", "0.3")):close() end)
    asleep = false
  end, function()
    while asleep do
      turns = turns + 1
      coroutine.yield()
    end
  end)
  assert(turns > 3, "the other coroutine had " .. turns .. " turns")
end)

suite.case("forty coroutines share four connections", { needs = { "descriptor" } }, function(world)
  local things = world:names()
  local engine = world:engine(world.yielding { pool_size = 4, max_overflow = 0 })
  local bodies = {}
  for i = 1, 40 do
    bodies[i] = function()
      engine:begin(function(connection)
        connection:execute(things:insert(), { id = i, name = "n" .. i })
        world.same("n" .. i, connection:scalar(la.select(things.c.name):where(things.c.id:eq(i))))
      end)
    end
  end
  world.together(table.unpack(bodies))
  world.same(40, world:count(things))
  local status = engine:pool_status()
  assert(status.idle <= 4 and status.in_use == 0, ("%d idle, %d in use"):format(status.idle, status.in_use))
end)

suite.case("a coroutine that is given up in a statement gives its connection up", { needs = { "descriptor", "sleep" } }, function(world)
  local engine = world:engine(world.yielding { pool_size = 1, max_overflow = 0 })
  local asleep
  local thread = coroutine.create(function()
    local connection <close> = engine:connect()
    asleep = true
    connection:exec_driver_sql(world:sql("sleep", "20")):close()
  end)
  repeat assert(coroutine.resume(thread)) until asleep
  for _ = 1, 3 do assert(coroutine.resume(thread)) end
  assert(coroutine.close(thread))
  world.same(0, engine:pool_status().in_use)
  world.together(function()
    engine:begin(function(connection) world.same(1, connection:scalar(la.select(la.literal(1)))) end)
  end)
end)

suite.case("rows are read in a coroutine", { needs = { "descriptor" } }, function(world)
  local engine = world:engine(world.yielding { pool_size = 1 })
  world.together(function()
    engine:begin(function(connection)
      local sum = 0
      for row in connection:exec_driver_sql(world:sql("numbers", 3000)) do sum = sum + row[1] end
      world.same(4501500, sum)
    end)
  end)
end)

suite.case("a statement that runs is interrupted", { needs = { "interrupt", "descriptor", "sleep" } }, function(world)
  local engine = world:engine(world.yielding { pool_size = 1 })
  local connection = world:connect(nil, engine)
  local failure, over
  local thread = coroutine.wrap(function()
    failure = select(2, pcall(function() connection:exec_driver_sql(world:sql("sleep", "20")):close() end))
    over = true
  end)
  local deadline, turns = os.time() + 15, 0
  while not over and os.time() < deadline do
    turns = turns + 1
    if turns % 20 == 0 then connection:interrupt() end -- one that comes before the statement is there stops nothing
    thread()
    core.sleep(0.01)
  end
  assert(over, "the statement sleeps on")
  if failure then assert(la.is_error(failure, "OperationalError"), tostring(failure)) end
  world.together(function()
    connection:rollback()
    world.same(1, connection:scalar(la.select(la.literal(1))))
    connection:rollback()
  end)
end)
