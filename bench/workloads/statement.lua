-- W8: a statement of three joins, a CTE and a subquery: built and compiled (W8.compile); built and
-- looked up in the engine's cache (W8.lookup); built and executed on empty tables (W8.cached).
local bench = dofile((arg[0]:match "^.*/" or "") .. "common.lua")
local la = bench.la
local person, address = bench.Person.__table, bench.Address.__table
local other = person:alias "other"

local function build(i)
  local homes = la.select(address.c.person_id, la.func.count(address.c.id):label "n")
    :where(address.c.email:like "%@example.org")
    :group_by(address.c.person_id)
    :cte "homes"
  local average = la.select(la.func.avg(person.c.score)):where(person.c.age:gt(i)):scalar_subquery()
  return la.select(person.c.name, other.c.name:label "other", address.c.email, homes.c.n)
    :select_from(person)
    :join(address, address.c.person_id:eq(person.c.id))
    :join(other, other.c.age:eq(person.c.age))
    :join(homes, homes.c.person_id:eq(person.c.id))
    :where(person.c.score:gt(average), other.c.id:ne(person.c.id), person.c.name:like "Person%")
    :order_by(person.c.name, homes.c.n:desc())
    :limit(10)
end

local function check_text(text)
  local lower, joins = text:lower(), 0
  for _ in lower:gmatch "join" do joins = joins + 1 end
  bench.expect("joins", joins, 3)
  bench.expect("a CTE first", lower:find "^%s*with%s" ~= nil, true)
end

bench.workload("W8.compile", 10000, function(size, timed)
  local compiled
  timed(size, function()
    for i = 1, size do compiled = build(i):compile{ dialect = "sqlite" } end
  end)
  check_text(compiled.sql)
end)

bench.workload("W8.lookup", 10000, function(size, timed)
  local engine = bench.engine(0, 0)
  local compiled = engine:compile(build(0))
  timed(size, function()
    for i = 1, size do compiled = engine:compile(build(i)) end
  end)
  bench.expect("misses", engine:cache_info().misses, 1)
  check_text(compiled.sql)
end)

bench.workload("W8.cached", 10000, function(size, timed)
  local engine = bench.engine(0, 0)
  local connection <close> = engine:connect()
  local count = 0
  connection:execute(build(0)):all()
  timed(size, function()
    for i = 1, size do count = count + #connection:execute(build(i)):all() end
  end)
  bench.expect("rows", count, 0)
  check_text(tostring(build(1)))
end)

bench.main()
