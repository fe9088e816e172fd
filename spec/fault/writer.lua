-- A process that writes and dies: lua5.4 spec/fault/writer.lua URL GROUP POINT. One session writes a parent with sixty children and adds
-- one to a counter; at the POINT-th of its steps (statements, their ends, waits for the server) it is killed by SIGKILL. When it comes
-- to its end before that, it exits with 0.
local la = require "lualchemy"
local core = require "lualchemy.core"
local url, group, point = arg[1], tonumber(arg[2]), tonumber(arg[3])

local function step()
  point = point - 1
  if point == 0 then os.execute "kill -9 $PPID" end
end

local Base = la.declarative_base()
local Parent = Base:model "Parent" {
  __tablename = "parents", id = la.Column { la.Integer, primary_key = true, autoincrement = false },
  children = la.relationship { "Child" },
}
local Child = Base:model "Child" {
  __tablename = "children", id = la.Column { la.Integer, primary_key = true }, parent_id = la.Column { la.ForeignKey "parents.id" },
  name = la.Column { la.String(40) },
}
local Counter = Base:model "Counter" {
  __tablename = "counters", id = la.Column { la.Integer, primary_key = true }, n = la.Column { la.Integer, nullable = false },
}

local function write()
  local engine = la.create_engine(url, { wait = function()
    step()
    core.sleep(0.001)
  end })
  if group == 0 then
    Base.metadata:create_all(engine)
    engine:begin(function(c) c:execute(la.insert(Counter), { id = 1, n = 0 }) end)
    return
  end
  for _, name in ipairs { "begin", "before_execute", "after_execute", "commit" } do la.event.listen(engine, name, step) end
  local session = la.Session(engine)
  local parent = Parent { id = group }
  for i = 1, 60 do parent.children:append(Child { name = "child " .. i }) end
  session:add(parent)
  session:flush()
  local counter = session:get(Counter, 1)
  counter.n = counter.n + 1
  session:commit()
  step()
end

coroutine.wrap(write)()
