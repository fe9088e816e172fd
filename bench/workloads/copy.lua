-- W9: many rows into a table with COPY, from an iterator. The rows are there before the clock runs: the same 100,000 again and again.
local bench = dofile((arg[0]:match "^.*/" or "") .. "common.lua")
local person = bench.Person.__table
local rows_in_turn = 100000

bench.workload("W9", 1000000, function(size, timed)
  local engine = bench.engine(0, 0)
  local connection <close> = engine:connect()
  local rows, sum = {}, 0
  for i = 1, rows_in_turn do
    local v = bench.person_values(i)
    rows[i] = { v.name, v.email, v.age, v.score, v.created }
  end

  local at = 0
  local function next_row()
    at = at + 1
    return at <= size and rows[(at - 1) % rows_in_turn + 1] or nil
  end

  timed(size, function()
    connection:copy_from(person, next_row, { columns = { "name", "email", "age", "score", "created" } })
    connection:commit()
  end)

  for i = 1, size do sum = sum + rows[(i - 1) % rows_in_turn + 1][3] end
  bench.expect("rows", bench.scalar(connection, "select count(*) from person"), size)
  bench.expect("sum of the ages", bench.scalar(connection, "select sum(age) from person"), sum)
end)

bench.main()
