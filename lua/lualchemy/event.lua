--- Events: la.event.listen(target, name, fn), remove, contains. Engines are known here; other parts register what they
-- know with event.register.
local core = require "lualchemy.core"
local check = require "lualchemy.check"

local event = {}

local engine_events = {
  before_execute = true, after_execute = true, handle_error = true, notice = true,
  connect = true, first_connect = true, close = true,
  close_detached = true, reset = true, invalidate = true, checkout = true, checkin = true,
  begin = true, prepare_twophase = true, commit = true, rollback = true, savepoint = true,
  release_savepoint = true, rollback_savepoint = true,
}

local listeners = setmetatable({}, { __mode = "k" })   -- engine -> event -> list of functions
local others = {}                                      -- what other parts know: { listen, remove }

local function refuse_name(name)
  local names = {}
  for known in pairs(engine_events) do names[#names + 1] = known end
  table.sort(names)
  local nearest = core.nearest(tostring(name), names)
  core.error("InvalidRequestError", ("there is no event '%s' of an engine%s"):format(tostring(name),
    nearest and "; the nearest is '" .. nearest .. "'" or "; there are: " .. table.concat(names, ", ")))
end

-- Tells the core what this engine's listeners want to hear; nothing is told of the rest.
local function refresh(engine)
  local lists, wanted = listeners[engine], {}
  for name, list in pairs(lists) do
    if #list > 0 then wanted[name] = true end
  end
  if next(wanted) == nil then
    engine:listen_(nil)
    return
  end
  engine:listen_(function(name, connection, what)
    local list = lists[name]
    if not list then return end
    local now = {}   -- a listener may take itself out
    for i, fn in ipairs(list) do now[i] = fn end
    for _, fn in ipairs(now) do fn(connection, what) end
  end, wanted)
end

local function listen_to_engine(engine, name, fn)
  if not engine_events[name] then refuse_name(name) end
  local lists = listeners[engine] or {}
  listeners[engine] = lists
  lists[name] = lists[name] or {}
  table.insert(lists[name], fn)
  refresh(engine)
end

local function place_of(list, fn)
  for i, one in ipairs(list or {}) do
    if one == fn then return i end
  end
end

local function check_arguments(name, fn)
  if type(name) ~= "string" then
    check.argument("listen takes a target, the name of an event and a function, not %s as the name", core.describe(name))
  end
  local class = type(fn) == "table" and getmetatable(fn)
  if type(fn) ~= "function" and not (class and class.__call) then
    check.argument("a listener must be a function, not %s", core.describe(fn))
  end
end

--- Another part's targets: known.listen(target, name, fn, options) and known.remove(target, name, fn) answer false for
-- what they do not know; known.contains likewise, where there is one.
function event.register(known)
  others[#others + 1] = known
end

--- listen(target, name, fn [, options]): fn is called when it happens. Of an engine: fn(connection, { statement =,
-- params =, executions =, cached =, milliseconds =, error =, savepoint =, token = }), each where it has a meaning. An error in fn
-- stops what was about to happen and comes out of the call that caused it. notice: what the server says beside its answer:
-- fn(connection, { severity =, sqlstate =, message =, detail =, hint = }). Of the pool: first_connect, connect, checkout,
-- reset (before what is open is rolled back), checkin, invalidate (with error, where one was the cause), close and
-- close_detached (a database connection ends; the connection is nil).
function event.listen(target, name, fn, options)
  check_arguments(name, fn)
  if core.is_engine(target) then
    if options ~= nil then check.argument("listeners of an engine have no options; behind the function came %s", core.describe(options)) end
    return listen_to_engine(target, name, fn)
  end
  for _, known in ipairs(others) do
    if known.listen(target, name, fn, options) then return end
  end
  core.error("InvalidRequestError", ("there are no events of %s"):format(core.describe(target)))
end

--- remove(target, name, fn): undoes a listen.
function event.remove(target, name, fn)
  check_arguments(name, fn)
  if core.is_engine(target) then
    local list = listeners[target] and listeners[target][name]
    local place = place_of(list, fn)
    if not place then core.error("InvalidRequestError", ("this function does not listen to '%s'"):format(name)) end
    table.remove(list, place)
    return refresh(target)
  end
  for _, known in ipairs(others) do
    if known.remove(target, name, fn) then return end
  end
  core.error("InvalidRequestError", ("this function does not listen to '%s'"):format(name))
end

--- contains(target, name, fn): does this function listen?
function event.contains(target, name, fn)
  check_arguments(name, fn)
  if core.is_engine(target) then return place_of(listeners[target] and listeners[target][name], fn) ~= nil end
  for _, known in ipairs(others) do
    if known.contains and known.contains(target, name, fn) then return true end
  end
  return false
end

--- listens_for(target, name): a shape for local functions: listens_for(engine, "commit")(function() … end)
function event.listens_for(target, name)
  return function(fn)
    event.listen(target, name, fn)
    return fn
  end
end

--- echo of create_engine: true, or a function that takes lines.
function event.echo(engine, echo)
  local log = require "lualchemy.log"   -- few ask for it
  local write = type(echo) == "function" and echo or log.default
  for _, name in ipairs(log.events) do
    listen_to_engine(engine, name, function(_, what)
      local line = log.line(name, what)
      if line then write(line) end
    end)
  end
end

return event
