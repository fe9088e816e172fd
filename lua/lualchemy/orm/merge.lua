--- session:merge: what an object of elsewhere says, said by the session's own. Loaded when first used.
local core = require "lualchemy.core"
local refuse = require "lualchemy.orm.refuse"
local orm = core.orm

local merge

local function merge_relationship(session, source, target, relationship, seen)
  local loaded, value = orm.loaded(source, relationship.key)
  if not loaded then return end
  if not relationship.uselist then
    target[relationship.key] = value and merge(session, value, seen)
    return
  end
  local list = {}
  for i = 1, #value do list[i] = merge(session, value[i], seen) end
  target[relationship.key] = list
end

local function find_target(session, object, mapper)
  local key = {}
  for i, name in ipairs(mapper.primary_key) do
    local loaded, value = orm.loaded(object, name)
    if not loaded or value == nil then return nil end
    key[i] = value
  end
  return session:get(mapper.class, #key == 1 and key[1] or key)
end

function merge(session, object, seen)
  if seen[object] then return seen[object] end
  if orm.object_session(object) == session then return object end
  local mapper = orm.mapper_of(object)
  local target = find_target(session, object, mapper)
  local fresh = target == nil
  if fresh then target = mapper.class {} end
  seen[object] = target
  for _, attribute in ipairs(mapper.column_attrs) do
    local loaded, value = orm.loaded(object, attribute.key)
    if loaded then target[attribute.key] = value end
  end
  if fresh then session:add(target) end
  for _, relationship in ipairs(mapper.relationships) do
    if not relationship.viewonly then merge_relationship(session, object, target, relationship, seen) end
  end
  return target
end

--- Copies an object, and what its relationships have loaded, into the session: onto the one with the same key when there is one.
-- Answers the session's object.
function orm.session_methods:merge(object, options)
  if options ~= nil then refuse.value(options, "session:merge takes an object alone, and reads its row first") end
  if not orm.is_instance(object) then
    core.error("UnmappedInstanceError", "session:merge takes an object of a model, not " .. core.describe(object))
  end
  return merge(self, object, {})
end
