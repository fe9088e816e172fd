--- la.inspect for models and objects: the mapper, or the object's state.
local core = require "lualchemy.core"
local refuse = require "lualchemy.orm.refuse"
local orm = core.orm

local inspect = {}

local History = {}
History.__index = History
History.__name = "history"

--- Is there a change?
function History:has_changes()
  return #self.added > 0 or #self.deleted > 0
end

function History:empty()
  return not self:has_changes() and #self.unchanged == 0
end

-- One attribute of one object.
local Attribute = { __name = "attribute state" }

function Attribute.__index(self, name)
  local object, key = rawget(self, 1), rawget(self, 2)
  if name == "history" then
    local added, unchanged, deleted = orm.history(object, key)
    return setmetatable({ added = added, unchanged = unchanged, deleted = deleted }, History)
  elseif name == "loaded_value" then
    local _, value = orm.loaded(object, key)
    return value
  elseif name == "value" then
    return object[key]
  elseif name == "key" then
    return key
  end
  refuse.unknown("an attribute's state has no", name, { "history", "key", "loaded_value", "value" })
end

local Attributes = { __name = "attribute states" }

function Attributes.__index(self, name)
  local object = rawget(self, 1)
  orm.slot_of(orm.mapper_of(object), name)
  return setmetatable({ object, name }, Attribute)
end

-- The state of one object: read anew each time it is asked.
local State = { __name = "object state" }
local states = { transient = true, pending = true, persistent = true, deleted = true, detached = true }
local names = {
  "attrs", "deleted", "deleting", "detached", "expired", "identity", "key", "mapper", "modified", "object", "pending", "persistent",
  "session", "state", "transient", "unloaded",
}

function State.__index(self, name)
  local object = rawget(self, 1)
  local state, modified, deleting, expired = orm.state(object)
  if name == "state" then return state end
  if states[name] then return state == name end
  if name == "modified" then return modified end
  if name == "deleting" then return deleting end
  if name == "expired" then return expired end
  if name == "key" or name == "identity" then return orm.key(object) end
  if name == "session" then return orm.object_session(object) end
  if name == "unloaded" then return orm.unloaded(object) end
  if name == "mapper" then return orm.mapper_of(object) end
  if name == "object" then return object end
  if name == "attrs" then return setmetatable({ object }, Attributes) end
  refuse.unknown("an object's state has no", name, names)
end

function State.__tostring(self)
  return ("%s, %s"):format(tostring(rawget(self, 1)), (orm.state(rawget(self, 1))))
end

--- The mapper of a model or alias, the state of an object; nil for anything else.
function inspect.inspect(value)
  if orm.is_instance(value) then return setmetatable({ value }, State) end
  if type(value) == "table" and rawget(value, "__mapper") then
    orm.configure(value.__mapper)
    return value.__mapper
  end
  return nil
end

return inspect
