--- Tables out of a database's catalog: metadata:reflect{ … } and Table{ "name", metadata, autoload_with = engine }.
local core = require "lualchemy.core"
local check = require "lualchemy.check"
local inspection = require "lualchemy.inspection"
local schema = require "lualchemy.schema"

local reflection = {}

-- Parts of a record as parts of a Table -----------------------------------------------------------

local function sql(text) return core.literal_column(text) end

-- { name = value } of dialect options into a definition. Texts of conditions are SQL.
local function add_options(definition, options)
  for name, value in pairs(options or {}) do definition[name] = name:find "_where$" and sql(value) or value end
  return definition
end

local function column_of(record, of_table, source)
  local definition = {
    record.name, record.type, nullable = record.nullable, comment = record.comment, autoincrement = record.autoincrement,
  }
  if record.autoincrement == "auto" then definition.autoincrement = nil end
  if record.identity then definition[#definition + 1] = schema.Identity(record.identity)
  elseif record.computed then
    definition[#definition + 1] = schema.Computed { record.computed.sqltext, persisted = record.computed.persisted }
  elseif record.default then
    local default = record.default
    if source.default_sql then default = source.default_sql(default, record, of_table) end
    definition.server_default = default == true and schema.FetchedValue() or default and sql(default) or nil
    if type(default) == "string" and definition.autoincrement then definition.autoincrement = false end   -- its default numbers it
  end
  if record.on_update then definition.server_onupdate = sql(record.on_update) end
  return schema.Column(add_options(definition, record.dialect_options))
end

-- Its name stands in the database: no naming convention is to make another of it. record: what the catalog tells of it.
local function final(made, record)
  made.name_is_final, made.comment = record.name ~= nil, record.comment
  return made
end

-- Columns by their keys, which are their names unless somebody gave them others.
local function keyed(names, keys)
  local list = {}
  for i, name in ipairs(names) do list[i] = keys[name] end
  return list
end

local function of_columns(names, keys, name, options)
  local definition = keyed(names, keys)
  definition.name = name
  return add_options(definition, options)
end

local function primary_key(record, keys)
  local key = record.pk_constraint
  if #key.constrained_columns == 0 then return nil end
  return final(schema.PrimaryKeyConstraint(of_columns(key.constrained_columns, keys, key.name, key.dialect_options)), key)
end

local function foreign_key(key, keys)
  local targets = {}
  local prefix = (key.referred_schema and key.referred_schema .. "." or "") .. key.referred_table .. "."
  for i, name in ipairs(key.referred_columns) do targets[i] = prefix .. name end
  local definition = { keyed(key.constrained_columns, keys), targets, name = key.name }
  for name, value in pairs(key.options or {}) do definition[name] = value end
  return final(schema.ForeignKeyConstraint(add_options(definition, key.dialect_options)), key)
end

local function unique(one, keys)
  local definition = of_columns(one.column_names, keys, one.name, one.dialect_options)
  definition.deferrable, definition.initially = one.deferrable, one.initially
  return final(schema.UniqueConstraint(definition), one)
end

local function check_constraint(one)
  return final(schema.CheckConstraint(add_options({ one.sqltext, name = one.name }, one.dialect_options)), one)
end

-- The option that has classes of operators, whatever the dialect.
local function classes_of(options)
  for name, value in pairs(options or {}) do
    if name:find "_ops$" then return value end
  end
end

-- A class of operators finds an expression by its label.
local function with_class(term, text, classes)
  return classes and classes[text] and term:label(text) or term
end

local function exclude(one, keys)
  local definition = { name = one.name, using = one.using, where = one.where and sql(one.where), ops = one.ops }
  definition.deferrable, definition.initially = one.deferrable, one.initially
  for place, operator in ipairs(one.operators) do
    local name, text = one.expressions[place][1], one.expressions[place].text
    definition[place] = { name and keys[name] or with_class(sql(text), text, one.ops), operator }
  end
  return final(schema.ExcludeConstraint(definition), one)
end

-- One place of an index: a plain column's key, or an expression with its direction.
local function index_term(t, keys, index, place)
  local name = index.column_names[place]
  local text = index.expressions and index.expressions[place] or name
  local collation = (index.column_collations or {})[place]
  local sorting = (index.column_sorting or {})[text]
  if name and not collation and not sorting then return keys[name] end
  local term = name and t.c[keys[name]] or sql(text)
  if collation then term = term:collate(collation) end
  term = with_class(term, text, classes_of(index.dialect_options))
  for _, word in ipairs(sorting or {}) do term = term[word](term) end
  return term
end

local function index_of(t, keys, index)
  local definition = add_options({ unique = index.unique, name = index.name }, index.dialect_options)
  for place = 1, #index.column_names do definition[place] = index_term(t, keys, index, place) end
  return schema.Index(definition)
end

-- What the user wrote stays ------------------------------------------------------------------------

-- { columns written by hand by name, the foreign keys among them by column, the other parts }
local function by_hand(definition)
  local made = { columns = {}, order = {}, keys = {}, parts = {} }
  for place = 3, #definition do
    local part = definition[place]
    if schema.is_column(part) then
      if part.name then made.columns[part.name], made.order[#made.order + 1] = part, part end
      if #part.foreign_keys > 0 then made.keys[part.name] = true end
      made.primary_key = made.primary_key or part.primary_key
    else
      made.parts[#made.parts + 1] = part
      if part.kind == "primary_key" then made.primary_key = true end
      if part.kind == "foreign_key" then
        for _, name in ipairs(part.columns) do made.keys[name] = true end
      end
    end
  end
  return made
end

local function any_in(names, set)
  for _, name in ipairs(names) do
    if set[name] then return true end
  end
  return false
end

local function all_in(names, set)
  for _, name in ipairs(names) do
    if name and not set[name] then return false end
  end
  return true
end

-- The Constraint of a record, or nil where it is not wanted.
local made_constraint = {
  foreign_keys = function(key, keys, hand)
    local wanted = all_in(key.constrained_columns, keys) and not any_in(key.constrained_columns, hand.keys)
    return wanted and foreign_key(key, keys) or nil
  end,
  unique = function(one, keys)
    local wanted = all_in(one.column_names, keys) and not one.duplicates_index
    return wanted and unique(one, keys) or nil
  end,
  exclude = function(one, keys)
    for _, expression in ipairs(one.expressions) do
      if expression[1] and not keys[expression[1]] then return nil end
    end
    return exclude(one, keys)
  end,
  checks = check_constraint,
}

local function in_order(record)
  if record.order then return record.order end
  local list = {}
  local function add(kind, records)
    for _, one in ipairs(records) do list[#list + 1] = { kind = kind, record = one } end
  end
  add("foreign_keys", record.foreign_keys)
  add("unique", record.unique_constraints)
  add("exclude", record.exclude_constraints)
  add("checks", record.check_constraints)
  return list
end

-- The list of parts that Table takes, and the columns' keys by their names.
local function parts_of(record, hand, include, source)
  local parts, keys = {}, {}
  local function add(part) parts[#parts + 1] = part end
  for _, column in ipairs(record.columns) do
    if not include or include[column.name] then
      local own = hand.columns[column.name]
      keys[column.name] = own and own.key or column.name
      add(own or column_of(column, record, source))
    end
  end
  for _, column in ipairs(hand.order) do
    if not keys[column.name] then add(column) end
  end
  if not hand.primary_key and all_in(record.pk_constraint.constrained_columns, keys) then add(primary_key(record, keys)) end
  for _, one in ipairs(in_order(record)) do add(made_constraint[one.kind](one.record, keys, hand)) end
  for _, part in ipairs(hand.parts) do add(part) end
  return parts, keys
end

-- Makes the Table of a record; `definition` is what the user gave, its options over those of the database.
local function build(inspector, record, definition, include)
  local made = { definition[1], definition[2], schema = definition.schema, comment = record.comment }
  add_options(made, record.options)
  for name, value in pairs(definition) do
    if type(name) == "string" then made[name] = value end
  end
  local parts, keys = parts_of(record, by_hand(definition), include, inspector.reader)
  for _, part in ipairs(parts) do made[#made + 1] = part end
  local t = schema.Table(made)
  for _, index in ipairs(record.indexes) do
    if all_in(index.column_names, keys) and not index.duplicates_constraint then t:append_constraint(index_of(t, keys, index)) end
  end
  return t
end

-- Tables ------------------------------------------------------------------------------------------

local function full_name(name, of_schema) return of_schema and of_schema .. "." .. name or name end

-- The tables that the keys of this one refer to, and theirs, as far as they are not there.
local function load_referred(inspector, metadata, record)
  local waiting = { record }
  while #waiting > 0 do
    for _, key in ipairs(table.remove(waiting).foreign_keys) do
      local name, of_schema = key.referred_table, key.referred_schema
      if not core.find_table(metadata, full_name(name, of_schema)) then
        local ok, referred = pcall(inspector.record_, inspector, name, of_schema)
        if ok and not core.find_table(metadata, full_name(referred.name, of_schema)) then
          build(inspector, referred, { referred.name, metadata, schema = of_schema })
          waiting[#waiting + 1] = referred
        elseif not ok and not (core.is_error(referred) and referred.kind == "NoSuchTableError") then
          error(referred, 0)
        end
      end
    end
  end
end

-- Columns that a record does not have are an error.
local function check_included(include, record)
  local names, there = {}, {}
  for i, column in ipairs(record.columns) do
    names[i] = column.name
    there[column.name] = true
  end
  for name in pairs(include) do
    if not there[name] then
      local nearest = core.nearest(tostring(name), names)
      check.argument("include_columns: table '%s' has no column '%s'%s", record.name, tostring(name),
        nearest and "; the nearest is '" .. nearest .. "'" or "")
    end
  end
end

local autoload_options = { resolve_fks = "boolean", include_columns = "table" }

--- Table{ "name", metadata, …, autoload_with = engine or connection, include_columns = { names }, resolve_fks = false }: the
-- options are taken out of `definition`, which is changed.
function reflection.autoload(definition)
  local bind, resolve, include = definition.autoload_with, definition.resolve_fks, nil
  check.options({ resolve_fks = resolve, include_columns = definition.include_columns }, autoload_options, "Table")
  if definition.include_columns then
    include = {}
    for _, name in ipairs(definition.include_columns) do include[name] = true end
  end
  definition.autoload_with, definition.include_columns, definition.resolve_fks = nil, nil, nil
  if not core.is_engine(bind) and not core.is_connection(bind) then
    check.argument("autoload_with takes an engine or a connection, not %s", core.describe(bind))
  end
  local inspector = inspection.inspect(bind)
  local record = inspector:record_(definition[1], definition.schema or definition[2].schema)
  if include then check_included(include, record) end
  local t = build(inspector, record, definition, include)
  if resolve ~= false then load_referred(inspector, definition[2], record) end
  return t
end

-- Tables that must be there before others without a foreign key saying so.
local function add_dependencies(metadata, catalog, of_schema)
  for _, name in ipairs(catalog.names) do
    local t = core.find_table(metadata, full_name(name, of_schema))
    for _, other in ipairs(t and catalog.tables[name].depends_on or {}) do
      local on = core.find_table(metadata, full_name(other, of_schema)) or core.find_table(metadata, other)
      if on then t:add_is_dependent_on(on) end
    end
  end
end

-- What `only` says, as a function; names that are not there are an error.
local function filter_of(only, catalog, metadata, bind)
  if only == nil then return function() return true end end
  if type(only) == "function" then return function(name) return only(name, metadata) end end
  if type(only) ~= "table" then check.argument("only of reflect takes a list of names or a function, not %s", core.describe(only)) end
  local wanted, missing = {}, {}
  for _, name in ipairs(only) do
    wanted[name] = true
    if not catalog.tables[name] then missing[#missing + 1] = name end
  end
  if #missing > 0 then
    core.error("InvalidRequestError", ("Could not reflect: requested table(s) not available in %s: (%s)"):format(tostring(bind),
      table.concat(missing, ", ")))
  end
  return function(name) return wanted[name] end
end

local reflect_options = { bind = true, schema = "string", only = true, views = "boolean", resolve_fks = "boolean" }

--- metadata:reflect{ bind = engine or connection, schema =, only = { names } or function(name, metadata), views = true,
-- resolve_fks = false }: a Table for each table of the database (and view, if wanted) that the metadata does not have yet; and
-- for those that their foreign keys refer to. The number of queries does not depend on that of the tables.
function reflection.reflect(metadata, options, ...)
  check.alone("reflect", ...)
  if core.is_engine(options) or core.is_connection(options) then options = { bind = options } end
  if type(options) ~= "table" then check.argument("reflect takes { bind = engine }, not %s", core.describe(options)) end
  check.options(options, reflect_options, "reflect")
  if not core.is_engine(options.bind) and not core.is_connection(options.bind) then
    check.argument("bind of reflect must be an engine or a connection, not %s", core.describe(options.bind))
  end
  local inspector, of_schema = inspection.inspect(options.bind), options.schema or metadata.schema
  local catalog = inspector:whole_(of_schema)
  local wanted = filter_of(options.only, catalog, metadata, options.bind)
  for _, name in ipairs(catalog.names) do
    local record = catalog.tables[name]
    local is_view = record.kind == "view" or record.kind == "materialized_view"
    if (options.views or not is_view) and wanted(name) and not core.find_table(metadata, full_name(name, of_schema)) then
      build(inspector, record, { name, metadata, schema = of_schema })
      if options.resolve_fks ~= false then load_referred(inspector, metadata, record) end
    end
  end
  add_dependencies(metadata, catalog, of_schema)
end

return reflection
