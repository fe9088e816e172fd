--- What a schema is written with: Column, ForeignKey, constraints, Index, Table, MetaData. Here it is checked and
-- put in order; the core makes the records.
local core = require "lualchemy.core"
local check = require "lualchemy.check"

local schema = {}

local Column = { __name = "Column" }
local ForeignKey = { __name = "ForeignKey" }
local Constraint = { __name = "Constraint" }
local Index = { __name = "Index" }
local Computed = { __name = "Computed" }
local Identity = { __name = "Identity" }
local FetchedValue = { __name = "FetchedValue" }

Constraint.__index = Constraint
Index.__index = Index

local function is(value, class)
  return type(value) == "table" and getmetatable(value) == class
end

-- Printing ----------------------------------------------------------------------------------------

-- What belongs to a table prints as its DDL, the rest as it was written.
Index.__tostring = function(self)
  local ok, text = pcall(core.ddl, "index", "create", self.record, {})
  return ok and text or ("Index(%s)"):format(self.name or "")
end

Constraint.__tostring = function(self)
  local ok, text = pcall(core.ddl, "constraint", "create", self.record, {})
  return ok and text:match "^ALTER TABLE .- ADD (.*)$" or ("%s(%s)"):format(self.kind, self.name or tostring(self.sqltext or ""))
end

ForeignKey.__tostring = function(self) return ("ForeignKey(%s)"):format(self.target) end
Column.__tostring = function(self) return ("Column(%s)"):format(self.name or self.type and tostring(self.type) or "") end
Computed.__tostring = function(self) return ("Computed(%s)"):format(tostring(self.sqltext)) end
Identity.__tostring = function() return "Identity()" end
FetchedValue.__tostring = function() return "FetchedValue()" end

-- Conditions --------------------------------------------------------------------------------------

--- { dialects, callable } out of what ddl_if was given, for an element.
function schema.condition(element, definition)
  if type(definition) ~= "table" then check.argument("ddl_if takes { dialect = …, callable = … }, not %s", core.describe(definition)) end
  check.options(definition, { dialect = true, callable = "function" }, "ddl_if")
  local dialects, callable = definition.dialect, definition.callable
  if type(dialects) == "string" then dialects = { dialects } end
  for _, name in ipairs(dialects or {}) do core.check_dialect(name) end
  return { dialects = dialects, callable = callable and function(dialect) return callable(element, dialect) end }
end

-- constraint:ddl_if{ dialect = "postgresql" or { … }, callable = function(constraint, dialect) … end }: where it is created at all.
local function ddl_if(element, definition)
  element.condition = schema.condition(element, definition)
  if element.record then core.set_condition(element.record, element.condition) end
  return element
end

Constraint.ddl_if = ddl_if
Index.ddl_if = ddl_if

-- The same error for a column whose misspelt method is read from it as for any other name.
Column.__index = function(_, key)
  if key == "eq" or key == "desc" or key == "label" then
    check.argument("a Column{ … } becomes an expression when it belongs to a table: write table.c.name:%s", key)
  end
  return nil
end

local created = 0   -- columns keep the order in which they are written

-- A string or a list of them.
local function list_of_names(value, where)
  if type(value) == "string" then return { value } end
  if type(value) ~= "table" then check.argument("%s takes names of columns, not %s", where, core.describe(value)) end
  return value
end

-- Foreign keys ------------------------------------------------------------------------------------

local foreign_key_options = {
  name = "string", comment = "string", ondelete = "string", onupdate = "string", match = "string", initially = "string",
  deferrable = "boolean", use_alter = "boolean",
}

local function target_of(target, where)
  if type(target) == "string" then return target end
  if type(target) == "userdata" and core.is_column(target) then
    return target.table.fullname .. "." .. target.key
  end
  check.argument('%s takes "table.column" or a column, not %s', where, core.describe(target))
end

--- ForeignKey "teams.id", ForeignKey{ "teams.id", ondelete = "CASCADE" }: inside Column{}.
-- Options: name, ondelete, onupdate, match, initially, deferrable, use_alter.
function schema.ForeignKey(definition, ...)
  check.alone("ForeignKey", ...)
  if type(definition) ~= "table" then definition = { definition } end
  local options = check.dialect_options(definition, foreign_key_options, "foreign_key", "ForeignKey")
  if #definition ~= 1 then check.argument('ForeignKey takes one target, as in ForeignKey "teams.id"') end
  local made = { target = target_of(definition[1], "ForeignKey"), options = options }
  for option in pairs(foreign_key_options) do made[option] = definition[option] end
  return setmetatable(made, ForeignKey)
end

-- Columns -----------------------------------------------------------------------------------------

local column_options = {
  name = "string", key = "string", type_ = true, primary_key = "boolean", nullable = "boolean", unique = "boolean",
  index = "boolean", default = true, onupdate = true, server_default = true, server_onupdate = true,
  autoincrement = true, comment = "string", quote = "boolean",
}

local function place_in_column(column, value)
  if type(value) == "string" then
    if column.name then check.argument("Column '%s' has two names: '%s' as well", column.name, value) end
    column.name = value
  elseif core.is_type(value) then
    if column.type then check.argument("Column has two types: %s and %s", tostring(column.type), tostring(value)) end
    column.type = value
  elseif is(value, ForeignKey) then
    column.foreign_keys[#column.foreign_keys + 1] = value
  elseif is(value, Constraint) and value.kind == "check" then
    column.checks[#column.checks + 1] = value
  elseif is(value, Computed) then
    column.computed = value
  elseif type(value) == "userdata" and core.is_sequence(value) then
    column.default = value
  elseif is(value, Identity) then
    column.identity = value
  elseif is(value, FetchedValue) then
    column.server_default = true
  else
    check.argument("Column takes a name, a type, ForeignKey, CheckConstraint, Computed, Identity or Sequence, not %s", core.describe(value))
  end
end

--- Column{ [name,] [type,] [ForeignKey …,] option = … }: a column to be; Table{} and models make it real.
-- Options: primary_key, nullable, unique, index, default, onupdate, server_default, server_onupdate, autoincrement,
-- comment, quote, name, key, type_. default and onupdate: a value, a function without arguments, or an expression.
function schema.Column(definition, ...)
  check.alone("Column", ...)
  if type(definition) ~= "table" or core.is_type(definition) then definition = { definition } end
  local options = check.dialect_options(definition, column_options, "column", "Column")
  created = created + 1
  local column = { number = created, foreign_keys = {}, checks = {}, options = options }
  for option in pairs(column_options) do column[option] = definition[option] end
  column.type, column.type_ = definition.type_, nil
  local count = 0
  for i in pairs(definition) do
    if type(i) == "number" then count = math.max(count, i) end
    if type(i) == "number" and i > #definition then
      check.argument("Column{ … } has a nil among its parts (place %d); is a name misspelt?", i - 1)
    end
  end
  for i = 1, count do place_in_column(column, definition[i]) end
  local numbers = column.autoincrement
  if numbers ~= nil and type(numbers) ~= "boolean" and numbers ~= "auto" and numbers ~= "ignore_fk" then
    check.argument('autoincrement of Column is true, false, "auto" or "ignore_fk", not %s', tostring(numbers))
  end
  if is(column.server_default, FetchedValue) then column.server_default = true end
  if is(column.server_onupdate, FetchedValue) then column.server_onupdate = true end
  if column.type and not core.is_type(column.type) then
    check.argument("type_ of Column must be a type, not %s", core.describe(column.type))
  end
  return setmetatable(column, Column)
end

--- Is it what Column{} made?
function schema.is_column(value)
  return is(value, Column)
end

--- The creation number of a Column{}.
function schema.order(column)
  return column.number
end

--- A copy of a Column{} for a table: named by its key where it has no name of its own.
function schema.named_column(column, key)
  local named = {}
  for field, value in pairs(column) do named[field] = value end
  named.name = column.name or key
  named.key = column.key or key
  return setmetatable(named, Column)
end

--- The key under which table.c has the column that named_column(column, key) became.
function schema.column_key(column, key)
  return column.key or key
end

-- Constraints and indexes -------------------------------------------------------------------------

local function constraint(kind, definition, known, where)
  local made = { kind = kind, columns = {}, options = check.dialect_options(definition, known, kind, where) }
  for option in pairs(known) do made[option] = definition[option] end
  return setmetatable(made, Constraint)
end

local deferrable_options = { name = "string", comment = "string", deferrable = "boolean", initially = "string" }

-- One of columns that have a table already belongs to that table at once.
local function attach(made, owner)
  if owner then
    made.attached = owner
    made.record = core.add_constraint(owner, made.kind, made)
  end
  return made
end

-- A name or a column of either kind as its key; and the table of one that has one.
local function column_key(value)
  if type(value) == "userdata" and core.is_column(value) then return value.key, value.table end
  if is(value, Column) then return value.key or value.name end
  return value
end

local function column_names(made, definition, where)
  local owner
  for i, value in ipairs(definition) do
    local key, t = column_key(value)
    if type(key) ~= "string" then check.argument("%s takes names of columns, not %s", where, core.describe(value)) end
    made.columns[i] = key
    owner = owner or t
  end
  return attach(made, owner)
end

--- UniqueConstraint{ "a", "b", name = … }
function schema.UniqueConstraint(definition, ...)
  check.alone("UniqueConstraint", ...)
  definition = list_of_names(definition, "UniqueConstraint")
  local made = constraint("unique", definition, deferrable_options, "UniqueConstraint")
  if #definition == 0 then check.argument("UniqueConstraint needs names of columns") end
  return column_names(made, definition, "UniqueConstraint")
end

--- PrimaryKeyConstraint{ "a", "b", name = … }
function schema.PrimaryKeyConstraint(definition, ...)
  check.alone("PrimaryKeyConstraint", ...)
  definition = list_of_names(definition, "PrimaryKeyConstraint")
  local made = constraint("primary_key", definition, deferrable_options, "PrimaryKeyConstraint")
  return column_names(made, definition, "PrimaryKeyConstraint")
end

--- ForeignKeyConstraint{ { "a", "b" }, { "t.x", "t.y" }, ondelete = … }
function schema.ForeignKeyConstraint(definition, ...)
  check.alone("ForeignKeyConstraint", ...)
  if type(definition) ~= "table" or type(definition[1]) ~= "table" or type(definition[2]) ~= "table" then
    check.argument('ForeignKeyConstraint takes two lists: { { "a", "b" }, { "t.x", "t.y" }, ondelete = … }')
  end
  local made = constraint("foreign_key", definition, foreign_key_options, "ForeignKeyConstraint")
  made.targets = {}
  for i, target in ipairs(definition[2]) do made.targets[i] = target_of(target, "ForeignKeyConstraint") end
  return column_names(made, definition[1], "ForeignKeyConstraint")
end

--- CheckConstraint "age >= 0", CheckConstraint{ expression or SQL, name = … }: in a table or in a Column.
function schema.CheckConstraint(definition, ...)
  check.alone("CheckConstraint", ...)
  if type(definition) ~= "table" then definition = { definition } end
  local made = constraint("check", definition, deferrable_options, "CheckConstraint")
  local sqltext = definition[1]
  if #definition ~= 1 or type(sqltext) ~= "string" and not check.is_expression(sqltext) then
    check.argument("CheckConstraint takes a condition, as an expression or as SQL")
  end
  made.sqltext = sqltext
  return attach(made, type(sqltext) == "userdata" and core.expression_table(sqltext) or nil)
end

--- ExcludeConstraint{ { "room", "=" }, { t.c.during, "&&" }, name =, using = "gist", where =, ops = { column = "class" } }
function schema.ExcludeConstraint(definition, ...)
  check.alone("ExcludeConstraint", ...)
  if type(definition) ~= "table" then check.argument('ExcludeConstraint takes pairs: { { "room", "=" }, { "during", "&&" } }') end
  local known = { using = "string", where = true, ops = "table" }
  for name, kind in pairs(deferrable_options) do known[name] = kind end
  local made, owner = constraint("exclude", definition, known, "ExcludeConstraint"), nil
  made.operators = {}
  for i, pair in ipairs(definition) do
    local key, t = column_key(type(pair) == "table" and pair[1] or nil)
    if type(pair) ~= "table" or type(pair[2]) ~= "string" or type(key) ~= "string" and not check.is_expression(key) then
      check.argument('ExcludeConstraint takes pairs of a column and an operator, as in { "room", "=" }, not %s', core.describe(pair))
    end
    made.columns[i], made.operators[i], owner = key, pair[2], owner or t
  end
  if made.ops then
    made.options = made.options or {}
    made.options.postgresql_ops, made.ops = made.ops, nil
  end
  return attach(made, owner)
end

--- Index{ "name", "column" or expression, …, unique = …, where = …, postgresql_using = …, … }: inside Table{} or
-- __table_args; or of columns of a table that is there: Index{ "name", t.c.a, t.c.b }.
function schema.Index(definition, ...)
  check.alone("Index", ...)
  if type(definition) ~= "table" then definition = { definition } end
  local options = check.dialect_options(definition, { unique = "boolean", where = true, name = "string" }, "index", "Index")
  local made = { name = definition.name, unique = definition.unique, where = definition.where, columns = {}, options = options }
  local first = 1
  if not made.name and type(definition[1]) == "string" then made.name, first = definition[1], 2 end
  if #definition < first then check.argument('Index takes a name and columns, as in Index{ "ix_name", "column" }') end
  local owner
  for i = first, #definition do
    local value, t = column_key(definition[i])
    if type(value) ~= "string" and not check.is_expression(value) then
      check.argument("Index takes names of columns and expressions, not %s", core.describe(value))
    end
    owner = owner or t or type(value) == "userdata" and core.expression_table(value) or nil
    made.columns[#made.columns + 1] = value
  end
  setmetatable(made, Index)
  if owner then
    made.attached = owner
    made.record = core.add_index(owner, made)
  end
  return made
end

--- The record in the core of a constraint or index that belongs to a table.
function schema.record(part, where)
  if type(part) == "table" and part.record then return part.record end
  if is(part, Constraint) or is(part, Index) then
    check.argument("%s takes a constraint or Index that belongs to a table; this one does not yet", where)
  end
  check.argument("%s takes a constraint or an Index, not %s", where, core.describe(part))
end

--- Computed{ "price * amount", persisted = true }: a generated column, inside Column{}.
function schema.Computed(definition, ...)
  check.alone("Computed", ...)
  if type(definition) ~= "table" then definition = { definition } end
  check.options(definition, { persisted = "boolean" }, "Computed")
  if definition[1] == nil then check.argument("Computed takes an expression or SQL") end
  return setmetatable({ sqltext = definition[1], persisted = definition.persisted }, Computed)
end

local counting_options = {
  start = "number", increment = "number", minvalue = "number", maxvalue = "number", cache = "number",
  nominvalue = "boolean", nomaxvalue = "boolean", cycle = "boolean", order = "boolean",
}

--- Identity(), Identity{ start = 10, increment = 2, always = true, … }: the database's own counter, inside Column{}.
-- Options: always, on_null, start, increment, minvalue, maxvalue, nominvalue, nomaxvalue, cycle, cache, order.
function schema.Identity(options, ...)
  check.alone("Identity", ...)
  local known, made = { always = "boolean", on_null = "boolean" }, {}
  for name, kind in pairs(counting_options) do known[name] = kind end
  check.options(options or {}, known, "Identity")
  for name, value in pairs(options or {}) do made[name] = value end
  return setmetatable(made, Identity)
end

--- FetchedValue(): server_default = FetchedValue(): the database fills the column in by means of its own, a trigger say.
function schema.FetchedValue()
  return setmetatable({}, FetchedValue)
end

-- Tables ------------------------------------------------------------------------------------------

local function add_foreign_keys(t, column, key)
  for _, foreign in ipairs(column.foreign_keys) do
    local made = { columns = { key }, targets = { foreign.target }, of_column = true }
    for option in pairs(foreign_key_options) do made[option] = foreign[option] end
    made.options = foreign.options
    core.add_constraint(t, "foreign_key", made)
  end
  for _, one in ipairs(column.checks) do
    one.attached, one.record = t, core.add_constraint(t, "check", {
      columns = { key }, sqltext = one.sqltext, name = one.name, comment = one.comment, deferrable = one.deferrable,
      initially = one.initially, options = one.options, condition = one.condition, of_column = true,
    })
  end
end

local function add_column(t, column)
  if not column.name then check.argument("a Column of table '%s' has no name; write Column{ \"name\", … }", t.fullname) end
  core.add_column(t, column)
end

local table_options = { schema = "string", comment = "string", quote = "boolean", prefixes = "table" }

-- A part that belongs to the table already is there; one of another table is a mistake.
local function add_part(t, part)
  if part.attached == t then return end
  if part.attached then
    local what = is(part, Index) and "Index" or "constraint"
    check.argument("this %s belongs to table '%s', not to '%s'", what, part.attached.fullname, t.fullname)
  end
  part.attached = t
  if is(part, Index) then part.record = core.add_index(t, part) else part.record = core.add_constraint(t, part.kind, part) end
end

local function add_parts(t, definition)
  local columns, others = {}, {}
  for i = 3, #definition do
    local part = definition[i]
    if is(part, Column) then columns[#columns + 1] = part
    elseif is(part, Constraint) or is(part, Index) then others[#others + 1] = part
    else check.argument("Table '%s' takes Column, constraints and Index, not %s", definition[1], core.describe(part)) end
  end
  for _, column in ipairs(columns) do
    add_column(t, column)
    add_foreign_keys(t, column, column.key or column.name)
  end
  for _, part in ipairs(others) do add_part(t, part) end
end

local function set_options(t, definition, options)
  for key, value in pairs(options or {}) do core.table_option(t, key, value) end
  if definition.prefixes then core.table_prefixes(t, definition.prefixes) end
  for _, key in ipairs { "comment", "quote" } do
    if definition[key] ~= nil then core.table_option(t, key, definition[key]) end
  end
end

-- A copy goes there: the user's table stays as it was written.
local function autoloaded(definition)
  local copy = {}
  for key, value in pairs(definition) do copy[key] = value end
  return require "lualchemy.reflection".autoload(copy)
end

-- What goes with autoload_with means nothing by itself.
local function check_autoload(definition)
  for _, name in ipairs { "include_columns", "resolve_fks" } do
    if definition[name] ~= nil then check.argument("option '%s' of Table goes with autoload_with = engine, which is not there", name) end
  end
  for name in pairs(definition) do
    if type(name) == "string" and name:find "^auto_?load" then
      check.argument("Table has no option '%s'; what reads the columns from the database is autoload_with = engine", name)
    end
  end
end

--- Table{ "name", metadata, Column{…}, …, constraints, indexes, schema = …, comment = …, quote = …, prefixes = { "TEMPORARY" },
-- sqlite_… = … }.
-- Table{ "name", metadata } alone gives the table that is there. autoload_with = engine or connection: columns, constraints and
-- indexes are those that the database has, but for the columns written by hand; include_columns = { names } of them alone,
-- resolve_fks = false without the tables that its foreign keys refer to.
function schema.Table(definition, ...)
  check.alone("Table", ...)
  if type(definition) ~= "table" or type(definition[1]) ~= "string" then
    check.argument('Table takes a name, a MetaData and columns: Table{ "teams", metadata, Column{ … } }')
  end
  if definition.autoload_with ~= nil then return autoloaded(definition) end
  check_autoload(definition)
  local options = check.dialect_options(definition, table_options, "table", "Table")
  local name, metadata = definition[1], definition[2]
  if #definition == 2 then
    local full = definition.schema and definition.schema .. "." .. name or name
    local found = core.find_table(metadata, full)
    if found then return found end
  end
  local t = core.table(metadata, name, definition.schema)
  local ok, failure = pcall(add_parts, t, definition)
  if ok then ok, failure = pcall(set_options, t, definition, options) end
  if not ok then
    metadata:remove(t)
    error(failure, 0)
  end
  return t
end

--- table:append_column(Column{…}), table:append_constraint(constraint or Index): later additions.
core.table_methods.append_column = function(t, column)
  if not is(column, Column) then check.argument("append_column takes a Column, not %s", core.describe(column)) end
  add_column(t, column)
  add_foreign_keys(t, column, column.key or column.name)
  return t.c[column.key or column.name]
end

core.table_methods.append_constraint = function(t, part)
  if not is(part, Index) and not is(part, Constraint) then
    check.argument("append_constraint takes a constraint or an Index, not %s", core.describe(part))
  end
  add_part(t, part)
end

--- MetaData{ schema = …, naming_convention = { fk = "fk_%(table_name)s_%(column_0_name)s", … } }, MetaData().
function schema.MetaData(options, ...)
  check.alone("MetaData", ...)
  options = options or {}
  if type(options) ~= "table" then check.argument("MetaData takes a table of options, not %s", core.describe(options)) end
  check.options(options, { schema = "string", naming_convention = "table" }, "MetaData")
  return core.metadata(options.schema, options.naming_convention)
end

-- Sequences ---------------------------------------------------------------------------------------

--- Sequence "name", Sequence{ "name" [, metadata], start =, increment =, minvalue =, maxvalue =, nominvalue =, nomaxvalue =,
-- cycle =, cache =, order =, schema =, data_type =, optional =, quote = }: as a default of a Column, or by itself:
-- sequence:next_value().
function schema.Sequence(definition, ...)
  check.alone("Sequence", ...)
  if type(definition) == "string" then definition = { definition } end
  if type(definition) ~= "table" or type(definition[1]) ~= "string" then
    check.argument('Sequence takes a name, as in Sequence{ "ids", start = 100 }')
  end
  local known = { schema = "string", data_type = true, optional = "boolean", quote = "boolean" }
  for name, kind in pairs(counting_options) do known[name] = kind end
  local made = { name = definition[1], options = check.dialect_options(definition, known, "sequence", "Sequence") }
  for name in pairs(known) do made[name] = definition[name] end
  return core.sequence(definition[2], made)
end

return schema
