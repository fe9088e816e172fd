-- luacheck: no max line length
-- Rows in one stream: into a table, from lists and iterators, and what is said of the row that does not go.
local la = require "lualchemy"
local core = require "lualchemy.core"
local postgresql = dofile "spec/postgresql/world.lua"
local pg = la.postgresql

describe("rows in one stream", function()
  local engine, connection, metadata
  local here = postgresql(function(...) engine, connection, metadata = ... end)

  local function people()
    return here.create { nil, nil, la.Column { "id", la.Integer, primary_key = true }, la.Column { "name", la.String(20), nullable = false },
      la.Column { "score", la.Double }, la.Column { "size", la.Integer, default = function() return 7 end },
      la.Column { "kind", la.String(3), default = "abc" }, la.Column { "made", la.Integer, server_default = "5" } }
  end

  local function rows_of(things, ...)
    local list = {}
    for i, row in ipairs(connection:execute(la.select(...):order_by(things.c.id)):all()) do list[i] = tostring(row) end
    return list
  end

  local function failure_of(...)
    local ok, failure = pcall(connection.copy_from, connection, ...)
    assert.is_false(ok)
    return failure
  end

  here:case("is refused as a statement, with what to write instead", function()
    for _, sql in ipairs { "COPY pg_class TO STDOUT", "COPY pg_class FROM STDIN" } do
      local own = engine:connect()
      local ok, failure = pcall(own.exec_driver_sql, own, sql)
      assert.is_false(ok)
      assert.equal("NotSupportedError", failure.kind)
      assert.truthy(failure.message:find("use copy_from and copy_to", 1, true), failure.message)
      assert.is_true(own.invalidated)
      own:close()
    end
    assert.equal(7, connection:exec_driver_sql("SELECT 7"):scalar())
  end)

  here:case("takes lists of values, maps of names, iterators and results", function()
    local things = people()
    assert.equal(2, connection:copy_from(things, { { 1, "a", 0.5, 1, "x", 1 }, { 2, "b" } }))
    assert.equal(2, connection:copy_from(things, { { id = 3, name = "c" }, { name = "d", id = 4 } }))
    local next_id = 4
    assert.equal(3, connection:copy_from(things, function()
      next_id = next_id + 1
      if next_id <= 7 then return { next_id, "n" .. next_id } end
    end, { columns = { "id", things.c.name } }))
    assert.equal(1, connection:copy_from(things, { { id = 8, name = "e" } }, { columns = { "id", "name", "score" } }))
    assert.equal(0, connection:copy_from(things, {}))
    assert.equal(0, connection:copy_from(things, function() end))
    assert.same({ "(1, 'a', 0.5, 1, 'x', 1)", "(2, 'b', nil, nil, nil, nil)", "(3, 'c', nil, 7, 'abc', 5)", "(4, 'd', nil, 7, 'abc', 5)",
      "(5, 'n5', nil, 7, 'abc', 5)", "(6, 'n6', nil, 7, 'abc', 5)", "(7, 'n7', nil, 7, 'abc', 5)", "(8, 'e', nil, 7, 'abc', 5)" },
      rows_of(things, things.c.id, things.c.name, things.c.score, things.c.size, things.c.kind, things.c.made))
    local others = la.Table { "others", metadata, la.Column { "id", la.Integer, primary_key = true }, la.Column { "name", la.String(20) } }
    metadata:create_all(connection)
    connection:commit()
    local source <close> = engine:connect()
    assert.equal(8, connection:copy_from(others, connection:execute(la.select(things.c.name, things.c.id)):all()))
    connection:execute(others:delete():where(others.c.id:gt(0)))
    assert.equal(8, connection:copy_from(others, source:execute(la.select(things.c.name, things.c.id))))
    assert.equal("n6", connection:scalar(la.select(others.c.name):where(others.c.id:eq(6))))
  end)

  local values = {
    { "small", la.SmallInteger, { -32768, 32767 } }, { "big", la.BigInteger, { math.mininteger, math.maxinteger } },
    { "double", la.Double, { 0.1, -1e308, 5e-324, math.huge, 3 } }, { "real", la.Float(24), { 0.5, -2.25 } },
    { "numeric", la.Numeric(38, 10), { "1234567890123456789012345678.0123456789", "-0.0000000001", "0", "10000", "0.00010000" } },
    { "flag", la.Boolean, { true, false } }, { "word", la.String(40), { "", "Zoë 😀", "a'b\\\t\n" } }, { "long", la.Text, { ("é"):rep(70000) } },
    { "data", la.LargeBinary, { "", "\0\255\1", ("\0"):rep(100000) } }, { "born", la.Date, { "0001-01-01", "1969-12-31", "9999-12-31" } },
    { "clock", la.Time, { "00:00:00", "23:59:59.999999" } },
    { "seen", la.DateTime, { "0001-01-01 00:00:00", "1969-12-31 23:59:59.999999", "9999-12-31 23:59:59.999999" } },
    { "moment", la.DateTime { timezone = true }, { "2024-02-29 12:00:00+00:00" } },
    { "span", la.Interval, { "1 day 02:03:04.500000", "-1 days -00:00:00.000001" } },
    { "id_of", la.Uuid, { "550e8400-e29b-41d4-a716-446655440000" } }, { "kind", la.Enum { "a", "b", name = "kinds" }, { "a", "b" } },
    { "json", la.JSON, { { a = { 1, 2 } }, "x", 3 } }, { "jsonb", pg.JSONB, { { 1, 2 }, true } },
    { "address", pg.INET, { "10.1.2.3", "10.0.0.0/8", "::1", "2001:db8::/32" } }, { "net", pg.CIDR, { "10.0.0.0/8", "2001:db8::/32" } },
    { "card", pg.MACADDR, { "08:00:2b:01:02:03" } }, { "bits", pg.BIT { varying = true }, { "", "1", "10110011101" } },
    { "range", pg.INT4RANGE, { "[1,5)", "empty", "(,)", "[7,)" } }, { "times", pg.TSRANGE, { [=[["2024-01-01 00:00:00","2024-02-01 12:30:00")]=] } },
    { "prices", pg.NUMRANGE, { "(1.5,2.25]" } }, { "many", pg.INT4MULTIRANGE, { "{[1,5),[7,9)}", "{}" } },
    { "numbers", la.ARRAY(la.Integer), { { 1, 2, 3 }, {}, { 1, la.null, 3 } } }, { "square", la.ARRAY { la.BigInteger, dimensions = 2 }, { { { 1, 2 }, { 3, 4 } } } },
    { "words", la.ARRAY(la.String), { { "a b", "", "NULL", 'q"\\,{}' } } }, { "truths", la.ARRAY(la.Boolean), { { true, false } } },
    { "kinds", la.ARRAY(la.Enum { "a", "b", name = "kinds" }), { { "a", "b" } } }, { "doubles", la.ARRAY(la.Double), { { 0.1, 1e300, -5.0 } } },
  }

  local function shown(value)
    if type(value) ~= "table" then return tostring(value) end
    local parts = {}
    for key, one in pairs(value) do parts[#parts + 1] = tostring(key) .. "=" .. shown(one) end
    table.sort(parts)
    return "{" .. table.concat(parts, ",") .. "}"
  end

  -- With a column of a type that has no binary form here everything goes as text.
  for _, other in ipairs { "binary", "text" } do
    here:case("writes what an INSERT writes, of every type, as " .. other, function()
      local list = { "things", metadata, la.Column { "id", la.Integer, primary_key = true } }
      if other == "text" then list[#list + 1] = la.Column { "vector", pg.TSVECTOR } end
      for _, one in ipairs(values) do list[#list + 1] = la.Column { one[1], one[2] } end
      local things = here.create(list)
      local rows = {}
      for _, one in ipairs(values) do
        for _, value in ipairs(one[3]) do rows[#rows + 1] = { id = #rows + 1, [one[1]] = value, vector = other == "text" and "a:1" or nil } end
      end
      local heard
      la.event.listen(engine, "before_execute", function(_, what) heard = what.statement end)
      local columns = { "id" }
      for _, one in ipairs(values) do columns[#columns + 1] = one[1] end
      if other == "text" then columns[#columns + 1] = "vector" end
      connection:copy_from(things, rows, { columns = columns })
      assert.equal(other == "binary", heard:find("FORMAT binary", 1, true) ~= nil, heard)
      for _, row in ipairs(rows) do row.id = row.id + 1000 connection:execute(things:insert(), row) end
      for i, row in ipairs(rows) do
        for name in pairs(row) do
          if name ~= "id" and name ~= "vector" then
            local column = things.c[name]
            local copied = connection:scalar(la.select(column):where(things.c.id:eq(i)))
            local inserted = connection:scalar(la.select(column):where(things.c.id:eq(i + 1000)))
            assert.equal(shown(inserted), shown(copied), name)
          end
        end
      end
    end)
  end

  here:case("takes texts for columns of every type, which the server would read in the same way", function()
    local texts = {
      smallint = { "7", "-32768" }, bigint = { "42", "-9223372036854775808" }, oid = { "4294967295" }, boolean = { "yes", "f", "TRUE", "0" },
      ["double precision"] = { "0.1", "-Infinity", "NaN", "1e-300" }, real = { "0.25", "infinity" }, numeric = { "-12.340", "0.00001", "120000", "NaN", "-0.5" },
      date = { "2024-02-29", "infinity", "-Infinity" }, timestamp = { "2024-02-29 12:00:00.5", "infinity", "-infinity" },
      timestamptz = { "2024-02-29 12:00:00+02:00", "2024-02-29 12:00:00-11:30", "infinity", "-infinity" }, time = { "12:34:56.789012" },
      interval = { "1 day 02:03:04.5", "-3 days" }, bytea = { "\\x00fF", "\\x" }, uuid = { "550E8400-e29b-41d4-a716-446655440000" },
      macaddr = { "08:00:2b:01:02:03", "0800-2b01-0203" }, macaddr8 = { "08:00:2b:01:02:03:04:05" }, varbit = { "101", "" }, jsonb = { '{"a": [1]}' },
      inet = { "10.1.2.3/8", "::1" }, cidr = { "10.0.0.0/8" }, int4range = { "[1,5)" }, daterange = { "[2024-01-01,2024-02-01)" },
    }
    local counted = 0
    for type, list in pairs(texts) do
      counted = counted + 1
      connection:exec_driver_sql(("CREATE TABLE copied%d (id integer, value %s)"):format(counted, type))
      local copied = la.Table { "copied" .. counted, la.MetaData(), la.Column { "id", la.Integer }, la.Column { "value", la.Text } }
      local rows = {}
      for i, text in ipairs(list) do rows[i] = { i, text } end
      connection:copy_from(copied, rows)
      for i, text in ipairs(list) do
        local query = ("SELECT value::text, '%s'::%s::text FROM copied%d WHERE id = %d"):format(text, type, counted, i)
        local row = connection:exec_driver_sql(query):one()
        assert.equal(row[2], row[1], type)
      end
    end
  end)

  here:case("says which row does not go, and leaves nothing written", function()
    local things = people()
    connection:copy_from(things, { { 1, "a" } })
    connection:commit()
    local function check(kind, row, column, rows)
      local failure = failure_of(things, rows)
      assert.equal(kind, failure.kind, tostring(failure))
      assert.equal(row, failure.row, tostring(failure))
      if column then assert.equal(column, failure.column, tostring(failure)) end
      assert.truthy(failure.message:find("^row " .. row .. ": "), failure.message)
      connection:rollback()
      assert.equal(1, connection:scalar(la.select(la.func.count()):select_from(things)))
      connection:rollback()
    end
    local rows = {}
    for i = 1, 5000 do rows[i] = { i + 1, "n" .. i } end
    rows[4000][1] = 1
    check("IntegrityError", 4000, nil, rows)
    rows[4000] = { 4001, ("x"):rep(21) }
    check("DataError", 4000, "name", rows)
    check("IntegrityError", 2, "name", { { 2, "b" }, { 3 } })
    check("DataError", 2, "id", { { 2, "b" }, { 1 << 40, "c" } })
    check("DataError", 3, "score", { { 2, "b" }, { 3, "c" }, { 4, "d", "much" } })
    check("DataError", 2, "name", { { 2, "b" }, { 3, "a\0b" } })
    assert.truthy(failure_of(things, { { 2, "a\0b" } }).message:find("zero byte", 1, true))
    connection:rollback()
    check("DataError", 1, "name", { { 2, "\255" } })
    check("ArgumentError", 2, nil, { { 2, "b" }, { 3, "c", 1, 2, "d", 6, 7 } })
    check("StatementError", 2, nil, { { id = 2, name = "b" }, { id = 3 } })
    check("ArgumentError", 2, nil, { { id = 2, name = "b" }, { id = 3, name = "c", score = 1 } })
    check("ArgumentError", 2, nil, { { 2, "b" }, { id = 3, name = "c" } })
    check("NoSuchColumnError", 2, nil, { { id = 2, name = "b" }, { id = 3, name = "c", nam = 1 } })
    check("ArgumentError", 2, nil, { { 2, "b" }, "row" })
    assert.equal("ProgrammingError", failure_of(la.Table { "nowhere", metadata, la.Column { "id", la.Integer } }, { { 1 } }).kind)
  end)

  here:case("ends with the error that the iterator throws", function()
    local things = people()
    local thrown, n = { "mine" }, 0
    local function rows()
      n = n + 1
      if n > 20000 then error(thrown) end
      return { n, "n" .. n }
    end
    assert.equal(thrown, failure_of(things, rows))
    local ok, failure = pcall(connection.scalar, connection, la.select(la.func.count()):select_from(things))
    assert.is_false(ok)   -- the transaction has failed
    assert.equal("25P02", failure.sqlstate)
    connection:rollback()
    connection:copy_from(things, { { 1, "kept" } })
    assert.equal(thrown, select(2, pcall(connection.begin_nested, connection, function() connection:copy_from(things, rows) end)))
    assert.equal("kept", connection:scalar(la.select(things.c.name)))
    connection:rollback()
  end)

  here:case("is all that its connection does meanwhile", function()
    local things = people()
    local n, refused = 0, nil
    connection:copy_from(things, function()
      n = n + 1
      if n == 2 then refused = select(2, pcall(connection.exec_driver_sql, connection, "SELECT 1")) end
      if n < 4 then return { n, "n" } end
    end)
    assert.equal("InvalidRequestError", refused.kind)
    assert.equal(3, connection:scalar(la.select(la.func.count()):select_from(things)))
    local failure = failure_of(things, function() connection:close() return { 1, "x" } end)
    assert.equal("ResourceClosedError", failure.kind)
    connection = engine:connect()
    assert.equal(0, connection:scalar(la.select(la.func.count()):select_from(things)))
  end)

  here:case("goes in coroutines, whose iterators may wait as well", function()
    local things = people()
    local waits, pulled = 0, 0
    la.set_wait(function() waits = waits + 1 coroutine.yield "wait" end)
    local text = ("x"):rep(18)
    local thread = coroutine.create(function()
      return connection:copy_from(things, function()
        pulled = pulled + 1
        if pulled % 10000 == 0 then coroutine.yield "row" end
        if pulled <= 200000 then return { pulled, text } end
      end)
    end)
    local heard, count = {}, nil
    repeat
      local _, what = assert(coroutine.resume(thread))
      if coroutine.status(thread) == "dead" then count = what else heard[what] = (heard[what] or 0) + 1 end
    until count
    la.set_wait(nil)
    assert.equal(200000, count)
    assert.equal(20, heard.row)
    assert.is_true(heard.wait > 5)
  end)

  here:case("given up in the middle leaves its connection whole", function()
    local things = people()
    coroutine.wrap(function()
      connection:copy_from(things, function() coroutine.yield() return { 1, "x" } end)
    end)()
    collectgarbage()
    collectgarbage()
    connection:rollback()
    assert.equal(0, connection:scalar(la.select(la.func.count()):select_from(things)))
  end)

  here:case("needs little memory for many rows", function()
    local things = people()
    collectgarbage()
    local before, most, n = collectgarbage "count", 0, 0
    connection:copy_from(things, function()
      n = n + 1
      if n % 20000 == 0 then collectgarbage() most = math.max(most, collectgarbage "count") end
      if n <= 300000 then return { n, "name" } end
    end)
    assert.is_true(most - before < 2048, ("%.0f KB"):format(most - before))
  end)

  here:case("takes text that the database reads", function()
    local things = people()
    assert.equal(2, connection:copy_from(things, "id,name\n20,hello\n21,\"x,y\"\n", { format = "csv", header = true, columns = { "id", "name" } }))
    local pieces = { "22;on", "e\n23;tw", "o\n" }
    local n = 0
    assert.equal(2, connection:copy_from(things, function() n = n + 1 return pieces[n] end, { format = "text", delimiter = ";", columns = { "id", "name" } }))
    assert.same({ "(20, 'hello')", "(21, 'x,y')", "(22, 'one')", "(23, 'two')" }, rows_of(things, things.c.id, things.c.name))
    local failure = failure_of(things, "a,b\n", { format = "csv", columns = { "id", "name" } })
    assert.equal("DataError", failure.kind)
    assert.equal(1, failure.row)
  end)

  here:case("is refused where it has no sense", function()
    local things = here.create { nil, nil, la.Column { "id", la.Integer, primary_key = true }, la.Column { "at", la.DateTime, default = la.func.now() },
      la.Column { "twice", la.Integer, la.Computed { "id * 2", persisted = true } } }
    local failure = failure_of(things, { { id = 1 } })
    assert.equal("NotSupportedError", failure.kind)
    assert.truthy(failure.message:find("server_default", 1, true))
    assert.equal(1, connection:copy_from(things, { { 1, "2024-01-01 00:00:00" } }))
    assert.error_matches(function() connection:copy_from(things, 7) end, "list of rows, or a function")
    assert.error_matches(function() connection:copy_from("things", {}) end, "a table or a model")
    assert.error_matches(function() connection:copy_from(things, {}, { colums = {} }) end, "nearest is 'columns'")
    assert.error_matches(function() connection:copy_from(things, {}, { header = true }) end, "goes with format")
    assert.error_matches(function() connection:copy_from(things, "", { format = "xml" }) end, "csv")
    local reading <close> = engine:connect { read_only = true }
    assert.error_matches(function() reading:copy_from(things, { { 1 } }) end, "read only")
  end)

  here:case("is an executemany where the database has nothing like it", function()
    local lite = la.create_engine "sqlite://"
    local other = la.MetaData()
    local things = la.Table { "things", other, la.Column { "id", la.Integer, primary_key = true }, la.Column { "name", la.String, nullable = false } }
    local c <close> = lite:connect()
    other:create_all(c)
    local n = 0
    assert.equal(2500, c:copy_from(things, function() n = n + 1 if n <= 2500 then return { n, "n" .. n } end end))
    assert.equal(1, c:copy_from(things, { { name = "x" } }))
    assert.equal(2501, c:scalar(la.select(la.func.count()):select_from(things)))
    local loose = la.Table { "loose", other, la.Column { "id", la.Integer, primary_key = true }, la.Column { "note", la.Text } }
    loose:create(c)
    assert.equal(2, c:copy_from(loose, { { 1 }, { 2, "b" } }))
    assert.equal(2, c:copy_from(loose, { { id = 3 }, { id = 4, note = "d" } }, { columns = { "id", "note" } }))
    local said = {}
    for row in c:execute(la.select(loose):order_by(loose.c.id)) do said[row.id] = row.note or "none" end
    assert.same({ "none", "b", "none", "d" }, said)
    c:commit()
    local ok, failure = pcall(c.copy_from, c, things, { { 9000, "a" }, { 1, "b" } })
    assert.is_false(ok)
    c:rollback()
    assert.equal("IntegrityError", failure.kind)
    assert.truthy(failure.message:find("^rows 1 to 2: "))
    assert.error_matches(function() c:copy_from(things, "1,a", { format = "csv" }) end, "sqlite does not")
    assert.error_matches(function() c:copy_to(things, { format = "csv" }) end, "sqlite does not")
    local count = 0
    for _ in c:copy_to(things) do count = count + 1 end
    assert.equal(2501, count)
    assert.is_true(core.is_error(failure))
  end)

  here:case("come out as a select gives them", function()
    local list = { "things", metadata, la.Column { "id", la.Integer, primary_key = true } }
    for _, one in ipairs(values) do list[#list + 1] = la.Column { one[1], one[2] } end
    local things = la.Table(list)
    metadata:create_all(connection)
    local key = 0
    for _, one in ipairs(values) do
      for _, value in ipairs(one[3]) do
        key = key + 1
        connection:execute(things:insert(), { id = key, [one[1]] = value })
      end
    end
    local all = la.select(things):order_by(things.c.id)
    local other = la.select(things, la.cast(la.literal "a:1", pg.TSVECTOR):label "vector"):order_by(things.c.id)
    local expected = connection:execute(all):all()
    for _, query in ipairs { all, other } do   -- in binary; and as text, for a type without
      local count = 0
      for row in connection:copy_to(query) do
        count = count + 1
        for _, one in ipairs(values) do assert.equal(shown(expected[count][one[1]]), shown(row[one[1]]), one[1]) end
      end
      assert.equal(key, count)
    end
    local read = connection:copy_to(la.select(things.c.id):where(things.c.id:in_ { 1, 3 }, things.c.id:gt(1))):scalars():all()
    assert.same({ 3 }, read)
  end)

  local function numbers(count, more)
    return la.text(("SELECT i AS n, 'row ' || i AS word%s FROM generate_series(1, %d) AS g(i)"):format(more or "", count))
  end

  here:case("come out with little memory, and give way when they are not wanted", function()
    collectgarbage()
    local before, most, n = collectgarbage "count", 0, 0
    for row in connection:copy_to(numbers(300000)) do
      n = n + 1
      if n % 20000 == 0 then collectgarbage() most = math.max(most, collectgarbage "count") end
      if n == 300000 then assert.equal("row 300000", row.word) end
    end
    assert.equal(300000, n)
    assert.is_true(most - before < 2048, ("%.0f KB"):format(most - before))
    local result = connection:copy_to(numbers(100000))
    assert.equal(1, result:fetchone().n)
    local ok, failure = pcall(connection.exec_driver_sql, connection, "SELECT 1")
    assert.is_false(ok)
    assert.equal("InvalidRequestError", failure.kind)
    result:close()
    assert.equal(1, connection:exec_driver_sql("SELECT 1"):scalar())
    connection:copy_to(numbers(100000)):fetchone()
    connection:close()   -- the pool gets it whole
    connection = engine:connect()
    assert.equal(1, connection:exec_driver_sql("SELECT 1"):scalar())
    assert.equal(1, engine:pool_status().in_use)
  end)

  here:case("end with the server's error", function()
    local n = 0
    local ok, failure = pcall(function()
      for _ in connection:copy_to(numbers(20000, ", 1 / (i - 10000)")) do n = n + 1 end
    end)
    assert.is_false(ok)
    assert.equal("22012", failure.sqlstate)
    assert.is_true(n > 0 and n < 10000, tostring(n))
    connection:rollback()
    assert.error_matches(function() connection:copy_to(la.text "SELECT 1/0") end, "division by zero")
    connection:rollback()
    assert.error_matches(function() connection:copy_to(la.text "CREATE TABLE x (a int)") end, "copied out of a query")
    connection:rollback()
    assert.error_matches(function() connection:copy_to "things" end, "a table, a model or a select")
    assert.equal(1, connection:exec_driver_sql("SELECT 1"):scalar())
  end)

  here:case("come out as lines of text", function()
    local things = people()
    connection:copy_from(things, { { 1, "a,b" }, { 2, "c:d" } }, { columns = { "id", "name" } })
    local query = la.select(things.c.id, things.c.name):where(things.c.name:in_ { "a,b", "c:d", "x\\:y" }):order_by(things.c.id)
    assert.equal('id,name\n1,"a,b"\n2,c:d\n', table.concat(connection:copy_to(query, { format = "csv", header = true }):all()))
    assert.equal("a,b\nc:d\n", table.concat(connection:copy_to(la.select(things.c.name):order_by(things.c.id), { format = "text" }):all()))
    local source <close> = engine:connect()
    connection:commit()
    connection:execute(things:delete():where(things.c.id:gt(0)))
    assert.equal(2, connection:copy_from(things, source:copy_to(query, { format = "csv" }), { format = "csv", columns = { "id", "name" } }))
  end)

  here:case("yield where others would wait", function()
    local waits = 0
    la.set_wait(function() waits = waits + 1 coroutine.yield() end)
    local count
    local thread = coroutine.create(function()
      local n = 0
      for _ in connection:copy_to(numbers(1000, ", pg_sleep(0.0001)")) do n = n + 1 end
      return n
    end)
    repeat count = select(2, assert(coroutine.resume(thread))) until coroutine.status(thread) == "dead"
    la.set_wait(nil)
    assert.equal(1000, count)
    assert.is_true(waits > 2)
  end)

  -- run(next_number) fails in this way before the last of five million rows: next_number() is nil behind it. The error.
  local most = 5000000
  local function ends_early(sqlstate, run)
    local n = 0
    local ok, failure = pcall(run, function()
      n = n + 1
      if n <= most then return n end
    end)
    assert.is_false(ok)
    assert.equal(sqlstate, failure.sqlstate)
    assert.is_true(n < most, tostring(n))
    connection:rollback()
    return failure
  end

  here:case("stop at the first row that the server refuses, and not at the last", function()
    local things = people()
    local failure = ends_early("23505", function(next_number)
      connection:copy_from(things, function()
        local n = next_number()
        if n then return { n % 100, "name" } end
      end)
    end)
    assert.equal(101, failure.row)
    assert.truthy(failure.statement:find "^COPY things", failure.statement)
    ends_early("23505", function(next_number)
      connection:copy_from(things, function()
        local n = next_number()
        if n then return n % 100 .. ",name\n" end
      end, { format = "csv", columns = { "id", "name" } })
    end)
    assert.equal(0, connection:scalar(la.select(la.func.count()):select_from(things)))
  end)

  here:case("hear what triggers say meanwhile, and go on", function()
    local things = people()
    connection:exec_driver_sql "CREATE FUNCTION say() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '% %', NEW.id, repeat('E', 3000); RETURN NEW; END $$"
    connection:exec_driver_sql "CREATE TRIGGER say BEFORE INSERT ON things FOR EACH ROW EXECUTE FUNCTION say()"
    connection:commit()
    local n = 0
    assert.equal(4000, connection:copy_from(things, function()
      n = n + 1
      if n <= 4000 then return { n, "name" } end
    end))
    connection:rollback()
    metadata:drop_all(connection)
    connection:exec_driver_sql "DROP FUNCTION say()"
  end)

  here:case("end when somebody interrupts them, in either direction", function()
    local things = people()
    ends_early("57014", function(next_number)
      connection:copy_from(things, function()
        local n = next_number()
        if n == 1000 then connection:interrupt() end
        if n then return { n, "name" } end
      end)
    end)
    ends_early("57014", function(next_number)
      for _ in connection:copy_to(numbers(most)) do
        if next_number() == 1000 then connection:interrupt() end
      end
    end)
    assert.equal(0, connection:scalar(la.select(la.func.count()):select_from(things)))
  end)

  here:case("leave a whole connection when their coroutine is cancelled or forgotten while it waits, in either direction", function()
    local things = people()
    local text = ("x"):rep(20)
    local works = {
      function()
        local n = 0
        return connection:copy_from(things, function() n = n + 1 return { n, text } end)
      end,
      function() for _ in connection:copy_to(numbers(200000)) do end end,
    }
    for _, work in ipairs(works) do
      for _, cancelled in ipairs { true, false } do
        local amid = 0   -- a server that is quicker than we are all the time lets us wait for the first answer alone
        for after = 1, 4 do
          local waits = 0
          la.set_wait(function()
            waits = waits + 1
            if waits == after then coroutine.yield "there" end
            if waits > after then error "cancelled" end
            coroutine.yield "before"
          end)
          do
            local thread = coroutine.create(work)
            local said
            repeat said = select(2, assert(coroutine.resume(thread))) until said == "there" or coroutine.status(thread) == "dead"
            if said == "there" then amid = amid + 1 end
            -- the wait that it is in ends, and the next one does not
            repeat until not cancelled or not coroutine.resume(thread)
          end
          la.set_wait(nil)
          collectgarbage()
          collectgarbage()
          connection:rollback()
          assert.equal(0, connection:scalar(la.select(la.func.count()):select_from(things)))
          connection:rollback()
        end
        assert(amid > 0, "it never waited")
      end
    end
    assert.equal(1, engine:pool_status().in_use)
  end)

  here:case("end when the server goes away, in either direction", function()
    local things = people()
    local killer <close> = engine:connect()
    local function kill(id) killer:exec_driver_sql("SELECT pg_terminate_backend(?::integer)", { id }):all() killer:rollback() end
    local id = connection:exec_driver_sql("SELECT pg_backend_pid()"):scalar()
    local n = 0
    local failure = failure_of(things, function()
      n = n + 1
      if n == 100 then kill(id) end
      if n < 1000000 then return { n, "name" } end
    end)
    assert.equal("OperationalError", failure.kind, tostring(failure))
    assert.is_true(failure.connection_invalidated or connection.invalidated)
    connection:close()
    connection = engine:connect()
    id = connection:exec_driver_sql("SELECT pg_backend_pid()"):scalar()
    n = 0
    local ok
    ok, failure = pcall(function()
      for _ in connection:copy_to(numbers(3000000)) do
        n = n + 1
        if n == 10 then kill(id) end
      end
    end)
    assert.is_false(ok)
    assert.equal("OperationalError", failure.kind, tostring(failure))
    connection:close()
    connection = engine:connect()
    assert.equal(0, connection:scalar(la.select(la.func.count()):select_from(things)))
  end)
end)
