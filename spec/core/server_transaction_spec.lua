-- Transactions, pool and forks on real servers: what the mock driver can only imitate.
local la = require "lualchemy"
local servers = dofile "spec/servers.lua"
local fails = dofile("spec/core/world.lua").fails

local kinds = {
  { name = "postgresql",
    url = "postgresql://spec@/spec?host=%s", me = "select pg_backend_pid()", kill = "select pg_terminate_backend(%d)",
    rows = "select n from generate_series(1, 5000) n" },
  { name = "mariadb", url = "mariadb://spec@/spec?unix_socket=%s/mariadb.sock", me = "select connection_id()", kill = "kill %d",
    rows = "select seq from seq_1_to_5000" },
}

for _, kind in ipairs(kinds) do
  describe("on " .. kind.name, function()
    local server, why = servers.start(kind.name)
    if not server then
      pending("a server: " .. tostring(why))
      return
    end
    teardown(function() server:stop() end)

    local function open(options) return la.create_engine(kind.url:format(server.folder), options) end

    local function with_table(engine)
      engine:begin(function(c)
        c:exec_driver_sql "drop table if exists counters"
        c:exec_driver_sql "create table counters (id integer primary key, n integer)"
      end)
      engine:begin(function(c) c:exec_driver_sql "insert into counters values (1, 0), (2, 0)" end)
    end

    local function count(engine)
      return engine:begin(function(c) return c:exec_driver_sql("select sum(n) as n from counters"):scalar() end)
    end

    it("transactions have the level that was asked for, and the next has the database's", function()
      local engine = open()
      with_table(engine)
      local failure = fails(kind.name == "postgresql" and "InternalError" or "OperationalError", function()
        engine:begin({ isolation_level = "SERIALIZABLE", read_only = true }, function(c) c:exec_driver_sql "update counters set n = 1" end)
      end)
      assert.truthy(failure.message:lower():find("read.only"))
      engine:begin(function(c) c:exec_driver_sql "update counters set n = 1" end)
      assert.equal("2", tostring(count(engine)))
      engine:dispose()
    end)

    it("two writers in each other's way both get through", function()
      local engine = open()
      with_table(engine)
      local other, runs = engine:connect { isolation_level = "SERIALIZABLE" }, 0
      engine:run_transaction(function(c)
        runs = runs + 1
        c:exec_driver_sql("select n from counters where id = 1"):all()
        if runs == 1 then
          if kind.name == "postgresql" then
            other:exec_driver_sql "update counters set n = n + 1 where id = 1"
            other:commit()
          else
            c:exec_driver_sql "set innodb_lock_wait_timeout = 1"
            other:exec_driver_sql "update counters set n = n + 1 where id = 1"
          end
        elseif kind.name ~= "postgresql" then
          other:commit()
        end
        c:exec_driver_sql "update counters set n = n + 1 where id = 1"
      end, { isolation_level = "REPEATABLE READ", backoff = 0.001 })
      other:close()
      assert.equal(2, runs)
      assert.equal("2", tostring(count(engine)))
      engine:dispose()
    end)

    it("two phases end where they are told to", function()
      local engine = open()
      with_table(engine)
      local c = engine:connect()
      local transaction = c:begin_twophase("spec-1-" .. kind.name)
      c:exec_driver_sql "update counters set n = 5 where id = 1"
      transaction:prepare()
      assert.same({ "spec-1-" .. kind.name }, engine:connect():recover_twophase())
      transaction:commit()
      assert.equal("5", tostring(count(engine)))
      transaction = c:begin_twophase()
      c:exec_driver_sql "update counters set n = 9 where id = 1"
      transaction:rollback()
      transaction = c:begin_twophase()
      c:exec_driver_sql "update counters set n = 9 where id = 1"
      transaction:prepare()
      c:close()
      assert.same({}, engine:connect():recover_twophase())
      assert.equal("5", tostring(count(engine)))
      engine:dispose()
    end)

    it("the pool heals after sessions were killed", function()
      local engine = open { pool_pre_ping = false }
      local one, two, killer = engine:connect(), engine:connect(), open():connect()
      local first, second = one:scalar(la.text(kind.me)), two:scalar(la.text(kind.me))
      one:rollback()
      two:close()
      for _, id in ipairs { first, second } do killer:exec_driver_sql(kind.kill:format(id)):close() end
      local ok, failure = pcall(one.exec_driver_sql, one, "select 1")
      assert.is_false(ok)
      assert.is_true(failure.connection_invalidated, tostring(failure))
      assert.equal(0, engine:pool_status().idle)
      one:close()
      assert.equal("1", tostring(engine:begin(function(c) return c:exec_driver_sql("select 1 as n"):scalar() end)))
      killer:close()
    end)

    it("results come in pieces", function()
      local engine = open()
      local select = la.text(kind.rows)
      for _, options in ipairs { { yield_per = 100 }, { stream_results = true }, {} } do
        engine:begin(function(c)
          local sum = 0
          for row in c:execute(select, nil, options) do sum = sum + row[1] end
          assert.equal(12502500, sum)
          assert.equal(1, c:execute(select, nil, options):first()[1])
        end)
        engine:execution_options(options):begin(function(c) assert.equal(5000, #c:execute(select):all()) end)
      end
      fails("ArgumentError", function() engine:connect():execute(select, nil, { yield_pre = 1 }) end, "yield_per")
      fails("ArgumentError", function() engine:connect():execute(select, nil, { yield_per = 0 }) end, "from 1 on")
      engine:dispose()
    end)

    it("replicas that are away are passed over", function()
      local engine = la.create_engine {
        primary = kind.url:format(server.folder), replicas = { kind.url:format "/nonexistent", kind.url:format(server.folder) },
      }
      for _ = 1, 4 do
        engine:begin({ read_only = true }, function(c) assert.equal("1", tostring(c:exec_driver_sql("select 1 as n"):scalar())) end)
      end
      engine:dispose()
    end)
  end)
end
