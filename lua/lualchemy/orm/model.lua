--- Models: declarative_base and Base:model. A model is a table with an expression for each attribute; calling it makes an object.
local core = require "lualchemy.core"
local schema = require "lualchemy.schema"
local refuse = require "lualchemy.orm.refuse"
local relationship = require "lualchemy.orm.relationship"
local orm = core.orm

local model = {}

local bases = setmetatable({}, { __mode = "k" })   -- registry -> base
local pending = setmetatable({}, { __mode = "k" }) -- registry -> list of relationships with names to resolve

local owners = setmetatable({}, { __mode = "k" })  -- model -> base

local Deferred = { __name = "deferred column" }

--- deferred(Column{…}): the column is not loaded with the object, but when it is first read.
function model.deferred(column)
  if not schema.is_column(column) then refuse.value(column, "deferred takes a Column") end
  return setmetatable({ column = column }, Deferred)
end

-- Declarations ------------------------------------------------------------------------------------

local settings = { __tablename = "string", __table = "userdata", __table_args = "table", __extra = "boolean", __schema = "string" }
local setting_names = { "__tablename", "__table", "__table_args", "__extra", "__schema" }

local function check_setting(name, key, value)
  if not settings[key] then refuse.unknown(("model %s has no setting"):format(name), key, setting_names) end
  if type(value) ~= settings[key] then refuse.value(value, "%s of model %s must be a %s", key, name, settings[key]) end
end

local function refuse_member(name, key, value)
  if core.is_type(value) then refuse.argument("%s.%s is a type; write %s = Column{ … }", name, key, key) end
  refuse.value(value, "%s.%s must be a Column, a relationship or a function", name, key)
end

-- Sorts what a declaration says: columns by their creation, the rest by name.
local function read(name, declaration)
  local parts = { columns = {}, relationships = {}, methods = {}, deferred = {} }
  for key, value in pairs(declaration) do
    if type(key) ~= "string" then
      refuse.argument("model %s: what it has is written by name, as in id = Column{ … }; %s came without one", name, core.describe(value))
    end
    if getmetatable(value) == Deferred then
      parts.deferred[key] = true
      value = value.column
    end
    if key:sub(1, 2) == "__" then check_setting(name, key, value)
    elseif schema.is_column(value) then parts.columns[#parts.columns + 1] = { key = key, column = value }
    elseif relationship.is(value) then parts.relationships[#parts.relationships + 1] = { key = key, definition = value }
    elseif type(value) == "function" then parts.methods[key] = value
    else refuse_member(name, key, value) end
  end
  table.sort(parts.columns, function(a, b)
    if schema.order(a.column) ~= schema.order(b.column) then return schema.order(a.column) < schema.order(b.column) end
    return a.key < b.key
  end)
  table.sort(parts.relationships, function(a, b) return a.key < b.key end)
  return parts
end

local function make_table(base, name, declaration, parts)
  if declaration.__table then
    if #parts.columns > 0 then refuse.argument("model %s has a table of its own (__table) and columns; leave one out", name) end
    return declaration.__table
  end
  if not declaration.__tablename then refuse.request("model %s needs __tablename (or __table)", name) end
  if #parts.columns == 0 then refuse.argument("model %s has no columns", name) end
  local definition = { declaration.__tablename, base.metadata, schema = declaration.__schema }
  for _, part in ipairs(parts.columns) do
    definition[#definition + 1] = schema.named_column(part.column, part.key)
  end
  local arguments = declaration.__table_args or {}
  for _, item in ipairs(arguments) do definition[#definition + 1] = item end
  for key, value in pairs(arguments) do
    if type(key) == "string" then definition[key] = value end
  end
  return schema.Table(definition)
end

-- Models ------------------------------------------------------------------------------------------

-- What cannot be added to a model once it is made.
local function check_addition(name, key, value)
  if type(key) ~= "string" then refuse.argument("%s: methods and values are added by name", name) end
  if schema.is_column(value) or relationship.is(value) then
    refuse.request("%s.%s comes too late: declare columns and relationships with the model", name, key)
  end
end

local function metatable_of(name, construct, extend)
  return {
    __name = name .. " model",
    __call = construct,
    __tostring = function() return name end,
    __index = function(fields, key)
      if key == "model" and extend then return extend end
      if type(key) == "string" and key:sub(1, 2) == "__" then return nil end
      refuse.unknown(name .. " has no attribute", key, refuse.names(fields))
    end,
    __newindex = function(fields, key, value)
      check_addition(name, key, value)
      rawset(fields, key, value)
    end,
  }
end

local function no_submodel()
  core.error("NotSupportedError", "submodels are not there yet: declare a model of its own, with a relationship")
end

local resolved_later = { model = true, order_by = true, secondary = true, foreign_keys = true, remote_side = true }

local function add_relationships(base, fields, mapper, parts)
  local list = pending[base.registry.core]
  for _, part in ipairs(parts.relationships) do
    local definition = { name = part.key }
    for key, value in pairs(part.definition) do
      if not resolved_later[key] then definition[key] = value end
    end
    local slot = orm.relationship(mapper, definition)
    list[#list + 1] = { model = fields, name = part.key, slot = slot, definition = part.definition }
  end
end

local function declare(base, name, declaration)
  if type(declaration) ~= "table" then refuse.value(declaration, "model %s is declared by a table", name) end
  if base.registry.models[name] then refuse.request("there is a model named '%s' already; give this one another name", name) end
  local parts = read(name, declaration)
  local own = make_table(base, name, declaration, parts)
  local mapper = orm.mapper(base.registry.core, name, own)
  for _, part in ipairs(parts.columns) do
    local column = schema.column_key(part.column, part.key)
    local deferred = parts.deferred[part.key] or false
    if column ~= part.key or deferred then orm.attribute(mapper, column, part.key, deferred) end
  end
  local fields = {}
  add_relationships(base, fields, mapper, parts)
  local construct = orm.finish(mapper, fields, declaration.__extra or false)
  for key, method in pairs(parts.methods) do fields[key] = method end
  setmetatable(fields, metatable_of(name, construct, no_submodel))
  base.registry.models[name] = fields
  owners[fields] = base
  return fields
end

-- Bases -------------------------------------------------------------------------------------------

local Base = {}
Base.__index = Base
Base.__name = "declarative base"

--- Base:model "Team" { __tablename = "teams", id = Column{…}, … }: declares a table and the model over it.
function Base:model(name, declaration)
  if type(name) ~= "string" then refuse.value(name, "Base:model takes a name, as in Base:model \"Team\" { … }") end
  if declaration ~= nil then return declare(self, name, declaration) end
  return function(given) return declare(self, name, given) end
end

local known = { "metadata", "naming_convention", "schema" }

--- A base for models: they share its metadata, and know each other by name.
-- options: metadata, naming_convention, schema.
function model.declarative_base(options)
  options = options or {}
  refuse.options(options, known, { naming_convention = "table", schema = "string" }, "declarative_base")
  local metadata = options.metadata or schema.MetaData { naming_convention = options.naming_convention, schema = options.schema }
  local registry = { core = orm.registry(), models = {}, metadata = metadata }
  local base = setmetatable({ metadata = metadata, registry = registry }, Base)
  bases[registry.core] = base
  pending[registry.core] = {}
  return base
end

function model.is_base(value) return type(value) == "table" and getmetatable(value) == Base end

--- The base that a model was declared with.
function model.base_of(class) return owners[class] end

--- Resolves what the relationships of a base name, when its models are first used.
function model.configure(registry)
  local list = pending[registry]
  for i = #list, 1, -1 do
    relationship.resolve(bases[registry], list[i])
    table.remove(list, i)
  end
end

-- Aliases -----------------------------------------------------------------------------------------

--- aliased(Player [, name]): the model once more, for joins with itself.
function model.aliased(entity, name)
  if type(entity) ~= "table" or not rawget(entity, "__mapper") then
    refuse.value(entity, "aliased takes a model")
  end
  local mapper = entity.__mapper
  local fields = {}
  orm.configure(mapper)
  orm.alias(entity, fields, name)
  local function construct()
    refuse.argument("objects are made by %s itself, not by an alias of it", mapper.name)
  end
  return setmetatable(fields, metatable_of("alias of " .. mapper.name, construct))
end

return model
