-- W4: one row by its key: the statement built anew each time (W4), session:get of an object that the
-- session does not hold (W4.miss) and of one that it holds (W4.hit).
local bench = dofile((arg[0]:match "^.*/" or "") .. "common.lua")
local la, Person = bench.la, bench.Person
local point_key, point_rows = bench.point_key, bench.point_rows

bench.workload("W4", 20000, function(size, timed)
  local engine = bench.engine(point_rows, 0)
  local connection <close> = engine:connect()
  local wrong, row = 0, nil

  timed(size, function()
    for i = 0, size - 1 do
      local key = point_key(i)
      row = connection:execute(la.select(Person.__table):where(Person.id:eq(key))):one()
      if row.id ~= key then wrong = wrong + 1 end
    end
  end)

  bench.expect("wrong rows", wrong, 0)
  bench.check_person(row, point_key(size - 1))
end)

-- The keys are there before the clock runs: making them takes Lua as long as a hit.
local function get_all(session, size, timed)
  local wrong, person, keys = 0, nil, {}
  for i = 1, size do keys[i] = point_key(i - 1) end
  timed(size, function()
    for i = 1, size do
      person = session:get(Person, keys[i])
      if not person then wrong = wrong + 1 end
    end
  end)
  bench.expect("absent objects", wrong, 0)
  bench.check_person(person, point_key(size - 1))
end

bench.workload("W4.miss", 20000, function(size, timed)
  local session = bench.session(point_rows)
  bench.expect("rows", #session:scalars(la.select(Person)):all(), point_rows)
  session:expunge_all()
  get_all(session, size, timed)
end)

bench.workload("W4.hit", 20000, function(size, timed)
  local session = bench.session(point_rows)
  local people = session:scalars(la.select(Person)):all()      -- held, so the session goes on knowing them
  get_all(session, size, timed)
  bench.check_people(people, point_rows)
end)

bench.main()
