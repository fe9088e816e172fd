-- LuaSQL on the same workloads, by hand and into plain tables. It binds no values: everything is quoted
-- into the text. Its own rows are made by SQLite, as in common.lua.

local luasql = require "luasql.sqlite3"

-- LuaSQL has no clock; all its workloads are long enough for this one.
local function clock() return os.clock() * 1e9 end

local function expect(what, found, expected)
  if found ~= expected then error(("%s: %s instead of %s"):format(what, tostring(found), tostring(expected)), 2) end
end

local function open(rows)
  local connection = assert(luasql.sqlite3():connect ":memory:")
  local function run(sql) return assert(connection:execute(sql)) end
  run "create table person (id integer primary key, name text, email text, age integer, score real, created text)"
  if rows > 0 then
    run([[insert into person
      with recursive numbers (i) as (select 1 union all select i + 1 from numbers where i < ]] .. rows .. [[)
      select i, printf('Person %06d', i), printf('person%06d@example.org', i), 18 + i % 70, i * 0.5 + 0.25,
        printf('2024-%02d-%02d %02d:%02d:%02d', 1 + i % 12, 1 + i % 28, i % 24, i % 60, i / 60 % 60) from numbers]])
  end
  return connection, run
end

local function report(name, units, start)
  print(("%s %.1f"):format(name, (clock() - start) / units))
end

local workloads = {}

function workloads.W1(size)
  local connection, run = open(0)
  local people, values = {}, {}
  for i = 1, size do
    values[i] = { name = ("Person %06d"):format(i), email = ("person%06d@example.org"):format(i), age = 18 + i % 70,
      score = i * 0.5 + 0.25, created = ("2024-%02d-%02d %02d:%02d:%02d"):format(
        1 + i % 12, 1 + i % 28, i % 24, i % 60, i // 60 % 60) }
  end
  local start = clock()
  connection:setautocommit(false)
  for i = 1, size do
    local v = values[i]
    local person = { name = v.name, email = v.email, age = v.age, score = v.score, created = v.created }
    run(("insert into person (name, email, age, score, created) values ('%s', '%s', %d, %.17g, '%s')"):format(
      connection:escape(v.name), connection:escape(v.email), v.age, v.score, connection:escape(v.created)))
    person.id = connection:getlastautoid()
    people[i] = person
  end
  connection:commit()
  report("W1", size, start)
  expect("last key", people[size].id, size)
end

function workloads.W2(size)
  local _, run = open(size)
  local people = {}
  local start = clock()
  local cursor = run "select id, name, email, age, score, created from person"
  local row = cursor:fetch({}, "a")
  while row do
    people[#people + 1] = row
    row = cursor:fetch({}, "a")
  end
  report("W2", size, start)
  expect("rows", #people, size)
  expect("last key", tonumber(people[size].id), size)
end

function workloads.W3(size)
  local _, run = open(size)
  local rows, sum = 0, 0
  local start = clock()
  local cursor = run "select id, name, email, age, score, created from person"
  local id, name, email, age, score, created = cursor:fetch()
  while id do
    rows = rows + 1
    if name and email and age and score and created then sum = sum + id end
    id, name, email, age, score, created = cursor:fetch()
  end
  report("W3", size, start)
  expect("rows", rows, size)
  expect("sum of the keys", sum // 1, size * (size + 1) // 2)
end

local work = workloads[arg[1]]
if work then work(tonumber(arg[2]) or 100000) end
