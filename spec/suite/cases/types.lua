-- Values of every type come back as they went, on every way that there is. The seed stands in each failure: SEED=… runs it again.
-- luacheck: no max line length
local suite = ...
local la = require "lualchemy"
local values = dofile "spec/suite/type_values.lua"

local ROUNDS = tonumber(os.getenv "TYPE_ROUNDS") or 30

-- The dialect of the record's URL; a kind that only one database has is a case of that one alone.
local function dialect_of(record)
  local ok, url = pcall(record.url or error, "/folder")
  return ok and url:match "^%a+"
end
local dialect = dialect_of(suite.record)
local native = not select(2, pcall(suite.record.url or error, "/folder")):find "+odbc"

local function check(kind, written, read, way)
  if kind.same(values.expected(kind, written, dialect), read) then return end
  error(("%s: %s became %s (%s; SEED=%d)"):format(kind.name, values.shown(written), values.shown(read), way, values.seed), 0)
end

local function new_table(world, kind)
  return world:table {
    la.Column { "id", la.Integer, primary_key = true, autoincrement = false }, la.Column { "value", kind.type },
  }
end

local function ordered(things) return la.select(things.c.id, things.c.value):order_by(things.c.id) end

local function check_all(connection, things, kind, list, way)
  local count = 0
  for _, row in ipairs(connection:execute(ordered(things)):all()) do
    count = count + 1
    check(kind, list[row.id], row.value, way)
  end
  assert(count == #list, ("%s: %d of %d rows came back (%s)"):format(kind.name, count, #list, way))
end

-- The ways, each with the table empty before -----------------------------------------------------------

local function one_by_one(connection, things, kind, list)
  for id, value in ipairs(list) do connection:execute(things:insert(), { id = id, value = value }) end
  check_all(connection, things, kind, list, "one by one")
end

local function many_at_once(connection, things, kind, list)
  local rows = {}
  for id, value in ipairs(list) do rows[id] = { id = id, value = value } end
  connection:execute(things:insert(), rows)
  local count = 0
  for row in connection:execute(ordered(things), nil, { stream_results = true, yield_per = 7 }) do
    count = count + 1
    check(kind, list[row.id], row.value, "many at once, streamed")
  end
  assert(count == #list, kind.name)
end

local function in_values(connection, things, kind, list)
  for id, value in ipairs(list) do connection:execute(things:insert():values { id = id, value = value }) end
  check_all(connection, things, kind, list, "in values")
end

local function by_equality(connection, things, kind, list)
  if kind.unequal then return end
  for id, value in ipairs(list) do
    local found = connection:scalar(la.select(things.c.value):where(things.c.id:eq(id), things.c.value:eq(value)))
    if found == nil then error(("%s: %s was not found by its value (SEED=%d)"):format(kind.name, values.shown(value), values.seed), 0) end
    found = connection:scalar(la.select(things.c.id):where(things.c.id:eq(id), things.c.value:in_ { value }))
    if found ~= id then error(("%s: %s was not found by IN (SEED=%d)"):format(kind.name, values.shown(value), values.seed), 0) end
  end
end

-- The values whose text a database reads as they are: not the floats where it reads digits in its own way.
local function exact_as_literals(list)
  if not suite.record.lacks.exact_literals then return list end
  local exact = {}
  for _, value in ipairs(list) do
    if math.type(value) ~= "float" then exact[#exact + 1] = value end
  end
  return exact
end

local function as_literals(connection, things, kind, list)
  list = exact_as_literals(list)
  local engine = connection.engine or connection
  for id, value in ipairs(list) do
    local statement = things:insert():values { id = id, value = value }
    local text = statement:compile { dialect = engine.dialect, literal_binds = true }.sql
    connection:exec_driver_sql(text)
  end
  check_all(connection, things, kind, list, "as literals")
end

local function nothing(connection, things, kind)
  connection:execute(things:insert(), { { id = 1, value = la.null }, { id = 2, value = la.null } })
  connection:execute(things:insert(), { id = 3 })
  for _, row in ipairs(connection:execute(ordered(things)):all()) do
    assert(row.value == nil or row.value == la.null, kind.name .. ": NULL became " .. values.shown(row.value))
  end
  assert(connection:scalar(la.select(la.func.count()):where(things.c.value:is_(nil))) == 3, kind.name)
end

local function by_objects(world, things, kind, list)
  local Base = la.declarative_base { metadata = things.metadata }
  local Thing = Base:model "Thing" { __table = things }
  local session = la.Session(world:engine())
  world:finally(function() session:close() end)
  for id, value in ipairs(list) do session:add(Thing { id = id, value = value }) end
  session:add(Thing { id = #list + 1 })
  session:commit()
  session:expunge_all()
  local objects = session:scalars(la.select(Thing):order_by(Thing.id)):all()
  for id, value in ipairs(list) do check(kind, value, objects[id].value, "an object") end
  assert(objects[#list + 1].value == nil, kind.name)
  for id in ipairs(list) do objects[id].value = list[#list + 1 - id] end
  session:commit()
  for id in ipairs(list) do check(kind, list[#list + 1 - id], objects[id].value, "an object that was changed") end
  session:close()
end

local ways = { one_by_one, many_at_once, in_values, by_equality, as_literals, nothing }

local function case_of(kind)
  suite.case(kind.name .. " comes back as it went", { needs = kind.needs }, function(world)
    local list = values.some(kind, ROUNDS)
    local things = new_table(world, kind)
    for _, way in ipairs(ways) do
      world:engine():begin(function(connection)
        if way ~= by_equality then connection:execute(things:delete()) end
        way(connection, things, kind, list)
      end)
    end
    world:engine():begin(function(connection) connection:execute(things:delete()) end)
    by_objects(world, things, kind, list)
  end)
end

for _, kind in ipairs(values.kinds) do
  if not kind.only or (kind.only == dialect and native) then case_of(kind) end
end

-- Refused, or kept -------------------------------------------------------------------------------------

-- The same, with a NaN equal to itself.
local function unchanged(written, read)
  return read == written or (written ~= written and read ~= read) or (type(written) == "table" and values.same_document(written, read))
    or tostring(written) == tostring(read)
end

local function refused(world, things, value)
  local ok, failure = pcall(function()
    world:engine():begin(function(connection) connection:execute(things:insert(), { id = 1, value = value }) end)
  end)
  if ok then return nil end
  assert(la.is_error(failure), tostring(failure))
  return failure
end

local function check_refusal(failure, one, what)
  local clear = failure.kind == "DataError" or failure.kind == "ArgumentError" or tostring(failure):find("max_allowed_packet", 1, true)
  assert(clear, ("%s is refused by an error that does not tell why: %s: %s"):format(what, failure.kind, tostring(failure):sub(1, 300)))
  local found = not one.word or tostring(failure):find(one.word, 1, true)
  assert(found, ("%q is not in: %s"):format(one.word, tostring(failure):sub(1, 300)))
end

local function case_of_question(one, number)
  local type_ = one[1]
  local what = ("%d: %s for %s"):format(number, one.name or values.shown(one[2]):gsub("[^\32-\126]", "?"):sub(1, 60), tostring(type_))
  suite.case("refused or kept, " .. what, function(world)
    local value = one.name and one[2]() or one[2]
    local things = new_table(world, { type = type_ })
    local failure = refused(world, things, value)
    if failure then return check_refusal(failure, one, what) end
    assert(not one.word, what .. " was not refused")
    local read = world:engine():begin(function(connection) return connection:scalar(la.select(things.c.value)) end)
    assert(unchanged(value, read), ("%s became %s"):format(what, values.shown(read)))
  end)
end

for number, one in ipairs(values.questionable) do
  if (native or not (one.only or one.native)) and (not one.only or one.only == dialect) then case_of_question(one, number) end
end

-- What servers hold beyond the types ---------------------------------------------------------------------

local beyond = {
  postgresql = {
    { "'infinity'::timestamp", la.DateTime }, { "'-infinity'::timestamptz", la.DateTime { timezone = true } }, { "'infinity'::date", la.Date }, { "'0044-03-15 BC'::date", la.Date },
    { "'10000-01-01'::date", la.Date }, { "'294276-12-31 23:59:59'::timestamp", la.DateTime }, { "'24:00:00'::time", la.Time }, { "'1 year'::interval", la.Interval },
    { "'NaN'::numeric", la.Numeric }, { "1e40::numeric", la.Numeric },
  },
  mariadb = {
    { "CAST('838:59:59' AS TIME)", la.Time }, { "CAST('-00:00:01' AS TIME)", la.Time }, { "CAST(1e45 AS DECIMAL(65, 10))", la.Numeric },
  },
  sqlite = {
    { "'0000-00-00'", la.Date }, { "'25:00:00'", la.Time }, { "'now'", la.DateTime }, { "2", la.Boolean }, { "'x'", la.Numeric }, { "'x'", la.Uuid }, { "'c'", la.Enum { "a", "b", name = "suite_beyond" } },
  },
}

if native and beyond[dialect] then
  suite.case("what the database holds and no value of the type is, is a DataError when it is read", function(world)
    for _, one in ipairs(beyond[dialect]) do
      local statement = la.select(la.literal_column(one[1], one[2]))
      for _ = 1, 3 do -- results may come in another form once the statement is prepared
        world.fails("DataError", function()
          world:engine():begin(function(connection) return connection:execute(statement):scalar() end)
        end)
      end
    end
  end)
end
