-- What the workloads share: the clock, the models, the data and its sums.
--
-- A workload file describes one or more workloads and ends with bench.main(); run alone it takes
-- [NAME [SIZE [URL]]] and prints, for each, its name and the nanoseconds a unit.

local la = require "lualchemy"
local core = require "lualchemy.core"
local Column, relationship = la.Column, la.relationship

local bench = { la = la }

-- os.clock counts processor time in steps of a microsecond, which the long workloads can live with.
local clock = core.clock or function() return os.clock() * 1e9 end

local Base = la.declarative_base()

bench.Person = Base:model "Person" {
  __tablename = "person",
  id        = Column{ la.Integer, primary_key = true },
  name      = Column{ la.String },
  email     = Column{ la.String },
  age       = Column{ la.Integer },
  score     = Column{ la.Double },
  created   = Column{ la.String },
  addresses = relationship{ "Address", back_populates = "person" },
}

bench.Address = Base:model "Address" {
  __tablename = "address",
  id        = Column{ la.Integer, primary_key = true },
  person_id = Column{ la.ForeignKey "person.id", index = true },
  email     = Column{ la.String },
  person    = relationship{ "Person", back_populates = "addresses" },
}

---- the data: the same formulas as in limit.h, database.lua and sqlalchemy_peer.py ----

function bench.person_values(i)
  return {
    name = ("Person %06d"):format(i),
    email = ("person%06d@example.org"):format(i),
    age = 18 + i % 70,
    score = i * 0.5 + 0.25,
    created = ("2024-%02d-%02d %02d:%02d:%02d"):format(1 + i % 12, 1 + i % 28, i % 24, i % 60, i // 60 % 60),
  }
end

function bench.address_values(i)
  return { email = ("home%07d@example.org"):format(i) }
end

-- SQLite makes the rows itself: no garbage of ours is there when a workload starts.
local numbers = "with recursive numbers (i) as (select 1 union all select i + 1 from numbers where i < :rows) "

local fill_people = [[
  insert into person (id, name, email, age, score, created) ]] .. numbers .. [[
  select i, printf('Person %06d', i), printf('person%06d@example.org', i), 18 + i % 70, i * 0.5 + 0.25,
         printf('2024-%02d-%02d %02d:%02d:%02d', 1 + i % 12, 1 + i % 28, i % 24, i % 60, i / 60 % 60)
  from numbers]]

local fill_addresses = [[
  insert into address (id, person_id, email) ]] .. numbers .. [[
  select i, (i - 1) / :children + 1, printf('home%07d@example.org', i) from numbers]]

-- A new engine with its tables and so many people, each with so many addresses; where a URL is given they are there already.
-- A connection waits in the pool, as the limit has one.
function bench.engine(people, children)
  local engine = la.create_engine(arg[3] or "sqlite://")
  if arg[3] then
    engine:connect():close()
    return engine
  end
  Base.metadata:create_all(engine)
  engine:begin(function(connection)
    if people > 0 then connection:execute(la.text(fill_people), { rows = people }) end
    if people > 0 and children > 0 then
      connection:execute(la.text(fill_addresses), { rows = people * children, children = children })
    end
  end)
  return engine
end

function bench.session(people, children)
  return la.sessionmaker{ bind = bench.engine(people, children or 0), expire_on_commit = false }()
end

-- Point queries ask for keys all over a table of 100,000 rows.
bench.point_rows = 100000

function bench.point_key(i)
  return i * 7919 % bench.point_rows + 1
end

---- was the work done? ----

local function person_sum(id, name, email, age, score, created)
  return id + age + score * 4 // 1 + #name + #email + #created
end

local function expected_sum(id)
  local v = bench.person_values(id)
  return person_sum(id, v.name, v.email, v.age, v.score, v.created)
end

function bench.expect(what, found, expected)
  if found ~= expected then
    error(("%s: %s instead of %s"):format(what, tostring(found), tostring(expected)), 2)
  end
end

function bench.check_person(p, id)
  bench.expect("sum of a person", person_sum(p.id, p.name, p.email, p.age, p.score, p.created), expected_sum(id))
end

-- The objects or rows of the keys 1 to size, in any order.
function bench.check_people(people, size)
  local sum, expected = 0, 0
  bench.expect("count", #people, size)
  for i, p in ipairs(people) do
    sum = sum + person_sum(p.id, p.name, p.email, p.age, p.score, p.created)
    expected = expected + expected_sum(i)
  end
  bench.expect("sum of the people", sum, expected)
end

function bench.scalar(session, sql)
  return session:execute(la.text(sql)):scalar()
end

---- running ----

local workloads = {}

-- work(size, timed, report) prepares, calls timed(units, action) for the measured part, and checks
-- what came of it. report(name, value) prints a figure that is not a time.
function bench.workload(name, size, work)
  workloads[#workloads + 1] = { name = name, size = size, work = work }
end

-- profile.sh counts only what is between these two; callgrind_control speaks to the process by its number.
local function instrument(state)
  if not os.getenv "BENCH_CALLGRIND" then return end
  local status <close> = assert(io.open "/proc/self/stat")
  os.execute(("callgrind_control --instr=%s %d > /dev/null 2>&1"):format(state, status:read "n"))
end

local function report(name, value)
  print(("%s %.1f"):format(name, value))
end

local function timer(name)
  return function(units, action)
    collectgarbage()
    instrument "on"
    local start = clock()
    action()
    local taken = clock() - start
    instrument "off"
    report(name, taken / units)
  end
end

function bench.main()
  local wanted, size = arg[1], tonumber(arg[2])
  for _, w in ipairs(workloads) do
    if not wanted or wanted == w.name then w.work(size or w.size, timer(w.name), report) end
  end
end

return bench
