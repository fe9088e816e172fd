-- What one case of the suite has: engines, connections and tables that are gone when it is over, and a few questions to the record.
local la = require "lualchemy"
local core = require "lualchemy.core"
local servers = dofile "spec/servers.lua"
local fails = dofile("spec/core/world.lua").fails

local world = { fails = fails }
world.__index = world

-- Checks ------------------------------------------------------------------------------------------------

local function shown(value)
  if type(value) ~= "table" then
    local text = type(value) == "string" and ("%q"):format(value) or tostring(value)
    return #text > 200 and text:sub(1, 200) .. "…" or text
  end
  local parts = {}
  for key, item in pairs(value) do parts[#parts + 1] = (type(key) == "number" and "" or tostring(key) .. " = ") .. shown(item) end
  if #value == 0 then table.sort(parts) end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

local function is_same(one, other)
  if type(one) ~= "table" or type(other) ~= "table" then return one == other end
  for key, value in pairs(one) do
    if not is_same(value, other[key]) then return false end
  end
  for key in pairs(other) do
    if one[key] == nil then return false end
  end
  return true
end

--- Fails unless both values are the same: tables by what they hold. what: said in front.
function world.same(expected, actual, what)
  if is_same(expected, actual) then return end
  error(("%s%s is not %s"):format(what and what .. ": " or "", shown(actual), shown(expected)), 2)
end

-- The place: what all cases share -----------------------------------------------------------------------

local place = {}
place.__index = place

local function temporary_folder()
  local pipe = assert(io.popen "mktemp -d")
  local path = assert(pipe:read "*l", "mktemp makes no folder")
  pipe:close()
  return path
end

local function new_place(record)
  local self = setmetatable({ folder = nil }, place)
  if record.server then
    local server, why = servers.start(record.server)
    if not server then return nil, why end
    self.server, self.folder = server, server.folder
  else
    self.folder = temporary_folder()
  end
  self.url = record.url(self.folder)
  self.engine = la.create_engine(self.url, record.options)
  return self
end

function place:close()
  self.engine:dispose()
  if self.server then self.server:stop() else os.execute(("rm -rf '%s'"):format(self.folder)) end
end

-- The world of a case -----------------------------------------------------------------------------------

local count = 0

local function new(_, record, shared)
  count = count + 1
  return setmetatable({ record = record, place = shared, url = shared.url, number = count, endings = {} }, world)
end

--- Is this capability there?
function world:can(capability)
  return not self.record.lacks[capability]
end

--- fn() when the case is over, whatever became of it; the last one first.
function world:finally(fn)
  self.endings[#self.endings + 1] = fn
end

--- The engine that all cases share, or one with options of its own, which is disposed at the end. url: another than the record's.
function world:engine(options, url)
  if not options and not url then return self.place.engine end
  local all = {}
  for name, value in pairs(self.record.options or {}) do all[name] = value end
  for name, value in pairs(options or {}) do all[name] = value end
  local engine = la.create_engine(url or self.url, all)
  self:finally(function() engine:dispose() end)
  return engine
end

--- A connection of the shared engine, or of the given one; closed at the end.
function world:connect(options, engine)
  local connection = (engine or self.place.engine):connect(options)
  self:finally(function() connection:close() end)
  return connection
end

--- What the record's SQL for a purpose is, with values put in: world:sql("sleep", 0.1).
function world:sql(purpose, ...)
  local text = self.record.sql[purpose]
  if not text then error(("the record has no sql.%s"):format(purpose), 2) end
  return select("#", ...) > 0 and text:format(...) or text
end

-- Where nobody can ask what there is, each table goes on its own, and those that have gone already are no fault.
local function drop_blindly(engine, metadata)
  for _ = 1, 2 do -- a table that another refers to goes the second time
    for _, one in pairs(metadata.tables) do
      pcall(function() engine:begin(function(connection) one:drop(connection) end) end)
    end
  end
end

--- A metadata whose tables are dropped when the case is over.
function world:metadata()
  if not self.metadata_ then
    local metadata = la.MetaData()
    self.metadata_ = metadata
    self:finally(function()
      if self:can "has_table" then metadata:drop_all(self.place.engine) else drop_blindly(self.place.engine, metadata) end
    end)
  end
  return self.metadata_
end

--- A table that is in the database until the case is over: columns as of la.Table, whose name and metadata come from the world.
function world:table(columns, name)
  local list = { name or ("t%d"):format(self.number), self:metadata() }
  for i, column in ipairs(columns) do list[i + 2] = column end
  local made = la.Table(list)
  self.place.engine:begin(function(connection) made:create(connection) end)
  return made
end

--- A table of two columns, id (a key that is given) and name, with these names in it as rows 1, 2, …
function world:names(...)
  local things = self:table {
    la.Column { "id", la.Integer, primary_key = true, autoincrement = false }, la.Column { "name", la.String(60) },
  }
  local rows = {}
  for i, name in ipairs { ... } do rows[i] = { id = i, name = name } end
  if #rows > 0 then self.place.engine:begin(function(connection) connection:execute(things:insert(), rows) end) end
  return things
end

--- How many rows the table has, as a connection of its own sees it, or the given one.
function world:count(things, connection)
  local query = la.select(la.func.count()):select_from(things)
  if connection then return connection:scalar(query) end
  return self.place.engine:begin(function(own) return own:scalar(query) end)
end

-- Coroutines --------------------------------------------------------------------------------------------

--- Options of an engine whose waits yield, for world.together. more: further ones.
function world.yielding(more)
  local options = { wait = function() coroutine.yield() end }
  for name, value in pairs(more or {}) do options[name] = value end
  return options
end

--- Runs the functions as coroutines in turns, until all are through; raises the first error.
function world.together(...)
  local threads, deadline = {}, os.time() + 60
  for i, body in ipairs { ... } do threads[i] = coroutine.create(body) end
  while #threads > 0 do
    assert(os.time() < deadline, "coroutines did not come to their end")
    for i = #threads, 1, -1 do
      local ok, failure = coroutine.resume(threads[i])
      if not ok then error(failure, 0) end
      if coroutine.status(threads[i]) == "dead" then table.remove(threads, i) end
    end
    core.sleep(0.001) -- nobody here watches descriptors: each turn the driver looks itself
  end
end

--- Ends the case: what goes wrong there, as a list of texts. passed: a connection that it has kept is a fault only then.
function world:close(passed)
  local complaints = {}
  for i = #self.endings, 1, -1 do
    local ok, failure = pcall(self.endings[i])
    if not ok then complaints[#complaints + 1] = "when the case was over: " .. tostring(failure) end
  end
  collectgarbage()
  local in_use = self.place.engine:pool_status().in_use
  if passed and in_use > 0 then complaints[#complaints + 1] = in_use .. " connections of the pool were not given back" end
  return complaints
end

return setmetatable({ place = new_place }, { __call = new })
