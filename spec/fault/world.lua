-- What the specs of faults share: a record for each database (how one kills a session there, sleeps, fails in mid-row), a server with a
-- proxy before it, and ways to wait and to look at errors.
local la = require "lualchemy"
local servers = dofile "spec/servers.lua"
local network = dofile "spec/fault/network.lua"
local world = { fails = dofile("spec/core/world.lua").fails, network = network, servers = servers }

world.databases = {
  postgresql = {
    url = "postgresql://spec@/spec?host=%s", socket = "%s/.s.PGSQL.5432", away = "postgresql://spec@127.0.0.1:%d/spec",
    session = "select pg_backend_pid()", kill = "select pg_terminate_backend(%d)", sleep = "select pg_sleep(%s)",
    lives = "select count(*) from pg_stat_activity where pid = %d",
    sessions = "select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()",
    rows = "select n, repeat('x', 100) as filler from generate_series(1, %d) n",
    failing_rows = "select n, 1 / (n - %d) as inverse from generate_series(1, 10000) n", failing_kind = "DataError",
    failing_state = "22012",
    time_limit = "set statement_timeout = '200ms'", time_state = "57014", cancel_state = "57014",
    long = "select count(*) from generate_series(1, 1000000000)", quick_deadlocks = "&options=-cdeadlock_timeout%3D20ms",
    broken_bytes = "select '\\xfffe'::bytea",
    lock_limit = "set lock_timeout = '100ms'", lock_state = "55P03",
    durable = "-c synchronous_commit=on",
    folder = "select current_setting('unix_socket_directories')", standby = "-c max_standby_streaming_delay=0",
    several_hosts = "postgresql://spec@/spec?host=%s&host=%s&target_session_attrs=read-write",
    few_connections = {}, many_connections = {},
    locked_user = { "create role locked login password 'secret'" },
    -- everybody else is trusted
    lock_door = function(here)
      local path = here.server.folder .. "/data/pg_hba.conf"
      local file = assert(io.open(path))
      local text = file:read "*a"
      file:close()
      file = assert(io.open(path, "w"))
      file:write("local all locked scram-sha-256\n", text)
      file:close()
      here:order "select pg_reload_conf()"
    end,
    full = "53100",
    table_in = function(_, folder)
      return {
        "create tablespace small location '" .. folder .. "'",
        "create table filled (id serial primary key, filler text) tablespace small",
        "alter table filled alter filler set storage external",
      }
    end,
    leave = "drop tablespace small",
    busy = "select count(*) from pg_stat_activity where state = 'active' and query like '%generate_series%' and pid <> pg_backend_pid()",
  },
  mariadb = {
    url = "mariadb://spec@/spec?unix_socket=%s/mariadb.sock", socket = "%s/mariadb.sock", away = "mariadb://spec@127.0.0.1:%d/spec",
    session = "select connection_id()", kill = "kill %d", sleep = "select sleep(%s)",
    lives = "select count(*) from information_schema.processlist where id = %d",
    sessions = "select count(*) from information_schema.processlist where id <> connection_id() and user = 'spec'",
    rows = "select seq as n, repeat('x', 100) as filler from seq_1_to_%d",
    failing_rows = "select seq as n, exp(if(seq = %d, 1000, 0)) as inverse from seq_1_to_10000", failing_kind = "DataError",
    failing_state = "22003",
    time_limit = "set max_statement_time = 0.2", time_state = "70100", cancel_state = "70100",
    long = "select sum(a.seq * b.seq) from seq_1_to_100000 a, seq_1_to_100000 b", quick_deadlocks = "",
    broken_bytes = "select unhex('fffe')",
    lock_limit = "set innodb_lock_wait_timeout = 1", lock_state = "HY000",
    patience = "read_timeout=1", folder = "select @@socket",
    durable = "--innodb-flush-log-at-trx-commit=2",
    few_connections = { "set global max_connections = 12" }, many_connections = { "set global max_connections = 150" },
    locked_user = { "create user locked@localhost identified by 'secret'", "grant all on spec.* to locked@localhost" },
    full = 1114,
    table_in = function(_, folder)
      return { ("create table filled (id integer primary key auto_increment, filler text) data directory = '%s'"):format(folder) }
    end,
    busy = "select count(*) from information_schema.processlist where info like '%seq_1_to%' and id <> connection_id()",
  },
}

--- How many rounds the long cases do: SPEC_ROUNDS, or few.
function world.rounds(few)
  return tonumber(os.getenv "SPEC_ROUNDS") or few
end

--- Seconds of the wall clock.
function world.now()
  return require("lualchemy.core").clock() / 1e9
end

--- Waits until condition() gives something true, which is answered; an error after 30 s.
function world.eventually(condition, what)
  local deadline = world.now() + 30
  local pause = require("lualchemy.core").sleep
  while true do
    local found = condition()
    if found then return found end
    assert(world.now() < deadline, "still not so after 30 s: " .. (what or "?"))
    pause(0.01)
  end
end

local place = {}
place.__index = place

--- A server of that kind: engines on it, and a proxy where one is asked for. nil and why.
function world.place(name)
  local server, why = servers.start(name)
  if not server then return nil, why end
  local self = setmetatable({ name = name, server = server }, place)
  for key, value in pairs(world.databases[name]) do self[key] = value end
  self.admin = la.create_engine(self.url:format(server.folder), { pool = "null", isolation_level = "AUTOCOMMIT" })
  return self
end

function place:open(options)
  return la.create_engine(self.url:format(self.server.folder), options)
end

--- With more in its URL, "&name=value".
function place:open_with(parameters, options)
  return la.create_engine(self.url:format(self.server.folder) .. parameters, options)
end

--- An engine that goes through the proxy; parameters: more of the URL.
function place:open_far(options, parameters)
  return la.create_engine(self.away:format(self.network.port) .. (parameters and "?" .. parameters or ""), options)
end

--- Needs a proxy from here on. False and why: there is none.
function place:needs_network()
  if self.network then return true end
  local why
  self.network, why = network.open(self.socket:format(self.server.folder))
  return self.network ~= nil, why
end

--- The first value of a statement by a session of its own, as a number.
function place:ask(sql)
  local connection <close> = self.admin:connect()
  return math.tointeger(tonumber(tostring(connection:exec_driver_sql(sql):scalar())))
end

--- The same for a statement that gives nothing.
function place:order(...)
  local connection <close> = self.admin:connect()
  for _, sql in ipairs { ... } do connection:exec_driver_sql(sql):close() end
end

--- Ends the connection's session in the server, when it is gone there as well.
function place:kill_session(id)
  self:order(self.kill:format(id))
  world.eventually(function() return self:ask(self.lives:format(id)) == 0 end, "the session is gone")
end

--- Waits until the server has no session but the one that asks: what lost ones were still about to commit has happened then, or never will.
function place:settle()
  world.eventually(function() return self:ask(self.sessions) == 0 end, "the server's sessions are gone")
end

function place:session_of(connection)
  return math.tointeger(tonumber(tostring(connection:exec_driver_sql(self.session):scalar())))
end

--- Runs body() in a coroutine, on an engine with these options that is its argument: body arms the hook with arm(act), and the next
-- wait for the server calls act() before it waits; every further one does as
-- long as act() gives true. What pcall gives, and the engine.
function place:amid(options, body)
  local act
  local all = { wait = function()
    local now = act
    act = nil
    if now and now() then act = now end
    require("lualchemy.core").sleep(0.001)
  end }
  for key, value in pairs(options) do all[key] = value end
  local engine = self:open(all)
  local ok, failure = coroutine.wrap(function()
    return pcall(body, engine, function(what) act = what end)
  end)()
  return ok, failure, engine
end

--- Accounts with a hundred each.
function place:accounts(count)
  local metadata = la.MetaData()
  local accounts = la.Table { "accounts", metadata,
    la.Column { "id", la.Integer, primary_key = true, autoincrement = false }, la.Column { "balance", la.Integer, nullable = false } }
  self:order "drop table if exists accounts"
  local engine = self:open { pool = "null" }
  metadata:create_all(engine)
  engine:begin(function(c)
    local rows = {}
    for i = 1, count do rows[i] = { id = i, balance = 100 } end
    c:execute(accounts:insert(), rows)
  end)
  return accounts
end

function place:close()
  self.admin:dispose()
  if self.network then self.network:close() end
  self.server:stop()
end

--- How many descriptors this process has open.
function world.descriptors()
  local count = 0
  for _ in require("lfs").dir "/proc/self/fd" do count = count + 1 end   -- busted needs lfs as well
  return count
end

--- describe() for each of the databases: fn(name, case), in which case(name, run) is it() with run(place); what run gives is why it could
-- not. with_network: a proxy is there. At the end no descriptor is left open.
function world.on_servers(title, fn, with_network)
  local busted = require "busted"
  local describe, it, setup, teardown, pending = busted.describe, busted.it, busted.setup, busted.teardown, busted.pending
  for _, name in ipairs { "postgresql", "mariadb" } do
    describe(title .. " on " .. name, function()
      local before, here, why
      setup(function()
        collectgarbage()
        collectgarbage()
        before = world.descriptors()
        here, why = world.place(name)
        if not (here and with_network) then return end
        local ready, without = here:needs_network()
        if ready then return end
        here:close()
        here, why = nil, without
      end)
      local function case(what, run)
        it(what, function()
          if not here then return pending(why) end
          local without = run(here)
          if without then pending(without) end
        end)
      end
      fn(name, case)
      case("leaves no descriptor open", function()
        here:close()
        here = nil
        collectgarbage()
        collectgarbage()
        local after = world.descriptors()
        assert(after == before, ("%d descriptors at the beginning, %d at the end"):format(before, after))
      end)
      teardown(function() if here then here:close() end end)
    end)
  end
end

return world
