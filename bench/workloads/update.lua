-- W6: one attribute changed on each loaded object, then a flush (W6); a flush with nothing to do while
-- many clean objects are loaded (W6.idle), and while few are (W6.idle.few): the same if nothing is scanned.
local bench = dofile((arg[0]:match "^.*/" or "") .. "common.lua")
local la, Person = bench.la, bench.Person

bench.workload("W6", 100000, function(size, timed)
  local session = bench.session(size)
  local people = session:scalars(la.select(Person)):all()

  timed(size, function()
    for _, person in ipairs(people) do person.age = person.age + 1 end
    session:flush()
  end)

  bench.expect("people", #people, size)
  bench.expect("changed in the database",
    bench.scalar(session, "select count(*) from person where age = 19 + id % 70"), size)
end)

local function flush_idle(size, timed)
  local session, flushes = bench.session(size), 1000
  local people = session:scalars(la.select(Person)):all()

  timed(flushes, function()
    for _ = 1, flushes do session:flush() end
  end)

  bench.check_people(people, size)
end

bench.workload("W6.idle", 100000, flush_idle)
bench.workload("W6.idle.few", 100, flush_idle)

bench.main()
