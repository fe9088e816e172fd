-- luacheck: no max line length
-- What a URL can say: statements without names, several hosts, and what goes through to the server.
local la = require "lualchemy"
local core = require "lualchemy.core"
local on_server, network = dofile "spec/on_server.lua", dofile "spec/fault/network.lua"
local eventually = dofile("spec/fault/world.lua").eventually

describe("a PostgreSQL URL", function()
  local here = on_server "postgresql"

  local function connect(options, host)
    return la.create_engine(("postgresql://spec@/spec?host=%s%s"):format(host or here.server.folder, options or "")):connect()
  end

  local function ask(connection, sql, values) return connection:exec_driver_sql(sql, values):scalar() end

  for _, option in ipairs { "prepared_statements=false", "prepared_statement_cache_size=0" } do
    here:case(option .. " names no statement", function()
      local c <close> = connect("&" .. option)
      local metadata = la.MetaData()
      local things = la.Table { "things", metadata, la.Column { "id", la.Integer, primary_key = true }, la.Column { "name", la.String(9) }, la.Column { "at", la.DateTime } }
      metadata:create_all(c)
      local sets = {}
      for i = 1, 1500 do sets[i] = { name = "n" .. i, at = "2024-01-01 00:00:00" } end
      assert.equal(1500, c:execute(things:insert(), sets).rowcount)
      assert.same({ 1501, id = 1501 }, c:execute(things:insert(), { name = "x" }).inserted_primary_key)
      local one = la.select(things.c.name, things.c.at):where(things.c.id:eq(la.bindparam "key"))
      for i = 1, 5 do
        assert.equal("('n" .. i .. "', 2024-01-01 00:00:00)", tostring(c:execute(one, { key = i }):one()))
        if i == 3 then c:exec_driver_sql "DEALLOCATE ALL" end
      end
      local first = c:execute(la.select(things.c.id):order_by(things.c.id), nil, { yield_per = 10 })
      assert.equal(1, first:fetchone().id)
      assert.equal("n7", c:execute(one, { key = 7 }):one().name)   -- another one between the rows of a stream
      assert.equal(1500, #first:all())
      local count = 0
      for _ in c:copy_to(things) do count = count + 1 end
      assert.equal(1501, count)
      assert.error_matches(function() c:execute(things:insert(), { id = 1 }) end, "duplicate key")
      c:rollback()
      assert.equal(0, ask(c, "SELECT count(*) FROM pg_prepared_statements"))
      assert.equal(0, ask(c, "SELECT count(*) FROM pg_prepared_statements"))
      local named <close> = connect("&prepared_statements=true")
      ask(named, "SELECT count(*) FROM pg_prepared_statements")
      assert.equal(1, ask(named, "SELECT count(*) FROM pg_prepared_statements"))
    end)
  end

  here:case("that says nonsense is refused", function()
    for option, message in pairs { ["prepared_statements=maybe"] = "true or false", ["prepared_statement_cache_size=few"] = "a number",
      ["prepared_statement=false"] = "did you mean 'prepared_statements'", ["target_session_attr=any"] = "did you mean 'target_session_attrs'" } do
      assert.error_matches(function() la.create_engine("postgresql://spec@/spec?" .. option) end, message)
    end
  end)

  here:case("with several hosts goes to the first that answers, and is what it should be", function()
    local hosts = "/nowhere," .. here.server.folder
    local c <close> = connect("&connect_timeout=20", hosts)
    assert.equal(here.server.folder, ask(c, "SHOW unix_socket_directories"))
    c:rollback()
    local dead <close> = connect("", "127.0.0.1:1," .. here.server.folder)
    assert.equal(1, ask(dead, "SELECT 1"))
    local writing <close> = connect("&target_session_attrs=read-write", hosts)
    assert.equal("off", ask(writing, "SHOW transaction_read_only"))
    local ok, failure = pcall(connect, "&target_session_attrs=read-only", hosts)
    assert.is_false(ok)
    assert.equal("OperationalError", failure.kind)
    assert.truthy(failure.message:find "read.only", failure.message)
    local reading <close> = connect("&target_session_attrs=read-only&options=-cdefault_transaction_read_only%3Don", hosts)
    assert.equal("on", ask(reading, "SHOW transaction_read_only"))
    assert.error_matches(function() connect("", "/nowhere,/nowhere/else") end, "/nowhere/else")
  end)

  here:case("gives each host its own port, and the URL's to those that have none", function()
    local function failure(url) return select(2, pcall(function() la.create_engine(url):connect() end)).message end
    local beside = failure "postgresql://spec@127.0.0.1:1/spec?host=127.0.0.1:2&host=127.0.0.1"
    for _, port in ipairs { 1, 2 } do assert.truthy(beside:find("port " .. port .. " failed", 1, true), beside) end
    assert.falsy(beside:find("5432", 1, true), beside)
    local folders = failure "postgresql://spec@:3/spec?host=/nowhere,/neither:4"
    assert.truthy(folders:find("/nowhere/.s.PGSQL.3", 1, true), folders)
    assert.truthy(folders:find("/neither/.s.PGSQL.4", 1, true), folders)
  end)

  here:case("passes its options through to the server", function()
    local c <close> = connect "&application_name=the+spec&options=-cstatement_timeout%3D12345%20-csearch_path%3Dpg_temp"
    assert.equal("the spec", ask(c, "SHOW application_name"))
    assert.equal("12345ms", ask(c, "SHOW statement_timeout"))
    assert.equal("pg_temp", ask(c, "SHOW search_path"))
    local plain <close> = connect()
    assert.equal("lualchemy", ask(plain, "SHOW application_name"))
    local latin <close> = connect "&options=-cclient_encoding%3DLATIN1"
    assert.equal("UTF8", ask(latin, "SHOW client_encoding"))   -- whatever the server, the role or the user's options say
    assert.equal("é", ask(latin, "SELECT chr(233)"))
  end)

  here:case("may have the server end a transaction that does nothing: who comes back to it is told, and the next one is well", function()
    local engine = la.create_engine(here.url .. "&options=-cidle_in_transaction_session_timeout%3D50", { pool_size = 1, max_overflow = 0 })
    local watcher <close> = connect()
    local c = engine:connect()
    local id = ask(c, "SELECT pg_backend_pid()")
    eventually(function()
      local count = ask(watcher, "SELECT count(*) FROM pg_stat_activity WHERE pid = " .. id)
      watcher:rollback()
      return count == 0
    end, "the session has ended")
    local ok, failure = pcall(ask, c, "SELECT 1")
    assert.is_false(ok)
    assert.equal("OperationalError", failure.kind)
    assert.equal("25P03", failure.sqlstate)
    assert.is_true(failure.connection_invalidated)
    c:close()
    assert.not_equal(id, engine:begin(function(own) return ask(own, "SELECT pg_backend_pid()") end))
    engine:dispose()
  end)

  here:case("has what it says of TLS checked by the library", function()
    local over_tcp = "postgresql://spec@127.0.0.1:1/spec?sslmode="
    assert.error_matches(function() la.create_engine(over_tcp .. "sometimes"):connect() end, "sslmode")
    assert.error_matches(function() la.create_engine(over_tcp .. "require&ssl_min_protocol_version=TLSv9"):connect() end, "TLSv9")
    assert.error_matches(function() connect "&sslmode=disable&requirepeer=nobody_of_this_name" end, "requirepeer")
    assert.error_matches(function() connect "&channel_binding=require" end, "channel binding")
  end)

  here:case("with several hosts passes over those that stay silent", function()
    local silent <close>, without = network.open(here.server.folder .. "/.s.PGSQL.5432")
    if not silent then return pending(without) end
    silent:tell "stall"
    local dead = "127.0.0.1:" .. silent.port
    local function open(hosts, options, seconds)
      return la.create_engine(("postgresql://spec@/spec?host=%s&connect_timeout=%g%s"):format(hosts, seconds or 0.2, options or "")):connect()
    end
    -- With longer times, where the machine has little time for those who do answer.
    local function reach(hosts, options)
      local ok, connection
      for _, seconds in ipairs { 0.2, 1, 5, 20 } do
        ok, connection = pcall(open, hosts, options, seconds)
        if ok then return connection end
      end
      error(connection, 0)
    end
    local folder = here.server.folder
    for _, hosts in ipairs { dead .. "," .. folder, dead .. "," .. dead .. "," .. folder, dead .. ",/nowhere," .. folder, "/nowhere," .. dead .. "," .. folder .. ":5432" } do
      local c <close> = reach(hosts)
      assert.equal(folder, ask(c, "SHOW unix_socket_directories"))
    end
    local writing <close> = reach(folder .. "," .. dead .. "," .. folder, "&target_session_attrs=read-write")
    local _, before = silent:count()
    assert.equal("off", ask(writing, "SHOW transaction_read_only"))
    local started = core.clock()
    local ok, failure = pcall(open, dead .. ",/nowhere," .. dead)
    local seconds = (core.clock() - started) / 1e9
    assert.is_false(ok)
    assert.truthy(failure.message:find("/nowhere", 1, true), failure.message)   -- who has refused is asked at last
    assert.is_true(seconds >= 0.4 and seconds < 20, tostring(seconds))
    assert.error_matches(function() open(dead .. "," .. dead) end, "connect_timeout")
    local _, made = silent:count()
    assert.equal(before + 4, made)   -- each once
  end)

  here:case("gives up after connect_timeout, and whoever waits is told how long", function()
    local silent <close>, without = network.open(here.server.folder .. "/.s.PGSQL.5432")
    if not silent then return pending(without) end
    silent:tell "stall"
    local waits, longest = 0, 0
    local engine = la.create_engine(("postgresql://spec@127.0.0.1:%d/spec?connect_timeout=0.3"):format(silent.port), {
      wait = function(descriptor, events, timeout)
        waits, longest = waits + 1, math.max(longest, timeout)
        core.poll({ descriptor, events }, timeout)
      end,
    })
    local started = core.clock()
    local ok, failure = coroutine.wrap(function() return pcall(engine.connect, engine) end)()
    local seconds = (core.clock() - started) / 1e9
    assert.is_false(ok)
    assert.equal("OperationalError", failure.kind)
    assert.truthy(failure.message:find("connect_timeout", 1, true), failure.message)
    assert.is_true(failure.connection_invalidated)
    assert.is_true(seconds >= 0.3 and seconds < 20, tostring(seconds))
    assert.is_true(waits > 0 and longest <= 0.3, ("%d waits, %g s"):format(waits, longest))
    assert.equal(0, engine:pool_status().in_use)
  end)
end)
