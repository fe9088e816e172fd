-- luacheck: no max line length
-- PostgreSQL by TLS, with libpq.
local la = require "lualchemy"
local declare = assert(loadfile("spec/server_tls.lua", "t", _ENV))()
local fails = dofile("spec/core/world.lua").fails
local frame = require "lualchemy.wait.frame"

local function verified(secure) return "sslmode=verify-full&sslrootcert=" .. secure.authority .. ".pem" end
local function certified(secure) return ("%s&sslcert=%s.pem&sslkey=%s.key"):format(verified(secure), secure.client, secure.client) end

-- The proxy of tls_records.py: its port, and a function that ends it. nil where there is no Python.
local function long_records(secure, folder)
  local fifo = os.tmpname()
  assert(os.remove(fifo))
  assert(os.execute("mkfifo " .. fifo))
  local command = "env -u LD_PRELOAD /usr/bin/python3 spec/postgresql/tls_records.py %s.pem %s.key %s/.s.PGSQL.5432 >%s"
  local input = assert(io.popen(command:format(secure.server, secure.server, folder, fifo), "w"))
  local output = assert(io.open(fifo))
  os.remove(fifo)
  return assert(math.tointeger(tonumber(output:read "l"))), function()
    input:close()
    output:close()
  end
end

describe("TLS to PostgreSQL", function()
  declare {
    server = "postgresql", open = "postgresql://%s@%s:%d/spec?%s", verified = verified,
    cipher = "SELECT ssl, cipher FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    rows = "SELECT n, repeat('x', %d) AS filler FROM generate_series(1, %d) AS n",
    greeting = 100, endless = "SELECT pg_sleep(60)",
    enough = function(secure) return { "sslmode=require", "", "sslmode=require&ssl_max_protocol_version=TLSv1.2", verified(secure) .. "&ssl_min_protocol_version=TLSv1.3", "sslmode=verify-ca&sslrootcert=" .. secure.authority .. ".pem" } end,
    refused = {
      { options = verified, host = "127.0.0.1", "does not match host name", "verify-ca" },
      { options = function(secure) return "sslmode=verify-full&sslrootcert=" .. secure.stranger .. ".pem" end, "certificate verify failed", "sslrootcert in the URL names" },
      { options = function() return "sslmode=verify-ca&sslrootcert=/nowhere.pem" end, "/nowhere.pem", "sslrootcert in the URL names" },
    },
    unknown = {
      ["ssl=require"] = { "no option 'ssl'", "sslmode=require (encrypted)" }, ["sslmod=require"] = { "did you mean 'sslmode'?" }, ["ssl_ca=/x"] = { "sslrootcert" },
      ["sslmode=require&sslmode=disable"] = { "given twice" },
    },
    certified = certified,
    uncertified = { "valid client certificate", "sslcert and sslkey in the URL" },
    after = function(here, cipher, url)
      local admin = la.create_engine(here.url, { pool = "null", isolation_level = "AUTOCOMMIT" })
      local function turn(word)
        admin:begin(function(c)
          c:exec_driver_sql("ALTER SYSTEM SET ssl = " .. word)
          c:exec_driver_sql("SELECT pg_reload_conf()"):close()
        end)
        local over = require("lualchemy.core").clock() + 60e9
        repeat
          local c <close> = admin:connect()
          assert(require("lualchemy.core").clock() < over, "the server does not read its configuration")
        until c:exec_driver_sql("SHOW ssl"):scalar() == word
      end
      turn "off"
      for _, options in ipairs { "sslmode=require", "sslmode=verify-full", url():match "sslmode=.*" } do
        fails("OperationalError", function() cipher(url(options)) end, "TLS has to be set up at the server")
      end
      assert.is_nil(cipher(url "sslmode=prefer"))
      turn "on"
    end,
    further = function(case, url, looped, secure, here)
      case("tells the server who the client is", function()
        local c <close> = la.create_engine(url(certified(secure()), nil, nil, "certified")):connect()
        assert.equal("/CN=certified", c:exec_driver_sql("SELECT client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()"):scalar())
      end)

      case("is asked for by name where the server insists", function()
        fails("OperationalError", function() la.create_engine(url("sslmode=disable", "127.0.0.1", nil, "insistent")):connect() end, "no encryption", "sslmode=require")
      end)

      case("brings notifications to whoever waits", function()
        local engine = la.create_engine(url(), { wait = frame.wait })
        local heard = {}
        local first, second = engine:connect(), engine:connect()
        looped(function()
          first:listen "box"
          second:begin()
          for i = 1, 20 do second:notify("box", ("x"):rep(7000) .. i) end
          second:commit()
          for n in first:notifications { timeout = 30 } do
            heard[#heard + 1] = n.payload
            if #heard == 20 then break end
          end
        end)
        assert.equal(("x"):rep(7000) .. 20, heard[20])
        first:close()
        second:close()
        engine:dispose()
      end)

      case("is read to the end of its records, however long they are", function()
        if not os.execute "test -x /usr/bin/python3" then
          assert(not os.getenv "CI", "python3 is not installed")
          return pending "needs python3, which is not here"
        end
        local port, close = long_records(secure(), here.server.folder)
        for _, options in ipairs { {}, { wait = frame.wait } } do
          local engine = la.create_engine(url(nil, nil, port), options)
          local run = options.wait and looped or function(body) body() end
          run(function()
            local c <close> = engine:connect()
            for size = 8000, 12000, 83 do
              local all = c:exec_driver_sql("SELECT repeat('x', ?::integer) AS filler FROM generate_series(1, 7)", { size }):all()
              assert(#all == 7 and #all[7].filler == size)
            end
            local count = 0
            for row in c:copy_to(la.text "SELECT repeat('x', 8249) AS filler FROM generate_series(1, 500)") do count = count + #row.filler end
            assert(count == 500 * 8249)
            for row in c:execute(la.text "SELECT n, repeat('x', 8249) FROM generate_series(1, 500) AS n", nil, { stream_results = true }) do count = row.n end
            assert(count == 500)
          end)
          engine:dispose()
        end
        close()
      end)
    end,
  }
end)
