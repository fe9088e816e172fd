--- Relationships: what relationship{} takes, and how the strings in it find what they name.
local core = require "lualchemy.core"
local refuse = require "lualchemy.orm.refuse"

local relationship = {}

local Definition = {}
Definition.__index = Definition
Definition.__name = "relationship"

local known = {
  "back_populates", "cascade", "order_by", "lazy", "uselist", "secondary", "foreign_keys", "remote_side", "viewonly",
  "passive_deletes", "post_update", "single_parent", "innerjoin",
}
local types = {
  back_populates = "string", cascade = "string", lazy = "string", uselist = "boolean", viewonly = "boolean",
  passive_deletes = "boolean", post_update = "boolean", single_parent = "boolean", innerjoin = "boolean",
}
local hints = {
  backref = "write back_populates on both sides",
  primaryjoin = "name the columns with foreign_keys and remote_side",
  secondaryjoin = "name the columns with foreign_keys and remote_side",
}

local function is_model(value)
  return type(value) == "table" and rawget(value, "__mapper") ~= nil
end

--- A relationship to another model, to be written in a model's declaration.
-- `relationship{ "Player", back_populates = "team", cascade = "all, delete-orphan", order_by = "Player.id" }`
function relationship.new(options)
  if type(options) ~= "table" or is_model(options) then options = { options } end
  local target = options[1]
  if type(target) ~= "string" and not is_model(target) then
    refuse.value(target, "relationship takes a model or the name of one, as in relationship{ \"Player\" }")
  end
  if options[2] ~= nil then refuse.argument "relationship takes one model; the rest is written as name = value" end
  for name, hint in pairs(hints) do
    if options[name] ~= nil then refuse.argument("relationship has no option '%s'; %s", name, hint) end
  end
  refuse.options(options, known, types, "relationship")
  local definition = {}
  for name, value in pairs(options) do
    if name ~= 1 then definition[name] = value end
  end
  definition.model = is_model(target) and target or nil
  definition.target = is_model(target) and target.__mapper.name or target
  return setmetatable(definition, Definition)
end

function relationship.is(value)
  return type(value) == "table" and getmetatable(value) == Definition
end

-- Names ------------------------------------------------------------------------------------------

local function attribute_of(model, name, place)
  local found = rawget(model, name)
  if type(found) == "userdata" then return found end
  local names = {}
  for _, attribute in ipairs(model.__mapper.column_attrs) do names[#names + 1] = attribute.key end
  refuse.unknown(("%s: %s has no attribute"):format(place, model.__mapper.name), name, names, "InvalidRequestError")
end

--- The column that "Player.id" or "players.id" names; a bare name is an attribute of `default`.
local function find_column(base, text, default, place)
  local owner, name = text:match "^(.+)%.([^.]+)$"
  if not owner then
    if default then return attribute_of(default, text, place) end
    refuse.request("%s: '%s' names no model", place, text)
  end
  local model = base.registry.models[owner]
  if model then return attribute_of(model, name, place) end
  local owner_table = base.metadata.tables[owner]
  if not owner_table then
    refuse.unknown(place .. ": there is no model and no table", owner, refuse.names(base.registry.models), "InvalidRequestError")
  end
  return owner_table.c[name]
end

local function as_expressions(base, value, default, place)
  if type(value) == "function" then value = value() end
  if type(value) ~= "table" then value = { value } end
  local list = {}
  for i, item in ipairs(value) do
    if type(item) == "string" then
      local name, direction = item:match "^(%S+)%s+(%a+)$"
      local expression = find_column(base, name or item, default, place)
      if direction then
        direction = direction:lower()
        if direction ~= "asc" and direction ~= "desc" then refuse.request("%s: '%s' is no order; write asc or desc", place, direction) end
        expression = expression[direction](expression)
      end
      list[i] = expression
    else
      list[i] = item
    end
  end
  return list
end

local function find_table(base, value, place)
  if type(value) == "function" then value = value() end
  if is_model(value) then return value.__table end
  if type(value) ~= "string" then return value end
  local model = base.registry.models[value]
  if model then return model.__table end
  local found = base.metadata.tables[value]
  if not found then refuse.unknown(place .. ": there is no table", value, refuse.names(base.metadata.tables), "InvalidRequestError") end
  return found
end

--- Resolves what a definition names, once all models are there.
function relationship.resolve(base, pending)
  local definition, orm = pending.definition, core.orm
  local place = pending.model.__mapper.name .. "." .. pending.name
  local target = definition.model or base.registry.models[definition.target]
  local found = { target = target }
  if definition.secondary then found.secondary = find_table(base, definition.secondary, place) end
  if definition.order_by then found.order_by = orm.comma(as_expressions(base, definition.order_by, target, place)) end
  if definition.foreign_keys then found.foreign_keys = as_expressions(base, definition.foreign_keys, nil, place) end
  if definition.remote_side then found.remote_side = as_expressions(base, definition.remote_side, target, place) end
  orm.hints(pending.model.__mapper, pending.slot, found)
end

return relationship
