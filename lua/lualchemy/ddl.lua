--- DDL as objects: CreateTable, DropIndex, DDL "…" and the rest. Each prints, compiles for a dialect, and runs on a connection.
local core = require "lualchemy.core"
local check = require "lualchemy.check"
local schema = require "lualchemy.schema"

local ddl = {}

local Element = { __name = "DDL element" }
Element.__index = Element

local Compiled = { __tostring = function(self) return self.sql end }

-- Elements ----------------------------------------------------------------------------------------

--- The statement as text: compile{ dialect =, version = }.sql.
function Element:compile(options)
  options = options or {}
  check.options(options, { dialect = "string", version = "string", literal_binds = "boolean" }, "compile")
  return setmetatable({ sql = self:text_(options), params = {}, dialect = options.dialect or "default" }, Compiled)
end

function Element:text_(options)
  return core.ddl(self.kind, self.action, self.thing, {
    dialect = options.dialect, version = options.version, if_exists = self.if_exists, cascade = self.cascade,
  })
end

-- What has no text prints the reason.
Element.__tostring = function(self)
  local ok, text = pcall(self.text_, self, {})
  if ok then return text end
  if not core.is_error(text) then error(text, 0) end
  return "<" .. self.__name .. ": " .. text.message .. ">"
end

--- ddl_if{ dialect = "postgresql" or { … }, callable = function(element, dialect) … end }: where it runs at all.
function Element:ddl_if(definition)
  self.condition = schema.condition(self, definition)
  return self
end

--- Is it for this dialect?
function Element:wanted_(dialect)
  local condition = self.condition
  if not condition then return true end
  local named = not condition.dialects
  for _, name in ipairs(condition.dialects or {}) do named = named or name == dialect end
  return named and (not condition.callable or condition.callable(dialect) and true or false)
end

-- conn:execute(element)
Element.__execute = function(self, connection)
  if not self:wanted_(connection.dialect.name) then return nil end
  return connection:exec_driver_sql(self:text_ { dialect = connection.dialect })
end

-- As a listener: event.listen(t, "after_create", DDL "…").
Element.__call = function(self, target, connection)
  local element = self.against and self:against(target) or self
  if element:wanted_(connection.dialect.name) then connection:execute(element) end
end

-- What stands at the first place, and the options: CreateTable(t, { … }), CreateSchema{ "name", … }.
local function arguments(thing, options, known, where)
  if type(thing) == "table" and getmetatable(thing) == nil and thing[1] ~= nil and options == nil then
    local given = thing
    thing, options = given[1], {}
    for key, value in pairs(given) do
      if type(key) == "string" then options[key] = value end
      if type(key) == "number" and key ~= 1 then check.argument("%s takes one thing, and options with names", where) end
    end
  end
  options = options or {}
  if type(options) ~= "table" then check.argument("%s takes a table of options, not %s", where, core.describe(options)) end
  check.options(options, known, where)
  return thing, options
end

local function element(kind, action, thing, options)
  return setmetatable({
    kind = kind, action = action, thing = thing, cascade = options.cascade,
    if_exists = options.if_exists or options.if_not_exists,
  }, Element)
end

local function identity(thing) return thing end

local function record_of(where)
  return function(part) return schema.record(part, where) end
end

local function sequence_of(where)
  return function(sequence)
    if type(sequence) ~= "userdata" or not core.is_sequence(sequence) then
      check.argument("%s takes a Sequence, not %s", where, core.describe(sequence))
    end
    return sequence
  end
end

local function schema_of(where)
  return function(name)
    if type(name) ~= "string" then check.argument("%s takes a schema's name, not %s", where, core.describe(name)) end
    return name
  end
end

local creates, drops, plain = { if_not_exists = "boolean" }, { if_exists = "boolean" }, {}
local added = { isolate_from_table = "boolean" }
local cascades = { if_exists = "boolean", cascade = "boolean" }

-- name, kind, action, options, what makes the core's thing of what the user gives
local rows = {
  { "CreateTable", "table", "create", creates }, { "DropTable", "table", "drop", drops },
  { "CreateIndex", "index", "create", creates, record_of }, { "DropIndex", "index", "drop", drops, record_of },
  { "AddConstraint", "constraint", "create", added, record_of }, { "DropConstraint", "constraint", "drop", cascades, record_of },
  { "CreateSequence", "sequence", "create", creates, sequence_of }, { "DropSequence", "sequence", "drop", drops, sequence_of },
  { "CreateSchema", "schema", "create", creates, schema_of }, { "DropSchema", "schema", "drop", cascades, schema_of },
  { "CreateType", "type", "create", plain }, { "DropType", "type", "drop", plain },
  { "SetTableComment", "table_comment", "create", plain }, { "DropTableComment", "table_comment", "drop", plain },
  { "SetColumnComment", "column_comment", "create", plain }, { "DropColumnComment", "column_comment", "drop", plain },
  { "SetConstraintComment", "constraint_comment", "create", plain, record_of },
  { "DropConstraintComment", "constraint_comment", "drop", plain, record_of },
  { "AttachTable", "attachment", "create", plain }, { "DetachTable", "attachment", "drop", plain },
}

--- CreateTable(table [, { if_not_exists = true }]), DropTable(table [, { if_exists = true }]), CreateIndex, DropIndex,
-- AddConstraint(constraint [, { isolate_from_table = false }]) (CREATE TABLE leaves such a constraint out, unless told otherwise),
-- DropConstraint(constraint [, { if_exists =, cascade = }]), CreateSequence, DropSequence, CreateSchema "name", DropSchema "name",
-- CreateType, DropType, SetTableComment, DropTableComment, SetColumnComment, DropColumnComment, SetConstraintComment,
-- DropConstraintComment, AttachTable(table) (makes it a partition of the one that its options name), DetachTable: the words that this
-- module gives to lualchemy.
ddl.words = {}

for _, row in ipairs(rows) do
  local name, kind, action, known = row[1], row[2], row[3], row[4]
  local subject = row[5] and row[5](name) or identity
  ddl.words[name] = function(thing, options)
    thing, options = arguments(thing, options, known, name)
    thing = subject(thing)
    if known == added and options.isolate_from_table ~= false then core.isolate(thing) end
    return element(kind, action, thing, options)
  end
end

-- Views -------------------------------------------------------------------------------------------

local view_options = {
  metadata = "userdata", schema = "string", or_replace = "boolean", temporary = "boolean", materialized = "boolean",
  if_not_exists = "boolean",
}
local rows_options = { metadata = "userdata", schema = "string", temporary = "boolean", if_not_exists = "boolean" }

local function of_query(definition, known, of_rows, where)
  if type(definition) ~= "table" or type(definition[2]) ~= "string" or not check.is_expression(definition[1]) then
    check.argument("%s takes a select and a name: %s{ select, \"name\" }", where, where)
  end
  local made = { query = definition[1], name = definition[2], of_rows = of_rows }
  made.options = check.dialect_options(definition, known, "view", where)
  for key in pairs(known) do made[key] = definition[key] end
  local t = core.view(definition.metadata or core.metadata(nil, nil), made)
  local one = element("table", "create", t, {})
  one.table = t
  return one
end

--- CreateView{ select, "name", metadata =, schema =, or_replace =, temporary =, materialized = }: .table is the view as a table;
-- with a metadata, create_all and drop_all know it.
function ddl.words.CreateView(definition, ...)
  check.alone("CreateView", ...)
  return of_query(definition, view_options, false, "CreateView")
end

--- CreateTableAs{ select, "name", metadata =, schema =, temporary =, if_not_exists = }: a table with the rows of the select; .table.
function ddl.words.CreateTableAs(definition, ...)
  check.alone("CreateTableAs", ...)
  return of_query(definition, rows_options, true, "CreateTableAs")
end

--- DropView "name", DropView{ "name", schema =, materialized =, if_exists = }, DropView(view [, { if_exists = true }]).
function ddl.words.DropView(view, options)
  if getmetatable(view) == Element and view.table then view = view.table end
  view, options = arguments(view, options, { if_exists = "boolean", schema = "string", materialized = "boolean" }, "DropView")
  if type(view) == "string" then
    view = core.view(core.metadata(nil, nil), {
      query = core.select(core.literal_column "1"), name = view, schema = options.schema, materialized = options.materialized,
    })
  end
  return element("table", "drop", view, options)
end

-- DDL as it was written ---------------------------------------------------------------------------

local Raw = { __name = "DDL" }
for name, value in pairs(Element) do
  if name ~= "__name" then Raw[name] = value end
end
Raw.__index = Raw

local function fill(text, context)
  return (text:gsub("%%(%(?)([%w_]*)(%)?)(.?)", function(open, name, close, last)
    if open == "" and name == "" and close == "" and last == "%" then return "%" end
    if open == "(" and close == ")" and last == "s" then
      if context[name] ~= nil then return tostring(context[name]) end
      local names = {}
      for known in pairs(context) do names[#names + 1] = known end
      table.sort(names)
      local nearest = core.nearest(name, names)
      check.argument("DDL knows no %%(%s)s%s", name,
        nearest and "; the nearest is %(" .. nearest .. ")s" or "; give it in context = { … }, or the DDL a table")
    end
    check.argument("a percent sign of DDL that begins no %%(name)s is written twice: %%%%")
  end))
end

function Raw:text_(options)
  local context = {}
  if self.target then
    local where = { dialect = options.dialect, version = options.version }
    context.fullname, context.table, context.schema = core.quote_table(self.target, where)
  end
  for name, value in pairs(self.context) do context[name] = value end
  return fill(self.template, context)
end

--- The same for a table, whose name the tokens %(table)s, %(schema)s and %(fullname)s then mean.
function Raw:against(target)
  local copy = {}
  for name, value in pairs(self) do copy[name] = value end
  if core.is_table(target) then copy.target = target end
  return setmetatable(copy, Raw)
end

--- DDL "ALTER TABLE %(table)s …", DDL{ "…", context = { name = … } }: SQL as it stands, with tokens; a percent sign is written twice.
function ddl.words.DDL(definition, ...)
  check.alone("DDL", ...)
  if type(definition) == "string" then definition = { definition } end
  if type(definition) ~= "table" or type(definition[1]) ~= "string" then
    check.argument("DDL takes SQL as a string, not %s", core.describe(definition))
  end
  check.options(definition, { context = "table" }, "DDL")
  return setmetatable({ template = definition[1], context = definition.context or {} }, Raw)
end

-- Events ------------------------------------------------------------------------------------------

local names = { before_create = true, after_create = true, before_drop = true, after_drop = true }
local listeners = {}   -- a table, or the id of a metadata -> event -> list of functions

local function key_of(target)
  if type(target) ~= "userdata" then return type(target) == "table" and rawget(target, "__table") or nil end
  return core.is_table(target) and target or core.metadata_id(target)
end

local known = {}

function known.listen(target, name, fn)
  local key = key_of(target)
  if not key or not names[name] then return false end
  listeners[key] = listeners[key] or {}
  listeners[key][name] = listeners[key][name] or {}
  table.insert(listeners[key][name], fn)
  return true
end

local function place_of(target, name, fn)
  local key = key_of(target)
  local list = key and listeners[key] and listeners[key][name] or {}
  for place, one in ipairs(list) do
    if one == fn then return list, place end
  end
end

function known.remove(target, name, fn)
  local list, place = place_of(target, name, fn)
  if list then table.remove(list, place) end
  return list ~= nil
end

function known.contains(target, name, fn)
  return place_of(target, name, fn) ~= nil
end

--- What event.register wants.
ddl.known_events = known

local function tell(name, target, connection)
  local lists = listeners[key_of(target)]
  local now = {}   -- a listener may take itself out
  for i, fn in ipairs(lists and lists[name] or {}) do now[i] = fn end
  for _, fn in ipairs(now) do fn(target, connection) end
end

-- create_all and drop_all tell of each table and of the metadata.
core.hooks.schema_event = tell

-- Scripts -----------------------------------------------------------------------------------------

-- In place of a connection: what it is to execute becomes part of the script.
local Recorder = {}
Recorder.__index = Recorder

function Recorder:execute(statement)
  if type(statement) == "table" and statement.text_ then
    if not statement:wanted_(self.dialect.name) then return end
    self:exec_driver_sql(statement:text_ { dialect = self.dialect })
  else
    self:exec_driver_sql(statement:compile({ dialect = self.dialect, literal_binds = true }).sql)
  end
end

function Recorder:exec_driver_sql(sql)
  self.list[#self.list + 1] = sql
end

local function script(metadata, action, options)
  options = options or {}
  check.options(options, { dialect = "string", version = "string" }, action .. "_script")
  local recorder = setmetatable({ dialect = core.dialect(options), list = {} }, Recorder)
  tell("before_" .. action, metadata, recorder)
  local current
  for _, one in ipairs(core.ddl_script(metadata, action, options)) do
    if current and current ~= one.table then tell("after_" .. action, current, recorder) end
    if one.table and current ~= one.table then tell("before_" .. action, one.table, recorder) end
    current = one.table
    recorder:exec_driver_sql(one.sql)
  end
  if current then tell("after_" .. action, current, recorder) end
  tell("after_" .. action, metadata, recorder)
  return #recorder.list > 0 and table.concat(recorder.list, ";\n\n") .. ";\n" or ""
end

--- metadata:create_script{ dialect =, version = }: what create_all would do on an empty database, as text. No database is asked.
core.metadata_methods.create_script = function(metadata, options) return script(metadata, "create", options) end

--- metadata:drop_script{ dialect =, version = }
core.metadata_methods.drop_script = function(metadata, options) return script(metadata, "drop", options) end

return ddl
