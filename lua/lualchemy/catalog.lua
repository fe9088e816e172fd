--- What the catalog readers of all databases share (lualchemy.dialects.<name>_catalog): records of tables that are filled row by
-- row, and types by their names. The shapes are those of SQLAlchemy's Inspector.
--
-- A reader is a table of functions. Each is given ask(sql, values), which answers rows as lists, NULL as nil:
--   default_schema(ask)                  the name of the schema that is meant when none is named
--   schemas(ask)                         names of schemas
--   names(ask, schema)                   list of { name, kind }; kinds are "table", "view", "materialized_view", "temporary"
--   read(ask, scope)                     a catalog (catalog.new) of scope.schema (nil: the default one), or of one table of it,
--                                        scope.name; a fixed number of queries either way
--                                        Where a record has .order, a list of { kind, record } of its foreign keys ("foreign_keys"),
--                                        unique ("unique") and check constraints ("checks"), they are made in that order;
--                                        .depends_on: names of tables that must be made before
--   default_sql(default, column, record) a default as DEFAULT takes it, where that is not as the catalog has it; true where the
--                                        column is made with one that only the database knows; nil where it has it by
--                                        itself; or the function is not there
--   view_definition(ask, name, schema)   its text, or nil
--   sequences(ask, schema)               list of { name, … }, or the function is not there
--   enums(ask, schema)                   list of { name, schema, labels, visible }, or the function is not there
--   domains(ask, schema)                 list of { name, schema, visible, type, nullable, default, collation, constraints =
--                                        { { name, check }, … } }, or the function is not there
local core = require "lualchemy.core"

local catalog = {}

local Catalog = {}
Catalog.__index = Catalog

--- An empty one: .tables (record by name), .names (in order).
function catalog.new()
  return setmetatable({ tables = {}, names = {} }, Catalog)
end

--- The record of a table that is to be filled. kind: "table", "view", ….
function Catalog:add(name, kind)
  local record = {
    name = name, kind = kind, columns = {}, column = {}, pk_constraint = { constrained_columns = {} }, foreign_keys = {},
    unique_constraints = {}, check_constraints = {}, exclude_constraints = {}, indexes = {}, options = {},
  }
  self.tables[name] = record
  self.names[#self.names + 1] = name
  return record
end

--- Adds a column to its table's record, by name and by place.
function catalog.add_column(record, column)
  record.columns[#record.columns + 1] = column
  record.column[column.name] = column
end

--- The item of a list that has this name, made when it is not there yet: rows of one constraint come one a column.
function catalog.named(list, name, make)
  list.by_name = list.by_name or {}
  local found = list.by_name[name]
  if not found then
    found = make()
    list.by_name[name] = found
    list[#list + 1] = found
  end
  return found
end

--- What a catalog says where it has no booleans, or they come as text.
local truths = { ["1"] = true, t = true, ["true"] = true, YES = true, Y = true, y = true, yes = true }
function catalog.truth(value)
  return value == true or value == 1 or truths[value] == true
end

-- Types -------------------------------------------------------------------------------------------

--- The exact type of this name, the database's own first; nil when there is none.
function catalog.exact(dialect, name)
  local own = core.exact_types(dialect)
  return own and own[name] or core.exact_type(name)
end

--- type(argument, …, options…), and the type alone where it does not take them.
function catalog.apply(type_, arguments)
  if next(arguments) == nil then return type_ end
  local ok, made = pcall(type_, arguments)
  return ok and made or type_
end

--- "VARCHAR(10)", "numeric(10, 2) unsigned": the name in front, what stands in parentheses, what comes behind.
function catalog.split_type(text)
  local name, inside, rest = text:match "^%s*([^()]-)%s*(%b())%s*(.*)$"
  if not name then return text:match "^%s*(.-)%s*$", nil, "" end
  return name, inside:sub(2, -2), rest
end

--- The whole numbers of "10, 2".
function catalog.numbers(inside)
  local numbers = {}
  for number in (inside or ""):gmatch "%-?%d+" do numbers[#numbers + 1] = math.floor(tonumber(number)) end
  return numbers
end

return catalog
