-- luacheck: no max line length
-- A real server by TLS: who is refused, and all that goes over a connection, with and without a loop. The library of TLS holds bytes of
-- its own while the socket is silent, so whoever waits without having emptied it hangs.
local la, core = require "lualchemy", require "lualchemy.core"
local on_server, loops, network = dofile "spec/on_server.lua", dofile "spec/loops.lua", dofile "spec/fault/network.lua"
local fails = dofile("spec/core/world.lua").fails
local frame = require "lualchemy.wait.frame"

-- Runs body() as a coroutine in a loop of frames, which may not hang; answers how often it had to wait.
local function looped(body)
  local done, waits = false, 0
  frame.start(function() body() done = true end)
  local over = loops.in_time(function() return done end)
  while not over() do
    frame.update(0.01)
    waits = waits + 1
  end
  return waits
end

local function models()
  local Base = la.declarative_base()
  local Note = Base:model "Note" {
    __tablename = "notes", id = la.Column{ la.Integer, primary_key = true }, text = la.Column{ la.Text, nullable = false },
  }
  return Base, Note
end

-- What is done over a connection, each by itself; c, of an engine e; rows = SQL of so many rows (n, filler of so many bytes)
local work = {
  ["results of some megabytes"] = function(_, c, rows)
    for _, size in ipairs { 1, 8000, 8249, 16384, 40000, 1000000 } do
      local all = c:exec_driver_sql(rows:format(size, 7)):all()
      assert(#all == 7 and #tostring(all[7].filler) == size and all[7].n == 7)
    end
    assert(#c:exec_driver_sql(rows:format(50, 60000)):all() == 60000)
  end,
  ["rows in pieces"] = function(_, c, rows)
    for _, options in ipairs { { yield_per = 500 }, { stream_results = true } } do
      local sum = 0
      for row in c:execute(la.text(rows:format(300, 10000)), nil, options) do sum = sum + row.n end
      assert(sum == 10000 * 10001 / 2)
    end
    local result = c:execute(la.text(rows:format(300, 10000)), nil, { yield_per = 100 })   -- another statement amid them
    assert(result:fetchone().n == 1 and #c:exec_driver_sql(rows:format(20000, 3)):all() == 3 and result:fetchone().n == 2)
    result:close()
  end,
  ["values of some megabytes, many sets, and objects"] = function(e)
    local Base, Note = models()
    Base.metadata:drop_all(e)
    Base.metadata:create_all(e)
    local session <close> = la.Session(e)
    for i = 1, 2000 do session:add(Note{ text = ("n"):rep(i) }) end
    session:add(Note{ text = ("big"):rep(1000000) })
    session:commit()
    assert(session:query(Note):count() == 2001)
    session:expire_all()
    local big = session:scalars(la.select(Note):where(la.func.length(Note.text):gt(5000))):one()
    assert(big.text == ("big"):rep(1000000))
    big.text = "small"
    session:commit()
    local c <close> = e:connect()
    local sets = {}
    for i = 1, 3000 do sets[i] = { text = "set " .. i } end
    assert(c:execute(Base.metadata.tables.notes:insert(), sets).rowcount == 3000)
    c:commit()
    Base.metadata:drop_all(e)
  end,
  ["COPY in and out, or what stands for it"] = function(e, c)
    local Base = models()
    Base.metadata:drop_all(e)
    Base.metadata:create_all(e)
    local id, text, bytes = 0, ("c"):rep(9000), 0
    assert(c:copy_from(Base.metadata.tables.notes, function()
      id = id + 1
      if id <= 500 then return { id, text } end
    end) == 500)
    for row in c:copy_to(Base.metadata.tables.notes) do bytes = bytes + #row.text end
    assert(bytes == 500 * 9000)
    local failure = fails("IntegrityError", function() c:copy_from(Base.metadata.tables.notes, { { 501, "new" }, { 1, text } }) end)
    assert(not failure.connection_invalidated)
    c:rollback()
    Base.metadata:drop_all(e)
  end,
}

--- Declares the specs. at: { server = of servers.start, title, open = URL with the host, the port and more of it, verified = function(secure)
-- that gives the options of a URL that looks at the certificate, cipher = SQL whose second value is the cipher, rows = SQL with a size and a
-- number of rows, endless = SQL, certified = function(secure, verified) that gives { user's URL options … }, refused = list of { host, options of
-- function(secure), words … }, unknown = { [option] = words }, without = function(here, secure) for the case of a server without TLS }
return function(at)
  local here = on_server(at.server)
  local secure, why

  -- The server is started again with TLS by the first that needs it.
  local function case(name, run)
    here:case(name, function()
      if not secure and not why then secure, why = here.server:secure() end
      if not secure then return pending(why) end
      run()
    end)
  end

  local function url(options, host, port, user)
    return at.open:format(user or "spec", host or "localhost", port or secure.port, options or at.verified(secure))
  end

  local function cipher(address)
    local c <close> = la.create_engine(address, { pool = "null" }):connect()
    return c:exec_driver_sql(at.cipher):one()[2]
  end

  if at.before then here:case("is refused by a server that has none", function() at.before(here, cipher) end) end

  case("is what the server says it is", function()
    assert.truthy(cipher(url()):find "AES", cipher(url()))
    for _, options in ipairs(at.enough(secure)) do assert.truthy(cipher(url(options)), options) end
  end)

  case("refuses who is not whom the URL means, and says what to write", function()
    for _, one in ipairs(at.refused) do
      local failure = fails("OperationalError", function() cipher(url(one.options(secure), one.host)) end, table.unpack(one))
      assert.is_true(failure.connection_invalidated)
    end
  end)

  case("is not what somebody meant who writes something else", function()
    for option, words in pairs(at.unknown) do fails("ArgumentError", function() la.create_engine(url(option)) end, table.unpack(words)) end
  end)

  case("takes the client's certificate along", function()
    assert.truthy(cipher(url(at.certified(secure), nil, nil, "certified")))
    fails("OperationalError", function() cipher(url(nil, nil, nil, "certified")) end, table.unpack(at.uncertified))
  end)

  if at.after then case("is refused by a server that has none", function() at.after(here, cipher, url) end) end

  for name, body in pairs(work) do
    case(name, function()
      local blocking <close> = la.create_engine(url()):connect()
      body(blocking.engine, blocking, at.rows)
    end)

    case(name .. ", in a loop", function()
      local engine = la.create_engine(url(), { wait = frame.wait })
      looped(function()
        local c <close> = engine:connect()
        body(engine, c, at.rows)
      end)
      engine:dispose()
    end)
  end

  case("shakes hands without blocking, and gives up in time", function()
    local far, without = network.open(secure.port)
    if not far then return pending(without) end
    far:tell("delay", 30)
    local engine = la.create_engine(url(nil, nil, far.port), { wait = frame.wait, pool = "null" })
    local waits = looped(function() engine:connect():close() end)
    assert.is_true(waits >= 3, waits .. " waits")
    far:tell("hold", "down", at.greeting)   -- after so many bytes, in the midst of the handshake
    engine = la.create_engine(url(at.verified(secure) .. "&connect_timeout=0.3", nil, far.port), { wait = frame.wait, pool = "null" })
    looped(function() fails("OperationalError", function() engine:connect() end, "connect_timeout") end)
    far:close()
  end)

  case("lets a statement be interrupted", function()
    local engine = la.create_engine(url(), { wait = frame.wait })
    local c = engine:connect()
    local stopped
    frame.start(function() stopped = fails("OperationalError", function() c:exec_driver_sql(at.endless) end) end)
    local next_try = 0
    local over = loops.in_time(function() return stopped end)
    while not over() do   -- one that comes too early is not heard
      if core.clock() > next_try then
        c:interrupt()
        next_try = core.clock() + 2e8
      end
      frame.update(0.01)
    end
    assert.falsy(stopped.connection_invalidated)
    c:rollback()
    looped(function() assert(c:exec_driver_sql("SELECT 7"):scalar() == 7) end)
    c:close()
    engine:dispose()
  end)

  case("that is cut is an error, and the pool heals", function()
    local far, without = network.open(secure.port)
    if not far then return pending(without) end
    for _, options in ipairs { {}, { wait = frame.wait } } do
      local engine = la.create_engine(url(nil, nil, far.port), options)
      local run = options.wait and looped or function(body) body() end
      run(function()
        local c <close> = engine:connect()
        c:exec_driver_sql("SELECT 1"):close()
        far:tell("cut", "down", 300000)
        assert.is_true(fails("OperationalError", function() c:exec_driver_sql(at.rows:format(10000, 1000)):all() end).connection_invalidated)
        far:tell "pass"
      end)
      for _, how in ipairs { "drop", "idle" } do
        run(function()
          local c <close> = engine:connect()
          assert(c:exec_driver_sql("SELECT 2"):scalar() == 2)
          if how == "idle" then return end
          far:tell "drop"
          assert.is_true(fails("OperationalError", function() c:exec_driver_sql(at.rows:format(100, 1)):all() end).connection_invalidated)
        end)
        far:tell "drop"   -- what lies idle
        run(function()
          local c <close> = engine:connect()
          assert(c:exec_driver_sql("SELECT 3"):scalar() == 3)
        end)
      end
      engine:dispose()
    end
    far:close()
  end)

  if at.patience then
    case("that swallows an answer is given up after the URL's own time", function()
      local far, without = network.open(secure.port)
      if not far then return pending(without) end
      for _, options in ipairs { {}, { wait = frame.wait } } do
        local engine = la.create_engine(url(at.verified(secure) .. "&" .. at.patience, nil, far.port), options)
        local run = options.wait and looped or function(body) body() end
        run(function()
          local c <close> = engine:connect()
          c:exec_driver_sql("SELECT 1"):close()
          far:tell "stall"
          assert.is_true(fails("OperationalError", function() c:exec_driver_sql("SELECT 2"):all() end).connection_invalidated)
        end)
        far:tell "drop"
        far:tell "pass"
        engine:dispose()
      end
      far:close()
    end)
  end

  case("has many sessions at once in one loop", function()
    local engine = la.create_engine(url(), { wait = frame.wait, pool_size = 5, max_overflow = 0, pool_pre_ping = true })
    local done = 0
    for i = 1, 40 do
      frame.start(function()
        local c <close> = engine:connect()
        local all = c:exec_driver_sql(at.rows:format(3000 + i, 20)):all()
        assert(#all == 20 and #tostring(all[1].filler) == 3000 + i)
        done = done + 1
      end)
    end
    local over = loops.in_time(function() return done == 40 end)
    while not over() do frame.update(0.01) end
    engine:dispose()
  end)

  if at.further then at.further(case, url, looped, function() return secure end, here) end
end
