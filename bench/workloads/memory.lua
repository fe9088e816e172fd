-- W10: bytes for each loaded object: of the whole process at its peak (W10.memory), and in Lua's own
-- count (W10.lua). Reads a database file, so that the tables themselves are not in the process.
local bench = dofile((arg[0]:match "^.*/" or "") .. "common.lua")
local la, Person = bench.la, bench.Person

local function peak_memory()
  for line in io.lines "/proc/self/status" do
    local kilobytes = line:match "^VmHWM:%s*(%d+)"
    if kilobytes then return kilobytes * 1024 end
  end
end

bench.workload("W10.memory", 1000000, function(size, _, report)
  assert(arg[3], "W10.memory needs the URL of a filled database file")
  local session = bench.session(size)
  bench.expect("rows", bench.scalar(session, "select count(*) from person"), size)
  collectgarbage()
  local peak, counted = peak_memory(), collectgarbage "count"

  local people = session:scalars(la.select(Person)):all()

  peak = peak_memory() - peak
  collectgarbage()
  counted = (collectgarbage "count" - counted) * 1024
  bench.check_people(people, size)
  report("W10.memory", peak / size)
  report("W10.lua", counted / size)
end)

bench.main()
