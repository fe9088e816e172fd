-- luacheck: no max line length
-- What servers say without being asked: notifications between sessions, and notices beside answers.
local la = require "lualchemy"
local on_server = dofile "spec/on_server.lua"

describe("a server's messages", function()
  local here = on_server "postgresql"
  local engine, first, second

  before_each(function()
    if not here.server then return end
    engine = la.create_engine(here.url)
    first, second = engine:connect(), engine:connect()
  end)

  after_each(function()
    if not here.server then return end
    first:close()
    second:close()
    engine:dispose()
  end)

  -- So many are waited for; behind them whatever else has been sent: with the answer to a statement it has come.
  local function heard(connection, count)
    local list = {}
    local function add(n) list[#list + 1] = n and n.channel .. ":" .. n.payload end
    for _ = 1, count or 0 do add(connection:wait_for_notification(30)) end
    connection:exec_driver_sql "SELECT 1"
    connection:rollback()
    for n in connection:notifications { timeout = 0 } do add(n) end
    return list
  end

  here:case("go from one session to the other, in their order", function()
    first:listen "Box"
    first:listen 'o"dd'
    second:notify("Box", "one")
    second:notify "Box"
    second:notify('o"dd', "two")
    second:notify("box", "elsewhere")
    local n = first:wait_for_notification(5)
    assert.equal("Box", n.channel)
    assert.equal("one", n.payload)
    assert.equal(second:exec_driver_sql("SELECT pg_backend_pid()"):scalar(), n.pid)
    assert.same({ "Box:", 'o"dd:two' }, heard(first, 2))
    assert.is_nil(first:wait_for_notification(0))
    first:unlisten "Box"
    second:rollback()
    second:notify("Box", "unheard")
    second:notify('o"dd', "heard")
    assert.same({ 'o"dd:heard' }, heard(first, 1))
    first:unlisten()
    second:notify('o"dd', "unheard")
    assert.is_false(first:in_transaction())
    assert.same({}, heard(first))
  end)

  here:case("are kept while the connection does something else, and come between transactions", function()
    first:listen "box"
    second:notify("box", "1")
    assert.equal(7, first:exec_driver_sql("SELECT 7"):scalar())
    first:rollback()
    second:notify("box", "2")
    for i = 1, 50 do assert.equal(i, first:exec_driver_sql("SELECT ?::integer", { i }):scalar()) first:rollback() end
    assert.same({ "box:1", "box:2" }, heard(first, 2))
  end)

  here:case("come with the commit of the transaction that sends them", function()
    first:listen "box"
    second:exec_driver_sql "SELECT 1"
    second:notify("box", "late")
    assert.same({}, heard(first))
    second:rollback()
    second:begin()
    second:notify("box", "sent")
    second:commit()
    assert.same({ "box:sent" }, heard(first, 1))
    first:begin()
    assert.error_matches(function() first:wait_for_notification(1) end, "between transactions")
    first:listen "other"
    first:commit()
    second:notify("other", "after")
    assert.same({ "other:after" }, heard(first, 1))
  end)

  here:case("stay with the connection that asked for them", function()
    first:listen "box"
    first:close()
    second:notify("box", "nobody")
    first = engine:connect()
    assert.equal(0, first:exec_driver_sql("SELECT count(*) FROM pg_listening_channels()"):scalar())
    first:rollback()
    assert.same({}, heard(first))
    first:exec_driver_sql 'LISTEN "by hand"'
    first:commit()
    second:notify("by hand", "x")
    first:close()
    first = engine:connect()
    assert.equal(0, first:exec_driver_sql("SELECT count(*) FROM pg_listening_channels()"):scalar())
    first:rollback()
    assert.same({}, heard(first))
    first:listen "box"
    first:exec_driver_sql "UNLISTEN *"
    first:rollback()   -- it listens again
    first:close()
    first = engine:connect()
    assert.equal(0, first:exec_driver_sql("SELECT count(*) FROM pg_listening_channels()"):scalar())
  end)

  here:case("are refused where they have no sense", function()
    assert.error_matches(function() first:listen "" end, "name of a channel")
    assert.error_matches(function() first:notify("box", 7) end, "a string as payload")
    assert.error_matches(function() first:notifications { timeuot = 1 } end, "timeout")
    assert.error_matches(function() first:wait_for_notification "soon" end, "seconds")
    assert.error_matches(function() first:notify("box", ("x"):rep(9000)) end, "payload")
    assert.is_false(first:in_transaction())
    local lite <close> = la.create_engine("sqlite://"):connect()
    assert.error_matches(function() lite:listen "box" end, "sqlite sends no notifications")
  end)

  here:case("end with the session", function()
    first:listen "box"
    local id = first:exec_driver_sql("SELECT pg_backend_pid()"):scalar()
    first:rollback()
    second:exec_driver_sql("SELECT pg_terminate_backend(?::integer)", { id }):all()
    local ok, failure = pcall(first.wait_for_notification, first, 10)
    assert.is_false(ok)
    assert.equal("OperationalError", failure.kind)
    assert.is_true(first.invalidated)
  end)

  here:case("are waited for while others go on", function()
    local found, uv = pcall(require, "luv")
    if not found then return pending "needs lua-luv, which is not here" end
    local looping = la.create_engine(here.url, { wait = require "lualchemy.wait.luv" })
    local ticks, got, refused = 0, {}, nil
    local timer = uv.new_timer()
    timer:start(5, 5, function() ticks = ticks + 1 end)
    local listener = looping:connect()
    listener:listen "box"
    coroutine.wrap(function()
      for n in listener:notifications { timeout = 30 } do
        got[#got + 1] = n.payload
        if n.payload == "end" then break end
      end
      listener:close()
    end)()
    coroutine.wrap(function()
      refused = select(2, pcall(listener.exec_driver_sql, listener, "SELECT 1"))
      local c <close> = looping:connect()
      for i = 1, 3 do
        local before, seconds = ticks, 0.05
        repeat   -- longer, where the machine has little time for this process
          c:exec_driver_sql("SELECT pg_sleep(?::float8)", { seconds })
          seconds = seconds * 2
        until ticks - before >= 4 or seconds > 8
        c:rollback()
        c:notify("box", i == 3 and "end" or tostring(i))
      end
    end)()
    local deadline = uv.now() + 60000
    while #got < 3 and uv.now() < deadline do uv.run "once" end
    timer:close()
    uv.run "nowait"
    assert.same({ "1", "2", "end" }, got)
    assert.is_true(ticks >= 10, tostring(ticks))
    assert.truthy(refused.message:find("waits for a notification", 1, true))
    looping:dispose()
  end)

  here:case("end a wait that is given up, and leave the connection whole", function()
    la.set_wait(function() coroutine.yield() end)
    first:listen "box"
    local thread = coroutine.create(function() first:wait_for_notification() end)
    assert(coroutine.resume(thread))
    la.set_wait(nil)
    assert.error_matches(function() first:exec_driver_sql "SELECT 1" end, "waits for a notification")
    coroutine.close(thread)
    first:close()
    first = engine:connect()
    assert.equal(1, first:exec_driver_sql("SELECT 1"):scalar())
    assert.equal(0, engine:pool_status().overflow)
  end)

  here:case("beside an answer are told to those who listen, and to the log", function()
    local notices, lines = {}, {}
    local echoing = la.create_engine(here.url, { echo = function(line) lines[#lines + 1] = line end })
    la.event.listen(echoing, "notice", function(connection, notice)
      assert.is_false(connection.closed)
      local more = (notice.detail and " (" .. notice.detail .. ")" or "") .. (notice.hint and " / " .. notice.hint or "")
      notices[#notices + 1] = ("%s %s %s%s"):format(notice.severity, notice.sqlstate, notice.message, more)
    end)
    local c <close> = echoing:connect()
    c:exec_driver_sql "DO $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two' USING HINT = 'three', DETAIL = 'of it', ERRCODE = '01999'; RAISE DEBUG 'unheard'; END $$"
    assert.same({ "NOTICE 00000 one", "WARNING 01999 two (of it) / three" }, notices)
    c:exec_driver_sql("SELECT 1 AS " .. ("x"):rep(70)):all()
    assert.equal(3, #notices)
    assert.truthy(notices[3]:find "^NOTICE 42622 identifier .* will be truncated")
    c:rollback()
    c:exec_driver_sql "SELECT 1":all()
    assert.equal(3, #notices)
    local shown = table.concat(lines, "\n")
    assert.truthy(shown:find("\nNOTICE: one\nWARNING: two", 1, true), shown)
    for _ = 1, 3 do pcall(c.exec_driver_sql, c, "DO $$ BEGIN FOR i IN 1..100 LOOP RAISE NOTICE '%', i; END LOOP; RAISE 'over'; END $$") c:rollback() end
    assert.equal("NOTICE 00000 100", notices[#notices])
    assert.is_true(#notices <= 3 + 3 * 64)
    la.event.listen(echoing, "notice", function() error "not this" end)
    assert.error_matches(function() c:exec_driver_sql "DO $$ BEGIN RAISE NOTICE 'x'; END $$" end, "not this")
  end)
end)
