--- The object-relational part of lualchemy: models, sessions, relationships, loader options, events.
local core = require "lualchemy.core"
local loading = require "lualchemy.orm.loading"
local model = require "lualchemy.orm.model"
local refuse = require "lualchemy.orm.refuse"
local relationship = require "lualchemy.orm.relationship"
local sessions = require "lualchemy.orm.session"

local orm = {}

-- Events come where somebody listens, and binds are asked for where there are several.
core.orm.set_hooks(model.configure, function(...) return require "lualchemy.orm.events".dispatch(...) end,
  function(...) return require "lualchemy.orm.binds".route(...) end)

-- What statements ask of models -------------------------------------------------------------------

-- statement:join(Team.players), statement:join(alias, Team.players): the relationship's conditions.
local function join(statement, target, condition, options)
  local attribute, alias = target, nil
  if core.orm.is_relationship(condition) then
    attribute, alias, condition = condition, target, nil
  end
  if not core.orm.is_relationship(attribute) then
    refuse.value(target, "join takes a table, a model, an alias or a relationship such as Team.players")
  end
  if condition ~= nil then refuse.argument "a join along a relationship has its condition already; more conditions go to where" end
  local first, first_condition, second, second_condition = select(2, attribute:join_parts(alias))
  if not core.orm.has_from(statement) then statement = statement:select_from(attribute.parent) end
  statement = statement:join(first, first_condition, options)
  if second then statement = statement:join(second, second_condition, options) end
  return statement
end

local function unpack_list(list, i)
  if i <= list.n then return list[i], unpack_list(list, i + 1) end
end

local function condition(attribute, value)
  local metatable = type(value) == "table" and getmetatable(value)
  if metatable and metatable.__name == "criterion" then return attribute[value.method](attribute, unpack_list(value, 1)) end
  return attribute:eq(value)
end

-- where{ name = "Ann", team = red }: names of attributes and relationships, in the order in which the model has them.
local function criteria(_, names, source)
  local entity = core.orm.source_model(source)
  if not entity then return nil end
  local order, slots = {}, {}
  for name in pairs(names) do
    if type(name) == "string" then
      slots[name] = core.orm.slot_of(entity, name)
      order[#order + 1] = name
    end
  end
  table.sort(order, function(a, b) return slots[a] < slots[b] end)
  local conditions = {}
  for i, name in ipairs(order) do conditions[i] = condition(entity[name], names[name]) end
  return conditions
end

core.hooks.join = join
core.hooks.criteria = criteria
core.hooks.options = loading.apply

-- Names -------------------------------------------------------------------------------------------

orm.declarative_base = model.declarative_base
orm.deferred = model.deferred
orm.aliased = model.aliased
orm.relationship = relationship.new
orm.Session = sessions.Session
orm.sessionmaker = sessions.sessionmaker
orm.scoped_session = sessions.scoped_session
orm.object_session = core.orm.object_session
for name, option in pairs(loading) do
  if name ~= "apply" then orm[name] = option end
end

return orm
