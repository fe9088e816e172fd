-- W2: whole objects through the session, untouched (W2) and with every attribute read once (W2.read).
local bench = dofile((arg[0]:match "^.*/" or "") .. "common.lua")
local la, Person = bench.la, bench.Person

bench.workload("W2", 100000, function(size, timed)
  local session, people = bench.session(size), nil

  timed(size, function()
    people = session:scalars(la.select(Person)):all()
  end)

  bench.check_people(people, size)
end)

bench.workload("W2.read", 100000, function(size, timed)
  local session, people = bench.session(size), nil
  local count, present = 0, 0

  timed(size, function()
    people = session:scalars(la.select(Person)):all()
    for _, p in ipairs(people) do
      local id, name, email, age, score, created = p.id, p.name, p.email, p.age, p.score, p.created
      count = count + 1
      if id and name and email and age and score and created then present = present + 1 end
    end
  end)

  bench.expect("people with all attributes", present, count)
  bench.check_people(people, size)
end)

bench.main()
