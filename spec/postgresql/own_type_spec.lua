-- luacheck: no max line length
-- Types that users and extensions make: their values come as the server writes them, in binary, and the columns beside them as well.
local la = require "lualchemy"
local postgresql = dofile "spec/postgresql/world.lua"
local values = dofile "spec/suite/type_values.lua"

local random = math.random

describe("types of one's own", function()
  local connection
  local here = postgresql(function(_, own) connection = own end)

  local function tell(sql, ...) return connection:exec_driver_sql(sql, ...) end

  -- The server writes this style in texts alone: what says '1 mon' came in binary.
  local function prepare()
    tell "SET LOCAL IntervalStyle = 'iso_8601'"
    tell "CREATE EXTENSION hstore"
    tell "CREATE EXTENSION citext"
    tell "CREATE EXTENSION ltree"
    tell "CREATE TYPE mood AS ENUM ('sad', 'so so', 'it''s \"fine\"', '{,}', 'NULL', '\\')"
    tell "CREATE DOMAIN count_of AS integer CHECK (VALUE > -5)"
    tell "CREATE DOMAIN moods AS mood[]"
    tell "CREATE TYPE place AS (name text, at numeric, mood mood, parts bytea, seen timestamp, counts count_of[], good boolean, pairs hstore)"
    tell "CREATE TYPE stay AS (place place, others place[], words citext)"
    tell "CREATE TYPE words AS RANGE (subtype = text, collation = \"C\")"
    tell "CREATE TYPE moodrange AS RANGE (subtype = mood)"
    tell "CREATE TABLE days (day_of_week mood PRIMARY KEY, length count_of)"
  end

  local pieces = { "a", "B", " ", "", '"', "'", "\\", ",", "(", ")", "{", "}", "[", "]", "NULL", "null", "=>", "\n", "\t", "é", "日本", "\240\159\152\128", ";", ":", "-", "0" }
  local function text()
    local out = {}
    for i = 1, random(0, 5) do out[i] = pieces[random(#pieces)] end
    return "'" .. table.concat(out):gsub("'", "''") .. "'"
  end

  local make
  local function list(of, name)
    local out = {}
    for i = 1, random(0, 3) do out[i] = random(5) == 1 and "NULL" or of() end
    return ("ARRAY[%s]::%s[]"):format(table.concat(out, ", "), name)
  end
  local function or_null(of) return random(6) == 1 and "NULL" or of() end
  local moods = { "'sad'", "'so so'", "'it''s \"fine\"'", "'{,}'", "'NULL'", "'\\'" }
  make = {
    mood = function() return moods[random(#moods)] .. "::mood" end,
    count_of = function() return tostring(random(-4, 1 << 30)) end,
    citext = text,
    ltree = function() return ({ "''", "'a'", "'Top.One_2.x'" })[random(3)] .. "::ltree" end,
    lquery = function() return ({ "'a.*{1,2}'", "'!a|b@*.c'" })[random(2)] .. "::lquery" end,
    ltxtquery = function() return ({ "'a & !b*'", "'(a | b@) & c'" })[random(2)] .. "::ltxtquery" end,
    hstore = function()
      local out = {}
      for i = 1, random(0, 4) do out[i] = ("hstore(%s, %s)"):format(text(), or_null(text)) end
      return #out > 0 and table.concat(out, " || ") or "''::hstore"
    end,
    place = function()
      return ("ROW(%s, %s, %s, %s, %s, %s, %s, %s)::place"):format(or_null(text), or_null(function() return ("%d.%03d"):format(random(-1000000, 1000000), random(0, 999)) end), or_null(make.mood),
        or_null(function() return ("'\\x%04x'"):format(random(0, 65535)) end), or_null(function() return ("'%04d-%02d-03 04:05:06.%d'"):format(random(1, 9999), random(12), random(0, 999999)) end),
        or_null(function() return list(make.count_of, "count_of") end), or_null(function() return random(2) == 1 and "true" or "false" end), or_null(make.hstore))
    end,
    stay = function() return ("ROW(%s, %s, %s)::stay"):format(or_null(make.place), list(make.place, "place"), text()) end,
    words = function()
      local low, high = random(9), random(10, 19)
      return ("words('%02d' || %s, '%02d' || %s, '%s')"):format(low, text(), high, text(), ({ "[]", "[)", "(]", "()" })[random(4)])
    end,
    moodrange = function() return ({ "'empty'", "'[sad,]'", "moodrange('sad', 'NULL')", "'(,)'" })[random(4)] .. "::moodrange" end,
    moodmultirange = function() return ("moodmultirange(%s, %s)"):format(make.moodrange(), make.moodrange()) end,
    days = function() return ("ROW(%s, %s)::days"):format(make.mood(), make.count_of()) end,
  }

  here:case("come as the server writes them", function()
    prepare()
    for _, name in ipairs { "mood", "count_of", "citext", "ltree", "lquery", "ltxtquery", "hstore", "place", "stay", "words", "moodrange", "moodmultirange", "days" } do
      for _, form in ipairs { name, name .. "[]" } do
        local expressions = {}
        for i = 1, 40 do
          local value = form == name and or_null(make[name]) or list(make[name], name)
          expressions[i] = ("(%d, (%s)::%s)"):format(i, value, form)
        end
        local rows = tell(("SELECT interval '1 month' AS month, value, value::text AS written FROM (VALUES %s) AS made(place, value) ORDER BY place"):format(table.concat(expressions, ", "))):all()
        assert.equal(40, #rows)
        for _, row in ipairs(rows) do
          assert.equal("1 mon", row.month, form)
          assert.equal(row.written, row.value ~= nil and tostring(row.value) or nil, form .. " seed " .. tostring(values.seed))
        end
      end
    end
  end)

  here:case("come with rows that are returned, and by COPY, in both directions", function()
    prepare()
    tell "CREATE TABLE kept (id integer PRIMARY KEY, mood mood, words citext, wait interval, place place, moods moods, pairs hstore)"
    local metadata = la.MetaData()
    local columns = { "kept", metadata, la.Column { "id", la.Integer, primary_key = true } }
    for _, name in ipairs { "mood", "words", "wait", "place", "moods", "pairs" } do columns[#columns + 1] = la.Column { name, la.Text } end
    local kept = la.Table(columns)
    local insert = "INSERT INTO kept VALUES (%d, 'NULL', 'Yes', '1 month', ROW('a b', 1.50, NULL, '', NULL, '{1,2}', true, 'a=>NULL'), '{sad,\"NULL\",NULL}', 'a=>\"1 2\"') RETURNING *"
    local wanted = { 1, "NULL", "Yes", "1 mon", '("a b",1.50,,"\\\\x",,"{1,2}",t,"""a""=>NULL")', '{sad,"NULL",NULL}', '"a"=>"1 2"' }
    local row = tell(insert:format(1)):one()
    for i, value in ipairs(wanted) do assert.equal(i == 4 and "P1M" or value, row[i]) end
    local function check(found, id)
      for i, value in ipairs(wanted) do assert.equal(i == 1 and id or value, found[i]) end
    end
    local again = la.text "INSERT INTO kept SELECT :id, mood, words, wait, place, moods, pairs FROM kept WHERE id = 1 RETURNING *"
    connection:execute(again, { id = 2 }):one()     -- only its rows tell what types they have: the next time they come in binary
    check(connection:execute(again, { id = 3 }):one(), 3)
    for found in connection:copy_to(la.select(kept):where(kept.c.id:eq(1))) do check(found, 1) end
    assert.equal(1, connection:copy_from(kept, { { id = 4, mood = "so so", words = "Ä\tb\\" } }))
    local four = tell("SELECT mood, words, interval '1 month' FROM kept WHERE id = 4"):one()
    assert.same({ "so so", "Ä\tb\\", "1 mon" }, { four[1], four[2], four[3] })
  end)

  here:case("are asked for again when they have got a part of another type", function()
    prepare()
    tell "CREATE TYPE spot AS (mood mood)"
    local asked = "SELECT ROW('sad')::spot, interval '1 month'"
    assert.same({ "(sad)", "1 mon" }, { tell(asked):one():unpack() })
    tell "CREATE TYPE colour AS ENUM ('red')"
    tell "ALTER TYPE spot ADD ATTRIBUTE colour colour"
    tell "CREATE FUNCTION spot() RETURNS spot LANGUAGE sql AS $$ SELECT CAST('sad' AS mood), CAST('red' AS colour) $$"
    asked = "SELECT spot(), interval '1 month'"
    assert.error_matches(function() tell(asked):one() end, "execute the statement again")
    assert.same({ "(sad,red)", "1 mon" }, { tell(asked):one():unpack() })
    tell "ALTER TYPE spot ADD ATTRIBUTE at point"     -- which has no binary form here
    asked = "SELECT ROW('sad', 'red', '(1,2)')::spot, interval '1 month'"
    assert.error_matches(function() tell(asked):one() end, "execute the statement again")
    assert.same({ '(sad,red,"(1,2)")', "P1M" }, { tell(asked):one():unpack() })
  end)

  here:case("are asked for once, and never where all types are known", function()
    local core = require "lualchemy.core"
    local waiting = la.create_engine(here.url, { wait = function(...) coroutine.yield(...) end })
    -- How often it waits for the server.
    local function counted(fn)
      local count, thread = 0, coroutine.create(fn)
      while true do
        local ok, descriptor, events = coroutine.resume(thread)
        assert(ok, descriptor)
        if coroutine.status(thread) == "dead" then return count end
        core.poll({ descriptor, events }, 60)
        count = count + 1
      end
    end
    local c
    counted(function()
      c = waiting:connect()
      c:exec_driver_sql "CREATE TYPE pg_temp.one AS ENUM ('a')"
      c:exec_driver_sql "CREATE TYPE pg_temp.two AS (a pg_temp.one)"
    end)
    local function ask(sql) return counted(function() c:exec_driver_sql(sql):all() end) end
    local plain = ask "SELECT 1, 'a'::text"
    assert.equal(plain, ask "SELECT 2, 'b'::text")
    assert.equal(plain + 1, ask "SELECT 1, 'a'::pg_temp.one")
    assert.equal(plain, ask "SELECT 2, 'a'::pg_temp.one, '{a}'::text")
    assert.equal(plain + 1, ask "SELECT ROW('a')::pg_temp.two, 'a'::pg_temp.one")
    assert.equal(plain, ask "SELECT ROW('a')::pg_temp.two")
    assert.equal(plain, ask "SELECT '1,1'::point, 'a'::pg_temp.one")       -- a point has no binary form here
    counted(function() c:close() end)
    waiting:dispose()
  end)
end)
