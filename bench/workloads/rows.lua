-- W3: all rows of a table as values, with no object made.
local bench = dofile((arg[0]:match "^.*/" or "") .. "common.lua")
local la, person = bench.la, bench.Person.__table

bench.workload("W3", 100000, function(size, timed)
  local engine = bench.engine(size, 0)
  local connection <close> = engine:connect()
  local last, sum, rows = 0, 0, {}

  timed(size, function()
    for n, id, name, email, age, score, created in connection:execute(la.select(person)):tuples() do
      last = n
      if name and email and age and score and created then sum = sum + id end
    end
  end)

  bench.expect("rows", last, size)
  bench.expect("sum of the keys", sum, size * (size + 1) // 2)
  for n, id, name, email, age, score, created in connection:execute(la.select(person)):tuples() do
    rows[n] = { id = id, name = name, email = email, age = age, score = score, created = created }
  end
  bench.check_people(rows, size)
end)

bench.main()
