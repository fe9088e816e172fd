-- luacheck: no max line length
-- Connections to a real server: many sets of values, values of every type, and what is refused.
local la = require "lualchemy"
local postgresql = dofile "spec/postgresql/world.lua"

describe("a PostgreSQL connection", function()
  local connection, metadata
  local here = postgresql(function(_, ...) connection, metadata = ... end)

  here:case("takes many sets of values at once", function()
    local things = here.create { nil, nil, la.Column { "id", la.Integer, primary_key = true }, la.Column { "name", la.String(20) },
      la.Column { "size", la.Integer, default = function() return 7 end } }
    local sets = {}
    for i = 1, 3500 do sets[i] = { name = "n" .. i } end
    assert.equal(3500, connection:execute(things:insert(), sets).rowcount)
    local count = 0
    for row in connection:execute(things:insert():returning(things.c.id, things.c.name), sets) do
      count = count + 1
      assert.equal("n" .. count, row.name)
    end
    assert.equal(3500, count)
    assert.equal(49000, connection:scalar(la.select(la.func.sum(things.c.size))))
    local update = things:update():where(things.c.id:eq(la.bindparam "key")):values { name = la.bindparam "word" }
    assert.equal(2, connection:execute(update, { { key = 1, word = "a" }, { key = 2, word = "b" }, { key = -1, word = "c" } }).rowcount)
    connection:commit()
    sets[3000].name = ("x"):rep(21)
    local ok, failure = pcall(connection.execute, connection, things:insert(), sets)
    assert.is_false(ok)
    assert.equal("DataError", failure.kind)
    connection:rollback()
    assert.equal(7000, connection:scalar(la.select(la.func.count()):select_from(things)))
  end)

  here:case("reads in pieces where options say so: a statement's, an execution's, a connection's", function()
    local numbers = la.text "SELECT n FROM generate_series(1, 1000) n"
    local in_pieces = numbers:execution_options { yield_per = 2 }
    local function cursors(statement, options)
      local result = connection:execute(statement, nil, options)
      assert.equal(1, result:fetchone().n)
      -- in two parts, so that it does not find itself
      local open = connection:exec_driver_sql("SELECT count(*) FROM pg_cursors WHERE name <> '' AND statement LIKE '%generate' || '_series%'"):scalar()
      assert.equal(999, #result:all())
      connection:rollback()
      return open
    end
    assert.equal(0, cursors(numbers))
    assert.equal(1, cursors(in_pieces))
    assert.equal(1, cursors(numbers, { yield_per = 2 }))
    assert.equal(1, cursors(numbers:execution_options { stream_results = true }))
    connection:execution_options { yield_per = 2 }
    assert.equal(1, cursors(numbers))
  end)

  here:case("tells the key of the row that was inserted", function()
    local things = here.create { nil, nil, la.Column { "id", la.Integer, primary_key = true }, la.Column { "name", la.String(20), unique = true } }
    local result = connection:execute(things:insert(), { name = "a" })
    assert.same({ 1, id = 1 }, result.inserted_primary_key)
    assert.equal(1, result.rowcount)
    assert.is_false(result.returns_rows)
    assert.same({ 9, id = 9 }, connection:execute(things:insert():values { id = 9, name = "b" }).inserted_primary_key)
    assert.same({ 2, id = 2 }, connection:execute(things:insert():values { name = "c" }).inserted_primary_key)
    local nothing = things:insert():values { name = "c" }:on_conflict_do_nothing()
    assert.same({}, connection:execute(nothing).inserted_primary_key)
    assert.equal(3, connection:scalar(la.select(la.func.count()):select_from(things)))
  end)

  local values = {
    { "small", la.SmallInteger, { -32768, 32767 } }, { "int", la.Integer, { -2147483648, 0, 2147483647 } },
    { "big", la.BigInteger, { math.mininteger, math.maxinteger } }, { "double", la.Double, { 0.1, -1e308, 5e-324, math.huge } },
    { "numeric", la.Numeric(38, 10), { "1234567890123456789012345678.0123456789", "-0.0000000001" } },
    { "flag", la.Boolean, { true, false } }, { "word", la.String(40), { "", "Zoë 😀", "a'b\\" } }, { "long", la.Text, { ("é"):rep(70000) } },
    { "data", la.LargeBinary, { "", "\0\255\1", ("\0"):rep(100000) } }, { "born", la.Date, { "0001-01-01", "1969-12-31", "9999-12-31" } },
    { "clock", la.Time, { "00:00:00", "23:59:59.999999" } },
    { "seen", la.DateTime, { "0001-01-01 00:00:00", "1969-12-31 23:59:59.999999", "9999-12-31 23:59:59.999999" } },
    { "moment", la.DateTime { timezone = true }, { "2024-02-29 12:00:00+00:00" } },
    { "span", la.Interval, { "1 day 02:03:04.500000", "-1 days -00:00:00.000001" } },
    { "id_of", la.Uuid, { "550e8400-e29b-41d4-a716-446655440000" } },
    { "kind", la.Enum { "a", "b", name = "kinds" }, { "a", "b" } }, { "list", la.ARRAY(la.Integer), { { 1, 2, 3 } } },
  }

  here:case("keeps values of every type", function()
    local list = { "things", metadata, la.Column { "key", la.Integer, primary_key = true } }
    for _, one in ipairs(values) do list[#list + 1] = la.Column { one[1], one[2] } end
    local things = la.Table(list)
    metadata:create_all(connection)
    local key = 0
    for _, one in ipairs(values) do
      for _, value in ipairs(one[3]) do
        key = key + 1
        connection:execute(things:insert(), { key = key, [one[1]] = value })
        local column = things.c[one[1]]
        local first
        for _ = 1, 2 do -- as text, then in binary
          local read = connection:scalar(la.select(column):where(things.c.key:eq(key)))
          local same = type(value) == "table" and table.concat(read, ",") == table.concat(value, ",")
            or type(value) ~= "string" and read == value or tostring(read) == value
          assert.is_true(same, ("%s: %s is not %s"):format(one[1], tostring(read):sub(1, 60), tostring(value):sub(1, 60)))
          first = first or read
          assert.equal(tostring(first):gsub("0x%x+", ""), (tostring(read):gsub("0x%x+", "")))
        end
        if one[1] ~= "list" then
          assert.equal(key, connection:scalar(la.select(things.c.key):where(things.c.key:eq(key), column:eq(value))))
        end
      end
    end
  end)

  here:case("refuses moments and numbers that Lua has no value for", function()
    local things = la.Table { "things", metadata, la.Column { "id", la.Integer, primary_key = true }, la.Column { "born", la.Date },
      la.Column { "seen", la.DateTime }, la.Column { "price", la.Numeric }, la.Column { "span", la.Interval } }
    metadata:create_all(connection)
    for name, literal in pairs { born = "infinity", seen = "0044-03-15 00:00:00 BC", price = "NaN", span = "1 month" } do
      connection:execute(la.text(("INSERT INTO things (%s) VALUES ('%s')"):format(name, literal)))
      for _ = 1, 2 do
        local ok, failure = pcall(connection.scalar, connection, la.select(things.c[name]):where(things.c[name]:is_not(nil)))
        assert.is_false(ok, name)
        assert.equal("DataError", failure.kind)
        assert.truthy(tostring(failure):find(literal:sub(1, 4), 1, true), tostring(failure))
      end
    end
  end)
end)
