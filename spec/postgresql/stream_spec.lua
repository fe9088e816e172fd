-- luacheck: no max line length
-- Rows in pieces come by a cursor, so that other statements may come between them; and where no cursor can be, they come all the same.
local la = require "lualchemy"
local on_server = dofile "spec/on_server.lua"

describe("pieces from PostgreSQL", function()
  local here = on_server "postgresql"

  local function case(name, run, more)
    for _, options in ipairs { "", "&prepared_statements=false" } do
      here:case(name .. (options ~= "" and ", without names" or ""), function()
        local engine = la.create_engine(here.url .. options, more)
        local connection <close> = engine:connect()
        run(connection)
        connection:close()
        assert.equal(0, engine:pool_status().in_use)
        engine:dispose()
      end)
    end
  end

  local function numbers(connection, count, size)
    local series = la.func.generate_series(1, count):table_valued(la.column("n", la.Integer)):render_derived()
    return connection:execute(la.select(series.c.n, (series.c.n * 2):label "twice", la.func.concat("text ", series.c.n):label "said"), nil, { yield_per = size })
  end

  local function open_cursors(connection)
    return connection:scalar(la.text "SELECT count(*) FROM pg_cursors WHERE name LIKE 'alch%'")
  end

  case("are asked for one after the other, and closed when they are read or left", function(c)
    assert.equal(0, open_cursors(c))
    local result = numbers(c, 7, 3)
    assert.equal(1, result:fetchone().n)
    assert.equal(1, open_cursors(c))
    local sum = 1
    for row in result do
      sum = sum + row.n
      assert.same({ row.n * 2, "text " .. row.n }, { row.twice, row.said })
    end
    assert.equal(28, sum)
    assert.equal(0, open_cursors(c))
    for _, count in ipairs { 0, 1, 3, 6 } do assert.equal(count, #numbers(c, count, 3):all()) end
    local left = numbers(c, 7, 3)
    left:fetchone()
    left:close()
    assert.equal(0, open_cursors(c))
  end)

  case("leave no table in use", function(c)
    c:exec_driver_sql "CREATE TEMPORARY TABLE passing AS SELECT n FROM generate_series(1, 100) n"
    local result = c:execute(la.text "SELECT n FROM passing", nil, { yield_per = 10 })
    result:fetchone()
    result:close()
    c:exec_driver_sql "DROP TABLE passing"
    c:rollback()
  end)

  case("come to several at a time, with writes between them", function(c)
    c:exec_driver_sql "CREATE TEMPORARY TABLE written (n integer)"
    local one, other = numbers(c, 100, 10), numbers(c, 100, 7)
    for i = 1, 100 do
      assert.same({ i, i }, { one:fetchone().n, other:fetchone().n })
      c:execute(la.text "INSERT INTO written VALUES (:n)", { n = i })
    end
    assert.is_nil(one:fetchone())
    assert.equal(100, c:scalar(la.text "SELECT count(*) FROM written"))
    c:rollback()
  end)

  case("end with their transaction, and are not in the way of the next", function(c)
    for _, ending in ipairs { "commit", "rollback" } do
      local result = numbers(c, 30, 10)
      result:fetchone()
      c[ending](c)
      for _ = 2, 10 do result:fetchone() end
      local ok, failure = pcall(result.fetchone, result)
      assert.is_false(ok)
      assert.equal("ResourceClosedError", failure.kind)
      result:close()
      assert.equal(30, #numbers(c, 30, 10):all())
      assert.equal(0, open_cursors(c))
      c:rollback()
    end
  end)

  case("outlive a rollback to a savepoint behind them, and not one before", function(c)
    local outer = numbers(c, 30, 10)
    outer:fetchone()
    local savepoint = c:begin_nested()
    local inner = numbers(c, 30, 10)
    inner:fetchone()
    savepoint:rollback()
    assert.equal(29, #outer:all())
    inner:close()
    assert.equal(1, c:scalar(la.text "SELECT 1"))
    savepoint = c:begin_nested()
    local failing = c:execute(la.select(la.literal_column "1 / (25 - n)":label "x"):select_from(la.text "generate_series(1, 30) n"), nil, { yield_per = 10 })
    local rows = 0
    local ok, failure = pcall(function()
      for _ in failing do rows = rows + 1 end
    end)
    assert.is_false(ok)
    assert.same({ "22012", 20 }, { failure.sqlstate, rows })
    savepoint:rollback()
    assert.equal(30, #numbers(c, 30, 10):all())
    c:commit()
  end)

  case("of what cannot be declared come as well", function(c)
    c:exec_driver_sql "CREATE TEMPORARY TABLE things AS SELECT n FROM generate_series(1, 20) n"
    local function count(sql) return #c:execute(la.text(sql), nil, { yield_per = 3 }):all() end
    assert.equal(20, count "WITH gone AS (DELETE FROM things WHERE n > 10 RETURNING n) SELECT n FROM gone UNION ALL SELECT n + 100 FROM things WHERE n <= 10")
    assert.equal(10, count "SELECT n FROM things FOR UPDATE")
    assert.equal(10, count "SELECT n FROM things FOR SHARE")
    assert.equal(2, count "VALUES (1), (2)")
    assert.equal(10, count "TABLE things")
    assert.equal(4, count "WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 4) SELECT n FROM s")
    c:rollback()
  end)

  case("need no transaction", function(c)
    assert.equal(30, #numbers(c, 30, 10):all())
    assert.equal(0, open_cursors(c))
    local result = numbers(c, 30, 10)
    assert.equal(1, result:fetchone().n)
    assert.equal(5, c:scalar(la.text "SELECT 5"))
    assert.equal(29, #result:all())
  end, { isolation_level = "AUTOCOMMIT" })

  case("show columns that have changed", function(c)
    c:exec_driver_sql "CREATE TEMPORARY TABLE changing AS SELECT n FROM generate_series(1, 9) n"
    local query = la.text "SELECT n FROM changing ORDER BY n"
    assert.equal(9, #c:execute(query, nil, { yield_per = 4 }):all())
    c:exec_driver_sql "ALTER TABLE changing ALTER COLUMN n TYPE text USING 'n' || n"
    assert.equal("n1", c:execute(query, nil, { yield_per = 4 }):first()[1])
    c:rollback()
  end)
end)
