--- lualchemy: SQLAlchemy's idea for Lua. This module gathers the public words and sets no global.
local core = require "lualchemy.core"
core.home()   -- errors point at the user's line, not at one of ours

local check = require "lualchemy.check"
require "lualchemy.engine"
local json = require "lualchemy.json"
local schema = require "lualchemy.schema"

local la = { _VERSION = "0.1.0", _NAME = "lualchemy", _LICENSE = "MIT" }

-- Words that the core has as they are -------------------------------------------------------------

for _, name in ipairs {
  -- values
  "null", "decimal", "date", "time", "datetime", "interval", "now", "utcnow",
  -- expressions
  "and_", "or_", "not_", "case", "cast", "try_cast", "type_coerce", "extract", "literal", "literal_column", "bindparam", "true_",
  "false_", "default_",
  "tuple_", "array", "distinct", "any_", "all_", "desc", "asc", "nulls_first", "nulls_last", "bitwise_not", "text",
  -- statements
  "select", "insert", "update", "delete", "upsert", "exists", "union", "union_all", "intersect", "intersect_all", "except_", "except_all",
  "alias", "lateral", "join", "outerjoin", "column", "tablesample",
  -- errors and waiting
  "is_error", "Error", "set_wait",
} do
  la[name] = core[name]
end

for name, value in pairs(core.types) do
  if name ~= "NullType" and not name:find " " then la[name] = value end
end

for _, name in ipairs {
  "Column", "Table", "MetaData", "ForeignKey", "ForeignKeyConstraint", "PrimaryKeyConstraint", "UniqueConstraint", "CheckConstraint",
  "Index", "Computed", "Identity", "FetchedValue", "ExcludeConstraint", "Sequence",
} do
  la[name] = schema[name]
end

-- Parts that few programs use: each is loaded when something of it is first asked for ------------------

-- The part puts methods of its own in place of these.
local function later(methods, part, names)
  for _, name in ipairs(names) do
    methods[name] = function(...)
      require(part)
      return methods[name](...)
    end
  end
end

later(core.metadata_methods, "lualchemy.ddl", { "create_script", "drop_script" })
later(core.connection_methods, "lualchemy.bulk", { "copy_from", "copy_to" })
later(core.engine_methods, "lualchemy.retry", { "run_transaction" })
later(core.orm.session_methods, "lualchemy.orm.merge", { "merge" })
later(core.connection_methods, "lualchemy.notification", { "listen", "unlisten", "notify", "notifications" })

-- Who listens to what create_all does; nobody does before there is a listener.
local schema_events = { before_create = true, after_create = true, before_drop = true, after_drop = true }

local function known_to_ddl(method)
  return function(target, name, fn)
    return schema_events[name] ~= nil and require("lualchemy.ddl").known_events[method](target, name, fn)
  end
end

local event   -- lualchemy.event

local function events()
  if not event then
    event = require "lualchemy.event"
    event.register { listen = known_to_ddl "listen", remove = known_to_ddl "remove", contains = known_to_ddl "contains" }
    event.register(require "lualchemy.orm.events")
  end
  return event
end

la.event = {}
for _, name in ipairs { "listen", "remove", "contains", "listens_for" } do
  la.event[name] = function(...) return events()[name](...) end
end

-- Words of lualchemy.ddl begin like this: CreateTable, DropIndex, SetTableComment, AddConstraint, DDL.
local ddl_begins = { Create = true, Drop = true, Set = true, Add = true, Attach = true, Detach = true, DDL = true }

local function ddl_word(name)
  return ddl_begins[name:match "^%u%l+" or name] and require "lualchemy.ddl".words[name] or nil
end

--- What lualchemy knows of an engine, a model, an object, a table; see lualchemy.inspection, which is loaded when first used.
function la.inspect(value)
  return require "lualchemy.inspection".inspect(value)
end

--- metadata:reflect{ … }; see lualchemy.reflection, which is loaded when first used.
function core.metadata_methods.reflect(...)
  return require "lualchemy.reflection".reflect(...)
end

la.set_json, la.json_list = json.set_json, core.json_list

-- Typed criteria: where{ score = la.ge(10), shirt = la.in_{ 1, 7 } } --------------------------------

for _, name in ipairs {
  "eq", "ne", "lt", "le", "gt", "ge", "is_", "is_not", "in_", "not_in", "between", "not_between", "like", "not_like", "ilike",
  "not_ilike", "contains", "startswith", "endswith", "icontains", "istartswith", "iendswith", "regexp_match",
  "not_regexp_match", "is_distinct_from", "is_not_distinct_from",
} do
  la[name] = function(...) return core.criterion(name, ...) end
end

--- between(low, high) is a criterion; between(expression, low, high) an expression.
la.between = function(...)
  local first = ...
  if select("#", ...) == 3 and check.is_expression(first) then return first:between(select(2, ...)) end
  return core.criterion("between", ...)
end

-- Tables that are only named, and values as tables -------------------------------------------------

--- table{ "name", la.column("id", la.Integer), …, schema = }: a table of which no more is known than this; it is in no MetaData.
function la.table(definition)
  check.options(definition, { schema = "string" }, "table")
  local parts = { definition[1], la.MetaData(), schema = definition.schema }
  for i = 2, #definition do
    local item = definition[i]
    if type(item) ~= "string" and not check.is_expression(item) then
      check.argument("table takes a name and columns such as la.column(\"id\", la.Integer), not %s",
        core.describe(item))
    end
    local named = type(item) == "string" and la.column(item) or item
    parts[#parts + 1] = la.Column { named.name, named.type }
  end
  return la.Table(parts)
end

local Values = { __name = "values" }
Values.__index = Values
Values.__tostring = function(self) return ("values(%s)"):format(self.definition.name or "") end

--- data{ { 1, "a" }, … }: the rows, as a source whose columns are in .c
function Values:data(rows)
  local columns = {}
  for i, column in ipairs(self.definition) do columns[i] = column end
  return core.values(columns, rows, self.definition.name, self.definition.literal_binds)
end

--- values{ la.column("id", la.Integer), …, name = "v", literal_binds = true }:data{ { 1 }, { 2 } }: rows that stand in the
-- statement itself.
function la.values(definition)
  check.options(definition, { name = "string", literal_binds = "boolean" }, "values")
  return setmetatable({ definition = definition }, Values)
end

-- Functions: la.func.name(…), la.func.package.name(…) ----------------------------------------------

local Function = { __name = "function name" }
Function.__index = function(self, name)
  return setmetatable({ self[1] .. "." .. name }, Function)
end
Function.__tostring = function(self) return "func." .. self[1] end
Function.__call = function(self, ...)
  return core.func(self[1], ...)
end

--- la.func.anything(arguments): a call of that SQL function. A last argument { type_ = T } says what it gives.
la.func = setmetatable({}, {
  __index = function(functions, name)
    local made = setmetatable({ name }, Function)
    rawset(functions, name, made)
    return made
  end,
})

-- Custom types ------------------------------------------------------------------------------------

local function type_expression(definition, name)
  local made = definition[name] and definition[name](core.operand(definition.impl))
  if made ~= nil and not check.is_expression(made) then
    check.argument("%s of TypeDecorator must give an expression, not %s", name, core.describe(made))
  end
  return made
end

local function check_operators(operators)
  for name, operator in pairs(operators or {}) do
    if type(name) ~= "string" or type(operator) ~= "function" then
      check.argument("operators of TypeDecorator are functions by name: { name = function(self, other) … end }")
    end
  end
end

--- TypeDecorator{ impl = T, bind = function(value, dialect) … end, result = function(value, dialect) … end, name = … }:
-- a type whose values go through functions on their way in and out. NULL goes through them as nil. The dialect's name
-- is nil where an expression is built, which knows none.
-- bind_expression(operand), column_expression(operand): SQL round each value, and round each column that is selected;
-- operators = { name = function(self, other) … end }: methods that expressions of the type have.
function la.TypeDecorator(definition)
  if type(definition) ~= "table" then check.argument("TypeDecorator takes { impl = type, bind = function, result = function }") end
  check.options(definition, {
    impl = true, bind = "function", result = "function", name = "string", bind_expression = "function",
    column_expression = "function", operators = "table",
  }, "TypeDecorator")
  if not core.is_type(definition.impl) then
    check.argument("impl of TypeDecorator must be a type such as la.String(80), not %s", core.describe(definition.impl))
  end
  check_operators(definition.operators)
  local functions = {
    bind = definition.bind, result = definition.result, name = definition.name, impl = definition.impl,
    operators = definition.operators,
  }
  return core.custom_type(definition.impl, functions, type_expression(definition, "bind_expression"),
    type_expression(definition, "column_expression"))
end

-- Custom constructs -------------------------------------------------------------------------------

local function check_dialect(name, where)
  for _, known in ipairs(core.dialects()) do
    if known == name then return end
  end
  local nearest = core.nearest(name, core.dialects())
  check.argument("%s knows no dialect '%s'%s", where, name, nearest and ("; the nearest is '" .. nearest .. "'") or "")
end

--- construct{ "name", type_ = T, default = function(element, compiler) … end, <dialect> = function … }: a function that
-- makes an expression of its arguments, which are element[1], element[2] … where the text is asked for. The functions
-- answer SQL; compiler:process(element[1]) is that of an argument, compiler.dialect the dialect's name.
function la.construct(definition)
  local name = type(definition) == "table" and definition[1]
  if type(name) ~= "string" then check.argument('construct takes a name and functions: construct{ "name", default = function … }') end
  for key, value in pairs(definition) do
    if type(key) == "string" and key ~= "type_" then
      if key ~= "default" then check_dialect(key, "construct") end
      if type(value) ~= "function" then check.argument("%s of construct must be a function, not %s", key, core.describe(value)) end
    end
  end
  for key, value in pairs(definition) do
    if type(key) == "string" and key ~= "type_" then core.hook("construct", name, key ~= "default" and key or nil, value) end
  end
  local made = definition.type_
  return function(...) return core.construct(name, made, ...) end
end

--- compiles(kind [, dialect], function(element, compiler) … end): writes all nodes of that kind ("cast", "function", …) in
-- place of lualchemy; compiler:default(element) is what lualchemy would write.
function la.compiles(kind, dialect, compile)
  if compile == nil and type(dialect) == "function" then dialect, compile = nil, dialect end
  if dialect ~= nil then check_dialect(dialect, "compiles") end
  if type(compile) ~= "function" then
    check.argument("compiles takes a kind of node, a dialect and a function, not %s", core.describe(compile))
  end
  core.hook(kind, nil, dialect, compile)
end

-- Engines -----------------------------------------------------------------------------------------

--- create_engine(url [, options]): no connection is opened yet. options: echo (true, or a function that takes lines),
-- pool ("queue", "static", "null"), pool_size, max_overflow, pool_timeout (seconds), pool_use_lifo, pool_recycle (seconds
-- after which a connection is replaced), pool_pre_ping (asks for a sign of life first), pool_reset_on_return ("rollback",
-- "commit", "none"), query_cache_size, prepared_cache_size, isolation_level ("SERIALIZABLE", "AUTOCOMMIT", …; the error for
-- an unknown one names what the database has), server_version (as the server would say it, "8.0.36": statements are written
-- for it at once, and no server is asked), wait (a function in place of that of la.set_wait, for this engine's connections),
-- shared (a name, or true for the URL as the name: one pool and one cache for all Lua states of the process that give it;
-- the first opens it, and options of the others must say the same; isolation_level, wait, echo and events are each one's
-- own), replicas (URLs that read only connections go to, in turn; in the table form create_engine{ primary = url,
-- replicas = { url, … } }). Errors: ArgumentError for options that are unknown, have a wrong type or contradict each other.
function la.create_engine(url, options)
  if type(url) == "table" and options == nil then
    options = {}
    for name, value in pairs(url) do options[name] = value end
    if options.primary ~= nil and options[1] ~= nil then check.argument "create_engine has two URLs, primary and [1]: give one" end
    url, options.primary = options.primary or options[1], nil
    options[1] = nil
  end
  local echo = type(options) == "table" and options.echo or nil
  if echo ~= nil and type(echo) ~= "boolean" and type(echo) ~= "function" then
    check.argument("echo of create_engine must be true or a function, not %s", core.describe(echo))
  end
  local engine = core.create_engine(url, options)
  if echo then events().echo(engine, echo) end
  return engine
end

--- dialects(): the names that compile{ dialect = … } knows.
la.dialects = core.dialects

-- The object-relational part ----------------------------------------------------------------------
local orm = require "lualchemy.orm"
for name, value in pairs(orm) do la[name] = value end

-- Exact types, la.VARCHAR, and the words of one database, la.postgresql.JSONB ------------------------

-- Both are made when they are first asked for; the words of a database are lualchemy.dialects.<name>.
return setmetatable(la, { __index = function(words, name)
  if type(name) ~= "string" then return nil end
  local made = ddl_word(name) or core.exact_type(name)
  if not made and core.exact_types(name) then made = require("lualchemy.dialects." .. name) end
  words[name] = made
  return made
end })
