--- la.inspect: what lualchemy knows of something, by its kind. That of an engine or a connection is an Inspector, which asks the
-- database's catalog, with the methods of SQLAlchemy's (reflection.py: Inspector) and its answers as Lua tables.
local core = require "lualchemy.core"
local check = require "lualchemy.check"
local models = require "lualchemy.orm.inspect"

local inspection = {}

local Inspector = { __name = "Inspector" }

-- Asking ------------------------------------------------------------------------------------------

local function with_connection(self, fn)
  if core.is_engine(self.bind) then return self.bind:begin(fn) end
  return fn(self.bind)
end

-- One connection for all that is asked together. fn is given ask(sql [, values]), which answers the rows.
local function asking(self, fn)
  return with_connection(self, function(connection)
    return fn(function(sql, values) return connection:exec_driver_sql(sql, values):all() end)
  end)
end

local function reader_of(self)
  if not rawget(self, "reader") then
    local module = "lualchemy.dialects." .. self.bind.dialect.name .. "_catalog"
    local ok, reader = pcall(require, module)
    if not ok and not tostring(reader):find("module '" .. module .. "' not found", 1, true) then error(reader, 0) end
    if not ok then
      core.error("UnsupportedCompilationError", ("the dialect '%s' has no catalog to reflect"):format(self.bind.dialect.name))
    end
    self.reader = reader
  end
  return self.reader
end

local function check_schema(schema, method)
  if schema ~= nil and type(schema) ~= "string" then
    check.argument("%s takes the name of a schema, or nothing for the default one, not %s", method, core.describe(schema))
  end
end

local function check_name(name, method, schema)
  if type(name) ~= "string" then check.argument("%s takes the name of a table, not %s", method, core.describe(name)) end
  check_schema(schema, method)
end

-- Records -----------------------------------------------------------------------------------------

local function same_letters(left, right) return left:lower() == right:lower() end

-- The record of a name, also where the database does not tell capitals apart.
local function in_catalog(made, name)
  if made.tables[name] then return made.tables[name] end
  if #made.names == 1 and same_letters(made.names[1], name) then return made.tables[made.names[1]] end
end

local function cache_of(self, schema)
  local key = schema or ""
  self.cache[key] = self.cache[key] or { singles = {} }
  return self.cache[key]
end

-- The names that there are cost a query, which only the error is worth.
local function refuse_missing(self, name, schema)
  local names = {}
  for i, one in ipairs(asking(self, function(ask) return reader_of(self).names(ask, schema) end)) do names[i] = one[1] end
  local nearest = core.nearest(name, names)
  core.error("NoSuchTableError", ("%s: there is no such table or view%s"):format(schema and schema .. "." .. name or name,
    nearest and "; the nearest is '" .. nearest .. "'" or ""))
end

local record_of

-- The columns of a key whose target names none are those of the primary key there.
local function complete_keys(self, record)
  for _, key in ipairs(record.foreign_keys) do
    if #key.referred_columns < #key.constrained_columns then
      local ok, referred = pcall(record_of, self, key.referred_table, key.referred_schema)
      for i = 1, #key.constrained_columns do
        local columns = ok and referred.pk_constraint.constrained_columns or key.constrained_columns
        key.referred_columns[i] = columns[i] or key.constrained_columns[i]
      end
    end
  end
end

-- All tables and views of a schema.
local function whole(self, schema)
  local cache = cache_of(self, schema)
  if not cache.whole then
    cache.whole = asking(self, function(ask) return reader_of(self).read(ask, { schema = schema }) end)
    for _, name in ipairs(cache.whole.names) do complete_keys(self, cache.whole.tables[name]) end
  end
  return cache.whole
end

function record_of(self, name, schema)
  local cache = cache_of(self, schema)
  local record = cache.whole and in_catalog(cache.whole, name) or cache.singles[name]
  if not record then
    local made = asking(self, function(ask) return reader_of(self).read(ask, { schema = schema, name = name }) end)
    record = in_catalog(made, name)
    if not record then refuse_missing(self, name, schema) end
    cache.singles[name] = record
    complete_keys(self, record)
  end
  return record
end

--- The records of lualchemy.catalog, for lualchemy.reflection: that of one table, and the catalog of a schema.
Inspector.record_ = record_of
Inspector.whole_ = whole

local function copy(value)
  if type(value) ~= "table" then return value end
  local made = {}
  for key, one in pairs(value) do made[key] = copy(one) end
  return made
end

-- What is asked by table --------------------------------------------------------------------------

-- { method, field of the record }: get_columns(name [, schema]) is a list of { name, type, nullable, default, … } and so on, in
-- SQLAlchemy's words; get_multi_columns{ schema =, filter_names = { … }, kind = } the same for all tables, by full name.
local parts = {
  { "columns", "columns" }, { "pk_constraint", "pk_constraint" }, { "foreign_keys", "foreign_keys" },
  { "unique_constraints", "unique_constraints" }, { "check_constraints", "check_constraints" }, { "indexes", "indexes" },
  { "exclude_constraints", "exclude_constraints" }, { "table_comment", "comment" }, { "table_options", "options" },
}

local function part_of(record, field)
  if field == "comment" then return { text = record.comment } end
  local made = copy(record[field])
  made.by_name = nil
  return made
end

-- What get_multi_* means by kind, as SQLAlchemy's ObjectKind.
local kinds = {
  table = { table = true, temporary = true }, view = { view = true }, materialized_view = { materialized_view = true },
  any_view = { view = true, materialized_view = true },
  any = { table = true, temporary = true, view = true, materialized_view = true },
}

local function wanted_names(self, options, where)
  options = options or {}
  check.options(options, { schema = "string", filter_names = "table", kind = "string" }, where)
  local kind = kinds[options.kind or "table"]
  if not kind then
    check.argument("kind of %s is \"table\", \"view\", \"materialized_view\", \"any_view\" or \"any\", not '%s'", where, options.kind)
  end
  local filter
  for _, name in ipairs(options.filter_names or {}) do
    filter = filter or {}
    filter[name] = true
  end
  local made, names = whole(self, options.schema), {}
  for _, name in ipairs(made.names) do
    if kind[made.tables[name].kind] and (not options.filter_names or filter and filter[name]) then names[#names + 1] = name end
  end
  return made, names
end

for _, part in ipairs(parts) do
  local method, field = part[1], part[2]
  Inspector["get_" .. method] = function(self, name, schema)
    check_name(name, "get_" .. method, schema)
    return part_of(record_of(self, name, schema), field)
  end
  Inspector["get_multi_" .. method] = function(self, options)
    local made, names = wanted_names(self, options, "get_multi_" .. method)
    local answers = {}
    for _, name in ipairs(names) do
      local full = options and options.schema and options.schema .. "." .. name or name
      answers[full] = part_of(made.tables[name], field)
    end
    return answers
  end
end

-- What is asked by schema -------------------------------------------------------------------------

local function names_of_kind(self, schema, kind)
  local names = {}
  for _, one in ipairs(asking(self, function(ask) return reader_of(self).names(ask, schema) end)) do
    if kind[one[2]] then names[#names + 1] = one[1] end
  end
  table.sort(names) -- as SQLAlchemy's do; a database may list them as they were made
  return names
end

local listings = {
  get_table_names = { table = true }, get_view_names = { view = true }, get_materialized_view_names = { materialized_view = true },
  get_temp_table_names = { temporary = true },
}

--- get_table_names([schema]), get_view_names, get_materialized_view_names, get_temp_table_names.
for method, kind in pairs(listings) do
  Inspector[method] = function(self, schema)
    check_schema(schema, method)
    return names_of_kind(self, schema, kind)
  end
end

--- get_schema_names(): a list.
function Inspector:get_schema_names()
  return asking(self, function(ask) return reader_of(self).schemas(ask) end)
end

--- get_view_definition(name [, schema]): its SQL.
function Inspector:get_view_definition(name, schema)
  check_name(name, "get_view_definition", schema)
  local found = asking(self, function(ask) return reader_of(self).view_definition(ask, name, schema) end)
  if not found then refuse_missing(self, name, schema) end
  return found
end

-- A list that some databases do not have.
local function optional(self, what, schema, method)
  check_schema(schema, method)
  local list = reader_of(self)[what]
  return list and asking(self, function(ask) return list(ask, schema) end) or {}
end

--- get_sequence_names([schema]): a list; without sequences an empty one.
function Inspector:get_sequence_names(schema)
  local names = {}
  for i, one in ipairs(optional(self, "sequences", schema, "get_sequence_names")) do names[i] = one.name end
  return names
end

--- get_sequences([schema]): { name, schema, data_type, start, increment, minvalue, maxvalue, cycle, cache }, …
function Inspector:get_sequences(schema) return optional(self, "sequences", schema, "get_sequences") end

--- get_enums([schema]): { name, schema, labels, visible }, …; schema "*" is all of them.
function Inspector:get_enums(schema) return optional(self, "enums", schema, "get_enums") end

--- get_domains([schema]): { name, schema, visible, type, nullable, default, collation, constraints = { { name, check }, … } }, …
function Inspector:get_domains(schema) return optional(self, "domains", schema, "get_domains") end

--- has_table(name [, schema]): is there such a table or view?
function Inspector:has_table(name, schema)
  check_name(name, "has_table", schema)
  return with_connection(self, function(connection) return connection:has_table(name, schema) end)
end

--- has_sequence(name [, schema])
function Inspector:has_sequence(name, schema)
  for _, one in ipairs(self:get_sequence_names(schema)) do
    if one == name then return true end
  end
  return false
end

--- has_index(table, name [, schema])
function Inspector:has_index(name, index, schema)
  check_name(name, "has_index", schema)
  for _, one in ipairs(record_of(self, name, schema).indexes) do
    if one.name == index then return true end
  end
  return false
end

--- clear_cache(): what was read is read again when it is asked for.
function Inspector:clear_cache() self.cache = {} end

-- The nearest of the methods that begin with the same word, or all that do: get_tables is get_table_names, not has_table.
local function refuse_method(key)
  local names, word = {}, key:match "^%a+"
  for name in pairs(Inspector) do
    local known = name:match "^(%l+)_%l.*[^_]$"
    if known and (known == word or not word) and (key:find "multi" or not name:find "multi") then names[#names + 1] = name end
  end
  table.sort(names)
  local nearest = core.nearest(key, names)
  local say = nearest and "; the nearest is '" .. nearest .. "'" or names[1] and "; there are " .. table.concat(names, ", ") or ""
  check.argument("Inspector has no '%s'%s", key, say)
end

--- inspector.dialect, inspector.default_schema_name.
Inspector.__index = function(self, key)
  if key == "dialect" then return self.bind.dialect end
  if key == "default_schema_name" then
    return asking(self, function(ask) return reader_of(self).default_schema(ask) end)
  end
  if Inspector[key] ~= nil or type(key) ~= "string" then return Inspector[key] end
  refuse_method(key)
end

--- inspect(engine or connection): an Inspector. inspect(model), inspect(object), …: what the ORM knows. A table or an
-- expression is its own description.
function inspection.inspect(value)
  if core.is_engine(value) or core.is_connection(value) then
    return setmetatable({ bind = value, cache = {} }, Inspector)
  end
  local found = models.inspect(value)
  if found then return found end
  if core.is_table(value) or type(value) == "userdata" and core.is_block(value) then return value end
  core.error("NoInspectionAvailable", ("No inspection system is available for %s"):format(core.describe(value)))
end

return inspection
