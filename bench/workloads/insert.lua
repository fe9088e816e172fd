-- W1: new objects through the session, keys fetched into them, one flush and commit.
local bench = dofile((arg[0]:match "^.*/" or "") .. "common.lua")
local Person = bench.Person

bench.workload("W1", 100000, function(size, timed)
  local session, values, people = bench.session(0), {}, {}
  for i = 1, size do values[i] = bench.person_values(i) end

  timed(size, function()
    for i = 1, size do
      local person = Person(values[i])
      people[i] = person
      session:add(person)
    end
    session:commit()
  end)

  bench.check_people(people, size)
  bench.expect("rows", bench.scalar(session, "select count(*) from person"), size)
end)

bench.main()
