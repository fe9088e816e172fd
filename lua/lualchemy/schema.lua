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

local function is(value, class)
  return type(value) == "table" and getmetatable(value) == class
end

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
  name = "string", ondelete = "string", onupdate = "string", match = "string", initially = "string",
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
function schema.ForeignKey(definition)
  if type(definition) ~= "table" then definition = { definition } end
  check.options(definition, foreign_key_options, "ForeignKey")
  if #definition ~= 1 then check.argument('ForeignKey takes one target, as in ForeignKey "teams.id"') end
  local made = { target = target_of(definition[1], "ForeignKey") }
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
  elseif is(value, Identity) then
    column.identity = value
  elseif is(value, FetchedValue) then
    column.server_default = true
  else
    check.argument("Column takes a name, a type, ForeignKey, CheckConstraint, Computed or Identity, not %s", core.describe(value))
  end
end

--- Column{ [name,] [type,] [ForeignKey …,] option = … }: a column to be; Table{} and models make it real.
-- Options: primary_key, nullable, unique, index, default, onupdate, server_default, server_onupdate, autoincrement,
-- comment, quote, name, key, type_. default and onupdate: a value, a function without arguments, or an expression.
function schema.Column(definition)
  if type(definition) ~= "table" or core.is_type(definition) then definition = { definition } end
  check.options(definition, column_options, "Column")
  created = created + 1
  local column = { number = created, foreign_keys = {}, checks = {} }
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
  check.options(definition, known, where)
  local made = { kind = kind, columns = {} }
  for option in pairs(known) do made[option] = definition[option] end
  return made
end

local function column_names(made, definition, where)
  for i, value in ipairs(definition) do
    if type(value) == "userdata" and core.is_column(value) then value = value.key end
    if is(value, Column) then value = value.key or value.name end
    if type(value) ~= "string" then check.argument("%s takes names of columns, not %s", where, core.describe(value)) end
    made.columns[i] = value
  end
  return setmetatable(made, Constraint)
end

--- UniqueConstraint{ "a", "b", name = … }
function schema.UniqueConstraint(definition)
  definition = list_of_names(definition, "UniqueConstraint")
  local made = constraint("unique", definition, { name = "string", deferrable = "boolean", initially = "string" }, "UniqueConstraint")
  if #definition == 0 then check.argument("UniqueConstraint needs names of columns") end
  return column_names(made, definition, "UniqueConstraint")
end

--- PrimaryKeyConstraint{ "a", "b", name = … }
function schema.PrimaryKeyConstraint(definition)
  definition = list_of_names(definition, "PrimaryKeyConstraint")
  local made = constraint("primary_key", definition, { name = "string" }, "PrimaryKeyConstraint")
  return column_names(made, definition, "PrimaryKeyConstraint")
end

--- ForeignKeyConstraint{ { "a", "b" }, { "t.x", "t.y" }, ondelete = … }
function schema.ForeignKeyConstraint(definition)
  if type(definition) ~= "table" or type(definition[1]) ~= "table" or type(definition[2]) ~= "table" then
    check.argument('ForeignKeyConstraint takes two lists: { { "a", "b" }, { "t.x", "t.y" }, ondelete = … }')
  end
  local made = constraint("foreign_key", definition, foreign_key_options, "ForeignKeyConstraint")
  made.targets = {}
  for i, target in ipairs(definition[2]) do made.targets[i] = target_of(target, "ForeignKeyConstraint") end
  return column_names(made, definition[1], "ForeignKeyConstraint")
end

--- CheckConstraint "age >= 0", CheckConstraint{ expression or SQL, name = … }: in a table or in a Column.
function schema.CheckConstraint(definition)
  if type(definition) ~= "table" then definition = { definition } end
  local made = constraint("check", definition, { name = "string" }, "CheckConstraint")
  local sqltext = definition[1]
  if #definition ~= 1 or type(sqltext) ~= "string" and not check.is_expression(sqltext) then
    check.argument("CheckConstraint takes a condition, as an expression or as SQL")
  end
  made.sqltext = sqltext
  return setmetatable(made, Constraint)
end

--- Index{ "name", "column" or expression, …, unique = …, where = … }: inside Table{} or __table_args; or of columns of
-- a table that is there: Index{ "name", t.c.a, t.c.b }.
function schema.Index(definition)
  if type(definition) ~= "table" then definition = { definition } end
  check.options(definition, { unique = "boolean", where = true, name = "string" }, "Index")
  local made = { name = definition.name, unique = definition.unique, where = definition.where, columns = {} }
  local first = 1
  if not made.name and type(definition[1]) == "string" then made.name, first = definition[1], 2 end
  if #definition < first then check.argument('Index takes a name and columns, as in Index{ "ix_name", "column" }') end
  local owner
  for i = first, #definition do
    local value = definition[i]
    if type(value) == "userdata" and core.is_column(value) then
      owner = owner or value.table
      value = value.key
    elseif type(value) ~= "string" and not check.is_expression(value) then
      check.argument("Index takes names of columns and expressions, not %s", core.describe(value))
    end
    made.columns[#made.columns + 1] = value
  end
  setmetatable(made, Index)
  if owner then core.add_index(owner, made) end
  return made
end

--- Computed{ "price * amount", persisted = true }: a generated column, inside Column{}.
function schema.Computed(definition)
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
function schema.Identity(options)
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
    core.add_constraint(t, "foreign_key", made)
  end
  for _, one in ipairs(column.checks) do
    core.add_constraint(t, "check", { columns = { key }, sqltext = one.sqltext, name = one.name, of_column = true })
  end
end

local function add_column(t, column)
  if not column.name then check.argument("a Column of table '%s' has no name; write Column{ \"name\", … }", t.fullname) end
  core.add_column(t, column)
end

local function check_table_options(definition)
  local known = { schema = "string", comment = "string", quote = "boolean" }
  for key in pairs(definition) do
    if type(key) == "string" and core.is_option("table", key) then known[key] = true end
  end
  check.options(definition, known, "Table")
end

local function add_parts(t, definition)
  local columns, others = {}, {}
  for i = 3, #definition do
    local part = definition[i]
    if is(part, Column) then columns[#columns + 1] = part
    elseif is(part, Constraint) or is(part, Index) then others[#others + 1] = part
    else check.argument("Table '%s' takes Column, constraints and Index, not %s", definition[1], core.describe(part)) end
  end
  for _, column in ipairs(columns) do add_column(t, column) end
  for _, column in ipairs(columns) do add_foreign_keys(t, column, column.key or column.name) end
  for _, part in ipairs(others) do
    if is(part, Index) then core.add_index(t, part) else core.add_constraint(t, part.kind, part) end
  end
end

--- Table{ "name", metadata, Column{…}, …, constraints, indexes, schema = …, comment = …, quote = …, sqlite_… = … }.
-- Table{ "name", metadata } alone gives the table that is there.
function schema.Table(definition)
  if type(definition) ~= "table" or type(definition[1]) ~= "string" then
    check.argument('Table takes a name, a MetaData and columns: Table{ "teams", metadata, Column{ … } }')
  end
  check_table_options(definition)
  local name, metadata = definition[1], definition[2]
  if #definition == 2 then
    local full = definition.schema and definition.schema .. "." .. name or name
    local found = core.find_table(metadata, full)
    if found then return found end
  end
  local t = core.table(metadata, name, definition.schema)
  local ok, failure = pcall(add_parts, t, definition)
  if ok then
    for key, value in pairs(definition) do
      if type(key) == "string" and key ~= "schema" then
        ok, failure = pcall(core.table_option, t, key, value)
        if not ok then break end
      end
    end
  end
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
  if is(part, Index) then core.add_index(t, part)
  elseif is(part, Constraint) then core.add_constraint(t, part.kind, part)
  else check.argument("append_constraint takes a constraint or an Index, not %s", core.describe(part)) end
end

--- MetaData{ schema = …, naming_convention = { fk = "fk_%(table_name)s_%(column_0_name)s", … } }, MetaData().
function schema.MetaData(options)
  options = options or {}
  if type(options) ~= "table" then check.argument("MetaData takes a table of options, not %s", core.describe(options)) end
  check.options(options, { schema = "string", naming_convention = "table" }, "MetaData")
  return core.metadata(options.schema, options.naming_convention)
end

-- DDL as text -------------------------------------------------------------------------------------

local Ddl = { __name = "DDL" }
Ddl.__index = Ddl
Ddl.__tostring = function(self) return self:compile().sql end

--- The statements as text: compile{ dialect = … }.sql, tostring(ddl).
function Ddl:compile(options)
  options = options or {}
  check.options(options, { dialect = "string" }, "compile")
  local list = core.ddl(self.action, self.table, options.dialect, self.if_exists)
  return { sql = table.concat(list, ";\n"), statements = list, params = {} }
end

--- CreateTable(table [, { if_not_exists = true }]): CREATE TABLE as text.
function schema.CreateTable(t, options)
  options = options or {}
  check.options(options, { if_not_exists = "boolean" }, "CreateTable")
  return setmetatable({ action = "create", table = t, if_exists = options.if_not_exists }, Ddl)
end

--- DropTable(table [, { if_exists = true }])
function schema.DropTable(t, options)
  options = options or {}
  check.options(options, { if_exists = "boolean" }, "DropTable")
  return setmetatable({ action = "drop", table = t, if_exists = options.if_exists }, Ddl)
end

return schema
