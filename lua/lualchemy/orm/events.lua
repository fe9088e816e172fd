--- Events of models, their attributes, and sessions: who listens, and who is called. Loaded with the first listener.
local core = require "lualchemy.core"
local refuse = require "lualchemy.orm.refuse"
local sessions = require "lualchemy.orm.session"
local orm = core.orm

local events = {}

local function set_of(text)
  local set = {}
  for name in text:gmatch "%S+" do set[name] = true end
  return set
end

local of_models = set_of "load refresh before_insert after_insert before_update after_update before_delete after_delete"
local of_sessions = set_of "before_flush after_flush before_commit after_commit after_rollback after_begin"
local of_attributes = set_of "set append remove"

local by_target = setmetatable({}, { __mode = "k" })   -- model, session, or sessionmaker -> event -> list of listeners
local by_attribute = setmetatable({}, { __mode = "k" })  -- model -> attribute -> event -> list
local all_sessions = {}                                  -- event -> list

local function check_event(name, known, whose)
  if not known[name] then refuse.unknown(whose .. " has no event", name, refuse.names(known), "InvalidRequestError") end
end

local function list_of(owner, name)
  local list = owner[name]
  if not list then
    list = {}
    owner[name] = list
  end
  return list
end

local function listen_to_attribute(model, attribute, name, listener)
  check_event(name, of_attributes, "an attribute")
  local of_model = by_attribute[model] or {}
  by_attribute[model] = of_model
  local list = list_of(list_of(of_model, attribute), name)
  list[#list + 1] = listener
  orm.listen(model.__mapper, name, attribute)
end

local function listen_to_model(model, name, listener)
  check_event(name, of_models, "a model")
  by_target[model] = by_target[model] or {}
  local list = list_of(by_target[model], name)
  list[#list + 1] = listener
  orm.listen(model.__mapper, name)
end

local function listen_to_session(session, name, listener)
  check_event(name, of_sessions, "a session")
  by_target[session] = by_target[session] or {}
  local list = list_of(by_target[session], name)
  list[#list + 1] = listener
  session:listen(name)
end

--- Takes listeners for what this part knows; answers false for other targets.
-- options: retval: what a "set" listener answers is taken as the value; once: called one time.
function events.listen(target, name, fn, options)
  if options ~= nil then
    if type(options) ~= "table" then refuse.value(options, "the options of listen are a table such as { once = true }") end
    refuse.options(options, { "retval", "once" }, { retval = "boolean", once = "boolean" }, "listen")
  end
  local listener = { fn = fn, retval = options and options.retval, once = options and options.once }
  if sessions.is_session(target) then
    listen_to_session(target, name, listener)
  elseif sessions.is_session_class(target) then
    check_event(name, of_sessions, "a session")
    local list = list_of(target == sessions.Session and all_sessions or list_of(by_target, target), name)
    list[#list + 1] = listener
  elseif type(target) == "table" and rawget(target, "__mapper") then
    listen_to_model(target, name, listener)
  elseif orm.is_relationship(target) then
    listen_to_attribute(target.parent, target.key, name, listener)
  else
    local model, attribute = orm.attribute_model(target)
    if not model then return false end
    listen_to_attribute(model, attribute, name, listener)
  end
  return true
end

local function drop(list, fn)
  for i = #(list or {}), 1, -1 do
    if list[i].fn == fn then
      table.remove(list, i)
      return true
    end
  end
  return false
end

-- The list where a listener of this target would be, or nil.
local function find_list(target, name)
  if target == sessions.Session then return all_sessions[name] end
  local model, attribute
  if orm.is_relationship(target) then model, attribute = target.parent, target.key
  elseif type(target) == "userdata" and not sessions.is_session(target) then model, attribute = orm.attribute_model(target) end
  if model then
    local of_model = by_attribute[model]
    return of_model and of_model[attribute] and of_model[attribute][name]
  end
  return type(target) ~= "string" and by_target[target] and by_target[target][name]
end

--- Undoes a listen; answers whether there was such a listener.
function events.remove(target, name, fn)
  return drop(find_list(target, name), fn)
end

--- Does this function listen?
function events.contains(target, name, fn)
  for _, listener in ipairs(find_list(target, name) or {}) do
    if listener.fn == fn then return true end
  end
  return false
end

--- A session was made: it tells of what listeners of all sessions wait for.
function sessions.made(session, maker)
  for _, lists in ipairs { all_sessions, maker and by_target[maker] or {} } do
    for name in pairs(lists) do session:listen(name) end
  end
  if maker then by_target[session] = setmetatable({}, { __index = by_target[maker] }) end
end

-- Calling -----------------------------------------------------------------------------------------

local function each(list, call)
  if not list then return end
  local listeners = {}
  for i, listener in ipairs(list) do listeners[i] = listener end
  for _, listener in ipairs(listeners) do
    if listener.once then drop(list, listener.fn) end
    call(listener)
  end
end

local function dispatch_attribute(name, model, attribute, object, value, old)
  local lists = by_attribute[model] and by_attribute[model][attribute]
  each(lists and lists[name], function(listener)
    if name == "set" then
      local answer = listener.fn(object, value, old)
      if listener.retval then value = answer end
    else
      listener.fn(object, value)
    end
  end)
  return value
end

local function dispatch_session(name, session)
  local function call(listener)
    if name == "before_flush" then listener.fn(session, nil, nil)
    elseif name == "after_begin" then listener.fn(session, nil, session:begun_connection())
    else listener.fn(session) end
  end
  each(all_sessions[name], call)
  each(session and by_target[session] and by_target[session][name], call)
end

local function connection_of(session, model)
  return session:connection(session:is_routed() and { mapper = model } or nil)
end

--- What the core calls: (event, model, …) or (event, nil, session).
function events.dispatch(name, model, ...)
  if of_attributes[name] then return dispatch_attribute(name, model, ...) end
  if not model then return dispatch_session(name, ...) end
  local object, session = ...
  local lists = by_target[model]
  each(lists and lists[name], function(listener)
    if name == "load" or name == "refresh" then listener.fn(object, session)
    else listener.fn(model.__mapper, session and connection_of(session, model), object) end
  end)
end

return events
