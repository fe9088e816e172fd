-- W5: parents with ten children each: lazily (in batches, as lualchemy does it), joined, by selectin.
local bench = dofile((arg[0]:match "^.*/" or "") .. "common.lua")
local la, Person = bench.la, bench.Person
local children = 10

local function load_families(size, timed, option)
  local session, people, count = bench.session(size, children), nil, 0

  timed(size, function()
    local statement = la.select(Person)
    if option then statement = statement:options(option(Person.addresses)) end
    people = session:scalars(statement):unique():all()
    for _, person in ipairs(people) do count = count + #person.addresses end
  end)

  bench.check_people(people, size)
  bench.expect("children", count, size * children)
  local last = people[size]
  bench.expect("parent of the last child", last.addresses[children].person, last)
  bench.expect("text of the last child", #last.addresses[children].email, #bench.address_values(1).email)
end

bench.workload("W5.lazy", 5000, function(size, timed) load_families(size, timed) end)
bench.workload("W5.joined", 5000, function(size, timed) load_families(size, timed, la.joinedload) end)
bench.workload("W5.selectin", 5000, function(size, timed) load_families(size, timed, la.selectinload) end)

bench.main()
