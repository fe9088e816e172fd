-- ODBC with three real databases: the driver manager, each database's ODBC driver (named by its file, so that the machine's own
-- configuration is not asked), and a server of the spec's own.
-- luacheck: no max line length
local la = require "lualchemy"
local servers = dofile "spec/servers.lua"
local world = dofile "spec/core/world.lua"

local function find_driver(name)
  local pipe = assert(io.popen("ls /usr/lib/*/odbc/" .. name .. " /usr/lib/odbc/" .. name .. " /usr/local/lib/" .. name .. " 2>/dev/null"))
  local path = pipe:read "*l"
  pipe:close()
  return path
end

local function escaped(text)
  return (text:gsub("[^%w%-%._~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

-- What each driver or database lacks stands as a quirk; everything else is the same for all.
local databases = {
  {
    name = "PostgreSQL", file = "psqlodbcw.so", package = "odbc-postgresql", server = "postgresql",
    url = function(driver, folder) return ("postgresql+odbc://spec@%s:5432/spec?driver=%s"):format(escaped(folder), escaped(driver)) end,
    quirks = {},
  },
  {
    name = "MariaDB", file = "libmaodbc.so", package = "odbc-mariadb", server = "mariadb",
    url = function(driver, folder) return ("mariadb+odbc://spec@/spec?driver=%s&Socket=%s"):format(escaped(driver), escaped(folder .. "/mariadb.sock")) end,
    quirks = { no_zone = "moments have no zone" },
  },
  {
    name = "SQLite", file = "libsqlite3odbc.so", package = "libsqliteodbc",
    url = function(driver, folder) return ("sqlite+odbc:///%s?driver=%s"):format(escaped(folder), escaped(driver)) end,
    quirks = { decimals = "numbers are doubles", digits = "doubles keep 15 digits", no_zone = "moments have no zone" },
  },
}

local function define()
  local C = la.Column
  return la.Table { "odbc_values", la.MetaData(),
    C { "id", la.Integer, primary_key = true, autoincrement = false }, C { "big", la.BigInteger }, C { "name", la.String(50), unique = true }, C { "note", la.Text },
    C { "real", la.Double }, C { "price", la.Numeric(20, 6) }, C { "yes", la.Boolean }, C { "day", la.Date }, C { "clock", la.Time }, C { "moment", la.DateTime },
    C { "zoned", la.DateTime { timezone = true } }, C { "bytes", la.LargeBinary }, C { "uuid", la.Uuid }, C { "json", la.JSON }, C { "span", la.Interval },
  }
end

local function values_for(quirks)
  local long, microsecond = 200000, 123456
  local cases = {
    { "big", math.maxinteger }, { "big", math.mininteger }, { "big", 0 }, { "name", "" }, { "name", "h\u{e9}\u{1F600}" .. "\u{10FFFF}" }, { "name", "'}{;?$1" },
    { "note", ("x\u{1F600}\u{e9}"):rep(long // 8) }, { "note", ("a"):rep(2047) }, { "note", ("\u{1F600}"):rep(511) .. "b" }, { "note", ("b\u{1F600}"):rep(700) },
    { "real", 0.1 }, { "real", quirks.digits and -1e300 or -1.7976931348623157e308 }, { "real", quirks.digits and 1e-300 or 5e-324 }, { "real", quirks.digits and 0.25 or 1 / 3 }, { "yes", true }, { "yes", false }, { "day", la.date(1, 1, 1) }, { "day", la.date(1969, 2, 3) }, { "day", la.date(9999, 12, 31) },
    { "clock", la.time(13, 14, 15, microsecond) }, { "moment", la.datetime(1961, 2, 3, 4, 5, 6, microsecond) }, { "moment", la.datetime(2024, 2, 29, 23, 59, 59, 1) }, { "bytes", "" }, { "bytes", "a\0b\255" }, { "bytes", ("\0\255ab"):rep(long // 4) },
    { "uuid", "123e4567-e89b-12d3-a456-426614174000" }, { "span", la.interval { days = 1, hours = 2 } },
  }
  if not quirks.decimals then cases[#cases + 1] = { "price", la.decimal "-12345678901234.123456" } end
  return cases
end

for _, database in ipairs(databases) do
  describe("ODBC to " .. database.name, function()
    local driver = find_driver(database.file)
    if not driver then
      assert(not os.getenv "CI", database.package .. " is not installed")
      pending(database.package .. " is not installed")
      return
    end
    local server, folder, engine, missing
    local t = define()

    setup(function()
      if database.server then
        server, missing = servers.start(database.server)
        folder = server and server.folder
      else
        folder = os.tmpname()
      end
      if not folder then return end
      engine = la.create_engine(database.url(driver, folder))
      t.metadata:create_all(engine)
      t.metadata:create_all(engine)
    end)
    teardown(function()
      if engine then engine:dispose() end
      if server then server:stop() elseif folder then os.remove(folder) end
    end)

    local function case(name, fn)
      it(name, function()
        if missing then return pending(missing) end
        engine:begin(function(c) c:execute(t:delete()) end)
        fn()
      end)
    end

    local function count()
      return engine:begin(function(c) return c:execute(la.select(la.func.count()):select_from(t)):scalar() end)
    end

    case("values of every type come back as they went, and NULL beside them", function()
      for _, pair in ipairs(values_for(database.quirks)) do
        local column, value = pair[1], pair[2]
        engine:begin(function(c)
          c:execute(t:delete())
          c:execute(t:insert(), { id = 1, [column] = value })
          local row = c:execute(la.select(t)):first()
          local same = row[column] == value
          assert(same, ("%s: %s came back for %s"):format(column, tostring(row[column]):sub(1, 80), tostring(value):sub(1, 80)))
          for _, other in ipairs { "big", "name", "note", "real", "price", "yes", "day", "clock", "moment", "zoned", "bytes", "uuid", "span" } do
            if other ~= column then assert.is_true(row[other] == nil or row[other] == la.null, other) end
          end
        end)
      end
    end)

    case("each NULL has its column's type", function()
      local columns, row = { "big", "name", "note", "real", "price", "yes", "day", "clock", "moment", "zoned", "bytes", "uuid", "span" }, { id = 1 }
      for _, column in ipairs(columns) do row[column] = la.null end
      engine:begin(function(c)
        c:execute(t:insert(), row)
        for _, column in ipairs(columns) do
          assert.equal(1, c:scalar(la.select(la.func.count()):select_from(t):where(t.c[column]:is_(nil))), column)
        end
      end)
    end)

    if not database.quirks.no_zone then
      case("moments with a zone are moments", function()
        engine:begin(function(c)
          c:execute(t:insert(), { id = 1, zoned = la.datetime(2024, 2, 29, 4, 5, 6, 1) })
          assert.matches("^2024%-02%-29 04:05:06%.000001%+00", tostring(c:execute(la.select(t.c.zoned)):scalar()))
        end)
      end)
    end

    case("errors have their kinds", function()
      engine:begin(function(c) c:execute(t:insert(), { id = 1, name = "a" }) end)
      world.fails("IntegrityError", function() engine:begin(function(c) c:execute(t:insert(), { id = 1 }) end) end)
      world.fails("IntegrityError", function() engine:begin(function(c) c:execute(t:insert(), { id = 2, name = "a" }) end) end)
      world.fails("ProgrammingError", function() engine:begin(function(c) c:execute(la.text "SELECT 1; SELECT 2") end) end, "second statement")
      local kind = database.name == "SQLite" and "OperationalError" or "ProgrammingError"
      world.fails(kind, function() engine:begin(function(c) c:execute(la.text "SELEC 1") end) end, "SELEC")
      world.fails(kind, function() engine:begin(function(c) c:execute(la.text "SELECT * FROM nowhere") end) end, "nowhere")
      assert.equal(1, count())
    end)

    case("transactions and savepoints are rolled back and kept", function()
      assert.is_false(pcall(function() engine:begin(function(c)
        c:execute(t:insert(), { id = 1 })
        error "back"
      end) end))
      assert.equal(0, count())
      engine:begin(function(c)
        c:execute(t:insert(), { id = 1 })
        local savepoint = c:begin_nested()
        c:execute(t:insert(), { id = 2 })
        savepoint:rollback()
        savepoint = c:begin_nested()
        c:execute(t:insert(), { id = 3 })
        savepoint:commit()
      end)
      assert.equal(2, count())
    end)

    if database.name == "PostgreSQL" then
      case("a transaction begins with its level", function()
        local c = engine:connect { isolation_level = "SERIALIZABLE" }
        local transaction = c:begin()
        assert.equal("serializable", c:execute(la.text "SHOW transaction_isolation"):scalar())
        c:execute(t:insert(), { id = 1 })
        transaction:rollback()
        c:close()
        assert.equal(0, count())
      end)
    end

    if database.name == "MariaDB" then
      -- Holds the row 2, with more done than the other has (who has done least is chosen), and waits for the row 1.
      local function rival_of(wait)
        return coroutine.wrap(function()
          local native = la.create_engine(("mariadb://spec@/spec?unix_socket=%s/mariadb.sock"):format(folder), { wait = wait })
          local c = native:connect()
          for id = 10, 30 do c:execute(t:insert(), { id = id }) end
          c:execute(t:update():where(t.c.id:eq(2)):values { big = 2 })
          coroutine.yield "holds"
          c:execute(t:update():where(t.c.id:eq(1)):values { big = 2 })
          c:rollback()
          c:close()
          native:dispose()
          return "through"
        end)
      end

      local function until_it(rival, what)
        local deadline = os.time() + 60
        while rival() ~= what do
          assert(os.time() < deadline, "the other one hangs")
          require "lualchemy.core".sleep(0.001)
        end
      end

      for _, begin in ipairs { "begin", "begin_twophase" } do
        case("who loses a deadlock has lost the whole transaction, and nothing is done before its rollback: " .. begin, function()
          engine:begin(function(c) c:execute(t:insert(), { { id = 1 }, { id = 2 } }) end)
          local rival, c = rival_of(function() coroutine.yield "waits" end), engine:connect()
          until_it(rival, "holds")
          local transaction = c[begin](c)
          c:execute(t:update():where(t.c.id:eq(1)):values { big = 1 })
          until_it(rival, "waits")
          local failure = world.fails("OperationalError", function() c:execute(t:update():where(t.c.id:eq(2)):values { big = 1 }) end)
          assert.is_true(failure.retryable)
          world.fails("PendingRollbackError", function() c:execute(t:insert(), { id = 3 }) end)
          world.fails("PendingRollbackError", function() transaction:commit() end)
          transaction:rollback()
          until_it(rival, "through")
          transaction = c[begin](c)
          c:execute(t:insert(), { id = 4 })
          transaction:commit()
          c:close()
          assert.equal(3, count())
        end)
      end

      case("sets of values of which one fails leave nothing in a transaction in two phases", function()
        for _, statement in ipairs { t:insert(), t:insert():returning(t.c.id) } do
          local c = engine:connect()
          local transaction = c:begin_twophase()
          c:execute(t:insert(), { { id = 1 }, { id = 2 } })
          world.fails("IntegrityError", function() c:execute(statement, { { id = 3 }, { id = 4 }, { id = 1 } }) end)
          local ok, rows = pcall(function() return c:scalar(la.select(la.func.count()):select_from(t)) end)
          if ok then assert.equal(2, rows) else assert.equal("PendingRollbackError", rows.kind) end
          transaction:rollback()
          assert.equal(0, count())
          transaction = c:begin_twophase()
          c:execute(t:insert(), { { id = 1 }, { id = 2 } })
          assert.is_false(pcall(c.exec_driver_sql, c, "COMMIT"))
          transaction:commit()
          c:close()
          engine:begin(function(other) assert.equal(2, other:execute(t:delete()).rowcount) end)
        end
      end)
    end

    case("changes are counted", function()
      engine:begin(function(c)
        for id = 1, 5 do c:execute(t:insert(), { id = id }) end
        assert.equal(5, c:execute(t:update():values { big = 7 }).rowcount)
        assert.equal(0, c:execute(t:delete():where(t.c.id:gt(100))).rowcount)
        assert.equal(2, c:execute(t:delete():where(t.c.id:in_ { 1, 2, 200 })).rowcount)
      end)
    end)

    case("200,000 rows come through in order", function()
      local digits = "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)"
      engine:begin(function(c)
        c:execute(la.text(("INSERT INTO odbc_values (id, big) SELECT a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d + 100000 * f.d, 7 FROM %s a, %s b, %s c, %s d, %s e, (SELECT 0 AS d UNION ALL SELECT 1) f")
          :format(digits, digits, digits, digits, digits)))
        local expected = 0
        for row in c:execute(la.select(t.c.id, t.c.big):order_by(t.c.id)) do
          assert(row.id == expected and row.big == 7, row.id)
          expected = expected + 1
        end
        assert.equal(200000, expected)
      end)
    end)

    if database.name == "PostgreSQL" then
      case("a killed session is a lost connection, and the next one works", function()
        local failure = world.fails("OperationalError", function()
          engine:begin(function(c) c:execute(la.text "SELECT pg_terminate_backend(pg_backend_pid())") end)
        end)
        assert.is_true(failure.connection_invalidated)
        assert.equal(0, count())
      end)
    end
  end)
end

describe("URLs of ODBC", function()
  it("name a driver, a data source or all of it", function()
    world.fails("ArgumentError", function() la.create_engine "mssql+odbc://u:p@h/d" end, "driver")
    world.fails("ArgumentError", function() la.create_engine "mssql+odbc://u:p@h/d?driver=x&TrustServerCertficate=yes" end, "TrustServerCertificate")
    world.fails("ArgumentError", function() la.create_engine "mssql+odbc://u:p@h/d?odbc_connect=x" end, "odbc_connect")
    world.fails("ArgumentError", function() la.create_engine "mssql+odbc://u:p@h/d?driver=x&isolation_level=none" end, "isolation_level")
    assert.is_truthy(la.create_engine "oracle+odbc://u:p@some_dsn")
    assert.is_truthy(la.create_engine "mssql+odbc://?odbc_connect=DSN%3Dx")
  end)
end)
