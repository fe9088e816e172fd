--- Loader options: how relationships and columns are loaded by one statement.
-- `select(Team):options(joinedload(Team.players):selectinload(Player.posts):load_only(Post.title))`
local core = require "lualchemy.core"
local refuse = require "lualchemy.orm.refuse"
local orm = core.orm

local loading = {}

-- An option is a path of relationships, each { strategy, id, slot, alias, extras }; the last one may carry more options.
local Option = {}
Option.__index = Option
Option.__name = "loader option"

local along_relationships = {
  "defaultload", "lazyload", "selectload", "joinedload", "selectinload", "raiseload", "noload", "contains_eager",
}
local of_attributes = { "defer", "undefer", "load_only" }
local same_as = { subqueryload = "selectinload", immediateload = "selectinload" }

local function is_option(value)
  return type(value) == "table" and getmetatable(value) == Option
end

local function copy(option)
  local path, extras = {}, {}
  for i, step in ipairs(option.path) do path[i] = step end
  for i, extra in ipairs(option.extras) do extras[i] = extra end
  return setmetatable({ path = path, extras = extras }, Option)
end

-- More options below the last relationship of the path (or beside it, when there is none).
local function with_extra(option, extra)
  local result = copy(option)
  local last = result.path[#result.path]
  if not last then
    result.extras[#result.extras + 1] = extra
    return result
  end
  local step = { strategy = last.strategy, id = last.id, slot = last.slot, alias = last.alias, target = last.target, extras = {} }
  for i, one in ipairs(last.extras) do step.extras[i] = one end
  step.extras[#step.extras + 1] = extra
  result.path[#result.path] = step
  return result
end

local function add_relationship(option, strategy, attribute, ...)
  local result = copy(option)
  if attribute == "*" then
    local last = result.path[#result.path]
    return with_extra(result, { strategy = strategy, id = last and orm.mapper_id(last.target), extras = {} })
  end
  if not orm.is_relationship(attribute) then
    refuse.value(attribute, "%s takes a relationship such as Team.players", strategy)
  end
  local id, slot, alias = orm.relationship_slot(attribute)
  if alias and strategy ~= "contains_eager" then
    refuse.argument("%s chooses its own alias; of_type goes with contains_eager", strategy)
  end
  result.path[#result.path + 1] = { strategy = strategy, id = id, slot = slot, alias = alias, target = attribute.target, extras = {} }
  if select("#", ...) > 0 then return add_relationship(result, strategy, ...) end
  return result
end

local function add_attributes(option, strategy, ...)
  local result = option
  if select("#", ...) == 0 then refuse.argument("%s needs attributes, such as Player.name", strategy) end
  for _, attribute in ipairs { ... } do
    local id, slot = orm.attribute_slot(attribute)
    if not id then refuse.value(attribute, "%s takes attributes of models, such as Player.name", strategy) end
    result = with_extra(result, { strategy = strategy, id = id, slot = slot, extras = {} })
  end
  return result
end

local function define(name, add, strategy)
  Option[name] = function(self, ...)
    if not is_option(self) then refuse.argument("write option:%s(…) with a colon", name) end
    return add(self, strategy, ...)
  end
  loading[name] = function(...)
    return add(setmetatable({ path = {}, extras = {} }, Option), strategy, ...)
  end
end

for _, name in ipairs(along_relationships) do define(name, add_relationship, name) end
for _, name in ipairs(of_attributes) do define(name, add_attributes, name) end
for name, strategy in pairs(same_as) do define(name, add_relationship, strategy) end

--- Options side by side below the relationship that this one leads along.
function Option:options(...)
  local result = self
  for _, option in ipairs { ... } do
    if not is_option(option) then refuse.value(option, "options takes loader options") end
    result = with_extra(result, option)
  end
  return result
end

-- Blocks ------------------------------------------------------------------------------------------

local to_blocks

local function to_block(step, children, default)
  for _, extra in ipairs(step.extras) do
    if is_option(extra) then to_blocks(extra, children, default)
    else children[#children + 1] = to_block(extra, {}, default) end
  end
  return orm.option(step.strategy, step.id or default, step.slot, step.alias, children)
end

function to_blocks(option, list, default)
  local below
  for i = #option.path, 1, -1 do below = { to_block(option.path[i], below or {}, default) } end
  if below then list[#list + 1] = below[1] end
  for _, extra in ipairs(option.extras) do list[#list + 1] = to_block(extra, {}, default) end
end

--- What statement:options(…) calls.
function loading.apply(statement, ...)
  local list = {}
  local default = orm.statement_entity(statement)
  for i = 1, select("#", ...) do
    local option = select(i, ...)
    if not is_option(option) then refuse.value(option, "options takes loader options such as selectinload(Team.players)") end
    if not default then refuse.argument "loader options belong to a select of models; this statement selects none" end
    to_blocks(option, list, default)
  end
  return orm.add_options(statement, list)
end

return loading
