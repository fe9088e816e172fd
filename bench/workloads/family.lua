-- W7: new parents with three new children each, by append; one flush.
local bench = dofile((arg[0]:match "^.*/" or "") .. "common.lua")
local Person, Address = bench.Person, bench.Address
local children = 3

bench.workload("W7", 20000, function(size, timed)
  local session, values, homes, people = bench.session(0), {}, {}, {}
  for i = 1, size do values[i] = bench.person_values(i) end
  for i = 1, size * children do homes[i] = bench.address_values(i) end

  timed(size, function()
    for i = 1, size do
      local person = Person(values[i])
      people[i] = person
      for j = (i - 1) * children + 1, i * children do person.addresses:append(Address(homes[j])) end
      session:add(person)
    end
    session:flush()
  end)

  bench.check_people(people, size)
  bench.expect("rows with their parents",
    bench.scalar(session, "select count(*) from address as a join person as p on a.person_id = p.id"), size * children)
  for i = 1, size do
    local home = people[i].addresses[children]
    bench.expect("key of the parent", home.person_id, people[i].id)
    bench.expect("child's email", home.email, homes[i * children].email)
  end
end)

bench.main()
