-- Read replicas, on real ones that follow a server.
local la = require "lualchemy"
local world = dofile "spec/fault/world.lua"
local fails = world.fails

local function specs(name)
  local here, replicas, why = nil, {}, nil
  local accounts
  setup(function()
    here, why = world.place(name)
    if not here then return end
    accounts = here:accounts(2)
    for i = 1, 2 do replicas[i] = assert(here.server:replica()) end
  end)
  teardown(function()
    for _, replica in ipairs(replicas) do replica:stop() end
    if here then here:close() end
  end)

  local function case(title, run)
    it(title, function()
      if not here then return pending(why) end
      run()
    end)
  end

  local function url(server) return here.url:format(server.folder) end

  local function open(options)
    local all = { primary = url(here.server), replicas = { url(replicas[1]), url(replicas[2]) } }
    for key, value in pairs(options or {}) do all[key] = value end
    return la.create_engine(all)
  end

  -- Which server a transaction of that kind is on: the folder of its socket.
  local function server_of(engine, options)
    return engine:begin(options or {}, function(c) return (c:exec_driver_sql(here.folder):scalar():gsub("/[^/]*%.sock$", "")) end)
  end

  local function follows(engine, options)
    return server_of(engine, options) ~= here.server.folder
  end

  local function write(engine, balance)
    engine:begin(function(c) c:execute(accounts:update():values { balance = balance }) end)
  end

  local reading = { read_only = true }

  case("take what only reads, in turn, and nothing else", function()
    local engine, seen = open(), {}
    for _ = 1, 6 do
      local folder = server_of(engine, reading)
      seen[folder] = (seen[folder] or 0) + 1
    end
    assert.is_true(follows(engine, reading))
    assert.is_nil(seen[here.server.folder])
    assert(seen[replicas[1].folder] > 0 and seen[replicas[2].folder] > 0)
    assert.equal(here.server.folder, server_of(engine))
    assert.equal(here.server.folder, server_of(engine, { read_only = false }))
    fails("InvalidRequestError", function()
      engine:begin(reading, function(c) c:execute(accounts:update():values { balance = 0 }) end)
    end)
    engine:dispose()
  end)

  case("show what was written when they have heard of it; who must see it at once asks the primary", function()
    local engine = open()
    write(engine, 7)
    local query = la.select(accounts.c.balance):where(accounts.c.id:eq(1))
    local session = la.Session(engine)
    assert.equal(7, session:scalar(query))
    session:close()
    world.eventually(function()
      local reader <close> = la.Session(engine, reading)
      return reader:scalar(query) == 7
    end, "the replicas have heard of it")
    engine:dispose()
  end)

  case("that are away are passed over: to the other one, to the primary, and back again", function()
    local engine = open()
    for _ = 1, 4 do assert.is_true(follows(engine, reading)) end   -- connections to both lie idle
    replicas[1]:tell("down", "fast")
    for _ = 1, 4 do assert.equal(replicas[2].folder, server_of(engine, reading)) end
    replicas[2]:tell("down", "immediate")
    for _ = 1, 4 do assert.equal(here.server.folder, server_of(engine, reading)) end
    fails("InvalidRequestError", function()
      engine:begin(reading, function(c) c:execute(accounts:update():values { balance = 0 }) end)
    end)
    for _, replica in ipairs(replicas) do assert.equal("", (replica:tell "up")) end
    for _ = 1, 4 do assert.is_true(follows(engine, reading)) end
    engine:dispose()
  end)

  case("that go in the middle of a transaction: it is lost, the next one is elsewhere", function()
    local engine = open { replicas = { url(replicas[1]) } }
    local c = engine:connect(reading)
    c:exec_driver_sql(here.folder):all()
    replicas[1]:tell("down", "immediate")
    local failure = fails("OperationalError", function() c:exec_driver_sql(here.folder):all() end)
    assert.is_true(failure.connection_invalidated)
    c:close()
    assert.equal(here.server.folder, server_of(engine, reading))
    assert.equal("", (replicas[1]:tell "up"))
    assert.equal(replicas[1].folder, server_of(engine, reading))
    engine:dispose()
  end)

  -- The rest is for databases whose replicas cancel queries, and whose URLs name several hosts.
  if not world.databases[name].several_hosts then return end

  case("that cancel what stands in the way of what they hear: run_transaction asks again", function()
    replicas[1]:tell("down", "fast")
    assert.equal("", (replicas[1]:tell("up", here.standby)))
    local engine = open { replicas = { url(replicas[1]) } }
    local runs, first = 0, nil
    local options = { read_only = true, isolation_level = "REPEATABLE READ", backoff = 0.001 }
    engine:run_transaction(function(c)
      runs = runs + 1
      local count = c:exec_driver_sql("select count(*) as n from accounts"):scalar()
      if runs > 1 then return end
      assert.equal(2, count)
      write(engine, 9)
      here:order "vacuum full accounts"
      local ok
      world.eventually(function()
        ok, first = pcall(c.exec_driver_sql, c, "select 1")
        return not ok
      end, "the replica cancels")
      error(first, 0)
    end, options)
    assert.equal(2, runs)
    assert.equal("40001", first.sqlstate)
    assert.is_true(first.retryable)
    engine:dispose()
  end)

  case("that are promoted when the primary is gone: a URL with several hosts finds the one that writes", function()
    local hosts = here.several_hosts:format(here.server.folder, replicas[2].folder)
    local engine = la.create_engine { primary = hosts, replicas = { url(replicas[1]) } }
    write(engine, 50)
    world.eventually(function()
      local other <close> = la.create_engine(url(replicas[2])):connect()
      return other:scalar(la.select(accounts.c.balance)) == 50
    end, "the second replica has heard of it")
    local c = engine:connect()
    c:exec_driver_sql("select 1"):close()
    here.server:tell("down", "immediate")
    local failure = fails("OperationalError", function() c:exec_driver_sql("select 1"):all() end)
    assert.is_true(failure.connection_invalidated)
    c:close()
    assert.is_true(follows(engine, reading))
    fails("OperationalError", function() write(engine, 60) end)
    assert.equal("", (replicas[2]:tell "promote"))
    write(engine, 60)
    assert.equal(replicas[2].folder, server_of(engine))
    engine:dispose()
  end)
end

for name in pairs(world.databases) do
  describe("replicas on " .. name, function() specs(name) end)
end
